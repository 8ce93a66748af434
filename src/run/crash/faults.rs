//! What the tap has to do for a death.

use std::time::Duration;

use crate::judge::crash::{Lethal, Means};
use crate::scenario::Way;
use crate::tap::{At, Fault, FaultKind};

/// Statements are known by their text and how often it came before: their numbers may be other
/// ones than in the undisturbed run.
pub fn faults(lethal: &Lethal) -> Vec<Fault> {
    let death = &lethal.death;
    let Some(way) = Way::parse(&death.way) else { return Vec::new() };
    let kind = match (way, &lethal.means) {
        (Way::CutBefore, _) => FaultKind::CutBefore,
        (Way::CutAfter, _) => FaultKind::CutAfter,
        (Way::Cancel, _) => FaultKind::CancelWorking,
        (Way::KillBackend, Means::AtItsBoundary) => FaultKind::KillBackendBefore,
        (Way::KillBackend, _) => FaultKind::KillBackend,
        (Way::KillRunner, _) => FaultKind::KillClient,
        (Way::LockTimeout, Means::Blocked { relations, mode }) => {
            FaultKind::TimeOutWaiting { relation: relations.join(", "), mode: *mode }
        }
        (Way::LockTimeout, _) => return Vec::new(),
    };
    let later = match &lethal.means {
        Means::Before(next) => next - death.statement,
        _ => 0,
    };
    let into = death.into_us.map(|into| Duration::from_micros(into.0));
    vec![Fault { at: At::nth(&death.text, death.nth, later, into), kind }]
}
