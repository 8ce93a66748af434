//! Which migrations are applied already, and the statement that says so of one more.

use tokio_postgres::Row;
use tokio_postgres::error::SqlState as SqlStateCode;

use crate::connect::{self, Address, Session};
use crate::pg::{quote_ident, quote_qualified};
use crate::scenario::{Change, Migration, Tool, VersionRows, Versions};

use super::Error;
use super::tables;

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
    let created = create(&session, versions).await;
    created.map_err(|source| unreadable(versions, source))
}

async fn create(session: &Session, versions: &Versions) -> Result<(), connect::Error> {
    let place = match find(session, versions).await? {
        Found::Visible(place) => place,
        Found::Elsewhere { here, .. } => here,
    };
    session.batch(&tables::create(versions, &place)).await
}

/// A table by its qualified name.
enum Found {
    Visible(String),
    /// Not where an unqualified name would find it: `there`, where it is in another schema; `here`,
    /// where it would be made.
    Elsewhere {
        there: Option<String>,
        here: String,
    },
}

const FIND: &str = "
SELECT n.nspname::pg_catalog.text, pg_catalog.pg_table_is_visible(c.oid)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relname = $1 AND c.relkind IN ('r', 'p', 'v', 'f') AND n.nspname !~ '^pg_'
ORDER BY 2 DESC, n.nspname = 'public' DESC, 1 LIMIT 1";

const HERE: &str = "SELECT COALESCE(pg_catalog.current_schema()::pg_catalog.text, 'public')";

/// Where the table is, whatever the search_path of the session that asks will be.
async fn find(session: &Session, versions: &Versions) -> Result<Found, connect::Error> {
    let name = quote_qualified(&versions.table);
    if versions.table.contains('.') {
        return Ok(Found::Visible(name));
    }
    let of = |schema: &str| format!("{}.{name}", quote_ident(schema));
    let rows = session.client().query(FIND, &[&versions.table]).await;
    let rows = rows.map_err(|error| connect::Error::query(FIND, &error))?;
    let first = rows.first().map(|row| (row.get::<_, String>(0), row.get::<_, bool>(1)));
    let here = session.client().query_one(HERE, &[]).await;
    let here = here.map_err(|error| connect::Error::query(HERE, &error))?.get::<_, String>(0);
    Ok(match first {
        Some((schema, true)) => Found::Visible(of(&schema)),
        other => Found::Elsewhere { there: other.map(|(s, _)| of(&s)), here: of(&here) },
    })
}

/// The version table's qualified name, found by a session of ours: a migration may leave the
/// change's own session without a search_path.
pub(super) async fn place(session: &Session, versions: &Versions) -> Result<String, Error> {
    let found = find(session, versions).await.map_err(|source| unreadable(versions, source))?;
    Ok(match found {
        Found::Visible(place) => place,
        Found::Elsewhere { there, here } => there.unwrap_or(here),
    })
}

/// What the version table says, in the order of its text. A command may not have made it yet.
///
/// # Errors
/// The table cannot be read, and the change is not a command.
pub async fn versions(session: &Session, change: &Change) -> Result<Vec<String>, Error> {
    let Some(versions) = &change.versions else { return Ok(Vec::new()) };
    let place = place(session, versions).await?;
    versions_at(session, change, versions, &place).await
}

/// The same from a table whose qualified name is known.
pub(super) async fn versions_at(
    session: &Session,
    change: &Change,
    versions: &Versions,
    place: &str,
) -> Result<Vec<String>, Error> {
    let sql = tables::read(versions, place);
    // In one message: behind a pooler the next one may be another session's.
    let rows = match session.client().query_typed(&sql, &[]).await {
        Ok(rows) => rows,
        Err(error)
            if change.command.is_some() && error.code() == Some(&SqlStateCode::UNDEFINED_TABLE) =>
        {
            return Ok(Vec::new());
        }
        Err(error) => return Err(unreadable(versions, connect::Error::query(&sql, &error))),
    };
    // A tool that is not read here may keep rows without a version.
    let row = |row: &Row| {
        let version = row.get::<_, Option<String>>(0)?;
        let version = match versions.tool {
            Some(Tool::Liquibase) => tables::meant(&change.migrations, &version).to_owned(),
            _ => version,
        };
        Some((version, row.get::<_, Option<String>>(1)))
    };
    let is_current = |version: &str, checksum: Option<&str>| {
        let migration = change.migrations.iter().find(|m| m.version == version);
        !migration.is_some_and(|migration| migration.always)
            && checksum.zip(migration).is_none_or(|(checksum, m)| tables::is_current(m, checksum))
    };
    let found = rows.iter().filter_map(row);
    let applied = found.filter(|(version, checksum)| is_current(version, checksum.as_deref()));
    Ok(applied.map(|(version, _)| version).collect())
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
    let known = change.migrations.iter().find(|m| m.version == migration);
    let Some((versions, migration)) = change.versions.as_ref().zip(known) else { return Ok(None) };
    let place = place(session, versions).await?;
    let applied = versions_at(session, change, versions, &place).await?;
    let before = applied.last().map(String::as_str);
    Ok(Some(tables::record(versions, &place, migration, before)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Script;

    fn chain() -> Vec<Migration> {
        ["b", "c", "d"]
            .into_iter()
            .map(|version| Migration::new(version.to_owned(), Script::default(), None))
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
