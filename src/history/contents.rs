//! What is in the tables: how a table is stored at a moment, what became of its rows.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clock::Micros;

/// Tables of users at a moment, as the catalogue and the statistics have them; no row is read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableStates {
    /// The attempt before; None: before the change.
    pub after: Option<u32>,
    /// By qualified name, partitioned tables included.
    pub tables: BTreeMap<String, TableState>,
}

/// How a table is stored.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableState {
    /// Its oid.
    pub oid: u32,
    /// Of the file that holds its rows; 0: it holds none itself.
    pub relfilenode: u32,
    /// The partitioned table that it is part of, itself included; None: it is part of none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root: Option<String>,
    /// As the planner estimates them; where it does not know, 1 if the file is not empty.
    pub rows: u64,
    /// Of its files, indexes left out; 0: none, or an older version wrote this.
    #[serde(default)]
    pub bytes: u64,
    /// Rows that were inserted, updated and deleted since the database was made.
    #[serde(default)]
    pub written: u64,
    /// Columns and their places, dropped ones counted; not kept in a file.
    #[serde(skip)]
    pub columns: BTreeMap<String, i16>,
    /// Where the sequences that number its columns are, by the sequence's oid. Not kept in a file.
    #[serde(skip)]
    pub sequences: BTreeMap<u32, SequencePlace>,
}

/// What the tables hold after the change, set beside what they held before it. Rows that the
/// application is known to have written are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContentsChange {
    /// Those in which something is another.
    pub tables: Vec<TableChange>,
    /// Of foreign keys that claim to be valid.
    pub orphans: Vec<Orphans>,
    /// Sequences behind their columns.
    pub sequences: Vec<SequenceBehind>,
    /// Sequences that have fewer values left than before the change.
    #[serde(default)]
    pub endings: Vec<SequenceEnding>,
    /// Tables that were read.
    pub read: Vec<String>,
    /// How long all of it took, the copy of the database left out.
    pub took_us: Micros,
}

/// What became of the rows of a table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TableChange {
    /// As it was called before the change.
    pub table: String,
    /// None: there is no such table any more.
    pub now: Option<String>,
    /// Rows before the change.
    pub rows_before: u64,
    /// Rows after it.
    pub rows_after: u64,
    /// Rows of before that are not there any more; by their key, where the table has one.
    pub gone: u64,
    /// Rows that were not there before.
    pub added: u64,
    /// Without a key, rows that are not there as they were; other values are not told from other
    /// rows.
    pub replaced: u64,
    /// Keys of the first rows that are gone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gone_keys: Vec<String>,
    /// Columns with values that are others.
    pub columns: Vec<ColumnChange>,
    /// The application deletes rows of it of which no ledger knows: some of those that are gone
    /// may be its own.
    #[serde(default)]
    pub application_deletes: bool,
    /// The application adds rows to it of which no ledger knows: some of those that are new may be
    /// its own.
    #[serde(default)]
    pub application_inserts: bool,
    /// Columns that held values and are not there any more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dropped: Vec<DroppedColumn>,
    /// Columns with other values that the application updates in rows of which no ledger knows:
    /// some of the values, or all, may be its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub application_updates: Vec<ColumnChange>,
}

/// A column that is not there any more.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DroppedColumn {
    /// Its name.
    pub column: String,
    /// Rows in which it had a value.
    pub values: u64,
    /// A column of the table that has all of these values now; None: none has.
    pub kept_in: Option<String>,
}

/// Values of a column that was there before, in rows that are still there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ColumnChange {
    /// Its name.
    pub column: String,
    /// Rows in which another value, or none, has taken the place of a value.
    pub changed: u64,
    /// Rows in which there was none.
    pub filled: u64,
    /// One of the values that changed.
    pub example: Option<ValueExample>,
}

/// A value before the change and after it; null is NULL.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ValueExample {
    /// None: the table has no key.
    pub key: Option<String>,
    /// Before the change.
    pub before: Option<String>,
    /// After it.
    pub after: Option<String>,
}

/// Rows that refer to no row although their foreign key is said to be valid.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Orphans {
    /// Whose rows they are.
    pub table: String,
    /// The foreign key.
    pub constraint: String,
    /// The table that it refers to.
    pub refers_to: String,
    /// How many there are.
    pub rows: u64,
    /// As many were there before the change.
    pub before: u64,
}

/// Where a sequence is, and how far it goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SequencePlace {
    /// Qualified.
    pub name: String,
    /// `last_value`.
    pub last: i64,
    /// `is_called`: whether it has returned that value.
    pub is_called: bool,
    /// Values that it returns until it fails (2200H), or begins again.
    pub left: u64,
    /// Whether it begins again.
    pub cycles: bool,
}

impl SequencePlace {
    /// What `last_value` and `is_called` say together; it grows while the sequence counts up.
    pub fn at(&self) -> (i64, bool) {
        (self.last, self.is_called)
    }
}

/// A sequence that has fewer values left than before the change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SequenceEnding {
    /// The table that it numbers.
    pub table: String,
    /// The sequence.
    pub sequence: String,
    /// Values that it returns until it fails (2200H), or begins again.
    pub left: u64,
    /// As many were left before the change; null: it is another one.
    pub before: Option<u64>,
    /// It begins again, and did not before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub begins_again: bool,
}

/// A sequence whose next value a row has already, or has gone beyond.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SequenceBehind {
    /// The table.
    pub table: String,
    /// The column that it numbers.
    pub column: String,
    /// The sequence.
    pub sequence: String,
    /// What the sequence returns next.
    pub next: String,
    /// What the column has reached.
    pub reached: String,
}
