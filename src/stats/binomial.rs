//! How far k of n says what the odds are.

/// Of a normal distribution: 95 % lie within so many standard deviations.
const Z: f64 = 1.959_964;

/// The 95 % interval of the odds where `hits` of `tries` were seen, by Wilson's score (E. B. Wilson
/// 1927): from 0 to 1, and never empty. Without a try it is all of that.
pub fn binomial_interval(hits: u64, tries: u64) -> (f64, f64) {
    if tries == 0 {
        return (0.0, 1.0);
    }
    let n = tries as f64;
    let seen = hits.min(tries) as f64 / n;
    let shrunk = 1.0 + Z * Z / n;
    let centre = (seen + Z * Z / (2.0 * n)) / shrunk;
    let half = Z / shrunk * (seen * (1.0 - seen) / n + Z * Z / (4.0 * n * n)).sqrt();
    ((centre - half).max(0.0), (centre + half).min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_intervals() {
        // As in tables of the score interval: 0 of 10, 10 of 10, 5 of 10.
        let near = |(low, high): (f64, f64), (l, h): (f64, f64)| {
            assert!((low - l).abs() < 5e-4 && (high - h).abs() < 5e-4, "{low} {high}");
        };
        near(binomial_interval(0, 10), (0.0, 0.2775));
        near(binomial_interval(10, 10), (0.7225, 1.0));
        near(binomial_interval(5, 10), (0.2366, 0.7634));
        assert_eq!(binomial_interval(0, 0), (0.0, 1.0));
    }
}
