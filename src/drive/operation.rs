//! One operation: acquire a connection, run the statements, say what became of them.
//!
//! It says only what the application can know. Whether an indeterminate write was applied is for
//! the ledger to find out.

use std::pin::pin;

use futures_util::TryStreamExt;
use tokio_postgres::RowStream;
use tokio_postgres::error::Severity;

use crate::clock::{Clock, Micros};
use crate::connect::{Error as ConnectError, server_error};
use crate::history::{OperationOutcome, ServerError, SessionId};
use crate::pg::SqlState;

use super::connection::{Connection, KeyText, SessionOpener, Text};
use super::parameters::Values;
use super::plan::{PlannedOperation, PlannedStatement};
use super::pool::{AcquireError, QueuePool};

/// What is known of an operation before its outcome is: readable also when it was given up.
#[derive(Default)]
pub struct OperationTrace {
    pub acquired: Option<Micros>,
    pub connecting: Micros,
    pub session: Option<SessionId>,
    /// Rows of the statements that count for the ledger; None where none of them does.
    pub rows: Option<u64>,
    /// The key that a statement returned, for the ledger.
    pub returned: Option<String>,
    /// Rows of tables that all its statements returned or changed.
    pub affected: u64,
}

impl OperationTrace {
    /// Behind a pooler the operation's session is the server's that has served it, and until then
    /// it waited for a connection.
    pub fn served_by(
        &mut self,
        served: impl FnOnce(&SessionId, Micros) -> Option<(Micros, SessionId)>,
    ) {
        let Some((client, acquired)) = self.session.as_ref().zip(self.acquired) else { return };
        let found = served(client, acquired);
        (self.acquired, self.session) = found.unzip();
    }
}

/// Runs the operation to its end. Dropped before that, its connection is closed.
pub async fn attempt(
    pool: &QueuePool<SessionOpener>,
    operation: &PlannedOperation,
    values: &Values,
    clock: Clock,
    trace: &mut OperationTrace,
) -> OperationOutcome {
    let acquired = pool.acquire().await;
    trace.connecting = acquired.connecting;
    let mut lease = match acquired.result {
        Ok(lease) => lease,
        Err(AcquireError::TimedOut) => return OperationOutcome::AcquireTimeout,
        Err(AcquireError::Open(error)) => {
            return OperationOutcome::Failed(opening_error(&error).into());
        }
        Err(AcquireError::Closed) => return OperationOutcome::Unanswered,
    };
    trace.acquired = Some(clock.now());
    trace.session = Some(lease.connection().id());
    match run(lease.connection(), operation, values, trace).await {
        Ok(()) => {
            lease.give_back();
            OperationOutcome::Succeeded
        }
        Err(trouble) => {
            if trouble.usable {
                lease.give_back();
            }
            trouble.outcome(operation)
        }
    }
}

/// Why an operation did not succeed.
struct Trouble {
    error: tokio_postgres::Error,
    /// Whether the request that failed was the one that makes the operation's writes permanent.
    committing: bool,
    /// Whether the connection can serve another operation.
    usable: bool,
}

impl Trouble {
    fn new(error: tokio_postgres::Error, committing: bool) -> Trouble {
        let usable = is_answer(&error);
        Trouble { error, committing, usable }
    }

    fn outcome(&self, operation: &PlannedOperation) -> OperationOutcome {
        let error = server_error(&self.error);
        // An error that the server answered with, FATAL included, means that it rolled back: it
        // sends none once a commit is on disk.
        let unknown = self.error.as_db_error().is_none() && self.committing && operation.writes;
        match unknown {
            true => OperationOutcome::Indeterminate(error.message),
            false => OperationOutcome::Failed(error.into()),
        }
    }
}

async fn run(
    connection: &mut Connection,
    operation: &PlannedOperation,
    values: &Values,
    trace: &mut OperationTrace,
) -> Result<(), Trouble> {
    if connection.is_by_transaction() {
        // Each is described in a transaction of its own.
        for statement in &operation.statements {
            connection.prepare(statement).await.map_err(|e| Trouble::new(e, false))?;
        }
    }
    if let [single] = operation.statements.as_slice() {
        return execute(connection, single, values, true, trace).await;
    }
    begin(connection).await?;
    for statement in &operation.statements {
        if let Err(mut trouble) = execute(connection, statement, values, false, trace).await {
            if trouble.usable {
                // Not a word about a ROLLBACK that fails: the operation has failed already, and
                // the connection is closed.
                let rolled_back = connection.session().client().batch_execute("ROLLBACK").await;
                trouble.usable = rolled_back.is_ok();
            }
            return Err(trouble);
        }
    }
    let committed = connection.session().client().batch_execute("COMMIT").await;
    committed.map_err(|error| Trouble::new(error, true))
}

async fn begin(connection: &Connection) -> Result<(), Trouble> {
    let begun = connection.session().client().batch_execute("BEGIN").await;
    begun.map_err(|error| Trouble::new(error, false))
}

/// Prepares and runs one statement. `commits`: nothing has to follow to make it permanent.
async fn execute(
    connection: &mut Connection,
    statement: &PlannedStatement,
    values: &Values,
    commits: bool,
    trace: &mut OperationTrace,
) -> Result<(), Trouble> {
    let prepared = connection.prepare(statement).await.map_err(|e| Trouble::new(e, false))?;
    // A request on a connection that is closed already is never sent.
    let sent = !connection.session().is_closed();
    let arguments = statement.arguments.iter().map(|index| Text(values[*index].as_deref()));
    let client = connection.session().client();
    let executed = match (connection.is_by_transaction(), statement.returns_key) {
        (true, _) => {
            let typed = arguments.zip(prepared.params().iter().cloned());
            match client.query_typed_raw(&statement.sql, typed).await {
                Ok(rows) => returned(rows).await,
                Err(error) => Err(error),
            }
        }
        (false, true) => match client.query_raw(&prepared, arguments).await {
            Ok(rows) => returned(rows).await,
            Err(error) => Err(error),
        },
        (false, false) => client.execute_raw(&prepared, arguments).await.map(|rows| (rows, None)),
    };
    match executed {
        Ok((rows, returned)) => {
            trace.affected += if statement.sets { 0 } else { rows };
            trace.returned = trace.returned.take().or(returned);
            if statement.counts {
                *trace.rows.get_or_insert(0) += rows;
            }
            Ok(())
        }
        Err(error) => {
            // "cached plan must not change result type" stays until the statement is prepared
            // anew; drivers do that after they have reported the error once per connection.
            let stale = error.code().is_some_and(|c| c.code() == SqlState::FEATURE_NOT_SUPPORTED);
            if stale {
                connection.forget(statement);
            }
            Err(Trouble::new(error, commits && sent))
        }
    }
}

/// Rows that the statement changed, and the first column of the first one as a text.
async fn returned(rows: RowStream) -> Result<(u64, Option<String>), tokio_postgres::Error> {
    let mut rows = pin!(rows);
    let mut key = None;
    let mut count = 0;
    while let Some(row) = rows.try_next().await? {
        count += 1;
        key = key.or(row.try_get(0).ok().and_then(|KeyText(text)| text));
    }
    Ok((rows.rows_affected().unwrap_or(count), key))
}

/// Whether the session goes on after the error.
fn is_answer(error: &tokio_postgres::Error) -> bool {
    error
        .as_db_error()
        .is_some_and(|db| !matches!(db.parsed_severity(), Some(Severity::Fatal | Severity::Panic)))
}

fn opening_error(error: &ConnectError) -> ServerError {
    error.server_error().cloned().unwrap_or_else(|| ServerError {
        sqlstate: None,
        message: error.to_string(),
        ..ServerError::default()
    })
}
