//! When the measurement itself was at fault: the load generator was behind, or nothing was sampled.

use crate::clock::Micros;
use crate::scenario::Scenario;

use super::trace::Trace;

/// Stretches of time, apart from each other and in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spans {
    spans: Vec<(Micros, Micros)>,
    /// The length of all before each.
    before: Vec<Micros>,
}

impl Spans {
    pub fn of(mut spans: Vec<(Micros, Micros)>) -> Spans {
        spans.sort_unstable();
        let mut apart: Vec<(Micros, Micros)> = Vec::new();
        for (from, to) in spans {
            match apart.last_mut() {
                Some(last) if from <= last.1 => last.1 = last.1.max(to),
                _ => apart.push((from, to)),
            }
        }
        let mut length = Micros::ZERO;
        let before = apart.iter().map(|(from, to)| {
            let so_far = length;
            length += *to - *from;
            so_far
        });
        let before = before.collect();
        Spans { spans: apart, before }
    }

    /// How much of the time from one moment to the other they cover.
    pub fn within(&self, (from, to): (Micros, Micros)) -> Micros {
        self.until(to) - self.until(from)
    }

    fn until(&self, at: Micros) -> Micros {
        let begun = self.spans.partition_point(|(from, _)| *from < at);
        let Some(last) = begun.checked_sub(1) else { return Micros::ZERO };
        let (from, to) = self.spans[last];
        self.before[last] + (to.min(at) - from)
    }
}

/// What was not measured, or not in time.
#[derive(Clone, Debug, Default)]
pub struct Lapses {
    /// From when an operation was due to when it was let go, where that is beyond the limit. An
    /// operation that is under way then may be finished long before that is seen.
    pub lags: Spans,
    /// Where a stall beyond the limit could hide between two samples.
    pub gaps: Spans,
}

impl Lapses {
    pub fn of(scenario: &Scenario, trace: &Trace<'_>) -> Lapses {
        let lag_max = Micros::from_millis(scenario.limits.generator_lag_ms_max);
        let late = trace.all_operations().filter(|o| o.dispatched_us - o.scheduled_us > lag_max);
        let lags = late.map(|o| (o.scheduled_us, o.dispatched_us)).collect();
        let hides = Micros::from_millis(scenario.limits.stall_ms_max);
        let gaps = trace.sampler.iter().flat_map(|report| report.gaps.iter().copied());
        let gaps = gaps.filter(|(from, to)| *to - *from > hides).collect();
        Lapses { lags: Spans::of(lags), gaps: Spans::of(gaps) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_covered_is_counted_once(
            drawn in prop::collection::vec((0u64..80, 0u64..20), 0..20),
            from in 0u64..100, length in 0u64..40,
        ) {
            let spans: Vec<(u64, u64)> = drawn.iter().map(|(at, of)| (*at, at + of)).collect();
            let covered = (from..from + length)
                .filter(|at| spans.iter().any(|(begin, end)| begin <= at && at < end));
            let expected = Micros(covered.count() as u64);
            let spans = spans.iter().map(|(begin, end)| (Micros(*begin), Micros(*end))).collect();
            let found = Spans::of(spans).within((Micros(from), Micros(from + length)));
            prop_assert_eq!(found, expected);
        }
    }
}
