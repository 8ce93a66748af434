//! The extended protocol through the tap on a real server: what a pipeline may do, it still may.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::SinkExt;
use futures_util::future::try_join_all;
use pgauntlet::clock::Clock;
use pgauntlet::connect::{Address, Session};
use pgauntlet::history::{Event, Recorder, StatementEnded, silent};
use pgauntlet::migrate::TapServer;
use pgauntlet::tap::{Tap, TapSetup};
use tokio_postgres::error::SqlState;

use crate::common;

struct Tapped {
    tap: Tap,
    address: Address,
    recorder: Recorder,
}

impl Tapped {
    async fn with(schema: &str) -> Tapped {
        let server = common::fresh_database().await;
        let session = Session::open(&server, "test", &Default::default()).await;
        session.expect("a session").batch(schema).await.expect("the schema");
        let recorder = Recorder::in_memory(Clock::start());
        let upstream =
            TapServer { change: server.clone(), ours: server.clone(), recorder: recorder.clone() };
        let setup = TapSetup {
            upstream: Arc::new(upstream),
            recorder: &recorder,
            listener: &silent(),
            attempt: 0,
            announcements: None,
            faults: Vec::new(),
            gate: None,
        };
        let tap = Tap::start(setup).await.expect("a tap");
        let address = server.at(tap.address(), None);
        Tapped { tap, address, recorder }
    }

    async fn session(&self) -> Session {
        let session = Session::open(&self.address, "change", &Default::default()).await;
        session.expect("a session through the tap")
    }

    /// The statements of one session, behind the one by which it asks for its pid.
    async fn ended(self) -> Vec<StatementEnded> {
        self.tap.stop(Duration::from_secs(5)).await;
        let history = self.recorder.finish().expect("a history");
        let ended = history.entries.into_iter().filter_map(|entry| match entry.event {
            Event::StatementEnded(ended) => Some(*ended),
            _ => None,
        });
        ended.skip(1).collect()
    }
}

#[tokio::test]
async fn what_no_pipeline_may_hold_is_run_when_it_is_alone_in_its_own() {
    let tapped = Tapped::with("CREATE TABLE t (id int)").await;
    let session = tapped.session().await;
    for sql in ["CREATE INDEX CONCURRENTLY i ON t (id)", "VACUUM t"] {
        // Parse, Bind, Execute, Sync.
        let run = session.client().execute(sql, &[]).await;
        run.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }
    drop(session);
    let ended = tapped.ended().await;
    assert!(ended.iter().all(|ended| ended.error.is_none()), "{ended:?}");
}

#[tokio::test]
async fn a_copy_whose_sync_is_sent_ahead_ends_where_it_ends() {
    let tapped = Tapped::with("CREATE TABLE t (id int)").await;
    let session = tapped.session().await;
    let client = session.client();
    let sink = client.copy_in("COPY t FROM STDIN").await.expect("a copy");
    let mut sink = std::pin::pin!(sink);
    sink.send(Bytes::from_static(b"1\n2\n")).await.expect("data");
    assert_eq!(sink.as_mut().finish().await.expect("an end"), 2);
    client.execute("VACUUM t", &[]).await.expect("a statement behind it");
    let sink = client.copy_in("COPY t FROM STDIN").await.expect("a copy");
    let mut sink = std::pin::pin!(sink);
    sink.send(Bytes::from_static(b"three\n")).await.expect("data");
    let failed = sink.as_mut().finish().await.expect_err("no number");
    assert_eq!(failed.code(), Some(&SqlState::INVALID_TEXT_REPRESENTATION));
    client.execute("ALTER TABLE t ADD a int", &[]).await.expect("a statement behind it");
    drop(session);
    let ended = tapped.ended().await;
    let tags = ended.iter().map(|ended| ended.tags.concat()).collect::<Vec<_>>();
    assert_eq!(tags, ["COPY 2", "VACUUM", "", "ALTER TABLE"]);
    let failed = ended.iter().filter_map(|ended| ended.error.as_ref()?.sqlstate.clone());
    assert_eq!(failed.map(|state| state.code().to_owned()).collect::<Vec<_>>(), ["22P02"]);
}

#[tokio::test]
async fn what_is_prepared_once_and_run_often_is_told_each_time() {
    let tapped = Tapped::with("CREATE TABLE t (id int)").await;
    let session = tapped.session().await;
    let client = session.client();
    let insert = client.prepare("INSERT INTO t VALUES ($1)").await.expect("a statement");
    let runs = (0..20_i32).map(|id| {
        let insert = &insert;
        async move { client.execute(insert, &[&id]).await }
    });
    // All are on the way before the first is answered.
    let run = try_join_all(runs).await.expect("each is run");
    assert_eq!(run, [1; 20]);
    drop((insert, session));
    let ended = tapped.ended().await;
    assert_eq!(ended.len(), 20);
    assert!(ended.iter().all(|ended| ended.tags == ["INSERT 0 1"]), "{ended:?}");
}
