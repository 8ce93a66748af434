//! What came of one fault: from the history of its case to an outcome.

use std::collections::BTreeMap;

use crate::clock::Micros;
use crate::history::{
    AttemptEnd, CatalogueSnapshot, Contents, History, InvariantRead, LedgerMismatch, Mismatch,
    Reference, ServerError, StepEvent,
};
use crate::pg::{StatementKey, StatementPlace};
use crate::result::{Case, CaseEnding, DataLost, NotInjected, Reached, WrittenRow};
use crate::scenario::{Rows, Scenario};
use crate::schema::{Difference, Fingerprint};
use crate::trial::{Fault, FaultKind};

use super::super::measure::error_name;
use super::super::trace::{AttemptRecord, StatementRecord, Trace};

/// Most differences of a case.
const DIFFERENCES_MAX: usize = 20;

/// Judges a case; None: the history is of a trial without a fault. It holds the reference, the
/// attempt with the fault, and at least one rerun. The sentence is left empty: `explain` makes it.
pub fn case(scenario: &Scenario, history: &History) -> Option<Case> {
    let fault = history.header.trial.fault.clone()?;
    let timeline = Trace::of(history);
    let judged = Judged { scenario, timeline: &timeline };
    let (seen, ending) = match judged.not_injected(&fault) {
        Some(why) => (String::new(), why),
        None => (judged.seen(&fault), judged.ending()),
    };
    let outcome = ending.outcome();
    // An injected fault whose rerun was cut off is a case without an outcome.
    let cut_off = !seen.is_empty() && outcome.is_none() && judged.cut_off().is_some();
    let broken = judged.broken().is_some() || cut_off;
    let differences = judged.differences_of(&ending);
    let not_compared = judged.not_compared();
    let reruns = timeline.attempts.iter().filter(|a| a.attempt > 0).count() as u32;
    let took_us = timeline.end;
    let (sentence, ending) = (String::new(), Some(ending));
    let case = Case {
        fault,
        outcome,
        seen,
        sentence,
        ending,
        differences,
        broken,
        not_compared,
        reruns,
        took_us,
    };
    Some(case)
}

struct Judged<'j, 'h> {
    scenario: &'j Scenario,
    timeline: &'j Trace<'h>,
}

impl Judged<'_, '_> {
    /// Why the fault was not injected as it was meant to be; None: it was.
    fn not_injected(&self, asked: &Fault) -> Option<CaseEnding> {
        if let Some(broken) = self.broken() {
            return Some(broken);
        }
        self.missed(asked).map(CaseEnding::NotInjected)
    }

    fn missed(&self, asked: &Fault) -> Option<NotInjected> {
        let Some(change) = self.timeline.change() else {
            return Some(NotInjected::ChangeNeverBegan);
        };
        let about = about(change, asked);
        let Some((_, fault)) = change.faults.first() else {
            if let Some(skipped) = change.skipped.first() {
                return Some(NotInjected::Skipped((*skipped).to_owned()));
            }
            return Some(match (about.and_then(|s| s.ended), asked.kind) {
                (None, _) => NotInjected::StatementNotReached,
                (Some(_), FaultKind::LockTimeout) => NotInjected::NoLockToWaitFor,
                (Some(_), _) => NotInjected::StatementEnded,
            });
        };
        let right = match (fault.statement, about.map(|s| s.began.statement)) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(met), Some(meant)) if asked.kind == FaultKind::KillRunner => met > meant,
            (Some(met), Some(meant)) => met == meant,
        };
        (!right).then_some(NotInjected::IntoAnotherStatement)
    }

    /// Which part of the measurement failed, and why.
    fn broken(&self) -> Option<CaseEnding> {
        let (stage, message) = self.timeline.failures.first()?;
        let (stage, message) = (stage.to_string(), message.to_string());
        Some(CaseEnding::MeasurementFailed { stage, message })
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

    fn ending(&self) -> CaseEnding {
        if let Some(lost) = self.lost() {
            return CaseEnding::DataLost(lost);
        }
        let rerun = self.timeline.attempts.iter().find(|a| a.attempt == 1);
        let Some(rerun) = rerun.filter(|a| a.end.is_some()) else {
            return CaseEnding::NotAppliedAgain;
        };
        if rerun.finished() {
            return CaseEnding::Rerun(self.reached());
        }
        if let Some(cut) = self.cut_off() {
            return cut;
        }
        let error = match rerun.end {
            Some(AttemptEnd::Failed { error, .. }) => Some((**error).clone()),
            _ => None,
        };
        match self.timeline.attempts.iter().find(|a| a.attempt > 1 && a.finished()) {
            None => CaseEnding::RerunFails { error, steps: self.steps(u32::MAX) },
            Some(after) => {
                let (steps, reached) = (self.steps(after.attempt), self.reached());
                CaseEnding::AfterSteps { error, steps, reached }
            }
        }
    }

    /// Where it is not known whether the rerun would have come to its end: it was still at it when
    /// it was ended from outside.
    fn cut_off(&self) -> Option<CaseEnding> {
        let rerun = self.timeline.attempts.iter().find(|a| a.attempt == 1)?;
        let deadline = Micros::from_millis(self.scenario.change.deadline_ms);
        match rerun.end {
            Some(AttemptEnd::DeadlineExceeded) => {
                Some(CaseEnding::CutOff { deadline_us: Some(deadline) })
            }
            Some(AttemptEnd::Stopped | AttemptEnd::Killed) | None => {
                Some(CaseEnding::CutOff { deadline_us: None })
            }
            Some(AttemptEnd::Failed { .. }) if !self.timeline.server_down.is_empty() => {
                Some(CaseEnding::CutOff { deadline_us: None })
            }
            Some(AttemptEnd::Finished { .. } | AttemptEnd::Failed { .. }) => None,
        }
    }

    /// What was done by hand before the attempt.
    fn steps(&self, attempt: u32) -> Vec<String> {
        let done = |step: &&&StepEvent| step.before <= attempt && step.error.is_none();
        self.timeline.steps.iter().filter(done).map(|step| step.name.clone()).collect()
    }

    /// Of a rerun that succeeded: whether it reached what an undisturbed run reaches.
    fn reached(&self) -> Reached {
        let (Some(reference), Some(last)) = (self.timeline.reference, self.last()) else {
            return Reached::NotCompared;
        };
        if let Some(debris) = debris(reference, last) {
            return debris;
        }
        if let Some(first) = self.differences().into_iter().next() {
            return Reached::OtherSchema(first);
        }
        if last.versions != reference.versions {
            let (found, expected) = (last.versions.clone(), reference.versions.clone());
            return Reached::OtherVersions { found, expected };
        }
        let wrong = || self.doubled().or_else(|| self.rows_that_must_not_be());
        self.other_rows(reference).or_else(wrong).unwrap_or(Reached::Same)
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

    /// Those that say something beside the ending: a rerun came to its end, or none does.
    fn differences_of(&self, ending: &CaseEnding) -> Vec<Difference> {
        match ending {
            CaseEnding::Rerun(_)
            | CaseEnding::RerunFails { .. }
            | CaseEnding::AfterSteps { .. } => self.differences(),
            CaseEnding::MeasurementFailed { .. }
            | CaseEnding::NotInjected(_)
            | CaseEnding::DataLost(_)
            | CaseEnding::NotAppliedAgain
            | CaseEnding::CutOff { .. } => Vec::new(),
        }
    }

    fn contents(&self) -> Option<&Contents> {
        self.timeline.contents.last().copied()
    }

    /// Rows that are not those of the undisturbed run, in tables where they have to be.
    fn other_rows(&self, reference: &Reference) -> Option<Reached> {
        let contents = self.contents()?;
        let tables = reference.tables.iter().filter(|(table, _)| !self.is_of_versions(table));
        tables.into_iter().find_map(|(table, expected)| {
            let found = contents.tables.get(table)?;
            if found == expected {
                return None;
            }
            let table = table.clone();
            Some(match found.rows == expected.rows {
                true => Reached::OtherRows(table),
                false => Reached::OtherCount { table, found: found.rows, expected: expected.rows },
            })
        })
    }

    /// Acknowledged writes, or rows of the seed, that are gone.
    fn lost(&self) -> Option<DataLost> {
        let lost = |m: &&LedgerMismatch| m.kind.is_lost();
        if let Some(ledger) = self.timeline.ledger
            && let Some(example) = ledger.examples.iter().find(lost)
        {
            return Some(DataLost::Write(written(example)));
        }
        if let (Some(reference), Some(contents)) = (self.timeline.reference, self.contents()) {
            let tables = reference.tables.iter().filter(|(table, _)| !self.is_of_versions(table));
            let fewer = tables.into_iter().find_map(|(table, expected)| {
                let found = contents.tables.get(table)?.rows;
                // What the change did not get to add was never there.
                let added = reference.grown.get(table).copied().unwrap_or(0);
                let seeded = expected.rows.saturating_sub(added);
                let table = table.clone();
                (found < seeded).then_some(DataLost::Rows { table, found, seeded })
            });
            if fewer.is_some() {
                return fewer;
            }
        }
        self.changed_read().map(DataLost::Read)
    }

    /// Writes of the application that are there more than once, or although they were refused.
    fn doubled(&self) -> Option<Reached> {
        let doubled = |m: &&LedgerMismatch| {
            matches!(m.kind, Mismatch::Doubled { .. } | Mismatch::Unacknowledged)
        };
        let mismatch = self.timeline.ledger?.examples.iter().find(doubled)?;
        Some(Reached::UnwantedWrite(written(mismatch)))
    }

    /// A declared read that returns other rows than before the change.
    fn changed_read(&self) -> Option<String> {
        let same = self.scenario.invariants.iter().filter(|i| i.rows == Rows::Same);
        let changed = same.map(|i| &i.name).find(|name| {
            let ends = self.answered(name);
            ends.is_some_and(|(first, last)| first.digest != last.digest)
        });
        changed.cloned()
    }

    /// A declared read that must return nothing, and does not.
    fn rows_that_must_not_be(&self) -> Option<Reached> {
        let none = self.scenario.invariants.iter().filter(|i| i.rows == Rows::None);
        let answered = none.filter_map(|i| self.answered(&i.name));
        let (_, last) = answered.into_iter().find(|(_, last)| last.rows > 0)?;
        Some(Reached::UnwantedRows { read: last.name.clone(), rows: last.rows })
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

fn written(mismatch: &LedgerMismatch) -> WrittenRow {
    let LedgerMismatch { table, key, operation, .. } = mismatch.clone();
    WrittenRow { table, key, operation }
}

/// Something half-made that the undisturbed run does not leave.
fn debris(reference: &Reference, last: &CatalogueSnapshot) -> Option<Reached> {
    let (expected, found) = (fingerprint(&reference.objects), fingerprint(&last.objects));
    let known = expected.invalid_indexes();
    if let Some(index) = found.invalid_indexes().into_iter().find(|i| !known.contains(i)) {
        return Some(Reached::InvalidIndex(index.to_owned()));
    }
    let known = expected.not_valid_constraints();
    let left = found.not_valid_constraints().into_iter().find(|c| !known.contains(c))?;
    Some(Reached::NotValidConstraint(left.to_owned()))
}
