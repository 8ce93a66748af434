//! What is stored of a scenario: nothing is lost on the way, a key with a default can be left out,
//! and a key that no version knows is refused.

use std::collections::BTreeSet;
use std::path::Path;

use pgauntlet::scenario::{self, Scenario, StoredScenario};
use serde_json::{Value, json};

use crate::example;

/// Keys that a scenario file needs too, or that the reader of the file has worked out. `rows` is of
/// a table, `version` of a migration.
#[rustfmt::skip]
const NEEDED: &[&str] = &[
    "after", "after_ms", "after_statements", "change", "column", "connections", "directory",
    "expect", "from_us", "generator", "hold_ms", "key_column", "key_parameter", "kind", "limit",
    "line", "max",
    "max_bytes", "max_standby_streaming_delay_ms", "min", "min_bytes", "ms", "name", "object",
    "operation", "operations", "otherwise",
    "parameter", "path", "pause_ms", "rate_per_s", "rows", "schema", "script", "set", "sql",
    "statement", "statements", "table", "text", "to_us", "traffic", "value", "values", "verdict",
    "version", "weight",
];

/// What is stored only where the scenario has it.
const LEFT_OUT: &[&str] =
    &["replica", "sizes", "on", "replica_lag_ms_max", "replica_lag_bytes_max", "pooler", "network"];
/// Keys whose value has names of the scenario's own for keys.
const MAPS: &[&str] = &["server", "settings", "parameters", "environment", "rows", "set", "at"];

/// Every bundled scenario, and the one of the README.
fn scenarios() -> Vec<Scenario> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let directories = scenario::find(&root).expect("scenarios");
    let mut all: Vec<Scenario> =
        directories.iter().map(|d| scenario::load(d).expect("a scenario").value).collect();
    all.push(example::load(&example::example()).expect("the README's scenario"));
    all
}

fn stored(scenario: &Scenario) -> Value {
    serde_json::to_value(StoredScenario::from(scenario)).expect("JSON")
}

fn read(value: Value) -> Result<Scenario, String> {
    let stored: Result<StoredScenario, _> = serde_json::from_value(value);
    stored.map(Scenario::from).map_err(|error| error.to_string())
}

/// The place of every key of every object.
fn keys(value: &Value) -> Vec<Vec<String>> {
    let below = |step: String, value: &Value| {
        let paths = keys(value).into_iter();
        paths.map(move |mut path| {
            path.insert(0, step.clone());
            path
        })
    };
    match value {
        Value::Object(object) => object
            .iter()
            .flat_map(|(key, value)| {
                std::iter::once(vec![key.clone()]).chain(below(key.clone(), value))
            })
            .collect(),
        Value::Array(list) => {
            let items = list.iter().enumerate();
            items.flat_map(|(index, value)| below(index.to_string(), value)).collect()
        }
        _ => Vec::new(),
    }
}

fn at<'v>(value: &'v mut Value, path: &[String]) -> Option<&'v mut Value> {
    let steps = path.iter().map(|step| format!("/{step}"));
    value.pointer_mut(&steps.collect::<String>())
}

#[test]
fn a_scenario_reads_back_as_it_was() {
    for scenario in scenarios() {
        assert_eq!(read(stored(&scenario)).as_ref(), Ok(&scenario));
    }
}

#[test]
fn a_key_that_is_left_out_has_its_default_unless_it_is_needed() {
    let mut needed = BTreeSet::new();
    for scenario in scenarios() {
        let whole = stored(&scenario);
        for path in keys(&whole) {
            let mut less = whole.clone();
            let (key, parent) = path.split_last().expect("a key");
            let object = at(&mut less, parent).and_then(Value::as_object_mut).expect("an object");
            object.remove(key);
            // It is there where the scenario has one alone, and reads back: the test above.
            if LEFT_OUT.contains(&key.as_str()) {
                continue;
            }
            let in_map = parent.last().is_some_and(|name| MAPS.contains(&name.as_str()));
            match read(less) {
                // A name of a variant, such as that of a generator, can never be left out.
                Err(error) if error.contains("variant") || error.contains("single key") => {}
                Err(error) => {
                    assert_eq!(error, format!("missing field `{key}`"), "{path:?}");
                    needed.insert(key.clone());
                }
                Ok(read) => assert!(
                    in_map || keys(&stored(&read)).contains(&path),
                    "{path:?} has no default"
                ),
            }
        }
    }
    let needed: Vec<&str> = needed.iter().map(String::as_str).collect();
    assert_eq!(needed, NEEDED);
}

#[test]
fn a_key_that_no_version_knows_is_refused_with_its_name() {
    for scenario in scenarios() {
        let whole = stored(&scenario);
        let parents: BTreeSet<Vec<String>> =
            keys(&whole).into_iter().map(|path| path[..path.len() - 1].to_vec()).collect();
        for parent in parents {
            let mut more = whole.clone();
            let object = at(&mut more, &parent).and_then(Value::as_object_mut).expect("an object");
            object.insert("weather".to_owned(), json!({ "rain": true }));
            match read(more) {
                Err(error) => assert!(
                    error.contains("weather") || error.contains("expected"),
                    "{parent:?}: {error}"
                ),
                Ok(_) => panic!("{parent:?} takes any key"),
            }
        }
    }
}

#[test]
fn a_scenario_of_a_newer_version_is_refused() {
    let mut newer = stored(&scenarios().remove(0));
    newer["version"] = json!(6);
    let sentence = "the scenario inside has version 6, this pgauntlet reads 5";
    assert_eq!(read(newer), Err(sentence.to_owned()));
}

#[test]
fn what_format_4_stored_has_no_version_and_names_faults_ways() {
    let scenario = example::load(&example::example()).expect("the README's scenario");
    let scenario = Scenario { crash: Some(Default::default()), ..scenario };
    let mut old = stored(&scenario);
    old.as_object_mut().expect("an object").remove("version");
    let crash = old["crash"].as_object_mut().expect("an object");
    let faults = crash.remove("faults").expect("faults");
    crash.insert("ways".to_owned(), faults);
    assert_eq!(read(old), Ok(scenario));
}
