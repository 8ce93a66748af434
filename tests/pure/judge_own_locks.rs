//! The judge on locks of a statement that commits by itself: each history is made by hand.

use pgauntlet::clock::Micros;
use pgauntlet::history::{Event, GrantedLock, Wait, WaitSample};
use pgauntlet::result::{Finding, Judgement};
use pgauntlet::scenario::FindingKind;
use rstest::rstest;

use crate::made::{APP, Made};
use crate::sent::{COMMAND, Sent, by_command, sent};

const BUILD: &str = "CREATE INDEX CONCURRENTLY ix ON spans (task_id)";

fn of(statement: Sent) -> Made {
    let mut made = by_command(1);
    statement.add_to(&mut made);
    made
}

fn found(judgement: &Judgement) -> Option<&Finding> {
    judgement.findings.iter().find(|finding| finding.kind == FindingKind::NoTimeout)
}

fn sentence(judgement: &Judgement) -> String {
    found(judgement).unwrap_or_else(|| panic!("none in {:?}", judgement.findings)).sentence.clone()
}

/// What a statement that commits by itself holds meanwhile cannot be read after it.
#[test]
fn the_lock_of_a_build_is_told_from_its_text_or_from_those_who_waited_for_it() {
    let build = || sent(0, 5_000, 5_100, BUILD).timeouts(0, 0);
    let told = sentence(&of(build()).judge());
    assert!(told.contains("takes ShareUpdateExclusiveLock on spans"), "{told}");
    let mut made = of(build());
    made.blocked_by(5_020, 5_060, COMMAND);
    let told = sentence(&made.judge());
    assert!(told.contains("held AccessExclusiveLock on spans"), "{told}");
}

/// Which names its relation too, and says nothing of who may use it.
#[rstest]
#[case::a_file_that_grows("extend", APP, COMMAND)]
#[case::and_the_change_waits_for_that("extend", COMMAND, APP)]
#[case::a_version_of_a_row("tuple", APP, COMMAND)]
fn what_is_locked_for_a_moment_is_no_lock_of_the_relation(
    #[case] locktype: &str,
    #[case] waiter: i32,
    #[case] holder: i32,
) {
    let update = sent(0, 5_000, 5_100, "DO $$BEGIN UPDATE spans SET a = 1; END$$").timeouts(0, 0);
    let mut made = of(update);
    let (relation, mode) = (Some("spans".to_owned()), "ExclusiveLock".to_owned());
    let granted =
        GrantedLock { session: holder.into(), relation: relation.clone(), mode: mode.clone() };
    let wait = Wait {
        session: waiter.into(),
        locktype: locktype.to_owned(),
        mode,
        relation,
        waited_us: Some(Micros::from_millis(8)),
        blockers: vec![holder.into()],
        holders: vec![granted],
    };
    made.at(5_050, Event::Waits(WaitSample { waits: vec![wait] }));
    assert_eq!(found(&made.judge()), None);
}
