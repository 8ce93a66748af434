//! Executes one trial: a database, a history, the phases of its procedure, and the database goes.
//!
//! A case of a crash matrix is a trial like any other: it begins as a copy of a small snapshot, and
//! its procedure has a fault in it.

use std::path::Path;

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

use super::databases::Databases;
use super::effects::{Effects, Identities, Origin, States, Tables, TrialDatabase};
use super::error::Fault as Whose;
use super::files::{Facts, start_history};
use super::found::rows_by_table;
use super::state;
use super::{Error, TrialSpec};

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
        let crashed = self.databases.crashes().await > crashes;
        if crashed && ended.is_ok() {
            // A server that does not come back ends the run at its next trial.
            let _ = self.databases.renew(&self.server.address()).await;
        }
        let dropped = self.drop(&database).await;
        let history = ended?;
        // What a crashed server does not drop now goes at the run's end, or with the next sweep.
        if !crashed {
            dropped?;
        }
        Ok(history)
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
                let facts = self.known(facts, order.origin, (&address, identities.facts)).await?;
                let recorder = start_history(facts, order.output)?;
                let log = self.server.log_path();
                let at = TrialDatabase {
                    address: &address,
                    application: &identities.application,
                    change_address: &identities.change,
                    recorder: &recorder,
                    listener: order.listener,
                    output: order.output,
                    log: log.as_deref(),
                };
                let executor = Executor { ..*self };
                let stage = Stage {
                    effects: self.effects,
                    spec: order.spec,
                    at,
                    executor,
                    order,
                    kept: kept.as_deref(),
                };
                let ended = match procedure.run(&stage).await {
                    Err(error) if error.fault() == Whose::Interrupted => Err(error),
                    Err(error) if procedure.on_failure() == OnFailure::Record => {
                        stage.failed("the case", &error);
                        Ok(())
                    }
                    Err(error) if self.databases.crashes().await > crashes => {
                        stage.failed("the trial, in which the server went down", &error);
                        Ok(())
                    }
                    ended => ended,
                };
                if let Some(kept) = &kept {
                    let dropped = self.drop(kept).await;
                    if self.databases.crashes().await == crashes {
                        dropped?;
                    }
                }
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
        self.databases.renew(&self.server.address()).await?;
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
        self.databases.renew(&self.server.address()).await?;
        let name = self.databases.name();
        let origin = Origin::Copy(database.to_owned());
        self.effects.make(self.server, &origin, &name).await?;
        Ok(Some(name))
    }

    pub async fn drop(&self, database: &str) -> Result<(), Error> {
        self.databases.drop(self.effects, &self.server.address(), database).await
    }
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
        (self.at.listener)(Progress::Phase(phase));
    }

    /// Part of the measurement failed: the trial goes on, and cannot be called safe.
    pub fn failed(&self, stage: &str, error: &dyn std::error::Error) {
        let (stage, message) = (stage.to_owned(), error.to_string());
        self.record(Event::MeasurementFailed { stage, message });
    }

    pub async fn prepare(&self) -> Result<(), Error> {
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
            output: self.at.output,
        };
        self.effects.apply(&setup, attempt).await
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
        if let Err(error) = self.executor.databases.renew(&self.executor.server.address()).await {
            return self.failed("waiting for the server's recovery", &error);
        }
        match ledger.check(self.at.address, &self.spec.scenario).await {
            Ok(report) => self.record(Event::Ledger(report)),
            Err(error) => self.failed("comparing the ledger with the tables", &error),
        }
    }

    pub fn recorder(&self) -> &Recorder {
        self.at.recorder
    }
}
