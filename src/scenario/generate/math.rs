//! Randomness and the two transcendental functions, exact to the bit on every machine.
//!
//! A platform's own `exp` and `ln` differ in the last digit, and rand changes its sampling between
//! versions; either would change the rows that an `rng_seed` determines. Only addition,
//! multiplication, division and bit operations are used here, which IEEE 754 fixes.

use rand::Rng as _;

use super::Rng;

/// Uniform in [0, 1).
pub fn unit(rng: &mut Rng) -> f64 {
    (rng.next_u64() >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)
}

/// Uniform in 0..n; 0 when n is 0.
pub fn below(rng: &mut Rng, n: u64) -> u64 {
    ((u128::from(rng.next_u64()) * u128::from(n)) >> 64) as u64
}

/// True with probability `p`.
pub fn chance(rng: &mut Rng, p: f64) -> bool {
    p > 0.0 && unit(rng) < p
}

/// The natural logarithm of a positive, normal number.
pub fn ln(x: f64) -> f64 {
    const MANTISSA: u64 = (1 << 52) - 1;
    let bits = x.to_bits();
    let mut exponent = ((bits >> 52) & 0x7ff) as i64 - 1023;
    let mut m = f64::from_bits((bits & MANTISSA) | (1023 << 52));
    if m > std::f64::consts::SQRT_2 {
        m *= 0.5;
        exponent += 1;
    }
    // ln m = 2 artanh((m - 1) / (m + 1)), whose series converges fast: |s| < 0.172.
    let s = (m - 1.0) / (m + 1.0);
    let square = s * s;
    let series = (0..11).rev().fold(0.0, |sum, k| sum * square + 1.0 / f64::from(2 * k + 1));
    exponent as f64 * std::f64::consts::LN_2 + 2.0 * s * series
}

/// e to the power of x, for |x| up to some hundreds.
pub fn exp(x: f64) -> f64 {
    let halvings = (x * std::f64::consts::LOG2_E).round().clamp(-1000.0, 1000.0);
    let r = x - halvings * std::f64::consts::LN_2;
    let series = (1..15).rev().fold(1.0, |sum, k| 1.0 + sum * r / f64::from(k));
    series * f64::from_bits(((halvings as i64 + 1023) as u64) << 52)
}

/// Ranks 1..=n, rank k with a probability in proportion to 1 / k^exponent.
///
/// Rejection-inversion: W. Hörmann, G. Derflinger, "Rejection-inversion to generate variates from
/// monotone discrete distributions" (1996). No table, so a key space of any size costs nothing.
#[derive(Clone, Debug)]
pub struct Zipf {
    exponent: f64,
    n: f64,
    integral_first: f64,
    integral_last: f64,
    shortcut: f64,
}

impl Zipf {
    /// `exponent` must be positive; 0 is uniform, for which [`below`] serves.
    pub fn new(n: u64, exponent: f64) -> Zipf {
        let n = n.max(1) as f64;
        let mut zipf = Zipf { exponent, n, integral_first: 0.0, integral_last: 0.0, shortcut: 0.0 };
        zipf.integral_first = zipf.integral(1.5) - 1.0;
        zipf.integral_last = zipf.integral(n + 0.5);
        zipf.shortcut = 2.0 - zipf.inverse(zipf.integral(2.5) - zipf.density(2.0));
        zipf
    }

    /// Draws a rank, from 1.
    pub fn draw(&self, rng: &mut Rng) -> u64 {
        loop {
            let u = self.integral_last + unit(rng) * (self.integral_first - self.integral_last);
            let x = self.inverse(u);
            let k = (x + 0.5).floor().clamp(1.0, self.n);
            if k - x <= self.shortcut || u >= self.integral(k + 0.5) - self.density(k) {
                return k as u64;
            }
        }
    }

    fn density(&self, x: f64) -> f64 {
        exp(-self.exponent * ln(x))
    }

    /// The integral of the density, up to a constant.
    fn integral(&self, x: f64) -> f64 {
        let log = ln(x);
        log * relative_exp((1.0 - self.exponent) * log)
    }

    fn inverse(&self, integral: f64) -> f64 {
        let t = (integral * (1.0 - self.exponent)).max(-1.0 + 1e-12);
        exp(integral * relative_ln(t))
    }
}

/// Below this, the quotients are taken from their series: the difference would cancel.
const SERIES_BELOW: f64 = 0.01;

/// (exp(x) - 1) / x, also near 0.
fn relative_exp(x: f64) -> f64 {
    match x.abs() < SERIES_BELOW {
        true => (2..9).rev().fold(1.0, |sum, k| 1.0 + sum * x / f64::from(k)),
        false => (exp(x) - 1.0) / x,
    }
}

/// ln(1 + x) / x, also near 0.
fn relative_ln(x: f64) -> f64 {
    match x.abs() < SERIES_BELOW {
        true => (1..10).rev().fold(0.0, |sum, k| 1.0 / f64::from(k) - sum * x),
        false => ln(1.0 + x) / x,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::stream;
    use super::*;

    proptest! {
        #[test]
        fn ln_and_exp_agree_with_the_platform(x in 1e-6_f64..1e12, y in -50.0_f64..50.0) {
            prop_assert!((ln(x) - x.ln()).abs() <= 1e-12 * x.ln().abs().max(1.0));
            prop_assert!((exp(y) / y.exp() - 1.0).abs() <= 1e-12);
        }

        #[test]
        fn quotients_are_smooth_where_the_series_ends(x in -0.02_f64..0.02) {
            prop_assume!(x.abs() > 1e-6);
            prop_assert!((relative_exp(x) - x.exp_m1() / x).abs() < 1e-11);
            prop_assert!((relative_ln(x) - x.ln_1p() / x).abs() < 1e-11);
        }
    }

    #[rstest::rstest]
    #[case(0.5)]
    #[case(1.0)]
    #[case(1.5)]
    fn ranks_come_as_often_as_their_weight_says(#[case] exponent: f64) {
        const RANKS: usize = 50;
        const DRAWS: usize = 200_000;
        let zipf = Zipf::new(RANKS as u64, exponent);
        let mut rng = stream(1, "zipf", 0);
        let mut seen = [0_usize; RANKS];
        for _ in 0..DRAWS {
            seen[zipf.draw(&mut rng) as usize - 1] += 1;
        }
        let weight = |rank: usize| (rank as f64).powf(-exponent);
        let total: f64 = (1..=RANKS).map(weight).sum();
        for (index, count) in seen.into_iter().enumerate() {
            let expected = DRAWS as f64 * weight(index + 1) / total;
            let error = (count as f64 - expected).abs();
            assert!(error < 5.0 * expected.sqrt(), "rank {}: {count}, {expected}", index + 1);
        }
    }

    #[test]
    fn one_rank_is_always_drawn_from_one() {
        let mut rng = stream(1, "zipf", 0);
        assert!((0..100).all(|_| Zipf::new(1, 1.0).draw(&mut rng) == 1));
    }
}
