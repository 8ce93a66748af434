//! Starting states: whether each of them ends where the reference ends.

use crate::history::{CatalogueSnapshot, Reference};
use crate::result::evidence::Divergence;
use crate::result::{Evidence as Shown, Expectation, Finding, Subject};
use crate::scenario::{Accepted, State, Verdict};
use crate::schema::{Difference, Fingerprint};

use super::Evidence;

/// The schema that the change ends with from this state is the one that it ends with from the
/// reference, but for what the scenario accepts.
pub fn diverged(evidence: &Evidence<'_, '_>) -> Vec<Finding> {
    let Some((reference, last)) = ends(evidence) else { return Vec::new() };
    let accepted = accepted(evidence);
    let covered = |d: &Difference| accepted.iter().any(|a| a.covers(&d.object, &d.property));
    let differences = differences(reference, last);
    let others: Vec<&Difference> = differences.iter().filter(|d| !covered(d)).collect();
    let (state, from) = (evidence.state.to_owned(), reference.state.clone());
    let schema = others.first().map(|first| Divergence::Schema {
        state: state.clone(),
        reference: from.clone(),
        differences: others.len() as u64,
        first: (*first).clone(),
        notice: skipped(evidence, first),
    });
    let versions = (reference.versions != last.versions).then(|| Divergence::Versions {
        state: state.clone(),
        reference: from.clone(),
        ends: last.versions.clone(),
        reference_ends: reference.versions.clone(),
    });
    let diverges =
        |divergence| Finding::new(Verdict::Unsafe, Subject::none(), Shown::Diverged(divergence));
    schema.into_iter().chain(versions).map(diverges).collect()
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
    // A change that never came to its end is a finding of its own.
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
