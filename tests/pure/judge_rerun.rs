//! The judge on what applying a finished change again wrote and held: each history is made by hand
//! and says one thing.

use std::collections::BTreeMap;

use pgauntlet::history::{AttemptEnd, CatalogueSnapshot, Contents, Event, TableContents};
use pgauntlet::pg::LockMode::{self, AccessExclusiveLock, RowExclusiveLock, ShareLock};
use pgauntlet::result::{Finding, Judgement};
use pgauntlet::scenario::{FindingKind, Verdict};
use rstest::rstest;

use crate::made::{APP, Made, failed};
use crate::sent::{COMMAND, Sent, by_command, sent};

const FINISHED: AttemptEnd = AttemptEnd::Finished { applied: Some(0) };
const ADD_COLUMN: &str = "ALTER TABLE spans ADD COLUMN IF NOT EXISTS task_id varchar";

fn found(judgement: &Judgement, kind: FindingKind) -> Option<&Finding> {
    judgement.findings.iter().find(|finding| finding.kind == kind)
}

/// A change that finished, and a rerun that did.
fn applied_twice() -> Made {
    let mut made = Made::calm();
    made.rerun(FINISHED);
    made
}

type Table<'a> = (&'a str, u64, Option<&'a str>);

fn looked(made: &mut Made, after: u32, tables: &[Table<'_>]) {
    let contents = |(name, rows, digest): &Table<'_>| {
        let digest = digest.map(str::to_owned);
        ((*name).to_owned(), TableContents { rows: *rows, digest })
    };
    let tables: BTreeMap<String, TableContents> = tables.iter().map(contents).collect();
    let event = Event::Contents(Contents { after: Some(after), tables });
    made.at(22_900 + u64::from(after), event);
}

#[rstest]
#[case::nothing(&[("public.spans", 9, Some("a"))], None)]
#[case::more_rows(
    &[("public.spans", 1_010, Some("b"))],
    Some("public.spans were changed by applying the finished change again: 9 rows before, 1,010 \
          rows after")
)]
#[case::other_values(
    &[("public.spans", 9, Some("b"))],
    Some("public.spans were changed by applying the finished change again: 9 rows before, as many \
          after, not the same ones")
)]
#[case::without_a_digest(&[("public.spans", 9, None)], None)]
#[case::a_table_that_is_gone(&[], None)]
fn rows_that_a_rerun_changes_are_told_with_their_table(
    #[case] after: &[Table<'_>],
    #[case] expected: Option<&str>,
) {
    let mut made = applied_twice();
    looked(&mut made, 0, &[("public.spans", 9, Some("a")), ("public.versions", 1, None)]);
    let mut after = after.to_vec();
    after.push(("public.versions", 2, None));
    looked(&mut made, 1, &after);
    let judgement = made.judge();
    let wrote = found(&judgement, FindingKind::RerunWrote);
    assert_eq!(wrote.is_some(), expected.is_some(), "{wrote:?}");
    let verdict = if expected.is_some() { Verdict::Unsafe } else { Verdict::Safe };
    assert_eq!(judgement.verdict, verdict);
    if let (Some(wrote), Some(expected)) = (wrote, expected) {
        assert!(wrote.sentence.contains(expected), "{}", wrote.sentence);
    }
}

#[test]
fn further_tables_are_counted() {
    let mut made = applied_twice();
    looked(&mut made, 0, &[("public.a", 1, None), ("public.b", 2, None), ("public.c", 3, None)]);
    looked(&mut made, 1, &[("public.a", 2, None), ("public.b", 3, None), ("public.c", 3, None)]);
    let judgement = made.judge();
    let wrote = found(&judgement, FindingKind::RerunWrote).expect("a finding");
    assert!(wrote.sentence.ends_with("so were the rows of 1 more table"), "{}", wrote.sentence);
}

#[test]
fn what_the_rerun_of_an_unfinished_change_writes_is_its_work() {
    let mut made = Made::calm();
    made.attempt_fails("55P03", "canceling statement due to lock timeout");
    made.rerun(FINISHED);
    made.rerun(FINISHED);
    looked(&mut made, 0, &[("public.spans", 9, None)]);
    looked(&mut made, 1, &[("public.spans", 10, None)]);
    let unchanged = made.clone();
    looked(&mut made, 2, &[("public.spans", 11, None)]);
    assert_eq!(found(&unchanged.judge(), FindingKind::RerunWrote), None);
    assert!(found(&made.judge(), FindingKind::RerunWrote).is_some());
}

fn snapshot(made: &mut Made, after: u32, object: &str, versions: &[&str]) {
    let objects = BTreeMap::from([(object.to_owned(), BTreeMap::new())]);
    let versions = versions.iter().map(|version| (*version).to_owned()).collect();
    let snapshot = CatalogueSnapshot { after: Some(after), objects, versions };
    made.at(22_900 + u64::from(after), Event::Catalogue(snapshot));
}

#[test]
fn versions_that_a_rerun_changes_are_told() {
    let mut made = applied_twice();
    snapshot(&mut made, 0, "table public.spans", &["1"]);
    let mut same = made.clone();
    snapshot(&mut same, 1, "table public.spans", &["1"]);
    assert_eq!(same.judge().verdict, Verdict::Safe);
    snapshot(&mut made, 1, "table public.spans", &["1", "1"]);
    let judgement = made.judge();
    let changed = found(&judgement, FindingKind::RerunChanged).expect("a finding");
    assert_eq!(changed.verdict, Verdict::Unsafe);
    assert!(changed.sentence.ends_with("versions: were 1; are 1, 1"), "{}", changed.sentence);
}

/// BEGIN, a statement that takes a lock at 22.1 s, and COMMIT `held_ms` after that began.
fn in_transaction(relation: &str, mode: LockMode, held_ms: u64) -> Vec<Sent> {
    let end = 22_101 + held_ms;
    let statements = [
        sent(0, 22_100, 22_101, "BEGIN").status("it"),
        sent(1, 22_101, 22_102, ADD_COLUMN).inside().holds(relation, mode),
        sent(2, 22_110, end - 1, "SELECT 1").inside().holds(relation, mode),
        sent(3, end - 1, end, "COMMIT").status("ti"),
    ];
    statements.into_iter().map(|statement| statement.of_attempt(1)).collect()
}

/// A finished change that a command applies again, with these statements.
fn again(statements: Vec<Sent>) -> Made {
    let mut made = by_command(1);
    sent(0, 5_000, 5_010, "CREATE INDEX CONCURRENTLY i ON spans (name)").add_to(&mut made);
    statements.into_iter().for_each(|statement| statement.add_to(&mut made));
    made.rerun(FINISHED);
    snapshot(&mut made, 0, "table public.spans", &[]);
    snapshot(&mut made, 1, "table public.spans", &[]);
    made
}

#[rstest]
#[case::long("spans", AccessExclusiveLock, 500, true)]
#[case::long_enough_for_writers("public.spans", ShareLock, 201, true)]
#[case::within_the_limit("spans", AccessExclusiveLock, 200, false)]
#[case::stops_no_writer("spans", RowExclusiveLock, 500, false)]
#[case::the_tool_s_own("public.versions", AccessExclusiveLock, 500, false)]
fn a_rerun_holds_no_strong_lock_for_long(
    #[case] relation: &str,
    #[case] mode: LockMode,
    #[case] held_ms: u64,
    #[case] expected: bool,
) {
    let judgement = again(in_transaction(relation, mode, held_ms)).judge();
    let lock = found(&judgement, FindingKind::RerunLock);
    assert_eq!(lock.is_some(), expected, "{:?}", judgement.findings);
    assert!(lock.is_none_or(|lock| lock.verdict == Verdict::Unsafe));
}

#[test]
fn a_rerun_s_lock_is_told_with_statement_relation_mode_and_time() {
    let judgement = again(in_transaction("spans", AccessExclusiveLock, 500)).judge();
    let lock = found(&judgement, FindingKind::RerunLock).expect("a finding");
    let expected = format!(
        "applying the finished change again held AccessExclusiveLock on spans, which stops reads \
         and writes, for 500 ms (limit 200 ms), to find out that there was nothing to do: \
         {ADD_COLUMN} took it, to the end of its transaction"
    );
    assert_eq!(lock.sentence, expected);
    assert!(lock.remedy.as_ref().is_some_and(|remedy| remedy.contains("it locks first")));
}

#[test]
fn a_rerun_that_changed_the_schema_had_something_to_do() {
    let mut made = again(in_transaction("spans", AccessExclusiveLock, 500));
    made.rerun(FINISHED);
    snapshot(&mut made, 2, "table public.spans", &[]);
    assert!(found(&made.clone().judge(), FindingKind::RerunLock).is_some());
    let mut other = by_command(1);
    sent(0, 5_000, 5_010, ADD_COLUMN).add_to(&mut other);
    for statement in in_transaction("spans", AccessExclusiveLock, 500) {
        statement.add_to(&mut other);
    }
    other.rerun(FINISHED);
    snapshot(&mut other, 0, "table public.spans", &[]);
    snapshot(&mut other, 1, "table public.tasks", &[]);
    assert_eq!(found(&other.judge(), FindingKind::RerunLock), None);
}

#[test]
fn the_attempt_that_finishes_a_failed_change_may_hold_its_locks() {
    let mut made = again(in_transaction("spans", AccessExclusiveLock, 500));
    made.ends(failed("55P03", "canceling statement due to lock timeout"));
    assert_eq!(found(&made.judge(), FindingKind::RerunLock), None);
}

#[test]
fn waiting_for_a_lock_and_the_tap_s_looks_are_no_holding() {
    let mut statements = in_transaction("spans", AccessExclusiveLock, 500);
    statements[1] = sent(1, 22_101, 22_102, ADD_COLUMN)
        .inside()
        .of_attempt(1)
        .holds("spans", AccessExclusiveLock)
        .paused_ms(301);
    assert_eq!(found(&again(statements).judge(), FindingKind::RerunLock), None);
    let waits = |blocked: i32| {
        let index = "CREATE INDEX IF NOT EXISTS ix ON spans (task_id)";
        let mut made = again(vec![sent(0, 22_100, 22_600, index).of_attempt(1)]);
        made.blocked_pid(blocked, 22_100, 22_590, &[APP + 1]);
        found(&made.judge(), FindingKind::RerunLock).map(|lock| lock.sentence.clone())
    };
    assert_eq!(waits(COMMAND), None);
    let held = waits(APP).expect("a lock outside a transaction is held while its statement runs");
    assert!(held.contains("held ShareLock, which stops writes, for 500 ms"), "{held}");
}

#[test]
fn a_rerun_that_writes_rows_is_not_said_to_have_had_nothing_to_do() {
    let mut statements = in_transaction("spans", AccessExclusiveLock, 500);
    let fill = "UPDATE spans SET task_id = trace_id";
    statements[2] =
        sent(2, 22_110, 22_600, fill).inside().of_attempt(1).holds("spans", AccessExclusiveLock);
    let judgement = again(statements).judge();
    let lock = found(&judgement, FindingKind::RerunLock).expect("a finding");
    assert!(lock.sentence.contains("and left the schema as it was"), "{}", lock.sentence);
}

#[test]
fn of_a_change_that_was_not_applied_again_the_verdict_says_so() {
    let mut made = Made::calm();
    made.at(22_000, Event::RerunLeftOut { attempt: 0 });
    let judgement = made.judge();
    assert_eq!(judgement.verdict, Verdict::Safe);
    assert!(judgement.reason.contains("not run again"), "{}", judgement.reason);
    assert!(!Made::calm().judge().reason.contains("not run again"));
}
