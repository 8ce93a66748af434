//! Whose a copy is: what the seed made goes to the change's role, and the application's may use it.
//!
//! The seed runs as the user that we connect as, and so do templates belong to it. Each copy is
//! handed over, so that one template serves whatever roles there are. What the schema gave to
//! roles of its own, and extensions, stay as they are; where such a role was missing and is ours,
//! the change's role is a member of it.

use tokio_postgres::types::ToSql;

use crate::connect::{self, Session};
use crate::pg::{SqlState, quote_ident, quote_literal};

use super::{Error, needs, roles};

/// Statements per message: locks are held to its end.
const STATEMENTS_MAX: usize = 100;

/// What can be owned, with the statement that gives it to `$1`. Of an extension's members none is.
const OWNED: &str = "
WITH me AS (SELECT oid FROM pg_roles WHERE rolname = current_user),
     member AS (SELECT classid, objid FROM pg_depend WHERE deptype = 'e')
SELECT format('ALTER %s %s OWNER TO %I', what, name, $1::text) FROM (
  SELECT 1 AS step, 'SCHEMA' AS what, quote_ident(nspname) AS name, oid, tableoid AS class
  FROM pg_namespace WHERE nspowner = (SELECT oid FROM me)
    AND (oid >= 16384 OR nspname = 'public')
  UNION ALL
  SELECT 2, CASE relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW'
    WHEN 'S' THEN 'SEQUENCE' WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END,
    oid::regclass::text, oid, tableoid
  FROM pg_class c WHERE relowner = (SELECT oid FROM me) AND oid >= 16384
    AND relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
      AND d.objid = c.oid AND d.deptype IN ('a', 'i') AND c.relkind = 'S')
  UNION ALL
  SELECT 3, CASE typtype WHEN 'd' THEN 'DOMAIN' ELSE 'TYPE' END, oid::regtype::text, oid, tableoid
  FROM pg_type t WHERE typowner = (SELECT oid FROM me) AND oid >= 16384
    AND (typtype IN ('d', 'e', 'r') OR (typtype = 'c' AND EXISTS (
      SELECT FROM pg_class c WHERE c.oid = t.typrelid AND c.relkind = 'c')))
  UNION ALL
  SELECT 4, 'ROUTINE', oid::regprocedure::text, oid, tableoid
  FROM pg_proc WHERE proowner = (SELECT oid FROM me) AND oid >= 16384
  UNION ALL
  SELECT 5, 'COLLATION', oid::regcollation::text, oid, tableoid
  FROM pg_collation WHERE collowner = (SELECT oid FROM me) AND oid >= 16384
  UNION ALL
  SELECT 6, 'STATISTICS', format('%I.%I', stxnamespace::regnamespace::text, stxname), oid, tableoid
  FROM pg_statistic_ext WHERE stxowner = (SELECT oid FROM me)
  UNION ALL
  SELECT 7, 'TEXT SEARCH CONFIGURATION', oid::regconfig::text, oid, tableoid
  FROM pg_ts_config WHERE cfgowner = (SELECT oid FROM me) AND oid >= 16384
  UNION ALL
  SELECT 8, 'SERVER', quote_ident(srvname), oid, tableoid
  FROM pg_foreign_server WHERE srvowner = (SELECT oid FROM me)
  UNION ALL
  SELECT 9, 'PUBLICATION', quote_ident(pubname), oid, tableoid
  FROM pg_publication WHERE pubowner = (SELECT oid FROM me)
) AS owned
WHERE NOT EXISTS (SELECT FROM member WHERE classid = class AND objid = owned.oid)
ORDER BY step, owned.oid";

/// What an application does with these tables (NULL: with all) and with sequences, and nothing of
/// what comes later.
const GRANTS: &str = "
SELECT format('GRANT USAGE ON SCHEMA %I TO %I', nspname, $1::text)
FROM pg_namespace WHERE oid >= 16384 AND nspname !~ '^pg_' OR nspname = 'public'
UNION ALL
SELECT format('GRANT %s ON %s TO %I', CASE relkind WHEN 'S' THEN 'USAGE, SELECT, UPDATE'
    ELSE 'SELECT, INSERT, UPDATE, DELETE' END,
  CASE relkind WHEN 'S' THEN 'SEQUENCE ' ELSE '' END || oid::regclass, $1::text)
FROM pg_class WHERE oid >= 16384 AND relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
  AND relnamespace NOT IN ('pg_toast'::regnamespace) AND relpersistence <> 't'
  AND (relkind = 'S' OR $2::oid[] IS NULL OR oid = ANY ($2))";

/// Gives the database and what is in it to a role, as far as it is the session's own.
///
/// # Errors
/// The connecting user may not.
pub async fn hand_over(session: &Session, to: &str) -> Result<(), Error> {
    let role = quote_ident(to);
    let sql = "SELECT format('ALTER DATABASE %I OWNER TO ', current_database())";
    let row = session.client().query_one(sql, &[]).await;
    let database: String = row.map_err(|error| connect::Error::query(sql, &error))?.get(0);
    session.batch("SET search_path = pg_catalog").await?;
    session.batch(&format!("{database}{role}")).await?;
    roles::join_owners(session, to).await?;
    let statements = statements(session, OWNED, &[&to]).await?;
    let (publications, others): (Vec<_>, Vec<_>) =
        statements.into_iter().partition(|sql| sql.starts_with("ALTER PUBLICATION"));
    run(session, &others).await?;
    for sql in publications {
        // One of all tables, or of a schema's, is a superuser's.
        session.batch(&sql).await.or_else(refused)?;
    }
    Ok(())
}

/// Lets a role use what these statements need, as it is there: rows of tables, and sequences.
///
/// # Errors
/// The connecting user may not.
pub async fn let_use<'t>(
    session: &Session,
    role: &str,
    sql: impl IntoIterator<Item = &'t str>,
) -> Result<(), Error> {
    session.batch("SET search_path = pg_catalog").await?;
    let relations = needs::relations(session, sql).await?;
    let statements = statements(session, GRANTS, &[&role, &relations]).await?;
    run(session, &statements).await
}

/// Whether there is such a role, and whether it is a superuser.
///
/// # Errors
/// The catalogue cannot be read.
pub async fn is_superuser(session: &Session, role: &str) -> Result<Option<bool>, Error> {
    let role = quote_literal(role);
    let sql = format!("SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = {role}");
    let row = session.client().query_opt(&sql, &[]).await;
    Ok(row.map_err(|error| connect::Error::query(&sql, &error))?.map(|row| row.get(0)))
}

async fn statements(
    session: &Session,
    sql: &str,
    parameters: &[&(dyn ToSql + Sync)],
) -> Result<Vec<String>, Error> {
    let rows = session.client().query(sql, parameters).await;
    let rows = rows.map_err(|error| connect::Error::query(sql, &error))?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

async fn run(session: &Session, statements: &[String]) -> Result<(), Error> {
    for some in statements.chunks(STATEMENTS_MAX) {
        session.batch(&some.join(";\n")).await?;
    }
    Ok(())
}

fn refused(error: connect::Error) -> Result<(), connect::Error> {
    let is_refused = error.is_one_of(&[SqlState::INSUFFICIENT_PRIVILEGE]);
    if is_refused { Ok(()) } else { Err(error) }
}
