//! `[sizes]`: the sizes at which a change is tried, and the one that is asked about.

use std::collections::BTreeMap;

use crate::stats::SIZES_MIN;

use super::expect::Verdict;
use super::table::Sizes;

/// Sizes that are tried where none are named, as shares of the declared one: the largest is eight
/// times the smallest.
const SHARES: [f64; 4] = [0.125, 0.25, 0.5, 1.0];
/// Two sizes that are nearer to each other say less of growth than of noise.
const SPAN_MIN: u64 = 8;
/// What a prediction takes, in words.
pub const SIZES_NEEDED: &str = "three sizes, the largest eight times the smallest";

/// Whether these sizes, ascending, are enough of them and far enough apart.
pub fn show_growth(sizes: &[u64]) -> bool {
    let ends = sizes.first().zip(sizes.last());
    let far = ends.is_some_and(|(least, most)| most / SPAN_MIN >= *least);
    sizes.len() >= SIZES_MIN && far
}

/// At which sizes trials are made, and what of a size that is not tried is expected.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SizeAxis {
    /// Rows of the largest table, ascending; the other tables grow with it. Empty: an eighth, a
    /// quarter, the half and the whole of what is declared.
    pub tried: Vec<u64>,
    /// Rows per table that are asked about; empty: none.
    pub at: BTreeMap<String, u64>,
    /// The verdict there; empty: none is expected.
    pub expect: Vec<Verdict>,
}

impl SizeAxis {
    /// Rows of the largest table at each size.
    pub fn of(&self, declared: &Sizes) -> Vec<u64> {
        match self.tried.is_empty() {
            false => self.tried.clone(),
            true => SHARES.map(|share| declared.scaled(share).largest()).to_vec(),
        }
    }
}

/// `250k`, `2M`, `2.5M`, `1,234` without its comma: how a size is called.
pub fn size_name(rows: u64) -> String {
    let of = |unit: u64, name: &str| {
        let exact = rows.is_multiple_of(unit / 100);
        (rows >= unit && exact).then(|| format!("{}{name}", rows as f64 / unit as f64))
    };
    of(1_000_000, "M").or_else(|| of(1_000, "k")).unwrap_or_else(|| rows.to_string())
}

/// How many rows a text says: k and M are thousands and millions, _ may group digits. None: it says
/// no number from 1 to 10¹².
pub fn rows_of(text: &str) -> Option<u64> {
    let (digits, unit) = match text.strip_suffix(['k', 'K']) {
        Some(digits) => (digits, 1_000),
        None => match text.strip_suffix(['m', 'M']) {
            Some(digits) => (digits, 1_000_000),
            None => (text, 1),
        },
    };
    let number: f64 = digits.replace('_', "").parse().ok()?;
    let rows = number * f64::from(unit);
    (1.0..=1e12).contains(&rows).then_some(rows.round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_called_by_its_unit() {
        let names = [999, 1_000, 1_234, 2_500, 250_000, 1_000_000, 1_250_000, 24_000_000];
        let expected = ["999", "1k", "1234", "2.5k", "250k", "1M", "1.25M", "24M"];
        assert_eq!(names.map(size_name), expected);
        assert_eq!(expected.map(rows_of), names.map(Some));
    }

    #[test]
    fn where_none_are_named_the_largest_is_eight_times_the_smallest() {
        let declared = Sizes([("t".to_owned(), 2_000_000), ("u".to_owned(), 10)].into());
        let sizes = SizeAxis::default().of(&declared);
        assert_eq!(sizes, [250_000, 500_000, 1_000_000, 2_000_000]);
    }
}
