//! The judge on operations that take longer since the change.

use std::collections::BTreeMap;

use pgauntlet::assess::{self, Against};
use pgauntlet::explain::explain;
use pgauntlet::history::{Event, OperationOutcome, OperationPlan, PlanNode};
use pgauntlet::judge::observe;
use pgauntlet::result::{Finding, Judgement};
use pgauntlet::scenario::{FindingKind, Verdict};
use rstest::rstest;

use crate::made::{APP, Made};

/// Operations every 40 ms that take these milliseconds before and after the change.
fn made(before: u64, after: u64) -> Made {
    let mut made = Made::calm();
    for at in (0..22_000).step_by(40) {
        let took = if at < 5_000 { before } else { after };
        made.operation(at, Some(at), at + took, OperationOutcome::Succeeded, Some(APP + 51));
    }
    made
}

fn node(node_type: &str, index: Option<&str>) -> PlanNode {
    let (node_type, index) = (node_type.to_owned(), index.map(str::to_owned));
    let relation = (node_type != "Bitmap Index Scan").then(|| "public.spans".to_owned());
    PlanNode { node_type, relation, index, rows: 5 }
}

fn plan(made: &mut Made, at: u64, nodes: Vec<PlanNode>) {
    let cost = if nodes.iter().any(|node| node.index.is_some()) { 8.2 } else { 1_234.5 };
    let plan = OperationPlan { operation: 0, statement: 0, cost, nodes };
    made.at(at, Event::OperationPlan(plan.into()));
}

fn found(judgement: &Judgement) -> Option<&Finding> {
    judgement.findings.iter().find(|f| f.kind == FindingKind::OperationSlower)
}

/// `spans` has so many rows.
fn judged(made: Made, rows: u64) -> Judgement {
    let scenario = made.scenario.clone();
    let mut history = made.history();
    history.header.trial.sizes = BTreeMap::from([("public.spans".to_owned(), rows)]);
    explain(assess::trial(&scenario, observe(&scenario, &history), Against::Nothing))
}

#[rstest]
#[case::by_an_index(vec![node("Index Scan", Some("ix"))])]
#[case::by_a_bitmap(vec![node("Bitmap Heap Scan", None), node("Bitmap Index Scan", Some("ix"))])]
fn a_table_that_is_read_whole_since_the_change_is_unsafe(#[case] before: Vec<PlanNode>) {
    let mut made = made(2, 9);
    plan(&mut made, 100, before);
    plan(&mut made, 23_050, vec![node("Seq Scan", None)]);
    let judgement = judged(made, 50_000);
    let finding = found(&judgement).expect("a finding");
    assert_eq!(finding.verdict, Verdict::Unsafe);
    let said = "insert-span reads all 50,000 rows of public.spans by Seq Scan since the change, \
                and by ix before it: estimated cost 1,235, before it 8, and it grows with the \
                table; it takes 9.0 ms (median of 54) since the change, and took 2.0 ms (median \
                of 135) before it";
    assert_eq!(finding.sentence, said);
}

#[test]
fn a_small_table_that_is_read_whole_informs() {
    let mut made = made(2, 9);
    plan(&mut made, 100, vec![node("Index Scan", Some("ix"))]);
    plan(&mut made, 23_050, vec![node("Seq Scan", None)]);
    let judgement = judged(made, 9_999);
    assert_eq!(found(&judgement).map(|f| f.verdict), Some(Verdict::Safe));
    assert_eq!(judgement.verdict, Verdict::Safe, "{:?}", judgement.findings);
}

#[test]
fn the_same_plan_informs() {
    let mut made = made(2, 9);
    for at in [100, 23_050] {
        plan(&mut made, at, vec![node("Seq Scan", None)]);
    }
    let judgement = judged(made, 50_000);
    assert_eq!(found(&judgement).map(|f| f.verdict), Some(Verdict::Safe));
}

/// One that is seldom sent.
#[test]
fn a_plan_shows_it_however_few_operations_ran() {
    let mut made = Made::calm();
    plan(&mut made, 100, vec![node("Index Scan", Some("ix"))]);
    plan(&mut made, 23_050, vec![node("Seq Scan", None)]);
    let judgement = judged(made, 50_000);
    assert_eq!(found(&judgement).map(|f| f.verdict), Some(Verdict::Unsafe));
}

#[rstest]
#[case::as_before(2, 2)]
#[case::faster(9, 2)]
fn what_is_hardly_slower_says_nothing(#[case] before: u64, #[case] after: u64) {
    let mut made = made(before, after);
    plan(&mut made, 100, vec![node("Index Scan", Some("ix"))]);
    plan(&mut made, 23_050, vec![node("Seq Scan", None)]);
    assert_eq!(found(&judged(made, 50_000)), None);
}

#[test]
fn what_takes_less_than_twice_as_long_by_the_same_plan_says_nothing() {
    assert_eq!(found(&judged(made(4, 7), 50_000)), None);
}

/// The machine is slower, then, or the server.
#[test]
fn what_all_operations_share_says_nothing() {
    let mut made = made(2, 9);
    let other = made.scenario.traffic.operations[0].clone();
    made.scenario.traffic.operations.extend([other.clone(), other]);
    let entries = made.entries.clone();
    for kind in [1, 2] {
        for (at, event) in &entries {
            let Event::Operation(operation) = event else { continue };
            let mut operation = operation.clone();
            operation.kind = kind;
            made.counters.scheduled += 1;
            made.counters.count(&operation.outcome);
            operation.seq = made.counters.scheduled;
            made.at(*at, Event::Operation(operation));
        }
    }
    let judgement = judged(made, 50_000);
    assert_eq!(found(&judgement), None);
}
