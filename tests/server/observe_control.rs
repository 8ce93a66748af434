//! What tells a slower machine from a slower change, and how much WAL there is.

use std::collections::BTreeMap;
use std::time::Duration;

use pgauntlet::clock::{Clock, Micros};
use pgauntlet::connect::Session;
use pgauntlet::history::{Event, Recorder, silent};
use pgauntlet::observe;

use crate::common;

/// Longest wait for samples that are due four times a second.
const SAMPLES_TIMEOUT: Duration = Duration::from_secs(20);

#[tokio::test]
async fn the_control_is_measured_in_rounds_and_leaves_nothing_behind() {
    let address = common::fresh_database().await;
    let session = Session::open(&address, "test", &BTreeMap::new()).await.expect("a session");
    let before = observe::fingerprint(&session).await.expect("a schema");
    let recorder = Recorder::in_memory(Clock::start());
    observe::control(&address, &recorder).await.expect("a control");
    assert_eq!(observe::fingerprint(&session).await.expect("a schema"), before);
    let history = recorder.finish().expect("a history");
    let readings: Vec<_> = history
        .entries
        .iter()
        .filter_map(|entry| match &entry.event {
            Event::Control(reading) => Some(reading.took_us.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(readings.len(), 1);
    assert_eq!(readings[0].len(), 3);
    assert!(readings[0].iter().all(|took| *took > Micros::from_millis(1)), "{readings:?}");
}

#[tokio::test]
async fn the_wal_that_is_sampled_grows_by_what_is_written() {
    let address = common::fresh_database().await;
    let session = Session::open(&address, "test", &BTreeMap::new()).await.expect("a session");
    let recorder = Recorder::in_memory(Clock::start());
    let sampling = observe::sample(&address, &recorder, observe::INTERVAL, &silent()).await;
    let sampling = sampling.expect("a sampler");
    let write = async {
        // Some 10 MB, in pieces, so that samples lie between them.
        session.batch("CREATE TABLE t (word text)").await.expect("a table");
        for _ in 0..20 {
            let sql = "INSERT INTO t SELECT repeat('x', 1000) FROM generate_series(1, 500)";
            session.batch(sql).await.expect("rows");
            session.batch("SELECT pg_sleep(0.1)").await.expect("a pause");
        }
    };
    tokio::time::timeout(SAMPLES_TIMEOUT, write).await.expect("in time");
    sampling.stop().await.expect("a report");
    let history = recorder.finish().expect("a history");
    let bytes: Vec<u64> = history
        .entries
        .iter()
        .filter_map(|entry| match &entry.event {
            Event::Wal(sample) => Some(sample.bytes),
            _ => None,
        })
        .collect();
    assert!(bytes.len() >= 4, "{bytes:?}");
    assert!(bytes.is_sorted(), "{bytes:?}");
    let written = bytes[bytes.len() - 1] - bytes[0];
    assert!(written > 5_000_000, "{written} of {bytes:?}");
}
