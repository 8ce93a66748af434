//! What came of a retry policy under a condition.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clock::Micros;
use crate::scenario::RetryPolicy;

use super::evidence::Deadlock;
use super::lock::RelationLock;

/// A policy under a condition, tried several times, each on a copy of the same rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RetryOdds {
    /// The scenario.
    pub scenario: String,
    /// What goes on beside it; empty: nothing but the application.
    pub condition: String,
    /// Major of the server, as in a trial's key; empty: not known.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub server: String,
    /// How often and after which pauses the change is tried.
    pub policy: RetryPolicy,
    /// Rows per table.
    pub sizes: BTreeMap<String, u64>,
    /// Operations per second.
    pub rate_per_s: f64,
    /// In the order in which they were run.
    pub rounds: Vec<RetryRound>,
    /// Rounds that count: those whose evidence carries an answer.
    pub of: u32,
    /// Rounds in which the change got through.
    pub through: u32,
    /// How many rounds were through within so many attempts, for each number of attempts.
    pub within: Vec<u32>,
    /// 95 % interval of the odds of getting through (Wilson's), from 0 to 1.
    pub odds_low: f64,
    /// Its upper end.
    pub odds_high: f64,
    /// From the first attempt's begin to the end: the median of the rounds.
    pub took_us: Micros,
    /// Share of that time in which an operation waited because of the change, from 0 to 1: over all
    /// rounds.
    pub blocked_share: f64,
    /// Operations that waited because of the change, per round.
    pub waited_per_round: f64,
    /// The longest of these waits.
    pub longest_wait_us: Micros,
    /// Operations that failed, or that the pool gave up on, while the change was tried, per round.
    pub failed_per_round: f64,
    /// Rounds in which the change died in a deadlock, in at least one of its attempts.
    pub deadlocked: u32,
    /// What came of the same with all locks taken first; null: no deadlock was seen, or the change
    /// is not one whose transaction could begin with them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locks_first: Option<LocksFirst>,
}

/// A policy's rounds with the change's locks taken at the begin of its transaction, in the order in
/// which the application takes them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LocksFirst {
    /// What its transaction began with.
    pub statements: Vec<String>,
    /// Rounds that count.
    pub of: u32,
    /// Rounds in which the change got through.
    pub through: u32,
    /// Rounds in which the change died in a deadlock.
    pub deadlocked: u32,
    /// The median of the rounds' times.
    pub took_us: Micros,
}

/// One round: attempts until one got through, or until the policy gave up.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RetryRound {
    /// Why it does not count; None: it does.
    pub void: Option<String>,
    /// Attempts that were made.
    pub attempts: u32,
    /// Whether the last of them got through.
    pub through: bool,
    /// From the first attempt's begin to the last one's end.
    pub took_us: Micros,
    /// For how long of that an operation waited because of the change.
    pub blocked_us: Micros,
    /// Operations that waited because of the change.
    pub waited: u64,
    /// The longest of these waits.
    pub longest_wait_us: Micros,
    /// Operations that failed, or that the pool gave up on, meanwhile.
    pub failed: u64,
    /// With what the attempts failed, by SQLSTATE.
    pub errors: BTreeMap<String, u32>,
    /// Deadlocks that the server reported to others than the change.
    pub deadlocks_of_others: u64,
    /// Deadlocks in which the change died, with their sides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deadlocks: Vec<Deadlock>,
    /// The strongest lock that the change held on each relation, in the order of the first ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub locks: Vec<RelationLock>,
}
