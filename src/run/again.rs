//! Stored results: their histories judged again, without a server.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::clock::Micros;
use crate::history::{History, TrialFacts};
use crate::judge::course::{Course, course};
use crate::judge::crash::{self, Undisturbed};
use crate::judge::judge;
use crate::result::{Judgement, Matrix, RandomFaults, ResultFile};
use crate::scenario::{Scenario, StoredScenario};

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
/// itself. Histories are judged again; what is in result.json is taken where they are not there, or
/// not all of them. A trial whose history is there twice is one trial.
pub fn stored(path: &Path) -> Result<Stored, Error> {
    read(path, false)
}

/// The same with the courses of the trials.
pub fn stored_with_courses(path: &Path) -> Result<Stored, Error> {
    read(path, true)
}

fn read(path: &Path, with_courses: bool) -> Result<Stored, Error> {
    let kept = match ResultFile::path_of(path).is_file() {
        true => Some(ResultFile::read(path)?),
        false => None,
    };
    let mut files = Vec::new();
    if !path.is_file() {
        find(path, DEPTH_MAX, &mut files)?;
    }
    if kept.is_none() && files.is_empty() {
        return Err(Error::NoHistory { path: path.to_owned() });
    }
    judged(files, kept, with_courses)
}

fn judged(
    mut files: Vec<PathBuf>,
    kept: Option<ResultFile>,
    with_courses: bool,
) -> Result<Stored, Error> {
    files.sort();
    let is_kept = kept.is_some();
    let kept = kept.unwrap_or_else(ResultFile::empty);
    let mut scenarios = BTreeMap::new();
    let mut trials: Vec<(Judgement, Option<Course>)> = Vec::new();
    let mut matrices: BTreeMap<PathBuf, Vec<History>> = BTreeMap::new();
    // Of the two runs of a matrix in which nothing dies, the first is the one that is judged.
    for file in files.into_iter().filter(|file| !is_in(file, UNDISTURBED_AGAIN)) {
        let history = History::read(&file)?;
        let of_matrix = history.header.trial.fault.is_some() || is_in(&file, UNDISTURBED);
        let known = stored_scenario(&history)?;
        scenarios.entry(history.header.trial.key.scenario.clone()).or_insert(known);
        match file.ancestors().nth(2).filter(|_| of_matrix) {
            Some(matrix) => matrices.entry(matrix.to_owned()).or_default().push(history),
            None if trials.iter().any(|(known, _)| known.trial == history.header.trial) => {}
            None => {
                let scenario = scenario(&history)?;
                let course = with_courses.then(|| course(&scenario, &history));
                trials.push((judge(&scenario, &history), course));
            }
        }
    }
    let is_lost = |known: &&Judgement| !trials.iter().any(|(j, _)| j.trial == known.trial);
    let lost: Vec<Judgement> = kept.trials.iter().filter(is_lost).cloned().collect();
    trials.extend(lost.into_iter().map(|known| (known, None)));
    let place = |trial: &TrialFacts| kept.trials.iter().position(|known| known.trial == *trial);
    trials.sort_by_cached_key(|(judgement, _)| {
        let trial = &judgement.trial;
        (place(trial).unwrap_or(usize::MAX), trial.started_at.clone())
    });
    let crash_matrices = judged_matrices(&matrices, &kept.crash_matrices, is_kept)?;
    // A matrix runs a smaller scenario than its own: what result.json says is the whole.
    scenarios.extend(kept.scenarios.clone());
    let (trials, courses) = trials.into_iter().unzip();
    Ok(Stored { result: ResultFile { scenarios, trials, crash_matrices, ..kept }, courses })
}

/// In the order of the kept ones, which stand where not all of their histories are there.
fn judged_matrices(
    found: &BTreeMap<PathBuf, Vec<History>>,
    kept: &[Matrix],
    is_kept: bool,
) -> Result<Vec<Matrix>, Error> {
    let mut all: Vec<Matrix> = Vec::new();
    for (directory, histories) in found {
        let judged = match matrix(directory, histories) {
            // Then result.json alone knows of it.
            Err(Error::NoUndisturbed { .. }) if is_kept => continue,
            judged => judged?,
        };
        let known = kept.iter().find(|known| known.trial == judged.trial);
        let is_whole = known.is_none_or(|known| judged.cases.len() >= known.cases.len());
        if !is_whole || all.iter().any(|other| other.trial == judged.trial) {
            continue;
        }
        // How long all of it took is in no history.
        let (took_us, at_once) =
            known.map_or((judged.took_us, judged.at_once), |known| (known.took_us, known.at_once));
        all.push(Matrix { took_us, at_once, ..judged });
    }
    let is_lost = |known: &&Matrix| !all.iter().any(|other| other.trial == known.trial);
    let lost: Vec<Matrix> = kept.iter().filter(is_lost).cloned().collect();
    all.extend(lost);
    let place = |of: &TrialFacts| kept.iter().position(|known| known.trial == *of);
    all.sort_by_key(|matrix| place(&matrix.trial).unwrap_or(usize::MAX));
    Ok(all)
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

fn is_in(file: &Path, name: &str) -> bool {
    file.parent().and_then(Path::file_name).is_some_and(|directory| directory == name)
}

fn stored_scenario(history: &History) -> Result<StoredScenario, Error> {
    serde_json::from_value(history.header.scenario.clone()).map_err(Error::Scenario)
}

fn scenario(history: &History) -> Result<Scenario, Error> {
    Ok(stored_scenario(history)?.into())
}

/// The matrix of a directory of cells, the undisturbed run among them. How long the whole took is
/// not in the histories: the sum of the cells is told.
fn matrix(directory: &Path, histories: &[History]) -> Result<Matrix, Error> {
    let Some(undisturbed) = histories.iter().find(|h| h.header.trial.fault.is_none()) else {
        return Err(Error::NoUndisturbed { path: directory.to_owned() });
    };
    let scenario = scenario(undisturbed)?;
    let cells: Vec<_> = histories.iter().filter_map(|h| crash::case(&scenario, h)).collect();
    let (random, cells): (Vec<_>, Vec<_>) =
        cells.into_iter().partition(|cell| cell.fault.at.into_us.is_some());
    let took_us = cells.iter().fold(Micros::ZERO, |sum, cell| sum + cell.took_us);
    let run = Undisturbed { history: undisturbed, took_us, at_once: 1 };
    let crash = scenario.crash.clone().unwrap_or_default();
    let random = RandomFaults::of(random);
    Ok(crash::matrix(&scenario, &crash, run, cells, random))
}
