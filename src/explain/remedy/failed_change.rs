//! What to do about an error that ended the change: by its cause, not by its code alone.

use crate::history::ServerError;
use crate::pg::SqlState;
use crate::pg::facts::{Work, works};
use crate::pg::syntax::{Kind, kind};
use crate::result::StatementRef;
use crate::result::evidence::{Aborted, Opponent};

use super::failed_operation::replica_identity;

/// Where there is a known way.
pub fn failed(of: &Aborted, statement: Option<&StatementRef>) -> Option<&'static str> {
    let text = statement.map_or("", |statement| &statement.text);
    let error = &of.error;
    let is = |code| error.sqlstate.as_ref().is_some_and(|state| state.is(code));
    if is(SqlState::UNIQUE_VIOLATION) && builds_unique(text) {
        return Some(
            "find the duplicates first (GROUP BY the columns HAVING count(*) > 1; the server \
             names one), and make the application stop adding them, before the unique index is \
             built",
        );
    }
    if is(SqlState::FOREIGN_KEY_VIOLATION) && adds(text, Work::ForeignKey) {
        return Some(
            "find the rows without a parent first (LEFT JOIN … WHERE … IS NULL; the server names \
             one), and correct or delete them in batches; NOT VALID keeps new ones out meanwhile",
        );
    }
    if is(SqlState::CHECK_VIOLATION) && (adds(text, Work::Check) || adds(text, Work::Domain)) {
        return Some(
            "find the rows that break it first, and correct them in batches; NOT VALID keeps new \
             ones out meanwhile",
        );
    }
    if is(SqlState::NOT_NULL_VIOLATION) && has(text, Work::NotNull) {
        return Some(
            "fill the rows in which it is null first, in batches that each commit; a CHECK (… IS \
             NOT NULL) NOT VALID keeps new ones out meanwhile",
        );
    }
    prerequisite(error).or_else(|| by_code(error))
}

/// 55000 and its like: the object is in a state in which the statement cannot run.
fn prerequisite(error: &ServerError) -> Option<&'static str> {
    let message = &error.message;
    if message.contains("pending detach") {
        return Some(
            "an interrupted DETACH PARTITION CONCURRENTLY is pending: end it with ALTER TABLE … \
             DETACH PARTITION … FINALIZE before anything else is tried on the table",
        );
    }
    replica_identity(error)
}

fn by_code(error: &ServerError) -> Option<&'static str> {
    const EXISTS: [&str; 3] =
        [SqlState::DUPLICATE_COLUMN, SqlState::DUPLICATE_TABLE, SqlState::DUPLICATE_OBJECT];
    let state = error.sqlstate.as_ref()?;
    if EXISTS.iter().any(|code| state.is(code)) {
        return Some(
            "it is there already: ask the catalogue first (IF NOT EXISTS where the statement has \
             it), and see that what is there is what this statement would make",
        );
    }
    if state.is(SqlState::UNSAFE_NEW_ENUM_VALUE_USAGE) {
        return Some(
            "commit ALTER TYPE … ADD VALUE in a migration of its own, and use the label in the \
             next one",
        );
    }
    if state.is(SqlState::INSUFFICIENT_PRIVILEGE) {
        return Some(
            "grant the role that applies the change what it needs, or let the owner of the object \
             apply it: role in [change] names one that the schema makes, superuser = true runs it \
             as pgauntlet itself",
        );
    }
    if state.is(SqlState::DISK_FULL) {
        return Some(
            "a statement that rewrites needs the space of the table and its indexes a second \
             time, and as much WAL: free it first, or change the rows in batches",
        );
    }
    None
}

fn has(text: &str, work: Work) -> bool {
    works(text).contains(&work)
}

/// Adding a constraint at once and validating it later fail alike.
fn adds(text: &str, work: Work) -> bool {
    has(text, work) || has(text, Work::Validation)
}

fn builds_unique(text: &str) -> bool {
    let unique = text.to_ascii_lowercase().contains("unique");
    has(text, Work::UniqueKey) || (unique && matches!(kind(text), Kind::CreateIndex { .. }))
}

/// Of a deadlock: with whom the change took locks crosswise decides.
pub fn deadlock(of: &Aborted) -> &'static str {
    let with = of.race.as_ref().map(|race| &race.with);
    let of_runners = match with {
        Some(Opponent::OtherConnection) => {
            return "send what belongs together on one connection: a lock of one is in the way of \
                    the other";
        }
        Some(Opponent::Runner(_)) => true,
        Some(Opponent::Application | Opponent::Other(_)) => false,
        None => of.application.runners > 1,
    };
    match of_runners {
        true => {
            "one runner at a time: each takes an advisory lock of the session before its first \
             statement, polled with pg_try_advisory_lock, because one that waits inside a \
             statement holds a snapshot for which CREATE INDEX CONCURRENTLY waits"
        }
        false => {
            "take the locks in the order in which the application takes them, one statement per \
             transaction, and retry"
        }
    }
}
