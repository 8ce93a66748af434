//! What a run does, in which order, and which part of that falls to a shard.

use std::collections::BTreeMap;

use crate::result::{Planned, PlannedMatrix, PlannedTrial, Shard};
use crate::scenario::Scenario;
use crate::trial::TrialKey;

use super::Error;
use super::costs::Costs;
use super::expand::{MatrixSpec, RetrySpec, TrialSpec, expand, matrix, retries};
use super::request::{Request, Share};
use super::unit::{matrix_of, trials, unit_of};

/// All that is to be done.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Those of this run, in their order.
    pub units: Vec<WorkUnit>,
    /// What all units are called, those of other shards among them.
    pub names: Vec<String>,
    /// As they are run, so that a trial can be run again from a result alone.
    pub scenarios: Vec<Scenario>,
}

/// What cannot be divided: states are compared with the first of them, so they stay together.
#[derive(Clone, Debug)]
pub enum WorkUnit {
    /// One scenario from each of its states, the reference first.
    Trials(Vec<TrialSpec>),
    /// One crash matrix.
    Matrix(Box<MatrixSpec>),
    /// A retry policy under one condition.
    Retries(Box<RetrySpec>),
}

impl WorkUnit {
    /// As `plan` in result.json names it.
    pub fn name(&self) -> String {
        match self {
            WorkUnit::Trials(specs) => specs.first().map_or_else(String::new, |s| trials(&s.key)),
            WorkUnit::Matrix(spec) => matrix_of(&spec.base.key),
            WorkUnit::Retries(spec) => {
                format!("{}, retries {}", trials(&spec.base.key), spec.policy)
            }
        }
    }

    /// Trials, or the one matrix or policy.
    pub fn count(&self) -> usize {
        match self {
            WorkUnit::Trials(specs) => specs.len(),
            WorkUnit::Matrix(_) | WorkUnit::Retries(_) => 1,
        }
    }

    /// What its cost is known by: repetitions of one scenario cost the same.
    fn cost_name(&self) -> String {
        match self {
            WorkUnit::Trials(specs) => {
                specs.first().map_or_else(String::new, |s| trials(&s.key.clone().repeated(1)))
            }
            WorkUnit::Matrix(_) | WorkUnit::Retries(_) => self.name(),
        }
    }
}

impl Plan {
    /// Scenarios that end soonest come first, by the deadlines that their authors gave, so that the
    /// first verdict does not wait for the longest change.
    ///
    /// # Errors
    /// The request cannot be carried out.
    pub fn of(request: &Request) -> Result<Plan, Error> {
        request.check()?;
        let mut scenarios: Vec<&Scenario> = request.scenarios.iter().collect();
        scenarios.sort_by_key(|s| (s.change.deadline_ms, s.name.clone()));
        let mut units = Vec::new();
        for scenario in &scenarios {
            if request.work.trials() {
                units.extend(units_of(expand(scenario, request)?));
            }
            units.extend(matrix(scenario, request)?.map(Box::new).map(WorkUnit::Matrix));
            let retries = retries(scenario, request).into_iter().map(Box::new);
            units.extend(retries.map(WorkUnit::Retries));
        }
        let scenarios = scenarios.into_iter().map(|s| request.shortened(s)).collect();
        let plan = Plan::new(units, scenarios);
        Ok(match &request.share {
            Some(Share { shard, costs }) => {
                Plan { units: share(plan.units, *shard, costs), ..plan }
            }
            None => plan,
        })
    }

    /// Whether a trial has a pooler between clients and server.
    pub fn needs_pooler(&self) -> bool {
        self.units.iter().any(|unit| match unit {
            WorkUnit::Trials(specs) => specs.iter().any(|spec| spec.pooler.is_some()),
            WorkUnit::Matrix(spec) => spec.base.pooler.is_some(),
            WorkUnit::Retries(spec) => spec.base.pooler.is_some(),
        })
    }

    /// Names the units, all of which are this run's.
    pub fn new(units: Vec<WorkUnit>, scenarios: Vec<Scenario>) -> Plan {
        Plan { names: units.iter().map(WorkUnit::name).collect(), units, scenarios }
    }

    /// As result.json says it before the first result.
    pub fn planned(&self) -> Planned {
        let mut planned = Planned::default();
        for unit in &self.units {
            match unit {
                WorkUnit::Trials(specs) => planned.trials.extend(specs.iter().map(|spec| {
                    let (key, label) = (spec.key.clone(), spec.label());
                    PlannedTrial { key, label, path: spec.path().display().to_string() }
                })),
                WorkUnit::Matrix(spec) => planned.crash_matrices.push(PlannedMatrix {
                    key: spec.base.key.clone(),
                    label: unit.name(),
                    path: spec.base.path().display().to_string(),
                    cases: None,
                    random: 0,
                }),
                // What is not there at the end is seen by `finished`.
                WorkUnit::Retries(_) => {}
            }
        }
        planned
    }
}

/// Trials that differ in nothing but their size and their starting state are one unit.
pub fn units_of(specs: Vec<TrialSpec>) -> Vec<WorkUnit> {
    let mut units: Vec<(TrialKey, Vec<TrialSpec>)> = Vec::new();
    for spec in specs {
        let key = unit_of(&spec.key);
        match units.iter_mut().find(|(known, _)| *known == key) {
            Some((_, specs)) => specs.push(spec),
            None => units.push((key, vec![spec])),
        }
    }
    units.into_iter().map(|(_, specs)| WorkUnit::Trials(specs)).collect()
}

/// The shard's share of the units, in their order. Every shard that is given the same units and
/// the same costs divides them in the same way.
fn share(units: Vec<WorkUnit>, shard: Shard, costs: &Costs) -> Vec<WorkUnit> {
    let costs: Vec<u64> = units.iter().map(|unit| costs.of_unit(&unit.cost_name())).collect();
    let owners = owners(&costs, shard.of);
    let ours = |place: &usize| owners.get(*place) == Some(&shard.index);
    units.into_iter().enumerate().filter(|(place, _)| ours(place)).map(|(_, unit)| unit).collect()
}

/// The shard of each unit, from 1: the longest unit first, to the shard that has least.
fn owners(costs: &[u64], of: u32) -> Vec<u32> {
    let mut longest_first: Vec<usize> = (0..costs.len()).collect();
    longest_first.sort_by_key(|place| (std::cmp::Reverse(costs[*place]), *place));
    let mut loads: BTreeMap<u32, u64> = (1..=of.max(1)).map(|index| (index, 0)).collect();
    let mut owners = vec![0; costs.len()];
    for place in longest_first {
        let least = loads.iter_mut().min_by_key(|(index, load)| (**load, **index));
        if let Some((index, load)) = least {
            *load += costs[place];
            owners[place] = *index;
        }
    }
    owners
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_long_unit_is_alone_and_short_ones_are_together() {
        assert_eq!(owners(&[1, 1, 100, 1, 1], 2), [2, 2, 1, 2, 2]);
    }

    #[test]
    fn units_that_cost_the_same_are_divided_evenly() {
        assert_eq!(owners(&[5; 6], 3), [1, 2, 3, 1, 2, 3]);
    }

    proptest! {
        #[test]
        fn no_share_is_more_than_a_unit_above_the_least(
            costs in prop::collection::vec(1_u64..10_000, 1..60), of in 1_u32..8,
        ) {
            let owners = owners(&costs, of);
            prop_assert!(owners.iter().all(|owner| (1..=of).contains(owner)));
            let load = |index: u32| {
                costs.iter().zip(&owners).filter(|(_, o)| **o == index).map(|(c, _)| c).sum::<u64>()
            };
            let loads: Vec<u64> = (1..=of).map(load).collect();
            let (least, most) = (loads.iter().min().unwrap(), loads.iter().max().unwrap());
            prop_assert!(most - least <= *costs.iter().max().unwrap());
        }
    }
}
