//! Which statement of the change a stall is to be put down to.
//!
//! Blame is of one connection: the one that was in the way. What the change's other connections
//! did meanwhile neither held that lock nor kept this one from being idle.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap, HashSet};

use crate::clock::Micros;
use crate::history::{Attempt, SessionId, Source, StatementId};
use crate::pg::LockMode;
use crate::result::evidence::HeldWhileWaiting;
use crate::result::{BlockingState, Origin, StatementRef};

use super::sessions::Session;
use super::trace::{StatementRecord, Trace};
use super::waits::{LockWait, LockWaits};

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
    /// What it held against the others while it waited for something else.
    pub held_meanwhile: Option<HeldWhileWaiting>,
}

pub fn statement_ref(record: &StatementRecord<'_>, trace: &Trace<'_>) -> StatementRef {
    let (origin, file, line) = match &record.began.source {
        Source::File { path, line } => (Origin::File, Some(path.clone()), Some(*line)),
        Source::Runner => (Origin::Runner, None, None),
        Source::Command => (Origin::Command, None, None),
    };
    let (began, ended) = record.span(trace.end);
    let application = trace.application(record.began.attempt);
    StatementRef {
        attempt: record.began.attempt,
        runner: application.runner(),
        rerun: application.rerun(),
        id: record.began.statement,
        migration: record.began.migration.clone(),
        origin,
        file,
        line,
        text: record.began.text.clone(),
        took_us: ended - began,
    }
}

/// Where blame is looked for: what all stalls of a trial have in common, indexed once.
pub struct Scene<'s, 't, 'h> {
    trace: &'t Trace<'h>,
    waits: &'s LockWaits,
    sessions: &'s [Session<'t, 'h>],
    by_id: HashMap<&'s SessionId, Vec<&'s Session<'t, 'h>>>,
    /// The statement of a transaction, known by its first, that took what stops a request for a
    /// mode on a relation: a long transaction may be to blame for many stalls.
    takers: RefCell<HashMap<Request, Option<&'t StatementRecord<'h>>>>,
}

type Request = (Attempt, StatementId, Option<String>, String);

impl<'s, 't, 'h> Scene<'s, 't, 'h> {
    pub fn new(
        trace: &'t Trace<'h>,
        waits: &'s LockWaits,
        sessions: &'s [Session<'t, 'h>],
    ) -> Scene<'s, 't, 'h> {
        let mut by_id: HashMap<&SessionId, Vec<&Session<'t, 'h>>> = HashMap::new();
        for session in sessions {
            by_id.entry(&session.id).or_default().push(session);
        }
        Scene { trace, waits, sessions, by_id, takers: RefCell::default() }
    }

    /// The sessions of the change that were in the way; where the samples do not tell which, all.
    fn blamed(&self, witness: &LockWait) -> Vec<&'s Session<'t, 'h>> {
        match self.in_the_way(witness) {
            Some(id) => self.by_id.get(id).cloned().unwrap_or_default(),
            None => self.sessions.iter().filter(|s| self.trace.is_change(&s.id)).collect(),
        }
    }

    /// The session of the change that stopped the waiter for longest, or that its blockers waited
    /// for.
    fn in_the_way<'w>(&'w self, witness: &'w LockWait) -> Option<&'w SessionId> {
        let span = (witness.from, witness.last_seen);
        let meanwhile = |w: &&LockWait| w.from <= span.1 && w.last_seen >= span.0;
        let (mut next, mut followed) = (vec![witness], HashSet::new());
        while let Some(wait) = next.pop() {
            let own = wait.blockers.iter().filter(|b| self.trace.is_change(&b.session));
            if let Some(blocker) = own.max_by_key(|b| (b.blocked, b.hard)) {
                return Some(&blocker.session);
            }
            for blocker in &wait.blockers {
                if followed.len() < CHAIN_MAX && followed.insert(&blocker.session) {
                    next.extend(self.waits.within(&blocker.session, span).filter(meanwhile));
                }
            }
        }
        None
    }

    /// The first statement of the transaction that left it with a lock which stops the waiter.
    fn taken_by(
        &self,
        sessions: &[&'s Session<'t, 'h>],
        during: &StatementRecord<'_>,
        witness: &LockWait,
        span: (Micros, Micros),
    ) -> Option<&'t StatementRecord<'h>> {
        let same = |a: &StatementRecord<'_>| {
            a.began.attempt == during.began.attempt && a.began.statement == during.began.statement
        };
        let of_attempt = sessions.iter().filter(|s| s.attempt == during.began.attempt);
        let mut found = of_attempt.filter_map(|session| {
            let statements = session.transaction_of(during)?.statements;
            let first = &statements.first()?.began;
            let (relation, mode) = (witness.relation.clone(), witness.mode.clone());
            let request = (first.attempt, first.statement, relation, mode);
            let mut takers = self.takers.borrow_mut();
            let taker = || statements.iter().copied().find(|s| takes(s, witness));
            *takers.entry(request).or_insert_with(taker)
        });
        found.find(|taker| taker.at <= span.1 && !same(taker))
    }
}

pub fn blame(scene: &Scene<'_, '_, '_>, witness: &LockWait, span: (Micros, Micros)) -> Blame {
    let end = scene.trace.end;
    let sessions = scene.blamed(witness);
    let statements = || sessions.iter().flat_map(|s| s.statements_within(span).iter().copied());
    let overlap = |record: &&StatementRecord<'_>| {
        let (began, ended) = record.span(end);
        ended.min(span.1) - began.max(span.0)
    };
    let longest = statements().filter(|s| overlap(s) > Micros::ZERO).max_by_key(overlap);
    let own_waits = own_waits(scene, &sessions, span);
    let within = |w: &&LockWait| w.last_seen.min(span.1) - w.from.max(span.0);
    let length = span.1 - span.0;
    let waiting = sum(own_waits.iter().map(within)).min(length);
    let running = sum(statements().map(|s| overlap(&s))).clamp(waiting, length);
    let gaps = || sessions.iter().flat_map(|s| s.gaps_within(span));
    let idle = sum(gaps().map(|g| g.within(span).0)).min(length - running);
    let looking = sum(gaps().map(|g| g.within(span).1)).min(length - running - idle);
    let holding = running - waiting;
    let state = blocking_state(waiting, holding, idle);
    let before_gap = before_gap(&sessions, span);
    let during = match state {
        BlockingState::Idle => before_gap,
        BlockingState::Waiting | BlockingState::Holding => longest,
    };
    let taken_by = during.and_then(|during| scene.taken_by(&sessions, during, witness, span));
    Blame {
        state,
        during: during.map(|s| statement_ref(s, scene.trace)),
        taken_by: taken_by.map(|s| statement_ref(s, scene.trace)),
        waiting,
        holding,
        idle,
        looking,
        rest: length - running - idle - looking,
        lock_timeout: longest.and_then(|s| in_force(s.began.lock_timeout_ms)),
        idle_timeout: before_gap
            .and_then(|s| in_force(s.began.idle_in_transaction_session_timeout_ms)),
        behind: behind(scene.trace, &own_waits, span),
        held_meanwhile: match state {
            BlockingState::Waiting => {
                let taken_by = taken_by.map(|s| statement_ref(s, scene.trace));
                held_meanwhile(scene.trace, witness, longest_within(&own_waits, span), taken_by)
            }
            BlockingState::Holding | BlockingState::Idle => None,
        },
    }
}

/// A strong lock on one relation, held while the change waited for something else: everything on
/// the one stops for as long as the other makes it wait.
fn held_meanwhile(
    trace: &Trace<'_>,
    witness: &LockWait,
    own: Option<&LockWait>,
    taken_by: Option<StatementRef>,
) -> Option<HeldWhileWaiting> {
    let blocker = witness.blockers.iter().filter(|b| trace.is_change(&b.session));
    let mode = blocker.max_by_key(|b| (b.blocked, b.hard))?.mostly_held()?.to_owned();
    let (relation, own) = (witness.relation.clone()?, own?);
    (own.relation.as_ref() != Some(&relation)).then(|| HeldWhileWaiting {
        relation,
        mode,
        taken_by,
        wanted_mode: own.mode.clone(),
        wanted_locktype: own.locktype.clone(),
        wanted: own.relation.clone(),
    })
}

fn longest_within<'w>(own_waits: &[&'w LockWait], span: (Micros, Micros)) -> Option<&'w LockWait> {
    let within = |w: &&&LockWait| w.from < span.1 && w.last_seen > span.0;
    own_waits.iter().filter(within).max_by_key(|w| w.seen_for()).copied()
}

/// What the sessions themselves waited for in the span.
fn own_waits<'s>(
    scene: &Scene<'s, '_, '_>,
    sessions: &[&Session<'_, '_>],
    span: (Micros, Micros),
) -> Vec<&'s LockWait> {
    // Several attempts can go through one session.
    let ids: BTreeSet<&SessionId> = sessions.iter().map(|session| &session.id).collect();
    let mut waits: Vec<&LockWait> =
        ids.into_iter().flat_map(|id| scene.waits.within(id, span)).collect();
    waits.sort_by_key(|wait| wait.from);
    waits
}

/// The statement before the gap that takes most of the span; without one, before the last gap.
fn before_gap<'t, 'h>(
    sessions: &[&Session<'t, 'h>],
    span: (Micros, Micros),
) -> Option<&'t StatementRecord<'h>> {
    let gaps = sessions.iter().flat_map(|session| session.gaps_within(span));
    let widest = gaps.max_by_key(|gap| gap.within(span));
    let widest = widest.filter(|gap| gap.within(span) > (Micros::ZERO, Micros::ZERO));
    let last = || sessions.iter().rev().find_map(|session| session.last_gap());
    widest.or_else(last).map(|gap| gap.after)
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
fn behind(trace: &Trace<'_>, own_waits: &[&LockWait], span: (Micros, Micros)) -> Option<String> {
    let longest = longest_within(own_waits, span)?;
    let blocker = longest.blockers.iter().max_by_key(|b| (b.hard, b.blocked))?;
    let name = trace.name(&blocker.session);
    Some(match (&blocker.held, &longest.relation) {
        (Some(held), Some(relation)) => format!("{name}, which held {held} on {relation}"),
        _ => name,
    })
}
