//! The settings in force at a statement, whoever set them and however they ended.

use std::collections::BTreeMap;

use pgauntlet::history::StatementBegan;
use rstest::rstest;
use tokio_postgres::Client;

use crate::common;
use crate::tapped::raw::tags;
use crate::tapped::{Tapped, failure, run, value};

const SCHEMA: &str = "CREATE TABLE t (id int PRIMARY KEY, c int);
CREATE FUNCTION sets(value text, local bool) RETURNS text LANGUAGE plpgsql
AS $$ BEGIN RETURN set_config('lock_timeout', value, local); END $$;
CREATE PROCEDURE commits() LANGUAGE plpgsql
AS $$ BEGIN SET lock_timeout = '7s'; COMMIT; SET LOCAL lock_timeout = '9s'; END $$;";

const NAMES: [&str; 4] = [
    "lock_timeout",
    "statement_timeout",
    "idle_in_transaction_session_timeout",
    "transaction_timeout",
];

/// As the server shows them to the client itself, in milliseconds.
async fn shown(client: &Client) -> BTreeMap<String, u64> {
    let names = NAMES.map(|name| format!("'{name}'")).join(", ");
    let sql = format!(
        "SELECT json_object_agg(name, setting)::text FROM pg_settings WHERE name IN ({names})"
    );
    let read: BTreeMap<String, String> =
        serde_json::from_str(&value(client, &sql).await).expect("an object");
    read.into_iter().map(|(name, ms)| (name, ms.parse().expect("milliseconds"))).collect()
}

fn recorded(began: &StatementBegan) -> BTreeMap<String, u64> {
    let values = [
        Some(began.lock_timeout_ms),
        Some(began.statement_timeout_ms),
        Some(began.idle_in_transaction_session_timeout_ms),
        began.transaction_timeout_ms,
    ];
    let known = NAMES.iter().zip(values).filter_map(|(name, ms)| Some(((*name).to_owned(), ms?)));
    known.collect()
}

/// Runs a statement and compares; gives its lock_timeout.
async fn compare(trial: &Tapped, client: &Client, sql: &str) -> u64 {
    run(client, &[sql]).await;
    let (began, _) = trial.trace(sql);
    assert_eq!(recorded(&began), shown(client).await, "at {sql}");
    began.lock_timeout_ms
}

#[rstest]
#[case::nothing(&[], 0)]
#[case::set(&["SET lock_timeout = '3s'"], 3_000)]
#[case::set_in_a_unit(&["SET lock_timeout = '2min'"], 120_000)]
#[case::set_of_all(&["SET lock_timeout = 1500; SET statement_timeout = '1h'; \
    SET idle_in_transaction_session_timeout = '1d'"], 1_500)]
#[case::reset(&["SET lock_timeout = '3s'", "RESET lock_timeout"], 0)]
#[case::reset_all(&["SET lock_timeout = '3s'", "RESET ALL"], 0)]
#[case::set_default(&["SET lock_timeout = '3s'", "SET lock_timeout TO DEFAULT"], 0)]
#[case::discard_all(&["SET lock_timeout = '3s'", "DISCARD ALL"], 0)]
#[case::set_config(&["SELECT set_config('lock_timeout', '4s', false)"], 4_000)]
#[case::set_config_local(&["BEGIN", "SELECT set_config('lock_timeout', '4s', true)"], 4_000)]
#[case::set_config_over(&["SELECT set_config('lock_timeout', '4s', true)"], 0)]
#[case::local(&["BEGIN", "SET LOCAL lock_timeout = '5s'"], 5_000)]
#[case::local_committed(&["BEGIN", "SET LOCAL lock_timeout = '5s'", "SELECT 1", "COMMIT"], 0)]
#[case::local_rolled_back(&["BEGIN", "SET LOCAL lock_timeout = '5s'", "SELECT 1", "ROLLBACK"], 0)]
#[case::local_chained(&["BEGIN", "SET LOCAL lock_timeout = '5s'", "SELECT 1",
    "COMMIT AND CHAIN"], 0)]
#[case::set_committed(&["BEGIN", "SET lock_timeout = '5s'", "SELECT 1", "COMMIT"], 5_000)]
#[case::set_rolled_back(&["BEGIN", "SET lock_timeout = '5s'", "SELECT 1", "ROLLBACK"], 0)]
#[case::to_savepoint(&["BEGIN", "SET lock_timeout = '1s'", "SAVEPOINT s",
    "SET lock_timeout = '5s'", "SELECT 1", "ROLLBACK TO s"], 1_000)]
#[case::released(&["BEGIN", "SAVEPOINT s", "SET lock_timeout = '5s'", "RELEASE s"], 5_000)]
#[case::a_block(&["DO $$ BEGIN SET lock_timeout = '6s'; END $$"], 6_000)]
#[case::a_block_local(&["BEGIN", "DO $$ BEGIN SET LOCAL lock_timeout = '6s'; END $$"], 6_000)]
#[case::a_procedure(&["CALL commits()"], 7_000)]
#[case::one_message(&["BEGIN; SET LOCAL lock_timeout = '8s'; SELECT 1"], 8_000)]
#[case::behind_a_read(&["SELECT 1; SET lock_timeout = '8s'"], 8_000)]
#[case::ended_in_a_message(&["BEGIN", "SET LOCAL lock_timeout = '5s'", "SELECT 1",
    "UPDATE t SET c = 1; COMMIT"], 0)]
#[tokio::test]
async fn settings_recorded_are_those_in_force(
    #[case] statements: &[&str],
    #[case] lock_timeout_ms: u64,
    #[values("ALTER TABLE t ALTER c SET DEFAULT 1", "UPDATE t SET c = 2 WHERE id = 1")] sql: &str,
) {
    let trial = Tapped::with(SCHEMA).await;
    let client = trial.client().await;
    run(&client, statements).await;
    assert_eq!(compare(&trial, &client, sql).await, lock_timeout_ms);
    trial.assert_measured();
}

#[tokio::test]
async fn what_a_function_set_is_met_by_the_next_statement_that_stops_others() {
    let trial = Tapped::with(SCHEMA).await;
    let client = trial.client().await;
    run(&client, &["UPDATE t SET c = 0", "SELECT sets('9s', false)"]).await;
    let alter = "ALTER TABLE t ALTER c SET DEFAULT 1";
    assert_eq!(compare(&trial, &client, alter).await, 9_000);
    assert_eq!(compare(&trial, &client, "UPDATE t SET c = 2").await, 9_000);
}

#[tokio::test]
async fn what_a_function_set_in_a_transaction_ends_with_it() {
    let trial = Tapped::with(SCHEMA).await;
    let client = trial.client().await;
    run(&client, &["BEGIN", "SELECT sets('9s', true)"]).await;
    let alter = "ALTER TABLE t ALTER c SET DEFAULT 1";
    assert_eq!(compare(&trial, &client, alter).await, 9_000);
    run(&client, &["COMMIT"]).await;
    assert_eq!(compare(&trial, &client, "UPDATE t SET c = 2").await, 0);
}

#[tokio::test]
async fn what_a_failed_transaction_set_is_undone() {
    let trial = Tapped::with(SCHEMA).await;
    let client = trial.client().await;
    run(&client, &["BEGIN", "SET lock_timeout = '5s'", "SELECT 1"]).await;
    failure(&client, "SELECT 1/0").await;
    run(&client, &["COMMIT"]).await;
    assert_eq!(compare(&trial, &client, "UPDATE t SET c = 2").await, 0);
}

#[rstest]
#[case("-c lock_timeout=3s", 3_000)]
#[case("-c lock_timeout=250 -c statement_timeout=5min", 250)]
#[tokio::test]
async fn a_connections_own_options_are_in_force(#[case] options: &str, #[case] ms: u64) {
    let trial = Tapped::with(SCHEMA).await;
    let client = trial.try_client(&[("options", options)]).await.expect("a connection");
    assert_eq!(compare(&trial, &client, "UPDATE t SET c = 2").await, ms);
    run(&client, &["SET lock_timeout = '1s'", "RESET lock_timeout"]).await;
    let alter = "ALTER TABLE t ALTER c SET DEFAULT 1";
    assert_eq!(compare(&trial, &client, alter).await, ms, "RESET goes back to the option");
}

#[tokio::test]
async fn defaults_of_the_role_and_of_the_database_are_in_force() {
    let trial = Tapped::with(SCHEMA).await;
    let (beside, database) = (trial.direct().await, trial.address.database().to_owned());
    let role = format!("role_of_{database}");
    let setup = format!(
        "CREATE ROLE {role} LOGIN SUPERUSER; ALTER ROLE {role} SET lock_timeout = '11s'; \
         ALTER DATABASE {database} SET lock_timeout = '12s'; \
         ALTER DATABASE {database} SET statement_timeout = '13min'"
    );
    beside.batch(&setup).await.expect("a role and defaults");
    let of_role = trial.try_client(&[("user", &role)]).await.expect("a connection");
    assert_eq!(compare(&trial, &of_role, "UPDATE t SET c = 2").await, 11_000);
    let of_database = trial.client().await;
    assert_eq!(compare(&trial, &of_database, "UPDATE t SET c = 3").await, 12_000);
    let (began, _) = trial.trace("UPDATE t SET c = 3");
    assert_eq!(began.statement_timeout_ms, 13 * 60_000);
    beside.batch(&format!("ALTER DATABASE {database} RESET ALL")).await.expect("no defaults");
    run(&of_database, &["RESET ALL"]).await;
    let alter = "ALTER TABLE t ALTER c SET DEFAULT 1";
    assert_eq!(compare(&trial, &of_database, alter).await, 12_000, "until it connects again");
}

#[rstest]
#[tokio::test]
async fn a_transaction_timeout_is_told_where_the_server_has_one(#[values(14, 16, 17, 18)] m: u32) {
    let trial = Tapped::before(common::fresh_database_of(m).await, SCHEMA, &[]).await;
    let client = trial.client().await;
    let known = m >= 17;
    if known {
        run(&client, &["SET transaction_timeout = '21s'"]).await;
    }
    let sql = "ALTER TABLE t ALTER c SET DEFAULT 1";
    compare(&trial, &client, sql).await;
    let (began, _) = trial.trace(sql);
    assert_eq!(began.transaction_timeout_ms, known.then_some(21_000));
}

#[tokio::test]
async fn settings_are_read_behind_the_close_of_an_old_statement() {
    let trial = Tapped::with(SCHEMA).await;
    let mut raw = trial.raw().await;
    raw.query("SET lock_timeout = '3s'").until_ready().await;
    // As a driver does that closes what it no longer needs along with the next statement.
    let alter = "ALTER TABLE t ALTER c SET DEFAULT 1";
    raw.close_statement("old").run(alter).sync();
    assert_eq!(tags(&raw.until_ready().await), "312CZ");
    assert_eq!(trial.trace(alter).0.lock_timeout_ms, 3_000);
}
