//! `try`, and `crash` with a change: a scenario with the user's own change.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::run::ExitStatus;
use crate::scenario::{
    self, Acceptance, Change, Command, Expect, Problem, Scenario, Scope, Timeouts, Tool,
    TransactionRule, Verdict,
};

use super::args::{CrashArguments, Tried, TryArguments, Which};
use super::scenarios::Loaded;
use super::secrets::without_passwords;
use super::{complain, scenarios};

/// The scenario's schema, data, traffic, pool, conditions and limits with the change that is tried,
/// of which nothing but `safe` is good enough.
pub fn scenario(arguments: &TryArguments, scenario: String) -> Result<Loaded, ExitStatus> {
    let scenarios_dir = arguments.scenarios_dir.clone();
    let which = Which { scenarios: vec![scenario], scenarios_dir };
    let path = arguments.how.tried.migrations.clone();
    let path = path.or_else(|| arguments.change.clone().filter(|_| arguments.on.is_some()));
    let command = arguments.command_line();
    if path.is_none() && command.is_none() {
        complain(&"try nothing: name a file, a directory of migrations, or a command behind --");
        return Err(ExitStatus::BadInput);
    }
    with_change(&which, &Tried { migrations: path, command }, How::of(arguments))
}

/// What the change's own files accept; `file` is that of a command's newest migration, where it is
/// known.
pub fn acknowledged(change: &Change, file: Option<&Path>) -> Result<Vec<Acceptance>, ExitStatus> {
    let migrations = change.migrations.iter().map(|m| m.script.path.as_path());
    let mut files: Vec<&Path> = migrations.chain(file).collect();
    files.dedup();
    let (mut found, mut problems) = (Vec::new(), Vec::new());
    for path in &files {
        match scenario::acknowledged(path, files.len() > 1) {
            Ok(of_file) => found.extend(of_file),
            Err(of_file) => problems.extend(of_file),
        }
    }
    if problems.is_empty() { Ok(found) } else { Err(wrong(problems)) }
}

/// The same for the crash matrix alone.
pub fn crashed(arguments: &CrashArguments, tried: &Tried) -> Result<Loaded, ExitStatus> {
    let which = Which {
        scenarios: vec![arguments.scenario.clone()],
        scenarios_dir: arguments.scenarios_dir.clone(),
    };
    let how = How {
        tool: arguments.tool,
        transaction: arguments.transaction,
        rerun: None,
        timeouts: Timeouts::default(),
        directory: PathBuf::from("."),
        own: false,
    };
    with_change(&which, tried, how)
}

/// What the user says of the change beside where it is.
#[derive(Clone)]
pub struct How {
    pub tool: Option<Tool>,
    pub transaction: Option<TransactionRule>,
    /// Whether a command that succeeded is run again.
    pub rerun: Option<bool>,
    pub timeouts: Timeouts,
    /// Where a command is run.
    pub directory: PathBuf,
    /// The change is tried in its own project, not on the tables of a scenario.
    pub own: bool,
}

impl How {
    pub fn of(arguments: &TryArguments) -> How {
        How {
            tool: arguments.how.tool,
            transaction: arguments.how.transaction,
            rerun: arguments.how.rerun.then_some(true),
            timeouts: Timeouts {
                scope: Scope::Session,
                lock_timeout_ms: arguments.how.lock_timeout_ms,
                statement_timeout_ms: arguments.how.statement_timeout_ms,
                ..Timeouts::default()
            },
            directory: PathBuf::from("."),
            own: arguments.scenario().is_none(),
        }
    }

    /// The change with its timeouts, and run again or not.
    pub fn on(self, change: Change) -> Change {
        Change { timeouts: self.timeouts, rerun: self.rerun, ..change }
    }
}

fn with_change(which: &Which, tried: &Tried, how: How) -> Result<Loaded, ExitStatus> {
    let change = change(tried, how)?;
    let mut loaded = scenarios::load(which, scenarios::Scope::Scenarios)?;
    let scenario = loaded.scenarios.pop().ok_or(ExitStatus::BadInput)?;
    let expect = Expect { verdict: vec![Verdict::Safe], findings: Vec::new(), absent: Vec::new() };
    let analysis = format!("Another change under the data and traffic of {}.", scenario.name);
    // Ways to where the scenario's own change starts from, and what comes of its faults, are not
    // this one's.
    let (states, crash, acceptances) = (Vec::new(), None, Vec::new());
    let scenario = Scenario { analysis, change, states, crash, acceptances, expect, ..scenario };
    Ok(Loaded { scenarios: vec![scenario], ..loaded })
}

fn change(tried: &Tried, how: How) -> Result<Change, ExitStatus> {
    let change = match (&tried.command, &tried.migrations) {
        (Some(line), _) => by_command(line, &how)?,
        (None, Some(path)) if path.is_file() => file(path, &how)?,
        (None, Some(path)) => directory(path, &how)?,
        // One of the group's arguments is there; that is the parser's promise.
        (None, None) => return Err(ExitStatus::BadInput),
    };
    Ok(how.on(change))
}

/// Run here, with the user's environment; its own timeouts are its own business, and
/// those that are given are what it is declared to set.
pub fn by_command(line: &str, how: &How) -> Result<Change, ExitStatus> {
    let option = match (how.tool, how.transaction) {
        (Some(_), _) => Some("--tool goes with a directory of migrations"),
        (None, Some(_)) => Some("--transaction goes with a file of SQL"),
        (None, None) => None,
    };
    if let Some(option) = option {
        complain(&format!("read the command: {option}"));
        return Err(ExitStatus::BadInput);
    }
    let command = command(line, &how.directory).map_err(|error| {
        complain(&error);
        ExitStatus::BadInput
    })?;
    let command = Some(command);
    Ok(Change { command, versions: None, ..Change::of(Vec::new()) })
}

/// A command that is run in that directory, with the user's environment.
pub fn command(line: &str, directory: &Path) -> Result<Command, String> {
    if line.trim().is_empty() {
        return Err("run the command: it is empty".to_owned());
    }
    let directory = std::env::current_dir()
        .map(|here| if directory == Path::new(".") { here } else { here.join(directory) })
        .map_err(|error| format!("find the directory to run the command in: {error}"))?;
    let (line, requires) = (line.to_owned(), Vec::new());
    Ok(Command { line, requires, directory, environment: BTreeMap::new() })
}

/// Of a directory nobody but its tool says which transactions there are.
pub fn is_without_rule(path: &Path, how: &How) -> Result<(), ExitStatus> {
    if how.transaction.is_none() {
        return Ok(());
    }
    let shown = path.display();
    complain(&format!("run {shown} with --transaction: its files say it in the way of their tool"));
    Err(ExitStatus::BadInput)
}

/// A tool's directory, by the tool's rules.
fn directory(path: &Path, how: &How) -> Result<Change, ExitStatus> {
    is_without_rule(path, how)?;
    let read = scenario::read_migrations(path, how.tool).map_err(wrong)?;
    scenarios::notice(&read.notices);
    Ok(Change::of_tool(read.recognised, read.migrations))
}

/// One plain SQL file, where nothing else is said as psql runs it.
pub fn file(path: &Path, how: &How) -> Result<Change, ExitStatus> {
    if let Some(tool) = how.tool {
        complain(&format!("read {} as {tool}'s: --tool goes with a directory", path.display()));
        return Err(ExitStatus::BadInput);
    }
    let read = scenario::read_migration_file(path, how.transaction.is_some());
    let read = read.map_err(|problems| match how.own {
        true => wrong(problems.into_iter().map(Problem::of_try).collect()),
        false => wrong(problems),
    })?;
    scenarios::notice(&read.notices);
    let transaction = how.transaction.unwrap_or(TransactionRule::None);
    Ok(Change { transaction, ..Change::of(vec![read.value]) })
}

/// One SQL file, as psql runs it.
pub fn file_as_psql(path: &Path) -> Result<Change, ExitStatus> {
    let (timeouts, directory) = (Timeouts::default(), PathBuf::from("."));
    let own = false;
    let how = How { tool: None, transaction: None, rerun: None, timeouts, directory, own };
    file(path, &how)
}

/// A line of a file may hold a server's address.
pub fn wrong(problems: Vec<Problem>) -> ExitStatus {
    let text = without_passwords(&scenario::render(&problems));
    super::remark(text.trim_end_matches('\n'));
    ExitStatus::BadInput
}
