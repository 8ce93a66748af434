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

/// The directory's own name, also for `.`.
fn directory_name(dir: &Path) -> String {
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
/// holds what scenarios share; `root` itself may be a scenario.
///
/// # Errors
/// The path cannot be read, or holds no scenario.
pub fn find(root: &Path) -> Result<Vec<PathBuf>, Problem> {
    if root.join(FILE_NAME).is_file() {
        return Ok(vec![root.to_owned()]);
    }
    let unreadable = |error: std::io::Error| {
        Problem::of_file(root, format!("cannot list it: {error}"))
            .remedy("name a directory of scenarios, or one scenario")
    };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(root).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if !path.is_dir() || name.starts_with('_') || name.starts_with('.') {
            continue;
        }
        if !path.join(FILE_NAME).is_file() {
            let remedy = "write one, or let the name begin with _ if scenarios share what is in it";
            return Err(Problem::of_file(&path, format!("there is no {FILE_NAME}")).remedy(remedy));
        }
        found.push(path);
    }
    found.sort();
    Ok(found)
}
