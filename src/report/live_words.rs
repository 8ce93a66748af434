//! The words of the live view: what goes on, how fast, how long still.

use std::time::Duration;

use crate::clock::Micros;
use crate::history::TrafficGauge;
use crate::stats::grouped;

/// `16,311 operations, 200/s, p99 3.2 ms, 4 of 30 connections, 0 waiting, lock queue 2`.
pub fn figures(gauge: &TrafficGauge, per_s: f64, lock_queue: usize) -> String {
    let failed = match gauge.failed {
        0 => String::new(),
        n => format!(", {} failed", grouped(n)),
    };
    // In a second in which nothing ended there is no latency.
    let p99 = match gauge.p99 {
        Micros::ZERO => "-".to_owned(),
        p99 => p99.to_string(),
    };
    format!(
        "{} operations, {per_s:.0}/s{failed}, p99 {p99}, {} of {} connections, {} waiting, \
         lock queue {lock_queue}",
        grouped(gauge.finished),
        gauge.in_use,
        gauge.capacity,
        grouped(gauge.waiting),
    )
}

/// How long the phase takes still; None: it is not known, or it is over any moment.
pub fn phase_left(most: Duration, exactly: bool, elapsed: Duration) -> Option<String> {
    let left = most.checked_sub(elapsed).filter(|left| left.as_millis() > 0)?;
    let left = length(left);
    Some(if exactly { format!("{left} left") } else { format!("at most {left} left") })
}

/// How long the rest takes, estimated from the trials so far; None: nothing is known yet.
pub fn run_left(elapsed: Duration, done: usize, of: usize) -> Option<String> {
    let rest = of.checked_sub(done).filter(|rest| *rest > 0 && done > 0)?;
    let each = elapsed.as_secs_f64() / done as f64;
    Some(format!("about {} in all", length(Duration::from_secs_f64(each * rest as f64))))
}

/// Rounded up: a view that says 0 s while something goes on is wrong.
fn length(of: Duration) -> String {
    let seconds = of.as_secs() + u64::from(of.subsec_nanos() > 0);
    match seconds {
        0..=99 => format!("{seconds} s"),
        100..=5_999 => format!("{} min", seconds.div_ceil(60)),
        _ => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_figures_name_rate_latency_pool_and_both_queues() {
        let gauge = TrafficGauge {
            finished: 16_311,
            failed: 0,
            waiting: 12,
            in_use: 30,
            capacity: 30,
            p99: Micros::from_millis(3),
            ..TrafficGauge::default()
        };
        assert_eq!(
            figures(&gauge, 199.6, 30),
            "16,311 operations, 200/s, p99 3.0 ms, 30 of 30 connections, 12 waiting, lock queue 30"
        );
        assert!(figures(&TrafficGauge { failed: 2, ..gauge }, 1.0, 0).contains(", 2 failed, "));
    }

    #[test]
    fn what_is_left_is_exact_or_a_bound_or_not_told() {
        let (second, most) = (Duration::from_secs(1), Duration::from_secs(600));
        assert_eq!(phase_left(5 * second, true, second).as_deref(), Some("4 s left"));
        assert_eq!(phase_left(most, false, second).as_deref(), Some("at most 10 min left"));
        assert_eq!(phase_left(second, true, 2 * second), None);
    }

    #[test]
    fn what_the_run_still_takes_is_told_by_the_trials_that_are_done() {
        assert_eq!(run_left(Duration::from_secs(60), 0, 4), None);
        assert_eq!(run_left(Duration::from_secs(60), 1, 4).as_deref(), Some("about 3 min in all"));
        assert_eq!(run_left(Duration::from_secs(60), 4, 4), None);
    }
}
