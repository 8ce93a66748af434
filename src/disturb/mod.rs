//! Background sessions: what a scenario declares to go on beside the application and the change.
//!
//! A long reader, an idle transaction, a VACUUM, writers that come again and again. Each is in
//! place before the change begins, or comes when its scenario says; what it held then is read from
//! the server and recorded. What they did to the change is not said here.

mod error;
mod occupy;
mod order;
mod place;
mod watcher;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;

use crate::connect::{self, Address, Session};
use crate::history::{DisturbanceEvent, Event, Moment, Recorder, Role, Rounds, SessionSeen};
use crate::pg::SqlState;
use crate::scenario::{Beside, Disturbance, Sessions, disturbance_application_name};

use error::recorded;
use occupy::{Occupant, crowd};
use order::{Order, Orders};
use place::Marker;
use watcher::Watcher;

/// Sessions that are opened where the server's limit is to be met: a server that admits more is not
/// filled by us.
const CROWD_MAX: usize = 5_000;

pub use error::Error;

/// Where background sessions go.
#[derive(Clone, Copy)]
pub struct DisturbSetup<'a> {
    /// The trial's database, as ourselves.
    pub address: &'a Address,
    /// The same as the application gets there: what takes up connections is nobody special.
    pub application: &'a Address,
    /// Where they are recorded.
    pub recorder: &'a Recorder,
}

/// Disturbances in place. Dropped, their sessions end and their transactions roll back.
pub struct Disturbing {
    order: watch::Sender<Order>,
    going_on: JoinSet<()>,
    stage: Stage,
    /// Those of the attempts that follow the first.
    later: Vec<Disturbance>,
}

/// What each of them needs.
#[derive(Clone)]
struct Stage {
    address: Address,
    application: Address,
    recorder: Recorder,
    watcher: Arc<Watcher>,
}

/// Puts the disturbances in place, one after the other as declared, and returns when each holds
/// what it holds. Setting up may take long; nothing is counted down until [`Disturbing`] is asked.
///
/// # Errors
/// A session cannot be opened, or one of its statements fails or does not end in time.
pub async fn start(
    setup: DisturbSetup<'_>,
    disturbances: &[Disturbance],
) -> Result<Disturbing, Error> {
    let DisturbSetup { address, application, recorder } = setup;
    let of_all = |source| Error::Open { name: "the session that watches them".to_owned(), source };
    let watcher = Arc::new(Watcher::open(address).await.map_err(of_all)?);
    let (address, application) = (address.clone(), application.clone());
    let stage = Stage { address, application, recorder: recorder.clone(), watcher };
    let (first, later): (Vec<_>, Vec<_>) =
        disturbances.iter().cloned().partition(|disturbance| disturbance.at == Beside::Change);
    let order = watch::Sender::new(Order::default());
    let mut disturbing = Disturbing { order, going_on: JoinSet::new(), stage, later };
    disturbing.put_in_place(&first).await?;
    Ok(disturbing)
}

impl Disturbing {
    async fn put_in_place(&mut self, disturbances: &[Disturbance]) -> Result<(), Error> {
        for disturbance in disturbances {
            let name = disturbance.name.clone();
            let begins_later = disturbance.after_ms > 0;
            let event = DisturbanceEvent {
                name,
                moment: Moment::Declared,
                held: None,
                rerun: disturbance.at == Beside::Rerun,
            };
            self.stage.recorder.record(Event::Disturbance(event.clone().into()));
            let orders = Orders::new(self.order.subscribe(), disturbance);
            let (stage, disturbance) = (self.stage.clone(), Arc::new(disturbance.clone()));
            let (starter, in_place) = oneshot::channel();
            self.going_on.spawn(async move {
                let moment = stage.life(disturbance, orders, &event, starter).await;
                let event = DisturbanceEvent { moment, ..event };
                stage.recorder.record(Event::Disturbance(event.into()));
            });
            if !begins_later {
                // Without an answer the task is gone, and what it recorded says why.
                in_place.await.unwrap_or(Ok(()))?;
            }
        }
        Ok(())
    }

    /// The change begins: what is of a declared length ends so long from now.
    pub fn begin_countdown(&self) {
        self.order.send_if_modified(|order| order.begin(Beside::Change));
    }

    /// The change is over: what goes on for as long as it does ends.
    pub fn change_is_over(&self) {
        self.order.send_modify(|order| order.end(Beside::Change));
    }

    /// Puts in place what is declared for the attempts that follow, which begin now.
    ///
    /// # Errors
    /// As of [`start`].
    pub async fn rerun_begins(&mut self) -> Result<(), Error> {
        let later = std::mem::take(&mut self.later);
        self.put_in_place(&later).await?;
        self.order.send_if_modified(|order| order.begin(Beside::Rerun));
        Ok(())
    }

    /// Returns when all have ended that were put in place so far, each recorded; the attempts that
    /// they were put in place for are over.
    pub async fn ended(&mut self) {
        self.begin_countdown();
        self.order.send_modify(|order| {
            order.end(Beside::Change);
            order.end(Beside::Rerun);
        });
        self.join().await;
    }

    /// Ends all of them now, by rolling back.
    pub async fn stop(mut self) {
        self.order.send_modify(Order::stop);
        self.join().await;
    }

    async fn join(&mut self) {
        while let Some(joined) = self.going_on.join_next().await {
            if let Err(error) = joined {
                let stage = "disturb".to_owned();
                let message = format!("hold a disturbance: {error}; this is a bug of pgauntlet");
                self.stage.recorder.record(Event::MeasurementFailed { stage, message });
            }
        }
    }
}

impl Stage {
    /// What becomes of a disturbance, from its begin to its end.
    async fn life(
        &self,
        disturbance: Arc<Disturbance>,
        mut orders: Orders,
        event: &DisturbanceEvent,
        starter: oneshot::Sender<Result<(), Error>>,
    ) -> Moment {
        if disturbance.after_ms > 0 {
            if orders.begun().await.is_none() {
                return Moment::Ended;
            }
            let after = Duration::from_millis(disturbance.after_ms);
            tokio::select! {
                () = tokio::time::sleep(after) => {}
                () = orders.stopped() => return Moment::Ended,
            }
        }
        let sessions = match self.sessions(&disturbance).await {
            Ok(sessions) => sessions,
            Err(error) => {
                let recorded = recorded(&error);
                // A starter that is gone hears it from the record.
                let _ = starter.send(Err(error));
                return Moment::Broken(recorded);
            }
        };
        let is_crowd = disturbance.sessions == Sessions::All;
        let count = if is_crowd { 1 } else { sessions.len() };
        let (place, in_place) = Marker::new(event.clone(), &self.recorder, count);
        let forwarded = async {
            if let Ok(answer) = in_place.await {
                let _ = starter.send(answer);
            }
        };
        if is_crowd {
            let crowded = crowd(sessions, &disturbance, &self.watcher, orders, place);
            return tokio::join!(crowded, forwarded).0;
        }
        let every = disturbance.every_ms.unwrap_or_default() * 1_000;
        let spread = Duration::from_micros(every / sessions.len().max(1) as u64);
        let occupant = |(session, nth): (Session, u32)| Occupant {
            session,
            disturbance: Arc::clone(&disturbance),
            watcher: Arc::clone(&self.watcher),
            orders: orders.clone(),
            delay: spread * nth,
        };
        let occupants = sessions.into_iter().zip(0_u32..).map(occupant);
        let each: Vec<_> = occupants.map(|occupant| occupant.occupies(place.clone())).collect();
        // Where no session gets into place, nobody holds a marker any more.
        drop(place);
        let (moments, ()) = tokio::join!(join_all(each), forwarded);
        together(moments)
    }

    /// Its sessions, each recorded.
    async fn sessions(&self, disturbance: &Disturbance) -> Result<Vec<Session>, Error> {
        let mut sessions = Vec::new();
        loop {
            match disturbance.sessions {
                Sessions::Count(count) if sessions.len() >= count as usize => return Ok(sessions),
                Sessions::All if sessions.len() >= CROWD_MAX => return Ok(sessions),
                Sessions::Count(_) | Sessions::All => {}
            }
            match self.open(disturbance).await {
                Ok(session) => sessions.push(session),
                Err(source)
                    if disturbance.sessions == Sessions::All
                        && source.is_one_of(&[SqlState::TOO_MANY_CONNECTIONS]) =>
                {
                    return Ok(sessions);
                }
                Err(source) => {
                    return Err(Error::Open { name: disturbance.name.clone(), source });
                }
            }
        }
    }

    async fn open(&self, disturbance: &Disturbance) -> Result<Session, connect::Error> {
        let address = match disturbance.sessions {
            Sessions::All => &self.application,
            Sessions::Count(_) => &self.address,
        };
        let elsewhere = disturbance.database.as_ref().map(|name| address.with_database(name));
        let address = elsewhere.as_ref().unwrap_or(address);
        let settings: BTreeMap<String, String> =
            disturbance.role.iter().map(|role| ("role".to_owned(), role.clone())).collect();
        let application_name = disturbance_application_name(&disturbance.name);
        let session = Session::open(address, &application_name, &settings).await?;
        let role = Role::Disturbance(disturbance.name.clone());
        self.recorder.record(Event::Session(SessionSeen { session: session.id(), role }));
        Ok(session)
    }
}

/// What has become of a disturbance, of what has become of each of its sessions.
fn together(moments: Vec<Moment>) -> Moment {
    let mut rounds: Option<Rounds> = None;
    for moment in moments {
        match moment {
            Moment::Broken(error) => return Moment::Broken(error),
            Moment::Repeated(own) => rounds.get_or_insert_default().add(own),
            Moment::Declared | Moment::Holding | Moment::Ended => {}
        }
    }
    rounds.map_or(Moment::Ended, Moment::Repeated)
}
