//! What the change left on server connections that a pooler hands to the next client.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::statement::StatementRef;

/// What is left. The subject's statement has left the first of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LeftOnSessions {
    /// `session` or `transaction`.
    pub mode: String,
    /// Whether the application's transactions run on the same server connections.
    pub shared: bool,
    /// Server connections with something left.
    pub sessions: u64,
    /// Advisory locks that are still held, each with the statement that took it.
    pub locks: Vec<LeftLock>,
    /// Settings that are still in force, each with the statement that set it.
    pub settings: Vec<LeftSetting>,
}

/// An advisory lock that is still held.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LeftLock {
    /// As `pg_locks` has the key: its upper half, or its first number.
    pub classid: u32,
    /// The lower half, or the second number.
    pub objid: u32,
    /// What took it.
    pub statement: StatementRef,
}

/// A setting that is still in force.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LeftSetting {
    /// Its name.
    pub name: String,
    /// Its value, as `pg_settings` has it.
    pub value: String,
    /// What set it.
    pub statement: StatementRef,
}
