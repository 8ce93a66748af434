//! Stalls: intervals in which operations waited on a lock because of the change.
//!
//! The samples say for whom; how long an operation waited is said by its own times, from the
//! moment at which it was due. An operation that never got a connection has no pid and no wait of
//! its own: it belongs to the stall during which it queued.

use std::collections::BTreeSet;

use crate::clock::Micros;
use crate::history::{Operation, Outcome};

use super::blame::{Blame, blame};
use super::timeline::Timeline;
use super::waits::LockWait;

/// Waits this close together are one stall: between them nobody got through.
const STALL_GAP: Micros = Micros::from_millis(200);
/// Waiting for a connection for less than this is the pool's ordinary business.
const QUEUED_MIN: Micros = Micros::from_millis(20);

#[derive(Clone, Debug)]
pub struct Stall<'h> {
    pub from: Micros,
    /// When the last of its operations was through.
    pub to: Micros,
    /// Operations whose backend waited on a lock, or that queued for a connection meanwhile.
    pub operations: u64,
    /// The longest that one of them took, from due to finished.
    pub longest: Micros,
    /// The wait that stands for the stall: the one whose operation waited longest.
    pub witness: Witnessed<'h>,
    pub blame: Blame,
}

#[derive(Clone, Debug)]
pub struct Witnessed<'h> {
    pub wait: LockWait,
    pub operation: Option<&'h Operation>,
}

/// Finds the stalls, in order.
pub fn stalls<'h>(timeline: &Timeline<'h>, waits: &[LockWait]) -> Vec<Stall<'h>> {
    let caused = |w: &&LockWait| w.cause.is_change() && timeline.is_application(w.pid);
    let mut groups: Vec<Vec<&LockWait>> = Vec::new();
    let mut group_end = Micros::ZERO;
    for wait in waits.iter().filter(caused) {
        match groups.last_mut() {
            Some(group) if wait.from <= group_end + STALL_GAP => group.push(wait),
            _ => groups.push(vec![wait]),
        }
        group_end = group_end.max(wait.last_seen);
    }
    groups.into_iter().map(|group| stall(timeline, waits, &group)).collect()
}

fn stall<'h>(timeline: &Timeline<'h>, waits: &[LockWait], group: &[&LockWait]) -> Stall<'h> {
    let blocked: Vec<Witnessed<'h>> = group.iter().map(|w| witnessed(timeline, w)).collect();
    let from = group.iter().map(|w| w.from).min().unwrap_or_default();
    // The operation's own end is exact; the last sample is at most an interval early.
    let end = |w: &Witnessed<'_>| w.operation.map_or(w.wait.last_seen, |o| o.finished_us);
    let to = blocked.iter().map(end).max().unwrap_or_default();
    let queued: Vec<&Operation> = timeline
        .operations
        .iter()
        .copied()
        .filter(|o| {
            let waited_until = o.acquired_us.unwrap_or(o.finished_us);
            let queued = waited_until - o.dispatched_us >= QUEUED_MIN;
            queued && o.dispatched_us < to && waited_until > from
        })
        .collect();
    let latencies = blocked.iter().map(waited).chain(queued.iter().map(|o| o.latency()));
    let longest = latencies.max().unwrap_or_default();
    let stopped = blocked.iter().filter_map(|w| w.operation).chain(queued);
    let operations = stopped.map(|o| o.seq).collect::<BTreeSet<u64>>().len() as u64;
    let witness = blocked.into_iter().max_by_key(waited);
    // A group is never empty; the first wait stands in where no sample has an operation.
    let witness = witness.unwrap_or_else(|| witnessed(timeline, group[0]));
    let blame = blame(timeline, waits, &witness.wait, (from, to));
    Stall { from, to, operations, longest, witness, blame }
}

fn waited(witnessed: &Witnessed<'_>) -> Micros {
    witnessed.operation.map_or(witnessed.wait.seen_for(), Operation::latency)
}

/// The operation that ran on the waiting backend at that time.
fn witnessed<'h>(timeline: &Timeline<'h>, wait: &LockWait) -> Witnessed<'h> {
    let ran = |o: &&&Operation| {
        o.pid == Some(wait.pid)
            && o.outcome != Outcome::AcquireTimeout
            && o.acquired_us.is_some_and(|at| at <= wait.last_seen)
            && o.finished_us >= wait.last_seen
    };
    Witnessed { wait: wait.clone(), operation: timeline.operations.iter().find(ran).copied() }
}
