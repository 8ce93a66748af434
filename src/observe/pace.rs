//! The sampler's accounts: when the next sample is due, which were missed, where it was blind.
//!
//! Pure: it takes the time as an argument, so that the accounting is tested without a server.

use crate::clock::Micros;
use crate::history::SamplerReport;
use crate::stats::Latencies;

/// Two samples further apart than this many intervals have a gap between them.
const GAP_INTERVALS: u64 = 3;
/// Of more gaps than these, the longest are reported.
const GAPS_MAX: usize = 1_000;

pub(super) struct Pace {
    origin: Micros,
    interval: Micros,
    /// Number of the tick that is due next; the origin is tick 0.
    next: u64,
    samples: u64,
    missed: u64,
    failed: u64,
    /// When the last sample was answered; at first, the origin.
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
    /// done by `now`. Which moment between the two it shows is not known: one that hangs is part of
    /// the gap.
    pub(super) fn sampled(&mut self, asked: Micros, answered: Micros, now: Micros) {
        self.samples += 1;
        self.took.record(answered - asked);
        self.blind_until(answered);
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
        self.gaps.push((self.seen, now));
        if self.gaps.len() > GAPS_MAX {
            let lengths = self.gaps.iter().map(|(from, to)| *to - *from).enumerate();
            if let Some((shortest, _)) = lengths.min_by_key(|(_, length)| *length) {
                self.gaps.remove(shortest);
            }
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
    fn more_than_three_intervals_without_an_answer_are_a_gap() {
        let mut pace = Pace::new(Micros::ZERO, INTERVAL);
        pace.sampled(at_ms(0), at_ms(1), at_ms(1));
        pace.failed(at_ms(50));
        pace.sampled(at_ms(300), at_ms(301), at_ms(301));
        pace.sampled(at_ms(330), at_ms(331), at_ms(331));
        let report = pace.report(at_ms(900));
        assert_eq!(report.gaps, [(at_ms(1), at_ms(301)), (at_ms(331), at_ms(900))]);
        assert_eq!(report.failed, 1);
    }

    #[test]
    fn a_sample_that_hangs_is_a_gap() {
        let mut pace = Pace::new(Micros::ZERO, INTERVAL);
        pace.sampled(at_ms(0), at_ms(1), at_ms(1));
        pace.sampled(at_ms(10), at_ms(758), at_ms(758));
        pace.sampled(at_ms(758), at_ms(759), at_ms(759));
        let report = pace.report(at_ms(765));
        assert_eq!(report.gaps, [(at_ms(1), at_ms(758))]);
        assert_eq!((report.samples, report.missed), (3, 73));
    }

    #[test]
    fn a_sampler_that_never_saw_anything_reports_the_whole_time_as_a_gap() {
        let report = Pace::new(at_ms(5), INTERVAL).report(at_ms(500));
        assert_eq!(report.gaps, [(at_ms(5), at_ms(500))]);
    }

    #[test]
    fn of_too_many_gaps_the_longest_are_reported() {
        let mut pace = Pace::new(Micros::ZERO, INTERVAL);
        let mut now = Micros::ZERO;
        for n in 0..2_000 {
            now += at_ms(if n == 700 { 800 } else { 200 });
            pace.sampled(now, now, now);
        }
        let gaps = pace.report(now).gaps;
        assert_eq!(gaps.len(), GAPS_MAX);
        let lengths = || gaps.iter().map(|(from, to)| *to - *from);
        assert_eq!(lengths().max(), Some(at_ms(800)));
        assert_eq!(lengths().min(), Some(at_ms(200)));
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
