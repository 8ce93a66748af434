//! The sampler promises: a wait is seen, for as long as it lasted, with who held it up.
//!
//! The reference is the server's own log (`log_lock_waits` with a `deadlock_timeout` of 1 ms) and
//! the blocked client's own clock. A binary of its own: nothing else of ours runs beside a test of
//! accuracy.

// A test stops where something is not as it has to be, helpers included.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use pgauntlet::clock::{Clock, Micros};
use pgauntlet::connect::{Address, Session};
use pgauntlet::history::{
    ActivitySample, Event, History, Recorder, Role, SamplerReport, Wait, silent,
};
use pgauntlet::observe::{self, INTERVAL, Sampling};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use rstest::rstest;
use tokio::sync::RwLock;

/// A server that logs every wait.
const LOGGING: &[(&str, &str)] = &[("deadlock_timeout", "1ms"), ("log_lock_waits", "on")];

/// What a busy machine of two cores may add to any time: 21 ms was the worst of 630 waits measured
/// beside a migration of five million rows.
const NOISE: Duration = Duration::from_millis(25);
/// Longest wait of a test for something that must happen.
const PATIENCE: Duration = Duration::from_secs(20);

/// A test of accuracy has the process to itself; the others share it.
static MACHINE: RwLock<()> = RwLock::const_new(());
/// A busy machine may spoil a measurement; a sampler that is wrong is wrong every time.
const ATTEMPTS: usize = 3;

/// Passes with the first attempt that does.
async fn measured<F: Future<Output = Result<(), String>>>(attempt: impl Fn() -> F) {
    let _alone = MACHINE.write().await;
    let mut failures = Vec::new();
    while failures.len() < ATTEMPTS {
        match attempt().await {
            Ok(()) => return,
            Err(failure) => failures.push(failure),
        }
    }
    panic!("{}", failures.join("\n"));
}

async fn session(address: &Address) -> Session {
    Session::open(address, "test", &BTreeMap::new()).await.expect("a session")
}

async fn run(session: &Session, sql: &str) {
    session.batch(sql).await.unwrap_or_else(|e| panic!("failed to {e}"));
}

/// Asks until the answer is true.
async fn until(asker: &Session, question: &str) {
    let asked = async {
        loop {
            let row = asker.client().query_one(question, &[]).await.expect(question);
            if row.get::<_, bool>(0) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    let answered = tokio::time::timeout(PATIENCE, asked).await;
    answered.unwrap_or_else(|_| panic!("not within {} s: {question}", PATIENCE.as_secs()));
}

/// Returns when this many backends of the database wait for a lock.
async fn until_waiting(asker: &Session, waiters: usize) {
    let question = format!(
        "SELECT count(*) >= {waiters} FROM pg_locks l JOIN pg_stat_activity a USING (pid)
         WHERE NOT l.granted AND a.datname = current_database() AND l.waitstart IS NOT NULL"
    );
    until(asker, &question).await;
}

/// A sampler, and what it recorded.
struct Watch {
    recorder: Recorder,
    sampling: Sampling,
    asker: Session,
}

impl Watch {
    async fn start(address: &Address) -> Watch {
        let recorder = Recorder::in_memory(Clock::start());
        let sampling = observe::sample(address, &recorder, INTERVAL, &silent()).await;
        let sampling = sampling.unwrap_or_else(|e| panic!("failed to {e}"));
        Watch { recorder, sampling, asker: session(address).await }
    }

    /// Returns when a sample that began after this call has ended.
    async fn sampled(&self) {
        let sql = "SELECT clock_timestamp()::text";
        let row = self.asker.client().query_one(sql, &[]).await.expect("the time");
        let question = format!(
            "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database()
             AND application_name = '{}' AND state = 'idle' AND query_start > '{}'
             AND query LIKE '%pg_locks%'",
            observe::APPLICATION_NAME,
            row.get::<_, &str>(0)
        );
        until(&self.asker, &question).await;
    }

    async fn stop(self) -> Seen {
        self.sampling.stop().await.unwrap_or_else(|e| panic!("failed to {e}"));
        Seen(self.recorder.finish().expect("a history"))
    }
}

struct Seen(History);

impl Seen {
    fn waits(&self) -> impl Iterator<Item = (Micros, &Wait)> {
        self.0.entries.iter().flat_map(|entry| match &entry.event {
            Event::Waits(sample) => sample.waits.iter().map(|w| (entry.at_us, w)).collect(),
            _ => Vec::new(),
        })
    }

    fn waits_of(&self, pid: i32) -> impl Iterator<Item = &Wait> {
        self.waits().map(|(_, wait)| wait).filter(move |wait| wait.session.pid == pid)
    }

    /// A sample of this wait that was over before the wait was: a lock may be released between
    /// the reading of the lock table and the asking for blockers.
    fn blocked_wait_of(&self, pid: i32) -> &Wait {
        let blocked = self.waits_of(pid).find(|wait| !wait.blockers.is_empty());
        blocked.unwrap_or_else(|| panic!("{pid} was not seen waiting; {:?}", self.report()))
    }

    fn activities(&self) -> impl Iterator<Item = &ActivitySample> {
        self.0.entries.iter().filter_map(|entry| match &entry.event {
            Event::Activity(sample) => Some(sample),
            _ => None,
        })
    }

    fn report(&self) -> &SamplerReport {
        let reports = self.0.entries.iter().filter_map(|entry| match &entry.event {
            Event::Sampler(report) => Some(report),
            _ => None,
        });
        let reports: Vec<&SamplerReport> = reports.collect();
        assert_eq!(reports.len(), 1, "a sampler reports once");
        reports[0]
    }

    fn observers(&self) -> BTreeSet<i32> {
        let pids = self.0.entries.iter().filter_map(|entry| match &entry.event {
            Event::Session(seen) if seen.role == Role::Observer => Some(seen.session.pid),
            _ => None,
        });
        pids.collect()
    }
}

/// A statement that somebody else runs and that waits; its answer's time is its own.
struct Blocked {
    pid: i32,
    task: tokio::task::JoinHandle<Micros>,
}

impl Blocked {
    async fn start(address: &Address, sql: &str) -> Blocked {
        let (session, sql) = (session(address).await, sql.to_owned());
        let pid = session.pid();
        let task = tokio::spawn(async move {
            let clock = Clock::start();
            run(&session, &sql).await;
            clock.now()
        });
        Blocked { pid, task }
    }

    /// How long the client waited.
    async fn took(self) -> Micros {
        let ended = tokio::time::timeout(PATIENCE, self.task).await;
        ended.expect("the statement goes on").expect("the statement ends")
    }
}

#[rstest]
#[case::some_intervals(50)]
#[case::many_intervals(200)]
#[case::a_second(1_000)]
#[tokio::test]
async fn a_lock_held_for_a_known_time_is_reported_within_one_interval(#[case] hold_ms: u64) {
    measured(|| held_for(Duration::from_millis(hold_ms))).await;
}

async fn held_for(hold: Duration) -> Result<(), String> {
    let address = common::fresh_database().await;
    let holder = session(&address).await;
    run(&holder, "CREATE TABLE t (n int)").await;
    let watch = Watch::start(&address).await;
    run(&holder, "BEGIN; LOCK TABLE t").await;
    let blocked = Blocked::start(&address, "INSERT INTO t VALUES (1)").await;
    let pid = blocked.pid;
    until_waiting(&watch.asker, 1).await;
    // The hold itself, not a synchronisation.
    tokio::time::sleep(hold).await;
    run(&holder, "COMMIT").await;
    let took = blocked.took().await;
    let seen = watch.stop().await;
    let wait = seen.blocked_wait_of(pid);
    assert_eq!((wait.locktype.as_str(), wait.mode.as_str()), ("relation", "RowExclusiveLock"));
    assert_eq!(wait.relation.as_deref(), Some("t"));
    assert_eq!(wait.blockers, [holder.id()]);
    let held = &wait.holders[0];
    assert_eq!((&held.session, held.mode.as_str()), (&holder.id(), "AccessExclusiveLock"));
    let longest = seen.waits_of(pid).filter_map(|wait| wait.waited_us).max().unwrap_or_default();
    // A sample that is under way when the wait ends tells its own end, hence the noise above.
    let (least, most) = (took - Micros::from(INTERVAL + NOISE), took + NOISE.into());
    match (least..=most).contains(&longest) {
        true => Ok(()),
        false => Err(format!("sampled {longest}, the client {took}; {:?}", seen.report())),
    }
}

/// What the server's log says of one wait.
#[derive(Debug, Default)]
struct Logged {
    mode: String,
    waited_ms: f64,
    holders: BTreeSet<i32>,
}

/// Waits by pid of the waiter. Each waiter of the test below waits once.
fn logged(log: &str) -> BTreeMap<i32, Logged> {
    let mut found: BTreeMap<i32, Logged> = BTreeMap::new();
    let mut last = 0;
    for line in log.lines() {
        if let Some((_, text)) = line.split_once("LOG:  process ") {
            let words: Vec<&str> = text.split_whitespace().collect();
            last = words[0].parse().expect("a pid");
            if words[1] == "acquired" {
                let wait = found.entry(last).or_default();
                wait.mode = words[2].to_owned();
                let after = words.iter().position(|word| *word == "after").expect("a time");
                wait.waited_ms = words[after + 1].parse().expect("milliseconds");
            }
        } else if let Some((_, text)) = line.split_once("holding the lock: ") {
            let (pids, _) = text.split_once(". Wait queue").expect("a wait queue");
            let pids = pids.split(", ").map(|pid| pid.parse::<i32>().expect("a pid"));
            found.entry(last).or_default().holders.extend(pids);
        }
    }
    found.retain(|_, wait| !wait.mode.is_empty());
    found
}

#[rstest]
#[case(1)]
#[case(2)]
#[case(3)]
#[tokio::test]
async fn every_wait_that_the_server_logs_is_found_with_its_holder(#[case] rng_seed: u64) {
    measured(|| every_logged_wait_is_found(rng_seed)).await;
}

async fn every_logged_wait_is_found(rng_seed: u64) -> Result<(), String> {
    let server = common::server_with(LOGGING).await;
    let address = common::fresh_database_with(LOGGING).await;
    let setup = session(&address).await;
    run(&setup, "CREATE TABLE a (n int); CREATE TABLE b (n int); CREATE TABLE c (n int)").await;
    let watch = Watch::start(&address).await;
    let mut rng = ChaCha8Rng::seed_from_u64(rng_seed);
    let mut waiters = BTreeSet::new();
    for _ in 0..8 {
        waiters.extend(hold_and_wait(&address, &watch, &mut rng).await);
    }
    let seen = watch.stop().await;
    let log = std::fs::read_to_string(&server.log_path).expect("the server's log");
    let mut logged = logged(&log);
    // The server has served other patterns too.
    logged.retain(|pid, _| waiters.contains(pid));
    assert_eq!(logged.len(), waiters.len(), "the server logs every wait");
    let long = logged.iter().filter(|(_, wait)| wait.waited_ms >= 30.0);
    let failures: Vec<String> =
        long.filter_map(|(pid, wait)| compare(*pid, wait, &seen).err()).collect();
    match failures.is_empty() {
        true => Ok(()),
        false => Err(format!("{}; {:?}", failures.join("; "), seen.report())),
    }
}

/// One holder and some waiters of a random pattern; returns the waiters' pids.
async fn hold_and_wait(address: &Address, watch: &Watch, rng: &mut ChaCha8Rng) -> Vec<i32> {
    let table = ["a", "b", "c"][rng.random_range(0..3)];
    let held = ["ACCESS EXCLUSIVE", "EXCLUSIVE", "SHARE"][rng.random_range(0..3)];
    let holder = session(address).await;
    run(&holder, &format!("BEGIN; LOCK TABLE {table} IN {held} MODE")).await;
    let mut blocked = Vec::new();
    for _ in 0..rng.random_range(1..4) {
        let sql = format!("INSERT INTO {table} VALUES (1)");
        blocked.push(Blocked::start(address, &sql).await);
    }
    until_waiting(&watch.asker, blocked.len()).await;
    // The hold itself, not a synchronisation.
    tokio::time::sleep(Duration::from_millis(rng.random_range(5..150))).await;
    run(&holder, "COMMIT").await;
    let pids = blocked.iter().map(|blocked| blocked.pid).collect();
    for blocked in blocked {
        blocked.took().await;
    }
    pids
}

/// The log is exact. The sampler may fall short by an interval, and may count its own length.
fn compare(pid: i32, logged: &Logged, seen: &Seen) -> Result<(), String> {
    let waits: Vec<&Wait> = seen.waits_of(pid).collect();
    let blockers: BTreeSet<i32> =
        waits.iter().flat_map(|wait| &wait.blockers).map(|b| b.pid).collect();
    let longest = waits.iter().filter_map(|wait| wait.waited_us).max().unwrap_or_default();
    let short_by = logged.waited_ms - longest.as_millis_f64();
    let noise = NOISE.as_secs_f64() * 1e3;
    let most = INTERVAL.as_secs_f64() * 1e3 + noise;
    let is_found = waits.last().is_some_and(|wait| wait.mode == logged.mode)
        && logged.holders.is_subset(&blockers)
        && (-noise..=most).contains(&short_by);
    match is_found {
        true => Ok(()),
        false => Err(format!("{pid}: {logged:?}, sampled {longest} behind {blockers:?}")),
    }
}

#[tokio::test]
async fn who_is_only_ahead_in_the_queue_is_a_blocker_and_no_holder() {
    let _shared = MACHINE.read().await;
    let address = common::fresh_database().await;
    let reader = session(&address).await;
    run(&reader, "CREATE TABLE t (n int)").await;
    let watch = Watch::start(&address).await;
    run(&reader, "BEGIN; SELECT FROM t").await;
    let alter = Blocked::start(&address, "ALTER TABLE t ADD COLUMN m int").await;
    until_waiting(&watch.asker, 1).await;
    let behind = Blocked::start(&address, "SELECT FROM t").await;
    until_waiting(&watch.asker, 2).await;
    watch.sampled().await;
    run(&reader, "COMMIT").await;
    let (alter_pid, behind_pid) = (alter.pid, behind.pid);
    alter.took().await;
    behind.took().await;
    let seen = watch.stop().await;
    let wait = seen.blocked_wait_of(alter_pid);
    assert_eq!(wait.blockers, [reader.id()]);
    assert_eq!(wait.holders.len(), 1);
    assert_eq!(wait.holders[0].mode, "AccessShareLock");
    let wait = seen.blocked_wait_of(behind_pid);
    assert_eq!(wait.blockers.iter().map(|b| b.pid).collect::<Vec<_>>(), [alter_pid]);
    assert_eq!(wait.holders, []);
}

#[tokio::test]
async fn waits_for_rows_show_the_transaction_and_then_the_tuple() {
    let _shared = MACHINE.read().await;
    let address = common::fresh_database().await;
    let holder = session(&address).await;
    run(&holder, "CREATE TABLE t (n int); INSERT INTO t VALUES (1)").await;
    let watch = Watch::start(&address).await;
    run(&holder, "BEGIN; UPDATE t SET n = 2").await;
    let first = Blocked::start(&address, "UPDATE t SET n = 3").await;
    until_waiting(&watch.asker, 1).await;
    let second = Blocked::start(&address, "UPDATE t SET n = 4").await;
    until_waiting(&watch.asker, 2).await;
    watch.sampled().await;
    run(&holder, "COMMIT").await;
    let (first_pid, second_pid) = (first.pid, second.pid);
    first.took().await;
    second.took().await;
    let seen = watch.stop().await;
    let wait = seen.blocked_wait_of(first_pid);
    assert_eq!((wait.locktype.as_str(), wait.mode.as_str()), ("transactionid", "ShareLock"));
    assert_eq!(wait.relation, None);
    assert_eq!(wait.blockers, [holder.id()]);
    assert_eq!(wait.holders[0].session, holder.id());
    let tuple = |wait: &&Wait| wait.locktype == "tuple";
    let wait = seen.waits_of(second_pid).find(tuple).expect("the second waits for the tuple");
    assert_eq!(wait.relation.as_deref(), Some("t"));
    assert_eq!(wait.blockers.iter().map(|b| b.pid).collect::<Vec<_>>(), [first_pid]);
}

#[tokio::test]
async fn a_wait_for_an_index_or_a_toast_table_is_a_wait_for_their_table() {
    let _shared = MACHINE.read().await;
    let address = common::fresh_database().await;
    let holder = session(&address).await;
    run(&holder, "CREATE TABLE t (id int PRIMARY KEY, long text)").await;
    let sql = "SELECT reltoastrelid::regclass::text FROM pg_class WHERE oid = 't'::regclass";
    let toast: String = holder.client().query_one(sql, &[]).await.expect("a row").get(0);
    let watch = Watch::start(&address).await;
    let reindex = format!("BEGIN; REINDEX INDEX t_pkey; REINDEX TABLE {toast}");
    run(&holder, &reindex).await;
    // Planning the query opens the index.
    let reader = Blocked::start(&address, "SELECT FROM t WHERE id = 1").await;
    let writer = Blocked::start(&address, &format!("REINDEX TABLE {toast}")).await;
    until_waiting(&watch.asker, 2).await;
    watch.sampled().await;
    run(&holder, "ROLLBACK").await;
    let pids = [reader.pid, writer.pid];
    reader.took().await;
    writer.took().await;
    let seen = watch.stop().await;
    for pid in pids {
        let wait = seen.blocked_wait_of(pid);
        assert_eq!(wait.relation.as_deref(), Some("t"), "{wait:?}");
        assert!(wait.holders.iter().all(|holder| holder.relation.as_deref() == Some("t")));
    }
}

#[tokio::test]
async fn names_are_read_while_their_relations_are_locked_even_those_not_yet_committed() {
    let _shared = MACHINE.read().await;
    let address = common::fresh_database().await;
    let holder = session(&address).await;
    run(&holder, "CREATE TABLE t (n int)").await;
    let watch = Watch::start(&address).await;
    run(&holder, "BEGIN; LOCK TABLE t; CREATE TABLE u (n int); DROP TABLE t").await;
    let blocked = Blocked::start(&address, "SELECT FROM t").await;
    until_waiting(&watch.asker, 1).await;
    watch.sampled().await;
    // Every lock of the server, those on the table that only its creator sees included.
    run(&watch.asker, "SET statement_timeout = '1s'").await;
    let sql = "SELECT DISTINCT relation::regclass::text FROM pg_locks
               WHERE mode = 'AccessExclusiveLock'";
    let rows = watch.asker.client().query(sql, &[]).await.expect("names without a wait");
    let names: BTreeSet<String> = rows.iter().filter_map(|row| row.get(0)).collect();
    assert!(names.contains("t"), "{names:?}");
    assert!(names.iter().any(|name| name.parse::<u32>().is_ok()), "{names:?}");
    run(&holder, "ROLLBACK").await;
    let pid = blocked.pid;
    blocked.took().await;
    let seen = watch.stop().await;
    let wait = seen.waits_of(pid).next().expect("a wait");
    assert_eq!(wait.relation.as_deref(), Some("t"));
    assert_eq!(seen.report().failed, 0);
}

#[tokio::test]
async fn other_databases_and_our_own_observers_are_left_out() {
    let _shared = MACHINE.read().await;
    let (address, other) = (common::fresh_database().await, common::fresh_database().await);
    let (holder, elsewhere) = (session(&address).await, session(&other).await);
    for session in [&holder, &elsewhere] {
        run(session, "CREATE TABLE t (n int); INSERT INTO t VALUES (1)").await;
    }
    let watch = Watch::start(&address).await;
    for session in [&holder, &elsewhere] {
        run(session, "BEGIN; UPDATE t SET n = 2").await;
    }
    let seen_here = Blocked::start(&address, "UPDATE t SET n = 3").await;
    // A wait for a transaction names no database.
    let not_ours = Blocked::start(&other, "UPDATE t SET n = 3").await;
    let sql = format!("SET application_name = '{}'; LOCK TABLE t", observe::APPLICATION_NAME);
    let our_own = Blocked::start(&address, &format!("BEGIN; {sql}; COMMIT")).await;
    until_waiting(&watch.asker, 2).await;
    until_waiting(&elsewhere, 1).await;
    watch.sampled().await;
    run(&holder, "COMMIT").await;
    run(&elsewhere, "COMMIT").await;
    let pid = seen_here.pid;
    for blocked in [seen_here, not_ours, our_own] {
        blocked.took().await;
    }
    let seen = watch.stop().await;
    let waiters: BTreeSet<i32> = seen.waits().map(|(_, wait)| wait.session.pid).collect();
    assert_eq!(waiters, BTreeSet::from([pid]));
    let backends: BTreeSet<&str> = seen
        .activities()
        .flat_map(|sample| &sample.backends)
        .map(|backend| backend.application_name.as_str())
        .collect();
    assert!(backends.contains("test"), "{backends:?}");
}

#[tokio::test]
async fn the_sessions_are_told_when_something_waits() {
    let _shared = MACHINE.read().await;
    let address = common::fresh_database().await;
    let holder = session(&address).await;
    run(&holder, "CREATE TABLE t (n int)").await;
    let watch = Watch::start(&address).await;
    run(&holder, "BEGIN; LOCK TABLE t").await;
    let blocked = Blocked::start(&address, "SELECT FROM t /* the blocked one */").await;
    let pid = blocked.pid;
    until_waiting(&watch.asker, 1).await;
    // Between two full pictures lie 100 ms while something waits.
    tokio::time::sleep(Duration::from_millis(250)).await;
    run(&holder, "COMMIT").await;
    blocked.took().await;
    let seen = watch.stop().await;
    let backend = |pid: i32, sample: &ActivitySample| {
        sample.backends.iter().find(|backend| backend.session.pid == pid).cloned()
    };
    let mut waiting = seen.activities().filter(|sample| {
        backend(pid, sample).is_some_and(|b| b.wait_event_type.as_deref() == Some("Lock"))
    });
    let picture = waiting.next().expect("a picture of the wait");
    assert!(backend(pid, picture).expect("the waiter").query.contains("the blocked one"));
    let holding = backend(holder.pid(), picture).expect("the holder");
    assert_eq!(holding.session, holder.id());
    assert_eq!(holding.state.as_deref(), Some("idle in transaction"));
    assert!(holding.transaction_age_us.is_some_and(|age| age > Micros::ZERO));
    assert!(picture.backends.iter().all(|b| !seen.observers().contains(&b.session.pid)));
}

#[tokio::test]
async fn a_sampler_that_loses_its_session_says_so_and_goes_on() {
    let _shared = MACHINE.read().await;
    let address = common::fresh_database().await;
    let holder = session(&address).await;
    run(&holder, "CREATE TABLE t (n int)").await;
    let watch = Watch::start(&address).await;
    watch.sampled().await;
    let end = format!(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE application_name = '{}' AND datname = current_database()",
        observe::APPLICATION_NAME
    );
    run(&watch.asker, &end).await;
    watch.sampled().await;
    run(&holder, "BEGIN; LOCK TABLE t").await;
    let blocked = Blocked::start(&address, "SELECT FROM t").await;
    let pid = blocked.pid;
    until_waiting(&watch.asker, 1).await;
    watch.sampled().await;
    run(&holder, "COMMIT").await;
    blocked.took().await;
    let seen = watch.stop().await;
    assert!(seen.waits_of(pid).count() > 0);
    assert_eq!(seen.observers().len(), 2);
    let report = seen.report();
    assert!(report.failed >= 1, "{report:?}");
    assert!(!report.gaps.is_empty(), "{report:?}");
}

#[tokio::test]
async fn a_busy_trial_does_not_delay_the_sampler() {
    let _alone = MACHINE.write().await;
    let address = common::fresh_database().await;
    let watch = Watch::start(&address).await;
    watch.sampled().await;
    // This thread runs everything else of the test, as a busy trial's runtime would.
    std::thread::sleep(Duration::from_millis(500));
    let report = watch.stop().await.report().clone();
    // 50 intervals; half of them leave room for a busy machine.
    assert!(report.samples >= 25, "{report:?}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_an_error_and_no_silence() {
    let _shared = MACHINE.read().await;
    let address = common::fresh_database().await.with_database("not_there");
    let recorder = Recorder::in_memory(Clock::start());
    let error = match observe::sample(&address, &recorder, INTERVAL, &silent()).await {
        Ok(_) => panic!("there is no such database"),
        Err(error) => error.to_string(),
    };
    assert!(error.starts_with("open an observing session: connect to "), "{error}");
    assert!(error.contains("3D000"), "{error}");
}
