//! `repro`: one trial of a result, run again.

use std::io::IsTerminal;

use crate::provision;
use crate::result::ResultFile;
use crate::run::{self, Error, ExitStatus, Repro};
use crate::scenario::Command;
use crate::trial::Axis;

use super::args::{Format, ReproArguments, Which};
use super::ending::ending_of;
use super::run::{View, with_live_view};
use super::server::ServerArguments;
use super::{complain, remark, scenarios, show};

/// Success is to see the same again: the verdict and the kinds of findings.
pub async fn repro(arguments: &ReproArguments) -> ExitStatus {
    let then = match ResultFile::read(&arguments.result).map_err(Error::from) {
        Ok(result) => result,
        Err(error) => return ending_of(&error),
    };
    let mut repro = match run::repro(&then, arguments.trial) {
        Ok(repro) => repro,
        Err(error) => return ending_of(&error),
    };
    let _unpacked = match find_command(&mut repro) {
        Ok(unpacked) => unpacked,
        Err(ending) => return ending,
    };
    let server = match server(&arguments.server, &repro) {
        Ok(server) => server,
        Err(error) => {
            complain(&error);
            return ExitStatus::BadInput;
        }
    };
    announce(&repro);
    if let Err(ending) = consented(&repro, arguments.yes) {
        return ending;
    }
    let request = repro.request(&then, server, arguments.out.clone());
    let view =
        View { mode: arguments.progress.mode(), format: Format::Text, brief: false, answer: None };
    match with_live_view(&request, &view).await {
        Ok(now) => conclude(&repro, &then, &now),
        Err(error) => ending_of(&error),
    }
}

fn announce(repro: &Repro<'_>) {
    let trial = repro.trial;
    let what = if repro.is_matrix { "crash matrix of " } else { "" };
    let number = repro.number;
    let key = trial.key.clone().without(&Axis::SERVER).repeated(1);
    let (version, seed) = (&trial.server.version, trial.rng_seed);
    remark(&format!(
        "trial {number}: {what}{key}, rng_seed {seed}; then it ran on PostgreSQL {version}"
    ));
}

/// A result may come from anywhere, and the commands in it run as this user: they are shown, and
/// run when the user says so.
fn consented(repro: &Repro<'_>, yes: bool) -> Result<(), ExitStatus> {
    let paths = repro.scenario.states.iter().filter_map(|state| state.path.as_ref());
    let changes = std::iter::once(&repro.scenario.change).chain(paths);
    let commands: Vec<&Command> = changes.filter_map(|change| change.command.as_ref()).collect();
    if commands.is_empty() {
        return Ok(());
    }
    for command in commands {
        remark(&format!("the result has a command for sh, in {}:", command.directory.display()));
        command.environment.iter().for_each(|(n, value)| remark(&format!("  {n}={value}")));
        command.line.lines().for_each(|line| remark(&format!("  {line}")));
    }
    if yes {
        return Ok(());
    }
    if !std::io::stdin().is_terminal() {
        complain(&"run a command from a result without being asked to: add --yes to run it");
        return Err(ExitStatus::BadInput);
    }
    anstream::eprint!("run it? [y/N] ");
    let mut answer = String::new();
    // What cannot be read is no yes.
    let _ = std::io::stdin().read_line(&mut answer);
    match answer.trim().to_ascii_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(ExitStatus::Interrupted),
    }
}

/// On the same major and kind of server, unless another is asked for.
fn server(arguments: &ServerArguments, repro: &Repro<'_>) -> Result<provision::Request, String> {
    let facts = &repro.trial.server;
    let mut arguments = arguments.clone();
    let asked = arguments.names_server() || arguments.pg_bin.is_some();
    if !asked && facts.source == "url" {
        return Err(
            "find the server: the trial ran on an external one; name it with --server".to_owned()
        );
    }
    if !asked && facts.source == "docker" {
        arguments.server = Some(facts.source.clone());
    }
    if arguments.pg.is_empty() && arguments.pg_bin.is_none() && arguments.image.is_none() {
        arguments.pg = vec![facts.version_num / 10_000];
    }
    arguments.request()
}

/// A command runs in a directory, which a result does not hold. Where it is gone, the scenario of
/// the same name that is here is used instead, if its command is the same.
fn find_command(repro: &mut Repro<'_>) -> Result<Option<tempfile::TempDir>, ExitStatus> {
    let Some(command) = &repro.scenario.change.command else { return Ok(None) };
    if command.directory.is_dir() {
        return Ok(None);
    }
    let which = Which { scenarios: vec![repro.scenario.name.clone()], scenarios_dir: None };
    let mut loaded = scenarios::load(&which, scenarios::Scope::Scenarios)?;
    let here = loaded.scenarios.pop();
    match here.filter(|here| here.change.command.as_ref().is_some_and(|c| c.line == command.line)) {
        Some(here) => {
            repro.scenario.change = here.change;
            repro.scenario.states = here.states;
            Ok(loaded.unpacked)
        }
        None => {
            let directory = command.directory.display();
            complain(&format!("run the command again: {directory}, where it ran, is not here"));
            Err(ExitStatus::BadInput)
        }
    }
}

fn conclude(repro: &Repro<'_>, then: &ResultFile, now: &ResultFile) -> ExitStatus {
    let trials = now.trials.iter().map(|j| &j.trial).find(|trial| repro.is_again(trial));
    let facts = trials.or(now.crash_matrices.first().map(|matrix| &matrix.trial));
    let surroundings = facts.map(|now| run::environment(repro.trial, now)).unwrap_or_default();
    match surroundings.is_empty() {
        true => anstream::println!("the environment is the same"),
        false => anstream::println!("the environment differs:"),
    }
    surroundings.iter().for_each(|line| show(&format!("  {line}")));
    let differences = repro.differences(then, now);
    match differences.is_empty() {
        true => anstream::println!("reproduced: the verdict and the findings are the same"),
        false => anstream::println!("not reproduced:"),
    }
    differences.iter().for_each(|line| show(&format!("  {line}")));
    run::reproduced(&differences, now)
}
