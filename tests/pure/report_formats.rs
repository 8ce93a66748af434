//! What machines and reviewers read, rendered from histories made by hand: as it is, and against
//! the schemas of the formats' own authors.

use std::collections::BTreeMap;

use pgauntlet::history::{MachineFacts, ServerFacts, TrialFacts, Tried};
use pgauntlet::report::{self, Document, Width};
use pgauntlet::result::{Expectation, Judgement, ResultFile};
use pgauntlet::scenario::{FindingKind, StoredScenario, Verdict};
use pgauntlet::trial::{Axis, TrialKey};
use rstest::rstest;

use crate::made::Made;
use crate::page::Run;
use crate::schemas;

const ALTER: &str = "ALTER TABLE spans ADD COLUMN task_id varchar";
/// Everything that some format takes for markup.
const HOSTILE: &str =
    "SELECT '</script><b>&amp; \"|\"' AS \"x`y\", E'a\\nb' -- 100% [a](b) ::error::";

fn facts(scenario: &str) -> TrialFacts {
    TrialFacts {
        key: TrialKey::new(scenario).with(Axis::STATE, "base").with(Axis::SERVER, "15"),
        tool: "0.1.0".to_owned(),
        started_at: "2026-11-25T10:00:00Z".to_owned(),
        rng_seed: 7,
        fault: None,
        sizes: BTreeMap::from([("spans".to_owned(), 2_000_000)]),
        server: ServerFacts {
            source: "local".to_owned(),
            version: "15.18".to_owned(),
            version_num: 150_018,
            settings: BTreeMap::new(),
        },
        machine: MachineFacts { cores: 2, ..MachineFacts::default() },
        applied: None,
        roles: None,
        tried: Some(Tried {
            rate_per_s: 200.0,
            background: vec!["reader".to_owned()],
            runners: 2,
            declared: BTreeMap::from([("spans".to_owned(), 24_000_000)]),
            short: Vec::new(),
        }),
    }
}

#[test]
fn the_tables_that_the_change_is_about_are_named_first() {
    let mut made = Made::with_change();
    made.statement(0, 5_000, 5_020, ALTER, true);
    let mut judgement = made.judge();
    judgement.trial = facts("s");
    let larger = ["a", "b", "c", "d"].map(|table| (table.to_owned(), 30_000_000));
    judgement.trial.sizes.extend(larger);
    judgement.trial.tried = Some(Tried {
        rate_per_s: 0.0,
        background: Vec::new(),
        runners: 1,
        declared: BTreeMap::new(),
        short: Vec::new(),
    });
    let text =
        anstream::adapter::strip_str(&report::trial(&judgement, Width::default())).to_string();
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let expected = "tried: 2,000,000 rows in spans, 30,000,000 rows in a, 30,000,000 rows in b and \
                    2 other tables; PostgreSQL 15.18; no application; not tried here: another \
                    size, another session in the way, a second runner, an interruption";
    assert!(text.contains(expected), "{text}");
}

/// What was tried is beside the verdict, wherever it is read.
#[test]
fn a_verdict_says_for_what_it_holds() {
    let tried = "2,000,000 rows in spans (24,000,000 are declared); PostgreSQL 15.18; 200 \
                 operations a second; beside reader; 2 runners; not tried here: the declared \
                 size, an interruption";
    let mut made = Made::calm();
    made.scenario.name = "s".to_owned();
    let mut run = Run::one(made);
    run.result.trials[0].trial = facts("s");
    let plain = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        plain(report::trial(&run.result.trials[0], Width::default()))
            .contains(&format!("tried: {tried}"))
    );
    assert!(report::markdown(&run.document()).contains(&format!("Tried: {tried}")));
    let page = plain(run.page());
    let top = page.split_once("</header>").expect("a head").0;
    assert!(top.contains(&format!("Tried: {tried}")), "{top}");
    assert_eq!(page.matches("Tried: ").count(), 1);
}

/// A change that stalls the application for three seconds, as its scenario says or not.
fn stalled(name: &str, expected: bool, text: &str) -> (Judgement, StoredScenario) {
    let mut made = Made::with_change();
    made.scenario.name = name.to_owned();
    made.statement(0, 5_000, 5_020, ALTER, true);
    made.statement(1, 5_020, 8_000, text, true);
    made.blocked_by_change(5_100, 8_000);
    if expected {
        made.expect_unsafe_stall();
    }
    let scenario = StoredScenario::from(&made.scenario);
    (Judgement { trial: facts(name), ..made.judge() }, scenario)
}

fn calm(name: &str) -> (Judgement, StoredScenario) {
    let mut made = Made::calm();
    made.scenario.name = name.to_owned();
    let scenario = StoredScenario::from(&made.scenario);
    (Judgement { trial: facts(name), ..made.judge() }, scenario)
}

fn unproven(name: &str) -> (Judgement, StoredScenario) {
    let mut made = Made::calm();
    made.scenario.name = name.to_owned();
    made.stage_failed();
    let scenario = StoredScenario::from(&made.scenario);
    (Judgement { trial: facts(name), ..made.judge() }, scenario)
}

fn result(of: Vec<(Judgement, StoredScenario)>) -> ResultFile {
    let scenarios = of.iter().map(|(j, s)| (j.trial.key.scenario.clone(), s.clone())).collect();
    let trials: Vec<Judgement> = of.into_iter().map(|(judgement, _)| judgement).collect();
    let plan = trials.iter().map(|j| j.trial.key.scenario.clone()).collect();
    ResultFile { plan, scenarios, trials, ..ResultFile::empty() }
}

/// One of each: caught as expected, not expected, without an answer, calm.
fn mixed() -> ResultFile {
    result(vec![
        stalled("caught", true, "UPDATE spans SET task_id = trace_id"),
        stalled("stalls", false, "UPDATE spans SET task_id = trace_id"),
        unproven("unproven"),
        calm("calm"),
    ])
}

fn document(result: &ResultFile) -> Document<'_> {
    Document { result, timelines: &[], path: "nightly/result.json" }
}

fn rendered(format: &str, result: &ResultFile) -> String {
    let document = document(result);
    let suites = report::suites(&document, &[]);
    match format {
        "junit" => report::junit("pgauntlet", &suites),
        "github" => report::github(&suites),
        "sarif" => report::sarif(&suites),
        "markdown" => report::markdown(&document),
        "prometheus" => report::prometheus(result),
        "text" => anstream::adapter::strip_str(&report::text(result, Width::default())).to_string(),
        other => panic!("no format {other}"),
    }
}

#[rstest]
#[case("junit")]
#[case("github")]
#[case("sarif")]
#[case("markdown")]
#[case("prometheus")]
#[case("text")]
fn every_format_says_the_same_of_one_result(#[case] format: &str) {
    insta::with_settings!({snapshot_suffix => format}, {
        insta::assert_snapshot!(rendered(format, &mixed()));
    });
}

/// Nobody and nothing of these.
fn extremes() -> Vec<ResultFile> {
    vec![ResultFile::empty(), mixed(), result(vec![stalled("hostile", false, HOSTILE)])]
}

#[test]
fn junit_is_valid_by_its_schema_whatever_a_statement_says() {
    for result in extremes() {
        let xml = rendered("junit", &result);
        schemas::junit_is_valid(&xml).unwrap_or_else(|why| panic!("{why}\n{xml}"));
    }
}

#[test]
fn sarif_is_valid_by_its_schema_whatever_a_statement_says() {
    // One pattern of it has a bracket that is not escaped, which a strict reader refuses.
    let text = schemas::sarif_schema().to_string().replace("[a-zA-Z]{2}]?$", "[a-zA-Z]{2}\\\\]?$");
    let schema = serde_json::from_str(&text).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    for result in extremes() {
        let sarif = serde_json::from_str(&rendered("sarif", &result)).expect("JSON");
        let wrong: Vec<String> = validator.iter_errors(&sarif).map(|e| e.to_string()).collect();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}

#[test]
fn prometheus_text_is_read_by_its_own_parser() {
    for result in extremes() {
        let text = rendered("prometheus", &result);
        schemas::prometheus_is_valid(&text).unwrap_or_else(|why| panic!("{why}\n{text}"));
    }
}

#[test]
fn a_result_is_valid_by_the_published_schema() {
    let published = include_str!("../../docs/result.schema.json");
    let schema: serde_json::Value = serde_json::from_str(published).expect("JSON");
    assert_eq!(
        schema,
        report::schema(),
        "docs/result.schema.json is not the types' schema: `pgauntlet schema` writes it"
    );
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    for result in extremes() {
        let value = serde_json::from_str(&report::json(&result)).expect("JSON");
        let wrong: Vec<String> = validator.iter_errors(&value).map(|e| e.to_string()).collect();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}

#[test]
fn a_schema_refuses_what_is_no_result() {
    let validator = jsonschema::validator_for(&report::schema()).expect("a schema");
    let mut value = serde_json::to_value(mixed()).expect("a value");
    value["trials"][0]["verdict"] = "harmless".into();
    assert!(!validator.is_valid(&value));
}

#[test]
fn an_annotation_stands_on_the_line_of_the_statement_that_took_the_lock() {
    let text = rendered("github", &mixed());
    let annotation = text.lines().find(|line| line.contains("title=stall")).expect("one");
    assert!(annotation.starts_with("::error file=migration.sql,line=1,"), "{annotation}");
}

#[test]
fn what_is_as_expected_is_no_annotation_and_suppressed_in_sarif() {
    let result = result(vec![stalled("caught", true, "SELECT 1")]);
    assert_eq!(rendered("github", &result), "");
    let sarif: serde_json::Value = serde_json::from_str(&rendered("sarif", &result)).expect("JSON");
    let results = sarif["runs"][0]["results"].as_array().expect("results").clone();
    assert!(!results.is_empty());
    assert!(results.iter().all(|r| r["suppressions"][0]["status"] == "accepted"));
}

#[test]
fn what_is_missing_is_annotated_and_what_the_scenario_wants_is_not() {
    let (mut judgement, scenario) = stalled("incomplete", true, "SELECT 1");
    let missing = "lost-write was expected and not found";
    judgement.expectations.push(Expectation::found(FindingKind::Stall, true));
    judgement.expectations.push(Expectation::found(FindingKind::LostWrite, false));
    judgement.mismatches = Expectation::mismatches(&judgement.expectations);
    judgement.as_expected = false;
    let text = rendered("github", &result(vec![(judgement, scenario)]));
    assert!(text.contains(missing), "{text}");
    assert!(!text.contains("title=stall"), "{text}");
}

#[test]
fn a_run_that_broke_off_says_so_in_every_format_and_fails_a_case() {
    let broken = ResultFile { finished: false, ..result(vec![calm("calm")]) };
    let told = "the run broke off, verdicts until then: 1; what is missing may be unsafe";
    for format in ["markdown", "github", "junit"] {
        let text = rendered(format, &broken);
        assert!(text.contains(told), "{format}: {text}");
    }
    for text in [report::text(&broken, Width::default()), report::page(&document(&broken))] {
        assert!(text.contains(told), "{text}");
    }
    let junit = rendered("junit", &broken);
    assert!(junit.contains("failures=\"1\"") || junit.contains("errors=\"1\""), "{junit}");
}

#[test]
fn a_thousand_trials_fit_a_comment_and_the_one_that_is_wrong_is_told_in_full() {
    let mut all: Vec<_> = (0..1_000).map(|n| calm(&format!("scenario-{n}"))).collect();
    all.push(stalled("stalls", false, "UPDATE spans SET task_id = trace_id"));
    let markdown = rendered("markdown", &result(all));
    assert!(markdown.len() < 65_536, "{}", markdown.len());
    assert!(markdown.contains("| ✗ | unsafe | stalls |"), "{markdown}");
    assert!(markdown.contains("<details open><summary><b>unsafe</b> stalls"), "{markdown}");
    assert!(markdown.contains(" more rows are in the report"), "{markdown}");
}

#[test]
fn a_statement_in_markdown_can_be_copied_and_a_path_too() {
    let text = "UPDATE spans SET name = name || 'x'";
    let result = result(vec![stalled("stalls", false, text)]);
    let document = Document { path: "my night", ..document(&result) };
    let markdown = report::markdown(&document);
    assert!(markdown.contains(text), "{markdown}");
    assert!(markdown.contains("pgauntlet repro 'my night' --trial 1"), "{markdown}");
    let without = Document { path: "", ..document };
    assert!(!report::markdown(&without).contains("pgauntlet repro"));
}

#[test]
fn nothing_that_a_statement_says_is_markup_or_a_command() {
    let result = result(vec![stalled("hostile", false, HOSTILE)]);
    let commands = rendered("github", &result);
    assert!(commands.lines().all(|line| line.starts_with("::error file=")), "{commands}");
    let markdown = rendered("markdown", &result);
    let outside = markdown.lines().filter(|line| line.contains("<b>&amp;") && !line.contains('`'));
    assert_eq!(outside.count(), 0, "{markdown}");
}

#[test]
fn a_comment_of_very_many_trials_still_fits() {
    let many = (0..400).map(|n| stalled(&format!("trial-{n}"), n % 2 == 0, "SELECT 1")).collect();
    let text = rendered("markdown", &result(many));
    assert!(text.len() < 65_536, "{} bytes", text.len());
    assert!(text.contains("more are in the report"), "{}", &text[text.len() - 300..]);
}

#[test]
fn an_unproven_trial_is_an_error_of_junit_and_not_a_failure() {
    let (judgement, scenario) = unproven("unproven");
    assert_eq!(judgement.verdict, Verdict::Unproven);
    let xml = rendered("junit", &result(vec![(judgement, scenario)]));
    assert!(xml.contains("<error message=\"the verdict is unproven"), "{xml}");
    assert!(!xml.contains("<failure"), "{xml}");
}
