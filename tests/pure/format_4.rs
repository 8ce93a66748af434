//! Results and histories of format 4 read as they were recorded, and what a newer version writes is
//! refused with a sentence. What the recording version made of each is in expected.json.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use assert_cmd::cargo::CommandCargoExt;
use pgauntlet::explain::explain_matrix;
use pgauntlet::history::{self, History};
use pgauntlet::pg::LockMode;
use pgauntlet::provision::{self, SourceRequest};
use pgauntlet::result::{self, Judgement, Matrix, RelationLock, ResultFile};
use pgauntlet::run;
use pgauntlet::scenario::Verdict;
use pgauntlet::trial::TrialKey;
use rstest::rstest;
use serde_json::{Value, json};

/// Those with a result.json; `broken-off` has none.
const WHOLE: [&str; 6] = ["states", "crash", "runners", "command", "stall", "repeat"];

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/format-4")
}

fn expected(name: &str) -> Value {
    let text = fs::read_to_string(fixtures().join("expected.json")).expect("expected.json");
    let mut all: Value = serde_json::from_str(&text).expect("JSON");
    all[name].take()
}

/// A result as expected.json has it.
fn told(result: &ResultFile) -> Value {
    json!({
        "trials": result.trials.iter().map(told_of_trial).collect::<Vec<_>>(),
        "matrices": result.crash_matrices.iter().map(told_of_matrix).collect::<Vec<_>>(),
    })
}

fn identity(key: &TrialKey) -> Value {
    json!({ "scenario": key.scenario, "state": key.state(), "repetition": key.repetition })
}

fn with(mut known: Value, more: Value) -> Value {
    let known_keys = known.as_object_mut().expect("an object");
    known_keys.extend(more.as_object().expect("an object").clone());
    known
}

fn told_of_trial(of: &Judgement) -> Value {
    let mut kinds: Vec<&str> = of.findings.iter().map(|finding| finding.kind.as_str()).collect();
    kinds.sort_unstable();
    let more = json!({
        "verdict": of.verdict, "as_expected": of.as_expected, "mismatches": of.mismatches,
        "findings": kinds,
    });
    with(identity(&of.trial.key), more)
}

fn told_of_matrix(of: &Matrix) -> Value {
    let random = of.random.as_ref().map(|r| json!({ "deaths": r.tried, "met": r.injected }));
    let cell = |case: &result::Case| {
        let at = &case.fault.at;
        json!({
            "statement": at.statement, "nth": at.key.nth, "way": case.fault.kind,
            "outcome": case.outcome,
        })
    };
    let more = json!({
        "verdict": of.verdict, "as_expected": of.as_expected, "mismatches": of.mismatches,
        "outcomes": of.outcomes, "random": random,
        "cells": of.cases.iter().map(cell).collect::<Vec<_>>(),
    });
    with(identity(&of.trial.key), more)
}

/// The recorded findings, in an order that does not depend on their verdicts.
fn recorded(name: &str) -> Value {
    let all = expected(name);
    let mut trials = all["trials"].clone();
    for trial in trials.as_array_mut().expect("trials") {
        let kinds = trial["findings"].as_array_mut().expect("findings");
        kinds.sort_by_key(|kind| kind.as_str().map(str::to_owned));
    }
    json!({ "trials": trials, "matrices": all["matrices"] })
}

#[rstest]
fn a_result_of_format_4_says_what_it_said(
    #[values("states", "crash", "runners", "command", "stall", "repeat")] name: &str,
) {
    let result = ResultFile::read(&fixtures().join(name)).expect("a result");
    assert_eq!(told(&result), recorded(name));
    assert_eq!(result.pgauntlet_result, result::FORMAT);
    assert!(result.finished);
}

#[rstest]
fn histories_of_format_4_are_judged_as_they_were(
    #[values("states", "crash", "runners", "command", "stall", "repeat")] name: &str,
) {
    let stored = run::stored(&fixtures().join(name)).expect("a result");
    assert_eq!(told(&stored.result), recorded(name));
}

#[rstest]
fn a_result_of_format_4_is_judged_with_the_exit_code_that_it_had(
    #[values("states", "crash", "runners", "command", "stall", "repeat")] name: &str,
) {
    let judged = pgauntlet(&["judge", path(name).as_str()]);
    let code = judged.status.code().map(i64::from);
    assert_eq!(code, expected(name)["judge_exit"].as_i64(), "{judged:?}");
}

/// Format 4 took a matrix that was broken off for a whole one: its version said SAFE of this one.
#[test]
fn a_matrix_that_was_broken_off_keeps_its_whole_cases_and_is_unproven() {
    let stored = run::stored(&fixtures().join("broken-off")).expect("histories");
    let [matrix] = stored.result.crash_matrices.as_slice() else { panic!("one matrix") };
    let cells = told_of_matrix(matrix)["cells"].clone();
    let recorded = expected("broken-off")["matrices"][0]["cells"].clone();
    let whole: Vec<_> = recorded.as_array().expect("cells").iter().collect();
    let whole: Vec<_> = whole.into_iter().filter(|cell| !cell["outcome"].is_null()).collect();
    assert_eq!(cells.as_array().expect("cells").iter().collect::<Vec<_>>(), whole);
    assert_eq!(matrix.verdict, Verdict::Unproven);
    assert!(!matrix.missing.is_empty() && !stored.result.finished);
}

#[rstest]
fn a_result_of_format_4_is_reported_in_every_format(
    #[values("states", "crash", "runners", "command", "stall", "repeat")] name: &str,
    #[values("text", "json", "markdown", "html", "junit", "sarif", "github", "prometheus")]
    format: &str,
) {
    let told = pgauntlet(&["report", path(name).as_str(), "--format", format]);
    assert!(told.status.success(), "{told:?}");
    // Annotations are of what is wrong; of a result that is as expected there may be none.
    assert!(format == "github" || !told.stdout.is_empty());
}

#[test]
fn a_result_of_format_4_does_not_differ_from_itself() {
    let compared = pgauntlet(&["compare", path("repeat").as_str(), path("repeat").as_str()]);
    assert!(compared.status.success(), "{compared:?}");
    let text = String::from_utf8_lossy(&compared.stdout).into_owned();
    assert!(!text.contains("worse") || text.contains("0 worse"), "{text}");
}

#[rstest]
fn a_trial_of_format_4_can_be_run_again(
    #[values("states", "crash", "runners", "command", "stall", "repeat")] name: &str,
) {
    let result = ResultFile::read(&fixtures().join(name)).expect("a result");
    for number in 1..=result.facts().count() {
        let repro = run::repro(&result, Some(number)).expect("a trial");
        let server = provision::Request {
            source: SourceRequest::Url(String::new()),
            cache: None,
            run_as: None,
        };
        let request = repro.request(&result, server, None);
        let [scenario] = request.scenarios.as_slice() else { panic!("one scenario") };
        assert_eq!(scenario.name, name);
        assert!(!scenario.traffic.operations.is_empty());
    }
}

#[test]
fn every_result_is_tried() {
    let with_result = |entry: std::io::Result<fs::DirEntry>| {
        let path = entry.expect("an entry").path();
        path.join("result.json").is_file().then(|| path.file_name().expect("a name").to_owned())
    };
    let found = fs::read_dir(fixtures()).expect("fixtures").filter_map(with_result).count();
    assert_eq!(found, WHOLE.len());
    assert!(WHOLE.iter().all(|name| fixtures().join(name).join("result.json").is_file()));
}

#[rstest]
#[case::newer(
    6,
    "format 6, this pgauntlet reads 4 to 5; a newer pgauntlet wrote it and can report it"
)]
#[case::older(
    3,
    "format 3, this pgauntlet reads 4 to 5; the pgauntlet that wrote it can report it; or run it \
     again"
)]
fn a_result_of_another_format_is_refused_with_what_to_do(
    #[case] version: u32,
    #[case] sentence: &str,
) {
    let text = json!({ "pgauntlet_result": version, "a key of that format": 1 }).to_string();
    let refused = ResultFile::parse(Path::new("result.json"), &text).expect_err("no result");
    assert_eq!(refused.to_string(), format!("read result.json: result {sentence}"));
}

#[rstest]
#[case::newer(6, "a newer pgauntlet wrote it and can judge it")]
#[case::older(3, "the pgauntlet that wrote it can judge it; or run it again")]
fn a_history_of_another_format_is_refused_with_what_to_do(
    #[case] version: u32,
    #[case] remedy: &str,
) {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("history.jsonl");
    fs::write(&path, json!({ "pgauntlet_history": version }).to_string()).expect("a file");
    let refused = History::read(&path).expect_err("no history").to_string();
    let known = format!("history format {version}, this pgauntlet reads 4 to 5; {remedy}");
    assert!(refused.ends_with(&known), "{refused}");
}

#[test]
fn a_key_that_is_in_no_format_is_refused_with_its_name() {
    let text = fs::read_to_string(fixtures().join("states/result.json")).expect("a result");
    let mut value: Value = serde_json::from_str(&text).expect("JSON");
    value["trials"][0]["weather"] = json!("rain");
    let refused = ResultFile::parse(Path::new("result.json"), &value.to_string());
    assert!(refused.expect_err("no result").to_string().contains("weather"));
}

#[test]
fn a_result_that_does_not_say_that_it_is_whole_is_not() {
    let text = fs::read_to_string(fixtures().join("states/result.json")).expect("a result");
    let mut value: Value = serde_json::from_str(&text).expect("JSON");
    value.as_object_mut().expect("an object").remove("finished");
    let result = ResultFile::parse(Path::new("result.json"), &value.to_string()).expect("a result");
    assert!(!result.finished);
}

#[test]
fn what_is_read_of_format_4_is_written_in_todays() {
    let result = ResultFile::read(&fixtures().join("crash")).expect("a result");
    let directory = tempfile::tempdir().expect("a directory");
    let path = result.write(directory.path()).expect("a file");
    assert_eq!(ResultFile::read(&path).expect("a result"), result);
    let text = fs::read_to_string(&path).expect("a file");
    assert!(text.contains("\"pgauntlet_result\": 5") && !text.contains("\"death\""), "{text}");
    let read = History::read(&fixtures().join("states/states/fresh/history.jsonl"));
    let header = read.expect("a history").header;
    assert_eq!(header.pgauntlet_history, history::VERSION);
    assert_eq!(header.trial.key.to_string(), "states from fresh on PostgreSQL 15");
}

/// Of a case and a matrix older versions stored the sentence alone.
#[test]
fn sentences_of_an_older_version_stay_as_they_are() {
    let result = ResultFile::read(&fixtures().join("crash")).expect("a result");
    let [matrix] = result.crash_matrices.as_slice() else { panic!("one matrix") };
    assert!(matrix.ending.is_none() && matrix.cases.iter().all(|case| case.ending.is_none()));
    assert!(!matrix.reason.is_empty() && matrix.cases.iter().all(|c| !c.sentence.is_empty()));
    assert_eq!(explain_matrix(matrix.clone()), *matrix);
}

/// Judged again from their histories, they are made anew and say the same.
#[test]
fn sentences_of_a_matrix_say_what_they_said() {
    let stored = ResultFile::read(&fixtures().join("crash")).expect("a result");
    let again = run::stored(&fixtures().join("crash")).expect("histories").result;
    let told = |result: &ResultFile| -> Vec<String> {
        let of_cases = |m: &Matrix| m.cases.iter().map(|c| c.sentence.clone()).collect::<Vec<_>>();
        // Then a fault was a death.
        let reason = |m: &Matrix| m.reason.replace("deaths", "faults");
        let of = |m: &Matrix| [vec![reason(m)], of_cases(m), m.mismatches.clone()].concat();
        result.crash_matrices.iter().flat_map(of).collect()
    };
    assert!(again.crash_matrices.iter().all(|matrix| matrix.ending.is_some()));
    assert_eq!(told(&again), told(&stored));
}

/// Before locks had fields, they were words: in format 4, and in format 5 of that time.
#[test]
fn locks_that_were_written_as_words_are_read() {
    let result = ResultFile::read(&fixtures().join("stall")).expect("a result");
    let held = |result: &ResultFile| -> Vec<RelationLock> {
        let rows = result.trials.iter().flat_map(|trial| &trial.measured.statements);
        rows.flat_map(|row| row.held.iter().chain(&row.taken)).cloned().collect()
    };
    assert!(held(&result).iter().any(|lock| lock.mode == LockMode::AccessExclusiveLock));
    let mut value = serde_json::to_value(&result).expect("JSON");
    let trials = value["trials"].as_array_mut().expect("trials").iter_mut();
    let rows = trials.flat_map(|t| t["measured"]["statements"].as_array_mut().expect("statements"));
    for row in rows {
        for key in ["held", "taken"] {
            for lock in row[key].as_array_mut().expect("locks") {
                let word = |of: &Value| of.as_str().expect("a field").to_owned();
                *lock = json!(format!("{} {}", word(&lock["relation"]), word(&lock["mode"])));
            }
        }
    }
    let read = ResultFile::parse(Path::new("result.json"), &value.to_string()).expect("a result");
    assert_eq!(read, result);
}

fn path(name: &str) -> String {
    fixtures().join(name).display().to_string()
}

fn pgauntlet(arguments: &[&str]) -> std::process::Output {
    let mut command = Command::cargo_bin("pgauntlet").expect("the program");
    command.args(arguments).env("NO_COLOR", "1").output().expect("it runs")
}
