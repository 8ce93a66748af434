//! The answer for a comment on a pull request.

use std::fmt::Write;

use crate::explain;
use crate::result::ResultFile;

use super::super::escaped::escaped;
use super::super::prediction::lines;
use super::super::retries::heading;
use super::said::{Answer, Killed};

/// Writes the answer about the only change of a result; nothing where there are several.
pub fn write_answer(out: &mut String, result: &ResultFile) {
    let Some(answer) = Answer::of_the_only(result) else { return };
    let verdict = answer.change.verdict.as_str().to_uppercase();
    let said = answer.cost().unwrap_or_else(|| answer.change.reason.clone());
    let _ = writeln!(out, "**{verdict}**. {}\n", escaped(&said));
    write_margins(out, &answer);
    write_latency(out, &answer);
    if let Some(worst) = answer.worst() {
        let by = answer.shown_by(worst).map(|by| format!(" ({by})")).unwrap_or_default();
        let _ = writeln!(out, "**{}**: {}{}\n", worst.kind, escaped(&worst.sentence), escaped(&by));
        if let Some(remedy) = &worst.remedy {
            let _ = writeln!(out, "Instead: {}\n", escaped(remedy));
        }
    }
    for Killed { word, said, instead, .. } in answer.matrices() {
        let _ = writeln!(out, "Killed, **{word}**: {}\n", escaped(&said));
        if let Some(instead) = instead {
            let _ = writeln!(out, "Instead: {}\n", escaped(&instead));
        }
    }
    for odds in answer.retries() {
        let said = format!("{}: {}", heading(odds), explain::retries(odds).join("; "));
        let _ = writeln!(out, "Retries, {}.\n", escaped(&said));
    }
    for line in answer.change.prediction.iter().flat_map(lines) {
        let _ = writeln!(out, "- {}", escaped(&line));
    }
    if let Some(applied) = answer.applied() {
        let _ = writeln!(out, "Applied {}.\n", escaped(&applied));
    }
    if let Some((tried, not_tried)) = answer.holds_for() {
        let _ =
            writeln!(out, "Holds for {}. Not tried: {}.\n", escaped(&tried), escaped(&not_tried));
    }
}

fn write_margins(out: &mut String, answer: &Answer<'_>) {
    let margins = answer.margins();
    if margins.is_empty() {
        return;
    }
    let names: Vec<String> = answer.trials.iter().map(|(name, _)| escaped(name)).collect();
    let _ = writeln!(out, "| | limit | {} | margin |", names.join(" | "));
    let _ = writeln!(out, "|---|--:|{}--:|", "--:|".repeat(names.len()));
    for row in margins {
        let marked = |text: &str, holds: bool| match holds {
            true => text.to_owned(),
            false => format!("**{text}**"),
        };
        let observed = row.observed.iter().map(|(text, holds)| marked(text, *holds));
        let observed = observed.collect::<Vec<_>>().join(" | ");
        let margin = marked(&row.margin, row.holds);
        let _ = writeln!(out, "| {} | {} | {observed} | {margin} |", row.limited, row.limit);
    }
    out.push('\n');
}

fn write_latency(out: &mut String, answer: &Answer<'_>) {
    let rows = answer.latency();
    if rows.is_empty() {
        return;
    }
    out.push_str("| latency | p50 | p99 | max | operations |\n|---|--:|--:|--:|--:|\n");
    for [lead, p50, p99, max, operations] in rows {
        let _ = writeln!(out, "| {} | {p50} | {p99} | {max} | {operations} |", escaped(&lead));
    }
    out.push('\n');
}
