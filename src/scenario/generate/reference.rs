//! Draws the rows that a reference points at: skewed, restricted to the newest, or dangling.

use super::key::KeySpace;
use super::math::{Zipf, below, chance};
use super::{Rng, key};
use crate::scenario::{Generator, Sizes, Table};

/// A compiled [`Generator::Reference`].
#[derive(Debug)]
pub struct Reference {
    hit_rate: f64,
    rows: Rows,
    misses: u64,
    keys: Keys,
}

/// What the referenced column holds.
#[derive(Debug)]
enum Keys {
    Uuid { existing: KeySpace, dangling: KeySpace },
    Serial,
}

/// What was drawn: the referenced column is text or a number.
pub enum Target {
    Text,
    Int(i64),
}

/// What the generator says, by name.
pub struct Wanted<'a> {
    pub table: &'a str,
    pub column: &'a str,
    pub hit_rate: f64,
    pub skew: f64,
    pub misses: u64,
    pub newest: f64,
}

impl Reference {
    pub fn compile(tables: &[Table], sizes: &Sizes, rng_seed: u64, wanted: Wanted) -> Reference {
        let Wanted { table, column, hit_rate, skew, misses, newest } = wanted;
        let generator = tables
            .iter()
            .find(|t| t.name == table)
            .and_then(|t| t.columns.iter().find(|c| c.name == column))
            .map(|c| &c.generator);
        let keys = match generator {
            Some(Generator::Serial) => Keys::Serial,
            _ => Keys::Uuid {
                existing: KeySpace::of_column(rng_seed, table, column),
                dangling: KeySpace::dangling(rng_seed, table, column),
            },
        };
        let existing = sizes.rows(table);
        Reference {
            // Nothing exists in an empty table.
            hit_rate: if existing == 0 { 0.0 } else { hit_rate },
            rows: Rows::new(existing, newest, skew, salt(rng_seed, table, column)),
            misses: misses.max(1),
            keys,
        }
    }

    /// Draws a target; a text is appended to `text`.
    pub fn draw(&self, rng: &mut Rng, text: &mut String) -> Target {
        let hit = self.hit_rate >= 1.0 || chance(rng, self.hit_rate);
        let n = if hit { self.rows.draw(rng) } else { below(rng, self.misses) };
        match (&self.keys, hit) {
            (Keys::Uuid { existing, .. }, true) => existing.push(n, text),
            (Keys::Uuid { dangling, .. }, false) => dangling.push(n, text),
            (Keys::Serial, true) => return Target::Int(n as i64 + 1),
            // No sequence ever counts down to these.
            (Keys::Serial, false) => return Target::Int(-1 - n as i64),
        }
        Target::Text
    }
}

/// Of the referenced column alone: a parameter's heavy rows are those of the tables.
fn salt(rng_seed: u64, table: &str, column: &str) -> u64 {
    let digest = key::digest(rng_seed, &["heavy rows", table, column], 0);
    u64::from_le_bytes(std::array::from_fn(|i| digest[i]))
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
