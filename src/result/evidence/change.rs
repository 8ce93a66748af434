//! How the change was applied: errors, transactions, timeouts.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clock::Micros;
use crate::history::{ClosedBy, ServerError};
use crate::scenario::Scope;

use super::super::statement::StatementRef;

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
