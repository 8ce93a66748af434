//! What a run needs of the world: a server, databases on it, and what is done in them.
//!
//! The order of the phases, the faults and what is kept of them are decided against these traits
//! alone, so that a test can run all of it without a server.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use futures_util::future::BoxFuture;

use crate::clock::Micros;
use crate::connect::{self, Address};
use crate::drive::{CalledFunction, Ledger};
use crate::history::{
    Attempt, AttemptEnd, ComparedAnswers, ContentsChange, Listener, Recorder, RolesFacts,
    ShortTable, TableContents, TableState,
};
use crate::migrate;
use crate::observe::{ComparedTable, Reached, Written};
use crate::provision::{self, Server};
use crate::scenario::{Change, Disturbance};
use crate::schema::{Fingerprint, Replaced};

use super::between::Between;
use super::{Error, TrialSpec};

/// Something that takes time and may fail.
pub type Doing<'a, T> = BoxFuture<'a, Result<T, Error>>;

/// Rows per table, by its qualified name.
pub type Tables = BTreeMap<String, TableContents>;

/// How tables are stored, by qualified name.
pub type States = BTreeMap<String, TableState>;

/// What writes to tables reach besides.
pub type Reach = Vec<Reached>;

/// What a database is made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nothing: it has no tables.
    Empty,
    /// The seed of a scenario.
    Template(crate::seed::Template),
    /// What a command of the user's gives, with the rows that it has.
    Clone,
    /// A small database, which no session is connected to.
    Copy(String),
}

impl Origin {
    /// Tables of the seed that have fewer rows than were asked for. What is copied from a copy has
    /// them too, which its own origin does not say.
    pub fn short(&self) -> &[ShortTable] {
        match self {
            Origin::Template(template) => &template.short,
            Origin::Empty | Origin::Clone | Origin::Copy(_) => &[],
        }
    }
}

/// As whom the application and the change connect to a trial's database.
#[derive(Clone, Debug)]
pub struct Identities {
    /// For the pool's sessions.
    pub application: Address,
    /// Over TCP where there is a choice, so that a command authenticates.
    pub change: Address,
    /// Who they are; None: not known.
    pub facts: Option<RolesFacts>,
}

/// The database of one trial, and where what happens in it is recorded.
#[derive(Clone, Copy)]
pub struct TrialDatabase<'a> {
    /// Where our own sessions go.
    pub address: &'a Address,
    /// How the application gets to it.
    pub application: &'a Address,
    /// How the change gets to it.
    pub change_address: &'a Address,
    /// What is between clients and server; None: nothing.
    pub between: Option<&'a Between>,
    /// Where events are appended.
    pub recorder: &'a Recorder,
    /// Who is shown the progress.
    pub listener: &'a Listener,
    /// Where the trial's history is kept.
    pub output: Option<&'a Path>,
    /// The server's log, where we can read it.
    pub log: Option<&'a Path>,
    /// The same database on the standby; None: there is no standby.
    pub replica: Option<&'a OnReplica>,
}

/// A trial's database on the standby.
#[derive(Clone, Debug)]
pub struct OnReplica {
    /// Where our own sessions go.
    pub address: Address,
    /// How the application gets to it.
    pub application: Address,
}

/// The catalogue at a moment.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    /// The catalogue, as it is compared.
    pub fingerprint: Fingerprint,
    /// As the change's own version table has them.
    pub versions: Vec<String>,
}

/// What a run does in the world.
pub trait Effects: Sync {
    /// Finds or starts the server that was asked for.
    fn provision<'a>(
        &'a self,
        request: &'a provision::Request,
        listener: &'a Listener,
    ) -> Doing<'a, Box<dyn Server>>;

    /// Makes the databases of this run known as a living process's, and sweeps those of others
    /// that are gone.
    fn claim<'a>(
        &'a self,
        server: &'a dyn Server,
        listener: &'a Listener,
    ) -> Doing<'a, Box<dyn Claim>>;

    /// Drops what an interrupted run was filling.
    fn abandon<'a>(&'a self, server: &'a Address) -> Doing<'a, ()>;

    /// What the database of a trial is made from.
    fn origin<'a>(
        &'a self,
        server: &'a dyn Server,
        spec: &'a TrialSpec,
        listener: &'a Listener,
    ) -> Doing<'a, Origin>;

    /// Makes a database of this name.
    fn make<'a>(
        &'a self,
        server: &'a dyn Server,
        origin: &'a Origin,
        database: &'a str,
    ) -> Doing<'a, Address>;

    /// Gives what is in a database to the roles as which the application and the change run.
    fn identify<'a>(
        &'a self,
        server: &'a dyn Server,
        spec: &'a TrialSpec,
        address: &'a Address,
    ) -> Doing<'a, Identities>;

    /// Drops a database; one that is gone already is fine.
    fn drop<'a>(&'a self, server: &'a Address, database: &'a str) -> Doing<'a, ()>;

    /// Makes what the built-in runner needs before the change.
    fn prepare<'a>(&'a self, address: &'a Address, change: &'a Change) -> Doing<'a, ()>;

    /// Starts what the trial is to have between clients and server.
    fn between<'a>(
        &'a self,
        server: &'a dyn Server,
        at: TrialDatabase<'a>,
        spec: &'a TrialSpec,
    ) -> Doing<'a, Between>;

    /// Applies the change once.
    fn apply<'a>(
        &'a self,
        setup: &'a migrate::ApplySetup<'a>,
        attempt: Attempt,
    ) -> Doing<'a, AttemptEnd>;

    /// Reads the catalogue, and the versions as the change's table has them.
    fn catalogue<'a>(&'a self, address: &'a Address, change: &'a Change) -> Doing<'a, Catalogue>;

    /// What is in the tables, without what the application wrote.
    fn contents<'a>(
        &'a self,
        address: &'a Address,
        digested: &'a (dyn Fn(&str) -> bool + Sync),
        written: &'a [Written],
    ) -> Doing<'a, Tables>;

    /// How the tables are stored; no row is read.
    fn states<'a>(&'a self, address: &'a Address) -> Doing<'a, States>;

    /// What writes reach besides, by foreign keys, triggers and functions.
    fn reach<'a>(&'a self, address: &'a Address) -> Doing<'a, Reach>;

    /// Why the server may not have counted the rows that were written; None: it has.
    fn uncounted<'a>(&'a self, address: &'a Address) -> Doing<'a, Option<String>>;

    /// What became of the rows of these tables, without those that the application wrote.
    fn changes<'a>(
        &'a self,
        before: &'a Address,
        after: &'a Address,
        tables: &'a [ComparedTable],
        written: &'a [Written],
    ) -> Doing<'a, ContentsChange>;

    /// What replaced views and functions answer, with both definitions.
    fn answers<'a>(
        &'a self,
        at: TrialDatabase<'a>,
        spec: &'a TrialSpec,
        views: &'a Replaced,
        functions: &'a [CalledFunction],
    ) -> Doing<'a, Vec<ComparedAnswers>>;

    /// Measures what the machine is good for just now.
    fn control<'a>(&'a self, at: TrialDatabase<'a>) -> Doing<'a, ()>;

    /// Reads every invariant once, as before the change or, where it is `over`, after it.
    fn read_invariants<'a>(
        &'a self,
        at: TrialDatabase<'a>,
        spec: &'a TrialSpec,
        over: bool,
    ) -> Doing<'a, ()>;

    /// Starts to sample the lock table.
    fn sample<'a>(&'a self, at: TrialDatabase<'a>) -> Doing<'a, Box<dyn Sampling>>;

    /// Starts to read the invariants again and again.
    fn watch_invariants<'a>(
        &'a self,
        at: TrialDatabase<'a>,
        spec: &'a TrialSpec,
    ) -> Doing<'a, Box<dyn Invariants>>;

    /// Operations of the application per second that the server carries when it does nothing else.
    fn capacity<'a>(&'a self, at: TrialDatabase<'a>, spec: &'a TrialSpec) -> Doing<'a, f64>;

    /// Starts the application.
    fn drive<'a>(
        &'a self,
        at: TrialDatabase<'a>,
        spec: &'a TrialSpec,
    ) -> Doing<'a, Box<dyn Traffic>>;

    /// Puts the background sessions in place; returns when all of them hold what they are to hold.
    fn disturb<'a>(
        &'a self,
        at: TrialDatabase<'a>,
        disturbances: &'a [Disturbance],
    ) -> Doing<'a, Box<dyn Disturbances>>;

    /// Waits until the standby has replayed what the primary has written by now, at most so long.
    fn caught_up<'a>(
        &'a self,
        primary: &'a Address,
        standby: &'a Address,
        limit: Duration,
    ) -> Doing<'a, ()>;

    /// An operator's session.
    fn open_by_hand<'a>(&'a self, address: &'a Address) -> Doing<'a, Box<dyn Operator>>;
}

/// By which the databases of a run are known as those of a living process. Dropped, they are not.
pub trait Claim: Send + Sync {
    /// A name for a database that is about to be made.
    fn name(&self) -> String;
    /// How often the server has lost it: it crashed, or was stopped.
    fn losses(&self) -> BoxFuture<'_, u32>;
    /// Makes the claim good again after the server, now at this address, has lost it, and waits for
    /// its recovery.
    fn renew<'a>(&'a self, server: &'a Address) -> Doing<'a, ()>;
}

/// The lock table is being sampled, and the server's log read. Dropped, it ends by itself.
pub trait Sampling: Send + Sync {
    /// Ends it; returns when its last sample is recorded.
    fn stop(self: Box<Self>) -> Doing<'static, ()>;
}

/// The scenario's reads are read again and again. Dropped, that ends.
pub trait Invariants: Send + Sync {
    /// From now on they are read as they are after the change.
    fn change_is_over(&self);
    /// Ends it.
    fn stop(self: Box<Self>) -> Doing<'static, ()>;
}

/// The application at work. Dropped, it ends.
pub trait Traffic: Send + Sync {
    /// Latency at quantile `q` of the operations that were due since `since`.
    fn quantile_since(&self, since: Micros, q: f64) -> Option<Micros>;
    /// How many of the operations that were due since `since` have failed.
    fn failed_since(&self, since: Micros) -> u64;
    /// Scheduled time of the oldest operation that has not finished.
    fn oldest_outstanding(&self) -> Option<Micros>;
    /// Ends it, and returns what it remembers of its writes.
    fn stop(self: Box<Self>) -> BoxFuture<'static, Ledger>;
}

/// Background sessions in place. Dropped, they roll back.
pub trait Disturbances: Send + Sync {
    /// The change begins: each holds what it holds for its own time from now.
    fn begin_countdown(&self);
    /// The change is over: what goes on for as long as it does ends.
    fn change_is_over(&self);
    /// Puts in place what is declared for the attempts that follow, which begin now.
    fn rerun_begins(&mut self) -> Doing<'_, ()>;
    /// Returns when all have ended.
    fn ended(&mut self) -> BoxFuture<'_, ()>;
}

/// A session in which an operator types.
pub trait Operator: Send + Sync {
    /// Executes one statement outside a transaction.
    fn execute<'a>(&'a self, sql: &'a str) -> BoxFuture<'a, Result<(), connect::Error>>;
    /// Reads the catalogue.
    fn fingerprint(&self) -> Doing<'_, Fingerprint>;
    /// The statement that says of a migration that it is applied; None: there is none.
    fn version_statement<'a>(
        &'a self,
        change: &'a Change,
        migration: &'a str,
    ) -> Doing<'a, Option<String>>;
}
