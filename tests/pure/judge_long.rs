//! The judge on long trials: what it does must not grow faster than the history.

use std::time::{Duration, Instant};

use pgauntlet::judge::observe;
use pgauntlet::judge::timeline::timeline;

use crate::{long, made::Made};

/// Processor time of this thread where the system tells it: other work does not count.
fn spent() -> Duration {
    let path = "/proc/thread-self/schedstat";
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let nanoseconds = text.split_whitespace().next().and_then(|text| text.parse().ok());
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    let elapsed = || START.get_or_init(Instant::now).elapsed();
    nanoseconds.map_or_else(elapsed, Duration::from_nanos)
}

/// The least of several times.
fn time(operations: u64, waits: u64) -> Duration {
    let (scenario, history) = (Made::with_change().scenario, long::history(operations, waits));
    let once = |_| {
        let began = spent();
        let judgement = observe(&scenario, &history);
        assert_eq!(timeline(&scenario, &history).stalls.len() as u64, waits);
        assert_eq!(judgement.measured.stalled_operations, waits);
        spent() - began
    };
    (0..3).map(once).min().unwrap_or_default()
}

#[test]
fn twice_the_operations_and_twice_the_waits_take_about_twice_the_time() {
    let (one, two) = (time(40_000, 800), time(80_000, 1_600));
    assert!(two.as_secs_f64() <= one.as_secs_f64() * 3.0, "{one:?}, and for twice that {two:?}");
}
