//! The odds of a retry policy, against sessions whose times are known.

use std::path::Path;

use assert_cmd::cargo::cargo_bin_cmd;
use serde_json::Value;

const IN_TURNS: &str = "tests/retries/add-column-in-turns";
const OTHER_ORDER: &str = "tests/retries/two-tables-in-the-other-order";

/// What came of the policy, by condition.
fn odds(policy: &str, conditions: &str) -> Vec<Value> {
    odds_of(IN_TURNS, policy, conditions)
}

fn odds_of(scenario: &str, policy: &str, conditions: &str) -> Vec<Value> {
    let mut command = cargo_bin_cmd!("pgauntlet");
    let scenario = Path::new(env!("CARGO_MANIFEST_DIR")).join(scenario);
    command.args(["run", "--format", "json", "--retry-rounds", "3", "--retry", policy]);
    command.args(["--conditions", conditions]).arg(scenario);
    let output = command.output().expect("a run");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let result: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{said}"));
    let retries = result["retries"].as_array().expect("retries").clone();
    assert_eq!(retries.len(), conditions.split(',').count(), "{said}");
    retries
}

fn number(of: &Value) -> u64 {
    of.as_u64().unwrap_or_else(|| panic!("{of} is no number"))
}

fn share(of: &Value) -> f64 {
    of.as_f64().unwrap_or_else(|| panic!("{of} is no number"))
}

#[test]
fn with_nothing_in_the_way_the_first_attempt_gets_through() {
    let calm = &odds("2s x3 backoff 100ms", "calm")[0];
    assert_eq!((number(&calm["through"]), number(&calm["of"])), (3, 3), "{calm}");
    assert_eq!(calm["within"], serde_json::json!([3, 3, 3]), "{calm}");
    assert!(share(&calm["odds_low"]) < 0.5 && share(&calm["odds_high"]) > 0.99, "{calm}");
}

#[test]
fn behind_a_session_that_stays_no_attempt_gets_through_and_the_application_stands() {
    let stays = &odds("300ms x4 backoff 100ms", "stays")[0];
    assert_eq!((number(&stays["through"]), number(&stays["of"])), (0, 3), "{stays}");
    // Four times 300 ms of 1.5 s; each attempt is in front of the readers as long as it waits.
    let blocked = share(&stays["blocked_share"]);
    assert!((0.5..=1.0).contains(&blocked), "{blocked}: {stays}");
    for round in stays["rounds"].as_array().expect("rounds") {
        assert_eq!(number(&round["attempts"]), 4, "{round}");
        assert_eq!(round["errors"], serde_json::json!({ "55P03": 4 }), "{round}");
        assert!(number(&round["took_us"]) >= 1_500_000, "{round}");
    }
    assert!(share(&stays["waited_per_round"]) >= 5.0, "{stays}");
}

/// Attempts begin at 0 s, 1 s and 2 s; the reader goes at 2 s.
#[test]
fn the_attempt_that_gets_through_is_the_first_one_after_the_session_has_gone() {
    let two = &odds("300ms x6 backoff 700ms", "two-seconds")[0];
    assert_eq!((number(&two["through"]), number(&two["of"])), (3, 3), "{two}");
    let within = two["within"].as_array().expect("within");
    assert_eq!((number(&within[0]), number(&within[5])), (0, 3), "{two}");
    let attempts = two["rounds"].as_array().expect("rounds").iter().map(|r| number(&r["attempts"]));
    assert!(attempts.clone().all(|attempts| (2..=4).contains(&attempts)), "{two}");
}

#[test]
fn locks_in_the_applications_order_cure_a_deadlock_with_it_and_both_are_tried() {
    let odds = &odds_of(OTHER_ORDER, "2s x2 backoff 100ms", "calm")[0];
    assert_eq!(number(&odds["of"]), 3, "{odds}");
    assert!(number(&odds["deadlocked"]) >= 2, "{odds}");
    let cured = &odds["locks_first"];
    let statements = serde_json::json!([
        "LOCK TABLE \"accounts\" IN ACCESS EXCLUSIVE MODE",
        "LOCK TABLE \"entries\" IN ACCESS EXCLUSIVE MODE",
    ]);
    assert_eq!(cured["statements"], statements, "{odds}");
    let (through, of) = (number(&cured["through"]), number(&cured["of"]));
    assert_eq!((through, of, number(&cured["deadlocked"])), (3, 3, 0), "{odds}");
}
