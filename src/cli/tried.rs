//! `try`: a scenario whose change is somebody's own.

use std::collections::BTreeMap;

use crate::run::Ending;
use crate::scenario::{
    self, Change, Command, Expect, Migration, Problem, Scenario, Scope, Timeouts, Verdict,
};

use super::args::{TryArguments, Which};
use super::scenarios::Loaded;
use super::{complain, scenarios};

/// The scenario's schema, data, traffic, pool, conditions and limits with the change that is tried,
/// of which nothing but `safe` is good enough.
pub fn scenario(arguments: &TryArguments) -> Result<Loaded, Ending> {
    let which = Which {
        scenarios: vec![arguments.scenario.clone()],
        scenarios_dir: arguments.scenarios_dir.clone(),
    };
    let change = change(arguments)?;
    let mut loaded = scenarios::load(&which)?;
    let scenario = loaded.scenarios.pop().ok_or(Ending::BadInput)?;
    let expect = Expect { verdict: vec![Verdict::Safe], findings: Vec::new(), absent: Vec::new() };
    let analysis = format!("Another change under the data and traffic of {}.", scenario.name);
    // Ways to where the scenario's own change starts from, and what comes of its deaths, are not
    // this one's.
    let (states, crash) = (Vec::new(), None);
    let scenario = Scenario { analysis, change, states, crash, expect, ..scenario };
    Ok(Loaded { scenarios: vec![scenario], ..loaded })
}

/// With timeouts only where they are asked for, and then for every statement of the session.
fn change(arguments: &TryArguments) -> Result<Change, Ending> {
    let change = match &arguments.tried.command {
        Some(line) => by_command(arguments, line)?,
        None => Change::of(migrations(arguments)?.map_err(|problems| {
            anstream::eprint!("{}", scenario::render(&problems));
            Ending::BadInput
        })?),
    };
    let timeouts = Timeouts {
        scope: Scope::Session,
        lock_timeout_ms: arguments.lock_timeout_ms,
        statement_timeout_ms: arguments.statement_timeout_ms,
        ..Timeouts::default()
    };
    Ok(Change { timeouts, ..change })
}

/// Run here, with the environment of whoever types it; its own timeouts are its own business, and
/// those that are given are what it is said to set.
fn by_command(arguments: &TryArguments, line: &str) -> Result<Change, Ending> {
    if arguments.tool.is_some() {
        complain(&"read the command: --tool goes with --migrations");
        return Err(Ending::BadInput);
    }
    if line.trim().is_empty() {
        complain(&"run the command: it is empty");
        return Err(Ending::BadInput);
    }
    let directory = std::env::current_dir().map_err(|error| {
        complain(&format!("find the directory to run the command in: {error}"));
        Ending::Failed
    })?;
    let (line, requires) = (line.to_owned(), Vec::new());
    let command = Some(Command { line, requires, directory, environment: BTreeMap::new() });
    Ok(Change { command, versions: None, ..Change::of(Vec::new()) })
}

fn migrations(arguments: &TryArguments) -> Result<Result<Vec<Migration>, Vec<Problem>>, Ending> {
    // One of the group's arguments is there; that is the parser's promise.
    let Some(path) = &arguments.tried.migrations else { return Err(Ending::BadInput) };
    if path.is_file() {
        if let Some(tool) = arguments.tool {
            complain(&format!("read {} as {tool}'s: --tool goes with a directory", path.display()));
            return Err(Ending::BadInput);
        }
        return Ok(scenario::read_migration_file(path).map(|migration| vec![migration]));
    }
    Ok(scenario::read_migrations(path, arguments.tool))
}
