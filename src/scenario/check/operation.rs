//! Checks operations: their SQL, their parameters, and what the ledger remembers of them.

use std::collections::BTreeMap;

use toml::Spanned;

use super::super::problem::{Source, known_names};
use super::super::sql::Sql;
use super::super::traffic::returns_row_of;
use super::super::wire::{self, Ledger};
use super::super::{Follow, LedgerRule, OperationSpec, OperationStatement, Parameter};
use super::Checker;
use super::generator::{generator, only_generator};
use super::sql::Uses;

/// A weight beyond this is a rate that was put into the wrong key.
const WEIGHT_MAX: f64 = 1_000_000.0;
/// A follower that waits longer than a trial follows nothing.
const AFTER_MS_MAX: u64 = 3_600_000;

impl Checker<'_> {
    pub(super) fn operations(&mut self) -> Vec<OperationSpec> {
        let Some((source, section)) = self.files.section(|file| file.operation.as_ref()) else {
            self.missing_section("[[operation]]");
            return Vec::new();
        };
        if section.get_ref().is_empty() {
            self.push(source, section, "there is no operation");
        }
        let all = section.get_ref();
        let mut seen = Vec::new();
        for operation in all {
            self.unique_name(source, &operation.name, &mut seen);
        }
        all.iter().map(|operation| self.operation(source, operation, all)).collect()
    }

    fn operation(
        &mut self,
        source: &Source,
        operation: &wire::Operation,
        all: &[wire::Operation],
    ) -> OperationSpec {
        let weight = *operation.weight.get_ref();
        if !(weight > 0.0 && weight <= WEIGHT_MAX) {
            let message = format!("`weight` = {weight} is out of range");
            let remedy = format!("right would be above 0 and at most {WEIGHT_MAX}");
            self.push_with(source, &operation.weight, message, remedy);
        }
        let known: Vec<&str> = operation.params.keys().map(|k| k.get_ref().as_str()).collect();
        let mut uses = Uses::new();
        let statements = self.operation_statements(source, operation, &known, &mut uses);
        if !statements.is_empty() {
            self.unused_parameters(source, &operation.params, &uses);
        }
        self.shared(source, &operation.params);
        let mut parameters = BTreeMap::new();
        for (name, value) in &operation.params {
            if let Some(parameter) = self.parameter(source, value, all) {
                parameters.insert(name.get_ref().clone(), parameter);
            }
        }
        let ledger = operation.ledger.as_ref().and_then(|l| self.ledger(source, l, &known));
        if let (Some(rule), Some(given)) = (&ledger, &operation.ledger) {
            self.returned_key(source, given, rule, &statements);
        }
        let on = self.runs_on(source, operation, &statements);
        let name = operation.name.get_ref().clone();
        OperationSpec { name, weight, statements, parameters, ledger, on }
    }

    fn operation_statements(
        &mut self,
        source: &Source,
        operation: &wire::Operation,
        known: &[&str],
        uses: &mut Uses,
    ) -> Vec<OperationStatement> {
        let places =
            [operation.sql.is_some(), operation.statements.is_some(), operation.file.is_some()];
        let name = operation.name.get_ref();
        if places.into_iter().filter(|place| *place).count() != 1 {
            let message = format!("operation `{name}` needs its SQL in exactly one place");
            let remedy = "right would be one of `sql`, `statements` and `file`";
            self.push_with(source, &operation.name, message, remedy);
            return Vec::new();
        }
        let problems = self.problems.len();
        let mut statements = Vec::new();
        for sql in operation.sql.iter().chain(operation.statements.iter().flatten()) {
            statements.extend(self.traffic_statements(&Sql::inline(source, sql), known, uses));
        }
        if let Some(path) = &operation.file
            && let Some(file) = self.open(source, path)
        {
            statements.extend(self.traffic_statements(&Sql::file(&file), known, uses));
        }
        if statements.is_empty() && self.problems.len() == problems {
            let message = format!("operation `{name}` has no statement");
            self.push(source, &operation.name, message);
        }
        statements
    }

    /// What is prepared before the change: its names are those of the schema.
    fn traffic_statements(
        &mut self,
        sql: &Sql<'_>,
        known: &[&str],
        uses: &mut Uses,
    ) -> Vec<OperationStatement> {
        for piece in sql.pieces().unwrap_or_default() {
            self.names_are_known(sql, &piece);
        }
        self.named_statements(sql, known, uses)
    }

    pub(super) fn unused_parameters(
        &mut self,
        source: &Source,
        params: &wire::Named<wire::Value>,
        uses: &Uses,
    ) {
        for name in params.keys().filter(|name| !uses.contains(name.get_ref())) {
            let message = format!("no statement uses the parameter `{}`", name.get_ref());
            let remedy = format!("write ${} where it belongs, or leave it out", name.get_ref());
            self.push_with(source, name, message, remedy);
        }
    }

    fn parameter(
        &mut self,
        source: &Source,
        value: &Spanned<wire::Value>,
        all: &[wire::Operation],
    ) -> Option<Parameter> {
        self.no_null_with(source, value);
        let Some(follow) = &value.get_ref().follow else {
            let null_fraction = self.null_fraction(source, value.get_ref());
            let generator = generator(self, source, value)?;
            return Some(Parameter::Generated { generator, null_fraction });
        };
        if let Some(fraction) = &value.get_ref().null_fraction {
            self.push(source, fraction, "`null_fraction` has no place beside `follow`");
        }
        let follow = follow.get_ref();
        let after_ms = self.within(source, "after_ms", &follow.after_ms, 0..=AFTER_MS_MAX);
        let (operation, param) = (follow.operation.get_ref(), follow.param.get_ref());
        match all.iter().find(|candidate| candidate.name.get_ref() == operation) {
            None => {
                let message = format!("no operation `{operation}`");
                let known = all.iter().map(|candidate| candidate.name.get_ref().as_str());
                let remedy = known_names(operation, "operations", known);
                self.push_with(source, &follow.operation, message, remedy);
            }
            Some(followed) if !has_parameter(followed, param) => {
                let message = format!("operation `{operation}` has no parameter `{param}`");
                let known = followed.params.keys().map(|name| name.get_ref().as_str());
                let remedy = known_names(param, "parameters", known);
                self.push_with(source, &follow.param, message, remedy);
            }
            Some(_) => {}
        }
        let otherwise = only_generator(self, source, &follow.otherwise)?;
        let (operation, parameter) = (operation.clone(), param.clone());
        Some(Parameter::Follow(Follow { operation, parameter, after_ms, otherwise }))
    }

    fn ledger(
        &mut self,
        source: &Source,
        ledger: &Spanned<Ledger>,
        params: &[&str],
    ) -> Option<LedgerRule> {
        let Ledger { insert, update, delete } = ledger.get_ref();
        match (insert, update, delete) {
            (Some(insert), None, None) => {
                let insert = insert.get_ref();
                self.created_column(source, &insert.table, Some(&insert.key));
                if let Some(param) = &insert.param {
                    self.known_parameter(source, param, params);
                }
                Some(LedgerRule::Insert {
                    table: insert.table.get_ref().clone(),
                    key_column: insert.key.get_ref().clone(),
                    key_parameter: insert.param.as_ref().map(|param| param.get_ref().clone()),
                    set: self.ledger_set(source, &insert.table, &insert.set, params),
                })
            }
            (None, None, Some(delete)) => {
                let delete = delete.get_ref();
                self.created_column(source, &delete.table, Some(&delete.key));
                self.known_parameter(source, &delete.param, params);
                Some(LedgerRule::Delete {
                    table: delete.table.get_ref().clone(),
                    key_column: delete.key.get_ref().clone(),
                    key_parameter: delete.param.get_ref().clone(),
                })
            }
            (None, Some(update), None) => {
                let update = update.get_ref();
                self.created_column(source, &update.table, Some(&update.key));
                self.known_parameter(source, &update.param, params);
                Some(LedgerRule::Update {
                    table: update.table.get_ref().clone(),
                    key_column: update.key.get_ref().clone(),
                    key_parameter: update.param.get_ref().clone(),
                    set: self.ledger_set(source, &update.table, &update.set, params),
                })
            }
            _ => {
                let remedy = "right would be one of `insert`, `update` and `delete`";
                self.push_with(source, ledger, "a ledger is for one kind of write", remedy);
                None
            }
        }
    }

    /// Which parameter's value each column holds after the write.
    fn ledger_set(
        &mut self,
        source: &Source,
        table: &Spanned<String>,
        written: &wire::Named<String>,
        params: &[&str],
    ) -> BTreeMap<String, String> {
        let mut set = BTreeMap::new();
        for (column, param) in written {
            self.created_column(source, table, Some(column));
            self.known_parameter(source, param, params);
            set.insert(column.get_ref().clone(), param.get_ref().clone());
        }
        set
    }

    /// Without a parameter for it, one statement inserts into the table and returns the key.
    fn returned_key(
        &mut self,
        source: &Source,
        given: &Spanned<Ledger>,
        rule: &LedgerRule,
        statements: &[OperationStatement],
    ) {
        let LedgerRule::Insert { table, key_column, key_parameter: None, .. } = rule else {
            return;
        };
        let returning = statements.iter().filter(|one| returns_row_of(&one.sql, table));
        if !statements.is_empty() && returning.count() != 1 {
            let message = format!("no statement says which `{key_column}` the new row has");
            let remedy = format!(
                "name the parameter that holds it (`param`), or write one \
                 INSERT INTO {table} … RETURNING {key_column}"
            );
            self.push_with(source, given, message, remedy);
        }
    }

    fn known_parameter(&mut self, source: &Source, name: &Spanned<String>, params: &[&str]) {
        if !params.contains(&name.get_ref().as_str()) {
            let message = format!("no parameter `{}` under params", name.get_ref());
            let remedy = known_names(name.get_ref(), "parameters", params.iter().copied());
            self.push_with(source, name, message, remedy);
        }
    }
}

/// Whether the operation has the parameter, or its statement returns what goes by its name.
fn has_parameter(operation: &wire::Operation, name: &String) -> bool {
    let insert = operation.ledger.as_ref().and_then(|ledger| ledger.get_ref().insert.as_ref());
    let insert = insert.map(Spanned::get_ref).filter(|insert| insert.param.is_none());
    operation.params.contains_key(&Spanned::new(0..0, name.clone()))
        || insert.is_some_and(|insert| *name == format!("returning {}", insert.key.get_ref()))
}
