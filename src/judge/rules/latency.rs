//! What the operations' times say: p99 against the baseline, waits beyond the limit, recovery.

use std::collections::BTreeSet;

use crate::clock::Micros;
use crate::history::{Operation, OperationOutcome, Phase};
use crate::pg::purpose::Purpose;
use crate::result::evidence::{
    BrokenBaseline, Holder, LatencyPhase, LongWaits, SlowPhase, Unrecovered, WaitCause,
};
use crate::result::{Evidence as Shown, Finding, StatementRef, Subject};
use crate::scenario::Verdict;

use super::super::trace::{AttemptRecord, StatementRecord};
use super::Evidence;
use super::traffic::verdict_with_stall;

/// What one took before the change excuses no more than this many times as much.
pub const BASELINE_FACTOR: u64 = 2;
/// A change that has written less WAL than this is no reason for anybody to wait for WAL: the disk
/// is slow by itself.
const WAL_FELT: u64 = 1 << 20;
/// Operations whose cause is looked up: the slowest.
const LOOKED_UP_MAX: usize = 10_000;

/// p99 while the change ran, after it, and while it was applied again: a change that took an index
/// away is felt when it is done.
pub fn latency(evidence: &Evidence<'_, '_>) -> Option<Finding> {
    let latency = &evidence.measured.latency;
    let limit = p99_limit(evidence);
    let phases = [
        (LatencyPhase::During, &latency.during),
        (LatencyPhase::After, &latency.after),
        (LatencyPhase::Rerun, &latency.rerun),
    ];
    let (phase, worst) = phases.into_iter().max_by_key(|(_, summary)| summary.p99_us)?;
    if latency.before.count == 0 || worst.p99_us <= limit {
        return None;
    }
    let slow: Vec<&Operation> =
        evidence.trace.scheduled_in(phase_of(phase)).filter(|o| o.latency() > limit).collect();
    let slow = slowest(slow);
    let disk = is_the_disks_doing(evidence, &slow, worst.count / 100);
    let slow_phase = SlowPhase {
        phase,
        p99_us: worst.p99_us,
        before_p99_us: latency.before.p99_us,
        limit_us: limit,
        causes: evidence.causes.counted(slow.iter().copied(), Operation::latency),
        meanwhile: slow.first().and_then(|slowest| meanwhile(evidence, slowest)),
        wal_bytes: slow.first().filter(|_| disk).and_then(|o| wal_until(evidence, o.finished_us)),
    };
    let verdict = match disk {
        true => Verdict::Unproven,
        false => verdict_with_stall(evidence),
    };
    Some(Finding::new(verdict, Subject::none(), Shown::Latency(slow_phase)))
}

/// Beyond it, a p99 latency is a finding.
pub fn p99_limit(evidence: &Evidence<'_, '_>) -> Micros {
    let limits = &evidence.scenario.limits;
    let before = evidence.measured.latency.before.p99_us;
    let floor = Micros::from_millis(limits.p99_ms_floor);
    let limit = Micros((before.0 as f64 * limits.p99_ratio_max) as u64);
    // A noisy baseline must not excuse what is no longer bearable.
    limit.clamp(floor, evidence.stall_limit().max(floor))
}

/// The phase of the trial that a latency is of.
pub fn phase_of(phase: LatencyPhase) -> Phase {
    match phase {
        LatencyPhase::During => Phase::Change,
        LatencyPhase::After => Phase::Recovery,
        LatencyPhase::Rerun => Phase::Rerun,
    }
}

/// The slowest first.
fn slowest(mut operations: Vec<&Operation>) -> Vec<&Operation> {
    operations.sort_by_key(|o| std::cmp::Reverse(o.latency()));
    operations.truncate(LOOKED_UP_MAX);
    operations
}

/// The statement of the change that ran longest while the operation was under way.
fn meanwhile(evidence: &Evidence<'_, '_>, operation: &Operation) -> Option<StatementRef> {
    let span = (operation.dispatched_us, operation.finished_us);
    let common = |record: &StatementRecord<'_>| {
        let (began, ended) = record.span(evidence.trace.end);
        ended.min(span.1) - began.max(span.0)
    };
    let ran = evidence.sessions.iter().flat_map(|session| session.statements_within(span));
    let longest = ran.copied().max_by_key(|record| common(record))?;
    (common(longest) > Micros::ZERO).then(|| evidence.refer(longest))
}

/// Whether the disk made the operations slow and not the change: those whose reason was seen waited
/// for it, but for a few. Others queue for a connection behind them.
fn is_the_disks_doing(evidence: &Evidence<'_, '_>, slow: &[&Operation], few: u64) -> bool {
    let behind = [WaitCause::Connection, WaitCause::Unseen, WaitCause::NotBegun];
    let of_the_disk = slow.iter().filter(|o| waited_for_the_disk(evidence, o)).count() as u64;
    let behind = slow.iter().filter(|o| behind.contains(&evidence.causes.cause(o))).count() as u64;
    let others = slow.len() as u64 - of_the_disk - behind;
    of_the_disk > others && others <= few
}

/// Whether it waited for the disk to keep what was written, and the change has written next to no
/// WAL.
fn waited_for_the_disk(evidence: &Evidence<'_, '_>, operation: &Operation) -> bool {
    let kept = |event: &str| {
        let event = event.to_ascii_lowercase();
        ["wal", "sync", "flush"].iter().any(|word| event.contains(word))
    };
    let for_wal = || match evidence.causes.cause(operation) {
        WaitCause::Event { event, .. } => kept(&event),
        _ => false,
    };
    let written = wal_until(evidence, operation.finished_us);
    written.is_some_and(|bytes| bytes < WAL_FELT) && for_wal()
}

/// WAL that statements of the change which began before then have written; None: not known of all.
fn wal_until(evidence: &Evidence<'_, '_>, until: Micros) -> Option<u64> {
    let attempts = evidence.trace.attempts.iter();
    let statements = attempts.flat_map(|attempt| &attempt.statements);
    let works = |s: &&StatementRecord<'_>| s.at < until && s.purpose() == Purpose::Work;
    statements.filter(works).map(|s| s.ended?.wal_bytes).sum()
}

/// From when it was let go until it was through: that it was let go late is no wait.
fn waited(operation: &Operation) -> Micros {
    operation.finished_us - operation.dispatched_us
}

/// What the slowest operation that ended before the change took.
pub fn longest_before(evidence: &Evidence<'_, '_>) -> Micros {
    let began = evidence.change_began();
    let before = evidence.trace.scheduled_in(Phase::Baseline).filter(|o| o.finished_us <= began);
    before.map(waited).max().unwrap_or_default()
}

/// Operations that waited beyond the limit for no lock of the change. A lock of somebody else, a
/// lightweight lock, the disk, or nothing that was seen: an application does not care.
pub fn operation_waited(evidence: &Evidence<'_, '_>) -> Option<Finding> {
    let (limit, began) = (evidence.stall_limit(), evidence.change_began());
    let stalled: BTreeSet<u64> =
        evidence.stalls.iter().flat_map(|stall| stall.operations.iter().copied()).collect();
    let ended = evidence.trace.phase(Phase::Checks).map(|(from, _)| from);
    let counts = |o: &&Operation| {
        waited(o) > limit
            && o.finished_us > began
            // What the traffic's own end cut off has not waited longer than that.
            && (o.outcome != OperationOutcome::Unanswered || ended.is_some())
            && o.outcome != OperationOutcome::AcquireTimeout
            && !stalled.contains(&o.seq)
    };
    let long: Vec<&Operation> = evidence.trace.operations.iter().copied().filter(counts).collect();
    if long.is_empty() {
        return None;
    }
    let long = slowest(long);
    let [suspects, others, queued] = grouped(evidence, long);
    // The stall that they queued behind is a finding already.
    let known = evidence.measured.longest_stall_us > limit;
    let queued = if known { Vec::new() } else { queued };
    let while_it_ran = !suspects.is_empty();
    let groups = [suspects, others, queued];
    let counted = groups.into_iter().find(|group| !group.is_empty())?;
    let before_us = longest_before(evidence);
    let slowest = counted.first()?;
    let waits = LongWaits {
        operations: counted.len() as u64,
        longest_us: waited(slowest),
        limit_us: limit,
        before_us,
        while_it_ran,
        causes: evidence.causes.counted(counted.iter().copied(), waited),
        meanwhile: meanwhile(evidence, slowest),
        wal_bytes: Some(slowest)
            .filter(|_| is_the_disks_doing(evidence, &counted, 0))
            .and_then(|o| wal_until(evidence, o.finished_us)),
        from_us: counted.iter().map(|o| o.scheduled_us).min().unwrap_or_default(),
        to_us: counted.iter().map(|o| o.finished_us).max().unwrap_or_default(),
    };
    let verdict = verdict_of(evidence, &waits);
    Some(Finding::new(verdict, Subject::none(), Shown::OperationWaited(waits)))
}

/// Those that waited while the change ran, others, and those that queued for a connection behind a
/// stall, whose verdict is the stall's.
fn grouped<'o>(
    evidence: &Evidence<'_, '_>,
    operations: Vec<&'o Operation>,
) -> [Vec<&'o Operation>; 3] {
    let stalled_from = evidence.stalls.iter().map(|stall| stall.from).min();
    let disk = is_the_disks_doing(evidence, &operations, 0);
    let mut groups = [Vec::new(), Vec::new(), Vec::new()];
    for operation in operations {
        let cause = evidence.causes.cause(operation);
        let drains = stalled_from.is_some_and(|from| from <= operation.finished_us);
        let ran = evidence.trace.attempts.iter().any(|a| ran_during(a, operation));
        let group = match cause {
            WaitCause::Connection if drains => 2,
            cause if ran && !is_of_others(&cause) && !disk => 0,
            _ => 1,
        };
        groups[group].push(operation);
    }
    groups
}

fn ran_during(attempt: &AttemptRecord<'_>, operation: &Operation) -> bool {
    let ended = attempt.ended.unwrap_or(Micros(u64::MAX));
    operation.dispatched_us < ended && operation.finished_us > attempt.began
}

/// Whether it is known to have waited for a session that is neither the change nor waits for it.
fn is_of_others(cause: &WaitCause) -> bool {
    matches!(cause, WaitCause::Lock { by: Holder::Disturbance | Holder::Other, .. })
}

fn verdict_of(evidence: &Evidence<'_, '_>, waits: &LongWaits) -> Verdict {
    // What queued for a connection behind a stall waited because of it.
    let queued = waits.causes.iter().all(|count| count.cause == WaitCause::Connection);
    if queued && !waits.while_it_ran && !evidence.stalls.is_empty() {
        return verdict_with_stall(evidence);
    }
    let normal = waits.longest_us.0 <= waits.before_us.0.saturating_mul(BASELINE_FACTOR)
        || waits.before_us > waits.limit_us;
    match !waits.while_it_ran || normal {
        true => Verdict::Unproven,
        false => Verdict::Unsafe,
    }
}

/// Latency and outcomes have to come back within the time that the scenario gives them.
pub fn not_recovered(evidence: &Evidence<'_, '_>) -> Option<Finding> {
    let (from, to) = evidence.trace.phase(Phase::Recovery)?;
    if evidence.recovery.took.is_some() {
        return None;
    }
    let recovery = evidence.recovery;
    let unrecovered = Unrecovered {
        allowed_ms: evidence.scenario.traffic.recovery_max_ms,
        failed: recovery.last_failed,
        operations: recovery.last_operations,
        from_us: recovery.last_from,
        to_us: to,
        watched_us: to - from,
        limit_us: evidence
            .scenario
            .traffic
            .recovered_below(evidence.measured.latency.before.p99_us),
    };
    let shown = Shown::NotRecovered(unrecovered);
    Some(Finding::new(Verdict::Unsafe, Subject::none(), shown))
}

/// Before the change, the limits hold; otherwise nothing can be put down to the change. One slow
/// operation is the machine's hiccup, and a stall needs a lock wait besides: what counts is p99.
pub fn baseline_broken(evidence: &Evidence<'_, '_>) -> Option<Finding> {
    let (limit_us, began) = (evidence.stall_limit(), evidence.change_began());
    let p99_us = evidence.measured.latency.before.p99_us;
    let failed = evidence.trace.scheduled_in(Phase::Baseline).filter(|operation| {
        operation.finished_us < began && operation.outcome != OperationOutcome::Succeeded
    });
    let failed = failed.count() as u64;
    let broken = p99_us > limit_us || failed > evidence.scenario.limits.failed_operations_max;
    let shown = Shown::BaselineBroken(BrokenBaseline::Traffic { p99_us, limit_us, failed });
    broken.then(|| Finding::new(Verdict::Unproven, Subject::none(), shown))
}
