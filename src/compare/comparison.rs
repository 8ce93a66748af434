//! What a comparison consists of. These types are `compare --format json`; see docs/compare.md.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::metric::{Speed, Unit};

/// Version of the JSON.
pub const COMPARISON_FORMAT: u32 = 2;

/// How B compares with A.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Delta {
    Better,
    /// No difference that the evidence carries; the interval says how large a one it excludes.
    Same,
    /// The evidence carries no answer.
    Undecided,
    Worse,
}

impl Delta {
    pub fn as_str(self) -> &'static str {
        match self {
            Delta::Better => "better",
            Delta::Same => "same",
            Delta::Undecided => "undecided",
            Delta::Worse => "worse",
        }
    }
}

/// How many there are of each, the worst first: `2 worse, 12 same`.
pub fn tally(deltas: &[Delta]) -> String {
    let all = [Delta::Worse, Delta::Undecided, Delta::Better, Delta::Same];
    let counted = all.map(|of| (deltas.iter().filter(|s| **s == of).count(), of));
    let text = counted.iter().filter(|(n, _)| *n > 0).map(|(n, delta)| format!("{n} {delta}"));
    text.collect::<Vec<_>>().join(", ")
}

/// Worse and undecided win over better, better over same.
pub fn worst_delta(deltas: impl Iterator<Item = Delta> + Clone) -> Delta {
    let worst = deltas.clone().max().unwrap_or(Delta::Same);
    let better = deltas.clone().any(|delta| delta == Delta::Better);
    if worst == Delta::Same && better { Delta::Better } else { worst }
}

impl fmt::Display for Delta {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// All of it in a word. Ordered: the worst wins.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Overall {
    NoRegression,
    Undecided,
    Regression,
}

impl Overall {
    pub fn as_str(self) -> &'static str {
        match self {
            Overall::NoRegression => "no-regression",
            Overall::Undecided => "undecided",
            Overall::Regression => "regression",
        }
    }
}

impl fmt::Display for Overall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Comparison {
    pub pgauntlet_comparison: u32,
    pub overall: Overall,
    /// A sentence with the counts.
    pub reason: String,
    pub a: Side,
    pub b: Side,
    pub how: Options,
    pub pairs: Vec<Pair>,
    pub crash_matrices: Vec<CrashPair>,
    /// Trials and crash matrices that have nothing to be compared with.
    pub only_in_a: Vec<String>,
    pub only_in_b: Vec<String>,
    /// What has to be known to read it, a sentence each.
    pub notes: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Side {
    /// As the caller named it.
    pub name: String,
    pub tools: Vec<String>,
    pub machines: Vec<String>,
    /// RFC 3339; empty: there is nothing.
    pub first_at: String,
    pub last_at: String,
}

/// What makes a difference one.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// The Mann–Whitney test's p is below it.
    pub alpha: f64,
    /// The ratio of the medians is at least this, or at most its inverse.
    pub ratio_min: f64,
    /// Of the bootstrap interval of that ratio, which excludes 1.
    pub confidence: f64,
    pub resamples: usize,
    pub rng_seed: u64,
}

/// See the module's documentation for why these and what they cost.
impl Default for Options {
    fn default() -> Options {
        Options { alpha: 0.01, ratio_min: 1.10, confidence: 0.95, resamples: 2_000, rng_seed: 1 }
    }
}

/// A trial on both sides.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pair {
    pub name: String,
    pub a: String,
    pub b: String,
    pub repetitions_a: u64,
    pub repetitions_b: u64,
    pub machine: Machine,
    pub delta: Delta,
    /// What is compared exactly: verdict, findings, expectations.
    pub facts: Vec<Fact>,
    pub metrics: Vec<MetricRow>,
}

/// The machine control, measured beside each repetition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Machine {
    /// Medians in microseconds; null: it was not measured.
    pub control_a_us: Option<u64>,
    pub control_b_us: Option<u64>,
    /// B's as a multiple of A's: 2 is a machine of half the speed. Null: one was not measured.
    pub slower: Option<f64>,
    pub interval: Option<Interval>,
    #[serde(rename = "told")]
    pub text: String,
}

/// Null: without bound.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Interval {
    pub low: Option<f64>,
    pub high: Option<f64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fact {
    /// `verdict`, `finding stall`, `as expected`, `sizes`; of a matrix `case STATEMENT / FAULT`.
    pub what: String,
    pub a: String,
    pub b: String,
    pub delta: Delta,
    /// Why; empty where a and b say it.
    pub why: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MetricRow {
    pub key: String,
    /// For people.
    pub name: String,
    pub unit: Unit,
    pub speed: Speed,
    pub more_is_worse: bool,
    pub a: Sample,
    pub b: Sample,
    /// Of the medians, B to A, with the machine's speed taken out where the metric scales with it.
    /// Null: from 0 to something, or to never.
    pub ratio: Option<f64>,
    pub interval: Interval,
    /// As measured.
    pub raw_ratio: Option<f64>,
    pub p: f64,
    pub delta: Delta,
    pub why: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sample {
    /// As measured; null: the event never came.
    pub values: Vec<Option<u64>>,
    pub median: Option<u64>,
}

/// A crash matrix on both sides.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CrashPair {
    pub name: String,
    pub a: String,
    pub b: String,
    pub delta: Delta,
    pub facts: Vec<Fact>,
    /// Cases that end alike on both sides.
    pub cases_same: u64,
    /// Cases that one side does not have.
    pub cases_only_in_a: Vec<String>,
    pub cases_only_in_b: Vec<String>,
}
