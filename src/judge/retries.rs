//! What one round of a retry policy shows: a pure function of its history.

use std::collections::BTreeMap;

use crate::clock::Micros;
use crate::history::{AttemptEnd, History, Moment, OperationOutcome};
use crate::pg::SqlState;
use crate::result::evidence::Deadlock;
use crate::result::{RelationLock, RetryRound};
use crate::scenario::Scenario;

use super::deadlock::deadlock;
use super::trace::{AttemptRecord, Trace};
use super::{logged, sessions, stalls};

/// What the round shows, if its evidence carries an answer.
pub fn round(scenario: &Scenario, history: &History) -> RetryRound {
    let trace = Trace::of_runners(history, scenario.change.runners);
    let (waits, _) = logged::lock_waits(&trace);
    let sessions = sessions::sessions(&trace);
    let (Some(first), Some(last)) = (trace.attempts.first(), trace.attempts.last()) else {
        let void = Some("no attempt was made".to_owned());
        return RetryRound { void, ..RetryRound::default() };
    };
    let (from, to) = (first.began, last.ended.unwrap_or(trace.end));
    let stalls = stalls::stalls(&trace, &waits, &sessions);
    let within = |at: Micros| at.clamp(from, to);
    let blocked = stalls.iter().map(|stall| within(stall.to) - within(stall.from));
    let during = trace.operations.iter().filter(|operation| {
        let due = operation.scheduled_us;
        due >= from && due <= to
    });
    let failed = |outcome: &OperationOutcome| {
        matches!(outcome, OperationOutcome::Failed(_) | OperationOutcome::AcquireTimeout)
    };
    RetryRound {
        void: None,
        attempts: u32::try_from(trace.attempts.len()).unwrap_or(u32::MAX),
        through: last.finished(),
        took_us: to - from,
        blocked_us: blocked.fold(Micros::ZERO, |sum, part| sum + part),
        waited: stalls.iter().map(|stall| stall.operations.len() as u64).sum(),
        longest_wait_us: stalls.iter().map(|stall| stall.longest).max().unwrap_or_default(),
        failed: during.filter(|operation| failed(&operation.outcome)).count() as u64,
        errors: errors(&trace),
        deadlocks_of_others: deadlocks_of_others(&trace),
        deadlocks: deadlocks(scenario, &trace),
        locks: locks(&trace),
    }
}

/// In which the change died.
fn deadlocks(scenario: &Scenario, trace: &Trace<'_>) -> Vec<Deadlock> {
    let statements = trace.attempts.iter().flat_map(|attempt| &attempt.statements);
    let died = statements.filter_map(|statement| {
        let ended = statement.ended?;
        let error = ended.error.as_ref()?;
        deadlock(scenario, trace, error, Some(&statement.session), ended.ended_us)
    });
    died.collect()
}

fn locks(trace: &Trace<'_>) -> Vec<RelationLock> {
    let mut locks: Vec<RelationLock> = Vec::new();
    let statements = trace.attempts.iter().flat_map(|attempt| &attempt.statements);
    for held in statements.filter_map(|statement| statement.ended).flat_map(|ended| &ended.held) {
        match locks.iter_mut().find(|known| known.relation == held.relation) {
            Some(known) => known.mode = known.mode.max(held.mode),
            None => locks.push(RelationLock { relation: held.relation.clone(), mode: held.mode }),
        }
    }
    locks
}

fn errors(trace: &Trace<'_>) -> BTreeMap<String, u32> {
    let mut errors = BTreeMap::new();
    for attempt in &trace.attempts {
        if let Some(sqlstate) = sqlstate(attempt) {
            *errors.entry(sqlstate).or_default() += 1;
        }
    }
    errors
}

/// What the attempt failed with: the first of its statements that did.
fn sqlstate(attempt: &AttemptRecord<'_>) -> Option<String> {
    if attempt.finished() {
        return None;
    }
    let of_end = match attempt.end {
        Some(AttemptEnd::Failed { error, .. }) => error.sqlstate.as_ref(),
        _ => None,
    };
    let failed = attempt.statements.iter().filter_map(|statement| statement.ended);
    let of_statement = failed.filter_map(|end| end.error.as_ref()?.sqlstate.as_ref()).next();
    of_statement.or(of_end).map(|state: &SqlState| state.code().to_owned())
}

/// Of the application's operations and of background sessions.
fn deadlocks_of_others(trace: &Trace<'_>) -> u64 {
    let died = |outcome: &OperationOutcome| match outcome {
        OperationOutcome::Failed(error) => error.is_one_of(&[SqlState::DEADLOCK_DETECTED]),
        _ => false,
    };
    let operations = trace.operations.iter().filter(|of| died(&of.outcome)).count() as u64;
    let background = trace.disturbances.iter().map(|(_, event)| match &event.moment {
        Moment::Repeated(rounds) => {
            rounds.failed.get(SqlState::DEADLOCK_DETECTED).copied().unwrap_or_default()
        }
        _ => 0,
    });
    operations + background.sum::<u64>()
}
