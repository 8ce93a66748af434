//! The pool's pressure from the operations' times: exhaustion and the queue for a connection.

use crate::clock::Micros;
use crate::history::{OperationOutcome, Phase};
use crate::scenario::Scenario;

use super::stalls::Stall;
use super::trace::Trace;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pressure {
    pub capacity: u64,
    /// Most operations that waited for a connection at one moment.
    pub queue_max: u64,
    /// Time in which every connection was checked out while operations waited.
    pub exhausted: Micros,
    /// The longest stretch of it.
    pub exhausted_longest: Micros,
    pub exhausted_from: Option<Micros>,
    /// Counted from the first stall's start.
    pub time_to_exhaustion: Option<Micros>,
    pub time_to_acquire_timeout: Option<Micros>,
}

pub fn pressure(scenario: &Scenario, trace: &Trace<'_>, stalls: &[Stall<'_>]) -> Pressure {
    let capacity = u64::from(scenario.pool.size) + u64::from(scenario.pool.overflow);
    // Before the change, what the pool does is not the change's doing.
    let from = trace.phase(Phase::Change).map_or(Micros::ZERO, |(from, _)| from);
    let mut pressure = Pressure { capacity, ..Pressure::default() };
    let (mut in_use, mut waiting, mut full_since) = (0_i64, 0_i64, None);
    for moment in steps(trace).chunk_by(|a, b| a.0 == b.0) {
        // What happens at one moment is looked at when all of it has happened: an operation that
        // gets a connection at once never waited.
        let at = moment[0].0;
        in_use += moment.iter().map(|(_, used, _)| used).sum::<i64>();
        waiting += moment.iter().map(|(_, _, queued)| queued).sum::<i64>();
        if at < from {
            continue;
        }
        if waiting > pressure.queue_max as i64 {
            pressure.queue_max = waiting as u64;
        }
        let full = in_use >= capacity as i64 && waiting > 0;
        match (full, full_since) {
            (true, None) => full_since = Some(at),
            (false, Some(since)) => {
                pressure.exhausted += at - since;
                pressure.exhausted_longest = pressure.exhausted_longest.max(at - since);
                pressure.exhausted_from.get_or_insert(since);
                full_since = None;
            }
            _ => {}
        }
    }
    let first_stall = stalls.first().map(|stall| stall.from);
    let since_stall = |at: Micros| first_stall.map(|from| at - from);
    pressure.time_to_exhaustion = pressure.exhausted_from.and_then(since_stall);
    let timeouts =
        trace.operations.iter().filter(|o| o.outcome == OperationOutcome::AcquireTimeout);
    let first_timeout = timeouts.map(|o| o.finished_us).min();
    pressure.time_to_acquire_timeout = first_timeout.and_then(since_stall);
    pressure
}

/// Every moment at which a connection is taken or given back, or an operation queues or stops:
/// (when, change of connections in use, change of operations waiting).
pub fn steps(trace: &Trace<'_>) -> Vec<(Micros, i64, i64)> {
    let mut steps = Vec::with_capacity(trace.operations.len() * 3);
    for operation in &trace.operations {
        steps.push((operation.dispatched_us, 0, 1));
        match operation.acquired_us {
            Some(acquired) => {
                steps.push((acquired, 1, -1));
                steps.push((operation.finished_us, -1, 0));
            }
            None => steps.push((operation.finished_us, 0, -1)),
        }
    }
    steps.sort_unstable();
    steps
}
