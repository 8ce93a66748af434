//! Directories of migrations that a tool owns: which files it would run, in which order, and
//! which of them in a transaction.
//!
//! One reader per tool, each by the tool's own rules and with their source. What the tool would
//! refuse is a problem here; what it leaves out silently is left out. What it keeps in its version
//! table is the migration's version, but the table itself is the built-in runner's.
//!
//! The runner sends one statement at a time. Where a tool sends a whole file as one message, the
//! borders of the transaction are the same (see `message`), the round trips are not.

mod atlas;
mod dbmate;
mod detect;
mod diesel;
mod drizzle;
mod flyway;
mod golang_migrate;
mod goose;
mod liquibase;
mod listing;
mod marker;
mod message;
mod node_pg_migrate;
mod owner;
mod package;
mod plain;
mod prisma;
mod project;
mod reading;
mod refinery;
mod shape;
mod sql_migrate;
mod sqlx;
mod supabase;
mod tern;
mod text;

use std::path::{Path, PathBuf};

use super::problem::{Checked, Problem, Source};
use super::sql::Sql;
use super::tool::{Recognised, Tool};
use super::{Migration, Script};

use listing::Listing;
use reading::Reading;

/// A tool's directory as it is read.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolsMigrations {
    /// Whose it is.
    pub recognised: Recognised,
    /// In the order in which the tool applies them.
    pub migrations: Vec<Migration>,
    /// Statements that the parser does not know, where the server decides; and which version of
    /// the tool was taken, where that is not known.
    pub notices: Vec<Problem>,
}

/// The migrations of a directory in the order in which the tool applies them to a database that
/// has none of them. Without a tool it is recognised by the directory's contents and the project
/// around it.
///
/// # Errors
///
/// Everything that is wrong with the directory or a file of it; a directory of no tool, of several
/// or of one that is not read here. A problem whose path is `dir` is one of the directory as a
/// whole.
pub fn read_migrations(dir: &Path, tool: Option<Tool>) -> Result<ToolsMigrations, Vec<Problem>> {
    let listing = Listing::of(dir).map_err(|problem| vec![problem])?;
    let recognised = match tool {
        Some(tool) => Recognised { tool, by: None },
        None => detect::detect(&listing).map_err(|problem| vec![problem])?,
    };
    let tool = recognised.tool;
    let mut reading = Reading::new(tool);
    let migrations = match tool {
        Tool::Sqlx => sqlx::read(&listing, &mut reading),
        Tool::Flyway => flyway::read(&listing, &mut reading),
        Tool::Dbmate => dbmate::read(&listing, &mut reading),
        Tool::Goose => goose::read(&listing, &mut reading),
        Tool::GolangMigrate => golang_migrate::read(&listing, &mut reading),
        Tool::Diesel => diesel::read(&listing, &mut reading),
        Tool::Refinery => refinery::read(&listing, &mut reading),
        Tool::Prisma => prisma::read(&listing, &mut reading),
        Tool::Drizzle => drizzle::read(&listing, &mut reading),
        Tool::Supabase => supabase::read(&listing, &mut reading),
        Tool::NodePgMigrate => node_pg_migrate::read(&listing, &mut reading),
        Tool::SqlMigrate => sql_migrate::read(&listing, &mut reading),
        Tool::Tern => tern::read(&listing, &mut reading),
        Tool::Atlas => atlas::read(&listing, &mut reading),
        Tool::Liquibase => liquibase::read(&listing, &mut reading),
        Tool::Plain => plain::read(&listing, &mut reading),
    };
    if reading.problems.is_empty() && migrations.iter().all(|m| m.script.statements.is_empty()) {
        let found = match migrations.is_empty() {
            true => format!("no migration of {}'s is in it", tool.applier()),
            false => "none of its migrations has a statement".to_owned(),
        };
        let remedy = format!("a migration of {}'s is named {}", tool.applier(), tool.pattern());
        reading.problems.push(Problem::of_file(dir, found).remedy(remedy));
    }
    match reading.problems.is_empty() {
        true => Ok(ToolsMigrations { recognised, migrations, notices: reading.notices }),
        false => Err(reading.problems),
    }
}

/// The directory of the changelog that a project's `liquibase.properties` names, or the project's
/// own, where a changelog is in it.
pub fn changelog_directory(root: &Path) -> Option<PathBuf> {
    if let Some(changelog) = liquibase::named_by_properties(root) {
        let parent = changelog.parent().map(Path::to_owned)?;
        return Some(if parent.as_os_str().is_empty() { PathBuf::from(".") } else { parent });
    }
    let is_changelog = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let text = || Source::open(path).map(|source| source.text).unwrap_or_default();
        liquibase::is_changelog(&name, text)
    };
    listing::files_of(root).iter().any(is_changelog).then(|| root.to_owned())
}

/// One plain SQL file that no tool owns: its version is its name without the extension, and the
/// change's rule says of its transaction. `says_rule`: the user chose that rule, so that a comment
/// by which a tool chooses its own is a comment.
///
/// # Errors
///
/// What is wrong with the file, and markers of a tool in it, whose other part would run as well.
pub fn read_migration_file(
    path: &Path,
    says_rule: bool,
) -> Result<Checked<Migration>, Vec<Problem>> {
    let whole = |message: String| vec![Problem::of_file(path, message)];
    let source = Source::open(path).map_err(|why| whole(format!("cannot read it: {why}")))?;
    let markers = foreign_in(&source, says_rule);
    if !markers.is_empty() {
        return Err(markers);
    }
    let sql = Sql::file(&source);
    let pieces = sql.psql_pieces().map_err(|problem| vec![problem])?;
    if pieces.is_empty() {
        let problem = Problem::of_file(path, "it has no statement");
        return Err(vec![problem.remedy("an empty change shows nothing")]);
    }
    let notices = sql.all_unknown(&pieces);
    let version = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let script = Script { path: source.path.clone(), statements: sql.statements(pieces) };
    let value = Migration::new(version, script, None);
    Ok(Checked { value, notices })
}

/// What tools would look at in a file that is run as plain SQL. `says_rule` as in
/// [`read_migration_file`]. A file that cannot be read has none.
pub fn foreign_markers(path: &Path, says_rule: bool) -> Vec<Problem> {
    Source::open(path).map(|source| foreign_in(&source, says_rule)).unwrap_or_default()
}

fn foreign_in(source: &Source, says_rule: bool) -> Vec<Problem> {
    let found = marker::markers(&source.text).into_iter();
    let counts = found.filter(|marker| marker.begins_part || !says_rule);
    counts.map(|marker| marker.problem(source, None)).collect()
}
