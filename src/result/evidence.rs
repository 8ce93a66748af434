//! What a finding rests on: the numbers and names of each kind, from which its sentence is made.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clock::Micros;
use crate::history::{ClosedBy, LedgerMismatch, PlanNode, ServerError};
use crate::scenario::{FindingKind, Scope};
use crate::schema::Difference;

use super::finding::{OperationRef, StatementRef};

macro_rules! evidence {
    ($($kind:ident($data:ty)),+ $(,)?) => {
        /// One variant per kind of finding, with what was measured or read.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "kebab-case")]
        pub enum Evidence {
            $($kind($data),)+
        }

        impl Evidence {
            /// The kind of finding that this is the evidence of.
            pub fn kind(&self) -> FindingKind {
                match self { $(Evidence::$kind(_) => FindingKind::$kind,)+ }
            }
        }
    };
}

evidence! {
    Stall(Stalled),
    PoolExhaustion(PoolExhausted),
    AcquireTimeout(AcquireTimeouts),
    OperationFailed(FailedOperations),
    Latency(SlowPhase),
    NotRecovered(Unrecovered),
    LockTimeout(Aborted),
    StatementTimeout(Aborted),
    IdleInTransactionTimeout(Aborted),
    TransactionTimeout(Aborted),
    Deadlock(Aborted),
    ConcurrentlyInTransaction(RefusedInTransaction),
    ChangeFailed(Aborted),
    CommandFailed(FailedCommand),
    ErrorSwallowed(SwallowedError),
    TimeoutCoversBlock(CoveredBlock),
    OpenTransaction(LostTransaction),
    OneTransaction(SharedTransaction),
    OneMessage(SharedMessage),
    StatementsUnderLock(HeldMeanwhile),
    NoTimeout(Unlimited),
    TimeoutNotInForce(OtherTimeouts),
    InvalidIndex(LeftInvalid),
    NotValidConstraint(LeftNotValid),
    HiddenDebris(Hidden),
    RerunFailed(FailedReruns),
    RerunChanged(CatalogueChange),
    RerunWrote(RowsChange),
    RerunLock(RerunHeld),
    Diverged(Divergence),
    RunnersOverlap(Overlap),
    RunnerHung(HungRunner),
    RunnerWaited(WaitingRunner),
    LostWrite(WrongWrites),
    DoubledWrite(WrongWrites),
    ReadChanged(WrongRead),
    PlanChanged(WrongPlan),
    GeneratorLag(Lag),
    SamplesMissing(MissingSamples),
    BaselineBroken(BrokenBaseline),
    NotReached(Unreached),
    MeasurementFailed(FailedMeasurement),
}

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

/// The error that ended an application of the change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Aborted {
    pub application: Application,
    /// When the error came; the subject's statement is the one that it is about.
    pub came: ErrorCame,
    pub error: ServerError,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum ErrorCame {
    /// As the answer to the subject's statement.
    FromStatement,
    /// While no statement ran, after the subject's.
    AfterStatement,
    /// Before any statement.
    BeforeStatements,
}

/// Which application of the change it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Application {
    /// The change is attempt 0.
    pub attempt: u32,
    /// How many runners applied the change at once.
    pub runners: u32,
}

/// 25001: what has to run outside a transaction ran in one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RefusedInTransaction {
    pub aborted: Aborted,
    /// Null: not known.
    pub transaction: Option<InTransaction>,
    /// The catalogue and the versions are those before the change.
    pub changed_nothing: bool,
    /// Operations were seen waiting for the change.
    pub stalled: bool,
}

/// In which transaction a statement ran.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum InTransaction {
    /// It was sent with others in one message, which is one transaction.
    OneMessage { statements: u32 },
    /// One began immediately before it.
    BeganImmediatelyBefore,
    /// In one that an earlier statement had begun.
    BeganWith(StatementRef),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FailedCommand {
    pub application: Application,
    pub exit_code: Option<i32>,
    pub signal: Option<i32>,
    /// The last line that it printed; null: nothing.
    pub last_line: Option<String>,
}

/// The subject's statement failed, and the command reported success.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SwallowedError {
    pub error: ServerError,
    pub fate: SwallowedFate,
    /// Others that failed so.
    pub others: u64,
}

/// What became of the work of a statement that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum SwallowedFate {
    DoneBefore,
    DoneLater,
    NotDone,
}

/// The subject's statement is the first that the timeout ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CoveredBlock {
    pub statement_timeout_ms: u64,
    /// Runs that it ended.
    pub runs: u64,
    /// A later application came to the end.
    pub finished_later: bool,
}

/// A transaction of an application that reported success, which was rolled back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LostTransaction {
    pub by_command: bool,
    /// By which statement the transaction is known.
    pub transaction: StatementRef,
    pub ended: RolledBack,
    /// Statements of it that had changed something, and the first of them.
    pub changes: u64,
    pub first_change: Option<StatementRef>,
    /// Transactions of that kind.
    pub transactions: u64,
}

/// How a transaction ended without a commit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum RolledBack {
    CommitFailed(ServerError),
    /// COMMIT was answered with ROLLBACK, because a statement before it had failed.
    CommitAfterError,
    RollbackWithoutError,
    RollbackAfterError,
    ConnectionClosed {
        by: ClosedBy,
        at_us: Micros,
    },
}

/// The subject's relation is the version table, its statement the one by which the transaction is
/// known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SharedTransaction {
    /// How often the version table was written in it.
    pub migrations: u64,
}

/// The subject's statement is the first of a message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SharedMessage {
    pub statements: u32,
    /// 25001: a statement of it cannot run in a transaction.
    pub refused: bool,
    /// Other messages like it.
    pub others: u64,
}

/// An AccessExclusiveLock on the subject's relation, taken by the subject's statement.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HeldMeanwhile {
    /// Relations besides the subject's.
    pub others: u64,
    /// Statements of the transaction that ran meanwhile.
    pub statements: u64,
    pub took_us: Micros,
    pub longest: StatementRef,
}

/// The subject's statement ran without a timeout that would end its waiting.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Unlimited {
    pub lock: LockNeed,
    pub in_transaction: bool,
    /// It cannot run inside a transaction.
    pub outside_only: bool,
    /// Other statements like it.
    pub others: u64,
}

/// How a strong lock of a statement is known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum LockNeed {
    Waited {
        waited_us: Micros,
        mode: String,
        relation: Option<String>,
    },
    Took {
        mode: String,
        relation: String,
    },
    /// A sample shows it, of a statement that commits by itself.
    Held {
        mode: String,
        relation: String,
    },
    /// By its text.
    AsksFor {
        mode: String,
        relation: String,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OtherTimeouts {
    pub scope: Scope,
    pub timeouts: Vec<OtherTimeout>,
}

/// A timeout that is declared, and had another value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OtherTimeout {
    pub setting: String,
    pub declared_ms: u64,
    pub in_force_ms: u64,
    /// The first for which it was so.
    pub statement: StatementRef,
    pub statements: u64,
    /// Statements before which it was set to 0 on purpose.
    pub lifted: u64,
}

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

/// A declared read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WrongRead {
    pub read: String,
    pub found: WrongRows,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum WrongRows {
    Failed(ServerError),
    /// It was to return the same rows.
    Changed {
        rows: u64,
        now: u64,
        compared: Compared,
    },
    /// It was to return none.
    Unwanted {
        rows: u64,
        when: ReadWhen,
    },
}

/// Which two answers of a read were compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Compared {
    /// Both came after the change.
    AfterAndLater,
    /// In the form of the older release before the change, of the newer one after it.
    TwoForms,
    /// With the answer before the change, in the form of the older release where it has one.
    BeforeAnd { when: ReadWhen, older_form: bool },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum ReadWhen {
    During,
    After,
}

/// The plan of a declared read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WrongPlan {
    pub read: String,
    pub node: PlanNode,
    pub limit: PlanRule,
    /// What did the same before the change; null: not known.
    pub before: Option<PlanNode>,
}

/// What a plan must not have.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum PlanRule {
    Without { node_type: String },
    RowsMax(u64),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Lag {
    pub p99_us: Micros,
    pub limit_us: Micros,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MissingSamples {
    pub missing: u64,
    /// All that were due; 0: none was taken.
    pub due: u64,
    pub longest_gap_us: Micros,
}

/// What was wrong before the change began.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum BrokenBaseline {
    Traffic { p99_us: Micros, limit_us: Micros, failed: u64 },
    Plan { read: String, node: PlanNode, limit: PlanRule },
    ReadChanged { read: String },
    ReadUnwanted { read: String, rows: u64 },
}

/// Why the change is not known to have come to its end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Unreached {
    /// The history has the begin of an application and not its end.
    NoEnd,
    /// It took longer than its deadline. The subject's statement is the one that ran, or the last.
    Deadline {
        deadline_us: Micros,
        running: bool,
    },
    /// The history itself has no end.
    CutShort,
    NoStatement {
        by_command: bool,
    },
    /// It was stopped each time.
    Stopped,
}

/// What could not be measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum FailedMeasurement {
    Stage { stage: String, message: String },
    Disturbance { name: String, error: ServerError },
    Accounts { missing: u64, scheduled: u64 },
    PlanUnread { read: String, after: bool, error: ServerError },
    PlanNeverRead { read: String },
    ReadUnanswered { read: String },
}
