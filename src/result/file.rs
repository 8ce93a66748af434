//! result.json: the judgements of a run, versioned. Documented in docs/result.md.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::history::TrialFacts;
use crate::scenario::StoredScenario;
use crate::trial::{Axis, FaultKind, TrialKey};

use super::change::ChangeAssessment;
use super::format::FORMAT;
use super::judgement::Judgement;
use super::matrix::Matrix;
use super::retries::RetryOdds;

/// The whole file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "result.json of pgauntlet")]
pub struct ResultFile {
    /// Version of the file's format.
    #[schemars(extend("const" = FORMAT))]
    pub pgauntlet_result: u32,
    /// Everything that the run was to do, in its order: scenarios, each with all its starting
    /// states, and crash matrices.
    pub plan: Vec<String>,
    /// Of that, what this run was to do, as it is known so far.
    #[serde(default)]
    pub planned: Planned,
    /// Which part of the plan this is; None: all of it.
    pub shard: Option<Shard>,
    /// All that was to be done was done; false: the run broke off, and this is as far as it came.
    pub finished: bool,
    /// What was asked of crash matrices beyond what their scenarios say.
    pub crash: CrashRequest,
    /// One change was tried: a report begins with the answer about it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub answers: bool,
    /// Rows per table that are asked about beyond what was tried; by an empty name: of the largest
    /// table.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub at: BTreeMap<String, u64>,
    /// The verdict of each change, over all that was tried of it.
    #[serde(default)]
    pub changes: Vec<ChangeAssessment>,
    /// By name, as they were checked, so that a trial can be run again from this file alone.
    #[schemars(with = "BTreeMap<String, serde_json::Value>")]
    pub scenarios: BTreeMap<String, StoredScenario>,
    /// Judgements of the trials that were executed, in the plan's order.
    pub trials: Vec<Judgement>,
    /// Crash matrices that were run, in the plan's order.
    pub crash_matrices: Vec<Matrix>,
    /// What came of retry policies, by condition, in the plan's order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub retries: Vec<RetryOdds>,
}

/// What a run is to do, written before it does any of it: what of it is missing is known however
/// the run ends.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Planned {
    /// Trials, in order.
    pub trials: Vec<PlannedTrial>,
    /// Crash matrices, in order.
    pub crash_matrices: Vec<PlannedMatrix>,
}

/// A trial that the run is to execute.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlannedTrial {
    /// Its identity.
    pub key: TrialKey,
    /// For people.
    pub label: String,
    /// The directory of its history, below that of this file.
    pub path: String,
}

/// A crash matrix that the run is to make.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlannedMatrix {
    /// Identity of its undisturbed run.
    pub key: TrialKey,
    /// For people.
    pub label: String,
    /// The directory that holds its cases in `crash`, below that of this file.
    pub path: String,
    /// `cut-before at statement 1`; None: the undisturbed run has not shown yet at which statements
    /// a fault can be injected.
    pub cases: Option<Vec<String>>,
    /// Faults at random moments beyond these.
    pub random: u32,
}

impl PlannedTrial {
    /// Whether the trial is the planned one, executed.
    pub fn is(&self, trial: &TrialFacts) -> bool {
        is_planned(trial, &self.key)
    }
}

impl PlannedMatrix {
    /// Whether the matrix with this undisturbed run is the planned one.
    pub fn is(&self, undisturbed: &TrialFacts) -> bool {
        is_planned(undisturbed, &self.key)
    }
}

/// A plan knows its server only once the results of several servers are one.
fn is_planned(trial: &TrialFacts, key: &TrialKey) -> bool {
    match key.get(&Axis::SERVER) {
        Some(_) => trial.key == *key,
        None => trial.key.clone().without(&Axis::SERVER) == *key,
    }
}

/// What of a crash matrix is asked for, where that is another thing than the scenario says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CrashRequest {
    /// Cases at once; None: as many as the machine has cores for.
    pub at_once: Option<u32>,
    /// Kinds of faults; None: those of the scenario.
    pub faults: Option<Vec<FaultKind>>,
    /// Only faults at this statement.
    pub statement: Option<u32>,
    /// Faults at random moments.
    pub random: Option<u32>,
}

/// One of several runs that divide a plan between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Shard {
    /// From 1.
    pub index: u32,
    /// How many runs there are.
    pub of: u32,
}

impl ResultFile {
    /// The file's name below `--out`.
    pub const NAME: &'static str = "result.json";

    /// With nothing but its version, and nothing that was to be done.
    pub fn empty() -> ResultFile {
        ResultFile { pgauntlet_result: FORMAT, finished: true, ..ResultFile::default() }
    }

    /// A sentence where the run broke off, or may have; None: it came to its end.
    pub fn broken_off(&self) -> Option<String> {
        if self.finished {
            return None;
        }
        let of = match self.shard {
            Some(shard) => format!("share {} of {}", shard.index, shard.of),
            None => "the run".to_owned(),
        };
        let done = self.trials.len() + self.crash_matrices.len();
        let missing = self.missing();
        Some(match (self.plan.is_empty(), missing.is_empty()) {
            (true, _) => format!(
                "there is no {} that says what was planned, verdicts of what is here: {done}; what \
                 is missing may be unsafe",
                ResultFile::NAME
            ),
            (false, true) => {
                format!(
                    "{of} broke off, verdicts until then: {done}; what is missing may be unsafe"
                )
            }
            (false, false) => format!(
                "{of} broke off, verdicts until then: {done}; what is missing may be unsafe: {}",
                missing.join("; ")
            ),
        })
    }

    /// What was planned and has no verdict.
    fn missing(&self) -> Vec<&str> {
        let trials =
            self.planned.trials.iter().filter(|planned| {
                !self.trials.iter().any(|judgement| planned.is(&judgement.trial))
            });
        let matrices =
            self.planned.crash_matrices.iter().filter(|planned| {
                !self.crash_matrices.iter().any(|matrix| planned.is(&matrix.trial))
            });
        let trials = trials.map(|planned| planned.label.as_str());
        trials.chain(matrices.map(|planned| planned.label.as_str())).collect()
    }

    /// Of all trials, then of all crash matrices: the order in which they are numbered.
    pub fn facts(&self) -> impl Iterator<Item = &TrialFacts> {
        let trials = self.trials.iter().map(|judgement| &judgement.trial);
        trials.chain(self.crash_matrices.iter().map(|matrix| &matrix.trial))
    }
}
