//! Checks what is built before the change: the schema's scripts and the tables that are filled.

use std::collections::BTreeMap;

use toml::Spanned;

use crate::pg::facts::{CreatedTable, RelationName, facts};
use crate::pg::syntax::Kind;

use super::super::problem::Source;
use super::super::{AskedRows, Column, Script, Table, wire};
use super::generator::only_generator;
use super::holds::Holds;
use super::search_path::SearchPath;
use super::{Checker, Filled, known};

/// More than any server that this runs against holds.
pub(super) const ROWS_MAX: u64 = 100_000_000_000;

/// The table with the schema that it is in; None: that is not known.
fn named(created: &CreatedTable, path: &SearchPath) -> Option<CreatedTable> {
    let known = RelationName::of(&created.name);
    let is_bare = known.schema.is_none();
    match path.made(known)?.schema.filter(|_| is_bare) {
        Some(schema) => {
            let name = format!("{schema}.{}", created.name);
            Some(CreatedTable { name, ..created.clone() })
        }
        None => Some(created.clone()),
    }
}

impl Checker<'_> {
    /// The scripts before and after the load, and whether the first has all that the second would.
    pub(super) fn schema(&mut self) -> Option<(Script, Script, bool)> {
        let Some((source, section)) = self.files.section(|file| file.schema.as_ref()) else {
            self.missing_section("[schema]");
            return None;
        };
        let schema = section.get_ref();
        let tables = self.psql_script(source, &schema.tables);
        let indexes = match &schema.indexes {
            Some(path) => self.psql_script(source, path),
            None => Some(Script::default()),
        };
        let (tables, indexes) = (tables?, indexes?);
        let statements = tables.statements.iter().chain(&indexes.statements);
        let read: Vec<_> = statements.map(|s| (s.text.as_str(), facts(&s.text))).collect();
        self.relations = known::relations(&read);
        let mut path = SearchPath::new();
        for (text, facts) in read {
            path.follow(text);
            self.created.extend(facts.created().and_then(|created| named(created, &path)));
            let altered = facts.statements.iter().filter(|one| one.kind == Kind::AlterTable);
            for table in altered.filter_map(|one| one.defines.as_ref()) {
                let same = |known: &&mut CreatedTable| RelationName::of(&known.name).may_be(table);
                if known::changes_columns(text) {
                    self.created.iter_mut().filter(same).for_each(|known| known.columns = None);
                }
            }
        }
        if self.created.is_empty() && self.relations.is_some() {
            let message = format!("{} creates no table", schema.tables.get_ref());
            self.push(source, &schema.tables, message);
        }
        let whole = schema.whole.as_ref().is_some_and(|whole| *whole.get_ref());
        Some((tables, indexes, whole))
    }

    /// The tables that are filled, in the order of the file.
    pub(super) fn tables(&mut self) -> Vec<Table> {
        let Some((source, section)) = self.files.section(|file| file.table.as_ref()) else {
            return Vec::new();
        };
        // A reference may point ahead, so all names come first.
        for table in section.get_ref() {
            let holds = |value: &Spanned<wire::Value>| Holds::of(value.get_ref());
            let columns = table.columns.iter().map(|(c, v)| (c.get_ref().clone(), holds(v)));
            let filled = Filled { rows: *table.rows.get_ref(), columns: columns.collect() };
            if self.filled.insert(table.name.get_ref().clone(), filled).is_some() {
                let message = format!("there are two tables `{}`", table.name.get_ref());
                self.push(source, &table.name, message);
            }
        }
        section.get_ref().iter().map(|table| self.table(source, table)).collect()
    }

    fn table(&mut self, source: &Source, table: &wire::Table) -> Table {
        let rows = self.within(source, "rows", &table.rows, 0..=ROWS_MAX);
        if !self.created.is_empty() {
            self.created_column(source, &table.name, None);
        }
        self.shared(source, &table.columns);
        self.within = Some(table.name.get_ref().clone());
        let mut columns = Vec::new();
        for (name, value) in &table.columns {
            if super::find_created(&self.created, table.name.get_ref()).is_some() {
                self.created_column(source, &table.name, Some(name));
            }
            if let Some(generator) = only_generator(self, source, value) {
                let null_fraction = self.null_fraction(source, value.get_ref());
                let null_with = value.get_ref().null_with.as_ref().map(|w| w.get_ref().clone());
                let name = name.get_ref().clone();
                let column = Column { name, null_fraction, null_with, generator };
                columns.push((value.span().start, column));
            }
        }
        self.within = None;
        // In the order of the file, which is how their author thinks of them.
        columns.sort_by_key(|(start, _)| *start);
        let columns: Vec<Column> = columns.into_iter().map(|(_, column)| column).collect();
        let asked = table.asked.as_ref().map(|asked| self.asked(source, rows, asked));
        let unfilled = self.unfilled(source, table, &columns);
        let (name, fitted) = (table.name.get_ref().clone(), table.fitted.clone());
        Table { name, rows, columns, asked, unfilled, fitted }
    }

    fn unfilled(
        &mut self,
        source: &Source,
        table: &wire::Table,
        columns: &[Column],
    ) -> BTreeMap<String, String> {
        for name in table.unfilled.keys() {
            let own = columns.iter().find(|column| column.name == *name.get_ref());
            if own.is_some_and(|column| !column.is_null()) {
                let message = format!("`{}` has values by its generator", name.get_ref());
                self.push_with(source, name, message, "leave it out of `unfilled`");
            } else if super::find_created(&self.created, table.name.get_ref()).is_some() {
                self.created_column(source, &table.name, Some(name));
            }
        }
        let of = |(name, why): (&Spanned<String>, &Spanned<String>)| {
            (name.get_ref().clone(), why.get_ref().clone())
        };
        table.unfilled.iter().map(of).collect()
    }

    fn asked(&mut self, source: &Source, rows: u64, asked: &wire::Asked) -> AskedRows {
        let of = *asked.rows.get_ref();
        if of <= rows {
            let message = format!("{of} rows were asked for, and `rows` = {rows} are not fewer");
            self.push_with(source, &asked.rows, message, "leave `asked` out");
        }
        if asked.why.get_ref().is_empty() {
            self.push(source, &asked.why, "it has to say why there are fewer rows");
        }
        AskedRows { rows: of, why: asked.why.get_ref().clone() }
    }

    pub(super) fn null_fraction(&mut self, source: &Source, value: &wire::Value) -> f64 {
        match &value.null_fraction {
            Some(fraction) => self.within(source, "null_fraction", fraction, 0.0..=1.0),
            None => 0.0,
        }
    }

    /// Reports a group of NULLs where there are no columns to group.
    pub(super) fn no_null_with(&mut self, source: &Source, value: &Spanned<wire::Value>) {
        if let Some(with) = &value.get_ref().null_with {
            let remedy = "it goes with columns of a table; references of the same `row` are NULL \
                          together";
            self.push_with(source, with, "`null_with` has no place here", remedy);
        }
    }

    /// Generators of what has no NULLs and follows nothing: an invariant's parameters.
    pub(super) fn plain_generators(
        &mut self,
        source: &Source,
        params: &wire::Named<wire::Value>,
    ) -> BTreeMap<String, super::super::Generator> {
        let mut generators = BTreeMap::new();
        for (name, value) in params {
            if let Some(fraction) = &value.get_ref().null_fraction {
                self.push(source, fraction, "`null_fraction` has no place here");
            }
            self.no_null_with(source, value);
            if let Some(generator) = only_generator(self, source, value) {
                generators.insert(name.get_ref().clone(), generator);
            }
        }
        generators
    }
}
