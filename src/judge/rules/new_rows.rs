//! What the server puts into rows that are written from now on: defaults, generated columns and
//! triggers. No write of a trial shows it, for the application never sent these columns.

use std::collections::{BTreeMap, BTreeSet};

use crate::pg::facts::{RelationName, facts};
use crate::pg::lex;
use crate::pg::syntax::Kind;
use crate::result::evidence::NewRows;
use crate::result::{Evidence as Shown, Finding, Subject};
use crate::scenario::Verdict;
use crate::schema::{Difference, Objects};

use super::{Evidence, SchemaChange};

/// Of each table into which the application writes. A column that gets NULL in place of a value is
/// unsafe, unless something new may fill it; all else informs.
pub fn differ(evidence: &Evidence<'_, '_>) -> Vec<Finding> {
    let Some(SchemaChange { before, after, differences }) = &evidence.schema else {
        return Vec::new();
    };
    let mut of_tables: BTreeMap<String, NewRows> = BTreeMap::new();
    let inserts = Inserts::of(evidence);
    for difference in differences.iter().filter(|d| !evidence.means(&d.object, &d.property)) {
        let Difference { object, property, from, to } = difference;
        let Some((kind, name)) = object.split_once(' ') else { continue };
        match (kind, property.as_str()) {
            ("column", "default" | "generated") => {
                let Some((table, column)) = name.rsplit_once('.') else { continue };
                if !inserts.leave_out(table, column) || is_numbered(object, [before, after]) {
                    continue;
                }
                let of = of_tables.entry(table.to_owned()).or_default();
                // A generated column that becomes one with a default, and the like.
                let is_filled = ["default", "generated", "identity"]
                    .iter()
                    .any(|property| has(after, object, property));
                match (from, to) {
                    (Some(_), None) if !is_filled => of.null.push(difference.clone()),
                    (Some(was), Some(is)) if is_frozen(was, is) => {
                        of.frozen.push(difference.clone());
                    }
                    (Some(_), _) => of.others.push(difference.clone()),
                    (None, _) => {}
                }
            }
            ("trigger", "definition") if from.is_some() && to.is_some() => {
                let Some((table, trigger)) = name.rsplit_once('.') else { continue };
                if inserts.is_written(table) {
                    let of = of_tables.entry(table.to_owned()).or_default();
                    of.triggers.insert(trigger.to_owned());
                }
            }
            ("function", "definition") if from.is_some() && to.is_some() => {
                for (table, trigger) in callers(after, name) {
                    if inserts.is_written(table) {
                        let of = of_tables.entry(table.to_owned()).or_default();
                        of.triggers.insert(trigger.to_owned());
                    }
                }
            }
            _ => {}
        }
    }
    let found = of_tables.into_iter().filter(|(_, of)| *of != NewRows::default());
    found.map(|(table, of)| finding(differences, table, of)).collect()
}

fn finding(differences: &[Difference], table: String, mut of: NewRows) -> Finding {
    let prefix = format!("trigger {table}.");
    let is_new = |d: &Difference| d.object.starts_with(&prefix) && d.from.is_none();
    of.may_be_filled =
        !of.null.is_empty() && (!of.triggers.is_empty() || differences.iter().any(is_new));
    let verdict = match (of.null.is_empty(), of.may_be_filled) {
        _ if !of.frozen.is_empty() => Verdict::Unsafe,
        (true, _) => Verdict::Safe,
        (false, true) => Verdict::Unproven,
        (false, false) => Verdict::Unsafe,
    };
    Finding::new(verdict, Subject::relation(table), Shown::NewRowsDiffer(of))
}

/// Whether a time or a uuid that was made for each row is one for all of them: `'now'::timestamptz`
/// is the moment at which the server reads it.
fn is_frozen(was: &str, is: &str) -> bool {
    let is_made = was.contains('(') || was.starts_with("CURRENT_") || was.starts_with("LOCAL");
    let constant = is.strip_prefix('\'').and_then(|rest| rest.split_once("'::"));
    let of_moment = |(_, of): (&str, &str)| {
        ["timestamp", "date", "time", "uuid"].iter().any(|name| of.starts_with(name))
    };
    is_made && constant.is_some_and(of_moment)
}

fn has(objects: &Objects, object: &str, property: &str) -> bool {
    objects.get(object).is_some_and(|of| of.contains_key(property))
}

/// Whether a sequence numbers the column before and after: what that returns is looked at itself.
fn is_numbered(column: &str, catalogues: [&Objects; 2]) -> bool {
    catalogues.into_iter().all(|objects| {
        let properties = objects.get(column);
        let default = properties.and_then(|of| of.get("default"));
        has(objects, column, "identity") || default.is_some_and(|d| d.contains("nextval("))
    })
}

/// Tables and triggers that call the function, `public.touch()`.
fn callers<'o>(objects: &'o Objects, function: &str) -> Vec<(&'o str, &'o str)> {
    let (name, _) = function.split_once('(').unwrap_or((function, ""));
    let bare = name.strip_prefix("public.").unwrap_or(name);
    let calls = |definition: &String| {
        [name, bare].iter().any(|name| definition.contains(&format!(" FUNCTION {name}(")))
    };
    let triggers = objects.iter().filter_map(|(object, properties)| {
        let trigger = object.strip_prefix("trigger ")?;
        properties.get("definition").filter(|definition| calls(definition))?;
        trigger.rsplit_once('.')
    });
    triggers.collect()
}

/// What the application's statements write, and the words of its INSERTs.
#[derive(Default)]
struct Inserts {
    written: Vec<RelationName>,
    words: Vec<(RelationName, BTreeSet<String>)>,
}

impl Inserts {
    fn of(evidence: &Evidence<'_, '_>) -> Inserts {
        let mut inserts = Inserts::default();
        let operations = &evidence.scenario.traffic.operations;
        for sql in operations.iter().flat_map(|operation| &operation.statements).map(|s| &s.sql) {
            for statement in facts(sql).statements {
                if statement.kind == Kind::Insert
                    && let Some(table) = statement.writes.first()
                {
                    inserts.words.push((table.clone(), lex::identifiers(sql).collect()));
                }
                inserts.written.extend(statement.writes);
            }
        }
        inserts
    }

    fn is_written(&self, table: &str) -> bool {
        let table = RelationName::unquoted(table);
        self.written.iter().any(|written| written.may_be(&table))
    }

    /// Whether an INSERT into the table leaves the column to the server.
    fn leave_out(&self, table: &str, column: &str) -> bool {
        let table = RelationName::unquoted(table);
        let column = column.trim_matches('"');
        let of_table = self.words.iter().filter(|(into, _)| into.may_be(&table));
        of_table.into_iter().any(|(_, words)| !words.contains(column))
    }
}
