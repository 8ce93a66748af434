//! One of each form that the evidence of what happened on a standby takes.

use pgauntlet::clock::Micros;
use pgauntlet::history::ServerError;
use pgauntlet::pg::SqlState;
use pgauntlet::result::evidence::{
    ConflictCount, ConflictKind, FailedMeasurement, LaggingReplica, RecoveryConflicts, StandbyGap,
};
use pgauntlet::result::{Evidence, OperationRef};
use pgauntlet::scenario::FindingKind;

const KINDS: [ConflictKind; 7] = [
    ConflictKind::Lock,
    ConflictKind::Snapshot,
    ConflictKind::BufferPin,
    ConflictKind::Tablespace,
    ConflictKind::Database,
    ConflictKind::Deadlock,
    ConflictKind::Other,
];

fn lags() -> Vec<Evidence> {
    let limits = [
        (None, None),
        (Some(Micros(1)), None),
        (None, Some(1)),
        (Some(Micros::from_millis(1_000)), Some(16 << 20)),
    ];
    let lag = |(limit_us, limit_bytes): (Option<Micros>, Option<u64>)| LaggingReplica {
        longest_us: Micros::from_millis(2_800),
        bytes_max: 29 << 20,
        before_us: Micros::ZERO,
        before_bytes: 0,
        said_us: limit_us,
        limit_us,
        limit_bytes,
        replay_waited_us: limit_us.unwrap_or_default(),
        from_us: Micros::from_millis(5_300),
        to_us: Micros::from_millis(8_100),
    };
    limits.map(lag).map(Evidence::ReplicaLag).into()
}

fn conflicts() -> Vec<Evidence> {
    let error = ServerError {
        sqlstate: Some(SqlState::new("40001")),
        message: "canceling statement due to conflict with recovery".to_owned(),
        detail: Some("User was holding a relation lock for too long.".to_owned()),
        ..ServerError::default()
    };
    let of = |(cancelled, waited, kind, feedback): (u64, u64, ConflictKind, bool)| {
        Evidence::RecoveryConflict(RecoveryConflicts {
            cancelled,
            kinds: (cancelled > 0)
                .then_some(ConflictCount { kind, operations: cancelled })
                .into_iter()
                .collect(),
            cancelled_before: 0,
            waited,
            longest_us: Micros::from_millis(1_910),
            limit_us: Micros::from_millis(1_000),
            first: Some(OperationRef { name: "read-span".to_owned(), pid: Some(700) }),
            error: (cancelled > 0).then(|| error.clone()),
            replay_waited_us: Micros::from_millis(cancelled * 1_000),
            delay_us: Micros::from_millis(2_000),
            hot_standby_feedback: feedback,
            from_us: Micros::from_millis(5_000),
            to_us: Micros::from_millis(7_210),
        })
    };
    let cancelled = KINDS.into_iter().map(|kind| (1, 0, kind, false));
    let others = [(2, 3, ConflictKind::Lock, true), (0, 3, ConflictKind::Lock, false)];
    cancelled.chain(others).map(of).collect()
}

pub fn gaps() -> Vec<FailedMeasurement> {
    let gaps = [
        StandbyGap::NotSampled { for_us: Micros::from_millis(3_000) },
        StandbyGap::NotStreaming { samples: 3, of: 100 },
        StandbyGap::NotReplayed { bytes: 1_000 },
    ];
    gaps.map(FailedMeasurement::Standby).into()
}

pub fn evidence(kind: FindingKind) -> Vec<Evidence> {
    match kind {
        FindingKind::ReplicaLag => lags(),
        _ => conflicts(),
    }
}
