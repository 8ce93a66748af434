//! Where a change can die, told from the trace of a run that was left alone: each history is made
//! by hand.

use std::collections::BTreeMap;

use pgauntlet::clock::Micros;
use pgauntlet::history::{CatalogueSnapshot, Event, History};
use pgauntlet::judge::crash::{FeasibleFault, Needs, Span, faults, spans};
use pgauntlet::pg::LockMode::{
    self, AccessExclusiveLock, AccessShareLock, RowExclusiveLock, ShareLock, ShareRowExclusiveLock,
};
use pgauntlet::trial::FaultKind;
use rstest::rstest;

use crate::sent::{Sent, by_command, sent};

const ADD_COLUMN: &str = "ALTER TABLE spans ADD COLUMN task_id varchar";
const BUILD: &str = "CREATE INDEX CONCURRENTLY ix ON spans (task_id)";
const FILL: &str = "UPDATE spans SET task_id = trace_id";
const TABLES: [&str; 2] = ["public.spans", "public.tasks"];

fn undisturbed(statements: Vec<Sent>, tables: &[&str]) -> History {
    let mut made = by_command(1);
    let table = |name: &&str| (format!("table {name}"), BTreeMap::new());
    let objects = tables.iter().map(table).collect();
    let before = CatalogueSnapshot { after: None, objects, versions: Vec::new() };
    made.at(4_000, Event::Catalogue(before));
    statements.into_iter().for_each(|statement| statement.add_to(&mut made));
    made.history()
}

fn found(statements: Vec<Sent>) -> Vec<FeasibleFault> {
    faults(&undisturbed(statements, &TABLES), FaultKind::ALL)
}

/// `0 cut-before`.
fn told(statements: Vec<Sent>) -> Vec<String> {
    let told = |feasible: &FeasibleFault| {
        format!("{} {}", feasible.fault.at.statement, feasible.fault.kind)
    };
    found(statements).iter().map(told).collect()
}

fn needs(found: &[FeasibleFault], kind: FaultKind) -> Option<Needs> {
    let of_kind = found.iter().find(|feasible| feasible.fault.kind == kind);
    of_kind.map(|feasible| feasible.needs.clone())
}

/// BEGIN and statements of 10 ms, inside its transaction; it is not ended.
fn begun(inside: &[&str]) -> Vec<Sent> {
    let mut all = vec![sent(0, 5_000, 5_001, "BEGIN").status("it")];
    for (id, text) in (1..).zip(inside) {
        let at = 5_000 + u64::from(id) * 10;
        all.push(sent(id, at, at + 9, text).inside());
    }
    all
}

#[test]
fn what_begins_sets_or_reads_leaves_no_room_for_a_death() {
    let idle = ["SET LOCAL lock_timeout = '3s'", "SELECT version FROM versions", "SHOW fsync"];
    assert_eq!(told(begun(&idle)), [""; 0]);
    let worked = told(begun(&[idle[0], idle[1], idle[2], ADD_COLUMN]));
    assert_eq!(worked, ["4 cut-before", "4 cancel", "4 kill-backend", "4 cut-after"]);
}

#[test]
fn a_commit_can_die_around_itself_and_its_runner_after_it() {
    let mut statements = begun(&[ADD_COLUMN]);
    statements.push(sent(2, 5_030, 5_080, "COMMIT").status("ti"));
    statements.push(sent(3, 5_090, 5_091, "SELECT 1"));
    let mut found = found(statements);
    found.retain(|feasible| feasible.fault.at.statement == 2);
    let needs: Vec<(&str, &Needs)> =
        found.iter().map(|feasible| (feasible.fault.kind.as_str(), &feasible.needs)).collect();
    let expected = [
        ("cut-before", &Needs::Nothing),
        ("kill-backend", &Needs::Boundary),
        ("cut-after", &Needs::Nothing),
        ("kill-runner", &Needs::Next(3)),
    ];
    assert_eq!(needs, expected);
    assert!(found.iter().all(|feasible| feasible.fault.at.text == "COMMIT"));
}

#[test]
fn a_commit_of_nothing_leaves_no_room_for_a_death() {
    assert_eq!(
        told(vec![sent(0, 5_000, 5_010, "COMMIT"), sent(1, 5_011, 5_012, "SELECT 1")]),
        [""; 0]
    );
}

#[rstest]
#[case::too_soon(1, None, Needs::Boundary)]
#[case::just_long_enough(2, Some(Needs::Nothing), Needs::Nothing)]
fn a_statement_is_cancelled_only_where_it_can_be_met(
    #[case] took_ms: u64,
    #[case] cancelled: Option<Needs>,
    #[case] killed: Needs,
) {
    let found = found(vec![sent(0, 5_000, 5_000 + took_ms, ADD_COLUMN)]);
    assert_eq!(needs(&found, FaultKind::Cancel), cancelled);
    assert_eq!(needs(&found, FaultKind::KillBackend), Some(killed));
}

#[rstest]
#[case::committed_by_itself(sent(0, 5_000, 5_010, BUILD), true, Some(Needs::Next(1)))]
#[case::nothing_follows(sent(0, 5_000, 5_010, BUILD), false, None)]
#[case::not_committed(sent(0, 5_000, 5_010, ADD_COLUMN).inside(), true, None)]
#[case::failed(sent(0, 5_000, 5_010, BUILD).fails("42P07", "it exists"), true, None)]
fn the_runner_is_killed_between_a_commit_and_what_follows(
    #[case] statement: Sent,
    #[case] followed: bool,
    #[case] expected: Option<Needs>,
) {
    let mut statements = vec![statement];
    if followed {
        statements.push(sent(1, 5_020, 5_021, "SELECT 1"));
    }
    assert_eq!(needs(&found(statements), FaultKind::KillRunner), expected);
}

const BLOCK: &str = "DO $$ BEGIN ALTER TABLE spans ADD a int; UPDATE spans SET a = 1; END $$";
const FILL_BLOCK: &str = "DO $$ BEGIN UPDATE spans SET task_id = trace_id; END $$";

#[rstest]
#[case::the_strongest_lock(
    sent(0, 5_000, 5_010, ADD_COLUMN)
        .inside()
        .takes("public.tasks", ShareRowExclusiveLock)
        .takes("public.spans", AccessExclusiveLock)
        .takes("public.runs", ShareRowExclusiveLock),
    &["public.spans"],
    RowExclusiveLock
)]
#[case::a_table_that_is_shown_without_its_schema(
    sent(0, 5_000, 5_010, ADD_COLUMN).inside().takes("tasks", AccessExclusiveLock),
    &["public.tasks"],
    RowExclusiveLock
)]
#[case::an_index_cannot_be_locked_from_outside(
    sent(0, 5_000, 5_010, ADD_COLUMN).inside().takes("ix", AccessExclusiveLock),
    &[],
    RowExclusiveLock
)]
#[case::no_lock_that_a_writer_stops(
    sent(0, 5_000, 5_010, ADD_COLUMN).inside().takes("public.spans", AccessShareLock),
    &[],
    RowExclusiveLock
)]
#[case::nothing_new_to_wait_for(sent(0, 5_000, 5_010, ADD_COLUMN).inside(), &[], RowExclusiveLock)]
#[case::rows(
    sent(0, 5_000, 5_010, FILL).inside().takes("public.spans", RowExclusiveLock),
    &["public.spans"],
    ShareLock
)]
#[case::a_block_that_writes_rows(
    sent(0, 5_000, 5_010, FILL_BLOCK).inside().takes("public.spans", RowExclusiveLock),
    &["public.spans"],
    ShareLock
)]
#[case::a_block_that_alters_as_well(
    sent(0, 5_000, 5_010, BLOCK).inside().takes("public.spans", AccessExclusiveLock),
    &["public.spans"],
    RowExclusiveLock
)]
#[case::ddl_that_commits_by_itself(
    sent(0, 5_000, 5_010, BUILD),
    &TABLES,
    RowExclusiveLock
)]
#[case::rows_that_commit_by_themselves(sent(0, 5_000, 5_010, FILL), &TABLES, ShareLock)]
fn a_statement_waits_behind_a_lock_that_stops_it(
    #[case] statement: Sent,
    #[case] relations: &[&str],
    #[case] mode: LockMode,
) {
    let relations: Vec<String> = relations.iter().map(|name| (*name).to_owned()).collect();
    let expected = (!relations.is_empty()).then_some(Needs::Lock { relations, mode });
    assert_eq!(needs(&found(vec![statement]), FaultKind::LockTimeout), expected);
}

#[test]
fn without_a_table_nobody_can_hold_a_lock() {
    let history = undisturbed(vec![sent(0, 5_000, 5_010, BUILD)], &[]);
    assert_eq!(faults(&history, &[FaultKind::LockTimeout]), []);
}

#[test]
fn only_the_ways_that_are_asked_for_are_taken() {
    let history = undisturbed(vec![sent(0, 5_000, 5_010, BUILD)], &TABLES);
    let found = faults(&history, &[FaultKind::CutAfter, FaultKind::CutBefore]);
    let kinds: Vec<&str> = found.iter().map(|feasible| feasible.fault.kind.as_str()).collect();
    assert_eq!(kinds, ["cut-after", "cut-before"]);
}

fn injected(statements: Vec<Sent>) -> Vec<u32> {
    let found = faults(&undisturbed(statements, &TABLES), &[FaultKind::CutBefore]);
    found.iter().map(|feasible| feasible.fault.at.statement).collect()
}

#[rstest]
#[case(3, &[0, 1, 2])]
#[case(4, &[0, 2, 3])]
#[case(5, &[0, 2, 4])]
#[case(100, &[0, 50, 99])]
fn of_more_than_three_rounds_the_first_the_middle_and_the_last_die(
    #[case] rounds: u32,
    #[case] expected: &[u32],
) {
    let round = |id: u32| {
        let at = 5_000 + u64::from(id) * 10;
        sent(id, at, at + 9, FILL)
    };
    assert_eq!(injected((0..rounds).map(round).collect()), expected);
}

/// BEGIN, the statement, COMMIT, for each of these.
fn transactions(texts: &[String]) -> Vec<Sent> {
    let mut all = Vec::new();
    for (number, text) in (0..).zip(texts) {
        let (id, at) = (number * 3, 5_000 + u64::from(number) * 30);
        all.push(sent(id, at, at + 1, "BEGIN").status("it"));
        all.push(sent(id + 1, at + 10, at + 19, text).inside());
        all.push(sent(id + 2, at + 20, at + 21, "COMMIT").status("ti"));
    }
    all
}

#[test]
fn rounds_in_transactions_of_their_own_are_left_out_with_their_commits() {
    let rounds: Vec<String> = (0..5).map(|_| FILL.to_owned()).collect();
    assert_eq!(injected(transactions(&rounds)), [1, 2, 7, 8, 13, 14]);
}

#[test]
fn rounds_of_several_statements_in_one_transaction_are_left_out_one_by_one() {
    let round = [FILL, "DELETE FROM queue WHERE done"];
    assert_eq!(injected(begun(&round.repeat(5))), [1, 2, 5, 6, 9, 10]);
}

#[test]
fn commits_of_different_transactions_are_no_rounds() {
    let steps: Vec<String> = (0..5).map(|n| format!("CREATE TABLE t{n} (a int)")).collect();
    assert_eq!(injected(transactions(&steps)), [1, 2, 4, 5, 7, 8, 10, 11, 13, 14]);
}

#[test]
fn a_statement_is_known_by_how_often_its_text_came_before() {
    let steps = ["CREATE TABLE a (a int)", "CREATE TABLE b (a int)"].map(str::to_owned);
    let found = faults(&undisturbed(transactions(&steps), &TABLES), &[FaultKind::CutBefore]);
    let nth: Vec<(u32, u32)> =
        found.iter().map(|l| (l.fault.at.statement, l.fault.at.key.nth)).collect();
    assert_eq!(nth, [(1, 0), (2, 0), (4, 0), (5, 1)]);
}

#[test]
fn moments_are_drawn_from_the_statements_that_can_matter() {
    let mut statements = begun(&["SELECT 1", ADD_COLUMN]);
    statements.push(sent(3, 5_030, 5_035, "COMMIT").status("ti"));
    let span = |statement: u32, text: &str, took_ms: u64| Span {
        statement,
        text: text.to_owned(),
        nth: 0,
        took: Micros::from_millis(took_ms),
    };
    let expected = [span(2, ADD_COLUMN, 9), span(3, "COMMIT", 5)];
    assert_eq!(spans(&undisturbed(statements, &TABLES)), expected);
}
