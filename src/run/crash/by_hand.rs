//! What an operator would try where a rerun fails, one step after the other.

use std::collections::{BTreeSet, VecDeque};

use crate::connect::Session;
use crate::history::{Attempt, AttemptEnd, Event, ServerError, StepEvent};
use crate::scenario::{Change, Scenario, Step};
use crate::schema::Fingerprint;
use crate::{migrate, observe};

use super::super::Error;
use super::super::trial::Place;

/// The number of the first attempt after a step.
const FIRST: Attempt = 2;
/// Nobody waits for ever at a terminal.
const SETTINGS: [(&str, &str); 2] = [("lock_timeout", "10s"), ("statement_timeout", "60s")];

/// Applies the change again after each step, until an attempt succeeds or no step is left. Gives
/// whether one did, and the last attempt. `apply` applies the change.
pub async fn by_hand(
    scenario: &Scenario,
    place: &Place<'_>,
    before: &Fingerprint,
    failed: AttemptEnd,
    apply: impl AsyncFn(Attempt) -> Result<AttemptEnd, Error>,
) -> Result<(bool, Attempt), Error> {
    let settings = SETTINGS.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let session = Session::open(place.address, "pgauntlet by hand", &settings).await?;
    let mut steps = VecDeque::from(drop_invalid_indexes(before, &session).await?);
    steps.extend(scenario.crash.iter().flat_map(|crash| crash.steps.clone()));
    let mut recorded = BTreeSet::new();
    let mut failed = failed;
    for attempt in FIRST.. {
        let step = match steps.pop_front() {
            Some(step) => Some(step),
            None => record_the_version(&session, &scenario.change, &failed, &mut recorded).await?,
        };
        let Some(step) = step else { return Ok((false, attempt - 1)) };
        take(&session, place, step, attempt).await;
        failed = apply(attempt).await?;
        if matches!(failed, AttemptEnd::Finished { .. }) {
            return Ok((true, attempt));
        }
    }
    Ok((false, FIRST))
}

async fn take(session: &Session, place: &Place<'_>, step: Step, before: Attempt) {
    let mut error = None;
    for statement in &step.statements {
        if let Err(refused) = session.batch(statement).await {
            let message = refused.to_string();
            let unknown = ServerError { sqlstate: None, message, detail: None, hint: None };
            error = Some(refused.server_error().cloned().unwrap_or(unknown));
            break;
        }
    }
    let Step { name, statements } = step;
    let step = StepEvent { before, name, statements, error };
    place.recorder.record(Event::Step(step.into()));
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

/// As `alembic stamp` does: what the migration made is there, and only its version is not. Once for
/// each migration at which an attempt failed.
async fn record_the_version(
    session: &Session,
    change: &Change,
    failed: &AttemptEnd,
    recorded: &mut BTreeSet<String>,
) -> Result<Option<Step>, Error> {
    let AttemptEnd::Failed { migration, .. } = failed else { return Ok(None) };
    if !recorded.insert(migration.clone()) {
        return Ok(None);
    }
    let statement = migrate::record_by_hand(session, change, migration).await?;
    let name = format!("recording the version {migration} by hand");
    Ok(statement.map(|statement| Step { name, statements: vec![statement] }))
}
