//! What the idle server carries of a scenario's operations: a short closed loop.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::driver::{DriveSetup, start_on};
use super::error::Error;
use super::schedule::Schedule;

/// Workers at most. Two cores are busy with fewer, and a pool may hold thousands of connections.
const WORKERS_MAX: u32 = 16;
/// Caches fill, and what is left of the load is written.
const SETTLE: Duration = Duration::from_millis(500);
/// How long operations are counted, as long as there are enough.
const MEASURED: Duration = Duration::from_secs(2);
/// Slow operations are counted for longer.
const MEASURED_MAX: Duration = Duration::from_secs(10);
/// Fewer operations than this say little of a rate.
const ENOUGH: u64 = 50;

/// Operations per second that succeed when each of the pool's connections sends its next operation
/// as soon as the one before has ended. The load generator's own work is part of what is carried,
/// as it is in a trial.
///
/// # Errors
/// As [`super::start`].
pub async fn capacity(setup: DriveSetup<'_>) -> Result<f64, Error> {
    let workers = setup.scenario.pool.size.clamp(1, WORKERS_MAX);
    let driving = start_on(setup, Schedule::Closed { workers }).await?;
    let succeeded = || {
        let gauge = driving.gauge();
        gauge.finished.saturating_sub(gauge.failed)
    };
    sleep(SETTLE).await;
    let (from, before) = (Instant::now(), succeeded());
    let mut counted = 0;
    while counted < ENOUGH && from.elapsed() < MEASURED_MAX {
        sleep(MEASURED).await;
        counted = succeeded().saturating_sub(before);
    }
    let per_s = counted as f64 / from.elapsed().as_secs_f64();
    driving.stop().await;
    Ok(per_s)
}
