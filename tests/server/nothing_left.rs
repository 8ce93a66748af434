//! On a server that outlives us, nothing of ours is left by what is gone, and nothing that lives is
//! taken for it.

use std::collections::BTreeMap;
use std::time::Duration;

use pgauntlet::connect::{Address, Session};
use pgauntlet::history::{ServerFacts, silent};
use pgauntlet::seed::{self, Claim, Plan, Template};

use crate::{common, spans};

async fn open(address: &Address) -> Session {
    Session::open(address, "test", &BTreeMap::new()).await.expect("a session")
}

async fn names(session: &Session, like: &str) -> Vec<String> {
    let sql = "SELECT datname::text FROM pg_database WHERE datname LIKE $1 ORDER BY 1";
    let rows = session.client().query(sql, &[&like]).await.expect(sql);
    rows.iter().map(|row| row.get(0)).collect()
}

/// Returns when the query says true.
async fn until(session: &Session, sql: &str) {
    for _ in 0..3_000 {
        if session.client().query_one(sql, &[]).await.expect(sql).get(0) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("never true: {sql}");
}

/// A server of this test's own: a sweep would take others' databases for left behind.
async fn server(name: &str) -> Address {
    common::server_with(&[("cluster_name", name)]).await.address
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_keeps_a_database_and_its_end_gives_it_up() {
    let address = server("claims").await;
    let claim = Claim::take(&address, &silent()).await.expect("a claim");
    let database = claim.name();
    seed::empty(&address, &database).await.expect("a database");
    let session = open(&address).await;
    // Its label names this process, which lives; the lock alone has to be enough.
    session.batch(&format!("COMMENT ON DATABASE {database} IS NULL")).await.expect("no label");
    drop(Claim::take(&address, &silent()).await.expect("another claim"));
    assert_eq!(names(&session, "pgauntlet_trial_%").await, std::slice::from_ref(&database));
    let owned = seed::owned(&address).await.expect("a list");
    assert!(owned.iter().all(|owned| owned.in_use), "{owned:?}");

    drop(claim);
    until(&session, "SELECT NOT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory')").await;
    drop(Claim::take(&address, &silent()).await.expect("a later claim"));
    assert_eq!(names(&session, "pgauntlet_trial_%").await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_that_the_server_lost_is_not_a_process_that_is_gone() {
    let address = server("lost claims").await;
    let claim = Claim::take(&address, &silent()).await.expect("a claim");
    let database = claim.name();
    seed::empty(&address, &database).await.expect("a database");
    let session = open(&address).await;
    let end = "SELECT count(pg_terminate_backend(pid, 10000)) > 0 FROM pg_locks \
               WHERE locktype = 'advisory'";
    until(&session, end).await;
    // The label says that the process lives, whatever became of its session.
    drop(Claim::take(&address, &silent()).await.expect("another claim"));
    assert_eq!(names(&session, "pgauntlet_trial_%").await, [database]);
    claim.renew(&address).await.expect("the claim again");
    until(&session, "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory')").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_create_database_that_was_interrupted_is_waited_for_and_its_database_dropped() {
    let address = server("interrupted").await;
    let session = open(&address).await;
    session.batch("CREATE DATABASE pgauntlet_template_large").await.expect("a database");
    let large = open(&address.with_database("pgauntlet_template_large")).await;
    let fill = "CREATE TABLE t AS SELECT n, repeat('x', 200) FROM generate_series(1, 500000) n";
    large.batch(fill).await.expect("rows");
    drop(large);
    let template = Template {
        short: Vec::new(),
        database: "pgauntlet_template_large".to_owned(),
        key: String::new(),
        reused: false,
        bytes: 0,
        took: Duration::ZERO,
    };
    let claim = Claim::take(&address, &silent()).await.expect("a claim");
    let database = claim.name();
    let begun = format!(
        "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE state = 'active' \
         AND query LIKE 'CREATE DATABASE \"{database}\"%')"
    );
    tokio::select! {
        made = seed::copy(&address, &template, &database, 150_000) => {
            panic!("too quick to be interrupted: {made:?}");
        }
        () = until(&session, &begun) => {}
    }
    seed::drop_database(&address, &database).await.expect("a drop");
    until(&session, &begun.replace("SELECT EXISTS", "SELECT NOT EXISTS")).await;
    assert_eq!(names(&session, "pgauntlet_trial_%").await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seed_that_was_interrupted_is_dropped() {
    let address = server("interrupted seed").await;
    let session = open(&address).await;
    let scenario = spans::scenario(1);
    let plan =
        Plan { scenario: &scenario, sizes: spans::sizes(400_000), loaders: 2, catalogue: None };
    let facts = ServerFacts { version_num: 150_000, ..ServerFacts::default() };
    let listener = silent();
    let filling = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE query LIKE 'COPY%')";
    tokio::select! {
        made = seed::template(&address, &facts, &plan, true, &listener) => {
            panic!("too quick to be interrupted: {made:?}");
        }
        () = until(&session, filling) => {}
    }
    assert_eq!(names(&session, "pgauntlet_seeding_%").await.len(), 1);
    seed::abandon(&address).await.expect("a drop");
    assert_eq!(names(&session, "pgauntlet_seeding_%").await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_roles_on_one_server_have_templates_of_their_own() {
    let server = common::server_with(&[("cluster_name", "two roles")]).await;
    let session = open(&server.address).await;
    session.batch("CREATE ROLE one LOGIN CREATEDB; CREATE ROLE two LOGIN CREATEDB").await.unwrap();
    let scenario = spans::scenario(1);
    let plan = Plan { scenario: &scenario, sizes: spans::sizes(100), loaders: 1, catalogue: None };
    let row = session.client().query_one("SELECT current_setting('server_version_num')", &[]).await;
    let version_num = row.unwrap().get::<_, String>(0).parse().unwrap();
    let facts = ServerFacts { version_num, ..ServerFacts::default() };
    let mut templates = Vec::new();
    for role in ["one", "two", "one"] {
        let address = Address::parse(&server.conninfo(role)).expect("an address");
        let made = seed::template(&address, &facts, &plan, true, &silent()).await;
        templates.push(made.expect("a template"));
        // What is of the other role is neither listed nor dropped.
        let listed = seed::cached(&address).await.expect("a list");
        assert_eq!(listed.len(), 1, "{role}: {listed:?}");
    }
    assert_ne!(templates[0].database, templates[1].database);
    assert!(templates[2].reused && templates[2].database == templates[0].database);
    let one = Address::parse(&server.conninfo("one")).expect("an address");
    let cleared = seed::clear(&one).await.expect("a list");
    assert_eq!((cleared.dropped.len(), cleared.failed), (1, Vec::new()));
    assert_eq!(names(&session, "pgauntlet_template_%").await, [templates[1].database.clone()]);
}
