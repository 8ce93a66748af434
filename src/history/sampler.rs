//! How well the lock table was sampled.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clock::Micros;

/// How well the sampler kept its rate.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SamplerReport {
    /// Time from one sample to the next, as it was asked for.
    pub interval_us: Micros,
    /// Samples that were taken.
    pub samples: u64,
    /// Due and not taken, because the one before was late.
    pub missed: u64,
    /// Asked for and not answered: an error, or no answer in time.
    #[serde(default)]
    pub failed: u64,
    /// More than three intervals between the answers to two samples,
    /// the longest thousand of them.
    pub gaps: Vec<(Micros, Micros)>,
    /// Median and longest time that a sample took.
    pub took_us_p50: Micros,
    /// The longest time that a sample took.
    pub took_us_max: Micros,
}

impl SamplerReport {
    /// None: there was no gap.
    pub fn longest_gap(&self) -> Option<Micros> {
        self.gaps.iter().map(|(from, to)| *to - *from).max()
    }
}
