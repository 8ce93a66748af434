//! `try` in projects of its users: no scenario is written, and the newest migration is the change.

use std::path::{Path, PathBuf};

use assert_cmd::cargo::cargo_bin_cmd;
use predicates::str::contains;
use rstest::rstest;
use tempfile::TempDir;

use crate::toolbox;

const PROJECTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/projects");

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a directory");
    for entry in std::fs::read_dir(from).expect("a directory") {
        let entry = entry.expect("an entry");
        let (path, there) = (entry.path(), to.join(entry.file_name()));
        match path.is_dir() {
            true => copy(&path, &there),
            false => {
                std::fs::copy(&path, &there).expect("a copy");
            }
        }
    }
}

/// The project with its newest migration.
fn project(name: &str, newest: &str) -> TempDir {
    let root = tempfile::tempdir().expect("a directory");
    copy(&Path::new(PROJECTS).join(name).join("before"), root.path());
    copy(&Path::new(PROJECTS).join(name).join(newest), root.path());
    if name == "knex" {
        let packages = toolbox::tools().join("node/node_modules");
        std::os::unix::fs::symlink(packages, root.path().join("node_modules")).expect("a link");
    }
    root
}

fn try_in(root: &Path) -> assert_cmd::Command {
    let mut command = cargo_bin_cmd!("pgauntlet");
    command.current_dir(root).env("NO_COLOR", "1").env("PATH", toolbox::path());
    // The distribution's: where a command makes the base, its pg_dump is needed.
    command.args(["try", "--pg", "15", "--no-cache", "--quiet", "--quick", "--rate", "40"]);
    command
}

/// Behind a backup a lock that stops everybody is waited for, and everybody waits behind it.
#[rstest]
#[case::sqlx("sqlx", &["--rows", "orders=4k"])]
#[case::plain("plain", &["change.sql", "--schema", "structure.sql", "--rows", "entries=4k"])]
#[case::alembic("alembic", &["--rows", "texts=4k"])]
#[test]
fn a_lock_that_waits_for_a_backup_is_unsafe(#[case] name: &str, #[case] arguments: &[&str]) {
    let root = project(name, "bad");
    let assert = try_in(root.path()).args(arguments).assert().code(1);
    assert.stdout(contains("under backup")).stdout(contains("stall (unsafe)"));
}

#[rstest]
#[case::sqlx("sqlx", &["--rows", "orders=4k"])]
#[case::plain("plain", &["change.sql", "--schema", "structure.sql", "--rows", "entries=4k"])]
#[case::alembic("alembic", &["--rows", "texts=4k"])]
#[case::django("django", &["--rows", "shop_order=4k"])]
#[case::knex("knex", &["--rows", "events=4k"])]
#[test]
fn an_index_that_is_built_concurrently_is_safe(#[case] name: &str, #[case] arguments: &[&str]) {
    let root = project(name, "good");
    let assert = try_in(root.path()).args(arguments).assert();
    let output = String::from_utf8_lossy(&assert.get_output().stdout).into_owned();
    // On a busy machine a trial may prove nothing; it never shows what is not.
    assert!(output.contains("SAFE ") && !output.contains("UNSAFE"), "{output}");
    assert!(!output.contains("BOUNDED"), "{output}");
}

#[test]
fn what_would_be_run_is_shown_without_a_server() {
    let root = project("sqlx", "bad");
    let mut command = try_in(root.path());
    let shown = command.args(["--dry-run", "--pg-bin", "/nowhere"]).assert().success();
    shown
        .stdout(contains("migrations/20240301000000_note.sql, as sqlx runs it"))
        .stdout(contains("the 2 migrations before it"));
}

#[test]
fn two_tools_are_both_named_with_what_decides() {
    let root = project("sqlx", "bad");
    copy(&PathBuf::from(PROJECTS).join("alembic/before"), root.path());
    let refused = try_in(root.path()).arg("--dry-run").assert().code(2);
    refused
        .stderr(contains("sqlx's migrations: pgauntlet try migrations"))
        .stderr(contains("pgauntlet try --base 'alembic upgrade 1a' -- alembic upgrade head"));
}

#[rstest]
#[case::nothing_here(&[], "no tool's migrations were recognised here")]
#[case::no_such_file(&["change.sql"], "there is no such file")]
#[case::no_base(&["structure.sql"], "say what it begins from")]
#[case::no_base_for_a_command(&["--", "true"], "say what it begins from")]
#[case::an_unknown_table(
    &["structure.sql", "--schema", "structure.sql", "--rows", "nowhere=5"],
    "set the rows of nowhere"
)]
#[test]
fn what_is_missing_is_one_error(#[case] arguments: &[&str], #[case] said: &str) {
    let root = project("plain", "good");
    std::fs::rename(root.path().join("change.sql"), root.path().join("other")).expect("a name");
    try_in(root.path()).args(arguments).assert().code(2).stderr(contains(said));
}
