//! Queries as operations of a scenario.

use std::collections::{BTreeMap, BTreeSet};

use crate::pg::facts::{self, ParameterUse, RelationName, Usage, Uses};
use crate::scenario::{On, OperationSpec, OperationStatement, Parameter};

use super::super::catalogue::{Catalogue, Oid};
use super::super::settle::Inferred;
use super::super::traffic::subject::subjects;
use super::super::traffic::{Drawn, plain};
use super::insert::{NewRow, NewValues, is_new, new_values, rows_of};
use super::ledger::rule;
use super::statement::{Query, QueryStatement};
use super::values::{Found, World};

/// Weight where a file says none.
const WEIGHT_DEFAULT: u32 = 1;

/// What came of queries.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Written {
    /// Operations, with the position of their query.
    pub operations: Vec<(usize, OperationSpec)>,
    /// Positions of queries that cannot be used, and why.
    pub refused: Vec<(usize, String)>,
}

/// Queries whose statements' parameters have these types (by query, by statement) as operations
/// over what the seed puts into the tables.
pub fn operations(
    catalogue: &Catalogue,
    inferred: &Inferred,
    rng_seed: u64,
    queries: &[(usize, &Query, Vec<Vec<Oid>>)],
) -> Written {
    let every: Vec<Oid> = catalogue.tables.iter().map(|table| table.oid).collect();
    let subjects = subjects(catalogue, inferred, &every, &mut Vec::new());
    let world = World { catalogue, subjects: &subjects, rng_seed };
    let mut written = Written::default();
    for (at, query, types) in queries {
        match Reading::of(&world, query, types).operation() {
            Ok(operation) => written.operations.push((*at, operation)),
            Err(why) => written.refused.push((*at, why)),
        }
    }
    written
}

/// A query whose statements have been read.
struct Reading<'a> {
    world: &'a World<'a>,
    query: &'a Query,
    types: &'a [Vec<Oid>],
    /// What each statement does.
    uses: Vec<Uses>,
    /// The tables that each names.
    tables: Vec<Vec<RelationName>>,
}

/// A use of a parameter, with the column that it is of.
struct Used<'a> {
    usage: Usage,
    oid: Oid,
    found: Option<Found<'a>>,
}

impl<'a> Reading<'a> {
    fn of(world: &'a World<'a>, query: &'a Query, types: &'a [Vec<Oid>]) -> Reading<'a> {
        let uses = |statement: &QueryStatement| facts::parameters(&statement.sql);
        let tables = |statement: &QueryStatement| {
            let facts = facts::facts(&statement.sql);
            facts.named_locks().map(|(name, _)| name.clone()).collect()
        };
        Reading {
            world,
            query,
            types,
            uses: query.statements.iter().map(|s| uses(s).unwrap_or_default()).collect(),
            tables: query.statements.iter().map(tables).collect(),
        }
    }

    fn operation(&self) -> Result<OperationSpec, String> {
        let added = self.added();
        let new = new_values(self.world, &added)?;
        let rows = self.same_rows();
        let mut names: BTreeMap<&str, String> = BTreeMap::new();
        let mut parameters = BTreeMap::new();
        let mut statements = Vec::new();
        for (at, statement) in self.query.statements.iter().enumerate() {
            let mut placeholders = Vec::new();
            for parameter in &statement.parameters {
                let key = parameter.key.as_str();
                if let Some(known) = names.get(key) {
                    placeholders.push(known.clone());
                    continue;
                }
                let used = self.used(key);
                let wanted = parameter.name.clone().unwrap_or_else(|| name_of(&used));
                let drawn = self.drawn(at, key, parameter.name.as_deref(), &used, &new, &rows)?;
                let name = free(&parameters, &plain(&wanted, '_'));
                let Drawn { generator, null_fraction } = drawn;
                let drawn = Parameter::Generated { generator, null_fraction };
                parameters.insert(name.clone(), drawn);
                names.insert(key, name.clone());
                placeholders.push(name);
            }
            let sql = statement.sql.clone();
            statements.push(OperationStatement { sql, placeholders, place: None });
        }
        let weight = f64::from(self.query.weight.unwrap_or(WEIGHT_DEFAULT));
        let name = self.query.name.clone();
        let ledger = rule(&added, &new, &names, &statements);
        Ok(OperationSpec { name, weight, statements, parameters, ledger, on: On::Primary })
    }

    fn added(&self) -> Vec<NewRow<'a>> {
        let mut rows = Vec::new();
        for (at, statement) in self.query.statements.iter().enumerate() {
            let label = format!("{} {at}", self.query.name);
            let inserts = &self.uses[at].inserts;
            rows.extend(rows_of(self.world, statement, &self.types[at], inserts, &label));
        }
        rows
    }

    /// What is done with a parameter, in the order in which uses decide on its values.
    fn used(&self, key: &str) -> Vec<Used<'a>> {
        let mut found = Vec::new();
        for (statement, uses) in self.uses.iter().enumerate() {
            for used in &uses.parameters {
                if self.key(statement, used) == Some(key) {
                    found.push(Used {
                        usage: used.usage,
                        oid: self.oid(statement, used.number),
                        found: self.world.find(&used.columns),
                    });
                }
            }
        }
        found.sort_by_key(|used| used.usage);
        found
    }

    fn key(&self, statement: usize, used: &ParameterUse) -> Option<&str> {
        let parameters = &self.query.statements[statement].parameters;
        Some(parameters.get(used.number.checked_sub(1)?)?.key.as_str())
    }

    fn oid(&self, statement: usize, number: usize) -> Oid {
        let of = self.types.get(statement);
        number.checked_sub(1).and_then(|at| of?.get(at)).copied().unwrap_or_default()
    }

    /// Parameters that name one row together: those of one table, by their keys.
    fn same_rows(&self) -> BTreeMap<String, String> {
        let mut groups: BTreeMap<(usize, usize), BTreeSet<&str>> = BTreeMap::new();
        for (statement, uses) in self.uses.iter().enumerate() {
            for used in uses.parameters.iter().filter(|used| used.usage == Usage::Equal) {
                let Some(found) = self.world.find(&used.columns) else { continue };
                let Some(key) = self.key(statement, used) else { continue };
                if found.subject.is_by_row(found.column) {
                    groups.entry((statement, found.item)).or_default().insert(key);
                }
            }
        }
        let mut rows = BTreeMap::new();
        for ((statement, item), keys) in groups.into_iter().filter(|(_, keys)| keys.len() > 1) {
            for key in keys {
                let name = format!("row {} of statement {}", item + 1, statement + 1);
                rows.entry(key.to_owned()).or_insert(name);
            }
        }
        rows
    }

    fn drawn(
        &self,
        statement: usize,
        key: &str,
        name: Option<&str>,
        used: &[Used<'a>],
        new: &NewValues,
        rows: &BTreeMap<String, String>,
    ) -> Result<Drawn, String> {
        // A key that a statement adds is the same one wherever else it is named.
        if let Some(drawn) = new.get(key).filter(|drawn| is_new(drawn)) {
            return Ok(drawn.clone());
        }
        for used in used {
            if used.usage == Usage::Inserted
                && let Some(drawn) = new.get(key)
            {
                return Ok(drawn.clone());
            }
            let together = rows.get(key).filter(|_| used.usage == Usage::Equal);
            let together = together.map(String::as_str);
            if let Some(drawn) = self.world.by_use(used.usage, used.found, used.oid, together) {
                return Ok(drawn);
            }
        }
        let parameters = &self.query.statements[statement].parameters;
        let number = parameters.iter().position(|parameter| parameter.key == key).unwrap_or(0) + 1;
        let oid = self.oid(statement, number);
        let tables = &self.tables[statement];
        let named = name.and_then(|name| self.world.by_name(tables, name));
        let by_name =
            named.and_then(|found| self.world.by_use(Usage::Equal, Some(found), oid, None));
        let of = used.iter().find_map(|used| used.found).map(|found| found.column.name.as_str());
        let column = of.or(name).unwrap_or_default();
        by_name.or_else(|| self.world.by_type(oid, column)).ok_or_else(|| {
            let shown = self.world.catalogue.type_of(oid).map_or("unknown", |t| t.shown.as_str());
            let shown_name = name.map_or_else(|| format!("${number}"), |name| format!(":{name}"));
            format!(
                "no value of type {shown} is known for {shown_name}: write a constant in its \
                     place"
            )
        })
    }
}

/// The name of a parameter that has only a number.
fn name_of(used: &[Used<'_>]) -> String {
    match used.first() {
        Some(Used { usage: Usage::Limit, .. }) => "limit".to_owned(),
        Some(Used { usage: Usage::Offset, .. }) => "offset".to_owned(),
        Some(Used { found: Some(found), .. }) => found.column.name.clone(),
        _ => "value".to_owned(),
    }
}

fn free(known: &BTreeMap<String, Parameter>, wanted: &str) -> String {
    let mut names = (1_u32..).map(|n| match n {
        1 => wanted.to_owned(),
        n => format!("{wanted}_{n}"),
    });
    names.find(|name| !known.contains_key(name)).unwrap_or_default()
}
