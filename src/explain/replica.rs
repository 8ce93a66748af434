//! What the change did on the standby.

use crate::result::Subject;
use crate::result::evidence::{ConflictKind, LaggingReplica, RecoveryConflicts, StandbyGap};
use crate::stats::{bytes, grouped};

use super::files::Files;
use super::words::{bare, count, server_said, statement};

pub fn lag(of: &LaggingReplica, subject: &Subject, files: &Files) -> String {
    let limit = match (of.limit_us, of.limit_bytes) {
        (None, None) => String::new(),
        (Some(time), None) => format!(" (limit {time})"),
        (None, Some(max)) => format!(" (limit {})", bytes(max)),
        (Some(time), Some(max)) => format!(" (limits {time}, {})", bytes(max)),
    };
    let said = match of.said_us {
        Some(said) => format!("; pg_stat_replication.replay_lag: at most {said}"),
        None => String::new(),
    };
    let waited = match of.replay_waited_us.0 {
        0 => String::new(),
        _ => format!("; for {} of it replay waited for a reader", of.replay_waited_us),
    };
    let during = match subject.statement {
        Some(_) => format!(" while {} ran or was replayed", statement(subject, files)),
        None => String::new(),
    };
    format!(
        "the standby was up to {} and {} behind the primary{limit}{during}; before the change up \
         to {}{waited}{said}",
        of.longest_us,
        bytes(of.bytes_max),
        of.before_us,
    )
}

pub fn conflict(of: &RecoveryConflicts, subject: &Subject, files: &Files) -> String {
    let mut parts = Vec::new();
    if of.waited > 0 {
        let limit = of.limit_us;
        let waited = count(of.waited, "read");
        parts.push(format!("{waited} waited up to {} (limit {limit})", of.longest_us));
    }
    if of.cancelled > 0 {
        let kinds: Vec<String> = of.kinds.iter().map(|of| reason(of.kind).to_owned()).collect();
        let said = of.error.as_ref().map(server_said).unwrap_or_default();
        let cancelled = count(of.cancelled, "read");
        let was = if of.cancelled == 1 { "was" } else { "were" };
        parts.push(format!("{cancelled} {was} cancelled for {}: {said}", kinds.join(", or ")));
    }
    let relation =
        subject.relation.as_ref().map_or_else(String::new, |r| format!(" of {}", bare(r)));
    let blame = match subject.statement {
        Some(_) => format!("replay of {}", statement(subject, files)),
        None => "replay of what no statement of the change did".to_owned(),
    };
    let replay = match of.replay_waited_us.0 {
        0 => String::new(),
        _ => format!(
            "; replay itself waited {} for readers (max_standby_streaming_delay {})",
            of.replay_waited_us, of.delay_us
        ),
    };
    format!("on the standby, {blame} stopped reads{relation}: {}{replay}", parts.join(", and "))
}

fn reason(kind: ConflictKind) -> &'static str {
    match kind {
        ConflictKind::Lock => "a lock on the relation",
        ConflictKind::Snapshot => "row versions that were removed",
        ConflictKind::BufferPin => "a page that was cleaned up",
        ConflictKind::Tablespace => "a tablespace that was dropped",
        ConflictKind::Database => "a database that was dropped",
        ConflictKind::Deadlock => "a deadlock with replay",
        ConflictKind::Other => "being in the way of replay",
    }
}

pub fn gap(gap: &StandbyGap) -> String {
    match gap {
        StandbyGap::NotSampled { for_us } => format!(
            "the standby was not sampled for {for_us}: what its readers went through is not known"
        ),
        StandbyGap::NotStreaming { samples, of } => format!(
            "the standby did not follow its primary in {} of {} samples: what it would have \
             replayed is not known",
            grouped(*samples),
            grouped(*of)
        ),
        StandbyGap::NotReplayed { bytes: missing } => format!(
            "the standby had not replayed the change when the trial went on, {} were missing: \
             raise recovery_max_ms, or lower max_standby_streaming_delay_ms",
            bytes(*missing)
        ),
    }
}

/// What to do about reads that replay stopped.
pub fn conflict_remedy(of: &RecoveryConflicts) -> String {
    let snapshots = of.kinds.iter().any(|count| count.kind == ConflictKind::Snapshot);
    match (snapshots, of.hot_standby_feedback) {
        (true, false) => {
            "set hot_standby_feedback = on where long reads matter more than bloat on \
                          the primary; it does not help against locks"
                .to_owned()
        }
        _ => {
            "an AccessExclusiveLock is in the WAL and is replayed: take it in a short transaction \
              of its own, with no other work in it, while no long read runs on the standby (run \
              long reads elsewhere, or cancel them before); hot_standby_feedback does not help \
              against locks, and a VACUUM that truncates a table takes one too"
                .to_owned()
        }
    }
}
