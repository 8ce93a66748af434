//! Statements of one's own application as operations of an inferred scenario: which are used, that
//! none of them fails, and what is said of those that cannot be used.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use pgauntlet::connect::{Address, Session};
use pgauntlet::pg::quote_literal;
use pgauntlet::run::{Fault, OwnQueries, OwnSource};
use pgauntlet::scenario::LedgerRule;
use rstest::rstest;

use crate::{common, example, inferred};

/// Operations of each kind that are driven, on average.
const DRIVEN_EACH: u64 = 150;
/// Rows of each table.
const ROWS: u64 = 1_000;

const DJANGO: &str = include_str!("../schemas/django.sql");
const DJANGO_QUERIES: &str = include_str!("../schemas/queries/django.sql");
const SAAS: &str = include_str!("../schemas/saas.sql");
const SAAS_QUERIES: &str = include_str!("../schemas/queries/saas.sql");

fn own(text: &str) -> OwnQueries<'_> {
    OwnQueries { source: OwnSource::File(Path::new("queries.sql"), text), adds: false }
}

/// Names of the file's statements, as operations have them.
fn names(text: &str) -> BTreeSet<String> {
    let named = text.lines().filter_map(|line| line.strip_prefix("-- name: "));
    let name = |line: &str| {
        let word = line.split_whitespace().next().unwrap_or_default();
        word.trim_end_matches(['!', '^'])
            .replace('_', "-")
            .replace("listOpenTickets", "list-open-tickets")
    };
    named.map(name).collect()
}

#[rstest]
#[case::django(15, DJANGO, DJANGO_QUERIES)]
#[case::saas(18, SAAS, SAAS_QUERIES)]
#[tokio::test(flavor = "multi_thread")]
async fn ones_own_statements_are_the_traffic_and_none_fails(
    #[case] major: u32,
    #[case] schema: &str,
    #[case] queries: &str,
) {
    let made = inferred::make_with(major, schema, ROWS, Some(own(queries))).await.expect("made");
    assert_eq!(made.left_out, [""; 0]);
    let scenario = example::load(&made.files).expect("a scenario that is taken");
    let operations = &scenario.traffic.operations;
    let found: BTreeSet<String> = operations.iter().map(|o| o.name.clone()).collect();
    assert_eq!(found, names(queries));
    let outcomes = inferred::driven(major, &scenario, DRIVEN_EACH).await;
    for name in &found {
        let of = outcomes.get(name).cloned().unwrap_or_default();
        assert!(of.succeeded > 0, "{name} never ran");
        assert_eq!(of.failed, [""; 0], "{name}");
    }
}

const SMALL: &str = "
CREATE TABLE customers (id bigserial PRIMARY KEY, name text NOT NULL, email text NOT NULL UNIQUE);
CREATE TABLE orders (
    id bigserial PRIMARY KEY,
    customer_id bigint NOT NULL REFERENCES customers,
    status text NOT NULL CHECK (status IN ('new', 'paid', 'gone')),
    paid_at timestamptz,
    CHECK ((status = 'paid') = (paid_at IS NOT NULL)));
CREATE TABLE seats (place int NOT NULL REFERENCES orders, seat int NOT NULL CHECK (seat < 4),
    UNIQUE (place, seat));
CREATE TABLE guarded (id int PRIMARY KEY, owner text NOT NULL);
ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;";

/// By which key its rows are found again, and what they hold beside it: what no other statement may
/// change.
#[rstest]
#[case::a_key_that_is_sent(
    "-- name: a\nINSERT INTO files (id, name, size) VALUES (:id, :name, :size)",
    Some(("id", true, "name, size"))
)]
#[case::a_key_that_the_server_makes(
    "-- name: a\nINSERT INTO customers (name, email) VALUES (:name, :email) RETURNING id, name",
    Some(("email", true, "name"))
)]
#[case::a_number_that_the_server_makes(
    "-- name: a\nINSERT INTO notes (text) VALUES (:text) RETURNING id",
    Some(("id", false, "text"))
)]
#[case::another_statement_changes_one(
    "-- name: a\nINSERT INTO files (id, name, size) VALUES (:id, :name, :size);\n\
     -- name: b\nUPDATE files SET size = size + 1 WHERE id = :id",
    Some(("id", true, "name"))
)]
#[case::an_upsert_changes_one(
    "-- name: a\nINSERT INTO files (id, name, size) VALUES (:id, :name, :size);\n\
     -- name: b\nINSERT INTO files (id, name) VALUES (:id, :name) ON CONFLICT (id) DO UPDATE SET \
     name = excluded.name",
    Some(("id", true, "size"))
)]
#[case::rows_are_deleted(
    "-- name: a\nINSERT INTO files (id, name, size) VALUES (:id, :name, :size);\n\
     -- name: b\nDELETE FROM files WHERE id = :id",
    None
)]
#[case::the_number_is_not_returned("-- name: a\nINSERT INTO notes (text) VALUES (:text)", None)]
#[tokio::test(flavor = "multi_thread")]
async fn rows_of_ones_own_inserts_are_found_again(
    #[case] queries: &str,
    #[case] expected: Option<(&str, bool, &str)>,
) {
    const TABLES: &str = "\
CREATE TABLE files (id uuid PRIMARY KEY, name text NOT NULL, size bigint);
CREATE TABLE notes (id bigserial PRIMARY KEY, text text NOT NULL);";
    // A template of its own, which no other case drops.
    let own_comment = format!("COMMENT ON TABLE notes IS {};", quote_literal(queries));
    let schema = format!("{SMALL}\n{TABLES}\n{own_comment}");
    let made = inferred::make_with(15, &schema, 300, Some(own(queries))).await.expect("made");
    let scenario = example::load(&made.files).expect("a scenario that is taken");
    let operation = scenario.traffic.operations.iter().find(|one| one.name == "a").expect("a");
    let found = operation.ledger.as_ref().map(|rule| match rule {
        LedgerRule::Insert { key_column, key_parameter, set, .. } => {
            let set: Vec<&str> = set.keys().map(String::as_str).collect();
            (key_column.clone(), key_parameter.is_some(), set.join(", "))
        }
        other => panic!("{other:?}"),
    });
    assert_eq!(
        found,
        expected.map(|(key, is_sent, set)| (key.to_owned(), is_sent, set.to_owned()))
    );
    inferred::driven(15, &scenario, DRIVEN_EACH).await;
}

async fn left_out(queries: &str) -> Vec<String> {
    let keep = format!("{queries}\n-- name: keep\nSELECT id FROM orders WHERE id = :id;");
    let made = inferred::make_with(15, SMALL, 300, Some(own(&keep))).await.expect("made");
    let scenario = example::load(&made.files).expect("a scenario that is taken");
    let names: Vec<&str> = scenario.traffic.operations.iter().map(|o| o.name.as_str()).collect();
    assert!(names.contains(&"keep"), "{names:?}");
    made.left_out
}

#[rstest]
#[case::typo(
    "-- name: a\nSELECT id,\n  nme FROM orders",
    "queries.sql:3:3: a: the server does not take \
    it: column \"nme\" does not exist"
)]
#[case::table(
    "-- name: a\nSELECT 1 FROM nowhere",
    "queries.sql:2:15: a: the server does not take it: \
    relation \"nowhere\" does not exist"
)]
#[case::unknown_type(
    "-- name: a\nSELECT $1::aclitem",
    "queries.sql:1: a: it fails on the tables' rows"
)]
#[case::key(
    "-- name: a\nINSERT INTO seats (place, seat) VALUES (:place, :seat)",
    "queries.sql:1: a: \
    seats_place_seat_key of public.seats would be there already"
)]
#[case::security(
    "-- name: a\nINSERT INTO guarded VALUES (:id, 'x')",
    "queries.sql:1: a: it fails on \
    the tables' rows: new row violates row-level security policy"
)]
#[case::always(
    "-- name: a\nUPDATE orders SET status = 'lost' WHERE id = :id",
    "queries.sql:1: a: it \
    fails on the tables' rows: new row for relation \"orders\" violates check constraint"
)]
#[case::deletes(
    "-- name: a\nDELETE FROM customers WHERE id = :id;\n-- name: b\nINSERT INTO orders \
    (customer_id, status) VALUES (:customer_id, 'new')",
    "queries.sql:1: a: `b` refers to rows that it \
    deletes, and would fail"
)]
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_used_is_said_and_left_out(#[case] queries: &str, #[case] expected: &str) {
    let left_out = left_out(queries).await;
    assert!(left_out.len() == 1 && left_out[0].starts_with(expected), "{left_out:#?}");
}

#[rstest]
// 'paid' needs a time, which this statement does not set.
#[case::value("-- name: a\nUPDATE orders SET status = :status WHERE id = :id AND status <> 'paid'")]
#[case::constant(
    "-- name: a\nINSERT INTO orders (customer_id, status, paid_at) VALUES (:c, 'paid', \
    :paid_at)"
)]
#[case::omitted("-- name: a\nINSERT INTO orders (customer_id, status) VALUES (:c, :status)")]
#[case::unique("-- name: a\nINSERT INTO customers (name, email) VALUES (:n, :e), (:m, :f)")]
#[case::key("-- name: a\nINSERT INTO customers (id, name, email) VALUES ($1, $2, $3)")]
#[case::shared(
    "-- name: a\nINSERT INTO orders (id, customer_id, status) VALUES (:id, :c, 'new'); \
    INSERT INTO seats (place, seat) VALUES (:id, :seat)"
)]
#[case::made(
    "-- name: a\nWITH o AS (INSERT INTO orders (customer_id, status) VALUES (:c, 'new') \
    RETURNING id) INSERT INTO seats (place, seat) SELECT o.id, 1 FROM o"
)]
#[tokio::test(flavor = "multi_thread")]
async fn values_are_such_that_the_tables_take_them(#[case] queries: &str) {
    assert_eq!(left_out(queries).await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_statement_that_can_be_used_there_is_no_scenario() {
    let queries = "-- name: a\nSELECT 1 FROM nowhere;\n-- name: b\nSELECT nme FROM orders";
    let made = inferred::make_with(15, SMALL, 100, Some(own(queries))).await;
    let error = made.expect_err("no scenario");
    assert_eq!(error.fault(), Fault::Input);
    let text = error.to_string();
    assert!(text.contains("none of them can be used"), "{text}");
    assert!(
        text.contains("queries.sql:2:15: a: ") && text.contains("queries.sql:4:8: b: "),
        "{text}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn ones_own_statements_can_be_beside_the_inferred_ones() {
    let text = "-- name: mine\n-- weight: 3\nSELECT id FROM orders WHERE id = :id";
    let beside = OwnQueries { adds: true, ..own(text) };
    let made = inferred::make_with(15, SMALL, 300, Some(beside)).await.expect("made");
    let scenario = example::load(&made.files).expect("a scenario that is taken");
    let operations = &scenario.traffic.operations;
    let (mine, others): (Vec<_>, Vec<_>) = operations.iter().partition(|o| o.name == "mine");
    let sum = |of: &[&pgauntlet::scenario::OperationSpec]| of.iter().map(|o| o.weight).sum::<f64>();
    assert!(mine.len() == 1 && others.len() > 5, "{}", operations.len());
    assert!((sum(&mine) / sum(&others) - 1.0).abs() < 0.01, "half of the traffic is one's own");
}

/// What an application sends: how often, and a statement.
const SENT: &[(usize, &str)] = &[
    (40, "SELECT id, status FROM orders WHERE id = 7"),
    (
        20,
        "SELECT o.id, c.name FROM orders o JOIN customers c ON c.id = o.customer_id \
         WHERE c.email = 'ada@example.org' AND o.status IN ('new', 'paid') LIMIT 5",
    ),
    (10, "UPDATE customers SET name = 'Ada' WHERE id = 1"),
    (10, "SELECT count(*) FROM orders WHERE paid_at > now() - interval '1 day'"),
    (5, "INSERT INTO orders (customer_id, status) SELECT id, 'new' FROM customers WHERE id = 1"),
    (3, "INSERT INTO seats (place, seat) VALUES (1, 2) ON CONFLICT DO NOTHING"),
    (2, "SELECT a.id FROM gone a WHERE a.id = 4"),
    (2, "SELECT note FROM orders WHERE id = 4"),
    (9, "SELECT relname FROM pg_class WHERE oid = 1259"),
];

/// A database in which statements are counted, after an application has run.
async fn counted(major: u32) -> Address {
    let preloaded = [("shared_preload_libraries", "pg_stat_statements")];
    let address = common::server_of_with(major, &preloaded).await.fresh_database().await;
    let session = Session::open(&address, "test", &BTreeMap::new()).await.expect("a session");
    let more = "CREATE EXTENSION pg_stat_statements; CREATE TABLE gone (id int);
        ALTER TABLE orders ADD note text; INSERT INTO customers (name, email) VALUES ('a', 'b');
        INSERT INTO orders (customer_id, status) VALUES (1, 'new');";
    session.batch(SMALL).await.expect("the schema");
    session.batch(more).await.expect("what only the database has");
    session.batch("SELECT pg_stat_statements_reset()").await.expect("a new count");
    for (times, sql) in SENT {
        for _ in 0..*times {
            session
                .client()
                .query(*sql, &[])
                .await
                .unwrap_or_else(|error| panic!("{sql}: {error}"));
        }
    }
    address
}

#[rstest]
#[case::of_14(14)]
#[case::of_18(18)]
#[tokio::test(flavor = "multi_thread")]
async fn the_most_frequent_statements_of_a_database_are_the_traffic(#[case] major: u32) {
    let address = counted(major).await;
    let recorded = OwnQueries { source: OwnSource::Recorded(&address), adds: false };
    let made = inferred::make_with(major, SMALL, 300, Some(recorded)).await.expect("made");
    let scenario = example::load(&made.files).expect("a scenario that is taken");
    let operations = &scenario.traffic.operations;
    let found: Vec<(&str, f64)> = operations.iter().map(|o| (o.name.as_str(), o.weight)).collect();
    let expected = [
        ("select-orders", 10_000.0),
        ("select-orders-2", 5_000.0),
        ("select-orders-3", 2_500.0),
        ("update-customers", 2_500.0),
        ("insert-orders", 1_250.0),
        ("insert-seats", 750.0),
    ];
    let sorted = |list: &[(&str, f64)]| {
        let mut list: Vec<String> = list.iter().map(|(name, w)| format!("{name} {w}")).collect();
        list.sort();
        list
    };
    assert_eq!(sorted(&found), sorted(&expected), "{:#?}", made.left_out);
    let refused = made.left_out.iter().map(String::as_str).collect::<Vec<_>>();
    assert!(
        matches!(refused.as_slice(), [one] if one.starts_with("pg_stat_statements, 2 calls: \
            SELECT note FROM orders WHERE id = $1: the server does not take it: column \"note\"")),
        "{refused:#?}"
    );
    let outcomes = inferred::driven(major, &scenario, DRIVEN_EACH).await;
    for (name, _) in &found {
        let of = outcomes.get(*name).cloned().unwrap_or_default();
        assert!(of.succeeded > 0 && of.failed.is_empty(), "{name}: {of:?}");
    }
}

#[rstest]
#[case::nowhere("", &[], "the extension is not there; add pg_stat_statements to \
    shared_preload_libraries, restart the server, CREATE EXTENSION")]
#[case::not_loaded("CREATE EXTENSION pg_stat_statements", &[], "name it there and restart")]
#[case::of_others("CREATE EXTENSION pg_stat_statements", &[("shared_preload_libraries",
    "pg_stat_statements")], "none of its ")]
#[tokio::test(flavor = "multi_thread")]
async fn where_no_statements_are_counted_it_is_said_what_to_do(
    #[case] prepared: &str,
    #[case] settings: &[(&str, &str)],
    #[case] expected: &str,
) {
    let address = common::server_of_with(18, settings).await.fresh_database().await;
    let session = Session::open(&address, "test", &BTreeMap::new()).await.expect("a session");
    session.batch(prepared).await.expect("the extension");
    let recorded = OwnQueries { source: OwnSource::Recorded(&address), adds: false };
    let made = inferred::make_with(18, SMALL, 100, Some(recorded)).await;
    let error = made.expect_err("no scenario").to_string();
    assert!(error.contains("pg_stat_statements") && error.contains(expected), "{error}");
}
