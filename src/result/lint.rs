//! What a linter says of the change's statements, held against what was measured.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clock::Micros;
use crate::scenario::FindingKind;

use super::statement::StatementRef;

/// A rule that a statement of the change breaks, and what came of it. It decides no verdict.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Lint {
    /// The rule's name in squawk, such as `require-concurrent-index-creation`.
    pub rule: String,
    /// The rule's own words.
    pub message: String,
    /// What the rule says to do; null: nothing.
    pub help: Option<String>,
    /// The statement.
    pub statement: StatementRef,
    /// What the trials show of it.
    pub standing: LintStanding,
    /// For people; made from the standing.
    #[serde(default)]
    pub sentence: String,
}

/// What the trials show of what a linter warns of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum LintStanding {
    /// It happened.
    Confirmed {
        /// The finding that shows it.
        by: FindingKind,
        /// The longest that an operation waited; null: the finding is about no wait.
        waited_us: Option<Micros>,
    },
    /// It could have happened here, and did not: at this size, under this traffic.
    Refuted {
        /// The longest that the statement ran in any trial.
        took_us: Micros,
        /// The largest table that it locked or wrote; null: it is about no table.
        relation: Option<String>,
        /// Its rows.
        rows: u64,
    },
    /// Nothing that was tried could show it: the tables have no rows, or no application ran.
    NotExercised,
}
