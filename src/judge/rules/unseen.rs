//! Operations that met rows before the change and meet none after it: row security, a view that
//! lost its rows, a table that was swapped for an empty one.

use crate::clock::Micros;
use crate::history::{Operation, OperationOutcome};
use crate::pg::facts::{Relation, RelationName, facts};
use crate::pg::syntax::Kind;
use crate::result::evidence::UnseenRows;
use crate::result::{Evidence as Shown, Finding, Subject};
use crate::scenario::{OperationSpec, Verdict};

use super::Evidence;

/// Chance, beyond which nothing is said, that those which met no row all came after the change by
/// the draw alone. 8 operations that all met rows and 7 that met none are enough, and so are 20 of
/// which half met rows and 20 that met none.
const CHANCE_MAX: f64 = 3e-4;
/// Fewer after the change say nothing of what will be, however many there were before.
const AFTER_MIN: u64 = 5;
/// The same of an operation on a table whose row security the change switched on, which is why: 8
/// operations that all met rows and 2 that met none are enough.
const SECURED: (f64, u64) = (0.05, 2);

/// Per kind of operation. Which row an operation asks for is drawn, and some ask for rows that are
/// not there: so it has to have met rows at least every other time before, and never after.
pub fn rows(evidence: &Evidence<'_, '_>) -> Vec<Finding> {
    let began = evidence.change_began();
    let ended = evidence.trace.attempts.iter().filter_map(|a| a.ended.filter(|_| a.finished()));
    let Some(ended) = ended.min() else { return Vec::new() };
    let before = |o: &&&Operation| o.finished_us < began;
    let after = |o: &&&Operation| o.acquired_us.is_some_and(|at| at > ended);
    let secured = secured(evidence, ended);
    let kinds = evidence.scenario.traffic.operations.iter().enumerate();
    let of = |(kind, spec): (usize, &OperationSpec)| {
        let of_kind = evidence.trace.operations.iter().filter(move |o| {
            usize::from(o.kind) == kind && o.outcome == OperationOutcome::Succeeded
        });
        let (before, empty_before) = counts(of_kind.clone().filter(before));
        let (after, empty_after) = counts(of_kind.filter(after));
        let met = before > 0 && empty_before * 2 <= before;
        let of_secured = secured.iter().any(|table| names(spec, table));
        let (chance_max, after_min) = if of_secured { SECURED } else { (CHANCE_MAX, AFTER_MIN) };
        let rare = after >= after_min && chance(before, empty_before, after) <= chance_max;
        let unseen = met && rare && empty_after == after;
        let secured = secured.clone();
        let shown = UnseenRows { before, empty_before, after, empty_after, secured };
        let subject = Subject::operation(spec.name.clone());
        unseen.then(|| Finding::new(Verdict::Unsafe, subject, Shown::RowsUnseen(shown)))
    };
    kinds.filter_map(of).collect()
}

/// Whether one of the operation's statements is about the table.
fn names(spec: &OperationSpec, table: &str) -> bool {
    let table = RelationName::unquoted(table);
    spec.statements.iter().any(|statement| {
        let facts = facts(&statement.sql);
        facts.locks().any(|lock| match &lock.relation {
            Relation::Named(named) => named.may_be(&table),
            _ => false,
        })
    })
}

/// That all operations after the change are among the empty ones, if it is chance which ones are.
fn chance(before: u64, empty_before: u64, after: u64) -> f64 {
    let ratio = |drawn: u64| {
        let (empty, all) = (empty_before + after - drawn, before + after - drawn);
        empty as f64 / all as f64
    };
    (0..after).map(ratio).product()
}

/// How many, and how many of them without a row.
fn counts<'o, 'h: 'o>(operations: impl Iterator<Item = &'o &'h Operation>) -> (u64, u64) {
    operations.fold((0, 0), |(all, empty), o| (all + 1, empty + u64::from(o.empty)))
}

/// Tables on which the change switched row security on, as its statements say.
fn secured(evidence: &Evidence<'_, '_>, until: Micros) -> Vec<String> {
    let statements = evidence.trace.statements();
    let mut tables: Vec<String> = statements
        .filter(|s| s.at <= until && s.succeeded() && *s.kind() == Kind::AlterTable)
        .filter(|s| s.began.text.to_uppercase().contains("ENABLE ROW LEVEL SECURITY"))
        .filter_map(|s| s.ended)
        .flat_map(|ended| ended.held.iter().map(|held| held.relation.clone()))
        .collect();
    tables.sort();
    tables.dedup();
    tables
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chance_is_ruled_out_by_as_many_operations_as_it_takes() {
        let is_rare = |before, empty, after| chance(before, empty, after) <= CHANCE_MAX;
        assert!(is_rare(8, 0, 7) && is_rare(20, 10, 20) && is_rare(1_000, 0, 3));
        assert!(!is_rare(8, 0, 4) && !is_rare(20, 10, 8) && !is_rare(1_000, 0, 1));
        assert!(!is_rare(20, 0, 0));
    }
}
