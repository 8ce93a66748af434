//! What the change did to the application.

use crate::history::ServerError;
use crate::result::evidence::{
    AcquireTimeouts, Deadlock, FailedOperations, FailureCount, HeldWhileWaiting, OperationFailure,
    PoolExhausted, Stalled, UnseenRows,
};
use crate::result::{BlockingState, Subject};
use crate::schema::Difference;
use crate::stats::grouped;

use super::files::Files;
use super::hang;
use super::words::{bare, count, deadlocked, listed, quoted, server_said, statement};

/// A tap overhead of less than one part in so many of a stall is left out.
const OVERHEAD_SHARE: u64 = 10;
/// Kinds of failures that a sentence names.
const CAUSES_MAX: usize = 4;

pub fn stall(of: &Stalled, subject: &Subject, files: &Files) -> String {
    let several = match of.stalls {
        1 => String::new(),
        n => format!("; {n} such stalls in all"),
    };
    format!(
        "{} waited up to {} (limit {}) {}{}{several}",
        count(of.operations, "operation"),
        of.longest_us,
        of.limit_us,
        blocked(of, subject, files),
        overhead(of),
    )
}

fn blocked(of: &Stalled, subject: &Subject, files: &Files) -> String {
    let during = statement(subject, files);
    match of.state {
        BlockingState::Waiting if of.held_meanwhile.is_some() => {
            let held = of.held_meanwhile.as_ref();
            held.map_or_else(String::new, |held| held_meanwhile(of, held, &during, files))
        }
        BlockingState::Waiting => {
            let behind = of.behind.as_deref().unwrap_or("another session");
            format!("in the queue behind {during}, which itself waited for {behind}")
        }
        BlockingState::Holding => format!("while {during} ran and its transaction held the lock"),
        BlockingState::Idle => {
            format!("while the transaction sat idle after {during} with the lock")
        }
    }
}

/// Both relations: the one that was locked, and the one that was waited for.
fn held_meanwhile(of: &Stalled, held: &HeldWhileWaiting, during: &str, files: &Files) -> String {
    let behind = of.behind.as_deref().unwrap_or("another session");
    let taken = held.taken_by.as_ref();
    let taken = taken.map_or_else(String::new, |by| format!(", taken by {},", quoted(by, files)));
    let wanted = match &held.wanted {
        Some(relation) => relation.clone(),
        None => format!("that {}", held.wanted_locktype),
    };
    let on = match &held.wanted {
        Some(relation) => format!(" on {relation}"),
        None => format!(" ({})", held.wanted_locktype),
    };
    let (relation, mode) = (&held.relation, &held.mode);
    format!(
        "for {relation}: the change held {mode} on it{taken} while {during} waited for {}{on} \
         behind {behind}; everything on {relation} stops for as long as {wanted} makes it wait",
        held.wanted_mode,
    )
}

/// What the tap adds to a stall, where that is more than a tenth of it or decides.
fn overhead(of: &Stalled) -> String {
    let overhead = of.overhead_us;
    let decides = of.longest_us - overhead <= of.limit_us;
    if overhead.0 * OVERHEAD_SHARE <= of.longest_us.0 && !decides {
        return String::new();
    }
    let without = match decides {
        true => "; without it the wait would have been within the limit",
        false => "",
    };
    format!(
        "; {overhead} of it is tap overhead, in which the tap delayed the change to read its \
         locks{without}"
    )
}

pub fn pool_exhaustion(of: &PoolExhausted) -> String {
    let after = match of.after_us {
        Some(time) => format!(", {time} after the first operation was stopped"),
        None => String::new(),
    };
    format!(
        "all {} connections were checked out for {} on end{after}; at worst {} waited for one",
        of.connections,
        of.exhausted_us,
        count(of.queue_max, "operation"),
    )
}

pub fn acquire_timeout(of: &AcquireTimeouts) -> String {
    let first = match of.after_us {
        Some(time) => format!(", the first {time} after the first operation was stopped"),
        None => String::new(),
    };
    let operations = count(of.operations, "operation");
    format!("the pool gave up on {operations} after {} ms{first}", of.timeout_ms)
}

pub fn operation_failed(of: &FailedOperations, files: &Files) -> String {
    let race = of.race.as_ref().map_or_else(String::new, |race| hang::change_spared(race, files));
    format!("{}{}{race}", failed(of), result_columns(&of.result_columns))
}

/// What a prepared statement returned, and returns now.
fn result_columns(columns: &[Difference]) -> String {
    let other = |column: &Difference| {
        let name = bare(&column.object);
        match (column.property.as_str(), &column.from, &column.to) {
            ("object", None, _) => format!("{name} is new"),
            ("object", _, None) => format!("{name} is gone"),
            (property, from, to) => {
                let value = |value: &Option<String>| value.clone().unwrap_or("the default".into());
                format!("the {property} of {name} was {} and is {}", value(from), value(to))
            }
        }
    };
    let named: Vec<String> = columns.iter().take(CAUSES_MAX).map(other).collect();
    match named.is_empty() {
        true => String::new(),
        false => format!("; of what a prepared statement returned, {}", named.join(", ")),
    }
}

fn failed(of: &FailedOperations) -> String {
    let operations = count(of.operations, "operation");
    let cause = |cause: &FailureCount| failure_words(&cause.failure, cause.deadlock.as_ref());
    let more = of.causes.len().saturating_sub(CAUSES_MAX);
    match &of.causes[..] {
        [] => format!(
            "{operations} failed after the change began; the first, {}, with {}",
            of.first,
            failure_words(&of.failure, None)
        ),
        [only] => format!(
            "{operations} failed after the change began, all of them {}; the first, {}, with {}",
            only.operation,
            of.first,
            cause(only)
        ),
        causes => {
            let each = |c: &FailureCount| {
                format!("{} × {} with {}", grouped(c.operations), c.operation, cause(c))
            };
            let mut listed: Vec<String> = causes.iter().take(CAUSES_MAX).map(each).collect();
            if more > 0 {
                listed.push(format!("{more} more kinds of failures"));
            }
            format!("{operations} failed after the change began: {}", listed.join("; "))
        }
    }
}

fn failure_words(failure: &OperationFailure, deadlock: Option<&Deadlock>) -> String {
    match failure {
        OperationFailure::Error(error) => {
            let name = named(error);
            match deadlock {
                Some(deadlock) => format!("{name}: {}", deadlocked(deadlock)),
                None => {
                    let said = ServerError { sqlstate: None, ..error.clone() };
                    format!("{name}: {}", server_said(&said))
                }
            }
        }
        OperationFailure::Indeterminate(message) => {
            format!("its connection, applied or not: {message}")
        }
        OperationFailure::Unanswered => "no answer before the traffic ended".to_owned(),
    }
}

/// `57014 query_canceled (statement timeout)`: one code can have several causes.
fn named(error: &ServerError) -> String {
    let cause = error.message.split_once(" due to ").map(|(_, cause)| cause);
    match (&error.sqlstate, cause) {
        (Some(state), Some(cause)) => format!("{state} ({cause})"),
        (Some(state), None) => state.to_string(),
        (None, _) => "connection lost".to_owned(),
    }
}

pub fn rows_unseen(of: &UnseenRows, subject: &Subject) -> String {
    let secured = match of.secured.as_slice() {
        [] => String::new(),
        tables => format!("; the change sets row security on {}", listed(tables)),
    };
    let operation = subject.operation.as_deref().unwrap_or("an operation");
    let (before, after) = (of.before - of.empty_before, count(of.after, "time"));
    let then = match of.after - of.empty_after {
        0 => format!("no row after it ({after})"),
        met => format!("only {met} of {after} after it"),
    };
    format!(
        "{operation} met rows {before} of {} before the change, and {then}{secured}",
        count(of.before, "time"),
    )
}
