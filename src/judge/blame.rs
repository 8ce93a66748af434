//! Which statement of the change a stall is to be put down to.

use crate::clock::Micros;
use crate::history::Source;
use crate::pg::LockMode;

use super::judgement::StatementRef;
use super::timeline::{StatementRecord, Timeline};
use super::waits::LockWait;

/// What the change did while it stalled others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Posture {
    /// It waited for a lock itself, and the others queued behind its request.
    Waiting,
    /// A statement of it ran and its transaction held the lock.
    Holding,
    /// No statement of it ran: its transaction sat idle with the lock.
    Idle,
}

#[derive(Clone, Debug)]
pub struct Blame {
    /// What it did for most of the stall.
    pub posture: Posture,
    /// How the stall's length divides into the three.
    pub waiting: Micros,
    pub holding: Micros,
    pub idle: Micros,
    /// The statement that ran for most of the stall; for an idle transaction the last one before.
    pub during: Option<StatementRef>,
    /// The statement after which the lock was held for the first time, where it is another one.
    pub taken_by: Option<StatementRef>,
    /// In force for the statement that waited, and after the one that left the transaction idle;
    /// None: no limit.
    pub lock_timeout: Option<Micros>,
    pub idle_timeout: Option<Micros>,
    /// In words: for whom the change waited.
    pub behind: Option<String>,
}

pub fn statement_ref(record: &StatementRecord<'_>, end: Micros) -> StatementRef {
    let (file, line) = match &record.began.source {
        Source::File { path, line } => (Some(path.clone()), Some(*line)),
        Source::Runner | Source::Command => (None, None),
    };
    let (began, ended) = record.span(end);
    StatementRef {
        migration: record.began.migration.clone(),
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
    let statements = || timeline.attempts.iter().flat_map(|a| &a.statements);
    let overlap = |record: &&StatementRecord<'_>| {
        let (began, ended) = record.span(timeline.end);
        ended.min(span.1) - began.max(span.0)
    };
    let longest = statements().filter(|s| overlap(s) > Micros::ZERO).max_by_key(overlap);
    let own_waits = waits.iter().filter(|w| timeline.is_change(w.pid));
    let within = |w: &LockWait| w.last_seen.min(span.1) - w.from.max(span.0);
    let length = span.1 - span.0;
    let waiting = sum(own_waits.map(within)).min(length);
    let running = sum(statements().map(|s| overlap(&s))).clamp(waiting, length);
    let (holding, idle) = (running - waiting, length - running);
    let posture = if waiting >= holding.max(idle) {
        Posture::Waiting
    } else if holding >= idle {
        Posture::Holding
    } else {
        Posture::Idle
    };
    let before_gap = before_longest_gap(timeline, span);
    let during = match posture {
        Posture::Idle => before_gap,
        Posture::Waiting | Posture::Holding => longest,
    };
    let taken_by = statements().find(|s| takes(s, witness));
    let same = |a: &StatementRecord<'_>, b: &StatementRecord<'_>| a.at == b.at;
    let taken_by = taken_by.filter(|t| t.at <= span.1 && during.is_some_and(|d| !same(t, d)));
    Blame {
        posture,
        during: during.map(|s| statement_ref(s, timeline.end)),
        taken_by: taken_by.map(|s| statement_ref(s, timeline.end)),
        waiting,
        holding,
        idle,
        lock_timeout: longest.and_then(|s| in_force(s.began.lock_timeout_ms)),
        idle_timeout: before_gap
            .and_then(|s| in_force(s.began.idle_in_transaction_session_timeout_ms)),
        behind: behind(timeline, waits, span),
    }
}

/// The statement after which the change did nothing for longest within the span.
fn before_longest_gap<'t, 'h>(
    timeline: &'t Timeline<'h>,
    span: (Micros, Micros),
) -> Option<&'t StatementRecord<'h>> {
    let gaps = timeline.attempts.iter().flat_map(|attempt| {
        let followers = attempt.statements.iter().skip(1).map(|next| next.at);
        let followers = followers.chain([attempt.ended.unwrap_or(timeline.end)]);
        attempt.statements.iter().zip(followers)
    });
    let length = |(before, next_at): &(&StatementRecord<'_>, Micros)| {
        (*next_at).min(span.1) - before.span(timeline.end).1.max(span.0)
    };
    gaps.max_by_key(length).map(|(before, _)| before)
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
fn behind(timeline: &Timeline<'_>, waits: &[LockWait], span: (Micros, Micros)) -> Option<String> {
    let own = |w: &&LockWait| timeline.is_change(w.pid) && w.from < span.1 && w.last_seen > span.0;
    let longest = waits.iter().filter(own).max_by_key(|w| w.seen_for())?;
    let blocker = longest.blockers.iter().max_by_key(|b| (b.hard, b.blocked))?;
    let name = timeline.name(blocker.pid);
    Some(match (&blocker.held, &longest.relation) {
        (Some(held), Some(relation)) => format!("{name}, which held {held} on {relation}"),
        _ => name,
    })
}
