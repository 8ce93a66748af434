//! What the change did to rows, to what refers to them and numbers them, and to who may use them.
//!
//! A change says what it does on purpose (`[[accept]]`); what it says in a statement of its own,
//! such as REVOKE, is on purpose as well. What is left is a finding.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use crate::history::{ColumnChange, DroppedColumn, SequenceEnding, TableChange};
use crate::pg::facts::RelationName;
use crate::result::evidence::{
    AddedRows, ChangedAccess, ChangedValues, DroppedValues, EndingSequence, GoneRows,
    is_of_new_sessions,
};
use crate::result::{Evidence as Shown, Finding, Subject};
use crate::scenario::{CALIBRATED_MAX_PER_S, Meant, Verdict};
use crate::schema::{Difference, Objects};

use super::on_purpose::{Said, Statements, Taken};
use super::rights::is_invoker;
use super::touched::uses;
use super::{Evidence, SchemaChange};

pub fn rows(evidence: &Evidence<'_, '_>) -> Vec<Finding> {
    let Some(change) = evidence.trace.contents_change else { return Vec::new() };
    let mut findings = Vec::new();
    for table in &change.tables {
        findings.extend(gone(evidence, table));
        findings.extend(values(evidence, table));
    }
    for orphans in &change.orphans {
        let subject = Subject::relation(orphans.table.clone());
        findings.push(Finding::new(Verdict::Unsafe, subject, Shown::Orphans(orphans.clone())));
    }
    for behind in &change.sequences {
        let subject = Subject::relation(behind.table.clone());
        let shown = Shown::SequenceBehind(behind.clone());
        findings.push(Finding::new(Verdict::Unsafe, subject, shown));
    }
    findings.extend(change.endings.iter().filter_map(|one| ending(evidence, one)));
    findings
}

/// A sequence that every operation could ask, at the trial's rate, would end within the time, and
/// would not have before the change.
const ENDS_WITHIN_S: f64 = 3_600.0;

fn ending(evidence: &Evidence<'_, '_>, of: &SequenceEnding) -> Option<Finding> {
    let rate = evidence.scenario.traffic.rate.per_s();
    let rate = if rate > 0.0 { rate } else { CALIBRATED_MAX_PER_S };
    let soon = |left: u64| left as f64 / rate < ENDS_WITHIN_S;
    if !soon(of.left) || of.before.is_some_and(soon) {
        return None;
    }
    let lasts_s = (of.left as f64 / rate).round() as u64;
    let shown = Shown::SequenceEnds(EndingSequence { of: of.clone(), lasts_s });
    Some(Finding::new(Verdict::Unsafe, Subject::relation(of.table.clone()), shown))
}

fn gone(evidence: &Evidence<'_, '_>, table: &TableChange) -> Option<Finding> {
    let meant = |one: &Meant| one.covers_rows(&table.table);
    if table.gone == 0 || evidence.scenario.accept.iter().any(meant) {
        return None;
    }
    // Of what the application may have deleted itself, the change is the cause only as far as it
    // deletes from the table, or puts another one in its place.
    let verdict = match table.application_deletes {
        false => Verdict::Unsafe,
        true if table.now.is_none() => Verdict::Unsafe,
        true if deletes(evidence, &table.table) => Verdict::Unproven,
        true => return None,
    };
    let shown = Shown::RowsGone(GoneRows {
        before: table.rows_before,
        gone: table.gone,
        keys: table.gone_keys.clone(),
        table_gone: table.now.is_none(),
        application_deletes: table.application_deletes,
    });
    Some(Finding::new(verdict, Subject::relation(table.table.clone()), shown))
}

/// What is there on purpose, as far as is known, and worth knowing: columns that took their values
/// with them, rows that were added to what the application uses.
pub fn informing(evidence: &Evidence<'_, '_>) -> Vec<Finding> {
    let tables = evidence.trace.contents_change.into_iter().flat_map(|change| &change.tables);
    tables.flat_map(|table| [dropped(evidence, table), added(evidence, table)]).flatten().collect()
}

fn dropped(evidence: &Evidence<'_, '_>, table: &TableChange) -> Option<Finding> {
    let meant = |column: &DroppedColumn| {
        let accept = &evidence.scenario.accept;
        accept.iter().any(|one| one.covers_values(&table.table, &column.column))
    };
    let columns: Vec<_> = table.dropped.iter().filter(|column| !meant(column)).cloned().collect();
    if columns.is_empty() {
        return None;
    }
    let shown = Shown::ValuesDropped(DroppedValues { rows: table.rows_before, columns });
    Some(Finding::new(Verdict::Safe, Subject::relation(table.table.clone()), shown))
}

/// Of what the application may have added itself nothing is known.
fn added(evidence: &Evidence<'_, '_>, table: &TableChange) -> Option<Finding> {
    let accept = &evidence.scenario.accept;
    let meant = accept.iter().any(|one| one.covers_rows(&table.table));
    let name = RelationName::unquoted(&table.table);
    if table.added == 0 || table.application_inserts || meant || !uses(evidence, &name) {
        return None;
    }
    let shown = Shown::RowsAdded(AddedRows { before: table.rows_before, added: table.added });
    Some(Finding::new(Verdict::Safe, Subject::relation(table.table.clone()), shown))
}

/// Whether a statement of the change writes rows of the table, or may do what its text does not
/// show.
fn deletes(evidence: &Evidence<'_, '_>, table: &str) -> bool {
    let table = RelationName::unquoted(table);
    let statements = evidence.trace.statements();
    let mut facts = statements.flat_map(|record| &record.facts().statements);
    facts.any(|facts| facts.writes_to(&table) || facts.dynamic || facts.locks.is_none())
}

fn values(evidence: &Evidence<'_, '_>, table: &TableChange) -> Option<Finding> {
    let meant = |column: &str| {
        let accept = &evidence.scenario.accept;
        accept.iter().any(|one| one.covers_values(&table.table, column))
    };
    let columns = table.columns.iter().filter(|c| c.changed > 0 && !meant(&c.column));
    let columns: Vec<_> = columns.cloned().collect();
    let replaced = if meant("") { 0 } else { table.replaced };
    let of_both = table.application_updates.iter().filter(|c| !meant(&c.column));
    let of_both = of_both.filter(|c| writes(evidence, &table.table, &c.column));
    let not_told_apart: Vec<ColumnChange> = of_both.cloned().collect();
    // An operation may have written more than one row, but hardly every one of them.
    let operations = evidence.trace.counters.map_or(0, |counters| counters.succeeded);
    let verdict = match (columns.is_empty() && replaced == 0, not_told_apart.as_slice()) {
        (false, _) => Verdict::Unsafe,
        (true, []) => return None,
        (true, both) if both.iter().any(|c| c.changed > operations) => Verdict::Unproven,
        (true, _) => Verdict::Safe,
    };
    let rows = table.rows_before;
    let shown = Shown::ValuesChanged(ChangedValues { rows, columns, replaced, not_told_apart });
    Some(Finding::new(verdict, Subject::relation(table.table.clone()), shown))
}

/// Whether a statement of the change that writes rows of the table names the column, or may do what
/// its text does not show.
fn writes(evidence: &Evidence<'_, '_>, table: &str, column: &str) -> bool {
    let table = RelationName::unquoted(table);
    let mut statements = evidence.trace.statements();
    statements.any(|record| {
        let text = record.began.text.to_lowercase();
        let named = text.contains(&column.to_lowercase());
        let mut facts = record.facts().statements.iter();
        // What a column is generated from is another way to write it.
        let generates = text.contains("generated always") && text.contains(&table.name);
        facts.any(|facts| facts.dynamic || (named && (facts.writes_to(&table) || generates)))
    })
}

/// Of objects that were there before and still are.
pub fn access(evidence: &Evidence<'_, '_>) -> Vec<Finding> {
    let Some(SchemaChange { before, after, differences }) = &evidence.schema else {
        return Vec::new();
    };
    let statements = OnceCell::new();
    let mut by_object: BTreeMap<String, (Said, Vec<Difference>)> = BTreeMap::new();
    let mut wider: BTreeMap<String, Vec<Difference>> = BTreeMap::new();
    for difference in differences.iter().filter(|d| !evidence.means(&d.object, &d.property)) {
        let object = difference.object.clone();
        let Some(lost) = lost(difference, after) else {
            if is_wider(difference, before, after) {
                wider.entry(object).or_default().push(difference.clone());
            }
            continue;
        };
        let said = match lost {
            Lost::Never => Said::No,
            Lost::NewSessions => Said::Perhaps,
            Lost::Unless(taken) => statements
                .get_or_init(|| Statements::of(texts(evidence)))
                .say(taken, &difference.object),
        };
        if said == Said::Yes && is_wider(difference, before, after) {
            wider.entry(object).or_default().push(difference.clone());
        } else if said < Said::Yes {
            let of = by_object.entry(object).or_insert((said, Vec::new()));
            of.0 = of.0.min(said);
            of.1.push(difference.clone());
        }
    }
    let finding = |(object, (said, differences)): (String, (Said, Vec<Difference>))| {
        let may_be_meant = said == Said::Perhaps;
        let verdict = if may_be_meant { Verdict::Unproven } else { Verdict::Unsafe };
        let shown = ChangedAccess { differences, may_be_meant, ..ChangedAccess::default() };
        Finding::new(verdict, Subject::relation(object), Shown::AccessChanged(shown))
    };
    let of_wider = |(object, differences): (String, Vec<Difference>)| {
        // With a policy, what it lets through is what the statement says.
        let is_off =
            differences.iter().any(|d| d.property == "row level security" || lets_all_through(d));
        let verdict = if is_off { Verdict::Unproven } else { Verdict::Safe };
        let shown = ChangedAccess { differences, wider: true, ..ChangedAccess::default() };
        Finding::new(verdict, Subject::relation(object), Shown::AccessChanged(shown))
    };
    by_object.into_iter().map(finding).chain(wider.into_iter().map(of_wider)).collect()
}

/// Whether more rows of a table may be seen than its policies let through before.
fn is_wider(difference: &Difference, before: &Objects, after: &Objects) -> bool {
    let Difference { object, property, from, to } = difference;
    let Some((kind, name)) = object.split_once(' ') else { return false };
    let is_on = |table: &str| {
        let of_table = before.get(&format!("table {table}"));
        let on = of_table.and_then(|of| of.get("row level security"));
        on.is_some_and(|on| on == "true")
    };
    let permissive =
        |of: &Option<String>| of.as_ref().is_some_and(|of| of.contains("permissive: true"));
    match (kind, property.as_str()) {
        ("table", "row level security") => from.as_deref() == Some("true"),
        ("table", "object") => to.is_none() && is_on(name) && is_behind_a_view(after, name),
        ("policy", "object") => {
            let of_secured = name.rsplit_once('.').is_some_and(|(table, _)| is_on(table));
            of_secured && (permissive(to) || (to.is_none() && from.is_some() && !permissive(from)))
        }
        ("policy", "using" | "check" | "roles") => {
            name.rsplit_once('.').is_some_and(|(table, _)| is_on(table))
        }
        _ => false,
    }
}

/// Whether a policy is none for what it is about, or the table is behind a view of its owner, whom
/// no policy binds.
fn lets_all_through(difference: &Difference) -> bool {
    let Difference { object, property, to, .. } = difference;
    let to = to.as_deref().unwrap_or_default();
    match property.as_str() {
        "object" if object.starts_with("table ") => true,
        "object" => to.contains("using: true") && to.contains("roles: PUBLIC"),
        "using" | "check" => to == "true",
        _ => false,
    }
}

/// Whether a view that reads with its owner's rights has the name.
fn is_behind_a_view(after: &Objects, name: &str) -> bool {
    let view = after.get(&format!("view {name}"));
    view.is_some_and(|of| !of.get("options").is_some_and(|options| is_invoker(options)))
}

/// Something was taken away.
enum Lost<'d> {
    /// A statement may say that it is on purpose.
    Unless(Taken<'d>),
    /// Nobody leaves a trigger disabled, or a materialized view without rows, on purpose.
    Never,
    /// The application's sessions are older than what new ones get.
    NewSessions,
}

/// None: the difference takes nothing away.
fn lost<'d>(difference: &'d Difference, after: &Objects) -> Option<Lost<'d>> {
    let Difference { object, property, from, to } = difference;
    let is_gone = property == "object" && to.is_none();
    let (kind, name) = object.split_once(' ')?;
    // The table of what is named `schema.table.name`.
    let table = || name.rsplit_once('.').is_some_and(|(table, _)| has_table(after, table));
    if is_of_new_sessions(object) {
        return Some(Lost::NewSessions);
    }
    Some(Lost::Unless(match (kind, property.as_str()) {
        ("view", "populated") if to.as_deref() == Some("false") => {
            return Some(Lost::Never);
        }
        // Replicas alone fire it.
        ("trigger", "enabled") if matches!(to.as_deref(), Some("disabled" | "replica")) => {
            return Some(Lost::Never);
        }
        ("constraint", "disabled triggers") if to.is_some() => return Some(Lost::Never),
        ("policy", "object") if is_gone && table() => Taken::Policy,
        ("trigger", "object") if is_gone && table() => Taken::Trigger,
        (_, "owner") => Taken::Owner,
        (_, "row level security" | "force row level security") => Taken::RowSecurity,
        (_, "replica identity") if kind == "table" => Taken::ReplicaIdentity,
        ("publication", published) if from.is_some() && to.is_none() => {
            published.strip_prefix("table ").filter(|table| has_table(after, table))?;
            Taken::Published
        }
        (_, granted) => {
            let role = granted.strip_prefix("granted to ")?;
            // What everybody may, this role may too.
            let of_all = after.get(object).and_then(|of| of.get("granted to PUBLIC"));
            let to = [to, &of_all.cloned()].map(|granted| granted.clone().unwrap_or_default());
            takes_away(from.as_deref()?, Some(&to.join(", "))).then_some(Taken::Granted(role))?
        }
    }))
}

fn has_table(objects: &Objects, table: &str) -> bool {
    // The publication's tables are told as a search_path without schemas prints them.
    objects.contains_key(&format!("table {table}"))
}

/// Whether a privilege of before is not among those of after.
fn takes_away(before: &str, after: Option<&str>) -> bool {
    let after: Vec<&str> = after.unwrap_or_default().split(", ").collect();
    before != "nothing" && before.split(", ").any(|privilege| !after.contains(&privilege))
}

/// What the change sent, and what its files hold.
fn texts<'e>(evidence: &'e Evidence<'_, '_>) -> impl Iterator<Item = &'e str> {
    let attempts = &evidence.trace.attempts;
    let sent = attempts.iter().flat_map(|a| &a.statements).map(|s| s.began.text.as_str());
    let migrations = &evidence.scenario.change.migrations;
    let written = migrations.iter().flat_map(|m| &m.script.statements).map(|s| s.text.as_str());
    sent.chain(written)
}
