//! What a run is asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::provision;
use crate::result::{CrashRequest, Shard};
use crate::scenario::{RetryPolicy, SIZES_NEEDED, Scenario, SizeAxis, Sizes, Table, show_growth};

use super::Error;
use super::costs::Costs;

/// Rows of the largest table under `--quick`.
pub const QUICK_ROWS: u64 = 200_000;
/// Longest baseline, and longest least recovery, under `--quick`: enough for a p99.
const QUICK_BASELINE_MS: u64 = 2_000;
const QUICK_RECOVERY_MS: u64 = 1_000;

/// Everything that a run is asked for.
#[derive(Clone)]
pub struct Request {
    /// What is run, in order.
    pub scenarios: Vec<Scenario>,
    /// Whether trials, crash matrices or both are run.
    pub work: Work,
    /// What is asked of crash matrices beyond their scenarios.
    pub crash: CrashRequest,
    /// A retry policy whose odds are measured under each condition; None: none.
    pub retry: Option<RetryRequest>,
    /// Only this starting state of each scenario.
    pub state: Option<String>,
    /// How often every trial is executed; a crash matrix is made once.
    pub repeat: u32,
    /// None: everything is this run's.
    pub share: Option<Share>,
    /// Of the trials; of a crash matrix's cases only where nothing else is asked for.
    pub sizes: SizeRequest,
    /// Which server, and what is kept of it.
    pub server: provision::Request,
    /// Servers of other majors, on each of which the same is run after it.
    pub other_majors: Vec<provision::Request>,
    /// What gives a database with rows to each trial; None: it is seeded on the server.
    pub clones: Option<CloneCommands>,
    /// Where histories and result.json go; None keeps nothing.
    pub out: Option<PathBuf>,
    /// One change is tried: its result begins with an answer.
    pub answers: bool,
    /// Rows per table that are asked about beyond what is tried; of none in particular: of the
    /// largest one.
    pub at: Vec<(Option<String>, u64)>,
}

/// Commands that give databases with rows and take them back, for sh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloneCommands {
    /// Prints the URL of a database that may be changed, a new one each time, with the same rows.
    pub clone: String,
    /// Gives it back; None: nothing does.
    pub release: Option<String>,
}

/// A retry policy to be measured.
#[derive(Clone, Debug, PartialEq)]
pub struct RetryRequest {
    /// How often and after which pauses the change is tried.
    pub policy: RetryPolicy,
    /// Rounds under each condition.
    pub rounds: u32,
}

/// Which part of the plan is this run's, and what it is divided by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    /// Number of the shard, and of how many.
    pub shard: Shard,
    /// What each unit is expected to cost.
    pub costs: Costs,
}

/// What of the scenarios is run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Work {
    /// Every trial, and the crash matrix of each scenario that has a `[crash]`.
    #[default]
    All,
    /// Trials only.
    Trials,
    /// Crash matrices, also of scenarios that say nothing of them.
    Crash,
}

impl Work {
    /// Whether trials are run.
    pub fn trials(self) -> bool {
        self != Work::Crash
    }
}

/// How the declared sizes are changed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SizeRequest {
    /// Every table times this.
    pub scale: Option<f64>,
    /// Scale so that the largest table has `QUICK_ROWS`.
    pub quick: bool,
    /// Rows of single tables; wins over the others.
    pub rows: Vec<(String, u64)>,
    /// Rows of the largest table at each size that is tried, the others in proportion; empty: the
    /// scenario's own, without an axis where it has none.
    pub tried: Vec<u64>,
    /// Of starting states by name, as an earlier trial had them; wins over all of these.
    pub of_states: BTreeMap<String, Sizes>,
}

impl SizeRequest {
    /// The sizes of a trial whose scenario declares these.
    pub fn apply(&self, declared: &Sizes) -> Sizes {
        let factor = match (self.scale, self.quick) {
            (Some(factor), _) => factor,
            (None, true) => (QUICK_ROWS as f64 / declared.largest().max(1) as f64).min(1.0),
            (None, false) => 1.0,
        };
        let mut sizes = declared.scaled(factor);
        for (table, rows) in &self.rows {
            if let Some(known) = sizes.0.get_mut(table) {
                *known = *rows;
            }
        }
        sizes
    }
}

/// What is asked about, as a result has it: by an empty name of the largest table.
pub fn asked_rows(at: &[(Option<String>, u64)]) -> BTreeMap<String, u64> {
    at.iter().cloned().map(|(table, rows)| (table.unwrap_or_default(), rows)).collect()
}

impl Request {
    /// Whether it can be carried out at all.
    pub(super) fn check(&self) -> Result<(), Error> {
        let mut names = BTreeSet::new();
        if let Some(twice) = self.scenarios.iter().find(|s| !names.insert(&s.name)) {
            return Err(Error::NameTwice { name: twice.name.clone() });
        }
        for (table, _) in &self.sizes.rows {
            let declares = |s: &Scenario| s.tables.iter().any(|t| t.name == *table);
            if !self.scenarios.iter().any(declares) {
                return Err(Error::NoSuchTable { table: table.clone(), known: self.tables() });
            }
        }
        for (table, rows) in &self.at {
            let Some(table) = table else { continue };
            if !self.scenarios.iter().any(|s| s.table_named(table).is_some()) {
                return Err(Error::NoSuchTable { table: table.clone(), known: self.tables() });
            }
            if *rows == 0 {
                return Err(Error::Sizes { why: format!("{table} is asked about with no rows") });
            }
        }
        let (tried, fixed) = (&self.sizes.tried, self.sizes.rows.first());
        if let (Some((table, _)), false) = (fixed, tried.is_empty()) {
            let why = format!("--rows keeps {table} from growing: leave it out, or --sizes");
            return Err(Error::Sizes { why });
        }
        if !self.at.is_empty() && !tried.is_empty() && !show_growth(tried) {
            let why = format!("a prediction takes {SIZES_NEEDED}, such as --sizes 250k,500k,1M,2M");
            return Err(Error::Sizes { why });
        }
        Ok(())
    }

    /// Rows of the largest table at each size that is tried; none: there is no axis.
    pub(super) fn sizes_of(&self, scenario: &Scenario) -> Vec<u64> {
        let declared = scenario.declared_sizes();
        let own = match (&scenario.sizes, self.at.is_empty()) {
            // What asks for one size asks for no axis.
            _ if self.sizes.quick || !self.sizes.of_states.is_empty() => Vec::new(),
            (Some(axis), _) => axis.of(&self.sizes.apply(&declared)),
            (None, false) => SizeAxis::default().of(&self.sizes.apply(&declared)),
            (None, true) => Vec::new(),
        };
        let mut sizes = match (self.sizes.tried.is_empty(), self.sizes.scale) {
            (false, _) => self.sizes.tried.clone(),
            // A declared axis shrinks with the tables.
            (true, Some(factor))
                if scenario.sizes.as_ref().is_some_and(|s| !s.tried.is_empty()) =>
            {
                own.iter().map(|rows| ((*rows as f64 * factor).round() as u64).max(1)).collect()
            }
            (true, _) => own,
        };
        sizes.dedup();
        sizes
    }

    /// Whether the scenario's crash matrix is run. `--quick` is for an answer in a minute.
    pub(super) fn crashes(&self, scenario: &Scenario) -> bool {
        match self.work {
            Work::Crash => true,
            Work::Trials => false,
            Work::All => scenario.crash.is_some() && !self.sizes.quick,
        }
    }

    /// As it is run.
    pub(super) fn shortened(&self, scenario: &Scenario) -> Scenario {
        let mut scenario = scenario.clone();
        // Who names the rows of a table asks for no others.
        let named = |table: &Table| self.sizes.rows.iter().any(|(name, _)| *name == table.name);
        let named = scenario.tables.iter_mut().filter(|table| table.rows > 0 && named(table));
        named.for_each(|table| table.asked = None);
        if self.sizes.quick {
            let traffic = &mut scenario.traffic;
            traffic.baseline_ms = traffic.baseline_ms.min(QUICK_BASELINE_MS);
            traffic.recovery_min_ms = traffic.recovery_min_ms.min(QUICK_RECOVERY_MS);
        }
        scenario
    }

    fn tables(&self) -> Vec<String> {
        let tables = self.scenarios.iter().flat_map(|s| &s.tables);
        let mut names: Vec<String> = tables.map(|t| t.name.clone()).collect();
        names.sort();
        names.dedup();
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn declared() -> Sizes {
        Sizes([("spans".to_owned(), 2_000_000), ("tasks".to_owned(), 20_000)].into())
    }

    #[test]
    fn quick_scales_every_table_by_the_largest() {
        let sizes = SizeRequest { quick: true, ..SizeRequest::default() }.apply(&declared());
        assert_eq!((sizes.rows("spans"), sizes.rows("tasks")), (200_000, 2_000));
    }

    #[test]
    fn quick_never_makes_a_small_scenario_larger() {
        let small = Sizes([("t".to_owned(), 10)].into());
        let sizes = SizeRequest { quick: true, ..SizeRequest::default() }.apply(&small);
        assert_eq!(sizes, small);
    }

    #[test]
    fn rows_of_one_table_win_over_the_scale() {
        let rows = vec![("spans".to_owned(), 7)];
        let request = SizeRequest { scale: Some(0.5), rows, ..SizeRequest::default() };
        let sizes = request.apply(&declared());
        assert_eq!((sizes.rows("spans"), sizes.rows("tasks")), (7, 10_000));
    }
}
