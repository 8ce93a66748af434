//! The crash matrix of a scenario: each kind of fault at each statement of the change, each time
//! on a copy of one snapshot, and is applied again as an operator would apply it: once.

mod by_hand;
mod cell;
mod faults;
mod random;

use std::collections::BTreeMap;
use std::num::NonZero;
use std::time::Instant;

use futures_util::{StreamExt, TryStreamExt, stream};

use crate::clock::Micros;
use crate::history::{Attempt, Event, History, Progress, TableContents};
use crate::judge::crash::{self as judged, FeasibleFault, Undisturbed};
use crate::provision::Server;
use crate::result::{Case, Matrix};
use crate::scenario::{Crash, Scenario};
use crate::trial::FaultKind;

use super::state::{self, Start};
use super::{Error, Run, SizeRequest, UNDISTURBED, UNDISTURBED_AGAIN, Work, ended_with};

use cell::{Cells, Compared, Kept};

/// Operations per second beside a cell: enough to be in the way, too few to be slow.
const RATE_PER_S_MAX: f64 = 50.0;
/// Connections of a cell's pool.
const POOL: (u32, u32) = (2, 8);
/// Longest attempt in a cell.
const DEADLINE_MS_MAX: u64 = 60_000;
/// Cells at once, however many cores there are: they share one server's disk.
const AT_ONCE_MAX: u32 = 8;

/// Runs the matrix that the scenario's `[crash]` describes, or the usual one.
pub async fn matrix(
    run: &Run<'_>,
    server: &mut dyn Server,
    start: &Start,
) -> Result<Matrix, Error> {
    let began = Instant::now();
    let crash = wanted(run, &start.scenario);
    let start = small(run, start, &crash)?;
    server.apply_settings(&start.scenario.server).await?;
    let server = &*server;
    let template = state::template(server, &start, run.listener).await?;
    let snapshot = run.databases.name();
    let made = state::make(server, &start, template.as_ref(), &snapshot, run.listener).await;
    let found = match made {
        Ok(_) => {
            let cells = Cells { run, server, start: &start, snapshot: &snapshot };
            let databases = [run.databases.name(), run.databases.name()];
            let found = all(&cells, &crash, &databases, began).await;
            drop_all(run, server, &databases).await.and(found)
        }
        Err(error) => Err(error),
    };
    let dropped = run.databases.drop(&server.address(), &snapshot).await;
    let matrix = found?;
    dropped?;
    Ok(matrix)
}

/// Drops every one of them, whatever becomes of the others.
async fn drop_all(run: &Run<'_>, server: &dyn Server, names: &[String]) -> Result<(), Error> {
    let mut dropped = Ok(());
    for name in names {
        dropped = dropped.and(run.databases.drop(&server.address(), name).await);
    }
    dropped
}

/// `databases` are the names of those in which nothing is disturbed.
async fn all(
    cells: &Cells<'_>,
    crash: &Crash,
    databases: &[String; 2],
    began: Instant,
) -> Result<Matrix, Error> {
    let scenario = &cells.start.scenario;
    let undisturbed = cells.undisturbed(UNDISTURBED, &databases[0]).await?;
    let at_once = at_once(cells.run);
    let took = || Micros(u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX));
    let Some(ended) = ended_with(&undisturbed) else {
        let run = Undisturbed { history: &undisturbed, took_us: took(), at_once };
        return Ok(judged::matrix(scenario, crash, run, Vec::new(), None));
    };
    let address = cells.server.address().with_database(&databases[0]);
    let (before, after) = (contents(&undisturbed, None), contents(&undisturbed, Some(0)));
    let mut kept = Kept { ended, before, after, compared: Compared::default(), address };
    // What is not the same a second time, beside an application, is no sign of anything: a time of
    // day, a copy of rows that the application writes.
    kept.compared = cells.again(UNDISTURBED_AGAIN, &databases[1], &kept).await?;
    let asked = cells.run.request.crash.statement;
    let mut feasible = judged::faults(&undisturbed, &crash.faults);
    feasible.retain(|of| asked.is_none_or(|id| of.fault.at.statement == id));
    let found = inject(cells, &feasible, &kept, at_once).await?;
    let random = random::faults(cells, crash, &undisturbed, &kept).await?;
    let run = Undisturbed { history: &undisturbed, took_us: took(), at_once };
    Ok(judged::matrix(scenario, crash, run, found, random))
}

/// Several at a time, told in the order in which they were planned.
async fn inject(
    cells: &Cells<'_>,
    faults: &[FeasibleFault],
    kept: &Kept,
    at_once: u32,
) -> Result<Vec<Case>, Error> {
    let of = faults.len();
    let lives = faults.iter().enumerate().map(|(number, feasible)| async move {
        let name = format!("{number:03}-{}", feasible.fault.kind);
        one(cells, &name, feasible, kept).await
    });
    let mut lives = stream::iter(lives).buffered(at_once as usize);
    let mut found = Vec::with_capacity(of);
    while let Some(cell) = lives.try_next().await? {
        found.push(cell);
        let (done, fault) = (found.len(), &found[found.len() - 1].fault);
        let (kind, statement) = (fault.kind, fault.at.text.clone());
        (cells.run.listener)(Progress::Case { done, of, kind, statement });
    }
    Ok(found)
}

/// Runs one case and judges it.
async fn one(
    cells: &Cells<'_>,
    name: &str,
    feasible: &FeasibleFault,
    kept: &Kept,
) -> Result<Case, Error> {
    let history = cells.live(name, feasible, kept).await?;
    let (scenario, fault) = (&cells.start.scenario, &feasible.fault);
    judged::case(scenario, &history)
        .ok_or(Error::NoFault { kind: fault.kind, statement: fault.at.statement })
}

/// What was in the tables at a moment.
fn contents(history: &History, at: Option<Attempt>) -> BTreeMap<String, TableContents> {
    let found = history.entries.iter().rev().find_map(|entry| match &entry.event {
        Event::Contents(contents) if contents.after == at => Some(contents.tables.clone()),
        _ => None,
    });
    found.unwrap_or_default()
}

fn at_once(run: &Run<'_>) -> u32 {
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    let cores = u32::try_from(cores).unwrap_or(AT_ONCE_MAX).min(AT_ONCE_MAX);
    run.request.crash.at_once.unwrap_or(cores).max(1)
}

/// The scenario's own `[crash]`, or the usual one, with what the call asks for.
fn wanted(run: &Run<'_>, scenario: &Scenario) -> Crash {
    let mut crash = scenario.crash.clone().unwrap_or_default();
    let asked = &run.request.crash;
    if let Some(kinds) = &asked.faults {
        crash.faults = FaultKind::ALL.iter().filter(|kind| kinds.contains(kind)).copied().collect();
    }
    if let Some(random) = asked.random {
        crash.random = random;
    }
    if run.request.work == Work::Crash && run.request.state.is_some() {
        crash.state = run.request.state.clone();
    }
    // A part of the matrix need not show what the whole is expected to show.
    if asked.faults.is_some() || asked.statement.is_some() {
        crash.may.append(&mut crash.expect);
    }
    crash
}

/// The scenario as a cell runs it: few rows, few connections, a change that is left to itself.
fn small(run: &Run<'_>, start: &Start, crash: &Crash) -> Result<Start, Error> {
    let mut scenario = start.scenario.clone();
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
    let declared = state.sizes(&scenario.declared_sizes());
    let asked = SizeRequest { quick: false, ..run.request.sizes.clone() };
    let factor = crash.rows as f64 / declared.largest().max(1) as f64;
    let sizes = match asked.scale {
        Some(_) => asked.apply(&declared),
        None => asked.apply(&declared.scaled(factor.min(1.0))),
    };
    scenario.traffic.rate_per_s = scenario.traffic.rate_per_s.min(RATE_PER_S_MAX);
    (scenario.pool.size, scenario.pool.overflow) = POOL;
    scenario.disturbances.clear();
    let change = &mut scenario.change;
    change.stop = None;
    change.runners = 1;
    change.deadline_ms = change.deadline_ms.min(DEADLINE_MS_MAX);
    change.migrations.iter_mut().for_each(|migration| migration.pauses.clear());
    scenario.crash = Some(crash.clone());
    Ok(Start { scenario, state, sizes, repetition: 1 })
}
