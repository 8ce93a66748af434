//! One statement at every size: which trials' rows are the same statement, and the table by whose
//! rows it grows.

use std::collections::BTreeMap;

use crate::pg::facts::{RelationName, Work, facts, strongest_of_each, works};
use crate::pg::purpose::Purpose;
use crate::pg::{LockMode, StatementPlace};
use crate::result::{Evidence, Judgement, StatementRow};
use crate::stats::Point;

/// A statement of the change, in all trials in which it succeeded.
pub struct Series<'r> {
    /// As it ran at the largest size.
    pub row: &'r StatementRow,
    /// The table whose rows count.
    pub table: String,
    pub runs: Vec<Runs<'r>>,
}

/// Its runs in one trial.
pub struct Runs<'r> {
    pub rows: u64,
    pub statements: Vec<&'r StatementRow>,
}

impl Series<'_> {
    /// Sizes and sums of what `of` says of a run.
    pub fn sums(&self, of: impl Fn(&StatementRow) -> f64) -> Vec<Point> {
        let sum = |runs: &Runs<'_>| runs.statements.iter().map(|row| of(row)).sum::<f64>();
        self.points(sum)
    }

    /// Sizes and the longest run of each.
    pub fn longest(&self) -> Vec<Point> {
        let longest = |runs: &Runs<'_>| {
            runs.statements.iter().map(|row| row.work_us().0 as f64).fold(0.0, f64::max)
        };
        self.points(longest)
    }

    fn points(&self, of: impl Fn(&Runs<'_>) -> f64) -> Vec<Point> {
        // What took less than a microsecond took one.
        self.runs.iter().map(|runs| Point { n: runs.rows as f64, y: of(runs).max(1.0) }).collect()
    }
}

/// The statements that do something, in the order in which they ran at the largest size.
pub fn series<'r>(trials: &[&'r Judgement], largest: &'r Judgement) -> Vec<Series<'r>> {
    let of_trial: Vec<(&'r Judgement, BTreeMap<StatementPlace, Vec<&'r StatementRow>>)> =
        trials.iter().map(|judgement| (*judgement, places(judgement))).collect();
    let mut known: Vec<StatementPlace> = Vec::new();
    let mut all = Vec::new();
    for row in working(largest) {
        let place = row.statement.place();
        if known.contains(&place) {
            continue;
        }
        known.push(place.clone());
        let table = table(row, largest);
        let Some(table) = table else { continue };
        let runs = of_trial.iter().filter_map(|(judgement, places)| {
            let statements = places.get(&place)?.clone();
            let failed = statements.iter().any(|row| row.error.is_some());
            let rows = judgement.trial.sizes.get(&table).copied()?;
            (!failed && rows > 0).then_some(Runs { rows, statements })
        });
        let mut runs: Vec<Runs<'r>> = runs.collect();
        runs.sort_by_key(|runs| runs.rows);
        all.push(Series { row, table, runs });
    }
    all
}

/// Of the first application.
fn working(judgement: &Judgement) -> impl Iterator<Item = &StatementRow> {
    let rows = judgement.measured.statements.iter();
    rows.filter(|row| row.attempt == 0 && row.purpose == Purpose::Work)
}

fn places(judgement: &Judgement) -> BTreeMap<StatementPlace, Vec<&StatementRow>> {
    let mut places: BTreeMap<StatementPlace, Vec<&StatementRow>> = BTreeMap::new();
    for row in working(judgement) {
        places.entry(row.statement.place()).or_default().push(row);
    }
    places
}

/// The largest of the tables that it names, locks or writes anew; the largest of all where what it
/// is about is not in its text, or a view. None: tables without declared rows, such as a version's.
fn table(row: &StatementRow, trial: &Judgement) -> Option<String> {
    let sizes = &trial.trial.sizes;
    let facts = facts(&row.statement.text);
    let asked = facts.named_locks().map(|(name, _)| name.clone());
    let written = facts.statements.iter().flat_map(|s| s.writes.iter().chain(&s.defines).cloned());
    let seen = row.taken.iter().map(|lock| RelationName::unquoted(&lock.relation));
    let anew = row.rewritten.iter().map(|name| RelationName::unquoted(name));
    let found = worked_on(row, trial).map(|(name, _)| name);
    let names: Vec<RelationName> =
        asked.chain(written).chain(seen).chain(anew).chain(found).collect();
    let is_named = |table: &str| names.iter().any(|name| name.may_be(&RelationName::of(table)));
    let named = sizes.iter().filter(|(table, _)| is_named(table));
    let largest = named.max_by_key(|(_, rows)| **rows);
    let reads_others = works(&row.statement.text).contains(&Work::Refresh);
    let any = || {
        let open = names.is_empty() || reads_others || facts.is_dynamic();
        sizes.iter().max_by_key(|(_, rows)| **rows).filter(|_| open)
    };
    largest.or_else(any).map(|(table, _)| table.clone())
}

/// What it was found to work on under a lock that its text need not name: a DEFAULT partition, the
/// table of an index.
fn worked_on<'r>(
    row: &'r StatementRow,
    trial: &'r Judgement,
) -> impl Iterator<Item = (RelationName, LockMode)> + use<'r> {
    let place = row.statement.place();
    trial.findings.iter().filter_map(move |finding| {
        let Some(Evidence::WorkUnderLock(of)) = &finding.evidence else { return None };
        let statement = finding.subject.statement.as_ref()?;
        let relation = finding.subject.relation.as_ref()?;
        (statement.place() == place).then(|| (RelationName::unquoted(relation), of.mode))
    })
}

/// Locks that a statement takes and that its text asks for, with which operations can collide.
pub fn strong_locks(row: &StatementRow, trial: &Judgement) -> Vec<(RelationName, LockMode)> {
    let facts = facts(&row.statement.text);
    let asked = facts.named_locks().map(|(name, mode)| (name.clone(), mode));
    let taken = row.taken.iter().map(|l| (RelationName::unquoted(&l.relation), l.mode));
    let locks = asked.chain(taken).chain(worked_on(row, trial));
    strongest_of_each(locks.filter(|(_, mode)| *mode >= LockMode::ShareLock))
}
