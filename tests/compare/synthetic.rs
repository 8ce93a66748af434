//! Synthetic sides: what a machine of some speed and some noise would have measured.

// Each test binary compiles this module for itself and uses a part of it.
#![allow(dead_code)]

use std::collections::BTreeMap;

use pgauntlet::compare::{
    BASELINE_FORMAT, Baseline, Circumstances, Delta, Options, TrialSamples, compare, trial_name,
};
use pgauntlet::scenario::Verdict;
use pgauntlet::trial::{Axis, TrialKey};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt as _, SeedableRng as _};

/// Lengths of time, in microseconds, far beyond the floors: nothing is spared by being small.
pub const TIMES: [(&str, f64); 9] = [
    ("longest-stall", 2e6),
    ("p99-before", 1e6),
    ("p99-during", 2e6),
    ("p99-after", 1.5e6),
    ("change", 60e6),
    ("recovery", 4e6),
    ("statement CREATE INDEX ix ON spans (task_id)", 40e6),
    ("statement UPDATE spans SET task_id = ?", 15e6),
    ("statement ALTER TABLE spans ADD COLUMN task_id varchar", 2e6),
];
/// They grow with the length of a stall, and so with a slower machine.
const COUNTS: [(&str, f64); 2] = [("stalled-operations", 400.0), ("queue-max", 120.0)];
const WAL_BYTES: f64 = 3e8;
const CONTROL_US: f64 = 20e3;
/// All metrics of a synthetic trial.
pub const METRICS: usize = TIMES.len() + COUNTS.len() + 1;

/// A side to be made.
#[derive(Clone, Copy, Debug)]
pub struct Made {
    pub repetitions: usize,
    /// Standard deviation of each value's logarithm; of the control's too.
    pub noise: f64,
    /// 2: everything takes twice as long.
    pub slower: f64,
    /// What the change itself takes, as a multiple.
    pub change: f64,
}

pub fn made(repetitions: usize, noise: f64) -> Made {
    Made { repetitions, noise, slower: 1.0, change: 1.0 }
}

impl Made {
    pub fn slower(self, slower: f64) -> Made {
        Made { slower, ..self }
    }

    pub fn change(self, change: f64) -> Made {
        Made { change, ..self }
    }

    fn values(&self, middle: f64, rng: &mut ChaCha8Rng) -> Vec<u64> {
        let one = |_| (middle * (self.noise * normal(rng)).exp()).round() as u64;
        (0..self.repetitions).map(one).collect()
    }

    pub fn trial(&self, rng: &mut ChaCha8Rng) -> TrialSamples {
        let mut samples = BTreeMap::new();
        let mut add = |key: &str, values: Vec<u64>| {
            samples.insert(key.to_owned(), values.into_iter().map(Some).collect::<Vec<_>>());
        };
        for (key, middle) in TIMES {
            let change = if key == "change" { self.change } else { 1.0 };
            add(key, self.values(middle * self.slower * change, rng));
        }
        for (key, middle) in COUNTS {
            add(key, self.values(middle * self.slower, rng));
        }
        add("wal", self.values(WAL_BYTES, rng));
        TrialSamples {
            control_us: self.values(CONTROL_US * self.slower, rng),
            samples,
            ..trial(self.repetitions as u64)
        }
    }
}

/// Safe, as expected, without a number.
pub fn trial(repetitions: u64) -> TrialSamples {
    let key = TrialKey::new("add-index").with(Axis::STATE, "base").with(Axis::SERVER, "16");
    TrialSamples {
        key,
        with: Circumstances {
            sizes: BTreeMap::from([("spans".to_owned(), 200_000)]),
            ..Circumstances::default()
        },
        repetitions,
        as_expected: repetitions,
        verdicts: BTreeMap::from([(Verdict::Safe, repetitions)]),
        findings: BTreeMap::new(),
        control_us: Vec::new(),
        samples: BTreeMap::new(),
    }
}

pub fn side(trials: impl IntoIterator<Item = TrialSamples>) -> Baseline {
    let named = trials.into_iter().map(|trial| (trial_name(&trial.key), trial));
    Baseline {
        pgauntlet_baseline: BASELINE_FORMAT,
        trials: named.collect(),
        crash_matrices: BTreeMap::new(),
    }
}

/// Box and Muller's.
fn normal(rng: &mut ChaCha8Rng) -> f64 {
    let (u, v): (f64, f64) = (rng.random_range(f64::EPSILON..1.0), rng.random_range(0.0..1.0));
    (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
}

/// Shares of what many comparisons said.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rates {
    /// Of all metrics that are worse though nothing is; without the change's own length.
    pub worse_per_metric: f64,
    pub undecided_per_metric: f64,
    /// Of all comparisons in which some metric is.
    pub worse_per_comparison: f64,
    /// Of the change's own length.
    pub change_worse: f64,
    pub change_undecided: f64,
}

pub fn rates(a: Made, b: Made, options: &Options, comparisons: u64) -> Rates {
    let mut rates = Rates::default();
    for seed in 0..comparisons {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let (one, other) = (side([a.trial(&mut rng)]), side([b.trial(&mut rng)]));
        let compared = compare(("a", &one), ("b", &other), options);
        let rows = &compared.pairs[0].metrics;
        assert_eq!(rows.len(), METRICS);
        let (change, others): (Vec<_>, Vec<_>) = rows.iter().partition(|row| row.key == "change");
        let count = |delta| others.iter().filter(|row| row.delta == delta).count();
        let (worse, undecided) = (count(Delta::Worse), count(Delta::Undecided));
        rates.worse_per_metric += worse as f64 / others.len() as f64;
        rates.undecided_per_metric += undecided as f64 / others.len() as f64;
        let change_is = |delta| f64::from(u8::from(change[0].delta == delta));
        rates.change_worse += change_is(Delta::Worse);
        rates.change_undecided += change_is(Delta::Undecided);
        let alarm = worse > 0 || change_is(Delta::Worse) > 0.0;
        rates.worse_per_comparison += f64::from(u8::from(alarm));
    }
    let share = |sum: f64| sum / comparisons as f64;
    Rates {
        worse_per_metric: share(rates.worse_per_metric),
        undecided_per_metric: share(rates.undecided_per_metric),
        worse_per_comparison: share(rates.worse_per_comparison),
        change_worse: share(rates.change_worse),
        change_undecided: share(rates.change_undecided),
    }
}
