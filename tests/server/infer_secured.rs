//! Traffic on tables with row security: what policies read of the session is set as an application
//! sets it, and what they do not let in is left out and named.

use std::collections::BTreeSet;

use assert_cmd::cargo::cargo_bin_cmd;
use pgauntlet::scenario::Parameter;
use rstest::rstest;

use crate::{example, inferred};

/// Operations of each kind that are driven, on average.
const DRIVEN_EACH: u64 = 20;
const ROWS: u64 = 300;

const SCHEMA: &str = "
CREATE TABLE tenants (id serial PRIMARY KEY, name text NOT NULL);
-- What a setting says.
CREATE TABLE projects (
    id bigserial PRIMARY KEY,
    tenant_id int NOT NULL REFERENCES tenants,
    title text NOT NULL);
CREATE INDEX ON projects (tenant_id);
ALTER TABLE projects ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON projects USING (tenant_id = current_setting('app.tenant')::int);
-- What another table's row says.
CREATE TABLE tasks (
    id bigserial PRIMARY KEY,
    project_id bigint NOT NULL REFERENCES projects,
    note text NOT NULL);
CREATE INDEX ON tasks (project_id);
ALTER TABLE tasks ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON tasks USING (EXISTS (SELECT FROM projects p WHERE p.id = project_id
    AND p.tenant_id = current_setting('app.tenant')::int));
-- What a function reads, of JSON.
CREATE FUNCTION who() RETURNS uuid LANGUAGE sql STABLE AS $$
    SELECT (nullif(current_setting('request.jwt.claims', true), '')::json ->> 'sub')::uuid $$;
CREATE TABLE carts (
    id bigserial PRIMARY KEY, user_id uuid NOT NULL, tenant_id int NOT NULL REFERENCES tenants,
    note text NOT NULL);
ALTER TABLE carts ENABLE ROW LEVEL SECURITY;
CREATE POLICY mine ON carts USING (user_id = who()) WITH CHECK (user_id = who());
-- Who is connected.
CREATE TABLE diaries (
    id bigserial PRIMARY KEY, owner text NOT NULL, tenant_id int NOT NULL REFERENCES tenants,
    body text NOT NULL);
ALTER TABLE diaries ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON diaries USING (owner = current_user);
-- Everybody.
CREATE TABLE notices (
    id bigserial PRIMARY KEY, tenant_id int NOT NULL REFERENCES tenants, body text NOT NULL);
ALTER TABLE notices ENABLE ROW LEVEL SECURITY;
CREATE POLICY everybody ON notices USING (true);
-- Nobody.
CREATE TABLE closed (
    id bigserial PRIMARY KEY, tenant_id int NOT NULL REFERENCES tenants, note text NOT NULL);
ALTER TABLE closed ENABLE ROW LEVEL SECURITY;
-- A setting that is compared with no column.
CREATE TABLE late (
    id bigserial PRIMARY KEY, tenant_id int NOT NULL REFERENCES tenants, note text NOT NULL);
ALTER TABLE late ENABLE ROW LEVEL SECURITY;
CREATE POLICY later ON late USING (tenant_id > current_setting('app.floor')::int);";

/// Tables in whose policies our role has no place, and what is said of them.
const SHUT: [(&str, &str); 3] = [
    ("diaries", "[pool] role = the role that they are for"),
    ("closed", "it has no policy"),
    ("late", "its policies read app.floor: write the operation with SELECT set_config('app.floor'"),
];
const LET_IN: [&str; 7] = [
    "insert-public-projects",
    "update-public-projects",
    "read-public-projects",
    "insert-public-tasks",
    "insert-public-carts",
    "update-public-carts",
    "insert-public-notices",
];

#[rstest]
#[case::oldest(14)]
#[case::newest(18)]
#[tokio::test(flavor = "multi_thread")]
async fn the_application_is_let_in_as_policies_want_it_or_the_operation_is_left_out(
    #[case] major: u32,
) {
    let made = inferred::make(major, SCHEMA, ROWS).await.expect("made");
    let scenario = example::load(&made.files).expect("a scenario that is taken");
    let operations = &scenario.traffic.operations;
    let names: BTreeSet<&str> = operations.iter().map(|o| o.name.as_str()).collect();
    for name in LET_IN {
        assert!(names.contains(name), "{name} of {names:#?}\n{:#?}", made.left_out);
    }
    for (table, remedy) in SHUT {
        let own = format!("public-{table}");
        let left: Vec<&&str> = names.iter().filter(|name| name.contains(&own)).collect();
        assert!(left.is_empty(), "{left:?}");
        let said =
            |line: &&String| line.contains(&format!("insert-{own}")) && line.contains(remedy);
        assert!(made.left_out.iter().any(|line| said(&line)), "{table}: {:#?}", made.left_out);
    }
    let outcomes =
        inferred::driven_as(major, &scenario, DRIVEN_EACH, Some("secured_application")).await;
    for operation in operations {
        let of = &outcomes[&operation.name];
        assert_eq!(of.failed, [""; 0], "{}", operation.name);
        let follows = operation.parameters.values().any(|p| matches!(p, Parameter::Follow(_)));
        let listed = operation.statements.iter().any(|s| s.sql.contains(" LIMIT "));
        if !follows && !listed {
            assert!(of.empty * 2 < of.succeeded, "{} finds its rows: {of:?}", operation.name);
        }
    }
}

/// An operation that finds its row in one of a few tries at most, and says so.
#[tokio::test(flavor = "multi_thread")]
async fn what_policies_hide_of_a_read_is_said() {
    let made = inferred::make(15, SCHEMA, ROWS).await.expect("made");
    let scenario = example::load(&made.files).expect("a scenario that is taken");
    // Of a task only its project's tenant may read it, which no parameter knows of a task's row.
    let name = "read-public-tasks";
    assert!(scenario.traffic.operations.iter().all(|operation| operation.name != name));
    let said = |line: &&String| {
        line.contains(name) && line.contains("without row security; its policies read app.tenant")
    };
    assert!(made.left_out.iter().any(|line| said(&line)), "{:#?}", made.left_out);
}

/// Rows that a change hides are missed, although each operation has the row of its setting still.
#[test]
fn a_policy_that_shows_nothing_any_more_is_found() {
    const TABLE: &str = "CREATE TABLE projects (
        id bigint PRIMARY KEY, tenant_id int NOT NULL, title text NOT NULL);
        ALTER TABLE projects ENABLE ROW LEVEL SECURITY;
        CREATE POLICY own ON projects USING (tenant_id = current_setting('app.tenant')::int);";
    const CHANGE: &str = "ALTER POLICY own ON projects USING (false) WITH CHECK (true);";
    let place = tempfile::tempdir().expect("a directory");
    let write = |name: &str, text: &str| std::fs::write(place.path().join(name), text).expect(name);
    write("schema.sql", TABLE);
    write("change.sql", CHANGE);
    let run = |line: &str| {
        let mut command = cargo_bin_cmd!("pgauntlet");
        command.current_dir(place.path()).env("NO_COLOR", "1").args(line.split_whitespace());
        let output = command.output().expect("it runs");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    run("infer change.sql --schema schema.sql --out scenarios/made --rows 1000 --rate 60");
    let text = run("run --scenarios-dir scenarios --out out made");
    assert!(text.contains("UNSAFE") && text.contains("and no row after it"), "{text}");
}
