//! How the change and its reruns ended, for the verdict's reason.

use crate::history::AttemptEnd;
use crate::result::{Ending, RerunEnding};

use super::super::trace::{AttemptRecord, StatementRecord};
use super::Evidence;

pub fn ending(evidence: &Evidence<'_, '_>) -> Ending {
    Ending {
        first_success: evidence.first_success(),
        runners: evidence.scenario.change.runners.max(1),
        rerun: rerun(evidence),
        converged_with: None,
        begins_empty: evidence.begins_empty(),
        stall_limit_us: evidence.stall_limit(),
    }
}

/// What the last application that finished did, where there were several.
fn rerun(evidence: &Evidence<'_, '_>) -> Option<RerunEnding> {
    let attempts = &evidence.trace.attempts;
    if evidence.trace.rerun_left_out {
        return Some(RerunEnding::LeftOut);
    }
    let finished = attempts.iter().rev().find_map(|a| match a.end {
        Some(AttemptEnd::Finished { applied }) => Some((a, *applied)),
        _ => None,
    });
    let (attempt, applied) = finished.filter(|_| attempts.len() > 1)?;
    Some(match (applied, ran_nothing(attempt)) {
        (Some(0), true) => RerunEnding::AllApplied,
        (None, true) => RerunEnding::ChangedNothing,
        _ => RerunEnding::Succeeded,
    })
}

/// Whether no statement of the attempt changed anything; whatever it read and set up.
fn ran_nothing(attempt: &AttemptRecord<'_>) -> bool {
    !attempt.statements.iter().any(StatementRecord::changed_something)
}
