//! An operation that is being written: statements with parameters, each parameter named once.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::scenario::{
    Follow, Generator, LedgerRule, On, OperationSpec, OperationStatement, Parameter,
};

use super::super::{Column, Oid};

#[derive(Clone, Debug)]
pub struct Draft {
    name: String,
    statements: Vec<OperationStatement>,
    parameters: BTreeMap<String, Parameter>,
    pub ledger: Option<LedgerRule>,
    /// Tables and columns that its updates change.
    pub changes: Vec<(String, String)>,
    /// Tables that its statements read or write, by the statement's place.
    tables: Vec<(usize, Oid)>,
    /// Columns whose values parameters hold, by table and number.
    held: Vec<(Oid, i16, String)>,
    /// Tables of which it names a row: by what the parameters of its columns are drawn together,
    /// and of which share of the newest rows.
    pub rows: Vec<(Oid, String, f64)>,
    /// The operation whose row it goes on with, and how long after.
    pub follows: Option<(String, u64)>,
}

impl Draft {
    /// `name` in words that a person types: letters, digits and hyphens.
    pub fn new(name: &str) -> Draft {
        Draft {
            name: plain(name, '-'),
            statements: Vec::new(),
            parameters: BTreeMap::new(),
            ledger: None,
            changes: Vec::new(),
            tables: Vec::new(),
            held: Vec::new(),
            rows: Vec::new(),
            follows: None,
        }
    }

    /// Begins the next statement.
    pub fn statement(&mut self, sql: &str) -> &mut Draft {
        let (sql, placeholders) = (sql.to_owned(), Vec::new());
        self.statements.push(OperationStatement { sql, placeholders, place: None });
        self
    }

    /// Appends to the statement that was begun last.
    pub fn sql(&mut self, sql: &str) -> &mut Draft {
        if let Some(statement) = self.statements.last_mut() {
            statement.sql.push_str(sql);
        }
        self
    }

    /// Appends a parameter, named after the column; gives the name under which it is known.
    pub fn parameter(&mut self, column: &str, drawn: &Drawn) -> String {
        let name = self.free_name(&plain(column, '_'));
        let Drawn { generator, null_fraction } = drawn.clone();
        self.add(name.clone(), Parameter::Generated { generator, null_fraction });
        name
    }

    /// Appends a parameter with the value of a column.
    pub fn column(&mut self, table: Oid, column: &Column, drawn: &Drawn) -> String {
        let name = self.parameter(&column.name, drawn);
        self.hold(table, column.number, &name);
        name
    }

    /// A parameter holds the value of a column.
    pub fn hold(&mut self, table: Oid, number: i16, parameter: &str) {
        self.held.push((table, number, parameter.to_owned()));
    }

    /// The parameter that holds the value of a column.
    pub fn holds(&self, table: Oid, number: i16) -> Option<&str> {
        let held = self.held.iter().find(|(of, column, _)| (*of, *column) == (table, number));
        held.map(|(_, _, name)| name.as_str())
    }

    /// Where the value of a parameter comes from.
    pub fn drawn(&mut self, name: &str) -> Option<&mut Generator> {
        match self.parameters.get_mut(name) {
            Some(Parameter::Generated { generator, .. }) => Some(generator),
            _ => None,
        }
    }

    /// The statement that was begun last reads or writes a table.
    pub fn uses(&mut self, table: Oid) -> &mut Draft {
        self.tables.push((self.statements.len().saturating_sub(1), table));
        self
    }

    /// Tables that each statement reads or writes.
    pub fn used(&self) -> Vec<Vec<Oid>> {
        let of = |statement| {
            let own = self.tables.iter().filter(|(at, _)| *at == statement);
            own.map(|(_, table)| *table).collect()
        };
        (0..self.statements.len()).map(of).collect()
    }

    /// Puts a statement in front of that at a place; it holds these parameters.
    pub fn before(&mut self, place: usize, sql: String, placeholders: Vec<String>) {
        self.statements.insert(place, OperationStatement { sql, placeholders, place: None });
    }

    /// Makes a parameter that no statement holds yet.
    pub fn apart(&mut self, column: &str, parameter: Parameter) -> String {
        let name = self.free_name(&plain(column, '_'));
        self.parameters.insert(name.clone(), parameter);
        name
    }

    /// Appends a parameter that has the value of a finished operation's; `otherwise` where none has
    /// finished that long ago.
    pub fn following(&mut self, column: &str, follow: Follow) -> String {
        let name = self.free_name(&plain(column, '_'));
        self.add(name.clone(), Parameter::Follow(follow));
        name
    }

    fn add(&mut self, name: String, parameter: Parameter) {
        self.parameters.insert(name.clone(), parameter);
        if let Some(statement) = self.statements.last_mut() {
            statement.placeholders.push(name);
            let _ = write!(statement.sql, "${}", statement.placeholders.len());
        }
    }

    /// The operation's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    fn free_name(&self, wanted: &str) -> String {
        let names = (1..).map(|n| match n {
            1 => wanted.to_owned(),
            n => format!("{wanted}_{n}"),
        });
        names.into_iter().find(|name| !self.parameters.contains_key(name)).unwrap_or_default()
    }

    pub fn operation(self, weight: f64) -> OperationSpec {
        let Draft { name, statements, parameters, ledger, .. } = self;
        OperationSpec { name, weight, statements, parameters, ledger, on: On::Primary }
    }
}

/// Where a parameter's values come from.
#[derive(Clone, Debug)]
pub struct Drawn {
    pub generator: Generator,
    pub null_fraction: f64,
}

/// A name without what a parameter's or an operation's name may not hold.
pub fn plain(name: &str, joint: char) -> String {
    let kept = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { joint };
    let text: String = name.chars().map(kept).collect();
    let words: Vec<&str> = text.split(joint).filter(|word| !word.is_empty()).collect();
    let text = words.join(&joint.to_string());
    match text.chars().next() {
        Some(first) if first.is_ascii_alphabetic() => text,
        _ => format!("x{text}"),
    }
}
