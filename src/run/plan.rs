//! What a run does, in which order, and which part of that falls to a shard.

use std::collections::BTreeMap;

use crate::clock::Micros;
use crate::result::{ResultFile, Shard};

use super::names;
use super::state::Start;

/// What cannot be divided: states are compared with the first of them, so they stay together.
pub struct Piece {
    /// As `plan` in result.json names it.
    pub name: String,
    pub work: PieceWork,
}

pub enum PieceWork {
    /// One scenario from each of its states, the reference first.
    Trials(Vec<Start>),
    Matrix(Box<Start>),
}

impl Piece {
    pub fn trials(starts: Vec<Start>) -> Option<Piece> {
        let first = starts.first()?;
        let name = names::trials(&first.scenario.name, first.repetition);
        Some(Piece { name, work: PieceWork::Trials(starts) })
    }

    pub fn matrix(start: Start) -> Piece {
        Piece {
            name: names::matrix(&start.scenario.name),
            work: PieceWork::Matrix(Box::new(start)),
        }
    }

    /// Trials, or the one matrix.
    pub fn count(&self) -> usize {
        match &self.work {
            PieceWork::Trials(starts) => starts.len(),
            PieceWork::Matrix(_) => 1,
        }
    }

    /// What it starts from first.
    pub fn first(&self) -> Option<&Start> {
        match &self.work {
            PieceWork::Trials(starts) => starts.first(),
            PieceWork::Matrix(start) => Some(start),
        }
    }
}

/// How long pieces took before, by name. Repetitions of one scenario cost the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Costs(BTreeMap<String, Micros>);

impl Costs {
    /// As an earlier result recorded them.
    pub fn of(result: &ResultFile) -> Costs {
        let mut repetitions: BTreeMap<(&str, u32), Micros> = BTreeMap::new();
        for trial in &result.trials {
            let key = (trial.trial.scenario.as_str(), trial.trial.repetition);
            *repetitions.entry(key).or_default() += trial.took_us;
        }
        let mut costs = BTreeMap::new();
        for ((scenario, _), took) in repetitions {
            let longest = costs.entry(scenario.to_owned()).or_insert(took);
            *longest = (*longest).max(took);
        }
        for matrix in &result.crash_matrices {
            costs.insert(names::matrix(&matrix.trial.scenario), matrix.took_us);
        }
        Costs(costs)
    }

    /// What is not known costs as much as the average of what is.
    fn of_piece(&self, piece: &Piece) -> u64 {
        let of_trials = piece.first().map(|start| start.scenario.name.as_str());
        let key = match &piece.work {
            PieceWork::Matrix(_) => Some(piece.name.as_str()),
            PieceWork::Trials(_) => of_trials,
        };
        let known = key.and_then(|key| self.0.get(key)).map(|took| took.0);
        let sum: u64 = self.0.values().map(|took| took.0).sum();
        known.unwrap_or(sum / self.0.len().max(1) as u64).max(1)
    }
}

/// The shard's share of the pieces, in their order. Every shard that is given the same pieces and
/// the same costs divides them in the same way.
pub fn share(pieces: Vec<Piece>, shard: Shard, costs: &Costs) -> Vec<Piece> {
    let costs: Vec<u64> = pieces.iter().map(|piece| costs.of_piece(piece)).collect();
    let owners = owners(&costs, shard.of);
    let ours = |place: &usize| owners.get(*place) == Some(&shard.index);
    pieces.into_iter().enumerate().filter(|(place, _)| ours(place)).map(|(_, p)| p).collect()
}

/// Who does each piece, from 1: the dearest first, to whoever has least.
fn owners(costs: &[u64], of: u32) -> Vec<u32> {
    let mut dearest: Vec<usize> = (0..costs.len()).collect();
    dearest.sort_by_key(|place| (std::cmp::Reverse(costs[*place]), *place));
    let mut loads: BTreeMap<u32, u64> = (1..=of.max(1)).map(|index| (index, 0)).collect();
    let mut owners = vec![0; costs.len()];
    for place in dearest {
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
    fn a_dear_piece_is_alone_and_cheap_ones_are_together() {
        assert_eq!(owners(&[1, 1, 100, 1, 1], 2), [2, 2, 1, 2, 2]);
    }

    #[test]
    fn pieces_that_cost_the_same_are_dealt_out_evenly() {
        assert_eq!(owners(&[5; 6], 3), [1, 2, 3, 1, 2, 3]);
    }

    proptest! {
        #[test]
        fn no_share_is_more_than_a_piece_above_the_least(
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
