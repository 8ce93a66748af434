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
    /// The trial's end.
    pub end_us: Micros,
    /// In their order, without gaps.
    pub phases: Vec<PhaseSpan>,
    /// Length of a step.
    pub width_us: Micros,
    /// From zero to the end, one after the other.
    pub steps: Vec<TimelineStep>,
    /// In the order of `Measured::statements`.
    pub statements: Vec<StatementSpan>,
    /// What the change held, of the locks that block other sessions.
    pub locks: Vec<LockSpan>,
    /// Background sessions and how long each held what it held.
    pub disturbances: Vec<DisturbanceSpan>,
    /// In the order in which they began.
    pub stalls: Vec<StallSpan>,
    /// From the schema before the change to the one at the trial's end.
    pub schema: Vec<Difference>,
}

/// A phase and when it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct PhaseSpan {
    /// Which phase it is.
    pub phase: Phase,
    /// Its begin.
    pub from_us: Micros,
    /// Its end.
    pub to_us: Micros,
}

/// What was scheduled, what ended, and what was seen in one step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TimelineStep {
    /// Begin of the step.
    pub from_us: Micros,
    /// Operations scheduled in it, and latency of those; zero where none was.
    pub offered: u64,
    /// Median latency of operations scheduled in it.
    pub p50_us: Micros,
    /// 99th percentile of their latency.
    pub p99_us: Micros,
    /// Longest latency of them.
    pub max_us: Micros,
    /// Operations that succeeded in it, and those that ended otherwise.
    pub completed: u64,
    /// Operations that ended in it otherwise than by success.
    pub failed: u64,
    /// Most connections of the application in use at one moment, and most operations that waited
    /// for one.
    pub in_use: u64,
    /// Most operations that waited for a connection at one moment.
    pub waiting: u64,
    /// Most backends that a sample saw waiting for a lock.
    pub lock_waits: u64,
    /// WAL of the whole server; None: it was not sampled in this step.
    pub wal_bytes: Option<u64>,
}

/// When a statement ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct StatementSpan {
    /// When it went to the server.
    pub from_us: Micros,
    /// When its answer was complete.
    pub to_us: Micros,
}

/// A lock of the change, from when it can have had it at the earliest to its transaction's end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LockSpan {
    /// Application of the change, from 0.
    pub attempt: u32,
    /// Whose: `the change`, `runner 2`, `rerun 1`.
    pub whose: String,
    /// Qualified name.
    pub relation: String,
    /// As in `pg_locks.mode`.
    pub mode: String,
    /// The earliest moment at which it can have been granted.
    pub from_us: Micros,
    /// The end of its transaction.
    pub to_us: Micros,
}

/// A background session and when it held what it held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DisturbanceSpan {
    /// Its name in the scenario.
    pub name: String,
    /// When its statements had run.
    pub from_us: Micros,
    /// When its transaction ended.
    pub to_us: Micros,
    /// What the server said as it ended it; empty: it ended by itself.
    pub broken: String,
}

/// A stall, who waited for whom in its worst moment, and the statement to blame.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StallSpan {
    /// Begin of the first wait.
    pub from_us: Micros,
    /// End of the last wait.
    pub to_us: Micros,
    /// Operations that waited.
    pub operations: u64,
    /// The longest of the waits.
    pub longest_us: Micros,
    /// What the change was doing, and which statement took the lock where that is another one.
    pub during: Option<StatementRef>,
    /// Statement of the change that took the lock; None: the one of `during`.
    pub taken_by: Option<StatementRef>,
    /// For whom the change itself waited.
    pub behind: Option<String>,
    /// When the graph was so; the sample with the most waiters.
    pub graph_at_us: Micros,
    /// Who waits for whom in that sample.
    pub graph: Vec<WaitEdge>,
}

/// `waiters` backends that are alike wait for one blocker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WaitEdge {
    /// `insert-span`, `the change`, the name of a disturbance.
    pub waiter: String,
    /// How many of them there are.
    pub waiters: u64,
    /// Qualified name; None: the lock is on no relation.
    pub relation: Option<String>,
    /// As in `pg_locks.mode`.
    pub requested: String,
    /// Named as the waiter is.
    pub blocker: String,
    /// The conflicting mode that the blocker held; None: it was ahead in the queue.
    pub held: Option<String>,
}
