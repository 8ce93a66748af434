//! `try`, and `crash` with a change: a scenario with the user's own change.

use std::collections::BTreeMap;

use crate::run::ExitStatus;
use crate::scenario::{
    self, Change, Command, Expect, Migration, Problem, Scenario, Scope, Timeouts, Tool, Verdict,
};

use super::args::{CrashArguments, Tried, TryArguments, Which};
use super::scenarios::Loaded;
use super::{complain, scenarios};

/// The scenario's schema, data, traffic, pool, conditions and limits with the change that is tried,
/// of which nothing but `safe` is good enough.
pub fn scenario(arguments: &TryArguments) -> Result<Loaded, ExitStatus> {
    let which = Which {
        scenarios: vec![arguments.scenario.clone()],
        scenarios_dir: arguments.scenarios_dir.clone(),
    };
    let timeouts = Timeouts {
        scope: Scope::Session,
        lock_timeout_ms: arguments.lock_timeout_ms,
        statement_timeout_ms: arguments.statement_timeout_ms,
        ..Timeouts::default()
    };
    with_change(&which, &arguments.tried, arguments.tool, timeouts)
}

/// The same for the crash matrix alone.
pub fn crashed(arguments: &CrashArguments, tried: &Tried) -> Result<Loaded, ExitStatus> {
    let which = Which {
        scenarios: vec![arguments.scenario.clone()],
        scenarios_dir: arguments.scenarios_dir.clone(),
    };
    with_change(&which, tried, arguments.tool, Timeouts::default())
}

fn with_change(
    which: &Which,
    tried: &Tried,
    tool: Option<Tool>,
    timeouts: Timeouts,
) -> Result<Loaded, ExitStatus> {
    let change = Change { timeouts, ..change(tried, tool)? };
    let mut loaded = scenarios::load(which)?;
    let scenario = loaded.scenarios.pop().ok_or(ExitStatus::BadInput)?;
    let expect = Expect { verdict: vec![Verdict::Safe], findings: Vec::new(), absent: Vec::new() };
    let analysis = format!("Another change under the data and traffic of {}.", scenario.name);
    // Ways to where the scenario's own change starts from, and what comes of its faults, are not
    // this one's.
    let (states, crash) = (Vec::new(), None);
    let scenario = Scenario { analysis, change, states, crash, expect, ..scenario };
    Ok(Loaded { scenarios: vec![scenario], ..loaded })
}

fn change(tried: &Tried, tool: Option<Tool>) -> Result<Change, ExitStatus> {
    match &tried.command {
        Some(line) => by_command(line, tool),
        None => Ok(Change::of(migrations(tried, tool)?.map_err(|problems| {
            anstream::eprint!("{}", scenario::render(&problems));
            ExitStatus::BadInput
        })?)),
    }
}

/// Run here, with the user's environment; its own timeouts are its own business, and
/// those that are given are what it is declared to set.
fn by_command(line: &str, tool: Option<Tool>) -> Result<Change, ExitStatus> {
    if tool.is_some() {
        complain(&"read the command: --tool goes with --migrations");
        return Err(ExitStatus::BadInput);
    }
    if line.trim().is_empty() {
        complain(&"run the command: it is empty");
        return Err(ExitStatus::BadInput);
    }
    let directory = std::env::current_dir().map_err(|error| {
        complain(&format!("find the directory to run the command in: {error}"));
        ExitStatus::Failed
    })?;
    let (line, requires) = (line.to_owned(), Vec::new());
    let command = Some(Command { line, requires, directory, environment: BTreeMap::new() });
    Ok(Change { command, versions: None, ..Change::of(Vec::new()) })
}

fn migrations(
    tried: &Tried,
    tool: Option<Tool>,
) -> Result<Result<Vec<Migration>, Vec<Problem>>, ExitStatus> {
    // One of the group's arguments is there; that is the parser's promise.
    let Some(path) = &tried.migrations else { return Err(ExitStatus::BadInput) };
    if path.is_file() {
        if let Some(tool) = tool {
            complain(&format!("read {} as {tool}'s: --tool goes with a directory", path.display()));
            return Err(ExitStatus::BadInput);
        }
        return Ok(scenario::read_migration_file(path).map(|migration| vec![migration]));
    }
    Ok(scenario::read_migrations(path, tool))
}
