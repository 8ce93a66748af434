//! Scenarios made by hand for tests of the driver, and bounded waits for what they wait for.

// Each test binary compiles this module for itself and uses a part of it.
#![allow(dead_code)]

use std::collections::BTreeMap;
use std::future::Future;
use std::time::{Duration, Instant};

use pgauntlet::clock::Clock;
use pgauntlet::connect::{Address, Session};
use pgauntlet::drive::{self, DriveSetup, Driving};
use pgauntlet::history::{Event, Operation, Recorder, silent};
use pgauntlet::scenario::{
    Arrivals, Change, Expect, Follow, Generator, LedgerRule, Limits, On, OperationSpec,
    OperationStatement, Parameter, Pool, Rate, Retries, RunsAs, Scenario, Scope, Script, Sizes,
    Timeouts, Traffic, TransactionRule, Verdict, VersionRows, Versions,
};

/// Longest wait for anything that a test waits for.
const WAIT_MAX: Duration = Duration::from_secs(30);

/// A database, a scenario on it, and the history of its traffic.
pub struct World {
    pub address: Address,
    pub scenario: Scenario,
    pub recorder: Recorder,
    pub admin: Session,
}

impl World {
    pub async fn new(address: Address, schema: &str, scenario: Scenario) -> World {
        let admin = session(&address).await;
        admin.batch(schema).await.expect("the schema");
        World { address, scenario, recorder: Recorder::in_memory(Clock::start()), admin }
    }

    pub async fn try_start(&self) -> Result<Driving, drive::Error> {
        self.try_start_at(&self.address).await
    }

    pub async fn try_start_at(&self, address: &Address) -> Result<Driving, drive::Error> {
        let sizes = Sizes::default();
        let (scenario, recorder, listener) = (&self.scenario, &self.recorder, &silent());
        drive::start(DriveSetup {
            address,
            application: address,
            replica: None,
            pooled: None,
            scenario,
            sizes: &sizes,
            recorder,
            listener,
        })
        .await
    }

    pub async fn start(&self) -> Driving {
        self.try_start().await.unwrap_or_else(|error| panic!("failed to {error}"))
    }

    /// Every operation that was recorded, in the order of the schedule.
    pub fn operations(&self) -> Vec<Operation> {
        let history = self.recorder.finish().expect("a history in memory");
        let mut operations: Vec<Operation> = history
            .entries
            .into_iter()
            .filter_map(|entry| match entry.event {
                Event::Operation(operation) => Some(operation),
                _ => None,
            })
            .collect();
        operations.sort_by_key(|operation| operation.seq);
        operations
    }

    pub async fn count(&self, sql: &str) -> i64 {
        let row = self.admin.client().query_one(sql, &[]).await;
        row.unwrap_or_else(|error| panic!("{sql}: {error}")).get(0)
    }

    /// Sessions of the driver's pool that the server knows.
    pub async fn application_sessions(&self) -> i64 {
        self.count(
            "SELECT count(*) FROM pg_stat_activity \
             WHERE application_name = 'pgauntlet app' AND datname = current_database()",
        )
        .await
    }

    /// Those of them that wait for a lock.
    pub async fn lock_waits(&self) -> i64 {
        self.count(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pgauntlet app' \
             AND datname = current_database() AND wait_event_type = 'Lock'",
        )
        .await
    }
}

pub async fn session(address: &Address) -> Session {
    Session::open(address, "test", &BTreeMap::new()).await.expect("a session")
}

/// Asks again and again until it is so.
pub async fn until<F: Future<Output = bool>>(what: &str, mut ask: impl FnMut() -> F) {
    let began = Instant::now();
    while !ask().await {
        assert!(began.elapsed() < WAIT_MAX, "waited in vain until {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// Waits until the driver has been given this many more operations.
pub async fn more_scheduled(driving: &Driving, more: u64) {
    let from = driving.gauge().scheduled;
    until("operations were due", async || driving.gauge().scheduled >= from + more).await;
}

/// Waits until this many more operations have finished.
pub async fn more_finished(driving: &Driving, more: u64) {
    let from = driving.gauge().finished;
    until("operations finished", async || driving.gauge().finished >= from + more).await;
}

pub fn pool(size: u32, overflow: u32, acquire_timeout_ms: u64) -> Pool {
    Pool { size, overflow, acquire_timeout_ms, settings: BTreeMap::new(), role: None }
}

pub fn operation(
    name: &str,
    statements: &[(&str, &[&str])],
    parameters: &[(&str, Parameter)],
) -> OperationSpec {
    let statement = |(sql, names): &(&str, &[&str])| OperationStatement {
        sql: (*sql).to_owned(),
        placeholders: names.iter().map(|name| (*name).to_owned()).collect(),
        place: None,
    };
    let parameters = parameters.iter().map(|(name, p)| ((*name).to_owned(), p.clone()));
    OperationSpec {
        name: name.to_owned(),
        weight: 1.0,
        statements: statements.iter().map(statement).collect(),
        parameters: parameters.collect(),
        ledger: None,
        on: On::Primary,
    }
}

/// `INSERT INTO t (id) VALUES ($1)` with a new uuid, remembered.
pub fn insert(name: &str) -> OperationSpec {
    let statements: [(&str, &[&str]); 1] = [("INSERT INTO t (id) VALUES ($1)", &["id"])];
    let mut spec = operation(name, &statements, &[("id", generated(Generator::Uuid))]);
    spec.ledger = Some(LedgerRule::Insert {
        table: "t".to_owned(),
        key_column: "id".to_owned(),
        key_parameter: Some("id".to_owned()),
        set: BTreeMap::new(),
    });
    spec
}

/// Sets `t.value` of a row that `insert` made, remembered.
pub fn update(name: &str, followed: &str) -> OperationSpec {
    let sql = "UPDATE t SET value = $1 WHERE id = $2";
    let value = generated(Generator::Integer { min: 0, max: 1_000_000 });
    let parameters = [("id", follows(followed, "id", 0)), ("value", value)];
    let statements: [(&str, &[&str]); 1] = [(sql, &["value", "id"])];
    let mut spec = operation(name, &statements, &parameters);
    spec.ledger = Some(LedgerRule::Update {
        table: "t".to_owned(),
        key_column: "id".to_owned(),
        key_parameter: "id".to_owned(),
        set: BTreeMap::from([("value".to_owned(), "value".to_owned())]),
    });
    spec
}

pub fn generated(generator: Generator) -> Parameter {
    Parameter::Generated { generator, null_fraction: 0.0 }
}

pub fn follows(operation: &str, parameter: &str, after_ms: u64) -> Parameter {
    Parameter::Follow(Follow {
        operation: operation.to_owned(),
        parameter: parameter.to_owned(),
        after_ms,
        otherwise: Generator::Constant { value: "nobody".to_owned() },
    })
}

/// A scenario whose operations are due evenly.
pub fn scenario(rate_per_s: f64, pool: Pool, operations: Vec<OperationSpec>) -> Scenario {
    Scenario {
        name: "by-hand".to_owned(),
        dir: Default::default(),
        analysis: String::new(),
        rng_seed: 1,
        schema: Script::default(),
        indexes: Script::default(),
        whole: false,
        tables: Vec::new(),
        server: BTreeMap::new(),
        replica: None,
        sizes: None,
        traffic: Traffic {
            rate: Rate::PerS(rate_per_s),
            arrivals: Arrivals::Uniform,
            operations,
            baseline_ms: 0,
            recovery_min_ms: 0,
            recovery_max_ms: 0,
        },
        pool,
        change: no_change(),
        states: Vec::new(),
        accept: Vec::new(),
        acceptances: Vec::new(),
        crash: None,
        disturbances: Vec::new(),
        conditions: Vec::new(),
        invariants: Vec::new(),
        limits: Limits::default(),
        expect: Expect { verdict: vec![Verdict::Safe], findings: Vec::new(), absent: Vec::new() },
    }
}

fn no_change() -> Change {
    Change {
        migrations: Vec::new(),
        tool: None,
        command: None,
        transaction: TransactionRule::PerMigration,
        timeouts: Timeouts {
            scope: Scope::Local,
            lock_timeout_ms: None,
            statement_timeout_ms: None,
            idle_in_transaction_session_timeout_ms: None,
            scale_with: None,
        },
        retries: Retries { backoff_ms: 0, ..Retries::default() },
        versions: Some(Versions {
            table: "versions".to_owned(),
            column: "version".to_owned(),
            rows: VersionRows::Each,
            tool: None,
        }),
        deadline_ms: 1_000,
        stop: None,
        runners: 1,
        advisory_lock: None,
        rerun_attempts: 0,
        rerun: None,
        other_databases: false,
        runs_as: RunsAs::Superuser,
    }
}
