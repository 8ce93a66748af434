//! What a scenario file says of starting states, the crash matrix, several runners and declared
//! reads: each key becomes what it means, each mistake is told with its place. No server is needed.

use pgauntlet::scenario::{
    Accepted, Base, Change, Crash, Generator, Invariant, Migration, OperationStatement, Outcome,
    PlanLimit, Rows, Scenario, Script, Since, State, Statement, Step, Stop, TransactionRule,
    VersionRows, Versions,
};
use pgauntlet::trial::FaultKind;
use rstest::{Context, rstest};

use crate::example::{example, load};

/// The example with more sections, and with the files that they name.
fn load_with(sections: &str) -> Result<Scenario, String> {
    let mut files = example();
    let text = files["scenario.toml"].replacen("[schema]", &format!("{sections}\n[schema]"), 1);
    files.insert("scenario.toml".to_owned(), text);
    files.insert("two.sql".to_owned(), "ALTER TABLE orders ADD paid boolean;\nSELECT 1;\n".into());
    files.insert("broken.sql".to_owned(), "SELECT 1;\n\nCREATE INDEX ON ON orders (id);\n".into());
    load(&files)
}

fn loaded(sections: &str) -> Scenario {
    load_with(sections).unwrap_or_else(|problems| panic!("{problems}"))
}

const STATES: &str = r#"
[change]
runners       = 2
advisory_lock = -42

[change.versions]
table  = "revision"
column = "version"
rows   = "one"

[[change.migration]]
version = "two"
file    = "two.sql"

[[state]]
name = "base"

[[state]]
name = "fresh"
from = "empty"

[[state]]
name   = "already-migrated"
rows   = { orders = 200_000, customers = 0 }
accept = ["constraint public.orders.fk: convalidated", "index public.orders_by_customer"]

[state.path]
transaction   = "none"
deadline_s    = 7
advisory_lock = 1

[state.path.retries]
on_lock_timeout = 3

[[state.path.migration]]
version = "two"
file    = "two.sql"

[[state]]
name = "part-way"
stop = { after_statements = 1 }

[[state]]
name = "stopped-by-hand"
from = "empty"

[state.path]
versions = { table = "customers", column = "name", rows = "each" }

[[state.path.migration]]
version = "hand"
file    = "two.sql"

[state.path.stop]
after_statements = 1

[[state]]
name = "by-a-tool"
path = { command = "alembic upgrade 57c5ed4f59ae" }
"#;

/// The example with a table of versions.
fn load_states() -> Scenario {
    let mut files = example();
    let old =
        "[[change.migration]]\nversion = \"orders-by-customer\"\nfile    = \"migration.sql\"\n";
    assert!(files["scenario.toml"].contains(old), "the example has no such migration");
    let text = files["scenario.toml"].replacen(old, STATES, 1);
    files.insert("scenario.toml".to_owned(), text);
    let schema = format!("{}CREATE TABLE revision (version text);\n", files["schema.sql"]);
    files.insert("schema.sql".to_owned(), schema);
    files.insert("two.sql".to_owned(), "SELECT 1;\nSELECT 2;\n".to_owned());
    load(&files).unwrap_or_else(|problems| panic!("{problems}"))
}

/// `two.sql` as it was read.
fn two(scenario: &Scenario, version: &str) -> Vec<Migration> {
    let statement = |line: u32| Statement::new(format!("SELECT {line}"), line);
    let statements = vec![statement(1), statement(2)];
    let script = Script { path: scenario.dir.join("two.sql"), statements };
    vec![Migration::new(version.to_owned(), script, None)]
}

fn stop_after(after_statements: u64) -> Option<Stop> {
    Some(Stop { after_statements, scale_with: None })
}

fn accepted(text: &str) -> Accepted {
    Accepted::parse(text).expect("a difference")
}

fn named(name: &str) -> State {
    State { name: name.to_owned(), ..State::base() }
}

#[test]
fn states_are_read_in_order_with_their_paths() {
    let scenario = load_states();
    let change = &scenario.change;
    assert_eq!((change.runners, change.advisory_lock), (2, Some(-42)));
    let in_revision = change.versions.clone().expect("the change's versions");
    assert_eq!(in_revision.table, "revision");

    let mut by_migration = Change::of(two(&scenario, "two"));
    by_migration.transaction = TransactionRule::None;
    by_migration.deadline_ms = 7_000;
    by_migration.advisory_lock = Some(1);
    by_migration.retries.on_lock_timeout = 3;
    by_migration.versions = Some(in_revision);

    let in_customers = Versions {
        table: "customers".to_owned(),
        column: "name".to_owned(),
        rows: VersionRows::Each,
        tool: None,
    };
    let part_way = Change { stop: stop_after(1), runners: 1, ..change.clone() };
    let by_hand = Change {
        versions: Some(in_customers),
        stop: stop_after(1),
        ..Change::of(two(&scenario, "hand"))
    };
    let expected = [
        named("base"),
        State { from: Base::Empty, ..named("fresh") },
        State {
            path: Some(by_migration),
            rows: [("customers".to_owned(), 0), ("orders".to_owned(), 200_000)].into(),
            accept: vec![
                accepted("constraint public.orders.fk: convalidated"),
                accepted("index public.orders_by_customer"),
            ],
            ..named("already-migrated")
        },
        State { path: Some(part_way), ..named("part-way") },
        State { from: Base::Empty, path: Some(by_hand), ..named("stopped-by-hand") },
    ];
    assert_eq!(scenario.states[..5], expected);

    let tool = &scenario.states[5];
    let path = tool.path.as_ref().expect("a path");
    let line = path.command.as_ref().map(|command| command.line.as_str());
    assert_eq!((tool.name.as_str(), line), ("by-a-tool", Some("alembic upgrade 57c5ed4f59ae")));
    assert_eq!(path.versions, None);
    assert_eq!(scenario.states.len(), 6);
}

#[test]
fn what_is_not_said_has_its_default() {
    let scenario = loaded("");
    assert_eq!((scenario.change.runners, scenario.change.advisory_lock), (1, None));
    assert_eq!(scenario.limits.rerun_lock_ms_max, 200);
    assert_eq!((scenario.states.as_slice(), scenario.crash), ([].as_slice(), None));
    assert_eq!(loaded("[crash]\n").crash, Some(Crash::default()));
}

#[test]
fn a_limit_on_the_locks_of_a_rerun_is_read() {
    let scenario = loaded("[limits]\nrerun_lock_ms_max = 25\n");
    assert_eq!(scenario.limits.rerun_lock_ms_max, 25);
}

#[test]
fn a_crash_matrix_is_read_whole() {
    let scenario = loaded(
        r#"
[crash]
rows    = 5_000
faults  = ["kill-runner", "cancel"]
state   = "small"
traffic = false
random  = 20
expect  = ["clean", "debris"]
may     = ["manual-step"]

[[crash.step]]
name = "drop-the-index"
sql  = "DROP INDEX CONCURRENTLY IF EXISTS i"

[[crash.step]]
name       = "both"
statements = ["SELECT 1", "SELECT 2"]

[[state]]
name = "base"

[[state]]
name = "small"
rows = { orders = 5_000, customers = 100 }
"#,
    );
    let step = |name: &str, statements: &[&str]| Step {
        name: name.to_owned(),
        statements: statements.iter().map(|s| (*s).to_owned()).collect(),
    };
    let expected = Crash {
        faults: vec![FaultKind::KillRunner, FaultKind::Cancel],
        rows: 5_000,
        state: Some("small".to_owned()),
        traffic: false,
        random: 20,
        steps: vec![
            step("drop-the-index", &["DROP INDEX CONCURRENTLY IF EXISTS i"]),
            step("both", &["SELECT 1", "SELECT 2"]),
        ],
        expect: vec![Outcome::Clean, Outcome::Debris],
        may: vec![Outcome::ManualStep],
    };
    assert_eq!(scenario.crash, Some(expected));
}

#[test]
fn a_crash_matrix_has_no_more_rows_than_its_state() {
    let small = "[[state]]\nname = \"small\"\nrows = { orders = 50, customers = 40 }\n[crash]\n";
    assert_eq!(loaded(small).crash.expect("a matrix").rows, 50);
}

#[test]
fn a_crash_matrix_from_an_empty_database_has_no_traffic() {
    let crash = loaded("[[state]]\nname = \"fresh\"\nfrom = \"empty\"\n[crash]\n").crash;
    assert!(!crash.expect("a matrix").traffic);
}

#[test]
fn without_states_a_crash_matrix_may_name_the_base() {
    let crash = loaded("[crash]\nstate = \"base\"\n").crash.expect("a matrix");
    assert_eq!(crash.state.as_deref(), Some("base"));
}

#[test]
fn a_declared_read_may_change_its_form_and_limit_its_plan() {
    let scenario = loaded(
        r#"
[[invariant]]
name   = "orders-of-a-customer"
sql    = "SELECT id FROM orders WHERE (customer_id = $c OR paid) AND total > $t"
before = "SELECT id FROM orders WHERE total > $t AND customer_id = $c"
params.c = { constant = "x" }
params.t = { constant = 1 }
plan   = { absent = ["Seq Scan", "Sort"], rows_max = 5_000 }

[[invariant]]
name  = "unpaid"
sql   = "SELECT id FROM orders WHERE paid IS NULL"
rows  = "none"
since = "change"
"#,
    );
    let statement = |sql: &str, placeholders: &[&str]| OperationStatement {
        sql: sql.to_owned(),
        placeholders: placeholders.iter().map(|p| (*p).to_owned()).collect(),
        place: None,
    };
    let constant = |value: &str| Generator::Constant { value: value.to_owned() };
    let after = "SELECT id FROM orders WHERE (customer_id = $1 OR paid) AND total > $2";
    let before = "SELECT id FROM orders WHERE total > $1 AND customer_id = $2";
    let absent = vec!["Seq Scan".to_owned(), "Sort".to_owned()];
    let expected = [
        Invariant {
            name: "orders-of-a-customer".to_owned(),
            statement: statement(after, &["c", "t"]),
            parameters: [("c".to_owned(), constant("x")), ("t".to_owned(), constant("1"))].into(),
            before: Some(statement(before, &["t", "c"])),
            rows: Rows::Same,
            since: Since::Start,
            plan: Some(PlanLimit { absent, rows_max: Some(5_000) }),
        },
        Invariant {
            name: "unpaid".to_owned(),
            statement: statement("SELECT id FROM orders WHERE paid IS NULL", &[]),
            parameters: Default::default(),
            before: None,
            rows: Rows::None,
            since: Since::Change,
            plan: None,
        },
    ];
    let mut found = scenario.invariants;
    for statement in
        found.iter_mut().flat_map(|i| [&mut i.statement].into_iter().chain(&mut i.before))
    {
        assert!(statement.place.take().is_some_and(|place| place.path.ends_with("scenario.toml")));
    }
    assert_eq!(found, expected);
}

#[test]
fn a_parameter_that_only_the_older_form_uses_is_used() {
    let read = "[[invariant]]\nname = \"a\"\nparams.id = { uuid = {} }\nsql = \"SELECT 1\"\n";
    let problems = load_with(read).expect_err("an unused parameter");
    assert!(problems.contains("no statement uses the parameter `id`"), "{problems}");
    loaded(&format!("{read}before = \"SELECT $id::uuid\"\n"));
}

#[test]
fn a_state_does_not_stop_a_command() {
    let change = "[change]\ncommand = \"true\"\n";
    let state = "[[state]]\nname = \"part-way\"\nstop = { after_statements = 1 }\n";
    let mut files = example();
    let text = &files["scenario.toml"];
    let migration = text.find("[[change.migration]]").expect("a migration");
    let end = text.find("[expect]").expect("an expectation");
    let text = format!("{}{change}{state}{}", &text[..migration], &text[end..]);
    files.insert("scenario.toml".to_owned(), text);
    let problems = load(&files).expect_err("a stop of a command");
    insta::assert_snapshot!(problems);
}

#[test]
fn a_file_that_is_missing_is_not_counted_against_a_stop() {
    let change = "[[change.migration]]\nversion = \"2\"\nfile = \"none.sql\"\n";
    let stop = "[change.stop]\nafter_statements = 2\n";
    let problems = load_with(&format!("{change}{stop}")).expect_err("a missing file");
    assert!(problems.contains("none.sql") && !problems.contains("stops nothing"), "{problems}");
}

const BASE: &str = "[[state]]\nname = \"base\"";
const OTHER: &str = "[[state]]\nname = \"other\"";
const PATH: &str = "[[state.path.migration]]\nversion = \"1\"\nfile = \"two.sql\"";
const STEP: &str = "[[crash.step]]\nname = \"a\"";
const SQL: &str = "sql = \"SELECT 1\"";
const READ: &str = "[[invariant]]\nname = \"orders\"\nparams.id = { uuid = {} }\n\
    sql = \"SELECT total FROM orders WHERE id = $id\"";

/// What a mistake puts before the example's [schema].
#[rstest]
#[case::no_state(&["state = []"])]
#[case::state_key(&[BASE, "form = \"empty\""])]
#[case::state_without_name(&["[[state]]\nfrom = \"empty\""])]
#[case::state_name(&["[[state]]\nname = \"Base\""])]
#[case::state_twice(&[BASE, BASE])]
#[case::state_from(&[BASE, "from = \"emtpy\""])]
#[case::state_rows_of_no_table(&[BASE, OTHER, "rows = { order = 5 }"])]
#[case::state_rows_negative(&[BASE, OTHER, "rows = { orders = -5 }"])]
#[case::state_rows_too_many(&[BASE, OTHER, "rows.orders = 1_000_000_000_000"])]
#[case::state_rows_when_empty(&[BASE, OTHER, "from = \"empty\"\nrows = { orders = 5 }"])]
#[case::accept_in_the_first(&[BASE, "accept = [\"index public.i\"]"])]
#[case::accept_nothing(&[BASE, OTHER, "accept = [\"public.i\", \"index public.i: \"]"])]
#[case::accept_twice(&[BASE, OTHER, "accept = [\"index public.i\", \"index public.i\"]"])]
#[case::stop_beside_path(&[BASE, OTHER, "stop = { after_statements = 1 }", PATH])]
#[case::stop_at_the_end(&[BASE, OTHER, "stop = { after_statements = 1 }"])]
#[case::stop_scaled_with_nothing(&[
    BASE, OTHER, "stop = { after_statements = 1, scale_with = \"order\" }"
])]
#[case::path_stop_at_the_end(&[BASE, OTHER, PATH, "[state.path.stop]\nafter_statements = 2"])]
#[case::path_stop_at_once(&[BASE, OTHER, PATH, "[state.path.stop]\nafter_statements = 0"])]
#[case::path_empty(&[BASE, OTHER, "[state.path.timeouts]\nscope = \"local\""])]
#[case::path_key(&[BASE, OTHER, "[state.path]\ntransactions = \"none\""])]
#[case::path_file(&[BASE, OTHER, "[[state.path.migration]]\nversion = \"1\"\nfile = \"one.sql\""])]
#[case::path_command_and_migration(&[BASE, OTHER, "[state.path]\ncommand = \"true\"", PATH])]
#[case::path_directory_and_migration(&[
    BASE, OTHER, "[state.path]\nmigrations = \"migrations\"\ntool = \"sqlx\"", PATH
])]
#[case::path_command_for_the_runner(&[
    BASE, OTHER, "[state.path]\ncommand = \"true\"\ntransaction = \"none\"\nadvisory_lock = 1"
])]
#[case::path_runners(&[BASE, OTHER, "[state.path]\nrunners = 2\nrerun_attempts = 3", PATH])]
#[case::path_versions(&[
    BASE, OTHER, PATH, "[state.path.versions]\ntable = \"version\"\ncolumn = \"v\"\nrows = \"one\""
])]
#[case::path_timeout(&[
    BASE, OTHER, PATH, "[state.path.timeouts]\nscope = \"local\"\nscale_with = \"orders\""
])]
#[case::crash_key(&["[crash]\nway = [\"cancel\"]"])]
#[case::crash_rows(&["[crash]\nrows = 2_000_000"])]
#[case::crash_no_rows(&["[crash]\nrows = 0"])]
#[case::crash_rows_of_the_state(&[
    BASE, OTHER, "rows = { orders = 50, customers = 40 }", "[crash]\nrows = 51\nstate = \"other\""
])]
#[case::crash_from_nothing(&[BASE, "from = \"empty\"", "[crash]\nrows = 100\ntraffic = true"])]
#[case::crash_no_way(&["[crash]\nfaults = []"])]
#[case::crash_way(&["[crash]\nfaults = [\"cut-befor\"]"])]
#[case::crash_way_twice(&["[crash]\nfaults = [\"cancel\", \"cut-after\", \"cancel\"]"])]
#[case::crash_state(&[BASE, OTHER, "[crash]\nstate = \"others\""])]
#[case::crash_state_of_none(&["[crash]\nstate = \"fresh\""])]
#[case::crash_random(&["[crash]\nrandom = 10_001"])]
#[case::crash_outcome(&["[crash]\nexpect = [\"cleen\"]"])]
#[case::crash_outcome_twice(&["[crash]\nexpect = [\"clean\", \"clean\"]"])]
#[case::crash_expect_and_may(&["[crash]\nexpect = [\"clean\"]\nmay = [\"debris\", \"clean\"]"])]
#[case::step_name(&["[[crash.step]]\nname = \"Drop it\"", SQL])]
#[case::step_twice(&[STEP, SQL, STEP, SQL])]
#[case::step_without_sql(&[STEP])]
#[case::step_with_both(&[STEP, SQL, "statements = [\"SELECT 2\"]"])]
#[case::step_of_nothing(&[STEP, "sql = \"-- nothing\""])]
#[case::step_in_a_transaction(&[STEP, "statements = [\"BEGIN\", \"SELECT 1\", \"COMMIT\"]"])]
#[case::runners(&["[change]\nrunners = 17"])]
#[case::no_runner(&["[change]\nrunners = 0"])]
#[case::advisory_lock(&["[change]\nadvisory_lock = \"migrations\""])]
#[case::rerun_lock(&["[limits]\nrerun_lock_ms_max = -1"])]
#[case::read_before_twice(&[READ, "before = \"SELECT 1; SELECT 2\""])]
#[case::read_before_param(&[READ, "before = \"SELECT total FROM orders WHERE id = $ids\""])]
#[case::read_before_since(&[READ, "before = \"SELECT $id::uuid\"\nsince = \"start\""])]
#[case::read_rows(&[READ, "rows = \"empty\""])]
#[case::read_since(&[READ, "since = \"end\""])]
#[case::plan_empty(&[READ, "plan = { absent = [] }"])]
#[case::plan_node(&[READ, "plan = { absent = [\"Seqscan\"] }"])]
#[case::plan_node_twice(&[READ, "plan = { absent = [\"Seq Scan\", \"Seq Scan\"] }"])]
#[case::plan_rows(&[READ, "plan = { rows_max = 0 }"])]
#[case::plan_key(&[READ, "plan = { rows = 5 }"])]
fn a_mistake_is_told_with_its_place_and_what_would_be_right(
    #[context] context: Context,
    #[case] sections: &[&str],
) {
    let problems = load_with(&sections.join("\n")).expect_err("a mistake");
    let case = context.description.unwrap_or("case");
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!(format!("mistake_{case}"), problems);
    });
}
