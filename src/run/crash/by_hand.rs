//! What an operator would try where a rerun fails, one step after the other.

use std::collections::BTreeMap;

use crate::connect::Session;
use crate::history::{AttemptEnd, Event, StepEvent};
use crate::scenario::{Change, Step};
use crate::schema::Fingerprint;
use crate::{migrate, observe};

use super::super::Error;
use super::super::trial::Place;
use super::cell::Cells;

/// The number of the first attempt after a step.
const FIRST: u32 = 2;

/// Applies the change again after each step, until an attempt succeeds or no step is left.
pub async fn by_hand(
    cells: &Cells<'_>,
    place: &Place<'_>,
    before: &Fingerprint,
    failed: &AttemptEnd,
) -> Result<(), Error> {
    let change = &cells.start.scenario.change;
    let session = Session::open(place.address, "pgauntlet by hand", &BTreeMap::new()).await?;
    let mut steps = drop_invalid_indexes(before, &session).await?;
    steps.extend(cells.start.scenario.crash.iter().flat_map(|crash| crash.steps.clone()));
    steps.extend(record_the_version(&session, change, failed).await?);
    for (attempt, step) in (FIRST..).zip(steps) {
        let mut error = None;
        for statement in &step.statements {
            if let Err(refused) = session.batch(statement).await {
                error = refused.server_error().cloned();
                break;
            }
        }
        let Step { name, statements } = step;
        let event = StepEvent { before: attempt, name, statements, error };
        place.recorder.record(Event::Step(event));
        if matches!(cells.apply(place, attempt, &[]).await?, AttemptEnd::Finished { .. }) {
            break;
        }
    }
    Ok(())
}

/// What an aborted CREATE INDEX CONCURRENTLY left.
async fn drop_invalid_indexes(before: &Fingerprint, session: &Session) -> Result<Vec<Step>, Error> {
    let now = observe::fingerprint(session).await?;
    let known = before.invalid_indexes();
    let invalid: Vec<&str> =
        now.invalid_indexes().into_iter().filter(|index| !known.contains(index)).collect();
    if invalid.is_empty() {
        return Ok(Vec::new());
    }
    let statements = invalid.iter().map(|i| format!("DROP INDEX CONCURRENTLY {i}")).collect();
    let name = format!("DROP INDEX CONCURRENTLY {}", invalid.join(", "));
    Ok(vec![Step { name, statements }])
}

/// As `alembic stamp` does: what the migration made is there, and only its version is not.
async fn record_the_version(
    session: &Session,
    change: &Change,
    failed: &AttemptEnd,
) -> Result<Option<Step>, Error> {
    let AttemptEnd::Failed { migration, .. } = failed else { return Ok(None) };
    let statement = migrate::record_by_hand(session, change, migration).await?;
    let name = format!("recording the version {migration} by hand");
    Ok(statement.map(|statement| Step { name, statements: vec![statement] }))
}
