//! How the change was applied: errors, transactions, timeouts.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clock::Micros;
use crate::history::{ClosedBy, RefusedFor, ServerError};
use crate::scenario::Scope;

use super::super::statement::StatementRef;
use super::deadlock::Deadlock;

/// The error that ended an application of the change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Aborted {
    /// Which application it ended.
    pub application: Application,
    /// When the error came; the subject's statement is the one that it is about.
    pub came: ErrorCame,
    /// The error as the server sent it.
    pub error: ServerError,
    /// Of a deadlock, its sides; null: it was none, or they are not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadlock: Option<Deadlock>,
    /// Of a deadlock, what might have come of it instead; null: not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub race: Option<Race>,
    /// The earlier statement of the change that made what the error is about: a label of an enum
    /// that is not committed yet, an object that is there already. Null: none is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earlier: Option<StatementRef>,
}

/// When an error came.
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

impl Application {
    /// Which of several runners that began at once it is, from 1; None: there was one, or it is a
    /// rerun.
    pub fn runner(self) -> Option<u32> {
        (self.runners > 1 && self.attempt < self.runners).then(|| self.attempt + 1)
    }

    /// Which rerun it is, from 1; None: none.
    pub fn rerun(self) -> Option<u32> {
        let first = self.runners.max(1);
        (self.attempt >= first).then(|| self.attempt + 1 - first)
    }

    /// `runner 2`, `rerun 1`; None: the only first one.
    pub fn name(self) -> Option<String> {
        let runner = self.runner().map(|n| format!("runner {n}"));
        runner.or_else(|| self.rerun().map(|n| format!("rerun {n}")))
    }
}

/// 25001: what has to run outside a transaction ran in one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RefusedInTransaction {
    /// The error and the application that it ended.
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
    OneMessage {
        /// Statements in the message.
        statements: u32,
    },
    /// One began immediately before it.
    BeganImmediatelyBefore,
    /// In one that an earlier statement had begun.
    BeganWith(StatementRef),
}

/// The tap did not let clients of the change in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RefusedConnection {
    /// Of the first.
    pub application: Application,
    /// Which of its three was wrong.
    pub why: RefusedFor,
    /// As the first wanted to connect.
    pub user: String,
    /// Where the first wanted to connect to.
    pub database: String,
    /// What it was answered.
    pub error: ServerError,
    /// More of them, for the same reason.
    pub others: u64,
}

/// A command that ended with a status other than 0, or by a signal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FailedCommand {
    /// Which application of the change it was.
    pub application: Application,
    /// Exit status; null: a signal ended it.
    pub exit_code: Option<i32>,
    /// Signal that ended it; null: it exited by itself.
    pub signal: Option<i32>,
    /// The last line that it printed; null: nothing.
    pub last_line: Option<String>,
}

/// The subject's statement failed, and the command reported success.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SwallowedError {
    /// The error that the command did not report.
    pub error: ServerError,
    /// What became of the statement's work.
    pub fate: SwallowedFate,
    /// Others that failed so.
    pub others: u64,
}

/// What became of the work of a statement that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum SwallowedFate {
    /// It had been done before the statement failed.
    DoneBefore,
    /// A later application of the change did it.
    DoneLater,
    /// Nothing did it.
    NotDone,
}

/// The subject's statement is the first that the timeout ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CoveredBlock {
    /// The timeout's value, in milliseconds.
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
    /// Whether a command applied the change.
    pub by_command: bool,
    /// By which statement the transaction is known.
    pub transaction: StatementRef,
    /// How the transaction ended.
    pub ended: RolledBack,
    /// Statements of it that had changed something, and the first of them.
    pub changes: u64,
    /// Null: none of them had changed anything.
    pub first_change: Option<StatementRef>,
    /// Transactions of that kind.
    pub transactions: u64,
}

/// How a transaction ended without a commit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum RolledBack {
    /// COMMIT itself failed.
    CommitFailed(ServerError),
    /// COMMIT was answered with ROLLBACK, because a statement before it had failed.
    CommitAfterError,
    /// ROLLBACK was sent, and no statement had failed.
    RollbackWithoutError,
    /// ROLLBACK was sent after a statement had failed.
    RollbackAfterError,
    /// The connection was closed with the transaction open.
    ConnectionClosed {
        /// Which side closed it.
        by: ClosedBy,
        /// When, in microseconds of the trial's clock.
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
    /// Statements in the message.
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
    /// How long the lock was held while statements ran.
    pub took_us: Micros,
    /// The statement that ran the longest meanwhile.
    pub longest: StatementRef,
}

/// The subject's statement ran without a timeout that would end its waiting.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Unlimited {
    /// How the lock is known.
    pub lock: LockNeed,
    /// Whether a transaction was open when the statement began.
    pub in_transaction: bool,
    /// It cannot run inside a transaction.
    pub outside_only: bool,
    /// It may have set one for itself where that is not seen: in a function, or by dynamic SQL.
    #[serde(default)]
    pub may_limit_itself: bool,
    /// Other statements like it.
    pub others: u64,
}

/// How a strong lock of a statement is known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum LockNeed {
    /// It was seen waiting for it.
    Waited {
        /// For how long, in microseconds.
        waited_us: Micros,
        /// `pg_locks.mode`.
        mode: String,
        /// Qualified name; null: the lock is on no relation.
        relation: Option<String>,
    },
    /// The tap's lock snapshot after the statement shows it.
    Took {
        /// `pg_locks.mode`.
        mode: String,
        /// Qualified name.
        relation: String,
    },
    /// A sample shows it, of a statement that commits by itself.
    Held {
        /// `pg_locks.mode`.
        mode: String,
        /// Qualified name.
        relation: String,
    },
    /// By its text.
    AsksFor {
        /// Mode that the statement asks for, named as in `pg_locks.mode`.
        mode: String,
        /// The relation as the statement names it.
        relation: String,
    },
}

/// Timeouts that were not in force as they are declared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OtherTimeouts {
    /// Whether they are declared for each transaction or for the session.
    pub scope: Scope,
    /// One per setting.
    pub timeouts: Vec<OtherTimeout>,
}

/// A timeout that is declared, and had another value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OtherTimeout {
    /// Name of the setting: `lock_timeout`.
    pub setting: String,
    /// Declared value, in milliseconds.
    pub declared_ms: u64,
    /// Value in force, in milliseconds; 0 is none.
    pub in_force_ms: u64,
    /// The first for which it was so.
    pub statement: StatementRef,
    /// Statements for which it was so.
    pub statements: u64,
    /// Statements before which it was set to 0 on purpose.
    pub lifted: u64,
}

/// An application of the change that waited when its deadline was over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Hang {
    /// Which application of the change it was.
    pub application: Application,
    /// How long it was given.
    pub deadline_us: Micros,
    /// For whom it waited, and for whom that one did.
    pub waits: Vec<HungWait>,
    /// The last of them waits for the first: nobody ends that.
    pub cycle: bool,
    /// It did not wait, and asked for an advisory lock again and again.
    pub polled: Option<Polled>,
}

/// One wait of a chain.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HungWait {
    /// The session that waited, in words.
    pub waiter: String,
    /// The statement of the change that waited; null: it is none of the change.
    pub statement: Option<StatementRef>,
    /// The mode asked for, as in `pg_locks.mode`.
    pub mode: String,
    /// As in `pg_locks.locktype`.
    pub locktype: String,
    /// Of the lock, or that the statement writes rows of.
    pub relation: Option<String>,
    /// How long it had waited.
    pub waited_us: Micros,
    /// Since when.
    pub since_us: Micros,
    /// The session that was in the way, in words.
    pub holder: String,
    /// The mode that it held; null: it was ahead in the queue.
    pub held: Option<String>,
    /// What it ran, or had run last, where it is of the change.
    pub holder_statement: Option<StatementRef>,
    /// It ran nothing: its client waited for something else.
    pub holder_is_idle: bool,
}

/// An advisory lock that was asked for again and again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Polled {
    /// How often; 0: within one statement, which does not say.
    pub tries: u64,
    /// When first.
    pub since_us: Micros,
    /// For how long.
    pub waited_us: Micros,
    /// Another runner, from 1, that had not ended either; null: another session has the lock.
    pub runner: Option<u32>,
}

/// A deadlock, seen from the side that was not its victim.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Race {
    /// Who the other side was.
    pub with: Opponent,
    /// The statement of the change on that side; null: it is none of the change's, or not known.
    pub statement: Option<StatementRef>,
    /// The mode for which the victim waited, as in `pg_locks.mode`.
    pub mode: String,
    /// As in `pg_locks.locktype`.
    pub locktype: String,
    /// The worst that would have come of it.
    pub worst: WorstSide,
}

/// The other side of a deadlock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Opponent {
    /// An operation of the application.
    Application,
    /// Another runner, from 1.
    Runner(u32),
    /// Another connection of the same runner.
    OtherConnection,
    /// Another session, in words.
    Other(String),
}

/// What the failure of the worst side of a deadlock leaves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum WorstSide {
    /// This statement leaves an INVALID index where it fails.
    InvalidIndex(StatementRef),
    /// This DROP INDEX CONCURRENTLY leaves the index INVALID where it fails.
    HalfDroppedIndex(StatementRef),
    /// This DETACH … CONCURRENTLY leaves the partition half detached where it fails.
    PendingDetach(StatementRef),
    /// An operation of the application would have failed.
    FailedOperation,
    /// It is rolled back, and nothing is left.
    RolledBack,
}
