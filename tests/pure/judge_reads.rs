//! The judge on declared reads and their plans: each history is made by hand and says one thing.

use std::collections::BTreeMap;

use pgauntlet::history::{AttemptEnd, Event, InvariantRead, PlanNode, PlanRead};
use pgauntlet::result::{Finding, Judgement};
use pgauntlet::scenario::{
    FindingKind, Invariant, OperationStatement, PlanLimit, Rows, Since, Verdict,
};
use rstest::rstest;

use crate::made::{Made, error, failed};

/// Before the change, while it runs, when it is over, and when all has ended.
const BEFORE: u64 = 100;
const DURING: u64 = 5_500;
const AFTER: u64 = 21_000;
const LAST: u64 = 23_050;

fn found(judgement: &Judgement, kind: FindingKind) -> Option<&Finding> {
    judgement.findings.iter().find(|finding| finding.kind == kind)
}

/// What the trial amounts to and its one finding.
fn only(made: Made) -> (Verdict, FindingKind, String) {
    let judgement = made.judge();
    let [finding] = judgement.findings.as_slice() else { panic!("{:?}", judgement.findings) };
    (judgement.verdict, finding.kind, finding.sentence.clone())
}

fn statement() -> OperationStatement {
    OperationStatement { sql: "SELECT 1".to_owned(), placeholders: Vec::new(), place: None }
}

fn declared() -> Invariant {
    Invariant {
        name: "spans".to_owned(),
        statement: statement(),
        parameters: BTreeMap::new(),
        before: None,
        rows: Rows::Same,
        since: Since::Start,
        plan: None,
    }
}

/// A calm trial with one declared read and what it was answered with.
fn made_of(invariant: Invariant, reads: &[(u64, u64, &str)]) -> Made {
    let mut made = Made::calm();
    made.scenario.invariants = vec![invariant];
    for (at, rows, digest) in reads {
        let (name, digest) = ("spans".to_owned(), (*digest).to_owned());
        made.at(
            *at,
            Event::Invariant(
                InvariantRead { name, rows: *rows, digest, first: Vec::new(), error: None }.into(),
            ),
        );
    }
    made
}

fn fails(made: &mut Made, at: u64, code: &str) {
    let (name, error) = ("spans".to_owned(), Some(error(code, "no")));
    let read = InvariantRead { name, rows: 0, digest: String::new(), first: Vec::new(), error };
    made.at(at, Event::Invariant(read.into()));
}

#[test]
fn a_read_that_must_return_nothing_is_broken_by_any_row() {
    let none = || Invariant { rows: Rows::None, ..declared() };
    let kept = [(BEFORE, 0, "none"), (AFTER, 0, "none"), (LAST, 0, "none")];
    assert_eq!(made_of(none(), &kept).judge().verdict, Verdict::Safe);
    let orphans = [(BEFORE, 0, "none"), (AFTER, 1_200, "a"), (LAST, 0, "none")];
    let (verdict, kind, sentence) = only(made_of(none(), &orphans));
    assert_eq!((verdict, kind), (Verdict::Unsafe, FindingKind::ReadChanged));
    assert_eq!(sentence, "the read spans returned 1,200 rows after it, and must return none");
    let always = [(BEFORE, 1, "a"), (AFTER, 1, "a")];
    let (verdict, kind, sentence) = only(made_of(none(), &always));
    assert_eq!((verdict, kind), (Verdict::Unproven, FindingKind::BaselineBroken));
    assert!(sentence.contains("1 row before the change began"), "{sentence}");
}

#[test]
fn the_newer_form_of_a_read_has_to_return_the_rows_of_the_older_one() {
    let two_forms = || Invariant { before: Some(statement()), ..declared() };
    let same = [(BEFORE, 50, "a"), (DURING, 50, "a"), (AFTER, 50, "a")];
    assert_eq!(made_of(two_forms(), &same).judge().verdict, Verdict::Safe);
    let other = [(BEFORE, 50, "a"), (AFTER, 49, "b")];
    let (verdict, kind, sentence) = only(made_of(two_forms(), &other));
    assert_eq!((verdict, kind), (Verdict::Unsafe, FindingKind::ReadChanged));
    let expected = "the read spans returned 50 rows before the change, as the older release sends \
                    it, and 49 other ones after it, as the newer one does";
    assert_eq!(sentence, expected);
    let meanwhile = [(BEFORE, 50, "a"), (DURING, 50, "b"), (AFTER, 50, "a")];
    let (_, _, sentence) = only(made_of(two_forms(), &meanwhile));
    assert!(sentence.ends_with("while it ran, as the older release sends it"), "{sentence}");
}

#[rstest]
#[case::by_an_error(|made: &mut Made| fails(made, 20_500, "42703"))]
#[case::by_other_rows(|made: &mut Made| {
    let digest = "half".to_owned();
    let (name, first) = ("spans".to_owned(), Vec::new());
    let read = InvariantRead { name, rows: 1, digest, first, error: None };
    made.at(20_500, Event::Invariant(read.into()));
})]
fn the_newer_form_binds_nobody_before_an_attempt_has_finished(#[case] too_early: fn(&mut Made)) {
    let two_forms = Invariant { before: Some(statement()), ..declared() };
    let mut made = made_of(two_forms.clone(), &[(BEFORE, 50, "a"), (LAST, 50, "a")]);
    made.attempt_fails("55P03", "canceling statement due to lock timeout");
    too_early(&mut made);
    made.rerun(AttemptEnd::Finished { applied: Some(1) });
    let judgement = made.judge();
    assert_eq!(found(&judgement, FindingKind::ReadChanged), None, "{:?}", judgement.findings);
    assert_eq!(judgement.verdict, Verdict::Bounded);
    let mut finished = made_of(two_forms, &[(BEFORE, 50, "a"), (LAST, 50, "a")]);
    too_early(&mut finished);
    assert_eq!(finished.judge().verdict, Verdict::Unsafe);
}

#[test]
fn a_read_of_a_change_that_never_finished_is_not_taken_for_answered() {
    let new = Invariant { since: Since::Change, ..declared() };
    let mut made = made_of(new, &[(AFTER, 0, "none")]);
    made.ends(AttemptEnd::Killed);
    made.rerun(failed("55P03", "canceling statement due to lock timeout"));
    let judgement = made.judge();
    let unseen = found(&judgement, FindingKind::MeasurementFailed).expect("a finding");
    assert_eq!(unseen.sentence, "the read spans was never answered after the change");
}

#[test]
fn a_read_of_what_the_change_makes_must_have_been_answered_after_it() {
    let new = || Invariant { since: Since::Change, rows: Rows::None, ..declared() };
    assert_eq!(made_of(new(), &[(AFTER, 0, "none")]).judge().verdict, Verdict::Safe);
    let (verdict, kind, _) = only(made_of(new(), &[]));
    assert_eq!((verdict, kind), (Verdict::Unproven, FindingKind::MeasurementFailed));
    let mut gave_up = made_of(new(), &[]);
    fails(&mut gave_up, LAST, "55P03");
    assert_eq!(only(gave_up).1, FindingKind::MeasurementFailed);
    let mut failed = made_of(new(), &[]);
    fails(&mut failed, LAST, "42703");
    let (verdict, kind, _) = only(failed);
    assert_eq!((verdict, kind), (Verdict::Unsafe, FindingKind::ReadChanged));
}

#[test]
fn a_first_read_after_the_change_has_nothing_before_it_to_be_compared_with() {
    assert_eq!(made_of(declared(), &[(LAST, 7, "a")]).judge().verdict, Verdict::Safe);
    let later = [(AFTER, 7, "a"), (LAST, 8, "b")];
    let (verdict, kind, sentence) = only(made_of(declared(), &later));
    assert_eq!((verdict, kind), (Verdict::Unsafe, FindingKind::ReadChanged));
    assert!(sentence.contains("7 rows after the change and 8 other ones later"), "{sentence}");
}

fn node(node_type: &str, relation: Option<&str>, rows: u64) -> PlanNode {
    let (node_type, relation) = (node_type.to_owned(), relation.map(str::to_owned));
    PlanNode { node_type, relation, index: None, rows }
}

fn by_index() -> Vec<PlanNode> {
    let mut leaf = node("Bitmap Index Scan", None, 312);
    leaf.index = Some("ix_spans_task_id".to_owned());
    vec![node("Sort", None, 312), node("Bitmap Heap Scan", Some("public.spans"), 312), leaf]
}

fn whole_table() -> Vec<PlanNode> {
    vec![node("Sort", None, 9), node("Seq Scan", Some("public.spans"), 2_000_000)]
}

/// A read that is always the same, with these plans.
fn planned(absent: &[&str], rows_max: Option<u64>, plans: &[(u64, Vec<PlanNode>)]) -> Made {
    let absent = absent.iter().map(|node_type| (*node_type).to_owned()).collect();
    let plan = Some(PlanLimit { absent, rows_max });
    let reads = [(BEFORE, 1, "a"), (AFTER, 1, "a")];
    let mut made = made_of(Invariant { plan, ..declared() }, &reads);
    for (at, nodes) in plans {
        let (name, nodes) = ("spans".to_owned(), nodes.clone());
        made.at(*at, Event::Plan(PlanRead { name, nodes, error: None }.into()));
    }
    made
}

#[test]
fn a_node_that_must_not_be_there_is_told_with_what_was_there_before() {
    let kept = [(BEFORE, by_index()), (LAST, by_index())];
    assert_eq!(planned(&["Seq Scan"], Some(1_000), &kept).judge().verdict, Verdict::Safe);
    let lost = [(BEFORE, by_index()), (LAST, whole_table())];
    let (verdict, kind, sentence) = only(planned(&["Seq Scan"], None, &lost));
    assert_eq!((verdict, kind), (Verdict::Unsafe, FindingKind::PlanChanged));
    let expected = "the plan of the read spans has Seq Scan on public.spans, 2,000,000 rows after \
                    the change, and must have no Seq Scan; before it Bitmap Heap Scan on \
                    public.spans, 312 rows";
    assert_eq!(sentence, expected);
}

#[test]
fn too_many_estimated_rows_break_a_plan_at_any_node() {
    let grown = [(BEFORE, by_index()), (LAST, whole_table())];
    let (verdict, kind, sentence) = only(planned(&[], Some(312), &grown));
    assert_eq!((verdict, kind), (Verdict::Unsafe, FindingKind::PlanChanged));
    assert!(sentence.contains("no node of more than 312 rows estimated"), "{sentence}");
}

#[test]
fn a_plan_that_was_bad_before_the_change_is_not_its_doing() {
    let always = [(BEFORE, whole_table()), (LAST, whole_table())];
    let (verdict, kind, sentence) = only(planned(&["Seq Scan"], None, &always));
    assert_eq!((verdict, kind), (Verdict::Unproven, FindingKind::BaselineBroken));
    assert!(sentence.contains("had Seq Scan on public.spans"), "{sentence}");
}

#[test]
fn a_plan_of_the_newer_form_has_none_before_it() {
    let mut made = planned(&["Seq Scan"], None, &[(LAST, whole_table())]);
    made.scenario.invariants[0].since = Since::Change;
    let (_, kind, sentence) = only(made);
    assert_eq!(kind, FindingKind::PlanChanged);
    assert!(sentence.ends_with("must have no Seq Scan"), "{sentence}");
}

#[test]
fn a_plan_that_was_not_read_is_no_good_plan() {
    let (verdict, kind, sentence) = only(planned(&["Seq Scan"], None, &[(BEFORE, by_index())]));
    assert_eq!((verdict, kind), (Verdict::Unproven, FindingKind::MeasurementFailed));
    assert!(sentence.contains("never read after the change"), "{sentence}");
    let mut failed = planned(&["Seq Scan"], None, &[(BEFORE, by_index())]);
    let (name, told) = ("spans".to_owned(), Some(error("55P03", "lock timeout")));
    let unread = PlanRead { name, nodes: Vec::new(), error: told };
    failed.at(AFTER, Event::Plan(unread.into()));
    let mut read_later = failed.clone();
    let (verdict, kind, sentence) = only(failed);
    assert_eq!((verdict, kind), (Verdict::Unproven, FindingKind::MeasurementFailed));
    assert!(sentence.contains("could not be read after the change: lock timeout"), "{sentence}");
    let (name, nodes) = ("spans".to_owned(), by_index());
    read_later.at(LAST, Event::Plan(PlanRead { name, nodes, error: None }.into()));
    assert_eq!(read_later.judge().verdict, Verdict::Safe);
}

/// Which rows they are, and who wrote what the read reads since the change was there.
#[test]
fn rows_that_must_not_be_there_are_named_with_who_may_have_written_them() {
    let invariant = Invariant { rows: Rows::None, since: Since::Change, ..declared() };
    let mut made = Made::calm();
    let sql = |sql: &str| OperationStatement {
        sql: sql.to_owned(),
        placeholders: Vec::new(),
        place: None,
    };
    made.scenario.traffic.operations[0].statements = vec![sql("INSERT INTO links VALUES ($1)")];
    let statement = sql("SELECT id FROM links WHERE protocol = 'WMTS'");
    made.scenario.invariants = vec![Invariant { statement, ..invariant }];
    let first = vec!["7f3a".to_owned(), "91bc".to_owned()];
    let (name, digest) = ("spans".to_owned(), "a".to_owned());
    let read = InvariantRead { name, rows: 10, digest, first, error: None };
    made.at(AFTER, Event::Invariant(read.into()));
    let (_, kind, sentence) = only(made);
    assert_eq!(kind, FindingKind::ReadChanged);
    let expected = "the read spans returned 10 rows after it (7f3a; 91bc), and must return none; \
                    between the change and this read the application wrote what it reads by \
                    insert-span 4 times";
    assert_eq!(sentence, expected);
}
