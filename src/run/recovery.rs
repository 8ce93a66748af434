//! When the application is back to normal.

use std::time::Duration;

use crate::clock::Micros;
use crate::history::Recorder;
use crate::scenario;

use super::effects::Traffic;

/// Latency is looked at this often.
const POLL: Duration = Duration::from_millis(100);
/// The p99 of the operations due in this last stretch is compared with the baseline's, and none of
/// them may fail.
const WINDOW: Micros = Micros::from_secs(1);
/// Operations that still fail after so long will not stop failing for being watched.
const FAILING_MAX: Micros = Micros::from_secs(5);

/// Waits until latency is back at the baseline and no operation fails, or the scenario's limit is
/// reached.
pub async fn wait(
    application: &dyn Traffic,
    recorder: &Recorder,
    traffic: &scenario::Traffic,
    baseline: Micros,
) {
    let clock = recorder.clock();
    let began = clock.now();
    let limit = traffic.recovered_below(baseline);
    let (least, most) = (traffic.recovery_min_ms, traffic.recovery_max_ms);
    loop {
        tokio::time::sleep(POLL).await;
        let now = clock.now();
        let elapsed = now - began;
        if elapsed >= Micros::from_millis(most) {
            return;
        }
        let window = now - WINDOW;
        // An operation that is still out there from before the window is not back yet.
        let drained = application.oldest_outstanding().is_none_or(|due| due >= window);
        let quick = application.quantile_since(window, 0.99).is_some_and(|p99| p99 <= limit);
        if elapsed < Micros::from_millis(least) || !drained || !quick {
            continue;
        }
        let works = application.failed_since(window) == 0;
        if works || elapsed >= Micros::from_millis(least) + FAILING_MAX {
            return;
        }
    }
}
