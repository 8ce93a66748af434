//! What ended operations and statements from outside of the change: charged by cause, not by time.

use crate::clock::Micros;
use crate::history::{
    Held, Moment, Operation, OperationOutcome, Phase, ServerError, SessionId, WaitSample,
};
use crate::pg::SqlState;
use crate::result::evidence::EndedBy;

use super::lapses::Spans;
use super::trace::Trace;

/// A server that crashes closes connections before and after it says that it has.
const CRASH_NEAR: Micros = Micros::from_secs(2);
/// A pool notices within so long that a connection was cut.
const CUT_NEAR: Micros = Micros::from_millis(500);
/// What breaks a trial off ends its operations within so long.
const INTERRUPTION_NEAR: Micros = Micros::from_secs(10);
/// A pool that grew while the application waited for the change has shrunk again by then.
const WAITED_NEAR: Micros = Micros::from_secs(1);
/// Functions of the server, and forms of statements, that end the work of other sessions.
const ENDS_SESSIONS: [&str; 3] = ["pg_terminate_backend", "pg_cancel_backend", "with (force)"];

/// How sessions ended that the change did not end.
pub struct Outside {
    /// The trial has no end: when its record ends.
    broken_off: Option<Micros>,
    /// When a backend first said that another one had crashed, or the server that it recovers, or
    /// when its sessions were gone.
    crashed: Option<Micros>,
    /// From shortly before that to the first operation that succeeded again.
    pub down: Spans,
    /// When a statement of the change that ends sessions began.
    own: Option<Micros>,
    /// When the condition cut the application's connections.
    cuts: Vec<Micros>,
    /// While sessions of the condition held connections and nothing else.
    full: Vec<(Micros, Micros)>,
    /// When a session of the application was seen to wait for the change: a pool that grows
    /// because of that, and is refused a connection, fails because of the change.
    waited: Vec<Micros>,
}

impl Outside {
    pub fn of(trace: &Trace<'_>) -> Outside {
        let broken_off = trace.phase(Phase::End).is_none().then_some(trace.end);
        let statements = || trace.statements();
        let of_operations = trace.operations.iter().filter_map(|o| match &o.outcome {
            OperationOutcome::Failed(error) if is_crash(error) => Some(o.finished_us),
            _ => None,
        });
        let of_statements = statements().filter_map(|s| {
            let ended = s.ended?;
            ended.error.as_ref().filter(|error| is_crash(error)).map(|_| ended.ended_us)
        });
        let ends_sessions = |text: &str| {
            let text = text.to_lowercase();
            ENDS_SESSIONS.iter().any(|name| text.contains(name))
        };
        let of_sessions = trace.server_down.iter().copied();
        let crashes: Vec<Micros> = of_operations.chain(of_statements).chain(of_sessions).collect();
        let own = statements().filter(|s| ends_sessions(&s.began.text)).map(|s| s.at).min();
        let crashed = crashes.iter().min().copied();
        let cuts = trace.cuts.clone();
        let full = full(trace);
        // Every sample is looked at, and only a full server asks for it.
        let waited = if full.is_empty() { Vec::new() } else { waited(trace) };
        Outside { broken_off, crashed, down: down(trace, crashes), own, cuts, full, waited }
    }

    /// What ended the operation; None: it did not end from outside, as far as it is known.
    pub fn ended(&self, operation: &Operation) -> Option<EndedBy> {
        let at = operation.finished_us;
        match &operation.outcome {
            OperationOutcome::Failed(error) if error.sqlstate.is_some() => {
                self.refused(operation, error).or_else(|| self.ended_with(error, at))
            }
            OperationOutcome::Failed(_) | OperationOutcome::Indeterminate(_) => {
                self.cut(operation).or_else(|| self.lost(at))
            }
            OperationOutcome::Unanswered => self.broken_off.map(|_| EndedBy::Interruption),
            OperationOutcome::Succeeded | OperationOutcome::AcquireTimeout => None,
        }
    }

    /// The same of a statement of the change, which may cancel its own.
    pub fn ended_change(&self, error: &ServerError, at: Micros) -> Option<EndedBy> {
        let cancelled = error.sqlstate.as_ref().is_some_and(|s| s.is(SqlState::QUERY_CANCELED));
        self.ended_with(error, at).filter(|_| !cancelled)
    }

    fn ended_with(&self, error: &ServerError, at: Micros) -> Option<EndedBy> {
        let Some(state) = &error.sqlstate else { return self.lost(at) };
        let by_command = state.is(SqlState::ADMIN_SHUTDOWN)
            || (state.is(SqlState::QUERY_CANCELED) && error.message.contains("user request"));
        if is_crash(error) {
            return Some(EndedBy::Crash);
        }
        // How much room there is where the change will be applied is not known here.
        if state.is(SqlState::DISK_FULL) {
            return Some(EndedBy::FullDisk);
        }
        if !by_command || self.own.is_some_and(|own| own <= at) {
            return None;
        }
        // A server that is stopped with the trial says so to all.
        Some(self.near_the_end(at).unwrap_or(EndedBy::Administrator))
    }

    /// A connection that was cut on purpose, or whose cut was not noticed yet.
    fn cut(&self, operation: &Operation) -> Option<EndedBy> {
        let (began, at) = (operation.dispatched_us, operation.finished_us);
        let met = |cut: &&Micros| **cut <= at && began <= **cut + CUT_NEAR;
        self.cuts.iter().find(met).map(|_| EndedBy::Cut)
    }

    /// A connection that the server did not admit, where the change had no part in that.
    fn refused(&self, operation: &Operation, error: &ServerError) -> Option<EndedBy> {
        let too_many = |state: &SqlState| state.is(SqlState::TOO_MANY_CONNECTIONS);
        if !error.sqlstate.as_ref().is_some_and(too_many) {
            return None;
        }
        let at = operation.finished_us;
        let full = self.full.iter().any(|(from, to)| *from <= at && at <= *to);
        let from = operation.scheduled_us - WAITED_NEAR;
        let next = self.waited.partition_point(|waited| *waited < from);
        let by_change = self.waited.get(next).is_some_and(|waited| *waited <= at + WAITED_NEAR);
        (full && !by_change).then_some(EndedBy::FullServer)
    }

    /// Of a connection that was lost without a word.
    fn lost(&self, at: Micros) -> Option<EndedBy> {
        let crash = self.crashed.filter(|crashed| at + CRASH_NEAR >= *crashed);
        crash.map(|_| EndedBy::Crash).or_else(|| self.near_the_end(at))
    }

    fn near_the_end(&self, at: Micros) -> Option<EndedBy> {
        let near = self.broken_off.filter(|end| at + INTERRUPTION_NEAR >= *end);
        near.map(|_| EndedBy::Interruption)
    }
}

/// From when to when background sessions did nothing but hold connections.
fn full(trace: &Trace<'_>) -> Vec<(Micros, Micros)> {
    let only_connected = |held: &Held| held.sessions > 1 && held.locks.is_empty();
    let holding = trace.disturbances.iter().filter(|(_, event)| {
        event.moment == Moment::Holding && event.held.as_ref().is_some_and(only_connected)
    });
    let until = |name: &str, from: Micros| {
        let of_it = trace.disturbances.iter().filter(|(at, e)| *at >= from && e.name == name);
        let over = of_it.filter(|(_, event)| event.moment != Moment::Holding);
        over.map(|(at, _)| *at).min().unwrap_or(trace.end)
    };
    holding.map(|(from, event)| (*from, until(&event.name, *from))).collect()
}

/// When sessions of the application waited for one of the change, in that order.
fn waited(trace: &Trace<'_>) -> Vec<Micros> {
    let for_change = |(at, sample): &(Micros, &WaitSample)| {
        let session = |seen: &SessionId| trace.session(seen, *at);
        let blocked = sample.waits.iter().any(|wait| {
            let mut blockers = wait.blockers.iter().map(session);
            trace.is_application(&session(&wait.session))
                && blockers.any(|blocker| trace.is_change(&blocker))
        });
        blocked.then_some(*at)
    };
    trace.waits.iter().filter_map(for_change).collect()
}

/// From shortly before each crash to the first operation that succeeded after it.
fn down(trace: &Trace<'_>, mut crashes: Vec<Micros>) -> Spans {
    crashes.sort_unstable();
    let succeeded = |o: &&&Operation| o.outcome == OperationOutcome::Succeeded;
    let mut back: Vec<(Micros, Micros)> = match crashes.is_empty() {
        true => Vec::new(),
        false => trace.operations.iter().filter(succeeded).map(span).collect(),
    };
    back.sort_unstable();
    // The first that ends of those that begin at this one or later.
    let mut first = trace.end;
    for (_, finished) in back.iter_mut().rev() {
        first = first.min(*finished);
        *finished = first;
    }
    let until = |crash: Micros| {
        let next = back.partition_point(|(acquired, _)| *acquired <= crash);
        back.get(next).map_or(trace.end, |(_, finished)| *finished)
    };
    let spans = crashes.into_iter().map(|crash| (crash - CRASH_NEAR, until(crash)));
    Spans::of(spans.collect())
}

/// From when to when it had its connection.
fn span(operation: &&Operation) -> (Micros, Micros) {
    (operation.acquired_us.unwrap_or(operation.scheduled_us), operation.finished_us)
}

fn is_crash(error: &ServerError) -> bool {
    let states = [SqlState::CRASH_SHUTDOWN, SqlState::CANNOT_CONNECT_NOW];
    error.sqlstate.as_ref().is_some_and(|state| states.contains(&state.code()))
}
