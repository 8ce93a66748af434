//! One trial for a terminal: the verdict, its reason, the findings with witnesses, the numbers.

use anstyle::{AnsiColor, Style};

use crate::clock::Micros;
use crate::history::exit_words;
use crate::pg::lex::one_line;
use crate::result::{
    CommandRow, Finding, Judgement, Measured, Origin, ReplicaMeasured, StatementRef, Witness,
};
use crate::scenario::Verdict;
use crate::stats::{Summary, bytes, grouped};

use super::grid::{Column, Grid};
use super::holds_for::holds_for;
use super::names::Names;
use super::server::{log_differs, notices};
use super::sparkline::sparkline;
use super::statements::write_statements;
use super::text::{DIM, Text, Width, rows_of};

/// Lines shown of what a command printed last.
const OUTPUT_LINES_MAX: usize = 15;
/// Rows that they take.
const OUTPUT_ROWS_MAX: usize = 60;
/// Columns before each.
const OUTPUT_LEAD: usize = 18;
const BOLD: Style = Style::new().bold();

pub fn verdict_style(verdict: Verdict) -> Style {
    let colour = match verdict {
        Verdict::Safe => AnsiColor::Green,
        Verdict::Bounded => AnsiColor::Yellow,
        Verdict::Unproven => AnsiColor::Magenta,
        Verdict::Unsafe => AnsiColor::Red,
    };
    Style::new().bold().fg_color(Some(colour.into()))
}

/// The whole text of a trial, with colour codes that the writer strips where they are not wanted.
pub fn trial(judgement: &Judgement, width: Width) -> String {
    let mut out = Text::new(width);
    let style = verdict_style(judgement.verdict);
    let verdict = judgement.verdict.as_str().to_uppercase();
    let expected = match judgement.as_expected {
        true => "as expected",
        false => "NOT AS EXPECTED",
    };
    let name = Names::default().trial(&judgement.trial);
    let head = format!("{style}{verdict:<9}{style:#} ");
    out.paragraph(&head, &format!("{BOLD}{name}{BOLD:#}, {expected}"));
    // Of these verdicts the first finding is the reason, and has a witness besides.
    let is_a_finding = matches!(judgement.verdict, Verdict::Unsafe | Verdict::Unproven);
    if !is_a_finding || judgement.findings.is_empty() {
        out.paragraph("  ", &judgement.reason);
    }
    let tried = holds_for(judgement);
    if !tried.is_empty() {
        out.paragraph("  ", &format!("tried: {tried}"));
    }
    for mismatch in &judgement.mismatches {
        out.paragraph("  ! ", mismatch);
    }
    let (decided, notes): (Vec<_>, Vec<_>) =
        judgement.findings.iter().partition(|finding| finding.verdict > Verdict::Safe);
    decided.into_iter().for_each(|finding| write_finding(&mut out, finding));
    notes.into_iter().for_each(|finding| write_note(&mut out, finding));
    write_command(&mut out, &judgement.measured.commands);
    if let Some(applied) = &judgement.trial.applied {
        out.paragraph("  ", &format!("migrations of {applied}"));
    }
    if let Some(roles) = &judgement.trial.roles {
        out.paragraph("  ", &roles.to_string());
    }
    out.blank();
    if judgement.measured.operations.scheduled > 0 {
        write_latency(&mut out, &judgement.measured);
        write_course(&mut out, &judgement.measured);
    }
    write_counts(&mut out, &judgement.measured);
    write_statements(&mut out, &judgement.measured.statements);
    out.into_string()
}

fn write_finding(out: &mut Text, finding: &Finding) {
    let style = verdict_style(finding.verdict);
    out.line(&format!("  {style}{}{style:#} ({})", finding.kind, finding.verdict));
    out.paragraph("      ", &finding.sentence);
    if let Some(witness) = &finding.witness {
        write_witness(out, witness);
    }
    if let Some(remedy) = &finding.remedy {
        out.labelled("instead", remedy);
    }
}

/// What decides nothing is shown after what does, in one paragraph without colour.
fn write_note(out: &mut Text, finding: &Finding) {
    let instead = finding.remedy.as_ref().map(|remedy| format!(". Instead: {remedy}"));
    let sentence = &finding.sentence;
    out.paragraph(
        "  note ",
        &format!("{}: {sentence}{}", finding.kind, instead.unwrap_or_default()),
    );
}

/// How the first attempt that failed ended, and the end of what it printed.
pub(super) fn write_command(out: &mut Text, commands: &[CommandRow]) {
    let Some(failed) = commands.iter().find(|command| command.exit_code != Some(0)) else {
        return;
    };
    let again = match (failed.runner, failed.attempt) {
        (Some(runner), _) => format!(" (runner {runner})"),
        (None, 0) => String::new(),
        (None, _) => " (a rerun)".to_owned(),
    };
    let exit = exit_words(failed.exit_code, failed.signal) + &again;
    let lines: Vec<&str> = failed.output.lines().collect();
    let shown = &lines[lines.len().saturating_sub(OUTPUT_LINES_MAX)..];
    let room = out.width.columns() - OUTPUT_LEAD;
    let printable = |line: &str| line.chars().filter(|c| !c.is_control()).collect::<String>();
    let rows: Vec<String> = shown.iter().flat_map(|line| rows_of(&printable(line), room)).collect();
    let rows_left_out = rows.len().saturating_sub(OUTPUT_ROWS_MAX);
    let cut = failed.output_cut > 0 || shown.len() < lines.len() || rows_left_out > 0;
    let printed = match (shown.len(), cut) {
        (0, _) => "; it printed nothing",
        (_, true) => "; the end of what it printed:",
        (_, false) => "; it printed:",
    };
    out.labelled("command", &format!("{exit}{printed}"));
    for row in &rows[rows_left_out..] {
        out.line(&format!("                {DIM}|{DIM:#} {row}"));
    }
}

fn write_witness(out: &mut Text, witness: &Witness) {
    out.labelled("witness", &witness_words(witness));
    if let Some(during) = &witness.during {
        out.labelled("during", &statement(during));
    }
    if let Some(taken_by) = &witness.taken_by {
        out.labelled("taken by", &statement(taken_by));
    }
    if let Some(behind) = &witness.behind {
        out.labelled("behind", behind);
    }
}

/// Who asked for what, and who was in the way.
pub(super) fn witness_words(witness: &Witness) -> String {
    let on = witness.relation.as_ref().map(|r| format!(" on {r}")).unwrap_or_default();
    let blocker = match &witness.held {
        Some(held) => format!("{} held {held}", witness.blocker),
        None => format!("{} was ahead in the queue", witness.blocker),
    };
    format!(
        "at {} s {} asked for {}{on} and waited {}: {blocker}",
        seconds(witness.at_us),
        witness.waiter,
        witness.requested,
        witness.waited_us
    )
}

pub(super) fn seconds(at: Micros) -> String {
    format!("{:.2}", at.as_secs_f64())
}

fn statement(statement: &StatementRef) -> String {
    let text = one_line(&statement.text);
    format!("{text} ({}, {})", sent_from(statement), statement.took_us)
}

/// Of which runner or rerun it is, and where.
pub(super) fn sent_from(statement: &StatementRef) -> String {
    let by = statement.sent_by().map(|by| format!("{by}, ")).unwrap_or_default();
    format!("{by}{}", place(statement))
}

/// Where it is, or who sent it.
pub(super) fn place(statement: &StatementRef) -> String {
    match (&statement.file, statement.line) {
        (Some(file), Some(line)) => format!("{file}:{line}"),
        _ => match statement.origin {
            Origin::Command => "the command".to_owned(),
            Origin::File | Origin::Runner => "the runner".to_owned(),
        },
    }
}

fn write_latency(out: &mut Text, measured: &Measured) {
    use Column::{Number, Word};
    let mut grid = Grid::new(3, &[Word, Number, Number, Number, Number], LATENCY_HEAD);
    latency_rows(measured).into_iter().for_each(|row| grid.row(row));
    grid.write(out);
}

fn write_course(out: &mut Text, measured: &Measured) {
    if let Some((line, span)) = sparkline(measured) {
        out.line(&format!("  {line}"));
        out.paragraph("  ", &format!("{DIM}{span}{DIM:#}"));
    }
}

pub(super) const LATENCY_HEAD: [&str; 5] = ["latency", "p50", "p99", "max", "operations"];

pub(super) fn latency_rows(measured: &Measured) -> [[String; 5]; 4] {
    let latency = &measured.latency;
    [
        latency_row("before", &latency.before),
        latency_row("during", &latency.during),
        latency_row("after", &latency.after),
        latency_row("rerun", &latency.rerun),
    ]
}

fn latency_row(phase: &str, summary: &Summary) -> [String; 5] {
    let time = |time: Micros| match summary.count {
        0 => "-".to_owned(),
        _ => time.to_string(),
    };
    [
        phase.to_owned(),
        time(summary.p50_us),
        time(summary.p99_us),
        time(summary.max_us),
        grouped(summary.count),
    ]
}

fn write_counts(out: &mut Text, measured: &Measured) {
    out.paragraph("  ", &counts(measured).join(" · "));
    errors(measured).iter().for_each(|error| out.paragraph("  ", error));
    if let Some(differs) = measured.log.as_ref().and_then(log_differs) {
        out.paragraph("  ", &differs);
    }
    notices(measured).iter().for_each(|notice| out.paragraph("  ", notice));
}

/// What was counted and how long it lasted, each in a few words.
pub(super) fn counts(measured: &Measured) -> Vec<String> {
    if measured.operations.scheduled == 0 {
        let took = format!("change took {}", measured.change_us);
        return vec!["no application ran".to_owned(), took];
    }
    let mut facts = vec![
        format!("longest stall {}", measured.longest_stall_us),
        format!("worst queue {}", grouped(measured.queue_max)),
        format!("acquire timeouts {}", grouped(measured.operations.acquire_timeouts)),
        format!("pool exhausted {}", measured.exhausted_us),
        format!("change took {}", measured.change_us),
    ];
    if measured.paused_us > Micros::ZERO {
        let share = 100.0 * measured.paused_us.as_secs_f64()
            / measured.change_us.as_secs_f64().max(f64::MIN_POSITIVE);
        let took = measured.paused_us;
        facts.push(format!("tap overhead: {took} ({share:.1} % of the change)"));
    }
    facts.extend(measured.replica.as_ref().map(standby));
    facts.push(match measured.recovery_us {
        Some(Micros::ZERO) => "recovered at once".to_owned(),
        Some(took) => format!("recovered within {took}"),
        None => "had not recovered at the end".to_owned(),
    });
    if let Some(cost) = &measured.contents {
        let tables = if cost.tables == 1 { "table" } else { "tables" };
        let (read, took) = (grouped(cost.tables), cost.took_us);
        facts.push(format!("{read} {tables} compared with before in {took}"));
    }
    facts
}

fn standby(of: &ReplicaMeasured) -> String {
    let mut text =
        format!("standby at most {} and {} behind", of.lag_us_max, bytes(of.lag_bytes_max));
    if of.waited > 0 {
        let waited = grouped(of.waited);
        text += &format!(", {waited} reads waited up to {}", of.longest_wait_us);
    }
    if of.cancelled > 0 {
        text += &format!(", {} cancelled", grouped(of.cancelled));
    }
    text
}

/// What was aborted, of the change and of the application.
pub(super) fn errors(measured: &Measured) -> Vec<String> {
    let errors = |of: &std::collections::BTreeMap<String, u64>| -> String {
        of.iter().map(|(name, n)| format!("{name} × {n}")).collect::<Vec<_>>().join(", ")
    };
    [("change", &measured.change_errors), ("application", &measured.application_errors)]
        .into_iter()
        .filter(|(_, of)| !of.is_empty())
        .map(|(whose, of)| format!("aborts of the {whose}: {}", errors(of)))
        .collect()
}
