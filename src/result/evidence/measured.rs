//! Declared reads, and where the measurement itself carries no answer.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clock::Micros;
use crate::history::{PlanNode, ServerError};

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
