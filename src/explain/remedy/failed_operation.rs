//! What to do about operations of the application that a change made fail.

use crate::history::ServerError;
use crate::pg::SqlState;
use crate::pg::facts::returns_all_columns;
use crate::result::evidence::{FailedOperations, OperationFailure};

/// Where there is a known way, by what the first of them failed with.
pub fn failed(of: &FailedOperations) -> Option<&'static str> {
    let OperationFailure::Error(error) = &of.failure else { return None };
    let message = &error.message;
    let state = error.sqlstate.as_ref()?;
    if state.is(SqlState::FEATURE_NOT_SUPPORTED) && message.contains("cached plan") {
        return Some(result_type(of.sql.as_deref()));
    }
    let is_prerequisite = state.is(SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE);
    let identity = replica_identity(error).filter(|_| is_prerequisite);
    identity.or_else(|| by_code(error))
}

/// Of a published table without a replica identity.
pub fn replica_identity(error: &ServerError) -> Option<&'static str> {
    error.message.contains("replica identity").then_some(
        "give the published table a primary key or ALTER TABLE … REPLICA IDENTITY before it is \
         published: until then each UPDATE and DELETE of it fails",
    )
}

/// A prepared statement keeps the types of its result.
fn result_type(sql: Option<&str>) -> &'static str {
    match sql.map(returns_all_columns) {
        Some(false) => {
            "the type of a column that it returns changed, and every open connection fails once: \
             add a column of the new type, move the application to it release by release, or let \
             the pool replace its connections at the change"
        }
        _ => {
            "name the columns in the application's prepared statements: SELECT * changes its \
             result type with every added column, and every open connection fails once"
        }
    }
}

fn by_code(error: &ServerError) -> Option<&'static str> {
    let state = error.sqlstate.as_ref()?;
    let known = [
        (
            SqlState::UNDEFINED_COLUMN,
            "two releases: one that no longer names the column, and the change with the next; the \
             old one runs until its last process is gone",
        ),
        (
            SqlState::UNDEFINED_TABLE,
            "two releases: one that no longer names the table, and the change with the next (or a \
             view of the old name until then)",
        ),
        (
            SqlState::UNDEFINED_FUNCTION,
            "two releases: one that no longer calls it with these types, and the change with the \
             next",
        ),
        (
            SqlState::NOT_NULL_VIOLATION,
            "the release that runs does not write the column: give it a DEFAULT, or make it NOT \
             NULL once no old process is left",
        ),
        (
            SqlState::CHECK_VIOLATION,
            "the release that runs still writes such rows: deploy the one that does not first, \
             and add the constraint after it",
        ),
        (
            SqlState::FOREIGN_KEY_VIOLATION,
            "the release that runs still writes such rows: deploy the one that does not first, \
             and add the key after it",
        ),
        (
            SqlState::UNIQUE_VIOLATION,
            "if the value comes from a sequence, setval it beyond the column's largest before the \
             table is used; if the application writes it, make that unique before the index",
        ),
        (
            SqlState::INSUFFICIENT_PRIVILEGE,
            "GRANT to the application in the transaction that makes or swaps the object: a new \
             table or view has none of the old one's privileges",
        ),
        (
            SqlState::DEADLOCK_DETECTED,
            "take the locks in the order in which the application takes them, one statement per \
             transaction: the server ends one side of the cycle, and it may be either",
        ),
    ];
    known.iter().find(|(code, _)| state.is(code)).map(|(_, remedy)| *remedy)
}
