//! `run`, `try` and `judge`.

use std::sync::{Arc, Mutex, PoisonError};

use tokio_util::sync::CancellationToken;

use crate::judge::Judgement;
use crate::migrate;
use crate::report::{self, Live, Mode};
use crate::run::{self, Ending, Error, Fault, OnJudged, Request};
use crate::scenario::Scenario;

use super::args::{JudgeArguments, RunArguments, TrialArguments, TryArguments};
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
    let ending = run_trials(loaded, &arguments.trials).await;
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
        let missing = scenario.change.command.as_ref().and_then(migrate::command::missing);
        let why = |name: &str| format!("{}: {name} is not on PATH", scenario.name);
        left_out.extend(missing.map(why));
        missing.is_none()
    });
    left_out
}

/// One scenario with another change.
pub async fn try_out(arguments: &TryArguments) -> Ending {
    match tried::scenario(arguments) {
        Ok(loaded) => run_trials(loaded, &arguments.trials).await,
        Err(ending) => ending,
    }
}

async fn run_trials(loaded: Loaded, arguments: &TrialArguments) -> Ending {
    let request = match request(loaded.scenarios, arguments) {
        Ok(request) => request,
        Err(ending) => return ending,
    };
    let live = Live::start(if arguments.quiet { Mode::Quiet } else { Mode::Auto });
    let shown = Arc::clone(&live);
    let judged = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&judged);
    let on_judged: OnJudged = Arc::new(move |judgement| {
        shown.print(&report::trial(judgement));
        seen.lock().unwrap_or_else(PoisonError::into_inner).push(judgement.clone());
    });
    let cancel = cancelled_by_signals();
    let outcome = run::run(&request, &live.listener(), &on_judged, &cancel).await;
    live.end();
    // Until here a command may have run in it.
    drop(loaded.unpacked);
    match outcome {
        Ok(judgements) => conclude(&judgements, request.out.as_deref()),
        Err(error) => {
            // What was judged before the run broke is still true.
            let judged = judged.lock().unwrap_or_else(PoisonError::into_inner);
            if !judged.is_empty() {
                anstream::println!("{}\n", report::verdicts(&judged));
            }
            ending_of(&error)
        }
    }
}

fn request(mut scenarios: Vec<Scenario>, arguments: &TrialArguments) -> Result<Request, Ending> {
    if let Some(rng_seed) = arguments.rng_seed {
        scenarios.iter_mut().for_each(|scenario| scenario.rng_seed = rng_seed);
    }
    let server = arguments.server.request().map_err(|error| {
        complain(&error);
        Ending::BadInput
    })?;
    Ok(Request { scenarios, sizes: arguments.sizes(), server, out: arguments.out.clone() })
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

fn conclude(judgements: &[Judgement], out: Option<&std::path::Path>) -> Ending {
    anstream::println!("{}", report::verdicts(judgements));
    if let Some(out) = out {
        anstream::println!("\nhistories and result.json are in {}", out.display());
    }
    run::ending(judgements)
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
        Ok(judgements) => {
            for judgement in &judgements {
                anstream::println!("{}", report::trial(judgement));
            }
            conclude(&judgements, None)
        }
        Err(error) => ending_of(&error),
    }
}
