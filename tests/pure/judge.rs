//! The judge on histories made by hand: no server, each history says one thing.

use pgauntlet::clock::Micros;
use pgauntlet::history::{
    AttemptEnd, Event, InvariantRead, OperationOutcome, Phase, SamplerReport,
};
use pgauntlet::judge::lock_waits;
use pgauntlet::result::{Finding, Judgement};
use pgauntlet::scenario::{FindingKind, Verdict};
use proptest::prelude::*;
use rstest::rstest;

use crate::made;
use crate::made::{APP, CHANGE, Made, READER};

fn found(judgement: &Judgement, kind: FindingKind) -> Option<&Finding> {
    judgement.findings.iter().find(|finding| finding.kind == kind)
}

fn kinds(judgement: &Judgement) -> Vec<&'static str> {
    judgement.findings.iter().map(|finding| finding.kind.as_str()).collect()
}

#[test]
fn a_calm_trial_is_safe_and_says_why() {
    let judgement = Made::calm().judge();
    assert_eq!(kinds(&judgement), Vec::<&str>::new());
    assert_eq!(judgement.verdict, Verdict::Safe);
    assert!(judgement.as_expected);
    assert!(judgement.reason.contains("no operation was seen waiting"), "{}", judgement.reason);
}

#[test]
fn a_stall_behind_a_held_lock_is_unsafe_and_names_the_statement_that_held_and_the_one_that_took() {
    let mut made = Made::with_change();
    made.statement(0, 5_000, 5_010, "ALTER TABLE spans ADD COLUMN task_id varchar", true);
    made.statement(1, 5_010, 15_000, "UPDATE spans SET task_id = trace_id", true);
    made.blocked_by_change(5_200, 15_000);
    let judgement = made.judge();
    assert_eq!(judgement.verdict, Verdict::Unsafe);
    let stall = found(&judgement, FindingKind::Stall).expect("a stall");
    let witness = stall.witness.as_ref().expect("a witness");
    assert_eq!(witness.relation.as_deref(), Some("spans"));
    assert_eq!(witness.requested, "RowExclusiveLock");
    assert_eq!(witness.held.as_deref(), Some("AccessExclusiveLock"));
    let during = witness.during.as_ref().expect("a statement");
    assert!(during.text.starts_with("UPDATE"), "{during:?}");
    let taken_by = witness.taken_by.as_ref().expect("another statement took it");
    assert!(taken_by.text.starts_with("ALTER"), "{taken_by:?}");
    assert!(stall.remedy.as_ref().is_some_and(|r| r.contains("one statement per transaction")));
}

#[rstest]
#[case::within_its_lock_timeout(3_000, 3_200, Verdict::Bounded)]
#[case::without_any(0, 3_200, Verdict::Unsafe)]
#[case::far_beyond_it(1_000, 6_000, Verdict::Unsafe)]
fn a_queue_behind_a_waiting_change_is_judged_by_its_lock_timeout(
    #[case] lock_timeout_ms: u64,
    #[case] waited_ms: u64,
    #[case] expected: Verdict,
) {
    let mut made = Made::with_change();
    made.lock_timeout_ms = lock_timeout_ms;
    let until = 5_000 + waited_ms;
    made.statement(0, 5_000, until, "ALTER TABLE spans ADD COLUMN task_id varchar", false);
    made.queued_behind_waiting_change(5_050, until);
    let judgement = made.judge();
    let stall = found(&judgement, FindingKind::Stall).expect("a stall");
    assert_eq!(stall.verdict, expected, "{}", stall.sentence);
    let witness = stall.witness.as_ref().expect("a witness");
    assert_eq!(witness.held, None, "the change was ahead in the queue, it held nothing");
    assert!(witness.behind.as_ref().is_some_and(|b| b.contains("long-reader")), "{witness:?}");
}

#[test]
fn several_statements_under_one_lock_are_not_an_idle_transaction() {
    let mut made = Made::with_change();
    (made.lock_timeout_ms, made.idle_timeout_ms) = (3_000, 10_000);
    made.statement(0, 5_000, 5_010, "ALTER TABLE spans ADD COLUMN task_id varchar", true);
    made.statement(1, 5_010, 8_000, "UPDATE spans SET task_id = trace_id", true);
    made.statement(2, 8_000, 11_000, "ALTER TABLE spans ADD CONSTRAINT fk", true);
    made.statement(3, 11_000, 14_000, "CREATE INDEX ix ON spans (task_id)", true);
    made.blocked_by_change(5_020, 14_000);
    assert_eq!(made.judge().verdict, Verdict::Unsafe);
}

#[test]
fn an_idle_transaction_is_bounded_by_the_timeout_in_force_and_by_no_other() {
    let idle = |timeout_ms| {
        let mut made = Made::with_change();
        (made.lock_timeout_ms, made.idle_timeout_ms) = (3_000, timeout_ms);
        made.statement(0, 5_000, 5_010, "ALTER TABLE spans ADD COLUMN task_id varchar", true);
        made.statement(1, 8_000, 8_001, "SELECT 1", true);
        made.blocked_by_change(5_020, 8_000);
        made.judge().verdict
    };
    assert_eq!((idle(3_000), idle(0)), (Verdict::Bounded, Verdict::Unsafe));
}

#[test]
fn a_short_wait_does_not_excuse_the_long_hold_after_it() {
    let mut made = Made::with_change();
    made.lock_timeout_ms = 3_000;
    let text = "ALTER TABLE spans ALTER COLUMN id TYPE text";
    made.statement(0, 5_000, 8_900, text, true);
    made.queued_behind_waiting_change(5_050, 7_000);
    made.blocked_pid(APP + 1, 7_000, 8_900, &[CHANGE]);
    let judgement = made.judge();
    assert_eq!(judgement.verdict, Verdict::Unsafe, "{:?}", judgement.findings);
}

#[test]
fn an_operation_whose_fate_is_unknown_counts_as_failed() {
    for outcome in
        [OperationOutcome::Indeterminate("connection reset".into()), OperationOutcome::Unanswered]
    {
        let mut made = Made::calm();
        made.operation(5_100, Some(5_101), 5_200, outcome, Some(APP));
        let judgement = made.judge();
        assert!(found(&judgement, FindingKind::OperationFailed).is_some());
        assert_eq!(judgement.verdict, Verdict::Unsafe);
    }
}

#[test]
fn latency_that_is_worse_only_after_the_change_is_found() {
    let mut made = Made::calm();
    for due in (20_000..21_900).step_by(100) {
        made.operation(due, Some(due), due + 900, OperationOutcome::Succeeded, Some(APP));
    }
    let judgement = made.judge();
    let latency = found(&judgement, FindingKind::Latency).expect("a finding");
    assert!(latency.sentence.contains("after the change"), "{}", latency.sentence);
}

#[test]
fn operations_that_block_each_other_are_not_the_changes_doing() {
    let mut made = Made::with_change();
    made.statement(0, 5_000, 5_010, "ALTER TABLE spans ADD COLUMN task_id varchar", false);
    made.blocked_by(5_200, 9_000, READER);
    let judgement = made.judge();
    assert_eq!(found(&judgement, FindingKind::Stall), None);
    assert_eq!(judgement.measured.longest_stall_us, Micros::ZERO);
}

#[test]
fn a_chain_of_waiters_that_ends_at_the_change_is_the_changes_doing() {
    let mut made = Made::with_change();
    made.statement(0, 5_000, 9_000, "UPDATE spans SET task_id = trace_id", true);
    made.chain_to_change(5_200, 9_000);
    let judgement = made.judge();
    assert_eq!(judgement.measured.stalled_operations, 2, "{:?}", judgement.findings);
}

#[test]
fn an_operation_that_never_got_a_connection_belongs_to_the_stall_in_which_it_queued() {
    let mut made = Made::with_change();
    made.statement(0, 5_000, 15_000, "UPDATE spans SET task_id = trace_id", true);
    made.blocked_by_change(5_200, 15_000);
    made.operation(5_300, None, 14_900, OperationOutcome::AcquireTimeout, None);
    let judgement = made.judge();
    assert_eq!(judgement.measured.stalled_operations, 2);
    assert!(found(&judgement, FindingKind::AcquireTimeout).is_some());
}

#[test]
fn an_exhausted_pool_is_found_with_its_time_and_its_queue() {
    let mut made = Made::with_change();
    made.statement(0, 5_000, 15_000, "UPDATE spans SET task_id = trace_id", true);
    for pid in APP..APP + made.capacity() {
        made.blocked_pid(pid, 5_200, 15_000, &[CHANGE]);
    }
    made.operation(5_700, Some(15_000), 15_010, OperationOutcome::Succeeded, Some(APP));
    let judgement = made.judge();
    let exhaustion = found(&judgement, FindingKind::PoolExhaustion).expect("exhaustion");
    assert_eq!(exhaustion.verdict, Verdict::Unsafe);
    assert_eq!(judgement.measured.queue_max, 1);
    assert_eq!(judgement.measured.time_to_exhaustion_us, Some(Micros::from_millis(500)));
    assert_eq!(judgement.measured.exhausted_us, Micros::from_millis(9_300));
}

/// A busy machine lets every connection be in use for a moment.
#[rstest]
#[case::nothing_waited_for_the_change(false)]
#[case::operations_waited_for_the_change(true)]
fn a_pool_exhausted_within_the_limit_is_found_where_the_change_made_it_wait(#[case] blocked: bool) {
    let mut made = Made::with_change();
    made.statement(0, 5_000, 15_000, "UPDATE spans SET task_id = trace_id", true);
    for pid in APP..APP + made.capacity() {
        match blocked {
            true => made.blocked_pid(pid, 5_200, 5_400, &[CHANGE]),
            false => {
                made.operation(5_200, Some(5_200), 5_400, OperationOutcome::Succeeded, Some(pid));
            }
        }
    }
    made.operation(5_210, Some(5_400), 5_410, OperationOutcome::Succeeded, Some(APP));
    let judgement = made.judge();
    let exhaustion = found(&judgement, FindingKind::PoolExhaustion);
    assert_eq!(judgement.measured.exhausted_us, Micros::from_millis(190));
    assert_eq!(exhaustion.map(|e| e.verdict), blocked.then_some(Verdict::Safe));
}

#[rstest]
#[case::lock_timeout("55P03", "canceling statement due to lock timeout", "lock-timeout")]
#[case::statement("57014", "canceling statement due to statement timeout", "statement-timeout")]
#[case::cancelled("57014", "canceling statement due to user request", "change-failed")]
#[case::idle("25P03", "terminating connection", "idle-in-transaction-timeout")]
#[case::transaction("25P04", "terminating connection", "transaction-timeout")]
#[case::deadlock("40P01", "deadlock detected", "deadlock")]
#[case::concurrently("25001", "cannot run inside", "concurrently-in-transaction")]
fn an_abort_is_named_by_its_sqlstate_and_cause(
    #[case] code: &str,
    #[case] message: &str,
    #[case] expected: &str,
) {
    let mut made = Made::with_change();
    made.lock_timeout_ms = 3_000;
    made.failed_statement(0, 5_000, 8_000, "ALTER TABLE spans ADD COLUMN a int", code, message);
    made.attempt_fails(code, message);
    made.rerun(AttemptEnd::Finished { applied: Some(1) });
    let judgement = made.judge();
    assert_eq!(kinds(&judgement), [expected]);
    assert_eq!(judgement.verdict, Verdict::Bounded);
}

#[test]
fn a_change_that_never_succeeds_is_unsafe() {
    let mut made = Made::with_change();
    let message = "CREATE INDEX CONCURRENTLY cannot run inside a transaction block";
    made.failed_statement(
        0,
        5_000,
        5_001,
        "CREATE INDEX CONCURRENTLY i ON t (a)",
        "25001",
        message,
    );
    made.attempt_fails("25001", message);
    made.rerun(made::failed("25001", message));
    let judgement = made.judge();
    assert_eq!(judgement.verdict, Verdict::Unsafe);
    assert!(found(&judgement, FindingKind::RerunFailed).is_some());
    assert!(found(&judgement, FindingKind::Stall).is_none());
}

#[test]
fn a_rerun_that_succeeds_over_an_invalid_index_hides_it() {
    let mut made = Made::with_change();
    let text = "CREATE INDEX CONCURRENTLY IF NOT EXISTS ix ON spans (task_id)";
    let message = "canceling statement due to statement timeout";
    made.failed_statement(0, 5_000, 5_500, text, "57014", message);
    made.attempt_fails("57014", message);
    made.invalid_index_after(0);
    made.rerun(AttemptEnd::Finished { applied: Some(1) });
    made.invalid_index_after(1);
    let judgement = made.judge();
    assert_eq!(judgement.verdict, Verdict::Unsafe);
    for kind in [FindingKind::InvalidIndex, FindingKind::HiddenDebris] {
        let finding = found(&judgement, kind).expect("a finding");
        assert_eq!(finding.verdict, Verdict::Unsafe, "{kind}");
    }
}

#[test]
fn a_timeout_over_a_block_that_commits_is_told_in_words() {
    let mut made = Made::with_change();
    let text = "DO $$ BEGIN LOOP UPDATE spans SET a = 1; COMMIT; END LOOP; END $$";
    let message = "canceling statement due to statement timeout";
    made.failed_statement(0, 5_000, 9_800, text, "57014", message);
    made.attempt_fails("57014", message);
    made.rerun(AttemptEnd::Finished { applied: Some(1) });
    let judgement = made.judge();
    let covers = found(&judgement, FindingKind::TimeoutCoversBlock).expect("the words");
    assert!(covers.sentence.contains("not each batch"), "{}", covers.sentence);
    assert_eq!(judgement.verdict, Verdict::Bounded);
}

#[test]
fn a_lost_write_is_unsafe_whatever_else_went_well() {
    let mut made = Made::calm();
    made.lost_write();
    let judgement = made.judge();
    assert_eq!(judgement.verdict, Verdict::Unsafe);
    assert!(found(&judgement, FindingKind::LostWrite).is_some());
}

#[test]
fn a_read_that_changes_is_found_and_an_equal_one_is_not() {
    let read = |digest: &str| {
        let (name, digest) = ("spans-of-a-task".to_owned(), digest.to_owned());
        Event::Invariant(
            InvariantRead { name, rows: 50, digest, first: Vec::new(), error: None }.into(),
        )
    };
    let mut made = Made::calm();
    made.at(100, read("a"));
    made.at(5_500, read("a"));
    made.at(21_000, read("a"));
    assert_eq!(made.clone().judge().verdict, Verdict::Safe);
    made.at(5_600, read("b"));
    let judgement = made.judge();
    assert!(found(&judgement, FindingKind::ReadChanged).is_some());
}

#[rstest]
#[case::generator_lag(|made: &mut Made| made.late_operations(200), FindingKind::GeneratorLag)]
#[case::no_samples(|made: &mut Made| made.sampler = SamplerReport::default(),
    FindingKind::SamplesMissing)]
#[case::half_the_samples(|made: &mut Made| made.sampler.missed = made.sampler.samples,
    FindingKind::SamplesMissing)]
#[case::slow_baseline(|made: &mut Made| made.operation(100, Some(100), 4_000,
    OperationOutcome::Succeeded, Some(APP)), FindingKind::BaselineBroken)]
#[case::no_end(|made: &mut Made| made.cut_before(Phase::End), FindingKind::NotReached)]
#[case::late_in_the_change_only(|made: &mut Made| made.late_in_the_change(),
    FindingKind::GeneratorLag)]
#[case::nothing_was_run(|made: &mut Made| made.only_statements_of_the_runner(),
    FindingKind::NotReached)]
#[case::a_condition_that_broke(|made: &mut Made| made.disturbance_breaks(),
    FindingKind::MeasurementFailed)]
#[case::failed_samples(|made: &mut Made| made.sampler.failed = made.sampler.samples,
    FindingKind::SamplesMissing)]
#[case::a_stage_that_failed(|made: &mut Made| made.stage_failed(),
    FindingKind::MeasurementFailed)]
#[case::accounts_that_do_not_balance(|made: &mut Made| made.counters.scheduled += 1,
    FindingKind::MeasurementFailed)]
fn evidence_that_carries_no_answer_is_unproven(
    #[case] spoil: fn(&mut Made),
    #[case] kind: FindingKind,
) {
    let mut made = Made::calm();
    spoil(&mut made);
    let judgement = made.judge();
    assert!(found(&judgement, kind).is_some(), "{:?}", judgement.findings);
    assert_eq!(judgement.verdict, Verdict::Unproven);
}

#[test]
fn an_outcome_that_was_not_expected_is_told() {
    let mut made = Made::calm();
    made.expect_unsafe_stall();
    let judgement = made.judge();
    assert!(!judgement.as_expected);
    assert_eq!(judgement.mismatches.len(), 2, "{:?}", judgement.mismatches);
}

proptest! {
    /// Whatever the waits are, sampling every 10 ms finds each that is at least an interval long,
    /// with its backend and an end that is at most one interval early.
    #[test]
    fn waits_are_derived_from_their_samples(
        waits in prop::collection::vec((0u64..8, 15u64..400, 1u64..300), 1..30),
    ) {
        let truth = made::separate_waits(&waits);
        let history = made::sampled(&truth, 10);
        let derived = lock_waits(&history);
        prop_assert_eq!(derived.len(), truth.len());
        for wait in &truth {
            let same = derived.iter().find(|d| {
                d.session.pid == wait.pid && d.from.0.abs_diff(wait.from.0) < 2_000
            });
            let Some(same) = same else {
                return Err(TestCaseError::fail(format!("{wait:?} was not derived")));
            };
            let missing = wait.to - same.last_seen;
            prop_assert!(missing <= Micros::from_millis(10), "{missing} of {wait:?} are missing");
            prop_assert!(same.cause.is_change());
        }
    }
}
