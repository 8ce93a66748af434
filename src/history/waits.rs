//! What was not granted at one moment, and how a sample of it is stored.
//!
//! A queue of fifty names each of its sessions some twenty times. So a stored sample has bare pids,
//! and since when each session is there once: at one moment a pid of a server is one session.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::clock::Micros;

use super::session::{Node, SessionId, Since};

/// What was not granted on one node at one moment. Recorded only where something waited; a sample
/// in which nothing changes but the time is recorded ten times a second, and once more as it was
/// last seen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WaitSample {
    /// Backends whose request is not granted, by pid.
    pub waits: Vec<Wait>,
}

/// A lock that is not granted: a row of `pg_locks`.
#[derive(Clone, Debug, PartialEq)]
pub struct Wait {
    /// Who waits.
    pub session: SessionId,
    /// `pg_locks.locktype`: relation, transactionid, tuple, virtualxid, …
    pub locktype: String,
    /// `pg_locks.mode` verbatim.
    pub mode: String,
    /// Where the lock names one.
    pub relation: Option<String>,
    /// Server's now − waitstart; None: waitstart was not set yet, so the wait has just begun.
    pub waited_us: Option<Micros>,
    /// `pg_blocking_pids`: hard and soft blockers alike; pid 0 is a prepared transaction.
    pub blockers: Vec<SessionId>,
    /// Those of them that hold a lock on the same object, whatever its mode: hard blockers are
    /// among these, the others are ahead in the queue.
    pub holders: Vec<GrantedLock>,
}

/// A lock that is granted: a row of `pg_locks`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantedLock {
    /// Backend that holds it.
    pub session: SessionId,
    /// Qualified name; None: the lock is on no relation.
    pub relation: Option<String>,
    /// `pg_locks.mode`.
    pub mode: String,
}

impl WaitSample {
    /// Every session that the sample names, some of them several times.
    pub fn sessions(&self) -> impl Iterator<Item = &SessionId> {
        self.waits.iter().flat_map(|wait| {
            let holders = wait.holders.iter().map(|lock| &lock.session);
            std::iter::once(&wait.session).chain(&wait.blockers).chain(holders)
        })
    }
}

#[derive(Serialize, Deserialize)]
struct StoredSample {
    waits: Vec<StoredWait>,
    /// By pid, where it is known.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    since_us: BTreeMap<i32, Since>,
    #[serde(default, skip_serializing_if = "Node::is_primary")]
    node: Node,
}

#[derive(Serialize, Deserialize)]
struct StoredWait {
    pid: i32,
    locktype: String,
    mode: String,
    relation: Option<String>,
    waited_us: Option<Micros>,
    blockers: Vec<i32>,
    holders: Vec<StoredLock>,
}

#[derive(Serialize, Deserialize)]
struct StoredLock {
    pid: i32,
    relation: Option<String>,
    mode: String,
}

impl Serialize for WaitSample {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let wait = |wait: &Wait| StoredWait {
            pid: wait.session.pid,
            locktype: wait.locktype.clone(),
            mode: wait.mode.clone(),
            relation: wait.relation.clone(),
            waited_us: wait.waited_us,
            blockers: wait.blockers.iter().map(|blocker| blocker.pid).collect(),
            holders: wait.holders.iter().map(stored_lock).collect(),
        };
        let since = |session: &SessionId| session.since.map(|since| (session.pid, since));
        let sample = StoredSample {
            waits: self.waits.iter().map(wait).collect(),
            since_us: self.sessions().filter_map(since).collect(),
            node: self.waits.first().map(|wait| wait.session.node.clone()).unwrap_or_default(),
        };
        sample.serialize(serializer)
    }
}

fn stored_lock(lock: &GrantedLock) -> StoredLock {
    let GrantedLock { session, relation, mode } = lock;
    StoredLock { pid: session.pid, relation: relation.clone(), mode: mode.clone() }
}

impl<'de> Deserialize<'de> for WaitSample {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<WaitSample, D::Error> {
        let StoredSample { waits, since_us, node } = StoredSample::deserialize(deserializer)?;
        let session = |pid: i32| {
            let since = since_us.get(&pid).copied();
            SessionId { node: node.clone(), pid, since }
        };
        let lock = |lock: StoredLock| {
            let StoredLock { pid, relation, mode } = lock;
            GrantedLock { session: session(pid), relation, mode }
        };
        let wait = |wait: StoredWait| Wait {
            session: session(wait.pid),
            locktype: wait.locktype,
            mode: wait.mode,
            relation: wait.relation,
            waited_us: wait.waited_us,
            blockers: wait.blockers.into_iter().map(session).collect(),
            holders: wait.holders.into_iter().map(lock).collect(),
        };
        Ok(WaitSample { waits: waits.into_iter().map(wait).collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::super::session::since;
    use super::*;

    fn sample(waiter: SessionId, blocker: SessionId) -> WaitSample {
        let (relation, mode) = (Some("t".to_owned()), "ShareLock".to_owned());
        let wait = Wait {
            session: waiter,
            locktype: "relation".to_owned(),
            mode: mode.clone(),
            relation: relation.clone(),
            waited_us: Some(Micros(5)),
            blockers: vec![blocker.clone()],
            holders: vec![GrantedLock { session: blocker, relation, mode }],
        };
        WaitSample { waits: vec![wait] }
    }

    #[test]
    fn sessions_of_a_sample_are_read_as_they_were_written() {
        let standby =
            |pid, us| SessionId { node: Node::Standby("b".into()), pid, since: since(Some(us)) };
        for sample in [
            sample(standby(1, 10), standby(2, 20)),
            sample(SessionId::new(1, since(Some(10))), 2.into()),
        ] {
            let stored = serde_json::to_string(&sample).unwrap();
            assert_eq!(serde_json::from_str::<WaitSample>(&stored).unwrap(), sample);
        }
    }

    #[test]
    fn a_sample_with_bare_pids_is_read() {
        let stored = r#"{"waits":[{"pid":1,"locktype":"relation","mode":"ShareLock",
            "relation":"t","waited_us":5,"blockers":[2],
            "holders":[{"pid":2,"relation":"t","mode":"ShareLock"}]}]}"#;
        let read: WaitSample = serde_json::from_str(stored).unwrap();
        assert_eq!(read, sample(1.into(), 2.into()));
    }
}
