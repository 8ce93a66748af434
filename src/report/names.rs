//! What trials and matrices are called in a list.

use std::collections::BTreeSet;

use crate::history::TrialFacts;
use crate::result::{Judgement, Matrix};
use crate::scenario::State;
use crate::trial::{Axis, TrialKey};

/// Names the server only where the list has several majors.
#[derive(Clone, Copy, Debug, Default)]
pub struct Names {
    with_major: bool,
}

impl Names {
    /// For a list of these.
    pub fn of(judgements: &[Judgement], matrices: &[Matrix]) -> Names {
        let trials = judgements.iter().map(|judgement| &judgement.trial);
        let all = trials.chain(matrices.iter().map(|matrix| &matrix.trial));
        Names { with_major: all.map(|t| t.server.major()).collect::<BTreeSet<_>>().len() > 1 }
    }

    /// The state only where it is not the usual one, the repetition only from the second on.
    pub fn trial(self, trial: &TrialFacts) -> String {
        let key = self.key(trial);
        match key.state() == State::base().name {
            true => key.without(&Axis::STATE).to_string(),
            false => key.to_string(),
        }
    }

    pub fn matrix(self, trial: &TrialFacts) -> String {
        let key = self.key(trial).without(&Axis::STATE);
        key.with(Axis::FAULT, "crash matrix").to_string()
    }

    fn key(self, trial: &TrialFacts) -> TrialKey {
        match self.with_major {
            true => trial.key.clone(),
            false => trial.key.clone().without(&Axis::SERVER),
        }
    }
}
