//! What refers to rows and numbers them: orphans of foreign keys, sequences behind their columns.

use std::collections::BTreeMap;

use crate::history::{Orphans, SequenceBehind, SequencePlace};
use crate::schema::NUMBERING;

use super::super::Error;
use super::asked::ComparedTable;
use super::sides::Side;

const FOREIGN_KEYS: &str = include_str!("../sql/keys.sql");

/// Rows without the row that they refer to, of foreign keys of or to these tables; as many as there
/// were before are left out.
pub async fn orphans(before: &Side, after: &Side, tables: &[&str]) -> Result<Vec<Orphans>, Error> {
    let known = foreign_keys(before).await?;
    let mut found = Vec::new();
    for key in foreign_keys(after).await? {
        let about =
            tables.contains(&key.table.as_str()) || tables.contains(&key.refers_to.as_str());
        let rows = if about { key.orphans(after).await? } else { 0 };
        if rows == 0 {
            continue;
        }
        let was = match known.iter().find(|k| k.table == key.table && k.name == key.name) {
            Some(known) => known.orphans(before).await?,
            None => 0,
        };
        if rows > was {
            let ForeignKey { name: constraint, table, refers_to, .. } = key;
            found.push(Orphans { table, constraint, refers_to, rows, before: was });
        }
    }
    Ok(found)
}

struct ForeignKey {
    name: String,
    table: String,
    only: String,
    refers_to: String,
    is_same: String,
    is_set: String,
}

async fn foreign_keys(side: &Side) -> Result<Vec<ForeignKey>, Error> {
    let rows = side.rows("foreign keys", FOREIGN_KEYS, &[]).await?;
    let key = |row: &tokio_postgres::Row| ForeignKey {
        name: row.get(0),
        table: row.get(1),
        only: row.get(2),
        refers_to: row.get(3),
        is_same: row.get(4),
        is_set: row.get(5),
    };
    Ok(rows.iter().map(key).collect())
}

impl ForeignKey {
    async fn orphans(&self, side: &Side) -> Result<u64, Error> {
        let ForeignKey { table, only, refers_to, is_same, is_set, .. } = self;
        let sql = format!(
            "SELECT count(*) FROM {only}{table} AS c WHERE {is_set} \
             AND NOT EXISTS (SELECT FROM {refers_to} AS p WHERE {is_same})"
        );
        Ok(side.row(table, &sql, &[]).await?.get::<_, i64>(0).unsigned_abs())
    }
}

/// Sequences that one statement asks.
const SEQUENCES_AT_ONCE: usize = 200;

/// Where these sequences are, by their oids. Only a sequence itself says so as long as it has
/// returned nothing.
pub async fn places(
    side: &Side,
    sequences: &[(u32, String)],
) -> Result<BTreeMap<u32, SequencePlace>, Error> {
    let mut found = BTreeMap::new();
    for some in sequences.chunks(SEQUENCES_AT_ONCE) {
        let each = some
            .iter()
            .map(|(oid, name)| format!("SELECT {oid}::oid, last_value, is_called FROM {name}"));
        let each = each.collect::<Vec<_>>().join(" UNION ALL ");
        let sql = format!(
            "SELECT at.oid, format('%I.%I', n.nspname, c.relname), at.last_value, at.is_called, \
             (div(CASE WHEN s.seqincrement > 0 THEN s.seqmax::numeric - at.last_value \
                       ELSE at.last_value::numeric - s.seqmin END, abs(s.seqincrement::numeric)) \
              + CASE WHEN at.is_called THEN 0 ELSE 1 END)::text, s.seqcycle \
             FROM ({each}) AS at (oid, last_value, is_called) \
             JOIN pg_sequence s ON s.seqrelid = at.oid JOIN pg_class c ON c.oid = at.oid \
             JOIN pg_namespace n ON n.oid = c.relnamespace"
        );
        let rows = side.rows("sequences", &sql, &[]).await?;
        found.extend(rows.iter().map(|row| {
            let left = row.get::<_, String>(4).parse().unwrap_or(u64::MAX);
            let (name, last, is_called, cycles) = (row.get(1), row.get(2), row.get(3), row.get(5));
            (row.get(0), SequencePlace { name, last, is_called, left, cycles })
        }));
    }
    Ok(found)
}

/// Sequences that would return what a row of these tables has already, and did not before.
pub async fn sequences(
    before: &Side,
    after: &Side,
    tables: impl Iterator<Item = &ComparedTable>,
) -> Result<Vec<SequenceBehind>, Error> {
    let mut found = Vec::new();
    for table in tables {
        let Some(now) = &table.now else { continue };
        let behind = behind(after, now).await?;
        if behind.is_empty() {
            continue;
        }
        let known = self::behind(before, &table.table).await?;
        let is_new = |one: &SequenceBehind| !known.iter().any(|k| k.column == one.column);
        found.extend(behind.into_iter().filter(is_new));
    }
    Ok(found)
}

async fn behind(side: &Side, table: &str) -> Result<Vec<SequenceBehind>, Error> {
    let mut found = Vec::new();
    for row in side.rows(table, NUMBERING, &[&table]).await? {
        let (column, sequence, numbers) = (row.get(0), row.get::<_, String>(1), row.get(2));
        let numbers: String = numbers;
        let sql = format!(
            "SELECT n.next::text, r.reached::text \
             FROM (SELECT last_value, is_called FROM {sequence}) AS at, \
                  (SELECT seqincrement FROM pg_sequence \
                   WHERE seqrelid = '{sequence}'::regclass) AS s, \
                  (SELECT min({numbers}) AS least, max({numbers}) AS most FROM {table}) AS ends, \
                  LATERAL (SELECT at.last_value::numeric + CASE WHEN at.is_called \
                           THEN s.seqincrement ELSE 0 END AS next) AS n, \
                  LATERAL (SELECT CASE WHEN s.seqincrement > 0 \
                           THEN ends.most ELSE ends.least END AS reached) AS r \
             WHERE CASE WHEN s.seqincrement > 0 THEN n.next <= r.reached \
                        ELSE n.next >= r.reached END"
        );
        for row in side.rows(table, &sql, &[]).await? {
            let (next, reached) = (row.get(0), row.get(1));
            let (table, column): (_, String) = (table.to_owned(), Clone::clone(&column));
            found.push(SequenceBehind { table, column, sequence: sequence.clone(), next, reached });
        }
    }
    Ok(found)
}
