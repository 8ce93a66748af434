//! The built-in runner on a real server: transactions, timeouts, versions, retries, the trace.

use std::sync::Arc;
use std::time::Duration;

use pgauntlet::connect::Session;
use pgauntlet::history::{AttemptEnd, ClosedBy, Event, Source, TransactionStatus};
use pgauntlet::pg::LockMode;
use pgauntlet::scenario::{
    Migration, Pause, Repeat, Retries, RetryOf, RetryPolicy, Scope, Stop, TransactionRule,
    VersionRows, Versions,
};
use rstest::rstest;

use crate::migrated::{Trial, change, code, migration};

#[tokio::test]
async fn a_migration_that_fails_leaves_nothing_and_one_that_ran_is_not_run_again() {
    let trial = Trial::with("CREATE TABLE t (id int)").await;
    let good = migration("1", "ALTER TABLE t ADD COLUMN a int");
    let bad = migration("2", "ALTER TABLE t ADD COLUMN b int; SELECT 1/0");
    let end = trial.apply(&change(vec![good.clone(), bad]), 0).await;
    assert_eq!(code(&end), Some("22012"));
    let mended = migration("2", "ALTER TABLE t ADD COLUMN b int");
    let end = trial.apply(&change(vec![good, mended]), 1).await;
    assert_eq!(end, AttemptEnd::Finished { applied: Some(1) });
    let versions = "SELECT string_agg(version, ',' ORDER BY version) FROM schema_versions";
    assert_eq!(trial.text(versions).await, "1,2");
}

#[tokio::test]
async fn a_lock_is_seen_as_held_from_the_statement_that_took_it_to_the_commit() {
    let trial = Trial::with("CREATE TABLE t (id int PRIMARY KEY)").await;
    let sql = "ALTER TABLE t ADD COLUMN a int; INSERT INTO t VALUES (1); SELECT count(*) FROM t";
    trial.apply(&change(vec![migration("1", sql)]), 0).await;
    let traces = trial.traces();
    let of_file = traces.iter().filter(|(b, _)| b.source != Source::Runner);
    for (began, ended) in of_file {
        let strongest = ended.held.iter().find(|h| h.relation == "t").expect("a lock on t");
        assert_eq!(strongest.mode, LockMode::AccessExclusiveLock, "after {}", began.text);
        assert_eq!(ended.transaction, TransactionStatus::InTransaction);
    }
    let (_, commit) = traces.iter().find(|(b, _)| b.text == "COMMIT").expect("a commit");
    assert_eq!(commit.held, []);
}

#[rstest]
#[case::rewrite("ALTER TABLE t ADD COLUMN u uuid DEFAULT gen_random_uuid()", &["t"])]
#[case::type_change("ALTER TABLE t ALTER COLUMN id TYPE bigint", &["t"])]
#[case::metadata_only("ALTER TABLE t ADD COLUMN a int DEFAULT 5", &[])]
#[case::index("CREATE INDEX i ON t (id)", &[])]
#[tokio::test]
async fn a_rewrite_is_seen_inside_the_transaction_that_makes_it(
    #[case] sql: &str,
    #[case] rewritten: &[&str],
) {
    let schema = "CREATE TABLE t (id int PRIMARY KEY); \
                  INSERT INTO t SELECT generate_series(1, 1000)";
    let trial = Trial::with(schema).await;
    trial.apply(&change(vec![migration("1", sql)]), 0).await;
    let (_, ended) = trial.trace(sql);
    for relation in rewritten {
        assert!(ended.rewritten.iter().any(|r| r == relation), "{:?}", ended.rewritten);
    }
    assert_eq!(ended.rewritten.is_empty(), rewritten.is_empty(), "{:?}", ended.rewritten);
}

#[tokio::test]
async fn rows_and_wal_of_a_statement_are_recorded() {
    let trial = Trial::with("CREATE TABLE t (id int, pad text)").await;
    let sql = "INSERT INTO t SELECT i, repeat('x', 500) FROM generate_series(1, 2000) i";
    trial.apply(&change(vec![migration("1", sql)]), 0).await;
    let (_, ended) = trial.trace("INSERT INTO t");
    assert_eq!(ended.rows, Some(2_000));
    assert!(ended.wal_bytes.is_some_and(|bytes| bytes > 1_000_000), "{:?}", ended.wal_bytes);
}

#[rstest]
#[case::local(Scope::Local, 0, 0)]
#[case::session(Scope::Session, 3_000, 30_000)]
#[tokio::test]
async fn only_session_timeouts_reach_into_an_autocommit_block(
    #[case] scope: Scope,
    #[case] lock_ms: u64,
    #[case] statement_ms: u64,
) {
    let trial = Trial::with("CREATE TABLE t (id int)").await;
    let sql = "ALTER TABLE t ADD COLUMN a int; COMMIT; \
               CREATE INDEX CONCURRENTLY i ON t (a); BEGIN; SELECT 1";
    let mut change = change(vec![migration("1", sql)]);
    change.timeouts.scope = scope;
    let end = trial.apply(&change, 0).await;
    assert_eq!(end, AttemptEnd::Finished { applied: Some(1) });
    let traces = trial.traces();
    let find = |text: &str| traces.iter().find(|(b, _)| b.text.starts_with(text));
    let (inside, _) = find("ALTER TABLE").expect("the first statement");
    assert_eq!((inside.lock_timeout_ms, inside.statement_timeout_ms), (3_000, 30_000));
    let (outside, _) = find("CREATE INDEX CONC").expect("the index build");
    let in_force = (outside.lock_timeout_ms, outside.statement_timeout_ms);
    assert_eq!(in_force, (lock_ms, statement_ms));
    assert_eq!(outside.transaction, TransactionStatus::Idle);
}

#[rstest]
#[case::by_statements(TransactionRule::None, None)]
#[case::of_a_file_that_is_run_without_one(TransactionRule::PerMigration, Some(false))]
#[tokio::test]
async fn a_transaction_that_a_file_leaves_open_is_lost_with_the_connection(
    #[case] rule: TransactionRule,
    #[case] own: Option<bool>,
) {
    let trial = Trial::with("CREATE TABLE t (id int)").await;
    let left_open =
        Migration { transaction: own, ..migration("1", "BEGIN; CREATE TABLE a (id int)") };
    let mut change = change(vec![left_open]);
    change.transaction = rule;
    let end = trial.apply(&change, 0).await;
    assert_eq!(end, AttemptEnd::Finished { applied: Some(1) });
    assert_eq!(trial.text("SELECT coalesce(to_regclass('a')::text, 'none')").await, "none");
}

#[tokio::test]
async fn concurrently_inside_the_migrations_transaction_is_refused_and_changes_nothing() {
    let trial = Trial::with("CREATE TABLE t (id int)").await;
    let sql = "CREATE INDEX CONCURRENTLY i ON t (id)";
    let end = trial.apply(&change(vec![migration("1", sql)]), 0).await;
    assert_eq!(code(&end), Some("25001"));
    assert_eq!(trial.text("SELECT coalesce(to_regclass('i')::text, 'none')").await, "none");
}

/// Holds AccessShareLock on t until dropped.
async fn reader(trial: &Trial) -> Session {
    let reader = trial.session().await;
    reader.batch("BEGIN; SELECT * FROM t").await.expect("a read");
    reader
}

#[tokio::test]
async fn a_lock_timeout_ends_the_attempt_with_55p03() {
    let trial = Trial::with("CREATE TABLE t (id int)").await;
    let _reader = reader(&trial).await;
    let mut change = change(vec![migration("1", "ALTER TABLE t ADD COLUMN a int")]);
    change.timeouts.lock_timeout_ms = Some(100);
    assert_eq!(code(&trial.apply(&change, 0).await), Some("55P03"));
}

/// The reader goes once the change has been seen to wait, which the deadline bounds.
async fn goes_when_somebody_waits(trial: Arc<Trial>, reader: Session) {
    let watcher = trial.session().await;
    let waits = "SELECT count(*) FROM pg_stat_activity \
                 WHERE wait_event_type = 'Lock' AND datname = current_database()";
    while watcher.client().query_one(waits, &[]).await.is_ok_and(|r| r.get::<_, i64>(0) == 0) {
        tokio::task::yield_now().await;
    }
    drop(reader);
}

#[tokio::test]
async fn a_retry_on_lock_timeout_gets_through_when_the_reader_has_gone() {
    let trial = Arc::new(Trial::with("CREATE TABLE t (id int)").await);
    let reader = reader(&trial).await;
    let mut change = change(vec![migration("1", "ALTER TABLE t ADD COLUMN a int")]);
    change.timeouts.lock_timeout_ms = Some(100);
    change.retries.on_lock_timeout = 200;
    let gone = tokio::spawn(goes_when_somebody_waits(Arc::clone(&trial), reader));
    assert_eq!(trial.apply(&change, 0).await, AttemptEnd::Finished { applied: Some(1) });
    gone.await.expect("the reader's end");
}

/// A migration whose second statement waits for a reader: which statements are sent twice depends
/// on what is tried again.
#[rstest]
#[case::by_itself(RetryOf::Statement, false, true)]
#[case::with_its_migration(RetryOf::Migration, false, false)]
#[case::in_a_transaction(RetryOf::Statement, true, false)]
#[tokio::test]
async fn what_is_tried_again_is_the_statement_or_its_migration(
    #[case] of: RetryOf,
    #[case] transaction: bool,
    #[case] alone: bool,
) {
    let trial = Arc::new(Trial::with("CREATE TABLE t (id int)").await);
    let reader = reader(&trial).await;
    let text = "CREATE TABLE IF NOT EXISTS other (a int); ALTER TABLE t ADD COLUMN a int";
    let mut one = migration("1", text);
    one.transaction = Some(transaction);
    let mut change = change(vec![one]);
    let policy: RetryPolicy = "100ms x200 backoff 5ms jitter 50%".parse().expect("a policy");
    change.timeouts.scope = Scope::Session;
    change.timeouts.lock_timeout_ms = Some(policy.lock_timeout_ms);
    change.retries = Retries::of_policy(&policy, of);
    let gone = tokio::spawn({
        let trial = Arc::clone(&trial);
        async move {
            // The deadline of the change bounds it.
            while !trial.has_failed() {
                tokio::task::yield_now().await;
            }
            drop(reader);
        }
    });
    assert_eq!(trial.apply(&change, 0).await, AttemptEnd::Finished { applied: Some(1) });
    gone.await.expect("the reader's end");
    let traces = trial.traces();
    let sent = |of: &str| traces.iter().filter(|(began, _)| began.text.starts_with(of)).count();
    assert!(sent("ALTER TABLE t") >= 2, "{traces:?}");
    let expected = if alone { 1 } else { sent("ALTER TABLE t") };
    assert_eq!(sent("CREATE TABLE IF NOT EXISTS other"), expected);
}

#[tokio::test]
async fn a_pause_in_a_transaction_meets_the_idle_timeout_and_its_sqlstate_is_known() {
    let trial = Trial::with("CREATE TABLE t (id int)").await;
    let mut slow = migration("1", "ALTER TABLE t ADD COLUMN a int; SELECT 1");
    slow.pauses = vec![Pause { after: 1, ms: 600 }];
    let mut change = change(vec![slow]);
    change.timeouts.idle_in_transaction_session_timeout_ms = Some(200);
    assert_eq!(code(&trial.apply(&change, 0).await), Some("25P03"));
    let events = trial.events();
    let closed = events.iter().find_map(|event| match event {
        Event::ConnectionClosed(closed) => Some(closed),
        _ => None,
    });
    let closed = closed.expect("the connection was closed");
    assert_eq!(closed.by, ClosedBy::Server);
    assert_eq!(closed.transaction, TransactionStatus::InTransaction, "and rolled back with it");
    let error = closed.error.as_ref().and_then(|error| error.sqlstate.as_ref());
    assert_eq!(error.map(|state| state.code()), Some("25P03"));
}

#[tokio::test]
async fn a_repeated_script_runs_until_its_last_statement_affects_no_row() {
    let schema = "CREATE TABLE t (id int, done bool); \
                  INSERT INTO t SELECT i, false FROM generate_series(1, 25) i";
    let trial = Trial::with(schema).await;
    let sql = "UPDATE t SET done = true WHERE id IN (SELECT id FROM t WHERE NOT done LIMIT 10)";
    let mut batches = migration("1", sql);
    batches.repeat = Some(Repeat { pause_ms: 0, limit: 100 });
    let mut change = change(vec![batches]);
    change.transaction = TransactionRule::None;
    change.stop = Some(Stop { after_statements: 2, scale_with: None });
    assert_eq!(trial.apply(&change, 0).await, AttemptEnd::Stopped);
    let left = "SELECT count(*)::text FROM t WHERE NOT done";
    assert_eq!(trial.text(left).await, "5", "two batches are committed, the third never ran");
    assert_eq!(trial.apply(&change, 1).await, AttemptEnd::Finished { applied: Some(1) });
    assert_eq!(trial.text(left).await, "0");
}

#[tokio::test]
async fn a_change_beyond_its_deadline_is_cancelled_and_its_session_is_gone() {
    let trial = Trial::with("CREATE TABLE t (id int)").await;
    let mut change = change(vec![migration("1", "SELECT pg_sleep(600)")]);
    change.deadline_ms = 300;
    assert_eq!(trial.apply(&change, 0).await, AttemptEnd::DeadlineExceeded);
    let watcher = trial.session().await;
    let alive = "SELECT count(*) FROM pg_stat_activity \
                 WHERE application_name = 'pgauntlet change' AND datname = current_database()";
    let gone = async {
        while watcher.client().query_one(alive, &[]).await.expect("a row").get::<_, i64>(0) > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), gone).await.expect("the backend ends");
}

#[tokio::test]
async fn the_one_version_row_moves_along_the_chain() {
    let schema = "CREATE TABLE t (id int); CREATE TABLE alembic_version (version_num text); \
                  INSERT INTO alembic_version VALUES ('a')";
    let trial = Trial::with(schema).await;
    let chain = vec![
        migration("b", "ALTER TABLE t ADD COLUMN b int"),
        migration("c", "ALTER TABLE t ADD COLUMN c int"),
    ];
    let mut change = change(chain);
    change.versions = Some(Versions {
        table: "alembic_version".to_owned(),
        column: "version_num".to_owned(),
        rows: VersionRows::One,
        tool: None,
    });
    assert_eq!(trial.apply(&change, 0).await, AttemptEnd::Finished { applied: Some(2) });
    assert_eq!(trial.text("SELECT version_num FROM alembic_version").await, "c");
    assert_eq!(trial.apply(&change, 1).await, AttemptEnd::Finished { applied: Some(0) });
}
