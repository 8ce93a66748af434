//! The ways in which a statement dies before, while and after it runs: each is shown to have
//! happened at the client, in the history and in the server's own log.

use std::time::Duration;

use pgauntlet::history::{ClosedBy, Event, StatementId, TransactionStatus};
use pgauntlet::pg::LockMode;
use pgauntlet::tap::{Action, At, Injection};
use rstest::rstest;
use tokio_postgres::Client;

use crate::common;
use crate::tapped;
use crate::tapped::log::{Log, event, state};
use crate::tapped::raw::{errors, tags};
use crate::tapped::{Tapped, eventually, failure, run, value};

const SCHEMA: &str = "CREATE TABLE t (id int PRIMARY KEY, c int); \
                      CREATE TABLE u (id int PRIMARY KEY, c int)";
const ALTER: &str = "ALTER TABLE t ADD d int";
const TERMINATED: &str = "terminating connection due to administrator command";

/// A tap before a server that logs every statement.
async fn tapped(at: At, action: Action) -> (Tapped, Log) {
    let server = common::server_with(&[("log_statement", "all")]).await;
    let address = server.fresh_database().await;
    let log = Log { path: server.log_path };
    (Tapped::before(address, SCHEMA, &[Injection { at, action }]).await, log)
}

fn waiting_for_t(mode: LockMode) -> Action {
    Action::TimeOutWaiting { relation: "t".to_owned(), mode }
}

async fn lock_timeout(client: &Client) -> String {
    value(client, "SHOW lock_timeout").await
}

const SOURCE: &str = "SELECT source FROM pg_settings WHERE name = 'lock_timeout'";

#[rstest]
#[case::outside(&[], &[], 0, "0")]
#[case::outside_with_its_own(&["SET lock_timeout = '7s'"], &[], 7_000, "7s")]
#[case::shorter(&["SET lock_timeout = '60ms'"], &[], 60, "60ms")]
#[case::inside(&["BEGIN", "SET LOCAL lock_timeout = '7s'"], &["ROLLBACK"], 7_000, "0")]
#[case::inside_with_the_sessions(&["SET lock_timeout = '8s'", "BEGIN"], &["ROLLBACK"], 8_000, "8s")]
#[case::savepoint(&["BEGIN", "SET LOCAL lock_timeout = '7s'", "SAVEPOINT s"], &["ROLLBACK TO s"],
    7_000, "7s")]
#[tokio::test]
async fn a_statement_gives_up_waiting_and_its_lock_timeout_is_as_it_was(
    #[case] before: &[&str],
    #[case] after: &[&str],
    #[case] in_force_ms: u64,
    #[case] then: &str,
) {
    let number = before.len() as StatementId;
    let action = waiting_for_t(LockMode::AccessShareLock);
    let (trial, log) = tapped(At::Statement(number), action.clone()).await;
    let client = trial.client().await;
    run(&client, before).await;
    assert_eq!(failure(&client, ALTER).await, "55P03");
    let (began, ended) = trial.trace_soon(ALTER).await;
    assert_eq!(began.lock_timeout_ms, in_force_ms, "ours is not the change's");
    assert_eq!(state(ended.error.as_ref()), "55P03");
    assert_eq!(trial.faults(), event(action, Some(number)));
    log.says_soon(began.session.pid, "canceling statement due to lock timeout").await;
    run(&client, after).await;
    assert_eq!(lock_timeout(&client).await, then);
    trial.direct().await.batch("BEGIN; LOCK TABLE t NOWAIT").await.expect("nobody has it");
    trial.assert_measured();
}

#[tokio::test]
async fn behind_a_savepoint_of_the_statements_own_its_lock_timeout_is_as_it_was() {
    let at = At::Statement(2);
    let (trial, _) = tapped(at, waiting_for_t(LockMode::AccessShareLock)).await;
    let client = trial.client().await;
    run(&client, &["BEGIN", "SET LOCAL lock_timeout = '7s'"]).await;
    assert_eq!(failure(&client, &format!("SAVEPOINT s; {ALTER}")).await, "55P03");
    run(&client, &["ROLLBACK TO s"]).await;
    assert_eq!(lock_timeout(&client).await, "7s");
    trial.assert_measured();
}

#[tokio::test]
async fn a_lock_timeout_of_the_database_is_in_force_again_as_the_databases() {
    let action = waiting_for_t(LockMode::AccessShareLock);
    let (trial, _) = tapped(At::Statement(0), action.clone()).await;
    let set = format!("ALTER DATABASE {} SET lock_timeout = '9s'", trial.address.database());
    trial.direct().await.batch(&set).await.expect("a setting");
    let client = trial.client().await;
    assert_eq!(failure(&client, ALTER).await, "55P03");
    assert_eq!(lock_timeout(&client).await, "9s");
    assert_eq!(value(&client, SOURCE).await, "database");
    assert_eq!(trial.faults(), event(action, Some(0)));
}

/// Each before something that changes `lock_timeout` itself, or with nothing to wait for.
#[rstest]
#[case::outside(&[], "ALTER TABLE u ADD d int", &[], "0")]
#[case::inside(&["BEGIN", "SET LOCAL lock_timeout = '7s'"], "ALTER TABLE u ADD d int", &[], "7s")]
#[case::committed(&["BEGIN", "SET lock_timeout = '7s'"], "ALTER TABLE u ADD d int", &["COMMIT"],
    "7s")]
#[case::a_set(&[], "SET lock_timeout = '3s'", &[], "3s")]
#[case::a_set_behind_another(&[], "SELECT count(*) FROM u; SET lock_timeout = '3s'", &[], "3s")]
#[case::a_function(&[], "SELECT set_config('lock_timeout', '3s', false)", &[], "3s")]
#[case::begun_here(&[], "BEGIN; ALTER TABLE u ADD d int", &["COMMIT"], "0")]
#[case::begun_here_and_rolled_back(&[], "BEGIN; ALTER TABLE u ADD d int", &["ROLLBACK"], "0")]
#[case::set_where_it_begins(&[], "BEGIN; SET LOCAL lock_timeout = '3s'; SELECT 1", &["COMMIT"],
    "0")]
#[case::chained(&["BEGIN", "SET LOCAL lock_timeout = '7s'"], "COMMIT AND CHAIN", &[], "0")]
#[case::to_savepoint(&["BEGIN", "SAVEPOINT s", "SET LOCAL lock_timeout = '7s'"], "ROLLBACK TO s",
    &[], "0")]
#[tokio::test]
async fn a_statement_that_does_not_wait_is_spared_and_keeps_its_settings(
    #[case] before: &[&str],
    #[case] sql: &str,
    #[case] after: &[&str],
    #[case] then: &str,
) {
    let at = At::Statement(before.len() as StatementId);
    let (trial, _) = tapped(at, waiting_for_t(LockMode::AccessShareLock)).await;
    let client = trial.client().await;
    run(&client, before).await;
    run(&client, &[sql]).await;
    let inside = lock_timeout(&client).await;
    assert_ne!(inside, "97ms", "not even until the transaction ends");
    run(&client, after).await;
    assert_eq!(lock_timeout(&client).await, then);
    assert_eq!(trial.faults(), vec![]);
    trial.direct().await.batch("BEGIN; LOCK TABLE t NOWAIT").await.expect("nobody has it");
    trial.assert_measured();
}

#[tokio::test]
async fn a_statement_runs_where_the_lock_that_it_is_to_wait_for_cannot_be_had() {
    let action = waiting_for_t(LockMode::AccessExclusiveLock);
    let told = action.to_string();
    let (trial, _) = tapped(At::Statement(1), action).await;
    let client = trial.client().await;
    // Its own transaction has what is in the way.
    run(&client, &["BEGIN; SELECT FROM t", "SELECT count(*) FROM t"]).await;
    assert_eq!(trial.faults(), vec![]);
    let spared = trial.events().into_iter().find_map(|event| match event {
        Event::FaultSkipped { fault, why, .. } => Some((fault, why)),
        _ => None,
    });
    let (fault, why) = spared.expect("it is said");
    assert_eq!(fault, told);
    assert!(why.starts_with("the lock on t cannot be had") && why.contains("55P03"), "{why}");
    assert_eq!(lock_timeout(&client).await, "0");
    trial.assert_measured();
}

#[rstest]
#[case::at_its_execute(ALTER, LockMode::AccessShareLock)]
#[case::at_its_parse("SELECT count(*) FROM t", LockMode::AccessExclusiveLock)]
#[tokio::test]
async fn a_statement_of_the_extended_protocol_gives_up_waiting(
    #[case] sql: &str,
    #[case] mode: LockMode,
    #[values("at once", "prepared before", "behind a begin", "behind another")] how: &str,
) {
    let number = StatementId::from(how.starts_with("behind"));
    let action = waiting_for_t(mode);
    let (trial, log) = tapped(At::Statement(number), action.clone()).await;
    let mut raw = trial.raw().await;
    let answers = match how {
        "at once" => raw.run(sql).sync().until_ready().await,
        "prepared before" => {
            let prepared = raw.parse("s", sql, &[]).sync().until_ready().await;
            match errors(&prepared).is_empty() {
                true => raw.bind("", "s", &[]).execute("", 0).sync().until_ready().await,
                false => prepared,
            }
        }
        "behind another" => raw.run("SELECT 1").run(sql).sync().until_ready().await,
        _ => raw.run("BEGIN").run(sql).sync().until_ready().await,
    };
    assert_eq!(errors(&answers), ["55P03"]);
    assert!(!tags(&answers).contains('N'), "a warning of ours is not the client's");
    let (began, ended) = trial.trace_soon(sql).await;
    assert_eq!((began.statement, began.lock_timeout_ms), (number, 0));
    assert_eq!(state(ended.error.as_ref()), "55P03");
    assert_eq!(trial.faults(), event(action, Some(number)));
    log.says_soon(began.session.pid, "canceling statement due to lock timeout").await;
    raw.query("ROLLBACK").until_ready().await;
    let shown = raw.query("SHOW lock_timeout").until_ready().await;
    let row = shown.iter().find(|frame| frame.tag() == Some(b'D')).expect("a row");
    assert!(row.body().ends_with(b"\0\x010"), "{:?}", row.body());
    trial.direct().await.batch("BEGIN; LOCK TABLE t NOWAIT").await.expect("nobody has it");
}

#[rstest]
#[case::idle("SELECT 1", TransactionStatus::Idle)]
#[case::in_a_transaction("BEGIN; INSERT INTO t VALUES (1)", TransactionStatus::InTransaction)]
#[tokio::test]
async fn a_backend_that_is_killed_before_a_statement_answers_it_with_57p01(
    #[case] before: &str,
    #[case] transaction: TransactionStatus,
    #[values(false, true)] extended: bool,
) {
    let (trial, log) = tapped(At::Statement(1), Action::KillBackendBefore).await;
    let mut raw = trial.raw().await;
    raw.query(before).until_ready().await;
    let sql = "INSERT INTO t VALUES (2)";
    match extended {
        true => raw.run(sql).sync().send().await,
        false => raw.query(sql).send().await,
    }
    assert_eq!(errors(&raw.until_closed().await), ["57P01"]);
    let closed = trial.closed_soon(1).await;
    assert_eq!((closed[0].by, state(closed[0].error.as_ref())), (ClosedBy::Server, "57P01"));
    let (began, ended) = trial.trace(sql);
    assert_eq!((began.statement, began.transaction), (1, transaction));
    assert_eq!(state(ended.error.as_ref()), "57P01");
    assert_eq!(ended.transaction, TransactionStatus::Gone);
    assert_eq!(trial.faults(), event(Action::KillBackendBefore, Some(1)));
    log.says_soon(raw.pid, TERMINATED).await;
    let lines = log.of(raw.pid);
    assert!(!lines.iter().any(|l| l.contains(sql) && l.contains("LOG:")), "{lines:#?}");
    assert_eq!(trial.text("SELECT count(*) FROM t").await, "0");
    trial.assert_measured();
}

#[rstest]
#[case::by_query(false)]
#[case::by_extended(true)]
#[tokio::test]
async fn a_client_that_is_killed_before_a_statement_says_no_more(#[case] extended: bool) {
    let (trial, log) = tapped(At::Statement(1), Action::KillClient).await;
    let mut raw = trial.raw().await;
    raw.query("BEGIN; INSERT INTO t VALUES (1)").until_ready().await;
    let sql = "INSERT INTO t VALUES (2)";
    match extended {
        true => raw.run(sql).sync().send().await,
        false => raw.query(sql).send().await,
    }
    tokio::time::timeout(tapped::SOON, trial.killed().cancelled()).await.expect("it is asked for");
    assert_eq!(trial.closed(), vec![], "it is still there");
    // What a driver says when its program has an exception.
    raw.query("ROLLBACK").message(b'X', &[]).send().await;
    let pid = raw.pid;
    drop(raw);
    let closed = trial.closed_soon(1).await;
    assert_eq!(closed[0].by, ClosedBy::Fault);
    assert_eq!(closed[0].transaction, TransactionStatus::InTransaction);
    assert_eq!(trial.faults(), event(Action::KillClient, Some(1)));
    let (_, ended) = trial.trace(sql);
    assert_eq!(ended.transaction, TransactionStatus::Gone);
    log.says_soon(pid, "unexpected EOF on client connection with an open transaction").await;
    let lines = log.of(pid);
    let said = |what: &str| lines.iter().any(|line| line.contains(what));
    assert!(!said(": ROLLBACK") && !said(sql), "{lines:#?}");
    assert_eq!(trial.text("SELECT count(*) FROM t").await, "0", "it was rolled back");
}

const SLEEP: &str = "SELECT pg_sleep(60)";

#[rstest]
#[case::cancelled(Action::CancelWorking, "57014", "canceling statement due to user request")]
#[case::killed(Action::KillBackend, "57P01", TERMINATED)]
#[case::cut(Action::CutBefore, "", "statement: SELECT pg_sleep(60)")]
#[case::cut_after_means_the_same(Action::CutAfter, "", "statement: SELECT pg_sleep(60)")]
#[tokio::test]
async fn a_statement_dies_some_time_after_it_was_sent(
    #[case] action: Action,
    #[case] code: &str,
    #[case] said: &str,
) {
    let after = Duration::from_millis(150);
    let (trial, log) = tapped(At::Into(1, after), action.clone()).await;
    let client = trial.client().await;
    run(&client, &["SELECT 1"]).await;
    assert_eq!(failure(&client, SLEEP).await, code);
    let (began, ended) = trial.trace_soon(SLEEP).await;
    let lasted = (ended.ended_us - ended.began_us).duration();
    assert!(after <= lasted && lasted < Duration::from_secs(30), "{lasted:?}");
    let error = ended.error.expect("an error");
    assert_eq!(state(Some(&error)), code);
    assert_eq!(code.is_empty(), error.message.contains("cut on purpose"), "{error}");
    assert_eq!(trial.faults(), event(action, Some(1)));
    log.says_soon(began.session.pid, said).await;
}

#[tokio::test]
async fn a_statement_that_waits_dies_as_well_after_some_time() {
    let at = At::Into(0, Duration::from_millis(100));
    let (trial, log) = tapped(at, Action::CancelWorking).await;
    let holder = trial.direct().await;
    holder.batch("BEGIN; LOCK TABLE t").await.expect("a lock");
    let client = trial.client().await;
    assert_eq!(failure(&client, ALTER).await, "57014");
    let (began, _) = trial.trace_soon(ALTER).await;
    assert_eq!(trial.faults(), event(Action::CancelWorking, Some(0)));
    log.says_soon(began.session.pid, "canceling statement due to user request").await;
}

#[rstest]
#[tokio::test]
async fn a_statement_that_is_over_is_spared_and_so_is_the_next_one(
    #[values(Action::CancelWorking, Action::KillBackend, Action::CutBefore)] action: Action,
) {
    let (trial, _) = tapped(At::Into(0, Duration::from_millis(200)), action).await;
    let client = trial.client().await;
    run(&client, &["SELECT pg_sleep(0.05)", "SELECT pg_sleep(0.5)", "SELECT 1"]).await;
    assert_eq!(trial.faults(), vec![]);
    trial.assert_measured();
}

#[tokio::test]
async fn a_client_is_killed_while_its_statement_runs() {
    let (trial, _) = tapped(At::Into(0, Duration::from_millis(100)), Action::KillClient).await;
    let mut raw = trial.raw().await;
    raw.query("INSERT INTO t SELECT 1 FROM pg_sleep(0.5)").send().await;
    tokio::time::timeout(tapped::SOON, trial.killed().cancelled()).await.expect("it is asked for");
    assert_eq!(trial.faults(), event(Action::KillClient, Some(0)));
    drop(raw);
    // A server notices that nobody is there when it has the answer.
    eventually("the statement is done", async || trial.text("SELECT count(*) FROM t").await == "1")
        .await;
}

/// A cancel that comes before the server has the statement is forgotten there.
#[rstest]
#[case::as_it_is_sent(|number| At::Into(number, Duration::ZERO))]
#[case::as_soon_as_it_works(At::Statement)]
#[tokio::test]
async fn a_cancel_that_the_server_forgets_is_sent_again(#[case] at: fn(StatementId) -> At) {
    const ROUNDS: StatementId = 20;
    let fault = |number| Injection { at: at(number), action: Action::CancelWorking };
    let faults: Vec<Injection> = (0..ROUNDS).map(|round| fault(2 * round)).collect();
    let trial = Tapped::with_faults(SCHEMA, &faults).await;
    let mut raw = trial.raw().await;
    for round in 0..ROUNDS {
        let answers = match round % 2 {
            0 => raw.query("SELECT pg_sleep(1)").until_ready().await,
            _ => raw.run("SELECT pg_sleep(1)").sync().until_ready().await,
        };
        assert_eq!(errors(&answers), ["57014"], "round {round}");
        let answers = raw.run("SELECT 1").sync().until_ready().await;
        assert_eq!(errors(&answers), [""; 0], "round {round}: the next one is not meant");
    }
    assert_eq!(trial.faults().len(), ROUNDS as usize);
    trial.assert_measured();
}

/// Of about a millisecond: how many of them are met depends on what else the machine does.
const SHORT: &str = "SELECT count(*) FROM generate_series(1, 10000)";
/// Of half a second, which no cancel is too late for.
const LONG: &str = "SELECT pg_sleep(0.5)";

#[tokio::test]
async fn a_cancel_is_recorded_of_exactly_those_statements_that_it_met() {
    const ROUNDS: StatementId = 100;
    let fault = |number| Injection { at: At::Statement(number), action: Action::CancelWorking };
    // Every second one: those between must not be met.
    let faults: Vec<Injection> = (0..ROUNDS).map(|round| fault(2 * round)).collect();
    let trial = Tapped::with_faults(SCHEMA, &faults).await;
    let client = trial.client().await;
    for round in 0..ROUNDS {
        // A short one that is meant may end either way.
        let _ = client.simple_query(if round % 10 == 0 { LONG } else { SHORT }).await;
        run(&client, &["SELECT 1"]).await;
    }
    let failed: Vec<_> = trial.traces().into_iter().filter(|(_, e)| e.error.is_some()).collect();
    let failed: Vec<StatementId> = failed.iter().map(|(began, _)| began.statement).collect();
    let met: Vec<_> = trial.faults().into_iter().filter_map(|fault| fault.statement).collect();
    assert_eq!(met, failed);
    assert!(failed.iter().all(|number| number % 2 == 0), "{failed:?}");
    let long = (0..ROUNDS).step_by(10).map(|round| 2 * round);
    assert!(long.into_iter().all(|number| met.contains(&number)), "{met:?}");
}
