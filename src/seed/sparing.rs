//! Loads a table whose rows the server may refuse: each such row is left out and said.
//!
//! The table is loaded as any other first. Where the server refuses something, it is emptied and
//! loaded again chunk by chunk on one session, so that which of two rows of one key is kept does
//! not depend on who came first; a chunk that is refused is split in halves until the row is found.

use std::collections::BTreeMap;
use std::ops::Range;
use std::pin::pin;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures_util::SinkExt as _;

use crate::connect::{self, Address, Session};
use crate::history::{Listener, Progress};
use crate::pg::quote_qualified;

use super::Error;
use super::Plan;
use super::aside::{self, Dangling};
use super::load::{column_types, copy_error, load_table};
use super::plan::{APPLICATION, ShortTable, session_settings};
use super::rows::TableRows;

/// Rows that are found one by one in a table; of one with more, whole parts are left out.
const FOUND_MAX: u64 = 1_000;
/// Parts that are not split beyond that.
const PART_ROWS: usize = 100;
/// Different reasons that are kept of a table.
const REASONS_MAX: usize = 8;

/// Fills the plan's tables in their order with what the server takes; says which are short.
///
/// # Errors
/// A table or a column is missing, or a session fails.
pub(super) async fn load_whole(
    address: &Address,
    plan: &Plan<'_>,
    listener: &Listener,
) -> Result<Vec<ShortTable>, Error> {
    let session = Session::open(address, APPLICATION, &session_settings()).await?;
    let tables = &plan.scenario.tables;
    let mut settings = session_settings();
    let passing = aside::passing_over(&session, tables).await?;
    settings.extend(passing.map(|(name, value)| (name.to_owned(), value.to_owned())));
    if passing.is_none() && !tables.is_empty() {
        let sentence = "triggers and foreign keys act while the tables are filled: the role may \
                        not set session_replication_role, or a key has a PERIOD";
        listener(Progress::Note(sentence.to_owned()));
    }
    let mut short = Vec::new();
    for table in tables {
        let types = column_types(&session, &table.name).await?;
        let rows = TableRows::new(plan, table, &types)?;
        short.extend(match rows.defaults_sql() {
            Some(sql) => defaults(address, &settings, &rows, &sql).await?,
            None => load_sparing(address, &settings, plan.loaders, rows, listener).await?,
        });
    }
    if passing.is_some() {
        listener(Progress::SeedStep("look for rows that refer to no row".to_owned()));
        let session = Session::open(address, APPLICATION, &settings).await?;
        for found in aside::dangling(&session, tables).await? {
            count_dangling(&found, &mut short, plan);
        }
    }
    for table in &short {
        listener(Progress::Note(table.to_text()));
    }
    Ok(short)
}

/// `a row: …`, `6 rows: …`
fn counted(rows: u64, why: &str) -> String {
    match rows {
        1 => format!("a row: {why}"),
        rows => format!("{rows} rows: {why}"),
    }
}

/// Counts rows that were deleted as left out.
fn count_dangling(found: &Dangling, short: &mut Vec<ShortTable>, plan: &Plan<'_>) {
    let Dangling { table, key, rows } = found;
    let why = counted(*rows, &format!("no row is referred to by the foreign key {key}"));
    match short.iter_mut().find(|known| known.table == *table) {
        Some(known) => {
            known.loaded = known.loaded.saturating_sub(*rows);
            known.why.push(why);
        }
        None => {
            let asked = plan.sizes.rows(table);
            let (table, loaded) = (table.clone(), asked.saturating_sub(*rows));
            short.push(ShortTable { table, asked, loaded, why: vec![why] });
        }
    }
}

/// Rows that are all defaults are taken or refused as one.
async fn defaults(
    address: &Address,
    settings: &BTreeMap<String, String>,
    rows: &TableRows,
    sql: &str,
) -> Result<Option<ShortTable>, Error> {
    let session = Session::open(address, APPLICATION, settings).await?;
    match session.batch(sql).await {
        Ok(()) => Ok(None),
        Err(connect::Error::Query { error, .. }) if error.sqlstate.is_some() => {
            let (table, asked) = (rows.table().to_owned(), rows.rows());
            Ok(Some(ShortTable { table, asked, loaded: 0, why: vec![error.to_string()] }))
        }
        Err(error) => Err(error.into()),
    }
}

/// Loads a table with what the server takes of it; None: all.
async fn load_sparing(
    address: &Address,
    settings: &BTreeMap<String, String>,
    loaders: usize,
    rows: TableRows,
    listener: &Listener,
) -> Result<Option<ShortTable>, Error> {
    let session = Session::open(address, APPLICATION, settings).await?;
    let table = quote_qualified(rows.table());
    // Rows of the schema's own script stay.
    let found = format!("SELECT EXISTS (SELECT FROM {table})");
    let row = session.client().query_one(&found, &[]).await;
    let has_rows: bool = row.map_err(|e| connect::Error::query(&found, &e))?.get(0);
    let rows = Arc::new(rows);
    if !has_rows {
        match load_table(address, settings, loaders, Arc::clone(&rows), listener).await {
            Ok(()) => return Ok(None),
            Err(error) if is_refusal(&error) => {}
            Err(error) => return Err(error),
        }
        session.batch(&format!("DELETE FROM {table}")).await?;
    }
    let step = format!("look for the rows of {} that the server refuses", rows.table());
    listener(Progress::SeedStep(step));
    let mut sparing = Sparing { session, rows: &rows, short: Short::default() };
    sparing.load().await?;
    let Short { loaded, reasons, others, .. } = sparing.short;
    if loaded == rows.rows() {
        return Ok(None);
    }
    let mut why: Vec<String> =
        reasons.into_iter().map(|(why, count)| counted(count, &why)).collect();
    why.extend((others > 0).then(|| counted(others, "other reasons")));
    let table = rows.table().to_owned();
    Ok(Some(ShortTable { table, asked: rows.rows(), loaded, why }))
}

/// Whether a row is to blame, and not the session, the server or the disk.
fn is_refusal(error: &Error) -> bool {
    match error {
        Error::Value { .. } => true,
        Error::Copy { error, .. } => {
            let class = error.sqlstate.as_ref().map(|state| &state.code()[..2]);
            class.is_some_and(|class| !["08", "25", "53", "54", "57", "58", "XX"].contains(&class))
        }
        _ => false,
    }
}

struct Sparing<'a> {
    session: Session,
    rows: &'a TableRows,
    short: Short,
}

/// What came of a table so far.
#[derive(Default)]
struct Short {
    loaded: u64,
    refused: u64,
    /// In the order of their first row.
    reasons: Vec<(String, u64)>,
    others: u64,
}

impl Short {
    fn refuse(&mut self, error: &Error, rows: u64) {
        self.refused += rows;
        let why = reason(error);
        if let Some(known) = self.reasons.iter_mut().find(|(known, _)| *known == why) {
            known.1 += rows;
        } else if self.reasons.len() < REASONS_MAX {
            self.reasons.push((why, rows));
        } else {
            self.others += rows;
        }
    }
}

/// Without the line and the values of one row, so that rows of one reason count together.
fn reason(error: &Error) -> String {
    match error {
        Error::Copy { error, .. } => error.to_string(),
        other => other.to_string(),
    }
}

impl Sparing<'_> {
    async fn load(&mut self) -> Result<(), Error> {
        for number in 0..self.rows.chunks() {
            let (mut made, mut chunk) = (Vec::new(), self.rows.chunk(number));
            while !chunk.is_done() {
                let mut row = BytesMut::new();
                match chunk.put_row(&mut row) {
                    Ok(()) => made.push(row.freeze()),
                    Err(error) => self.short.refuse(&error, 1),
                }
            }
            self.load_parts(&made).await?;
        }
        Ok(())
    }

    async fn load_parts(&mut self, made: &[Bytes]) -> Result<(), Error> {
        let mut open: Vec<Range<usize>> = Vec::new();
        open.push(0..made.len());
        while let Some(part) = open.pop() {
            if part.is_empty() {
                continue;
            }
            let rows = part.len();
            let error = match self.copy(&made[part.clone()]).await {
                Ok(()) => {
                    self.short.loaded += rows as u64;
                    continue;
                }
                Err(error) if is_refusal(&error) => error,
                Err(error) => return Err(error),
            };
            let least = if self.short.refused < FOUND_MAX { 1 } else { PART_ROWS };
            if rows <= least {
                self.short.refuse(&error, rows as u64);
                continue;
            }
            let middle = part.start + rows / 2;
            // The first half is loaded first: of two rows of one key the earlier is kept.
            open.push(middle..part.end);
            open.push(part.start..middle);
        }
        Ok(())
    }

    async fn copy(&self, made: &[Bytes]) -> Result<(), Error> {
        let refused = |e: &tokio_postgres::Error| copy_error(self.rows.table(), e);
        let sql = self.rows.copy_sql();
        let sink = self.session.client().copy_in(&sql).await.map_err(|e| refused(&e))?;
        let mut sink = pin!(sink);
        let sent: Result<(), _> = sink.send(self.rows.framed(made)).await;
        sent.map_err(|e| refused(&e))?;
        sink.finish().await.map_err(|e| refused(&e))?;
        Ok(())
    }
}
