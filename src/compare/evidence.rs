//! The statistics of two samples: an exact Mann–Whitney test, a bootstrap of a ratio of medians.
//!
//! It knows numbers only: not what was measured, nor which direction is the bad one. What is drawn
//! at random comes from a seed, so that one pair of results has one comparison.

use std::collections::BTreeMap;

use rand::rngs::ChaCha8Rng;
use rand::{RngExt as _, SeedableRng as _};
use statrs::stats_tests::Alternative;
use statrs::stats_tests::mannwhitneyu::{MannWhitneyUMethod, mannwhitneyu};

/// Up to so many values on both sides together the test's distribution is counted out; beyond it
/// the normal one is close enough, also with ties.
const EXACT_MAX: usize = 60;

/// Two-sided p of the Mann–Whitney test, by the distribution of the rank sum over all ways of
/// dividing these very values, ties included.
///
/// statrs 0.19 counts it out as well, but takes the wrong tail where the first sample is not the
/// larger one (for five against five that do not overlap it says 1), and approximates where there
/// are ties; so only large samples go there.
pub fn p_value(a: &[f64], b: &[f64]) -> f64 {
    if a.is_empty() || b.is_empty() {
        return 1.0;
    }
    if a.len() + b.len() > EXACT_MAX {
        let method = MannWhitneyUMethod::AsymptoticInclContinuityCorrection;
        let tested = mannwhitneyu(a, b, method, Alternative::TwoSided);
        return tested.map_or(1.0, |(_, p)| p);
    }
    let ranks = doubled_midranks(a, b);
    let observed: usize = ranks[..a.len()].iter().sum();
    let centre = a.len() * (ranks.len() + 1);
    let ways = ways_by_sum(&ranks, a.len());
    let far = |sum: usize| sum.abs_diff(centre) >= observed.abs_diff(centre);
    let as_far: f64 = ways.iter().enumerate().filter(|(sum, _)| far(*sum)).map(|(_, n)| n).sum();
    (as_far / ways.iter().sum::<f64>()).min(1.0)
}

/// The smallest p that samples of these sizes can have: when they do not overlap.
pub fn p_reachable(a: usize, b: usize) -> f64 {
    let small = a.min(b);
    let ways = (1..=small).fold(1.0, |ways, k| ways * (a + b - small + k) as f64 / k as f64);
    (2.0 / ways).min(1.0)
}

/// Twice the rank of each value, a's first; equal values share the mean of their ranks.
fn doubled_midranks(a: &[f64], b: &[f64]) -> Vec<usize> {
    let all: Vec<f64> = a.iter().chain(b).copied().collect();
    let rank = |value: &f64| {
        let below = all.iter().filter(|other| *other < value).count();
        let equal = all.iter().filter(|other| *other == value).count();
        2 * below + equal + 1
    };
    all.iter().map(rank).collect()
}

/// In how many ways `chosen` of the ranks have each sum.
fn ways_by_sum(ranks: &[usize], chosen: usize) -> Vec<f64> {
    let sum_max: usize = ranks.iter().sum();
    let mut ways = vec![vec![0.0; sum_max + 1]; chosen + 1];
    ways[0][0] = 1.0;
    for rank in ranks {
        for count in (1..=chosen).rev() {
            for sum in (*rank..=sum_max).rev() {
                ways[count][sum] += ways[count - 1][sum - rank];
            }
        }
    }
    ways.swap_remove(chosen)
}

/// The middle value, or the mean of the two; of nothing, 0.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    match sorted.len() {
        0 => 0.0,
        size => mean(sorted[(size - 1) / 2], sorted[size / 2]),
    }
}

/// B as a multiple of A. Equal values have 1, also where both are 0 or never came.
pub fn ratio(a: f64, b: f64) -> f64 {
    if a == b { 1.0 } else { b / a }
}

/// Which of a sample's sorted values are in the middle of each sample that is drawn from it with
/// repetition. Drawn once for each size and stream, and looked up for every metric: where the
/// median falls depends on the number of values alone.
#[derive(Debug)]
pub struct Resampler {
    rng_seed: u64,
    resamples: usize,
    drawn: BTreeMap<(Stream, usize), Vec<(usize, usize)>>,
}

/// Draws of two streams do not depend on each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stream {
    A,
    B,
    ControlA,
    ControlB,
}

impl Resampler {
    pub fn new(rng_seed: u64, resamples: usize) -> Resampler {
        Resampler { rng_seed, resamples, drawn: BTreeMap::new() }
    }

    /// Medians of samples drawn from the values, which are not none.
    pub fn medians(&mut self, stream: Stream, values: &[f64]) -> Vec<f64> {
        let mut sorted = values.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        let size = values.len();
        let (resamples, seed) = (self.resamples, self.rng_seed);
        let drawn = self.drawn.entry((stream, size));
        let drawn = drawn.or_insert_with(|| {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            rng.set_stream(stream as u64);
            (0..resamples).map(|_| middle(size, &mut rng)).collect()
        });
        drawn.iter().map(|(low, high)| mean(sorted[*low], sorted[*high])).collect()
    }
}

/// The places of the two values in the middle of a sample that is drawn; one twice where their
/// number is odd.
fn middle(size: usize, rng: &mut ChaCha8Rng) -> (usize, usize) {
    let mut places: Vec<usize> = (0..size).map(|_| rng.random_range(0..size)).collect();
    places.sort_unstable();
    (places[(size - 1) / 2], places[size / 2])
}

/// Also of two that never came.
fn mean(a: f64, b: f64) -> f64 {
    if a == b { a } else { f64::midpoint(a, b) }
}

/// The middle part of what was drawn.
pub fn percentile_interval(mut drawn: Vec<f64>, confidence: f64) -> (f64, f64) {
    if drawn.is_empty() {
        return (0.0, f64::INFINITY);
    }
    drawn.sort_unstable_by(f64::total_cmp);
    let last = drawn.len() - 1;
    let tail = (1.0 - confidence) / 2.0;
    let low = (tail * last as f64).floor() as usize;
    (drawn[low], drawn[last - low])
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOW: [f64; 5] = [1.0, 2.0, 3.0, 4.0, 5.0];

    /// 2 of 252 ways; statrs 0.19 says 1 here.
    #[test]
    fn five_against_five_that_do_not_overlap_are_two_of_252_ways() {
        let high = [6.0, 7.0, 8.0, 9.0, 10.0];
        assert!((p_value(&LOW, &high) - 2.0 / 252.0).abs() < 1e-12);
        assert!((p_value(&high, &LOW) - 2.0 / 252.0).abs() < 1e-12);
        assert!((p_reachable(5, 5) - 2.0 / 252.0).abs() < 1e-12);
        assert!((p_reachable(3, 30) - p_reachable(30, 3)).abs() < 1e-12);
    }

    /// Wilcoxon's own table: U = 2 with five and five has p = 0.032 (8 of 252 ways).
    #[test]
    fn an_overlap_has_the_p_of_the_tables() {
        let b = [4.5, 5.5, 6.0, 7.0, 8.0];
        let one_below = p_value(&LOW, &b);
        assert!((one_below - 4.0 / 252.0).abs() < 1e-12, "{one_below}");
        let two_below = p_value(&LOW, &[3.5, 5.5, 6.0, 7.0, 8.0]);
        assert!((two_below - 8.0 / 252.0).abs() < 1e-12, "{two_below}");
    }

    #[test]
    fn where_the_library_is_right_the_two_agree() {
        let (a, b) = ([1.0, 4.0, 6.5, 7.0, 9.0, 12.0], [2.0, 3.0, 5.0, 6.0]);
        let tested = mannwhitneyu(&a, &b, MannWhitneyUMethod::Exact, Alternative::TwoSided);
        let (_, theirs) = tested.expect("two samples");
        assert!((p_value(&a, &b) - theirs).abs() < 1e-12);
    }

    #[test]
    fn equal_values_say_nothing() {
        assert_eq!(p_value(&[3.0; 5], &[3.0; 5]), 1.0);
        assert!((p_value(&[0.0; 5], &[1.0; 5]) - 2.0 / 252.0).abs() < 1e-12);
    }

    #[test]
    fn large_samples_are_approximated_and_agree_where_both_can_be_had() {
        let a: Vec<f64> = (0..30).map(f64::from).collect();
        let b: Vec<f64> = (0..30).map(|n| f64::from(n) + 5.5).collect();
        let exact = p_value(&a, &b);
        let more: Vec<f64> = b.iter().copied().chain([20.25]).collect();
        let approximated = p_value(&a, &more);
        assert!((exact - approximated).abs() < 0.02, "{exact} {approximated}");
    }

    #[test]
    fn an_interval_holds_the_ratio_and_is_the_same_each_time() {
        let drawn = |seed| {
            let medians = Resampler::new(seed, 500).medians(Stream::A, &LOW);
            percentile_interval(medians, 0.95)
        };
        assert_eq!(drawn(7), drawn(7));
        let (low, high) = drawn(7);
        assert!(low < 3.0 && 3.0 < high);
    }

    #[test]
    fn a_ratio_of_equals_is_one_whatever_they_are() {
        assert_eq!([ratio(0.0, 0.0), ratio(f64::INFINITY, f64::INFINITY)], [1.0, 1.0]);
        assert_eq!([ratio(0.0, 2.0), ratio(2.0, 3.0)], [f64::INFINITY, 1.5]);
    }
}
