//! Declared reads: the rows that each returned, before, during and after the change.

use std::collections::BTreeSet;

use crate::clock::Micros;
use crate::history::{InvariantRead, OperationOutcome, Phase, ServerError};
use crate::pg::SqlState;
use crate::pg::facts::{Relation, RelationName, facts};
use crate::result::evidence::{
    BrokenBaseline, Compared, FailedMeasurement, ReadWhen, Writer, WrongRead, WrongRows,
};
use crate::result::{Evidence as Shown, Finding, Subject};
use crate::scenario::{Invariant, Rows, Since, Verdict};

use super::Evidence;
use super::gaps::unmeasured;

/// One declared read and what it was answered with.
struct Declared<'e, 'h> {
    name: &'e str,
    /// None: the scenario does not declare it, and its rows are to stay the same.
    invariant: Option<&'e Invariant>,
    reads: Vec<(Micros, &'h InvariantRead)>,
}

pub fn reads(evidence: &Evidence<'_, '_>) -> Vec<Finding> {
    let declared = declared(evidence);
    let wrong = declared.iter().filter_map(|declared| wrong(evidence, declared));
    let unseen = declared.iter().filter_map(|declared| unseen(evidence, declared));
    wrong.chain(unseen).collect()
}

/// Those of the scenario and those of the history, by name.
fn declared<'e, 'h>(evidence: &Evidence<'e, 'h>) -> Vec<Declared<'e, 'h>> {
    let invariants = &evidence.scenario.invariants;
    let recorded = &evidence.trace.invariants;
    let of_scenario = invariants.iter().map(|invariant| invariant.name.as_str());
    let of_history = recorded.iter().map(|(_, read)| read.name.as_str());
    let names: BTreeSet<&'e str> = of_scenario.chain(of_history).collect();
    let declared = names.into_iter().map(|name| {
        let invariant = invariants.iter().find(|invariant| invariant.name == name);
        let of_name = recorded.iter().filter(|(at, read)| {
            read.name == name && invariant.is_none_or(|i| !is_premature(evidence, i, *at))
        });
        Declared { name, invariant, reads: of_name.copied().collect() }
    });
    declared.collect()
}

/// From then on nothing is sent as it was before the change.
pub fn change_over(evidence: &Evidence<'_, '_>) -> Micros {
    evidence.trace.phase(Phase::Recovery).map_or(Micros::ZERO, |(from, _)| from)
}

/// Whether it came after the change, in a form that no release sends yet: the newer one follows an
/// attempt that finished. What such a read returns, or that it fails, says nothing.
pub fn is_premature(evidence: &Evidence<'_, '_>, invariant: &Invariant, at: Micros) -> bool {
    let newer = invariant.since == Since::Change || invariant.before.is_some();
    let finished = evidence.trace.attempts.iter().filter(|attempt| attempt.finished());
    let released = finished.filter_map(|attempt| attempt.ended).min();
    newer && at >= change_over(evidence) && released.is_none_or(|released| at < released)
}

/// The first read that is not what it must be. One that gave up by our own timeouts says nothing,
/// as long as one after the change says something.
fn wrong(evidence: &Evidence<'_, '_>, declared: &Declared<'_, '_>) -> Option<Finding> {
    let rows = declared.invariant.map_or(Rows::Same, |invariant| invariant.rows);
    let mut first: Option<(Micros, &InvariantRead)> = None;
    for &(at, read) in &declared.reads {
        if let Some(error) = &read.error {
            if gave_up(error) {
                continue;
            }
            return Some(changed(declared.name, WrongRows::Failed(error.clone())));
        }
        let first = *first.get_or_insert((at, read));
        let found = match rows {
            Rows::Same if first.1.digest == read.digest => None,
            Rows::Same => Some(changed_read(evidence, declared, first, (at, read))),
            Rows::None if read.rows == 0 => None,
            Rows::None => Some(unwanted_rows(evidence, declared.name, (at, read))),
        };
        if found.is_some() {
            return found;
        }
    }
    None
}

/// Our reader has a lock_timeout and a statement_timeout, so that it never waits with the others.
pub fn gave_up(error: &ServerError) -> bool {
    let ours = [SqlState::LOCK_NOT_AVAILABLE, SqlState::QUERY_CANCELED];
    error.sqlstate.as_ref().is_some_and(|state| ours.contains(&state.code()))
}

fn changed(name: &str, found: WrongRows) -> Finding {
    let shown = Shown::ReadChanged(WrongRead { read: name.to_owned(), found });
    Finding::new(Verdict::Unsafe, Subject::none(), shown)
}

/// It did not hold before the change either.
fn unstable(baseline: BrokenBaseline) -> Finding {
    Finding::new(Verdict::Unproven, Subject::none(), Shown::BaselineBroken(baseline))
}

fn changed_read(
    evidence: &Evidence<'_, '_>,
    declared: &Declared<'_, '_>,
    (first_at, first): (Micros, &InvariantRead),
    (at, read): (Micros, &InvariantRead),
) -> Finding {
    if at < evidence.change_began() {
        return unstable(BrokenBaseline::ReadChanged { read: declared.name.to_owned() });
    }
    let over = change_over(evidence);
    let two_forms = declared.invariant.is_some_and(|invariant| invariant.before.is_some());
    let compared = if first_at >= over {
        Compared::AfterAndLater
    } else if two_forms && at >= over {
        Compared::TwoForms
    } else {
        Compared::BeforeAnd { when: when(evidence, at), older_form: two_forms }
    };
    let found = WrongRows::Changed { rows: first.rows, now: read.rows, compared };
    changed(declared.name, found)
}

fn unwanted_rows(
    evidence: &Evidence<'_, '_>,
    name: &str,
    (at, read): (Micros, &InvariantRead),
) -> Finding {
    let rows = read.rows;
    if at < evidence.change_began() {
        return unstable(BrokenBaseline::ReadUnwanted { read: name.to_owned(), rows });
    }
    let (first, writers) = (read.first.clone(), writers(evidence, name, at));
    changed(name, WrongRows::Unwanted { rows, when: when(evidence, at), first, writers })
}

/// Operations that wrote a table which the read names, after the change was there and before the
/// read.
fn writers(evidence: &Evidence<'_, '_>, name: &str, at: Micros) -> Vec<Writer> {
    let invariant = evidence.scenario.invariants.iter().find(|one| one.name == name);
    let read = invariant.map(|one| facts(&one.statement.sql)).unwrap_or_default();
    let reads = |written: &RelationName| {
        read.locks().any(|lock| match &lock.relation {
            Relation::Named(name) => name.may_be(written),
            _ => false,
        })
    };
    let finished = evidence.trace.attempts.iter().filter(|attempt| attempt.finished());
    let Some(there) = finished.filter_map(|attempt| attempt.ended).min() else { return Vec::new() };
    let operations = evidence.scenario.traffic.operations.iter().enumerate();
    let writers = operations.filter(|(_, spec)| {
        let known = spec.statements.iter().flat_map(|statement| facts(&statement.sql).statements);
        known.flat_map(|facts| facts.writes).any(|written| reads(&written))
    });
    let times = |kind: usize| {
        let after = evidence.trace.operations.iter().filter(|operation| {
            usize::from(operation.kind) == kind
                && operation.outcome == OperationOutcome::Succeeded
                && operation.acquired_us.is_some_and(|acquired| acquired >= there)
                && operation.finished_us <= at
        });
        after.count() as u64
    };
    writers
        .map(|(kind, spec)| Writer { operation: spec.name.clone(), times: times(kind) })
        .filter(|writer| writer.times > 0)
        .collect()
}

fn when(evidence: &Evidence<'_, '_>, at: Micros) -> ReadWhen {
    let during = evidence.trace.phase(Phase::Change);
    match during.is_some_and(|(from, to)| from <= at && at < to) {
        true => ReadWhen::During,
        false => ReadWhen::After,
    }
}

/// Without an answer after the change, be it an error, nothing is known of what it did to the read.
fn unseen(evidence: &Evidence<'_, '_>, declared: &Declared<'_, '_>) -> Option<Finding> {
    let over = change_over(evidence);
    let answers = |read: &InvariantRead| read.error.as_ref().is_none_or(|error| !gave_up(error));
    if declared.reads.iter().any(|(at, read)| *at >= over && answers(read)) {
        return None;
    }
    Some(unmeasured(FailedMeasurement::ReadUnanswered { read: declared.name.to_owned() }))
}
