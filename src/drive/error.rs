//! Why traffic cannot begin. Once it goes on, what fails is an operation's outcome, not an error.

use crate::connect;

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
    #[error("prepare operation {operation:?}, statement {number}: {source}")]
    Statement { operation: String, number: usize, source: connect::Error },
    #[error(
        "prepare operation {operation:?}, statement {number}: it has {expected} parameters and \
         {given} placeholders"
    )]
    Placeholders { operation: String, number: usize, expected: usize, given: usize },
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
