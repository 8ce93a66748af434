//! The change's statements by connection: the transactions that they formed, and the gaps between
//! them in which a transaction was open and nothing ran.
//!
//! A lock is held by one backend. What another connection of the change does meanwhile neither
//! holds that lock nor excuses that this one sits idle.

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use crate::clock::Micros;
use crate::history::{Attempt, ConnectionClosed, SessionId, TransactionStatus};
use crate::pg::facts::{Facts, facts};
use crate::pg::purpose::Purpose;
use crate::pg::syntax::Kind;
use crate::result::TimeoutsInForce;
use crate::result::evidence::RolledBack;

use super::overlaps::Overlaps;
use super::trace::{AttemptRecord, StatementRecord, Trace};

/// One connection of one attempt.
pub struct Session<'t, 'h> {
    pub attempt: Attempt,
    pub connection: u32,
    pub id: SessionId,
    /// In the order in which they began; one at a time.
    pub statements: Vec<&'t StatementRecord<'h>>,
    pub closed: Option<(Micros, &'h ConnectionClosed)>,
    /// From then on it held nothing.
    pub until: Micros,
    /// When the trial ended.
    end: Micros,
    /// When a timeout was set for the first time, by its name.
    first_sets: RefCell<BTreeMap<&'static str, Option<Micros>>>,
    /// What is derived from the statements is derived once: there may be very many.
    transactions: OnceCell<Vec<Range<usize>>>,
    running: OnceCell<Overlaps>,
    gaps: OnceCell<(Vec<Gap<'t, 'h>>, Overlaps)>,
}

/// Statements that ran in one explicit transaction, from the one that opened it to the one that
/// ended it, or to the last that was seen.
pub struct Transaction<'s, 't, 'h> {
    pub statements: &'s [&'t StatementRecord<'h>],
}

/// Time in an open transaction between the end of one statement and the begin of the next.
pub struct Gap<'t, 'h> {
    pub after: &'t StatementRecord<'h>,
    from: Micros,
    to: Micros,
    /// The tap held the change back for so long at the gap's start, and at its end.
    looked_first: Micros,
    looked_last: Micros,
}

pub fn sessions<'t, 'h>(trace: &'t Trace<'h>) -> Vec<Session<'t, 'h>> {
    trace.attempts.iter().flat_map(|a| sessions_of(a, trace.end)).collect()
}

pub fn sessions_of<'t, 'h>(attempt: &'t AttemptRecord<'h>, end: Micros) -> Vec<Session<'t, 'h>> {
    let mut sessions: Vec<Session<'t, 'h>> = Vec::new();
    let mut by_connection: HashMap<u32, usize> = HashMap::new();
    for record in &attempt.connections {
        let connection = record.opened.connection;
        by_connection.entry(connection).or_insert(sessions.len());
        let mut session = Session::new(attempt, connection, record.session.clone(), end);
        session.closed = record.closed;
        session.until = record.closed.map_or(session.until, |(at, _)| at);
        sessions.push(session);
    }
    for record in &attempt.statements {
        let connection = record.began.connection;
        let index = *by_connection.entry(connection).or_insert_with(|| {
            sessions.push(Session::new(attempt, connection, record.session.clone(), end));
            sessions.len() - 1
        });
        sessions[index].statements.push(record);
    }
    sessions
}

/// A failed transaction is open as well: what it did before a savepoint still holds its locks.
fn is_open(status: TransactionStatus) -> bool {
    matches!(status, TransactionStatus::InTransaction | TransactionStatus::Failed)
}

impl<'t, 'h> Session<'t, 'h> {
    fn new(attempt: &AttemptRecord<'_>, connection: u32, id: SessionId, end: Micros) -> Self {
        Session {
            attempt: attempt.attempt,
            connection,
            id,
            statements: Vec::new(),
            closed: None,
            until: attempt.ended.unwrap_or(end),
            end,
            first_sets: RefCell::default(),
            transactions: OnceCell::new(),
            running: OnceCell::new(),
            gaps: OnceCell::new(),
        }
    }

    pub fn transactions(&self) -> Vec<Transaction<'_, 't, 'h>> {
        let transaction =
            |span: &Range<usize>| Transaction { statements: &self.statements[span.clone()] };
        self.transaction_spans().iter().map(transaction).collect()
    }

    fn transaction_spans(&self) -> &[Range<usize>] {
        self.transactions.get_or_init(|| self.derive_transactions())
    }

    fn derive_transactions(&self) -> Vec<Range<usize>> {
        let mut transactions = Vec::new();
        let mut first = None;
        for (index, record) in self.statements.iter().enumerate() {
            let (before, after) = (record.open_before(), record.open_after());
            if !before && let Some(from) = first.take() {
                transactions.push(from..index);
            }
            if before || after {
                first.get_or_insert(index);
            }
            // COMMIT AND CHAIN ends one and begins the next.
            let ends = record.succeeded() && matches!(record.kind(), Kind::Commit | Kind::Rollback);
            if (!after || ends)
                && let Some(from) = first.take()
            {
                transactions.push(from..index + 1);
            }
        }
        transactions.extend(first.map(|from| from..self.statements.len()));
        transactions
    }

    /// When the timeout was set for the first time, if it was.
    pub fn first_set(&self, name: &'static str) -> Option<Micros> {
        let mut known = self.first_sets.borrow_mut();
        let sets = |s: &&&StatementRecord<'_>| {
            let inside = s.facts().sets_inside(name).filter(|set| !set.local);
            s.sets(name).is_some() || inside.is_some()
        };
        let first = || self.statements.iter().find(sets).map(|s| s.at);
        *known.entry(name).or_insert_with(first)
    }

    /// The transaction in which the statement ran, if it was one with a begin and an end.
    pub fn transaction_of(&self, record: &StatementRecord<'_>) -> Option<Transaction<'_, 't, 'h>> {
        let number = self.number_of(record)?;
        let spans = self.transaction_spans();
        let span = spans.get(spans.partition_point(|span| span.end <= number))?;
        let statements = self.statements.get(span.clone())?;
        span.contains(&number).then_some(Transaction { statements })
    }

    fn number_of(&self, record: &StatementRecord<'_>) -> Option<usize> {
        let first = self.statements.partition_point(|s| s.at < record.at);
        let at_once = self.statements[first..].iter().take_while(|s| s.at == record.at);
        let found = at_once.enumerate().find(|(_, s)| s.began.statement == record.began.statement);
        found.map(|(offset, _)| first + offset)
    }

    /// The statements among which are all that ran within the span.
    pub fn statements_within(&self, span: (Micros, Micros)) -> &[&'t StatementRecord<'h>] {
        let running = self.running.get_or_init(|| {
            Overlaps::of(self.statements.iter().map(|statement| statement.span(self.end)))
        });
        &self.statements[running.within(span)]
    }

    /// The gaps among which are all that lie in the span or reach into it.
    pub fn gaps_within(&self, span: (Micros, Micros)) -> &[Gap<'t, 'h>] {
        let (gaps, overlaps) = self.gaps();
        &gaps[overlaps.within(span)]
    }

    pub fn last_gap(&self) -> Option<&Gap<'t, 'h>> {
        self.gaps().0.last()
    }

    /// Where a transaction was open between two statements, or after the last.
    fn gaps(&self) -> &(Vec<Gap<'t, 'h>>, Overlaps) {
        self.gaps.get_or_init(|| {
            let open = (0..self.statements.len()).filter(|at| self.statements[*at].open_after());
            let gaps: Vec<Gap<'t, 'h>> = open.map(|at| self.gap(at)).collect();
            let overlaps = Overlaps::of(gaps.iter().map(|gap| (gap.from, gap.to)));
            (gaps, overlaps)
        })
    }

    fn gap(&self, at: usize) -> Gap<'t, 'h> {
        let (from, to) = self.after(at);
        let looked_first = self.looks(at).1;
        let looked_last = match self.statements.get(at + 1) {
            Some(_) => self.looks(at + 1).0.min(to - from - looked_first),
            None => Micros::ZERO,
        };
        Gap { after: self.statements[at], from, to, looked_first, looked_last }
    }

    /// From the end of one statement to the begin of the next.
    fn after(&self, at: usize) -> (Micros, Micros) {
        let from = self.statements[at].span(self.end).1;
        let next = self.statements.get(at + 1).map_or(self.until, |next| next.at);
        (from, next.max(from))
    }

    /// How long the tap held the statement back, and then its answer. Only the sum is recorded:
    /// it always looks after a statement, and before one only where that look is stale.
    fn looks(&self, at: usize) -> (Micros, Micros) {
        let (from, to) = self.after(at);
        let paused = self.statements[at].paused();
        let after = paused.min(to - from);
        (paused - after, after)
    }
}

impl<'t, 'h> Transaction<'_, 't, 'h> {
    pub fn contains(&self, record: &StatementRecord<'_>) -> bool {
        self.statements.iter().any(|s| s.began.statement == record.began.statement)
    }

    /// The statement to know it by: the first after a bare BEGIN, which says nothing.
    pub fn known_by(&self) -> &'t StatementRecord<'h> {
        let spoken = self.statements.iter().find(|s| *s.kind() != Kind::Begin);
        spoken.copied().unwrap_or(self.statements[0])
    }

    pub fn committed(&self) -> bool {
        let last = self.statements.last().and_then(|last| last.ended);
        let tag = last.and_then(|ended| ended.tags.last()).map(String::as_str);
        matches!(tag, Some("COMMIT" | "PREPARE TRANSACTION"))
    }

    /// How it ended without a commit. None: it committed, or has not ended.
    pub fn undone(&self) -> Option<RolledBack> {
        let (last, before) = self.statements.split_last()?;
        let tag = last.ended.and_then(|ended| ended.tags.last()).map(String::as_str);
        let error = last.ended.and_then(|ended| ended.error.as_ref());
        let clean = before.iter().all(|s| s.succeeded());
        match (last.kind(), error) {
            _ if matches!(tag, Some("COMMIT" | "PREPARE TRANSACTION")) => None,
            _ if last.open_after() => None,
            (Kind::Commit, Some(error)) => Some(RolledBack::CommitFailed(error.clone())),
            (Kind::Commit, None) if tag == Some("ROLLBACK") => Some(RolledBack::CommitAfterError),
            (Kind::Rollback, _) if clean => Some(RolledBack::RollbackWithoutError),
            (Kind::Rollback, _) => Some(RolledBack::RollbackAfterError),
            _ => None,
        }
    }
}

impl Gap<'_, '_> {
    /// Within the span: how long the tool did nothing, and how long the tap held it back.
    pub fn within(&self, span: (Micros, Micros)) -> (Micros, Micros) {
        let common = |from: Micros, to: Micros| to.min(span.1) - from.max(span.0);
        let (idle_from, idle_to) = (self.from + self.looked_first, self.to - self.looked_last);
        let looked = common(self.from, idle_from) + common(idle_to, self.to);
        (common(idle_from, idle_to), looked)
    }
}

impl StatementRecord<'_> {
    /// What is known of its text.
    pub fn facts(&self) -> &Facts {
        self.known.facts.get_or_init(|| facts(&self.began.text))
    }

    /// Of its first statement.
    pub fn kind(&self) -> &Kind {
        self.facts().kind()
    }

    pub fn purpose(&self) -> Purpose {
        self.facts().purpose()
    }

    /// To what it sets the timeout, if it does.
    pub fn sets(&self, name: &str) -> Option<&str> {
        self.facts().sets(name)
    }

    pub fn succeeded(&self) -> bool {
        self.ended.is_some_and(|ended| ended.error.is_none())
    }

    pub fn timeouts(&self) -> TimeoutsInForce {
        TimeoutsInForce {
            lock_ms: self.began.lock_timeout_ms,
            statement_ms: self.began.statement_timeout_ms,
            idle_in_transaction_ms: self.began.idle_in_transaction_session_timeout_ms,
            transaction_ms: self.began.transaction_timeout_ms,
        }
    }

    /// Time for which the tap held it, or its answer, back.
    pub fn paused(&self) -> Micros {
        self.ended.map_or(Micros::ZERO, |ended| ended.paused_us)
    }

    /// Whether it ran inside a transaction that another statement had opened.
    pub fn open_before(&self) -> bool {
        is_open(self.began.transaction)
    }

    /// Whether it left a transaction open.
    pub fn open_after(&self) -> bool {
        self.ended.map_or(self.open_before(), |ended| is_open(ended.transaction))
    }

    /// Whether it did work that went through: not one that wrote no row, nor one whose IF EXISTS
    /// and IF NOT EXISTS all turned out to have nothing to do.
    pub fn changed_something(&self) -> bool {
        let Some(ended) = self.ended.filter(|ended| ended.error.is_none()) else { return false };
        if self.purpose() != Purpose::Work {
            return false;
        }
        let writes_rows = matches!(self.kind(), Kind::Insert | Kind::Update | Kind::Delete);
        let no_rows = writes_rows && self.began.statements <= 1 && ended.rows == Some(0);
        let skipped = ended.notices.iter().filter(|notice| notice.contains(", skipping")).count();
        let conditions = self.facts().conditions();
        !no_rows && (conditions == 0 || skipped < conditions)
    }
}
