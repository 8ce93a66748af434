//! Rows that are like those of another database, by its statistics alone.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use assert_cmd::cargo::cargo_bin_cmd;
use pgauntlet::connect::{Address, Session};
use pgauntlet::infer::{ColumnStatistics, Statistics};
use pgauntlet::observe;
use pgauntlet::run::{Like, Source};
use rstest::rstest;

use crate::{common, example, inferred};

/// Longest time for statistics while a table is locked.
const WITHIN: Duration = Duration::from_secs(10);
/// What no file may hold.
const SECRET: &str = "hush-hush";
const ROWS: u64 = 20_000;

const SCHEMA: &str = "
    CREATE TABLE customer (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        reference text UNIQUE,
        tier text,
        region integer NOT NULL,
        state text NOT NULL CHECK (state IN ('new', 'paid', 'gone')),
        score numeric(8,2),
        weight double precision NOT NULL,
        born date NOT NULL,
        active boolean NOT NULL,
        created_at timestamptz NOT NULL,
        CHECK (region > 0)
    );
    CREATE TABLE orders (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        customer_id bigint NOT NULL REFERENCES customer,
        partner_id bigint REFERENCES customer,
        campaign text NOT NULL,
        batch integer NOT NULL,
        amount integer NOT NULL,
        code varchar(40),
        shipped_at timestamptz
    );
    CREATE TABLE event (at timestamptz NOT NULL, kind smallint NOT NULL, size bigint)
        PARTITION BY RANGE (at);
    CREATE TABLE event_old PARTITION OF event FOR VALUES FROM (MINVALUE) TO ('2024-03-01');
    CREATE TABLE event_new PARTITION OF event FOR VALUES FROM ('2024-03-01') TO (MAXVALUE);
";

const CONTENTS: &str = "
    SELECT setseed(0.5);
    INSERT INTO customer
        (reference, tier, region, state, score, weight, born, active, created_at)
    SELECT CASE WHEN i % 5 < 3 THEN 'C-' || i END,
           CASE WHEN i % 10 < 6 THEN 'hush-hush' WHEN i % 10 < 8 THEN 'gold'
                WHEN i % 10 < 9 THEN 'iron' END,
           1 + (power(random(), 4) * 400)::int,
           CASE WHEN i % 20 = 0 THEN 'gone' WHEN i % 6 = 0 THEN 'paid' ELSE 'new' END,
           CASE WHEN random() < 0.7 THEN (100 + random() * 900)::numeric(8,2) END,
           0.01 + random() * 0.2,
           date '1950-01-01' + (random() * 20000)::int,
           random() < 0.9,
           timestamptz '2023-05-01' + i * interval '1 hour'
    FROM generate_series(1, 5000) AS i;
    INSERT INTO orders (customer_id, partner_id, campaign, batch, amount, code, shipped_at)
    SELECT 1 + (power(random(), 6) * 4999)::int,
           CASE WHEN random() < 0.2 THEN 1 + (random() * 99)::int END,
           'campaign ' || (power(random(), 3) * 300)::int,
           1000 + i / 20,
           (5000 + random() * 100000)::int,
           CASE WHEN random() < 0.5 THEN md5(random()::text) END,
           CASE WHEN random() < 0.4
                THEN timestamptz '2024-01-01' + random() * interval '100 days' END
    FROM generate_series(1, 20000) AS i;
    INSERT INTO event
    SELECT timestamptz '2024-01-01' + i * interval '10 minutes', (power(random(), 2) * 9)::int, i
    FROM generate_series(1, 10000) AS i;
    ANALYZE";

/// Columns of which constraints and keys leave the distribution to the statistics.
const COLUMNS: &[(&str, &[&str])] = &[
    (
        "customer",
        &[
            "reference",
            "tier",
            "region",
            "state",
            "score",
            "weight",
            "born",
            "active",
            "created_at",
        ],
    ),
    ("orders", &["customer_id", "partner_id", "campaign", "batch", "amount", "code", "shipped_at"]),
    ("event", &["kind", "size"]),
];

/// Those whose values lie between ends.
const RANGES: &[(&str, &[&str])] = &[
    ("customer", &["region", "score", "weight", "born", "created_at"]),
    ("orders", &["batch", "amount", "shipped_at"]),
    ("event", &["size"]),
];

async fn open(address: &Address) -> Session {
    Session::open(address, "test", &BTreeMap::new()).await.expect("a session")
}

/// A database with rows and their statistics.
async fn original(major: u32) -> (Address, Session) {
    let address = common::fresh_database_of(major).await;
    let session = open(&address).await;
    session.batch(SCHEMA).await.expect("the schema");
    session.batch(CONTENTS).await.expect("its rows");
    (address, session)
}

fn column<'s>(statistics: &'s Statistics, table: &str, column: &str) -> &'s ColumnStatistics {
    let table = statistics.tables.iter().find(|known| known.name == table).expect("the table");
    table.columns.iter().find(|known| known.name == column).expect("the column")
}

fn tuples(statistics: &Statistics, table: &str) -> f64 {
    let of = |name: &str| {
        let known = statistics.tables.iter().find(|known| known.name == name);
        known.and_then(|known| known.tuples).expect("rows")
    };
    if table == "event" { of("event_old") + of("event_new") } else { of(table) }
}

/// What is not near the original, by one column.
fn unlike(
    table: &str,
    was: (&Statistics, &ColumnStatistics),
    is: (&Statistics, &ColumnStatistics),
) -> Vec<String> {
    let count = |(all, own): (&Statistics, &ColumnStatistics)| match own.distinct {
        share if share < 0.0 => -share * tuples(all, table),
        count => count,
    };
    let name = format!("{table}.{}", was.1.name);
    let mut found = Vec::new();
    let nulls = [was.1.null_fraction, is.1.null_fraction];
    if (nulls[0] - nulls[1]).abs() > 0.03 {
        found.push(format!("{name}: NULLs {nulls:?}"));
    }
    let counts = [count(was), count(is)];
    if !(0.5..=2.0).contains(&(counts[1] / counts[0])) {
        found.push(format!("{name}: distinct values {counts:?}"));
    }
    let tops = [was, is].map(|(_, own)| own.frequencies.first().copied().unwrap_or(0.0));
    // What is rare is not in every sample's list.
    if tops[0] > 0.005 && !(0.5..=2.0).contains(&(tops[1] / tops[0])) {
        found.push(format!("{name}: most frequent {tops:?}"));
    }
    let widths = [was.1.width, is.1.width];
    if !(0.5..=2.0).contains(&(widths[1] / widths[0])) {
        found.push(format!("{name}: width {widths:?}"));
    }
    found
}

#[rstest]
#[case::of_15(15)]
#[case::of_18(18)]
#[tokio::test]
async fn seeded_rows_have_the_statistics_of_the_original(#[case] major: u32) {
    let (address, session) = original(major).await;
    let like = Like { source: Source::Database(&address), values: false };
    let made = inferred::make_like(major, SCHEMA, ROWS, Some(like)).await.expect("a scenario");
    let rows = |name: &str| made.tables[name];
    assert_eq!(rows("public.orders"), ROWS);
    assert_eq!((rows("public.customer"), rows("public.event")), (5_000, 10_000));
    let scenario = example::load(&made.files).expect("a scenario that reads");
    let (short, seeded) = inferred::filled(major, &scenario).await.expect("rows");
    assert_eq!(short, [], "no row is refused");
    seeded.batch("ANALYZE").await.expect("statistics");
    let was = observe::statistics(&session, "the original", false).await.expect("statistics");
    let is = observe::statistics(&seeded, "the copy", false).await.expect("statistics");
    let mut faults = Vec::new();
    for (table, columns) in COLUMNS {
        for name in *columns {
            let [was_own, is_own] = [&was, &is].map(|all| column(all, table, name));
            faults.extend(unlike(table, (&was, was_own), (&is, is_own)));
        }
    }
    for (table, columns) in RANGES {
        for name in *columns {
            let sql = format!("SELECT min({name})::text, max({name})::text FROM {table}");
            let row = session.client().query_one(&sql, &[]).await.expect(&sql);
            let (least, most): (String, String) = (row.get(0), row.get(1));
            let sql = format!(
                "SELECT min({name}) >= '{least}' AND max({name}) <= '{most}', \
                 min({name})::text, max({name})::text FROM {table}"
            );
            let row = seeded.client().query_one(&sql, &[]).await.expect(&sql);
            if !row.get::<_, bool>(0) {
                let (from, to): (String, String) = (row.get(1), row.get(2));
                faults.push(format!("{table}.{name}: {from} to {to} beyond {least} to {most}"));
            }
        }
    }
    assert_eq!(faults, [] as [String; 0]);
}

#[tokio::test]
async fn only_catalogues_are_read_and_no_value_is_kept() {
    let (address, session) = original(18).await;
    let scans = "SELECT coalesce(sum(seq_scan + idx_scan), 0)::bigint FROM pg_stat_user_tables";
    let scanned = async || {
        session.batch("SELECT pg_stat_force_next_flush()").await.expect("own counters");
        let row = session.client().query_one(scans, &[]).await.expect(scans);
        row.get::<_, i64>(0)
    };
    let before = scanned().await;
    // Who reads a row waits for this, and gives up.
    let keeper = open(&address).await;
    let lock = "BEGIN; LOCK TABLE customer, orders, event IN ACCESS EXCLUSIVE MODE";
    keeper.batch(lock).await.expect(lock);
    let began = Instant::now();
    let known = observe::statistics_of(&address, false).await.expect("statistics");
    assert!(began.elapsed() < WITHIN, "{:?}", began.elapsed());
    assert!(column(&known, "customer", "tier").common.is_empty());
    assert_eq!(column(&known, "customer", "tier").bounds, None, "no text is read");
    assert!(column(&known, "customer", "born").bounds.is_some());

    let like = |values| Some(Like { source: Source::Database(&address), values });
    let made = inferred::make_like(18, SCHEMA, 1_000, like(false)).await.expect("a scenario");
    keeper.batch("ROLLBACK").await.expect("no lock");
    assert_eq!(scanned().await, before, "tables that were scanned");
    for (name, text) in &made.files {
        assert!(!text.contains(SECRET), "{name} holds a value of a row");
    }
    let line = made.statistics.as_deref().unwrap_or_default();
    assert!(line.contains(address.database()) && !line.contains(SECRET), "{line}");
    let text = &made.files["scenario.toml"];
    let head = format!("# Statistics: {} on {}, read 2", address.database(), address.place());
    assert!(text.starts_with(&head), "{}", &text[..300]);
    assert!(text.contains("# 20,000 rows there, analysed 2"), "{text}");
    assert_eq!((made.tables["public.orders"], made.tables["public.customer"]), (1_000, 250));

    let made = inferred::make_like(18, SCHEMA, 1_000, like(true)).await.expect("a scenario");
    let text = &made.files["scenario.toml"];
    assert!(text.contains(SECRET) && text.contains("values of rows"), "{text}");
    example::load(&made.files).expect("a scenario that reads");
}

#[tokio::test]
async fn a_file_of_statistics_is_read_by_the_server() {
    let schema = "CREATE TABLE customer (id int PRIMARY KEY, tier text, points int NOT NULL);
        CREATE TABLE other (id int PRIMARY KEY)";
    let (path, text) =
        (std::path::Path::new("statistics.sql"), include_str!("../dumps/statistics_18.sql"));
    let like = |text, values| Some(Like { source: Source::File(path, text), values });
    let made = inferred::make_like(18, schema, 2_000, like(text, false)).await.expect("a scenario");
    assert_eq!(made.tables["public.customer"], 2_000);
    let scenario = &made.files["scenario.toml"];
    assert!(scenario.contains("integer = [17, 4017]"), "{scenario}");
    assert!(scenario.contains("null_fraction = 0.25"), "{scenario}");
    assert!(!scenario.contains(SECRET), "{scenario}");
    assert!(scenario.contains("# Tables without statistics: public.other."), "{scenario}");
    assert!(scenario.contains("relation \"public.gone\" does not exist"), "{scenario}");
    let line = made.statistics.as_deref().unwrap_or_default();
    let expected = "statistics of statistics.sql: 1 tables; none of public.other; 1 more are not \
                    in the schema";
    assert_eq!(line, expected);
    let made = inferred::make_like(18, schema, 2_000, like(text, true)).await.expect("a scenario");
    assert!(made.files["scenario.toml"].contains(SECRET));

    let refused = async |major, text| {
        let made = inferred::make_like(major, schema, 10, like(text, false)).await;
        made.expect_err("no statistics").to_string()
    };
    let error = refused(15, text).await;
    assert!(error.contains("18 and later") && error.contains("this one is 15"), "{error}");
    let error = refused(18, "CREATE TABLE a ();").await;
    assert!(error.contains("line 1 has none"), "{error}");
    let error = refused(18, "SET a.b = 'c';").await;
    assert!(error.contains("pg_dump --statistics-only"), "{error}");
}

/// tests/dumps/pg_dump_statistics_18.sql is what pg_dump 18.6 writes of these tables and contents.
#[tokio::test]
async fn what_pg_dump_writes_is_read_as_the_database_is() {
    let text = include_str!("../dumps/pg_dump_statistics_18.sql");
    let path = std::path::Path::new("pg_dump_statistics_18.sql");
    let like = |values| Some(Like { source: Source::File(path, text), values });
    let made = inferred::make_like(18, SCHEMA, ROWS, like(false)).await.expect("a scenario");
    let rows: Vec<u64> = ["customer", "orders", "event"]
        .map(|table| made.tables[&format!("public.{table}")])
        .to_vec();
    assert_eq!(rows, [5_000, 20_000, 10_000]);
    assert_eq!(
        made.statistics.as_deref().unwrap_or_default(),
        "statistics of pg_dump_statistics_18.sql: 3 tables"
    );
    let scenario = &made.files["scenario.toml"];
    assert!(!scenario.contains(SECRET), "{scenario}");
    // As the server itself says it: the same contents were analyzed there.
    let (address, session) = original(18).await;
    let like = Some(Like { source: Source::Database(&address), values: false });
    let original = inferred::make_like(18, SCHEMA, ROWS, like).await.expect("a scenario");
    drop(session);
    let columns = |text: &str| -> Vec<String> {
        let lines = text.lines().filter(|line| line.contains("null_fraction"));
        lines.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
    };
    let (file, server) = (columns(scenario), columns(&original.files["scenario.toml"]));
    assert!(!file.is_empty());
    assert_eq!(file.len(), server.len(), "{file:#?}\n{server:#?}");
}

#[tokio::test]
async fn what_keeps_statistics_from_being_read_is_said_with_its_remedy() {
    let server = common::server_of(18).await;
    let address = server.fresh_database().await;
    let session = open(&address).await;
    let error = async |address: &Address| {
        let read = observe::statistics_of(address, false).await;
        read.expect_err("no statistics").to_string()
    };
    assert!(error(&address).await.contains("has no tables"), "{}", error(&address).await);
    session.batch("CREATE TABLE a (n int)").await.expect("a table");
    assert!(error(&address).await.contains("run ANALYZE there"), "{}", error(&address).await);
    let filled = "INSERT INTO a SELECT generate_series(1, 1000); ANALYZE a";
    session.batch(filled).await.expect(filled);
    observe::statistics_of(&address, false).await.expect("statistics");
    session.batch("CREATE ROLE like_reader LOGIN").await.expect("a role");
    let as_reader = address.with_login("like_reader", None);
    let hidden = error(&as_reader).await;
    assert!(hidden.contains("GRANT pg_read_all_data TO like_reader"), "{hidden}");
    session.batch("GRANT SELECT ON a TO like_reader").await.expect("a grant");
    observe::statistics_of(&as_reader, false).await.expect("statistics");
    let gone = error(&address.with_database("nowhere")).await;
    assert!(gone.contains("name a database that is there"), "{gone}");
    let closed = error(&Address::tcp("127.0.0.1", 1, "a", Some("pass-word"))).await;
    assert!(closed.contains("check host, port") && !closed.contains("pass-word"), "{closed}");
    session
        .batch("REVOKE SELECT ON a FROM like_reader; DROP ROLE like_reader")
        .await
        .expect("gone");
}

#[test]
fn help_of_infer_says_what_is_read_and_what_is_kept() {
    let ran = cargo_bin_cmd!("pgauntlet").args(["infer", "--help"]).assert().success();
    insta::assert_snapshot!(String::from_utf8_lossy(&ran.get_output().stdout));
}

#[test]
fn the_command_line_takes_a_database_or_a_file() {
    let place = tempfile::tempdir().expect("a directory");
    std::fs::write(place.path().join("schema.sql"), "CREATE TABLE a (n int)").expect("a schema");
    let refused = |arguments: &[&str]| {
        let mut command = cargo_bin_cmd!("pgauntlet");
        command.current_dir(place.path()).args([
            "infer",
            "--schema",
            "schema.sql",
            "--out",
            "made",
        ]);
        let ran = command.args(arguments).assert().failure();
        String::from_utf8_lossy(&ran.get_output().stderr).into_owned()
    };
    let text = refused(&["--like", "nothing.sql"]);
    assert!(text.contains("nothing.sql") && text.contains("postgres://user@host"), "{text}");
    let text = refused(&["--like", "postgre://u:pass-word@h/d"]);
    assert!(!text.contains("pass-word"), "{text}");
    let text = refused(&["--like", "postgres://u:pass-word@127.0.0.1:1/d"]);
    assert!(text.contains("statistics of d on 127.0.0.1:1"), "{text}");
    assert!(!text.contains("pass-word"), "{text}");
    assert!(!refused(&["--with-common-values"]).contains("bug"), "it needs --like");
}
