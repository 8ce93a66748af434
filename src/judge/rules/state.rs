//! What is left afterwards: debris in the catalogue, writes against the ledger.

use std::collections::BTreeSet;

use crate::history::{AttemptEnd, CatalogueSnapshot, LedgerMismatch, LedgerReport, Mismatch};
use crate::result::Finding;
use crate::scenario::{FindingKind, Verdict};
use crate::schema::Fingerprint;

use super::words::count;
use super::{Evidence, finding};

pub fn debris(evidence: &Evidence<'_, '_>) -> Vec<Finding> {
    let before = names(evidence.timeline.catalogue_before(), Fingerprint::invalid_indexes);
    let after_change = evidence.timeline.catalogue_after_change();
    let last = evidence.timeline.catalogues.last().copied();
    let new = |catalogue| -> BTreeSet<String> {
        names(catalogue, Fingerprint::invalid_indexes).difference(&before).cloned().collect()
    };
    let (first, left) = (new(after_change), new(last));
    let mut findings = Vec::new();
    for index in first.union(&left) {
        findings.push(invalid_index(evidence, index, left.contains(index)));
    }
    let reported_success = evidence.timeline.attempts.last().and_then(|a| a.end);
    if let (Some(AttemptEnd::Finished { .. }), Some(index)) = (reported_success, left.first()) {
        findings.push(hidden(evidence, index));
    }
    findings.extend(not_valid(evidence));
    findings
}

fn names(
    catalogue: Option<&CatalogueSnapshot>,
    of: impl for<'f> Fn(&'f Fingerprint) -> Vec<&'f str>,
) -> BTreeSet<String> {
    let Some(catalogue) = catalogue else { return BTreeSet::new() };
    let fingerprint = Fingerprint { objects: catalogue.objects.clone() };
    of(&fingerprint).into_iter().map(str::to_owned).collect()
}

fn invalid_index(evidence: &Evidence<'_, '_>, index: &str, stays: bool) -> Finding {
    let fate = match (stays, evidence.timeline.attempts.len()) {
        (true, 0 | 1) => "",
        (true, _) => ", and applying the change again did not repair it",
        (false, _) => "; applying the change again repaired it",
    };
    let sentence = format!(
        "index {index} was left INVALID: writes maintain it (a unique one is enforced), reads \
         never use it{fate}"
    );
    let mut invalid = finding(FindingKind::InvalidIndex, Verdict::Unsafe, sentence);
    invalid.remedy = Some(format!(
        "DROP INDEX CONCURRENTLY {index} before building it again; IF NOT EXISTS looks at the name \
         only"
    ));
    invalid
}

fn hidden(evidence: &Evidence<'_, '_>, index: &str) -> Finding {
    let skipped = evidence.timeline.attempts.iter().rev().find_map(|attempt| {
        let ended = attempt.statements.iter().filter_map(|s| s.ended);
        let name = format!("\"{}\"", index.rsplit('.').next().unwrap_or(index));
        let skips = |n: &&String| n.contains("already exists, skipping") && n.contains(&name);
        ended.flat_map(|e| &e.notices).find(skips)
    });
    let how = skipped.map_or_else(String::new, |notice| {
        format!(": IF NOT EXISTS took it for the index that was wanted ({notice})")
    });
    let sentence = format!("the rerun reported success although index {index} is INVALID{how}");
    finding(FindingKind::HiddenDebris, Verdict::Unsafe, sentence)
}

/// A change that validates a constraint and did not get there leaves it NOT VALID. One that adds
/// it NOT VALID and stops at that has done what it says.
fn not_valid(evidence: &Evidence<'_, '_>) -> Vec<Finding> {
    let of = Fingerprint::not_valid_constraints;
    let before = names(evidence.timeline.catalogue_before(), of);
    let left = names(evidence.timeline.catalogues.last().copied(), of);
    let migrations = &evidence.scenario.change.migrations;
    let of_files = || migrations.iter().flat_map(|m| &m.script.statements).map(|s| &s.text);
    let attempts = &evidence.timeline.attempts;
    let sent = || attempts.iter().flat_map(|a| &a.statements).map(|s| &s.began.text);
    let validates = |constraint: &str| {
        let name = constraint.rsplit(['.', ' ']).next().unwrap_or(constraint);
        of_files()
            .chain(sent())
            .any(|text| text.to_uppercase().contains("VALIDATE CONSTRAINT") && text.contains(name))
    };
    let new = left.difference(&before).filter(|constraint| validates(constraint));
    new.map(|constraint| {
        let sentence =
            format!("constraint {constraint} was left NOT VALID, though the change validates it");
        finding(FindingKind::NotValidConstraint, Verdict::Unsafe, sentence)
    })
    .collect()
}

pub fn writes(evidence: &Evidence<'_, '_>) -> Vec<Finding> {
    let Some(ledger) = evidence.timeline.ledger else { return Vec::new() };
    let lost = |m: &LedgerMismatch| matches!(m.kind, Mismatch::Lost | Mismatch::Overwritten { .. });
    let mut findings = Vec::new();
    if let Some(example) = ledger.examples.iter().find(|m| lost(m)) {
        findings.push(wrong_write(FindingKind::LostWrite, ledger, example));
    }
    if let Some(example) = ledger.examples.iter().find(|m| !lost(m)) {
        findings.push(wrong_write(FindingKind::DoubledWrite, ledger, example));
    }
    findings
}

fn wrong_write(kind: FindingKind, ledger: &LedgerReport, example: &LedgerMismatch) -> Finding {
    let LedgerMismatch { operation, table, key, kind: mismatch } = example;
    let fate = match mismatch {
        Mismatch::Lost => "was acknowledged and is not there".to_owned(),
        Mismatch::Doubled { times } => format!("is there {times} times"),
        Mismatch::Unacknowledged => "is there although it was reported as failed".to_owned(),
        Mismatch::Overwritten { column, expected, found } => format!(
            "has {column} = {} where {expected:?} was acknowledged last",
            found.as_ref().map_or("NULL".to_owned(), |found| format!("{found:?}"))
        ),
    };
    let sentence = format!(
        "{} of {} acknowledged disagree with the tables; {table} {key} ({operation}) {fate}",
        count(ledger.mismatches, "write"),
        ledger.acknowledged
    );
    finding(kind, Verdict::Unsafe, sentence)
}
