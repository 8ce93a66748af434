//! The tables of the first case, written in Rust: what seeding is tested and measured with.
//!
//! No file is read and nothing goes on around the tables: traffic and change are as empty as they
//! may be.

// Each test binary compiles this module for itself and uses a part of it.
#![allow(dead_code)]

use std::collections::BTreeMap;

use pgauntlet::scenario::{
    Arrivals, Change, Column, Expect, FakeKind, Generator, Limits, Pool, Rate, Retries, RunsAs,
    Scenario, Scope, Script, Sizes, Statement, Table, Timeouts, Traffic, TransactionRule, Verdict,
    VersionRows, Versions,
};

pub const TASKS_SQL: &str = "CREATE TABLE tasks (
    id varchar NOT NULL,
    name varchar,
    status taskstatus,
    status_reason text,
    created_at timestamptz DEFAULT now(),
    updated_at timestamptz DEFAULT now(),
    params jsonb,
    task_metadata jsonb
)";

pub const SPANS_SQL: &str = "CREATE TABLE spans (
    id varchar NOT NULL,
    trace_id varchar NOT NULL,
    parent_id varchar,
    name varchar NOT NULL,
    start_time timestamptz NOT NULL,
    end_time timestamptz,
    input json,
    output json,
    data json
)";

const STATUS_SQL: &str = "CREATE TYPE taskstatus AS ENUM ('RUNNING', 'COMPLETED', 'FAILED')";

const INDEXES_SQL: [&str; 7] = [
    "ALTER TABLE tasks ADD PRIMARY KEY (id)",
    "ALTER TABLE spans ADD PRIMARY KEY (id)",
    "CREATE UNIQUE INDEX ix_tasks_name ON tasks (name)",
    "CREATE INDEX ix_tasks_status ON tasks (status)",
    "CREATE INDEX ix_spans_trace_id ON spans (trace_id)",
    "CREATE INDEX ix_spans_trace_id_start_time ON spans (trace_id, start_time)",
    "CREATE INDEX ix_spans_parent_id ON spans (parent_id)",
];

/// One task per hundred spans.
pub fn sizes(spans: u64) -> Sizes {
    Sizes(BTreeMap::from([("spans".to_owned(), spans), ("tasks".to_owned(), spans.div_ceil(100))]))
}

pub fn scenario(rng_seed: u64) -> Scenario {
    Scenario {
        name: "spans".to_owned(),
        dir: "spans".into(),
        analysis: "The tables of the first case.".to_owned(),
        rng_seed,
        schema: script("schema.sql", &[STATUS_SQL, TASKS_SQL, SPANS_SQL]),
        indexes: script("indexes.sql", &INDEXES_SQL),
        whole: false,
        tables: vec![tasks(), spans()],
        server: BTreeMap::new(),
        replica: None,
        sizes: None,
        traffic: no_traffic(),
        pool: Pool {
            size: 1,
            overflow: 0,
            acquire_timeout_ms: 1,
            settings: BTreeMap::new(),
            role: None,
        },
        change: no_change(),
        states: Vec::new(),
        accept: Vec::new(),
        acceptances: Vec::new(),
        crash: None,
        disturbances: vec![],
        conditions: vec![],
        invariants: vec![],
        limits: Limits::default(),
        expect: Expect { verdict: vec![Verdict::Safe], findings: vec![], absent: vec![] },
    }
}

/// Each statement on a line of its own, however long it is.
pub fn script(path: &str, statements: &[&str]) -> Script {
    let statement = |(index, text): (usize, &&str)| Statement::new(*text, index as u32 + 1);
    Script { path: path.into(), statements: statements.iter().enumerate().map(statement).collect() }
}

pub fn column(name: &str, null_fraction: f64, generator: Generator) -> Column {
    Column { name: name.to_owned(), null_fraction, null_with: None, generator }
}

fn choice(weights: &[(&str, f64)]) -> Generator {
    let (values, weights) = weights.iter().map(|(v, w)| ((*v).to_owned(), *w)).unzip();
    Generator::Choice { values, weights }
}

fn reference(table: &str, hit_rate: f64, skew: f64) -> Generator {
    let (table, column) = (table.to_owned(), "id".to_owned());
    let (each, earlier, row) = (None, false, None);
    let (misses, newest) = (1_000, 1.0);
    Generator::Reference {
        table,
        column,
        hit_rate,
        skew,
        misses,
        newest,
        each,
        earlier,
        row,
        nulls: None,
    }
}

/// A quarter of 2025, the last tenth of the rows in its last week.
fn times() -> Generator {
    const FROM_US: i64 = 1_735_689_600_000_000;
    const DAY_US: i64 = 86_400_000_000;
    let (to_us, hot_span_us) = (FROM_US + 90 * DAY_US, 7 * DAY_US);
    Generator::Timestamp { from_us: FROM_US, to_us, hot_fraction: 0.1, hot_span_us }
}

fn json(min_bytes: u32, max_bytes: u32) -> Generator {
    Generator::Json { min_bytes, max_bytes }
}

fn tasks() -> Table {
    let statuses = choice(&[("RUNNING", 1.0), ("COMPLETED", 8.0), ("FAILED", 1.0)]);
    let columns = vec![
        column("id", 0.0, Generator::Uuid),
        column("name", 0.0, Generator::Fake { kind: FakeKind::Company, unique: true }),
        column("status", 0.0, statuses),
        column("status_reason", 0.9, Generator::Fake { kind: FakeKind::Sentence, unique: false }),
        column("created_at", 0.0, times()),
        column("updated_at", 0.5, times()),
        column("params", 0.2, json(50, 500)),
        column("task_metadata", 0.5, json(50, 300)),
    ];
    Table {
        name: "tasks".to_owned(),
        rows: 10_000,
        columns,
        asked: None,
        unfilled: BTreeMap::new(),
        fitted: Vec::new(),
    }
}

/// About 0.8 KB a row.
fn spans() -> Table {
    let names = [("llm.request", 5.0), ("tool.call", 3.0), ("agent.step", 2.0), ("http", 1.0)];
    let columns = vec![
        column("id", 0.0, Generator::Uuid),
        column("trace_id", 0.0, reference("tasks", 0.9, 0.8)),
        column("parent_id", 0.3, reference("spans", 1.0, 0.0)),
        column("name", 0.0, choice(&names)),
        column("start_time", 0.0, times()),
        column("end_time", 0.05, times()),
        column("input", 0.2, json(100, 1_000)),
        column("output", 0.3, json(100, 1_000)),
        column("data", 0.6, json(100, 600)),
    ];
    Table {
        name: "spans".to_owned(),
        rows: 1_000_000,
        columns,
        asked: None,
        unfilled: BTreeMap::new(),
        fitted: Vec::new(),
    }
}

fn no_traffic() -> Traffic {
    Traffic {
        rate: Rate::PerS(1.0),
        arrivals: Arrivals::Uniform,
        operations: vec![],
        baseline_ms: 0,
        recovery_min_ms: 0,
        recovery_max_ms: 0,
    }
}

fn no_change() -> Change {
    let (table, column) = ("alembic_version".to_owned(), "version_num".to_owned());
    Change {
        migrations: vec![],
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
        versions: Some(Versions { table, column, rows: VersionRows::One, tool: None }),
        deadline_ms: 1,
        stop: None,
        runners: 1,
        advisory_lock: None,
        other_databases: false,
        runs_as: RunsAs::Superuser,
        rerun_attempts: 0,
        rerun: None,
    }
}
