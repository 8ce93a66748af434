//! What the trials show of what a rule warns of.

use crate::clock::Micros;
use crate::pg::StatementPlace;
use crate::pg::facts::RelationName;
use crate::result::evidence::OperationFailure;
use crate::result::{Evidence, Finding, Judgement, LintStanding, StatementRef, StatementRow};
use crate::scenario::{FindingKind, Verdict};

use super::rules::Concern;

pub fn standing<'j>(
    concern: Concern,
    statement: &StatementRef,
    trials: &[&'j Judgement],
) -> LintStanding {
    let place = &statement.place();
    let findings = || {
        let of = |judgement: &'j Judgement| judgement.findings.iter().map(move |f| (judgement, f));
        trials.iter().copied().flat_map(of)
    };
    let shown = match concern {
        Concern::Lock => findings().find(|(_, f)| is_wait(f) && is_about(f, place)),
        Concern::Compatibility => findings().find(|(_, f)| is_incompatible(f, &statement.text)),
        Concern::Refusal => findings().find(|(_, f)| is_refusal(f.kind) && is_about(f, place)),
        Concern::Timeout => findings().find(|(_, f)| f.kind == FindingKind::NoTimeout),
    };
    if let Some((judgement, finding)) = shown {
        return LintStanding::Confirmed { by: finding.kind, waited_us: waited(judgement, finding) };
    }
    let rows: Vec<(&Judgement, &StatementRow)> = trials
        .iter()
        .flat_map(|judgement| {
            judgement.measured.statements.iter().map(move |row| (*judgement, row))
        })
        .filter(|(_, row)| row.statement.place() == *place)
        .collect();
    let took_us = rows.iter().map(|(_, row)| row.statement.took_us).max().unwrap_or_default();
    let largest = rows.iter().filter_map(|(judgement, row)| largest(judgement, row));
    let largest = largest.max_by_key(|(_, rows)| *rows);
    let application = trials.iter().any(|judgement| judgement.measured.operations.scheduled > 0);
    match (concern, largest) {
        (Concern::Refusal | Concern::Timeout, _) => {
            LintStanding::Refuted { took_us, relation: None, rows: 0 }
        }
        (Concern::Lock | Concern::Compatibility, Some((relation, rows))) if application => {
            LintStanding::Refuted { took_us, relation: Some(relation), rows }
        }
        (Concern::Lock | Concern::Compatibility, _) => LintStanding::NotExercised,
    }
}

/// The largest table with rows that the statement locked or wrote anew.
fn largest(judgement: &Judgement, row: &StatementRow) -> Option<(String, u64)> {
    let touched = row.held.iter().chain(&row.taken).map(|lock| lock.relation.as_str());
    let touched: Vec<RelationName> = touched
        .chain(row.rewritten.iter().map(String::as_str))
        .map(RelationName::unquoted)
        .collect();
    let sizes = judgement.trial.sizes.iter().filter(|(table, rows)| {
        let table = RelationName::of(table);
        **rows > 0 && touched.iter().any(|relation| relation.may_be(&table))
    });
    sizes.max_by_key(|(_, rows)| **rows).map(|(table, rows)| (table.clone(), *rows))
}

/// By the statement itself, or by one that ran while its lock was held.
fn is_about(finding: &Finding, place: &StatementPlace) -> bool {
    let witness = finding.witness.as_ref();
    let of_witness = witness.into_iter().flat_map(|w| w.during.iter().chain(&w.taken_by));
    let mut statements = of_witness.chain(&finding.subject.statement);
    statements.any(|statement| statement.place() == *place)
}

fn is_wait(finding: &Finding) -> bool {
    finding.verdict > Verdict::Safe
        && matches!(finding.kind, FindingKind::Stall | FindingKind::LockTimeout)
}

/// An operation that failed over something that the statement names.
fn is_incompatible(finding: &Finding, text: &str) -> bool {
    let failed = match &finding.evidence {
        Some(Evidence::OperationFailed(failed)) => &failed.causes,
        _ => return false,
    };
    let messages = failed.iter().filter_map(|cause| match &cause.failure {
        OperationFailure::Error(error) => Some(error.message.as_str()),
        OperationFailure::Indeterminate(_) | OperationFailure::Unanswered => None,
    });
    // The server names what it misses between quotes: column "total" does not exist.
    let mut named = messages.flat_map(|message| message.split('"').skip(1).step_by(2));
    finding.verdict > Verdict::Safe && named.any(|name| text.contains(name))
}

fn is_refusal(kind: FindingKind) -> bool {
    matches!(kind, FindingKind::ConcurrentlyInTransaction | FindingKind::ChangeFailed)
}

/// Of a finding about a wait.
fn waited(judgement: &Judgement, finding: &Finding) -> Option<Micros> {
    let longest = judgement.measured.longest_stall_us;
    (finding.kind == FindingKind::Stall && longest > Micros::ZERO).then_some(longest)
}
