//! Evidence that is broken decides before what rests on it.
//!
//! Each finding says what it rests on (`result::Basis`); what was wrong with the measurement is
//! known (`judge::lapses`). Here, and nowhere else, the two meet: a finding that does not hold
//! without what is broken proves nothing.

use crate::clock::Micros;
use crate::history::Phase;
use crate::result::evidence::{BrokenBaseline, EndedBy, NO_CONNECTION};
use crate::result::{Basis, Doubt, Evidence as Shown, Finding, Measure, Period};
use crate::scenario::{FindingKind, Verdict};
use crate::stats::Latencies;

use super::super::lapses::Spans;
use super::latency::{BASELINE_FACTOR, longest_before, phase_of};
use super::{Evidence, failed_here, rights};

/// What queues for a connection behind a stall takes no more than so many times as long as it.
const STALL_FACTOR: u64 = 2;

/// Makes what rests on broken evidence unproven, and says why.
pub fn weigh(evidence: &Evidence<'_, '_>, findings: Vec<Finding>) -> Vec<Finding> {
    let broken = Broken::of(evidence, &findings);
    let weighed = findings.into_iter().map(|mut finding| {
        let basis = finding.evidence.as_ref().map(Shown::basis).unwrap_or_default();
        if finding.verdict > Verdict::Safe
            && let Some(doubt) = broken.doubt(&basis)
        {
            finding.verdict = Verdict::Unproven;
            finding.doubt = Some(doubt);
        }
        finding
    });
    weighed.collect()
}

/// What is broken of the evidence.
struct Broken<'b, 'e, 'h> {
    evidence: &'b Evidence<'e, 'h>,
    /// Latency was beyond the limit before the change.
    slow_baseline: bool,
    /// Too many samples are missing to say what none of them shows.
    unsampled: bool,
    /// No stall was seen.
    no_stall: bool,
    /// Why the change's failure may be of this trial alone.
    failed_here: Option<Doubt>,
    /// Operations may have failed because of the role that they have here alone.
    of_role: bool,
}

impl<'b, 'e, 'h> Broken<'b, 'e, 'h> {
    fn of(evidence: &'b Evidence<'e, 'h>, findings: &[Finding]) -> Broken<'b, 'e, 'h> {
        let slow = |finding: &Finding| match &finding.evidence {
            Some(Shown::BaselineBroken(BrokenBaseline::Traffic { p99_us, limit_us, .. })) => {
                p99_us > limit_us
            }
            _ => false,
        };
        let of_role = |finding: &Finding| match &finding.evidence {
            Some(Shown::OperationFailed(failed)) => rights::may_be_granted(evidence, failed),
            _ => false,
        };
        let is = |kind: FindingKind| findings.iter().any(|finding| finding.kind == kind);
        Broken {
            evidence,
            slow_baseline: findings.iter().any(slow),
            unsampled: is(FindingKind::SamplesMissing),
            no_stall: !is(FindingKind::Stall),
            failed_here: failed_here::doubt(evidence),
            of_role: findings.iter().any(of_role),
        }
    }

    fn doubt(&self, basis: &Basis) -> Option<Doubt> {
        if (basis.against_baseline && self.slow_baseline) || self.failed_so_before(basis) {
            return Some(Doubt::BaselineBroken);
        }
        if basis.change_failed && self.failed_here.is_some() {
            return self.failed_here;
        }
        if basis.operations_failed && self.of_role {
            return Some(Doubt::ApplicationRole);
        }
        if basis.like_before.is_some_and(|took| self.took_so_before(took)) {
            return Some(Doubt::BaselineBroken);
        }
        let longest_stall = self.evidence.measured.longest_stall_us;
        if basis.unattributed.is_some_and(|slowest| longest_stall.0 * STALL_FACTOR < slowest.0) {
            return Some(Doubt::NotSeen);
        }
        let longest_empty = longest_stall.max(self.evidence.measured.exhausted_us);
        if basis.queued.is_some_and(|slowest| longest_empty.0 * STALL_FACTOR < slowest.0) {
            return Some(Doubt::NotSeen);
        }
        let (period, measure) = basis.times?;
        let span = self.span(period)?;
        let lapses = self.evidence.lapses;
        let down = &self.evidence.outside.down;
        if down.within(span) > Micros::ZERO && !self.holds_without(down, span, measure) {
            return Some(Doubt::Ended(EndedBy::Crash));
        }
        if let Measure::Operations { .. } = measure
            && let Some(lag) = self.late_throughout(period)
        {
            return Some(Doubt::LateThroughout(lag));
        }
        let lag = lapses.lags.within(span);
        if lag > Micros::ZERO && !self.holds_without(&lapses.lags, span, measure) {
            return Some(Doubt::GeneratorLag(lag));
        }
        let gap = lapses.gaps.within(span);
        let hidden = basis.unseen && (self.no_stall || basis.apart_from_stalls);
        if hidden && gap > Micros::ZERO && !self.holds_without(&lapses.gaps, span, measure) {
            return Some(Doubt::SamplesMissing(gap));
        }
        // Missing all over, as on a machine that is too busy.
        (hidden && self.unsampled && gap == Micros::ZERO)
            .then_some(Doubt::SamplesMissing(Micros::ZERO))
    }

    /// Whether operations were slow before the change too, and either the slowest of them about as
    /// slow, or our own process as starved: then no time says anything.
    fn took_so_before(&self, took: Micros) -> bool {
        let before = longest_before(self.evidence);
        let as_slow = took.0 <= before.0.saturating_mul(BASELINE_FACTOR);
        self.slow_baseline && (as_slow || self.late_in(&[Phase::Baseline]).is_some())
    }

    fn span(&self, period: Period) -> Option<(Micros, Micros)> {
        match period {
            Period::Span(from, to) => Some((from, to)),
            Period::Phase(phase) => self.evidence.trace.phase(phase_of(phase)),
        }
    }

    /// p99 of (sent − due), where it is beyond its limit in the phase.
    fn late_throughout(&self, period: Period) -> Option<Micros> {
        match period {
            Period::Phase(phase) => self.late_in(&[phase_of(phase)]),
            Period::Span(from, to) => self.late_in(&self.phases_of((from, to))),
        }
    }

    fn late_in(&self, phases: &[Phase]) -> Option<Micros> {
        let limit = Micros::from_millis(self.evidence.scenario.limits.generator_lag_ms_max);
        let lag = |phase: &Phase| {
            let mut lags = Latencies::new();
            let operations = self.evidence.trace.scheduled_in(*phase);
            operations.for_each(|o| lags.record(o.dispatched_us - o.scheduled_us));
            lags.quantile(0.99)
        };
        phases.iter().map(lag).max().filter(|lag| *lag > limit)
    }

    fn phases_of(&self, (from, to): (Micros, Micros)) -> Vec<Phase> {
        let touched = |phase: &Phase| {
            let span = self.evidence.trace.phase(*phase);
            span.is_some_and(|(begin, end)| begin < to && end > from)
        };
        let all = [Phase::Baseline, Phase::Change, Phase::Recovery, Phase::Rerun];
        all.into_iter().filter(touched).collect()
    }

    /// Whether it holds when this time is taken out.
    fn holds_without(&self, broken: &Spans, span: (Micros, Micros), measure: Measure) -> bool {
        match measure {
            Measure::Length { took_us, limit_us } => took_us - broken.within(span) > limit_us,
            Measure::Operations { limit_us, share } => {
                let (mut all, mut beyond) = (0_u64, 0_u64);
                let operations = self.evidence.trace.operations.iter();
                let within = |at: Micros| span.0 <= at && at <= span.1;
                for operation in operations.filter(|o| within(o.scheduled_us)) {
                    let lasted = (operation.scheduled_us, operation.finished_us);
                    let rest = operation.latency() - broken.within(lasted);
                    all += 1;
                    beyond += u64::from(rest > limit_us);
                }
                beyond as f64 > all as f64 * share
            }
        }
    }

    /// Whether what is left without failures that there were before too is within the limit.
    fn failed_so_before(&self, basis: &Basis) -> bool {
        let known = self.evidence.failed_before;
        // Where this machine is starved, its own queue of connections overflows.
        let starved = self.slow_baseline && self.late_in(&[Phase::Baseline]).is_some();
        let new = basis.failures.iter().filter(|(kind, _)| {
            let refused_here = starved && kind.how == NO_CONNECTION;
            !known.contains_key(kind) && !refused_here
        });
        let new: u64 = new.map(|(_, operations)| operations).sum();
        !basis.failures.is_empty() && new <= self.evidence.scenario.limits.failed_operations_max
    }
}
