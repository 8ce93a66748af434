//! What the server's own log says of waits for locks.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clock::Micros;

use super::session::SessionId;

/// A wait that lasted longer than `deadlock_timeout`.
///
/// Its length is exact to the microsecond; when it ended is known to the millisecond, as the log
/// writes its times.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoggedWait {
    /// Who waited.
    #[serde(flatten)]
    pub session: SessionId,
    /// As in `pg_locks.mode`.
    pub mode: String,
    /// As the log names it: `relation 16384 of database 5`, `transaction 742`.
    pub object: String,
    /// The object's relation, as its users know it; None: it has none, or none by that oid was
    /// there any more.
    pub relation: Option<String>,
    /// When it began.
    pub from_us: Micros,
    /// None: the log does not say when it ended.
    pub to_us: Option<Micros>,
    /// For how long it waited at least; with an end, how long.
    pub waited_us: Micros,
    /// How it ended.
    pub outcome: LoggedEnd,
    /// Pids that held the lock when it had lasted `deadlock_timeout`.
    pub holders: Vec<i32>,
    /// Pids that waited for it then, in their order, its own among them.
    pub queue: Vec<i32>,
    /// What it ran, cut to 200 characters.
    pub statement: Option<String>,
}

/// How a wait ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LoggedEnd {
    /// It got the lock.
    Acquired,
    /// With the error of the waiter: a timeout, a cancellation, a deadlock.
    Failed(String),
    /// The log says nothing of its end: it waited until the log was read for the last time, or its
    /// error was caught in a function.
    NotLogged,
}

/// A deadlock that the server ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoggedDeadlock {
    /// Whom the server chose.
    #[serde(flatten)]
    pub session: SessionId,
    /// Who waits for whom, and each one's statement.
    pub detail: String,
    /// `while updating tuple (0,1) in relation "t"`, of the victim.
    pub context: Option<String>,
    /// The relations that the detail names, by oid, where they were still there.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub relations: BTreeMap<u32, String>,
}

/// How the server's log was read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LogReport {
    /// Of the server: a shorter wait is not logged. Null: not known.
    pub deadlock_timeout_us: Option<Micros>,
    /// Bytes read.
    pub bytes: u64,
    /// Why the log is no evidence, or not all of it; null: it was read to its end.
    pub not_read: Option<String>,
}
