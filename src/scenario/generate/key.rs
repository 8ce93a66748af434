//! The uuid of a row, as a function of its position.
//!
//! A reference to a row computes its key again instead of looking it up, so a reference costs
//! the same in a table of any size and no key is kept in memory.

use sha2::{Digest as _, Sha256};

/// Characters of a uuid's text.
pub const UUID_CHARACTERS: usize = 36;

/// The keys of one column.
#[derive(Clone, Debug)]
pub struct KeySpace {
    high: u64,
    low: u64,
}

impl KeySpace {
    /// The keys that the rows of a column have.
    pub fn of_column(rng_seed: u64, table: &str, column: &str) -> KeySpace {
        KeySpace::named(rng_seed, "key", table, column)
    }

    /// Keys that look like those of a column and that none of its rows has.
    pub fn dangling(rng_seed: u64, table: &str, column: &str) -> KeySpace {
        KeySpace::named(rng_seed, "dangling", table, column)
    }

    fn named(rng_seed: u64, kind: &str, table: &str, column: &str) -> KeySpace {
        let digest = digest(rng_seed, &[kind, table, column], 0);
        let word = |at: usize| {
            u64::from_le_bytes(std::array::from_fn(|i| digest.get(at + i).copied().unwrap_or(0)))
        };
        KeySpace { high: word(0), low: word(8) }
    }

    /// The uuid of row `n`, its 128 bits before version and variant are set.
    fn bits(&self, n: u64) -> (u64, u64) {
        let high = mix(self.high.wrapping_add(n.wrapping_mul(GOLDEN)));
        (high, mix(self.low ^ high.wrapping_add(n)))
    }

    /// Appends the uuid text of row `n`.
    pub fn push(&self, n: u64, text: &mut String) {
        let (high, low) = self.bits(n);
        push_uuid(high, low, text);
    }
}

/// Appends 128 random bits as the text of a version 4 uuid.
pub fn push_uuid(high: u64, low: u64, text: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    const HYPHENS: [usize; 4] = [4, 6, 8, 10];
    let high = (high & !0xf000) | 0x4000;
    let low = (low & !(0b11 << 62)) | (0b10 << 62);
    let mut ascii = [b'-'; UUID_CHARACTERS];
    let mut at = 0;
    for (index, byte) in high.to_be_bytes().into_iter().chain(low.to_be_bytes()).enumerate() {
        at += usize::from(HYPHENS.contains(&index));
        ascii[at] = DIGITS[usize::from(byte >> 4)];
        ascii[at + 1] = DIGITS[usize::from(byte & 15)];
        at += 2;
    }
    // Hexadecimal digits and hyphens are always UTF-8.
    text.push_str(std::str::from_utf8(&ascii).unwrap_or_default());
}

/// A hash of names and numbers that no two different lists share by their boundaries.
pub fn digest(rng_seed: u64, names: &[&str], index: u64) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(rng_seed.to_le_bytes());
    hash.update(index.to_le_bytes());
    for name in names {
        hash.update((name.len() as u64).to_le_bytes());
        hash.update(name.as_bytes());
    }
    hash.finalize().into()
}

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// A hash of a row within what `salt` stands for.
pub fn mixed(salt: u64, row: u64) -> u64 {
    mix(mix(salt).wrapping_add(row.wrapping_mul(GOLDEN)))
}

/// The finaliser of splitmix64: a bijection in which every bit of the input reaches every bit of
/// the output. (S. Vigna, <https://prng.di.unimi.it/splitmix64.c>, public domain.)
fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
