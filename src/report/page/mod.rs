//! The page of a run: one HTML file that needs no network, for reviewers of the change.
//!
//! Every part is in the file as text, so that it reads without a script and prints; the script
//! adds what moves. Nothing is judged or derived here: what happened when is the timeline's.

mod axis;
mod charts;
mod facts;
mod frame;
mod graph;
mod html;
mod lanes;
mod lints;
mod matrix;
mod not_tried;
mod places;
mod prediction;
mod retries;
mod schema;
mod stall;
mod trial;

use std::collections::BTreeSet;
use std::fmt::Write;

use crate::result::ResultFile;
use crate::scenario::Verdict;

use super::Document;
use super::changes::{idle_acceptances, of_all, scope, several};
use super::holds_for::holds_for;
use super::table::{HEAD, matrix_row, row};

use trial::Shown;

pub(super) use frame::frame;
pub(super) use html::{list, paragraph, table, text};
pub use not_tried::not_tried;

/// A trial or a crash matrix, as the top of the page tells it.
struct PageSection<'a> {
    verdict: Verdict,
    as_expected: bool,
    name: String,
    reason: &'a str,
    /// For what it holds; empty: not known.
    tried: String,
    mismatches: &'a [String],
}

/// The whole file.
pub fn page(document: &Document<'_>) -> String {
    let pieces = pieces(document);
    let open = asking(&pieces);
    let title = match pieces.as_slice() {
        [one] => format!("{}: {}", one.name, one.verdict),
        several => format!("pgauntlet: {} verdicts", several.len()),
    };
    let mut out = String::new();
    top(&mut out, document, &pieces);
    let trials = document.result.trials.len();
    let analysis_shown = scenarios(document).len() == 1;
    let shown = |index: usize| Shown {
        open: index == open,
        reason_shown: pieces.len() == 1,
        analysis_shown,
    };
    for index in 0..trials {
        out.push_str(&trial::trial(document, index, shown(index)));
    }
    for (index, matrix) in document.result.crash_matrices.iter().enumerate() {
        let at = trials + index;
        out.push_str(&matrix::matrix(document, matrix, at + 1, shown(at)));
    }
    out.push_str(&prediction::predictions(document.result));
    out.push_str(&retries::retries(document.result));
    out.push_str(&lints::lints(document.result));
    write_not_tried(&mut out, document);
    frame(&title, &out)
}

/// The one that asks to be read: with many of them, it alone is open.
fn asking(pieces: &[PageSection<'_>]) -> usize {
    let unexpected = pieces.iter().position(|piece| !piece.as_expected);
    let worst = pieces.iter().map(|piece| piece.verdict).max();
    let of_worst = pieces.iter().position(|piece| Some(piece.verdict) == worst);
    unexpected.or(of_worst).unwrap_or(0)
}

fn pieces<'a>(document: &Document<'a>) -> Vec<PageSection<'a>> {
    let names = document.names();
    let trials = document.result.trials.iter().map(|judgement| PageSection {
        verdict: judgement.verdict,
        as_expected: judgement.as_expected,
        name: names.trial(&judgement.trial),
        reason: &judgement.reason,
        tried: holds_for(judgement),
        mismatches: &judgement.mismatches,
    });
    let matrices = document.result.crash_matrices.iter().map(|matrix| PageSection {
        verdict: matrix.verdict,
        as_expected: matrix.as_expected,
        name: names.matrix(&matrix.trial),
        reason: &matrix.reason,
        tried: String::new(),
        mismatches: &matrix.mismatches,
    });
    trials.chain(matrices).collect()
}

/// The names of the scenarios, in the order in which they were run.
fn scenarios(document: &Document<'_>) -> Vec<String> {
    let trials = document.result.trials.iter().map(|judgement| &judgement.trial.key.scenario);
    let matrices = document.result.crash_matrices.iter().map(|matrix| &matrix.trial.key.scenario);
    let mut seen = BTreeSet::new();
    trials.chain(matrices).filter(|name| seen.insert((*name).clone())).cloned().collect()
}

/// The verdict, the sentence, the analysis, and the table where there is more than one verdict.
fn top(out: &mut String, document: &Document<'_>, pieces: &[PageSection<'_>]) {
    out.push_str("<header>\n");
    match pieces {
        [] => {
            out.push_str("<h1>No verdict</h1>\n<p class=\"reason\">The run judged nothing.</p>\n")
        }
        [one] => {
            let _ = writeln!(
                out,
                "<p class=\"verdict big v-{verdict}\">{verdict}</p>\n<h1>{}</h1>\n<p>{}</p>",
                text(&one.name),
                trial::expected_words(one.as_expected),
                verdict = one.verdict
            );
            out.push_str(&paragraph("reason", one.reason));
            out.push_str(&tried(one));
            out.push_str(&trial::mismatches(one.mismatches));
        }
        several => write_several(out, document, several),
    }
    write_acceptances(out, document.result);
    if let Some(text) = document.result.broken_off() {
        out.push_str(&paragraph("reason not-expected", &text));
    }
    if let [name] = scenarios(document).as_slice() {
        out.push_str(&trial::analysis(document.scenario(name).as_ref()));
    }
    out.push_str("</header>\n");
}

/// For what the verdict holds, below it.
fn tried(of: &PageSection<'_>) -> String {
    match of.tried.is_empty() {
        true => String::new(),
        false => paragraph("dim", &format!("Tried: {}", of.tried)),
    }
}

fn write_several(out: &mut String, document: &Document<'_>, pieces: &[PageSection<'_>]) {
    let asked = &pieces[asking(pieces)];
    let failing = pieces.iter().filter(|piece| !piece.as_expected).count();
    match scenarios(document).len() {
        1 => write_verdict(out, document, pieces.len(), failing, asked.verdict),
        scenarios => write_tally(out, pieces.len(), failing, scenarios),
    }
    write_changes(out, document.result);
    // Of scenarios that are as expected none asks to be read.
    if failing > 0 || scenarios(document).len() == 1 {
        out.push_str(&paragraph("reason", &format!("{}: {}", asked.name, asked.reason)));
        out.push_str(&tried(asked));
    }
    let result = document.result;
    let names = document.names();
    let matrices = result.crash_matrices.iter().map(|matrix| matrix_row(matrix, names));
    let rows = result.trials.iter().map(|judgement| row(judgement, names)).chain(matrices);
    let mut rows: Vec<_> = (1..).zip(pieces.iter().zip(rows)).collect();
    // Those that are not as expected first; the order is that of the run otherwise.
    rows.sort_by_key(|(_, (piece, _))| piece.as_expected);
    let rows: Vec<Vec<String>> =
        rows.into_iter().map(|(number, (piece, row))| linked(number, piece, row)).collect();
    let head = HEAD.map(str::to_owned);
    out.push_str(&table("verdicts", "verdicts numbers", &head, &rows));
}

/// One change: what its trials come to.
fn write_verdict(
    out: &mut String,
    document: &Document<'_>,
    trials: usize,
    failing: usize,
    worst: Verdict,
) {
    let headline = match failing {
        0 => format!("All {trials} as expected"),
        n => format!("{n} of {trials} not as expected"),
    };
    let verdict = match document.result.changes.as_slice() {
        [change] => change.verdict,
        _ => worst,
    };
    let _ =
        writeln!(out, "<p class=\"verdict big v-{verdict}\">{verdict}</p>\n<h1>{headline}</h1>");
}

/// Several scenarios, of which some are meant to be unsafe: whether they came to what they expect.
fn write_tally(out: &mut String, trials: usize, failing: usize, scenarios: usize) {
    let (class, headline) = match failing {
        0 => ("v-safe", format!("{trials} of {trials} as expected")),
        n => ("v-unsafe", format!("{n} of {trials} not as expected")),
    };
    let _ = writeln!(
        out,
        "<p class=\"verdict big {class}\">{headline}</p>\n<h1>{trials} verdicts of {scenarios} \
         scenarios</h1>"
    );
}

/// The verdict of each change of which several trials were made, above those of the trials.
fn write_changes(out: &mut String, result: &ResultFile) {
    for change in several(result) {
        let expected = trial::expected_words(change.as_expected);
        let _ = writeln!(
            out,
            "<p class=\"change\"><b class=\"v-{verdict}\">{verdict}</b> {}, {} {expected}: {}</p>",
            text(&change.scenario),
            scope(result, change),
            text(&change.reason),
            verdict = change.verdict,
        );
        for finding in of_all(change) {
            out.push_str(&paragraph("dim", &finding.sentence));
        }
    }
}

/// What is accepted and accepts nothing.
fn write_acceptances(out: &mut String, result: &ResultFile) {
    for acceptance in result.changes.iter().flat_map(idle_acceptances) {
        let class = if acceptance.is_wrong() { "not-expected" } else { "dim" };
        out.push_str(&paragraph(class, &acceptance.sentence));
    }
}

fn linked(number: usize, piece: &PageSection<'_>, cells: [String; 9]) -> Vec<String> {
    let mut cells: Vec<String> = cells.iter().map(|cell| text(cell)).collect();
    cells[0] = format!("<b class=\"v-{verdict}\">{verdict}</b>", verdict = piece.verdict);
    cells[1] = format!("<a href=\"#trial-{number}\">{}</a>", cells[1]);
    if !piece.as_expected {
        cells[8] = "<strong class=\"not-expected\">no</strong>".to_owned();
    }
    cells
}

fn write_not_tried(out: &mut String, document: &Document<'_>) {
    let names = scenarios(document);
    out.push_str("<section class=\"not-tried\">\n<h2>Not tried</h2>\n");
    for name in &names {
        if names.len() > 1 {
            let _ = writeln!(out, "<h3>{}</h3>", text(name));
        }
        out.push_str(&list("facts", &not_tried(document, name)));
    }
    out.push_str("</section>\n");
}
