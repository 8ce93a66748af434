//! What one trial shows, before it is set beside others.

use crate::clock::Micros;
use crate::history::{CatalogueSnapshot, Reference, TrialFacts};
use crate::result::{Ending, Finding, Margin, Measured};
use crate::schema::Fingerprint;

use super::rules::Evidence;

/// One trial by itself. Which verdict it amounts to is `assess`'s to say.
#[derive(Clone, Debug, PartialEq)]
pub struct Observation {
    /// The trial that was observed.
    pub trial: TrialFacts,
    /// What this trial alone can show, in the order of the rules.
    pub findings: Vec<Finding>,
    /// How the change and its reruns ended.
    pub ending: Ending,
    /// The scenario's limits and what was observed of each.
    pub margins: Vec<Margin>,
    /// The numbers.
    pub measured: Measured,
    /// From the trial's begin to its end.
    pub took_us: Micros,
    /// What the change left; None: it never came to its end.
    pub end: Option<EndState>,
    /// What this trial was to be compared with, where its own history holds it, as one of format 4
    /// does.
    pub recorded_reference: Option<EndState>,
}

/// The catalogue and the versions at a trial's end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EndState {
    /// Name of the starting state.
    pub state: String,
    /// The catalogue, as it is compared.
    pub schema: Fingerprint,
    /// Rows of the version table, in order.
    pub versions: Vec<String>,
    /// What the server said of objects that it did not make because their name was taken.
    pub skips: Vec<String>,
}

impl EndState {
    pub(super) fn of(evidence: &Evidence<'_, '_>) -> Option<EndState> {
        evidence.first_success()?;
        let last: &CatalogueSnapshot = evidence.trace.catalogues.last()?;
        let ended = evidence.trace.statements();
        let notices = ended.filter_map(|s| s.ended).flat_map(|ended| &ended.notices);
        let skips = notices.filter(|notice| notice.contains("already exists, skipping"));
        Some(EndState {
            state: evidence.state.to_owned(),
            schema: Fingerprint { objects: last.objects.clone() },
            versions: last.versions.clone(),
            skips: skips.cloned().collect(),
        })
    }

    pub(super) fn recorded(reference: &Reference) -> EndState {
        EndState {
            state: reference.state.clone(),
            schema: Fingerprint { objects: reference.objects.clone() },
            versions: reference.versions.clone(),
            skips: Vec::new(),
        }
    }
}
