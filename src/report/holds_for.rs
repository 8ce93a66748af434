//! For what a verdict holds: one line of what was tried and what was not, so that no one takes it
//! for more.

use crate::history::Tried;
use crate::pg::LockMode;
use crate::pg::facts::{RelationName, facts};
use crate::result::{Finding, Judgement};
use crate::scenario::{FindingKind, Verdict};
use crate::stats::grouped;

/// Tables that are named; of more, those that the change is about, the largest first.
const TABLES_MAX: usize = 3;
/// Of those that the change is about, where others are not named.
const CONCERNED_MAX: usize = 2;

/// `2,000,000 rows in spans; PostgreSQL 18.4; 200 operations a second; …; not tried here: …`.
/// Empty: an older version made the trial, and what it tried is not known.
pub fn holds_for(judgement: &Judgement) -> String {
    let trial = &judgement.trial;
    let Some(tried) = &trial.tried else { return String::new() };
    let mut parts = vec![rows(judgement, tried), format!("PostgreSQL {}", trial.server.version)];
    parts.push(rate(tried));
    if !tried.background.is_empty() {
        parts.push(format!("beside {}", tried.background.join(", ")));
    }
    if tried.runners > 1 {
        parts.push(format!("{} runners", tried.runners));
    }
    if let Some(fault) = &trial.fault {
        parts.push(format!("the fault {}", fault.kind));
    }
    let not_tried = NotTried::of_all([judgement].into_iter());
    parts.push(format!("not tried here: {}", not_tried.words().join(", ")));
    parts.retain(|part| !part.is_empty());
    parts.join("; ")
}

/// `200 operations a second`.
pub(super) fn rate(tried: &Tried) -> String {
    match tried.rate_per_s {
        rate if rate > 0.0 => format!("{rate} operations a second"),
        _ => "no application".to_owned(),
    }
}

/// What other trials may have tried, and these have not.
pub(super) struct NotTried {
    declared_size: bool,
    other_size: bool,
    left_out_rows: bool,
    other_session: bool,
    second_runner: bool,
    interruption: bool,
}

impl NotTried {
    /// What none of these has tried.
    pub(super) fn of_all<'j>(trials: impl Iterator<Item = &'j Judgement> + Clone) -> NotTried {
        let any = |is: fn(&Tried) -> bool| {
            trials.clone().filter_map(|judgement| judgement.trial.tried.as_ref()).any(is)
        };
        let faults = trials.clone().any(|judgement| judgement.trial.fault.is_some());
        NotTried {
            declared_size: any(|tried| !tried.declared.is_empty()),
            other_size: any(|tried| tried.declared.is_empty()),
            left_out_rows: any(|tried| !tried.short.is_empty()),
            other_session: !any(|tried| !tried.background.is_empty()),
            second_runner: !any(|tried| tried.runners > 1),
            interruption: !faults,
        }
    }

    /// Something else has interrupted the change.
    pub(super) fn but_for_interruption(self, was_interrupted: bool) -> NotTried {
        NotTried { interruption: self.interruption && !was_interrupted, ..self }
    }

    pub(super) fn words(&self) -> Vec<&'static str> {
        let untried = [
            (self.declared_size, "the declared size"),
            (self.other_size, "another size"),
            (self.left_out_rows, "rows that were left out"),
            (self.other_session, "another session in the way"),
            (self.second_runner, "a second runner"),
            (self.interruption, "an interruption"),
        ];
        untried.into_iter().filter(|(is_untried, _)| *is_untried).map(|(_, what)| what).collect()
    }
}

/// Rows of the tables that the change is about, the largest few. None: it is about none that is
/// known.
pub(super) fn rows_concerned(judgement: &Judgement) -> Option<String> {
    let concerned = concerned(judgement);
    let is_concerned = |table: &str| {
        let name = RelationName::of(table);
        concerned.iter().any(|relation| relation.may_be(&name))
    };
    let tables = judgement.trial.sizes.iter().filter(|(table, _)| is_concerned(table));
    let mut tables: Vec<(&String, &u64)> = tables.collect();
    tables.sort_by_key(|(name, rows)| (std::cmp::Reverse(**rows), *name));
    let named = tables.iter().take(CONCERNED_MAX);
    let named: Vec<String> = named.map(|(table, rows)| of_table(**rows, table)).collect();
    (!named.is_empty()).then(|| named.join(", "))
}

/// `1 row in public.customers`.
fn of_table(rows: u64, table: &str) -> String {
    let noun = if rows == 1 { "row" } else { "rows" };
    format!("{} {noun} in {table}", grouped(rows))
}

/// Rows of the tables, those first that the change is about.
pub(super) fn rows(judgement: &Judgement, tried: &Tried) -> String {
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

/// Tables that a statement names and locks so that schema changes of others wait.
fn asked(text: &str) -> Vec<RelationName> {
    let facts = facts(text);
    let strong = |mode: LockMode| mode >= LockMode::ShareUpdateExclusiveLock;
    let named = facts.named_locks().filter(|(_, mode)| strong(*mode));
    named.map(|(name, _)| name.clone()).collect()
}

/// Relations that the change locked or rewrote, and those that findings are about.
fn concerned(judgement: &Judgement) -> Vec<RelationName> {
    let rows = &judgement.measured.statements;
    let locked = rows.iter().flat_map(|row| row.held.iter().chain(&row.taken));
    let locked = locked.map(|lock| lock.relation.as_str());
    // What a statement that commits by itself has locked is free again after it.
    let asked = rows.iter().flat_map(|row| asked(&row.statement.text));
    let rewritten = rows.iter().flat_map(|row| &row.rewritten).map(String::as_str);
    let decides = |f: &&Finding| f.kind != FindingKind::RowsLeftOut || f.verdict > Verdict::Safe;
    let found = judgement.findings.iter().filter(decides);
    let found = found.filter_map(|f| f.subject.relation.as_deref());
    let seen = locked.chain(rewritten).chain(found).map(RelationName::unquoted);
    seen.chain(asked).collect()
}
