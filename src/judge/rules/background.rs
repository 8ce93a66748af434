//! Whether what was to go on beside the change did, when it mattered.

use crate::history::{DisturbanceEvent, Held, Moment, ServerError};
use crate::pg::facts::RelationName;
use crate::result::evidence::{Absence, FailedMeasurement};
use crate::result::{Evidence as Shown, Finding, Subject};
use crate::scenario::{ConditionKind, Verdict};

use super::super::trace::{AttemptRecord, StatementRecord};
use super::Evidence;

/// A condition that was not in force, or not for as long as it was to be, is not the condition that
/// the scenario is about.
pub fn background_sessions(evidence: &Evidence<'_, '_>) -> Vec<Finding> {
    let events = &evidence.trace.disturbances;
    let broken = events.iter().filter_map(|(_, event)| match &event.moment {
        Moment::Broken(error) => Some(broken(&event.name, error)),
        Moment::Declared | Moment::Holding | Moment::Ended | Moment::Repeated(_) => None,
    });
    let declared = events.iter().filter(|(_, event)| event.moment == Moment::Declared);
    let absent = declared.filter_map(|(_, event)| {
        let name = event.name.clone();
        let why = absence(evidence, event)?;
        Some(unproven(&event.name, FailedMeasurement::NotInForce { name, why }))
    });
    broken.chain(absent).collect()
}

fn broken(name: &str, error: &ServerError) -> Finding {
    let (of, error) = (name.to_owned(), error.clone());
    unproven(name, FailedMeasurement::Disturbance { name: of, error })
}

fn unproven(name: &str, what: FailedMeasurement) -> Finding {
    Finding::new(Verdict::Unproven, Subject::session(name), Shown::MeasurementFailed(what))
}

/// Why the session that was declared was not there when it mattered; None: it was, or the server
/// ended it, which is another finding.
fn absence(evidence: &Evidence<'_, '_>, declared: &DisturbanceEvent) -> Option<Absence> {
    let of_it = || {
        let events = evidence.trace.disturbances.iter();
        events.filter(|(_, e)| e.name == declared.name && e.rerun == declared.rerun)
    };
    if of_it().any(|(_, event)| matches!(event.moment, Moment::Broken(_))) {
        return None;
    }
    let statements = statements(evidence, declared.rerun);
    let Some((from, holding)) = of_it().find(|(_, event)| event.moment == Moment::Holding) else {
        // Where nothing was tried, another finding says that.
        let nothing_tried = statements.is_empty() && !declared.rerun;
        return (!nothing_tried).then_some(Absence::NeverInPlace);
    };
    let ended = of_it().find(|(_, e)| matches!(e.moment, Moment::Ended | Moment::Repeated(_)));
    let repeats = ended.is_some_and(|(_, event)| matches!(event.moment, Moment::Repeated(_)));
    if !repeats && holding.held.as_ref().is_some_and(holds_nothing) {
        return Some(Absence::HeldNothing);
    }
    // One worker goes through one table, whichever of several it comes to first.
    let is_worker = declared.name == ConditionKind::AntiWraparoundVacuum.as_str();
    let held = holding.held.as_ref().filter(|held| is_worker && !held.locks.is_empty());
    if held.is_some_and(|held| is_elsewhere(held, &statements)) {
        return Some(Absence::HeldElsewhere);
    }
    if statements.is_empty() {
        return declared.rerun.then_some(Absence::NoAttempt);
    }
    let to = ended.map_or(evidence.trace.end, |(at, _)| *at);
    let ends = |s: &StatementRecord<'_>| s.span(evidence.trace.end).1;
    if statements.iter().any(|s| s.at <= to && ends(s) >= *from) {
        return None;
    }
    let began_after = statements.iter().all(|s| ends(s) < *from);
    Some(if began_after { Absence::BeganAfter } else { Absence::EndedBefore })
}

/// The statements of the attempts that it was to be beside, but for the tool's own.
fn statements<'e, 'h>(evidence: &'e Evidence<'_, 'h>, rerun: bool) -> Vec<&'e StatementRecord<'h>> {
    let runners = evidence.scenario.change.runners.max(1);
    let of = |attempt: &&AttemptRecord<'_>| (attempt.attempt >= runners) == rerun;
    let attempts = evidence.trace.attempts.iter().filter(of);
    attempts
        .flat_map(|attempt| &attempt.statements)
        .filter(|statement| !evidence.is_bookkeeping(statement))
        .collect()
}

/// Whether the statements locked tables, and none of those on which this session has a lock.
fn is_elsewhere(held: &Held, statements: &[&StatementRecord<'_>]) -> bool {
    let locks = || {
        let ended = statements.iter().filter_map(|statement| statement.ended);
        ended.flat_map(|ended| ended.held.iter().chain(&ended.taken))
    };
    let name = |relation: &str| RelationName::unquoted(relation);
    let is_held =
        |relation: &str| held.locks.iter().any(|lock| name(&lock.relation).may_be(&name(relation)));
    locks().next().is_some() && !locks().any(|lock| is_held(&lock.relation))
}

/// A session that holds nothing is in nobody's way.
fn holds_nothing(held: &Held) -> bool {
    held.locks.is_empty()
        && !held.snapshot
        && !held.transaction_id
        && !held.active
        && held.sessions <= 1
}
