//! Clients of the change that the tap did not let in.

use crate::history::{AttemptEnd, ConnectionRefused, RefusedFor};
use crate::result::evidence::RefusedConnection;
use crate::result::{Evidence as Shown, Finding, Subject};
use crate::scenario::Verdict;

use super::super::trace::AttemptRecord;
use super::Evidence;

/// One finding per reason. What the change would have done elsewhere is unknown. A wrong password
/// beside a change that came to its end may be of anybody on this machine.
pub fn connections(evidence: &Evidence<'_, '_>) -> Vec<Finding> {
    let all: Vec<(&AttemptRecord<'_>, &ConnectionRefused)> = evidence
        .trace
        .attempts
        .iter()
        .flat_map(|attempt| attempt.refused.iter().map(move |refused| (attempt, *refused)))
        .collect();
    let of = |why: RefusedFor| {
        let mut these = all.iter().filter(|(_, refused)| refused.why == why);
        let (attempt, first) = these.next()?;
        let connection = RefusedConnection {
            application: evidence.application(attempt.attempt),
            why,
            user: first.user.clone(),
            database: first.database.clone(),
            error: first.error.clone(),
            others: these.clone().count() as u64,
        };
        let hindered = these.chain([&(*attempt, *first)]).any(|(a, _)| !a.finished());
        let verdict = match why {
            RefusedFor::Password if !hindered => Verdict::Safe,
            _ => Verdict::Unproven,
        };
        let shown = Shown::ConnectionRefused(connection);
        Some(Finding::new(verdict, Subject::none(), shown))
    };
    [RefusedFor::Database, RefusedFor::User, RefusedFor::Password]
        .into_iter()
        .filter_map(of)
        .collect()
}

/// Whether the attempt failed by that.
pub fn failed_so(attempt: &AttemptRecord<'_>) -> bool {
    let Some(AttemptEnd::Failed { error, .. }) = attempt.end else { return false };
    attempt.refused.iter().any(|refused| refused.error == **error)
}
