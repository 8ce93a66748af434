//! What the trials of one change mean together: each test sets a few judged trials side by side.

use std::collections::BTreeMap;

use pgauntlet::assess::{self, Against};
use pgauntlet::explain::{self, explain};
use pgauntlet::history::{CatalogueSnapshot, Event};
use pgauntlet::judge::{Observation, observe};
use pgauntlet::report::{self, Width};
use pgauntlet::result::{ChangeAssessment, Judgement, Planned, PlannedTrial, ResultFile};
use pgauntlet::scenario::{FindingKind, Scenario, State, Verdict};
use pgauntlet::trial::{Axis, TrialKey};

use crate::made::Made;
use crate::sent::{by_command, sent};

const ADD_COLUMN: &str = "ALTER TABLE spans ADD COLUMN task_id varchar";

fn key() -> TrialKey {
    TrialKey::new("spans")
}

/// A trial at that point of the axes, in which nothing is wrong.
fn calm(key: TrialKey) -> Judgement {
    at(key, Made::calm())
}

/// One in which operations waited beyond the limit.
fn stalled(key: TrialKey) -> Judgement {
    let mut made = Made::with_change();
    made.statement(0, 5_000, 9_000, ADD_COLUMN, true);
    made.blocked_by_change(5_500, 9_000);
    at(key, made)
}

fn at(key: TrialKey, made: Made) -> Judgement {
    let scenario = made.scenario.clone();
    let mut history = made.history();
    history.header.trial.key = key;
    explain(assess::trial(&scenario, observe(&scenario, &history), Against::Nothing))
}

fn result(trials: Vec<Judgement>) -> ResultFile {
    let mut result = ResultFile { trials, ..ResultFile::empty() };
    explain::assessed(&mut result);
    result
}

fn only(result: &ResultFile) -> &ChangeAssessment {
    let [change] = result.changes.as_slice() else { panic!("one change: {:?}", result.changes) };
    change
}

fn weather(value: &str) -> TrialKey {
    key().with(Axis::named("weather"), value)
}

#[test]
fn the_worst_trial_decides_on_whatever_axis_it_lies() {
    let result = result(vec![calm(weather("sun")), stalled(weather("rain"))]);
    let change = only(&result);
    assert_eq!(change.verdict, Verdict::Unsafe);
    assert_eq!(change.decided_by, Some(weather("rain")));
    assert!(change.reason.starts_with("weather rain: "), "{}", change.reason);
    let stall = change.findings.iter().find(|f| f.kind == FindingKind::Stall).expect("a stall");
    assert_eq!(stall.trials, [weather("rain")]);
}

#[test]
fn what_several_trials_show_is_one_finding_with_their_keys() {
    let trials = ["hail", "rain", "sun"].map(weather).map(stalled);
    let result = result(trials.into());
    let stalls: Vec<_> =
        only(&result).findings.iter().filter(|f| f.kind == FindingKind::Stall).collect();
    let [stall] = stalls.as_slice() else { panic!("one stall: {stalls:?}") };
    assert_eq!(stall.trials, ["hail", "rain", "sun"].map(weather));
}

#[test]
fn two_scenarios_are_two_changes() {
    let other = TrialKey::new("tasks");
    let result = result(vec![calm(key()), stalled(other)]);
    let verdicts: Vec<_> = result.changes.iter().map(|c| (&*c.scenario, c.verdict)).collect();
    assert_eq!(verdicts, [("spans", Verdict::Safe), ("tasks", Verdict::Unsafe)]);
}

#[test]
fn a_change_whose_planned_trial_is_missing_is_unproven_and_says_which() {
    let planned = |value: &str| PlannedTrial {
        key: weather(value),
        label: format!("spans, weather {value}"),
        path: format!("spans/{value}"),
    };
    let trials = ["sun", "rain"].map(planned).into();
    let planned = Planned { trials, crash_matrices: Vec::new() };
    let mut result = ResultFile {
        planned,
        trials: vec![calm(weather("sun"))],
        finished: false,
        ..ResultFile::empty()
    };
    explain::assessed(&mut result);
    let change = only(&result);
    assert_eq!((change.verdict, change.as_expected), (Verdict::Unproven, false));
    assert_eq!(change.reason, "1 planned trial did not run: spans, weather rain");
}

#[test]
fn every_report_has_the_verdict_of_the_change_before_those_of_its_trials() {
    let result = result(vec![calm(weather("sun")), stalled(weather("rain"))]);
    let document = report::Document { result: &result, timelines: &[], path: "out" };
    let text = anstream::adapter::strip_str(&report::text(&result, Width::default())).to_string();
    assert!(text.starts_with("UNSAFE    spans, 2 trials, NOT AS EXPECTED\n"), "{text}");
    assert!(text.contains("stall (unsafe) in 1 of 2 trials: weather rain"), "{text}");
    let markdown = report::markdown(&document);
    let (change, trial) = (markdown.find("| **unsafe** | spans | 2 trials |"), "| trial |");
    assert!(change.expect("the change's row") < markdown.find(trial).expect("the trials' table"));
    let page = report::page(&document);
    let change = page.find("<p class=\"change\"><b class=\"v-unsafe\">unsafe</b> spans, 2 trials");
    assert!(change.expect("the change") < page.find("verdicts numbers").expect("the table"));
    let json = report::json(&result);
    // Keys of the whole, not of what is in it.
    let place = |key: &str| json.find(&format!("\n  \"{key}\": [")).expect("a list");
    assert!(place("changes") < place("trials"));
}

/// A change by command from one of two states that ends with this column type.
fn from_state(state: &str, ends_with: &str) -> (Scenario, Observation) {
    let mut made = by_command(1);
    sent(0, 5_000, 5_010, ADD_COLUMN).add_to(&mut made);
    let fresh = State { name: "fresh".to_owned(), ..State::base() };
    made.scenario.states = vec![State::base(), fresh];
    let properties = BTreeMap::from([("type".to_owned(), ends_with.to_owned())]);
    let objects = BTreeMap::from([("column public.spans.task_id".to_owned(), properties)]);
    let snapshot = CatalogueSnapshot { after: Some(0), objects, versions: Vec::new() };
    made.at(19_500, Event::Catalogue(snapshot));
    let scenario = made.scenario.clone();
    let mut history = made.history();
    history.header.trial.key = key().with(Axis::STATE, state);
    let observation = observe(&scenario, &history);
    (scenario, observation)
}

#[test]
fn states_that_end_apart_diverge_without_a_word_of_it_in_their_histories() {
    let judged = assess::trials(vec![from_state("base", "text"), from_state("fresh", "uuid")]);
    let [base, fresh] = judged.as_slice() else { panic!("two trials") };
    assert!(!base.findings.iter().any(|f| f.kind == FindingKind::Diverged));
    assert!(fresh.findings.iter().any(|f| f.kind == FindingKind::Diverged));
    assert_eq!(fresh.verdict, Verdict::Unsafe);
}

#[test]
fn states_that_end_alike_converge_with_the_first() {
    let judged = assess::trials(vec![from_state("base", "text"), from_state("fresh", "text")]);
    assert_eq!(judged[0].ending.converged_with, None);
    assert_eq!(judged[1].ending.converged_with.as_deref(), Some("base"));
    assert_eq!(judged[1].verdict, Verdict::Safe);
}

#[test]
fn a_state_without_its_reference_is_unproven_not_safe() {
    let judged = assess::trials(vec![from_state("fresh", "text")]);
    assert_eq!(judged[0].verdict, Verdict::Unproven);
    assert!(judged[0].findings.iter().any(|f| f.kind == FindingKind::MeasurementFailed));
}

fn on(major: &str) -> TrialKey {
    key().with(Axis::SERVER, major)
}

#[test]
fn majors_on_which_the_change_comes_to_something_else_are_named() {
    let conditions = |major: &str| on(major).with(Axis::CONDITION, "backup");
    let alike = result(vec![calm(on("15")), calm(on("18"))]);
    assert!(only(&alike).findings.iter().all(|f| f.kind != FindingKind::MajorsDiffer));
    // What one trial of a major shows, the change shows there.
    let differ = result(vec![
        calm(on("14")),
        stalled(conditions("14")),
        stalled(on("15")),
        calm(on("17")),
        calm(on("18")),
    ]);
    let change = only(&differ);
    assert_eq!(change.verdict, Verdict::Unsafe);
    let finding = change.findings.iter().find(|f| f.kind == FindingKind::MajorsDiffer);
    let finding = finding.expect("a finding of the whole");
    assert_eq!(finding.verdict, Verdict::Safe);
    assert_eq!(finding.trials.len(), 5);
    let said = "majors differ: PostgreSQL 14, 15: unsafe (stall, latency); 17, 18: safe";
    assert_eq!(finding.sentence, said);
    let text = report::changes(&differ, Width::default());
    assert!(text.contains(said), "{text}");
}

#[test]
fn one_trial_on_one_major_differs_from_nothing() {
    let other_state = on("15").with(Axis::STATE, "part-way");
    let result = result(vec![calm(on("15")), stalled(other_state)]);
    assert!(only(&result).findings.iter().all(|f| f.kind != FindingKind::MajorsDiffer));
}
