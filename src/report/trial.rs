//! One trial for a terminal: the verdict, its reason, the findings with witnesses, the numbers.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};
use comfy_table::{CellAlignment, Table, presets};

use crate::clock::Micros;
use crate::history::exit_words;
use crate::judge::{CommandRow, Finding, Judgement, Measured, Origin, StatementRef, Witness};
use crate::pg::lex::one_line;
use crate::scenario::{State, Verdict};
use crate::stats::{Summary, grouped};

use super::sparkline::sparkline;
use super::statements::write_statements;
use super::text::{DIM, WIDTH, indent, labelled, paragraph};

/// Lines shown of what a command printed last.
const OUTPUT_LINES_MAX: usize = 15;
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

/// The whole text of a trial, with colour codes that the writer strips where nobody wants them.
pub fn trial(judgement: &Judgement) -> String {
    let mut out = String::new();
    let style = verdict_style(judgement.verdict);
    let verdict = judgement.verdict.as_str().to_uppercase();
    let expected = match judgement.as_expected {
        true => "as expected",
        false => "NOT AS EXPECTED",
    };
    let name = match judgement.trial.state == State::base().name {
        true => judgement.trial.scenario.clone(),
        false => format!("{} from {}", judgement.trial.scenario, judgement.trial.state),
    };
    let _ = writeln!(out, "{style}{verdict:<9}{style:#} {BOLD}{name}{BOLD:#}, {expected}");
    // The first finding says it again, with its witness.
    let told = judgement.findings.first().is_some_and(|f| f.sentence == judgement.reason);
    if !told {
        paragraph(&mut out, "  ", &judgement.reason);
    }
    for mismatch in &judgement.mismatches {
        paragraph(&mut out, "  ! ", mismatch);
    }
    let (told, notes): (Vec<_>, Vec<_>) =
        judgement.findings.iter().partition(|finding| finding.verdict > Verdict::Safe);
    told.into_iter().for_each(|finding| write_finding(&mut out, finding));
    notes.into_iter().for_each(|finding| write_note(&mut out, finding));
    write_command(&mut out, &judgement.measured.commands);
    out.push('\n');
    if judgement.measured.operations.scheduled > 0 {
        write_latency(&mut out, &judgement.measured);
        write_course(&mut out, &judgement.measured);
    }
    write_counts(&mut out, &judgement.measured);
    write_statements(&mut out, &judgement.measured.statements);
    out
}

fn write_finding(out: &mut String, finding: &Finding) {
    let style = verdict_style(finding.verdict);
    let _ = writeln!(out, "  {style}{}{style:#} ({})", finding.kind, finding.verdict);
    paragraph(out, "      ", &finding.sentence);
    if let Some(witness) = &finding.witness {
        write_witness(out, witness);
    }
    if let Some(remedy) = &finding.remedy {
        labelled(out, "instead", remedy);
    }
}

/// What decides nothing is told after what does, in one paragraph without colour.
fn write_note(out: &mut String, finding: &Finding) {
    let instead = finding.remedy.as_ref().map(|remedy| format!(". Instead: {remedy}"));
    let sentence = &finding.sentence;
    paragraph(
        out,
        "  note ",
        &format!("{}: {sentence}{}", finding.kind, instead.unwrap_or_default()),
    );
}

/// How the first attempt that failed ended, and the end of what it printed.
fn write_command(out: &mut String, commands: &[CommandRow]) {
    let Some(failed) = commands.iter().find(|command| command.exit_code != Some(0)) else {
        return;
    };
    let again = match failed.attempt {
        0 => String::new(),
        n => format!(" (rerun {n})"),
    };
    let exit = exit_words(failed.exit_code, failed.signal) + &again;
    let lines: Vec<&str> = failed.output.lines().collect();
    let shown = &lines[lines.len().saturating_sub(OUTPUT_LINES_MAX)..];
    let printed = match (shown.len(), failed.output_cut > 0 || shown.len() < lines.len()) {
        (0, _) => "; it printed nothing",
        (_, true) => "; the end of what it printed:",
        (_, false) => "; it printed:",
    };
    labelled(out, "command", &format!("{exit}{printed}"));
    for line in shown {
        let printable = |c: &char| !c.is_control();
        let line: String = line.chars().filter(printable).take(WIDTH - 18).collect();
        let _ = writeln!(out, "                {DIM}|{DIM:#} {line}");
    }
}

fn write_witness(out: &mut String, witness: &Witness) {
    let on = witness.relation.as_ref().map(|r| format!(" on {r}")).unwrap_or_default();
    let blocker = match &witness.held {
        Some(held) => format!("{} held {held}", witness.blocker),
        None => format!("{} was ahead in the queue", witness.blocker),
    };
    let sentence = format!(
        "at {} s {} asked for {}{on} and waited {}: {blocker}",
        seconds(witness.at_us),
        witness.waiter,
        witness.requested,
        witness.waited_us
    );
    labelled(out, "witness", &sentence);
    if let Some(during) = &witness.during {
        labelled(out, "during", &statement(during));
    }
    if let Some(taken_by) = &witness.taken_by {
        labelled(out, "taken by", &statement(taken_by));
    }
    if let Some(behind) = &witness.behind {
        labelled(out, "behind", behind);
    }
}

fn seconds(at: Micros) -> String {
    format!("{:.2}", at.as_secs_f64())
}

fn statement(statement: &StatementRef) -> String {
    let text = one_line(&statement.text);
    let place = match (&statement.file, statement.line) {
        (Some(file), Some(line)) => format!("{file}:{line}"),
        _ => match statement.origin {
            Origin::Command => "the command".to_owned(),
            Origin::File | Origin::Runner => "the runner".to_owned(),
        },
    };
    format!("{text} ({place}, {})", statement.took_us)
}

fn write_latency(out: &mut String, measured: &Measured) {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["latency", "p50", "p99", "max", "operations"]);
    let latency = &measured.latency;
    for (phase, summary) in [
        ("before", &latency.before),
        ("during", &latency.during),
        ("after", &latency.after),
        ("rerun", &latency.rerun),
    ] {
        table.add_row(latency_row(phase, summary));
    }
    for column in 1..=4 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    indent(out, &table);
}

fn write_course(out: &mut String, measured: &Measured) {
    if let Some((line, span)) = sparkline(measured) {
        let _ = writeln!(out, "  {line}\n  {DIM}{span}{DIM:#}");
    }
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

fn write_counts(out: &mut String, measured: &Measured) {
    if measured.operations.scheduled == 0 {
        paragraph(out, "  ", &format!("no application ran · change took {}", measured.change_us));
        return write_errors(out, measured);
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
        facts.push(format!("the tap's own looks took {took} ({share:.1} % of the change)"));
    }
    facts.push(match measured.recovery_us {
        Some(Micros::ZERO) => "recovered at once".to_owned(),
        Some(took) => format!("recovered within {took}"),
        None => "had not recovered at the end".to_owned(),
    });
    paragraph(out, "  ", &facts.join(" · "));
    write_errors(out, measured);
}

fn write_errors(out: &mut String, measured: &Measured) {
    let errors = |of: &std::collections::BTreeMap<String, u64>| -> String {
        of.iter().map(|(name, n)| format!("{name} × {n}")).collect::<Vec<_>>().join(", ")
    };
    for (whose, of) in
        [("change", &measured.change_errors), ("application", &measured.application_errors)]
    {
        if !of.is_empty() {
            paragraph(out, "  ", &format!("aborts of the {whose}: {}", errors(of)));
        }
    }
}
