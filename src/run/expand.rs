//! From a scenario and a request to the list of its trials.
//!
//! Trials are the product of axes. An axis is data: what its values are called, and what each does
//! to a trial. Nothing below asks which axes there are.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use crate::judge::crash::FeasibleFault;
use crate::provision::StandbyRequest;
use crate::scenario::{
    Base, CRASH_ROWS_DEFAULT, Condition, Crash, Disturbance, Network, Pooler, Rate, Retries,
    RetryPolicy, Scenario, Scope, Sizes, State, Until, size_name,
};
use crate::seed;
use crate::trial::{Axis, FaultKind, TrialKey};

use super::request::{Request, RetryRequest, Work};
use super::{Error, SizeRequest};

/// Connections that load a table at once; two cores are kept busy by two.
pub const LOADERS: usize = 2;
/// Operations per second beside a case: enough to be in the way, too few to be slow.
const CASE_RATE_PER_S_MAX: f64 = 50.0;
/// Connections of a case's pool.
const CASE_POOL: (u32, u32) = (2, 8);
/// Longest attempt in a case.
const CASE_DEADLINE_MS_MAX: u64 = 60_000;

/// One trial, as it is executed.
#[derive(Clone, Debug)]
pub struct TrialSpec {
    /// The trial's identity.
    pub key: TrialKey,
    /// The axes on which trials of its scenario differ: a label and a path name these alone.
    pub varying: BTreeSet<Axis>,
    /// As it is run, which may be shorter or smaller than it is declared.
    pub scenario: Scenario,
    /// The starting state.
    pub state: State,
    /// Rows per table.
    pub sizes: Sizes,
    /// Rows of the largest table, where several sizes are tried; None: as the request says.
    pub largest: Option<u64>,
    /// What is run in its database before anything else.
    pub preparation: Vec<String>,
    /// What is between clients and server.
    pub pooler: Option<Pooler>,
    /// The network between the application and what it connects to.
    pub network: Option<Network>,
    /// What is done to the change on purpose; None: it is left alone.
    pub fault: Option<FeasibleFault>,
}

impl TrialSpec {
    /// For people.
    pub fn label(&self) -> String {
        self.key.label(&self.varying)
    }

    /// Where its files are, below `--out`.
    pub fn path(&self) -> PathBuf {
        self.key.path(&self.varying)
    }

    /// What its database is seeded with.
    pub fn seed(&self) -> seed::Plan<'_> {
        let (scenario, sizes) = (&self.scenario, self.sizes.clone());
        seed::Plan { scenario, sizes, loaders: LOADERS, catalogue: None }
    }

    /// Whether it begins in a database without tables.
    pub fn is_empty_database(&self) -> bool {
        self.state.from == Base::Empty
    }

    /// The standby that it has beside the server; None: it has none.
    pub fn standby(&self) -> Option<StandbyRequest> {
        let replica = self.scenario.replica.as_ref().filter(|_| !self.is_empty_database())?;
        Some(StandbyRequest {
            delay_ms: replica.max_standby_streaming_delay_ms,
            feedback: replica.hot_standby_feedback,
            slot: replica.slot,
        })
    }

    /// Where the standby is asked for, as a message names it.
    pub fn standby_place(&self) -> String {
        let place = self.scenario.replica.as_ref().and_then(|replica| replica.place.as_ref());
        place.map_or_else(|| self.scenario.name.clone(), ToString::to_string)
    }

    /// The case of this one in which that is done to the change.
    pub fn with_fault(&self, fault: FeasibleFault) -> TrialSpec {
        let key = self.key.clone().with(Axis::FAULT, fault.fault.label());
        TrialSpec { key, fault: Some(fault), ..self.clone() }
    }
}

/// An axis, and the values that are tried of it. Trials are compared with the first one.
#[derive(Clone)]
pub struct AxisValues {
    /// The axis.
    pub axis: Axis,
    /// In the order in which they are tried.
    pub values: Vec<AxisValue>,
}

/// A value, and what it does to a trial.
#[derive(Clone)]
pub struct AxisValue {
    /// As the key has it.
    pub name: String,
    apply: Arc<dyn Fn(&mut TrialSpec) + Send + Sync>,
}

impl AxisValue {
    /// A value that changes a trial by `apply`.
    pub fn new(
        name: impl Into<String>,
        apply: impl Fn(&mut TrialSpec) + Send + Sync + 'static,
    ) -> AxisValue {
        AxisValue { name: name.into(), apply: Arc::new(apply) }
    }
}

/// The trials of a scenario, in the order in which they are executed: all of a repetition before
/// the next one, and of each point on the other axes all starting states, the reference first.
///
/// # Errors
/// The state that was asked for is none of the scenario's.
pub fn expand(scenario: &Scenario, request: &Request) -> Result<Vec<TrialSpec>, Error> {
    Ok(product(&undivided(scenario, request), &axes(scenario, request)?, request.repeat.max(1)))
}

/// Every combination of the axes, the last of them the fastest.
pub fn product(base: &TrialSpec, axes: &[AxisValues], repeat: u32) -> Vec<TrialSpec> {
    let mut specs: Vec<TrialSpec> = (1..=repeat)
        .map(|n| TrialSpec { key: base.key.clone().repeated(n), ..base.clone() })
        .collect();
    for AxisValues { axis, values } in axes {
        let at = |spec: &TrialSpec, value: &AxisValue| {
            let mut spec = spec.clone();
            spec.key = spec.key.with(axis.clone(), &value.name);
            if values.len() > 1 {
                spec.varying.insert(axis.clone());
            }
            (value.apply)(&mut spec);
            spec
        };
        specs = specs.iter().flat_map(|spec| values.iter().map(|v| at(spec, v))).collect();
    }
    specs
}

/// What all trials of the scenario have in common.
fn undivided(scenario: &Scenario, request: &Request) -> TrialSpec {
    let scenario = request.shortened(scenario);
    // A directory and a label name the state where there is a choice, also where one is chosen.
    let varying = match scenario.states.len() {
        0 | 1 => BTreeSet::new(),
        _ => [Axis::STATE].into(),
    };
    TrialSpec {
        key: TrialKey::new(&scenario.name),
        varying,
        state: State::base(),
        sizes: scenario.declared_sizes(),
        largest: None,
        preparation: Vec::new(),
        pooler: None,
        network: None,
        fault: None,
        scenario,
    }
}

/// The states come last: they decide how many rows there are.
fn axes(scenario: &Scenario, request: &Request) -> Result<Vec<AxisValues>, Error> {
    let mut axes = Vec::new();
    if !scenario.conditions.is_empty() {
        axes.push(conditions(scenario));
    }
    let sizes = request.sizes_of(scenario);
    if !sizes.is_empty() {
        axes.push(self::sizes(&sizes));
    }
    axes.push(states(scenario, request)?);
    Ok(axes)
}

fn conditions(scenario: &Scenario) -> AxisValues {
    let value = |condition: &Condition| {
        let own = condition.clone();
        AxisValue::new(&condition.name, move |spec| {
            spec.scenario.disturbances.extend(own.sessions());
            spec.scenario.server.extend(own.server_settings());
            spec.preparation.extend(own.preparation());
            spec.pooler = own.pooler_between();
            spec.network = own.network_between();
        })
    };
    let values = scenario.conditions.iter().map(value).collect();
    AxisValues { axis: Axis::CONDITION, values }
}

fn sizes(largest: &[u64]) -> AxisValues {
    let value = |rows: &u64| {
        let rows = *rows;
        AxisValue::new(size_name(rows), move |spec| spec.largest = Some(rows))
    };
    AxisValues { axis: Axis::SIZE, values: largest.iter().map(value).collect() }
}

/// The state that was asked for comes after the reference that it is compared with.
fn states(scenario: &Scenario, request: &Request) -> Result<AxisValues, Error> {
    let mut states = scenario.starting_states();
    if let Some(name) = &request.state {
        if !states.iter().any(|state| state.name == *name) {
            let (scenario, state) = (scenario.name.clone(), name.clone());
            return Err(Error::NoSuchState { scenario, state });
        }
        let reference = states[0].name.clone();
        states.retain(|state| state.name == *name || state.name == reference);
    }
    let value = |state: State| {
        let sizes = request.sizes.clone();
        AxisValue::new(state.name.clone(), move |spec| {
            let recorded = sizes.of_states.get(&state.name).cloned();
            let declared = state.sizes(&spec.scenario.declared_sizes());
            let asked = match spec.largest {
                Some(rows) => {
                    let factor = rows as f64 / declared.largest().max(1) as f64;
                    SizeRequest { scale: Some(factor), quick: false, ..sizes.clone() }
                }
                None => sizes.clone(),
            };
            spec.sizes = recorded.unwrap_or_else(|| asked.apply(&declared));
            spec.state = state.clone();
        })
    };
    Ok(AxisValues { axis: Axis::STATE, values: states.into_iter().map(value).collect() })
}

/// A crash matrix: what its cases have in common, and which there are to be.
#[derive(Clone, Debug)]
pub struct MatrixSpec {
    /// Few rows, few connections, a change that is left to itself.
    pub base: TrialSpec,
    /// Its faults and expectations.
    pub crash: Crash,
    /// Only faults at this statement.
    pub statement: Option<u32>,
}

/// A retry policy under one condition.
#[derive(Clone, Debug)]
pub struct RetrySpec {
    /// Few rows, the condition's background sessions, which stay for as long as attempts are made.
    pub base: TrialSpec,
    /// The condition's name; empty: none.
    pub condition: String,
    /// The policy.
    pub policy: RetryPolicy,
    /// How many rounds there are to be.
    pub rounds: u32,
}

/// Cases and rounds have few rows anyway: fewer than were asked for are none only where there are
/// none.
fn of_few_rows(scenario: &mut Scenario) {
    let tables = scenario.tables.iter_mut().filter(|table| table.rows > 0);
    tables.for_each(|table| table.asked = None);
}

/// The retry policy that is asked for, under each condition of the scenario.
pub fn retries(scenario: &Scenario, request: &Request) -> Vec<RetrySpec> {
    let Some(RetryRequest { policy, rounds }) = &request.retry else { return Vec::new() };
    let mut base = undivided(scenario, request);
    let declared = base.scenario.declared_sizes();
    let factor = CRASH_ROWS_DEFAULT as f64 / declared.largest().max(1) as f64;
    base.sizes = declared.scaled(factor.min(1.0));
    of_few_rows(&mut base.scenario);
    let timeouts = &mut base.scenario.change.timeouts;
    (timeouts.scope, timeouts.lock_timeout_ms) = (Scope::Session, Some(policy.lock_timeout_ms));
    base.scenario.change.retries = Retries::default();
    let stays_ms = u64::try_from(policy.longest().as_millis()).unwrap_or(u64::MAX) * 2;
    let spec = |name: &str, spec: TrialSpec| {
        let mut spec = spec;
        spec.scenario = spec.scenario.without_replica();
        let stays = |one: &&mut Disturbance| one.until == Until::Change && one.every_ms.is_none();
        let background = &mut spec.scenario.disturbances;
        background.iter_mut().filter(stays).for_each(|one| one.hold_ms = stays_ms);
        let (condition, policy, rounds) = (name.to_owned(), policy.clone(), *rounds);
        RetrySpec { base: spec, condition, policy, rounds }
    };
    match scenario.conditions.is_empty() {
        true => vec![spec("", base)],
        false => {
            let conditions = conditions(scenario);
            let each = conditions.values.iter().map(|value| {
                let mut own = base.clone();
                own.key = own.key.with(Axis::CONDITION, &value.name);
                (value.apply)(&mut own);
                spec(&value.name, own)
            });
            each.collect()
        }
    }
}

/// The crash matrix of a scenario; None: it is not asked for.
pub fn matrix(scenario: &Scenario, request: &Request) -> Result<Option<MatrixSpec>, Error> {
    if !request.crashes(scenario) {
        return Ok(None);
    }
    let crash = wanted(scenario, request);
    let base = case(scenario, request, &crash)?;
    Ok(Some(MatrixSpec { base, crash, statement: request.crash.statement }))
}

/// The scenario's own `[crash]`, or the usual one, with what the call asks for.
fn wanted(scenario: &Scenario, request: &Request) -> Crash {
    let mut crash = scenario.crash.clone().unwrap_or_default();
    let asked = &request.crash;
    if let Some(kinds) = &asked.faults {
        crash.faults = FaultKind::ALL.iter().filter(|kind| kinds.contains(kind)).copied().collect();
    }
    if let Some(random) = asked.random {
        crash.random = random;
    }
    if request.work == Work::Crash && request.state.is_some() {
        crash.state = request.state.clone();
    }
    // A part of the matrix need not show what the whole is expected to show.
    if asked.faults.is_some() || asked.statement.is_some() {
        crash.may.append(&mut crash.expect);
    }
    crash
}

fn case(scenario: &Scenario, request: &Request, crash: &Crash) -> Result<TrialSpec, Error> {
    let mut scenario = request.shortened(scenario).without_replica();
    of_few_rows(&mut scenario);
    let mut states = scenario.starting_states();
    let at = match &crash.state {
        None => Some(0),
        Some(name) => states.iter().position(|state| state.name == *name),
    };
    let Some(at) = at else {
        let state = crash.state.clone().unwrap_or_default();
        return Err(Error::NoSuchState { scenario: scenario.name, state });
    };
    let state = states.swap_remove(at);
    let sizes = case_sizes(&state.sizes(&scenario.declared_sizes()), request, crash);
    scenario.traffic.rate = Rate::PerS(match scenario.traffic.rate {
        Rate::PerS(rate_per_s) => rate_per_s.min(CASE_RATE_PER_S_MAX),
        Rate::CapacityShare(_) => CASE_RATE_PER_S_MAX,
    });
    (scenario.pool.size, scenario.pool.overflow) = CASE_POOL;
    scenario.disturbances.clear();
    scenario.conditions.clear();
    let change = &mut scenario.change;
    change.stop = None;
    change.runners = 1;
    change.deadline_ms = change.deadline_ms.min(CASE_DEADLINE_MS_MAX);
    change.migrations.iter_mut().for_each(|migration| migration.pauses.clear());
    scenario.crash = Some(crash.clone());
    let key = TrialKey::new(&scenario.name).with(Axis::STATE, &state.name);
    let (varying, preparation) = (BTreeSet::new(), Vec::new());
    Ok(TrialSpec {
        key,
        varying,
        scenario,
        state,
        sizes,
        largest: None,
        preparation,
        pooler: None,
        network: None,
        fault: None,
    })
}

/// `[crash] rows`. Sizes that are asked for are the trials', and the cases' only where nothing but
/// the matrix is asked for.
fn case_sizes(declared: &Sizes, request: &Request, crash: &Crash) -> Sizes {
    let asked = match request.work {
        Work::Crash => SizeRequest { quick: false, ..request.sizes.clone() },
        Work::All | Work::Trials => SizeRequest::default(),
    };
    let factor = crash.rows as f64 / declared.largest().max(1) as f64;
    match asked.scale {
        Some(_) => asked.apply(declared),
        None => asked.apply(&declared.scaled(factor.min(1.0))),
    }
}
