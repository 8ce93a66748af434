//! Atlas: `<version>_<name>.sql` beside an `atlas.sum`.
//!
//! - Files are applied in the order of their names; the version is the name up to the first `_`.
//!   `atlas.sum` lists every file, or Atlas refuses the directory. Its hashes are not checked here.
//! - Directives are comments at the very top of a file with a blank line behind them; Atlas passes
//!   over one elsewhere, which is a problem here. `txmode` and `nolint` are read; `checkpoint`,
//!   `delimiter` and others are problems.
//! - Each statement is a message of its own, all of a file in one transaction with its row of
//!   revisions, unless the file says `-- atlas:txmode none`. `--tx-mode` says otherwise for all.
//! - The row is written before the file and after each statement, so that without a transaction a
//!   later run goes on at the statement that failed. Here it begins at the file's start.
//! - Directories in the format of another tool (`?format=golang-migrate`) are refused.
//!
//! Source: `sql/migrate/migrate.go`, `sql/migrate/dir.go` and
//! `cmd/atlas/internal/cmdapi/migrate.go` in <https://github.com/ariga/atlas>, and
//! <https://atlasgo.io/versioned/apply>; read in 2026.

use super::super::Migration;
use super::super::problem::{Problem, Source};
use super::super::sql::Sql;
use super::flyway;
use super::listing::Listing;
use super::reading::{Named, Reading, migration};
use super::text::lines;

const SUM: &str = "atlas.sum";
/// Its own program.
const COMMAND: &str = "atlas migrate apply …";

pub(super) fn read(listing: &Listing, reading: &mut Reading) -> Vec<Migration> {
    let sum = Source::open(&listing.dir.join(SUM)).map(|source| source.text).ok();
    let mut found = Vec::new();
    for entry in listing.files().filter(|entry| entry.name.ends_with(".sql")) {
        let stem = entry.name.trim_end_matches(".sql");
        let of_others = [".up", ".down"].iter().any(|end| stem.ends_with(end));
        if of_others || flyway::name(stem).is_some() {
            let problem = Problem::of_file(&entry.path, "it is in the format of another tool");
            reading.problems.push(problem.remedy_by(|asker| asker.itself(COMMAND)));
            continue;
        }
        let version = stem.split('_').next().unwrap_or(stem).to_owned();
        found.push(Named { order: version.clone(), version, entry });
    }
    let mut found = reading.in_order(found);
    found.sort_by(|a, b| a.entry.name.cmp(&b.entry.name));
    let mut migrations = Vec::new();
    for Named { version, entry, .. } in found {
        let Some(source) = reading.open(&entry.path) else { continue };
        let lists =
            |sum: &String| sum.lines().any(|line| line.split(' ').next() == Some(&entry.name));
        if sum.as_ref().is_some_and(|sum| !lists(sum)) {
            let problem = Problem::of_file(&entry.path, format!("{SUM} does not list it"));
            reading.problems.push(problem.remedy("Atlas refuses that; run atlas migrate hash"));
        }
        match runs_in_transaction(&source) {
            Ok(transaction) => {
                let sql = Sql::file(&source);
                let statements = sql.statements(reading.pieces(&sql));
                migrations.push(migration(version, &source, statements, transaction));
            }
            Err(problem) => reading.problems.push(problem),
        }
    }
    migrations
}

fn runs_in_transaction(source: &Source) -> Result<bool, Problem> {
    let mut mode = None;
    let head = head(&source.text);
    for (offset, line) in lines(&source.text) {
        let Some(directive) = directive(line) else { continue };
        let wrong = |message: String, remedy: &str| {
            Err(source.problem(offset..offset + line.len(), message).remedy(remedy))
        };
        let (name, value) = directive.split_once(' ').unwrap_or((directive, ""));
        match (name, value.trim()) {
            ("nolint", _) => {}
            ("txmode", _) if offset >= head => {
                let remedy = "Atlas takes it at the top of the file, with a blank line behind it";
                return wrong("this has no effect here".to_owned(), remedy);
            }
            ("txmode", _) if mode.is_some() => {
                return wrong("there is a second txmode".to_owned(), "a file has one");
            }
            ("txmode", "none") => mode = Some(false),
            ("txmode", "file") => mode = Some(true),
            ("txmode", value) => {
                let message = format!("a file has no txmode `{value}`");
                return wrong(message, "Atlas knows `none` and `file` there");
            }
            (name, _) => {
                let message = format!("the directive atlas:{name} is not read here");
                let problem = source.problem(offset..offset + line.len(), message);
                return Err(problem.remedy_by(|asker| asker.itself(COMMAND)));
            }
        }
    }
    Ok(mode.unwrap_or(true))
}

/// `-- atlas:txmode none`: what follows the colon.
fn directive(line: &str) -> Option<&str> {
    line.trim().strip_prefix("--")?.trim_start().strip_prefix("atlas:")
}

/// Where the comments end that are the file's own: those at its start, if a blank line follows.
fn head(text: &str) -> usize {
    let is_comment = |line: &str| line.starts_with("--") || line.starts_with('#');
    let end = lines(text).find(|(_, line)| !is_comment(line));
    match end {
        Some((offset, "")) => offset,
        Some(_) => 0,
        None => text.len(),
    }
}
