//! The verdict of a change: over all its trials, whatever their axes, and its crash matrix.

use std::collections::BTreeMap;

use crate::lint;
use crate::pg::StatementPlace;
use crate::pg::facts::RelationName;
use crate::result::{
    AcceptanceOutcome, ChangeAssessment, Finding, Judgement, Matrix, Planned, PlannedMatrix,
    PlannedTrial, Prediction, ResultFile, StatementRef,
};
use crate::scenario::{FindingKind, Scenario, Verdict};
use crate::trial::Axis;

use super::accepted::{self, Tried};
use super::majors;
use super::sizes::{self, Sized};

/// One assessment per scenario of the result, in the order of their first trials.
pub fn changes(result: &ResultFile) -> Vec<ChangeAssessment> {
    let mut scenarios: Vec<&str> = Vec::new();
    let planned = result.planned.trials.iter().map(|planned| planned.key.scenario.as_str());
    let of_matrices = result.planned.crash_matrices.iter().map(|p| p.key.scenario.as_str());
    let done = result.facts().map(|trial| trial.key.scenario.as_str());
    for name in done.chain(planned).chain(of_matrices) {
        if !scenarios.contains(&name) {
            scenarios.push(name);
        }
    }
    scenarios.into_iter().map(|name| change(name, result)).collect()
}

fn change(scenario: &str, result: &ResultFile) -> ChangeAssessment {
    let trials: Vec<&Judgement> =
        result.trials.iter().filter(|j| j.trial.key.scenario == scenario).collect();
    let matrices: Vec<&Matrix> =
        result.crash_matrices.iter().filter(|m| m.trial.key.scenario == scenario).collect();
    let missing = missing(scenario, &result.planned, &trials, &matrices);
    let verdicts = trials.iter().map(|j| j.verdict).chain(matrices.iter().map(|m| m.verdict));
    let tried = verdicts.max().unwrap_or(Verdict::Unproven);
    let verdict = match missing.is_empty() {
        true => tried,
        false => tried.max(Verdict::Unproven),
    };
    let stored = result.scenarios.get(scenario).cloned().map(Scenario::from);
    let of = stored.as_ref();
    let prediction = of.and_then(|of| prediction(of, &result.at, &trials, &matrices));
    let predicted: Vec<Finding> = prediction.iter().flat_map(sizes::findings).collect();
    let at_size = prediction.as_ref().and_then(|of| of.verdict);
    let verdict = verdict.max(at_size.unwrap_or(Verdict::Safe));
    // Of equals the one of which most is accepted: it says what the verdict does not count.
    let accepted = |j: &Judgement| {
        let accepted = j.findings.iter().filter_map(|finding| finding.accepted.as_ref());
        accepted.map(|by| by.verdict).max().unwrap_or(Verdict::Safe)
    };
    let equals = trials.iter().filter(|j| j.verdict == verdict);
    let decisive = equals.rev().max_by_key(|j| accepted(j));
    let without_faults = result.answers && matrices.is_empty();
    let tried = Tried { trials: &trials, matrices: &matrices, without_faults };
    // Of a result without its scenario nothing is known.
    let acceptances = of.map(|of| accepted::outcomes(of, tried, missing.is_empty()));
    let acceptances = acceptances.unwrap_or_default();
    let expected = trials.iter().all(|j| j.as_expected)
        && matrices.iter().all(|m| m.as_expected)
        && !acceptances.iter().any(AcceptanceOutcome::is_wrong)
        && prediction.as_ref().is_none_or(|of| of.as_expected);
    ChangeAssessment {
        scenario: scenario.to_owned(),
        verdict,
        as_expected: expected && missing.is_empty(),
        reason: String::new(),
        decided_by: decisive.map(|judgement| judgement.trial.key.clone()),
        findings: findings(&trials)
            .into_iter()
            .chain(majors::differ(tried))
            .chain(predicted)
            .collect(),
        lints: lint::lints(&trials),
        trials: trials.iter().map(|j| j.trial.key.clone()).collect(),
        prediction,
        missing,
        acceptances,
    }
}

/// What its trials at several sizes say of the size that is asked about.
fn prediction(
    scenario: &Scenario,
    asked: &BTreeMap<String, u64>,
    trials: &[&Judgement],
    matrices: &[&Matrix],
) -> Option<Prediction> {
    let tables = || trials.iter().flat_map(|j| j.trial.sizes.keys());
    let is_of_it =
        |asked: &str| tables().any(|table| asked.is_empty() || RelationName::same(table, asked));
    let mut at = asked.clone();
    at.retain(|table, _| is_of_it(table));
    let sized = trials.iter().any(|j| j.trial.key.get(&Axis::SIZE).is_some());
    if at.is_empty() && !sized {
        return None;
    }
    if at.is_empty() {
        at = scenario.sizes.as_ref().map(|axis| axis.at.clone()).unwrap_or_default();
    }
    sizes::predict(Sized { scenario, trials, matrices, at: &at })
}

/// What was planned of the scenario and is not here, by label.
fn missing(
    scenario: &str,
    planned: &Planned,
    trials: &[&Judgement],
    matrices: &[&Matrix],
) -> Vec<String> {
    let lacks = |planned: &&PlannedTrial| {
        planned.key.scenario == scenario && !trials.iter().any(|j| planned.is(&j.trial))
    };
    let lacking = planned.trials.iter().filter(lacks);
    let mut missing: Vec<String> = lacking.map(|planned| planned.label.clone()).collect();
    let lacks = |planned: &&PlannedMatrix| {
        planned.key.scenario == scenario && !matrices.iter().any(|m| planned.is(&m.trial))
    };
    let lacking = planned.crash_matrices.iter().filter(lacks);
    missing.extend(lacking.map(|planned| planned.label.clone()));
    missing.extend(matrices.iter().flat_map(|matrix| matrix.missing.iter().cloned()));
    missing
}

/// What makes findings of several trials one: kind and subject. A statement counts by its place, or
/// by its text where it has none.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct About {
    kind: FindingKind,
    statement: Option<StatementPlace>,
    relation: Option<String>,
    operation: Option<String>,
}

impl About {
    fn of(finding: &Finding) -> About {
        let subject = &finding.subject;
        About {
            kind: finding.kind,
            statement: subject.statement.as_ref().map(StatementRef::place),
            relation: subject.relation.clone(),
            operation: subject.operation.clone(),
        }
    }
}

/// Each once, with all trials that show it; of several, the worst stays.
fn findings(trials: &[&Judgement]) -> Vec<Finding> {
    let mut merged: Vec<Finding> = Vec::new();
    let mut places: BTreeMap<About, usize> = BTreeMap::new();
    for finding in trials.iter().flat_map(|judgement| &judgement.findings) {
        let place = *places.entry(About::of(finding)).or_insert(merged.len());
        match merged.get_mut(place) {
            None => merged.push(finding.clone()),
            Some(known) => {
                let mut shown = known.trials.clone();
                shown.extend(
                    finding.trials.iter().filter(|key| !known.trials.contains(key)).cloned(),
                );
                if finding.verdict > known.verdict {
                    *known = finding.clone();
                }
                known.trials = shown;
            }
        }
    }
    let accepted = |finding: &Finding| finding.accepted.as_ref().map(|by| by.verdict);
    merged.sort_by_key(|finding| std::cmp::Reverse((finding.verdict, accepted(finding))));
    merged
}
