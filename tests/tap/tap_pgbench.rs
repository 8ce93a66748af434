//! pgbench's own load, without a tap and through one: the same work is done, and none of it twice.

use std::io::Write;
use std::process::Output;

use rstest::rstest;

use crate::ways::{Place, Way};

const CLIENTS: u64 = 4;
const TRANSACTIONS: u64 = 25;

/// What pgbench says it did, every transaction of it.
fn processed(output: &Output) -> u64 {
    let told = String::from_utf8_lossy(&output.stdout);
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}\n{complaint}");
    let name = "number of transactions actually processed: ";
    let line = told.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|line| line.split('/').next());
    number.and_then(|number| number.trim().parse().ok()).unwrap_or_else(|| panic!("{told}"))
}

async fn pgbench(place: &Place, arguments: &[&str]) -> Output {
    let (clients, each) = (CLIENTS.to_string(), TRANSACTIONS.to_string());
    let mut all = vec!["-c", &clients, "-t", &each, "-j", "2"];
    all.extend(arguments);
    place.program("pgbench", &all).await
}

/// Tables, filled through the same way as the rest.
async fn filled(way: Way) -> Place {
    let place = Place::new(way).await;
    let output = place.program("pgbench", &["-i", "-s", "1", "-q"]).await;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    place
}

async fn number(place: &Place, sql: &str) -> i64 {
    place.admin.client().query_one(sql, &[]).await.expect("a row").get(0)
}

#[rstest]
#[case(Way::Direct)]
#[case(Way::Tapped)]
#[tokio::test]
async fn tpc_b_balances_in_every_protocol(
    #[case] way: Way,
    #[values("simple", "extended", "prepared")] mode: &str,
) {
    let place = filled(way).await;
    let done = processed(&pgbench(&place, &["-M", mode]).await);
    assert_eq!(done, CLIENTS * TRANSACTIONS);
    let history = number(&place, "SELECT count(*) FROM pgbench_history").await;
    assert_eq!(history, i64::try_from(done).unwrap());
    assert_eq!(number(&place, "SELECT count(*) FROM pgbench_accounts").await, 100_000);
    let moved = number(&place, "SELECT sum(delta)::int8 FROM pgbench_history").await;
    for (table, balance) in [("accounts", "a"), ("branches", "b"), ("tellers", "t")] {
        let sql = format!("SELECT sum({balance}balance)::int8 FROM pgbench_{table}");
        assert_eq!(number(&place, &sql).await, moved, "{table}");
    }
    place.done().await;
}

/// Eight updates on their way at once, each transaction's in one pipeline or its own.
const AUTOCOMMIT: &str = "\
\\startpipeline
UPDATE pgbench_branches SET bbalance = bbalance + 1 WHERE bid = 1;
UPDATE pgbench_tellers SET tbalance = tbalance + 1 WHERE tid = 1;
SELECT count(*) FROM pgbench_tellers;
INSERT INTO pgbench_history (tid, bid, aid, delta) VALUES (1, 1, 1, 1);
\\endpipeline
";
const TRANSACTION: &str = "\
\\startpipeline
BEGIN;
UPDATE pgbench_branches SET bbalance = bbalance + 1 WHERE bid = 1;
UPDATE pgbench_tellers SET tbalance = tbalance + 1 WHERE tid = 1;
INSERT INTO pgbench_history (tid, bid, aid, delta) VALUES (1, 1, 1, 1);
COMMIT;
SELECT count(*) FROM pgbench_tellers;
\\endpipeline
";

#[rstest]
#[case(Way::Direct)]
#[case(Way::Tapped)]
#[tokio::test]
async fn a_pipeline_does_all_of_its_work(
    #[case] way: Way,
    #[values("extended", "prepared")] mode: &str,
    #[values(AUTOCOMMIT, TRANSACTION)] script: &str,
) {
    let place = filled(way).await;
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(script.as_bytes()).expect("a script");
    let path = file.path().to_str().expect("a path");
    let done = processed(&pgbench(&place, &["-n", "-M", mode, "-f", path]).await);
    assert_eq!(done, CLIENTS * TRANSACTIONS);
    for sql in [
        "SELECT sum(bbalance)::int8 FROM pgbench_branches",
        "SELECT sum(tbalance)::int8 FROM pgbench_tellers",
        "SELECT count(*) FROM pgbench_history",
    ] {
        assert_eq!(number(&place, sql).await, i64::try_from(done).unwrap(), "{sql}");
    }
    place.done().await;
}
