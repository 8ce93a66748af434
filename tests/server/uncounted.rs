//! A server that does not count the rows that are written: what a change writes is found all the
//! same.

use assert_cmd::cargo::cargo_bin_cmd;
use rstest::rstest;
use tempfile::TempDir;

const SCENARIO: &str = r#"
analysis = "a test"
SERVER
[schema]
tables = "schema.sql"
[[table]]
name = "orders"
rows = 1_000
[table.columns]
id = { serial = {} }
[[table]]
name = "archive"
rows = 2_000
[table.columns]
id = { serial = {} }
[traffic]
rate_per_s = 100
baseline_ms = 1_000
recovery_max_ms = 3_000
[[operation]]
name = "read"
weight = 1
sql = "SELECT id FROM orders WHERE id = $id"
params.id = { reference = { table = "orders", column = "id" } }
[change]
superuser = true
CHANGE
[expect]
verdict = "unsafe"
findings = ["rows-gone"]
"#;

const SCHEMA: &str = "CREATE TABLE orders (id int PRIMARY KEY);
CREATE TABLE archive (id int PRIMARY KEY);
CREATE FUNCTION wipe() RETURNS void LANGUAGE sql AS 'DELETE FROM archive WHERE id <= 7';
";
const FILE: &str = "[[change.migration]]\nversion = \"1\"\nfile = \"change.sql\"";

fn run(server: &str, change: &str, schema: &str, sql: &str) -> String {
    let place: TempDir = tempfile::tempdir().expect("a directory");
    let scenario = place.path().join("scenarios/uncounted");
    std::fs::create_dir_all(&scenario).expect("a directory");
    let write = |name: &str, text: &str| std::fs::write(scenario.join(name), text).expect(name);
    write("scenario.toml", &SCENARIO.replace("SERVER", server).replace("CHANGE", change));
    write("schema.sql", &format!("{SCHEMA}{schema}"));
    write("change.sql", sql);
    let mut command = cargo_bin_cmd!("pgauntlet");
    command.current_dir(place.path()).env("NO_COLOR", "1").args(["run", "--scenarios-dir"]);
    let out = place.path().join("out");
    command.arg(place.path().join("scenarios")).arg("--out").arg(&out).arg("uncounted");
    let output = command.output().expect("it runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    format!("{text}{said}").split_whitespace().collect::<Vec<_>>().join(" ")
}

#[rstest]
#[case::by_the_server("[server]\ntrack_counts = \"off\"", FILE, "", "SELECT wipe();")]
#[case::by_a_function("", FILE, "ALTER FUNCTION wipe() SET track_counts = off;", "SELECT wipe();")]
#[case::by_the_change("", FILE, "", "SET track_counts = off; SELECT wipe();")]
#[case::counters_reset("", FILE, "", "SELECT wipe(); SELECT pg_stat_reset();")]
#[case::by_a_command(
    "",
    "command = \"PGOPTIONS='-c track_counts=off' psql -q -c 'SELECT wipe()'\"",
    "",
    ""
)]
#[case::counted("", FILE, "", "SELECT wipe();")]
fn rows_that_a_function_deletes_are_gone_although_nobody_counts(
    #[case] server: &str,
    #[case] change: &str,
    #[case] schema: &str,
    #[case] sql: &str,
) {
    let text = run(server, change, schema, sql);
    assert!(text.contains("7 of 2,000 rows of public.archive are gone"), "{text}");
    assert!(text.contains("as expected"), "{text}");
}
