//! Why traffic cannot begin. Once it goes on, what fails is an operation's outcome, not an error.

use std::fmt;

use crate::connect;
use crate::scenario::SqlPlace;

use super::plan::UnknownName;

/// Why the traffic could not begin.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each message says what its variant is")]
pub enum Error {
    #[error("start the thread that drives the traffic: {0}")]
    Thread(std::io::Error),
    #[error("begin the traffic: its thread panicked, which is a defect of pgauntlet")]
    Panicked,
    #[error(transparent)]
    UnknownName(#[from] UnknownName),
    #[error(
        "open the {size} connections of the pool: {source}; \
         is the server's max_connections large enough?"
    )]
    Pool { size: u32, source: connect::Error },
    #[error(
        "open the {size} connections of the pool and prepare the operations on them within \
         {seconds} s; does something hold a lock on their tables?"
    )]
    PoolTimeout { size: u32, seconds: u64 },
    #[error("compare what replaced functions answer: {0}")]
    Answers(#[source] Box<connect::Error>),
    #[error("prepare {statement}: {source}{}", in_words(remedy))]
    Statement { statement: Box<NamedStatement>, source: connect::Error, remedy: Option<String> },
    #[error("prepare {statement}: it has {expected} parameters and {given} placeholders")]
    Placeholders { statement: Box<NamedStatement>, expected: usize, given: usize },
    #[error(
        "prepare operation {operation:?}: parameter {parameter:?} gives {value:?}, which is no \
         {type_name}: {source}"
    )]
    Parameter {
        operation: String,
        parameter: String,
        value: String,
        type_name: String,
        source: connect::Error,
    },
}

/// A statement of an operation, as messages name it.
#[derive(Debug)]
pub struct NamedStatement {
    /// The operation's name.
    pub operation: String,
    /// 1-based, within the operation.
    pub number: usize,
    /// Where it is written; None: the result does not say.
    pub place: Option<SqlPlace>,
}

impl fmt::Display for NamedStatement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let NamedStatement { operation, number, place } = self;
        write!(f, "operation {operation:?}, statement {number}")?;
        place.as_ref().map_or(Ok(()), |place| write!(f, " ({place})"))
    }
}

impl Error {
    /// Whether the scenario's files are to blame.
    pub fn is_of_the_scenario(&self) -> bool {
        match self {
            Error::UnknownName(_) | Error::Placeholders { .. } => true,
            Error::Statement { source, .. } | Error::Parameter { source, .. } => {
                let state = source.server_error().and_then(|error| error.sqlstate.as_ref());
                // Classes: feature not supported, data, names, syntax and access.
                let classes = ["0A", "22", "2B", "3F", "42"];
                state.is_some_and(|s| classes.iter().any(|class| s.code().starts_with(class)))
            }
            Error::Thread(_)
            | Error::Panicked
            | Error::Pool { .. }
            | Error::PoolTimeout { .. }
            | Error::Answers(_) => false,
        }
    }
}

fn in_words(remedy: &Option<String>) -> String {
    remedy.as_ref().map(|text| format!("; {text}")).unwrap_or_default()
}
