//! A crash matrix as result.json holds it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clock::Micros;
use crate::history::{ServerError, ShortTable, TrialFacts};
use crate::scenario::{Outcome, Verdict};
use crate::trial::{FaultKind, StatementId};

use super::accepted::AcceptedAs;
use super::case::Case;
use super::judgement::{Expectation, ExpectationOf};
use super::statement::StatementRef;

/// The crash matrix of a change: a row per statement, a column per fault kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Matrix {
    /// Version of the result's format in which it was written.
    pub format: u32,
    /// Of the undisturbed run.
    pub trial: TrialFacts,
    /// The worst that its outcomes amount to; safe where that is accepted.
    pub verdict: Verdict,
    /// Why what it shows does not count; null: nobody accepts it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted: Option<AcceptedAs>,
    /// Whether every expectation of the scenario held.
    pub as_expected: bool,
    /// What the scenario expects of the outcomes, and whether it held.
    pub expectations: Vec<Expectation>,
    /// Where the outcomes are not the expected ones, a sentence each.
    pub mismatches: Vec<String>,
    /// The verdict's reason in one sentence.
    pub reason: String,
    /// What the reason is made from, beside the missing cases; null: an older version wrote the
    /// result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ending: Option<MatrixEnding>,
    /// Statements with a fault, in their order.
    pub rows: Vec<MatrixRow>,
    /// Kinds of faults that were tried.
    pub columns: Vec<FaultKind>,
    /// Every case that was run, but for those at random moments.
    pub cases: Vec<Case>,
    /// Cases that were planned and not run to their end; not empty: the matrix broke off.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
    /// Faults between the boundaries.
    pub random: Option<RandomFaults>,
    /// Rounds of repeated statements beyond the first, the last and the one in the middle, in which
    /// no fault was injected.
    pub rounds_left_out: u64,
    /// Tables whose rows were not compared: the change does not leave the same ones twice, or the
    /// application writes them without a ledger.
    pub not_compared: Vec<String>,
    /// Cases by outcome. Of the random faults those that were injected count as well where all of
    /// them ended clean, otherwise only the earliest.
    pub outcomes: BTreeMap<Outcome, u64>,
    /// How long all of it took.
    pub took_us: Micros,
    /// How many cases ran at once.
    pub at_once: u32,
}

impl Matrix {
    /// Whether nothing but its missing cases keeps it from being as expected.
    pub fn only_lacks_cases(&self) -> bool {
        let mut broken = self.expectations.iter().filter(|e| !e.held);
        !self.missing.is_empty() && broken.all(|e| e.about == Some(ExpectationOf::AllCases))
    }
}

/// A statement with at least one case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MatrixRow {
    /// Its number in the undisturbed run's attempt, from 0.
    pub id: StatementId,
    /// The statement as the undisturbed run sent it.
    pub statement: StatementRef,
}

/// Faults at random moments.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RandomFaults {
    /// Those that were drawn from `rng_seed`, and those that it took to make one of them early.
    pub tried: u32,
    /// Those of them whose fault was injected.
    pub injected: u32,
    /// The earliest that did not end clean; None: all did.
    pub earliest: Option<Case>,
}

impl RandomFaults {
    /// Sums up the cases; None: there are none.
    pub fn of(cases: Vec<Case>) -> Option<RandomFaults> {
        let tried = u32::try_from(cases.len()).unwrap_or(u32::MAX);
        let injected = cases.iter().filter(|case| case.outcome.is_some()).count();
        let bad = cases.into_iter().filter(|c| c.outcome.is_some_and(|o| o != Outcome::Clean));
        let earliest = bad.min_by_key(|case| (case.fault.at.statement, case.fault.at.into_us));
        let injected = u32::try_from(injected).unwrap_or(u32::MAX);
        (tried > 0).then_some(RandomFaults { tried, injected, earliest })
    }
}

/// What decides the verdict of a matrix, but for cases that are missing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum MatrixEnding {
    /// The change does not finish when nothing disturbs it.
    Unfinished(Unfinished),
    /// A table that the change is about lacks rows that were asked for.
    RowsLeftOut {
        /// The first such table.
        first: ShortTable,
        /// How many more there are.
        others: u64,
    },
    /// No fault could be injected.
    NoneInjected,
    /// So many cases could not be measured to the end.
    NotMeasured(u64),
    /// Each case with an outcome ended clean.
    Clean(Injected),
    /// Some case did not.
    NotClean {
        /// The worst outcome.
        worst: Outcome,
        /// How many did not.
        cases: u64,
        /// Of how many.
        of: Injected,
    },
}

/// How a change ended that nothing disturbed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Unfinished {
    /// With an error.
    Failed(ServerError),
    /// By the longest that a case may take, in microseconds.
    DeadlineExceeded(Micros),
    /// By something else, or the history does not say.
    Otherwise,
}

/// Cases by what is known of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Injected {
    /// Those with an outcome.
    pub injected: u64,
    /// Those whose fault could not be injected.
    pub not_injected: u64,
    /// Those of which nothing was seen in the end.
    pub no_outcome: u64,
}
