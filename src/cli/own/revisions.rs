//! Tools that have a program of their own: their newest revision, and the one before it, by the
//! files of the project.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::run::{Base, ExitStatus};

use super::super::{bad_input, tried};

/// Commands of a tool that has a program of its own.
#[derive(Debug, PartialEq, Eq)]
pub struct Commands {
    /// Whose they are, and by what it was recognised.
    pub tool: String,
    /// What the newest migration is called.
    pub name: String,
    /// Migrates to the revision before the newest; None: the newest is the first.
    pub before: Option<String>,
    /// Applies the newest.
    pub change: String,
    /// The newest one's file.
    pub file: PathBuf,
}

impl Commands {
    /// What the change begins from. `root`: where the project is.
    pub fn base(&self, root: &Path) -> Result<Base, ExitStatus> {
        match &self.before {
            Some(line) => tried::command(line, root).map(Base::Command).map_err(bad_input),
            None => Ok(Base::Script { path: "nothing".into(), text: String::new() }),
        }
    }
}

/// The commands of each such tool that the project has.
///
/// # Errors
/// A tool is there, and which of its revisions is the newest is not known.
pub fn all(root: &Path) -> Result<Vec<Commands>, String> {
    let found = [alembic(root)?, django(root)?, rails(root)];
    Ok(found.into_iter().flatten().collect())
}

/// A program of the project's own environment, or of PATH.
fn program(root: &Path, name: &str) -> String {
    let own = [".venv/bin", "venv/bin"].iter().map(|bin| Path::new(bin).join(name));
    let found = own.into_iter().find(|program| root.join(program).is_file());
    found.map_or(name.to_owned(), |program| program.display().to_string())
}

/// A program of the project's packages, or of PATH.
pub(super) fn node_program(root: &Path, name: &str) -> String {
    let own = Path::new("node_modules/.bin").join(name);
    let path = std::env::var_os("PATH").unwrap_or_default();
    match root.join(&own).is_file() {
        true => own.display().to_string(),
        false if std::env::split_paths(&path).any(|bin| bin.join(name).is_file()) => {
            name.to_owned()
        }
        false => format!("npx {name}"),
    }
}

/// The name of a file without its ending.
pub(super) fn stem(name: Option<&String>) -> String {
    name.map(|name| name.split('.').next().unwrap_or_default().to_owned()).unwrap_or_default()
}

/// Names of files with this ending, in their order.
pub(super) fn files(directory: &Path, endings: &[&str]) -> Vec<String> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let ends = |name: &String| endings.iter().any(|ending| name.ends_with(ending));
    let mut names: Vec<String> = names.filter(ends).collect();
    names.sort();
    names
}

fn alembic(root: &Path) -> Result<Option<Commands>, String> {
    let Some((by, directories)) = alembic_directories(root) else { return Ok(None) };
    let paths = directories.iter().flat_map(|directory| {
        files(directory, &[".py"]).into_iter().map(move |name| directory.join(name))
    });
    let revisions: Vec<Revision> = paths
        .filter_map(|path| {
            let text = fs::read_to_string(&path).ok()?;
            Revision::of(&text).map(|revision| Revision { file: path, ..revision })
        })
        .collect();
    let is_head =
        |revision: &&Revision| !revisions.iter().any(|other| other.down.contains(&revision.id));
    let heads: Vec<&Revision> = revisions.iter().filter(is_head).collect();
    let alembic = program(root, "alembic");
    let head = match heads.as_slice() {
        [] => return Ok(None),
        [head] => *head,
        several => {
            let ids: Vec<&str> = several.iter().map(|head| head.id.as_str()).collect();
            return Err(format!(
                "find the change: Alembic has several heads, {}; say which: pgauntlet try --base \
                 '{alembic} upgrade {}' -- {alembic} upgrade {}",
                ids.join(" and "),
                several[0].down.join(" "),
                ids[0]
            ));
        }
    };
    let before = match head.down.as_slice() {
        [] => None,
        down => Some(format!("{alembic} upgrade {}", down.join(" "))),
    };
    let (tool, file) = (format!("Alembic ({by})"), head.file.clone());
    let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    Ok(Some(Commands { tool, name, before, change: format!("{alembic} upgrade head"), file }))
}

/// The file that configures it, and the directories of its revisions.
fn alembic_directories(root: &Path) -> Option<(&'static str, Vec<PathBuf>)> {
    let ini = fs::read_to_string(root.join("alembic.ini")).ok();
    let project = fs::read_to_string(root.join("pyproject.toml")).unwrap_or_default();
    let project = project.parse::<toml::Table>().ok();
    let section = project.as_ref().and_then(|p| p.get("tool")?.get("alembic"));
    let by = match (&ini, section) {
        (None, None) => return None,
        (None, Some(_)) => "pyproject.toml",
        (Some(_), _) => "alembic.ini",
    };
    let of_ini = |name: &str| {
        ini.iter().flat_map(|ini| ini.lines()).find_map(|line| {
            let (key, value) = line.split_once('=')?;
            (key.trim() == name).then(|| value.trim().to_owned())
        })
    };
    let of_project = |name: &str| section.and_then(|section| section.get(name));
    let path = |text: &str| {
        let text = text.replace("%(here)s/", "").replace("%(here)s", ".");
        root.join(text.strip_prefix("./").unwrap_or(&text))
    };
    let location = of_project("script_location").and_then(toml::Value::as_str).map(str::to_owned);
    let location = location.or_else(|| of_ini("script_location"));
    let several = match of_project("version_locations").and_then(toml::Value::as_array) {
        Some(listed) => {
            listed.iter().filter_map(toml::Value::as_str).map(str::to_owned).collect::<Vec<_>>()
        }
        None => {
            let listed = of_ini("version_locations").unwrap_or_default();
            let parts = listed.split([' ', ',', ':', ';']).filter(|part| !part.is_empty());
            parts.map(str::to_owned).collect()
        }
    };
    let directories = match several.is_empty() {
        true => vec![path(location.as_deref().unwrap_or("alembic")).join("versions")],
        false => several.iter().map(|one| path(one)).collect(),
    };
    Some((by, directories))
}

/// A revision of Alembic's, as its file declares it.
struct Revision {
    file: PathBuf,
    id: String,
    down: Vec<String>,
}

impl Revision {
    /// `revision: str = "a"`, `down_revision = ("b", "c")`.
    fn of(text: &str) -> Option<Revision> {
        let value = |name: &str| {
            text.lines().find_map(|line| {
                let rest = line.strip_prefix(name)?;
                let (of, value) = rest.split_once('=')?;
                let of = of.trim();
                (of.is_empty() || of.starts_with(':')).then_some(value)
            })
        };
        let id = quoted(value("revision")?).into_iter().next()?;
        let down = value("down_revision").map(quoted).unwrap_or_default();
        Some(Revision { file: PathBuf::new(), id, down })
    }
}

/// The strings in a line of Python or JavaScript.
pub(super) fn quoted(line: &str) -> Vec<String> {
    let line = line.split('#').next().unwrap_or_default();
    let parts: Vec<&str> = line.split(['"', '\'', '`']).collect();
    parts.iter().skip(1).step_by(2).map(|part| (*part).to_owned()).collect()
}

/// A migration of Django's.
struct OfApp {
    app: String,
    /// Where they are.
    directory: PathBuf,
    /// Those of its app, in their order.
    names: Vec<String>,
    newest: SystemTime,
}

fn django(root: &Path) -> Result<Option<Commands>, String> {
    if !root.join("manage.py").is_file() {
        return Ok(None);
    }
    let mut apps: Vec<OfApp> = Vec::new();
    for directory in migrations_of_apps(root, 3) {
        let numbered = |name: &String| name.starts_with(|c: char| c.is_ascii_digit());
        let names: Vec<String> = files(&directory, &[".py"]).into_iter().filter(numbered).collect();
        let app = directory.parent().and_then(Path::file_name);
        let (Some(app), Some(last)) = (app, names.last()) else { continue };
        let changed = fs::metadata(directory.join(last)).and_then(|found| found.modified());
        let newest = changed.unwrap_or(SystemTime::UNIX_EPOCH);
        let names = names.iter().map(|name| name.trim_end_matches(".py").to_owned()).collect();
        let app = app.to_string_lossy().into_owned();
        apps.push(OfApp { app, directory, names, newest });
    }
    apps.sort_by(|a, b| (a.newest, &a.app).cmp(&(b.newest, &b.app)));
    let Some(last) = apps.last() else { return Ok(None) };
    let python = program(root, "python");
    let before = last.names.len().checked_sub(2).map_or("zero", |at| last.names[at].as_str());
    let app = &last.app;
    let name = last.names.last().map(String::as_str).unwrap_or_default();
    // All other apps, those of packages included, are where they would be.
    let line = format!(
        "for app in $({python} manage.py showmigrations --no-color | grep -v '^ '); do \
         [ \"$app\" = {app} ] || {python} manage.py migrate \"$app\" || exit; done; \
         {python} manage.py migrate {app} {before}"
    );
    let tool = format!("Django (manage.py; the newest file is {app}'s {name})");
    let change = format!("{python} manage.py migrate {app} {name}");
    let file = last.directory.join(format!("{name}.py"));
    Ok(Some(Commands { tool, name: format!("{app}-{name}"), before: Some(line), change, file }))
}

/// Directories called `migrations` that are an app's.
fn migrations_of_apps(root: &Path, depth: usize) -> Vec<PathBuf> {
    const SKIPPED: &[&str] = &["node_modules", "venv", "site-packages", "static", "target"];
    let mut found = Vec::new();
    for entry in fs::read_dir(root).into_iter().flatten().flatten() {
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        if !path.is_dir() || name.starts_with('.') || SKIPPED.contains(&name.as_str()) {
            continue;
        }
        let migrations = path.join("migrations");
        if migrations.join("__init__.py").is_file() {
            found.push(migrations);
        }
        if depth > 0 {
            found.extend(migrations_of_apps(&path, depth - 1));
        }
    }
    found.sort();
    found
}

fn rails(root: &Path) -> Option<Commands> {
    let names = files(&root.join("db/migrate"), &[".rb"]);
    let versions: Vec<String> = names
        .iter()
        .map(|name| name.chars().take_while(char::is_ascii_digit).collect())
        .filter(|version: &String| !version.is_empty())
        .collect();
    if !root.join("bin/rails").is_file() || versions.is_empty() {
        return None;
    }
    let before = versions.len().checked_sub(2).map(|at| &versions[at]);
    let before = before.map(|version| format!("bin/rails db:migrate VERSION={version}"));
    let (tool, change) = ("Rails (bin/rails)".to_owned(), "bin/rails db:migrate".to_owned());
    let file = root.join("db/migrate").join(names.last()?);
    Some(Commands { tool, name: stem(names.last()), before, change, file })
}

#[cfg(test)]
mod tests {
    use super::super::testing::project;
    use super::*;

    #[test]
    fn alembics_newest_revision_is_the_one_that_no_other_follows() {
        let root = project(&[
            ("alembic.ini", "[alembic]\nscript_location = db\n"),
            ("db/versions/b.py", "revision: str = 'b2'  # 'x'\ndown_revision: str | None = 'a1'\n"),
            ("db/versions/a.py", "revision = \"a1\"\ndown_revision = None\n"),
        ]);
        let found = alembic(root.path()).expect("one head").expect("Alembic");
        assert_eq!(found.before.as_deref(), Some("alembic upgrade a1"));
        assert_eq!(found.change, "alembic upgrade head");
    }

    #[test]
    fn two_heads_of_alembic_are_both_named() {
        let root = project(&[
            ("alembic.ini", "[alembic]\n"),
            ("alembic/versions/a.py", "revision = 'a1'\ndown_revision = None\n"),
            ("alembic/versions/b.py", "revision = 'b2'\ndown_revision = 'a1'\n"),
            ("alembic/versions/c.py", "revision = 'c3'\ndown_revision = 'a1'\n"),
        ]);
        let error = alembic(root.path()).expect_err("two heads");
        assert!(error.contains("b2 and c3"), "{error}");
    }

    #[test]
    fn djangos_newest_migration_is_of_the_app_that_changed_last() {
        let root = project(&[
            ("manage.py", ""),
            ("shop/migrations/__init__.py", ""),
            ("shop/migrations/0001_initial.py", ""),
            ("shop/migrations/0002_more.py", ""),
            ("users/migrations/__init__.py", ""),
            ("users/migrations/0001_initial.py", ""),
        ]);
        let old = fs::File::open(root.path().join("users/migrations/0001_initial.py"));
        let old = old.expect("a file");
        old.set_modified(SystemTime::UNIX_EPOCH).expect("a time");
        let found = django(root.path()).expect("an app").expect("Django");
        assert_eq!(found.change, "python manage.py migrate shop 0002_more");
        assert!(found.before.expect("a base").ends_with("migrate shop 0001_initial"));
    }

    #[test]
    fn alembics_revisions_are_where_its_configuration_says() {
        let first = "revision = 'a1'\ndown_revision = None\n";
        let second = "revision = 'b2'\ndown_revision = 'a1'\n";
        for (file, text, directory) in [
            ("pyproject.toml", "[tool.alembic]\n", "alembic/versions"),
            ("pyproject.toml", "[tool.alembic]\nscript_location = '%(here)s/db'\n", "db/versions"),
            ("pyproject.toml", "[tool.alembic]\nversion_locations = ['%(here)s/x', 'y']\n", "y"),
            ("alembic.ini", "[alembic]\nversion_locations = %(here)s/x %(here)s/y\n", "y"),
            ("alembic.ini", "[alembic]\nscript_location = ./db\n", "db/versions"),
        ] {
            let [a, b] = ["a.py", "b.py"].map(|name| format!("{directory}/{name}"));
            let root = project(&[(file, text), (&a, first), (&b, second)]);
            let found = alembic(root.path()).expect("one head").expect(text);
            assert_eq!(found.tool, format!("Alembic ({file})"));
            assert_eq!(found.before.as_deref(), Some("alembic upgrade a1"));
            assert_eq!((found.name.as_str(), found.file), ("b", root.path().join(&b)));
        }
        let root = project(&[("pyproject.toml", "[tool.poetry]\n")]);
        assert_eq!(alembic(root.path()), Ok(None));
    }

    #[test]
    fn the_revision_before_is_asked_of_rails() {
        let root = project(&[
            ("bin/rails", ""),
            ("db/migrate/20240101000000_a.rb", ""),
            ("db/migrate/20240102000000_b.rb", ""),
        ]);
        let before = rails(root.path()).and_then(|commands| commands.before);
        assert_eq!(before.as_deref(), Some("bin/rails db:migrate VERSION=20240101000000"));
    }
}
