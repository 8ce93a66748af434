//! Numbers of a distribution from those that ANALYZE keeps of it.

/// Beyond this exponent the most frequent value has nearly everything.
const SKEW_MAX: f64 = 3.0;
/// How much more often than the others the most frequent value has to come to be called skewed:
/// ANALYZE looks at a sample.
const UNEVEN: f64 = 1.5;
/// Ranks that are added up one by one; what is beyond them is an integral.
const RANKS: u64 = 2_000;
/// Halvings of an interval.
const STEPS: usize = 50;

/// The Zipf exponent with which the most frequent of so many values has this share of the rows; 0:
/// all come equally often.
pub fn skew(values: f64, share: f64) -> f64 {
    if values < 2.0 || share * values <= UNEVEN {
        return 0.0;
    }
    let found = root(0.0, SKEW_MAX, |exponent| 1.0 / weights(values, exponent) < share);
    // Three digits are more than a sample says, and a person reads them.
    (found * 1e3).round() / 1e3
}

/// How many values there have to be, equally frequent, for so many rows to show this share of
/// different ones.
pub fn values(rows: f64, different: f64) -> f64 {
    // Of n values, m draws show n (1 - e^(-m/n)).
    let shown = |draws_per_value: f64| (1.0 - (-draws_per_value).exp()) / draws_per_value;
    let draws_per_value = root(1e-3, 1e6, |x| shown(x) > different);
    (rows / draws_per_value).max(1.0)
}

/// The sum of the weights of ranks 1 to `values`.
fn weights(values: f64, exponent: f64) -> f64 {
    let single = (values as u64).clamp(1, RANKS);
    let sum: f64 = (1..=single).map(|rank| (rank as f64).powf(-exponent)).sum();
    let (from, to) = (single as f64 + 0.5, values + 0.5);
    let rest = match (exponent - 1.0).abs() < 1e-9 {
        true => (to / from).ln(),
        false => (to.powf(1.0 - exponent) - from.powf(1.0 - exponent)) / (1.0 - exponent),
    };
    sum + rest.max(0.0)
}

/// Where a condition that holds below stops to hold.
fn root(mut low: f64, mut high: f64, holds: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..STEPS {
        // Intervals over magnitudes are halved by magnitude.
        let middle = if low > 0.0 { (low * high).sqrt() } else { f64::midpoint(low, high) };
        match holds(middle) {
            true => low = middle,
            false => high = middle,
        }
    }
    f64::midpoint(low, high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case(10.0, 0.1, 0.0)]
    #[case(1.0, 1.0, 0.0)]
    // Harmonic numbers: 1/H(100), 1/H(1_000_000).
    #[case(100.0, 0.192_776, 1.0)]
    #[case(1e6, 0.069_478, 1.0)]
    #[case(50.0, 0.999, 3.0)]
    fn a_skew_gives_the_most_frequent_value_its_share(
        #[case] values: f64,
        #[case] share: f64,
        #[case] exponent: f64,
    ) {
        let found = skew(values, share);
        assert!((found - exponent).abs() < 0.002, "{found}");
    }

    #[rstest::rstest]
    #[case::few(1e6, 0.001, 1_000.0)]
    #[case::a_half(1_000.0, 0.5, 627.5)]
    #[case::nearly_all(1_000.0, 0.99, 49_670.0)]
    fn so_many_values_show_so_many_in_the_rows(
        #[case] rows: f64,
        #[case] different: f64,
        #[case] expected: f64,
    ) {
        let found = values(rows, different);
        assert!((found / expected - 1.0).abs() < 0.02, "{found}");
    }
}
