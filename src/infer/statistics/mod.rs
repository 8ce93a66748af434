//! What another database's statistics say of the rows of a schema's tables: how many there are, how
//! its columns' values are distributed, how much is read and written.

mod columns;
mod fit;
mod mix;
mod read;
mod rows;
#[cfg(test)]
mod tests;

pub(super) use columns::{Likenesses, Spread};
pub use read::{Activity, ColumnStatistics, STATISTICS, Statistics, TableStatistics, Unmatched};
pub use rows::{Rows, rows};
