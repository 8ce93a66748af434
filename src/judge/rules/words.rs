//! Sentences that several rules share.

use crate::clock::Micros;
use crate::history::AttemptEnd;
use crate::pg::lex::one_line;
use crate::result::{Finding, StatementRef};
use crate::scenario::Verdict;
use crate::stats::grouped;

use super::super::blame::statement_ref;
use super::super::sessions::Transaction;
use super::super::trace::{AttemptRecord, StatementRecord};
use super::Evidence;

/// Characters of a statement that a sentence quotes.
const QUOTED_MAX: usize = 70;

/// `1 operation`, `3,210 operations`.
pub fn count(n: u64, noun: &str) -> String {
    let plural = if n == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", grouped(n))
}

/// `1, 2`, or `none`.
pub fn listed(versions: &[String]) -> String {
    match versions.is_empty() {
        true => "none".to_owned(),
        false => versions.join(", "),
    }
}

/// `UPDATE spans SET … (57c5-original.sql:4)`.
pub fn statement_words(statement: &StatementRef) -> String {
    let text = one_line(&statement.text);
    let quoted = match text.char_indices().nth(QUOTED_MAX) {
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
        None => text,
    };
    match (&statement.file, statement.line) {
        (Some(file), Some(line)) => {
            let name = file.rsplit('/').next().unwrap_or(file);
            format!("{quoted} ({name}:{line})")
        }
        _ => quoted,
    }
}

/// A statement that is not in a finding otherwise.
pub fn record_words(evidence: &Evidence<'_, '_>, record: &StatementRecord<'_>) -> String {
    statement_words(&statement_ref(record, evidence.timeline.end))
}

/// `the transaction that began with SET lock_timeout = '3s'`.
pub fn transaction_words(
    evidence: &Evidence<'_, '_>,
    transaction: &Transaction<'_, '_, '_>,
) -> String {
    let first = record_words(evidence, transaction.known_by());
    format!("the transaction that began with {first}")
}

/// Who applies the change.
pub fn actor(evidence: &Evidence<'_, '_>) -> &'static str {
    match evidence.is_command() {
        true => "the command",
        false => "the change",
    }
}

/// The verdict's reason in one sentence.
pub fn reason(evidence: &Evidence<'_, '_>, verdict: Verdict, findings: &[Finding]) -> String {
    let worst = findings.iter().find(|f| f.verdict == verdict);
    match (verdict, worst) {
        (Verdict::Safe, _) | (_, None) => safe_reason(evidence),
        (Verdict::Bounded, Some(_)) => bounded_reason(evidence),
        (_, Some(finding)) => finding.sentence.clone(),
    }
}

fn bounded_reason(evidence: &Evidence<'_, '_>) -> String {
    let waited = match evidence.measured.longest_stall_us {
        Micros::ZERO => "no operation was seen waiting for the change".to_owned(),
        longest => format!("operations waited for the change no longer than {longest}"),
    };
    let runners = evidence.scenario.change.runners;
    let end = match evidence.first_success() {
        Some(attempt) if attempt < runners && runners > 1 => {
            format!("{runners} runners started at once, and runner {} finished", attempt + 1)
        }
        Some(0) => "it finished within its own timeouts".to_owned(),
        Some(attempt) => {
            format!("it gave up within its own timeouts, and attempt {} succeeded", attempt + 1)
        }
        None => "it gave up within its own timeouts".to_owned(),
    };
    format!("{waited}; {end}; nothing was left behind")
}

/// What applying the finished change again showed.
fn rerun_words(evidence: &Evidence<'_, '_>) -> &'static str {
    let attempts = &evidence.timeline.attempts;
    let finished = attempts.iter().rev().find_map(|a| match a.end {
        Some(AttemptEnd::Finished { applied }) => Some((a, *applied)),
        _ => None,
    });
    let Some((attempt, applied)) = finished.filter(|_| attempts.len() > 1) else { return "" };
    match (applied, ran_nothing(attempt)) {
        (Some(0), true) => ", a rerun found every version applied and ran nothing",
        (None, true) => ", a rerun ran nothing that changes anything",
        _ => ", a rerun succeeded and left the schema as it was",
    }
}

/// Whether no statement of the attempt changed anything; whatever it read and set up.
fn ran_nothing(attempt: &AttemptRecord<'_>) -> bool {
    !attempt.statements.iter().any(StatementRecord::changed_something)
}

fn safe_reason(evidence: &Evidence<'_, '_>) -> String {
    let measured = evidence.measured;
    let stalled = match measured.stalled_operations {
        _ if evidence.begins_empty() => {
            return format!(
                "the change finished on a database without tables{}{}",
                converged_words(evidence),
                rerun_words(evidence)
            );
        }
        0 => "no operation was seen waiting for the change".to_owned(),
        n => format!(
            "{} waited for the change, at most {}",
            count(n, "operation"),
            measured.longest_stall_us
        ),
    };
    let ledger = match &measured.ledger {
        Some(ledger) => {
            format!(", all {} are in the tables", count(ledger.acknowledged, "acknowledged write"))
        }
        None => String::new(),
    };
    let (converged, rerun) = (converged_words(evidence), rerun_words(evidence));
    format!("{stalled} (limit {}){ledger}{converged}{rerun}", evidence.stall_limit())
}

/// Where there is a reference to compare with, and nothing was found against it.
fn converged_words(evidence: &Evidence<'_, '_>) -> String {
    match evidence.timeline.reference {
        Some(reference) => format!(", the schema is that from {}", reference.state),
        None => String::new(),
    }
}
