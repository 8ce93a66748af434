//! A change that does not come to its end, one that holds a lock while it waits for another, and
//! deadlocks whose other side could have been the victim.

use pgauntlet::clock::Micros;
use pgauntlet::history::{
    ActivitySample, AttemptEnd, Event, GrantedLock, OperationOutcome, ProgressSeen, Role,
    SessionSeen, Wait, WaitSample,
};
use pgauntlet::result::{Finding, Judgement};
use pgauntlet::scenario::{FindingKind, Verdict};
use rstest::rstest;

use crate::made::{APP, CHANGE, Made, READER, error};
use crate::sent::{COMMAND, by_command, sent};

const ADD_COLUMN: &str = "ALTER TABLE spans ADD COLUMN task_id varchar";
const BUILD: &str = "CREATE INDEX CONCURRENTLY IF NOT EXISTS ix ON spans (task_id)";
const DEADLOCK: &str = "deadlock detected";

fn found(judgement: &Judgement, kind: FindingKind) -> &Finding {
    let finding = judgement.findings.iter().find(|finding| finding.kind == kind);
    finding.unwrap_or_else(|| panic!("no {kind} in {:?}", judgement.findings))
}

/// Its deadline is over at 17 s.
fn cut_off(mut made: Made) -> Made {
    made.scenario.change.deadline_ms = 12_000;
    made.ends(AttemptEnd::DeadlineExceeded);
    made
}

#[test]
fn a_change_that_waits_for_itself_is_a_cycle_that_nobody_ends() {
    let mut made = cut_off(by_command(2));
    sent(0, 5_000, 5_010, ADD_COLUMN).status("it").add_to(&mut made);
    sent(1, 5_100, 17_010, "INSERT INTO spans VALUES (1)").on(1).add_to(&mut made);
    made.waits_for(COMMAND + 1, (5_110, 17_000), "spans", &[COMMAND]);
    let judgement = made.judge();
    let hung = found(&judgement, FindingKind::ChangeHung);
    assert_eq!(hung.verdict, Verdict::Unsafe);
    for words in ["INSERT INTO spans", "sat idle after ALTER TABLE spans", "a cycle which nobody"] {
        assert!(hung.sentence.contains(words), "{}", hung.sentence);
    }
    assert!(!hung.sentence.contains("deadline_s"), "{}", hung.sentence);
    assert!(hung.remedy.as_ref().is_some_and(|r| r.contains("commit on the one connection")));
}

#[test]
fn a_change_that_waits_for_another_session_to_its_deadline_is_unsafe() {
    let mut made = cut_off(Made::with_change());
    made.statement(0, 5_000, 17_010, ADD_COLUMN, false);
    made.waits_for(CHANGE, (5_010, 17_000), "spans", &[READER]);
    let judgement = made.judge();
    let hung = found(&judgement, FindingKind::ChangeHung);
    assert_eq!(hung.verdict, Verdict::Unsafe);
    for words in ["had waited 11.99 s, since 5.01 s", "on spans", "long-reader (pid 950) held"] {
        assert!(hung.sentence.contains(words), "{}", hung.sentence);
    }
}

#[rstest]
#[case::a_short_wait(16_500)]
#[case::none_at_all(17_000)]
fn a_change_that_was_at_work_is_unproven(#[case] waits_from: u64) {
    let mut made = cut_off(Made::with_change());
    made.statement(0, 5_000, 17_010, "UPDATE spans SET a = 1", false);
    made.waits_for(CHANGE, (waits_from, 17_000), "spans", &[READER]);
    let judgement = made.judge();
    let cut = found(&judgement, FindingKind::NotReached);
    assert_eq!(judgement.verdict, Verdict::Unproven, "{:?}", judgement.findings);
    assert!(!cut.sentence.contains("raise"), "{}", cut.sentence);
}

#[test]
fn a_longer_deadline_is_advised_where_the_server_reports_progress() {
    let mut made = cut_off(Made::with_change());
    made.statement(0, 5_000, 17_010, BUILD, false);
    for (at, done) in [(10_000, 100), (16_000, 4_000)] {
        let (command, phase) = ("CREATE INDEX CONCURRENTLY".to_owned(), "building".to_owned());
        let seen = ProgressSeen { session: CHANGE.into(), command, phase, done, total: 9_000 };
        let progress = vec![seen];
        made.at(at, Event::Activity(ActivitySample { progress, ..Default::default() }));
    }
    let judgement = made.judge();
    let cut = found(&judgement, FindingKind::NotReached);
    assert!(cut.sentence.contains("building: 4,000 of 9,000): raise"), "{}", cut.sentence);
}

#[test]
fn waiting_by_polling_is_a_hang() {
    let mut made = cut_off(by_command(1));
    for (number, at) in (0..).zip((5_000..17_000).step_by(500)) {
        sent(number, at, at + 1, "SELECT pg_try_advisory_lock(7)").add_to(&mut made);
    }
    let judgement = made.judge();
    let hung = found(&judgement, FindingKind::ChangeHung);
    assert_eq!(hung.verdict, Verdict::Unsafe);
    assert!(hung.sentence.contains("was sent 24 times"), "{}", hung.sentence);
}

/// A lock that another session keeps is asked for again and again: by a block, or by
/// statements that the server refuses, or that read the row of a tool's lock.
#[rstest]
#[case::within_a_block(
    "DO $$ BEGIN WHILE NOT pg_try_advisory_xact_lock(7) LOOP PERFORM pg_sleep(1); END LOOP; END $$",
    None,
    Some("again and again for 12.00 s")
)]
#[case::refused("SELECT * FROM spans FOR UPDATE NOWAIT", Some("55P03"), Some("was sent 24 times"))]
#[case::a_tools_row("SELECT locked FROM databasechangeloglock", None, Some("was sent 24 times"))]
#[case::a_block_that_works("DO $$ BEGIN PERFORM work(); END $$", None, None)]
#[test]
fn polling_of_any_kind_is_a_hang(
    #[case] text: &str,
    #[case] refused: Option<&str>,
    #[case] said: Option<&str>,
) {
    let mut made = cut_off(by_command(1));
    if text.starts_with("DO") {
        sent(0, 5_000, 17_010, text).add_to(&mut made);
    } else {
        for (number, at) in (0..).zip((5_000..17_000).step_by(500)) {
            match refused {
                Some(code) => made.failed_statement(number, at, at + 1, text, code, "refused"),
                None => sent(number, at, at + 1, text).add_to(&mut made),
            }
        }
    }
    let judgement = made.judge();
    let hung = judgement.findings.iter().find(|f| f.kind == FindingKind::ChangeHung);
    assert_eq!(hung.is_some(), said.is_some(), "{:?}", judgement.findings);
    if let (Some(hung), Some(said)) = (hung, said) {
        assert_eq!(hung.verdict, Verdict::Unsafe);
        assert!(hung.sentence.contains(said), "{}", hung.sentence);
    }
}

/// A wait as a sample shows it, for a mode that the holder's conflicts with.
fn wait(pid: i32, waited_ms: u64, relation: &str, blocker: i32) -> Wait {
    let relation = Some(relation.to_owned());
    let mode = "AccessExclusiveLock".to_owned();
    Wait {
        session: pid.into(),
        locktype: "relation".to_owned(),
        mode: mode.clone(),
        relation: relation.clone(),
        waited_us: Some(Micros::from_millis(waited_ms)),
        blockers: vec![blocker.into()],
        holders: vec![GrantedLock { session: blocker.into(), relation, mode }],
    }
}

#[test]
fn a_lock_that_is_held_while_another_is_waited_for_is_told_with_both_relations() {
    let mut made = Made::with_change();
    made.statement(0, 5_000, 5_010, ADD_COLUMN, true);
    made.statement(1, 5_010, 9_000, "ALTER TABLE orders ADD COLUMN a int", true);
    made.operation(5_020, Some(5_020), 9_001, OperationOutcome::Succeeded, Some(APP));
    for at in (5_030..9_000).step_by(10) {
        let waits = vec![
            wait(CHANGE, at - 5_015, "orders", READER),
            wait(APP, at - 5_020, "spans", CHANGE),
        ];
        made.at(at, Event::Waits(WaitSample { waits }));
    }
    let judgement = made.judge();
    let stall = found(&judgement, FindingKind::Stall);
    let expected = "for spans: the change held AccessExclusiveLock on it, taken by ALTER TABLE \
                    spans ADD COLUMN task_id varchar (migration.sql:1), while ALTER TABLE orders \
                    ADD COLUMN a int (migration.sql:2) waited for AccessExclusiveLock on orders \
                    behind long-reader (pid 950), which held AccessExclusiveLock on orders; \
                    everything on spans stops for as long as orders makes it wait";
    assert!(stall.sentence.contains(expected), "{}", stall.sentence);
    assert!(stall.remedy.as_ref().is_some_and(|r| r.contains("next relation")));
}

/// The change ends in a deadlock with that session, and its rerun succeeds.
fn deadlock_with(pid: i32, text: &str) -> Made {
    let mut made = Made::with_change();
    made.failed_statement(0, 5_000, 6_100, text, "40P01", DEADLOCK);
    made.waits_for(CHANGE, (5_010, 6_090), "spans", &[pid]);
    made.attempt_fails("40P01", DEADLOCK);
    made.rerun(AttemptEnd::Finished { applied: Some(1) });
    made
}

#[test]
fn a_deadlock_with_the_application_is_judged_as_if_the_application_had_lost() {
    let judgement = deadlock_with(APP, ADD_COLUMN).judge();
    let deadlock = found(&judgement, FindingKind::Deadlock);
    assert_eq!(deadlock.verdict, Verdict::Unsafe);
    assert!(deadlock.sentence.contains("an operation would have failed"), "{}", deadlock.sentence);
    let mut borne = deadlock_with(APP, ADD_COLUMN);
    borne.scenario.limits.failed_operations_max = 1;
    assert_eq!(found(&borne.judge(), FindingKind::Deadlock).verdict, Verdict::Bounded);
}

#[rstest]
#[case::a_build(BUILD, "leaves an INVALID index")]
#[case::a_drop("DROP INDEX CONCURRENTLY ix", "leaves the index INVALID")]
#[case::a_detach(
    "ALTER TABLE spans DETACH PARTITION old CONCURRENTLY",
    "leaves the partition half detached"
)]
#[test]
fn a_deadlock_of_runners_is_judged_as_if_the_worst_side_had_lost(
    #[case] text: &str,
    #[case] leaves: &str,
) {
    const FIRST: i32 = 700;
    let mut made = deadlock_with(FIRST, text);
    made.scenario.change.runners = 2;
    let role = Role::Change;
    made.at(0, Event::Session(SessionSeen { session: FIRST.into(), role }));
    let judgement = made.judge();
    let deadlock = found(&judgement, FindingKind::Deadlock);
    assert_eq!(deadlock.verdict, Verdict::Unsafe);
    assert!(deadlock.sentence.contains(leaves), "{}", deadlock.sentence);
}

#[test]
fn an_operation_that_lost_a_deadlock_says_what_the_change_would_have_left() {
    let mut made = Made::with_change();
    made.statement(0, 5_000, 8_000, BUILD, false);
    let outcome = OperationOutcome::Failed(error("40P01", DEADLOCK).into());
    made.operation(5_010, Some(5_010), 6_100, outcome, Some(APP));
    made.waits_for(APP, (5_020, 6_090), "spans", &[CHANGE]);
    let judgement = made.judge();
    let failed = found(&judgement, FindingKind::OperationFailed);
    assert!(failed.sentence.contains("could have been the victim"), "{}", failed.sentence);
    assert!(failed.sentence.contains("leaves an INVALID index"), "{}", failed.sentence);
}
