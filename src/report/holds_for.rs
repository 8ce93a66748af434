//! For what a verdict holds: one line of what was tried and what was not, so that no one takes it
//! for more.

use crate::history::Tried;
use crate::pg::facts::RelationName;
use crate::result::{Finding, Judgement};
use crate::scenario::{FindingKind, Verdict};
use crate::stats::grouped;

/// Tables that are named; of more, those that the change is about, the largest first.
const TABLES_MAX: usize = 3;

/// `2,000,000 rows in spans; PostgreSQL 18.4; 200 operations a second; …; not tried here: …`.
/// Empty: an older version made the trial, and what it tried is not known.
pub fn holds_for(judgement: &Judgement) -> String {
    let trial = &judgement.trial;
    let Some(tried) = &trial.tried else { return String::new() };
    let mut parts = vec![rows(judgement, tried), format!("PostgreSQL {}", trial.server.version)];
    parts.push(match tried.rate_per_s {
        rate if rate > 0.0 => format!("{rate} operations a second"),
        _ => "no application".to_owned(),
    });
    if !tried.background.is_empty() {
        parts.push(format!("beside {}", tried.background.join(", ")));
    }
    if tried.runners > 1 {
        parts.push(format!("{} runners", tried.runners));
    }
    if let Some(fault) = &trial.fault {
        parts.push(format!("the fault {}", fault.kind));
    }
    parts.push(format!("not tried here: {}", not_tried(judgement, tried).join(", ")));
    parts.retain(|part| !part.is_empty());
    parts.join("; ")
}

/// What other trials may have tried, and this one has not.
fn not_tried(judgement: &Judgement, tried: &Tried) -> Vec<&'static str> {
    let untried = [
        (!tried.declared.is_empty(), "the declared size"),
        (tried.declared.is_empty(), "another size"),
        (!tried.short.is_empty(), "rows that were left out"),
        (tried.background.is_empty(), "another session in the way"),
        (tried.runners <= 1, "a second runner"),
        (judgement.trial.fault.is_none(), "an interruption"),
    ];
    untried.into_iter().filter(|(is_untried, _)| *is_untried).map(|(_, what)| what).collect()
}

fn rows(judgement: &Judgement, tried: &Tried) -> String {
    let concerned = concerned(judgement);
    let is_concerned = |table: &str| {
        let name = RelationName::of(table);
        concerned.iter().any(|relation| relation.may_be(&name))
    };
    let mut tables: Vec<(&String, &u64)> = judgement.trial.sizes.iter().collect();
    tables.sort_by_key(|(name, rows)| {
        (std::cmp::Reverse(is_concerned(name)), std::cmp::Reverse(**rows), *name)
    });
    let left_out = tables.len().saturating_sub(TABLES_MAX);
    let named = tables.into_iter().take(TABLES_MAX).map(|(table, rows)| {
        let declared = match tried.declared.get(table) {
            Some(declared) => format!(" ({} are declared)", grouped(*declared)),
            None => String::new(),
        };
        let short = tried.short.iter().find(|short| short.table == *table);
        let asked = short.map_or(*rows, |short| short.asked);
        let of = short.map(|short| format!(" of {}", grouped(short.asked))).unwrap_or_default();
        let noun = if asked == 1 { "row" } else { "rows" };
        format!("{}{of} {noun} in {table}{declared}", grouped(*rows))
    });
    let named: Vec<String> = named.collect();
    match (named.is_empty(), left_out) {
        (true, _) => "no rows".to_owned(),
        (false, 0) => named.join(", "),
        (false, 1) => format!("{} and another table", named.join(", ")),
        (false, n) => format!("{} and {n} other tables", named.join(", ")),
    }
}

/// Relations that the change locked or rewrote, and those that findings are about.
fn concerned(judgement: &Judgement) -> Vec<RelationName> {
    let rows = &judgement.measured.statements;
    let locked = rows.iter().flat_map(|row| row.held.iter().chain(&row.taken));
    let locked = locked.map(|lock| lock.relation.as_str());
    let rewritten = rows.iter().flat_map(|row| &row.rewritten).map(String::as_str);
    let decides = |f: &&Finding| f.kind != FindingKind::RowsLeftOut || f.verdict > Verdict::Safe;
    let found = judgement.findings.iter().filter(decides);
    let found = found.filter_map(|f| f.subject.relation.as_deref());
    locked.chain(rewritten).chain(found).map(RelationName::unquoted).collect()
}
