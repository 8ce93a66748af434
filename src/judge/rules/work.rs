//! Work on every row of a table under a lock that stops others: it lasts longer the larger the
//! table is, so what was below the limit here need not be elsewhere.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::clock::Micros;
use crate::history::HeldLock;
use crate::pg::LockMode;
use crate::pg::facts::{Certainty, Relation, RelationName, Work, works};
use crate::result::evidence::{LockedWork, WorkKind};
use crate::result::{Evidence as Shown, Finding, Subject};
use crate::scenario::Verdict;

use super::super::held::granted;
use super::super::sessions::Session;
use super::super::trace::StatementRecord;
use super::Evidence;
use super::proved::{has_no_null, is_within_bounds};

/// The weakest mode for which writers of rows wait.
const STOPS_WRITERS: LockMode = LockMode::ShareLock;
/// Shorter work says nothing of how it grows, unless the limit is as short: what takes a
/// [`SHARE_OF_LIMIT`]th of it counts too.
const TOOK_LEAST: Micros = Micros::from_millis(10);
const SHARE_OF_LIMIT: u64 = 20;
/// Of fewer rows, most of the time was not theirs.
const ROWS_LEAST: u64 = 1_000;
/// Findings of a trial, the longest.
const FINDINGS_MAX: usize = 5;

/// Each relation's and statement's longest occurrence, the longest first. What a stall beyond the
/// limit is put down to is found as that.
pub fn work_under_lock(evidence: &Evidence<'_, '_>) -> Vec<Finding> {
    let mut found: Vec<(Subject, LockedWork)> = Vec::new();
    for session in evidence.sessions {
        for record in &session.statements {
            found.extend(worked(evidence, session, record));
        }
    }
    found.sort_by_key(|(_, work)| Reverse(work.took_us));
    let mut known: Vec<(Option<String>, String)> = Vec::new();
    found.retain(|(subject, _)| {
        let text = subject.statement.as_ref().map(|s| s.text.clone()).unwrap_or_default();
        let one = (subject.relation.clone(), text);
        let is_new = !known.contains(&one);
        known.push(one);
        is_new
    });
    found.truncate(FINDINGS_MAX);
    let finding =
        |(subject, work)| Finding::new(Verdict::Safe, subject, Shown::WorkUnderLock(work));
    found.into_iter().map(finding).collect()
}

fn worked(
    evidence: &Evidence<'_, '_>,
    session: &Session<'_, '_>,
    record: &StatementRecord<'_>,
) -> Option<(Subject, LockedWork)> {
    let ended = record.ended.filter(|ended| ended.error.is_none())?;
    let (relation, work) = done(evidence, record)?;
    let name = RelationName::unquoted(&relation);
    // ATTACH does not name the DEFAULT partition that it locks.
    let attaches = works(&record.began.text).first() == Some(&Work::Attach);
    let unseen = || attaches.then_some(LockMode::AccessExclusiveLock);
    let mode = mode(record, &name).or_else(unseen).filter(|mode| *mode >= STOPS_WRITERS)?;
    let size = Size::of(evidence, &name);
    if size.rows.is_some_and(|rows| rows < ROWS_LEAST) {
        return None;
    }
    let (trace, limit_us) = (evidence.trace, evidence.stall_limit());
    let since = |taker: &StatementRecord<'_>| {
        granted(trace, evidence.waits, &session.id, taker, &relation, mode)
    };
    let took_us = ended.ended_us - since(record);
    if took_us < TOOK_LEAST.min(Micros(limit_us.0 / SHARE_OF_LIMIT)) || is_stall(evidence, record) {
        return None;
    }
    let held_us = match session.transaction_of(record) {
        None => took_us,
        Some(transaction) => {
            let has = |s: &&&StatementRecord<'_>| self::mode(s, &name) >= Some(mode);
            let first = transaction.statements.iter().find(has).copied().unwrap_or(record);
            let last = transaction.statements.last().copied().unwrap_or(record);
            let to = if last.open_after() { session.until } else { last.span(trace.end).1 };
            (to - since(first)).max(took_us)
        }
    };
    let subject =
        Subject { relation: Some(relation), ..Subject::statement(evidence.refer(record)) };
    let (rows, bytes) = (size.rows, size.bytes);
    Some((subject, LockedWork { work, mode, took_us, held_us, rows, bytes, limit_us }))
}

/// What the statement did to every row of which relation. A new file shows that a relation was
/// written anew; of the rest, the text says that it is read.
fn done(evidence: &Evidence<'_, '_>, record: &StatementRecord<'_>) -> Option<(String, WorkKind)> {
    let works = works(&record.began.text);
    let facts = record.facts();
    // TRUNCATE makes a new file and touches no row.
    let rewritten = record.ended.into_iter().flat_map(|ended| &ended.rewritten);
    let mut rewritten = rewritten.filter(|_| !works.contains(&Work::Truncate));
    if let Some(table) = rewritten.find(|name| is_table(evidence, record, name)) {
        let kind = match works.contains(&Work::Reindex) {
            true => WorkKind::IndexBuild,
            false => WorkKind::Rewrite,
        };
        return Some((table.clone(), kind));
    }
    let certain = facts.statements.iter().any(|s| s.rewrites == Certainty::Yes);
    let kind = works.iter().find_map(|work| match work {
        Work::StoredColumn
        | Work::DefaultPerRow
        | Work::NumberedColumn
        | Work::Storage
        | Work::Compaction
        | Work::Refresh => certain.then_some(WorkKind::Rewrite),
        Work::UniqueKey | Work::Exclusion | Work::IndexBuild | Work::Reindex => {
            Some(WorkKind::IndexBuild)
        }
        Work::ForeignKey
        | Work::Check
        | Work::NotNull
        | Work::Validation
        | Work::Attach
        | Work::Domain => Some(WorkKind::Scan),
        _ => None,
    })?;
    let name = match works.first() {
        Some(Work::Attach) => attached(evidence, record),
        _ => named(record).or_else(|| locked(evidence, record)),
    };
    let name = name.filter(|name| was_there(evidence, name))?;
    if works.first() == Some(&Work::NotNull) && has_no_null(evidence, record, &name) {
        return None;
    }
    Some((shown_name(evidence, &name), kind))
}

/// The relation that the text names and locks most strongly.
fn named(record: &StatementRecord<'_>) -> Option<RelationName> {
    let strong = record.facts().named_locks().filter(|(_, mode)| *mode >= STOPS_WRITERS);
    strong.min_by_key(|(_, mode)| Reverse(*mode)).map(|(name, _)| name.clone())
}

/// The table that is locked where the text names an index alone.
fn locked(evidence: &Evidence<'_, '_>, record: &StatementRecord<'_>) -> Option<RelationName> {
    let seen = locks(record).filter(|lock| lock.mode >= STOPS_WRITERS);
    let mut names = seen.map(|lock| RelationName::unquoted(&lock.relation));
    names.find(|name| was_there(evidence, name))
}

/// The largest table that is read because a partition is put beside it, or becomes one: those
/// whose rows no CHECK speaks of.
fn attached(evidence: &Evidence<'_, '_>, record: &StatementRecord<'_>) -> Option<RelationName> {
    let facts = record.facts();
    let asked: Vec<&RelationName> = facts.named_locks().map(|(name, _)| name).collect();
    let before = evidence.trace.catalogue_before();
    let objects = before.into_iter().flat_map(|before| &before.objects);
    let tables: Vec<_> = objects
        .filter_map(|(object, of)| {
            Some((RelationName::unquoted(object.strip_prefix("table ")?), of))
        })
        .collect();
    let is_asked = |table: &RelationName| asked.iter().any(|name| name.may_be(table));
    let is_parent = |of: &BTreeMap<String, String>| of.contains_key("partition key");
    let parent = tables.iter().find(|(table, of)| is_asked(table) && is_parent(of));
    let parent = parent.map(|(table, _)| table);
    let read = tables.iter().filter(|(table, of)| match of.get("partition bound") {
        _ if is_parent(of) => false,
        None => is_asked(table),
        Some(bound) => {
            let inherits = of.get("inherits").map(|parent| RelationName::unquoted(parent));
            bound == "DEFAULT" && inherits.zip(parent).is_some_and(|(is, of)| is.may_be(of))
        }
    });
    let unproved = read.filter(|(table, _)| !is_within_bounds(evidence, record, (parent, table)));
    let largest = unproved.max_by_key(|(table, _)| Size::of(evidence, table).rows);
    largest.map(|(table, _)| table.clone())
}

/// What the statement had, or left, locked.
fn locks<'h>(record: &StatementRecord<'h>) -> impl Iterator<Item = &'h HeldLock> {
    record.ended.into_iter().flat_map(|ended| ended.held.iter().chain(&ended.taken))
}

/// Of what has a new file, an index is its table's.
fn is_table(evidence: &Evidence<'_, '_>, record: &StatementRecord<'_>, relation: &str) -> bool {
    let name = RelationName::unquoted(relation);
    let locked = record.facts().locks().any(|lock| match &lock.relation {
        Relation::Named(named) => named.may_be(&name),
        _ => false,
    });
    // A sequence gets a new file too, for its one row.
    let objects = evidence.trace.catalogue_before().into_iter().flat_map(|c| c.objects.keys());
    let mut sequences = objects.filter_map(|object| object.strip_prefix("sequence "));
    let is_sequence = sequences.any(|sequence| RelationName::unquoted(sequence).may_be(&name));
    (locked || was_there(evidence, &name)) && !is_sequence
}

/// Whether it is a table that was there before the change; one that the change made itself stops
/// nobody.
fn was_there(evidence: &Evidence<'_, '_>, name: &RelationName) -> bool {
    let states = evidence.trace.tables.iter().find(|tables| tables.after.is_none());
    let mut states = states.into_iter().flat_map(|tables| tables.tables.keys());
    states.any(|table| RelationName::unquoted(table).may_be(name))
        || evidence.sizes.0.keys().any(|table| RelationName::of(table).may_be(name))
}

/// As locks are called: without the schema that is found first.
fn shown_name(evidence: &Evidence<'_, '_>, name: &RelationName) -> String {
    let locks = evidence.trace.statements().filter_map(|s| s.ended).flat_map(|ended| &ended.held);
    let mut locks = locks.filter(|lock| RelationName::unquoted(&lock.relation).may_be(name));
    locks.next().map_or_else(|| name.to_string(), |lock| lock.relation.clone())
}

/// The strongest mode in which the statement had, or left, the relation locked.
fn mode(record: &StatementRecord<'_>, name: &RelationName) -> Option<LockMode> {
    let of = |lock: &&HeldLock| RelationName::unquoted(&lock.relation).may_be(name);
    let held = locks(record).filter(of).map(|lock| lock.mode);
    let asked = record.facts().named_locks().filter(|(named, _)| named.may_be(name));
    held.chain(asked.map(|(_, mode)| mode)).max()
}

/// Whether a stall beyond the limit is put down to the statement.
fn is_stall(evidence: &Evidence<'_, '_>, record: &StatementRecord<'_>) -> bool {
    let one = (record.began.attempt, record.began.statement);
    let long = evidence.stalls.iter().filter(|stall| stall.longest > evidence.stall_limit());
    let mut blamed = long.flat_map(|stall| [&stall.blame.during, &stall.blame.taken_by]).flatten();
    blamed.any(|statement| (statement.attempt, statement.id) == one)
}

/// How large a relation was before the change.
#[derive(Default)]
pub struct Size {
    pub rows: Option<u64>,
    pub bytes: Option<u64>,
}

impl Size {
    /// With its partitions.
    pub fn of(evidence: &Evidence<'_, '_>, name: &RelationName) -> Size {
        let states = evidence.trace.tables.iter().find(|tables| tables.after.is_none());
        let is = |table: &str| RelationName::unquoted(table).may_be(name);
        let tables = states.into_iter().flat_map(|states| &states.tables);
        let own: Vec<_> = tables
            .filter(|(table, state)| is(table) || state.root.as_deref().is_some_and(is))
            .map(|(_, state)| state)
            .collect();
        if !own.is_empty() {
            let bytes = own.iter().map(|state| state.bytes).sum();
            let rows = Some(own.iter().map(|state| state.rows).sum());
            return Size { rows, bytes: Some(bytes).filter(|bytes| *bytes > 0) };
        }
        let mut declared = evidence.sizes.0.iter();
        let rows = declared.find(|(table, _)| RelationName::of(table).may_be(name));
        Size { rows: rows.map(|(_, rows)| *rows), bytes: None }
    }
}
