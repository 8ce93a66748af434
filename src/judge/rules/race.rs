//! Who ends in a deadlock is chance: what would have come of it, had the other one been the victim.

use crate::clock::Micros;
use crate::history::{Operation, Role, SessionId};
use crate::pg::syntax::Kind;
use crate::result::evidence::{Opponent, Race, WorstSide};
use crate::scenario::Verdict;

use super::super::trace::StatementRecord;
use super::super::waits::LockWait;
use super::Evidence;

/// The server looks for a deadlock after so long by default, and ends it at once.
const LAST_SEEN_MAX: Micros = Micros::from_secs(2);

/// Of a deadlock that ended a statement of the change.
pub fn of_change(evidence: &Evidence<'_, '_>, victim: &StatementRecord<'_>) -> Option<Race> {
    let at = victim.span(evidence.trace.end).1;
    let wait = last_wait(evidence, &victim.session, at)?;
    let other = wait.blockers.iter().max_by_key(|b| (b.blocked, b.hard))?.session.clone();
    let running = running(evidence, &other, at);
    let with = match evidence.trace.role(&other) {
        Some(Role::Change) => {
            let attempt = running.map_or(victim.began.attempt, |s| s.began.attempt);
            match attempt == victim.began.attempt {
                true => Opponent::OtherConnection,
                false => Opponent::Runner(attempt + 1),
            }
        }
        Some(Role::Application) => Opponent::Application,
        _ => Opponent::Other(evidence.trace.name(&other)),
    };
    let sides = [Some(victim), running];
    let worst = match leaves(evidence, &sides) {
        Some(worst) => worst,
        None if with == Opponent::Application => WorstSide::FailedOperation,
        None => WorstSide::RolledBack,
    };
    let statement = running.map(|record| evidence.refer(record));
    Some(Race { with, statement, mode: wait.mode.clone(), locktype: wait.locktype.clone(), worst })
}

/// Of a deadlock with the change that ended an operation of the application.
pub fn of_operation(evidence: &Evidence<'_, '_>, operation: &Operation) -> Option<Race> {
    let at = operation.finished_us;
    let session = evidence.trace.session(operation.session.as_ref()?, operation.acquired_us?);
    let wait = last_wait(evidence, &session, at)?;
    let mut changes = wait.blockers.iter().filter(|b| evidence.trace.is_change(&b.session));
    let change = running(evidence, &changes.next()?.session, at)?;
    let worst = leaves(evidence, &[Some(change)]).unwrap_or(WorstSide::RolledBack);
    let statement = Some(evidence.refer(change));
    let (mode, locktype) = (wait.mode.clone(), wait.locktype.clone());
    Some(Race { with: Opponent::Application, statement, mode, locktype, worst })
}

/// What the change is with the worst outcome that could have been.
pub fn verdict(evidence: &Evidence<'_, '_>, race: Option<&Race>, otherwise: Verdict) -> Verdict {
    let bears_none = evidence.scenario.limits.failed_operations_max == 0;
    match race.map(|race| &race.worst) {
        Some(
            WorstSide::InvalidIndex(_)
            | WorstSide::HalfDroppedIndex(_)
            | WorstSide::PendingDetach(_),
        ) => Verdict::Unsafe,
        Some(WorstSide::FailedOperation) if bears_none => Verdict::Unsafe,
        Some(WorstSide::FailedOperation | WorstSide::RolledBack) | None => otherwise,
    }
}

fn last_wait<'e>(
    evidence: &Evidence<'e, '_>,
    session: &SessionId,
    at: Micros,
) -> Option<&'e LockWait> {
    let span = (at - LAST_SEEN_MAX, at);
    let near = |wait: &&LockWait| wait.from < span.1 && wait.last_seen >= span.0;
    evidence.waits.within(session, span).filter(near).max_by_key(|wait| wait.last_seen)
}

/// The statement of the change that the session ran, or had run last, at that time.
fn running<'e, 'h>(
    evidence: &Evidence<'e, 'h>,
    session: &SessionId,
    at: Micros,
) -> Option<&'e StatementRecord<'h>> {
    let own = evidence.sessions.iter().filter(|s| s.id == *session);
    let begun = own.flat_map(|s| s.statements.iter().copied()).filter(|record| record.at <= at);
    begun.max_by_key(|record| record.at)
}

/// What one of the statements leaves where it fails, for it is more than one transaction.
fn leaves(
    evidence: &Evidence<'_, '_>,
    sides: &[Option<&StatementRecord<'_>>],
) -> Option<WorstSide> {
    let of = |record: &StatementRecord<'_>| {
        let known = || evidence.refer(record);
        match record.kind() {
            Kind::CreateIndex { concurrently: true, .. } | Kind::ReindexConcurrently => {
                Some(WorstSide::InvalidIndex(known()))
            }
            Kind::DropIndex { concurrently: true } => Some(WorstSide::HalfDroppedIndex(known())),
            Kind::DetachConcurrently => Some(WorstSide::PendingDetach(known())),
            _ => None,
        }
    };
    sides.iter().flatten().copied().find_map(of)
}
