//! What the change did to the application: stalls and the pool.

use crate::clock::Micros;
use crate::history::{Operation, OperationOutcome};
use crate::result::evidence::{AcquireTimeouts, PoolExhausted, Stalled};
use crate::result::{BlockingState, Evidence as Shown, Finding, OperationRef, Subject, Witness};
use crate::scenario::Verdict;

use super::super::outcomes::name;
use super::super::stalls::Stall;
use super::Evidence;
use super::written::written_relation;

/// A pool that is full for less than this had a burst, not a blockage.
const EXHAUSTED_MIN: Micros = Micros::from_millis(100);

/// The worst stall that is beyond the limit, and how many there were.
pub fn stalls(evidence: &Evidence<'_, '_>) -> Option<Finding> {
    let limit = evidence.stall_limit();
    let beyond: Vec<&Stall<'_>> = evidence.stalls.iter().filter(|s| s.longest > limit).collect();
    let worst = *beyond.iter().max_by_key(|s| (stall_verdict(evidence, s), s.longest))?;
    let (blame, witness) = (&worst.blame, witness(evidence, worst));
    let stalled = Stalled {
        operations: worst.operations.len() as u64,
        longest_us: worst.longest,
        limit_us: limit,
        state: blame.state,
        waiting_us: blame.waiting,
        holding_us: blame.holding,
        idle_us: blame.idle,
        overhead_us: blame.looking,
        lock_timeout_us: blame.lock_timeout,
        idle_timeout_us: blame.idle_timeout,
        behind: blame.behind.clone(),
        locktype: worst.witness.wait.locktype.clone(),
        taken_earlier: blame.taken_by.is_some(),
        held_meanwhile: blame.held_meanwhile.clone(),
        stalls: beyond.len() as u64,
        from_us: worst.from,
        to_us: worst.to,
    };
    let subject = Subject {
        statement: blame.during.clone(),
        relation: witness.relation.clone(),
        session: None,
        operation: worst.witness.operation.map(|o| operation_ref(evidence, o).name),
    };
    let verdict = stall_verdict(evidence, worst);
    let finding = Finding::new(verdict, subject, Shown::Stall(stalled));
    Some(Finding { witness: Some(witness), ..finding })
}

/// Bounded where each part of it has an end that the change itself has set: the waiting by
/// lock_timeout, the idling by its own timeout. Work under the lock has none, and grows with size.
/// A stall that our own looks have lengthened beyond the limit proves nothing.
fn stall_verdict(evidence: &Evidence<'_, '_>, stall: &Stall<'_>) -> Verdict {
    // What piled up behind the lock has to drain after it.
    let limit = evidence.stall_limit();
    if stall.longest > limit && stall.longest - stall.blame.looking <= limit {
        return Verdict::Unproven;
    }
    let within = |part: Micros, own: Option<Micros>| part <= own.unwrap_or_default() + limit;
    let blame = &stall.blame;
    let bounded = within(blame.waiting, blame.lock_timeout)
        && within(blame.idle, blame.idle_timeout)
        && within(blame.holding, None)
        && within(blame.rest, None)
        && blame.lock_timeout.or(blame.idle_timeout).is_some();
    match bounded {
        true => Verdict::Bounded,
        false => Verdict::Unsafe,
    }
}

fn witness(evidence: &Evidence<'_, '_>, stall: &Stall<'_>) -> Witness {
    let wait = &stall.witness.wait;
    let operation = stall.witness.operation;
    let own = wait.blockers.iter().filter(|b| evidence.trace.is_change(&b.session));
    let blocker = own.max_by_key(|b| (b.blocked, b.hard)).or(wait.blockers.first());
    Witness {
        at_us: wait.from,
        waited_us: operation.map_or(wait.seen_for(), |o| o.finished_us - wait.from),
        waiter: match operation {
            Some(o) => operation_ref(evidence, o).to_string(),
            None => evidence.trace.name(&wait.session),
        },
        relation: wait.relation.clone().or_else(|| relation_of(stall)),
        requested: match wait.locktype.as_str() {
            "relation" => wait.mode.clone(),
            other => format!("{} ({other})", wait.mode),
        },
        blocker: blocker.map_or_else(String::new, |b| evidence.trace.name(&b.session)),
        held: blocker.and_then(|b| b.mostly_held()).map(str::to_owned),
        during: stall.blame.during.clone(),
        taken_by: stall.blame.taken_by.clone(),
        behind: match stall.blame.state {
            BlockingState::Waiting => stall.blame.behind.clone(),
            BlockingState::Holding | BlockingState::Idle => None,
        },
    }
}

/// A row-lock wait names no relation; the statement that holds the row does.
fn relation_of(stall: &Stall<'_>) -> Option<String> {
    written_relation(&stall.blame.during.as_ref()?.text)
}

pub fn operation_ref(evidence: &Evidence<'_, '_>, operation: &Operation) -> OperationRef {
    let name = name(evidence.scenario, operation);
    OperationRef { name: name.to_owned(), pid: operation.session.as_ref().map(|s| s.pid) }
}

/// What the worst stall amounts to; without one, the application's trouble has no such excuse.
pub fn verdict_with_stall(evidence: &Evidence<'_, '_>) -> Verdict {
    stalls(evidence).map_or(Verdict::Unsafe, |stall| stall.verdict)
}

pub fn pool_exhaustion(evidence: &Evidence<'_, '_>) -> Option<Finding> {
    let pool = evidence.pool;
    if pool.exhausted_longest < EXHAUSTED_MIN {
        return None;
    }
    let exhausted = PoolExhausted {
        connections: pool.capacity,
        exhausted_us: pool.exhausted_longest,
        after_us: pool.time_to_exhaustion,
        queue_max: pool.queue_max,
        from_us: pool.exhausted_longest_from,
        limit_us: evidence.stall_limit(),
    };
    // Within the limit on stalls it is the pool doing its work, and worth a finding only where the
    // change made operations wait meanwhile.
    let verdict = match pool.exhausted_longest > evidence.stall_limit() {
        true => verdict_with_stall(evidence),
        false if stalled_meanwhile(evidence) => Verdict::Safe,
        false => return None,
    };
    Some(Finding::new(verdict, Subject::none(), Shown::PoolExhaustion(exhausted)))
}

/// Whether the change made an operation wait while the pool was exhausted for longest.
fn stalled_meanwhile(evidence: &Evidence<'_, '_>) -> bool {
    let from = evidence.pool.exhausted_longest_from;
    let to = from + evidence.pool.exhausted_longest;
    evidence.stalls.iter().any(|stall| stall.from < to && stall.to > from)
}

pub fn acquire_timeouts(evidence: &Evidence<'_, '_>) -> Option<Finding> {
    let operations = evidence.measured.operations.acquire_timeouts;
    if operations <= evidence.scenario.limits.acquire_timeouts_max {
        return None;
    }
    let gave_up = || {
        let operations = evidence.trace.operations.iter();
        operations.filter(|o| o.outcome == OperationOutcome::AcquireTimeout)
    };
    let timeouts = AcquireTimeouts {
        operations,
        timeout_ms: evidence.scenario.pool.acquire_timeout_ms,
        after_us: evidence.pool.time_to_acquire_timeout,
        from_us: gave_up().map(|o| o.scheduled_us).min().unwrap_or_default(),
        to_us: gave_up().map(|o| o.finished_us).max().unwrap_or_default(),
    };
    Some(Finding::new(Verdict::Unsafe, Subject::none(), Shown::AcquireTimeout(timeouts)))
}
