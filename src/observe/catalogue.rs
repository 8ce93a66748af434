//! Reads a database's catalogue: its schema's fingerprint, and what its tables take.

use std::fmt::Write;

use tokio_postgres::Row;

use crate::connect::{self, Session};
use crate::infer::{CATALOGUE, Catalogue};
use crate::pg::{quote_ident, quote_literal};
use crate::schema::{self, Fingerprint, MAJORS, SETTINGS, Stored};

use super::Error;

/// How long a reading may take.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    pub lock_timeout_ms: u32,
    pub statement_timeout_ms: u32,
}

/// A view's definition can only be read under AccessShareLock on its tables. A fingerprint
/// is taken before or after a change, so another session causes a wait this long. The catalogue of
/// 100,000 objects takes some seconds.
const LIMITS: Limits = Limits { lock_timeout_ms: 10_000, statement_timeout_ms: 60_000 };

/// Reads every object in one snapshot. The session must be idle; its settings are as before
/// afterwards, whatever happens.
///
/// # Errors
/// A query of the catalogue fails.
pub async fn fingerprint(session: &Session) -> Result<Fingerprint, Error> {
    read_schema(session).await.map(|stored| stored.fingerprint)
}

/// The fingerprint, and of which major the server is.
///
/// # Errors
/// A query of the catalogue fails.
pub async fn read_schema(session: &Session) -> Result<Stored, Error> {
    in_snapshot(session, LIMITS, read(session)).await
}

/// What the tables are and what their rows have to be.
///
/// # Errors
/// The query of the catalogue fails, or its answer is none that is known.
pub async fn tables(session: &Session) -> Result<Catalogue, Error> {
    in_snapshot(session, LIMITS, async {
        let row = rows(session, "tables", CATALOGUE).await?.into_iter().next();
        let text = row.map(|row| row.get::<_, String>(0)).unwrap_or_default();
        serde_json::from_str(&text).map_err(|error| Error::CatalogueForm { error })
    })
    .await
}

/// Reads in one transaction that can write nothing.
pub(super) async fn in_snapshot<T>(
    session: &Session,
    limits: Limits,
    read: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let fail = |what| move |error| Error::Catalogue { what, error: Box::new(error) };
    session.batch(&begin(limits)).await.map_err(fail("begin"))?;
    match read.await {
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
fn begin(limits: Limits) -> String {
    let mut sql = String::from("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    let limits = [
        ("lock_timeout", limits.lock_timeout_ms.to_string()),
        ("statement_timeout", limits.statement_timeout_ms.to_string()),
    ];
    let settings = SETTINGS.iter().map(|(name, value)| (*name, (*value).to_owned()));
    // Compiling the queries' expressions takes seconds, and running them none.
    let plain = [("jit", "off".to_owned())];
    for (name, value) in settings.chain(limits).chain(plain) {
        let _ = write!(sql, "; SET LOCAL {} = {}", quote_ident(name), quote_literal(&value));
    }
    sql
}

async fn read(session: &Session) -> Result<Stored, Error> {
    let server_major = major(session).await?;
    let mut fingerprint = Fingerprint::default();
    for query in schema::queries(server_major) {
        for row in rows(session, query.about, query.sql).await? {
            fingerprint.insert(row.get(0), row.get(1), row.get(2), row.get(3));
        }
    }
    Ok(Stored { server_major, fingerprint })
}

/// A later one than is known is read as the latest that is.
pub(super) async fn major(session: &Session) -> Result<u32, Error> {
    let sql = "SELECT current_setting('server_version_num')::int / 10000";
    let major = rows(session, "version", sql).await?.first().map_or(0, |row| row.get::<_, i32>(0));
    let major = u32::try_from(major).unwrap_or_default();
    match major < *MAJORS.start() {
        true => Err(Error::TooOld { major }),
        false => Ok(major),
    }
}

async fn rows(session: &Session, what: &'static str, sql: &str) -> Result<Vec<Row>, Error> {
    session.client().query(sql, &[]).await.map_err(|error| Error::Catalogue {
        what,
        error: Box::new(connect::Error::query(sql, &error)),
    })
}
