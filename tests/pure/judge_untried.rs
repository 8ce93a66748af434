//! The judge on whether a change was tried at all: it has to be about a table that holds rows, or
//! what the application uses.

use std::collections::BTreeMap;

use pgauntlet::history::{AttemptEnd, Event, TableState, TableStates};
use pgauntlet::scenario::{FindingKind, Meant, Verdict};
use rstest::rstest;

use crate::judge_contents::{Objects, archive, catalogue, changed, found, rows, values};
use crate::made::Made;

/// Tables and their rows, before the change.
fn tables(made: &mut Made, tables: &[(&str, u64)]) {
    let state = |(n, (name, rows)): (usize, &(&str, u64))| {
        let oid = 100 + n as u32;
        (
            (*name).to_owned(),
            TableState { oid, relfilenode: oid, rows: *rows, ..TableState::default() },
        )
    };
    let tables: BTreeMap<String, TableState> = tables.iter().enumerate().map(state).collect();
    for after in [None, Some(0)] {
        let states = TableStates { after, tables: tables.clone() };
        made.at(if after.is_none() { 2 } else { 23_001 }, Event::Tables(Box::new(states)));
    }
}

fn new() -> Objects {
    vec![("table public.a", vec![]), ("table public.b", vec![])]
}
const SPANS: (&str, u64) = ("public.spans", 1_000);

#[rstest]
#[case::only_new_tables("CREATE TABLE a ()", new(), &[SPANS], Some(Verdict::Unproven))]
#[case::a_table_without_rows(
    "ALTER TABLE empty ADD COLUMN c int",
    new(),
    &[SPANS, ("public.empty", 0)],
    Some(Verdict::Unproven)
)]
#[case::a_table_with_rows("ALTER TABLE spans ADD COLUMN c int", new(), &[SPANS], None)]
#[case::a_word_about_a_table_with_rows("COMMENT ON TABLE spans IS 'x'", vec![], &[SPANS], None)]
#[case::nothing_at_all("SELECT 1", vec![], &[SPANS], Some(Verdict::Safe))]
#[case::an_update_that_is_not_counted("UPDATE spans SET a = 1 WHERE false", vec![], &[SPANS], None)]
#[case::an_index_by_its_definition(
    "SELECT make()",
    vec![("index public.i", vec![("definition", "CREATE INDEX i ON public.spans (a)")])],
    &[SPANS],
    None
)]
fn a_change_of_nothing_that_holds_rows_is_unproven(
    #[case] statement: &str,
    #[case] after: Objects,
    #[case] before: &[(&str, u64)],
    #[case] expected: Option<Verdict>,
) {
    let mut made = Made::with_change();
    made.statement(0, 5_000, 5_010, statement, false);
    tables(&mut made, before);
    catalogue(&mut made, None, vec![]);
    catalogue(&mut made, Some(0), after);
    let mut meant = made.clone();
    let judgement = made.judge();
    let finding = found(&judgement, FindingKind::NothingTried);
    assert_eq!(finding.map(|f| f.verdict), expected, "{finding:?}");
    assert_eq!(judgement.verdict, expected.unwrap_or(Verdict::Safe));
    meant.scenario.accept = vec![Meant { no_rows: true, ..Meant::default() }];
    assert_eq!(found(&meant.judge(), FindingKind::NothingTried), None);
}

#[rstest]
#[case::an_index("REINDEX INDEX CONCURRENTLY i", true)]
#[case::the_index_of_a_key("REINDEX INDEX CONCURRENTLY spans_pkey", true)]
#[case::an_index_of_another_table("REINDEX INDEX CONCURRENTLY j", false)]
#[case::a_sequence("ALTER SEQUENCE spans_id_seq RESTART", true)]
#[case::a_sequence_that_numbers_nothing("ALTER SEQUENCE other_seq RESTART", false)]
fn an_index_and_a_sequence_of_a_table_with_rows_are_part_of_it(
    #[case] statement: &str,
    #[case] tried: bool,
) {
    let objects = vec![
        ("index public.i", vec![("definition", "CREATE INDEX i ON public.spans (a)")]),
        ("index public.j", vec![("definition", "CREATE INDEX j ON public.empty (a)")]),
        ("constraint public.spans.spans_pkey", vec![("definition", "PRIMARY KEY (id)")]),
        ("column public.spans.id", vec![("default", "nextval('public.spans_id_seq'::regclass)")]),
    ];
    let mut made = Made::with_change();
    made.statement(0, 5_000, 5_010, statement, false);
    tables(&mut made, &[SPANS, ("public.empty", 0)]);
    catalogue(&mut made, None, objects.clone());
    catalogue(&mut made, Some(0), objects);
    let judgement = made.judge();
    let finding = found(&judgement, FindingKind::NothingTried);
    assert_eq!(finding.is_none(), tried, "{finding:?}");
}

/// A change of these statements, each with the rows that it wrote.
fn wrote(statements: &[(&str, Option<u64>)]) -> Made {
    let mut made = Made::with_change();
    for (at, (text, rows)) in (0..).zip(statements) {
        let from = 5_000 + 20 * u64::from(at);
        made.statement(at, from, from + 10, text, false);
        let ended = made.entries.iter_mut().rev().find_map(|(_, event)| match event {
            Event::StatementEnded(ended) => Some(ended),
            _ => None,
        });
        ended.expect("its end").rows = *rows;
    }
    tables(&mut made, &[SPANS]);
    catalogue(&mut made, None, vec![]);
    catalogue(&mut made, Some(0), vec![]);
    made
}

#[rstest]
#[case::a_delete(&[("DELETE FROM spans WHERE a < 0", Some(0))], true)]
#[case::two(&[("UPDATE spans SET a = 1 WHERE b", Some(0)), ("DELETE FROM spans", Some(0))], true)]
#[case::one_of_two(&[("UPDATE spans SET a = 1", Some(3)), ("DELETE FROM spans", Some(0))], false)]
#[case::beside_a_lock(
    &[("ALTER TABLE spans SET (fillfactor = 90)", None), ("DELETE FROM spans", Some(0))],
    false
)]
fn a_change_whose_statements_find_no_row_is_unproven(
    #[case] statements: &[(&str, Option<u64>)],
    #[case] unproven: bool,
) {
    let made = wrote(statements);
    let judgement = made.judge();
    let finding = found(&judgement, FindingKind::NothingTried);
    assert_eq!(finding.map(|f| f.verdict), unproven.then_some(Verdict::Unproven), "{finding:?}");
    let words = ["writes rows", "found none"];
    let said = words.iter().all(|words| judgement.reason.contains(words));
    assert_eq!(said, unproven, "{}", judgement.reason);
}

#[test]
fn the_reason_says_what_was_made_instead() {
    let mut made = Made::with_change();
    made.statement(0, 5_000, 5_010, "CREATE TABLE a (); CREATE TABLE b ()", false);
    tables(&mut made, &[SPANS]);
    catalogue(&mut made, None, vec![]);
    catalogue(&mut made, Some(0), new());
    let expected = "the change made 2 tables; no table with rows was changed, and nothing that the \
                    application uses";
    assert_eq!(made.judge().reason, expected);
}

#[test]
fn a_change_that_failed_is_told_as_that() {
    let mut made = Made::with_change();
    made.statement(0, 5_000, 5_010, "CREATE TABLE a ()", false);
    tables(&mut made, &[SPANS]);
    catalogue(&mut made, None, vec![]);
    catalogue(&mut made, Some(0), new());
    made.ends(AttemptEnd::DeadlineExceeded);
    assert_eq!(found(&made.judge(), FindingKind::NothingTried), None);
}

#[rstest]
#[case::of_another_table(rows("archiv"), "[[accept]] rows = \"archiv\"")]
#[case::values(values("archive"), "[[accept]] values = \"archive\"")]
#[case::no_rows(Meant { no_rows: true, ..Meant::default() }, "[[accept]] no_rows")]
fn what_is_meant_and_did_not_happen_is_said(#[case] unused: Meant, #[case] words: &str) {
    let mut made = Made::calm();
    made.scenario.accept = vec![rows("archive"), unused];
    tables(&mut made, &[SPANS]);
    changed(&mut made, vec![archive()]);
    let judgement = made.judge();
    let all = judgement.findings.iter().filter(|f| f.kind == FindingKind::AcceptUnused);
    let all: Vec<&str> = all.map(|finding| finding.sentence.as_str()).collect();
    assert_eq!(all, [format!("{words} covers nothing that this trial shows")]);
    assert_eq!(judgement.verdict, Verdict::Safe);
}

type Properties = Vec<(&'static str, &'static str)>;

const TOUCH: &str = "function public.touch()";

/// A function or a type is tried where a table that holds rows has it.
#[rstest]
#[case::a_trigger_calls_it(
    TOUCH,
    "trigger public.spans.t",
    vec![("definition", "CREATE TRIGGER t BEFORE UPDATE ON spans EXECUTE FUNCTION public.touch()")],
    None
)]
#[case::a_default_calls_it(
    TOUCH,
    "column public.spans.at",
    vec![("default", "public.touch()")],
    None
)]
#[case::a_trigger_of_an_empty_table_calls_it(
    TOUCH,
    "trigger public.empty.t",
    vec![("definition", "CREATE TRIGGER t BEFORE UPDATE ON empty EXECUTE FUNCTION public.touch()")],
    Some("nothing here uses function public.touch()")
)]
#[case::another_is_called(
    TOUCH,
    "column public.spans.at",
    vec![("default", "public.retouch()")],
    Some("nothing here uses function public.touch()")
)]
#[case::a_constraint_of_a_columns_domain(
    "constraint public.email.email_check",
    "column public.spans.mail",
    vec![("type", "public.email")],
    None
)]
#[case::a_view_that_nothing_reads(
    "view public.recent",
    "column public.spans.at",
    vec![("type", "date")],
    Some("nothing here uses view public.recent")
)]
fn what_a_table_with_rows_uses_is_tried(
    #[case] changed: &'static str,
    #[case] by: &'static str,
    #[case] of: Properties,
    #[case] said: Option<&str>,
) {
    let mut made = Made::with_change();
    made.statement(0, 5_000, 5_010, "SELECT make()", false);
    tables(&mut made, &[SPANS, ("public.empty", 0)]);
    catalogue(&mut made, None, vec![(by, of.clone()), (changed, vec![("definition", "old")])]);
    catalogue(&mut made, Some(0), vec![(by, of), (changed, vec![("definition", "new")])]);
    let judgement = made.judge();
    let finding = found(&judgement, FindingKind::NothingTried);
    assert_eq!(finding.is_some(), said.is_some(), "{finding:?}");
    if let (Some(finding), Some(said)) = (finding, said) {
        assert_eq!(finding.verdict, Verdict::Unproven);
        assert!(finding.sentence.contains(said), "{}", finding.sentence);
        assert!(finding.remedy.as_ref().is_some_and(|text| text.contains("--app")), "{finding:?}");
    }
}
