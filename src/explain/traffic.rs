//! What the change did to the application.

use crate::history::ServerError;
use crate::result::evidence::{
    AcquireTimeouts, FailedOperations, OperationFailure, PoolExhausted, Stalled,
};
use crate::result::{BlockingState, Subject};

use super::files::Files;
use super::words::{count, statement};

/// A tap overhead of less than one part in so many of a stall is left out.
const OVERHEAD_SHARE: u64 = 10;

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

pub fn operation_failed(of: &FailedOperations) -> String {
    let how = match &of.failure {
        OperationFailure::Error(error) => format!("{}: {}", named(error), error.message),
        OperationFailure::Indeterminate(message) => {
            format!("its connection, applied or not: {message}")
        }
        OperationFailure::Unanswered => "no answer before the traffic ended".to_owned(),
    };
    format!(
        "{} failed after the change began; the first, {}, with {how}",
        count(of.operations, "operation"),
        of.first,
    )
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
