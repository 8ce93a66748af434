//! What happened on the standby.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clock::Micros;
use crate::history::ServerError;

use super::super::statement::OperationRef;

/// The standby was behind the primary. The subject's statement ran meanwhile.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LaggingReplica {
    /// The age of the oldest WAL that was not replayed, at its worst.
    pub longest_us: Micros,
    /// Most WAL that was not replayed.
    pub bytes_max: u64,
    /// The same before the change.
    pub before_us: Micros,
    /// Most WAL that was not replayed before the change.
    pub before_bytes: u64,
    /// Longest `replay_lag` of pg_stat_replication; null: it had no figure.
    pub said_us: Option<Micros>,
    /// How old it may be; null: no limit is stated.
    pub limit_us: Option<Micros>,
    /// How much there may be; null: no limit is stated.
    pub limit_bytes: Option<u64>,
    /// For how long of the time replay waited for a reader.
    pub replay_waited_us: Micros,
    /// When the oldest of that WAL was there.
    pub from_us: Micros,
    /// When it was so old.
    pub to_us: Micros,
}

/// Reads on the standby that replay stopped. The subject's statement is to blame; the relation is
/// that of the lock.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecoveryConflicts {
    /// Reads that were cancelled.
    pub cancelled: u64,
    /// By what they had that replay could not wait for.
    pub kinds: Vec<ConflictCount>,
    /// Reads that were cancelled before the change began.
    pub cancelled_before: u64,
    /// Reads that waited for a lock that replay held or asked for.
    pub waited: u64,
    /// The longest that one of them waited.
    pub longest_us: Micros,
    /// The longest that an operation may wait.
    pub limit_us: Micros,
    /// The first that was cancelled, else the one that waited longest.
    pub first: Option<OperationRef>,
    /// The server's message to the first that was cancelled; null: none was.
    pub error: Option<ServerError>,
    /// For how long replay itself waited for readers meanwhile.
    pub replay_waited_us: Micros,
    /// `max_standby_streaming_delay`.
    pub delay_us: Micros,
    /// Whether `hot_standby_feedback` was on.
    pub hot_standby_feedback: bool,
    /// When the first of these began.
    pub from_us: Micros,
    /// When the last ended.
    pub to_us: Micros,
}

/// Reads that were cancelled for one reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConflictCount {
    /// The reason.
    pub kind: ConflictKind,
    /// How many.
    pub operations: u64,
}

/// For what replay cancels a reader, as the server's DETAIL has it.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum ConflictKind {
    /// It held a lock on a relation of which an AccessExclusiveLock is replayed.
    Lock,
    /// It might still see row versions that are to be removed.
    Snapshot,
    /// It held a page that is to be cleaned up.
    BufferPin,
    /// It used a tablespace that is to be dropped.
    Tablespace,
    /// It was connected to a database that is to be dropped.
    Database,
    /// It and replay waited for each other.
    Deadlock,
    /// The server does not say.
    Other,
}

/// Why nothing is proven of the standby.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum StandbyGap {
    /// It was not sampled.
    NotSampled {
        /// The longest time without a sample.
        for_us: Micros,
    },
    /// It did not follow its primary.
    NotStreaming {
        /// Samples that show so.
        samples: u64,
        /// Of so many.
        of: u64,
    },
    /// It had not replayed the change when the trial went on.
    NotReplayed {
        /// WAL that was missing.
        bytes: u64,
    },
}
