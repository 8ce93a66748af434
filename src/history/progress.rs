//! What a listener may hear while a run goes on. Workers never print; they tell a listener.

use std::sync::Arc;

use crate::clock::Micros;
use crate::trial::FaultKind;

use super::event::Phase;

/// Something to show. None of it is evidence; all evidence is in the history.
#[derive(Clone, Debug, PartialEq)]
pub enum Progress {
    /// A server is being looked for, made or started; a sentence.
    Server(String),
    /// Rows loaded into a table so far.
    Seeding {
        table: String,
        rows: u64,
        of: u64,
    },
    /// Indexes, constraints, ANALYZE, and the like; a sentence.
    SeedStep(String),
    /// A trial begins.
    Trial {
        scenario: String,
        number: usize,
        of: usize,
    },
    Phase(Phase),
    /// How long the phase that has begun takes at most; `exactly`: and at least.
    PhaseLength {
        most: Micros,
        exactly: bool,
    },
    /// Backends that wait for a lock now; reported when that changes, a few times a second at most.
    LockQueue(usize),
    /// A case of a crash matrix is over.
    Case {
        done: usize,
        of: usize,
        kind: FaultKind,
        statement: String,
    },
    /// A statement of the change began.
    Statement {
        attempt: u32,
        text: String,
    },
    /// Twice a second while traffic runs.
    Traffic(TrafficGauge),
    /// A line that a user should see once.
    Note(String),
}

/// The driver's state at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TrafficGauge {
    pub at: Micros,
    pub scheduled: u64,
    pub finished: u64,
    pub failed: u64,
    /// Operations that wait for a connection.
    pub waiting: u64,
    /// Connections checked out, and how many there can be.
    pub in_use: u64,
    pub capacity: u64,
    /// p99 latency of the operations that finished in the last second.
    pub p99: Micros,
}

/// Shows progress.
pub type Listener = Arc<dyn Fn(Progress) + Send + Sync>;

/// A listener that hears nothing.
pub fn silent() -> Listener {
    Arc::new(|_| {})
}
