//! The judge on starting states and on several runners at once: each history is made by hand and
//! says one thing.

use std::collections::BTreeMap;

use pgauntlet::assess::{self, Against};
use pgauntlet::explain::explain;
use pgauntlet::history::{AttemptEnd, CatalogueSnapshot, ConnectionOpened, Event, Reference};
use pgauntlet::judge::observe;
use pgauntlet::result::{Finding, Judgement};
use pgauntlet::scenario::{Accepted, Expect, FindingKind, State, Verdict};
use pgauntlet::trial::Axis;
use rstest::rstest;

use crate::made::{Made, failed};
use crate::sent::{COMMAND, Sent, by_command, sent};

const FINISHED: AttemptEnd = AttemptEnd::Finished { applied: None };
const ADD_COLUMN: &str = "ALTER TABLE spans ADD COLUMN task_id varchar";
const BUILD: &str = "CREATE INDEX CONCURRENTLY ix ON spans (task_id)";
/// The connection of the second runner.
const SECOND: u32 = 10;

fn found(judgement: &Judgement, kind: FindingKind) -> Vec<&Finding> {
    judgement.findings.iter().filter(|finding| finding.kind == kind).collect()
}

fn sentences(judgement: &Judgement, kind: FindingKind) -> Vec<&str> {
    found(judgement, kind).into_iter().map(|finding| finding.sentence.as_str()).collect()
}

/// An object, one of its properties, and its value.
type Row<'a> = (&'a str, &'a str, &'a str);

fn objects(rows: &[Row<'_>]) -> BTreeMap<String, BTreeMap<String, String>> {
    let mut objects: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for (object, property, value) in rows {
        let properties = objects.entry((*object).to_owned()).or_default();
        properties.insert((*property).to_owned(), (*value).to_owned());
    }
    objects
}

const COLUMN: &str = "column public.spans.task_id";
const NULLABLE: Row<'_> = (COLUMN, "nullable", "true");
const TYPE: Row<'_> = (COLUMN, "type", "text");
const INDEX: Row<'_> = ("index public.ix", "columns", "task_id");
const REFERENCE: &[Row<'_>] = &[NULLABLE, TYPE, INDEX];

/// A change from the state `fresh` that ends with these; the reference state is `base`.
fn from_fresh(left: &[Row<'_>], versions: &[&str]) -> Made {
    let mut made = by_command(1);
    sent(0, 5_000, 5_010, BUILD).add_to(&mut made);
    let fresh = State { name: "fresh".to_owned(), ..State::base() };
    made.scenario.states = vec![State::base(), fresh];
    ends_with(&mut made, left, versions);
    let (state, versions) = ("base".to_owned(), vec!["2".to_owned()]);
    let tables = BTreeMap::new();
    let (objects, grown) = (objects(REFERENCE), BTreeMap::new());
    let reference = Reference { state, objects, versions, tables, grown };
    made.at(23_020, Event::Reference(reference.into()));
    made
}

fn ends_with(made: &mut Made, left: &[Row<'_>], versions: &[&str]) {
    let versions = versions.iter().map(|version| (*version).to_owned()).collect();
    let snapshot = CatalogueSnapshot { after: Some(0), objects: objects(left), versions };
    made.at(19_500, Event::Catalogue(snapshot));
}

fn accepting(mut made: Made, accepted: &[&str]) -> Made {
    let accepted = accepted.iter().map(|text| Accepted::parse(text).expect("KIND NAME"));
    made.scenario.states[1].accept = accepted.collect();
    made
}

fn judged(made: Made) -> Judgement {
    judged_from(made, "fresh")
}

fn judged_from(made: Made, state: &str) -> Judgement {
    let scenario = made.scenario.clone();
    let mut history = made.history();
    history.header.trial.key = history.header.trial.key.with(Axis::STATE, state);
    explain(assess::trial(&scenario, observe(&scenario, &history), Against::Nothing))
}

#[test]
fn a_state_that_ends_as_the_reference_does_is_safe() {
    let judgement = judged(from_fresh(REFERENCE, &["2"]));
    assert_eq!((judgement.findings.as_slice(), judgement.verdict), (&[][..], Verdict::Safe));
    assert!(judgement.as_expected, "{:?}", judgement.mismatches);
}

#[rstest]
#[case::an_object_less(
    &[NULLABLE, TYPE],
    &["2"],
    "from fresh the change ends with another schema than from base: index public.ix: is gone (was \
     columns: task_id)"
)]
#[case::two_other_properties(
    &[(COLUMN, "nullable", "false"), (COLUMN, "type", "uuid"), INDEX],
    &["2"],
    "from fresh the change ends with another schema than from base: column public.spans.task_id: \
     nullable was true, is false, and 1 more difference"
)]
#[case::three_differences(
    &[(COLUMN, "nullable", "false"), (COLUMN, "type", "uuid")],
    &["2"],
    "from fresh the change ends with another schema than from base: column public.spans.task_id: \
     nullable was true, is false, and 2 more differences"
)]
#[case::versions(
    REFERENCE,
    &["2", "2"],
    "from fresh the change ends with the versions 2, 2, from base with 2"
)]
#[case::no_version(
    REFERENCE,
    &[],
    "from fresh the change ends with the versions none, from base with 2"
)]
fn a_state_that_ends_otherwise_diverges(
    #[case] left: &[Row<'_>],
    #[case] versions: &[&str],
    #[case] sentence: &str,
) {
    let judgement = judged(from_fresh(left, versions));
    assert_eq!(sentences(&judgement, FindingKind::Diverged), [sentence]);
    assert_eq!(judgement.verdict, Verdict::Unsafe);
}

#[test]
fn schema_and_versions_are_told_apart() {
    let judgement = judged(from_fresh(&[INDEX], &["1"]));
    assert_eq!(found(&judgement, FindingKind::Diverged).len(), 2);
}

#[rstest]
#[case::of_the_index(
    &[NULLABLE, TYPE, ("index public.ix", "columns", "trace_id")],
    "relation \"ix\" already exists, skipping",
    true
)]
#[case::of_the_column(
    &[NULLABLE, (COLUMN, "type", "uuid"), INDEX],
    "column \"task_id\" of relation \"spans\" already exists, skipping",
    true
)]
#[case::of_another_name(
    &[NULLABLE, TYPE, ("index public.ix", "columns", "trace_id")],
    "relation \"ix_other\" already exists, skipping",
    false
)]
#[case::of_a_column_of_the_table(
    &[NULLABLE, TYPE, INDEX, ("table public.spans", "persistence", "unlogged")],
    "column \"task_id\" of relation \"spans\" already exists, skipping",
    false
)]
#[case::of_nothing_that_was_there(
    &[NULLABLE, TYPE],
    "relation \"ix\" does not exist, skipping",
    false
)]
fn what_was_skipped_for_its_name_is_told_with_the_servers_notice(
    #[case] left: &[Row<'_>],
    #[case] notice: &str,
    #[case] expected: bool,
) {
    let mut made = from_fresh(left, &["2"]);
    sent(1, 5_020, 5_030, "CREATE INDEX IF NOT EXISTS ix ON spans (task_id)")
        .notices(notice)
        .add_to(&mut made);
    let judgement = judged(made);
    let told = sentences(&judgement, FindingKind::Diverged);
    let words =
        format!("; the name was there already, and that was taken for the object ({notice})");
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].ends_with(&words), expected, "{told:?}");
}

/// Another type, and no index.
const OTHER: &[Row<'_>] = &[NULLABLE, (COLUMN, "type", "uuid")];

#[rstest]
#[case::both(&["column public.spans.task_id", "index public.ix"], &[])]
#[case::by_their_properties(&["column public.spans.task_id: type", "index public.ix: object"], &[])]
#[case::one(&["index public.ix"], &["column public.spans.task_id: type was text, is uuid"])]
#[case::another_property(
    &["column public.spans.task_id: nullable", "index public.ix"],
    &["column public.spans.task_id: type was text, is uuid"]
)]
#[case::another_object(
    &["column public.spans.task_id", "index public.ix2"],
    &["index public.ix: is gone (was columns: task_id)"]
)]
fn a_difference_that_is_accepted_is_none(#[case] accepted: &[&str], #[case] told: &[&str]) {
    let judgement = judged(accepting(from_fresh(OTHER, &["2"]), accepted));
    let sentences = sentences(&judgement, FindingKind::Diverged);
    assert_eq!(sentences.len(), told.len(), "{sentences:?}");
    for (sentence, difference) in sentences.iter().zip(told) {
        assert!(sentence.ends_with(difference), "{sentence}");
    }
}

#[test]
fn other_versions_cannot_be_accepted() {
    let judgement = judged(accepting(from_fresh(OTHER, &["1"]), &["index public.ix"]));
    assert_eq!(found(&judgement, FindingKind::Diverged).len(), 2);
}

#[rstest]
#[case::an_object("index public.ix2")]
#[case::a_property("column public.spans.task_id: nullable")]
fn a_difference_that_is_accepted_and_does_not_occur_is_a_mismatch(#[case] unused: &str) {
    let accepted = ["column public.spans.task_id: type", "index public.ix", unused];
    let judgement = judged(accepting(from_fresh(OTHER, &["2"]), &accepted));
    let expected = format!("the difference `{unused}` is accepted from fresh and does not occur");
    assert_eq!(judgement.mismatches, [expected]);
    assert_eq!((judgement.verdict, judgement.as_expected), (Verdict::Safe, false));
}

#[test]
fn what_one_state_accepts_no_other_one_does() {
    let made = accepting(from_fresh(OTHER, &["2"]), &["column public.spans.task_id"]);
    let judgement = judged_from(made, "base");
    let told = sentences(&judgement, FindingKind::Diverged);
    assert!(told[0].ends_with("type was text, is uuid, and 1 more difference"), "{told:?}");
    assert!(!judgement.mismatches.iter().any(|m| m.contains("accepted")));
}

#[test]
fn of_a_change_that_never_finished_the_end_is_not_compared() {
    let unfinished = |mut made: Made| {
        made.ends(failed("42P07", "relation exists"));
        made
    };
    let made = accepting(from_fresh(OTHER, &["1"]), &["index public.ix2"]);
    let judgement = judged(unfinished(made.clone()));
    assert_eq!(found(&judgement, FindingKind::Diverged), [] as [&Finding; 0]);
    assert!(!judgement.mismatches.iter().any(|m| m.contains("accepted")));
    let mut finished_later = unfinished(made);
    finished_later.rerun(FINISHED);
    assert_eq!(found(&judged(finished_later), FindingKind::Diverged).len(), 2);
}

#[test]
fn without_a_reference_there_is_nothing_to_diverge_from() {
    let mut made = by_command(1);
    sent(0, 5_000, 5_010, BUILD).add_to(&mut made);
    ends_with(&mut made, OTHER, &["1"]);
    assert_eq!(judged(made).verdict, Verdict::Safe);
}

#[test]
fn a_state_is_held_against_its_own_expectation() {
    let expect = Expect {
        verdict: vec![Verdict::Unsafe],
        findings: vec![FindingKind::Diverged],
        absent: Vec::new(),
    };
    let with_its_own = |mut made: Made| {
        made.scenario.states[1].expect = Some(expect.clone());
        made
    };
    assert!(!judged(from_fresh(OTHER, &["2"])).as_expected);
    assert!(judged(with_its_own(from_fresh(OTHER, &["2"]))).as_expected);
    let calm = judged(with_its_own(from_fresh(REFERENCE, &["2"])));
    let expected = ["the verdict is safe, expected unsafe", "diverged was expected and not found"];
    assert_eq!(calm.mismatches, expected);
    assert!(judged_from(with_its_own(from_fresh(REFERENCE, &["2"])), "base").as_expected);
}

/// Two runners at once; the second one ends like this.
fn two_runners(statements: Vec<Sent>, second: AttemptEnd) -> Made {
    let mut made = by_command(1);
    made.scenario.change.runners = 2;
    let (session, application_name) = ((COMMAND + SECOND as i32).into(), "migrate".to_owned());
    let opened = ConnectionOpened {
        attempt: 1,
        connection: SECOND,
        session,
        application_name,
        settings: Vec::new(),
    };
    made.at(5_000, Event::ConnectionOpened(opened));
    statements.into_iter().for_each(|statement| statement.add_to(&mut made));
    made.rerun(second);
    made
}

/// Of the first runner, and of the second one.
fn first(statement: u32, at: u64, text: &str) -> Sent {
    sent(statement, at, at + 10, text)
}

fn second(statement: u32, at: u64, text: &str) -> Sent {
    first(statement, at, text).on(SECOND).of_attempt(1)
}

/// BEGIN, the column, COMMIT; the last answers with the tag.
fn transaction(of: fn(u32, u64, &str) -> Sent, tag: &str) -> Vec<Sent> {
    vec![
        of(0, 5_000, "BEGIN").status("it"),
        of(1, 5_020, ADD_COLUMN).inside(),
        of(2, 5_040, "COMMIT").status("ti").tag(tag),
    ]
}

const SKIP_SECOND: &str = "relation \"ix\" already exists, skipping";
const BUILD_ONCE: &str = "CREATE INDEX IF NOT EXISTS ix ON spans (task_id)";

#[rstest]
#[case::both_by_themselves(vec![first(0, 5_000, BUILD), second(0, 5_500, BUILD)], true)]
#[case::both_committed(
    [transaction(first, "COMMIT"), transaction(second, "COMMIT")].concat(),
    true
)]
#[case::one_rolled_back(
    [transaction(first, "COMMIT"), transaction(second, "ROLLBACK")].concat(),
    false
)]
#[case::one_never_committed(
    [transaction(first, "COMMIT"), transaction(second, "").drain(..2).collect()].concat(),
    false
)]
#[case::one_failed(
    vec![first(0, 5_000, BUILD), second(0, 5_500, BUILD).fails("42P07", "relation exists")],
    false
)]
#[case::one_skipped(
    vec![first(0, 5_000, BUILD_ONCE), second(0, 5_500, BUILD_ONCE).notices(SKIP_SECOND)],
    false
)]
#[case::rows_twice(
    vec![
        first(0, 5_000, "UPDATE spans SET task_id = trace_id"),
        second(0, 5_500, "UPDATE spans SET task_id = trace_id"),
    ],
    true
)]
#[case::other_work(vec![first(0, 5_000, BUILD), second(0, 5_500, ADD_COLUMN)], false)]
#[case::one_runner_twice(vec![first(0, 5_000, BUILD), first(1, 5_500, BUILD)], false)]
fn runners_overlap_in_what_both_of_them_committed(
    #[case] statements: Vec<Sent>,
    #[case] expected: bool,
) {
    let judgement = two_runners(statements, FINISHED).judge();
    let overlap = found(&judgement, FindingKind::RunnersOverlap);
    assert_eq!(overlap.len(), usize::from(expected), "{:?}", judgement.findings);
    assert!(overlap.iter().all(|overlap| overlap.verdict == Verdict::Unsafe));
}

#[test]
fn an_overlap_is_told_with_its_first_statement_and_a_remedy() {
    let statements = vec![
        first(0, 5_000, ADD_COLUMN),
        first(1, 5_100, BUILD),
        second(0, 5_500, ADD_COLUMN),
        second(1, 5_600, BUILD),
    ];
    let judgement = two_runners(statements, FINISHED).judge();
    let overlap = found(&judgement, FindingKind::RunnersOverlap);
    let expected = format!(
        "2 statements of 2 runners at once did the same work, first {ADD_COLUMN}: nothing keeps a \
         second one out"
    );
    assert_eq!(overlap[0].sentence, expected);
    assert!(overlap[0].remedy.as_ref().is_some_and(|r| r.contains("pg_try_advisory_lock")));
}

#[test]
fn a_rerun_of_one_runner_overlaps_with_nothing() {
    let mut made = two_runners(vec![first(0, 5_000, BUILD), second(0, 22_012, BUILD)], FINISHED);
    assert_eq!(found(&made.clone().judge(), FindingKind::RunnersOverlap).len(), 1);
    made.scenario.change.runners = 1;
    assert_eq!(found(&made.judge(), FindingKind::RunnersOverlap).len(), 0);
}

#[rstest]
#[case::in_a_statement(
    vec![first(0, 5_000, BUILD), second(0, 5_000, "SELECT 1"), second(1, 5_500, BUILD)],
    "runner 2 did not come to its end within 60.00 s, the last it sent being CREATE INDEX \
     CONCURRENTLY ix ON spans (task_id)"
)]
#[case::before_any(
    vec![first(0, 5_000, BUILD)],
    "runner 2 did not come to its end within 60.00 s"
)]
fn a_runner_that_never_ends_is_told_with_its_last_statement(
    #[case] statements: Vec<Sent>,
    #[case] sentence: &str,
) {
    let judgement = two_runners(statements, AttemptEnd::DeadlineExceeded).judge();
    assert_eq!(sentences(&judgement, FindingKind::RunnerHung), [sentence]);
    assert_eq!(judgement.verdict, Verdict::Unsafe);
}

#[rstest]
#[case::the_first(first(0, 5_000, BUILD))]
#[case::the_second(second(0, 5_000, BUILD))]
fn the_change_is_reached_whichever_runner_comes_first(#[case] statement: Sent) {
    let judgement = two_runners(vec![statement], FINISHED).judge();
    assert!(found(&judgement, FindingKind::NotReached).is_empty(), "{:?}", judgement.findings);
}

#[test]
fn runners_that_come_to_their_ends_do_not_hang() {
    let judgement = two_runners(vec![first(0, 5_000, BUILD)], FINISHED).judge();
    assert_eq!(judgement.findings, []);
}

#[test]
fn a_runner_that_waits_for_a_lock_of_another_is_told_with_mode_and_relation() {
    let mut made = two_runners(vec![first(0, 5_000, BUILD), second(0, 5_000, BUILD)], FINISHED);
    made.blocked_pid(COMMAND + SECOND as i32, 5_100, 5_200, &[COMMAND]);
    made.blocked_pid(COMMAND + SECOND as i32, 6_000, 6_510, &[COMMAND]);
    let judgement = made.judge();
    let waited = found(&judgement, FindingKind::RunnerWaited);
    assert_eq!(waited.len(), 1);
    let expected = "runner 2 waited 500 ms for runner 1: RowExclusiveLock on spans";
    assert_eq!((waited[0].sentence.as_str(), waited[0].verdict), (expected, Verdict::Safe));
}

#[test]
fn a_runner_that_waits_for_the_application_waits_for_no_runner() {
    let mut made = two_runners(vec![first(0, 5_000, BUILD), second(0, 5_000, BUILD)], FINISHED);
    made.blocked_pid(COMMAND + SECOND as i32, 5_100, 5_200, &[crate::made::APP]);
    made.blocked_pid(COMMAND, 6_100, 6_200, &[COMMAND]);
    assert_eq!(found(&made.judge(), FindingKind::RunnerWaited).len(), 0);
}

const TRY: &str = "SELECT pg_try_advisory_lock(4711)";

#[rstest]
#[case::three_times(
    vec![second(0, 5_000, TRY), second(1, 5_500, TRY), second(2, 6_000, TRY)],
    &["runner 2 waited 1.00 s for the advisory lock that another one held"]
)]
#[case::got_it_at_once(vec![second(0, 5_000, TRY)], &[])]
#[case::never(vec![second(0, 5_000, "SELECT 1"), second(1, 5_500, "SELECT 1")], &[])]
fn a_runner_that_polls_for_the_runners_lock_has_waited(
    #[case] statements: Vec<Sent>,
    #[case] told: &[&str],
) {
    let mut all = vec![first(0, 4_999, TRY), first(1, 5_020, BUILD)];
    all.extend(statements);
    let judgement = two_runners(all, FINISHED).judge();
    assert_eq!(sentences(&judgement, FindingKind::RunnerWaited), told);
    assert_eq!(judgement.verdict, Verdict::Safe);
}

#[test]
fn what_fails_is_told_with_its_runner_or_its_rerun() {
    let fails = |of: Sent| of.fails("42P07", "relation exists");
    let end = || failed("42P07", "relation exists");
    let told = |mut made: Made, runners: u32| {
        made.scenario.change.runners = runners;
        let judgement = made.judge();
        let sentences = sentences(&judgement, FindingKind::ChangeFailed);
        sentences.first().map(|sentence| (*sentence).to_owned())
    };
    let second_fails =
        || two_runners(vec![first(0, 5_000, ADD_COLUMN), fails(second(0, 5_500, BUILD))], end());
    let words =
        |who: &str| Some(format!("{BUILD} failed{who}: relation exists (42P07 duplicate_table)"));
    assert_eq!(told(second_fails(), 2), words(" (runner 2)"));
    assert_eq!(told(second_fails(), 1), words(" (rerun 1)"));
    let first_fails = || {
        let mut made = two_runners(vec![fails(first(0, 5_000, BUILD))], FINISHED);
        made.ends(end());
        made
    };
    assert_eq!(told(first_fails(), 2), words(" (runner 1)"));
    assert_eq!(told(first_fails(), 1), words(""));
}
