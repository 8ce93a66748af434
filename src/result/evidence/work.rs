//! Work that a statement does on every row of a table while others wait.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clock::Micros;
use crate::pg::LockMode;

/// The subject's statement did it to the subject's relation, in a time below the stall limit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LockedWork {
    /// What it did.
    pub work: WorkKind,
    /// In which mode the relation was locked meanwhile, as in `pg_locks.mode`.
    pub mode: LockMode,
    /// From when the statement can have had the lock to its end, in microseconds.
    pub took_us: Micros,
    /// From when the transaction can have had the lock to the transaction's end, in microseconds.
    pub held_us: Micros,
    /// Rows of the relation before the change, its partitions' included, as the planner estimated
    /// them; null: not known.
    pub rows: Option<u64>,
    /// Bytes of the relation before the change, indexes left out; null: not known.
    pub bytes: Option<u64>,
    /// The longest that an operation may wait.
    pub limit_us: Micros,
}

/// What is done to every row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum WorkKind {
    /// It was written anew.
    Rewrite,
    /// It was read.
    Scan,
    /// It went into a new index.
    IndexBuild,
}
