//! The judge on what a change did to rows, to privileges, and whether it was tried at all: each
//! history is made by hand and says one thing.

use std::collections::BTreeMap;

use pgauntlet::history::{
    CatalogueSnapshot, ColumnChange, ContentsChange, DroppedColumn, Event, Orphans, SequenceBehind,
    SequenceEnding, TableChange, ValueExample,
};
use pgauntlet::result::{Finding, Judgement};
use pgauntlet::scenario::{Accepted, FindingKind, Meant, OperationStatement, Verdict};
use rstest::rstest;

use crate::made::Made;

pub fn found(judgement: &Judgement, kind: FindingKind) -> Option<&Finding> {
    judgement.findings.iter().find(|finding| finding.kind == kind)
}

pub fn changed(made: &mut Made, tables: Vec<TableChange>) {
    let change = ContentsChange { tables, ..ContentsChange::default() };
    made.at(23_050, Event::ContentsChange(Box::new(change)));
}

pub fn archive() -> TableChange {
    TableChange {
        table: "public.archive".to_owned(),
        now: Some("public.archive".to_owned()),
        rows_before: 20_000,
        rows_after: 0,
        gone: 20_000,
        gone_keys: vec!["1".to_owned(), "2".to_owned()],
        ..TableChange::default()
    }
}

pub fn rows(table: &str) -> Meant {
    Meant { rows: Some(table.to_owned()), ..Meant::default() }
}

pub fn values(of: &str) -> Meant {
    Meant { values: Some(of.to_owned()), ..Meant::default() }
}

#[rstest]
#[case::nothing_says_so(archive(), None, Verdict::Unsafe)]
#[case::another_table_is_meant(archive(), Some(rows("orders")), Verdict::Unsafe)]
#[case::meant(archive(), Some(rows("archive")), Verdict::Safe)]
#[case::the_table_is_gone(
    TableChange { now: None, ..archive() }, None, Verdict::Unsafe
)]
#[case::a_dropped_table_is_meant(
    TableChange { now: None, ..archive() }, Some(rows("public.archive")), Verdict::Safe
)]
#[case::the_application_deletes_and_the_change_does_not(
    TableChange { application_deletes: true, ..archive() }, None, Verdict::Safe
)]
#[case::rows_that_were_added(
    TableChange { gone: 0, added: 5, ..archive() }, None, Verdict::Safe
)]
fn rows_that_are_gone_are_unsafe_unless_they_may_go(
    #[case] table: TableChange,
    #[case] meant: Option<Meant>,
    #[case] verdict: Verdict,
) {
    let mut made = Made::calm();
    made.scenario.accept = meant.into_iter().collect();
    changed(&mut made, vec![table]);
    let judgement = made.judge();
    assert_eq!(judgement.verdict, verdict, "{:?}", judgement.findings);
    let finding = found(&judgement, FindingKind::RowsGone);
    assert_eq!(finding.is_some(), verdict == Verdict::Unsafe);
}

/// More rows than the application has operations.
const MANY: u64 = 1_000_000;
const SPOILS: &str = "UPDATE links SET protocol = ''";

/// The application updates the column too, in rows of which no ledger knows.
#[rstest]
#[case::the_change_writes_it(SPOILS, MANY, None, Some(Verdict::Unproven))]
#[case::as_many_as_the_application_may(SPOILS, 7, None, Some(Verdict::Safe))]
#[case::a_block_may("DO $$ BEGIN EXECUTE build(); END $$", MANY, None, Some(Verdict::Unproven))]
#[case::it_is_meant(SPOILS, MANY, Some(values("links.protocol")), None)]
#[case::the_change_writes_another("UPDATE links SET note = ''", MANY, None, None)]
#[case::the_change_writes_another_table("UPDATE spans SET protocol = ''", MANY, None, None)]
fn values_that_both_may_have_written_are_unproven(
    #[case] statement: &str,
    #[case] rows: u64,
    #[case] meant: Option<Meant>,
    #[case] verdict: Option<Verdict>,
) {
    let mut made = Made::with_change();
    made.statement(0, 5_000, 5_010, statement, false);
    made.scenario.accept = meant.into_iter().collect();
    let application_updates = relabelled(rows, 0).columns;
    let table = TableChange { application_updates, columns: Vec::new(), ..relabelled(0, 0) };
    changed(&mut made, vec![table]);
    let judgement = made.judge();
    assert_eq!(judgement.verdict, verdict.unwrap_or(Verdict::Safe), "{:?}", judgement.findings);
    let finding = found(&judgement, FindingKind::ValuesChanged);
    assert_eq!(finding.map(|finding| finding.verdict), verdict, "{finding:?}");
}

#[test]
fn the_sentence_says_which_rows_are_gone() {
    let mut made = Made::calm();
    changed(&mut made, vec![archive()]);
    let expected = "20,000 of 20,000 rows of public.archive are gone after the change, such as 1, \
                    2, and the application removed none of them";
    assert_eq!(made.judge().reason, expected);
}

#[test]
fn what_both_delete_is_the_change_s_as_far_as_is_known() {
    let mut made = Made::with_change();
    made.statement(0, 5_000, 5_010, "DELETE FROM archive WHERE old", false);
    changed(&mut made, vec![TableChange { application_deletes: true, ..archive() }]);
    let judgement = made.judge();
    assert_eq!(judgement.verdict, Verdict::Unproven);
    let gone = found(&judgement, FindingKind::RowsGone).expect("a finding");
    assert!(gone.sentence.ends_with("no ledger tells which"), "{}", gone.sentence);
}

fn relabelled(changed: u64, filled: u64) -> TableChange {
    let example = ValueExample {
        key: Some("7".to_owned()),
        before: Some("WMTS".to_owned()),
        after: Some("OGC:WMTS".to_owned()),
    };
    let column = "protocol".to_owned();
    let example = (changed > 0).then_some(example);
    TableChange {
        table: "public.links".to_owned(),
        now: Some("public.links".to_owned()),
        rows_before: 9,
        rows_after: 9,
        columns: vec![ColumnChange { column, changed, filled, example }],
        ..TableChange::default()
    }
}

#[rstest]
#[case::nothing_says_so(4, None, Verdict::Unsafe)]
#[case::no_value_was_there(0, None, Verdict::Safe)]
#[case::another_column_is_meant(4, Some(values("links.id")), Verdict::Unsafe)]
#[case::the_column_is_meant(4, Some(values("links.protocol")), Verdict::Safe)]
#[case::the_table_is_meant(4, Some(values("public.links")), Verdict::Safe)]
fn values_that_are_others_are_unsafe_unless_they_may_be(
    #[case] rows: u64,
    #[case] meant: Option<Meant>,
    #[case] verdict: Verdict,
) {
    let mut made = Made::calm();
    made.scenario.accept = meant.into_iter().collect();
    changed(&mut made, vec![relabelled(rows, 3)]);
    let judgement = made.judge();
    assert_eq!(judgement.verdict, verdict);
    if verdict == Verdict::Unsafe {
        let expected = "values of public.links that were there before the change are others after \
                        it: protocol in 4 rows (row 7: \"WMTS\" became \"OGC:WMTS\") (of 9 rows)";
        assert_eq!(judgement.reason, expected);
    }
}

#[test]
fn orphans_and_sequences_behind_are_unsafe() {
    let mut made = Made::calm();
    let orphans = Orphans {
        table: "public.child".to_owned(),
        constraint: "fk".to_owned(),
        refers_to: "public.parent".to_owned(),
        rows: 10,
        before: 2,
    };
    let behind = SequenceBehind {
        table: "public.shares".to_owned(),
        column: "id".to_owned(),
        sequence: "public.shares_new_id_seq".to_owned(),
        next: "1".to_owned(),
        reached: "500000".to_owned(),
    };
    let (orphans, sequences) = (vec![orphans], vec![behind]);
    let change = ContentsChange { orphans, sequences, ..ContentsChange::default() };
    made.at(23_050, Event::ContentsChange(Box::new(change)));
    let judgement = made.judge();
    assert_eq!(judgement.verdict, Verdict::Unsafe);
    let sentence = |kind| found(&judgement, kind).map(|f| f.sentence.as_str());
    let orphans = "10 rows of public.child refer to no row of public.parent (2 before the change), \
                   although the foreign key fk is said to be valid";
    assert_eq!(sentence(FindingKind::Orphans), Some(orphans));
    let behind = "public.shares_new_id_seq returns 1 next, and id of public.shares has reached \
                  500000: an insert that lets the database number the row collides";
    assert_eq!(sentence(FindingKind::SequenceBehind), Some(behind));
}

#[rstest]
#[case::next_to_none(40, Some(2_000_000_000), true)]
#[case::another_one(40, None, true)]
#[case::few_before_it_too(40, Some(60), false)]
#[case::enough(900_000_000, Some(2_000_000_000), false)]
fn a_sequence_that_ends_soon_is_unsafe(
    #[case] left: u64,
    #[case] before: Option<u64>,
    #[case] expected: bool,
) {
    let mut made = Made::calm();
    let (table, sequence) = ("public.t".to_owned(), "public.t_id_seq".to_owned());
    let endings = vec![SequenceEnding { table, sequence, left, before, begins_again: false }];
    let change = ContentsChange { endings, ..ContentsChange::default() };
    made.at(23_050, Event::ContentsChange(Box::new(change)));
    let judgement = made.judge();
    let finding = found(&judgement, FindingKind::SequenceEnds);
    assert_eq!(finding.is_some(), expected);
    assert!(finding.is_none_or(|f| f.sentence.contains("40 values left")), "{finding:?}");
}

pub type Objects = Vec<(&'static str, Vec<(&'static str, &'static str)>)>;

pub fn catalogue(made: &mut Made, after: Option<u32>, objects: Objects) {
    let properties = |of: &[(&'static str, &'static str)]| -> BTreeMap<String, String> {
        of.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    let objects = objects.iter().map(|(name, of)| ((*name).to_owned(), properties(of))).collect();
    let snapshot = CatalogueSnapshot { after, objects, versions: Vec::new() };
    made.at(if after.is_none() { 1 } else { 20_001 }, Event::Catalogue(snapshot));
}

const COUNTERS: &str = "table public.counters";
const GRANTED: (&str, &str) = ("granted to app_rw", "INSERT, SELECT");

#[rstest]
#[case::lost(vec![(COUNTERS, vec![])], "ALTER TABLE counters_new RENAME TO counters", true)]
#[case::fewer(
    vec![(COUNTERS, vec![("granted to app_rw", "SELECT")])],
    "ALTER TABLE a RENAME TO counters",
    true
)]
#[case::more(
    vec![(COUNTERS, vec![("granted to app_rw", "DELETE, INSERT, SELECT")])], "SELECT 1", false
)]
#[case::revoked(vec![(COUNTERS, vec![])], "REVOKE ALL ON counters FROM app_rw", false)]
#[case::revoked_from_another(vec![(COUNTERS, vec![])], "REVOKE ALL ON old FROM app_rw", true)]
#[case::a_word_in_a_text(
    vec![(COUNTERS, vec![])],
    "COMMENT ON TABLE counters IS 'REVOKE ALL ON counters FROM app_rw'",
    true
)]
#[case::dropped_with_its_table(vec![], "DROP TABLE counters", false)]
#[case::everybody_may(
    vec![(COUNTERS, vec![("granted to PUBLIC", "DELETE, INSERT, SELECT")])], "SELECT f()", false
)]
#[case::everybody_may_less(
    vec![(COUNTERS, vec![("granted to PUBLIC", "SELECT")])], "SELECT f()", true
)]
#[case::row_security(
    vec![(COUNTERS, vec![GRANTED, ("row level security", "true")])], "SELECT f()", true
)]
#[case::row_security_by_a_statement(
    vec![(COUNTERS, vec![GRANTED, ("row level security", "true")])],
    "ALTER TABLE counters ENABLE ROW LEVEL SECURITY",
    false
)]
#[case::the_owner(vec![(COUNTERS, vec![GRANTED, ("owner", "root")])], "SELECT f()", true)]
fn privileges_that_are_lost_without_a_word_are_unsafe(
    #[case] after: Objects,
    #[case] statement: &str,
    #[case] is_found: bool,
) {
    let mut made = Made::with_change();
    made.statement(0, 5_000, 5_010, statement, false);
    catalogue(&mut made, None, vec![(COUNTERS, vec![GRANTED])]);
    catalogue(&mut made, Some(0), after);
    let mut meant = made.clone();
    let judgement = made.judge();
    let finding = found(&judgement, FindingKind::AccessChanged);
    assert_eq!(finding.is_some(), is_found, "{finding:?}");
    if let Some(finding) = finding {
        assert_eq!(finding.verdict, Verdict::Unsafe);
        assert_eq!(finding.subject.relation.as_deref(), Some(COUNTERS));
    }
    let difference = Accepted::parse(COUNTERS);
    meant.scenario.accept = vec![Meant { difference, ..Meant::default() }];
    assert_eq!(found(&meant.judge(), FindingKind::AccessChanged), None);
}

type Properties = Vec<(&'static str, &'static str)>;

#[rstest]
#[case::a_view_that_cannot_be_read(
    "view public.sums",
    vec![("populated", "true")],
    vec![("populated", "false")],
    "REFRESH MATERIALIZED VIEW sums WITH NO DATA",
    Some(Verdict::Unsafe),
    "view public.sums was left without rows"
)]
#[case::a_view_that_has_rows_at_last(
    "view public.sums",
    vec![("populated", "false")],
    vec![("populated", "true")],
    "REFRESH MATERIALIZED VIEW sums",
    None,
    ""
)]
#[case::what_new_sessions_get(
    "session defaults of the database",
    vec![],
    vec![("default_transaction_read_only", "on")],
    "ALTER DATABASE shop SET default_transaction_read_only = on",
    Some(Verdict::Unproven),
    "the trial's connections are older"
)]
#[case::privileges_of_some_tables(
    COUNTERS,
    vec![GRANTED],
    vec![],
    "DO $$ BEGIN EXECUTE format('REVOKE ALL ON %I FROM app_rw', t); END $$",
    Some(Verdict::Unproven),
    "a block of the change builds such statements"
)]
fn what_the_change_leaves_for_those_who_come_later_is_told(
    #[case] object: &'static str,
    #[case] before: Properties,
    #[case] after: Properties,
    #[case] statement: &str,
    #[case] verdict: Option<Verdict>,
    #[case] said: &str,
) {
    let mut made = Made::with_change();
    made.statement(0, 5_000, 5_010, statement, false);
    catalogue(&mut made, None, vec![(object, before)]);
    catalogue(&mut made, Some(0), vec![(object, after)]);
    let judgement = made.judge();
    let finding = found(&judgement, FindingKind::AccessChanged);
    assert_eq!(finding.map(|finding| finding.verdict), verdict, "{finding:?}");
    assert!(finding.is_none_or(|finding| finding.sentence.contains(said)), "{finding:?}");
}

#[test]
fn a_trigger_that_is_left_disabled_is_never_meant_by_its_statement() {
    let mut made = Made::with_change();
    made.statement(0, 5_000, 5_010, "ALTER TABLE t DISABLE TRIGGER audit", false);
    let (trigger, key) = ("trigger public.t.audit", "constraint public.t.fk");
    catalogue(&mut made, None, vec![(trigger, vec![("enabled", "origin")]), (key, vec![])]);
    let off = ("disabled triggers", "\"RI_FKey_check_ins\" on public.t: D");
    catalogue(&mut made, Some(0), vec![(trigger, vec![("enabled", "disabled")]), (key, vec![off])]);
    let judgement = made.judge();
    let all = judgement.findings.iter().filter(|f| f.kind == FindingKind::AccessChanged);
    let objects: Vec<_> = all.map(|f| f.subject.relation.clone().expect("an object")).collect();
    assert_eq!(objects, [key, trigger]);
}

const IX: (&str, &str) = ("definition", "CREATE INDEX i ON public.repos USING btree (owner)");
const IX1: (&str, &str) = ("definition", "CREATE INDEX i1 ON public.repos USING btree (owner)");
const PART: &str = "table public.p";

#[rstest]
#[case::nothing(vec![], None, "")]
#[case::one_index_per_try(
    vec![("index public.i", vec![IX]), ("index public.i1", vec![IX1])],
    Some(Verdict::Unsafe),
    "1 failed attempt left behind: public.i, public.i1 are one index under 2 names"
)]
#[case::a_pending_detach(
    vec![(PART, vec![("detach pending", "true")])],
    Some(Verdict::Unsafe),
    "1 failed attempt left behind: public.p is still being detached; table public.p is new"
)]
#[case::half_of_it(
    vec![("table public.half", vec![])],
    Some(Verdict::Safe),
    "1 failed attempt left behind: table public.half is new"
)]
fn what_a_failed_change_leaves_is_told(
    #[case] after: Objects,
    #[case] expected: Option<Verdict>,
    #[case] sentence: &str,
) {
    let mut made = Made::calm();
    catalogue(&mut made, None, vec![]);
    catalogue(&mut made, Some(0), after);
    assert_eq!(found(&made.clone().judge(), FindingKind::LeftBehind), None);
    made.attempt_fails("23505", "could not create unique index");
    let judgement = made.judge();
    let left = found(&judgement, FindingKind::LeftBehind);
    assert_eq!(left.map(|f| f.verdict), expected);
    assert_eq!(left.map_or("", |f| f.sentence.as_str()), sentence);
}

#[rstest]
#[case::not_ready("false", "neither reads nor writes use it, and it enforces nothing")]
#[case::ready("true", "writes maintain and obey it, reads never use it")]
fn an_invalid_unique_index_is_enforced_where_writes_maintain_it(
    #[case] ready: &'static str,
    #[case] expected: &str,
) {
    let mut made = Made::calm();
    let index = [("indisvalid", "false"), ("indisready", ready), ("indisunique", "true")];
    catalogue(&mut made, None, vec![]);
    catalogue(&mut made, Some(0), vec![("index public.u", index.to_vec())]);
    let judgement = made.judge();
    let left = found(&judgement, FindingKind::InvalidIndex).expect("a finding");
    assert!(left.sentence.contains(expected), "{}", left.sentence);
}

fn only(judgement: &Judgement, kind: FindingKind) -> String {
    let finding = found(judgement, kind).expect("a finding");
    assert_eq!((judgement.verdict, finding.verdict), (Verdict::Safe, Verdict::Safe));
    finding.sentence.clone()
}

#[rstest]
#[case::nowhere_else(None, "no other column of the table has them")]
#[case::in_another_column(Some("label"), "label has the same values")]
fn a_column_that_is_dropped_with_its_values_informs(
    #[case] kept_in: Option<&str>,
    #[case] words: &str,
) {
    let kept_in = kept_in.map(str::to_owned);
    let dropped = vec![DroppedColumn { column: "note".to_owned(), values: 7, kept_in }];
    let table = TableChange { gone: 0, rows_before: 9, dropped, ..archive() };
    let mut made = Made::calm();
    changed(&mut made, vec![table]);
    let mut meant = made.clone();
    let sentence = only(&made.judge(), FindingKind::ValuesDropped);
    let expected = format!("public.archive lost note, with values in 7 of 9 rows ({words})");
    assert_eq!(sentence, expected);
    meant.scenario.accept = vec![values("archive.note")];
    let judgement = meant.judge();
    assert_eq!(found(&judgement, FindingKind::ValuesDropped), None);
    assert_eq!(found(&judgement, FindingKind::AcceptUnused), None);
}

/// An application that reads the archive.
fn with_a_reader() -> Made {
    let mut made = Made::calm();
    made.scenario.traffic.operations[0].statements = vec![OperationStatement {
        sql: "SELECT id FROM archive".to_owned(),
        placeholders: Vec::new(),
        place: None,
    }];
    made
}

#[rstest]
#[case::it_adds_none(false, None, true)]
#[case::it_adds_some_itself(true, None, false)]
#[case::meant(false, Some(rows("archive")), false)]
fn rows_that_the_change_adds_to_what_the_application_uses_inform(
    #[case] application_inserts: bool,
    #[case] meant: Option<Meant>,
    #[case] informs: bool,
) {
    let mut made = with_a_reader();
    made.scenario.accept = meant.into_iter().collect();
    let table = TableChange { gone: 0, added: 5, application_inserts, ..archive() };
    changed(&mut made, vec![table]);
    let judgement = made.judge();
    assert_eq!(found(&judgement, FindingKind::RowsAdded).is_some(), informs);
    if informs {
        let expected = "the change added 5 rows to public.archive, which the application uses and \
                        which held 20,000";
        assert_eq!(only(&judgement, FindingKind::RowsAdded), expected);
    }
}
