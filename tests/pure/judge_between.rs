//! What a pooler or a network between clients and server makes of a trial.

use std::collections::BTreeMap;

use pgauntlet::history::{
    Event, HeldAdvisory, NetworkEvent, NetworkPassed, OperationOutcome, PooledSession,
    PooledSessions, PoolerEvent, PoolerPassed, ServerError,
};
use pgauntlet::result::{Finding, Judgement};
use pgauntlet::scenario::{FindingKind, Verdict};

use crate::made::{APP, CHANGE, Made};

/// A change behind a pooler; its statement runs from 5.1 s to 5.2 s.
fn pooled(statement: &str, passed: PoolerPassed) -> Made {
    let mut made = Made::with_change();
    made.statement(0, 5_100, 5_200, statement, false);
    let version = "PgBouncer 1.18.0".to_owned();
    let mode = "transaction".to_owned();
    let begun =
        PoolerEvent { version, mode, application: true, change: true, pool_size: 20, passed: None };
    made.at(10, Event::Pooler(begun.clone().into()));
    made.at(23_050, Event::Pooler(PoolerEvent { passed: Some(passed), ..begun }.into()));
    made
}

const SOME: PoolerPassed = PoolerPassed { connections: 2, application: 44, change: 1 };

fn left(made: &mut Made, session: PooledSession) {
    let left = PooledSessions { after: 0, sessions: vec![session] };
    made.at(5_300, Event::PooledSessions(left.into()));
}

fn found(judgement: &Judgement, kind: FindingKind) -> Option<&Finding> {
    judgement.findings.iter().find(|finding| finding.kind == kind)
}

#[test]
fn a_pooler_through_which_nothing_went_proves_nothing() {
    let statement = "ALTER TABLE spans ADD COLUMN note text";
    assert_eq!(pooled(statement, SOME).judge().verdict, Verdict::Safe);
    for passed in [PoolerPassed { application: 0, ..SOME }, PoolerPassed { change: 0, ..SOME }] {
        let judgement = pooled(statement, passed).judge();
        let said = found(&judgement, FindingKind::MeasurementFailed).expect("a finding");
        assert_eq!(judgement.verdict, Verdict::Unproven);
        assert_eq!(said.sentence, "nothing went through PgBouncer");
    }
}

#[test]
fn an_advisory_lock_that_the_change_took_and_left_is_found_with_its_statement() {
    let session = PooledSession {
        session: CHANGE.into(),
        advisory_locks: vec![HeldAdvisory { classid: 0, objid: 4_711 }],
        ..PooledSession::default()
    };
    let mut made = pooled("SELECT pg_advisory_lock(4711)", SOME);
    left(&mut made, session.clone());
    let judgement = made.judge();
    let said = found(&judgement, FindingKind::SessionStateLeft).expect("a finding");
    assert_eq!((judgement.verdict, said.verdict), (Verdict::Unsafe, Verdict::Unsafe));
    assert!(said.sentence.contains("(4711) that SELECT pg_advisory_lock(4711)"), "{said:?}");
    assert!(said.remedy.as_ref().is_some_and(|text| text.contains("xact")), "{said:?}");
    // One that no statement of the change took is the application's own.
    let mut made = pooled("ALTER TABLE spans ADD COLUMN note text", SOME);
    left(&mut made, session);
    assert!(found(&made.judge(), FindingKind::SessionStateLeft).is_none());
}

#[test]
fn a_setting_that_is_left_harms_where_the_application_gets_it() {
    let settings = BTreeMap::from([("lock_timeout".to_owned(), "3000".to_owned())]);
    for (shared, verdict) in [(true, Verdict::Unsafe), (false, Verdict::Safe)] {
        let (session, settings) = (CHANGE.into(), settings.clone());
        let session = PooledSession { session, shared, settings, ..PooledSession::default() };
        let mut made = pooled("SET lock_timeout = '3s'", SOME);
        left(&mut made, session);
        let judgement = made.judge();
        let said = found(&judgement, FindingKind::SessionStateLeft).expect("a finding");
        assert_eq!(said.verdict, verdict, "{said:?}");
        assert!(said.sentence.contains("lock_timeout = 3000, as SET"), "{said:?}");
    }
}

/// With a network that cuts, and an operation that it met at 5.1 s.
fn cut(cuts: u64, outcome: OperationOutcome) -> Judgement {
    let mut made = Made::calm();
    let cut_every_us = Some(pgauntlet::clock::Micros::from_millis(1_000));
    let begun = NetworkEvent { cut_every_us, ..NetworkEvent::default() };
    let passed = Some(NetworkPassed { connections: 9, delayed: 0, cut: cuts });
    made.at(10, Event::Network(begun.into()));
    made.operation(5_090, Some(5_090), 5_101, outcome, Some(APP + 1));
    if cuts > 0 {
        made.at(5_100, Event::NetworkCut { connections: cuts });
    }
    made.at(23_050, Event::Network(NetworkEvent { passed, ..begun }.into()));
    made.judge()
}

#[test]
fn what_a_cut_of_ours_ends_is_not_the_changes() {
    let lost = || ServerError { message: "connection closed".to_owned(), ..ServerError::default() };
    for outcome in
        [OperationOutcome::Failed(lost().into()), OperationOutcome::Indeterminate(lost().message)]
    {
        assert_eq!(cut(3, outcome.clone()).verdict, Verdict::Safe);
        // Without a cut it is.
        let judgement = cut(0, outcome);
        assert_eq!(judgement.verdict, Verdict::Unsafe, "{:?}", judgement.findings);
        let said = found(&judgement, FindingKind::MeasurementFailed).expect("a finding");
        assert!(said.sentence.contains("no connection was cut"), "{said:?}");
    }
}
