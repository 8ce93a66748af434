//! The scenario's limits, each with what was observed of it, kept or not.

use crate::clock::Micros;
use crate::result::{Evidence as Shown, Finding, Limited, Margin};

use super::{Evidence, failures, latency, rerun};

/// Of what was not observed at all, such as the latency of an application that did not run, there
/// is none.
pub fn margins(evidence: &Evidence<'_, '_>, findings: &[Finding]) -> Vec<Margin> {
    let (limits, measured) = (&evidence.scenario.limits, evidence.measured);
    let mut margins = Vec::new();
    let mut margin =
        |of: Limited, limit: u64, observed: u64| margins.push(Margin { of, limit, observed });
    if measured.operations.scheduled > 0 {
        let (stall, p99) = (evidence.stall_limit(), latency::p99_limit(evidence));
        margin(Limited::LongestWait, stall.0, longest_wait(evidence, findings).0);
        margin(Limited::P99Latency, p99.0, highest_p99(evidence).0);
        let failed = failures::charged(evidence).count() as u64;
        margin(Limited::FailedOperations, limits.failed_operations_max, failed);
        let gave_up = measured.operations.acquire_timeouts;
        margin(Limited::AcquireTimeouts, limits.acquire_timeouts_max, gave_up);
    }
    if let Some(ledger) = &measured.ledger {
        margin(Limited::LostWrites, 0, ledger.mismatches);
    }
    if let Some(held) = rerun::lock_held(evidence) {
        margin(Limited::RerunLock, rerun::lock_limit(evidence).0, held.0);
    }
    margins
}

/// Of a wait that is put down to the change, and of one that nothing explains.
fn longest_wait(evidence: &Evidence<'_, '_>, findings: &[Finding]) -> Micros {
    let others = findings.iter().filter_map(|finding| match finding.evidence.as_ref()? {
        Shown::OperationWaited(waits) => Some(waits.longest_us),
        _ => None,
    });
    others.chain([evidence.measured.longest_stall_us]).max().unwrap_or_default()
}

fn highest_p99(evidence: &Evidence<'_, '_>) -> Micros {
    let latency = &evidence.measured.latency;
    let phases = [&latency.during, &latency.after, &latency.rerun];
    phases.into_iter().map(|phase| phase.p99_us).max().unwrap_or_default()
}
