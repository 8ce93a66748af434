//! What the trials of a change at several sizes say of another size.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clock::Micros;
use crate::pg::LockMode;
use crate::scenario::Verdict;
use crate::stats::Law;

use super::statement::StatementRef;

/// How the statements of a change grow, and what follows from that at the size that is asked about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Prediction {
    /// The condition under which the trials were made; empty: none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub condition: String,
    /// Rows of the largest table at each size that was tried, ascending.
    pub tried: Vec<u64>,
    /// Rows per table that are asked about, tables in proportion included; empty: nothing is asked,
    /// and the figures are for the largest size.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub at: BTreeMap<String, u64>,
    /// There: the worst of what was tried and of what is predicted; null: nothing is asked.
    pub verdict: Option<Verdict>,
    /// Whether that is what the scenario expects; true where nothing is asked.
    pub as_expected: bool,
    /// Share of predictions that are to be within their interval.
    pub coverage: f64,
    /// Statements whose time counts, in the order in which they ran.
    pub statements: Vec<StatementGrowth>,
    /// Statements that take next to no time at every size, and at the one that is asked about.
    pub short: u32,
    /// Statements of which nothing is predicted: they did not run, or failed, at too many sizes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unknown: Vec<StatementRef>,
    /// Locks that stop operations of the application, the longest first.
    pub holds: Vec<PredictedHold>,
    /// The model of the pool, held against the stalls that the trials measured.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replayed: Vec<ReplayedStall>,
}

/// How one statement grows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StatementGrowth {
    /// As it ran at the largest size.
    pub statement: StatementRef,
    /// The table whose rows count.
    pub table: String,
    /// How often it ran there; times are sums of all runs.
    pub runs: u64,
    /// What was measured, ascending.
    pub points: Vec<GrowthPoint>,
    /// The law that foretold the largest size best from the smaller ones; null: none did.
    pub law: Option<Law>,
    /// By how much that missed the largest size, which it was not shown; 0.1 is about a tenth.
    pub missed: f64,
    /// What is another between the sizes that were tried and the one that is asked about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub crossings: Vec<Crossing>,
    /// Rows of the table for which the interval is.
    pub rows: u64,
    /// How long it works there, without waits for locks.
    pub took: Interval,
    /// WAL that is written meanwhile, in bytes; null: not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wal: Option<Interval>,
    /// Of a statement under a timeout that it comes to at some size; null: there is none, or it
    /// never comes to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<ReachedTimeout>,
}

impl StatementGrowth {
    /// How much wider its intervals are than what was measured makes them: by a quarter for each
    /// thing that is another at the size that is asked about.
    pub fn widened(&self) -> f64 {
        Crossing::widen(&self.crossings)
    }
}

/// A size, and what was measured there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GrowthPoint {
    /// Rows of the table.
    pub rows: u64,
    /// Without waits for locks.
    pub took_us: Micros,
    /// Waits for locks, which are a matter of traffic and not of size.
    pub waited_us: Micros,
}

impl Crossing {
    /// How much wider they make an interval: each by a quarter.
    pub fn widen(crossings: &[Crossing]) -> f64 {
        crossings.iter().fold(1.0, |wider, _| wider * 1.25)
    }
}

/// An interval with its middle: microseconds, or bytes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Interval {
    /// Its lower end.
    pub low: f64,
    /// As likely to be above as below.
    pub mid: f64,
    /// Its upper end.
    pub high: f64,
}

impl Interval {
    /// The ends as times.
    pub fn micros(&self) -> [Micros; 3] {
        [self.low, self.mid, self.high].map(|us| Micros(us.max(0.0).round() as u64))
    }
}

/// What changes between two sizes, other than the size.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Crossing {
    /// The table is larger than `shared_buffers`, and was not.
    SharedBuffers,
    /// The table is larger than the machine's memory, and was not.
    Memory,
    /// The sort of an index build does not fit into `maintenance_work_mem`, and did.
    SortMemory,
    /// More WAL than `max_wal_size` is written, and was not: checkpoints come in between.
    Checkpoints,
}

/// A timeout in force that a statement comes to as its table grows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReachedTimeout {
    /// `statement_timeout`.
    pub setting: String,
    /// Its value.
    pub limit_us: Micros,
    /// From so many rows on it is possible.
    pub from_rows: u64,
    /// From so many rows on it is sure, as far as the interval's share goes; null: never.
    pub to_rows: Option<u64>,
    /// At the size that is asked about, from 0 to 1; null: nothing is asked.
    pub chance: Option<f64>,
    /// What the statement leaves when it is cancelled.
    pub leaves: Leftover,
    /// How a case of the crash matrix ended that cancelled it; null: there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crash_case: Option<String>,
}

/// What a cancelled statement leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Leftover {
    /// Nothing: it is rolled back.
    Nothing,
    /// An INVALID index.
    InvalidIndex,
    /// An INVALID index that `IF NOT EXISTS` then takes for done.
    HiddenInvalidIndex,
    /// What it committed before, of a block or a call that commits inside.
    CommittedPart,
}

/// A lock that stops operations, and for how long it is held at the size that is asked about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PredictedHold {
    /// On what.
    pub relation: String,
    /// In which mode.
    pub mode: LockMode,
    /// The statement that takes it.
    pub taken_by: StatementRef,
    /// Statements that run under it, that one included.
    pub statements: u32,
    /// The one of them that takes longest.
    pub longest: StatementRef,
    /// The longest that it was held in a trial.
    pub tried_us: Micros,
    /// How long it is held, once it is granted.
    pub held: Interval,
    /// The longest that an operation may wait.
    pub limit_us: Micros,
    /// Whether a law foretells how long each of these statements takes.
    pub is_known: bool,
    /// How likely it is held longer than that, from 0 to 1.
    pub chance: f64,
    /// What would come of the application then; null: nothing waits longer than it may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool: Option<PredictedPool>,
}

/// What a lock of the predicted length does to the application's pool: its measured arrivals and
/// service times, replayed through a model of the pool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PredictedPool {
    /// Until every connection is taken; null: that never happens.
    pub exhausted_after_us: Option<Micros>,
    /// Operations that wait longer than the limit.
    pub waiting: u64,
    /// Operations that fail: no connection, or a timeout.
    pub failing: u64,
    /// Until the last operation that waited is done, once the lock is gone.
    pub recovery_us: Micros,
}

/// A stall that a trial measured, and what the model of the pool makes of a hold of its length.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplayedStall {
    /// Rows of the largest table in that trial.
    pub rows: u64,
    /// What the operations waited for.
    pub relation: String,
    /// From the stall's begin to its end: so long the model's hold is.
    pub held_us: Micros,
    /// Measured, from the begin of the first stall until every connection was taken; null: that
    /// never happened.
    pub exhausted_after_us: Option<Micros>,
    /// Operations that failed because no connection came or a timeout ended them.
    pub failed: u64,
    /// What the model says instead.
    pub replayed: PredictedPool,
}

impl ReplayedStall {
    /// By how much the model misses the two figures at most, as a share of what was measured; None:
    /// the pool was exhausted in one of the two alone.
    pub fn missed(&self) -> Option<f64> {
        let exhausted = match (self.exhausted_after_us, self.replayed.exhausted_after_us) {
            (Some(measured), Some(replayed)) => off(measured.0, replayed.0),
            (None, None) => 0.0,
            _ => return None,
        };
        Some(exhausted.max(off(self.failed, self.replayed.failing)))
    }
}

fn off(measured: u64, replayed: u64) -> f64 {
    measured.abs_diff(replayed) as f64 / measured.max(1) as f64
}
