//! Reads that return the same before, during and after a change that loses nothing: rows of the
//! seed, by columns that the traffic leaves alone.
//!
//! They return keys only. Other columns may be filled by a change, or have another type after it.

use std::collections::BTreeSet;

use crate::scenario::{Generator, Invariant, OperationStatement, Rows, Since};

use super::super::{Column, Index};
use super::draft::{Drawn, plain};
use super::subject::Subject;
use super::writes::{is_compared, is_key};

/// Reads in all: each is sent again and again while the change runs.
const READS_MAX: usize = 8;
/// Of one table.
const OF_TABLE_MAX: usize = 2;
/// Rows of an answer.
const ROWS_MAX: u32 = 50;

/// Reads of the tables by their indexes, of the first tables first. `changed`: tables and columns
/// that the traffic updates.
pub fn reads<'s, 'a: 's>(
    subjects: impl Iterator<Item = &'s Subject<'a>>,
    changed: &BTreeSet<(String, String)>,
) -> Vec<Invariant> {
    let mut found = Vec::new();
    for subject in subjects {
        let key = subject.key().unwrap_or_default();
        let Some(key) = key.into_iter().find(|column| is_key(subject, column)) else { continue };
        if !subject.is_read_back(key) || subject.beside.takes_out(subject.table) {
            continue;
        }
        let stays = |column: &Column| {
            let of = (subject.name().to_owned(), column.name.clone());
            column.number == key.number
                || (!changed.contains(&of) && !subject.beside.may_set(&column.name))
        };
        let mut of_table: Vec<Invariant> = Vec::new();
        // By the key itself where nothing else is to be read.
        let mut indexes: Vec<&Index> = subject.table.indexes.iter().collect();
        indexes.sort_by_key(|index| index.columns == [key.number]);
        for index in indexes {
            let column = leading(subject, index).filter(|column| stays(column));
            let read = column.and_then(|column| match index.unique && index.columns.len() == 1 {
                true => of_one_row(subject, key, column),
                false => of_rows(subject, key, column),
            });
            // Two indexes may begin with the same column.
            let new = read.filter(|read| of_table.iter().all(|known| known.name != read.name));
            of_table.extend(new);
        }
        found.extend(of_table.into_iter().take(OF_TABLE_MAX));
    }
    found.truncate(READS_MAX);
    found
}

/// The first column of an index of all rows; without NULLs, which a change may fill.
fn leading<'a>(subject: &Subject<'a>, index: &Index) -> Option<&'a Column> {
    let whole = index.predicate.is_none() && index.valid && index.method == "btree";
    let column = subject.table.column(*index.columns.first().filter(|_| whole)?)?;
    let uuid = || subject.catalogue.type_of(column.type_oid).is_some_and(|t| t.name == "uuid");
    (column.not_null && (is_compared(subject, column) || uuid())).then_some(column)
}

/// The row of the seed that has a value which no other has.
fn of_one_row(subject: &Subject<'_>, key: &Column, column: &Column) -> Option<Invariant> {
    let drawn = subject.present(column, false, None).filter(|_| subject.is_by_row(column))?;
    Some(read(subject, key, column, drawn, None))
}

/// Rows of the seed that share a value. New rows have greater keys, also those of others.
fn of_rows(subject: &Subject<'_>, key: &Column, column: &Column) -> Option<Invariant> {
    let ascending = matches!(subject.filled(key)?.generator, Generator::Serial);
    let filled = subject.filled(column)?;
    let shared = filled.null_fraction == 0.0
        && match &filled.generator {
            Generator::Choice { .. } => true,
            Generator::Reference { each, nulls, .. } => each.is_none() && nulls.is_none(),
            Generator::Pool { values, .. } => values.iter().all(Option::is_some),
            _ => false,
        };
    let drawn = subject.present(column, false, None)?;
    let last = subject.present(key, false, None)?;
    (ascending && shared).then(|| read(subject, key, column, drawn, Some(last)))
}

fn read(
    subject: &Subject<'_>,
    key: &Column,
    column: &Column,
    drawn: Drawn,
    last: Option<Drawn>,
) -> Invariant {
    let (table, key_name) = (subject.quoted(), subject.quote(key));
    let mut sql = format!("SELECT {key_name} FROM {table} WHERE {} = $1", subject.quote(column));
    let mut placeholders = vec![plain(&column.name, '_')];
    let mut parameters = vec![drawn.generator];
    if let Some(last) = last {
        sql += &format!(" AND {key_name} <= $2 ORDER BY {key_name} LIMIT {ROWS_MAX}");
        placeholders.push(format!("last_{}", plain(&key.name, '_')));
        parameters.push(last.generator);
    }
    Invariant {
        name: plain(&format!("keeps-{}-by-{}", subject.name(), column.name), '-'),
        parameters: placeholders.iter().cloned().zip(parameters).collect(),
        statement: OperationStatement { sql, placeholders, place: None },
        before: None,
        rows: Rows::Same,
        since: Since::Start,
        plan: None,
    }
}
