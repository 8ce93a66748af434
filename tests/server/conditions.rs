//! Each kind of condition is in force as its name says, and decides which statements wait.

use std::collections::BTreeMap;
use std::time::Duration;

use pgauntlet::clock::Clock;
use pgauntlet::connect::{Address, Session};
use pgauntlet::disturb::{self, DisturbSetup, Disturbing};
use pgauntlet::history::{DisturbanceEvent, Event, Held, Moment, Recorder};
use pgauntlet::scenario::{Condition, ConditionKind};
use rstest::rstest;

use crate::common::{self, TestServer};

/// Longer than any of the waits that are looked for takes to begin.
const SOON: Duration = Duration::from_secs(60);
/// Statements of changes, and in which way each waits: for a table, for writers of it, for old
/// snapshots and writers, for maintenance.
const ALTER: &str = "ALTER TABLE orders ADD COLUMN IF NOT EXISTS note text";
const INDEX: &str = "CREATE INDEX ON orders (customer_id)";
const CONCURRENTLY: &str = "CREATE INDEX CONCURRENTLY ON orders (customer_id)";
const ANALYZE: &str = "ALTER TABLE orders ALTER customer_id SET STATISTICS 50";

async fn session(address: &Address) -> Session {
    Session::open(address, "test", &BTreeMap::new()).await.expect("a session")
}

async fn run(session: &Session, sql: &str) {
    session.batch(sql).await.unwrap_or_else(|e| panic!("failed to {e}"));
}

/// Two tables with rows, the one referring to the other.
async fn shop(server: &TestServer) -> (Address, Session) {
    let address = server.fresh_database().await;
    let session = session(&address).await;
    run(
        &session,
        "CREATE TABLE customers (id int PRIMARY KEY, name text);
         CREATE TABLE orders (id int PRIMARY KEY, customer_id int REFERENCES customers, total int);
         INSERT INTO customers SELECT n, 'c' FROM generate_series(1, 100) n;
         INSERT INTO orders SELECT n, 1 + n % 100, n FROM generate_series(1, 20000) n",
    )
    .await;
    (address, session)
}

async fn under(kind: ConditionKind, at: &Address) -> (Disturbing, Recorder) {
    let tables = ["public.orders".to_owned(), "public.customers".to_owned()];
    let condition = Condition::of(kind, &tables);
    let session = session(at).await;
    for statement in condition.preparation() {
        run(&session, &statement).await;
    }
    let recorder = Recorder::in_memory(Clock::start());
    let setup = DisturbSetup { address: at, application: at, recorder: &recorder };
    let started = disturb::start(setup, &condition.sessions()).await;
    (started.unwrap_or_else(|e| panic!("failed to {e}")), recorder)
}

/// Whether the statement waits longer than the limit.
async fn waits(address: &Address, statement: &str, limit_ms: u64) -> bool {
    let session = session(address).await;
    run(&session, &format!("SET lock_timeout = {limit_ms}")).await;
    match session.batch(statement).await {
        Ok(()) => false,
        Err(error) => {
            assert!(error.is_one_of(&["55P03"]), "{statement}: {error}");
            true
        }
    }
}

/// What sessions have or wait for in that database, for what is said of a failure.
async fn locks_of(address: &Address) -> String {
    let sql = "SELECT pg_catalog.string_agg(pg_catalog.format('%s %s %s %s', application_name, \
               l.mode, l.relation::pg_catalog.regclass, granted), '; ') \
               FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity USING (pid) \
               WHERE l.database = (SELECT oid FROM pg_catalog.pg_database \
               WHERE datname = pg_catalog.current_database()) AND l.relation > 16000";
    let row = session(address).await.client().query_one(sql, &[]).await.expect("locks");
    row.get::<_, Option<String>>(0).unwrap_or_default()
}

fn events(recorder: &Recorder) -> Vec<DisturbanceEvent> {
    let history = recorder.finish().expect("a history");
    let events = history.entries.into_iter().filter_map(|entry| match entry.event {
        Event::Disturbance(event) => Some(*event),
        _ => None,
    });
    events.collect()
}

fn held(events: &[DisturbanceEvent]) -> Held {
    let holding = events.iter().find(|event| event.moment == Moment::Holding);
    holding.and_then(|event| event.held.clone()).expect("what is held")
}

fn modes(held: &Held) -> Vec<&str> {
    let orders = held.locks.iter().filter(|lock| lock.relation == "orders");
    orders.map(|lock| lock.mode.as_str()).collect()
}

async fn over(mut disturbing: Disturbing) {
    disturbing.change_is_over();
    let ended = tokio::time::timeout(SOON, disturbing.ended()).await;
    ended.expect("what goes on until the change is over ends with it");
}

#[rstest]
#[case::backup(ConditionKind::Backup, &["AccessShareLock"], (true, false), &[ALTER, CONCURRENTLY])]
#[case::long_reader(
    ConditionKind::LongReader, &["AccessShareLock"], (true, false), &[ALTER, CONCURRENTLY]
)]
#[case::old_snapshot(ConditionKind::OldSnapshot, &[], (true, false), &[CONCURRENTLY])]
#[case::idle_in_transaction(
    ConditionKind::IdleInTransaction,
    &["RowExclusiveLock", "RowShareLock"],
    (false, true),
    &[ALTER, INDEX, CONCURRENTLY]
)]
#[case::long_writer(
    ConditionKind::LongWriter,
    &["RowExclusiveLock", "RowShareLock"],
    (true, true),
    &[ALTER, INDEX, CONCURRENTLY]
)]
#[case::short_writers(
    ConditionKind::ShortWriters,
    &["RowExclusiveLock"],
    (false, false),
    &[ALTER, INDEX, CONCURRENTLY]
)]
#[case::vacuum(
    ConditionKind::Vacuum,
    &["ShareUpdateExclusiveLock"],
    (true, false),
    &[ALTER, INDEX, CONCURRENTLY, ANALYZE]
)]
#[tokio::test]
async fn what_a_kind_holds_decides_what_waits(
    #[case] kind: ConditionKind,
    #[case] locks: &[&str],
    #[case] (snapshot, transaction_id): (bool, bool),
    #[case] waiting: &[&str],
) {
    let server = common::server_with(&[]).await;
    let (address, _session) = shop(&server).await;
    let statements = [ALTER, INDEX, CONCURRENTLY, ANALYZE];
    let (disturbing, recorder) = under(kind, &address).await;
    for statement in statements {
        let waits = waits(&address, statement, 200).await;
        if waits != waiting.contains(&statement) {
            let locks = locks_of(&address).await;
            panic!("{statement} waits: {waits} under {kind}: {locks}; {:?}", events(&recorder));
        }
    }
    over(disturbing).await;
    let events = events(&recorder);
    let held = held(&events);
    assert_eq!(modes(&held), locks, "{held:?}");
    assert_eq!((held.snapshot, held.transaction_id), (snapshot, transaction_id), "{held:?}");
    for statement in statements {
        assert!(!waits(&address, statement, 20_000).await, "{statement} after {kind}");
    }
}

#[tokio::test]
async fn under_lock_order_a_change_that_takes_both_tables_deadlocks() {
    let server = common::server_with(&[("deadlock_timeout", "20ms")]).await;
    let (address, session) = shop(&server).await;
    let (disturbing, recorder) = under(ConditionKind::LockOrder, &address).await;
    let mut own = 0;
    for _ in 0..60 {
        let both = "BEGIN; LOCK TABLE customers IN ACCESS EXCLUSIVE MODE; \
                    LOCK TABLE orders IN ACCESS EXCLUSIVE MODE; COMMIT";
        if let Err(error) = session.batch(both).await {
            assert!(error.is_one_of(&["40P01"]), "{error}");
            own += 1;
            run(&session, "ROLLBACK").await;
        }
    }
    over(disturbing).await;
    let mut theirs = 0;
    for event in events(&recorder) {
        if let Moment::Repeated(rounds) = event.moment {
            assert!(rounds.finished > 0, "{rounds:?}");
            theirs += rounds.failed.get("40P01").copied().unwrap_or_default();
            let deadlocks = rounds.failed.keys().all(|sqlstate| sqlstate == "40P01");
            assert!(deadlocks, "nothing else fails: {rounds:?}");
        }
    }
    assert!(own + theirs > 0, "sixty transactions in one order, and nobody died");
}

#[tokio::test]
async fn a_hot_parent_is_written_all_the_time_and_lets_a_change_through() {
    let server = common::server_with(&[]).await;
    let (address, session) = shop(&server).await;
    let (disturbing, recorder) = under(ConditionKind::HotParent, &address).await;
    assert!(!waits(&address, ALTER, 20_000).await);
    let modes = "SELECT count(DISTINCT pid) FROM pg_locks WHERE relation = 'customers'::regclass
                 AND mode = 'RowExclusiveLock'";
    let several = tokio::time::timeout(SOON, async {
        while session.client().query_one(modes, &[]).await.expect("locks").get::<_, i64>(0) < 2 {}
    });
    several.await.expect("several writers are there at once");
    over(disturbing).await;
    let rounds = events(&recorder).into_iter().find_map(|event| match event.moment {
        Moment::Repeated(rounds) => Some(rounds),
        _ => None,
    });
    let rounds = rounds.expect("rounds");
    assert!(rounds.finished >= 4 && rounds.failed.is_empty(), "{rounds:?}");
}

#[tokio::test]
async fn a_wraparound_autovacuum_does_not_give_way_and_goes_with_the_change() {
    let server = common::server_with(&[("autovacuum", "on"), ("autovacuum_naptime", "1s")]).await;
    let (address, session) = shop(&server).await;
    // As rows of a seed are.
    run(&session, "VACUUM (FREEZE) orders, customers").await;
    let (disturbing, recorder) = under(ConditionKind::AntiWraparoundVacuum, &address).await;
    // A plain autovacuum gives way after deadlock_timeout, which is a second.
    assert!(waits(&address, "ALTER TABLE orders ADD COLUMN note text", 2_500).await);
    over(disturbing).await;
    let held = held(&events(&recorder));
    let locks: Vec<&str> = held.locks.iter().map(|lock| lock.mode.as_str()).collect();
    assert!(locks.contains(&"ShareUpdateExclusiveLock"), "{held:?}");
    assert!(held.active, "{held:?}");
}

#[tokio::test]
async fn a_full_server_admits_nobody_but_us_until_the_change_is_over() {
    let settings = [("max_connections", "40"), ("superuser_reserved_connections", "20")];
    let server = common::server_with(&settings).await;
    let (address, session) = shop(&server).await;
    run(&session, "CREATE ROLE clerk LOGIN").await;
    let clerk = address.with_login("clerk", None);
    let condition = Condition::of(ConditionKind::FullServer, &[]);
    let recorder = Recorder::in_memory(Clock::start());
    let setup = DisturbSetup { address: &address, application: &clerk, recorder: &recorder };
    let disturbing = disturb::start(setup, &condition.sessions()).await.expect("a full server");
    let open = async || Session::open(&clerk, "test", &BTreeMap::new()).await;
    let refused = open().await.err().expect("no connection is left");
    assert!(refused.is_one_of(&["53300"]), "{refused}");
    over(disturbing).await;
    let left = tokio::time::timeout(SOON, async {
        while open().await.is_err() {
            tokio::task::yield_now().await;
        }
    });
    left.await.expect("the connections are free again");
    let held = held(&events(&recorder));
    assert!((1..=20).contains(&held.sessions), "{held:?}");
}

#[tokio::test]
async fn a_checkpoint_storm_makes_checkpoints() {
    let server = common::server_with(&[]).await;
    let (address, session) = shop(&server).await;
    let done = async || {
        let sql = "SELECT (pg_control_checkpoint()).checkpoint_lsn::text";
        session.client().query_one(sql, &[]).await.expect("control").get::<_, String>(0)
    };
    let before = done().await;
    let (disturbing, recorder) = under(ConditionKind::CheckpointStorm, &address).await;
    let first = done().await;
    assert_ne!(first, before);
    // The round of the first one has finished where the second one is made.
    let second = tokio::time::timeout(SOON, async {
        while done().await == first {
            tokio::task::yield_now().await;
        }
    });
    second.await.expect("a second checkpoint");
    over(disturbing).await;
    let moments: Vec<Moment> = events(&recorder).into_iter().map(|event| event.moment).collect();
    let last = moments.last().expect("an end");
    assert!(matches!(last, Moment::Repeated(rounds) if rounds.finished >= 1), "{last:?}");
}

#[tokio::test]
async fn a_session_goes_on_until_the_change_has_waited_for_it_as_long_as_it_holds() {
    let server = common::server_with(&[]).await;
    let (address, _session) = shop(&server).await;
    let (mut disturbing, recorder) = under(ConditionKind::IdleInTransaction, &address).await;
    disturbing.begin_countdown();
    let hold = Duration::from_millis(pgauntlet::scenario::HOLD_MS_DEFAULT);
    // The application's own waits do not count.
    let application = Session::open(&address, "pgauntlet app", &BTreeMap::new()).await.unwrap();
    run(&application, "SET lock_timeout = 100").await;
    let waited = application.batch(INDEX).await;
    assert!(waited.is_err_and(|error| error.is_one_of(&["55P03"])));
    let began = std::time::Instant::now();
    assert!(!waits(&address, ALTER, 60_000).await);
    assert!(began.elapsed() >= hold, "{:?}", began.elapsed());
    disturbing.ended().await;
    assert_eq!(events(&recorder).last().map(|event| event.moment.clone()), Some(Moment::Ended));
}

/// The major whose pg_dump the distribution has.
const OF_THE_DISTRIBUTION: u32 = 15;
const PG_DUMP: &str = "/usr/lib/postgresql/15/bin/pg_dump";

/// pg_dump waits where nobody reads what it writes, and holds what it holds.
#[tokio::test]
async fn a_backup_holds_what_pg_dump_holds() {
    let server = common::server_of(OF_THE_DISTRIBUTION).await;
    let (address, session) = shop(&server).await;
    run(
        &session,
        "CREATE SCHEMA other; CREATE TABLE other.notes (n int); CREATE VIEW v AS SELECT 1",
    )
    .await;
    let holds = "SELECT relation::regclass::text, mode, a.backend_xmin IS NOT NULL
                 FROM pg_locks l JOIN pg_stat_activity a USING (pid)
                 WHERE a.datname = current_database() AND a.application_name LIKE $1
                 AND l.locktype = 'relation' AND l.granted
                 AND relation IN (SELECT oid FROM pg_class WHERE relkind = 'r'
                                  AND relnamespace <> 'pg_catalog'::regnamespace)
                 ORDER BY 1, 2";
    let held = async |application: &str| {
        let rows = session.client().query(holds, &[&application]).await.expect("locks");
        let held = |row: &tokio_postgres::Row| (row.get(0), row.get(1), row.get(2));
        rows.iter().map(held).collect::<Vec<(String, String, bool)>>()
    };
    let database = format!("dbname={}", address.database());
    let conninfo = server.conninfo(address.user()).replace("dbname=postgres", &database);
    let mut pg_dump = tokio::process::Command::new(PG_DUMP)
        .args(["--dbname", &conninfo])
        .stdout(std::process::Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("pg_dump; ci/setup installs it");
    let of_pg_dump = tokio::time::timeout(SOON, async {
        loop {
            let held = held("pg_dump").await;
            if held.len() >= 3 {
                return held;
            }
        }
    });
    let of_pg_dump = of_pg_dump.await.expect("pg_dump holds locks");
    pg_dump.kill().await.expect("its end");
    let (disturbing, _) = under(ConditionKind::Backup, &address).await;
    let of_backup = held("pgauntlet disturb%").await;
    over(disturbing).await;
    assert_eq!(of_backup, of_pg_dump);
    assert_eq!(of_backup.len(), 3, "{of_backup:?}");
}
