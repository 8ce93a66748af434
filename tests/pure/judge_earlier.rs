//! The judge on causes that lie before the error: an earlier statement, an earlier application, a
//! copy, a type. Each history is made by hand and says one thing.

use std::collections::BTreeMap;

use pgauntlet::assess::{self, Against};
use pgauntlet::explain::explain;
use pgauntlet::history::{CatalogueSnapshot, Event, OperationOutcome};
use pgauntlet::judge::observe;
use pgauntlet::result::{Finding, Judgement};
use pgauntlet::scenario::{FindingKind, OperationStatement, State, Verdict};
use pgauntlet::trial::Axis;
use rstest::rstest;

use crate::made::{APP, Made, error, failed};
use crate::sent::{by_command, sent};

fn found(judgement: &Judgement, kind: FindingKind) -> &Finding {
    let finding = judgement.findings.iter().find(|finding| finding.kind == kind);
    finding.unwrap_or_else(|| panic!("no {kind} in {:?}", judgement.findings))
}

const UNSAFE_USE: &str = "unsafe use of new value \"new\" of enum type kind";

#[rstest]
#[case("ALTER TYPE kind ADD VALUE 'new'", true)]
#[case("DO $$ BEGIN ALTER TYPE kind ADD VALUE 'new'; END $$", true)]
#[case("ALTER TYPE kind ADD VALUE 'newer'", false)]
#[case("UPDATE spans SET name = 'new'", false)]
fn a_label_that_is_not_committed_has_the_statement_that_added_it(
    #[case] before: &str,
    #[case] is_named: bool,
) {
    let mut made = by_command(1);
    sent(0, 5_000, 5_001, "BEGIN").status("it").add_to(&mut made);
    sent(1, 5_002, 5_003, before).inside().add_to(&mut made);
    let uses = sent(2, 5_004, 5_005, "UPDATE spans SET kind = 'new'").status("tf");
    uses.fails("55P04", UNSAFE_USE).add_to(&mut made);
    made.ends(failed("55P04", UNSAFE_USE));
    let judgement = made.judge();
    let sentence = &found(&judgement, FindingKind::ChangeFailed).sentence;
    assert_eq!(sentence.contains(&format!("{before} had added the label")), is_named, "{sentence}");
}

const ADD: &str = "ALTER TABLE spans ADD CONSTRAINT c FOREIGN KEY (a) REFERENCES users NOT VALID";
const VALIDATE: &str = "ALTER TABLE spans VALIDATE CONSTRAINT c";
const EXISTS: &str = "constraint \"c\" for relation \"spans\" already exists";

#[test]
fn a_rerun_that_fails_for_another_reason_has_it_and_what_made_it() {
    let mut made = by_command(1);
    sent(0, 5_000, 5_010, ADD).add_to(&mut made);
    sent(1, 5_020, 5_030, VALIDATE).fails("23503", "violates foreign key").add_to(&mut made);
    made.ends(failed("23503", "violates foreign key"));
    let again = sent(2, 22_100, 22_110, ADD).of_attempt(1);
    again.fails("42710", EXISTS).add_to(&mut made);
    made.rerun(failed("42710", EXISTS));
    let judgement = made.judge();
    let sentence = &found(&judgement, FindingKind::RerunFailed).sentence;
    for part in ["another reason", EXISTS, "42710", "the first application had done it"] {
        assert!(sentence.contains(part), "{part}: {sentence}");
    }
}

#[test]
fn a_rerun_that_fails_as_before_has_no_other_reason() {
    let mut made = by_command(1);
    sent(0, 5_020, 5_030, VALIDATE).fails("23503", "violates foreign key").add_to(&mut made);
    made.ends(failed("23503", "violates foreign key"));
    let again = sent(1, 22_100, 22_110, VALIDATE).of_attempt(1);
    again.fails("23503", "violates foreign key").add_to(&mut made);
    made.rerun(failed("23503", "violates foreign key"));
    let judgement = made.judge();
    let sentence = &found(&judgement, FindingKind::RerunFailed).sentence;
    assert_eq!(sentence, "the change did not succeed in 2 attempts");
}

#[test]
fn a_state_in_which_all_went_well_is_safe_although_the_reference_failed() {
    let mut made = Made::calm();
    made.catalogue_after(0);
    made.scenario.states = vec![State::base(), State { name: "empty".to_owned(), ..State::base() }];
    let scenario = made.scenario.clone();
    let mut history = made.history();
    history.header.trial.key = history.header.trial.key.with(Axis::STATE, "empty");
    let observation = || observe(&scenario, &history);
    let judged = |against| explain(assess::trial(&scenario, observation(), against));
    let unfinished = judged(Against::Unfinished);
    assert_eq!(unfinished.verdict, Verdict::Safe);
    let sentence = &found(&unfinished, FindingKind::MeasurementFailed).sentence;
    assert!(sentence.contains("from there the change never came to its end"), "{sentence}");
    assert_eq!(judged(Against::Absent).verdict, Verdict::Unproven);
}

/// Operations that fail because a prepared statement returns another type.
fn retyped(sql: &str, columns: [&[(&str, &str)]; 2]) -> Judgement {
    let mut made = Made::calm();
    let (sql, placeholders) = (sql.to_owned(), Vec::new());
    made.scenario.traffic.operations[0].statements =
        vec![OperationStatement { sql, placeholders, place: None }];
    let cached = error("0A000", "cached plan must not change result type");
    let failed = OperationOutcome::Failed(cached.into());
    made.operation(21_000, Some(21_000), 21_002, failed, Some(APP));
    for (at, after, columns) in [(4_900, None, columns[0]), (19_500, Some(0), columns[1])] {
        let typed = |(column, of): &(&str, &str)| {
            let properties = BTreeMap::from([("type".to_owned(), (*of).to_owned())]);
            (format!("column public.{column}"), properties)
        };
        let objects = columns.iter().map(typed).collect();
        made.at(at, Event::Catalogue(CatalogueSnapshot { after, objects, versions: Vec::new() }));
    }
    made.judge()
}

#[rstest]
#[case::a_type_that_is_named(
    "SELECT id FROM spans",
    "bigint",
    "spans.id was integer and is bigint"
)]
#[case::a_type_below_a_star("SELECT * FROM spans", "bigint", "spans.id was integer and is bigint")]
#[case::a_new_column("SELECT * FROM spans", "integer", "spans.note is new")]
fn a_prepared_statement_that_returns_another_type_has_the_column(
    #[case] sql: &str,
    #[case] id: &str,
    #[case] said: &str,
) {
    let before = [("spans.id", "integer"), ("users.id", "integer")];
    let after = [("spans.id", id), ("spans.note", "text"), ("users.id", "bigint")];
    let judgement = retyped(sql, [&before, &after]);
    let finding = found(&judgement, FindingKind::OperationFailed);
    assert!(finding.sentence.contains(said), "{}", finding.sentence);
    assert!(!finding.sentence.contains("users.id"), "{}", finding.sentence);
    let remedy = finding.remedy.clone().unwrap_or_default();
    assert_eq!(remedy.contains("SELECT *"), id == "integer", "{remedy}");
    assert_eq!(remedy.contains("the type of spans.id changed"), id == "bigint", "{remedy}");
}

#[rstest]
#[case("DROP TABLE spans", 1)]
#[case("ALTER TABLE spans RENAME TO spans_old", 1)]
#[case("DROP TABLE users", 0)]
fn writes_that_are_lost_between_a_copy_and_the_swap_are_explained_by_it(
    #[case] gone: &str,
    #[case] explained: usize,
) {
    let mut made = by_command(1);
    let copy = "INSERT INTO spans_new SELECT * FROM spans";
    sent(0, 5_000, 5_001, "BEGIN").status("it").add_to(&mut made);
    sent(1, 5_010, 6_000, copy).inside().add_to(&mut made);
    sent(2, 6_001, 6_010, gone).inside().add_to(&mut made);
    sent(3, 6_020, 6_021, "COMMIT").status("ti").add_to(&mut made);
    made.lost_write();
    let judgement = made.judge();
    let finding = found(&judgement, FindingKind::LostWrite);
    let said = format!("the snapshot of {copy}, which copied the table, and the end of {gone}");
    let named = finding.sentence.matches(&said).count();
    assert_eq!(named, explained, "{}", finding.sentence);
    assert_eq!(finding.remedy.is_some(), explained > 0);
}

#[rstest]
#[case("DO $$ BEGIN IF false THEN ALTER TABLE spans ADD COLUMN a int; END IF; END $$", "may take")]
#[case("ALTER TABLE spans ADD COLUMN a int", "takes")]
fn a_block_may_take_the_lock_that_its_text_asks_for(#[case] text: &str, #[case] said: &str) {
    let mut made = by_command(1);
    sent(0, 5_000, 5_010, text).timeouts(0, 0).add_to(&mut made);
    let judgement = made.judge();
    let sentence = &found(&judgement, FindingKind::NoTimeout).sentence;
    let said = format!("and {said} AccessExclusiveLock on spans");
    assert!(sentence.contains(&said), "{sentence}");
}
