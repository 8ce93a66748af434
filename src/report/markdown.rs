//! Markdown for a step summary or a pull-request comment.

use std::fmt::Write;

use crate::clock::Micros;
use crate::history::exit_words;
use crate::pg::lex::one_line;
use crate::result::{
    ChangeAssessment, CommandRow, Finding, Judgement, Lint, Matrix, ResultFile, RetryOdds, Witness,
};
use crate::scenario::Verdict;
use crate::stats::{Summary, grouped};

use super::answer::write_answer;
use super::changes::{idle_acceptances, of_all, scope, several};
use super::document::Document;
use super::escaped::escaped;
use super::holds_for::holds_for;
use super::matrix::{groups, kinds, word};
use super::names::Names;
use super::page::text as html;
use super::prediction::lines;
use super::retries;
use super::server::{log_differs, notices};
use super::trial::{sent_from, witness_words};

/// A comment holds 65,536 characters; what is left out says so in less than the difference.
const LENGTH_MAX: usize = 60_000;
/// Of each table; the rest is for what was not as expected, in full.
const TABLE_MAX: usize = 20_000;
/// Of a command's output: the end of it.
const OUTPUT_MAX: usize = 20_000;
/// Of one statement's text.
const STATEMENT_MAX: usize = 200;

/// The whole text: a sentence, a table, and what was not as expected in full.
pub fn markdown(document: &Document<'_>) -> String {
    let result = document.result;
    let names = document.names();
    let mut out = headline(document);
    write_answer(&mut out, result);
    out.push_str(&of_changes(result));
    if !result.trials.is_empty() {
        out.push_str(&table(&result.trials, names));
    }
    if !result.crash_matrices.is_empty() {
        out.push_str(&matrices(&result.crash_matrices, names));
    }
    // What `try` answers has them in sentences.
    if !result.answers && !result.retries.is_empty() {
        out.push_str(&retries_table(result));
    }
    // What `try` answers has it too.
    if !result.answers {
        out.push_str(&predictions(result));
    }
    out.push_str(&lints(result));
    write_within_limit(&mut out, sections(document, names).into_iter());
    out
}

/// What came of retry policies.
fn retries_table(result: &ResultFile) -> String {
    let row = |odds: &RetryOdds| {
        let cells = retries::row(odds).map(|cell| escaped(&cell));
        (false, format!("| {} |\n", cells.join(" | ")))
    };
    let rows: Vec<(bool, String)> = result.retries.iter().map(row).collect();
    let head = retries::HEAD.join(" | ");
    let line = "---|".repeat(retries::HEAD.len());
    rows_within_limit(&format!("| {head} |\n|{line}\n"), &rows)
}

/// How each statement grows, and what that comes to.
fn predictions(result: &ResultFile) -> String {
    let mut out = String::new();
    for change in &result.changes {
        for (index, line) in change.prediction.iter().flat_map(lines).enumerate() {
            if index == 0 {
                let _ = writeln!(out, "\n{} at other sizes:\n", escaped(&change.scenario));
            }
            let _ = writeln!(out, "- {}", escaped(&line));
        }
    }
    out
}

/// What a linter says, beside what was measured.
fn lints(result: &ResultFile) -> String {
    let row = |lint: &Lint| {
        let place = escaped(&sent_from(&lint.statement));
        (false, format!("| {} | {place} | {} |\n", lint.rule, escaped(&lint.sentence)))
    };
    let rows: Vec<(bool, String)> =
        result.changes.iter().flat_map(|change| &change.lints).map(row).collect();
    match rows.is_empty() {
        true => String::new(),
        false => rows_within_limit("| linter | statement | measured |\n|---|---|---|\n", &rows),
    }
}

/// As many of the sections as a comment holds.
pub(super) fn write_within_limit(out: &mut String, sections: impl Iterator<Item = String>) {
    let mut left_out = 0;
    for section in sections {
        match out.len() + section.len() > LENGTH_MAX {
            true => left_out += 1,
            false => out.push_str(&section),
        }
    }
    if left_out > 0 {
        let _ = writeln!(out, "\n{left_out} more are in the report: this text has a limit.");
    }
}

fn headline(document: &Document<'_>) -> String {
    let result = document.result;
    let trials = result.trials.iter().map(|j| (j.as_expected, j.verdict));
    let all: Vec<(bool, Verdict)> =
        trials.chain(result.crash_matrices.iter().map(|m| (m.as_expected, m.verdict))).collect();
    let wrong = all.iter().filter(|(as_expected, _)| !as_expected).count();
    let acceptances = result.changes.iter().flat_map(|change| &change.acceptances);
    let unused = acceptances.filter(|one| one.is_wrong()).count();
    let unproven = all.iter().filter(|(e, v)| !e && *v == Verdict::Unproven).count();
    let sentence = match (wrong, all.len()) {
        (0, 0) => "The run judged nothing.".to_owned(),
        (0, _) if unused > 0 => "**The change accepts what no trial shows.**".to_owned(),
        (0, 1) => "As expected.".to_owned(),
        (0, of) => format!("All {of} as expected."),
        (wrong, of) => format!("**{wrong} of {of} not as expected.**"),
    };
    let unproven = match unproven {
        0 => String::new(),
        n => format!(" {n} unproven: the evidence carries no answer."),
    };
    let broken_off =
        result.broken_off().map_or(String::new(), |text| format!("**{}.**\n\n", escaped(&text)));
    format!("## pgauntlet\n\n{broken_off}{sentence}{unproven}\n\n")
}

/// A row per change of which several trials were made.
fn of_changes(result: &ResultFile) -> String {
    let row = |change: &ChangeAssessment| {
        let mark = if change.as_expected { "" } else { "✗" };
        let row = format!(
            "| {mark} | **{}** | {} | {} | {} |\n",
            change.verdict,
            escaped(&change.scenario),
            scope(result, change),
            escaped(&change.reason)
        );
        (!change.as_expected, row)
    };
    let rows: Vec<(bool, String)> = several(result).map(row).collect();
    let mut out = match rows.is_empty() {
        true => String::new(),
        false => rows_within_limit(
            "| | verdict | change | tried | decided by |\n|---|---|---|---|---|\n",
            &rows,
        ),
    };
    for finding in several(result).flat_map(of_all) {
        let _ = writeln!(out, "- note: {}\n", escaped(&finding.sentence));
    }
    for acceptance in several(result).flat_map(idle_acceptances) {
        let sentence = escaped(&acceptance.sentence);
        let _ = match acceptance.is_wrong() {
            true => writeln!(out, "- **{sentence}**"),
            false => writeln!(out, "- note: {sentence}"),
        };
        out.push('\n');
    }
    out
}

fn table(trials: &[Judgement], names: Names) -> String {
    let head = "| | verdict | trial | longest stall | queue | acquire timeouts | p99 before | \
                during | change took |\n|---|---|---|--:|--:|--:|--:|--:|--:|\n";
    let row = |judgement: &Judgement| {
        let measured = &judgement.measured;
        let mark = if judgement.as_expected { "" } else { "✗" };
        let stall = match measured.longest_stall_us {
            Micros::ZERO => "–".to_owned(),
            stall => stall.to_string(),
        };
        let row = format!(
            "| {mark} | {} | {} | {stall} | {} | {} | {} | {} | {} |\n",
            judgement.verdict,
            escaped(&names.trial(&judgement.trial)),
            grouped(measured.queue_max),
            grouped(measured.operations.acquire_timeouts),
            p99(&measured.latency.before),
            p99(&measured.latency.during),
            measured.change_us,
        );
        (!judgement.as_expected, row)
    };
    rows_within_limit(head, &trials.iter().map(row).collect::<Vec<_>>())
}

/// A table with as many rows as there is room for; those that ask to be read come in before
/// others, and all are in their order.
pub(super) fn rows_within_limit(head: &str, rows: &[(bool, String)]) -> String {
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by_key(|at| !rows[*at].0);
    let mut left = TABLE_MAX;
    let mut taken = vec![false; rows.len()];
    for at in order {
        let length = rows[at].1.len();
        taken[at] = length <= left;
        left = left.saturating_sub(length);
    }
    let shown = rows.iter().zip(&taken).filter(|(_, taken)| **taken);
    let shown: String = shown.map(|((_, row), _)| row.as_str()).collect();
    let more = match taken.iter().filter(|taken| !**taken).count() {
        0 => String::new(),
        n => format!("\n{n} more rows are in the report: this text has a limit.\n"),
    };
    format!("{head}{shown}{more}\n")
}

/// Of a phase in which nothing was due there is none.
fn p99(summary: &Summary) -> String {
    match summary.count {
        0 => "–".to_owned(),
        _ => summary.p99_us.to_string(),
    }
}

fn matrices(matrices: &[Matrix], names: Names) -> String {
    let row = |matrix: &Matrix| {
        let mark = if matrix.as_expected { "" } else { "✗" };
        let outcomes: Vec<String> =
            matrix.outcomes.iter().map(|(outcome, count)| format!("{count} {outcome}")).collect();
        let (verdict, name) = (matrix.verdict, escaped(&names.matrix(&matrix.trial)));
        let row = format!("| {mark} | {verdict} | {name} | {} |\n", outcomes.join(", "));
        (!matrix.as_expected, row)
    };
    let head = "| | verdict | crash matrix | faults |\n|---|---|---|---|\n";
    rows_within_limit(head, &matrices.iter().map(row).collect::<Vec<_>>())
}

/// What was not as expected comes first and open.
fn sections(document: &Document<'_>, names: Names) -> Vec<String> {
    let result = document.result;
    let trials = result.trials.iter().enumerate().map(|(index, judgement)| {
        let number = index + 1;
        (judgement.as_expected, number, trial(document, judgement, number, names))
    });
    let before = result.trials.len();
    let matrices = result.crash_matrices.iter().enumerate().map(|(index, of)| {
        let number = before + index + 1;
        (of.as_expected, number, matrix(document, of, number, names))
    });
    let mut all: Vec<(bool, usize, String)> = trials.chain(matrices).collect();
    all.sort_by_key(|(as_expected, number, _)| (*as_expected, *number));
    all.into_iter().map(|(_, _, text)| text).collect()
}

fn trial(document: &Document<'_>, judgement: &Judgement, number: usize, names: Names) -> String {
    let mut body = String::new();
    for mismatch in &judgement.mismatches {
        let _ = writeln!(body, "- **{}**", escaped(mismatch));
    }
    if !judgement.mismatches.is_empty() {
        body.push('\n');
    }
    let tried = holds_for(judgement);
    if !tried.is_empty() {
        let _ = writeln!(body, "Tried: {}\n", escaped(&tried));
    }
    let decides = |finding: &&Finding| finding.verdict > Verdict::Safe;
    for decisive in judgement.findings.iter().filter(decides) {
        finding(&mut body, decisive);
    }
    if !judgement.findings.iter().any(|f| decides(&f)) {
        let _ = writeln!(body, "{}\n", escaped(&judgement.reason));
    }
    for note in judgement.findings.iter().filter(|f| !decides(f)) {
        let _ = writeln!(body, "- note: {}", note_words(note));
    }
    command(&mut body, &judgement.measured.commands);
    let differs = judgement.measured.log.as_ref().and_then(log_differs);
    for said in differs.into_iter().chain(notices(&judgement.measured)) {
        let _ = writeln!(body, "- {}", escaped(&said));
    }
    let name = names.trial(&judgement.trial);
    section(document, judgement.as_expected, number, judgement.verdict, &name, &body)
}

fn matrix(document: &Document<'_>, matrix: &Matrix, number: usize, names: Names) -> String {
    let mut body = format!("{}\n\n", escaped(&matrix.reason));
    for mismatch in &matrix.mismatches {
        let _ = writeln!(body, "- **{}**", escaped(mismatch));
    }
    for (outcome, cases) in groups(matrix) {
        let Some(first) = cases.first() else { continue };
        let (word, kinds, text) = (word(outcome), kinds(&cases), code(&cut(&first.fault.at.text)));
        let sentence = escaped(&first.sentence);
        let _ = writeln!(body, "- {word} at {text}, {kinds}: {sentence}");
    }
    let name = names.matrix(&matrix.trial);
    section(document, matrix.as_expected, number, matrix.verdict, &name, &body)
}

fn section(
    document: &Document<'_>,
    as_expected: bool,
    number: usize,
    verdict: Verdict,
    name: &str,
    body: &str,
) -> String {
    let open = if as_expected { "" } else { " open" };
    let expected = if as_expected { "as expected" } else { "not as expected" };
    let again = document.repro(number);
    let again = again.map_or(String::new(), |command| format!("Again: {}\n\n", code(&command)));
    format!(
        "<details{open}><summary><b>{verdict}</b> {}, {expected}</summary>\n\n{body}\n{again}\
         </details>\n\n",
        html(name)
    )
}

fn finding(out: &mut String, finding: &Finding) {
    let (kind, verdict) = (finding.kind, finding.verdict);
    let _ = writeln!(out, "**{kind}** ({verdict}): {}\n", escaped(&finding.sentence));
    if let Some(witness) = &finding.witness {
        witnessed(out, witness);
    }
    if let Some(remedy) = &finding.remedy {
        let _ = writeln!(out, "- instead: {}", escaped(remedy));
    }
    out.push('\n');
}

/// What decides nothing, in one line.
fn note_words(note: &Finding) -> String {
    let instead = note.remedy.as_ref().map(|remedy| format!(". Instead: {}", escaped(remedy)));
    format!("**{}**: {}{}", note.kind, escaped(&note.sentence), instead.unwrap_or_default())
}

/// How the first attempt that failed ended, and what it printed.
fn command(out: &mut String, commands: &[CommandRow]) {
    let Some(failed) = commands.iter().find(|command| command.exit_code != Some(0)) else {
        return;
    };
    let exit = exit_words(failed.exit_code, failed.signal);
    let whose = failed.runner.map(|n| format!(" of runner {n}")).unwrap_or_default();
    let printable = |c: &char| *c == '\n' || !c.is_control();
    let output: Vec<char> = failed.output.trim_end().chars().filter(printable).collect();
    let from = output.len().saturating_sub(OUTPUT_MAX);
    let output: String = output[from..].iter().collect();
    let printed = match (output.is_empty(), from > 0 || failed.output_cut > 0) {
        (true, _) => "; it printed nothing",
        (false, true) => "; the end of what it printed:",
        (false, false) => "; it printed:",
    };
    let _ = writeln!(out, "\nThe command{whose} {exit}{printed}\n");
    if !output.is_empty() {
        let fence = "`".repeat(backticks(&output).max(2) + 1);
        let _ = writeln!(out, "{fence}text\n{output}\n{fence}\n");
    }
}

/// The longest run of backticks.
fn backticks(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

fn witnessed(out: &mut String, witness: &Witness) {
    let _ = writeln!(out, "- witness: {}", escaped(&witness_words(witness)));
    for (label, statement) in [("during", &witness.during), ("taken by", &witness.taken_by)] {
        if let Some(statement) = statement {
            let (text, place) = (code(&cut(&statement.text)), code(&sent_from(statement)));
            let _ = writeln!(out, "- {label}: {text} ({place}, {})", statement.took_us);
        }
    }
    if let Some(behind) = &witness.behind {
        let _ = writeln!(out, "- behind: {}", escaped(behind));
    }
}

fn cut(text: &str) -> String {
    let text = one_line(text);
    match text.char_indices().nth(STATEMENT_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// A code span may hold anything but a run of backticks as long as its own fence. Not for tables,
/// in which a bar would end the cell.
fn code(text: &str) -> String {
    let fence = "`".repeat(backticks(text) + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}
