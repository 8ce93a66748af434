//! JUnit: a test case per expectation.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::{Case, CaseOutcome, Suite};

/// The whole file. `name` is the report's.
pub fn junit(name: &str, suites: &[Suite]) -> String {
    let mut report = Report::new(name);
    report.set_time(suites.iter().map(|suite| suite.took_us.duration()).sum::<Duration>());
    report.add_test_suites(suites.iter().map(test_suite));
    // Only a writer that fails can fail here, and a string does not.
    let text = report.to_string().unwrap_or_default();
    without_skipped(&text)
}

/// The widely used schema has no count of skipped tests for all suites together, and readers that
/// hold a file to it refuse one.
fn without_skipped(text: &str) -> String {
    let Some((before, after)) = text.split_once(" skipped=\"") else { return text.to_owned() };
    let rest = after.split_once('"').map_or(after, |(_, rest)| rest);
    format!("{before}{rest}")
}

fn test_suite(suite: &Suite) -> TestSuite {
    let mut found = TestSuite::new(suite.name.as_str());
    found.set_time(suite.took_us.duration());
    for (name, value) in &suite.properties {
        found.add_property((name.as_str(), value.as_str()));
    }
    // The trial took its time once, whatever was expected of it.
    for (index, case) in suite.cases.iter().enumerate() {
        let took = if index == 0 { suite.took_us.duration() } else { Duration::ZERO };
        found.add_test_case(test_case(suite, case, took));
    }
    found
}

fn test_case(suite: &Suite, case: &Case, took: Duration) -> TestCase {
    let kind = match case.outcome {
        CaseOutcome::Held | CaseOutcome::Undecided => None,
        CaseOutcome::Broken => Some((NonSuccessKind::Failure, "not-as-expected")),
        CaseOutcome::Unproven => Some((NonSuccessKind::Error, "unproven")),
    };
    let mut status = match kind {
        None if case.outcome == CaseOutcome::Undecided => TestCaseStatus::skipped(),
        None => TestCaseStatus::success(),
        Some((kind, _)) => TestCaseStatus::non_success(kind),
    };
    if case.outcome == CaseOutcome::Undecided {
        status.set_message(case.message.as_str());
    }
    if let Some((_, name)) = kind {
        status.set_message(case.message.as_str());
        status.set_type(name);
        status.set_description(suite.text.as_str());
    }
    let mut found = TestCase::new(case.name.as_str(), status);
    found.set_classname(suite.name.as_str());
    found.set_time(took);
    found
}
