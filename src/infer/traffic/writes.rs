//! Operations that write rows that are there: another value in a recent one, another reference.

use std::collections::BTreeMap;

use crate::pg::quote_ident;
use crate::scenario::{Follow, Generator, LedgerRule};

use super::super::{Column, Constraint, ConstraintKind, Index, Table};
use super::draft::Draft;
use super::subject::Subject;

/// The columns of an index, those of its expressions included.
pub fn columns<'a>(subject: &Subject<'a>, index: &Index) -> Vec<&'a Column> {
    let mut found = Vec::new();
    for (number, definition) in index.columns.iter().zip(&index.definitions) {
        match number {
            0 => found.extend(subject.table.columns.iter().filter(|c| names(definition, c))),
            number => found.extend(subject.table.column(*number)),
        }
    }
    found
}

/// Whether an expression names the column.
pub fn names(expression: &str, column: &Column) -> bool {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let mut words = expression.split(|c| !word(c));
    words.any(|found| found == column.name) || expression.contains(&quote_ident(&column.name))
}

pub fn is_partition_key(subject: &Subject<'_>, column: &Column) -> bool {
    subject.table.partition_key.as_deref().is_some_and(|key| names(key, column))
}

/// Whether the column's value is that of one row: by a key, or because it is made so, by the seed
/// and by the application, which takes a value of some row where there are no more.
pub fn is_key(subject: &Subject<'_>, column: &Column) -> bool {
    let alone = |index: &Index| index.predicate.is_none() && index.columns == [column.number];
    let of_key =
        |index: &Index| index.predicate.is_none() && index.columns.contains(&column.number);
    column.not_null
        && !inherits(subject)
        && (subject.unique().any(alone)
            || (subject.unique().any(of_key)
                && subject.is_one_row_s(column)
                && !subject.is_exhausted(column)
                && !subject.entangled(&[]).contains(&column.number)))
}

/// Whether the table's name stands for rows of other tables as well, which have keys of their own,
/// or its rows go by another one's name too.
fn inherits(subject: &Subject<'_>) -> bool {
    let is_part = |table: &Table| table.bound.is_none() && !table.parents.is_empty();
    let own = subject.table.oid;
    let mut tables = subject.catalogue.tables.iter();
    is_part(subject.table) || tables.any(|table| is_part(table) && table.parents.contains(&own))
}

/// Another value in a column of a recent row that no key is made of.
///
/// # Errors
/// Why the table takes none.
pub fn update(subject: &Subject<'_>) -> Result<Draft, String> {
    let mut draft = Draft::new(&format!("update-{}", subject.name()));
    draft.ledger = changing(&mut draft, subject, false)?;
    Ok(draft)
}

/// Appends the statement to an operation; says by which row the ledger finds it. `other`: of a
/// column that [`update`] does not change, where there is one.
///
/// # Errors
/// Why the table takes none.
pub fn changing(
    draft: &mut Draft,
    subject: &Subject<'_>,
    other: bool,
) -> Result<Option<LedgerRule>, String> {
    let refuse = |why: &str| Err(format!("update of {}: {why}", subject.name()));
    let Some(key) = subject.key() else { return refuse(subject.why_no_key()) };
    let columns = changed(subject, other);
    let drawn = columns.iter().map(|column| Some((*column, subject.fresh(column)?)));
    let drawn = drawn.collect::<Option<Vec<_>>>().filter(|drawn| !drawn.is_empty());
    let Some(drawn) = drawn else {
        return refuse("every column is a part of a key, a partition key or a foreign key");
    };
    draft.statement(&format!("UPDATE {} SET ", subject.quoted()));
    draft.uses(subject.table.oid);
    let mut set = BTreeMap::new();
    for (at, (column, mut drawn)) in drawn.into_iter().enumerate() {
        let is_remembered = is_remembered(subject, column);
        if is_remembered {
            // A change may fill what is NULL.
            drawn.null_fraction = 0.0;
        }
        let comma = if at > 0 { ", " } else { "" };
        draft.sql(&format!("{comma}{} = ", subject.quote(column)));
        draft.changes.push((subject.name().to_owned(), column.name.clone()));
        let value = draft.parameter(&column.name, &drawn);
        set.extend(is_remembered.then(|| (column.name.clone(), value)));
    }
    let keys = where_key(draft, subject, &key, true);
    let mut named = key.into_iter().zip(keys).filter(|_| !set.is_empty());
    let found = named.find(|(key, _)| is_key(subject, key));
    Ok(found.map(|(key, key_parameter)| LedgerRule::Update {
        table: subject.name().to_owned(),
        key_column: key.name.clone(),
        key_parameter,
        set,
    }))
}

/// Appends ` WHERE` the key is that of one row; gives the names of the parameters, of each column.
pub fn where_key(
    draft: &mut Draft,
    subject: &Subject<'_>,
    key: &[&Column],
    recent: bool,
) -> Vec<String> {
    let mut names = Vec::new();
    let together = subject.together(draft, key, recent);
    for (at, column) in key.iter().enumerate() {
        let Some(drawn) = subject.present(column, recent, together.as_deref()) else { continue };
        draft.sql(if at == 0 { " WHERE " } else { " AND " });
        draft.sql(&format!("{} = ", subject.quote(column)));
        names.push(draft.column(subject.table.oid, column, &drawn));
    }
    names
}

/// The column that the application changes: what people change first, or what they change next.
/// All columns of a tuple where there is none that goes by itself; empty: there are none either.
fn changed<'a>(subject: &Subject<'a>, other: bool) -> Vec<&'a Column> {
    const NAMES: &[&str] =
        &["status", "state", "updated", "modified", "title", "name", "description", "note"];
    let rank = |column: &&Column| {
        let named = NAMES.iter().position(|name| column.name.contains(name));
        let indexed = subject.table.indexes.iter().any(|i| i.columns.contains(&column.number));
        (!is_remembered(subject, column), named.unwrap_or(NAMES.len()), indexed, column.number)
    };
    let mut columns: Vec<&Column> = subject.table.columns.iter().collect();
    columns.retain(|column| is_apart(subject, column));
    columns.sort_by_key(rank);
    let free: Vec<&Column> = columns.iter().copied().filter(|c| is_free(subject, c)).collect();
    let next = free.get(1).filter(|_| other);
    match next.or(free.first()) {
        Some(column) => vec![column],
        None => columns.iter().find_map(|column| tuple(subject, column)).unwrap_or_default(),
    }
}

/// The columns that hold one line of a pool with this one: any line goes with any row. None: some
/// of them may not change.
fn tuple<'a>(subject: &Subject<'a>, column: &Column) -> Option<Vec<&'a Column>> {
    let is_pooled = |column: &Column| {
        let seeded = subject.filled(column).map(|seeded| &seeded.generator);
        matches!(seeded, Some(Generator::Pool { .. }))
    };
    let own = |other: &&Column| {
        other.number == column.number || subject.share_pool(column.number, other.number)
    };
    let columns: Vec<&Column> = subject.table.columns.iter().filter(own).collect();
    let fits = columns.iter().all(|column| is_apart(subject, column) && is_pooled(column));
    fits.then_some(columns)
}

/// Whether any value that its generator draws is taken, whatever the row's others are.
fn is_free(subject: &Subject<'_>, column: &Column) -> bool {
    let mut constraints = subject.table.constraints.iter();
    let is_tuple = constraints.any(|constraint| {
        constraint.kind == ConstraintKind::Check
            && constraint.columns.len() > 1
            && constraint.columns.contains(&column.number)
    });
    is_apart(subject, column) && !is_tuple && !subject.shares_pool(column)
}

/// Whether no key, no reference, no partition and no policy knows the row by the column's value.
fn is_apart(subject: &Subject<'_>, column: &Column) -> bool {
    let in_key = subject.table.constraints.iter().any(|constraint| {
        let keyed = !matches!(constraint.kind, ConstraintKind::Check | ConstraintKind::NotNull);
        keyed && constraint.columns.contains(&column.number)
    });
    let unique = subject.unique().any(|index| {
        let predicate = index.predicate.as_deref().unwrap_or_default();
        columns(subject, index).iter().any(|c| c.number == column.number)
            || names(predicate, column)
    });
    let fixed = column.generated || column.numbered || column.identity_always;
    let fixed = fixed || subject.is_secured(column) || is_partition_key(subject, column);
    subject.fresh(column).is_some() && !fixed && !in_key && !unique
}

/// Whether the ledger can compare the column's values: json has no equality, and an approximate
/// number or a blank-padded text may be stored in another form than it was sent in.
pub fn is_compared(subject: &Subject<'_>, column: &Column) -> bool {
    let known = subject.catalogue.type_of(column.type_oid);
    known.is_some_and(|known| {
        let category = matches!(known.category.as_str(), "S" | "N" | "B" | "D" | "E");
        category && !matches!(known.name.as_str(), "bpchar" | "money" | "float4" | "float8")
    })
}

/// Whether what the application writes into the column stays there: a trigger may store another
/// value than the one that was sent, and a change may fill what is NULL.
///
/// A time is what triggers set: one that a change adds to stamp a row is no loss.
pub fn stays_as_sent(subject: &Subject<'_>, column: &Column) -> bool {
    let known = subject.catalogue.type_of(column.type_oid);
    let is_time = known.is_some_and(|known| known.name.starts_with("timestamp"));
    !is_time && !subject.beside.may_set(&column.name)
}

/// Whether the ledger of an UPDATE can tell what the column holds.
fn is_remembered(subject: &Subject<'_>, column: &Column) -> bool {
    let is_null = match subject.filled(column).map(|seeded| &seeded.generator) {
        Some(Generator::Pool { values, .. }) => values.iter().any(Option::is_none),
        _ => false,
    };
    is_compared(subject, column) && !is_null && stays_as_sent(subject, column)
}

/// The age, in milliseconds, at which a row is deleted.
const DELETED_AFTER_MS: u64 = 1_000;

/// Takes out a row that an INSERT of the application has added: no other operation knows it, and
/// the seed's rows stay, so that it shows where a change takes one. None: a trigger, a cascade or a
/// missing index makes more of it than that.
pub fn delete(subject: &Subject<'_>, insert: &Draft) -> Option<Draft> {
    let rule = insert.ledger.as_ref()?;
    let LedgerRule::Insert { table, key_column, key_parameter, .. } = rule else { return None };
    let column = subject.table.columns.iter().find(|column| column.name == *key_column)?;
    let by_index = |table: &Table, number: i16| {
        let leads = |index: &Index| {
            let first = index.columns.first();
            index.valid && index.predicate.is_none() && first == Some(&number)
        };
        table.indexes.iter().any(leads)
    };
    let own = subject.table.oid;
    let mut referring = subject.catalogue.tables.iter().flat_map(|table| {
        let refers = |key: &&Constraint| key.refers.as_ref().is_some_and(|r| r.table == own);
        table.constraints.iter().filter(refers).map(move |key| (table, key))
    });
    let stays = |(table, key): (&Table, &Constraint)| {
        let cascades = key.refers.as_ref().is_some_and(|refers| refers.cascades);
        let first = key.columns.first().is_some_and(|number| by_index(table, *number));
        !cascades && first && !subject.beside.may_write(table)
    };
    let has_triggers = subject.catalogue.tables.iter().any(|table| {
        (table.oid == own || table.parents.contains(&own)) && !table.triggers.is_empty()
    });
    if has_triggers || !by_index(subject.table, column.number) || !referring.all(stays) {
        return None;
    }
    let parameter = key_parameter.clone().or_else(|| rule.returned())?;
    let otherwise = match column.numbered {
        true => Generator::Constant { value: "-1".to_owned() },
        false => subject.fresh(column)?.generator,
    };
    let operation = insert.name().to_owned();
    let follows = Some((operation.clone(), DELETED_AFTER_MS));
    let follow = Follow { operation, parameter, after_ms: DELETED_AFTER_MS, otherwise };
    let mut draft = Draft::new(&format!("delete-{}", subject.name()));
    draft.statement(&format!(
        "DELETE FROM {} WHERE {} = ",
        subject.quoted(),
        subject.quote(column)
    ));
    draft.uses(own);
    draft.follows = follows;
    let key_parameter = draft.following(&column.name, follow);
    let (table, key_column) = (table.clone(), key_column.clone());
    draft.ledger = Some(LedgerRule::Delete { table, key_column, key_parameter });
    Some(draft)
}

/// Another row for each foreign key that no other key shares a column with.
pub fn refer(subject: &Subject<'_>) -> Vec<Draft> {
    let Some(key) = subject.key() else { return Vec::new() };
    let mut found = Vec::new();
    for foreign in subject.foreign_keys() {
        let columns = subject.columns_of(&foreign.columns).unwrap_or_default();
        let [column] = columns.as_slice() else { continue };
        if !is_free_reference(subject, column) {
            continue;
        }
        let Some(drawn) = subject.fresh(column) else { continue };
        let mut draft = Draft::new(&format!("refer-{}-{}", subject.name(), column.name));
        draft.statement(&format!("UPDATE {} SET {} = ", subject.quoted(), subject.quote(column)));
        draft.uses(subject.table.oid);
        draft.changes.push((subject.name().to_owned(), column.name.clone()));
        draft.parameter(&column.name, &drawn);
        where_key(&mut draft, subject, &key, true);
        found.push(draft);
    }
    found
}

/// Whether the column is a part of one foreign key and of nothing else.
fn is_free_reference(subject: &Subject<'_>, column: &Column) -> bool {
    let holds = subject.table.constraints.iter().filter(|constraint| {
        constraint.columns.contains(&column.number) && constraint.kind != ConstraintKind::NotNull
    });
    let unique = subject.unique().any(|index| {
        let predicate = index.predicate.as_deref().unwrap_or_default();
        columns(subject, index).iter().any(|c| c.number == column.number)
            || names(predicate, column)
    });
    holds.count() == 1
        && !unique
        && !subject.is_secured(column)
        && !subject.shares_pool(column)
        && !is_partition_key(subject, column)
}
