//! A comparison for a terminal: A and B side by side, what differs first.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};
use comfy_table::{CellAlignment, Table, presets};

use crate::compare::{Comparison, CrashPair, Fact, MetricRow, Overall, Pair, Standing};

use super::super::text::{DIM, indent, paragraph};
use super::words;

const BOLD: Style = Style::new().bold();
/// Columns of a metric's name.
const NAME_MAX: usize = 36;

/// With colour codes that the writer strips where nobody wants them.
pub fn comparison_text(comparison: &Comparison) -> String {
    let mut out = String::new();
    let style = overall_style(comparison.overall);
    let overall = comparison.overall.as_str().to_uppercase();
    let _ = writeln!(out, "{style}{overall}{style:#} {}", comparison.reason);
    paragraph(&mut out, "  A  ", &words::side(&comparison.a));
    paragraph(&mut out, "  B  ", &words::side(&comparison.b));
    for note in &comparison.notes {
        paragraph(&mut out, "  note ", note);
    }
    comparison.pairs.iter().for_each(|pair| write_pair(&mut out, pair));
    comparison.crash_matrices.iter().for_each(|pair| write_matrix(&mut out, pair));
    write_alone(&mut out, "only in A", &comparison.only_in_a);
    write_alone(&mut out, "only in B", &comparison.only_in_b);
    out.push('\n');
    paragraph(&mut out, "  ", &words::how(&comparison.how));
    out
}

fn overall_style(overall: Overall) -> Style {
    let colour = match overall {
        Overall::NoRegression => AnsiColor::Green,
        Overall::Undecided => AnsiColor::Magenta,
        Overall::Regression => AnsiColor::Red,
    };
    Style::new().bold().fg_color(Some(colour.into()))
}

fn style(standing: Standing) -> Style {
    match standing {
        Standing::Better => Style::new().fg_color(Some(AnsiColor::Green.into())),
        Standing::Same => DIM,
        Standing::Undecided => Style::new().fg_color(Some(AnsiColor::Magenta.into())),
        Standing::Worse => Style::new().bold().fg_color(Some(AnsiColor::Red.into())),
    }
}

fn head(out: &mut String, standing: Standing, name: &str) {
    let style = style(standing);
    let _ = writeln!(out, "\n{style}{:<9}{style:#} {BOLD}{name}{BOLD:#}", standing.as_str());
}

fn write_pair(out: &mut String, pair: &Pair) {
    let n = format!("{} (A {} times, B {})", pair.name, pair.repetitions_a, pair.repetitions_b);
    head(out, pair.standing, &n);
    paragraph(out, "  ", &pair.machine.told);
    pair.facts.iter().for_each(|fact| write_fact(out, fact));
    if pair.metrics.is_empty() {
        return;
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["", "", "A", "B", "ratio (interval)", "p"]);
    for row in &pair.metrics {
        table.add_row(metric(row));
    }
    for column in 2..=5 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    indent(out, &table);
    write_reasons(out, pair);
}

fn metric(row: &MetricRow) -> [String; 6] {
    let mut name: String = row.name.chars().take(NAME_MAX).collect();
    if name.len() < row.name.len() {
        name.push('…');
    }
    [
        row.standing.to_string(),
        name,
        words::sample(&row.a, row.unit),
        words::sample(&row.b, row.unit),
        words::ratio(row),
        format!("{:.3}", row.p),
    ]
}

/// Each reason once, with the metrics that it is about.
fn write_reasons(out: &mut String, pair: &Pair) {
    let mut told: Vec<&str> = Vec::new();
    for row in pair.metrics.iter().filter(|row| !row.why.is_empty()) {
        if told.contains(&row.why.as_str()) {
            continue;
        }
        told.push(&row.why);
        let same: Vec<&MetricRow> = pair.metrics.iter().filter(|r| r.why == row.why).collect();
        let names: Vec<&str> = same.iter().map(|row| row.name.as_str()).collect();
        let names = match same.len() == pair.metrics.len() {
            true => "every number".to_owned(),
            false => names.join(", "),
        };
        paragraph(out, "  ", &format!("{names}: {}", row.why));
    }
}

fn write_fact(out: &mut String, fact: &Fact) {
    let style = style(fact.standing);
    let why = if fact.why.is_empty() { String::new() } else { format!(": {}", fact.why) };
    let told = format!("{}: A {}, B {}{why}", fact.what, fact.a, fact.b);
    let mut lines = String::new();
    paragraph(&mut lines, "            ", &told);
    let label = format!("  {style}{:<9}{style:#} ", fact.standing.as_str());
    let _ = write!(out, "{label}{}", lines.trim_start());
}

fn write_matrix(out: &mut String, pair: &CrashPair) {
    head(out, pair.standing, &format!("{}, crash matrix", pair.name));
    pair.facts.iter().for_each(|fact| write_fact(out, fact));
    let (a, b) = (&pair.cells_only_in_a, &pair.cells_only_in_b);
    paragraph(out, "  ", &format!("{} cells end alike", pair.cells_same));
    write_alone(out, "cells only in A", a);
    write_alone(out, "cells only in B", b);
}

fn write_alone(out: &mut String, label: &str, names: &[String]) {
    for name in names {
        paragraph(out, "  ", &format!("{label}: {name}"));
    }
}
