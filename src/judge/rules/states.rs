//! Starting states: whether each of them ends where the reference ends.

use crate::history::{CatalogueSnapshot, Reference};
use crate::result::{Expectation, Finding};
use crate::scenario::{Accepted, FindingKind, State, Verdict};
use crate::schema::{Difference, Fingerprint};

use super::words::{count, listed};
use super::{Evidence, finding};

/// The schema that the change ends with from this state is the one that it ends with from the
/// reference, but for what the scenario accepts.
pub fn diverged(evidence: &Evidence<'_, '_>) -> Vec<Finding> {
    let Some((reference, last)) = ends(evidence) else { return Vec::new() };
    let accepted = accepted(evidence);
    let covered = |d: &Difference| accepted.iter().any(|a| a.covers(&d.object, &d.property));
    let differences = differences(reference, last);
    let mut others = differences.iter().filter(|difference| !covered(difference));
    let mut findings = Vec::new();
    if let Some(first) = others.next() {
        let more = match others.count() as u64 {
            0 => String::new(),
            more => format!(", and {}", count(more, "more difference")),
        };
        let skipped = skipped(evidence, first).map_or_else(String::new, |notice| {
            format!("; the name was there already, and that was taken for the object ({notice})")
        });
        let sentence = format!(
            "from {} the change ends with another schema than from {}: {first}{more}{skipped}",
            evidence.state, reference.state
        );
        findings.push(diverges(sentence));
    }
    if reference.versions != last.versions {
        let sentence = format!(
            "from {} the change ends with the versions {}, from {} with {}",
            evidence.state,
            listed(&last.versions),
            reference.state,
            listed(&reference.versions)
        );
        findings.push(diverges(sentence));
    }
    findings
}

fn diverges(sentence: String) -> Finding {
    finding(FindingKind::Diverged, Verdict::Unsafe, sentence)
}

/// A difference that is accepted has to be one.
pub fn acceptances(evidence: &Evidence<'_, '_>) -> Vec<Expectation> {
    let Some((reference, last)) = ends(evidence) else { return Vec::new() };
    let differences = differences(reference, last);
    let occurs = |a: &Accepted| differences.iter().any(|d| a.covers(&d.object, &d.property));
    accepted(evidence)
        .iter()
        .map(|accepted| {
            let state = evidence.state;
            let never = || {
                format!("the difference `{accepted}` is accepted from {state} and does not occur")
            };
            let never = (!occurs(accepted)).then(never);
            Expectation::new(format!("the accepted difference `{accepted}` occurs"), never)
        })
        .collect()
}

/// What the reference ended with, and what this trial did.
fn ends<'h>(evidence: &Evidence<'_, 'h>) -> Option<(&'h Reference, &'h CatalogueSnapshot)> {
    let reference = evidence.timeline.reference?;
    let last = evidence.timeline.catalogues.last().copied()?;
    // A change that never came to its end has been told of already.
    evidence.first_success()?;
    Some((reference, last))
}

fn accepted<'e>(evidence: &Evidence<'e, '_>) -> &'e [Accepted] {
    let state = evidence.scenario.state(evidence.state);
    state.map(|state: &State| state.accept.as_slice()).unwrap_or_default()
}

fn differences(reference: &Reference, last: &CatalogueSnapshot) -> Vec<Difference> {
    let from = Fingerprint { objects: reference.objects.clone() };
    from.diff(&Fingerprint { objects: last.objects.clone() })
}

/// What the server said of an object that it did not make because of its name.
fn skipped(evidence: &Evidence<'_, '_>, difference: &Difference) -> Option<String> {
    let name = difference.object.rsplit(['.', ' ']).next()?.trim_matches('"');
    let ended = evidence.timeline.attempts.iter().flat_map(|a| &a.statements);
    let notices = ended.filter_map(|s| s.ended).flat_map(|e| &e.notices);
    // The name itself comes first: `column "task_id" of relation "spans" already exists`.
    let is_about = |notice: &str| notice.split('"').nth(1) == Some(name);
    let skips = |n: &&String| n.contains("already exists, skipping") && is_about(n);
    notices.into_iter().find(skips).cloned()
}
