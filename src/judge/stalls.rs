//! Stalls: intervals in which operations waited on a lock because of the change.
//!
//! The samples say for whom; an operation's own times say how long it waited, from the
//! moment for which it was scheduled. An operation that never got a connection has no session and
//! no wait of its own: it belongs to the stall during which it queued.

use std::collections::BTreeSet;

use crate::clock::Micros;
use crate::history::Operation;

use super::blame::{Blame, Scene, blame};
use super::overlaps::Overlaps;
use super::sessions::Session;
use super::trace::Trace;
use super::waits::{LockWait, LockWaits};

/// Waits this close together are one stall: between them no session got through.
const STALL_GAP: Micros = Micros::from_millis(200);
/// Waiting for a connection for less than this is the pool's ordinary business.
const QUEUED_MIN: Micros = Micros::from_millis(20);

#[derive(Clone, Debug)]
pub struct Stall<'h> {
    pub from: Micros,
    /// When the last of its operations was through.
    pub to: Micros,
    /// Numbers of the operations whose session waited on a lock, or that queued for a connection
    /// meanwhile.
    pub operations: BTreeSet<u64>,
    /// The longest that one of them took, from scheduled to finished.
    pub longest: Micros,
    /// The wait that represents the stall: the one whose operation waited longest.
    pub witness: Witnessed<'h>,
    pub blame: Blame,
}

#[derive(Clone, Debug)]
pub struct Witnessed<'h> {
    pub wait: LockWait,
    pub operation: Option<&'h Operation>,
}

/// Finds the stalls, in order.
pub fn stalls<'t, 'h>(
    trace: &'t Trace<'h>,
    waits: &LockWaits,
    sessions: &[Session<'t, 'h>],
) -> Vec<Stall<'h>> {
    let caused = |w: &&LockWait| w.cause.is_change() && trace.is_application(&w.session);
    let mut groups: Vec<Vec<&LockWait>> = Vec::new();
    let mut group_end = Micros::ZERO;
    for wait in waits.iter().filter(caused) {
        match groups.last_mut() {
            Some(group) if wait.from <= group_end + STALL_GAP => group.push(wait),
            _ => groups.push(vec![wait]),
        }
        group_end = group_end.max(wait.last_seen);
    }
    let (scene, queued) = (Scene::new(trace, waits, sessions), Queued::of(trace));
    groups.into_iter().map(|group| stall(trace, &scene, &queued, &group)).collect()
}

/// Operations that queued for a connection.
struct Queued<'h> {
    operations: Vec<&'h Operation>,
    /// From when to when they queued.
    overlaps: Overlaps,
}

impl<'h> Queued<'h> {
    fn of(trace: &Trace<'h>) -> Queued<'h> {
        let long = |o: &&Operation| queued_until(o) - o.dispatched_us >= QUEUED_MIN;
        let mut operations: Vec<&Operation> =
            trace.operations.iter().copied().filter(long).collect();
        operations.sort_by_key(|o| o.dispatched_us);
        let overlaps = Overlaps::of(operations.iter().map(|o| (o.dispatched_us, queued_until(o))));
        Queued { operations, overlaps }
    }

    fn within(&self, (from, to): (Micros, Micros)) -> impl Iterator<Item = &'h Operation> {
        let some = &self.operations[self.overlaps.within((from, to))];
        some.iter().copied().filter(move |o| o.dispatched_us < to && queued_until(o) > from)
    }
}

fn queued_until(operation: &Operation) -> Micros {
    operation.acquired_us.unwrap_or(operation.finished_us)
}

fn stall<'h>(
    trace: &Trace<'h>,
    scene: &Scene<'_, '_, 'h>,
    queued: &Queued<'h>,
    group: &[&LockWait],
) -> Stall<'h> {
    let blocked: Vec<Witnessed<'h>> = group.iter().map(|w| witnessed(trace, w)).collect();
    let from = group.iter().map(|w| w.from).min().unwrap_or_default();
    // The operation's own end is exact; the last sample is at most an interval early.
    let end = |w: &Witnessed<'_>| w.operation.map_or(w.wait.last_seen, |o| o.finished_us);
    let to = blocked.iter().map(end).max().unwrap_or_default();
    let queued: Vec<&Operation> = queued.within((from, to)).collect();
    let latencies = blocked.iter().map(waited).chain(queued.iter().map(|o| o.latency()));
    let longest = latencies.max().unwrap_or_default();
    let stopped = blocked.iter().filter_map(|w| w.operation).chain(queued);
    let operations = stopped.map(|o| o.seq).collect();
    let witness = blocked.into_iter().max_by_key(waited);
    // A group is never empty; the first wait is used where no sample has an operation.
    let witness = witness.unwrap_or_else(|| witnessed(trace, group[0]));
    let blame = blame(scene, &witness.wait, (from, to));
    Stall { from, to, operations, longest, witness, blame }
}

fn waited(witnessed: &Witnessed<'_>) -> Micros {
    witnessed.operation.map_or(witnessed.wait.seen_for(), Operation::latency)
}

/// With the operation that the waiting session ran at that time. A sample's time is that of its
/// answer, by which the operation may have ended: then it is the one in the middle of the wait.
fn witnessed<'h>(trace: &Trace<'h>, wait: &LockWait) -> Witnessed<'h> {
    let middle = wait.from + Micros((wait.last_seen - wait.from).0 / 2);
    let at_the_end = trace.running(&wait.session, wait.last_seen);
    let waited = |o: &&Operation| o.acquired_us.is_some_and(|acquired| acquired <= middle);
    let operation =
        at_the_end.filter(waited).or_else(|| trace.running(&wait.session, middle)).or(at_the_end);
    Witnessed { wait: wait.clone(), operation }
}
