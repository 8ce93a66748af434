//! What applying the change again, or several times at once, did, and what is left.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clock::Micros;
use crate::history::{LedgerMismatch, ServerError};
use crate::schema::Difference;

use super::super::statement::StatementRef;
use super::change::Hang;

/// The subject's relation is the index.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LeftInvalid {
    /// Whether applying the change again repaired the index.
    pub rerun: DebrisAfterRerun,
    /// Whether writes maintain it (`pg_index.indisready`); null: an older version wrote this.
    #[serde(default)]
    pub ready: Option<bool>,
    /// Whether it is a unique one.
    #[serde(default)]
    pub unique: bool,
}

/// What attempts that failed have left in the catalogue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Leftovers {
    /// Attempts that failed.
    pub failed: u64,
    /// Whether a later one came to its end.
    pub finished: bool,
    /// Partitions whose detaching has begun and not ended.
    pub pending: Vec<String>,
    /// Valid indexes that are the same but for their names, each group with at least one that was
    /// not there before.
    pub duplicates: Vec<Vec<String>>,
    /// The first of the other differences from before.
    pub first: Vec<Difference>,
    /// How many of those there are.
    pub differences: u64,
}

/// What became of the debris when the change was applied again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum DebrisAfterRerun {
    /// The change was applied once.
    NotTried,
    /// The rerun left it as it was.
    StillThere,
    /// The rerun repaired it.
    Repaired,
}

/// A constraint that is NOT VALID at the trial's end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LeftNotValid {
    /// Name of the constraint; the subject's relation is its table.
    pub constraint: String,
}

/// The subject's relation is the index.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Hidden {
    /// The server's notice that an object of that name exists; null: none was seen.
    pub notice: Option<String>,
}

/// The change could not be applied again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FailedReruns {
    /// Reruns, all of which failed.
    pub attempts: u64,
    /// An earlier application of the change had finished.
    pub had_finished: bool,
    /// How the last of them failed, where it is not as the first did; null: it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<OtherFailure>,
}

/// A rerun that failed otherwise than the first application.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OtherFailure {
    /// The statement that failed; null: the error came while none ran.
    pub statement: Option<StatementRef>,
    /// The error as the server sent it.
    pub error: ServerError,
    /// The statement of an earlier application that made what the error is about; null: none is
    /// known.
    pub earlier: Option<StatementRef>,
}

/// What applying a finished change again changed in the catalogue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum CatalogueChange {
    /// The schema is another one.
    Schema {
        /// Properties that differ.
        differences: u64,
        /// The first of them by name.
        first: Difference,
    },
    /// The version table is another one.
    Versions {
        /// Its rows after the first application.
        before: Vec<String>,
        /// Its rows after the rerun.
        after: Vec<String>,
    },
}

/// The subject's relation is the table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RowsChange {
    /// Rows before the rerun.
    pub before: u64,
    /// Rows after it.
    pub after: u64,
    /// Other tables whose rows changed.
    pub others: u64,
}

/// The subject's statement took the lock; its relation is null where only the mode is known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RerunHeld {
    /// As in `pg_locks.mode`.
    pub mode: String,
    /// How long the lock was held, in microseconds.
    pub held_us: Micros,
    /// The scenario's limit, in microseconds.
    pub limit_us: Micros,
    /// The rerun wrote rows or rewrote a table.
    pub did_something: bool,
    /// When it was granted.
    #[serde(default)]
    pub from_us: Micros,
}

/// How the end from a state differs from the end from the reference.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Divergence {
    /// The schema differs.
    Schema {
        /// The state from which the change began.
        state: String,
        /// The state that it is compared with.
        reference: String,
        /// Properties that differ.
        differences: u64,
        /// The first of them by name.
        first: Difference,
        /// The server's notice that an object of that name exists; null: none was seen.
        notice: Option<String>,
    },
    /// The versions differ.
    Versions {
        /// The state from which the change began.
        state: String,
        /// The state that it is compared with.
        reference: String,
        /// Rows of the version table at the end from the state.
        ends: Vec<String>,
        /// Rows of the version table at the end from the reference.
        reference_ends: Vec<String>,
    },
}

/// The subject's statement is the first that two runners executed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Overlap {
    /// Statements that more than one runner executed.
    pub statements: u64,
    /// Runners that applied the change at once.
    pub runners: u64,
}

/// The subject's statement is the last that it sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HungRunner {
    /// From 1.
    pub runner: u32,
    /// The runner's deadline, in microseconds.
    pub deadline_us: Micros,
    /// For whom it waited; null: not known, or it did not wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hang: Option<Hang>,
}

/// A runner that waited for another one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WaitingRunner {
    /// From 1.
    pub runner: u32,
    /// How long it waited, in microseconds.
    pub waited_us: Micros,
    /// What it waited for.
    pub lock: RunnerLock,
}

/// For which lock a runner waited.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum RunnerLock {
    /// It polled for an advisory lock.
    Advisory,
    /// It waited for a lock in the server that another runner held.
    Server {
        /// The runner that held it, from 1.
        runner: u32,
        /// Mode that was asked for, as in `pg_locks.mode`.
        mode: String,
        /// Qualified name; null: the lock is on no relation.
        relation: Option<String>,
    },
}

/// The subject's relation and operation are those of the example.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WrongWrites {
    /// Writes that the server acknowledged.
    pub acknowledged: u64,
    /// Writes of these that the tables contradict.
    pub mismatches: u64,
    /// The first of them.
    pub example: LedgerMismatch,
    /// The change put another table in the place of the one that was written; null: it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced: Option<ReplacedTable>,
}

/// A table that the change copied, and then dropped or renamed away.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplacedTable {
    /// The statement that copied its rows.
    pub copy: StatementRef,
    /// The statement that dropped it or gave it another name.
    pub gone: StatementRef,
    /// Writes of the example's operation that were acknowledged from the begin of the copy until
    /// the table was gone.
    pub meanwhile: u64,
}
