//! The table of verdicts at the end of a run.

use comfy_table::{CellAlignment, Table, presets};

use crate::clock::Micros;
use crate::judge::Judgement;
use crate::stats::grouped;

use super::trial::verdict_style;

/// A row per trial: what was found, and whether it was expected.
pub fn verdicts(judgements: &[Judgement]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header([
        "verdict",
        "scenario",
        "stall",
        "queue",
        "timeouts",
        "p99 before",
        "during",
        "after",
        "expected",
    ]);
    for judgement in judgements {
        table.add_row(row(judgement));
    }
    for column in 2..=7 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let style = |line: &str| -> String {
        let verdict = line.split_whitespace().next().unwrap_or("");
        let found = judgements.iter().map(|j| j.verdict).find(|v| v.as_str() == verdict);
        let Some(found) = found else { return line.trim_end().to_owned() };
        let style = verdict_style(found);
        line.trim_end().replacen(verdict, &format!("{style}{verdict}{style:#}"), 1)
    };
    table.to_string().lines().map(style).collect::<Vec<_>>().join("\n")
}

fn row(judgement: &Judgement) -> [String; 9] {
    let measured = &judgement.measured;
    let stall = match measured.longest_stall_us {
        Micros::ZERO => "-".to_owned(),
        stall => stall.to_string(),
    };
    let latency = &measured.latency;
    let expected = match judgement.as_expected {
        true => "yes".to_owned(),
        false => "NO".to_owned(),
    };
    [
        judgement.verdict.to_string(),
        judgement.trial.scenario.clone(),
        stall,
        grouped(measured.queue_max),
        grouped(measured.operations.acquire_timeouts),
        latency.before.p99_us.to_string(),
        latency.during.p99_us.to_string(),
        latency.after.p99_us.to_string(),
        expected,
    ]
}
