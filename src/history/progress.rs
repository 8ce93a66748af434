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
        /// Table that is filled.
        table: String,
        /// Rows that are there.
        rows: u64,
        /// Rows that there are to be.
        of: u64,
    },
    /// Indexes, constraints, ANALYZE, and the like; a sentence.
    SeedStep(String),
    /// A trial begins.
    Trial {
        /// Name of the scenario.
        scenario: String,
        /// Number of the trial, from 1.
        number: usize,
        /// Trials of the run.
        of: usize,
    },
    /// A phase began.
    Phase(Phase),
    /// How long the phase that has begun takes at most; `exactly`: and at least.
    PhaseLength {
        /// The longest that it can take.
        most: Micros,
        /// Whether it always takes that long.
        exactly: bool,
    },
    /// Backends that wait for a lock now; reported when that changes, a few times a second at most.
    LockQueue(usize),
    /// A round of a retry policy is over.
    Round {
        /// Rounds that have ended.
        done: u32,
        /// Rounds that there are to be.
        of: u32,
        /// The policy.
        policy: String,
    },
    /// A case of a crash matrix is over.
    Case {
        /// Cases that have ended.
        done: usize,
        /// Cases that there are to be.
        of: usize,
        /// Kind of the fault of the case that ended.
        kind: FaultKind,
        /// Text of the statement at which it was injected.
        statement: String,
    },
    /// A statement of the change began.
    Statement {
        /// Application of the change, from 0.
        attempt: u32,
        /// The statement's text.
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
    /// When it was read.
    pub at: Micros,
    /// Operations that were due so far.
    pub scheduled: u64,
    /// Operations that have ended so far, however they did.
    pub finished: u64,
    /// Operations that ended otherwise than by success.
    pub failed: u64,
    /// Operations that wait for a connection.
    pub waiting: u64,
    /// Connections checked out, and how many there can be.
    pub in_use: u64,
    /// Most connections that the pool opens.
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
