//! Locks that stop operations: how long they are held at the size that is asked about, and what
//! that does to the application.

use crate::clock::Micros;
use crate::pg::LockMode;
use crate::pg::facts::{RelationName, facts};
use crate::result::{Interval, PredictedHold, PredictedPool, StatementRow};
use crate::scenario::{On, OperationSpec, Scenario};

use super::outlook::{Grown, Outlook, interval, stays};
use super::replay::replay;
use super::series::strong_locks;

/// Holds of a prediction, the longest.
const HOLDS_MAX: usize = 5;
/// Half of [`crate::stats::COVERAGE`] is on either side: so many deviations from the middle.
const DEVIATIONS: f64 = 1.645;

/// Each relation once, where it is held longest.
pub fn holds(outlook: &Outlook<'_>) -> Vec<PredictedHold> {
    let mut holds: Vec<PredictedHold> = Vec::new();
    for transaction in transactions(outlook) {
        for (index, row) in transaction.iter().enumerate() {
            for (relation, mode) in strong_locks(row, outlook.largest) {
                let Some(hold) = hold(outlook, &relation, mode, &transaction[index..]) else {
                    continue;
                };
                match holds.iter_mut().find(|known| known.relation == hold.relation) {
                    Some(known) if known.held.mid < hold.held.mid => *known = hold,
                    Some(_) => {}
                    None => holds.push(hold),
                }
            }
        }
    }
    holds.sort_by(|one, other| other.held.mid.total_cmp(&one.held.mid));
    holds.truncate(HOLDS_MAX);
    holds
}

/// Statements of the largest trial's first application, by transaction. One that runs by itself is
/// alone.
fn transactions<'r>(outlook: &Outlook<'r>) -> Vec<Vec<&'r StatementRow>> {
    let rows = outlook.largest.measured.statements.iter().filter(|row| row.attempt == 0);
    let mut transactions: Vec<Vec<&StatementRow>> = Vec::new();
    for row in rows {
        match transactions.last_mut() {
            Some(open) if row.in_transaction && is_of(open, row) => open.push(row),
            _ => transactions.push(vec![row]),
        }
    }
    transactions
}

fn is_of(open: &[&StatementRow], row: &StatementRow) -> bool {
    open.first().is_some_and(|first| first.connection == row.connection)
}

fn hold(
    outlook: &Outlook<'_>,
    relation: &RelationName,
    mode: LockMode,
    under: &[&StatementRow],
) -> Option<PredictedHold> {
    let (first, scenario) = (under.first()?, outlook.of.scenario);
    let known = outlook.largest.trial.sizes.keys();
    let mut tables = known.filter(|table| relation.may_be(&RelationName::of(table)));
    let table = tables.next()?;
    let stopped: Vec<&OperationSpec> =
        scenario.traffic.operations.iter().filter(|o| is_stopped(o, relation, mode)).collect();
    if stopped.is_empty() {
        return None;
    }
    let held = held(outlook, under)?;
    let limit_us = outlook.largest.ending.stall_limit_us;
    let tried = |row: &&StatementRow| row.work_us();
    Some(PredictedHold {
        relation: table.clone(),
        mode,
        taken_by: first.statement.clone(),
        longest: longest(outlook, under).unwrap_or(first).statement.clone(),
        statements: u32::try_from(under.len()).unwrap_or(u32::MAX),
        tried_us: under.iter().map(tried).fold(Micros::ZERO, |sum, us| sum + us),
        is_known: under.iter().all(|row| is_known(outlook, row)),
        chance: chance_above(&held, limit_us.0 as f64),
        pool: pool(scenario, outlook, &stopped, Micros(held.mid as u64), limit_us),
        held,
        limit_us,
    })
}

/// The statement that takes longest at the size that is asked about.
fn longest<'s>(outlook: &Outlook<'_>, under: &[&'s StatementRow]) -> Option<&'s StatementRow> {
    let takes = |row: &StatementRow| {
        let own = outlook.grown(row);
        own.map_or(row.work_us().0 as f64, |grown| one_run(outlook, grown).mid)
    };
    under.iter().copied().max_by(|one, other| takes(one).total_cmp(&takes(other)))
}

/// Whether a law foretells how long the statement takes.
fn is_known(outlook: &Outlook<'_>, row: &StatementRow) -> bool {
    let growth = outlook.grown(row).and_then(|grown| grown.growth.as_ref());
    growth.is_none_or(|growth| growth.law().is_some())
}

fn pool(
    scenario: &Scenario,
    outlook: &Outlook<'_>,
    stopped: &[&OperationSpec],
    held: Micros,
    limit: Micros,
) -> Option<PredictedPool> {
    let pool = replay(scenario, outlook.largest, stopped, held);
    (held > limit || pool.failing > 0).then_some(pool)
}

/// Sums of the ends: statements of one transaction run on one machine, and what makes one of them
/// slow makes all of them slow.
fn held(outlook: &Outlook<'_>, under: &[&StatementRow]) -> Option<Interval> {
    let mut sum = Interval { low: 0.0, mid: 0.0, high: 0.0 };
    for row in under {
        let place = row.statement.place();
        let is_it = |grown: &&Grown<'_>| grown.series.row.statement.place() == place;
        let one = match outlook.grown.iter().find(is_it) {
            // Of several runs each is in a transaction of its own, or all are in this one: then the
            // sum counts once.
            Some(grown) if std::ptr::eq(grown.series.row, *row) => one_run(outlook, grown),
            Some(_) => continue,
            None => {
                let took = row.work_us().0 as f64;
                Interval { low: took, mid: took, high: took }
            }
        };
        sum =
            Interval { low: sum.low + one.low, mid: sum.mid + one.mid, high: sum.high + one.high };
    }
    (sum.mid > 0.0).then_some(sum)
}

/// What took next to no time at every size either does not grow, or not faster than its table.
fn one_run(outlook: &Outlook<'_>, grown: &Grown<'_>) -> Interval {
    let Some(growth) = &grown.growth else {
        let took = grown.series.row.work_us().0 as f64;
        let stays = stays(&grown.series.row.statement.text);
        let tried = outlook.largest.trial.sizes.get(&grown.series.table).copied();
        let times = grown.rows as f64 / tried.unwrap_or(grown.rows).max(1) as f64;
        let high = if stays { took } else { took * times.max(1.0) };
        return Interval { low: took, mid: took, high };
    };
    interval(growth.at(grown.rows as f64))
}

/// Whether an operation waits for the lock, by what its statements ask for.
pub fn is_stopped(operation: &OperationSpec, relation: &RelationName, mode: LockMode) -> bool {
    let on_primary = operation.on == On::Primary;
    let stops = |(name, asked): (&RelationName, LockMode)| {
        name.may_be(relation) && mode.conflicts_with(asked)
    };
    on_primary
        && operation.statements.iter().any(|statement| {
            let facts = facts(&statement.sql);
            // What a function or a text that does not parse locks is not known: it may be this.
            let is_open = facts.statements.iter().any(|s| s.locks.is_none() || s.dynamic);
            is_open || facts.named_locks().any(stops)
        })
}

/// As if the logarithm were normal with this interval.
fn chance_above(held: &Interval, limit: f64) -> f64 {
    use statrs::distribution::{ContinuousCDF, Normal};
    let end = if limit > held.mid { held.high } else { held.low };
    let deviation = ((end / held.mid).ln().abs() / DEVIATIONS).max(1e-6);
    let off = (limit / held.mid).ln() / deviation;
    Normal::standard().sf(off)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chance_at_the_ends_of_the_interval_is_a_twentieth() {
        let held = Interval { low: 1.0, mid: 2.0, high: 6.0 };
        let chances = [1.0, 2.0, 6.0].map(|limit| chance_above(&held, limit));
        let near = |one: f64, other: f64| (one - other).abs() < 0.001;
        assert!(near(chances[0], 0.95) && near(chances[1], 0.5) && near(chances[2], 0.05));
    }
}
