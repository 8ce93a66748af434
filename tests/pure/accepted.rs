//! Findings that are accepted: they are shown with the reason, the verdict does not count them, and
//! an acceptance in the change itself that accepts nothing is an error.

use pgauntlet::assess::{self, Against};
use pgauntlet::explain::{self, explain};
use pgauntlet::judge::observe;
use pgauntlet::report::{self, Document, Width};
use pgauntlet::result::{AcceptanceEnd, AcceptanceOutcome, ResultFile};
use pgauntlet::run::{self, ExitStatus};
use pgauntlet::scenario::{Acceptance, Expect, FindingKind, StoredScenario, Verdict};
use rstest::rstest;

use crate::made::{Made, failed};

const FILE: &str = "migrations/3-key.sql";
const ALTER: &str = "ALTER TABLE spans ADD COLUMN task_id varchar";

/// As a comment of the change says it.
fn accepts(kind: Option<FindingKind>) -> Acceptance {
    Acceptance {
        kind,
        reason: "maintenance window".to_owned(),
        until: None,
        file: FILE.to_owned(),
        line: 1,
        within: None,
        in_change: true,
    }
}

fn of_project(kind: FindingKind, until: &str) -> Acceptance {
    let (file, until) = ("pgauntlet.toml".to_owned(), Some(until.to_owned()));
    Acceptance { file, line: 12, until, in_change: false, ..accepts(Some(kind)) }
}

/// Operations wait beyond the limit.
fn stalled() -> Made {
    let mut made = Made::with_change();
    made.statement_of((FILE, 3), (5_000, 9_000), ALTER, None);
    made.blocked_by_change(5_500, 9_000);
    made
}

/// The trial on 2026-11-29, with what came of it.
fn judged(mut made: Made, acceptances: Vec<Acceptance>) -> ResultFile {
    made.scenario.acceptances = acceptances;
    made.scenario.expect =
        Expect { verdict: vec![Verdict::Safe], findings: Vec::new(), absent: Vec::new() };
    let scenario = made.scenario.clone();
    let mut history = made.history();
    history.header.trial.key.scenario = scenario.name.clone();
    history.header.trial.started_at = "2026-11-29T12:00:00Z".to_owned();
    let observation = observe(&scenario, &history);
    let trial = explain(assess::trial(&scenario, observation, Against::Nothing));
    let mut result = ResultFile { trials: vec![trial], finished: true, ..ResultFile::empty() };
    let stored = StoredScenario::from(&scenario);
    result.scenarios.insert(scenario.name.clone(), stored);
    explain::assessed(&mut result);
    result
}

fn outcomes(result: &ResultFile) -> &[AcceptanceOutcome] {
    &result.changes[0].acceptances
}

/// What the stall amounts to.
fn stall(result: &ResultFile) -> Verdict {
    let found = result.trials[0].findings.iter().find(|f| f.kind == FindingKind::Stall);
    found.expect("a stall").verdict
}

fn verdict(result: &ResultFile) -> Verdict {
    result.changes[0].verdict
}

/// Everything that this trial shows beyond the limits.
fn all() -> Vec<Acceptance> {
    let kinds = judged(stalled(), Vec::new());
    let kinds = kinds.trials[0].findings.iter().filter(|f| f.verdict > Verdict::Safe);
    kinds.map(|finding| accepts(Some(finding.kind))).collect()
}

#[test]
fn what_is_accepted_is_shown_with_its_reason_and_does_not_count() {
    let result = judged(stalled(), all());
    assert_eq!(verdict(&result), Verdict::Safe);
    assert_eq!(run::ending(&result), ExitStatus::AsExpected);
    assert!(outcomes(&result).iter().all(|one| one.came == AcceptanceEnd::Used));
    let stall = &result.trials[0].findings[0];
    assert_eq!((stall.kind, stall.verdict), (FindingKind::Stall, Verdict::Safe));
    let by = stall.accepted.as_ref().expect("accepted");
    assert_eq!(by.verdict, Verdict::Unsafe);
    let text = report::trial(&result.trials[0], Width::default());
    let text = anstream::adapter::strip_str(&text).to_string();
    insta::assert_snapshot!(text.lines().take(12).collect::<Vec<_>>().join("\n"));
}

#[test]
fn what_is_not_named_still_counts() {
    let mut made = stalled();
    made.lost_write();
    let result = judged(made, vec![accepts(Some(FindingKind::Stall))]);
    assert_eq!(verdict(&result), Verdict::Unsafe);
    assert_eq!(run::ending(&result), ExitStatus::NotAsExpected);
    assert_eq!(outcomes(&result)[0].came, AcceptanceEnd::Used);
}

#[test]
fn an_acknowledgement_of_everything_accepts_what_breaks_a_rule() {
    let result = judged(stalled(), vec![accepts(None)]);
    assert_eq!(verdict(&result), Verdict::Safe);
    assert_eq!(outcomes(&result)[0].came, AcceptanceEnd::Used);
    // It accepts nothing where nothing is wrong, although something informs.
    let mut calm = Made::with_change();
    calm.statement(0, 5_000, 5_010, ALTER, true);
    let result = judged(calm, vec![accepts(None)]);
    assert!(!result.trials[0].findings.is_empty());
    assert_eq!(outcomes(&result)[0].came, AcceptanceEnd::Unused);
}

#[test]
fn what_the_evidence_does_not_carry_is_never_accepted() {
    let mut made = stalled();
    made.stage_failed();
    let mut named = all();
    named.push(accepts(Some(FindingKind::MeasurementFailed)));
    for acceptances in [named, vec![accepts(None)]] {
        let result = judged(made.clone(), acceptances);
        assert_eq!(verdict(&result), Verdict::Unproven);
        assert_eq!(run::ending(&result), ExitStatus::Unproven);
    }
    // Nor is it an error that something that would be accepted was not seen.
    let mut made = Made::calm();
    made.stage_failed();
    let result = judged(made, vec![accepts(Some(FindingKind::Stall))]);
    assert_eq!(outcomes(&result)[0].came, AcceptanceEnd::NotKnown);
    assert_eq!(run::ending(&result), ExitStatus::Unproven);
}

#[test]
fn a_change_that_never_finished_is_accepted_in_nothing() {
    let mut made = Made::with_change();
    made.failed_statement(0, 5_000, 5_010, ALTER, "42701", "it is there");
    made.ends(failed("42701", "it is there"));
    let result = judged(made, vec![accepts(None), accepts(Some(FindingKind::ChangeFailed))]);
    assert_eq!(verdict(&result), Verdict::Unsafe);
    assert!(outcomes(&result).iter().all(|one| one.came == AcceptanceEnd::NotKnown));
}

#[test]
fn of_several_files_each_accepts_what_its_own_statements_do() {
    let within = |file: &str| Acceptance {
        within: Some(file.to_owned()),
        ..accepts(Some(FindingKind::Stall))
    };
    assert_eq!(stall(&judged(stalled(), vec![within(FILE)])), Verdict::Safe);
    let other = judged(stalled(), vec![within("migrations/2_other.sql")]);
    assert_eq!(stall(&other), Verdict::Unsafe);
    assert_eq!(run::ending(&other), ExitStatus::NotAsExpected);
}

#[test]
fn after_its_last_day_an_acceptance_no_longer_holds_and_that_is_said() {
    let on = |day: &str| judged(stalled(), vec![of_project(FindingKind::Stall, day)]);
    assert_eq!(stall(&on("2026-11-29")), Verdict::Safe);
    let ended = on("2026-11-28");
    assert_eq!(stall(&ended), Verdict::Unsafe);
    assert_eq!(run::ending(&ended), ExitStatus::NotAsExpected);
    let text = report::text(&ended, Width::default());
    let said = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let expected = "pgauntlet.toml:12 accepts stall until 2026-11-28 (maintenance window): that \
                    day is over, and it accepts nothing";
    assert!(said.contains(expected), "{text}");
}

#[rstest]
#[case::of_the_change(accepts(Some(FindingKind::Deadlock)), ExitStatus::NotAsExpected)]
#[case::of_everything(accepts(None), ExitStatus::NotAsExpected)]
#[case::of_the_project(of_project(FindingKind::Deadlock, "2027-01-31"), ExitStatus::AsExpected)]
#[test]
fn an_acceptance_of_nothing_is_an_error_of_the_change_and_a_note_of_the_project(
    #[case] acceptance: Acceptance,
    #[case] ending: ExitStatus,
) {
    let result = judged(Made::calm(), vec![acceptance]);
    assert_eq!(verdict(&result), Verdict::Safe);
    assert_eq!(run::ending(&result), ending);
    let sentence = &outcomes(&result)[0].sentence;
    assert!(sentence.contains("and no trial shows it"), "{sentence}");
    let place = outcomes(&result)[0].place();
    let document = Document { result: &result, timelines: &[], path: "" };
    let is_error = ending == ExitStatus::NotAsExpected;
    let formats = [
        (report::text(&result, Width::default()), true),
        (report::markdown(&document), true),
        (report::page(&document), true),
        (report::json(&result), true),
        (report::junit("pgauntlet", &report::suites(&document, &[])), is_error),
        (report::sarif(&report::suites(&document, &[])), is_error),
        (report::github(&report::suites(&document, &[])), is_error),
    ];
    for (text, says) in formats {
        let said = text.contains(&format!("{place} accepts")) || text.contains(&place);
        assert_eq!(said, says, "{text}");
    }
}

#[test]
fn code_scanning_has_the_reason_for_which_an_alert_is_suppressed() {
    let result = judged(stalled(), all());
    let document = Document { result: &result, timelines: &[], path: "" };
    let sarif = report::sarif(&report::suites(&document, &[]));
    assert!(sarif.contains("maintenance window (migrations/3-key.sql:1)"), "{sarif}");
}
