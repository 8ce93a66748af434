//! Stored results: their histories judged again, without a server.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::assess::{self, Effort};
use crate::clock::Micros;
use crate::explain::{assessed, explain, explain_matrix};
use crate::history::{History, TrialFacts};
use crate::judge::crash;
use crate::judge::timeline::{Timeline, timeline};
use crate::judge::{Observation, observe};
use crate::result::{Case, Judgement, Matrix, RandomFaults, ResultFile};
use crate::scenario::{Crash, Outcome, Scenario, StoredScenario};

use super::crash::{InjectionPoints, ended_with};
use super::files::{UNDISTURBED, UNDISTURBED_AGAIN};
use super::{Error, HISTORY_FILE};

/// Directories below which a run keeps histories: server, scenario, one for each axis that varies,
/// repetition; or server, scenario, `crash`, case.
const DEPTH_MAX: usize = 8;

/// A result, and the timelines of its trials where their histories are there.
#[derive(Debug)]
pub struct Stored {
    /// What result.json says, judged again where histories are there.
    pub result: ResultFile,
    /// One per trial of the result; None where it was not asked for, or has no history.
    pub timelines: Vec<Option<Timeline>>,
    /// Histories that cannot be read: of their trials only what result.json says is known, and the
    /// result is not whole.
    pub broken: Vec<Error>,
}

/// Reads what a run kept: a directory of `--out`, one trial's directory in it, or a result.json by
/// itself. Histories are judged again; what is in result.json is taken where they are not there, or
/// not all of them. A trial whose history is there twice is one trial.
///
/// # Errors
/// There is neither a result nor a history, or the result or all of the histories cannot be read.
pub fn stored(path: &Path) -> Result<Stored, Error> {
    read(path, false)
}

/// The same with the timelines of the trials.
///
/// # Errors
/// As [`stored`].
pub fn stored_with_timelines(path: &Path) -> Result<Stored, Error> {
    read(path, true)
}

fn read(path: &Path, with_timelines: bool) -> Result<Stored, Error> {
    std::fs::metadata(path).map_err(|e| Error::read(path, e))?;
    let kept = match ResultFile::path_of(path).is_file() {
        true => Kept { result: ResultFile::read(path)?, is_here: true },
        false => Kept::above(path),
    };
    let mut files = Vec::new();
    if !path.is_file() {
        find(path, DEPTH_MAX, &mut files)?;
    }
    if !kept.is_here && files.is_empty() {
        return Err(Error::NoHistory { path: path.to_owned() });
    }
    judged(files, kept, with_timelines)
}

/// What result.json says.
struct Kept {
    result: ResultFile,
    /// Whether it is of what is read; otherwise that is a part of it.
    is_here: bool,
}

impl Kept {
    /// That of a run of which the path is a part, or one of which nothing is known: then what was
    /// planned is not known either, and nothing is taken for the whole.
    fn above(path: &Path) -> Kept {
        let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let directories = path.ancestors().skip(1).take(DEPTH_MAX);
        let mut with_result = directories.filter(|d| ResultFile::path_of(d).is_file());
        let found = with_result.next().and_then(|directory| ResultFile::read(directory).ok());
        let unknown = || ResultFile { finished: false, ..ResultFile::empty() };
        Kept { result: found.unwrap_or_else(unknown), is_here: false }
    }

    fn matrix(&self, of: &TrialFacts) -> Option<&Matrix> {
        self.result.crash_matrices.iter().find(|known| known.trial == *of)
    }

    /// Whether it had a verdict of this one.
    fn knows(&self, trial: &TrialFacts) -> bool {
        self.result.facts().any(|known| known == trial)
    }

    fn place(&self, trial: &TrialFacts) -> usize {
        self.result.facts().position(|known| known == trial).unwrap_or(usize::MAX)
    }

    /// The result of what is read, with these verdicts.
    fn with(self, trials: Vec<Judgement>, crash_matrices: Vec<Matrix>) -> ResultFile {
        if self.is_here {
            return ResultFile { trials, crash_matrices, ..self.result };
        }
        let mut facts = trials
            .iter()
            .map(|j| &j.trial)
            .chain(crash_matrices.iter().map(|matrix| &matrix.trial));
        let finished = self.result.finished && facts.all(|trial| self.knows(trial));
        let ResultFile { scenarios, crash, .. } = self.result;
        ResultFile { finished, scenarios, crash, trials, crash_matrices, ..ResultFile::empty() }
    }
}

fn judged(mut files: Vec<PathBuf>, kept: Kept, with_timelines: bool) -> Result<Stored, Error> {
    files.sort();
    let mut scenarios = BTreeMap::new();
    let mut observed: Vec<(Scenario, Observation)> = Vec::new();
    let mut timelines: Vec<Option<Timeline>> = Vec::new();
    let mut matrices: BTreeMap<PathBuf, Vec<History>> = BTreeMap::new();
    // Of the two runs of a matrix without a fault, the first is the one that is judged.
    let mut broken = Vec::new();
    for file in files.into_iter().filter(|file| !is_in(file, UNDISTURBED_AGAIN)) {
        let (history, known) = match read_history(&file) {
            Ok(read) => read,
            Err(error) => {
                broken.push(error);
                continue;
            }
        };
        let of_matrix = history.header.trial.fault.is_some() || is_in(&file, UNDISTURBED);
        scenarios.entry(history.header.trial.key.scenario.clone()).or_insert(known);
        match file.ancestors().nth(2).filter(|_| of_matrix) {
            Some(matrix) => matrices.entry(matrix.to_owned()).or_default().push(history),
            None if observed.iter().any(|(_, known)| known.trial == history.header.trial) => {}
            None => {
                let scenario = scenario(&history)?;
                let timeline = with_timelines.then(|| timeline(&scenario, &history));
                let observation = observe(&scenario, &history);
                observed.push((scenario, observation));
                timelines.push(timeline);
            }
        }
    }
    if observed.is_empty() && matrices.is_empty() && !kept.is_here && !broken.is_empty() {
        return Err(broken.remove(0));
    }
    let judged = beside_each_other(observed, &kept);
    let mut trials: Vec<(Judgement, Option<Timeline>)> =
        judged.into_iter().zip(timelines).collect();
    let is_lost = |known: &&Judgement| {
        kept.is_here && !trials.iter().any(|(judged, _)| judged.trial == known.trial)
    };
    let lost: Vec<Judgement> = kept.result.trials.iter().filter(is_lost).cloned().collect();
    trials.extend(lost.into_iter().map(|known| (known, None)));
    trials.sort_by_cached_key(|(judgement, _)| {
        let trial = &judgement.trial;
        (kept.place(trial), trial.started_at.clone())
    });
    let crash_matrices = judged_matrices(&matrices, &kept)?;
    let (trials, timelines) = trials.into_iter().unzip();
    let mut result = kept.with(trials, crash_matrices);
    // A matrix runs a smaller scenario than its own: what result.json says is the whole.
    scenarios.append(&mut result.scenarios);
    let finished = result.finished && broken.is_empty();
    let mut result = ResultFile { scenarios, finished, ..result };
    assessed(&mut result);
    Ok(Stored { result, timelines, broken })
}

/// Judges the trials beside their references. Where a reference has no history here, the verdict
/// that result.json has stays: it was given beside it.
fn beside_each_other(observed: Vec<(Scenario, Observation)>, kept: &Kept) -> Vec<Judgement> {
    let keys: BTreeSet<_> = observed.iter().map(|(_, o)| o.trial.key.clone()).collect();
    let alone = observed.iter().map(|(scenario, observation)| {
        let reference = assess::reference_of(scenario, &observation.trial.key);
        observation.recorded_reference.is_none() && reference.is_some_and(|r| !keys.contains(&r))
    });
    let alone: Vec<bool> = alone.collect();
    let judged = assess::trials(observed).into_iter().map(explain).zip(alone);
    let stays = |judgement: Judgement| {
        let known = kept.result.trials.iter().find(|known| known.trial == judgement.trial);
        known.cloned().unwrap_or(judgement)
    };
    judged.map(|(judgement, alone)| if alone { stays(judgement) } else { judgement }).collect()
}

/// In the order of the kept ones, which stay where not all of their histories are there.
fn judged_matrices(
    found: &BTreeMap<PathBuf, Vec<History>>,
    kept: &Kept,
) -> Result<Vec<Matrix>, Error> {
    let mut all: Vec<Matrix> = Vec::new();
    for (directory, histories) in found {
        let judged = match matrix(directory, histories, kept) {
            // Then result.json alone knows of it.
            Err(Error::NoUndisturbed { .. }) if kept.is_here => continue,
            judged => judged?,
        };
        let known = kept.matrix(&judged.trial);
        let has_all = known.is_none_or(|known| judged.cases.len() >= known.cases.len());
        let stays = kept.is_here && !has_all;
        if stays || all.iter().any(|other| other.trial == judged.trial) {
            continue;
        }
        // How long all of it took is in no history.
        let (took_us, at_once) =
            known.map_or((judged.took_us, judged.at_once), |known| (known.took_us, known.at_once));
        all.push(Matrix { took_us, at_once, ..judged });
    }
    let is_lost =
        |known: &&Matrix| kept.is_here && !all.iter().any(|other| other.trial == known.trial);
    let lost: Vec<Matrix> = kept.result.crash_matrices.iter().filter(is_lost).cloned().collect();
    all.extend(lost);
    all.sort_by_key(|matrix| kept.place(&matrix.trial));
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
    let entries = std::fs::read_dir(directory).map_err(|e| Error::read(directory, e))?;
    for path in entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()) {
        find(&path, depth - 1, files)?;
    }
    Ok(())
}

fn is_in(file: &Path, name: &str) -> bool {
    file.parent().and_then(Path::file_name).is_some_and(|directory| directory == name)
}

fn read_history(file: &Path) -> Result<(History, StoredScenario), Error> {
    let history = History::read(file)?;
    let scenario = stored_scenario(&history)?;
    Ok((history, scenario))
}

fn stored_scenario(history: &History) -> Result<StoredScenario, Error> {
    serde_json::from_value(history.header.scenario.clone()).map_err(Error::Scenario)
}

fn scenario(history: &History) -> Result<Scenario, Error> {
    Ok(stored_scenario(history)?.into())
}

/// The matrix of a directory of cases, the undisturbed run among them. How long the whole took is
/// not in the histories: it is the sum of the cases.
fn matrix(directory: &Path, histories: &[History], kept: &Kept) -> Result<Matrix, Error> {
    let Some(undisturbed) = histories.iter().find(|h| h.header.trial.fault.is_none()) else {
        return Err(Error::NoUndisturbed { path: directory.to_owned() });
    };
    let scenario = scenario(undisturbed)?;
    let whole = histories.iter().filter(|history| crash::is_whole(history));
    let cases: Vec<_> = whole.filter_map(|h| crash::case(&scenario, h)).collect();
    let (random, cases): (Vec<_>, Vec<_>) =
        cases.into_iter().partition(|case| case.fault.at.into_us.is_some());
    let took_us = cases.iter().fold(Micros::ZERO, |sum, case| sum + case.took_us);
    let shown = crash::undisturbed(undisturbed);
    let run = (&shown, Effort { took_us, at_once: 1 });
    let crash = scenario.crash.clone().unwrap_or_default();
    let missing = missing(undisturbed, &crash, (&cases, &random), kept);
    let random = RandomFaults::of(random);
    let matrix = assess::matrix(&scenario, &crash, run, cases, random);
    Ok(explain_matrix(assess::incomplete(matrix, missing)))
}

/// Cases that were planned and are not here. Where no result.json says what was planned, the
/// undisturbed run shows it again.
fn missing(
    undisturbed: &History,
    crash: &Crash,
    (cases, random): (&[Case], &[Case]),
    kept: &Kept,
) -> Vec<String> {
    if !crash::is_whole(undisturbed) {
        return vec!["the undisturbed run, which shows all others".to_owned()];
    }
    if ended_with(undisturbed).is_none() {
        return Vec::new();
    }
    let trial = &undisturbed.header.trial;
    let here: BTreeSet<String> = cases.iter().map(|case| case.fault.label()).collect();
    let not_here = |labels: Vec<String>| labels.into_iter().filter(|l| !here.contains(l)).collect();
    if let Some(known) = kept.matrix(trial) {
        return not_here(known.cases.iter().map(|case| case.fault.label()).collect());
    }
    let planned = kept.result.planned.crash_matrices.iter().find(|planned| planned.is(trial));
    let (labels, of_random) = match planned.map(|planned| (&planned.cases, planned.random)) {
        Some((Some(cases), random)) => (cases.clone(), random),
        _ => {
            let points = InjectionPoints::of(undisturbed, crash, kept.result.crash.statement);
            (points.labels(), points.random)
        }
    };
    let mut missing: Vec<String> = not_here(labels);
    // Once one of them does not end clean, how many follow is not planned.
    let clean = |case: &Case| case.outcome.is_none_or(|outcome| outcome == Outcome::Clean);
    if random.iter().all(clean) {
        let left = random.len()..of_random as usize;
        missing.extend(left.map(|number| format!("random fault {}", number + 1)));
    }
    missing
}
