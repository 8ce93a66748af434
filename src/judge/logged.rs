//! The server's log as a second source of waits: what it has that no sample has, and how far the
//! two are apart.
//!
//! The log is exact and has only what outlasted `deadlock_timeout`; the samples have shorter waits
//! too, and can miss one.

use std::collections::{HashMap, HashSet};

use crate::clock::Micros;
use crate::history::{LoggedWait, SessionId};
use crate::pg::LockMode;
use crate::pg::waiting::locktype;
use crate::result::LogCompared;

use super::trace::Trace;
use super::waits::{Blocker, Cause, LockWait, LockWaits, derive};

/// A sampled wait and a logged one of a session are the same where they are this close.
const SAME_WAIT: Micros = Micros::from_millis(100);
/// By so much more than a sampling interval a wait may be longer in the log: the log's times are
/// whole milliseconds, and a sample takes some itself.
const TOLERANCE: Micros = Micros::from_millis(10);
/// A chain of waiters is followed this far.
const CHAIN_MAX: usize = 1_000;

/// All waits that the samples or the log show.
pub fn lock_waits(trace: &Trace<'_>) -> (LockWaits, LogCompared) {
    let mut waits = derive(trace);
    let compared = reconcile(trace, &mut waits);
    (LockWaits::of(waits), compared)
}

/// Adds the waits that only the log has, and gives those that both have their exact end.
fn reconcile(trace: &Trace<'_>, waits: &mut Vec<LockWait>) -> LogCompared {
    let interval = trace.sampler.iter().map(|report| report.interval_us).max().unwrap_or_default();
    let mut compared = LogCompared {
        deadlock_timeout_us: trace.log.and_then(|report| report.deadlock_timeout_us),
        waits: trace.logged.len() as u64,
        deadlocks: trace.deadlocks.len() as u64,
        tolerance_us: interval + TOLERANCE,
        not_read: trace.log.and_then(|report| report.not_read.clone()),
        ..LogCompared::default()
    };
    let sampled = waits.len();
    let by_session = by_session(waits);
    for (_, logged) in &trace.logged {
        let session = trace.session(&logged.session, logged.from_us + logged.waited_us);
        let own = by_session.get(&session).map_or(&[][..], Vec::as_slice);
        let same = own.iter().copied().filter(|n| is_same(&waits[*n], logged));
        let Some(known) = same.max_by_key(|n| waits[*n].last_seen) else {
            compared.only_logged += 1;
            waits.push(only_logged(trace, session, logged));
            continue;
        };
        let known = &mut waits[known];
        let Some(to) = logged.to_us else { continue };
        let apart = (to - known.last_seen).max(known.last_seen - to);
        compared.apart_us_max = compared.apart_us_max.max(apart);
        compared.apart += u64::from(apart > compared.tolerance_us);
        known.last_seen = known.last_seen.max(before_answer(trace, &session, logged, to));
    }
    let causes = causes(trace, waits, sampled);
    for (wait, cause) in waits[sampled..].iter_mut().zip(causes) {
        wait.cause = cause;
    }
    waits.sort_by(|a, b| (a.from, &a.session).cmp(&(b.from, &b.session)));
    compared
}

/// Numbers of the waits, by session.
fn by_session(waits: &[LockWait]) -> HashMap<SessionId, Vec<usize>> {
    let mut numbers: HashMap<SessionId, Vec<usize>> = HashMap::new();
    for (number, wait) in waits.iter().enumerate() {
        numbers.entry(wait.session.clone()).or_default().push(number);
    }
    numbers
}

/// Of two waits of one session.
fn is_same(wait: &LockWait, logged: &LoggedWait) -> bool {
    let (from, to) = (logged.from_us, logged.from_us + logged.waited_us);
    wait.mode == logged.mode
        && wait.locktype == locktype(&logged.object)
        && wait.from <= to
        && wait.last_seen + SAME_WAIT >= from
}

/// The end of the wait, but not later than the client had its answer: the log's clock is not ours.
fn before_answer(
    trace: &Trace<'_>,
    session: &SessionId,
    logged: &LoggedWait,
    to: Micros,
) -> Micros {
    let middle = logged.from_us + Micros(logged.waited_us.0 / 2);
    trace.running(session, middle).map_or(to, |operation| to.min(operation.finished_us))
}

/// A wait that no sample shows.
fn only_logged(trace: &Trace<'_>, session: SessionId, logged: &LoggedWait) -> LockWait {
    let from = logged.from_us;
    let to = before_answer(trace, &session, logged, from + logged.waited_us);
    let own = logged.session.pid;
    let hard = logged.holders.iter().filter(|pid| **pid != own).map(|pid| {
        let session = trace.session(&(*pid).into(), to);
        let held = Some(held(trace, &session, logged, to));
        Blocker { session, held, blocked: to - from, hard: to - from }
    });
    let before = logged.queue.iter().take_while(|pid| **pid != own);
    let soft = before.map(|pid| Blocker {
        session: trace.session(&(*pid).into(), to),
        held: None,
        blocked: to - from,
        hard: Micros::ZERO,
    });
    LockWait {
        session,
        from,
        last_seen: to,
        locktype: locktype(&logged.object).to_owned(),
        mode: logged.mode.clone(),
        relation: logged.relation.clone(),
        blockers: hard.chain(soft).collect(),
        cause: Cause::default(),
    }
}

/// What the session was seen holding against the wait. The log says only that it held something.
fn held(trace: &Trace<'_>, session: &SessionId, logged: &LoggedWait, at: Micros) -> String {
    let requested = LockMode::parse(&logged.mode);
    let statements = trace.statements();
    let ended = statements.filter(|s| s.session == *session && s.at <= at).filter_map(|s| s.ended);
    let locks = ended.flat_map(|ended| &ended.held).filter(|lock| {
        logged.relation.as_deref() == Some(lock.relation.as_str())
            && requested.is_none_or(|requested| requested.conflicts_with(lock.mode))
    });
    let strongest = locks.map(|lock| lock.mode).max();
    strongest.map_or_else(|| "a conflicting lock".to_owned(), |mode| mode.to_string())
}

/// The causes of the waits that only the log has, which come last.
fn causes(trace: &Trace<'_>, waits: &[LockWait], sampled: usize) -> Vec<Cause> {
    let by_session = by_session(waits);
    waits[sampled..].iter().map(|wait| cause(trace, waits, &by_session, wait)).collect()
}

/// Follows the blockers of a wait, through waits of either source, to the change.
fn cause(
    trace: &Trace<'_>,
    waits: &[LockWait],
    by_session: &HashMap<SessionId, Vec<usize>>,
    wait: &LockWait,
) -> Cause {
    let length = wait.seen_for().max(Micros(1));
    let meanwhile =
        |other: &&LockWait| other.from <= wait.last_seen && other.last_seen >= wait.from;
    let waits_of = |session: &SessionId| {
        let numbers = by_session.get(session).into_iter().flatten();
        numbers.map(|number| &waits[*number]).filter(meanwhile)
    };
    let mut next: Vec<&SessionId> = wait.blockers.iter().map(|b| &b.session).collect();
    let mut followed = HashSet::new();
    while let Some(session) = next.pop() {
        if trace.is_change(session) {
            return match waits_of(session).next() {
                Some(_) => Cause { change_waiting: length, ..Cause::default() },
                None => Cause { change_holding: length, ..Cause::default() },
            };
        }
        if followed.len() < CHAIN_MAX && followed.insert(session) {
            next.extend(waits_of(session).flat_map(|w| &w.blockers).map(|b| &b.session));
        }
    }
    Cause { other: length, ..Cause::default() }
}
