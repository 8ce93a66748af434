//! What to do about operations of the application that a change made fail.

use crate::history::ServerError;
use crate::pg::SqlState;
use crate::pg::facts::returns_all_columns;
use crate::result::evidence::{FailedOperations, OperationFailure};
use crate::schema::Difference;

use super::super::words::bare;

/// Causes for which it is said what to do.
const CAUSES_MAX: usize = 3;

/// Where there is a known way, by what they failed with, the most frequent first.
pub fn failed(of: &FailedOperations) -> Option<String> {
    let failures = match of.causes.is_empty() {
        true => vec![&of.failure],
        false => of.causes.iter().map(|cause| &cause.failure).collect(),
    };
    let mut ways: Vec<String> = Vec::new();
    for way in failures.into_iter().filter_map(|failure| of_failure(failure, of)) {
        if !ways.contains(&way) && ways.len() < CAUSES_MAX {
            ways.push(way);
        }
    }
    (!ways.is_empty()).then(|| ways.join(". "))
}

fn of_failure(failure: &OperationFailure, of: &FailedOperations) -> Option<String> {
    let OperationFailure::Error(error) = failure else { return None };
    if error.is_cached_plan() {
        return Some(result_type(of));
    }
    let state = error.sqlstate.as_ref()?;
    let is_prerequisite = state.is(SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE);
    let identity = replica_identity(error).filter(|_| is_prerequisite);
    identity.or_else(|| by_code(error)).map(str::to_owned)
}

/// Of a published table without a replica identity.
pub fn replica_identity(error: &ServerError) -> Option<&'static str> {
    error.message.contains("replica identity").then_some(
        "give the published table a primary key or ALTER TABLE … REPLICA IDENTITY before it is \
         published: until then each UPDATE and DELETE of it fails",
    )
}

/// A prepared statement keeps the types of its result.
fn result_type(of: &FailedOperations) -> String {
    let is_type = |column: &&Difference| matches!(column.property.as_str(), "type" | "collation");
    let retyped: Vec<&str> =
        of.result_columns.iter().filter(is_type).map(|d| bare(&d.object)).collect();
    let all = match of.result_columns.is_empty() {
        true => of.sql.as_deref().map(returns_all_columns),
        false => Some(retyped.is_empty()),
    };
    match all {
        Some(false) => {
            let column = match retyped.is_empty() {
                true => "a column that it returns".to_owned(),
                false => retyped.join(", "),
            };
            format!(
                "the type of {column} changed, and every open connection fails once for each \
                 prepared statement that returns it: add a column of the new type under another \
                 name, move the application to it release by release, or let the pool replace its \
                 connections at the change"
            )
        }
        Some(true) => "name the columns in the application's prepared statements: SELECT * \
                       changes its result type with every added column, and every open connection \
                       fails once"
            .to_owned(),
        None => "what the application's prepared statements return changed, and every open \
                 connection fails once: name the columns (SELECT * changes with every added one), \
                 give one of another type another name, or let the pool replace its connections \
                 at the change"
            .to_owned(),
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
             table, view or sequence has none of the old one's privileges (an application that \
             owns its tables has the change's role in [pool], by default pgauntlet_migrator)",
        ),
        (
            SqlState::DEADLOCK_DETECTED,
            "take the locks in the order in which the application takes them, one statement per \
             transaction: the server ends one side of the cycle, and it may be either",
        ),
    ];
    known.iter().find(|(code, _)| state.is(code)).map(|(_, remedy)| *remedy)
}
