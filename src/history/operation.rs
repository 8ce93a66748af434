//! The application's operations, and what the ledger and the tables say of them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clock::Micros;

use super::server_error::ServerError;
use super::session::SessionId;

/// One operation of the application, recorded when its fate is known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Operation {
    /// Index into the scenario's operations.
    pub kind: u16,
    /// Number in the schedule, from 0.
    pub seq: u64,
    /// When it was due.
    pub scheduled_us: Micros,
    /// When the load generator let it go; dispatched − scheduled is its own lag.
    pub dispatched_us: Micros,
    /// When it had a connection; None: never.
    pub acquired_us: Option<Micros>,
    /// Part of the acquiring that went into opening a connection.
    #[serde(default)]
    pub connecting_us: Micros,
    /// When its fate was known.
    pub finished_us: Micros,
    /// Backend that executed it; None: it never had a connection.
    #[serde(flatten)]
    pub session: Option<SessionId>,
    /// What became of it.
    pub outcome: OperationOutcome,
    /// It succeeded, and none of its statements returned or changed a row.
    #[serde(default, skip_serializing_if = "is_false")]
    pub empty: bool,
    /// It ran on the standby, or would have.
    #[serde(default, skip_serializing_if = "is_false")]
    pub on_replica: bool,
}

fn is_false(value: &bool) -> bool {
    !*value
}

impl Operation {
    /// finished − scheduled.
    pub fn latency(&self) -> Micros {
        self.finished_us - self.scheduled_us
    }
}

/// What became of an operation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OperationOutcome {
    /// The server acknowledged all of it.
    Succeeded,
    /// The server refused a statement of it, so none of it is applied.
    Failed(Box<ServerError>),
    /// The pool gave up.
    AcquireTimeout,
    /// The connection broke after the request was sent: whether it was applied is unknown.
    Indeterminate(String),
    /// Traffic ended before an answer came.
    Unanswered,
}

/// `scheduled = succeeded + failed + acquire_timeouts + indeterminate + unanswered`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Counters {
    /// Operations that were due.
    pub scheduled: u64,
    /// Operations that the server acknowledged.
    pub succeeded: u64,
    /// Operations that the server refused.
    pub failed: u64,
    /// Operations on which the pool gave up.
    pub acquire_timeouts: u64,
    /// Operations whose connection broke after the request was sent.
    pub indeterminate: u64,
    /// Operations without an answer when the traffic ended.
    pub unanswered: u64,
}

impl Counters {
    /// Those of both.
    pub fn plus(self, other: Counters) -> Counters {
        Counters {
            scheduled: self.scheduled + other.scheduled,
            succeeded: self.succeeded + other.succeeded,
            failed: self.failed + other.failed,
            acquire_timeouts: self.acquire_timeouts + other.acquire_timeouts,
            indeterminate: self.indeterminate + other.indeterminate,
            unanswered: self.unanswered + other.unanswered,
        }
    }

    /// Whether the equation holds.
    pub fn balances(&self) -> bool {
        self.scheduled
            == self.succeeded
                + self.failed
                + self.acquire_timeouts
                + self.indeterminate
                + self.unanswered
    }

    /// Counts one outcome; `scheduled` is counted where the operation is scheduled.
    pub fn count(&mut self, outcome: &OperationOutcome) {
        match outcome {
            OperationOutcome::Succeeded => self.succeeded += 1,
            OperationOutcome::Failed(_) => self.failed += 1,
            OperationOutcome::AcquireTimeout => self.acquire_timeouts += 1,
            OperationOutcome::Indeterminate(_) => self.indeterminate += 1,
            OperationOutcome::Unanswered => self.unanswered += 1,
        }
    }
}

/// What the ledger and the tables say of each other.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LedgerReport {
    /// Writes that the server acknowledged.
    pub acknowledged: u64,
    /// Writes whose connection broke before an answer.
    pub indeterminate: u64,
    /// Indeterminate writes that turned out to be applied.
    pub indeterminate_applied: u64,
    /// Acknowledged writes that the tables contradict.
    pub mismatches: u64,
    /// The first of them.
    pub examples: Vec<LedgerMismatch>,
}

/// An acknowledged write that the tables contradict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LedgerMismatch {
    /// Name of the operation that wrote.
    pub operation: String,
    /// Table that was read.
    pub table: String,
    /// The row's key, as text.
    pub key: String,
    /// How the two differ.
    pub kind: Mismatch,
}

/// How the table differs from what was acknowledged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Mismatch {
    /// Acknowledged and not there.
    Lost,
    /// There this many times.
    Doubled {
        /// Rows with the key.
        times: u64,
    },
    /// There although the application saw it fail.
    Unacknowledged,
    /// There although the application has deleted it.
    Restored,
    /// The row holds another value than the last acknowledged write.
    Overwritten {
        /// Column that was written.
        column: String,
        /// Value of the last acknowledged write, as text.
        expected: String,
        /// Value that is there; None: NULL.
        found: Option<String>,
    },
}

impl Mismatch {
    /// Whether what was acknowledged is not there; else something is there too much.
    pub fn is_lost(&self) -> bool {
        matches!(self, Mismatch::Lost | Mismatch::Overwritten { .. } | Mismatch::Restored)
    }
}
