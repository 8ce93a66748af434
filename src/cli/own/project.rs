//! Which migrations a project has, and which tool applies them, by what is in its directory.

use std::path::{Path, PathBuf};

use crate::scenario;

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
    let mut found: Vec<(String, Found)> = Vec::new();
    let mut refused = Vec::new();
    for path in directories(root) {
        match scenario::read_migrations(&path, None) {
            Ok(read) => {
                let tool = read.recognised.tool;
                let how = format!("{tool}'s migrations: pgauntlet try {}", path.display());
                found.push((how, Found::Directory(path)));
            }
            Err(problems) => {
                refused.extend(problems.first().map(|problem| format!("{problem}")));
            }
        }
    }
    for commands in revisions::all(root)? {
        let before = commands.before.as_deref().unwrap_or("true");
        let how =
            format!("{}: pgauntlet try --base '{before}' -- {}", commands.tool, commands.change);
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
        None => Err(nothing(&refused)),
    }
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
            found.push(path.strip_prefix(root).map_or(path.clone(), Path::to_owned));
        }
    }
    found
}

fn nothing(refused: &[String]) -> String {
    let why: String = refused.iter().map(|why| format!("\n  {why}")).collect();
    let why = if why.is_empty() { String::new() } else { format!("; of what is there:{why}") };
    format!(
        "find the change: no tool's migrations were recognised here{why}\n  looked in {}, and for \
         alembic.ini, manage.py, bin/rails, knexfile and .sequelizerc; say it: pgauntlet try \
         change.sql --schema schema.sql, or pgauntlet try --base 'COMMAND' -- COMMAND",
        DIRECTORIES.join(", ")
    )
}
