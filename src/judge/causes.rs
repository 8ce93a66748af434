//! For what an operation waited: a lock, something else of the server's, a connection, or nothing
//! that was seen.

use std::cell::OnceCell;
use std::collections::{BTreeMap, HashMap};

use crate::clock::Micros;
use crate::history::{Backend, Operation, Role, SessionId};
use crate::result::evidence::{Holder, WaitCause, WaitCount};

use super::trace::Trace;
use super::waits::{LockWait, LockWaits};

/// `pg_stat_activity.state` of a session that runs no statement begins with this.
const IDLE: &str = "idle";

/// Looks causes up; built once per trial, and only where something is asked.
pub struct Causes<'c, 'h> {
    trace: &'c Trace<'h>,
    waits: &'c LockWaits,
    /// What each session was seen to do, by time.
    activity: OnceCell<HashMap<SessionId, Vec<(Micros, &'h Backend)>>>,
}

impl<'c, 'h> Causes<'c, 'h> {
    pub fn of(trace: &'c Trace<'h>, waits: &'c LockWaits) -> Causes<'c, 'h> {
        Causes { trace, waits, activity: OnceCell::new() }
    }

    /// What took most of the operation's time, as far as it was seen.
    pub fn cause(&self, operation: &Operation) -> WaitCause {
        let finished = operation.finished_us;
        let acquired = operation.acquired_us.unwrap_or(finished);
        if acquired - operation.dispatched_us > finished - acquired {
            return WaitCause::Connection;
        }
        let Some(session) = &operation.session else { return WaitCause::Connection };
        let (session, span) = (self.trace.session(session, acquired), (acquired, finished));
        self.lock(&session, span).unwrap_or_else(|| self.event(&session, span))
    }

    /// The lock for which it waited longest.
    fn lock(&self, session: &SessionId, span: (Micros, Micros)) -> Option<WaitCause> {
        let within = |w: &&LockWait| w.from < span.1 && w.last_seen >= span.0;
        let own = self.waits.within(session, span).filter(within);
        let longest = own.max_by_key(|wait| wait.seen_for())?;
        let blocker = longest.blockers.iter().max_by_key(|b| (b.hard, b.blocked));
        let by = match blocker.map(|b| self.trace.role(&b.session)) {
            _ if longest.cause.is_change() => Holder::Change,
            Some(Some(Role::Application)) => Holder::Application,
            Some(Some(Role::Disturbance(_))) => Holder::Disturbance,
            _ => Holder::Other,
        };
        Some(WaitCause::Lock {
            mode: longest.mode.clone(),
            locktype: longest.locktype.clone(),
            relation: longest.relation.clone(),
            by,
            holder: match (by, blocker) {
                (Holder::Change, _) => "the change".to_owned(),
                (Holder::Application, _) => "another operation".to_owned(),
                (_, Some(blocker)) => self.trace.name(&blocker.session),
                (_, None) => "a session that was gone".to_owned(),
            },
        })
    }

    /// What its backend was seen waiting for most often.
    fn event(&self, session: &SessionId, (from, to): (Micros, Micros)) -> WaitCause {
        let samples = self.activity.get_or_init(|| self.by_session()).get(session);
        let samples = samples.map_or(&[][..], Vec::as_slice);
        let first = samples.partition_point(|(at, _)| *at < from);
        let within = samples[first..].iter().take_while(|(at, _)| *at <= to);
        let mut seen: BTreeMap<WaitCause, usize> = BTreeMap::new();
        for (_, backend) in within {
            *seen.entry(doing(backend)).or_default() += 1;
        }
        let most = seen.into_iter().max_by_key(|(_, times)| *times);
        most.map_or(WaitCause::Unseen, |(cause, _)| cause)
    }

    fn by_session(&self) -> HashMap<SessionId, Vec<(Micros, &'h Backend)>> {
        let mut by_session: HashMap<SessionId, Vec<(Micros, &'h Backend)>> = HashMap::new();
        for (at, sample) in &self.trace.activity {
            for backend in &sample.backends {
                let session = self.trace.session(&backend.session, *at);
                by_session.entry(session).or_default().push((*at, backend));
            }
        }
        by_session
    }

    /// How many of the operations waited for what, the most frequent first.
    pub fn counted<'o>(
        &self,
        operations: impl IntoIterator<Item = &'o Operation>,
        waited: impl Fn(&Operation) -> Micros,
    ) -> Vec<WaitCount> {
        let mut counted: BTreeMap<WaitCause, (u64, Micros)> = BTreeMap::new();
        for operation in operations {
            let (count, longest) = counted.entry(self.cause(operation)).or_default();
            (*count, *longest) = (*count + 1, waited(operation).max(*longest));
        }
        let count = |(cause, (operations, longest_us))| WaitCount { operations, longest_us, cause };
        let mut counts: Vec<WaitCount> = counted.into_iter().map(count).collect();
        counts.sort_by_key(|count| std::cmp::Reverse((count.operations, count.longest_us)));
        counts
    }
}

fn doing(backend: &Backend) -> WaitCause {
    if backend.state.as_deref().is_some_and(|state| state.starts_with(IDLE)) {
        return WaitCause::NotBegun;
    }
    match (&backend.wait_event_type, &backend.wait_event) {
        (Some(event_type), Some(event)) => {
            WaitCause::Event { event_type: event_type.clone(), event: event.clone() }
        }
        _ => WaitCause::Running,
    }
}
