//! How far the standby was behind, and whom replay was in the way of: from samples of both servers
//! and the times of the reads there.
//!
//! `pg_stat_replication.replay_lag` stands still while replay does, so the lag in time is derived
//! from positions: what was there on the primary at a time and is not replayed yet is that old.

use std::collections::{BTreeMap, BTreeSet};

use crate::clock::Micros;
use crate::history::{
    Operation, OperationOutcome, Phase, ReplicaSample, ServerError, SessionId, Source, Wait,
};
use crate::pg::LockMode;
use crate::pg::facts::{Relation, RelationName, StatementFacts};
use crate::pg::purpose::Purpose;
use crate::result::ReplicaMeasured;
use crate::result::evidence::ConflictKind;

use super::trace::{StatementRecord, Trace};

/// Between two samples.
const INTERVAL: Micros = Micros::from_millis(100);
/// A sample shows what was so at most this long before a read was cancelled.
const BEFORE_CANCEL: Micros = Micros::from_millis(500);
/// A sample is one moment between its question and its answer: on a busy machine it says of a wait
/// that it began somewhat before it did.
const START_TOLERANCE: Micros = Micros::from_millis(500);

/// The farthest that the standby was behind in a stretch of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lag {
    /// The age of the oldest WAL that was not replayed, at its worst.
    pub longest: Micros,
    /// When that WAL was there, and when it was so old.
    pub from: Micros,
    pub to: Micros,
    /// Most WAL that was not replayed, and when.
    pub bytes: u64,
    pub bytes_at: Micros,
    /// The longest that the primary says itself.
    pub said: Option<Micros>,
}

/// Of the samples from one moment to another.
pub fn lag(trace: &Trace<'_>, (from, to): (Micros, Micros)) -> Lag {
    let samples = &trace.replica;
    let mut lag = Lag::default();
    // The first sample whose WAL is not replayed at the one that is looked at.
    let mut oldest = 0;
    for (number, (at, sample)) in samples.iter().enumerate() {
        while oldest < number && samples[oldest].1.current <= sample.replayed {
            oldest += 1;
        }
        if *at < from || *at > to {
            continue;
        }
        let since = samples[oldest].0;
        let longest = if oldest < number { *at - since } else { Micros::ZERO };
        if longest > lag.longest {
            (lag.longest, lag.from, lag.to) = (longest, since, *at);
        }
        if sample.behind_bytes() > lag.bytes {
            (lag.bytes, lag.bytes_at) = (sample.behind_bytes(), *at);
        }
        let said = sample.sender.as_ref().and_then(|sender| sender.replay_lag_us);
        lag.said = lag.said.max(said);
    }
    lag
}

/// A read on the standby that waited for a lock that replay held or asked for.
pub struct WaitingRead<'h> {
    pub operation: &'h Operation,
    pub relation: Option<String>,
    pub from: Micros,
    /// As far as it was seen, to the next sample.
    pub waited: Micros,
}

/// Each read once, with its longest wait; in the order of their numbers.
pub fn waiting_reads<'h>(trace: &Trace<'h>) -> Vec<WaitingRead<'h>> {
    let mut found: BTreeMap<u64, WaitingRead<'h>> = BTreeMap::new();
    for (at, sample) in &trace.replica {
        for wait in sample.waits.waits.iter().filter(|wait| is_behind_replay(sample, wait)) {
            let session = trace.session(&wait.session, *at);
            let Some(operation) = trace.running(&session, *at) else { continue };
            let from = at.saturating_sub(wait.waited_us.unwrap_or_default());
            // It is over by the next sample, or goes on.
            let until = (*at + INTERVAL).min(operation.finished_us);
            match found.get_mut(&operation.seq) {
                Some(known) if from <= known.from + START_TOLERANCE => {
                    known.waited = known.waited.max(until - known.from);
                }
                Some(known) if until - from <= known.waited => {}
                _ => {
                    let (relation, waited) = (wait.relation.clone(), until - from);
                    let read = WaitingRead { operation, relation, from, waited };
                    found.insert(operation.seq, read);
                }
            }
        }
    }
    found.into_values().collect()
}

fn is_startup(sample: &ReplicaSample, session: &SessionId) -> bool {
    sample.startup.as_ref().is_some_and(|startup| startup.pid == session.pid)
}

/// When a statement that made the read wait had begun at the latest.
pub fn began_by(read: &WaitingRead<'_>) -> Micros {
    (read.from + START_TOLERANCE).min(read.operation.finished_us)
}

/// Directly, or in the queue behind another read that is.
fn is_behind_replay(sample: &ReplicaSample, wait: &Wait) -> bool {
    let of_relation = |other: &&Wait| other.relation == wait.relation && other.relation.is_some();
    let asks = sample.waits.waits.iter().filter(of_relation);
    !is_startup(sample, &wait.session)
        && (wait.blockers.iter().any(|blocker| is_startup(sample, blocker))
            || asks.into_iter().any(|other| is_startup(sample, &other.session)))
}

/// For how long of the time replay waited for a reader.
pub fn replay_waited(trace: &Trace<'_>, (from, to): (Micros, Micros)) -> Micros {
    let mut waited = Micros::ZERO;
    for pair in trace.replica.windows(2) {
        let ((at, sample), (next, _)) = (&pair[0], &pair[1]);
        if *at >= from && *next <= to && waits_for_readers(sample) {
            waited += *next - *at;
        }
    }
    waited
}

fn waits_for_readers(sample: &ReplicaSample) -> bool {
    let event = sample.startup.as_ref().and_then(|startup| startup.wait_event.as_deref());
    let of_recovery = event.is_some_and(|event| event.starts_with("RecoveryConflict"));
    of_recovery || sample.waits.waits.iter().any(|wait| is_startup(sample, &wait.session))
}

/// On which relation replay asked for a lock shortly before that time.
pub fn asked_by_replay(trace: &Trace<'_>, at: Micros) -> Option<String> {
    let last = trace.replica.partition_point(|(then, _)| *then <= at);
    let before = trace.replica[..last].iter().rev();
    let mut near = before.take_while(|(then, _)| *then + BEFORE_CANCEL >= at);
    near.find_map(|(_, sample)| {
        let own = sample.waits.waits.iter().find(|wait| is_startup(sample, &wait.session));
        own.and_then(|wait| wait.relation.clone())
    })
}

/// What replay could not wait for any longer; None: the error tells of something else.
pub fn conflict(error: &ServerError) -> Option<ConflictKind> {
    if !error.message.contains("conflict with recovery") {
        return None;
    }
    let detail = error.detail.as_deref().unwrap_or_default();
    let kinds = [
        ("relation lock", ConflictKind::Lock),
        ("row versions", ConflictKind::Snapshot),
        ("buffer pin", ConflictKind::BufferPin),
        ("tablespace", ConflictKind::Tablespace),
        ("database that must be dropped", ConflictKind::Database),
        ("deadlock", ConflictKind::Deadlock),
    ];
    let known = kinds.into_iter().find(|(words, _)| detail.contains(words));
    Some(known.map_or(ConflictKind::Other, |(_, kind)| kind))
}

/// A read on the standby that was cancelled for replay.
pub fn cancelled(operation: &Operation) -> Option<(ConflictKind, &ServerError)> {
    match &operation.outcome {
        OperationOutcome::Failed(error) if operation.on_replica => {
            conflict(error).map(|kind| (kind, &**error))
        }
        _ => None,
    }
}

/// The statement of the change that took the lock on the relation which replay took after it; of
/// what names no relation, or where what a statement locks is not known, the last one before.
pub fn blamed<'t, 'h>(
    trace: &'t Trace<'h>,
    relation: Option<&str>,
    at: Micros,
) -> Option<&'t StatementRecord<'h>> {
    let before = || trace.statements().rev().filter(move |s| s.at <= at);
    let works =
        |s: &&StatementRecord<'_>| s.purpose() == Purpose::Work && s.began.source != Source::Runner;
    let Some(relation) = relation else { return before().find(works) };
    let took = before().find(|s| takes(s, relation, true));
    let known = || before().filter(works).all(|s| s.facts().statements.iter().all(is_known));
    took.or_else(|| before().find(|s| takes(s, relation, false)))
        .or_else(|| if known() { None } else { before().find(works) })
}

fn is_known(statement: &StatementFacts) -> bool {
    statement.locks.is_some() && !statement.dynamic
}

/// Whether the statement has taken an AccessExclusiveLock on the relation, or had it.
fn takes(record: &StatementRecord<'_>, relation: &str, anew: bool) -> bool {
    let strong = |mode: LockMode| mode == LockMode::AccessExclusiveLock;
    let seen = record.ended.is_some_and(|ended| {
        let locks = if anew { &ended.taken } else { &ended.held };
        locks.iter().any(|lock| lock.relation == relation && strong(lock.mode))
    });
    let name = RelationName::of(relation);
    let asked = record.facts().locks().any(|lock| {
        strong(lock.mode)
            && match &lock.relation {
                Relation::Named(asked) => asked.may_be(&name),
                _ => !anew,
            }
    });
    seen || asked
}

/// From the begin of the change to the end of the time in which the application is watched.
pub fn watched(trace: &Trace<'_>) -> Option<(Micros, Micros)> {
    let (from, end) = trace.phase(Phase::Change)?;
    Some((from, trace.phase(Phase::Recovery).map_or(end, |(_, to)| to)))
}

/// The numbers of the standby; None: there was none.
pub fn measured(trace: &Trace<'_>) -> Option<ReplicaMeasured> {
    let (first, last) = (trace.replica.first()?.1, trace.replica.last()?.1);
    let began = trace.phase(Phase::Change).map_or(Micros::ZERO, |(from, _)| from);
    let after = trace.replica.iter().find(|(at, _)| *at >= began).map_or(first, |(_, s)| *s);
    let lag = lag(trace, (began, trace.end));
    let waited = waiting_reads(trace);
    let kinds: BTreeSet<&String> = last.conflicts.keys().collect();
    let count = |sample: &ReplicaSample, kind: &String| {
        sample.conflicts.get(kind).copied().unwrap_or_default()
    };
    let grown = |kind: &&String| count(last, kind).saturating_sub(count(after, kind));
    let since = trace.replica.iter().filter(|(at, _)| *at >= began);
    let kept = since.flat_map(|(_, sample)| sample.kept_bytes.values().copied());
    Some(ReplicaMeasured {
        lag_us_max: lag.longest,
        lag_bytes_max: lag.bytes,
        replay_lag_us_max: lag.said,
        kept_bytes_max: kept.max().unwrap_or_default(),
        operations: trace.on_replica.len() as u64,
        waited: waited.len() as u64,
        longest_wait_us: waited.iter().map(|read| read.waited).max().unwrap_or_default(),
        cancelled: trace.on_replica.iter().filter(|o| cancelled(o).is_some()).count() as u64,
        conflicts: kinds.into_iter().map(|kind| (kind.clone(), grown(&kind))).collect(),
        samples: trace.replica.len() as u64,
    })
}
