//! Reads a result.json of format 4: findings that were sentences, faults that were deaths.
//!
//! Types of its own for what has changed since; what has not is read by today's.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::clock::Micros;
use crate::history::{Death4, TrialFacts, TrialFacts4};
use crate::scenario::{FindingKind, Outcome, StoredScenario, Verdict};
use crate::schema::Difference;
use crate::trial::{FaultKind, TrialKey};

use super::FORMAT;
use super::case::Case;
use super::file::{CrashRequest, ResultFile, Shard};
use super::finding::{Finding, Subject, Witness};
use super::judgement::{Ending, Expectation, Judgement, Measured};
use super::matrix::{Matrix, MatrixRow, RandomFaults};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ResultFile4 {
    #[serde(rename = "pgauntlet_result")]
    _version: u32,
    plan: Vec<String>,
    shard: Option<Shard>,
    /// What does not say that it is whole is not.
    #[serde(default)]
    finished: bool,
    crash: CrashRequest4,
    scenarios: BTreeMap<String, StoredScenario>,
    trials: Vec<Judgement4>,
    crash_matrices: Vec<Matrix4>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CrashRequest4 {
    at_once: Option<u32>,
    ways: Option<Vec<FaultKind>>,
    statement: Option<u32>,
    random: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Judgement4 {
    #[serde(rename = "format")]
    _format: u32,
    trial: TrialFacts4,
    verdict: Verdict,
    as_expected: bool,
    expectations: Vec<Expectation4>,
    mismatches: Vec<String>,
    reason: String,
    findings: Vec<Finding4>,
    measured: Measured,
    took_us: Micros,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expectation4 {
    expected: String,
    held: bool,
    mismatch: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Finding4 {
    kind: FindingKind,
    verdict: Verdict,
    sentence: String,
    witness: Option<Witness>,
    remedy: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Matrix4 {
    #[serde(rename = "format")]
    _format: u32,
    trial: TrialFacts4,
    verdict: Verdict,
    as_expected: bool,
    expectations: Vec<Expectation4>,
    mismatches: Vec<String>,
    reason: String,
    rows: Vec<MatrixRow>,
    columns: Vec<FaultKind>,
    cells: Vec<Cell4>,
    random: Option<RandomDeaths4>,
    rounds_left_out: u64,
    not_compared: Vec<String>,
    outcomes: BTreeMap<Outcome, u64>,
    took_us: Micros,
    at_once: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RandomDeaths4 {
    deaths: u32,
    met: u32,
    smallest: Option<Cell4>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cell4 {
    death: Death4,
    outcome: Option<Outcome>,
    seen: String,
    sentence: String,
    differences: Vec<Difference>,
    broken: bool,
    not_compared: Vec<String>,
    reruns: u32,
    took_us: Micros,
}

impl From<ResultFile4> for ResultFile {
    fn from(old: ResultFile4) -> ResultFile {
        let CrashRequest4 { at_once, ways, statement, random } = old.crash;
        ResultFile {
            plan: old.plan,
            shard: old.shard,
            finished: old.finished,
            crash: CrashRequest { at_once, faults: ways, statement, random },
            scenarios: old.scenarios,
            trials: old.trials.into_iter().map(judgement).collect(),
            crash_matrices: old.crash_matrices.into_iter().map(matrix).collect(),
            ..ResultFile::empty()
        }
    }
}

fn judgement(old: Judgement4) -> Judgement {
    let trial: TrialFacts = old.trial.into();
    let findings = old.findings.into_iter().map(|of| finding(of, &trial.key)).collect();
    Judgement {
        format: FORMAT,
        trial,
        verdict: old.verdict,
        as_expected: old.as_expected,
        expectations: old.expectations.into_iter().map(expectation).collect(),
        mismatches: old.mismatches,
        reason: old.reason,
        // The reason is there as a sentence.
        ending: Ending::default(),
        findings,
        margins: Vec::new(),
        measured: old.measured,
        took_us: old.took_us,
    }
}

/// What an expectation is about follows from its name, which has stayed the same.
fn expectation(old: Expectation4) -> Expectation {
    let kinds = FindingKind::ALL.iter();
    let named = kinds
        .flat_map(|kind| [Expectation::found(*kind, true), Expectation::not_found(*kind, false)]);
    let named = named.into_iter().find(|known| known.expected == old.expected);
    let about = named.and_then(|known| known.about);
    let mismatch = (!old.held).then_some(old.mismatch);
    Expectation { about, ..Expectation::new(old.expected, mismatch) }
}

/// Of a finding, format 4 had its sentence and its witness.
fn finding(old: Finding4, trial: &TrialKey) -> Finding {
    let Finding4 { kind, verdict, sentence, witness, remedy } = old;
    let (subject, trials) = (Subject::none(), vec![trial.clone()]);
    let (evidence, doubt) = (None, None);
    Finding {
        kind,
        verdict,
        accepted: None,
        subject,
        evidence,
        doubt,
        trials,
        sentence,
        witness,
        remedy,
    }
}

fn matrix(old: Matrix4) -> Matrix {
    Matrix {
        format: FORMAT,
        trial: old.trial.into(),
        verdict: old.verdict,
        accepted: None,
        as_expected: old.as_expected,
        expectations: old.expectations.into_iter().map(expectation).collect(),
        mismatches: old.mismatches,
        reason: old.reason,
        ending: None,
        rows: old.rows,
        columns: old.columns,
        cases: old.cells.into_iter().map(case).collect(),
        random: old.random.map(random),
        rounds_left_out: old.rounds_left_out,
        not_compared: old.not_compared,
        outcomes: old.outcomes,
        took_us: old.took_us,
        at_once: old.at_once,
        missing: Vec::new(),
    }
}

fn random(old: RandomDeaths4) -> RandomFaults {
    RandomFaults { tried: old.deaths, injected: old.met, earliest: old.smallest.map(case) }
}

fn case(old: Cell4) -> Case {
    Case {
        fault: old.death.into(),
        outcome: old.outcome,
        seen: old.seen,
        sentence: old.sentence,
        ending: None,
        differences: old.differences,
        broken: old.broken,
        not_compared: old.not_compared,
        reruns: old.reruns,
        took_us: old.took_us,
    }
}
