//! Declared reads: equal rows give equal digests, other rows other ones, and a read that failed
//! says why.

mod common;

use std::collections::BTreeMap;
use std::time::Duration;

use pgauntlet::clock::Clock;
use pgauntlet::connect::{Address, Session};
use pgauntlet::history::{Event, InvariantRead, Recorder};
use pgauntlet::observe;
use pgauntlet::scenario::{
    Arrivals, Change, Expect, Generator, Invariant, Limits, OperationStatement, Pool, Retries,
    Rows, Scenario, Scope, Script, Since, Sizes, Timeouts, Traffic, TransactionRule, VersionRows,
    Versions,
};

fn change() -> Change {
    Change {
        migrations: Vec::new(),
        command: None,
        transaction: TransactionRule::None,
        timeouts: Timeouts {
            scope: Scope::Local,
            lock_timeout_ms: None,
            statement_timeout_ms: None,
            idle_in_transaction_session_timeout_ms: None,
            scale_with: None,
        },
        retries: Retries { on_lock_timeout: 0, backoff_ms: 0 },
        versions: Some(Versions {
            table: "versions".to_owned(),
            column: "version".to_owned(),
            rows: VersionRows::Each,
        }),
        deadline_ms: 0,
        stop: None,
        runners: 1,
        advisory_lock: None,
        rerun_attempts: 0,
    }
}

fn scenario(invariants: Vec<Invariant>) -> Scenario {
    Scenario {
        name: "reads".to_owned(),
        dir: ".".into(),
        analysis: String::new(),
        rng_seed: 42,
        schema: Script::default(),
        indexes: Script::default(),
        tables: Vec::new(),
        server: BTreeMap::new(),
        traffic: Traffic {
            rate_per_s: 1.0,
            arrivals: Arrivals::Uniform,
            operations: Vec::new(),
            baseline_ms: 0,
            recovery_min_ms: 0,
            recovery_max_ms: 0,
        },
        pool: Pool { size: 1, overflow: 0, acquire_timeout_ms: 1, settings: BTreeMap::new() },
        change: change(),
        states: Vec::new(),
        crash: None,
        disturbances: Vec::new(),
        invariants,
        limits: Limits::default(),
        expect: Expect { verdict: Vec::new(), findings: Vec::new(), absent: Vec::new() },
    }
}

fn read(name: &str, sql: &str, parameters: &[(&str, Generator)]) -> Invariant {
    Invariant {
        name: name.to_owned(),
        statement: OperationStatement {
            sql: sql.to_owned(),
            placeholders: parameters.iter().map(|(name, _)| (*name).to_owned()).collect(),
        },
        parameters: parameters.iter().map(|(n, g)| ((*n).to_owned(), g.clone())).collect(),
        before: None,
        rows: Rows::Same,
        since: Since::Start,
        plan: None,
    }
}

async fn with_table() -> (Address, Session) {
    let address = common::fresh_database().await;
    let session = Session::open(&address, "test", &BTreeMap::new()).await.expect("a session");
    let sql = "CREATE TABLE t (n int PRIMARY KEY, note text);
               INSERT INTO t SELECT n, 'note ' || n FROM generate_series(1, 100) n";
    session.batch(sql).await.expect("a table");
    (address, session)
}

/// Reads every invariant once.
async fn reads(address: &Address, scenario: &Scenario) -> Vec<InvariantRead> {
    let recorder = Recorder::in_memory(Clock::start());
    let read = observe::read_once(address, scenario, &Sizes::default(), &recorder).await;
    read.unwrap_or_else(|e| panic!("failed to {e}"));
    recorded(&recorder)
}

fn recorded(recorder: &Recorder) -> Vec<InvariantRead> {
    let history = recorder.finish().expect("a history");
    let reads = history.entries.into_iter().filter_map(|entry| match entry.event {
        Event::Invariant(read) => Some(read),
        _ => None,
    });
    reads.collect()
}

#[tokio::test]
async fn a_digest_changes_with_the_rows_and_with_nothing_else() {
    let (address, session) = with_table().await;
    let by_number = read(
        "some",
        "SELECT n, note FROM t WHERE n >= $1 AND note <> $2 ORDER BY n; -- all of them",
        &[
            ("least", Generator::Integer { min: 1, max: 50 }),
            ("word", Generator::Constant { value: "it's".to_owned() }),
        ],
    );
    let scenario = scenario(vec![by_number]);
    let before = reads(&address, &scenario).await;
    assert_eq!(before[0].error, None);
    assert!(before[0].rows >= 51, "{before:?}");
    assert_eq!(before[0].digest.len(), 64);
    let unrelated = "ALTER TABLE t ADD COLUMN m int; UPDATE t SET m = 1; CREATE INDEX ON t (note)";
    session.batch(unrelated).await.expect("a change");
    assert_eq!(reads(&address, &scenario).await, before);
    session.batch("UPDATE t SET note = NULL WHERE n = 100").await.expect("a NULL");
    let nulled = reads(&address, &scenario).await;
    assert_ne!(nulled, before);
    session.batch("UPDATE t SET note = '' WHERE n = 100").await.expect("an empty text");
    assert_ne!(reads(&address, &scenario).await, nulled);
}

#[tokio::test]
async fn no_rows_are_a_digest_of_their_own_and_no_error() {
    let (address, session) = with_table().await;
    let scenario = scenario(vec![read("none", "SELECT note FROM t WHERE n < 0", &[])]);
    let none = reads(&address, &scenario).await;
    assert_eq!((none[0].rows, none[0].error.as_ref()), (0, None));
    session.batch("INSERT INTO t VALUES (-1, 'x')").await.expect("a row");
    assert_ne!(reads(&address, &scenario).await, none);
}

#[tokio::test]
async fn a_star_reads_the_new_column_and_a_dropped_table_is_an_error() {
    let (address, session) = with_table().await;
    let scenario = scenario(vec![
        read("star", "SELECT * FROM t ORDER BY n", &[]),
        read("other", "SELECT 1", &[]),
    ]);
    let recorder = Recorder::in_memory(Clock::start());
    let (sizes, interval) = (Sizes::default(), Duration::from_secs(3_600));
    let watching =
        observe::watch_invariants(&address, &scenario, &sizes, &recorder, interval).await;
    let watch = watching.unwrap_or_else(|e| panic!("failed to {e}"));
    session.batch("ALTER TABLE t ADD COLUMN m int").await.expect("a column");
    watch.stop().await.unwrap_or_else(|e| panic!("failed to {e}"));
    let read = recorded(&recorder);
    assert_eq!(read.len(), 4, "one read at the start, one at the end");
    assert_eq!((&read[0].error, &read[2].error), (&None, &None));
    assert_ne!(read[0].digest, read[2].digest);
    assert_eq!(read[1].digest, read[3].digest);
    session.batch("DROP TABLE t").await.expect("a change");
    let without = reads(&address, &scenario).await;
    let error = without[0].error.as_ref().expect("an error");
    assert_eq!(error.sqlstate.as_ref().map(|state| state.code()), Some("42P01"));
    assert_eq!(without[1].error, None, "the next read is not spoilt by it");
}

#[tokio::test]
async fn a_watch_reads_again_and_again_and_survives_the_end_of_its_session() {
    let (address, session) = with_table().await;
    let scenario = scenario(vec![read("all", "SELECT n FROM t ORDER BY n", &[])]);
    let recorder = Recorder::in_memory(Clock::start());
    let (sizes, interval) = (Sizes::default(), Duration::from_millis(20));
    let watching =
        observe::watch_invariants(&address, &scenario, &sizes, &recorder, interval).await;
    let watch = watching.unwrap_or_else(|e| panic!("failed to {e}"));
    let end = format!(
        "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
         WHERE application_name = '{}' AND datname = current_database()",
        observe::APPLICATION_NAME
    );
    session.batch(&end).await.expect("an end");
    watch.stop().await.unwrap_or_else(|e| panic!("failed to {e}"));
    let read = recorded(&recorder);
    let last = read.last().expect("a last read");
    assert_eq!((last.rows, last.error.as_ref()), (100, None));
}

#[tokio::test]
async fn a_locked_table_is_an_error_of_that_read_after_a_second() {
    let (address, session) = with_table().await;
    let scenario = scenario(vec![read("all", "SELECT n FROM t ORDER BY n", &[])]);
    session.batch("BEGIN; LOCK TABLE t").await.expect("a lock");
    let locked = reads(&address, &scenario).await;
    let error = locked[0].error.as_ref().expect("an error");
    assert_eq!(error.sqlstate.as_ref().map(|state| state.code()), Some("55P03"));
}

#[tokio::test]
async fn a_parameter_that_is_not_declared_is_named() {
    let (address, _) = with_table().await;
    let mut broken = read("broken", "SELECT $1::int", &[("n", Generator::Serial)]);
    broken.parameters.clear();
    let recorder = Recorder::in_memory(Clock::start());
    let (sizes, scenario) = (Sizes::default(), scenario(vec![broken]));
    let read = observe::read_once(&address, &scenario, &sizes, &recorder).await;
    let error = read.expect_err("n is missing").to_string();
    assert_eq!(error, "read invariant \"broken\": it has no parameter $n; declare it");
}
