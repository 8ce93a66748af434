//! Which rows a reference points at: any, skewed, the newest, in turn, or only earlier ones.

use rand::SeedableRng as _;

use super::Rng;
use super::key::{digest, mixed};
use super::math::{Zipf, below, chance};

/// How a target is chosen for a row.
#[derive(Debug)]
pub struct Targets {
    choice: Choice,
    rows: Rows,
    hit_rate: f64,
    misses: u64,
    /// What the columns of a group draw from; None: each from its own stream.
    shared: Option<u64>,
}

#[derive(Clone, Copy, Debug)]
enum Choice {
    Any,
    Each(u64),
    Earlier { newest: f64 },
    EarlierEach(u64),
}

/// The row that was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chosen {
    /// A row of the table, from 0.
    Row(u64),
    /// One of the dangling values, by number.
    Dangling(u64),
    /// There is none.
    None,
}

/// What the generator says of the choice.
#[derive(Clone, Copy)]
pub struct Wanted<'a> {
    pub hit_rate: f64,
    pub skew: f64,
    pub misses: u64,
    pub newest: f64,
    pub each: Option<u64>,
    pub earlier: bool,
    pub row: Option<&'a str>,
}

impl Targets {
    /// `place`: the seed, and the table of the column, empty for a parameter; `existing`: rows of
    /// the referenced table; `heavy`: what its heavy rows follow from.
    pub fn new(place: (u64, &str), existing: u64, heavy: u64, wanted: &Wanted<'_>) -> Targets {
        let (rng_seed, table) = place;
        let parameter = table.is_empty();
        let choice = match (wanted.earlier && !parameter, wanted.each) {
            (false, None) => Choice::Any,
            (false, Some(each)) => Choice::Each(each.max(1)),
            (true, None) => Choice::Earlier { newest: wanted.newest },
            (true, Some(each)) => Choice::EarlierEach(each.max(1)),
        };
        Targets {
            choice,
            // Nothing exists in an empty table.
            hit_rate: if existing == 0 { 0.0 } else { wanted.hit_rate },
            rows: Rows::new(existing, wanted.newest, wanted.skew, heavy),
            misses: wanted.misses.max(1),
            shared: wanted.row.map(|name| group(rng_seed, table, "row", name)),
        }
    }

    /// The target of a row; `rng` is the column's own stream.
    pub fn choose(&self, rng: &mut Rng, row: u64) -> Chosen {
        match self.shared {
            None => self.chosen(rng, row),
            Some(salt) => self.chosen(&mut row_stream(salt, row), row),
        }
    }

    /// The target of a row, where it is a function of the row alone.
    pub fn fixed(&self, row: u64) -> Chosen {
        self.choose(&mut row_stream(self.shared.unwrap_or_default(), row), row)
    }

    fn chosen(&self, rng: &mut Rng, row: u64) -> Chosen {
        let hit = self.hit_rate >= 1.0 || chance(rng, self.hit_rate);
        if !hit {
            return Chosen::Dangling(below(rng, self.misses));
        }
        match self.choice {
            Choice::Any => Chosen::Row(self.rows.draw(rng)),
            Choice::Each(each) => Chosen::Row(row / each % self.rows.existing()),
            Choice::EarlierEach(_) | Choice::Earlier { .. } if row == 0 => Chosen::None,
            Choice::EarlierEach(each) => Chosen::Row((row - 1) / each),
            Choice::Earlier { newest } => {
                let count = ((row as f64 * newest).round() as u64).clamp(1, row);
                Chosen::Row(row - count + below(rng, count))
            }
        }
    }
}

/// What columns of a table that name the same group share.
pub fn group(rng_seed: u64, table: &str, kind: &str, name: &str) -> u64 {
    let digest = digest(rng_seed, &["group", kind, table, name], 0);
    u64::from_le_bytes(std::array::from_fn(|i| digest[i]))
}

/// Uniform in [0, 1), of one row alone.
pub fn row_unit(salt: u64, row: u64) -> f64 {
    (mixed(salt, row) >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)
}

/// A stream of one row alone.
fn row_stream(salt: u64, row: u64) -> Rng {
    let mut seed = [0; 32];
    for (index, word) in (0..).zip(seed.chunks_exact_mut(8)) {
        word.copy_from_slice(&mixed(salt ^ index, row).to_le_bytes());
    }
    Rng::from_seed(seed)
}

/// So many values, each with a stream of its own that it is drawn from.
#[derive(Debug)]
pub struct Ranked {
    values: Rows,
    salt: u64,
}

impl Ranked {
    /// The values do not depend on the place in which they are drawn.
    pub fn new(rng_seed: u64, distinct: u64, skew: f64) -> Ranked {
        let salt = group(rng_seed, "", "distinct", "");
        Ranked { values: Rows::new(distinct, 1.0, skew, salt), salt }
    }

    /// A value's number, from 0, and its stream.
    pub fn draw(&self, rng: &mut Rng) -> (u64, Rng) {
        let value = self.values.draw(rng);
        (value, row_stream(self.salt, value))
    }
}

/// Row numbers of a table.
#[derive(Debug)]
struct Rows {
    first: u64,
    count: u64,
    skew: Option<Skew>,
}

#[derive(Debug)]
struct Skew {
    zipf: Zipf,
    /// Coprime to the count, so that ranks and rows are one to one.
    stride: u64,
    offset: u64,
}

impl Rows {
    fn new(existing: u64, newest: f64, skew: f64, salt: u64) -> Rows {
        let share = (existing as f64 * newest.clamp(0.0, 1.0)).round() as u64;
        let count = share.clamp(1, existing.max(1));
        let first = existing.max(1) - count;
        let skew = (skew > 0.0).then(|| Skew {
            zipf: Zipf::new(count, skew),
            stride: stride(count),
            offset: salt % count,
        });
        Rows { first, count, skew }
    }

    /// At least one, so that it divides.
    fn existing(&self) -> u64 {
        self.first + self.count
    }

    fn draw(&self, rng: &mut Rng) -> u64 {
        let n = match &self.skew {
            None => below(rng, self.count),
            Some(skew) => skew.row(skew.zipf.draw(rng) - 1, self.count),
        };
        self.first + n
    }
}

impl Skew {
    /// Spreads the heavy ranks over the table: the busiest rows are not simply its first.
    fn row(&self, rank: u64, count: u64) -> u64 {
        match rank.checked_mul(self.stride) {
            Some(product) => (product % count + self.offset) % count,
            None => {
                let product = u128::from(rank) * u128::from(self.stride);
                ((product % u128::from(count)) as u64 + self.offset) % count
            }
        }
    }
}

/// The number next to the golden section of `count` that has no divisor in common with it:
/// successive multiples land far apart.
fn stride(count: u64) -> u64 {
    let section = (count as f64 * 0.618_033_988_749_894_9) as u64;
    (section.max(1)..=count.max(1)).find(|n| gcd(*n, count) == 1).unwrap_or(1)
}

fn gcd(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_rank_has_a_row_of_its_own(count in 1_u64..3_000, salt in any::<u64>()) {
            let rows = Rows::new(count, 1.0, 1.0, salt);
            let skew = rows.skew.as_ref().expect("skewed");
            let seen: BTreeSet<u64> = (0..count).map(|rank| skew.row(rank, count)).collect();
            prop_assert_eq!(seen.len() as u64, count);
            prop_assert!(seen.into_iter().all(|row| row < count));
        }

        #[test]
        fn only_the_newest_share_is_drawn(
            existing in 1_u64..100_000, newest in 0.0_f64..=1.0, seed in any::<u64>(),
        ) {
            let rows = Rows::new(existing, newest, 0.0, 0);
            let mut rng = super::super::stream(seed, "rows", 0);
            let oldest = existing - ((existing as f64 * newest).round() as u64).max(1);
            for _ in 0..50 {
                prop_assert!((oldest..existing).contains(&rows.draw(&mut rng)));
            }
        }
    }
}
