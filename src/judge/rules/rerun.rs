//! What applying a finished change again cost: rows that it wrote, locks that it held.

use crate::clock::Micros;
use crate::history::{Contents, HeldLock, TableContents};
use crate::pg::LockMode;
use crate::pg::syntax::Kind;
use crate::result::evidence::{RerunHeld, RowsChange};
use crate::result::{Evidence as Shown, Finding, Subject};
use crate::scenario::Verdict;

use super::super::sessions::{Session, Transaction};
use super::super::trace::StatementRecord;
use super::Evidence;

/// The weakest mode that stops those who write rows.
const STOPS_WRITES: LockMode = LockMode::ShareLock;

/// No other session writes between the two snapshots, so the rerun has written what differs.
pub fn wrote(evidence: &Evidence<'_, '_>) -> Vec<Finding> {
    let looks = &evidence.trace.contents;
    let pairs = looks.iter().flat_map(|before| {
        let next = before.after.map(|attempt| attempt + 1);
        let after = looks.iter().find(move |after| next.is_some() && after.after == next);
        after.map(|after| (*before, *after))
    });
    let both = pairs.filter(|(before, after)| {
        [before, after].iter().all(|look| look.after.is_some_and(|n| finished(evidence, n)))
    });
    both.filter_map(|(before, after)| wrote_between(evidence, before, after)).collect()
}

fn finished(evidence: &Evidence<'_, '_>, attempt: u32) -> bool {
    evidence.trace.attempts.iter().any(|a| a.attempt == attempt && a.finished())
}

/// A table in only one snapshot is a change of the schema, reported as one; the version table is
/// the tool's, and its rows are reported as versions.
fn wrote_between(
    evidence: &Evidence<'_, '_>,
    before: &Contents,
    after: &Contents,
) -> Option<Finding> {
    let versions = evidence.scenario.change.versions.as_ref();
    let of_users = |name: &&String| versions.is_none_or(|v| !is_named(name, &v.table));
    let tables = before.tables.iter().filter(|(name, _)| of_users(name));
    let both = tables.filter_map(|(name, was)| Some((name, was, after.tables.get(name)?)));
    let mut changed = both.filter(|(_, was, is)| differs(was, is));
    let (table, was, is) = changed.next()?;
    let change = RowsChange { before: was.rows, after: is.rows, others: changed.count() as u64 };
    let subject = Subject::relation(table.clone());
    Some(Finding::new(Verdict::Unsafe, subject, Shown::RerunWrote(change)))
}

fn differs(was: &TableContents, is: &TableContents) -> bool {
    let digests = was.digest.as_ref().zip(is.digest.as_ref());
    was.rows != is.rows || digests.is_some_and(|(was, is)| was != is)
}

/// Whether both are the same table, as far as the names tell.
fn is_named(name: &str, table: &str) -> bool {
    let last = |name: &str| {
        let last = name.rsplit('.').next().unwrap_or(name);
        last.trim_matches('"').to_owned()
    };
    last(name) == last(table)
}

/// A lock that a rerun held, and for how long.
struct Held<'t, 'h> {
    mode: LockMode,
    /// None: the statement ran by itself, and its words tell no more than the mode.
    relation: Option<&'t str>,
    taker: &'t StatementRecord<'h>,
    from: Micros,
    took: Micros,
}

/// The longest lock of a rerun that had nothing to do, where it is beyond the limit.
pub fn lock(evidence: &Evidence<'_, '_>) -> Option<Finding> {
    let limit = lock_limit(evidence);
    let worst = longest(evidence).filter(|held| held.took > limit)?;
    let held = RerunHeld {
        mode: worst.mode.as_str().to_owned(),
        held_us: worst.took,
        limit_us: limit,
        did_something: did_something(evidence, worst.taker.began.attempt),
        from_us: worst.from,
    };
    let subject = Subject {
        relation: worst.relation.map(str::to_owned),
        ..Subject::statement(evidence.refer(worst.taker))
    };
    Some(Finding::new(Verdict::Unsafe, subject, Shown::RerunLock(held)))
}

/// As long as a rerun that has nothing to do may hold a lock that stops writers.
pub fn lock_limit(evidence: &Evidence<'_, '_>) -> Micros {
    Micros::from_millis(evidence.scenario.limits.rerun_lock_ms_max)
}

/// How long a rerun that had nothing to do held such a lock; None: it held none.
pub fn lock_held(evidence: &Evidence<'_, '_>) -> Option<Micros> {
    longest(evidence).map(|held| held.took)
}

fn longest<'t, 'h>(evidence: &Evidence<'t, 'h>) -> Option<Held<'t, 'h>> {
    let first = evidence.first_success()?;
    let again = |attempt: u32| attempt > first && attempt >= evidence.scenario.change.runners;
    let idle = |attempt: u32| again(attempt) && changed_no_schema(evidence, first, attempt);
    let sessions = evidence.sessions.iter().filter(|session| idle(session.attempt));
    let held = sessions.flat_map(|session| held(evidence, session));
    held.max_by_key(|held| held.took)
}

fn changed_no_schema(evidence: &Evidence<'_, '_>, first: u32, attempt: u32) -> bool {
    let done = evidence.trace.catalogues.iter().rev();
    let mut before = done.filter(|c| c.after.is_some_and(|n| (first..attempt).contains(&n)));
    let after = evidence.trace.catalogue_after(attempt);
    before.next().zip(after).is_some_and(|(before, after)| before.objects == after.objects)
}

/// Whether it wrote rows of others than the tool, or a table anew.
fn did_something(evidence: &Evidence<'_, '_>, attempt: u32) -> bool {
    let statements = evidence.trace.attempts.iter().filter(|a| a.attempt == attempt);
    let mut statements = statements.flat_map(|a| &a.statements);
    statements.any(|record| {
        let writes = matches!(record.kind(), Kind::Insert | Kind::Update | Kind::Delete);
        let rewrote = record.ended.is_some_and(|ended| !ended.rewritten.is_empty());
        let wrote = writes && record.changed_something() && !evidence.is_bookkeeping(record);
        rewrote || wrote
    })
}

fn held<'t, 'h>(evidence: &Evidence<'_, 'h>, session: &Session<'t, 'h>) -> Vec<Held<'t, 'h>> {
    let transactions = session.transactions();
    let inside = |record: &StatementRecord<'_>| transactions.iter().any(|t| t.contains(record));
    let alone = session.statements.iter().copied().filter(|record| !inside(record));
    let alone = alone.filter_map(|record| held_alone(evidence, session, record));
    let held = transactions.iter().flat_map(|t| held_in(evidence, session, t));
    held.chain(alone).collect()
}

/// Outside a transaction a lock ends with its statement, before a probe can see it. What a block
/// asks for it may never get to.
fn held_alone<'t, 'h>(
    evidence: &Evidence<'_, 'h>,
    session: &Session<'t, 'h>,
    record: &'t StatementRecord<'h>,
) -> Option<Held<'t, 'h>> {
    let (mode, (_, ended)) = (record.facts().strongest_lock()?, record.span(evidence.trace.end));
    if mode < STOPS_WRITES || *record.kind() == Kind::Do || evidence.is_bookkeeping(record) {
        return None;
    }
    let from = granted(evidence, session, record);
    Some(Held { mode, relation: None, taker: record, from, took: ended - from })
}

/// Each lock from the statement that took it first.
fn held_in<'t, 'h>(
    evidence: &Evidence<'_, 'h>,
    session: &Session<'t, 'h>,
    transaction: &Transaction<'_, 't, 'h>,
) -> Vec<Held<'t, 'h>> {
    let statements = transaction.statements;
    let Some(last) = statements.last() else { return Vec::new() };
    let until = match last.open_after() {
        true => session.until,
        false => last.span(evidence.trace.end).1,
    };
    let mut found: Vec<Held<'t, 'h>> = Vec::new();
    for (index, &record) in statements.iter().enumerate() {
        for lock in record.ended.iter().flat_map(|ended| ended.held.iter().chain(&ended.taken)) {
            let known =
                |h: &Held<'_, '_>| h.relation == Some(&lock.relation) && h.mode >= lock.mode;
            if !counts(evidence, lock) || found.iter().any(known) {
                continue;
            }
            // Time for which the tap held the change back is not the change's.
            let looks = statements[index..].iter().map(|s| s.paused());
            let looks = looks.fold(Micros::ZERO, |sum, paused| sum + paused);
            let from = granted(evidence, session, record);
            let took = until - from - looks;
            let relation = Some(lock.relation.as_str());
            found.push(Held { mode: lock.mode, relation, taker: record, from, took });
        }
    }
    found
}

fn counts(evidence: &Evidence<'_, '_>, lock: &HeldLock) -> bool {
    let own = evidence.tools_tables().iter().any(|table| is_named(&lock.relation, table));
    lock.mode >= STOPS_WRITES && !own
}

/// From when on the statement may have held a lock: from its begin, or from the end of the last
/// wait for one.
fn granted(
    evidence: &Evidence<'_, '_>,
    session: &Session<'_, '_>,
    record: &StatementRecord<'_>,
) -> Micros {
    let (began, ended) = record.span(evidence.trace.end);
    let own = evidence.waits.within(&session.id, (began, ended));
    let within = own.filter(|wait| began <= wait.last_seen && wait.last_seen <= ended);
    within.map(|wait| wait.last_seen).max().unwrap_or(began)
}
