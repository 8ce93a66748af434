//! Who is let in through the tap, with libpq's own programs and a driver.

use std::process::Output;

use pgauntlet::history::RefusedFor;
use tokio_postgres::NoTls;

use crate::ways::{Place, Way};

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

async fn psql(place: &Place, variables: &[(&str, &str)], sql: &str) -> Output {
    // -w: it asks nobody for a password.
    place.program_with("psql", &["-w", "-X", "-v", "VERBOSITY=verbose", "-c", sql], variables).await
}

#[tokio::test]
async fn a_client_with_the_password_is_let_in_and_another_is_not() {
    let place = Place::new(Way::Tapped).await;
    let output = psql(&place, &[], "CREATE TABLE made (id int)").await;
    assert!(output.status.success(), "{}", said(&output));
    for (password, wanted) in
        [("", "no password supplied"), ("x", "password authentication failed")]
    {
        let output = psql(&place, &[("PGPASSWORD", password)], "DROP TABLE made").await;
        assert_eq!(output.status.code(), Some(2), "{password}: {}", said(&output));
        assert!(said(&output).contains(wanted), "{password}: {}", said(&output));
    }
    let mut config = place.config();
    config.password("x");
    let error = config.connect(NoTls).await.err().expect("a refusal");
    assert_eq!(error.code().map(|code| code.code()), Some("28P01"));
    place.admin.batch("DROP TABLE made").await.expect("nobody else dropped it");
    let refused = place.refused();
    assert_eq!(refused.iter().map(|r| r.why).collect::<Vec<_>>(), [RefusedFor::Password; 2]);
    place.done().await;
}

#[tokio::test]
async fn another_database_is_refused_and_nothing_is_written_there() {
    let place = Place::new(Way::Tapped).await;
    let sql = "CREATE TABLE made_by_the_change (id int)";
    let output = psql(&place, &[("PGDATABASE", "postgres")], sql).await;
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    let wanted = "pgauntlet lets the change reach the trial's database only, not \"postgres\"";
    assert!(said(&output).contains(wanted), "{}", said(&output));
    assert!(said(&output).contains("other_databases = true"), "{}", said(&output));
    let output = place.program("createdb", &["-w", "made_by_the_change"]).await;
    assert!(!output.status.success());
    let sql = "SELECT count(*) FROM pg_database WHERE datname = 'made_by_the_change'";
    let made: i64 = place.admin.client().query_one(sql, &[]).await.expect("a count").get(0);
    assert_eq!(made, 0);
    let refused = place.refused();
    assert_eq!(refused[0].why, RefusedFor::Database);
    assert_eq!(
        (refused[0].database.as_str(), refused[0].application_name.as_str()),
        ("postgres", "psql")
    );
    assert_eq!(refused[0].error.sqlstate.as_ref().map(|s| s.code()), Some("42501"));
    place.done().await;
}

#[tokio::test]
async fn a_replica_of_the_whole_server_is_refused() {
    let place = Place::new(Way::Tapped).await;
    let output =
        place.program("pg_receivewal", &["-w", "-D", "/nowhere", "--create-slot", "-S", "x"]);
    let output = output.await;
    assert!(said(&output).contains("only, not replication"), "{}", said(&output));
    place.done().await;
}

#[tokio::test]
async fn another_user_is_refused_although_the_server_would_let_it_in() {
    let place = Place::new(Way::Tapped).await;
    let mut config = place.config();
    config.user("postgres");
    let error = config.connect(NoTls).await.err().expect("a refusal");
    assert_eq!(error.code().map(|code| code.code()), Some("28000"));
    assert_eq!(place.refused()[0].why, RefusedFor::User);
    place.done().await;
}

#[tokio::test]
async fn a_cancel_reaches_the_statement_of_a_client_that_was_let_in() {
    let place = Place::new(Way::Tapped).await;
    let (client, connection) = place.config().connect(NoTls).await.expect("a connection");
    let carrier = tokio::spawn(connection);
    let cancel = client.cancel_token();
    let sleeping = tokio::spawn(async move { client.batch_execute("SELECT pg_sleep(60)").await });
    let sql = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)' \
               AND datname = current_database())";
    while !place.admin.client().query_one(sql, &[]).await.expect("an answer").get::<_, bool>(0) {
        tokio::task::yield_now().await;
    }
    cancel.cancel_query(NoTls).await.expect("a cancel");
    let error = sleeping.await.expect("no panic").expect_err("it was cancelled");
    assert_eq!(error.code().map(|code| code.code()), Some("57014"));
    let _ = carrier.await;
    place.done().await;
}
