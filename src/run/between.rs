//! What a trial has between its clients and the server: a pooler, a network, or both.

use std::sync::Arc;
use std::time::Duration;

use crate::connect::Address;
use crate::history::{Attempt, Event, NetworkEvent, NetworkPassed, Phase, Recorder};
use crate::migrate::{self, TapServer};
use crate::scenario::Network;
use crate::tap::{self, Relay, Weather};
use crate::{clock::Micros, drive};

use super::pooling::{Place, Pooling};
use super::{Error, TrialSpec};

/// What is there; nothing, by default. Dropped, it ends.
#[derive(Default)]
pub struct Between {
    pooling: Option<Pooling>,
    network: Option<Carried>,
}

/// A network that carries the application's connections.
struct Carried {
    relay: Relay,
    recorder: Recorder,
    begun: NetworkEvent,
    application: Address,
}

impl Between {
    /// Starts what the trial is to have.
    pub async fn start(at: Place<'_>, spec: &TrialSpec) -> Result<Between, Error> {
        let at = &at;
        let pooling = match &spec.pooler {
            Some(pooler) => Some(Pooling::start(at, spec, pooler).await?),
            None => None,
        };
        let Some(network) = &spec.network else { return Ok(Between { pooling, network: None }) };
        let pooler = pooling.as_ref().and_then(Pooling::application);
        // Whoever connects to the relay is asked for a password as the server asks over TCP.
        let (user, password) = (at.application.user(), at.application.password());
        let direct = at.application_over_tcp.with_login(user, password.as_deref());
        let target = pooler.map_or(&direct, |(address, _)| address);
        let network = Some(Carried::start(at, target, network).await?);
        Ok(Between { pooling, network })
    }

    /// Where the application connects to; None: to the server.
    pub fn application(&self) -> Option<&Address> {
        let pooler = self.pooling.as_ref().and_then(Pooling::application);
        let network = self.network.as_ref().map(|network| &network.application);
        network.or(pooler.map(|(address, _)| address))
    }

    /// The pooler before the application; None: there is none.
    pub fn pooled(&self) -> Option<&drive::Pooled> {
        self.pooling.as_ref().and_then(Pooling::application).map(|(_, pooled)| pooled)
    }

    /// Where the change connects to; None: to the server.
    pub fn change(&self) -> Option<&migrate::Pooled> {
        self.pooling.as_ref().and_then(Pooling::change)
    }

    /// Records what an attempt has left on server connections that others get.
    pub async fn record_left(&self, after: Attempt) {
        if let Some(pooling) = &self.pooling {
            pooling.record_left(after).await;
        }
    }

    /// Connections are cut while the change is applied.
    pub fn enters(&self, phase: Phase) {
        if let Some(network) = &self.network {
            network.relay.cuts(phase == Phase::Change);
        }
    }

    /// Ends it, and records what has passed.
    pub async fn stop(self) {
        if let Some(Carried { relay, recorder, begun, .. }) = self.network {
            let tap::Relayed { connections, delayed, cut } = relay.relayed();
            let passed = Some(NetworkPassed { connections, delayed, cut });
            recorder.record(Event::Network(NetworkEvent { passed, ..begun }.into()));
        }
        if let Some(pooling) = self.pooling {
            pooling.stop().await;
        }
    }
}

impl Carried {
    async fn start(at: &Place<'_>, target: &Address, network: &Network) -> Result<Carried, Error> {
        let upstream = Arc::new(TapServer {
            change: target.clone(),
            ours: at.address.clone(),
            recorder: at.recorder.clone(),
        });
        let Network { round_trip_ms, cut_every_ms } = *network;
        let weather = Weather {
            round_trip: Duration::from_millis(round_trip_ms),
            cut_every: cut_every_ms.map(Duration::from_millis),
        };
        let recorder = at.recorder.clone();
        let cut = move |connections| recorder.record(Event::NetworkCut { connections });
        let relay = Relay::start(upstream, weather, Box::new(cut)).await;
        let relay = relay.map_err(|error| migrate::Error::from(tap::Error::Listen(error)))?;
        let begun = NetworkEvent {
            round_trip_us: Micros::from_millis(round_trip_ms),
            cut_every_us: cut_every_ms.map(Micros::from_millis),
            passed: None,
        };
        at.recorder.record(Event::Network(begun.into()));
        let application = target.at(relay.address(), target.password().as_deref());
        let recorder = at.recorder.clone();
        Ok(Carried { relay, recorder, begun, application })
    }
}
