//! The judge on views and functions that a change replaced: each history is made by hand.

use pgauntlet::history::{AnswersCompared, ComparedAnswers, Event, NotCompared, OperationOutcome};
use pgauntlet::result::Judgement;
use pgauntlet::scenario::{Acceptance, Accepted, FindingKind, Meant, OperationStatement, Verdict};
use rstest::rstest;

use crate::judge_contents::{catalogue, found};
use crate::made::{Made, error};

const ACTIVE: &str = "view public.active";
const TOTAL: &str = "function public.total(n bigint)";
const REPLACES: &str = "CREATE OR REPLACE VIEW active AS SELECT 1";
const READS: &str = "SELECT id FROM active WHERE id = $1";

/// A change that replaces the view and the function, beside an application that sends `sql`.
fn replaced(statement: &str, sql: &str, compared: ComparedAnswers) -> Made {
    let mut made = Made::with_change();
    made.statement(0, 5_000, 5_010, statement, false);
    let sent = OperationStatement { sql: sql.to_owned(), placeholders: Vec::new(), place: None };
    made.scenario.traffic.operations[0].statements = vec![sent];
    let of = |text| {
        let upper = ("view public.upper", vec![("definition", " SELECT id FROM public.active;")]);
        vec![(ACTIVE, vec![("definition", text)]), (TOTAL, vec![("definition", text)]), upper]
    };
    catalogue(&mut made, None, of("one"));
    catalogue(&mut made, Some(0), of("two"));
    let answers = AnswersCompared { objects: vec![compared], ..AnswersCompared::default() };
    made.at(23_060, Event::Answers(Box::new(answers)));
    made
}

fn of(object: &str, (rows, gone, new): (u64, u64, u64)) -> ComparedAnswers {
    let some = |n: u64, row: &str| if n == 0 { Vec::new() } else { vec![row.to_owned()] };
    ComparedAnswers {
        object: object.to_owned(),
        rows,
        gone,
        new,
        gone_rows: some(gone, "(1,a)"),
        new_rows: some(new, "(7,b)"),
        ..ComparedAnswers::default()
    }
}

fn verdict(judgement: &Judgement) -> Option<Verdict> {
    found(judgement, FindingKind::AnswersDiffer).map(|finding| finding.verdict)
}

#[rstest]
#[case::rows_differ(of(ACTIVE, (70, 70, 30)), READS, Some(Verdict::Unproven))]
#[case::they_are_the_same(of(ACTIVE, (70, 0, 0)), READS, None)]
#[case::nobody_reads_it(of(ACTIVE, (70, 70, 30)), "SELECT id FROM spans", None)]
#[case::through_another_view(
    of(ACTIVE, (70, 70, 30)), "SELECT id FROM upper", Some(Verdict::Unproven)
)]
#[case::a_function(of(TOTAL, (16, 1, 1)), "SELECT total($1)", Some(Verdict::Unproven))]
#[case::a_column_of_its_name(of(TOTAL, (16, 1, 1)), "SELECT total FROM spans", None)]
fn other_answers_are_unproven_where_an_operation_gets_them(
    #[case] compared: ComparedAnswers,
    #[case] sql: &str,
    #[case] expected: Option<Verdict>,
) {
    let judgement = replaced(REPLACES, sql, compared).judge();
    assert_eq!(verdict(&judgement), expected, "{:?}", judgement.findings);
}

#[test]
fn the_sentence_has_the_figures_a_row_of_each_side_and_who_uses_it() {
    let judgement = replaced(REPLACES, READS, of(ACTIVE, (70, 70, 30))).judge();
    let finding = found(&judgement, FindingKind::AnswersDiffer).expect("a finding");
    let expected = "view public.active answers otherwise than before on the same rows: 70 of 70 \
                    rows are gone, such as (1,a), and 30 rows are new, such as (7,b); ";
    assert!(finding.sentence.starts_with(expected), "{}", finding.sentence);
    assert!(finding.sentence.ends_with(" uses it"), "{}", finding.sentence);
}

#[rstest]
#[case::no_row(NotCompared::NoRows, REPLACES, true)]
#[case::other_rows_each_time(NotCompared::Volatile, REPLACES, true)]
#[case::it_does_not_run(NotCompared::OldFails("no column".to_owned()), REPLACES, true)]
#[case::a_block_may_replace_it(
    NotCompared::OldFails("no column".to_owned()), "DO $$ BEGIN EXECUTE build(); END $$", true
)]
#[case::its_text_followed_a_column(
    NotCompared::OldFails("no column".to_owned()), "ALTER TABLE spans RENAME a TO b", false
)]
fn what_was_not_compared_is_unproven_where_the_change_replaced_it(
    #[case] why: NotCompared,
    #[case] statement: &str,
    #[case] is_told: bool,
) {
    let compared = ComparedAnswers::not_compared(ACTIVE, why);
    let judgement = replaced(statement, READS, compared).judge();
    assert_eq!(verdict(&judgement), is_told.then_some(Verdict::Unproven));
}

#[test]
fn what_the_traffic_saw_fail_is_told_once() {
    let why = NotCompared::OldFails("no column".to_owned());
    let mut made = replaced(REPLACES, READS, ComparedAnswers::not_compared(ACTIVE, why));
    let outcome = OperationOutcome::Failed(error("42703", "no column").into());
    made.operation(6_000, Some(6_000), 6_010, outcome, Some(100));
    let judgement = made.judge();
    assert!(found(&judgement, FindingKind::OperationFailed).is_some(), "{:?}", judgement.findings);
    assert_eq!(verdict(&judgement), None);
}

#[test]
fn a_definition_that_may_differ_is_no_finding() {
    let mut made = replaced(REPLACES, READS, of(ACTIVE, (70, 70, 30)));
    let difference =
        Accepted { object: ACTIVE.to_owned(), property: Some("definition".to_owned()) };
    made.scenario.accept = vec![Meant { difference: Some(difference), ..Meant::default() }];
    assert_eq!(verdict(&made.judge()), None);
}

#[test]
fn other_answers_are_accepted_by_name() {
    let mut made = replaced(REPLACES, READS, of(ACTIVE, (70, 70, 30)));
    made.scenario.acceptances = vec![Acceptance {
        kind: Some(FindingKind::AnswersDiffer),
        reason: "it is meant".to_owned(),
        until: None,
        file: "change.sql".to_owned(),
        line: 1,
        within: None,
        in_change: true,
    }];
    let judgement = made.judge();
    assert_eq!(judgement.verdict, Verdict::Safe, "{:?}", judgement.findings);
    let finding = found(&judgement, FindingKind::AnswersDiffer).expect("a finding");
    assert!(finding.accepted.is_some());
}
