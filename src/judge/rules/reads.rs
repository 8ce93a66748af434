//! Declared reads: the rows that each returned, before, during and after the change.

use std::collections::BTreeSet;

use crate::clock::Micros;
use crate::history::{InvariantRead, Phase, ServerError};
use crate::pg::SqlState;
use crate::result::Finding;
use crate::scenario::{FindingKind, Invariant, Rows, Since, Verdict};

use super::words::count;
use super::{Evidence, finding};

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
    let recorded = &evidence.timeline.invariants;
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
    evidence.timeline.phase(Phase::Recovery).map_or(Micros::ZERO, |(from, _)| from)
}

/// Whether it came after the change, in a form that nobody sends yet: the newer release follows an
/// attempt that finished. What such a read returns, or that it fails, says nothing.
pub fn is_premature(evidence: &Evidence<'_, '_>, invariant: &Invariant, at: Micros) -> bool {
    let newer = invariant.since == Since::Change || invariant.before.is_some();
    let finished = evidence.timeline.attempts.iter().filter(|attempt| attempt.finished());
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
            let sentence = format!("the read {} failed: {error}", declared.name);
            return Some(finding(FindingKind::ReadChanged, Verdict::Unsafe, sentence));
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

fn changed_read(
    evidence: &Evidence<'_, '_>,
    declared: &Declared<'_, '_>,
    (first_at, first): (Micros, &InvariantRead),
    (at, read): (Micros, &InvariantRead),
) -> Finding {
    let (name, rows, now) = (declared.name, count(first.rows, "row"), read.rows);
    if at < evidence.change_began() {
        let sentence = format!("the read {name} changed before the change began: it does not hold");
        return finding(FindingKind::BaselineBroken, Verdict::Unproven, sentence);
    }
    let over = change_over(evidence);
    let two_forms = declared.invariant.is_some_and(|invariant| invariant.before.is_some());
    let sentence = if first_at >= over {
        format!("the read {name} returned {rows} after the change and {now} other ones later")
    } else if two_forms && at >= over {
        format!(
            "the read {name} returned {rows} before the change, as the older release sends it, \
             and {now} other ones after it, as the newer one does"
        )
    } else {
        let form = if two_forms { ", as the older release sends it" } else { "" };
        let when = when(evidence, at);
        format!(
            "the read {name} returned {rows} before the change and {now} other ones {when}{form}"
        )
    };
    finding(FindingKind::ReadChanged, Verdict::Unsafe, sentence)
}

fn unwanted_rows(
    evidence: &Evidence<'_, '_>,
    name: &str,
    (at, read): (Micros, &InvariantRead),
) -> Finding {
    let rows = count(read.rows, "row");
    if at < evidence.change_began() {
        let sentence = format!(
            "the read {name} returned {rows} before the change began, and must return none: it \
             does not hold"
        );
        return finding(FindingKind::BaselineBroken, Verdict::Unproven, sentence);
    }
    let when = when(evidence, at);
    let sentence = format!("the read {name} returned {rows} {when}, and must return none");
    finding(FindingKind::ReadChanged, Verdict::Unsafe, sentence)
}

fn when(evidence: &Evidence<'_, '_>, at: Micros) -> &'static str {
    let during = evidence.timeline.phase(Phase::Change);
    match during.is_some_and(|(from, to)| from <= at && at < to) {
        true => "while it ran",
        false => "after it",
    }
}

/// Without an answer after the change, be it an error, nothing is known of what it did to the read.
fn unseen(evidence: &Evidence<'_, '_>, declared: &Declared<'_, '_>) -> Option<Finding> {
    let over = change_over(evidence);
    let answers = |read: &InvariantRead| read.error.as_ref().is_none_or(|error| !gave_up(error));
    if declared.reads.iter().any(|(at, read)| *at >= over && answers(read)) {
        return None;
    }
    let sentence = format!("the read {} was never answered after the change", declared.name);
    Some(finding(FindingKind::MeasurementFailed, Verdict::Unproven, sentence))
}
