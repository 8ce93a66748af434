//! Typed findings: which statement they are about in every format, and what they are made of.

use std::collections::BTreeSet;

use pgauntlet::explain;
use pgauntlet::history::AttemptEnd;
use pgauntlet::report::{self, Width};
use pgauntlet::result::{Finding, Judgement};
use pgauntlet::scenario::{FindingKind, Verdict};

use crate::evidence_samples::{evidence_of, subject};
use crate::made::Made;
use crate::page::Run;

const FIRST: &str = "ALTER TABLE spans ADD CONSTRAINT a CHECK (id IS NOT NULL) NOT VALID";
const SECOND: &str = "ALTER TABLE spans ADD CONSTRAINT b CHECK (id = 'nobody')";
const VIOLATED: &str = "check constraint \"b\" of relation \"spans\" is violated by some row";

/// Line 1 of the first file succeeds, line 2 of the second one fails.
fn second_fails(files: [&str; 2]) -> Run {
    let mut made = Made::with_change();
    made.statement_of((files[0], 1), (5_000, 5_010), FIRST, None);
    made.statement_of((files[1], 2), (5_020, 5_030), SECOND, Some(("23514", VIOLATED)));
    made.attempt_fails("23514", VIOLATED);
    Run::one(made)
}

/// Every format that names a place, by its name.
fn formats(run: &Run) -> Vec<(&'static str, String)> {
    let document = run.document();
    let suites = report::suites(&document, &[]);
    vec![
        (
            "text",
            anstream::adapter::strip_str(&report::text(&run.result, Width::default())).to_string(),
        ),
        ("page", run.page()),
        ("markdown", report::markdown(&document)),
        ("github", report::github(&suites)),
        ("sarif", report::sarif(&suites)),
        ("junit", report::junit("pgauntlet", &suites)),
    ]
}

/// As a person reads it: on one line, with nothing escaped.
fn plain(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    text.replace("\\_", "_").replace("&quot;", "\"").replace("&#39;", "'")
}

#[test]
fn of_two_statements_that_begin_alike_the_one_that_failed_is_named() {
    assert_eq!(FIRST[..24], SECOND[..24]);
    for (format, text) in formats(&second_fails(["m/1.sql", "m/1.sql"])) {
        assert!(plain(&text).contains("(1.sql:2) failed"), "{format}: {text}");
    }
    let run = second_fails(["m/1.sql", "m/1.sql"]);
    let (github, sarif) = places(&run);
    assert!(github.starts_with("::error file=m/1.sql,line=2,"), "{github}");
    assert_eq!(sarif, ("m/1.sql".to_owned(), 2));
}

#[test]
fn of_two_files_of_one_name_the_one_that_failed_is_named() {
    let run = second_fails(["m/2024-01-01-a/up.sql", "m/2024-01-02-b/up.sql"]);
    for (format, text) in formats(&run) {
        let text = plain(&text);
        assert!(text.contains("(2024-01-02-b/up.sql:2) failed"), "{format}: {text}");
    }
    let (github, sarif) = places(&run);
    assert!(github.starts_with("::error file=m/2024-01-02-b/up.sql,line=2,"), "{github}");
    assert_eq!(sarif, ("m/2024-01-02-b/up.sql".to_owned(), 2));
}

/// Where the annotation and SARIF's result of the failure point.
fn places(run: &Run) -> (String, (String, u64)) {
    let suites = report::suites(&run.document(), &[]);
    let github = report::github(&suites);
    let annotation = github.lines().find(|line| line.contains("title=change-failed"));
    let sarif: serde_json::Value = serde_json::from_str(&report::sarif(&suites)).expect("JSON");
    let results = sarif["runs"][0]["results"].as_array().expect("results");
    let failed = results.iter().find(|r| r["ruleId"] == "change-failed").expect("a result");
    let place = &failed["locations"][0]["physicalLocation"];
    let uri = place["artifactLocation"]["uri"].as_str().expect("a file").to_owned();
    let line = place["region"]["startLine"].as_u64().expect("a line");
    (annotation.expect("an annotation").to_owned(), (uri, line))
}

#[test]
fn two_statements_of_one_text_are_told_apart_by_their_numbers() {
    let mut made = Made::with_change();
    made.statement(0, 5_000, 5_010, SECOND, false);
    made.failed_statement(1, 5_020, 5_030, SECOND, "42710", "it exists");
    made.attempt_fails("42710", "it exists");
    let judgement = made.judge();
    let failed = found(&judgement, FindingKind::ChangeFailed);
    let statement = failed.subject.statement.as_ref().expect("a statement");
    assert_eq!((statement.attempt, statement.id, statement.line), (0, 1, Some(2)));
}

#[test]
fn a_change_that_failed_by_an_error_did_not_give_up_within_its_timeouts() {
    let mut made = Made::with_change();
    made.failed_statement(0, 5_000, 5_010, SECOND, "23514", VIOLATED);
    made.attempt_fails("23514", VIOLATED);
    made.rerun(AttemptEnd::Finished { applied: Some(1) });
    let judgement = made.judge();
    assert_eq!(judgement.verdict, Verdict::Bounded);
    let reason = &judgement.reason;
    assert!(!reason.contains("timeouts"), "{reason}");
    assert!(reason.contains("23514") && reason.contains("attempt 2 succeeded"), "{reason}");
}

#[test]
fn a_change_that_gave_up_by_its_lock_timeout_is_said_to_have() {
    let mut made = Made::with_change();
    let message = "canceling statement due to lock timeout";
    made.failed_statement(0, 5_000, 5_010, SECOND, "55P03", message);
    made.attempt_fails("55P03", message);
    made.rerun(AttemptEnd::Finished { applied: Some(1) });
    let reason = made.judge().reason;
    assert!(
        reason.contains("gave up within its own timeouts, and attempt 2 succeeded"),
        "{reason}"
    );
}

#[test]
fn a_finding_names_the_trial_that_shows_it() {
    let mut made = Made::with_change();
    made.stage_failed();
    let judgement = made.judge();
    assert!(!judgement.findings.is_empty());
    for finding in &judgement.findings {
        let [key] = finding.trials.as_slice() else { panic!("{:?}", finding.trials) };
        assert_eq!(key.scenario, judgement.trial.key.scenario);
    }
}

#[test]
fn a_finding_of_an_older_result_keeps_its_sentence() {
    let json = serde_json::json!({
        "kind": "stall", "verdict": "unsafe", "sentence": "it stalled", "witness": null,
        "remedy": "do not",
    });
    let finding: Finding = serde_json::from_value(json).expect("a finding of format 4");
    assert_eq!(explain::sentence(&finding), "it stalled");
    assert_eq!(explain::remedy(&finding).as_deref(), Some("do not"));
}

fn found(judgement: &Judgement, kind: FindingKind) -> &Finding {
    let finding = judgement.findings.iter().find(|finding| finding.kind == kind);
    finding.unwrap_or_else(|| panic!("no {kind} in {:?}", judgement.findings))
}

#[test]
fn every_kind_has_evidence_that_reads_back_and_a_sentence() {
    let mut sentences = BTreeSet::new();
    for kind in FindingKind::ALL {
        for evidence in evidence_of(*kind) {
            assert_eq!(evidence.kind(), *kind);
            let finding = Finding::new(Verdict::Unsafe, subject(), evidence);
            let json = serde_json::to_string(&finding).expect("JSON");
            let read: Finding =
                serde_json::from_str(&json).unwrap_or_else(|e| panic!("{e}: {json}"));
            assert_eq!(read, finding);
            let sentence = explain::sentence(&finding);
            assert!(sentence.len() > 20, "{kind}: {sentence:?}");
            assert!(sentences.insert((*kind, sentence.clone())), "{kind} twice: {sentence}");
        }
    }
}
