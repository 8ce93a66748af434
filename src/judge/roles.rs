//! Which session a recorded one is, and what it is to us.
//!
//! A session whose `since` was recorded is known by it. Of one with a bare pid (a history of format
//! 4, or a session that the server did not show) the time decides: a pid is the session that was
//! last recorded with it by then. The judge gives such a session the time of its record for a
//! `since` of its own, so that from there on two sessions with one pid are two everywhere.

use std::collections::BTreeMap;

use crate::clock::Micros;
use crate::history::{Event, History, Role, SessionId, Since};

#[derive(Default)]
pub struct Roles<'h> {
    /// By pid, of all nodes, in the order in which they were recorded.
    recorded: BTreeMap<i32, Vec<Recorded<'h>>>,
    roles: BTreeMap<SessionId, &'h Role>,
}

struct Recorded<'h> {
    /// With a `since` in any case.
    session: SessionId,
    /// As it was recorded.
    seen: Option<Since>,
    /// Whether that is the server's.
    exact: bool,
    from: Micros,
    role: &'h Role,
}

impl<'h> Roles<'h> {
    pub fn of(history: &'h History) -> Roles<'h> {
        let mut roles = Roles::default();
        for entry in &history.entries {
            match &entry.event {
                Event::Session(seen) => roles.record(&seen.session, entry.at_us, &seen.role),
                Event::ConnectionOpened(opened) => {
                    roles.record(&opened.session, entry.at_us, &Role::Change);
                }
                _ => {}
            }
        }
        roles
    }

    fn record(&mut self, session: &SessionId, at: Micros, role: &'h Role) {
        // The tap records a connection of the change as a session and as a connection.
        let known = self.recorded_as(session, at);
        let again =
            known.is_some_and(|known| known.role == role && known.exact == session.since.is_some());
        if again {
            return;
        }
        // A pooler hands a session of the server's from one to another: each has it for a time.
        let handed_on = known.is_some_and(|known| known.exact);
        let seen = session.since;
        let (mut session, exact) = (session.clone(), seen.is_some());
        if !exact || handed_on {
            // The trial's clock is decades behind the server's: neither is taken for the other.
            session.since = Since::new(at.0.max(1));
        }
        self.roles.insert(session.clone(), role);
        let recorded = Recorded { session, seen, exact, from: at, role };
        self.recorded.entry(recorded.session.pid).or_default().push(recorded);
    }

    fn recorded_as(&self, session: &SessionId, at: Micros) -> Option<&Recorded<'h>> {
        let of_pid = self.recorded.get(&session.pid).map_or(&[][..], Vec::as_slice);
        let mut of_node = of_pid.iter().rev().filter(|r| r.session.node == session.node);
        if session.since.is_some() {
            let exactly = |r: &&Recorded<'h>| r.exact && r.seen == session.since;
            let mut exactly = of_node.clone().filter(exactly).peekable();
            if let Some(latest) = exactly.peek().copied() {
                return Some(exactly.find(|r| r.from <= at).unwrap_or(latest));
            }
        }
        let latest = of_node.find(|r| r.from <= at)?;
        (session.since.is_none() || !latest.exact).then_some(latest)
    }

    /// The session that was seen at that time. One that is none of ours stays what it was seen as.
    pub fn session(&self, seen: &SessionId, at: Micros) -> SessionId {
        self.recorded_as(seen, at).map_or_else(|| seen.clone(), |r| r.session.clone())
    }

    /// What the session is to us; None: nothing.
    pub fn role(&self, session: &SessionId) -> Option<&'h Role> {
        self.roles.get(session).copied()
    }
}
