//! What the server is asked: first each column by itself, then columns that share constraints.

use std::collections::{BTreeMap, BTreeSet};

use crate::pg::quote_ident;
use crate::scenario::generate::{Drawer, Rng, Template, key, stream};
use crate::scenario::{Column, Generator, Sizes};

use super::condition::{Alternative, Condition};
use super::draft::{ColumnDraft, TableDraft};
use super::json;
use super::question::{self, Answer, Question};
use super::templates::{self, Ends};
use super::tuples::{self, Part};
use super::types::Kind;

/// Values that are drawn for a column with constraints, and for one of a key.
const DRAWS: usize = 96;
const DRAWS_OF_KEY: usize = 2_000;
/// Values like real ones of which the server has to take all.
const LIKES: u64 = 300;
/// Tuples for columns that share constraints, of a key, and in a second attempt.
const LINES: usize = 400;
const LINES_OF_KEY: usize = 2_000;
const LINES_AGAIN: usize = 1_500;
/// Templates of a column without constraints that are tried.
const TEMPLATES: usize = 6;
/// Rows of a referenced table whose keys are tried.
const KEYS: u64 = 100;
/// Rows that an application may add to a table.
pub(super) const HEADROOM: u64 = 1_000_000;
/// In a line: the reference is there.
pub(super) const MARK: &str = "+";
/// Lines with which a pool is large enough not to be asked for again.
pub(super) const LINES_ENOUGH: usize = 16;

/// Where a question's answers go, and what its tuples are.
#[derive(Clone, Debug)]
pub(super) enum Asked {
    /// Candidates of a column, then each template at each of these rows, values like real ones, and
    /// NULL where it may be.
    Column {
        table: usize,
        column: usize,
        candidates: usize,
        templates: Vec<String>,
        rows: Vec<u64>,
        likes: usize,
        null: bool,
    },
    /// Lines of a component, each with the driven columns at several rows.
    Lines {
        table: usize,
        component: usize,
        lines: Vec<Vec<Option<String>>>,
        rows: usize,
        /// Positions in a line of what the server assigns.
        assigned: Vec<usize>,
    },
    /// Keys that a reference may have.
    Keys { table: usize, component: usize, keys: Vec<String> },
}

/// What every question knows.
pub(super) struct World<'a> {
    pub tables: &'a [TableDraft],
    pub rng_seed: u64,
}

impl World<'_> {
    /// Rows at which a template is tried, with some that may be its last.
    fn sample_rows(rows: u64, last: impl Iterator<Item = u64>) -> Vec<u64> {
        let mut found = BTreeSet::from([1, 2, 3, rows / 2, rows]);
        found.extend(last);
        let mut power: u64 = 10;
        while power <= rows {
            found.extend([power - 1, power, power + 1]);
            power = power.saturating_mul(10);
        }
        found.retain(|row| (1..=rows).contains(row));
        // Rows that an application adds.
        found.insert(rows.saturating_add(HEADROOM));
        found.into_iter().collect()
    }

    /// Questions about columns by themselves.
    pub fn of_columns(&self) -> Vec<(Asked, Question)> {
        let mut found = Vec::new();
        for (table, draft) in self.tables.iter().enumerate().filter(|(_, draft)| !draft.filled) {
            for (component, parts) in draft.components.iter().enumerate() {
                for column in &parts.columns {
                    if self.is_asked(table, component, *column) {
                        found.push(self.of_column(table, component, *column));
                    }
                }
            }
        }
        found
    }

    fn is_asked(&self, table: usize, component: usize, column: usize) -> bool {
        let draft = &self.tables[table];
        let (own, parts) = (&draft.columns[column], &draft.components[component]);
        let plain = parts.checks.is_empty() && own.domain.is_empty();
        let free = own.profile.natural.is_some() || own.numbered;
        let excluded = draft.exclusions.iter().flat_map(|e| &e.elements);
        let excluded = excluded.flat_map(|(columns, _)| columns).any(|c| *c == column);
        let used = draft.in_key(column) || own.referenced || excluded;
        own.reference.is_none() && !(plain && free && !used)
    }

    fn of_column(&self, table: usize, component: usize, column: usize) -> (Asked, Question) {
        let draft = &self.tables[table];
        let (own, parts) = (&draft.columns[column], &draft.components[component]);
        let alone = parts.columns.len() == 1;
        // Those that are about this column only.
        let tests = parts.checks.iter().copied().filter(|c| draft.checks[*c].columns == [column]);
        let tests: Vec<usize> = if alone { parts.checks.clone() } else { tests.collect() };
        let checks: Vec<&[Alternative]> =
            tests.iter().map(|c| draft.checks[*c].alternatives.as_slice()).collect();
        let domain = own.domain.iter().map(Vec::as_slice);
        let checks: Vec<&[Alternative]> = checks.into_iter().chain(domain).collect();
        let mut rng = self.stream(draft, &own.name);
        let in_key = draft.in_key(column) || own.referenced;
        let mut drawn = drawn(&mut rng, own, &checks, in_key);
        let ends = Ends::of(own.profile.kind, &checks);
        let mut templates = if own.numbered { vec!["{n}".to_owned()] } else { Vec::new() };
        let plain = checks.is_empty() && parts.checks.is_empty();
        let expressions: Vec<&str> = draft
            .keys
            .iter()
            .flat_map(|k| &k.expressions)
            .filter(|(at, _)| *at == column)
            .map(|(_, sql)| sql.as_str())
            .collect();
        match own.profile.kind {
            Kind::Json => {
                templates.extend(own.profile.templates.iter().cloned());
                templates.extend(json::templates(&expressions, &drawn));
            }
            // Numbers and instants have the one template that they need.
            _ if plain => templates.extend(own.profile.templates.iter().take(TEMPLATES).cloned()),
            Kind::Text { .. } | Kind::Other => {
                templates.extend(own.profile.templates.iter().cloned());
                templates.extend(templates::of_texts(&drawn));
            }
            kind => {
                templates.extend(own.profile.templates.iter().cloned());
                templates.extend(ends.templates(kind));
            }
        }
        drawn.extend(own.profile.candidates.iter().cloned());
        let mut seen = BTreeSet::new();
        drawn.retain(|text| seen.insert(text.clone()));
        let rows = World::sample_rows(draft.rows, ends.rows());
        let spread = draft.is_spread(column) && !own.numbered;
        let wanted =
            (in_key && !spread) || own.numbered || draft.exclusions.iter().any(|e| e.has(column));
        let templates = if wanted { templates } else { Vec::new() };
        let mut question = self.question(table, &[column], &tests);
        question.values = expressions.iter().map(|sql| (*sql).to_owned()).collect();
        let candidates = drawn.len();
        question.tuples = drawn.into_iter().map(|text| vec![Some(text)]).collect();
        for template in &templates {
            for row in &rows {
                question.tuples.push(vec![instance(template, *row)]);
            }
        }
        let likes = if alone && !plain && !spread { self.likes(draft, own) } else { Vec::new() };
        let of_likes = likes.len();
        question.tuples.extend(likes.into_iter().map(|text| vec![Some(text)]));
        let null = own.nullable && alone && !parts.checks.is_empty();
        if null {
            question.tuples.push(vec![None]);
        }
        let likes = of_likes;
        (Asked::Column { table, column, candidates, templates, rows, likes, null }, question)
    }

    /// Values as the statistics would have them.
    fn likes(&self, draft: &TableDraft, own: &ColumnDraft) -> Vec<String> {
        let Some(generator) = own.like.clone() else { return Vec::new() };
        let (name, null_fraction, null_with) = (own.name.clone(), 0.0, None);
        let column = Column { name, null_fraction, null_with, generator };
        let sizes = Sizes(BTreeMap::from([(draft.name.clone(), draft.rows)]));
        let drawer = Drawer::for_column(&[], &sizes, self.rng_seed, &draft.name, &column);
        let mut rng = self.stream(draft, &format!("{} by its likeness", own.name));
        // Rows at equal distances: values may follow from them.
        let step = (draft.rows / LIKES).max(1);
        (0..LIKES).filter_map(|at| drawer.draw(&mut rng, at * step).to_text()).collect()
    }

    fn stream(&self, draft: &TableDraft, what: &str) -> Rng {
        stream(self.rng_seed, &format!("candidates of {}.{what}", draft.name), 0)
    }

    /// A question over some columns of a table and its checks, without tuples.
    fn question(&self, table: usize, columns: &[usize], checks: &[usize]) -> Question {
        let draft = &self.tables[table];
        let names: Vec<&str> = columns.iter().map(|c| draft.columns[*c].name.as_str()).collect();
        let tests: Vec<_> = checks.iter().map(|c| &draft.checks[*c]).collect();
        let generated = draft.columns.iter().filter_map(|column| {
            let (sql, made_of) = column.generated.as_ref()?;
            let known = !made_of.is_empty() && made_of.iter().all(|at| columns.contains(at));
            known.then(|| (column.name.clone(), column.type_name.clone(), sql.clone()))
        });
        Question {
            about: format!("{} ({})", draft.name, names.join(", ")),
            columns: columns.iter().map(|c| asked(&draft.columns[*c])).collect(),
            assigned: Vec::new(),
            generated: generated.collect(),
            tests: tests.iter().map(|test| (test.name.clone(), test.sql.clone())).collect(),
            values: Vec::new(),
            tuples: Vec::new(),
        }
    }

    /// Questions about columns that share constraints; `again`: about those whose pools are short.
    pub fn of_components(&self, again: bool) -> Vec<(Asked, Question)> {
        let mut found = Vec::new();
        for (table, draft) in self.tables.iter().enumerate() {
            for (at, component) in draft.components.iter().enumerate() {
                let references =
                    component.columns.iter().any(|c| draft.columns[*c].reference.is_some());
                let asked = component.columns.len() > 1 || references;
                if !asked || component.checks.is_empty() {
                    continue;
                }
                let short = component.lines.len() < LINES_ENOUGH && component.columns.len() > 1;
                match (again, component.columns.as_slice()) {
                    (_, [only]) if draft.is_marked(*only) && !draft.columns[*only].nullable => {}
                    (true, _) if !short => {}
                    (false, [only]) if !draft.is_own(*only) && !draft.is_marked(*only) => {
                        found.push(self.of_keys(table, at, *only));
                    }
                    _ => found.extend(self.of_lines(table, at, again)),
                }
            }
        }
        found
    }

    fn of_keys(&self, table: usize, component: usize, column: usize) -> (Asked, Question) {
        let draft = &self.tables[table];
        let keys = self.keys(draft, column);
        let mut question = self.question(table, &[column], &draft.components[component].checks);
        question.tuples = keys.iter().map(|key| vec![Some(key.clone())]).collect();
        (Asked::Keys { table, component, keys }, question)
    }

    /// References that have to be there, to rows of which no value is known, or which other columns
    /// have to go with.
    pub fn unknown(&self, draft: &TableDraft) -> Vec<usize> {
        let is_unknown = |column: &usize| {
            let own = &draft.columns[*column];
            let Some(key) = own.reference.map(|at| &draft.references[at]) else { return false };
            let checked =
                |column: &usize| draft.checks.iter().any(|check| check.columns.contains(column));
            let whole = key.columns.len() > 1 && key.columns.iter().any(checked);
            let alone = checked(column) && self.first_keys(draft, *column, 1).is_empty();
            !own.nullable && !draft.is_own(*column) && (whole || alone)
        };
        (0..draft.columns.len()).filter(is_unknown).collect()
    }

    /// Values that a column which refers to another table may have, from its first rows.
    fn keys(&self, draft: &TableDraft, column: usize) -> Vec<String> {
        self.first_keys(draft, column, KEYS)
    }

    fn first_keys(&self, draft: &TableDraft, column: usize, most: u64) -> Vec<String> {
        let Some(reference) = draft.columns[column].reference else { return Vec::new() };
        let reference = &draft.references[reference];
        let Some(target) = self.tables.iter().find(|t| t.oid == reference.table) else {
            return Vec::new();
        };
        let at = reference.columns.iter().position(|c| *c == column).unwrap_or(0);
        let rows = target.rows.min(most);
        (0..rows).map_while(|row| self.value(target, &reference.targets[at], row, 4)).collect()
    }

    /// The value of a row, from 0, where it is a function of the row.
    fn value(&self, table: &TableDraft, column: &str, row: u64, depth: usize) -> Option<String> {
        let at = table.columns.iter().position(|c| c.name == column)?;
        if table.filled {
            let component = table.components.iter().find(|c| c.pooled.contains(&at))?;
            let position = component.pooled.iter().position(|c| *c == at)?;
            return component.lines.get(usize::try_from(row).ok()?)?[position].clone();
        }
        let own = &table.columns[at];
        if let Some((generator, _)) = &own.driven {
            return driven_value(generator, self.rng_seed, &table.name, column, row);
        }
        match own.reference {
            Some(reference) if depth > 0 => {
                let only = table.keys.iter().any(|key| key.columns == [at]);
                let reference = &table.references[reference];
                let target = self.tables.iter().find(|t| t.oid == reference.table)?;
                let position = reference.columns.iter().position(|c| *c == at)?;
                let row = row.checked_rem(target.rows)?;
                only.then(|| self.value(target, &reference.targets[position], row, depth - 1))?
            }
            Some(_) => None,
            None => {
                let alone = table.components.iter().any(|c| c.columns == [at]);
                let at = usize::try_from(row).ok()?;
                alone.then(|| own.taken.get(at).cloned())?
            }
        }
    }

    /// Questions about a component: one for each way to make columns of others.
    fn of_lines(&self, table: usize, component: usize, again: bool) -> Vec<(Asked, Question)> {
        let ways = self.tables[table].assignments(component);
        let of_way = |(at, way): (usize, &Vec<(usize, String)>)| {
            self.of_way(table, component, again, (at, way))
        };
        ways.iter().enumerate().map(of_way).collect()
    }

    fn of_way(
        &self,
        table: usize,
        component: usize,
        again: bool,
        (way, assigned): (usize, &[(usize, String)]),
    ) -> (Asked, Question) {
        let draft = &self.tables[table];
        let parts = &draft.components[component];
        // What cannot be had by other means is had without the reference.
        let without = |c: usize| {
            let own = &draft.columns[c];
            again && own.reference.is_some() && own.nullable && !draft.is_marked(c)
        };
        let is_driven = |c: &usize| {
            let own = draft.is_own(*c) && !draft.is_marked(*c) && !without(*c);
            draft.columns[*c].driven.is_some() || own
        };
        let (driven, pooled): (Vec<usize>, Vec<usize>) =
            parts.columns.iter().partition(|c| is_driven(c));
        let keys: Vec<Option<Vec<String>>> = pooled
            .iter()
            .map(|c| match draft.is_marked(*c) {
                true if draft.is_left_out(*c) => Some(Vec::new()),
                true => Some(vec![MARK.to_owned()]),
                false if without(*c) => Some(Vec::new()),
                false => draft.columns[*c].reference.map(|_| self.keys(draft, *c)),
            })
            .collect();
        let columns: Vec<Part> = pooled
            .iter()
            .zip(&keys)
            .map(|(c, keys)| part(&draft.columns[*c], keys.as_deref()))
            .collect();
        let mut checks: Vec<&[Alternative]> =
            parts.checks.iter().map(|c| draft.checks[*c].alternatives.as_slice()).collect();
        checks
            .extend(pooled.iter().flat_map(|c| draft.columns[*c].domain.iter().map(Vec::as_slice)));
        let mut rng = self.stream(draft, &format!("component {component} {again} {way}"));
        let in_key = pooled.iter().any(|c| draft.in_key(*c));
        let wanted = match (again, in_key) {
            (true, _) => LINES_AGAIN,
            (false, true) => LINES_OF_KEY,
            (false, false) => LINES,
        };
        let mut lines = tuples::draw(&mut rng, &columns, &checks, wanted);
        self.join_references(draft, &pooled, &keys, &mut lines);
        let own = pooled.iter().any(|c| draft.is_own(*c));
        let rows: Vec<u64> = match driven.is_empty() && !own {
            true => vec![1],
            false => [1, 7, draft.rows].into_iter().filter(|r| *r > 0).collect(),
        };
        let order: Vec<usize> = pooled.iter().chain(&driven).copied().collect();
        let mut question = self.question(table, &order, &parts.checks);
        for (line, row) in lines.iter().flat_map(|line| rows.iter().map(move |row| (line, row))) {
            let values = pooled.iter().zip(line).map(|(c, value)| match draft.is_marked(*c) {
                true => value.as_ref().and_then(|_| self.of_mark(draft, *c, *row)),
                false => value.clone(),
            });
            let others = driven.iter().map(|c| self.sampled(draft, *c, *row));
            question.tuples.push(values.chain(others).collect());
        }
        let assigned = assign(draft, &pooled, assigned, &mut question);
        let rows = rows.len();
        (Asked::Lines { table, component, lines, rows, assigned }, question)
    }

    /// What stands for a reference that only has to be there, in a row from 1.
    fn of_mark(&self, draft: &TableDraft, column: usize, row: u64) -> Option<String> {
        let known = match (draft.is_own(column), draft.columns[column].nullable) {
            (true, true) => self.sampled(draft, column, row.max(2)),
            // Its own row: one that has to be there cannot be an earlier one in the first row.
            (true, false) => {
                let reference = draft.columns[column].reference?;
                let reference = &draft.references[reference];
                let at = reference.columns.iter().position(|c| *c == column)?;
                self.value(draft, &reference.targets[at], row - 1, 1)
            }
            (false, _) => self.first_keys(draft, column, 1).pop(),
        };
        known.or_else(|| draft.columns[column].profile.candidates.first().cloned())
    }

    /// The columns of one foreign key hold one row's values, or are all NULL.
    fn join_references(
        &self,
        draft: &TableDraft,
        pooled: &[usize],
        keys: &[Option<Vec<String>>],
        lines: &mut [Vec<Option<String>>],
    ) {
        for reference in draft.references.iter().filter(|r| r.columns.len() > 1) {
            let at: Vec<usize> = reference
                .columns
                .iter()
                .filter_map(|c| pooled.iter().position(|p| p == c))
                .collect();
            let owned = reference.columns.iter().all(|c| {
                draft.columns[*c]
                    .reference
                    .is_some_and(|r| draft.references[r].name == reference.name)
            });
            let Some((first, rest)) = at.split_first().filter(|_| owned) else { continue };
            for line in lines.iter_mut() {
                let chosen = line[*first]
                    .as_ref()
                    .and_then(|value| keys[*first].as_ref()?.iter().position(|key| key == value));
                for other in rest {
                    line[*other] = chosen.and_then(|row| keys[*other].as_ref()?.get(row).cloned());
                }
            }
        }
    }

    /// The value of a driven column in a row, from 1.
    fn sampled(&self, draft: &TableDraft, column: usize, row: u64) -> Option<String> {
        let own = &draft.columns[column];
        match (&own.driven, own.reference) {
            (Some((generator, _)), _) => {
                driven_value(generator, self.rng_seed, &draft.name, &own.name, row - 1)
            }
            (None, Some(reference)) => {
                // An earlier row; the first one has none.
                let reference = &draft.references[reference];
                let at = reference.columns.iter().position(|c| *c == column)?;
                let earlier = (row / 2).checked_sub(1)?;
                self.value(draft, &reference.targets[at], earlier, 1)
            }
            (None, None) => None,
        }
    }
}

/// Has the server make columns of others, and say what it made; gives their positions in a line.
fn assign(
    draft: &TableDraft,
    pooled: &[usize],
    assigned: &[(usize, String)],
    question: &mut Question,
) -> Vec<usize> {
    let mut positions = Vec::new();
    for (column, sql) in assigned {
        let Some(at) = pooled.iter().position(|c| c == column) else { continue };
        let name = draft.columns[*column].name.clone();
        question.values.push(quote_ident(&name));
        question.assigned.push((name, sql.clone()));
        positions.push(at);
    }
    positions
}

fn asked(column: &ColumnDraft) -> question::Asked {
    question::Asked {
        name: column.name.clone(),
        type_name: column.type_name.clone(),
        composite: column.composite,
    }
}

fn part<'a>(column: &'a ColumnDraft, keys: Option<&'a [String]>) -> Part<'a> {
    Part {
        name: &column.name,
        profile: &column.profile,
        nullable: column.nullable,
        by_default: column.by_default,
        keys,
    }
}

/// The value of a driven generator in a row, from 0.
fn driven_value(
    generator: &Generator,
    rng_seed: u64,
    table: &str,
    column: &str,
    row: u64,
) -> Option<String> {
    match generator {
        Generator::Serial => Some((row + 1).to_string()),
        Generator::Uuid => Some(key(rng_seed, table, column, row)),
        Generator::Numbered { template } => instance(template, row + 1),
        Generator::Constant { value } => Some(value.clone()),
        _ => None,
    }
}

/// A template's text in a row, from 1.
fn instance(template: &str, row: u64) -> Option<String> {
    let mut text = String::new();
    Template::parse(template).ok()?.push(i64::try_from(row).ok()?, &mut text);
    Some(text)
}

fn drawn(rng: &mut Rng, own: &ColumnDraft, checks: &[&[Alternative]], in_key: bool) -> Vec<String> {
    let conditions = checks.iter().flat_map(|check| check.iter().flatten());
    let conditions: Vec<&Condition> = conditions.collect();
    // Every pinned value, in the constraint's order.
    let pinned = conditions.iter().filter_map(|condition| match condition {
        Condition::In { among: true, values, .. } => Some(values.iter().cloned()),
        _ => None,
    });
    let mut found: Vec<String> = pinned.flatten().collect();
    if own.profile.kind == Kind::Json {
        found.extend(json::objects(&conditions));
    }
    if conditions.is_empty() {
        return found;
    }
    let wanted = if in_key { DRAWS_OF_KEY } else { DRAWS };
    let part = [Part { nullable: false, ..part(own, None) }];
    let lines = tuples::draw(rng, &part, checks, wanted);
    found.extend(lines.into_iter().filter_map(|mut line| line.pop().flatten()));
    found
}

/// Whether the answers to a template are good up to which row; and with differing values.
pub(super) fn capacity(answers: &[Answer], rows: &[u64]) -> u64 {
    let mut seen: Vec<BTreeSet<&Option<String>>> = Vec::new();
    let mut capacity = 0;
    for (answer, row) in answers.iter().zip(rows) {
        seen.resize_with(answer.values.len().max(seen.len()), BTreeSet::new);
        let new = answer.values.iter().zip(&mut seen).all(|(value, seen)| seen.insert(value));
        if !answer.is_taken() || !new {
            break;
        }
        capacity = *row;
    }
    capacity
}
