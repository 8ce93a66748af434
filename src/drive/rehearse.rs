//! Tries operations before they are part of a scenario: on rows, as the application's role, with
//! values as its traffic would draw them, and commits.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::{Duration, Instant};

use crate::clock::Micros;
use crate::connect::{Address, Session, server_error};
use crate::scenario::{Scenario, Sizes};

use super::connection::Text;
use super::error::Error;
use super::parameters::{Drawing, Feeds, Values};
use super::plan::{Plan, PlannedOperation};

/// `application_name` of the session that tries.
const APPLICATION: &str = "pgauntlet infer";
/// Longest time of one statement that is tried.
const STATEMENT_MAX: &str = "5s";
/// An operation that has taken so long is not tried any more.
const OPERATION_MAX: Duration = Duration::from_secs(5);
/// The last of the streams that values are drawn from: no worker's. Other draws have another one.
const REHEARSAL_WORKER: u64 = u32::MAX as u64 - 1;
/// Numbers of the schedule between two draws of an operation: more than there are operations.
pub(super) const STRIDE: u64 = 2_000;
/// Characters of a server's message that are kept.
const MESSAGE_CHARS_MAX: usize = 400;

/// An operation that was tried once.
pub struct Draw {
    /// In the order of the parameters' names.
    pub values: Vec<Option<String>>,
    /// Why the server refused it.
    pub error: Option<String>,
    /// Rows of the statement that found or changed fewest.
    pub rows: u64,
}

/// Runs each operation once per number of `draws`, which are other ones each time, or for as long
/// as it may take; says by operation what was drawn and what the server refused.
///
/// # Errors
/// A name leads nowhere, or the session is gone.
pub async fn rehearse(
    application: &Address,
    scenario: &Scenario,
    sizes: &Sizes,
    draws: Range<u64>,
) -> Result<Vec<Vec<Draw>>, Error> {
    let plan = Plan::new(&scenario.traffic)?;
    let mut settings: BTreeMap<String, String> = scenario.pool.settings.clone();
    settings.insert("statement_timeout".to_owned(), STATEMENT_MAX.to_owned());
    let open = Session::open(application, APPLICATION, &settings).await;
    let session = open.map_err(|source| Error::Pool { size: 1, source })?;
    let worker = REHEARSAL_WORKER.saturating_sub(draws.start);
    let mut drawing = Drawing::new(scenario, sizes, &plan, worker);
    let nothing_to_follow = Feeds::new(&plan);
    let mut found = Vec::with_capacity(plan.operations.len());
    for (kind, operation) in plan.operations.iter().enumerate() {
        let mut tried = Vec::new();
        let began = Instant::now();
        for number in draws.clone() {
            // No two operations draw the same new value.
            let seq = number * STRIDE + kind as u64;
            let values = drawing.draw(kind as u16, seq, Micros::ZERO, &nothing_to_follow);
            let (rows, error) = match attempt(&session, operation, &values).await? {
                Ok(rows) => (rows, None),
                Err(error) => (0, Some(error)),
            };
            tried.push(Draw { values, error, rows });
            if began.elapsed() > OPERATION_MAX {
                break;
            }
        }
        found.push(tried);
    }
    Ok(found)
}

/// Runs an operation as its traffic does; says how many rows the statement with the fewest had, or
/// what the server refused.
async fn attempt(
    session: &Session,
    operation: &PlannedOperation,
    values: &Values,
) -> Result<Result<u64, String>, Error> {
    let several = operation.statements.len() > 1;
    let tried = async {
        if several {
            session.client().batch_execute("BEGIN").await?;
        }
        let mut fewest = None;
        for statement in &operation.statements {
            let prepared = session.client().prepare(&statement.sql).await?;
            let arguments = statement.arguments.iter().map(|at| Text(values[*at].as_deref()));
            let rows = session.client().execute_raw(&prepared, arguments).await?;
            if !statement.sets {
                fewest = Some(fewest.map_or(rows, |fewest: u64| fewest.min(rows)));
            }
        }
        if several {
            session.client().batch_execute("COMMIT").await?;
        }
        Ok::<u64, tokio_postgres::Error>(fewest.unwrap_or(0))
    };
    let error = match tried.await {
        Ok(rows) => return Ok(Ok(rows)),
        Err(error) => error,
    };
    if several && error.as_db_error().is_some() {
        // After a COMMIT that failed there is nothing to roll back, which is a warning.
        session.client().batch_execute("ROLLBACK").await.map_err(|error| lost(&error))?;
    }
    if session.is_closed() {
        return Err(lost(&error));
    }
    let said = server_error(&error);
    // A row that breaks a constraint is long, and says little without its columns' names.
    let detail = said.detail.filter(|detail| !detail.starts_with("Failing row contains"));
    let detail = detail.map(|detail| format!(" ({detail})")).unwrap_or_default();
    let text = format!("{}{detail}", said.message);
    Ok(Err(text.chars().take(MESSAGE_CHARS_MAX).collect()))
}

fn lost(error: &tokio_postgres::Error) -> Error {
    Error::Pool { size: 1, source: crate::connect::Error::query("an operation", error) }
}
