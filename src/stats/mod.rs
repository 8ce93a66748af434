//! Distributions of times: one histogram for a whole, one series of buckets for a timeline.
//!
//! A mean hides the operation that waited a minute, so only counts, quantiles and extremes are
//! returned. This module must not know what was timed, nor what is good or bad.

mod buckets;
mod latencies;
mod numbers;

pub use buckets::{BUCKET_WIDTH, Bucket, Buckets};
pub use latencies::{Latencies, Summary, TRACKED_MAX};
pub use numbers::{bytes, grouped};
