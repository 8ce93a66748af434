//! What a timeline consists of.

use serde::Serialize;

use crate::clock::Micros;
use crate::history::Phase;
use crate::result::StatementRef;
use crate::schema::Difference;

/// Most steps of a timeline: a page has room for no more.
pub const STEPS_MAX: u64 = 600;

/// What happened when.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Timeline {
    pub end_us: Micros,
    pub phases: Vec<PhaseSpan>,
    /// Length of a step.
    pub width_us: Micros,
    /// From zero to the end, one after the other.
    pub steps: Vec<TimelineStep>,
    /// In the order of `Measured::statements`.
    pub statements: Vec<StatementSpan>,
    /// What the change held, of the locks that block other sessions.
    pub locks: Vec<LockSpan>,
    pub disturbances: Vec<DisturbanceSpan>,
    pub stalls: Vec<StallSpan>,
    /// From the schema before the change to the one at the trial's end.
    pub schema: Vec<Difference>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct PhaseSpan {
    pub phase: Phase,
    pub from_us: Micros,
    pub to_us: Micros,
}

/// What was scheduled, what ended, and what was seen in one step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TimelineStep {
    pub from_us: Micros,
    /// Operations scheduled in it, and latency of those; zero where none was.
    pub offered: u64,
    pub p50_us: Micros,
    pub p99_us: Micros,
    pub max_us: Micros,
    /// Operations that succeeded in it, and those that ended otherwise.
    pub completed: u64,
    pub failed: u64,
    /// Most connections of the application in use at one moment, and most operations that waited
    /// for one.
    pub in_use: u64,
    pub waiting: u64,
    /// Most backends that a sample saw waiting for a lock.
    pub lock_waits: u64,
    /// WAL of the whole server; None: it was not sampled in this step.
    pub wal_bytes: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct StatementSpan {
    pub from_us: Micros,
    pub to_us: Micros,
}

/// A lock of the change, from when it can have had it at the earliest to its transaction's end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LockSpan {
    pub attempt: u32,
    pub relation: String,
    /// As in `pg_locks.mode`.
    pub mode: String,
    pub from_us: Micros,
    pub to_us: Micros,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DisturbanceSpan {
    pub name: String,
    pub from_us: Micros,
    pub to_us: Micros,
    /// What the server said as it ended it; empty: it ended by itself.
    pub broken: String,
}

/// A stall, who waited for whom in its worst moment, and the statement to blame.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StallSpan {
    pub from_us: Micros,
    pub to_us: Micros,
    pub operations: u64,
    pub longest_us: Micros,
    /// What the change was doing, and which statement took the lock where that is another one.
    pub during: Option<StatementRef>,
    pub taken_by: Option<StatementRef>,
    /// For whom the change itself waited.
    pub behind: Option<String>,
    /// When the graph was so; the sample with the most waiters.
    pub graph_at_us: Micros,
    pub graph: Vec<WaitEdge>,
}

/// `waiters` backends that are alike wait for one blocker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WaitEdge {
    /// `insert-span`, `the change`, the name of a disturbance.
    pub waiter: String,
    pub waiters: u64,
    pub relation: Option<String>,
    /// As in `pg_locks.mode`.
    pub requested: String,
    pub blocker: String,
    /// The conflicting mode that the blocker held; None: it was ahead in the queue.
    pub held: Option<String>,
}
