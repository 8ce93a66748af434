//! What the log of a real server says of waits and deadlocks, by the trial's clock.

use std::collections::BTreeMap;
use std::time::Duration;

use pgauntlet::clock::{Clock, Micros};
use pgauntlet::connect::{Address, Session};
use pgauntlet::history::{
    Event, History, LogReport, LoggedDeadlock, LoggedEnd, LoggedWait, Recorder,
};
use pgauntlet::observe;
use rstest::rstest;

use crate::common;

/// Waits are logged after this long, so that a test need not take seconds.
const SETTINGS: &[(&str, &str)] = &[("deadlock_timeout", "50ms")];
/// For how long a lock is held.
const HELD: Duration = Duration::from_millis(200);
/// Longest wait for something that must happen.
const PATIENCE: Duration = Duration::from_secs(20);
/// What a busy machine adds to any time.
const NOISE: Micros = Micros::from_millis(150);

/// By so much the log's times may be off: whole milliseconds, and two clocks.
const CLOCKS: Micros = Micros::from_millis(10);

async fn session(address: &Address) -> Session {
    Session::open(address, "an app: LOG", &BTreeMap::new()).await.expect("a session")
}

async fn until_waiting(asker: &Session, pid: i32) {
    let sql = "SELECT count(*) FROM pg_locks WHERE NOT granted AND pid = $1";
    let asked = async {
        while asker.client().query_one(sql, &[&pid]).await.expect("locks").get::<_, i64>(0) == 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(PATIENCE, asked).await.expect("a waiter");
}

fn waits(history: &History) -> Vec<&LoggedWait> {
    let waits = history.entries.iter().filter_map(|entry| match &entry.event {
        Event::LoggedWait(wait) => Some(&**wait),
        _ => None,
    });
    waits.collect()
}

fn report(history: &History) -> &LogReport {
    let mut reports = history.entries.iter().filter_map(|entry| match &entry.event {
        Event::Log(report) => Some(report),
        _ => None,
    });
    reports.next().expect("a report")
}

#[rstest]
#[case::that_ends("0", true)]
#[case::that_times_out("120ms", false)]
#[tokio::test]
async fn a_wait_in_the_log_has_its_time_its_holder_and_its_end(
    #[case] lock_timeout: &str,
    #[case] acquires: bool,
) {
    let server = common::server_with(SETTINGS).await;
    let address = server.fresh_database().await;
    let (holder, waiter) = (session(&address).await, session(&address).await);
    let asker = session(&address).await;
    holder.batch("CREATE TABLE t (n int)").await.expect("a table");
    waiter.batch(&format!("SET lock_timeout = '{lock_timeout}'")).await.expect("a setting");
    let recorder = Recorder::in_memory(Clock::start());
    let reading = observe::read_log(&address, &recorder, Some(&server.log_path)).await;
    holder.batch("BEGIN; LOCK TABLE t").await.expect("a lock");
    let (pid, asked) = (waiter.pid(), recorder.clock().now());
    let clock = recorder.clock();
    let insert = tokio::spawn(async move {
        let ended = waiter.batch("INSERT INTO t\nVALUES (1)").await;
        (ended.is_ok(), clock.now())
    });
    until_waiting(&asker, pid).await;
    // The hold itself, not a synchronisation.
    tokio::time::sleep(HELD).await;
    holder.batch("COMMIT").await.expect("a commit");
    let (acquired, answered) = insert.await.expect("the insert ends");
    assert_eq!(acquired, acquires);
    reading.stop().await;
    let history = recorder.finish().expect("a history");
    assert_eq!(report(&history).not_read, None);
    assert_eq!(report(&history).deadlock_timeout_us, Some(Micros::from_millis(50)));
    let [wait] = waits(&history)[..] else { panic!("{:?}", waits(&history)) };
    assert_eq!((wait.session.pid, wait.relation.as_deref()), (pid, Some("t")));
    assert_eq!((&wait.holders[..], &wait.queue[..]), (&[holder.pid()][..], &[pid][..]));
    assert_eq!(wait.statement.as_deref(), Some("INSERT INTO t\nVALUES (1)"));
    let to = wait.to_us.expect("an end");
    let began = asked - CLOCKS..=asked + NOISE;
    assert!(began.contains(&wait.from_us), "{wait:?}, asked at {asked:?}");
    let ended = answered - NOISE..=answered + CLOCKS;
    assert!(ended.contains(&to), "{wait:?}, answered at {answered:?}");
    match &wait.outcome {
        LoggedEnd::Acquired => assert!(acquires),
        LoggedEnd::Failed(message) => {
            assert!(!acquires && message == "canceling statement due to lock timeout", "{message}");
        }
        LoggedEnd::NotLogged => panic!("{wait:?}"),
    }
}

#[tokio::test]
async fn a_deadlock_in_the_log_has_the_statements_of_both_sides() {
    let server = common::server_with(SETTINGS).await;
    let address = server.fresh_database().await;
    let (one, two) = (session(&address).await, session(&address).await);
    let asker = session(&address).await;
    let tables = "CREATE TABLE a (n int); CREATE TABLE b (n int); INSERT INTO b VALUES (1)";
    one.batch(tables).await.expect("tables");
    let recorder = Recorder::in_memory(Clock::start());
    let reading = observe::read_log(&address, &recorder, Some(&server.log_path)).await;
    one.batch("BEGIN; LOCK TABLE a").await.expect("a lock");
    two.batch("BEGIN; UPDATE b SET n = 2").await.expect("a row's lock");
    let (pid, session) = (one.pid(), one);
    let first = tokio::spawn(async move { session.batch("UPDATE b SET n = 3").await.is_ok() });
    until_waiting(&asker, pid).await;
    let second = two.batch("INSERT INTO a\nVALUES (1)").await.is_ok();
    two.batch("ROLLBACK").await.expect("a rollback");
    let first = first.await.expect("the update ends");
    assert!(first != second, "one of them is ended");
    reading.stop().await;
    let history = recorder.finish().expect("a history");
    let mut deadlocks = history.entries.iter().filter_map(|entry| match &entry.event {
        Event::LoggedDeadlock(deadlock) => Some(&**deadlock),
        _ => None,
    });
    let deadlock: &LoggedDeadlock = deadlocks.next().expect("a deadlock");
    let detail = &deadlock.detail;
    assert!(detail.contains("UPDATE b SET n = 3") && detail.contains("INSERT INTO a\nVALUES (1)"));
    assert!(deadlock.relations.values().any(|name| name == "a"), "{deadlock:?}");
}

#[tokio::test]
async fn a_log_that_is_not_there_or_says_nothing_is_no_evidence() {
    let server = common::server_with(&[("log_lock_waits", "off")]).await;
    let address = server.fresh_database().await;
    for (path, why) in [(None, "cannot be read"), (Some(&*server.log_path), "log_lock_waits")] {
        let recorder = Recorder::in_memory(Clock::start());
        observe::read_log(&address, &recorder, path).await.stop().await;
        let history = recorder.finish().expect("a history");
        let not_read = report(&history).not_read.as_deref();
        assert!(not_read.is_some_and(|text| text.contains(why)), "{not_read:?}");
    }
}
