//! The change with all its locks taken first, in the application's order: what is said to cure
//! deadlocks, tried.

use std::collections::BTreeMap;

use crate::pg::facts::{Relation, RelationName, facts, strongest_of_each};
use crate::pg::{LockMode, quote_ident};
use crate::result::RetryRound;
use crate::scenario::{OperationSpec, Scenario, Statement, TransactionRule};

/// Strong enough to stand in an application's way.
const FROM: LockMode = LockMode::ShareUpdateExclusiveLock;

/// The scenario whose migrations begin with these statements. None: the change is no SQL that runs
/// in a transaction, or it locks fewer than two tables of the scenario.
pub fn locks_first(scenario: &Scenario, rounds: &[RetryRound]) -> Option<(Scenario, Vec<String>)> {
    let change = &scenario.change;
    let by_rule = change.transaction != TransactionRule::None;
    let in_transaction =
        change.migrations.iter().all(|migration| migration.transaction.unwrap_or(by_rule));
    if change.command.is_some() || change.migrations.is_empty() || !in_transaction {
        return None;
    }
    let seen = rounds.iter().flat_map(|round| &round.locks);
    let seen = seen.map(|lock| (RelationName::unquoted(&lock.relation), lock.mode));
    // A change that dies each time never got the lock behind which it died: its text has it.
    let texts = change.migrations.iter().flat_map(|migration| &migration.script.statements);
    let asked = texts.flat_map(|statement| asked(&statement.text));
    let is_table = |name: &RelationName| {
        scenario.tables.iter().any(|table| RelationName::of(&table.name).may_be(name))
    };
    let strong = seen.chain(asked).filter(|(name, mode)| *mode >= FROM && is_table(name));
    let mut locked = strongest_of_each(strong);
    if locked.len() < 2 {
        return None;
    }
    let order = order(&scenario.traffic.operations, &locked);
    locked.sort_by_key(|(name, _)| order.get(&name.name).copied().unwrap_or(usize::MAX));
    let statements: Vec<String> = locked.iter().map(|(name, mode)| lock(name, *mode)).collect();
    let mut cured = scenario.clone();
    if let Some(first) = cured.change.migrations.first_mut() {
        let line = first.script.statements.first().map_or(1, |statement| statement.line);
        let locks = statements.iter().map(|sql| Statement::new(sql.clone(), line));
        first.script.statements.splice(0..0, locks);
    }
    Some((cured, statements))
}

/// Locks that a text asks for.
fn asked(sql: &str) -> Vec<(RelationName, LockMode)> {
    facts(sql).named_locks().map(|(name, mode)| (name.clone(), mode)).collect()
}

fn lock(name: &RelationName, mode: LockMode) -> String {
    let schema = name.schema.as_ref().map(|schema| format!("{}.", quote_ident(schema)));
    let table = quote_ident(&name.name);
    format!("LOCK TABLE {}{table} IN {} MODE", schema.unwrap_or_default(), mode.sql())
}

/// Where each table comes in the most frequent operation that uses several of them.
fn order(
    operations: &[OperationSpec],
    locked: &[(RelationName, LockMode)],
) -> BTreeMap<String, usize> {
    let tables = |operation: &OperationSpec| {
        let mut tables: Vec<String> = Vec::new();
        let statements = operation.statements.iter().flat_map(|s| facts(&s.sql).statements);
        for lock in statements.filter_map(|statement| statement.locks).flatten() {
            let Relation::Named(name) = lock.relation else { continue };
            let is_locked = locked.iter().any(|(known, _)| known.may_be(&name));
            if is_locked && !tables.contains(&name.name) {
                tables.push(name.name);
            }
        }
        tables
    };
    let several = operations.iter().map(|operation| (operation.weight, tables(operation)));
    let several = several.filter(|(_, tables)| tables.len() > 1);
    let most = several.max_by(|(one, _), (other, _)| one.total_cmp(other));
    most.map_or_else(BTreeMap::new, |(_, tables)| tables.into_iter().zip(0..).collect())
}
