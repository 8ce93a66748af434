//! The sampler's accounts: when the next sample is due, which were missed, where it was blind.
//!
//! Pure: it takes the time as an argument, so that the accounting is tested without a server.

use crate::clock::Micros;
use crate::history::SamplerReport;
use crate::stats::Latencies;

/// Two samples further apart than this many intervals have a gap between them.
const GAP_INTERVALS: u64 = 10;
/// More gaps than these are reported as one that reaches to the last of them.
const GAPS_MAX: usize = 1_000;

pub(super) struct Pace {
    origin: Micros,
    interval: Micros,
    /// Number of the tick that is due next; the origin is tick 0.
    next: u64,
    samples: u64,
    missed: u64,
    failed: u64,
    /// When the last sample was taken; at first, the origin.
    seen: Micros,
    gaps: Vec<(Micros, Micros)>,
    took: Latencies,
}

impl Pace {
    pub(super) fn new(origin: Micros, interval: Micros) -> Pace {
        Pace {
            origin,
            interval: interval.max(Micros(1)),
            next: 0,
            samples: 0,
            missed: 0,
            failed: 0,
            seen: origin,
            gaps: Vec::new(),
            took: Latencies::new(),
        }
    }

    pub(super) fn due(&self) -> Micros {
        self.origin + Micros(self.next.saturating_mul(self.interval.0))
    }

    /// A sample was asked for at `asked` and was there at `answered`; what went with it had been
    /// done by `now`.
    pub(super) fn sampled(&mut self, asked: Micros, answered: Micros, now: Micros) {
        self.samples += 1;
        self.took.record(answered - asked);
        self.blind_until(asked);
        self.seen = answered;
        self.advance(now);
    }

    /// A sample was asked for and did not come.
    pub(super) fn failed(&mut self, now: Micros) {
        self.failed += 1;
        self.advance(now);
    }

    /// The last tick that is due by now is taken late; those before it were missed.
    fn advance(&mut self, now: Micros) {
        let latest = (now - self.origin).0 / self.interval.0;
        let next = latest.max(self.next + 1);
        self.missed += next - (self.next + 1);
        self.next = next;
    }

    fn blind_until(&mut self, now: Micros) {
        if (now - self.seen).0 <= GAP_INTERVALS * self.interval.0 {
            return;
        }
        let is_full = self.gaps.len() >= GAPS_MAX;
        match self.gaps.last_mut() {
            Some(last) if is_full => last.1 = now,
            _ => self.gaps.push((self.seen, now)),
        }
    }

    pub(super) fn report(mut self, now: Micros) -> SamplerReport {
        self.blind_until(now);
        SamplerReport {
            interval_us: self.interval,
            samples: self.samples,
            missed: self.missed,
            failed: self.failed,
            gaps: self.gaps,
            took_us_p50: self.took.quantile(0.5),
            took_us_max: self.took.max(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const INTERVAL: Micros = Micros::from_millis(10);

    fn at_ms(ms: u64) -> Micros {
        Micros::from_millis(ms)
    }

    #[test]
    fn a_late_sample_misses_the_ticks_that_passed_but_for_the_last() {
        let mut pace = Pace::new(at_ms(100), INTERVAL);
        assert_eq!(pace.due(), at_ms(100));
        pace.sampled(at_ms(100), at_ms(135), at_ms(135));
        assert_eq!(pace.due(), at_ms(130));
        pace.sampled(at_ms(135), at_ms(136), at_ms(136));
        assert_eq!(pace.due(), at_ms(140));
        let report = pace.report(at_ms(140));
        assert_eq!((report.samples, report.missed), (2, 2));
        assert_eq!(report.took_us_max, at_ms(35));
    }

    #[test]
    fn more_than_ten_intervals_without_a_sample_are_a_gap() {
        let mut pace = Pace::new(Micros::ZERO, INTERVAL);
        pace.sampled(at_ms(0), at_ms(1), at_ms(1));
        pace.failed(at_ms(50));
        pace.sampled(at_ms(300), at_ms(301), at_ms(301));
        let report = pace.report(at_ms(900));
        assert_eq!(report.gaps, [(at_ms(1), at_ms(300)), (at_ms(301), at_ms(900))]);
        assert_eq!(report.failed, 1);
    }

    #[test]
    fn a_sampler_that_never_saw_anything_reports_the_whole_time_as_a_gap() {
        let report = Pace::new(at_ms(5), INTERVAL).report(at_ms(500));
        assert_eq!(report.gaps, [(at_ms(5), at_ms(500))]);
    }

    #[test]
    fn too_many_gaps_end_in_one_that_covers_the_rest() {
        let mut pace = Pace::new(Micros::ZERO, INTERVAL);
        for n in 1..=2_000 {
            pace.sampled(at_ms(n * 200), at_ms(n * 200), at_ms(n * 200));
        }
        let gaps = pace.report(at_ms(400_000)).gaps;
        assert_eq!(gaps.len(), GAPS_MAX);
        assert_eq!(gaps[GAPS_MAX - 1].1, at_ms(400_000));
    }

    proptest! {
        #[test]
        fn every_tick_up_to_the_last_is_sampled_failed_or_missed(
            took_ms in prop::collection::vec((0u64..60, any::<bool>()), 1..100),
        ) {
            let mut pace = Pace::new(Micros::ZERO, INTERVAL);
            let mut now = Micros::ZERO;
            for (ms, fails) in took_ms {
                now = now.max(pace.due());
                let asked = now;
                now += at_ms(ms);
                if fails { pace.failed(now) } else { pace.sampled(asked, now, now) }
                let counted = pace.samples + pace.failed + pace.missed;
                prop_assert_eq!(counted, pace.next);
            }
        }
    }
}
