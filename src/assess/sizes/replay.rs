//! The application's pool while a lock is held: operations arrive at the rate at which they did,
//! take as long as they did, and wait for the lock or for a connection.
//!
//! A model of one server, one pool and one lock: what else slows operations down once the lock is
//! gone is not in it.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::clock::Micros;
use crate::pg::milliseconds;
use crate::result::{Judgement, PredictedPool};
use crate::scenario::{OperationSpec, Rate, Scenario};

/// Operations go on for so long after the lock, for the last ones that wait to be seen.
const AFTER: Micros = Micros::from_secs(60);
/// A longer hold is replayed as one of this length.
const HELD_MAX: Micros = Micros::from_secs(3_600);
/// An operation takes this where nothing was measured.
const SERVICE_DEFAULT: Micros = Micros::from_millis(2);

/// The pool, as the model knows it.
#[derive(Clone, Copy, Debug)]
pub struct PoolModel {
    pub connections: usize,
    pub acquire_timeout: Micros,
    /// Ends an operation that waits for the lock; None: nothing does.
    pub gives_up_after: Option<Micros>,
}

/// The application, as the model knows it.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    pub rate_per_s: f64,
    /// Share of the operations that wait for the lock.
    pub stopped: f64,
    pub service: Micros,
    /// The longest that an operation may wait.
    pub limit: Micros,
}

/// What a lock that is held so long does to the scenario's application.
pub fn replay(
    scenario: &Scenario,
    trial: &Judgement,
    stopped: &[&OperationSpec],
    held: Micros,
) -> PredictedPool {
    let weight = |operations: &mut dyn Iterator<Item = &OperationSpec>| -> f64 {
        operations.map(|operation| operation.weight).sum()
    };
    let all = weight(&mut scenario.traffic.operations.iter());
    let share = weight(&mut stopped.iter().copied()) / all.max(f64::MIN_POSITIVE);
    let declared = match scenario.traffic.rate {
        Rate::PerS(rate) => rate,
        Rate::CapacityShare(_) => 0.0,
    };
    let tried = trial.trial.tried.as_ref().map(|tried| tried.rate_per_s);
    let before = trial.measured.latency.before;
    let service = if before.count > 0 { before.p50_us } else { SERVICE_DEFAULT };
    let load = Load {
        rate_per_s: tried.unwrap_or(declared),
        stopped: share,
        service,
        limit: trial.ending.stall_limit_us,
    };
    let timeouts = ["lock_timeout", "statement_timeout"];
    let set = timeouts.iter().filter_map(|name| scenario.pool.settings.get(*name));
    let pool = PoolModel {
        connections: (scenario.pool.size + scenario.pool.overflow) as usize,
        acquire_timeout: Micros::from_millis(scenario.pool.acquire_timeout_ms),
        gives_up_after: set.filter_map(|value| time_of(value)).min(),
    };
    run(pool, load, held.min(HELD_MAX))
}

/// Operations at equal distances, the stopped ones evenly among them.
pub fn run(pool: PoolModel, load: Load, held: Micros) -> PredictedPool {
    let mut outcome = PredictedPool {
        exhausted_after_us: None,
        waiting: 0,
        failing: 0,
        recovery_us: Micros::ZERO,
    };
    let connections = pool.connections.max(1);
    if load.rate_per_s <= 0.0 {
        return outcome;
    }
    // When each connection is free again, the soonest first.
    let mut free: BinaryHeap<Reverse<Micros>> =
        (0..connections).map(|_| Reverse(Micros(0))).collect();
    let (step, end) = (1e6 / load.rate_per_s, held + AFTER);
    let (mut at, mut due) = (0.0, 0.0);
    let mut last = Micros::ZERO;
    while at < end.0 as f64 {
        let arrived = Micros(at as u64);
        at += step;
        due += load.stopped;
        let is_stopped = due >= 1.0;
        due -= f64::from(u8::from(is_stopped));
        let Some(Reverse(soonest)) = free.pop() else { break };
        let begun = arrived.max(soonest);
        if begun > arrived && arrived < held && outcome.exhausted_after_us.is_none() {
            outcome.exhausted_after_us = Some(arrived);
        }
        if begun - arrived > pool.acquire_timeout {
            outcome.failing += 1;
            outcome.waiting += u64::from(pool.acquire_timeout > load.limit);
            free.push(Reverse(soonest));
            continue;
        }
        let waits = if is_stopped { held - begun } else { Micros::ZERO };
        let gives_up = pool.gives_up_after.filter(|after| waits > *after);
        let done = match gives_up {
            Some(after) => begun + after,
            None => begun + waits + load.service,
        };
        outcome.failing += u64::from(gives_up.is_some());
        if done - arrived > load.limit {
            outcome.waiting += 1;
            last = last.max(done);
        }
        free.push(Reverse(done));
    }
    outcome.recovery_us = last - held;
    outcome
}

/// `500`, `500ms`, `30s`, `1min`; None: no time, or none that ends anything.
fn time_of(setting: &str) -> Option<Micros> {
    // A person may write blanks, which SHOW does not.
    let ms = milliseconds(&setting.replace(' ', ""))?;
    (ms > 0).then(|| Micros::from_millis(ms))
}

#[cfg(test)]
mod tests {
    use super::*;

    const POOL: PoolModel =
        PoolModel { connections: 15, acquire_timeout: Micros::from_secs(30), gives_up_after: None };
    const LOAD: Load = Load {
        rate_per_s: 100.0,
        stopped: 1.0,
        service: Micros::from_millis(2),
        limit: Micros::from_millis(500),
    };

    #[test]
    fn the_pool_is_empty_once_as_many_wait_as_it_has_connections() {
        let outcome = run(POOL, LOAD, Micros::from_secs(2));
        assert_eq!(outcome.exhausted_after_us, Some(Micros::from_millis(150)));
        // Those of the first second and a half wait longer than half a second.
        assert!((148..=156).contains(&outcome.waiting), "{outcome:?}");
        assert_eq!(outcome.failing, 0);
        assert!(outcome.recovery_us < Micros::from_millis(500), "{outcome:?}");
    }

    #[test]
    fn whoever_is_not_stopped_waits_for_a_connection_all_the_same() {
        let half = Load { stopped: 0.5, ..LOAD };
        let outcome = run(POOL, half, Micros::from_secs(2));
        let after = outcome.exhausted_after_us.expect("it is exhausted");
        assert!((290_000..=320_000).contains(&after.0), "{after}");
        assert!(outcome.waiting > 100, "{outcome:?}");
    }

    #[test]
    fn the_pool_gives_up_on_those_that_it_cannot_serve_in_time() {
        let pool = PoolModel { acquire_timeout: Micros::from_secs(1), ..POOL };
        let outcome = run(pool, LOAD, Micros::from_secs(10));
        // From 0.15 s to 9 s all of them, a hundred a second.
        assert!((880..=890).contains(&outcome.failing), "{outcome:?}");
    }

    #[test]
    fn a_timeout_of_the_application_frees_connections_and_fails_operations() {
        let pool = PoolModel { gives_up_after: Some(Micros::from_millis(100)), ..POOL };
        let outcome = run(pool, LOAD, Micros::from_secs(2));
        assert_eq!((outcome.exhausted_after_us, outcome.failing), (None, 190));
    }

    #[test]
    fn a_setting_is_read_with_its_unit() {
        let times = ["500", "500ms", "30s", " 1min", "0", "off"].map(time_of);
        let ms = |ms: u64| Some(Micros::from_millis(ms));
        assert_eq!(times, [ms(500), ms(500), ms(30_000), ms(60_000), None, None]);
    }
}
