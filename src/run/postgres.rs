//! The effects of a run on a real server.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;

use crate::clock::Micros;
use crate::connect::{self, Address, Session};
use crate::drive::{self, CalledFunction, Ledger};
use crate::history::{Attempt, AttemptEnd, ComparedAnswers, ContentsChange, Listener, Progress};
use crate::observe::{self, ComparedTable, Written};
use crate::provision::{self, Server};
use crate::scenario::{Change, Disturbance};
use crate::schema::{Fingerprint, Replaced};
use crate::{disturb, migrate, seed};

use super::between::Between;
use super::clones::{Clones, Unclaimed};
use super::effects::{
    Catalogue, Claim, Disturbances, Doing, Effects, Identities, Invariants, Operator, Origin,
    Reach, Sampling, States, Tables, Traffic, TrialDatabase,
};
use super::pooling::Place;
use super::request::CloneCommands;
use super::{Error, TrialSpec, identities};

/// Declared reads are read again this often.
const INVARIANT_INTERVAL: Duration = Duration::from_secs(1);
/// Seeds kept on a server hold at most this much; the least recently used go first.
const CACHE_BYTES_MAX: u64 = 100_000_000_000;
/// A user at a terminal does not wait for ever.
const SETTINGS_BY_HAND: [(&str, &str); 2] = [("lock_timeout", "10s"), ("statement_timeout", "60s")];

/// A server of PostgreSQL, or clones on some.
#[derive(Default)]
pub struct Postgres {
    /// Where databases come from; None: they are made on the server.
    clones: Option<Arc<Clones>>,
}

impl Postgres {
    /// With the clones that these commands give.
    pub fn of(commands: Option<&CloneCommands>) -> Postgres {
        Postgres { clones: commands.map(Clones::of) }
    }

    /// What the outcome is once every clone has been given back. One that could not be is said,
    /// and where nothing else is wrong it is the error.
    pub async fn concluded<T>(
        &self,
        outcome: Result<T, Error>,
        listener: &Listener,
    ) -> Result<T, Error> {
        let Some(clones) = &self.clones else { return outcome };
        match (outcome, clones.give_back_all().await) {
            (outcome, Ok(())) => outcome,
            (Ok(_), Err(error)) => Err(error),
            (Err(first), Err(error)) => {
                listener(Progress::Note(format!("failed to {error}")));
                Err(first)
            }
        }
    }
}

impl Effects for Postgres {
    fn provision<'a>(
        &'a self,
        request: &'a provision::Request,
        listener: &'a Listener,
    ) -> Doing<'a, Box<dyn Server>> {
        Box::pin(async move {
            match &self.clones {
                Some(clones) => clones.server(listener).await,
                None => Ok(provision::provision(request, listener).await?),
            }
        })
    }

    fn claim<'a>(
        &'a self,
        server: &'a dyn Server,
        listener: &'a Listener,
    ) -> Doing<'a, Box<dyn Claim>> {
        Box::pin(async move {
            if self.clones.is_some() {
                return Ok(Box::new(Unclaimed::default()) as Box<dyn Claim>);
            }
            let claim = seed::Claim::take(&server.address(), listener).await?;
            Ok(Box::new(claim) as Box<dyn Claim>)
        })
    }

    fn abandon<'a>(&'a self, server: &'a Address) -> Doing<'a, ()> {
        Box::pin(async move {
            match &self.clones {
                Some(_) => Ok(()),
                None => Ok(seed::abandon(server).await?),
            }
        })
    }

    fn origin<'a>(
        &'a self,
        server: &'a dyn Server,
        spec: &'a TrialSpec,
        listener: &'a Listener,
    ) -> Doing<'a, Origin> {
        match self.clones {
            Some(_) => Box::pin(async { Ok(Origin::Clone) }),
            None => Box::pin(origin(server, spec, listener)),
        }
    }

    fn make<'a>(
        &'a self,
        server: &'a dyn Server,
        origin: &'a Origin,
        database: &'a str,
    ) -> Doing<'a, Address> {
        Box::pin(async move {
            // On the server of a clone nothing else is made.
            if let Some(clones) = &self.clones {
                return clones.lend(database).await;
            }
            let (address, version_num) = (server.address(), server.facts().version_num);
            Ok(match origin {
                Origin::Empty | Origin::Clone => seed::empty(&address, database).await?,
                Origin::Copy(source) => seed::copy_small(&address, source, database).await?,
                Origin::Template(template) => {
                    seed::copy(&address, template, database, version_num).await?
                }
            })
        })
    }

    fn identify<'a>(
        &'a self,
        server: &'a dyn Server,
        spec: &'a TrialSpec,
        address: &'a Address,
    ) -> Doing<'a, Identities> {
        Box::pin(identities::of(server, &spec.scenario, address))
    }

    fn drop<'a>(&'a self, server: &'a Address, database: &'a str) -> Doing<'a, ()> {
        Box::pin(async move {
            match &self.clones {
                Some(clones) => clones.give_back(database).await,
                None => Ok(seed::drop_database(server, database).await?),
            }
        })
    }

    fn prepare<'a>(&'a self, address: &'a Address, change: &'a Change) -> Doing<'a, ()> {
        Box::pin(async move { Ok(migrate::prepare(address, change).await?) })
    }

    fn between<'a>(
        &'a self,
        server: &'a dyn Server,
        at: TrialDatabase<'a>,
        spec: &'a TrialSpec,
    ) -> Doing<'a, Between> {
        let place = Place {
            address: at.address,
            application: at.application,
            application_over_tcp: identities::over_tcp(server, at.application),
            change: at.change_address,
            recorder: at.recorder,
            listener: at.listener,
        };
        Box::pin(Between::start(place, spec))
    }

    fn apply<'a>(
        &'a self,
        setup: &'a migrate::ApplySetup<'a>,
        attempt: Attempt,
    ) -> Doing<'a, AttemptEnd> {
        Box::pin(async move { Ok(migrate::apply(setup, attempt).await?) })
    }

    fn catalogue<'a>(&'a self, address: &'a Address, change: &'a Change) -> Doing<'a, Catalogue> {
        Box::pin(async move {
            let session =
                Session::open(address, observe::APPLICATION_NAME, &Default::default()).await?;
            let fingerprint = observe::fingerprint(&session).await?;
            let versions = migrate::versions(&session, change).await?;
            Ok(Catalogue { fingerprint, versions })
        })
    }

    fn contents<'a>(
        &'a self,
        address: &'a Address,
        digested: &'a (dyn Fn(&str) -> bool + Sync),
        written: &'a [Written],
    ) -> Doing<'a, Tables> {
        Box::pin(async move { Ok(observe::contents(address, digested, written).await?) })
    }

    fn states<'a>(&'a self, address: &'a Address) -> Doing<'a, States> {
        Box::pin(async move { Ok(observe::states(address).await?) })
    }

    fn reach<'a>(&'a self, address: &'a Address) -> Doing<'a, Reach> {
        Box::pin(async move { Ok(observe::reach(address).await?) })
    }

    fn uncounted<'a>(&'a self, address: &'a Address) -> Doing<'a, Option<String>> {
        Box::pin(async move { Ok(observe::uncounted(address).await?) })
    }

    fn changes<'a>(
        &'a self,
        before: &'a Address,
        after: &'a Address,
        tables: &'a [ComparedTable],
        written: &'a [Written],
    ) -> Doing<'a, ContentsChange> {
        Box::pin(async move { Ok(observe::changes(before, after, tables, written).await?) })
    }

    fn answers<'a>(
        &'a self,
        at: TrialDatabase<'a>,
        spec: &'a TrialSpec,
        views: &'a Replaced,
        functions: &'a [CalledFunction],
    ) -> Doing<'a, Vec<ComparedAnswers>> {
        let TrialSpec { scenario, sizes, .. } = spec;
        Box::pin(async move {
            let mut found = observe::view_answers(at.address, views).await?;
            let of = drive::function_answers(at.address, scenario, sizes, functions);
            found.extend(of.await?);
            Ok(found)
        })
    }

    fn control<'a>(&'a self, at: TrialDatabase<'a>) -> Doing<'a, ()> {
        Box::pin(async move { Ok(observe::control(at.address, at.recorder).await?) })
    }

    fn read_invariants<'a>(
        &'a self,
        at: TrialDatabase<'a>,
        spec: &'a TrialSpec,
        over: bool,
    ) -> Doing<'a, ()> {
        let TrialDatabase { address, recorder, .. } = at;
        let TrialSpec { scenario, sizes, .. } = spec;
        Box::pin(
            async move { Ok(observe::read_once(address, scenario, sizes, recorder, over).await?) },
        )
    }

    fn sample<'a>(&'a self, at: TrialDatabase<'a>) -> Doing<'a, Box<dyn Sampling>> {
        let TrialDatabase { address, recorder, listener, log, replica, .. } = at;
        Box::pin(async move {
            let sampling = observe::sample(address, recorder, observe::INTERVAL, listener).await?;
            let log = observe::read_log(address, recorder, log).await;
            let replica = match replica {
                None => None,
                Some(replica) => {
                    let places = (address, &replica.address);
                    let name = provision::STANDBY_APPLICATION_NAME;
                    Some(observe::sample_replica(places, name, recorder).await?)
                }
            };
            Ok(Box::new(Observing { sampling, log, replica }) as Box<dyn Sampling>)
        })
    }

    fn watch_invariants<'a>(
        &'a self,
        at: TrialDatabase<'a>,
        spec: &'a TrialSpec,
    ) -> Doing<'a, Box<dyn Invariants>> {
        let TrialDatabase { address, recorder, .. } = at;
        let TrialSpec { scenario, sizes, .. } = spec;
        Box::pin(async move {
            let watch =
                observe::watch_invariants(address, scenario, sizes, recorder, INVARIANT_INTERVAL);
            Ok(Box::new(watch.await?) as Box<dyn Invariants>)
        })
    }

    fn capacity<'a>(&'a self, at: TrialDatabase<'a>, spec: &'a TrialSpec) -> Doing<'a, f64> {
        Box::pin(async move { Ok(drive::capacity(drive_setup(at, spec)).await?) })
    }

    fn drive<'a>(
        &'a self,
        at: TrialDatabase<'a>,
        spec: &'a TrialSpec,
    ) -> Doing<'a, Box<dyn Traffic>> {
        let starting = drive::start(drive_setup(at, spec));
        Box::pin(async move { Ok(Box::new(starting.await?) as Box<dyn Traffic>) })
    }

    fn disturb<'a>(
        &'a self,
        at: TrialDatabase<'a>,
        disturbances: &'a [Disturbance],
    ) -> Doing<'a, Box<dyn Disturbances>> {
        Box::pin(async move {
            let TrialDatabase { address, application, recorder, .. } = at;
            let setup = disturb::DisturbSetup { address, application, recorder };
            let disturbing = disturb::start(setup, disturbances).await?;
            Ok(Box::new(disturbing) as Box<dyn Disturbances>)
        })
    }

    fn caught_up<'a>(
        &'a self,
        primary: &'a Address,
        standby: &'a Address,
        limit: Duration,
    ) -> Doing<'a, ()> {
        Box::pin(async move { Ok(observe::caught_up((primary, standby), limit).await?) })
    }

    fn open_by_hand<'a>(&'a self, address: &'a Address) -> Doing<'a, Box<dyn Operator>> {
        let settings = SETTINGS_BY_HAND.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Box::pin(async move {
            let session = Session::open(address, "pgauntlet by hand", &settings.into()).await?;
            Ok(Box::new(ByHand(session)) as Box<dyn Operator>)
        })
    }
}

fn drive_setup<'a>(at: TrialDatabase<'a>, spec: &'a TrialSpec) -> drive::DriveSetup<'a> {
    let TrialDatabase { address, application, recorder, listener, replica, .. } = at;
    let replica = replica.map(|replica| &replica.application);
    let TrialSpec { scenario, sizes, .. } = spec;
    let application = at.between.and_then(Between::application).unwrap_or(application);
    let pooled = at.between.and_then(Between::pooled);
    drive::DriveSetup { address, application, replica, pooled, scenario, sizes, recorder, listener }
}

/// What a seed compares before and after it loads a whole schema.
fn catalogue(session: &Session) -> BoxFuture<'_, Result<Fingerprint, String>> {
    Box::pin(async move { observe::fingerprint(session).await.map_err(|e| e.to_string()) })
}

async fn origin(
    server: &dyn Server,
    spec: &TrialSpec,
    listener: &Listener,
) -> Result<Origin, Error> {
    if spec.is_empty_database() {
        return Ok(Origin::Empty);
    }
    let (address, facts) = (server.address(), server.facts());
    let keeps = server.keeps_databases();
    let plan = seed::Plan { catalogue: Some(catalogue), ..spec.seed() };
    let template = seed::template(&address, &facts, &plan, keeps, listener).await?;
    for seed in seed::evict(&address, CACHE_BYTES_MAX, &template.key).await? {
        let (database, scenario) = (seed.database, seed.scenario);
        listener(Progress::Note(format!("dropped the seed {database} of {scenario}: cache full")));
    }
    Ok(Origin::Template(template))
}

impl Claim for seed::Claim {
    fn name(&self) -> String {
        seed::Claim::name(self)
    }

    fn losses(&self) -> BoxFuture<'_, u32> {
        Box::pin(seed::Claim::losses(self))
    }

    fn renew<'a>(&'a self, server: &'a Address) -> Doing<'a, ()> {
        Box::pin(async move { Ok(seed::Claim::renew(self, server).await?) })
    }
}

/// The two sources of waits, and the standby.
struct Observing {
    sampling: observe::Sampling,
    log: observe::LogReading,
    replica: Option<observe::ReplicaSampling>,
}

impl Sampling for Observing {
    fn stop(self: Box<Self>) -> Doing<'static, ()> {
        Box::pin(async move {
            let ended = self.sampling.stop().await;
            self.log.stop().await;
            if let Some(replica) = self.replica {
                replica.stop().await;
            }
            Ok(ended?)
        })
    }
}

impl Invariants for observe::Invariants {
    fn change_is_over(&self) {
        observe::Invariants::change_is_over(self);
    }

    fn stop(self: Box<Self>) -> Doing<'static, ()> {
        Box::pin(async move { Ok(observe::Invariants::stop(*self).await?) })
    }
}

impl Traffic for drive::Driving {
    fn quantile_since(&self, since: Micros, q: f64) -> Option<Micros> {
        drive::Driving::quantile_since(self, since, q)
    }

    fn failed_since(&self, since: Micros) -> u64 {
        drive::Driving::failed_since(self, since)
    }

    fn oldest_outstanding(&self) -> Option<Micros> {
        drive::Driving::oldest_outstanding(self)
    }

    fn stop(self: Box<Self>) -> BoxFuture<'static, Ledger> {
        Box::pin(async move { drive::Driving::stop(*self).await.ledger })
    }
}

impl Disturbances for disturb::Disturbing {
    fn begin_countdown(&self) {
        disturb::Disturbing::begin_countdown(self);
    }

    fn change_is_over(&self) {
        disturb::Disturbing::change_is_over(self);
    }

    fn rerun_begins(&mut self) -> Doing<'_, ()> {
        Box::pin(async move { Ok(disturb::Disturbing::rerun_begins(self).await?) })
    }

    fn ended(&mut self) -> BoxFuture<'_, ()> {
        Box::pin(disturb::Disturbing::ended(self))
    }
}

struct ByHand(Session);

impl Operator for ByHand {
    fn execute<'a>(&'a self, sql: &'a str) -> BoxFuture<'a, Result<(), connect::Error>> {
        Box::pin(self.0.batch(sql))
    }

    fn fingerprint(&self) -> Doing<'_, Fingerprint> {
        Box::pin(async move { Ok(observe::fingerprint(&self.0).await?) })
    }

    fn version_statement<'a>(
        &'a self,
        change: &'a Change,
        migration: &'a str,
    ) -> Doing<'a, Option<String>> {
        Box::pin(async move { Ok(migrate::record_by_hand(&self.0, change, migration).await?) })
    }
}
