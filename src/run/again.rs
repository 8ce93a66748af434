//! Stored results: their histories judged again, without a server.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::clock::Micros;
use crate::history::{History, TrialFacts};
use crate::judge::course::{Course, course};
use crate::judge::crash::{self, Undisturbed};
use crate::judge::{Judgement, judge};
use crate::report::ResultFile;
use crate::scenario::Scenario;

use super::{Error, HISTORY_FILE, UNDISTURBED, UNDISTURBED_AGAIN};

/// Directories below which a run keeps histories: server, scenario, state, repetition; or server,
/// scenario, `crash`, cell.
const DEPTH_MAX: usize = 4;

/// A result, and the courses of its trials where their histories are there.
#[derive(Debug)]
pub struct Stored {
    pub result: ResultFile,
    /// One per trial of the result; None where it was not asked for, or has no history.
    pub courses: Vec<Option<Course>>,
}

/// Reads what a run kept: a directory of `--out`, one trial's directory in it, or a result.json by
/// itself. Histories are judged again; what is in result.json is taken where they are not there.
pub fn stored(path: &Path) -> Result<Stored, Error> {
    read(path, false)
}

/// The same with the courses of the trials.
pub fn stored_with_courses(path: &Path) -> Result<Stored, Error> {
    read(path, true)
}

fn read(path: &Path, with_courses: bool) -> Result<Stored, Error> {
    let kept = match path.is_file() || path.join(ResultFile::NAME).is_file() {
        true => Some(ResultFile::read(path)?),
        false => None,
    };
    let mut files = Vec::new();
    if !path.is_file() {
        find(path, DEPTH_MAX, &mut files)?;
    }
    match (kept, files.is_empty()) {
        (Some(result), true) => Ok(Stored { courses: vec![None; result.trials.len()], result }),
        (None, true) => Err(Error::NoHistory { path: path.to_owned() }),
        (kept, false) => judged(files, kept.unwrap_or_else(ResultFile::empty), with_courses),
    }
}

fn judged(mut files: Vec<PathBuf>, kept: ResultFile, with_courses: bool) -> Result<Stored, Error> {
    files.sort();
    let mut scenarios = BTreeMap::new();
    let mut trials: Vec<(Judgement, Option<Course>)> = Vec::new();
    let mut matrices: BTreeMap<PathBuf, Vec<History>> = BTreeMap::new();
    for file in files {
        let history = History::read(&file)?;
        let of_matrix = history.header.trial.death.is_some() || is_undisturbed(&file);
        let known = history.header.scenario.clone();
        scenarios.entry(history.header.trial.scenario.clone()).or_insert(known);
        match file.ancestors().nth(2).filter(|_| of_matrix) {
            Some(matrix) => matrices.entry(matrix.to_owned()).or_default().push(history),
            None => {
                let scenario = scenario(&history)?;
                let course = with_courses.then(|| course(&scenario, &history));
                trials.push((judge(&scenario, &history), course));
            }
        }
    }
    let place = |trial: &TrialFacts| kept.trials.iter().position(|known| known.trial == *trial);
    trials.sort_by_cached_key(|(judgement, _)| {
        let trial = &judgement.trial;
        (place(trial).unwrap_or(usize::MAX), trial.started_at.clone())
    });
    let mut crash_matrices = Vec::new();
    for (directory, histories) in matrices {
        let judged = matrix(&directory, &histories)?;
        // How long all of it took is in no history.
        let known = kept.crash_matrices.iter().find(|known| known.trial == judged.trial);
        let (took_us, at_once) =
            known.map_or((judged.took_us, judged.at_once), |known| (known.took_us, known.at_once));
        crash_matrices.push(crash::Matrix { took_us, at_once, ..judged });
    }
    let place = |of: &TrialFacts| kept.crash_matrices.iter().position(|known| known.trial == *of);
    crash_matrices.sort_by_key(|matrix| place(&matrix.trial).unwrap_or(usize::MAX));
    // A matrix runs a smaller scenario than its own: what result.json says is the whole.
    scenarios.extend(kept.scenarios.clone());
    let (trials, courses) = trials.into_iter().unzip();
    Ok(Stored { result: ResultFile { scenarios, trials, crash_matrices, ..kept }, courses })
}

fn find(directory: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), Error> {
    let own = directory.join(HISTORY_FILE);
    if own.exists() {
        files.push(own);
    }
    if depth == 0 {
        return Ok(());
    }
    let entries = std::fs::read_dir(directory).map_err(|e| Error::out(directory, e))?;
    for path in entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()) {
        find(&path, depth - 1, files)?;
    }
    Ok(())
}

/// The run of a matrix in which nothing dies, the first of two.
fn is_undisturbed(file: &Path) -> bool {
    let directory = file.parent().and_then(Path::file_name);
    directory.is_some_and(|name| name == UNDISTURBED || name == UNDISTURBED_AGAIN)
}

fn scenario(history: &History) -> Result<Scenario, Error> {
    serde_json::from_value(history.header.scenario.clone()).map_err(Error::Scenario)
}

/// The matrix of a directory of cells, the undisturbed run among them. How long the whole took is
/// not in the histories: the sum of the cells is told.
fn matrix(directory: &Path, histories: &[History]) -> Result<crash::Matrix, Error> {
    let Some(undisturbed) = histories.iter().find(|h| h.header.trial.death.is_none()) else {
        return Err(Error::NoUndisturbed { path: directory.to_owned() });
    };
    let scenario = scenario(undisturbed)?;
    let cells: Vec<_> = histories.iter().filter_map(|h| crash::cell(&scenario, h)).collect();
    let (random, cells): (Vec<_>, Vec<_>) =
        cells.into_iter().partition(|cell| cell.death.into_us.is_some());
    let took_us = cells.iter().fold(Micros::ZERO, |sum, cell| sum + cell.took_us);
    let run = Undisturbed { history: undisturbed, took_us, at_once: 1 };
    let crash = scenario.crash.clone().unwrap_or_default();
    let random = crash::RandomDeaths::of(random);
    Ok(crash::matrix(&scenario, &crash, run, cells, random))
}
