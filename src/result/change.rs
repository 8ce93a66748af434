//! What all trials of one change amount to, as result.json holds it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::scenario::Verdict;
use crate::trial::TrialKey;

use super::accepted::AcceptanceOutcome;
use super::finding::Finding;
use super::lint::Lint;
use super::prediction::Prediction;

/// The verdict of a change, over all that was tried of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeAssessment {
    /// Name of the scenario that holds the change.
    pub scenario: String,
    /// The worst of its trials and of its crash matrix. Of a run that broke off, or whose crash
    /// matrix lacks cases, at least unproven.
    pub verdict: Verdict,
    /// Whether each of them is as the scenario expects.
    pub as_expected: bool,
    /// In one sentence, with the trial that decides.
    pub reason: String,
    /// The trial that decides; null: the crash matrix, or what is missing, does.
    pub decided_by: Option<TrialKey>,
    /// Of all trials, each kind and subject once, the worst first, with the trials that show it.
    pub findings: Vec<Finding>,
    /// What a linter says of its statements, held against what was measured.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lints: Vec<Lint>,
    /// Everything that was tried, in its order.
    pub trials: Vec<TrialKey>,
    /// What its trials at several sizes say of other sizes; null: fewer than
    /// three were tried, and nothing is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prediction: Option<Prediction>,
    /// Planned, and not here.
    pub missing: Vec<String>,
    /// What is accepted, and what came of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub acceptances: Vec<AcceptanceOutcome>,
}
