//! A pooler of one trial: between the application, the change, or both, and the server.
//!
//! Its server connections come through the tap's hub, which knows whom each of them serves.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::connect::Address;
use crate::drive;
use crate::history::{
    Attempt, Event, Listener, PooledSessions, PoolerEvent, PoolerPassed, Recorder,
};
use crate::migrate::{self, TapServer};
use crate::provision::{self, PoolerSetup};
use crate::scenario::{PoolMode, Pooler};
use crate::tap::{Clients, Gate, Hub, Lane};

use super::{Error, TrialSpec};

/// A pooler that runs. Dropped, it ends.
pub struct Pooling {
    pooler: provision::Pooler,
    hub: Hub,
    recorder: Recorder,
    begun: PoolerEvent,
    application: Option<(Address, drive::Pooled)>,
    change: Option<migrate::Pooled>,
    /// The last attempt, of those that have ended.
    latest: AtomicU32,
}

/// A user of the pooler, and where its clients and its server connections sign in.
struct User {
    name: String,
    password: String,
}

/// Where a trial's clients and server are, without anything between them.
pub struct Place<'a> {
    /// The trial's database, as ourselves.
    pub address: &'a Address,
    /// The same as the application gets there.
    pub application: &'a Address,
    /// The same over TCP, where there is a choice.
    pub application_over_tcp: Address,
    /// As the change gets there.
    pub change: &'a Address,
    pub recorder: &'a Recorder,
    pub listener: &'a Listener,
}

impl Pooling {
    /// Starts it before the trial's database.
    pub async fn start(
        at: &Place<'_>,
        spec: &TrialSpec,
        pooler: &Pooler,
    ) -> Result<Pooling, Error> {
        let before = pooler.before;
        let (application, change) = (at.application, at.change);
        let is_shared =
            before.application() && before.change() && application.user() == change.user();
        let mut lanes = Vec::new();
        let mut users: Vec<User> = Vec::new();
        let mut lane = |address: &Address, clients: Clients| {
            let database = Some(address.database().to_owned());
            let gate = Gate::new(address.user(), address.password(), database);
            let (name, password) = (address.user().to_owned(), gate.password().to_owned());
            users.push(User { name, password });
            let upstream = Arc::new(TapServer {
                change: address.clone(),
                ours: at.address.clone(),
                recorder: at.recorder.clone(),
            });
            lanes.push(Lane { gate, upstream, clients });
        };
        if before.change() {
            lane(change, if is_shared { Clients::Both } else { Clients::Change });
        }
        if before.application() && !is_shared {
            lane(application, Clients::Application);
        }
        let hub =
            Hub::start(lanes, at.recorder, at.listener).await.map_err(migrate::Error::from)?;
        let pool = &spec.scenario.pool;
        let pool_size = pooler.pool_size.unwrap_or((pool.size + pool.overflow).max(1));
        let setup = PoolerSetup {
            mode: pooler.mode.as_str(),
            database: at.address.database(),
            server: hub.address(),
            users: users.iter().map(|user| (user.name.clone(), user.password.clone())).collect(),
            pool_size,
        };
        let started = provision::Pooler::start(&setup).await?;
        let begun = PoolerEvent {
            version: started.version().to_owned(),
            mode: pooler.mode.as_str().to_owned(),
            application: before.application(),
            change: before.change(),
            pool_size,
            passed: None,
        };
        at.recorder.record(Event::Pooler(begun.clone().into()));
        let socket = started.address();
        let state = Arc::clone(hub.state());
        let by_transaction = pooler.mode == PoolMode::Transaction;
        let of_drive = drive::Pooled { state: Arc::clone(&state), by_transaction };
        let application =
            before.application().then(|| (there(application, socket, &users), of_drive));
        let change = before.change().then(|| migrate::Pooled {
            address: there(change, socket, &users),
            socket,
            state,
        });
        let recorder = at.recorder.clone();
        let latest = AtomicU32::new(0);
        Ok(Pooling { pooler: started, hub, recorder, begun, application, change, latest })
    }

    /// Where the application connects to; None: to the server.
    pub fn application(&self) -> Option<(&Address, &drive::Pooled)> {
        self.application.as_ref().map(|(address, pooled)| (address, pooled))
    }

    /// Where the change connects to; None: to the server.
    pub fn change(&self) -> Option<&migrate::Pooled> {
        self.change.as_ref()
    }

    /// Records what an attempt has left on server connections that others get. Of several at once
    /// the one that ends last: what the others still hold is not left.
    pub async fn record_left(&self, after: Attempt) {
        let after = self.latest.fetch_max(after, Ordering::Relaxed).max(after);
        if self.change.is_some() && !self.hub.state().has_attempts() {
            let sessions = self.hub.state().states().await;
            let left = PooledSessions { after, sessions };
            self.recorder.record(Event::PooledSessions(left.into()));
        }
    }

    /// Ends it, and records what has passed through it.
    pub async fn stop(self) {
        let passed = self.hub.state().passed();
        let passed = PoolerPassed {
            connections: passed.connections,
            application: passed.application,
            change: passed.change,
        };
        let ended = PoolerEvent { passed: Some(passed), ..self.begun };
        self.recorder.record(Event::Pooler(ended.into()));
        drop(self.hub);
        self.pooler.stop().await;
    }
}

/// The same user and database at the pooler.
fn there(address: &Address, socket: SocketAddr, users: &[User]) -> Address {
    let user = users.iter().find(|user| user.name == address.user());
    address.at(socket, user.map(|user| user.password.as_str()))
}
