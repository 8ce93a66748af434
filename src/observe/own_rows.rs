//! The rows that a schema's own script has put in its tables.

use std::collections::BTreeMap;

use crate::connect::{self, Session};
use crate::infer::{Catalogue, OwnRows, Table};
use crate::pg::quote_ident;

use super::Error;

/// Rows of a table that is a list of codes; more of them are data like any other.
const OWN_ROWS_MAX: usize = 1_000;

/// Tables that hold at most 1,000 rows, and at least one, with their rows. By qualified
/// name; partitions are read with their root.
///
/// # Errors
/// A table cannot be read.
pub async fn own_rows(
    session: &Session,
    catalogue: &Catalogue,
) -> Result<BTreeMap<String, OwnRows>, Error> {
    let mut found = BTreeMap::new();
    for table in catalogue.seeded() {
        let rows = rows_of(session, table).await?;
        if (1..=OWN_ROWS_MAX).contains(&rows.rows.len()) {
            found.insert(table.seeded_name(), rows);
        }
    }
    Ok(found)
}

/// The rows of a table, in their order on disk; one more than [`OWN_ROWS_MAX`] at most.
async fn rows_of(session: &Session, table: &Table) -> Result<OwnRows, Error> {
    let columns: Vec<String> =
        table.columns.iter().filter(|c| !c.generated).map(|c| c.name.clone()).collect();
    let list: Vec<String> =
        columns.iter().map(|name| format!("{}::text", quote_ident(name))).collect();
    // Tables that inherit have rows of their own.
    let only = if table.partitioned { "" } else { "ONLY " };
    let sql = format!(
        "SELECT ARRAY[{}]::text[] FROM {only}{}.{} LIMIT {}",
        list.join(", "),
        quote_ident(&table.schema),
        quote_ident(&table.name),
        OWN_ROWS_MAX + 1
    );
    let answer = session.client().query(&sql, &[]).await;
    let what = table.seeded_name();
    let answer = answer
        .map_err(|e| Error::Contents { what, error: Box::new(connect::Error::query(&sql, &e)) })?;
    let rows = answer.iter().map(|row| row.get(0)).collect();
    Ok(OwnRows { columns, rows, sampled: false })
}

/// Rows of every table that holds any, as far as keys go: at most 1,000, from all over the table
/// where it is large. Other columns are not read: what is in them may be private.
///
/// # Errors
/// A table cannot be read.
pub async fn sampled_rows(
    session: &Session,
    catalogue: &Catalogue,
) -> Result<BTreeMap<String, OwnRows>, Error> {
    let mut found = BTreeMap::new();
    for table in catalogue.seeded() {
        let keys = keys(catalogue, table);
        let share = share(session, table).await?;
        let mut rows = Vec::new();
        if share < WHOLE {
            rows = read(session, table, &keys, &format!("TABLESAMPLE SYSTEM ({share})")).await?;
        }
        if rows.is_empty() {
            rows = read(session, table, &keys, "").await?;
        }
        if !rows.is_empty() {
            found.insert(table.seeded_name(), OwnRows { columns: keys, rows, sampled: true });
        }
    }
    Ok(found)
}

/// Columns that a key or a unique index has, or that refer to another table.
fn keys(catalogue: &Catalogue, table: &Table) -> Vec<String> {
    let unique = table.indexes.iter().filter(|index| index.unique);
    let of_indexes = unique.flat_map(|index| index.columns.iter().copied());
    let referring = table.constraints.iter().filter(|constraint| constraint.refers.is_some());
    let of_references = referring.flat_map(|constraint| constraint.columns.iter().copied());
    let others = catalogue.tables.iter().flat_map(|other| &other.constraints);
    let referred = others.filter_map(|constraint| constraint.refers.as_ref());
    let of_others = referred.filter(|to| to.table == table.oid);
    let of_others = of_others.flat_map(|to| to.columns.iter().copied());
    let numbers: Vec<i16> = of_indexes.chain(of_references).chain(of_others).collect();
    let is_key = |column: &&crate::infer::Column| numbers.contains(&column.number);
    let columns = table.columns.iter().filter(is_key).filter(|column| !column.generated);
    columns.map(|column| column.name.clone()).collect()
}

/// All of a table, in percent.
const WHOLE: f64 = 100.0;
/// Rows that a sample is to have for each that is taken of it: blocks are drawn, not rows.
const DRAWN_PER_ROW: f64 = 20.0;

/// The share of the table's blocks that is enough, in percent.
async fn share(session: &Session, table: &Table) -> Result<f64, Error> {
    let sql = "SELECT coalesce(sum(greatest(c.reltuples, 0)), 0)::float8 FROM pg_class c \
               WHERE c.oid = $1 OR c.oid IN (SELECT relid FROM pg_partition_tree($1::regclass))";
    let row = session.client().query_one(sql, &[&table.oid]).await;
    let row = row.map_err(|error| failed(table, sql, &error))?;
    let rows: f64 = row.get(0);
    Ok((WHOLE * DRAWN_PER_ROW * OWN_ROWS_MAX as f64 / rows.max(1.0)).min(WHOLE))
}

async fn read(
    session: &Session,
    table: &Table,
    columns: &[String],
    sample: &str,
) -> Result<Vec<Vec<Option<String>>>, Error> {
    let list: Vec<String> =
        columns.iter().map(|name| format!("{}::text", quote_ident(name))).collect();
    let only = if table.partitioned { "" } else { "ONLY " };
    let order = if sample.is_empty() { "" } else { "ORDER BY random()" };
    let sql = format!(
        "SELECT ARRAY[{}]::text[] FROM {only}{}.{} {sample} {order} LIMIT {OWN_ROWS_MAX}",
        list.join(", "),
        quote_ident(&table.schema),
        quote_ident(&table.name),
    );
    let answer = session.client().query(&sql, &[]).await;
    let answer = answer.map_err(|error| failed(table, &sql, &error))?;
    Ok(answer.iter().map(|row| row.get(0)).collect())
}

fn failed(table: &Table, sql: &str, error: &tokio_postgres::Error) -> Error {
    let error = Box::new(connect::Error::query(sql, error));
    Error::Contents { what: table.seeded_name(), error }
}
