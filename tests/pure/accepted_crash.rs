//! A crash matrix that is accepted: it is shown with the reason, and the verdict does not count it.

use pgauntlet::assess::{self, Effort};
use pgauntlet::clock::Micros;
use pgauntlet::explain::{self, explain_matrix};
use pgauntlet::history::AttemptEnd;
use pgauntlet::judge::crash;
use pgauntlet::report::{self, Document, Width};
use pgauntlet::result::{AcceptanceEnd, Case, Matrix, ResultFile};
use pgauntlet::run::{self, ExitStatus};
use pgauntlet::scenario::{Acceptance, Crash, FindingKind, Outcome, StoredScenario, Verdict};
use pgauntlet::trial::{Fault, FaultKind, InjectionPoint};
use rstest::rstest;

use crate::made::Made;

const FILE: &str = "migrations/3-key.sql";
const INDEX: &str = "CREATE INDEX CONCURRENTLY ix ON spans (id)";
const CRASH: Option<FindingKind> = Some(FindingKind::Crash);

fn accepts(kind: Option<FindingKind>) -> Acceptance {
    Acceptance {
        kind,
        reason: "an operator drops it".to_owned(),
        until: None,
        file: FILE.to_owned(),
        line: 1,
        within: None,
        in_change: true,
    }
}

fn case(outcome: Option<Outcome>) -> Case {
    Case {
        fault: Fault { kind: FaultKind::Cancel, at: InjectionPoint::new(2, INDEX.to_owned(), 0) },
        outcome,
        seen: "57014 query_canceled".to_owned(),
        sentence: outcome.map_or("it was over".to_owned(), |outcome| format!("it is {outcome}")),
        ending: None,
        differences: Vec::new(),
        broken: false,
        not_compared: Vec::new(),
        reruns: 1,
        took_us: Micros::from_millis(900),
    }
}

/// A result with nothing but the matrix of these cases.
fn judged(outcomes: &[Option<Outcome>], acceptances: Vec<Acceptance>) -> ResultFile {
    let mut made = Made::with_change();
    made.statement_of((FILE, 3), (5_000, 5_010), INDEX, None);
    made.ends(AttemptEnd::Finished { applied: None });
    made.scenario.acceptances = acceptances;
    let scenario = made.scenario.clone();
    let mut history = made.history();
    history.header.trial.key.scenario = scenario.name.clone();
    history.header.trial.started_at = "2026-11-29T12:00:00Z".to_owned();
    let shown = crash::undisturbed(&history);
    let run = (&shown, Effort { took_us: Micros::from_secs(12), at_once: 2 });
    let cases = outcomes.iter().map(|outcome| case(*outcome)).collect();
    let matrix = explain_matrix(assess::matrix(&scenario, &Crash::default(), run, cases, None));
    let mut result =
        ResultFile { crash_matrices: vec![matrix], finished: true, ..ResultFile::empty() };
    result.scenarios.insert(scenario.name.clone(), StoredScenario::from(&scenario));
    explain::assessed(&mut result);
    result
}

fn matrix(result: &ResultFile) -> &Matrix {
    &result.crash_matrices[0]
}

fn came(result: &ResultFile) -> AcceptanceEnd {
    result.changes[0].acceptances[0].came
}

const CLEAN: Option<Outcome> = Some(Outcome::Clean);
const DEBRIS: Option<Outcome> = Some(Outcome::Debris);

#[rstest]
#[case::by_its_name(CRASH)]
#[case::with_everything(None)]
#[test]
fn what_it_shows_is_shown_with_the_reason_and_does_not_count(#[case] kind: Option<FindingKind>) {
    let result = judged(&[CLEAN, DEBRIS], vec![accepts(kind)]);
    assert_eq!(result.changes[0].verdict, Verdict::Safe);
    assert_eq!(run::ending(&result), ExitStatus::AsExpected);
    assert_eq!(came(&result), AcceptanceEnd::Used);
    let by = "unsafe, and accepted by migrations/3-key.sql:1: an operator drops it";
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let document = Document { result: &result, timelines: &[], path: "" };
    let shown = [
        report::matrix(matrix(&result), Width::default()),
        report::answer(&result, Width::default()).expect("one change"),
        report::markdown(&document),
        report::page(&document),
    ];
    for text in shown {
        assert!(words(&text).contains(by), "{text}");
    }
    let sarif = report::sarif(&report::suites(&document, &[]));
    assert!(sarif.contains("an operator drops it (migrations/3-key.sql:1)"), "{sarif}");
    let json = report::json(&result);
    let read: ResultFile = serde_json::from_str(&json).expect("a result");
    assert_eq!(read, result);
}

#[rstest]
#[case::of_another_kind(accepts(Some(FindingKind::Stall)))]
#[case::of_another_file(Acceptance { within: Some("4.sql".to_owned()), ..accepts(CRASH) })]
#[case::that_is_over(Acceptance { until: Some("2026-11-28".to_owned()), ..accepts(CRASH) })]
#[test]
fn an_acceptance_that_is_not_about_it_leaves_it_unsafe(#[case] acceptance: Acceptance) {
    let result = judged(&[CLEAN, DEBRIS], vec![acceptance]);
    assert_eq!(result.changes[0].verdict, Verdict::Unsafe);
    assert_eq!(run::ending(&result), ExitStatus::NotAsExpected);
    assert_ne!(came(&result), AcceptanceEnd::Used);
}

#[test]
fn one_of_the_file_whose_statement_it_is_about_counts() {
    let within = Acceptance { within: Some(FILE.to_owned()), ..accepts(CRASH) };
    assert_eq!(judged(&[DEBRIS], vec![within]).changes[0].verdict, Verdict::Safe);
}

#[test]
fn an_acceptance_of_a_clean_matrix_is_an_error() {
    let result = judged(&[CLEAN, CLEAN], vec![accepts(CRASH)]);
    assert_eq!((came(&result), matrix(&result).verdict), (AcceptanceEnd::Unused, Verdict::Safe));
    assert_eq!(run::ending(&result), ExitStatus::NotAsExpected);
    let sentence = &result.changes[0].acceptances[0].sentence;
    assert!(sentence.ends_with("and no crash matrix shows it: take that line away"), "{sentence}");
}

#[test]
fn what_is_not_proven_is_not_accepted() {
    let result = judged(&[None], vec![accepts(CRASH)]);
    assert_eq!(result.changes[0].verdict, Verdict::Unproven);
    assert_eq!(came(&result), AcceptanceEnd::NotKnown);
    assert_eq!(run::ending(&result), ExitStatus::Unproven);
}
