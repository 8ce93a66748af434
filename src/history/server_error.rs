//! An error of the server, with what it says beside the message.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::pg::SqlState;

/// An error as the server, or the connection's end, reported it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ServerError {
    /// None: the connection broke without one.
    pub sqlstate: Option<SqlState>,
    /// Primary message.
    pub message: String,
    /// The server's DETAIL; None: it sent none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The server's HINT; None: it sent none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Where in the server it came up, such as a function and its line; None: it sent none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
}

impl ServerError {
    /// Whether its SQLSTATE is one of these.
    pub fn is_one_of(&self, codes: &[&str]) -> bool {
        self.sqlstate.as_ref().is_some_and(|state| codes.iter().any(|code| state.is(code)))
    }

    /// 0A000 of a prepared statement whose result has other columns or types than when it was
    /// prepared.
    pub fn is_cached_plan(&self) -> bool {
        let state = self.sqlstate.as_ref();
        state.is_some_and(|state| state.is(SqlState::FEATURE_NOT_SUPPORTED))
            && self.message.contains("cached plan")
    }
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.sqlstate {
            Some(state) => write!(f, "{} ({state})", self.message),
            None => f.write_str(&self.message),
        }
    }
}
