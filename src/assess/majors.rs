//! What the same change comes to on servers of several majors.

use std::collections::{BTreeMap, BTreeSet};

use crate::result::evidence::{DifferingMajors, OfMajors};
use crate::result::{Evidence, Finding, Subject};
use crate::scenario::{FindingKind, Verdict};
use crate::trial::{Axis, TrialKey};

use super::accepted::Tried;

/// What it comes to on one of them.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Outcome {
    verdict: Verdict,
    findings: BTreeSet<FindingKind>,
}

/// Where verdict or findings are not the same on all of them. Several trials of a major count as
/// one: what one of them shows, the change shows there.
pub fn differ(Tried { trials, matrices, .. }: Tried<'_>) -> Option<Finding> {
    let mut by_major: BTreeMap<u32, (Outcome, Vec<TrialKey>)> = BTreeMap::new();
    let of_trials = trials.iter().map(|judgement| {
        let worse = judgement.findings.iter().filter(|f| f.verdict > Verdict::Safe);
        (&judgement.trial.key, judgement.verdict, worse.map(|f| f.kind).collect())
    });
    let of_matrices = matrices.iter().map(|matrix| {
        let is_clean = matrix.verdict == Verdict::Safe;
        let crash = (!is_clean).then_some(FindingKind::Crash);
        (&matrix.trial.key, matrix.verdict, crash.into_iter().collect())
    });
    for (key, verdict, findings) in of_trials.chain(of_matrices) {
        let findings: Vec<FindingKind> = findings;
        let major = key.get(&Axis::SERVER)?.parse().ok()?;
        let blank = || (Outcome { verdict: Verdict::Safe, findings: BTreeSet::new() }, Vec::new());
        let (outcome, keys) = by_major.entry(major).or_insert_with(blank);
        outcome.verdict = outcome.verdict.max(verdict);
        outcome.findings.extend(findings);
        keys.push(key.clone());
    }
    let mut alike: BTreeMap<Outcome, Vec<u32>> = BTreeMap::new();
    let mut shown_by = Vec::new();
    for (major, (outcome, keys)) in by_major {
        alike.entry(outcome).or_default().push(major);
        shown_by.extend(keys);
    }
    if alike.len() < 2 {
        return None;
    }
    let of = |(outcome, majors): (Outcome, Vec<u32>)| OfMajors {
        majors,
        verdict: outcome.verdict,
        findings: outcome.findings.into_iter().collect(),
    };
    let outcomes = alike.into_iter().rev().map(of).collect();
    let shown = Evidence::MajorsDiffer(DifferingMajors { outcomes });
    // The verdict is the worst of all trials already.
    let finding = Finding::new(Verdict::Safe, Subject::none(), shown);
    Some(Finding { trials: shown_by, ..finding })
}
