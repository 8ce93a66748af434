//! What a terminal shows of a trial: judgements of histories made by hand, as text.

use pgauntlet::report::{self, Width};

use crate::made;
use crate::made::Made;
use crate::sent;
use crate::sent::{Sent, by_command, exits, failed_with_status, sent};

const ADD_COLUMN: &str = "ALTER TABLE spans ADD COLUMN task_id varchar";
const BUILD: &str = "CREATE INDEX CONCURRENTLY ix ON spans (task_id)";

fn made_of(statements: Vec<Sent>) -> Made {
    let mut made = by_command(1);
    statements.into_iter().for_each(|statement| statement.add_to(&mut made));
    made
}

/// As it is shown where no colours are wanted.
fn shown(made: Made) -> String {
    anstream::adapter::strip_str(&report::trial(&made.judge(), Width::default())).to_string()
}

/// The line that holds the words.
fn line<'t>(text: &'t str, words: &str) -> &'t str {
    let line = text.lines().find(|line| line.contains(words));
    line.unwrap_or_else(|| panic!("no {words:?} in:\n{text}"))
}

#[test]
fn the_timeouts_in_force_are_told_once_where_they_are_the_same() {
    let text = shown(made_of(vec![sent(0, 5_000, 5_010, BUILD).timeouts(3_000, 30_000)]));
    let told = line(&text, "timeouts in force");
    assert!(told.ends_with("lock 3 s, statement 30 s, for every statement above"), "{told}");
}

#[test]
fn statements_that_ran_with_other_timeouts_are_named() {
    let text = shown(made_of(vec![
        sent(0, 5_000, 5_010, ADD_COLUMN).timeouts(3_000, 30_000),
        sent(1, 5_010, 5_020, BUILD).timeouts(0, 0),
    ]));
    assert!(line(&text, "timeouts in force").contains("lock 3 s, statement 30 s, for ALTER"));
    assert!(line(&text, "none, for").contains("CREATE INDEX CONCURRENTLY"), "{text}");
}

#[test]
fn of_a_commands_statements_those_are_shown_that_work_fail_or_take_long() {
    let text = shown(made_of(vec![
        sent(0, 5_000, 5_001, "BEGIN").status("it"),
        sent(1, 5_001, 5_002, "SET lock_timeout = 1").inside(),
        sent(2, 5_002, 5_003, "SELECT version FROM versions").inside(),
        sent(3, 5_003, 5_004, ADD_COLUMN).inside(),
        sent(4, 5_004, 5_904, "SELECT pg_sleep(0.9)").inside(),
        sent(5, 5_904, 5_905, "SELECT nothing").status("tf").fails("42703", "no such column"),
    ]));
    let table: Vec<&str> = text.lines().skip_while(|l| !l.contains("then held")).collect();
    let table = table.join("\n");
    assert!(line(&table, "ALTER TABLE").contains("ok"));
    assert!(line(&table, "SELECT nothing").contains("42703"));
    assert!(line(&table, "pg_sleep").contains("900 ms"));
    assert!(!["BEGIN", "SET", "FROM versions"].iter().any(|noise| table.contains(noise)));
}

#[test]
fn what_decides_nothing_is_told_after_what_does() {
    let mut made = made_of(vec![sent(0, 5_000, 5_010, ADD_COLUMN).timeouts(0, 0)]);
    made.lost_write();
    let text = shown(made);
    let at = |words| text.find(words).unwrap_or_else(|| panic!("no {words:?} in:\n{text}"));
    assert!(at("lost-write (unsafe)") < at("  note no-timeout: ALTER TABLE"));
}

#[test]
fn of_a_command_that_failed_the_status_and_the_last_lines_are_shown() {
    let mut made = made_of(vec![sent(0, 5_000, 5_010, BUILD)]);
    let lines: Vec<String> = (0..30).map(|n| format!("line {n}\u{1b}[0m")).collect();
    exits(&mut made, 0, Some(3), &lines.join("\n"));
    made.ends(failed_with_status(3));
    let text = shown(made);
    assert!(text.contains("exited with status 3; the end of what it printed:"), "{text}");
    assert!(!text.contains("line 14") && text.contains("| line 15"), "{text}");
    assert!(text.contains("| line 29"), "{text}");
}

#[test]
fn a_commands_statement_is_not_called_the_runners() {
    let held = pgauntlet::pg::LockMode::AccessExclusiveLock;
    let mut made = made_of(vec![
        sent(0, 5_000, 8_000, ADD_COLUMN).inside().holds("spans", held).paused_ms(12),
    ]);
    made.blocked_pid(made::APP, 5_100, 8_000, &[sent::COMMAND]);
    let text = shown(made);
    assert!(
        line(&text, "during").contains("ALTER TABLE") && text.contains("(the command, 3.00 s)")
    );
    assert!(text.contains("tap overhead: 12 ms (0.1 % of the change)"), "{text}");
}

#[test]
fn the_end_of_a_run_says_how_many_are_as_expected_and_which_are_not() {
    let calm = Made::calm().judge();
    let mut other = calm.clone();
    other.as_expected = false;
    let tally = |trials: &[_]| report::tally(trials, &[], Width::default());
    assert_eq!(tally(std::slice::from_ref(&calm)), None);
    assert_eq!(tally(&[calm.clone(), calm.clone()]).as_deref(), Some(" 2 of 2 as expected"));
    let said = tally(&[calm, other]).expect("a tally");
    assert!(said.starts_with(" 1 of 2 as expected; not:"), "{said}");
}
