//! Sequences behind seeded columns: each goes on after the greatest value that was loaded.
//!
//! Rows are loaded with their numbers, as a dump's are, and the server counts only what it numbers
//! itself: left alone, the application's first insert collides with a row of the seed.

use crate::connect::{self, Session};
use crate::pg::quote_qualified;
use crate::scenario::Table;
use crate::schema::NUMBERING;

use super::Error;

/// Advances every sequence that would return a value which a seeded column has reached. Minima and
/// increments hold; a sequence that has no value left stays at its last.
pub(super) async fn advance(session: &Session, tables: &[Table]) -> Result<(), Error> {
    for table in tables {
        let name = quote_qualified(&table.name);
        let rows = session.client().query(NUMBERING, &[&name]).await;
        let rows = rows.map_err(|e| connect::Error::query(NUMBERING, &e))?;
        for row in rows {
            let (sequence, numbers) = (row.get::<_, String>(1), row.get::<_, String>(2));
            session.batch(&advancing(&name, &sequence, &numbers)).await?;
        }
    }
    Ok(())
}

/// The next value is the first of the sequence's own, counted from its start, that lies beyond all
/// of the column's; `ends` are the column's extremes, `next` is what nextval would return.
fn advancing(table: &str, sequence: &str, numbers: &str) -> String {
    format!(
        "SELECT setval(s.oid::regclass, greatest(least(beyond, s.seqmax), s.seqmin)::int8, \
                       beyond NOT BETWEEN s.seqmin AND s.seqmax) \
         FROM (SELECT * FROM pg_sequence, LATERAL (SELECT seqrelid) AS o (oid) \
               WHERE seqrelid = '{sequence}'::regclass) AS s, \
              (SELECT last_value, is_called FROM {sequence}) AS at, \
              (SELECT min({numbers}) AS least, max({numbers}) AS most FROM {table}) AS ends, \
              LATERAL (SELECT at.last_value::numeric + CASE WHEN at.is_called \
                       THEN s.seqincrement ELSE 0 END AS next) AS n, \
              LATERAL (SELECT CASE WHEN s.seqincrement > 0 \
                       THEN ends.most ELSE ends.least END AS reached) AS r, \
              LATERAL (SELECT s.seqstart + s.seqincrement * (1 + floor( \
                       (r.reached - s.seqstart) / s.seqincrement::numeric)) AS beyond) AS b \
         WHERE r.reached IS NOT NULL \
           AND CASE WHEN s.seqincrement > 0 THEN n.next <= r.reached ELSE n.next >= r.reached END"
    )
}
