//! What an operation returned and wrote, as rows that can be compared.

use std::collections::{BTreeMap, BTreeSet};

use crate::connect::{Session, server_error};
use crate::history::ServerError;

/// Rows of one answer that are compared.
pub const ROWS_MAX: usize = 10_000;

/// Rows of tables that this transaction has written, those that were undone included.
const COUNTS: &str = "\
    SELECT pg_catalog.format('%I.%I', schemaname, relname), n_tup_ins + n_tup_upd, n_tup_del \
    FROM pg_catalog.pg_stat_xact_user_tables WHERE n_tup_ins + n_tup_upd + n_tup_del > 0";

/// What was returned: names of columns, and rows.
#[derive(Default)]
pub struct Answer {
    pub columns: Vec<String>,
    pub rows: Vec<Vec<Option<String>>>,
}

/// By table: rows that were inserted or updated, and rows that were deleted.
pub struct Writes {
    counts: BTreeMap<String, (i64, i64)>,
}

pub fn too_many(does: &str) -> ServerError {
    let message = format!("an operation {does} more than {ROWS_MAX} rows");
    ServerError { sqlstate: None, message, ..ServerError::default() }
}

impl Writes {
    pub async fn so_far(session: &Session) -> Result<Writes, ServerError> {
        let rows = session.client().query(COUNTS, &[]).await.map_err(|e| server_error(&e))?;
        let counts = rows.iter().map(|row| (row.get(0), (row.get(1), row.get(2))));
        Ok(Writes { counts: counts.collect() })
    }

    /// The rows that were written since, without these columns: a row's last version has a
    /// transaction of ours, which is younger than the snapshot.
    pub async fn since(
        &self,
        session: &Session,
        without: &BTreeSet<String>,
    ) -> Result<Answer, ServerError> {
        let now = Writes::so_far(session).await?;
        let without: Vec<&String> = without.iter().collect();
        let columns = ["table", "row"].map(str::to_owned).into();
        let mut found = Answer { columns, rows: Vec::new() };
        for (table, (written, deleted)) in &now.counts {
            let (before, deleted_before) = self.counts.get(table).copied().unwrap_or_default();
            let mut add = |text| found.rows.push(vec![Some(table.clone()), Some(text)]);
            if *deleted > deleted_before {
                add(format!("{} deleted", deleted - deleted_before));
            }
            if *written == before {
                continue;
            }
            let sql = format!(
                "SELECT (pg_catalog.to_jsonb(t) - $1::text[])::text FROM ONLY {table} AS t \
                 WHERE t.xmin::text::bigint >= pg_catalog.pg_snapshot_xmax(\
                 pg_catalog.pg_current_snapshot())::text::bigint % 4294967296 LIMIT {}",
                ROWS_MAX + 1
            );
            let rows = session.client().query(&sql, &[&without]).await;
            let rows = rows.map_err(|error| server_error(&error))?;
            if rows.len() > ROWS_MAX {
                return Err(too_many("writes"));
            }
            rows.iter().for_each(|row| add(row.get(0)));
        }
        Ok(found)
    }
}

impl Answer {
    pub fn leave_out(&mut self, columns: &BTreeSet<String>) {
        let keeps: Vec<bool> = self.columns.iter().map(|name| !columns.contains(name)).collect();
        let keep = |row: &mut Vec<Option<String>>| {
            let mut keeps = keeps.iter();
            row.retain(|_| keeps.next().copied().unwrap_or(true));
        };
        self.rows.iter_mut().for_each(keep);
        self.columns.retain(|name| !columns.contains(name));
    }

    /// What returns void returns an empty text in one language and NULL in another.
    pub fn empty_is_null(&mut self) {
        let values = self.rows.iter_mut().flatten();
        values.filter(|value| value.as_deref() == Some("")).for_each(|value| *value = None);
    }

    pub fn is_same(&self, other: &Answer) -> bool {
        let counts = |answer: &Answer| {
            let mut rows = answer.rows.clone();
            rows.sort();
            rows
        };
        counts(self) == counts(other)
    }

    /// These columns of each row; a row that is there twice counts twice.
    pub fn counts(&self, columns: &[&String]) -> BTreeMap<Vec<Option<String>>, i64> {
        let at = |name: &&String| self.columns.iter().position(|column| column == *name);
        let places: Vec<usize> = columns.iter().filter_map(at).collect();
        let mut counts = BTreeMap::new();
        for row in &self.rows {
            let values = places.iter().filter_map(|place| row.get(*place).cloned());
            *counts.entry(values.collect()).or_default() += 1;
        }
        counts
    }
}
