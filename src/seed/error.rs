//! What can go wrong while a database is filled, copied or dropped.

use std::path::PathBuf;

use crate::connect;
use crate::history::ServerError;

use super::names::PREFIX;
use super::plan::LOCK_WAIT_MAX;

/// Why a database could not be filled, copied or dropped.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each message says what its variant is")]
pub enum Error {
    #[error(transparent)]
    Session(Box<connect::Error>),
    #[error("run {path}, line {line}: {error}")]
    Script { path: PathBuf, line: u32, error: Box<ServerError> },
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
    },
    #[error(
        "wait for another pgauntlet that fills {database}: it is not done after {} min; look for \
         a session that holds an advisory lock, or use another server",
        LOCK_WAIT_MAX.as_secs() / 60
    )]
    Busy { database: String },
    #[error("drop database {database}: only databases named {PREFIX}… are ours to drop")]
    NotOurs { database: String },
}

fn in_brackets(context: &Option<String>) -> String {
    context.as_ref().map(|text| format!(" ({text})")).unwrap_or_default()
}

impl From<connect::Error> for Error {
    fn from(error: connect::Error) -> Error {
        Error::Session(Box::new(error))
    }
}
