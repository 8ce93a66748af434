//! What the change did to rows, to what refers to them, and to who may use them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::history::{ColumnChange, DroppedColumn};
use crate::schema::Difference;

/// The subject's relation is the table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GoneRows {
    /// Rows before the change.
    pub before: u64,
    /// Rows of them that are gone.
    pub gone: u64,
    /// Keys of the first of them; empty: the table has none.
    pub keys: Vec<String>,
    /// There is no such table any more.
    pub table_gone: bool,
    /// The application deletes rows of the table of which no ledger knows: some may be its own.
    pub application_deletes: bool,
}

/// The subject's relation is the table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangedValues {
    /// Rows before the change.
    pub rows: u64,
    /// Those in which values were replaced.
    pub columns: Vec<ColumnChange>,
    /// Rows that are not there as they were, where no key tells which are which.
    pub replaced: u64,
}

/// The subject's relation is the object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangedAccess {
    /// What is not as before.
    pub differences: Vec<Difference>,
}

impl ChangedAccess {
    /// Whether it is that triggers do not fire any more.
    pub fn left_disabled(&self) -> bool {
        let mut properties = self.differences.iter().map(|d| d.property.as_str());
        properties.all(|property| matches!(property, "enabled" | "disabled triggers"))
    }
}

/// The subject's relation is the table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DroppedValues {
    /// Rows before the change.
    pub rows: u64,
    /// Columns that held values and are gone.
    pub columns: Vec<DroppedColumn>,
}

/// The subject's relation is the table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddedRows {
    /// Rows before the change.
    pub before: u64,
    /// Rows that were not there before it, those of the application's ledger left out.
    pub added: u64,
}

/// An `[[accept]]` that covered nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UnusedAccept {
    /// Its key: `rows`, `values`, `difference` or `no_rows`.
    pub key: String,
    /// What it names; null: nothing.
    pub names: Option<String>,
}

/// What the change did instead of changing a table with rows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NothingTried {
    /// Objects that it made, by kind.
    pub made: std::collections::BTreeMap<String, u64>,
    /// Objects that were there before and are others, or are gone.
    pub changed: u64,
    /// Statements of it that ran.
    pub statements: u64,
    /// Statements that write rows and found none, where the change has no others; 0: it has.
    #[serde(default)]
    pub unmatched: u64,
}

/// Of a result from before the field.
fn was_refused() -> bool {
    true
}

/// The subject's relation is the table.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LeftOutRows {
    /// Rows that it was to have.
    pub asked: u64,
    /// Rows that it had.
    pub loaded: u64,
    /// Whether the server refused some; else the scenario was made with no more.
    #[serde(default = "was_refused")]
    pub was_refused: bool,
    /// Why there are no others.
    pub why: Vec<String>,
    /// Whether the change locks, changes, reads or writes the table.
    pub concerned: bool,
    /// What refused them, with its definition where the catalogue has one.
    pub constraints: Vec<String>,
    /// The table whose rows are missing first; null: none of them refers to a row that is missing.
    pub because_of: Option<String>,
    /// Tables that are short because this one is.
    pub followers: Vec<String>,
    /// More tables that are short and that the change is not about.
    pub others: Vec<String>,
    /// Columns that the change names and that are NULL in every row, and why.
    #[serde(default, skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    pub unfilled: std::collections::BTreeMap<String, String>,
}
