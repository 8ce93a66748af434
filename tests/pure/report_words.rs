//! What a report says of a trial, in every format: whose statements they are, what a command
//! printed, what informs, and what is no evidence.

use pgauntlet::history::{AttemptEnd, ConnectionOpened, Event, LedgerReport};
use pgauntlet::pg::LockMode;
use pgauntlet::report::{self, Width};
use pgauntlet::scenario::FindingKind;
use rstest::rstest;

use crate::made::{APP, Made};
use crate::page::Run;
use crate::sent::{COMMAND, by_command, exits, failed_with_status, sent};

const ADD_COLUMN: &str = "ALTER TABLE spans ADD COLUMN task_id varchar";
const BUILD: &str = "CREATE INDEX CONCURRENTLY ix ON spans (task_id)";
const SECOND: u32 = 5;

/// As it is shown where no colours are wanted, on one line.
fn terminal(run: &Run) -> String {
    let text =
        anstream::adapter::strip_str(&report::trial(&run.result.trials[0], Width::default()))
            .to_string();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Two runners and one rerun, of a statement each; the second runner's stops the application.
fn two_runners() -> Run {
    let mut made = by_command(1);
    made.scenario.name = "made".to_owned();
    made.scenario.change.runners = 2;
    let (session, application_name) = ((COMMAND + SECOND as i32).into(), "migrate".to_owned());
    let opened = ConnectionOpened {
        attempt: 1,
        connection: SECOND,
        session,
        application_name,
        settings: Vec::new(),
    };
    made.at(5_000, Event::ConnectionOpened(opened));
    sent(0, 5_000, 5_010, "ALTER TABLE a ADD COLUMN b int").add_to(&mut made);
    let second = |id, from, to, text| sent(id, from, to, text).of_attempt(1).on(SECOND);
    second(0, 5_010, 5_020, "BEGIN").status("it").add_to(&mut made);
    second(1, 5_020, 8_000, ADD_COLUMN)
        .inside()
        .holds("spans", LockMode::AccessExclusiveLock)
        .add_to(&mut made);
    second(2, 8_000, 8_005, "COMMIT").status("ti").add_to(&mut made);
    sent(0, 22_002, 22_005, "SET x = 1; ALTER TABLE c ADD COLUMN d int")
        .of_attempt(2)
        .add_to(&mut made);
    made.blocked_pid(APP, 5_100, 8_000, &[COMMAND + SECOND as i32]);
    exits(&mut made, 1, Some(3), "it failed");
    made.rerun(failed_with_status(3));
    made.rerun(AttemptEnd::Finished { applied: None });
    Run::one(made)
}

#[test]
fn statements_of_the_second_runner_are_called_its_own_in_every_format() {
    let run = two_runners();
    let text = terminal(&run);
    for words in [
        "runner 1: ALTER TABLE a",
        "runner 2: ALTER TABLE spans",
        "rerun 1: SET x",
        "(runner 2, the command, 2.98 s)",
        "runner 2 of the change (pid 805) held AccessExclusiveLock",
        "exited with status 3 (runner 2); it printed:",
    ] {
        assert!(text.contains(words), "no {words:?} in {text}");
    }
    assert!(!text.contains("rerun 2") && !text.contains("attempt 2"), "{text}");
    let page = run.page();
    for words in [
        "<span class=\"dim\">runner 2</span> <code>ALTER TABLE spans",
        "<span class=\"dim\">rerun 1</span> <code>SET x",
        "Runner 2 exited with status 3",
        "runner 2 held AccessExclusiveLock on spans for",
    ] {
        assert!(page.contains(words), "no {words:?} in the page");
    }
    assert!(!page.contains("rerun 2"));
    let markdown = report::markdown(&run.document());
    assert!(markdown.contains("(`runner 2, the command`, 2.98 s)"), "{markdown}");
    assert!(markdown.contains("The command of runner 2 exited with status 3"), "{markdown}");
}

#[test]
fn statements_of_the_second_runner_are_its_own_in_the_data() {
    let run = two_runners();
    let json = serde_json::to_value(&run.result).expect("JSON");
    let rows = json["trials"][0]["measured"]["statements"].as_array().expect("rows").clone();
    let of = |row: &serde_json::Value| {
        let statement = &row["statement"];
        (statement["runner"].as_u64(), statement["rerun"].as_u64())
    };
    let known: Vec<_> = rows.iter().map(of).collect();
    let second = (Some(2), None);
    assert_eq!(known, [(Some(1), None), second, second, second, (None, Some(1))]);
    let timeline = run.timelines[0].as_ref().expect("a timeline");
    let whose: Vec<&str> = timeline.locks.iter().map(|lock| lock.whose.as_str()).collect();
    assert_eq!(whose, ["runner 2"]);
    let blocker = &timeline.stalls[0].graph[0].blocker;
    assert_eq!(blocker, "runner 2 of the change");
}

#[rstest]
#[case::lock("knex_migrations_lock", None)]
#[case::versions("knex_migrations", Some("knex_migrations"))]
fn a_tools_lock_is_no_version_table(#[case] table: &str, #[case] named: Option<&str>) {
    let mut made = by_command(1);
    made.scenario.change.versions = None;
    let write = format!("UPDATE {table} SET is_locked = 1");
    sent(0, 5_000, 5_001, "BEGIN").status("it").add_to(&mut made);
    sent(1, 5_001, 5_002, &write).inside().add_to(&mut made);
    sent(2, 5_002, 5_010, ADD_COLUMN).inside().add_to(&mut made);
    sent(3, 5_010, 5_011, &write).inside().add_to(&mut made);
    sent(4, 5_011, 5_012, "COMMIT").status("ti").tag("COMMIT").add_to(&mut made);
    let judgement = made.judge();
    let found = judgement.findings.iter().find(|f| f.kind == FindingKind::OneTransaction);
    assert_eq!(found.and_then(|f| f.subject.relation.as_deref()), named);
}

/// What decides nothing is in the Markdown too, of a trial that is safe as of one that is not.
#[rstest]
#[case::safe(false)]
#[case::not_safe(true)]
fn what_only_informs_is_in_the_markdown(#[case] lost: bool) {
    let mut made = by_command(1);
    made.scenario.name = "made".to_owned();
    sent(0, 5_000, 5_010, ADD_COLUMN).timeouts(0, 0).add_to(&mut made);
    if lost {
        made.lost_write();
    }
    let run = Run::one(made);
    let markdown = report::markdown(&run.document());
    assert!(markdown.contains("- note: **no-timeout**: ALTER TABLE spans"), "{markdown}");
    assert_eq!(markdown.contains("**lost-write** (unsafe)"), lost);
}

#[rstest]
#[case::some(Some(9), "all 9 acknowledged writes are in the tables")]
#[case::none(Some(0), "no write of the application was remembered and compared")]
#[case::no_ledger(None, "no write was compared")]
fn a_ledger_without_a_write_is_no_evidence(#[case] writes: Option<u64>, #[case] words: &str) {
    let mut made = Made::calm();
    if let Some(acknowledged) = writes {
        made.at(23_050, Event::Ledger(LedgerReport { acknowledged, ..Default::default() }));
    }
    let run = Run::one(made);
    let reason = &run.result.trials[0].reason;
    assert!(reason.contains(words) && !reason.contains("all 0"), "{reason}");
    assert!(!run.page().contains("0 acknowledged writes"), "in the page");
}

#[test]
fn what_a_command_printed_is_whole_however_long_its_lines_are() {
    let words: Vec<String> = (0..60).map(|n| format!("word{n}")).collect();
    let (long, solid) = (words.join(" "), "x".repeat(300));
    let output = format!("    at file ```js\n{long}\n{solid}\nerror: the last");
    let mut made = by_command(1);
    made.scenario.name = "made".to_owned();
    sent(0, 5_000, 5_010, BUILD).add_to(&mut made);
    exits(&mut made, 0, Some(3), &output);
    made.ends(failed_with_status(3));
    let run = Run::one(made);
    let text =
        anstream::adapter::strip_str(&report::trial(&run.result.trials[0], Width::default()))
            .to_string();
    let printed: Vec<&str> =
        text.lines().filter_map(|line| line.split_once("| ")).map(|l| l.1).collect();
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    assert_eq!(printed[0], "    at file ```js");
    let shown = printed.join(" ");
    assert!(shown.contains(&long) && shown.ends_with("error: the last"), "{text}");
    assert_eq!(shown.matches('x').count(), solid.len());
    let markdown = report::markdown(&run.document());
    assert!(markdown.contains(&format!("````text\n{output}\n````")), "{markdown}");
    assert!(run.page().contains(&solid) && run.page().contains(&long));
}
