//! What the change did to rows, to what refers to them, and to who may use them.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::history::{ColumnChange, ComparedAnswers, DroppedColumn, SequenceEnding};
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
    /// Columns that the change writes and whose values the application updates as well, in rows
    /// that are not known: whose doing their other values are is not known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_told_apart: Vec<ColumnChange>,
}

/// The subject's relation is the object.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangedAccess {
    /// What is not as before.
    pub differences: Vec<Difference>,
    /// A block of the change builds such statements from strings: it may be on purpose.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub may_be_meant: bool,
    /// More rows may be seen than before; the change says so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub wider: bool,
    /// It used its owner's rights, and uses its caller's from now on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub as_caller: bool,
    /// The table's rows are not logged, or not vacuumed, from now on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub at_risk: bool,
}

/// The subject's relation is the table.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRows {
    /// Columns that the application's INSERTs leave out and that had a value and get NULL.
    pub null: Vec<Difference>,
    /// Columns that they leave out, had a value of its own in each row, and get one and the same.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub frozen: Vec<Difference>,
    /// Columns that they leave out and that get another value.
    pub others: Vec<Difference>,
    /// Triggers of the table that do something else.
    pub triggers: BTreeSet<String>,
    /// A trigger that is new, or another one, may fill what gets NULL.
    pub may_be_filled: bool,
}

/// The subject's relation is the function.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StaleValues {
    /// Indexes, generated columns and constraints, their kinds first: `index public.i`.
    pub kept: Vec<String>,
}

/// The subject's statement is the one that did nothing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AlreadyThere {
    /// What was there, its kind first: `index public.i`.
    pub object: String,
    /// How it is another one: an index's definition; of a table or a column, the first difference.
    pub there: String,
}

/// The subject's relation is the view or the function.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DifferingAnswers {
    /// What both definitions answered.
    pub compared: ComparedAnswers,
    /// Operations that use it, directly or through others.
    pub operations: Vec<String>,
}

impl ChangedAccess {
    /// Whether it is what sessions get as they begin, which those of the trial had before.
    pub fn is_of_new_sessions(&self) -> bool {
        self.differences.iter().all(|difference| is_of_new_sessions(&difference.object))
    }

    /// Whether it is a materialized view without rows, which cannot be read.
    pub fn left_unpopulated(&self) -> bool {
        self.differences.iter().all(|difference| difference.property == "populated")
    }

    /// Whether it is that triggers do not fire any more.
    pub fn left_disabled(&self) -> bool {
        let mut properties = self.differences.iter().map(|d| d.property.as_str());
        properties.all(|property| matches!(property, "enabled" | "disabled triggers"))
    }
}

/// Whether the object is what sessions of the database get as they begin.
pub fn is_of_new_sessions(object: &str) -> bool {
    object.starts_with("session defaults ")
}

/// The subject's relation is the table.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangedConstraints {
    /// Constraints and unique indexes of before that nothing enforces any more.
    pub gone: Vec<GoneConstraint>,
    /// Foreign keys that act otherwise than before.
    pub actions: Vec<ForeignKeyActions>,
    /// New foreign keys whose columns no index begins with.
    pub unindexed: Vec<UnindexedKey>,
}

/// What was promised before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GoneConstraint {
    /// Its name.
    pub name: String,
    /// As the server prints it.
    pub definition: String,
}

/// What a foreign key does to the rows that refer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ForeignKeyActions {
    /// Its name.
    pub name: String,
    /// `ON DELETE CASCADE`, or nothing.
    pub before: String,
    /// The same now.
    pub after: String,
}

/// A foreign key that no index helps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UnindexedKey {
    /// Its name.
    pub name: String,
    /// Its columns, with commas.
    pub columns: String,
    /// The table that it refers to.
    pub refers_to: String,
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
    /// A block of it catches every error, and nothing came of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub caught: bool,
    /// Views and functions that it made others of, and that nothing in the trial read or called.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unused: Vec<String>,
}

/// Of a result from before the field.
fn was_refused() -> bool {
    true
}

/// The subject's relation is the table.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EndingSequence {
    /// The sequence.
    pub of: SequenceEnding,
    /// For how many seconds its values last if each operation of the trial takes one.
    pub lasts_s: u64,
}

/// The subject's relation is the table.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FittedRows {
    /// What the change demands: constraints, indexes and types of columns.
    pub demands: Vec<String>,
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
