//! Reads the fingerprint of a database's schema.

use std::fmt::Write;

use crate::connect::{self, Session};
use crate::pg::{quote_ident, quote_literal};
use crate::schema::{Fingerprint, QUERIES, SETTINGS};

use super::Error;

/// A view's definition can only be read under AccessShareLock on its tables. Whoever asks for a
/// fingerprint asks before or after a change, so a wait this long is somebody else's.
const LOCK_TIMEOUT_MS: u32 = 10_000;
/// The catalogue of 100,000 objects takes some seconds.
const STATEMENT_TIMEOUT_MS: u32 = 60_000;

/// Reads every object in one snapshot. The session must be idle; its settings are as before
/// afterwards, whatever happens.
pub async fn fingerprint(session: &Session) -> Result<Fingerprint, Error> {
    let fail = |what| move |error| Error::Catalogue { what, error: Box::new(error) };
    session.batch(&begin()).await.map_err(fail("begin"))?;
    match read(session).await {
        Ok(found) => {
            session.batch("COMMIT").await.map_err(fail("commit"))?;
            Ok(found)
        }
        Err(error) => {
            // The first error is the one to tell; a session that is gone has rolled back.
            let _ = session.batch("ROLLBACK").await;
            Err(error)
        }
    }
}

/// SET LOCAL, so that the caller's session keeps its own settings.
fn begin() -> String {
    let mut sql = String::from("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    let limits = [
        ("lock_timeout", LOCK_TIMEOUT_MS.to_string()),
        ("statement_timeout", STATEMENT_TIMEOUT_MS.to_string()),
    ];
    let settings = SETTINGS.iter().map(|(name, value)| (*name, (*value).to_owned()));
    for (name, value) in settings.chain(limits) {
        let _ = write!(sql, "; SET LOCAL {} = {}", quote_ident(name), quote_literal(&value));
    }
    sql
}

async fn read(session: &Session) -> Result<Fingerprint, Error> {
    let mut found = Fingerprint::default();
    for &(kind, sql) in QUERIES {
        let rows = session.client().query(sql, &[]).await.map_err(|error| Error::Catalogue {
            what: kind,
            error: Box::new(connect::Error::query(sql, &error)),
        })?;
        for row in rows {
            found.insert(kind, row.get(0), row.get(1), row.get(2));
        }
    }
    Ok(found)
}
