//! Executes one trial: a database, a history, the phases of its procedure, and the database goes.
//!
//! A case of a crash matrix is a trial like any other: it begins as a copy of a small snapshot, and
//! its procedure has a fault in it.

use std::path::Path;
use std::time::{Duration, Instant};

use futures_util::future::LocalBoxFuture;

use crate::connect::Address;
use crate::drive;
use crate::history::{
    Attempt, AttemptEnd, CatalogueSnapshot, Contents, Event, History, Listener, Phase, Progress,
    Recorder, RolesFacts, ShortTable, TableStates,
};
use crate::migrate;
use crate::observe;
use crate::provision::Server;
use crate::scenario::{Change, Sizes};
use crate::schema::Fingerprint;
use crate::tap::Injection;

use super::between::Between;
use super::databases::Databases;
use super::effects::{Effects, Identities, OnReplica, Origin, States, Tables, TrialDatabase};
use super::error::Fault as Whose;
use super::files::{Facts, start_history};
use super::found::rows_by_table;
use super::state;
use super::{Error, TrialSpec};

/// How often a trial looks whether its server is still there.
const WATCH_INTERVAL: Duration = Duration::from_millis(200);
/// How often a server that recovers is looked at.
const REVIVE_INTERVAL: Duration = Duration::from_secs(1);
/// Our own session on a server that crashed ends within so long.
const CRASH_KNOWN_WITHIN: Duration = Duration::from_secs(2);
/// Longest wait until a standby has a new database.
const REPLAYED_WITHIN: Duration = Duration::from_secs(120);
/// What cannot go on then.
const SERVER_DOWN: &str = "the trial, in which the server went down";

/// Executes trials on one server.
#[derive(Clone, Copy)]
pub struct Executor<'a> {
    pub effects: &'a dyn Effects,
    pub server: &'a dyn Server,
    pub databases: &'a Databases,
}

/// What is executed, and where.
#[derive(Clone, Copy)]
pub struct Order<'a> {
    pub spec: &'a TrialSpec,
    /// What its database begins as.
    pub origin: &'a Origin,
    /// Tables of its seed that have fewer rows than were asked for.
    pub short: &'a [ShortTable],
    pub listener: &'a Listener,
    /// Where its history is kept; None: nowhere.
    pub output: Option<&'a Path>,
    /// The standby's maintenance database; None: there is no standby.
    pub standby: Option<&'a Address>,
}

/// What a failure in the midst of the trial means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFailure {
    /// The run cannot go on.
    Abort,
    /// This trial shows nothing; others may.
    Record,
}

/// The phases of one trial.
pub trait Procedure {
    /// Runs them; what is seen is in the stage's recorder.
    fn run<'a>(&'a self, stage: &'a Stage<'a>) -> LocalBoxFuture<'a, Result<(), Error>>;

    fn on_failure(&self) -> OnFailure {
        OnFailure::Abort
    }

    /// Whether it compares the tables with what they were before the change.
    fn compares(&self) -> bool {
        false
    }
}

impl Executor<'_> {
    /// The database is dropped, whatever happened in it.
    pub async fn execute(
        &self,
        order: Order<'_>,
        procedure: &dyn Procedure,
    ) -> Result<History, Error> {
        let database = self.databases.name();
        let crashes = self.databases.crashes().await;
        let ended = self.in_database(order, procedure, &database).await;
        let crashed = self.has_crashed(crashes).await;
        if crashed && ended.is_ok() {
            // A server that does not come back ends the run at its next trial.
            let _ = self.ready().await;
        }
        let dropped = self.drop(&database).await;
        let history = ended?;
        // What a crashed server does not drop now goes at the run's end, or with the next sweep.
        match dropped {
            Err(_) if crashed || self.crashes_soon(crashes).await => Ok(history),
            dropped => dropped.map(|()| history),
        }
    }

    /// The same in a database of this name, which is left.
    pub async fn in_database(
        &self,
        order: Order<'_>,
        procedure: &dyn Procedure,
        database: &str,
    ) -> Result<History, Error> {
        let crashes = self.databases.crashes().await;
        let made = self.make(order, database).await;
        let kept = match &made {
            Ok(_) if procedure.compares() => self.keep(order, database).await?,
            _ => None,
        };
        let (spec, short) = (order.spec, order.short);
        let facts = Facts { spec, server: self.server.facts(), roles: None, short, found: None };
        match made {
            Ok((address, identities)) => {
                let replica = self.on_replica(order, &identities, database).await?;
                let facts = self.known(facts, order.origin, (&address, identities.facts)).await?;
                let recorder = start_history(facts, order.output)?;
                let log = self.server.log_path();
                let at = TrialDatabase {
                    address: &address,
                    application: &identities.application,
                    change_address: &identities.change,
                    between: None,
                    recorder: &recorder,
                    listener: order.listener,
                    output: order.output,
                    log: log.as_deref(),
                    replica: replica.as_ref(),
                };
                let between = self.effects.between(self.server, at, order.spec).await?;
                let at = TrialDatabase { between: Some(&between), ..at };
                let executor = Executor { ..*self };
                let stage = Stage {
                    effects: self.effects,
                    spec: order.spec,
                    at,
                    executor,
                    order,
                    kept: kept.as_deref(),
                };
                let ended = self.proceed(&stage, procedure, crashes).await;
                if let Some(kept) = &kept {
                    let dropped = self.drop(kept).await;
                    if !self.has_crashed(crashes).await {
                        dropped?;
                    }
                }
                between.stop().await;
                let history = recorder.finish();
                ended?;
                Ok(history?)
            }
            // The state could not be reached: this trial says nothing, others may.
            Err(error @ Error::State { .. }) => {
                let recorder = start_history(facts, order.output)?;
                let stage = "bringing the database into its starting state".to_owned();
                let message = error.to_string();
                recorder.record(Event::MeasurementFailed { stage, message });
                Ok(recorder.finish()?)
            }
            Err(error) => Err(error),
        }
    }

    /// Runs the procedure, beside a watch over the server. What comes of one that goes down is in
    /// the record.
    async fn proceed(
        &self,
        stage: &Stage<'_>,
        procedure: &dyn Procedure,
        crashes: u32,
    ) -> Result<(), Error> {
        let ended = tokio::select! {
            ended = procedure.run(stage) => ended,
            // It goes on as long as the trial does.
            ended = self.watch(stage, crashes) => ended,
        };
        let has_crashed = match &ended {
            Ok(()) => self.has_crashed(crashes).await,
            Err(error) if error.fault() == Whose::Interrupted => return ended,
            Err(_) => self.crashes_soon(crashes).await,
        };
        if has_crashed && !went_down(stage.recorder()) {
            stage.record(Event::ServerDown);
        }
        match ended {
            Err(error) if procedure.on_failure() == OnFailure::Record => {
                stage.failed("the case", &error);
                Ok(())
            }
            Err(error) if has_crashed => {
                stage.failed(SERVER_DOWN, &error);
                Ok(())
            }
            ended => ended,
        }
    }

    /// The database on the standby, once it is there.
    async fn on_replica(
        &self,
        order: Order<'_>,
        identities: &Identities,
        database: &str,
    ) -> Result<Option<OnReplica>, Error> {
        let Some(standby) = order.standby else { return Ok(None) };
        self.effects.caught_up(&self.server.address(), standby, REPLAYED_WITHIN).await?;
        let address = standby.with_database(database);
        let application = &identities.application;
        let password = application.password();
        let application = address.with_login(application.user(), password.as_deref());
        Ok(Some(OnReplica { address, application }))
    }

    /// With what is known of the database once it is there.
    async fn known<'f>(
        &self,
        facts: Facts<'f>,
        origin: &Origin,
        (address, roles): (&Address, Option<RolesFacts>),
    ) -> Result<Facts<'f>, Error> {
        let found = match origin {
            Origin::Clone => Some(rows_by_table(&self.effects.states(address).await?)),
            _ => None,
        };
        Ok(Facts { roles, found, ..facts })
    }

    /// Makes the database, and brings it into the trial's starting state. A copy of a snapshot is
    /// in that state already.
    pub async fn make(
        &self,
        order: Order<'_>,
        database: &str,
    ) -> Result<(Address, Identities), Error> {
        let Order { spec, origin, listener, .. } = order;
        self.ready().await?;
        let address = self.effects.make(self.server, origin, database).await?;
        let mut identities = self.effects.identify(self.server, spec, &address).await?;
        if !matches!(origin, Origin::Copy(_)) && spec.state.path.is_some() {
            state::walk(self.effects, spec, (&address, &identities.change), listener).await?;
            // The application may use what the state has made: it is there before the change.
            identities = self.effects.identify(self.server, spec, &address).await?;
        }
        Ok((address, identities))
    }

    /// A copy of the starting state, where what leads to it might lead elsewhere another time.
    async fn keep(&self, order: Order<'_>, database: &str) -> Result<Option<String>, Error> {
        if order.spec.state.path.is_none() || order.spec.is_empty_database() {
            return Ok(None);
        }
        self.ready().await?;
        let name = self.databases.name();
        let origin = Origin::Copy(database.to_owned());
        self.effects.make(self.server, &origin, &name).await?;
        Ok(Some(name))
    }

    /// Waits until the server takes sessions, which one that crashed does not for a while; one of
    /// ours that was stopped is started again.
    pub async fn ready(&self) -> Result<(), Error> {
        self.server.revive().await?;
        let address = self.server.address();
        // One that recovers may still end.
        let revived = async {
            loop {
                tokio::time::sleep(REVIVE_INTERVAL).await;
                self.server.revive().await?;
            }
        };
        tokio::select! {
            renewed = self.databases.renew(&address) => renewed,
            failed = revived => failed,
        }
    }

    /// Whether the server has crashed, or was stopped, since there had been so many crashes.
    async fn has_crashed(&self, crashes: u32) -> bool {
        self.databases.crashes().await > crashes
    }

    /// The same of what a failure may come from, which is seen before its cause.
    async fn crashes_soon(&self, crashes: u32) -> bool {
        let begun = Instant::now();
        while !self.has_crashed(crashes).await {
            if begun.elapsed() > CRASH_KNOWN_WITHIN {
                return false;
            }
            tokio::time::sleep(WATCH_INTERVAL).await;
        }
        true
    }

    /// Sees to it that a server which goes down in the midst of a trial comes back, and says so in
    /// the trial's record. Never ends.
    async fn watch(&self, stage: &Stage<'_>, mut crashes: u32) -> Result<(), Error> {
        loop {
            tokio::time::sleep(WATCH_INTERVAL).await;
            if !self.has_crashed(crashes).await {
                continue;
            }
            stage.record(Event::ServerDown);
            if let Err(error) = self.ready().await {
                stage.failed(SERVER_DOWN, &error);
            }
            crashes = self.databases.crashes().await;
        }
    }

    pub async fn drop(&self, database: &str) -> Result<(), Error> {
        self.databases.drop(self.effects, &self.server.address(), database).await
    }
}

/// Whether it is known that the server did.
pub fn went_down(recorder: &Recorder) -> bool {
    recorder.any(|entry| matches!(entry.event, Event::ServerDown))
}

/// One trial under way: what its phases act on.
pub struct Stage<'a> {
    pub effects: &'a dyn Effects,
    pub spec: &'a TrialSpec,
    pub at: TrialDatabase<'a>,
    pub executor: Executor<'a>,
    pub order: Order<'a>,
    /// The database that was kept as the starting state is.
    pub kept: Option<&'a str>,
}

impl Stage<'_> {
    pub fn change(&self) -> &Change {
        &self.spec.scenario.change
    }

    pub fn record(&self, event: Event) {
        self.at.recorder.record(event);
    }

    pub fn enter(&self, phase: Phase) {
        self.record(Event::Phase { phase });
        if let Some(between) = self.at.between {
            between.enters(phase);
        }
        (self.at.listener)(Progress::Phase(phase));
    }

    /// Part of the measurement failed: the trial goes on, and cannot be called safe.
    pub fn failed(&self, stage: &str, error: &dyn std::error::Error) {
        let (stage, message) = (stage.to_owned(), error.to_string());
        self.record(Event::MeasurementFailed { stage, message });
    }

    pub async fn prepare(&self) -> Result<(), Error> {
        if !self.spec.preparation.is_empty() {
            let operator = self.effects.open_by_hand(self.at.address).await?;
            for statement in &self.spec.preparation {
                operator.execute(statement).await?;
            }
        }
        self.effects.prepare(self.at.change_address, self.change()).await
    }

    /// Applies the change once. A statement's timeouts are scaled from the declared sizes to those
    /// of the trial.
    pub async fn apply(
        &self,
        declared: &Sizes,
        attempt: Attempt,
        faults: &[Injection],
    ) -> Result<AttemptEnd, Error> {
        let setup = migrate::ApplySetup {
            address: self.at.address,
            change_address: self.at.change_address,
            change: self.change(),
            declared,
            sizes: &self.spec.sizes,
            recorder: self.at.recorder,
            listener: self.at.listener,
            faults,
            pooled: self.at.between.and_then(Between::change),
            output: self.at.output,
        };
        let end = self.effects.apply(&setup, attempt).await;
        if let Some(between) = self.at.between {
            between.record_left(attempt).await;
        }
        end
    }

    /// Records the catalogue.
    pub async fn snapshot(&self, after: Option<Attempt>) -> Result<Fingerprint, Error> {
        let catalogue = self.effects.catalogue(self.at.address, self.change()).await?;
        let objects = catalogue.fingerprint.objects.clone();
        let snapshot = CatalogueSnapshot { after, objects, versions: catalogue.versions };
        self.record(Event::Catalogue(snapshot));
        Ok(catalogue.fingerprint)
    }

    /// Records what is in the tables.
    pub async fn contents(
        &self,
        after: Option<Attempt>,
        digested: &(dyn Fn(&str) -> bool + Sync),
        written: &[observe::Written],
    ) -> Result<Tables, Error> {
        let tables = self.effects.contents(self.at.address, digested, written).await?;
        self.record(Event::Contents(Contents { after, tables: tables.clone() }));
        Ok(tables)
    }

    /// Records how the tables are stored.
    pub async fn states(&self, after: Option<Attempt>) -> Result<States, Error> {
        let tables = self.effects.states(self.at.address).await?;
        let states = TableStates { after, tables: tables.clone() };
        self.record(Event::Tables(states.into()));
        Ok(tables)
    }

    /// Compares what the application remembers of its writes with the tables.
    pub async fn check(&self, ledger: &drive::Ledger) {
        let crashes = self.executor.databases.crashes().await;
        if let Err(error) = self.executor.ready().await {
            return self.failed("waiting for the server's recovery", &error);
        }
        let mut checked = ledger.check(self.at.address, &self.spec.scenario).await;
        // A crash is seen by one session before another.
        if checked.is_err()
            && self.executor.crashes_soon(crashes).await
            && self.executor.ready().await.is_ok()
        {
            checked = ledger.check(self.at.address, &self.spec.scenario).await;
        }
        match checked {
            Ok(report) => self.record(Event::Ledger(report)),
            Err(error) => self.failed("comparing the ledger with the tables", &error),
        }
    }

    pub fn recorder(&self) -> &Recorder {
        self.at.recorder
    }
}
