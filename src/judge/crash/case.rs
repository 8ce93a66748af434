//! What came of one fault: from the history of its case to an outcome.

use std::collections::BTreeMap;

use crate::clock::Micros;
use crate::history::{
    AttemptEnd, CatalogueSnapshot, Contents, History, InvariantRead, LedgerMismatch, Mismatch,
    Reference, ServerError, StepEvent,
};
use crate::pg::{StatementKey, StatementPlace};
use crate::result::Case;
use crate::scenario::{Outcome, Rows, Scenario};
use crate::schema::{Difference, Fingerprint};
use crate::trial::{Fault, FaultKind};

use super::super::measure::error_name;
use super::super::trace::{AttemptRecord, StatementRecord, Trace};

/// Most differences of a case.
const DIFFERENCES_MAX: usize = 20;

/// Judges a case; None: the history is of a trial without a fault. It holds the reference, the
/// attempt with the fault, and at least one rerun.
pub fn case(scenario: &Scenario, history: &History) -> Option<Case> {
    let fault = history.header.trial.fault.clone()?;
    let timeline = Trace::of(history);
    let judged = Judged { scenario, timeline: &timeline };
    let (seen, (outcome, sentence, differences)) = match judged.not_injected(&fault) {
        Some(why) => (String::new(), (None, why, Vec::new())),
        None => (judged.seen(&fault), judged.outcome()),
    };
    // An injected fault whose rerun was cut off is a case without an outcome.
    let cut_off = !seen.is_empty() && outcome.is_none() && judged.cut_off().is_some();
    let broken = judged.broken().is_some() || cut_off;
    let not_compared = judged.not_compared();
    let reruns = timeline.attempts.iter().filter(|a| a.attempt > 0).count() as u32;
    let took_us = timeline.end;
    let case =
        Case { fault, outcome, seen, sentence, differences, broken, not_compared, reruns, took_us };
    Some(case)
}

struct Judged<'j, 'h> {
    scenario: &'j Scenario,
    timeline: &'j Trace<'h>,
}

type Found = (Option<Outcome>, String, Vec<Difference>);

impl Judged<'_, '_> {
    /// Why the fault was not injected as it was meant to be; None: it was.
    fn not_injected(&self, asked: &Fault) -> Option<String> {
        if let Some(broken) = self.broken() {
            return Some(broken);
        }
        let Some(change) = self.timeline.change() else {
            return Some("the change never began".to_owned());
        };
        let about = about(change, asked);
        let Some((_, fault)) = change.faults.first() else {
            if let Some(skipped) = change.skipped.first() {
                return Some((*skipped).to_owned());
            }
            let why = match (about.and_then(|s| s.ended), asked.kind) {
                (None, _) => "the change did not get to the statement",
                (Some(_), FaultKind::LockTimeout) => "it waits for no lock that another can hold",
                (Some(_), _) => "the statement ended before the fault",
            };
            return Some(why.to_owned());
        };
        let right = match (fault.statement, about.map(|s| s.began.statement)) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(met), Some(meant)) if asked.kind == FaultKind::KillRunner => met > meant,
            (Some(met), Some(meant)) => met == meant,
        };
        (!right).then(|| "the fault was injected into another statement".to_owned())
    }

    /// Which part of the measurement failed, and why.
    fn broken(&self) -> Option<String> {
        let (stage, message) = self.timeline.failures.first()?;
        Some(format!("{stage} failed: {message}"))
    }

    /// Tables that are there and have no rows to be compared with.
    fn not_compared(&self) -> Vec<String> {
        let (Some(reference), Some(contents)) = (self.timeline.reference, self.contents()) else {
            return Vec::new();
        };
        let tables = contents.tables.keys().filter(|table| !reference.tables.contains_key(*table));
        tables.filter(|table| !self.is_of_versions(table)).cloned().collect()
    }

    /// Versions are compared as such.
    fn is_of_versions(&self, table: &str) -> bool {
        let bare =
            |name: &str| name.rsplit('.').next().unwrap_or(name).trim_matches('"').to_owned();
        let versions = self.scenario.change.versions.as_ref();
        versions.is_some_and(|versions| bare(&versions.table) == bare(table))
    }

    /// The error that the fault led to: of the statement, else of the connection's end.
    fn seen(&self, fault: &Fault) -> String {
        let Some(change) = self.timeline.change() else { return String::new() };
        let killed = change.end == Some(&AttemptEnd::Killed);
        let of_statement =
            || about(change, fault).and_then(|s| s.ended).and_then(|ended| ended.error.as_ref());
        let of_connections = || {
            change.connections.iter().filter_map(|c| c.closed).find_map(|(_, c)| c.error.as_ref())
        };
        let of_attempt = || match change.end {
            Some(AttemptEnd::Failed { error, .. }) => Some(&**error),
            _ => None,
        };
        let with_code = |error: &&ServerError| error.sqlstate.is_some();
        let found = of_statement()
            .filter(with_code)
            .or_else(|| of_connections().filter(with_code))
            .or_else(of_statement)
            .or_else(of_attempt);
        match (killed, found) {
            (true, _) => "SIGKILL".to_owned(),
            (false, Some(error)) => error_name(error),
            (false, None) => "connection lost".to_owned(),
        }
    }

    fn outcome(&self) -> Found {
        if let Some(lost) = self.lost() {
            return (Some(Outcome::LosesData), lost, Vec::new());
        }
        let rerun = self.timeline.attempts.iter().find(|a| a.attempt == 1);
        let Some(rerun) = rerun.filter(|a| a.end.is_some()) else {
            return (None, "the change was not applied again".to_owned(), Vec::new());
        };
        if rerun.finished() {
            return self.converged("the rerun");
        }
        if let Some(cut) = self.cut_off() {
            return (None, cut, Vec::new());
        }
        let failure = rerun_failure(rerun);
        let Some(after) = self.timeline.attempts.iter().find(|a| a.attempt > 1 && a.finished())
        else {
            let tried = self.steps(u32::MAX);
            let by_hand = match tried.is_empty() {
                true => String::new(),
                false => format!(", also after {tried}"),
            };
            let sentence = format!("a rerun fails{by_hand}: {failure}");
            return (Some(Outcome::FailsForever), sentence, self.differences());
        };
        let steps = self.steps(after.attempt);
        let (outcome, sentence, differences) = self.converged(&format!("a rerun after {steps}"));
        match outcome {
            Some(Outcome::Clean) => {
                let sentence = format!("a rerun fails: {failure}; after {steps} it converges");
                (Some(Outcome::ManualStep), sentence, differences)
            }
            outcome => {
                let sentence = format!("a rerun fails: {failure}; {sentence}");
                (outcome.map(|_| Outcome::FailsForever), sentence, differences)
            }
        }
    }

    /// Why it is not known whether the rerun would have come to its end: it was still at it when it
    /// was ended from outside.
    fn cut_off(&self) -> Option<String> {
        let rerun = self.timeline.attempts.iter().find(|a| a.attempt == 1)?;
        let deadline = Micros::from_millis(self.scenario.change.deadline_ms);
        match rerun.end {
            Some(AttemptEnd::DeadlineExceeded) => Some(format!(
                "the rerun was cut off after {deadline} (change.deadline_s): whether it would have \
                 come to its end is not known"
            )),
            Some(AttemptEnd::Stopped | AttemptEnd::Killed) | None => {
                Some("the rerun was cut off before its end".to_owned())
            }
            Some(AttemptEnd::Finished { .. } | AttemptEnd::Failed { .. }) => None,
        }
    }

    /// What was done by hand before the attempt.
    fn steps(&self, attempt: u32) -> String {
        let done = |step: &&&StepEvent| step.before <= attempt && step.error.is_none();
        let names: Vec<&str> =
            self.timeline.steps.iter().filter(done).map(|step| step.name.as_str()).collect();
        names.join(", ")
    }

    /// Of a rerun that succeeded: whether it reached what an undisturbed run reaches.
    fn converged(&self, which: &str) -> Found {
        let (Some(reference), Some(last)) = (self.timeline.reference, self.last()) else {
            return (None, "there is nothing to compare with".to_owned(), Vec::new());
        };
        let differences = self.differences();
        if let Some(debris) = debris(reference, last) {
            let sentence = format!("{which} reports success, and {debris}");
            return (Some(Outcome::Debris), sentence, differences);
        }
        if let Some(first) = differences.first() {
            let sentence = format!("{which} succeeds, and the schema is another one: {first}");
            return (Some(Outcome::Diverges), sentence, differences);
        }
        if last.versions != reference.versions {
            let sentence = format!(
                "{which} succeeds, and the versions are {} instead of {}",
                listed(&last.versions),
                listed(&reference.versions)
            );
            return (Some(Outcome::Diverges), sentence, differences);
        }
        let wrong = || self.doubled().or_else(|| self.rows_that_must_not_be());
        if let Some(rows) = self.other_rows(reference).or_else(wrong) {
            let sentence = format!("{which} succeeds, and {rows}");
            return (Some(Outcome::Diverges), sentence, differences);
        }
        (
            Some(Outcome::Clean),
            format!("{which} reaches the same schema, versions and rows"),
            differences,
        )
    }

    fn last(&self) -> Option<&CatalogueSnapshot> {
        self.timeline.catalogues.last().copied()
    }

    fn differences(&self) -> Vec<Difference> {
        let (Some(reference), Some(last)) = (self.timeline.reference, self.last()) else {
            return Vec::new();
        };
        let mut differences = fingerprint(&reference.objects).diff(&fingerprint(&last.objects));
        differences.truncate(DIFFERENCES_MAX);
        differences
    }

    fn contents(&self) -> Option<&Contents> {
        self.timeline.contents.last().copied()
    }

    /// Rows that are not those of the undisturbed run, in tables where they have to be.
    fn other_rows(&self, reference: &Reference) -> Option<String> {
        let contents = self.contents()?;
        let tables = reference.tables.iter().filter(|(table, _)| !self.is_of_versions(table));
        tables.into_iter().find_map(|(table, expected)| {
            let found = contents.tables.get(table)?;
            if found == expected {
                return None;
            }
            Some(match found.rows == expected.rows {
                true => format!("rows of {table} are not those of an undisturbed run"),
                false => format!(
                    "{table} has {} rows where an undisturbed run leaves {}",
                    found.rows, expected.rows
                ),
            })
        })
    }

    /// Acknowledged writes, or rows of the seed, that are gone.
    fn lost(&self) -> Option<String> {
        let lost =
            |m: &&LedgerMismatch| matches!(m.kind, Mismatch::Lost | Mismatch::Overwritten { .. });
        if let Some(ledger) = self.timeline.ledger
            && let Some(example) = ledger.examples.iter().find(lost)
        {
            let LedgerMismatch { table, key, operation, .. } = example;
            return Some(format!("an acknowledged write is gone: {table} {key} ({operation})"));
        }
        if let (Some(reference), Some(contents)) = (self.timeline.reference, self.contents()) {
            let tables = reference.tables.iter().filter(|(table, _)| !self.is_of_versions(table));
            let fewer = tables.into_iter().find_map(|(table, expected)| {
                let found = contents.tables.get(table)?;
                // What the change did not get to add was never there.
                let added = reference.grown.get(table).copied().unwrap_or(0);
                let seeded = expected.rows.saturating_sub(added);
                (found.rows < seeded)
                    .then(|| format!("{table} has {} rows of {seeded}", found.rows))
            });
            if fewer.is_some() {
                return fewer;
            }
        }
        self.changed_reads()
    }

    /// Writes of the application that are there more than once, or although they were refused.
    fn doubled(&self) -> Option<String> {
        let doubled = |m: &&LedgerMismatch| {
            matches!(m.kind, Mismatch::Doubled { .. } | Mismatch::Unacknowledged)
        };
        let LedgerMismatch { table, key, operation, .. } =
            self.timeline.ledger?.examples.iter().find(doubled)?;
        Some(format!("a write is there that must not be: {table} {key} ({operation})"))
    }

    /// A declared read that returns other rows than before the change.
    fn changed_reads(&self) -> Option<String> {
        let same = self.scenario.invariants.iter().filter(|i| i.rows == Rows::Same);
        let changed = same.map(|i| &i.name).find(|name| {
            let ends = self.answered(name);
            ends.is_some_and(|(first, last)| first.digest != last.digest)
        })?;
        Some(format!("the read {changed} returns other rows than before"))
    }

    /// A declared read that must return nothing, and does not.
    fn rows_that_must_not_be(&self) -> Option<String> {
        let none = self.scenario.invariants.iter().filter(|i| i.rows == Rows::None);
        none.filter_map(|i| self.answered(&i.name)).find(|(_, last)| last.rows > 0).map(
            |(_, last)| {
                format!("the read {} returns {} rows that must not be there", last.name, last.rows)
            },
        )
    }

    /// The first and the last answer to a read.
    fn answered(&self, name: &str) -> Option<(&InvariantRead, &InvariantRead)> {
        let answers = || {
            let of_name = self.timeline.invariants.iter().map(|(_, read)| *read);
            of_name.filter(|read| read.name == name && read.error.is_none())
        };
        Some((answers().next()?, answers().next_back()?))
    }
}

/// The statement at which the fault is injected, as this attempt sent it.
fn about<'r, 'h>(change: &'r AttemptRecord<'h>, fault: &Fault) -> Option<&'r StatementRecord<'h>> {
    let StatementKey { at, nth } = &fault.at.key;
    let same = |record: &&StatementRecord<'_>| StatementPlace::new(None, &record.began.text) == *at;
    change.statements.iter().filter(same).nth(*nth as usize)
}

fn fingerprint(objects: &BTreeMap<String, BTreeMap<String, String>>) -> Fingerprint {
    Fingerprint { objects: objects.clone() }
}

fn rerun_failure(rerun: &AttemptRecord<'_>) -> String {
    match rerun.end {
        Some(AttemptEnd::Failed { error, .. }) => error.to_string(),
        _ => "it does not finish".to_owned(),
    }
}

/// Something half-made that the undisturbed run does not leave.
fn debris(reference: &Reference, last: &CatalogueSnapshot) -> Option<String> {
    let (expected, found) = (fingerprint(&reference.objects), fingerprint(&last.objects));
    let known = expected.invalid_indexes();
    if let Some(index) = found.invalid_indexes().into_iter().find(|i| !known.contains(i)) {
        return Some(format!("index {index} is INVALID"));
    }
    let known = expected.not_valid_constraints();
    let left = found.not_valid_constraints().into_iter().find(|c| !known.contains(c))?;
    Some(format!("constraint {left} is NOT VALID"))
}

/// `1, 2`, or `none`.
fn listed(versions: &[String]) -> String {
    match versions.is_empty() {
        true => "none".to_owned(),
        false => versions.join(", "),
    }
}
