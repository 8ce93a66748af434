//! From answers to tables with generators: what every column draws from, how many rows a table can
//! have, and what cannot be met.

use std::collections::BTreeSet;

use std::sync::Arc;

use crate::scenario::{AskedRows, Column, Generator, MISSES_DEFAULT, Table};

use super::decide::{Decided, Others, Remark, decide};
use super::draft::{Key, TableDraft};

use super::keys::Driver;
use super::statistics::Spread;
use super::types::Kind;

use super::rounds::HEADROOM;

/// Share of NULLs of a column that may be NULL.
const NULL_FRACTION: f64 = 0.1;

/// Zipf exponent of references: some rows are referred to more often.
const SKEW: f64 = 0.5;

/// Lines of a pool whose values need not differ.
const LINES_MAX: usize = 1_000;

/// Different whole numbers of a column whose values follow from the row.
const OF_ROW_MAX: i64 = 1_000;
/// The instant from which `{n:time}` counts: 2020-01-01.
const NUMBERED_FROM_US: i64 = 1_577_836_800_000_000;
const DAY_S: i64 = 86_400;

/// Passes until rows of tables that refer to each other agree.
const PASSES_MAX: usize = 6;

/// What was settled: tables as a scenario has them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Inferred {
    /// Tables with rows, those that are referred to first.
    pub tables: Vec<Table>,
    /// Tables and columns whose values do not differ in more rows than the seed makes.
    pub exhausted: BTreeSet<(String, String)>,
    /// What is not as it was asked for.
    pub remarks: Vec<Remark>,
}

/// Settles what the answers have left open.
pub(super) fn settle(tables: &mut [TableDraft], mut remarks: Vec<Remark>) -> Inferred {
    let order = order(tables);
    let mut rows: Vec<u64> = tables.iter().map(|table| table.rows).collect();
    for table in tables.iter_mut() {
        separate_lines(table);
        first_line_without_own(table);
    }
    let mut decided: Vec<Decided> = vec![Decided::default(); tables.len()];
    for _ in 0..PASSES_MAX {
        let before = rows.clone();
        for at in &order {
            decided[*at] = decide(Others { tables, rows: &rows, decided: &decided }, *at);
            rows[*at] = decided[*at].rows;
        }
        if rows == before {
            break;
        }
    }
    let mut inferred = Inferred::default();
    for at in order {
        let built = Builder { tables, at, decided: &decided };
        remarks.extend(decided[at].remarks.iter().cloned());
        built.add(&mut inferred, &remarks);
    }
    inferred.remarks = remarks;
    inferred.remarks.dedup();
    inferred
}

/// Tables that are referred to before those that refer to them, as far as there is no cycle.
fn order(tables: &[TableDraft]) -> Vec<usize> {
    let mut found: Vec<usize> = Vec::new();
    while found.len() < tables.len() {
        let ready = |at: &usize| {
            tables[*at].references.iter().all(|reference| {
                let target = tables.iter().position(|t| t.oid == reference.table);
                target.is_none_or(|target| target == *at || found.contains(&target))
            })
        };
        let open: Vec<usize> = (0..tables.len()).filter(|at| !found.contains(at)).collect();
        let next: Vec<usize> = open.iter().copied().filter(|at| ready(at)).collect();
        match next.is_empty() {
            // A cycle: the first one of it goes first.
            true => found.extend(open.first()),
            false => found.extend(next),
        }
    }
    found
}

/// Lines of a pool that has columns of an open key differ in them.
fn separate_lines(table: &mut TableDraft) {
    for key in open_keys(table) {
        for component in &mut table.components {
            let at: Vec<usize> = (0..component.pooled.len())
                .filter(|at| key.columns.contains(&component.pooled[*at]))
                .collect();
            if !at.is_empty() {
                let mut seen = BTreeSet::new();
                component.lines.retain(|line| {
                    seen.insert(at.iter().map(|at| line[*at].clone()).collect::<Vec<_>>())
                });
            }
        }
    }
}

/// The first row has no earlier one to refer to: it holds the first line.
fn first_line_without_own(table: &mut TableDraft) {
    let own: Vec<usize> = (0..table.columns.len())
        .filter(|column| table.is_own(*column) && table.is_marked(*column))
        .collect();
    for component in &mut table.components {
        let at: Vec<usize> =
            (0..component.pooled.len()).filter(|at| own.contains(&component.pooled[*at])).collect();
        let first = component.lines.iter().position(|line| at.iter().all(|at| line[*at].is_none()));
        if let Some(first) = first.filter(|_| !at.is_empty()) {
            component.lines.swap(0, first);
        }
    }
}

/// Keys of which no column differs by itself.
fn open_keys(table: &TableDraft) -> Vec<Key> {
    let open = |key: &&Key| !key.columns.iter().any(|c| table.columns[*c].driven.is_some());
    table.keys.iter().filter(open).cloned().collect()
}

/// Makes a scenario's table.
struct Builder<'a> {
    tables: &'a [TableDraft],
    at: usize,
    decided: &'a [Decided],
}

impl Builder<'_> {
    fn table(&self) -> &TableDraft {
        &self.tables[self.at]
    }

    /// Adds the table; some of the remarks are about it.
    fn add(&self, inferred: &mut Inferred, remarks: &[Remark]) {
        let (table, decided) = (self.table(), &self.decided[self.at]);
        let mut columns = Vec::new();
        // An empty table asks for nothing of others.
        let filled = if decided.rows > 0 { table.columns.len() } else { 0 };
        for at in 0..filled {
            columns.extend(self.column(at));
        }
        for (at, own) in table.columns.iter().enumerate() {
            let spare = |capacity: u64| capacity >= decided.rows.saturating_add(HEADROOM);
            let in_use = own.driven.as_ref().is_some_and(|(_, capacity)| !spare(*capacity));
            let in_use = match (&table.sampled, table.filled) {
                (Some(used_up), _) => used_up.contains(&at),
                (None, filled) => in_use || filled,
            };
            if in_use {
                inferred.exhausted.insert((table.name.clone(), own.name.clone()));
            }
        }
        let asked = self.asked(remarks);
        let (name, rows) = (table.name.clone(), decided.rows);
        let is_real = |name: &String| {
            let own = table.columns.iter().find(|own| own.name == *name);
            own.is_some_and(|own| own.null_fraction.is_some_and(|fraction| fraction >= 1.0))
        };
        let nulls = columns.iter().filter(|column| column.is_null());
        let nulls = nulls.filter(|column| !table.filled && !is_real(&column.name));
        let unfilled = nulls.map(|column| self.unfilled(&column.name, remarks)).collect();
        let fitted = Vec::new();
        inferred.tables.push(Table { name, rows, columns, asked, unfilled, fitted });
    }

    /// A column that is NULL in every row, and why.
    fn unfilled(&self, column: &str, remarks: &[Remark]) -> (String, String) {
        let table = self.table();
        let at = table.columns.iter().position(|own| own.name == column).unwrap_or_default();
        let keys = table.references.iter().filter(|key| key.columns.contains(&at));
        let about = format!("column {column} ({})", table.columns[at].type_name);
        let about: Vec<&str> = keys.map(|key| key.name.as_str()).chain([&*about]).collect();
        let is_about = |of: &&Remark| {
            of.table == table.name && !of.short && about.contains(&of.about.as_str())
        };
        let why = remarks.iter().find(is_about).map(|of| format!("{}: {}", of.about, of.text));
        let why = why.unwrap_or_else(|| "no row with a value was found to be taken".to_owned());
        (column.to_owned(), why)
    }

    /// Rows that were asked for, where there are fewer and there could be more.
    fn asked(&self, remarks: &[Remark]) -> Option<AskedRows> {
        let (table, rows) = (self.table(), self.decided[self.at].rows);
        let own = remarks.iter().filter(|remark| remark.table == table.name && remark.short);
        let why: Vec<String> = own.map(|of| format!("{}: {}", of.about, of.text)).collect();
        let is_short = rows < table.asked && !why.is_empty();
        is_short.then_some(AskedRows { rows: table.asked, why })
    }

    fn file(&self, component: usize) -> String {
        let table = self.table();
        let first = table.components[component].pooled.first();
        pool_file(&table.name, first.map_or("", |column| table.columns[*column].name.as_str()))
    }

    /// A pool's lines, as many as are of use; without those that have a reference which is left
    /// NULL.
    fn lines(&self, component: usize) -> Vec<&Vec<Option<String>>> {
        let (table, nulls) = (self.table(), &self.decided[self.at].nulls);
        let lines = table.lines_without(component, nulls);
        let stepped = self.step(Driver::Pool(component)).is_some() || self.pool_is_key(component);
        let all = stepped || table.filled;
        let most = if all { lines.len() } else { lines.len().min(LINES_MAX) };
        lines.into_iter().take(most).collect()
    }

    fn step(&self, driver: Driver) -> Option<u64> {
        self.decided[self.at].each(driver)
    }

    fn is_referenced(&self, column: usize) -> bool {
        self.table().columns[column].referenced
    }

    fn pool_is_key(&self, component: usize) -> bool {
        self.table().components[component].pooled.iter().any(|c| self.is_referenced(*c))
    }

    fn column(&self, at: usize) -> Option<Column> {
        let (table, decided) = (self.table(), &self.decided[self.at]);
        let own = &table.columns[at];
        if own.generated.is_some() {
            return None;
        }
        let nulls_matter =
            table.keys.iter().any(|k| k.nulls_not_distinct && k.columns.contains(&at));
        let null_fraction = match own.nullable && !nulls_matter && !self.is_referenced(at) {
            true if !own.named => {
                let invented = if own.by_default { 0.0 } else { NULL_FRACTION };
                own.null_fraction.unwrap_or(invented)
            }
            _ => 0.0,
        };
        let column = |generator, null_fraction| {
            Some(Column { name: own.name.clone(), null_fraction, null_with: None, generator })
        };
        if decided.nulls.contains(&at) {
            return column(Generator::Constant { value: String::new() }, 1.0);
        }
        if let Some((generator, _)) = &own.driven {
            let excluded = table.exclusions.iter().any(|exclusion| exclusion.has(at));
            let checked =
                table.component_of(at).is_some_and(|c| !table.components[c].checks.is_empty());
            // Keys take any number of NULLs; how many there are has to be known.
            let in_key = table.in_key(at) && own.null_fraction.is_none();
            let key = in_key || excluded || checked;
            return column(generator.clone(), if key { 0.0 } else { null_fraction });
        }
        if let Some(pool) =
            table.pool_of(at).filter(|pool| !table.components[*pool].lines.is_empty())
        {
            // A pool of one column has NULLs only where none was asked for.
            let alone = table.components[pool].columns.len() == 1 && !table.filled;
            let generator = match alone {
                true => self.listed(pool, at).or_else(|| self.pool(pool, at))?,
                false => self.pool(pool, at)?,
            };
            return column(generator, if alone { null_fraction } else { 0.0 });
        }
        if let Some(reference) = own.reference {
            let null_fraction = match table.component_of(at) {
                Some(checked) if !table.components[checked].lines.is_empty() => 0.0,
                _ => self.null_of_reference(reference),
            };
            return column(self.reference(at, reference)?, null_fraction);
        }
        if own.likeness_fits {
            return column(self.of_row(at, own.like.clone()?), null_fraction);
        }
        // Of a column with constraints only what the server takes is good.
        let checked =
            table.component_of(at).is_some_and(|c| !table.components[c].checks.is_empty());
        match &own.profile.natural {
            Some(natural) if !checked && own.domain.is_empty() => {
                column(self.of_row(at, natural.clone()), null_fraction)
            }
            _ => None,
        }
    }

    /// The same values as a function of the row, where the application has to name them.
    fn of_row(&self, at: usize, generator: Generator) -> Generator {
        let (table, rows) = (self.table(), self.decided[self.at].rows.max(1));
        match generator {
            _ if !table.columns[at].named => generator,
            Generator::Choice { values, .. } => Generator::Pool {
                file: pool_file(&table.name, &table.columns[at].name),
                column: table.columns[at].name.clone(),
                values: values.into_iter().map(Some).collect(),
                each: None,
            },
            Generator::Integer { min, max } if min >= 0 && max > min => {
                let of = (max - min).min(OF_ROW_MAX);
                Generator::Numbered { template: format!("{{n%{of}+{min}}}") }
            }
            Generator::Timestamp { from_us, to_us, .. } if from_us >= NUMBERED_FROM_US => {
                let from_s = (from_us - NUMBERED_FROM_US) / 1_000_000;
                let step = ((to_us - from_us) / 1_000_000 / rows as i64).max(1);
                let form = match table.columns[at].profile.kind {
                    Kind::Date => {
                        return Generator::Numbered {
                            template: format!(
                                "{{n/{}+{}:date}}",
                                (DAY_S / step).max(1),
                                from_s / DAY_S
                            ),
                        };
                    }
                    _ => "time",
                };
                Generator::Numbered { template: format!("{{n*{step}+{from_s}:{form}}}") }
            }
            other => other,
        }
    }

    /// The values of a pool of one column as unevenly as real ones come, where those are few.
    fn listed(&self, pool: usize, column: usize) -> Option<Generator> {
        let own = &self.table().columns[column];
        // Of other types only the server can read what it takes.
        let plain = matches!(own.profile.kind, Kind::Text { .. } | Kind::Integer { .. })
            || matches!(own.profile.natural, Some(Generator::Choice { .. }));
        let free = self.step(Driver::Pool(pool)).is_none() && !self.pool_is_key(pool) && plain;
        let shares = &own.shares;
        let values = self.lines(pool).into_iter().filter_map(|line| line.first()?.clone());
        let values: Vec<String> = values.take(shares.len()).collect();
        let weights: Vec<f64> = shares.iter().take(values.len()).copied().collect();
        (free && !values.is_empty()).then_some(Generator::Choice { values, weights })
    }

    /// A column of a component's pool.
    fn pool(&self, component: usize, column: usize) -> Option<Generator> {
        let table = self.table();
        let position = table.components[component].pooled.iter().position(|c| *c == column)?;
        let values: Vec<Option<String>> =
            self.lines(component).iter().map(|line| line[position].clone()).collect();
        let in_turn = table.filled || self.pool_is_key(component);
        let each = self.step(Driver::Pool(component)).or(in_turn.then_some(1));
        Some(Generator::Pool {
            file: self.file(component),
            column: table.columns[column].name.clone(),
            values: Arc::from(values),
            each,
        })
    }

    /// All columns of a foreign key are NULL together.
    fn null_of_reference(&self, reference: usize) -> f64 {
        let table = self.table();
        let key = &table.references[reference];
        let own = table.own_of_itself(reference).unwrap_or_else(|| key.columns.clone());
        let free = own.iter().all(|c| table.columns[*c].nullable && !self.is_referenced(*c));
        let matter = table
            .keys
            .iter()
            .any(|k| k.nulls_not_distinct && k.columns.iter().any(|c| key.columns.contains(c)));
        let known = own.iter().filter_map(|c| table.columns[*c].null_fraction);
        let known = known.reduce(f64::max);
        let named = own.iter().any(|c| table.columns[*c].named);
        if free && !matter && !named { known.unwrap_or(NULL_FRACTION) } else { 0.0 }
    }

    fn reference(&self, at: usize, reference: usize) -> Option<Generator> {
        let table = self.table();
        let key = &table.references[reference];
        let position = key.columns.iter().position(|c| *c == at)?;
        let target = self.tables.iter().find(|t| t.oid == key.table)?;
        let itself = key.table == table.oid;
        let marks = table.marks_of(at).and_then(|component| self.pool(component, at));
        let optional = match table.is_marked(at) {
            true => marks.is_some(),
            false => key.columns.iter().all(|c| table.columns[*c].nullable),
        };
        let stepped = self.step(Driver::Reference(reference));
        let fixed = key.columns.iter().any(|c| self.is_referenced(*c));
        let earlier = itself && optional && stepped.is_none();
        let each = match stepped {
            Some(each) => Some(each),
            None if fixed || (itself && !earlier) => Some(1),
            None => None,
        };
        let Spread { skew, newest } = match (each.is_some(), key.spread) {
            (true, _) => Spread { skew: 0.0, newest: 1.0 },
            (false, _) if earlier => Spread { skew: 0.0, newest: 1.0 },
            (false, known) => known.unwrap_or(Spread { skew: SKEW, newest: 1.0 }),
        };
        Some(Generator::Reference {
            table: target.name.clone(),
            column: key.targets[position].clone(),
            hit_rate: 1.0,
            skew,
            misses: MISSES_DEFAULT,
            newest,
            each,
            earlier,
            row: (key.columns.len() > 1 || table.columns[at].named).then(|| key.name.clone()),
            nulls: marks.map(Box::new),
        })
    }
}

fn pool_file(table: &str, column: &str) -> String {
    let safe = |c: char| if c.is_alphanumeric() || "._-".contains(c) { c } else { '_' };
    let name: String = format!("{table}.{column}").chars().map(safe).collect();
    format!("pools/{name}.tsv")
}
