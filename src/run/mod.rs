//! Knows the order of the phases, and nothing else does: server, seed, trials, judgement, files.
//!
//! A run is all trials and crash matrices of one call. What happens inside a stage is the stage's
//! own business; how an outcome looks is the report's.

mod again;
mod crash;
mod databases;
mod error;
mod files;
mod merge;
mod names;
mod plan;
mod recovery;
mod repro;
mod request;
mod state;
mod trial;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::explain::explain;
use crate::history::{Event, History, Listener, Progress, Reference};
use crate::judge::judge;
use crate::provision::{self, Server};
use crate::result::{Judgement, Matrix, ResultFile};
use crate::scenario::{Ground, Verdict};
use crate::seed;

use databases::Databases;
use files::{Facts, prepare_out, start_history};
use plan::{Piece, PieceWork};
use state::Start;
use trial::{Against, Place};

pub use again::{Stored, stored, stored_with_courses};
pub use error::{Error, Fault};
pub use files::HISTORY_FILE;
pub use merge::merge;
pub use plan::Costs;
pub use repro::{Repro, environment, first_unexpected, repro, reproduced};
pub use request::{Ending, Request, Share, SizeRequest, Work};

/// Where a scenario's cells are kept below its directory in `--out`.
const CRASH_DIRECTORY: &str = "crash";
/// Below it, the runs in which nothing dies.
const UNDISTURBED: &str = "undisturbed";
const UNDISTURBED_AGAIN: &str = "undisturbed-again";
/// Longest wait for an interrupted trial's databases to go.
const DROP_TIMEOUT: Duration = Duration::from_secs(10);

/// A result, as soon as it is there.
#[derive(Clone, Copy)]
pub enum Judged<'a> {
    Trial(&'a Judgement),
    Matrix(&'a Matrix),
}

pub type OnJudged = Arc<dyn Fn(Judged<'_>) + Send + Sync>;

/// Runs everything that the request asks for.
pub async fn run(
    request: &Request,
    listener: &Listener,
    on_judged: &OnJudged,
    cancel: &CancellationToken,
) -> Result<ResultFile, Error> {
    let plan = request.plan()?;
    let result = blank(request, &plan)?;
    let pieces = request.share_of(plan);
    let out = request.out.as_deref().map(prepare_out).transpose()?;
    let mut server = tokio::select! {
        server = provision::provision(&request.server, listener) => server?,
        () = cancel.cancelled() => return Err(Error::Interrupted),
    };
    let databases = Databases::default();
    let run = Run {
        request,
        cancel,
        out: out.as_deref(),
        listener,
        on_judged,
        databases: &databases,
        result,
    };
    let ended = tokio::select! {
        ended = run.all(&mut *server, pieces) => ended,
        () = cancel.cancelled() => Err(Error::Interrupted),
    };
    // What is left of an interrupted run goes with us, on whosever server it is.
    let address = server.address();
    let _ = tokio::time::timeout(DROP_TIMEOUT, databases.drop_all(&address)).await;
    let stopped = server.stop().await;
    let result = ended?;
    stopped?;
    Ok(result)
}

/// What the trials and matrices of one call share.
struct Run<'a> {
    request: &'a Request,
    cancel: &'a CancellationToken,
    out: Option<&'a Path>,
    listener: &'a Listener,
    on_judged: &'a OnJudged,
    databases: &'a Databases,
    /// As far as it goes.
    result: ResultFile,
}

impl Run<'_> {
    async fn all(
        mut self,
        server: &mut dyn Server,
        pieces: Vec<Piece>,
    ) -> Result<ResultFile, Error> {
        for piece in &pieces {
            if let PieceWork::Trials(starts) = &piece.work {
                starts.iter().try_for_each(|start| self.fits_the_disk(&*server, start))?;
            }
        }
        let of = pieces.iter().map(Piece::count).sum();
        let mut number = 0;
        for piece in &pieces {
            match &piece.work {
                PieceWork::Trials(starts) => {
                    self.trials(server, starts, &mut number, of).await?;
                }
                PieceWork::Matrix(start) => {
                    number += 1;
                    let scenario = format!("{}: crash matrix", start.scenario.name);
                    (self.listener)(Progress::Trial { scenario, number, of });
                    let matrix = crash::matrix(&self, server, start).await?;
                    (self.on_judged)(Judged::Matrix(&matrix));
                    self.result.crash_matrices.push(matrix);
                    self.keep()?;
                }
            }
        }
        // A share of nothing is a result too.
        self.result.finished = true;
        self.keep()?;
        Ok(self.result)
    }

    /// One scenario from each of its states, the reference first.
    async fn trials(
        &mut self,
        server: &mut dyn Server,
        starts: &[Start],
        number: &mut usize,
        of: usize,
    ) -> Result<(), Error> {
        let mut reference = None;
        for (index, start) in starts.iter().enumerate() {
            *number += 1;
            let progress = Progress::Trial { scenario: start.name(), number: *number, of };
            (self.listener)(progress);
            let against = match index {
                0 => Against::Nothing,
                _ => reference.as_ref().map_or(Against::Missing, Against::Reference),
            };
            let history = self.trial(server, start, against).await?;
            let judgement = explain(judge(&start.scenario, &history));
            if index == 0 {
                reference = ended_with(&history);
            }
            (self.on_judged)(Judged::Trial(&judgement));
            self.result.trials.push(judgement);
            self.keep()?;
        }
        Ok(())
    }

    /// Server settings, seed, copy, trial; the copy is dropped whatever happened in it.
    async fn trial(
        &self,
        server: &mut dyn Server,
        start: &Start,
        against: Against<'_>,
    ) -> Result<History, Error> {
        server.apply_settings(&start.scenario.server).await?;
        let listener = self.listener;
        let template = state::template(&*server, start, listener).await?;
        let database = self.databases.name();
        let made = state::make(&*server, start, template.as_ref(), &database, listener).await;
        let output = self.out.map(|out| files::directory(out, start));
        let facts = Facts { start, server: server.facts(), death: None };
        let ended = match made {
            Ok(address) => {
                let recorder = start_history(facts, output.as_deref())?;
                let change_address = state::change_address(&*server, &address, &database);
                let place = Place {
                    address: &address,
                    change_address: &change_address,
                    recorder: &recorder,
                    listener,
                    output: output.as_deref(),
                };
                let ended = trial::run(&trial::Setup { start, against, place: &place }).await;
                ended.and(recorder.finish().map_err(Error::from))
            }
            // The state could not be reached: this trial says nothing, others may.
            Err(error @ Error::State { .. }) => {
                let recorder = start_history(facts, output.as_deref())?;
                let stage = "bringing the database into its starting state".to_owned();
                let message = error.to_string();
                recorder.record(Event::MeasurementFailed { stage, message });
                recorder.finish().map_err(Error::from)
            }
            Err(error) => Err(error),
        };
        let dropped = self.databases.drop(&server.address(), &database).await;
        let history = ended?;
        dropped?;
        Ok(history)
    }

    /// Writes result.json as far as it goes.
    fn keep(&self) -> Result<(), Error> {
        if let Some(out) = self.out {
            self.result.write(out)?;
        }
        Ok(())
    }

    fn fits_the_disk(&self, server: &dyn Server, start: &Start) -> Result<(), Error> {
        if start.state.from == Ground::Empty {
            return Ok(());
        }
        let Some(directory) = server.data_directory() else { return Ok(()) };
        let Some(free) = provision::free_disk_bytes(&directory) else { return Ok(()) };
        // The template, the trial's copy, and as much again for what the change writes.
        let needed = seed::estimated_bytes(&start.seed()).saturating_mul(3);
        if needed > free {
            let scenario = start.scenario.name.clone();
            return Err(Error::Disk { scenario, needed, free, directory });
        }
        Ok(())
    }
}

/// result.json as it is before the first result.
fn blank(request: &Request, plan: &[Piece]) -> Result<ResultFile, Error> {
    let mut scenarios = BTreeMap::new();
    for start in plan.iter().filter_map(Piece::first) {
        let value = serde_json::to_value(&start.scenario).map_err(Error::Scenario)?;
        scenarios.insert(start.scenario.name.clone(), value);
    }
    Ok(ResultFile {
        plan: plan.iter().map(|piece| piece.name.clone()).collect(),
        shard: request.share.as_ref().map(|share| share.shard),
        crash: request.crash.clone(),
        scenarios,
        finished: false,
        ..ResultFile::empty()
    })
}

/// What later trials are compared with; None where the change never came to its end.
fn ended_with(history: &History) -> Option<Reference> {
    use crate::history::AttemptEnd::Finished;
    let finished =
        |event: &Event| matches!(event, Event::AttemptEnded { end: Finished { .. }, .. });
    let events = || history.entries.iter().map(|entry| &entry.event);
    events().any(finished).then_some(())?;
    let last = events().rev().find_map(|event| match event {
        Event::Catalogue(snapshot) => Some(snapshot),
        _ => None,
    })?;
    Some(Reference {
        state: history.header.trial.state.clone(),
        objects: last.objects.clone(),
        versions: last.versions.clone(),
        tables: Default::default(),
        grown: Default::default(),
    })
}

/// What a result amounts to. What a run that broke off has not looked at is unproven.
pub fn ending(result: &ResultFile) -> Ending {
    let trials = result.trials.iter().map(|j| (j.verdict, j.as_expected));
    let all = trials.chain(result.crash_matrices.iter().map(|m| (m.verdict, m.as_expected)));
    let wrong: Vec<Verdict> = all.filter(|(_, expected)| !expected).map(|(v, _)| v).collect();
    if wrong.iter().any(|verdict| *verdict != Verdict::Unproven) {
        Ending::NotAsExpected
    } else if !wrong.is_empty() || !result.finished {
        Ending::Unproven
    } else {
        Ending::AsExpected
    }
}
