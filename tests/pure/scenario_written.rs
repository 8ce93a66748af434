//! What is written of a scenario reads again as what it was written from.

use std::collections::BTreeMap;
use std::path::Path;

use pgauntlet::scenario::{
    self, Demands, Draft, Generator, Invariant, Scenario, Sessions, StoredScenario, Traffic,
};

use crate::example;

const CHANGE: &str = "
[[change.migration]]
version = \"one\"
file    = \"change.sql\"

[expect]
verdict = \"safe\"
";

/// Without the scripts' texts.
fn draft_of(scenario: &Scenario) -> Draft {
    let remark = |name: &str| (name.to_owned(), vec!["A remark,\nin two lines.".to_owned()]);
    let operations = &scenario.traffic.operations;
    Draft {
        analysis: scenario.analysis.clone(),
        rng_seed: scenario.rng_seed,
        schema: String::new(),
        indexes: None,
        whole: false,
        tables: scenario.tables.clone(),
        traffic: scenario.traffic.clone(),
        demands: Demands {
            runs_as: scenario.change.runs_as.clone(),
            pool: scenario.pool.clone(),
            limits: scenario.limits.clone(),
            acceptances: scenario.acceptances.clone(),
        },
        invariants: scenario.invariants.clone(),
        change: None,
        conditions: scenario.conditions.clone(),
        remarks: operations.iter().take(1).map(|operation| remark(&operation.name)).collect(),
    }
}

fn read(files: &BTreeMap<String, String>) -> Scenario {
    let mut files = files.clone();
    let toml = files.get_mut("scenario.toml").expect("the scenario");
    // A draft has no standby: who writes one by hand adds it.
    if toml.contains("\"replica\"") {
        toml.push_str("\n[replica]\n");
    }
    toml.push_str(CHANGE);
    files.insert("change.sql".to_owned(), "SELECT 1;\n".to_owned());
    example::load(&files).unwrap_or_else(|problems| panic!("{problems}"))
}

/// Where a statement is written is not what it says.
fn placeless(traffic: &Traffic) -> Traffic {
    let mut traffic = traffic.clone();
    let statements = traffic.operations.iter_mut().flat_map(|o| &mut o.statements);
    statements.for_each(|statement| statement.place = None);
    traffic
}

fn unplaced(invariants: &[Invariant]) -> Vec<Invariant> {
    let mut invariants = invariants.to_vec();
    for invariant in &mut invariants {
        invariant.statement.place = None;
        invariant.before.iter_mut().for_each(|before| before.place = None);
    }
    invariants
}

fn holds(scenario: &Scenario) {
    let text = |path: &Path| std::fs::read_to_string(path).expect("a script");
    let schema = text(&scenario.schema.path);
    let indexes = (!scenario.indexes.statements.is_empty()).then(|| text(&scenario.indexes.path));
    let files = Draft { schema, indexes, ..draft_of(scenario) }.to_files();
    let again = read(&files);
    assert_eq!(again.tables, scenario.tables, "{}", scenario.name);
    assert_eq!(placeless(&again.traffic), placeless(&scenario.traffic), "{}", scenario.name);
    assert_eq!(again.pool, scenario.pool, "{}", scenario.name);
    assert_eq!(again.limits, scenario.limits, "{}", scenario.name);
    assert_eq!(again.conditions, scenario.conditions, "{}", scenario.name);
    let invariants = unplaced(&again.invariants);
    assert_eq!(invariants, unplaced(&scenario.invariants), "{}", scenario.name);
    assert_eq!(again.rng_seed, scenario.rng_seed);
    assert_eq!(again.analysis, scenario.analysis);
    assert_eq!(again.schema.statements.len(), scenario.schema.statements.len());
}

#[test]
fn every_bundled_scenario_reads_again_as_it_was_written() {
    let found = scenario::find(&Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios"));
    for dir in found.expect("scenarios") {
        let loaded = scenario::load(&dir).unwrap_or_else(|problems| panic!("{problems:?}"));
        holds(&loaded.value);
    }
}

#[test]
fn every_key_of_a_condition_reads_again_and_is_stored() {
    const CONDITIONS: &str = r#"
[[condition]]
name = "calm"

[[condition]]
name     = "importers"
kind     = "short-writers"
tables   = ["t"]
hold_ms  = 9_000
settings = { max_connections = 40 }

[[condition.disturbance]]
name        = "report"
sql         = "SELECT a FROM t"
hold_ms     = 50
after_ms    = 20
at          = "rerun"
until       = "change"
role        = "clerk"

[[condition.disturbance]]
name        = "nightly"
statements  = ["VACUUM t", "ANALYZE t"]
transaction = false
every_ms    = 500
sessions    = 3
database    = "elsewhere"
in_place    = "SELECT 1"

[[condition.disturbance]]
name     = "crowd"
sessions = "all"
hold_ms  = 1
"#;
    let toml = format!(
        "analysis = \"x\"\n[schema]\ntables = \"schema.sql\"\n[[table]]\nname = \"t\"\nrows = 9\n\
         [table.columns]\na = {{ serial = {{}} }}\n[traffic]\nrate_per_s = 1\n[[operation]]\n\
         name = \"o\"\nweight = 1\nsql = \"SELECT a FROM t\"\n{CONDITIONS}"
    );
    let files = [
        ("scenario.toml".to_owned(), toml),
        ("schema.sql".to_owned(), "CREATE TABLE t (a int);\n".to_owned()),
    ];
    let read = read(&files.into());
    let importers = &read.conditions[1];
    assert_eq!(importers.sessions().len(), 4, "{importers:?}");
    assert_eq!(importers.disturbances[2].sessions, Sessions::All);
    let draft = Draft { schema: "CREATE TABLE t (a int);\n".to_owned(), ..draft_of(&read) };
    assert_eq!(self::read(&draft.to_files()).conditions, read.conditions);
    let stored = Scenario::from(StoredScenario::from(&read));
    assert_eq!(stored.conditions, read.conditions);
}

#[test]
fn every_generator_reads_again_as_it_was_written() {
    const COLUMNS: &str = r#"
a = { numbered = "C-{n/3%7*2-1:06b36} \"quoted\" {{" }
b = { pattern = "[A-Z]{2}\\d\n" }
c = { decimal = { min = "-0.05", max = "12", scale = 2 }, null_fraction = 0.25, null_with = "x y" }
d = { pool = { file = "pools/a.tsv", column = "one two", each = 3 } }
e = { pool = { file = "pools/a.tsv", column = "other", each = 3 } }
f = { reference = { table = "t", column = "a", earlier = true, newest = 0.5 } }
g = { reference = { table = "t", column = "h", each = 2, row = "r" } }
h = { serial = {} }
i.timestamp.from = "2026-01-01T00:00:00Z"
i.timestamp.to = "2026-02-01T00:00:00Z"
i.timestamp.hot_fraction = 0.5
i.timestamp.hot_span_s = 60
j = { choice = { values = ["a'", "\"b"], weights = [1, 0.5] } }
"k l" = { fake = "email", unique = true }
m = { constant = "line one\nline two" }
n = { json = { bytes = [20, 30] } }
o = { now = {} }
p = { integer = [-3, 9] }
q = { reference = { table = "t", column = "h", hit_rate = 0.5, skew = 0.7, misses = 3 } }
r = { pattern = "[a-z]{8}", distinct = 500, skew = 0.9, null_fraction = 0.5 }
s = { uuid = {}, distinct = 7 }
"#;
    let columns = "a|b|c|d|e|f|g|h|i|j|k l|m|n|o|p|q|r|s|t".split('|');
    let columns: Vec<String> = columns.map(|c| format!("\"{c}\" text")).collect();
    let schema = format!("CREATE TABLE t ({});\n", columns.join(", "));
    let toml = format!(
        "analysis = \"x\"\n[schema]\ntables = \"schema.sql\"\n[[table]]\nname = \"t\"\nrows = 9\n\
         asked = {{ rows = 12, why = [\"k: no \\\"more\\\"\"] }}\nunfilled.t = \"none\"\n\
         fitted = [\"k\"]\n\
         [table.columns]{COLUMNS}[traffic]\nrate_per_s = 1\n[[operation]]\nname = \"o\"\n\
         weight = 1\nsql = \"SELECT a FROM t WHERE a = $a AND b = $b OR a = $a\"\n\
         params.a = {{ numbered = \"{{n}}\" }}\n\
         params.b = {{ pool = {{ file = \"pools/b.tsv\", column = \"z\" }} }}\n"
    );
    let files = BTreeMap::from([
        ("scenario.toml".to_owned(), toml),
        ("schema.sql".to_owned(), schema),
        ("pools/a.tsv".to_owned(), "unused\tone two\tother\n1\t\\N\ta\\tb\n2\t3\t\\\\N\n".into()),
        ("pools/b.tsv".to_owned(), "z\nvalue\n".to_owned()),
    ]);
    let scenario = read(&files);
    let schema = files["schema.sql"].clone();
    let written = Draft { schema, ..draft_of(&scenario) }.to_files();
    assert_eq!(written["pools/a.tsv"], "one two\tother\n\\N\ta\\tb\n3\t\\\\N\n");
    let again = read(&written);
    assert_eq!(again.tables, scenario.tables);
    assert_eq!(again.tables[0].asked_at(3), Some(4));
    assert_eq!(Scenario::from(StoredScenario::from(&again)).tables, scenario.tables);
    assert_eq!(placeless(&again.traffic), placeless(&scenario.traffic));
    assert!(matches!(again.tables[0].columns[0].generator, Generator::Numbered { .. }));
    insta::assert_snapshot!("written_scenario", written["scenario.toml"]);
}
