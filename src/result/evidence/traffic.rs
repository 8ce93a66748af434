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
    /// Operations that waited because of the change, in this stall.
    pub operations: u64,
    /// The longest that one of them waited, in microseconds.
    pub longest_us: Micros,
    /// The scenario's limit, in microseconds.
    pub limit_us: Micros,
    /// What the change did meanwhile.
    pub state: BlockingState,
    /// How the stall's length divides.
    pub waiting_us: Micros,
    /// How long of the stall the change ran a statement while it held the lock.
    pub holding_us: Micros,
    /// How long of the stall the change's transaction was idle while it held the lock.
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

/// Every connection of the pool was checked out while operations waited.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PoolExhausted {
    /// Connections that the pool can open.
    pub connections: u64,
    /// The longest that all of them were checked out.
    pub exhausted_us: Micros,
    /// From the first stall; null: there was none.
    pub after_us: Option<Micros>,
    /// Most operations that waited for a connection at one moment.
    pub queue_max: u64,
}

/// The pool gave up on operations.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AcquireTimeouts {
    /// Operations on which it gave up.
    pub operations: u64,
    /// The pool's limit, in milliseconds.
    pub timeout_ms: u64,
    /// From the first stall to the first of them; null: there was no stall.
    pub after_us: Option<Micros>,
}

/// The subject's operation is the first that failed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FailedOperations {
    /// Operations that failed.
    pub operations: u64,
    /// The first of them.
    pub first: OperationRef,
    /// How the first of them failed.
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

/// Latency of a phase, compared with the baseline's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SlowPhase {
    /// The phase.
    pub phase: LatencyPhase,
    /// Its 99th percentile, in microseconds.
    pub p99_us: Micros,
    /// The baseline's 99th percentile, in microseconds.
    pub before_p99_us: Micros,
    /// The limit that follows from the baseline's, in microseconds.
    pub limit_us: Micros,
}

/// A phase of the trial whose latency has a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum LatencyPhase {
    /// While the change was applied the first time.
    During,
    /// After it.
    After,
    /// While it was applied again.
    Rerun,
}

/// Latency was not back at the baseline's when the trial ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Unrecovered {
    /// Longest recovery that the scenario allows, in milliseconds.
    pub allowed_ms: u64,
}
