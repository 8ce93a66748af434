//! A case of a crash matrix: a trial with a fault, and what came of it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clock::Micros;
use crate::history::ServerError;
use crate::scenario::Outcome;
use crate::schema::Difference;
use crate::trial::Fault;

/// A trial with a fault, and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// The fault, and where it was injected.
    pub fault: Fault,
    /// None: the fault could not be injected, or what came of it was not seen (`broken`).
    pub outcome: Option<Outcome>,
    /// The error that the change met: `57P01 admin_shutdown`. Empty where no fault was injected.
    pub seen: String,
    /// What came of it, in a sentence.
    pub sentence: String,
    /// What the sentence is made from; null: an older version wrote the result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ending: Option<CaseEnding>,
    /// From the reference's schema to this one's.
    pub differences: Vec<Difference>,
    /// Part of the measurement failed, or the rerun was cut off, which says nothing of the change.
    pub broken: bool,
    /// Tables whose rows were not compared: the change does not leave the same ones twice, or the
    /// application writes them without a ledger.
    pub not_compared: Vec<String>,
    /// Attempts after the fault.
    pub reruns: u32,
    /// From the case's begin to its end.
    pub took_us: Micros,
}

/// How a case ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum CaseEnding {
    /// Part of the measurement failed.
    MeasurementFailed {
        /// Which part.
        stage: String,
        /// Why.
        message: String,
    },
    /// The fault was not injected as it was meant to be.
    NotInjected(NotInjected),
    /// What the application or the seed wrote is gone.
    DataLost(DataLost),
    /// The change was not applied again.
    NotAppliedAgain,
    /// The rerun was ended from outside, still at it.
    CutOff {
        /// The change's own deadline, which ended it, in microseconds; null: something else did.
        deadline_us: Option<Micros>,
    },
    /// The rerun came to its end.
    Rerun(Reached),
    /// The rerun failed, and so did each one after a step by hand.
    RerunFails {
        /// Of the first rerun; null: it did not finish.
        error: Option<ServerError>,
        /// Steps by hand, in their order.
        steps: Vec<String>,
    },
    /// The rerun failed, and one after steps by hand came to its end.
    AfterSteps {
        /// Of the first rerun; null: it did not finish.
        error: Option<ServerError>,
        /// Steps by hand, in their order.
        steps: Vec<String>,
        /// What it left.
        reached: Reached,
    },
}

impl CaseEnding {
    /// None: nothing is known of what the fault does to the change.
    pub fn outcome(&self) -> Option<Outcome> {
        match self {
            CaseEnding::MeasurementFailed { .. }
            | CaseEnding::NotInjected(_)
            | CaseEnding::NotAppliedAgain
            | CaseEnding::CutOff { .. } => None,
            CaseEnding::DataLost(_) => Some(Outcome::LosesData),
            CaseEnding::Rerun(reached) => reached.outcome(),
            CaseEnding::RerunFails { .. } => Some(Outcome::FailsForever),
            CaseEnding::AfterSteps { reached, .. } => match reached.outcome()? {
                Outcome::Clean => Some(Outcome::ManualStep),
                _ => Some(Outcome::FailsForever),
            },
        }
    }
}

/// Why a fault was not injected as it was meant to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum NotInjected {
    /// The change never began.
    ChangeNeverBegan,
    /// The tap left it out, and said why.
    Skipped(String),
    /// The change did not get to the statement.
    StatementNotReached,
    /// The statement waits for no lock that another session can hold.
    NoLockToWaitFor,
    /// The statement ended before the fault.
    StatementEnded,
    /// It was injected into another statement.
    IntoAnotherStatement,
}

/// Data that is gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum DataLost {
    /// A write that was acknowledged.
    Write(WrittenRow),
    /// Rows of the seed.
    Rows {
        /// Qualified name.
        table: String,
        /// Rows that are there.
        found: u64,
        /// Rows that were there before the change, as far as an undisturbed run keeps them.
        seeded: u64,
    },
    /// A declared read returns other rows than before the change.
    Read(String),
}

/// A row that the application wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WrittenRow {
    /// Where it is, or was.
    pub table: String,
    /// Its key, as text.
    pub key: String,
    /// The operation that wrote it.
    pub operation: String,
}

/// What a rerun that came to its end left, beside what an undisturbed run leaves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Reached {
    /// The same schema, versions and rows.
    Same,
    /// There is nothing to compare with.
    NotCompared,
    /// An index that is INVALID.
    InvalidIndex(String),
    /// A constraint that is NOT VALID.
    NotValidConstraint(String),
    /// Another schema; the first difference.
    OtherSchema(Difference),
    /// Other versions.
    OtherVersions {
        /// In the order in which they were read.
        found: Vec<String>,
        /// Of the undisturbed run.
        expected: Vec<String>,
    },
    /// As many rows in the table, and not the same ones.
    OtherRows(String),
    /// Another number of rows.
    OtherCount {
        /// Qualified name.
        table: String,
        /// Rows that are there.
        found: u64,
        /// Of the undisturbed run.
        expected: u64,
    },
    /// A write that is there twice, or although it was refused.
    UnwantedWrite(WrittenRow),
    /// A declared read returns rows, and must return none.
    UnwantedRows {
        /// Its name.
        read: String,
        /// How many.
        rows: u64,
    },
}

impl Reached {
    fn outcome(&self) -> Option<Outcome> {
        match self {
            Reached::Same => Some(Outcome::Clean),
            Reached::NotCompared => None,
            Reached::InvalidIndex(_) | Reached::NotValidConstraint(_) => Some(Outcome::Debris),
            Reached::OtherSchema(_)
            | Reached::OtherVersions { .. }
            | Reached::OtherRows(_)
            | Reached::OtherCount { .. }
            | Reached::UnwantedWrite(_)
            | Reached::UnwantedRows { .. } => Some(Outcome::Diverges),
        }
    }
}
