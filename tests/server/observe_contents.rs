//! What is in the tables: equal rows give equal digests wherever they lie, other rows other ones.

use std::collections::BTreeMap;

use pgauntlet::connect::{Address, Session};
use pgauntlet::history::TableContents;
use pgauntlet::observe::{self, Written};
use rstest::rstest;

use crate::common;
use crate::traffic::{World, insert, pool, scenario, until, update};

const TABLES: &str = r#"
    CREATE TABLE t (n int, note text, at timestamptz DEFAULT '2025-01-01', j json, blob bytea);
    INSERT INTO t SELECT n, 'note ' || n, '2025-01-01', '{"a" : 1}', '\x00'
        FROM generate_series(1, 100) n;
    CREATE TABLE other (n int);
    INSERT INTO other SELECT generate_series(1, 7);
"#;

async fn with(sql: &str) -> (Address, Session) {
    with_on(common::fresh_database().await, sql).await
}

async fn with_on(address: Address, sql: &str) -> (Address, Session) {
    let session = Session::open(&address, "test", &BTreeMap::new()).await.expect("a session");
    session.batch(sql).await.expect("tables");
    (address, session)
}

type Tables = BTreeMap<String, TableContents>;

async fn contents(address: &Address, written: &[Written]) -> Tables {
    let digested = |table: &str| table != "public.other";
    let read = observe::contents(address, &digested, written).await;
    read.unwrap_or_else(|e| panic!("failed to {e}"))
}

fn written(table: &str, key_column: &str, keys: &[&str]) -> Written {
    let keys = keys.iter().map(|key| (*key).to_owned()).collect();
    Written { table: table.to_owned(), key_column: key_column.to_owned(), keys }
}

fn rows(tables: &Tables) -> Vec<(&str, u64)> {
    tables.iter().map(|(name, contents)| (name.as_str(), contents.rows)).collect()
}

#[rstest]
#[tokio::test]
async fn only_the_tables_that_are_asked_for_have_a_digest_and_all_have_their_rows(
    #[values(14, 15, 16, 17, 18)] major: u32,
) {
    let (address, _) = with_on(common::fresh_database_of(major).await, TABLES).await;
    let tables = contents(&address, &[written("t", "n", &["101"])]).await;
    assert_eq!(rows(&tables), [("public.other", 7), ("public.t", 100)]);
    assert_eq!(tables["public.other"].digest, None);
    assert!(tables["public.t"].digest.is_some());
}

#[rstest]
#[case::other_settings(
    "DO $$ BEGIN
         EXECUTE format('ALTER DATABASE %I SET DateStyle = German', current_database());
         EXECUTE format('ALTER DATABASE %I SET bytea_output = escape', current_database());
     END $$"
)]
#[case::other_places("CREATE INDEX i ON t ((n % 7)); CLUSTER t USING i")]
#[case::new_versions_of_rows("UPDATE t SET n = n WHERE n % 2 = 0; UPDATE t SET note = note")]
#[case::a_copy_in_another_order(
    "CREATE TABLE c AS SELECT * FROM t; TRUNCATE t; INSERT INTO t SELECT * FROM c ORDER BY n DESC;
     DROP TABLE c"
)]
#[case::columns_in_another_order(
    "ALTER TABLE t RENAME note TO old; ALTER TABLE t ADD note text;
    UPDATE t SET note = old; ALTER TABLE t DROP old"
)]
#[tokio::test]
async fn a_digest_is_of_the_rows_and_not_of_their_places(#[case] moves: &str) {
    let (address, session) = with(TABLES).await;
    let before = contents(&address, &[]).await;
    session.batch(moves).await.expect("the same rows elsewhere");
    assert_eq!(contents(&address, &[]).await, before);
}

#[rstest]
#[case::one_byte("UPDATE t SET note = 'Note 50' WHERE n = 50")]
#[case::a_space_in_json(r#"UPDATE t SET j = '{"a": 1}' WHERE n = 50"#)]
#[case::two_values_that_changed_places(
    "UPDATE t SET note = CASE n WHEN 1 THEN 'note 2' ELSE 'note 1' END WHERE n IN (1, 2)"
)]
#[case::a_value_in_another_column("UPDATE t SET note = NULL, j = '1' WHERE n = 50")]
#[case::a_row_twice_and_another_gone(
    "DELETE FROM t WHERE n = 1; INSERT INTO t SELECT * FROM t WHERE n = 2"
)]
#[tokio::test]
async fn a_digest_differs_where_a_row_does(#[case] changes: &str) {
    let (address, session) = with(TABLES).await;
    let before = contents(&address, &[]).await;
    session.batch(changes).await.expect("a change");
    let after = contents(&address, &[]).await;
    assert_eq!(after["public.t"].rows, 100, "the number of rows does not tell");
    assert_ne!(after["public.t"].digest, before["public.t"].digest);
}

#[tokio::test]
async fn null_an_empty_text_and_no_rows_are_three_digests() {
    let (address, session) = with("CREATE TABLE t (note text); CREATE TABLE u ()").await;
    let empty = contents(&address, &[]).await;
    session.batch("INSERT INTO t VALUES (NULL)").await.expect("a row");
    let null = contents(&address, &[]).await;
    session.batch("UPDATE t SET note = ''").await.expect("a text");
    let text = contents(&address, &[]).await;
    let digest = |tables: &Tables| tables["public.t"].digest.clone();
    assert_ne!(digest(&empty), digest(&null));
    assert_ne!(digest(&null), digest(&text));
    assert_eq!(rows(&empty), [("public.t", 0), ("public.u", 0)]);
}

#[tokio::test]
async fn a_row_that_is_there_twice_is_not_one_that_is_there_once() {
    let (address, session) = with(TABLES).await;
    let before = contents(&address, &[]).await;
    session.batch("INSERT INTO t SELECT * FROM t WHERE n = 1").await.expect("a row");
    let twice = contents(&address, &[]).await;
    session.batch("INSERT INTO t SELECT * FROM t WHERE n = 1").await.expect("two rows");
    let four_times = contents(&address, &[]).await;
    assert_eq!((twice["public.t"].rows, four_times["public.t"].rows), (101, 103));
    assert_ne!(twice["public.t"].digest, before["public.t"].digest);
    assert_ne!(four_times["public.t"].digest, before["public.t"].digest);
}

#[tokio::test]
async fn rows_that_the_application_wrote_count_for_nothing() {
    let (address, session) = with(TABLES).await;
    let before = contents(&address, &[]).await;
    let own = "INSERT INTO t (n, note) VALUES (1000, 'a'), (1001, 'b'), (-1, 'c');
               INSERT INTO other VALUES (1000)";
    session.batch(own).await.expect("rows");
    let keys = ["1000", "1001", "1002"];
    let without = [
        written("t", "n", &keys),
        written("public.t", "note", &["c", "no such note"]),
        written("other", "n", &keys),
        written("dropped", "id", &["1"]),
        written("t", "no such column", &[]),
    ];
    assert_eq!(contents(&address, &without).await, before);
    assert_ne!(contents(&address, &without[..1]).await, before);
    let misspelt = [written("t", "m", &["1"])];
    let error = observe::contents(&address, &|_| true, &misspelt).await.expect_err("no column m");
    let error = error.to_string();
    assert!(error.starts_with("read what is in the tables (public.t): run"), "{error}");
    assert!(error.contains("m does not exist (42703"), "{error}");
}

#[tokio::test]
async fn a_null_key_is_nobody_s_and_stays() {
    let (address, _) = with("CREATE TABLE t (id text); INSERT INTO t VALUES (NULL), ('a')").await;
    let without = [written("t", "id", &["a", "b"])];
    assert_eq!(rows(&contents(&address, &without).await), [("public.t", 1)]);
}

#[tokio::test]
async fn a_partitioned_table_counts_once_and_its_name_stands_for_its_partitions() {
    let sql = "
        CREATE SCHEMA \"Odd\";
        CREATE TABLE \"Odd\".\"Logs\" (n int, line text) PARTITION BY RANGE (n);
        CREATE TABLE \"Odd\".low PARTITION OF \"Odd\".\"Logs\" FOR VALUES FROM (0) TO (10)
            PARTITION BY RANGE (n);
        CREATE TABLE \"Odd\".lowest PARTITION OF \"Odd\".low FOR VALUES FROM (0) TO (5);
        CREATE TABLE \"Odd\".high PARTITION OF \"Odd\".\"Logs\" FOR VALUES FROM (10) TO (20);
        INSERT INTO \"Odd\".\"Logs\" SELECT n % 5 + n / 5 * 10, 'x' FROM generate_series(0, 9) n;
        CREATE TABLE parent (n int);
        CREATE TABLE child () INHERITS (parent);
        INSERT INTO parent VALUES (1);
        INSERT INTO child VALUES (2), (3);
        CREATE TEMPORARY TABLE passing AS SELECT 1;
        CREATE VIEW seen AS SELECT * FROM parent;
        CREATE UNLOGGED TABLE scratch (n int);";
    let (address, _session) = with(sql).await;
    let digested = |table: &str| table == "\"Odd\".\"Logs\"";
    let without = [written("Odd.Logs", "n", &["3", "14"])];
    let read = observe::contents(&address, &digested, &without).await;
    let tables = read.unwrap_or_else(|e| panic!("failed to {e}"));
    let expected = [
        ("\"Odd\".high", 4),
        ("\"Odd\".lowest", 4),
        ("public.child", 2),
        ("public.parent", 1),
        ("public.scratch", 0),
    ];
    assert_eq!(rows(&tables), expected);
    let with_digest: Vec<bool> = tables.values().map(|found| found.digest.is_some()).collect();
    assert_eq!(with_digest, [true, true, false, false, false]);
}

#[tokio::test]
async fn a_large_table_has_the_digest_of_its_rows_however_many_processes_read_it() {
    let sql = "CREATE TABLE t AS SELECT n, md5(n::text) AS note FROM generate_series(1, 300000) n;
               ANALYZE t";
    let (address, session) = with(sql).await;
    let divided = contents(&address, &[written("t", "n", &["7", "300000"])]).await;
    let alone = "ALTER TABLE t SET (parallel_workers = 0); DELETE FROM t WHERE n IN (7, 300000)";
    session.batch(alone).await.expect("one process");
    assert_eq!(contents(&address, &[]).await, divided);
    assert_eq!(divided["public.t"].rows, 299_998);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_ledger_names_the_rows_that_operations_wrote() {
    let operations = vec![insert("insert"), update("update", "insert")];
    let scenario = scenario(400.0, pool(3, 3, 10_000), operations);
    let table = "CREATE TABLE t (id text, value integer); INSERT INTO t VALUES ('seeded', 1)";
    let world = World::new(common::fresh_database().await, table, scenario).await;
    let before = contents(&world.address, &[]).await;
    let driving = world.start().await;
    until("rows were written", async || world.count("SELECT count(*) FROM t").await > 20).await;
    let stopped = driving.stop().await;
    let named = stopped.ledger.written(&world.scenario.traffic.operations);
    let written = |(table, key_column, keys)| Written { table, key_column, keys };
    let written: Vec<Written> = named.into_iter().map(written).collect();
    assert_eq!(written.len(), 1, "one table by one key column");
    let with_them = contents(&world.address, &[]).await;
    assert!(with_them["public.t"].rows > 20, "{with_them:?}");
    assert_eq!(contents(&world.address, &written).await, before);
}
