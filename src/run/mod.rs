//! Knows the order of the phases, and nothing else does: server, seed, trials, judgement, files.
//!
//! A run is all trials of one call. What happens inside a stage is the stage's own business; how
//! an outcome looks is the report's.

mod error;
mod recovery;
mod request;
mod trial;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::history::{Header, History, Listener, Progress, Recorder, TrialFacts};
use crate::judge::{Judgement, judge};
use crate::provision::{self, Server};
use crate::report::ResultFile;
use crate::scenario::{self, Scenario, Sizes, Verdict};
use crate::seed;

pub use error::{Error, Fault};
pub use request::{Ending, Request, SizeRequest};

/// File of a trial's history below its directory in `--out`.
pub const HISTORY_FILE: &str = "history.jsonl";
/// Connections that load a table at once; two cores are kept busy by two.
const LOADERS: usize = 2;

/// Seeds kept on a server hold at most this much; the least recently used go first.
const CACHE_BYTES_MAX: u64 = 100_000_000_000;

/// Longest wait for an interrupted trial's database to go.
const DROP_TIMEOUT: Duration = Duration::from_secs(10);

/// Called with each judgement as it is made.
pub type OnJudged = Arc<dyn Fn(&Judgement) + Send + Sync>;

/// Runs every trial of the request and gives the judgements in the order in which they were made.
pub async fn run(
    request: &Request,
    listener: &Listener,
    on_judged: &OnJudged,
    cancel: &CancellationToken,
) -> Result<Vec<Judgement>, Error> {
    let plan = request.plan()?;
    let out = request.out.as_deref().map(prepare_out).transpose()?;
    let mut server = tokio::select! {
        server = provision::provision(&request.server, listener) => server?,
        () = cancel.cancelled() => return Err(Error::Interrupted),
    };
    let mut current = None;
    let run = Run { plan, out: out.as_deref(), listener, on_judged };
    let ended = tokio::select! {
        ended = run_trials(&mut *server, run, &mut current) => ended,
        () = cancel.cancelled() => Err(Error::Interrupted),
    };
    if let Some(database) = current {
        // Interrupted: what is left of the trial goes with us, on whosever server it is.
        let address = server.address();
        let dropped = seed::drop_database(&address, &database);
        let _ = tokio::time::timeout(DROP_TIMEOUT, dropped).await;
    }
    let stopped = server.stop().await;
    let judgements = ended?;
    stopped?;
    Ok(judgements)
}

/// What the trials of one call share.
struct Run<'a> {
    plan: Vec<(Scenario, Sizes)>,
    out: Option<&'a Path>,
    listener: &'a Listener,
    on_judged: &'a OnJudged,
}

/// `current` is the trial's database while there is one.
async fn run_trials(
    server: &mut dyn Server,
    run: Run<'_>,
    current: &mut Option<String>,
) -> Result<Vec<Judgement>, Error> {
    let Run { plan, out, listener, on_judged } = run;
    for (scenario, sizes) in &plan {
        let sizes = sizes.clone();
        fits_the_disk(&*server, &seed::Plan { scenario, sizes, loaders: LOADERS })?;
    }
    let mut judgements = Vec::new();
    let of = plan.len();
    for (number, (scenario, sizes)) in (1..).zip(plan) {
        let name = scenario.name.clone();
        listener(Progress::Trial { scenario: name, number, of });
        let history = one_trial(server, &scenario, &sizes, out, listener, current).await?;
        let judgement = judge(&scenario, &history);
        on_judged(&judgement);
        judgements.push(judgement);
        if let Some(out) = out {
            ResultFile::new(judgements.clone()).write(out)?;
        }
    }
    Ok(judgements)
}

/// Server settings, seed, copy, trial; the copy is dropped whatever happened in it.
async fn one_trial(
    server: &mut dyn Server,
    scenario: &Scenario,
    sizes: &Sizes,
    out: Option<&Path>,
    listener: &Listener,
    current: &mut Option<String>,
) -> Result<History, Error> {
    server.apply_settings(&scenario.server).await?;
    let plan = seed::Plan { scenario, sizes: sizes.clone(), loaders: LOADERS };
    let facts = server.facts();
    let address = server.address();
    let keeps = server.keeps_databases();
    let template = seed::template(&address, &facts, &plan, keeps, listener).await?;
    for seed in seed::evict(&address, CACHE_BYTES_MAX, &template.key).await? {
        let (database, scenario) = (seed.database, seed.scenario);
        listener(Progress::Note(format!("dropped the seed {database} of {scenario}: cache full")));
    }
    let database = current.insert(trial_database()).clone();
    let copy = seed::copy(&address, &template, &database, facts.version_num).await?;
    let output = out.map(|out| out.join(&scenario.name));
    let recorder = start_history(scenario, sizes, facts, output.as_deref())?;
    let change_address = server.tcp_address().unwrap_or(address.clone()).with_database(&database);
    let setup = trial::Setup {
        scenario,
        sizes,
        address: &copy,
        change_address: &change_address,
        recorder: &recorder,
        listener,
        output: output.as_deref(),
    };
    let ended = trial::run(&setup).await;
    let dropped = seed::drop_database(&address, &database).await;
    *current = None;
    let history = recorder.finish()?;
    ended?;
    dropped?;
    Ok(history)
}

/// Two machines may use one server, and a killed process may have left a database behind.
fn trial_database() -> String {
    let (prefix, pid) = (provision::TRIAL_DATABASE_PREFIX, std::process::id());
    format!("{prefix}{pid}_{:08x}", rand::random::<u32>())
}

fn start_history(
    scenario: &Scenario,
    sizes: &Sizes,
    server: crate::history::ServerFacts,
    output: Option<&Path>,
) -> Result<Recorder, Error> {
    let path = output.map(history_path).transpose()?;
    let header = Header {
        pgauntlet_history: crate::history::VERSION,
        trial: TrialFacts {
            scenario: scenario.name.clone(),
            tool: env!("CARGO_PKG_VERSION").to_owned(),
            started_at: jiff::Timestamp::now().to_string(),
            rng_seed: scenario.rng_seed,
            state: scenario::State::base().name,
            death: None,
            sizes: sizes.0.clone(),
            server,
        },
        scenario: serde_json::to_value(scenario).map_err(Error::Scenario)?,
    };
    Ok(Recorder::start(Clock::start(), header, path.as_deref())?)
}

fn history_path(directory: &Path) -> Result<PathBuf, Error> {
    std::fs::create_dir_all(directory).map_err(|e| Error::out(directory, e))?;
    Ok(directory.join(HISTORY_FILE))
}

/// The directory is there, writable and empty.
fn prepare_out(out: &Path) -> Result<PathBuf, Error> {
    std::fs::create_dir_all(out).map_err(|e| Error::out(out, e))?;
    let mut entries = std::fs::read_dir(out).map_err(|e| Error::out(out, e))?;
    if entries.next().is_some() {
        return Err(Error::OutTaken { path: out.to_owned() });
    }
    let probe = out.join(".pgauntlet-writable");
    std::fs::write(&probe, b"").map_err(|e| Error::out(out, e))?;
    std::fs::remove_file(&probe).map_err(|e| Error::out(out, e))?;
    Ok(out.to_owned())
}

fn fits_the_disk(server: &dyn Server, plan: &seed::Plan<'_>) -> Result<(), Error> {
    let Some(directory) = server.data_directory() else { return Ok(()) };
    let Some(free) = provision::free_disk_bytes(&directory) else { return Ok(()) };
    // The template, the trial's copy, and as much again for what the change writes.
    let needed = seed::estimated_bytes(plan).saturating_mul(3);
    if needed > free {
        let scenario = plan.scenario.name.clone();
        return Err(Error::Disk { scenario, needed, free, directory });
    }
    Ok(())
}

/// Judges stored histories again: a directory of `--out`, or one trial's.
pub fn judge_again(directory: &Path) -> Result<Vec<Judgement>, Error> {
    let mut files = Vec::new();
    let own = directory.join(HISTORY_FILE);
    if own.exists() {
        files.push(own);
    } else {
        let entries = std::fs::read_dir(directory).map_err(|e| Error::out(directory, e))?;
        let paths = entries.flatten().map(|entry| entry.path().join(HISTORY_FILE));
        files.extend(paths.filter(|path| path.exists()));
    }
    if files.is_empty() {
        return Err(Error::NoHistory { path: directory.to_owned() });
    }
    let mut judgements = Vec::new();
    for file in files {
        let history = History::read(&file)?;
        let scenario = serde_json::from_value(history.header.scenario.clone());
        judgements.push(judge(&scenario.map_err(Error::Scenario)?, &history));
    }
    judgements.sort_by(|a, b| a.trial.started_at.cmp(&b.trial.started_at));
    Ok(judgements)
}

/// What the judgements amount to together.
pub fn ending(judgements: &[Judgement]) -> Ending {
    if judgements.iter().any(|j| !j.as_expected && j.verdict != Verdict::Unproven) {
        Ending::NotAsExpected
    } else if judgements.iter().any(|j| !j.as_expected) {
        Ending::Unproven
    } else {
        Ending::AsExpected
    }
}
