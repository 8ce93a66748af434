//! Locks of a statement that commits by itself: it takes and releases them while it runs, before
//! anything can be read after it.

use crate::clock::Micros;
use crate::history::{GrantedLock, SessionId, WaitSample};
use crate::pg::LockMode;

use super::trace::{StatementRecord, Trace};

/// A lock that a statement held, or asks for, while it ran.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnLock {
    pub relation: String,
    pub mode: LockMode,
    /// A sample shows that it blocked a session; else it is what the statement's text asks for.
    pub seen: bool,
}

/// What samples show that the statement's backend held against others while it ran, and what its
/// text asks for beyond that.
pub fn own_locks(
    timeline: &Trace<'_>,
    session: &SessionId,
    record: &StatementRecord<'_>,
) -> Vec<OwnLock> {
    let mut locks: Vec<OwnLock> = Vec::new();
    let mut add = |lock: OwnLock| {
        let known = |of: &OwnLock| of.relation == lock.relation && of.mode == lock.mode;
        if !locks.iter().any(known) {
            locks.push(lock);
        }
    };
    let span = record.span(timeline.end);
    let own =
        |(at, lock): &(Micros, &GrantedLock)| timeline.session(&lock.session, *at) == *session;
    for (_, lock) in samples(timeline, span).filter(own) {
        if let (Some(relation), Some(mode)) = (&lock.relation, LockMode::parse(&lock.mode)) {
            add(OwnLock { relation: relation.clone(), mode, seen: true });
        }
    }
    for lock in record.facts().locks() {
        add(OwnLock { relation: lock.relation.to_string(), mode: lock.mode, seen: false });
    }
    locks
}

/// Locks of relations that others waited for, with the time of their sample. The lock of a row's
/// version, or of a file that grows, names its relation too, and is held for a moment.
fn samples<'t, 'h>(
    timeline: &'t Trace<'h>,
    (from, to): (Micros, Micros),
) -> impl Iterator<Item = (Micros, &'h GrantedLock)> + use<'t, 'h> {
    let first = timeline.waits.partition_point(|(at, _)| *at < from);
    let within = timeline.waits[first..].iter().take_while(move |(at, _)| *at <= to);
    let of_relation =
        |sample: &'h WaitSample| sample.waits.iter().filter(|wait| wait.locktype == "relation");
    let held = move |sample| of_relation(sample).flat_map(|wait| &wait.holders);
    within.flat_map(move |(at, sample)| held(sample).map(move |lock| (*at, lock)))
}
