//! Finds scenarios on the disk and reads them: file, base, check.
//!
//! Everything that is wrong with one is reported together. Nothing here connects or writes.

use std::path::{Path, PathBuf};

use super::Scenario;
use super::check::{self, Files};
use super::problem::{Checked, Problem, Source, beside};
use super::project::ProjectDefaults;
use super::read::read;
use super::wire::File;

/// The file that makes a directory a scenario.
const FILE_NAME: &str = "scenario.toml";

/// Reads and checks the scenario in `dir`.
///
/// # Errors
/// Every problem that was found in its files, with file, line and remedy.
pub fn load(dir: &Path) -> Result<Checked<Scenario>, Vec<Problem>> {
    let path = dir.join(FILE_NAME);
    let source = Source::open(&path).map_err(|why| vec![cannot_read(&path, &why)])?;
    let file: File = read(&source)?;
    let base = read_base(&source, &file)?;
    let files =
        Files { main: (&source, &file), base: base.as_ref().map(|(source, file)| (source, file)) };
    check::check(files, &directory_name(dir), dir)
}

/// Reads and checks a pgauntlet.toml.
///
/// # Errors
/// Every problem that was found in it, with line and remedy.
pub fn project_defaults(path: &Path) -> Result<ProjectDefaults, Vec<Problem>> {
    let unreadable = |why: String| vec![Problem::of_file(path, format!("cannot read it: {why}"))];
    let source = Source::open(path).map_err(unreadable)?;
    check::check_project(&source, read(&source)?)
}

fn cannot_read(path: &Path, why: &str) -> Problem {
    Problem::of_file(path, format!("cannot read it: {why}"))
        .remedy(format!("a scenario is a directory with a {FILE_NAME}"))
}

/// The directory's own name, which is its scenario's, also for `.`.
pub fn directory_name(dir: &Path) -> String {
    let absolute = std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
    let resolved = match absolute.file_name() {
        Some(_) => absolute,
        None => absolute.canonicalize().unwrap_or(absolute),
    };
    resolved.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn read_base(source: &Source, file: &File) -> Result<Option<(Source, File)>, Vec<Problem>> {
    let Some(name) = &file.base else { return Ok(None) };
    let path = beside(&source.path, name.get_ref());
    let base = Source::open(&path).map_err(|why| {
        let message = format!("cannot read {}: {why}", path.display());
        let remedy = "paths are relative to the file that names them";
        vec![source.problem(name.span(), message).remedy(remedy)]
    })?;
    let file: File = read(&base)?;
    let problems = check::check_base(&base, &file);
    if problems.is_empty() { Ok(Some((base, file))) } else { Err(problems) }
}

/// Every scenario directory below `root`, sorted by name. A directory whose name begins with `_`
/// holds what scenarios share, and one that holds scenarios is a group (see [`groups`]); `root`
/// itself may be a scenario.
///
/// # Errors
/// The path cannot be read, or a directory below it holds no scenario.
pub fn find(root: &Path) -> Result<Vec<PathBuf>, Problem> {
    if is_scenario(root) {
        return Ok(vec![root.to_owned()]);
    }
    let mut found = Vec::new();
    for path in directories(root)? {
        match is_scenario(&path) {
            true => found.push(path),
            false if is_group(&path) => {}
            false => {
                let remedy =
                    "write one, or let the name begin with _ if scenarios share what is in it";
                let problem = Problem::of_file(&path, format!("there is no {FILE_NAME}"));
                return Err(problem.remedy(remedy));
            }
        }
    }
    Ok(found)
}

/// Every group below `root`, sorted by name: a directory of scenarios that are run when the group
/// is named.
///
/// # Errors
/// The path cannot be read.
pub fn groups(root: &Path) -> Result<Vec<PathBuf>, Problem> {
    if is_scenario(root) {
        return Ok(Vec::new());
    }
    Ok(directories(root)?.into_iter().filter(|path| is_group(path)).collect())
}

/// Whether the directory is a scenario.
pub fn is_scenario(dir: &Path) -> bool {
    dir.join(FILE_NAME).is_file()
}

/// Whether scenarios are in the directory, which is none itself.
pub fn is_group(dir: &Path) -> bool {
    let below = || directories(dir).unwrap_or_default();
    !is_scenario(dir) && below().iter().any(|path| is_scenario(path))
}

/// The directories in a directory that may be scenarios or hold some, sorted by name.
fn directories(root: &Path) -> Result<Vec<PathBuf>, Problem> {
    let unreadable = |error: std::io::Error| {
        Problem::of_file(root, format!("cannot list it: {error}"))
            .remedy("name a directory of scenarios, or one scenario")
    };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(root).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() && !name.starts_with('_') && !name.starts_with('.') {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
