//! All cases of a crash matrix as one answer, and what a terminal shows of it: cases and histories
//! are made by hand.

use std::collections::BTreeMap;

use pgauntlet::assess::{self, Effort};
use pgauntlet::clock::Micros;
use pgauntlet::explain::explain_matrix;
use pgauntlet::history::{AttemptEnd, History};
use pgauntlet::judge::crash;
use pgauntlet::report::{self, Width};
use pgauntlet::result::{Case, Matrix, RandomFaults};
use pgauntlet::scenario::{Crash, Outcome, Scenario, Verdict};
use pgauntlet::schema::Difference;
use pgauntlet::trial::{Fault, FaultKind, InjectionPoint};
use proptest::prelude::*;
use rstest::rstest;

use crate::made::failed;
use crate::sent::{by_command, sent};

const STATEMENTS: [&str; 4] = [
    "BEGIN",
    "ALTER TABLE spans ADD COLUMN task_id varchar REFERENCES tasks (id)",
    "COMMIT",
    "CREATE INDEX CONCURRENTLY ix_spans_task_id ON spans (task_id)",
];

/// A change of these statements that nothing disturbed, and its scenario.
fn left_alone(end: AttemptEnd) -> (Scenario, History) {
    let mut made = by_command(1);
    for (id, (text, status)) in (0..).zip(STATEMENTS.into_iter().zip(["it", "tt", "ti", "ii"])) {
        let at = 5_000 + u64::from(id) * 20;
        sent(id, at, at + 15, text).status(status).add_to(&mut made);
    }
    made.ends(end);
    (made.scenario.clone(), made.history())
}

fn case(statement: u32, kind: FaultKind, outcome: Option<Outcome>) -> Case {
    let text = STATEMENTS[statement as usize].to_owned();
    Case {
        fault: Fault { kind, at: InjectionPoint::new(statement, text, 0) },
        outcome,
        seen: "57P01 admin_shutdown".to_owned(),
        sentence: outcome.map_or("it was over".to_owned(), |outcome| format!("it is {outcome}")),
        ending: None,
        differences: Vec::new(),
        broken: false,
        not_compared: Vec::new(),
        reruns: 1,
        took_us: Micros::from_millis(900 + u64::from(statement) * 50),
    }
}

/// At statement 1, a case for each of these.
fn cases(outcomes: &[Option<Outcome>]) -> Vec<Case> {
    let kinds = FaultKind::ALL.iter().cycle();
    outcomes.iter().zip(kinds).map(|(outcome, kind)| case(1, *kind, *outcome)).collect()
}

fn matrix_of(crash: &Crash, cases: Vec<Case>, random: Option<RandomFaults>) -> Matrix {
    let (scenario, history) = left_alone(AttemptEnd::Finished { applied: None });
    let shown = crash::undisturbed(&history);
    let run = (&shown, Effort { took_us: Micros::from_secs(12), at_once: 2 });
    explain_matrix(assess::matrix(&scenario, crash, run, cases, random))
}

fn of(outcomes: &[Option<Outcome>]) -> Matrix {
    matrix_of(&Crash::default(), cases(outcomes), None)
}

const CLEAN: Option<Outcome> = Some(Outcome::Clean);
const BY_HAND: Option<Outcome> = Some(Outcome::ManualStep);
const FAILS: Option<Outcome> = Some(Outcome::FailsForever);
const LOST: Option<Outcome> = Some(Outcome::LosesData);

#[rstest]
#[case::all_clean(
    &[CLEAN, None, CLEAN],
    Verdict::Safe,
    "after each of 2 faults a rerun reaches the same schema and rows (1 more could not be \
     injected)"
)]
#[case::a_step_by_hand(
    &[CLEAN, BY_HAND],
    Verdict::Unsafe,
    "1 of 2 faults do not end clean: it is manual-step"
)]
#[case::the_worst_is_told(
    &[BY_HAND, LOST, FAILS, CLEAN, None],
    Verdict::Unsafe,
    "3 of 4 faults do not end clean (1 more could not be injected): it is loses-data"
)]
#[case::none_injected(&[None, None], Verdict::Unproven, "no fault could be injected")]
#[case::none_planned(&[], Verdict::Unproven, "no fault could be injected")]
fn the_worst_cell_decides(
    #[case] outcomes: &[Option<Outcome>],
    #[case] verdict: Verdict,
    #[case] reason: &str,
) {
    let matrix = of(outcomes);
    assert_eq!((matrix.verdict, matrix.reason.as_str()), (verdict, reason));
    let unproven = verdict == Verdict::Unproven;
    assert_eq!(matrix.mismatches.iter().any(|mismatch| mismatch == reason), unproven);
}

#[rstest]
#[case::a_step_by_hand(&[CLEAN, BY_HAND], Verdict::Bounded)]
#[case::nothing_else(&[BY_HAND, FAILS], Verdict::Unsafe)]
#[case::what_is_lost_is_lost(&[BY_HAND, LOST], Verdict::Unsafe)]
fn a_step_by_hand_that_the_scenario_bears_is_bounded(
    #[case] outcomes: &[Option<Outcome>],
    #[case] verdict: Verdict,
) {
    let crash = Crash { may: Outcome::ALL.to_vec(), ..Crash::default() };
    assert_eq!(matrix_of(&crash, cases(outcomes), None).verdict, verdict);
}

#[rstest]
#[case::failed(
    failed("42P07", "relation exists"),
    "the change does not finish when nothing disturbs it: relation exists (42P07 duplicate_table)"
)]
#[case::hung(
    AttemptEnd::DeadlineExceeded,
    "the change does not finish when nothing disturbs it within 60.00 s, the longest that a case \
     may take"
)]
fn where_the_undisturbed_run_does_not_finish_nothing_is_proven(
    #[case] end: AttemptEnd,
    #[case] reason: &str,
) {
    let (scenario, history) = left_alone(end);
    let shown = crash::undisturbed(&history);
    let run = (&shown, Effort { took_us: Micros::ZERO, at_once: 1 });
    let crash = Crash { may: Outcome::ALL.to_vec(), ..Crash::default() };
    let matrix = assess::matrix(&scenario, &crash, run, cases(&[CLEAN]), None);
    let matrix = explain_matrix(matrix);
    assert_eq!((matrix.verdict, matrix.reason.as_str()), (Verdict::Unproven, reason));
    assert_eq!(matrix.mismatches, [reason]);
    assert!(!matrix.as_expected);
}

#[rstest]
#[case::silence_means_clean(&[], &[], &[CLEAN, CLEAN], &[])]
#[case::nothing_but_clean(
    &[],
    &[],
    &[CLEAN, FAILS, FAILS],
    &["2 cases end with fails-forever, which was not expected"]
)]
#[case::silence_asks_for_clean(
    &[],
    &[],
    &[BY_HAND],
    &[
        "no case ends with clean, which was expected",
        "1 case ends with manual-step, which was not expected",
    ]
)]
#[case::as_expected(&[Outcome::Clean, Outcome::ManualStep], &[], &[CLEAN, BY_HAND], &[])]
#[case::what_is_expected_has_to_occur(
    &[Outcome::ManualStep],
    &[Outcome::Clean],
    &[CLEAN],
    &["no case ends with manual-step, which was expected"]
)]
#[case::what_may_occur_need_not(&[Outcome::Clean], &[Outcome::LosesData], &[CLEAN], &[])]
#[case::what_may_occur_is_no_mismatch(&[], &[Outcome::Clean, Outcome::LosesData], &[LOST], &[])]
#[case::clean_that_is_not_expected(
    &[Outcome::FailsForever],
    &[],
    &[FAILS, CLEAN, None],
    &["1 case ends with clean, which was not expected"]
)]
fn outcomes_are_held_against_the_expected_ones(
    #[case] expect: &[Outcome],
    #[case] may: &[Outcome],
    #[case] outcomes: &[Option<Outcome>],
    #[case] mismatches: &[&str],
) {
    let crash = Crash { expect: expect.to_vec(), may: may.to_vec(), ..Crash::default() };
    let matrix = matrix_of(&crash, cases(outcomes), None);
    assert_eq!(matrix.mismatches, mismatches);
    assert_eq!(matrix.as_expected, mismatches.is_empty());
}

#[test]
fn rows_and_columns_are_those_with_cells() {
    let cases = vec![case(1, FaultKind::KillRunner, CLEAN), case(3, FaultKind::CutBefore, None)];
    let matrix = matrix_of(&Crash::default(), cases, None);
    let rows: Vec<(u32, &str)> =
        matrix.rows.iter().map(|row| (row.id, row.statement.text.as_str())).collect();
    assert_eq!(rows, [(1, STATEMENTS[1]), (3, STATEMENTS[3])]);
    assert_eq!(matrix.columns, [FaultKind::CutBefore, FaultKind::KillRunner]);
    assert_eq!(matrix.trial.key.scenario, "made");
}

fn at_moment(statement: u32, into_ms: u64, outcome: Option<Outcome>) -> Case {
    let mut case = case(statement, FaultKind::Cancel, outcome);
    case.fault.at.into_us = Some(Micros::from_millis(into_ms));
    case
}

#[test]
fn of_random_deaths_the_earliest_that_does_not_end_clean_is_kept() {
    let cases = vec![
        at_moment(0, 1, CLEAN),
        at_moment(3, 1, LOST),
        at_moment(1, 0, None),
        at_moment(1, 9, BY_HAND),
        at_moment(1, 4, FAILS),
    ];
    let random = RandomFaults::of(cases).expect("faults");
    assert_eq!((random.tried, random.injected), (5, 4));
    assert_eq!(random.earliest, Some(at_moment(1, 4, FAILS)));
}

#[test]
fn of_random_deaths_that_all_end_clean_none_is_kept() {
    let random = RandomFaults::of(vec![at_moment(1, 1, CLEAN), at_moment(1, 2, None)]);
    assert_eq!(random, Some(RandomFaults { tried: 2, injected: 1, earliest: None }));
    assert_eq!(RandomFaults::of(Vec::new()), None);
}

#[test]
fn a_random_death_counts_as_a_cell_and_is_told_where_it_is_the_worst() {
    let random = RandomFaults::of(vec![at_moment(1, 4, FAILS)]);
    let matrix = matrix_of(&Crash::default(), cases(&[CLEAN, BY_HAND]), random);
    assert_eq!(matrix.verdict, Verdict::Unsafe);
    assert_eq!(matrix.reason, "2 of 3 faults do not end clean: it is fails-forever");
    assert_eq!(matrix.outcomes.get(&Outcome::FailsForever), Some(&1));
}

#[test]
fn random_deaths_that_all_end_clean_are_deaths_that_were_met() {
    let random = RandomFaults::of(vec![at_moment(1, 4, CLEAN), at_moment(1, 5, CLEAN)]);
    let matrix = matrix_of(&Crash::default(), cases(&[None]), random);
    assert_eq!(matrix.verdict, Verdict::Safe);
    assert!(matrix.reason.starts_with("after each of 2 faults"), "{}", matrix.reason);
}

fn any_outcome() -> impl Strategy<Value = Option<Outcome>> {
    prop::option::weighted(0.8, prop::sample::select(Outcome::ALL))
}

/// Mostly clean ones, so that every verdict is drawn often.
fn any_cells() -> impl Strategy<Value = Vec<Option<Outcome>>> {
    let calm = prop::sample::select(vec![CLEAN, CLEAN, None]);
    prop_oneof![
        prop::collection::vec(any_outcome(), 0..12),
        prop::collection::vec(calm, 0..12),
        prop::collection::vec(Just(None), 0..3),
    ]
}

proptest! {
    #[test]
    fn a_matrix_is_safe_exactly_when_every_death_that_was_met_ends_clean(outcomes in any_cells()) {
        let matrix = of(&outcomes);
        let met: Vec<Outcome> = outcomes.iter().copied().flatten().collect();
        let verdict = match met.iter().all(|outcome| *outcome == Outcome::Clean) {
            _ if met.is_empty() => Verdict::Unproven,
            true => Verdict::Safe,
            false => Verdict::Unsafe,
        };
        prop_assert_eq!(matrix.verdict, verdict);
        prop_assert_eq!(matrix.as_expected, verdict == Verdict::Safe);
        prop_assert_eq!(matrix.outcomes.values().sum::<u64>(), met.len() as u64);
        for (outcome, count) in &matrix.outcomes {
            let counted = met.iter().filter(|met| *met == outcome).count() as u64;
            prop_assert_eq!(*count, counted);
        }
        prop_assert_eq!(matrix.cases.len(), outcomes.len());
    }

    #[test]
    fn the_earliest_of_random_deaths_is_not_clean_and_none_before_it_is_bad(
        drawn in prop::collection::vec((0..4_u32, 0..5_u64, any_outcome()), 1..12),
    ) {
        let cases: Vec<Case> = drawn.iter().map(|(s, at, o)| at_moment(*s, *at, *o)).collect();
        let bad = |case: &&Case| case.outcome.is_some_and(|outcome| outcome != Outcome::Clean);
        let moment = |case: &Case| (case.fault.at.statement, case.fault.at.into_us);
        let earliest = cases.iter().filter(bad).map(moment).min();
        let random = RandomFaults::of(cases.clone()).expect("faults");
        prop_assert_eq!(random.earliest.as_ref().map(moment), earliest);
        prop_assert!(random.earliest.iter().all(|earliest| bad(&earliest)));
    }
}

/// Cells of every outcome, in the order in which they would have been planned.
fn every_outcome() -> Vec<Case> {
    let difference = Difference {
        object: "index public.ix_spans_task_id".to_owned(),
        property: "indisvalid".to_owned(),
        from: Some("true".to_owned()),
        to: Some("false".to_owned()),
    };
    let mut cases = vec![
        case(1, FaultKind::CutBefore, CLEAN),
        case(1, FaultKind::LockTimeout, None),
        case(1, FaultKind::Cancel, Some(Outcome::Diverges)),
        case(1, FaultKind::KillBackend, LOST),
        case(2, FaultKind::CutBefore, CLEAN),
        case(2, FaultKind::LockTimeout, None),
        case(2, FaultKind::KillRunner, BY_HAND),
        case(3, FaultKind::CutBefore, CLEAN),
        case(3, FaultKind::LockTimeout, FAILS),
        case(3, FaultKind::Cancel, FAILS),
        case(3, FaultKind::CutAfter, Some(Outcome::Debris)),
    ];
    for case in &mut cases {
        if case.outcome == FAILS {
            case.sentence = "a rerun fails: relation \"ix_spans_task_id\" already exists (42P07 \
                             duplicate_table)"
                .to_owned();
            case.differences = vec![difference.clone()];
        }
    }
    cases
}

fn shown(matrix: &Matrix) -> String {
    anstream::adapter::strip_str(&report::matrix(matrix, Width::default())).to_string()
}

#[test]
fn a_terminal_shows_each_cell_and_what_did_not_end_clean() {
    let random = RandomFaults::of(vec![at_moment(3, 4, FAILS), at_moment(1, 4, CLEAN)]);
    let crash = Crash { expect: vec![Outcome::Clean], ..Crash::default() };
    let mut matrix = matrix_of(&crash, every_outcome(), random);
    matrix.trial.sizes = BTreeMap::from([("spans".to_owned(), 20_000), ("tasks".to_owned(), 400)]);
    insta::assert_snapshot!(shown(&matrix));
}

#[test]
fn a_terminal_shows_a_matrix_in_which_every_death_ends_clean() {
    let random = RandomFaults::of(vec![at_moment(1, 4, CLEAN), at_moment(3, 4, CLEAN)]);
    let kinds = [FaultKind::CutBefore, FaultKind::KillBackend, FaultKind::CutAfter];
    let cases = [1, 2, 3].into_iter().flat_map(|id| kinds.map(|kind| case(id, kind, CLEAN)));
    insta::assert_snapshot!(shown(&matrix_of(&Crash::default(), cases.collect(), random)));
}

#[test]
fn a_terminal_shows_no_table_where_nothing_died() {
    insta::assert_snapshot!(shown(&of(&[])));
}

#[rstest]
#[case(Outcome::Clean, "clean", "32")]
#[case(Outcome::ManualStep, "by hand", "33")]
#[case(Outcome::FailsForever, "fails", "31")]
#[case(Outcome::Debris, "debris", "31")]
#[case(Outcome::Diverges, "diverges", "31")]
#[case(Outcome::LosesData, "loses data", "31")]
fn every_outcome_of_the_table_has_its_colour(
    #[case] outcome: Outcome,
    #[case] word: &str,
    #[case] colour: &str,
) {
    let cases = FaultKind::ALL.iter().map(|kind| case(1, *kind, Some(outcome)));
    let text =
        report::matrix(&matrix_of(&Crash::default(), cases.collect(), None), Width::default());
    let row = text.lines().find(|line| line.contains(" 1  ALTER TABLE")).expect("a row");
    let painted = format!("\u{1b}[{colour}m{word}\u{1b}[0m");
    assert_eq!(row.matches(&painted).count(), FaultKind::ALL.len(), "{row:?}");
}

#[test]
fn words_of_a_statement_are_not_coloured_as_outcomes() {
    let mut matrix = of(&[CLEAN]);
    matrix.rows[0].statement.text = "UPDATE t SET clean = debris - fails".to_owned();
    let text = report::matrix(&matrix, Width::default());
    let row = text.lines().find(|line| line.contains("UPDATE t")).expect("a row");
    assert!(row.contains("UPDATE t SET clean = debris"), "{row:?}");
}
