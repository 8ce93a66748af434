//! An application of the change that did not come to its end: for whom it waited, or that it was at
//! work.
//!
//! What waits for whom is one graph per moment: locks that the server knows, between sessions of
//! one runner, of two, and with others, and the client, which sends nothing on one connection while
//! it waits for the answer on another.

use std::collections::BTreeSet;

use crate::clock::Micros;
use crate::history::{Attempt, SessionId};
use crate::pg::SqlState;
use crate::pg::purpose::BESIDE_VERSIONS;
use crate::result::evidence::{Hang, HungWait, Polled, Unreached};
use crate::result::{Evidence as Shown, Finding, Subject};
use crate::scenario::Verdict;

use super::super::sessions::Session;
use super::super::trace::{AttemptRecord, StatementRecord};
use super::super::waits::LockWait;
use super::Evidence;
use super::written::written_relation;

/// A wait that a sample showed so shortly before the deadline was still on.
const STILL_ON: Micros = Micros::from_millis(500);
/// A wait that has lasted less says nothing of how long it will, unless it is part of a cycle.
const WAITED_MIN: Micros = Micros::from_secs(1);
/// Fewer attempts to get a lock are no polling.
const TRIES_MIN: usize = 3;
/// The last of them is at most so long ago.
const POLLED_MAX: Micros = Micros::from_secs(30);
/// What takes an advisory lock or returns at once.
const TRY_LOCK: &str = "pg_try_advisory";
/// What a statement that waits between two attempts calls.
const SLEEP: &str = "pg_sleep";
/// Waits are followed this far.
const CHAIN_MAX: usize = 20;

/// The deadline ended the attempt. Of several runners at once a rule of theirs says which one
/// waited for which.
pub fn deadline(evidence: &Evidence<'_, '_>, attempt: &AttemptRecord<'_>) -> Option<Finding> {
    let runners = evidence.scenario.change.runners;
    let at_once = runners > 1 && attempt.attempt < runners;
    match hang(evidence, attempt) {
        Some(_) if at_once => None,
        Some((hang, subject)) => {
            Some(Finding::new(Verdict::Unsafe, subject, Shown::ChangeHung(hang)))
        }
        None => Some(unreached(evidence, attempt)),
    }
}

/// Whether it is one that nobody ends.
pub fn is_cycle(finding: &Finding) -> bool {
    let hang = match &finding.evidence {
        Some(Shown::ChangeHung(hang)) => Some(hang),
        Some(Shown::RunnerHung(runner)) => runner.hang.as_ref(),
        _ => None,
    };
    hang.is_some_and(|hang| hang.cycle)
}

/// When the deadline was over.
fn deadline_of(evidence: &Evidence<'_, '_>, attempt: &AttemptRecord<'_>) -> (Micros, Micros) {
    let deadline_us = Micros::from_millis(evidence.scenario.change.deadline_ms);
    (deadline_us, attempt.began + deadline_us)
}

/// It ran, or did nothing; nothing shows that it waited for another session.
fn unreached(evidence: &Evidence<'_, '_>, attempt: &AttemptRecord<'_>) -> Finding {
    let (deadline_us, end) = deadline_of(evidence, attempt);
    let late = |s: &&StatementRecord<'_>| s.span(evidence.trace.end).1 >= end;
    let running = attempt.statements.iter().find(late);
    let last = running.or(attempt.statements.last());
    let subject = Subject { statement: last.map(|s| evidence.refer(s)), ..Subject::none() };
    let progress = running.and_then(|record| evidence.trace.progress(record, end));
    let unreached = Unreached::Deadline { deadline_us, running: running.is_some(), progress };
    Finding::new(Verdict::Unproven, subject, Shown::NotReached(unreached))
}

/// For whom the attempt waited when its deadline was over, and about which statement that is.
pub fn hang(evidence: &Evidence<'_, '_>, attempt: &AttemptRecord<'_>) -> Option<(Hang, Subject)> {
    let (deadline_us, deadline) = deadline_of(evidence, attempt);
    // It may have been ended by another's end.
    let at = attempt.ended.map_or(deadline, |ended| ended.min(deadline));
    let application = evidence.application(attempt.attempt);
    let none = Hang { application, deadline_us, waits: Vec::new(), cycle: false, polled: None };
    let graph = Graph { evidence, at };
    let (waits, cycle) = graph.chain(attempt.attempt);
    let first = waits.first().filter(|first| cycle || first.waited_us >= WAITED_MIN);
    if let Some(first) = first {
        let subject = Subject {
            statement: first.statement.clone(),
            relation: first.relation.clone(),
            ..Subject::none()
        };
        return Some((Hang { waits, cycle, ..none }, subject));
    }
    let (polled, last) = polled(evidence, attempt, at)?;
    let subject = Subject::statement(evidence.refer(last));
    Some((Hang { polled: Some(polled), ..none }, subject))
}

/// Who waits for whom at one moment.
struct Graph<'g, 'e, 'h> {
    evidence: &'g Evidence<'e, 'h>,
    at: Micros,
}

impl<'g, 'e, 'h> Graph<'g, 'e, 'h> {
    /// From the attempt's longest wait to its end, and whether that is where it began.
    fn chain(&self, attempt: Attempt) -> (Vec<HungWait>, bool) {
        let mut waits = Vec::new();
        let mut passed: BTreeSet<SessionId> = BTreeSet::new();
        let mut next = self.longest_of(attempt, None);
        while let Some(wait) = next.take().filter(|_| waits.len() < CHAIN_MAX) {
            let Some(blocker) = wait.blockers.iter().max_by_key(|b| (b.hard, b.blocked)) else {
                break;
            };
            let holder = &blocker.session;
            waits.push(self.hung(wait, holder, blocker.mostly_held()));
            passed.insert(wait.session.clone());
            if passed.contains(holder) {
                return (waits, true);
            }
            next = self.waiting(holder).or_else(|| self.through_the_client(holder));
            if next.is_some_and(|wait| passed.contains(&wait.session)) {
                return (waits, true);
            }
        }
        (waits, false)
    }

    /// The session's wait at the moment.
    fn waiting(&self, session: &SessionId) -> Option<&'g LockWait> {
        let span = (self.at - STILL_ON, self.at);
        let on = |wait: &&LockWait| wait.from < span.1 && wait.last_seen >= span.0;
        self.evidence.waits.within(session, span).filter(on).max_by_key(|wait| wait.seen_for())
    }

    /// The longest wait of the attempt's sessions but one.
    fn longest_of(&self, attempt: Attempt, but: Option<&SessionId>) -> Option<&'g LockWait> {
        let sessions = self.evidence.sessions.iter().filter(|s| s.attempt == attempt);
        let others = sessions.filter(|session| Some(&session.id) != but);
        others.filter_map(|session| self.waiting(&session.id)).max_by_key(|wait| wait.seen_for())
    }

    /// A connection on which nothing runs waits for its client, and so for whatever the client
    /// waits for.
    fn through_the_client(&self, holder: &SessionId) -> Option<&'g LockWait> {
        let session = self.session(holder)?;
        match self.last(session) {
            Some((_, true)) => None,
            _ => self.longest_of(session.attempt, Some(holder)),
        }
    }

    fn session(&self, id: &SessionId) -> Option<&'g Session<'e, 'h>> {
        self.evidence.sessions.iter().find(|session| {
            session.id == *id && session.statements.first().is_some_and(|s| s.at <= self.at)
        })
    }

    /// The last statement that it had begun by then, and whether it still ran.
    fn last(&self, session: &'g Session<'e, 'h>) -> Option<(&'g StatementRecord<'h>, bool)> {
        let begun = session.statements.partition_point(|record| record.at <= self.at);
        let last = *session.statements.get(begun.checked_sub(1)?)?;
        Some((last, last.span(self.evidence.trace.end).1 >= self.at))
    }

    fn hung(&self, wait: &LockWait, holder: &SessionId, held: Option<&str>) -> HungWait {
        let last = |id: &SessionId| self.session(id).and_then(|session| self.last(session));
        let own = last(&wait.session).map(|(record, _)| record);
        let others = last(holder);
        // A lock on a row is one on its writer's transaction, and names no relation.
        let written = || own.and_then(|record| written_relation(&record.began.text));
        HungWait {
            waiter: self.evidence.trace.name(&wait.session),
            statement: own.map(|record| self.evidence.refer(record)),
            mode: wait.mode.clone(),
            locktype: wait.locktype.clone(),
            relation: wait.relation.clone().or_else(written),
            waited_us: self.at - wait.from,
            since_us: wait.from,
            holder: self.evidence.trace.name(holder),
            held: held.map(str::to_owned),
            holder_statement: others.map(|(record, _)| self.evidence.refer(record)),
            holder_is_idle: others.is_some_and(|(_, running)| !running),
        }
    }
}

/// Whether the statement asks for a lock and returns at once: an advisory one, one that it was
/// refused (55P03), or the row in which a migration tool keeps its lock.
fn tries(record: &StatementRecord<'_>) -> bool {
    let text = &record.began.text;
    let refused = record.ended.and_then(|ended| ended.error.as_ref()).is_some_and(|error| {
        error.sqlstate.as_ref().is_some_and(|state| state.is(SqlState::LOCK_NOT_AVAILABLE))
    });
    let of_a_tool = || {
        let tables = BESIDE_VERSIONS.iter().filter(|table| table.ends_with("lock"));
        let text = text.to_lowercase();
        tables.into_iter().any(|table| text.contains(table))
    };
    text.contains(TRY_LOCK) || refused || of_a_tool()
}

/// The same lock that was asked for again and again, with nothing done in between, by statements or
/// within one.
fn polled<'a, 'h>(
    evidence: &Evidence<'_, '_>,
    attempt: &'a AttemptRecord<'h>,
    at: Micros,
) -> Option<(Polled, &'a StatementRecord<'h>)> {
    let last = attempt.statements.iter().rev().find(|record| tries(record))?;
    let works = |record: &&StatementRecord<'_>| record.changed_something() && !tries(record);
    let since = attempt.statements.iter().rev().find(works).map_or(Micros::ZERO, |s| s.at);
    let same = |s: &&StatementRecord<'_>| s.at >= since && s.began.text == last.began.text;
    let all: Vec<&StatementRecord<'_>> = attempt.statements.iter().filter(same).collect();
    let first = all.first()?;
    let text = &last.began.text;
    let loops = text.contains(TRY_LOCK) && text.contains(SLEEP);
    let (from, to) = last.span(evidence.trace.end);
    let within = loops && to >= at && at - from >= WAITED_MIN;
    if !within && (all.len() < TRIES_MIN || at - last.at > POLLED_MAX) {
        return None;
    }
    let runners = evidence.scenario.change.runners;
    let others = evidence.trace.attempts.iter().filter(|other| {
        other.attempt != attempt.attempt
            && other.attempt < runners
            && other.ended.is_none_or(|ended| ended >= at)
    });
    let polled = Polled {
        tries: if within { 0 } else { all.len() as u64 },
        since_us: first.at,
        waited_us: at - first.at,
        runner: others.map(|other| other.attempt + 1).next(),
    };
    Some((polled, last))
}
