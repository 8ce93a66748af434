//! The numbers that a judgement states, whatever the verdict.

use std::collections::BTreeMap;

use crate::clock::Micros;
use crate::history::{
    CommandEnded, Counters, HeldLock, OperationOutcome, Phase, SamplerReport, ServerError,
};
use crate::result::{
    CommandRow, ContentsCost, LatencyByPhase, Measured, RelationLock, StatementRow,
};
use crate::stats::{Bucket, Buckets, Latencies, Summary};

use super::blame::statement_ref;
use super::phases;
use super::pool::Pressure;
use super::recovery::Recovery;
use super::replica;
use super::stalls::Stall;
use super::trace::{AttemptRecord, StatementRecord, Trace};
use super::waits::{LockWait, LockWaits};

/// Latency by the phases for which operations were due.
pub fn latency(trace: &Trace<'_>) -> LatencyByPhase {
    LatencyByPhase {
        before: summary(trace, Phase::Baseline),
        during: summary(trace, Phase::Change),
        after: summary(trace, Phase::Recovery),
        rerun: summary(trace, Phase::Rerun),
    }
}

pub fn measure(
    trace: &Trace<'_>,
    waits: &LockWaits,
    stalls: &[Stall<'_>],
    pool: &Pressure,
    (latency, recovery): (LatencyByPhase, &Recovery),
) -> Measured {
    let change = trace.change();
    let took = change.map_or(Micros::ZERO, |a| a.ended.unwrap_or(trace.end) - a.began);
    Measured {
        operations: trace.counters.unwrap_or_else(|| counted(trace)),
        series: series(trace),
        longest_stall_us: stalls.iter().map(|s| s.longest).max().unwrap_or_default(),
        stalled_operations: stalls.iter().map(|s| s.operations.len() as u64).sum(),
        queue_max: pool.queue_max,
        exhausted_us: pool.exhausted,
        time_to_exhaustion_us: pool.time_to_exhaustion,
        time_to_acquire_timeout_us: pool.time_to_acquire_timeout,
        application_errors: application_errors(trace),
        change_errors: change_errors(trace),
        change_us: took,
        paused_us: paused(trace),
        recovery_us: recovery.took,
        generator_lag_p99_us: generator_lag(trace),
        control_us: control(trace),
        attempts: trace.attempts.len() as u32,
        commands: command_rows(trace),
        statements: statement_rows(trace, waits),
        sampler: trace.sampler.iter().fold(SamplerReport::default(), merge),
        log: None,
        ledger: trace.ledger.cloned(),
        contents: trace.contents_change.map(|change| ContentsCost {
            tables: change.read.len() as u64,
            took_us: change.took_us,
        }),
        table_bytes: table_bytes(trace),
        replica: replica::measured(trace),
        change_waited_us: longest_wait_of_change(trace, waits),
        latency,
    }
}

/// Before the change; those of no known size are left out.
fn table_bytes(trace: &Trace<'_>) -> BTreeMap<String, u64> {
    let before = trace.tables.iter().find(|tables| tables.after.is_none());
    let tables = before.into_iter().flat_map(|states| &states.tables);
    let known = tables.filter(|(_, state)| state.bytes > 0);
    known.map(|(table, state)| (table.clone(), state.bytes)).collect()
}

fn summary(trace: &Trace<'_>, phase: Phase) -> Summary {
    let mut latencies = Latencies::new();
    trace.scheduled_in(phase).for_each(|o| latencies.record(o.latency()));
    latencies.summary()
}

fn series(trace: &Trace<'_>) -> Vec<Bucket> {
    let mut buckets = Buckets::default();
    for operation in &trace.operations {
        let failed = operation.outcome != OperationOutcome::Succeeded;
        buckets.record(operation.scheduled_us, operation.latency(), failed);
    }
    buckets.series()
}

fn counted(trace: &Trace<'_>) -> Counters {
    let mut counters = Counters::default();
    for operation in trace.all_operations() {
        counters.scheduled += 1;
        counters.count(&operation.outcome);
    }
    counters
}

/// `57014 query_canceled (statement timeout)`, or the replacement for an error without a code. One
/// code can have several causes, which only the message tells.
pub fn error_name(error: &ServerError) -> String {
    let cause = error.message.split_once(" due to ").map(|(_, cause)| cause);
    match (&error.sqlstate, cause) {
        (Some(state), Some(cause)) => format!("{state} ({cause})"),
        (Some(state), None) => state.to_string(),
        (None, _) => "connection lost".to_owned(),
    }
}

fn application_errors(trace: &Trace<'_>) -> BTreeMap<String, u64> {
    let mut errors = BTreeMap::new();
    for operation in trace.all_operations() {
        if let OperationOutcome::Failed(error) = &operation.outcome {
            *errors.entry(error_name(error)).or_default() += 1;
        }
    }
    errors
}

fn change_errors(trace: &Trace<'_>) -> BTreeMap<String, u64> {
    let mut errors = BTreeMap::new();
    let ended = trace.statements().filter_map(|s| s.ended);
    for error in ended.filter_map(|e| e.error.as_ref()) {
        *errors.entry(error_name(error)).or_default() += 1;
    }
    errors
}

/// The worst phase's p99: a lag in a short change must not drown in a long calm.
fn generator_lag(trace: &Trace<'_>) -> Micros {
    let phases = [Phase::Baseline, Phase::Change, Phase::Recovery, Phase::Rerun];
    let lag = |phase| {
        let mut lags = Latencies::new();
        for operation in trace.scheduled_in(phase) {
            lags.record(operation.dispatched_us - operation.scheduled_us);
        }
        lags.quantile(0.99)
    };
    phases.into_iter().map(lag).max().unwrap_or_default()
}

/// The median of all rounds: of one that another program disturbed, nothing is seen.
fn control(trace: &Trace<'_>) -> Option<Micros> {
    let mut took: Vec<Micros> = trace.controls.iter().flat_map(|c| c.took_us.clone()).collect();
    took.sort_unstable();
    took.get(took.len() / 2).copied()
}

/// In the change itself, before any rerun.
fn paused(trace: &Trace<'_>) -> Micros {
    let statements = trace.change().into_iter().flat_map(|a| &a.statements);
    statements.fold(Micros::ZERO, |sum, statement| sum + statement.paused())
}

fn command_rows(trace: &Trace<'_>) -> Vec<CommandRow> {
    let ended = trace.attempts.iter().filter_map(|a| a.command);
    let row = |ended: &CommandEnded| CommandRow {
        attempt: ended.attempt,
        runner: trace.application(ended.attempt).runner(),
        exit_code: ended.exit_code,
        signal: ended.signal,
        output: ended.output.clone(),
        output_cut: ended.output_cut,
    };
    ended.map(row).collect()
}

fn statement_rows(trace: &Trace<'_>, waits: &LockWaits) -> Vec<StatementRow> {
    let rows = |a: &AttemptRecord<'_>| -> Vec<StatementRow> {
        a.statements.iter().map(|s| statement_row(s, trace, waits)).collect()
    };
    trace.attempts.iter().flat_map(rows).collect()
}

fn statement_row(
    record: &StatementRecord<'_>,
    trace: &Trace<'_>,
    waits: &LockWaits,
) -> StatementRow {
    let (began, ended, end) = (record.began, record.ended, trace.end);
    let stored =
        |lock: &HeldLock| RelationLock { relation: lock.relation.clone(), mode: lock.mode };
    let locks = |locks: &[HeldLock]| -> Vec<RelationLock> { locks.iter().map(stored).collect() };
    StatementRow {
        attempt: began.attempt,
        connection: began.connection,
        statement: statement_ref(record, trace),
        purpose: record.purpose(),
        began_us: record.span(end).0,
        in_transaction: record.open_before(),
        timeouts: record.timeouts(),
        rows: ended.and_then(|e| e.rows),
        error: match ended {
            Some(ended) => ended.error.as_ref().map(ToString::to_string),
            None => Some("it never ended".to_owned()),
        },
        sqlstate: ended.and_then(|e| e.error.as_ref()).and_then(|e| e.sqlstate.clone()),
        wal_bytes: ended.and_then(|e| e.wal_bytes),
        rewritten: ended.map(|e| e.rewritten.clone()).unwrap_or_default(),
        held: ended.map(|e| locks(&e.held)).unwrap_or_default(),
        taken: ended.map(|e| locks(&e.taken)).unwrap_or_default(),
        paused_us: record.paused(),
        waited_us: phases::waited(trace, waits, record),
        phases: phases::phases(trace, record),
        notices: ended.map(|e| e.notices.clone()).unwrap_or_default(),
    }
}

fn longest_wait_of_change(trace: &Trace<'_>, waits: &LockWaits) -> Micros {
    let own = waits.iter().filter(|wait| trace.is_change(&wait.session));
    own.map(LockWait::seen_for).max().unwrap_or_default()
}

/// Reports of one trial's samplers, as one.
fn merge(mut sum: SamplerReport, report: &&SamplerReport) -> SamplerReport {
    sum.interval_us = sum.interval_us.max(report.interval_us);
    sum.samples += report.samples;
    sum.missed += report.missed;
    sum.failed += report.failed;
    sum.gaps.extend_from_slice(&report.gaps);
    sum.took_us_p50 = sum.took_us_p50.max(report.took_us_p50);
    sum.took_us_max = sum.took_us_max.max(report.took_us_max);
    sum
}
