//! What only the server can say of a scenario: exit code 2 with file, line and remedy where it is
//! wrong; a run where the parser knew less than the server.

use assert_cmd::cargo::cargo_bin_cmd;
use predicates::prelude::PredicateBooleanExt;
use predicates::str::contains;
use rstest::rstest;
use tempfile::TempDir;

const SCHEMA: &str = "CREATE TABLE orders (id int PRIMARY KEY, note text);\n";
const MIGRATION: &str = "ALTER TABLE orders ADD COLUMN c int;\n";
const OPERATION: &str = "SELECT note FROM orders WHERE id = $id";

fn scenario(schema: &str, migration: &str, operation: &str) -> TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    let root = directory.path().join("small");
    std::fs::create_dir(&root).expect("a directory");
    let text = format!(
        "analysis = 'x'\n[schema]\ntables = 'schema.sql'\n[[table]]\nname = 'orders'\n\
         rows = 2000\n[table.columns]\nid = {{ serial = {{}} }}\n[traffic]\n\
         rate_per_s = 20\nbaseline_ms = 500\nrecovery_min_ms = 0\n[[operation]]\n\
         name = 'read'\nweight = 1\nsql = \"{operation}\"\n\
         params.id = {{ integer = [1, 2000] }}\n[pool]\nsize = 2\n[limits]\n\
         stall_ms_max = 10_000\np99_ms_floor = 10_000\ngenerator_lag_ms_max = 10_000\n\
         [change]\n[[change.migration]]\nversion = '1'\nfile = 'm.sql'\n\
         [expect]\nverdict = 'safe'\n"
    );
    for (name, text) in [("scenario.toml", text.as_str()), ("schema.sql", schema)] {
        std::fs::write(root.join(name), text).expect("a file");
    }
    std::fs::write(root.join("m.sql"), migration).expect("a file");
    directory
}

fn run(directory: &TempDir, more: &[&str]) -> assert_cmd::assert::Assert {
    let mut command = cargo_bin_cmd!("pgauntlet");
    command.env("NO_COLOR", "1").current_dir(directory.path());
    command.args(more).args(["small", "--no-cache", "--quiet"]).assert()
}

#[rstest]
#[case::table(
    "DO $$ BEGIN NULL; END $$;\n",
    "SELECT note FROM ordres WHERE id = $id",
    &["small/scenario.toml:16)", "\"ordres\" does not exist", "did you mean \"orders\"?"]
)]
#[case::column(
    "",
    "SELECT upper(notes) FROM orders WHERE id = $id",
    &["small/scenario.toml:16)", "\"notes\" does not exist", "orders.note"]
)]
#[case::typo("", "SELECT note FRM orders WHERE id = $id", &["small/scenario.toml:16", "notice: "])]
#[case::role(
    "DO $$ BEGIN GRANT SELECT ON orders TO reporting; END $$;\n",
    OPERATION,
    &["small/schema.sql:2: role \"reporting\"", "CREATE ROLE reporting"]
)]
#[case::extension(
    "CREATE EXTENSION no_such_extension;\nCREATE TABLE a (g geometry);\n",
    OPERATION,
    &["small/schema.sql:3: ", "small/schema.sql:2 asks for", "install it on that server"]
)]
#[case::schema("CREATE TABEL x (id int);\n", OPERATION, &["small/schema.sql:2: syntax error"])]
fn what_the_server_refuses_of_a_scenario_is_bad_input_with_its_place(
    #[case] schema: &str,
    #[case] operation: &str,
    #[case] told: &[&str],
) {
    let directory = scenario(&format!("{SCHEMA}{schema}"), MIGRATION, operation);
    let mut refused = run(&directory, &["run"]).code(2);
    for part in told {
        refused = refused.stderr(contains(*part));
    }
}

#[test]
fn a_fault_at_a_statement_that_is_not_there_is_refused_with_those_that_are() {
    let directory = scenario(SCHEMA, MIGRATION, OPERATION);
    let refused = run(&directory, &["crash", "--at", "999"]).code(2);
    refused.stderr(contains("at statement 999").and(contains("leave room for one: 1, ")));
}

#[test]
fn what_the_server_takes_runs_though_the_parser_does_not_know_it() {
    let schema = format!(
        "SET check_function_bodies = off;\n{SCHEMA}SET NAMES 'UTF8';\n\
         CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$ SELEC what ever $$;\n\
         CREATE STATISTICS st ON (id % 10), note FROM orders;\n"
    );
    let migration = "\\echo begins\nBEGIN;\nALTER TABLE orders ADD COLUMN c int;\nCOMMIT;\n\
        ALTER STATISTICS IF EXISTS st SET STATISTICS 100;\n\
        CREATE OR REPLACE FUNCTION b() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; \
        SELECT CASE WHEN true THEN 2 END; END;\n";
    let directory = scenario(&schema, migration, OPERATION);
    let ran = run(&directory, &["run"]).success();
    ran.stdout(contains("SAFE")).stderr(contains("m.sql:5:").and(contains("notice: ")));
}
