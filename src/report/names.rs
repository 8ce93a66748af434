//! What trials and matrices are called in a list.

use std::collections::BTreeSet;

use crate::history::TrialFacts;
use crate::result::{Judgement, Matrix};
use crate::scenario::State;

/// Tells which server it was only where the list has several majors.
#[derive(Clone, Copy, Debug, Default)]
pub struct Names {
    with_major: bool,
}

impl Names {
    /// For a list of these.
    pub fn of(judgements: &[Judgement], matrices: &[Matrix]) -> Names {
        let trials = judgements.iter().map(|judgement| &judgement.trial);
        let all = trials.chain(matrices.iter().map(|matrix| &matrix.trial));
        Names { with_major: all.map(major).collect::<BTreeSet<u32>>().len() > 1 }
    }

    /// The state only where it is not the usual one, the repetition only from the second on.
    pub fn trial(self, trial: &TrialFacts) -> String {
        let mut name = trial.scenario.clone();
        if trial.state != State::base().name && !trial.state.is_empty() {
            name.push_str(&format!(" from {}", trial.state));
        }
        if trial.repetition > 1 {
            name.push_str(&format!(", repetition {}", trial.repetition));
        }
        if self.with_major {
            name.push_str(&format!(" on PostgreSQL {}", major(trial)));
        }
        name
    }

    pub fn matrix(self, trial: &TrialFacts) -> String {
        let on = match self.with_major {
            true => format!(" on PostgreSQL {}", major(trial)),
            false => String::new(),
        };
        format!("{}, crash matrix{on}", trial.scenario)
    }
}

fn major(trial: &TrialFacts) -> u32 {
    trial.server.version_num / 10_000
}
