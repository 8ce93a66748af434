//! One side of a comparison: the samples of one or several results, small enough to be committed.
//!
//! A result holds everything of one run; a baseline what a later one is compared with, of any
//! number of runs. Both are judged alike, because a result is made a baseline first. Its text is
//! sorted, and a sample is a line, so that adding a night is a small difference.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::history::{MachineFacts, TrialFacts};
use crate::pg::lex::one_line;
use crate::result::{Case, Judgement, Matrix};
use crate::scenario::{FindingKind, Outcome, Verdict};
use crate::trial::{Axis, TrialKey};

use super::metric::{metric, values};

/// Version of the file.
pub const BASELINE_FORMAT: u32 = 2;

/// The whole file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    /// Version of the file: `BASELINE_FORMAT`.
    pub pgauntlet_baseline: u32,
    /// By `scenario / state / pg MAJOR`.
    pub trials: BTreeMap<String, TrialSamples>,
    /// By `scenario / state / pg MAJOR`.
    pub crash_matrices: BTreeMap<String, MatrixSamples>,
}

/// With what it was measured.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Circumstances {
    /// Versions of this program.
    pub tools: BTreeSet<String>,
    /// `linux x86_64, 8 cores, 16.0 GiB, AMD …`.
    pub machines: BTreeSet<String>,
    /// The first and the last, RFC 3339; empty: nothing was measured.
    pub first_at: String,
    /// RFC 3339 time of the last measurement; empty: nothing was measured.
    pub last_at: String,
    /// Rows per table.
    pub sizes: BTreeMap<String, u64>,
}

/// Every repetition of one trial.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrialSamples {
    /// Without repetition: all of them are here.
    pub key: TrialKey,
    /// What they were measured with.
    pub with: Circumstances,
    /// How many repetitions there are.
    pub repetitions: u64,
    /// How many of them were as the scenario expects.
    pub as_expected: u64,
    /// How many had each verdict.
    pub verdicts: BTreeMap<Verdict, u64>,
    /// What was found and is worse than safe.
    pub findings: BTreeMap<FindingKind, Seen>,
    /// Median of the machine control of each repetition, in microseconds; shorter than the others
    /// where it was not measured.
    pub control_us: Vec<u64>,
    /// By metric; null: the event never came.
    pub samples: BTreeMap<String, Vec<Option<u64>>>,
}

/// A kind of finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seen {
    /// The worst.
    pub verdict: Verdict,
    /// In how many repetitions.
    pub repetitions: u64,
}

/// Every run of one crash matrix.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MatrixSamples {
    /// The matrix's key, with its server.
    pub key: TrialKey,
    /// What they were measured with.
    pub with: Circumstances,
    /// How many runs there are.
    pub runs: u64,
    /// How many of them were as the scenario expects.
    pub as_expected: u64,
    /// How many runs had each verdict.
    pub verdicts: BTreeMap<Verdict, u64>,
    /// Cases of all runs.
    pub outcomes: BTreeMap<Outcome, u64>,
    /// `statement / fault` to the worst outcome; cases that were not injected are left out.
    pub cases: BTreeMap<String, Outcome>,
}

/// Why a file or a result cannot become part of a baseline.
#[derive(Debug, thiserror::Error)]
pub enum BaselineError {
    /// The file is not JSON, or not that of a baseline.
    #[error("understand it as a baseline: {0}")]
    Json(#[from] serde_json::Error),
    /// The file has this version, which is not `BASELINE_FORMAT`.
    #[error(
        "read a baseline of version {0}: this program reads version {BASELINE_FORMAT}; write it \
         again with `pgauntlet baseline`"
    )]
    Version(u32),
    /// A name that no metric has.
    #[error("compare {0:?}: no metric of a trial has that name")]
    Metric(String),
    /// The same trial was measured at other sizes.
    #[error(
        "add to {name}: its samples are of {was}, the new ones of {is}; a baseline is of one size"
    )]
    Sizes {
        /// The trial's key.
        name: String,
        /// Rows per table of the samples that are there.
        was: String,
        /// Rows per table of the new ones.
        is: String,
    },
}

/// The trial's key with its server, and without its repetition.
fn key(trial: &TrialFacts) -> TrialKey {
    TrialKey::new(&trial.key.scenario)
        .with(Axis::STATE, trial.key.state())
        .with(Axis::SERVER, (trial.server.version_num / 10_000).to_string())
}

/// `spans / base / pg 15`: how a baseline and a comparison name a trial.
pub fn trial_name(key: &TrialKey) -> String {
    let place = |(axis, value): (&Axis, &str)| match *axis == Axis::SERVER {
        true => format!(" / pg {value}"),
        false => format!(" / {value}"),
    };
    key.axes().fold(key.scenario.clone(), |name, at| name + &place(at))
}

impl Circumstances {
    fn of(trial: &TrialFacts) -> Circumstances {
        Circumstances {
            tools: BTreeSet::from([trial.tool.clone()]),
            machines: BTreeSet::from([machine_words(&trial.machine)]),
            first_at: trial.started_at.clone(),
            last_at: trial.started_at.clone(),
            sizes: trial.sizes.clone(),
        }
    }

    fn merge(&mut self, name: &str, other: &Circumstances) -> Result<(), BaselineError> {
        if self.sizes != other.sizes {
            let (was, is) = (size_words(&self.sizes), size_words(&other.sizes));
            return Err(BaselineError::Sizes { name: name.to_owned(), was, is });
        }
        self.tools.extend(other.tools.iter().cloned());
        self.machines.extend(other.machines.iter().cloned());
        // RFC 3339 in UTC sorts as it passes.
        self.first_at = self.first_at.clone().min(other.first_at.clone());
        self.last_at = self.last_at.clone().max(other.last_at.clone());
        Ok(())
    }
}

fn machine_words(machine: &MachineFacts) -> String {
    let gib = machine.memory_bytes as f64 / f64::from(1 << 30);
    let MachineFacts { system, processor, cores, .. } = machine;
    let processor = if processor.is_empty() { "an unknown processor" } else { processor };
    format!("{system}, {cores} cores, {gib:.0} GiB, {processor}")
}

/// `200000 spans, 10 tasks`.
pub fn size_words(sizes: &BTreeMap<String, u64>) -> String {
    let words: Vec<String> = sizes.iter().map(|(table, rows)| format!("{rows} {table}")).collect();
    if words.is_empty() { "no tables".to_owned() } else { words.join(", ") }
}

impl TrialSamples {
    fn of(judgement: &Judgement) -> TrialSamples {
        let mut findings = BTreeMap::new();
        for finding in judgement.findings.iter().filter(|f| f.verdict > Verdict::Safe) {
            let seen = Seen { verdict: finding.verdict, repetitions: 1 };
            let worst: &mut Seen = findings.entry(finding.kind).or_insert(seen);
            worst.verdict = worst.verdict.max(finding.verdict);
        }
        let samples = values(&judgement.measured).into_iter();
        TrialSamples {
            key: key(&judgement.trial),
            with: Circumstances::of(&judgement.trial),
            repetitions: 1,
            as_expected: u64::from(judgement.as_expected),
            verdicts: BTreeMap::from([(judgement.verdict, 1)]),
            findings,
            control_us: judgement.measured.control_us.iter().map(|control| control.0).collect(),
            samples: samples.map(|(key, value)| (key, vec![value])).collect(),
        }
    }

    fn merge(&mut self, name: &str, other: TrialSamples) -> Result<(), BaselineError> {
        self.with.merge(name, &other.with)?;
        self.repetitions += other.repetitions;
        self.as_expected += other.as_expected;
        add(&mut self.verdicts, other.verdicts);
        for (kind, seen) in other.findings {
            let known = self.findings.entry(kind).or_insert(Seen { repetitions: 0, ..seen });
            known.verdict = known.verdict.max(seen.verdict);
            known.repetitions += seen.repetitions;
        }
        self.control_us.extend(other.control_us);
        for (key, values) in other.samples {
            self.samples.entry(key).or_default().extend(values);
        }
        Ok(())
    }

    /// Over all repetitions.
    pub fn worst(&self) -> Verdict {
        self.verdicts.keys().next_back().copied().unwrap_or(Verdict::Unproven)
    }
}

impl MatrixSamples {
    fn of(matrix: &Matrix) -> MatrixSamples {
        let mut cases = BTreeMap::new();
        for case in &matrix.cases {
            if let Some(outcome) = case.outcome {
                worst(&mut cases, case_name(case), outcome);
            }
        }
        MatrixSamples {
            key: key(&matrix.trial),
            with: Circumstances::of(&matrix.trial),
            runs: 1,
            as_expected: u64::from(matrix.as_expected),
            verdicts: BTreeMap::from([(matrix.verdict, 1)]),
            outcomes: matrix.outcomes.clone(),
            cases,
        }
    }

    fn merge(&mut self, name: &str, other: MatrixSamples) -> Result<(), BaselineError> {
        self.with.merge(name, &other.with)?;
        self.runs += other.runs;
        self.as_expected += other.as_expected;
        add(&mut self.verdicts, other.verdicts);
        add(&mut self.outcomes, other.outcomes);
        other.cases.into_iter().for_each(|(case, outcome)| worst(&mut self.cases, case, outcome));
        Ok(())
    }

    /// The worst verdict that any run had; unproven where there is none.
    pub fn worst(&self) -> Verdict {
        self.verdicts.keys().next_back().copied().unwrap_or(Verdict::Unproven)
    }
}

/// `ALTER TABLE … / cut-before`; the third of its text has `(3)`.
fn case_name(case: &Case) -> String {
    let nth = match case.fault.at.key.nth {
        0 => String::new(),
        nth => format!(" ({})", nth + 1),
    };
    format!("{}{nth} / {}", one_line(&case.fault.at.text), case.fault.kind)
}

fn worst(cases: &mut BTreeMap<String, Outcome>, case: String, outcome: Outcome) {
    let known = cases.entry(case).or_insert(outcome);
    *known = outcome.max(*known);
}

fn add<K: Ord>(sums: &mut BTreeMap<K, u64>, more: BTreeMap<K, u64>) {
    more.into_iter().for_each(|(key, count)| *sums.entry(key).or_default() += count);
}

impl Baseline {
    /// Of one run's results; repetitions of a trial come together.
    ///
    /// # Errors
    /// Trials of one key have other sizes.
    pub fn of(trials: &[Judgement], matrices: &[Matrix]) -> Result<Baseline, BaselineError> {
        let mut baseline = Baseline { pgauntlet_baseline: BASELINE_FORMAT, ..Baseline::default() };
        for judgement in trials {
            baseline.add_trial(TrialSamples::of(judgement))?;
        }
        for matrix in matrices {
            baseline.add_matrix(MatrixSamples::of(matrix))?;
        }
        Ok(baseline)
    }

    /// Appends the samples of another one.
    ///
    /// # Errors
    /// A trial that both have was measured at other sizes.
    pub fn merge(&mut self, other: Baseline) -> Result<(), BaselineError> {
        other.trials.into_values().try_for_each(|trial| self.add_trial(trial))?;
        other.crash_matrices.into_values().try_for_each(|matrix| self.add_matrix(matrix))
    }

    fn add_trial(&mut self, trial: TrialSamples) -> Result<(), BaselineError> {
        let named = trial_name(&trial.key);
        match self.trials.get_mut(&named) {
            Some(known) => known.merge(&named, trial)?,
            None => drop(self.trials.insert(named, trial)),
        }
        Ok(())
    }

    fn add_matrix(&mut self, matrix: MatrixSamples) -> Result<(), BaselineError> {
        let named = trial_name(&matrix.key);
        match self.crash_matrices.get_mut(&named) {
            Some(known) => known.merge(&named, matrix)?,
            None => drop(self.crash_matrices.insert(named, matrix)),
        }
        Ok(())
    }

    /// The version is looked at first: a file of another one need not have the same keys.
    ///
    /// # Errors
    /// Where the text is no baseline, or one of a version that this program does not read.
    pub fn parse(text: &str) -> Result<Baseline, BaselineError> {
        let value: serde_json::Value = serde_json::from_str(text)?;
        let version = value.get("pgauntlet_baseline").and_then(serde_json::Value::as_u64);
        let baseline: Baseline = match version.and_then(|version| u32::try_from(version).ok()) {
            Some(1) => serde_json::from_value(from_1(value))?,
            // From the text once more, so that an error names its line.
            Some(BASELINE_FORMAT) | None => serde_json::from_str(text)?,
            Some(other) => return Err(BaselineError::Version(other)),
        };
        let mut keys = baseline.trials.values().flat_map(|trial| trial.samples.keys());
        match keys.find(|key| metric(key).is_none()) {
            Some(unknown) => Err(BaselineError::Metric(unknown.clone())),
            None => Ok(baseline),
        }
    }

    /// Sorted, indented by two, a list on a line of its own.
    pub fn to_text(&self) -> String {
        super::lines::to_text(self)
    }
}

/// A baseline of version 1, as one of today: a trial's key was three fields of its own,
/// and the cases of a crash matrix were `cells`.
fn from_1(mut value: serde_json::Value) -> serde_json::Value {
    value["pgauntlet_baseline"] = BASELINE_FORMAT.into();
    for group in ["trials", "crash_matrices"] {
        let all = value.get_mut(group).and_then(serde_json::Value::as_object_mut);
        for samples in all.into_iter().flat_map(|all| all.values_mut()) {
            let Some(samples) = samples.as_object_mut() else { continue };
            let Some(identity) = samples.remove("identity") else { continue };
            let text = |name: &str| identity[name].as_str().unwrap_or_default().to_owned();
            let key = TrialKey::new(text("scenario"))
                .with(Axis::STATE, text("state"))
                .with(Axis::SERVER, identity["server_major"].to_string());
            samples.insert("key".to_owned(), serde_json::json!(key));
            if let Some(cases) = samples.remove("cells") {
                samples.insert("cases".to_owned(), cases);
            }
        }
    }
    value
}
