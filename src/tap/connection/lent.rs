//! A server connection of a pooler: whom it serves just now, and what is left on it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tokio::sync::mpsc;

use super::super::pool::{APPLICATION_CLIENT, Clients, PoolState, StateRequest};
use super::super::shared::TapState;
use crate::history::{Attempt, Event, HeldAdvisory, PooledSession, Role, SessionId, SessionSeen};

/// What is known of it beyond an ordinary connection.
pub struct Pooled {
    pub pool: Arc<PoolState>,
    pub clients: Clients,
    /// The client that it serves, as that names itself.
    pub name: String,
    pub session: SessionId,
    /// As whose the session was recorded last.
    role: Option<Role>,
    /// Attempts for which it was recorded as a connection.
    pub opened_for: BTreeSet<Attempt>,
    requests: mpsc::UnboundedReceiver<StateRequest>,
    pub waiting: Vec<StateRequest>,
}

/// What the client that it serves is.
pub enum Served {
    Application(i32),
    Change(Arc<TapState>),
    Nobody,
}

impl Pooled {
    pub fn new(pool: &Arc<PoolState>, connection: u32, clients: Clients) -> Pooled {
        Pooled {
            pool: Arc::clone(pool),
            clients,
            name: String::new(),
            session: 0.into(),
            role: None,
            opened_for: BTreeSet::new(),
            requests: pool.opened(connection),
            waiting: Vec::new(),
        }
    }

    pub fn served(&self) -> Served {
        let client = self.name.strip_prefix(APPLICATION_CLIENT);
        let of_application = match self.clients {
            Clients::Application => true,
            Clients::Change => false,
            Clients::Both => client.is_some(),
        };
        if of_application {
            return Served::Application(client.and_then(|n| n.parse().ok()).unwrap_or_default());
        }
        self.pool.attempt_of(&self.name).map_or(Served::Nobody, Served::Change)
    }

    pub fn is(&mut self, role: Role) {
        if self.role.as_ref() != Some(&role) {
            let seen = SessionSeen { session: self.session.clone(), role: role.clone() };
            self.pool.recorder.record(Event::Session(seen));
            self.role = Some(role);
        }
    }
}

/// The next request of what is set; never, of a connection that is no pooler's.
pub async fn next_request(pooled: &mut Option<Box<Pooled>>) {
    if let Some(pooled) = pooled
        && let Some(request) = pooled.requests.recv().await
    {
        return pooled.waiting.push(request);
    }
    std::future::pending().await
}

/// From the rows of `injected::session_state`.
pub fn state(session: &SessionId, rows: &[Vec<Option<String>>], shared: bool) -> PooledSession {
    let mut settings = BTreeMap::new();
    let mut advisory_locks = Vec::new();
    for row in rows {
        let field = |index: usize| row.get(index).cloned().flatten().unwrap_or_default();
        let number = |index: usize| field(index).parse().unwrap_or_default();
        match field(0).as_str() {
            "setting" => {
                settings.insert(field(1), field(2));
            }
            _ => advisory_locks.push(HeldAdvisory { classid: number(1), objid: number(2) }),
        }
    }
    PooledSession { session: session.clone(), shared, settings, advisory_locks }
}
