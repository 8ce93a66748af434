//! Whether the evidence carries an answer at all.

use crate::clock::Micros;
use crate::history::{AttemptEnd, Moment, Phase};
use crate::result::Finding;
use crate::scenario::{FindingKind, Verdict};

use super::super::trace::AttemptRecord;
use super::words::count;
use super::{Evidence, finding, traffic};

/// More than this share of the samples missing is a hole, not a hiccup.
const MISSED_SHARE_MAX: f64 = 0.2;

pub fn gaps(evidence: &Evidence<'_, '_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(generator_lag(evidence));
    findings.extend(samples_missing(evidence));
    findings.extend(traffic::baseline_broken(evidence));
    findings.extend(not_reached(evidence));
    findings.extend(unbalanced(evidence));
    findings.extend(broken_disturbances(evidence));
    findings.extend(evidence.timeline.failures.iter().map(|(stage, message)| {
        let sentence = format!("{stage} failed, so what it would have shown is unknown: {message}");
        finding(FindingKind::MeasurementFailed, Verdict::Unproven, sentence)
    }));
    findings
}

fn generator_lag(evidence: &Evidence<'_, '_>) -> Option<Finding> {
    let lag = evidence.measured.generator_lag_p99_us;
    let limit = Micros::from_millis(evidence.scenario.limits.generator_lag_ms_max);
    let sentence = format!(
        "operations were sent up to {lag} (p99) after they were due (limit {limit}): this machine \
         is too busy to say what the server did; lower rate_per_s or use another machine"
    );
    (lag > limit).then(|| finding(FindingKind::GeneratorLag, Verdict::Unproven, sentence))
}

fn samples_missing(evidence: &Evidence<'_, '_>) -> Option<Finding> {
    let sampler = &evidence.measured.sampler;
    let longest = sampler.gaps.iter().map(|(from, to)| *to - *from).max().unwrap_or_default();
    let due = sampler.samples + sampler.missed + sampler.failed;
    let lost = sampler.missed + sampler.failed;
    let share = lost as f64 / due.max(1) as f64;
    // A gap matters when a stall beyond the limit could hide in it.
    let hides = longest > evidence.stall_limit();
    if due > 0 && share <= MISSED_SHARE_MAX && !hides {
        return None;
    }
    let sentence = match due {
        0 => "the lock table was never sampled".to_owned(),
        _ => format!(
            "{lost} of {due} samples of the lock table are missing, the longest gap {longest}"
        ),
    };
    Some(finding(FindingKind::SamplesMissing, Verdict::Unproven, sentence))
}

fn not_reached(evidence: &Evidence<'_, '_>) -> Option<Finding> {
    if evidence.timeline.phase(Phase::End).is_none() {
        let sentence = "the trial was cut short: its history has no end".to_owned();
        return Some(finding(FindingKind::NotReached, Verdict::Unproven, sentence));
    }
    // Of several runners, whichever came first does the work.
    let runners = evidence.scenario.change.runners.max(1);
    let mut first = evidence.timeline.attempts.iter().filter(|a| a.attempt < runners);
    if !first.any(|attempt| evidence.tries(attempt)) {
        let sentence = match evidence.is_command() {
            true => "the command ran no statement that changes anything",
            false => "the change ran no statement: all its versions were applied already",
        };
        return Some(finding(FindingKind::NotReached, Verdict::Unproven, sentence.to_owned()));
    }
    let stopped = |a: &AttemptRecord<'_>| a.end == Some(&AttemptEnd::Stopped);
    let only_stopped = evidence.timeline.attempts.iter().all(stopped);
    let sentence = "the change was stopped, and never applied to its end".to_owned();
    only_stopped.then(|| finding(FindingKind::NotReached, Verdict::Unproven, sentence))
}

/// A condition that ended before its time was not the condition that the scenario is about.
fn broken_disturbances(evidence: &Evidence<'_, '_>) -> Vec<Finding> {
    let broken = evidence.timeline.disturbances.iter().filter_map(|(_, d)| match &d.moment {
        Moment::Broken(error) => Some((&d.name, error)),
        Moment::Holding | Moment::Ended => None,
    });
    let told = broken.map(|(name, error)| {
        let sentence = format!("the disturbance {name} was ended by the server: {error}");
        finding(FindingKind::MeasurementFailed, Verdict::Unproven, sentence)
    });
    told.collect()
}

fn unbalanced(evidence: &Evidence<'_, '_>) -> Option<Finding> {
    let counters = evidence.measured.operations;
    let sentence = format!(
        "the driver's accounts do not balance: {} are missing of {} scheduled",
        count(counters.scheduled.abs_diff(evidence.timeline.operations.len() as u64), "operation"),
        counters.scheduled
    );
    let recorded = evidence.timeline.operations.len() as u64;
    let balances = counters.balances() && counters.scheduled == recorded;
    (!balances).then(|| finding(FindingKind::MeasurementFailed, Verdict::Unproven, sentence))
}
