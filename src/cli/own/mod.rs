//! `try` in one's own project: the change, the schema that it begins from, and a scenario that is
//! made for both.

mod code;
mod defaults;
mod earlier;
mod init;
mod node;
mod project;
mod revisions;
mod summary;
#[cfg(test)]
mod testing;

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::provision;
use crate::report::{Live, Mode};
use crate::run::{self, Base, ExitStatus, InferRequest, InferredScenario, QUICK_ROWS, RowsRequest};
use crate::scenario::{
    self, Applied, Change, Condition, Crash, Demands, DraftChange, Expect, Migration, Outcome,
    Problem, ProjectBase, Scenario, Tool, ToolsMigrations, Verdict,
};
use crate::trial::FaultKind;

use super::args::{BaseChoice, FailOnVerdict, TryArguments};
use super::ending::{cancelled_by_signals, ending_of};
use super::infer;
use super::names::{kebab, relative, stem};
use super::run::{Answered, Asked, run_trials};
use super::scenarios::Loaded;
use super::server::is_address;
use super::tried::{self, How};
use super::{bad_input as wrong, complain, kept};

use defaults::Project;
use earlier::{earlier, taken_to_hold, terminated};
pub use init::init;
use summary::{note, show_asked, show_made, show_unused};

/// Rows of a table that the change is about.
const CONCERNED_ROWS: u64 = 1_000_000;
/// Rows of any other table.
const OTHER_ROWS: u64 = 1_000;
/// Statements of a change at each of which a fault is injected without being asked for.
const FAULTS_STATEMENTS_MAX: usize = 6;
/// Kinds of them: what leaves an index INVALID, what interrupts work, what loses an answer.
const FAULTS: [FaultKind; 3] = [FaultKind::LockTimeout, FaultKind::Cancel, FaultKind::CutAfter];
/// Letters of a name that is made of a command.
const NAME_MAX: usize = 40;

/// One scenario with another change.
pub async fn try_out(arguments: &TryArguments) -> ExitStatus {
    let project = match Project::here() {
        Ok(project) => project,
        Err(ending) => return ending,
    };
    let arguments = &project.complete(arguments);
    let loaded = match arguments.scenario() {
        Some(name) => of_scenario(arguments, name, &project),
        None => own_scenario(arguments, &project).await,
    };
    let loaded = match loaded {
        Ok(loaded) => loaded,
        Err(ending) => return ending,
    };
    // A scenario that was made has its rows already.
    let rows_are_made = arguments.scenario().is_none();
    let kept = match arguments.trials.out {
        Some(_) => None,
        None => kept::directory(arguments.trials.server.cache().as_deref()),
    };
    let answer = Some(Answered { details: arguments.details, kept });
    let clones = arguments.clones.commands();
    let retry = arguments.retries.request();
    let sizes = arguments.sizes.clone();
    let asked = Asked { rows_are_made, answer, retry, clones, sizes, ..Asked::default() };
    run_trials(loaded, &arguments.trials, asked).await
}

/// The user's change on the tables of a scenario, of which nothing else is the project's than what
/// is accepted.
fn of_scenario(
    arguments: &TryArguments,
    name: String,
    project: &Project,
) -> Result<Loaded, ExitStatus> {
    let mut loaded = tried::scenario(arguments, name)?;
    super::run::under(&mut loaded, &arguments.conditions)?;
    for scenario in &mut loaded.scenarios {
        let own = tried::acknowledged(&scenario.change, None)?;
        scenario.acceptances = project.demands(&scenario.name, own).acceptances;
    }
    Ok(loaded)
}

/// The scenario that is made for a change of the user's own. An ending without an error: nothing
/// was to be run.
async fn own_scenario(arguments: &TryArguments, project: &Project) -> Result<Loaded, ExitStatus> {
    if let Some(directory) = &arguments.save {
        infer::is_free(directory).map_err(wrong)?;
    }
    Condition::are_kinds(&arguments.conditions, "the change").map_err(wrong)?;
    // What the oldest of several majors can do, the others can.
    let (server, _) = arguments.trials.server.requests().map_err(wrong)?;
    let mut own = find(arguments, tried::How::of(arguments), project)?;
    own.change.runs_as = project.defaults.demands.runs_as.clone();
    let acceptances =
        tried::acknowledged(&own.change, own.file.as_deref().filter(|path| path.is_file()))?;
    let demands = project.demands(&own.name, acceptances);
    show_asked(&own.says, project, &demands);
    if arguments.dry_run {
        return Err(ExitStatus::AsExpected);
    }
    own.scenario(arguments, project, &demands, &server).await
}

/// A change of the user's own.
struct Own {
    /// What it begins from.
    base: Base,
    change: Change,
    /// The directory of the tool whose migrations are the change.
    directory: Option<PathBuf>,
    /// In kebab-case.
    name: String,
    /// What is run, for people: the change, and the base.
    says: [String; 2],
    /// Of a command, the newest migration's file; None: it is not known.
    file: Option<PathBuf>,
}

/// What the arguments name, or pgauntlet.toml, or the project here.
///
/// What is missing has been complained of.
fn find(arguments: &TryArguments, how: How, project: &Project) -> Result<Own, ExitStatus> {
    let given = match arguments.clones.commands() {
        Some(commands) => Some(Base::Clone(commands)),
        None => given_base(&arguments.base, project)?,
    };
    let like = arguments.application.like.as_deref().filter(|like| is_address(like));
    let declared = project.command().filter(|_| arguments.path().is_none());
    match (arguments.command_line(), arguments.path(), declared) {
        (Some(line), ..) => {
            // What the project's own tool would run is known to be of its newest migration.
            let commands = match project::find(&project.root) {
                Ok(project::Found::Commands(commands)) if commands.change == line => Some(commands),
                _ => None,
            };
            let own = of_command(&line, or_like(given, like)?, how)?;
            Ok(Own { file: commands.map(|commands| commands.file), ..own })
        }
        (None, Some(path), _) if path.is_dir() => of_directory(path, given, how),
        (None, Some(path), _) => of_file(path, (given, like), how),
        (None, None, Some(line)) => {
            of_command(line, given, How { directory: project.root.clone(), ..how })
        }
        (None, None, None) => of_project(given, how, project),
    }
}

/// The schema of the database whose rows are to be like its own, where no other base is given.
fn or_like(given: Option<Base>, like: Option<&str>) -> Result<Option<Base>, ExitStatus> {
    match (given, like) {
        (None, Some(url)) => infer::base_of(Some(url), None).map(Some).map_err(wrong),
        (given, _) => Ok(given),
    }
}

/// The newest migration of the tool that the project has.
fn of_project(given: Option<Base>, how: How, project: &Project) -> Result<Own, ExitStatus> {
    let root = &project.root;
    match project::find(root).map_err(wrong)? {
        project::Found::Directory(path) => of_directory(&path, given, how),
        project::Found::Commands(commands) => {
            let base = match given {
                Some(base) => base,
                None => commands.base(root)?,
            };
            let how = How { directory: root.clone(), ..how };
            let own = of_command(&commands.change, Some(base), how)?;
            Ok(Own { name: kebab(&commands.name), file: Some(commands.file), ..own })
        }
    }
}

fn given_base(choice: &BaseChoice, project: &Project) -> Result<Option<Base>, ExitStatus> {
    let root = &project.root;
    let made = match (&choice.schema, &choice.base, &project.defaults.base) {
        (None, None, None) => return Ok(None),
        (None, None, Some(ProjectBase::Schema(schema))) if is_address(schema) => {
            infer::base_of(Some(schema), None)
        }
        (None, None, Some(ProjectBase::Schema(schema))) => {
            infer::base_of(Some(&root.join(schema).display().to_string()), None)
        }
        (None, None, Some(ProjectBase::Command(line))) => {
            tried::command(line, root).map(Base::Command)
        }
        (schema, line, _) => infer::base_of(schema.as_deref(), line.as_deref()),
    };
    made.map(Some).map_err(wrong)
}

fn of_command(line: &str, base: Option<Base>, how: How) -> Result<Own, ExitStatus> {
    let Some(base) = base else {
        return Err(wrong(
            "try the command: say what it begins from, --base 'COMMAND' that migrates to the \
             revision before, or --schema FILE"
                .to_owned(),
        ));
    };
    let change = tried::by_command(line, &how)?;
    let says = [format!("`{line}`"), base.name()];
    let name: String = kebab(line).chars().take(NAME_MAX).collect();
    let name = name.trim_end_matches('-').to_owned();
    Ok(Own { base, change: how.on(change), directory: None, name, says, file: None })
}

/// A file by itself, or one of a tool's directory, which is run by the tool's rules.
fn of_file(
    path: &Path,
    (base, like): (Option<Base>, Option<&str>),
    how: How,
) -> Result<Own, ExitStatus> {
    let directory = directory_of(path);
    let read = directory.as_deref().map(|of| scenario::read_migrations(of, how.tool));
    let tools = match (read, how.tool) {
        // The tool was named: what is wrong with its directory is wrong with the file.
        (Some(Err(problems)), Some(_)) if path.exists() => return Err(of_try(problems)),
        (read, _) => read.and_then(Result::ok),
    };
    let canonical = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let is_it = |m: &Migration| canonical(&m.script.path) == canonical(path);
    let at = tools.as_ref().and_then(|tools| tools.migrations.iter().position(is_it));
    let base = match (&base, &tools, at) {
        (None, Some(_), Some(_)) if how.transaction.is_none() => None,
        (None, _, _) if path.exists() => match or_like(None, like)? {
            Some(base) => Some(base),
            None => project::dump(Path::new("."), path).map_err(wrong)?,
        },
        _ => base,
    };
    match (directory.as_deref().zip(tools), at, base) {
        (Some(tools), Some(at), base) if how.transaction.is_none() => {
            Ok(of_tools(tools, at, base, how))
        }
        (_, _, Some(base)) => {
            let change = tried::file(path, &how)?;
            let change = how.on(change);
            let rule = change.transaction.as_str();
            let says = [format!("{}, transactions: {rule}", path.display()), base.name()];
            Ok(Own { base, name: kebab(&stem(path)), change, directory: None, says, file: None })
        }
        (_, _, None) if !path.exists() => {
            Err(wrong(format!("read {}: there is no such file", path.display())))
        }
        (_, _, None) => Err(wrong(format!(
            "try {}: say what it begins from, --schema FILE (as pg_dump --schema-only writes it) \
             or --base COMMAND; it is not in a directory whose tool is known, where the earlier \
             migrations are the base",
            path.display()
        ))),
    }
}

/// The directory of migrations that a file is in: a tool may have a directory per migration.
fn directory_of(path: &Path) -> Option<PathBuf> {
    let parent = path.parent()?;
    let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
    let single = ["up.sql", "migration.sql"].iter().any(|name| path.ends_with(name));
    match single {
        true => Some(parent.join("..")),
        false => Some(parent.to_owned()),
    }
}

/// The newest migration of a tool's directory.
fn of_directory(path: &Path, base: Option<Base>, how: How) -> Result<Own, ExitStatus> {
    tried::is_without_rule(path, &how)?;
    let tools = scenario::read_migrations(path, how.tool).map_err(of_try)?;
    let newest = tools.migrations.len().saturating_sub(1);
    Ok(of_tools((path, tools), newest, base, how))
}

/// What is wrong with them, in the words of `try`.
fn of_try(problems: Vec<Problem>) -> ExitStatus {
    tried::wrong(problems.into_iter().map(Problem::of_try).collect())
}

/// `directory`: as it is named here.
fn of_tools(
    (directory, tools): (&Path, ToolsMigrations),
    at: usize,
    base: Option<Base>,
    how: How,
) -> Own {
    let notices: Vec<Problem> = tools.notices.into_iter().map(Problem::of_try).collect();
    super::scenarios::notice(&notices);
    let recognised = tools.recognised;
    let tool = recognised.tool;
    let mut migrations = tools.migrations;
    let newest = newest(&mut migrations, at);
    let path = newest.first().map(|m| m.script.path.clone()).unwrap_or_default();
    let version = newest.first().map(|m| m.version.clone()).unwrap_or_default();
    let by = recognised.by.as_ref().map(|by| format!(" ({by})")).unwrap_or_default();
    let rule = tool.transaction_rule();
    let which = match newest.len() {
        _ if tool != Tool::Liquibase => String::new(),
        1 => format!(" (changeset {version})"),
        n => format!(" ({n} changesets)"),
    };
    let said = format!("{}{which}, as {} runs it{by}: {rule}", path.display(), tool.applier());
    let before = match migrations.len() {
        0 => "an empty database: it is the first migration".to_owned(),
        1 => "the migration before it".to_owned(),
        n => format!("the {n} migrations before it"),
    };
    let taken = taken_to_hold(&migrations).map(|taken| format!("; {taken}")).unwrap_or_default();
    let says = [said, base.as_ref().map_or(before + &taken, Base::name)];
    let base = base.unwrap_or_else(|| earlier(tool, &migrations));
    let change = Change::of_tool(recognised, newest);
    let name = match kebab(&stem(&path)).as_str() {
        "up" | "migration" => kebab(&version),
        name => name.to_owned(),
    };
    Own {
        base,
        change: how.on(change),
        directory: Some(directory.to_owned()),
        name,
        says,
        file: None,
    }
}

/// Takes the newest off: the one at this place, with the others of its file. Where one file has all
/// of them, it is the last one.
fn newest(migrations: &mut Vec<Migration>, at: usize) -> Vec<Migration> {
    let path = migrations.get(at).map(|m| m.script.path.clone()).unwrap_or_default();
    let is_of = |migration: &Migration| migration.script.path == path;
    if migrations.iter().all(is_of) {
        return migrations.split_off(migrations.len().saturating_sub(1));
    }
    let first = migrations.iter().position(is_of).unwrap_or(at);
    let mut newest = migrations.split_off(first);
    newest.retain(is_of);
    newest
}

impl Own {
    /// Makes a scenario for it, and says of which tables.
    async fn scenario(
        &self,
        arguments: &TryArguments,
        project: &Project,
        demands: &Demands,
        server: &provision::Request,
    ) -> Result<Loaded, ExitStatus> {
        let asked = infer::Asked::read(&arguments.application).map_err(wrong)?;
        let quick = arguments.trials.quick;
        let usual = if quick { QUICK_ROWS } else { CONCERNED_ROWS };
        let of = arguments.trials.rows_by_table();
        let rows = match &self.base {
            // Nothing is seeded.
            Base::Clone(_) => RowsRequest { each: 0, concerned: None, of: &[] },
            _ => RowsRequest {
                each: OTHER_ROWS,
                concerned: Some(arguments.trials.rows_of_any().unwrap_or(usual)),
                of: &of,
            },
        };
        let request = InferRequest {
            base: &self.base,
            change: Some(&self.change),
            written: Some(self.written(arguments.save.as_deref(), demands)),
            demands,
            conditions: &project.conditions(arguments),
            rows,
            rng_seed: arguments.trials.rng_seed.unwrap_or(1),
            rate: asked.rate,
            mix: asked.mix,
            own: asked.own(),
            like: asked.like(),
            server,
        };
        let mode = arguments.trials.progress.mode();
        let live = Live::start(mode);
        // What is to be said of the base is said in any case.
        let listener = if mode == Mode::Quiet { infer::notes() } else { live.listener() };
        let made = run::infer(&request, &listener, &cancelled_by_signals()).await;
        live.end();
        let made = made.map_err(|error| ending_of(&error))?;
        if made.tables.is_empty() {
            return Err(wrong(format!(
                "try {}: what it begins from has no table, so no application could use one and \
                 nothing would be shown; try a later migration, or name a base that has tables, \
                 --schema FILE or --base COMMAND",
                self.name
            )));
        }
        if made.operations == 0 {
            return Err(unused(&made, arguments.save.as_deref()));
        }
        show_made(&made);
        let loaded = self.load(&made, arguments, demands)?;
        if let Some(directory) = &arguments.save {
            note("saved", &directory.display().to_string());
        }
        Ok(loaded)
    }

    /// The change as the files of `--save` have it: it runs there as it does here.
    fn written(&self, save: Option<&Path>, demands: &Demands) -> DraftChange {
        let change = &self.change;
        let from_there = |path: &Path| match save {
            Some(save) => relative(save, path),
            None => path.canonicalize().unwrap_or_else(|_| path.to_owned()),
        };
        let applied = match (&change.command, &self.directory, &change.tool) {
            (Some(command), _, _) => {
                let (line, directory) = (command.line.clone(), from_there(&command.directory));
                Applied::Command { line, directory }
            }
            (None, Some(directory), Some(recognised)) => Applied::Tool {
                tool: recognised.tool,
                directory: from_there(directory),
                only: change.migrations.iter().map(|m| m.version.clone()).collect(),
            },
            (None, _, _) => {
                let statements = change.migrations.iter().flat_map(|m| &m.script.statements);
                let version = change.migrations.first().map(|m| m.version.clone());
                // Of those that name a finding the scenario's file has a section.
                let of_all = demands.acceptances.iter().filter(|one| one.kind.is_none());
                let of_all = of_all.map(|one| format!("-- migration-unsafe-ack: {}\n", one.reason));
                Applied::Sql {
                    version: version.unwrap_or_default(),
                    text: of_all.chain(statements.map(terminated)).collect(),
                    transaction: change.transaction,
                }
            }
        };
        let (timeouts, runs_as) = (change.timeouts.clone(), change.runs_as.clone());
        DraftChange { applied, timeouts, rerun: change.rerun, runs_as }
    }

    /// Which faults are injected: all of them when asked for, a few where the change is short.
    fn crash(&self, arguments: &TryArguments) -> Option<Crash> {
        if matches!(self.base, Base::Clone(_)) {
            note("faults", "not injected: each case would take a clone of its own");
            return None;
        }
        let may = vec![Outcome::ManualStep];
        if arguments.thorough {
            return Some(Crash { may, ..Crash::default() });
        }
        let statements = self.change.migrations.iter().flat_map(|m| &m.script.statements).count();
        let left_out = match (&self.change.command, statements) {
            _ if arguments.trials.quick => "--quick leaves them out".to_owned(),
            (Some(_), _) => "a command runs twice in each case".to_owned(),
            (None, n) if n > FAULTS_STATEMENTS_MAX => format!("it has {n} statements"),
            (None, _) => {
                return Some(Crash { faults: FAULTS.to_vec(), may, ..Crash::default() });
            }
        };
        note("faults", &format!("not injected: {left_out}; --thorough injects all kinds"));
        None
    }

    /// The scenario as it would be read from its files, which `--save` keeps.
    fn load(
        &self,
        made: &InferredScenario,
        arguments: &TryArguments,
        demands: &Demands,
    ) -> Result<Loaded, ExitStatus> {
        let failed = |error: std::io::Error| {
            complain(&format!("write the scenario: {error}"));
            ExitStatus::Failed
        };
        let unpacked = TempDir::with_prefix("pgauntlet-try-").map_err(failed)?;
        let directory = match &arguments.save {
            Some(directory) => directory.to_owned(),
            None => unpacked.path().join(&self.name),
        };
        infer::write(made, &directory).map_err(|error| {
            complain(&error);
            ExitStatus::Failed
        })?;
        let read = scenario::load(&directory).map_err(tried::wrong)?;
        let verdict = accepted(arguments.fail_on.unwrap_or_default());
        let expect = Expect { verdict, findings: Vec::new(), absent: Vec::new() };
        let crash = self.crash(arguments);
        let (name, change) = (self.name.clone(), self.change.clone());
        let acceptances = demands.acceptances.clone();
        let scenario = Scenario { name, change, expect, crash, acceptances, ..read.value };
        let (scenarios, unpacked) = (vec![scenario], Some(unpacked));
        Ok(Loaded { scenarios, unpacked, ..Loaded::default() })
    }
}

/// Nothing can be shown where no operation can use the tables; `--save` keeps what there is.
fn unused(made: &InferredScenario, save: Option<&Path>) -> ExitStatus {
    if let Some(Err(error)) = save.map(|directory| infer::write(made, directory)) {
        complain(&error);
        return ExitStatus::Failed;
    }
    show_unused(made, save);
    ExitStatus::Unproven
}

/// Verdicts with which the change passes.
fn accepted(fail_on: FailOnVerdict) -> Vec<Verdict> {
    match fail_on {
        FailOnVerdict::Unproven => vec![Verdict::Safe],
        FailOnVerdict::Bounded => vec![Verdict::Safe, Verdict::Unproven],
        FailOnVerdict::Unsafe => vec![Verdict::Safe, Verdict::Bounded, Verdict::Unproven],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_are_those_of_its_file_or_the_last_of_the_only_file() {
        let of = |files: &[(&str, &str)], at| {
            let one = |(version, file): &(&str, &str)| {
                let script = scenario::Script { path: file.into(), statements: Vec::new() };
                Migration::new((*version).to_owned(), script, None)
            };
            let mut all: Vec<Migration> = files.iter().map(one).collect();
            let newest = newest(&mut all, at);
            let names = |list: &[Migration]| {
                list.iter().map(|m| m.version.clone()).collect::<Vec<String>>().join(" ")
            };
            format!("{} | {}", names(&all), names(&newest))
        };
        let files = [("1", "a"), ("2", "b"), ("3", "b"), ("4", "c"), ("5", "c")];
        assert_eq!(of(&files, 4), "1 2 3 | 4 5");
        assert_eq!(of(&files, 1), "1 | 2 3");
        assert_eq!(of(&files[3..], 1), "4 | 5");
        assert_eq!(of(&files[..1], 0), " | 1");
    }

    #[test]
    fn a_path_is_relative_where_both_are_in_one_directory() {
        let root = tempfile::tempdir().expect("a directory");
        let migrations = root.path().join("db/migrations");
        std::fs::create_dir_all(&migrations).expect("directories");
        let from = |save: &str| relative(&root.path().join(save), &migrations);
        assert_eq!(from("saved"), Path::new("../db/migrations"));
        assert_eq!(from("scenarios/a"), Path::new("../../db/migrations"));
        assert_eq!(relative(Path::new("/x"), Path::new("/nowhere/y")), Path::new("/nowhere/y"));
    }

    #[test]
    fn a_scenario_is_named_after_its_file() {
        assert_eq!(kebab("0042_Add_index"), "0042-add-index");
        assert_eq!(kebab("__"), "own-change");
    }
}
