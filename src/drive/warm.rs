//! Before the schedule begins: the pool is filled and every operation is tried on the server.
//!
//! A statement that cannot run is one error here instead of thousands of failures later, and no
//! baseline is measured on connections that are still being opened.

use std::time::Duration;

use tokio_postgres::types::Type;

use crate::clock::Micros;
use crate::connect;
use crate::pg::{SqlState, quote_ident};
use crate::scenario::{Scenario, Sizes, nearest};

use super::connection::{Connection, SessionOpener, Text};
use super::error::{Error, NamedStatement};
use super::parameters::{Drawing, Feeds, Values};
use super::plan::{Plan, PlannedOperation};
use super::pool::{AcquireError, Lease, QueuePool};

/// The stream that the tried values are drawn from: no worker's, so that trying draws nothing
/// from theirs.
const TRIAL_WORKER: u64 = u32::MAX as u64;

/// Longest time for all of it. The acquire timeout does not count here: it is the application's,
/// and may be shorter than a busy machine takes to open a connection.
const FILL_MAX: Duration = Duration::from_secs(60);

/// The operations of one of the two servers.
#[derive(Clone, Copy)]
pub struct Operations<'a> {
    pub plan: &'a Plan,
    pub replica: bool,
}

/// Opens the connections that stay and prepares all statements on each.
pub async fn fill(
    (pool, size): (&QueuePool<SessionOpener>, u32),
    operations: Operations<'_>,
    scenario: &Scenario,
    sizes: &Sizes,
) -> Result<(), Error> {
    let too_long = Error::PoolTimeout { size, seconds: FILL_MAX.as_secs() };
    let mut leases: Vec<Lease<SessionOpener>> = Vec::new();
    let filling = async {
        // At least one, so that the operations are tried also where no connection stays.
        for number in 0..size.max(1) {
            let mut lease = lease(pool, size).await?;
            if number == 0 {
                try_operations(lease.connection(), operations, scenario, sizes).await?;
            } else {
                prepare_all(lease.connection(), operations).await?;
            }
            leases.push(lease);
        }
        Ok(())
    };
    tokio::time::timeout(FILL_MAX, filling).await.unwrap_or(Err(too_long))?;
    leases.into_iter().for_each(Lease::give_back);
    Ok(())
}

async fn lease(pool: &QueuePool<SessionOpener>, size: u32) -> Result<Lease<SessionOpener>, Error> {
    pool.acquire_within(FILL_MAX).await.result.map_err(|error| match error {
        AcquireError::Open(source) => Error::Pool { size, source },
        AcquireError::TimedOut | AcquireError::Closed => {
            Error::PoolTimeout { size, seconds: FILL_MAX.as_secs() }
        }
    })
}

async fn prepare_all(connection: &mut Connection, operations: Operations<'_>) -> Result<(), Error> {
    for (_, operation) in operations.plan.on(operations.replica) {
        for (index, statement) in operation.statements.iter().enumerate() {
            let prepared = match connection.prepare(statement).await {
                Ok(prepared) => prepared,
                Err(error) => {
                    let source = connect::Error::query(&statement.sql, &error);
                    let remedy = remedy(connection, &source).await;
                    let statement = Box::new(named(operation, index));
                    return Err(Error::Statement { statement, source, remedy });
                }
            };
            let (expected, given) = (prepared.params().len(), statement.arguments.len());
            if expected != given {
                let statement = Box::new(named(operation, index));
                return Err(Error::Placeholders { statement, expected, given });
            }
        }
    }
    Ok(())
}

/// Prepares everything and has the server read one value of each parameter as the type that it
/// inferred.
async fn try_operations(
    connection: &mut Connection,
    operations: Operations<'_>,
    scenario: &Scenario,
    sizes: &Sizes,
) -> Result<(), Error> {
    let Operations { plan, replica } = operations;
    prepare_all(connection, operations).await?;
    let mut drawing = Drawing::new(scenario, sizes, plan, TRIAL_WORKER);
    let nothing_to_follow = Feeds::new(plan);
    for (kind, operation) in plan.on(replica) {
        let values = drawing.draw(kind as u16, 0, Micros::ZERO, &nothing_to_follow);
        try_values(connection, operation, &values).await?;
    }
    Ok(())
}

async fn try_values(
    connection: &mut Connection,
    operation: &PlannedOperation,
    values: &Values,
) -> Result<(), Error> {
    for (index, statement) in operation.statements.iter().enumerate() {
        let prepared = connection.prepare(statement).await.map_err(|error| Error::Statement {
            statement: Box::new(named(operation, index)),
            source: connect::Error::query(&statement.sql, &error),
            remedy: None,
        })?;
        for (argument, inferred) in statement.arguments.iter().zip(prepared.params()) {
            let value = values[*argument].as_deref();
            let read = read_as(connection, inferred, value).await;
            read.map_err(|source| Error::Parameter {
                operation: operation.name.clone(),
                parameter: operation.parameters[*argument].clone(),
                value: value.unwrap_or_default().to_owned(),
                type_name: inferred.name().to_owned(),
                source,
            })?;
        }
    }
    Ok(())
}

fn named(operation: &PlannedOperation, index: usize) -> NamedStatement {
    let place = operation.statements.get(index).and_then(|statement| statement.place.clone());
    NamedStatement { operation: operation.name.clone(), number: index + 1, place }
}

/// What was probably meant, of a relation that is not there; else what the server advises.
async fn remedy(connection: &Connection, error: &connect::Error) -> Option<String> {
    let error = error.server_error()?;
    let is = |state| error.sqlstate.as_ref().is_some_and(|known| known.is(state));
    if !is(SqlState::UNDEFINED_TABLE) {
        return error.hint.clone();
    }
    let written = error.message.split('"').nth(1)?;
    let name = written.rsplit('.').next()?;
    let rows = connection.session().client().query(RELATIONS, &[]).await.ok()?;
    let known: Vec<String> = rows.iter().filter_map(|row| row.try_get(0).ok()).collect();
    let meant = nearest(name, known.iter().map(String::as_str));
    Some(match meant {
        Some(meant) => format!("did you mean {meant:?}?"),
        None => "let the scenario's schema create it".to_owned(),
    })
}

/// What an operation may name.
const RELATIONS: &str = "SELECT relname::text FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE relkind IN ('r', 'p', 'v', 'm', 'f') AND nspname !~ '^pg_'
      AND nspname <> 'information_schema' ORDER BY relname LIMIT 10000";

async fn read_as(
    connection: &Connection,
    inferred: &Type,
    value: Option<&str>,
) -> Result<(), connect::Error> {
    let type_name = format!("{}.{}", quote_ident(inferred.schema()), quote_ident(inferred.name()));
    let sql = format!("SELECT $1::{type_name} IS NULL");
    let client = connection.session().client();
    let read = client.execute_raw(sql.as_str(), [Text(value)]).await;
    read.map(|_| ()).map_err(|error| connect::Error::query(&sql, &error))
}
