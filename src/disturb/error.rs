//! Why a background session is not in place, and what the server said of it.

use std::time::Duration;

use crate::connect;
use crate::history::ServerError;

/// Longest time that a disturbance may take to get hold of what it holds.
pub(super) const SETUP_MAX: Duration = Duration::from_secs(300);
/// Why a background session is not in place.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each message says what its variant is")]
pub enum Error {
    #[error("open the session of disturbance {name:?}: {source}")]
    Open { name: String, source: connect::Error },
    #[error("set up disturbance {name:?}: {source}")]
    Statement { name: String, source: connect::Error },
    #[error(
        "set up disturbance {name:?}: its statements took longer than {} s; a transaction that \
         stays open needs hold_ms, not a statement that sleeps, and must not wait for another \
         disturbance",
        SETUP_MAX.as_secs()
    )]
    SetupTimeout { name: String },
}

impl Error {
    pub(super) fn statement(name: &str, source: connect::Error) -> Error {
        Error::Statement { name: name.to_owned(), source }
    }

    pub(super) fn setup_timeout(name: &str) -> Error {
        Error::SetupTimeout { name: name.to_owned() }
    }
}

/// An error, as the history has it.
pub(super) fn recorded(error: &Error) -> ServerError {
    match error {
        Error::Statement { source, .. } | Error::Open { source, .. } => said(source),
        Error::SetupTimeout { .. } => {
            ServerError { message: error.to_string(), ..ServerError::default() }
        }
    }
}

pub(super) fn said(error: &connect::Error) -> ServerError {
    match error.server_error() {
        Some(error) => error.clone(),
        None => without_sqlstate(error.to_string()),
    }
}

pub(super) fn closed() -> ServerError {
    without_sqlstate("the connection closed without a word of the server".to_owned())
}

pub(super) fn without_sqlstate(message: String) -> ServerError {
    ServerError { sqlstate: None, message, ..ServerError::default() }
}
