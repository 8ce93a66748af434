//! Databases of ours on the server: copying a template, dropping, listing, evicting, sweeping.

use crate::connect::{self, Address, Session};
use crate::pg::{SqlState, quote_ident, quote_literal};

use super::names::{Key, Label, PREFIX, lock_of_seeding};
use super::plan::{APPLICATION, session_settings};
use super::{Error, Template};

/// A template on a server, as its label tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cached {
    /// The database's name.
    pub database: String,
    /// Empty, as the other texts, when the database has no label that we can read.
    pub key: String,
    /// Scenario that it was seeded for.
    pub scenario: String,
    /// `pg_database_size` of it.
    pub bytes: u64,
    /// RFC 3339, as is `last_used`.
    pub created: String,
    /// When a trial was last copied from it.
    pub last_used: String,
}

/// A label that cannot be read sorts first by last use: it is evicted first.
const TEMPLATES: &str = "
    SELECT datname::text, shobj_description(oid, 'pg_database'), pg_database_size(oid)
    FROM pg_database WHERE starts_with(datname, 'pgauntlet_template_') ORDER BY datname";

const HALF_MADE: &str = "
    SELECT datname::text FROM pg_database WHERE starts_with(datname, 'pgauntlet_seeding_')";

/// Copies a template into a new database. The files are copied (two checkpoints, no WAL): do it
/// before anything is measured.
///
/// # Errors
/// The server refuses CREATE DATABASE.
pub async fn copy(
    server: &Address,
    template: &Template,
    database: &str,
    server_version_num: u32,
) -> Result<Address, Error> {
    // Before 15 there is no other way, and no word for it.
    let strategy = if server_version_num >= 150_000 { " STRATEGY file_copy" } else { "" };
    create(server, &template.database, database, strategy).await
}

/// Copies a small database, which no session is connected to, in the way that the server prefers:
/// without the two checkpoints that cost more than such a copy.
///
/// # Errors
/// The server refuses CREATE DATABASE.
pub async fn copy_small(server: &Address, source: &str, database: &str) -> Result<Address, Error> {
    create(server, source, database, "").await
}

/// A database without tables.
///
/// # Errors
/// The server refuses CREATE DATABASE.
pub async fn empty(server: &Address, database: &str) -> Result<Address, Error> {
    create(server, "template0", database, "").await
}

async fn create(
    server: &Address,
    source: &str,
    database: &str,
    strategy: &str,
) -> Result<Address, Error> {
    only_ours(database)?;
    let (name, source) = (quote_ident(database), quote_ident(source));
    let session = open(server).await?;
    session.batch(&format!("CREATE DATABASE {name} TEMPLATE {source}{strategy}")).await?;
    Ok(server.with_database(database))
}

/// Drops a database of ours and ends its sessions; one that is gone already is fine.
///
/// # Errors
/// The database is there and the server refuses to drop it.
pub async fn drop_database(server: &Address, database: &str) -> Result<(), Error> {
    drop_by(&open(server).await?, database).await
}

pub(super) async fn drop_by(session: &Session, database: &str) -> Result<(), Error> {
    only_ours(database)?;
    let name = quote_ident(database);
    let unprotected = session.batch(&format!("ALTER DATABASE {name} IS_TEMPLATE false")).await;
    if unprotected.as_ref().is_err_and(is_gone) {
        return Ok(());
    }
    unprotected?;
    Ok(session.batch(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await?)
}

fn only_ours(database: &str) -> Result<(), Error> {
    match database.starts_with(PREFIX) {
        true => Ok(()),
        false => Err(Error::NotOurs { database: database.to_owned() }),
    }
}

fn is_gone(error: &connect::Error) -> bool {
    let state = error.server_error().and_then(|e| e.sqlstate.as_ref());
    state.is_some_and(|state| state.is(SqlState::INVALID_CATALOG_NAME))
}

/// The templates that the server keeps.
///
/// # Errors
/// The server's list of databases cannot be read.
pub async fn cached(server: &Address) -> Result<Vec<Cached>, Error> {
    cached_by(&open(server).await?).await
}

async fn cached_by(session: &Session) -> Result<Vec<Cached>, Error> {
    let rows = session.client().query(TEMPLATES, &[]).await;
    let rows = rows.map_err(|e| connect::Error::query(TEMPLATES.trim(), &e))?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let comment: Option<String> = row.get(1);
            let label = comment.as_deref().and_then(Label::parse);
            let bytes: i64 = row.get(2);
            Cached::from_parts(row.get(0), label, bytes.unsigned_abs())
        })
        .collect())
}

impl Cached {
    fn from_parts(database: String, label: Option<Label>, bytes: u64) -> Cached {
        match label {
            Some(Label { key, scenario, created, last_used, .. }) => {
                Cached { database, key, scenario, bytes, created, last_used }
            }
            None => Cached {
                database,
                key: String::new(),
                scenario: String::new(),
                bytes,
                created: String::new(),
                last_used: String::new(),
            },
        }
    }
}

/// Drops templates, the least recently used first, until those that stay hold at most
/// `limit_bytes`. The template with the key `keep` stays in any case. Says what was dropped.
///
/// # Errors
/// The list cannot be read, or a database that is not in use cannot be dropped.
pub async fn evict(server: &Address, limit_bytes: u64, keep: &str) -> Result<Vec<Cached>, Error> {
    let session = open(server).await?;
    let mut found = cached_by(&session).await?;
    let mut total: u64 = found.iter().map(|cached| cached.bytes).sum();
    found.sort_by(|a, b| a.last_used.cmp(&b.last_used));
    let mut dropped = Vec::new();
    for cached in found {
        if total <= limit_bytes {
            break;
        }
        if cached.key == keep && !keep.is_empty() {
            continue;
        }
        drop_by(&session, &cached.database).await?;
        total -= cached.bytes;
        dropped.push(cached);
    }
    Ok(dropped)
}

/// Drops what a process that ended while seeding left; says which databases. One whose maker
/// lives is left alone: the maker holds an advisory lock that the name tells.
///
/// # Errors
/// The list cannot be read, or a database without an owner cannot be dropped.
pub async fn sweep(server: &Address) -> Result<Vec<String>, Error> {
    sweep_by(&open(server).await?).await
}

pub(super) async fn sweep_by(session: &Session) -> Result<Vec<String>, Error> {
    let rows = session.client().query(HALF_MADE, &[]).await;
    let rows = rows.map_err(|e| connect::Error::query(HALF_MADE.trim(), &e))?;
    let mut dropped = Vec::new();
    for row in rows {
        let database: String = row.get(0);
        let Some(lock) = lock_of_seeding(&database) else { continue };
        if try_lock(session, lock).await? {
            let gone = drop_by(session, &database).await;
            unlock(session, lock).await?;
            gone?;
            dropped.push(database);
        }
    }
    Ok(dropped)
}

/// The label of the key's template, if there is one and it is that key's. A database of that
/// name with any other label is dropped.
pub(super) async fn find(session: &Session, key: &Key) -> Result<Option<Label>, Error> {
    let sql = "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = $1";
    let row = session.client().query_opt(sql, &[&key.template()]).await;
    let Some(row) = row.map_err(|e| connect::Error::query(sql, &e))? else { return Ok(None) };
    let comment: Option<String> = row.get(0);
    let label = comment.as_deref().and_then(Label::parse).filter(|label| label.key == key.hex());
    if label.is_none() {
        drop_by(session, &key.template()).await?;
    }
    Ok(label)
}

/// Writes the label, which is the database's comment.
pub(super) async fn put_label(
    session: &Session,
    database: &str,
    label: &Label,
) -> Result<(), Error> {
    // Texts and numbers always serialise; an empty comment would only mean: not to be trusted.
    let text = serde_json::to_string(label).unwrap_or_default();
    let (name, text) = (quote_ident(database), quote_literal(&text));
    Ok(session.batch(&format!("COMMENT ON DATABASE {name} IS {text}")).await?)
}

pub(super) async fn try_lock(session: &Session, lock: i64) -> Result<bool, Error> {
    let sql = "SELECT pg_try_advisory_lock($1)";
    let row = session.client().query_one(sql, &[&lock]).await;
    Ok(row.map_err(|e| connect::Error::query(sql, &e))?.get(0))
}

async fn unlock(session: &Session, lock: i64) -> Result<(), Error> {
    Ok(session.batch(&format!("SELECT pg_advisory_unlock({lock})")).await?)
}

pub(super) async fn open(server: &Address) -> Result<Session, Error> {
    Ok(Session::open(server, APPLICATION, &session_settings()).await?)
}
