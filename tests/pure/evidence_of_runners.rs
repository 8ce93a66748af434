//! One of each form of the evidence about several runners.

use pgauntlet::clock::Micros;
use pgauntlet::result::evidence::{
    HungRunner, LeftLock, LeftOnSessions, LeftSetting, Overlap, RunnerLock, WaitingRunner,
};
use pgauntlet::result::{Evidence, StatementRef};
use pgauntlet::scenario::FindingKind;

pub fn of_runners(kind: FindingKind) -> Vec<Evidence> {
    match kind {
        FindingKind::RunnersOverlap => {
            vec![Evidence::RunnersOverlap(Overlap { statements: 3, runners: 2 })]
        }
        FindingKind::RunnerHung => {
            vec![Evidence::RunnerHung(HungRunner { runner: 2, deadline_us: Micros(5), hang: None })]
        }
        _ => {
            let mode = "ExclusiveLock".to_owned();
            let server = RunnerLock::Server { runner: 1, mode, relation: None };
            [RunnerLock::Advisory, server]
                .map(|lock| {
                    let (runner, waited_us) = (2, Micros(5));
                    Evidence::RunnerWaited(WaitingRunner { runner, waited_us, lock })
                })
                .into()
        }
    }
}

/// What is left on a pooler's server connections.
pub fn of_poolers(statement: &StatementRef) -> Vec<Evidence> {
    let left = |shared: bool, locks: bool, settings: bool| {
        Evidence::SessionStateLeft(LeftOnSessions {
            mode: "transaction".to_owned(),
            shared,
            sessions: 2,
            locks: [LeftLock { classid: 0, objid: 4_711, statement: statement.clone() }]
                .into_iter()
                .filter(|_| locks)
                .collect(),
            settings: [LeftSetting {
                name: "lock_timeout".to_owned(),
                value: "3000".to_owned(),
                statement: statement.clone(),
            }]
            .into_iter()
            .filter(|_| settings)
            .collect(),
        })
    };
    vec![left(false, true, false), left(true, true, true), left(false, false, true)]
}
