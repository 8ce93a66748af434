//! How the change used its connections: what was left in an open transaction, what ran in one
//! transaction that could have run in several, and under which lock.

use std::collections::BTreeSet;

use crate::clock::Micros;
use crate::history::{ClosedBy, ConnectionClosed, StatementEnded, TransactionStatus};
use crate::pg::purpose::Purpose;
use crate::pg::{LockMode, SqlState};
use crate::result::Finding;
use crate::scenario::{FindingKind, TransactionRule, Verdict};

use super::super::sessions::{Session, Transaction};
use super::super::timeline::{AttemptRecord, StatementRecord};
use super::words::{actor, count, record_words, transaction_words};
use super::{Evidence, finding};

/// Relations whose lock is told of, those under which most time went by.
const UNDER_LOCK_MAX: usize = 3;

/// What a finished attempt did in a transaction that never committed.
struct Lost<'s, 't, 'h> {
    transaction: Transaction<'s, 't, 'h>,
    changes: usize,
    how: String,
}

/// A change that reports success has committed what it did.
pub fn open_transaction(evidence: &Evidence<'_, '_>) -> Option<Finding> {
    let lost: Vec<Lost<'_, '_, '_>> =
        evidence.sessions.iter().flat_map(|session| lost(evidence, session)).collect();
    let worst = lost.iter().rev().max_by_key(|lost| lost.changes > 0)?;
    let changed = worst.transaction.statements.iter().find(|s| s.changed_something());
    let (verdict, fate) = match changed {
        Some(first) => {
            let statements = count(worst.changes as u64, "statement");
            let first = record_words(evidence, first);
            (Verdict::Unsafe, format!("{statements} of it had changed something, first {first}"))
        }
        None => (Verdict::Safe, "nothing in it had changed anything".to_owned()),
    };
    let others = match lost.len() {
        1 => String::new(),
        n => format!("; {n} such transactions in all"),
    };
    let sentence = format!(
        "{} reported success, and {} was rolled back: {}; {fate}{others}",
        actor(evidence),
        transaction_words(evidence, &worst.transaction),
        worst.how,
    );
    let mut open = finding(FindingKind::OpenTransaction, verdict, sentence);
    open.remedy = changed.map(|_| {
        "commit before the connection is closed or given back to its pool; a driver that is not \
         in autocommit begins a transaction at the first statement and rolls it back at the end"
            .to_owned()
    });
    Some(open)
}

fn lost<'s, 't, 'h>(
    evidence: &Evidence<'_, 'h>,
    session: &'s Session<'t, 'h>,
) -> Vec<Lost<'s, 't, 'h>> {
    let attempt = evidence.timeline.attempts.iter().find(|a| a.attempt == session.attempt);
    let Some(attempt) = attempt.filter(|a| a.finished()) else { return Vec::new() };
    let cut_open = session.closed.filter(|(_, closed)| {
        let open = [TransactionStatus::InTransaction, TransactionStatus::Failed];
        open.contains(&closed.transaction) && !by_fault(attempt, session, closed)
    });
    let last = session.statements.last();
    let found = session.transactions().into_iter().filter_map(|transaction| {
        let changes = transaction.statements.iter().filter(|s| s.changed_something()).count();
        let is_last = last.is_some_and(|last| transaction.contains(last) && last.open_after());
        let how = match cut_open {
            Some((at, closed)) if is_last => closing_words(at, closed),
            _ if changes > 0 && !repeated(attempt, &transaction) => transaction.undone()?,
            _ => return None,
        };
        Some(Lost { transaction, changes, how })
    });
    found.collect()
}

fn closing_words(at: Micros, closed: &ConnectionClosed) -> String {
    let by = match closed.by {
        ClosedBy::Client => "was closed by the client",
        ClosedBy::ClientGone => "was dropped by the client without a goodbye",
        ClosedBy::Server => "was closed by the server",
        ClosedBy::Fault => "was cut on purpose",
    };
    format!("its connection {by} at {:.2} s with the transaction still open", at.as_secs_f64())
}

/// Whether somebody else than the tool ended the connection: a fault that cut it, or that met a
/// statement of it.
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
    let sentence = format!(
        "{table} was written {times} times in one transaction, {}: the migrations did not run in \
         transactions of their own, so every lock is held until the last of them is done, and \
         what fails takes all of them back",
        transaction_words(evidence, &transaction)
    );
    let mut one = finding(FindingKind::OneTransaction, Verdict::Safe, sentence);
    one.remedy = Some(
        "tell the tool to use a transaction per migration, and commit what is sent before its \
         first one: a tool that finds a transaction open takes it for the caller's and begins, \
         commits and leaves none of its own"
            .to_owned(),
    );
    Some(one)
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
    let mut told: BTreeSet<String> = BTreeSet::new();
    let mut findings = Vec::new();
    for mut held in held {
        held.relations.retain(|relation| told.insert(relation.clone()));
        if findings.len() < UNDER_LOCK_MAX && !held.relations.is_empty() {
            findings.push(under_lock(evidence, &held));
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
    let (began, ended) = record.span(evidence.timeline.end);
    ended - began
}

fn under_lock(evidence: &Evidence<'_, '_>, held: &Held<'_, '_>) -> Finding {
    // A rewrite takes a table's indexes as well; the statement names the table.
    let named = held.relations.iter().find(|r| held.taker.began.text.contains(r.as_str()));
    let relation = named.or(held.relations.first()).map_or("", String::as_str);
    let others = match held.relations.len() {
        0 | 1 => String::new(),
        n => format!(" (and on {})", count(n as u64 - 1, "other relation")),
    };
    let longest = held.under.iter().max_by_key(|s| length(evidence, s));
    let longest = longest.map_or_else(String::new, |longest| {
        let (words, took) = (record_words(evidence, longest), length(evidence, longest));
        match held.under.len() {
            1 => format!("{words} ran, {took}"),
            n => format!(
                "{} of the transaction ran, {} in all; the longest, {words}, took {took}",
                count(n as u64, "more statement"),
                held.took
            ),
        }
    });
    let sentence = format!(
        "AccessExclusiveLock on {relation}{others}, taken by {}, was held while {longest}",
        record_words(evidence, held.taker),
    );
    let mut under = finding(FindingKind::StatementsUnderLock, Verdict::Safe, sentence);
    under.remedy = Some(format!(
        "commit after the statement that takes the lock: nobody reads or writes {relation} until \
         the transaction's last statement is done"
    ));
    under
}

/// Several statements in one message are one transaction, whether anybody wrote BEGIN or not.
pub fn one_message(evidence: &Evidence<'_, '_>) -> Option<Finding> {
    let statements = evidence.sessions.iter().flat_map(|s| &s.statements);
    let mut messages = statements.filter(|s| {
        s.began.statements > 1
            && !s.open_before()
            && !s.facts().begins_transaction()
            && (locks_strongly(s) || refused(s))
    });
    let first = messages.next()?;
    let others = match messages.count() as u64 {
        0 => String::new(),
        1 => "; so was 1 more".to_owned(),
        n => format!("; so were {}", count(n, "more message")),
    };
    let outcome = match refused(first) {
        true => "what cannot run inside a transaction was refused (25001)",
        false => "each lock is held until the last statement of the message is done",
    };
    let sentence = format!(
        "{} was sent in one message of {}, which the server runs as one transaction: {outcome}\
         {others}",
        record_words(evidence, first),
        count(u64::from(first.began.statements), "statement"),
    );
    let mut one = finding(FindingKind::OneMessage, Verdict::Safe, sentence);
    one.remedy = Some("send the statements one at a time".to_owned());
    Some(one)
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
