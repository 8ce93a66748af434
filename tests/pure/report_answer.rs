//! The answer of `try` about one change: what is on the first screen, in text and in Markdown.

use std::collections::BTreeMap;

use pgauntlet::assess::{self, RetriesTried};
use pgauntlet::clock::Micros;
use pgauntlet::explain;
use pgauntlet::history::Tried;
use pgauntlet::pg::LockMode;
use pgauntlet::report::{self, Document, Width};
use pgauntlet::result::{Limited, LintStanding, ResultFile, RetryOdds, RetryRound};
use rstest::rstest;
use unicode_width::UnicodeWidthStr;

use crate::made::{APP, Made};
use crate::page::Run;
use crate::sent::{COMMAND, by_command, sent};

const REWRITE: &str = "ALTER TABLE spans ALTER COLUMN id TYPE bigint";

fn assessed(made: Made) -> ResultFile {
    let mut result = Run::one(made).result;
    for judgement in &mut result.trials {
        judgement.trial.sizes = [("spans".to_owned(), 1_000_000)].into();
        judgement.trial.tried = Some(Tried {
            rate_per_s: 200.0,
            background: Vec::new(),
            runners: 1,
            declared: BTreeMap::new(),
            short: Vec::new(),
        });
    }
    explain::assessed(&mut result);
    result
}

/// A rewrite stops the application for 1.5 s.
fn stalled() -> ResultFile {
    let mut made = by_command(1);
    made.scenario.name = "widen-the-key".to_owned();
    sent(0, 5_000, 6_500, REWRITE)
        .holds("spans", LockMode::AccessExclusiveLock)
        .rewrites(&["spans"])
        .add_to(&mut made);
    made.blocked_pid(APP, 5_010, 6_500, &[COMMAND]);
    assessed(made)
}

/// A change of which nothing is found.
fn calm() -> ResultFile {
    let mut made = by_command(1);
    sent(0, 5_000, 5_010, "ALTER TABLE spans ADD COLUMN note text")
        .holds("spans", LockMode::AccessExclusiveLock)
        .add_to(&mut made);
    assessed(made)
}

fn text(result: &ResultFile, columns: usize) -> String {
    let answer = report::answer(result, Width::of_terminal(columns)).expect("one change");
    anstream::adapter::strip_str(&answer).to_string()
}

#[test]
fn a_stall_is_answered_with_its_cost_its_margin_and_a_way_out() {
    insta::assert_snapshot!(text(&stalled(), 100));
}

#[test]
fn a_safe_change_is_answered_with_its_margins_and_what_it_holds_for() {
    insta::assert_snapshot!(text(&calm(), 100));
}

#[test]
fn a_comment_on_a_pull_request_begins_with_the_answer() {
    let result = stalled();
    let markdown = report::markdown(&Document { result: &result, timelines: &[], path: "out" });
    let (answer, _) = markdown.split_once("<details").expect("the trial in full follows");
    insta::assert_snapshot!(answer);
}

#[rstest]
fn no_line_is_longer_than_the_terminal(#[values(60, 80, 120)] columns: usize) {
    for result in [stalled(), calm()] {
        let text = text(&result, columns);
        let longer: Vec<&str> = text.lines().filter(|line| line.width() > columns).collect();
        assert_eq!(longer, Vec::<&str>::new(), "{text}");
    }
}

#[test]
fn what_was_observed_of_each_limit_is_in_the_result() {
    let result = stalled();
    let margins = &result.trials[0].margins;
    let of = |limited| margins.iter().find(|margin| margin.of == limited).expect("it is there");
    let wait = of(Limited::LongestWait);
    assert_eq!(wait.observed, result.trials[0].measured.longest_stall_us.0);
    assert!(!wait.holds(), "{wait:?}");
    assert!(of(Limited::AcquireTimeouts).holds());
}

#[test]
fn the_page_has_what_the_linter_says_with_what_the_trials_show() {
    let result = stalled();
    let page = report::page(&Document { result: &result, timelines: &[], path: "out" });
    let (_, section) = page.split_once("<section class=\"linter\">").expect("a section");
    let (section, _) = section.split_once("</section>").expect("its end");
    let (_, row) = section.split_once("changing-column-type").expect("the rule");
    let row = row.split("</tr>").next().expect("a row");
    assert!(row.contains(REWRITE) && row.contains("the command"), "{row}");
    assert!(row.contains("<b class=\"v-unsafe\">confirmed</b>: operations waited"), "{row}");
    // Without a finding of its there is no section.
    let none = ResultFile::empty();
    let page = report::page(&Document { result: &none, timelines: &[], path: "" });
    assert!(!page.contains("class=\"linter\""));
}

#[test]
fn a_report_of_what_was_tried_begins_with_the_answer() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("result.json");
    let report = |result: &ResultFile, arguments: &[&str]| {
        std::fs::write(&path, report::json(result)).expect("a file");
        let mut command = assert_cmd::cargo::cargo_bin_cmd!("pgauntlet");
        command.env("NO_COLOR", "1").arg("report").arg(&path).args(arguments);
        String::from_utf8_lossy(&command.assert().success().get_output().stdout).into_owned()
    };
    let tried = ResultFile { answers: true, ..stalled() };
    let answer = text(&tried, 100);
    let short = report(&tried, &[]);
    let more = format!("details    pgauntlet report {} --details", path.display());
    assert_eq!(short.trim_end(), format!("{answer}{more}"));
    let whole = report(&tried, &["--details"]);
    assert!(whole.starts_with(&answer), "{whole}");
    let trials = report(&stalled(), &[]);
    assert!(whole.ends_with(&trials) && !trials.contains(&answer), "{trials}");
}

#[test]
fn the_linter_is_confirmed_by_the_stall_of_its_statement() {
    let result = stalled();
    let lints = &result.changes[0].lints;
    let lint = lints.iter().find(|l| l.rule == "changing-column-type").expect("the rule's finding");
    assert!(matches!(lint.standing, LintStanding::Confirmed { .. }), "{lint:?}");
}

/// Two of three rounds got through, at the second attempt.
fn odds() -> RetryOdds {
    let round = |attempts, through| RetryRound {
        attempts,
        through,
        took_us: Micros::from_millis(4_000),
        blocked_us: Micros::from_millis(2_000),
        waited: 40,
        longest_wait_us: Micros::from_millis(1_050),
        ..RetryRound::default()
    };
    let tried = RetriesTried {
        scenario: "spans".to_owned(),
        condition: "short-writers".to_owned(),
        server: "18".to_owned(),
        policy: "1s x3 backoff 1s".parse().expect("a policy"),
        sizes: [("spans".to_owned(), 20_000)].into(),
        rate_per_s: 50.0,
    };
    assess::retries(tried, vec![round(2, true), round(3, false), round(2, true)])
}

#[test]
fn the_odds_of_a_retry_policy_are_in_every_report() {
    let mut result = calm();
    result.retries = vec![odds()];
    // The name of its only change, of which the answer is.
    result.retries[0].scenario = result.changes[0].scenario.clone();
    let document = Document { result: &result, timelines: &[], path: "out" };
    let cells = ["2 of 3", "0, 2, 2", "50 %", "short-writers, PostgreSQL 18"];
    let page = report::page(&document);
    for cell in cells {
        assert!(page.contains(&format!("<td>{cell}</td>")), "no {cell} on the page");
        let markdown = report::markdown(&document);
        assert!(markdown.contains(&format!("| {cell} |")), "no {cell} in {markdown}");
    }
    assert!(page.contains("got through 2 times of 3 within 3 attempts"));
    assert!(text(&result, 100).contains("under short-writers on PostgreSQL 18"));
}
