//! What became of the rows of tables: the database as it was before the change, beside the one in
//! which the change was applied.
//!
//! Both are read at once, each in one snapshot, while nobody writes. Which tables are worth it is
//! not decided here. Nothing is judged: a row that is gone may be meant to be.

mod asked;
mod dropped;
mod keys;
mod merge;
mod sides;
mod table;
mod text;

use std::collections::BTreeMap;
use std::time::Instant;

use crate::clock::Micros;
use crate::connect::Address;
use crate::history::{ContentsChange, TableState};
use crate::pg::quote_qualified;

use super::Error;
use super::contents::Written;

pub use asked::{ComparedTable, KeyActions, Reached, Touch, Updates};

use sides::Side;

const STATES: &str = include_str!("../sql/states.sql");
const REACH: &str = include_str!("../sql/reach.sql");
const UNCOUNTED: &str = include_str!("../sql/uncounted.sql");

/// How the tables of users are stored, by name as in the fingerprint. No row of them is read.
pub async fn states(address: &Address) -> Result<BTreeMap<String, TableState>, Error> {
    let side = Side::open(address).await?;
    let rows = side.rows("the list of tables", STATES, &[]).await?;
    let mut sequences: Vec<(u32, String)> = Vec::new();
    for row in &rows {
        sequences.extend(row.get::<_, Vec<u32>>(9).into_iter().zip(row.get::<_, Vec<String>>(10)));
    }
    let places = keys::places(&side, &sequences).await?;
    let state = |row: tokio_postgres::Row| {
        let columns: Vec<String> = row.get(6);
        let numbering = row.get::<_, Vec<u32>>(9).into_iter();
        let state = TableState {
            oid: row.get(1),
            relfilenode: row.get(2),
            root: row.get(3),
            rows: row.get::<_, i64>(4).unsigned_abs(),
            written: row.get::<_, i64>(5).unsigned_abs(),
            bytes: row.get::<_, i64>(8).unsigned_abs(),
            columns: columns.into_iter().zip(row.get::<_, Vec<i16>>(7)).collect(),
            sequences: numbering.filter_map(|oid| Some((oid, places.get(&oid)?.clone()))).collect(),
        };
        (row.get(0), state)
    };
    Ok(rows.into_iter().map(state).collect())
}

/// What writes to tables reach besides, by a foreign key or a trigger.
pub async fn reach(address: &Address) -> Result<Vec<Reached>, Error> {
    let side = Side::open(address).await?;
    let rows = side.rows("triggers and foreign keys", REACH, &[]).await?;
    let acts = |code: &str| matches!(code, "c" | "n" | "d");
    let key = |row: &tokio_postgres::Row| {
        let on_delete: String = row.get::<_, Option<String>>(2)?;
        let on_update: String = row.get::<_, Option<String>>(3)?;
        Some(KeyActions {
            deletes: on_delete == "c",
            sets_on_delete: acts(&on_delete) && on_delete != "c",
            sets_on_update: acts(&on_update),
            columns: row.get(4),
            referring: row.get(5),
        })
    };
    let reached = |row: tokio_postgres::Row| Reached {
        from: row.get(0),
        to: row.get(1),
        key: key(&row),
        own_row: row.get(6),
    };
    Ok(rows.into_iter().map(reached).collect())
}

/// Why [`TableState::written`] may not have what was written to a table; None: it has.
pub async fn uncounted(address: &Address) -> Result<Option<String>, Error> {
    let side = Side::open(address).await?;
    Ok(side.row("whether rows are counted", UNCOUNTED, &[]).await?.get(0))
}

/// Compares the tables of two databases, and what refers to their rows and numbers them. Rows that
/// are `written` are left out on both sides.
pub async fn changes(
    before: &Address,
    after: &Address,
    tables: &[ComparedTable],
    written: &[Written],
) -> Result<ContentsChange, Error> {
    let began = Instant::now();
    let (before, after) = tokio::try_join!(Side::open(before), Side::open(after))?;
    // By the search_path of the session, which is empty afterwards.
    let mut of_tables: Vec<(String, &Written)> = Vec::new();
    for written in written.iter().filter(|written| !written.keys.is_empty()) {
        of_tables.extend(name(&before, &written.table).await?.map(|name| (name, written)));
    }
    tokio::try_join!(before.begin(), after.begin())?;
    let mut change = ContentsChange::default();
    for table in tables {
        let of_table = of_tables.iter().filter(|(name, _)| *name == table.table);
        let written: Vec<&Written> = of_table.map(|(_, written)| *written).collect();
        change.tables.extend(table::compare(&before, &after, table, &written).await?);
    }
    let rows: Vec<&ComparedTable> = tables.iter().filter(|table| table.rows).collect();
    let names: Vec<&str> = rows.iter().filter_map(|table| table.now.as_deref()).collect();
    change.orphans = keys::orphans(&before, &after, &names).await?;
    let numbered = tables.iter().filter(|table| table.rows || table.numbering);
    change.sequences = keys::sequences(&before, &after, numbered).await?;
    change.read = tables.iter().map(|table| table.table.clone()).collect();
    change.took_us = Micros::from_millis(began.elapsed().as_millis() as u64);
    Ok(change)
}

/// The name of a table, or of the partitioned table that it is part of, as [`states`] has it.
async fn name(side: &Side, table: &str) -> Result<Option<String>, Error> {
    let sql = "SELECT format('%I.%I', n.nspname, c.relname) \
               FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
               WHERE c.oid = coalesce(pg_partition_root(to_regclass($1)), to_regclass($1))";
    let rows = side.rows(table, sql, &[&quote_qualified(table)]).await?;
    Ok(rows.first().map(|row| row.get(0)))
}
