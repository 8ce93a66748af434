//! What a run amounts to.

use crate::result::{AcceptanceOutcome, ResultFile};
use crate::scenario::Verdict;

/// How a call of the program ended; `exit` has a code for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitStatus {
    /// Every trial and matrix is as its scenario expects.
    AsExpected,
    /// At least one is not.
    NotAsExpected,
    /// The call or a file of it is wrong; nothing was run.
    BadInput,
    /// What is not as expected is unproven, or the run broke off.
    Unproven,
    /// Something of the environment, or of ours, failed.
    Failed,
    /// The user interrupted it.
    Interrupted,
}

/// What a result amounts to. What a run that broke off has not executed is unproven.
pub fn ending(result: &ResultFile) -> ExitStatus {
    let trials = result.trials.iter().map(|j| (j.verdict, j.as_expected));
    let matrices = result.crash_matrices.iter().map(|m| match m.only_lacks_cases() {
        true => (Verdict::Unproven, false),
        false => (m.verdict, m.as_expected),
    });
    let all = trials.chain(matrices);
    let wrong: Vec<Verdict> = all.filter(|(_, expected)| !expected).map(|(v, _)| v).collect();
    let acceptances = result.changes.iter().flat_map(|change| &change.acceptances);
    let is_wrong = acceptances.into_iter().any(AcceptanceOutcome::is_wrong);
    let predictions = result.changes.iter().filter_map(|change| change.prediction.as_ref());
    let predicted = predictions.filter(|of| !of.as_expected).filter_map(|of| of.verdict);
    let wrong: Vec<Verdict> = wrong.into_iter().chain(predicted).collect();
    if is_wrong || wrong.iter().any(|verdict| *verdict != Verdict::Unproven) {
        ExitStatus::NotAsExpected
    } else if !wrong.is_empty() || !result.finished {
        ExitStatus::Unproven
    } else {
        ExitStatus::AsExpected
    }
}
