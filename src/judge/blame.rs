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
    pub posture: Posture,
    /// The statement that ran for most of the stall; for an idle transaction the last one before.
    pub during: Option<StatementRef>,
    /// The statement after which the lock was held for the first time, where it is another one.
    pub taken_by: Option<StatementRef>,
    /// In force for the statement; None: no limit.
    pub lock_timeout: Option<Micros>,
    /// In words: for whom the change waited.
    pub behind: Option<String>,
}

pub fn statement_ref(record: &StatementRecord<'_>, end: Micros) -> StatementRef {
    let (file, line) = match &record.began.source {
        Source::File { path, line } => (Some(path.clone()), Some(*line)),
        Source::Runner => (None, None),
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
    group: &[&LockWait],
    witness: &LockWait,
    span: (Micros, Micros),
) -> Blame {
    let statements = || timeline.attempts.iter().flat_map(|a| &a.statements);
    let overlap = |record: &&StatementRecord<'_>| {
        let (began, ended) = record.span(timeline.end);
        ended.min(span.1) - began.max(span.0)
    };
    let longest = statements().filter(|s| overlap(s) > Micros::ZERO).max_by_key(overlap);
    let total = |of: fn(&LockWait) -> Micros| -> u64 { group.iter().map(|w| of(w).0).sum() };
    let waiting = total(|w| w.cause.change_waiting);
    let holding = total(|w| w.cause.change_holding);
    let length = span.1 - span.0;
    let ran_most = longest.is_some_and(|s| overlap(&s) + overlap(&s) >= length);
    let posture = match (waiting > holding, ran_most) {
        (true, _) => Posture::Waiting,
        (false, true) => Posture::Holding,
        (false, false) => Posture::Idle,
    };
    let during = match posture {
        Posture::Idle => before_longest_gap(timeline, span),
        Posture::Waiting | Posture::Holding => longest,
    };
    let taken_by = statements().find(|s| takes(s, witness));
    let same = |a: &StatementRecord<'_>, b: &StatementRecord<'_>| a.at == b.at;
    let taken_by = taken_by.filter(|t| t.at <= span.1 && during.is_some_and(|d| !same(t, d)));
    Blame {
        posture,
        during: during.map(|s| statement_ref(s, timeline.end)),
        taken_by: taken_by.map(|s| statement_ref(s, timeline.end)),
        lock_timeout: during.and_then(lock_timeout),
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

fn lock_timeout(record: &StatementRecord<'_>) -> Option<Micros> {
    let ms = record.began.lock_timeout_ms;
    (ms > 0).then(|| Micros::from_millis(ms))
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
