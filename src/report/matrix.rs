//! A crash matrix for a terminal: a row per statement, a column per fault kind.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt::Write;

use anstyle::{AnsiColor, Style};

use crate::clock::Micros;
use crate::explain::Files;
use crate::pg::lex::one_line;
use crate::result::{Case, Matrix, StatementRef};
use crate::scenario::Outcome;
use crate::stats::grouped;
use crate::trial::FaultKind;

use super::grid::{Cell, Column, Grid, cut};
use super::text::{Text, Width};
use super::trial::verdict_style;

/// Characters of a statement in the table at the usual width.
const STATEMENT_MAX: usize = 34;
/// No such case: the statement takes no such lock, is over too soon, or commits nothing.
pub(super) const NONE: &str = "-";
/// The fault could not be injected.
pub(super) const NOT_INJECTED: &str = "?";
const BOLD: Style = Style::new().bold();

/// The whole text of a matrix, with colour codes that the writer strips where they are not wanted.
pub fn matrix(matrix: &Matrix, width: Width) -> String {
    let mut out = Text::new(width);
    let style = verdict_style(matrix.verdict);
    let verdict = matrix.verdict.as_str().to_uppercase();
    let expected = if matrix.as_expected { "as expected" } else { "NOT AS EXPECTED" };
    let name = &matrix.trial.key.scenario;
    let head = format!("{style}{verdict:<9}{style:#} ");
    out.paragraph(&head, &format!("{BOLD}{name}, crash matrix{BOLD:#}, {expected}"));
    out.paragraph("  ", &matrix.reason);
    for mismatch in &matrix.mismatches {
        out.paragraph("  ! ", mismatch);
    }
    if !matrix.cases.is_empty() {
        out.blank();
        write_table(&mut out, matrix);
        out.blank();
    }
    write_groups(&mut out, matrix);
    let sentences = not_injected(matrix).into_iter().chain(random(matrix)).chain(cost(matrix));
    sentences.for_each(|sentence| out.paragraph("  ", &sentence));
    out.into_string()
}

fn write_table(out: &mut Text, matrix: &Matrix) {
    let outcomes = matrix.columns.iter().map(|_| Column::Word);
    let columns: Vec<Column> = [Column::Word, Column::Name].into_iter().chain(outcomes).collect();
    let kinds = matrix.columns.iter().map(|kind| head(*kind));
    let head = ["", "fault at"].into_iter().chain(kinds);
    let mut grid = Grid::new(3, &columns, head).with_names_up_to(STATEMENT_MAX);
    for row in &matrix.rows {
        let text = one_line(&row.statement.text);
        let outcomes = matrix.columns.iter().map(|kind| outcome_cell(matrix, row.id, *kind));
        grid.row([row.id.to_string().into(), text.into()].into_iter().chain(outcomes));
    }
    grid.write(out);
}

/// As the server's log names it.
pub(super) fn head(kind: FaultKind) -> &'static str {
    match kind {
        FaultKind::CutBefore => "cut\nbefore",
        FaultKind::LockTimeout => "55P03\nlock",
        FaultKind::Cancel => "57014\ncancel",
        FaultKind::KillBackend => "57P01\nkill",
        FaultKind::CutAfter => "cut\nafter",
        FaultKind::KillRunner => "SIGKILL\nrunner",
    }
}

pub(super) fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Clean => "clean",
        Outcome::ManualStep => "by hand",
        Outcome::FailsForever => "fails",
        Outcome::Debris => "debris",
        Outcome::Diverges => "diverges",
        Outcome::LosesData => "loses data",
    }
}

fn outcome_cell(matrix: &Matrix, statement: u32, kind: FaultKind) -> Cell {
    let here = |case: &&Case| case.fault.at.statement == statement && case.fault.kind == kind;
    match matrix.cases.iter().find(here).map(|case| case.outcome) {
        None => NONE.into(),
        Some(None) => NOT_INJECTED.into(),
        Some(Some(outcome)) => Cell::styled(word(outcome), outcome_style(outcome)),
    }
}

fn outcome_style(outcome: Outcome) -> Style {
    let colour = match outcome {
        Outcome::Clean => AnsiColor::Green,
        Outcome::ManualStep => AnsiColor::Yellow,
        _ => AnsiColor::Red,
    };
    Style::new().fg_color(Some(colour.into()))
}

/// What did not end clean, the worst first; those of a statement that say the same are one.
pub(super) fn groups(matrix: &Matrix) -> Vec<(Outcome, Vec<&Case>)> {
    let mut groups: BTreeMap<Group<'_>, Vec<&Case>> = BTreeMap::new();
    for case in &matrix.cases {
        let Some(outcome) = case.outcome.filter(|outcome| *outcome != Outcome::Clean) else {
            continue;
        };
        let group = (Reverse(outcome), case.fault.at.statement, case.sentence.as_str());
        groups.entry(group).or_default().push(case);
    }
    groups.into_iter().map(|((Reverse(outcome), ..), cases)| (outcome, cases)).collect()
}

/// What did not end clean, once per statement.
fn write_groups(out: &mut Text, matrix: &Matrix) {
    let files = Files::of_matrix(matrix);
    let mut last = None;
    for (outcome, cases) in groups(matrix) {
        let Some(first) = cases.first() else { continue };
        let (statement, sentence) = (first.fault.at.statement, &first.sentence);
        if last.replace((outcome, statement)) != Some((outcome, statement)) {
            write_head(out, matrix, &files, first);
        }
        out.paragraph("      ", &format!("{}:", kinds(&cases)));
        out.paragraph("      ", sentence);
        let left = first.differences.first().filter(|_| outcome == Outcome::FailsForever);
        if let Some(difference) = left {
            out.paragraph("      ", &format!("left: {difference}"));
        }
    }
}

type Group<'m> = (Reverse<Outcome>, u32, &'m str);

/// The fault of each, and the error that it led to.
pub(super) fn kinds(cases: &[&Case]) -> String {
    let listed = cases.iter().map(|case| format!("{} ({})", case.fault.kind, case.seen));
    listed.collect::<Vec<_>>().join(", ")
}

fn write_head(out: &mut Text, matrix: &Matrix, files: &Files, case: &Case) {
    let Some(outcome) = case.outcome else { return };
    let (style, statement) = (outcome_style(outcome), case.fault.at.statement);
    let row = matrix.rows.iter().find(|row| row.id == statement);
    let place = row.map_or(String::new(), |row| place(&row.statement, files));
    let text = cut(&one_line(&case.fault.at.text), 2 * STATEMENT_MAX);
    let word = word(outcome);
    let head = format!("{style}{word}{style:#} at {statement}: {text}{place}");
    out.hanging("  ", 6, &head);
}

fn place(statement: &StatementRef, files: &Files) -> String {
    match (&statement.file, statement.line) {
        (Some(file), Some(line)) => format!(" ({}:{line})", files.name(file)),
        _ => String::new(),
    }
}

/// Faults that could not be injected, cases without an outcome, and why.
pub(super) fn not_injected(matrix: &Matrix) -> Vec<String> {
    let mut groups: BTreeMap<(bool, FaultKind, &str), Vec<String>> = BTreeMap::new();
    for case in matrix.cases.iter().filter(|case| case.outcome.is_none()) {
        let key = (case.broken, case.fault.kind, case.sentence.as_str());
        groups.entry(key).or_default().push(case.fault.at.statement.to_string());
    }
    let sentences = groups.into_iter().map(|((broken, kind, why), statements)| {
        let what = if broken { "no outcome" } else { "not injected" };
        format!("{what}: {kind} at {}: {why}", statements.join(", "))
    });
    sentences.collect()
}

/// What came of the faults at random moments.
pub(super) fn random(matrix: &Matrix) -> Option<String> {
    let random = matrix.random.as_ref()?;
    let (tried, injected) = (random.tried, random.injected);
    Some(match &random.earliest {
        None => format!("{tried} faults at random moments, {injected} injected: each ended clean"),
        Some(case) => format!(
            "{tried} faults at random moments, {injected} injected; the earliest that does not end \
             clean: {} {} into {} (statement {}): {}",
            case.fault.kind,
            into(case.fault.at.into_us.unwrap_or_default()),
            cut(&one_line(&case.fault.at.text), 2 * STATEMENT_MAX),
            case.fault.at.statement,
            case.sentence
        ),
    })
}

/// To the microsecond, where a millisecond is long.
fn into(moment: Micros) -> String {
    match moment < Micros::from_millis(1) {
        true => format!("{} µs", moment.0),
        false => moment.to_string(),
    }
}

/// How many cases there are, what they took, and what they leave out.
pub(super) fn cost(matrix: &Matrix) -> Option<String> {
    let mut took: Vec<Micros> = matrix.cases.iter().map(|case| case.took_us).collect();
    took.sort_unstable();
    let (median, longest) = (took.get(took.len() / 2)?, took.last()?);
    let rows = matrix.trial.sizes.iter().max_by_key(|(_, rows)| **rows);
    let rows =
        rows.map_or(String::new(), |(table, rows)| format!(", {} rows in {table}", grouped(*rows)));
    let cases = match (took.len(), &matrix.random) {
        (cases, None) => format!("{cases} cases in {}", matrix.took_us),
        (cases, Some(random)) => {
            let tried = random.tried;
            format!("{cases} cases and {tried} random faults in {}", matrix.took_us)
        }
    };
    let at_once = matrix.at_once;
    let mut sentence = format!(
        "{cases}, {at_once} at a time{rows}: a case takes {median} (median), at most {longest}. \
         {NONE}: the statement leaves no room for such a fault. Statements that only begin, set or \
         read are left out: a fault in them is the same as one before the next statement."
    );
    if matrix.rounds_left_out > 0 {
        let rounds = grouped(matrix.rounds_left_out);
        let _ = write!(
            sentence,
            " So are {rounds} rounds of repeated statements: the first, the last and the one in \
             the middle represent them."
        );
    }
    if !matrix.not_compared.is_empty() {
        let tables = matrix.not_compared.join(", ");
        let _ = write!(
            sentence,
            " Rows of {tables} were not compared: they are not the same twice, or the application \
             writes them without a ledger."
        );
    }
    Some(sentence)
}
