//! What a change demands of rows that were there before it: keys, references, CHECKs, NOT NULL, and
//! texts that a column's new type takes.
//!
//! Nothing is known of the user's rows, so rows that are made up are made to fit, and so is what
//! the application writes, where the schema of before the change allows it. What fits only by one
//! value of a column, or goes against a default, is no wish: the application breaks it.

use std::collections::BTreeSet;

use crate::pg::expression::Expression;
use crate::scenario::{Column as SeededColumn, Generator, Table as SeededTable};

use super::casts;
use super::catalogue::{Catalogue, Column, Constraint, ConstraintKind, Index, Table};
use super::decide::Remark;
use super::settle::Inferred;
use super::statistics::{ColumnStatistics, Statistics};

/// The definition of a constraint that is not there before the change.
pub(super) const DEMANDED: &str = "demanded by the change";

/// Share of different values from which on they are as good as unique: ANALYZE takes a sample.
const UNIQUE: f64 = 0.95;

/// Something that a change demands.
#[derive(Clone, Debug, PartialEq)]
pub struct Wish {
    /// The table, with its schema.
    table: String,
    /// The constraint, the index or the column that it is about.
    about: String,
    /// The columns that it is about.
    columns: Vec<String>,
    demand: Demand,
}

#[derive(Clone, Debug, PartialEq)]
enum Demand {
    NotNull,
    Unique(Index),
    Keep(Constraint),
}

/// A table before a change and after it.
#[derive(Clone, Copy)]
struct Pair<'a> {
    before: &'a Table,
    after: &'a Table,
}

impl Pair<'_> {
    fn of<'a>(table: &'a Table, after: &'a Catalogue) -> Option<Pair<'a>> {
        let name = table.seeded_name();
        let by_name = after.tables.iter().find(|other| other.seeded_name() == name);
        Some(Pair { before: table, after: by_name.or_else(|| after.table(table.oid))? })
    }

    /// A column before the change, by its number after it.
    fn column(&self, number: i16) -> Option<&Column> {
        let name = &self.after.column(number)?.name;
        self.before.columns.iter().find(|column| column.name == *name)
    }

    /// Columns that are of one kind before the change and after it; None: one of them is not.
    fn same(&self, numbers: &[i16]) -> Option<Vec<&Column>> {
        let same = |number: &i16| {
            let (before, after) = (self.column(*number)?, self.after.column(*number)?);
            are_alike(before, after).then_some(before)
        };
        numbers.iter().map(same).collect()
    }
}

/// Whether a value of one column is one of the other.
fn are_alike(one: &Column, other: &Column) -> bool {
    let integer =
        |column: &Column| matches!(column.type_name.as_str(), "smallint" | "integer" | "bigint");
    one.type_name == other.type_name || (integer(one) && integer(other))
}

/// What the tables of `after` demand beyond those of `before`.
pub fn wishes(before: &Catalogue, after: &Catalogue) -> Vec<Wish> {
    let mut found = Vec::new();
    for table in before.seeded() {
        let Some(pair) = Pair::of(table, after) else { continue };
        let name = table.seeded_name();
        let mut add = |about: &str, columns: Vec<&Column>, demand| {
            let columns = columns.iter().map(|column| column.name.clone()).collect();
            let (table, about) = (name.clone(), about.to_owned());
            found.push(Wish { table, about, columns, demand });
        };
        for column in table.columns.iter().filter(|column| !column.generated) {
            let own = |other: &&Column| other.name == column.name;
            let Some(then) = pair.after.columns.iter().find(own) else { continue };
            if then.not_null && !column.not_null {
                add(&format!("{} NOT NULL", column.name), vec![column], Demand::NotNull);
            }
            if let Some(expression) = casts::condition((before, column), (after, then)) {
                let about = format!("{} {}", column.name, then.type_name);
                let check = check(&about, vec![column.number], expression);
                add(&about, vec![column], Demand::Keep(check));
            }
        }
        for index in pair.after.indexes.iter().filter(|index| index.unique) {
            if let Some((columns, index)) = unique(pair, index) {
                add(&index.name.clone(), columns, Demand::Unique(index));
            }
        }
        for constraint in &pair.after.constraints {
            let made = match constraint.kind {
                ConstraintKind::Check => checked(pair, constraint),
                ConstraintKind::ForeignKey => referring(pair, constraint, (before, after)),
                _ => None,
            };
            if let Some((columns, constraint)) = made {
                add(&constraint.name.clone(), columns, Demand::Keep(constraint));
            }
        }
    }
    found
}

fn check(name: &str, columns: Vec<i16>, expression: String) -> Constraint {
    Constraint {
        name: name.to_owned(),
        kind: ConstraintKind::Check,
        columns,
        expression: Some(expression),
        definition: DEMANDED.to_owned(),
        validated: true,
        deferrable: false,
        refers: None,
        index: None,
        operators: Vec::new(),
    }
}

fn numbers(columns: &[&Column]) -> Vec<i16> {
    columns.iter().map(|column| column.number).collect()
}

/// A unique index that is not there before.
fn unique<'a>(pair: Pair<'a>, index: &Index) -> Option<(Vec<&'a Column>, Index)> {
    let Pair { before, .. } = pair;
    let known = |other: &&Index| {
        other.unique
            && (&other.definitions, &other.predicate) == (&index.definitions, &index.predicate)
    };
    if before.indexes.iter().any(|other| known(&other)) {
        return None;
    }
    let texts = index.definitions.iter().zip(&index.columns).filter(|(_, number)| **number == 0);
    let texts = texts.map(|(text, _)| text).chain(&index.predicate);
    let within: Vec<Expression> = texts.filter_map(|text| Expression::read(text)).collect();
    let names: BTreeSet<&str> = within.iter().flat_map(Expression::columns).collect();
    let named = |name: &&str| {
        let column = before.columns.iter().find(|column| column.name == **name)?;
        let then = pair.after.columns.iter().find(|column| column.name == **name)?;
        are_alike(column, then).then_some(column)
    };
    let plain: Vec<i16> = index.columns.iter().copied().filter(|number| *number != 0).collect();
    let plain = columns_of(pair, &plain)?;
    let mut numbers = plain.iter().map(|column| column.number);
    let own = |number: &i16| if *number == 0 { Some(0) } else { numbers.next() };
    let columns: Vec<i16> = index.columns.iter().map(own).collect::<Option<_>>()?;
    let mut all = plain.clone();
    all.extend(names.iter().map(named).collect::<Option<Vec<_>>>()?);
    // A new row that says nothing has the values of those that said nothing before.
    if all.iter().all(|column| constant_default(column).is_some()) {
        return None;
    }
    // No read goes by an index that is not there.
    Some((all, Index { columns, valid: false, ..index.clone() }))
}

fn columns_of<'a>(pair: Pair<'a>, numbers: &[i16]) -> Option<Vec<&'a Column>> {
    let names = pair.same(numbers)?.into_iter().map(|column| column.number);
    names.map(|number| pair.before.column(number)).collect()
}

/// A CHECK that is not there before.
fn checked<'a>(pair: Pair<'a>, constraint: &Constraint) -> Option<(Vec<&'a Column>, Constraint)> {
    let same = |other: &&Constraint| other.expression == constraint.expression;
    let known = pair.before.constraints.iter().filter(|c| c.kind == ConstraintKind::Check);
    let columns = columns_of(pair, &constraint.columns).filter(|columns| !columns.is_empty())?;
    if known.into_iter().any(|other| same(&other)) {
        return None;
    }
    let made = check(&constraint.name, numbers(&columns), constraint.expression.clone()?);
    Some((columns, made))
}

/// A foreign key that is not there before, to a table that is.
fn referring<'a>(
    pair: Pair<'a>,
    constraint: &Constraint,
    (before, after): (&Catalogue, &Catalogue),
) -> Option<(Vec<&'a Column>, Constraint)> {
    let refers = constraint.refers.as_ref()?;
    let then = after.table(refers.table)?;
    let target = before.seeded().find(|table| table.seeded_name() == then.seeded_name())?;
    let columns = columns_of(pair, &constraint.columns)?;
    let there = columns_of(Pair { before: target, after: then }, &refers.columns)?;
    if !columns.iter().zip(&there).all(|(own, there)| are_alike(own, there)) {
        return None;
    }
    let mut made = constraint.clone();
    made.columns = numbers(&columns);
    made.definition = DEMANDED.to_owned();
    let to = made.refers.as_mut()?;
    (to.table, to.columns) = (target.oid, numbers(&there));
    let same = |other: &Constraint| {
        let refers = other.refers.as_ref().map(|to| (to.table, &to.columns));
        other.columns == made.columns && refers == Some((target.oid, &numbers(&there)))
    };
    if pair.before.constraints.iter().any(same) {
        return None;
    }
    Some((columns, made))
}

/// A default that is the same in every row.
pub(super) fn constant_default(column: &Column) -> Option<String> {
    match Expression::read(column.default.as_deref()?)? {
        Expression::Constant(text) => text,
        _ => None,
    }
}

/// The tables of before a change with what is wished.
pub fn with_wishes(before: &Catalogue, wishes: &[Wish]) -> Catalogue {
    let mut made = before.clone();
    for wish in wishes {
        let own = |table: &&mut Table| table.seeded_name() == wish.table;
        let Some(table) = made.tables.iter_mut().find(own) else { continue };
        match &wish.demand {
            Demand::NotNull => {
                let own = table.columns.iter_mut().filter(|c| wish.columns.contains(&c.name));
                own.for_each(|column| column.not_null = true);
            }
            Demand::Unique(index) => table.indexes.push(index.clone()),
            Demand::Keep(constraint) => table.constraints.push(constraint.clone()),
        }
    }
    made
}

impl Wish {
    /// The table that it is about, with its schema.
    pub fn table(&self) -> &str {
        &self.table
    }

    /// Whether real rows, as far as they are known, are otherwise.
    pub fn is_refuted(&self, statistics: &Statistics) -> bool {
        let tables = statistics.tables.iter();
        let own = tables.filter(|table| format!("{}.{}", table.schema, table.name) == self.table);
        let known: Vec<&ColumnStatistics> = own
            .flat_map(|table| &table.columns)
            .filter(|column| self.columns.contains(&column.name))
            .collect();
        let nulls = || known.iter().any(|column| column.null_fraction > 0.0);
        match &self.demand {
            Demand::NotNull => nulls(),
            Demand::Unique(_) => match known.as_slice() {
                [only] if self.columns.len() == 1 => {
                    let share = -only.distinct / (1.0 - only.null_fraction).max(f64::EPSILON);
                    only.distinct != 0.0 && share < UNIQUE
                }
                _ => false,
            },
            Demand::Keep(constraint) => {
                let text = constraint.expression.as_deref().unwrap_or_default();
                text.contains("IS NOT NULL") && nulls()
            }
        }
    }

    /// Whether it fits by one value of a column alone, or not with what the column's default is.
    fn is_forced(&self, catalogue: &Catalogue, plain: &Inferred, made: &Inferred) -> bool {
        let Demand::Keep(Constraint { kind: ConstraintKind::Check, .. }) = self.demand else {
            return false;
        };
        let table = catalogue.tables.iter().find(|table| table.seeded_name() == self.table);
        self.columns.iter().any(|name| {
            let Some(found) = values(made, &self.table, name) else { return false };
            let is_single = |of: &BTreeSet<&str>| of.len() < 2;
            let before = values(plain, &self.table, name);
            let constant = is_single(&found) && !before.is_some_and(|of| is_single(&of));
            let column = table.and_then(|table| table.columns.iter().find(|c| c.name == *name));
            let default = column.and_then(constant_default);
            constant || default.is_some_and(|default| !has(&found, &default))
        })
    }
}

/// The values of a column that has some of a list.
fn values<'a>(of: &'a Inferred, table: &str, column: &str) -> Option<BTreeSet<&'a str>> {
    let table = of.tables.iter().find(|seeded| seeded.name == table)?;
    let column = table.columns.iter().find(|seeded| seeded.name == column)?;
    match &column.generator {
        Generator::Choice { values, .. } => Some(values.iter().map(String::as_str).collect()),
        Generator::Pool { values, .. } => {
            Some(values.iter().flatten().map(String::as_str).collect())
        }
        Generator::Constant { value } => Some(BTreeSet::from([value.as_str()])),
        _ => None,
    }
}

/// Whether the text is one of the values, or the same number.
fn has(values: &BTreeSet<&str>, text: &str) -> bool {
    let number = |text: &str| text.parse::<f64>().ok();
    values.contains(text)
        || number(text).is_some_and(|wanted| values.iter().any(|v| number(v) == Some(wanted)))
}

/// The wishes that cost nothing: `plain` is what comes without any, `made` with all of them.
pub fn fitting(
    wishes: &[Wish],
    catalogue: &Catalogue,
    (plain, made): (&Inferred, &Inferred),
) -> Vec<Wish> {
    let forced = |wish: &&Wish| wish.is_forced(catalogue, plain, made);
    let mut dropped: Vec<&Wish> = wishes.iter().filter(forced).collect();
    let hurt = |name: &str| {
        let of = |inferred: &Inferred| {
            let table = inferred.tables.iter().find(|table| table.name == name);
            table.map_or((0, 0), |table| (table.rows, nulls(table)))
        };
        let ((rows, nulls), (rows_made, nulls_made)) = (of(plain), of(made));
        rows_made < rows || nulls_made > nulls
    };
    let hurt: Vec<&str> =
        plain.tables.iter().map(|table| table.name.as_str()).filter(|name| hurt(name)).collect();
    if dropped.is_empty() {
        for table in &hurt {
            let own: Vec<&Wish> = wishes.iter().filter(|wish| wish.table == *table).collect();
            let new = |remark: &&Remark| remark.table == *table && !plain.remarks.contains(remark);
            let said: Vec<&Remark> = made.remarks.iter().filter(new).collect();
            let named = |wish: &&&Wish| {
                said.iter().any(|remark| {
                    remark.about.contains(&wish.about) || remark.text.contains(&wish.about)
                })
            };
            let named: Vec<&Wish> = own.iter().filter(named).copied().collect();
            dropped.extend(if named.is_empty() { own } else { named });
        }
        if dropped.is_empty() && !hurt.is_empty() {
            return Vec::new();
        }
    }
    wishes.iter().filter(|wish| !dropped.contains(wish)).cloned().collect()
}

/// Columns that are NULL in every row.
fn nulls(table: &SeededTable) -> usize {
    table.columns.iter().filter(|column| SeededColumn::is_null(column)).count()
}

/// Says in each table which wishes its rows were made for.
pub fn say_fitted(wishes: &[Wish], made: &mut Inferred) {
    for table in &mut made.tables {
        let own = wishes.iter().filter(|wish| wish.table == table.name);
        table.fitted.extend(own.map(|wish| wish.about.clone()));
    }
}

/// What is said of the wishes that rows and traffic were made for.
pub fn remarks(wishes: &[Wish]) -> Vec<Remark> {
    let tables: BTreeSet<&str> = wishes.iter().map(|wish| wish.table.as_str()).collect();
    let of = |table: &str| {
        let own = wishes.iter().filter(|wish| wish.table == table);
        let demanded: Vec<&str> = own.map(|wish| wish.about.as_str()).collect();
        Remark {
            table: table.to_owned(),
            about: "the change".to_owned(),
            text: format!(
                "rows, and values that the application writes, are made to fit what it demands: {}",
                demanded.join(", ")
            ),
            refused: false,
            short: false,
        }
    };
    tables.into_iter().map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::super::catalogue::Referred;
    use super::super::statistics::TableStatistics;
    use super::*;

    fn column(number: i16, name: &str, type_name: &str) -> Column {
        let (name, type_name) = (name.to_owned(), type_name.to_owned());
        Column { number, name, type_name, ..Column::default() }
    }

    fn table(oid: u32, name: &str, columns: Vec<Column>) -> Table {
        let (schema, name) = ("public".to_owned(), name.to_owned());
        Table { oid, schema, name, columns, ..Table::default() }
    }

    fn before() -> Catalogue {
        let own = [("id", "bigint"), ("other_id", "integer"), ("note", "text")];
        let columns = (1_i16..).zip(own).map(|(n, (name, of))| column(n, name, of)).collect();
        let others = table(7, "others", vec![column(1, "id", "bigint")]);
        Catalogue { tables: vec![table(8, "items", columns), others], ..Catalogue::default() }
    }

    fn index(columns: &[i16], definition: &str) -> Index {
        Index {
            oid: 20,
            name: "items_key".to_owned(),
            method: "btree".to_owned(),
            unique: true,
            valid: true,
            nulls_not_distinct: false,
            columns: columns.to_vec(),
            definitions: vec![definition.to_owned()],
            predicate: None,
        }
    }

    fn key() -> Constraint {
        let refers =
            Some(Referred { table: 7, columns: vec![1], match_full: false, cascades: false });
        let kind = ConstraintKind::ForeignKey;
        Constraint { kind, refers, expression: None, ..check("items_fk", vec![2], String::new()) }
    }

    /// What is demanded of items after the change.
    fn demanded(change: impl FnOnce(&mut Table)) -> Vec<String> {
        let mut after = before();
        change(&mut after.tables[0]);
        wishes(&before(), &after).into_iter().map(|wish| wish.about).collect()
    }

    #[test]
    fn what_a_change_adds_is_demanded() {
        assert_eq!(demanded(|items| items.columns[2].not_null = true), ["note NOT NULL"]);
        assert_eq!(demanded(|items| items.indexes.push(index(&[3], "note"))), ["items_key"]);
        assert_eq!(demanded(|items| items.indexes.push(index(&[0], "lower(note)"))), ["items_key"]);
        assert_eq!(demanded(|items| items.constraints.push(key())), ["items_fk"]);
        let short = || check("short", vec![3], "(length(note) < 9)".to_owned());
        assert_eq!(demanded(|items| items.constraints.push(short())), ["short"]);
    }

    #[test]
    fn what_is_about_new_columns_or_other_types_is_not() {
        let new = |items: &mut Table| {
            items.columns.push(column(4, "extra", "text"));
            items.columns[3].not_null = true;
            items.indexes.push(index(&[4], "extra"));
            items.indexes.push(index(&[0], "lower(extra)"));
            items.constraints.push(check("some", vec![4], "(extra <> ''::text)".to_owned()));
        };
        assert_eq!(demanded(new), [""; 0]);
        let typed = |items: &mut Table| {
            items.columns[2].type_name = "box".to_owned();
            items.indexes.push(index(&[3], "note"));
        };
        assert_eq!(demanded(typed), [""; 0]);
    }

    #[test]
    fn no_row_is_unique_by_a_constant_default() {
        let mut known = before();
        known.tables[0].columns[2].default = Some("'new'::text".to_owned());
        let mut after = known.clone();
        after.tables[0].indexes.push(index(&[3], "note"));
        assert_eq!(wishes(&known, &after), []);
    }

    #[test]
    fn statistics_refute_what_real_rows_are_not() {
        let mut after = before();
        after.tables[0].columns[2].not_null = true;
        after.tables[0].indexes.push(index(&[3], "note"));
        let refuted = |null_fraction, distinct| -> Vec<bool> {
            let name = "note".to_owned();
            let note =
                ColumnStatistics { name, null_fraction, distinct, ..ColumnStatistics::default() };
            let (schema, name) = ("public".to_owned(), "items".to_owned());
            let columns = vec![note];
            let items = TableStatistics { schema, name, columns, ..TableStatistics::default() };
            let known = Statistics { tables: vec![items], ..Statistics::default() };
            wishes(&before(), &after).iter().map(|wish| wish.is_refuted(&known)).collect()
        };
        assert_eq!(refuted(0.0, -1.0), [false, false]);
        assert_eq!(refuted(0.2, -0.8), [true, false]);
        assert_eq!(refuted(0.0, 4.0), [false, true]);
        assert_eq!(refuted(0.0, -0.5), [false, true]);
    }
}
