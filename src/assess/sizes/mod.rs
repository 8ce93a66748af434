//! What the trials of a change at several sizes say of a size that was not tried.

mod holds;
mod outlook;
mod replay;
mod replayed;
mod series;

use crate::result::evidence::{PredictedStall, PredictedTimeout};
use crate::result::{Evidence, Finding, Judgement, Prediction, Subject};
use crate::scenario::Verdict;
use crate::stats::COVERAGE;
use crate::trial::Axis;

use outlook::Outlook;

pub use outlook::{Sized, likely};
pub use replayed::replayed as replayed_stall;

/// A chance that is not to be passed over.
const CHANCE_MIN: f64 = 0.05;
/// Where no law fits, nothing but this is evidence.
const CHANCE_SURE: f64 = 0.95;

/// What is predicted; None: too few sizes were tried to predict anything. The trials are those from
/// the first state, under the first condition and on the first server.
pub fn predict(of: Sized<'_>) -> Option<Prediction> {
    let first = of.trials.first()?;
    let alike = |axis: &Axis, j: &Judgement| j.trial.key.get(axis) == first.trial.key.get(axis);
    let axes = [Axis::STATE, Axis::CONDITION, Axis::SERVER];
    let sized = of.trials.iter().copied().filter(|j| {
        j.trial.key.get(&Axis::SIZE).is_some() && axes.iter().all(|axis| alike(axis, j))
    });
    let trials: Vec<&Judgement> = sized.collect();
    let Some(outlook) = Outlook::of(of, trials) else { return nothing(of) };
    let (statements, short) = outlook.statements();
    let holds = holds::holds(&outlook);
    let stalls = outlook.trials.iter().filter_map(|trial| replayed_stall(of.scenario, trial));
    let replayed = stalls.collect();
    let condition = first.trial.key.get(&Axis::CONDITION).unwrap_or_default().to_owned();
    let mut prediction = Prediction {
        condition,
        tried: outlook.tried(),
        at: outlook.asked(),
        verdict: None,
        as_expected: true,
        coverage: COVERAGE,
        statements,
        short,
        unknown: outlook.unknown.iter().map(|row| row.statement.clone()).collect(),
        holds,
        replayed,
    };
    if !of.at.is_empty() {
        let tried = of.trials.iter().map(|j| j.verdict).max().unwrap_or(Verdict::Unproven);
        let predicted = findings(&prediction).into_iter().map(|finding| finding.verdict).max();
        let known = predicted.unwrap_or(Verdict::Safe);
        let predicted = match prediction.unknown.is_empty() {
            true => known,
            false => known.max(Verdict::Unproven),
        };
        prediction.verdict = Some(tried.max(predicted));
        prediction.as_expected = is_expected(of, tried.max(predicted), predicted);
    }
    Some(prediction)
}

/// Of too few sizes nothing follows; where a size is asked about, that is its verdict.
fn nothing(of: Sized<'_>) -> Option<Prediction> {
    let tried = of.trials.iter().map(|j| j.verdict).max().unwrap_or(Verdict::Unproven);
    (!of.at.is_empty()).then(|| Prediction {
        condition: String::new(),
        tried: outlook::tried(of.trials),
        at: of.at.clone(),
        verdict: Some(tried.max(Verdict::Unproven)),
        as_expected: false,
        coverage: COVERAGE,
        statements: Vec::new(),
        short: 0,
        unknown: Vec::new(),
        holds: Vec::new(),
        replayed: Vec::new(),
    })
}

/// What the scenario expects at the size that it asks about; of another size, that a prediction is
/// not worse than what it expects of trials.
fn is_expected(of: Sized<'_>, verdict: Verdict, predicted: Verdict) -> bool {
    let own = of.scenario.sizes.as_ref().filter(|axis| axis.at == *of.at);
    match own.map(|axis| axis.expect.as_slice()) {
        Some(wanted) if !wanted.is_empty() => wanted.contains(&verdict),
        _ => predicted == Verdict::Safe || of.scenario.expect.verdict.contains(&predicted),
    }
}

/// What is found of it: of a size that is asked about it is unsafe, or unproven where no law fits;
/// else it informs.
pub fn findings(prediction: &Prediction) -> Vec<Finding> {
    let is_asked = !prediction.at.is_empty();
    let verdict = |chance: f64, is_known: bool| match is_asked && chance >= CHANCE_MIN {
        true if is_known || chance >= CHANCE_SURE => Verdict::Unsafe,
        true => Verdict::Unproven,
        false => Verdict::Safe,
    };
    let mut found = Vec::new();
    for growth in &prediction.statements {
        let Some(timeout) = &growth.timeout else { continue };
        let subject = Subject {
            relation: Some(growth.table.clone()),
            ..Subject::statement(growth.statement.clone())
        };
        let evidence = PredictedTimeout {
            rows: growth.rows,
            took: growth.took,
            tried: prediction.tried.clone(),
            timeout: timeout.clone(),
        };
        let chance = timeout.chance.unwrap_or_default();
        found.push(Finding::new(
            verdict(chance, growth.law.is_some()),
            subject,
            Evidence::PredictedTimeout(evidence),
        ));
    }
    for hold in prediction.holds.iter().filter(|hold| hold.chance >= CHANCE_MIN && is_asked) {
        let subject = Subject {
            relation: Some(hold.relation.clone()),
            ..Subject::statement(hold.taken_by.clone())
        };
        let evidence = PredictedStall {
            at: prediction.at.clone(),
            tried: prediction.tried.clone(),
            hold: hold.clone(),
        };
        found.push(Finding::new(
            verdict(hold.chance, hold.is_known),
            subject,
            Evidence::PredictedStall(evidence),
        ));
    }
    found
}
