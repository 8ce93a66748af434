//! The judge on connections, transactions and timeouts of a change that a command applies: each
//! history is made by hand and says one thing.

use pgauntlet::clock::Micros;
use pgauntlet::history::{
    AttemptEnd, ClosedBy, ConnectionRefused, Event, RefusedFor, ServerError, TransactionStatus,
};
use pgauntlet::pg::LockMode::{AccessExclusiveLock, ShareRowExclusiveLock};
use pgauntlet::result::{Finding, Judgement};
use pgauntlet::scenario::{FindingKind, Scope, TransactionRule, Verdict};
use rstest::rstest;

use crate::made::{APP, Made, error};
use crate::sent::{
    COMMAND, Sent, by_command, closes, exits, failed_with_status, meets_fault, sent,
};

const ADD_COLUMN: &str = "ALTER TABLE spans ADD COLUMN task_id varchar";
const BUILD: &str = "CREATE INDEX CONCURRENTLY ix ON spans (task_id)";
const FILL: &str = "UPDATE spans SET task_id = trace_id";
const SET: &str = "SET lock_timeout = '3s'";

fn found(judgement: &Judgement, kind: FindingKind) -> Option<&Finding> {
    judgement.findings.iter().find(|finding| finding.kind == kind)
}

fn sentence(judgement: &Judgement, kind: FindingKind) -> String {
    let finding = found(judgement, kind);
    finding.unwrap_or_else(|| panic!("no {kind} in {:?}", judgement.findings)).sentence.clone()
}

fn judged(connections: u32, statements: Vec<Sent>) -> Judgement {
    made_of(connections, statements).judge()
}

fn made_of(connections: u32, statements: Vec<Sent>) -> Made {
    let mut made = by_command(connections);
    statements.into_iter().for_each(|statement| statement.add_to(&mut made));
    made
}

/// A transaction of BEGIN, these, COMMIT, 10 ms each, from `at` on.
fn transaction(first: u32, at: u64, inside: &[&str]) -> Vec<Sent> {
    let step = |n: u32| (first + n, at + u64::from(n) * 10, at + u64::from(n) * 10 + 9);
    let (id, from, to) = step(0);
    let mut all = vec![sent(id, from, to, "BEGIN").status("it")];
    for (n, text) in (1..).zip(inside) {
        let (id, from, to) = step(n);
        all.push(sent(id, from, to, text).inside());
    }
    let (id, from, to) = step(inside.len() as u32 + 1);
    all.push(sent(id, from, to, "COMMIT").status("ti"));
    all
}

#[test]
fn a_calm_change_by_command_is_safe() {
    let judgement = judged(1, vec![sent(0, 5_000, 5_010, BUILD)]);
    assert_eq!(judgement.findings, []);
    assert_eq!(judgement.verdict, Verdict::Safe);
    assert_eq!(judgement.measured.commands[0].exit_code, Some(0));
}

#[test]
fn what_another_connection_does_does_not_keep_an_idle_one_from_being_idle() {
    let mut made = made_of(
        2,
        vec![
            sent(0, 5_000, 5_010, ADD_COLUMN).status("it").holds("spans", AccessExclusiveLock),
            sent(1, 5_020, 8_900, "UPDATE tasks SET name = ''").on(1),
            sent(2, 9_000, 9_001, "COMMIT").status("ti"),
        ],
    );
    made.blocked_pid(APP, 5_100, 9_000, &[COMMAND]);
    let judgement = made.judge();
    let stall = sentence(&judgement, FindingKind::Stall);
    assert!(stall.contains("sat idle after ALTER TABLE"), "{stall}");
}

#[test]
fn blame_is_of_the_connection_that_was_in_the_way() {
    let mut made = made_of(
        2,
        vec![
            sent(0, 5_000, 8_000, FILL).holds("tasks", ShareRowExclusiveLock),
            sent(1, 5_010, 8_000, ADD_COLUMN).on(1),
        ],
    );
    made.blocked_pid(APP, 5_100, 7_900, &[COMMAND + 1]);
    let judgement = made.judge();
    let stall = found(&judgement, FindingKind::Stall).expect("a stall");
    let during = stall.witness.as_ref().and_then(|w| w.during.as_ref()).expect("a statement");
    assert_eq!(during.text, ADD_COLUMN);
}

#[test]
fn a_lock_is_taken_by_a_statement_of_the_same_transaction() {
    let mut statements = transaction(0, 5_000, &[ADD_COLUMN]);
    statements[1] = sent(1, 5_010, 5_019, ADD_COLUMN).inside().holds("spans", AccessExclusiveLock);
    let second = "ALTER TABLE spans ADD COLUMN other int";
    statements.push(sent(10, 6_000, 6_010, "BEGIN").status("it"));
    statements.push(sent(11, 6_010, 6_020, second).inside().holds("spans", AccessExclusiveLock));
    statements.push(sent(12, 6_020, 9_000, FILL).inside().holds("spans", AccessExclusiveLock));
    let mut made = made_of(1, statements);
    made.blocked_pid(APP, 6_030, 9_000, &[COMMAND]);
    let judgement = made.judge();
    let stall = found(&judgement, FindingKind::Stall).expect("a stall");
    let taken_by = stall.witness.as_ref().and_then(|w| w.taken_by.as_ref()).expect("a statement");
    assert_eq!(taken_by.text, second);
}

/// Three statements under a lock, with the tap's looks of `paused_ms` after each in a gap of `gap`.
fn looked_at(paused_ms: u64, gap: u64, work: u64) -> Judgement {
    let mut statements = vec![sent(0, 5_000, 5_010, "BEGIN").status("it")];
    let mut at = 5_010;
    for id in 1..4 {
        let held = sent(id, at, at + work, FILL).inside().holds("spans", AccessExclusiveLock);
        statements.push(held.paused_ms(paused_ms));
        at += work + gap;
    }
    statements.push(sent(4, at, at + 1, "COMMIT").status("ti"));
    let mut made = made_of(1, statements);
    made.blocked_pid(APP, 5_010, at, &[COMMAND]);
    made.judge()
}

#[test]
fn the_overhead_of_the_tap_is_reported_and_is_no_idle_time() {
    let judgement = looked_at(800, 800, 500);
    let stall = sentence(&judgement, FindingKind::Stall);
    assert!(stall.contains("2.40 s of it is tap overhead"), "{stall}");
    assert!(stall.contains("ran and its transaction held the lock"), "{stall}");
    assert_eq!(judgement.measured.paused_us, Micros::from_millis(2_400));
    let idling = sentence(&looked_at(0, 800, 500), FindingKind::Stall);
    assert!(idling.contains("sat idle"), "{idling}");
}

#[test]
fn a_change_that_the_tap_held_back_for_most_of_its_time_is_unproven() {
    let held_back = sentence(&looked_at(4_000, 4_000, 500), FindingKind::MeasurementFailed);
    assert!(held_back.contains("the tap held the change back for 12.00 s of its"), "{held_back}");
    let judgement = looked_at(600, 600, 1_000);
    assert!(found(&judgement, FindingKind::MeasurementFailed).is_none());
}

#[test]
fn a_stall_that_only_the_taps_pauses_make_too_long_is_unproven() {
    let judgement = looked_at(200, 200, 200);
    let stall = found(&judgement, FindingKind::Stall).expect("a stall");
    assert_eq!(stall.verdict, Verdict::Unproven);
    assert!(stall.sentence.contains("would have been within the limit"), "{}", stall.sentence);
}

#[test]
fn pauses_of_less_than_a_tenth_are_not_in_the_sentence() {
    let stall = sentence(&looked_at(50, 50, 2_000), FindingKind::Stall);
    assert!(!stall.contains("the tap"), "{stall}");
}

#[test]
fn a_strong_lock_without_any_timeout_is_told_once_with_how_many_more() {
    let judgement = judged(
        1,
        vec![
            sent(0, 5_000, 5_010, ADD_COLUMN).timeouts(0, 0),
            sent(1, 5_010, 5_020, BUILD).timeouts(0, 0),
            sent(2, 5_020, 5_030, "SELECT 1").timeouts(0, 0),
        ],
    );
    let told = sentence(&judgement, FindingKind::NoTimeout);
    assert!(told.starts_with(ADD_COLUMN) && told.contains("so did 1 more statement"), "{told}");
    assert_eq!(judgement.verdict, Verdict::Safe);
}

#[rstest]
#[case::lock_timeout(sent(0, 5_000, 5_010, BUILD).timeouts(3_000, 0))]
#[case::statement_timeout(sent(0, 5_000, 5_010, ADD_COLUMN).timeouts(0, 30_000))]
#[case::no_strong_lock(sent(0, 5_000, 5_010, FILL).timeouts(0, 0))]
#[case::a_lock_on_nothing_of_others(sent(0, 5_000, 5_010, ADD_COLUMN).timeouts(0, 0).inside())]
#[case::refused_at_once(sent(0, 5_000, 5_010, BUILD).timeouts(0, 0).fails("25001", "refused"))]
#[case::set_in_the_message(
    sent(0, 5_000, 5_010, "SET lock_timeout = 1; ALTER TABLE t ADD a int").timeouts(0, 0)
)]
#[case::set_in_the_block(
    sent(0, 5_000, 5_010, "DO $$BEGIN SET LOCAL lock_timeout = 3; ALTER TABLE t ADD a int; END$$")
        .timeouts(0, 0)
)]
#[case::gave_up_at_its_own(
    sent(0, 5_000, 8_010, "DO $$BEGIN ALTER TABLE t ADD a int; END$$")
        .timeouts(0, 0)
        .fails("55P03", "canceling statement due to lock timeout")
)]
fn one_timeout_in_force_is_enough(#[case] statement: Sent) {
    assert_eq!(found(&judged(1, vec![statement]), FindingKind::NoTimeout), None);
}

#[rstest]
#[case::dynamic(
    "DO $$BEGIN EXECUTE 'SET lock_timeout = 1'; ALTER TABLE spans ADD a int; END$$",
    true
)]
#[case::computed(
    "DO $$BEGIN PERFORM set_config('lock_timeout', 3 || 's', true); ALTER TABLE spans ADD a int; \
     END$$",
    true
)]
#[case::nothing("DO $$BEGIN ALTER TABLE spans ADD a int; END$$", false)]
#[case::zero("DO $$BEGIN SET LOCAL lock_timeout = 0; ALTER TABLE spans ADD a int; END$$", false)]
fn what_a_block_sets_where_nobody_sees_it_is_said_to_be_unknown(
    #[case] text: &str,
    #[case] unknown: bool,
) {
    let judgement = judged(1, vec![sent(0, 5_000, 5_010, text).timeouts(0, 0)]);
    let told = sentence(&judgement, FindingKind::NoTimeout);
    assert_eq!(told.contains("sets one itself is not known"), unknown, "{told}");
    assert!(told.contains("nothing limits how long it waits"), "{told}");
}

fn declared(scope: Scope, statements: Vec<Sent>) -> Judgement {
    let mut made = made_of(1, statements);
    made.scenario.change.timeouts.scope = scope;
    made.scenario.change.timeouts.lock_timeout_ms = Some(3_000);
    made.scenario.change.timeouts.statement_timeout_ms = Some(30_000);
    made.judge()
}

#[test]
fn a_declared_timeout_that_was_not_in_force_is_told_with_both_values() {
    let judgement = declared(
        Scope::Session,
        vec![
            sent(0, 5_000, 5_001, SET).timeouts(0, 0),
            sent(1, 5_010, 5_020, ADD_COLUMN).timeouts(0, 30_000),
            sent(2, 5_020, 5_030, FILL).timeouts(0, 30_000),
        ],
    );
    let told = sentence(&judgement, FindingKind::TimeoutNotInForce);
    assert!(told.starts_with("lock_timeout is declared as 3 s and was 0 (none)"), "{told}");
    assert!(told.contains("(2 statements)") && !told.contains("statement_timeout is"), "{told}");
    assert_eq!(judgement.verdict, Verdict::Safe);
}

#[rstest]
#[case::as_declared(Scope::Session, vec![
    sent(0, 5_000, 5_010, ADD_COLUMN).timeouts(3_000, 30_000),
])]
#[case::local_and_outside(Scope::Local, vec![sent(0, 5_000, 5_010, BUILD).timeouts(3_000, 0)])]
#[case::lifted_on_purpose(Scope::Session, vec![
    sent(0, 5_000, 5_001, "SET statement_timeout = 30000"),
    sent(1, 5_010, 5_011, "SET statement_timeout = 0").timeouts(3_000, 30_000),
    sent(2, 5_020, 5_030, BUILD).timeouts(3_000, 0),
    sent(3, 5_030, 5_031, "SET statement_timeout = 30000").timeouts(3_000, 0),
])]
#[case::no_work(Scope::Session, vec![
    sent(0, 5_000, 5_010, "SELECT 1").timeouts(0, 0),
    sent(1, 5_020, 5_030, "UPDATE versions SET version = 'a'").timeouts(0, 0),
    sent(2, 5_030, 5_040, BUILD).timeouts(3_000, 30_000),
])]
fn what_is_declared_and_in_force_or_not_meant_is_not_told(
    #[case] scope: Scope,
    #[case] statements: Vec<Sent>,
) {
    assert_eq!(found(&declared(scope, statements), FindingKind::TimeoutNotInForce), None);
}

#[test]
fn a_timeout_lifted_for_one_build_and_lost_for_the_next_change_is_told() {
    let mut statements = vec![
        sent(0, 5_000, 5_001, "SET statement_timeout = 30000"),
        sent(1, 5_010, 5_011, "SET statement_timeout = 0").timeouts(3_000, 30_000),
        sent(2, 5_020, 5_030, BUILD).timeouts(3_000, 0),
    ];
    statements.extend(transaction(3, 5_040, &[ADD_COLUMN]));
    let told = sentence(&declared(Scope::Session, statements), FindingKind::TimeoutNotInForce);
    assert!(told.contains("when ALTER TABLE"), "{told}");
    assert!(told.contains("not counting 1 statement after SET statement_timeout = 0"), "{told}");
}

fn closed(by: ClosedBy, status: TransactionStatus, text: &str, fault: bool) -> Judgement {
    let mut made = made_of(
        1,
        vec![sent(0, 5_000, 5_010, SET).status("it"), sent(1, 5_010, 5_020, text).inside()],
    );
    closes(&mut made, 0, by, status);
    if fault {
        meets_fault(&mut made, 5_015, 1);
    }
    made.judge()
}

#[test]
fn work_in_a_transaction_that_was_open_at_the_connections_end_is_unsafe() {
    let judgement = closed(ClosedBy::Client, TransactionStatus::InTransaction, ADD_COLUMN, false);
    assert_eq!(judgement.verdict, Verdict::Unsafe);
    let told = sentence(&judgement, FindingKind::OpenTransaction);
    assert!(told.contains("the transaction that began with SET lock_timeout"), "{told}");
    assert!(told.contains("1 statement of it had changed something, first ALTER"), "{told}");
}

#[test]
fn a_transaction_that_only_read_is_told_and_harms_nothing() {
    let judgement = closed(ClosedBy::Client, TransactionStatus::InTransaction, "SELECT 1", false);
    let open = found(&judgement, FindingKind::OpenTransaction).expect("a finding");
    assert_eq!(open.verdict, Verdict::Safe);
}

#[rstest]
#[case::cut_on_purpose(ClosedBy::Fault, TransactionStatus::InTransaction, false)]
#[case::after_a_fault(ClosedBy::Server, TransactionStatus::InTransaction, true)]
#[case::with_none_open(ClosedBy::Client, TransactionStatus::Idle, false)]
fn an_end_by_fault_or_outside_a_transaction_is_no_open_transaction(
    #[case] by: ClosedBy,
    #[case] status: TransactionStatus,
    #[case] fault: bool,
) {
    let judgement = closed(by, status, ADD_COLUMN, fault);
    assert_eq!(found(&judgement, FindingKind::OpenTransaction), None);
}

/// BEGIN, the column, ROLLBACK; then perhaps the column once more.
fn rolled_back(again: bool) -> Judgement {
    let mut statements = transaction(0, 5_000, &[ADD_COLUMN]);
    statements[2] = sent(2, 5_020, 5_029, "ROLLBACK").status("ti");
    if again {
        statements.push(sent(3, 5_030, 5_040, ADD_COLUMN));
    }
    judged(1, statements)
}

#[test]
fn work_that_was_rolled_back_without_an_error_is_unsafe_unless_it_was_done_again() {
    assert_eq!(rolled_back(false).verdict, Verdict::Unsafe);
    assert_eq!(found(&rolled_back(true), FindingKind::OpenTransaction), None);
}

#[rstest]
#[case::two_in_one(TransactionRule::PerMigration, 2, true)]
#[case::one(TransactionRule::PerMigration, 1, false)]
#[case::declared_so(TransactionRule::Single, 2, false)]
fn migrations_in_one_transaction_are_told_by_the_version_table(
    #[case] rule: TransactionRule,
    #[case] migrations: usize,
    #[case] told: bool,
) {
    let migration = [ADD_COLUMN, "UPDATE versions SET version = 'a'"];
    let mut inside = vec![SET];
    (0..migrations).for_each(|_| inside.extend(migration));
    let mut made = made_of(1, transaction(0, 5_000, &inside));
    made.scenario.change.transaction = rule;
    let judgement = made.judge();
    let one = found(&judgement, FindingKind::OneTransaction).map(|f| f.sentence.clone());
    assert_eq!(one.is_some(), told, "{one:?}");
    let words = "the transaction that began with SET lock_timeout = '3s'";
    assert!(one.is_none_or(|one| one.contains("written 2 times") && one.contains(words)));
}

fn refused(statement: Sent, before: Vec<Sent>) -> String {
    let message = "CREATE INDEX CONCURRENTLY cannot run inside a transaction block";
    let mut statements = before;
    statements.push(statement.fails("25001", message));
    let mut made = made_of(1, statements);
    made.attempt_fails("25001", message);
    sentence(&made.judge(), FindingKind::ConcurrentlyInTransaction)
}

#[test]
fn a_refused_build_names_the_statement_that_began_its_transaction() {
    let before =
        vec![sent(0, 5_000, 5_001, "BEGIN").status("it"), sent(1, 5_001, 5_002, SET).inside()];
    let told = refused(sent(2, 5_010, 5_011, BUILD).status("tf"), before);
    assert!(told.contains("inside the transaction that began with SET lock_timeout"), "{told}");
}

#[test]
fn a_refused_build_in_a_message_of_several_statements_says_so() {
    let told = refused(sent(0, 5_010, 5_011, BUILD).message_of(2), Vec::new());
    assert!(told.contains("in one message of 2 statements"), "{told}");
}

#[test]
fn statements_under_an_exclusive_lock_are_counted_and_timed() {
    let mut statements = transaction(0, 5_000, &[]);
    statements.truncate(1);
    let held = |statement: Sent| statement.inside().holds("spans", AccessExclusiveLock);
    statements.push(held(sent(1, 5_010, 5_020, ADD_COLUMN)));
    statements.push(held(sent(2, 5_020, 5_720, FILL)));
    statements.push(held(sent(3, 5_720, 5_820, "CREATE INDEX ix ON spans (task_id)")));
    statements.push(held(sent(4, 5_820, 5_821, "UPDATE versions SET version = 'a'")));
    statements.push(sent(5, 5_830, 5_831, "COMMIT").status("ti"));
    let judgement = judged(1, statements);
    let told = sentence(&judgement, FindingKind::StatementsUnderLock);
    assert!(told.contains("on spans, taken by ALTER TABLE"), "{told}");
    assert!(told.contains("while 2 more statements of the transaction ran, 800 ms"), "{told}");
    assert!(told.contains("the longest, UPDATE spans"), "{told}");
    assert_eq!(judgement.verdict, Verdict::Safe);
}

#[test]
fn one_statement_alone_under_its_lock_is_not_told() {
    let mut statements = transaction(0, 5_000, &[ADD_COLUMN, "UPDATE versions SET version = 'a'"]);
    let alone = sent(1, 5_010, 5_019, ADD_COLUMN).inside().holds("spans", AccessExclusiveLock);
    statements[1] = alone;
    assert_eq!(found(&judged(1, statements), FindingKind::StatementsUnderLock), None);
}

#[rstest]
#[case::a_strong_lock("ALTER TABLE spans ADD a int; SELECT 1", "ii", true)]
#[case::weak_locks("UPDATE spans SET a = 1; SELECT 1", "ii", false)]
#[case::its_own_transaction("BEGIN; ALTER TABLE spans ADD a int; COMMIT", "ii", false)]
#[case::inside_a_transaction("ALTER TABLE spans ADD a int; SELECT 1", "tt", false)]
fn a_message_of_several_statements_is_told_where_it_locks(
    #[case] text: &str,
    #[case] status: &str,
    #[case] told: bool,
) {
    let judgement = judged(1, vec![sent(0, 5_000, 5_010, text).message_of(2).status(status)]);
    assert_eq!(found(&judgement, FindingKind::OneMessage).is_some(), told);
}

#[test]
fn a_command_that_never_got_to_the_database_proves_nothing() {
    let mut made = made_of(1, Vec::new());
    exits(&mut made, 0, Some(127), "sh: alembci: not found\n");
    made.ends(failed_with_status(127));
    made.rerun(failed_with_status(127));
    let judgement = made.judge();
    assert_eq!(judgement.verdict, Verdict::Unproven, "{:?}", judgement.findings);
    let told = sentence(&judgement, FindingKind::CommandFailed);
    assert!(told.contains("alembci: not found"), "{told}");
}

#[test]
fn a_command_that_fails_without_an_error_of_the_server_is_told_by_its_status() {
    let mut made = made_of(1, vec![sent(0, 5_000, 5_010, BUILD)]);
    exits(&mut made, 0, Some(3), "Traceback\nKeyError: 'url'\n");
    made.ends(failed_with_status(3));
    let judgement = made.judge();
    let told = sentence(&judgement, FindingKind::CommandFailed);
    assert!(told.starts_with("the command exited with status 3"), "{told}");
    assert!(told.ends_with("KeyError: 'url'"), "{told}");
    assert_eq!(judgement.verdict, Verdict::Unsafe);
}

#[test]
fn a_command_whose_last_statement_failed_is_told_by_that() {
    let mut made = made_of(
        1,
        vec![
            sent(0, 5_000, 5_001, "BEGIN").status("it"),
            sent(1, 5_010, 8_010, ADD_COLUMN)
                .status("tf")
                .fails("55P03", "canceling statement due to lock timeout"),
            sent(2, 8_010, 8_011, "SELECT 1")
                .status("ff")
                .fails("25P02", "in a failed transaction"),
            sent(3, 8_020, 8_021, "ROLLBACK").status("fi"),
        ],
    );
    exits(&mut made, 0, Some(1), "");
    made.ends(failed_with_status(1));
    let judgement = made.judge();
    assert_eq!(found(&judgement, FindingKind::CommandFailed), None);
    assert!(sentence(&judgement, FindingKind::LockTimeout).starts_with("ALTER TABLE"));
}

fn swallowed(code: &str, text: &str, more: Vec<Sent>) -> Option<Verdict> {
    let mut statements = vec![sent(0, 5_000, 5_010, text).fails(code, "it failed")];
    statements.extend(more);
    statements.push(sent(9, 6_000, 6_010, BUILD));
    let mut made = made_of(1, statements);
    made.rerun(AttemptEnd::Finished { applied: None });
    found(&made.judge(), FindingKind::ErrorSwallowed).map(|finding| finding.verdict)
}

#[rstest]
#[case::never_done("55P03", ADD_COLUMN, vec![], Some(Verdict::Unsafe))]
#[case::there_already("42701", ADD_COLUMN, vec![], Some(Verdict::Safe))]
#[case::done_by_a_rerun("55P03", ADD_COLUMN,
    vec![sent(0, 22_011, 22_012, ADD_COLUMN).of_attempt(1)], Some(Verdict::Bounded))]
#[case::repeated("55P03", ADD_COLUMN, vec![sent(1, 5_500, 5_510, ADD_COLUMN)], None)]
#[case::a_read("42P01", "SELECT * FROM schema_versions", vec![], None)]
fn an_error_under_a_reported_success_is_told_by_what_became_of_its_work(
    #[case] code: &str,
    #[case] text: &str,
    #[case] more: Vec<Sent>,
    #[case] expected: Option<Verdict>,
) {
    assert_eq!(swallowed(code, text, more), expected);
}

#[test]
fn a_command_that_changes_nothing_has_not_reached_what_the_scenario_is_about() {
    let text = "CREATE TABLE IF NOT EXISTS versions (version text)";
    let nothing = sent(1, 5_010, 5_020, text);
    let judgement = judged(
        1,
        vec![
            sent(0, 5_000, 5_010, "SELECT version FROM versions"),
            nothing.notices("relation \"versions\" already exists, skipping"),
        ],
    );
    assert!(found(&judgement, FindingKind::NotReached).is_some(), "{:?}", judgement.findings);
}

#[rstest]
#[case::only_reads("SELECT version FROM versions", "a rerun ran nothing that changes anything")]
#[case::work("COMMENT ON TABLE spans IS ''", "a rerun succeeded and left the schema as it was")]
fn what_a_commands_rerun_did_is_told_by_its_statements(#[case] text: &str, #[case] words: &str) {
    let mut made = made_of(1, vec![sent(0, 5_000, 5_010, BUILD)]);
    sent(0, 22_011, 22_012, text).of_attempt(1).add_to(&mut made);
    made.rerun(AttemptEnd::Finished { applied: None });
    let judgement = made.judge();
    assert!(judgement.reason.contains(words), "{}", judgement.reason);
}

#[test]
fn a_commit_that_failed_takes_the_work_back_although_success_is_reported() {
    let judgement = judged(
        1,
        vec![
            sent(0, 5_000, 5_001, "BEGIN").status("it"),
            sent(1, 5_010, 5_020, ADD_COLUMN).inside(),
            sent(2, 5_030, 5_031, "COMMIT").status("ti").fails("23503", "a row is missing"),
        ],
    );
    assert_eq!(judgement.verdict, Verdict::Unsafe);
    let told = sentence(&judgement, FindingKind::OpenTransaction);
    assert!(told.contains("its COMMIT failed: a row is missing"), "{told}");
}

#[test]
fn a_tool_that_makes_only_its_own_table_has_applied_nothing() {
    let text = "CREATE TABLE IF NOT EXISTS public.schema_migrations (version varchar primary key)";
    let mut made = made_of(1, vec![sent(0, 5_000, 5_010, text)]);
    made.scenario.change.versions = None;
    let judgement = made.judge();
    assert!(found(&judgement, FindingKind::NotReached).is_some(), "{:?}", judgement.findings);
}

fn is_refused(made: &mut Made, attempt: u32, why: RefusedFor) -> ServerError {
    let error = error("42501", "pgauntlet lets the change reach the trial's database only");
    let refused = ConnectionRefused {
        attempt,
        why,
        user: "rails".to_owned(),
        database: "production".to_owned(),
        application_name: "rake".to_owned(),
        error: error.clone(),
    };
    made.at(5_005, Event::ConnectionRefused(refused.into()));
    error
}

#[test]
fn a_change_that_was_refused_another_database_is_unproven_even_if_it_finished() {
    let mut made = made_of(1, vec![sent(0, 5_000, 5_010, BUILD)]);
    is_refused(&mut made, 0, RefusedFor::Database);
    let judgement = made.judge();
    assert_eq!(judgement.verdict, Verdict::Unproven, "{:?}", judgement.findings);
    let told = sentence(&judgement, FindingKind::ConnectionRefused);
    assert!(told.starts_with("the change tried to connect to the database production"), "{told}");
}

#[test]
fn a_change_that_failed_because_it_was_refused_is_not_unsafe() {
    let mut made = made_of(1, vec![sent(0, 5_000, 5_010, BUILD)]);
    let error = is_refused(&mut made, 0, RefusedFor::Database);
    is_refused(&mut made, 1, RefusedFor::Database);
    let end = || AttemptEnd::Failed { migration: String::new(), error: error.clone().into() };
    made.ends(end());
    made.rerun(end());
    let judgement = made.judge();
    assert_eq!(judgement.verdict, Verdict::Unproven, "{:?}", judgement.findings);
    assert_eq!(found(&judgement, FindingKind::RerunFailed), None);
}

#[test]
fn a_wrong_password_of_anybody_does_not_decide_beside_a_change_that_finished() {
    let mut made = made_of(1, vec![sent(0, 5_000, 5_010, BUILD)]);
    is_refused(&mut made, 0, RefusedFor::Password);
    let judgement = made.judge();
    let informs = found(&judgement, FindingKind::ConnectionRefused).map(|f| f.verdict);
    assert_eq!(informs, Some(Verdict::Safe));
}
