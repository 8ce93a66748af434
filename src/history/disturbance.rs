//! What is recorded of background sessions.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::server_error::ServerError;

/// A moment of a background session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DisturbanceEvent {
    /// Its name in the scenario.
    pub name: String,
    /// What it has come to.
    pub moment: Moment,
    /// What its session held as it was in place, as the server said; None: of another moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<Held>,
    /// Whether it is of the attempts that follow the first.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub rerun: bool,
}

/// What background sessions held at a moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// Granted locks in the trial's database: on relations, and advisory ones.
    pub locks: Vec<HeldRelation>,
    /// Whether there is a snapshot (`backend_xmin`).
    pub snapshot: bool,
    /// Whether there is a transaction id (`backend_xid`).
    pub transaction_id: bool,
    /// Whether it runs a statement, or is a process of the server's own.
    pub active: bool,
    /// How many sessions there are.
    pub sessions: u64,
}

/// A lock on a relation, as in `pg_locks`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldRelation {
    /// `relation::regclass`, or `advisory lock (0, 77)`.
    pub relation: String,
    /// `AccessShareLock`.
    pub mode: String,
}

/// What became of statements that were run again and again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rounds {
    /// Rounds that came to their end.
    pub finished: u64,
    /// Those that the server refused, by SQLSTATE.
    pub failed: BTreeMap<String, u64>,
}

impl Rounds {
    /// Adds those of another session.
    pub fn add(&mut self, other: Rounds) {
        self.finished += other.finished;
        for (sqlstate, count) in other.failed {
            *self.failed.entry(sqlstate).or_default() += count;
        }
    }
}

/// What a background session has come to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Moment {
    /// The trial is to have it.
    Declared,
    /// Its statements have run; it holds what it holds.
    Holding,
    /// Its time was over.
    Ended,
    /// Its time was over, and until then it ran again and again.
    Repeated(Rounds),
    /// The server ended it first.
    Broken(ServerError),
}
