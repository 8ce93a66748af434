//! Judges stored histories again, without a server.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::clock::Micros;
use crate::history::History;
use crate::judge::crash::{self, Undisturbed};
use crate::judge::judge;
use crate::scenario::Scenario;

use super::{Error, HISTORY_FILE, Results, UNDISTURBED, UNDISTURBED_AGAIN};

/// Directories below which a run keeps histories: scenario, state or `crash`, cell.
const DEPTH_MAX: usize = 3;

/// Judges stored histories again: those of a directory of `--out`, or one trial's.
pub fn judge_again(directory: &Path) -> Result<Results, Error> {
    let mut files = Vec::new();
    find(directory, DEPTH_MAX, &mut files)?;
    if files.is_empty() {
        return Err(Error::NoHistory { path: directory.to_owned() });
    }
    files.sort();
    let mut results = Results::default();
    let mut matrices: BTreeMap<PathBuf, Vec<History>> = BTreeMap::new();
    for file in files {
        let history = History::read(&file)?;
        let of_matrix = history.header.trial.death.is_some() || is_undisturbed(&file);
        match file.ancestors().nth(2).filter(|_| of_matrix) {
            Some(matrix) => matrices.entry(matrix.to_owned()).or_default().push(history),
            None => results.trials.push(judge(&scenario(&history)?, &history)),
        }
    }
    results.trials.sort_by(|a, b| a.trial.started_at.cmp(&b.trial.started_at));
    for (directory, histories) in matrices {
        results.matrices.push(matrix(&directory, &histories)?);
    }
    Ok(results)
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
