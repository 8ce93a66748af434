//! Gathers what a table's rows have to keep from the catalogue: columns, keys, references,
//! exclusions, and which columns constraints tie together.

use std::collections::{BTreeSet, HashSet};

use crate::pg::expression::Expression;
use crate::scenario::Generator;

use super::catalogue::{
    Catalogue, Column, Constraint, ConstraintKind, Index, Oid, Table, TypeKind,
};
use super::checks;
use super::constraints::{named, named_in_order, numbered, of_index, table_checks};
use super::draft::{Check, ColumnDraft, Component, Exclusion, ForeignKey, Key, TableDraft};
use super::own_rows::OwnRows;
use super::policies;
use super::sample;
use super::statistics::{Likenesses, Rows};
use super::types::{self, Profile};
use super::wishes;

/// Every table that gets rows: partitions get theirs by their root.
pub(super) fn tables(
    catalogue: &Catalogue,
    rows: &Rows,
    likenesses: &Likenesses,
) -> Vec<TableDraft> {
    let gathered = Gathered { catalogue, rows, likenesses };
    let read = policies::columns(catalogue);
    let of = |table: &Table| {
        let mut draft = gathered.table(table);
        for (own, column) in draft.columns.iter_mut().zip(&table.columns) {
            own.named = is_keyed(table, column) || read.contains(&(table.oid, column.number));
        }
        draft
    };
    let mut drafts: Vec<TableDraft> = catalogue.seeded().map(of).collect();
    let keys = drafts.iter().flat_map(|draft| &draft.references);
    let targets = keys.flat_map(|key| key.targets.iter().map(|name| (key.table, name.clone())));
    let targets: HashSet<(Oid, String)> = targets.collect();
    for draft in &mut drafts {
        for own in &mut draft.columns {
            own.referenced = targets.contains(&(draft.oid, own.name.clone()));
        }
    }
    drafts
}

/// Whether the column is one of several of the primary key.
fn is_keyed(table: &Table, column: &Column) -> bool {
    let key = table.primary_key().map_or(&[][..], |key| key.columns.as_slice());
    key.len() > 1 && key.contains(&column.number)
}

/// What tables are gathered from.
#[derive(Clone, Copy)]
struct Gathered<'a> {
    catalogue: &'a Catalogue,
    rows: &'a Rows,
    likenesses: &'a Likenesses,
}

impl Gathered<'_> {
    fn table(self, table: &Table) -> TableDraft {
        let name = table.seeded_name();
        if let Some(own) = self.rows.own.get(&name).filter(|_| !self.rows.of.contains_key(&name)) {
            return filled(self.catalogue, table, own);
        }
        let mut draft = table_draft(self.catalogue, table, self.rows.of(&name));
        for (own, column) in draft.columns.iter_mut().zip(&table.columns) {
            let Some(likeness) = self.likenesses.of(table.oid, &column.name) else { continue };
            own.null_fraction = Some(likeness.null_fraction());
            if !is_apart(self.catalogue, table, column) {
                own.like = likeness.natural(&own.profile, column);
                own.shares = likeness.shares();
                if own.domain.is_empty() {
                    own.profile.natural = own.like.clone().or(own.profile.natural.take());
                }
            }
        }
        for key in &mut draft.references {
            let first = key.columns.first().map(|at| draft.columns[*at].name.as_str());
            let spread = first.and_then(|name| self.likenesses.spread(table.oid, name, key.table));
            key.spread = spread;
        }
        draft
    }
}

/// A table with the rows that it has: they keep every constraint already.
fn filled(catalogue: &Catalogue, table: &Table, own: &OwnRows) -> TableDraft {
    let mut columns: Vec<ColumnDraft> =
        table.columns.iter().map(|c| column(catalogue, table, c)).collect();
    let pooled: Vec<usize> = own
        .columns
        .iter()
        .filter_map(|name| columns.iter().position(|column| column.name == *name))
        .collect();
    let (sampled, groups) = match own.sampled {
        true => (Some(sample::used_up(table, &mut columns)), sample::groups(table, &pooled)),
        false => {
            // The rows have a value for what a sequence or a default would make.
            columns.iter_mut().for_each(|column| column.numbered = false);
            (None, vec![pooled.clone()])
        }
    };
    let component = |group: Vec<usize>| {
        let places = group.iter().filter_map(|at| pooled.iter().position(|known| known == at));
        let places: Vec<usize> = places.collect();
        let line = |row: &Vec<Option<String>>| places.iter().map(|at| row[*at].clone()).collect();
        let lines = own.rows.iter().map(line).collect();
        Component { columns: group.clone(), pooled: group, lines, ..Component::default() }
    };
    let components = groups.into_iter().map(component).collect();
    TableDraft {
        oid: table.oid,
        name: table.seeded_name(),
        columns,
        checks: Vec::new(),
        components,
        keys: Vec::new(),
        references: Vec::new(),
        exclusions: Vec::new(),
        rows: own.rows.len() as u64,
        asked: own.rows.len() as u64,
        filled: true,
        sampled,
    }
}

/// Whether a column's values have to be more than like the real ones: others refer to them, a key
/// or an exclusion has them, or the server makes another column of them.
fn is_apart(catalogue: &Catalogue, table: &Table, column: &Column) -> bool {
    let at = table.columns.iter().position(|own| own.number == column.number);
    let of_key = |index: &Index| {
        let mut parts = index.columns.iter().zip(&index.definitions);
        parts.any(|(number, definition)| {
            at.is_some_and(|at| of_index(table, *number, definition).contains(&at))
        })
    };
    let referred = catalogue.tables.iter().flat_map(|other| &other.constraints);
    let referred = referred.filter_map(|constraint| constraint.refers.as_ref());
    let excluded = table.constraints.iter().filter(|c| c.kind == ConstraintKind::Exclusion);
    let mut made = table.columns.iter().filter_map(|other| other.generated_as.as_deref());
    table.indexes.iter().filter(|index| index.unique).any(of_key)
        || referred
            .into_iter()
            .any(|to| to.table == table.oid && to.columns.contains(&column.number))
        || excluded.into_iter().any(|constraint| constraint.columns.contains(&column.number))
        || made.any(|text| at.is_some_and(|at| named(table, text).contains(&at)))
}

fn table_draft(catalogue: &Catalogue, table: &Table, rows: u64) -> TableDraft {
    let columns = table.columns.iter().map(|c| column(catalogue, table, c)).collect();
    let mut draft = TableDraft {
        oid: table.oid,
        name: table.seeded_name(),
        columns,
        checks: Vec::new(),
        components: Vec::new(),
        keys: Vec::new(),
        references: Vec::new(),
        exclusions: Vec::new(),
        rows,
        asked: rows,
        filled: false,
        sampled: None,
    };
    draft.references = references(catalogue, table);
    draft.claim_columns(&circular(catalogue, table));
    draft.keys = keys(table);
    draft.exclusions = exclusions(table);
    draft.checks = table_checks(catalogue, table, &draft);
    draft.components = components(&draft);
    draft
}

fn column(catalogue: &Catalogue, table: &Table, column: &Column) -> ColumnDraft {
    let mut domain = Vec::new();
    let (mut oid, mut nullable) = (column.type_oid, !column.not_null);
    // Domains over domains have the CHECKs of all.
    while let Some(known) = catalogue.type_of(oid).filter(|t| t.kind == TypeKind::Domain) {
        nullable &= !known.not_null;
        for text in known.checks.values() {
            let renamed = checks::of_text(text).into_iter().map(|alternative| {
                alternative.into_iter().map(|c| c.renamed(&column.name)).collect()
            });
            domain.push(renamed.collect());
        }
        let Some(base) = known.base else { break };
        oid = base;
    }
    let generated = column.generated_as.as_ref().map(|text| (text.clone(), named(table, text)));
    let generated = generated.or_else(|| column.generated.then(|| (String::new(), Vec::new())));
    ColumnDraft {
        name: column.name.clone(),
        type_name: column.type_name.clone(),
        nullable,
        null_fraction: None,
        like: None,
        shares: Vec::new(),
        likeness_fits: false,
        composite: catalogue.type_of(oid).is_some_and(|t| t.kind == TypeKind::Composite),
        profile: with_default(
            types::profile(catalogue, column.type_oid, column.type_modifier, &column.name),
            column,
        ),
        generated,
        numbered: column.numbered,
        has_default: column.default.is_some() || column.numbered,
        by_default: column.default.is_some() && !is_null_by_default(column),
        referenced: false,
        reference: None,
        domain,
        taken: Vec::new(),
        templates: Vec::new(),
        unknown: false,
        named: false,
        driven: None,
    }
}

fn is_null_by_default(column: &Column) -> bool {
    let default = column.default.as_deref().and_then(Expression::read);
    default == Some(Expression::Constant(None))
}

/// A constant default is one of the column's values, as in rows that said nothing of it.
fn with_default(mut profile: Profile, column: &Column) -> Profile {
    let Some(default) = wishes::constant_default(column) else { return profile };
    if let Some(Generator::Choice { values, weights }) = &mut profile.natural
        && !values.contains(&default)
    {
        weights.insert(0, weights.first().copied().unwrap_or(1.0));
        values.insert(0, default.clone());
    }
    if !profile.candidates.contains(&default) {
        profile.candidates.insert(0, default);
    }
    profile
}

fn references(catalogue: &Catalogue, table: &Table) -> Vec<ForeignKey> {
    let of = |constraint: &Constraint| {
        let refers = constraint.refers.as_ref()?;
        let target = catalogue.table(refers.table)?;
        let name = |number: &i16| target.column(*number).map(|c| c.name.clone());
        let at = |n: &i16| table.columns.iter().position(|c| c.number == *n);
        Some(ForeignKey {
            name: constraint.name.clone(),
            columns: constraint.columns.iter().map(at).collect::<Option<_>>()?,
            table: refers.table,
            targets: refers.columns.iter().map(name).collect::<Option<_>>()?,
            spread: None,
        })
    };
    let keys = table.constraints.iter().filter(|c| c.kind == ConstraintKind::ForeignKey);
    let mut found: Vec<ForeignKey> = keys.filter_map(of).collect();
    // Those that have to be there first, and of them the widest: what it decides, a narrower one
    // follows.
    let may_be_null = |key: &ForeignKey| key.columns.iter().any(|at| !table.columns[*at].not_null);
    found.sort_by_key(|key| (may_be_null(key), std::cmp::Reverse(key.columns.len())));
    found
}

/// Columns of wider foreign keys whose counterpart refers back to them: a tenant's owner is a user
/// of that tenant.
fn circular(catalogue: &Catalogue, table: &Table) -> BTreeSet<(String, usize)> {
    let mut found = BTreeSet::new();
    for constraint in &table.constraints {
        let Some(refers) = &constraint.refers else { continue };
        let Some(target) = catalogue.table(refers.table) else { continue };
        for (own, there) in constraint.columns.iter().zip(&refers.columns) {
            let back = target.constraints.iter().any(|back| {
                let Some(refers) = &back.refers else { return false };
                let mut pairs = back.columns.iter().zip(&refers.columns);
                let gives_way = optional(table, constraint)
                    || (!optional(target, back) && is_key_alone(table, *own));
                refers.table == table.oid && pairs.any(|pair| pair == (there, own)) && gives_way
            });
            let at = table.columns.iter().position(|column| column.number == *own);
            found.extend(at.filter(|_| back).map(|at| (constraint.name.clone(), at)));
        }
    }
    found
}

/// Whether a foreign key may be NULL.
fn optional(table: &Table, constraint: &Constraint) -> bool {
    let of = |number: &i16| table.column(*number);
    constraint.columns.iter().filter_map(of).any(|column| !column.not_null)
}

fn is_key_alone(table: &Table, number: i16) -> bool {
    table.indexes.iter().any(|index| index.unique && index.columns == [number])
}

fn keys(table: &Table) -> Vec<Key> {
    let unique = table.indexes.iter().filter(|index| index.unique);
    let of = |index: &Index| {
        let mut columns = BTreeSet::new();
        let mut expressions = Vec::new();
        for (number, definition) in index.columns.iter().zip(&index.definitions) {
            let own = of_index(table, *number, definition);
            if *number == 0
                && let [only] = own.as_slice()
            {
                expressions.push((*only, definition.clone()));
            }
            columns.extend(own);
        }
        Key {
            name: index.name.clone(),
            columns: columns.into_iter().collect(),
            expressions,
            nulls_not_distinct: index.nulls_not_distinct,
        }
    };
    let mut keys: Vec<Key> = unique.map(of).collect();
    keys.sort_by_key(|key| key.columns.len());
    keys
}

fn exclusions(table: &Table) -> Vec<Exclusion> {
    let constraints = table.constraints.iter().filter(|c| c.kind == ConstraintKind::Exclusion);
    let of = |constraint: &Constraint| {
        let index = table.indexes.iter().find(|index| Some(index.oid) == constraint.index)?;
        let parts = index.columns.iter().zip(&index.definitions).zip(&constraint.operators);
        let elements = parts.map(|((number, definition), operator)| {
            let columns = match number {
                0 => named_in_order(table, definition),
                number => numbered(table, &[*number]),
            };
            (columns, operator.clone())
        });
        Some(Exclusion { name: constraint.name.clone(), elements: elements.collect() })
    };
    constraints.filter_map(of).collect()
}

/// Makes the sets that these columns are in one.
fn join(set_of: &mut [usize], columns: &[usize]) {
    let Some((first, rest)) = columns.split_first() else { return };
    for other in rest {
        let (from, to) = (set_of[*other], set_of[*first]);
        set_of.iter_mut().filter(|set| **set == from).for_each(|set| *set = to);
    }
}

fn components(draft: &TableDraft) -> Vec<Component> {
    let mut of: Vec<usize> = (0..draft.columns.len()).collect();
    draft.checks.iter().for_each(|check| join(&mut of, &check.columns));
    // Values of one referenced row go together.
    for (at, key) in draft.references.iter().enumerate().filter(|(_, key)| key.columns.len() > 1) {
        let claimed = |column: &usize| draft.columns[*column].reference == Some(at);
        let claimed: Vec<usize> = key.columns.iter().copied().filter(claimed).collect();
        let checked = |at: &usize| {
            draft.checks.iter().any(|check| check.columns.contains(at)) && !draft.is_marked(*at)
        };
        if claimed.iter().any(checked) {
            join(&mut of, &claimed);
        }
    }
    let mut found = Vec::new();
    for root in 0..draft.columns.len() {
        let member = |at: &usize| of[*at] == root && draft.columns[*at].generated.is_none();
        let columns: Vec<usize> = (0..draft.columns.len()).filter(member).collect();
        let is_own = |(_, check): &(usize, &Check)| {
            check.columns.iter().any(|column| columns.contains(column))
        };
        let checks = draft.checks.iter().enumerate().filter(is_own).map(|(at, _)| at).collect();
        if !columns.is_empty() {
            found.push(Component { columns, checks, ..Component::default() });
        }
    }
    found
}
