//! Declared reads: equal rows give equal digests, other rows other ones, and a read that failed
//! says why.

use std::collections::BTreeMap;
use std::time::Duration;

use pgauntlet::clock::Clock;
use pgauntlet::connect::{Address, Session};
use pgauntlet::history::{Event, InvariantRead, PlanRead, Recorder};
use pgauntlet::observe;
use pgauntlet::scenario::{
    Arrivals, Change, Expect, Generator, Invariant, Limits, OperationStatement, PlanLimit, Pool,
    Rate, Retries, Rows, RunsAs, Scenario, Scope, Script, Since, Sizes, Timeouts, Traffic,
    TransactionRule, VersionRows, Versions,
};
use rstest::rstest;

use crate::common;

fn change() -> Change {
    Change {
        migrations: Vec::new(),
        tool: None,
        command: None,
        transaction: TransactionRule::None,
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
        deadline_ms: 0,
        stop: None,
        runners: 1,
        advisory_lock: None,
        rerun_attempts: 0,
        rerun: None,
        other_databases: false,
        runs_as: RunsAs::Superuser,
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
        whole: false,
        tables: Vec::new(),
        server: BTreeMap::new(),
        replica: None,
        sizes: None,
        traffic: Traffic {
            rate: Rate::PerS(1.0),
            arrivals: Arrivals::Uniform,
            operations: Vec::new(),
            baseline_ms: 0,
            recovery_min_ms: 0,
            recovery_max_ms: 0,
        },
        pool: Pool {
            size: 1,
            overflow: 0,
            acquire_timeout_ms: 1,
            settings: BTreeMap::new(),
            role: None,
        },
        change: change(),
        states: Vec::new(),
        accept: Vec::new(),
        acceptances: Vec::new(),
        crash: None,
        disturbances: Vec::new(),
        conditions: Vec::new(),
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
            place: None,
        },
        parameters: parameters.iter().map(|(n, g)| ((*n).to_owned(), g.clone())).collect(),
        before: None,
        rows: Rows::Same,
        since: Since::Start,
        plan: None,
    }
}

async fn with_table() -> (Address, Session) {
    with_table_in(common::fresh_database().await).await
}

async fn with_table_in(address: Address) -> (Address, Session) {
    let session = Session::open(&address, "test", &BTreeMap::new()).await.expect("a session");
    let sql = "CREATE TABLE t (n int PRIMARY KEY, note text);
               INSERT INTO t SELECT n, 'note ' || n FROM generate_series(1, 100) n";
    session.batch(sql).await.expect("a table");
    (address, session)
}

/// Reads every invariant once.
async fn reads(address: &Address, scenario: &Scenario) -> Vec<InvariantRead> {
    let recorder = Recorder::in_memory(Clock::start());
    let read = observe::read_once(address, scenario, &Sizes::default(), &recorder, false).await;
    read.unwrap_or_else(|e| panic!("failed to {e}"));
    recorded(&recorder)
}

fn recorded(recorder: &Recorder) -> Vec<InvariantRead> {
    reads_and_plans(recorder).0
}

fn reads_and_plans(recorder: &Recorder) -> (Vec<InvariantRead>, Vec<PlanRead>) {
    let (mut reads, mut plans) = (Vec::new(), Vec::new());
    for entry in recorder.finish().expect("a history").entries {
        match entry.event {
            Event::Invariant(read) => reads.push(*read),
            Event::Plan(plan) => plans.push(*plan),
            _ => {}
        }
    }
    (reads, plans)
}

/// A watch that reads at its start and at its end.
async fn watch(address: &Address, scenario: &Scenario, recorder: &Recorder) -> observe::Invariants {
    let (sizes, interval) = (Sizes::default(), Duration::from_secs(3_600));
    let watching = observe::watch_invariants(address, scenario, &sizes, recorder, interval).await;
    watching.unwrap_or_else(|e| panic!("failed to {e}"))
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
    let watch = watch(&address, &scenario, &recorder).await;
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

/// `sql` with the parameter `least`, which is 91.
fn with_least(name: &str, sql: &str) -> Invariant {
    let constant = Generator::Constant { value: "91".to_owned() };
    read(name, sql, &[("least", constant)])
}

fn limit() -> Option<PlanLimit> {
    Some(PlanLimit { absent: vec!["Seq Scan".to_owned()], rows_max: None })
}

#[tokio::test]
async fn the_older_form_is_read_until_the_change_is_over_and_then_the_newer_one() {
    let (address, session) = with_table().await;
    let mut renamed = with_least("renamed", "SELECT body FROM t WHERE n >= $1 ORDER BY n");
    let older = with_least("", "SELECT note FROM t WHERE n >= $1 ORDER BY n");
    renamed.before = Some(older.statement);
    let scenario = scenario(vec![renamed]);
    let recorder = Recorder::in_memory(Clock::start());
    let watch = watch(&address, &scenario, &recorder).await;
    session.batch("ALTER TABLE t RENAME note TO body").await.expect("a change");
    watch.change_is_over();
    watch.stop().await.unwrap_or_else(|e| panic!("failed to {e}"));
    let read = recorded(&recorder);
    assert_eq!(read.len(), 2);
    assert_eq!((read[0].rows, read[0].error.as_ref()), (10, None));
    assert_eq!(read[1], read[0], "the same rows under the new name, with the same parameter");
    let again = reads(&address, &scenario).await;
    let state = again[0].error.as_ref().and_then(|error| error.sqlstate.as_ref());
    assert_eq!(
        state.map(|state| state.code()),
        Some("42703"),
        "before the change there is no body"
    );
}

#[tokio::test]
async fn a_read_of_what_the_change_makes_is_read_when_the_change_is_over() {
    let (address, session) = with_table().await;
    let mut made = with_least("made", "SELECT made FROM t WHERE n >= $1 AND made IS NULL");
    (made.since, made.rows, made.plan) = (Since::Change, Rows::None, limit());
    let scenario = scenario(vec![made, read("other", "SELECT 1", &[])]);
    let recorder = Recorder::in_memory(Clock::start());
    let watching = watch(&address, &scenario, &recorder).await;
    session.batch("ALTER TABLE t ADD made int DEFAULT 7").await.expect("a change");
    watching.change_is_over();
    watching.stop().await.unwrap_or_else(|e| panic!("failed to {e}"));
    let (read, plans) = reads_and_plans(&recorder);
    let names: Vec<&str> = read.iter().map(|read| read.name.as_str()).collect();
    assert_eq!(names, ["other", "made", "other"]);
    assert_eq!((read[1].rows, read[1].error.as_ref()), (0, None));
    assert_eq!(plans.len(), 1, "no plan of it before: {plans:?}");
    assert_eq!(reads(&address, &scenario).await.len(), 1, "not read before the change");
}

#[rstest]
#[tokio::test]
async fn a_plan_is_read_at_the_start_and_at_the_end_with_its_relations_and_indexes(
    #[values(14, 18)] major: u32,
) {
    let (address, session) = with_table_in(common::fresh_database_of(major).await).await;
    let indexed = "INSERT INTO t SELECT n, 'note ' || n FROM generate_series(101, 20000) n;
                   CREATE INDEX by_note ON t (note); ANALYZE t";
    session.batch(indexed).await.expect("an index that is worth it");
    let mut limited = with_least("limited", "SELECT n FROM t WHERE note = 'note ' || $1::text");
    limited.plan = limit();
    let scenario = scenario(vec![limited, read("unlimited", "SELECT 1", &[])]);
    let recorder = Recorder::in_memory(Clock::start());
    let watch = watch(&address, &scenario, &recorder).await;
    session.batch("DROP INDEX by_note").await.expect("a change");
    watch.change_is_over();
    watch.stop().await.unwrap_or_else(|e| panic!("failed to {e}"));
    let (_, plans) = reads_and_plans(&recorder);
    assert_eq!(plans.len(), 2, "{plans:?}");
    assert!(plans.iter().all(|plan| plan.name == "limited" && plan.error.is_none()), "{plans:?}");
    let before = plans[0].nodes.iter().find(|node| node.index.as_deref() == Some("by_note"));
    assert!(before.is_some(), "{:?}", plans[0]);
    let after = plans[1].nodes.iter().find(|node| node.node_type == "Seq Scan").expect("a scan");
    assert_eq!(after.relation.as_deref(), Some("public.t"));
    assert!((1..100).contains(&after.rows), "{after:?}");
}

#[tokio::test]
async fn a_plan_that_cannot_be_read_says_why() {
    let (address, session) = with_table().await;
    let mut limited = read("limited", "SELECT note FROM t", &[]);
    limited.plan = limit();
    let scenario = scenario(vec![limited]);
    session.batch("DROP TABLE t").await.expect("a change");
    let recorder = Recorder::in_memory(Clock::start());
    let read = observe::read_once(&address, &scenario, &Sizes::default(), &recorder, true).await;
    read.unwrap_or_else(|e| panic!("failed to {e}"));
    let (_, plans) = reads_and_plans(&recorder);
    let state = plans[0].error.as_ref().and_then(|error| error.sqlstate.as_ref());
    assert_eq!(state.map(|state| state.code()), Some("42P01"));
    assert_eq!(plans[0].nodes, []);
}

#[tokio::test]
async fn a_parameter_that_is_not_declared_is_named() {
    let (address, _) = with_table().await;
    let mut broken = read("broken", "SELECT $1::int", &[("n", Generator::Serial)]);
    broken.parameters.clear();
    let recorder = Recorder::in_memory(Clock::start());
    let (sizes, scenario) = (Sizes::default(), scenario(vec![broken]));
    let read = observe::read_once(&address, &scenario, &sizes, &recorder, false).await;
    let error = read.expect_err("n is missing").to_string();
    assert_eq!(error, "read invariant \"broken\": it has no parameter $n; declare it");
}
