//! Which tables the change may have changed the rows of: only those are read.

use std::collections::{BTreeMap, BTreeSet};

use crate::history::{SequenceEnding, SequencePlace, TableState};
use crate::observe::ComparedTable;
use crate::pg::facts::{RelationName, StatementFacts, facts};
use crate::pg::purpose::{Purpose, tools_own};
use crate::pg::syntax::Kind;
use crate::scenario::Change;

use super::application::Application;
use super::names::root_of;

type States = BTreeMap<String, TableState>;

/// Sequences that number a table and have fewer values left than before the change, if that is few
/// enough to matter at any rate.
pub fn endings(before: &States, after: &States) -> Vec<SequenceEnding> {
    let known: BTreeMap<u32, &SequencePlace> =
        before.values().flat_map(|state| &state.sequences).map(|(oid, at)| (*oid, at)).collect();
    let ending = |table: &String, oid: &u32, now: &SequencePlace| {
        let was = known.get(oid);
        // One that began again before has values for ever, as far as its rows allow.
        if now.left >= VALUES_ENOUGH || was.is_some_and(|was| was.cycles) {
            return None;
        }
        let before = was.map(|was| was.left);
        let (table, sequence, left) = (table.clone(), now.name.clone(), now.left);
        let is_fewer = before.is_none_or(|before| left < before);
        let begins_again = now.cycles;
        is_fewer.then_some(SequenceEnding { table, sequence, left, before, begins_again })
    };
    let of_table = |(table, state): (&String, &TableState)| {
        let places = state.sequences.iter();
        places.filter_map(|(oid, at)| ending(table, oid, at)).collect::<Vec<_>>()
    };
    after.iter().flat_map(of_table).collect()
}

/// More values than an application takes in an hour.
const VALUES_ENOUGH: u64 = 1_000_000_000;

/// What the texts of a change say of the rows that it writes.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Writes {
    pub tables: Vec<RelationName>,
    /// It runs what no text shows: a command, a function, a statement that does not parse.
    pub hidden: bool,
    /// It renames a value of a type, which no row shows to have been written.
    pub renames_values: bool,
    /// Of the statements that write rows, in lower case.
    pub words: BTreeSet<String>,
}

impl Writes {
    pub fn of(change: &Change) -> Writes {
        let mut writes = Writes { hidden: change.command.is_some(), ..Writes::default() };
        for statement in change.migrations.iter().flat_map(|m| &m.script.statements) {
            let upper = statement.text.to_uppercase();
            writes.renames_values |= upper.contains("RENAME VALUE");
            for facts in facts(&statement.text).statements {
                writes.hidden |= is_hidden(&facts, &statement.text);
                if !facts.writes.is_empty() {
                    let words = statement.text.split(|c: char| !c.is_alphanumeric() && c != '_');
                    writes.words.extend(words.map(str::to_lowercase));
                }
                writes.tables.extend(facts.writes);
            }
        }
        writes
    }

    /// Whether it may write rows of a table at all.
    fn any(&self) -> bool {
        self.hidden || !self.tables.is_empty()
    }
}

/// Whether a statement of this text may write a row, as far as it shows.
pub fn may_write(text: &str) -> bool {
    let known = facts(text).statements;
    let reads = |one: &StatementFacts| !is_hidden(one, text) && one.purpose < Purpose::Work;
    known.is_empty() || !known.iter().all(reads)
}

/// Whether it runs what its text does not show.
fn is_hidden(facts: &StatementFacts, text: &str) -> bool {
    let calls = facts.kind == Kind::Select && text.contains('(');
    (facts.dynamic || facts.locks.is_none() || calls) && facts.purpose >= Purpose::Read
}

/// The tables whose rows may be others than before, and what is in their place now. `counted`: the
/// server counted what was written; where it did not, every table may have been.
pub fn suspects(
    (before, after): (&States, &States),
    change: &Change,
    application: &Application,
    counted: bool,
) -> Vec<ComparedTable> {
    let writes = Writes::of(change);
    let units = before.iter().filter(|(table, state)| root_of(table, state) == *table);
    let own = |table: &str| is_bookkeeping(table, change);
    let pairs = units.filter(|(table, _)| !own(table)).map(|(table, state)| {
        let now = in_its_place(table, state, after);
        let is_part =
            |name: &str, states: &States| states.get(name).is_some_and(|s| s.relfilenode == 0);
        let named = writes.tables.iter().any(|name| RelationName::unquoted(table).may_be(name));
        let seen = Seen { before, after, table, now };
        let may = !counted
            || writes.renames_values
            || named
            || seen.differs()
            || match application.writes.contains(table) {
                true => writes.any(),
                false => seen.is_written(),
            };
        let (numbering, dropped) = (seen.numbering_differs(), seen.dropped());
        let looked_at = may || numbering || !dropped.is_empty();
        (looked_at && has_rows(table, before)).then(|| ComparedTable {
            table: table.clone(),
            now: now.map(str::to_owned),
            partitioned: (is_part(table, before), now.is_some_and(|now| is_part(now, after))),
            touch: application.touches.get(table).cloned().unwrap_or_default(),
            rows: may,
            numbering,
            dropped,
            words: (!writes.hidden).then(|| writes.words.clone()),
        })
    });
    pairs.flatten().collect()
}

/// The table of that name; where there is none any more, the one that it has become.
fn in_its_place<'a>(table: &str, state: &TableState, after: &'a States) -> Option<&'a str> {
    let by_name = after.get_key_value(table);
    let by_oid = || after.iter().find(|(_, other)| other.oid == state.oid);
    by_name.or_else(by_oid).map(|(name, _)| name.as_str())
}

fn is_bookkeeping(table: &str, change: &Change) -> bool {
    let name = RelationName::unquoted(table);
    let declared = change.versions.as_ref().map(|versions| RelationName::of(&versions.table));
    declared.is_some_and(|own| own.may_be(&name))
        || tools_own().any(|tool| RelationName::of(tool).may_be(&name))
}

/// Nothing can be gone from a table without rows.
fn has_rows(table: &str, states: &States) -> bool {
    parts(table, states).any(|state| state.rows > 0)
}

/// The table's own state, or those of its partitions.
fn parts<'a>(table: &'a str, states: &'a States) -> impl Iterator<Item = &'a TableState> {
    let of = move |(name, state): (&'a String, &'a TableState)| {
        (root_of(name, state) == table || name == table).then_some(state)
    };
    states.iter().filter_map(of)
}

struct Seen<'a> {
    before: &'a States,
    after: &'a States,
    table: &'a str,
    now: Option<&'a str>,
}

impl Seen<'_> {
    /// Columns that are there no more; one that was renamed still has its place.
    fn dropped(&self) -> Vec<String> {
        let state = |table: &str, states: &States| states.get(table).cloned();
        let was = state(self.table, self.before);
        let is = self.now.and_then(|now| state(now, self.after));
        let Some((was, is)) = was.zip(is) else { return Vec::new() };
        let renamed = |place: &i16| was.oid == is.oid && is.columns.values().any(|of| of == place);
        let gone = was
            .columns
            .iter()
            .filter(|(name, place)| !is.columns.contains_key(*name) && !renamed(place));
        gone.map(|(name, _)| name.clone()).collect()
    }

    /// Whether its rows lie in other files, or its columns are others of the same names.
    fn differs(&self) -> bool {
        let Some(now) = self.now else { return true };
        let files = |table, states| -> BTreeSet<(u32, u32)> {
            parts(table, states).map(|state| (state.oid, state.relfilenode)).collect()
        };
        let columns = |table: &str, states: &States| {
            states.get(table).map(|state| state.columns.clone()).unwrap_or_default()
        };
        let (was, is) = (columns(self.table, self.before), columns(now, self.after));
        let moved = was.iter().any(|(name, place)| is.get(name).is_some_and(|is| is != place));
        files(self.table, self.before) != files(now, self.after) || moved
    }

    /// Whether a sequence that numbers its rows is another one, or was set back. One that counts
    /// down seems to be; what it returns next tells.
    fn numbering_differs(&self) -> bool {
        let Some(is) = self.now.and_then(|now| self.after.get(now)) else { return false };
        let was = self.before.get(self.table);
        let known = |oid| was.and_then(|was| was.sequences.get(oid));
        let mut places = is.sequences.iter();
        places.any(|(oid, is)| known(oid).is_none_or(|was| is.at() < was.at()))
    }

    /// Whether rows were written, by the server's statistics.
    fn is_written(&self) -> bool {
        let written = |table, states| parts(table, states).map(|state| state.written).sum::<u64>();
        self.now.is_none_or(|now| written(now, self.after) != written(self.table, self.before))
    }
}
