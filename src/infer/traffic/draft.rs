//! An operation that is being written: statements with parameters, each parameter named once.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::scenario::{
    Follow, Generator, LedgerRule, OperationSpec, OperationStatement, Parameter,
};

#[derive(Clone, Debug)]
pub struct Draft {
    name: String,
    statements: Vec<OperationStatement>,
    parameters: BTreeMap<String, Parameter>,
    pub ledger: Option<LedgerRule>,
    /// Tables and columns that its updates change.
    pub changes: Vec<(String, String)>,
}

impl Draft {
    /// `name` in words that a person types: letters, digits and hyphens.
    pub fn new(name: &str) -> Draft {
        let (statements, parameters, changes) = (Vec::new(), BTreeMap::new(), Vec::new());
        Draft { name: plain(name, '-'), statements, parameters, ledger: None, changes }
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
        OperationSpec { name, weight, statements, parameters, ledger }
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
