//! Each trial's own verdict, with the trial beside it that it has to converge with.

use std::collections::BTreeMap;

use crate::judge::{EndState, Observation};
use crate::result::evidence::FailedMeasurement;
use crate::result::{Evidence, Expectation, FORMAT, Finding, Judgement, Subject};
use crate::scenario::{Expect, FindingKind, Scenario, Verdict};
use crate::trial::{Axis, TrialKey};

use super::accepted;
use super::states::{Convergence, converges};

/// What the end of a trial is compared with.
#[derive(Clone, Copy, Debug)]
pub enum Against<'r> {
    /// It is the reference itself, or the only one.
    Nothing,
    /// The catalogue and the versions that another trial ended with.
    End(&'r EndState),
    /// From the reference state the change never came to its end.
    Unfinished,
    /// The trial from the reference state is not here.
    Absent,
}

/// The key of the trial that this one has to converge with: the same but for its starting state.
/// None: it is that trial.
pub fn reference_of(scenario: &Scenario, key: &TrialKey) -> Option<TrialKey> {
    let states = scenario.starting_states();
    let first = states.first().filter(|first| first.name != key.state())?;
    (!key.state().is_empty()).then(|| key.clone().with(Axis::STATE, &first.name))
}

/// Judges all of these, in their order, each beside its reference.
pub fn trials(observed: Vec<(Scenario, Observation)>) -> Vec<Judgement> {
    let ends: BTreeMap<TrialKey, Option<EndState>> =
        observed.iter().map(|(_, o)| (o.trial.key.clone(), o.end.clone())).collect();
    let judged = observed.into_iter().map(|(scenario, observation)| {
        let reference = reference_of(&scenario, &observation.trial.key);
        let against = match reference.map(|key| ends.get(&key)) {
            None => Against::Nothing,
            Some(None) => Against::Absent,
            Some(Some(None)) => Against::Unfinished,
            Some(Some(Some(end))) => Against::End(end),
        };
        trial(&scenario, observation, against)
    });
    judged.collect()
}

/// Judges one. Sentences are left empty: `explain` makes them.
pub fn trial(scenario: &Scenario, observation: Observation, against: Against<'_>) -> Judgement {
    let recorded = observation.recorded_reference.as_ref();
    let against = match (against, recorded) {
        (Against::Nothing | Against::Absent, Some(end)) => Against::End(end),
        (against, _) => against,
    };
    let Convergence { findings: apart, expectations: acceptances } =
        match (against, &observation.end) {
            (Against::End(reference), Some(end)) => converges(scenario, end, reference),
            // That the reference failed is its own trial's finding, and the change's verdict.
            (Against::Unfinished, Some(_)) => {
                let message = "from there the change never came to its end";
                not_compared(Verdict::Safe, message)
            }
            (Against::Absent, Some(_)) => {
                not_compared(Verdict::Unproven, "the trial from there is not in this result")
            }
            // A change that never came to its end is a finding of its own.
            (Against::Nothing, _) | (_, None) => Convergence::default(),
        };
    let mut findings = observation.findings;
    findings.extend(apart);
    accepted::accept(scenario, &observation.ending, &observation.trial.started_at, &mut findings);
    let key = observation.trial.key.clone();
    findings.iter_mut().for_each(|finding| finding.trials = vec![key.clone()]);
    // The worst first, what is accepted behind it; within a verdict, in the order of the rules.
    let accepted = |finding: &Finding| finding.accepted.as_ref().map(|by| by.verdict);
    findings.sort_by_key(|finding| std::cmp::Reverse((finding.verdict, accepted(finding))));
    let verdict = findings.iter().map(|f| f.verdict).max().unwrap_or(Verdict::Safe);
    let expect = expected(scenario, observation.trial.key.state());
    let mut expectations = expectations(expect, verdict, &findings);
    expectations.extend(acceptances);
    let mismatches = Expectation::mismatches(&expectations);
    let mut ending = observation.ending;
    if let (Against::End(reference), Some(_)) = (against, &observation.end) {
        ending.converged_with = Some(reference.state.clone());
    }
    Judgement {
        format: FORMAT,
        trial: observation.trial,
        verdict,
        as_expected: mismatches.is_empty(),
        expectations,
        mismatches,
        reason: String::new(),
        ending,
        findings,
        margins: observation.margins,
        measured: observation.measured,
        took_us: observation.took_us,
    }
}

fn not_compared(verdict: Verdict, message: &str) -> Convergence {
    let evidence = Evidence::MeasurementFailed(FailedMeasurement::Stage {
        stage: "comparing with the reference state".to_owned(),
        message: message.to_owned(),
    });
    let finding = Finding::new(verdict, Subject::none(), evidence);
    Convergence { findings: vec![finding], expectations: Vec::new() }
}

/// What is expected of the trial's starting state.
fn expected<'s>(scenario: &'s Scenario, state: &str) -> &'s Expect {
    let state = scenario.state(state);
    state.and_then(|state| state.expect.as_ref()).unwrap_or(&scenario.expect)
}

/// What is expected, and where the outcome is another one.
fn expectations(expect: &Expect, verdict: Verdict, findings: &[Finding]) -> Vec<Expectation> {
    let found = |kind: &FindingKind| findings.iter().any(|f| f.kind == *kind);
    // A finding that only informs fulfils no expectation.
    let counts =
        |kind: &FindingKind| findings.iter().any(|f| f.kind == *kind && f.verdict > Verdict::Safe);
    let mut expectations = vec![Expectation::verdict(&expect.verdict, verdict)];
    let wanted = expect.findings.iter().map(|kind| Expectation::found(*kind, counts(kind)));
    expectations.extend(wanted);
    let unwanted = expect.absent.iter().map(|kind| Expectation::not_found(*kind, found(kind)));
    expectations.extend(unwanted);
    expectations
}
