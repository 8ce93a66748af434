//! How the change ended: aborts by SQLSTATE, and what applying it again did.

use crate::history::{AttemptEnd, CatalogueSnapshot, ServerError, StatementEnded};
use crate::pg::SqlState;
use crate::pg::syntax::Kind;
use crate::result::evidence::{
    Aborted, CatalogueChange, CoveredBlock, EndedBy, ErrorCame, FailedCommand, FailedReruns,
    InTransaction, RefusedInTransaction, Unreached,
};
use crate::result::{Doubt, Evidence as Shown, Finding, Subject};
use crate::scenario::{FindingKind, Verdict};
use crate::schema::differences;

use super::super::trace::{AttemptRecord, StatementRecord};
use super::command::{error_of, last_line};
use super::refused;
use super::{Evidence, earlier, hang, race};

/// One finding per kind of abort, with its first occurrence.
pub fn aborts(evidence: &Evidence<'_, '_>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Vec::new();
    for attempt in &evidence.trace.attempts {
        let Some(abort) = abort(evidence, attempt) else { continue };
        if !findings.iter().any(|known| known.kind == abort.kind) {
            findings.push(abort);
        }
    }
    findings
}

fn abort(evidence: &Evidence<'_, '_>, attempt: &AttemptRecord<'_>) -> Option<Finding> {
    match attempt.end {
        Some(AttemptEnd::Failed { .. }) => {}
        Some(AttemptEnd::DeadlineExceeded) => return hang::deadline(evidence, attempt),
        Some(AttemptEnd::Finished { .. } | AttemptEnd::Stopped | AttemptEnd::Killed) => {
            return None;
        }
        None => {
            let shown = Shown::NotReached(Unreached::NoEnd);
            return Some(Finding::new(Verdict::Unproven, Subject::none(), shown));
        }
    }
    let application = evidence.application(attempt.attempt);
    let Some(error) = error_of(attempt) else {
        let ended = attempt.command?;
        let failed = FailedCommand {
            application,
            exit_code: ended.exit_code,
            signal: ended.signal,
            last_line: last_line(ended),
        };
        let shown = Shown::CommandFailed(failed);
        return Some(Finding::new(verdict(evidence, attempt), Subject::none(), shown));
    };
    let failed = attempt.statements.iter().rev().filter(|s| failure(s).is_some());
    let failed = failed.into_iter().find(|s| failure(s) == Some(error));
    // It may come while no statement runs, as the timeout of an idle transaction does.
    let (came, statement) = match (failed, attempt.statements.last()) {
        (Some(record), _) => (ErrorCame::FromStatement, Some(record)),
        (None, Some(last)) => (ErrorCame::AfterStatement, Some(last)),
        (None, None) => (ErrorCame::BeforeStatements, None),
    };
    let subject = Subject { statement: statement.map(|s| evidence.refer(s)), ..Subject::none() };
    let session = failed.map(|record| &record.session);
    let ended = attempt.ended.unwrap_or(evidence.trace.end);
    let at = failed.and_then(|record| record.ended).map_or(ended, |e| e.ended_us);
    let deadlock = evidence.deadlock(error, session, at);
    let kind = kind_of(error);
    let race = failed.filter(|_| kind == FindingKind::Deadlock);
    let race = race.and_then(|victim| race::of_change(evidence, victim));
    let verdict = race::verdict(evidence, race.as_ref(), verdict(evidence, attempt));
    let earlier = failed.and_then(|record| earlier::made(evidence, record, error));
    let aborted = Aborted { application, came, error: error.clone(), deadlock, race, earlier };
    let shown = match kind {
        FindingKind::LockTimeout => Shown::LockTimeout(aborted),
        FindingKind::StatementTimeout => Shown::StatementTimeout(aborted),
        FindingKind::IdleInTransactionTimeout => Shown::IdleInTransactionTimeout(aborted),
        FindingKind::TransactionTimeout => Shown::TransactionTimeout(aborted),
        FindingKind::Deadlock => Shown::Deadlock(aborted),
        FindingKind::ConcurrentlyInTransaction => {
            Shown::ConcurrentlyInTransaction(RefusedInTransaction {
                aborted,
                transaction: failed.and_then(|record| in_which(evidence, record)),
                changed_nothing: changed_nothing(evidence),
                stalled: !evidence.stalls.is_empty(),
            })
        }
        _ => Shown::ChangeFailed(aborted),
    };
    let finding = Finding::new(verdict, subject, shown);
    Some(match ended_from_outside(evidence, attempt) {
        Some(by) => {
            Finding { verdict: Verdict::Unproven, doubt: Some(Doubt::Ended(by)), ..finding }
        }
        None => finding,
    })
}

/// What ended the application of the change from outside, where no fault was to.
fn ended_from_outside(evidence: &Evidence<'_, '_>, attempt: &AttemptRecord<'_>) -> Option<EndedBy> {
    let error = error_of(attempt).filter(|_| attempt.faults.is_empty())?;
    evidence.outside.ended_change(error, attempt.ended.unwrap_or(evidence.trace.end))
}

/// In which transaction the statement ran, and what had opened it: an autocommit block that is none
/// has to be distinguished from a BEGIN in the migration.
fn in_which(evidence: &Evidence<'_, '_>, record: &StatementRecord<'_>) -> Option<InTransaction> {
    if record.began.statements > 1 && !record.open_before() {
        return Some(InTransaction::OneMessage { statements: record.began.statements });
    }
    let mut transactions = evidence
        .sessions
        .iter()
        .filter(|s| s.attempt == record.began.attempt && s.connection == record.began.connection);
    let transaction = transactions.find_map(|session| session.transaction_of(record))?;
    let first = transaction.known_by();
    Some(match first.began.statement == record.began.statement {
        true => InTransaction::BeganImmediatelyBefore,
        false => InTransaction::BeganWith(evidence.refer(first)),
    })
}

/// Whether the catalogue and the versions after the change are those before it.
fn changed_nothing(evidence: &Evidence<'_, '_>) -> bool {
    let (before, after) =
        (evidence.trace.catalogue_before(), evidence.trace.catalogue_after_change());
    let same = |(before, after): (&CatalogueSnapshot, &CatalogueSnapshot)| {
        before.objects == after.objects && before.versions == after.versions
    };
    before.zip(after).is_some_and(same)
}

fn failure<'h>(record: &StatementRecord<'h>) -> Option<&'h ServerError> {
    record.ended.and_then(|ended: &StatementEnded| ended.error.as_ref())
}

/// 57014 and 55P03 have more than one cause; the message tells which (English messages are set on
/// the servers that we start, and a translated one is a plain `change-failed`).
fn kind_of(error: &ServerError) -> FindingKind {
    let Some(state) = &error.sqlstate else { return FindingKind::ChangeFailed };
    match state.code() {
        SqlState::LOCK_NOT_AVAILABLE => FindingKind::LockTimeout,
        SqlState::QUERY_CANCELED if error.message.contains("statement timeout") => {
            FindingKind::StatementTimeout
        }
        SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT => FindingKind::IdleInTransactionTimeout,
        SqlState::TRANSACTION_TIMEOUT => FindingKind::TransactionTimeout,
        SqlState::DEADLOCK_DETECTED => FindingKind::Deadlock,
        SqlState::ACTIVE_SQL_TRANSACTION => FindingKind::ConcurrentlyInTransaction,
        _ => FindingKind::ChangeFailed,
    }
}

/// Giving up is bounded where some attempt succeeds in the end.
fn verdict(evidence: &Evidence<'_, '_>, attempt: &AttemptRecord<'_>) -> Verdict {
    match evidence.first_success() {
        Some(_) => Verdict::Bounded,
        None if refused::failed_so(attempt) => Verdict::Unproven,
        None if evidence.is_command() && evidence.is_untried() => Verdict::Unproven,
        None => Verdict::Unsafe,
    }
}

/// A DO block that commits inside is one statement to the server: its timeout caps the whole.
pub fn timeout_covers_block(evidence: &Evidence<'_, '_>) -> Option<Finding> {
    let statements = evidence.trace.statements();
    let mut cut = statements.filter(|s| {
        let text = s.began.text.to_uppercase();
        let block = matches!(s.kind(), Kind::Do | Kind::Call);
        let timed_out = failure(s).is_some_and(|e| kind_of(e) == FindingKind::StatementTimeout);
        block && (text.contains("COMMIT") || *s.kind() == Kind::Call) && timed_out
    });
    let first = cut.next()?;
    let times = 1 + cut.count() as u64;
    let block = CoveredBlock {
        statement_timeout_ms: first.began.statement_timeout_ms,
        runs: times,
        finished_later: evidence.first_success().is_some(),
    };
    let subject = Subject::statement(evidence.refer(first));
    Some(Finding::new(Verdict::Bounded, subject, Shown::TimeoutCoversBlock(block)))
}

/// After a failure some rerun succeeds; after a success a rerun succeeds and changes nothing.
pub fn reruns(evidence: &Evidence<'_, '_>) -> Vec<Finding> {
    let attempts = &evidence.trace.attempts;
    let finished = |a: &AttemptRecord<'_>| a.finished();
    let Some(last) = attempts.last() else { return Vec::new() };
    let mut findings = Vec::new();
    // One that was cut off, by its deadline or with the trial, has not failed.
    let failed = matches!(last.end, Some(AttemptEnd::Failed { .. }))
        && ended_from_outside(evidence, last).is_none();
    let tried = !evidence.is_untried() && !refused::failed_so(last);
    if attempts.len() > 1 && failed && tried {
        let failed = FailedReruns {
            attempts: attempts.len() as u64,
            had_finished: attempts.iter().any(finished),
            last: earlier::other_failure(evidence),
        };
        let shown = Shown::RerunFailed(failed);
        findings.push(Finding::new(Verdict::Unsafe, Subject::none(), shown));
    }
    let done = attempts.iter().filter(|a| finished(a)).map(|a| a.attempt);
    let done: Vec<u32> = done.collect();
    for pair in done.windows(2) {
        findings.extend(rerun_changed(evidence, pair[0], pair[1]));
    }
    findings
}

fn rerun_changed(evidence: &Evidence<'_, '_>, first: u32, second: u32) -> Vec<Finding> {
    let snapshots = (evidence.trace.catalogue_after(first), evidence.trace.catalogue_after(second));
    let (Some(before), Some(after)) = snapshots else { return Vec::new() };
    let differences = differences(&before.objects, &after.objects);
    let schema = differences.first().map(|first| CatalogueChange::Schema {
        differences: differences.len() as u64,
        first: first.clone(),
    });
    let versions = (before.versions != after.versions).then(|| CatalogueChange::Versions {
        before: before.versions.clone(),
        after: after.versions.clone(),
    });
    let changed =
        |change| Finding::new(Verdict::Unsafe, Subject::none(), Shown::RerunChanged(change));
    schema.into_iter().chain(versions).map(changed).collect()
}
