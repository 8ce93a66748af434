//! How the change used its connections: what was left in an open transaction, what ran in one
//! transaction that could have run in several, and under which lock.

use std::collections::BTreeSet;

use crate::clock::Micros;
use crate::history::{ClosedBy, ConnectionClosed, StatementEnded, TransactionStatus};
use crate::pg::purpose::Purpose;
use crate::pg::{LockMode, SqlState};
use crate::result::evidence::{
    HeldMeanwhile, LostTransaction, RolledBack, SharedMessage, SharedTransaction,
};
use crate::result::{Evidence as Shown, Finding, Subject};
use crate::scenario::{TransactionRule, Verdict};

use super::super::sessions::{Session, Transaction};
use super::super::trace::{AttemptRecord, StatementRecord};
use super::Evidence;

/// Relations whose lock is a finding, those under which most time went by.
const UNDER_LOCK_MAX: usize = 3;

/// What a finished attempt did in a transaction that never committed.
struct Lost<'s, 't, 'h> {
    transaction: Transaction<'s, 't, 'h>,
    changes: usize,
    ended: RolledBack,
}

/// A change that reports success has committed what it did.
pub fn open_transaction(evidence: &Evidence<'_, '_>) -> Option<Finding> {
    let lost: Vec<Lost<'_, '_, '_>> =
        evidence.sessions.iter().flat_map(|session| lost(evidence, session)).collect();
    let worst = lost.iter().rev().max_by_key(|lost| lost.changes > 0)?;
    let changed = worst.transaction.statements.iter().find(|s| s.changed_something());
    let lost = LostTransaction {
        by_command: evidence.is_command(),
        transaction: evidence.refer(worst.transaction.known_by()),
        ended: worst.ended.clone(),
        changes: worst.changes as u64,
        first_change: changed.map(|record| evidence.refer(record)),
        transactions: lost.len() as u64,
    };
    let verdict = match changed {
        Some(_) => Verdict::Unsafe,
        None => Verdict::Safe,
    };
    let about = lost.first_change.clone().unwrap_or_else(|| lost.transaction.clone());
    Some(Finding::new(verdict, Subject::statement(about), Shown::OpenTransaction(lost)))
}

fn lost<'s, 't, 'h>(
    evidence: &Evidence<'_, 'h>,
    session: &'s Session<'t, 'h>,
) -> Vec<Lost<'s, 't, 'h>> {
    let attempt = evidence.trace.attempts.iter().find(|a| a.attempt == session.attempt);
    let Some(attempt) = attempt.filter(|a| a.finished()) else { return Vec::new() };
    let cut_open = session.closed.filter(|(_, closed)| {
        let open = [TransactionStatus::InTransaction, TransactionStatus::Failed];
        open.contains(&closed.transaction) && !by_fault(attempt, session, closed)
    });
    let last = session.statements.last();
    let found = session.transactions().into_iter().filter_map(|transaction| {
        let changes = transaction.statements.iter().filter(|s| s.changed_something()).count();
        let is_last = last.is_some_and(|last| transaction.contains(last) && last.open_after());
        let ended = match cut_open {
            Some((at_us, closed)) if is_last => {
                RolledBack::ConnectionClosed { by: closed.by, at_us }
            }
            _ if changes > 0 && !repeated(attempt, &transaction) => transaction.undone()?,
            _ => return None,
        };
        Some(Lost { transaction, changes, ended })
    });
    found.collect()
}

/// Whether the connection was not ended by the tool: a fault cut it, or met a statement of it.
fn by_fault(
    attempt: &AttemptRecord<'_>,
    session: &Session<'_, '_>,
    end: &ConnectionClosed,
) -> bool {
    let own = |statement| session.statements.iter().any(|s| s.began.statement == statement);
    let met = attempt.faults.iter().any(|(_, fault)| fault.statement.is_none_or(own));
    end.by == ClosedBy::Fault || met
}

/// Whether all of its work was done again elsewhere, as after a retry.
fn repeated(attempt: &AttemptRecord<'_>, transaction: &Transaction<'_, '_, '_>) -> bool {
    let again = |record: &&&StatementRecord<'_>| {
        attempt.statements.iter().any(|other| {
            other.began.text == record.began.text
                && other.succeeded()
                && other.at > record.at
                && !transaction.contains(other)
        })
    };
    let mut work = transaction.statements.iter().filter(|s| s.changed_something());
    work.all(|record| again(&record))
}

/// The version table is written once per migration; more than that in one transaction is several
/// migrations in it.
pub fn one_transaction(evidence: &Evidence<'_, '_>) -> Option<Finding> {
    let change = &evidence.scenario.change;
    if change.transaction == TransactionRule::Single {
        return None;
    }
    let writes = |transaction: &Transaction<'_, '_, '_>, table: &str| -> usize {
        // A merge of branches writes several rows for one migration: work lies between two.
        let (mut groups, mut worked) = (0, true);
        for record in transaction.statements.iter().filter(|s| s.succeeded()) {
            if record.facts().writes_to(table) > 0 {
                groups += usize::from(std::mem::take(&mut worked));
            } else if record.purpose() == Purpose::Work {
                worked = true;
            }
        }
        groups
    };
    let tables = evidence.version_tables();
    let transactions = evidence.sessions.iter().flat_map(Session::transactions);
    let several = transactions.flat_map(|transaction| {
        let counted = tables.iter().map(|table| (writes(&transaction, table), *table));
        let most = counted.max_by_key(|(writes, _)| *writes);
        most.filter(|(writes, _)| *writes > 1).map(|(writes, table)| (writes, table, transaction))
    });
    let (times, table, transaction) = several.max_by_key(|(writes, ..)| *writes)?;
    let subject = Subject {
        relation: Some(table.to_owned()),
        ..Subject::statement(evidence.refer(transaction.known_by()))
    };
    let shown = Shown::OneTransaction(SharedTransaction { migrations: times as u64 });
    Some(Finding::new(Verdict::Safe, subject, shown))
}

/// One lock, and what ran under it.
struct Held<'t, 'h> {
    relations: Vec<String>,
    taker: &'t StatementRecord<'h>,
    under: Vec<&'t StatementRecord<'h>>,
    took: Micros,
}

/// Each relation's worst occurrence, the longest first.
pub fn statements_under_lock(evidence: &Evidence<'_, '_>) -> Vec<Finding> {
    let mut held: Vec<Held<'_, '_>> = Vec::new();
    for session in evidence.sessions {
        for transaction in session.transactions() {
            held.extend(held_in(evidence, transaction.statements));
        }
    }
    held.sort_by_key(|held| std::cmp::Reverse(held.took));
    let mut known: BTreeSet<String> = BTreeSet::new();
    let mut findings = Vec::new();
    for mut held in held {
        held.relations.retain(|relation| known.insert(relation.clone()));
        if findings.len() < UNDER_LOCK_MAX && !held.relations.is_empty() {
            findings.extend(under_lock(evidence, &held));
        }
    }
    findings
}

fn held_in<'t, 'h>(
    evidence: &Evidence<'_, '_>,
    statements: &[&'t StatementRecord<'h>],
) -> Vec<Held<'t, 'h>> {
    let mut before = BTreeSet::new();
    let mut found = Vec::new();
    let counts = |record: &&&StatementRecord<'_>| {
        let gone = |e: &StatementEnded| e.transaction == TransactionStatus::Gone;
        record.purpose() >= Purpose::Read
            && !evidence.is_bookkeeping(record)
            // A statement that found its connection ended ran under no lock any more.
            && (record.succeeded() || !record.ended.is_some_and(gone))
    };
    for (index, taker) in statements.iter().enumerate() {
        let now = exclusive(taker);
        let relations: Vec<String> = now.difference(&before).cloned().collect();
        if !relations.is_empty() {
            let under: Vec<&StatementRecord<'_>> =
                statements[index + 1..].iter().filter(counts).copied().collect();
            let took = under.iter().map(|s| length(evidence, s));
            let took = took.fold(Micros::ZERO, |sum, took| sum + took);
            if !under.is_empty() {
                found.push(Held { relations, taker, under, took });
            }
        }
        // What cannot be looked at, a failed transaction, has not let go of anything for that.
        if taker.succeeded() {
            before = now;
        }
    }
    found
}

fn exclusive(record: &StatementRecord<'_>) -> BTreeSet<String> {
    let held = record.ended.iter().flat_map(|ended| &ended.held);
    let strongest = held.filter(|lock| lock.mode == LockMode::AccessExclusiveLock);
    strongest.map(|lock| lock.relation.clone()).collect()
}

fn length(evidence: &Evidence<'_, '_>, record: &StatementRecord<'_>) -> Micros {
    let (began, ended) = record.span(evidence.trace.end);
    ended - began
}

fn under_lock(evidence: &Evidence<'_, '_>, held: &Held<'_, '_>) -> Option<Finding> {
    // A rewrite takes a table's indexes as well; the statement names the table.
    let named = held.relations.iter().find(|r| held.taker.began.text.contains(r.as_str()));
    let relation = named.or(held.relations.first())?;
    let longest = held.under.iter().max_by_key(|s| length(evidence, s))?;
    let meanwhile = HeldMeanwhile {
        others: held.relations.len() as u64 - 1,
        statements: held.under.len() as u64,
        took_us: held.took,
        longest: evidence.refer(longest),
    };
    let subject = Subject {
        relation: Some(relation.clone()),
        ..Subject::statement(evidence.refer(held.taker))
    };
    Some(Finding::new(Verdict::Safe, subject, Shown::StatementsUnderLock(meanwhile)))
}

/// Several statements in one message are one transaction, with or without BEGIN.
pub fn one_message(evidence: &Evidence<'_, '_>) -> Option<Finding> {
    let statements = evidence.sessions.iter().flat_map(|s| &s.statements);
    let mut messages = statements.filter(|s| {
        s.began.statements > 1
            && !s.open_before()
            && !s.facts().begins_transaction()
            && (locks_strongly(s) || refused(s))
    });
    let first = messages.next()?;
    let message = SharedMessage {
        statements: first.began.statements,
        refused: refused(first),
        others: messages.count() as u64,
    };
    let subject = Subject::statement(evidence.refer(first));
    Some(Finding::new(Verdict::Safe, subject, Shown::OneMessage(message)))
}

fn locks_strongly(record: &StatementRecord<'_>) -> bool {
    let seen = record.ended.iter().flat_map(|ended| ended.held.iter().chain(&ended.taken));
    let modes = seen.map(|lock| lock.mode).chain(record.facts().strongest_lock());
    modes.max().is_some_and(|mode| mode >= LockMode::ShareRowExclusiveLock)
}

fn refused(record: &StatementRecord<'_>) -> bool {
    let error = record.ended.and_then(|ended| ended.error.as_ref());
    let state = error.and_then(|error| error.sqlstate.as_ref());
    state.is_some_and(|state| state.is(SqlState::ACTIVE_SQL_TRANSACTION))
}
