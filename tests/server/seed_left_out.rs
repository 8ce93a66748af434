//! A table whose rows the server refuses, all or some: what a change does to it is not known, and
//! the result says so, at once and from a template that is there already.

use std::path::Path;

use assert_cmd::cargo::cargo_bin_cmd;
use serde_json::Value;
use tempfile::TempDir;

const SCENARIO: &str = r#"
analysis = "a test"
[schema]
tables = "schema.sql"
whole = true
[[table]]
name = "public.users"
rows = 1_000
[table.columns]
id = { serial = {} }
[[table]]
name = "public.tokens"
rows = 500
[table.columns]
id = { serial = {} }
hash = { fake = "word" }
[[table]]
name = "public.uses"
rows = 300
[table.columns]
id = { serial = {} }
token_id = { reference = { table = "public.tokens", column = "id" } }
[traffic]
rate_per_s = 50
baseline_ms = 1_000
recovery_max_ms = 3_000
[[operation]]
name = "read"
weight = 1
sql = "SELECT id FROM users WHERE id = $id"
params.id = { reference = { table = "public.users", column = "id" } }
[[change.migration]]
version = "1"
file = "change.sql"
[expect]
verdict = "EXPECTED"
"#;

const CRASH: &str = "[crash]\nrows = 50\ntraffic = false\n";

const SCHEMA: &str = "CREATE TABLE users (id int PRIMARY KEY);
CREATE TABLE tokens (id int PRIMARY KEY, hash text NOT NULL CHECK (hash ~ '^[0-9a-f]{64}$'));
CREATE TABLE uses (id int PRIMARY KEY, token_id int NOT NULL REFERENCES tokens);
";

fn run(work: &str, change: &str, verdict: &str, more: &[&str]) -> (TempDir, String) {
    let place: TempDir = tempfile::tempdir().expect("a directory");
    let scenario = place.path().join("scenarios/left-out");
    std::fs::create_dir_all(&scenario).expect("a directory");
    let write = |name: &str, text: &str| std::fs::write(scenario.join(name), text).expect(name);
    let crash = if work == "crash" { CRASH } else { "" };
    write("scenario.toml", &format!("{}{crash}", SCENARIO.replace("EXPECTED", verdict)));
    write("schema.sql", SCHEMA);
    write("change.sql", change);
    let mut command = cargo_bin_cmd!("pgauntlet");
    command.current_dir(place.path()).env("NO_COLOR", "1").args([work, "--scenarios-dir"]);
    command.arg(place.path().join("scenarios")).arg("--out").arg(place.path().join("out"));
    let output = command.args(more).arg("left-out").output().expect("it runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (place, format!("{text}{said}").split_whitespace().collect::<Vec<_>>().join(" "))
}

fn result(place: &Path) -> Value {
    let text = std::fs::read_to_string(place.join("out/result.json")).expect("result.json");
    serde_json::from_str(&text).expect("JSON")
}

/// Table, verdict and rows of each finding about left out rows.
fn left_out(result: &Value) -> Vec<(String, String, u64)> {
    let findings = result["trials"][0]["findings"].as_array().expect("findings");
    let of = findings.iter().filter(|finding| finding["kind"] == "rows-left-out");
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let found = of.map(|finding| {
        let loaded = &finding["evidence"]["rows-left-out"]["loaded"];
        let table = text(&finding["subject"]["relation"]);
        (table, text(&finding["verdict"]), loaded.as_u64().expect("a number"))
    });
    found.collect()
}

#[test]
fn a_change_of_a_table_without_its_rows_is_unproven() {
    let change = "ALTER TABLE tokens ADD COLUMN note text;";
    let cache: TempDir = tempfile::tempdir().expect("a directory");
    let kept = ["--cache-dir", cache.path().to_str().expect("a path")];
    // The second time the template is there.
    for is_made in [true, false] {
        let (place, text) = run("run", change, "unproven", &kept);
        assert_eq!(text.contains("create the tables"), is_made, "{text}");
        assert!(text.contains("as expected"), "{text}");
        assert!(text.contains("public.tokens has 0 of 500 rows that were asked for"), "{text}");
        assert!(text.contains("tried: 0 of 500 rows in public.tokens"), "{text}");
        let result = result(place.path());
        let expected = ("public.tokens".to_owned(), "unproven".to_owned(), 0);
        assert_eq!(left_out(&result), [expected]);
        let trial = &result["trials"][0]["trial"];
        assert_eq!(trial["sizes"]["public.tokens"], 0);
        assert_eq!(trial["sizes"]["public.users"], 1_000);
        assert_eq!(trial["tried"]["short"][0]["refused_by"][0], "tokens_hash_check");
        assert_eq!(trial["tried"]["short"][1]["refers_to"][0], "public.tokens");
    }
}

#[test]
fn a_change_of_a_table_that_follows_is_unproven() {
    let change = "UPDATE uses SET id = id WHERE id < 9;";
    let (place, text) = run("run", change, "unproven", &[]);
    assert!(text.contains("public.tokens is short first"), "{text}");
    let found = left_out(&result(place.path()));
    let expected = ("public.uses".to_owned(), "unproven".to_owned(), 0);
    assert_eq!(found.first(), Some(&expected), "{found:?}");
}

#[test]
fn a_change_of_another_table_is_safe_and_says_it() {
    let change = "ALTER TABLE users ADD COLUMN note text;";
    let (place, text) = run("run", change, "safe", &[]);
    assert!(text.contains("as expected"), "{text}");
    assert!(text.contains("the change is not about it"), "{text}");
    assert!(text.contains("1 table that refers to it is short too (public.uses)"), "{text}");
    let expected = ("public.tokens".to_owned(), "safe".to_owned(), 0);
    assert_eq!(left_out(&result(place.path())), [expected]);
}

#[test]
fn a_crash_matrix_without_the_rows_is_unproven() {
    let change = "ALTER TABLE tokens ADD COLUMN note text;";
    let (place, text) = run("crash", change, "unproven", &[]);
    let matrix = &result(place.path())["crash_matrices"][0];
    assert_eq!(matrix["verdict"], "unproven", "{text}");
    assert_eq!(matrix["trial"]["tried"]["short"][0]["loaded"], 0);
    let reason = matrix["reason"].as_str().expect("a reason");
    assert!(reason.starts_with("public.tokens has 0 of "), "{reason}");
}
