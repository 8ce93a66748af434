//! The judge on what the server puts into rows from now on, and on failures that are of the trial
//! alone: each history is made by hand.

use pgauntlet::result::{Finding, Judgement};
use pgauntlet::scenario::{FindingKind, OperationStatement, RunsAs, Verdict};
use rstest::rstest;

use crate::judge_contents::{Objects, catalogue};
use crate::made::Made;

const MADE_AT: &str = "column public.spans.made_at";
const TOUCH: &str = "trigger public.spans.touch";
const TABLE: &str = "table public.spans";

fn found(judgement: &Judgement, kind: FindingKind) -> Option<&Finding> {
    judgement.findings.iter().find(|finding| finding.kind == kind)
}

/// A change that leaves the catalogue so, beside an application that inserts what it names.
fn changed(insert: &str, before: Objects, after: Objects, statement: &str) -> Judgement {
    let mut made = Made::with_change();
    made.statement(0, 5_000, 5_010, statement, false);
    let statement =
        OperationStatement { sql: insert.to_owned(), placeholders: Vec::new(), place: None };
    made.scenario.traffic.operations[0].statements = vec![statement];
    catalogue(&mut made, None, before);
    catalogue(&mut made, Some(0), after);
    made.judge()
}

const INSERT: &str = "INSERT INTO spans (id) VALUES ($1)";

#[rstest]
#[case::the_default_is_gone(INSERT, &[("default", "now()")], &[], Some(Verdict::Unsafe))]
#[case::it_is_generated_no_more(
    INSERT, &[("generated", "stored: a * b")], &[], Some(Verdict::Unsafe)
)]
#[case::another_default(
    INSERT, &[("default", "now()")], &[("default", "'-infinity'")], Some(Verdict::Safe)
)]
#[case::an_identity_in_its_place(
    INSERT, &[("default", "nextval('s')")], &[("identity", "always")], None
)]
#[case::the_application_sends_it(
    "INSERT INTO spans (id, made_at) VALUES ($1, $2)", &[("default", "now()")], &[], None
)]
#[case::into_another_table(
    "INSERT INTO traces (id) VALUES ($1)", &[("default", "now()")], &[], None
)]
fn a_column_that_the_application_leaves_to_the_server_keeps_its_value(
    #[case] insert: &str,
    #[case] before: &[(&'static str, &'static str)],
    #[case] after: &[(&'static str, &'static str)],
    #[case] expected: Option<Verdict>,
) {
    let of = |properties: &[(&'static str, &'static str)]| {
        let typed = properties.iter().copied().chain([("type", "timestamptz")]);
        vec![(MADE_AT, typed.collect()), (TABLE, vec![("kind", "table")])]
    };
    let judgement = changed(insert, of(before), of(after), "ALTER TABLE spans");
    let finding = found(&judgement, FindingKind::NewRowsDiffer);
    assert_eq!(finding.map(|f| f.verdict), expected, "{finding:?}");
    assert!(finding.is_none_or(|f| f.sentence.contains("made_at")), "{finding:?}");
}

#[test]
fn what_a_new_trigger_may_fill_is_unproven() {
    let before = vec![(MADE_AT, vec![("default", "now()"), ("type", "timestamptz")])];
    let after = vec![
        (MADE_AT, vec![("type", "timestamptz")]),
        (TOUCH, vec![("definition", "CREATE TRIGGER touch")]),
    ];
    let judgement = changed(INSERT, before, after, "ALTER TABLE spans");
    let finding = found(&judgement, FindingKind::NewRowsDiffer).expect("a finding");
    assert_eq!(finding.verdict, Verdict::Unproven);
}

#[test]
fn a_trigger_whose_function_is_another_one_is_told() {
    let trigger = ("definition", "CREATE TRIGGER touch EXECUTE FUNCTION touch_it()");
    let of = |body| {
        vec![(TOUCH, vec![trigger]), ("function public.touch_it()", vec![("definition", body)])]
    };
    let judgement = changed(INSERT, of("one"), of("two"), "CREATE OR REPLACE FUNCTION touch_it");
    let finding = found(&judgement, FindingKind::NewRowsDiffer).expect("a finding");
    assert_eq!(finding.verdict, Verdict::Safe);
    assert!(finding.sentence.contains("touch is not what it was"), "{}", finding.sentence);
}

#[rstest]
#[case::switched_off(
    &[("row level security", "true")], &[("row level security", "false")], None,
    Some(Verdict::Unproven)
)]
#[case::one_more_policy(
    &[("row level security", "true")],
    &[("row level security", "true")],
    Some(("permissive", "true")),
    Some(Verdict::Safe)
)]
#[case::one_that_restricts(
    &[("row level security", "true")],
    &[("row level security", "true")],
    Some(("permissive", "false")),
    None
)]
#[case::it_was_off(
    &[("row level security", "false")],
    &[("row level security", "false")],
    Some(("permissive", "true")),
    None
)]
fn policies_that_let_more_rows_be_seen_are_told(
    #[case] before: &[(&'static str, &'static str)],
    #[case] after: &[(&'static str, &'static str)],
    #[case] policy: Option<(&'static str, &'static str)>,
    #[case] expected: Option<Verdict>,
) {
    let mut objects = vec![(TABLE, after.to_vec())];
    objects.extend(policy.map(|of| ("policy public.spans.p", vec![of])));
    let statement = "ALTER TABLE spans DISABLE ROW LEVEL SECURITY";
    let judgement = changed(INSERT, vec![(TABLE, before.to_vec())], objects, statement);
    let finding = found(&judgement, FindingKind::AccessChanged);
    assert_eq!(finding.map(|f| f.verdict), expected, "{finding:?}");
}

#[test]
fn a_trigger_that_fires_on_replicas_alone_is_unsafe() {
    let of = |enabled| vec![(TOUCH, vec![("definition", "d"), ("enabled", enabled)])];
    let statement = "ALTER TABLE spans ENABLE REPLICA TRIGGER touch";
    let judgement = changed(INSERT, of("origin"), of("replica"), statement);
    let finding = found(&judgement, FindingKind::AccessChanged).expect("a finding");
    assert_eq!(finding.verdict, Verdict::Unsafe);
}

const NULLS: &str = "column \"note\" of relation \"spans\" contains null values";

#[rstest]
#[case::a_key_that_rows_break(
    "23505",
    "could not create unique index \"i\"",
    true,
    true,
    "were made up"
)]
#[case::of_declared_rows("23505", "could not create unique index \"i\"", false, true, "")]
#[case::a_text_that_is_no_number(
    "22P02",
    "invalid input syntax for type integer: \"b\"",
    true,
    true,
    "were made up"
)]
#[case::a_column_that_was_there("23502", NULLS, true, true, "were made up")]
#[case::a_column_that_is_new("23502", NULLS, true, false, "")]
#[case::an_extension(
    "0A000",
    "extension \"vector\" is not available",
    false,
    true,
    "the server of the trial lacks"
)]
#[case::a_collation(
    "42704",
    "collation \"de_DE\" for encoding \"UTF8\" does not exist",
    false,
    true,
    "lacks"
)]
#[case::a_table("42P01", "relation \"t\" does not exist", true, true, "")]
fn a_failure_that_is_of_the_trial_alone_proves_nothing(
    #[case] code: &str,
    #[case] message: &str,
    #[case] whole: bool,
    #[case] was_there: bool,
    #[case] doubt: &str,
) {
    let mut made = Made::with_change();
    made.scenario.whole = whole;
    made.attempt_fails(code, message);
    let column = ("column public.spans.note", vec![("type", "text")]);
    catalogue(&mut made, None, if was_there { vec![column] } else { vec![] });
    let judgement = made.judge();
    let finding = found(&judgement, FindingKind::ChangeFailed).expect("a finding");
    let expected = if doubt.is_empty() { Verdict::Unsafe } else { Verdict::Unproven };
    assert_eq!(judgement.verdict, expected, "{:?}", judgement.findings);
    assert!(finding.sentence.contains(doubt), "{}", finding.sentence);
}

#[rstest]
#[case::of_ours(RunsAs::Migrator, Verdict::Unproven)]
#[case::of_the_schemas(RunsAs::Role("app_owner".to_owned()), Verdict::Unsafe)]
fn a_right_that_the_role_lacks_counts_where_it_was_named(
    #[case] runs_as: RunsAs,
    #[case] expected: Verdict,
) {
    let mut made = Made::with_change();
    made.scenario.change.runs_as = runs_as;
    made.attempt_fails("42501", "must be owner of extension citext");
    assert_eq!(made.judge().verdict, expected);
}
