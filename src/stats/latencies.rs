//! A histogram of times with three significant digits, which says when a value did not fit.

use hdrhistogram::Histogram;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clock::Micros;

/// Times beyond an hour are counted as an hour, and counted apart.
pub const TRACKED_MAX: Micros = Micros::from_secs(3_600);

/// Quantiles are within 0.1 % of the exact ones.
const SIGNIFICANT_DIGITS: u8 = 3;

/// The distribution of some times. It grows with the largest of them: some 15 KiB up to 10 ms,
/// 190 KiB up to an hour.
#[derive(Clone, Debug)]
pub struct Latencies {
    histogram: Histogram<u64>,
    /// Exact, where the histogram rounds.
    min: Option<Micros>,
    max: Micros,
    exceeded: u64,
}

/// What a table or a result says of a distribution. All zero when nothing was recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    /// Values that were recorded.
    pub count: u64,
    /// Median.
    pub p50_us: Micros,
    /// 90th percentile.
    pub p90_us: Micros,
    /// 99th percentile.
    pub p99_us: Micros,
    /// 99.9th percentile.
    pub p999_us: Micros,
    /// Largest value, exact.
    pub max_us: Micros,
    /// Values beyond [`TRACKED_MAX`]: quantiles that fall among them are too small.
    #[serde(default)]
    pub exceeded: u64,
}

impl Default for Latencies {
    fn default() -> Latencies {
        Latencies::new()
    }
}

impl Latencies {
    /// Without values.
    pub fn new() -> Latencies {
        let mut histogram = Histogram::new(SIGNIFICANT_DIGITS)
            .unwrap_or_else(|_| unreachable!("three digits are within the histogram's range"));
        histogram.auto(true);
        Latencies { histogram, min: None, max: Micros::ZERO, exceeded: 0 }
    }

    /// Counts a value.
    pub fn record(&mut self, value: Micros) {
        self.min = Some(self.min.map_or(value, |min| min.min(value)));
        self.max = self.max.max(value);
        if value > TRACKED_MAX {
            self.exceeded += 1;
        }
        if self.histogram.record(value.min(TRACKED_MAX).0).is_err() {
            unreachable!("a histogram that resizes itself takes any value");
        }
    }

    /// Counts all values of another distribution.
    pub fn merge(&mut self, other: &Latencies) {
        self.min = self.min.into_iter().chain(other.min).min();
        self.max = self.max.max(other.max);
        self.exceeded += other.exceeded;
        if self.histogram.add(&other.histogram).is_err() {
            unreachable!("a histogram that resizes itself takes any other");
        }
    }

    /// Values that were recorded.
    pub fn count(&self) -> u64 {
        self.histogram.len()
    }

    /// The smallest value that at least the share `q` (0 to 1) of the values do not exceed; zero
    /// when nothing was recorded.
    pub fn quantile(&self, q: f64) -> Micros {
        Micros(self.histogram.value_at_quantile(q)).min(self.max)
    }

    /// Exact; zero when nothing was recorded.
    pub fn min(&self) -> Micros {
        self.min.unwrap_or_default()
    }

    /// Exact, also beyond [`TRACKED_MAX`].
    pub fn max(&self) -> Micros {
        self.max
    }

    /// How many values were beyond [`TRACKED_MAX`].
    pub fn exceeded(&self) -> u64 {
        self.exceeded
    }

    /// The usual quantiles.
    pub fn summary(&self) -> Summary {
        Summary {
            count: self.count(),
            p50_us: self.quantile(0.5),
            p90_us: self.quantile(0.9),
            p99_us: self.quantile(0.99),
            p999_us: self.quantile(0.999),
            max_us: self.max,
            exceeded: self.exceeded,
        }
    }
}

impl FromIterator<Micros> for Latencies {
    fn from_iter<I: IntoIterator<Item = Micros>>(values: I) -> Latencies {
        let mut latencies = Latencies::new();
        values.into_iter().for_each(|value| latencies.record(value));
        latencies
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_value_beyond_an_hour_is_kept_as_the_maximum_and_said_to_exceed() {
        let day = Micros::from_secs(86_400);
        let latencies: Latencies = [Micros(5), day].into_iter().collect();
        assert_eq!((latencies.count(), latencies.exceeded()), (2, 1));
        assert_eq!((latencies.min(), latencies.max()), (Micros(5), day));
        assert!(latencies.quantile(1.0) >= TRACKED_MAX);
    }

    #[test]
    fn nothing_recorded_is_all_zero() {
        assert_eq!(Latencies::new().summary(), Summary::default());
        assert_eq!(Latencies::new().min(), Micros::ZERO);
    }

    fn exact(values: &[u64], q: f64) -> u64 {
        let mut sorted = values.to_vec();
        sorted.sort_unstable();
        let rank = (q * sorted.len() as f64).ceil().max(1.0) as usize;
        sorted[rank - 1]
    }

    proptest! {
        #[test]
        fn quantiles_are_within_a_thousandth_of_the_exact_ones(
            values in prop::collection::vec(0u64..3_000_000_000, 1..300),
            percent in 0u32..=100,
        ) {
            let latencies: Latencies = values.iter().copied().map(Micros).collect();
            let q = f64::from(percent) / 100.0;
            let (estimate, exact) = (latencies.quantile(q).0, exact(&values, q));
            prop_assert!(estimate.abs_diff(exact) <= exact / 1_000 + 1, "{estimate} for {exact}");
        }

        #[test]
        fn merged_parts_say_what_the_whole_says(
            left in prop::collection::vec(0u64..10_000_000_000, 0..50),
            right in prop::collection::vec(0u64..10_000_000_000, 0..50),
        ) {
            let of = |values: &[u64]| values.iter().copied().map(Micros).collect::<Latencies>();
            let mut merged = of(&left);
            merged.merge(&of(&right));
            let whole = of(&[left, right].concat());
            prop_assert_eq!(merged.summary(), whole.summary());
            prop_assert_eq!(merged.min(), whole.min());
        }
    }
}
