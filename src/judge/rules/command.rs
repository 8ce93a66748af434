//! A change by command: what its exit says against what the server answered.

use crate::history::{AttemptEnd, CommandEnded, ServerError};
use crate::pg::SqlState;
use crate::pg::purpose::{Purpose, tools_own};
use crate::result::evidence::{SwallowedError, SwallowedFate};
use crate::result::{Evidence as Shown, Finding, Subject};
use crate::scenario::Verdict;

use super::super::trace::{AttemptRecord, StatementRecord};
use super::Evidence;

/// Characters of a command's last line that a finding keeps.
const LINE_MAX: usize = 500;

/// The error to which an attempt's end is put down: the end's own; of a command that has only its
/// exit status, the one of its last statement.
pub fn error_of<'h>(attempt: &AttemptRecord<'h>) -> Option<&'h ServerError> {
    let Some(AttemptEnd::Failed { error, .. }) = attempt.end else { return None };
    if error.sqlstate.is_some() || attempt.command.is_none() {
        return Some(error);
    }
    let own: Vec<&str> = tools_own().collect();
    // After an error come ROLLBACK, and refusals because of it.
    let speaks = |record: &&StatementRecord<'_>| {
        record.purpose() > Purpose::Transaction
            && !refused_after_error(record)
            && !record.facts().is_about(&own)
    };
    let last = attempt.statements.iter().rev().find(speaks)?;
    last.ended.and_then(|ended| ended.error.as_ref())
}

fn refused_after_error(record: &StatementRecord<'_>) -> bool {
    let error = record.ended.and_then(|ended| ended.error.as_ref());
    let state = error.and_then(|error| error.sqlstate.as_ref());
    state.is_some_and(|state| state.is(SqlState::IN_FAILED_SQL_TRANSACTION))
}

/// The last line that it printed.
pub fn last_line(ended: &CommandEnded) -> Option<String> {
    let line = ended.output.lines().rev().find(|line| !line.trim().is_empty())?;
    Some(line.trim().chars().filter(|c| !c.is_control()).take(LINE_MAX).collect())
}

/// A statement that failed, and success reported all the same. Its work is missing although the
/// tool, and the version that it wrote, say otherwise, and a rerun does not do it: unsafe. Where
/// an applying of the change did do it later, it is bounded; where the object was there already,
/// what was wanted may well be there.
pub fn error_swallowed(evidence: &Evidence<'_, '_>) -> Option<Finding> {
    let commands = evidence.trace.attempts.iter().filter(|_| evidence.is_command());
    let failed = commands.filter(|a| a.finished()).flat_map(|attempt| {
        attempt.statements.iter().filter(|record| {
            let later = attempt.statements.iter().filter(|other| other.at > record.at);
            failed_work(record) && !done(later, record)
        })
    });
    let failed: Vec<&StatementRecord<'_>> = failed.collect();
    let verdict = |record: &StatementRecord<'_>| verdict(evidence, record);
    let worst = *failed.iter().rev().max_by_key(|record| verdict(record))?;
    let error = worst.ended?.error.as_ref()?;
    let swallowed = SwallowedError {
        error: error.clone(),
        fate: match verdict(worst) {
            Verdict::Safe => SwallowedFate::DoneBefore,
            Verdict::Bounded => SwallowedFate::DoneLater,
            _ => SwallowedFate::NotDone,
        },
        others: failed.len() as u64 - 1,
    };
    let subject = Subject::statement(evidence.refer(worst));
    Some(Finding::new(verdict(worst), subject, Shown::ErrorSwallowed(swallowed)))
}

/// A statement that is refused because an earlier one failed says nothing of its own.
fn failed_work(record: &StatementRecord<'_>) -> bool {
    let failed = record.ended.is_some_and(|ended| ended.error.is_some());
    failed && record.purpose() == Purpose::Work && !refused_after_error(record)
}

fn done<'r, 'h: 'r>(
    mut among: impl Iterator<Item = &'r StatementRecord<'h>>,
    record: &StatementRecord<'_>,
) -> bool {
    among.any(|other| other.began.text == record.began.text && other.succeeded())
}

fn verdict(evidence: &Evidence<'_, '_>, record: &StatementRecord<'_>) -> Verdict {
    // What is there already: column, object, table, schema, database, function.
    const THERE_ALREADY: [&str; 6] = ["42701", "42710", "42P07", "42P06", "42P04", "42723"];
    let error = record.ended.and_then(|ended| ended.error.as_ref());
    let state = error.and_then(|error| error.sqlstate.as_ref());
    let others = |later: bool| {
        let attempts = evidence.trace.attempts.iter();
        let wanted = move |a: &&AttemptRecord<'_>| match later {
            true => a.attempt > record.began.attempt,
            false => a.attempt < record.began.attempt,
        };
        attempts.filter(wanted).flat_map(|a| &a.statements)
    };
    let there = state.is_some_and(|state| THERE_ALREADY.contains(&state.code()));
    if there || done(others(false), record) {
        Verdict::Safe
    } else if done(others(true), record) {
        Verdict::Bounded
    } else {
        Verdict::Unsafe
    }
}
