//! What the change left on the server connections of a pooler.

use crate::history::{Attempt, HeldAdvisory, PooledSession, SessionId};
use crate::result::evidence::{LeftLock, LeftOnSessions, LeftSetting};
use crate::result::{Evidence as Shown, Finding, Subject};
use crate::scenario::Verdict;

use super::super::trace::StatementRecord;
use super::Evidence;

/// Functions whose lock outlives the transaction.
const LOCKS_SESSION: [&str; 4] = [
    "pg_advisory_lock(",
    "pg_try_advisory_lock(",
    "pg_advisory_lock_shared(",
    "pg_try_advisory_lock_shared(",
];

/// Settings and advisory locks of the change's that the next client of the pooler gets with the
/// server connection. Told of the first attempt that left any.
pub fn left(evidence: &Evidence<'_, '_>) -> Option<Finding> {
    let mode = evidence.trace.poolers.first()?.mode.clone();
    evidence.trace.pooled.iter().find_map(|state| {
        let mut left = LeftOnSessions {
            mode: mode.clone(),
            shared: false,
            sessions: 0,
            locks: Vec::new(),
            settings: Vec::new(),
        };
        for session in &state.sessions {
            add(evidence, &mut left, session, state.after);
        }
        let first = left.locks.first().map(|lock| &lock.statement);
        let first = first.or(left.settings.first().map(|setting| &setting.statement))?;
        let subject = Subject::statement(first.clone());
        let harms = !left.locks.is_empty() || left.shared;
        let verdict = if harms { Verdict::Unsafe } else { Verdict::Safe };
        Some(Finding::new(verdict, subject, Shown::SessionStateLeft(left)))
    })
}

fn add(
    evidence: &Evidence<'_, '_>,
    left: &mut LeftOnSessions,
    session: &PooledSession,
    after: Attempt,
) {
    let refer = |record: &StatementRecord<'_>| evidence.refer(record);
    let last = |does: &dyn Fn(&StatementRecord<'_>) -> bool| {
        last(evidence, &session.session, after, does).map(refer)
    };
    let mut found = false;
    for HeldAdvisory { classid, objid } in session.advisory_locks.iter().copied() {
        // One that no statement of the change took is the application's own.
        if let Some(statement) = last(&locks_session) {
            left.locks.push(LeftLock { classid, objid, statement });
            found = true;
        }
    }
    for (name, value) in &session.settings {
        let sets = |record: &StatementRecord<'_>| {
            let text = record.began.text.to_lowercase();
            record.sets(name).is_some() || text.contains(&format!("'{}'", name.to_lowercase()))
        };
        let known = left.settings.iter().any(|known| known.name == *name);
        if let Some(statement) = last(&sets) {
            if !known {
                let (name, value) = (name.clone(), value.clone());
                left.settings.push(LeftSetting { name, value, statement });
            }
            found = true;
        }
    }
    if found {
        left.sessions += 1;
        left.shared |= session.shared;
    }
}

/// The last statement of the change on that session of the server's that does so, up to the
/// attempt's end.
fn last<'e, 'h>(
    evidence: &'e Evidence<'_, 'h>,
    session: &SessionId,
    after: Attempt,
    does: &dyn Fn(&StatementRecord<'_>) -> bool,
) -> Option<&'e StatementRecord<'h>> {
    let of_session = |record: &&StatementRecord<'h>| record.began.session == *session;
    let statements = evidence.trace.statements().rev().filter(of_session);
    let mut so_far = statements.filter(|record| record.began.attempt <= after);
    so_far.find(|record| record.succeeded() && does(record))
}

fn locks_session(record: &StatementRecord<'_>) -> bool {
    let text = record.began.text.to_lowercase();
    LOCKS_SESSION.iter().any(|call| text.contains(call))
}
