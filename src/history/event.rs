//! What can be recorded. Names and units are the file format: see docs/history.md.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clock::Micros;
use crate::pg::LockMode;

use super::activity::ActivitySample;
use super::answers::AnswersCompared;
use super::contents::{ContentsChange, TableStates};
use super::disturbance::DisturbanceEvent;
use super::log::{LogReport, LoggedDeadlock, LoggedWait};
use super::operation::{Counters, LedgerReport, Operation};
use super::pooler::{NetworkEvent, PooledSessions, PoolerEvent};
use super::replica::ReplicaSample;
use super::sampler::SamplerReport;
use super::server_error::ServerError;
use super::session::{SessionId, SessionSeen};
use super::waits::WaitSample;

/// An event and when it was recorded. There are millions of operations and few of the rest, so what
/// is larger than an operation is boxed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Microseconds since the trial's clock began.
    pub at_us: Micros,
    /// What happened.
    pub event: Event,
}

/// What is recorded. The names are those of the history's lines.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Event {
    /// A phase began.
    Phase {
        /// The phase that began.
        phase: Phase,
    },
    /// A session of ours, or of the application's, was opened.
    Session(SessionSeen),
    /// An operation of the application has ended, or never will.
    Operation(Operation),
    /// The driver's own totals, for the equation that the judge checks.
    Counters(Counters),
    /// The change is applied: the first time, or again.
    AttemptBegan {
        /// Which application it is.
        attempt: Attempt,
    },
    /// An application of the change has ended.
    AttemptEnded {
        /// Which application it is.
        attempt: Attempt,
        /// How it ended.
        end: AttemptEnd,
    },
    /// The change has succeeded and is not applied again: it is a command that keeps no versions,
    /// and nobody asked for it.
    RerunLeftOut {
        /// The application that succeeded.
        attempt: Attempt,
    },
    /// The tap passed a statement to the server.
    StatementBegan(Box<StatementBegan>),
    /// The server has answered a statement.
    StatementEnded(Box<StatementEnded>),
    /// The change opened a connection.
    ConnectionOpened(ConnectionOpened),
    /// A connection of the change was closed.
    ConnectionClosed(Box<ConnectionClosed>),
    /// The tap did not let a client of the change in.
    ConnectionRefused(Box<ConnectionRefused>),
    /// The change is a command, and it has ended.
    CommandEnded(CommandEnded),
    /// A fault that was asked for was injected.
    Fault(FaultEvent),
    /// A fault that was asked for could not be prepared, and its statement ran unharmed.
    #[serde(alias = "fault-spared")]
    FaultSkipped {
        /// Application of the change that the fault was meant for.
        attempt: Attempt,
        /// In the same words.
        fault: String,
        /// What could not be prepared, with the server's message.
        why: String,
    },
    /// A sample of `pg_locks`, of what was not granted and of whom it waited for.
    Waits(WaitSample),
    /// A wait as the server's log has it, recorded when it is over.
    LoggedWait(Box<LoggedWait>),
    /// A deadlock as the server's log has it.
    LoggedDeadlock(Box<LoggedDeadlock>),
    /// The reading of the server's log has ended.
    Log(LogReport),
    /// A sample of the server's WAL position.
    Wal(WalSample),
    /// The primary and its standby at one moment.
    Replica(Box<ReplicaSample>),
    /// A reading of the machine control.
    Control(ControlReading),
    /// A sample of `pg_stat_activity`.
    Activity(ActivitySample),
    /// The sampler has ended.
    Sampler(SamplerReport),
    /// A background session holds what it was to hold, or has ended.
    Disturbance(Box<DisturbanceEvent>),
    /// A pooler begins, or ends with what passed through it.
    Pooler(Box<PoolerEvent>),
    /// A slow or a broken network begins, or ends with what it has done.
    Network(Box<NetworkEvent>),
    /// All of the application's connections were cut, so many.
    NetworkCut {
        /// Connections that were open.
        connections: u64,
    },
    /// What was left on the server connections of a pooler.
    PooledSessions(Box<PooledSessions>),
    /// The catalogue was read.
    Catalogue(CatalogueSnapshot),
    /// What an undisturbed run, or one from the reference state, ended with.
    Reference(Box<Reference>),
    /// The tables' rows were counted and digested.
    Contents(Contents),
    /// How the tables are stored.
    Tables(Box<TableStates>),
    /// The tables were compared with what they were before the change.
    ContentsChange(Box<ContentsChange>),
    /// Replaced views and functions were asked with both definitions.
    Answers(Box<AnswersCompared>),
    /// A declared read has returned.
    Invariant(Box<InvariantRead>),
    /// A declared read was explained.
    Plan(Box<PlanRead>),
    /// A statement of the application was explained.
    OperationPlan(Box<OperationPlan>),
    /// Something was done by hand between two attempts.
    Step(Box<StepEvent>),
    /// The server has ended our sessions: it crashed, or another has stopped it. At the moment at
    /// which that was noticed.
    ServerDown,
    /// The ledger was compared with the tables.
    Ledger(LedgerReport),
    /// Part of the measurement failed; the trial cannot be called safe.
    MeasurementFailed {
        /// What failed: `sampler`, `ledger`, `observe`.
        stage: String,
        /// The error, as it was reported.
        message: String,
    },
}

/// The phases of a trial, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Traffic without the change.
    Baseline,
    /// The first application of the change.
    Change,
    /// Traffic after the change.
    Recovery,
    /// The change is applied again.
    Rerun,
    /// Traffic has ended; tables and ledger are compared.
    Checks,
    /// The trial has ended.
    End,
}

/// The change is attempt 0; each application after it counts up.
pub type Attempt = u32;

/// How an application of the change ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AttemptEnd {
    /// How many migrations were applied; 0: all were applied already. None: the change is a
    /// command, and no version table is declared that would tell.
    Finished {
        /// Migrations that were applied; None: not known.
        applied: Option<u32>,
    },
    /// As the scenario asked, between two statements.
    Stopped,
    /// `migration` is empty where it is not known. A command that fails without an error of the
    /// server's has its exit status for one.
    Failed {
        /// Version of the migration that failed; empty: not known.
        migration: String,
        /// The first error that ended it.
        error: Box<ServerError>,
    },
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
    /// A migration's file.
    File {
        /// As the messages name it.
        path: String,
        /// 1-based line of its first token.
        line: u32,
    },
    /// The runner's own: BEGIN, COMMIT, timeouts, the version row.
    Runner,
    /// Sent by a command; what is the tool's own and what is the migration's, its text tells.
    Command,
}

/// A statement as it was sent, and the settings that were in force.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StatementBegan {
    /// Application of the change that sent it.
    pub attempt: Attempt,
    /// Its number within the attempt, from 0.
    pub statement: StatementId,
    /// Number of the connection within the attempt, from 0.
    pub connection: u32,
    /// Backend that executes it.
    #[serde(flatten)]
    pub session: SessionId,
    /// Empty: not known, as with a command.
    pub migration: String,
    /// Where it comes from.
    pub source: Source,
    /// Cut to 16 KiB. Several statements in one message stay one: the server runs them as one
    /// transaction and answers them together.
    pub text: String,
    /// Statements in the text.
    pub statements: u32,
    /// How it was sent.
    pub protocol: Protocol,
    /// Type oids that the client declared for the parameters; 0: left to the server.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parameter_types: Vec<u32>,
    /// In force when it began, as the session shows them; 0 ms is none.
    pub lock_timeout_ms: u64,
    /// `statement_timeout` in force, in milliseconds; 0 is none.
    pub statement_timeout_ms: u64,
    /// `idle_in_transaction_session_timeout` in force, in milliseconds; 0 is none.
    pub idle_in_transaction_session_timeout_ms: u64,
    /// None: the server has no such setting (before 17).
    pub transaction_timeout_ms: Option<u64>,
    /// Status of the session's transaction before it.
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

/// A statement as it ended, and what it left.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StatementEnded {
    /// Application of the change that sent it.
    pub attempt: Attempt,
    /// Its number within the attempt, from 0.
    pub statement: StatementId,
    /// When it went to the server.
    pub began_us: Micros,
    /// When the server's answer was complete.
    pub ended_us: Micros,
    /// None: it succeeded.
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
    /// Status of the session's transaction after it.
    pub transaction: TransactionStatus,
    /// Messages of the notices that it raised, in their order.
    pub notices: Vec<String>,
    /// How long the tap held the statement and its answer back to look at the server; no part of
    /// began to ended.
    pub paused_us: Micros,
}

/// A connection of the change, as the tap carries it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionOpened {
    /// Application of the change that opened it.
    pub attempt: Attempt,
    /// Its number within the attempt, from 0.
    pub connection: u32,
    /// Backend that serves it.
    #[serde(flatten)]
    pub session: SessionId,
    /// As the client named itself.
    pub application_name: String,
    /// `name=value` of settings that the client asked for as it connected, `options` as it was.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settings: Vec<String>,
}

/// The end of a connection of the change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionClosed {
    /// Application of the change that opened it.
    pub attempt: Attempt,
    /// Its number within the attempt, from 0.
    pub connection: u32,
    /// Backend that served it.
    #[serde(flatten)]
    pub session: SessionId,
    /// Which side ended it.
    pub by: ClosedBy,
    /// What the server said as it closed it: a timeout that fires between two statements is sent
    /// to none of them.
    pub error: Option<ServerError>,
    /// When it ended. What was in a transaction is rolled back.
    pub transaction: TransactionStatus,
}

/// Which side ended a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ClosedBy {
    /// It said goodbye.
    Client,
    /// It went without a goodbye.
    ClientGone,
    /// The server closed it.
    Server,
    /// A fault cut it.
    Fault,
}

/// A client that the tap did not let in. The password is not part of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionRefused {
    /// The application of the change during which it came.
    pub attempt: Attempt,
    /// Which of its three was wrong.
    pub why: RefusedFor,
    /// As the client wanted to connect.
    pub user: String,
    /// Where it wanted to connect to.
    pub database: String,
    /// As the client named itself.
    pub application_name: String,
    /// What it was answered.
    pub error: ServerError,
}

/// Why a client was not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RefusedFor {
    /// It is not the one that was handed to the change.
    Password,
    /// It is not the change's.
    User,
    /// It is not the trial's.
    Database,
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
    /// Application of the change that the command made.
    pub attempt: Attempt,
    /// None: a signal ended it.
    pub exit_code: Option<i32>,
    /// Signal that ended it; None: it exited by itself.
    pub signal: Option<i32>,
    /// The end of its standard output and standard error, as they came.
    pub output: String,
    /// Bytes of output before that.
    pub output_cut: u64,
}

/// What was done to the change on purpose, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultEvent {
    /// Application of the change that met it.
    pub attempt: Attempt,
    /// In words: `cancel while it waits`, `cut before the statement`.
    pub fault: String,
    /// The statement that it met; None: none was running.
    pub statement: Option<StatementId>,
}

/// A session's transaction, as ReadyForQuery tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TransactionStatus {
    /// No transaction is open.
    Idle,
    /// A transaction is open.
    InTransaction,
    /// A transaction is open, and a statement of it has failed.
    Failed,
    /// The connection is gone.
    Gone,
}

/// A lock on a relation, as `pg_locks` shows it to the tap.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldLock {
    /// Qualified name.
    pub relation: String,
    /// Mode, as in `pg_locks.mode`.
    pub mode: LockMode,
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

/// The catalogue at one moment: object name to its properties.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogueSnapshot {
    /// None: before the change; Some(n): after attempt n.
    pub after: Option<Attempt>,
    /// Object to its properties, by name: those of `schema::Fingerprint`.
    pub objects: BTreeMap<String, BTreeMap<String, String>>,
    /// Rows of the version table, in order.
    pub versions: Vec<String>,
}

/// What another run of the same change ended with, for this one to be compared with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reference {
    /// Name of the starting state.
    pub state: String,
    /// Object to its properties, at that run's end.
    pub objects: BTreeMap<String, BTreeMap<String, String>>,
    /// Rows of the version table at that run's end, in order.
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

/// What was read of one table.
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
    /// Its name in the scenario.
    pub name: String,
    /// Rows that it returned.
    pub rows: u64,
    /// SHA-256 over the rows in the order in which the query returned them.
    pub digest: String,
    /// The first rows of a read that is to return none, each as its values.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub first: Vec<String>,
    /// None: it succeeded.
    pub error: Option<ServerError>,
}

/// The plan of a declared read, from its root down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanRead {
    /// Name of the read in the scenario.
    pub name: String,
    /// The root first; a node's children follow it.
    pub nodes: Vec<PlanNode>,
    /// None: it was explained.
    pub error: Option<ServerError>,
}

/// The generic plan of a statement that the application sends, from its root down.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OperationPlan {
    /// Index into the scenario's operations.
    pub operation: u16,
    /// Index into the operation's statements.
    pub statement: u16,
    /// The server's estimate of its total cost, in units of reading a page in sequence.
    pub cost: f64,
    /// The root first; a node's children follow it.
    pub nodes: Vec<PlanNode>,
}

/// A node of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlanNode {
    /// As EXPLAIN names it: `Bitmap Heap Scan`.
    pub node_type: String,
    /// Table that it reads; None: it reads none, or EXPLAIN does not name it.
    pub relation: Option<String>,
    /// Index that it reads; None: it reads none.
    pub index: Option<String>,
    /// Estimated.
    pub rows: u64,
}

/// A step by hand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepEvent {
    /// The next attempt is the first after it.
    pub before: Attempt,
    /// What it is called in the matrix.
    pub name: String,
    /// The statements that were executed, in order.
    pub statements: Vec<String>,
    /// None: all of them succeeded.
    pub error: Option<ServerError>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_as_large_as_an_operation_with_its_time() {
        assert!(size_of::<Entry>() <= 128, "{}", size_of::<Entry>());
    }
}
