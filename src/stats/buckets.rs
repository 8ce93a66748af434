//! A series over time: what was scheduled in each tenth of a second, and how long it took.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clock::Micros;

/// Wide enough for twenty operations at a modest rate, narrow enough to show a stall of 100 ms.
pub const BUCKET_WIDTH: Micros = Micros::from_millis(100);

/// An hour at [`BUCKET_WIDTH`]; what is due later is counted in the last bucket.
const BUCKETS_MAX: usize = 36_000;

/// A series of buckets of one width, from the trial's zero on. Values are kept, not binned: a
/// bucket holds tens of them, where a histogram would cost hundreds of KiB.
#[derive(Clone, Debug)]
pub struct Buckets {
    width: Micros,
    buckets: Vec<Values>,
}

#[derive(Clone, Debug, Default)]
struct Values {
    latencies_us: Vec<u64>,
    failures: u64,
}

/// What was due from `from_us` on, for one width.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Bucket {
    /// Begin of the bucket.
    pub from_us: Micros,
    /// Failures included.
    pub count: u64,
    /// Operations that did not succeed.
    pub failures: u64,
    /// Zero in an empty bucket.
    pub p50_us: Micros,
    /// 99th percentile of latency; zero in an empty bucket.
    pub p99_us: Micros,
    /// Longest latency; zero in an empty bucket.
    pub max_us: Micros,
}

impl Default for Buckets {
    fn default() -> Buckets {
        Buckets::new(BUCKET_WIDTH)
    }
}

impl Buckets {
    /// A width of zero is taken for one microsecond.
    pub fn new(width: Micros) -> Buckets {
        Buckets { width: width.max(Micros(1)), buckets: Vec::new() }
    }

    /// A failure has a latency too: the application waited for it.
    pub fn record(&mut self, due: Micros, latency: Micros, failed: bool) {
        let index = usize::try_from(due.0 / self.width.0).unwrap_or(usize::MAX);
        let index = index.min(BUCKETS_MAX - 1);
        if self.buckets.len() <= index {
            self.buckets.resize_with(index + 1, Values::default);
        }
        let bucket = &mut self.buckets[index];
        bucket.latencies_us.push(latency.0);
        bucket.failures += u64::from(failed);
    }

    /// Length of time of a bucket.
    pub fn width(&self) -> Micros {
        self.width
    }

    /// Every bucket from zero to the last that holds something, empty ones included.
    pub fn series(&self) -> Vec<Bucket> {
        let bucket = |(index, values): (usize, &Values)| {
            values.bucket(Micros(self.width.0.saturating_mul(index as u64)))
        };
        self.buckets.iter().enumerate().map(bucket).collect()
    }
}

impl Values {
    fn bucket(&self, from_us: Micros) -> Bucket {
        let mut sorted = self.latencies_us.clone();
        sorted.sort_unstable();
        let quantile = |q: f64| {
            let rank = (q * sorted.len() as f64).ceil() as usize;
            Micros(sorted.get(rank.saturating_sub(1)).copied().unwrap_or(0))
        };
        Bucket {
            from_us,
            count: sorted.len() as u64,
            failures: self.failures,
            p50_us: quantile(0.5),
            p99_us: quantile(0.99),
            max_us: quantile(1.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_belongs_to_the_bucket_in_which_it_was_due() {
        let mut buckets = Buckets::default();
        buckets.record(Micros::from_millis(99), Micros(7), false);
        buckets.record(Micros::from_millis(250), Micros(1), true);
        buckets.record(Micros::from_millis(299), Micros(3), false);
        let series = buckets.series();
        assert_eq!(series.iter().map(|b| b.count).collect::<Vec<_>>(), [1, 0, 2]);
        assert_eq!(series.iter().map(|b| b.failures).collect::<Vec<_>>(), [0, 0, 1]);
        assert_eq!(series[2].from_us, Micros::from_millis(200));
        assert_eq!((series[2].p50_us, series[2].max_us), (Micros(1), Micros(3)));
        assert_eq!(series[1].max_us, Micros::ZERO);
    }

    #[test]
    fn what_is_due_after_the_last_bucket_is_counted_in_it() {
        let mut buckets = Buckets::default();
        buckets.record(Micros::from_secs(1_000_000), Micros(9), false);
        let series = buckets.series();
        assert_eq!(series.len(), BUCKETS_MAX);
        assert_eq!(series[BUCKETS_MAX - 1].count, 1);
    }
}
