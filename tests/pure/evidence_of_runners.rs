//! One of each form of the evidence about several runners.

use pgauntlet::clock::Micros;
use pgauntlet::result::Evidence;
use pgauntlet::result::evidence::{HungRunner, Overlap, RunnerLock, WaitingRunner};
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
