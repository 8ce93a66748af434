//! Sentences that several rules share.

use crate::clock::Micros;
use crate::history::AttemptEnd;
use crate::scenario::Verdict;
use crate::stats::grouped;

use super::super::judgement::{Finding, StatementRef};
use super::Evidence;

/// Characters of a statement that a sentence quotes.
const QUOTED_MAX: usize = 70;

/// `1 operation`, `3,210 operations`.
pub fn count(n: u64, noun: &str) -> String {
    let plural = if n == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", grouped(n))
}

/// `UPDATE spans SET … (57c5-original.sql:4)`.
pub fn statement_words(statement: &StatementRef) -> String {
    let text: String = statement.text.split_whitespace().collect::<Vec<_>>().join(" ");
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
    let end = match evidence.first_success() {
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
    let finished = evidence.timeline.attempts.iter().rev().find_map(|a| match a.end {
        Some(AttemptEnd::Finished { applied }) => Some(*applied),
        _ => None,
    });
    match (evidence.timeline.attempts.len(), finished) {
        (0 | 1, _) | (_, None) => "",
        (_, Some(Some(0))) => ", a rerun found every version applied and ran nothing",
        (_, Some(_)) => ", a rerun succeeded and left the schema as it was",
    }
}

fn safe_reason(evidence: &Evidence<'_, '_>) -> String {
    let measured = evidence.measured;
    let stalled = match measured.stalled_operations {
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
    let rerun = rerun_words(evidence);
    format!("{stalled} (limit {}){ledger}{rerun}", evidence.stall_limit())
}
