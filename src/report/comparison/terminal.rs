//! A comparison for a terminal: A and B side by side, and at the end what is the same.

use anstyle::{AnsiColor, Style};

use crate::compare::{Comparison, Delta, Fact, MetricRow, Overall};

use super::super::grid::{Column, Grid};
use super::super::text::{DIM, Text, Width};
use super::entry::{Entry, entries};
use super::words;

const BOLD: Style = Style::new().bold();
/// Columns of a metric's name.
const NAME_MAX: usize = 36;

/// With colour codes that the writer strips where they are not wanted.
pub fn comparison_text(comparison: &Comparison, width: Width) -> String {
    let mut out = Text::new(width);
    let style = overall_style(comparison.overall);
    let overall = comparison.overall.as_str().to_uppercase();
    out.hanging("", 2, &format!("{style}{overall}{style:#} {}", comparison.reason));
    out.paragraph("  A  ", &words::side(&comparison.a));
    out.paragraph("  B  ", &words::side(&comparison.b));
    for note in &comparison.notes {
        out.paragraph("  note ", note);
    }
    let (shown, same): (Vec<Entry<'_>>, Vec<Entry<'_>>) =
        entries(comparison).into_iter().partition(Entry::is_shown);
    shown.iter().for_each(|entry| write_entry(&mut out, entry));
    if !same.is_empty() {
        out.blank();
    }
    for entry in &same {
        let line = format!("{}: {}; {}", entry.name, entry.verdict, entry.counts);
        write_line(&mut out, "", entry.delta, &line);
    }
    let alone = [("A", &comparison.only_in_a), ("B", &comparison.only_in_b)];
    for (side, names) in alone {
        names.iter().for_each(|name| out.paragraph("  ", &format!("only in {side}: {name}")));
    }
    out.blank();
    out.paragraph("  ", &words::how(&comparison.how));
    out.into_string()
}

fn overall_style(overall: Overall) -> Style {
    let colour = match overall {
        Overall::NoRegression => AnsiColor::Green,
        Overall::Undecided => AnsiColor::Magenta,
        Overall::Regression => AnsiColor::Red,
    };
    Style::new().bold().fg_color(Some(colour.into()))
}

fn style(delta: Delta) -> Style {
    match delta {
        Delta::Better => Style::new().fg_color(Some(AnsiColor::Green.into())),
        Delta::Same => DIM,
        Delta::Undecided => Style::new().fg_color(Some(AnsiColor::Magenta.into())),
        Delta::Worse => Style::new().bold().fg_color(Some(AnsiColor::Red.into())),
    }
}

/// `worse     …`, the lines after the first indented as far.
fn write_line(out: &mut Text, indent: &str, delta: Delta, text: &str) {
    let style = style(delta);
    out.paragraph(&format!("{indent}{style}{:<9}{style:#} ", delta.as_str()), text);
}

fn write_entry(out: &mut Text, entry: &Entry<'_>) {
    out.blank();
    write_line(out, "", entry.delta, &format!("{BOLD}{}{BOLD:#}", entry.name));
    out.paragraph("  ", &entry.text);
    for fact in entry.facts {
        write_line(out, "  ", fact.delta, &fact_words(fact));
    }
    write_metrics(out, entry);
    for sentence in entry.reasons().iter().chain(&entry.alone) {
        out.paragraph("  ", sentence);
    }
}

fn fact_words(fact: &Fact) -> String {
    let why = if fact.why.is_empty() { String::new() } else { format!(": {}", fact.why) };
    format!("{}: A {}, B {}{why}", fact.what, fact.a, fact.b)
}

fn write_metrics(out: &mut Text, entry: &Entry<'_>) {
    let rows = entry.rows();
    if !rows.is_empty() {
        use Column::{Name, Number, Word};
        let columns = [Word, Name, Number, Number, Number, Number];
        let mut grid = Grid::new(3, &columns, ["", "", "A", "B", "ratio (interval)", "p"]);
        rows.iter().for_each(|row| grid.row(metric(row)));
        grid.write(out);
    }
    match entry.all_rows().len() - rows.len() {
        0 => {}
        1 => out.paragraph("  ", "1 number is the same"),
        n => out.paragraph("  ", &format!("{n} numbers are the same")),
    }
}

fn metric(row: &MetricRow) -> [String; 6] {
    let mut name: String = row.name.chars().take(NAME_MAX).collect();
    if name.len() < row.name.len() {
        name.push('…');
    }
    [
        row.delta.to_string(),
        name,
        words::sample(&row.a, row.unit),
        words::sample(&row.b, row.unit),
        words::ratio(row),
        format!("{:.3}", row.p),
    ]
}
