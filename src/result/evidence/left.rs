//! What applying the change again, or several times at once, did, and what is left.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clock::Micros;
use crate::history::LedgerMismatch;
use crate::schema::Difference;

/// The subject's relation is the index.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LeftInvalid {
    pub rerun: DebrisAfterRerun,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum DebrisAfterRerun {
    /// The change was applied once.
    NotTried,
    StillThere,
    Repaired,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LeftNotValid {
    pub constraint: String,
}

/// The subject's relation is the index.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Hidden {
    /// The server's notice that an object of that name exists; null: none was seen.
    pub notice: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FailedReruns {
    pub attempts: u64,
    /// An earlier application of the change had finished.
    pub had_finished: bool,
}

/// What applying a finished change again changed in the catalogue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum CatalogueChange {
    Schema { differences: u64, first: Difference },
    Versions { before: Vec<String>, after: Vec<String> },
}

/// The subject's relation is the table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RowsChange {
    pub before: u64,
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
    pub held_us: Micros,
    pub limit_us: Micros,
    /// The rerun wrote rows or rewrote a table.
    pub did_something: bool,
}

/// How the end from a state differs from the end from the reference.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Divergence {
    Schema {
        state: String,
        reference: String,
        differences: u64,
        first: Difference,
        /// The server's notice that an object of that name exists; null: none was seen.
        notice: Option<String>,
    },
    Versions {
        state: String,
        reference: String,
        ends: Vec<String>,
        reference_ends: Vec<String>,
    },
}

/// The subject's statement is the first that two runners executed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Overlap {
    pub statements: u64,
    pub runners: u64,
}

/// The subject's statement is the last that it sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HungRunner {
    /// From 1.
    pub runner: u32,
    pub deadline_us: Micros,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WaitingRunner {
    /// From 1.
    pub runner: u32,
    pub waited_us: Micros,
    pub lock: RunnerLock,
}

/// For which lock a runner waited.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum RunnerLock {
    /// It polled for an advisory lock.
    Advisory,
    Server {
        runner: u32,
        mode: String,
        relation: Option<String>,
    },
}

/// The subject's relation and operation are those of the example.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WrongWrites {
    pub acknowledged: u64,
    pub mismatches: u64,
    pub example: LedgerMismatch,
}
