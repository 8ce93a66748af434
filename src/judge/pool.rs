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
    pub exhausted_longest_from: Micros,
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
    for moment in steps(trace).chunk_by(|a, b| a.at() == b.at()) {
        // What happens at one moment is looked at when all of it has happened: an operation that
        // gets a connection at once never waited.
        let at = moment[0].at();
        in_use += moment.iter().map(|step| step.in_use()).sum::<i64>();
        waiting += moment.iter().map(|step| step.waiting()).sum::<i64>();
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
                if at - since > pressure.exhausted_longest {
                    pressure.exhausted_longest = at - since;
                    pressure.exhausted_longest_from = since;
                }
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

/// A change of the connections in use or of the operations that wait for one, and when: the time
/// above two bits. A trial has three of them per operation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Step(u64);

impl Step {
    const QUEUED: u64 = 0;
    const ACQUIRED: u64 = 1;
    const RELEASED: u64 = 2;
    const GAVE_UP: u64 = 3;

    fn new(at: Micros, what: u64) -> Step {
        Step(at.0 << 2 | what)
    }

    pub fn at(self) -> Micros {
        Micros(self.0 >> 2)
    }

    /// By how many connections more are in use.
    pub fn in_use(self) -> i64 {
        match self.0 & 3 {
            Step::ACQUIRED => 1,
            Step::RELEASED => -1,
            _ => 0,
        }
    }

    /// By how many operations more wait.
    pub fn waiting(self) -> i64 {
        match self.0 & 3 {
            Step::QUEUED => 1,
            Step::ACQUIRED | Step::GAVE_UP => -1,
            _ => 0,
        }
    }
}

/// All steps of the trial, in order.
pub fn steps(trace: &Trace<'_>) -> Vec<Step> {
    let mut steps = Vec::with_capacity(trace.operations.len() * 3);
    let queued = trace.operations.iter().map(|o| Step::new(o.dispatched_us, Step::QUEUED));
    steps.extend(queued);
    for operation in &trace.operations {
        match operation.acquired_us {
            Some(acquired) => {
                steps.push(Step::new(acquired, Step::ACQUIRED));
                steps.push(Step::new(operation.finished_us, Step::RELEASED));
            }
            None => steps.push(Step::new(operation.finished_us, Step::GAVE_UP)),
        }
    }
    // Most are in order already, which a stable sort makes use of.
    steps.sort();
    steps
}
