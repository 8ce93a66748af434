//! A background session that was not in force while the change ran proves nothing of the change.

use pgauntlet::history::{
    DisturbanceEvent, Event, Held, HeldRelation, Moment, OperationOutcome, Rounds,
};
use pgauntlet::result::Judgement;
use pgauntlet::scenario::{FindingKind, Verdict};
use rstest::rstest;

use crate::made::{Made, error};

fn reader() -> Held {
    let lock = HeldRelation { relation: "spans".to_owned(), mode: "AccessShareLock".to_owned() };
    Held { locks: vec![lock], snapshot: true, sessions: 1, ..Held::default() }
}

fn event(moment: Moment, held: Option<Held>, rerun: bool) -> Event {
    let name = "backup".to_owned();
    Event::Disturbance(DisturbanceEvent { name, moment, held, rerun }.into())
}

/// The change's statement runs from 5.1 s to 5.2 s.
fn judged(moments: Vec<(u64, Moment, Option<Held>)>) -> Judgement {
    let mut made = Made::with_change();
    made.statement(0, 5_100, 5_200, "ALTER TABLE spans ADD COLUMN note text", false);
    for (at, moment, held) in moments {
        made.at(at, event(moment, held, false));
    }
    made.judge()
}

fn sentence(judgement: &Judgement) -> Option<&str> {
    let found = judgement.findings.iter().find(|f| f.kind == FindingKind::MeasurementFailed);
    found.map(|finding| finding.sentence.as_str())
}

#[test]
fn one_that_held_its_locks_beside_the_change_was_in_force() {
    let judgement = judged(vec![
        (4_800, Moment::Declared, None),
        (4_900, Moment::Holding, Some(reader())),
        (5_300, Moment::Ended, None),
    ]);
    assert_eq!(judgement.verdict, Verdict::Safe, "{:?}", judgement.findings);
}

#[test]
fn one_that_comes_again_and_again_need_not_hold_anything_at_a_moment() {
    let rounds = Rounds { finished: 9, ..Rounds::default() };
    let judgement = judged(vec![
        (4_800, Moment::Declared, None),
        (4_900, Moment::Holding, Some(Held::default())),
        (5_300, Moment::Repeated(rounds), None),
    ]);
    assert_eq!(judgement.verdict, Verdict::Safe, "{:?}", judgement.findings);
}

#[rstest]
#[case::never_in_place(
    vec![(4_800, Moment::Declared, None), (5_300, Moment::Ended, None)],
    "it never got hold of what it was to hold"
)]
#[case::nothing_held(
    vec![
        (4_800, Moment::Declared, None),
        (4_900, Moment::Holding, Some(Held { sessions: 1, ..Held::default() })),
        (5_300, Moment::Ended, None),
    ],
    "it held neither a lock nor a snapshot"
)]
#[case::over_before(
    vec![
        (4_000, Moment::Declared, None),
        (4_100, Moment::Holding, Some(reader())),
        (5_050, Moment::Ended, None),
    ],
    "it was over before the change ran a statement"
)]
#[case::came_after(
    vec![
        (5_210, Moment::Declared, None),
        (5_250, Moment::Holding, Some(reader())),
        (5_300, Moment::Ended, None),
    ],
    "it was in place only when the change had run its statements"
)]
fn one_that_was_not_in_force_is_unproven(
    #[case] moments: Vec<(u64, Moment, Option<Held>)>,
    #[case] why: &str,
) {
    let judgement = judged(moments);
    assert_eq!(judgement.verdict, Verdict::Unproven, "{:?}", judgement.findings);
    let said = sentence(&judgement).expect("a finding");
    assert!(said.starts_with("the disturbance backup was not in force: "), "{said}");
    assert!(said.contains(why), "{said}");
}

#[test]
fn one_for_the_rerun_needs_a_rerun() {
    let mut made = Made::with_change();
    made.statement(0, 5_100, 5_200, "ALTER TABLE spans ADD COLUMN note text", false);
    made.at(5_900, event(Moment::Declared, None, true));
    made.at(5_950, event(Moment::Holding, Some(reader()), true));
    made.at(5_990, event(Moment::Ended, None, true));
    let judgement = made.judge();
    let said = sentence(&judgement).unwrap_or_default();
    assert!(said.contains("attempts that follow the first"), "{said} {:?}", judgement.findings);
}

/// Histories of before have no declaration.
#[test]
fn of_an_older_history_only_what_the_server_ended_is_found() {
    let judgement = judged(vec![(5_250, Moment::Holding, None), (5_300, Moment::Ended, None)]);
    assert_eq!(judgement.verdict, Verdict::Safe, "{:?}", judgement.findings);
}

/// Of several tables an autovacuum goes through one; the change is about another.
#[rstest]
#[case::the_table_of_the_change("spans", None)]
#[case::another_table("customers", Some("on other tables than those that the change locked"))]
#[test]
fn a_vacuum_counts_where_it_is_on_a_table_of_the_change(
    #[case] relation: &str,
    #[case] said: Option<&str>,
) {
    let mut made = Made::with_change();
    made.statement(0, 5_100, 5_200, "ALTER TABLE spans ADD COLUMN note text", true);
    let mode = "ShareUpdateExclusiveLock".to_owned();
    let lock = HeldRelation { relation: relation.to_owned(), mode };
    let held = Held { locks: vec![lock], active: true, sessions: 1, ..Held::default() };
    let moments = [
        (4_000, Moment::Declared, None),
        (4_500, Moment::Holding, Some(held)),
        (9_000, Moment::Ended, None),
    ];
    for (at, moment, held) in moments {
        let (name, rerun) = ("anti-wraparound-vacuum".to_owned(), false);
        made.at(at, Event::Disturbance(DisturbanceEvent { name, moment, held, rerun }.into()));
    }
    let judgement = made.judge();
    match said {
        None => assert_eq!(sentence(&judgement), None),
        Some(words) => {
            let sentence = sentence(&judgement).unwrap_or_default();
            assert!(sentence.contains(words), "{sentence}");
            assert_eq!(judgement.verdict, Verdict::Unproven);
        }
    }
}

/// The pool asks for one connection more while another service holds all that the server admits.
#[rstest]
#[case::nothing_waited(false, Verdict::Unproven)]
#[case::it_grew_behind_the_change(true, Verdict::Unsafe)]
#[test]
fn a_connection_that_a_full_server_refuses_is_the_conditions(
    #[case] waited: bool,
    #[case] verdict: Verdict,
) {
    let mut made = Made::with_change();
    made.statement(0, 5_100, 5_200, "ALTER TABLE spans ADD COLUMN note text", true);
    if waited {
        made.blocked_by_change(5_110, 5_190);
    }
    let refused = error("53300", "sorry, too many clients already");
    let outcome = OperationOutcome::Failed(refused.into());
    made.operation(5_150, Some(5_150), 5_160, outcome, None);
    let held = Held { sessions: 70, ..Held::default() };
    for (at, moment, held) in [
        (4_000, Moment::Declared, None),
        (4_500, Moment::Holding, Some(held)),
        (9_000, Moment::Ended, None),
    ] {
        let (name, rerun) = ("full-server".to_owned(), false);
        made.at(at, Event::Disturbance(DisturbanceEvent { name, moment, held, rerun }.into()));
    }
    let judgement = made.judge();
    assert_eq!(judgement.verdict, verdict, "{:?}", judgement.findings);
    let said = sentence(&judgement).unwrap_or_default();
    assert_eq!(said.contains("another service, which is the condition"), !waited, "{said}");
}
