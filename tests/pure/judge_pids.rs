//! A pid that comes back, and one that another server has: each history is made by hand.

use pgauntlet::assess::{self, Against};
use pgauntlet::clock::Micros;
use pgauntlet::history::{
    Entry, Event, GrantedLock, Header, History, Node, OperationOutcome, Role, SessionId,
    SessionSeen, Wait, WaitSample, since,
};
use pgauntlet::judge::observe;
use pgauntlet::result::Judgement;
use pgauntlet::scenario::{FindingKind, Scenario, Verdict};
use rstest::rstest;

use crate::made::{APP, CHANGE, Made, READER};

fn seen(session: SessionId, role: Role) -> Event {
    Event::Session(SessionSeen { session, role })
}

/// A change that blocks an operation for eight seconds.
fn stalled() -> Made {
    let mut made = Made::with_change();
    made.statement(0, 6_000, 14_100, "CREATE INDEX i ON spans (name)", true);
    made.blocked_by_change(6_000, 14_000);
    made
}

fn is_unsafe_stall(judgement: &Judgement) -> bool {
    let stalls = |f: &&pgauntlet::result::Finding| f.kind == FindingKind::Stall;
    judgement.findings.iter().find(stalls).is_some_and(|f| f.verdict == Verdict::Unsafe)
}

/// With a start for every session of the pid: `first` for what was recorded before `from`.
fn with_starts(history: History, pid: i32, from: Micros) -> History {
    let start = |session: &mut SessionId, at: Micros| {
        if session.pid == pid {
            session.since = since(Some(if at < from { 1_000_000 } else { 2_000_000 }));
        }
    };
    let entries = history.entries.into_iter().map(|Entry { at_us, mut event }| {
        match &mut event {
            Event::Session(seen) => start(&mut seen.session, at_us),
            Event::StatementBegan(began) => start(&mut began.session, at_us),
            Event::Operation(operation) => {
                operation.session.iter_mut().for_each(|s| start(s, operation.scheduled_us));
            }
            Event::Waits(sample) => sample.waits.iter_mut().for_each(|wait| {
                start(&mut wait.session, at_us);
                wait.blockers.iter_mut().for_each(|blocker| start(blocker, at_us));
                wait.holders.iter_mut().for_each(|lock| start(&mut lock.session, at_us));
            }),
            _ => {}
        }
        Entry { at_us, event }
    });
    History { header: history.header, entries: entries.collect() }
}

#[rstest]
#[case::by_time(false)]
#[case::by_start(true)]
fn a_stall_stays_when_the_application_gets_the_pid_of_the_change_later(#[case] starts: bool) {
    let mut made = stalled();
    made.at(16_000, seen(CHANGE.into(), Role::Application));
    made.operation(16_100, Some(16_101), 16_103, OperationOutcome::Succeeded, Some(CHANGE));
    let (scenario, mut history) = (made.scenario.clone(), made.history());
    if starts {
        history = with_starts(history, CHANGE, Micros::from_millis(16_000));
    }
    let judgement = judged(&scenario, &history);
    assert!(is_unsafe_stall(&judgement), "{:?}", judgement.findings);
    let witness = judgement.findings.iter().find_map(|f| f.witness.as_ref()).expect("a witness");
    assert_eq!(witness.blocker, format!("the change (pid {CHANGE})"));
}

#[rstest]
#[case::by_time(false)]
#[case::by_start(true)]
fn a_wait_for_the_application_is_no_stall_when_the_change_gets_its_pid_later(#[case] starts: bool) {
    const FORMER: i32 = 700;
    let mut made = Made::with_change();
    made.at(0, seen(FORMER.into(), Role::Application));
    made.blocked_by(6_000, 14_000, FORMER);
    made.at(15_000, seen(FORMER.into(), Role::Change));
    let (scenario, mut history) = (made.scenario.clone(), made.history());
    if starts {
        history = with_starts(history, FORMER, Micros::from_millis(15_000));
    }
    let judgement = judged(&scenario, &history);
    assert_eq!(judgement.measured.stalled_operations, 0, "{:?}", judgement.findings);
}

fn judged(scenario: &Scenario, history: &History) -> Judgement {
    assess::trial(scenario, observe(scenario, history), Against::Nothing)
}

#[test]
fn a_wait_belongs_to_the_session_that_had_the_pid_at_the_time() {
    let mut made = stalled();
    // The pid of the operation that waits was a disturbance's before, and is the observer's after.
    made.at(1_000, seen(APP.into(), Role::Disturbance("backup".to_owned())));
    made.at(5_500, seen(APP.into(), Role::Application));
    made.at(17_000, seen(APP.into(), Role::Observer));
    assert!(is_unsafe_stall(&made.judge()));
}

#[test]
fn a_session_of_a_standby_is_not_the_change_that_has_its_pid_on_the_primary() {
    let standby = |pid| SessionId { node: Node::Standby("replica".into()), pid, since: None };
    let mut made = Made::calm();
    made.at(0, seen(standby(APP), Role::Application));
    for at in (6_010..14_000).step_by(10) {
        let (relation, mode) = (Some("spans".to_owned()), "AccessExclusiveLock".to_owned());
        let session = standby(CHANGE);
        let wait = Wait {
            session: standby(APP),
            locktype: "relation".to_owned(),
            mode: "AccessShareLock".to_owned(),
            relation: relation.clone(),
            waited_us: Some(Micros::from_millis(at - 6_000)),
            blockers: vec![session.clone()],
            holders: vec![GrantedLock { session, relation, mode }],
        };
        made.at(at, Event::Waits(WaitSample { waits: vec![wait] }));
    }
    let (scenario, history) = (made.scenario.clone(), made.history());
    assert_eq!(observe(&scenario, &history).measured.stalled_operations, 0);
    let waits = pgauntlet::judge::lock_waits(&history);
    assert_eq!(waits.len(), 1);
    assert!(!waits[0].cause.is_change());
    assert_eq!(waits[0].session.to_string(), format!("pid {APP} on standby replica"));
}

#[test]
fn a_session_without_a_start_is_the_one_that_was_recorded_with_it() {
    let entry = |ms, event| Entry { at_us: Micros::from_millis(ms), event };
    let wait = Wait {
        session: SessionId::new(APP, since(Some(7))),
        locktype: "relation".to_owned(),
        mode: "AccessShareLock".to_owned(),
        relation: None,
        waited_us: None,
        blockers: vec![CHANGE.into(), SessionId::new(READER, since(Some(9)))],
        holders: Vec::new(),
    };
    let history = History::new(
        Header::unnamed(),
        vec![
            entry(0, seen(APP.into(), Role::Application)),
            entry(0, seen(SessionId::new(CHANGE, since(Some(8))), Role::Change)),
            entry(0, seen(SessionId::new(READER, since(Some(3))), Role::Change)),
            entry(5, Event::Waits(WaitSample { waits: vec![wait] })),
        ],
    );
    let waits = pgauntlet::judge::lock_waits(&history);
    assert!(waits[0].cause.is_change());
    // A recorded start that is another one is another session.
    let starts: Vec<_> = waits[0].blockers.iter().map(|b| b.session.since).collect();
    assert_eq!(starts, [since(Some(8)), since(Some(9))]);
}
