//! The judge on operations that met rows before the change and meet none after it.

use pgauntlet::history::{Event, OperationOutcome};
use pgauntlet::result::Judgement;
use pgauntlet::scenario::{FindingKind, OperationStatement, Verdict};
use rstest::rstest;

use crate::made::{APP, Made};

/// A calm trial in which operations from `from` ms on meet no row.
fn unseen_from(from: u64) -> Judgement {
    let mut made = Made::calm();
    for at in (0..22_000).step_by(40) {
        made.operation(at, Some(at), at + 2, OperationOutcome::Succeeded, Some(APP + 51));
    }
    made.empty_from(from);
    made.judge()
}

fn verdict(judgement: &Judgement) -> Option<Verdict> {
    let found = judgement.findings.iter().find(|f| f.kind == FindingKind::RowsUnseen);
    found.map(|finding| finding.verdict)
}

#[test]
fn operations_that_meet_no_row_any_more_are_unsafe() {
    let judgement = unseen_from(5_000);
    assert_eq!(verdict(&judgement), Some(Verdict::Unsafe), "{:?}", judgement.findings);
    assert_eq!(judgement.verdict, Verdict::Unsafe);
}

/// A policy that shows a tenth of the rows lets some operations meet theirs.
#[rstest]
#[case::by_a_policy("CREATE POLICY p ON spans USING (id % 10 = 0)", Some(Verdict::Unsafe))]
#[case::by_what_is_not_known("SELECT f()", Some(Verdict::Unproven))]
#[test]
fn operations_that_meet_far_fewer_rows_are_not_safe(
    #[case] change: &str,
    #[case] expected: Option<Verdict>,
) {
    let judged = |nth: usize| {
        let mut made = Made::with_change();
        made.statement(0, 5_000, 5_010, change, true);
        let (sql, placeholders) = ("SELECT id FROM spans WHERE id = 1".to_owned(), Vec::new());
        let mut read = made.scenario.traffic.operations[0].clone();
        read.statements = vec![OperationStatement { sql, placeholders, place: None }];
        made.scenario.traffic.operations.push(read);
        for (number, at) in (200..22_000).step_by(100).enumerate() {
            made.operation(at, Some(at), at + 2, OperationOutcome::Succeeded, Some(APP + 51));
            let Some((_, Event::Operation(operation))) = made.entries.last_mut() else { panic!() };
            (operation.kind, operation.empty) = (1, at > 5_000 && number % nth != 0);
        }
        made.judge()
    };
    let judgement = judged(10);
    assert_eq!(verdict(&judgement), expected, "{:?}", judgement.findings);
    let found = judgement.findings.iter().find(|f| f.kind == FindingKind::RowsUnseen);
    let sentence = found.map_or("", |finding| finding.sentence.as_str());
    assert!(sentence.contains("and only 3 of 29 times after it"), "{sentence}");
    // Rows that are there are met.
    assert_eq!(verdict(&judged(1)), None);
}

#[test]
fn operations_that_never_met_a_row_say_nothing() {
    assert_eq!(verdict(&unseen_from(0)), None);
}

#[test]
fn operations_that_meet_rows_again_say_nothing() {
    assert_eq!(verdict(&unseen_from(30_000)), None);
}

/// Of an operation that the application seldom has, a short trial has few: ten before the change.
#[test]
fn few_operations_are_enough_where_chance_is_ruled_out() {
    let mut made = Made::calm();
    for at in (200..22_000).step_by(500) {
        made.operation(at, Some(at), at + 2, OperationOutcome::Succeeded, Some(APP + 51));
    }
    made.empty_from(5_000);
    let judgement = made.judge();
    assert_eq!(verdict(&judgement), Some(Verdict::Unsafe), "{:?}", judgement.findings);
}

/// The change itself says why: beside eight that met rows, two that met none are enough. Of an
/// operation on another table they are not.
#[test]
fn row_security_that_the_change_switches_on_takes_few_operations() {
    let judged = |read: &str| {
        let mut made = Made::with_change();
        let secures = "ALTER TABLE spans ENABLE ROW LEVEL SECURITY";
        made.statement(0, 5_000, 5_010, secures, true);
        let (sql, placeholders) = (read.to_owned(), Vec::new());
        let mut rare = made.scenario.traffic.operations[0].clone();
        rare.statements = vec![OperationStatement { sql, placeholders, place: None }];
        made.scenario.traffic.operations.push(rare);
        for at in [500, 1_000, 1_500, 2_000, 2_500, 3_000, 3_500, 4_000, 20_500, 21_000] {
            made.operation(at, Some(at), at + 2, OperationOutcome::Succeeded, Some(APP + 51));
            let Some((_, Event::Operation(operation))) = made.entries.last_mut() else { panic!() };
            (operation.kind, operation.empty) = (1, at > 5_000);
        }
        verdict(&made.judge())
    };
    assert_eq!(judged("SELECT id FROM spans WHERE id = 1"), Some(Verdict::Unsafe));
    assert_eq!(judged("SELECT id FROM tasks WHERE id = 1"), None);
}
