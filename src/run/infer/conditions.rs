//! Under which conditions a change is tried where nobody says it.

use crate::clock::Micros;
use crate::pg::quote_qualified;
use crate::scenario::{Condition, Disturbance};

/// How long the backup goes on after the change has begun its work, about.
const BACKUP_HOLD_MS: u64 = 4_000;

/// Nothing but the application, and a backup: a snapshot and a lock on every table, as pg_dump
/// holds them. `idle`: how long the change takes before it does anything.
pub(super) fn calm_and_backup<'t>(
    tables: impl Iterator<Item = &'t String>,
    idle: Micros,
) -> Vec<Condition> {
    let tables: Vec<String> = tables.map(|name| quote_qualified(name)).collect();
    let calm = Condition { name: "calm".to_owned(), disturbances: Vec::new() };
    if tables.is_empty() {
        return vec![calm];
    }
    let backup = Disturbance {
        name: "backup".to_owned(),
        statements: vec![format!("LOCK TABLE {} IN ACCESS SHARE MODE", tables.join(", "))],
        isolation: Some("REPEATABLE READ".to_owned()),
        // Under load a command starts more slowly.
        hold_ms: BACKUP_HOLD_MS + idle.0 / 1_000 * 2,
    };
    vec![calm, Condition { name: "backup".to_owned(), disturbances: vec![backup] }]
}
