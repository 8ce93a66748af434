//! Turns "a statement began, it ended" into events with what the server shows in between.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;

use crate::clock::Micros;
use crate::history::{
    Attempt, Event, HeldLock, Protocol, Recorder, ServerError, Source, StatementBegan,
    StatementEnded, StatementId, TransactionStatus,
};
use crate::pg::LockMode;

/// What the server shows of the change's backend between two statements.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sight {
    pub lock_timeout_ms: u64,
    pub statement_timeout_ms: u64,
    pub idle_in_transaction_session_timeout_ms: u64,
    /// `pg_current_wal_insert_lsn()` as a byte position.
    pub wal_bytes: u64,
    /// Relation oid to its name and relfilenode, as the change's own transaction sees them.
    pub relations: BTreeMap<u32, (String, u32)>,
    /// Table-level locks that are granted to the backend: relation oid and mode.
    pub locks: Vec<(u32, LockMode)>,
}

/// Looks at the server between two statements; the statement that follows waits for it.
pub trait Probe {
    /// None where nothing can be seen: the transaction has failed, or the connection is gone.
    /// An error where something could have been, and the look itself failed.
    fn look(
        &mut self,
        transaction: TransactionStatus,
    ) -> impl Future<Output = Result<Option<Sight>, String>> + Send;
}

/// A statement as its file, or its runner, has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatementText {
    pub migration: String,
    pub source: Source,
    pub text: String,
}

/// Traces one attempt on one backend.
pub struct Tracer<P> {
    recorder: Recorder,
    probe: P,
    attempt: Attempt,
    pid: i32,
    next: StatementId,
    /// The sight after the statement before; looked at again when it may be stale.
    last: Option<Sight>,
    /// Relations that were there when the transaction began: a lock on one that it made itself
    /// stops nobody, since nobody else can see it.
    visible_to_others: BTreeSet<u32>,
    open: Option<Open>,
}

struct Open {
    id: StatementId,
    began: Micros,
    before: Option<Sight>,
}

impl<P: Probe> Tracer<P> {
    pub fn new(recorder: &Recorder, probe: P, attempt: Attempt, pid: i32) -> Tracer<P> {
        let recorder = recorder.clone();
        let visible_to_others = BTreeSet::new();
        Tracer { recorder, probe, attempt, pid, next: 0, last: None, visible_to_others, open: None }
    }

    /// Call right before the statement is sent.
    pub async fn began(&mut self, statement: StatementText, transaction: TransactionStatus) {
        // Between two statements outside a transaction, others may have rewritten relations or
        // written WAL: what was seen after the last statement is stale.
        let reusable = transaction == TransactionStatus::InTransaction;
        let before = match self.last.take() {
            Some(sight) if reusable => Some(sight),
            _ => self.look(transaction).await,
        };
        if transaction == TransactionStatus::Idle
            && let Some(sight) = &before
        {
            self.visible_to_others = sight.relations.keys().copied().collect();
        }
        let id = self.next;
        self.next += 1;
        let event = StatementBegan {
            attempt: self.attempt,
            statement: id,
            connection: 0,
            pid: self.pid,
            migration: statement.migration,
            source: statement.source,
            text: statement.text,
            statements: 1,
            protocol: Protocol::Simple,
            parameter_types: Vec::new(),
            lock_timeout_ms: before.as_ref().map_or(0, |s| s.lock_timeout_ms),
            statement_timeout_ms: before.as_ref().map_or(0, |s| s.statement_timeout_ms),
            idle_in_transaction_session_timeout_ms: before
                .as_ref()
                .map_or(0, |s| s.idle_in_transaction_session_timeout_ms),
            transaction_timeout_ms: None,
            transaction,
        };
        let began = self.recorder.clock().now();
        self.recorder.record_at(began, Event::StatementBegan(event));
        self.open = Some(Open { id, began, before });
    }

    /// Call as soon as the answer is there, with the transaction's status after it.
    pub async fn ended(
        &mut self,
        outcome: Result<Option<u64>, ServerError>,
        transaction: TransactionStatus,
        notices: Vec<String>,
    ) {
        let ended = self.recorder.clock().now();
        let Some(open) = self.open.take() else { return };
        let after = self.look(transaction).await;
        let both = open.before.as_ref().zip(after.as_ref());
        let (rows, error) = match outcome {
            Ok(rows) => (rows, None),
            Err(error) => (None, Some(error)),
        };
        let event = StatementEnded {
            attempt: self.attempt,
            statement: open.id,
            began_us: open.began,
            ended_us: ended,
            error,
            tags: Vec::new(),
            rows,
            wal_bytes: both.map(|(before, after)| after.wal_bytes.saturating_sub(before.wal_bytes)),
            rewritten: both.map_or_else(Vec::new, |(before, after)| rewritten(before, after)),
            held: after
                .as_ref()
                .map_or_else(Vec::new, |s| strongest_per_relation(s, &self.visible_to_others)),
            taken: Vec::new(),
            transaction,
            notices,
            paused_us: Micros::ZERO,
        };
        self.recorder.record_at(ended, Event::StatementEnded(event));
        self.last = after;
    }

    async fn look(&mut self, transaction: TransactionStatus) -> Option<Sight> {
        let looked = self.probe.look(transaction).await;
        looked.unwrap_or_else(|message| {
            let stage = "looking at the change between two statements".to_owned();
            self.recorder.record(Event::MeasurementFailed { stage, message });
            None
        })
    }

    pub fn probe(&mut self) -> &mut P {
        &mut self.probe
    }
}

/// TOAST tables and their indexes follow their table in every lock and every rewrite.
fn is_toast(name: &str) -> bool {
    name.starts_with("pg_toast.")
}

/// Relations that were there before and have another relfilenode now.
fn rewritten(before: &Sight, after: &Sight) -> Vec<String> {
    let changed = after.relations.iter().filter(|(oid, (name, filenode))| {
        !is_toast(name) && before.relations.get(oid).is_some_and(|(_, old)| old != filenode)
    });
    changed.map(|(_, (name, _))| name.clone()).collect()
}

fn strongest_per_relation(sight: &Sight, visible: &BTreeSet<u32>) -> Vec<HeldLock> {
    let mut strongest: BTreeMap<String, LockMode> = BTreeMap::new();
    for (oid, mode) in &sight.locks {
        // A relation that the catalogue does not show was dropped in this transaction.
        let name = sight.relations.get(oid).map_or_else(|| oid.to_string(), |r| r.0.clone());
        if is_toast(&name) || !visible.contains(oid) {
            continue;
        }
        let held = strongest.entry(name).or_insert(*mode);
        *held = (*held).max(*mode);
    }
    strongest.into_iter().map(|(relation, mode)| HeldLock { relation, mode }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sight(relations: &[(u32, &str, u32)], locks: &[(u32, LockMode)]) -> Sight {
        let relations = relations.iter().map(|(oid, n, f)| (*oid, ((*n).to_owned(), *f))).collect();
        Sight { relations, locks: locks.to_vec(), ..Sight::default() }
    }

    #[test]
    fn a_new_relation_is_not_a_rewritten_one() {
        let before = sight(&[(1, "t", 10), (2, "i", 20)], &[]);
        let after = sight(&[(1, "t", 11), (2, "i", 20), (3, "new", 30)], &[]);
        assert_eq!(rewritten(&before, &after), ["t"]);
    }

    #[test]
    fn of_several_locks_on_a_relation_the_strongest_is_told() {
        use LockMode::{AccessExclusiveLock, RowExclusiveLock};
        let locks = [(1, AccessExclusiveLock), (1, RowExclusiveLock)];
        let held = strongest_per_relation(&sight(&[(1, "t", 10)], &locks), &[1].into());
        assert_eq!(held, [HeldLock { relation: "t".to_owned(), mode: AccessExclusiveLock }]);
    }

    #[test]
    fn a_lock_on_a_relation_that_the_transaction_made_is_not_told() {
        let sight = sight(&[(1, "t", 10), (2, "ix", 20)], &[(2, LockMode::AccessExclusiveLock)]);
        assert_eq!(strongest_per_relation(&sight, &[1].into()), []);
    }
}
