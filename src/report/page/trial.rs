//! The section of a trial: its time axis, findings, tables, schema, environment, how to repeat it.

use std::fmt::Write;

use crate::history::exit_words;
use crate::report::Document;
use crate::report::bytes;
use crate::report::holds_for::holds_for;
use crate::report::server::notices;
use crate::report::statements::{is_shown, outcome_of, strongest, weightiest};
use crate::report::trial::{LATENCY_HEAD, counts, errors, latency_rows, place, witness_words};
use crate::result::{CommandRow, Finding, Measured, StatementRow, Witness};
use crate::scenario::{Scenario, Verdict};
use crate::stats::grouped;

use super::axis::axis;
use super::facts;
use super::html::{cut, list, paragraph, table, text};
use super::schema::schema;
use super::stall::{blamed, stalls};

/// Statements in the table; the rest are in result.json.
const STATEMENTS_MAX: usize = 60;
const STATEMENT_MAX: usize = 200;
const STATEMENT_HEAD: [&str; 7] =
    ["statement", "took", "rows", "WAL", "outcome", "then held", "timeouts in force"];

/// The begin of a section that can be closed.
pub fn heading(
    number: usize,
    verdict: Verdict,
    name: &str,
    expected: bool,
    shown: Shown,
) -> String {
    let open = if shown.open { " open" } else { "" };
    let alone = if shown.reason_shown { " alone" } else { "" };
    format!(
        "<section class=\"trial\" id=\"trial-{number}\">\n<details class=\"whole{alone}\"{open}>\n\
         <summary><span class=\"verdict v-{verdict}\">{verdict}</span> <h2>{}</h2> {}</summary>\n\
         <div class=\"body\">\n",
        text(name),
        expected_words(expected)
    )
}

pub fn expected_words(expected: bool) -> &'static str {
    match expected {
        true => "<span class=\"dim\">as expected</span>",
        false => "<strong class=\"not-expected\">not as expected</strong>",
    }
}

pub fn mismatches(mismatches: &[String]) -> String {
    list("mismatches", mismatches)
}

/// What the top of the page has shown already, and whether the section is open.
#[derive(Clone, Copy, Debug)]
pub struct Shown {
    pub open: bool,
    pub reason_shown: bool,
    pub analysis_shown: bool,
}

pub fn trial(document: &Document<'_>, index: usize, shown: Shown) -> String {
    let judgement = &document.result.trials[index];
    let (id, number) = (format!("trial-{}", index + 1), index + 1);
    let scenario = document.scenario(&judgement.trial.key.scenario);
    let expected = judgement.as_expected;
    let name = document.names().trial(&judgement.trial);
    let mut out = heading(number, judgement.verdict, &name, expected, shown);
    if !shown.reason_shown {
        out.push_str(&paragraph("reason", &judgement.reason));
        out.push_str(&mismatches(&judgement.mismatches));
    }
    let tried = holds_for(judgement);
    if !tried.is_empty() && !shown.reason_shown {
        out.push_str(&paragraph("dim", &format!("Tried: {tried}")));
    }
    if !shown.analysis_shown {
        out.push_str(&analysis(scenario.as_ref()));
    }
    match document.timeline(index) {
        Some(timeline) => {
            out.push_str("<h3>What happened when</h3>\n");
            out.push_str(&axis(&id, judgement, timeline, scenario.as_ref()));
            out.push_str(&stalls(&id, &timeline.stalls));
        }
        None => out.push_str(&paragraph(
            "dim",
            "The history of this trial is not there, so its timeline over time is not shown.",
        )),
    }
    out.push_str(&findings(&judgement.findings));
    out.push_str(&command(&judgement.measured.commands));
    out.push_str(&measured(&judgement.measured));
    out.push_str(&statements(&judgement.measured.statements));
    if let Some(timeline) = document.timeline(index) {
        out.push_str(&schema(&timeline.schema));
    }
    out.push_str(&facts::environment(judgement));
    out.push_str(&facts::limits(judgement, scenario.as_ref()));
    out.push_str(&repeat(document, number));
    out.push_str("</div></details></section>\n");
    out
}

/// Of one that only informs, the kind is not in a colour.
fn findings(findings: &[Finding]) -> String {
    let mut out = String::from("<h3>Findings</h3>\n");
    if findings.is_empty() {
        out.push_str(&paragraph("", "Nothing was found."));
    }
    for finding in findings {
        let (class, verdict) = match finding.verdict {
            Verdict::Safe => ("note".to_owned(), "note".to_owned()),
            verdict => (format!("v-{verdict}"), verdict.to_string()),
        };
        let _ = write!(
            out,
            "<article class=\"finding\"><h4><span class=\"{class}\">{}</span> \
             <span class=\"dim\">{verdict}</span></h4>\n{}",
            finding.kind,
            paragraph("", &finding.sentence)
        );
        if let Some(witness) = &finding.witness {
            out.push_str(&told_by(witness));
        }
        if let Some(remedy) = &finding.remedy {
            let _ = writeln!(out, "<p class=\"remedy\"><b>Instead</b> {}</p>", text(remedy));
        }
        out.push_str("</article>\n");
    }
    out
}

fn told_by(witness: &Witness) -> String {
    let mut out = String::from("<dl class=\"witness\">\n");
    let _ = writeln!(out, "<dt>witness</dt><dd>{}</dd>", text(&witness_words(witness)));
    if let Some(during) = &witness.during {
        out.push_str(&blamed("during", during));
    }
    if let Some(taken_by) = &witness.taken_by {
        out.push_str(&blamed("taken by", taken_by));
    }
    if let Some(behind) = &witness.behind {
        let _ = writeln!(out, "<dt>behind</dt><dd>{}</dd>", text(behind));
    }
    out.push_str("</dl>\n");
    out
}

/// How the first attempt that failed ended, with the end of its output.
fn command(commands: &[CommandRow]) -> String {
    let Some(failed) = commands.iter().find(|command| command.exit_code != Some(0)) else {
        return String::new();
    };
    let exit = exit_words(failed.exit_code, failed.signal);
    let whose = failed.runner.map_or_else(|| "It".to_owned(), |n| format!("Runner {n}"));
    let cut = match failed.output_cut {
        0 => String::new(),
        n => format!(", of which the first {} are not kept", bytes(n)),
    };
    format!(
        "<h3>The command</h3>\n{}<pre class=\"output\" tabindex=\"0\">{}</pre>\n",
        paragraph("", &format!("{whose} {exit}. What it printed{cut}:")),
        text(&failed.output)
    )
}

fn measured(measured: &Measured) -> String {
    let mut out = String::from("<h3>Measured</h3>\n");
    let counted: Vec<String> =
        counts(measured).into_iter().chain(errors(measured)).chain(notices(measured)).collect();
    out.push_str(&list("counts", &counted));
    if measured.operations.scheduled > 0 {
        let head = LATENCY_HEAD.map(str::to_owned);
        let rows: Vec<Vec<String>> = latency_rows(measured).map(Vec::from).into();
        out.push_str(&table("latency", "numbers", &head, &rows));
    }
    out
}

fn statements(statements: &[StatementRow]) -> String {
    let shown: Vec<&StatementRow> = statements.iter().filter(|row| is_shown(row)).collect();
    if shown.is_empty() {
        return String::new();
    }
    let rows: Vec<Vec<String>> =
        weightiest(&shown, STATEMENTS_MAX).into_iter().map(statement).collect();
    let head = STATEMENT_HEAD.map(str::to_owned);
    let mut out = String::from("<h3>Statements of the change</h3>\n");
    out.push_str(&table("statements", "statements", &head, &rows));
    if let Some(more) = shown.len().checked_sub(STATEMENTS_MAX).filter(|more| *more > 0) {
        let more = format!("and {} more, of less weight, in result.json", grouped(more as u64));
        out.push_str(&paragraph("dim", &more));
    }
    out
}

fn statement(row: &StatementRow) -> Vec<String> {
    let whose = row.statement.sent_by();
    let whose = whose.map_or_else(String::new, |w| format!("<span class=\"dim\">{w}</span> "));
    let outcome = match &row.error {
        None => "ok".to_owned(),
        Some(error) => {
            format!("<b class=\"v-unsafe\" title=\"{}\">{}</b>", text(error), text(outcome_of(row)))
        }
    };
    let rewritten = match row.rewritten.len() {
        0 => String::new(),
        _ => format!(", rewrote {}", text(&row.rewritten.join(" "))),
    };
    vec![
        format!(
            "{whose}<code>{}</code><br><span class=\"dim\">{}</span>",
            text(&cut(row.statement.text.trim(), STATEMENT_MAX)),
            text(&place(&row.statement))
        ),
        row.statement.took_us.to_string(),
        row.rows.map_or_else(|| "-".to_owned(), grouped),
        row.wal_bytes.map_or_else(|| "-".to_owned(), bytes),
        format!("{outcome}{rewritten}"),
        text(&strongest(&row.held)),
        text(&row.timeouts.to_string()),
    ]
}

/// The command that runs it again.
pub fn repeat(document: &Document<'_>, number: usize) -> String {
    let Some(command) = document.repro(number) else { return String::new() };
    format!("<h3>Again</h3>\n<pre class=\"command\" tabindex=\"0\">{}</pre>\n", text(&command))
}

/// The paragraphs of a scenario's analysis.
pub fn analysis(scenario: Option<&Scenario>) -> String {
    let paragraphs = scenario.iter().flat_map(|scenario| scenario.analysis.split("\n\n"));
    let rendered = paragraphs.filter(|raw| !raw.trim().is_empty()).map(|raw| {
        let words: Vec<&str> = raw.split_whitespace().collect();
        paragraph("", &words.join(" "))
    });
    let rendered: String = rendered.collect();
    match rendered.is_empty() {
        true => rendered,
        false => format!("<div class=\"analysis\">\n{rendered}</div>\n"),
    }
}
