//! Whether the change was tried at all: it has to have changed a table that holds rows, or what
//! the traffic uses.

use std::collections::{BTreeMap, BTreeSet};

use crate::history::{TableState, TableStates};
use crate::pg::LockMode;
use crate::pg::facts::{Relation, RelationName, facts};
use crate::pg::lex;
use crate::pg::purpose::Purpose;
use crate::pg::syntax::Kind;
use crate::pg::words::calls;
use crate::result::evidence::NothingTried;
use crate::result::{Evidence as Shown, Finding, Subject};
use crate::scenario::Verdict;

use super::super::concerned::of_object;
use super::super::trace::StatementRecord;
use super::Evidence;

/// The weakest mode that a statement takes on a table that it changes.
const CHANGES: LockMode = LockMode::RowExclusiveLock;

/// A change that finished and changed only what holds no row and nobody uses. One that changed
/// nothing only informs.
pub fn nothing_tried(evidence: &Evidence<'_, '_>) -> Option<Finding> {
    let is_meant = evidence.scenario.accept.iter().any(|one| one.no_rows);
    untried(evidence).filter(|_| !is_meant)
}

/// The same, whether it is meant or not.
pub fn untried(evidence: &Evidence<'_, '_>) -> Option<Finding> {
    let before = evidence.trace.tables.iter().find(|tables| tables.after.is_none())?;
    evidence.first_success()?;
    if evidence.begins_empty() {
        return None;
    }
    let concerned = Concerned::of(evidence, before);
    let objects = objects(evidence);
    if let Some(unmatched) = unmatched(evidence).filter(|_| objects.is_empty()) {
        let shown = Shown::NothingTried(NothingTried { unmatched, ..NothingTried::default() });
        return Some(Finding::new(Verdict::Unproven, Subject::none(), shown));
    }
    let moved = moved(evidence, before);
    let nothing = !moved && objects.is_empty() && !is_later_state(evidence);
    if nothing && evidence.trace.statements().any(catches_all) {
        let shown = Shown::NothingTried(NothingTried { caught: true, ..NothingTried::default() });
        return Some(Finding::new(Verdict::Unproven, Subject::none(), shown));
    }
    if concerned.works(evidence) || moved {
        return None;
    }
    if concerned.objects(evidence, &objects) {
        return None;
    }
    let (made, changed) = differences(evidence, &objects);
    let unused = unused(evidence, &objects);
    let statements = evidence.trace.statements();
    let worked = statements.filter(|s| s.changed_something() && !evidence.is_bookkeeping(s));
    let statements = worked.count() as u64;
    let verdict = match made.is_empty() && changed == 0 && statements == 0 {
        // A null change, which did what it says. One that never ran is not reached.
        true => Verdict::Safe,
        false => Verdict::Unproven,
    };
    let tried = NothingTried { made, changed, statements, unused, ..NothingTried::default() };
    let shown = Shown::NothingTried(tried);
    Some(Finding::new(verdict, Subject::none(), shown))
}

/// Whether other statements lead to the state that the trial begins in, the change's among them.
pub fn is_later_state(evidence: &Evidence<'_, '_>) -> bool {
    evidence.scenario.states.iter().skip(1).any(|state| state.name == evidence.state)
}

/// Whether a block goes on after any error.
fn catches_all(record: &StatementRecord<'_>) -> bool {
    let text = record.began.text.to_lowercase();
    let words: Vec<&str> = text.split_whitespace().collect();
    record.succeeded() && words.windows(2).any(|two| two == ["when", "others"])
}

/// How many statements the change has, where each writes rows and found none: this trial's rows are
/// not those that it is for. In a state that other statements lead to that may be right.
fn unmatched(evidence: &Evidence<'_, '_>) -> Option<u64> {
    if is_later_state(evidence) {
        return None;
    }
    let statements = evidence.trace.statements();
    let work = statements.filter(|s| s.purpose() == Purpose::Work && !evidence.is_bookkeeping(s));
    let mut found = 0;
    for record in work {
        let writes = matches!(record.kind(), Kind::Insert | Kind::Update | Kind::Delete);
        let none = record.ended.is_some_and(|e| e.error.is_none() && e.rows == Some(0));
        if !writes || !none || record.began.statements > 1 {
            return None;
        }
        found += 1;
    }
    (found > 0).then_some(found)
}

/// Whether a statement of the application, or a declared read, names the table.
pub fn uses(evidence: &Evidence<'_, '_>, table: &RelationName) -> bool {
    used(evidence).relations.contains(&table.name)
}

/// What a change has to be about to be tried.
struct Concerned {
    /// Tables with rows.
    full: Vec<RelationName>,
    /// Sequences from which they number their rows.
    sequences: Vec<RelationName>,
    /// The tables of indexes, by the index.
    indexes: Vec<(RelationName, RelationName)>,
    used: Used,
}

impl Concerned {
    fn of(evidence: &Evidence<'_, '_>, before: &TableStates) -> Concerned {
        let known = |(_, state): &(&String, &TableState)| state.rows > 0;
        let mut full: Vec<RelationName> = before
            .tables
            .iter()
            .filter(known)
            .flat_map(|(table, state)| [Some(table), state.root.as_ref()])
            .flatten()
            .map(|table| RelationName::unquoted(table))
            .collect();
        full.dedup();
        let (sequences, indexes) = (sequences(evidence, &full), indexes(evidence));
        Concerned { full, sequences, indexes, used: used(evidence) }
    }

    /// Whether the relation holds rows, numbers them or is used.
    fn counts(&self, name: &RelationName) -> bool {
        self.full.iter().chain(&self.sequences).any(|relation| relation.may_be(name))
            || self.used.relations.contains(&name.name)
    }

    /// Whether a statement of the change is about one that does.
    fn works(&self, evidence: &Evidence<'_, '_>) -> bool {
        let mut work = evidence.trace.statements().filter(|s| !evidence.is_bookkeeping(s));
        work.any(|record| self.about(record).iter().any(|name| self.counts(name)))
    }

    /// The relations that the statement changes, by its text and by the locks that it held.
    fn about(&self, record: &StatementRecord<'_>) -> Vec<RelationName> {
        let facts = record.facts();
        let asked = facts.locks().filter(|lock| lock.mode >= CHANGES);
        let named = asked.filter_map(|lock| match &lock.relation {
            Relation::Named(name) => Some(name.clone()),
            Relation::OfIndex(index) => {
                let known = self.indexes.iter().find(|(name, _)| name.may_be(index));
                known.map(|(_, table)| table.clone())
            }
            _ => None,
        });
        let taken = record.ended.into_iter().flat_map(|ended| ended.taken.iter());
        let taken = taken.filter(|lock| lock.mode >= CHANGES);
        let taken = taken.map(|lock| RelationName::unquoted(&lock.relation));
        let statements = facts.statements.iter();
        let written = statements.flat_map(|s| s.writes.iter().chain(&s.defines).cloned());
        named.chain(taken).chain(written).collect()
    }

    /// Whether an object that is another than before is one that does, part of one, or called.
    fn objects(&self, evidence: &Evidence<'_, '_>, objects: &[(String, String)]) -> bool {
        let is_called = |object: &str| {
            let function = object.strip_prefix("function ").and_then(|f| f.split('(').next());
            function.is_some_and(|function| {
                let bare = function.rsplit('.').next().unwrap_or(function);
                self.used.words.contains(bare) || self.calls(evidence, bare)
            })
        };
        objects.iter().any(|object| {
            is_called(&object.0)
                || of_object((&object.0, &object.1)).iter().any(|name| self.counts(name))
        }) || types(objects).any(|name| in_columns(evidence, name, &self.full))
    }
}

impl Concerned {
    /// Whether a trigger, an index, a constraint, a default, a policy or a rule of one that does
    /// calls the function, as the catalogue was before.
    fn calls(&self, evidence: &Evidence<'_, '_>, function: &str) -> bool {
        let before = evidence.trace.catalogue_before();
        let names = |text: &String| calls(text, function);
        before.into_iter().flat_map(|catalogue| &catalogue.objects).any(|(object, properties)| {
            let definition = properties.get("definition").map_or("", String::as_str);
            let is_part = PARTS.iter().any(|part| object.starts_with(part));
            is_part
                && properties.values().any(names)
                && of_object((object, definition)).iter().any(|name| self.counts(name))
        })
    }
}

/// Kinds of objects that are part of a table and may call functions.
const PARTS: [&str; 6] = ["trigger ", "index ", "constraint ", "column ", "policy ", "rule "];
/// Kinds of objects that only statements of the application use.
const READ_OR_CALLED: [&str; 2] = ["view ", "function "];

/// Views and functions of before that the change made others of.
fn unused(evidence: &Evidence<'_, '_>, objects: &[(String, String)]) -> Vec<String> {
    let before = evidence.trace.catalogue_before();
    let is_known = |object: &str| before.is_some_and(|before| before.objects.contains_key(object));
    let is_of_kind = |object: &str| READ_OR_CALLED.iter().any(|kind| object.starts_with(kind));
    let names = objects.iter().map(|(object, _)| object);
    names.filter(|object| is_of_kind(object) && is_known(object)).cloned().collect()
}

/// What the application's statements name.
#[derive(Default)]
struct Used {
    relations: BTreeSet<String>,
    /// Of which some name functions.
    words: BTreeSet<String>,
}

fn used(evidence: &Evidence<'_, '_>) -> Used {
    let operations = &evidence.scenario.traffic.operations;
    let of_operations = operations.iter().flat_map(|operation| &operation.statements);
    let reads = evidence.scenario.invariants.iter().map(|invariant| &invariant.statement);
    let mut used = Used::default();
    for sql in of_operations.chain(reads).map(|statement| statement.sql.as_str()) {
        let facts = facts(sql);
        used.relations.extend(facts.named_locks().map(|(name, _)| name.name.clone()));
        let names = lex::tokens(sql).unwrap_or_default().into_iter().filter(|token| {
            matches!(token.kind, lex::TokenKind::Word | lex::TokenKind::QuotedIdent)
        });
        used.words.extend(names.map(|token| token.text(sql).trim_matches('"').to_lowercase()));
    }
    used
}

/// The sequences that defaults of these tables' columns name, as the catalogue was before.
fn sequences(evidence: &Evidence<'_, '_>, full: &[RelationName]) -> Vec<RelationName> {
    let before = evidence.trace.catalogue_before();
    let objects = before.into_iter().flat_map(|catalogue| &catalogue.objects);
    let of_full = objects.filter_map(|(object, properties)| {
        let (table, _) = object.strip_prefix("column ")?.rsplit_once('.')?;
        let table = RelationName::unquoted(table);
        let default =
            properties.get("default").filter(|_| full.iter().any(|f| f.may_be(&table)))?;
        let (_, name) = default.split_once("nextval('")?;
        Some(RelationName::unquoted(name.split_once('\'')?.0))
    });
    of_full.collect()
}

/// Each index with its table, as the catalogue was before; one that a key has is its constraint.
fn indexes(evidence: &Evidence<'_, '_>) -> Vec<(RelationName, RelationName)> {
    let before = evidence.trace.catalogue_before();
    let objects = before.into_iter().flat_map(|catalogue| &catalogue.objects);
    let with_table = objects.filter_map(|(object, properties)| {
        let (kind, name) = object.split_once(' ')?;
        let definition = properties.get("definition").map_or("", String::as_str);
        let index = match kind {
            "index" => RelationName::unquoted(name),
            "constraint" => {
                RelationName { schema: None, ..RelationName::unquoted(name.rsplit_once('.')?.1) }
            }
            _ => return None,
        };
        Some((index, of_object((object, definition)).into_iter().next()?))
    });
    with_table.collect()
}

/// Whether a table with rows lies elsewhere than before, is gone, or was read because it may have
/// been written.
fn moved(evidence: &Evidence<'_, '_>, before: &TableStates) -> bool {
    let changed = evidence.trace.contents_change;
    if changed.is_some_and(|change| !change.tables.is_empty()) {
        return true;
    }
    let Some(after) = evidence.trace.tables.iter().rfind(|tables| tables.after.is_some()) else {
        return false;
    };
    let mut full = before.tables.iter().filter(|(_, state)| state.rows > 0);
    full.any(|(table, was)| {
        after
            .tables
            .get(table)
            .is_none_or(|is| (is.oid, is.relfilenode) != (was.oid, was.relfilenode))
    })
}

/// Objects of the schema that are others than before, with their definitions.
fn objects(evidence: &Evidence<'_, '_>) -> Vec<(String, String)> {
    let Some(schema) = &evidence.schema else { return Vec::new() };
    let names: BTreeSet<&String> = schema.differences.iter().map(|d| &d.object).collect();
    let own = evidence.tools_tables();
    let ours = |name: &&String| {
        !own.iter().any(|table| name.split(['.', ' ', '"']).any(|part| part == *table))
    };
    let texts = names.into_iter().filter(ours).map(|name| {
        let sides = [schema.before.get(name), schema.after.get(name)];
        let definition = sides.into_iter().flatten().find_map(|object| object.get("definition"));
        (name.clone(), definition.cloned().unwrap_or_default())
    });
    texts.collect()
}

/// Types that are others than before, as columns name them; a domain is by its constraints.
fn types(objects: &[(String, String)]) -> impl Iterator<Item = &str> {
    objects.iter().filter_map(|(object, _)| {
        let of_domain = || Some(object.strip_prefix("constraint ")?.rsplit_once('.')?.0);
        object.strip_prefix("type ").or_else(of_domain)
    })
}

fn in_columns(evidence: &Evidence<'_, '_>, name: &str, full: &[RelationName]) -> bool {
    let Some(before) = evidence.trace.catalogue_before() else { return false };
    let bare = name.rsplit('.').next().unwrap_or(name);
    before.objects.iter().any(|(object, properties)| {
        let table = object.strip_prefix("column ").and_then(|column| column.rsplit_once('.'));
        let of_full = table.is_some_and(|(table, _)| {
            full.iter().any(|name| name.may_be(&RelationName::unquoted(table)))
        });
        let is_of = |of: &String| of == name || of.trim_end_matches("[]").ends_with(bare);
        of_full && properties.get("type").is_some_and(is_of)
    })
}

/// How many objects the change made, by kind, and how many of before are others or gone. Columns
/// and constraints are their table's.
fn differences(
    evidence: &Evidence<'_, '_>,
    objects: &[(String, String)],
) -> (BTreeMap<String, u64>, u64) {
    let before = evidence.trace.catalogue_before();
    let (mut made, mut changed) = (BTreeMap::new(), 0);
    for (object, _) in objects {
        let Some((kind, _)) = object.split_once(' ') else { continue };
        let known = before.is_some_and(|before| before.objects.contains_key(object));
        match (known, kind) {
            (true, _) => changed += 1,
            (false, "column" | "constraint" | "index" | "sequence") => {
                made.entry(String::new()).or_insert(0);
            }
            (false, kind) => *made.entry(kind.to_owned()).or_insert(0) += 1,
        }
    }
    (made, changed)
}
