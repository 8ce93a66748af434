//! What is to be compared, and what the application may have done to it.

/// A table as it was before the change, and the one that has its place after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComparedTable {
    /// Qualified and quoted, as in the fingerprint.
    pub table: String,
    /// None: it is gone.
    pub now: Option<String>,
    /// Whether it has partitions, which are read with it: before, and now.
    pub partitioned: (bool, bool),
    /// What the application may have done to it.
    pub touch: Touch,
    /// Whether its rows may be others, and not just its columns.
    pub rows: bool,
    /// Columns of before that are not there now.
    pub dropped: Vec<String>,
}

/// What the application may have done to the rows of a table without its ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Touch {
    /// It inserts rows.
    pub inserts: bool,
    /// It deletes rows.
    pub deletes: bool,
    /// It updates them.
    pub updates: Updates,
}

/// Which values it may have changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Updates {
    /// Of none.
    #[default]
    None,
    /// Of columns that these words may name.
    Of(Vec<String>),
    /// Of any column.
    Any,
}

impl Touch {
    /// Of which nothing is known.
    pub fn anything() -> Touch {
        Touch { inserts: true, deletes: true, updates: Updates::Any }
    }

    /// Whether it does nothing.
    pub fn is_none(&self) -> bool {
        *self == Touch::default()
    }

    pub(super) fn updates(&self, column: &str) -> bool {
        match &self.updates {
            Updates::None => false,
            Updates::Of(words) => words.iter().any(|word| word.eq_ignore_ascii_case(column)),
            Updates::Any => true,
        }
    }
}
