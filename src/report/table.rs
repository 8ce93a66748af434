//! The table of verdicts at the end of a run.

use crate::clock::Micros;
use crate::result::{Judgement, Matrix};
use crate::stats::{Summary, grouped};

use super::grid::{Cell, Column, Grid};
use super::names::Names;
use super::text::{Text, Width};
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
pub fn verdicts(judgements: &[Judgement], matrices: &[Matrix], width: Width) -> String {
    use Column::{Name, Number, Word};
    let columns = [Word, Name, Number, Number, Number, Number, Number, Number, Word];
    let mut grid = Grid::new(1, &columns, HEAD);
    let names = Names::of(judgements, matrices);
    let trials = judgements.iter().map(|of| (of.verdict, row(of, names)));
    let matrices = matrices.iter().map(|of| (of.verdict, matrix_row(of, names)));
    for (verdict, [first, others @ ..]) in trials.chain(matrices) {
        let first = Cell::styled(first, verdict_style(verdict));
        grid.row([first].into_iter().chain(others.into_iter().map(Cell::from)));
    }
    let mut out = Text::new(width);
    grid.write(&mut out);
    out.into_string().trim_end_matches('\n').to_owned()
}

/// How many of several are as expected, and which are not; None: there is one.
pub fn tally(judgements: &[Judgement], matrices: &[Matrix], width: Width) -> Option<String> {
    let names = Names::of(judgements, matrices);
    let trials = judgements.iter().map(|of| (of.as_expected, names.trial(&of.trial)));
    let matrices = matrices.iter().map(|of| (of.as_expected, names.matrix(&of.trial)));
    let all: Vec<(bool, String)> = trials.chain(matrices).collect();
    let others: Vec<&str> =
        all.iter().filter(|(expected, _)| !expected).map(|(_, name)| name.as_str()).collect();
    let count = grouped((all.len() - others.len()) as u64);
    let mut text = format!("{count} of {} as expected", grouped(all.len() as u64));
    if !others.is_empty() {
        text = format!("{text}; not: {}", others.join(", "));
    }
    let mut out = Text::new(width);
    out.paragraph(" ", &text);
    (all.len() > 1).then(|| out.into_string().trim_end_matches('\n').to_owned())
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
