//! Which tables lose rows by an application's own statements.

use std::collections::BTreeSet;

use crate::pg::facts::{self, ParameterUse, RelationName, Usage};
use crate::scenario::{Generator, OperationSpec, OperationStatement, Parameter};

use super::super::catalogue::{Catalogue, Oid};
use super::values::World;

/// Operations that delete rows to which other operations refer, by name, with why: a reference to
/// a row that is gone fails.
pub fn deletes_what_others_need(
    catalogue: &Catalogue,
    operations: &[OperationSpec],
) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for operation in operations {
        let deleted = deleted(catalogue, operation);
        let needs = |other: &&OperationSpec| {
            let adds = other.statements.iter().any(|statement| {
                let uses = facts::parameters(&statement.sql).unwrap_or_default();
                let is_written = |used: &ParameterUse| {
                    matches!(used.usage, Usage::Inserted | Usage::Assigned)
                        && names_row(other, statement, used.number, &deleted)
                };
                uses.parameters.iter().any(is_written)
            });
            adds && !deleted.is_empty()
        };
        if let Some(other) = operations.iter().find(needs) {
            let why = format!("`{}` refers to rows that it deletes, and would fail", other.name);
            found.push((operation.name.clone(), why));
        }
    }
    found
}

/// Whether the parameter is the key of a row of one of these tables.
fn names_row(
    operation: &OperationSpec,
    statement: &OperationStatement,
    number: usize,
    tables: &BTreeSet<String>,
) -> bool {
    let name = number.checked_sub(1).and_then(|at| statement.placeholders.get(at));
    let parameter = name.and_then(|name| operation.parameters.get(name));
    match parameter {
        Some(Parameter::Generated { generator: Generator::Reference { table, .. }, .. }) => {
            tables.contains(table)
        }
        _ => false,
    }
}

/// Tables from which an operation deletes rows, those that go with them included.
pub(super) fn deleted(catalogue: &Catalogue, operation: &OperationSpec) -> BTreeSet<String> {
    let uses = operation.statements.iter().filter_map(|s| facts::parameters(&s.sql));
    let named: Vec<RelationName> = uses.flat_map(|uses| uses.deletes).collect();
    let world = World { catalogue, subjects: &[], rng_seed: 0 };
    let mut oids: Vec<Oid> =
        named.iter().filter_map(|name| world.table(name)).map(|table| table.oid).collect();
    loop {
        let goes = |table: &&super::super::Table| {
            let mut refers = table.constraints.iter().filter_map(|c| c.refers.as_ref());
            refers.any(|refers| refers.cascades && oids.contains(&refers.table))
        };
        let more: Vec<Oid> = catalogue.tables.iter().filter(goes).map(|table| table.oid).collect();
        let more: Vec<Oid> = more.into_iter().filter(|oid| !oids.contains(oid)).collect();
        if more.is_empty() {
            break;
        }
        oids.extend(more);
    }
    let tables = oids.iter().filter_map(|oid| catalogue.table(*oid));
    tables.map(super::super::Table::seeded_name).collect()
}
