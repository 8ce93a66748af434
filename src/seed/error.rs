//! What can go wrong while a database is filled, copied or dropped.

use std::path::PathBuf;

use crate::connect;
use crate::history::ServerError;
use crate::pg::SqlState;

use super::names::PREFIX;
use super::plan::LOCK_WAIT_MAX;

/// Why a database could not be filled, copied or dropped.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each message says what its variant is")]
pub enum Error {
    #[error(transparent)]
    Session(Box<connect::Error>),
    #[error("run {path}:{line}: {error}{}{}", what_to_do(error), probably(missing))]
    Script {
        path: PathBuf,
        line: u32,
        error: Box<ServerError>,
        /// Extensions that were left out before, each with what to do about it.
        missing: Vec<String>,
    },
    #[error("fill {table}: there is no such table; let the scenario's schema create it")]
    NoTable { table: String },
    #[error("fill {table}.{column}: there is no such column; {table} has {known}")]
    NoColumn { table: String, column: String, known: String },
    #[error(
        "fill {table}.{column}: its generator gives {value}, which is no {type_name}; choose a \
         generator that fits the column's type"
    )]
    Value { table: String, column: String, type_name: String, value: String },
    #[error("fill {table}: {error}{}", in_brackets(context))]
    Copy {
        table: String,
        error: Box<ServerError>,
        /// Where in the data the server was: `COPY spans, line 12, column id`.
        context: Option<String>,
        /// The constraint that refused it, or the column that may not be null.
        refused_by: Option<String>,
    },
    #[error(
        "wait for another pgauntlet that fills {database}: it is not done after {} min; look for \
         a session that holds an advisory lock, or use another server",
        LOCK_WAIT_MAX.as_secs() / 60
    )]
    Busy { database: String },
    #[error(
        "load the tables: after {rounds} rounds there are still rows that refer to no row; let \
         their references be to rows that are there"
    )]
    Dangling { rounds: usize },
    #[error("{why}, in the database that is filled")]
    Catalogue { why: String },
    #[error(
        "load the statistics in {}: line {line} has none; `pg_dump --statistics-only` of version \
         18 writes such a file",
        .path.display()
    )]
    NoStatistics { path: PathBuf, line: u32 },
    #[error("drop database {database}: only databases named {PREFIX}… are ours to drop")]
    NotOurs { database: String },
}

impl Error {
    /// Whether the scenario's files are to blame.
    pub fn is_of_the_scenario(&self) -> bool {
        match self {
            Error::Script { error, .. } => error.sqlstate.as_ref().is_some_and(blames_the_script),
            Error::NoTable { .. }
            | Error::NoColumn { .. }
            | Error::Value { .. }
            | Error::NoStatistics { .. }
            | Error::Dangling { .. } => true,
            Error::Copy { error, .. } => error.sqlstate.as_ref().is_some_and(blames_the_script),
            Error::Session(_)
            | Error::Busy { .. }
            | Error::NotOurs { .. }
            | Error::Catalogue { .. } => false,
        }
    }
}

/// Classes of SQLSTATE that a statement or a row brings about by itself: 0A feature not supported,
/// 22 data, 23 constraints, 2B and 3F names, 42 syntax and access, 58P01 no such file.
fn blames_the_script(state: &SqlState) -> bool {
    let code = state.code();
    ["0A", "0L", "0P", "22", "23", "2B", "2F", "3F", "42", "55000", "58P01", "P0"]
        .iter()
        .any(|class| code.starts_with(class))
}

/// A remedy where the server's error has a usual one.
fn what_to_do(error: &ServerError) -> String {
    let message = error.message.as_str();
    let state = error.sqlstate.as_ref().map(SqlState::code).unwrap_or_default();
    let extension = message.starts_with("extension ") || message.contains("extension control file");
    let missing = message.contains(" is not available") || message.contains("could not open");
    let named = message.split('"').nth(1).unwrap_or_default();
    match state {
        "42704" if message.starts_with("role ") => format!(
            "; roles belong to the server and are in no dump of a database: write CREATE ROLE \
             {named} above it"
        ),
        "0A000" | "58P01" | "22023" if extension && missing => {
            "; install the extension on that server, choose another one (--server, --image), or \
             leave the statement out"
                .to_owned()
        }
        _ => error.hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default(),
    }
}

fn probably(missing: &[String]) -> String {
    match missing {
        [] => String::new(),
        missing => format!("; probably because {}", missing.join("; and ")),
    }
}

fn in_brackets(context: &Option<String>) -> String {
    context.as_ref().map(|text| format!(" ({text})")).unwrap_or_default()
}

impl From<connect::Error> for Error {
    fn from(error: connect::Error) -> Error {
        Error::Session(Box::new(error))
    }
}
