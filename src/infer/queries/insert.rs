//! Values of new rows: columns of one row fit together, and a key is another one each time.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::pg::expression::Expression;
use crate::pg::facts::{Conflict, Inserted, InsertedValue};
use crate::scenario::{Column as SeededColumn, Generator};

use super::super::catalogue::{Column, ConstraintKind, Index};
use super::super::traffic::Drawn;
use super::super::traffic::subject::Subject;
use super::super::types;
use super::statement::QueryStatement;
use super::values::World;

/// Rows of one statement, and rows that name a number which the server gives others, are so far
/// apart: beyond what a run adds.
const APART: i64 = 1_000_000_000;

/// Values by a parameter's key, and whether they are new each time.
pub(super) type NewValues = BTreeMap<String, Drawn>;

/// A row that a statement adds.
pub(super) struct NewRow<'a> {
    pub(super) subject: &'a Subject<'a>,
    pub(super) cells: Vec<(&'a Column, Cell)>,
    pub(super) conflict: Conflict,
    /// Its position among the rows of its statement.
    position: i64,
    /// Unlike that of any other row of the query.
    label: String,
}

pub(super) enum Cell {
    Parameter {
        key: String,
        /// The column's values are of the parameter's type.
        fits: bool,
        /// The types are the same.
        exact: bool,
    },
    Constant(Option<String>),
    Read,
    Made,
}

/// The rows that a statement adds to tables with rows.
pub(super) fn rows_of<'a>(
    world: &World<'a>,
    statement: &QueryStatement,
    oids: &[u32],
    inserts: &[Inserted],
    label: &str,
) -> Vec<NewRow<'a>> {
    let mut rows = Vec::new();
    for insert in inserts {
        let table = world.table(&insert.table);
        let Some(subject) = table.and_then(|table| world.subject(table)) else { continue };
        for (position, values) in insert.rows.iter().enumerate() {
            let column = |at: usize| match &insert.columns {
                Some(names) => {
                    let name = names.get(at)?;
                    subject.table.columns.iter().find(|column| column.name == *name)
                }
                None => subject.table.columns.get(at),
            };
            let cell = |(at, value): (usize, &InsertedValue)| {
                let column = column(at)?;
                let cell = match value {
                    InsertedValue::Default => return None,
                    InsertedValue::Parameter(number) => {
                        let parameter = statement.parameters.get(number.checked_sub(1)?)?;
                        let oid = oids.get(number.checked_sub(1)?)?;
                        let (key, fits) = (parameter.key.clone(), world.fits(*oid, column));
                        Cell::Parameter { key, fits, exact: world.is_of(*oid, column) }
                    }
                    InsertedValue::Constant(text) => Cell::Constant(text.clone()),
                    InsertedValue::Read => Cell::Read,
                    InsertedValue::Made => Cell::Made,
                };
                Some((column, cell))
            };
            rows.push(NewRow {
                subject,
                cells: values.iter().enumerate().filter_map(cell).collect(),
                conflict: insert.conflict.clone(),
                position: i64::try_from(position).unwrap_or(i64::MAX),
                label: format!("{label} {} {position}", insert.item),
            });
        }
    }
    rows
}

/// Values of the parameters of all new rows of a query.
///
/// # Errors
/// Which key would be there already.
pub(super) fn new_values(world: &World<'_>, rows: &[NewRow<'_>]) -> Result<NewValues, String> {
    let mut values = NewValues::new();
    for row in rows {
        for (key, drawn) in row.values() {
            let is_better =
                values.get(&key).is_none_or(|known: &Drawn| !is_new(known) && is_new(&drawn));
            if is_better {
                values.insert(key, drawn);
            }
        }
    }
    for row in rows {
        row.keep_keys(world, &mut values)?;
    }
    Ok(values)
}

impl<'a> NewRow<'a> {
    /// As the seed draws the table's rows, but new.
    fn values(&self) -> Vec<(String, Drawn)> {
        let entangled = self.subject.entangled(&[]);
        let lines = self.fitting_lines();
        let mut found = Vec::new();
        for (column, cell) in &self.cells {
            let Cell::Parameter { key, fits: true, .. } = cell else { continue };
            let by_row = entangled.contains(&column.number) && self.subject.is_by_row(column);
            let drawn = match by_row {
                true => self.subject.present(column, false, Some("references")),
                false => self.subject.fresh(column),
            };
            let Some(mut drawn) = drawn else { continue };
            drawn.generator = self.own(drawn.generator, &lines);
            let apart = self.position.saturating_add(i64::from(column.numbered));
            if apart > 0 && is_new(&drawn) {
                let by = APART.saturating_mul(apart);
                drawn.generator = moved(&drawn.generator, by).unwrap_or(drawn.generator);
            }
            found.push((key.clone(), drawn));
        }
        found
    }

    /// The generator with names and lines of this row.
    fn own(&self, mut generator: Generator, lines: &Lines) -> Generator {
        let Generator::Reference { row, nulls, .. } = &mut generator else {
            return lines.kept(generator);
        };
        if let Some(row) = row {
            *row = format!("{row} {}", self.label).trim().to_owned();
        }
        if let Some(nulls) = nulls {
            **nulls = lines.kept((**nulls).clone());
        }
        generator
    }

    /// Lines of the table's pools that agree with what the statement itself says of the row.
    fn fitting_lines(&self) -> Lines {
        let mut lines = Lines::default();
        for seeded in self.subject.seeded_columns() {
            let Some((file, values)) = pool_of(&seeded.generator) else { continue };
            let Some(said) = self.said(seeded) else { continue };
            let fits = |value: &Option<String>| match seeded.generator {
                // A pool that only marks where a reference is NULL.
                Generator::Reference { .. } => value.is_none() == said.is_none(),
                _ => *value == said,
            };
            let kept = lines.by_file.entry(file.to_owned());
            let kept = kept.or_insert_with(|| vec![true; values.len()]);
            let fewer: Vec<bool> =
                kept.iter().zip(values).map(|(kept, value)| *kept && fits(value)).collect();
            // Where the constant is none of the pool's, it is the server that knows.
            if fewer.contains(&true) {
                *kept = fewer;
            }
        }
        lines.label = self.label.replace(' ', "-");
        lines
    }

    /// What the column of the new row holds whatever the parameters are; None: not known.
    fn said(&self, seeded: &SeededColumn) -> Option<Option<String>> {
        let given = self.cells.iter().find(|(column, _)| column.name == seeded.name);
        match given {
            Some((_, Cell::Constant(value))) => Some(value.clone()),
            Some(_) => None,
            None => {
                let columns = &self.subject.table.columns;
                let column = columns.iter().find(|column| column.name == seeded.name)?;
                match &column.default {
                    None if column.generated || column.numbered => None,
                    None => Some(None),
                    Some(default) => match Expression::read(default)? {
                        Expression::Constant(value) => Some(value),
                        _ => None,
                    },
                }
            }
        }
    }

    /// Sees to it that no key of the row is there already.
    fn keep_keys(&self, world: &World<'_>, values: &mut NewValues) -> Result<(), String> {
        for index in self.subject.unique() {
            let columns = self.columns_of(index);
            if self.is_covered(index) || columns.is_empty() {
                continue;
            }
            if columns.iter().any(|column| self.is_new(index, column, values)) {
                continue;
            }
            let renewed = columns.iter().find_map(|column| self.renewed(world, column));
            match renewed {
                Some((key, drawn)) => {
                    values.insert(key, drawn);
                }
                // What the predicate leaves is seen when the statement is tried.
                None if index.predicate.is_some() => {}
                None => {
                    return Err(format!(
                        "{} of {} would be there already, since none of its parameters can be new \
                         each time: add ON CONFLICT, or let a parameter be a part of the key",
                        index.name,
                        self.subject.name()
                    ));
                }
            }
        }
        Ok(())
    }

    fn columns_of(&self, index: &Index) -> Vec<&'a Column> {
        let of = |number: &i16| self.subject.table.column(*number);
        let columns: Vec<&Column> = index.columns.iter().filter_map(of).collect();
        // What is in an expression is seen when the statement is tried.
        if columns.len() == index.columns.len() { columns } else { Vec::new() }
    }

    /// Whether ON CONFLICT is about the key.
    fn is_covered(&self, index: &Index) -> bool {
        let names = |names: &[String]| {
            let of = |number: &i16| self.subject.table.column(*number).map(|c| c.name.clone());
            let mut own: Vec<String> = index.columns.iter().filter_map(of).collect();
            let mut given = names.to_vec();
            own.sort();
            given.sort();
            own == given
        };
        match &self.conflict {
            Conflict::Fails => false,
            Conflict::Any => true,
            Conflict::Columns(columns) => names(columns),
            Conflict::Constraint(name) => index.name == *name,
        }
    }

    /// Whether the column's value is another one in each new row.
    fn is_new(&self, index: &Index, column: &Column, values: &NewValues) -> bool {
        let cell = self.cells.iter().find(|(known, _)| known.number == column.number);
        match cell {
            Some((_, Cell::Parameter { key, .. })) => {
                values.get(key).is_some_and(is_new) && !self.subject.is_exhausted(column)
            }
            Some((_, Cell::Made)) => true,
            Some((_, Cell::Constant(None))) => !index.nulls_not_distinct,
            Some((_, Cell::Constant(Some(_)) | Cell::Read)) => false,
            None => {
                let default = column.default.as_deref().unwrap_or_default();
                let made = ["uuid", "random", "nextval"].iter().any(|word| default.contains(word));
                let null = default.is_empty() && !column.not_null && !index.nulls_not_distinct;
                column.numbered || made || null
            }
        }
    }

    /// Values of a parameter that differ from all that are there.
    fn renewed(&self, world: &World<'_>, column: &Column) -> Option<(String, Drawn)> {
        let cell = self.cells.iter().find(|(known, _)| known.number == column.number);
        let Some((_, Cell::Parameter { key, fits: true, .. })) = cell else { return None };
        let bound = self.subject.table.constraints.iter().any(|constraint| {
            matches!(constraint.kind, ConstraintKind::Check | ConstraintKind::ForeignKey)
                && constraint.columns.contains(&column.number)
        });
        let known = world.catalogue.type_of(column.type_oid)?;
        // Of a domain, a short number or an enum not every value is one.
        if bound || known.base.is_some() || known.name == "int2" || !known.labels.is_empty() {
            return None;
        }
        let (oid, modifier) = (column.type_oid, column.type_modifier);
        let profile = types::profile(world.catalogue, oid, modifier, &column.name);
        let template = profile.templates.into_iter().find(|template| !template.contains('%'))?;
        let generator = Generator::Numbered { template };
        let by = APART.saturating_mul(self.position);
        let generator = if by > 0 { moved(&generator, by)? } else { generator };
        Some((key.clone(), Drawn { generator, null_fraction: 0.0 }))
    }
}

/// Whether each value differs from those of all rows and all other draws.
pub(super) fn is_new(drawn: &Drawn) -> bool {
    match &drawn.generator {
        Generator::Uuid | Generator::Serial | Generator::Fake { unique: true, .. } => true,
        Generator::Numbered { template } => !template.contains('%'),
        _ => false,
    }
}

/// The same numbers, so much further; None: they are not of that kind.
fn moved(generator: &Generator, by: i64) -> Option<Generator> {
    let template = match generator {
        Generator::Serial => "{n}",
        Generator::Numbered { template } => template,
        _ => return None,
    };
    let at = template.find("{n")?;
    let end = at + template[at..].find([':', '}'])?;
    let sum = &template[at + 1..end];
    let (sum, plus) = match sum.split_once('+') {
        Some((sum, plus)) => (sum, plus.parse::<i64>().ok()?),
        None if sum.contains('-') => return None,
        None => (sum, 0),
    };
    let (before, behind) = (&template[..at], &template[end..]);
    let template = format!("{before}{{{sum}+{}{behind}", plus.checked_add(by)?);
    Some(Generator::Numbered { template })
}

/// The file of candidates that a column is drawn from, or is NULL by.
fn pool_of(generator: &Generator) -> Option<(&str, &[Option<String>])> {
    match generator {
        Generator::Pool { file, values, .. } => Some((file, values)),
        Generator::Reference { nulls, .. } => pool_of(nulls.as_deref()?),
        _ => None,
    }
}

/// Which lines of files fit.
#[derive(Default)]
struct Lines {
    by_file: BTreeMap<String, Vec<bool>>,
    /// The row's, in the names of its own files.
    label: String,
}

impl Lines {
    /// The pool with the lines that fit, in a file of its own.
    fn kept(&self, generator: Generator) -> Generator {
        let Generator::Pool { file, column, values, each } = generator else { return generator };
        let kept = self.by_file.get(&file).filter(|kept| kept.contains(&false));
        let Some(kept) = kept else { return Generator::Pool { file, column, values, each } };
        let lines = values.iter().zip(kept).filter(|(_, kept)| **kept);
        let values: Vec<Option<String>> = lines.map(|(value, _)| value.clone()).collect();
        let own = file.trim_start_matches("pools/").trim_end_matches(".tsv");
        let file = format!("pools/app-{}-{own}.tsv", self.label);
        Generator::Pool { file, column, values: Arc::from(values), each: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case("{n}", Some("{n+5}"))]
    #[case("a-{n:08x}-b", Some("a-{n+5:08x}-b"))]
    #[case("{n*60+1:time}", Some("{n*60+6:time}"))]
    #[case("{n-1}", None)]
    #[case("a", None)]
    fn numbers_go_on_elsewhere(#[case] template: &str, #[case] expected: Option<&str>) {
        let moved = moved(&Generator::Numbered { template: template.to_owned() }, 5);
        let expected =
            expected.map(|template| Generator::Numbered { template: template.to_owned() });
        assert_eq!(moved, expected);
    }
}
