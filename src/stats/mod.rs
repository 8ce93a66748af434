//! Distributions of times: one histogram for a whole, one series of buckets for a course.
//!
//! A mean hides the operation that waited a minute, so only counts, quantiles and extremes are
//! told. This module must not know what was timed, nor what is good or bad.

mod buckets;
mod latencies;
mod numbers;

pub use buckets::{BUCKET_WIDTH, Bucket, Buckets};
pub use latencies::{Latencies, Summary, TRACKED_MAX};
pub use numbers::grouped;

/// The middle value, or the mean of the two middle ones; None of nothing.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let upper = *sorted.get(sorted.len() / 2)?;
    match sorted.len() % 2 {
        0 => Some((sorted[sorted.len() / 2 - 1] + upper) / 2.0),
        _ => Some(upper),
    }
}

#[cfg(test)]
mod tests {
    use super::median;

    #[test]
    fn the_median_lies_in_the_middle_whatever_the_order() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 3.0, 2.0]), Some(2.5));
    }
}
