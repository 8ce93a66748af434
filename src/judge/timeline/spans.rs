//! What lasted: statements, the locks that the change held, disturbances.

use std::collections::BTreeMap;

use crate::history::Moment;
use crate::pg::LockMode;

use super::super::held::granted;
use super::super::sessions::{Session, Transaction};
use super::super::trace::{StatementRecord, Trace};
use super::super::waits::LockWaits;
use super::{DisturbanceSpan, LockSpan, StatementSpan};

pub fn statements(trace: &Trace<'_>) -> Vec<StatementSpan> {
    let all = trace.statements();
    all.map(|record| {
        let (from_us, to_us) = record.span(trace.end);
        StatementSpan { from_us, to_us }
    })
    .collect()
}

/// Locks that let readers and writers of rows pass are left out.
pub fn locks(trace: &Trace<'_>, waits: &LockWaits, sessions: &[Session<'_, '_>]) -> Vec<LockSpan> {
    let mut found = Vec::new();
    for session in sessions {
        for transaction in session.transactions() {
            held_in(trace, waits, session, &transaction, &mut found);
        }
    }
    found.sort_by_key(|lock| lock.from_us);
    found
}

fn held_in(
    trace: &Trace<'_>,
    waits: &LockWaits,
    session: &Session<'_, '_>,
    transaction: &Transaction<'_, '_, '_>,
    found: &mut Vec<LockSpan>,
) {
    let Some(last) = transaction.statements.last() else { return };
    // Left open, it holds its locks until its connection ends.
    let to_us = if last.open_after() { session.until } else { last.span(trace.end).1 };
    let mut first: BTreeMap<(&str, LockMode), &StatementRecord<'_>> = BTreeMap::new();
    for record in transaction.statements {
        let mut strongest: BTreeMap<&str, LockMode> = BTreeMap::new();
        for lock in record.ended.iter().flat_map(|ended| &ended.held) {
            let known = strongest.entry(&lock.relation).or_insert(lock.mode);
            *known = lock.mode.max(*known);
        }
        for (relation, mode) in strongest {
            if mode > LockMode::RowExclusiveLock {
                first.entry((relation, mode)).or_insert(record);
            }
        }
    }
    for ((relation, mode), taker) in first {
        let from_us = granted(trace, waits, &session.id, taker, relation, mode);
        let (attempt, mode) = (session.attempt, mode.as_str().to_owned());
        let relation = relation.to_owned();
        let whose = trace.application(attempt).name().unwrap_or_else(|| "the change".to_owned());
        found.push(LockSpan { attempt, whose, relation, mode, from_us, to_us });
    }
}

pub fn disturbances(trace: &Trace<'_>) -> Vec<DisturbanceSpan> {
    let mut spans: Vec<DisturbanceSpan> = Vec::new();
    for (at, event) in &trace.disturbances {
        let broken = match &event.moment {
            Moment::Holding => {
                let (name, broken) = (event.name.clone(), String::new());
                let span = DisturbanceSpan { name, from_us: *at, to_us: trace.end, broken };
                spans.push(span);
                continue;
            }
            Moment::Declared => continue,
            Moment::Ended | Moment::Repeated(_) => String::new(),
            Moment::Broken(error) => error.to_string(),
        };
        // One that was broken before it held anything has no span.
        let mut open = spans.iter_mut().rev().filter(|span| span.name == event.name);
        if let Some(span) = open.next() {
            (span.to_us, span.broken) = (*at, broken);
        }
    }
    spans
}
