//! From when a statement can have had a lock.

use crate::clock::Micros;
use crate::history::SessionId;
use crate::pg::LockMode;

use super::trace::{StatementRecord, Trace};
use super::waits::LockWaits;

/// Not before the statement began, nor before its wait for this lock was seen for the last time.
pub fn granted(
    trace: &Trace<'_>,
    waits: &LockWaits,
    session: &SessionId,
    taker: &StatementRecord<'_>,
    relation: &str,
    mode: LockMode,
) -> Micros {
    let (from, to) = taker.span(trace.end);
    let waited = waits.within(session, (from, to)).filter(|wait| {
        let here = wait.last_seen >= from && wait.last_seen <= to;
        let this = wait.relation.as_deref() == Some(relation) && wait.mode == mode.as_str();
        here && this
    });
    waited.map(|wait| wait.last_seen).max().unwrap_or(from)
}
