//! From answers to tables with generators: what every column draws from, how many rows a table can
//! have, and what cannot be met.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::scenario::{Column, Generator, MISSES_DEFAULT, Table};

use super::draft::{ForeignKey, Key, TableDraft};
use super::keys::{self, Driver, Step};

/// Share of NULLs of a column that may be NULL.
const NULL_FRACTION: f64 = 0.1;
/// Zipf exponent of references: some rows are referred to more often.
const SKEW: f64 = 0.5;
/// Lines of a pool whose values need not differ.
const LINES_MAX: usize = 1_000;
/// Passes until rows of tables that refer to each other agree.
const PASSES_MAX: usize = 6;

/// Names of columns, and lines of their values, in which None is NULL.
type Candidates = (Vec<String>, Vec<Vec<Option<String>>>);

/// What was settled: tables as a scenario has them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Inferred {
    /// Tables with rows, those that are referred to first.
    pub tables: Vec<Table>,
    /// Files of candidates, by their path below the scenario's directory.
    pub pools: BTreeMap<String, Candidates>,
    /// What is not as it was asked for.
    pub remarks: Vec<Remark>,
}

/// Something that cannot be met, or not in full.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// The table, with its schema.
    pub table: String,
    /// The constraint or column that it is about.
    pub about: String,
    /// What is the matter and what to do.
    pub text: String,
    /// Whether the table gets no rows for it.
    pub refused: bool,
}

/// A table's rows as they are decided so far.
#[derive(Clone, Debug, Default)]
struct Decided {
    rows: u64,
    steps: Vec<Step>,
    /// Columns that are left NULL: what they would refer to cannot be met.
    nulls: BTreeSet<usize>,
    remarks: Vec<Remark>,
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
            decided[*at] = decide(tables, *at, &rows);
            rows[*at] = decided[*at].rows;
        }
        if rows == before {
            break;
        }
    }
    let mut inferred = Inferred::default();
    for at in order {
        let built = Builder { tables, at, decided: &decided };
        built.add(&mut inferred);
        remarks.extend(decided[at].remarks.iter().cloned());
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

fn decide(tables: &[TableDraft], at: usize, rows: &[u64]) -> Decided {
    let table = &tables[at];
    let mut decided = Decided { rows: table.rows, ..Decided::default() };
    for column in 0..table.columns.len() {
        decided.column(table, column);
    }
    for reference in 0..table.references.len() {
        decided.reference(tables, at, reference, rows);
    }
    for key in &table.keys {
        decided.key(tables, at, key, rows);
    }
    for exclusion in &table.exclusions {
        let holds = exclusion.elements.iter().any(|(columns, operator)| {
            matches!(operator.as_str(), "&&" | "=")
                && columns.iter().any(|column| table.differs(*column))
        });
        if !holds {
            let text = "no values are known that keep it in more than one row: give the column a \
                        `numbered` generator";
            decided.limit(table, &exclusion.name, 1, text);
        }
    }
    decided
}

impl Decided {
    fn remark(&mut self, table: &TableDraft, about: &str, text: &str, refused: bool) {
        let (table, about, text) = (table.name.clone(), about.to_owned(), text.to_owned());
        self.remarks.push(Remark { table, about, text, refused });
    }

    /// At most so many rows, said where that is fewer.
    fn limit(&mut self, table: &TableDraft, about: &str, rows: u64, text: &str) {
        if rows < self.rows {
            self.rows = rows;
            let text = format!("{rows} of {} rows: {text}", table.rows);
            self.remark(table, about, &text, rows == 0);
        }
    }

    fn column(&mut self, table: &TableDraft, column: usize) {
        let own = &table.columns[column];
        if own.generated.is_some() || own.driven.is_some() || own.reference.is_some() {
            return;
        }
        let component = table.component_of(column).map(|at| &table.components[at]);
        let plain = component.is_none_or(|c| c.checks.is_empty()) && own.domain.is_empty();
        let known = (plain && own.profile.natural.is_some()) || !own.taken.is_empty();
        let pooled = component.is_some_and(|c| c.pooled.contains(&column) && !c.lines.is_empty());
        if known || pooled {
            return;
        }
        let about = format!("column {} ({})", own.name, own.type_name);
        match (own.nullable, own.has_default) {
            (true, _) => {
                self.nulls.insert(column);
                self.remark(table, &about, "no value is known: it is NULL in every row", false);
            }
            (false, true) => {
                self.remark(table, &about, "no value is known: it keeps its default", false);
            }
            (false, false) => {
                let text = "no value is known: give the column a generator";
                self.limit(table, &about, 0, text);
            }
        }
    }

    fn reference(&mut self, tables: &[TableDraft], at: usize, reference: usize, rows: &[u64]) {
        let table = &tables[at];
        let key = &table.references[reference];
        let target = tables.iter().position(|t| t.oid == key.table);
        let there = target.map_or(0, |target| if target == at { self.rows } else { rows[target] });
        if there == 0 {
            return self.without(table, key, "the table that it refers to gets no rows");
        }
        let claimed = |c: &usize| table.columns[*c].reference == Some(reference);
        let pooled = key.columns.iter().all(|c| table.pool_of(*c).is_some());
        let itself = target == Some(at) && key.columns.len() == 1;
        if key.columns.iter().all(claimed) || itself || pooled || is_implied(tables, table, key) {
            return;
        }
        if is_aligned(tables, table, key, rows, self.rows) {
            return;
        }
        self.without(table, key, "its columns belong to another foreign key as well");
    }

    /// A foreign key that cannot be met: NULL where that is allowed, else no rows.
    fn without(&mut self, table: &TableDraft, key: &ForeignKey, why: &str) {
        let own = |c: &usize| {
            table.columns[*c].reference.is_some_and(|r| table.references[r].name == key.name)
        };
        let free = key.columns.iter().copied().filter(|c| table.columns[*c].nullable);
        let (mut free, others): (Vec<usize>, Vec<usize>) = free.partition(own);
        if free.is_empty() {
            free = others;
        }
        match free.is_empty() {
            false => {
                self.nulls.extend(free);
                self.remark(table, &key.name, &format!("{why}: it is NULL in every row"), false);
            }
            true => {
                let text = format!("{why}: write generators for its columns");
                self.limit(table, &key.name, 0, &text);
            }
        }
    }

    fn key(&mut self, tables: &[TableDraft], at: usize, key: &Key, rows: &[u64]) {
        let table = &tables[at];
        if key.columns.is_empty() {
            return self.limit(table, &key.name, 1, "it has no column");
        }
        let capacity = key.columns.iter().filter_map(|c| table.columns[*c].driven.as_ref());
        if let Some(capacity) = capacity.map(|(_, capacity)| *capacity).max() {
            let text = "its values do not differ in more rows";
            return self.limit(table, &key.name, capacity, text);
        }
        let distinct_nulls =
            !key.nulls_not_distinct && key.columns.iter().any(|c| self.nulls.contains(c));
        if distinct_nulls {
            return;
        }
        let mut drivers: BTreeMap<Driver, u64> = BTreeMap::new();
        for column in &key.columns {
            let (driver, of) = match (table.pool_of(*column), table.columns[*column].reference) {
                (Some(pool), _) => (Driver::Pool(pool), table.components[pool].lines.len() as u64),
                (None, Some(reference)) => {
                    let target =
                        tables.iter().position(|t| t.oid == table.references[reference].table);
                    let of = target.map_or(0, |t| if t == at { self.rows } else { rows[t] });
                    (Driver::Reference(reference), of)
                }
                (None, None) => continue,
            };
            drivers.insert(driver, of);
        }
        let drivers: Vec<(Driver, u64)> = drivers.into_iter().collect();
        let differ = keys::chain(&mut self.steps, &drivers, self.rows);
        let text = "its columns have no more combinations of values";
        self.limit(table, &key.name, differ, text);
    }
}

/// Whether a wider foreign key over the same columns refers to rows that refer on as this one does.
fn is_implied(tables: &[TableDraft], table: &TableDraft, key: &ForeignKey) -> bool {
    let claims: BTreeSet<Option<usize>> =
        key.columns.iter().map(|c| table.columns[*c].reference).collect();
    let Some(Some(wide)) = claims.first().filter(|_| claims.len() == 1) else { return false };
    let wide = &table.references[*wide];
    let Some(target) = tables.iter().find(|t| t.oid == wide.table) else { return false };
    // The columns there that this key's columns hold.
    let there: Option<Vec<&String>> = key
        .columns
        .iter()
        .map(|c| Some(&wide.targets[wide.columns.iter().position(|w| w == c)?]))
        .collect();
    let Some(there) = there else { return false };
    let same = wide.table == key.table && there.iter().zip(&key.targets).all(|(a, b)| *a == b);
    same || target.references.iter().any(|on| {
        on.table == key.table
            && key.targets.iter().zip(&there).all(|(end, name)| {
                on.columns
                    .iter()
                    .zip(&on.targets)
                    .any(|(c, t)| t == end && target.columns[*c].name == **name)
            })
    })
}

/// Whether both foreign keys that share a column refer, in each row, to rows that agree in it:
/// those of the same number, in tables whose own references go on in step.
fn is_aligned(
    tables: &[TableDraft],
    table: &TableDraft,
    key: &ForeignKey,
    rows: &[u64],
    own: u64,
) -> bool {
    let (shared, free): (Vec<usize>, Vec<usize>) = (0..key.columns.len()).partition(|at| {
        let reference = table.columns[key.columns[*at]].reference;
        reference.is_none_or(|reference| table.references[reference].name != key.name)
    });
    let [shared] = shared.as_slice() else { return false };
    let Some(other) = table.columns[key.columns[*shared]].reference else { return false };
    let other = &table.references[other];
    let Some(position) = other.columns.iter().position(|c| *c == key.columns[*shared]) else {
        return false;
    };
    let find = |oid| tables.iter().position(|t| t.oid == oid);
    let (Some(a), Some(b)) = (find(other.table), find(key.table)) else { return false };
    let target = |at: usize, name: &String| {
        let column = tables[at].columns.iter().position(|c| c.name == *name)?;
        let reference = &tables[at].references[tables[at].columns[column].reference?];
        (reference.columns == [column]).then(|| (reference.table, reference.targets.clone()))
    };
    let same = target(a, &other.targets[position]);
    let fits = rows[a] == rows[b] || own <= rows[a].min(rows[b]);
    !free.is_empty() && fits && same.is_some() && same == target(b, &key.targets[*shared])
}

impl TableDraft {
    /// The component from whose pool a column is drawn.
    fn pool_of(&self, column: usize) -> Option<usize> {
        let at = self.component_of(column)?;
        let pooled = self.components[at].pooled.contains(&column) && !self.is_marked(column);
        pooled.then_some(at)
    }

    /// Lines of the pool that says where a reference is NULL.
    fn marks_of(&self, column: usize) -> Option<usize> {
        let at = self.component_of(column).filter(|_| self.is_marked(column))?;
        let component = &self.components[at];
        let position = component.pooled.iter().position(|c| *c == column)?;
        component.lines.iter().any(|line| line[position].is_none()).then_some(at)
    }
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

    fn add(&self, inferred: &mut Inferred) {
        let (table, decided) = (self.table(), &self.decided[self.at]);
        let mut columns = Vec::new();
        for at in 0..table.columns.len() {
            columns.extend(self.column(at));
        }
        for (at, component) in table.components.iter().enumerate() {
            if !component.pooled.is_empty() && !component.lines.is_empty() {
                let names = component.pooled.iter().map(|c| table.columns[*c].name.clone());
                let lines = self.lines(at).to_vec();
                inferred.pools.insert(self.file(at), (names.collect(), lines));
            }
        }
        inferred.tables.push(Table { name: table.name.clone(), rows: decided.rows, columns });
    }

    fn file(&self, component: usize) -> String {
        let table = self.table();
        let first = table.components[component].pooled.first();
        let column = first.map_or("", |column| table.columns[*column].name.as_str());
        let safe = |c: char| if c.is_alphanumeric() || "._-".contains(c) { c } else { '_' };
        let name: String = format!("{}.{column}", table.name).chars().map(safe).collect();
        format!("pools/{name}.tsv")
    }

    fn lines(&self, component: usize) -> &[Vec<Option<String>>] {
        let lines = &self.table().components[component].lines;
        let stepped = self.step(Driver::Pool(component)).is_some() || self.pool_is_key(component);
        if stepped { lines } else { &lines[..lines.len().min(LINES_MAX)] }
    }

    fn step(&self, driver: Driver) -> Option<u64> {
        let steps = &self.decided[self.at].steps;
        steps.iter().find(|step| step.driver == driver).map(|step| step.each)
    }

    fn is_referenced(&self, column: usize) -> bool {
        let table = self.table();
        let mut keys = self.tables.iter().flat_map(|other| &other.references);
        keys.any(|key| key.table == table.oid && key.targets.contains(&table.columns[column].name))
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
            true => NULL_FRACTION,
            false => 0.0,
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
            let key = table.in_key(at) || excluded || checked;
            return column(generator.clone(), if key { 0.0 } else { null_fraction });
        }
        if let Some(pool) =
            table.pool_of(at).filter(|pool| !table.components[*pool].lines.is_empty())
        {
            // A pool of one column has NULLs only where none was asked for.
            let alone = table.components[pool].columns.len() == 1;
            let generator = self.pool(pool, at)?;
            return column(generator, if alone { null_fraction } else { 0.0 });
        }
        if let Some(reference) = own.reference {
            let null_fraction = match table.component_of(at) {
                Some(checked) if !table.components[checked].lines.is_empty() => 0.0,
                _ => self.null_of_reference(reference),
            };
            return column(self.reference(at, reference)?, null_fraction);
        }
        match &own.profile.natural {
            Some(natural) => column(natural.clone(), null_fraction),
            None => None,
        }
    }

    /// A column of a component's pool.
    fn pool(&self, component: usize, column: usize) -> Option<Generator> {
        let table = self.table();
        let position = table.components[component].pooled.iter().position(|c| *c == column)?;
        let values: Vec<Option<String>> =
            self.lines(component).iter().map(|line| line[position].clone()).collect();
        let each = self.step(Driver::Pool(component)).or(self.pool_is_key(component).then_some(1));
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
        let free =
            key.columns.iter().all(|c| table.columns[*c].nullable && !self.is_referenced(*c));
        let matter = table
            .keys
            .iter()
            .any(|k| k.nulls_not_distinct && k.columns.iter().any(|c| key.columns.contains(c)));
        if free && !matter { NULL_FRACTION } else { 0.0 }
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
        let fixed =
            key.columns.iter().any(|c| self.is_referenced(*c)) || self.is_in_step(reference);
        let earlier = itself && optional && stepped.is_none();
        let each = match stepped {
            Some(each) => Some(each),
            None if fixed || (itself && !earlier) => Some(1),
            None => None,
        };
        Some(Generator::Reference {
            table: target.name.clone(),
            column: key.targets[position].clone(),
            hit_rate: 1.0,
            skew: if each.is_some() || earlier { 0.0 } else { SKEW },
            misses: MISSES_DEFAULT,
            newest: 1.0,
            each,
            earlier,
            row: (key.columns.len() > 1).then(|| key.name.clone()),
            nulls: marks.map(Box::new),
        })
    }

    /// Whether another foreign key shares a column with it without being implied.
    fn is_in_step(&self, reference: usize) -> bool {
        let table = self.table();
        let key = &table.references[reference];
        table.references.iter().any(|other| {
            other.name != key.name
                && other.columns.iter().any(|c| key.columns.contains(c))
                && !is_implied(self.tables, table, other)
        })
    }
}
