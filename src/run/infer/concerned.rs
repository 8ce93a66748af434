//! Which tables a change is about, and which are beside them.

use std::collections::{BTreeMap, BTreeSet};

use crate::infer::{Catalogue, Index, Oid, Table};
use crate::pg::LockMode;
use crate::pg::facts::{self, Relation, RelationName};
use crate::pg::purpose;

/// Tables that the application uses at most: those with most neighbours.
const USED_MAX: usize = 12;
/// More tables than this share the rows of so many.
const FULL_MAX: u64 = 4;
/// A table beside one that the change is about has this part of its rows.
const BESIDE: u64 = 10;

/// Tables that a change is about.
pub(super) struct Concerned {
    pub tables: Vec<Oid>,
    /// Those of them that it locks more strongly than a write of rows does.
    pub locked: BTreeSet<Oid>,
}

impl Concerned {
    /// Of a partition, what it is a partition of. What migration tools keep is none of it.
    pub fn of(catalogue: &Catalogue, tables: Vec<Oid>) -> Concerned {
        let mut found = Vec::new();
        for oid in tables {
            let oid = whole(catalogue, oid);
            let kept = catalogue.table(oid).is_none_or(is_tools);
            if !kept && !found.contains(&oid) {
                found.push(oid);
            }
        }
        Concerned { tables: found, locked: BTreeSet::new() }
    }

    /// Their qualified names.
    pub fn names(&self, catalogue: &Catalogue) -> Vec<String> {
        self.tables.iter().filter_map(|oid| catalogue.table(*oid)).map(Table::seeded_name).collect()
    }

    /// The same, with the tables that the change locks by what its statements say.
    pub fn with_locks<'t>(
        mut self,
        catalogue: &Catalogue,
        texts: impl Iterator<Item = &'t str>,
    ) -> Concerned {
        for text in texts {
            let mut relations = BTreeSet::new();
            for statement in facts::facts(text).statements {
                // Of a foreign key the first is the table itself, and what it refers to is read by
                // key, however many rows there are.
                let is_strong = |(at, mode): (usize, LockMode)| {
                    mode > LockMode::RowExclusiveLock
                        && (at == 0 || mode != LockMode::ShareRowExclusiveLock)
                };
                let locks = statement.locks.unwrap_or_default().into_iter().enumerate();
                let strong = locks.filter(|(at, lock)| is_strong((*at, lock.mode)));
                relations.extend(strong.map(|(_, lock)| lock.relation));
            }
            let found = tables_of(catalogue, &relations);
            self.locked.extend(found.into_iter().map(|oid| whole(catalogue, oid)));
        }
        self
    }

    /// Whether a table has rows made although its base has some: not where the change only writes
    /// some of them.
    pub fn is_locked(&self, catalogue: &Catalogue, name: &str) -> bool {
        let table = catalogue.tables.iter().find(|table| table.seeded_name() == name);
        table.is_some_and(|table| self.locked.contains(&table.oid))
    }

    /// Rows of these tables and of those beside them, by qualified name.
    pub fn rows(&self, catalogue: &Catalogue, most: u64, least: u64) -> BTreeMap<String, u64> {
        let own = most * FULL_MAX / FULL_MAX.max(self.tables.len() as u64);
        let beside = self.beside(&pairs(catalogue));
        let mut rows = BTreeMap::new();
        for table in catalogue.seeded() {
            let wanted = if self.tables.contains(&table.oid) {
                own
            } else if self.is_one_to_one(catalogue, table.oid) {
                // It would have no more rows than these.
                own
            } else if beside.contains(&table.oid) {
                own / BESIDE
            } else {
                continue;
            };
            rows.insert(table.seeded_name(), wanted.max(least));
        }
        rows
    }

    /// Whether a table that the change is about has at most one row for each row of this one.
    fn is_one_to_one(&self, catalogue: &Catalogue, oid: Oid) -> bool {
        let tables = self.tables.iter().filter_map(|own| catalogue.table(*own));
        tables.into_iter().any(|table| {
            let to = |key: &&crate::infer::Constraint| {
                key.refers.as_ref().is_some_and(|refers| refers.table == oid)
            };
            // Those of primary keys and of unique constraints are among them.
            let unique = |index: &&Index| index.unique && index.valid && index.predicate.is_none();
            table.constraints.iter().filter(to).any(|key| {
                // An expression is column 0, which no key has.
                let within = |index: &Index| index.columns.iter().all(|c| key.columns.contains(c));
                table.indexes.iter().filter(unique).any(within)
            })
        })
    }

    /// What refers to these tables, or is referred to by them.
    fn beside(&self, pairs: &[(Oid, Oid)]) -> BTreeSet<Oid> {
        let is_own = |oid: &Oid| self.tables.contains(oid);
        let both = pairs.iter().flat_map(|(a, b)| [(a, b), (b, a)]);
        both.filter(|(_, other)| is_own(other)).map(|(oid, _)| *oid).collect()
    }

    /// The tables that the application uses: these and what refers to them or is referred to by
    /// them; where there are none, those with most foreign keys to and from them.
    pub fn used(&self, catalogue: &Catalogue) -> Vec<Oid> {
        let pairs = pairs(catalogue);
        let (all, beside) = (self.tables.is_empty(), self.beside(&pairs));
        let neighbours = |oid: Oid| pairs.iter().filter(|(a, b)| *a == oid || *b == oid).count();
        let mut tables: Vec<&Table> = catalogue.seeded().collect();
        tables.retain(|table| {
            let wanted = all || self.tables.contains(&table.oid) || beside.contains(&table.oid);
            wanted && !is_tools(table)
        });
        tables.sort_by_key(|table| {
            let oid = table.oid;
            let own = self.tables.contains(&oid);
            (!own, std::cmp::Reverse(neighbours(oid)), table.seeded_name())
        });
        tables.into_iter().take(USED_MAX).map(|table| table.oid).collect()
    }
}

fn is_tools(table: &Table) -> bool {
    purpose::is_tools_own(&table.name, table.columns.iter().map(|column| column.name.as_str()))
}

/// Tables and what they refer to.
fn pairs(catalogue: &Catalogue) -> Vec<(Oid, Oid)> {
    let refers = |table: &Table| -> Vec<Oid> {
        table.constraints.iter().filter_map(|c| c.refers.as_ref()).map(|r| r.table).collect()
    };
    let of = |table| refers(table).into_iter().map(move |to| (table.oid, to));
    catalogue.tables.iter().flat_map(of).collect()
}

fn whole(catalogue: &Catalogue, oid: Oid) -> Oid {
    let mut whole = oid;
    while let Some(table) = catalogue.table(whole)
        && let Some(above) = table.bound.as_ref().and(table.parents.first())
        && *above != whole
    {
        whole = *above;
    }
    whole
}

/// Tables whose names the change's text holds.
pub(super) fn named(catalogue: &Catalogue, change: &str) -> Vec<Oid> {
    let mut relations: BTreeSet<Relation> = BTreeSet::new();
    for statement in facts::facts(change).statements {
        relations.extend(statement.defines.map(Relation::Named));
        relations.extend(statement.writes.into_iter().map(Relation::Named));
        let locks = statement.locks.unwrap_or_default();
        relations.extend(locks.into_iter().map(|lock| lock.relation));
    }
    tables_of(catalogue, &relations)
}

fn tables_of(catalogue: &Catalogue, relations: &BTreeSet<Relation>) -> Vec<Oid> {
    let in_schema = |name: &RelationName, table: &Table| match &name.schema {
        Some(schema) => *schema == table.schema,
        None => true,
    };
    let is_named = |table: &&Table| {
        relations.iter().any(|relation| match relation {
            Relation::Named(name) => name.name == table.name && in_schema(name, table),
            Relation::OfIndex(index) => table.indexes.iter().any(|known| known.name == index.name),
            Relation::InSchema(schema) => *schema == table.schema,
            Relation::OfType(of) => table.columns.iter().any(|column| {
                catalogue.type_of(column.type_oid).is_some_and(|known| known.name == of.name)
            }),
            Relation::Any => false,
        })
    };
    catalogue.tables.iter().filter(is_named).map(|table| table.oid).collect()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::Concerned;
    use crate::infer::{Catalogue, Constraint, ConstraintKind, Index, Referred, Table};

    fn index(columns: &[i16]) -> Index {
        Index {
            oid: 3,
            name: "index_profiles_on_user_id".to_owned(),
            method: "btree".to_owned(),
            unique: true,
            valid: true,
            nulls_not_distinct: false,
            columns: columns.to_vec(),
            definitions: columns.iter().map(ToString::to_string).collect(),
            predicate: None,
        }
    }

    #[rstest]
    #[case::unique(index(&[2]), 1_000)]
    #[case::on_an_expression(index(&[0]), 100)]
    #[case::of_more_columns(index(&[2, 3]), 100)]
    #[case::not_unique(Index { unique: false, ..index(&[2]) }, 100)]
    #[case::invalid(Index { valid: false, ..index(&[2]) }, 100)]
    #[case::partial(Index { predicate: Some("(user_id > 1)".to_owned()), ..index(&[2]) }, 100)]
    fn a_unique_index_on_a_reference_makes_it_one_to_one(#[case] index: Index, #[case] users: u64) {
        let key = Constraint {
            name: "profiles_user_id_fkey".to_owned(),
            kind: ConstraintKind::ForeignKey,
            columns: vec![2],
            expression: None,
            definition: String::new(),
            validated: true,
            deferrable: false,
            refers: Some(Referred {
                table: 1,
                columns: vec![1],
                match_full: false,
                cascades: false,
            }),
            index: None,
            operators: Vec::new(),
        };
        let table = |oid, name: &str| {
            let (schema, name) = ("public".to_owned(), name.to_owned());
            Table { oid, schema, name, ..Table::default() }
        };
        let profiles =
            Table { constraints: vec![key], indexes: vec![index], ..table(2, "profiles") };
        let tables = vec![table(1, "users"), profiles];
        let catalogue = Catalogue { tables, ..Catalogue::default() };
        let concerned = Concerned::of(&catalogue, vec![2]);
        let rows = concerned.rows(&catalogue, 1_000, 10);
        assert_eq!([rows["public.profiles"], rows["public.users"]], [1_000, users]);
    }
}
