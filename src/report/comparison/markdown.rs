//! A comparison for a pull request: tables in Markdown.

use std::fmt::Write;

use crate::compare::{Comparison, Fact, MetricRow};

use super::words;

pub fn comparison_markdown(comparison: &Comparison) -> String {
    let mut out = String::new();
    let (overall, reason) = (comparison.overall, &comparison.reason);
    let _ = writeln!(out, "## pgauntlet compare: {overall}\n\n{reason}.\n");
    let _ = writeln!(out, "- A: {}", cell(&words::side(&comparison.a)));
    let _ = writeln!(out, "- B: {}", cell(&words::side(&comparison.b)));
    for note in &comparison.notes {
        let _ = writeln!(out, "- {}", cell(note));
    }
    for pair in &comparison.pairs {
        let (standing, name) = (pair.standing, cell(&pair.name));
        let _ = writeln!(out, "\n### {standing}: {name}\n\n{}.\n", pair.machine.told);
        write_facts(&mut out, &pair.facts);
        write_metrics(&mut out, &pair.metrics);
    }
    for pair in &comparison.crash_matrices {
        let (standing, name) = (pair.standing, cell(&pair.name));
        let _ = writeln!(out, "\n### {standing}: {name}, crash matrix\n");
        write_facts(&mut out, &pair.facts);
        let _ = writeln!(out, "\n{} cells end alike.\n", pair.cells_same);
        write_list(&mut out, "cell only in A", &pair.cells_only_in_a);
        write_list(&mut out, "cell only in B", &pair.cells_only_in_b);
    }
    out.push('\n');
    write_list(&mut out, "only in A", &comparison.only_in_a);
    write_list(&mut out, "only in B", &comparison.only_in_b);
    let _ = writeln!(out, "\n<sub>{}.</sub>", words::how(&comparison.how).replace('<', "&lt;"));
    out
}

fn write_facts(out: &mut String, facts: &[Fact]) {
    if facts.is_empty() {
        return;
    }
    out.push_str("| | | A | B | |\n|---|---|---|---|---|\n");
    for fact in facts {
        let cells = [fact.standing.as_str(), &fact.what, &fact.a, &fact.b, &fact.why];
        write_row(out, &cells.map(str::to_owned));
    }
}

fn write_metrics(out: &mut String, rows: &[MetricRow]) {
    if rows.is_empty() {
        return;
    }
    out.push_str("\n| | | A | B | ratio (interval) | p | |\n|---|---|--:|--:|--:|--:|---|\n");
    for row in rows {
        let cells = [
            row.standing.to_string(),
            row.name.clone(),
            words::sample(&row.a, row.unit),
            words::sample(&row.b, row.unit),
            words::ratio(row),
            format!("{:.3}", row.p),
            row.why.clone(),
        ];
        write_row(out, &cells);
    }
}

fn write_row(out: &mut String, cells: &[String]) {
    let cells: Vec<String> = cells.iter().map(|text| cell(text)).collect();
    let _ = writeln!(out, "| {} |", cells.join(" | "));
}

fn write_list(out: &mut String, label: &str, names: &[String]) {
    for name in names {
        let _ = writeln!(out, "- {label}: {}", cell(name));
    }
}

/// Names and statements are somebody else's words: none of them ends a cell or opens a tag.
fn cell(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '\n' | '\r' => out.push(' '),
            '<' => out.push_str("&lt;"),
            '&' => out.push_str("&amp;"),
            '|' | '*' | '_' | '`' | '[' | ']' | '\\' | '~' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}
