//! The table of verdicts at the end of a run.

use comfy_table::{CellAlignment, Table, presets};

use crate::clock::Micros;
use crate::result::{Judgement, Matrix};
use crate::scenario::Verdict;
use crate::stats::{Summary, grouped};

use super::names::Names;
use super::trial::verdict_style;

pub(super) const HEAD: [&str; 9] = [
    "verdict",
    "scenario",
    "stall",
    "queue",
    "timeouts",
    "p99 before",
    "during",
    "after",
    "expected",
];

/// A row per trial: what was found, and whether it was expected.
pub fn verdicts(judgements: &[Judgement], matrices: &[Matrix]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(HEAD);
    let names = Names::of(judgements, matrices);
    for judgement in judgements {
        table.add_row(row(judgement, names));
    }
    for matrix in matrices {
        table.add_row(matrix_row(matrix, names));
    }
    for column in 2..=7 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let of_trials = judgements.iter().map(|judgement| judgement.verdict);
    let verdicts = of_trials.chain(matrices.iter().map(|matrix| matrix.verdict));
    let text = table.to_string();
    // A row is one line, and the first line is the head.
    let verdicts = std::iter::once(None).chain(verdicts.map(Some)).chain(std::iter::repeat(None));
    text.lines().zip(verdicts).map(|(line, of)| styled(line, of)).collect::<Vec<_>>().join("\n")
}

/// A row's line with its verdict in its colour.
fn styled(line: &str, verdict: Option<Verdict>) -> String {
    let line = line.trim_end();
    let Some(verdict) = verdict else { return line.to_owned() };
    let style = verdict_style(verdict);
    line.replacen(verdict.as_str(), &format!("{style}{verdict}{style:#}"), 1)
}

pub(super) fn row(judgement: &Judgement, names: Names) -> [String; 9] {
    let measured = &judgement.measured;
    let stall = match measured.longest_stall_us {
        Micros::ZERO => "-".to_owned(),
        stall => stall.to_string(),
    };
    let latency = &measured.latency;
    [
        judgement.verdict.to_string(),
        names.trial(&judgement.trial),
        stall,
        grouped(measured.queue_max),
        grouped(measured.operations.acquire_timeouts),
        p99(&latency.before),
        p99(&latency.during),
        p99(&latency.after),
        expected(judgement.as_expected),
    ]
}

fn expected(yes: bool) -> String {
    if yes { "yes" } else { "NO" }.to_owned()
}

pub(super) fn matrix_row(matrix: &Matrix, names: Names) -> [String; 9] {
    let blank = || "-".to_owned();
    let name = names.matrix(&matrix.trial);
    let verdict = matrix.verdict.to_string();
    let expected = expected(matrix.as_expected);
    [verdict, name, blank(), blank(), blank(), blank(), blank(), blank(), expected]
}

fn p99(summary: &Summary) -> String {
    match summary.count {
        0 => "-".to_owned(),
        _ => summary.p99_us.to_string(),
    }
}
