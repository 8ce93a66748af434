//! Starting states: whether each of them ends where the reference ends.

use crate::history::APPLICATION_ROLE;
use crate::judge::EndState;
use crate::result::evidence::Divergence;
use crate::result::{Evidence, Expectation, Finding, Subject};
use crate::scenario::{Accepted, Scenario, Verdict};
use crate::schema::Difference;

/// What comparing a trial's end with the reference's gives.
#[derive(Debug, Default)]
pub struct Convergence {
    pub findings: Vec<Finding>,
    /// An accepted difference has to occur.
    pub expectations: Vec<Expectation>,
}

/// The schema that the change ends with from this state is the one that it ends with from the
/// reference, but for what the scenario accepts.
pub fn converges(scenario: &Scenario, end: &EndState, reference: &EndState) -> Convergence {
    let accepted = scenario.state(&end.state).map(|state| state.accept.as_slice());
    let accepted = accepted.unwrap_or_default();
    let mut differences = reference.schema.diff(&end.schema);
    // Granted by us where the tables were there before the change, which they are not from an empty
    // database.
    differences.retain(|difference| !is_our_grant(difference));
    Convergence {
        findings: findings(end, reference, &differences, accepted),
        expectations: acceptances(&end.state, &differences, accepted),
    }
}

fn is_our_grant(difference: &Difference) -> bool {
    let grantee = difference.property.strip_prefix("granted to ");
    grantee.is_some_and(|grantee| grantee.starts_with(APPLICATION_ROLE))
}

fn findings(
    end: &EndState,
    reference: &EndState,
    differences: &[Difference],
    accepted: &[Accepted],
) -> Vec<Finding> {
    let covered = |d: &Difference| accepted.iter().any(|a| a.covers(&d.object, &d.property));
    let others: Vec<&Difference> = differences.iter().filter(|d| !covered(d)).collect();
    let (state, from) = (end.state.clone(), reference.state.clone());
    let schema = others.first().map(|first| Divergence::Schema {
        state: state.clone(),
        reference: from.clone(),
        differences: others.len() as u64,
        first: (*first).clone(),
        notice: skip_of(end, first),
    });
    let versions = (reference.versions != end.versions).then(|| Divergence::Versions {
        state: state.clone(),
        reference: from.clone(),
        ends: end.versions.clone(),
        reference_ends: reference.versions.clone(),
    });
    let diverges = |of| Finding::new(Verdict::Unsafe, Subject::none(), Evidence::Diverged(of));
    schema.into_iter().chain(versions).map(diverges).collect()
}

fn acceptances(state: &str, differences: &[Difference], accepted: &[Accepted]) -> Vec<Expectation> {
    let occurs = |a: &Accepted| differences.iter().any(|d| a.covers(&d.object, &d.property));
    let expectation = |accepted: &Accepted| {
        let never =
            || format!("the difference `{accepted}` is accepted from {state} and does not occur");
        let never = (!occurs(accepted)).then(never);
        Expectation::new(format!("the accepted difference `{accepted}` occurs"), never)
    };
    accepted.iter().map(expectation).collect()
}

/// What the server said of the object, where it did not make it because of its name.
fn skip_of(end: &EndState, difference: &Difference) -> Option<String> {
    let name = difference.object.rsplit(['.', ' ']).next()?.trim_matches('"');
    // The name itself comes first: `column "task_id" of relation "spans" already exists`.
    let is_about = |notice: &&String| notice.split('"').nth(1) == Some(name);
    end.skips.iter().find(is_about).cloned()
}
