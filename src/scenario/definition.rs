//! A scenario as a whole, once it has been checked.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::pg::facts::RelationName;

use super::accept::Meant;
use super::acceptance::Acceptance;
use super::background::Disturbance;
use super::change::{Change, Script};
use super::condition::{Condition, ConditionError};
use super::crash::Crash;
use super::expect::{Expect, Limits};
use super::replica::Replica;
use super::size_axis::SizeAxis;
use super::state::State;
use super::table::{Sizes, Table};
use super::traffic::{Invariant, On, Pool, Traffic};

/// Random numbers follow from this seed where the scenario states none.
pub(super) const RNG_SEED_DEFAULT: u64 = 1;

/// A scenario that has been read and cross-checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// The directory's name: kebab-case, states the fact.
    pub name: String,
    /// Where it was read.
    pub dir: PathBuf,
    /// Why the scenario exists and what its numbers show; required.
    pub analysis: String,
    /// The only source of randomness: data, schedule and parameters follow from it.
    pub rng_seed: u64,
    /// Tables, types, functions: run before the load.
    pub schema: Script,
    /// Indexes and constraints: run after the load. May be empty.
    pub indexes: Script,
    /// The schema has its keys, constraints, indexes and triggers already: they are taken off for
    /// the load and put back after it, and a row that the server refuses is left out and said.
    pub whole: bool,
    /// In load order, as declared.
    pub tables: Vec<Table>,
    /// Settings of the server (GUC name to value) on top of ours; part of what a trial states.
    pub server: BTreeMap<String, String>,
    /// The hot standby that the server has; None: it has none.
    pub replica: Option<Replica>,
    /// At which sizes it is tried, and which one is asked about; None: at the declared one.
    pub sizes: Option<SizeAxis>,
    /// The application's operations and their rate.
    pub traffic: Traffic,
    /// The application's connection pool.
    pub pool: Pool,
    /// The change under test.
    pub change: Change,
    /// Where the change may start from; empty: from the base alone.
    pub states: Vec<State>,
    /// Its crash matrix; None: it declares none.
    pub crash: Option<Crash>,
    /// Background sessions, under every condition.
    pub disturbances: Vec<Disturbance>,
    /// Conditions under each of which there is a trial; empty: one trial, under none.
    pub conditions: Vec<Condition>,
    /// Reads that have to hold.
    pub invariants: Vec<Invariant>,
    /// What the application can bear.
    pub limits: Limits,
    /// What the change does on purpose.
    pub accept: Vec<Meant>,
    /// Findings that are accepted, with their reasons.
    pub acceptances: Vec<Acceptance>,
    /// What the author expects.
    pub expect: Expect,
}

/// As the script begins that stands in place of a clone's schema.
pub const OF_A_CLONE: &str = "its tables and rows are those of a clone";

impl Scenario {
    /// The states to start from, the reference first.
    pub fn starting_states(&self) -> Vec<State> {
        match self.states.is_empty() {
            true => vec![State::base()],
            false => self.states.clone(),
        }
    }

    /// The declared state of the name; None: it is the base of a scenario that declares none.
    pub fn state(&self, name: &str) -> Option<&State> {
        self.states.iter().find(|state| state.name == name)
    }

    /// Whether its rows were made up from a schema alone. What a clone holds was not.
    pub fn has_made_up_rows(&self) -> bool {
        let of_clone = |statement: &super::Statement| statement.text.contains(OF_A_CLONE);
        self.whole && !self.schema.statements.iter().any(of_clone)
    }

    /// Under these conditions in place of its own: declared ones by their names, and known kinds
    /// about all tables that are filled.
    ///
    /// # Errors
    /// A name is none of a condition.
    pub fn under(mut self, names: &[String]) -> Result<Scenario, ConditionError> {
        let tables: Vec<String> = self.tables.iter().map(|table| table.name.clone()).collect();
        self.conditions = Condition::named(names, &self.name, &self.conditions, &tables)?;
        Ok(self)
    }

    /// The same without a standby: all operations run on the primary.
    pub fn without_replica(mut self) -> Scenario {
        self.replica = None;
        self.traffic.operations.iter_mut().for_each(|operation| operation.on = On::Primary);
        self
    }

    /// The declared table of that name, which may leave out the schema.
    pub fn table_named(&self, name: &str) -> Option<&Table> {
        self.tables.iter().find(|table| RelationName::same(&table.name, name))
    }

    /// The sizes that the scenario itself declares.
    pub fn declared_sizes(&self) -> Sizes {
        Sizes(self.tables.iter().map(|t| (t.name.clone(), t.rows)).collect())
    }
}

/// Whether a scenario, and what is named in one, may be called so: words and digits in lower case,
/// joined by hyphens.
pub fn is_kebab_case(name: &str) -> bool {
    let word = |word: &str| {
        !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
    };
    name.split('-').all(word)
}
