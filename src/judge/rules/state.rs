//! What is left afterwards: debris in the catalogue, writes against the ledger.

use std::collections::BTreeSet;

use crate::history::{AttemptEnd, CatalogueSnapshot, LedgerMismatch, LedgerReport, Mismatch};
use crate::result::evidence::{
    DebrisAfterRerun, Hidden, LeftInvalid, LeftNotValid, Leftovers, WrongWrites,
};
use crate::result::{Evidence as Shown, Finding, Subject};
use crate::scenario::Verdict;
use crate::schema::{Difference, Fingerprint};

use super::{Evidence, replaced};

/// Differences that are listed.
const LEFT_MAX: usize = 12;

pub fn debris(evidence: &Evidence<'_, '_>) -> Vec<Finding> {
    let before = names(evidence.trace.catalogue_before(), Fingerprint::invalid_indexes);
    let after_change = evidence.trace.catalogue_after_change();
    let last = evidence.trace.catalogues.last().copied();
    let new = |catalogue| -> BTreeSet<String> {
        names(catalogue, Fingerprint::invalid_indexes).difference(&before).cloned().collect()
    };
    let (first, left) = (new(after_change), new(last));
    let mut findings = Vec::new();
    for index in first.union(&left) {
        let stays = left.contains(index);
        let seen = if stays { last } else { after_change };
        findings.push(invalid_index(evidence, index, stays, seen));
    }
    let reported_success = evidence.trace.attempts.last().and_then(|a| a.end);
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

fn invalid_index(
    evidence: &Evidence<'_, '_>,
    index: &str,
    stays: bool,
    seen: Option<&CatalogueSnapshot>,
) -> Finding {
    let rerun = match (stays, evidence.trace.attempts.len()) {
        (true, 0 | 1) => DebrisAfterRerun::NotTried,
        (true, _) => DebrisAfterRerun::StillThere,
        (false, _) => DebrisAfterRerun::Repaired,
    };
    let properties = seen.and_then(|seen| seen.objects.get(&format!("index {index}")));
    let is = |name: &str| properties.and_then(|of| of.get(name)).map(|value| value == "true");
    let (ready, unique) = (is("indisready"), is("indisunique").unwrap_or(false));
    let shown = Shown::InvalidIndex(LeftInvalid { rerun, ready, unique });
    // What a rerun repairs is not left behind.
    let verdict = match rerun {
        DebrisAfterRerun::Repaired => Verdict::Bounded,
        DebrisAfterRerun::NotTried | DebrisAfterRerun::StillThere => Verdict::Unsafe,
    };
    Finding::new(verdict, Subject::relation(index), shown)
}

/// What attempts that failed have left, beside the objects that have a finding of their own. Of a
/// change that came to its end later, only what no clean run leaves.
pub fn left_behind(evidence: &Evidence<'_, '_>) -> Option<Finding> {
    let ends = evidence.trace.attempts.iter().map(|attempt| attempt.end);
    let failed = ends
        .filter(|end| matches!(end, Some(AttemptEnd::Failed { .. } | AttemptEnd::DeadlineExceeded)))
        .count() as u64;
    let (before, last) = evidence.trace.catalogue_before().zip(evidence.trace.catalogues.last())?;
    let fingerprint = |objects: &_| Fingerprint { objects: Clone::clone(objects) };
    let (before, last) = (fingerprint(&before.objects), fingerprint(&last.objects));
    let finished = evidence.first_success().is_some();
    let pending: Vec<String> = last
        .pending_detaches()
        .into_iter()
        .filter(|partition| !before.pending_detaches().contains(partition))
        .map(str::to_owned)
        .collect();
    let is_new = |index: &&str| !before.objects.contains_key(&format!("index {index}"));
    let duplicates = last.same_indexes().into_iter().filter(|same| same.iter().any(&is_new));
    let duplicates: Vec<Vec<String>> =
        duplicates.map(|same| same.into_iter().map(str::to_owned).collect()).collect();
    // An INVALID index has a finding of its own.
    let told = |difference: &Difference| {
        let index = difference.object.strip_prefix("index ").unwrap_or_default();
        difference.property == "detach pending"
            || last.invalid_indexes().contains(&index)
            || duplicates.iter().flatten().any(|known| known == index)
    };
    let others: Vec<Difference> =
        before.diff(&last).into_iter().filter(|difference| !told(difference)).collect();
    let differences = if finished { 0 } else { others.len() as u64 };
    let first = others.into_iter().take(if finished { 0 } else { LEFT_MAX }).collect();
    let decides = !pending.is_empty() || !duplicates.is_empty();
    if failed == 0 || !decides && differences == 0 {
        return None;
    }
    let left = Leftovers { failed, finished, pending, duplicates, first, differences };
    let verdict = if decides { Verdict::Unsafe } else { Verdict::Safe };
    Some(Finding::new(verdict, Subject::none(), Shown::LeftBehind(left)))
}

fn hidden(evidence: &Evidence<'_, '_>, index: &str) -> Finding {
    let skipped = evidence.trace.attempts.iter().rev().find_map(|attempt| {
        let ended = attempt.statements.iter().filter_map(|s| s.ended);
        let name = format!("\"{}\"", index.rsplit('.').next().unwrap_or(index));
        let skips = |n: &&String| n.contains("already exists, skipping") && n.contains(&name);
        ended.flat_map(|e| &e.notices).find(skips)
    });
    let shown = Shown::HiddenDebris(Hidden { notice: skipped.cloned() });
    Finding::new(Verdict::Unsafe, Subject::relation(index), shown)
}

/// A change that validates a constraint and did not get there leaves it NOT VALID. One that adds
/// it NOT VALID and stops at that has done what it says.
fn not_valid(evidence: &Evidence<'_, '_>) -> Vec<Finding> {
    let of = Fingerprint::not_valid_constraints;
    let before = names(evidence.trace.catalogue_before(), of);
    let left = names(evidence.trace.catalogues.last().copied(), of);
    let migrations = &evidence.scenario.change.migrations;
    let of_files = || migrations.iter().flat_map(|m| &m.script.statements).map(|s| &s.text);
    let attempts = &evidence.trace.attempts;
    let sent = || attempts.iter().flat_map(|a| &a.statements).map(|s| &s.began.text);
    let validates = |constraint: &str| {
        let name = constraint.rsplit(['.', ' ']).next().unwrap_or(constraint);
        of_files()
            .chain(sent())
            .any(|text| text.to_uppercase().contains("VALIDATE CONSTRAINT") && text.contains(name))
    };
    let new = left.difference(&before).filter(|constraint| validates(constraint));
    new.map(|constraint| {
        let left = LeftNotValid { constraint: constraint.clone() };
        Finding::new(Verdict::Unsafe, Subject::none(), Shown::NotValidConstraint(left))
    })
    .collect()
}

pub fn writes(evidence: &Evidence<'_, '_>) -> Vec<Finding> {
    let Some(ledger) = evidence.trace.ledger else { return Vec::new() };
    let lost = |m: &LedgerMismatch| m.kind.is_lost();
    let example = |wanted: bool| ledger.examples.iter().find(|m| lost(m) == wanted);
    let missing = example(true).map(|m| (m, Shown::LostWrite(wrong_writes(evidence, ledger, m))));
    let doubled =
        example(false).map(|m| (m, Shown::DoubledWrite(wrong_writes(evidence, ledger, m))));
    let finding = |(example, shown): (&LedgerMismatch, Shown)| {
        let subject = Subject {
            relation: Some(example.table.clone()),
            ..Subject::operation(example.operation.clone())
        };
        Finding::new(Verdict::Unsafe, subject, shown)
    };
    missing.into_iter().chain(doubled).map(finding).collect()
}

fn wrong_writes(
    evidence: &Evidence<'_, '_>,
    ledger: &LedgerReport,
    example: &LedgerMismatch,
) -> WrongWrites {
    WrongWrites {
        acknowledged: ledger.acknowledged,
        mismatches: ledger.mismatches,
        example: example.clone(),
        replaced: match example.kind {
            Mismatch::Lost => replaced::table(evidence, example),
            _ => None,
        },
    }
}
