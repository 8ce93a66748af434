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
    /// B is less harmful than A.
    Better,
    /// No difference that the evidence carries; the interval says how large a one it excludes.
    Same,
    /// The evidence carries no answer.
    Undecided,
    /// B is more harmful than A.
    Worse,
}

impl Delta {
    /// As it is spelled in JSON.
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
    /// No trial or case of B is worse, and none is undecided.
    NoRegression,
    /// None is worse, and of some the evidence carries no answer.
    Undecided,
    /// At least one trial or case of B is worse.
    Regression,
}

impl Overall {
    /// As it is spelled in JSON.
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

/// The whole of a comparison: the root of the JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Comparison {
    /// Version of the JSON: `COMPARISON_FORMAT`.
    pub pgauntlet_comparison: u32,
    /// The worst of all pairs.
    pub overall: Overall,
    /// A sentence with the counts.
    pub reason: String,
    /// What is compared with: the older side.
    pub a: Side,
    /// What is compared: the newer side.
    pub b: Side,
    /// The limits by which differences were decided.
    pub how: Options,
    /// Trials that both sides have.
    pub pairs: Vec<Pair>,
    /// Crash matrices that both sides have.
    pub crash_matrices: Vec<CrashPair>,
    /// Trials and crash matrices that have nothing to be compared with.
    pub only_in_a: Vec<String>,
    /// Trials and crash matrices that only B has.
    pub only_in_b: Vec<String>,
    /// What has to be known to read it, a sentence each.
    pub notes: Vec<String>,
}

/// What is known of one side's measurements.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Side {
    /// As the caller named it.
    pub name: String,
    /// Versions of this program that measured it.
    pub tools: Vec<String>,
    /// `linux x86_64, 8 cores, 16.0 GiB, AMD …`.
    pub machines: Vec<String>,
    /// RFC 3339; empty: there is nothing.
    pub first_at: String,
    /// RFC 3339; empty: there is nothing.
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
    /// Number of bootstrap resamples of an interval.
    pub resamples: usize,
    /// Random seed of the bootstrap.
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
    /// The trial's key without its repetition.
    pub name: String,
    /// The trial's key on side A, which may have another server.
    pub a: String,
    /// The trial's key on side B.
    pub b: String,
    /// Repetitions that A has.
    pub repetitions_a: u64,
    /// Repetitions that B has.
    pub repetitions_b: u64,
    /// How fast the two machines were.
    pub machine: Machine,
    /// The worst of its facts and metrics.
    pub delta: Delta,
    /// What is compared exactly: verdict, findings, expectations.
    pub facts: Vec<Fact>,
    /// What is compared as a distribution: times and counts.
    pub metrics: Vec<MetricRow>,
}

/// The machine control, measured beside each repetition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Machine {
    /// Medians in microseconds; null: it was not measured.
    pub control_a_us: Option<u64>,
    /// B's median in microseconds; null: it was not measured.
    pub control_b_us: Option<u64>,
    /// B's as a multiple of A's: 2 is a machine of half the speed. Null: one was not measured.
    pub slower: Option<f64>,
    /// Confidence interval of `slower`; null: one side was not measured.
    pub interval: Option<Interval>,
    /// The difference as a sentence.
    #[serde(rename = "told")]
    pub text: String,
}

/// Null: without bound.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Interval {
    /// Lower bound of the ratio; null: none.
    pub low: Option<f64>,
    /// Upper bound of the ratio; null: none.
    pub high: Option<f64>,
}

/// Something that is compared exactly.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fact {
    /// `verdict`, `finding stall`, `as expected`, `sizes`; of a matrix `case STATEMENT / FAULT`.
    pub what: String,
    /// A's value.
    pub a: String,
    /// B's value.
    pub b: String,
    /// How B's value compares with A's.
    pub delta: Delta,
    /// Why; empty where a and b say it.
    pub why: String,
}

/// One metric on both sides, with the test that decides between them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MetricRow {
    /// The metric's name in files: `longest-stall`.
    pub key: String,
    /// For people.
    pub name: String,
    /// Unit of the samples.
    pub unit: Unit,
    /// How the number depends on the machine's speed.
    pub speed: Speed,
    /// Whether a larger number is the worse one.
    pub more_is_worse: bool,
    /// A's repetitions.
    pub a: Sample,
    /// B's repetitions.
    pub b: Sample,
    /// Of the medians, B to A, with the machine's speed taken out where the metric scales with it.
    /// Null: from 0 to something, or to never.
    pub ratio: Option<f64>,
    /// Bootstrap interval of `ratio`.
    pub interval: Interval,
    /// As measured.
    pub raw_ratio: Option<f64>,
    /// The Mann–Whitney test's p.
    pub p: f64,
    /// How B compares with A.
    pub delta: Delta,
    /// Why it is so, as a sentence.
    pub why: String,
}

/// One number per repetition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sample {
    /// As measured; null: the event never came.
    pub values: Vec<Option<u64>>,
    /// Median of `values`; null: in at least half of the repetitions the event never came.
    pub median: Option<u64>,
}

/// A crash matrix on both sides.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CrashPair {
    /// The matrix's key without its server.
    pub name: String,
    /// The matrix's key on side A.
    pub a: String,
    /// The matrix's key on side B.
    pub b: String,
    /// The worst of its facts.
    pub delta: Delta,
    /// Cases and expectations that are not the same on both sides.
    pub facts: Vec<Fact>,
    /// Cases that end alike on both sides.
    pub cases_same: u64,
    /// Cases that one side does not have.
    pub cases_only_in_a: Vec<String>,
    /// Cases that A does not have.
    pub cases_only_in_b: Vec<String>,
}
