//! What can be recorded. Names and units are the file format: see docs/history.md.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clock::Micros;
use crate::pg::{LockMode, SqlState};

use super::session::{SessionId, SessionSeen};
use super::waits::WaitSample;

/// An event and when it was recorded. There are millions of operations and few of the rest, so what
/// is larger than an operation is boxed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    pub at_us: Micros,
    pub event: Event,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Event {
    Phase {
        phase: Phase,
    },
    Session(SessionSeen),
    Operation(Operation),
    /// The driver's own totals, for the equation that the judge checks.
    Counters(Counters),
    AttemptBegan {
        attempt: Attempt,
    },
    AttemptEnded {
        attempt: Attempt,
        end: AttemptEnd,
    },
    StatementBegan(Box<StatementBegan>),
    StatementEnded(Box<StatementEnded>),
    ConnectionOpened(ConnectionOpened),
    ConnectionClosed(Box<ConnectionClosed>),
    /// The change is a command, and it has ended.
    CommandEnded(CommandEnded),
    /// A fault that was asked for was injected.
    Fault(FaultEvent),
    /// A fault that was asked for could not be prepared, and its statement ran unharmed.
    #[serde(alias = "fault-spared")]
    FaultSkipped {
        attempt: Attempt,
        /// In the same words.
        fault: String,
        why: String,
    },
    Waits(WaitSample),
    Wal(WalSample),
    Control(ControlReading),
    Activity(ActivitySample),
    Sampler(SamplerReport),
    Disturbance(Box<DisturbanceEvent>),
    Catalogue(CatalogueSnapshot),
    /// What an undisturbed run, or one from the reference state, ended with.
    Reference(Box<Reference>),
    Contents(Contents),
    Invariant(Box<InvariantRead>),
    Plan(Box<PlanRead>),
    /// Something was done by hand between two attempts.
    Step(Box<StepEvent>),
    Ledger(LedgerReport),
    /// Part of the measurement failed; the trial cannot be called safe.
    MeasurementFailed {
        stage: String,
        message: String,
    },
}

/// The phases of a trial, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    Baseline,
    Change,
    Recovery,
    Rerun,
    /// Traffic has ended; tables and ledger are compared.
    Checks,
    End,
}

/// One operation of the application, recorded when its fate is known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Operation {
    /// Index into the scenario's operations.
    pub kind: u16,
    /// Number in the schedule, from 0.
    pub seq: u64,
    pub scheduled_us: Micros,
    /// When the load generator let it go; dispatched − scheduled is its own lag.
    pub dispatched_us: Micros,
    /// When it had a connection; None: never.
    pub acquired_us: Option<Micros>,
    /// Part of the acquiring that went into opening a connection.
    #[serde(default)]
    pub connecting_us: Micros,
    pub finished_us: Micros,
    #[serde(flatten)]
    pub session: Option<SessionId>,
    pub outcome: OperationOutcome,
}

impl Operation {
    /// finished − scheduled.
    pub fn latency(&self) -> Micros {
        self.finished_us - self.scheduled_us
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OperationOutcome {
    Succeeded,
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
    pub scheduled: u64,
    pub succeeded: u64,
    pub failed: u64,
    pub acquire_timeouts: u64,
    pub indeterminate: u64,
    pub unanswered: u64,
}

impl Counters {
    pub fn balances(&self) -> bool {
        self.scheduled
            == self.succeeded
                + self.failed
                + self.acquire_timeouts
                + self.indeterminate
                + self.unanswered
    }

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

/// An error as the server, or the connection's end, reported it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ServerError {
    /// None: the connection broke without one.
    pub sqlstate: Option<SqlState>,
    pub message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.sqlstate {
            Some(state) => write!(f, "{} ({state})", self.message),
            None => f.write_str(&self.message),
        }
    }
}

/// The change is attempt 0; each application after it counts up.
pub type Attempt = u32;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AttemptEnd {
    /// How many migrations were applied; 0: all were applied already. None: the change is a
    /// command, and no version table is declared that would tell.
    Finished { applied: Option<u32> },
    /// As the scenario asked, between two statements.
    Stopped,
    /// `migration` is empty where it is not known. A command that fails without an error of the
    /// server's has its exit status for one.
    Failed { migration: String, error: Box<ServerError> },
    /// Longer than the change's deadline: cancelled, then killed.
    DeadlineExceeded,
    /// SIGKILL, or what comes to the same for the built-in runner: a fault asked for it.
    Killed,
}

pub use crate::trial::StatementId;

/// Where a statement of the change comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    File {
        path: String,
        line: u32,
    },
    /// The runner's own: BEGIN, COMMIT, timeouts, the version row.
    Runner,
    /// Sent by a command; what is the tool's own and what is the migration's, its text tells.
    Command,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StatementBegan {
    pub attempt: Attempt,
    pub statement: StatementId,
    /// Number of the connection within the attempt, from 0.
    pub connection: u32,
    #[serde(flatten)]
    pub session: SessionId,
    /// Empty: not known, as with a command.
    pub migration: String,
    pub source: Source,
    /// Cut to 16 KiB. Several statements in one message stay one: the server runs them as one
    /// transaction and answers them together.
    pub text: String,
    /// Statements in the text.
    pub statements: u32,
    pub protocol: Protocol,
    /// Type oids that the client declared for the parameters; 0: left to the server.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parameter_types: Vec<u32>,
    /// In force when it began, as the session shows them; 0 ms is none.
    pub lock_timeout_ms: u64,
    pub statement_timeout_ms: u64,
    pub idle_in_transaction_session_timeout_ms: u64,
    /// None: the server has no such setting (before 17).
    pub transaction_timeout_ms: Option<u64>,
    pub transaction: TransactionStatus,
}

/// How a statement was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// Text alone.
    Simple,
    /// Parse, Bind, Execute.
    Extended,
    /// A function called by its oid.
    FunctionCall,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StatementEnded {
    pub attempt: Attempt,
    pub statement: StatementId,
    pub began_us: Micros,
    pub ended_us: Micros,
    pub error: Option<ServerError>,
    /// Command tags, one per statement that finished: `ALTER TABLE`, `UPDATE 10`.
    pub tags: Vec<String>,
    /// Rows of the last command tag, where it has them.
    pub rows: Option<u64>,
    /// WAL that the whole server wrote meanwhile, the traffic's included.
    pub wal_bytes: Option<u64>,
    /// Relations whose relfilenode is another one than before the statement.
    pub rewritten: Vec<String>,
    /// Granted to the backend after the statement and before the next one: every mode once,
    /// the strongest of a relation first. A lock on an index is its table's.
    pub held: Vec<HeldLock>,
    /// Those of them that were not held, or not in this mode, before the statement.
    pub taken: Vec<HeldLock>,
    pub transaction: TransactionStatus,
    pub notices: Vec<String>,
    /// How long the tap held the statement and its answer back to look at the server; no part of
    /// began to ended.
    pub paused_us: Micros,
}

/// A connection of the change, as the tap carries it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionOpened {
    pub attempt: Attempt,
    pub connection: u32,
    #[serde(flatten)]
    pub session: SessionId,
    /// As the client named itself.
    pub application_name: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionClosed {
    pub attempt: Attempt,
    pub connection: u32,
    #[serde(flatten)]
    pub session: SessionId,
    pub by: ClosedBy,
    /// What the server said as it closed it: a timeout that fires between two statements is sent
    /// to none of them.
    pub error: Option<ServerError>,
    /// When it ended. What was in a transaction is rolled back.
    pub transaction: TransactionStatus,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ClosedBy {
    /// It said goodbye.
    Client,
    /// It went without a goodbye.
    ClientGone,
    Server,
    /// A fault cut it.
    Fault,
}

/// How a command ended, as it follows "the command".
pub fn exit_words(exit_code: Option<i32>, signal: Option<i32>) -> String {
    match (exit_code, signal) {
        (Some(code), _) => format!("exited with status {code}"),
        (None, Some(signal)) => format!("was ended by signal {signal}"),
        (None, None) => "ended without a status".to_owned(),
    }
}

/// How a command ended and what it printed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandEnded {
    pub attempt: Attempt,
    /// None: a signal ended it.
    pub exit_code: Option<i32>,
    pub signal: Option<i32>,
    /// The end of its standard output and standard error, as they came.
    pub output: String,
    /// Bytes of output before that.
    pub output_cut: u64,
}

/// What was done to the change on purpose, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultEvent {
    pub attempt: Attempt,
    /// In words: `cancel while it waits`, `cut before the statement`.
    pub fault: String,
    /// The statement that it met; None: none was running.
    pub statement: Option<StatementId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TransactionStatus {
    Idle,
    InTransaction,
    Failed,
    /// The connection is gone.
    Gone,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldLock {
    pub relation: String,
    pub mode: LockMode,
}

/// The sessions of the server at one moment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ActivitySample {
    pub backends: Vec<Backend>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Backend {
    #[serde(flatten)]
    pub session: SessionId,
    /// `pg_stat_activity.backend_type`.
    pub backend_type: String,
    pub application_name: String,
    pub state: Option<String>,
    pub wait_event_type: Option<String>,
    pub wait_event: Option<String>,
    pub transaction_age_us: Option<Micros>,
    pub query_age_us: Option<Micros>,
    /// Cut to 200 characters.
    pub query: String,
}

/// Write-ahead log of the whole server at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WalSample {
    /// Written since the server's log began; two samples tell how much came in between.
    pub bytes: u64,
}

/// How long the same fixed work takes on this server at this time, which tells a slower machine
/// from a slower change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControlReading {
    /// One per round.
    pub took_us: Vec<Micros>,
}

/// How well the sampler kept its rate.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SamplerReport {
    pub interval_us: Micros,
    pub samples: u64,
    /// Due and not taken, because the one before was late.
    pub missed: u64,
    /// Asked for and not answered: an error, or no answer in time.
    #[serde(default)]
    pub failed: u64,
    /// More than three intervals between the answers to two samples,
    /// the longest thousand of them.
    pub gaps: Vec<(Micros, Micros)>,
    /// Median and longest time that a sample took.
    pub took_us_p50: Micros,
    pub took_us_max: Micros,
}

impl SamplerReport {
    /// None: there was no gap.
    pub fn longest_gap(&self) -> Option<Micros> {
        self.gaps.iter().map(|(from, to)| *to - *from).max()
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DisturbanceEvent {
    pub name: String,
    pub moment: Moment,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Moment {
    /// Its statements have run; it holds what it holds.
    Holding,
    Ended,
    /// The server ended it first.
    Broken(ServerError),
}

/// The catalogue at one moment: object name to its properties.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogueSnapshot {
    /// None: before the change; Some(n): after attempt n.
    pub after: Option<Attempt>,
    pub objects: BTreeMap<String, BTreeMap<String, String>>,
    /// Rows of the version table, in order.
    pub versions: Vec<String>,
}

/// What another run of the same change ended with, for this one to be compared with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reference {
    /// Name of the starting state.
    pub state: String,
    pub objects: BTreeMap<String, BTreeMap<String, String>>,
    pub versions: Vec<String>,
    /// Of the tables whose contents follow from the change alone; without a digest where only their
    /// number of rows does.
    pub tables: BTreeMap<String, TableContents>,
    /// Rows that the change itself adds, by table.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub grown: BTreeMap<String, u64>,
}

/// What is in the tables at a moment without writes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contents {
    /// None: before the change.
    pub after: Option<Attempt>,
    /// By qualified name.
    pub tables: BTreeMap<String, TableContents>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableContents {
    /// Rows that the application wrote left out, where `digest` leaves them out.
    pub rows: u64,
    /// Over all rows, whatever their order; None: not asked for.
    pub digest: Option<String>,
}

/// A declared read and what it returned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvariantRead {
    pub name: String,
    pub rows: u64,
    /// SHA-256 over the rows in the order in which the query returned them.
    pub digest: String,
    pub error: Option<ServerError>,
}

/// The plan of a declared read, from its root down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanRead {
    pub name: String,
    pub nodes: Vec<PlanNode>,
    pub error: Option<ServerError>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlanNode {
    /// As EXPLAIN names it: `Bitmap Heap Scan`.
    pub node_type: String,
    pub relation: Option<String>,
    pub index: Option<String>,
    /// Estimated.
    pub rows: u64,
}

/// A step by hand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepEvent {
    /// The next attempt is the first after it.
    pub before: Attempt,
    pub name: String,
    pub statements: Vec<String>,
    /// None: all of them succeeded.
    pub error: Option<ServerError>,
}

/// What the ledger and the tables say of each other.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LedgerReport {
    pub acknowledged: u64,
    pub indeterminate: u64,
    /// Indeterminate writes that turned out to be applied.
    pub indeterminate_applied: u64,
    pub mismatches: u64,
    /// The first of them.
    pub examples: Vec<LedgerMismatch>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LedgerMismatch {
    pub operation: String,
    pub table: String,
    pub key: String,
    pub kind: Mismatch,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Mismatch {
    /// Acknowledged and not there.
    Lost,
    /// There this many times.
    Doubled { times: u64 },
    /// There although the application saw it fail.
    Unacknowledged,
    /// The row holds another value than the last acknowledged write.
    Overwritten { column: String, expected: String, found: Option<String> },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_as_large_as_an_operation_with_its_time() {
        assert!(size_of::<Entry>() <= 128, "{}", size_of::<Entry>());
    }
}
