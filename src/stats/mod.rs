//! Distributions of times: one histogram for a whole, one series of buckets for a timeline; and how
//! a time grows with a size.
//!
//! A mean hides the operation that waited a minute, so only counts, quantiles and extremes are
//! returned. This module must not know what was timed, nor what is good or bad.

mod binomial;
mod buckets;
mod growth;
mod latencies;
mod numbers;

pub use binomial::binomial_interval;
pub use buckets::{BUCKET_WIDTH, Bucket, Buckets};
pub use growth::{COVERAGE, Estimate, Growth, Law, Point, SIZES_MIN};
pub use latencies::{Latencies, Summary, TRACKED_MAX};
pub use numbers::{bytes, grouped};
