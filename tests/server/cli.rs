//! The command line as its users meet it: exit codes, errors, help.

use std::path::Path;
use std::process::Command as Process;
use std::time::{Duration, Instant};

use assert_cmd::cargo::cargo_bin_cmd;
use assert_cmd::prelude::*;
use predicates::prelude::PredicateBooleanExt;
use predicates::str::{contains, is_empty};
use rstest::rstest;

fn pgauntlet() -> assert_cmd::Command {
    let mut command = cargo_bin_cmd!("pgauntlet");
    command.current_dir(env!("CARGO_MANIFEST_DIR")).env("NO_COLOR", "1");
    command
}

#[test]
fn help_names_the_commands_and_the_exit_codes() {
    let help = pgauntlet().arg("--help").assert().success();
    let text = String::from_utf8_lossy(&help.get_output().stdout).into_owned();
    insta::assert_snapshot!(text);
}

#[test]
fn a_program_can_read_what_the_doctor_saw_and_what_is_kept() {
    let cache = tempfile::tempdir().expect("a directory");
    let read = |arguments: &[&str]| -> serde_json::Value {
        let asked = ["--format", "json", "--cache-dir"];
        let mut command = pgauntlet();
        let said = command.args(arguments).args(asked).arg(cache.path()).assert().success();
        serde_json::from_slice(&said.get_output().stdout).expect("JSON")
    };
    let seen = read(&["doctor"]);
    assert!(seen["local"]["server"]["version"].is_string(), "{seen:#}");
    assert_eq!(seen["local"]["error"], serde_json::Value::Null);
    assert!(seen["machine"]["cores"].as_u64() >= Some(1), "{seen:#}");
    let kept = read(&["cache"]);
    let nothing = serde_json::json!([]);
    assert_eq!((&kept["clusters"], &kept["seeds"]), (&nothing, &nothing));
}

#[test]
fn every_bundled_scenario_is_listed_with_what_it_expects() {
    let list = pgauntlet().arg("list").assert().success();
    for name in ["spans-task-id-original", "backfill-runbook", "idle-in-transaction"] {
        list.get_output().stdout.windows(name.len()).find(|w| *w == name.as_bytes()).expect(name);
    }
}

#[test]
fn the_bundled_scenarios_are_there_without_their_directory() {
    let elsewhere = tempfile::tempdir().expect("a directory");
    let list = pgauntlet().current_dir(elsewhere.path()).arg("list").assert();
    list.success().stdout(contains("spans-task-id-reduced"));
}

#[test]
fn a_group_is_left_out_until_it_is_named_and_that_is_said() {
    let all = pgauntlet().arg("list").assert().success();
    let said = contains("not listed: the group operations of").and(contains("list operations`"));
    all.stdout(said.and(contains("set-not-null-by-check").not()));
    let group = pgauntlet().args(["list", "operations"]).assert().success();
    group.stdout(contains("set-not-null-by-check").and(contains("spans").not()));
    let one = pgauntlet().args(["check", "operations/create-index"]).assert().success();
    one.stdout(contains("1 scenarios are well-formed"));
    let crash = pgauntlet().args(["crash", "operations"]).assert().code(2);
    crash.stderr(contains("find the scenario operations"));
}

#[rstest]
#[case::unknown_command(&["frobnicate"], "unrecognized subcommand")]
#[case::unknown_scenario(&["run", "no-such-scenario"], "pgauntlet list")]
#[case::unknown_server(&["run", "--server", "sqlite"], "local, docker, or an external server")]
#[case::rows_without_a_number(&["run", "--rows", "spans"], "TABLE=ROWS")]
#[case::rows_of_no_table(&["run", "--rows", "spons=1", "--quick"], "no scenario has such a table")]
#[case::no_histories(&["judge", "src"], "history.jsonl")]
fn a_wrong_command_line_is_refused_with_code_2_and_its_remedy(
    #[case] arguments: &[&str],
    #[case] told: &str,
) {
    pgauntlet().args(arguments).assert().code(2).stderr(contains(told)).stdout(is_empty());
}

#[test]
fn a_size_that_does_not_fit_the_disk_is_refused_before_anything_is_seeded() {
    let arguments = ["run", "spans-task-id-reduced", "--rows", "spans=900000M", "--no-cache"];
    let refused = pgauntlet().args(arguments).assert().code(2);
    refused.stderr(contains("free in"));
}

#[test]
fn a_broken_scenario_is_refused_with_its_file_and_line_before_anything_starts() {
    let directory = tempfile::tempdir().expect("a directory");
    let broken = directory.path().join("broken");
    std::fs::create_dir(&broken).expect("a directory");
    std::fs::write(broken.join("scenario.toml"), "analysis = 'x'\nrates = 1\n").expect("a file");
    let run = pgauntlet().arg("run").arg(&broken).assert().code(2);
    run.stderr(contains("scenario.toml:2")).stderr(contains("rates"));
}

#[test]
fn output_of_another_run_is_not_written_over() {
    let out = tempfile::tempdir().expect("a directory");
    std::fs::write(out.path().join("result.json"), "{}").expect("a file");
    let run = pgauntlet().args(["run", "--quick", "--out"]).arg(out.path()).assert().code(2);
    run.stderr(contains("another directory"));
}

/// A scenario of a few rows, whose own change is unsafe and whose limits bear a busy machine, and
/// what else is to be there.
fn tiny(migrations: &[(&str, &str)]) -> tempfile::TempDir {
    let scenario = "analysis = 'A few rows.'\n\
        [schema]\ntables = 'schema.sql'\n\
        [[table]]\nname = 't'\nrows = 500\ncolumns.id = { serial = {} }\n\
        [traffic]\nrate_per_s = 50\nbaseline_ms = 500\nrecovery_min_ms = 200\n\
        [[operation]]\nname = 'count'\nweight = 1\nsql = 'SELECT count(*) FROM t'\n\
        [limits]\nstall_ms_max = 10_000\np99_ms_floor = 10_000\ngenerator_lag_ms_max = 10_000\n\
        [[change.migration]]\nversion = '1'\nfile = 'own.sql'\n\
        [expect]\nverdict = 'unsafe'\n";
    let directory = tempfile::tempdir().expect("a directory");
    for (name, text) in [
        ("tiny/scenario.toml", scenario),
        ("tiny/schema.sql", "CREATE TABLE t (id bigint);"),
        ("tiny/own.sql", "SELECT 1/0;"),
    ]
    .iter()
    .chain(migrations)
    {
        let path = directory.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        std::fs::write(path, text).expect("a file");
    }
    directory
}

#[rstest]
#[case::safe_directory(
    &[("m/1_a.sql", "ALTER TABLE t ADD COLUMN a int;"),
        ("m/2_b.sql", "-- no-transaction\nCREATE INDEX CONCURRENTLY i ON t (a);")],
    "m",
    0,
    "SAFE"
)]
#[case::unsafe_directory(
    &[("m/1_b.sql", "CREATE INDEX CONCURRENTLY i ON t (id);"), ("m/sqlx.toml", "")],
    "m",
    1,
    "25001"
)]
#[case::safe_file(&[("a.sql", "ALTER TABLE t ADD COLUMN a int;")], "a.sql", 0, "SAFE")]
#[case::file_as_psql_runs_it(
    &[("a.sql", "CREATE INDEX CONCURRENTLY i ON t (id);")],
    "a.sql",
    0,
    "no transaction: every statement by itself"
)]
fn migrations_that_are_tried_take_the_place_of_the_scenarios_change(
    #[case] files: &[(&str, &str)],
    #[case] migrations: &str,
    #[case] code: i32,
    #[case] told: &str,
) {
    let directory = tiny(files);
    let tried = pgauntlet()
        .current_dir(directory.path())
        .args(["try", "tiny", "--migrations", migrations, "--lock-timeout-ms", "3000"])
        .args(["--no-cache", "--quiet"])
        .assert();
    tried.code(code).stdout(contains(told));
}

#[rstest]
#[case::nothing_to_try(&["try", "--on", "tiny"], "name a file, a directory of migrations")]
#[case::unknown_tool(&["try", "tiny", "--migrations", "m", "--tool", "alembic"], "golang-migrate")]
#[case::two_tools(&["try", "tiny", "--migrations", "m"], "--tool flyway")]
#[case::tool_of_a_file(
    &["try", "tiny", "--migrations", "m/V1__a.sql", "--tool", "flyway"],
    "--tool goes with a directory"
)]
#[case::no_directory(&["try", "tiny", "--migrations", "n"], "cannot list it")]
#[case::no_scenario(&["try", "huge", "--migrations", "m", "--tool", "flyway"], "pgauntlet list")]
fn what_cannot_be_tried_is_refused_with_code_2_before_anything_starts(
    #[case] arguments: &[&str],
    #[case] told: &str,
) {
    let directory = tiny(&[("m/V1__a.sql", "SELECT 1;")]);
    let refused = pgauntlet().current_dir(directory.path()).args(arguments).assert();
    refused.code(2).stderr(contains(told)).stdout(is_empty());
}

#[test]
fn help_of_try_names_what_can_be_tried_and_the_tools() {
    let mut command = pgauntlet();
    for name in ["PGAUNTLET_SERVER", "PGAUNTLET_CACHE", "COLUMNS"] {
        command.env_remove(name);
    }
    let help = command.args(["try", "--help"]).assert().success();
    let text = String::from_utf8_lossy(&help.get_output().stdout).into_owned();
    insta::assert_snapshot!(text);
}

/// A run that is interrupted ends with 130 within a bounded time and leaves no server.
#[rstest]
#[case::sigint(nix::sys::signal::Signal::SIGINT)]
#[case::sigterm(nix::sys::signal::Signal::SIGTERM)]
fn an_interrupted_run_ends_with_130_and_leaves_nothing(#[case] signal: nix::sys::signal::Signal) {
    let scratch = tempfile::tempdir().expect("a directory");
    let mut command = Process::cargo_bin("pgauntlet").expect("the binary");
    command
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["run", "cic-in-transaction", "--quick", "--no-cache", "--out"])
        .arg(scratch.path().join("out"));
    let mut child = command.spawn().expect("a child");
    // The history's first event says that the trial is under way.
    let history = scratch.path().join("out/cic-in-transaction/history.jsonl");
    wait_for("the trial", || has_lines(&history, 3));
    let pid = nix::unistd::Pid::from_raw(child.id() as i32);
    nix::sys::signal::kill(pid, signal).expect("a signal");
    let mut code = None;
    wait_for("the end", || {
        code = child.try_wait().expect("a status").and_then(|status| status.code());
        code.is_some()
    });
    assert_eq!(code, Some(130));
    wait_for("the server's end", || !mentions_any_process(child.id()));
}

/// A command that is interrupted takes its processes and its statement with it.
#[test]
fn an_interrupted_command_leaves_no_process_and_no_server() {
    let scratch = tempfile::tempdir().expect("a directory");
    let mark = format!("pgauntlet_interrupted_{}", std::process::id());
    let line = format!("psql -X -c \"SELECT pg_sleep(600) AS {mark}\" & wait");
    let mut command = Process::cargo_bin("pgauntlet").expect("the binary");
    command
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["try", "cic-in-transaction", "--quick", "--no-cache", "--command", &line, "--out"])
        .arg(scratch.path().join("out"));
    let mut child = command.spawn().expect("a child");
    let history = scratch.path().join("out/cic-in-transaction/history.jsonl");
    // In the header stands the command; the statement's event says that it runs.
    wait_for("the statement", || has(&history, "statement-began", &mark));
    let pid = nix::unistd::Pid::from_raw(child.id() as i32);
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGINT).expect("a signal");
    let mut code = None;
    wait_for("the end", || {
        code = child.try_wait().expect("a status").and_then(|status| status.code());
        code.is_some()
    });
    assert_eq!(code, Some(130));
    wait_for("the command's end", || !mentions(&mark));
    wait_for("the server's end", || !mentions_any_process(child.id()));
}

/// Whether some line of the history holds both.
fn has(path: &Path, event: &str, text: &str) -> bool {
    let history = std::fs::read_to_string(path).unwrap_or_default();
    history.lines().any(|line| line.contains(event) && line.contains(text))
}

fn has_lines(path: &Path, lines: usize) -> bool {
    std::fs::read_to_string(path).is_ok_and(|text| text.lines().count() >= lines)
}

/// Whether a Postgres serves a database of that process.
fn mentions_any_process(owner: u32) -> bool {
    mentions(&format!("pgauntlet_trial_{owner}_"))
}

/// Whether a process has the text among its arguments.
fn mentions(text: &str) -> bool {
    let listing = Process::new("ps").args(["-eo", "args"]).output().expect("ps");
    String::from_utf8_lossy(&listing.stdout).contains(text)
}

fn wait_for(what: &str, mut is_there: impl FnMut() -> bool) {
    const LONGEST: Duration = Duration::from_secs(60);
    let began = Instant::now();
    while !is_there() {
        assert!(began.elapsed() < LONGEST, "{what} did not come within {LONGEST:?}");
        std::thread::yield_now();
    }
}

/// The same file, once by the runner and once by a command that does it all again.
#[rstest]
#[case::it_is_not_run_again(&[], 0, "not run again: the command keeps no versions")]
#[case::it_is_asked_for(&["--rerun"], 1, "already exists")]
fn a_command_that_keeps_no_versions_is_run_again_only_where_it_is_asked_for(
    #[case] more: &[&str],
    #[case] code: i32,
    #[case] told: &str,
) {
    let directory = tiny(&[("a.sql", "ALTER TABLE t ADD COLUMN a int;")]);
    let tried = pgauntlet()
        .current_dir(directory.path())
        .args(["try", "tiny", "--command", "psql -X -v ON_ERROR_STOP=1 -f a.sql"])
        .args(["--no-cache", "--quiet"])
        .args(more)
        .assert();
    tried.code(code).stdout(contains(told));
}

#[test]
fn a_command_that_keeps_versions_is_run_again() {
    let sql = "CREATE TABLE IF NOT EXISTS schema_migrations (version text PRIMARY KEY);
               INSERT INTO schema_migrations VALUES ('1') ON CONFLICT DO NOTHING;
               ALTER TABLE t ADD COLUMN IF NOT EXISTS a int;";
    let directory = tiny(&[("a.sql", sql)]);
    let tried = pgauntlet()
        .current_dir(directory.path())
        .args(["try", "tiny", "--command", "psql -X -v ON_ERROR_STOP=1 -f a.sql"])
        .args(["--no-cache", "--quiet"])
        .assert();
    tried.code(0).stdout(contains("a rerun"));
}

#[test]
fn a_dumps_empty_search_path_does_not_break_the_seed() {
    let directory = tiny(&[("a.sql", "ALTER TABLE t ADD COLUMN a int;")]);
    let schema = directory.path().join("tiny/schema.sql");
    let text = std::fs::read_to_string(&schema).expect("the schema");
    let dump = "SELECT pg_catalog.set_config('search_path', '', false);\n";
    let text = text.replace("CREATE TABLE t", "CREATE TABLE public.t");
    std::fs::write(&schema, format!("{dump}{text}")).expect("a schema");
    let tried = pgauntlet()
        .current_dir(directory.path())
        .args(["try", "tiny", "--migrations", "a.sql", "--no-cache", "--quiet"])
        .assert();
    tried.code(0).stdout(contains("SAFE"));
}
