//! pgauntlet.toml: what it says, and that mistakes are told with their place.

use std::path::PathBuf;

use pgauntlet::scenario::{
    self, Budget, ConditionKind, FailsOn, FindingKind, PROJECT_FILE, ProjectBase, ProjectChange,
    ProjectDefaults, RunsAs, Tool, TrafficKind,
};
use rstest::{Context, rstest};

const WHOLE: &str = r#"tool = "flyway"
change = "db/migration"
schema = "postgres://reader:secret@db/app"
role = "migrator"

[rows]
orders = 5_000_000
"public.Items" = 20

[pool]
size = 7
role = "app"

[limits]
stall_ms_max = 200

[try]
budget = "thorough"
conditions = ["calm"]
fail_on = "bounded"
traffic = "read-heavy"
rate = 40

[[accept]]
finding = "no-timeout"
reason = "the proxy sets it"
until = 2027-01-31

[[accept]]
finding = "stall"
reason = "a window on Sunday"
until = "2027-02-28"
change = "0042-add-index"
"#;

/// Without the directory's name in messages.
fn read(text: &str) -> Result<ProjectDefaults, String> {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join(PROJECT_FILE);
    std::fs::write(&path, text).expect("a file");
    let place = format!("{}/", directory.path().display());
    let said = |problems: Vec<_>| scenario::render(&problems).replace(&place, "");
    scenario::project_defaults(&path).map_err(said)
}

#[test]
fn each_part_is_read() {
    let read = read(WHOLE).expect("no mistake");
    assert_eq!(read.tool, Some(Tool::Flyway));
    let Some(ProjectChange::Path(path)) = &read.change else { panic!("{:?}", read.change) };
    assert!(path.ends_with(PathBuf::from("db/migration")));
    let address = "postgres://reader:secret@db/app".to_owned();
    assert_eq!(read.base, Some(ProjectBase::Schema(address)));
    let rows = [("orders".to_owned(), 5_000_000), ("public.Items".to_owned(), 20)];
    assert_eq!(read.rows, rows);
    assert_eq!((read.demands.pool.size, read.demands.pool.overflow), (7, 20));
    assert_eq!(read.demands.runs_as, RunsAs::Role("migrator".to_owned()));
    assert_eq!(read.demands.limits.stall_ms_max, 200);
    assert_eq!(read.trying.budget, Some(Budget::Thorough));
    assert_eq!(read.trying.conditions, Some(vec![ConditionKind::Calm]));
    assert_eq!(read.trying.fail_on, Some(FailsOn::Bounded));
    assert_eq!(read.trying.traffic, Some(TrafficKind::ReadHeavy));
    assert_eq!(read.trying.rate, Some(40.0));
    let [accepted] = read.demands.acceptances.as_slice() else { panic!("one for all changes") };
    assert_eq!(accepted.kind, Some(FindingKind::NoTimeout));
    assert_eq!(accepted.until.as_deref(), Some("2027-01-31"));
    assert_eq!(accepted.line, 25);
    let [(change, accepted)] = read.of_change.as_slice() else { panic!("one for one change") };
    assert_eq!((change.as_str(), accepted.kind), ("0042-add-index", Some(FindingKind::Stall)));
    assert!(!accepted.in_change);
}

#[rstest]
#[case::project_unknown_key("budget =", "budgett =")]
#[case::project_unknown_section("[limits]", "[limit]")]
#[case::project_wrong_type("orders = 5_000_000", "orders = \"5M\"")]
#[case::project_no_rows("orders = 5_000_000", "orders = 0")]
#[case::project_unknown_tool("\"flyway\"", "\"flywy\"")]
#[case::project_unknown_limit("stall_ms_max", "stall_ms")]
#[case::project_unknown_condition("[\"calm\"]", "[\"calm\", \"back-up\", \"calm\"]")]
#[case::project_no_condition("[\"calm\"]", "[]")]
#[case::project_condition_twice("[\"calm\"]", "[\"calm\", \"calm\"]")]
#[case::project_fail_on("\"bounded\"", "\"safe\"")]
#[case::project_rate("rate = 40", "rate = 0")]
#[case::project_unknown_finding("\"no-timeout\"", "\"no-timeouts\"")]
#[case::project_finding_of_the_evidence("\"no-timeout\"", "\"samples-missing\"")]
#[case::project_no_reason("reason = \"the proxy sets it\"\n", "")]
#[case::project_empty_reason("\"the proxy sets it\"", "\" \"")]
#[case::project_no_day("until = 2027-01-31\n", "")]
#[case::project_wrong_day("until = 2027-01-31", "until = \"31.01.2027\"")]
#[case::project_day_of_no_month("until = 2027-01-31", "until = \"2027-02-30\"")]
#[case::project_moment_for_a_day("until = 2027-01-31", "until = 2027-01-31T10:00:00Z")]
#[case::project_number_for_a_day("until = 2027-01-31", "until = 2027")]
#[case::project_change_name("\"0042-add-index\"", "\"0042_add_index.sql\"")]
#[case::project_empty_role("\"migrator\"", "\"\"")]
#[case::project_role_and_superuser("role =", "superuser = true\nrole =")]
#[case::project_change_and_command("schema =", "command = \"alembic upgrade head\"\nschema =")]
#[case::project_schema_and_base("change =", "base = \" \"\nchange =")]
#[case::project_several("[pool]\nsize = 7", "[pool]\nsize = 0\nsizes = 1\noverflow = \"x\"")]
#[case::project_no_toml("[pool]", "[pool")]
#[test]
fn a_mistake_is_told_with_its_place(
    #[context] context: Context,
    #[case] right: &str,
    #[case] wrong: &str,
) {
    assert!(WHOLE.contains(right), "the file has no `{right}`");
    let problems = read(&WHOLE.replacen(right, wrong, 1)).expect_err("a mistake");
    let case = context.description.unwrap_or("case");
    // Tools and kinds of findings become more.
    let lists = vec![("known names: (sqlx|stall), .*", "known names: $1, …")];
    insta::with_settings!({
        omit_expression => true, prepend_module_to_snapshot => false, filters => lists
    }, {
        insta::assert_snapshot!(format!("mistake_{case}"), problems);
    });
}
