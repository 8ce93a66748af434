//! Reads what a database knows of its tables' rows: catalogues alone, never a row.
//!
//! It may be a server that others depend on: one session, a transaction that can write nothing,
//! limits within which it ends, and no lock on a user's table.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::connect::{self, Address, Session};
use crate::infer::{STATISTICS, Statistics};
use crate::pg::SqlState;

use super::Error;
use super::catalogue::{Limits, in_snapshot, major};

/// `application_name` of the session.
const APPLICATION: &str = "pgauntlet statistics";
/// Tables that are read by one statement: 200 of 30 columns take 0.8 s.
const AT_ONCE: i64 = 200;
const LIMITS: Limits = Limits { lock_timeout_ms: 100, statement_timeout_ms: 5_000 };
/// For all tables together.
const WITHIN: Duration = Duration::from_secs(60);

/// Opens a session of its own and reads a database's statistics; with `values` also the most common
/// values of columns, which are values of rows.
///
/// # Errors
/// The server cannot be reached or lets the user in to nothing, it does not answer in time, or its
/// tables were never analysed.
pub async fn statistics_of(address: &Address, values: bool) -> Result<Statistics, Error> {
    let place = format!("{} on {}", address.database(), address.place());
    let read = async {
        let session = Session::open(address, APPLICATION, &BTreeMap::new()).await;
        let session = session.map_err(|error| {
            let remedy = remedy(&error);
            Error::Statistics { place: place.clone(), error: Box::new(error), remedy }
        })?;
        statistics(&session, &place, values).await
    };
    let read = tokio::time::timeout(WITHIN, read).await;
    read.unwrap_or_else(|_| Err(Error::StatisticsTimeout { place: place.clone(), after: WITHIN }))
}

/// Reads the statistics of the session's database; `place` names it in errors.
///
/// # Errors
/// The query of the catalogues fails, or there are no statistics.
pub async fn statistics(session: &Session, place: &str, values: bool) -> Result<Statistics, Error> {
    let refused = |error: connect::Error| {
        let remedy = remedy(&error);
        Error::Statistics { place: place.to_owned(), error: Box::new(error), remedy }
    };
    let read = in_snapshot(session, LIMITS, async {
        major(session).await?;
        let after = async |oid: u32| -> Result<Statistics, Error> {
            let row = session.client().query_one(STATISTICS, &[&values, &oid, &AT_ONCE]).await;
            let row =
                row.map_err(|error| refused(connect::Error::query("the catalogues", &error)))?;
            let text: String = row.get(0);
            serde_json::from_str(&text).map_err(|error| Error::CatalogueForm { error })
        };
        let mut found = after(0).await?;
        while let Some(last) = found.last {
            if !found.extend(after(last).await?) {
                break;
            }
        }
        Ok(found)
    });
    let found: Statistics = read.await?;
    match found.empty() {
        None => Ok(found),
        Some(why) => Err(Error::NoStatistics { place: place.to_owned(), why }),
    }
}

/// What to do about an error, as the end of its sentence.
fn remedy(error: &connect::Error) -> &'static str {
    let is = |codes: &[&str]| error.is_one_of(codes);
    match () {
        () if is(&["28P01", "28000"]) => {
            "; name a user that may sign in, and its password in the URL, PGPASSWORD or ~/.pgpass"
        }
        () if is(&[SqlState::INSUFFICIENT_PRIVILEGE]) => {
            "; GRANT CONNECT ON DATABASE to that role, or name another one"
        }
        () if is(&[SqlState::INVALID_CATALOG_NAME]) => "; name a database that is there",
        () if is(&[SqlState::QUERY_CANCELED]) => {
            "; it has 5 s: try again when the server has less to do"
        }
        () if is(&[SqlState::LOCK_NOT_AVAILABLE]) => {
            "; another session has locked a catalogue: try again when it has ended"
        }
        () if error.server_error().is_none_or(|error| error.sqlstate.is_none()) => {
            "; check host, port and whether this machine may reach it"
        }
        () => "",
    }
}
