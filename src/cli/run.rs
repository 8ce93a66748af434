//! `run`, `try`, `crash` and `judge`.

use std::sync::{Arc, Mutex, PoisonError};

use tokio_util::sync::CancellationToken;

use crate::migrate;
use crate::report::{self, Live, Mode};
use crate::run::{
    self, CrashRequest, Ending, Error, Fault, Judged, OnJudged, Request, Results, Work,
};
use crate::scenario::Scenario;

use super::args::{
    CrashArguments, JudgeArguments, RunArguments, TrialArguments, Tried, TryArguments, Which,
};
use super::scenarios::Loaded;
use super::{complain, scenarios, tried};

pub async fn run(arguments: &RunArguments) -> Ending {
    let mut loaded = match scenarios::load(&arguments.which) {
        Ok(loaded) => loaded,
        Err(ending) => return ending,
    };
    let left_out = leave_out(&mut loaded.scenarios);
    if !left_out.is_empty()
        && (!arguments.which.scenarios.is_empty() || loaded.scenarios.is_empty())
    {
        left_out.iter().for_each(|why| complain(&format!("run {why}")));
        return Ending::Failed;
    }
    let asked = Asked { state: arguments.state.clone(), ..Asked::default() };
    let ending = run_trials(loaded, &arguments.trials, asked).await;
    // Who hears why nothing was run at all need not hear of more.
    if !matches!(ending, Ending::BadInput | Ending::Failed | Ending::Interrupted) {
        for why in &left_out {
            anstream::println!("not run: {why}");
        }
    }
    ending
}

/// Takes out the scenarios whose command needs a program that is not here, and says why. Whoever
/// runs all of them need not have every migration tool.
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

/// One scenario with another change.
pub async fn try_out(arguments: &TryArguments) -> Ending {
    match tried::scenario(arguments) {
        Ok(loaded) => run_trials(loaded, &arguments.trials, Asked::default()).await,
        Err(ending) => ending,
    }
}

/// The crash matrix of one scenario, and nothing else of it.
pub async fn crash(arguments: &CrashArguments) -> Ending {
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
        return Ending::Failed;
    }
    let crash = CrashRequest {
        at_once: arguments.at_once,
        ways: (!arguments.ways.is_empty()).then(|| arguments.ways.clone()),
        statement: arguments.at,
        random: arguments.random,
    };
    let asked = Asked { work: Work::Crash, crash, state: arguments.state.clone() };
    run_trials(loaded, &arguments.trials, asked).await
}

/// What of the scenarios is asked for.
#[derive(Default)]
struct Asked {
    work: Work,
    crash: CrashRequest,
    state: Option<String>,
}

async fn run_trials(loaded: Loaded, arguments: &TrialArguments, asked: Asked) -> Ending {
    let request = match request(loaded.scenarios, arguments, asked) {
        Ok(request) => request,
        Err(ending) => return ending,
    };
    let live = Live::start(if arguments.quiet { Mode::Quiet } else { Mode::Auto });
    let shown = Arc::clone(&live);
    let judged = Arc::new(Mutex::new(Results::default()));
    let seen = Arc::clone(&judged);
    let on_judged: OnJudged = Arc::new(move |judged| {
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        match judged {
            Judged::Trial(judgement) => {
                shown.print(&report::trial(judgement));
                seen.trials.push(judgement.clone());
            }
            Judged::Matrix(matrix) => {
                shown.print(&report::matrix(matrix));
                seen.matrices.push(matrix.clone());
            }
        }
    });
    let cancel = cancelled_by_signals();
    let outcome = run::run(&request, &live.listener(), &on_judged, &cancel).await;
    live.end();
    // Until here a command may have run in it.
    drop(loaded.unpacked);
    match outcome {
        Ok(results) => conclude(&results, request.out.as_deref()),
        Err(error) => {
            // What was judged before the run broke is still true.
            let judged = judged.lock().unwrap_or_else(PoisonError::into_inner);
            if *judged != Results::default() {
                anstream::println!("{}\n", report::verdicts(&judged.trials, &judged.matrices));
            }
            ending_of(&error)
        }
    }
}

fn request(
    mut scenarios: Vec<Scenario>,
    arguments: &TrialArguments,
    asked: Asked,
) -> Result<Request, Ending> {
    if let Some(rng_seed) = arguments.rng_seed {
        scenarios.iter_mut().for_each(|scenario| scenario.rng_seed = rng_seed);
    }
    let server = arguments.server.request().map_err(|error| {
        complain(&error);
        Ending::BadInput
    })?;
    let (sizes, out) = (arguments.sizes(), arguments.out.clone());
    let Asked { work, crash, state } = asked;
    Ok(Request { scenarios, work, crash, state, sizes, server, out })
}

/// SIGINT and SIGTERM end the run in good order.
fn cancelled_by_signals() -> CancellationToken {
    use tokio::signal::unix::{SignalKind, signal};
    let cancel = CancellationToken::new();
    let cancelled = cancel.clone();
    tokio::spawn(async move {
        let (Ok(mut int), Ok(mut term)) =
            (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
        else {
            return;
        };
        tokio::select! {
            _ = int.recv() => {}
            _ = term.recv() => {}
        }
        cancelled.cancel();
    });
    cancel
}

fn conclude(results: &Results, out: Option<&std::path::Path>) -> Ending {
    anstream::println!("{}", report::verdicts(&results.trials, &results.matrices));
    if let Some(out) = out {
        anstream::println!("\nhistories and result.json are in {}", out.display());
    }
    run::ending(results)
}

fn ending_of(error: &Error) -> Ending {
    complain(error);
    match error.fault() {
        Fault::Input => Ending::BadInput,
        Fault::Environment => Ending::Failed,
        Fault::Interrupted => Ending::Interrupted,
    }
}

pub fn judge(arguments: &JudgeArguments) -> Ending {
    match run::judge_again(&arguments.directory) {
        Ok(results) => {
            for judgement in &results.trials {
                anstream::println!("{}", report::trial(judgement));
            }
            for matrix in &results.matrices {
                anstream::println!("{}", report::matrix(matrix));
            }
            conclude(&results, None)
        }
        Err(error) => ending_of(&error),
    }
}
