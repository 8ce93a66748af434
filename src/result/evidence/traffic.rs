//! What the application went through.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clock::Micros;
use crate::history::ServerError;
use crate::schema::Difference;

use super::super::statement::{OperationRef, StatementRef};
use super::change::Race;
use super::deadlock::Deadlock;

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
    /// What the change held while it waited for something else; null: it did not.
    #[serde(default)]
    pub held_meanwhile: Option<HeldWhileWaiting>,
    /// Stalls beyond the limit.
    pub stalls: u64,
    /// From when to when it lasted.
    #[serde(default)]
    pub from_us: Micros,
    /// When it ended.
    #[serde(default)]
    pub to_us: Micros,
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
    /// When the longest time began.
    #[serde(default)]
    pub from_us: Micros,
    /// The longest that operations may wait.
    #[serde(default)]
    pub limit_us: Micros,
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
    /// From when the first of them was due to when the last gave up.
    #[serde(default)]
    pub from_us: Micros,
    /// When it ended.
    #[serde(default)]
    pub to_us: Micros,
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
    /// Each kind of failure, the most frequent first.
    #[serde(default)]
    pub causes: Vec<FailureCount>,
    /// The statements of the first, with `$1`, `$2`, … for parameters; null: an older version wrote
    /// the result.
    #[serde(default)]
    pub sql: Option<String>,
    /// Of a deadlock with the change, what might have come of it instead; null: not known.
    #[serde(default)]
    pub race: Option<Race>,
    /// Where prepared statements have another result type than before: the columns that they name,
    /// or all of their tables for `*`, which are another than before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub result_columns: Vec<Difference>,
}

/// A lock that a transaction held on one relation while it waited for another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HeldWhileWaiting {
    /// On which the others waited.
    pub relation: String,
    /// Held on it, as in `pg_locks.mode`.
    pub mode: String,
    /// The statement that had taken it; null: the one that waited.
    pub taken_by: Option<StatementRef>,
    /// The mode for which it waited, as in `pg_locks.mode`.
    pub wanted_mode: String,
    /// As in `pg_locks.locktype`.
    pub wanted_locktype: String,
    /// The relation for which it waited; null: a lock of another kind.
    pub wanted: Option<String>,
}

/// Operations that failed in one way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FailureCount {
    /// By its name in the scenario.
    pub operation: String,
    /// The first of them.
    pub failure: OperationFailure,
    /// How many failed so after the change began.
    pub operations: u64,
    /// Those that failed so before the change began.
    pub before: u64,
    /// Of a deadlock, the first one's sides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadlock: Option<Deadlock>,
}

impl FailureCount {
    /// Operation and error.
    pub fn kind(&self) -> FailureKind {
        self.failure.kind(&self.operation)
    }
}

/// How an operation failed that never got a connection from the server, whatever refused it.
pub const NO_CONNECTION: &str = "no connection";

/// What distinguishes failures: the operation, and SQLSTATE or how it failed otherwise.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FailureKind {
    /// By its name in the scenario.
    pub operation: String,
    /// SQLSTATE, or how it failed without one.
    pub how: String,
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

impl OperationFailure {
    /// Of a failure of this operation.
    pub fn kind(&self, operation: &str) -> FailureKind {
        let how = match self {
            OperationFailure::Error(error) => {
                error.sqlstate.as_ref().map_or(NO_CONNECTION, |state| state.code()).to_owned()
            }
            OperationFailure::Indeterminate(_) => "connection lost".to_owned(),
            OperationFailure::Unanswered => "unanswered".to_owned(),
        };
        FailureKind { operation: operation.to_owned(), how }
    }
}

/// Operations that waited beyond the limit, and not for a lock of the change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LongWaits {
    /// How many.
    pub operations: u64,
    /// The longest that one of them waited.
    pub longest_us: Micros,
    /// The longest that one may wait.
    pub limit_us: Micros,
    /// The longest that one took before the change.
    pub before_us: Micros,
    /// They waited while the change, or a rerun of it, ran.
    pub while_it_ran: bool,
    /// For what, the most frequent first.
    pub causes: Vec<WaitCount>,
    /// The statement of the change that ran longest while the slowest waited; null: none ran.
    pub meanwhile: Option<StatementRef>,
    /// From when the first of them was due to when the last was through.
    pub from_us: Micros,
    /// When the last of them was through.
    pub to_us: Micros,
    /// WAL that the change had written by then, in bytes, where that is too little to be what those
    /// waited for that waited for WAL; null: they waited for something else, or it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wal_bytes: Option<u64>,
}

/// Operations that waited for one thing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WaitCount {
    /// How many.
    pub operations: u64,
    /// The longest that one of them took.
    pub longest_us: Micros,
    /// For what.
    pub cause: WaitCause,
}

/// For what an operation waited.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum WaitCause {
    /// A lock.
    Lock {
        /// As in `pg_locks`.
        mode: String,
        /// As in `pg_locks`.
        locktype: String,
        /// Where the lock names one.
        relation: Option<String>,
        /// Whose it was.
        by: Holder,
        /// In words.
        holder: String,
    },
    /// As in `pg_stat_activity`: its backend waited for something that is no lock.
    Event {
        /// `wait_event_type`.
        event_type: String,
        /// `wait_event`.
        event: String,
    },
    /// Its backend was active and waited for nothing.
    Running,
    /// Its backend was idle: it had not begun the statement, or had ended it.
    NotBegun,
    /// A connection of the pool.
    Connection,
    /// No sample showed its backend.
    Unseen,
}

/// Whose a lock was.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Holder {
    /// The change's, or of one that waited for the change.
    Change,
    /// Another operation's.
    Application,
    /// A background session's of the scenario.
    Disturbance,
    /// Of a session that is none of ours.
    Other,
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
    /// For what those beyond the limit waited, the most frequent first.
    #[serde(default)]
    pub causes: Vec<WaitCount>,
    /// The statement of the change that ran longest meanwhile; null: none ran.
    #[serde(default)]
    pub meanwhile: Option<StatementRef>,
    /// WAL that the change had written by then, in bytes, where that is too little to be what those
    /// waited for that waited for WAL; null: they waited for something else, or it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wal_bytes: Option<u64>,
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
    /// Of the operations that were due in the last stretch, those that failed.
    #[serde(default)]
    pub failed: u64,
    /// All that were due in it.
    #[serde(default)]
    pub operations: u64,
    /// When that stretch began.
    #[serde(default)]
    pub from_us: Micros,
    /// When it ended.
    #[serde(default)]
    pub to_us: Micros,
    /// How long the application was watched after the change.
    #[serde(default)]
    pub watched_us: Micros,
    /// Latency is back below this.
    #[serde(default)]
    pub limit_us: Micros,
}

/// Operations that met rows before the change meet none after it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UnseenRows {
    /// Operations of the kind that succeeded before the change.
    pub before: u64,
    /// Of them, those without a row.
    pub empty_before: u64,
    /// Operations of the kind that succeeded after the change.
    pub after: u64,
    /// Of them, those without a row.
    pub empty_after: u64,
    /// Relations for which the change switched row security on.
    pub secured: Vec<String>,
}

/// Operations of a kind that take longer since the change. The subject names the kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SlowerOperation {
    /// Before the change.
    pub before: Served,
    /// After it, when latency was back within its limit.
    pub after: Served,
    /// What the server reads whole now and did not before; null: nothing, or it is not known.
    pub scan: Option<ChangedScan>,
}

/// For how long operations of a kind had a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Served {
    /// How many were there.
    pub operations: u64,
    /// Their median, in microseconds; zero where there was none.
    pub p50_us: Micros,
}

/// A table that an operation reads whole since the change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangedScan {
    /// With its schema.
    pub relation: String,
    /// By which it was read before.
    pub index: String,
    /// As EXPLAIN names it: `Seq Scan`.
    pub node_type: String,
    /// Of the table; null: not known.
    pub rows: Option<u64>,
    /// Of the statement, as the server estimated it before the change, in units of reading a page
    /// in sequence.
    pub before_cost: f64,
    /// The same after it.
    pub cost: f64,
}
