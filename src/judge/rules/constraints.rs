//! What the tables that stay promise no more, or promise otherwise: a constraint that is gone, a
//! foreign key that acts otherwise or that no index helps.
//!
//! A change may well mean it. It informs, for no operation of a trial shows it: what was refused
//! before comes in later, and deletes of a referenced row are seldom.

use std::collections::BTreeMap;

use crate::result::evidence::{
    ChangedConstraints, ForeignKeyActions, GoneConstraint, UnindexedKey,
};
use crate::result::{Evidence as Shown, Finding, Subject};
use crate::scenario::Verdict;
use crate::schema::Objects;

use super::super::foreign_key::ForeignKey;
use super::Evidence;

/// Of each table, what is not as it was.
pub fn changed(evidence: &Evidence<'_, '_>) -> Vec<Finding> {
    let Some(schema) = &evidence.schema else { return Vec::new() };
    let (before, after) = (Constraints::of(schema.before), Constraints::of(schema.after));
    let mut of_tables: BTreeMap<&str, ChangedConstraints> = BTreeMap::new();
    let meant = |name: &str| {
        let objects = [format!("constraint {name}"), format!("index {name}")];
        objects.iter().any(|object| evidence.means(object, "object"))
    };
    for constraint in before.all.iter().filter(|c| after.tables.contains(&c.table)) {
        if !after.has(constraint) && after.acts_otherwise(constraint).is_none() {
            let gone = GoneConstraint {
                name: constraint.bare().to_owned(),
                definition: constraint.definition.to_owned(),
            };
            if !meant(constraint.name) {
                of_tables.entry(constraint.table).or_default().gone.push(gone);
            }
        }
    }
    for key in after.all.iter().filter(|c| before.tables.contains(&c.table) && !before.has(c)) {
        let Some(foreign) = ForeignKey::of(key.definition) else { continue };
        let of_table = of_tables.entry(key.table).or_default();
        match before.acts_otherwise(key) {
            Some(was) => of_table.actions.push(ForeignKeyActions {
                name: key.bare().to_owned(),
                before: ForeignKey::of(was.definition).map_or("", |was| was.actions).to_owned(),
                after: foreign.actions.to_owned(),
            }),
            None if !after.has_index(key.table, foreign.columns) => {
                of_table.unindexed.push(UnindexedKey {
                    name: key.bare().to_owned(),
                    columns: foreign.columns.to_owned(),
                    refers_to: foreign.refers_to.to_owned(),
                });
            }
            None => {}
        }
    }
    let found = of_tables.into_iter().filter(|(_, of)| *of != ChangedConstraints::default());
    let finding = |(table, of): (&str, ChangedConstraints)| {
        let subject = Subject::relation(table.to_owned());
        Finding::new(Verdict::Safe, subject, Shown::ConstraintChanged(of))
    };
    found.map(finding).collect()
}

/// A constraint, or an index that is as good as one.
struct Constraint<'c> {
    /// `public.orders.orders_email_key`, or `public.orders_email_idx`.
    name: &'c str,
    table: &'c str,
    /// As `pg_get_constraintdef` prints it; of a unique index, what the constraint would be.
    definition: &'c str,
}

impl Constraint<'_> {
    fn bare(&self) -> &str {
        self.name.rsplit('.').next().unwrap_or(self.name)
    }
}

/// Those of one catalogue.
struct Constraints<'c> {
    all: Vec<Constraint<'c>>,
    tables: Vec<&'c str>,
    /// Tables with the columns of their indexes: `a, lower(b)`.
    indexes: Vec<(&'c str, &'c str)>,
}

/// What an index's definition has before its columns.
const UNIQUE: &str = "CREATE UNIQUE INDEX ";

impl<'c> Constraints<'c> {
    fn of(objects: &'c Objects) -> Constraints<'c> {
        let (mut all, mut indexes, mut tables) = (Vec::new(), Vec::new(), Vec::new());
        for (object, properties) in objects {
            tables.extend(object.strip_prefix("table "));
            let Some(definition) = properties.get("definition").map(String::as_str) else {
                continue;
            };
            if let Some(name) = object.strip_prefix("constraint ") {
                let Some((table, _)) = name.rsplit_once('.') else { continue };
                let key = ["PRIMARY KEY (", "UNIQUE (", "UNIQUE NULLS NOT DISTINCT ("];
                let columns = key.iter().find_map(|key| definition.strip_prefix(key));
                indexes.extend(columns.and_then(|c| c.split_once(')')).map(|(c, _)| (table, c)));
                if !definition.starts_with("NOT NULL") {
                    all.push(Constraint { name, table, definition });
                }
            }
            if let Some(name) = object.strip_prefix("index ") {
                let Some((table, columns)) = indexed(definition) else { continue };
                indexes.push((table, columns));
                if definition.starts_with(UNIQUE) {
                    all.push(Constraint { name, table, definition });
                }
            }
        }
        Constraints { all, tables, indexes }
    }

    /// Whether this is here under any name.
    fn has(&self, one: &Constraint<'_>) -> bool {
        self.all.iter().any(|other| other.table == one.table && is_as_good(other, one))
    }

    /// The foreign key from and to the same that acts otherwise.
    fn acts_otherwise(&self, one: &Constraint<'_>) -> Option<&Constraint<'c>> {
        let key = ForeignKey::of(one.definition)?;
        self.all.iter().find(|other| {
            other.table == one.table
                && ForeignKey::of(other.definition)
                    .is_some_and(|o| o.what == key.what && o.actions != key.actions)
        })
    }

    /// Whether an index of the table begins with one of the columns.
    fn has_index(&self, table: &str, columns: &str) -> bool {
        let first = |of: &str| {
            of.split(", ").next().is_some_and(|first| {
                let first = first.split(' ').next().unwrap_or(first);
                columns.split(", ").any(|column| column == first)
            })
        };
        self.indexes.iter().any(|(of, indexed)| *of == table && first(indexed))
    }
}

/// `public.t` and `a, b` of `CREATE INDEX i ON public.t USING btree (a, b)`; a partial one helps no
/// foreign key.
fn indexed(definition: &str) -> Option<(&str, &str)> {
    let (_, rest) = definition.split_once(" ON ")?;
    let (table, rest) = rest.strip_prefix("ONLY ").unwrap_or(rest).split_once(" USING ")?;
    let (_, columns) = rest.split_once('(')?;
    let columns = columns.strip_suffix(')')?;
    Some((table, columns))
}

/// Whether the one promises what the other does: by the same words, or as a unique index on the
/// same columns does for a constraint.
fn is_as_good(one: &Constraint<'_>, other: &Constraint<'_>) -> bool {
    let unique = |c: &Constraint<'_>| -> Option<String> {
        let of_key = c.definition.strip_prefix("UNIQUE (").and_then(|c| c.strip_suffix(')'));
        let of_index = || {
            let columns = c.definition.starts_with(UNIQUE).then(|| indexed(c.definition)).flatten();
            columns.map(|(_, columns)| columns)
        };
        of_key.or_else(of_index).map(str::to_owned)
    };
    let of_primary_key = |c: &Constraint<'_>| {
        c.definition
            .strip_prefix("PRIMARY KEY (")
            .and_then(|c| c.strip_suffix(')'))
            .map(str::to_owned)
    };
    let wanted = unique(other);
    one.definition == other.definition
        || (wanted.is_some() && (unique(one) == wanted || of_primary_key(one) == wanted))
}
