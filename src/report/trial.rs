//! One trial for a terminal: the verdict, its reason, the findings with witnesses, the numbers.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};
use comfy_table::{CellAlignment, Table, presets};

use crate::clock::Micros;
use crate::judge::{Finding, Judgement, Measured, StatementRef, StatementRow, Witness};
use crate::pg::LockMode;
use crate::scenario::Verdict;
use crate::stats::{Summary, grouped};

use super::numbers::bytes;

/// Columns of the text, wrapped; a terminal that is wider gains nothing from longer lines.
const WIDTH: usize = 100;
/// Statements shown per trial; the rest are in result.json.
const STATEMENTS_MAX: usize = 12;
const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();

pub fn verdict_style(verdict: Verdict) -> Style {
    let colour = match verdict {
        Verdict::Safe => AnsiColor::Green,
        Verdict::Bounded => AnsiColor::Yellow,
        Verdict::Unproven => AnsiColor::Magenta,
        Verdict::Unsafe => AnsiColor::Red,
    };
    Style::new().bold().fg_color(Some(colour.into()))
}

/// The whole text of a trial, with colour codes that the writer strips where nobody wants them.
pub fn trial(judgement: &Judgement) -> String {
    let mut out = String::new();
    let style = verdict_style(judgement.verdict);
    let verdict = judgement.verdict.as_str().to_uppercase();
    let expected = match judgement.as_expected {
        true => "as expected",
        false => "NOT AS EXPECTED",
    };
    let name = &judgement.trial.scenario;
    let _ = writeln!(out, "{style}{verdict:<9}{style:#} {BOLD}{name}{BOLD:#}, {expected}");
    // The first finding says it again, with its witness.
    let told = judgement.findings.first().is_some_and(|f| f.sentence == judgement.reason);
    if !told {
        paragraph(&mut out, "  ", &judgement.reason);
    }
    for mismatch in &judgement.mismatches {
        paragraph(&mut out, "  ! ", mismatch);
    }
    for finding in &judgement.findings {
        write_finding(&mut out, finding);
    }
    out.push('\n');
    write_latency(&mut out, &judgement.measured);
    write_counts(&mut out, &judgement.measured);
    write_statements(&mut out, &judgement.measured.statements);
    out
}

fn write_finding(out: &mut String, finding: &Finding) {
    let style = verdict_style(finding.verdict);
    let _ = writeln!(out, "  {style}{}{style:#} ({})", finding.kind, finding.verdict);
    paragraph(out, "      ", &finding.sentence);
    if let Some(witness) = &finding.witness {
        write_witness(out, witness);
    }
    if let Some(remedy) = &finding.remedy {
        labelled(out, "instead", remedy);
    }
}

fn write_witness(out: &mut String, witness: &Witness) {
    let on = witness.relation.as_ref().map(|r| format!(" on {r}")).unwrap_or_default();
    let blocker = match &witness.held {
        Some(held) => format!("{} held {held}", witness.blocker),
        None => format!("{} was ahead in the queue", witness.blocker),
    };
    let sentence = format!(
        "at {} s {} asked for {}{on} and waited {}: {blocker}",
        seconds(witness.at_us),
        witness.waiter,
        witness.requested,
        witness.waited_us
    );
    labelled(out, "witness", &sentence);
    if let Some(during) = &witness.during {
        labelled(out, "during", &statement(during));
    }
    if let Some(taken_by) = &witness.taken_by {
        labelled(out, "taken by", &statement(taken_by));
    }
    if let Some(behind) = &witness.behind {
        labelled(out, "behind", behind);
    }
}

fn seconds(at: Micros) -> String {
    format!("{:.2}", at.as_secs_f64())
}

fn statement(statement: &StatementRef) -> String {
    let text = statement.text.split_whitespace().collect::<Vec<_>>().join(" ");
    let place = match (&statement.file, statement.line) {
        (Some(file), Some(line)) => format!("{file}:{line}"),
        _ => "the runner".to_owned(),
    };
    format!("{text} ({place}, {})", statement.took_us)
}

fn labelled(out: &mut String, label: &str, text: &str) {
    let head = format!("      {DIM}{label:<9}{DIM:#} ");
    for (index, line) in wrap(text, WIDTH - 16).iter().enumerate() {
        let lead = if index == 0 { head.as_str() } else { "                " };
        let _ = writeln!(out, "{lead}{line}");
    }
}

fn paragraph(out: &mut String, lead: &str, text: &str) {
    for (index, line) in wrap(text, WIDTH - lead.len()).iter().enumerate() {
        let lead = if index == 0 { lead.to_owned() } else { " ".repeat(lead.len()) };
        let _ = writeln!(out, "{lead}{line}");
    }
}

/// Breaks at spaces; a word that is longer than a line stands alone.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().map_or(0, |line| line.chars().count());
        if line > 0 && line + 1 + word.chars().count() > width {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

fn write_latency(out: &mut String, measured: &Measured) {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["latency", "p50", "p99", "max", "operations"]);
    let latency = &measured.latency;
    for (phase, summary) in [
        ("before", &latency.before),
        ("during", &latency.during),
        ("after", &latency.after),
        ("rerun", &latency.rerun),
    ] {
        table.add_row(latency_row(phase, summary));
    }
    for column in 1..=4 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    indent(out, &table);
}

fn latency_row(phase: &str, summary: &Summary) -> [String; 5] {
    let time = |time: Micros| match summary.count {
        0 => "-".to_owned(),
        _ => time.to_string(),
    };
    [
        phase.to_owned(),
        time(summary.p50_us),
        time(summary.p99_us),
        time(summary.max_us),
        grouped(summary.count),
    ]
}

fn indent(out: &mut String, table: &Table) {
    for line in table.to_string().lines() {
        let _ = writeln!(out, "  {}", line.trim_end());
    }
}

fn write_counts(out: &mut String, measured: &Measured) {
    let mut facts = vec![
        format!("longest stall {}", measured.longest_stall_us),
        format!("worst queue {}", grouped(measured.queue_max)),
        format!("acquire timeouts {}", grouped(measured.operations.acquire_timeouts)),
        format!("pool exhausted {}", measured.exhausted_us),
        format!("change took {}", measured.change_us),
    ];
    facts.push(match measured.recovery_us {
        Some(Micros::ZERO) => "recovered at once".to_owned(),
        Some(took) => format!("recovered within {took}"),
        None => "had not recovered at the end".to_owned(),
    });
    paragraph(out, "  ", &facts.join(" · "));
    let errors = |of: &std::collections::BTreeMap<String, u64>| -> String {
        of.iter().map(|(name, n)| format!("{name} × {n}")).collect::<Vec<_>>().join(", ")
    };
    for (whose, of) in
        [("change", &measured.change_errors), ("application", &measured.application_errors)]
    {
        if !of.is_empty() {
            paragraph(out, "  ", &format!("aborts of the {whose}: {}", errors(of)));
        }
    }
}

fn write_statements(out: &mut String, statements: &[StatementRow]) {
    let control = |s: &StatementRow| matches!(s.statement.text.as_str(), "BEGIN" | "COMMIT");
    let of_files: Vec<&StatementRow> =
        statements.iter().filter(|s| s.statement.file.is_some() && !control(s)).collect();
    if of_files.is_empty() {
        return;
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["statement", "took", "rows", "WAL", "outcome", "then held"]);
    for row in of_files.iter().take(STATEMENTS_MAX) {
        table.add_row(statement_row(row));
    }
    for column in 1..=3 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    out.push('\n');
    indent(out, &table);
    if let Some(more) = of_files.len().checked_sub(STATEMENTS_MAX + 1) {
        let _ = writeln!(out, "  … and {} more in result.json", grouped(more as u64 + 1));
    }
}

fn statement_row(row: &StatementRow) -> [String; 6] {
    const TEXT_MAX: usize = 40;
    let rerun = match row.attempt {
        0 => String::new(),
        n => format!("rerun {n}: "),
    };
    let words: Vec<&str> = row.statement.text.split_whitespace().collect();
    let text = format!("{rerun}{}", words.join(" "));
    let text = match text.char_indices().nth(TEXT_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    };
    let outcome = row.error.as_ref().map_or("ok", |error| code_of(error));
    let rewritten = match row.rewritten.len() {
        0 => String::new(),
        _ => format!(", rewrote {}", row.rewritten.join(" ")),
    };
    [
        text,
        row.statement.took_us.to_string(),
        row.rows.map_or_else(|| "-".to_owned(), grouped),
        row.wal_bytes.map_or_else(|| "-".to_owned(), bytes),
        format!("{outcome}{rewritten}"),
        strongest(&row.held),
    ]
}

/// `55P03` out of "… (55P03 lock_not_available)".
fn code_of(error: &str) -> &str {
    let code = error.rsplit('(').next().and_then(|tail| tail.get(..5));
    code.filter(|code| code.chars().all(|c| c.is_ascii_alphanumeric())).unwrap_or("failed")
}

/// The strongest lock, and how many others stop somebody; weaker ones stop nobody that matters.
fn strongest(held: &[String]) -> String {
    let mode = |lock: &String| lock.rsplit(' ').next().and_then(LockMode::parse);
    let mut strong: Vec<(LockMode, &String)> = held
        .iter()
        .filter_map(|lock| Some((mode(lock)?, lock)))
        .filter(|(mode, _)| *mode > LockMode::RowExclusiveLock)
        .collect();
    strong.sort_by_key(|(mode, _)| std::cmp::Reverse(*mode));
    match strong.as_slice() {
        [] => "-".to_owned(),
        [(_, one)] => (*one).clone(),
        [(_, one), others @ ..] => format!("{one} +{}", others.len()),
    }
}
