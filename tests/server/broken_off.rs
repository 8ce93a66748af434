//! A crash matrix that is interrupted is never taken for a whole one.

use std::path::Path;
use std::process::Command as Process;

use assert_cmd::cargo::{CommandCargoExt, cargo_bin_cmd};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use predicates::str::contains;

const FIXTURES: &str = "tests/fixtures/format-4";

fn pgauntlet() -> assert_cmd::Command {
    let mut command = cargo_bin_cmd!("pgauntlet");
    command.current_dir(env!("CARGO_MANIFEST_DIR")).env("NO_COLOR", "1");
    command
}

/// Judged, reported and counted as what it is.
fn is_not_whole(directory: &Path, missing: &str) {
    let judged = pgauntlet().arg("judge").arg(directory).assert().code(3);
    judged.stdout(contains("UNPROVEN")).stdout(contains("planned cases did not run to their end"));
    let report = |format: &str| {
        let mut command = pgauntlet();
        let output = command.arg("report").arg(directory).args(["--format", format]).output();
        String::from_utf8(output.expect("a report").stdout).expect("text")
    };
    let json: serde_json::Value = serde_json::from_str(&report("json")).expect("JSON");
    assert_eq!(json["finished"], false);
    let matrix = &json["crash_matrices"][0];
    assert_eq!((&matrix["verdict"], &matrix["as_expected"]), (&"unproven".into(), &false.into()));
    let names = matrix["missing"].as_array().expect("cases that are missing");
    assert!(names.iter().any(|name| name == missing), "{names:?}");
    let junit = report("junit");
    assert!(!junit.contains("errors=\"0\"") || !junit.contains("failures=\"0\""), "{junit}");
    for format in ["text", "markdown", "html", "junit"] {
        let text = report(format);
        assert!(text.contains("planned cases did not run to their end"), "{format}: {text}");
    }
}

#[test]
fn an_interrupted_matrix_is_unproven_with_and_without_its_result() {
    let scratch = tempfile::tempdir().expect("a directory");
    let out = scratch.path().join("out");
    let scenarios = format!("{FIXTURES}/scenarios");
    let mut child = Process::cargo_bin("pgauntlet")
        .expect("the binary")
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["crash", "broken-off", "--scenarios-dir", &scenarios, "-q", "--at-once", "1"])
        .arg("--out")
        .arg(&out)
        .spawn()
        .expect("a child");
    let began = std::time::Instant::now();
    let second = out.join("broken-off/crash/001-lock-timeout/history.jsonl");
    while !second.exists() {
        assert!(began.elapsed().as_secs() < 120, "the second case never began");
        assert_eq!(child.try_wait().expect("a status"), None, "it ended before its second case");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    kill(Pid::from_raw(child.id() as i32), Signal::SIGINT).expect("a signal");
    assert_eq!(child.wait().expect("an end").code(), Some(130));
    let missing = "cut-after at statement 1";
    is_not_whole(&out, missing);
    std::fs::remove_file(out.join("result.json")).expect("a result from the start");
    is_not_whole(&out, missing);
}

#[test]
fn a_matrix_that_an_older_version_broke_off_is_unproven() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join(FIXTURES).join("broken-off");
    is_not_whole(&directory, "lock-timeout at statement 1");
}

#[test]
fn rows_that_a_run_is_asked_for_are_not_those_of_its_cases() {
    let scratch = tempfile::tempdir().expect("a directory");
    let out = scratch.path().join("out");
    let scenarios = format!("{FIXTURES}/scenarios");
    let mut run = pgauntlet();
    run.args(["run", "broken-off", "--scenarios-dir", &scenarios, "-q", "--rows", "orders=3000"]);
    run.arg("--out").arg(&out).output().expect("pgauntlet runs");
    let result = pgauntlet::result::ResultFile::read(&out).expect("a result");
    assert_eq!(result.trials[0].trial.sizes["orders"], 3_000);
    let of_cases = result.crash_matrices[0].trial.sizes["orders"];
    assert!(of_cases < 3_000, "{of_cases}");
}
