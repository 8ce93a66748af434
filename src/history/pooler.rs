//! What is recorded of what is between clients and server: a pooler, a network.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::clock::Micros;

use super::session::SessionId;

/// A pooler, as it begins and as it ends.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolerEvent {
    /// As it names itself: `PgBouncer 1.18.0`.
    pub version: String,
    /// `session` or `transaction`.
    pub mode: String,
    /// Whether the application's connections go through it.
    pub application: bool,
    /// Whether the change's do.
    pub change: bool,
    /// Server connections that it opens at most for each role.
    pub pool_size: u32,
    /// What has passed through it; None: it begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passed: Option<PoolerPassed>,
}

/// What passed through a pooler, as its server connections showed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolerPassed {
    /// Server connections that it opened.
    pub connections: u64,
    /// Transactions of the application.
    pub application: u64,
    /// Statements of the change.
    pub change: u64,
}

/// A slow or a broken network between the application and what it connects to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkEvent {
    /// By how much each round trip takes longer.
    pub round_trip_us: Micros,
    /// How often all connections are cut while the change is applied; None: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut_every_us: Option<Micros>,
    /// What it has done; None: it begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passed: Option<NetworkPassed>,
}

/// What a network has done to the application's connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkPassed {
    /// Connections that were carried.
    pub connections: u64,
    /// Pieces of data that were held back.
    pub delayed: u64,
    /// Connections that were cut.
    pub cut: u64,
}

/// The server connections of a pooler that served nobody just then.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PooledSessions {
    /// The application of the change that had just ended.
    pub after: u32,
    /// Each that answered.
    pub sessions: Vec<PooledSession>,
}

/// What is left on one of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PooledSession {
    /// The server's session.
    #[serde(flatten)]
    pub session: SessionId,
    /// Whether application and change share it: they sign in as one role.
    pub shared: bool,
    /// What is set otherwise than in a new session, but for what the pooler keeps of each client.
    pub settings: BTreeMap<String, String>,
    /// Advisory locks that it holds.
    pub advisory_locks: Vec<HeldAdvisory>,
}

/// An advisory lock, as `pg_locks` has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldAdvisory {
    /// The upper half of the key, or its first number.
    pub classid: u32,
    /// The lower half, or the second number.
    pub objid: u32,
}
