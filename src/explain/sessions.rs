//! How the change used its connections and transactions.

use crate::history::ClosedBy;
use crate::result::Subject;
use crate::result::evidence::{
    HeldMeanwhile, LostTransaction, RolledBack, SharedMessage, SharedTransaction,
};

use super::files::Files;
use super::words::{count, quoted, relation, statement, transaction};

pub fn open_transaction(of: &LostTransaction, files: &Files) -> String {
    let actor = match of.by_command {
        true => "the command",
        false => "the change",
    };
    let fate = match &of.first_change {
        Some(first) => {
            let statements = count(of.changes, "statement");
            format!("{statements} of it had changed something, first {}", quoted(first, files))
        }
        None => "nothing in it had changed anything".to_owned(),
    };
    let others = match of.transactions {
        1 => String::new(),
        n => format!("; {n} such transactions in all"),
    };
    format!(
        "{actor} reported success, and {} was rolled back: {}; {fate}{others}",
        transaction(&of.transaction, files),
        rolled_back(&of.ended),
    )
}

fn rolled_back(of: &RolledBack) -> String {
    match of {
        RolledBack::CommitFailed(error) => format!("its COMMIT failed: {error}"),
        RolledBack::CommitAfterError => {
            "its COMMIT rolled it back, because a statement before had failed".to_owned()
        }
        RolledBack::RollbackWithoutError => {
            "it ended with ROLLBACK, without an error before it".to_owned()
        }
        RolledBack::RollbackAfterError => "it ended with ROLLBACK after an error".to_owned(),
        RolledBack::ConnectionClosed { by, at_us } => {
            let by = match by {
                ClosedBy::Client => "was closed by the client",
                ClosedBy::ClientGone => "was dropped by the client without a Terminate message",
                ClosedBy::Server => "was closed by the server",
                ClosedBy::Fault => "was cut on purpose",
            };
            let at = at_us.as_secs_f64();
            format!("its connection {by} at {at:.2} s with the transaction still open")
        }
    }
}

pub fn one_transaction(of: &SharedTransaction, subject: &Subject, files: &Files) -> String {
    let known_by = subject.statement.as_ref();
    let within =
        known_by.map_or_else(String::new, |first| format!(", {}", transaction(first, files)));
    format!(
        "{} was written {} times in one transaction{within}: the migrations did not run in \
         transactions of their own, so every lock is held until the last of them is done, and \
         what fails takes all of them back",
        relation(subject),
        of.migrations,
    )
}

pub fn under_lock(of: &HeldMeanwhile, subject: &Subject, files: &Files) -> String {
    let others = match of.others {
        0 => String::new(),
        n => format!(" (and on {})", count(n, "other relation")),
    };
    let (longest, took) = (quoted(&of.longest, files), of.longest.took_us);
    let ran = match of.statements {
        1 => format!("{longest} ran, {took}"),
        n => format!(
            "{} of the transaction ran, {} in all; the longest, {longest}, took {took}",
            count(n, "more statement"),
            of.took_us
        ),
    };
    format!(
        "AccessExclusiveLock on {}{others}, taken by {}, was held while {ran}",
        relation(subject),
        statement(subject, files),
    )
}

pub fn one_message(of: &SharedMessage, subject: &Subject, files: &Files) -> String {
    let outcome = match of.refused {
        true => "what cannot run inside a transaction was refused (25001)",
        false => "each lock is held until the last statement of the message is done",
    };
    let others = match of.others {
        0 => String::new(),
        1 => "; so was 1 more".to_owned(),
        n => format!("; so were {}", count(n, "more message")),
    };
    format!(
        "{} was sent in one message of {}, which the server runs as one transaction: {outcome}\
         {others}",
        statement(subject, files),
        count(u64::from(of.statements), "statement"),
    )
}
