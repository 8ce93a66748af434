//! Fills a database once, keeps it as a template, and copies it for each trial.
//!
//! Copying is some twenty times faster than filling, so a template is found again by a key over
//! all that shaped it, in this process or a later one. A template appears under its name only
//! when it is whole: it is filled under another name and renamed last. Only databases named
//! `pgauntlet_…` are ever created or dropped here.

mod aside;
mod build;
mod cache;
mod claim;
mod encode;
mod error;
mod estimate;
mod load;
mod names;
mod needs;
mod oracle;
mod ownership;
mod plan;
mod queries;
mod roles;
mod rows;
mod script;
mod sequences;
mod sparing;
mod statistics;

pub use cache::{
    Cached, Owned, Swept, abandon, cached, clear, copy, copy_small, drop_database, empty, evict,
    owned,
};
pub use claim::Claim;
pub use error::Error;
pub use estimate::estimated_bytes;
pub use load::load;
pub use oracle::infer_rows;
pub use ownership::{hand_over, is_superuser, let_use};
pub use plan::{Plan, ReadCatalogue, Template};
pub use queries::{Refusal, Types, describe};
pub use rows::{Chunk, ColumnType, TableRows};
pub use script::run_schema;
pub use statistics::restore_statistics;

use std::time::Instant;

use crate::connect::{self, Address, Session};
use crate::history::{Listener, Progress, ServerFacts, ShortTable, silent};
use crate::pg::{SqlState, quote_ident, quote_literal};

use names::{Key, Label};
use plan::LOCK_WAIT_MAX;

/// Finds the plan's template on the server, or makes it. `keeps`: databases outlive this process
/// there, so something half-made may have been left by another.
///
/// # Errors
/// The database cannot be made, filled or labelled, or another process took too long over it.
pub async fn template(
    server: &Address,
    facts: &ServerFacts,
    plan: &Plan<'_>,
    keeps: bool,
    listener: &Listener,
) -> Result<Template, Error> {
    let began = Instant::now();
    // This session holds the lock until the template is there, and ends with this process.
    let keeper = cache::open(server).await?;
    let key = Key::of(plan, facts.version_num, &own_role(&keeper).await?);
    lock(&keeper, &key, listener).await?;
    if keeps {
        cache::sweep_by(&keeper).await?;
    }
    let found = cache::find(&keeper, &key).await?;
    let reused = found.is_some();
    let label = match found {
        Some(label) => Label { last_used: now(), ..label },
        None => make_or_clean_up(server, facts, plan, &key, &keeper, listener).await?,
    };
    let (database, key) = (key.template(), key.hex().to_owned());
    if reused {
        cache::put_label(&keeper, &database, &label).await?;
    }
    let (bytes, short) = (label.bytes, label.short);
    Ok(Template { database, key, reused, bytes, short, took: began.elapsed() })
}

/// Fills a database that is empty with a whole schema and its rows, everything in place; says
/// which tables are short.
///
/// # Errors
/// The schema does not run, or a table cannot be filled.
pub async fn fill_in_place(
    database: &Address,
    plan: &Plan<'_>,
    listener: &Listener,
) -> Result<Vec<ShortTable>, Error> {
    let session = cache::open(database).await?;
    script::run_schema(database, &plan.scenario.schema, listener).await?;
    let short = sparing::load_whole(database, plan, listener).await?;
    sequences::advance(&session, &plan.scenario.tables).await?;
    Ok(short)
}

async fn own_role(session: &Session) -> Result<String, Error> {
    let sql = "SELECT current_user::text";
    let row = session.client().query_one(sql, &[]).await;
    Ok(row.map_err(|e| connect::Error::query(sql, &e))?.get(0))
}

/// Takes the key's lock; waits for another process that makes the same template.
async fn lock(keeper: &Session, key: &Key, listener: &Listener) -> Result<(), Error> {
    if cache::try_lock(keeper, key.lock()).await? {
        return Ok(());
    }
    let sentence = "wait for another pgauntlet that fills the same template".to_owned();
    listener(Progress::SeedStep(sentence));
    let wait_ms = LOCK_WAIT_MAX.as_millis();
    let lock = key.lock();
    keeper.batch(&format!("SET lock_timeout = {wait_ms}")).await?;
    let waited = keeper.batch(&format!("SELECT pg_advisory_lock({lock})")).await;
    match waited {
        Err(e) if e.is_one_of(&[SqlState::LOCK_NOT_AVAILABLE]) => {
            return Err(Error::Busy { database: key.template() });
        }
        other => other?,
    }
    Ok(keeper.batch("SET lock_timeout = 0").await?)
}

/// A session that keeps roles which a schema's script makes from being dropped, as long as it is
/// there: others may sweep meanwhile.
///
/// # Errors
/// The session fails.
pub async fn hold_roles(server: &Address) -> Result<Session, Error> {
    let session = cache::open(server).await?;
    roles::hold(&session).await?;
    Ok(session)
}

async fn make_or_clean_up(
    server: &Address,
    facts: &ServerFacts,
    plan: &Plan<'_>,
    key: &Key,
    keeper: &Session,
    listener: &Listener,
) -> Result<Label, Error> {
    let database = key.seeding();
    roles::hold(keeper).await?;
    let filling = cache::Filling::begin(server, &database);
    let made = make(server, facts, plan, key, keeper, listener).await;
    if made.is_err() {
        // The first error is the one to tell; what cannot be dropped now, the next start sweeps.
        let _ = cache::drop_by(keeper, &database).await;
        let _ = roles::sweep(keeper).await;
    }
    filling.done();
    made
}

async fn make(
    server: &Address,
    facts: &ServerFacts,
    plan: &Plan<'_>,
    key: &Key,
    keeper: &Session,
    listener: &Listener,
) -> Result<Label, Error> {
    let database = key.seeding();
    let name = quote_ident(&database);
    let maker = quote_literal(&cache::maker(&database));
    keeper.batch(&format!("SET application_name = {maker}")).await?;
    let address = server.with_database(&database);
    let mut filled = None;
    for all_in_place in [false, true] {
        // We hold the lock, so the process that made a database of this name is gone.
        cache::drop_by(keeper, &database).await?;
        // template0 is the same on every server, and no session is connected to it.
        keeper.batch(&format!("CREATE DATABASE {name} TEMPLATE template0")).await?;
        cache::put_owner(keeper, &database).await?;
        filled = fill(&address, facts, plan, all_in_place, listener).await?;
        if filled.is_some() {
            break;
        }
        let sentence = "the schema was not as before when its indexes were put back: it is loaded \
                        again with everything in place";
        listener(Progress::Note(sentence.to_owned()));
    }
    let (bytes, short) = filled.unwrap_or_default();
    let label = Label {
        pgauntlet_template: Label::VERSION,
        key: key.hex().to_owned(),
        scenario: plan.scenario.name.clone(),
        bytes,
        short,
        created: now(),
        last_used: now(),
    };
    cache::put_label(keeper, &database, &label).await?;
    keeper.batch(&format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false")).await?;
    keeper.batch(&format!("ALTER DATABASE {name} IS_TEMPLATE true")).await?;
    // Last: under its own name a template is whole. The server waits for our sessions to be gone.
    let template = quote_ident(&key.template());
    keeper.batch(&format!("ALTER DATABASE {name} RENAME TO {template}")).await?;
    Ok(label)
}

/// Makes the tables, fills them and leaves them as production's are. Says the database's size and
/// the tables that are short. None: what was taken off for the load is not as it was.
async fn fill(
    database: &Address,
    facts: &ServerFacts,
    plan: &Plan<'_>,
    all_in_place: bool,
    listener: &Listener,
) -> Result<Option<(u64, Vec<ShortTable>)>, Error> {
    let session = cache::open(database).await?;
    let scenario = plan.scenario;
    listener(Progress::SeedStep("create the tables".to_owned()));
    // What is left out is said the first time.
    let heard = if all_in_place { &silent() } else { listener };
    script::run_schema(database, &scenario.schema, heard).await?;
    let short = match scenario.whole {
        true => {
            let catalogue = plan.catalogue.filter(|_| !all_in_place);
            match fill_whole(&session, database, plan, catalogue, listener).await? {
                Some(short) => short,
                None => return Ok(None),
            }
        }
        false => {
            load(database, plan, listener).await?;
            Vec::new()
        }
    };
    build::run_indexes(database, &scenario.indexes, listener).await?;
    // After the indexes, which find a column's extremes; a script's own setval has come before.
    sequences::advance(&session, &scenario.tables).await?;
    build::settle(&session, plan, facts.version_num, listener).await?;
    let sql = "SELECT pg_database_size(current_database())";
    let row = session.client().query_one(sql, &[]).await;
    let bytes: i64 = row.map_err(|e| connect::Error::query(sql, &e))?.get(0);
    Ok(Some((bytes.unsigned_abs(), short)))
}

/// Takes off what slows the load down, loads, and puts it back. None: it is not as it was.
async fn fill_whole(
    session: &Session,
    database: &Address,
    plan: &Plan<'_>,
    catalogue: Option<ReadCatalogue>,
    listener: &Listener,
) -> Result<Option<Vec<ShortTable>>, Error> {
    let Some(read) = catalogue else {
        return sparing::load_whole(database, plan, listener).await.map(Some);
    };
    let unread = |why| Error::Catalogue { why };
    let before = read(session).await.map_err(unread)?;
    let aside = aside::Aside::take(session, &plan.scenario.tables).await?;
    let short = sparing::load_whole(database, plan, listener).await?;
    // What cannot be made again over these rows is a difference like any other.
    if build::run_indexes(database, &aside.indexes(), listener).await.is_err()
        || aside.put_back(session).await.is_err()
    {
        return Ok(None);
    }
    let after = read(session).await.map_err(unread)?;
    Ok((before == after).then_some(short))
}

fn now() -> String {
    jiff::Timestamp::now().to_string()
}
