//! `list` and `check`, and how a command finds its scenarios.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::report;
use crate::run::ExitStatus;
use crate::scenario::{self, Problem, Scenario};

use super::args::{Format, ListArguments, Which};
use super::{complain, remark, show, terminal_width};

/// Where scenarios are looked for by default.
const DIRECTORY: &str = "scenarios";

/// Scenarios that were read.
#[derive(Default)]
pub struct Loaded {
    pub scenarios: Vec<Scenario>,
    /// Statements that the parser does not know, for the server to decide.
    pub notices: Vec<Problem>,
    /// Where bundled scenarios were unpacked, as long as one of them may run a command there.
    pub unpacked: Option<TempDir>,
    /// Whether they are those that come with the program.
    pub are_bundled: bool,
    /// Groups that nobody named: their names, and how many scenarios each has.
    pub groups: Vec<(String, usize)>,
}

/// What a name may stand for, and what is loaded where there is none.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// A name is that of a scenario.
    Scenarios,
    /// Or that of a group, of which none is loaded that is not named.
    Groups,
    /// As `Groups`, and without a name every group as well.
    Everything,
}

/// Loads what was asked for; every problem of every file is reported before anything else happens,
/// and what the parser does not know.
pub fn load(which: &Which, scope: Scope) -> Result<Loaded, ExitStatus> {
    let loaded = load_quietly(which, scope)?;
    notice(&loaded.notices);
    Ok(loaded)
}

/// Most notices that are shown whole.
const NOTICES_MAX: usize = 20;

/// Shows what the parser does not know.
pub fn notice(notices: &[Problem]) {
    let shown = &notices[..notices.len().min(NOTICES_MAX)];
    if !shown.is_empty() {
        remark(scenario::render(shown).trim_end_matches('\n'));
    }
    let left = notices.len() - shown.len();
    if left > 0 {
        remark(&format!("{left} more notices"));
    }
}

fn load_quietly(which: &Which, scope: Scope) -> Result<Loaded, ExitStatus> {
    let (loaded, problems) = try_load(which, scope).map_err(|error| {
        complain(&error);
        ExitStatus::BadInput
    })?;
    if problems.is_empty() {
        return Ok(loaded);
    }
    remark(scenario::render(&problems).trim_end_matches('\n'));
    Err(ExitStatus::BadInput)
}

fn try_load(which: &Which, scope: Scope) -> Result<(Loaded, Vec<Problem>), String> {
    let mut unpacked = None;
    let root = match &which.scenarios_dir {
        Some(directory) => directory.clone(),
        None if Path::new(DIRECTORY).is_dir() => PathBuf::from(DIRECTORY),
        None => unpacked.insert(unpack_bundled()?).path().to_owned(),
    };
    let mut directories = Vec::new();
    let mut problems = Vec::new();
    for name in &which.scenarios {
        match group_of(name, &root).filter(|_| scope != Scope::Scenarios) {
            Some(group) => add(&group, &mut directories, &mut problems),
            None => directories.push(directory_of(name, &root)?),
        }
    }
    let mut groups = Vec::new();
    if which.scenarios.is_empty() {
        add(&root, &mut directories, &mut problems);
        for group in scenario::groups(&root).unwrap_or_default() {
            let mut of_group = Vec::new();
            add(&group, &mut of_group, &mut problems);
            let name = group.file_name().unwrap_or_default().to_string_lossy().into_owned();
            match scope {
                Scope::Everything => directories.extend(of_group),
                Scope::Scenarios | Scope::Groups => groups.push((name, of_group.len())),
            }
        }
    }
    let (mut scenarios, mut notices) = (Vec::new(), Vec::new());
    for directory in directories {
        match scenario::load(&directory) {
            Ok(checked) => {
                let mut loaded = checked.value;
                if let Some(unpacked) = &unpacked {
                    scenario::bundled::name_files(&mut loaded, unpacked.path());
                }
                scenarios.push(loaded);
                notices.extend(checked.notices);
            }
            Err(found) => problems.extend(found),
        }
    }
    let are_bundled = unpacked.is_some();
    // Loading reads every file; only a command needs its directory afterwards.
    let unpacked = unpacked.filter(|_| scenarios.iter().any(|s| s.change.command.is_some()));
    Ok((Loaded { scenarios, notices, unpacked, are_bundled, groups }, problems))
}

/// The scenarios of a directory, or why they cannot be found.
fn add(directory: &Path, directories: &mut Vec<PathBuf>, problems: &mut Vec<Problem>) {
    match scenario::find(directory) {
        Ok(found) => directories.extend(found),
        Err(problem) => problems.push(problem),
    }
}

fn unpack_bundled() -> Result<TempDir, String> {
    let unpack = || {
        let directory = tempfile::Builder::new().prefix("scenarios-").tempdir()?;
        scenario::bundled::unpack(directory.path())?;
        Ok(directory)
    };
    unpack().map_err(|error: std::io::Error| format!("unpack the bundled scenarios: {error}"))
}

/// A directory as it is typed, else a scenario's name below the root.
fn directory_of(name: &str, root: &Path) -> Result<PathBuf, String> {
    let candidates = [PathBuf::from(name), root.join(name)];
    candidates.into_iter().find(|path| scenario::is_scenario(path)).ok_or_else(|| {
        format!(
            "find the scenario {name}: neither {name} nor {} holds a scenario.toml; \
             `pgauntlet list` shows what there is",
            root.join(name).display()
        )
    })
}

/// The same of a group; none where a scenario has that name.
fn group_of(name: &str, root: &Path) -> Option<PathBuf> {
    let candidates = [PathBuf::from(name), root.join(name)];
    let is_scenario = candidates.iter().any(|path| scenario::is_scenario(path));
    candidates.into_iter().find(|path| !is_scenario && scenario::is_group(path))
}

/// That a group was not named, and how to name it.
pub fn left_out((name, scenarios): &(String, usize), command: &str) -> String {
    format!("the group {name} of {scenarios} scenarios: `pgauntlet {command} {name}`")
}

pub fn list(arguments: &ListArguments) -> ExitStatus {
    let loaded = match load_quietly(&arguments.which, Scope::Groups) {
        Ok(loaded) => loaded,
        Err(ending) => return ending,
    };
    if arguments.format == Format::Json {
        let scenarios: Vec<serde_json::Value> = loaded.scenarios.iter().map(to_json).collect();
        show(&format!("{:#}", serde_json::Value::from(scenarios)));
        return ExitStatus::AsExpected;
    }
    let rows = loaded.scenarios.iter().map(|scenario| {
        let expected = expected(scenario).join(" or ");
        [scenario.name.clone(), expected, sentence(scenario)]
    });
    show(report::list(rows, terminal_width()).trim_end_matches('\n'));
    for group in &loaded.groups {
        show(&format!("\nnot listed: {}", left_out(group, "list")));
    }
    ExitStatus::AsExpected
}

fn expected(scenario: &Scenario) -> Vec<&'static str> {
    scenario.expect.verdict.iter().map(|verdict| verdict.as_str()).collect()
}

/// The first of its analysis.
fn sentence(scenario: &Scenario) -> String {
    let first = scenario.analysis.trim().split(". ").next().unwrap_or("");
    let sentence = first.split_whitespace().collect::<Vec<_>>().join(" ");
    sentence.trim_end_matches('.').to_owned()
}

fn to_json(scenario: &Scenario) -> serde_json::Value {
    serde_json::json!({
        "name": scenario.name,
        "expected": expected(scenario),
        "summary": sentence(scenario),
    })
}

pub fn check(which: &Which) -> ExitStatus {
    match load(which, Scope::Everything) {
        Ok(loaded) => {
            let notices = match loaded.notices.len() {
                0 => String::new(),
                1 => "; one notice".to_owned(),
                n => format!("; {n} notices"),
            };
            anstream::println!("{} scenarios are well-formed{notices}", loaded.scenarios.len());
            ExitStatus::AsExpected
        }
        Err(ending) => ending,
    }
}
