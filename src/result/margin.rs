//! What was observed of each limit of the scenario.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A limit and what one trial shows of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Margin {
    /// What is limited.
    pub of: Limited,
    /// The most that the scenario bears: microseconds of a time, else a count.
    pub limit: u64,
    /// What was observed, in the same unit.
    pub observed: u64,
}

impl Margin {
    /// Whether the limit holds.
    pub fn holds(&self) -> bool {
        self.observed <= self.limit
    }
}

/// What a scenario limits.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Limited {
    /// The longest that an operation waited because of the change, or unexplained meanwhile;
    /// microseconds.
    LongestWait,
    /// The highest p99 latency of any phase from the change on; microseconds.
    P99Latency,
    /// Operations that failed once the change had begun.
    FailedOperations,
    /// Operations on which the pool gave up.
    AcquireTimeouts,
    /// Acknowledged writes that the tables contradict.
    LostWrites,
    /// The longest lock that stops writers of a rerun that had nothing to do; microseconds.
    RerunLock,
}

impl Limited {
    /// Whether the numbers are microseconds.
    pub fn is_time(self) -> bool {
        matches!(self, Limited::LongestWait | Limited::P99Latency | Limited::RerunLock)
    }
}
