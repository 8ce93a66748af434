//! What an operator would try where a rerun fails, one step after the other.

use std::collections::{BTreeSet, VecDeque};

use crate::history::{Attempt, AttemptEnd, Event, ServerError, StepEvent};
use crate::scenario::{Change, Step};
use crate::schema::Fingerprint;

use super::super::Error;
use super::super::effects::Operator;
use super::super::execute::Stage;

/// The number of the first attempt after a step.
const FIRST: Attempt = 2;

/// Applies the change again after each step, until an attempt succeeds or no step is left. Returns
/// whether one did, and the last attempt. `apply` applies the change.
pub async fn by_hand(
    stage: &Stage<'_>,
    before: &Fingerprint,
    failed: AttemptEnd,
    apply: impl AsyncFn(Attempt) -> Result<AttemptEnd, Error>,
) -> Result<(bool, Attempt), Error> {
    let scenario = &stage.spec.scenario;
    let operator = stage.effects.open_by_hand(stage.at.change_address).await?;
    let mut steps = VecDeque::from(drop_invalid_indexes(before, &*operator).await?);
    steps.extend(scenario.crash.iter().flat_map(|crash| crash.steps.clone()));
    let mut recorded = BTreeSet::new();
    let mut failed = failed;
    for attempt in FIRST.. {
        let step = match steps.pop_front() {
            Some(step) => Some(step),
            None => {
                record_the_version(&*operator, &scenario.change, &failed, &mut recorded).await?
            }
        };
        let Some(step) = step else { return Ok((false, attempt - 1)) };
        take(&*operator, stage, step, attempt).await;
        failed = apply(attempt).await?;
        if matches!(failed, AttemptEnd::Finished { .. }) {
            return Ok((true, attempt));
        }
    }
    Ok((false, FIRST))
}

async fn take(operator: &dyn Operator, stage: &Stage<'_>, step: Step, before: Attempt) {
    let mut error = None;
    for statement in &step.statements {
        if let Err(refused) = operator.execute(statement).await {
            let message = refused.to_string();
            let unknown = ServerError { sqlstate: None, message, ..ServerError::default() };
            error = Some(refused.server_error().cloned().unwrap_or(unknown));
            break;
        }
    }
    let Step { name, statements } = step;
    let step = StepEvent { before, name, statements, error };
    stage.record(Event::Step(step.into()));
}

/// What an aborted CREATE INDEX CONCURRENTLY left.
async fn drop_invalid_indexes(
    before: &Fingerprint,
    operator: &dyn Operator,
) -> Result<Vec<Step>, Error> {
    let now = operator.fingerprint().await?;
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
    operator: &dyn Operator,
    change: &Change,
    failed: &AttemptEnd,
    recorded: &mut BTreeSet<String>,
) -> Result<Option<Step>, Error> {
    let AttemptEnd::Failed { migration, .. } = failed else { return Ok(None) };
    if !recorded.insert(migration.clone()) {
        return Ok(None);
    }
    let statement = operator.version_statement(change, migration).await?;
    let name = format!("recording the version {migration} by hand");
    Ok(statement.map(|statement| Step { name, statements: vec![statement] }))
}
