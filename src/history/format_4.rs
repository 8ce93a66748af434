//! Reads the header of format 4, in which a trial had no key and a fault was a death.
//!
//! Events read as they are: what they lack has a default, and what has another name an alias.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::clock::Micros;
use crate::trial::{Axis, Fault, FaultKind, InjectionPoint, StatementId, TrialKey};

use super::header::{Header, MachineFacts, ServerFacts, TrialFacts, VERSION};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Header4 {
    #[serde(rename = "pgauntlet_history")]
    _version: u32,
    trial: TrialFacts4,
    scenario: serde_json::Value,
}

/// The facts of a trial, in a history's header and in a result.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrialFacts4 {
    scenario: String,
    tool: String,
    started_at: String,
    rng_seed: u64,
    state: String,
    repetition: u32,
    #[serde(default)]
    death: Option<Death4>,
    sizes: BTreeMap<String, u64>,
    server: ServerFacts,
    machine: MachineFacts,
}

/// A fault, in a history's header and in a result.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Death4 {
    statement: StatementId,
    text: String,
    nth: u32,
    way: FaultKind,
    #[serde(default)]
    into_us: Option<Micros>,
}

impl From<Header4> for Header {
    fn from(old: Header4) -> Header {
        Header { pgauntlet_history: VERSION, trial: old.trial.into(), scenario: old.scenario }
    }
}

impl From<TrialFacts4> for TrialFacts {
    fn from(old: TrialFacts4) -> TrialFacts {
        let fault = old.death.map(Fault::from);
        let mut key = TrialKey::new(old.scenario).repeated(old.repetition.max(1));
        if !old.state.is_empty() {
            key = key.with(Axis::STATE, old.state);
        }
        if let Some(fault) = &fault {
            key = key.with(Axis::FAULT, fault.label());
        }
        TrialFacts {
            key: old.server.place(key),
            tool: old.tool,
            started_at: old.started_at,
            rng_seed: old.rng_seed,
            fault,
            sizes: old.sizes,
            server: old.server,
            machine: old.machine,
            applied: None,
            roles: None,
            tried: None,
        }
    }
}

impl From<Death4> for Fault {
    fn from(old: Death4) -> Fault {
        let Death4 { statement, text, nth, way, into_us } = old;
        Fault {
            kind: way,
            at: InjectionPoint { into_us, ..InjectionPoint::new(statement, text, nth) },
        }
    }
}
