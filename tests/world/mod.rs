//! A world without a server: databases are names with the statements that were applied in them, and
//! everything that a run does is written down in its order.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use futures_util::future::BoxFuture;
use pgauntlet::clock::Micros;
use pgauntlet::connect::{self, Address};
use pgauntlet::drive::{CalledFunction, Ledger};
use pgauntlet::history::{
    AttemptEnd, ComparedAnswers, ContentsChange, Event, FaultEvent, Listener, Protocol,
    ServerError, ServerFacts, Source, StatementBegan, StatementEnded, TableContents,
    TransactionStatus,
};
use pgauntlet::migrate;
use pgauntlet::observe::{ComparedTable, Written};
use pgauntlet::pg::StatementKey;
use pgauntlet::provision::{self, Server};
use pgauntlet::run::{
    Between, Catalogue, Claim, Disturbances, Doing, Effects, Identities, Invariants, Operator,
    Origin, Reach, Sampling, States, Tables, Traffic, TrialDatabase, TrialSpec,
};
use pgauntlet::scenario::{Change, Disturbance};
use pgauntlet::schema::{Fingerprint, Replaced};
use pgauntlet::tap::{Action, At, Injection};
use tokio_util::sync::CancellationToken;

/// Databases by name: the statements that are applied in each.
type Databases = BTreeMap<String, BTreeSet<String>>;

#[derive(Clone, Default)]
pub struct World {
    log: Arc<Mutex<Vec<String>>>,
    databases: Arc<Mutex<Databases>>,
    /// Statements that work once.
    fails_again: BTreeSet<String>,
    /// Statements that fail when they are applied for the first time.
    fails_first: BTreeSet<String>,
    /// The user interrupts at this application of the change and every later one.
    pub interrupted: Option<(usize, CancellationToken)>,
    /// What is in this directory is noted as the change is applied.
    pub watched: Option<PathBuf>,
}

impl World {
    pub fn that_fails_again(mut self, text: &str) -> World {
        self.fails_again.insert(text.to_owned());
        self
    }

    pub fn that_fails_first(mut self, text: &str) -> World {
        self.fails_first.insert(text.to_owned());
        self
    }

    pub fn interrupted_at(mut self, application: usize) -> World {
        self.interrupted = Some((application, CancellationToken::new()));
        self
    }

    fn note(&self, what: impl Into<String>) {
        self.log.lock().unwrap().push(what.into());
    }

    /// What was done, in its order.
    pub fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    pub fn databases(&self) -> Vec<String> {
        self.databases.lock().unwrap().keys().cloned().collect()
    }

    fn applied(&self, address: &Address) -> BTreeSet<String> {
        self.databases.lock().unwrap().get(address.database()).cloned().unwrap_or_default()
    }

    fn notes<'a, T: Send + 'a>(&self, what: impl Into<String>, value: T) -> Doing<'a, T> {
        self.note(what);
        Box::pin(async { Ok(value) })
    }

    /// Applies what is not applied yet, to the statement at which a fault waits.
    fn statements(&self, setup: &migrate::ApplySetup<'_>, attempt: u32) -> AttemptEnd {
        let migrations = setup.change.migrations.iter();
        let texts = migrations.flat_map(|m| m.script.statements.iter().map(|s| s.text.clone()));
        for (statement, text) in (0..).zip(texts) {
            let key = StatementKey::new(None, &text, 0);
            let at = At::Nth { key, later: 0, into: None };
            let fault = setup.faults.iter().find(|fault| fault.at == at);
            let again = self.applied(setup.address).contains(&text);
            let error = match fault {
                Some(_) => Some(("57P01", "terminated by administrator")),
                None if again && self.fails_again.contains(&text) => Some(("42701", "it exists")),
                None if attempt == 0 && self.fails_first.contains(&text) => {
                    Some(("55P03", "canceling statement due to lock timeout"))
                }
                None => None,
            };
            let error = error.map(|(code, message)| server_error(code, message));
            record(setup, (attempt, statement), &text, error.clone(), fault);
            let answer_cut = fault.is_some_and(|fault| fault.action == Action::CutAfter);
            if error.is_none() || answer_cut {
                let mut databases = self.databases.lock().unwrap();
                databases.entry(setup.address.database().to_owned()).or_default().insert(text);
            }
            if let Some(error) = error {
                return AttemptEnd::Failed { migration: "1".to_owned(), error: error.into() };
            }
        }
        AttemptEnd::Finished { applied: Some(1) }
    }
}

/// Names of databases.
#[derive(Default)]
struct Numbers(std::sync::atomic::AtomicU32);

impl Claim for Numbers {
    fn name(&self) -> String {
        let number = self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        format!("pgauntlet_trial_{number}")
    }

    fn losses(&self) -> BoxFuture<'_, u32> {
        Box::pin(async { 0 })
    }

    fn renew<'a>(&'a self, _: &'a Address) -> Doing<'a, ()> {
        Box::pin(async { Ok(()) })
    }
}

fn server_error(code: &str, message: &str) -> ServerError {
    let text = format!(
        r#"{{"sqlstate": "{code}", "message": "{message}", "detail": null, "hint": null}}"#
    );
    serde_json::from_str(&text).expect("an error")
}

fn record(
    setup: &migrate::ApplySetup<'_>,
    (attempt, statement): (u32, u32),
    text: &str,
    error: Option<ServerError>,
    fault: Option<&Injection>,
) {
    let recorder = setup.recorder;
    let began = StatementBegan {
        attempt,
        statement,
        connection: 0,
        session: 7.into(),
        migration: "1".to_owned(),
        source: Source::File { path: "own.sql".to_owned(), line: 1 },
        text: text.to_owned(),
        statements: 1,
        protocol: Protocol::Simple,
        parameter_types: Vec::new(),
        lock_timeout_ms: 0,
        statement_timeout_ms: 0,
        idle_in_transaction_session_timeout_ms: 0,
        transaction_timeout_ms: None,
        transaction: TransactionStatus::Idle,
    };
    recorder.record(Event::StatementBegan(began.into()));
    if let Some(fault) = fault {
        let (fault, statement) = (fault.action.to_string(), Some(statement));
        recorder.record(Event::Fault(FaultEvent { attempt, fault, statement }));
    }
    let now = recorder.clock().now();
    let ended = StatementEnded {
        attempt,
        statement,
        began_us: now,
        ended_us: now,
        error,
        tags: Vec::new(),
        rows: None,
        wal_bytes: None,
        rewritten: Vec::new(),
        held: Vec::new(),
        taken: Vec::new(),
        transaction: TransactionStatus::Idle,
        notices: Vec::new(),
        paused_us: Micros::ZERO,
    };
    recorder.record(Event::StatementEnded(ended.into()));
}

fn fingerprint(applied: BTreeSet<String>) -> Fingerprint {
    let object = |text: String| (format!("made by {text}"), BTreeMap::new());
    Fingerprint { objects: applied.into_iter().map(object).collect() }
}

impl Effects for World {
    fn provision<'a>(
        &'a self,
        _: &'a provision::Request,
        _: &'a Listener,
    ) -> Doing<'a, Box<dyn Server>> {
        self.notes("start the server", Box::new(NoServer(self.clone())) as Box<dyn Server>)
    }

    fn origin<'a>(
        &'a self,
        _: &'a dyn Server,
        spec: &'a TrialSpec,
        _: &'a Listener,
    ) -> Doing<'a, Origin> {
        let largest = spec.sizes.largest();
        self.notes(format!("seed {largest} rows"), Origin::Empty)
    }

    fn caught_up<'a>(
        &'a self,
        _: &'a Address,
        _: &'a Address,
        _: std::time::Duration,
    ) -> Doing<'a, ()> {
        Box::pin(async { Ok(()) })
    }

    fn identify<'a>(
        &'a self,
        _: &'a dyn Server,
        _: &'a TrialSpec,
        address: &'a Address,
    ) -> Doing<'a, Identities> {
        let (application, change) = (address.clone(), address.clone());
        Box::pin(async move { Ok(Identities { application, change, facts: None }) })
    }

    fn make<'a>(
        &'a self,
        server: &'a dyn Server,
        origin: &'a Origin,
        database: &'a str,
    ) -> Doing<'a, Address> {
        let mut databases = self.databases.lock().unwrap();
        let (applied, what) = match origin {
            Origin::Copy(source) => (databases[source].clone(), "copy the snapshot"),
            Origin::Empty | Origin::Clone | Origin::Template(_) => {
                (BTreeSet::new(), "make the database")
            }
        };
        databases.insert(database.to_owned(), applied);
        drop(databases);
        self.notes(what, server.address().with_database(database))
    }

    fn claim<'a>(&'a self, _: &'a dyn Server, _: &'a Listener) -> Doing<'a, Box<dyn Claim>> {
        Box::pin(async { Ok(Box::new(Numbers::default()) as Box<dyn Claim>) })
    }

    fn abandon<'a>(&'a self, _: &'a Address) -> Doing<'a, ()> {
        Box::pin(async { Ok(()) })
    }

    fn drop<'a>(&'a self, _: &'a Address, database: &'a str) -> Doing<'a, ()> {
        let known = self.databases.lock().unwrap().remove(database);
        match known {
            Some(_) => self.notes("drop the database", ()),
            None => Box::pin(async { Ok(()) }),
        }
    }

    fn prepare<'a>(&'a self, _: &'a Address, _: &'a Change) -> Doing<'a, ()> {
        self.notes("prepare", ())
    }

    fn between<'a>(
        &'a self,
        _: &'a dyn Server,
        _: TrialDatabase<'a>,
        _: &'a TrialSpec,
    ) -> Doing<'a, Between> {
        Box::pin(async { Ok(Between::default()) })
    }

    fn apply<'a>(
        &'a self,
        setup: &'a migrate::ApplySetup<'a>,
        attempt: u32,
    ) -> Doing<'a, AttemptEnd> {
        let faults: Vec<String> = setup.faults.iter().map(|f| f.action.to_string()).collect();
        let kept = self.watched.as_deref().map(kept).unwrap_or_default();
        self.note(match faults.is_empty() {
            true => format!("apply {attempt}{kept}"),
            false => format!("apply {attempt} with {}{kept}", faults.join(", ")),
        });
        let applications = self.log().iter().filter(|what| what.starts_with("apply ")).count();
        Box::pin(async move {
            setup.recorder.record(Event::AttemptBegan { attempt });
            if let Some((_, cancel)) =
                self.interrupted.as_ref().filter(|(from, _)| applications >= *from)
            {
                cancel.cancel();
                futures_util::future::pending::<()>().await;
            }
            let end = self.statements(setup, attempt);
            setup.recorder.record(Event::AttemptEnded { attempt, end: end.clone() });
            Ok(end)
        })
    }

    fn catalogue<'a>(&'a self, address: &'a Address, _: &'a Change) -> Doing<'a, Catalogue> {
        let fingerprint = fingerprint(self.applied(address));
        self.notes("catalogue", Catalogue { fingerprint, versions: Vec::new() })
    }

    fn contents<'a>(
        &'a self,
        _: &'a Address,
        digested: &'a (dyn Fn(&str) -> bool + Sync),
        _: &'a [Written],
    ) -> Doing<'a, Tables> {
        let digest = digested("public.t").then(|| "same".to_owned());
        let contents = TableContents { rows: 10, digest };
        self.notes("contents", [("public.t".to_owned(), contents)].into())
    }

    fn states<'a>(&'a self, _: &'a Address) -> Doing<'a, States> {
        Box::pin(async { Ok(States::new()) })
    }

    fn answers<'a>(
        &'a self,
        _: TrialDatabase<'a>,
        _: &'a TrialSpec,
        _: &'a Replaced,
        _: &'a [CalledFunction],
    ) -> Doing<'a, Vec<ComparedAnswers>> {
        self.notes("answers", Vec::new())
    }

    fn reach<'a>(&'a self, _: &'a Address) -> Doing<'a, Reach> {
        Box::pin(async { Ok(Reach::new()) })
    }

    fn uncounted<'a>(&'a self, _: &'a Address) -> Doing<'a, Option<String>> {
        Box::pin(async { Ok(None) })
    }

    fn changes<'a>(
        &'a self,
        _: &'a Address,
        _: &'a Address,
        _: &'a [ComparedTable],
        _: &'a [Written],
    ) -> Doing<'a, ContentsChange> {
        self.notes("compare the tables", ContentsChange::default())
    }

    fn control<'a>(&'a self, _: TrialDatabase<'a>) -> Doing<'a, ()> {
        self.notes("control", ())
    }

    fn read_invariants<'a>(
        &'a self,
        _: TrialDatabase<'a>,
        _: &'a TrialSpec,
        over: bool,
    ) -> Doing<'a, ()> {
        self.notes(format!("read invariants, over: {over}"), ())
    }

    fn sample<'a>(&'a self, _: TrialDatabase<'a>) -> Doing<'a, Box<dyn Sampling>> {
        self.notes("sample", Box::new(self.clone()) as Box<dyn Sampling>)
    }

    fn watch_invariants<'a>(
        &'a self,
        _: TrialDatabase<'a>,
        _: &'a TrialSpec,
    ) -> Doing<'a, Box<dyn Invariants>> {
        self.notes("watch invariants", Box::new(self.clone()) as Box<dyn Invariants>)
    }

    fn capacity<'a>(&'a self, _: TrialDatabase<'a>, _: &'a TrialSpec) -> Doing<'a, f64> {
        self.notes("measure the capacity", 1_234.0)
    }

    fn drive<'a>(&'a self, _: TrialDatabase<'a>, _: &'a TrialSpec) -> Doing<'a, Box<dyn Traffic>> {
        self.notes("drive", Box::new(self.clone()) as Box<dyn Traffic>)
    }

    fn disturb<'a>(
        &'a self,
        _: TrialDatabase<'a>,
        _: &'a [Disturbance],
    ) -> Doing<'a, Box<dyn Disturbances>> {
        self.notes("disturb", Box::new(self.clone()) as Box<dyn Disturbances>)
    }

    fn open_by_hand<'a>(&'a self, address: &'a Address) -> Doing<'a, Box<dyn Operator>> {
        let operator = ByHand { world: self.clone(), address: address.clone() };
        self.notes("open a session by hand", Box::new(operator) as Box<dyn Operator>)
    }
}

/// Whether result.json is there, and says that the run is not finished.
fn kept(directory: &Path) -> String {
    match pgauntlet::result::ResultFile::read(directory) {
        Ok(result) if !result.finished => " (planned)".to_owned(),
        Ok(_) => " (finished)".to_owned(),
        Err(_) => " (no result.json)".to_owned(),
    }
}

impl Sampling for World {
    fn stop(self: Box<Self>) -> Doing<'static, ()> {
        self.notes("end sampling", ())
    }
}

impl Invariants for World {
    fn change_is_over(&self) {
        self.note("the change is over");
    }

    fn stop(self: Box<Self>) -> Doing<'static, ()> {
        self.notes("end the watch", ())
    }
}

impl Traffic for World {
    fn quantile_since(&self, _: Micros, _: f64) -> Option<Micros> {
        Some(Micros::from_millis(1))
    }

    fn failed_since(&self, _: Micros) -> u64 {
        0
    }

    fn oldest_outstanding(&self) -> Option<Micros> {
        None
    }

    fn stop(self: Box<Self>) -> BoxFuture<'static, Ledger> {
        self.note("end the traffic");
        Box::pin(async { Ledger::default() })
    }
}

impl Disturbances for World {
    fn begin_countdown(&self) {
        self.note("count down");
    }

    fn change_is_over(&self) {
        self.note("what goes with the change ends");
    }

    fn rerun_begins(&mut self) -> Doing<'_, ()> {
        self.note("the reruns begin");
        Box::pin(async { Ok(()) })
    }

    fn ended(&mut self) -> BoxFuture<'_, ()> {
        self.note("disturbances have ended");
        Box::pin(async {})
    }
}

struct ByHand {
    world: World,
    address: Address,
}

impl Operator for ByHand {
    fn execute<'a>(&'a self, sql: &'a str) -> BoxFuture<'a, Result<(), connect::Error>> {
        self.world.note(format!("by hand: {sql}"));
        let mut databases = self.world.databases.lock().unwrap();
        // The only step that there is takes everything back.
        databases.entry(self.address.database().to_owned()).or_default().clear();
        Box::pin(async { Ok(()) })
    }

    fn fingerprint(&self) -> Doing<'_, Fingerprint> {
        let fingerprint = fingerprint(self.world.applied(&self.address));
        Box::pin(async { Ok(fingerprint) })
    }

    fn version_statement<'a>(&'a self, _: &'a Change, _: &'a str) -> Doing<'a, Option<String>> {
        Box::pin(async { Ok(None) })
    }
}

struct NoServer(World);

impl Server for NoServer {
    fn address(&self) -> Address {
        Address::tcp("no.server", 1, "nobody", None)
    }

    fn tcp_address(&self) -> Option<Address> {
        None
    }

    fn facts(&self) -> ServerFacts {
        let version_num = 170_000;
        let (source, version) = ("none".to_owned(), "17.0".to_owned());
        ServerFacts { source, version, version_num, settings: BTreeMap::new() }
    }

    fn apply_settings<'a>(
        &'a mut self,
        _: &'a BTreeMap<String, String>,
    ) -> BoxFuture<'a, Result<(), provision::Error>> {
        Box::pin(async { Ok(()) })
    }

    fn stop(self: Box<Self>) -> BoxFuture<'static, Result<(), provision::Error>> {
        self.0.note("stop the server");
        Box::pin(async { Ok(()) })
    }
}
