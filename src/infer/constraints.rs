//! What a table's constraints ask of its rows: its CHECKs, its partitions' bounds and CHECKs,
//! generated columns that take no NULL.

use std::collections::BTreeSet;

use super::catalogue::{Catalogue, Constraint, ConstraintKind, Table};
use super::checks;
use super::draft::{Check, Equation, TableDraft};
use crate::pg::expression::Expression;
use crate::pg::quote_ident;

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

/// The same for a column of an index; 0 is an expression.
pub(super) fn of_index(table: &Table, number: i16, definition: &str) -> Vec<usize> {
    match number {
        0 => named(table, definition),
        number => numbered(table, &[number]),
    }
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
        let mut check = Check {
            name: constraint.name.clone(),
            sql: sql.clone(),
            columns: numbered(table, &constraint.columns),
            equations: equations(table, sql),
            ..Check::default()
        };
        if let Some(expression) = Expression::read(sql) {
            check.alternatives = checks::alternatives(&expression);
            check.marked = marked(table, draft, &expression);
            check.by_value = by_value(table, &expression);
        }
        found.push(check);
    }
    for (column, draft) in table.columns.iter().zip(&draft.columns) {
        if let (true, Some((sql, columns))) = (column.not_null, &draft.generated)
            && !columns.is_empty()
        {
            found.push(Check {
                name: format!("NOT NULL of {}", column.name),
                sql: format!("({sql}) IS NOT NULL"),
                columns: columns.clone(),
                ..Check::default()
            });
        }
    }
    found.extend(partition_check(catalogue, table));
    found.extend(checks_of_partitions(catalogue, table));
    found.extend(evaded(table, draft));
    found
}

fn by_value(table: &Table, expression: &Expression) -> Vec<usize> {
    let names = expression.columns_by_value();
    (0..table.columns.len())
        .filter(|at| names.contains(&table.columns[*at].name.as_str()))
        .collect()
}

fn equations(table: &Table, sql: &str) -> Vec<Equation> {
    let sums = Expression::read(sql).map(|expression| sums(&expression)).unwrap_or_default();
    let found = Expression::equations(sql).into_iter().chain(sums).filter_map(|(column, text)| {
        let at = table.columns.iter().position(|c| c.name == column)?;
        let of = named(table, &text);
        let own = table.columns[at].generated_as.is_none() && !of.contains(&at);
        (own && !of.is_empty()).then_some(Equation { column: at, sql: text, of })
    });
    found.collect()
}

/// Of columns that make a constant together the last one: what is left for it.
fn sums(expression: &Expression) -> Vec<(String, String)> {
    let Expression::Binary(left, operator, right) = expression else { return Vec::new() };
    let sum = match (operator.as_str(), &**left, &**right) {
        ("AND", ..) => return [sums(left), sums(right)].concat(),
        ("=", sum, Expression::Constant(Some(of))) => summands(sum).zip(Some(of)),
        ("=", Expression::Constant(Some(of)), sum) => summands(sum).zip(Some(of)),
        _ => None,
    };
    let Some((columns, of)) = sum.filter(|(_, of)| of.parse::<f64>().is_ok()) else {
        return Vec::new();
    };
    match columns.split_last() {
        Some((last, others)) if !others.is_empty() && !others.contains(last) => {
            let others: Vec<String> = others.iter().map(|name| quote_ident(name)).collect();
            vec![((*last).to_owned(), format!("{of} - ({})", others.join(" + ")))]
        }
        _ => Vec::new(),
    }
}

/// The columns of a sum of nothing else.
fn summands(expression: &Expression) -> Option<Vec<&str>> {
    match expression {
        Expression::Column(name) => Some(vec![name]),
        Expression::Binary(left, operator, right) if operator == "+" => {
            Some([summands(left)?, summands(right)?].concat())
        }
        _ => None,
    }
}

/// Columns that refer to another row, of which a condition asks only whether they are NULL. To
/// differ from the key of its own row is no question for a reference to an earlier one.
fn marked(table: &Table, draft: &TableDraft, expression: &Expression) -> Vec<usize> {
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
        let mut others = compared.iter().filter_map(|(left, right)| match (*left, *right) {
            (left, right) if left == own.name => Some(right),
            (left, right) if right == own.name => Some(left),
            _ => None,
        });
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

/// All partitions below a table, at any depth.
fn partitions<'c>(catalogue: &'c Catalogue, root: &Table) -> Vec<&'c Table> {
    let mut found = Vec::new();
    let mut left = vec![root.oid];
    while let Some(oid) = left.pop() {
        let children =
            catalogue.tables.iter().filter(|t| t.bound.is_some() && t.parents.contains(&oid));
        for child in children {
            left.push(child.oid);
            found.push(child);
        }
    }
    found
}

/// That a partition takes the row.
fn partition_check(catalogue: &Catalogue, root: &Table) -> Option<Check> {
    if !root.partitioned {
        return None;
    }
    let leaves = partitions(catalogue, root).into_iter().filter(|table| !table.partitioned);
    // None: one takes any row.
    let leaves: Vec<&str> = leaves.map(|leaf| leaf.admits.as_deref()).collect::<Option<_>>()?;
    let columns: BTreeSet<usize> = leaves.iter().flat_map(|admits| named(root, admits)).collect();
    let sql = match leaves.is_empty() {
        true => "false".to_owned(),
        false => leaves.iter().map(|a| format!("({a})")).collect::<Vec<_>>().join(" OR "),
    };
    Some(Check {
        name: format!("the partitions of {}", root.name),
        sql,
        columns: columns.into_iter().collect(),
        alternatives: leaves.iter().flat_map(|admits| checks::of_text(admits)).collect(),
        of_partitions: true,
        ..Check::default()
    })
}

/// Checks that only some partitions have, of the rows that those take.
fn checks_of_partitions(catalogue: &Catalogue, root: &Table) -> Vec<Check> {
    let mut found = Vec::new();
    for partition in partitions(catalogue, root) {
        let own = partition.constraints.iter().filter(|constraint| {
            let known = |other: &Constraint| other.expression == constraint.expression;
            constraint.kind == ConstraintKind::Check && !root.constraints.iter().any(known)
        });
        for constraint in own {
            let Some(check) = &constraint.expression else { continue };
            let sql = match &partition.admits {
                Some(admits) => format!("(({admits}) IS NOT TRUE) OR ({check})"),
                None => check.clone(),
            };
            found.push(Check {
                name: constraint.name.clone(),
                columns: named(root, &sql),
                alternatives: checks::of_text(&sql),
                sql,
                ..Check::default()
            });
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
            let own = of_index(table, *number, definition);
            own.iter().all(|at| table.columns[*at].type_name == "boolean")
        });
        if few {
            let mut check = Check {
                name: index.name.clone(),
                sql: format!("({predicate}) IS NOT TRUE"),
                columns: named(table, predicate),
                ..Check::default()
            };
            if let Some(expression) = Expression::read(predicate) {
                check.marked = marked(table, draft, &expression);
                let without = Expression::Prefix("NOT".to_owned(), Box::new(expression));
                check.alternatives = checks::alternatives(&without);
            }
            found.push(check);
        }
    }
    found
}
