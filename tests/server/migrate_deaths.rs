//! Runners that die, wait for each other, or find nothing there, on a real server.

use std::collections::BTreeMap;

use pgauntlet::history::{AttemptEnd, CommandEnded, Event, StatementId};
use pgauntlet::migrate;
use pgauntlet::pg::LockMode;
use pgauntlet::scenario::{Change, Command, Stop, TransactionRule, VersionRows, Versions};
use pgauntlet::tap::{Action, At, Injection};
use rstest::rstest;

use crate::common;
use crate::migrated::{Trial, change, code, migration};
use crate::tapped::log::Log;

/// BEGIN, two SET LOCAL, the migration's statement, its version, COMMIT.
const STATEMENTS: StatementId = 6;

fn two() -> Change {
    let tables = [("1", "CREATE TABLE a (id int)"), ("2", "CREATE TABLE b (id int)")];
    change(tables.map(|(version, sql)| migration(version, sql)).to_vec())
}

fn fault(statement: StatementId, action: Action) -> [Injection; 1] {
    [Injection { at: At::Statement(statement), action }]
}

async fn there(trial: &Trial, table: &str) -> bool {
    trial.text(&format!("SELECT (to_regclass('{table}') IS NOT NULL)::text")).await == "true"
}

async fn logged() -> (Trial, Log) {
    let server = common::server_with(&[("log_statement", "all")]).await;
    let trial = Trial::on(server.fresh_database().await, "").await;
    (trial, Log { path: server.log_path })
}

fn pid(trial: &Trial) -> i32 {
    let opened = trial.events().into_iter().find_map(|event| match event {
        Event::ConnectionOpened(opened) => Some(opened.session.pid),
        _ => None,
    });
    opened.expect("a connection")
}

#[rstest]
#[case::after_the_commit(STATEMENTS)]
#[case::in_the_next_transaction(STATEMENTS + 4)]
#[tokio::test]
async fn a_runner_that_is_killed_says_nothing_more_and_the_next_one_goes_on(
    #[case] statement: StatementId,
) {
    let (trial, log) = logged().await;
    let end = trial.apply_with(&two(), 0, &fault(statement, Action::KillClient)).await;
    assert_eq!(end, AttemptEnd::Killed);
    assert!(there(&trial, "a").await && !there(&trial, "b").await);
    let pid = pid(&trial);
    if statement > STATEMENTS {
        log.says_soon(pid, "unexpected EOF on client connection with an open transaction").await;
    }
    let lines = log.of(pid);
    let said = |what: &str| lines.iter().any(|line| line.contains(what));
    assert!(said("CREATE TABLE a") && !said("ROLLBACK"), "{lines:#?}");
    assert_eq!(trial.apply(&two(), 1).await, AttemptEnd::Finished { applied: Some(1) });
    assert!(there(&trial, "b").await);
}

#[rstest]
#[case::cut_before(Action::CutBefore, false)]
#[case::cut_after(Action::CutAfter, true)]
#[tokio::test]
async fn a_runner_whose_connection_breaks_says_so(#[case] action: Action, #[case] done: bool) {
    let trial = Trial::with("").await;
    let end = trial.apply_with(&two(), 0, &fault(STATEMENTS - 1, action)).await;
    let AttemptEnd::Failed { migration, error } = end else { panic!("{end:?}") };
    assert_eq!((migration.as_str(), error.sqlstate), ("1", None));
    assert!(error.message.starts_with("the connection broke: "), "{}", error.message);
    assert_eq!(there(&trial, "a").await, done);
}

#[tokio::test]
async fn a_runner_whose_backend_is_killed_between_two_statements_hears_why() {
    let trial = Trial::with("").await;
    let action = Action::KillBackendBefore;
    let end = trial.apply_with(&two(), 0, &fault(STATEMENTS - 1, action)).await;
    assert_eq!(code(&end), Some("57P01"));
    assert!(!there(&trial, "a").await);
}

#[tokio::test]
async fn a_command_is_killed_with_all_that_it_started() {
    let trial = Trial::with("").await;
    let mut change = two();
    (change.migrations, change.versions) = (Vec::new(), None);
    let line = "psql -X -q -c 'CREATE TABLE a (id int)' -c 'CREATE TABLE b (id int)'; echo over";
    change.command = Some(Command {
        line: line.to_owned(),
        requires: Vec::new(),
        directory: std::env::temp_dir(),
        environment: BTreeMap::new(),
    });
    let end = trial.apply_with(&change, 0, &fault(1, Action::KillClient)).await;
    assert_eq!(end, AttemptEnd::Killed);
    assert!(there(&trial, "a").await && !there(&trial, "b").await);
    let ended = trial.events().into_iter().find_map(|event| match event {
        Event::CommandEnded(ended) => Some(ended),
        _ => None,
    });
    let CommandEnded { exit_code, signal, output, .. } = ended.expect("its end");
    assert_eq!((exit_code, signal, output.as_str()), (None, Some(9), ""));
}

#[tokio::test]
async fn of_two_runners_with_an_advisory_lock_one_waits_and_has_nothing_to_do() {
    let trial = Trial::with("CREATE TABLE t (id int)").await;
    // What holds a snapshot meanwhile would be waited for.
    let sql = "SELECT pg_sleep(0.3); COMMIT; CREATE INDEX CONCURRENTLY i ON t (id); BEGIN";
    let mut change = change(vec![migration("1", sql)]);
    (change.runners, change.advisory_lock) = (2, Some(42));
    migrate::prepare(&trial.address, &change).await.expect("a version table");
    let (first, second) = tokio::join!(trial.apply(&change, 0), trial.apply(&change, 1));
    let mut applied = [first, second].map(|end| match end {
        AttemptEnd::Finished { applied } => applied,
        other => panic!("{other:?}"),
    });
    applied.sort_unstable();
    assert_eq!(applied, [Some(0), Some(1)]);
    let traces = trial.traces_of_any();
    let count = |text: &str| traces.iter().filter(|began| began.text.contains(text)).count();
    assert!(count("pg_try_advisory_lock(42)") > 3, "one had to ask again");
    assert_eq!((count("pg_advisory_unlock(42)"), count("CREATE INDEX")), (2, 1));
}

#[tokio::test]
async fn a_runner_that_fails_gives_its_advisory_lock_back() {
    let trial = Trial::with("").await;
    let mut change = change(vec![migration("1", "SELECT 1/0")]);
    change.advisory_lock = Some(-7);
    assert_eq!(code(&trial.apply(&change, 0).await), Some("22012"));
    let traces = trial.traces();
    let texts: Vec<&str> = traces.iter().map(|(began, _)| began.text.as_str()).collect();
    assert_eq!(texts[0], "SELECT pg_catalog.pg_try_advisory_lock(-7)");
    let last = &texts[texts.len() - 2..];
    assert_eq!(last, ["ROLLBACK", "SELECT pg_catalog.pg_advisory_unlock(-7)"]);
}

fn alembic() -> Option<Versions> {
    Some(Versions {
        table: "alembic_version".to_owned(),
        column: "version_num".to_owned(),
        rows: VersionRows::One,
        tool: None,
    })
}

fn versions_written(trial: &Trial) -> Vec<String> {
    let traces = trial.traces().into_iter().map(|(began, _)| began.text);
    traces.filter(|text| text.contains("alembic_version")).collect()
}

#[tokio::test]
async fn from_an_empty_database_the_one_version_row_is_made_and_then_moves() {
    let trial = Trial::with("").await;
    let mut change = two();
    change.versions = alembic();
    assert_eq!(trial.apply(&change, 0).await, AttemptEnd::Finished { applied: Some(2) });
    assert_eq!(trial.text("SELECT string_agg(version_num, ',') FROM alembic_version").await, "2");
    let wanted = [
        "INSERT INTO \"public\".\"alembic_version\" (\"version_num\") VALUES ('1')",
        "UPDATE \"public\".\"alembic_version\" SET \"version_num\" = '2' \
         WHERE \"version_num\" = '1'",
    ];
    assert_eq!(versions_written(&trial), wanted);
    let column = "SELECT format_type(atttypid, atttypmod) || ' ' || attnotnull FROM pg_attribute \
                  WHERE attrelid = 'alembic_version'::regclass AND attname = 'version_num'";
    assert_eq!(trial.text(column).await, "character varying(32) true");
    let key = "SELECT conname::text FROM pg_constraint \
               WHERE conrelid = 'alembic_version'::regclass AND contype = 'p'";
    assert_eq!(trial.text(key).await, "alembic_version_pkc");
}

#[tokio::test]
async fn after_a_first_version_that_was_rolled_back_the_row_is_made_again() {
    let trial = Trial::with("CREATE TABLE t (id int)").await;
    let left_open = migration("1", "BEGIN; CREATE TABLE a (id int)");
    let ends = migration("2", "ALTER TABLE t ADD d int; COMMIT");
    let mut change = change(vec![left_open, ends]);
    (change.versions, change.transaction) = (alembic(), TransactionRule::None);
    change.retries.on_lock_timeout = 1;
    let (relation, mode) = ("t".to_owned(), LockMode::AccessShareLock);
    let action = Action::TimeOutWaiting { relation, mode };
    let end = trial.apply_with(&change, 0, &fault(3, action)).await;
    assert_eq!(end, AttemptEnd::Finished { applied: Some(2) });
    assert_eq!(trial.text("SELECT string_agg(version_num, ',') FROM alembic_version").await, "2");
    assert!(there(&trial, "a").await, "what was rolled back is made again");
    assert_eq!(trial.text("SELECT count(*)::text FROM t WHERE d IS NULL").await, "0");
    let written = versions_written(&trial);
    let verbs: Vec<&str> = written.iter().filter_map(|sql| sql.split(' ').next()).collect();
    assert_eq!(verbs, ["INSERT", "INSERT", "UPDATE"], "{written:#?}");
}

#[rstest]
#[tokio::test]
async fn a_retry_in_a_single_transaction_begins_it_again(#[values(false, true)] versions: bool) {
    let trial = Trial::with("CREATE TABLE t (id int)").await;
    let mut change = two();
    change.migrations.push(migration("3", "ALTER TABLE t ADD d int"));
    change.transaction = TransactionRule::Single;
    change.retries.on_lock_timeout = 1;
    if !versions {
        change.versions = None;
    }
    let (relation, mode) = ("t".to_owned(), LockMode::AccessShareLock);
    let action = Action::TimeOutWaiting { relation, mode };
    // BEGIN, two SET LOCAL, and what the first two say.
    let number = if versions { 7 } else { 5 };
    let end = trial.apply_with(&change, 0, &fault(number, action)).await;
    assert_eq!(end, AttemptEnd::Finished { applied: Some(3) });
    assert!(there(&trial, "a").await && there(&trial, "b").await);
    assert_eq!(trial.text("SELECT count(d)::text FROM t").await, "0");
    let texts: Vec<String> = trial.traces().into_iter().map(|(began, _)| began.text).collect();
    let count = |text: &str| texts.iter().filter(|t| *t == text).count();
    assert_eq!((count("BEGIN"), count("ROLLBACK"), count("COMMIT")), (2, 1, 1), "{texts:#?}");
}

#[tokio::test]
async fn a_version_that_is_not_the_one_that_was_read_is_an_error() {
    let trial = Trial::with("CREATE TABLE t (id int)").await;
    let meddles = "UPDATE alembic_version SET version_num = 'x'";
    let mut change = change(vec![migration("1", "SELECT 1"), migration("2", meddles)]);
    change.versions = alembic();
    let end = trial.apply(&change, 0).await;
    let AttemptEnd::Failed { migration, error } = end else { panic!("{end:?}") };
    assert_eq!(migration, "2");
    assert!(error.message.starts_with("alembic_version has not one row that says 1"), "{error}");
    assert_eq!(trial.text("SELECT string_agg(version_num, ',') FROM alembic_version").await, "1");
}

#[tokio::test]
async fn runners_that_start_together_all_stop_where_the_first_does() {
    let trial = Trial::with("").await;
    let mut change = two();
    change.runners = 2;
    change.stop = Some(Stop { after_statements: 1, scale_with: None });
    assert_eq!(trial.apply(&change, 1).await, AttemptEnd::Stopped);
    assert_eq!(trial.apply(&change, 2).await, AttemptEnd::Finished { applied: Some(1) });
}
