//! What the server connections of a pooler share: whom each of them serves, and for how long.
//!
//! A pooler hands its server connections from client to client. Before it does, it sets on them
//! what the next client has another value of, its `application_name` above all. By that the tap
//! knows whose the statements are that follow: the application's, whose connections are named one
//! by one, or an attempt's of the change.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use crate::clock::Micros;
use crate::history::{Attempt, Listener, PooledSession, Recorder, SessionId};

use super::shared::{Announcements, TapState};
use super::watch::Watch;

/// `application_name` of the application's connection of that number.
pub const APPLICATION_CLIENT: &str = "pgauntlet app ";
/// `application_name` of the built-in runner of that attempt.
pub const CHANGE_CLIENT: &str = "pgauntlet change ";
/// Longest wait for a server connection that rests to say what is set on it.
const STATE_TIMEOUT: Duration = Duration::from_secs(2);

/// Transactions that are remembered of each client: more than an operation has.
const SERVED_MAX: usize = 64;

/// Whose the clients of one user are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clients {
    /// The application's alone.
    Application,
    /// The change's alone.
    Change,
    /// Both: a role that they share, and with it the pooler's server connections.
    Both,
}

/// Asks a connection what is set on it.
pub type StateRequest = oneshot::Sender<PooledSession>;

/// What passed, for the proof that the pooler was on the way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Passed {
    /// Server connections that the pooler opened.
    pub connections: u64,
    /// Transactions of the application.
    pub application: u64,
    /// Statements of the change.
    pub change: u64,
}

/// The state of all server connections of a pooler.
pub struct PoolState {
    pub(super) recorder: Recorder,
    pub(super) watch: Arc<dyn Watch>,
    /// What belongs to no attempt.
    pub(super) nobody: Arc<TapState>,
    attempts: Mutex<Vec<Arc<TapState>>>,
    /// The server sessions that served each of the application's connections last, and from when
    /// on.
    served: Mutex<HashMap<i32, VecDeque<(Micros, SessionId)>>>,
    open: Mutex<BTreeMap<u32, mpsc::UnboundedSender<StateRequest>>>,
    connections: AtomicU64,
    application: AtomicU64,
    change: AtomicU64,
}

impl PoolState {
    pub(super) fn new(recorder: &Recorder, listener: &Listener, watch: Arc<dyn Watch>) -> Self {
        let nothing = Some(Arc::new(Announcements::default()));
        let nobody = TapState::new(recorder, listener, 0, Arc::clone(&watch), nothing, Vec::new());
        PoolState {
            recorder: recorder.clone(),
            watch,
            nobody: Arc::new(nobody),
            attempts: Mutex::default(),
            served: Mutex::default(),
            open: Mutex::default(),
            connections: AtomicU64::new(0),
            application: AtomicU64::new(0),
            change: AtomicU64::new(0),
        }
    }

    /// The server session that has served the application's connection since then, and from when
    /// on; None: it still waits for one.
    pub fn served(&self, client: i32, since: Micros) -> Option<(Micros, SessionId)> {
        let served = lock(&self.served);
        let of_client = served.get(&client)?;
        let (_, last) = of_client.back()?;
        // What is prepared first begins there as well.
        of_client.iter().find(|(at, session)| *at >= since && session == last).cloned()
    }

    /// What has passed so far.
    pub fn passed(&self) -> Passed {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Passed {
            connections: read(&self.connections),
            application: read(&self.application),
            change: read(&self.change),
        }
    }

    /// What is set on each server connection that rests, and which locks its session holds.
    pub async fn states(&self) -> Vec<PooledSession> {
        let asked: Vec<oneshot::Receiver<PooledSession>> = lock(&self.open)
            .values()
            .filter_map(|connection| {
                let (request, answer) = oneshot::channel();
                connection.send(request).is_ok().then_some(answer)
            })
            .collect();
        let answers = asked.into_iter().map(|answer| tokio::time::timeout(STATE_TIMEOUT, answer));
        let answers = futures_util::future::join_all(answers).await;
        // One that serves somebody says it when it rests, which is too late here.
        answers.into_iter().filter_map(|answer| answer.ok()?.ok()).collect()
    }

    /// Whether an attempt of the change goes on.
    pub fn has_attempts(&self) -> bool {
        !lock(&self.attempts).is_empty()
    }

    pub(super) fn opened(&self, connection: u32) -> mpsc::UnboundedReceiver<StateRequest> {
        self.connections.fetch_add(1, Ordering::Relaxed);
        let (requests, asked) = mpsc::unbounded_channel();
        lock(&self.open).insert(connection, requests);
        asked
    }

    pub(super) fn closed(&self, connection: u32) {
        lock(&self.open).remove(&connection);
    }

    /// A transaction of the application's connection begins on the session.
    pub(super) fn serves(&self, client: i32, session: &SessionId) {
        self.application.fetch_add(1, Ordering::Relaxed);
        let now = self.recorder.clock().now();
        let mut served = lock(&self.served);
        let of_client = served.entry(client).or_default();
        if of_client.len() == SERVED_MAX {
            of_client.pop_front();
        }
        of_client.push_back((now, session.clone()));
    }

    pub(super) fn serves_the_change(&self) {
        self.change.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn join(&self, attempt: Arc<TapState>) {
        lock(&self.attempts).push(attempt);
    }

    pub(super) fn leave(&self, attempt: &Arc<TapState>) {
        lock(&self.attempts).retain(|known| !Arc::ptr_eq(known, attempt));
    }

    /// The attempt whose client has that name. A tool that names itself in another way is the
    /// attempt's that began last.
    pub(super) fn attempt_of(&self, name: &str) -> Option<Arc<TapState>> {
        let attempts = lock(&self.attempts);
        let number = name.strip_prefix(CHANGE_CLIENT).and_then(|n| n.parse::<Attempt>().ok());
        let known = number.and_then(|n| attempts.iter().find(|known| known.attempt == n));
        known.or(attempts.last()).cloned()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A statement that a pooler sends by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Own {
    /// It sets what the next client has another value of; with that client's name, where it has
    /// another one.
    Settings(Option<String>),
    /// It takes back what the last client has set (`server_reset_query`).
    Reset,
    /// It sees whether the connection still works (`server_check_query`).
    Check,
}

/// What PgBouncer keeps of each client (`track_extra_parameters` aside).
const TRACKED: [&str; 5] =
    ["client_encoding", "DateStyle", "TimeZone", "standard_conforming_strings", "application_name"];

impl Own {
    /// What a message of its is; None: a client's. The texts are PgBouncer's, to the letter.
    pub fn of(text: &str) -> Option<Own> {
        match text {
            "DISCARD ALL" => return Some(Own::Reset),
            "select 1" => return Some(Own::Check),
            _ => {}
        }
        let (mut rest, mut name) = (text, None);
        while !rest.is_empty() {
            let (setting, after) = rest.strip_prefix("SET ")?.split_once('=')?;
            if !TRACKED.contains(&setting) {
                return None;
            }
            let (value, after) = quoted(after)?;
            rest = after.strip_prefix(';')?;
            if setting == "application_name" {
                name = Some(value);
            }
        }
        (!text.is_empty()).then_some(Own::Settings(name))
    }
}

/// A quoted constant at the text's begin, and what follows it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut rest = text.strip_prefix('\'')?;
    let mut value = String::new();
    loop {
        let (part, after) = rest.split_once('\'')?;
        value.push_str(part);
        match after.strip_prefix('\'') {
            Some(_) => value.push('\''),
            None => return Some((value, after)),
        }
        rest = after.strip_prefix('\'')?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_pooler_sends_by_itself_is_told_from_a_client_s_own() {
        let named = |name: &str| Some(Own::Settings(Some(name.to_owned())));
        assert_eq!(Own::of("SET application_name='one';"), named("one"));
        assert_eq!(Own::of("SET DateStyle='ISO';SET application_name='it''s';"), named("it's"));
        assert_eq!(Own::of("SET TimeZone='UTC';"), Some(Own::Settings(None)));
        assert_eq!(Own::of("DISCARD ALL"), Some(Own::Reset));
        for text in ["", "SET lock_timeout='3s';", "SET application_name = 'x'", "SELECT 1"] {
            assert_eq!(Own::of(text), None, "{text}");
        }
        assert_eq!(Own::of("SET application_name='x';DROP TABLE t"), None);
    }
}
