//! Reads which statements a database has executed most, as pg_stat_statements counts them.
//!
//! It may be a server that others depend on: limits and transaction are those of the statistics.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::connect::{self, Address, Session};
use crate::infer::Recorded;
use crate::pg::{SqlState, quote_ident};

use super::Error;
use super::catalogue::{Limits, in_snapshot};

/// `application_name` of the session.
const APPLICATION: &str = "pgauntlet statistics";
/// It keeps 5,000 statements where nothing else is set.
const LIMITS: Limits = Limits { lock_timeout_ms: 100, statement_timeout_ms: 5_000 };
/// The server's own limits come first.
const WITHIN: Duration = Duration::from_secs(20);
/// Where the extension is; no row: nowhere.
const SCHEMA: &str = "SELECT nspname::text FROM pg_catalog.pg_extension AS e
    JOIN pg_catalog.pg_namespace AS n ON n.oid = extnamespace WHERE extname = 'pg_stat_statements'";

/// Statements of a database, the most frequent first.
///
/// # Errors
/// The server cannot be reached, or does not count statements there.
pub async fn recorded_statements(address: &Address) -> Result<Vec<Recorded>, Error> {
    let place = format!("{} on {}", address.database(), address.place());
    let failed = |error: connect::Error| {
        let remedy = remedy(&error);
        Error::Recorded { place: place.clone(), why: format!("{error}{remedy}") }
    };
    let read = async {
        let session = Session::open(address, APPLICATION, &BTreeMap::new()).await;
        let session = session.map_err(failed)?;
        in_snapshot(&session, LIMITS, async {
            let found = session.client().query_opt(SCHEMA, &[]).await;
            let found = found.map_err(|error| failed(connect::Error::query(SCHEMA, &error)))?;
            let Some(row) = found else {
                let why = "the extension is not there; add pg_stat_statements to \
                           shared_preload_libraries, restart the server, CREATE EXTENSION \
                           pg_stat_statements in this database, and let the application run"
                    .to_owned();
                return Err(Error::Recorded { place: place.clone(), why });
            };
            let sql = statements(&row.get::<_, String>(0));
            let rows = session.client().query(&sql, &[]).await;
            let rows =
                rows.map_err(|error| failed(connect::Error::query("pg_stat_statements", &error)))?;
            let recorded = |row: &tokio_postgres::Row| Recorded {
                text: row.get(0),
                calls: row.get::<_, i64>(1).unsigned_abs(),
            };
            Ok(rows.iter().map(recorded).collect::<Vec<_>>())
        })
        .await
    };
    let read = tokio::time::timeout(WITHIN, read).await;
    read.unwrap_or_else(|_| Err(Error::StatisticsTimeout { place: place.clone(), after: WITHIN }))
}

/// Of this database and sent by clients themselves, each text once.
fn statements(schema: &str) -> String {
    let schema = quote_ident(schema);
    format!(
        "SELECT query, sum(calls)::bigint FROM {schema}.pg_stat_statements
         WHERE dbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
           AND toplevel AND query IS NOT NULL
         GROUP BY query ORDER BY 2 DESC, 1 LIMIT 5000"
    )
}

/// What to do about an error, as the end of its sentence.
fn remedy(error: &connect::Error) -> &'static str {
    let is = |codes: &[&str]| error.is_one_of(codes);
    match () {
        // object_not_in_prerequisite_state: its library is not loaded.
        () if is(&["55000"]) => "; name it there and restart the server",
        () if is(&[SqlState::INSUFFICIENT_PRIVILEGE]) => {
            "; GRANT pg_read_all_stats to the role, or name another one"
        }
        // undefined_column: of a version before 1.9.
        () if is(&["42703"]) => "; ALTER EXTENSION pg_stat_statements UPDATE",
        () if is(&[SqlState::QUERY_CANCELED]) => {
            "; it has 5 s: try again when the server has less to do"
        }
        () => "",
    }
}
