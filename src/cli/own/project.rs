//! Which migrations a project has, and which tool applies them, by what is in its directory.

use std::fs;
use std::path::{Path, PathBuf};

use crate::run::Base;
use crate::scenario::{self, Problem};

use super::super::infer;
use super::code;
use super::node;
use super::revisions::{self, Commands};

/// Where tools keep migrations in SQL, below the project's root.
const DIRECTORIES: &[&str] = &[
    "migrations",
    "db/migrations",
    "db/migrate",
    "database/migrations",
    "sql/migrations",
    "sql",
    "migration",
    "prisma/migrations",
    "supabase/migrations",
    "drizzle",
    "src/main/resources/db/migration",
    "src/migrations",
    "schema/migrations",
    "db/changelog",
    "src/main/resources/db/changelog",
    "changelog",
    "changelogs",
    "liquibase",
];

/// What directories of migrations are called.
const NAMES: &[&str] = &["migrations", "migration", "migrate", "drizzle", "changelog"];
/// Directories that hold no code of the project's own.
const NOT_OWN: &[&str] = &[
    "node_modules",
    "target",
    "vendor",
    "venv",
    "dist",
    "build",
    "site-packages",
    "tests",
    "test",
];
/// How deep such a directory may be.
const DEPTH_MAX: usize = 5;

/// Where a dump of a project's schema is kept.
const DUMPS: &[&str] = &[
    "structure.sql",
    "schema.sql",
    "db/structure.sql",
    "db/schema.sql",
    "schema/structure.sql",
    "database/schema.sql",
];

/// The one dump of the schema that a project has, beside the change itself; None: it has none.
///
/// # Errors
/// There are several: with what decides.
pub fn dump(root: &Path, change: &Path) -> Result<Option<Base>, String> {
    let is_change = |path: &PathBuf| path.canonicalize().ok() == change.canonicalize().ok();
    let mut found: Vec<PathBuf> =
        DUMPS.iter().map(|name| root.join(name).components().collect::<PathBuf>()).collect();
    found.retain(|path| path.is_file() && !is_change(path));
    match found.as_slice() {
        [] => Ok(None),
        [path] => infer::base_of(Some(&path.display().to_string()), None).map(Some),
        several => {
            let ways: Vec<String> = several
                .iter()
                .map(|path| {
                    let (change, schema) = (change.display(), path.display());
                    format!("\n  pgauntlet try {change} --schema {schema}")
                })
                .collect();
            let count = several.len();
            Err(format!("find the base: there are {count} dumps here; say which:{}", ways.concat()))
        }
    }
}

/// How the newest migration is applied.
#[derive(Debug)]
pub enum Found {
    /// A directory of migrations in SQL.
    Directory(PathBuf),
    /// The tool's own program.
    Commands(Commands),
}

/// The one tool whose migrations are in the project.
///
/// # Errors
/// There is none, or there are several: with what decides.
pub fn find(root: &Path) -> Result<Found, String> {
    let (mut found, mut refused) = read_all(directories(root));
    let mut programs = revisions::all(root)?;
    programs.extend(node::all(root));
    programs.extend(code::all(root));
    if found.is_empty() && programs.is_empty() {
        if let Some(why) = code::without_a_base(root) {
            return Err(why);
        }
        let (others, why) = read_all(elsewhere(root));
        found.extend(others);
        refused.extend(why);
    }
    for commands in programs {
        let before = commands.before.as_deref().unwrap_or("true");
        // What this shell would fill in is for the one that pgauntlet starts.
        let change = match commands.change.contains('$') {
            true => format!("'{}'", commands.change),
            false => commands.change.clone(),
        };
        let how = format!("{}: pgauntlet try --base '{before}' -- {change}", commands.tool);
        found.push((how, Found::Commands(commands)));
    }
    if found.len() > 1 {
        let ways: Vec<String> = found.iter().map(|(how, _)| format!("\n  {how}")).collect();
        return Err(format!(
            "find the change: there are {} tools' migrations here; say which:{}",
            found.len(),
            ways.concat()
        ));
    }
    match found.pop() {
        Some((_, found)) => Ok(found),
        None => Err(nothing(root, &refused)),
    }
}

/// Those of a tool with how each is named, and why the others are none.
fn read_all(paths: Vec<PathBuf>) -> (Vec<(String, Found)>, Vec<String>) {
    let (mut found, mut refused) = (Vec::new(), Vec::new());
    for path in paths {
        match scenario::read_migrations(&path, None) {
            Ok(read) => {
                let tool = read.recognised.tool;
                let how = format!("{tool}'s migrations: pgauntlet try {}", path.display());
                found.push((how, Found::Directory(path)));
            }
            Err(problems) => {
                let first = problems.into_iter().next().map(Problem::of_try);
                refused.extend(first.map(|problem| problem.to_string()));
            }
        }
    }
    (found, refused)
}

/// Directories of migrations, by their names, anywhere in a project but in what others made.
fn elsewhere(root: &Path) -> Vec<PathBuf> {
    let (mut found, mut left) = (Vec::new(), vec![(root.to_owned(), 0)]);
    while let Some((place, depth)) = left.pop() {
        for entry in fs::read_dir(&place).into_iter().flatten().flatten() {
            let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
            if !path.is_dir() || name.starts_with('.') || NOT_OWN.contains(&name.as_str()) {
                continue;
            }
            let path: PathBuf = path.strip_prefix(".").map_or(path.clone(), Path::to_owned);
            if NAMES.contains(&name.as_str()) {
                found.push(path);
            } else if depth < DEPTH_MAX {
                left.push((path, depth + 1));
            }
        }
    }
    found.retain(|path| !DIRECTORIES.iter().any(|known| root.join(known) == root.join(path)));
    found.sort();
    found
}

/// Those that are there.
fn directories(root: &Path) -> Vec<PathBuf> {
    let below = |directory: &&str| match root == Path::new(".") {
        true => PathBuf::from(directory),
        false => root.join(directory),
    };
    let mut found: Vec<PathBuf> = DIRECTORIES.iter().map(below).collect();
    found.retain(|path| path.is_dir());
    if let Some(path) = scenario::changelog_directory(root) {
        let is_it = |other: &PathBuf| other.canonicalize().ok() == path.canonicalize().ok();
        if !found.iter().any(is_it) {
            let below = path.strip_prefix(".").ok().filter(|below| !below.as_os_str().is_empty());
            found.push(below.map_or(path.clone(), Path::to_owned));
        }
    }
    found
}

fn nothing(root: &Path, refused: &[String]) -> String {
    let why: String = refused.iter().map(|why| format!("\n  {why}")).collect();
    let mut why = if why.is_empty() { String::new() } else { format!("; of what is there:{why}") };
    let is_liquibases = || scenario::changelog_directory(root).is_some();
    if refused.iter().any(|why| why.contains("only Liquibase can run")) || is_liquibases() {
        why.push_str(&format!("\n  {}", code::LIQUIBASE));
    }
    format!(
        "find the change: no tool's migrations were recognised here{why}\n  looked in {}, and for \
         alembic.ini, pyproject.toml (tool.alembic), manage.py, bin/rails, knexfile, .sequelizerc, \
         config/config.json (Sequelize), migration/src/lib.rs (SeaORM) and rambler.json; say it: \
         pgauntlet try change.sql --schema schema.sql, or pgauntlet try --base 'COMMAND' -- \
         COMMAND",
        DIRECTORIES.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::super::testing::project;
    use super::*;

    type Files<'a> = &'a [(&'a str, &'a str)];

    /// What is found, or why nothing is, with paths from the root.
    fn told(files: Files<'_>) -> String {
        let root = project(files);
        let text = match find(root.path()) {
            Ok(Found::Directory(path)) => format!("directory {}", path.display()),
            Ok(Found::Commands(commands)) => {
                let before = commands.before.as_deref().unwrap_or("nothing");
                format!("{}: {before} -- {}", commands.tool, commands.change)
            }
            Err(error) => error,
        };
        text.replace(&format!("{}/", root.path().display()), "")
    }

    const FORMATTED: &str = "--liquibase formatted sql\n--changeset a:1\nSELECT 1;\n";
    const JOURNAL: &str = r#"{"entries":[{"when":1,"tag":"0000_a"}]}"#;

    #[test]
    fn each_tools_directory_is_found_where_it_keeps_it() {
        let found: &[(&str, Files<'_>)] = &[
            ("migrations", &[("diesel.toml", ""), ("migrations/1_a/up.sql", "SELECT 1;")]),
            (
                "migrations",
                &[
                    ("Cargo.toml", "[dependencies]\nrefinery = '0.8'\n"),
                    ("migrations/V1__a.sql", "SELECT 1;"),
                ],
            ),
            ("sql", &[("flyway.toml", ""), ("sql/V1__a.sql", "SELECT 1;")]),
            (
                "db/migrations",
                &[("db/migrations/1_a.sql", "-- migrate:up\nSELECT 1;\n-- migrate:down\n")],
            ),
            (
                "migrations",
                &[
                    ("go.mod", "require github.com/golang-migrate/migrate/v4 v4.17.0"),
                    ("migrations/1_a.up.sql", "SELECT 1;"),
                ],
            ),
            (
                "internal/database/migrations",
                &[
                    ("internal/database/migrations/1_a.sql", "-- +goose Up\nSELECT 1;\n"),
                    ("node_modules/x/migrations/1_a.sql", "-- +goose Up\nSELECT 1;\n"),
                ],
            ),
            (
                "migrations",
                &[
                    ("migrations/1_a.sql", "SELECT 1;"),
                    ("migrations/atlas.sum", "h1:x=\n1_a.sql h1:y=\n"),
                ],
            ),
            (
                "drizzle",
                &[("drizzle/meta/_journal.json", JOURNAL), ("drizzle/0000_a.sql", "SELECT 1;")],
            ),
            (
                "drizzle",
                &[
                    ("drizzle/20240102030405_a/migration.sql", "SELECT 1;"),
                    ("drizzle/20240102030405_a/snapshot.json", "{}"),
                ],
            ),
            (
                "src/main/resources/db/changelog",
                &[
                    (
                        "src/main/resources/db/changelog/db.changelog-master.yaml",
                        "databaseChangeLog:\n  - include:\n      file: db/changelog/1.sql\n",
                    ),
                    ("src/main/resources/db/changelog/1.sql", FORMATTED),
                ],
            ),
            (
                "schema",
                &[
                    ("liquibase.properties", "changeLogFile=schema/all.sql\n"),
                    ("schema/all.sql", FORMATTED),
                ],
            ),
        ];
        for (directory, files) in found {
            assert_eq!(told(files), format!("directory {directory}"), "{files:?}");
        }
    }

    #[test]
    fn what_is_not_found_is_said_with_what_decides() {
        let told = [
            told(&[]),
            told(&[
                ("drizzle/meta/_journal.json", JOURNAL),
                ("drizzle/0000_a.sql", "SELECT 1;"),
                ("migrations/1_a.sql", "-- +goose Up\nSELECT 1;\n"),
                ("rambler.json", "{}"),
            ]),
            told(&[("package.json", "{\"dependencies\":{\"typeorm\":\"0.3\"}}")]),
            told(&[
                ("go.mod", "require github.com/pressly/goose/v3 v3.20.0"),
                ("migrations/1_a.sql", "-- +goose Up\nSELECT 1;\n"),
                ("migrations/2_b.go", ""),
            ]),
            told(&[("db/changelog/a.xml", "<databaseChangeLog>\n<changeSet id='1'/>")]),
            told(&[("migrations/1_a.sql", "SELECT 1;")]),
        ];
        insta::assert_snapshot!(told.join("\n\n"));
    }

    #[test]
    fn the_dump_of_a_schema_is_found_and_two_are_named() {
        let root = project(&[("db/structure.sql", "SELECT 1;"), ("schema.sql", "SELECT 1;")]);
        let of = |change: &str| dump(root.path(), &root.path().join(change));
        let base = of("schema.sql").expect("one dump").expect("a base");
        assert!(base.name().ends_with("db/structure.sql"), "{}", base.name());
        let error = of("change.sql").expect_err("two dumps");
        insta::assert_snapshot!(error.replace(&format!("{}/", root.path().display()), ""));
    }
}
