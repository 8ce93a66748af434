//! What is taken off a whole schema before its rows are loaded, and put back after them.
//!
//! Only indexes that no constraint rests on are dropped: unique keys and exclusions stay, since a
//! row that they refuse has to be found while it is loaded. Triggers and foreign keys stay as well
//! and are passed over by the loaders' sessions (`session_replication_role`), so nothing of them
//! has to be made again; what refers to no row is looked for afterwards, in [`dangling`].

use crate::connect::{self, Session};
use crate::pg::{SqlState, quote_qualified};
use crate::scenario::{Script, Statement, Table};

use super::Error;

/// Indexes of the tables that can be made again from what the catalogue says of them: valid, of a
/// table and not of a partition, in the default tablespace, and with nothing that depends on them.
/// What drops one, what makes it, and what is said of it beside.
const INDEXES: &str = "
    SELECT format('DROP INDEX %s', i.indexrelid::regclass),
           pg_get_indexdef(i.indexrelid),
           array_remove(ARRAY[
               CASE WHEN i.indisclustered
                    THEN format('ALTER TABLE %s CLUSTER ON %I', i.indrelid::regclass, c.relname)
               END,
               'COMMENT ON INDEX ' || i.indexrelid::regclass || ' IS '
                   || quote_literal(obj_description(i.indexrelid, 'pg_class'))]
               || ARRAY(SELECT format('ALTER INDEX %s ALTER COLUMN %s SET STATISTICS %s',
                                      i.indexrelid::regclass, a.attnum, a.attstattarget)
                        FROM pg_attribute a
                        WHERE a.attrelid = i.indexrelid AND a.attstattarget >= 0
                        ORDER BY a.attnum), NULL)
    FROM pg_index i
    JOIN pg_class c ON c.oid = i.indexrelid
    JOIN pg_class t ON t.oid = i.indrelid
    WHERE i.indrelid = ANY ($1::text[]::regclass[]) AND t.relkind = 'r'
      AND NOT i.indisunique AND NOT i.indisexclusion AND i.indisvalid AND c.reltablespace = 0
      AND NOT EXISTS (SELECT FROM pg_inherits h WHERE h.inhrelid = i.indexrelid)
      AND NOT EXISTS (SELECT FROM pg_depend d
                      WHERE d.objid = i.indexrelid AND d.classid = 'pg_class'::regclass
                        AND d.deptype IN ('x', 'e'))
      AND NOT EXISTS (SELECT FROM pg_depend d
                      WHERE d.refobjid = i.indexrelid AND d.refclassid = 'pg_class'::regclass)
    ORDER BY i.indexrelid";

/// What deletes all rows of each table. Tables that inherit have rows of their own.
const DELETES: &str = "
    SELECT format('DELETE FROM %s%s', CASE t.relkind WHEN 'p' THEN '' ELSE 'ONLY ' END,
                  t.oid::regclass)
    FROM unnest($1::text[]::regclass[]) AS n (oid) JOIN pg_class t ON t.oid = n.oid";

/// Foreign keys of the tables: a statement each that deletes the rows which refer to no row, and
/// the key's name. One that is not enforced asks for nothing. Tables that inherit have none of
/// their parent's keys, and their rows are none to refer to.
const KEYS: &str = "
    SELECT format('DELETE FROM %s c WHERE %s AND NOT EXISTS (SELECT FROM %s p WHERE %s)',
                  (CASE r.relkind WHEN 'p' THEN '' ELSE 'ONLY ' END) || k.conrelid::regclass,
                  CASE k.confmatchtype WHEN 'f' THEN f.some ELSE f.whole END,
                  (CASE t.relkind WHEN 'p' THEN '' ELSE 'ONLY ' END) || k.confrelid::regclass,
                  f.same),
           n.name, k.conname::text,
           coalesce((SELECT min(m.name) FROM unnest($1::text[], $2::text[]) AS m (quoted, name)
                     WHERE m.quoted::regclass = k.confrelid), k.confrelid::regclass::text)
    FROM unnest($1::text[], $2::text[]) AS n (quoted, name)
    JOIN pg_constraint k ON k.conrelid = n.quoted::regclass
    JOIN pg_class r ON r.oid = k.conrelid
    JOIN pg_class t ON t.oid = k.confrelid,
         LATERAL (SELECT string_agg(format('c.%I IS NOT NULL', a.attname), ' AND ') AS whole,
                         format('num_nonnulls(%s) > 0',
                                string_agg(format('c.%I', a.attname), ', ')) AS some,
                         string_agg(format('p.%I = c.%I', b.attname, a.attname), ' AND ') AS same
                  FROM unnest(k.conkey, k.confkey) AS u (ours, theirs)
                  JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.ours
                  JOIN pg_attribute b ON b.attrelid = k.confrelid AND b.attnum = u.theirs) AS f
    WHERE k.contype = 'f' AND k.conparentid = 0
      AND coalesce((to_jsonb(k) ->> 'conenforced')::bool, true)
    ORDER BY k.conrelid, k.conname";

/// Whether a key of the tables compares more than equality: what refers to no row of such a key is
/// not looked for here.
const PERIODS: &str = "
    SELECT EXISTS (SELECT FROM pg_constraint k
                   WHERE k.contype = 'f' AND k.conrelid = ANY ($1::text[]::regclass[])
                     AND coalesce((to_jsonb(k) ->> 'conperiod')::bool, false))";

/// Rounds of deleting: rows may refer to rows that are deleted in turn.
const ROUNDS_MAX: usize = 64;

/// What was taken off.
#[derive(Debug, Default)]
pub(super) struct Aside {
    indexes: Vec<String>,
    /// What else was said of them.
    after: Vec<String>,
}

impl Aside {
    /// Drops the indexes that only slow the load down.
    pub async fn take(session: &Session, tables: &[Table]) -> Result<Aside, Error> {
        let mut aside = Aside::default();
        for row in ask(session, INDEXES, tables).await? {
            session.batch(&row.get::<_, String>(0)).await?;
            aside.indexes.push(row.get(1));
            aside.after.extend(row.get::<_, Vec<String>>(2));
        }
        Ok(aside)
    }

    /// The statements that make the indexes again, in their order.
    pub fn indexes(&self) -> Script {
        let statement = |text: &String| Statement::new(text, 1);
        let statements = self.indexes.iter().map(statement).collect();
        Script { path: "indexes that were taken off".into(), statements }
    }

    /// Says of them again what was said, once they are there.
    pub async fn put_back(&self, session: &Session) -> Result<(), Error> {
        for statement in &self.after {
            session.batch(statement).await?;
        }
        Ok(())
    }
}

/// The setting with which a session passes over triggers and foreign keys. None: this role may not
/// set it, or a key of the tables has to be checked by the server.
pub(super) async fn passing_over(
    session: &Session,
    tables: &[Table],
) -> Result<Option<(&'static str, &'static str)>, Error> {
    const SETTING: (&str, &str) = ("session_replication_role", "replica");
    let periods = ask(session, PERIODS, tables).await?;
    if periods.first().is_some_and(|row| row.get(0)) {
        return Ok(None);
    }
    // Only to ask: it is undone at once.
    let (name, value) = SETTING;
    match session.batch(&format!("BEGIN; SET LOCAL {name} = {value}; ROLLBACK")).await {
        Ok(()) => Ok(Some(SETTING)),
        Err(error) if error.is_one_of(&[SqlState::INSUFFICIENT_PRIVILEGE]) => {
            session.batch("ROLLBACK").await?;
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

/// Deletes what the schema's own script has put in the tables, whose rows are the scenario's. The
/// session has to pass over triggers and foreign keys.
pub(super) async fn empty(session: &Session, tables: Vec<&Table>) -> Result<(), Error> {
    for row in ask(session, DELETES, tables).await? {
        session.batch(&row.get::<_, String>(0)).await?;
    }
    Ok(())
}

/// Rows that were deleted because they referred to no row.
#[derive(Debug)]
pub(super) struct Dangling {
    /// The table, as the scenario names it.
    pub table: String,
    /// Name of the foreign key.
    pub key: String,
    /// The table to which it refers, as the scenario names it.
    pub refers_to: String,
    pub rows: u64,
}

/// Deletes rows that refer to no row, until there are none; says of which table and key how many.
/// The session has to pass over triggers, since a deleted row's would act.
pub(super) async fn dangling(session: &Session, tables: &[Table]) -> Result<Vec<Dangling>, Error> {
    let (quoted, names): (Vec<String>, Vec<&str>) =
        tables.iter().map(|t| (quote_qualified(&t.name), t.name.as_str())).unzip();
    let rows = session.client().query(KEYS, &[&quoted, &names]).await;
    let rows = rows.map_err(|e| connect::Error::query(KEYS.trim(), &e))?;
    let mut keys: Vec<(String, Dangling)> = rows
        .iter()
        .map(|row| {
            let (table, key, refers_to) = (row.get(1), row.get(2), row.get(3));
            (row.get(0), Dangling { table, key, refers_to, rows: 0 })
        })
        .collect();
    for _ in 0..ROUNDS_MAX {
        let mut round = 0;
        for (sql, found) in &mut keys {
            let deleted = session.client().execute(&*sql, &[]).await;
            let deleted = deleted.map_err(|e| connect::Error::query(sql, &e))?;
            found.rows += deleted;
            round += deleted;
        }
        if round == 0 {
            let found = keys.into_iter().map(|(_, found)| found);
            return Ok(found.filter(|found| found.rows > 0).collect());
        }
    }
    Err(Error::Dangling { rounds: ROUNDS_MAX })
}

async fn ask<'t>(
    session: &Session,
    sql: &str,
    tables: impl IntoIterator<Item = &'t Table>,
) -> Result<Vec<tokio_postgres::Row>, Error> {
    let names: Vec<String> = tables.into_iter().map(|table| quote_qualified(&table.name)).collect();
    let rows = session.client().query(sql, &[&names]).await;
    Ok(rows.map_err(|e| connect::Error::query(sql.trim(), &e))?)
}
