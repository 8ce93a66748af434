//! How the change ended: aborts by SQLSTATE, and what applying it again did.

use crate::clock::Micros;
use crate::history::{AttemptEnd, CatalogueSnapshot, ServerError, StatementEnded, exit_words};
use crate::pg::SqlState;
use crate::pg::syntax::Kind;
use crate::result::Finding;
use crate::scenario::{FindingKind, Verdict};
use crate::schema::Fingerprint;

use super::super::blame::statement_ref;
use super::super::timeline::{AttemptRecord, StatementRecord};
use super::command::{error_of, last_words};
use super::words::{count, listed, statement_words, transaction_words};
use super::{Evidence, finding};

/// One finding per kind of abort, told of its first occurrence.
pub fn aborts(evidence: &Evidence<'_, '_>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Vec::new();
    for attempt in &evidence.timeline.attempts {
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
        Some(AttemptEnd::DeadlineExceeded) => return Some(deadline(evidence, attempt)),
        Some(AttemptEnd::Finished { .. } | AttemptEnd::Stopped | AttemptEnd::Killed) => {
            return None;
        }
        None => {
            let sentence = "the change has no end in the history".to_owned();
            return Some(finding(FindingKind::NotReached, Verdict::Unproven, sentence));
        }
    }
    let again = evidence.which(attempt.attempt);
    let Some(error) = error_of(attempt) else {
        let ended = attempt.command?;
        let (exit, last) = (exit_words(ended.exit_code, ended.signal), last_words(ended));
        let sentence =
            format!("the command {exit}{again}, and its last statement had not failed; {last}");
        return Some(finding(FindingKind::CommandFailed, verdict(evidence), sentence));
    };
    let failed = || attempt.statements.iter().rev().filter(|s| failure(s).is_some());
    let failed = failed().find(|s| failure(s) == Some(error));
    let kind = kind_of(error);
    let statement = match failed {
        Some(record) => statement_words(&statement_ref(record, evidence.timeline.end)),
        // It came while none ran, as the timeout of an idle transaction does.
        None => match attempt.statements.last() {
            Some(last) => {
                let last = statement_words(&statement_ref(last, evidence.timeline.end));
                format!("the change, after {last},")
            }
            None => "the change".to_owned(),
        },
    };
    let sentence = format!("{statement} failed{again}: {error}");
    let mut abort = finding(kind, verdict(evidence), sentence);
    abort.remedy = remedy(kind).map(str::to_owned);
    if kind == FindingKind::ConcurrentlyInTransaction {
        abort.sentence.push_str(&failed.map_or_else(String::new, |f| in_which(evidence, f)));
        if changed_nothing(evidence) {
            abort.sentence.push_str("; nothing was changed");
            if evidence.stalls.is_empty() {
                abort.sentence.push_str(", and no operation was seen waiting for it");
            }
        }
    }
    Some(abort)
}

/// In which transaction the statement ran, and what had opened it: an autocommit block that is none
/// has to be told from a BEGIN that somebody wrote.
fn in_which(evidence: &Evidence<'_, '_>, record: &StatementRecord<'_>) -> String {
    if record.began.statements > 1 && !record.open_before() {
        let statements = count(u64::from(record.began.statements), "statement");
        return format!("; it was sent in one message of {statements}, which is one transaction");
    }
    let mut transactions = evidence
        .sessions
        .iter()
        .filter(|s| s.attempt == record.began.attempt && s.connection == record.began.connection);
    let transaction = transactions.find_map(|session| session.transaction_of(record));
    transaction.map_or_else(String::new, |transaction| {
        let first = transaction.known_by();
        match first.began.statement == record.began.statement {
            true => "; a transaction had begun right before it".to_owned(),
            false => format!("; it ran inside {}", transaction_words(evidence, &transaction)),
        }
    })
}

/// Whether the catalogue and the versions after the change are those before it.
fn changed_nothing(evidence: &Evidence<'_, '_>) -> bool {
    let (before, after) =
        (evidence.timeline.catalogue_before(), evidence.timeline.catalogue_after_change());
    let same = |(before, after): (&CatalogueSnapshot, &CatalogueSnapshot)| {
        before.objects == after.objects && before.versions == after.versions
    };
    before.zip(after).is_some_and(same)
}

fn failure<'h>(record: &StatementRecord<'h>) -> Option<&'h ServerError> {
    record.ended.and_then(|ended: &StatementEnded| ended.error.as_ref())
}

fn deadline(evidence: &Evidence<'_, '_>, attempt: &AttemptRecord<'_>) -> Finding {
    let limit = Micros::from_millis(evidence.scenario.change.deadline_ms);
    let late = |s: &&StatementRecord<'_>| s.span(evidence.timeline.end).1 >= attempt.began + limit;
    let running = attempt.statements.iter().find(late);
    let last = running.or(attempt.statements.last());
    let words = last.map(|s| statement_words(&statement_ref(s, evidence.timeline.end)));
    let place = match (running, words) {
        (Some(_), Some(words)) => format!("during {words}"),
        (None, Some(words)) => format!("after {words}, when no statement ran"),
        (_, None) => "before its first statement".to_owned(),
    };
    let sentence = format!(
        "the change was not done after {limit} and was ended {place}; raise change.deadline_s if \
         it may take longer",
    );
    finding(FindingKind::NotReached, Verdict::Unproven, sentence)
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
fn verdict(evidence: &Evidence<'_, '_>) -> Verdict {
    match evidence.first_success() {
        Some(_) => Verdict::Bounded,
        None if evidence.is_command() && evidence.is_untried() => Verdict::Unproven,
        None => Verdict::Unsafe,
    }
}

fn remedy(kind: FindingKind) -> Option<&'static str> {
    match kind {
        FindingKind::LockTimeout => Some(
            "this is the timeout doing its work: retry with backoff, and look for the long \
             transaction that was in the way",
        ),
        FindingKind::StatementTimeout => Some(
            "SET statement_timeout = 0 on the connection before this statement and back to its \
             value after it (RESET falls back to the server's default), or give it a limit that \
             it can meet at production size",
        ),
        FindingKind::IdleInTransactionTimeout => {
            Some("do nothing between the statements of a transaction that holds a strong lock")
        }
        FindingKind::ConcurrentlyInTransaction => Some(
            "run it outside the migration's transaction (an autocommit block, or a migration \
             that is marked to run without one)",
        ),
        FindingKind::Deadlock => Some(
            "take the locks in the order in which the application takes them, one statement per \
             transaction, and retry",
        ),
        _ => None,
    }
}

/// A DO block that commits inside is one statement to the server: its timeout caps the whole.
pub fn timeout_covers_block(evidence: &Evidence<'_, '_>) -> Option<Finding> {
    let statements = evidence.timeline.attempts.iter().flat_map(|a| &a.statements);
    let mut cut = statements.filter(|s| {
        let text = s.began.text.to_uppercase();
        let block = matches!(s.kind(), Kind::Do | Kind::Call);
        let timed_out = failure(s).is_some_and(|e| kind_of(e) == FindingKind::StatementTimeout);
        block && (text.contains("COMMIT") || *s.kind() == Kind::Call) && timed_out
    });
    let first = cut.next()?;
    let times = 1 + cut.count() as u64;
    let goes_on = match evidence.first_success() {
        Some(_) => "; what was committed stayed, and reruns went on from there to the end",
        None => "",
    };
    let sentence = format!(
        "statement_timeout = {} ms ended {} after {}, although it commits inside: the server \
         counts the whole block as one statement, so the timeout caps the total and not each \
         batch ({} cut off{goes_on})",
        first.began.statement_timeout_ms,
        statement_words(&statement_ref(first, evidence.timeline.end)),
        statement_ref(first, evidence.timeline.end).took_us,
        count(times, "run"),
    );
    let mut covers = finding(FindingKind::TimeoutCoversBlock, Verdict::Bounded, sentence);
    covers.remedy = Some(
        "loop in the client, one statement per batch, so that the timeout caps each; or run the \
         block with statement_timeout = 0 and a lock_timeout"
            .to_owned(),
    );
    Some(covers)
}

/// After a failure some rerun succeeds; after a success a rerun succeeds and changes nothing.
pub fn reruns(evidence: &Evidence<'_, '_>) -> Vec<Finding> {
    let attempts = &evidence.timeline.attempts;
    let finished = |a: &AttemptRecord<'_>| a.finished();
    let Some(last) = attempts.last() else { return Vec::new() };
    let mut findings = Vec::new();
    if attempts.len() > 1 && !finished(last) && !evidence.is_untried() {
        let sentence = match attempts.iter().any(finished) {
            true => "the change had finished, and applying it again failed".to_owned(),
            false => {
                format!("the change did not succeed in {}", count(attempts.len() as u64, "attempt"))
            }
        };
        findings.push(finding(FindingKind::RerunFailed, Verdict::Unsafe, sentence));
    }
    let done = attempts.iter().filter(|a| finished(a)).map(|a| a.attempt);
    let done: Vec<u32> = done.collect();
    for pair in done.windows(2) {
        findings.extend(rerun_changed(evidence, pair[0], pair[1]));
    }
    findings
}

fn rerun_changed(evidence: &Evidence<'_, '_>, first: u32, second: u32) -> Vec<Finding> {
    let snapshots =
        (evidence.timeline.catalogue_after(first), evidence.timeline.catalogue_after(second));
    let (Some(before), Some(after)) = snapshots else { return Vec::new() };
    let fingerprint = |objects: &_| Fingerprint { objects: Clone::clone(objects) };
    let differences = fingerprint(&before.objects).diff(&fingerprint(&after.objects));
    let schema = differences.first().map(|example| {
        let places = count(differences.len() as u64, "place");
        format!("applying the finished change again changed the schema in {places}: {example}")
    });
    let versions = (before.versions != after.versions).then(|| {
        let (were, are) = (listed(&before.versions), listed(&after.versions));
        format!("applying the finished change again changed the versions: were {were}; are {are}")
    });
    let changed = |sentence| finding(FindingKind::RerunChanged, Verdict::Unsafe, sentence);
    schema.into_iter().chain(versions).map(changed).collect()
}
