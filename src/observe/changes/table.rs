//! Compares one table with what it was: digests of whole columns first, rows where those differ.
//!
//! A column's digest is the sum of its values' hashes, each with the hash of its row's key for a
//! seed: a value that goes to another row is another one. Only of columns whose digests differ are
//! the hashes of all rows fetched, some million at a time.

use std::collections::BTreeSet;

use tokio_postgres::types::ToSql;

use crate::history::{ColumnChange, TableChange, ValueExample};

use super::super::Error;
use super::super::contents::Written;
use super::asked::{ComparedTable, Updates};
use super::dropped::{self, Search};
use super::merge::{Merged, merge};
use super::sides::Side;
use super::text::{Column, Rows, Shared, hash, shared, together};

const COLUMNS: &str = include_str!("../sql/compared.sql");
/// Rows whose hashes are fetched at a time: some hundred MB.
const ROWS_AT_ONCE: u64 = 4_000_000;
/// Columns of a table of which rows are fetched; the rest is known to differ, not how.
const COLUMNS_MAX: usize = 6;
/// Characters of a value in an example.
const EXAMPLE_MAX: usize = 60;

/// The table of before on its side, and what is in its place on the other.
pub struct Compared<'a> {
    before: &'a Side,
    after: &'a Side,
    asked: &'a ComparedTable,
    now: &'a str,
    without: Vec<&'a Written>,
    columns: Vec<Shared>,
    /// What tells rows apart; None: nothing does.
    key: Option<String>,
    has_primary_key: bool,
}

/// Sums over a table.
struct Digest {
    rows: u64,
    keys: String,
    columns: Vec<String>,
}

/// What is another than it was; None: nothing is. `written`: rows that the application is known to
/// have written.
pub async fn compare(
    before: &Side,
    after: &Side,
    asked: &ComparedTable,
    written: &[&Written],
) -> Result<Option<TableChange>, Error> {
    let Some(now) = &asked.now else { return removed(before, asked).await };
    let of_side = async |side: &Side, table: &str| -> Result<Vec<Column>, Error> {
        Ok(side.rows(table, COLUMNS, &[&table]).await?.iter().map(Column::of).collect())
    };
    let (was, is) = tokio::try_join!(of_side(before, &asked.table), of_side(after, now))?;
    let columns = shared(&was, &is);
    let keys = was.iter().filter(|column| column.key.is_some()).count();
    let mut key: Vec<&Shared> = columns.iter().filter(|column| column.key.is_some()).collect();
    key.sort_by_key(|column| column.key);
    let has_primary_key = keys > 0 && key.len() == keys;
    let key = has_primary_key.then(|| together(&key)).flatten();
    let there = |w: &&&Written| columns.iter().any(|column| column.name == w.key_column);
    let mut asked = asked.clone();
    if !written.iter().all(|w| there(&w)) {
        // What it wrote cannot be told from the rest.
        asked.touch = super::asked::Touch::anything();
    }
    let without: Vec<&Written> = written.iter().filter(there).copied().collect();
    let asked = &asked;
    let (known_by, left_out) = (key.clone(), without.clone());
    let change = match asked.rows {
        true => {
            let of = Compared { before, after, asked, now, without, columns, key, has_primary_key };
            of.differs().await?
        }
        false => None,
    };
    let search = Search {
        sides: (before, after),
        asked,
        now,
        key: known_by.as_deref(),
        without: &left_out,
        columns: (&was, &is),
    };
    dropped::add(&search, change).await
}

/// Of a table that is gone with its rows.
async fn removed(before: &Side, asked: &ComparedTable) -> Result<Option<TableChange>, Error> {
    let only = if asked.partitioned.0 { "" } else { "ONLY " };
    let sql = format!("SELECT count(*) FROM {only}{}", asked.table);
    let rows = before.row(&asked.table, &sql, &[]).await?.get::<_, i64>(0).unsigned_abs();
    let table = asked.table.clone();
    let change = TableChange { table, rows_before: rows, gone: rows, ..TableChange::default() };
    Ok((rows > 0).then_some(change))
}

impl Compared<'_> {
    async fn differs(mut self) -> Result<Option<TableChange>, Error> {
        let (was, is) = self.digests().await?;
        let touch = &self.asked.touch;
        let differs = |column: usize| was.columns[column] != is.columns[column];
        let all: Vec<usize> = (0..self.columns.len()).filter(|n| differs(*n)).collect();
        let same_keys = was.rows == is.rows && was.keys == is.keys;
        if same_keys && all.is_empty() {
            return Ok(None);
        }
        let mut change = TableChange {
            table: self.asked.table.clone(),
            now: Some(self.now.to_owned()),
            rows_before: was.rows,
            rows_after: is.rows,
            application_deletes: touch.deletes,
            application_inserts: touch.inserts,
            ..TableChange::default()
        };
        let may_be_theirs = |column: &Shared| match column.generated {
            // By whichever column it follows from.
            true => touch.updates != Updates::None,
            false => touch.updates(&column.name),
        };
        let wanted: Vec<usize> =
            all.iter().copied().filter(|n| !may_be_theirs(&self.columns[*n])).collect();
        let words = self.asked.words.as_ref();
        let may_be_both = |column: &Shared| {
            let named = |words: &BTreeSet<String>| words.contains(&column.name.to_lowercase());
            column.generated || words.is_none_or(named)
        };
        let others = all.iter().copied().filter(|n| !wanted.contains(n));
        let others: Vec<usize> = others.filter(|n| may_be_both(&self.columns[*n])).collect();
        if !self.has_primary_key {
            let equal: Vec<&Shared> = (0..self.columns.len())
                .filter(|n| !all.contains(n))
                .map(|n| &self.columns[n])
                .collect();
            match same_keys.then(|| together(&equal)).flatten() {
                Some(key) => self.key = Some(key),
                None => {
                    self.whole_rows(&mut change).await?;
                    return Ok(is_one(change));
                }
            }
        }
        let rows = was.rows.max(is.rows);
        change.columns = self.by_key(&mut change, &wanted, rows).await?;
        let both = self.by_key(&mut change, &others, rows).await?;
        change.application_updates = both.into_iter().filter(|column| column.changed > 0).collect();
        if wanted.is_empty() && others.is_empty() && !same_keys {
            let merged = self.merged("NULL::int8", rows).await?;
            self.note_rows(&mut change, &merged).await?;
        }
        Ok(is_one(change))
    }

    async fn digests(&self) -> Result<(Digest, Digest), Error> {
        let mut select = String::from("SELECT count(*), coalesce(sum(k.h), 0)::text");
        for column in &self.columns {
            let hash = hash(column, "k.h");
            let text = &column.text;
            select += &format!(", concat(count({text}), ':', sum({hash}))");
        }
        let of_side = async |side: &Side, is_after: bool| -> Result<Digest, Error> {
            let rows = self.rows(is_after).sql();
            let sql = format!("{select} {rows}");
            let row = side.row(&self.asked.table, &sql, &self.keys_without()).await?;
            let columns = (0..self.columns.len()).map(|n| row.get(n + 2)).collect();
            Ok(Digest { rows: row.get::<_, i64>(0).unsigned_abs(), keys: row.get(1), columns })
        };
        tokio::try_join!(of_side(self.before, false), of_side(self.after, true))
    }

    fn rows(&self, is_after: bool) -> Rows<'_> {
        let (table, partitioned) = match is_after {
            false => (self.asked.table.as_str(), self.asked.partitioned.0),
            true => (self.now, self.asked.partitioned.1),
        };
        let key = self.key.as_deref();
        Rows { table, only: !partitioned, key, without: &self.without }
    }

    fn keys_without(&self) -> Vec<&(dyn ToSql + Sync)> {
        self.without.iter().map(|written| &written.keys as &(dyn ToSql + Sync)).collect()
    }

    /// Rows that something tells apart: which are gone, and which have other values.
    async fn by_key(
        &self,
        change: &mut TableChange,
        wanted: &[usize],
        rows: u64,
    ) -> Result<Vec<ColumnChange>, Error> {
        let mut found = Vec::new();
        for (nth, &n) in wanted.iter().enumerate() {
            let column = &self.columns[n];
            if nth >= COLUMNS_MAX {
                let column = column.name.clone();
                found.push(ColumnChange { column, changed: 1, ..ColumnChange::default() });
                continue;
            }
            let merged = self.merged(&hash(column, "0"), rows).await?;
            self.note_rows(change, &merged).await?;
            let example = match merged.changed_keys.first() {
                Some(key) => self.example(*key, column).await?,
                None => None,
            };
            let (column, changed, filled) = (column.name.clone(), merged.changed, merged.filled);
            if changed + filled > 0 {
                found.push(ColumnChange { column, changed, filled, example });
            }
        }
        Ok(found)
    }

    async fn note_rows(&self, change: &mut TableChange, merged: &Merged) -> Result<(), Error> {
        (change.gone, change.added) = (merged.gone, merged.added);
        if merged.gone_keys.is_empty() || !change.gone_keys.is_empty() {
            return Ok(());
        }
        let Some(key) = self.key.as_deref().filter(|_| self.has_primary_key) else {
            return Ok(());
        };
        let sql = format!(
            "SELECT left({key}, {EXAMPLE_MAX}) {} AND k.h = ANY (${}) LIMIT 3",
            self.rows(false).sql(),
            self.without.len() + 1
        );
        let mut parameters = self.keys_without();
        parameters.push(&merged.gone_keys);
        let rows = self.before.rows(&self.asked.table, &sql, &parameters).await?;
        change.gone_keys = rows.iter().map(|row| row.get(0)).collect();
        Ok(())
    }

    /// The rows of both sides by key, each with one value.
    async fn merged(&self, value: &str, rows: u64) -> Result<Merged, Error> {
        let parts = rows / ROWS_AT_ONCE + 1;
        let mut merged = Merged::default();
        for part in 0..parts {
            let of_side = async |side: &Side, is_after: bool| {
                let rows = self.rows(is_after).sql();
                let sql = format!("SELECT k.h, {value} {rows} AND abs(mod(k.h, {parts})) = {part}");
                side.hashed(&self.asked.table, &sql, &self.keys_without()).await
            };
            let (was, is) =
                tokio::try_join!(of_side(self.before, false), of_side(self.after, true))?;
            merged = merged.and(merge(was, is));
        }
        Ok(merged)
    }

    /// Rows that nothing tells apart, as they are.
    async fn whole_rows(&mut self, change: &mut TableChange) -> Result<(), Error> {
        let touch = &self.asked.touch;
        let untouched: Vec<&Shared> =
            self.columns.iter().filter(|column| !touch.updates(&column.name)).collect();
        self.key = together(&untouched);
        let rows = change.rows_before.max(change.rows_after);
        let merged = self.merged("NULL::int8", rows).await?;
        change.gone = change.rows_before.saturating_sub(change.rows_after);
        change.added = change.rows_after.saturating_sub(change.rows_before);
        change.replaced = merged.gone.saturating_sub(change.gone);
        Ok(())
    }

    async fn example(&self, key: i64, column: &Shared) -> Result<Option<ValueExample>, Error> {
        let shown = self.key.as_deref().filter(|_| self.has_primary_key).unwrap_or("NULL::text");
        let of_side = async |side: &Side, is_after: bool| {
            let sql = format!(
                "SELECT left({shown}, {EXAMPLE_MAX}), left({}, {EXAMPLE_MAX}) {} AND k.h = ${} \
                 LIMIT 1",
                column.text,
                self.rows(is_after).sql(),
                self.without.len() + 1
            );
            let mut parameters = self.keys_without();
            parameters.push(&key);
            let rows = side.rows(&self.asked.table, &sql, &parameters).await?;
            let row = rows.into_iter().next();
            let texts = |row: tokio_postgres::Row| (row.get(0), row.get(1));
            Ok::<Option<(Option<String>, Option<String>)>, Error>(row.map(texts))
        };
        let (was, is) = tokio::try_join!(of_side(self.before, false), of_side(self.after, true))?;
        let both = was.zip(is);
        Ok(both.map(|((key, before), (_, after))| ValueExample { key, before, after }))
    }
}

fn is_one(change: TableChange) -> Option<TableChange> {
    let rows = change.gone + change.added + change.replaced;
    let values = !change.columns.is_empty() || !change.application_updates.is_empty();
    (rows > 0 || values).then_some(change)
}
