//! As whom the application and the change run: what that shows, and what it refuses.

use std::path::Path;

use assert_cmd::cargo::cargo_bin_cmd;
use rstest::rstest;
use tempfile::TempDir;

const SCENARIO: &str = r#"
analysis = "a test"
[schema]
tables = "schema.sql"
[[table]]
name = "counters"
rows = 1_000
[table.columns]
id = { serial = {} }
[traffic]
rate_per_s = 100
baseline_ms = 1_500
[[operation]]
name = "read"
weight = 1
sql = "SELECT id FROM counters WHERE id = $id"
params.id = { reference = { table = "counters", column = "id" } }
[[change.migration]]
version = "1"
file = "change.sql"
[expect]
verdict = "unsafe"
"#;

const TABLES: &str = "CREATE TABLE counters (id int PRIMARY KEY);";
/// The one that the machine has anyway.
const ANY: &str = "";

/// `14` for an installed server of that major, or `docker`.
fn server(name: &str) -> Vec<String> {
    let image = std::env::var("PGAUNTLET_TEST_IMAGE");
    let image = image.unwrap_or_else(|_| "pgauntlet-test-postgres:15".to_owned());
    let arguments: Vec<&str> = match name {
        ANY => vec![],
        "docker" => vec!["--server", "docker", "--image", &image],
        major => vec!["--pg", major],
    };
    arguments.into_iter().map(str::to_owned).collect()
}

/// What `run` prints of a change to the table `counters`, which the application reads.
fn printed(more: &str, change: &str) -> String {
    printed_on(ANY, (more, TABLES), change)
}

fn printed_on(on: &str, (more, schema): (&str, &str), change: &str) -> String {
    let place: TempDir = tempfile::tempdir().expect("a directory");
    let scenario = place.path().join("scenarios/roles");
    std::fs::create_dir_all(&scenario).expect("a directory");
    let write = |name: &str, text: &str| std::fs::write(scenario.join(name), text).expect(name);
    write(
        "scenario.toml",
        &SCENARIO.replace("[[change.migration]]", &format!("{more}\n[[change.migration]]")),
    );
    write("schema.sql", schema);
    write("change.sql", change);
    let out: &Path = &place.path().join("out");
    let mut command = cargo_bin_cmd!("pgauntlet");
    command.current_dir(place.path()).env("NO_COLOR", "1").args(["run", "--scenarios-dir"]);
    command.arg(place.path().join("scenarios")).arg("--out").arg(out).arg("roles");
    command.args(server(on)).env_remove("PGAUNTLET_SERVER");
    let output = command.output().expect("it runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    format!("{text}{errors}").split_whitespace().collect::<Vec<_>>().join(" ")
}

#[rstest]
#[case::row_security(
    "ALTER TABLE counters ENABLE ROW LEVEL SECURITY",
    "the change sets row security on counters"
)]
#[case::an_empty_table_in_its_place(
    "CREATE TABLE other (id int); GRANT SELECT ON other TO pgauntlet_app; DROP TABLE counters; \
     ALTER TABLE other RENAME TO counters",
    "and no row after it"
)]
#[case::a_table_without_its_grants(
    "CREATE TABLE other AS SELECT * FROM counters; DROP TABLE counters; \
     ALTER TABLE other RENAME TO counters",
    "42501 insufficient_privilege"
)]
fn what_the_application_does_not_see_any_more_is_found(
    #[values(ANY, "14", "16", "17", "18", "docker")] on: &str,
    #[case] change: &str,
    #[case] told: &str,
) {
    let printed = printed_on(on, ("", TABLES), change);
    assert!(printed.contains("UNSAFE"), "{printed}");
    assert!(printed.contains(told), "{printed}");
    let roles = "application as pgauntlet_app, change as pgauntlet_migrator";
    assert!(printed.contains(roles), "{printed}");
}

#[test]
fn what_needs_a_superuser_is_refused_with_the_way_out_and_runs_as_one_where_it_may() {
    let change =
        "ALTER TABLE counters ADD COLUMN note text; SET session_replication_role = replica";
    let printed_as_migrator = printed("", change);
    assert!(printed_as_migrator.contains("permission denied"), "{printed_as_migrator}");
    assert!(printed_as_migrator.contains("superuser = true"), "{printed_as_migrator}");
    let printed = printed("[change]\nsuperuser = true", change);
    assert!(!printed.contains("permission denied"), "{printed}");
    assert!(printed.contains("change as postgres (superuser)"), "{printed}");
}

/// As whom it runs, what that role may do and what is its own, by an assertion of the change.
#[rstest]
#[case::ours("pgauntlet_app", "pgauntlet_migrator", "")]
#[case::declared(
    "roles_app",
    "roles_owner",
    "[pool]\nrole = 'roles_app'\n[change]\nrole = 'roles_owner'"
)]
fn the_application_owns_nothing_and_nobody_is_a_superuser(
    #[values(ANY, "14", "16", "17", "18", "docker")] on: &str,
    #[case] application: &str,
    #[case] change: &str,
    #[case] more: &str,
) {
    let schema = format!(
        "DO $$ BEGIN CREATE ROLE roles_app; EXCEPTION WHEN duplicate_object THEN NULL; END $$; \
         DO $$ BEGIN CREATE ROLE roles_owner; EXCEPTION WHEN duplicate_object THEN NULL; END $$; \
         {TABLES} GRANT SELECT ON counters TO roles_app;"
    );
    let own = format!(
        "DO $$ DECLARE me oid := (SELECT oid FROM pg_roles WHERE rolname = current_user); BEGIN \
         ASSERT current_user = '{change}', 'as ' || current_user; \
         ASSERT (SELECT NOT bool_or(rolsuper) FROM pg_roles \
                 WHERE rolname IN (current_user, '{application}')), 'a superuser'; \
         ASSERT (SELECT relowner = me FROM pg_class WHERE relname = 'counters'), 'not its own'; \
         ASSERT NOT pg_has_role('{application}', me, 'MEMBER'), 'the application owns it'; \
         ASSERT NOT has_table_privilege('{application}', 'counters', 'TRUNCATE'), 'too much'; \
         END $$; ALTER TABLE counters ADD COLUMN note text;"
    );
    let printed = printed_on(on, (more, &schema), &own);
    let roles = format!("application as {application}, change as {change}");
    assert!(printed.contains(&roles), "{printed}");
    // On a busy machine too: no assertion failed, and both statements ran.
    assert!(!printed.contains("change-failed") && !printed.contains("UNSAFE"), "{printed}");
    assert!(printed.contains("counters AccessExclusiveLock"), "{printed}");
}
