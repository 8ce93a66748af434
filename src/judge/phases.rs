//! Where a statement's time went: what it waited for locks, and the phases that the server's
//! progress views named.

use crate::clock::Micros;
use crate::history::ProgressSeen;
use crate::result::StatementPhase;

use super::trace::{StatementRecord, Trace};
use super::waits::LockWaits;

/// A sample of progress stands for no longer than this: while nothing waits, one is taken a second.
const STANDS_FOR: Micros = Micros::from_millis(1_500);

/// For how much of the statement its session was seen waiting for a lock.
pub fn waited(trace: &Trace<'_>, waits: &LockWaits, record: &StatementRecord<'_>) -> Micros {
    let (from, to) = record.span(trace.end);
    let within = waits.within(&record.session, (from, to));
    let spans = within.map(|wait| (wait.from.max(from), wait.last_seen.min(to)));
    spans.filter(|(from, to)| to > from).fold(Micros::ZERO, |sum, (from, to)| sum + (to - from))
}

/// Each phase once, in the order in which they were first seen.
pub fn phases(trace: &Trace<'_>, record: &StatementRecord<'_>) -> Vec<StatementPhase> {
    let (from, to) = record.span(trace.end);
    let first = trace.activity.partition_point(|(at, _)| *at < from);
    let within: Vec<_> = trace.activity[first..].iter().take_while(|(at, _)| *at <= to).collect();
    let mut phases: Vec<StatementPhase> = Vec::new();
    for (index, (at, sample)) in within.iter().enumerate() {
        let own = |seen: &&ProgressSeen| trace.session(&seen.session, *at) == record.session;
        let Some(seen) = sample.progress.iter().find(own) else { continue };
        let next = within.get(index + 1).map_or(to, |(next, _)| *next);
        let took_us = (next - *at).min(STANDS_FOR);
        match phases.iter_mut().find(|known| known.phase == seen.phase) {
            Some(known) => known.took_us += took_us,
            None => phases.push(StatementPhase { phase: seen.phase.clone(), took_us }),
        }
    }
    phases
}
