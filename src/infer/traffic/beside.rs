//! What triggers do beside the statements of the application.

use std::collections::BTreeSet;

use crate::pg::words::{names, words};

use super::super::{Catalogue, Table};

/// Words of the functions that triggers call, and of those that these call.
#[derive(Debug, Default)]
pub struct Beside {
    words: BTreeSet<String>,
    /// A function does what its text does not show.
    hidden: bool,
}

impl Beside {
    /// Of writes to these tables, and of what they lead to.
    pub fn of<'a>(catalogue: &'a Catalogue, tables: impl Iterator<Item = &'a Table>) -> Beside {
        let mut beside = Beside::default();
        let mut reached: Vec<&Table> = tables.collect();
        let mut known = BTreeSet::new();
        let mut called = BTreeSet::new();
        loop {
            let before = beside.words.len();
            for table in reached.iter().filter(|table| known.insert(table.oid)) {
                for trigger in &table.triggers {
                    let arguments = trigger.arguments.iter().map(|word| word.to_lowercase());
                    beside.words.extend(arguments);
                    beside.words.insert(trigger.function.to_lowercase());
                }
            }
            for (at, function) in catalogue.functions.iter().enumerate() {
                if beside.names(&function.name) && called.insert(at) {
                    beside.call(function.source.as_deref());
                }
            }
            reached = catalogue.tables.iter().filter(|table| beside.names(&table.name)).collect();
            if beside.words.len() == before {
                return beside;
            }
        }
    }

    fn call(&mut self, source: Option<&str>) {
        let Some(source) = source else {
            self.hidden = true;
            return;
        };
        self.words.extend(words(source));
        self.hidden |= hides(source);
    }

    /// Whether all words of the name are among theirs.
    fn names(&self, name: &str) -> bool {
        names(&self.words, name)
    }

    /// Whether they may write the column of some table.
    pub fn may_set(&self, column: &str) -> bool {
        self.hidden || self.names(column)
    }

    /// Whether they may write rows of the table.
    pub fn may_write(&self, table: &Table) -> bool {
        self.hidden || self.names(&table.name)
    }

    /// Whether they take rows out of the table, as far as their text shows.
    pub fn takes_out(&self, table: &Table) -> bool {
        let takes = ["delete", "truncate"].iter().any(|word| self.names(word));
        takes && self.names(&table.name)
    }
}

/// Whether a function makes a statement whose text is not in it, other than an INSERT.
fn hides(source: &str) -> bool {
    let source = source.to_lowercase();
    source.match_indices("execute").any(|(at, word)| {
        let rest = source[at + word.len()..].trim_start();
        let rest = rest.strip_prefix("format").map_or(rest, |rest| rest.trim_start());
        let rest = rest.trim_start_matches(|c: char| c == '(' || c == '\'' || c.is_whitespace());
        !rest.starts_with("insert ") || source.contains("conflict")
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::{Function, Trigger};
    use super::*;

    fn catalogue() -> Catalogue {
        let table = |oid, name: &str, function: Option<&str>| {
            let trigger = |function: &str| Trigger {
                name: "after".to_owned(),
                function: function.to_owned(),
                arguments: Vec::new(),
            };
            let triggers = function.map(trigger).into_iter().collect();
            Table { oid, name: name.to_owned(), triggers, ..Table::default() }
        };
        let function = |name: &str, source: Option<&str>| Function {
            name: name.to_owned(),
            source: source.map(str::to_owned),
        };
        Catalogue {
            tables: vec![
                table(1, "payments", Some("paid")),
                table(2, "Orders", Some("logged")),
                table(3, "log", None),
                table(4, "stock", Some("in_c")),
            ],
            functions: vec![
                function("paid", Some("BEGIN PERFORM settle(NEW.order_id); END")),
                function("settle", Some("UPDATE \"Orders\" SET status = 'paid' WHERE id = $1")),
                function("logged", Some("INSERT INTO log VALUES (NEW.id)")),
                function("in_c", None),
            ],
            ..Catalogue::default()
        }
    }

    #[test]
    fn functions_and_tables_are_followed() {
        let catalogue = catalogue();
        let beside = Beside::of(&catalogue, catalogue.tables.iter().take(1));
        assert!(beside.may_set("status") && !beside.may_set("total"));
        assert!(beside.may_set("log") && !beside.may_set("stock"));
        assert!(!beside.takes_out(&catalogue.tables[1]));
    }

    #[test]
    fn a_statement_that_is_made_may_do_anything_unless_it_inserts() {
        assert!(!hides("EXECUTE format('INSERT INTO %I (id) VALUES ($1)', t) USING NEW.id;"));
        assert!(hides("EXECUTE format('UPDATE %I SET a = 1', t);"));
        assert!(hides("EXECUTE q; INSERT INTO log VALUES (1);"));
        assert!(!hides("UPDATE t SET a = 1;"));
    }

    #[test]
    fn a_function_without_a_text_may_do_anything() {
        let catalogue = catalogue();
        let beside = Beside::of(&catalogue, catalogue.tables.iter().skip(3));
        assert!(beside.may_set("total"));
    }
}
