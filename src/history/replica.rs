//! What a primary and its standby say of each other at one moment.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::clock::Micros;

use super::waits::WaitSample;

/// Both servers, asked one after the other. Positions in the WAL are bytes since it began.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ReplicaSample {
    /// `pg_current_wal_lsn()` of the primary.
    pub current: u64,
    /// Its row of `pg_stat_replication`; None: no standby is connected.
    pub sender: Option<WalSender>,
    /// Of the primary's replication slots, by name: WAL since `restart_lsn`, which it keeps.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub kept_bytes: BTreeMap<String, u64>,
    /// `pg_last_wal_receive_lsn()` of the standby; None: it has not received any.
    pub received: Option<u64>,
    /// `pg_last_wal_replay_lsn()` of the standby, asked after `current`.
    pub replayed: u64,
    /// The standby's now − `pg_last_xact_replay_timestamp()`; None: it has replayed no commit.
    pub replayed_commit_age_us: Option<Micros>,
    /// The trial's database in `pg_stat_database_conflicts` of the standby: `confl_lock` and the
    /// like, without the prefix.
    pub conflicts: BTreeMap<String, u64>,
    /// The process that replays; None: there is none.
    pub startup: Option<Startup>,
    /// What waits for a lock on the standby.
    pub waits: WaitSample,
}

/// A row of `pg_stat_replication`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WalSender {
    /// `streaming`, `catchup`, …
    pub state: String,
    /// `sent_lsn`.
    pub sent: Option<u64>,
    /// `write_lsn`.
    pub written: Option<u64>,
    /// `flush_lsn`.
    pub flushed: Option<u64>,
    /// `replay_lsn`.
    pub replayed: Option<u64>,
    /// `replay_lag`; None: the primary has no figure.
    pub replay_lag_us: Option<Micros>,
}

/// The startup process of a standby.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Startup {
    /// Its pid on the standby.
    pub pid: i32,
    /// `pg_stat_activity.wait_event`.
    pub wait_event: Option<String>,
    /// Relations of the trial's database on which it holds an AccessExclusiveLock.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub locks: Vec<String>,
}

impl ReplicaSample {
    /// WAL that the standby has not replayed.
    pub fn behind_bytes(&self) -> u64 {
        self.current.saturating_sub(self.replayed)
    }

    /// Whether the standby follows.
    pub fn streams(&self) -> bool {
        self.sender.as_ref().is_some_and(|sender| sender.state == "streaming")
    }
}
