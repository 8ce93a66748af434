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
    Ok(OwnRows { columns, rows })
}
