//! `try` in projects of its users: no scenario is written, and the newest migration is the change.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use assert_cmd::cargo::{cargo_bin, cargo_bin_cmd};
use pgauntlet::scenario::{self, Tool, TransactionRule};
use predicates::str::contains;
use rstest::rstest;
use tempfile::TempDir;

use crate::toolbox;

const PROJECTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/projects");

/// The distribution's server: where a command makes the base, its pg_dump is needed.
const OPTIONS: &[&str] = &["try", "--pg", "15", "--no-cache", "--quiet", "--quick", "--rate", "40"];

pub fn copy(from: &Path, to: &Path) {
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
pub fn project(name: &str, newest: &str) -> TempDir {
    let root = tempfile::tempdir().expect("a directory");
    copy(&Path::new(PROJECTS).join(name).join("before"), root.path());
    copy(&Path::new(PROJECTS).join(name).join(newest), root.path());
    if ["knex", "sequelize", "typeorm"].contains(&name) {
        let packages = toolbox::tools().join("node/node_modules");
        std::os::unix::fs::symlink(packages, root.path().join("node_modules")).expect("a link");
    }
    root
}

pub fn try_in(root: &Path) -> assert_cmd::Command {
    let mut command = cargo_bin_cmd!("pgauntlet");
    command.current_dir(root).env("NO_COLOR", "1").env("PATH", toolbox::path());
    command.args(OPTIONS);
    command
}

/// The exit code, and what is printed, on one line.
pub fn outcome(mut command: assert_cmd::Command) -> (i32, String) {
    let output = command.output().expect("pgauntlet");
    let all = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&all).split_whitespace().collect::<Vec<_>>().join(" ");
    (output.status.code().expect("an exit code"), said)
}

/// TypeORM goes to no migration before the newest, so its base has to be named.
const TYPEORM: &[&str] = &[
    "--rows",
    "parcel=4k",
    "--base",
    "ONLY_BASE=1 node_modules/.bin/typeorm migration:run -d data-source.js",
    "--",
    "node_modules/.bin/typeorm",
    "migration:run",
    "-d",
    "data-source.js",
];

/// Behind a backup a lock that stops everybody is waited for, and everybody waits behind it.
/// Its good twin builds it CONCURRENTLY.
#[test]
fn an_index_whose_build_stops_writers_longer_than_they_can_bear_is_unsafe() {
    let root = project("knex", "bad");
    let assert = try_in(root.path()).args(["--rows", "events=400k"]).assert().code(1);
    assert.stdout(contains("stall  ")).stdout(contains("limit 50 ms"));
}

#[rstest]
#[case::sqlx("sqlx", &["--rows", "orders=4k"])]
#[case::plain("plain", &["change.sql", "--schema", "structure.sql", "--rows", "entries=4k"])]
#[case::alembic("alembic", &["--rows", "texts=4k"])]
#[case::django("django", &["--rows", "shop_order=4k"])]
#[case::sequelize("sequelize", &["--rows", "visits=4k"])]
#[case::typeorm("typeorm", TYPEORM)]
#[test]
fn a_lock_that_waits_for_a_backup_is_unsafe(#[case] name: &str, #[case] arguments: &[&str]) {
    let root = project(name, "bad");
    let assert = try_in(root.path()).args(arguments).assert().code(1);
    let assert = assert.stdout(contains("under backup")).stdout(contains("stall"));
    let said = String::from_utf8_lossy(&assert.get_output().stdout).into_owned();
    let about = said.lines().find(|line| line.starts_with("rows ")).expect("a line of the rows");
    assert_eq!(about.matches("4,000 in ").count(), 1, "{about}");
    assert!(!about.contains("and ") && !about.contains(", 1 in"), "{about}");
}

#[rstest]
#[case::sqlx("sqlx", &["--rows", "orders=4k"])]
#[case::plain("plain", &["change.sql", "--schema", "structure.sql", "--rows", "entries=4k"])]
#[case::alembic("alembic", &["--rows", "texts=4k"])]
#[case::django("django", &["--rows", "shop_order=4k"])]
#[case::knex("knex", &["--rows", "events=4k"])]
#[case::sequelize("sequelize", &["--rows", "visits=4k"])]
#[case::typeorm("typeorm", TYPEORM)]
#[test]
fn an_index_that_is_built_concurrently_is_safe(#[case] name: &str, #[case] arguments: &[&str]) {
    let root = project(name, "good");
    let mut command = try_in(root.path());
    command.args(["--save", "scenarios/saved"]);
    if ["sqlx", "plain"].contains(&name) {
        // Longer than the backup holds its snapshot, for which the build waits.
        command.args(["--lock-timeout-ms", "30000"]);
    }
    let assert = command.args(arguments).assert();
    is_no_worse_than_safe(&String::from_utf8_lossy(&assert.get_output().stdout));
    runs_as_it_did(root.path(), name);
}

/// On a busy machine a trial may prove nothing; it never shows what is not.
fn is_no_worse_than_safe(output: &str) {
    assert!(output.contains("SAFE ") || output.contains("\nsafe "), "{output}");
    assert!(!output.contains("UNSAFE"), "{output}");
    assert!(!output.contains("BOUNDED"), "{output}");
}

/// The saved scenario's change is the one that was tried: the same messages in the same
/// transactions of the same tool, or the same command.
fn runs_as_it_did(root: &Path, name: &str) {
    let saved = scenario::load(&root.join("scenarios/saved"));
    let saved = saved.unwrap_or_else(|problems| panic!("{}", scenario::render(&problems)));
    let change = saved.value.change;
    assert_eq!(change.timeouts.lock_timeout_ms, change.command.is_none().then_some(30_000));
    match name {
        "sqlx" => {
            let directory = root.join("migrations");
            let mut read = scenario::read_migrations(&directory, Some(Tool::Sqlx)).expect("sqlx's");
            let newest = read.migrations.split_off(read.migrations.len() - 1);
            assert_eq!(newest[0].transaction, Some(false));
            assert_eq!(change.migrations, newest);
            assert_eq!(change.tool, Some(read.recognised));
        }
        "plain" => {
            assert_eq!(change.transaction, TransactionRule::None);
            assert_eq!(change.migrations[0].version, "change");
        }
        _ => {
            let command = change.command.expect("a command");
            let here = root.canonicalize().expect("a directory");
            assert_eq!(command.directory.canonicalize().expect("a directory"), here);
            assert!(change.versions.is_none() && change.migrations.is_empty());
        }
    }
}

/// The newest migration and its good twin, each tried by itself at the same time.
#[rstest]
#[case::an_integer_that_becomes_a_bigint("drizzle", &["--rows", "posts=4k"])]
#[case::a_column_that_must_not_be_null("prisma", &["--rows", "Item=4k"])]
#[case::another_type_of_a_column("rails", &["db/change.sql", "--rows", "accounts=4k"])]
#[case::a_key_with_another_type_of_its_column("flyway", &["--rows", "invoice=4k"])]
#[test]
fn the_bad_one_is_unsafe_and_its_good_twin_is_not(#[case] name: &str, #[case] arguments: &[&str]) {
    let tried = ["bad", "good"].map(|newest| {
        let root = project(name, newest);
        let mut command = std::process::Command::new(cargo_bin!("pgauntlet"));
        command.args(OPTIONS).args(arguments).current_dir(root.path()).env("NO_COLOR", "1");
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        (command.spawn().expect("pgauntlet"), root)
    });
    let [bad, good] = tried.map(|(child, _root)| child.wait_with_output().expect("an end"));
    let said = |output: &Output| String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(bad.status.code(), Some(1), "{}", said(&bad));
    assert!(said(&bad).contains("UNSAFE"), "{}", said(&bad));
    is_no_worse_than_safe(&said(&good));
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
fn the_schema_is_that_of_the_database_whose_rows_are_to_be_like_its_own() {
    let root = project("plain", "bad");
    let like = "postgres://reader:secret@nowhere.invalid/app";
    let mut command = try_in(root.path());
    let shown = command.args(["change.sql", "--like", like, "--dry-run"]).assert().success();
    let shown = String::from_utf8_lossy(&shown.get_output().stdout).into_owned();
    let base = shown.lines().find(|line| line.starts_with("base")).expect("a base");
    assert!(base.contains("nowhere.invalid") && !shown.contains("secret"), "{shown}");
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
