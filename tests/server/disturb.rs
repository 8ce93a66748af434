//! A disturbance holds before the change begins, ends when it should, and tells when it broke.

use std::collections::BTreeMap;
use std::time::Duration;

use pgauntlet::clock::{Clock, Micros};
use pgauntlet::connect::{Address, Session};
use pgauntlet::disturb;
use pgauntlet::history::{DisturbanceEvent, Event, Moment, Recorder, Role};
use pgauntlet::scenario::Disturbance;
use rstest::rstest;

use crate::common;

fn disturbance(name: &str, statements: &[&str], hold_ms: u64) -> Disturbance {
    Disturbance {
        name: name.to_owned(),
        statements: statements.iter().map(|&s| s.to_owned()).collect(),
        isolation: None,
        hold_ms,
    }
}

async fn session(address: &Address) -> Session {
    Session::open(address, "test", &BTreeMap::new()).await.expect("a session")
}

async fn run(session: &Session, sql: &str) {
    session.batch(sql).await.unwrap_or_else(|e| panic!("failed to {e}"));
}

/// A database with table t, and a session to it.
async fn with_table() -> (Address, Session) {
    let address = common::fresh_database().await;
    let asker = session(&address).await;
    run(&asker, "CREATE TABLE t (n int)").await;
    (address, asker)
}

/// Modes that other sessions of ours hold on t.
async fn held_on_t(asker: &Session) -> Vec<String> {
    let sql = "SELECT mode FROM pg_locks WHERE granted AND relation = 't'::regclass ORDER BY 1";
    let rows = asker.client().query(sql, &[]).await.expect("locks");
    rows.iter().map(|row| row.get(0)).collect()
}

/// What was recorded of disturbances.
fn moments(recorder: &Recorder) -> Vec<(Micros, DisturbanceEvent)> {
    let history = recorder.finish().expect("a history");
    let moments = history.entries.into_iter().filter_map(|entry| match entry.event {
        Event::Disturbance(moment) => Some((entry.at_us, *moment)),
        _ => None,
    });
    moments.collect()
}

#[tokio::test]
async fn it_holds_when_start_returns_and_commits_its_time_after_the_change_began() {
    let (address, asker) = with_table().await;
    let recorder = Recorder::in_memory(Clock::start());
    let reader = disturbance("long-reader", &["SELECT FROM t"], 300);
    let writer = disturbance("writer", &["INSERT INTO t VALUES (1)"], 50);
    let started = disturb::start(&address, &[reader, writer], &recorder).await;
    let mut disturbing = started.unwrap_or_else(|e| panic!("failed to {e}"));
    assert_eq!(held_on_t(&asker).await, ["AccessShareLock", "RowExclusiveLock"]);
    let begun = recorder.clock().now();
    disturbing.begin_countdown();
    disturbing.ended().await;
    assert_eq!(held_on_t(&asker).await, [""; 0]);
    let row = asker.client().query_one("SELECT count(*) FROM t", &[]).await.expect("a count");
    assert_eq!(row.get::<_, i64>(0), 1, "the writer committed");
    let moments = moments(&recorder);
    let told: Vec<(&str, &Moment)> =
        moments.iter().map(|(_, e)| (e.name.as_str(), &e.moment)).collect();
    let expected = [
        ("long-reader", &Moment::Holding),
        ("writer", &Moment::Holding),
        ("writer", &Moment::Ended),
        ("long-reader", &Moment::Ended),
    ];
    assert_eq!(told, expected);
    for ((at, _), hold_ms) in moments[2..].iter().zip([50, 300]) {
        assert!(*at - begun >= Micros::from_millis(hold_ms), "held only {}", *at - begun);
    }
}

#[tokio::test]
async fn its_session_is_named_and_known_and_has_the_isolation_that_was_asked_for() {
    let (address, asker) = with_table().await;
    let recorder = Recorder::in_memory(Clock::start());
    let snapshot = Disturbance {
        isolation: Some("REPEATABLE READ".to_owned()),
        ..disturbance("old-snapshot", &["SELECT FROM t"], 0)
    };
    let started = disturb::start(&address, &[snapshot], &recorder).await;
    let disturbing = started.unwrap_or_else(|e| panic!("failed to {e}"));
    let sql = "SELECT pid, backend_xmin IS NOT NULL FROM pg_stat_activity
               WHERE application_name = 'pgauntlet disturb old-snapshot'
               AND datname = current_database()";
    let row = asker.client().query_one(sql, &[]).await.expect("its session");
    assert!(row.get::<_, bool>(1), "it keeps its snapshot");
    disturbing.stop().await;
    let history = recorder.finish().expect("a history");
    let seen = history.entries.iter().any(|entry| match &entry.event {
        Event::Session(seen) => {
            seen.session.pid == row.get::<_, i32>(0)
                && seen.role == Role::Disturbance("old-snapshot".to_owned())
        }
        _ => false,
    });
    assert!(seen, "the session is recorded with its role");
}

#[rstest]
#[case::terminated(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE
    application_name = 'pgauntlet disturb victim' AND datname = current_database()",
    "57P01"
)]
#[case::timed_out("SELECT", "25P03")]
#[tokio::test]
async fn one_that_the_server_ends_is_broken_with_its_sqlstate(
    #[case] end: &str,
    #[case] sqlstate: &str,
) {
    let (address, asker) = with_table().await;
    let recorder = Recorder::in_memory(Clock::start());
    let timeout = match sqlstate {
        "25P03" => "SET LOCAL idle_in_transaction_session_timeout = '50ms'",
        _ => "SELECT",
    };
    let victim = disturbance("victim", &[timeout, "SELECT FROM t"], 600_000);
    let started = disturb::start(&address, &[victim], &recorder).await;
    let mut disturbing = started.unwrap_or_else(|e| panic!("failed to {e}"));
    run(&asker, end).await;
    let ended = tokio::time::timeout(Duration::from_secs(20), disturbing.ended()).await;
    ended.expect("it does not wait for its ten minutes");
    let moments = moments(&recorder);
    match &moments[1].1.moment {
        Moment::Broken(error) => {
            let told = error.sqlstate.as_ref().map(|state| state.code());
            assert_eq!(told, Some(sqlstate), "{error}");
        }
        other => panic!("it is told as {other:?}"),
    }
}

#[tokio::test]
async fn stop_ends_all_at_once_and_rolls_back() {
    let (address, asker) = with_table().await;
    let recorder = Recorder::in_memory(Clock::start());
    let writer = disturbance("writer", &["INSERT INTO t VALUES (1)"], 600_000);
    let started = disturb::start(&address, &[writer], &recorder).await;
    let disturbing = started.unwrap_or_else(|e| panic!("failed to {e}"));
    disturbing.begin_countdown();
    let stopped = tokio::time::timeout(Duration::from_secs(20), disturbing.stop()).await;
    stopped.expect("it does not wait for its ten minutes");
    let row = asker.client().query_one("SELECT count(*) FROM t", &[]).await.expect("a count");
    assert_eq!(row.get::<_, i64>(0), 0);
    assert_eq!(moments(&recorder)[1].1.moment, Moment::Ended);
}

#[tokio::test]
async fn a_statement_that_fails_names_the_disturbance() {
    let (address, _) = with_table().await;
    let recorder = Recorder::in_memory(Clock::start());
    let broken = disturbance("broken", &["SELECT FROM nowhere"], 0);
    let error = match disturb::start(&address, &[broken], &recorder).await {
        Ok(_) => panic!("there is no such table"),
        Err(error) => error.to_string(),
    };
    assert!(error.starts_with("set up disturbance \"broken\": run \"SELECT FROM"), "{error}");
    assert!(error.contains("42P01"), "{error}");
}
