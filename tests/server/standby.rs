//! A hot standby of a private server: made in both ways, followed, sampled, and gone with it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use pgauntlet::clock::{Clock, Micros};
use pgauntlet::connect::{Address, Session};
use pgauntlet::history::{Event, Recorder, ReplicaSample, silent};
use pgauntlet::observe::{caught_up, sample_replica};
use pgauntlet::provision::{
    Request, STANDBY_APPLICATION_NAME, Server, SourceRequest, StandbyRequest, provision,
};
use rstest::rstest;

use crate::leftovers::{Footprint, place};
use crate::provision::image;

/// Longest wait for what a standby does in a moment.
const SOON: Duration = Duration::from_secs(60);

/// A server of the major: Debian's has pg_basebackup, those of ci/setup do not.
async fn start(major: u32, cache: Option<&Path>) -> Box<dyn Server> {
    let base = std::env::var("PGAUNTLET_CI_DIR");
    let base = base.unwrap_or_else(|_| "/var/lib/pgauntlet-ci".to_owned());
    let bin = PathBuf::from(format!("{base}/pg/{major}/native/bin"));
    let pg_bin = bin.exists().then_some(bin);
    let source = SourceRequest::Local { pg_bin, major: Some(major) };
    let request = Request { source, cache: cache.map(Path::to_owned), run_as: None };
    let started = provision(&request, &silent()).await;
    started.unwrap_or_else(|e| panic!("failed to {e}\n(ci/setup installs what the tests need)"))
}

async fn in_container() -> Box<dyn Server> {
    let source = SourceRequest::Docker { image: Some(image()), major: None };
    let started = provision(&Request { source, cache: None, run_as: None }, &silent()).await;
    started.unwrap_or_else(|e| panic!("failed to {e}\n(ci/setup installs what the tests need)"))
}

async fn followed(server: &mut dyn Server, request: &StandbyRequest) -> Address {
    let followed = server.follow(Some(request)).await;
    followed.unwrap_or_else(|e| panic!("failed to {e}")).expect("an address")
}

fn request(delay_ms: u64) -> StandbyRequest {
    StandbyRequest { delay_ms, feedback: false, slot: true }
}

async fn session(address: &Address) -> Session {
    Session::open(address, "test", &BTreeMap::new()).await.unwrap_or_else(|e| panic!("{e}"))
}

async fn number(session: &Session, sql: &str) -> i64 {
    session.client().query_one(sql, &[]).await.unwrap_or_else(|e| panic!("{sql}: {e}")).get(0)
}

/// Waits until the query returns what is above zero.
async fn until(session: &Session, sql: &str) {
    let waited = tokio::time::timeout(SOON, async {
        while number(session, sql).await == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    waited.await.unwrap_or_else(|_| panic!("not within {SOON:?}: {sql}"));
}

#[rstest]
#[tokio::test]
async fn a_standby_of_every_major_follows_and_leaves_nothing(
    #[values(14, 15, 16, 17, 18)] major: u32,
) {
    let slot = major != 16;
    let mut server = start(major, None).await;
    let here = session(&server.address()).await;
    here.batch("CREATE TABLE t AS SELECT n FROM generate_series(1, 1000) n").await.unwrap();
    let wanted = StandbyRequest { slot, ..request(1_000) };
    let standby = followed(&mut *server, &wanted).await;
    // The same is not made anew, and a database that is made later comes too.
    assert_eq!(followed(&mut *server, &wanted).await.place(), standby.place());
    here.batch("CREATE DATABASE later").await.unwrap();
    caught_up((&server.address(), &standby), SOON).await.unwrap();
    let there = session(&standby).await;
    assert_eq!(number(&there, "SELECT count(*) FROM t WHERE pg_is_in_recovery()").await, 1_000);
    let slots = "SELECT count(*) FROM pg_replication_slots";
    assert_eq!(number(&here, slots).await, i64::from(slot));
    session(&standby.with_database("later")).await;

    let run = server.log_path().unwrap().parent().unwrap().to_owned();
    let of_standby = Footprint::read(&run.join("standby"), &run);
    assert!(server.follow(None).await.unwrap().is_none());
    assert_eq!(number(&here, slots).await, 0);
    assert!(!run.join("standby").exists());

    followed(&mut *server, &wanted).await;
    let again = Footprint::read(&run.join("standby"), &run);
    let footprint = Footprint::of(&*server);
    drop(here);
    server.stop().await.unwrap();
    for left in [of_standby.left(), again.left(), footprint.left()] {
        assert_eq!(left, Vec::<String>::new());
    }
}

#[rstest]
#[tokio::test]
async fn a_standby_follows_its_primary_with_other_settings(
    #[values("local", "docker")] source: &str,
) {
    let mut server = match source {
        "docker" => in_container().await,
        _ => start(18, None).await,
    };
    followed(&mut *server, &request(1_000)).await;
    let settings = BTreeMap::from([("work_mem".to_owned(), "7MB".to_owned())]);
    server.apply_settings(&settings).await.unwrap();
    let standby = followed(&mut *server, &StandbyRequest { feedback: true, ..request(500) }).await;
    let there = session(&standby).await;
    for (name, value) in [
        ("work_mem", "7MB"),
        ("hot_standby_feedback", "on"),
        ("max_standby_streaming_delay", "500ms"),
    ] {
        let row = there.client().query_one("SELECT current_setting($1)", &[&name]).await.unwrap();
        assert_eq!(row.get::<_, String>(0), value);
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_standby_in_the_container_of_its_primary_follows_ends_and_is_made_again() {
    let mut server = in_container().await;
    let here = session(&server.address()).await;
    here.batch("CREATE TABLE t AS SELECT n FROM generate_series(1, 1000) n").await.unwrap();
    let slots = "SELECT count(*) FROM pg_replication_slots";
    let streaming = "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'";
    for slot in [true, false] {
        let wanted = StandbyRequest { slot, ..request(1_000) };
        let standby = followed(&mut *server, &wanted).await;
        // The same is not made anew.
        assert_eq!(followed(&mut *server, &wanted).await.place(), standby.place());
        here.batch("INSERT INTO t VALUES (0)").await.unwrap();
        caught_up((&server.address(), &standby), SOON).await.unwrap();
        let there = session(&standby).await;
        let rows = number(&there, "SELECT count(*) FROM t WHERE pg_is_in_recovery()").await;
        assert_eq!(rows, if slot { 1_001 } else { 1_002 });
        assert_eq!(number(&here, slots).await, i64::from(slot));
    }
    assert!(server.follow(None).await.unwrap().is_none());
    assert_eq!((number(&here, slots).await, number(&here, streaming).await), (0, 0));
    // Its end was none of the primary's.
    let log = std::fs::read_to_string(server.log_path().unwrap()).unwrap();
    assert!(!log.contains("terminating any other active server processes"), "{log}");
    drop(here);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn slots_of_a_killed_process_are_dropped_at_the_next_start_on_its_cluster() {
    let cache = place();
    let server = start(18, Some(cache.path())).await;
    let here = session(&server.address()).await;
    let sql = "SELECT pg_create_physical_replication_slot('pgauntlet_standby', true)";
    here.batch(sql).await.unwrap();
    drop(here);
    server.stop().await.unwrap();
    let server = start(18, Some(cache.path())).await;
    let here = session(&server.address()).await;
    assert_eq!(number(&here, "SELECT count(*) FROM pg_replication_slots").await, 0);
    drop(here);
    server.stop().await.unwrap();
}

fn samples(recorder: &Recorder) -> Vec<(Micros, ReplicaSample)> {
    let history = recorder.finish().expect("a history");
    let samples = history.entries.into_iter().filter_map(|entry| match entry.event {
        Event::Replica(sample) => Some((entry.at_us, *sample)),
        _ => None,
    });
    samples.collect()
}

/// A long read of `t` on the standby, a lock of it on the primary, and a short read behind both.
#[rstest]
#[tokio::test]
async fn a_read_waits_behind_a_replayed_lock_and_a_longer_one_is_cancelled(
    #[values(15, 18)] major: u32,
) {
    let mut server = start(major, None).await;
    let here = session(&server.address()).await;
    here.batch("CREATE TABLE t AS SELECT n FROM generate_series(1, 1000) n").await.unwrap();
    let standby = followed(&mut *server, &request(1_500)).await;
    let primary = server.address();
    caught_up((&primary, &standby), SOON).await.unwrap();
    let recorder = Recorder::in_memory(Clock::start());
    let places = (&primary, &standby);
    let sampling = sample_replica(places, STANDBY_APPLICATION_NAME, &recorder).await.unwrap();

    let (long, short, watch) =
        (session(&standby).await, session(&standby).await, session(&standby).await);
    let reading = tokio::spawn(async move {
        long.batch("SELECT pg_sleep(60) FROM (SELECT FROM t LIMIT 1) one").await
    });
    let active = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'";
    until(&watch, active).await;
    here.batch("ALTER TABLE t ADD COLUMN note text").await.unwrap();
    let asked = "SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND NOT granted";
    until(&watch, asked).await;
    let waiting = std::time::Instant::now();
    short.batch("SELECT n FROM t LIMIT 1").await.unwrap();
    assert!(waiting.elapsed() > Duration::from_millis(500), "{:?}", waiting.elapsed());
    let error = reading.await.unwrap().expect_err("a cancelled read");
    assert!(error.is_one_of(&["40001"]), "{error}");

    // The server writes its counters with a delay.
    let counted = "SELECT confl_lock FROM pg_stat_database_conflicts \
                   WHERE datname = current_database()";
    until(&watch, counted).await;
    caught_up((&primary, &standby), SOON).await.unwrap();
    // The sampler reads what the watcher has read.
    tokio::time::sleep(Duration::from_millis(300)).await;
    sampling.stop().await;
    let found = samples(&recorder);
    let conflicts = found.iter().map(|(_, sample)| sample.conflicts["lock"]).max();
    assert_eq!(conflicts, Some(number(&watch, counted).await as u64));
    let startup = |sample: &ReplicaSample| sample.startup.as_ref().map(|startup| startup.pid);
    let waits = found.iter().filter(|(_, sample)| {
        sample.waits.waits.iter().any(|wait| {
            wait.relation.as_deref() == Some("t")
                && wait.blockers.iter().any(|blocker| Some(blocker.pid) == startup(sample))
        })
    });
    assert!(waits.count() > 3, "{found:?}");
    let longest = found.iter().filter_map(|(_, sample)| sample.sender.as_ref()?.replay_lag_us);
    assert!(longest.max() > Some(Micros::from_millis(1_000)), "{found:?}");
    assert!(found.iter().all(|(_, sample)| sample.streams()), "{found:?}");
    drop((here, watch, short));
    server.stop().await.unwrap();
}

/// Whether a read with a snapshot from before survives the removal of rows that it may see.
#[rstest]
#[tokio::test]
async fn feedback_saves_a_read_from_the_removal_of_rows(#[values(true, false)] feedback: bool) {
    let mut server = start(18, None).await;
    let here = session(&server.address()).await;
    here.batch(
        "CREATE TABLE t (n int) WITH (autovacuum_enabled = off);
         INSERT INTO t SELECT n FROM generate_series(1, 1000) n",
    )
    .await
    .unwrap();
    let wanted = StandbyRequest { feedback, ..request(0) };
    let standby = followed(&mut *server, &wanted).await;
    caught_up((&server.address(), &standby), SOON).await.unwrap();
    let reader = session(&standby).await;
    reader.batch("BEGIN ISOLATION LEVEL REPEATABLE READ").await.unwrap();
    assert_eq!(number(&reader, "SELECT count(*) FROM t").await, 1_000);
    if feedback {
        let told = "SELECT count(*) FROM pg_stat_replication WHERE backend_xmin IS NOT NULL";
        let in_slot = "SELECT count(*) FROM pg_replication_slots WHERE xmin IS NOT NULL";
        until(&here, &format!("SELECT ({told}) + ({in_slot})")).await;
    }
    here.batch("DELETE FROM t").await.unwrap();
    here.batch("VACUUM (TRUNCATE false) t").await.unwrap();
    here.batch("CREATE TABLE after ()").await.unwrap();
    caught_up((&server.address(), &standby), SOON).await.unwrap();
    let read = reader.client().query_one("SELECT count(*) FROM t", &[]).await;
    match (feedback, read) {
        (true, read) => assert_eq!(read.expect("rows").get::<_, i64>(0), 1_000),
        (false, read) => assert!(read.is_err(), "{read:?}"),
    }
    drop((here, reader));
    server.stop().await.unwrap();
}
