//! Lock waits from samples: which belong to one wait, who blocked it, and whether the change did.
//!
//! The sampler leaves out a sample that differs from the one before in time only, so a sample
//! covers the time until the next, as long as that is not longer than `HOLD`.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Deref;

use crate::clock::Micros;
use crate::history::{SessionId, Wait};
use crate::pg::LockMode;

use super::overlaps::Overlaps;
use super::trace::Trace;

/// Two samples show the same wait when its start agrees this well; the server sets `waitstart`
/// some milliseconds after the wait begins, and our clock and the server's are read at two ends
/// of a round trip.
const START_TOLERANCE: Micros = Micros::from_millis(25);
/// Two samples of one wait are at most this far apart, when its start is not known.
const SAMPLE_GAP: Micros = Micros::from_millis(250);
/// A sample covers no longer than this.
const HOLD: Micros = Micros::from_millis(100);
/// A chain of waiters is followed this far; a longer one is a cycle that the server will break.
const CHAIN_MAX: usize = 1_000;

/// One backend's wait for one lock.
#[derive(Clone, Debug, PartialEq)]
pub struct LockWait {
    /// Backend that waits.
    pub session: SessionId,
    /// Begin: `pg_locks.waitstart`, or the first sample.
    pub from: Micros,
    /// The last sample that showed it; it ended within one sampling interval after.
    pub last_seen: Micros,
    /// `pg_locks.locktype`.
    pub locktype: String,
    /// As in `pg_locks.mode`.
    pub mode: String,
    /// Qualified name; None: the lock is on no relation.
    pub relation: Option<String>,
    /// Every backend that was in the way, in the order in which each was first seen.
    pub blockers: Vec<Blocker>,
    /// Whether the change was among them, or ahead of them.
    pub cause: Cause,
}

impl LockWait {
    /// Time from its begin to the last sample that shows it.
    pub fn seen_for(&self) -> Micros {
        self.last_seen - self.from
    }
}

/// A backend that was in the way.
#[derive(Clone, Debug, PartialEq)]
pub struct Blocker {
    /// Which backend it is.
    pub session: SessionId,
    /// The conflicting mode that it held, in the samples in which it held one.
    pub held: Option<String>,
    /// For how long it was in the way, and for how long of that it held the lock (a hard block)
    /// rather than being ahead in the queue (a soft one).
    pub blocked: Micros,
    /// For how long it held a conflicting lock; the rest of the time it was ahead in the queue.
    pub hard: Micros,
}

impl Blocker {
    /// What it held, where it held it for most of the time.
    pub fn mostly_held(&self) -> Option<&str> {
        self.held.as_deref().filter(|_| self.hard + self.hard >= self.blocked)
    }
}

/// Whether the chain of blockers leads to the change, and for how long.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cause {
    /// The chain ended at the change while it waited for a lock itself.
    pub change_waiting: Micros,
    /// It ended at the change, and the change was not waiting.
    pub change_holding: Micros,
    /// The change had no part in it.
    pub other: Micros,
}

impl Cause {
    /// Whether the change is known to be in the way.
    pub fn is_change(self) -> bool {
        self.change_waiting + self.change_holding > Micros::ZERO
    }
}

/// All waits, in the order in which they began, and by session.
pub struct LockWaits {
    all: Vec<LockWait>,
    by_session: HashMap<SessionId, OfSession>,
}

/// Numbers of one session's waits.
#[derive(Default)]
struct OfSession {
    numbers: Vec<usize>,
    overlaps: Overlaps,
}

impl LockWaits {
    pub fn of(all: Vec<LockWait>) -> LockWaits {
        let mut by_session: HashMap<SessionId, OfSession> = HashMap::new();
        for (number, wait) in all.iter().enumerate() {
            by_session.entry(wait.session.clone()).or_default().numbers.push(number);
        }
        for of in by_session.values_mut() {
            let spans = of.numbers.iter().map(|number| &all[*number]);
            of.overlaps = Overlaps::of(spans.map(|wait| (wait.from, wait.last_seen)));
        }
        LockWaits { all, by_session }
    }

    pub fn into_all(self) -> Vec<LockWait> {
        self.all
    }

    /// Waits of the session among which are all that touch the span.
    pub fn within(
        &self,
        session: &SessionId,
        span: (Micros, Micros),
    ) -> impl Iterator<Item = &LockWait> {
        let of = self.by_session.get(session);
        let numbers = of.map_or(&[][..], |of| &of.numbers[of.overlaps.within(span)]);
        numbers.iter().map(|number| &self.all[*number])
    }
}

impl Deref for LockWaits {
    type Target = [LockWait];

    fn deref(&self) -> &[LockWait] {
        &self.all
    }
}

/// Derives the waits of every session from the samples, in the order in which they began.
pub fn derive(trace: &Trace<'_>) -> Vec<LockWait> {
    let mut open: BTreeMap<SessionId, LockWait> = BTreeMap::new();
    let mut done = Vec::new();
    for (index, (at, sample)) in trace.waits.iter().enumerate() {
        let next = trace.waits.get(index + 1).map_or(*at + HOLD, |(next, _)| *next);
        // At least a microsecond: what was seen was there.
        let stands_for = (next - *at).clamp(Micros(1), HOLD);
        let queue = Queue::of(trace, *at, &sample.waits);
        for wait in &queue.waits {
            let from = at.saturating_sub(wait.seen.waited_us.unwrap_or_default());
            let cause = queue.cause(trace, wait, stands_for);
            match open.get_mut(&wait.session) {
                Some(known) if is_same(known, wait.seen, from, *at) => {
                    extend(known, wait, *at, cause, stands_for);
                }
                _ => {
                    let began = begin(wait, from, *at, cause, stands_for);
                    done.extend(open.insert(wait.session.clone(), began));
                }
            }
        }
    }
    done.extend(open.into_values());
    done.sort_by(|a, b| (a.from, &a.session).cmp(&(b.from, &b.session)));
    done
}

/// A sample whose sessions are distinguished from others with their pids.
struct Queue<'h> {
    waits: Vec<Waiting<'h>>,
    /// Number of each waiter in `waits`.
    waiters: HashMap<SessionId, usize>,
}

struct Waiting<'h> {
    session: SessionId,
    /// In the order of those that were seen.
    blockers: Vec<SessionId>,
    seen: &'h Wait,
}

impl<'h> Queue<'h> {
    fn of(trace: &Trace<'_>, at: Micros, waits: &'h [Wait]) -> Queue<'h> {
        let session = |seen: &SessionId| trace.session(seen, at);
        let waiting = |seen: &'h Wait| Waiting {
            session: session(&seen.session),
            blockers: seen.blockers.iter().map(session).collect(),
            seen,
        };
        let waits: Vec<Waiting<'h>> = waits.iter().map(waiting).collect();
        let mut waiters = HashMap::with_capacity(waits.len());
        for (number, wait) in waits.iter().enumerate() {
            waiters.entry(wait.session.clone()).or_insert(number);
        }
        Queue { waits, waiters }
    }

    /// Follows the blockers of one waiter through the sample.
    fn cause(&self, trace: &Trace<'_>, wait: &Waiting<'_>, stands_for: Micros) -> Cause {
        let waiting = |session: &SessionId| self.waiters.get(session).map(|n| &self.waits[*n]);
        let mut next: Vec<&SessionId> = wait.blockers.iter().collect();
        let mut followed = HashSet::new();
        while let Some(session) = next.pop() {
            if trace.is_change(session) {
                return match waiting(session) {
                    Some(_) => Cause { change_waiting: stands_for, ..Cause::default() },
                    None => Cause { change_holding: stands_for, ..Cause::default() },
                };
            }
            if followed.len() < CHAIN_MAX && followed.insert(session) {
                next.extend(waiting(session).iter().flat_map(|wait| &wait.blockers));
            }
        }
        Cause { other: stands_for, ..Cause::default() }
    }
}

fn is_same(known: &LockWait, wait: &Wait, from: Micros, at: Micros) -> bool {
    let same_lock = known.locktype == wait.locktype
        && known.mode == wait.mode
        && known.relation == wait.relation;
    let apart = if known.from > from { known.from - from } else { from - known.from };
    // Without a waitstart, `from` is the sample's own time: then only its closeness can tell.
    let without_start = wait.waited_us.is_none() && at - known.last_seen <= SAMPLE_GAP;
    same_lock && (apart <= START_TOLERANCE || without_start)
}

/// The wait as one sample shows it.
fn begin(
    wait: &Waiting<'_>,
    from: Micros,
    at: Micros,
    cause: Cause,
    stands_for: Micros,
) -> LockWait {
    LockWait {
        session: wait.session.clone(),
        from,
        last_seen: at,
        locktype: wait.seen.locktype.clone(),
        mode: wait.seen.mode.clone(),
        relation: wait.seen.relation.clone(),
        blockers: blockers(wait, stands_for).collect(),
        cause,
    }
}

fn extend(known: &mut LockWait, wait: &Waiting<'_>, at: Micros, cause: Cause, stands_for: Micros) {
    known.last_seen = at;
    known.cause.change_waiting += cause.change_waiting;
    known.cause.change_holding += cause.change_holding;
    known.cause.other += cause.other;
    for blocker in blockers(wait, stands_for) {
        match known.blockers.iter_mut().find(|b| b.session == blocker.session) {
            Some(known) => {
                known.blocked += blocker.blocked;
                known.hard += blocker.hard;
                known.held = blocker.held.or(known.held.take());
            }
            None => known.blockers.push(blocker),
        }
    }
}

fn blockers(wait: &Waiting<'_>, stands_for: Micros) -> impl Iterator<Item = Blocker> {
    let seen = wait.blockers.iter().zip(&wait.seen.blockers);
    seen.map(move |(session, seen)| {
        let held = conflicting(wait.seen, seen);
        let hard = held.as_ref().map_or(Micros::ZERO, |_| stands_for);
        Blocker { session: session.clone(), held, blocked: stands_for, hard }
    })
}

/// The mode in which the blocker, as it was seen, holds the object against the waiter.
pub fn conflicting(wait: &Wait, blocker: &SessionId) -> Option<String> {
    let requested = LockMode::parse(&wait.mode);
    let held = wait.holders.iter().filter(|lock| lock.session == *blocker);
    let conflicts = held.filter(|lock| match (requested, LockMode::parse(&lock.mode)) {
        (Some(requested), Some(held)) => requested.conflicts_with(held),
        // Not a table-level mode: every holder of the object blocks.
        _ => true,
    });
    conflicts.map(|lock| lock.mode.clone()).max_by_key(|mode| LockMode::parse(mode))
}
