//! `try` with a pgauntlet.toml, and with a migration that says what is accepted of it.

use std::fs;
use std::path::Path;

use assert_cmd::cargo::cargo_bin_cmd;
use predicates::prelude::PredicateBooleanExt;
use predicates::str::contains;
use rstest::rstest;

use crate::own::{copy, project, try_in};

const NEWEST: &str = "migrations/20240301000000_note.sql";

/// Puts a line above what a file holds.
fn above(path: &Path, line: &str) {
    let text = fs::read_to_string(path).expect("a file");
    fs::write(path, format!("{line}\n{text}")).expect("a file");
}

fn said(output: &[u8]) -> String {
    String::from_utf8_lossy(output).split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn what_a_migration_accepts_is_shown_and_not_counted() {
    let root = project("sqlx", "bad");
    above(&root.path().join(NEWEST), "-- migration-unsafe-ack: nobody works on Sunday");
    let assert = try_in(root.path()).args(["--rows", "orders=4k"]).assert();
    let output = said(&assert.get_output().stdout);
    assert!(output.contains(&format!("accept whatever breaks a rule ({NEWEST}:1)")), "{output}");
    let by = format!("unsafe, and accepted by {NEWEST}:1: nobody works on Sunday");
    assert!(output.contains("note stall: ") && output.contains(&by), "{output}");
    assert!(output.contains("accepted and not counted: stall (unsafe"), "{output}");
    assert!(!output.contains("stall (unsafe) in"), "{output}");
    // On a busy machine a trial may prove nothing.
    let unproven = output.contains("UNPROVEN");
    assert_eq!(assert.get_output().status.code(), Some(if unproven { 3 } else { 0 }), "{output}");
}

/// In a file of Python too, whose statements are of no file.
#[test]
fn what_a_migration_accepts_and_no_trial_shows_is_an_error() {
    let root = project("alembic", "good");
    let versions = root.path().join("db/versions");
    let newest = fs::read_dir(&versions).expect("versions").flatten().map(|entry| entry.path());
    let newest = newest.filter(|path| fs::read_to_string(path).is_ok_and(|t| t.contains("\"3c\"")));
    let newest = newest.last().expect("the newest");
    above(&newest, "# pgauntlet: accept deadlock \"it may be\"");
    let assert = try_in(root.path()).args(["--rows", "texts=4k"]).assert();
    let output = said(&assert.get_output().stdout);
    let place = format!("db/versions/{}:1", newest.file_name().expect("a name").to_string_lossy());
    let accepts = format!("{place} accepts deadlock (it may be)");
    assert!(output.contains(&accepts), "{output}");
    let (ending, code) = match output.contains("UNPROVEN") {
        true => ("whether there is anything to accept is not known", 3),
        false => ("and no trial shows it: take that line away", 1),
    };
    assert!(output.contains(ending), "{output}");
    assert_eq!(assert.get_output().status.code(), Some(code), "{output}");
}

#[rstest]
#[case::unknown_kind("-- pgauntlet: accept stal \"x\"", ":1:22: unknown finding `stal`")]
#[case::no_reason("-- pgauntlet: accept stall", ":1:22: `stall` is accepted without a reason")]
#[case::empty("-- migration-unsafe-ack:", ":1:4: `migration-unsafe-ack` has no reason")]
#[case::misspelt("-- migration-unsafe-akc: x", ":1:4: `migration-unsafe-akc` is misspelt")]
#[case::evidence(
    "-- pgauntlet: accept samples-missing \"x\"",
    ":1:22: `samples-missing` cannot be accepted"
)]
#[test]
fn a_wrong_acknowledgement_is_an_error_before_anything_starts(
    #[case] line: &str,
    #[case] problem: &str,
    #[values(true, false)] on_a_scenario: bool,
) {
    let root = project("sqlx", "bad");
    above(&root.path().join(NEWEST), line);
    let mut command = cargo_bin_cmd!("pgauntlet");
    command.current_dir(root.path()).env("NO_COLOR", "1").args(["try", "--pg-bin", "/nowhere"]);
    if on_a_scenario {
        command.args([NEWEST, "--on", "add-column-guarded"]);
    }
    command.assert().code(2).stderr(contains(format!("{NEWEST}{problem}")));
}

#[test]
fn a_projects_file_says_what_is_tried_and_options_override_it() {
    let root = project("plain", "bad");
    fs::create_dir_all(root.path().join(".git")).expect("a directory");
    let below = root.path().join("service/deep");
    fs::create_dir_all(&below).expect("directories");
    let file = "change = \"change.sql\"\nschema = \"structure.sql\"\n[[accept]]\n\
                finding = \"no-timeout\"\nreason = \"the proxy\"\nuntil = 2100-01-31\n\
                [[accept]]\nfinding = \"stall\"\nreason = \"other\"\nuntil = 2100-01-31\n\
                change = \"another\"\n";
    fs::write(root.path().join("pgauntlet.toml"), file).expect("a file");
    let dry = |directory: &Path, arguments: &[&str]| {
        let mut command = try_in(directory);
        command.args(["--dry-run", "--pg-bin", "/nowhere"]).args(arguments).assert()
    };
    let accept = "accept     no-timeout until 2100-01-31 (pgauntlet.toml:4): the proxy";
    dry(root.path(), &[])
        .success()
        .stdout(contains("config     pgauntlet.toml\nchange     change.sql, transactions: none"))
        .stdout(contains("structure.sql"))
        .stdout(contains(accept).and(contains("stall").not()));
    let nested = dry(&below, &[]).success();
    let path = root.path().canonicalize().expect("a path").join("change.sql");
    nested.stdout(contains(format!("change     {}", path.display())));
    fs::write(root.path().join("another.sql"), "SELECT 1;\n").expect("a file");
    dry(root.path(), &["another.sql"]).success().stdout(
        contains("change     another.sql").and(contains("accept     stall until 2100-01-31")),
    );
    dry(root.path(), &["--base", "true", "--", "psql", "-f", "change.sql"])
        .success()
        .stdout(contains("change     `psql -f change.sql`").and(contains("base       `true`")));
    let wrong = file.replace("[[accept]]\nfinding = \"stall\"", "[[accept]]\nfinding = \"stal\"");
    fs::write(root.path().join("pgauntlet.toml"), wrong).expect("a file");
    dry(&below, &[])
        .code(2)
        .stderr(contains("pgauntlet.toml:8:11: unknown name `stal`"))
        .stderr(contains("did you mean `stall`?"));
}

#[test]
fn a_password_in_a_wrong_file_is_not_shown() {
    let root = project("plain", "bad");
    let file = "schema = \"postgres://me:secret@db/app\"\nbase = \"true\"\nschem = \
                \"postgres://me:secret@db/app\"\n";
    fs::write(root.path().join("pgauntlet.toml"), file).expect("a file");
    let refused = try_in(root.path()).arg("--dry-run").assert().code(2);
    refused.stderr(contains("unknown key `schem`").and(contains("secret").not()));
}

#[test]
fn init_writes_what_it_found_and_nothing_over_a_file() {
    let root = project("sqlx", "bad");
    let init = |directory: &Path, arguments: &[&str]| {
        let mut command = cargo_bin_cmd!("pgauntlet");
        command.current_dir(directory).env("NO_COLOR", "1").arg("init").args(arguments).assert()
    };
    let found = "Found here: sqlx's migrations in migrations, of which the newest is tried.";
    init(root.path(), &[]).success().stdout(contains("wrote pgauntlet.toml").and(contains(found)));
    let path = root.path().join("pgauntlet.toml");
    let text = fs::read_to_string(&path).expect("the file");
    assert!(text.contains(&format!("# {found}\n")), "{text}");
    // It changes nothing.
    try_in(root.path()).arg("--dry-run").assert().success().stdout(contains("note.sql, as sqlx"));
    init(root.path(), &[]).code(2).stderr(contains("it is there; --force writes over it"));
    fs::write(&path, "").expect("a file");
    init(root.path(), &["--force"]).success();
    assert_eq!(fs::read_to_string(&path).expect("the file"), text);
    copy(
        Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/projects/alembic/before")),
        root.path(),
    );
    init(root.path(), &["--force"])
        .success()
        .stdout(contains("there are 2 tools' migrations here"));
    let chosen = try_in(root.path()).args(["migrations", "--dry-run"]).assert().success();
    chosen.stdout(contains("as sqlx runs it"));
}
