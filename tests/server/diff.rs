//! `pgauntlet fingerprint` and `pgauntlet diff` as their users meet them.

use std::collections::BTreeMap;

use assert_cmd::assert::Assert;
use assert_cmd::cargo::cargo_bin_cmd;
use pgauntlet::connect::{Address, Session};
use pgauntlet::schema::Difference;
use predicates::prelude::PredicateBooleanExt;
use predicates::str::{contains, is_empty};
use rstest::rstest;

use crate::common;

const BEFORE: &str = "CREATE TABLE orders (id int PRIMARY KEY, total int NOT NULL);
    CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$SELECT 1;\nSELECT 2;\nSELECT 3$$";
const AFTER: &str = "CREATE TABLE orders (id int PRIMARY KEY, total bigint);
    CREATE INDEX ix_total ON orders (total);
    CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$SELECT 1;\nSELECT 22;\nSELECT 3$$";

fn pgauntlet(arguments: &[&str]) -> Assert {
    let mut command = cargo_bin_cmd!("pgauntlet");
    command.env("NO_COLOR", "1").args(arguments).assert()
}

/// A database with this schema, as somebody would write its address.
async fn database(schema: &str) -> String {
    let address = common::fresh_database().await;
    session(&address).await.batch(schema).await.expect("the schema");
    url(&address)
}

async fn session(address: &Address) -> Session {
    Session::open(address, "test", &BTreeMap::new()).await.expect("a session")
}

fn url(address: &Address) -> String {
    let place = address.place();
    let (directory, port) = place.rsplit_once(':').expect("directory:port");
    let directory = directory.replace('/', "%2F");
    format!("postgres://{}@{directory}:{port}/{}", address.user(), address.database())
}

fn text(assert: &Assert) -> String {
    String::from_utf8(assert.get_output().stdout.clone()).expect("UTF-8")
}

#[tokio::test]
async fn what_differs_is_told_by_object_and_property_with_both_values() {
    let (before, after) = (database(BEFORE).await, database(AFTER).await);
    let told = text(&pgauntlet(&["diff", &before, &after]).code(1).stderr(is_empty()));
    // On 18 a NOT NULL is a constraint of its own as well; the last line names the databases.
    let of_18 = "- constraint public.orders.orders_total_not_null\n    convalidated: true\n    \
                 definition: NOT NULL total\n";
    let told = told.replace(of_18, "");
    let (told, summary) = told.trim_end().rsplit_once('\n').expect("lines");
    insta::assert_snapshot!(told);
    assert!(summary.contains(" differences in ") && summary.contains(", from pgauntlet_test_"));
}

#[tokio::test]
async fn one_schema_in_two_databases_is_no_difference() {
    let (one, other) = (database(AFTER).await, database(AFTER).await);
    let told = pgauntlet(&["diff", &one, &other]).code(0).stderr(is_empty());
    told.stdout(contains("no difference: "));
}

#[tokio::test]
async fn a_fingerprint_in_a_file_is_told_from_what_the_database_is_now() {
    let address = common::fresh_database().await;
    let session = session(&address).await;
    session.batch(BEFORE).await.expect("the schema");
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("schema.json");
    let (file, url) = (path.to_str().expect("UTF-8"), url(&address));
    pgauntlet(&["fingerprint", &url, "--out", file]).code(0).stdout(is_empty());
    pgauntlet(&["diff", &url, "--against", file]).code(0).stdout(contains("no difference"));
    session.batch("ALTER TABLE orders ADD COLUMN note text").await.expect("a column");
    let told = pgauntlet(&["diff", &url, "--against", file]).code(1);
    told.stdout(contains("+ column public.orders.note").and(contains("1 difference in 1 object")));
    // The other way round, and on standard output.
    let told = pgauntlet(&["diff", &url, file]).code(1);
    told.stdout(contains("- column public.orders.note"));
    let printed = text(&pgauntlet(&["fingerprint", &url]).code(0));
    pgauntlet(&["fingerprint", &url, "--out", file]).code(0);
    assert_eq!(printed, std::fs::read_to_string(&path).expect("the file"));
    let left: Vec<_> = std::fs::read_dir(directory.path()).expect("a directory").collect();
    assert_eq!(left.len(), 1, "{left:?}");
}

#[tokio::test]
async fn as_json_the_differences_are_a_list() {
    let (before, after) = (database(BEFORE).await, database(AFTER).await);
    let told = text(&pgauntlet(&["diff", &before, &after, "--format", "json"]).code(1));
    let differences: Vec<Difference> = serde_json::from_str(&told).expect("a list");
    let named = |object: &str, property: &str| {
        let found = differences.iter().find(|d| (&*d.object, &*d.property) == (object, property));
        let found = found.unwrap_or_else(|| panic!("no {object}: {property} in {told}"));
        (found.from.clone(), found.to.clone())
    };
    let (integer, bigint) = (Some("integer".to_owned()), Some("bigint".to_owned()));
    assert_eq!(named("column public.orders.total", "type"), (integer, bigint));
    assert_eq!(named("index public.ix_total", "object").0, None);
    let same = text(&pgauntlet(&["diff", &before, &before, "--format", "json"]).code(0));
    assert_eq!(same.trim(), "[]");
}

#[tokio::test]
async fn an_accepted_difference_is_none_and_one_that_does_not_occur_is_told() {
    let before = database("CREATE TABLE t (n int)").await;
    let after = database("CREATE TABLE t (n bigint DEFAULT 1)").await;
    let column = "column public.t.n";
    let (kind, default) = (format!("{column}: type"), format!("{column}: default"));
    let diff = |accepted: &[&str]| {
        let mut arguments = vec!["diff", &before, &after];
        accepted.iter().for_each(|accepted| arguments.extend(["--accept", accepted]));
        pgauntlet(&arguments)
    };
    diff(&[column]).code(0).stdout(contains("no difference (2 accepted)"));
    diff(&[&kind, &default]).code(0).stdout(contains("no difference (2 accepted)"));
    diff(&[&kind]).code(1).stdout(contains("default: not set -> 1").and(contains("bigint").not()));
    let unused = diff(&[column, "table public.t: options"]).code(1);
    unused.stderr(contains("find the accepted difference \"table public.t: options\""));
}

#[rstest]
#[case::nothing_to_compare(&["diff", "postgres://h/db"], "<TO>")]
#[case::no_such_file(&["diff", "no-such-file", "postgres://h/db"], "no-such-file")]
#[case::no_fingerprint(&["diff", "Cargo.toml", "postgres://h/db"], "pgauntlet fingerprint")]
#[case::no_url(&["fingerprint", "Cargo.toml"], "postgres://")]
#[case::no_accepted(&["diff", "a", "b", "--accept", "nonsense"], "KIND NAME: PROPERTY")]
#[case::no_directory(&["fingerprint", "postgres://h/db", "--out", "no/such/f"], "no/such/f")]
#[case::wrong_port(&["diff", "postgres://h:port/db", "postgres://h/db"], "server's address")]
fn a_wrong_command_line_is_refused_with_code_2(#[case] arguments: &[&str], #[case] told: &str) {
    pgauntlet(arguments).code(2).stderr(contains(told)).stdout(is_empty());
}

/// Nobody listens on port 1.
#[rstest]
#[case::unreachable(&["diff", "postgres://u:s3cret@127.0.0.1:1/db", "postgres://h/db"], 4)]
#[case::unreachable_for_a_file(&["fingerprint", "postgres://u:s3cret@127.0.0.1:1/db"], 4)]
#[case::mistyped(&["diff", "postgre://u:s3cret@h/db", "postgres://h/db"], 2)]
#[case::too_many(&["diff", "postgres://h/a", "postgres://h/b", "postgres://u:s3cret@h/c"], 2)]
#[case::unknown_server(&["run", "postgres://u:s3cret@h/c", "--nonsense=u:s3cret@h"], 2)]
fn a_password_is_never_printed(#[case] arguments: &[&str], #[case] code: i32) {
    let told = pgauntlet(arguments).code(code).stdout(is_empty());
    told.stderr(contains("s3cret").not().and(is_empty().not()));
}
