//! Which of some tables the change is about: it locks, changes, reads or writes them.
//!
//! What a statement's text does not name is taken from the catalogue: views, functions, triggers,
//! foreign keys, partitions. Where a text builds its statements itself, the words in it count. So a
//! table may be here that the change leaves alone, and one that it reaches is not left out.

use std::collections::{BTreeMap, BTreeSet};

use crate::history::ShortTable;
use crate::pg::LockMode;
use crate::pg::facts::{Relation, RelationName, StatementFacts, facts};
use crate::pg::lex;
use crate::pg::syntax::Kind;

use super::foreign_key::ForeignKey;
use super::trace::{StatementRecord, Trace};

/// Where a text finds out which tables there are.
const CATALOGUES: [&str; 5] =
    ["pg_class", "pg_tables", "pg_inherits", "pg_stat_user_tables", "information_schema"];

type Properties = BTreeMap<String, String>;

/// Those of the tables that the change is about.
pub fn concerned<'s>(trace: &Trace<'_>, short: &'s [ShortTable]) -> Vec<&'s ShortTable> {
    if short.is_empty() {
        return Vec::new();
    }
    let mut reached = Reached::default();
    let catalogue = Catalogue::of(trace);
    let mut known = BTreeSet::new();
    for record in trace.statements() {
        reached.held(record);
        if known.insert(record.began.text.as_str()) {
            reached.text(&catalogue, record);
        }
    }
    for (at, wait) in trace.waits.iter().flat_map(|(at, s)| s.waits.iter().map(move |w| (*at, w))) {
        if trace.is_change(&trace.session(&wait.session, at)) {
            reached.tables.extend(wait.relation.as_deref().map(RelationName::unquoted));
        }
    }
    for table in trace.contents_change.into_iter().flat_map(|change| &change.tables) {
        let name = RelationName::unquoted(&table.table);
        if table.gone > 0 {
            reached.deleted.push(name.clone());
        }
        reached.tables.insert(name);
    }
    reached.differences(trace);
    reached.follow(&catalogue);
    reached.keys(&catalogue);
    reached.families(trace, &catalogue);
    short.iter().filter(|table| reached.is(&table.table)).collect()
}

/// The relations that an object of the catalogue is, or is part of.
pub fn of_object((object, definition): (&str, &str)) -> Vec<RelationName> {
    let Some((kind, name)) = object.split_once(' ') else {
        return Vec::new();
    };
    let whole = || RelationName::unquoted(name);
    let table = || name.rsplit_once('.').map(|(table, _)| RelationName::unquoted(table));
    let mut names: Vec<RelationName> = match kind {
        "column" | "constraint" | "trigger" | "policy" | "rule" => table().into_iter().collect(),
        "table" | "view" | "materialized" | "sequence" => vec![whole()],
        _ => Vec::new(),
    };
    // `CREATE INDEX i ON public.t USING …`, `CREATE TRIGGER … ON public.t …`.
    let mut words = definition.split_whitespace();
    while let Some(word) = words.next() {
        if word == "ON" {
            let next = words.clone().find(|word| *word != "ONLY");
            names.extend(next.map(RelationName::unquoted));
        }
    }
    names
}

/// What was there before the change, and what was there at the end.
#[derive(Default)]
struct Catalogue<'h> {
    objects: Vec<(&'h str, &'h Properties)>,
}

impl<'h> Catalogue<'h> {
    fn of(trace: &Trace<'h>) -> Catalogue<'h> {
        let snapshots =
            trace.catalogue_before().into_iter().chain(trace.catalogues.last().copied());
        let objects = snapshots.flat_map(|snapshot| &snapshot.objects);
        Catalogue { objects: objects.map(|(object, of)| (object.as_str(), of)).collect() }
    }

    /// Names and definitions of the objects of a kind.
    fn of_kind(&self, kind: &str) -> impl Iterator<Item = (&'h str, &'h str)> {
        let prefix = format!("{kind} ");
        self.objects.iter().filter_map(move |(object, of)| {
            let definition = of.get("definition").map_or("", String::as_str);
            Some((object.strip_prefix(&prefix)?, definition))
        })
    }

    /// Tables with the parents that they inherit from, or whose partitions they are.
    fn parents(&self) -> Vec<(RelationName, RelationName)> {
        let tables = self.objects.iter().filter_map(|(object, of)| {
            Some((RelationName::unquoted(object.strip_prefix("table ")?), of.get("inherits")?))
        });
        let pairs = tables.flat_map(|(table, parents)| {
            parents.split(", ").map(move |p| (table.clone(), RelationName::unquoted(p)))
        });
        pairs.collect()
    }

    /// Tables with a column of this type, or of an array of it.
    fn of_type(&self, name: &str) -> Vec<RelationName> {
        let bare = name.rsplit('.').next().unwrap_or(name);
        let columns = self.objects.iter().filter_map(|(object, of)| {
            let (table, _) = object.strip_prefix("column ")?.rsplit_once('.')?;
            let of = of.get("type")?.trim_end_matches("[]");
            (of.rsplit('.').next() == Some(bare)).then(|| RelationName::unquoted(table))
        });
        columns.collect()
    }

    fn foreign_keys(&self) -> Vec<Reference<'h>> {
        self.of_kind("constraint").filter_map(Reference::of).collect()
    }
}

/// A foreign key of a table.
struct Reference<'h> {
    table: RelationName,
    refers_to: RelationName,
    /// Columns of the table that is referred to.
    columns: Vec<&'h str>,
    cascades: bool,
}

impl<'h> Reference<'h> {
    fn of((name, definition): (&str, &'h str)) -> Option<Reference<'h>> {
        let key = ForeignKey::of(definition)?;
        Some(Reference {
            table: RelationName::unquoted(name.rsplit_once('.')?.0),
            refers_to: RelationName::unquoted(key.refers_to),
            columns: key.referred.split(", ").map(|column| column.trim_matches('"')).collect(),
            cascades: key.actions.contains("ON DELETE CASCADE"),
        })
    }
}

/// What the change gets at.
#[derive(Default)]
struct Reached {
    tables: BTreeSet<RelationName>,
    schemas: BTreeSet<String>,
    all: bool,
    /// Of texts that do not show what they do, in lower case.
    words: BTreeSet<String>,
    /// Functions that are called.
    called: BTreeSet<String>,
    /// Tables of which rows are removed, or which take others with them.
    deleted: Vec<RelationName>,
    /// Tables with columns that are assigned to or get another type.
    columns: Vec<(RelationName, BTreeSet<String>)>,
}

impl Reached {
    /// By the locks that were seen.
    fn held(&mut self, record: &StatementRecord<'_>) {
        let Some(ended) = record.ended else { return };
        let held = ended.held.iter().chain(&ended.taken).map(|lock| &lock.relation);
        self.tables.extend(held.chain(&ended.rewritten).map(|name| RelationName::unquoted(name)));
    }

    fn text(&mut self, catalogue: &Catalogue<'_>, record: &StatementRecord<'_>) {
        let text = record.began.text.as_str();
        for facts in &record.facts().statements {
            if facts.dynamic || facts.locks.is_none() || facts.kind == Kind::Do {
                self.words_of(text);
            }
            for lock in facts.locks.iter().flatten() {
                self.relation(catalogue, &lock.relation);
            }
            self.tables.extend(facts.writes.iter().chain(&facts.defines).cloned());
            self.rows(text, facts);
            for name in &facts.writes {
                self.acts(catalogue, name);
            }
        }
        let tokens = lex::tokens(text).unwrap_or_default();
        let calls = tokens.windows(2).filter(|pair| pair[1].is_symbol(text, "("));
        self.called.extend(calls.map(|pair| word(pair[0].text(text))));
    }

    fn relation(&mut self, catalogue: &Catalogue<'_>, relation: &Relation) {
        match relation {
            Relation::Named(name) => {
                self.tables.insert(name.clone());
            }
            Relation::OfIndex(index) => {
                let mut indexes = catalogue.of_kind("index");
                let found = indexes.find(|(name, _)| RelationName::unquoted(name).may_be(index));
                self.tables
                    .extend(found.into_iter().flat_map(|(_, text)| of_object(("index ", text))));
            }
            Relation::InSchema(schema) => {
                self.schemas.insert(schema.clone());
            }
            Relation::OfType(name) => self.tables.extend(catalogue.of_type(&name.name)),
            Relation::Any => self.all = true,
        }
    }

    /// What its text does to rows to which others may refer.
    fn rows(&mut self, text: &str, facts: &StatementFacts) {
        let tokens = lex::tokens(text).unwrap_or_default();
        let has = |word: &str| tokens.iter().any(|token| token.is_word(text, word));
        let words = || tokens.iter().map(|token| word(token.text(text))).collect::<BTreeSet<_>>();
        if has("DELETE") {
            self.deleted.extend(facts.writes.iter().cloned());
        }
        let stops_all =
            facts.locks.iter().flatten().filter(|lock| lock.mode == LockMode::AccessExclusiveLock);
        for lock in stops_all {
            let Relation::Named(name) = &lock.relation else { continue };
            if has("CASCADE") {
                self.deleted.push(name.clone());
            }
            if has("TYPE") {
                self.columns.push((name.clone(), words()));
            }
        }
        let assigned = tokens.windows(3).filter(|three| {
            (three[0].is_word(text, "SET") || three[0].is_symbol(text, ","))
                && three[2].is_symbol(text, "=")
        });
        let assigned: BTreeSet<String> = assigned.map(|three| word(three[1].text(text))).collect();
        let written = facts.writes.iter().filter(|_| !assigned.is_empty());
        self.columns.extend(written.map(|name| (name.clone(), assigned.clone())));
    }

    /// Triggers and rules of a table that is written.
    fn acts(&mut self, catalogue: &Catalogue<'_>, table: &RelationName) {
        for (name, definition) in catalogue.of_kind("trigger").chain(catalogue.of_kind("rule")) {
            let of = name.rsplit_once('.').map(|(table, _)| RelationName::unquoted(table));
            if of.is_some_and(|of| of.may_be(table)) {
                self.words_of(definition);
            }
        }
    }

    /// Of a text that may do anything with what it names.
    fn words_of(&mut self, text: &str) {
        let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
        let words: BTreeSet<String> =
            text.split(|c| !is_part(c)).filter(|w| !w.is_empty()).map(str::to_lowercase).collect();
        let loops = words.contains("execute") && words.contains("loop");
        self.all |= loops && CATALOGUES.iter().any(|catalogue| words.contains(*catalogue));
        self.words.extend(words);
    }

    /// Objects that are others than before.
    fn differences(&mut self, trace: &Trace<'_>) {
        let before = trace.catalogue_before();
        let Some((before, after)) = before.zip(trace.catalogues.last()) else { return };
        let objects = before.objects.iter().chain(&after.objects);
        let differ =
            objects.filter(|(name, _)| before.objects.get(*name) != after.objects.get(*name));
        for (object, properties) in differ {
            let definition = properties.get("definition").map_or("", String::as_str);
            // A function's body is no table that the change gets at.
            if !object.starts_with("function ") && !object.starts_with("view ") {
                self.tables.extend(of_object((object, definition)));
            }
            let constraint = object.strip_prefix("constraint ").map(|name| (name, definition));
            let key = constraint.and_then(Reference::of);
            self.tables.extend(key.map(|key| key.refers_to));
        }
    }

    /// What the views and functions in it name, and so on.
    fn follow(&mut self, catalogue: &Catalogue<'_>) {
        let mut done = BTreeSet::new();
        loop {
            let known = done.len();
            for (name, definition) in catalogue.of_kind("view") {
                if self.names(&RelationName::unquoted(name)) && done.insert(definition) {
                    let facts = facts(definition);
                    let named = facts.locks().map(|lock| &lock.relation);
                    named.for_each(|relation| self.relation(catalogue, relation));
                }
            }
            for (name, definition) in catalogue.of_kind("function") {
                let bare = RelationName::unquoted(name.split('(').next().unwrap_or(name)).name;
                let is_called =
                    self.called.contains(&bare) || self.words.contains(&bare.to_lowercase());
                if is_called && done.insert(definition) {
                    self.words_of(definition);
                }
            }
            if done.len() == known {
                return;
            }
        }
    }

    /// Tables whose rows refer to rows that are removed, renumbered or of another type.
    fn keys(&mut self, catalogue: &Catalogue<'_>) {
        let keys = catalogue.foreign_keys();
        let mut at = 0;
        while let Some(table) = self.deleted.get(at).cloned() {
            for key in keys.iter().filter(|key| key.refers_to.may_be(&table)) {
                self.tables.insert(key.table.clone());
                if key.cascades && !self.deleted.contains(&key.table) {
                    self.deleted.push(key.table.clone());
                }
            }
            at += 1;
        }
        for (table, columns) in &self.columns {
            let of = keys.iter().filter(|key| key.refers_to.may_be(table));
            let hit = of.filter(|key| key.columns.iter().any(|c| columns.contains(*c)));
            self.tables.extend(hit.map(|key| key.table.clone()));
        }
    }

    /// A table's partitions and children are part of it, and it is what they are part of.
    fn families(&mut self, trace: &Trace<'_>, catalogue: &Catalogue<'_>) {
        let mut pairs = catalogue.parents();
        let states = trace.tables.iter().flat_map(|states| &states.tables);
        pairs.extend(states.filter_map(|(table, state)| {
            let root = RelationName::unquoted(state.root.as_deref()?);
            Some((RelationName::unquoted(table), root))
        }));
        let all = |from: &BTreeSet<RelationName>, up: bool| {
            let mut found = from.clone();
            loop {
                let next = pairs.iter().filter_map(|(child, parent)| {
                    let (from, to) = if up { (child, parent) } else { (parent, child) };
                    let is_next = found.iter().any(|n| n.may_be(from)) && !found.contains(to);
                    is_next.then(|| to.clone())
                });
                let next: Vec<RelationName> = next.collect();
                if next.is_empty() {
                    return found;
                }
                found.extend(next);
            }
        };
        let (above, below) = (all(&self.tables, true), all(&self.tables, false));
        self.tables.extend(above.into_iter().chain(below));
    }

    fn names(&self, name: &RelationName) -> bool {
        self.tables.iter().any(|table| table.may_be(name))
            || self.words.contains(&name.name.to_lowercase())
    }

    fn is(&self, table: &str) -> bool {
        let name = RelationName::of(table);
        let in_schema = || match &name.schema {
            Some(schema) => self.schemas.contains(schema),
            None => !self.schemas.is_empty(),
        };
        self.all || self.names(&name) || in_schema()
    }
}

/// An identifier as Postgres stores it.
fn word(text: &str) -> String {
    match text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(quoted) => quoted.replace("\"\"", "\""),
        None => text.to_lowercase(),
    }
}
