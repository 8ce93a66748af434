//! The driver against a real server: accounting, latency, the pool, and how it begins and ends.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use pgauntlet::clock::Micros;
use pgauntlet::connect::Address;
use pgauntlet::drive::{self, DriveSetup};
use pgauntlet::history::{Listener, Operation, OperationOutcome, Progress, silent};
use pgauntlet::pg::SqlState;
use pgauntlet::scenario::{Generator, OperationSpec, Rate, Sizes};
use rstest::rstest;

use crate::common;
use crate::traffic::{
    World, follows, generated, insert, more_finished, more_scheduled, operation, pool, scenario,
    session, until,
};

const TABLE: &str = "CREATE TABLE t (id text, value integer)";
const LOCK: &str = "BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE";

fn read() -> OperationSpec {
    let id = generated(Generator::Integer { min: 1, max: 9 });
    operation("read", &[("SELECT * FROM t WHERE id = $1", &["id"])], &[("id", id)])
}

fn failed_with(operation: &Operation, code: &str) -> bool {
    match &operation.outcome {
        OperationOutcome::Failed(error) => {
            error.sqlstate.as_ref().is_some_and(|state| state.is(code))
        }
        _ => false,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_operation_is_accounted_for_when_a_lock_exhausts_the_pool() {
    const ACQUIRE_TIMEOUT: Micros = Micros::from_millis(150);
    let scenario = scenario(200.0, pool(2, 1, 150), vec![insert("insert")]);
    let world = World::new(common::fresh_database().await, TABLE, scenario).await;
    let driving = world.start().await;
    more_finished(&driving, 20).await;
    let blocker = session(&world.address).await;
    blocker.batch(LOCK).await.expect("the lock");
    until("the pool gives up", async || driving.gauge().failed >= 10).await;
    let exhausted = driving.gauge();
    assert_eq!(exhausted.in_use, 3, "size and overflow are checked out");
    assert!(exhausted.waiting > 0);
    blocker.batch("COMMIT").await.expect("the end of the lock");
    more_finished(&driving, 50).await;
    let stopped = driving.stop().await;

    let counters = stopped.counters;
    assert!(counters.balances(), "{counters:?}");
    assert!(counters.acquire_timeouts >= 10 && counters.unanswered == 0, "{counters:?}");
    let operations = world.operations();
    assert_eq!(operations.len() as u64, counters.scheduled);
    for (seq, operation) in operations.iter().enumerate() {
        assert_eq!(operation.seq, seq as u64, "none is missing, none is recorded twice");
        assert!(operation.scheduled_us <= operation.dispatched_us);
        assert!(operation.dispatched_us <= operation.finished_us);
        if operation.outcome == OperationOutcome::AcquireTimeout {
            let waited = operation.finished_us - operation.dispatched_us;
            assert!(waited >= ACQUIRE_TIMEOUT, "gave up after {waited}");
            assert_eq!((operation.acquired_us, &operation.session), (None, &None));
        }
    }
    let pids: BTreeSet<i32> =
        operations.iter().filter_map(|o| o.session.as_ref()).map(|s| s.pid).collect();
    assert!(pids.len() >= 3, "the overflow was used");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn latency_counts_from_the_moment_at_which_an_operation_was_due() {
    let scenario = scenario(200.0, pool(3, 3, 30_000), vec![read()]);
    let world = World::new(common::fresh_database().await, TABLE, scenario).await;
    let clock = world.recorder.clock();
    let driving = world.start().await;
    more_finished(&driving, 20).await;
    let blocker = session(&world.address).await;
    blocker.batch(LOCK).await.expect("the lock");
    let locked = clock.now();
    // A hundred arrivals at 200 per second take half a second.
    more_scheduled(&driving, 100).await;
    assert!(driving.oldest_outstanding().is_some_and(|due| due <= locked + Micros(50_000)));
    let released = clock.now();
    blocker.batch("COMMIT").await.expect("the end of the lock");
    until("the queue is gone", async || {
        driving.oldest_outstanding().is_none_or(|due| due > released)
    })
    .await;
    let told = driving.quantile_since(locked, 1.0).expect("operations have finished");
    driving.stop().await;

    let stall = released - locked;
    let operations = world.operations();
    let due_in_it = |o: &&Operation| o.scheduled_us >= locked && o.scheduled_us < released;
    let mut latencies: Vec<Micros> =
        operations.iter().filter(due_in_it).map(Operation::latency).collect();
    latencies.sort();
    assert!(latencies.len() >= 90, "{} were due in {stall}", latencies.len());
    for operation in operations.iter().filter(due_in_it) {
        assert!(operation.finished_us >= released, "{operation:?} did not wait for {released:?}");
    }
    let (half, median) = (stall.as_secs_f64() / 2.0, latencies[latencies.len() / 2]);
    let ratio = median.as_secs_f64() / half;
    assert!((0.7..1.5).contains(&ratio), "p50 of {stall} is {median}");
    assert!(told >= latencies[latencies.len() - 1], "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn overflow_connections_are_closed_when_they_come_back() {
    let scenario = scenario(100.0, pool(2, 4, 30_000), vec![read()]);
    let world = World::new(common::fresh_database().await, TABLE, scenario).await;
    let driving = world.start().await;
    assert_eq!(world.application_sessions().await, 2);
    let blocker = session(&world.address).await;
    blocker.batch(LOCK).await.expect("the lock");
    until("the overflow is open", async || world.application_sessions().await == 6).await;
    until("the rest waits", async || driving.gauge().waiting > 0).await;
    blocker.batch("COMMIT").await.expect("the end of the lock");
    until("the overflow is closed", async || world.application_sessions().await == 2).await;
    assert!(driving.open_connections() <= 3, "one may be out beside two idle ones");
    let stopped = driving.stop().await;
    assert_eq!(stopped.counters.scheduled, stopped.counters.succeeded);
    until("the pool is closed", async || world.application_sessions().await == 0).await;
    let opened_late = |o: &&Operation| o.connecting_us > Micros::ZERO;
    assert!(world.operations().iter().filter(opened_late).count() >= 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_lock_still_holds_at_the_end_is_unanswered_and_its_backends_are_ended() {
    let scenario = scenario(100.0, pool(2, 0, 200), vec![insert("insert")]);
    let world = World::new(common::fresh_database().await, TABLE, scenario).await;
    let driving = world.start().await;
    more_finished(&driving, 5).await;
    let blocker = session(&world.address).await;
    blocker.batch(LOCK).await.expect("the lock");
    until("both connections wait", async || world.lock_waits().await == 2).await;
    let stopped = driving.stop().await;
    assert_eq!(stopped.counters.unanswered, 2, "{:?}", stopped.counters);
    assert!(stopped.counters.balances());
    assert_eq!(world.lock_waits().await, 0, "nothing of ours may run on");
    blocker.batch("COMMIT").await.expect("the end of the lock");
    let report = stopped.ledger.check(&world.address, &world.scenario).await.expect("a report");
    assert_eq!((report.indeterminate, report.indeterminate_applied), (2, 0));
    assert_eq!(report.mismatches, 0, "{report:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn operations_that_sleep_are_carried_by_as_many_connections_as_the_pool_has() {
    let sleep = operation("sleep", &[("SELECT pg_sleep(0.1)", &[])], &[]);
    let scenario = scenario(1.0, pool(4, 0, 200), vec![sleep]);
    let world = World::new(common::fresh_database().await, TABLE, scenario).await;
    let (sizes, listener) = (Sizes::default(), silent());
    let setup = DriveSetup {
        address: &world.address,
        application: &world.address,
        replica: None,
        pooled: None,
        scenario: &world.scenario,
        sizes: &sizes,
        recorder: &world.recorder,
        listener: &listener,
    };
    let capacity = drive::capacity(setup).await.unwrap_or_else(|e| panic!("failed to {e}"));
    // Each sends ten a second at most; a busy machine carries fewer.
    assert!((10.0..=42.0).contains(&capacity), "{capacity}");
    until("its sessions are gone", async || world.application_sessions().await == 0).await;
}

/// Keeps so many cores busy until it is dropped.
struct Busy(Arc<AtomicBool>);

impl Busy {
    fn with(threads: usize) -> Busy {
        let over = Arc::new(AtomicBool::new(false));
        for _ in 0..threads {
            let over = Arc::clone(&over);
            std::thread::spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            });
        }
        Busy(over)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// What the limits of a scenario ask of a baseline holds at the rate that is found, whatever else
/// the machine has to do.
#[rstest]
#[case::nothing_else(0)]
#[case::a_busy_machine(3)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_rate_that_is_found_is_one_that_the_server_carries(#[case] busy: usize) {
    let _busy = Busy::with(busy);
    let operations = vec![read(), insert("insert")];
    let mut found = scenario(1.0, pool(10, 20, 5_000), operations);
    let world = World::new(common::fresh_database().await, TABLE, found.clone()).await;
    let (sizes, listener) = (Sizes::default(), silent());
    let setup = DriveSetup {
        address: &world.address,
        application: &world.address,
        scenario: &world.scenario,
        sizes: &sizes,
        recorder: &world.recorder,
        listener: &listener,
        replica: None,
        pooled: None,
    };
    let capacity = drive::capacity(setup).await.unwrap_or_else(|e| panic!("failed to {e}"));
    found.traffic.rate = Rate::PerS(Rate::CapacityShare(0.3).on(capacity));
    let world = World::new(common::fresh_database().await, TABLE, found).await;
    let driving = world.start().await;
    more_finished(&driving, 150).await;
    let p99 = driving.quantile_since(Micros::ZERO, 0.99).expect("operations");
    let counters = driving.stop().await.counters;
    let limit = Micros::from_millis(world.scenario.limits.stall_ms_max);
    assert!(p99 < limit, "p99 {p99} at {capacity} per second");
    assert_eq!((counters.failed, counters.acquire_timeouts), (0, 0), "{counters:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn traffic_that_is_dropped_leaves_no_session_behind() {
    let scenario = scenario(100.0, pool(2, 0, 200), vec![read()]);
    let world = World::new(common::fresh_database().await, TABLE, scenario).await;
    let driving = world.start().await;
    more_finished(&driving, 5).await;
    drop(driving);
    until("its sessions are gone", async || world.application_sessions().await == 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listener_hears_how_traffic_goes() {
    let scenario = scenario(100.0, pool(2, 0, 200), vec![read()]);
    let world = World::new(common::fresh_database().await, TABLE, scenario).await;
    let (sender, mut heard) = tokio::sync::mpsc::unbounded_channel();
    let listener: Listener = Arc::new(move |progress| {
        // A receiver that is gone has heard enough.
        let _ = sender.send(progress);
    });
    let (sizes, recorder) = (Sizes::default(), &world.recorder);
    let (address, scenario) = (&world.address, &world.scenario);
    let setup = DriveSetup {
        address,
        application: address,
        replica: None,
        pooled: None,
        scenario,
        sizes: &sizes,
        recorder,
        listener: &listener,
    };
    let driving = drive::start(setup).await.unwrap_or_else(|error| panic!("failed to {error}"));
    for _ in 0..2 {
        let Some(Progress::Traffic(gauge)) = heard.recv().await else { panic!("no gauge") };
        assert!(gauge.scheduled > 0 && gauge.finished > 0 && gauge.p99 > Micros::ZERO, "{gauge:?}");
    }
    driving.stop().await;
}

#[rstest]
#[case("SELECT no_such_column FROM t WHERE id = $1", Generator::Uuid, "42703")]
#[case("SELECT FROM t WHERE value = $1", Generator::Constant { value: "ten".into() }, "22P02")]
#[case("SELECT FROM t WHERE id = $1 AND value = $2", Generator::Uuid, "2 parameters")]
#[tokio::test]
async fn an_operation_that_cannot_run_is_refused_by_name_before_traffic_begins(
    #[case] sql: &str,
    #[case] generator: Generator,
    #[case] told: &str,
) {
    let broken = operation("broken-read", &[(sql, &["id"])], &[("id", generated(generator))]);
    let scenario = scenario(100.0, pool(1, 0, 1_000), vec![insert("insert"), broken]);
    let world = World::new(common::fresh_database().await, TABLE, scenario).await;
    let error = world.try_start().await.err().expect("an error").to_string();
    assert!(error.contains("broken-read") && error.contains(told), "failed to {error}");
    assert!(world.operations().is_empty());
    until("its sessions are gone", async || world.application_sessions().await == 0).await;
}

#[tokio::test]
async fn a_followed_operation_that_nobody_declares_is_refused_by_name() {
    let mut follower = read();
    follower.parameters.insert("id".to_owned(), follows("insertt", "id", 0));
    let scenario = scenario(100.0, pool(1, 0, 1_000), vec![insert("insert"), follower]);
    let world = World::new(common::fresh_database().await, TABLE, scenario).await;
    let error = world.try_start().await.err().expect("an error").to_string();
    assert!(error.contains("\"read\"") && error.contains("\"insertt\""), "failed to {error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_that_fails_leaves_nothing_and_its_connection_goes_on() {
    let statements: [(&str, &[&str]); 2] = [
        ("INSERT INTO t (id) VALUES ($1)", &["id"]),
        ("UPDATE t SET value = $1 WHERE id = $2", &["value", "id"]),
    ];
    let value = generated(Generator::Integer { min: 0, max: 1 });
    let parameters = [("id", generated(Generator::Uuid)), ("value", value)];
    let mut both = operation("both", &statements, &parameters);
    both.ledger = insert("").ledger;
    let scenario = scenario(200.0, pool(1, 0, 10_000), vec![both]);
    let schema = "CREATE TABLE t (id text, value integer CHECK (value < 1))";
    let world = World::new(common::fresh_database().await, schema, scenario).await;
    let driving = world.start().await;
    more_finished(&driving, 100).await;
    let stopped = driving.stop().await;
    let report = stopped.ledger.check(&world.address, &world.scenario).await.expect("a report");
    assert_eq!(report.mismatches, 0, "{report:?}");
    assert_eq!(world.count("SELECT count(*) FROM t").await as u64, stopped.counters.succeeded);
    let operations = world.operations();
    let refused = operations.iter().filter(|o| failed_with(o, SqlState::CHECK_VIOLATION)).count();
    assert_eq!(refused as u64, stopped.counters.failed);
    assert!(refused > 10 && stopped.counters.succeeded > 10, "{:?}", stopped.counters);
    assert_eq!(
        operations.iter().filter_map(|o| o.session.as_ref()).collect::<BTreeSet<_>>().len(),
        1
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cached_plan_fails_once_per_connection_after_a_column_was_added() {
    let scenario = scenario(200.0, pool(2, 0, 10_000), vec![read()]);
    let world = World::new(common::fresh_database().await, TABLE, scenario).await;
    let driving = world.start().await;
    more_finished(&driving, 20).await;
    world.admin.batch("ALTER TABLE t ADD COLUMN added integer").await.expect("a column");
    until("the plans have failed", async || driving.gauge().failed >= 2).await;
    more_finished(&driving, 20).await;
    let stopped = driving.stop().await;
    assert_eq!(stopped.counters.failed, 2, "{:?}", stopped.counters);
    let stale = |o: &&Operation| failed_with(o, SqlState::FEATURE_NOT_SUPPORTED);
    assert_eq!(world.operations().iter().filter(stale).count(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_the_server_refuses_fails_its_operation_with_the_sqlstate() {
    let scenario = scenario(100.0, pool(1, 5, 10_000), vec![read()]);
    let address = common::fresh_database().await;
    let world = World::new(address, TABLE, scenario).await;
    // Roles belong to the server, which other tests share.
    let role = format!("limited_{}", world.address.database());
    let grant = format!("CREATE ROLE {role} LOGIN CONNECTION LIMIT 2; GRANT SELECT ON t TO {role}");
    world.admin.batch(&grant).await.expect("a role");
    let driving = world.try_start_at(&as_user(&world.address, &role)).await;
    let driving = driving.unwrap_or_else(|error| panic!("failed to {error}"));
    let blocker = session(&world.address).await;
    blocker.batch(LOCK).await.expect("the lock");
    until("connections are refused", async || driving.gauge().failed >= 3).await;
    blocker.batch("COMMIT").await.expect("the end of the lock");
    let stopped = driving.stop().await;
    assert!(stopped.counters.balances() && stopped.counters.succeeded >= 2);
    let refused: Vec<Operation> =
        world.operations().into_iter().filter(|o| failed_with(o, "53300")).collect();
    assert_eq!(refused.len() as u64, stopped.counters.failed);
    assert!(refused.iter().all(|o| o.acquired_us.is_none() && o.connecting_us > Micros::ZERO));
}

/// The same place as another user.
fn as_user(address: &Address, user: &str) -> Address {
    let place = address.place();
    let (host, port) = place.rsplit_once(':').expect("host and port");
    let port = port.parse().expect("a port");
    let other = match host.starts_with('/') {
        true => Address::unix(std::path::Path::new(host), port, user),
        false => Address::tcp(host, port, user, None),
    };
    other.with_database(address.database())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn followers_take_each_acknowledged_key_once_and_not_too_early() {
    const AFTER_MS: u64 = 100;
    let statements: [(&str, &[&str]); 1] = [("INSERT INTO seen (id) VALUES ($1)", &["id"])];
    let follower = operation("follow", &statements, &[("id", follows("insert", "id", AFTER_MS))]);
    let scenario = scenario(400.0, pool(3, 3, 10_000), vec![insert("insert"), follower]);
    let schema = "CREATE TABLE t (id text, at timestamptz DEFAULT clock_timestamp());
                  CREATE TABLE seen (id text, at timestamptz DEFAULT clock_timestamp())";
    let world = World::new(common::fresh_database().await, schema, scenario).await;
    let driving = world.start().await;
    more_finished(&driving, 300).await;
    driving.stop().await;
    let followed = "FROM seen WHERE id <> 'nobody'";
    let used = world.count(&format!("SELECT count(*) {followed}")).await;
    assert!(used > 50, "{used}");
    assert_eq!(world.count(&format!("SELECT count(DISTINCT id) {followed}")).await, used);
    let kept = format!(
        "SELECT count(*) FROM seen JOIN t USING (id) \
         WHERE seen.at >= t.at + interval '{AFTER_MS} milliseconds'"
    );
    assert_eq!(world.count(&kept).await, used);
    assert!(world.count("SELECT count(*) FROM seen WHERE id = 'nobody'").await > 0);
}
