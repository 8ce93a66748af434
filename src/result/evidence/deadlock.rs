//! A deadlock with all its sides.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Who waited for whom when the server ended it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Deadlock {
    /// In the server's order: the session that was given up is the first.
    pub sides: Vec<DeadlockSide>,
}

/// One session of a deadlock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeadlockSide {
    /// Who waited, in words.
    pub session: String,
    /// What it ran; null: not known.
    pub statement: Option<String>,
    /// As in `pg_locks.mode`.
    pub mode: String,
    /// The relation, or what else was locked, in words.
    pub object: String,
    /// Whom it waited for, in words.
    pub behind: String,
}
