//! Turns "a statement began, it ended" into events with what the server shows in between.
//!
//! One per connection. It gets what was seen and derives what a statement took, held and
//! rewrote; it reads and sends nothing itself.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::clock::Micros;
use crate::history::{
    Event, HeldLock, ServerError, SessionId, Source, StatementBegan, StatementEnded, StatementId,
    TransactionStatus,
};
use crate::pg::LockMode;
use crate::pg::facts::facts;
use crate::pg::purpose::{Purpose, tools_own};
use crate::pg::syntax::Kind;

use super::conversation::{Statement, StatementOutcome};
use super::injected::Settings;
use super::probes::{self, Probes};
use super::shared::{Announced, TapState};
use super::watch::{LockSnapshot, SeenLock};

/// Notices kept of one statement.
const NOTICES_MAX: usize = 1_000;

pub struct Tracer {
    shared: Arc<TapState>,
    connection: u32,
    pub session: SessionId,
    pub probes: Probes,
    pub settings: Settings,
    /// What was seen after the last statement, while its transaction is open or failed.
    last: Option<LockSnapshot>,
    /// Relations that the open transaction gave another relfilenode.
    filenodes: HashMap<u32, u32>,
    open: Option<Open>,
}

/// A statement that has begun.
struct Open {
    statement: Statement,
    announced: Announced,
    transaction: TransactionStatus,
    settings: Settings,
    began: Micros,
    before: Option<LockSnapshot>,
    paused: Micros,
    notices: Vec<String>,
    /// None: it has been prepared and not run yet.
    id: Option<StatementId>,
}

impl Tracer {
    pub fn new(shared: &Arc<TapState>, connection: u32) -> Tracer {
        Tracer {
            shared: Arc::clone(shared),
            connection,
            session: 0.into(),
            probes: Probes::default(),
            settings: Settings::default(),
            last: None,
            filenodes: HashMap::new(),
            open: None,
        }
    }

    /// Where the statement comes from; None: it is not one of the change's.
    pub fn announced(&self, statement: &Statement) -> Option<Announced> {
        self.shared.announced(&statement.text)
    }

    /// Whether what was seen after the statement before is still so: no other one changes what an
    /// open transaction holds.
    pub fn knows(&self, transaction: TransactionStatus) -> bool {
        transaction == TransactionStatus::InTransaction && self.last.is_some()
    }

    /// The statement is about to be sent. `before` is a snapshot of just now, where one was due.
    pub fn begin(
        &mut self,
        statement: Statement,
        announced: Announced,
        transaction: TransactionStatus,
        before: Option<LockSnapshot>,
        paused: Micros,
    ) {
        let before = before.or_else(|| self.last.take());
        let (settings, began) = (self.settings, self.shared.recorder.clock().now());
        let (notices, id) = (Vec::new(), None);
        self.open = Some(Open {
            statement,
            announced,
            transaction,
            settings,
            began,
            before,
            paused,
            notices,
            id,
        });
    }

    /// The statement that was prepared is let run, with this text.
    pub fn runs(&mut self, statement: Option<Statement>) -> Option<StatementId> {
        let open = self.open.as_mut()?;
        if let Some(statement) = statement {
            open.statement = statement;
        }
        let id = self.shared.next_statement(&open.statement.text);
        open.id = Some(id);
        let statement = &open.statement;
        let event = StatementBegan {
            attempt: self.shared.attempt,
            statement: id,
            connection: self.connection,
            session: self.session.clone(),
            migration: open.announced.migration.clone(),
            source: open.announced.source.clone(),
            text: statement.text.clone(),
            statements: statement.count,
            protocol: statement.protocol,
            parameter_types: statement.parameter_types.clone(),
            lock_timeout_ms: open.settings.lock_timeout_ms,
            statement_timeout_ms: open.settings.statement_timeout_ms,
            idle_in_transaction_session_timeout_ms: open
                .settings
                .idle_in_transaction_session_timeout_ms,
            transaction_timeout_ms: open.settings.transaction_timeout_ms,
            transaction: open.transaction,
        };
        self.shared.tell(&statement.text, &open.announced.source);
        self.shared.recorder.record_at(open.began, Event::StatementBegan(event.into()));
        Some(id)
    }

    /// What was prepared has not been run.
    pub fn dropped(&mut self) {
        self.last = self.open.take().and_then(|open| open.before);
    }

    /// No transaction is open: of one that a Sync committed, no statement's end has reported it.
    pub fn outside_transactions(&mut self) {
        self.last = None;
        self.filenodes.clear();
        self.probes.outside_transactions();
    }

    pub fn notice(&mut self, text: String) {
        if let Some(open) = self.open.as_mut().filter(|open| open.notices.len() < NOTICES_MAX) {
            open.notices.push(text);
        }
    }

    pub fn kind(&self) -> Option<&Kind> {
        self.open.as_ref().map(|open| &open.statement.kind)
    }

    /// Whether the server has to be probed now that the statement has ended.
    pub fn probe_due(&self, outcome: &StatementOutcome) -> bool {
        let Some(open) = self.open.as_ref() else { return false };
        let in_transaction = match outcome.transaction {
            TransactionStatus::InTransaction => true,
            TransactionStatus::Idle => false,
            // What was taken before a savepoint is still held.
            TransactionStatus::Failed => return holds(open),
            TransactionStatus::Gone => return false,
        };
        let statement = &open.statement;
        let due = self.probes.due(&statement.kind, &statement.text, in_transaction)
            || probes::gives_back(&outcome.tags);
        // Outside a transaction nothing is held, and without a probe before nothing to compare.
        due && (in_transaction || open.before.is_some())
    }

    /// The number of the statement that has ended; one that failed before it could be run gets it
    /// now.
    pub fn number(&mut self) -> Option<StatementId> {
        match self.open.as_ref()?.id {
            Some(id) => Some(id),
            None => self.runs(None),
        }
    }

    /// The statement's end. `own` are relfilenodes as the open transaction sees them.
    pub fn ended(
        &mut self,
        ended: Micros,
        outcome: StatementOutcome,
        after: Option<LockSnapshot>,
        own: &BTreeMap<u32, u32>,
        paused: Micros,
    ) {
        self.number();
        let Some(open) = self.open.take() else { return };
        let (kind, text) = (&open.statement.kind, &open.statement.text);
        self.probes.ended(kind, text, &outcome.tags, ended - open.began, outcome.transaction);
        let held = match (&after, outcome.transaction) {
            (Some(after), _) => modes_per_relation(after),
            // No look was due: it can have taken nothing more.
            (None, TransactionStatus::InTransaction) => {
                open.before.as_ref().map_or_else(Vec::new, modes_per_relation)
            }
            (None, _) => Vec::new(),
        };
        let both = open.before.as_ref().zip(after.as_ref());
        let rewritten = match (both, &after) {
            (Some((before, after)), _) if !after.relations.is_empty() => rewritten(before, after),
            (_, Some(after)) => {
                let rewritten = self.rewritten_here(after, own);
                // What a ROLLBACK TO puts back is no rewrite.
                if outcome.tags == ["ROLLBACK"] { Vec::new() } else { rewritten }
            }
            _ => Vec::new(),
        };
        let error = self.error_of(text, outcome.error);
        let event = StatementEnded {
            attempt: self.shared.attempt,
            statement: open.id.unwrap_or_default(),
            began_us: open.began,
            ended_us: ended,
            rows: outcome.tags.last().and_then(|tag| rows(tag)),
            tags: outcome.tags,
            wal_bytes: both.map(|(before, after)| after.wal_bytes.saturating_sub(before.wal_bytes)),
            rewritten,
            taken: held.iter().filter(|lock| !held_before(&open, lock)).cloned().collect(),
            held,
            transaction: outcome.transaction,
            notices: open.notices,
            paused_us: open.paused + paused,
            error,
        };
        self.shared.recorder.record_at(ended, Event::StatementEnded(event.into()));
        match outcome.transaction {
            TransactionStatus::InTransaction | TransactionStatus::Failed => {
                self.last = after.or(open.before);
            }
            _ => {
                self.last = None;
                self.filenodes.clear();
            }
        }
    }

    /// What is recorded of a statement's error; and what it says of the change as a whole.
    fn error_of(&self, text: &str, error: Option<ServerError>) -> Option<ServerError> {
        if error.is_some() && self.shared.giving_up.load(Ordering::Relaxed) {
            return Some(left_behind());
        }
        match &error {
            Some(error) => self.shared.failed(error),
            // A tool that failed gives its lock back, which is no success.
            None if self.shared.last_error().is_some() => {
                let facts = facts(text);
                let own: Vec<&str> = tools_own().collect();
                if facts.purpose() == Purpose::Work && !facts.is_about(&own) {
                    self.shared.succeeded();
                }
            }
            None => {}
        }
        error
    }

    /// Relations that the open transaction gave another relfilenode with its last statement.
    fn rewritten_here(&mut self, after: &LockSnapshot, own: &BTreeMap<u32, u32>) -> Vec<String> {
        let mut names = Vec::new();
        for (oid, filenode) in own {
            let Some(lock) = after.locks.iter().find(|lock| lock.oid == *oid) else { continue };
            let known = self.filenodes.insert(*oid, *filenode).unwrap_or(lock.filenode);
            if known != *filenode {
                names.push(lock.name.clone());
            }
        }
        names
    }
}

/// Relations on which the backend holds what a rewrite takes.
pub fn rewritable(snapshot: &LockSnapshot) -> Vec<u32> {
    let exclusive = snapshot.locks.iter().filter(|l| l.mode == LockMode::AccessExclusiveLock);
    exclusive.filter(|lock| lock.filenode != 0).map(|lock| lock.oid).collect()
}

/// Relations that were there before and have another relfilenode now.
fn rewritten(before: &LockSnapshot, after: &LockSnapshot) -> Vec<String> {
    let changed = after.relations.iter().filter(|(oid, (_, filenode))| {
        before.relations.get(oid).is_some_and(|(_, old)| old != filenode)
    });
    changed.map(|(_, (name, _))| name.clone()).collect()
}

fn in_transaction(open: &Open) -> bool {
    matches!(open.transaction, TransactionStatus::InTransaction | TransactionStatus::Failed)
}

/// Whether the transaction held anything before the statement.
fn holds(open: &Open) -> bool {
    in_transaction(open) && open.before.as_ref().is_some_and(|snapshot| !snapshot.locks.is_empty())
}

fn held_before(open: &Open, held: &HeldLock) -> bool {
    let is = |lock: &SeenLock| lock.relation() == held.relation && lock.mode == held.mode;
    holds(open) && open.before.as_ref().is_some_and(|snapshot| snapshot.locks.iter().any(is))
}

/// Each mode once, by relation, the strongest first.
fn modes_per_relation(snapshot: &LockSnapshot) -> Vec<HeldLock> {
    let locks = snapshot.locks.iter().map(|lock| (lock.relation(), Reverse(lock.mode)));
    let held = |(relation, Reverse(mode)): (&str, Reverse<LockMode>)| HeldLock {
        relation: relation.to_owned(),
        mode,
    };
    locks.collect::<BTreeSet<_>>().into_iter().map(held).collect()
}

/// `UPDATE 10`, `INSERT 0 10`.
fn rows(tag: &str) -> Option<u64> {
    tag.rsplit_once(' ').and_then(|(_, rows)| rows.parse().ok())
}

/// What a failed probe leaves in the history.
pub fn probe_failed(message: String) -> Event {
    let stage = "probing the change between two statements".to_owned();
    Event::MeasurementFailed { stage, message }
}

/// The error of a statement that ran on when the change was over; the server would have finished.
fn left_behind() -> ServerError {
    let message = "still running when the change was over, and ended by pgauntlet".to_owned();
    ServerError { sqlstate: None, message, ..ServerError::default() }
}

/// The error of a statement that a fault cut.
pub fn cut(fault: &str) -> ServerError {
    let message = format!("the connection was cut on purpose: {fault}");
    ServerError { sqlstate: None, message, ..ServerError::default() }
}

impl Announced {
    /// A statement of a command, of which nothing more is known.
    pub fn by_command() -> Announced {
        Announced { text: String::new(), migration: String::new(), source: Source::Command }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lock(name: &str, table: Option<&str>, mode: LockMode) -> SeenLock {
        let table = table.map(str::to_owned);
        SeenLock { oid: 1, name: name.to_owned(), table, mode, filenode: 1 }
    }

    #[test]
    fn a_new_relation_is_not_a_rewritten_one() {
        let snapshot = |relations: &[(u32, &str, u32)]| LockSnapshot {
            relations: relations.iter().map(|(oid, n, f)| (*oid, ((*n).to_owned(), *f))).collect(),
            ..LockSnapshot::default()
        };
        let before = snapshot(&[(1, "t", 10), (2, "i", 20)]);
        let after = snapshot(&[(1, "t", 11), (2, "i", 20), (3, "new", 30)]);
        assert_eq!(rewritten(&before, &after), ["t"]);
    }

    #[test]
    fn every_mode_is_kept_and_an_index_is_its_table() {
        use LockMode::{AccessExclusiveLock, RowExclusiveLock};
        let locks = vec![
            lock("t", None, RowExclusiveLock),
            lock("t_pkey", Some("t"), AccessExclusiveLock),
            lock("t_pkey", Some("t"), RowExclusiveLock),
        ];
        let held = modes_per_relation(&LockSnapshot { locks, ..LockSnapshot::default() });
        let on_t = |mode| HeldLock { relation: "t".to_owned(), mode };
        assert_eq!(held, [on_t(AccessExclusiveLock), on_t(RowExclusiveLock)]);
    }

    #[test]
    fn rows_are_the_last_word_of_a_tag() {
        assert_eq!(rows("INSERT 0 10"), Some(10));
        assert_eq!(rows("ALTER TABLE"), None);
    }
}
