//! Which earlier statement of the change made what an error is about.

use crate::history::{AttemptEnd, ServerError};
use crate::pg::SqlState;
use crate::result::StatementRef;
use crate::result::evidence::OtherFailure;

use super::super::trace::{AttemptRecord, StatementRecord};
use super::Evidence;
use super::command::error_of;

/// Codes that say that an object is there already.
const EXISTS: [&str; 5] = [
    SqlState::DUPLICATE_COLUMN,
    SqlState::DUPLICATE_TABLE,
    SqlState::DUPLICATE_OBJECT,
    SqlState::DUPLICATE_FUNCTION,
    SqlState::DUPLICATE_SCHEMA,
];

/// Of the statement that failed with this error.
pub fn made(
    evidence: &Evidence<'_, '_>,
    failed: &StatementRecord<'_>,
    error: &ServerError,
) -> Option<StatementRef> {
    let state = error.sqlstate.as_ref()?;
    let before = evidence.trace.statements().filter(|s| s.at <= failed.at && s.succeeded());
    let found = match state.is(SqlState::UNSAFE_NEW_ENUM_VALUE_USAGE) {
        true => {
            // `unsafe use of new value "new" of enum type kind`
            let label = error.message.split('"').nth(1)?;
            let adds = |s: &&StatementRecord<'_>| {
                s.session == failed.session && adds_label(&s.began.text, label)
            };
            before.rev().find(adds)
        }
        false if EXISTS.iter().any(|code| state.is(code)) => {
            let same = |s: &&StatementRecord<'_>| {
                s.began.attempt < failed.began.attempt && s.began.text == failed.began.text
            };
            before.rev().find(same)
        }
        false => None,
    };
    found.map(|record| evidence.refer(record))
}

/// ALTER TYPE … ADD VALUE, in a block too.
fn adds_label(text: &str, label: &str) -> bool {
    let literal = format!("'{}'", label.replace('\'', "''"));
    text.to_uppercase().contains("ADD VALUE") && text.contains(&literal)
}

/// How the last application failed, where that is another error, or one of another statement, than
/// the first one's.
pub fn other_failure(evidence: &Evidence<'_, '_>) -> Option<OtherFailure> {
    let failed = |a: &&AttemptRecord<'_>| matches!(a.end, Some(AttemptEnd::Failed { .. }));
    let attempts = &evidence.trace.attempts;
    let (first, last) = (attempts.iter().find(failed)?, attempts.iter().rfind(failed)?);
    let (of_first, of_last) = (error_of(first)?, error_of(last)?);
    let (at_first, at_last) = (failed_with(first, of_first), failed_with(last, of_last));
    let text = |record: Option<&StatementRecord<'_>>| record.map(|r| r.began.text.clone());
    let same = of_first.sqlstate == of_last.sqlstate && text(at_first) == text(at_last);
    (first.attempt != last.attempt && !same).then(|| OtherFailure {
        statement: at_last.map(|record| evidence.refer(record)),
        error: of_last.clone(),
        earlier: at_last.and_then(|record| made(evidence, record, of_last)),
    })
}

fn failed_with<'a, 'h>(
    attempt: &'a AttemptRecord<'h>,
    error: &ServerError,
) -> Option<&'a StatementRecord<'h>> {
    let is = |s: &&StatementRecord<'_>| s.ended.is_some_and(|e| e.error.as_ref() == Some(error));
    attempt.statements.iter().rfind(is)
}
