//! Which statement of the change a stall is to be put down to.
//!
//! Blame is of one connection: the one that was in the way. What the change's other connections
//! did meanwhile neither held that lock nor kept this one from being idle.

use crate::clock::Micros;
use crate::history::Source;
use crate::pg::LockMode;
use crate::result::{BlockingState, Origin, StatementRef};

use super::sessions::{Gap, Session, sessions};
use super::timeline::{StatementRecord, Timeline};
use super::waits::LockWait;

/// Blockers are followed this far from waiter to waiter.
const CHAIN_MAX: usize = 100;

#[derive(Clone, Debug)]
pub struct Blame {
    /// What it did for most of the stall.
    pub state: BlockingState,
    /// How the stall's length divides.
    pub waiting: Micros,
    pub holding: Micros,
    pub idle: Micros,
    /// The transaction was open and the tap held the change back to look at the server.
    pub looking: Micros,
    /// None of these: what piled up drained, or had not begun to wait.
    pub rest: Micros,
    /// The statement that ran for most of the stall; for an idle transaction the last one before.
    pub during: Option<StatementRef>,
    /// The statement after which the lock was held for the first time in its transaction, where it
    /// is another one.
    pub taken_by: Option<StatementRef>,
    /// In force for the statement that waited, and after the one that left the transaction idle;
    /// None: no limit.
    pub lock_timeout: Option<Micros>,
    pub idle_timeout: Option<Micros>,
    /// In words: for whom the change waited.
    pub behind: Option<String>,
}

pub fn statement_ref(record: &StatementRecord<'_>, end: Micros) -> StatementRef {
    let (origin, file, line) = match &record.began.source {
        Source::File { path, line } => (Origin::File, Some(path.clone()), Some(*line)),
        Source::Runner => (Origin::Runner, None, None),
        Source::Command => (Origin::Command, None, None),
    };
    let (began, ended) = record.span(end);
    StatementRef {
        attempt: record.began.attempt,
        id: record.began.statement,
        migration: record.began.migration.clone(),
        origin,
        file,
        line,
        text: record.began.text.clone(),
        took_us: ended - began,
    }
}

pub fn blame(
    timeline: &Timeline<'_>,
    waits: &[LockWait],
    witness: &LockWait,
    span: (Micros, Micros),
) -> Blame {
    let pid = in_the_way(timeline, waits, witness);
    let is_it = |of: i32| pid.map_or_else(|| timeline.is_change(of), |pid| pid == of);
    let sessions: Vec<Session<'_, '_>> =
        sessions(timeline).into_iter().filter(|session| is_it(session.pid)).collect();
    let statements = || sessions.iter().flat_map(|s| s.statements.iter().copied());
    let overlap = |record: &&StatementRecord<'_>| {
        let (began, ended) = record.span(timeline.end);
        ended.min(span.1) - began.max(span.0)
    };
    let longest = statements().filter(|s| overlap(s) > Micros::ZERO).max_by_key(overlap);
    let own_waits: Vec<&LockWait> = waits.iter().filter(|w| is_it(w.pid)).collect();
    let within = |w: &&LockWait| w.last_seen.min(span.1) - w.from.max(span.0);
    let length = span.1 - span.0;
    let waiting = sum(own_waits.iter().map(within)).min(length);
    let running = sum(statements().map(|s| overlap(&s))).clamp(waiting, length);
    let gaps: Vec<Gap<'_, '_>> = sessions.iter().flat_map(|s| s.gaps(timeline.end)).collect();
    let idle = sum(gaps.iter().map(|g| g.within(span).0)).min(length - running);
    let looking = sum(gaps.iter().map(|g| g.within(span).1)).min(length - running - idle);
    let holding = running - waiting;
    let state = blocking_state(waiting, holding, idle);
    let before_gap = gaps.iter().max_by_key(|gap| gap.within(span)).map(|gap| gap.after);
    let during = match state {
        BlockingState::Idle => before_gap,
        BlockingState::Waiting | BlockingState::Holding => longest,
    };
    let taken_by = during.and_then(|during| taken_by(&sessions, during, witness, span));
    Blame {
        state,
        during: during.map(|s| statement_ref(s, timeline.end)),
        taken_by: taken_by.map(|s| statement_ref(s, timeline.end)),
        waiting,
        holding,
        idle,
        looking,
        rest: length - running - idle - looking,
        lock_timeout: longest.and_then(|s| in_force(s.began.lock_timeout_ms)),
        idle_timeout: before_gap
            .and_then(|s| in_force(s.began.idle_in_transaction_session_timeout_ms)),
        behind: behind(timeline, &own_waits, span),
    }
}

/// What the parts amount to. Delays by the tap count for none of them: a session that the tap
/// delayed held a lock.
fn blocking_state(waiting: Micros, holding: Micros, idle: Micros) -> BlockingState {
    if waiting > Micros::ZERO && waiting >= holding.max(idle) {
        BlockingState::Waiting
    } else if holding >= idle {
        BlockingState::Holding
    } else {
        BlockingState::Idle
    }
}

/// The backend of the change that stopped the waiter for longest, or that its blockers waited for.
fn in_the_way(timeline: &Timeline<'_>, waits: &[LockWait], witness: &LockWait) -> Option<i32> {
    let meanwhile = |w: &&LockWait| w.from <= witness.last_seen && w.last_seen >= witness.from;
    let (mut next, mut followed) = (vec![witness.clone()], Vec::new());
    while let Some(wait) = next.pop() {
        let own = wait.blockers.iter().filter(|b| timeline.is_change(b.pid));
        if let Some(blocker) = own.max_by_key(|b| (b.blocked, b.hard)) {
            return Some(blocker.pid);
        }
        for blocker in &wait.blockers {
            if followed.len() < CHAIN_MAX && !followed.contains(&blocker.pid) {
                followed.push(blocker.pid);
                let its = waits.iter().filter(|w| w.pid == blocker.pid);
                next.extend(its.filter(meanwhile).cloned());
            }
        }
    }
    None
}

/// The first statement of the transaction that left it with a lock which stops the waiter.
fn taken_by<'t, 'h>(
    sessions: &[Session<'t, 'h>],
    during: &StatementRecord<'_>,
    witness: &LockWait,
    span: (Micros, Micros),
) -> Option<&'t StatementRecord<'h>> {
    let same = |a: &StatementRecord<'_>| {
        a.began.attempt == during.began.attempt && a.began.statement == during.began.statement
    };
    let of_attempt = sessions.iter().filter(|s| s.attempt == during.began.attempt);
    let mut found = of_attempt.filter_map(|session| {
        let transaction = session.transaction_of(during)?;
        transaction.statements.iter().copied().find(|s| takes(s, witness))
    });
    found.find(|taker| taker.at <= span.1 && !same(taker))
}

/// Whether the statement left the change with a lock that stops the waiter.
fn takes(record: &StatementRecord<'_>, witness: &LockWait) -> bool {
    let (Some(ended), Some(requested)) = (record.ended, LockMode::parse(&witness.mode)) else {
        return false;
    };
    let stops = |mode: LockMode| mode.conflicts_with(requested);
    ended.held.iter().any(|h| Some(&h.relation) == witness.relation.as_ref() && stops(h.mode))
}

fn in_force(ms: u64) -> Option<Micros> {
    (ms > 0).then(|| Micros::from_millis(ms))
}

fn sum(lengths: impl Iterator<Item = Micros>) -> Micros {
    lengths.fold(Micros::ZERO, |sum, length| sum + length)
}

/// For whom the change itself waited longest in the span.
fn behind(
    timeline: &Timeline<'_>,
    own_waits: &[&LockWait],
    span: (Micros, Micros),
) -> Option<String> {
    let within = |w: &&&LockWait| w.from < span.1 && w.last_seen > span.0;
    let longest = own_waits.iter().filter(within).max_by_key(|w| w.seen_for())?;
    let blocker = longest.blockers.iter().max_by_key(|b| (b.hard, b.blocked))?;
    let name = timeline.name(blocker.pid);
    Some(match (&blocker.held, &longest.relation) {
        (Some(held), Some(relation)) => format!("{name}, which held {held} on {relation}"),
        _ => name,
    })
}
