//! Several runners that apply the change at once: who did the work, who waited, who never ended.

use crate::clock::Micros;
use crate::history::{AttemptEnd, SessionId};
use crate::pg::syntax::Kind;
use crate::result::evidence::{HungRunner, Overlap, RunnerLock, WaitingRunner};
use crate::result::{Evidence as Shown, Finding, Subject};
use crate::scenario::Verdict;

use super::super::sessions::Session;
use super::super::trace::{AttemptRecord, StatementRecord};
use super::super::waits::LockWait;
use super::{Evidence, hang};

pub fn runners(evidence: &Evidence<'_, '_>) -> Vec<Finding> {
    let at_once = evidence.scenario.change.runners;
    let attempts = &evidence.trace.attempts;
    let runners: Vec<_> = attempts.iter().filter(|a| a.attempt < at_once).collect();
    if runners.len() < 2 {
        return Vec::new();
    }
    let mut findings = Vec::new();
    findings.extend(overlap(evidence, &runners));
    findings.extend(hung_runners(evidence, &runners));
    findings.extend(waited(evidence, &runners));
    findings
}

/// The same statement of the change did something in two runners, and both of them committed it.
fn overlap(evidence: &Evidence<'_, '_>, runners: &[&AttemptRecord<'_>]) -> Option<Finding> {
    let stayed = |record: &StatementRecord<'_>| {
        let of = |s: &&Session<'_, '_>| {
            s.attempt == record.began.attempt && s.connection == record.began.connection
        };
        let mut sessions = evidence.sessions.iter().filter(of);
        let transaction = sessions.find_map(|session| session.transaction_of(record));
        record.changed_something() && transaction.is_none_or(|t| t.committed())
    };
    let twice = |record: &&StatementRecord<'_>| {
        let mut others = runners.iter().filter(|a| a.attempt != record.began.attempt);
        let same = |s: &StatementRecord<'_>| s.began.text == record.began.text && stayed(s);
        !evidence.is_bookkeeping(record)
            && !is_shared(evidence, record)
            // What a block did is not known: it may have looked first.
            && !matches!(record.kind(), Kind::Do | Kind::Call)
            && stayed(record)
            && others.any(|other| other.statements.iter().any(same))
    };
    let all = || runners.iter().flat_map(|a| &a.statements);
    let mut texts: Vec<&str> = all().filter(twice).map(|s| s.began.text.as_str()).collect();
    texts.sort_unstable();
    texts.dedup();
    let first = all().find(twice)?;
    let overlap = Overlap { statements: texts.len() as u64, runners: runners.len() as u64 };
    let subject = Subject::statement(evidence.refer(first));
    Some(Finding::new(Verdict::Unsafe, subject, Shown::RunnersOverlap(overlap)))
}

/// A round of a migration that is repeated until no row is left: several may share them.
fn is_shared(evidence: &Evidence<'_, '_>, record: &StatementRecord<'_>) -> bool {
    let repeated = evidence.scenario.change.migrations.iter().filter(|m| m.repeat.is_some());
    let mut texts = repeated.flat_map(|m| &m.script.statements).map(|statement| &statement.text);
    texts.any(|text| *text == record.began.text)
}

/// Runners that wait for each other are one finding, with the statements of both.
fn hung_runners(evidence: &Evidence<'_, '_>, runners: &[&AttemptRecord<'_>]) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Vec::new();
    for finding in runners.iter().filter_map(|runner| hung(evidence, runner)) {
        if !hang::is_cycle(&finding) || !findings.iter().any(hang::is_cycle) {
            findings.push(finding);
        }
    }
    findings
}

fn hung(evidence: &Evidence<'_, '_>, runner: &AttemptRecord<'_>) -> Option<Finding> {
    if runner.end != Some(&AttemptEnd::DeadlineExceeded) {
        return None;
    }
    let hung = HungRunner {
        runner: runner.attempt + 1,
        deadline_us: Micros::from_millis(evidence.scenario.change.deadline_ms),
        hang: hang::hang(evidence, runner).map(|(hang, _)| hang),
    };
    let last = runner.statements.last();
    let subject = Subject { statement: last.map(|s| evidence.refer(s)), ..named(runner.attempt) };
    Some(Finding::new(Verdict::Unsafe, subject, Shown::RunnerHung(hung)))
}

fn named(attempt: u32) -> Subject {
    Subject::session(format!("runner {}", attempt + 1))
}

/// Who waited for whom: by a lock that the server knows, or by failing to get the runners' own.
fn waited(evidence: &Evidence<'_, '_>, runners: &[&AttemptRecord<'_>]) -> Vec<Finding> {
    let owns = |a: &AttemptRecord<'_>, session: &SessionId| {
        a.connections.iter().any(|c| c.session == *session)
    };
    let of = |session: &SessionId| runners.iter().find(|a| owns(a, session));
    let longest = |waiter: u32| {
        let waits = evidence.waits.iter().filter(|w| {
            of(&w.session).is_some_and(|a| a.attempt == waiter)
                && w.blockers.iter().any(|b| of(&b.session).is_some_and(|a| a.attempt != waiter))
        });
        waits.max_by_key(|wait| wait.seen_for())
    };
    let mut findings = Vec::new();
    for runner in runners {
        if let Some(wait) = longest(runner.attempt) {
            findings.push(lock_wait(runner.attempt, wait, &of));
        } else if let Some(polled) = polled(runner) {
            findings.push(waiting(runner.attempt, polled, RunnerLock::Advisory));
        }
    }
    findings
}

fn lock_wait<'r, 'h: 'r>(
    waiter: u32,
    wait: &LockWait,
    of: &impl Fn(&SessionId) -> Option<&'r &'r AttemptRecord<'h>>,
) -> Finding {
    let blocker = wait.blockers.iter().find_map(|b| of(&b.session).filter(|a| a.attempt != waiter));
    let lock = RunnerLock::Server {
        runner: blocker.map_or(0, |attempt| attempt.attempt + 1),
        mode: match wait.locktype.as_str() {
            "relation" => wait.mode.clone(),
            other => format!("{} ({other})", wait.mode),
        },
        relation: wait.relation.clone(),
    };
    let finding = waiting(waiter, wait.seen_for(), lock);
    let subject = Subject { relation: wait.relation.clone(), ..finding.subject };
    Finding { subject, ..finding }
}

fn waiting(attempt: u32, waited_us: Micros, lock: RunnerLock) -> Finding {
    let waiting = WaitingRunner { runner: attempt + 1, waited_us, lock };
    Finding::new(Verdict::Safe, named(attempt), Shown::RunnerWaited(waiting))
}

/// From the first try for an advisory lock to the one that got it.
fn polled(runner: &AttemptRecord<'_>) -> Option<Micros> {
    let tries = || {
        let asks = |s: &&StatementRecord<'_>| s.began.text.contains("pg_try_advisory_lock");
        runner.statements.iter().filter(asks)
    };
    let (first, last) = (tries().next()?, tries().next_back()?);
    (tries().count() > 1).then(|| last.at - first.at)
}
