//! Findings that are accepted: they stay, with the reason, and the verdict does not count them.
//!
//! A change that never came to its end is accepted in nothing, and so is what the evidence does not
//! prove: nobody knows what would be accepted.

use crate::result::{
    AcceptanceEnd, AcceptanceOutcome, AcceptedAs, Ending, Finding, Judgement, Matrix,
};
use crate::scenario::{Acceptance, FindingKind, Scenario, Verdict};

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
        finding.accepted = Some(accepted_as(by, finding.verdict));
        finding.verdict = Verdict::Safe;
    }
}

fn accepted_as(by: &Acceptance, verdict: Verdict) -> AcceptedAs {
    let (reason, place, until) = (by.reason.clone(), by.place(), by.until.clone());
    AcceptedAs { verdict, reason, place, until }
}

/// Why a crash matrix with that verdict does not count; None: nobody accepts it. `files`: those of
/// the statements at which a case did not end clean.
pub fn accepted_crash(
    scenario: &Scenario,
    time: &str,
    verdict: Verdict,
    files: &[Option<&str>],
) -> Option<AcceptedAs> {
    // What is unproven breaks no rule that is known.
    if !matches!(verdict, Verdict::Bounded | Verdict::Unsafe) {
        return None;
    }
    let covers = |one: &&Acceptance| {
        let within = |within: &String| files.iter().all(|file| *file == Some(within.as_str()));
        is_of_crashes(one) && one.holds_at(time) && one.within.as_ref().is_none_or(within)
    };
    let covering = scenario.acceptances.iter().filter(covers);
    // One that names it says more than one of all.
    let by = covering.min_by_key(|one| one.kind.is_none())?;
    Some(accepted_as(by, verdict))
}

/// Whether it may be about a crash matrix.
fn is_of_crashes(one: &Acceptance) -> bool {
    one.kind.is_none_or(|kind| kind == FindingKind::Crash)
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

/// All that was tried of a change.
#[derive(Clone, Copy)]
pub struct Tried<'t> {
    pub trials: &'t [&'t Judgement],
    pub matrices: &'t [&'t Matrix],
    /// A change of the user's own, whose faults were left out: another try injects them.
    pub without_faults: bool,
}

/// What came of each acceptance of the scenario. `is_whole`: nothing that was planned is missing.
pub fn outcomes(scenario: &Scenario, tried: Tried<'_>, is_whole: bool) -> Vec<AcceptanceOutcome> {
    let outcome = |one: &Acceptance| AcceptanceOutcome {
        kind: one.kind,
        reason: one.reason.clone(),
        file: one.file.clone(),
        line: one.line,
        until: one.until.clone(),
        in_change: one.in_change,
        came: came(one, tried, is_whole),
        sentence: String::new(),
    };
    scenario.acceptances.iter().map(outcome).collect()
}

fn came(one: &Acceptance, tried: Tried<'_>, is_whole: bool) -> AcceptanceEnd {
    let Tried { trials, matrices, without_faults } = tried;
    let used = |finding: &Finding| {
        finding.accepted.as_ref().is_some_and(|by| covers(one, finding, by.verdict))
    };
    let place = one.place();
    let used_by_matrix = |matrix: &&Matrix| {
        let by = matrix.accepted.as_ref();
        is_of_crashes(one) && by.is_some_and(|by| by.place == place)
    };
    let started = trials.iter().map(|judgement| &judgement.trial);
    let started = started.chain(matrices.iter().map(|matrix| &matrix.trial));
    let held: Vec<bool> = started.map(|trial| one.holds_at(&trial.started_at)).collect();
    let of_trials = one.kind != Some(FindingKind::Crash);
    let trials: Vec<&&Judgement> = trials.iter().filter(|_| of_trials).collect();
    let matrices: Vec<&&Matrix> = matrices.iter().filter(|_| is_of_crashes(one)).collect();
    let proves = |judgement: &&&Judgement| {
        judgement.ending.first_success.is_some()
            && judgement.findings.iter().all(|finding| finding.verdict != Verdict::Unproven)
    };
    // What a comment in the change accepts may be what its faults leave behind.
    let may_be_of_faults = one.in_change && one.kind.is_none() && without_faults;
    let is_proven = !may_be_of_faults
        && trials.iter().all(proves)
        && matrices.iter().all(|matrix| matrix.verdict != Verdict::Unproven)
        && !(trials.is_empty() && matrices.is_empty());
    match () {
        () if trials.iter().any(|judgement| judgement.findings.iter().any(used))
            || matrices.iter().any(|matrix| used_by_matrix(matrix)) =>
        {
            AcceptanceEnd::Used
        }
        () if held.contains(&false) => AcceptanceEnd::Ended,
        () if is_whole && is_proven => AcceptanceEnd::Unused,
        () => AcceptanceEnd::NotKnown,
    }
}
