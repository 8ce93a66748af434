//! Rows that a table has already.

/// Rows of a table, as text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnRows {
    /// Names of the columns.
    pub columns: Vec<String>,
    /// Values in the order of the columns; None is NULL.
    pub rows: Vec<Vec<Option<String>>>,
    /// They are a sample of what is there, columns of keys alone.
    pub sampled: bool,
}
