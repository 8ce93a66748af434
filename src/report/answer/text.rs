//! The answer for a terminal.

use crate::explain;
use crate::pg::lex::one_line;
use crate::result::{Finding, Judgement, Matrix, ResultFile};
use crate::scenario::Verdict;
use crate::stats::grouped;

use super::super::changes::idle_acceptances;
use super::super::grid::{Cell, Column, Grid};
use super::super::names::Names;
use super::super::prediction::lines;
use super::super::retries::heading;
use super::super::text::{DIM, Text, Width};
use super::super::trial::{LATENCY_HEAD, sent_from, verdict_style, write_command};
use super::said::{Answer, Killed};

/// Columns before a labelled text.
const LABELLED: usize = 11;

/// The answer about the only change of a result; None: there are several, or none.
pub fn answer(result: &ResultFile, width: Width) -> Option<String> {
    let answer = Answer::of_the_only(result)?;
    let mut out = Text::new(width);
    write_head(&mut out, &answer);
    if let Some(broken_off) = result.broken_off() {
        labelled(&mut out, "broken off", &broken_off);
    }
    write_margins(&mut out, &answer);
    write_latency(&mut out, &answer);
    out.blank();
    write_findings(&mut out, &answer);
    if let Some((tried, not_tried)) = answer.holds_for() {
        labelled(&mut out, "holds for", &tried);
        labelled(&mut out, "not tried", &not_tried);
    }
    if let Some(applied) = answer.applied() {
        labelled(&mut out, "applied", &applied);
    }
    Some(out.into_string())
}

/// One line of a trial that has ended, while others run.
pub fn trial_in_brief(judgement: &Judgement, width: Width) -> String {
    let name = Names::default().trial(&judgement.trial);
    let measured = &judgement.measured;
    let numbers = format!(
        "longest wait {}, p99 {} (before {}), change took {}",
        measured.longest_stall_us,
        measured.latency.during.p99_us,
        measured.latency.before.p99_us,
        measured.change_us
    );
    in_brief(judgement.verdict, &format!("{name}: {numbers}"), width)
}

/// One line of a crash matrix that has ended.
pub fn matrix_in_brief(matrix: &Matrix, width: Width) -> String {
    let name = Names::default().matrix(&matrix.trial);
    let cases = grouped(matrix.cases.len() as u64);
    in_brief(matrix.verdict, &format!("{name}: {cases} faults in {}", matrix.took_us), width)
}

fn in_brief(verdict: Verdict, said: &str, width: Width) -> String {
    let mut out = Text::new(width);
    let style = verdict_style(verdict);
    out.hanging(&format!("{style}{:<10}{style:#} ", verdict.as_str()), LABELLED, said);
    out.into_string().trim_end_matches('\n').to_owned()
}

/// A labelled text as those of the answer are, for what is said before it; each line of the text is
/// wrapped by itself.
pub fn labelled_text(label: &str, text: &str, width: Width) -> String {
    let mut out = Text::new(width);
    for (index, line) in text.lines().enumerate() {
        labelled(&mut out, if index == 0 { label } else { "" }, line);
    }
    out.into_string().trim_end_matches('\n').to_owned()
}

fn labelled(out: &mut Text, label: &str, text: &str) {
    out.hanging(&format!("{DIM}{label:<10}{DIM:#} "), LABELLED, text);
}

fn write_head(out: &mut Text, answer: &Answer<'_>) {
    let style = verdict_style(answer.change.verdict);
    let verdict = answer.change.verdict.as_str().to_uppercase();
    let head = format!("{style}{verdict:<10}{style:#} ");
    match answer.cost() {
        Some(cost) => out.hanging(&head, LABELLED, &cost),
        None => out.hanging(&head, LABELLED, &answer.change.reason),
    }
}

fn write_margins(out: &mut Text, answer: &Answer<'_>) {
    let margins = answer.margins();
    if margins.is_empty() {
        return;
    }
    out.blank();
    let mut columns = vec![Column::Name, Column::Number];
    columns.extend(answer.trials.iter().map(|_| Column::Number));
    columns.push(Column::Number);
    let mut head = vec![String::new(), "limit".to_owned()];
    head.extend(answer.trials.iter().map(|(name, _)| name.clone()));
    head.push("margin".to_owned());
    let mut grid = Grid::new(LABELLED, &columns, head);
    for row in margins {
        let mark = |holds: bool| match holds {
            true => anstyle::Style::new(),
            false => verdict_style(answer.change.verdict),
        };
        let mut cells = vec![Cell::from(row.limited), Cell::from(row.limit)];
        let observed = row.observed.into_iter();
        cells.extend(observed.map(|(text, holds)| Cell::styled(text, mark(holds))));
        cells.push(Cell::styled(row.margin, mark(row.holds)));
        grid.row(cells);
    }
    grid.write(out);
}

fn write_latency(out: &mut Text, answer: &Answer<'_>) {
    let rows = answer.latency();
    if rows.is_empty() {
        return;
    }
    out.blank();
    let columns = [Column::Name, Column::Number, Column::Number, Column::Number, Column::Number];
    let mut grid = Grid::new(LABELLED, &columns, LATENCY_HEAD);
    rows.into_iter().for_each(|row| grid.row(row));
    grid.write(out);
}

fn write_findings(out: &mut Text, answer: &Answer<'_>) {
    if let Some(worst) = answer.worst() {
        let by = answer.shown_by(worst).map(|by| format!(" ({by})")).unwrap_or_default();
        labelled(out, worst.kind.as_str(), &format!("{}{by}", worst.sentence));
        write_statement(out, worst);
        if let Some(remedy) = &worst.remedy {
            labelled(out, "instead", remedy);
        }
        write_command(out, answer.commands());
        if let Some(also) = answer.also() {
            labelled(out, "also", &also);
        }
    } else if answer.matrices.is_empty() || answer.change.decided_by.is_some() {
        labelled(out, "because", &answer.change.reason);
    }
    for Killed { verdict, word, said, instead } in answer.matrices() {
        let style = verdict_style(verdict);
        labelled(out, "killed", &format!("{style}{word}{style:#}: {said}"));
        if let Some(instead) = instead {
            labelled(out, "instead", &instead);
        }
    }
    for odds in answer.retries() {
        let said = format!("{}: {}", heading(odds), explain::retries(odds).join("; "));
        labelled(out, "retries", &said);
    }
    for (index, line) in answer.change.prediction.iter().flat_map(lines).enumerate() {
        labelled(out, if index == 0 { "size" } else { "" }, &line);
    }
    for lint in answer.confirmed_lints() {
        let place = sent_from(&lint.statement);
        labelled(out, "linter", &format!("{} ({place}) {}", lint.rule, lint.sentence));
    }
    for acceptance in idle_acceptances(answer.change) {
        let label = if acceptance.is_wrong() { "accepts" } else { "note" };
        labelled(out, label, &acceptance.sentence);
    }
    for note in answer.notes() {
        let instead = note.remedy.as_ref().map(|remedy| format!(". Instead: {remedy}"));
        let said = format!("{}: {}{}", note.kind, note.sentence, instead.unwrap_or_default());
        labelled(out, "note", &said);
    }
}

/// The statement of the change, where the sentence does not name its place.
fn write_statement(out: &mut Text, worst: &Finding) {
    let witness = worst.witness.as_ref().and_then(|witness| witness.during.as_ref());
    let Some(statement) = witness.or(worst.subject.statement.as_ref()) else { return };
    let place = sent_from(statement);
    if !worst.sentence.contains(&place) {
        labelled(out, "statement", &format!("{} ({place})", one_line(&statement.text)));
    }
}
