//! What was accepted: a finding with the reason that somebody gave, and what came of each
//! acceptance in the trials of a change.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::scenario::{FindingKind, Verdict};

/// Why a finding does not count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AcceptedAs {
    /// What the trial would be with this finding alone.
    pub verdict: Verdict,
    /// Why it may be.
    pub reason: String,
    /// The file and line that say so.
    pub place: String,
    /// The last day on which it is accepted, as in 2027-01-31; null: there is none.
    pub until: Option<String>,
}

/// What came of an acceptance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AcceptanceOutcome {
    /// Which findings; null: whatever breaks a rule.
    pub kind: Option<FindingKind>,
    /// Why they may be.
    pub reason: String,
    /// The file that says so.
    pub file: String,
    /// 1-based line in it.
    pub line: u32,
    /// The last day on which they are accepted; null: there is none.
    pub until: Option<String>,
    /// The change itself says so: that it accepts nothing is an error.
    pub in_change: bool,
    /// What came of it.
    pub came: AcceptanceEnd,
    /// For people; made from the above.
    pub sentence: String,
}

impl AcceptanceOutcome {
    /// Where it is written: `migrations/3_key.sql:2`.
    pub fn place(&self) -> String {
        format!("{}:{}", self.file, self.line)
    }

    /// Whether it is as wrong as a finding that is not accepted.
    pub fn is_wrong(&self) -> bool {
        self.in_change && self.came == AcceptanceEnd::Unused
    }
}

/// What an acceptance is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AcceptanceEnd {
    /// Some trial shows what it accepts.
    Used,
    /// No trial does.
    Unused,
    /// Its last day was before the trials.
    Ended,
    /// What is missing, unproven or never finished could have shown it.
    NotKnown,
}
