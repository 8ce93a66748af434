//! A scenario as histories and results hold it: records of their own, with a version and defaults.
//!
//! A key that a later version adds has a default here, so that what is stored today reads then; an
//! unknown key, or a newer version, is refused with its name. Format 4 had no version; what it
//! stored reads as it is. The domain's types can change as long as both conversions compile.

mod defaults;
mod form;
mod generator;
mod records;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use self::form::Stored;
use super::accept::Meant;
use super::acceptance::Acceptance;
use super::background::Disturbance;
use super::change::{Change, Script};
use super::condition::Condition;
use super::crash::Crash;
use super::definition::Scenario;
use super::expect::{Expect, Limits};
use super::replica::Replica;
use super::size_axis::SizeAxis;
use super::state::State;
use super::table::Table;
use super::traffic::{Invariant, Pool, Traffic};

/// Version of what is stored of a scenario.
pub const STORED_VERSION: u32 = 5;

/// What is stored of a scenario that has been checked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoredScenario {
    #[serde(default = "current", deserialize_with = "known")]
    version: u32,
    /// The scenario's name.
    pub name: String,
    #[serde(default)]
    dir: PathBuf,
    #[serde(default)]
    analysis: String,
    #[serde(default = "defaults::rng_seed")]
    rng_seed: u64,
    schema: Form<Script>,
    #[serde(default)]
    indexes: Form<Script>,
    #[serde(default, skip_serializing_if = "defaults::is_false")]
    whole: bool,
    #[serde(default)]
    tables: Form<Vec<Table>>,
    #[serde(default)]
    server: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    replica: Form<Option<Replica>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sizes: Form<Option<SizeAxis>>,
    traffic: Form<Traffic>,
    #[serde(default = "defaults::pool")]
    pool: Form<Pool>,
    change: Form<Change>,
    #[serde(default)]
    states: Form<Vec<State>>,
    #[serde(default)]
    crash: Form<Option<Crash>>,
    #[serde(default)]
    disturbances: Form<Vec<Disturbance>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    conditions: Form<Vec<Condition>>,
    #[serde(default)]
    invariants: Form<Vec<Invariant>>,
    #[serde(default = "defaults::limits")]
    limits: Form<Limits>,
    #[serde(default)]
    accept: Form<Vec<Meant>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    acceptances: Form<Vec<Acceptance>>,
    expect: Form<Expect>,
}

type Form<T> = <T as Stored>::Form;

fn current() -> u32 {
    STORED_VERSION
}

/// What is read is of today's version from then on.
fn known<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    match u32::deserialize(deserializer)? {
        STORED_VERSION => Ok(STORED_VERSION),
        found => Err(D::Error::custom(format!(
            "the scenario inside has version {found}, this pgauntlet reads {STORED_VERSION}"
        ))),
    }
}

impl From<&Scenario> for StoredScenario {
    fn from(scenario: &Scenario) -> StoredScenario {
        StoredScenario {
            version: STORED_VERSION,
            name: scenario.name.clone(),
            dir: scenario.dir.clone(),
            analysis: scenario.analysis.clone(),
            rng_seed: scenario.rng_seed,
            schema: scenario.schema.to_form(),
            indexes: scenario.indexes.to_form(),
            whole: scenario.whole,
            tables: scenario.tables.to_form(),
            server: scenario.server.clone(),
            replica: scenario.replica.to_form(),
            sizes: scenario.sizes.to_form(),
            traffic: scenario.traffic.to_form(),
            pool: scenario.pool.to_form(),
            change: scenario.change.to_form(),
            states: scenario.states.to_form(),
            crash: scenario.crash.to_form(),
            disturbances: scenario.disturbances.to_form(),
            conditions: scenario.conditions.to_form(),
            invariants: scenario.invariants.to_form(),
            limits: scenario.limits.to_form(),
            accept: scenario.accept.to_form(),
            acceptances: scenario.acceptances.to_form(),
            expect: scenario.expect.to_form(),
        }
    }
}

impl From<StoredScenario> for Scenario {
    fn from(stored: StoredScenario) -> Scenario {
        Scenario {
            name: stored.name,
            dir: stored.dir,
            analysis: stored.analysis,
            rng_seed: stored.rng_seed,
            schema: Stored::of_form(stored.schema),
            indexes: Stored::of_form(stored.indexes),
            whole: stored.whole,
            tables: Stored::of_form(stored.tables),
            server: stored.server,
            replica: Stored::of_form(stored.replica),
            sizes: Stored::of_form(stored.sizes),
            traffic: Stored::of_form(stored.traffic),
            pool: Stored::of_form(stored.pool),
            change: Stored::of_form(stored.change),
            states: Stored::of_form(stored.states),
            crash: Stored::of_form(stored.crash),
            disturbances: Stored::of_form(stored.disturbances),
            conditions: Stored::of_form(stored.conditions),
            invariants: Stored::of_form(stored.invariants),
            limits: Stored::of_form(stored.limits),
            accept: Stored::of_form(stored.accept),
            acceptances: Stored::of_form(stored.acceptances),
            expect: Stored::of_form(stored.expect),
        }
    }
}
