//! One change, a column that is added without a lock_timeout, under each condition: what production
//! has beside it decides.

use std::collections::BTreeMap;
use std::path::Path;

use assert_cmd::cargo::cargo_bin_cmd;
use serde_json::Value;

const SCENARIO: &str = "tests/retries/add-column-in-turns";

/// Condition, verdict, the finding that says why and the session that it names.
const EXPECTED: &[(&str, &str, &str, &str)] = &[
    ("calm", "safe", "", ""),
    ("backup", "unsafe", "stall", "backup"),
    ("long-reader", "unsafe", "stall", "long-reader"),
    ("old-snapshot", "safe", "", ""),
    ("idle-in-transaction", "unsafe", "stall", "idle-in-transaction"),
    ("long-writer", "unsafe", "stall", "long-writer"),
    ("short-writers", "unsafe", "stall", "short-writers"),
    ("vacuum", "unsafe", "stall", "ShareUpdateExclusiveLock"),
    ("full-server", "bounded", "change-failed", "53300"),
    ("checkpoint-storm", "safe", "", ""),
    ("pgbouncer-session", "safe", "", ""),
    ("pgbouncer-transaction", "safe", "", ""),
];

#[test]
fn each_condition_decides_as_it_is_known_to() {
    let names: Vec<&str> = EXPECTED.iter().map(|(name, ..)| *name).collect();
    let mut command = cargo_bin_cmd!("pgauntlet");
    let scenario = Path::new(env!("CARGO_MANIFEST_DIR")).join(SCENARIO);
    command.args(["run", "--format", "json", "--conditions", &names.join(",")]).arg(scenario);
    let output = command.output().expect("a run");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let result: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{said}"));
    let trials = result["trials"].as_array().expect("trials");
    let of_condition: BTreeMap<&str, &Value> =
        trials.iter().map(|trial| (condition(trial), trial)).collect();
    for (name, verdict, kind, named) in EXPECTED {
        let trial = of_condition.get(name).unwrap_or_else(|| panic!("{name} of {said}"));
        // A machine that is too busy proves nothing, and says so.
        if trial["verdict"] == "unproven" {
            let busy = ["generator-lag", "samples-missing", "baseline-broken"];
            let says = |finding: &Value| busy.iter().any(|kind| finding["kind"] == *kind);
            let findings = trial["findings"].as_array().expect("findings");
            assert!(findings.iter().any(says), "{name}: {:#}", trial["findings"]);
            continue;
        }
        assert_eq!(trial["verdict"], *verdict, "{name}: {:#}", trial["findings"]);
        let findings = trial["findings"].as_array().expect("findings");
        let found = findings.iter().find(|finding| finding["kind"] == *kind);
        assert_eq!(found.is_some(), !kind.is_empty(), "{name}: {findings:#?}");
        let said = found.map(|finding| format!("{} {}", finding["sentence"], finding["witness"]));
        assert!(said.unwrap_or_default().contains(named), "{name}: {found:#?}");
    }
}

fn condition(trial: &Value) -> &str {
    let axes = trial["trial"]["key"]["axes"].as_array().expect("axes");
    let at = axes.iter().find(|at| at["axis"] == "condition").expect("a condition");
    at["value"].as_str().expect("a name")
}
