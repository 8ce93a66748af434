//! The verdicts of changes, before those of their trials. A change of which one trial is all that
//! was tried has the verdict of that trial, which is not repeated.

use crate::result::{AcceptanceEnd, AcceptanceOutcome, ChangeAssessment, Finding, ResultFile};
use crate::scenario::Verdict;
use crate::stats::grouped;
use crate::trial::TrialKey;

use super::prediction::lines;
use super::text::{Text, Width};
use super::trial::verdict_style;

/// Changes of which there is something to say that no trial of theirs says: the verdict is about
/// more than one, or something is accepted that is not there.
pub(super) fn several(result: &ResultFile) -> impl Iterator<Item = &ChangeAssessment> {
    result.changes.iter().filter(|change| {
        change.trials.len() + matrices(result, change) > 1
            || !change.missing.is_empty()
            || idle_acceptances(change).next().is_some()
    })
}

/// Acceptances that accept nothing, or of which it is not known.
pub(super) fn idle_acceptances(
    change: &ChangeAssessment,
) -> impl Iterator<Item = &AcceptanceOutcome> {
    change.acceptances.iter().filter(|one| one.came != AcceptanceEnd::Used)
}

/// How many crash matrices of the change there are.
fn matrices(result: &ResultFile, change: &ChangeAssessment) -> usize {
    result.crash_matrices.iter().filter(|m| m.trial.key.scenario == change.scenario).count()
}

/// For a terminal, a paragraph per change; empty: no change has more than one trial.
pub fn changes(result: &ResultFile, width: Width) -> String {
    let mut out = Text::new(width);
    for change in several(result) {
        let style = verdict_style(change.verdict);
        let verdict = change.verdict.as_str().to_uppercase();
        let expected = if change.as_expected { "as expected" } else { "NOT AS EXPECTED" };
        let head = format!("{style}{verdict:<9}{style:#} ");
        let scope = scope(result, change);
        out.paragraph(&head, &format!("{}, {scope}, {expected}", change.scenario));
        out.paragraph("  ", &change.reason);
        for finding in decisive(change) {
            out.paragraph("  ", &shown_by(change, finding));
        }
        for finding in of_all(change) {
            let mark = if finding.verdict > Verdict::Safe { "  ! " } else { "  note " };
            out.paragraph(mark, &format!("{}: {}", finding.kind, finding.sentence));
        }
        for line in change.prediction.iter().flat_map(lines) {
            out.paragraph("  size ", &line);
        }
        for acceptance in idle_acceptances(change) {
            let mark = if acceptance.is_wrong() { "  ! " } else { "  note " };
            out.paragraph(mark, &acceptance.sentence);
        }
        out.blank();
    }
    out.into_string()
}

/// What the verdict is about: `5 trials and a crash matrix`.
pub(super) fn scope(result: &ResultFile, change: &ChangeAssessment) -> String {
    let trials = match change.trials.len() {
        1 => "1 trial".to_owned(),
        n => format!("{} trials", grouped(n as u64)),
    };
    match (change.trials.len(), matrices(result, change)) {
        (_, 0) => trials,
        (0, _) => "a crash matrix".to_owned(),
        (_, 1) => format!("{trials} and a crash matrix"),
        (_, n) => format!("{trials} and {n} crash matrices"),
    }
}

/// Findings that are worse than safe and that some of several trials show.
pub(super) fn decisive(change: &ChangeAssessment) -> impl Iterator<Item = &Finding> {
    let is_one_of_several = change.trials.len() > 1;
    change
        .findings
        .iter()
        .filter(move |f| is_one_of_several && f.verdict > Verdict::Safe && !f.trials.is_empty())
}

/// Findings of all trials together, which none of them shows.
pub(super) fn of_all(change: &ChangeAssessment) -> impl Iterator<Item = &Finding> {
    change.findings.iter().filter(|finding| finding.kind.is_of_all_trials())
}

/// `stall (unsafe) in 2 of 5 trials: from base; from part-way`.
pub(super) fn shown_by(change: &ChangeAssessment, finding: &Finding) -> String {
    let varying = TrialKey::varying(change.trials.iter());
    let places = finding.trials.iter().map(|key| key.place(&varying));
    let places: Vec<String> = places.filter(|place| !place.is_empty()).collect();
    let which = match finding.trials.len() == change.trials.len() || places.is_empty() {
        true => String::new(),
        false => format!(": {}", places.join("; ")),
    };
    format!(
        "{} ({}) in {} of {} trials{which}",
        finding.kind,
        finding.verdict,
        finding.trials.len(),
        change.trials.len()
    )
}
