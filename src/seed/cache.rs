//! Databases of ours on the server: copying a template, dropping, listing, evicting, sweeping.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::connect::{self, Address, Session};
use crate::pg::{SqlState, quote_ident, quote_literal};

use super::names::{Key, Label, Owner, PREFIX, lock_of_seeding, lock_of_trial};
use super::plan::{APPLICATION, session_settings};
use super::{Error, Template, roles};

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

/// A label that cannot be read sorts first by last use: it is evicted first. One that another
/// process has just dropped has no size.
const TEMPLATES: &str = "
    SELECT datname::text, shobj_description(oid, 'pg_database'),
           coalesce(pg_database_size(oid), 0)
    FROM pg_database
    WHERE starts_with(datname, 'pgauntlet_template_') AND pg_has_role(datdba, 'USAGE')
    ORDER BY datname";

/// What is not a template, of the databases that this role may drop.
const OWNED: &str = "
    SELECT datname::text, shobj_description(d.oid, 'pg_database'),
           coalesce(pg_database_size(d.oid), 0),
           EXISTS (SELECT FROM pg_stat_activity AS a WHERE a.datid = d.oid)
    FROM pg_database AS d
    WHERE (starts_with(datname, 'pgauntlet_seeding_') OR starts_with(datname, 'pgauntlet_trial_'))
      AND pg_has_role(datdba, 'USAGE')
    ORDER BY datname";

/// The sessions that make a database say so in their name. The statement goes on when its client
/// is gone, and the database is there after a DROP that came too early.
const END_MAKERS: &str = "
    SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
    WHERE application_name = $1 AND pid <> pg_backend_pid()";

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
    let session = open_as(server, &maker(database)).await?;
    session.batch(&format!("CREATE DATABASE {name} TEMPLATE {source}{strategy}")).await?;
    put_owner(&session, database).await?;
    Ok(server.with_database(database))
}

/// `application_name` of the session that makes the database.
pub(super) fn maker(database: &str) -> String {
    format!("pgauntlet make {database}")
}

/// Says in the database's comment whose it is.
pub(super) async fn put_owner(session: &Session, database: &str) -> Result<(), Error> {
    // Texts and numbers always serialise; without a label its lock still says whose it is.
    let text = serde_json::to_string(&Owner::own()).unwrap_or_default();
    let (name, text) = (quote_ident(database), quote_literal(&text));
    Ok(session.batch(&format!("COMMENT ON DATABASE {name} IS {text}")).await?)
}

/// Drops a database of ours and ends its sessions, one that still makes it among them; a database
/// that is gone already is fine.
///
/// # Errors
/// The database is there and the server refuses to drop it.
pub async fn drop_database(server: &Address, database: &str) -> Result<(), Error> {
    let session = open(server).await?;
    let ended = session.client().query(END_MAKERS, &[&maker(database)]).await;
    ended.map_err(|e| connect::Error::query(END_MAKERS.trim(), &e))?;
    drop_by(&session, database).await?;
    roles::sweep(&session).await
}

pub(super) async fn drop_by(session: &Session, database: &str) -> Result<(), Error> {
    only_ours(database)?;
    let name = quote_ident(database);
    // A database whose DROP was interrupted is invalid, and the server ends a session that alters
    // one.
    if is_template(session, database).await? {
        let unprotected = session.batch(&format!("ALTER DATABASE {name} IS_TEMPLATE false")).await;
        if unprotected
            .as_ref()
            .is_err_and(|error| error.is_one_of(&[SqlState::INVALID_CATALOG_NAME]))
        {
            return Ok(());
        }
        unprotected?;
    }
    Ok(session.batch(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await?)
}

async fn is_template(session: &Session, database: &str) -> Result<bool, Error> {
    let sql = "SELECT datistemplate FROM pg_database WHERE datname = $1";
    let row = session.client().query_opt(sql, &[&database]).await;
    Ok(row.map_err(|e| connect::Error::query(sql, &e))?.is_some_and(|row| row.get(0)))
}

fn only_ours(database: &str) -> Result<(), Error> {
    match database.starts_with(PREFIX) {
        true => Ok(()),
        false => Err(Error::NotOurs { database: database.to_owned() }),
    }
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
    roles::sweep(&session).await?;
    Ok(dropped)
}

/// What a sweep did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Databases that are gone.
    pub dropped: Vec<String>,
    /// What could not be dropped, and why.
    pub failed: Vec<String>,
}

/// A database of a trial, or one that is being filled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owned {
    /// The database's name.
    pub database: String,
    /// `pg_database_size` of it.
    pub bytes: u64,
    /// `pid 4711 on build-3, since …`; empty: it has no label, or one that cannot be read.
    pub owner: String,
    /// Whether its process lives, or another one has a session in it.
    pub in_use: bool,
    /// Its name says by which lock its process is known; otherwise an older version made it.
    has_lock: bool,
}

/// The databases of trials, and the half-made ones, that this role may drop.
///
/// # Errors
/// The server's list of databases cannot be read.
pub async fn owned(server: &Address) -> Result<Vec<Owned>, Error> {
    owned_by(&open(server).await?).await
}

async fn owned_by(session: &Session) -> Result<Vec<Owned>, Error> {
    let rows = session.client().query(OWNED, &[]).await;
    let rows = rows.map_err(|e| connect::Error::query(OWNED.trim(), &e))?;
    let mut owned = Vec::new();
    for row in rows {
        let (database, comment): (String, Option<String>) = (row.get(0), row.get(1));
        let (bytes, has_sessions): (i64, bool) = (row.get(2), row.get(3));
        let owner = comment.as_deref().and_then(Owner::parse);
        let lock = lock_of_seeding(&database).or_else(|| lock_of_trial(&database));
        let is_locked = match lock {
            Some(lock) if try_lock(session, lock).await? => {
                unlock(session, lock).await?;
                false
            }
            Some(_) => true,
            None => false,
        };
        // A process whose lock a crash of the server took has its pid still; sessions of a process
        // that is gone end with their statement, and are ended with the database.
        let is_gone = owner.as_ref().is_some_and(|owner| owner.is_here() && !owner.lives_here());
        let lives = owner.as_ref().is_some_and(Owner::lives_here);
        owned.push(Owned {
            bytes: bytes.unsigned_abs(),
            owner: owner.as_ref().map(Owner::to_text).unwrap_or_default(),
            in_use: is_locked || lives || (has_sessions && !is_gone),
            has_lock: lock.is_some(),
            database,
        });
    }
    Ok(owned)
}

/// Drops what processes left that are gone. A process that lives holds an advisory lock that the
/// names of its databases tell.
pub(super) async fn sweep_by(session: &Session) -> Result<Swept, Error> {
    let owned = owned_by(session).await?;
    let swept = drop_each(session, owned.into_iter().filter(|owned| owned.has_lock)).await?;
    roles::sweep(session).await?;
    Ok(swept)
}

async fn drop_each(session: &Session, owned: impl Iterator<Item = Owned>) -> Result<Swept, Error> {
    let mut swept = Swept::default();
    for Owned { database, .. } in owned.filter(|owned| !owned.in_use) {
        match drop_by(session, &database).await {
            Ok(()) => swept.dropped.push(database),
            Err(error) => swept.failed.push(error.to_string()),
        }
    }
    Ok(swept)
}

/// Drops every database of ours that no process uses, templates too.
///
/// # Errors
/// The list cannot be read.
pub async fn clear(server: &Address) -> Result<Swept, Error> {
    let session = open(server).await?;
    let mut swept = drop_each(&session, owned_by(&session).await?.into_iter()).await?;
    for cached in cached_by(&session).await? {
        match drop_by(&session, &cached.database).await {
            Ok(()) => swept.dropped.push(cached.database),
            Err(error) => swept.failed.push(error.to_string()),
        }
    }
    roles::sweep(&session).await?;
    Ok(swept)
}

/// Drops what this process was filling when it was interrupted.
///
/// # Errors
/// The server cannot be reached, or refuses to drop a database.
pub async fn abandon(server: &Address) -> Result<(), Error> {
    for database in Filling::left_on(server) {
        drop_database(server, &database).await?;
    }
    Ok(())
}

/// What this process was filling and left half-made, by server: an interruption drops the future
/// that knows of its database. What another run of this process still fills is not in it.
static LEFT: Mutex<BTreeSet<(String, String)>> = Mutex::new(BTreeSet::new());

fn left() -> MutexGuard<'static, BTreeSet<(String, String)>> {
    LEFT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A database that is being filled. Dropped without [`Filling::done`], it was left half-made.
pub(super) struct Filling {
    entry: Option<(String, String)>,
}

impl Filling {
    pub fn begin(server: &Address, database: &str) -> Filling {
        let entry = (server.place(), database.to_owned());
        left().remove(&entry);
        Filling { entry: Some(entry) }
    }

    /// It is whole, or was dropped.
    pub fn done(mut self) {
        self.entry = None;
    }

    fn left_on(server: &Address) -> Vec<String> {
        let place = server.place();
        let mut left = left();
        left.extract_if(.., |(at, _)| *at == place).map(|(_, database)| database).collect()
    }
}

impl Drop for Filling {
    fn drop(&mut self) {
        left().extend(self.entry.take());
    }
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
    open_as(server, APPLICATION).await
}

async fn open_as(server: &Address, name: &str) -> Result<Session, Error> {
    Ok(Session::open(server, name, &session_settings()).await?)
}
