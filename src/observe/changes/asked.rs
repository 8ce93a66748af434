//! What is to be compared, and what the application may have done to it.

use std::collections::BTreeSet;

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
    /// Whether a sequence that numbers its rows was set back, or is another one.
    pub numbering: bool,
    /// Columns of before that are not there now.
    pub dropped: Vec<String>,
    /// Words of the change's statements that write rows, in lower case; None: it may do what no
    /// text of it shows.
    pub words: Option<BTreeSet<String>>,
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

/// A write to a table that reaches another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reached {
    /// The table that is written, or `function NAME` that is called.
    pub from: String,
    /// What else is written then; None: it may be any table.
    pub to: Option<String>,
    /// By this foreign key of `to`; None: by a trigger, a rule or a function.
    pub key: Option<KeyActions>,
    /// Nothing but the row that is written becomes another one, by a trigger before it.
    pub own_row: bool,
}

/// What a foreign key does to the rows that refer to a row which is deleted or updated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyActions {
    /// ON DELETE CASCADE.
    pub deletes: bool,
    /// ON DELETE SET NULL or SET DEFAULT.
    pub sets_on_delete: bool,
    /// ON UPDATE CASCADE, SET NULL or SET DEFAULT.
    pub sets_on_update: bool,
    /// Columns that are referred to.
    pub columns: Vec<String>,
    /// Columns that refer to them.
    pub referring: Vec<String>,
}

impl KeyActions {
    /// What becomes of the rows that refer to those of a table to which this is done.
    pub fn reached(&self, done: &Touch) -> Touch {
        let updated = || self.columns.iter().any(|column| done.updates(column));
        let sets = (done.deletes && self.sets_on_delete) || (self.sets_on_update && updated());
        let updates = if sets { Updates::Of(self.referring.clone()) } else { Updates::None };
        Touch { inserts: false, deletes: done.deletes && self.deletes, updates }
    }
}
