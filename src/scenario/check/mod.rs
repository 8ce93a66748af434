//! From the wire types of a scenario and its base to the domain types, or to every problem.
//!
//! One checker goes through the sections and collects what is wrong; a section that is broken
//! does not hide what is wrong with the next. What a check needs of the disk are the SQL files
//! that the scenario names; nothing here connects.

mod accept;
mod background;
mod change;
mod command;
mod crash;
mod generator;
mod holds;
mod invariant;
mod known;
mod operation;
mod pool;
mod project;
mod reference;
mod replica;
mod search_path;
mod sizes;
mod sql;
mod state;
mod table;
mod traffic;
mod words;

use std::collections::BTreeMap;
use std::path::Path;

use toml::Spanned;

use crate::pg::facts::{CreatedTable, RelationName};

use self::holds::Holds;
use super::definition::{RNG_SEED_DEFAULT, Scenario, is_kebab_case};
use super::pool::Pools;
use super::problem::{Checked, Problem, Source, known_names};
use super::project::ProjectDefaults;
use super::wire::{self, File, ProjectFile};

/// The scenario's file and its base, if it has one.
#[derive(Clone, Copy)]
pub(super) struct Files<'a> {
    pub main: (&'a Source, &'a File),
    pub base: Option<(&'a Source, &'a File)>,
}

impl<'a> Files<'a> {
    /// A section and the file that holds it: the scenario's own, or else its base's.
    fn section<T>(&self, pick: impl Fn(&'a File) -> Option<&'a T>) -> Option<(&'a Source, &'a T)> {
        let of = |(source, file): (&'a Source, &'a File)| pick(file).map(|found| (source, found));
        of(self.main).or_else(|| self.base.and_then(of))
    }
}

/// Checks a scenario whose directory is `dir`.
pub(super) fn check(
    files: Files<'_>,
    name: &str,
    dir: &Path,
) -> Result<Checked<Scenario>, Vec<Problem>> {
    let mut checker = Checker::new(files);
    let scenario = checker.scenario(name, dir);
    let in_order = |mut found: Vec<Problem>| {
        found.sort_by_key(|p| (p.path != files.main.0.path, p.path.clone(), p.line, p.column));
        found.dedup();
        found
    };
    let (problems, notices) = (in_order(checker.problems), in_order(checker.notices));
    match scenario {
        Some(value) if problems.is_empty() => Ok(Checked { value, notices }),
        _ => Err(problems),
    }
}

/// A file that other scenarios build on says nothing that is a scenario's own to say.
pub(super) fn check_base(source: &Source, file: &File) -> Vec<Problem> {
    let own = [
        ("analysis", file.analysis.as_ref().map(Spanned::span)),
        ("base", file.base.as_ref().map(Spanned::span)),
        ("rng_seed", file.rng_seed.as_ref().map(Spanned::span)),
        ("change", file.change.as_ref().map(Spanned::span)),
        ("state", file.state.as_ref().map(Spanned::span)),
        ("crash", file.crash.as_ref().map(Spanned::span)),
        ("disturbance", file.disturbance.as_ref().map(Spanned::span)),
        ("condition", file.condition.as_ref().map(Spanned::span)),
        ("accept", file.accept.as_ref().map(Spanned::span)),
        ("expect", file.expect.as_ref().map(Spanned::span)),
    ];
    let problem = |(key, span): (&str, Option<_>)| {
        let message = format!("`{key}` has no place in a base");
        Some(source.problem(span?, message).remedy("it belongs into each scenario"))
    };
    let mut problems: Vec<Problem> = own.into_iter().filter_map(problem).collect();
    problems.sort_by_key(|p| (p.line, p.column));
    problems
}

/// The defaults that a pgauntlet.toml holds, or everything that is wrong with it.
pub(super) fn check_project(
    source: &Source,
    mut file: ProjectFile,
) -> Result<ProjectDefaults, Vec<Problem>> {
    let (pool, limits) = (file.pool.take(), file.limits.take());
    let sections = File { pool, limits, ..File::default() };
    let mut checker = Checker::new(Files { main: (source, &sections), base: None });
    let defaults = checker.project(source, &file);
    let mut problems = checker.problems;
    problems.sort_by_key(|problem| (problem.line, problem.column));
    if problems.is_empty() { Ok(defaults) } else { Err(problems) }
}

struct Checker<'a> {
    files: Files<'a>,
    problems: Vec<Problem>,
    notices: Vec<Problem>,
    /// What the schema's scripts create.
    created: Vec<CreatedTable>,
    /// Every relation that they make; None: their texts do not say all of it.
    relations: Option<Vec<RelationName>>,
    /// Tables that are filled, by name: their rows, and which columns other rows can refer to.
    filled: BTreeMap<String, Filled>,
    /// The table whose columns are checked.
    within: Option<String>,
    pools: Pools,
}

/// What a reference has to know of a table that is filled.
struct Filled {
    rows: u64,
    columns: BTreeMap<String, Holds>,
}

impl<'a> Checker<'a> {
    fn new(files: Files<'a>) -> Checker<'a> {
        Checker {
            files,
            problems: Vec::new(),
            notices: Vec::new(),
            created: Vec::new(),
            relations: None,
            filled: BTreeMap::new(),
            within: None,
            pools: Pools::new(),
        }
    }

    fn scenario(&mut self, name: &str, dir: &Path) -> Option<Scenario> {
        let (source, file) = self.files.main;
        if !is_kebab_case(name) {
            let message = format!("the directory's name `{name}` is not in kebab-case");
            let remedy = "lower-case words and digits, joined by hyphens: add-index-blocks-writers";
            self.problems.push(Problem::of_file(&source.path, message).remedy(remedy));
        }
        let analysis = self.analysis(source, file);
        let schema = self.schema();
        let tables = self.tables();
        let server = self.server();
        let replica = self.replica(&server);
        let sizes = self.size_axis();
        let traffic = self.traffic();
        let pool = self.pool();
        let change = self.change();
        let states = self.states(change.as_ref());
        let crash = self.crash(&states, &tables);
        let disturbances = self.disturbances();
        let conditions = self.conditions();
        let invariants = self.invariants();
        let limits = self.limits();
        let (accept, acceptances) = self.accepted_on_purpose(change.as_ref());
        let expect = self.expect();
        let (schema, indexes, whole) = schema?;
        Some(Scenario {
            name: name.to_owned(),
            dir: dir.to_owned(),
            analysis: analysis?,
            rng_seed: file.rng_seed.as_ref().map_or(RNG_SEED_DEFAULT, |seed| *seed.get_ref()),
            schema,
            indexes,
            whole,
            tables,
            server,
            replica,
            sizes,
            traffic: traffic?,
            pool,
            change: change?,
            states,
            crash,
            disturbances,
            conditions,
            invariants,
            limits,
            accept,
            acceptances,
            expect: expect?,
        })
    }

    fn analysis(&mut self, source: &Source, file: &File) -> Option<String> {
        let Some(analysis) = &file.analysis else {
            let remedy = "say in a paragraph why the scenario exists and what its numbers show";
            let message = "the key `analysis` is missing";
            self.problems.push(Problem::of_file(&source.path, message).remedy(remedy));
            return None;
        };
        let text = analysis.get_ref().trim();
        if text.is_empty() {
            self.push(source, analysis, "`analysis` says nothing");
        }
        Some(text.to_owned())
    }

    /// Reports at the place of a value.
    fn push<T>(&mut self, source: &Source, at: &Spanned<T>, message: impl Into<String>) {
        self.problems.push(source.problem(at.span(), message));
    }

    fn push_with<T>(
        &mut self,
        source: &Source,
        at: &Spanned<T>,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.problems.push(source.problem(at.span(), message).remedy(remedy));
    }

    fn missing_section(&mut self, section: &str) {
        let (source, _) = self.files.main;
        let message = format!("the section {section} is missing");
        let remedy = if self.files.base.is_some() {
            "write it here or in the base; scenarios/README.md shows one"
        } else {
            "scenarios/README.md shows one"
        };
        self.problems.push(Problem::of_file(&source.path, message).remedy(remedy));
    }

    /// A number between two limits, both included; reports any other.
    fn within<T: PartialOrd + Copy + std::fmt::Display>(
        &mut self,
        source: &Source,
        key: &str,
        value: &Spanned<T>,
        range: std::ops::RangeInclusive<T>,
    ) -> T {
        let number = *value.get_ref();
        if !range.contains(&number) {
            let message = format!("`{key}` = {number} is out of range");
            let remedy = format!("right would be {} to {}", range.start(), range.end());
            self.push_with(source, value, message, remedy);
        }
        number
    }

    /// Reports what a list names more than once.
    fn once_each<T: PartialEq + std::fmt::Display>(
        &mut self,
        source: &Source,
        list: &[Spanned<T>],
    ) {
        for (index, value) in list.iter().enumerate() {
            if list[..index].iter().any(|earlier| earlier.get_ref() == value.get_ref()) {
                let message = format!("`{}` is listed twice", value.get_ref());
                self.push_with(source, value, message, "once is enough");
            }
        }
    }

    /// Reports a table that is not in the schema, else a column that is not in that table.
    fn created_column(
        &mut self,
        source: &Source,
        table: &Spanned<String>,
        column: Option<&Spanned<String>>,
    ) {
        let Some(found) = find_created(&self.created, table.get_ref()) else {
            if self.relations.is_none() {
                return;
            }
            let known = self.created.iter().map(|t| t.name.as_str());
            let message = format!("no table `{}` in the schema", table.get_ref());
            let remedy = known_names(table.get_ref(), "tables", known);
            self.push_with(source, table, message, remedy);
            return;
        };
        let (Some(column), Some(columns)) = (column, &found.columns) else { return };
        if !columns.contains(column.get_ref()) {
            let (column_name, table_name) = (column.get_ref(), table.get_ref());
            let message = format!("no column `{column_name}` in table `{table_name}`");
            let remedy = known_names(column_name, "columns", columns.iter().map(String::as_str));
            self.push_with(source, column, message, remedy);
        }
    }

    /// Reports a table that `scale_with` cannot scale with.
    fn filled_table(&mut self, source: &Source, table: &Spanned<String>) {
        if !self.filled.contains_key(table.get_ref()) {
            let message = format!("no table `{}` is filled by this scenario", table.get_ref());
            let known = self.filled.keys().map(String::as_str);
            let remedy = known_names(table.get_ref(), "tables", known);
            self.push_with(source, table, message, remedy);
        }
    }

    /// Kebab-case, and unlike the names before it.
    fn unique_name(&mut self, source: &Source, name: &Spanned<String>, seen: &mut Vec<String>) {
        let text = name.get_ref();
        if !is_kebab_case(text) {
            let remedy = "lower-case words and digits, joined by hyphens";
            self.push_with(source, name, format!("`{text}` is not in kebab-case"), remedy);
        }
        if seen.contains(text) {
            self.push(source, name, format!("there are two of the name `{text}`"));
        }
        seen.push(text.clone());
    }

    fn server(&mut self) -> BTreeMap<String, String> {
        match self.files.section(|file| file.server.as_ref()) {
            Some((source, settings)) => self.settings(source, settings.get_ref()),
            None => BTreeMap::new(),
        }
    }

    /// GUC names and values; a number or a boolean is written as Postgres writes it.
    fn settings(&mut self, source: &Source, settings: &wire::Settings) -> BTreeMap<String, String> {
        let mut checked = BTreeMap::new();
        for (name, value) in settings {
            let valid = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_.".contains(c);
            if name.get_ref().is_empty() || !name.get_ref().chars().all(valid) {
                let message = format!("`{}` is no name of a setting", name.get_ref());
                self.push_with(source, name, message, "as in pg_settings: work_mem");
            }
            if let Some(text) = self.scalar(source, value) {
                checked.insert(name.get_ref().clone(), text);
            }
        }
        checked
    }

    fn scalar(&mut self, source: &Source, value: &Spanned<toml::Value>) -> Option<String> {
        match value.get_ref() {
            toml::Value::String(text) => Some(text.clone()),
            toml::Value::Integer(number) => Some(number.to_string()),
            toml::Value::Float(number) => Some(number.to_string()),
            toml::Value::Boolean(flag) => Some(flag.to_string()),
            _ => {
                let remedy = "right would be a text, a number, true or false";
                self.push_with(source, value, "wrong type", remedy);
                None
            }
        }
    }
}

/// `spans` also finds `public.spans`.
fn find_created<'a>(created: &'a [CreatedTable], name: &str) -> Option<&'a CreatedTable> {
    let same = |table: &&CreatedTable| {
        table.name == name
            || table.name.strip_prefix("public.") == Some(name)
            || name.strip_prefix("public.") == Some(&table.name)
    };
    created.iter().find(same)
}
