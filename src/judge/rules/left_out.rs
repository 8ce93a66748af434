//! Rows that were asked for and are not there, because the server refused them or the scenario
//! could not be made with them: what the change does to them was not tried.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crate::history::ShortTable;
use crate::result::evidence::{FittedRows, LeftOutRows};
use crate::result::{Evidence as Shown, Finding, Subject};
use crate::scenario::{Table, Verdict};

use super::super::concerned::concerned;
use super::Evidence;

/// Tables that the change is not about, each with a finding of its own; more are named in the last.
const INFORMING_MAX: usize = 5;

/// Per table that the change is about; per other one of which the server refused rows, unless it is
/// short only because another one is. Those that decide first.
pub fn rows(evidence: &Evidence<'_, '_>) -> Vec<Finding> {
    let short = evidence.short;
    let about = concerned(evidence.trace, short);
    let is_about = |table: &ShortTable| about.iter().any(|one| one.table == table.table);
    let (decisive, rest): (Vec<_>, Vec<_>) =
        short.iter().partition(|table| is_about(table) && table.lacks_rows());
    let informs = |table: &&ShortTable| {
        (is_about(table) || table.was_refused()) && root(short, table).is_none()
    };
    let mut informing: Vec<_> = rest.into_iter().filter(informs).collect();
    // What lacks the largest share of its rows first.
    informing.sort_by_key(|table| (Reverse(is_about(table)), table.share()));
    let others = informing.split_off(informing.len().min(INFORMING_MAX));
    let others: Vec<String> = others.into_iter().map(|table| table.table.clone()).collect();
    let finding = |verdict, table: &ShortTable, others: Vec<String>| {
        let shown = LeftOutRows {
            asked: table.asked,
            loaded: table.loaded,
            was_refused: table.was_refused(),
            why: table.why.clone(),
            concerned: is_about(table),
            constraints: constraints(evidence, table),
            because_of: root(short, table).map(|root| root.table.clone()),
            followers: followers(short, table),
            others,
            unfilled: BTreeMap::new(),
        };
        Finding::new(verdict, Subject::relation(table.table.clone()), Shown::RowsLeftOut(shown))
    };
    let last = informing.len().saturating_sub(1);
    let informing = informing.into_iter().enumerate().map(|(number, table)| {
        let others = if number == last { others.clone() } else { Vec::new() };
        finding(Verdict::Safe, table, others)
    });
    let decisive = decisive.into_iter().map(|table| finding(Verdict::Unproven, table, Vec::new()));
    decisive.chain(unfilled(evidence)).chain(informing).collect()
}

/// Tables whose rows are no test of what the change demands of them, for they were made to fit.
pub fn fitted(evidence: &Evidence<'_, '_>) -> Vec<Finding> {
    if evidence.begins_empty() {
        return Vec::new();
    }
    let tables = evidence.scenario.tables.iter().filter(|table| !table.fitted.is_empty());
    let finding = |table: &Table| {
        let shown = Shown::RowsFitted(FittedRows { demands: table.fitted.clone() });
        Finding::new(Verdict::Safe, Subject::relation(table.name.clone()), shown)
    };
    tables.map(finding).collect()
}

/// Tables with columns that the change names and that no row has a value in.
fn unfilled(evidence: &Evidence<'_, '_>) -> Vec<Finding> {
    let tables = evidence.scenario.tables.iter().filter(|table| !table.unfilled.is_empty());
    let tables: Vec<ShortTable> = tables
        .map(|table| {
            let rows = evidence.sizes.rows(&table.name);
            let table = table.name.clone();
            ShortTable { table, asked: rows, loaded: rows, ..ShortTable::default() }
        })
        .collect();
    let about = concerned(evidence.trace, &tables);
    if about.is_empty() {
        return Vec::new();
    }
    let words = words(evidence);
    let of = |short: &ShortTable| {
        let table = evidence.scenario.tables.iter().find(|table| table.name == short.table)?;
        let named =
            table.unfilled.iter().filter(|(column, _)| words.contains(&column.to_lowercase()));
        let unfilled: BTreeMap<String, String> =
            named.map(|(column, why)| (column.clone(), why.clone())).collect();
        let (asked, loaded) = (short.asked, short.loaded);
        let shown =
            LeftOutRows { asked, loaded, concerned: true, unfilled, ..LeftOutRows::default() };
        let subject = Subject::relation(table.name.clone());
        let is_named = !shown.unfilled.is_empty();
        is_named.then(|| Finding::new(Verdict::Unproven, subject, Shown::RowsLeftOut(shown)))
    };
    about.into_iter().filter_map(of).collect()
}

/// The words of the change's statements, and of the constraints and indexes that they name.
fn words(evidence: &Evidence<'_, '_>) -> BTreeSet<String> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    let of = |text: &str| -> Vec<String> {
        text.split(|c| !is_part(c)).map(str::to_lowercase).collect()
    };
    let mut words: BTreeSet<String> =
        evidence.trace.statements().flat_map(|record| of(&record.began.text)).collect();
    let objects = evidence.trace.catalogues.iter().flat_map(|catalogue| &catalogue.objects);
    let mut more = Vec::new();
    for (object, properties) in objects {
        let (kind, path) = object.split_once(' ').unwrap_or_default();
        let name = path.rsplit('.').next().unwrap_or(path).trim_matches('"').to_lowercase();
        if matches!(kind, "constraint" | "index") && words.contains(&name) {
            more.extend(properties.get("definition").map(|definition| of(definition)));
        }
    }
    words.extend(more.into_iter().flatten());
    words
}

/// The table for whose rows this one is short; None: for its own.
fn root<'s>(short: &'s [ShortTable], table: &ShortTable) -> Option<&'s ShortTable> {
    let mut known = vec![table.table.as_str()];
    let mut found: Option<&ShortTable> = None;
    while found.unwrap_or(table).only_follows() {
        let named = &found.unwrap_or(table).refers_to;
        let mut next = short.iter().filter(|one| named.contains(&one.table));
        let Some(next) = next.find(|one| !known.contains(&one.table.as_str())) else { break };
        known.push(&next.table);
        found = Some(next);
    }
    found
}

/// Tables that are short because this one is.
fn followers(short: &[ShortTable], table: &ShortTable) -> Vec<String> {
    let of = short.iter().filter(|one| root(short, one).is_some_and(|r| r.table == table.table));
    of.map(|one| one.table.clone()).collect()
}

/// What refused rows, as the catalogue defines it.
fn constraints(evidence: &Evidence<'_, '_>, table: &ShortTable) -> Vec<String> {
    let objects = evidence.trace.catalogue_before().map(|before| &before.objects);
    let defined = |name: &String| {
        let of_name = objects.into_iter().flatten().find(|(object, _)| {
            let (kind, path) = object.split_once(' ').unwrap_or_default();
            matches!(kind, "constraint" | "index")
                && path.rsplit('.').next().is_some_and(|last| last.trim_matches('"') == name)
        });
        match of_name.and_then(|(_, properties)| properties.get("definition")) {
            Some(definition) => format!("{name}: {definition}"),
            None => name.clone(),
        }
    };
    table.refused_by.iter().map(defined).collect()
}
