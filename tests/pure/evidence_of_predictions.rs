//! One of each form that the evidence of a prediction takes.

use pgauntlet::clock::Micros;
use pgauntlet::pg::LockMode;
use pgauntlet::result::evidence::{PredictedStall, PredictedTimeout};
use pgauntlet::result::{
    Evidence, Interval, Leftover, PredictedHold, PredictedPool, ReachedTimeout,
};
use pgauntlet::scenario::FindingKind;

use crate::evidence_samples::subject;

const SECOND: Micros = Micros::from_secs(1);
const TOOK: Interval = Interval { low: 19e6, mid: 25e6, high: 37e6 };

pub fn evidence(kind: FindingKind) -> Vec<Evidence> {
    match kind {
        FindingKind::PredictedTimeout => timeouts(),
        _ => [None, Some(pool())].map(stall).into(),
    }
}

fn timeouts() -> Vec<Evidence> {
    let leaves = [
        Leftover::Nothing,
        Leftover::InvalidIndex,
        Leftover::HiddenInvalidIndex,
        Leftover::CommittedPart,
    ];
    let of = |leaves: Leftover, chance: Option<f64>, to_rows: Option<u64>| {
        Evidence::PredictedTimeout(PredictedTimeout {
            rows: 24_000_000,
            took: TOOK,
            tried: vec![250_000, 500_000, 1_000_000, 2_000_000],
            timeout: ReachedTimeout {
                setting: "statement_timeout".to_owned(),
                limit_us: Micros::from_secs(30),
                from_rows: 19_000_000,
                to_rows,
                chance,
                leaves,
                crash_case: to_rows.map(|_| "debris".to_owned()),
            },
        })
    };
    let asked = leaves.map(|leaves| of(leaves, Some(0.5), Some(31_000_000)));
    asked.into_iter().chain([of(Leftover::Nothing, None, None)]).collect()
}

fn pool() -> PredictedPool {
    PredictedPool {
        exhausted_after_us: Some(Micros::from_millis(150)),
        waiting: 900,
        failing: 200,
        recovery_us: SECOND,
    }
}

fn stall(pool: Option<PredictedPool>) -> Evidence {
    Evidence::PredictedStall(PredictedStall {
        at: [("spans".to_owned(), 24_000_000)].into(),
        tried: vec![250_000, 500_000, 1_000_000, 2_000_000],
        hold: PredictedHold {
            relation: "spans".to_owned(),
            mode: LockMode::AccessExclusiveLock,
            taken_by: subject().statement.expect("a statement"),
            longest: subject().statement.expect("a statement"),
            statements: if pool.is_some() { 3 } else { 1 },
            tried_us: SECOND,
            held: TOOK,
            limit_us: SECOND,
            is_known: true,
            chance: 0.98,
            pool,
        },
    })
}
