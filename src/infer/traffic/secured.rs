//! Operations on tables with row security: before a statement, the settings that policies read get
//! the values of the row that the statement is about, as an application's middleware does.
//!
//! Whether that lets it in is tried afterwards, as the application's role.

use std::collections::BTreeSet;

use crate::pg::quote_literal;
use crate::scenario::{Follow, Generator, Parameter, Table as SeededTable};

use super::super::policies::{self, Setting, SettingValue};
use super::super::{Catalogue, Column, Inferred, Oid, Table};
use super::draft::Draft;
use super::subject::{Subject, as_parameter, is_of_row, referring};

/// What settings are resolved in.
pub struct World<'s, 'a> {
    pub catalogue: &'a Catalogue,
    pub inferred: &'a Inferred,
    pub subjects: &'s [Subject<'a>],
}

/// A setting's parts: keys of a JSON object, or one text, as SQL.
type Parts = Vec<(Option<String>, String)>;

impl World<'_, '_> {
    /// Gives the settings their values before each statement that needs them. `others`: what may be
    /// followed. Gives what it takes to be let in, where row security is on.
    pub fn apply(&self, draft: &mut Draft, others: &[&Draft]) -> Option<String> {
        let used = draft.used();
        let secured = |oid: &Oid| {
            let own = self.subjects.iter().find(|subject| subject.table.oid == *oid)?;
            own.table.row_security.then_some(own)
        };
        let first = used.iter().flatten().find_map(secured)?;
        let mut shown = Vec::new();
        let mut added = 0;
        for (place, tables) in used.iter().enumerate() {
            let mut settings: Vec<&Setting> = Vec::new();
            for setting in tables.iter().filter_map(secured).flat_map(|own| &own.settings) {
                let same = |known: &&&Setting| {
                    (&known.name, &known.member) == (&setting.name, &setting.member)
                };
                if !settings.iter().any(|known| same(&known)) {
                    settings.push(setting);
                }
            }
            let values = settings.into_iter().filter_map(|setting| {
                let value = match &setting.value {
                    SettingValue::Constant(text) => Err(text.clone()),
                    SettingValue::Column(table, number) => {
                        Ok(self.parameter(draft, others, (*table, *number))?)
                    }
                };
                Some((setting, value))
            });
            let (sql, placeholders) = statement(values.collect());
            // What was set for the statement before holds for this one.
            let new = shown.last() != Some(&(sql.clone(), placeholders.clone()));
            if !sql.is_empty() && new {
                draft.before(place + added, sql.clone(), placeholders.clone());
                shown.push((sql, placeholders));
                added += 1;
            }
        }
        Some(policies::remedy(self.catalogue, first.table))
    }

    /// The parameter with the value of a column that the operation's rows have.
    fn parameter(
        &self,
        draft: &mut Draft,
        others: &[&Draft],
        (oid, number): (Oid, i16),
    ) -> Option<String> {
        if let Some(known) = draft.holds(oid, number) {
            return Some(known.to_owned());
        }
        let (table, seeded, column) = self.column(oid, number)?;
        if let Some(known) = referred(draft, table, number) {
            return Some(known);
        }
        let filled = seeded.columns.iter().find(|known| known.name == column.name)?;
        if let Some((operation, after_ms)) = draft.follows.clone() {
            let followed = others.iter().find(|other| other.name() == operation)?;
            let parameter = followed.holds(oid, number)?.to_owned();
            let otherwise = as_parameter(&filled.generator);
            let follow = Follow { operation, parameter, after_ms, otherwise };
            return Some(self.hold(draft, (oid, column), Parameter::Follow(follow)));
        }
        let drawn = |generator| Parameter::Generated { generator, null_fraction: 0.0 };
        let row = draft.rows.iter().find(|(table, ..)| *table == oid).cloned();
        let named = row.or_else(|| self.referring(draft, oid)).filter(|_| is_of_row(filled));
        let generator = match named {
            Some((_, row, newest)) => {
                referring(&seeded.name, &column.name, newest, Some(&row), None)
            }
            None if is_of_row(filled) => referring(&seeded.name, &column.name, 1.0, None, None),
            None => as_parameter(&filled.generator),
        };
        Some(self.hold(draft, (oid, column), drawn(generator)))
    }

    fn hold(&self, draft: &mut Draft, of: (Oid, &Column), parameter: Parameter) -> String {
        let name = draft.apart(&of.1.name, parameter);
        draft.hold(of.0, of.1.number, &name);
        name
    }

    /// The row of a table that a parameter refers to: it gets a name.
    fn referring(&self, draft: &mut Draft, oid: Oid) -> Option<(Oid, String, f64)> {
        let target = self.catalogue.table(oid)?.seeded_name();
        let tables: BTreeSet<Oid> = draft.used().into_iter().flatten().collect();
        let tables = tables.into_iter().filter_map(|oid| self.catalogue.table(oid));
        for table in tables {
            let keys = table.constraints.iter().filter(|key| {
                let to = key.refers.as_ref().map(|refers| refers.table);
                key.columns.len() == 1 && to == Some(oid)
            });
            for key in keys {
                let held = key.columns.first().and_then(|n| draft.holds(table.oid, *n));
                let Some(name) = held.map(str::to_owned) else { continue };
                let Some(Generator::Reference { table: to, row, newest, .. }) = draft.drawn(&name)
                else {
                    continue;
                };
                if *to == target {
                    let row = row.get_or_insert_with(|| format!("row of {target}")).clone();
                    return Some((oid, row, *newest));
                }
            }
        }
        None
    }

    fn column(&self, oid: Oid, number: i16) -> Option<(&Table, &SeededTable, &Column)> {
        let table = self.catalogue.table(oid)?;
        let name = table.seeded_name();
        let seeded = self.inferred.tables.iter().find(|known| known.name == name)?;
        Some((table, seeded, table.column(number)?))
    }
}

/// The parameter that holds what a column refers to.
fn referred(draft: &Draft, table: &Table, number: i16) -> Option<String> {
    table.constraints.iter().find_map(|key| {
        let refers = key.refers.as_ref()?;
        let mut pairs = key.columns.iter().zip(&refers.columns);
        let (_, target) = pairs.find(|(own, _)| **own == number)?;
        draft.holds(refers.table, *target).map(str::to_owned)
    })
}

/// One call for each setting; empty: there is none. A value is a parameter's name, or a constant.
fn statement(values: Vec<(&Setting, Result<String, String>)>) -> (String, Vec<String>) {
    let mut placeholders: Vec<String> = Vec::new();
    let mut settings: Vec<(&str, Parts)> = Vec::new();
    for (setting, value) in values {
        let sql = match value {
            Ok(name) => {
                let known = placeholders.iter().position(|known| *known == name);
                let at = known.unwrap_or_else(|| {
                    placeholders.push(name);
                    placeholders.len() - 1
                });
                format!("${}::text", at + 1)
            }
            Err(text) => quote_literal(&text),
        };
        let part = (setting.member.clone(), sql);
        match settings.iter_mut().find(|(name, _)| *name == setting.name) {
            Some((_, parts)) => parts.push(part),
            None => settings.push((&setting.name, vec![part])),
        }
    }
    let call = |(name, parts): &(&str, Parts)| {
        let object = parts.iter().map(|(key, value)| {
            let key = key.as_deref().unwrap_or_default();
            format!("{}, {value}", quote_literal(key))
        });
        let value = match parts.as_slice() {
            [(None, value)] => value.clone(),
            _ => format!("json_build_object({})::text", object.collect::<Vec<_>>().join(", ")),
        };
        format!("set_config({}, {value}, true)", quote_literal(name))
    };
    let calls: Vec<String> = settings.iter().map(call).collect();
    let sql = match calls.is_empty() {
        true => String::new(),
        false => format!("SELECT {}", calls.join(", ")),
    };
    (sql, placeholders)
}
