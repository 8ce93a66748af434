//! Scenarios that are made from what a command has migrated, or from a running database.

use std::collections::BTreeMap;

use pgauntlet::connect::Session;
use pgauntlet::run::{Base, DatabaseUrl, RowsRequest};
use pgauntlet::scenario::{Change, Command};
use rstest::rstest;

use crate::{common, example, inferred};

/// The major whose pg_dump the distribution has.
const MAJOR: u32 = 15;

const SCHEMA: &str = "
    CREATE TABLE kind (code text PRIMARY KEY, label text NOT NULL);
    INSERT INTO kind VALUES ('a', 'A, with a tab\t'), ('b', E'B\\\\');
    CREATE TABLE item (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
                       kind text NOT NULL REFERENCES kind, note text);
    CREATE TABLE tag (item bigint REFERENCES item, name text NOT NULL);
    CREATE TABLE other (id integer PRIMARY KEY);
    CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY);
    INSERT INTO alembic_version VALUES ('57c5ed4f59ae');";

fn script() -> Base {
    Base::Script { path: "schema.sql".into(), text: SCHEMA.to_owned() }
}

fn command(line: &str) -> Command {
    let directory = std::env::temp_dir();
    Command { line: line.to_owned(), requires: Vec::new(), directory, environment: BTreeMap::new() }
}

fn psql(sql: &str) -> Command {
    command(&format!("psql -qX -v ON_ERROR_STOP=1 -d \"$DATABASE_URL\" <<'SQL'\n{sql}\nSQL"))
}

fn by(command: Command) -> Change {
    Change { command: Some(command), versions: None, ..Change::of(Vec::new()) }
}

fn each(rows: u64) -> RowsRequest<'static> {
    RowsRequest { each: rows, concerned: None, of: &[] }
}

async fn texts(session: &Session, sql: &str) -> Vec<String> {
    let rows = session.client().query(sql, &[]).await.expect(sql);
    rows.iter().map(|row| row.get(0)).collect()
}

/// A list of codes stays as the base has made it, and others refer to it.
#[rstest]
#[case::of_a_script(script())]
#[case::of_a_command(Base::Command(psql(SCHEMA)))]
#[tokio::test(flavor = "multi_thread")]
async fn rows_of_the_base_stay_and_are_referred_to(#[case] base: Base) {
    let made = inferred::make_for(MAJOR, &base, None, each(300)).await;
    let made = made.unwrap_or_else(|error| panic!("failed to {error}"));
    assert_eq!((made.tables["public.kind"], made.tables["public.item"]), (2, 300));
    let scenario = example::load(&made.files).expect("a scenario");
    let (short, session) = inferred::filled(MAJOR, &scenario).await.expect("rows");
    assert_eq!(short, [], "no row is lost");
    let kinds = texts(&session, "SELECT code || label FROM kind ORDER BY 1").await;
    assert_eq!(kinds, ["aA, with a tab\t", "bB\\"]);
    let used = texts(&session, "SELECT DISTINCT kind FROM item ORDER BY 1").await;
    assert_eq!(used, ["a", "b"]);
    let versions = texts(&session, "SELECT version_num FROM alembic_version").await;
    assert_eq!(versions, ["57c5ed4f59ae"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_are_asked_for_take_the_place_of_the_bases() {
    let of = [("kind".to_owned(), 40)];
    let rows = RowsRequest { of: &of, ..each(300) };
    let made = inferred::make_for(MAJOR, &script(), None, rows).await;
    let made = made.unwrap_or_else(|error| panic!("failed to {error}"));
    let scenario = example::load(&made.files).expect("a scenario");
    let (short, session) = inferred::filled(MAJOR, &scenario).await.expect("rows");
    assert_eq!(short, []);
    assert_eq!(texts(&session, "SELECT count(*)::text FROM kind").await, ["40"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_running_database_only_the_schema_and_the_versions_are_read() {
    let server = common::server_of(MAJOR).await;
    let address = server.fresh_database().await;
    let session = Session::open(&address, "test", &BTreeMap::new()).await.expect("a session");
    session.batch(SCHEMA).await.expect("the schema");
    let url = format!("{} dbname={}", server.conninfo("postgres"), address.database());
    let url = DatabaseUrl::parse(&url).expect("a URL");
    let made = inferred::make_for(MAJOR, &Base::Database(Box::new(url)), None, each(50)).await;
    let made = made.unwrap_or_else(|error| panic!("failed to {error}"));
    assert_eq!(made.tables["public.kind"], 50, "its rows are nobody's business");
    assert!(made.files.values().all(|text| !text.contains("with a tab")));
    assert!(made.files["schema.sql"].contains("57c5ed4f59ae"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_command_changes_is_what_the_rows_and_the_application_are_for() {
    let change = by(psql("ALTER TABLE tag ADD COLUMN since date"));
    let rows = RowsRequest { concerned: Some(4_000), ..each(100) };
    let made = inferred::make_for(MAJOR, &script(), Some(&change), rows).await;
    let made = made.unwrap_or_else(|error| panic!("failed to {error}"));
    assert_eq!(made.concerned, ["public.tag"]);
    let rows = ["tag", "item", "other"].map(|name| made.tables[&format!("public.{name}")]);
    assert_eq!(rows, [4_000, 400, 100]);
    let scenario = example::load(&made.files).expect("a scenario");
    let statements = scenario.traffic.operations.iter().flat_map(|o| &o.statements);
    let texts: Vec<&str> = statements.map(|statement| statement.sql.as_str()).collect();
    assert!(texts.iter().any(|sql| sql.contains("INSERT INTO public.tag")), "{texts:#?}");
    assert!(texts.iter().all(|sql| !sql.contains("public.other")), "{texts:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_base_that_fails_is_an_error_with_what_the_command_printed() {
    let base = Base::Command(command("echo the last line; exit 3"));
    let made = inferred::make_for(MAJOR, &base, None, each(1)).await;
    let error = made.expect_err("no base").to_string();
    assert!(error.contains("exit 3") && error.contains("the last line"), "{error}");
}

#[test]
fn what_a_schema_includes_is_in_the_scenario_that_is_made_of_it() {
    let directory = tempfile::tempdir().expect("a directory");
    let root = directory.path();
    std::fs::create_dir(root.join("sub")).expect("a directory");
    for (name, text) in [
        ("schema.sql", "CREATE TABLE a (id int PRIMARY KEY);\n\\ir sub/more.sql\n"),
        ("sub/more.sql", "CREATE TABLE b (id int PRIMARY KEY);\n\\ir most.sql"),
        ("sub/most.sql", "CREATE TABLE c (a int REFERENCES a)"),
        ("change.sql", "ALTER TABLE c ADD COLUMN d int;\n"),
    ] {
        std::fs::write(root.join(name), text).expect("a file");
    }
    let pgauntlet = |line: &[&str]| {
        let mut command = assert_cmd::cargo::cargo_bin_cmd!("pgauntlet");
        command.current_dir(root).env("NO_COLOR", "1").args(line).assert()
    };
    let infer = ["infer", "--schema", "schema.sql", "--out", "made", "--rows", "10"];
    pgauntlet(&infer).success();
    std::fs::remove_dir_all(root.join("sub")).expect("it is not needed");
    pgauntlet(&["check", "made"]).success();
    let text = std::fs::read_to_string(root.join("made/schema.sql")).expect("a schema");
    assert!(["TABLE a", "TABLE b", "TABLE c"].iter().all(|table| text.contains(table)), "{text}");
}
