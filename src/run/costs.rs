//! How long the units of a plan took before, by which shards divide them evenly.

use std::collections::BTreeMap;

use crate::clock::Micros;
use crate::result::ResultFile;
use crate::trial::TrialKey;

use super::unit::{matrix_of, trials, unit_of};

/// How long units took before, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Costs(BTreeMap<String, Micros>);

impl Costs {
    /// As an earlier result recorded them.
    pub fn of(result: &ResultFile) -> Costs {
        let mut units: BTreeMap<TrialKey, Micros> = BTreeMap::new();
        for trial in &result.trials {
            *units.entry(unit_of(&trial.trial.key)).or_default() += trial.took_us;
        }
        let mut costs = BTreeMap::new();
        for (key, took) in units {
            let longest = costs.entry(trials(&key.repeated(1))).or_insert(took);
            *longest = (*longest).max(took);
        }
        for matrix in &result.crash_matrices {
            costs.insert(matrix_of(&matrix.trial.key), matrix.took_us);
        }
        Costs(costs)
    }

    /// What is not known costs as much as the average of what is.
    pub fn of_unit(&self, name: &str) -> u64 {
        let known = self.0.get(name).map(|took| took.0);
        let sum: u64 = self.0.values().map(|took| took.0).sum();
        known.unwrap_or(sum / self.0.len().max(1) as u64).max(1)
    }
}
