//! What the sessions of the server did at one moment, and how far long statements were.

use serde::{Deserialize, Serialize};

use crate::clock::Micros;

use super::session::SessionId;

/// The sessions of the server at one moment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ActivitySample {
    /// Rows of `pg_stat_activity` of the trial's database, without the observer's own.
    pub backends: Vec<Backend>,
    /// What the server said of the progress of long statements.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub progress: Vec<ProgressSeen>,
}

/// A row of `pg_stat_progress_create_index`, `_cluster`, `_vacuum` or `_copy`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProgressSeen {
    /// Whose statement it is.
    #[serde(flatten)]
    pub session: SessionId,
    /// `CREATE INDEX CONCURRENTLY`.
    pub command: String,
    /// As the server names it.
    pub phase: String,
    /// Blocks or tuples.
    pub done: u64,
    /// 0: not known.
    pub total: u64,
}

/// A row of `pg_stat_activity`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Backend {
    /// Its pid, and what distinguishes it from later sessions of the same pid.
    #[serde(flatten)]
    pub session: SessionId,
    /// `pg_stat_activity.backend_type`.
    pub backend_type: String,
    /// `pg_stat_activity.application_name`.
    pub application_name: String,
    /// `pg_stat_activity.state`; None: no client's backend.
    pub state: Option<String>,
    /// `pg_stat_activity.wait_event_type`; None: it waits for nothing.
    pub wait_event_type: Option<String>,
    /// `pg_stat_activity.wait_event`; None: it waits for nothing.
    pub wait_event: Option<String>,
    /// Time since `pg_stat_activity.xact_start`; None: no transaction is open.
    pub transaction_age_us: Option<Micros>,
    /// Time since `pg_stat_activity.query_start`; None: it has run nothing yet.
    pub query_age_us: Option<Micros>,
    /// Cut to 200 characters.
    pub query: String,
}
