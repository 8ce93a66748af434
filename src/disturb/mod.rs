//! Adversaries: sessions that run statements in one transaction and hold it around the change.
//!
//! A long reader, an idle transaction, an old snapshot: whatever the scenario declares. They are
//! in place before the change begins and end a declared time after; what they did to the change is
//! not said here.

mod hold;

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::connect::{self, Address, Session};
use crate::history::{DisturbanceEvent, Event, Moment, Recorder, Role, SessionSeen};
use crate::scenario::Disturbance;

use hold::{Order, hold};

/// Longest time that a disturbance may take to get hold of what it holds.
const SETUP_MAX: Duration = Duration::from_secs(300);

/// Why a background session is not in place.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each message says what its variant is")]
pub enum Error {
    #[error("open the session of disturbance {name:?}: {source}")]
    Open { name: String, source: connect::Error },
    #[error("set up disturbance {name:?}: {source}")]
    Statement { name: String, source: connect::Error },
    #[error(
        "set up disturbance {name:?}: its statements took longer than {} s; a transaction that \
         stays open needs hold-ms, not a statement that sleeps, and must not wait for another \
         disturbance",
        SETUP_MAX.as_secs()
    )]
    SetupTimeout { name: String },
}

/// Disturbances in place. Dropped, their sessions end and their transactions roll back.
pub struct Disturbing {
    order: watch::Sender<Order>,
    holding: JoinSet<()>,
    recorder: Recorder,
}

/// Puts the disturbances in place, one after the other as declared, and returns when each holds
/// what it holds. Setting up may take long; nothing is counted down until [`Disturbing`] is asked.
///
/// # Errors
/// A session cannot be opened, or one of its statements fails or does not end in time.
pub async fn start(
    address: &Address,
    disturbances: &[Disturbance],
    recorder: &Recorder,
) -> Result<Disturbing, Error> {
    let order = watch::Sender::new(Order::Hold);
    let mut holding = JoinSet::new();
    for disturbance in disturbances {
        let session = set_up(address, disturbance, recorder).await?;
        let recorder = recorder.clone();
        let event = DisturbanceEvent { name: disturbance.name.clone(), moment: Moment::Holding };
        recorder.record(Event::Disturbance(event.clone().into()));
        let length = Duration::from_millis(disturbance.hold_ms);
        let orders = order.subscribe();
        holding.spawn(async move {
            let moment = hold(session, length, orders).await;
            let event = DisturbanceEvent { moment, ..event };
            recorder.record(Event::Disturbance(event.into()));
        });
    }
    Ok(Disturbing { order, holding, recorder: recorder.clone() })
}

impl Disturbing {
    /// The change begins: each disturbance commits its own `hold_ms` from now.
    pub fn begin_countdown(&self) {
        let begun = Instant::now();
        self.order.send_if_modified(|order| match order {
            Order::Hold => {
                *order = Order::CountFrom(begun);
                true
            }
            Order::CountFrom(_) | Order::Stop => false,
        });
    }

    /// Returns when all have ended, each recorded. Begins the countdown unless it has begun.
    pub async fn ended(&mut self) {
        self.begin_countdown();
        self.join().await;
    }

    /// Ends all of them now, by rolling back.
    pub async fn stop(mut self) {
        self.order.send_replace(Order::Stop);
        self.join().await;
    }

    async fn join(&mut self) {
        while let Some(joined) = self.holding.join_next().await {
            if let Err(error) = joined {
                let stage = "disturb".to_owned();
                let message = format!("hold a disturbance: {error}; this is a bug of pgauntlet");
                self.recorder.record(Event::MeasurementFailed { stage, message });
            }
        }
    }
}

async fn set_up(
    address: &Address,
    disturbance: &Disturbance,
    recorder: &Recorder,
) -> Result<Session, Error> {
    let name = || disturbance.name.clone();
    let application_name = format!("pgauntlet disturb {}", disturbance.name);
    let session = Session::open(address, &application_name, &BTreeMap::new())
        .await
        .map_err(|source| Error::Open { name: name(), source })?;
    let role = Role::Disturbance(name());
    recorder.record(Event::Session(SessionSeen { session: session.id(), role }));
    match tokio::time::timeout(SETUP_MAX, run(&session, disturbance)).await {
        Ok(Ok(())) => Ok(session),
        Ok(Err(source)) => Err(Error::Statement { name: name(), source }),
        Err(_) => {
            session.canceller().cancel().await;
            Err(Error::SetupTimeout { name: name() })
        }
    }
}

async fn run(session: &Session, disturbance: &Disturbance) -> Result<(), connect::Error> {
    match &disturbance.isolation {
        Some(level) => session.batch(&format!("BEGIN ISOLATION LEVEL {level}")).await?,
        None => session.batch("BEGIN").await?,
    }
    for statement in &disturbance.statements {
        session.batch(statement).await?;
    }
    Ok(())
}
