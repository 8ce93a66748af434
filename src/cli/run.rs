//! `run`, `try`, `crash` and `judge`.

use std::sync::{Arc, Mutex, PoisonError};

use crate::explain;
use crate::migrate;
use crate::report::{self, Live, Mode};
use crate::result::{CrashRequest, ResultFile};
use crate::run::{self, Costs, Error, ExitStatus, Judged, OnJudged, Request, Share, Work};
use crate::scenario::Scenario;

use super::args::{
    CrashArguments, Format, JudgeArguments, RunArguments, TrialArguments, Tried, Which,
};
use super::ending::{cancelled_by_signals, ending_of};
use super::scenarios::Loaded;
use super::{complain, remark, scenarios, show, tried, width};

pub async fn run(arguments: &RunArguments) -> ExitStatus {
    let mut loaded = match scenarios::load(&arguments.which) {
        Ok(loaded) => loaded,
        Err(ending) => return ending,
    };
    let left_out = leave_out(&mut loaded.scenarios);
    if !left_out.is_empty()
        && (!arguments.which.scenarios.is_empty() || loaded.scenarios.is_empty())
    {
        left_out.iter().for_each(|why| complain(&format!("run {why}")));
        return ExitStatus::Failed;
    }
    let share = match share(arguments) {
        Ok(share) => share,
        Err(error) => return ending_of(&error),
    };
    let (state, repeat) = (arguments.state.clone(), arguments.repeat);
    let asked = Asked { state, repeat, share, ..Asked::default() };
    let ending = run_trials(loaded, &arguments.trials, asked).await;
    // Who hears why nothing was run at all need not hear of more.
    if !matches!(ending, ExitStatus::BadInput | ExitStatus::Failed | ExitStatus::Interrupted) {
        for why in &left_out {
            match arguments.trials.format {
                Format::Text => show(&format!("not run: {why}")),
                Format::Json => remark(&format!("not run: {why}")),
            }
        }
    }
    ending
}

/// What of the plan is this process's.
fn share(arguments: &RunArguments) -> Result<Option<Share>, Error> {
    let Some(shard) = arguments.shard else { return Ok(None) };
    let costs = match &arguments.costs {
        Some(path) => Costs::of(&ResultFile::read(path)?),
        None => Costs::default(),
    };
    Ok(Some(Share { shard, costs }))
}

/// Takes out the scenarios whose command needs a program that is not here, and says why. A user
/// who runs all of them need not have every migration tool.
fn leave_out(scenarios: &mut Vec<Scenario>) -> Vec<String> {
    let mut left_out = Vec::new();
    scenarios.retain(|scenario| {
        let paths = scenario.states.iter().filter_map(|state| state.path.as_ref());
        let changes = std::iter::once(&scenario.change).chain(paths);
        let mut commands = changes.filter_map(|change| change.command.as_ref());
        let missing = commands.find_map(migrate::command::missing);
        let why = |name: &str| format!("{}: {name} is not on PATH", scenario.name);
        left_out.extend(missing.map(why));
        missing.is_none()
    });
    left_out
}

/// The crash matrix of one scenario, and nothing else of it.
pub async fn crash(arguments: &CrashArguments) -> ExitStatus {
    let tried =
        Tried { migrations: arguments.migrations.clone(), command: arguments.command.clone() };
    let which = Which {
        scenarios: vec![arguments.scenario.clone()],
        scenarios_dir: arguments.scenarios_dir.clone(),
    };
    let loaded = match tried.migrations.is_some() || tried.command.is_some() {
        true => tried::crashed(arguments, &tried),
        false => scenarios::load(&which),
    };
    let mut loaded = match loaded {
        Ok(loaded) => loaded,
        Err(ending) => return ending,
    };
    if let Some(why) = leave_out(&mut loaded.scenarios).first() {
        complain(&format!("run {why}"));
        return ExitStatus::Failed;
    }
    let crash = CrashRequest {
        at_once: arguments.at_once,
        faults: (!arguments.faults.is_empty()).then(|| arguments.faults.clone()),
        statement: arguments.at,
        random: arguments.random,
    };
    let state = arguments.state.clone();
    let asked = Asked { work: Work::Crash, crash, state, ..Asked::default() };
    run_trials(loaded, &arguments.trials, asked).await
}

/// What of the scenarios is asked for.
#[derive(Default)]
pub struct Asked {
    pub work: Work,
    pub crash: CrashRequest,
    pub state: Option<String>,
    pub repeat: u32,
    pub share: Option<Share>,
    /// The scenarios have the rows that were asked for already.
    pub rows_are_made: bool,
}

pub async fn run_trials(loaded: Loaded, arguments: &TrialArguments, asked: Asked) -> ExitStatus {
    let request = match request(loaded.scenarios, arguments, asked) {
        Ok(request) => request,
        Err(ending) => return ending,
    };
    let ending = execute(&request, arguments.quiet, arguments.format).await;
    // Until here a command may have run in it.
    drop(loaded.unpacked);
    ending
}

/// Runs what is asked for, with a live view, and tells what came of it.
pub async fn execute(request: &Request, quiet: bool, format: Format) -> ExitStatus {
    match with_live_view(request, quiet, format).await {
        Ok(result) => {
            conclude(&result, request.out.as_deref(), format);
            run::ending(&result)
        }
        Err(error) => ending_of(&error),
    }
}

/// A judgement is reported as soon as it is there: it is true even where the run breaks later.
pub async fn with_live_view(
    request: &Request,
    quiet: bool,
    format: Format,
) -> Result<ResultFile, Error> {
    let live = Live::start(if quiet { Mode::Quiet } else { Mode::Auto });
    let shown = Arc::clone(&live);
    let judged = Arc::new(Mutex::new(ResultFile::empty()));
    let seen = Arc::clone(&judged);
    let on_judged: OnJudged = Arc::new(move |judged| {
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        let text = match judged {
            Judged::Trial(judgement) => {
                seen.trials.push(judgement.clone());
                report::trial(judgement, width())
            }
            Judged::Matrix(matrix) => {
                seen.crash_matrices.push(matrix.clone());
                report::matrix(matrix, width())
            }
        };
        if format == Format::Text {
            shown.print(&text);
        }
    });
    let cancel = cancelled_by_signals();
    let outcome = run::run(request, &live.listener(), &on_judged, &cancel).await;
    live.end();
    if outcome.is_err() {
        let mut judged = judged.lock().unwrap_or_else(PoisonError::into_inner);
        if *judged != ResultFile::empty() {
            judged.finished = false;
            explain::assessed(&mut judged);
            conclude(&judged, None, format);
        }
    }
    outcome
}

fn request(
    mut scenarios: Vec<Scenario>,
    arguments: &TrialArguments,
    asked: Asked,
) -> Result<Request, ExitStatus> {
    if let Some(rng_seed) = arguments.rng_seed {
        scenarios.iter_mut().for_each(|scenario| scenario.rng_seed = rng_seed);
    }
    let server = arguments.server.request().map_err(|error| {
        complain(&error);
        ExitStatus::BadInput
    })?;
    let (mut sizes, out) = (arguments.sizes(), arguments.out.clone());
    let Asked { work, crash, state, repeat, share, rows_are_made } = asked;
    if rows_are_made {
        sizes.rows.clear();
    }
    Ok(Request { scenarios, work, crash, state, repeat, share, sizes, server, out })
}

fn conclude(result: &ResultFile, out: Option<&std::path::Path>, format: Format) {
    if format == Format::Json {
        return anstream::println!("{}", report::json(result));
    }
    show(report::changes(result, width()).trim_end_matches('\n'));
    show(&report::verdicts(&result.trials, &result.crash_matrices, width()));
    if let Some(out) = out {
        let out = out.display();
        show(&format!("\nhistories and result.json are in {out}"));
        if let Some(number) = run::first_unexpected(result) {
            let command = report::repro_command(&out.to_string(), number);
            show(&format!("again: {command}"));
        }
    }
}

pub fn judge(arguments: &JudgeArguments) -> ExitStatus {
    match run::stored(&arguments.directory) {
        Ok(run::Stored { result, broken, .. }) => {
            show(&report::text(&result, width()));
            broken.iter().for_each(|error| complain(error));
            run::ending(&result)
        }
        Err(error) => ending_of(&error),
    }
}
