//! Before the schedule begins: the pool is filled and every operation is tried on the server.
//!
//! A statement that cannot run is one error here instead of thousands of failures later, and no
//! baseline is measured on connections that are still being opened.

use std::time::Duration;

use tokio_postgres::types::Type;

use crate::clock::Micros;
use crate::connect;
use crate::pg::quote_ident;
use crate::scenario::{Scenario, Sizes};

use super::connection::{Connection, SessionOpener, Text};
use super::error::Error;
use super::parameters::{Drawing, Feeds, Values};
use super::plan::{Plan, PlannedOperation};
use super::pool::{AcquireError, Lease, QueuePool};

/// The stream that the tried values are drawn from: no worker's, so that trying draws nothing
/// from theirs.
const TRIAL_WORKER: u64 = u32::MAX as u64;

/// Longest time for all of it. The acquire timeout does not count here: it is the application's,
/// and may be shorter than a busy machine takes to open a connection.
const FILL_MAX: Duration = Duration::from_secs(60);

/// Opens the connections that stay and prepares all statements on each.
pub async fn fill(
    pool: &QueuePool<SessionOpener>,
    plan: &Plan,
    scenario: &Scenario,
    sizes: &Sizes,
) -> Result<(), Error> {
    let size = scenario.pool.size;
    let too_long = Error::PoolTimeout { size, seconds: FILL_MAX.as_secs() };
    let mut leases: Vec<Lease<SessionOpener>> = Vec::new();
    let filling = async {
        // At least one, so that the operations are tried also where no connection stays.
        for number in 0..size.max(1) {
            let mut lease = lease(pool, size).await?;
            if number == 0 {
                try_operations(lease.connection(), plan, scenario, sizes).await?;
            } else {
                prepare_all(lease.connection(), plan).await?;
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

async fn prepare_all(connection: &mut Connection, plan: &Plan) -> Result<(), Error> {
    for operation in &plan.operations {
        for (index, statement) in operation.statements.iter().enumerate() {
            let prepared = connection.prepare(statement).await;
            let prepared = prepared.map_err(|error| Error::Statement {
                operation: operation.name.clone(),
                number: index + 1,
                source: connect::Error::query(&statement.sql, &error),
            })?;
            let (expected, given) = (prepared.params().len(), statement.arguments.len());
            if expected != given {
                let (operation, number) = (operation.name.clone(), index + 1);
                return Err(Error::Placeholders { operation, number, expected, given });
            }
        }
    }
    Ok(())
}

/// Prepares everything and has the server read one value of each parameter as the type that it
/// inferred.
async fn try_operations(
    connection: &mut Connection,
    plan: &Plan,
    scenario: &Scenario,
    sizes: &Sizes,
) -> Result<(), Error> {
    prepare_all(connection, plan).await?;
    let mut drawing = Drawing::new(scenario, sizes, plan, TRIAL_WORKER);
    let nothing_to_follow = Feeds::new(plan);
    for (kind, operation) in plan.operations.iter().enumerate() {
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
            operation: operation.name.clone(),
            number: index + 1,
            source: connect::Error::query(&statement.sql, &error),
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
