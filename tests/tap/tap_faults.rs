//! Accidents on purpose: each is shown to have happened, at the client and in the server.

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use pgauntlet::history::{ClosedBy, Since, StatementId, TransactionStatus};
use pgauntlet::migrate::TapServer;
use pgauntlet::pg::LockMode;
use pgauntlet::tap::{
    Action, At, BoxStream, Hold, Injection, LockSnapshot, ProbedRelations, Upstream, Watch,
};
use rstest::rstest;

use crate::common;
use crate::tapped;
use crate::tapped::log::{Log, event, state};
use crate::tapped::{SOON, Tapped, eventually, failure, run, running, value};

/// Long enough that what the fault is to meet goes on by then.
const LATER: At = At::Time(Duration::from_millis(1_000));

const T: &str = "CREATE TABLE t (id int PRIMARY KEY, c int)";

/// A tap before a server that logs every statement.
async fn tapped(action: Action, at: At) -> (Tapped, Log) {
    let server = common::server_with(&[("log_statement", "all")]).await;
    let address = server.fresh_database().await;
    let log = Log { path: server.log_path };
    (Tapped::before(address, T, &[Injection { at, action }]).await, log)
}

const fn at(statement: StatementId) -> At {
    At::Statement(statement)
}

const WAITS: &str = "SELECT EXISTS (SELECT FROM pg_stat_activity \
                     WHERE wait_event_type = 'Lock' AND datname = current_database())";

#[rstest]
#[case::at_a_statement(at(1))]
#[case::by_the_clock(LATER)]
#[tokio::test]
async fn a_statement_that_waits_for_a_lock_is_cancelled(#[case] when: At) {
    let (trial, log) = tapped(Action::CancelWaiting, when).await;
    let holder = trial.direct().await;
    holder.batch("BEGIN; LOCK TABLE t").await.expect("a lock");
    let client = trial.client().await;
    run(&client, &["SELECT 1"]).await;
    let sql = "ALTER TABLE t ADD d int";
    assert_eq!(failure(&client, sql).await, "57014");
    let (began, ended) = trial.trace_soon(sql).await;
    let error = ended.error.expect("an error");
    assert_eq!(error.message, "canceling statement due to user request");
    assert_eq!(trial.faults(), event(Action::CancelWaiting, Some(1)));
    assert_eq!(began.statement, 1);
    log.says_soon(began.session.pid, "canceling statement due to user request").await;
    holder.batch("ROLLBACK").await.expect("no lock");
    run(&client, &[sql]).await;
    trial.assert_measured();
}

#[rstest]
#[case::cancel_waiting(Action::CancelWaiting, "SELECT pg_sleep(0.2)")]
#[case::cancel_working(Action::CancelWorking, "LOCK TABLE t")]
#[tokio::test]
async fn a_statement_that_is_never_in_the_state_of_the_fault_is_spared(
    #[case] action: Action,
    #[case] sql: &str,
) {
    let (trial, _) = tapped(action.clone(), at(1)).await;
    let client = trial.client().await;
    run(&client, &["BEGIN"]).await;
    if action == Action::CancelWaiting {
        run(&client, &[sql]).await;
        assert_eq!(trial.faults(), vec![]);
    } else {
        // It waits from its first moment that can be seen.
        let holder = trial.direct().await;
        holder.batch("BEGIN; LOCK TABLE t").await.expect("a lock");
        let mut ran = pin!(client.simple_query(sql));
        // It may be cancelled on its way there, before it is seen to wait.
        let early = tokio::select! {
            ran = &mut ran => Some(ran),
            () = trial.true_soon(WAITS) => None,
        };
        holder.batch("ROLLBACK").await.expect("no lock");
        let ran = match early {
            Some(ran) => ran,
            None => ran.await,
        };
        // Or it was seen on its way there, or back.
        assert_eq!(ran.is_err(), trial.faults().len() == 1);
    }
}

#[rstest]
#[case::sleep(at(1), "SELECT pg_sleep(60)")]
#[case::update(at(1), "UPDATE t SET c = c + 1")]
#[case::by_the_clock(LATER, "SELECT pg_sleep(60)")]
#[tokio::test]
async fn a_statement_that_works_is_cancelled(#[case] when: At, #[case] sql: &str) {
    let server = common::server_with(&[("log_statement", "all")]).await;
    let fill = "CREATE TABLE t (id int, c int); \
                INSERT INTO t SELECT i, 0 FROM generate_series(1, 300000) i";
    let fault = Injection { at: when, action: Action::CancelWorking };
    let trial = Tapped::before(server.fresh_database().await, fill, &[fault]).await;
    let log = Log { path: server.log_path };
    let client = trial.client().await;
    run(&client, &["BEGIN"]).await;
    assert_eq!(failure(&client, sql).await, "57014");
    let (began, ended) = trial.trace_soon(sql).await;
    assert_eq!(state(ended.error.as_ref()), "57014");
    assert_eq!(ended.transaction, TransactionStatus::Failed);
    assert_eq!(trial.faults(), event(Action::CancelWorking, Some(1)));
    log.says_soon(began.session.pid, "canceling statement due to user request").await;
    run(&client, &["ROLLBACK"]).await;
    assert_eq!(trial.text("SELECT coalesce(sum(c), 0) FROM t").await, "0");
}

/// Strikes a while later.
struct Late(TapServer);

struct LateWatch(Arc<dyn Watch>);

impl Upstream for Late {
    fn dial(&self) -> BoxFuture<'_, std::io::Result<BoxStream>> {
        self.0.dial()
    }

    fn watch(&self) -> BoxFuture<'_, Result<Arc<dyn Watch>, String>> {
        async { Ok(Arc::new(LateWatch(self.0.watch().await?)) as Arc<dyn Watch>) }.boxed()
    }
}

impl Watch for LateWatch {
    fn probe(
        &self,
        pid: i32,
        relations: &ProbedRelations,
    ) -> BoxFuture<'_, Result<LockSnapshot, String>> {
        self.0.probe(pid, relations)
    }

    fn since(&self, pid: i32) -> BoxFuture<'_, Result<Option<Since>, String>> {
        self.0.since(pid)
    }

    fn inject(&self, pid: i32, action: &Action) -> BoxFuture<'_, Result<bool, String>> {
        let action = action.clone();
        async move {
            tokio::time::sleep(Duration::from_millis(300)).await;
            self.0.inject(pid, &action).await
        }
        .boxed()
    }

    fn cancel(&self, pid: i32) -> BoxFuture<'_, Result<(), String>> {
        self.0.cancel(pid)
    }

    fn terminate(&self, pid: i32) -> BoxFuture<'_, Result<(), String>> {
        self.0.terminate(pid)
    }

    fn block<'a>(
        &'a self,
        relation: &'a str,
        mode: LockMode,
    ) -> BoxFuture<'a, Result<Box<dyn Hold>, String>> {
        self.0.block(relation, mode)
    }
}

#[tokio::test]
async fn a_cancel_that_comes_too_late_does_not_hit_the_next_statement() {
    let fault = Injection { at: at(0), action: Action::CancelWorking };
    let database = common::fresh_database().await;
    let trial = Tapped::before_as(database, T, &[fault], |server| Arc::new(Late(server))).await;
    let client = trial.client().await;
    // The first is over when it is struck at, and so it is spared.
    run(&client, &["SELECT pg_sleep(0.2)", "SELECT pg_sleep(0.6)"]).await;
    assert_eq!(trial.faults(), vec![]);
    trial.assert_measured();
}

#[rstest]
#[case::at_a_statement(at(2))]
#[case::by_the_clock(LATER)]
#[tokio::test]
async fn a_backend_is_killed_while_its_statement_runs(#[case] when: At) {
    let (trial, log) = tapped(Action::KillBackend, when).await;
    let client = trial.client().await;
    run(&client, &["BEGIN", "INSERT INTO t VALUES (1)"]).await;
    let sql = "SELECT pg_sleep(60)";
    assert_eq!(failure(&client, sql).await, "57P01");
    let closed = trial.closed_soon(1).await;
    let (began, ended) = trial.trace(sql);
    assert_eq!(state(ended.error.as_ref()), "57P01");
    assert_eq!(ended.transaction, TransactionStatus::Gone);
    assert_eq!((closed[0].by, state(closed[0].error.as_ref())), (ClosedBy::Server, "57P01"));
    assert_eq!(trial.faults(), event(Action::KillBackend, Some(2)));
    log.says_soon(began.session.pid, "terminating connection due to administrator command").await;
    assert_eq!(trial.text("SELECT count(*) FROM t").await, "0", "it was rolled back");
    run(&trial.client().await, &["SELECT 1"]).await;
}

#[tokio::test]
async fn an_idle_backend_is_killed_by_the_clock() {
    let when = LATER;
    let (trial, _) = tapped(Action::KillBackend, when).await;
    let client = trial.client().await;
    run(&client, &["BEGIN", "INSERT INTO t VALUES (1)"]).await;
    let closed = trial.closed_soon(1).await;
    assert_eq!((closed[0].by, state(closed[0].error.as_ref())), (ClosedBy::Server, "57P01"));
    assert_eq!(closed[0].transaction, TransactionStatus::InTransaction);
    assert_eq!(trial.faults(), event(Action::KillBackend, None));
    eventually("the client is told", async || client.is_closed()).await;
}

#[tokio::test]
async fn a_statement_that_is_cut_before_never_reaches_the_server() {
    let (trial, log) = tapped(Action::CutBefore, at(2)).await;
    let client = trial.client().await;
    let (seen, cut) = ("INSERT INTO t VALUES (1)", "INSERT INTO t VALUES (2)");
    run(&client, &["BEGIN", seen]).await;
    assert_eq!(failure(&client, cut).await, "", "no server said anything");
    let closed = trial.closed_soon(1).await;
    assert_eq!((closed[0].by, closed[0].transaction), {
        (ClosedBy::Fault, TransactionStatus::InTransaction)
    });
    let (began, ended) = trial.trace(cut);
    let error = ended.error.expect("an error");
    assert_eq!((error.sqlstate, ended.transaction), (None, TransactionStatus::Gone));
    assert!(error.message.contains("cut before the statement"), "{}", error.message);
    assert_eq!(trial.faults(), event(Action::CutBefore, Some(2)));
    // The server has noticed, and by then it has logged all that it was sent.
    let pid = began.session.pid;
    log.says_soon(pid, "unexpected EOF on client connection with an open transaction").await;
    let lines = log.of(pid);
    assert!(lines.iter().any(|line| line.contains(seen)), "{lines:#?}");
    assert!(!lines.iter().any(|line| line.contains(cut)), "{lines:#?}");
    assert_eq!(trial.text("SELECT count(*) FROM t").await, "0", "it was rolled back");
}

#[tokio::test]
async fn a_statement_that_is_cut_after_is_done_and_its_client_is_not_told() {
    let (trial, log) = tapped(Action::CutAfter, at(1)).await;
    let mut raw = trial.raw().await;
    raw.query("SELECT 1").until_ready().await;
    let sql = "INSERT INTO t VALUES (1); INSERT INTO t VALUES (2)";
    raw.query(sql).send().await;
    assert_eq!(raw.until_closed().await, vec![], "not a byte of the answer");
    let closed = trial.closed_soon(1).await;
    assert_eq!(closed[0].by, ClosedBy::Fault);
    let (_, ended) = trial.trace(sql);
    assert_eq!((ended.error, ended.tags), (None, vec!["INSERT 0 1".to_owned(); 2]));
    assert_eq!(trial.faults(), event(Action::CutAfter, Some(1)));
    assert_eq!(trial.text("SELECT count(*) FROM t").await, "2", "it was committed");
    log.says_soon(raw.pid, sql).await;
}

#[rstest]
#[case::running(Some("SELECT pg_sleep(60)"), Action::CutBefore, Some(1))]
#[case::idle(None, Action::CutAfter, None)]
#[tokio::test]
async fn a_connection_is_cut_by_the_clock_whatever_it_does(
    #[case] sql: Option<&str>,
    #[case] action: Action,
    #[case] statement: Option<StatementId>,
) {
    let (trial, _) = tapped(action.clone(), LATER).await;
    let client = trial.client().await;
    run(&client, &["BEGIN"]).await;
    if let Some(sql) = sql {
        assert_eq!(failure(&client, sql).await, "");
    }
    let closed = trial.closed_soon(1).await;
    assert_eq!(closed[0].by, ClosedBy::Fault);
    assert_eq!(trial.faults(), event(action, statement));
    eventually("the client notices", async || client.is_closed()).await;
}

#[rstest]
#[case::at_a_statement(at(1), "INSERT INTO t VALUES (1)")]
#[case::by_the_clock(LATER, "SELECT pg_sleep(1.5)")]
#[tokio::test]
async fn an_answer_is_delayed_and_the_statement_is_not(#[case] when: At, #[case] sql: &str) {
    let by = Duration::from_millis(500);
    let (trial, _) = tapped(Action::DelayAnswer(by), when).await;
    let client = trial.client().await;
    run(&client, &["SELECT 1"]).await;
    let sent = Instant::now();
    run(&client, &[sql]).await;
    let took = sent.elapsed();
    assert!(took >= by, "the answer came after {took:?}");
    let (began, ended) = trial.trace(sql);
    let lasted = (ended.ended_us - ended.began_us).duration();
    assert!(lasted + by <= took + Duration::from_millis(5), "{lasted:?} of {took:?}");
    assert_eq!((began.statement, ended.error), (1, None));
    assert_eq!(trial.faults(), event(Action::DelayAnswer(by), Some(1)));
    let sent = Instant::now();
    run(&client, &["SELECT 2"]).await;
    assert!(sent.elapsed() < by, "only that one is late");
}

#[rstest]
#[case::at_a_statement(at(1), Some(1))]
#[case::by_the_clock(At::Time(Duration::ZERO), None)]
#[tokio::test]
async fn new_connections_are_refused_for_a_while_and_the_open_one_goes_on(
    #[case] when: At,
    #[case] statement: Option<StatementId>,
) {
    let time = Duration::from_millis(1_500);
    let (trial, _) = tapped(Action::Refuse(time), when).await;
    let client = match statement {
        Some(_) => {
            let client = trial.client().await;
            run(&client, &["SELECT 1", "SELECT 2"]).await;
            Some(client)
        }
        None => None,
    };
    let refused = async || {
        let refused = trial.try_client(&[]).await.err();
        refused.map(|error| tapped::code(&error)).as_deref() == Some("57P03")
    };
    eventually("connections are refused", refused).await;
    if let Some(client) = &client {
        assert_eq!(value(client, "SELECT 3").await, "3");
    }
    assert_eq!(trial.faults(), event(Action::Refuse(time), statement));
    eventually("they are let in again", async || trial.try_client(&[]).await.is_ok()).await;
}

#[tokio::test]
async fn a_fault_meets_the_statement_of_its_number_whichever_connection_sends_it() {
    let (trial, _) = tapped(Action::CutBefore, at(2)).await;
    let (first, second) = (trial.client().await, trial.client().await);
    run(&first, &["SELECT 1"]).await;
    run(&second, &["SELECT 2"]).await;
    assert_eq!(failure(&first, "SELECT 3").await, "");
    run(&second, &["SELECT 4"]).await;
    assert_eq!(trial.closed_soon(1).await[0].connection, 0);
}

async fn alive(trial: &Tapped) -> String {
    let alive = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                 AND application_name IN ('test change', 'raw', 'pgauntlet observe')";
    trial.text(alive).await
}

#[tokio::test]
async fn a_stop_ends_the_backend_of_a_statement_that_runs_and_records_its_end() {
    let (mut trial, log) = tapped(Action::CutBefore, at(99)).await;
    let client = trial.client().await;
    run(&client, &["BEGIN", "INSERT INTO t VALUES (1)"]).await;
    let sql = "SELECT pg_sleep(600)";
    let runs = running(sql);
    let running = client.simple_query(sql);
    let stopped = async {
        trial.true_soon(&runs).await;
        let begun = Instant::now();
        trial.stop(Duration::from_millis(100)).await;
        begun.elapsed()
    };
    let (failed, took) = tokio::join!(running, stopped);
    assert_eq!(tapped::code(&failed.expect_err("it was ended")), "57P01");
    assert!(took < Duration::from_secs(5), "{took:?}");
    // All is recorded when the stop returns.
    let (began, ended) = trial.trace(sql);
    let error = ended.error.expect("it was ended");
    assert!(error.message.contains("ended by pgauntlet"), "{error}");
    assert_eq!(trial.closed()[0].by, ClosedBy::Server);
    log.says_soon(began.session.pid, "terminating connection due to administrator command").await;
    eventually("no backend is left", async || alive(&trial).await == "0").await;
}

#[tokio::test]
async fn a_stop_lets_what_runs_come_to_its_end() {
    let (mut trial, _) = tapped(Action::CutBefore, at(99)).await;
    let client = trial.client().await;
    let sql = "SELECT pg_sleep(0.3)";
    let runs = running(sql);
    let work = async move {
        client.simple_query(sql).await.expect("its answer");
    };
    let stopped = async {
        trial.true_soon(&runs).await;
        trial.stop(SOON).await;
    };
    tokio::join!(work, stopped);
    assert_eq!(trial.trace(sql).1.error, None);
    assert_eq!(trial.closed()[0].by, ClosedBy::Client);
}

#[rstest]
#[case::idle("SELECT 1")]
#[case::in_a_transaction("BEGIN; LOCK TABLE t")]
#[case::running("SELECT pg_sleep(600)")]
#[tokio::test]
async fn a_tap_that_is_dropped_leaves_no_backend(#[case] sql: &str) {
    let (mut trial, _) = tapped(Action::CutBefore, at(99)).await;
    let mut raw = trial.raw().await;
    raw.query(sql).send().await;
    let state = if sql.contains("sleep") { "active" } else { "idle%" };
    let there = format!(
        "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = {} AND query = '{sql}' \
         AND state LIKE '{state}')",
        raw.pid
    );
    trial.true_soon(&there).await;
    trial.drop_tap();
    eventually("no backend is left", async || alive(&trial).await == "0").await;
    raw.until_closed().await;
}
