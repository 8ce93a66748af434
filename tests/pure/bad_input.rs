//! Bad input ends with exit code 2 and one clear error: file, line, remedy, before anything starts.

use std::path::Path;

use assert_cmd::cargo::cargo_bin_cmd;
use predicates::prelude::PredicateBooleanExt;
use predicates::str::contains;
use rstest::rstest;
use tempfile::TempDir;

use crate::example::{example, load};

fn pgauntlet() -> assert_cmd::Command {
    let mut command = cargo_bin_cmd!("pgauntlet");
    command.env("NO_COLOR", "1");
    command
}

/// The example below `orders`, with this migration.
fn written(migration: &[u8]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("orders");
    for (name, text) in example() {
        let path = root.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    std::fs::write(root.join("migration.sql"), migration).unwrap();
    directory
}

#[rstest]
#[case::table(
    "INSERT INTO orders (id, ",
    "INSERT INTO ordrs (id, ",
    "no table `ordrs` in the schema",
    "did you mean `orders`?"
)]
#[case::column(
    "INSERT INTO orders (id, ",
    "INSERT INTO orders (ids, ",
    "no column `ids` in table `orders`",
    "did you mean `id`?"
)]
fn a_name_that_no_script_of_the_schema_makes_is_refused(
    #[case] right: &str,
    #[case] wrong: &str,
    #[case] message: &str,
    #[case] remedy: &str,
) {
    let mut files = example();
    let text = files["scenario.toml"].clone();
    assert!(text.contains(right), "the example has no `{right}`");
    files.insert("scenario.toml".to_owned(), text.replacen(right, wrong, 1));
    let told = load(&files).expect_err("a misspelt name");
    assert!(told.starts_with("scenario.toml:"), "{told}");
    assert!(told.contains(message) && told.contains(remedy), "{told}");
}

/// What pg_dump wrote until 2018, and people still write.
#[rstest]
#[case::made_there("SET search_path = app, public", "app.t", None)]
#[case::made_there_as_pg_dump("SET search_path TO 'app', pg_catalog", "app.t", None)]
#[case::misspelt("SET search_path = app", "app.tt", Some("no table `app.tt` in the schema"))]
#[case::not_public("SET search_path = app", "public.t", Some("no table `public.t`"))]
#[case::set_back("SET search_path = app; RESET search_path", "public.t", None)]
#[case::public_first("SET search_path = public, app", "public.t", None)]
#[case::nobody_knows("SET search_path = elsewhere", "elsewhere.u", None)]
#[case::of_the_transaction("SET LOCAL search_path = app", "app.u", None)]
#[case::called("SELECT set_config('search_path', 'app', false)", "app.t", None)]
#[case::of_the_role("ALTER ROLE postgres SET search_path = app", "app.t", None)]
fn a_table_is_in_the_schema_that_search_path_says(
    #[case] set: &str,
    #[case] table: &str,
    #[case] told: Option<&str>,
) {
    let mut files = example();
    let made = format!("\nCREATE SCHEMA app;\n{set};\nCREATE TABLE t (key bigint, v text);\n");
    files.get_mut("schema.sql").expect("a schema").push_str(&made);
    let operation = format!(
        "\n[[operation]]\nname = \"read-one\"\nweight = 1\n\
         sql = \"SELECT v FROM {table} WHERE key = $id\"\n\
         params.id = {{ reference = {{ table = \"orders\", column = \"id\" }} }}\n"
    );
    files.get_mut("scenario.toml").expect("a scenario").push_str(&operation);
    match (load(&files), told) {
        (loaded, None) => drop(loaded.unwrap_or_else(|problems| panic!("{problems}"))),
        (loaded, Some(expected)) => {
            let said = loaded.expect_err("a misspelt table");
            assert!(said.contains(expected), "{said}");
        }
    }
}

/// A declared table's columns are those of the table of that schema.
#[test]
fn two_tables_of_one_name_are_told_apart_by_search_path() {
    let mut files = example();
    let schema = files.get_mut("schema.sql").expect("a schema");
    *schema = format!(
        "CREATE SCHEMA app;\nSET search_path = app;\nCREATE TABLE orders (other int);\n\
         SET search_path = public;\n{schema}"
    );
    load(&files).unwrap_or_else(|problems| panic!("{problems}"));
}

#[rstest]
#[case::selected("SELECT id, totl FROM orders WHERE id = $id", Some(("totl", "total")))]
#[case::compared("SELECT total FROM orders WHERE idd = $id", Some(("idd", "id")))]
#[case::right("SELECT id, total, ctid, count(*) FROM orders AS o WHERE o.id = $id", None)]
#[case::of_two("SELECT o.id, name FROM orders o JOIN customers c ON true WHERE o.id = $id", None)]
fn a_column_that_is_read_is_one_of_the_table(
    #[case] sql: &str,
    #[case] told: Option<(&str, &str)>,
) {
    let mut files = example();
    let operation = format!(
        "\n[[operation]]\nname = \"read-one\"\nweight = 1\nsql = \"{sql}\"\n\
         params.id = {{ reference = {{ table = \"orders\", column = \"id\" }} }}\n"
    );
    files.get_mut("scenario.toml").expect("a scenario").push_str(&operation);
    match (load(&files), told) {
        (loaded, None) => drop(loaded.unwrap_or_else(|problems| panic!("{problems}"))),
        (loaded, Some((wrong, right))) => {
            let said = loaded.expect_err("a misspelt column");
            assert!(said.contains(&format!("no column `{wrong}` in table `orders`")), "{said}");
            assert!(said.contains(&format!("did you mean `{right}`?")), "{said}");
        }
    }
}

#[rstest]
#[case::function("SELECT make_tables();")]
#[case::block("DO $$ BEGIN EXECUTE 'CREATE TABLE ordes (id int)'; END $$;")]
#[case::extension("CREATE EXTENSION postgis;")]
#[case::unknown("CREATE TABEL x (id int);")]
#[case::renamed("ALTER TABLE orders RENAME TO ordes;")]
#[case::view("CREATE OR REPLACE VIEW ordes AS SELECT * FROM orders;")]
#[case::table("CREATE TABLE IF NOT EXISTS public.ordes (id text, customer_id text, total int);")]
fn what_the_schemas_text_does_not_say_is_left_to_the_server(#[case] more: &str) {
    let mut files = example();
    let text = files["scenario.toml"].replacen("INSERT INTO orders", "INSERT INTO ordes", 1);
    files.insert("scenario.toml".to_owned(), text);
    assert!(load(&files).is_err(), "nothing makes it");
    let schema = format!("{}\n{more}\n", files["schema.sql"]);
    files.insert("schema.sql".to_owned(), schema);
    load(&files).unwrap_or_else(|problems| panic!("{problems}"));
}

#[test]
fn a_column_that_the_schema_adds_later_is_known() {
    let mut files = example();
    let text = files["scenario.toml"].replacen("orders (id, ", "orders (later, ", 1);
    files.insert("scenario.toml".to_owned(), text);
    assert!(load(&files).is_err(), "nothing adds it");
    let schema = format!("{}\nALTER TABLE orders ADD COLUMN later int;\n", files["schema.sql"]);
    files.insert("schema.sql".to_owned(), schema);
    load(&files).unwrap_or_else(|problems| panic!("{problems}"));
}

#[rstest]
#[case::nul(b"SELECT 1;\n\nSELECT '\0';\n", "line 3 holds a NUL byte")]
#[case::latin(b"SELECT 1;\nSELECT '\xe4';\n", "line 2 is not UTF-8 text")]
fn bytes_that_are_no_text_are_refused_with_their_line(#[case] bytes: &[u8], #[case] told: &str) {
    let directory = written(bytes);
    let refused = pgauntlet().arg("check").arg(directory.path().join("orders")).assert().code(2);
    refused.stderr(contains(told).and(contains("migration.sql")));
}

#[test]
fn check_accepts_what_the_parser_does_not_know_and_says_so() {
    let directory = written("SELECT 1;\nSELEC 2;\n".repeat(200).as_bytes());
    let accepted = pgauntlet().arg("check").arg(directory.path().join("orders")).assert().success();
    accepted
        .stdout(contains("1 scenarios are well-formed; 100 notices"))
        .stderr(contains("migration.sql:2:1: notice: ").and(contains("80 more notices")));
}

#[test]
fn a_result_that_does_not_exist_is_named_as_that() {
    let refused = pgauntlet().args(["report", "/nope"]).assert().code(2);
    refused.stderr(contains("read /nope: No such file").and(contains("output").not()));
}

#[test]
fn no_cache_is_stronger_than_a_cache_in_the_environment() {
    let listed = pgauntlet()
        .env("PGAUNTLET_CACHE", "/nope/cache")
        .args(["run", "no-such-scenario", "--no-cache"])
        .assert()
        .code(2);
    listed.stderr(contains("find the scenario no-such-scenario"));
}

#[test]
fn a_broken_history_does_not_hide_the_others() {
    let directory = tempfile::tempdir().unwrap();
    let fixtures = Path::new("tests/fixtures/format-4/repeat/repeat");
    let second = directory.path().join("repeat/repetition-2");
    std::fs::create_dir_all(&second).unwrap();
    let whole = directory.path().join("repeat/history.jsonl");
    std::fs::copy(fixtures.join("history.jsonl"), &whole).unwrap();
    std::fs::write(second.join("history.jsonl"), "{\"format\":").unwrap();
    let judge = || pgauntlet().arg("judge").arg(directory.path()).assert();
    let judged = judge().code(3);
    judged.stdout(contains("repeat")).stderr(contains("repetition-2/history.jsonl"));
    std::fs::remove_file(&whole).unwrap();
    judge().code(2).stderr(contains("repetition-2/history.jsonl"));
}

/// Each with `s3cret` where a password is, and what is said of it.
const MALFORMED: &[(&str, &str)] = &[
    ("postgres://u:s3cret@h:99999/x", "`port`"),
    ("postgres://u:s3cret@h:54x/x", "`port`"),
    ("postgres://u:s3cret@h:0/x", "no port"),
    ("postgres://u:s3cret@a,b/x?port=1", "3 ports of 2 hosts"),
    ("postgres://u:s3cret@[::1/x", "`host`"),
    ("postgres://u:s3cret@h/x?nonsense=1", "`nonsense`"),
    ("postgres://u:s3cret@h/x?sslmode=foo", "sslmode=foo"),
    ("postgres://u:s3cret@h/x?connect_timeout=soon", "`connect_timeout`"),
    ("postgres://u:s3cret%zzq@h/x", "%25"),
    ("postgres://u:s3cret%@h/x", "%25"),
    ("postgres://u:s3cret%00@h/x", "%25"),
    ("postgres://u:p@s3cret@h/x", "%40"),
    ("postgres://u:p?s3cret@h/x", "%3F"),
    ("host=h password=s3cret port=abc", "`port`"),
    ("host=h password='s3cret", "no end of its quotes"),
    ("host=h password=a s3cret=b", "in quotes"),
    ("host=h password=s3cret sslmode=foo", "sslmode=foo"),
];

#[test]
fn a_malformed_address_of_a_server_is_refused_before_anything_starts() {
    let directory = written(b"ALTER TABLE orders ADD COLUMN c int;\n");
    std::fs::write(directory.path().join("schema.sql"), "CREATE TABLE orders (id int);\n").unwrap();
    let stored = std::path::absolute("tests/fixtures/format-4/stall").unwrap();
    let refused = |line: &str, of_environment: bool, address: &str, words: &str| {
        let mut command = pgauntlet();
        command.current_dir(directory.path()).env("PGAUNTLET_CACHE", directory.path());
        command
            .args(line.split_whitespace().map(|w| w.replace("STORED", stored.to_str().unwrap())));
        match of_environment {
            true => command.env("PGAUNTLET_SERVER", address),
            false => command.args(["--server", address]),
        };
        let said = command.assert().code(2).stdout("");
        said.stderr(contains(words).and(contains("s3cret").not()));
    };
    for (address, words) in MALFORMED {
        refused("run orders", false, address, words);
    }
    let (address, words) = MALFORMED[0];
    for line in [
        "run orders",
        "try orders/migration.sql --schema schema.sql",
        "try orders/migration.sql --on add-column-guarded --server-is-mine",
        "crash orders",
        "infer --schema schema.sql --out inferred",
        "repro STORED",
        "doctor",
        "cache",
    ] {
        refused(line, false, address, words);
        refused(line, true, address, words);
    }
    assert!(!directory.path().join("inferred").exists());
}

#[test]
fn a_scenario_is_not_written_where_its_name_would_be_refused() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("schema.sql"), "CREATE TABLE orders (id int);\n").unwrap();
    for (out, remedy) in [("o_gap", "name it o-gap"), ("made/Gap 2", "name it made/gap-2")] {
        let mut command = pgauntlet();
        command.current_dir(directory.path()).args(["infer", "--schema", "schema.sql"]);
        command.args(["--out", out]).assert().code(2).stderr(contains(remedy));
        assert!(!directory.path().join(out).exists());
    }
}
