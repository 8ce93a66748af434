//! What a standby's samples and its readers' times amount to.

use std::collections::BTreeMap;

use pgauntlet::clock::Micros;
use pgauntlet::history::{
    Event, Node, Operation, OperationOutcome, ReplicaSample, Role, STANDBY, ServerError, SessionId,
    SessionSeen, Startup, Wait, WaitSample, WalSender,
};
use pgauntlet::pg::SqlState;
use pgauntlet::result::{Evidence, Finding, Judgement};
use pgauntlet::scenario::{FindingKind, On, Replica, Verdict};

use crate::made::Made;

const STARTUP: i32 = 40;
const READER: i32 = 700;
/// What the primary writes in a tenth of a second.
const STEP: u64 = 1_000;

fn on_standby(pid: i32) -> SessionId {
    SessionId { node: Node::Standby(STANDBY.into()), pid, since: None }
}

/// A change that drops a column from 5.1 s to 5.11 s, with a standby that has one kind of reader.
fn made() -> Made {
    let mut made = Made::with_change();
    made.scenario.replica = Some(Replica::default());
    let mut read = made.scenario.traffic.operations[0].clone();
    (read.name, read.on) = ("read-span".to_owned(), On::Replica);
    made.scenario.traffic.operations.push(read);
    made.statement(0, 5_100, 5_110, "ALTER TABLE spans DROP COLUMN note", true);
    for pid in READER..READER + 5 {
        let seen = SessionSeen { session: on_standby(pid), role: Role::Application };
        made.at(0, Event::Session(seen));
    }
    made
}

/// Ten samples a second; replay stands still from one moment to another.
fn samples(made: &mut Made, still: (u64, u64), waits: impl Fn(u64) -> Vec<Wait>) {
    for at in (0..23_000).step_by(100) {
        let current = at / 100 * STEP;
        let replayed = if at >= still.0 && at < still.1 { still.0 / 100 * STEP } else { current };
        let sender = WalSender { state: "streaming".to_owned(), ..WalSender::default() };
        let sample = ReplicaSample {
            current,
            sender: Some(sender),
            replayed,
            conflicts: BTreeMap::from([("lock".to_owned(), u64::from(at >= still.1))]),
            startup: Some(Startup { pid: STARTUP, ..Startup::default() }),
            waits: WaitSample { waits: waits(at) },
            ..ReplicaSample::default()
        };
        made.at(at, Event::Replica(Box::new(sample)));
    }
}

fn wait(pid: i32, waited_ms: u64, blockers: &[i32], mode: &str) -> Wait {
    Wait {
        session: on_standby(pid),
        locktype: "relation".to_owned(),
        mode: mode.to_owned(),
        relation: Some("spans".to_owned()),
        waited_us: Some(Micros::from_millis(waited_ms)),
        blockers: blockers.iter().map(|pid| on_standby(*pid)).collect(),
        holders: Vec::new(),
    }
}

/// Replay waits for a reader from 5.2 s on, and another reader behind replay from 5.3 s on.
fn behind_a_reader(until: u64) -> impl Fn(u64) -> Vec<Wait> {
    move |at| {
        let mut waits = Vec::new();
        if (5_200..until).contains(&at) {
            waits.push(wait(STARTUP, at - 5_200, &[READER], "AccessExclusiveLock"));
        }
        if (5_300..until).contains(&at) {
            waits.push(wait(READER + 1, at - 5_300, &[STARTUP], "AccessShareLock"));
        }
        waits
    }
}

fn read(made: &mut Made, pid: i32, (from, to): (u64, u64), outcome: OperationOutcome) {
    made.operation(from, Some(from), to, outcome, None);
    if let Some((_, Event::Operation(operation))) = made.entries.last_mut() {
        let session = Some(on_standby(pid));
        *operation = Operation { kind: 1, session, on_replica: true, ..operation.clone() };
    }
}

fn conflict() -> OperationOutcome {
    let error = ServerError {
        sqlstate: Some(SqlState::new("40001")),
        message: "canceling statement due to conflict with recovery".to_owned(),
        detail: Some("User was holding a relation lock for too long.".to_owned()),
        ..ServerError::default()
    };
    OperationOutcome::Failed(error.into())
}

fn found(judgement: &Judgement, kind: FindingKind) -> Option<&Finding> {
    judgement.findings.iter().find(|finding| finding.kind == kind)
}

#[test]
fn a_standby_that_keeps_up_is_no_finding() {
    let mut made = made();
    samples(&mut made, (0, 0), |_| Vec::new());
    read(&mut made, READER, (6_000, 6_002), OperationOutcome::Succeeded);
    let judgement = made.judge();
    assert_eq!(judgement.verdict, Verdict::Safe, "{:?}", judgement.findings);
    for kind in [FindingKind::ReplicaLag, FindingKind::RecoveryConflict] {
        assert!(found(&judgement, kind).is_none(), "{:?}", judgement.findings);
    }
    let replica = judgement.measured.replica.expect("figures");
    assert_eq!((replica.lag_us_max, replica.operations, replica.waited), (Micros::ZERO, 1, 0));
}

#[test]
fn a_read_that_replay_cancels_is_unsafe_and_the_statement_that_took_the_lock_is_to_blame() {
    let mut made = made();
    samples(&mut made, (5_200, 7_200), behind_a_reader(7_200));
    read(&mut made, READER, (5_000, 7_205), conflict());
    read(&mut made, READER + 1, (5_290, 7_210), OperationOutcome::Succeeded);
    let judgement = made.judge();
    assert_eq!(judgement.verdict, Verdict::Unsafe, "{:?}", judgement.findings);
    assert!(found(&judgement, FindingKind::OperationFailed).is_none());
    let finding = found(&judgement, FindingKind::RecoveryConflict).expect("a finding");
    let Some(Evidence::RecoveryConflict(of)) = &finding.evidence else { panic!("{finding:?}") };
    assert_eq!((of.cancelled, of.waited), (1, 1));
    assert_eq!(of.longest_us, Micros::from_millis(1_900));
    assert!(of.replay_waited_us >= Micros::from_millis(1_900), "{of:?}");
    assert_eq!(finding.subject.relation.as_deref(), Some("spans"));
    let text = finding.subject.statement.as_ref().map(|statement| statement.text.as_str());
    assert_eq!(text, Some("ALTER TABLE spans DROP COLUMN note"));
    assert!(finding.sentence.contains("40001"), "{}", finding.sentence);
    let replica = judgement.measured.replica.expect("figures");
    assert_eq!(replica.conflicts["lock"], 1);
}

#[test]
fn a_read_that_waits_for_replay_beyond_the_limit_is_unsafe_and_within_it_a_note() {
    for (until, verdict) in [(7_200, Verdict::Unsafe), (5_900, Verdict::Safe)] {
        let mut made = made();
        samples(&mut made, (5_200, until), behind_a_reader(until));
        read(&mut made, READER, (5_000, until), OperationOutcome::Succeeded);
        read(&mut made, READER + 1, (5_290, until + 5), OperationOutcome::Succeeded);
        let judgement = made.judge();
        assert_eq!(judgement.verdict, verdict, "{:?}", judgement.findings);
        let finding = found(&judgement, FindingKind::RecoveryConflict).expect("a finding");
        assert_eq!(finding.verdict, verdict);
    }
}

#[test]
fn a_wait_for_a_relation_that_no_statement_locks_is_none_of_the_change() {
    let mut made = made();
    let other = |at| {
        let mut waits = behind_a_reader(7_200)(at);
        waits.iter_mut().for_each(|wait| wait.relation = Some("others".to_owned()));
        waits
    };
    samples(&mut made, (5_200, 7_200), other);
    read(&mut made, READER + 1, (5_290, 7_210), OperationOutcome::Succeeded);
    let judgement = made.judge();
    let finding = found(&judgement, FindingKind::RecoveryConflict).expect("a finding");
    assert_eq!((finding.verdict, &finding.subject.statement), (Verdict::Safe, &None));
}

#[test]
fn a_lag_is_the_age_of_what_is_not_replayed_and_decides_only_against_a_limit() {
    for (limit, verdict) in [(None, Verdict::Safe), (Some(1_000), Verdict::Unsafe)] {
        let mut made = made();
        made.scenario.limits.replica_lag_ms_max = limit;
        samples(&mut made, (5_200, 8_200), |_| Vec::new());
        let judgement = made.judge();
        assert_eq!(judgement.verdict, verdict, "{:?}", judgement.findings);
        let finding = found(&judgement, FindingKind::ReplicaLag).expect("a finding");
        let Some(Evidence::ReplicaLag(of)) = &finding.evidence else { panic!("{finding:?}") };
        // The first WAL that is not replayed was there at 5.3 s; the last sample is at 8.1 s.
        assert_eq!(of.longest_us, Micros::from_millis(2_800));
        assert_eq!(of.bytes_max, 29 * STEP);
    }
}

#[test]
fn a_lag_that_was_there_before_the_change_is_unproven() {
    let mut made = made();
    made.scenario.limits.replica_lag_ms_max = Some(1_000);
    samples(&mut made, (2_000, 7_000), |_| Vec::new());
    let judgement = made.judge();
    assert_eq!(judgement.verdict, Verdict::Unproven, "{:?}", judgement.findings);
}

#[test]
fn a_standby_that_is_not_seen_does_not_follow_or_does_not_replay_proves_nothing() {
    let unseen = made();
    let mut silent = made();
    samples(&mut silent, (0, 0), |_| Vec::new());
    for (at, event) in &mut silent.entries {
        if let (6_000..7_000, Event::Replica(sample)) = (*at, event) {
            sample.sender = None;
        }
    }
    let mut stuck = made();
    samples(&mut stuck, (5_000, 90_000), |_| Vec::new());
    for (made, why) in [
        (unseen, "was not sampled"),
        (silent, "did not follow its primary"),
        (stuck, "had not replayed the change"),
    ] {
        let judgement = made.judge();
        assert_eq!(judgement.verdict, Verdict::Unproven, "{:?}", judgement.findings);
        let finding = found(&judgement, FindingKind::MeasurementFailed).expect("a finding");
        assert!(finding.sentence.contains(why), "{}", finding.sentence);
    }
}

#[test]
fn a_read_on_the_standby_that_fails_otherwise_is_a_failed_operation() {
    let mut made = made();
    samples(&mut made, (0, 0), |_| Vec::new());
    let error = crate::made::error("42703", "column \"note\" does not exist");
    read(&mut made, READER, (6_000, 6_002), OperationOutcome::Failed(error.into()));
    let judgement = made.judge();
    assert_eq!(judgement.verdict, Verdict::Unsafe);
    assert!(found(&judgement, FindingKind::OperationFailed).is_some());
}
