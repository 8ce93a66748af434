//! What a table's constraints ask of its rows: its CHECKs, its partitions' bounds and CHECKs,
//! generated columns that take no NULL.

use std::collections::BTreeSet;

use super::catalogue::{Catalogue, Constraint, ConstraintKind, Table};
use super::checks;
use super::draft::{Check, Equation, TableDraft};
use crate::pg::expression::Expression;

/// Columns of the table that an expression names; of a generated one those that it is made of.
pub(super) fn named(table: &Table, text: &str) -> Vec<usize> {
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
pub(super) fn numbered(table: &Table, numbers: &[i16]) -> Vec<usize> {
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

pub(super) fn named_in_order(table: &Table, text: &str) -> Vec<usize> {
    let Some(expression) = Expression::read(text) else { return Vec::new() };
    let at = |name: &&str| table.columns.iter().position(|c| c.name == **name);
    expression.columns().iter().filter_map(at).collect()
}

pub(super) fn table_checks(catalogue: &Catalogue, table: &Table, draft: &TableDraft) -> Vec<Check> {
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
            equations: equations(table, sql),
            by_value: by_value(table, sql),
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
                equations: Vec::new(),
                by_value: Vec::new(),
                of_partitions: false,
            });
        }
    }
    found.extend(partition_check(catalogue, table));
    found.extend(checks_of_partitions(catalogue, table));
    found.extend(evaded(table, draft));
    found
}

fn by_value(table: &Table, sql: &str) -> Vec<usize> {
    let Some(expression) = Expression::read(sql) else { return Vec::new() };
    let names = expression.columns_by_value();
    (0..table.columns.len())
        .filter(|at| names.contains(&table.columns[*at].name.as_str()))
        .collect()
}

fn equations(table: &Table, sql: &str) -> Vec<Equation> {
    let found = Expression::equations(sql).into_iter().filter_map(|(column, text)| {
        let at = table.columns.iter().position(|c| c.name == column)?;
        let of = named(table, &text);
        let own = table.columns[at].generated_as.is_none() && !of.contains(&at);
        (own && !of.is_empty()).then_some(Equation { column: at, sql: text, of })
    });
    found.collect()
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
        let key = |other: &str| {
            let position = reference.columns.iter().position(|c| c == at);
            let target = position.and_then(|position| reference.targets.get(position));
            reference.table == table.oid && target.is_some_and(|target| target == other)
        };
        let others = compared.iter().filter_map(|(left, right)| match (*left, *right) {
            (left, right) if left == own.name => Some(right),
            (left, right) if right == own.name => Some(left),
            _ => None,
        });
        let mut others = others;
        // Two references are kept apart by one that is NULL.
        let kept_apart = |other: &str| {
            draft.columns.iter().any(|column| {
                column.name == other
                    && column.reference.is_some()
                    && (column.nullable || own.nullable)
            })
        };
        // NULL in this column alone is no reference, whatever the others hold.
        let alone = reference.columns.iter().all(|c| c == at || !draft.columns[*c].nullable);
        let asked = by_value.contains(&own.name.as_str());
        // Whole rows of another table's values are hard to find: a reference to them is left out.
        let left_out = asked && own.nullable && reference.columns.len() > 1;
        let kept = !asked && others.all(|other| key(other) || kept_apart(other));
        alone && own.domain.is_empty() && (left_out || kept)
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
    Some(Check {
        name,
        sql,
        columns,
        alternatives,
        marked: Vec::new(),
        by_value: Vec::new(),
        equations: Vec::new(),
        of_partitions: true,
    })
}

/// Checks that only some partitions have, of the rows that those take.
fn checks_of_partitions(catalogue: &Catalogue, root: &Table) -> Vec<Check> {
    let mut found = Vec::new();
    let mut left = vec![root.oid];
    while let Some(oid) = left.pop() {
        let children =
            catalogue.tables.iter().filter(|t| t.bound.is_some() && t.parents.contains(&oid));
        for child in children {
            left.push(child.oid);
            let own = child.constraints.iter().filter(|constraint| {
                let known = |other: &Constraint| other.expression == constraint.expression;
                constraint.kind == ConstraintKind::Check && !root.constraints.iter().any(known)
            });
            for constraint in own {
                let Some(check) = &constraint.expression else { continue };
                let sql = match &child.admits {
                    Some(admits) => format!("(({admits}) IS NOT TRUE) OR ({check})"),
                    None => check.clone(),
                };
                let read = Expression::read(&sql).map(|e| checks::alternatives(&e));
                found.push(Check {
                    name: constraint.name.clone(),
                    columns: named(root, &sql),
                    alternatives: read.unwrap_or_default(),
                    marked: Vec::new(),
                    by_value: Vec::new(),
                    equations: Vec::new(),
                    of_partitions: false,
                    sql,
                });
            }
        }
    }
    found
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
                equations: Vec::new(),
                by_value: Vec::new(),
                of_partitions: false,
            });
        }
    }
    found
}
