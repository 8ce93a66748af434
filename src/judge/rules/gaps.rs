//! Whether the evidence carries an answer at all.

use crate::clock::Micros;
use crate::history::{AttemptEnd, Phase};
use crate::result::evidence::{FailedMeasurement, Lag, MissingSamples, Unreached};
use crate::result::{Evidence as Shown, Finding, Subject};
use crate::scenario::Verdict;

use super::super::trace::AttemptRecord;
use super::{Evidence, background, latency};

/// More than this share of the samples missing is a hole, not a hiccup.
const MISSED_SHARE_MAX: f64 = 0.2;
/// Tap overhead that is more than half of the change, and longer than this, is what was measured
/// in place of the change.
const OVERHEAD_MAX: Micros = Micros::from_millis(2_000);

pub fn gaps(evidence: &Evidence<'_, '_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(generator_lag(evidence));
    findings.extend(samples_missing(evidence));
    findings.extend(latency::baseline_broken(evidence));
    findings.extend(not_reached(evidence));
    findings.extend(unbalanced(evidence));
    findings.extend(overhead(evidence));
    findings.extend(server_down(evidence));
    findings.extend(background::background_sessions(evidence));
    findings.extend(evidence.trace.failures.iter().map(|(stage, message)| {
        let (stage, message) = ((*stage).to_owned(), (*message).to_owned());
        unmeasured(FailedMeasurement::Stage { stage, message })
    }));
    findings
}

/// Part of the evidence is not there.
pub fn unmeasured(what: FailedMeasurement) -> Finding {
    Finding::new(Verdict::Unproven, Subject::none(), Shown::MeasurementFailed(what))
}

fn generator_lag(evidence: &Evidence<'_, '_>) -> Option<Finding> {
    let p99_us = evidence.measured.generator_lag_p99_us;
    let limit_us = Micros::from_millis(evidence.scenario.limits.generator_lag_ms_max);
    let shown = Shown::GeneratorLag(Lag { p99_us, limit_us });
    let late = || Finding::new(Verdict::Unproven, Subject::none(), shown);
    (p99_us > limit_us).then(late)
}

fn samples_missing(evidence: &Evidence<'_, '_>) -> Option<Finding> {
    let sampler = &evidence.measured.sampler;
    let longest = sampler.longest_gap().unwrap_or_default();
    let due = sampler.samples + sampler.missed + sampler.failed;
    let missing = sampler.missed + sampler.failed;
    let share = missing as f64 / due.max(1) as f64;
    // A gap matters when a stall beyond the limit could hide in it.
    let hides = longest > evidence.stall_limit();
    if due > 0 && share <= MISSED_SHARE_MAX && !hides {
        return None;
    }
    let shown = Shown::SamplesMissing(MissingSamples { missing, due, longest_gap_us: longest });
    Some(Finding::new(Verdict::Unproven, Subject::none(), shown))
}

fn not_reached(evidence: &Evidence<'_, '_>) -> Option<Finding> {
    let unreached = |why| Finding::new(Verdict::Unproven, Subject::none(), Shown::NotReached(why));
    if evidence.trace.phase(Phase::End).is_none() {
        return Some(unreached(Unreached::CutShort));
    }
    // Of several runners, the first one does the work.
    let runners = evidence.scenario.change.runners.max(1);
    let mut first = evidence.trace.attempts.iter().filter(|a| a.attempt < runners);
    // One that the server did not let in failed: there is nothing that it did not reach.
    let is_refused = |attempt: &AttemptRecord<'_>| {
        attempt.statements.is_empty() && matches!(attempt.end, Some(AttemptEnd::Failed { .. }))
    };
    if !first.any(|attempt| evidence.tries(attempt) || is_refused(attempt)) {
        return Some(unreached(Unreached::NoStatement { by_command: evidence.is_command() }));
    }
    let stopped = |a: &AttemptRecord<'_>| a.end == Some(&AttemptEnd::Stopped);
    let only_stopped = evidence.trace.attempts.iter().all(stopped);
    only_stopped.then(|| unreached(Unreached::Stopped))
}

fn overhead(evidence: &Evidence<'_, '_>) -> Option<Finding> {
    let (paused_us, change_us) = (evidence.measured.paused_us, evidence.measured.change_us);
    let most = paused_us > OVERHEAD_MAX && paused_us + paused_us > change_us;
    most.then(|| unmeasured(FailedMeasurement::Overhead { paused_us, change_us }))
}

fn server_down(evidence: &Evidence<'_, '_>) -> Option<Finding> {
    let times = evidence.trace.server_down.len() as u64;
    (times > 0).then(|| unmeasured(FailedMeasurement::ServerDown { times }))
}

fn unbalanced(evidence: &Evidence<'_, '_>) -> Option<Finding> {
    let counters = evidence.measured.operations;
    let recorded = evidence.trace.all_operations().count() as u64;
    let missing = counters.scheduled.abs_diff(recorded);
    let balances = counters.balances() && counters.scheduled == recorded;
    let accounts = FailedMeasurement::Accounts { missing, scheduled: counters.scheduled };
    (!balances).then(|| unmeasured(accounts))
}
