//! Whether a timeout was in force where one is needed, and whether it was the one declared.

use crate::history::{HeldLock, TransactionStatus};
use crate::pg::purpose::{Purpose, is_zero};
use crate::pg::syntax::Kind;
use crate::pg::{LockMode, SqlState};
use crate::result::evidence::{LockNeed, OtherTimeout, OtherTimeouts, Unlimited};
use crate::result::{Evidence as Shown, Finding, Subject};
use crate::scenario::{Scope, Verdict};

use super::super::own_locks::own_locks;
use super::super::sessions::Session;
use super::super::trace::StatementRecord;
use super::super::waits::LockWait;
use super::Evidence;

const LOCK: &str = "lock_timeout";
const STATEMENT: &str = "statement_timeout";
const IDLE: &str = "idle_in_transaction_session_timeout";

/// From this mode on a lock stops writers, readers, or (ShareUpdateExclusiveLock, which CREATE
/// INDEX CONCURRENTLY takes) is waited for behind every older transaction.
const STRONG: LockMode = LockMode::ShareUpdateExclusiveLock;

/// Statements that take or wait for a strong lock while nothing ends their waiting. Reported for
/// the first attempt that has one; reruns repeat it.
pub fn none_in_force(evidence: &Evidence<'_, '_>) -> Option<Finding> {
    let without = |session: &Session<'_, '_>, record: &StatementRecord<'_>| {
        known(record)
            && !record.timeouts().bound_waiting()
            && [LOCK, STATEMENT].iter().all(|name| record.sets(name).is_none_or(is_zero))
            && !limits_itself(record)
            && strong(evidence, session, record).is_some()
    };
    let found = in_first_attempt(evidence, without);
    let (session, first) = *found.first()?;
    let lock = strong(evidence, session, first)?;
    let unlimited = Unlimited {
        may_limit_itself: may_limit_itself(first, &lock),
        lock,
        in_transaction: first.open_before(),
        outside_only: first.facts().outside_transaction(),
        others: found.len() as u64 - 1,
    };
    let relation = match &unlimited.lock {
        LockNeed::Waited { relation, .. } => relation.clone(),
        LockNeed::Took { relation, .. } => Some(relation.clone()),
        LockNeed::Held { relation, .. } | LockNeed::AsksFor { relation, .. } => {
            Some(relation.clone())
        }
    };
    let subject = Subject { relation, ..Subject::statement(evidence.refer(first)) };
    Some(Finding::new(Verdict::Safe, subject, Shown::NoTimeout(unlimited)))
}

/// Whether a block sets a lock_timeout for itself, or gave up at one: of a function that is all
/// that is seen of its own settings.
fn limits_itself(record: &StatementRecord<'_>) -> bool {
    let set = record.facts().sets_inside(LOCK).and_then(|set| set.value.as_deref());
    let error = record.ended.and_then(|ended| ended.error.as_ref());
    let state = error.and_then(|error| error.sqlstate.as_ref());
    set.is_some_and(|value| !is_zero(value))
        || state.is_some_and(|state| state.is(SqlState::LOCK_NOT_AVAILABLE))
}

/// Whether it may have set one for itself where nobody sees it: in a function, by text that it puts
/// together, or to a value that it computes.
fn may_limit_itself(record: &StatementRecord<'_>, lock: &LockNeed) -> bool {
    let facts = record.facts();
    let mode = match lock {
        LockNeed::Waited { mode, .. }
        | LockNeed::Took { mode, .. }
        | LockNeed::Held { mode, .. }
        | LockNeed::AsksFor { mode, .. } => LockMode::parse(mode),
    };
    // No query takes such a lock on a relation but by a function.
    let on_relation = !matches!(lock, LockNeed::Waited { relation: None, .. });
    let by_function =
        *record.kind() == Kind::Select && on_relation && mode.is_some_and(|mode| mode >= STRONG);
    let computed = facts.sets_inside(LOCK).is_some_and(|set| set.value.is_none());
    facts.is_dynamic() || by_function || computed
}

/// Of a statement in a failed transaction nothing can be looked at, its timeouts included.
fn known(record: &StatementRecord<'_>) -> bool {
    record.began.transaction != TransactionStatus::Failed
}

/// Statements of the first attempt in which any is found, with their connection.
fn in_first_attempt<'e, 'h>(
    evidence: &Evidence<'e, 'h>,
    wanted: impl Fn(&Session<'_, '_>, &StatementRecord<'_>) -> bool,
) -> Vec<(&'e Session<'e, 'h>, &'e StatementRecord<'h>)> {
    let mut found: Vec<(&Session<'_, '_>, &StatementRecord<'_>)> = Vec::new();
    for session in evidence.sessions {
        let records = session.statements.iter().filter(|record| wanted(session, record));
        found.extend(records.map(|record| (session, *record)));
    }
    let first = found.iter().map(|(session, _)| session.attempt).min();
    found.retain(|(session, _)| Some(session.attempt) == first);
    found.sort_by_key(|(_, record)| record.at);
    found
}

/// Which strong lock the statement took or waited for. What it took is seen while its
/// transaction is open; outside one, and of one that failed, its text has to tell.
fn strong(
    evidence: &Evidence<'_, '_>,
    session: &Session<'_, '_>,
    record: &StatementRecord<'_>,
) -> Option<LockNeed> {
    if record.purpose() == Purpose::Transaction || evidence.is_bookkeeping(record) {
        return None;
    }
    let (began, ended) = record.span(evidence.trace.end);
    // A file that grows is locked for as long as that takes, whatever the timeouts.
    let within = |w: &&LockWait| w.last_seen > began && w.from < ended && w.locktype != "extend";
    let own = evidence.waits.within(&session.id, (began, ended));
    let waited = own.filter(within).max_by_key(|w| w.seen_for());
    if let Some(wait) = waited {
        return Some(LockNeed::Waited {
            waited_us: wait.seen_for(),
            mode: wait.mode.clone(),
            relation: wait.relation.clone(),
        });
    }
    let seen = record.ended.iter().flat_map(|e| e.taken.iter().chain(newly_held(session, record)));
    if let Some(lock) = seen.max_by_key(|lock| lock.mode).filter(|lock| lock.mode >= STRONG) {
        let (mode, relation) = (lock.mode.as_str().to_owned(), lock.relation.clone());
        return Some(LockNeed::Took { mode, relation });
    }
    let unseen = !record.open_after() || !record.succeeded();
    let unseen = unseen && !refused(record);
    let own = own_locks(evidence.trace, &session.id, record);
    let own = own.into_iter().rev().filter(|lock| unseen && lock.mode >= STRONG);
    let lock = own.max_by_key(|lock| lock.mode)?;
    let (mode, relation) = (lock.mode.as_str().to_owned(), lock.relation);
    Some(match lock.seen {
        true => LockNeed::Held { mode, relation },
        false => LockNeed::AsksFor { mode, relation },
    })
}

/// A statement that failed by itself may never have got as far as its lock; one that was ended
/// from outside was at work, or waited.
fn refused(record: &StatementRecord<'_>) -> bool {
    const FROM_OUTSIDE: [&str; 4] = [
        SqlState::QUERY_CANCELED,
        SqlState::DEADLOCK_DETECTED,
        SqlState::ADMIN_SHUTDOWN,
        SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
    ];
    let error = record.ended.and_then(|ended| ended.error.as_ref());
    let state = error.and_then(|error| error.sqlstate.as_ref());
    state.is_some_and(|state| !FROM_OUTSIDE.contains(&state.code()))
}

/// Held after the statement, and not in that mode after the one before it.
fn newly_held<'t>(
    session: &Session<'_, '_>,
    record: &'t StatementRecord<'_>,
) -> impl Iterator<Item = &'t HeldLock> {
    let earlier = session.statements.iter().rev().filter(|_| record.open_before());
    let mut earlier = earlier;
    let before = earlier.find(|s| s.at < record.at);
    let known: Vec<_> =
        before.iter().filter_map(|s| s.ended).flat_map(|e| e.held.clone()).collect();
    let held = record.ended.iter().flat_map(|ended| &ended.held);
    held.filter(move |lock| !known.contains(lock)).collect::<Vec<_>>().into_iter()
}

/// A timeout that the change declares, and statements for which another value was in force.
pub fn not_in_force(evidence: &Evidence<'_, '_>) -> Option<Finding> {
    let timeouts = &evidence.scenario.change.timeouts;
    let declared = &evidence.scenario.declared_sizes();
    let statement = timeouts.statement_timeout_ms_at(declared, evidence.asked);
    let parts: Vec<OtherTimeout> = [
        (LOCK, timeouts.lock_timeout_ms),
        (STATEMENT, statement),
        (IDLE, timeouts.idle_in_transaction_session_timeout_ms),
    ]
    .into_iter()
    .filter_map(|(name, declared)| other_value(evidence, name, declared?))
    .collect();
    let about = parts.first()?.statement.clone();
    let other = OtherTimeouts { scope: timeouts.scope, timeouts: parts };
    let shown = Shown::TimeoutNotInForce(other);
    Some(Finding::new(Verdict::Safe, Subject::statement(about), shown))
}

/// The statements for which the timeout had another value than declared.
fn other_value(
    evidence: &Evidence<'_, '_>,
    name: &'static str,
    declared: u64,
) -> Option<OtherTimeout> {
    let differs = |session: &Session<'_, '_>, record: &StatementRecord<'_>| {
        known(record)
            && covered(evidence, session, record, name)
            && in_force(record, name) != declared
            && record.sets(name).is_none()
            && record.facts().sets_inside(name).is_none()
    };
    let found = in_first_attempt(evidence, differs);
    let (deliberate, found): (Vec<_>, Vec<_>) =
        found.into_iter().partition(|(session, record)| lifted(session, record, name));
    let (_, first) = found.first()?;
    Some(OtherTimeout {
        setting: name.to_owned(),
        declared_ms: declared,
        in_force_ms: in_force(first, name),
        statement: evidence.refer(first),
        statements: found.len() as u64,
        lifted: deliberate.len() as u64,
    })
}

fn in_force(record: &StatementRecord<'_>, name: &str) -> u64 {
    match name {
        LOCK => record.began.lock_timeout_ms,
        STATEMENT => record.began.statement_timeout_ms,
        _ => record.began.idle_in_transaction_session_timeout_ms,
    }
}

/// Whether the timeout is declared for this statement: SET LOCAL is of transactions; SET is of
/// what follows it on its connection, or of everything on one that never sets it.
fn covered(
    evidence: &Evidence<'_, '_>,
    session: &Session<'_, '_>,
    record: &StatementRecord<'_>,
    name: &'static str,
) -> bool {
    if record.purpose() != Purpose::Work || evidence.is_bookkeeping(record) {
        return false;
    }
    match evidence.scenario.change.timeouts.scope {
        Scope::Local => record.open_before(),
        Scope::Session => session.first_set(name).is_none_or(|set| set < record.at),
    }
}

/// Whether `SET statement_timeout = 0` is sent right before it: nothing but other SETs lies in
/// between, the end of a transaction, or work of the same transaction or autocommit block.
fn lifted(session: &Session<'_, '_>, record: &StatementRecord<'_>, name: &'static str) -> bool {
    if name != STATEMENT || record.began.statement_timeout_ms != 0 {
        return false;
    }
    let (inside, mut left) = (record.open_before(), false);
    for before in session.statements.iter().rev().filter(|s| s.at < record.at) {
        if let Some(value) = before.sets(name) {
            return is_zero(value);
        }
        match before.purpose() {
            Purpose::Work if left || before.open_before() != inside => return false,
            Purpose::Transaction => left = true,
            _ => {}
        }
    }
    false
}
