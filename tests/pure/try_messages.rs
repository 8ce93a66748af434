//! Every error of `try` and `init` that needs no server, as the user reads it.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use assert_cmd::cargo::cargo_bin_cmd;

type Files = &'static [(&'static str, &'static str)];

const DUMP: &str = "CREATE TABLE t (a int);\n";
const SQLX: &str = "[dependencies]\nsqlx = '0.8'\n";
const GOOSE: &str = "-- +goose Up\nSELECT 1;\n";

const PLAIN: Files = &[("change.sql", "ALTER TABLE t ADD b int;\n"), ("structure.sql", DUMP)];
const DIRECTORY: Files = &[("Cargo.toml", SQLX), ("migrations/1_a.sql", DUMP)];

/// What each is about, what is in the directory, and what is typed.
const ALL: &[(&str, Files, &[&str])] = &[
    ("there is nothing", &[], &["try"]),
    (
        "two tools",
        &[("Cargo.toml", SQLX), ("migrations/1_a.sql", DUMP), ("sql/1_b.sql", GOOSE)],
        &["try"],
    ),
    ("two dumps", &[PLAIN[0], PLAIN[1], ("schema.sql", DUMP)], &["try", "change.sql"]),
    ("a tool of which nothing says which", &[("migrations/1_a.sql", DUMP)], &["try"]),
    ("the same, named", &[("migrations/1_a.sql", DUMP)], &["try", "migrations"]),
    ("a tool that is not read", &[("m/1_a.sql", "-- rambler up\nSELECT 1;\n")], &["try", "m"]),
    (
        "a marker in a directory",
        &[("Cargo.toml", SQLX), ("migrations/1_a.sql", "SELECT 1;\n-- migrate:down\nSELECT 2;\n")],
        &["try", "migrations", "--tool", "sqlx"],
    ),
    (
        "a marker in a plain file",
        &[("a.sql", "SELECT 1;\n-- +goose Down\nSELECT 2;\n"), PLAIN[1]],
        &["try", "a.sql", "--schema", "structure.sql"],
    ),
    ("a migration that is no SQL", &[("m/1_a.sql", GOOSE), ("m/2_b.go", "")], &["try", "m"]),
    (
        "changesets in XML",
        &[("l/a.xml", "<databaseChangeLog>\n<changeSet id='1'/>")],
        &["try", "l"],
    ),
    (
        "a changelog in XML at the root",
        &[
            ("liquibase.properties", "changeLogFile=changelog.xml\n"),
            ("changelog.xml", "<databaseChangeLog>\n<changeSet id='1'/>"),
        ],
        &["try"],
    ),
    (
        "a changelog in YAML at the root that nothing names",
        &[("changelog.yaml", "databaseChangeLog:\n  - changeSet:\n      id: 1\n")],
        &["try"],
    ),
    (
        "two heads of Alembic",
        &[
            ("alembic.ini", "[alembic]\nscript_location = db\n"),
            ("db/versions/1_a.py", "revision = '1a'\ndown_revision = None\n"),
            ("db/versions/2_b.py", "revision = '2b'\ndown_revision = '1a'\n"),
            ("db/versions/3_c.py", "revision = '3c'\ndown_revision = '1a'\n"),
        ],
        &["try"],
    ),
    ("TypeORM", &[("package.json", "{\"dependencies\":{\"typeorm\":\"0.3\"}}")], &["try"]),
    (
        "goose in Go",
        &[("go.mod", "require github.com/pressly/goose/v3 v3"), ("migrations/1_a.go", "")],
        &["try"],
    ),
    ("no such file", PLAIN, &["try", "other.sql"]),
    ("no base", &[PLAIN[0]], &["try", "change.sql"]),
    ("no base of a command", PLAIN, &["try", "--", "true"]),
    ("a base that is not there", PLAIN, &["try", "change.sql", "--schema", "other.sql"]),
    ("a base that is no address", PLAIN, &["try", "change.sql", "--schema", "postgres://a:b"]),
    ("an empty command as the base", PLAIN, &["try", "--base", " ", "--", "true"]),
    ("an empty command", PLAIN, &["try", "--base", "true", "--command", " "]),
    ("an empty file", &[("a.sql", "-- nothing\n"), PLAIN[1]], &["try", "a.sql"]),
    ("SQL that ends in a string", &[("a.sql", "SELECT 'a;\n"), PLAIN[1]], &["try", "a.sql"]),
    ("an unknown tool", PLAIN, &["try", "change.sql", "--tool", "sqxl"]),
    ("a rule for a directory", DIRECTORY, &["try", "migrations", "--transaction", "single"]),
    ("an unknown condition", PLAIN, &["try", "change.sql", "--conditions", "calm,bakcup"]),
    (
        "an unknown condition on a scenario",
        PLAIN,
        &["try", "change.sql", "--on", "add-column-guarded", "--conditions", "bakcup"],
    ),
    ("a policy that is none", PLAIN, &["try", "change.sql", "--retry", "3s 5"]),
    ("an unknown rule", PLAIN, &["try", "change.sql", "--transaction", "one"]),
    ("a tool for a command", PLAIN, &["try", "--tool", "sqlx", "--base", "true", "--", "true"]),
    ("no change on a scenario", PLAIN, &["try", "--on", "add-column-guarded"]),
    ("an unknown scenario", PLAIN, &["try", "change.sql", "--on", "nowhere"]),
    ("a place that is taken", PLAIN, &["try", "change.sql", "--save", "."]),
    ("a place that is a file", PLAIN, &["try", "change.sql", "--save", "change.sql"]),
    ("a place whose name is no scenario's", PLAIN, &["try", "change.sql", "--save", "saved_a"]),
    ("a likeness that is not there", PLAIN, &["try", "change.sql", "--like", "other.sql"]),
    ("a likeness that is no address", PLAIN, &["try", "change.sql", "--like", "postgres://a:b"]),
    (
        "statements of a file",
        PLAIN,
        &["try", "change.sql", "--like", "structure.sql", "--app-from", "pg_stat_statements"],
    ),
    ("the application's statements", PLAIN, &["try", "change.sql", "--app", "queries.sql"]),
    ("no server of that kind", PLAIN, &["try", "change.sql", "--server", "remote"]),
    ("rows of nothing", PLAIN, &["try", "change.sql", "--rows", "t=none"]),
    ("two budgets", PLAIN, &["try", "change.sql", "--quick", "--thorough"]),
    ("a release without a clone", PLAIN, &["try", "change.sql", "--release", "true"]),
    ("a clone with rows", PLAIN, &["try", "change.sql", "--clone", "true", "--rows", "t=1"]),
    (
        "an unknown key of the project",
        &[PLAIN[0], PLAIN[1], ("pgauntlet.toml", "rows = 1\n[tri]\n")],
        &["try"],
    ),
    (
        "a change that the project names and has not",
        &[("pgauntlet.toml", "change = 'other.sql'\nschema = 'structure.sql'\n"), PLAIN[1]],
        &["try"],
    ),
    (
        "a command that the project names without a base",
        &[("pgauntlet.toml", "command = 'true'\n")],
        &["try"],
    ),
    (
        "an acknowledgement of an unknown kind",
        &[("change.sql", "-- pgauntlet: accept crahs \"x\"\nSELECT 1;\n"), PLAIN[1]],
        &["try", "change.sql"],
    ),
    ("a file of the project that is there", &[("pgauntlet.toml", "")], &["init"]),
    (
        "a file of the project that cannot be written",
        &[("pgauntlet.toml/x", "")],
        &["init", "--force"],
    ),
];

/// The exit code and standard error of one.
fn said(root: &Path, arguments: &[&str]) -> String {
    let mut command = cargo_bin_cmd!("pgauntlet");
    command.current_dir(root).env("NO_COLOR", "1").env_remove("PGAUNTLET_SERVER").args(arguments);
    if arguments[0] == "try" {
        command.arg("--no-cache");
    }
    let output = command.output().expect("pgauntlet");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    format!("{}\n{}", output.status.code().expect("an exit code"), text.trim_end())
}

#[test]
fn every_error_says_what_is_wrong_and_what_decides() {
    let mut all = String::new();
    for (about, files, arguments) in ALL {
        let root = tempfile::tempdir().expect("a directory");
        for (name, text) in *files {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
            fs::write(path, text).expect("a file");
        }
        let said = said(root.path(), arguments).replace(&root.path().display().to_string(), "ROOT");
        let line = arguments.join(" ");
        writeln!(all, "## {about}\n$ pgauntlet {line}\n{said}\n").expect("a string");
    }
    // Tools and kinds of findings become more.
    let lists = vec![
        (r"(looked for files of sqlx).*(; say which)", "$1, …$2"),
        ("(known kinds: stall), .*", "$1, …"),
        ("/tmp/scenarios-[^/]*", "SCENARIOS"),
        (r"\[possible values: [^\]]*\]", "[possible values: …]"),
    ];
    insta::with_settings!({ filters => lists }, { insta::assert_snapshot!(all) });
}
