//! Fills existing, empty tables: loaders take chunks from a queue, each on a session of its own.
//!
//! Two ways that look faster were measured and left: COPY FREEZE needs the transaction that made
//! the table, so it allows one session only, and saves half of a VACUUM (0.5 µs a row, where the
//! load takes 4 to 8); documents that the server joins to loaded keys (INSERT … SELECT) cost
//! nine tenths of sending them.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use futures_util::SinkExt as _;
use tokio::task::JoinSet;
use tokio_postgres::CopyInSink;

use crate::connect::{self, Address, Session, server_error};
use crate::history::{Listener, Progress};
use crate::pg::quote_qualified;

use super::plan::{APPLICATION, session_settings};
use super::rows::{ColumnType, TableRows};
use super::{Error, Plan};

/// How often a listener hears of a table's rows, at most.
const PROGRESS_EVERY: Duration = Duration::from_millis(100);

/// A column's type as it decides about encoding: a domain counts as the type that it is over.
const COLUMN_TYPES: &str = "
    SELECT a.attname::text, format_type(a.atttypid, a.atttypmod),
           COALESCE(base.oid, t.oid), COALESCE(base.typtype, t.typtype) = 'e'
    FROM pg_attribute a
    JOIN pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_type base ON t.typtype = 'd' AND base.oid = t.typbasetype
    WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped
    ORDER BY a.attnum";

/// Fills the plan's tables in their order; says how many rows there are now.
///
/// # Errors
/// A statement of the schema or the indexes fails, or a value does not fit its column.
pub async fn load(address: &Address, plan: &Plan<'_>, listener: &Listener) -> Result<u64, Error> {
    let session = Session::open(address, APPLICATION, &session_settings()).await?;
    let mut total = 0;
    for table in &plan.scenario.tables {
        let types = column_types(&session, &table.name).await?;
        let rows = TableRows::new(plan, table, &types)?;
        total += rows.rows();
        match rows.defaults_sql() {
            Some(sql) => session.batch(&sql).await?,
            None => {
                let settings = session_settings();
                load_table(address, &settings, plan.loaders, Arc::new(rows), listener).await?;
            }
        }
    }
    Ok(total)
}

pub(super) async fn column_types(session: &Session, table: &str) -> Result<Vec<ColumnType>, Error> {
    let name = quote_qualified(table);
    let rows = session.client().query(COLUMN_TYPES, &[&name]).await;
    let types: Vec<ColumnType> = rows
        .map_err(|e| connect::Error::query(COLUMN_TYPES.trim(), &e))?
        .into_iter()
        .map(|row| ColumnType {
            name: row.get(0),
            type_name: row.get(1),
            type_oid: row.get(2),
            is_enum: row.get(3),
        })
        .collect();
    if types.is_empty() {
        return Err(Error::NoTable { table: table.to_owned() });
    }
    Ok(types)
}

/// What the loaders of a table share.
struct LoadState {
    settings: BTreeMap<String, String>,
    rows: Arc<TableRows>,
    next_chunk: AtomicU64,
    meter: Meter,
}

/// Loads a table, each loader on a session with these settings.
pub(super) async fn load_table(
    address: &Address,
    settings: &BTreeMap<String, String>,
    loaders: usize,
    rows: Arc<TableRows>,
    listener: &Listener,
) -> Result<(), Error> {
    let meter = Meter::new(&rows, listener);
    let loaders = (loaders.max(1) as u64).min(rows.chunks());
    let settings = settings.clone();
    let shared = Arc::new(LoadState { settings, rows, next_chunk: AtomicU64::new(0), meter });
    // Dropping the set, as an error or a cancelled run does, ends every loader.
    let mut tasks = JoinSet::new();
    for _ in 0..loaders {
        tasks.spawn(load_chunks(address.clone(), Arc::clone(&shared)));
    }
    while let Some(joined) = tasks.join_next().await {
        match joined {
            Ok(loaded) => loaded?,
            Err(e) if e.is_panic() => std::panic::resume_unwind(e.into_panic()),
            // Nothing aborts a loader while its set is polled.
            Err(_) => {}
        }
    }
    shared.meter.tell();
    Ok(())
}

/// One loader: a COPY per chunk, so that an error is known after 10,000 rows and not at the end.
async fn load_chunks(address: Address, shared: Arc<LoadState>) -> Result<(), Error> {
    let session = Session::open(&address, APPLICATION, &shared.settings).await?;
    let sql = shared.rows.copy_sql();
    let refused = |e: &tokio_postgres::Error| copy_error(shared.rows.table(), e);
    let copy = session.client().prepare(&sql).await.map_err(|e| refused(&e))?;
    loop {
        let number = shared.next_chunk.fetch_add(1, Ordering::Relaxed);
        if number >= shared.rows.chunks() {
            return Ok(());
        }
        let mut sink = pin!(session.client().copy_in(&copy).await.map_err(|e| refused(&e))?);
        let mut chunk = shared.rows.chunk(number);
        let mut buffer = BytesMut::new();
        loop {
            // A quarter of a millisecond of work between two awaits: no other task starves.
            let rows = chunk.fill(&mut buffer)?;
            if rows == 0 {
                break;
            }
            let sent: Result<(), _> = sink.send(buffer.split().freeze()).await;
            sent.map_err(|e| refused(&e))?;
            shared.meter.add(rows);
        }
        finish(sink).await.map_err(|e| refused(&e))?;
    }
}

async fn finish(sink: std::pin::Pin<&mut CopyInSink<Bytes>>) -> Result<u64, tokio_postgres::Error> {
    sink.finish().await
}

pub(super) fn copy_error(table: &str, error: &tokio_postgres::Error) -> Error {
    let context = error.as_db_error().and_then(|db| db.where_());
    // The context goes on with the value, which may be a whole document.
    let context = context.and_then(|text| text.lines().next()).map(|line| {
        const SHOWN: usize = 120;
        line.chars().take(SHOWN).collect()
    });
    let refusal = error.as_db_error();
    let refused_by = refusal.and_then(|db| db.constraint().or(db.column())).map(str::to_owned);
    let (table, error) = (table.to_owned(), Box::new(server_error(error)));
    Error::Copy { table, error, context, refused_by }
}

/// Counts the rows of a table and tells a listener now and then.
struct Meter {
    table: String,
    of: u64,
    done: AtomicU64,
    shown_at: Mutex<Instant>,
    listener: Listener,
}

impl Meter {
    fn new(rows: &TableRows, listener: &Listener) -> Meter {
        Meter {
            table: rows.table().to_owned(),
            of: rows.rows(),
            done: AtomicU64::new(0),
            shown_at: Mutex::new(Instant::now()),
            listener: Arc::clone(listener),
        }
    }

    fn add(&self, rows: u64) {
        self.done.fetch_add(rows, Ordering::Relaxed);
        let mut shown_at = self.shown_at.lock().unwrap_or_else(PoisonError::into_inner);
        if shown_at.elapsed() >= PROGRESS_EVERY {
            *shown_at = Instant::now();
            self.tell();
        }
    }

    fn tell(&self) {
        let rows = self.done.load(Ordering::Relaxed);
        (self.listener)(Progress::Seeding { table: self.table.clone(), rows, of: self.of });
    }
}
