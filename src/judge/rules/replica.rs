//! What the change did on the standby: how far it fell behind, and the reads that replay stopped.

use std::collections::BTreeMap;

use crate::clock::Micros;
use crate::history::{Operation, Phase};
use crate::pg::LockMode;
use crate::result::evidence::{
    ConflictCount, ConflictKind, FailedMeasurement, LaggingReplica, RecoveryConflicts, StandbyGap,
};
use crate::result::{Doubt, Evidence as Shown, Finding, Subject};
use crate::scenario::Verdict;

use super::super::replica::{self, WaitingRead, blamed, cancelled, lag, replay_waited, watched};
use super::super::trace::{StatementRecord, Trace};
use super::Evidence;
use super::gaps::unmeasured;
use super::traffic::operation_ref;

/// Less than this is what streaming takes, and no news.
const LAG_TOLD: Micros = Micros::from_millis(500);
const BYTES_TOLD: u64 = 16 << 20;
/// Longer without a sample, and a wait beyond the limit may have gone unseen.
const GAP_MAX: Micros = Micros::from_millis(2_000);

/// The farthest that the standby was behind once the change had begun.
pub fn replica_lag(evidence: &Evidence<'_, '_>) -> Option<Finding> {
    let trace = evidence.trace;
    let limits = &evidence.scenario.limits;
    let began = evidence.change_began();
    let (before, after) = (lag(trace, (Micros::ZERO, began)), lag(trace, (began, trace.end)));
    let limit_us = limits.replica_lag_ms_max.map(Micros::from_millis);
    let limit_bytes = limits.replica_lag_bytes_max;
    let beyond = |lag: replica::Lag| {
        limit_us.is_some_and(|limit| lag.longest > limit)
            || limit_bytes.is_some_and(|limit| lag.bytes > limit)
    };
    if !beyond(after) && after.longest < LAG_TOLD && after.bytes < BYTES_TOLD {
        return None;
    }
    let span = match after.longest {
        Micros::ZERO => (after.bytes_at, after.bytes_at),
        _ => (after.from, after.to),
    };
    let shown = LaggingReplica {
        longest_us: after.longest,
        bytes_max: after.bytes,
        before_us: before.longest,
        before_bytes: before.bytes,
        said_us: after.said,
        limit_us,
        limit_bytes,
        replay_waited_us: replay_waited(trace, span),
        from_us: span.0,
        to_us: span.1,
    };
    let statement = meanwhile(evidence, span).map(|record| evidence.refer(record));
    let subject = Subject { statement, ..Subject::default() };
    let verdict = if beyond(after) { Verdict::Unsafe } else { Verdict::Safe };
    let finding = Finding::new(verdict, subject, Shown::ReplicaLag(shown));
    Some(doubted(finding, beyond(after) && beyond(before)))
}

/// The statement that ran for most of the time; where none did, the last one before.
fn meanwhile<'e, 'h>(
    evidence: &'e Evidence<'_, 'h>,
    (from, to): (Micros, Micros),
) -> Option<&'e StatementRecord<'h>> {
    let trace = evidence.trace;
    let overlap = |record: &&StatementRecord<'_>| {
        let (began, ended) = record.span(trace.end);
        ended.min(to) - began.max(from)
    };
    let ran = trace.statements().filter(|record| overlap(record) > Micros::ZERO);
    ran.max_by_key(overlap).or_else(|| trace.statements().rev().find(|record| record.at <= to))
}

fn doubted(finding: Finding, broken_before: bool) -> Finding {
    match broken_before {
        true => {
            Finding { verdict: Verdict::Unproven, doubt: Some(Doubt::BaselineBroken), ..finding }
        }
        false => finding,
    }
}

/// Reads on the standby that waited for a lock that was replayed, or that replay cancelled; each
/// statement to blame has a finding.
pub fn recovery_conflicts(evidence: &Evidence<'_, '_>) -> Vec<Finding> {
    let trace = evidence.trace;
    let began = evidence.change_began();
    let mut by_blame: BTreeMap<Blame, Conflicts<'_>> = BTreeMap::new();
    let waits = replica::waiting_reads(trace);
    for read in waits.iter().filter(|read| read.operation.finished_us >= began) {
        let statement = blamed(trace, read.relation.as_deref(), replica::began_by(read));
        by_blame.entry(Blame::of(statement, read.relation.clone())).or_default().waits.push(read);
    }
    let ended = trace.on_replica.iter().copied().filter(|o| o.finished_us >= began);
    for (operation, (kind, _)) in ended.filter_map(|o| Some((o, cancelled(o)?))) {
        // What is removed or cleaned up is asked for by no lock.
        let at = operation.finished_us;
        let asked = || replica::asked_by_replay(trace, at).or_else(|| locked_alone(trace, at));
        let relation = if kind == ConflictKind::Lock { asked() } else { None };
        let statement = blamed(trace, relation.as_deref(), operation.finished_us);
        by_blame.entry(Blame::of(statement, relation)).or_default().cancelled.push(operation);
    }
    by_blame.into_iter().map(|(blame, found)| conflict(evidence, blame, &found)).collect()
}

/// The only relation on which the last statement before then took an AccessExclusiveLock.
fn locked_alone(trace: &Trace<'_>, at: Micros) -> Option<String> {
    let taken = &blamed(trace, None, at)?.ended?.taken;
    let mut strong = taken.iter().filter(|lock| lock.mode == LockMode::AccessExclusiveLock);
    let only = strong.next()?.relation.clone();
    strong.next().is_none().then_some(only)
}

/// By what reads are put together: attempt and number of the statement, and the relation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Blame {
    statement: Option<(u32, u32)>,
    relation: Option<String>,
}

impl Blame {
    fn of(statement: Option<&StatementRecord<'_>>, relation: Option<String>) -> Blame {
        let statement = statement.map(|s| (s.began.attempt, s.began.statement));
        Blame { statement, relation }
    }
}

#[derive(Default)]
struct Conflicts<'f> {
    waits: Vec<&'f WaitingRead<'f>>,
    cancelled: Vec<&'f Operation>,
}

fn conflict(evidence: &Evidence<'_, '_>, blame: Blame, found: &Conflicts<'_>) -> Finding {
    let trace = evidence.trace;
    let of_replica = evidence.scenario.replica.clone().unwrap_or_default();
    let began = evidence.change_began();
    let kinds = kinds(&found.cancelled);
    let same = |o: &Operation| {
        cancelled(o).is_some_and(|(kind, _)| kinds.iter().any(|count| count.kind == kind))
    };
    let before = trace.on_replica.iter().filter(|o| o.finished_us < began && same(o)).count();
    let longest = found.waits.iter().max_by_key(|read| read.waited);
    let first = found.cancelled.first().copied().or(longest.map(|read| read.operation));
    let times = || {
        let waits = found.waits.iter().map(|read| (read.from, read.operation.finished_us));
        waits.chain(found.cancelled.iter().map(|o| (o.scheduled_us, o.finished_us)))
    };
    let span = (
        times().map(|(from, _)| from).min().unwrap_or_default(),
        times().map(|(_, to)| to).max().unwrap_or_default(),
    );
    let shown = RecoveryConflicts {
        cancelled: found.cancelled.len() as u64,
        cancelled_before: before as u64,
        kinds,
        waited: found.waits.len() as u64,
        longest_us: longest.map_or(Micros::ZERO, |read| read.waited),
        limit_us: evidence.stall_limit(),
        first: first.map(|operation| operation_ref(evidence, operation)),
        error: found.cancelled.first().and_then(|o| Some(cancelled(o)?.1.clone())),
        replay_waited_us: replay_waited(trace, span),
        delay_us: Micros::from_millis(of_replica.max_standby_streaming_delay_ms),
        hot_standby_feedback: of_replica.hot_standby_feedback,
        from_us: span.0,
        to_us: span.1,
    };
    let statement = blame.statement.and_then(|(attempt, id)| {
        let same = |s: &&StatementRecord<'_>| (s.began.attempt, s.began.statement) == (attempt, id);
        trace.statements().find(same).map(|record| evidence.refer(record))
    });
    let harmed = shown.cancelled > evidence.scenario.limits.failed_operations_max
        || shown.longest_us > shown.limit_us;
    // What the change has no part in is no fault of it.
    let verdict = match harmed && statement.is_some() {
        true => Verdict::Unsafe,
        false => Verdict::Safe,
    };
    let before = shown.cancelled_before > 0 && shown.longest_us <= shown.limit_us;
    let operation = shown.first.as_ref().map(|first| first.name.clone());
    let subject = Subject { statement, relation: blame.relation, session: None, operation };
    let finding = Finding::new(verdict, subject, Shown::RecoveryConflict(shown));
    doubted(finding, verdict == Verdict::Unsafe && before)
}

fn kinds(operations: &[&Operation]) -> Vec<ConflictCount> {
    let mut counts: BTreeMap<ConflictKind, u64> = BTreeMap::new();
    for (kind, _) in operations.iter().filter_map(|operation| cancelled(operation)) {
        *counts.entry(kind).or_default() += 1;
    }
    counts.into_iter().map(|(kind, operations)| ConflictCount { kind, operations }).collect()
}

/// Whether the standby was there, and seen, for as long as it mattered.
pub fn unseen_standby(evidence: &Evidence<'_, '_>) -> Vec<Finding> {
    let trace = evidence.trace;
    if evidence.scenario.replica.is_none() || evidence.begins_empty() {
        return Vec::new();
    }
    let Some((from, to)) = watched(trace) else { return Vec::new() };
    let samples = trace.replica.iter().filter(|(at, _)| *at >= from && *at <= to);
    let samples: Vec<_> = samples.collect();
    let mut times = vec![from];
    times.extend(samples.iter().map(|(at, _)| *at));
    times.push(to);
    let longest = times.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or_default();
    let gap = match samples.is_empty() {
        true => Some(StandbyGap::NotSampled { for_us: to - from }),
        false => (longest > GAP_MAX).then_some(StandbyGap::NotSampled { for_us: longest }),
    };
    let silent = samples.iter().filter(|(_, sample)| !sample.streams()).count() as u64;
    let of = samples.len() as u64;
    let lost = (silent > 0).then_some(StandbyGap::NotStreaming { samples: silent, of });
    let gaps = [gap, lost, not_replayed(evidence, to)];
    let finding = |gap| unmeasured(FailedMeasurement::Standby(gap));
    gaps.into_iter().flatten().map(finding).collect()
}

/// What the change wrote has to have come to the standby's readers while they were watched.
fn not_replayed(evidence: &Evidence<'_, '_>, to: Micros) -> Option<StandbyGap> {
    let trace = evidence.trace;
    let ended = trace.phase(Phase::Recovery).map(|(from, _)| from)?;
    let after = trace.replica.iter().find(|(at, _)| *at >= ended);
    let (_, written) = after.or(trace.replica.last())?;
    // The wait for it ends shortly before the next sample.
    let shown = trace.replica.iter().filter(|(at, _)| *at <= to + GAP_MAX);
    let replayed = shown.map(|(_, sample)| sample.replayed).max().unwrap_or_default();
    let missing = written.current.saturating_sub(replayed);
    (missing > 0).then_some(StandbyGap::NotReplayed { bytes: missing })
}
