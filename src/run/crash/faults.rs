//! What the tap has to do for a fault.

use std::time::Duration;

use crate::judge::crash::{FeasibleFault, Needs};
use crate::tap::{Action, At, Injection};
use crate::trial::FaultKind;

/// Statements are identified by their text and how often it came before: their numbers may be
/// other ones than in the undisturbed run.
pub fn injections(feasible: &FeasibleFault) -> Vec<Injection> {
    let (kind, at) = (feasible.fault.kind, &feasible.fault.at);
    let action = match (kind, &feasible.needs) {
        (FaultKind::CutBefore, _) => Action::CutBefore,
        (FaultKind::CutAfter, _) => Action::CutAfter,
        (FaultKind::Cancel, _) => Action::CancelWorking,
        (FaultKind::KillBackend, Needs::Boundary) => Action::KillBackendBefore,
        (FaultKind::KillBackend, _) => Action::KillBackend,
        (FaultKind::KillRunner, _) => Action::KillClient,
        (FaultKind::LockTimeout, Needs::Lock { relations, mode }) => {
            Action::TimeOutWaiting { relation: relations.join(", "), mode: *mode }
        }
        (FaultKind::LockTimeout, _) => return Vec::new(),
    };
    let later = match &feasible.needs {
        Needs::Next(next) => next - at.statement,
        _ => 0,
    };
    let into = at.into_us.map(|into| Duration::from_micros(into.0));
    vec![Injection { at: At::Nth { key: at.key.clone(), later, into }, action }]
}
