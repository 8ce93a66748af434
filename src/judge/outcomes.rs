//! How operations failed, and which failures there were before the change too.

use std::collections::BTreeMap;

use crate::history::{Operation, OperationOutcome, Phase};
use crate::result::evidence::{FailureKind, OperationFailure};
use crate::scenario::{OperationSpec, Scenario};

use super::trace::Trace;

/// The operation's name in the scenario.
pub fn name<'s>(scenario: &'s Scenario, operation: &Operation) -> &'s str {
    spec(scenario, operation).map_or("operation", |o| &o.name)
}

/// As the scenario declares it.
pub fn spec<'s>(scenario: &'s Scenario, operation: &Operation) -> Option<&'s OperationSpec> {
    scenario.traffic.operations.get(usize::from(operation.kind))
}

/// How it failed. That the pool gave up on it is something else.
pub fn failure(operation: &Operation) -> Option<OperationFailure> {
    Some(match &operation.outcome {
        OperationOutcome::Failed(error) => OperationFailure::Error(error.as_ref().clone()),
        OperationOutcome::Indeterminate(message) => {
            OperationFailure::Indeterminate(message.clone())
        }
        OperationOutcome::Unanswered => OperationFailure::Unanswered,
        OperationOutcome::Succeeded | OperationOutcome::AcquireTimeout => return None,
    })
}

/// Kinds of failures before the change began, and how many of each.
pub fn failed_before(scenario: &Scenario, trace: &Trace<'_>) -> BTreeMap<FailureKind, u64> {
    let began = trace.phase(Phase::Change).map(|(from, _)| from).unwrap_or_default();
    let from = trace.phase(Phase::Baseline).map(|(from, _)| from).unwrap_or_default();
    let due = |o: &&Operation| o.scheduled_us >= from && o.finished_us < began;
    let before = trace.all_operations().filter(due);
    let mut known = BTreeMap::new();
    for (operation, failure) in before.filter_map(|o| Some((o, failure(o)?))) {
        *known.entry(failure.kind(name(scenario, operation))).or_default() += 1;
    }
    known
}
