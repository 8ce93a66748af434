//! A disturbance holds before the change begins, ends when it should, and tells when it broke.

use std::collections::BTreeMap;
use std::time::Duration;

use pgauntlet::clock::{Clock, Micros};
use pgauntlet::connect::{Address, Session};
use pgauntlet::disturb::{self, DisturbSetup, Disturbing};
use pgauntlet::history::{DisturbanceEvent, Event, Moment, Recorder, Role};
use pgauntlet::scenario::{Beside, Disturbance, Sessions, Until};
use rstest::rstest;

use crate::common;

fn disturbance(name: &str, statements: &[&str], hold_ms: u64) -> Disturbance {
    Disturbance::transaction(name, statements.iter().map(|&s| s.to_owned()).collect(), hold_ms)
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

async fn started(
    address: &Address,
    disturbances: &[Disturbance],
    recorder: &Recorder,
) -> Result<Disturbing, disturb::Error> {
    let setup = DisturbSetup { address, application: address, recorder };
    disturb::start(setup, disturbances).await
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
    let started = started(&address, &[reader, writer], &recorder).await;
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
        ("long-reader", &Moment::Declared),
        ("long-reader", &Moment::Holding),
        ("writer", &Moment::Declared),
        ("writer", &Moment::Holding),
        ("writer", &Moment::Ended),
        ("long-reader", &Moment::Ended),
    ];
    assert_eq!(told, expected);
    for ((at, _), hold_ms) in moments[4..].iter().zip([50, 300]) {
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
    let started = started(&address, &[snapshot], &recorder).await;
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

#[tokio::test]
async fn an_advisory_lock_is_held_too() {
    let (address, _) = with_table().await;
    let recorder = Recorder::in_memory(Clock::start());
    let lock = disturbance("deploy", &["SELECT pg_advisory_lock(77)"], 0);
    let started = started(&address, &[lock], &recorder).await;
    started.unwrap_or_else(|e| panic!("failed to {e}")).stop().await;
    let held = moments(&recorder).into_iter().find_map(|(_, event)| event.held).expect("held");
    let locks: Vec<_> = held.locks.iter().map(|lock| lock.relation.as_str()).collect();
    assert_eq!(locks, ["advisory lock (0, 77)"]);
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
    let started = started(&address, &[victim], &recorder).await;
    let mut disturbing = started.unwrap_or_else(|e| panic!("failed to {e}"));
    run(&asker, end).await;
    let ended = tokio::time::timeout(Duration::from_secs(20), disturbing.ended()).await;
    ended.expect("it does not wait for its ten minutes");
    let moments = moments(&recorder);
    match &moments[2].1.moment {
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
    let started = started(&address, &[writer], &recorder).await;
    let disturbing = started.unwrap_or_else(|e| panic!("failed to {e}"));
    disturbing.begin_countdown();
    let stopped = tokio::time::timeout(Duration::from_secs(20), disturbing.stop()).await;
    stopped.expect("it does not wait for its ten minutes");
    let row = asker.client().query_one("SELECT count(*) FROM t", &[]).await.expect("a count");
    assert_eq!(row.get::<_, i64>(0), 0);
    assert_eq!(moments(&recorder)[2].1.moment, Moment::Ended);
}

#[tokio::test]
async fn a_statement_that_fails_names_the_disturbance() {
    let (address, _) = with_table().await;
    let recorder = Recorder::in_memory(Clock::start());
    let broken = disturbance("broken", &["SELECT FROM nowhere"], 0);
    let error = match started(&address, &[broken], &recorder).await {
        Ok(_) => panic!("there is no such table"),
        Err(error) => error.to_string(),
    };
    assert!(error.starts_with("set up disturbance \"broken\": run \"SELECT FROM"), "{error}");
    assert!(error.contains("42P01"), "{error}");
}

#[tokio::test]
async fn one_for_the_attempts_that_follow_is_in_place_beside_them_and_not_before() {
    let (address, asker) = with_table().await;
    let recorder = Recorder::in_memory(Clock::start());
    let later = Disturbance {
        at: Beside::Rerun,
        until: Until::Change,
        ..disturbance("later", &["SELECT FROM t"], 600_000)
    };
    let started = started(&address, &[later], &recorder).await;
    let mut disturbing = started.unwrap_or_else(|e| panic!("failed to {e}"));
    disturbing.begin_countdown();
    disturbing.change_is_over();
    disturbing.ended().await;
    assert_eq!(held_on_t(&asker).await, [""; 0]);
    disturbing.rerun_begins().await.unwrap_or_else(|e| panic!("failed to {e}"));
    assert_eq!(held_on_t(&asker).await, ["AccessShareLock"]);
    let ended = tokio::time::timeout(Duration::from_secs(20), disturbing.ended()).await;
    ended.expect("it goes with the attempts");
    assert_eq!(held_on_t(&asker).await, [""; 0]);
    assert!(moments(&recorder).iter().all(|(_, event)| event.rerun));
}

#[tokio::test]
async fn one_that_begins_later_is_not_waited_for_and_begins_then() {
    let (address, asker) = with_table().await;
    let recorder = Recorder::in_memory(Clock::start());
    let late = Disturbance { after_ms: 200, ..disturbance("late", &["SELECT FROM t"], 300) };
    let started = started(&address, &[late], &recorder).await;
    let mut disturbing = started.unwrap_or_else(|e| panic!("failed to {e}"));
    assert_eq!(held_on_t(&asker).await, [""; 0]);
    let begun = recorder.clock().now();
    disturbing.begin_countdown();
    disturbing.ended().await;
    let moments = moments(&recorder);
    let at = |moment: &Moment| {
        moments.iter().find(|(_, event)| event.moment == *moment).map(|(at, _)| *at).expect("it")
    };
    assert!(at(&Moment::Holding) - begun >= Micros::from_millis(200));
    assert!(at(&Moment::Ended) - at(&Moment::Holding) >= Micros::from_millis(290));
}

#[tokio::test]
async fn one_that_comes_too_late_to_get_into_place_ends_with_the_attempts() {
    let (address, asker) = with_table().await;
    let recorder = Recorder::in_memory(Clock::start());
    run(&asker, "BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE").await;
    let late = Disturbance {
        after_ms: 1,
        every_ms: Some(10),
        sessions: Sessions::Count(2),
        ..disturbance("late", &["SELECT FROM t"], 0)
    };
    let started = started(&address, &[late], &recorder).await;
    let mut disturbing = started.unwrap_or_else(|e| panic!("failed to {e}"));
    disturbing.begin_countdown();
    let waits = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 't'::regclass";
    let waiting = tokio::time::timeout(Duration::from_secs(20), async {
        while asker.client().query_one(waits, &[]).await.expect("a count").get::<_, i64>(0) < 2 {}
    });
    waiting.await.expect("both wait for the table");
    let ended = tokio::time::timeout(Duration::from_secs(20), disturbing.ended()).await;
    ended.expect("they are cancelled");
    run(&asker, "ROLLBACK").await;
    let moments = moments(&recorder);
    assert!(moments.iter().all(|(_, event)| event.moment != Moment::Holding), "{moments:?}");
}
