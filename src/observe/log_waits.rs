//! Waits and deadlocks from the messages of a server's log. Pure.

use std::collections::BTreeMap;

use crate::clock::Micros;
use crate::history::{LoggedDeadlock, LoggedEnd, LoggedWait};
use crate::pg::waiting::{
    WaitMessage, WaitStage, deadlock_edges, holders_and_queue, relation_oid, wait_message,
};

use super::log_lines::Message;

/// Two messages of one wait agree on its begin this well: on a busy machine a message gets its time
/// later than the length of which it tells.
const SAME_BEGIN: Micros = Micros::from_millis(100);
/// Characters that are kept of a statement.
const STATEMENT_MAX: usize = 200;

/// What the messages were found to say.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Found {
    /// A wait that is over, at that time.
    Wait(Micros, LoggedWait),
    Deadlock(Micros, LoggedDeadlock),
}

/// Waits that have begun and not ended, by pid.
#[derive(Default)]
pub(super) struct LogWaits {
    open: BTreeMap<i32, LoggedWait>,
    /// Relations by oid, as they were named while something waited for them.
    names: BTreeMap<u32, String>,
}

impl LogWaits {
    /// Takes the next message, of which the time is given on the trial's axis.
    pub(super) fn add(&mut self, at: Micros, message: &Message) -> Vec<Found> {
        if let Some(said) = wait_message(&message.text) {
            return self.said(at, said, message).into_iter().collect();
        }
        let mut found = Vec::new();
        if !matches!(message.severity.as_str(), "ERROR" | "FATAL" | "PANIC") {
            return found;
        }
        if let Some(wait) = self.open.remove(&message.pid) {
            let (waited_us, to_us) = (at - wait.from_us, Some(at));
            let outcome = LoggedEnd::Failed(message.text.clone());
            found.push(Found::Wait(at, LoggedWait { to_us, waited_us, outcome, ..wait }));
        }
        if message.text == "deadlock detected"
            && let Some(detail) = &message.detail
        {
            let edges = deadlock_edges(detail);
            let oids = edges.iter().filter_map(|edge| relation_oid(&edge.object));
            let named = oids.filter_map(|oid| Some((oid, self.names.get(&oid)?.clone())));
            let deadlock = LoggedDeadlock {
                session: message.pid.into(),
                detail: detail.clone(),
                context: message.context.clone(),
                relations: named.collect(),
            };
            found.push(Found::Deadlock(at, deadlock));
        }
        found
    }

    fn said(&mut self, at: Micros, said: WaitMessage, message: &Message) -> Option<Found> {
        let waited_us = Micros(said.waited_us);
        let from = at - waited_us;
        let same = |open: &&LoggedWait| {
            let apart = (from - open.from_us).max(open.from_us - from);
            let goes_on = apart <= SAME_BEGIN && waited_us >= open.waited_us;
            goes_on && open.object == said.object && open.mode == said.mode
        };
        let known = self.open.get(&said.pid).filter(same).cloned();
        let wait = match known {
            Some(known) => LoggedWait { waited_us, from_us: known.from_us.min(from), ..known },
            None => self.begun(&said, from, message),
        };
        match said.about {
            WaitStage::Acquired => {
                self.open.remove(&said.pid);
                let wait = LoggedWait { to_us: Some(at), outcome: LoggedEnd::Acquired, ..wait };
                Some(Found::Wait(at, wait))
            }
            WaitStage::Still | WaitStage::GivenUp => {
                let before = self.open.insert(said.pid, wait);
                // An error that was caught in a function is not in the log.
                before.filter(|before| !same(&before)).map(|before| Found::Wait(at, before))
            }
        }
    }

    fn begun(&self, said: &WaitMessage, from: Micros, message: &Message) -> LoggedWait {
        let (holders, queue) = holders_and_queue(message.detail.as_deref().unwrap_or_default());
        LoggedWait {
            session: said.pid.into(),
            mode: said.mode.clone(),
            object: said.object.clone(),
            relation: relation_oid(&said.object).and_then(|oid| self.names.get(&oid).cloned()),
            from_us: from,
            to_us: None,
            waited_us: Micros(said.waited_us),
            outcome: LoggedEnd::NotLogged,
            holders,
            queue,
            statement: message.statement.as_ref().map(|s| s.chars().take(STATEMENT_MAX).collect()),
        }
    }

    /// Relations that the messages name and whose names are not known yet.
    pub(super) fn unnamed(&self, messages: &[Message]) -> Vec<u32> {
        let objects = messages.iter().flat_map(|message| {
            let wait = wait_message(&message.text).map(|said| said.object);
            let deadlock = deadlock_edges(message.detail.as_deref().unwrap_or_default());
            wait.into_iter().chain(deadlock.into_iter().map(|edge| edge.object))
        });
        let oids = objects.filter_map(|object| relation_oid(&object));
        oids.filter(|oid| !self.names.contains_key(oid)).collect()
    }

    pub(super) fn name(&mut self, names: impl Iterator<Item = (u32, String)>) {
        self.names.extend(names);
    }

    /// Those whose end the log does not say.
    pub(super) fn end(self) -> impl Iterator<Item = LoggedWait> {
        self.open.into_values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(severity: &str, text: &str, detail: Option<&str>) -> Message {
        Message {
            pid: 7,
            severity: severity.to_owned(),
            text: text.to_owned(),
            detail: detail.map(str::to_owned),
            ..Message::default()
        }
    }

    fn still(waits: &mut LogWaits, at_ms: u64, after: &str) -> Vec<Found> {
        let text = format!(
            "process 7 still waiting for ShareLock on relation 3 of database 5 after {after} ms"
        );
        let detail = "Process holding the lock: 9. Wait queue: 8, 7.";
        waits.add(Micros::from_millis(at_ms), &message("LOG", &text, Some(detail)))
    }

    #[test]
    fn a_wait_that_is_granted_has_its_whole_length_and_who_was_before_it() {
        let mut waits = LogWaits::default();
        waits.name([(3, "t".to_owned())].into_iter());
        assert_eq!(still(&mut waits, 2_000, "1000.100"), []);
        let text = "process 7 acquired ShareLock on relation 3 of database 5 after 2500.123 ms";
        let found = waits.add(Micros::from_millis(3_500), &message("LOG", text, None));
        let [Found::Wait(at, wait)] = &found[..] else { panic!("{found:?}") };
        assert_eq!((*at, wait.to_us), (Micros(3_500_000), Some(Micros(3_500_000))));
        assert_eq!((wait.from_us, wait.waited_us), (Micros(999_877), Micros(2_500_123)));
        assert_eq!((&wait.holders[..], &wait.queue[..]), (&[9][..], &[8, 7][..]));
        assert_eq!((wait.relation.as_deref(), &wait.outcome), (Some("t"), &LoggedEnd::Acquired));
        assert_eq!(waits.end().count(), 0);
    }

    #[test]
    fn a_wait_that_a_timeout_ends_has_its_error() {
        let mut waits = LogWaits::default();
        still(&mut waits, 2_000, "1000.000");
        let error = "canceling statement due to lock timeout";
        let found = waits.add(Micros::from_millis(4_000), &message("ERROR", error, None));
        let [Found::Wait(_, wait)] = &found[..] else { panic!("{found:?}") };
        assert_eq!(wait.waited_us, Micros::from_secs(3));
        assert_eq!(wait.outcome, LoggedEnd::Failed(error.to_owned()));
    }

    #[test]
    fn a_wait_whose_error_was_caught_ends_where_the_log_says_nothing_more() {
        let mut waits = LogWaits::default();
        still(&mut waits, 2_000, "1000.000");
        let found = still(&mut waits, 9_000, "1000.000");
        let [Found::Wait(_, wait)] = &found[..] else { panic!("{found:?}") };
        assert_eq!((wait.to_us, wait.waited_us), (None, Micros::from_secs(1)));
        assert_eq!(wait.outcome, LoggedEnd::NotLogged);
        assert_eq!(waits.end().count(), 1);
    }

    #[test]
    fn a_deadlock_ends_the_wait_of_its_victim_and_names_its_relations() {
        let mut waits = LogWaits::default();
        let detail = "Process 7 waits for ShareLock on relation 3 of database 5; blocked by \
                      process 9.\nProcess 9 waits for ShareLock on transaction 8; blocked by \
                      process 7.";
        let deadlock = message("ERROR", "deadlock detected", Some(detail));
        assert_eq!(waits.unnamed(std::slice::from_ref(&deadlock)), [3]);
        waits.name([(3, "t".to_owned())].into_iter());
        let text = "process 7 detected deadlock while waiting for ShareLock on relation 3 of \
                    database 5 after 1000.000 ms";
        assert_eq!(waits.add(Micros::from_millis(2_000), &message("LOG", text, None)), []);
        let found = waits.add(Micros::from_millis(2_001), &deadlock);
        let [Found::Wait(_, wait), Found::Deadlock(_, deadlock)] = &found[..] else {
            panic!("{found:?}")
        };
        assert_eq!(wait.outcome, LoggedEnd::Failed("deadlock detected".to_owned()));
        assert_eq!(deadlock.relations, BTreeMap::from([(3, "t".to_owned())]));
    }
}
