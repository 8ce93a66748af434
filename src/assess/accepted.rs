//! Findings that are accepted: they stay, with the reason, and the verdict does not count them.
//!
//! A change that never came to its end is accepted in nothing, and so is what the evidence does not
//! prove: nobody knows what would be accepted.

use crate::result::{AcceptanceEnd, AcceptanceOutcome, AcceptedAs, Ending, Finding, Judgement};
use crate::scenario::{Acceptance, Scenario, Verdict};

/// Marks what is accepted among the findings of a trial.
pub fn accept(scenario: &Scenario, ending: &Ending, time: &str, findings: &mut [Finding]) {
    if ending.first_success.is_none() {
        return;
    }
    let holding = scenario.acceptances.iter().filter(|one| one.holds_at(time));
    let mut holding: Vec<&Acceptance> = holding.collect();
    // One that names the finding says more than one of all.
    holding.sort_by_key(|one| one.kind.is_none());
    for finding in findings {
        let mut holding = holding.iter();
        let Some(by) = holding.find(|one| covers(one, finding, finding.verdict)) else { continue };
        finding.accepted = Some(AcceptedAs {
            verdict: finding.verdict,
            reason: by.reason.clone(),
            place: by.place(),
            until: by.until.clone(),
        });
        finding.verdict = Verdict::Safe;
    }
}

/// Whether it is about the finding, which has that verdict where nothing is accepted.
fn covers(one: &Acceptance, finding: &Finding, verdict: Verdict) -> bool {
    let file = finding.subject.statement.as_ref().and_then(|statement| statement.file.as_ref());
    let within = one.within.as_ref().is_none_or(|within| file == Some(within));
    let is_meant = match one.kind {
        Some(kind) => kind == finding.kind,
        // What is unproven breaks no rule that is known.
        None => matches!(verdict, Verdict::Bounded | Verdict::Unsafe),
    };
    is_meant && within && finding.doubt.is_none() && finding.kind.may_be_accepted()
}

/// What came of each acceptance of the scenario. `is_whole`: nothing that was planned is missing.
pub fn outcomes(
    scenario: &Scenario,
    trials: &[&Judgement],
    is_whole: bool,
) -> Vec<AcceptanceOutcome> {
    let outcome = |one: &Acceptance| AcceptanceOutcome {
        kind: one.kind,
        reason: one.reason.clone(),
        file: one.file.clone(),
        line: one.line,
        until: one.until.clone(),
        in_change: one.in_change,
        came: came(one, trials, is_whole),
        sentence: String::new(),
    };
    scenario.acceptances.iter().map(outcome).collect()
}

fn came(one: &Acceptance, trials: &[&Judgement], is_whole: bool) -> AcceptanceEnd {
    let used = |finding: &Finding| {
        finding.accepted.as_ref().is_some_and(|by| covers(one, finding, by.verdict))
    };
    let holding: Vec<&&Judgement> =
        trials.iter().filter(|judgement| one.holds_at(&judgement.trial.started_at)).collect();
    let proves = |judgement: &&Judgement| {
        judgement.ending.first_success.is_some()
            && judgement.findings.iter().all(|finding| finding.verdict != Verdict::Unproven)
    };
    match () {
        () if holding.iter().any(|judgement| judgement.findings.iter().any(used)) => {
            AcceptanceEnd::Used
        }
        () if holding.len() < trials.len() => AcceptanceEnd::Ended,
        () if is_whole && !trials.is_empty() && trials.iter().all(proves) => AcceptanceEnd::Unused,
        () => AcceptanceEnd::NotKnown,
    }
}
