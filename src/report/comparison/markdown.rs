//! A comparison for a pull request: a table of all pairs, and what differs.

use std::fmt::Write;

use crate::compare::{Comparison, Delta, Fact, MetricRow};

use super::super::escaped::escaped;
use super::super::markdown::{rows_within_limit, write_within_limit};
use super::super::page::text as html;
use super::entry::{Entry, entries};
use super::words;

/// Of trials that one side lacks.
const LISTED_MAX: usize = 50;

/// The comparison as Markdown, for the comment of a merge request.
pub fn comparison_markdown(comparison: &Comparison) -> String {
    let mut out = String::new();
    let (overall, reason) = (comparison.overall, escaped(&comparison.reason));
    let _ = writeln!(out, "## pgauntlet compare: {overall}\n\n{reason}.\n");
    let _ = writeln!(out, "- A: {}", escaped(&words::side(&comparison.a)));
    let _ = writeln!(out, "- B: {}", escaped(&words::side(&comparison.b)));
    for note in &comparison.notes {
        let _ = writeln!(out, "- {}", escaped(note));
    }
    write_list(&mut out, "only in A", &comparison.only_in_a);
    write_list(&mut out, "only in B", &comparison.only_in_b);
    let entries = entries(comparison);
    if entries.len() > 1 {
        out.push_str(&overview(&entries));
    }
    out.push('\n');
    let shown = entries.iter().filter(|entry| entry.is_shown());
    write_within_limit(&mut out, shown.map(section));
    let _ = writeln!(out, "\n<sub>{}.</sub>", html(&words::how(&comparison.how)));
    out
}

fn overview(entries: &[Entry<'_>]) -> String {
    let row = |entry: &Entry<'_>| {
        let cells = [entry.delta.as_str(), &entry.name, &entry.verdict, &entry.counts];
        let mut row = String::new();
        write_row(&mut row, &cells.map(str::to_owned));
        (entry.delta != Delta::Same, row)
    };
    let head = "\n| | | verdict | |\n|---|---|---|---|\n";
    rows_within_limit(head, &entries.iter().map(row).collect::<Vec<_>>())
}

fn section(entry: &Entry<'_>) -> String {
    let open = if entry.delta == Delta::Worse { " open" } else { "" };
    let (delta, name) = (entry.delta, html(&entry.name));
    let mut out = format!(
        "<details{open}><summary><b>{delta}</b> {name}</summary>\n\n{}.\n\n",
        escaped(&entry.text)
    );
    write_facts(&mut out, entry.facts);
    write_metrics(&mut out, &entry.rows());
    out.push('\n');
    for sentence in entry.reasons().iter().chain(&entry.alone) {
        let _ = writeln!(out, "- {}", escaped(sentence));
    }
    out.push_str("\n</details>\n\n");
    out
}

fn write_facts(out: &mut String, facts: &[Fact]) {
    if facts.is_empty() {
        return;
    }
    out.push_str("| | | A | B | |\n|---|---|---|---|---|\n");
    for fact in facts {
        let cells = [fact.delta.as_str(), &fact.what, &fact.a, &fact.b, &fact.why];
        write_row(out, &cells.map(str::to_owned));
    }
}

fn write_metrics(out: &mut String, rows: &[&MetricRow]) {
    if rows.is_empty() {
        return;
    }
    out.push_str("\n| | | A | B | ratio (interval) | p |\n|---|---|--:|--:|--:|--:|\n");
    for row in rows {
        let cells = [
            row.delta.to_string(),
            row.name.clone(),
            words::sample(&row.a, row.unit),
            words::sample(&row.b, row.unit),
            words::ratio(row),
            format!("{:.3}", row.p),
        ];
        write_row(out, &cells);
    }
}

fn write_row(out: &mut String, cells: &[String]) {
    let cells: Vec<String> = cells.iter().map(|text| escaped(text)).collect();
    let _ = writeln!(out, "| {} |", cells.join(" | "));
}

fn write_list(out: &mut String, label: &str, names: &[String]) {
    for name in names.iter().take(LISTED_MAX) {
        let _ = writeln!(out, "- {label}: {}", escaped(name));
    }
    if let Some(more) = names.len().checked_sub(LISTED_MAX).filter(|more| *more > 0) {
        let _ = writeln!(out, "- {label}: {more} more");
    }
}
