//! What a run does, in which order, and which part of that falls to a shard.

use std::collections::BTreeMap;

use crate::clock::Micros;
use crate::report::{ResultFile, Shard};

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
    Matrix(Start),
}

impl Piece {
    pub fn trials(starts: Vec<Start>) -> Option<Piece> {
        let first = starts.first()?;
        let name = trials_name(&first.scenario.name, first.repetition);
        Some(Piece { name, work: PieceWork::Trials(starts) })
    }

    pub fn matrix(start: Start) -> Piece {
        Piece { name: matrix_name(&start.scenario.name), work: PieceWork::Matrix(start) }
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

pub fn trials_name(scenario: &str, repetition: u32) -> String {
    match repetition {
        0 | 1 => scenario.to_owned(),
        n => format!("{scenario}, repetition {n}"),
    }
}

pub fn matrix_name(scenario: &str) -> String {
    format!("{scenario}, crash matrix")
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
            costs.insert(matrix_name(&matrix.trial.scenario), matrix.took_us);
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
/// the same costs divides them in the same way: the dearest first, to whoever has least.
pub fn share(pieces: Vec<Piece>, shard: Shard, costs: &Costs) -> Vec<Piece> {
    let mut dearest: Vec<(usize, u64)> =
        pieces.iter().map(|piece| costs.of_piece(piece)).enumerate().collect();
    dearest.sort_by_key(|(place, cost)| (std::cmp::Reverse(*cost), *place));
    let mut loads = vec![0_u64; shard.of.max(1) as usize];
    let mut owners = vec![0_usize; pieces.len()];
    for (place, cost) in dearest {
        let least = (0..loads.len()).min_by_key(|owner| (loads[*owner], *owner)).unwrap_or(0);
        loads[least] += cost;
        owners[place] = least;
    }
    let ours = |place: &usize| owners[*place] + 1 == shard.index as usize;
    pieces.into_iter().enumerate().filter(|(place, _)| ours(place)).map(|(_, p)| p).collect()
}
