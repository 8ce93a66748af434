//! Knows the order of the phases, and nothing else does: server, seed, trials, judgement, files.
//!
//! A run is all trials and crash matrices of one call. What happens inside a stage is the stage's
//! own business; how an outcome looks is the report's.

mod again;
mod between;
mod calibrate;
mod clones;
mod contents;
mod costs;
mod crash;
mod databases;
mod effects;
mod ending;
mod error;
mod execute;
mod expand;
mod files;
mod foreseen;
mod found;
mod identities;
mod infer;
mod like;
mod majors;
mod merge;
mod phases;
mod plan;
mod pooling;
mod postgres;
mod queries;
mod recovery;
mod repro;
mod request;
mod retries;
mod shared;
mod stage;
mod state;
mod unit;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::assess::{self, Against};
use crate::explain::explain;
use crate::history::{History, Listener, Progress};
use crate::judge::observe;
use crate::provision::{self, Server, SourceRequest};
use crate::result::ResultFile;
use crate::scenario::StoredScenario;
use crate::seed;

use databases::Databases;
use execute::Order;
use files::prepare_out;
use majors::EachMajor;
use phases::FullTrial;
use postgres::Postgres;
use shared::Run;

pub use again::{Stored, stored, stored_with_timelines};
pub use between::Between;
pub use costs::Costs;
pub use effects::{
    Catalogue, Claim, Disturbances, Doing, Effects, Identities, Invariants, OnReplica, Operator,
    Origin, Reach, Sampling, States, Tables, Traffic, TrialDatabase,
};
pub use ending::{ExitStatus, ending};
pub use error::{Error, Fault};
pub use expand::{AxisValue, AxisValues, MatrixSpec, RetrySpec, TrialSpec, expand, product};
pub use files::HISTORY_FILE;
pub use foreseen::{Foreseen, foreseen};
pub use infer::{Base, DatabaseUrl, InferRequest, InferredScenario, RowsRequest, infer};
pub use like::{Like, Source};
pub use merge::merge;
pub use plan::{Plan, WorkUnit, units_of};
pub use queries::{OwnQueries, OwnSource};
pub use repro::{Repro, environment, first_unexpected, repro, reproduced};
pub use request::{
    CloneCommands, QUICK_ROWS, Request, RetryRequest, Share, SizeRequest, Work, asked_rows,
};
pub use shared::{Judged, OnJudged};

/// Longest wait for an interrupted trial's databases to go.
const DROP_TIMEOUT: Duration = Duration::from_secs(10);

/// Runs everything that the request asks for.
///
/// # Errors
/// The request cannot be carried out, or the environment fails; what was judged is kept.
pub async fn run(
    request: &Request,
    listener: &Listener,
    on_judged: &OnJudged,
    cancel: &CancellationToken,
) -> Result<ResultFile, Error> {
    let plan = Plan::of(request)?;
    if plan.needs_pooler() {
        provision::find_pooler()?;
    }
    if request.other_majors.is_empty() {
        return on_one(request, plan, listener, on_judged, cancel).await;
    }
    let units = plan.units.iter().map(WorkUnit::count).sum();
    let blank = blank(request, &plan)?;
    let run_one: majors::RunOne<'_> = &|request, listener| {
        let (on_judged, cancel) = (Arc::clone(on_judged), cancel.clone());
        Box::pin(
            async move { on_one(request, Plan::of(request)?, listener, &on_judged, &cancel).await },
        )
    };
    EachMajor { request, blank: &blank, units, run_one }.run(listener).await
}

/// On the one server that the request names.
async fn on_one(
    request: &Request,
    plan: Plan,
    listener: &Listener,
    on_judged: &OnJudged,
    cancel: &CancellationToken,
) -> Result<ResultFile, Error> {
    let effects = Postgres::of(request.clones.as_ref());
    let outcome = run_plan(&effects, request, plan, listener, on_judged, cancel).await;
    effects.concluded(outcome, listener).await
}

/// Runs the plan, in the world that `effects` act on.
///
/// # Errors
/// As [`run`].
pub async fn run_plan(
    effects: &dyn Effects,
    request: &Request,
    plan: Plan,
    listener: &Listener,
    on_judged: &OnJudged,
    cancel: &CancellationToken,
) -> Result<ResultFile, Error> {
    let result = Mutex::new(blank(request, &plan)?);
    standbys_can_be_made(request, &plan)?;
    let out = request.out.as_deref().map(prepare_out).transpose()?;
    let mut server = tokio::select! {
        server = effects.provision(&request.server, listener) => server?,
        () = cancel.cancelled() => return Err(Error::Interrupted),
    };
    let claimed = tokio::select! {
        claimed = effects.claim(&*server, listener) => claimed,
        () = cancel.cancelled() => Err(Error::Interrupted),
    };
    let databases = match claimed {
        Ok(claim) => Databases::of(claim),
        Err(error) => {
            // The first error is the one to tell.
            let _ = server.stop().await;
            return Err(error);
        }
    };
    let run = Run {
        effects,
        request,
        cancel,
        out: out.as_deref(),
        listener,
        on_judged,
        databases: &databases,
        result,
        rates: Mutex::default(),
    };
    let ended = tokio::select! {
        ended = run.all(&mut *server, &plan.units) => ended,
        () = cancel.cancelled() => Err(Error::Interrupted),
    };
    // What is left of an interrupted run goes with us, whose server it may be.
    let address = server.address();
    let drop_all = async {
        databases.drop_all(effects, &address).await;
        // What cannot be dropped now, the next start sweeps.
        let _ = effects.abandon(&address).await;
    };
    let _ = tokio::time::timeout(DROP_TIMEOUT, drop_all).await;
    let stopped = server.stop().await;
    ended?;
    stopped?;
    Ok(run.result.into_inner().unwrap_or_else(PoisonError::into_inner))
}

impl Run<'_> {
    async fn all(&self, server: &mut dyn Server, units: &[WorkUnit]) -> Result<(), Error> {
        for unit in units {
            if let WorkUnit::Trials(specs) = unit {
                specs.iter().try_for_each(|spec| self.fits_the_disk(&*server, spec))?;
            }
        }
        // Whatever ends the run from here on, what was planned is known.
        self.keep(|_| {})?;
        let of = units.iter().map(WorkUnit::count).sum();
        let mut number = 0;
        for unit in units {
            match unit {
                WorkUnit::Trials(specs) => self.trials(server, specs, &mut number, of).await?,
                WorkUnit::Matrix(spec) => {
                    number += 1;
                    let scenario = format!("{}: crash matrix", spec.base.label());
                    (self.listener)(Progress::Trial { scenario, number, of });
                    let matrix = crash::matrix(self, server, spec).await?;
                    (self.on_judged)(Judged::Matrix(&matrix));
                    self.keep(|result| result.crash_matrices.push(matrix))?;
                }
                WorkUnit::Retries(spec) => {
                    number += 1;
                    let scenario = format!("{}: retries", spec.base.label());
                    (self.listener)(Progress::Trial { scenario, number, of });
                    let odds = retries::retries(self, server, spec).await?;
                    (self.on_judged)(Judged::Retries(&odds));
                    self.keep(|result| result.retries.push(odds))?;
                }
            }
        }
        // A share of nothing is a result too.
        self.keep(|result| result.finished = true)
    }

    /// One scenario from each of its states, the reference first.
    async fn trials(
        &self,
        server: &mut dyn Server,
        specs: &[TrialSpec],
        number: &mut usize,
        of: usize,
    ) -> Result<(), Error> {
        let specs = self.rated(server, specs).await?;
        let mut reference = None;
        for (index, spec) in specs.iter().enumerate() {
            *number += 1;
            let progress = Progress::Trial { scenario: spec.label(), number: *number, of };
            (self.listener)(progress);
            let history = self.trial(server, spec).await?;
            let observation = observe(&spec.scenario, &history);
            let against = match (index, &reference) {
                (0, _) => Against::Nothing,
                (_, Some(end)) => Against::End(end),
                (_, None) => Against::Unfinished,
            };
            let end = observation.end.clone();
            let judgement = explain(assess::trial(&spec.scenario, observation, against));
            if index == 0 {
                reference = end;
            }
            (self.on_judged)(Judged::Trial(&judgement));
            self.keep(|result| result.trials.push(judgement))?;
        }
        Ok(())
    }

    /// Server settings, seed, trial.
    async fn trial(&self, server: &mut dyn Server, spec: &TrialSpec) -> Result<History, Error> {
        server.apply_settings(&spec.scenario.server).await?;
        let origin = self.effects.origin(server, spec, self.listener).await?;
        let wanted = spec.standby();
        let standby = server.follow(wanted.as_ref()).await?;
        let standby = standby.as_ref();
        let executor = self.executor(server);
        let output = self.out.map(|out| out.join(spec.path()));
        let (listener, output) = (self.listener, output.as_deref());
        let short = origin.short();
        let order = Order { spec, origin: &origin, short, listener, output, standby };
        executor.execute(order, &FullTrial).await
    }

    fn fits_the_disk(&self, server: &dyn Server, spec: &TrialSpec) -> Result<(), Error> {
        if spec.is_empty_database() {
            return Ok(());
        }
        let Some(directory) = server.data_directory() else { return Ok(()) };
        let Some(free) = provision::free_disk_bytes(&directory) else { return Ok(()) };
        // The template, the trial's copy, and as much again for what the change writes.
        let needed = seed::estimated_bytes(&spec.seed()).saturating_mul(3);
        if needed > free {
            let scenario = spec.scenario.name.clone();
            return Err(Error::Disk { scenario, needed, free, directory });
        }
        Ok(())
    }
}

/// A standby is made of a server of ours only.
fn standbys_can_be_made(request: &Request, plan: &Plan) -> Result<(), Error> {
    let of = match (&request.server.source, &request.clones) {
        (_, Some(_)) => "a clone",
        (SourceRequest::Url(_) | SourceRequest::Unvouched { .. }, None) => "an external server",
        (_, None) => return Ok(()),
    };
    let specs = plan.units.iter().flat_map(|unit| match unit {
        WorkUnit::Trials(specs) => specs.as_slice(),
        WorkUnit::Matrix(_) | WorkUnit::Retries(_) => &[],
    });
    match specs.into_iter().find(|spec| spec.standby().is_some()) {
        Some(spec) => Err(Error::NoStandby { place: spec.standby_place(), of }),
        None => Ok(()),
    }
}

/// result.json as it is before the first result.
fn blank(request: &Request, plan: &Plan) -> Result<ResultFile, Error> {
    let mut scenarios = BTreeMap::new();
    for scenario in &plan.scenarios {
        let value = StoredScenario::from(scenario);
        scenarios.insert(scenario.name.clone(), value);
    }
    Ok(ResultFile {
        plan: plan.names.clone(),
        planned: plan.planned(),
        shard: request.share.as_ref().map(|share| share.shard),
        crash: request.crash.clone(),
        answers: request.answers,
        at: asked_rows(&request.at),
        scenarios,
        finished: false,
        ..ResultFile::empty()
    })
}
