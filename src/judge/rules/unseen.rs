//! Operations that met rows before the change and meet none after it, or far fewer: row security, a
//! view that lost its rows, a table that was swapped for an empty one.

use statrs::distribution::{DiscreteCDF, Hypergeometric};

use crate::clock::Micros;
use crate::history::{Operation, OperationOutcome};
use crate::pg::facts::{RelationName, facts};
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
/// Chance, beyond which nothing is said, that operations meet no row so much more often after the
/// change, where some still do: what the application itself does to rows makes some difference.
const MORE_EMPTY_CHANCE_MAX: f64 = 1e-6;
/// Share of the operations, beyond that of before, that has to meet no row any more.
const MORE_EMPTY_MIN: f64 = 0.1;

/// Per kind of operation. Which row an operation asks for is drawn, and some ask for rows that are
/// not there: so it has to have met rows at least every other time before. That it never does after
/// is the change's; that it does less often is where the change says why, and unproven otherwise.
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
        let verdict = match met {
            true if rare && empty_after == after => Some(Verdict::Unsafe),
            true if more_are_empty((before, empty_before), (after, empty_after)) => {
                let meant = spec.statements.iter().any(|s| takes_rows(evidence, &s.sql));
                let otherwise = (!meant).then_some(Verdict::Unproven);
                if of_secured { Some(Verdict::Unsafe) } else { otherwise }
            }
            _ => None,
        };
        let secured = secured.clone();
        let shown = UnseenRows { before, empty_before, after, empty_after, secured };
        let subject = Subject::operation(spec.name.clone());
        verdict.map(|verdict| Finding::new(verdict, subject, Shown::RowsUnseen(shown)))
    };
    kinds.filter_map(of).collect()
}

/// Whether far more of those after than of those before are empty, and not by the draw.
fn more_are_empty((before, empty_before): (u64, u64), (after, empty_after): (u64, u64)) -> bool {
    if before == 0 || after == 0 {
        return false;
    }
    let share = |empty: u64, of: u64| empty as f64 / of as f64;
    let (was, is) = (share(empty_before, before), share(empty_after, after));
    is >= was + MORE_EMPTY_MIN
        && chance_of_more((before, empty_before), (after, empty_after)) <= MORE_EMPTY_CHANCE_MAX
}

/// That so many of those after or more are empty, if it is chance which ones are (Fisher's exact
/// test, one-sided).
fn chance_of_more((before, empty_before): (u64, u64), (after, empty_after): (u64, u64)) -> f64 {
    let (all, empty) = (before + after, empty_before + empty_after);
    let drawn = Hypergeometric::new(all, empty, after);
    drawn.map_or(1.0, |drawn| empty_after.checked_sub(1).map_or(1.0, |fewer| drawn.sf(fewer)))
}

/// Whether the scenario says that the change takes rows of a table of the statement.
fn takes_rows(evidence: &Evidence<'_, '_>, sql: &str) -> bool {
    facts(sql).named_locks().any(|(named, _)| {
        let accepted = evidence.scenario.accept.iter();
        accepted.filter_map(|one| one.rows.as_deref()).any(|t| RelationName::of(t).may_be(named))
    })
}

/// Whether one of the operation's statements is about the table.
fn names(spec: &OperationSpec, table: &str) -> bool {
    let table = RelationName::unquoted(table);
    spec.statements
        .iter()
        .any(|statement| facts(&statement.sql).named_locks().any(|(named, _)| named.may_be(&table)))
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

/// Tables on which the change switched row security on, or changed a policy, as its statements say.
fn secured(evidence: &Evidence<'_, '_>, until: Micros) -> Vec<String> {
    let statements = evidence.trace.statements();
    let mut tables: Vec<String> = statements
        .filter(|s| s.at <= until && s.succeeded() && secures(&s.began.text, s.kind()))
        .flat_map(|s| {
            let held = s.ended.into_iter().flat_map(|ended| ended.held.iter().chain(&ended.taken));
            // Outside a transaction nothing is held any more.
            let named = s.facts().named_locks().map(|(name, _)| name.to_string());
            held.map(|held| held.relation.clone()).chain(named).collect::<Vec<_>>()
        })
        .collect();
    tables.sort();
    tables.dedup();
    tables
}

fn secures(text: &str, kind: &Kind) -> bool {
    let text = text.to_uppercase();
    let says = |words: &str| text.contains(words);
    match kind {
        Kind::AlterTable => says("ENABLE ROW LEVEL SECURITY") || says("FORCE ROW LEVEL SECURITY"),
        Kind::Other => ["CREATE POLICY", "ALTER POLICY", "DROP POLICY"].into_iter().any(says),
        _ => false,
    }
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

    #[test]
    fn of_more_empty_ones_chance_is_ruled_out_by_their_number() {
        assert!(more_are_empty((100, 0), (60, 54)) && more_are_empty((400, 40), (400, 120)));
        // Few of them, or hardly more than before.
        assert!(!more_are_empty((20, 0), (6, 2)) && !more_are_empty((4_000, 400), (4_000, 700)));
        // All of them, by both ways.
        let (fisher, draw) = (chance_of_more((8, 0), (7, 7)), chance(8, 0, 7));
        assert!((fisher - draw).abs() < 1e-9, "{fisher} {draw}");
    }
}
