//! Rows that the change deletes beside an application: whose doing it may be that they are gone.

use assert_cmd::cargo::cargo_bin_cmd;
use rstest::rstest;

const SCENARIO: &str = r#"
analysis = "a test"
[schema]
tables = "schema.sql"
[[table]]
name = "parents"
rows = 1_000
columns.id = { serial = {} }
[[table]]
name = "children"
rows = 1_000
columns.id = { serial = {} }
columns.parent_id = { reference = { table = "parents", column = "id" } }
[traffic]
rate_per_s = 50
baseline_ms = 1_000
recovery_min_ms = 200
[[operation]]
name = "write"
weight = 1
sql = "OPERATION"
params.id = { integer = [1, 1_000] }
[[change.migration]]
version = "1"
file = "change.sql"
[expect]
verdict = "unsafe"
"#;
const SCHEMA: &str = "CREATE TABLE parents (id int PRIMARY KEY, code int, note text); \
    CREATE TABLE children (id int PRIMARY KEY, parent_id int NOT NULL \
        REFERENCES parents ON DELETE CASCADE ON UPDATE CASCADE);";

/// The children that are gone are the change's doing unless the application's own statements can
/// have deleted them.
#[rstest]
#[case::inserts("INSERT INTO parents VALUES ($id + 10000) ON CONFLICT DO NOTHING", "UNSAFE")]
#[case::updates("UPDATE parents SET note = 'n' WHERE id = $id", "UNSAFE")]
#[case::updates_the_key("UPDATE parents SET id = id WHERE id = $id", "UNSAFE")]
#[case::deletes("DELETE FROM parents WHERE id = $id", "UNPROVEN")]
fn what_the_application_does_to_a_parent_decides_whose_the_children_are(
    #[case] operation: &str,
    #[case] verdict: &str,
) {
    let place = tempfile::tempdir().expect("a directory");
    let scenario = place.path().join("scenarios/cascades");
    std::fs::create_dir_all(&scenario).expect("a directory");
    let write = |name: &str, text: &str| std::fs::write(scenario.join(name), text).expect(name);
    write("scenario.toml", &SCENARIO.replace("OPERATION", operation));
    write("schema.sql", SCHEMA);
    write("change.sql", "DELETE FROM children WHERE id <= 50;");
    let mut command = cargo_bin_cmd!("pgauntlet");
    command.current_dir(place.path()).env("NO_COLOR", "1").env_remove("PGAUNTLET_SERVER");
    command.args(["run", "--scenarios-dir", "scenarios", "--out", "out", "cascades"]);
    let output = command.output().expect("it runs");
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let printed = printed.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(printed.contains(&format!("{verdict} cascades")), "{printed}");
    assert!(printed.contains("rows-gone"), "{printed}");
    // The reruns find the version applied and send nothing: no table is read around them.
    let history = std::fs::read_to_string(place.path().join("out/cascades/history.jsonl"));
    let history = history.expect("a history");
    assert!(history.contains(r#""event":{"contents-change":"#), "the change's own comparison");
    assert!(!history.contains(r#""event":{"contents":"#), "tables were read around a rerun");
    assert!(printed.contains("compared with before in"), "the cost is shown: {printed}");
}
