//! Which migrations are applied already, and the statement that says so of one more.

use tokio_postgres::error::SqlState as SqlStateCode;

use crate::connect::{self, Address, Session};
use crate::pg::{quote_ident, quote_literal, quote_qualified};
use crate::scenario::{Change, Migration, VersionRows, Versions};

use super::Error;

/// Makes the version table of the built-in runner where the schema has none: with a row each as the
/// runner needs it, with one row as Alembic makes its own. A command makes its own as well.
///
/// # Errors
/// The server refuses to create the table.
pub async fn prepare(address: &Address, change: &Change) -> Result<(), Error> {
    let versions = match &change.versions {
        Some(versions) if change.command.is_none() => versions,
        _ => return Ok(()),
    };
    let settings = Default::default();
    let session =
        Session::open(address, "pgauntlet observe", &settings).await.map_err(Error::Probe)?;
    session.batch(&table(versions)).await.map_err(|source| unreadable(versions, source))
}

fn table(versions: &Versions) -> String {
    let name = versions.table.rsplit('.').next().unwrap_or(&versions.table);
    let (table, column) = (quote_qualified(&versions.table), quote_ident(&versions.column));
    let columns = match versions.rows {
        VersionRows::Each => {
            format!("{column} text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now()")
        }
        VersionRows::One => {
            let key = quote_ident(&format!("{name}_pkc"));
            format!("{column} varchar(32) NOT NULL, CONSTRAINT {key} PRIMARY KEY ({column})")
        }
    };
    format!("CREATE TABLE IF NOT EXISTS {table} ({columns})")
}

/// What the version table says, in the order of its text. A command may not have made it yet.
///
/// # Errors
/// The table is there and cannot be read.
pub async fn versions(session: &Session, change: &Change) -> Result<Vec<String>, Error> {
    let Some(versions) = &change.versions else { return Ok(Vec::new()) };
    let sql = format!(
        "SELECT {}::text FROM {} ORDER BY 1",
        quote_ident(&versions.column),
        quote_qualified(&versions.table)
    );
    let rows = match session.client().query(&sql, &[]).await {
        Ok(rows) => rows,
        Err(error)
            if change.command.is_some() && error.code() == Some(&SqlStateCode::UNDEFINED_TABLE) =>
        {
            return Ok(Vec::new());
        }
        Err(error) => return Err(unreadable(versions, connect::Error::query(&sql, &error))),
    };
    // Flyway gives a repeatable migration no version.
    Ok(rows.iter().filter_map(|row| row.get(0)).collect())
}

/// The migrations that are still to be applied, in order.
pub(super) fn not_applied<'a>(change: &'a Change, applied: &[String]) -> Vec<&'a Migration> {
    let rows = change.versions.as_ref().map_or(VersionRows::Each, |versions| versions.rows);
    left_of(&change.migrations, rows, applied)
}

fn unreadable(versions: &Versions, source: connect::Error) -> Error {
    Error::Versions { table: versions.table.clone(), source }
}

fn left_of<'a>(
    migrations: &'a [Migration],
    rows: VersionRows,
    applied: &[String],
) -> Vec<&'a Migration> {
    let is_applied = |m: &&Migration| applied.contains(&m.version);
    match rows {
        VersionRows::Each => migrations.iter().filter(|m| !is_applied(m)).collect(),
        // One row holds the last version; all before it are applied. A version that is none of
        // the change's is the revision that the change starts from.
        VersionRows::One => {
            let last = migrations.iter().rposition(|m| is_applied(&m));
            migrations.iter().skip(last.map_or(0, |last| last + 1)).collect()
        }
    }
}

/// Says in the database that `version` is applied, after `before`. Of one row there is none before
/// the first.
pub(super) fn record_version(versions: &Versions, version: &str, before: Option<&str>) -> String {
    let (table, column) = (quote_qualified(&versions.table), quote_ident(&versions.column));
    let value = quote_literal(version);
    match (versions.rows, before) {
        // Where another session has gone on meanwhile, no row is changed.
        (VersionRows::One, Some(before)) => {
            let before = quote_literal(before);
            format!("UPDATE {table} SET {column} = {value} WHERE {column} = {before}")
        }
        _ => format!("INSERT INTO {table} ({column}) VALUES ({value})"),
    }
}

/// What an operator would type to say that a migration is applied; None: nothing is known of a
/// version table, or of the migration.
///
/// # Errors
/// The table cannot be read.
pub async fn record_by_hand(
    session: &Session,
    change: &Change,
    migration: &str,
) -> Result<Option<String>, Error> {
    let known = change.migrations.iter().any(|m| m.version == migration);
    let Some(versions) = change.versions.as_ref().filter(|_| known) else { return Ok(None) };
    let applied = self::versions(session, change).await?;
    Ok(Some(record_version(versions, migration, applied.last().map(String::as_str))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Script;

    fn chain() -> Vec<Migration> {
        ["b", "c", "d"]
            .into_iter()
            .map(|version| Migration {
                version: version.to_owned(),
                script: Script::default(),
                transaction: None,
                repeat: None,
                pauses: Vec::new(),
            })
            .collect()
    }

    fn left(rows: VersionRows, applied: &[&str]) -> Vec<String> {
        let applied: Vec<String> = applied.iter().map(|v| (*v).to_owned()).collect();
        let chain = chain();
        left_of(&chain, rows, &applied).into_iter().map(|m| m.version.clone()).collect()
    }

    #[test]
    fn with_one_row_all_up_to_its_version_are_applied() {
        assert_eq!(left(VersionRows::One, &["c"]), ["d"]);
        assert_eq!(left(VersionRows::One, &["d"]), Vec::<String>::new());
    }

    #[test]
    fn an_unknown_version_in_the_one_row_is_where_the_change_starts() {
        assert_eq!(left(VersionRows::One, &["a"]), ["b", "c", "d"]);
    }

    #[test]
    fn with_a_row_each_a_gap_is_applied() {
        assert_eq!(left(VersionRows::Each, &["b", "d"]), ["c"]);
    }
}
