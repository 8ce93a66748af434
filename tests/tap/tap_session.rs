//! The session behind the tap is what it would be without: nothing is taken, kept or ended early.

use pgauntlet::history::{ClosedBy, TransactionStatus};
use rstest::rstest;
use tokio_postgres::Client;

use crate::tapped::raw::{Raw, errors, tags};
use crate::tapped::{Tapped, run, value};

const T: &str = "CREATE TABLE t (id int PRIMARY KEY, c int); CREATE TABLE u (id int);
INSERT INTO t SELECT i, 0 FROM generate_series(1, 10) i;
CREATE VIEW sums AS SELECT sum(c) FROM t;";

/// Answers to the same text, through the tap and beside it.
async fn both(trial: &Tapped, ask: impl AsyncFn(&mut Raw) -> Vec<String>) -> [Vec<String>; 2] {
    let mut through = trial.raw().await;
    let mut beside = Raw::beside(&trial.address).await;
    [ask(&mut through).await, ask(&mut beside).await]
}

#[rstest]
#[case::right_away(&[])]
#[case::after_a_set(&["SET lock_timeout = '3s'"])]
#[case::after_a_local_set(&["SET LOCAL lock_timeout = '3s'", "SET LOCAL work_mem = '8MB'"])]
#[case::after_a_show(&["SHOW lock_timeout"])]
#[case::after_a_lock(&["LOCK TABLE t"])]
#[case::after_a_lock_and_a_show(&["LOCK TABLE t", "SHOW lock_timeout", "LISTEN x", "NOTIFY x"])]
#[case::after_both_in_one(&["SET LOCAL lock_timeout = '3s'; LOCK TABLE t, u"])]
#[case::after_deferring(&["LOCK TABLE t", "SET CONSTRAINTS ALL DEFERRED"])]
#[tokio::test]
async fn a_transaction_may_still_say_what_it_wants_to_be(
    #[case] first: &[&str],
    #[values("BEGIN", "START TRANSACTION", "BEGIN; LOCK TABLE sums")] begin: &str,
) {
    let trial = Tapped::with(T).await;
    let client = trial.client().await;
    run(&client, &[begin]).await;
    run(&client, first).await;
    run(&client, &["SET TRANSACTION ISOLATION LEVEL SERIALIZABLE, READ WRITE, DEFERRABLE"]).await;
    assert_eq!(value(&client, "SHOW transaction_isolation").await, "serializable");
    run(&client, &["ALTER TABLE t ADD d int", "UPDATE t SET d = 1", "COMMIT"]).await;
    trial.assert_measured();
}

#[tokio::test]
async fn an_exported_snapshot_can_be_taken_after_a_lock() {
    let trial = Tapped::with(T).await;
    let exporting = trial.direct().await;
    exporting.batch("BEGIN ISOLATION LEVEL REPEATABLE READ").await.expect("a transaction");
    let row = exporting.client().query_one("SELECT pg_export_snapshot()", &[]).await;
    let snapshot: String = row.expect("a snapshot").get(0);
    trial.direct().await.batch("INSERT INTO u VALUES (1)").await.expect("a row");
    let client = trial.client().await;
    run(&client, &["BEGIN ISOLATION LEVEL REPEATABLE READ", "SHOW lock_timeout"]).await;
    // A stronger lock takes a transaction id, after which the server refuses by itself.
    run(&client, &["LOCK TABLE t IN SHARE MODE", "SET LOCAL lock_timeout = '3s'"]).await;
    run(&client, &[&format!("SET TRANSACTION SNAPSHOT '{snapshot}'")]).await;
    assert_eq!(value(&client, "SELECT count(*) FROM u").await, "0");
}

async fn insert_beside(trial: &Tapped) {
    trial.direct().await.batch("INSERT INTO u VALUES (1)").await.expect("a row");
}

#[rstest]
#[case::begin(&["BEGIN ISOLATION LEVEL REPEATABLE READ"])]
#[case::set(&["BEGIN", "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"])]
#[case::locked(&["BEGIN ISOLATION LEVEL REPEATABLE READ", "SET LOCAL lock_timeout = '3s'",
    "LOCK TABLE t"])]
#[tokio::test]
async fn a_snapshot_is_taken_by_the_clients_first_statement_and_not_before(
    #[case] statements: &[&str],
) {
    let trial = Tapped::with(T).await;
    let client = trial.client().await;
    run(&client, statements).await;
    insert_beside(&trial).await;
    let count = async |client: &Client| value(client, "SELECT count(*) FROM u").await;
    assert_eq!(count(&client).await, "1", "it was committed before the first statement");
    insert_beside(&trial).await;
    assert_eq!(count(&client).await, "1", "and this one after it");
    run(&client, &["ALTER TABLE t ADD d int"]).await;
    assert_eq!(count(&client).await, "1");
}

#[tokio::test]
async fn the_unnamed_statement_and_portal_are_the_clients() {
    let trial = Tapped::with(T).await;
    let answers = both(&trial, async |raw| {
        let mut told = vec![];
        raw.query("BEGIN").until_ready().await;
        raw.parse("", "SELECT id FROM t ORDER BY id", &[]).sync();
        told.push(tags(&raw.until_ready().await));
        raw.bind("", "", &[]).execute("", 3).sync();
        told.push(tags(&raw.until_ready().await));
        // Bound again after a Sync, and read on.
        raw.bind("p", "", &[]).execute("p", 2).execute("p", 2).sync();
        told.push(tags(&raw.until_ready().await));
        raw.execute("p", 1).sync();
        told.push(tags(&raw.until_ready().await));
        // From here on there are others between.
        raw.parse("alter", "ALTER TABLE u ADD d int", &[]).bind("a", "alter", &[]);
        raw.execute("a", 0).sync();
        told.push(tags(&raw.until_ready().await));
        raw.execute("p", 0).bind("", "", &[]).execute("", 0).sync();
        told.push(tags(&raw.until_ready().await));
        raw.query("ROLLBACK").until_ready().await;
        told
    });
    let [through, beside] = answers.await;
    assert_eq!(through, beside);
    assert_eq!(through[1], "2DDDsZ");
}

#[tokio::test]
async fn answers_come_in_the_order_and_number_of_the_questions() {
    let trial = Tapped::with(T).await;
    let [through, beside] = both(&trial, async |raw| {
        let mut told = vec![];
        // Things to answer are on the way when a statement begins.
        raw.parse("s", "SELECT id FROM t WHERE id = $1", &[]).describe_statement("s").flush();
        told.push(tags(&raw.until(b'T').await));
        raw.bind("", "s", &["1"]).execute("", 0).describe_statement("s");
        raw.bind("", "s", &["2"]).execute("", 0).close_statement("s").run("SELECT 1").sync();
        told.push(tags(&raw.until_ready().await));
        raw.close_statement("none")
            .close_statement("none")
            .run("ALTER TABLE u ALTER id SET DEFAULT 1")
            .sync();
        told.push(tags(&raw.until_ready().await));
        raw.describe_statement("none").run("SELECT 1").sync();
        let answers = raw.until_ready().await;
        told.extend([tags(&answers), errors(&answers).concat()]);
        raw.close_statement("none").run("VACUUM t").sync();
        told.push(tags(&raw.until_ready().await));
        raw.run("SELECT 1").flush();
        told.push(tags(&raw.until(b'C').await));
        raw.run("SELECT 2").flush();
        told.push(tags(&raw.until(b'C').await));
        raw.sync();
        told.push(tags(&raw.until_ready().await));
        told
    })
    .await;
    assert_eq!(through, beside);
}

#[tokio::test]
async fn nothing_of_ours_is_left_in_the_session() {
    let trial = Tapped::with(T).await;
    let client = trial.client().await;
    let own = client.prepare("SELECT 1").await.expect("a statement");
    run(&client, &["BEGIN", "ALTER TABLE t ADD d int", "SET LOCAL lock_timeout = '3s'"]).await;
    let names = "SELECT coalesce(string_agg(statement, ','), '') FROM pg_prepared_statements";
    assert_eq!(value(&client, names).await, "SELECT 1");
    assert_eq!(value(&client, "SELECT count(*) FROM pg_cursors").await, "0");
    run(&client, &["COMMIT", "DISCARD ALL"]).await;
    assert_eq!(value(&client, names).await, "");
    drop(own);
    trial.assert_measured();
}

#[tokio::test]
async fn cursors_temporary_tables_and_advisory_locks_live_on() {
    let trial = Tapped::with(T).await;
    let client = trial.client().await;
    run(&client, &["SELECT pg_advisory_lock(7)", "CREATE TEMPORARY TABLE own (id int)"]).await;
    run(&client, &["BEGIN", "DECLARE k CURSOR FOR SELECT id FROM t ORDER BY id"]).await;
    run(&client, &["DECLARE h CURSOR WITH HOLD FOR SELECT id FROM t ORDER BY id"]).await;
    assert_eq!(value(&client, "FETCH k").await, "1");
    run(&client, &["ALTER TABLE u ADD d int", "LOCK TABLE u"]).await;
    assert_eq!(value(&client, "FETCH k").await, "2");
    assert_eq!(value(&client, "FETCH h").await, "1");
    run(&client, &["INSERT INTO own VALUES (1)", "COMMIT", "ALTER TABLE u ADD e int"]).await;
    assert_eq!(value(&client, "FETCH h").await, "2");
    assert_eq!(value(&client, "SELECT count(*) FROM own").await, "1");
    assert_eq!(trial.text("SELECT pg_try_advisory_lock(7)").await, "false");
}

#[tokio::test]
async fn the_time_of_a_transaction_and_the_last_sequence_value_are_its_own() {
    let trial = Tapped::with(T).await;
    let client = trial.client().await;
    run(&client, &["CREATE TABLE s (id serial)", "BEGIN", "INSERT INTO s DEFAULT VALUES"]).await;
    let began = value(&client, "SELECT now()").await;
    run(&client, &["ALTER TABLE t ADD d int"]).await;
    assert_eq!(value(&client, "SELECT now()").await, began);
    assert_eq!(value(&client, "SELECT lastval()").await, "1");
    let ids = "SELECT txid_current() = txid_current_if_assigned()";
    assert_eq!(value(&client, ids).await, "t");
}

#[tokio::test]
async fn a_read_only_transaction_takes_no_transaction_id() {
    let trial = Tapped::with(T).await;
    let client = trial.client().await;
    run(&client, &["BEGIN READ ONLY", "SELECT * FROM t", "LOCK TABLE t IN ACCESS SHARE MODE"])
        .await;
    let id = value(&client, "SELECT coalesce(txid_current_if_assigned()::text, 'none')").await;
    assert_eq!(id, "none");
}

#[tokio::test]
async fn an_idle_timeout_counts_from_the_clients_last_statement() {
    let trial = Tapped::with(T).await;
    let client = trial.client().await;
    let set = "SET idle_in_transaction_session_timeout = '1s'";
    run(&client, &[set, "BEGIN", "LOCK TABLE t"]).await;
    for _ in 0..3 {
        // Each is within its time, all together are not.
        tokio::time::sleep(std::time::Duration::from_millis(400)).await;
        run(&client, &["ALTER TABLE t ALTER c SET DEFAULT 1"]).await;
    }
    let closed = trial.closed_soon(1).await;
    let error = closed[0].error.as_ref().and_then(|error| error.sqlstate.as_ref());
    assert_eq!(error.map(|state| state.code()), Some("25P03"));
    assert_eq!(closed[0].by, ClosedBy::Server);
    assert_eq!(closed[0].transaction, TransactionStatus::InTransaction);
}

#[tokio::test]
async fn notifications_reach_the_client_and_their_number() {
    let trial = Tapped::with(T).await;
    let mut raw = trial.raw().await;
    raw.query("LISTEN x").until_ready().await;
    trial.direct().await.batch("NOTIFY x, 'one'; NOTIFY x, 'two'").await.expect("two");
    let mut answers = tags(&raw.query("ALTER TABLE t ADD d int").until_ready().await);
    while answers.matches('A').count() < 2 {
        answers += &tags(&raw.query("SHOW lock_timeout").until_ready().await);
    }
    assert_eq!(answers.matches('A').count(), 2);
}
