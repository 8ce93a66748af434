//! What the server's log adds to a judgement, on histories made by hand.

use std::collections::BTreeMap;

use pgauntlet::clock::Micros;
use pgauntlet::history::{
    AttemptEnd, Event, GrantedLock, LogReport, LoggedDeadlock, LoggedEnd, LoggedWait,
    OperationOutcome, ServerError, Wait, WaitSample,
};
use pgauntlet::result::{Evidence, Finding, Judgement, LogCompared};
use pgauntlet::scenario::{FindingKind, Verdict};

use crate::made::{APP, CHANGE, Made, error};

const ALTER: &str = "ALTER TABLE spans ADD COLUMN a int";

/// A wait for `spans` that the log has, from and to these milliseconds.
fn logged(pid: i32, from: u64, to: u64, holders: &[i32]) -> Event {
    let (from_us, to_us) = (Micros::from_millis(from), Micros::from_millis(to));
    let wait = LoggedWait {
        session: pid.into(),
        mode: "RowExclusiveLock".to_owned(),
        object: "relation 16384 of database 5".to_owned(),
        relation: Some("spans".to_owned()),
        from_us,
        to_us: Some(to_us),
        waited_us: to_us - from_us,
        outcome: LoggedEnd::Acquired,
        holders: holders.to_vec(),
        queue: vec![pid],
        statement: None,
    };
    Event::LoggedWait(wait.into())
}

/// The same wait as a sample shows it, after so long.
fn sampled(waited_ms: u64) -> Event {
    let (session, relation) = (APP.into(), Some("spans".to_owned()));
    let (locktype, mode) = ("relation".to_owned(), "RowExclusiveLock".to_owned());
    let waited_us = Some(Micros::from_millis(waited_ms));
    let held = "AccessExclusiveLock".to_owned();
    let holders =
        vec![GrantedLock { session: CHANGE.into(), relation: relation.clone(), mode: held }];
    let blockers = vec![CHANGE.into()];
    let wait = Wait { session, locktype, mode, relation, waited_us, blockers, holders };
    Event::Waits(WaitSample { waits: vec![wait] })
}

fn report() -> Event {
    let deadlock_timeout_us = Some(Micros::from_secs(1));
    Event::Log(LogReport { deadlock_timeout_us, bytes: 1, not_read: None })
}

fn log_of(judgement: &Judgement) -> &LogCompared {
    judgement.measured.log.as_ref().expect("a log")
}

fn found(judgement: &Judgement, kind: FindingKind) -> &Finding {
    let found = judgement.findings.iter().find(|finding| finding.kind == kind);
    found.unwrap_or_else(|| panic!("no {kind}: {:?}", judgement.findings))
}

/// A change that holds its table for four seconds.
fn holding() -> Made {
    let mut made = Made::with_change();
    made.statement(0, 6_000, 6_010, ALTER, true);
    made.statement(1, 6_011, 10_020, "SELECT pg_sleep(4)", true);
    made
}

#[test]
fn a_wait_that_only_the_log_has_is_a_stall_with_its_holder() {
    let mut made = holding();
    made.operation(6_500, Some(6_500), 10_001, OperationOutcome::Succeeded, Some(APP));
    let unseen = made.clone().judge();
    assert!(!unseen.findings.iter().any(|f| f.kind == FindingKind::Stall));
    made.at(10_000, logged(APP, 6_500, 10_000, &[CHANGE]));
    made.at(23_000, report());
    let judgement = made.judge();
    let stall = found(&judgement, FindingKind::Stall);
    assert_eq!(stall.verdict, Verdict::Unsafe);
    let witness = stall.witness.as_ref().expect("a witness");
    assert_eq!(witness.held.as_deref(), Some("AccessExclusiveLock"));
    assert_eq!(witness.relation.as_deref(), Some("spans"));
    assert_eq!((log_of(&judgement).waits, log_of(&judgement).only_logged), (1, 1));
}

#[test]
fn a_wait_behind_one_that_only_the_log_has_is_put_down_to_the_change() {
    let mut made = holding();
    made.operation(6_500, Some(6_500), 10_001, OperationOutcome::Succeeded, Some(APP));
    made.operation(6_600, Some(6_600), 10_002, OperationOutcome::Succeeded, Some(APP + 1));
    made.at(10_000, logged(APP, 6_500, 10_000, &[CHANGE]));
    made.at(10_001, logged(APP + 1, 6_600, 10_001, &[APP]));
    made.at(23_000, report());
    let judgement = made.judge();
    let Some(Evidence::Stall(stall)) = &found(&judgement, FindingKind::Stall).evidence else {
        panic!("{judgement:?}")
    };
    assert_eq!(stall.operations, 2);
}

#[test]
fn a_wait_that_both_have_is_one_and_the_difference_is_shown() {
    let mut made = holding();
    made.operation(6_500, Some(6_500), 9_201, OperationOutcome::Succeeded, Some(APP));
    for at in (6_510..9_000).step_by(10) {
        made.at(at, sampled(at - 6_500));
    }
    // By the log's clock it ends after the client had its answer.
    made.at(9_203, logged(APP, 6_500, 9_203, &[CHANGE]));
    made.at(23_000, report());
    let judgement = made.judge();
    let log = log_of(&judgement);
    assert_eq!((log.waits, log.only_logged, log.apart), (1, 0, 1));
    assert_eq!(log.apart_us_max, Micros::from_millis(213));
    let Some(Evidence::Stall(stall)) = &found(&judgement, FindingKind::Stall).evidence else {
        panic!("{judgement:?}")
    };
    assert_eq!(stall.operations, 1);
}

#[test]
fn a_wait_for_others_that_only_the_log_has_is_no_stall() {
    let mut made = Made::calm();
    made.operation(6_500, Some(6_500), 8_001, OperationOutcome::Succeeded, Some(APP));
    made.at(8_000, logged(APP, 6_500, 8_000, &[APP + 1]));
    made.at(23_000, report());
    let judgement = made.judge();
    assert!(!judgement.findings.iter().any(|f| f.kind == FindingKind::Stall));
    assert_eq!(log_of(&judgement).only_logged, 1);
}

fn detail(statements: bool) -> String {
    let edges = format!(
        "Process {CHANGE} waits for AccessExclusiveLock on relation 16384 of database 5; blocked \
         by process {APP}.\nProcess {APP} waits for ShareLock on transaction 742; blocked by \
         process {CHANGE}."
    );
    match statements {
        true => {
            format!("{edges}\nProcess {CHANGE}: {ALTER}\nProcess {APP}: UPDATE spans\nSET a = 1")
        }
        false => edges,
    }
}

fn deadlocked(with_log: bool) -> Judgement {
    let mut made = Made::with_change();
    let message = "deadlock detected";
    made.failed_statement(0, 6_000, 7_000, ALTER, "40P01", message);
    let detail_of_client = Some(detail(false));
    let error = ServerError { detail: detail_of_client, ..error("40P01", message) };
    match with_log {
        true => made.attempt_fails("40P01", message),
        false => made.ends(AttemptEnd::Failed { migration: "m".to_owned(), error: error.into() }),
    }
    if with_log {
        let logged = LoggedDeadlock {
            session: CHANGE.into(),
            detail: detail(true),
            context: None,
            relations: BTreeMap::from([(16_384, "spans".to_owned())]),
        };
        made.at(7_000, Event::LoggedDeadlock(logged.into()));
        made.at(23_000, report());
    }
    made.judge()
}

#[test]
fn a_deadlock_names_both_sides_with_statements_and_relations_of_the_log() {
    let judgement = deadlocked(true);
    let sentence = &found(&judgement, FindingKind::Deadlock).sentence;
    let change = format!(
        "the change (pid {CHANGE}) ({ALTER}) waited for AccessExclusiveLock on spans behind an \
         operation of the application (pid {APP})"
    );
    let operation = format!(
        "an operation of the application (pid {APP}) (UPDATE spans SET a = 1) waited for ShareLock \
         on a row that the other had written behind the change (pid {CHANGE})"
    );
    assert!(sentence.contains(&change) && sentence.contains(&operation), "{sentence}");
    assert_eq!(log_of(&judgement).deadlocks, 1);
}

#[test]
fn without_a_log_the_sides_of_a_deadlock_are_those_of_its_detail() {
    let judgement = deadlocked(false);
    let finding = found(&judgement, FindingKind::Deadlock);
    let Some(Evidence::Deadlock(aborted)) = &finding.evidence else { panic!("{finding:?}") };
    assert_eq!(aborted.deadlock.as_ref().map(|deadlock| deadlock.sides.len()), Some(2));
    assert!(finding.sentence.contains("relation 16384 of database 5"), "{}", finding.sentence);
    assert_eq!(judgement.measured.log, None);
}

#[test]
fn each_operation_s_errors_are_counted_and_the_most_frequent_comes_first() {
    let mut made = Made::calm();
    let mut second = made.scenario.traffic.operations[0].clone();
    second.name = "read-span".to_owned();
    made.scenario.traffic.operations.push(second);
    let fails = |made: &mut Made, at: u64, code: &str, message: &str, detail: Option<&str>| {
        let detail = detail.map(str::to_owned);
        let failed = ServerError { detail, ..error(code, message) };
        made.operation(at, Some(at), at + 1, OperationOutcome::Failed(failed.into()), Some(APP));
    };
    for n in 0..2 {
        fails(&mut made, 6_000 + n, "0A000", "cached plan must not change result type", None);
    }
    for n in 0..5 {
        let detail = Some("Failing row contains (1, null).");
        fails(&mut made, 7_000 + n, "23502", "null value in column \"a\"", detail);
    }
    let judgement = made.judge();
    let finding = found(&judgement, FindingKind::OperationFailed);
    let Some(Evidence::OperationFailed(failed)) = &finding.evidence else { panic!("{finding:?}") };
    let counts: Vec<u64> = failed.causes.iter().map(|cause| cause.operations).collect();
    assert_eq!((failed.operations, &counts[..]), (7, &[5, 2][..]));
    let sentence = &finding.sentence;
    let (null, plan) =
        (sentence.find("5 × insert-span with 23502"), sentence.find("2 × insert-span with 0A000"));
    assert!(null.is_some() && null < plan, "{sentence}");
    assert!(sentence.contains("DETAIL: Failing row contains (1, null)"), "{sentence}");
}

#[test]
fn what_the_server_said_of_an_error_is_in_the_finding() {
    let mut made = Made::with_change();
    let message = "insert or update on table \"orders\" violates foreign key constraint \"f\"";
    made.failed_statement(
        0,
        6_000,
        7_000,
        "ALTER TABLE orders VALIDATE CONSTRAINT f",
        "23503",
        message,
    );
    let said = ServerError {
        detail: Some("Key (customer_id)=(7) is not present in table \"customers\".".to_owned()),
        hint: Some("Look for it.".to_owned()),
        context: Some("SQL statement \"SELECT 1\"\nPL/pgSQL function f()".to_owned()),
        ..error("23503", message)
    };
    made.ends(AttemptEnd::Failed { migration: "m".to_owned(), error: said.into() });
    let judgement = made.judge();
    let sentence = &found(&judgement, FindingKind::ChangeFailed).sentence;
    for part in [
        "DETAIL: Key (customer_id)=(7) is not present in table \"customers\"",
        "HINT: Look for it",
        "CONTEXT: SQL statement \"SELECT 1\" PL/pgSQL function f()",
    ] {
        assert!(sentence.contains(part), "{part} is not in: {sentence}");
    }
}
