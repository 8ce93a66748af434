//! A table as its rows have to be made: its columns' roles, the constraints that tie them together,
//! its keys and what it refers to.

use std::collections::BTreeSet;

use crate::pg::expression::Expression;
use crate::scenario::Generator;

use super::catalogue::{Catalogue, Column, Constraint, ConstraintKind, Oid, Table, TypeKind};
use super::checks::{self, Alternative};
use super::types::{self, Profile};

/// A table in the making.
#[derive(Clone, Debug)]
pub(super) struct TableDraft {
    pub oid: Oid,
    /// With its schema, as the scenario names it.
    pub name: String,
    pub columns: Vec<ColumnDraft>,
    pub checks: Vec<Check>,
    /// Sets of columns that share checks, or a column by itself; each column is in one.
    pub components: Vec<Component>,
    pub keys: Vec<Key>,
    pub references: Vec<ForeignKey>,
    pub exclusions: Vec<Exclusion>,
    /// Rows that it can have.
    pub rows: u64,
}

#[derive(Clone, Debug)]
pub(super) struct ColumnDraft {
    pub name: String,
    pub type_name: String,
    pub nullable: bool,
    /// Whether it is a row of columns.
    pub composite: bool,
    pub profile: Profile,
    /// From what it is generated, and from which columns.
    pub generated: Option<(String, Vec<usize>)>,
    /// Whether a sequence numbers it.
    pub numbered: bool,
    pub has_default: bool,
    /// Which of `references` gives its values.
    pub reference: Option<usize>,
    /// What the domain that it is of asks.
    pub domain: Vec<Vec<Alternative>>,
    /// Values that the server takes for the column alone.
    pub taken: Vec<String>,
    /// Templates that the server takes, and up to which row.
    pub templates: Vec<(String, u64)>,
    /// What makes its values differ from row to row.
    pub driven: Option<(Generator, u64)>,
}

/// A condition on the rows.
#[derive(Clone, Debug)]
pub(super) struct Check {
    pub name: String,
    pub sql: String,
    pub columns: Vec<usize>,
    pub alternatives: Vec<Alternative>,
    /// Columns of which only matters whether they are NULL, and that they are not another column.
    pub marked: Vec<usize>,
    /// Whether it says which partition takes a row.
    pub of_partitions: bool,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Component {
    pub columns: Vec<usize>,
    pub checks: Vec<usize>,
    /// Columns of the lines: those that are not driven.
    pub pooled: Vec<usize>,
    /// Tuples that the server takes.
    pub lines: Vec<Vec<Option<String>>>,
    /// Why others were not taken, and how often.
    pub failures: Vec<(String, usize)>,
}

/// Columns, or expressions over them, that no two rows share.
#[derive(Clone, Debug)]
pub(super) struct Key {
    pub name: String,
    /// Columns, those within expressions included.
    pub columns: Vec<usize>,
    /// Expressions over one column, with it: the column's values must make them differ.
    pub expressions: Vec<(usize, String)>,
    pub nulls_not_distinct: bool,
}

#[derive(Clone, Debug)]
pub(super) struct ForeignKey {
    pub name: String,
    pub columns: Vec<usize>,
    pub table: Oid,
    /// Names of the columns there.
    pub targets: Vec<String>,
}

/// What no two rows may share by operators.
#[derive(Clone, Debug)]
pub(super) struct Exclusion {
    pub name: String,
    /// Per element: its columns and the operator.
    pub elements: Vec<(Vec<usize>, String)>,
}

/// Every table that gets rows: partitions get theirs by their root.
pub(super) fn tables(catalogue: &Catalogue, rows: u64) -> Vec<TableDraft> {
    let is_partition = |table: &&Table| table.bound.is_none() && !table.foreign;
    catalogue.tables.iter().filter(is_partition).map(|t| table(catalogue, t, rows)).collect()
}

fn table(catalogue: &Catalogue, table: &Table, rows: u64) -> TableDraft {
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
    };
    draft.references = references(catalogue, table);
    draft.claim_columns();
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
            let read = Expression::read(text).map(|e| checks::alternatives(&e)).unwrap_or_default();
            let renamed = read.into_iter().map(|alternative| {
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
        composite: catalogue.type_of(oid).is_some_and(|t| t.kind == TypeKind::Composite),
        profile: types::profile(catalogue, column.type_oid, column.type_modifier, &column.name),
        generated,
        numbered: column.numbered,
        has_default: column.default.is_some() || column.numbered,
        reference: None,
        domain,
        taken: Vec::new(),
        templates: Vec::new(),
        driven: None,
    }
}

/// Columns of the table that an expression names; of a generated one those that it is made of.
fn named(table: &Table, text: &str) -> Vec<usize> {
    let Some(expression) = Expression::read(text) else { return Vec::new() };
    let mut found = BTreeSet::new();
    for name in expression.columns() {
        let Some(at) = table.columns.iter().position(|c| c.name == name) else { continue };
        match &table.columns[at].generated_as {
            Some(generated) if generated != text => found.extend(named(table, generated)),
            _ => {
                found.insert(at);
            }
        }
    }
    found.into_iter().collect()
}

/// The same for columns by their numbers.
fn numbered(table: &Table, numbers: &[i16]) -> Vec<usize> {
    let mut found = BTreeSet::new();
    for number in numbers {
        let Some(at) = table.columns.iter().position(|c| c.number == *number) else { continue };
        match &table.columns[at].generated_as {
            Some(generated) => found.extend(named(table, generated)),
            None => {
                found.insert(at);
            }
        }
    }
    found.into_iter().collect()
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
        })
    };
    let keys = table.constraints.iter().filter(|c| c.kind == ConstraintKind::ForeignKey);
    let mut found: Vec<ForeignKey> = keys.filter_map(of).collect();
    // The widest first: what it decides, a narrower one follows.
    found.sort_by_key(|key| std::cmp::Reverse(key.columns.len()));
    found
}

fn keys(table: &Table) -> Vec<Key> {
    let unique = table.indexes.iter().filter(|index| index.unique);
    let of = |index: &super::catalogue::Index| {
        let mut columns = BTreeSet::new();
        let mut expressions = Vec::new();
        for (number, definition) in index.columns.iter().zip(&index.definitions) {
            let own = match number {
                0 => named(table, definition),
                number => numbered(table, &[*number]),
            };
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

fn named_in_order(table: &Table, text: &str) -> Vec<usize> {
    let Some(expression) = Expression::read(text) else { return Vec::new() };
    let at = |name: &&str| table.columns.iter().position(|c| c.name == **name);
    expression.columns().iter().filter_map(at).collect()
}

fn table_checks(catalogue: &Catalogue, table: &Table, draft: &TableDraft) -> Vec<Check> {
    let mut found = Vec::new();
    for constraint in table.constraints.iter().filter(|c| c.kind == ConstraintKind::Check) {
        let Some(sql) = &constraint.expression else { continue };
        let read = Expression::read(sql).map(|e| checks::alternatives(&e)).unwrap_or_default();
        found.push(Check {
            name: constraint.name.clone(),
            sql: sql.clone(),
            columns: numbered(table, &constraint.columns),
            alternatives: read,
            marked: marked(table, draft, sql),
            of_partitions: false,
        });
    }
    for (column, draft) in table.columns.iter().zip(&draft.columns) {
        if let (true, Some((sql, columns))) = (column.not_null, &draft.generated)
            && !columns.is_empty()
        {
            found.push(Check {
                name: format!("NOT NULL of {}", column.name),
                sql: format!("({sql}) IS NOT NULL"),
                columns: columns.clone(),
                alternatives: Vec::new(),
                marked: Vec::new(),
                of_partitions: false,
            });
        }
    }
    found.extend(partition_check(catalogue, table));
    found.extend(evaded(table, draft));
    found
}

/// Columns that refer to another row, of which a condition asks only whether they are NULL. To
/// differ from the key of its own row is no question for a reference to an earlier one.
fn marked(table: &Table, draft: &TableDraft, sql: &str) -> Vec<usize> {
    let Some(expression) = Expression::read(sql) else { return Vec::new() };
    let (by_value, compared) = (expression.columns_by_value(), expression.compared_columns());
    let is_marked = |at: &usize| {
        let own = &draft.columns[*at];
        let Some(reference) = own.reference.map(|reference| &draft.references[reference]) else {
            return false;
        };
        let key = |other: &str| reference.table == table.oid && reference.targets == [other];
        let others = compared.iter().filter_map(|(left, right)| match (*left, *right) {
            (left, right) if left == own.name => Some(right),
            (left, right) if right == own.name => Some(left),
            _ => None,
        });
        let mut others = others;
        reference.columns.len() == 1
            && own.domain.is_empty()
            && !by_value.contains(&own.name.as_str())
            && others.all(key)
    };
    (0..draft.columns.len()).filter(is_marked).collect()
}

/// That a partition takes the row.
fn partition_check(catalogue: &Catalogue, root: &Table) -> Option<Check> {
    if !root.partitioned {
        return None;
    }
    let mut leaves = Vec::new();
    let mut left = vec![root.oid];
    while let Some(oid) = left.pop() {
        let children =
            catalogue.tables.iter().filter(|t| t.bound.is_some() && t.parents.contains(&oid));
        for child in children {
            match child.partitioned {
                true => left.push(child.oid),
                // One that takes any row.
                false => leaves.push(child.admits.as_deref()?),
            }
        }
    }
    let mut alternatives = Vec::new();
    let mut columns = BTreeSet::new();
    for admits in &leaves {
        columns.extend(named(root, admits));
        let read = Expression::read(admits).map(|e| checks::alternatives(&e));
        alternatives.extend(read.unwrap_or_default());
    }
    let sql = match leaves.is_empty() {
        true => "false".to_owned(),
        false => leaves.iter().map(|a| format!("({a})")).collect::<Vec<_>>().join(" OR "),
    };
    let name = format!("the partitions of {}", root.name);
    let columns = columns.into_iter().collect();
    Some(Check { name, sql, columns, alternatives, marked: Vec::new(), of_partitions: true })
}

/// Partial unique indexes that leave hardly any rows: rows beyond their predicate are free.
fn evaded(table: &Table, draft: &TableDraft) -> Vec<Check> {
    let mut found = Vec::new();
    for index in table.indexes.iter().filter(|index| index.unique) {
        let Some(predicate) = &index.predicate else { continue };
        let few = index.columns.iter().zip(&index.definitions).all(|(number, definition)| {
            let own = match number {
                0 => named(table, definition),
                number => numbered(table, &[*number]),
            };
            own.iter().all(|at| table.columns[*at].type_name == "boolean")
        });
        if few {
            let read = Expression::read(predicate)
                .map(|e| checks::alternatives(&Expression::Prefix("NOT".to_owned(), Box::new(e))));
            found.push(Check {
                name: index.name.clone(),
                sql: format!("({predicate}) IS NOT TRUE"),
                columns: named(table, predicate),
                alternatives: read.unwrap_or_default(),
                marked: marked(table, draft, predicate),
                of_partitions: false,
            });
        }
    }
    found
}

fn components(draft: &TableDraft) -> Vec<Component> {
    let mut of: Vec<usize> = (0..draft.columns.len()).collect();
    for check in &draft.checks {
        if let Some((first, rest)) = check.columns.split_first() {
            for other in rest {
                let (from, to) = (of[*other], of[*first]);
                of.iter_mut().filter(|c| **c == from).for_each(|c| *c = to);
            }
        }
    }
    // Values of one referenced row go together.
    for key in draft.references.iter().filter(|key| key.columns.len() > 1) {
        let checked = |at: &usize| draft.checks.iter().any(|check| check.columns.contains(at));
        if key.columns.iter().any(checked) {
            for other in &key.columns {
                let (from, to) = (of[*other], of[key.columns[0]]);
                of.iter_mut().filter(|c| **c == from).for_each(|c| *c = to);
            }
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

impl TableDraft {
    /// Each column takes its value from one foreign key: the widest that has it; what is left of
    /// another one from that one.
    fn claim_columns(&mut self) {
        for (at, key) in self.references.iter().enumerate() {
            let free = key.columns.iter().filter(|c| self.columns[**c].reference.is_none());
            let free: Vec<usize> = free.copied().collect();
            for column in free {
                // A column that refers to itself is a value of its own.
                let itself = key.table == self.oid
                    && key.columns.len() == 1
                    && key.targets[0] == self.columns[column].name;
                if !itself {
                    self.columns[column].reference = Some(at);
                }
            }
        }
    }

    /// Has a column by itself drawn from the values that were taken, where nothing better is known
    /// or an open key or a reference needs values that can be counted.
    pub fn pool_alone(&mut self, column: usize, referenced: bool) {
        let Some(at) = self.component_of(column) else { return };
        let own = &self.columns[column];
        let component = &self.components[at];
        if own.driven.is_some() || own.reference.is_some() || component.columns.len() > 1 {
            return;
        }
        let plain = component.checks.is_empty() && own.domain.is_empty();
        let open = self.keys.iter().any(|key| {
            key.columns.contains(&column)
                && !key.columns.iter().any(|c| self.columns[*c].driven.is_some())
        });
        if (plain && own.profile.natural.is_some() && !referenced && !open) || own.taken.is_empty()
        {
            return;
        }
        let lines = own.taken.iter().map(|text| vec![Some(text.clone())]).collect();
        let component = &mut self.components[at];
        component.lines = lines;
        component.pooled = vec![column];
    }

    /// Whether a column's values decide which partition has a row: all of them get some.
    pub fn is_spread(&self, column: usize) -> bool {
        let mut partitions = self.checks.iter().filter(|check| check.of_partitions);
        partitions.any(|check| check.columns.contains(&column) && !check.alternatives.is_empty())
    }

    /// Whether the column refers to a row, and its constraints ask only whether it does.
    pub fn is_marked(&self, column: usize) -> bool {
        let checks: Vec<&Check> =
            self.checks.iter().filter(|check| check.columns.contains(&column)).collect();
        let marked = checks.iter().all(|check| check.marked.contains(&column));
        self.columns[column].reference.is_some() && !checks.is_empty() && marked
    }

    /// Whether a column refers to a row of its own table.
    pub fn is_own(&self, column: usize) -> bool {
        let reference = self.columns[column].reference;
        reference.is_some_and(|at| self.references[at].table == self.oid)
    }

    /// The component of a column.
    pub fn component_of(&self, column: usize) -> Option<usize> {
        self.components.iter().position(|component| component.columns.contains(&column))
    }

    /// Whether a key has the column.
    pub fn in_key(&self, column: usize) -> bool {
        self.keys.iter().any(|key| key.columns.contains(&column))
    }
}

impl Component {
    /// Whether nothing is drawn from a pool, and nothing was refused.
    pub fn is_free(&self, draft: &TableDraft) -> bool {
        let own =
            |c: &usize| draft.columns[*c].reference.is_some() || draft.columns[*c].driven.is_some();
        self.failures.is_empty() && self.columns.iter().all(own)
    }
}

impl Exclusion {
    /// Whether it is about the column.
    pub fn has(&self, column: usize) -> bool {
        self.elements.iter().any(|(columns, _)| columns.contains(&column))
    }
}
