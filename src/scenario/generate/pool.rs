//! Lines of a file of candidates, and which of them a row holds.

use std::sync::Arc;

use super::key::{digest, mixed};

/// A column of a pool, compiled.
#[derive(Clone, Debug)]
pub struct Lines {
    values: Arc<[Option<String>]>,
    each: Option<u64>,
    salt: u64,
}

impl Lines {
    /// `table` is empty for a parameter: parameters of one file hold the same line as well.
    pub fn new(
        rng_seed: u64,
        table: &str,
        file: &str,
        values: &Arc<[Option<String>]>,
        each: Option<u64>,
    ) -> Lines {
        let digest = digest(rng_seed, &["pool", table, file], 0);
        let salt = u64::from_le_bytes(std::array::from_fn(|i| digest[i]));
        Lines { values: Arc::clone(values), each: each.map(|each| each.max(1)), salt }
    }

    /// The value of a row; None is NULL. The first row holds the first line: what only it can keep
    /// stands there.
    pub fn of_row(&self, row: u64) -> Option<&str> {
        let count = self.values.len().max(1) as u64;
        let line = match self.each {
            Some(each) => row / each % count,
            None if row == 0 => 0,
            None => mixed(self.salt, row) % count,
        };
        self.values.get(line as usize).and_then(Option::as_deref)
    }

    /// Every value that a row may hold.
    pub fn values(&self) -> &[Option<String>] {
        &self.values
    }
}
