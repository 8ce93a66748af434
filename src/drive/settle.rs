//! Asks the tables what became of the writes in the ledger.
//!
//! Keys and values go into temporary tables of a session of our own and are compared by joins
//! there: a hundred thousand keys are one query, not as many. Values are compared as the column's
//! type prints them, so that `1.50` and `1.5` differ in a text column and not in a float one.

use std::collections::{BTreeMap, HashSet};

use tokio_postgres::types::ToSql;

use crate::connect::{self, Address, Session};
use crate::history::{LedgerMismatch, LedgerReport, Mismatch};
use crate::pg::{quote_ident, quote_qualified};
use crate::scenario::Scenario;

use super::ledger::{Candidate, Group, Ledger, Presence};

/// `application_name` of sessions that look and do not belong to the application.
pub const OBSERVER_NAME: &str = "pgauntlet observe";
/// Mismatches that are listed in full.
const EXAMPLES_MAX: usize = 20;
/// Rows per INSERT into a temporary table: documents of some kilobytes make messages of some
/// megabytes.
const ROWS_PER_INSERT: usize = 5_000;
/// What a value may have been before its column's type was changed: a text that is no value of the
/// new type goes there by the conversion of the old one, as the rows did.
const CONVERTED: &[&str] = &["", "::numeric", "::int4", "::boolean", "::timestamptz"];

/// Why the ledger could not be compared with the tables.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each message says what its variant is")]
pub enum Error {
    #[error("compare the ledger with table {table}: {source}")]
    Table { table: String, source: connect::Error },
    #[error(
        "compare the ledger with table {table}: it has no column {column} (any more); \
         name a column in `ledger` that the change leaves alone"
    )]
    NoColumn { table: String, column: String },
    #[error("compare the ledger with the tables: {0}")]
    Session(connect::Error),
    #[error(
        "compare the ledger with the tables: {0} writes were too many to remember; \
         lower rate_per_s or shorten the phases"
    )]
    Overflow(u64),
}

impl Ledger {
    /// Compares every remembered write with the tables of the database at `address`.
    ///
    /// # Errors
    /// The tables cannot be read.
    pub async fn check(
        &self,
        address: &Address,
        scenario: &Scenario,
    ) -> Result<LedgerReport, Error> {
        if self.dropped > 0 {
            return Err(Error::Overflow(self.dropped));
        }
        let (acknowledged, indeterminate) = self.totals();
        let report = LedgerReport { acknowledged, indeterminate, ..LedgerReport::default() };
        if self.writes.is_empty() {
            return Ok(report);
        }
        // The same TimeZone, DateStyle and search_path as the application's, which wrote the
        // texts; not its timeouts.
        let settings =
            scenario.pool.settings.iter().filter(|(name, _)| !name.ends_with("_timeout"));
        let settings: BTreeMap<String, String> =
            settings.map(|(name, value)| (name.clone(), value.clone())).collect();
        let opened = Session::open(address, OBSERVER_NAME, &settings).await;
        let session = opened.map_err(Error::Session)?;
        let mut settling = Settling { session, scenario, report };
        for group in self.groups(&scenario.traffic.operations) {
            settling.settle(&group).await?;
        }
        Ok(settling.report)
    }
}

struct Settling<'a> {
    session: Session,
    scenario: &'a Scenario,
    report: LedgerReport,
}

impl Settling<'_> {
    async fn settle(&mut self, group: &Group<'_>) -> Result<(), Error> {
        if group.keys.is_empty() {
            return Ok(());
        }
        let key_type = self.column_type(group, group.key_column).await?;
        let keys = group.keys.iter().map(|facts| Some(facts.key)).enumerate();
        self.fill(group, "ledger_key", &key_type, &[""], keys).await?;
        let missing = self.compare_presence(group).await?;
        for (index, column) in group.columns.iter().enumerate() {
            let accept = &self.scenario.accept;
            if accept.iter().any(|one| one.covers_values(group.table, column.name)) {
                continue;
            }
            match self.compare_column(group, index, column.name, &missing).await {
                // An INSERT that names a column which is gone fails, and that is seen.
                Err(Error::NoColumn { .. }) if !column.updated => {}
                compared => compared?,
            }
        }
        let session = &self.session;
        let dropped = session.batch("DROP TABLE pg_temp.ledger_key").await;
        dropped.map_err(|source| self.trouble(group, source))
    }

    /// The type as it is written in a cast. A key is cast without its modifier, so that none is
    /// cut short (and with -1 rather than NULL: a bare `character` would be one character long);
    /// a value with it, as the assignment did: 1.5 is stored as 1.50 in a numeric(10,2).
    async fn column_type(&self, group: &Group<'_>, column: &str) -> Result<String, Error> {
        let is_key = column == group.key_column;
        let modifier = if is_key { "-1" } else { "a.atttypmod" };
        let as_text = if is_key { "false" } else { "t.typtype = 'e'" };
        // A label that was renamed is none any more; values are compared as texts.
        let sql = format!(
            "SELECT CASE WHEN {as_text} THEN 'text' ELSE format_type(a.atttypid, {modifier}) END \
             FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid \
             WHERE a.attrelid = $1::text::regclass AND a.attname = $2 AND NOT a.attisdropped"
        );
        let table = quote_qualified(group.table);
        let row = self.session.client().query_opt(&sql, &[&table, &column]).await;
        let row = row.map_err(|e| self.trouble(group, connect::Error::query(&sql, &e)))?;
        let found = row.and_then(|row| row.get::<_, Option<String>>(0));
        found.ok_or_else(|| Error::NoColumn {
            table: group.table.to_owned(),
            column: column.to_owned(),
        })
    }

    /// A temporary table of (number of the key, value). `through`: casts to try on the way from the
    /// text to the type, in this order.
    async fn fill<'v>(
        &self,
        group: &Group<'_>,
        name: &str,
        value_type: &str,
        through: &[&str],
        rows: impl Iterator<Item = (usize, Option<&'v str>)>,
    ) -> Result<(), Error> {
        let trouble = |source| self.trouble(group, source);
        let table = format!("pg_temp.{name}");
        let create = format!("CREATE TEMPORARY TABLE {name} (n int4 NOT NULL, v {value_type})");
        let rows: Vec<(usize, Option<&str>)> = rows.collect();
        let mut casts = through.iter().peekable();
        while let Some(cast) = casts.next() {
            self.session.batch(&create).await.map_err(trouble)?;
            let insert = format!(
                "INSERT INTO {table} SELECT n, v{cast}::{value_type} \
                 FROM unnest($1::int4[], $2::text[]) AS given (n, v)"
            );
            match self.insert(&insert, &rows).await {
                Err(error) if is_no_value(&error) && casts.peek().is_some() => {
                    self.session.batch(&format!("DROP TABLE {table}")).await.map_err(trouble)?;
                }
                inserted => {
                    inserted.map_err(trouble)?;
                    break;
                }
            }
        }
        self.session.batch(&format!("ANALYZE {table}")).await.map_err(trouble)
    }

    async fn insert(
        &self,
        insert: &str,
        rows: &[(usize, Option<&str>)],
    ) -> Result<(), connect::Error> {
        for chunk in rows.chunks(ROWS_PER_INSERT) {
            let (numbers, values): (Vec<i32>, Vec<Option<&str>>) =
                chunk.iter().map(|(n, value)| (*n as i32, *value)).unzip();
            let parameters: [&(dyn ToSql + Sync); 2] = [&numbers, &values];
            let inserted = self.session.client().execute(insert, &parameters).await;
            inserted.map_err(|error| connect::Error::query(insert, &error))?;
        }
        Ok(())
    }

    /// Holds the number of rows per key against the ledger; returns the keys that are not there.
    async fn compare_presence(&mut self, group: &Group<'_>) -> Result<HashSet<usize>, Error> {
        let (table, key) = (quote_qualified(group.table), quote_ident(group.key_column));
        let sql = format!(
            "SELECT k.n, count(t.{key}) FROM pg_temp.ledger_key k \
             LEFT JOIN {table} t ON t.{key} = k.v GROUP BY k.n HAVING count(t.{key}) <> 1 \
             ORDER BY k.n"
        );
        let rows = self.session.client().query(&sql, &[]).await;
        let rows = rows.map_err(|e| self.trouble(group, connect::Error::query(&sql, &e)))?;
        let mut times = vec![1_u64; group.keys.len()];
        for row in rows {
            times[row.get::<_, i32>(0) as usize] = row.get::<_, i64>(1) as u64;
        }
        for (facts, times) in group.keys.iter().zip(&times) {
            let kind = match facts.presence(*times) {
                Presence::AsAcknowledged => continue,
                Presence::Applied(writes) => {
                    self.report.indeterminate_applied += writes;
                    continue;
                }
                Presence::Lost => Mismatch::Lost,
                Presence::Doubled => Mismatch::Doubled { times: *times },
                Presence::Unacknowledged => Mismatch::Unacknowledged,
                Presence::Restored => Mismatch::Restored,
            };
            self.mismatch(group, facts.kind, facts.key, kind);
        }
        Ok((0..times.len()).filter(|n| times[*n] == 0).collect())
    }

    async fn compare_column(
        &mut self,
        group: &Group<'_>,
        index: usize,
        column: &str,
        missing: &HashSet<usize>,
    ) -> Result<(), Error> {
        let candidates: Vec<(usize, Candidate<'_>)> = group
            .keys
            .iter()
            .enumerate()
            .filter(|(n, _)| !missing.contains(n))
            .flat_map(|(n, facts)| facts.candidates(index).into_iter().map(move |c| (n, c)))
            .collect();
        let column_type = self.column_type(group, column).await?;
        for (name, acknowledged) in [("ledger_told", true), ("ledger_unknown", false)] {
            let of_kind = candidates.iter().filter(|(_, c)| c.acknowledged == acknowledged);
            let values = of_kind.map(|(n, c)| (*n, c.value));
            self.fill(group, name, &column_type, CONVERTED, values).await?;
        }
        let found = self.unexpected_values(group, column).await?;
        let mut applied = HashSet::new();
        for (n, value, by_unknown) in found {
            let facts = &group.keys[n];
            if by_unknown {
                applied.insert(n);
            } else if facts.updated_for_certain(index) {
                let expected = facts.expected(index).unwrap_or("NULL").to_owned();
                let (column, found) = (column.to_owned(), value);
                let kind = Mismatch::Overwritten { column, expected, found };
                self.mismatch(group, facts.kind, facts.key, kind);
            }
        }
        // An operation of unknown fate sets all of its columns or none; one column tells.
        if index == 0 {
            self.report.indeterminate_applied += applied.len() as u64;
        }
        let dropped = "DROP TABLE pg_temp.ledger_told, pg_temp.ledger_unknown";
        self.session.batch(dropped).await.map_err(|source| self.trouble(group, source))
    }

    /// Rows whose value is none that was acknowledged: number of the key, value, whether an
    /// update of unknown fate wrote it. Compared as text, for json has no equality.
    async fn unexpected_values(
        &self,
        group: &Group<'_>,
        column: &str,
    ) -> Result<Vec<(usize, Option<String>, bool)>, Error> {
        let (table, key) = (quote_qualified(group.table), quote_ident(group.key_column));
        let column = quote_ident(column);
        let holds = |name: &str| {
            format!(
                "EXISTS (SELECT FROM pg_temp.{name} c \
                 WHERE c.n = k.n AND c.v::text IS NOT DISTINCT FROM t.{column}::text)"
            )
        };
        let (acknowledged, unknown) = (holds("ledger_told"), holds("ledger_unknown"));
        let concerned = "(SELECT n FROM pg_temp.ledger_told UNION \
                         SELECT n FROM pg_temp.ledger_unknown)";
        let sql = format!(
            "SELECT k.n, t.{column}::text, {unknown} FROM pg_temp.ledger_key k \
             JOIN {table} t ON t.{key} = k.v \
             WHERE k.n IN {concerned} AND NOT {acknowledged} ORDER BY k.n"
        );
        let rows = self.session.client().query(&sql, &[]).await;
        let rows = rows.map_err(|e| self.trouble(group, connect::Error::query(&sql, &e)))?;
        let read = |row: tokio_postgres::Row| {
            (row.get::<_, i32>(0) as usize, row.get::<_, Option<String>>(1), row.get(2))
        };
        Ok(rows.into_iter().map(read).collect())
    }

    fn mismatch(&mut self, group: &Group<'_>, kind: u16, key: &str, mismatch: Mismatch) {
        self.report.mismatches += 1;
        if self.report.examples.len() == EXAMPLES_MAX {
            return;
        }
        let operation = self.scenario.traffic.operations.get(usize::from(kind));
        self.report.examples.push(LedgerMismatch {
            operation: operation.map(|spec| spec.name.clone()).unwrap_or_default(),
            table: group.table.to_owned(),
            key: key.to_owned(),
            kind: mismatch,
        });
    }

    fn trouble(&self, group: &Group<'_>, source: connect::Error) -> Error {
        Error::Table { table: group.table.to_owned(), source }
    }
}

/// Whether a text is no value of a type (class 22), or no conversion leads there.
fn is_no_value(error: &connect::Error) -> bool {
    let state = error.server_error().and_then(|error| error.sqlstate.as_ref());
    state.is_some_and(|state| state.code().starts_with("22") || state.code() == "42846")
}
