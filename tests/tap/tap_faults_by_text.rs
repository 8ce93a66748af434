//! Faults that are told by a statement's text: it is counted where it runs, however often it was
//! prepared before.

use std::time::Duration;

use pgauntlet::history::StatementId;
use pgauntlet::pg::{LockMode, StatementKey};
use pgauntlet::tap::{Action, At, Injection};
use rstest::rstest;

use crate::tapped::log::event;
use crate::tapped::raw::{Raw, errors};
use crate::tapped::{SOON, Tapped, eventually};

const SCHEMA: &str = "CREATE TABLE t (id int); CREATE TABLE u (id int)";
const T: &str = "INSERT INTO t VALUES (1)";
/// Takes its lock when it is executed, and not when it is prepared.
const ALTER: &str = "ALTER TABLE t ALTER id SET DEFAULT 1";
const U: &str = "INSERT INTO u VALUES (1)";

fn nth(text: &str, nth: u32, later: StatementId, into: Option<Duration>) -> At {
    At::Nth { key: StatementKey::new(None, text, nth), later, into }
}

async fn tapped(at: At, action: Action) -> (Tapped, Raw) {
    let trial = Tapped::with_faults(SCHEMA, &[Injection { at, action }]).await;
    let raw = trial.raw().await;
    (trial, raw)
}

fn times_out() -> Action {
    Action::TimeOutWaiting { relation: "t".to_owned(), mode: LockMode::AccessExclusiveLock }
}

/// Everything up to and without the statement that is to die.
async fn run_before(raw: &mut Raw, sql: &str, how: &str) {
    match how {
        "by query" => {
            raw.query(sql).until_ready().await;
        }
        "unprepared" => {
            raw.run(sql).sync().until_ready().await;
        }
        "prepared" => {
            raw.parse("s", sql, &[]).sync().until_ready().await;
            raw.bind("", "s", &[]).execute("", 0).sync().until_ready().await;
        }
        "after one that is dropped" => {
            raw.parse("", sql, &[]);
            raw.sync().until_ready().await;
            raw.run(sql).sync().until_ready().await;
            raw.parse("", sql, &[]);
            raw.sync().until_ready().await;
        }
        "behind another that is prepared" => {
            raw.parse("t", sql, &[]).parse("u", U, &[]);
            raw.bind("", "u", &[]).execute("", 0).sync().until_ready().await;
            raw.bind("", "t", &[]).execute("", 0).sync().until_ready().await;
        }
        "with other constants" => {
            let other = format!("{} -- once", sql.replace('1', "27").replacen(' ', "  ", 1));
            raw.query(&other).until_ready().await;
        }
        how => panic!("nobody knows {how}"),
    }
}

const HOWS: [&str; 6] = [
    "by query",
    "unprepared",
    "prepared",
    "after one that is dropped",
    "behind another that is prepared",
    "with other constants",
];

#[rstest]
#[tokio::test]
async fn the_second_statement_of_a_text_is_the_second_that_runs(
    #[values(0, 1, 2, 3, 4, 5)] how: usize,
    #[values(false, true)] prepared: bool,
) {
    let how = HOWS[how];
    let (trial, mut raw) = tapped(nth(T, 1, 0, None), Action::CutBefore).await;
    run_before(&mut raw, T, how).await;
    if prepared {
        raw.parse("p", T, &[]).sync().until_ready().await;
        raw.bind("", "p", &[]).execute("", 0).sync().send().await;
    } else {
        raw.run(T).sync().send().await;
    }
    raw.until_closed().await;
    let number = StatementId::from(how == "behind another that is prepared") + 1;
    trial.closed_soon(1).await;
    assert_eq!(trial.faults(), event(Action::CutBefore, Some(number)));
    assert_eq!(trial.text("SELECT count(*) FROM t").await, "1");
}

#[rstest]
#[tokio::test]
async fn the_second_statement_of_a_text_gives_up_waiting(
    #[values(0, 1, 2, 3, 4, 5)] how: usize,
    #[values(false, true)] prepared: bool,
) {
    let how = HOWS[how];
    let (trial, mut raw) = tapped(nth(ALTER, 1, 0, None), times_out()).await;
    run_before(&mut raw, ALTER, how).await;
    let answers = if prepared {
        raw.parse("p", ALTER, &[]).sync().until_ready().await;
        raw.bind("", "p", &[]).execute("", 0).sync().until_ready().await
    } else {
        raw.run(ALTER).sync().until_ready().await
    };
    assert_eq!(errors(&answers), ["55P03"]);
    let number = StatementId::from(how == "behind another that is prepared") + 1;
    trial.trace_soon(ALTER).await;
    assert_eq!(trial.faults(), event(times_out(), Some(number)));
}

#[rstest]
#[case::two_later(nth(T, 0, 2, None), Action::CutBefore)]
#[case::its_wait(nth(T, 0, 2, None), times_out())]
#[tokio::test]
async fn a_later_statement_is_told_by_one_that_ran(#[case] at: At, #[case] action: Action) {
    let (trial, mut raw) = tapped(at, action.clone()).await;
    // The second Parse of it runs nothing, and neither does that of the other.
    raw.parse("t", T, &[]).parse("u", U, &[]).sync().until_ready().await;
    raw.bind("", "t", &[]).execute("", 0).sync().until_ready().await;
    raw.bind("", "u", &[]).execute("", 0).sync().until_ready().await;
    raw.run(T).sync().send().await;
    eventually("it happened", async || trial.faults() == event(action.clone(), Some(2))).await;
    assert_eq!(trial.text("SELECT count(*) FROM t").await, "1");
    assert_eq!(trial.text("SELECT count(*) FROM u").await, "1");
}

#[tokio::test]
async fn what_is_prepared_for_one_statement_does_not_meet_the_one_that_runs() {
    let (trial, mut raw) = tapped(nth(T, 0, 0, None), times_out()).await;
    raw.parse("t", T, &[]).parse("u", "SELECT count(*) FROM t, u", &[]);
    raw.bind("", "u", &[]).execute("", 0).sync();
    let answers = raw.until_ready().await;
    assert_eq!(errors(&answers), [""; 0], "nobody holds what was prepared for another");
    assert_eq!(trial.faults(), vec![]);
    let answers = raw.bind("", "t", &[]).execute("", 0).sync().until_ready().await;
    assert_eq!(errors(&answers), ["55P03"]);
    trial.trace_soon(T).await;
    assert_eq!(trial.faults(), event(times_out(), Some(1)));
}

#[tokio::test]
async fn the_second_statement_of_a_text_dies_some_time_after_it_was_sent() {
    let text = |id: u32| format!("INSERT INTO t SELECT {id} FROM pg_sleep(0.3)");
    let at = nth(&text(1), 1, 0, Some(Duration::from_millis(50)));
    let (trial, mut raw) = tapped(at, Action::CancelWorking).await;
    raw.parse("", &text(2), &[]).sync().until_ready().await;
    let first = raw.run(&text(3)).sync().until_ready().await;
    assert_eq!(errors(&first), [""; 0]);
    let second = tokio::time::timeout(SOON, raw.run(&text(4)).sync().until_ready()).await;
    assert_eq!(errors(&second.expect("an answer")), ["57014"]);
    trial.trace_soon(&text(4)).await;
    assert_eq!(trial.faults(), event(Action::CancelWorking, Some(1)));
}
