//! Operations that add a row, as an ORM sends it: every column that has no default.
//!
//! Where its foreign keys have to agree with each other, it refers to what a row refers to that is
//! there: what they share is taken from that row.

use std::collections::BTreeSet;

use crate::scenario::{Generator, LedgerRule};

use super::super::{Column, Constraint, ConstraintKind, Index};
use super::draft::{Draft, Drawn};
use super::subject::Subject;
use super::writes::{columns, is_key, is_partition_key, stays_as_sent};

/// By which name an INSERT knows the row that it copies from.
const MODEL: &str = "model";

/// Where the value of a new row's column comes from.
enum Value {
    /// It is drawn as the seed draws it.
    Fresh(Drawn),
    /// Some row has it.
    Known(Drawn),
    /// It is that of the row that this one is modelled on.
    Copied,
}

/// A parameter that holds the value of a column.
struct Sent<'a> {
    column: &'a Column,
    parameter: String,
    /// It is drawn, as the seed draws it.
    fresh: bool,
}

/// Columns of an inserted row whose values the ledger remembers; each costs memory per row.
pub const REMEMBERED_MAX: usize = 24;

/// A new row.
///
/// # Errors
/// Why the table takes none.
pub fn insert(subject: &Subject<'_>) -> Result<Draft, String> {
    let mut draft = Draft::new(&format!("insert-{}", subject.name()));
    draft.ledger = into(&mut draft, subject)?;
    Ok(draft)
}

/// Appends the statement to an operation; says by which row the ledger finds it.
///
/// # Errors
/// Why the table takes none.
pub fn into(draft: &mut Draft, subject: &Subject<'_>) -> Result<Option<LedgerRule>, String> {
    let refuse = |why: &str| Err(format!("insert into {}: {why}", subject.name()));
    let given = match given(subject) {
        Ok(given) => given,
        Err(why) => return refuse(&why),
    };
    let taken = taken(subject, &given);
    let deferrable = |constraint: &Constraint| {
        // A foreign key's index is that of what it refers to.
        constraint.deferrable
            && constraint.index.is_some()
            && constraint.kind != ConstraintKind::ForeignKey
    };
    if taken && subject.table.constraints.iter().any(deferrable) {
        return refuse(
            "a deferrable key may be there already, and ON CONFLICT does not take those",
        );
    }
    let sent = statement(draft, subject, &given);
    if taken {
        draft.sql(" ON CONFLICT DO NOTHING");
    }
    Ok(remembered(draft, subject, &given, &sent))
}

/// The statement up to its rows; says which parameters hold the values of which columns.
fn statement<'a>(
    draft: &mut Draft,
    subject: &Subject<'_>,
    given: &[(&'a Column, Value)],
) -> Vec<Sent<'a>> {
    draft.statement(&format!("INSERT INTO {}", subject.quoted()));
    draft.uses(subject.table.oid);
    let mut sent = Vec::new();
    if given.is_empty() {
        draft.sql(" DEFAULT VALUES");
        return sent;
    }
    let names: Vec<String> = given.iter().map(|(c, _)| subject.quote(c)).collect();
    let copies = given.iter().any(|(_, value)| matches!(value, Value::Copied));
    draft.sql(&format!(" ({}) {}", names.join(", "), if copies { "SELECT " } else { "VALUES (" }));
    for (at, (column, value)) in given.iter().enumerate() {
        draft.sql(if at > 0 { ", " } else { "" });
        match value {
            Value::Fresh(drawn) | Value::Known(drawn) => {
                let parameter = draft.column(subject.table.oid, column, drawn);
                let fresh = matches!(value, Value::Fresh(_));
                sent.push(Sent { column, parameter, fresh });
            }
            Value::Copied => drop(draft.sql(&format!("{MODEL}.{}", subject.quote(column)))),
        }
    }
    if copies {
        draft.sql(&format!(" FROM {} AS {MODEL}", subject.quoted()));
        where_aliased(draft, subject, &subject.key().unwrap_or_default(), MODEL);
    } else {
        draft.sql(")");
    }
    sent
}

/// Appends ` WHERE` the key of what the alias stands for is that of one row.
pub fn where_aliased(draft: &mut Draft, of: &Subject<'_>, key: &[&Column], alias: &str) {
    let together = of.together(draft, key, false);
    for (at, column) in key.iter().enumerate() {
        let Some(drawn) = of.present(column, false, together.as_deref()) else { continue };
        draft.sql(if at == 0 { " WHERE " } else { " AND " });
        draft.sql(&format!("{alias}.{} = ", of.quote(column)));
        draft.column(of.table.oid, column, &drawn);
    }
}

/// By which column the ledger finds the new row, one that was sent, or else one that the server
/// makes, which the statement then returns, as an ORM has it; and what else was sent that stays.
fn remembered(
    draft: &mut Draft,
    subject: &Subject<'_>,
    given: &[(&Column, Value)],
    sent: &[Sent<'_>],
) -> Option<LedgerRule> {
    if subject.beside.takes_out(subject.table) {
        return None;
    }
    // A trigger may put another key in the place of the one that was sent.
    let is_kept = |column: &Column| {
        subject.table.triggers.is_empty() || !subject.beside.may_set(&column.name)
    };
    let rule = |key: &Column, key_parameter| {
        let stays =
            |one: &&Sent<'_>| one.column.number != key.number && stays_as_sent(subject, one.column);
        let set = sent.iter().filter(stays).take(REMEMBERED_MAX);
        LedgerRule::Insert {
            table: subject.name().to_owned(),
            key_column: key.name.clone(),
            key_parameter,
            set: set.map(|one| (one.column.name.clone(), one.parameter.clone())).collect(),
        }
    };
    let is_new = |column: &Column| is_key(subject, column) && subject.is_new_each_time(column);
    let is_sent = |one: &&Sent<'_>| one.fresh && is_new(one.column) && is_kept(one.column);
    if let Some(one) = sent.iter().find(is_sent) {
        return Some(rule(one.column, Some(one.parameter.clone())));
    }
    let is_old = |column: &Column| {
        let of = given.iter().find(|(known, _)| known.number == column.number);
        of.is_some_and(|(_, value)| !matches!(value, Value::Fresh(_)))
    };
    let key = subject
        .table
        .columns
        .iter()
        .find(|column| is_new(column) && subject.is_read_back(column) && !is_old(column))?;
    draft.sql(&format!(" RETURNING {}", subject.quote(key)));
    Some(rule(key, None))
}

/// The columns that the application gives a value: those without a default; one with a default
/// where rows of it could not be taken: in the partition key, or in a tuple with others.
///
/// # Errors
/// Which column has to have a value and can have none.
fn given<'a>(subject: &Subject<'a>) -> Result<Vec<(&'a Column, Value)>, String> {
    let without = without(subject)?;
    let columns = subject.table.columns.iter().filter(|c| !c.generated && !c.identity_always);
    let wanted = columns.filter(|column| {
        let needed = is_partition_key(subject, column)
            || subject.shares_pool(column)
            || is_constrained(subject, column);
        !column.numbered && (column.default.is_none() || needed)
    });
    let wanted: Vec<&Column> = wanted.filter(|c| !without.contains(&c.number)).collect();
    let entangled = subject.entangled(&without);
    let copied = copied(subject, &wanted, &entangled)?;
    if let Some(key) = there_already(subject, &copied, &entangled) {
        return Err(format!("{} has all rows that its foreign keys agree on", key.name));
    }
    let row = format!("references of {}", subject.name());
    let mut given = Vec::new();
    for column in wanted {
        let value = if copied.contains(&column.number) {
            Some(Value::Copied)
        } else if subject.is_exhausted(column) {
            Some(Value::Known(known(subject, column)?))
        } else if entangled.contains(&column.number) {
            subject.present(column, false, Some(&row)).map(Value::Known)
        } else {
            subject.fresh(column).map(Value::Fresh)
        };
        match value {
            Some(value) => given.push((column, value)),
            None if column.not_null && column.default.is_none() => {
                return Err(format!("no driver can send a value of {}", column.name));
            }
            None => {}
        }
    }
    Ok(given)
}

/// A key that a new row would share with the row that its columns are taken from.
fn there_already<'a>(
    subject: &Subject<'a>,
    copied: &BTreeSet<i16>,
    entangled: &[i16],
) -> Option<&'a Index> {
    let is_of_a_row = |column: &&Column| {
        let known = copied.contains(&column.number) || entangled.contains(&column.number);
        // A row that has no value goes beside another that has none.
        known && !subject.is_exhausted(column) && !subject.is_null_in_some(column)
    };
    subject.unique().find(|index| {
        let columns = columns(subject, index);
        index.predicate.is_none() && !columns.is_empty() && columns.iter().all(is_of_a_row)
    })
}

/// Columns that stay NULL: those that are in all rows of the seed, and one of each foreign key that
/// only a row that is there can have, such as an account's owner, who is one of its users.
///
/// # Errors
/// The key may not be NULL.
fn without(subject: &Subject<'_>) -> Result<Vec<i16>, String> {
    let is_null = |column: &&Column| {
        subject.filled(column).is_some_and(|seeded| seeded.null_fraction >= 1.0)
            && column.default.is_none()
    };
    let columns = subject.table.columns.iter();
    let mut found: Vec<i16> = columns.filter(is_null).map(|column| column.number).collect();
    found.extend(subject.of_itself());
    for key in subject.unmet() {
        let may_be_null = |column: &&Column| {
            let refers = subject.filled(column).map(|seeded| &seeded.generator);
            matches!(refers, Some(Generator::Reference { .. }))
                && !column.not_null
                && column.default.is_none()
                && !is_constrained(subject, column)
                && !subject.shares_pool(column)
        };
        let columns = subject.columns_of(&key.columns).unwrap_or_default();
        let Some(column) = columns.into_iter().find(may_be_null) else {
            return Err(format!("{} wants a value that is new in a row that is there", key.name));
        };
        found.push(column.number);
    }
    Ok(found)
}

/// Columns that are taken from a row that is there, since nothing else agrees: those of foreign
/// keys that have to agree, where one may be NULL, and what shares a tuple with them.
///
/// # Errors
/// Such a row cannot be named.
fn copied(
    subject: &Subject<'_>,
    wanted: &[&Column],
    entangled: &[i16],
) -> Result<BTreeSet<i16>, String> {
    let of_a_row =
        |column: &&&Column| entangled.contains(&column.number) && !subject.is_by_row(column);
    let Some(first) = wanted.iter().find(of_a_row) else { return Ok(BTreeSet::new()) };
    let why = format!("{} is in foreign keys that have to agree with each other", first.name);
    let key = subject.key().unwrap_or_default();
    if key.is_empty() || !key.iter().all(|column| subject.is_by_row(column)) {
        return Err(why);
    }
    let is_wanted = |number: &i16| wanted.iter().any(|column| column.number == *number);
    let mut found: BTreeSet<i16> = entangled.iter().copied().filter(is_wanted).collect();
    loop {
        let checks = subject.table.constraints.iter().filter(|constraint| {
            constraint.kind == ConstraintKind::Check
                && constraint.columns.iter().any(|column| found.contains(column))
        });
        let of_checks: Vec<i16> = checks.flat_map(|check| check.columns.iter().copied()).collect();
        let of_pools = wanted
            .iter()
            .filter(|column| found.iter().any(|number| subject.share_pool(*number, column.number)));
        let more: BTreeSet<i16> =
            of_checks.into_iter().chain(of_pools.map(|column| column.number)).collect();
        let before = found.len();
        // What is NULL in every row agrees with everything.
        found.extend(more.into_iter().filter(is_wanted));
        if found.len() == before {
            break;
        }
    }
    Ok(found)
}

/// A value of some row for a column of which there are no others: the row is new by what it has
/// beside it.
///
/// # Errors
/// It is not.
fn known(subject: &Subject<'_>, column: &Column) -> Result<Drawn, String> {
    let none = || format!("{} has values for no more rows", column.name);
    let indexes = subject.unique().map(|index| columns(subject, index));
    let is_of = |known: &Column| known.number == column.number;
    let mut indexes = indexes.filter(|columns| columns.iter().any(|known| is_of(known)));
    let alone = indexes
        .any(|columns| columns.iter().all(|known| is_of(known) || subject.is_exhausted(known)));
    match alone || subject.shares_pool(column) {
        true => Err(none()),
        false => subject.present(column, false, None).ok_or_else(none),
    }
}

/// Whether a constant default may be there already, or be what a CHECK refuses.
fn is_constrained(subject: &Subject<'_>, column: &Column) -> bool {
    let made = column.default.as_ref().is_some_and(|default| default.contains('('));
    // A CHECK on this column alone that names the constant takes it.
    let default = column.default.as_deref().unwrap_or_default();
    let named = |constraint: &Constraint| {
        let literal = default.split("::").next().unwrap_or_default();
        constraint.columns == [column.number]
            && literal.starts_with('\'')
            && constraint.definition.contains(literal)
    };
    let checked = subject.table.constraints.iter().any(|constraint| {
        constraint.kind == ConstraintKind::Check
            && constraint.columns.contains(&column.number)
            && !named(constraint)
    });
    let unique = subject
        .unique()
        .any(|index| columns(subject, index).iter().any(|known| known.number == column.number));
    !made && (checked || unique) && subject.fresh(column).is_some()
}

/// Whether a key of the new row may be there already.
fn taken(subject: &Subject<'_>, given: &[(&Column, Value)]) -> bool {
    let is_new = |column: &Column| {
        let value = given.iter().find(|(known, _)| known.number == column.number);
        let by_default = || {
            let default = column.default.as_deref().unwrap_or_default();
            ["uuid", "random", "nextval"].iter().any(|word| default.contains(word))
        };
        match value {
            Some((_, Value::Fresh(_))) => subject.is_new_each_time(column),
            Some(_) => false,
            None => column.numbered || by_default() || !column.not_null,
        }
    };
    let excluded = subject.table.constraints.iter().any(|c| c.kind == ConstraintKind::Exclusion);
    excluded || subject.unique().any(|index| !columns(subject, index).into_iter().any(is_new))
}
