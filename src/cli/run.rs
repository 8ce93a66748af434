//! `run`, `try`, `crash` and `judge`.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::explain;
use crate::migrate;
use crate::provision::CLONE_SOURCE;
use crate::report::{self, Live, Mode};
use crate::result::{CrashRequest, ResultFile};
use crate::run::{
    self, CloneCommands, Costs, Error, ExitStatus, Judged, OnJudged, Request, RetryRequest, Share,
    Work,
};
use crate::scenario::Scenario;
use crate::stats::grouped;

use super::args::{
    CrashArguments, Format, JudgeArguments, RunArguments, SizeArguments, TrialArguments, Tried,
    Which,
};
use super::ending::{cancelled_by_signals, ending_of};
use super::scenarios::{Loaded, Scope};
use super::{bad_input, complain, remark, scenarios, show, tried, width};

pub async fn run(arguments: &RunArguments) -> ExitStatus {
    let mut loaded = match scenarios::load(&arguments.which, Scope::Groups) {
        Ok(loaded) => loaded,
        Err(ending) => return ending,
    };
    if let Err(ending) = under(&mut loaded, &arguments.conditions) {
        return ending;
    }
    let mut left_out = leave_out(&mut loaded.scenarios);
    if !left_out.is_empty()
        && (!arguments.which.scenarios.is_empty() || loaded.scenarios.is_empty())
    {
        left_out.iter().for_each(|why| complain(&format!("run {why}")));
        return ExitStatus::Failed;
    }
    left_out.extend(loaded.groups.iter().map(|group| scenarios::left_out(group, "run")));
    let share = match share(arguments) {
        Ok(share) => share,
        Err(error) => return ending_of(&error),
    };
    let (state, repeat) = (arguments.state.clone(), arguments.repeat);
    let retry = arguments.retries.request();
    let sizes = arguments.sizes.clone();
    let brief = loaded.scenarios.len() > 1 && !arguments.details;
    // Who names nothing, where there is nothing of their own, may not know what that is.
    let announced = loaded.are_bundled && arguments.which.scenarios.is_empty();
    let asked = Asked { state, repeat, share, retry, sizes, brief, announced, ..Asked::default() };
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

/// The scenarios under these conditions; none: under their own.
pub fn under(loaded: &mut Loaded, conditions: &[String]) -> Result<(), ExitStatus> {
    if conditions.is_empty() {
        return Ok(());
    }
    let scenarios = std::mem::take(&mut loaded.scenarios).into_iter();
    let under: Result<Vec<_>, _> = scenarios.map(|scenario| scenario.under(conditions)).collect();
    loaded.scenarios = under.map_err(bad_input)?;
    Ok(())
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
        false => scenarios::load(&which, Scope::Scenarios),
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
    /// A retry policy whose odds are measured.
    pub retry: Option<RetryRequest>,
    /// What gives a database with rows to each trial.
    pub clones: Option<CloneCommands>,
    /// At which sizes, and which one is asked about.
    pub sizes: SizeArguments,
    /// What is as expected is printed in a line.
    pub brief: bool,
    /// It prints what it takes before it begins.
    pub announced: bool,
    /// One change is tried: what is printed is the answer about it.
    pub answer: Option<Answered>,
}

/// How the answer about one change is printed.
#[derive(Clone, Debug, Default)]
pub struct Answered {
    /// Each trial in full as well.
    pub details: bool,
    /// Where the result is kept, if not by `--out`.
    pub kept: Option<PathBuf>,
}

pub async fn run_trials(loaded: Loaded, arguments: &TrialArguments, asked: Asked) -> ExitStatus {
    let (answer, brief, announced) = (asked.answer.clone(), asked.brief, asked.announced);
    let mut request = match request(loaded.scenarios, arguments, asked) {
        Ok(request) => request,
        Err(ending) => return ending,
    };
    let kept = answer.as_ref().and_then(|answer| answer.kept.clone());
    request.out = request.out.or(kept);
    if announced && let Ok(foreseen) = run::foreseen(&request) {
        remark(&announcement(&foreseen));
    }
    let mode = arguments.progress.mode();
    let view = View { mode, format: arguments.format, brief, answer };
    let ending = execute(&request, &view).await;
    // Until here a command may have run in it.
    drop(loaded.unpacked);
    ending
}

/// What a run of the bundled scenarios is going to take.
fn announcement(foreseen: &run::Foreseen) -> String {
    let counted = |n: usize, one: &str, many: &str| match n {
        1 => format!("1 {one}"),
        n => format!("{n} {many}"),
    };
    format!(
        "no ./scenarios is here: running {}, {} and {}, at up to {} rows a table: about {:.0} min \
         on two idle cores, up to {} of disk. Name some, or use --quick, for less; `pgauntlet try` \
         is for a change of your own",
        counted(foreseen.scenarios, "bundled scenario", "bundled scenarios"),
        counted(foreseen.trials, "trial", "trials"),
        counted(foreseen.matrices, "crash matrix", "crash matrices"),
        grouped(foreseen.rows_max),
        (foreseen.seconds / 60.0).ceil(),
        report::bytes(foreseen.bytes_max),
    )
}

/// How a run is shown.
#[derive(Clone, Debug)]
pub struct View {
    pub mode: Mode,
    pub format: Format,
    /// What is as expected is printed in a line.
    pub brief: bool,
    /// None: each trial in full.
    pub answer: Option<Answered>,
}

/// Runs what is asked for, with a live view, and tells what came of it.
async fn execute(request: &Request, view: &View) -> ExitStatus {
    match with_live_view(request, view).await {
        Ok(result) => {
            conclude(&result, request.out.as_deref(), view);
            run::ending(&result)
        }
        Err(error) => ending_of(&error),
    }
}

/// A judgement is reported as soon as it is there: it is true even where the run breaks later.
pub async fn with_live_view(request: &Request, view: &View) -> Result<ResultFile, Error> {
    let live = Live::start(view.mode);
    let shown = Arc::clone(&live);
    let judged = Arc::new(Mutex::new(ResultFile::empty()));
    let seen = Arc::clone(&judged);
    let (format, shape) = (view.format, view.clone());
    let on_judged: OnJudged = Arc::new(move |judged| {
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        let as_expected = match judged {
            Judged::Trial(judgement) => judgement.as_expected,
            Judged::Matrix(matrix) => matrix.as_expected,
            Judged::Retries(_) => false,
        };
        let text = match (judged, shape.in_full(as_expected)) {
            (Judged::Trial(judgement), true) => report::trial(judgement, width()),
            (Judged::Trial(judgement), false) => report::trial_in_brief(judgement, width()),
            (Judged::Matrix(matrix), true) => report::matrix(matrix, width()),
            (Judged::Matrix(matrix), false) => report::matrix_in_brief(matrix, width()),
            (Judged::Retries(odds), _) => report::retries(odds, width()),
        };
        match judged {
            Judged::Trial(judgement) => seen.trials.push(judgement.clone()),
            Judged::Matrix(matrix) => seen.crash_matrices.push(matrix.clone()),
            Judged::Retries(odds) => seen.retries.push(odds.clone()),
        }
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
            conclude(&judged, None, view);
        }
    }
    outcome
}

impl View {
    /// Whether a trial is printed in full, by whether it is as expected.
    fn in_full(&self, as_expected: bool) -> bool {
        match &self.answer {
            Some(answer) => answer.details,
            None => !(self.brief && as_expected),
        }
    }
}

fn request(
    mut scenarios: Vec<Scenario>,
    arguments: &TrialArguments,
    asked: Asked,
) -> Result<Request, ExitStatus> {
    if let Some(rng_seed) = arguments.rng_seed {
        scenarios.iter_mut().for_each(|scenario| scenario.rng_seed = rng_seed);
    }
    let (server, other_majors) = arguments.server.requests().map_err(|error| {
        complain(&error);
        ExitStatus::BadInput
    })?;
    let (mut sizes, out) = (arguments.sizes(), arguments.out.clone());
    let Asked { work, crash, state, repeat, share, rows_are_made, answer, retry, .. } = asked;
    let clones = asked.clones;
    sizes.tried = asked.sizes.tried();
    let answers = answer.is_some();
    if let Some(rows) = arguments.rows_of_any().filter(|_| !rows_are_made) {
        return Err(bad_input(format!(
            "scale to --rows {rows}: name the table, as in --rows spans={rows}; a number alone is \
             of a change of your own, for which rows are made"
        )));
    }
    if clones.is_some() && !other_majors.is_empty() {
        let why = "try on several majors: a clone is of the server that it is on; leave out --pg";
        return Err(bad_input(why.to_owned()));
    }
    if clones.is_some() && !(asked.sizes.sizes.is_empty() && asked.sizes.at.is_empty()) {
        let why =
            "try at several sizes: a clone has the rows that it has; leave out --sizes and --at";
        return Err(bad_input(why.to_owned()));
    }
    if rows_are_made {
        sizes.rows.clear();
    }
    Ok(Request {
        scenarios,
        work,
        crash,
        retry,
        state,
        repeat,
        share,
        sizes,
        server,
        other_majors,
        clones,
        out,
        answers,
        at: asked.sizes.at,
    })
}

fn conclude(result: &ResultFile, out: Option<&Path>, view: &View) {
    if view.format == Format::Json {
        return anstream::println!("{}", report::json(result));
    }
    let answer = view.answer.as_ref().and_then(|_| report::answer(result, width()));
    match answer {
        Some(answer) => {
            show("");
            show(answer.trim_end_matches('\n'));
            if let Some(out) = out {
                where_it_is(result, &out.display().to_string());
            }
        }
        None => {
            show(report::changes(result, width()).trim_end_matches('\n'));
            show(&report::verdicts(&result.trials, &result.crash_matrices, width()));
            if let Some(tally) = report::tally(&result.trials, &result.crash_matrices, width()) {
                show(&tally);
            }
            if let Some(out) = out {
                let out = out.display();
                show(&format!("\nhistories and result.json are in {out}"));
                if let Some(number) = run::first_unexpected(result) {
                    let command = report::repro_command(&out.to_string(), number);
                    show(&format!("again: {command}"));
                }
            }
        }
    }
}

/// The commands that show more of a result, and that run it again.
fn where_it_is(result: &ResultFile, out: &str) {
    show(&format!("{:<10} {} --details", "details", report::report_command(out)));
    // The databases that a clone command gave are gone.
    if result.facts().any(|trial| trial.server.source == CLONE_SOURCE) {
        return;
    }
    let number = run::first_unexpected(result).unwrap_or(1);
    show(&format!("{:<10} {}", "again", report::repro_command(out, number)));
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
