//! What the connections of one attempt share.

mod faults;

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::history::{
    Attempt, ConnectionRefused, Event, FaultEvent, Listener, Progress, Recorder, RefusedFor,
    ServerError, Source, StatementId, TransactionStatus,
};

use super::fault::{Action, At, Injection, place};
use super::startup::Session;
use super::statement::recorded;
use super::watch::Watch;

/// A statement as its file, or its runner, has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announced {
    /// As it is sent.
    pub text: String,
    /// Version of its migration; empty: the runner's own.
    pub migration: String,
    /// File and line, or the runner.
    pub source: Source,
}

/// A runner of ours says what it is about to send, and hears what a connection does not tell it.
#[derive(Debug, Default)]
pub struct Announcements {
    state: Mutex<Announcing>,
}

#[derive(Debug)]
struct Announcing {
    next: VecDeque<Announced>,
    transaction: TransactionStatus,
}

impl Default for Announcing {
    fn default() -> Announcing {
        Announcing { next: VecDeque::new(), transaction: TransactionStatus::Idle }
    }
}

impl Announcements {
    /// Call right before the statement is sent.
    pub fn announce(&self, mut statement: Announced) {
        statement.text = recorded(&statement.text);
        lock(&self.state).next.push_back(statement);
    }

    /// The status of the transaction after the last statement.
    pub fn transaction(&self) -> TransactionStatus {
        lock(&self.state).transaction
    }
}

pub struct TapState {
    pub recorder: Recorder,
    pub listener: Listener,
    pub attempt: Attempt,
    pub watch: Arc<dyn Watch>,
    /// Some: only what is announced is the change's. None: all is.
    pub announcements: Option<Arc<Announcements>>,
    faults: Mutex<Vec<Injection>>,
    statements: AtomicU32,
    /// Connections that are open, by number.
    connections: Mutex<BTreeMap<u32, Backend>>,
    refusing_until: Mutex<Option<Instant>>,
    last_error: Mutex<Option<ServerError>>,
    /// The change is over, and what it left running is being ended.
    pub giving_up: AtomicBool,
    /// The change's process is to be killed: nothing that it still says goes on.
    pub killed: CancellationToken,
}

/// An open connection, for faults from outside.
#[derive(Clone, Debug)]
struct Backend {
    pid: i32,
    running: Option<StatementId>,
    cut: CancellationToken,
    /// The fault that cut it.
    cut_by: Option<Action>,
    delay: Option<Duration>,
    /// What was done to the running statement; its end shows whether it was in time.
    injected: Option<Action>,
    /// Held while something is done to the backend, so that nothing else runs on it meanwhile.
    injecting: Arc<tokio::sync::Mutex<()>>,
}

impl TapState {
    pub fn new(
        recorder: &Recorder,
        listener: &Listener,
        attempt: Attempt,
        watch: Arc<dyn Watch>,
        announcements: Option<Arc<Announcements>>,
        faults: Vec<Injection>,
    ) -> TapState {
        TapState {
            recorder: recorder.clone(),
            listener: Arc::clone(listener),
            attempt,
            watch,
            announcements,
            faults: Mutex::new(faults),
            statements: AtomicU32::new(0),
            connections: Mutex::new(BTreeMap::new()),
            refusing_until: Mutex::new(None),
            last_error: Mutex::new(None),
            giving_up: AtomicBool::new(false),
            killed: CancellationToken::new(),
        }
    }

    /// The number of a statement of this text that runs now. A fault that waits for its text gets
    /// the number.
    pub fn next_statement(&self, text: &str) -> StatementId {
        let mut faults = lock(&self.faults);
        let id = self.statements.fetch_add(1, Ordering::Relaxed);
        if faults.iter().any(|fault| matches!(fault.at, At::Nth { .. })) {
            let place = place(text);
            for fault in faults.iter_mut() {
                let At::Nth { key, later, into } = &mut fault.at else { continue };
                let due = id + *later;
                match (key.at == place, key.nth.checked_sub(1), *into) {
                    (false, ..) => {}
                    (true, Some(fewer), _) => key.nth = fewer,
                    (true, None, None) => fault.at = At::Statement(due),
                    (true, None, Some(into)) => fault.at = At::Into(due, into),
                }
            }
        }
        id
    }

    pub fn announced(&self, text: &str) -> Option<Announced> {
        let Some(announcements) = &self.announcements else {
            return Some(Announced::by_command());
        };
        let mut state = lock(&announcements.state);
        match state.next.front() {
            Some(next) if next.text == text => state.next.pop_front(),
            _ => None,
        }
    }

    pub fn tell(&self, text: &str, source: &Source) {
        // A runner of ours reports its own statements.
        if *source == Source::Command {
            let text = text.to_owned();
            (self.listener)(Progress::Statement { attempt: self.attempt, text });
        }
    }

    /// A statement failed, or a server closed a connection.
    pub fn failed(&self, error: &ServerError) {
        *lock(&self.last_error) = Some(error.clone());
    }

    /// A client may not come in.
    pub fn refused(&self, why: RefusedFor, session: &Session, error: &ServerError) {
        let (attempt, error) = (self.attempt, error.clone());
        let (user, database) = (session.user.clone(), session.database.clone());
        let application_name = session.application_name.clone();
        self.failed(&error);
        let event = ConnectionRefused { attempt, why, user, database, application_name, error };
        self.recorder.record(Event::ConnectionRefused(event.into()));
    }

    /// A statement that changes something succeeded after whatever failed.
    pub fn succeeded(&self) {
        *lock(&self.last_error) = None;
    }

    /// The last error, unless the change went on to change something after it.
    pub fn last_error(&self) -> Option<ServerError> {
        lock(&self.last_error).clone()
    }

    pub fn transaction(&self, status: TransactionStatus) {
        if let Some(announcements) = &self.announcements {
            lock(&announcements.state).transaction = status;
        }
    }

    pub fn opened(&self, connection: u32, cut: &CancellationToken) {
        let (cut, injecting) = (cut.clone(), Arc::default());
        let backend = Backend {
            pid: 0,
            running: None,
            cut,
            cut_by: None,
            delay: None,
            injected: None,
            injecting,
        };
        lock(&self.connections).insert(connection, backend);
    }

    pub fn has_pid(&self, connection: u32, pid: i32) {
        if let Some(backend) = lock(&self.connections).get_mut(&connection) {
            backend.pid = pid;
        }
    }

    pub fn running(&self, connection: u32, statement: Option<StatementId>) {
        if let Some(backend) = lock(&self.connections).get_mut(&connection) {
            backend.running = statement;
        }
    }

    fn runs(&self, connection: u32, statement: StatementId) -> bool {
        let connections = lock(&self.connections);
        connections.get(&connection).is_some_and(|b| b.running == Some(statement))
    }

    /// The connection's statement has ended. Returns when no fault is on its way to it any
    /// more: what is sent next would be hit instead.
    pub async fn rests(&self, connection: u32) {
        self.running(connection, None);
        let backend = lock(&self.connections).get(&connection).cloned();
        if let Some(backend) = backend {
            drop(backend.injecting.lock().await);
        }
    }

    pub fn closed(&self, connection: u32) {
        lock(&self.connections).remove(&connection);
    }

    /// Pids of the backends of open connections.
    pub fn pids(&self) -> Vec<i32> {
        lock(&self.connections).values().map(|b| b.pid).filter(|pid| *pid != 0).collect()
    }

    /// Pids of those that run a statement.
    pub fn working(&self) -> Vec<i32> {
        let connections = lock(&self.connections);
        connections.values().filter(|b| b.running.is_some()).map(|b| b.pid).collect()
    }

    /// Closes every connection that is still open.
    pub fn cut_all(&self) {
        for backend in lock(&self.connections).values() {
            backend.cut.cancel();
        }
    }

    pub fn is_refusing(&self) -> bool {
        lock(&self.refusing_until).is_some_and(|until| Instant::now() < until)
    }

    /// The faults that are due by the clock, and how long after the tap began to listen.
    pub fn faults_by_time(&self) -> Vec<(Duration, Action)> {
        let by_time = |fault: &Injection| match fault.at {
            At::Time(after) => Some((after, fault.action.clone())),
            At::Statement(_) | At::Into(..) | At::Nth { .. } => None,
        };
        lock(&self.faults).iter().filter_map(by_time).collect()
    }

    /// The fault that is due with this statement.
    pub fn fault_at(&self, statement: StatementId) -> Option<Action> {
        let mut faults = lock(&self.faults);
        let index = faults.iter().position(|fault| fault.at == At::Statement(statement))?;
        Some(faults.swap_remove(index).action)
    }

    /// The faults that are due while this statement runs, and how long after it was sent.
    pub fn faults_into(&self, statement: StatementId) -> Vec<(Duration, Action)> {
        let into = |fault: &Injection| match fault.at {
            At::Into(id, after) if id == statement => Some((after, fault.action.clone())),
            _ => None,
        };
        lock(&self.faults).iter().filter_map(into).collect()
    }

    /// The fault that has to be prepared before the next statement, of this text, is sent, if one
    /// has.
    pub fn take_preparation(&self, text: &str) -> Option<Injection> {
        let mut faults = lock(&self.faults);
        let next = self.statements.load(Ordering::Relaxed);
        let is_next = |at: &At| match at {
            At::Statement(id) => *id == next,
            At::Nth { .. } => at.is_next_of(text),
            At::Into(..) | At::Time(_) => false,
        };
        let is_due = |fault: &Injection| {
            matches!(fault.action, Action::TimeOutWaiting { .. }) && is_next(&fault.at)
        };
        let index = faults.iter().position(is_due)?;
        Some(faults.swap_remove(index))
    }

    /// What was prepared for a statement that has not been run.
    pub fn put_back(&self, fault: Injection) {
        lock(&self.faults).push(fault);
    }

    /// The delay that a fault put on the connection's next answer.
    pub fn take_delay(&self, connection: u32) -> Option<Duration> {
        lock(&self.connections).get_mut(&connection)?.delay.take()
    }

    pub fn record_fault(&self, action: &Action, statement: Option<StatementId>) {
        let fault = action.to_string();
        let event = FaultEvent { attempt: self.attempt, fault, statement };
        self.recorder.record(Event::Fault(event));
    }

    /// The fault could not be prepared for its statement.
    pub fn record_skipped(&self, action: &Action, why: String) {
        let (attempt, fault) = (self.attempt, action.to_string());
        self.recorder.record(Event::FaultSkipped { attempt, fault, why });
    }

    /// The fault that cut the connection from outside.
    pub fn cut_by(&self, connection: u32) -> Option<Action> {
        lock(&self.connections).get(&connection)?.cut_by.clone()
    }

    /// What was done to the statement that has just ended.
    pub fn take_injected(&self, connection: u32) -> Option<Action> {
        lock(&self.connections).get_mut(&connection)?.injected.take()
    }

    pub fn refuse(&self, time: Duration) {
        *lock(&self.refusing_until) = Some(Instant::now() + time);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
