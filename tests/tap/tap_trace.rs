//! What the tap records of connections and statements, on a real server.

use bytes::Bytes;
use futures_util::SinkExt;
use pgauntlet::history::{ClosedBy, Protocol, TransactionStatus};
use rstest::rstest;
use tokio_postgres::NoTls;
use tokio_postgres::types::Type;

use crate::tapped::raw::{errors, tags};
use crate::tapped::{Tapped, code, failure, letters, run, running, texts, value};

const T: &str = "CREATE TABLE t (id int PRIMARY KEY, c int); CREATE TABLE u (id int)";

use TransactionStatus::{Failed, Gone, Idle, InTransaction};

/// A statement that takes this long or longer is probed again when it is repeated.
const SLOW_US: u64 = 5_000;

#[tokio::test]
async fn connections_are_numbered_and_named_and_statements_say_on_which_they_went() {
    let trial = Tapped::with(T).await;
    let (first, second) = (trial.client().await, trial.client().await);
    run(&second, &["SELECT 2"]).await;
    run(&first, &["SELECT 1"]).await;
    let opened = trial.opened();
    let names: Vec<_> = opened.iter().map(|o| (o.connection, &*o.application_name)).collect();
    assert_eq!(names, [(0, "test change"), (1, "test change")]);
    for (client, connection, sql) in [(&first, 0, "SELECT 1"), (&second, 1, "SELECT 2")] {
        let pid = value(client, "SELECT pg_backend_pid()").await;
        let (began, _) = trial.trace(sql);
        assert_eq!((began.connection, began.session.pid.to_string()), (connection, pid.clone()));
        assert_eq!(opened[connection as usize].session.pid.to_string(), pid);
    }
    drop(second);
    let closed = trial.closed_soon(1).await;
    assert_eq!((closed[0].connection, closed[0].by), (1, ClosedBy::Client));
    assert_eq!((&closed[0].error, closed[0].transaction), (&None, Idle));
    assert_eq!(closed[0].session, opened[1].session);
    assert!(closed[0].session.since.is_some());
}

#[tokio::test]
async fn a_client_that_goes_in_a_transaction_is_told_from_one_that_says_goodbye() {
    let trial = Tapped::with(T).await;
    let mut raw = trial.raw().await;
    raw.query("BEGIN; INSERT INTO u VALUES (1)").until_ready().await;
    let pid = raw.pid;
    drop(raw);
    let closed = trial.closed_soon(1).await;
    assert_eq!((closed[0].by, closed[0].transaction), (ClosedBy::ClientGone, InTransaction));
    assert_eq!((closed[0].session.pid, &closed[0].error), (pid, &None));
    let gone = format!("SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = {pid})");
    trial.true_soon(&gone).await;
    assert_eq!(trial.text("SELECT count(*) FROM u").await, "0", "it is rolled back");
}

#[tokio::test]
async fn a_backend_that_is_ended_between_statements_says_why() {
    let trial = Tapped::with(T).await;
    let client = trial.client().await;
    let pid = value(&client, "SELECT pg_backend_pid()").await;
    let ended = trial.text(&format!("SELECT pg_terminate_backend({pid})")).await;
    assert_eq!(ended, "true");
    let closed = trial.closed_soon(1).await;
    let error = closed[0].error.clone().and_then(|error| error.sqlstate);
    assert_eq!(error.as_ref().map(|state| state.code()), Some("57P01"));
    assert_eq!((closed[0].by, closed[0].transaction), (ClosedBy::Server, Idle));
}

#[tokio::test]
async fn a_backend_that_is_ended_in_a_statement_tells_it_to_the_statement() {
    let trial = Tapped::with(T).await;
    let client = trial.client().await;
    run(&client, &["BEGIN"]).await;
    let sleep = "SELECT pg_terminate_backend(pg_backend_pid()), pg_sleep(60)";
    assert_eq!(failure(&client, sleep).await, "57P01");
    trial.closed_soon(1).await;
    let (_, ended) = trial.trace(sleep);
    let error = ended.error.and_then(|error| error.sqlstate);
    assert_eq!(error.as_ref().map(|state| state.code()), Some("57P01"));
    assert_eq!(ended.transaction, Gone);
}

#[tokio::test]
async fn an_idle_transaction_that_is_ended_by_its_timeout_says_so() {
    let trial = Tapped::with(T).await;
    let client = trial.client().await;
    let timeout = "SET idle_in_transaction_session_timeout = '100ms'";
    run(&client, &[timeout, "BEGIN", "INSERT INTO u VALUES (1)"]).await;
    let closed = trial.closed_soon(1).await;
    let error = closed[0].error.clone().and_then(|error| error.sqlstate);
    assert_eq!(error.as_ref().map(|state| state.code()), Some("25P03"));
    assert_eq!((closed[0].by, closed[0].transaction), (ClosedBy::Server, InTransaction));
    assert_eq!(trial.text("SELECT count(*) FROM u").await, "0");
}

#[tokio::test]
async fn tags_rows_and_the_transaction_before_and_after_are_the_servers() {
    let trial = Tapped::with(T).await;
    let client = trial.client().await;
    let steps = [
        ("INSERT INTO u SELECT generate_series(1, 5)", "INSERT 0 5", Some(5), Idle, Idle),
        ("BEGIN", "BEGIN", None, Idle, InTransaction),
        ("UPDATE u SET id = 7 WHERE id > 3", "UPDATE 2", Some(2), InTransaction, InTransaction),
        ("SELECT * FROM u", "SELECT 5", Some(5), InTransaction, InTransaction),
        ("ALTER TABLE u ADD d int", "ALTER TABLE", None, InTransaction, InTransaction),
        ("DELETE FROM u WHERE id = 9", "DELETE 0", Some(0), InTransaction, InTransaction),
        ("COMMIT", "COMMIT", None, InTransaction, Idle),
        ("/* nothing */", "", None, Idle, Idle),
    ];
    for (sql, ..) in steps {
        run(&client, &[sql]).await;
    }
    for (sql, tag, rows, before, after) in steps {
        let (began, ended) = trial.trace(sql);
        assert_eq!(ended.tags, [tag], "{sql}");
        assert_eq!((ended.rows, ended.error), (rows, None), "{sql}");
        assert_eq!((began.transaction, ended.transaction), (before, after), "{sql}");
        assert_eq!((began.protocol, began.statements), (Protocol::Simple, 1), "{sql}");
        assert!(ended.began_us <= ended.ended_us, "{sql}");
    }
    let ids: Vec<u32> = trial.traces().iter().map(|(began, _)| began.statement).collect();
    assert_eq!(ids, (0..8).collect::<Vec<u32>>());
    trial.assert_measured();
}

#[tokio::test]
async fn errors_are_told_with_their_sqlstate_and_the_failed_transaction() {
    let trial = Tapped::with(T).await;
    let client = trial.client().await;
    run(&client, &["BEGIN"]).await;
    for (sql, state, before, after) in
        [("SELECT 1/0", "22012", InTransaction, Failed), ("SELECT 1", "25P02", Failed, Failed)]
    {
        assert_eq!(failure(&client, sql).await, state);
        let (began, ended) = trial.trace_soon(sql).await;
        let error = ended.error.expect("an error").sqlstate.expect("a state");
        assert_eq!(error.code(), state);
        assert_eq!((began.transaction, ended.transaction), (before, after));
        assert_eq!((ended.tags, ended.held), (Vec::<String>::new(), vec![]));
    }
    run(&client, &["ROLLBACK"]).await;
    let (began, ended) = trial.trace("ROLLBACK");
    assert_eq!((began.transaction, ended.transaction), (Failed, Idle));
    let text = "INSERT INTO t VALUES (1), (1)";
    failure(&client, text).await;
    let error = trial.trace_soon(text).await.1.error.expect("an error");
    assert_eq!(error.detail.as_deref(), Some("Key (id)=(1) already exists."));
}

#[tokio::test]
async fn notices_are_those_of_their_statement() {
    let trial = Tapped::with(T).await;
    let client = trial.client().await;
    let raise = "DO $$ BEGIN RAISE WARNING 'one'; RAISE NOTICE 'two'; END $$";
    run(&client, &[raise, "SELECT 1", "CREATE TABLE IF NOT EXISTS t (id int)"]).await;
    assert_eq!(trial.trace(raise).1.notices, ["WARNING: one", "NOTICE: two"]);
    assert_eq!(trial.trace("SELECT 1").1.notices, Vec::<String>::new());
    let skipped = trial.trace("CREATE TABLE IF NOT EXISTS t (id int)").1.notices;
    assert_eq!(skipped, [r#"NOTICE: relation "t" already exists, skipping"#]);
}

#[tokio::test]
async fn a_prepared_statement_is_recorded_when_it_is_run_each_time_with_its_types() {
    let trial = Tapped::with(T).await;
    let client = trial.client().await;
    let sql = "INSERT INTO t VALUES ($1, $2)";
    let types = [Type::INT4, Type::INT4];
    let statement = client.prepare_typed(sql, &types).await.expect("a statement");
    client.prepare("SELECT c FROM t").await.expect("another");
    assert_eq!(texts(&trial.traces()), Vec::<&str>::new(), "nothing has been run");
    for id in 0..3 {
        client.execute(&statement, &[&id, &id]).await.expect("a row");
    }
    let traces = trial.traces();
    assert_eq!(texts(&traces), [sql; 3]);
    for (began, ended) in traces {
        assert_eq!((began.protocol, began.parameter_types), (Protocol::Extended, vec![23, 23]));
        assert_eq!((ended.tags, ended.rows), (vec!["INSERT 0 1".to_owned()], Some(1)));
        assert_eq!(ended.transaction, Idle);
    }
}

#[tokio::test]
async fn what_fails_before_it_can_run_is_recorded_all_the_same() {
    let trial = Tapped::with(T).await;
    let client = trial.client().await;
    let sql = "SELECT nothing FROM t";
    let error = client.prepare(sql).await.expect_err("no such column");
    assert_eq!(code(&error), "42703");
    let (began, ended) = trial.trace_soon(sql).await;
    assert_eq!(began.protocol, Protocol::Extended);
    let error = ended.error.expect("an error").sqlstate.expect("a state");
    assert_eq!((error.code(), ended.transaction), ("42703", Idle));
    // At Bind: a parameter that is no number.
    let mut raw = trial.raw().await;
    let sql = "SELECT c FROM t WHERE id = $1";
    raw.parse("", sql, &[23]).bind("", "", &["x"]).execute("", 0).sync();
    assert_eq!(errors(&raw.until_ready().await), ["22P02"]);
    let (_, ended) = trial.trace(sql);
    let error = ended.error.expect("an error").sqlstate.expect("a state");
    assert_eq!((error.code(), ended.tags), ("22P02", Vec::new()));
    assert_eq!(trial.traces().len(), 2);
}

#[tokio::test]
async fn several_statements_in_a_message_are_one_record_with_all_tags() {
    let trial = Tapped::with(T).await;
    let client = trial.client().await;
    let sql = "BEGIN; INSERT INTO u VALUES (1), (2); ALTER TABLE t ADD d int; SELECT ';'";
    run(&client, &[sql]).await;
    let (began, ended) = trial.trace(sql);
    assert_eq!((began.statements, trial.traces().len()), (4, 1));
    assert_eq!(ended.tags, ["BEGIN", "INSERT 0 2", "ALTER TABLE", "SELECT 1"]);
    assert_eq!((ended.rows, ended.transaction), (Some(1), InTransaction));
    assert_eq!(letters(&ended.held), "t AX, u RX");
    let sql = "SELECT 1; SELECT 1/0; SELECT 3";
    assert_eq!(failure(&client, sql).await, "22012");
    let (_, ended) = trial.trace_soon(sql).await;
    assert_eq!((ended.tags, ended.transaction), (vec!["SELECT 1".to_owned()], Failed));
}

#[tokio::test]
async fn each_execute_of_a_pipeline_is_a_record_with_the_locks_in_between() {
    let trial = Tapped::with(T).await;
    let mut raw = trial.raw().await;
    let (first, second) = ("ALTER TABLE t ADD d int", "ALTER TABLE u ADD d int");
    raw.run("BEGIN").run(first).run(second).sync();
    assert_eq!(tags(&raw.until_ready().await), "12C12C12CZ");
    let held = |sql| {
        let (_, ended) = trial.trace(sql);
        assert_eq!(ended.transaction, InTransaction);
        (letters(&ended.held), letters(&ended.taken))
    };
    assert_eq!(held(first), ("t AX".to_owned(), "t AX".to_owned()));
    assert_eq!(held(second), ("t AX, u AX".to_owned(), "u AX".to_owned()));
    raw.run("ROLLBACK").sync().until_ready().await;
    // Without BEGIN, the pipeline itself is the transaction, which its Sync commits.
    raw.run(first).run(second).sync();
    assert_eq!(tags(&raw.until_ready().await), "12C12CZ");
    assert_eq!(held(first), ("t AX".to_owned(), "t AX".to_owned()));
    let (_, ended) = trial.trace(second);
    assert_eq!((ended.transaction, ended.held), (Idle, vec![]));
    trial.assert_measured();
}

#[tokio::test]
async fn after_an_error_in_a_pipeline_nothing_is_recorded_of_what_the_server_skips() {
    let trial = Tapped::with(T).await;
    let mut raw = trial.raw().await;
    raw.run("SELECT 1").run("SELECT 1/0").run("SELECT 3").sync().run("SELECT 4").sync();
    let mut answers = raw.until_ready().await;
    answers.extend(raw.until_ready().await);
    assert_eq!(tags(&answers), "12DC1EZ12DCZ");
    assert_eq!(texts(&trial.traces()), ["SELECT 1", "SELECT 1/0", "SELECT 4"]);
    let told: Vec<_> = trial.traces().into_iter().map(|(_, ended)| ended.error).collect();
    let states = told.iter().flatten().filter_map(|error| error.sqlstate.as_ref());
    assert_eq!(states.map(|state| state.code()).collect::<Vec<_>>(), ["22012"]);
}

#[tokio::test]
async fn a_portal_that_is_read_in_parts_and_a_function_call_are_recorded_as_they_went() {
    let trial = Tapped::with(T).await;
    let mut raw = trial.raw().await;
    let sql = "SELECT generate_series(1, 3)";
    raw.parse("", sql, &[]).bind("p", "", &[]).execute("p", 2).execute("p", 2).sync();
    assert_eq!(tags(&raw.until_ready().await), "12DDsDCZ");
    let traces = trial.traces();
    assert_eq!(texts(&traces), [sql, sql]);
    assert_eq!(traces[0].1.tags, ["suspended"]);
    assert_eq!(traces[1].1.tags, ["SELECT 1"]);
    // pg_backend_pid, by its oid, without arguments.
    raw.message(b'F', &[0, 0, 7, 0xea, 0, 0, 0, 0, 0, 0]);
    assert_eq!(tags(&raw.until_ready().await), "VZ");
    let (began, ended) = trial.trace("function call of oid 2026");
    assert_eq!((began.protocol, ended.error), (Protocol::FunctionCall, None));
}

#[tokio::test]
async fn copied_rows_are_counted() {
    let trial = Tapped::with(T).await;
    let client = trial.client().await;
    let sql = "COPY u FROM STDIN";
    let sink = client.copy_in::<_, Bytes>(sql).await.expect("a sink");
    let mut sink = std::pin::pin!(sink);
    for row in ["1\n", "2\n", "3\n"] {
        sink.send(Bytes::from(row)).await.expect("a row");
    }
    assert_eq!(sink.finish().await.expect("the end"), 3);
    let (_, ended) = trial.trace(sql);
    assert_eq!((ended.rows, ended.transaction), (Some(3), Idle));
    assert!(ended.wal_bytes.is_some_and(|bytes| bytes > 0), "{:?}", ended.wal_bytes);
}

#[tokio::test]
async fn taken_is_what_a_statement_adds_to_what_its_transaction_holds() {
    let trial = Tapped::with(T).await;
    let client = trial.client().await;
    let steps = [
        ("BEGIN", "", ""),
        ("INSERT INTO u VALUES (1)", "u RX", "u RX"),
        ("ALTER TABLE t ADD d int", "t AX, u RX", "t AX"),
        ("SET LOCAL work_mem = '8MB'", "t AX, u RX", ""),
        ("INSERT INTO u VALUES (2)", "t AX, u RX", ""),
        ("SAVEPOINT s", "t AX, u RX", ""),
        ("LOCK TABLE u IN SHARE MODE", "t AX, u RX, u S", "u S"),
        ("ROLLBACK TO s", "t AX, u RX", ""),
        ("LOCK TABLE u", "t AX, u AX, u RX", "u AX"),
        ("SELECT 1", "t AX, u AX, u RX", ""),
        ("COMMIT AND CHAIN", "", ""),
        ("ALTER TABLE t ADD e int", "t AX", "t AX"),
        ("ROLLBACK AND CHAIN", "", ""),
        ("INSERT INTO u VALUES (3)", "u RX", "u RX"),
        ("COMMIT", "", ""),
    ];
    for (sql, ..) in steps {
        run(&client, &[sql]).await;
    }
    let found: Vec<_> = trial
        .traces()
        .into_iter()
        .map(|(began, ended)| (began.text, letters(&ended.held), letters(&ended.taken)))
        .collect();
    let wanted =
        steps.map(|(sql, held, taken)| (sql.to_owned(), held.to_owned(), taken.to_owned()));
    assert_eq!(found, wanted);
}

#[tokio::test]
async fn a_failed_transaction_holds_what_it_took_before_its_savepoint() {
    let trial = Tapped::with(T).await;
    let client = trial.client().await;
    run(&client, &["BEGIN", "LOCK TABLE t", "SAVEPOINT s", "LOCK TABLE u"]).await;
    failure(&client, "SELECT 1/0").await;
    run(&client, &["ROLLBACK TO s"]).await;
    for sql in ["SELECT 1/0", "ROLLBACK TO s"] {
        let (_, ended) = trial.trace(sql);
        assert_eq!((letters(&ended.held), ended.taken), ("t AX".to_owned(), vec![]), "{sql}");
    }
    let (began, ended) = trial.trace("ROLLBACK TO s");
    assert_eq!((began.transaction, ended.transaction), (Failed, InTransaction));
    failure(&client, "SELECT 1/0").await;
    run(&client, &["ROLLBACK", "BEGIN"]).await;
    failure(&client, "SELECT 2/0").await;
    let (_, ended) = trial.trace_soon("SELECT 2/0").await;
    assert_eq!((ended.held, ended.transaction), (vec![], Failed));
}

#[tokio::test]
async fn a_rollback_to_a_savepoint_rewrites_nothing_and_what_comes_after_it_may() {
    let trial = Tapped::with(T).await;
    let client = trial.client().await;
    let (first, second) = ("TRUNCATE t", "TRUNCATE t /* again */");
    let other = "ALTER TABLE t ADD d int";
    run(&client, &["BEGIN", "LOCK TABLE t", "SAVEPOINT s", first, "ROLLBACK TO s"]).await;
    run(&client, &[other, second]).await;
    let rewritten = |sql| trial.trace(sql).1.rewritten;
    assert_eq!(rewritten(first), ["t", "t_pkey"]);
    assert_eq!(rewritten("ROLLBACK TO s"), Vec::<String>::new());
    assert_eq!(rewritten(other), Vec::<String>::new());
    assert_eq!(rewritten(second), ["t", "t_pkey"]);
}

#[tokio::test]
async fn a_rollback_to_a_savepoint_in_a_pipeline_stays_in_its_transaction() {
    let trial = Tapped::with(T).await;
    let mut raw = trial.raw().await;
    raw.run("BEGIN").run("LOCK TABLE t").run("SAVEPOINT s").run("LOCK TABLE u");
    raw.run("ROLLBACK TO s").run("SELECT 1").run("ROLLBACK").run("SELECT 2").sync();
    raw.until_ready().await;
    for (sql, held, after) in [
        ("LOCK TABLE u", "t AX, u AX", InTransaction),
        ("ROLLBACK TO s", "t AX", InTransaction),
        ("SELECT 1", "t AX", InTransaction),
        ("ROLLBACK", "", Idle),
        ("SELECT 2", "", Idle),
    ] {
        let (_, ended) = trial.trace(sql);
        assert_eq!((&*letters(&ended.held), ended.transaction), (held, after), "{sql}");
    }
}

#[tokio::test]
async fn a_shape_that_was_looked_at_is_not_looked_at_again_in_its_transaction() {
    let trial = Tapped::with(T).await;
    let client = trial.client().await;
    run(&client, &["BEGIN"]).await;
    for id in 0..4 {
        run(&client, &[&format!("INSERT INTO t VALUES ({id}, 0)")]).await;
    }
    run(&client, &["COMMIT", "BEGIN", "INSERT INTO t VALUES (10, 0)", "COMMIT"]).await;
    let traces = trial.traces();
    assert_eq!(traces.iter().filter(|(began, _)| began.text.starts_with("INSERT")).count(), 5);
    // A slow one is probed each time, and on a loaded machine any of them may be slow.
    let mut known = false;
    for (began, ended) in traces {
        match began.text.starts_with("INSERT") {
            true => {
                assert_eq!(ended.paused_us.0 > 0, !known, "{began:?} {ended:?}");
                assert_eq!(letters(&ended.held), "t RX");
                known |= (ended.ended_us - ended.began_us).0 < SLOW_US;
            }
            false => known = false,
        }
    }
}

#[rstest]
#[case::autocommit(&[])]
#[case::in_a_transaction(&["BEGIN"])]
#[tokio::test]
async fn a_write_tells_the_wal_that_was_written_meanwhile(#[case] first: &[&str]) {
    let trial = Tapped::with(T).await;
    let client = trial.client().await;
    run(&client, first).await;
    let sql = "INSERT INTO u SELECT generate_series(1, 10000)";
    run(&client, &[sql]).await;
    let (_, ended) = trial.trace(sql);
    assert!(ended.wal_bytes.is_some_and(|bytes| bytes > 500_000), "{:?}", ended.wal_bytes);
}

#[tokio::test]
async fn a_clients_own_cancel_reaches_its_statement() {
    let trial = Tapped::with(T).await;
    let client = trial.client().await;
    let cancel = client.cancel_token();
    let sql = "SELECT pg_sleep(60)";
    let (error, ()) = tokio::join!(failure(&client, sql), async {
        let runs = running(sql);
        trial.true_soon(&runs).await;
        cancel.cancel_query(NoTls).await.expect("a cancel");
    });
    assert_eq!(error, "57014");
    let error = trial.trace_soon(sql).await.1.error.expect("an error");
    assert_eq!(error.message, "canceling statement due to user request");
    assert_eq!(trial.opened().len(), 1, "a cancel is no connection of the change");
}
