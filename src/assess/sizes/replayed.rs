//! The model of the pool, held against a stall that a trial measured.

use crate::clock::Micros;
use crate::pg::facts::RelationName;
use crate::pg::{LockMode, SqlState};
use crate::result::evidence::Stalled;
use crate::result::{Evidence, Judgement, ReplayedStall};
use crate::scenario::{OperationSpec, Scenario};

use super::holds::is_stopped;
use super::outlook::rows_of_largest;
use super::replay::replay;
use super::series::strong_locks;

/// What ends an operation that waits, beside the pool: lock_timeout and statement_timeout.
const GIVEN_UP: [&str; 2] = [SqlState::LOCK_NOT_AVAILABLE, SqlState::QUERY_CANCELED];

/// The longest stall of the trial, with what the model makes of a hold of its length; None: nothing
/// stalled, or the lock is not known.
pub fn replayed(scenario: &Scenario, trial: &Judgement) -> Option<ReplayedStall> {
    let stalls = trial.findings.iter().filter_map(|finding| match &finding.evidence {
        Some(Evidence::Stall(stall)) => Some((stall, finding.subject.relation.as_deref()?)),
        _ => None,
    });
    let (stall, relation) = stalls.max_by_key(|(stall, _)| length(stall))?;
    let name = RelationName::unquoted(relation);
    let mode = strongest_on(&name, trial)?;
    let operations = scenario.traffic.operations.iter();
    let stopped: Vec<&OperationSpec> = operations.filter(|o| is_stopped(o, &name, mode)).collect();
    (!stopped.is_empty()).then(|| ReplayedStall {
        rows: rows_of_largest(trial),
        relation: relation.to_owned(),
        held_us: length(stall),
        exhausted_after_us: trial.measured.time_to_exhaustion_us,
        failed: failed(trial),
        replayed: replay(scenario, trial, &stopped, length(stall)),
    })
}

/// Where a timeout ends each wait, no operation waits for as long as the lock is held.
fn length(stall: &Stalled) -> Micros {
    stall.longest_us.max(stall.to_us - stall.from_us)
}

fn strongest_on(relation: &RelationName, trial: &Judgement) -> Option<LockMode> {
    let rows = trial.measured.statements.iter().filter(|row| row.attempt == 0);
    let locks = rows.flat_map(|row| strong_locks(row, trial));
    locks.filter(|(name, _)| name.may_be(relation)).map(|(_, mode)| mode).max()
}

fn failed(trial: &Judgement) -> u64 {
    let errors = trial.measured.application_errors.iter();
    let given_up = errors.filter(|(what, _)| GIVEN_UP.iter().any(|state| what.starts_with(state)));
    trial.measured.operations.acquire_timeouts + given_up.map(|(_, count)| count).sum::<u64>()
}
