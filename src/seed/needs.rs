//! What an application's statements read and write with the caller's rights, as far as
//! texts show it: relations that they name, those that functions and triggers name which run with
//! the caller's rights, and so on. What runs with its owner's rights (SECURITY DEFINER, a view that
//! is no `security_invoker`, a foreign key) needs none of the caller's.

use std::collections::BTreeSet;

use crate::connect::{self, Session};
use crate::pg::words::{names, words};

use super::Error;

/// Relations and functions of the database, with what they read and call: of a relation, `reads` is
/// what is evaluated with the rights of its reader, tables included, and `calls` what only calls
/// functions so. A part of a table is reached with the table.
const OBJECTS: &str = "
SELECT false AS is_function, c.oid, c.relname::text AS name,
  (SELECT array_agg(inhparent) FROM pg_inherits WHERE inhrelid = c.oid) AS parents,
  concat_ws(' ',
    (SELECT string_agg(concat_ws(' ', pg_get_expr(polqual, polrelid),
       pg_get_expr(polwithcheck, polrelid)), ' ') FROM pg_policy WHERE polrelid = c.oid),
    CASE WHEN c.relkind = 'v' AND c.reloptions && ARRAY['security_invoker=true',
       'security_invoker=on', 'security_invoker=1', 'security_invoker=yes']
     THEN pg_get_viewdef(c.oid) END) AS reads,
  concat_ws(' ',
    CASE WHEN c.relkind = 'v' THEN pg_get_viewdef(c.oid) END,
    (SELECT string_agg(pg_get_expr(adbin, adrelid), ' ') FROM pg_attrdef WHERE adrelid = c.oid),
    (SELECT string_agg(pg_get_constraintdef(oid), ' ') FROM pg_constraint
     WHERE conrelid = c.oid AND contype IN ('c', 'x')),
    (SELECT string_agg(pg_get_indexdef(indexrelid), ' ') FROM pg_index
     WHERE indrelid = c.oid AND (indexprs IS NOT NULL OR indpred IS NOT NULL)),
    (SELECT string_agg(pg_get_ruledef(oid), ' ') FROM pg_rewrite
     WHERE ev_class = c.oid AND rulename <> '_RETURN'),
    (SELECT string_agg(p.proname, ' ') FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
     WHERE t.tgrelid = c.oid AND NOT t.tgisinternal)) AS calls,
  false AS as_owner
FROM pg_class c
WHERE c.oid >= 16384 AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.relpersistence <> 't'
UNION ALL
SELECT true, f.oid, f.proname::text, NULL,
  CASE WHEN l.lanname NOT IN ('c', 'internal')
    THEN COALESCE(NULLIF(f.prosrc, ''), pg_get_functiondef(f.oid)) END, NULL, f.prosecdef
FROM pg_proc f JOIN pg_language l ON l.oid = f.prolang
WHERE f.oid >= 16384 AND f.prokind IN ('f', 'p')";

/// A relation or a function.
#[derive(Default)]
struct Object {
    is_function: bool,
    oid: u32,
    name: String,
    parents: Vec<u32>,
    reads: String,
    calls: String,
    /// It runs with the rights of its owner.
    as_owner: bool,
}

/// Relations that the statements need rights on; None: a function makes statements from strings,
/// so it may be any.
///
/// # Errors
/// The catalogue cannot be read.
pub async fn relations<'t>(
    session: &Session,
    statements: impl IntoIterator<Item = &'t str>,
) -> Result<Option<Vec<u32>>, Error> {
    let rows = session.client().query(OBJECTS, &[]).await;
    let rows = rows.map_err(|error| connect::Error::query(OBJECTS, &error))?;
    let object = |row: &tokio_postgres::Row| Object {
        is_function: row.get(0),
        oid: row.get(1),
        name: row.get(2),
        parents: row.get::<_, Option<Vec<u32>>>(3).unwrap_or_default(),
        reads: row.get::<_, Option<String>>(4).unwrap_or_default(),
        calls: row.get::<_, Option<String>>(5).unwrap_or_default(),
        as_owner: row.get(6),
    };
    let objects: Vec<Object> = rows.iter().map(object).collect();
    let needed = Reached::from(statements).close(&objects);
    Ok(needed.map(|oids| oids.into_iter().collect()))
}

/// What has been reached, in words of texts.
#[derive(Default)]
struct Reached {
    /// Words that may be relations and functions.
    read: BTreeSet<String>,
    /// Words that may be functions alone.
    called: BTreeSet<String>,
}

impl Reached {
    fn from<'t>(statements: impl IntoIterator<Item = &'t str>) -> Reached {
        let mut reached = Reached::default();
        statements.into_iter().for_each(|sql| reached.read.extend(words(sql)));
        reached
    }

    /// Relations by their oids; None: a function's text does not show them.
    fn close(mut self, objects: &[Object]) -> Option<BTreeSet<u32>> {
        let mut found: BTreeSet<u32> = BTreeSet::new();
        let mut relations: BTreeSet<u32> = BTreeSet::new();
        loop {
            let before = found.len();
            for object in objects {
                let is_part = object.parents.iter().any(|parent| relations.contains(parent));
                let is_called = object.is_function && names(&self.called, &object.name);
                let is_reached = is_part || is_called || names(&self.read, &object.name);
                if !is_reached || !found.insert(object.oid) {
                    continue;
                }
                if object.as_owner {
                    continue;
                }
                if !object.is_function {
                    relations.insert(object.oid);
                } else if words(&object.reads).any(|word| word == "execute") {
                    return None;
                }
                self.read.extend(words(&object.reads));
                self.called.extend(words(&object.calls));
            }
            if found.len() == before {
                return Some(relations);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn relation(oid: u32, name: &str, reads: &str, calls: &str) -> Object {
        let (name, reads, calls) = (name.to_owned(), reads.to_owned(), calls.to_owned());
        Object { oid, name, reads, calls, ..Object::default() }
    }

    fn function(oid: u32, name: &str, body: &str, as_owner: bool) -> Object {
        Object { is_function: true, as_owner, ..relation(oid, name, body, "") }
    }

    #[rstest]
    #[case::named("SELECT 1 FROM orders", Some("1"))]
    #[case::with_its_parts("SELECT 1 FROM events", Some("2, 3"))]
    #[case::its_trigger_writes_another("INSERT INTO lines VALUES (1)", Some("4, 5"))]
    #[case::a_view_reads_as_its_owner("TABLE plain_view", Some("6"))]
    #[case::a_view_reads_as_its_reader("TABLE \"Own View\"", Some("1, 7"))]
    #[case::as_the_owner("SELECT total(1)", Some(""))]
    #[case::as_the_caller("SELECT counted(1)", Some("1"))]
    #[case::from_strings("SELECT any_of('orders')", None)]
    fn rights_are_needed_on_what_runs_as_the_caller(
        #[case] sql: &str,
        #[case] expected: Option<&str>,
    ) {
        let objects = [
            relation(1, "orders", "", ""),
            relation(2, "events", "", ""),
            Object { parents: vec![2], ..relation(3, "events_2026", "", "") },
            relation(4, "lines", "", "note_line"),
            relation(5, "audit", "", ""),
            relation(6, "plain_view", "", "SELECT id FROM orders"),
            relation(7, "own view", "SELECT id FROM orders", ""),
            function(8, "note_line", "BEGIN INSERT INTO audit VALUES (1); END", false),
            function(9, "total", "SELECT sum(x) FROM orders", true),
            function(10, "counted", "SELECT count(*) FROM public.orders", false),
            function(11, "any_of", "BEGIN EXECUTE format('TABLE %I', $1); END", false),
        ];
        let found = Reached::from([sql]).close(&objects);
        let texts = |oids: BTreeSet<u32>| oids.iter().map(u32::to_string).collect::<Vec<_>>();
        let found = found.map(|oids| texts(oids).join(", "));
        assert_eq!(found.as_deref(), expected);
    }
}
