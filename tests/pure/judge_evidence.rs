//! What a finding rests on: evidence that is broken decides before anything that rests on it, and
//! what waited or failed is charged by its cause.

use pgauntlet::clock::Micros;
use pgauntlet::history::{
    ActivitySample, AttemptEnd, Backend, Event, OperationOutcome, Phase, ServerError, SessionId,
};
use pgauntlet::result::{Doubt, Finding, Judgement};
use pgauntlet::scenario::{FindingKind, Verdict};
use rstest::rstest;

use crate::made::{APP, CHANGE, Made, READER, error, failed};

const ADD_COLUMN: &str = "ALTER TABLE spans ADD COLUMN IF NOT EXISTS task_id varchar";

fn found(judgement: &Judgement, kind: FindingKind) -> &Finding {
    let finding = judgement.findings.iter().find(|finding| finding.kind == kind);
    finding.unwrap_or_else(|| panic!("no {kind} in {:?}", judgement.findings))
}

fn has(judgement: &Judgement, kind: FindingKind) -> bool {
    judgement.findings.iter().any(|finding| finding.kind == kind)
}

/// A change that runs for long, and waits for nothing.
fn long_change() -> Made {
    let mut made = Made::with_change();
    made.statement(0, 5_000, 18_000, "UPDATE spans SET a = 1 WHERE b", false);
    made
}

/// One operation that takes so long from that moment on, for no lock that is seen.
fn slow(made: &mut Made, from: u64, to: u64) {
    made.operation(from, Some(from), to, OperationOutcome::Succeeded, Some(APP));
}

/// What the backend of that operation is seen to do.
fn seen(made: &mut Made, at: u64, state: &str, event: Option<(&str, &str)>) {
    let backend = Backend {
        session: SessionId::from(APP),
        backend_type: "client backend".to_owned(),
        application_name: String::new(),
        state: Some(state.to_owned()),
        wait_event_type: event.map(|(of, _)| of.to_owned()),
        wait_event: event.map(|(_, event)| event.to_owned()),
        transaction_age_us: None,
        query_age_us: None,
        query: String::new(),
    };
    made.at(at, Event::Activity(ActivitySample { backends: vec![backend], ..Default::default() }));
}

/// As after SIGSTOP and SIGCONT: what was due meanwhile was let go at the end, and what was under
/// way was seen to finish then.
fn stopped_for_two_seconds(made: &mut Made) {
    slow(made, 5_995, 8_001);
    for due in (6_010..8_000).step_by(10) {
        made.late(due, 8_000, 8_003);
    }
}

#[test]
fn what_our_own_stop_made_slow_is_unproven() {
    let mut made = long_change();
    stopped_for_two_seconds(&mut made);
    let judgement = made.judge();
    assert_eq!(judgement.verdict, Verdict::Unproven, "{:?}", judgement.findings);
    let latency = found(&judgement, FindingKind::Latency);
    assert!(matches!(latency.doubt, Some(Doubt::LateThroughout(_))), "{:?}", latency.doubt);
    assert!(latency.sentence.contains("proves nothing"), "{}", latency.sentence);
    let waited = found(&judgement, FindingKind::OperationWaited);
    assert_eq!(waited.verdict, Verdict::Unproven);
}

#[test]
fn a_stop_that_is_short_beside_a_long_change_makes_nothing_unsafe() {
    let mut made = long_change();
    for due in (5_000..18_000).step_by(2) {
        made.operation(due, Some(due), due + 2, OperationOutcome::Succeeded, Some(APP + 3));
    }
    slow(&mut made, 5_995, 8_001);
    for due in (6_010..8_000).step_by(100) {
        made.late(due, 8_000, 8_003);
    }
    let judgement = made.judge();
    assert!(!has(&judgement, FindingKind::GeneratorLag), "{:?}", judgement.findings);
    let waited = found(&judgement, FindingKind::OperationWaited);
    assert_eq!(waited.verdict, Verdict::Unproven);
    assert!(matches!(waited.doubt, Some(Doubt::GeneratorLag(_))), "{:?}", waited.doubt);
}

#[test]
fn what_no_sample_shows_while_many_are_missing_is_unproven_beside_a_stall_too() {
    let mut made = long_change();
    made.blocked_by_change(6_000, 8_500);
    made.operation(12_000, Some(12_000), 13_500, OperationOutcome::Succeeded, Some(APP + 5));
    let judgement = made.clone().judge();
    assert_eq!(found(&judgement, FindingKind::OperationWaited).verdict, Verdict::Unsafe);
    made.sampler.missed = made.sampler.samples;
    let judgement = made.judge();
    let waited = found(&judgement, FindingKind::OperationWaited);
    assert_eq!(waited.verdict, Verdict::Unproven);
    assert!(matches!(waited.doubt, Some(Doubt::SamplesMissing(_))), "{:?}", waited.doubt);
    assert_eq!(found(&judgement, FindingKind::Stall).verdict, Verdict::Unsafe);
}

/// The last sample of a wait may be answered when its operation is through already.
#[test]
fn a_wait_that_is_sampled_past_its_operations_end_is_one_of_the_stalls() {
    let mut made = long_change();
    made.blocked_by_change(6_000, 8_500);
    let pid = APP + 7;
    made.blocked_pid(pid, 6_000, 8_500, &[CHANGE]);
    let last = made.entries.iter_mut().rev().find_map(|(_, event)| match event {
        Event::Operation(operation) => Some(operation),
        _ => None,
    });
    last.expect("its operation").finished_us = Micros::from_millis(8_480);
    let judgement = made.judge();
    assert!(!has(&judgement, FindingKind::OperationWaited), "{:#?}", judgement.findings);
    let stall = found(&judgement, FindingKind::Stall);
    assert!(stall.sentence.contains("2 operations"), "{}", stall.sentence);
}

#[test]
fn what_was_slow_before_the_change_too_is_unproven() {
    let mut made = Made::calm();
    slow(&mut made, 100, 4_900);
    for due in (5_000..18_000).step_by(200) {
        made.operation(due, Some(due), due + 1_900, OperationOutcome::Succeeded, Some(APP));
    }
    let judgement = made.judge();
    assert_eq!(judgement.verdict, Verdict::Unproven, "{:?}", judgement.findings);
    assert_eq!(found(&judgement, FindingKind::Latency).doubt, Some(Doubt::BaselineBroken));
}

/// A machine on which every operation takes two seconds: what waits for a lock of the change that
/// long shows nothing; what waits much longer does.
#[rstest]
#[case::as_long_as_before(2_500, Verdict::Unproven, Some(Doubt::BaselineBroken))]
#[case::much_longer(9_000, Verdict::Unsafe, None)]
#[test]
fn a_stall_is_held_against_how_slow_it_was_before(
    #[case] lasts: u64,
    #[case] verdict: Verdict,
    #[case] doubt: Option<Doubt>,
) {
    let mut made = Made::with_change();
    for due in (0..2_500).step_by(100) {
        slow(&mut made, due, due + 2_000);
    }
    made.statement(0, 5_000, 5_200 + lasts, "ALTER TABLE spans ALTER COLUMN id TYPE text", true);
    made.blocked_by_change(5_200, 5_200 + lasts);
    let judgement = made.judge();
    let stall = found(&judgement, FindingKind::Stall);
    assert_eq!((stall.verdict, stall.doubt), (verdict, doubt), "{}", stall.sentence);
}

/// A machine so starved that our own process was late before the change: no time says anything, and
/// connections that it did not get through are its doing.
#[test]
fn what_a_starved_machine_shows_is_unproven() {
    let mut made = Made::with_change();
    for due in (0..4_800).step_by(100) {
        made.late(due, due + 400, due + 2_000);
    }
    made.statement(0, 5_000, 14_200, "ALTER TABLE spans ALTER COLUMN id TYPE text", true);
    made.blocked_by_change(5_200, 14_200);
    let refused = ServerError {
        sqlstate: None,
        message: "error connecting to server: Resource temporarily unavailable".to_owned(),
        ..error("00000", "")
    };
    for due in (6_000..8_000).step_by(100) {
        made.operation(
            due,
            None,
            due + 300,
            OperationOutcome::Failed(Box::new(refused.clone())),
            None,
        );
    }
    let judgement = made.judge();
    assert_eq!(judgement.verdict, Verdict::Unproven, "{:#?}", judgement.findings);
    let stall = found(&judgement, FindingKind::Stall);
    assert_eq!(stall.doubt, Some(Doubt::BaselineBroken), "{}", stall.sentence);
    let failed = found(&judgement, FindingKind::OperationFailed);
    assert_eq!(failed.doubt, Some(Doubt::BaselineBroken), "{}", failed.sentence);
}

/// Slow after the change, by a pool whose connections wait for our own process to go on.
#[rstest]
#[case::idle("idle", None, Verdict::Unproven, Some(Doubt::NotSeen))]
#[case::at_work("active", None, Verdict::Unsafe, None)]
#[case::waiting("active", Some(("IO", "DataFileRead")), Verdict::Unsafe, None)]
#[test]
fn latency_of_operations_that_the_server_did_not_see_is_not_the_changes(
    #[case] state: &str,
    #[case] event: Option<(&str, &str)>,
    #[case] verdict: Verdict,
    #[case] doubt: Option<Doubt>,
) {
    let mut made = Made::calm();
    for due in (15_100..16_000).step_by(100) {
        slow(&mut made, due, due + 900);
        seen(&mut made, due + 450, state, event);
    }
    let judgement = made.judge();
    let latency = found(&judgement, FindingKind::Latency);
    assert_eq!((latency.verdict, latency.doubt), (verdict, doubt), "{}", latency.sentence);
}

/// Operations that waited 0.9 s for a connection after the change: of a pool that had some, our own
/// process was late; one that was empty all the while explains it.
#[rstest]
#[case::there_were_connections(false, Verdict::Unproven, Some(Doubt::NotSeen))]
#[case::all_were_in_use(true, Verdict::Unsafe, None)]
fn a_wait_for_a_connection_after_the_change_is_explained_by_an_empty_pool_alone(
    #[case] empty: bool,
    #[case] verdict: Verdict,
    #[case] doubt: Option<Doubt>,
) {
    let mut made = Made::calm();
    for due in (20_100..21_900).step_by(100) {
        let acquired = Some(due + 890);
        made.operation(due, acquired, due + 900, OperationOutcome::Succeeded, Some(APP + 40));
    }
    let holders = if empty { 3 } else { 0 };
    for from in (20_050..23_000).step_by(400) {
        for pid in APP..APP + holders {
            made.operation(from, Some(from), from + 400, OperationOutcome::Succeeded, Some(pid));
        }
    }
    let judgement = made.judge();
    let latency = found(&judgement, FindingKind::Latency);
    assert_eq!((latency.verdict, latency.doubt), (verdict, doubt), "{}", latency.sentence);
}

#[test]
fn what_does_not_rest_on_our_times_stays() {
    let mut made = Made::with_change();
    made.statement(0, 5_000, 15_000, "ALTER TABLE spans ALTER COLUMN id TYPE text", true);
    made.blocked_by_change(5_200, 15_000);
    stopped_for_two_seconds(&mut made);
    let judgement = made.judge();
    let stall = found(&judgement, FindingKind::Stall);
    assert_eq!((stall.verdict, stall.doubt), (Verdict::Unsafe, None), "{}", stall.sentence);

    let mut made = Made::with_change();
    let message = "canceling statement due to statement timeout";
    made.failed_statement(0, 5_000, 8_000, ADD_COLUMN, "57014", message);
    made.attempt_fails("57014", message);
    stopped_for_two_seconds(&mut made);
    assert_eq!(made.judge().verdict, Verdict::Unsafe);
}

#[test]
fn a_stall_that_our_own_stop_lengthened_beyond_the_limit_is_unproven() {
    let mut made = Made::with_change();
    made.statement(0, 5_000, 8_100, ADD_COLUMN, true);
    made.blocked_by_change(5_900, 8_100);
    stopped_for_two_seconds(&mut made);
    assert_eq!(found(&made.judge(), FindingKind::Stall).verdict, Verdict::Unproven);
}

#[test]
fn failures_of_a_kind_that_there_was_before_are_unproven_and_others_are_not() {
    let fails = |made: &mut Made, at: u64, code: &str| {
        let outcome = OperationOutcome::Failed(error(code, "it failed").into());
        made.operation(at, Some(at), at + 1, outcome, Some(APP));
    };
    let mut made = Made::calm();
    fails(&mut made, 1_000, "23505");
    fails(&mut made, 6_000, "23505");
    let judgement = made.clone().judge();
    let failed = found(&judgement, FindingKind::OperationFailed);
    assert_eq!(failed.verdict, Verdict::Unproven, "{}", failed.sentence);
    fails(&mut made, 7_000, "42703");
    let judgement = made.judge();
    assert_eq!(found(&judgement, FindingKind::OperationFailed).verdict, Verdict::Unsafe);
}

/// How much WAL each statement of the change wrote.
fn wrote(made: &mut Made, bytes: u64) {
    for (_, event) in &mut made.entries {
        if let Event::StatementEnded(ended) = event {
            ended.wal_bytes = Some(bytes);
        }
    }
}

/// Measured: of 200 null changes under load, one met a disk that was slow for a second.
#[rstest]
#[case::next_to_none(13_000, "WALWrite", Verdict::Unproven)]
#[case::much(20_000_000, "WALWrite", Verdict::Unsafe)]
#[case::for_something_else(13_000, "BufferMapping", Verdict::Unsafe)]
fn waits_for_wal_need_a_change_that_writes_some(
    #[case] bytes: u64,
    #[case] event: &str,
    #[case] expected: Verdict,
) {
    let mut made = long_change();
    slow(&mut made, 6_000, 7_400);
    seen(&mut made, 6_500, "active", Some(("LWLock", event)));
    // What no sample shows, and what queues behind, is slow for the same reason.
    made.operation(6_100, Some(6_100), 7_300, OperationOutcome::Succeeded, Some(APP + 1));
    made.operation(6_150, Some(7_410), 7_420, OperationOutcome::Succeeded, Some(APP));
    wrote(&mut made, bytes);
    let judgement = made.judge();
    let sentences: Vec<_> = judgement.findings.iter().map(|found| &found.sentence).collect();
    assert_eq!(judgement.verdict, expected, "{sentences:?}");
    for kind in [FindingKind::OperationWaited, FindingKind::Latency] {
        let waited = found(&judgement, kind);
        assert_eq!(waited.verdict, expected, "{}", waited.sentence);
        let said = waited.sentence.contains("13.0 kB of WAL by then, which nobody waits for");
        assert_eq!(said, expected == Verdict::Unproven, "{}", waited.sentence);
    }
}

#[test]
fn a_wait_for_no_lock_counts_with_what_its_backend_waited_for() {
    let mut made = long_change();
    slow(&mut made, 6_000, 7_400);
    seen(&mut made, 6_500, "active", Some(("LWLock", "WALWrite")));
    let judgement = made.judge();
    let waited = found(&judgement, FindingKind::OperationWaited);
    assert_eq!(waited.verdict, Verdict::Unsafe);
    let expected = "1 operation waited up to 1.40 s (limit 1.00 s) while UPDATE spans SET a = 1 \
                    WHERE b (migration.sql:1) ran, and not for a lock of the change: 1 on the wait \
                    event LWLock WALWrite; before the change the longest took 2.0 ms";
    assert_eq!(waited.sentence, expected);
}

#[rstest]
#[case::idle("idle", Some(("Client", "ClientRead")), "had not begun the statement")]
#[case::on_the_processor("active", None, "ran and waited for nothing")]
fn what_a_backend_was_seen_to_do_is_told(
    #[case] state: &str,
    #[case] event: Option<(&str, &str)>,
    #[case] words: &str,
) {
    let mut made = long_change();
    slow(&mut made, 6_000, 7_400);
    seen(&mut made, 6_500, state, event);
    let judgement = made.judge();
    let waited = found(&judgement, FindingKind::OperationWaited);
    assert!(waited.sentence.contains(words), "{}", waited.sentence);
}

#[test]
fn a_wait_that_nothing_explains_is_not_passed_over() {
    let mut made = long_change();
    slow(&mut made, 6_000, 7_400);
    let judgement = made.judge();
    assert_eq!(judgement.verdict, Verdict::Unsafe);
    let waited = found(&judgement, FindingKind::OperationWaited);
    assert!(waited.sentence.contains("nothing that a sample showed"), "{}", waited.sentence);
}

#[rstest]
#[case::there_was_one_before(|made: &mut Made| {
    slow(made, 6_000, 7_400);
    slow(made, 1_000, 2_100);
})]
#[case::the_change_was_over(|made: &mut Made| slow(made, 20_100, 21_500))]
#[case::another_session_held_the_lock(|made: &mut Made| made.blocked_by(6_000, 9_000, READER))]
fn a_long_wait_that_is_not_known_to_be_the_changes_doing_is_unproven(#[case] waits: fn(&mut Made)) {
    let mut made = long_change();
    waits(&mut made);
    let judgement = made.judge();
    let waited = found(&judgement, FindingKind::OperationWaited);
    assert_eq!(waited.verdict, Verdict::Unproven, "{}", waited.sentence);
}

#[test]
fn what_queued_behind_a_stall_is_as_bounded_as_the_stall() {
    let mut made = Made::with_change();
    made.lock_timeout_ms = 3_000;
    made.statement(0, 5_000, 8_100, ADD_COLUMN, false);
    made.queued_behind_waiting_change(5_050, 8_100);
    for due in [8_150, 20_100] {
        let acquired = Some(due + 1_150);
        made.operation(due, acquired, due + 1_152, OperationOutcome::Succeeded, Some(APP + 2));
    }
    let judgement = made.judge();
    assert_eq!(judgement.verdict, Verdict::Bounded);
    // The stall that they queued behind is the finding.
    assert!(judgement.findings.iter().all(|found| found.kind != FindingKind::OperationWaited));
}

#[test]
fn a_latency_says_what_the_slow_operations_waited_for() {
    let mut made = Made::with_change();
    made.statement(0, 5_000, 6_000, "REFRESH MATERIALIZED VIEW spans", true);
    for pid in APP..APP + 20 {
        made.blocked_pid(pid, 5_050, 5_950, &[crate::made::CHANGE]);
    }
    let judgement = made.judge();
    let latency = found(&judgement, FindingKind::Latency);
    for words in ["20 for RowExclusiveLock on spans, behind the change", "REFRESH MATERIALIZED"] {
        assert!(latency.sentence.contains(words), "{}", latency.sentence);
    }
}

#[rstest]
#[case::no_answer(OperationOutcome::Unanswered)]
#[case::connection_lost(OperationOutcome::Indeterminate("connection reset".to_owned()))]
fn what_the_interruption_cut_off_is_not_the_changes_doing(#[case] outcome: OperationOutcome) {
    let mut made = Made::calm();
    made.operation(22_900, Some(22_900), 22_999, outcome, Some(APP));
    made.cut_before(Phase::End);
    let judgement = made.judge();
    assert!(!has(&judgement, FindingKind::OperationFailed), "{:?}", judgement.findings);
    assert_eq!(judgement.verdict, Verdict::Unproven);
}

#[rstest]
#[case::an_administrator("57P01", "terminating connection due to administrator command")]
#[case::a_crash("57P02", "terminating connection because of crash of another server process")]
#[case::a_recovery("57P03", "the database system is in recovery mode")]
#[case::a_full_disk("53100", "could not extend file: No space left on device")]
fn what_ends_sessions_from_outside_is_not_the_changes_doing(
    #[case] code: &str,
    #[case] message: &str,
) {
    let mut made = Made::calm();
    let outcome = OperationOutcome::Failed(error(code, message).into());
    made.operation(6_000, Some(6_000), 6_001, outcome, Some(APP));
    let judgement = made.judge();
    assert!(!has(&judgement, FindingKind::OperationFailed), "{:?}", judgement.findings);
    let ended = found(&judgement, FindingKind::MeasurementFailed);
    assert_eq!(judgement.verdict, Verdict::Unproven);
    assert!(ended.sentence.contains("says nothing of the change"), "{}", ended.sentence);
}

#[test]
fn sessions_that_the_change_ends_are_its_doing() {
    let mut made = Made::with_change();
    let text = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity";
    made.statement(0, 5_000, 5_010, text, false);
    let message = "terminating connection due to administrator command";
    let outcome = OperationOutcome::Failed(error("57P01", message).into());
    made.operation(5_001, Some(5_001), 5_005, outcome, Some(APP));
    let judgement = made.judge();
    assert_eq!(found(&judgement, FindingKind::OperationFailed).verdict, Verdict::Unsafe);
}

/// The server's own words are lost with the connections: that it went down is what is known.
#[test]
fn a_server_that_goes_down_takes_the_proof_with_it_and_is_not_the_changes_doing() {
    let mut made = Made::calm();
    let lost = OperationOutcome::Indeterminate("connection closed".to_owned());
    made.operation(6_000, Some(6_000), 6_001, lost, Some(APP));
    made.at(6_200, Event::ServerDown);
    let judgement = made.judge();
    assert_eq!(judgement.verdict, Verdict::Unproven, "{:?}", judgement.findings);
    assert!(!has(&judgement, FindingKind::OperationFailed), "{:?}", judgement.findings);
    let down = "the server went down in the midst of the trial";
    assert!(judgement.findings.iter().any(|found| found.sentence.contains(down)));
}

/// The time without a server explains what came in it, and nothing later.
#[test]
fn what_comes_after_the_server_is_back_is_the_changes_doing() {
    let mut made = Made::calm();
    made.at(6_200, Event::ServerDown);
    made.operation(7_000, Some(7_000), 7_001, OperationOutcome::Succeeded, Some(APP));
    made.operation(12_000, Some(16_000), 16_001, OperationOutcome::Succeeded, Some(APP));
    let judgement = made.judge();
    let waited = found(&judgement, FindingKind::OperationWaited);
    assert!(!waited.sentence.contains("a crash or stop"), "{}", waited.sentence);
}

#[rstest]
#[case::an_administrator("57P01", "terminating connection due to administrator command")]
#[case::a_full_disk("53100", "could not extend file: No space left on device")]
fn a_change_that_was_ended_from_outside_is_unproven(#[case] code: &str, #[case] message: &str) {
    let mut made = Made::with_change();
    made.failed_statement(0, 5_000, 6_000, ADD_COLUMN, code, message);
    made.attempt_fails(code, message);
    made.rerun(failed(code, message));
    let judgement = made.judge();
    assert_eq!(judgement.verdict, Verdict::Unproven, "{:?}", judgement.findings);
    assert!(!has(&judgement, FindingKind::RerunFailed));
}

#[test]
fn operations_that_fail_to_the_end_have_not_recovered() {
    let mut made = Made::calm();
    for due in (6_000..21_990).step_by(100) {
        let outcome = OperationOutcome::Failed(error("55000", "cannot update table").into());
        made.operation(due, Some(due), due + 1, outcome, Some(APP));
    }
    let judgement = made.judge();
    assert_eq!(judgement.measured.recovery_us, None);
    let finding = found(&judgement, FindingKind::NotRecovered);
    assert_eq!(finding.verdict, Verdict::Unsafe);
    assert!(
        finding.sentence.contains("still failed 2.00 s after the change had ended: 10 of the 12"),
        "{}",
        finding.sentence
    );
}

#[test]
fn operations_that_stopped_failing_have_recovered() {
    let mut made = Made::calm();
    for due in (19_000..20_500).step_by(100) {
        let outcome = OperationOutcome::Failed(error("55000", "cannot update table").into());
        made.operation(due, Some(due), due + 1, outcome, Some(APP));
    }
    let judgement = made.judge();
    assert_eq!(judgement.measured.recovery_us, Some(Micros::from_millis(400)));
    assert!(!has(&judgement, FindingKind::NotRecovered));
}

#[test]
fn an_index_that_the_rerun_repaired_is_bounded() {
    let mut made = Made::with_change();
    let text = "CREATE INDEX CONCURRENTLY ix ON spans (task_id)";
    let message = "canceling statement due to lock timeout";
    made.failed_statement(0, 5_000, 5_500, text, "55P03", message);
    made.attempt_fails("55P03", message);
    made.invalid_index_after(0);
    made.rerun(AttemptEnd::Finished { applied: Some(1) });
    made.catalogue_after(1);
    let judgement = made.judge();
    assert_eq!(found(&judgement, FindingKind::InvalidIndex).verdict, Verdict::Bounded);
    assert_eq!(judgement.verdict, Verdict::Bounded);
    assert!(!judgement.reason.contains("nothing was left behind"), "{}", judgement.reason);
}

#[test]
fn a_rerun_that_its_deadline_cut_off_has_not_failed() {
    let mut made = Made::calm();
    made.rerun(AttemptEnd::DeadlineExceeded);
    let judgement = made.judge();
    assert!(!has(&judgement, FindingKind::RerunFailed), "{:?}", judgement.findings);
    assert_eq!(judgement.verdict, Verdict::Unproven);
}
