//! What is in the tables: rows of each, and a digest of those that are asked for.
//!
//! A digest is two sums over the rows, of a 64-bit hash of each row's text with one seed and with
//! another: the order of the rows means nothing, nor where they lie, and a row that is there twice
//! is not one that is there once. Contents that differ have the same digest with a chance of
//! 2^-128, or of 2^-64 if the second hash said nothing that the first does not say. A row's text is
//! its columns by name, so that the order in which they were added means nothing either. Hashes
//! are those of the server: digests are compared within one major version.
//!
//! Of a table like spans (0.9 GB, one million rows) the digest takes 2.5 s per GB with two cores,
//! with 20,000 keys left out 2.7 s, and in one process 4 s: hence the row goes through `unnest`,
//! which turns it into text once and lets the server divide the table among its workers, and the
//! keys are an array, since workers cannot read a temporary table.

use std::collections::BTreeMap;
use std::fmt::Write;

use tokio_postgres::types::ToSql;

use crate::connect::{self, Address, Session};
use crate::history::TableContents;
use crate::pg::{quote_ident, quote_literal, quote_qualified};
use crate::schema::SETTINGS;

use super::{APPLICATION_NAME, Error};

/// No session of ours writes meanwhile, so a wait this long is caused by another session.
const LOCK_TIMEOUT_MS: u32 = 10_000;
/// For one table; some hundred GB.
const STATEMENT_TIMEOUT_MS: u32 = 600_000;

const TABLES: &str = include_str!("sql/tables.sql");

/// Rows that the application wrote, which no digest holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// As the application names it: qualified, or found by the database's search_path.
    pub table: String,
    /// Column by which the application finds its rows.
    pub key_column: String,
    /// Values of that column, as text.
    pub keys: Vec<String>,
}

/// A table that holds rows itself.
struct Table {
    name: String,
    oid: u32,
    /// The partitioned table that it is part of; itself, where it is part of none.
    root: String,
    root_oid: u32,
    /// Quoted where they must be.
    columns: Vec<String>,
}

/// Rows of every table of users, by its name as in the fingerprint (`public.spans`), and the digest
/// of those that `digested` says. Of a partitioned table the partitions are counted, which
/// `digested` and `written` may name by their root; foreign and temporary tables are left out. One
/// snapshot, in which no other session should be writing.
///
/// # Errors
/// A table cannot be read, or not in time.
pub async fn contents(
    address: &Address,
    digested: &(dyn Fn(&str) -> bool + Sync),
    written: &[Written],
) -> Result<BTreeMap<String, TableContents>, Error> {
    let opened = Session::open(address, APPLICATION_NAME, &BTreeMap::new()).await;
    let session = opened.map_err(|error| Error::Open(Box::new(error)))?;
    // By the search_path of the session, which is empty afterwards.
    let mut oids = Vec::new();
    for written in written.iter().filter(|w| !w.keys.is_empty()) {
        oids.extend(oid(&session, &written.table).await?.map(|oid| (oid, written)));
    }
    session.batch(&begin()).await.map_err(|error| fail("the list of tables", error))?;
    let mut found = BTreeMap::new();
    for table in tables(&session).await? {
        let is_it = |oid: u32| oid == table.oid || oid == table.root_oid;
        let without: Vec<&Written> =
            oids.iter().filter(|(oid, _)| is_it(*oid)).map(|(_, written)| *written).collect();
        let digested = digested(&table.name) || digested(&table.root);
        let contents = contents_of(&session, &table, digested, &without).await?;
        found.insert(table.name, contents);
    }
    // The session ends here, and its transaction has only read.
    Ok(found)
}

pub(super) fn fail(what: &str, error: connect::Error) -> Error {
    Error::Contents { what: what.to_owned(), error: Box::new(error) }
}

/// None: there is no such table, or not any more, and so no row of it.
async fn oid(session: &Session, table: &str) -> Result<Option<u32>, Error> {
    let sql = "SELECT to_regclass($1)::oid";
    let row = session.client().query_one(sql, &[&quote_qualified(table)]).await;
    let row = row.map_err(|error| fail(table, connect::Error::query(sql, &error)))?;
    Ok(row.get(0))
}

/// A policy that hides rows is an error rather than fewer rows. Compiling an expression takes
/// longer than it saves.
pub(super) fn begin() -> String {
    let read_only = snapshot(STATEMENT_TIMEOUT_MS);
    format!("{read_only}; SET TRANSACTION READ ONLY; SET LOCAL row_security = 'off'")
}

/// Begins a transaction with a snapshot, under the settings of fingerprints.
pub(super) fn snapshot(statement_timeout_ms: u32) -> String {
    let mut sql = String::from("BEGIN ISOLATION LEVEL REPEATABLE READ");
    let own = [
        ("jit", "off".to_owned()),
        ("lock_timeout", LOCK_TIMEOUT_MS.to_string()),
        ("statement_timeout", statement_timeout_ms.to_string()),
    ];
    let settings = SETTINGS.iter().map(|(name, value)| (*name, (*value).to_owned()));
    for (name, value) in settings.chain(own) {
        let _ = write!(sql, "; SET LOCAL {} = {}", quote_ident(name), quote_literal(&value));
    }
    sql
}

async fn tables(session: &Session) -> Result<Vec<Table>, Error> {
    let rows = session.client().query(TABLES, &[]).await;
    let rows = rows.map_err(|e| fail("the list of tables", connect::Error::query(TABLES, &e)))?;
    let table = |row: tokio_postgres::Row| Table {
        name: row.get(0),
        oid: row.get(1),
        root: row.get(2),
        root_oid: row.get(3),
        columns: row.get::<_, Option<Vec<String>>>(4).unwrap_or_default(),
    };
    Ok(rows.into_iter().map(table).collect())
}

async fn contents_of(
    session: &Session,
    table: &Table,
    digested: bool,
    without: &[&Written],
) -> Result<TableContents, Error> {
    let sql = query(table, digested, without);
    let keys: Vec<&(dyn ToSql + Sync)> =
        without.iter().map(|written| &written.keys as &(dyn ToSql + Sync)).collect();
    let row = session.client().query_one(&sql, &keys).await;
    let row = row.map_err(|error| fail(&table.name, connect::Error::query(&sql, &error)))?;
    let rows = row.get::<_, i64>(0) as u64;
    let sum = |column: usize| row.get::<_, &str>(column);
    let digest = digested.then(|| format!("{}:{}", sum(1), sum(2)));
    Ok(TableContents { rows, digest })
}

/// ONLY, because a table that inherits is counted by itself.
fn query(table: &Table, digested: bool, without: &[&Written]) -> String {
    let columns: Vec<String> = table.columns.iter().map(|column| format!("t.{column}")).collect();
    let (sums, texts) = match digested {
        true => (
            ", coalesce(sum(hashtextextended(row.text, 0)), 0)::text, \
             coalesce(sum(hashtextextended(row.text, 1)), 0)::text",
            format!(
                " CROSS JOIN LATERAL unnest(ARRAY[ROW({})::text COLLATE \"C\"]) AS row (text)",
                columns.join(", ")
            ),
        ),
        false => ("", String::new()),
    };
    let mut sql = format!("SELECT count(*){sums} FROM ONLY {} AS t{texts}", table.name);
    for (index, written) in without.iter().enumerate() {
        let _ = write!(
            sql,
            " {} NOT EXISTS (SELECT FROM unnest(${}::text[]) AS written (key) \
             WHERE written.key = t.{}::text)",
            if index == 0 { "WHERE" } else { "AND" },
            index + 1,
            quote_ident(&written.key_column),
        );
    }
    sql
}
