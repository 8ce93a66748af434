//! A crash matrix as result.json holds it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clock::Micros;
use crate::history::{Death, StatementId, TrialFacts};
use crate::scenario::{Outcome, Verdict, Way};
use crate::schema::Difference;

use super::judgement::Expectation;
use super::statement::StatementRef;

/// The crash matrix of a change: a row per statement, a column per way of dying.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Matrix {
    pub format: u32,
    /// Of the undisturbed run.
    pub trial: TrialFacts,
    pub verdict: Verdict,
    pub as_expected: bool,
    /// What the scenario expects of the outcomes, and whether it held.
    pub expectations: Vec<Expectation>,
    /// Where the outcomes are not the expected ones, a sentence each.
    pub mismatches: Vec<String>,
    pub reason: String,
    /// Statements at which it died, in their order.
    pub rows: Vec<MatrixRow>,
    pub columns: Vec<Way>,
    pub cells: Vec<Cell>,
    /// Deaths between the boundaries.
    pub random: Option<RandomDeaths>,
    /// Rounds of repeated statements beyond the first, the last and the one in the middle, in which
    /// it did not die.
    pub rounds_left_out: u64,
    /// Tables whose rows were not compared: the change does not leave the same ones twice, or the
    /// application writes them without a ledger.
    pub not_compared: Vec<String>,
    /// Cells by outcome. Of the random deaths those that were met count as well where all of them
    /// ended clean, otherwise only the smallest.
    pub outcomes: BTreeMap<Outcome, u64>,
    /// How long all of it took.
    pub took_us: Micros,
    /// How many cells ran at once.
    pub at_once: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MatrixRow {
    pub id: StatementId,
    pub statement: StatementRef,
}

/// Deaths at random moments.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RandomDeaths {
    /// Those that were drawn from `rng_seed`, and those that it took to make one of them small.
    pub deaths: u32,
    pub met: u32,
    /// The earliest that did not end clean; None: all did.
    pub smallest: Option<Cell>,
}

impl RandomDeaths {
    pub fn of(cells: Vec<Cell>) -> Option<RandomDeaths> {
        let deaths = u32::try_from(cells.len()).unwrap_or(u32::MAX);
        let met = cells.iter().filter(|cell| cell.outcome.is_some()).count();
        let bad = cells.into_iter().filter(|c| c.outcome.is_some_and(|o| o != Outcome::Clean));
        let smallest = bad.min_by_key(|cell| (cell.death.statement, cell.death.into_us));
        let met = u32::try_from(met).unwrap_or(u32::MAX);
        (deaths > 0).then_some(RandomDeaths { deaths, met, smallest })
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cell {
    pub death: Death,
    /// None: the death could not be brought about, so nothing is known.
    pub outcome: Option<Outcome>,
    /// How it died, as the change and the server told it: `57P01 admin_shutdown`. Empty where it
    /// was not met.
    pub seen: String,
    /// What came of it, in a sentence.
    pub sentence: String,
    /// From the reference's schema to this one's.
    pub differences: Vec<Difference>,
    /// Part of the measurement failed, which says nothing of the change.
    pub broken: bool,
    /// Tables whose rows were not compared: the change does not leave the same ones twice, or the
    /// application writes them without a ledger.
    pub not_compared: Vec<String>,
    /// Attempts after the death.
    pub reruns: u32,
    pub took_us: Micros,
}
