//! What the application went through.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clock::Micros;
use crate::history::ServerError;

use super::super::statement::OperationRef;

/// What the change did while it stalled others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum BlockingState {
    /// It waited for a lock itself, and the others queued behind its request.
    Waiting,
    /// A statement of it ran and its transaction held the lock.
    Holding,
    /// No statement of it ran: its transaction was idle with the lock.
    Idle,
}

/// The worst stall. The subject's statement is the one that ran, or after which the transaction
/// was idle; the witness has the lock.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stalled {
    pub operations: u64,
    pub longest_us: Micros,
    pub limit_us: Micros,
    pub state: BlockingState,
    /// How the stall's length divides.
    pub waiting_us: Micros,
    pub holding_us: Micros,
    pub idle_us: Micros,
    /// For how long the tap delayed the change to read its locks.
    pub overhead_us: Micros,
    /// In force for the statement that waited; null: none.
    pub lock_timeout_us: Option<Micros>,
    /// In force while the transaction was idle; null: none.
    pub idle_timeout_us: Option<Micros>,
    /// For whom the change itself waited; null: not known.
    pub behind: Option<String>,
    /// As in `pg_locks.locktype`, of the lock that was waited for.
    pub locktype: String,
    /// Whether an earlier statement of the transaction had taken the lock.
    pub taken_earlier: bool,
    /// Stalls beyond the limit.
    pub stalls: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PoolExhausted {
    pub connections: u64,
    /// The longest that all of them were checked out.
    pub exhausted_us: Micros,
    /// From the first stall; null: there was none.
    pub after_us: Option<Micros>,
    /// Most operations that waited for a connection at one moment.
    pub queue_max: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AcquireTimeouts {
    pub operations: u64,
    pub timeout_ms: u64,
    /// From the first stall to the first of them; null: there was no stall.
    pub after_us: Option<Micros>,
}

/// The subject's operation is the first that failed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FailedOperations {
    pub operations: u64,
    pub first: OperationRef,
    pub failure: OperationFailure,
}

/// How an operation failed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum OperationFailure {
    /// The server refused it.
    Error(ServerError),
    /// Its connection broke: applied or not is unknown.
    Indeterminate(String),
    /// The traffic ended before its answer came.
    Unanswered,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SlowPhase {
    pub phase: LatencyPhase,
    pub p99_us: Micros,
    pub before_p99_us: Micros,
    pub limit_us: Micros,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum LatencyPhase {
    During,
    After,
    Rerun,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Unrecovered {
    pub allowed_ms: u64,
}
