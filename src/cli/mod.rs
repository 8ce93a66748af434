//! The command line: what may be typed, and which stage of the library each command calls.
//!
//! Commands print and return an [`ExitStatus`]; `exit` has the process's exit codes.

mod args;
mod args_of_trials;
mod args_of_try;
mod cache;
mod clones;
mod compare;
mod complaint;
mod diff;
mod doctor;
#[cfg(test)]
mod documented;
mod ending;
mod examples;
mod infer;
mod kept;
mod names;
mod own;
mod pages;
mod predict;
mod reported;
mod repro;
mod run;
mod scenarios;
mod secrets;
mod server;
mod servers;
mod shards;
mod sources;
mod tried;
mod values;

use std::ffi::OsString;

use clap::{CommandFactory, FromArgMatches};

use crate::run::ExitStatus;

use args::{Arguments, Colours, Command};
use complaint::{bad_input, complain, remark, show, terminal_width, width};

/// Parses the arguments and runs the command. `after_help` ends `--help`.
///
/// Not async, so that the futures are compiled here and not once more in the binary.
pub fn main(arguments: Vec<OsString>, after_help: &'static str) -> ExitStatus {
    let command = Arguments::command().after_help(after_help);
    let parsed = command
        .try_get_matches_from(arguments)
        .and_then(|matches| Arguments::from_arg_matches(&matches));
    let command = match parsed {
        Ok(arguments) => {
            colour(arguments.color);
            arguments.command
        }
        Err(error) => return usage(&error),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    match runtime {
        Ok(runtime) => runtime.block_on(run_command(&command)),
        Err(error) => {
            complain(&format!("start its threads: {error}"));
            ExitStatus::Failed
        }
    }
}

/// For everything that is printed from here on.
fn colour(when: Colours) {
    let choice = match when {
        Colours::Auto => return,
        Colours::Always => anstream::ColorChoice::Always,
        Colours::Never => anstream::ColorChoice::Never,
    };
    choice.write_global();
}

async fn run_command(command: &Command) -> ExitStatus {
    match command {
        Command::Run(arguments) => run::run(arguments).await,
        Command::Try(arguments) => own::try_out(arguments).await,
        Command::Init(arguments) => own::init(arguments),
        Command::Crash(arguments) => run::crash(arguments).await,
        Command::Judge(arguments) => run::judge(arguments),
        Command::Predict(arguments) => predict::predict(arguments),
        Command::Report(arguments) => reported::report(arguments),
        Command::Schema => reported::schema(),
        Command::Merge(arguments) => reported::merge(arguments),
        Command::Repro(arguments) => repro::repro(arguments).await,
        Command::Infer(arguments) => infer::infer(arguments).await,
        Command::List(arguments) => scenarios::list(arguments),
        Command::Check(which) => scenarios::check(which),
        Command::Fingerprint(arguments) => diff::fingerprint(arguments).await,
        Command::Diff(arguments) => diff::diff(arguments).await,
        Command::Compare(arguments) => compare::compare(arguments),
        Command::Baseline(arguments) => compare::baseline(arguments),
        Command::Doctor(arguments) => doctor::doctor(arguments).await,
        Command::Cache(arguments) => cache::cache(arguments).await,
        Command::Server(action) => servers::server(action).await,
        Command::Completions { shell } => pages::completions(*shell),
        Command::Man => pages::manual(),
    }
}

/// `--help` and `--version` are errors to clap and successes to everybody else.
fn usage(error: &clap::Error) -> ExitStatus {
    match error.use_stderr() {
        true => {
            // What was typed is repeated, and may be a server's address.
            let printed = error.render().ansi().to_string();
            anstream::eprint!("{}", secrets::without_passwords(&printed));
            ExitStatus::BadInput
        }
        false => {
            // Nothing can be printed if the terminal is gone.
            let _ = error.print();
            ExitStatus::AsExpected
        }
    }
}
