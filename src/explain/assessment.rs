//! Why a change has its verdict, in one sentence.

use crate::assess;
use crate::result::{ChangeAssessment, LintStanding, ResultFile};
use crate::scenario::Verdict;
use crate::trial::TrialKey;

use super::accepted;
use super::files::Files;
use super::prediction::verdict;
use super::remedy::remedy;
use super::sentence::sentence_among;
use super::words::{count, quoted};

/// Planned and missing trials that a sentence names.
const NAMED_MAX: usize = 3;

/// Assesses the changes of a result anew, after its trials have changed.
pub fn assessed(result: &mut ResultFile) {
    let mut changes = assess::changes(result);
    for change in &mut changes {
        // Each trial has the sentences of its own.
        for finding in change.findings.iter_mut().filter(|finding| finding.sentence.is_empty()) {
            finding.sentence = sentence_among(finding, &Files::of_finding(finding));
            finding.remedy = remedy(finding);
        }
        change.reason = reason(change, result);
        change.lints.iter_mut().for_each(|lint| lint.sentence = linted(&lint.standing));
        for acceptance in &mut change.acceptances {
            acceptance.sentence = accepted::outcome(acceptance);
        }
    }
    result.changes = changes;
}

fn reason(change: &ChangeAssessment, result: &ResultFile) -> String {
    let of_trial = change.decided_by.as_ref().and_then(|key| {
        let judgement = result.trials.iter().find(|j| j.trial.key == *key)?;
        Some(match place(change, key) {
            Some(place) => format!("{place}: {}", judgement.reason),
            None => judgement.reason.clone(),
        })
    });
    let is_decisive = |verdict: Verdict| verdict == change.verdict;
    let predicted = predicted(change).filter(|_| of_trial.is_none());
    let mut matrices = result.crash_matrices.iter();
    let matrix =
        matrices.find(|m| m.trial.key.scenario == change.scenario && is_decisive(m.verdict));
    let of_matrix = matrix.map(|matrix| format!("crash matrix: {}", matrix.reason));
    let decided = of_trial.map(|reason| reason + &not_counted(change, result));
    let decided = decided.or(of_matrix).or(predicted);
    match (missing(change), decided) {
        (None, decided) => decided.unwrap_or_else(|| "nothing was tried".to_owned()),
        (Some(missing), Some(decided)) if change.verdict == Verdict::Unsafe => {
            format!("{decided}; {missing}")
        }
        (Some(missing), _) => missing,
    }
}

/// Where the prediction alone decides: what it says.
fn predicted(change: &ChangeAssessment) -> Option<String> {
    let of = change.prediction.as_ref().filter(|of| of.verdict == Some(change.verdict))?;
    let verdict = verdict(of)?;
    let mut findings = change.findings.iter();
    let first = findings.find(|f| f.kind.is_predicted() && f.verdict == change.verdict);
    Some(match (first, of.unknown.first()) {
        (Some(first), _) => format!("{verdict}; {}", first.sentence),
        (None, Some(unknown)) => {
            let unknown = quoted(unknown, &Files::default());
            format!("{verdict}; {unknown} did not run, or failed, at too many sizes")
        }
        (None, None) => verdict,
    })
}

/// What a crash matrix shows and the verdict does not count, as the end of a trial's reason.
fn not_counted(change: &ChangeAssessment, result: &ResultFile) -> String {
    let of_it = result.crash_matrices.iter().filter(|m| m.trial.key.scenario == change.scenario);
    let accepted = of_it.filter_map(|matrix| matrix.accepted.as_ref());
    let said = |by| format!("; crash matrix{}", accepted::accepted(by).replacen(';', ":", 1));
    accepted.map(said).collect()
}

/// What came of a linter's warning.
fn linted(standing: &LintStanding) -> String {
    match standing {
        LintStanding::Confirmed { by, waited_us: Some(waited) } => {
            format!("confirmed: operations waited up to {waited} ({by})")
        }
        LintStanding::Confirmed { by, waited_us: None } => format!("confirmed: {by} was found"),
        LintStanding::Refuted { took_us, relation: Some(relation), rows } => {
            let rows = count(*rows, "row");
            format!("refuted at this size: it took {took_us} with {rows} in {relation}")
        }
        LintStanding::Refuted { took_us, relation: None, .. } => {
            format!("refuted here: it took {took_us}")
        }
        LintStanding::NotExercised => {
            "not exercised: no table with rows was locked under an application".to_owned()
        }
    }
}

/// What tells the trial from the change's others; None: there is no other.
fn place(change: &ChangeAssessment, key: &TrialKey) -> Option<String> {
    let place = key.place(&TrialKey::varying(change.trials.iter()));
    (!place.is_empty()).then_some(place)
}

fn missing(change: &ChangeAssessment) -> Option<String> {
    let missing = change.missing.len();
    let named = change.missing.iter().take(NAMED_MAX).cloned().collect::<Vec<_>>().join("; ");
    let more = match missing.saturating_sub(NAMED_MAX) {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    let what = count(missing as u64, "planned trial");
    (missing > 0).then(|| format!("{what} did not run: {named}{more}"))
}
