//! Rows that are in a database already.

use std::collections::BTreeMap;

use super::effects::States;

/// By table, those of partitions with the table that they are part of; as the planner estimates
/// them.
pub fn rows_by_table(states: &States) -> BTreeMap<String, u64> {
    let mut rows = BTreeMap::new();
    for (name, state) in states {
        let table = state.root.as_ref().unwrap_or(name);
        *rows.entry(table.clone()).or_default() += state.rows;
    }
    rows
}
