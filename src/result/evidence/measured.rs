//! Declared reads, and where the measurement itself carries no answer.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clock::Micros;
use crate::history::{PlanNode, ServerError};
use crate::scenario::{FindingKind, Verdict};

use super::replica::StandbyGap;

/// A declared read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WrongRead {
    /// Name of the read in the scenario.
    pub read: String,
    /// What was wrong with its answer.
    pub found: WrongRows,
}

/// What was wrong with the answer of a declared read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum WrongRows {
    /// The server refused it.
    Failed(ServerError),
    /// It was to return the same rows.
    Changed {
        /// Rows that it returned the first time.
        rows: u64,
        /// Rows that it returned now.
        now: u64,
        /// Which two answers differ.
        compared: Compared,
    },
    /// It was to return none.
    Unwanted {
        /// Rows that it returned.
        rows: u64,
        /// When it returned them.
        when: ReadWhen,
        /// The first of them, each as its values.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        first: Vec<String>,
        /// Operations that wrote a table which it reads, between the change's end and the read.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        writers: Vec<Writer>,
    },
}

/// An operation of the application that writes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Writer {
    /// By its name in the scenario.
    pub operation: String,
    /// How often it succeeded.
    pub times: u64,
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
    BeforeAnd {
        /// When the other answer came.
        when: ReadWhen,
        /// Whether the answer before the change is of the older release's form.
        older_form: bool,
    },
}

/// When an answer came, relative to the change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum ReadWhen {
    /// While the change was applied.
    During,
    /// After the change.
    After,
}

/// The plan of a declared read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WrongPlan {
    /// Name of the read in the scenario.
    pub read: String,
    /// The node that breaks the limit.
    pub node: PlanNode,
    /// The limit that it breaks.
    pub limit: PlanRule,
    /// What did the same before the change; null: not known.
    pub before: Option<PlanNode>,
}

/// What a plan must not have.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum PlanRule {
    /// A node type that must not be in it.
    Without {
        /// As EXPLAIN names it: `Seq Scan`.
        node_type: String,
    },
    /// Most rows that any node may be estimated to return.
    RowsMax(u64),
}

/// The load generator sent operations later than they were due.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Lag {
    /// 99th percentile of (sent − due), in microseconds.
    pub p99_us: Micros,
    /// The scenario's limit, in microseconds.
    pub limit_us: Micros,
}

/// Samples of the lock table that are not there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MissingSamples {
    /// Samples that were due and are missing.
    pub missing: u64,
    /// All that were due; 0: none was taken.
    pub due: u64,
    /// Longest time without a sample, in microseconds.
    pub longest_gap_us: Micros,
}

/// What was wrong before the change began.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum BrokenBaseline {
    /// Operations were slow or failed.
    Traffic {
        /// Their 99th percentile of latency, in microseconds.
        p99_us: Micros,
        /// The limit, in microseconds.
        limit_us: Micros,
        /// Operations that failed.
        failed: u64,
    },
    /// A plan broke its limit.
    Plan {
        /// Name of the read in the scenario.
        read: String,
        /// The node that breaks the limit.
        node: PlanNode,
        /// The limit that it breaks.
        limit: PlanRule,
    },
    /// A read that must not change did.
    ReadChanged {
        /// Name of the read in the scenario.
        read: String,
    },
    /// A read that must return no rows did.
    ReadUnwanted {
        /// Name of the read in the scenario.
        read: String,
        /// Rows that it returned.
        rows: u64,
    },
}

/// Why the change is not known to have come to its end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Unreached {
    /// The history has the begin of an application and not its end.
    NoEnd,
    /// It took longer than its deadline. The subject's statement is the one that ran, or the last.
    Deadline {
        /// The change's deadline, in microseconds.
        deadline_us: Micros,
        /// Whether a statement was running when it was reached.
        running: bool,
        /// What the server said of its progress at the end; null: it reports none, or there was
        /// none.
        #[serde(default)]
        progress: Option<Progressed>,
    },
    /// The history itself has no end.
    CutShort,
    /// It sent no statement that changes anything.
    NoStatement {
        /// Whether a command applied the change.
        by_command: bool,
    },
    /// It was stopped each time.
    Stopped,
}

/// Why a background session was not there when it mattered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Absence {
    /// It never got hold of what it was to hold.
    NeverInPlace,
    /// Its transaction held neither a lock nor a snapshot.
    HeldNothing,
    /// What it held was on other tables than those that the change locked.
    HeldElsewhere,
    /// It was over before the change ran a statement.
    EndedBefore,
    /// It was in place only when the change had run its statements.
    BeganAfter,
    /// It was for attempts that follow the first, and there were none.
    NoAttempt,
    /// It is between clients and server, and nothing went through it.
    NothingPassed,
    /// It was to cut connections, and met none that were open.
    NothingCut,
}

/// What could not be measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum FailedMeasurement {
    /// A stage of the measurement failed.
    Stage {
        /// Which stage: `sampler`, `ledger`, `observe`.
        stage: String,
        /// The error, as it was reported.
        message: String,
    },
    /// The server ended a background session.
    Disturbance {
        /// Its name in the scenario.
        name: String,
        /// The error that ended it.
        error: ServerError,
    },
    /// A background session that was declared was not there when it mattered.
    NotInForce {
        /// Its name in the scenario.
        name: String,
        /// Why not.
        why: Absence,
    },
    /// The standby was not there, or was not seen.
    Standby(StandbyGap),
    /// The driver's totals do not balance.
    Accounts {
        /// Operations without an outcome.
        missing: u64,
        /// Operations that were due.
        scheduled: u64,
    },
    /// A declared read could not be explained.
    PlanUnread {
        /// Name of the read in the scenario.
        read: String,
        /// Whether that was after the change.
        after: bool,
        /// The server's error.
        error: ServerError,
    },
    /// A declared read was never explained.
    PlanNeverRead {
        /// Name of the read in the scenario.
        read: String,
    },
    /// A declared read never returned.
    ReadUnanswered {
        /// Name of the read in the scenario.
        read: String,
    },
    /// What the tap asked the server between the statements took most of the change's time.
    Overhead {
        /// Time for which the tap held statements of the change back.
        paused_us: Micros,
        /// From the change's begin to its end.
        change_us: Micros,
    },
    /// Operations that something outside of the change ended, and how the first of them ended.
    OperationsEnded {
        /// How many.
        operations: u64,
        /// What ended them.
        by: EndedBy,
        /// The first error.
        message: String,
    },
    /// The server crashed, or another stopped it.
    ServerDown {
        /// How often.
        times: u64,
    },
}

/// What ended a session or a statement from outside of the change.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum EndedBy {
    /// The trial was broken off.
    Interruption,
    /// A backend of the server crashed, which ends all others.
    Crash,
    /// 57P01, or a cancel request, and no statement of the change asked for it.
    Administrator,
    /// 53100: the disk of the trial's server was full.
    FullDisk,
    /// A cut of the network, which is the condition.
    Cut,
    /// 53300: the condition held every connection of the server, and nothing waited for the change.
    FullServer,
}

/// The last of `pg_stat_progress_*` that was seen of a statement which went on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Progressed {
    /// `CREATE INDEX CONCURRENTLY`.
    pub command: String,
    /// As the server names it.
    pub phase: String,
    /// Blocks or tuples.
    pub done: u64,
    /// 0: not known.
    pub total: u64,
}

/// What the same change comes to on servers of several majors.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DifferingMajors {
    /// One per outcome, the worst first.
    pub outcomes: Vec<OfMajors>,
}

/// Majors on which the change comes to the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OfMajors {
    /// In ascending order.
    pub majors: Vec<u32>,
    /// The worst of its trials and crash matrices there.
    pub verdict: Verdict,
    /// Kinds of findings that are worse than safe there.
    pub findings: Vec<FindingKind>,
}
