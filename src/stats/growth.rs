//! How a time grows with a size, and what that says of a larger size than was measured.
//!
//! Each law is fitted to the measured points, `a + b·g(n)` with neither `a` nor `b` below zero, by
//! least squares of relative errors. How far a law is believed is how well it foretells the largest
//! size from the smaller ones, never how well it fits. A prediction is the mixture of all laws by
//! that belief, so that two laws which the points cannot tell apart widen its interval.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, StudentsT};
use statrs::function::gamma::ln_gamma;

/// Share of predictions that are to be within the interval.
pub const COVERAGE: f64 = 0.9;
/// Distinct sizes below which nothing is predicted.
pub const SIZES_MIN: usize = 3;
/// What a size that is measured once or twice says of noise is weighed against this: a relative
/// deviation, and the measurements that it counts for.
const NOISE: (f64, f64) = (0.08, 3.0);
/// By how much the exponent of growth is off beyond the largest size that was tried: caches,
/// checkpoints and sorts that do not fit make it grow (a rewrite of 5 million rows took 24 % more
/// than five times that of one million).
const DRIFT: f64 = 0.1;
/// A time is known to this, in the unit of the points, if they are microseconds.
const RESOLUTION: f64 = 1_000.0;
/// Sizes beyond the largest one by more than this are not searched for a crossing.
const REACH: f64 = 10_000.0;
/// A law that misses the held-out size by more does not fit.
const MISS: f64 = 0.35;

/// How a time depends on a size.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Law {
    /// The size does not matter.
    Constant,
    /// Twice the size, twice the time.
    Linear,
    /// `n log n`, as a sort.
    Linearithmic,
    /// `n²`.
    Quadratic,
}

impl Law {
    const ALL: [Law; 4] = [Law::Constant, Law::Linear, Law::Linearithmic, Law::Quadratic];

    fn of(self, n: f64) -> f64 {
        match self {
            Law::Constant => 0.0,
            Law::Linear => n,
            Law::Linearithmic => n * n.max(2.0).log2(),
            Law::Quadratic => n * n,
        }
    }
}

/// A size, and a time that was measured there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// The size, such as rows.
    pub n: f64,
    /// The time.
    pub y: f64,
}

/// A predicted time with its interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The lower end of the interval.
    pub low: f64,
    /// As likely to be above as below.
    pub mid: f64,
    /// The upper end of the interval.
    pub high: f64,
}

/// What the points say of other sizes.
#[derive(Clone, Debug)]
pub struct Growth {
    laws: Vec<Fitted>,
    largest: f64,
    /// Wider by this factor, for what the points cannot know.
    widened: f64,
}

#[derive(Clone, Debug)]
struct Fitted {
    law: Law,
    a: f64,
    b: f64,
    /// Relative deviation of a measurement from the law.
    deviation: f64,
    freedom: f64,
    /// (XᵀWX)⁻¹ of a and b.
    spread: [[f64; 2]; 2],
    belief: f64,
    /// Logarithm of (measured / foretold) at the held-out size.
    missed: f64,
}

impl Growth {
    /// From measurements at [`SIZES_MIN`] distinct sizes at least; every law is as likely as
    /// another. None: they are fewer, or a time is not above zero.
    pub fn of(points: &[Point]) -> Option<Growth> {
        Growth::expecting(points, |_| 1.0)
    }

    /// The same where something is known of the work: how likely each law is before anything is
    /// measured, in proportion to the others; zero: it cannot be.
    pub fn expecting(points: &[Point], likely: impl Fn(Law) -> f64) -> Option<Growth> {
        let mut sizes: Vec<f64> = points.iter().map(|p| p.n).collect();
        sizes.sort_by(f64::total_cmp);
        sizes.dedup();
        let sound = points.iter().all(|p| p.n > 0.0 && p.y > 0.0 && p.y.is_finite());
        let largest = *sizes.last()?;
        if sizes.len() < SIZES_MIN || !sound {
            return None;
        }
        let (kept, held): (Vec<Point>, Vec<Point>) = points.iter().partition(|p| p.n < largest);
        let possible = Law::ALL.iter().filter(|law| likely(**law) > 0.0);
        let mut laws: Vec<Fitted> = possible.map(|law| Fitted::of(*law, points)).collect();
        for fitted in &mut laws {
            let before = Fitted::of(fitted.law, &kept);
            let foretold = before.value(largest);
            let missed: Vec<f64> = held.iter().map(|p| (p.y / foretold).ln()).collect();
            fitted.missed = missed.iter().sum::<f64>() / missed.len() as f64;
            let scale = before.scale(largest, sizes[sizes.len() - 2]);
            let foretells: f64 =
                missed.iter().map(|m| density(m / scale, before.freedom) / scale).sum();
            fitted.belief = foretells * likely(fitted.law);
        }
        let all: f64 = laws.iter().map(|fitted| fitted.belief).sum();
        if all > 0.0 {
            laws.iter_mut().for_each(|fitted| fitted.belief /= all);
        }
        let mut growth = Growth { laws, largest, widened: 1.0 };
        if all <= 0.0 || growth.missed() > MISS {
            // None foretells the largest size: those that are nearest to it, as wide as they miss.
            let missed = |f: &Fitted| f.missed.abs();
            let least = growth.laws.iter().map(missed).fold(f64::INFINITY, f64::min);
            growth.laws.retain(|fitted| missed(fitted) <= least * 2.0);
            let share = 1.0 / growth.laws.len() as f64;
            growth.laws.iter_mut().for_each(|fitted| {
                fitted.belief = share;
                fitted.deviation = fitted.deviation.max(missed(fitted));
            });
        }
        Some(growth)
    }

    /// The same, its intervals wider by the factor: what changes between the sizes that were tried
    /// and the one that is asked about, the points cannot know.
    pub fn widened(self, factor: f64) -> Growth {
        Growth { widened: self.widened * factor.max(1.0), ..self }
    }

    /// The law that foretold the largest size best. None: none did.
    pub fn law(&self) -> Option<Law> {
        let best = self.best()?;
        (best.missed.abs() <= MISS).then_some(best.law)
    }

    /// By how much the best law missed the largest size, which it was not shown: 0.1 is about a
    /// tenth.
    pub fn missed(&self) -> f64 {
        self.best().map_or(f64::INFINITY, |best| best.missed.abs())
    }

    /// The largest size that was measured.
    pub fn largest(&self) -> f64 {
        self.largest
    }

    /// The time at a size.
    pub fn at(&self, n: f64) -> Estimate {
        let tail = (1.0 - COVERAGE) / 2.0;
        let [low, mid, high] = [tail, 0.5, 1.0 - tail].map(|share| self.quantile(n, share));
        Estimate { low, mid, high }
    }

    /// How likely the time at a size is above the limit, from 0 to 1.
    pub fn chance_above(&self, n: f64, limit: f64) -> f64 {
        1.0 - self.below(n, limit)
    }

    /// The sizes between which the limit is reached: from the first on it is possible, from the
    /// second on it is sure, as far as the interval's share goes. None: none that is so near
    /// reaches it; without a second: it is never sure.
    pub fn reaches(&self, limit: f64) -> Option<(f64, Option<f64>)> {
        let top = self.largest * REACH;
        let first = |end: &dyn Fn(&Estimate) -> f64| {
            let reaches = |n: f64| end(&self.at(n)) >= limit;
            if !reaches(top) {
                return None;
            }
            let (mut low, mut high) = (0.0_f64, top.ln());
            for _ in 0..60 {
                let middle = f64::midpoint(low, high);
                if reaches(middle.exp()) { high = middle } else { low = middle }
            }
            Some(high.exp())
        };
        let possible = first(&|estimate| estimate.high)?;
        Some((possible, first(&|estimate| estimate.low)))
    }

    fn best(&self) -> Option<&Fitted> {
        self.laws.iter().max_by(|one, other| one.belief.total_cmp(&other.belief))
    }

    /// How likely the time at a size is below the limit.
    fn below(&self, n: f64, limit: f64) -> f64 {
        let of = |fitted: &Fitted| {
            let scale = fitted.scale(n, self.largest) * self.widened;
            let off = (limit / fitted.value(n)).ln() / scale;
            fitted.belief * students(fitted.freedom).map_or(0.5, |t| t.cdf(off))
        };
        self.laws.iter().map(of).sum()
    }

    fn quantile(&self, n: f64, share: f64) -> f64 {
        let values = self.laws.iter().map(|fitted| fitted.value(n));
        let (least, most) = values.fold((f64::INFINITY, 0.0_f64), |(l, m), v| (l.min(v), m.max(v)));
        let (mut low, mut high) = ((least / 1e3).ln(), (most * 1e3).ln());
        for _ in 0..60 {
            let middle = f64::midpoint(low, high);
            if self.below(n, middle.exp()) < share { low = middle } else { high = middle }
        }
        f64::midpoint(low, high).exp()
    }
}

impl Fitted {
    fn of(law: Law, points: &[Point]) -> Fitted {
        let mut weights: Vec<f64> = points.iter().map(|p| p.y.powi(-2)).collect();
        let (mut a, mut b) = (0.0, 0.0);
        // The weights are those of the fitted values, which are not known at first.
        for _ in 0..4 {
            (a, b) = Sums::of(law, points, &weights).least_squares();
            let value = |n: f64| (a + b * law.of(n)).max(f64::MIN_POSITIVE);
            weights = points.iter().map(|p| value(p.n).powi(-2)).collect();
        }
        let parameters = if law == Law::Constant { 1.0 } else { 2.0 };
        let (noise, counts) = NOISE;
        let off = points.iter().map(|p| (p.y / (a + b * law.of(p.n))).ln().powi(2)).sum::<f64>();
        let left = (points.len() as f64 - parameters).max(0.0);
        let deviation = ((counts * noise * noise + off) / (counts + left)).sqrt();
        let spread = Sums::of(law, points, &weights).inverse();
        let freedom = counts + left;
        Fitted { law, a, b, deviation, freedom, spread, belief: 0.0, missed: 0.0 }
    }

    fn value(&self, n: f64) -> f64 {
        (self.a + self.b * self.law.of(n)).max(f64::MIN_POSITIVE)
    }

    /// Relative deviation of a new measurement at `n`, beyond a largest size.
    fn scale(&self, n: f64, largest: f64) -> f64 {
        let (value, g) = (self.value(n), self.law.of(n));
        let [[aa, ab], [_, bb]] = self.spread;
        let leverage = (aa + 2.0 * g * ab + g * g * bb) / (value * value);
        let drift = DRIFT * (n / largest).max(1.0).ln();
        let known = RESOLUTION / value;
        let own = self.deviation.powi(2) * (1.0 + leverage.max(0.0));
        (own + drift * drift + known * known).sqrt()
    }
}

/// Weighted sums over the points, with `g` of the law at each.
struct Sums {
    w: f64,
    g: f64,
    gg: f64,
    y: f64,
    gy: f64,
}

impl Sums {
    fn of(law: Law, points: &[Point], weights: &[f64]) -> Sums {
        let sum = |of: &dyn Fn(&Point) -> f64| -> f64 {
            points.iter().zip(weights).map(|(p, w)| w * of(p)).sum()
        };
        Sums {
            w: sum(&|_| 1.0),
            g: sum(&|p| law.of(p.n)),
            gg: sum(&|p| law.of(p.n).powi(2)),
            y: sum(&|p| p.y),
            gy: sum(&|p| law.of(p.n) * p.y),
        }
    }

    /// Of XᵀWX. None: the points say nothing of a slope.
    fn determinant(&self) -> Option<f64> {
        let determinant = self.w * self.gg - self.g * self.g;
        (determinant > self.w * self.gg * 1e-12).then_some(determinant)
    }

    /// `a` and `b`, neither below zero.
    fn least_squares(&self) -> (f64, f64) {
        let Sums { w, g, gg, y, gy } = *self;
        let Some(determinant) = self.determinant() else { return (y / w, 0.0) };
        let (a, b) = ((gg * y - g * gy) / determinant, (w * gy - g * y) / determinant);
        match (a < 0.0, b < 0.0) {
            (_, true) => (y / w, 0.0),
            (true, false) => (0.0, gy / gg),
            (false, false) => (a, b),
        }
    }

    /// (XᵀWX)⁻¹ of `a` and `b`.
    fn inverse(&self) -> [[f64; 2]; 2] {
        let Sums { w, g, gg, .. } = *self;
        let Some(determinant) = self.determinant() else { return [[1.0 / w, 0.0], [0.0, 0.0]] };
        [[gg / determinant, -g / determinant], [-g / determinant, w / determinant]]
    }
}

fn students(freedom: f64) -> Option<StudentsT> {
    StudentsT::new(0.0, 1.0, freedom).ok()
}

/// Of Student's distribution.
fn density(t: f64, freedom: f64) -> f64 {
    let half = (freedom + 1.0) / 2.0;
    let scaled = ln_gamma(half) - ln_gamma(freedom / 2.0);
    let constant = scaled - 0.5 * (freedom * std::f64::consts::PI).ln();
    (constant - half * (1.0 + t * t / freedom).ln()).exp()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::rngs::ChaCha8Rng;
    use rand::{RngExt, SeedableRng};
    use rstest::rstest;

    use super::*;

    const SIZES: [f64; 4] = [250_000.0, 500_000.0, 1e6, 2e6];
    const RUNS: usize = 300;

    /// A law with a constant part, as it would be measured: the noise multiplies.
    #[derive(Clone, Copy, Debug)]
    struct Known {
        law: Law,
        fixed: f64,
        at_a_million: f64,
        noise: f64,
    }

    impl Known {
        fn value(&self, n: f64) -> f64 {
            match self.law {
                Law::Constant => self.fixed + self.at_a_million,
                law => self.fixed + self.at_a_million * law.of(n) / law.of(1e6),
            }
        }

        fn measured(&self, n: f64, random: &mut ChaCha8Rng) -> Point {
            // The sum of twelve is near enough to normal.
            let normal: f64 = (0..12).map(|_| random.random::<f64>()).sum::<f64>() - 6.0;
            Point { n, y: self.value(n) * (self.noise * normal).exp() }
        }

        /// How often a new measurement at `n` is within the interval, and the law the right one.
        fn shares(&self, sizes: &[f64], n: f64) -> (f64, f64) {
            let mut random = ChaCha8Rng::seed_from_u64(7);
            let (mut covered, mut right) = (0, 0);
            for _ in 0..RUNS {
                let points: Vec<Point> =
                    sizes.iter().map(|n| self.measured(*n, &mut random)).collect();
                let growth = Growth::of(&points).expect("enough sizes");
                let (estimate, new) = (growth.at(n), self.measured(n, &mut random).y);
                covered += u32::from((estimate.low..=estimate.high).contains(&new));
                right += u32::from(growth.law() == Some(self.law));
            }
            (f64::from(covered) / RUNS as f64, f64::from(right) / RUNS as f64)
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn the_interval_holds_as_often_as_it_says(
            law in prop::sample::select(&Law::ALL[..]),
            fixed_ms in 1.0..200.0_f64,
            million_ms in 100.0..20_000.0_f64,
            noise in 0.0..0.15_f64,
            first in 20_000.0..500_000.0_f64,
            further in 1.5..24.0_f64,
        ) {
            let known = Known { law, fixed: fixed_ms * 1e3, at_a_million: million_ms * 1e3, noise };
            let sizes = [1.0, 2.0, 4.0, 8.0].map(|times| first * times);
            let (covered, _) = known.shares(&sizes, sizes[3] * further);
            prop_assert!(covered >= COVERAGE - 0.05, "{known:?} {sizes:?} {further}: {covered}");
        }
    }

    #[rstest]
    #[case(Law::Constant)]
    #[case(Law::Linear)]
    #[case(Law::Quadratic)]
    fn the_law_is_found_where_noise_is_small(#[case] law: Law) {
        let known = Known { law, fixed: 20e3, at_a_million: 900e3, noise: 0.005 };
        let (_, right) = known.shares(&SIZES, 2e6);
        assert!(right >= 0.95, "{right}");
    }

    #[test]
    fn a_sort_is_told_from_a_scan_where_noise_is_next_to_none() {
        let known = Known { law: Law::Linearithmic, fixed: 0.0, at_a_million: 9e6, noise: 0.001 };
        let (_, right) = known.shares(&[1e4, 1e5, 1e6, 1e7], 2e7);
        assert!(right >= 0.95, "{right}");
    }

    #[test]
    fn what_no_law_foretells_has_none_and_is_wide() {
        let points = [1e5, 2e5, 4e5, 8e5].map(|n| Point { n, y: (n / 1e4).powi(3) });
        let growth = Growth::of(&points).expect("enough sizes");
        assert_eq!(growth.law(), None);
        let Estimate { low, high, .. } = growth.at(1.6e6);
        assert!(high / low > 3.0, "{low} to {high}");
    }

    #[test]
    fn a_limit_is_reached_between_two_sizes_and_the_chance_is_even_in_the_middle() {
        let points = SIZES.map(|n| Point { n, y: n });
        let growth = Growth::of(&points).expect("enough sizes");
        let (possible, sure) = growth.reaches(24e6).expect("a size");
        let sure = sure.expect("another");
        assert!(possible < 22e6 && sure > 26e6, "{possible} to {sure}");
        let chance = growth.chance_above(24e6, 24e6);
        assert!((0.4..0.7).contains(&chance), "{chance}");
        assert_eq!(growth.law(), Some(Law::Linear));
        let flat = Growth::of(&SIZES.map(|n| Point { n, y: 5_000.0 })).expect("enough sizes");
        assert_eq!(flat.law(), Some(Law::Constant));
    }

    #[test]
    fn two_sizes_are_not_enough_and_an_interval_can_be_widened() {
        let two = [Point { n: 1.0, y: 1.0 }, Point { n: 2.0, y: 2.0 }];
        assert!(Growth::of(&two).is_none());
        let growth = Growth::of(&SIZES.map(|n| Point { n, y: n })).expect("enough sizes");
        let (before, after) = (growth.at(8e6), growth.clone().widened(2.0).at(8e6));
        assert!(after.high > before.high * 1.05 && after.low < before.low * 0.95);
    }
}
