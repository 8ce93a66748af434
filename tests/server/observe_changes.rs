//! What became of the rows of tables: two databases that begin alike, one of which is changed.

use std::collections::BTreeMap;

use pgauntlet::connect::{Address, Session};
use pgauntlet::history::{ColumnChange, ContentsChange, TableChange};
use pgauntlet::observe::{self, ComparedTable, Touch, Updates, Written};
use rstest::rstest;

use crate::common;

const TABLES: &str = r#"
    CREATE TABLE t (id int PRIMARY KEY, note text, n numeric(8, 2), r real, at timestamp, j json);
    INSERT INTO t SELECT g, CASE WHEN g % 2 = 0 THEN 'note ' || g END, g * 1.5, g / 3.0,
                         '2025-01-01', '{"a":1}' FROM generate_series(1, 100) g;
    CREATE TABLE bag (v text, w text);
    INSERT INTO bag SELECT 'v' || g % 10, CASE WHEN g > 50 THEN 'w' END
        FROM generate_series(1, 100) g;
    CREATE TABLE child (id serial PRIMARY KEY, t_id int REFERENCES t);
    INSERT INTO child (t_id) SELECT g FROM generate_series(1, 100) g;
    CREATE TABLE parts (id int, v text) PARTITION BY RANGE (id);
    CREATE TABLE part PARTITION OF parts FOR VALUES FROM (0) TO (1000);
    INSERT INTO parts SELECT g, 'v' FROM generate_series(1, 100) g;
"#;

async fn database(major: u32) -> (Address, Session) {
    let address = common::fresh_database_of(major).await;
    let session = Session::open(&address, "test", &BTreeMap::new()).await.expect("a session");
    session.batch(TABLES).await.expect("tables");
    (address, session)
}

fn table(name: &str) -> ComparedTable {
    ComparedTable {
        numbering: false,
        words: None,
        table: format!("public.{name}"),
        now: Some(format!("public.{name}")),
        partitioned: (name == "parts", name == "parts"),
        touch: Touch::default(),
        rows: true,
        dropped: Vec::new(),
    }
}

async fn compared(change: &str, tables: &[ComparedTable], written: &[Written]) -> ContentsChange {
    compared_on(15, change, tables, written).await
}

async fn compared_on(
    major: u32,
    change: &str,
    tables: &[ComparedTable],
    written: &[Written],
) -> ContentsChange {
    let (before, _) = database(major).await;
    let (after, session) = database(major).await;
    session.batch(change).await.expect(change);
    let found = observe::changes(&before, &after, tables, written).await;
    found.unwrap_or_else(|error| panic!("failed to {error}"))
}

async fn one(change: &str, of: ComparedTable) -> Option<TableChange> {
    compared(change, &[of], &[]).await.tables.into_iter().next()
}

fn column(change: &TableChange, name: &str) -> Option<(u64, u64)> {
    let of = |column: &ColumnChange| (column.changed, column.filled);
    change.columns.iter().find(|column| column.column == name).map(of)
}

#[rstest]
#[case::nothing("SELECT 1")]
#[case::a_column_that_is_new("ALTER TABLE t ADD x int DEFAULT 7; UPDATE t SET x = id")]
#[case::a_column_that_is_dropped("ALTER TABLE t DROP note")]
#[case::wider_numbers("ALTER TABLE t ALTER id TYPE bigint, ALTER n TYPE numeric(20, 6)")]
#[case::a_wider_float("ALTER TABLE t ALTER r TYPE double precision")]
#[case::with_a_time_zone("ALTER TABLE t ALTER at TYPE timestamptz USING at AT TIME ZONE 'UTC'")]
#[case::another_json("ALTER TABLE t ALTER j TYPE jsonb")]
#[case::another_text("ALTER TABLE t ALTER note TYPE varchar")]
#[case::another_file("CLUSTER t USING t_pkey; UPDATE t SET id = id")]
#[case::another_table(
    "CREATE TABLE n (LIKE t); INSERT INTO n SELECT * FROM t ORDER BY id DESC;
     DROP TABLE t CASCADE; ALTER TABLE n RENAME TO t"
)]
#[tokio::test]
async fn what_changes_no_value_is_no_change(#[case] change: &str) {
    assert_eq!(one(change, table("t")).await, None);
}

#[rstest]
#[tokio::test]
async fn rows_with_a_key_are_gone_added_changed_or_filled(
    #[values(14, 15, 16, 17, 18)] major: u32,
) {
    let change = "DELETE FROM child; DELETE FROM t WHERE id <= 3; INSERT INTO t (id) VALUES (200);
                  UPDATE t SET note = 'none' WHERE note IS NULL; UPDATE t SET n = 0 WHERE id = 50";
    let found = compared_on(major, change, &[table("t")], &[]).await;
    let [found] = found.tables.as_slice() else { panic!("{found:?}") };
    assert_eq!((found.rows_before, found.gone, found.added), (100, 3, 1));
    assert_eq!(found.gone_keys.len(), 3, "{:?}", found.gone_keys);
    assert_eq!(column(found, "note"), Some((0, 48)));
    assert_eq!(column(found, "n"), Some((1, 0)));
    let example = found.columns.iter().find_map(|column| column.example.clone());
    let example = example.expect("an example");
    assert_eq!(example.key.as_deref(), Some("50"));
    assert_eq!(
        (example.before.as_deref(), example.after.as_deref()),
        (Some("75.00"), Some("0.00"))
    );
}

#[rstest]
#[case::truncated("TRUNCATE t CASCADE", "t", 100)]
#[case::of_a_partition("DROP TABLE part", "parts", 100)]
#[case::detached("ALTER TABLE parts DETACH PARTITION part", "parts", 100)]
#[case::without_a_key("DELETE FROM bag WHERE v = 'v1'", "bag", 10)]
#[tokio::test]
async fn rows_that_are_removed_are_gone(#[case] change: &str, #[case] of: &str, #[case] rows: u64) {
    assert_eq!(one(change, table(of)).await.map(|change| change.gone), Some(rows));
}

#[tokio::test]
async fn a_table_that_is_gone_takes_its_rows_with_it() {
    let gone = ComparedTable { now: None, ..table("bag") };
    let found = one("DROP TABLE bag", gone).await.expect("a change");
    assert_eq!((found.now, found.gone), (None, 100));
}

#[tokio::test]
async fn values_are_told_apart_from_their_rounding() {
    let found = one("ALTER TABLE t ALTER n TYPE integer", table("t")).await.expect("a change");
    assert_eq!(column(&found, "n"), Some((50, 0)));
}

#[rstest]
#[case::filled("UPDATE bag SET w = 'x' WHERE w IS NULL", (0, 50), 0)]
#[case::changed("UPDATE bag SET w = 'x' WHERE w IS NOT NULL", (50, 0), 0)]
#[tokio::test]
async fn without_a_key_equal_columns_tell_rows_apart(
    #[case] change: &str,
    #[case] values: (u64, u64),
    #[case] replaced: u64,
) {
    let found = one(change, table("bag")).await.expect("a change");
    assert_eq!(column(&found, "w"), Some(values), "{found:?}");
    assert_eq!((found.gone, found.replaced), (0, replaced));
}

#[tokio::test]
async fn what_the_application_wrote_is_left_out() {
    let keys = (1..=5).map(|key| key.to_string()).chain(["300".to_owned()]).collect();
    let written = Written { table: "t".to_owned(), key_column: "id".to_owned(), keys };
    let change = "UPDATE t SET n = 0 WHERE id <= 5; INSERT INTO t (id) VALUES (300)";
    let found = compared(change, &[table("t")], &[written]).await;
    assert_eq!(found.tables, []);
    let touch = Touch { updates: Updates::Of(vec!["n".to_owned()]), ..Touch::default() };
    let touched = ComparedTable { touch, ..table("t") };
    let found = one("UPDATE t SET n = 0, note = 'x' WHERE id = 6", touched).await.expect("one");
    assert_eq!((column(&found, "n"), column(&found, "note")), (None, Some((1, 0))));
    let [both] = found.application_updates.as_slice() else { panic!("{found:?}") };
    assert_eq!((both.column.as_str(), both.changed), ("n", 1));
    // What the change does not name is theirs; so is what only has a value where it had none.
    let touch = Touch { updates: Updates::Of(vec!["n".to_owned()]), ..Touch::default() };
    let words = Some(["note".to_owned()].into());
    let touched = ComparedTable { touch, words, ..table("t") };
    assert_eq!(one("UPDATE t SET n = 0 WHERE id = 6", touched).await, None);
    let touch = Touch { updates: Updates::Of(vec!["note".to_owned()]), ..Touch::default() };
    let touched = ComparedTable { touch, ..table("t") };
    assert_eq!(one("UPDATE t SET note = 'x' WHERE note IS NULL", touched).await, None);
}

/// What another expression makes of the same row is another value, but for rows that the
/// application may have changed.
#[tokio::test]
async fn a_generated_column_with_another_expression_has_other_values() {
    let add = |rounding: &str| {
        format!("ALTER TABLE t ADD total numeric GENERATED ALWAYS AS (round(n, {rounding})) STORED")
    };
    let (before, old) = database(15).await;
    let (after, new) = database(15).await;
    old.batch(&add("2")).await.expect("a column");
    new.batch(&add("0")).await.expect("a column");
    let changes = async |touch: Touch| {
        let of = ComparedTable { touch, ..table("t") };
        let found = observe::changes(&before, &after, &[of], &[]).await;
        found.unwrap_or_else(|error| panic!("failed to {error}")).tables.remove(0)
    };
    assert_eq!(column(&changes(Touch::default()).await, "total"), Some((100, 0)));
    let updates = Updates::Of(vec!["note".to_owned()]);
    let touched = changes(Touch { updates, ..Touch::default() }).await;
    let both: Vec<_> =
        touched.application_updates.iter().map(|c| (&*c.column, c.changed)).collect();
    assert_eq!((column(&touched, "total"), both), (None, vec![("total", 100)]));
}

#[tokio::test]
async fn orphans_of_a_load_without_triggers_are_counted() {
    let change = "ALTER TABLE child DISABLE TRIGGER ALL; INSERT INTO child (t_id) VALUES (7000);
                  ALTER TABLE child ENABLE TRIGGER ALL";
    let found = compared(change, &[table("child")], &[]).await;
    let [orphans] = found.orphans.as_slice() else { panic!("{found:?}") };
    assert_eq!((orphans.table.as_str(), orphans.rows, orphans.before), ("public.child", 1, 0));
    let not_valid = "ALTER TABLE child DROP CONSTRAINT child_t_id_fkey;
                     INSERT INTO child (t_id) VALUES (7000);
                     ALTER TABLE child ADD FOREIGN KEY (t_id) REFERENCES t NOT VALID";
    assert_eq!(compared(not_valid, &[table("child")], &[]).await.orphans, []);
}

/// What tells that a sequence may have been set back, before any row is read.
#[rstest]
#[tokio::test]
async fn where_a_sequence_is_is_in_the_states(#[values(14, 18)] major: u32) {
    let (address, session) = database(major).await;
    let place = async || -> ((i64, bool), u64) {
        let states = observe::states(&address).await.unwrap_or_else(|e| panic!("failed to {e}"));
        let of = states["public.child"].sequences.values().collect::<Vec<_>>();
        let [place] = of.as_slice() else { panic!("{of:?}") };
        (place.at(), place.left)
    };
    let most = 2_u64.pow(31) - 1;
    assert_eq!(place().await, ((100, true), most - 100));
    session.batch("SELECT setval('child_id_seq', 7)").await.expect("setval");
    assert_eq!(place().await, ((7, true), most - 7));
    session.batch("ALTER SEQUENCE child_id_seq RESTART").await.expect("restart");
    assert_eq!(place().await, ((1, false), most));
    for (definition, left) in
        [("MAXVALUE 20 INCREMENT BY 5", 4), ("INCREMENT BY -1 MINVALUE -10", 12)]
    {
        session.batch(&format!("ALTER SEQUENCE child_id_seq {definition}")).await.expect("alter");
        assert_eq!(place().await.1, left, "{definition}");
    }
}

#[tokio::test]
async fn a_sequence_that_begins_anew_is_behind() {
    let change = "CREATE TABLE n (id serial PRIMARY KEY, t_id int);
                  INSERT INTO n SELECT id, t_id FROM child; DROP TABLE child;
                  ALTER TABLE n RENAME TO child";
    let found = compared(change, &[table("child")], &[]).await;
    let [behind] = found.sequences.as_slice() else { panic!("{found:?}") };
    assert_eq!((behind.next.as_str(), behind.reached.as_str()), ("1", "100"));
    let set = format!("{change}; SELECT setval('n_id_seq', 100)");
    assert_eq!(compared(&set, &[table("child")], &[]).await.sequences, []);
}

#[rstest]
#[case::alone("ALTER TABLE t DROP note", None)]
#[case::with_a_copy(
    "ALTER TABLE t ADD label text; UPDATE t SET label = note; ALTER TABLE t DROP note",
    Some("label")
)]
#[case::with_other_values(
    "ALTER TABLE t ADD label text DEFAULT 'x'; ALTER TABLE t DROP note",
    None
)]
#[tokio::test]
async fn a_column_that_is_dropped_had_values(#[case] change: &str, #[case] kept_in: Option<&str>) {
    let asked = ComparedTable { rows: false, dropped: vec!["note".to_owned()], ..table("t") };
    let found = one(change, asked).await.expect("a change");
    let [dropped] = found.dropped.as_slice() else { panic!("{found:?}") };
    assert_eq!((dropped.column.as_str(), dropped.values, found.rows_before), ("note", 50, 100));
    assert_eq!(dropped.kept_in.as_deref(), kept_in);
    assert_eq!((found.gone, found.added, found.columns.len()), (0, 0, 0));
}

#[tokio::test]
async fn a_column_without_values_takes_none_with_it() {
    let asked = ComparedTable { rows: false, dropped: vec!["w".to_owned()], ..table("bag") };
    let (before, session) = database(15).await;
    session.batch("UPDATE bag SET w = NULL").await.expect("no value");
    let (after, session) = database(15).await;
    session.batch("ALTER TABLE bag DROP w").await.expect("no column");
    let found = observe::changes(&before, &after, &[asked], &[]).await.expect("a comparison");
    assert_eq!(found.tables, []);
}
