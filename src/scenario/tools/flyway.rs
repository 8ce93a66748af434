//! Flyway: `V<version>__<description>.sql`, `R__<description>.sql`, also in directories below.
//!
//! - Versions are numbers joined by dots or single underscores, compared part by part: 1, 1.1, 2,
//!   10; `1.0` is `1`. Repeatable migrations follow in the order of their descriptions. Undo (`U`)
//!   and baseline (`B`) migrations and hidden directories are left out.
//! - Flyway tells other `.sql` files and does not run them; here they are a problem. So are the
//!   callbacks that it runs with a migration, and placeholders, whose values are unknown here.
//! - A repeatable migration has no version in Flyway's table; here it has its file's name.
//! - A file runs statement by statement in one transaction, together with its row, unless all of
//!   its statements are among those that Flyway knows to need none; a mixture is an error (`mixed`
//!   and `group` are switches of the tool and are off). `executeInTransaction` in `<file>.conf`
//!   decides instead of that. REINDEX INDEX CONCURRENTLY and DETACH CONCURRENTLY are not known.
//! - Flyway's own lock is not taken: with `flyway.postgresql.transactional.lock` (on by default) a
//!   second session of Flyway's is idle in a transaction, for which a concurrent build waits.
//!
//! Source: `PostgreSQLParser` in <https://github.com/flyway/flyway>, and
//! <https://documentation.red-gate.com/fd/flyway-execute-in-transaction-setting-277578997.html>,
//! <https://documentation.red-gate.com/fd/flyway-mixed-setting-277579012.html>. The order of
//! versions, which callbacks run, and the lock are from knowledge of Flyway 7 to 11.

use crate::pg::SqlPiece;
use crate::pg::lex::{self, TokenKind};

use super::super::Migration;
use super::super::problem::{Problem, Source};
use super::super::sql::Sql;
use super::listing::{Entry, Listing};
use super::reading::{Named, Reading, migration};
use super::text::lines;

/// Versioned ones come first.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Order {
    Versioned(Vec<Number>),
    Repeatable(String),
}

/// A number of any length: its digits without leading zeros, the longer is the larger.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Number {
    length: usize,
    digits: String,
}

pub(super) fn read(listing: &Listing, reading: &mut Reading) -> Vec<Migration> {
    let mut found = Vec::new();
    for entry in listing.files_below_visible() {
        let Some(stem) = entry.name.strip_suffix(".sql") else { continue };
        match name(stem) {
            Some(Name::Versioned(text)) => {
                let order = Order::Versioned(numbers(&text));
                found.push(Named { order, version: text, entry });
            }
            Some(Name::Repeatable(description)) => {
                let order = Order::Repeatable(description);
                found.push(Named { order, version: stem.to_owned(), entry });
            }
            Some(Name::LeftOut) => {}
            Some(Name::Callback) => {
                let message = "Flyway would run this callback with the migrations";
                let remedy = "callbacks are not run here: name a directory without it; timeouts \
                              that it sets belong into [change.timeouts]";
                let problem = Problem::of_file(&entry.path, message).remedy(remedy);
                reading.problems.push(problem);
            }
            None => reading.misnamed(entry, "the name is not one of Flyway's"),
        }
    }
    let found = reading.in_order(found);
    found.into_iter().filter_map(|named| read_file(named, reading)).collect()
}

fn read_file(named: Named<'_, Order>, reading: &mut Reading) -> Option<Migration> {
    let configuration = Configuration::read(named.entry, reading);
    let source = reading.open(&named.entry.path)?;
    if !configuration.execute {
        return None;
    }
    if configuration.placeholders
        && let Some(at) = source.text.find("${")
    {
        let length = source.text[at..].find('}').map_or(2, |end| end + 1);
        let problem = source.problem(at..at + length, "a placeholder is not filled in here");
        reading.problems.push(problem.remedy("write its value"));
        return None;
    }
    let sql = Sql::file(&source);
    let pieces = reading.pieces(&sql);
    let transaction = match configuration.transaction {
        Some(transaction) => transaction,
        None => detected(&sql, &pieces, reading),
    };
    Some(migration(named.version, &source, sql.statements(pieces), transaction))
}

/// Whether Flyway opens a transaction for statements of which nothing is configured.
fn detected(sql: &Sql<'_>, pieces: &[SqlPiece], reading: &mut Reading) -> bool {
    let Some(first) = pieces.first().map(|piece| needs_no_transaction(&piece.text)) else {
        return true;
    };
    if let Some(other) = pieces.iter().find(|piece| needs_no_transaction(&piece.text) != first) {
        let length = other.text.lines().next().unwrap_or_default().len();
        let message = match first {
            true => "this runs in a transaction, the statement before it in none",
            false => "this runs outside a transaction, the statement before it in one",
        };
        let remedy = "Flyway refuses both in one file: split it, or put executeInTransaction=false \
                      into a .conf file beside it";
        reading.problems.push(sql.problem(other.offset, length, message).remedy(remedy));
    }
    !first
}

/// By the words that Flyway looks at. ALTER TYPE … ADD VALUE is among them before PostgreSQL 12
/// only.
fn needs_no_transaction(statement: &str) -> bool {
    let tokens = lex::tokens(statement).unwrap_or_default();
    let words = tokens.iter().filter(|token| token.kind == TokenKind::Word).take(4);
    let words: Vec<String> = words.map(|t| t.text(statement).to_ascii_lowercase()).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    matches!(
        words.as_slice(),
        ["create" | "drop", "database" | "tablespace" | "subscription", ..]
            | ["create" | "drop", "index", "concurrently", ..]
            | ["create" | "drop", "unique", "index", "concurrently"]
            | ["alter", "system", ..]
            | ["reindex", "schema" | "database" | "system", ..]
            | ["reindex", "verbose", "schema" | "database" | "system", ..]
            | ["vacuum", ..]
            | ["discard", "all", ..]
    )
}

pub(super) enum Name {
    /// With underscores turned into dots, as Flyway's table has it.
    Versioned(String),
    Repeatable(String),
    /// Undo, baseline, and callbacks of other commands.
    LeftOut,
    Callback,
}

/// What a file is, by its name without `.sql`; None: nothing of Flyway's.
pub(super) fn name(stem: &str) -> Option<Name> {
    if let Some(event) = stem.strip_prefix("before").or(stem.strip_prefix("after")) {
        let others = ["Clean", "Undo", "EachUndo", "Baseline", "Repair", "Info"];
        return Some(match others.iter().any(|other| event.starts_with(other)) {
            true => Name::LeftOut,
            false => Name::Callback,
        });
    }
    let (kind, rest) = stem.split_at_checked(1)?;
    let (version, description) = rest.split_once("__").unwrap_or((rest, ""));
    let version = version.replace('_', ".");
    let is_number = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit());
    match kind {
        "V" if version.split('.').all(is_number) => Some(Name::Versioned(version)),
        "U" | "B" if version.split('.').all(is_number) => Some(Name::LeftOut),
        "R" if version.is_empty() && !description.is_empty() => {
            Some(Name::Repeatable(description.replace('_', " ")))
        }
        _ => None,
    }
}

/// `1.02.0` is `1.2`.
fn numbers(version: &str) -> Vec<Number> {
    let number = |part: &str| {
        let digits = part.trim_start_matches('0').to_owned();
        Number { length: digits.len(), digits }
    };
    let mut numbers: Vec<Number> = version.split('.').map(number).collect();
    while numbers.len() > 1 && numbers.last().is_some_and(|last| last.length == 0) {
        numbers.pop();
    }
    numbers
}

/// `V1__x.sql.conf`.
struct Configuration {
    transaction: Option<bool>,
    placeholders: bool,
    execute: bool,
}

impl Configuration {
    fn read(entry: &Entry, reading: &mut Reading) -> Configuration {
        let mut configuration =
            Configuration { transaction: None, placeholders: true, execute: true };
        let mut path = entry.path.clone().into_os_string();
        path.push(".conf");
        let path = std::path::PathBuf::from(path);
        if !path.exists() {
            return configuration;
        }
        let Some(source) = reading.open(&path) else { return configuration };
        for (offset, line) in lines(&source.text) {
            if line.trim().is_empty() || line.trim_start().starts_with('#') {
                continue;
            }
            let span = offset..offset + line.len();
            reading.problems.extend(configuration.set(&source, span, line));
        }
        configuration
    }

    fn set(
        &mut self,
        source: &Source,
        span: std::ops::Range<usize>,
        line: &str,
    ) -> Option<Problem> {
        let (key, value) = line.split_once('=').unwrap_or((line, ""));
        let flag = value.trim().to_ascii_lowercase().parse::<bool>();
        match (key.trim(), flag) {
            ("executeInTransaction", Ok(flag)) => self.transaction = Some(flag),
            ("placeholderReplacement", Ok(flag)) => self.placeholders = flag,
            ("shouldExecute", Ok(flag)) => self.execute = flag,
            ("encoding", _) if value.trim().eq_ignore_ascii_case("utf-8") => {}
            _ => {
                let remedy = "known: executeInTransaction, placeholderReplacement, shouldExecute, \
                              each true or false, and encoding=UTF-8";
                return Some(source.problem(span, "this setting is not read here").remedy(remedy));
            }
        }
        None
    }
}
