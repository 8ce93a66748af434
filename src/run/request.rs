//! What a run is asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::provision;
use crate::result::{CrashRequest, Shard};
use crate::scenario::{Scenario, Sizes};

use super::Error;
use super::costs::Costs;

/// Rows of the largest table under `--quick`.
pub const QUICK_ROWS: u64 = 200_000;
/// Longest baseline, and longest least recovery, under `--quick`: enough for a p99.
const QUICK_BASELINE_MS: u64 = 2_000;
const QUICK_RECOVERY_MS: u64 = 1_000;

/// Everything that a run is asked for.
pub struct Request {
    /// What is run, in order.
    pub scenarios: Vec<Scenario>,
    /// Whether trials, crash matrices or both are run.
    pub work: Work,
    /// What is asked of crash matrices beyond their scenarios.
    pub crash: CrashRequest,
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
    /// What gives a database with rows to each trial; None: it is seeded on the server.
    pub clones: Option<CloneCommands>,
    /// Where histories and result.json go; None keeps nothing.
    pub out: Option<PathBuf>,
}

/// Commands that give databases with rows and take them back, for sh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloneCommands {
    /// Prints the URL of a database that may be changed, a new one each time, with the same rows.
    pub clone: String,
    /// Gives it back; None: nothing does.
    pub release: Option<String>,
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
        Ok(())
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
