//! Lock waits from samples: which belong to one wait, who blocked it, and whether the change did.
//!
//! The sampler leaves out a sample that differs from the one before in time only, so a sample
//! stands for the time until the next, as long as that is not longer than `HOLD`.

use std::collections::BTreeMap;

use crate::clock::Micros;
use crate::history::{Wait, WaitSample};
use crate::pg::LockMode;

use super::timeline::Timeline;

/// Two samples show the same wait when its start agrees this well; the server sets `waitstart`
/// some milliseconds after the wait begins, and our clock and the server's are read at two ends
/// of a round trip.
const START_TOLERANCE: Micros = Micros::from_millis(25);
/// Two samples of one wait are at most this far apart, when its start is not known.
const SAMPLE_GAP: Micros = Micros::from_millis(250);
/// A sample stands for no longer than this.
const HOLD: Micros = Micros::from_millis(100);
/// A chain of waiters is followed this far; a longer one is a cycle that the server will break.
const CHAIN_MAX: usize = 1_000;

/// One backend's wait for one lock.
#[derive(Clone, Debug, PartialEq)]
pub struct LockWait {
    pub pid: i32,
    pub from: Micros,
    /// The last sample that showed it; it ended within one sampling interval after.
    pub last_seen: Micros,
    pub locktype: String,
    /// As in `pg_locks.mode`.
    pub mode: String,
    pub relation: Option<String>,
    pub blockers: Vec<Blocker>,
    pub cause: Cause,
}

impl LockWait {
    pub fn seen_for(&self) -> Micros {
        self.last_seen - self.from
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Blocker {
    pub pid: i32,
    /// The conflicting mode that it held, in the samples in which it held one.
    pub held: Option<String>,
    /// For how long it was in the way, and for how long of that it held the lock (a hard block)
    /// rather than being ahead in the queue (a soft one).
    pub blocked: Micros,
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
    pub fn is_change(self) -> bool {
        self.change_waiting + self.change_holding > Micros::ZERO
    }
}

/// Derives the waits of every backend, in the order in which they began.
pub fn lock_waits(timeline: &Timeline<'_>) -> Vec<LockWait> {
    let mut open: BTreeMap<i32, LockWait> = BTreeMap::new();
    let mut done = Vec::new();
    for (index, (at, sample)) in timeline.waits.iter().enumerate() {
        let next = timeline.waits.get(index + 1).map_or(*at + HOLD, |(next, _)| *next);
        // At least a microsecond: what was seen was there.
        let stands_for = (next - *at).clamp(Micros(1), HOLD);
        for wait in &sample.waits {
            let from = at.saturating_sub(wait.waited_us.unwrap_or_default());
            let seen =
                begin(wait, from, *at, cause(timeline, sample, wait, stands_for), stands_for);
            match open.get_mut(&wait.pid) {
                Some(known) if is_same(known, wait, from, *at) => extend(known, seen),
                _ => done.extend(open.insert(wait.pid, seen)),
            }
        }
    }
    done.extend(open.into_values());
    done.sort_by_key(|wait| (wait.from, wait.pid));
    done
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
fn begin(wait: &Wait, from: Micros, at: Micros, cause: Cause, stands_for: Micros) -> LockWait {
    LockWait {
        pid: wait.pid,
        from,
        last_seen: at,
        locktype: wait.locktype.clone(),
        mode: wait.mode.clone(),
        relation: wait.relation.clone(),
        blockers: blockers(wait, stands_for),
        cause,
    }
}

fn extend(known: &mut LockWait, seen: LockWait) {
    known.last_seen = seen.last_seen;
    known.cause.change_waiting += seen.cause.change_waiting;
    known.cause.change_holding += seen.cause.change_holding;
    known.cause.other += seen.cause.other;
    for blocker in seen.blockers {
        match known.blockers.iter_mut().find(|b| b.pid == blocker.pid) {
            Some(known) => {
                known.blocked += blocker.blocked;
                known.hard += blocker.hard;
                known.held = blocker.held.or(known.held.take());
            }
            None => known.blockers.push(blocker),
        }
    }
}

fn blockers(wait: &Wait, stands_for: Micros) -> Vec<Blocker> {
    let describe = |pid: &i32| {
        let held = conflicting(wait, *pid);
        let hard = held.as_ref().map_or(Micros::ZERO, |_| stands_for);
        Blocker { pid: *pid, held, blocked: stands_for, hard }
    };
    wait.blockers.iter().map(describe).collect()
}

/// The mode in which `pid` holds the object against the waiter.
pub fn conflicting(wait: &Wait, pid: i32) -> Option<String> {
    let requested = LockMode::parse(&wait.mode);
    let held = wait.holders.iter().filter(|lock| lock.pid == pid);
    let conflicts = held.filter(|lock| match (requested, LockMode::parse(&lock.mode)) {
        (Some(requested), Some(held)) => requested.conflicts_with(held),
        // Not a table-level mode: whoever holds the object blocks.
        _ => true,
    });
    conflicts.map(|lock| lock.mode.clone()).max_by_key(|mode| LockMode::parse(mode))
}

/// Follows the blockers of one waiter through one sample.
fn cause(timeline: &Timeline<'_>, sample: &WaitSample, wait: &Wait, stands_for: Micros) -> Cause {
    let waiting = |pid: i32| sample.waits.iter().find(|w| w.pid == pid);
    let mut next: Vec<i32> = wait.blockers.clone();
    let mut followed = Vec::new();
    while let Some(pid) = next.pop() {
        if timeline.is_change(pid) {
            return match waiting(pid) {
                Some(_) => Cause { change_waiting: stands_for, ..Cause::default() },
                None => Cause { change_holding: stands_for, ..Cause::default() },
            };
        }
        if followed.contains(&pid) || followed.len() >= CHAIN_MAX {
            continue;
        }
        followed.push(pid);
        next.extend(waiting(pid).iter().flat_map(|w| &w.blockers));
    }
    Cause { other: stands_for, ..Cause::default() }
}
