//! Columns that are not there any more: how many values they had, and whether another column has
//! these now.

use tokio_postgres::types::ToSql;

use crate::history::{DroppedColumn, TableChange};

use super::super::Error;
use super::super::contents::Written;
use super::asked::ComparedTable;
use super::sides::Side;
use super::text::{Column, Rows, Shared, hash, plain};

/// Where to look, and for what.
pub struct Search<'a> {
    pub sides: (&'a Side, &'a Side),
    pub asked: &'a ComparedTable,
    /// The table's name now.
    pub now: &'a str,
    /// What makes its key on both sides; None: nothing does.
    pub key: Option<&'a str>,
    /// Rows that are left out.
    pub without: &'a [&'a Written],
    /// Columns of before, and of now.
    pub columns: (&'a [Column], &'a [Column]),
}

/// What the query of one side returned.
struct Sums {
    rows: u64,
    /// Values of each column, and a sum over them.
    columns: Vec<(u64, String)>,
}

/// Adds those that had values; None: nothing is to be said of the table.
pub async fn add(
    search: &Search<'_>,
    change: Option<TableChange>,
) -> Result<Option<TableChange>, Error> {
    let (was, is) = search.columns;
    let is_asked = |column: &&Column| search.asked.dropped.contains(&column.name);
    let gone: Vec<&Column> = was.iter().filter(is_asked).collect();
    if gone.is_empty() {
        return Ok(change);
    }
    let alike = |column: &&Column| gone.iter().any(|gone| gone.type_name == column.type_name);
    let there: Vec<&Column> = is.iter().filter(alike).collect();
    let (before, now) = tokio::try_join!(search.sums(false, &gone), search.sums(true, &there))?;
    let dropped = gone.iter().zip(&before.columns).filter(|(_, (values, _))| *values > 0);
    let dropped = dropped.map(|(column, sums)| {
        let same = there
            .iter()
            .zip(&now.columns)
            .find(|(other, of)| other.type_name == column.type_name && *of == sums);
        let kept_in = same.map(|(other, _)| other.name.clone());
        DroppedColumn { column: column.name.clone(), values: sums.0, kept_in }
    });
    let dropped: Vec<DroppedColumn> = dropped.collect();
    if dropped.is_empty() {
        return Ok(change);
    }
    let unchanged = || TableChange {
        table: search.asked.table.clone(),
        now: Some(search.now.to_owned()),
        rows_before: before.rows,
        rows_after: now.rows,
        ..TableChange::default()
    };
    Ok(Some(TableChange { dropped, ..change.unwrap_or_else(unchanged) }))
}

impl Search<'_> {
    async fn sums(&self, is_after: bool, columns: &[&Column]) -> Result<Sums, Error> {
        let (side, table, partitioned) = match is_after {
            false => (self.sides.0, self.asked.table.as_str(), self.asked.partitioned.0),
            true => (self.sides.1, self.now, self.asked.partitioned.1),
        };
        let mut sql = String::from("SELECT count(*)");
        for column in columns {
            let (text, name) = (plain(&column.name), column.name.clone());
            let hash =
                hash(&Shared { name, key: None, text: text.clone(), generated: false }, "k.h");
            sql += &format!(", count({text}), coalesce(sum({hash}), 0)::text");
        }
        let rows = Rows { table, only: !partitioned, key: self.key, without: self.without };
        sql += &format!(" {}", rows.sql());
        let keys: Vec<&(dyn ToSql + Sync)> =
            self.without.iter().map(|written| &written.keys as &(dyn ToSql + Sync)).collect();
        let row = side.row(table, &sql, &keys).await?;
        let columns = (0..columns.len())
            .map(|n| (row.get::<_, i64>(2 * n + 1).unsigned_abs(), row.get(2 * n + 2)))
            .collect();
        Ok(Sums { rows: row.get::<_, i64>(0).unsigned_abs(), columns })
    }
}
