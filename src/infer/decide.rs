//! How many rows a table can have, which of its columns go on in turn, and which references are
//! left NULL, given the rows of the others.

use std::collections::{BTreeMap, BTreeSet};

use super::draft::{ForeignKey, Key, TableDraft};
use super::keys::{self, Driver, Step};

/// References that are followed from table to table.
const DEPTH_MAX: usize = 32;

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
    /// Whether the table gets fewer rows for it than were asked for, and could have more.
    pub short: bool,
}

/// A table's rows as they are decided so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Decided {
    pub rows: u64,
    pub steps: Vec<Step>,
    /// Columns that are left NULL: what they would refer to cannot be met.
    pub nulls: BTreeSet<usize>,
    pub remarks: Vec<Remark>,
}

pub(super) fn decide(others: Others<'_>, at: usize) -> Decided {
    let Others { tables, rows, .. } = others;
    let table = &tables[at];
    let mut decided = Decided { rows: table.rows, ..Decided::default() };
    if table.sampled.is_some() {
        return decided;
    }
    if table.filled {
        let text = "those that the schema's own script puts in it; ask for a number of rows to \
                    have others made";
        decided.remark(table, "rows", text, false);
        return decided;
    }
    for column in 0..table.columns.len() {
        decided.column(table, column);
    }
    for reference in 0..table.references.len() {
        decided.reference(others, at, reference);
    }
    for component in 0..table.components.len() {
        decided.lines(table, component);
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
        self.remarks.push(Remark { table, about, text, refused, short: refused });
    }

    /// At most so many rows, said where that is fewer.
    fn limit(&mut self, table: &TableDraft, about: &str, rows: u64, text: &str) {
        if rows < self.rows {
            self.rows = rows;
            let text = format!("{rows} of {} rows: {text}", table.rows);
            self.remark(table, about, &text, rows == 0);
            self.remarks.iter_mut().rev().take(1).for_each(|remark| remark.short = true);
        }
    }

    /// At most so many rows, which are all that a table with that key can have.
    fn fill(&mut self, table: &TableDraft, key: &Key, rows: u64, text: &str) {
        let said = self.remarks.len();
        self.limit(table, &key.name, rows, text);
        self.remarks.iter_mut().skip(said).for_each(|remark| remark.short = rows == 0);
    }

    fn column(&mut self, table: &TableDraft, column: usize) {
        let own = &table.columns[column];
        if own.generated.is_some() || own.driven.is_some() || own.reference.is_some() {
            return;
        }
        let component = table.component_of(column).map(|at| &table.components[at]);
        let plain = component.is_none_or(|c| c.checks.is_empty()) && own.domain.is_empty();
        let known = (plain && own.profile.natural.is_some()) || !own.taken.is_empty();
        let known = known || own.likeness_fits;
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
                let checks = component.map_or(&[][..], |component| &component.checks);
                let named = checks.iter().map(|c| table.checks[*c].name.as_str());
                let text = match (named.collect::<Vec<_>>().join(" and "), plain) {
                    (_, true) => "no value is known: give the column a generator".to_owned(),
                    (names, false) => {
                        let what = if names.is_empty() { "its domain" } else { &names };
                        format!("no value is known that {what} takes: give the column a `pool`")
                    }
                };
                self.limit(table, &about, 0, &text);
            }
        }
    }

    fn reference(&mut self, others: Others<'_>, at: usize, reference: usize) {
        let Others { tables, rows, .. } = others;
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
        if table.own_of_itself(reference).is_some() {
            let driver = Driver::Reference(reference);
            return self.steps.push(Step { driver, each: 1, of: self.rows });
        }
        if others.is_aligned(at, key, self.rows) {
            return self.in_step(table, reference, there);
        }
        self.without(table, key, "its columns belong to another foreign key as well");
    }

    /// Constraints that nothing keeps without a reference that cannot be had.
    fn lines(&mut self, table: &TableDraft, component: usize) {
        let own = &table.components[component];
        if own.lines.is_empty() || !table.lines_without(component, &self.nulls).is_empty() {
            return;
        }
        let about = own.checks.iter().map(|c| table.checks[*c].name.as_str());
        let about = about.collect::<Vec<_>>().join(", ");
        let text = "it needs a reference that cannot be had: write generators for its columns";
        self.limit(table, &about, 0, text);
    }

    /// The reference, and those that have columns of it, go on with the row.
    fn in_step(&mut self, table: &TableDraft, reference: usize, of: u64) {
        let key = &table.references[reference];
        let all = key.columns.iter().filter_map(|c| table.columns[*c].reference);
        for reference in all.chain([reference]) {
            let driver = Driver::Reference(reference);
            if self.each(driver).is_none() {
                self.steps.push(Step { driver, each: 1, of });
            }
        }
    }

    pub fn each(&self, driver: Driver) -> Option<u64> {
        self.steps.iter().find(|step| step.driver == driver).map(|step| step.each)
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
            return self.fill(table, key, 1, "it has no column");
        }
        let capacity = key.columns.iter().filter_map(|c| table.columns[*c].driven.as_ref());
        if let Some(capacity) = capacity.map(|(_, capacity)| *capacity).max() {
            let text = "its values do not differ in more rows";
            return match key.columns.as_slice() {
                [only] if table.columns[*only].ends_at(capacity) => {
                    self.fill(table, key, capacity, "its type has no more values")
                }
                _ => self.limit(table, &key.name, capacity, text),
            };
        }
        let is_null = |c: &usize| self.nulls.contains(c) || table.is_null(*c);
        let distinct_nulls = !key.nulls_not_distinct && key.columns.iter().any(is_null);
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
        match key.columns.iter().all(|column| table.is_listed(*column)) {
            true => self.fill(table, key, differ, text),
            false => self.limit(table, &key.name, differ, text),
        }
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

/// What a column's values are those of, followed through references from row to row, with the
/// tables on the way.
struct Root {
    column: (usize, usize),
    through: Vec<usize>,
}

/// What a foreign key's settling has to know of the other tables.
#[derive(Clone, Copy)]
pub(super) struct Others<'a> {
    pub tables: &'a [TableDraft],
    pub rows: &'a [u64],
    pub decided: &'a [Decided],
}

impl Others<'_> {
    /// None: some reference on the way does not go on with the row.
    fn root(self, table: usize, column: usize) -> Option<Root> {
        let (mut at, mut through) = ((table, column), Vec::new());
        for _ in 0..DEPTH_MAX {
            let own = &self.tables[at.0];
            let Some(reference) = own.columns[at.1].reference else {
                return Some(Root { column: at, through });
            };
            let stepped = self.decided[at.0].each(Driver::Reference(reference));
            if stepped.is_some_and(|each| each != 1) {
                return None;
            }
            let key = &own.references[reference];
            let position = key.columns.iter().position(|c| *c == at.1)?;
            let target = self.tables.iter().position(|t| t.oid == key.table)?;
            let names = &self.tables[target].columns;
            at = (target, names.iter().position(|c| c.name == key.targets[position])?);
            through.push(target);
        }
        None
    }

    /// Whether a foreign key of which other keys have some columns refers, in each row, to a row
    /// that agrees with them: row by row, all of them lead to the same one.
    fn is_aligned(self, at: usize, key: &ForeignKey, own: u64) -> bool {
        let table = &self.tables[at];
        let Some(target) = self.tables.iter().position(|t| t.oid == key.table) else {
            return false;
        };
        let claimed = |column: usize| {
            let reference = table.columns[column].reference;
            reference.is_some_and(|reference| table.references[reference].name == key.name)
        };
        let agrees = |position: usize| {
            let column = key.columns[position];
            let there = &self.tables[target].columns;
            let there = there.iter().position(|c| c.name == key.targets[position])?;
            let (left, right) = (self.root(at, column)?, self.root(target, there)?);
            let root = self.rows[left.column.0];
            let turns = |table: &usize| {
                let rows = self.rows[*table];
                *table == left.column.0 || rows >= own || rows.checked_rem(root) == Some(0)
            };
            let all = left.through.iter().chain([&target]).chain(&right.through).all(turns);
            Some(left.column == right.column && all)
        };
        let (free, shared): (Vec<usize>, Vec<usize>) =
            (0..key.columns.len()).partition(|position| claimed(key.columns[*position]));
        target != at && !free.is_empty() && shared.into_iter().all(|p| agrees(p) == Some(true))
    }
}

impl TableDraft {
    /// The component from whose pool a column is drawn.
    pub fn pool_of(&self, column: usize) -> Option<usize> {
        let at = self.component_of(column)?;
        let pooled = self.components[at].pooled.contains(&column) && !self.is_marked(column);
        pooled.then_some(at)
    }

    /// Lines of a component in which these references are NULL.
    pub fn lines_without(
        &self,
        component: usize,
        nulls: &BTreeSet<usize>,
    ) -> Vec<&Vec<Option<String>>> {
        let own = &self.components[component];
        let left_out: Vec<usize> = (0..own.pooled.len())
            .filter(|at| nulls.contains(&own.pooled[*at]) && self.is_marked(own.pooled[*at]))
            .collect();
        own.lines.iter().filter(|line| left_out.iter().all(|at| line[*at].is_none())).collect()
    }

    /// Whether a column is NULL in every line of its pool.
    fn is_null(&self, column: usize) -> bool {
        let own = self.component_of(column).map(|at| &self.components[at]);
        let Some(own) = own.filter(|own| !own.lines.is_empty()) else { return false };
        let position = own.pooled.iter().position(|c| *c == column);
        position.is_some_and(|position| own.lines.iter().all(|line| line[position].is_none()))
    }

    /// Lines of the pool that says where a reference is NULL.
    pub fn marks_of(&self, column: usize) -> Option<usize> {
        let at = self.component_of(column).filter(|_| self.is_marked(column))?;
        let component = &self.components[at];
        let position = component.pooled.iter().position(|c| *c == column)?;
        component.lines.iter().any(|line| line[position].is_none()).then_some(at)
    }
}
