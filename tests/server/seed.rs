//! Seeding against a real server: the same rows every time, templates that are found again and
//! never mistaken, copies of their own.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use pgauntlet::connect::{Address, Session};
use pgauntlet::history::{Listener, Progress, ServerFacts, silent};
use pgauntlet::scenario::{Generator, Scenario, Table};
use pgauntlet::seed::{self, Error, Plan, Template};

use crate::common;
use crate::spans;

const SPANS: u64 = 25_000;
const VERSION_NUM: &str = "SELECT current_setting('server_version_num')::int";

async fn server() -> (Address, ServerFacts) {
    server_with(&[]).await
}

async fn server_with(settings: &[(&str, &str)]) -> (Address, ServerFacts) {
    let server = common::server_with(settings).await.address;
    let version_num: i32 = one(&server, VERSION_NUM).await;
    let facts = ServerFacts { version_num: version_num.unsigned_abs(), ..ServerFacts::default() };
    (server, facts)
}

async fn open(address: &Address) -> Session {
    Session::open(address, "test", &BTreeMap::new()).await.expect("a session")
}

async fn one<T>(address: &Address, sql: &str) -> T
where
    T: for<'a> tokio_postgres::types::FromSql<'a>,
{
    open(address).await.client().query_one(sql, &[]).await.expect(sql).get(0)
}

async fn run(address: &Address, sql: &str) {
    open(address).await.batch(sql).await.expect(sql);
}

async fn template(server: &(Address, ServerFacts), plan: &Plan<'_>) -> Result<Template, Error> {
    seed::template(&server.0, &server.1, plan, true, &silent()).await
}

async fn copy(server: &(Address, ServerFacts), template: &Template, name: &str) -> Address {
    let copied = seed::copy(&server.0, template, name, server.1.version_num).await;
    copied.expect("a copy of the template")
}

fn plan(scenario: &Scenario, spans: u64, loaders: usize) -> Plan<'_> {
    Plan { scenario, sizes: spans::sizes(spans), loaders, catalogue: None }
}

/// Every value of every row, whatever the rows' order.
async fn digest(database: &Address) -> (i64, String) {
    let of = |table: &str| {
        format!("SELECT count(*), sum(hashtextextended(t::text, 0)::numeric) FROM {table} t")
    };
    let sql = format!(
        "SELECT a.count + b.count, a.sum::text || ' ' || b.sum::text FROM ({}) a, ({}) b",
        of("spans"),
        of("tasks")
    );
    let session = open(database).await;
    let row = session.client().query_one(&sql, &[]).await.expect("a digest");
    (row.get(0), row.get(1))
}

async fn databases(server: &Address, like: &str) -> i64 {
    let sql = format!("SELECT count(*) FROM pg_database WHERE datname LIKE '{like}'");
    one(server, &sql).await
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_do_not_depend_on_the_number_of_loaders() {
    let scenario = spans::scenario(1);
    let mut digests = Vec::new();
    for loaders in 1..=3 {
        let database = common::fresh_database().await;
        for statement in &scenario.schema.statements {
            run(&database, &statement.text).await;
        }
        let rows = seed::load(&database, &plan(&scenario, SPANS, loaders), &silent()).await;
        assert_eq!(rows.expect("a load"), SPANS + SPANS / 100);
        digests.push(digest(&database).await);
    }
    assert_eq!(digests[0].0 as u64, SPANS + SPANS / 100);
    assert!(digests.iter().all(|digest| *digest == digests[0]), "{digests:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_is_vacuumed_indexed_and_closed() {
    let server = server().await;
    let scenario = spans::scenario(2);
    let made = template(&server, &plan(&scenario, SPANS, 2)).await.expect("a template");
    assert!(!made.reused && made.bytes > SPANS * 500, "{made:?}");
    let sql = format!(
        "SELECT datistemplate AND NOT datallowconn FROM pg_database WHERE datname = '{}'",
        made.database
    );
    assert!(one::<bool>(&server.0, &sql).await);

    let database = copy(&server, &made, "pgauntlet_seed_vacuumed").await;
    let counted = "SELECT concat_ws(' ', relpages - relallvisible, reltuples) FROM pg_class
                   WHERE relname = 'spans'";
    assert_eq!(one::<String>(&database, counted).await, "0 25000");
    let indexes = "SELECT count(*) FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
                   WHERE c.relname IN ('spans', 'tasks') AND indisvalid";
    assert_eq!(one::<i64>(&database, indexes).await, 7);
    let hits = "SELECT avg((EXISTS (SELECT FROM tasks t WHERE t.id = s.trace_id))::int)::float8
                FROM spans s";
    let hit_rate: f64 = one(&database, hits).await;
    assert!((hit_rate - 0.9).abs() < 0.02, "{hit_rate}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_is_reused_by_its_key_and_by_nothing_else() {
    let server = server().await;
    let scenario = spans::scenario(3);
    let first = template(&server, &plan(&scenario, 300, 2)).await.expect("a template");
    let again = template(&server, &plan(&scenario, 300, 1)).await.expect("the same template");
    assert!(again.reused);
    assert_eq!(
        (&again.database, &again.key, again.bytes),
        (&first.database, &first.key, first.bytes)
    );

    let mut other_schema = scenario.clone();
    other_schema.schema.statements[1].text.push_str(" WITH (fillfactor = 90)");
    let mut other_generator = scenario.clone();
    other_generator.tables[1].columns[4].null_fraction = 0.5;
    let mut fewer_indexes = scenario.clone();
    fewer_indexes.indexes.statements.pop();
    let others = [(spans::scenario(4), 300), (scenario, 301), (other_schema, 300)];
    for (other, size) in others.into_iter().chain([(fewer_indexes, 300)]) {
        let made = template(&server, &plan(&other, size, 2)).await.expect("another template");
        assert!(!made.reused && made.database != first.database, "{made:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_with_a_template_s_name_and_another_key_is_not_trusted() {
    let server = server().await;
    let scenario = spans::scenario(5);
    let made = template(&server, &plan(&scenario, 300, 2)).await.expect("a template");
    let short = &made.key[..16];
    let texts = r#""scenario":"","created":"","last_used":"""#;
    let label = format!(r#"{{"pgauntlet_template":1,"key":"{short}","bytes":1,{texts}}}"#);
    run(&server.0, &format!("COMMENT ON DATABASE {} IS '{label}'", made.database)).await;
    let again = template(&server, &plan(&scenario, 300, 2)).await.expect("a template");
    assert!(!again.reused);
    assert_eq!(again.database, made.database);
}

#[tokio::test(flavor = "multi_thread")]
async fn copies_are_writable_and_apart() {
    let server = server().await;
    let scenario = spans::scenario(6);
    let made = template(&server, &plan(&scenario, 300, 2)).await.expect("a template");
    let first = copy(&server, &made, "pgauntlet_seed_copy_1").await;
    let second = copy(&server, &made, "pgauntlet_seed_copy_2").await;
    let untouched = digest(&second).await;
    assert_eq!(digest(&first).await, untouched);
    run(&first, "DELETE FROM spans; UPDATE tasks SET status_reason = 'gone'").await;
    assert_eq!(digest(&second).await, untouched);

    // One of them has a session: it is ended, nothing waits.
    let held = open(&first).await;
    for database in ["pgauntlet_seed_copy_1", "pgauntlet_seed_copy_2"] {
        seed::drop_database(&server.0, database).await.expect("a drop");
    }
    drop(held);
    assert_eq!(databases(&server.0, "pgauntlet_seed_copy%").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_databases_of_ours_are_created_and_dropped() {
    let server = server().await;
    run(&server.0, "CREATE DATABASE somebody_elses").await;
    let dropped = seed::drop_database(&server.0, "somebody_elses").await;
    assert!(matches!(dropped, Err(Error::NotOurs { .. })), "{dropped:?}");
    assert_eq!(databases(&server.0, "somebody_elses").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_generator_that_does_not_fit_its_column_is_an_error_that_names_both() {
    // A server of its own: nobody else is half done there.
    let server = server_with(&[("work_mem", "6MB")]).await;
    let mut scenario = spans::scenario(7);
    let words = Generator::Constant { value: "four".to_owned() };
    scenario.schema.statements[2].text =
        spans::SPANS_SQL.replace("parent_id varchar", "parent_id int");
    scenario.tables[1].columns[2] = spans::column("parent_id", 0.5, words);
    let error = template(&server, &plan(&scenario, 300, 2)).await.expect_err("four is no int");
    let told = error.to_string();
    assert!(told.contains("spans.parent_id") && told.contains("integer"), "{told}");
    assert_eq!(databases(&server.0, "pgauntlet_seeding_%").await, 0, "it is cleaned up");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_the_server_refuses_is_an_error_that_names_the_column() {
    let server = server().await;
    let mut scenario = spans::scenario(8);
    let narrow = spans::SPANS_SQL.replace("name varchar", "name varchar(4)");
    scenario.schema.statements[2].text = narrow;
    let error = template(&server, &plan(&scenario, SPANS, 2)).await.expect_err("too long");
    let told = error.to_string();
    assert!(
        told.starts_with("fill spans: value too long") && told.contains("column name"),
        "{told}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_in_a_script_names_file_line_and_sqlstate() {
    let server = server().await;
    let mut scenario = spans::scenario(9);
    scenario.indexes.statements[4].text = "CREATE INDEX ix ON spans (no_such_column)".to_owned();
    let error = template(&server, &plan(&scenario, 300, 2)).await.expect_err("no such column");
    let told = error.to_string();
    let whole = told.starts_with("run indexes.sql:5: ") && told.contains("42703");
    assert!(whole, "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_or_column_that_is_not_there_is_named() {
    let server = server().await;
    let mut scenario = spans::scenario(10);
    scenario.tables[1].columns[1].name = "trace".to_owned();
    let told = template(&server, &plan(&scenario, 300, 2)).await.expect_err("none").to_string();
    assert!(told.contains("spans.trace:") && told.contains("trace_id"), "{told}");
    scenario.tables[1].name = "span".to_owned();
    let told = template(&server, &plan(&scenario, 300, 2)).await.expect_err("none").to_string();
    assert!(told.starts_with("fill span:"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_process_left_half_made_is_dropped() {
    let server = server().await;
    let dead = "pgauntlet_seeding_0123456789abcdef";
    let live = "pgauntlet_seeding_0000000000000001";
    run(&server.0, &format!("CREATE DATABASE {dead}")).await;
    run(&server.0, &format!("CREATE DATABASE {live}")).await;
    let maker = open(&server.0).await;
    maker.batch("SELECT pg_advisory_lock(1)").await.expect("the maker's lock");

    let scenario = spans::scenario(11);
    template(&server, &plan(&scenario, 300, 2)).await.expect("a template");
    assert_eq!(databases(&server.0, dead).await, 0);
    assert_eq!(databases(&server.0, live).await, 1, "its maker lives");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_that_want_the_same_template_make_it_once() {
    let server = server().await;
    let scenario = spans::scenario(12);
    let (plan_a, plan_b) = (plan(&scenario, 3_000, 1), plan(&scenario, 3_000, 1));
    let (a, b) = tokio::join!(template(&server, &plan_a), template(&server, &plan_b));
    let (a, b) = (a.expect("a template"), b.expect("a template"));
    assert_eq!(a.database, b.database);
    assert!(a.reused != b.reused, "{a:?} {b:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_least_recently_used_template_is_evicted_first() {
    // A server of its own: other tests count on their templates.
    let server = server_with(&[("work_mem", "5MB")]).await;
    let scenarios = [13, 14, 15].map(spans::scenario);
    let mut made = Vec::new();
    for scenario in &scenarios {
        made.push(template(&server, &plan(scenario, 300, 1)).await.expect("a template"));
    }
    template(&server, &plan(&scenarios[0], 300, 1)).await.expect("used once more");
    let cached = seed::cached(&server.0).await.expect("a list");
    assert_eq!(cached.len(), 3);
    assert!(cached.iter().all(|c| c.scenario == "spans"), "{cached:?}");

    let total: u64 = cached.iter().map(|c| c.bytes).sum();
    let none = seed::evict(&server.0, total, &made[0].key).await.expect("nothing to do");
    assert_eq!(none, []);
    let one = seed::evict(&server.0, total - 1, &made[0].key).await.expect("an eviction");
    assert_eq!(one.iter().map(|c| &c.key).collect::<Vec<_>>(), [&made[1].key]);
    let rest = seed::evict(&server.0, 0, &made[2].key).await.expect("an eviction");
    assert_eq!(rest.iter().map(|c| &c.key).collect::<Vec<_>>(), [&made[0].key], "one is kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_type_takes_its_values_and_others_go_as_text() {
    let mut scenario = spans::scenario(16);
    let types = [
        ("a", "bigint", Generator::Serial),
        ("b", "smallint", Generator::Integer { min: -5, max: 5 }),
        ("c", "uuid", Generator::Uuid),
        ("d", "boolean", Generator::Constant { value: "true".to_owned() }),
        ("e", "timestamp", Generator::Now),
        ("f", "date", Generator::Constant { value: "2024-02-29".to_owned() }),
        ("g", "real", Generator::Integer { min: 1, max: 9 }),
        ("h", "double precision", Generator::Constant { value: "1.5".to_owned() }),
        ("i", "mood", Generator::Constant { value: "fine".to_owned() }),
        ("j", "wide", Generator::Json { min_bytes: 20, max_bytes: 90 }),
        ("k", "jsonb", Generator::Json { min_bytes: 20, max_bytes: 90 }),
        ("l", "text", Generator::Constant { value: "a\tb\\c\n".to_owned() }),
    ];
    // The same columns, and one more for which there is no binary encoder.
    let declared = types.each_ref().map(|(name, kind, _)| format!("{name} {kind}")).join(", ");
    let columns = types.map(|(name, _, generator)| spans::column(name, 0.0, generator)).to_vec();
    let numeric = spans::column("m", 0.0, Generator::Integer { min: 3, max: 3 });
    let mut more = columns.clone();
    more.push(numeric);
    let database = common::fresh_database().await;
    run(
        &database,
        &format!(
            "CREATE TYPE mood AS ENUM ('fine');
             CREATE DOMAIN wide AS text CHECK (length(value) > 5);
             CREATE TABLE binary_rows ({declared}); CREATE TABLE text_rows ({declared}, m numeric);
             CREATE TABLE bare (id serial)"
        ),
    )
    .await;
    let table = |name: &str, columns| Table {
        name: name.to_owned(),
        rows: 100,
        columns,
        asked: None,
        unfilled: BTreeMap::new(),
        fitted: Vec::new(),
    };
    let tables = [("binary_rows", columns), ("text_rows", more), ("bare", vec![])];
    scenario.tables = tables.map(|(name, columns)| table(name, columns)).to_vec();
    let plan =
        Plan { scenario: &scenario, sizes: scenario.declared_sizes(), loaders: 1, catalogue: None };
    seed::load(&database, &plan, &silent()).await.expect("a load");
    for table in ["binary_rows", "text_rows"] {
        let sql = format!(
            "SELECT count(*) FROM {table} WHERE a BETWEEN 1 AND 100 AND b BETWEEN -5 AND 5
             AND c IS NOT NULL AND d AND e > now() - interval '1 hour' AND f = '2024-02-29'
             AND g BETWEEN 1 AND 9 AND h = 1.5 AND i = 'fine' AND length(j) BETWEEN 20 AND 90
             AND jsonb_typeof(k) = 'object' AND l = E'a\\tb\\\\c\\n'"
        );
        assert_eq!(one::<i64>(&database, &sql).await, 100, "{table}");
    }
    assert_eq!(one::<i64>(&database, "SELECT count(*) FROM text_rows WHERE m = 3").await, 100);
    assert_eq!(one::<i64>(&database, "SELECT max(id)::int8 FROM bare").await, 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_hears_the_steps_and_the_rows() {
    let server = server().await;
    let heard = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&heard);
    let listener: Listener = Arc::new(move |p| sink.lock().expect("no panic").push(p));
    let scenario = spans::scenario(17);
    let plan = plan(&scenario, 12_000, 2);
    seed::template(&server.0, &server.1, &plan, true, &listener).await.expect("a template");
    let heard = heard.lock().expect("no panic").clone();
    let whole = Progress::Seeding { table: "spans".to_owned(), rows: 12_000, of: 12_000 };
    assert!(heard.contains(&whole), "{heard:?}");
    let step = |text: &str| {
        heard.iter().any(|p| matches!(p, Progress::SeedStep(told) if told.contains(text)))
    };
    assert!(step("create the tables") && step("indexes") && step("vacuum"), "{heard:?}");
}

#[test]
fn the_estimate_is_near_the_size_of_a_row() {
    let scenario = spans::scenario(1);
    let per_row = seed::estimated_bytes(&plan(&scenario, 1_000_000, 1)) / 1_000_000;
    assert!((700..1_500).contains(&per_row), "{per_row}");
}
