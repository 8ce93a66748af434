//! For what a verdict holds: one line of what was tried, so that no one takes it for more.

use crate::history::{TrialFacts, Tried};
use crate::stats::grouped;

/// Tables that are named; of more, the largest.
const TABLES_MAX: usize = 3;

/// `2,000,000 rows in spans; PostgreSQL 18.4; 200 operations a second; …`. Empty: an older version
/// made the trial, and what it tried is not known.
pub fn holds_for(trial: &TrialFacts) -> String {
    let Some(tried) = &trial.tried else { return String::new() };
    let mut parts = vec![rows(trial, tried), format!("PostgreSQL {}", trial.server.version)];
    parts.push(match tried.rate_per_s {
        rate if rate > 0.0 => format!("{rate} operations a second"),
        _ => "no application".to_owned(),
    });
    parts.push(match tried.background.is_empty() {
        true => "no other session in the way".to_owned(),
        false => format!("beside {}", tried.background.join(", ")),
    });
    if tried.runners > 1 {
        parts.push(format!("{} runners", tried.runners));
    }
    parts.retain(|part| !part.is_empty());
    parts.join("; ")
}

fn rows(trial: &TrialFacts, tried: &Tried) -> String {
    let mut tables: Vec<(&String, &u64)> = trial.sizes.iter().collect();
    tables.sort_by_key(|(name, rows)| (std::cmp::Reverse(**rows), *name));
    let left_out = tables.len().saturating_sub(TABLES_MAX);
    let named = tables.into_iter().take(TABLES_MAX).map(|(table, rows)| {
        let declared = match tried.declared.get(table) {
            Some(declared) => format!(" (not the {} declared)", grouped(*declared)),
            None => String::new(),
        };
        format!("{} rows in {table}{declared}", grouped(*rows))
    });
    let named: Vec<String> = named.collect();
    match (named.is_empty(), left_out) {
        (true, _) => "no rows".to_owned(),
        (false, 0) => named.join(", "),
        (false, n) => format!("{} and {n} smaller tables", named.join(", ")),
    }
}
