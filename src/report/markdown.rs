//! Markdown for a step summary or a pull-request comment.

use std::fmt::Write;

use crate::clock::Micros;
use crate::judge::crash::Matrix;
use crate::judge::{Finding, Judgement, StatementRef, Witness};
use crate::pg::lex::one_line;
use crate::scenario::{Outcome, Verdict};
use crate::stats::grouped;

use super::document::Document;
use super::machine::suites::{name, several_majors};

/// A comment holds 65,536 characters; what is left out says so in less than the difference.
const LENGTH_MAX: usize = 60_000;
/// Of one statement's text.
const STATEMENT_MAX: usize = 200;

/// The whole text: a sentence, a table, and what was not as expected in full.
pub fn markdown(document: &Document<'_>) -> String {
    let result = document.result;
    let several = several_majors(document);
    let mut out = headline(document);
    if !result.trials.is_empty() {
        out.push_str(&table(&result.trials, several));
    }
    if !result.crash_matrices.is_empty() {
        out.push_str(&matrices(&result.crash_matrices, several));
    }
    let mut left_out = 0;
    for section in sections(document, several) {
        match out.len() + section.len() > LENGTH_MAX {
            true => left_out += 1,
            false => out.push_str(&section),
        }
    }
    if left_out > 0 {
        let _ = writeln!(out, "\n{left_out} more are in the report: this text has a limit.");
    }
    out
}

fn headline(document: &Document<'_>) -> String {
    let result = document.result;
    let trials = result.trials.iter().map(|j| (j.as_expected, j.verdict));
    let all: Vec<(bool, Verdict)> =
        trials.chain(result.crash_matrices.iter().map(|m| (m.as_expected, m.verdict))).collect();
    let wrong = all.iter().filter(|(as_expected, _)| !as_expected).count();
    let unproven = all.iter().filter(|(e, v)| !e && *v == Verdict::Unproven).count();
    let sentence = match (wrong, all.len()) {
        (0, 1) => "As expected.".to_owned(),
        (0, of) => format!("All {of} as expected."),
        (wrong, of) => format!("**{wrong} of {of} not as expected.**"),
    };
    let unproven = match unproven {
        0 => String::new(),
        n => format!(" {n} unproven: the evidence carries no answer."),
    };
    format!("## pgauntlet\n\n{sentence}{unproven}\n\n")
}

fn table(trials: &[Judgement], several: bool) -> String {
    let mut out = String::from(
        "| | verdict | trial | longest stall | queue | acquire timeouts | p99 before | during | \
         change took |\n|---|---|---|--:|--:|--:|--:|--:|--:|\n",
    );
    for judgement in trials {
        let measured = &judgement.measured;
        let mark = if judgement.as_expected { "" } else { "✗" };
        let stall = match measured.longest_stall_us {
            Micros::ZERO => "–".to_owned(),
            stall => stall.to_string(),
        };
        let _ = writeln!(
            out,
            "| {mark} | {} | {} | {stall} | {} | {} | {} | {} | {} |",
            judgement.verdict,
            escaped(&name(&judgement.trial, several)),
            grouped(measured.queue_max),
            grouped(measured.operations.acquire_timeouts),
            measured.latency.before.p99_us,
            measured.latency.during.p99_us,
            measured.change_us,
        );
    }
    out.push('\n');
    out
}

fn matrices(matrices: &[Matrix], several: bool) -> String {
    let mut out = String::from("| | verdict | crash matrix | deaths |\n|---|---|---|---|\n");
    for matrix in matrices {
        let mark = if matrix.as_expected { "" } else { "✗" };
        let outcomes: Vec<String> =
            matrix.outcomes.iter().map(|(outcome, count)| format!("{count} {outcome}")).collect();
        let (verdict, name) = (matrix.verdict, escaped(&name(&matrix.trial, several)));
        let _ = writeln!(out, "| {mark} | {verdict} | {name} | {} |", outcomes.join(", "));
    }
    out.push('\n');
    out
}

/// What was not as expected comes first and open.
fn sections(document: &Document<'_>, several: bool) -> Vec<String> {
    let result = document.result;
    let trials = result.trials.iter().enumerate().map(|(index, judgement)| {
        let number = index + 1;
        (judgement.as_expected, number, trial(document, judgement, number, several))
    });
    let before = result.trials.len();
    let matrices = result.crash_matrices.iter().enumerate().map(|(index, of)| {
        let number = before + index + 1;
        (of.as_expected, number, matrix(document, of, number, several))
    });
    let mut all: Vec<(bool, usize, String)> = trials.chain(matrices).collect();
    all.sort_by_key(|(as_expected, number, _)| (*as_expected, *number));
    all.into_iter().map(|(_, _, text)| text).collect()
}

fn trial(document: &Document<'_>, judgement: &Judgement, number: usize, several: bool) -> String {
    let mut body = String::new();
    for mismatch in &judgement.mismatches {
        let _ = writeln!(body, "- **{}**", escaped(mismatch));
    }
    if !judgement.mismatches.is_empty() {
        body.push('\n');
    }
    let decides = |finding: &&Finding| finding.verdict > Verdict::Safe;
    for told in judgement.findings.iter().filter(decides) {
        finding(&mut body, told);
    }
    if !judgement.findings.iter().any(|f| decides(&f)) {
        let _ = writeln!(body, "{}\n", escaped(&judgement.reason));
    }
    let name = name(&judgement.trial, several);
    section(document, judgement.as_expected, number, judgement.verdict, &name, &body)
}

fn matrix(document: &Document<'_>, matrix: &Matrix, number: usize, several: bool) -> String {
    let mut body = format!("{}\n\n", escaped(&matrix.reason));
    for mismatch in &matrix.mismatches {
        let _ = writeln!(body, "- **{}**", escaped(mismatch));
    }
    for cell in matrix.cells.iter().filter(|c| c.outcome.is_some_and(|o| o != Outcome::Clean)) {
        let outcome = cell.outcome.map_or("unknown", |outcome| outcome.as_str());
        let (way, text) = (&cell.death.way, cut(&cell.death.text));
        let sentence = escaped(&cell.sentence);
        let _ = writeln!(body, "- {outcome}, {way} at {}: {sentence}", code(&text));
    }
    let name = format!("{}, crash matrix", name(&matrix.trial, several));
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
    let again = format!("pgauntlet repro {} --trial {number}", document.path);
    format!(
        "<details{open}><summary><b>{verdict}</b> {}, {expected}</summary>\n\n{body}\nAgain: {}\n\n\
         </details>\n\n",
        html(name),
        code(&again)
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

fn witnessed(out: &mut String, witness: &Witness) {
    let on = witness.relation.as_ref().map(|r| format!(" on {r}")).unwrap_or_default();
    let blocker = match &witness.held {
        Some(held) => format!("{} held {held}", witness.blocker),
        None => format!("{} was ahead in the queue", witness.blocker),
    };
    let (waiter, requested, waited) = (&witness.waiter, &witness.requested, witness.waited_us);
    let sentence = format!("{waiter} asked for {requested}{on} and waited {waited}: {blocker}");
    let _ = writeln!(out, "- witness: {}", escaped(&sentence));
    for (label, statement) in [("during", &witness.during), ("taken by", &witness.taken_by)] {
        if let Some(statement) = statement {
            let _ = writeln!(out, "- {label}: {}{}", code(&cut(&statement.text)), place(statement));
        }
    }
    if let Some(behind) = &witness.behind {
        let _ = writeln!(out, "- behind: {}", escaped(behind));
    }
}

fn place(statement: &StatementRef) -> String {
    match (&statement.file, statement.line) {
        (Some(file), Some(line)) => format!(" ({})", code(&format!("{file}:{line}"))),
        _ => String::new(),
    }
}

fn cut(text: &str) -> String {
    let text = one_line(text);
    match text.char_indices().nth(STATEMENT_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// A code span may hold anything but a run of backticks as long as its own fence.
fn code(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{}{pad}{fence}", text.replace('|', "\\|"))
}

/// Nothing in a text is markup, and a bar is no border of a cell.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in one_line(text).chars() {
        match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '#' => out.extend(['\\', c]),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            c => out.push(c),
        }
    }
    out
}

fn html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
