//! Operations of the application that failed after the change began, by cause.

use std::collections::BTreeMap;

use crate::history::Operation;
use crate::pg::SqlState;
use crate::result::evidence::{
    Deadlock, EndedBy, FailedMeasurement, FailedOperations, FailureCount, FailureKind,
    OperationFailure,
};
use crate::result::{Evidence as Shown, Finding, Subject};
use crate::scenario::{Scenario, Verdict};

use super::super::outcomes::{failure, name, spec};
use super::super::replica::cancelled;
use super::Evidence;
use super::gaps::unmeasured;
use super::traffic::operation_ref;
use super::{race, result_type};

/// Deadlocks whose other side is looked for.
const DEADLOCKS_MAX: usize = 100;

/// Operations that failed once the change had begun, but for those that something else ended.
pub fn charged<'h>(
    evidence: &Evidence<'_, 'h>,
) -> impl Iterator<Item = (&'h Operation, OperationFailure)> {
    let began = evidence.change_began();
    let charged =
        move |o: &&Operation| o.finished_us >= began && evidence.outside.ended(o).is_none();
    // What replay cancels on a standby is a finding of its own.
    let after = evidence.trace.all_operations().filter(charged).filter(|o| cancelled(o).is_none());
    after.filter_map(|o| Some((o, failure(o)?)))
}

/// By cause, the most frequent first.
pub fn failed_operations(evidence: &Evidence<'_, '_>) -> Option<Finding> {
    let after: Vec<_> = charged(evidence).collect();
    let operations = after.len() as u64;
    if operations <= evidence.scenario.limits.failed_operations_max {
        return None;
    }
    let kind = |operation: &Operation, failure: &OperationFailure| {
        failure.kind(name(evidence.scenario, operation))
    };
    let mut counts: BTreeMap<FailureKind, FailureCount> = BTreeMap::new();
    for (operation, failure) in &after {
        let kind = kind(operation, failure);
        let before = evidence.failed_before.get(&kind).copied().unwrap_or(0);
        let first = || FailureCount {
            operation: name(evidence.scenario, operation).to_owned(),
            failure: failure.clone(),
            operations: 0,
            before,
            deadlock: deadlock(evidence, operation, failure),
        };
        counts.entry(kind).or_insert_with(first).operations += 1;
    }
    let mut causes: Vec<FailureCount> = counts.into_values().collect();
    causes.sort_by_key(|cause| std::cmp::Reverse(cause.operations));
    let deadlocks = after.iter().filter(|(_, failure)| match failure {
        OperationFailure::Error(error) => {
            error.sqlstate.as_ref().is_some_and(|state| state.is(SqlState::DEADLOCK_DETECTED))
        }
        OperationFailure::Indeterminate(_) | OperationFailure::Unanswered => false,
    });
    let race = deadlocks.take(DEADLOCKS_MAX).find_map(|(o, _)| race::of_operation(evidence, o));
    let (first, failure) = after.into_iter().next()?;
    let sql = statements_of(evidence.scenario, first);
    let first = operation_ref(evidence, first);
    let subject = Subject::operation(first.name.clone());
    let result_columns = result_type::columns(evidence, &causes);
    let failed = FailedOperations { operations, first, failure, causes, sql, race, result_columns };
    let shown = Shown::OperationFailed(failed);
    Some(Finding::new(Verdict::Unsafe, subject, shown))
}

/// As the scenario has them, with `$1`, `$2`, … for parameters.
fn statements_of(scenario: &Scenario, operation: &Operation) -> Option<String> {
    let statements =
        spec(scenario, operation)?.statements.iter().map(|statement| statement.sql.as_str());
    Some(statements.collect::<Vec<_>>().join("; "))
}

fn deadlock(
    evidence: &Evidence<'_, '_>,
    operation: &Operation,
    failure: &OperationFailure,
) -> Option<Deadlock> {
    let OperationFailure::Error(error) = failure else { return None };
    let at = operation.finished_us;
    let session = operation.session.as_ref().map(|session| evidence.trace.session(session, at));
    evidence.deadlock(error, session.as_ref(), at)
}

/// Those that failed, and not by the change: what it would have done to them is not known.
pub fn ended_from_outside(evidence: &Evidence<'_, '_>) -> Vec<Finding> {
    let began = evidence.change_began();
    let mut ended: BTreeMap<EndedBy, (u64, String)> = BTreeMap::new();
    let after = evidence.trace.all_operations().filter(|o| o.finished_us >= began);
    let ended_by = after.filter_map(|o| Some((o, evidence.outside.ended(o)?)));
    // Cuts are what the trial is about: what they ended says nothing of the change.
    for (operation, by) in ended_by.filter(|(_, by)| *by != EndedBy::Cut) {
        let message = || match failure(operation) {
            Some(OperationFailure::Error(error)) => error.to_string(),
            Some(OperationFailure::Indeterminate(message)) => message,
            Some(OperationFailure::Unanswered) | None => "it had no answer yet".to_owned(),
        };
        ended.entry(by).or_insert_with(|| (0, message())).0 += 1;
    }
    let finding = |(by, (operations, message))| {
        unmeasured(FailedMeasurement::OperationsEnded { operations, by, message })
    };
    ended.into_iter().map(finding).collect()
}
