//! A sampler whose session hangs is blind from the question to the answer, and says so.

use std::collections::BTreeMap;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use pgauntlet::clock::{Clock, Micros};
use pgauntlet::connect::Session;
use pgauntlet::history::{Event, Recorder, silent};
use pgauntlet::observe;

use crate::common;

/// Longer than no sample ever is, and shorter than what ends a sample.
const STOPPED: Duration = Duration::from_millis(750);
/// Longest wait for something that must happen.
const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_sampler_whose_backend_is_stopped_reports_that_time_as_a_gap() {
    let address = common::fresh_database().await;
    let asker = Session::open(&address, "test", &BTreeMap::new()).await.expect("a session");
    let recorder = Recorder::in_memory(Clock::start());
    let sampling = observe::sample(&address, &recorder, observe::INTERVAL, &silent()).await;
    let sampling = sampling.expect("a sampler");
    let backend = Pid::from_raw(sampling_backend(&asker).await);
    kill(backend, Signal::SIGSTOP).expect("the backend is stopped");
    let began = recorder.clock().now();
    // The time for which it is stopped, not a synchronisation.
    tokio::time::sleep(STOPPED).await;
    let ended = recorder.clock().now();
    kill(backend, Signal::SIGCONT).expect("the backend goes on");
    sampling.stop().await.expect("a report");
    let history = recorder.finish().expect("a history");
    let mut reports = history.entries.iter().filter_map(|entry| match &entry.event {
        Event::Sampler(report) => Some(report),
        _ => None,
    });
    let report = reports.next_back().expect("a report");
    // An answer that was on the way when the backend was stopped may be read after that.
    let late = Micros::from(observe::INTERVAL);
    let covers = |(from, to): &(Micros, Micros)| *from <= began + late && *to >= ended;
    assert!(report.gaps.iter().any(covers), "stopped from {began} to {ended}: {report:?}");
}

/// The pid of the sampler's session, once it has taken a sample.
async fn sampling_backend(asker: &Session) -> i32 {
    let sql = format!(
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database()
         AND application_name = '{}' AND query LIKE '%pg_locks%'",
        observe::APPLICATION_NAME
    );
    let found = async {
        loop {
            if let Some(row) = asker.client().query_opt(&sql, &[]).await.expect("backends") {
                return row.get(0);
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, found).await.expect("a sampler at work")
}
