//! How the change ended, and what applying it again did.

use crate::history::{RefusedFor, ServerError, exit_words};
use crate::pg::{LockMode, SqlState};
use crate::result::evidence::{
    Aborted, CatalogueChange, CoveredBlock, ErrorCame, FailedCommand, FailedReruns, InTransaction,
    RefusedConnection, RefusedInTransaction, RerunHeld, RowsChange, SwallowedError, SwallowedFate,
};
use crate::result::{StatementRef, Subject};

use super::files::Files;
use super::hang;
use super::words::{
    count, deadlocked, listed, on, quoted, relation, server_said, statement, transaction, which,
};

pub fn aborted(of: &Aborted, subject: &Subject, files: &Files) -> String {
    let actor = match of.came {
        ErrorCame::FromStatement => statement(subject, files),
        ErrorCame::AfterStatement => format!("the change, after {},", statement(subject, files)),
        ErrorCame::BeforeStatements => "the change".to_owned(),
    };
    let again = which(of.application);
    let race = of.race.as_ref().map_or_else(String::new, |race| hang::race(race, files));
    let earlier = earlier(&of.error, of.earlier.as_ref(), files);
    match &of.deadlock {
        Some(deadlock) => {
            format!("{actor} failed{again}: {}: {}{race}", of.error, deadlocked(deadlock))
        }
        None => format!("{actor} failed{again}: {}{earlier}{race}", server_said(&of.error)),
    }
}

/// Which statement of the change made what the error is about.
fn earlier(error: &ServerError, by: Option<&StatementRef>, files: &Files) -> String {
    let label = |state: &SqlState| state.is(SqlState::UNSAFE_NEW_ENUM_VALUE_USAGE);
    match (by, error.sqlstate.as_ref().is_some_and(label)) {
        (None, _) => String::new(),
        (Some(by), true) => format!(
            "; {} had added the label in the same transaction, which had not committed",
            quoted(by, files)
        ),
        (Some(by), false) => {
            let application = match by.attempt {
                0 => "the first application".to_owned(),
                n => format!("application {}", n + 1),
            };
            format!("; {application} had done it and it stayed, although the change failed")
        }
    }
}

pub fn refused(of: &RefusedInTransaction, subject: &Subject, files: &Files) -> String {
    let mut sentence = aborted(&of.aborted, subject, files);
    if let Some(within) = &of.transaction {
        sentence.push_str(&match within {
            InTransaction::OneMessage { statements } => {
                let statements = count(u64::from(*statements), "statement");
                format!("; it was sent in one message of {statements}, which is one transaction")
            }
            InTransaction::BeganImmediatelyBefore => {
                "; a transaction had begun immediately before it".to_owned()
            }
            InTransaction::BeganWith(first) => {
                format!("; it ran inside {}", transaction(first, files))
            }
        });
    }
    if of.changed_nothing {
        sentence.push_str("; nothing was changed");
        if !of.stalled {
            sentence.push_str(", and no operation was seen waiting for it");
        }
    }
    sentence
}

pub fn command_failed(of: &FailedCommand) -> String {
    let (exit, again) = (exit_words(of.exit_code, of.signal), which(of.application));
    let last = match &of.last_line {
        Some(line) => format!("the last line of its output: {line}"),
        None => "it printed nothing".to_owned(),
    };
    format!("the command {exit}{again}, and its last statement had not failed; {last}")
}

pub fn connection_refused(of: &RefusedConnection) -> String {
    let wanted = match of.why {
        RefusedFor::Database => format!("to the database {}", of.database),
        RefusedFor::User => format!("as the user {}", of.user),
        RefusedFor::Password => "with a password that is not the one it was given".to_owned(),
    };
    let others = match of.others {
        0 => String::new(),
        n => format!(" (and {})", count(n, "more time")),
    };
    let (again, error) = (which(of.application), &of.error);
    format!("the change tried to connect {wanted}{again} and was refused{others}: {error}")
}

pub fn error_swallowed(of: &SwallowedError, subject: &Subject, files: &Files) -> String {
    let fate = match of.fate {
        SwallowedFate::DoneBefore => "; it had been done already",
        SwallowedFate::DoneLater => "; applying the change again did it",
        SwallowedFate::NotDone => ", and was not repeated",
    };
    let others = match of.others {
        0 => String::new(),
        n => format!("; {} failed so", count(n, "more statement")),
    };
    let (failed, error) = (statement(subject, files), server_said(&of.error));
    format!("the command reported success although {failed} failed: {error}{fate}{others}")
}

pub fn covered_block(of: &CoveredBlock, subject: &Subject, files: &Files) -> String {
    let goes_on = match of.finished_later {
        true => "; what was committed stayed, and reruns went on from there to the end",
        false => "",
    };
    let took = subject.statement.as_ref().map(|statement| statement.took_us).unwrap_or_default();
    format!(
        "statement_timeout = {} ms ended {} after {took}, although it commits inside: the server \
         counts the whole block as one statement, so the timeout caps the total and not each \
         batch ({} cut off{goes_on})",
        of.statement_timeout_ms,
        statement(subject, files),
        count(of.runs, "run"),
    )
}

pub fn rerun_failed(of: &FailedReruns, files: &Files) -> String {
    let failed = match of.had_finished {
        true => "the change had finished, and applying it again failed".to_owned(),
        false => format!("the change did not succeed in {}", count(of.attempts, "attempt")),
    };
    let Some(last) = &of.last else { return failed };
    let how = match of.had_finished {
        true => "",
        false => "the last one failed for another reason than the first: ",
    };
    let statement = match &last.statement {
        Some(statement) => format!("{} failed: ", quoted(statement, files)),
        None => String::new(),
    };
    let error = server_said(&last.error);
    let earlier = earlier(&last.error, last.earlier.as_ref(), files);
    format!("{failed}; {how}{statement}{error}{earlier}")
}

pub fn rerun_changed(of: &CatalogueChange) -> String {
    match of {
        CatalogueChange::Schema { differences, first } => {
            let places = count(*differences, "place");
            format!("applying the finished change again changed the schema in {places}: {first}")
        }
        CatalogueChange::Versions { before, after } => format!(
            "applying the finished change again changed the versions: were {}; are {}",
            listed(before),
            listed(after)
        ),
    }
}

pub fn rerun_wrote(of: &RowsChange, subject: &Subject) -> String {
    let rows = match of.before == of.after {
        true => format!("{} before, as many after, not the same ones", count(of.before, "row")),
        false => format!("{} before, {} after", count(of.before, "row"), count(of.after, "row")),
    };
    let others = match of.others {
        0 => String::new(),
        n => format!("; so were the rows of {}", count(n, "more table")),
    };
    let table = relation(subject);
    format!(
        "the rows of {table} were changed by applying the finished change again: {rows}{others}"
    )
}

pub fn rerun_lock(of: &RerunHeld, subject: &Subject, files: &Files) -> String {
    let relation = subject.relation.as_deref();
    let until = match relation {
        Some(_) => ", to the end of its transaction",
        None => "",
    };
    let outcome = match of.did_something {
        true => "and left the schema as it was",
        false => "to find out that there was nothing to do",
    };
    let stops = LockMode::parse(&of.mode);
    let stops = stops.map_or_else(String::new, |mode| format!(", which stops {},", mode.stops()));
    format!(
        "applying the finished change again held {}{}{stops} for {} (limit {}), {outcome}: {} took \
         it{until}",
        of.mode,
        on(relation),
        of.held_us,
        of.limit_us,
        statement(subject, files)
    )
}
