//! `pgauntlet compare` and `pgauntlet baseline` as their users meet them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::assert::Assert;
use assert_cmd::cargo::cargo_bin_cmd;
use pgauntlet::clock::Micros;
use pgauntlet::compare::{Baseline, Comparison, Delta, compare};
use pgauntlet::result::{Expectation, FORMAT, Judgement, Matrix, ResultFile};
use pgauntlet::scenario::{Outcome, Verdict};
use predicates::prelude::PredicateBooleanExt;
use predicates::str::{contains, is_empty};
use rstest::rstest;

use crate::made::Made;

fn pgauntlet(arguments: &[&str]) -> Assert {
    let mut command = cargo_bin_cmd!("pgauntlet");
    command.env("NO_COLOR", "1").args(arguments).assert()
}

fn text(assert: &Assert) -> String {
    String::from_utf8(assert.get_output().stdout.clone()).expect("UTF-8")
}

/// A result of five repetitions whose change takes so many seconds.
fn result(directory: &Path, name: &str, seconds: u64, control_us: u64) -> String {
    let trial = |n: u32| {
        let mut judgement: Judgement = Made::calm().judge();
        judgement.trial.key.repetition = n;
        let noise = u64::from(n);
        judgement.measured.change_us = Micros(seconds * 1_000_000 + noise * 10_000);
        judgement.measured.control_us = Some(Micros(control_us + noise));
        judgement
    };
    let file = ResultFile { trials: (1..=5).map(trial).collect(), ..ResultFile::empty() };
    let directory = directory.join(name);
    fs::create_dir(&directory).expect("a directory");
    file.write(&directory).expect("a result");
    directory.to_str().expect("UTF-8").to_owned()
}

struct Made3 {
    directory: tempfile::TempDir,
    before: String,
    slower: String,
    machine: String,
}

/// Before, a slower change, and the same change on a slower machine.
fn three() -> Made3 {
    let directory = tempfile::tempdir().expect("a directory");
    let make = |name, seconds, control| result(directory.path(), name, seconds, control);
    let (before, slower) = (make("before", 10, 20_000), make("slower", 20, 20_000));
    let machine = make("machine", 20, 40_000);
    Made3 { before, slower, machine, directory }
}

fn path(of: &Made3, name: &str) -> PathBuf {
    of.directory.path().join(name)
}

#[test]
fn a_slower_change_ends_with_1_and_a_slower_machine_with_0() {
    let made = three();
    let told = pgauntlet(&["compare", &made.before, &made.slower]).code(1).stderr(is_empty());
    told.stdout(contains("REGRESSION").and(contains("worse")).and(contains("the change")));
    let told = pgauntlet(&["compare", &made.before, &made.machine]).code(0).stderr(is_empty());
    told.stdout(contains("times slower").and(contains("no regression")));
    let never = ["compare", &made.before, &made.slower, "--fail-on", "never"];
    pgauntlet(&never).code(0).stdout(contains("REGRESSION"));
}

#[test]
fn a_directory_a_result_and_a_baseline_file_are_compared_alike() {
    let made = three();
    let file = path(&made, "baseline.json");
    let file = file.to_str().expect("UTF-8");
    pgauntlet(&["baseline", &made.before, "--out", file]).code(0).stdout(contains("1 trials"));
    let result = format!("{}/result.json", made.slower);
    pgauntlet(&["compare", file, &result]).code(1).stdout(contains("REGRESSION"));
    pgauntlet(&["compare", file, &made.before]).code(0).stdout(contains("NO-REGRESSION"));
    // Another night is added, and the file keeps what it held.
    pgauntlet(&["baseline", &made.before, "--out", file, "--add"]).code(0);
    let written = Baseline::parse(&fs::read_to_string(file).expect("a file")).expect("a baseline");
    assert_eq!(written.trials.values().map(|t| t.repetitions).collect::<Vec<_>>(), [10]);
}

#[rstest]
#[case::text("text", "p99 before")]
#[case::markdown("markdown", "## pgauntlet compare: regression")]
#[case::html("html", "<svg")]
#[case::json("json", "\"overall\": \"regression\"")]
fn every_format_tells_it_and_can_be_a_file(#[case] format: &str, #[case] told: &str) {
    let made = three();
    let pair = ["compare", &made.before, &made.slower, "--format", format];
    let printed = text(&pgauntlet(&pair).code(1).stdout(contains(told)));
    let file = path(&made, "out");
    let name = file.to_str().expect("UTF-8");
    let arguments: Vec<&str> = pair.iter().copied().chain(["--out", name]).collect();
    pgauntlet(&arguments).code(1).stdout(is_empty());
    assert_eq!(fs::read_to_string(&file).expect("a file"), printed);
    if format == "json" {
        let read: Comparison = serde_json::from_str(&printed).expect("a comparison");
        assert_eq!(read.pairs.len(), 1);
    }
    if format == "html" {
        assert!(!printed.contains("http:") && !printed.contains("https:"), "{printed}");
    }
}

#[test]
fn one_repetition_carries_no_answer_and_says_what_would() {
    let directory = tempfile::tempdir().expect("a directory");
    let one = ResultFile { trials: vec![Made::calm().judge()], ..ResultFile::empty() };
    one.write(directory.path()).expect("a result");
    let name = directory.path().to_str().expect("UTF-8");
    let told = pgauntlet(&["compare", name, name]).code(0);
    told.stdout(contains("UNDECIDED").and(contains("--repeat")));
    pgauntlet(&["compare", name, name, "--fail-on", "undecided"]).code(3);
}

#[rstest]
#[case::not_there("no-such-file", None, "run --out")]
#[case::no_json("f.json", Some("nonsense"), "pgauntlet baseline")]
#[case::neither("f.json", Some("{}"), "no result and no baseline")]
#[case::old_result("f.json", Some("{\"pgauntlet_result\": 1}"), "result format 1")]
#[case::new_baseline("f.json", Some("{\"pgauntlet_baseline\": 9}"), "version 9")]
#[case::unknown_key(
    "f.json",
    Some("{\"pgauntlet_baseline\": 1, \"trials\": {}, \"crash_matrices\": {}, \"x\": 1}"),
    "unknown field `x`"
)]
fn what_is_none_of_the_three_is_one_error_with_code_2(
    #[case] name: &str,
    #[case] content: Option<&str>,
    #[case] told: &str,
) {
    let made = three();
    let file = path(&made, name);
    if let Some(content) = content {
        fs::write(&file, content).expect("a file");
    }
    let name = file.to_str().expect("UTF-8");
    let refused = pgauntlet(&["compare", &made.before, name]).code(2).stdout(is_empty());
    refused.stderr(contains(told).and(contains(name)));
}

/// A matrix of one case.
fn matrix(outcome: Outcome) -> Matrix {
    let trial = serde_json::to_value(Made::calm().judge().trial).expect("JSON");
    let (verdict, format) = (Verdict::Unsafe, FORMAT);
    let expectations: Vec<Expectation> = Vec::new();
    let json = serde_json::json!({
        "format": format, "trial": trial, "verdict": verdict, "as_expected": true,
        "expectations": expectations, "mismatches": [], "reason": "", "rows": [],
        "columns": ["cancel"], "random": null, "rounds_left_out": 0, "not_compared": [],
        "outcomes": {outcome.as_str(): 1}, "took_us": 1, "at_once": 1,
        "cases": [{
            "fault": {
                "kind": "cancel",
                "at": { "statement": 1, "text": "CREATE INDEX ix ON t (n)", "nth": 0 }
            },
            "outcome": outcome, "seen": "", "sentence": "", "differences": [], "broken": false,
            "not_compared": [], "reruns": 1, "took_us": 1
        }]
    });
    serde_json::from_value(json).expect("a matrix")
}

#[test]
fn a_cell_that_became_worse_is_named_although_the_verdict_is_the_same() {
    let of = |outcome| Baseline::of(&[], &[matrix(outcome)]).expect("one size");
    let (a, b) = (of(Outcome::ManualStep), of(Outcome::LosesData));
    let comparison = compare(("a", &a), ("b", &b), &Default::default());
    let facts = &comparison.crash_matrices[0].facts;
    let deltas: BTreeMap<&str, Delta> =
        facts.iter().map(|fact| (&*fact.what, fact.delta)).collect();
    assert_eq!(deltas["case CREATE INDEX ix ON t (n) / cancel"], Delta::Worse);
    assert_eq!(deltas["verdict"], Delta::Same);
}
