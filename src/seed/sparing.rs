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
use crate::history::{Listener, Progress, ShortTable};
use crate::pg::quote_qualified;

use super::Error;
use super::Plan;
use super::aside::{self, Dangling};
use super::load::{column_types, copy_error, load_table};
use super::plan::{APPLICATION, session_settings};
use super::rows::TableRows;

/// Rows that are found one by one in a table; of one with more, whole parts are left out.
const FOUND_MAX: u64 = 1_000;
/// Parts that are not split beyond that.
const PART_ROWS: usize = 100;
/// Different reasons that are kept of a table.
const REASONS_MAX: usize = 8;
/// Tables that are said to be short, those that lack most.
const SAID_MAX: usize = 10;

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
    // Once what refers to them is passed over.
    if passing.is_some() {
        let session = Session::open(address, APPLICATION, &settings).await?;
        let filled = tables.iter().filter(|table| plan.sizes.rows(&table.name) > 0).collect();
        aside::empty(&session, filled).await?;
    }
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
    for line in said(&short) {
        listener(Progress::Note(line));
    }
    Ok(short)
}

/// The tables that lack the largest share of their rows, with the first reason of each, and how
/// many more there are. A table that is short only because another one is comes after that.
fn said(short: &[ShortTable]) -> Vec<String> {
    let mut sorted: Vec<&ShortTable> = short.iter().collect();
    sorted.sort_by_key(|table| (table.only_follows(), table.share()));
    let mut lines: Vec<String> = sorted
        .iter()
        .take(SAID_MAX)
        .map(|table| match table.why.split_first() {
            Some((first, [])) => format!("{table}: {first}"),
            Some((first, [_])) => format!("{table}: {first} (and 1 more reason)"),
            Some((first, more)) => format!("{table}: {first} (and {} more reasons)", more.len()),
            None => table.to_string(),
        })
        .collect();
    lines.extend(match short.len().saturating_sub(SAID_MAX) {
        0 => None,
        1 => Some("and another table has fewer rows than were asked for".to_owned()),
        n => Some(format!("and {n} more tables have fewer rows than were asked for")),
    });
    lines
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
    let Dangling { table, key, refers_to, rows } = found;
    let why = counted(*rows, &format!("no row is referred to by the foreign key {key}"));
    let at = short.iter().position(|known| known.table == *table).unwrap_or_else(|| {
        let (table, asked) = (table.clone(), plan.sizes.rows(table));
        short.push(ShortTable { table, asked, loaded: asked, ..ShortTable::default() });
        short.len() - 1
    });
    let known = &mut short[at];
    known.loaded = known.loaded.saturating_sub(*rows);
    known.dangling += rows;
    known.why.push(why);
    if !known.refers_to.contains(refers_to) {
        known.refers_to.push(refers_to.clone());
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
            let why = vec![error.to_string()];
            Ok(Some(ShortTable { table, asked, why, ..ShortTable::default() }))
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
    // Rows of the schema's own script, where they could not be deleted, stay.
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
    listener(Progress::SeedStep(format!("{}: find refused rows", rows.table())));
    let mut sparing = Sparing { session, rows: &rows, short: Short::default() };
    sparing.load().await?;
    let Short { loaded, reasons, others, refused_by, .. } = sparing.short;
    if loaded == rows.rows() {
        return Ok(None);
    }
    let mut why: Vec<String> =
        reasons.into_iter().map(|(why, count)| counted(count, &why)).collect();
    why.extend((others > 0).then(|| counted(others, "other reasons")));
    let table = rows.table().to_owned();
    let asked = rows.rows();
    Ok(Some(ShortTable { table, asked, loaded, why, refused_by, ..ShortTable::default() }))
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
    refused_by: Vec<String>,
}

impl Short {
    fn refuse(&mut self, error: &Error, rows: u64) {
        self.refused += rows;
        if let Error::Copy { refused_by: Some(name), .. } = error
            && !self.refused_by.contains(name)
        {
            self.refused_by.push(name.clone());
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_that_lack_most_are_said_with_one_reason_each() {
        let short = |n: u64| ShortTable {
            table: format!("t{n}"),
            asked: 100,
            loaded: n,
            why: vec!["a row: no".to_owned(), "a row: never".to_owned()],
            ..ShortTable::default()
        };
        let follows = ShortTable { loaded: 0, dangling: 100, ..short(50) };
        let mut tables: Vec<ShortTable> = [follows].into_iter().chain((1..12).map(short)).collect();
        tables.reverse();
        let lines = said(&tables);
        assert_eq!(lines.len(), 11);
        assert_eq!(lines[0], "t1 has 1 of 100 rows: a row: no (and 1 more reason)");
        assert_eq!(lines[9], "t10 has 10 of 100 rows: a row: no (and 1 more reason)");
        assert_eq!(lines[10], "and 2 more tables have fewer rows than were asked for");
        assert_eq!(said(&tables[..1]).len(), 1);
    }
}
