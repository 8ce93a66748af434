//! Whether what was to be between clients and server was on the way.

use crate::result::evidence::{Absence, FailedMeasurement};
use crate::result::{Evidence as Shown, Finding, Subject};
use crate::scenario::Verdict;

use super::Evidence;

/// What they are called in a finding.
const POOLER: &str = "PgBouncer";
const NETWORK: &str = "the network of the condition";

/// A pooler through which nothing passed is not the condition that the scenario is about.
pub fn pooler(evidence: &Evidence<'_, '_>) -> Option<Finding> {
    let poolers = &evidence.trace.poolers;
    let begun = poolers.first().copied()?;
    let passed = poolers.iter().find_map(|event| event.passed).unwrap_or_default();
    let is_driven = !evidence.trace.operations.is_empty();
    let is_tried = evidence.trace.attempts.iter().any(|a| !a.statements.is_empty());
    let missed = (begun.application && is_driven && passed.application == 0)
        || (begun.change && is_tried && passed.change == 0);
    missed.then(|| unproven(POOLER, Absence::NothingPassed))
}

/// The same of a network that delays and cuts.
pub fn network(evidence: &Evidence<'_, '_>) -> Option<Finding> {
    let networks = &evidence.trace.networks;
    let begun = networks.first().copied()?;
    if evidence.trace.operations.is_empty() {
        return None;
    }
    let passed = networks.iter().find_map(|event| event.passed).unwrap_or_default();
    let slow = begun.round_trip_us.0 > 0;
    let absence = match passed.cut {
        _ if passed.connections == 0 || (slow && passed.delayed == 0) => Absence::NothingPassed,
        0 if begun.cut_every_us.is_some() => Absence::NothingCut,
        _ => return None,
    };
    Some(unproven(NETWORK, absence))
}

fn unproven(name: &str, why: Absence) -> Finding {
    let shown = FailedMeasurement::NotInForce { name: name.to_owned(), why };
    Finding::new(Verdict::Unproven, Subject::session(name), Shown::MeasurementFailed(shown))
}
