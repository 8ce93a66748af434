//! Changes that look harmless and are not, through `try`: none of them may come out safe.

use std::fs;
use std::path::Path;

use rstest::rstest;
use tempfile::TempDir;

use crate::own::{outcome, try_in};

const SCHEMA: &str = "\
CREATE ROLE app;
CREATE TABLE customers (id bigserial PRIMARY KEY, email text NOT NULL);
CREATE TABLE orders (
    id bigserial PRIMARY KEY,
    customer_id bigint NOT NULL REFERENCES customers (id),
    status text NOT NULL,
    touched_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE refuses (id bigint PRIMARY KEY, never text NOT NULL CHECK (false));
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN NEW.touched_at := now(); RETURN NEW; END $$;
CREATE TRIGGER touched BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch();
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO app;
";

/// Nothing beside the application.
const CALM: &str = "[try]\nconditions = [\"calm\"]\n";
const AS_APP: &str = "[try]\nconditions = [\"calm\"]\n[pool]\nrole = \"app\"\n";
const AS_SUPERUSER: &str = "superuser = true\n[try]\nconditions = [\"calm\"]\n";

/// A project with a dump, a change and a pgauntlet.toml.
fn project(change: &str, toml: &str) -> TempDir {
    let root = tempfile::tempdir().expect("a directory");
    let write = |name: &str, text: &str| fs::write(root.path().join(name), text).expect("a file");
    write("structure.sql", SCHEMA);
    write("change.sql", change);
    write("pgauntlet.toml", toml);
    root
}

/// The exit code, and what is printed, on one line.
fn tried(root: &Path, arguments: &[&str]) -> (i32, String) {
    let mut command = try_in(root);
    command.args(["change.sql", "--rows", "customers=1k"]);
    if !arguments.iter().any(|argument| argument.starts_with("orders=")) {
        command.args(["--rows", "orders=2k"]);
    }
    command.args(arguments);
    outcome(command)
}

#[rstest]
#[case::every_row_is_taken_away("TRUNCATE orders;", CALM, "rows-gone")]
#[case::in_a_block(
    "DO $$ BEGIN EXECUTE 'TRUNCATE ' || quote_ident('orders'); END $$;",
    CALM,
    "rows-gone"
)]
#[case::in_a_function(
    "CREATE FUNCTION tidy() RETURNS void LANGUAGE plpgsql AS $$ BEGIN TRUNCATE orders; END $$;\n\
     SELECT tidy();",
    CALM,
    "rows-gone"
)]
#[case::values_of_rows_that_nobody_wrote(
    "UPDATE customers SET email = 'x' || email;",
    "[try]\nconditions = [\"backup\"]\n",
    "values-changed"
)]
#[case::values_of_a_table_with_a_trigger(
    "UPDATE orders SET status = status || '!' WHERE id % 3 = 0;",
    CALM,
    "values-changed"
)]
#[case::a_trigger_that_goes_with_its_function(
    "DROP FUNCTION touch() CASCADE;\nCREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS\n\
     $$ BEGIN NEW.touched_at := now(); RETURN NEW; END $$;",
    CALM,
    "access-changed"
)]
#[case::half_of_the_rows("DELETE FROM orders WHERE id % 2 = 0;", CALM, "rows-gone")]
#[case::a_trigger_that_spoils_what_is_inserted(
    "CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS\n\
     $$ BEGIN NEW.email := 'nobody'; RETURN NEW; END $$;\n\
     CREATE TRIGGER spoil BEFORE INSERT ON customers FOR EACH ROW EXECUTE FUNCTION spoil();",
    CALM,
    "lost-write"
)]
#[case::a_trigger_is_left_disabled(
    "ALTER TABLE orders DISABLE TRIGGER touched;\nUPDATE orders SET status = status;",
    CALM,
    "access-changed"
)]
#[case::rows_that_refer_to_nothing(
    "ALTER TABLE orders DISABLE TRIGGER ALL;\n\
     INSERT INTO orders (customer_id, status) SELECT 90000000 + n, 'new' FROM \
     generate_series(1, 20) n;\nALTER TABLE orders ENABLE TRIGGER ALL;",
    AS_SUPERUSER,
    "orphans"
)]
#[case::grants_of_a_table_that_is_made_anew(
    "BEGIN;\nCREATE TABLE orders_new (LIKE orders INCLUDING ALL);\n\
     INSERT INTO orders_new SELECT * FROM orders;\n\
     ALTER SEQUENCE orders_id_seq OWNED BY orders_new.id;\nDROP TABLE orders;\n\
     ALTER TABLE orders_new RENAME TO orders;\nCOMMIT;",
    AS_APP,
    "operation-failed"
)]
#[case::a_file_that_never_commits(
    "BEGIN;\nALTER TABLE orders ADD COLUMN note text;",
    CALM,
    "open-transaction"
)]
#[case::a_trigger_that_fires_on_replicas_alone(
    "ALTER TABLE orders ENABLE REPLICA TRIGGER touched;",
    CALM,
    "access-changed"
)]
#[case::a_column_that_gets_nothing_from_now_on(
    "ALTER TABLE orders ALTER touched_at DROP NOT NULL, ALTER touched_at DROP DEFAULT;",
    CALM,
    "new-rows-differ"
)]
#[case::a_grant_is_taken("REVOKE INSERT, UPDATE ON orders FROM app;", AS_APP, "operation-failed")]
#[case::another_owner_without_grants(
    "ALTER TABLE orders OWNER TO app;\nREVOKE SELECT ON orders FROM app;",
    "superuser = true\n[try]\nconditions = [\"calm\"]\n[pool]\nrole = \"app\"\n",
    "operation-failed"
)]
#[case::a_constraint_that_never_was_checked(
    "ALTER TABLE orders ADD CONSTRAINT named CHECK (status = 'never') NOT VALID;",
    CALM,
    "operation-failed"
)]
#[case::rows_are_hidden("ALTER TABLE orders ENABLE ROW LEVEL SECURITY;", AS_APP, "rows-unseen")]
#[case::a_sequence_begins_again(
    "ALTER SEQUENCE orders_id_seq RESTART WITH 1;",
    CALM,
    "operation-failed"
)]
#[case::a_timeout_ends_a_build_behind_a_backup(
    "SET statement_timeout = '1500ms';\nCREATE INDEX CONCURRENTLY i ON orders (status);",
    "[try]\nconditions = [\"backup\"]\n",
    "rerun-failed"
)]
#[test]
fn what_only_looks_harmless_is_unsafe(
    #[case] change: &str,
    #[case] toml: &str,
    #[case] finding: &str,
) {
    let root = project(change, toml);
    let (code, said) = tried(root.path(), &[]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("UNSAFE") && said.contains(finding), "no {finding} in {said}");
}

/// The application reads by the key and does no more, so no operation fails.
#[rstest]
#[case::a_sequence_that_is_set_back(
    "ALTER TABLE orders ADD COLUMN note text;\nSELECT setval('orders_id_seq', 1);",
    "sequence-behind"
)]
#[case::a_sequence_that_ends_soon(
    "DO $$ BEGIN EXECUTE format('ALTER SEQUENCE orders_id_seq MAXVALUE %s', \
     (SELECT last_value + 100000 FROM orders_id_seq)); END $$;",
    "sequence-ends"
)]
#[case::a_sequence_that_begins_again_among_its_rows(
    "DO $$ BEGIN EXECUTE format('ALTER SEQUENCE orders_id_seq MAXVALUE %s CYCLE', \
     (SELECT last_value + 9000 FROM orders_id_seq)); END $$;",
    "sequence-ends"
)]
#[case::a_grant_that_is_lost_beside_a_revoke_of_another(
    "CREATE TABLE orders_new (LIKE orders INCLUDING ALL);\nINSERT INTO orders_new TABLE orders;\n\
     ALTER TABLE orders RENAME TO orders_old;\nALTER TABLE orders_new RENAME TO orders;\n\
     GRANT SELECT ON orders TO app;\nREVOKE ALL ON orders_old FROM app;",
    "access-changed"
)]
#[case::a_policy_that_shows_some_rows(
    "CREATE POLICY tenth ON orders USING (id % 10 = 0);\n\
     ALTER TABLE orders ENABLE ROW LEVEL SECURITY;",
    "rows-unseen"
)]
#[case::a_view_that_cannot_be_read_any_more(
    "ALTER TABLE orders ADD COLUMN note text;\nREFRESH MATERIALIZED VIEW sums WITH NO DATA;",
    "access-changed"
)]
#[test]
fn what_no_operation_of_a_reader_shows_is_unsafe(#[case] change: &str, #[case] finding: &str) {
    let root = project(change, AS_APP);
    let view = "CREATE MATERIALIZED VIEW sums AS SELECT status, count(*) FROM orders GROUP BY 1;\n";
    let write = |name: &str, text: &str| fs::write(root.path().join(name), text).expect("a file");
    write("structure.sql", &format!("{SCHEMA}{view}"));
    write("app.sql", "-- name: read_order\nSELECT id, status FROM orders WHERE id = $1;\n");
    let (code, said) = tried(root.path(), &["--app", "app.sql"]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("UNSAFE") && said.contains(finding), "no {finding} in {said}");
}

const ANSWERS: &str = "\
CREATE VIEW open_orders AS SELECT id, status FROM orders WHERE status <> 'done';
CREATE FUNCTION doubled(n bigint) RETURNS bigint LANGUAGE sql AS $$ SELECT n * 2 $$;
";
const ASKS: &str = "\
-- name: read_open
SELECT id, status FROM open_orders WHERE id > $1 ORDER BY id LIMIT 5;
-- name: double_order
SELECT doubled(id) AS n FROM orders WHERE id = $1;
";

/// The operations go on succeeding, whatever they are answered.
#[rstest]
#[case::a_view(
    "CREATE OR REPLACE VIEW open_orders AS SELECT id, status FROM orders WHERE status = 'done';",
    3,
    "answers-differ view public.open_orders answers otherwise"
)]
#[case::a_function(
    "CREATE OR REPLACE FUNCTION doubled(n bigint) RETURNS bigint LANGUAGE sql AS \
     $$ SELECT n * 3 $$;",
    3,
    "answers-differ function public.doubled(n bigint) answers otherwise"
)]
#[case::it_is_accepted(
    "-- pgauntlet: accept answers-differ \"done is what they ask for\"\n\
     CREATE OR REPLACE VIEW open_orders AS SELECT id, status FROM orders WHERE status = 'done';",
    0,
    "unproven, and accepted by change.sql:1: done is what they ask for"
)]
#[case::a_column_more(
    "CREATE OR REPLACE VIEW open_orders AS SELECT id, status, customer_id FROM orders \
     WHERE status <> 'done';",
    0,
    "SAFE"
)]
#[case::the_same_otherwise_said(
    "CREATE OR REPLACE VIEW open_orders AS SELECT id, status FROM orders \
     WHERE NOT status = 'done';\n\
     CREATE OR REPLACE FUNCTION doubled(n bigint) RETURNS bigint LANGUAGE sql AS \
     $$ SELECT n + n $$;",
    0,
    "SAFE"
)]
#[test]
fn what_answers_otherwise_is_no_replacement_that_is_safe(
    #[case] change: &str,
    #[case] expected: i32,
    #[case] words: &str,
) {
    let root = project(change, CALM);
    let write = |name: &str, text: &str| fs::write(root.path().join(name), text).expect("a file");
    write("structure.sql", &format!("{SCHEMA}{ANSWERS}"));
    write("app.sql", ASKS);
    let (code, said) = tried(root.path(), &["--app", "app.sql"]);
    assert_eq!(code, expected, "{said}");
    assert!(said.contains(words), "no {words} in {said}");
    assert_eq!(said.contains("answers-differ"), words != "SAFE", "{said}");
}

/// Every read by the column reads the whole table from then on.
#[test]
fn an_index_that_operations_use_is_no_loss_that_is_safe() {
    let root = project("DROP INDEX CONCURRENTLY orders_customer;", CALM);
    let schema = format!("{SCHEMA}CREATE INDEX orders_customer ON orders (customer_id);\n");
    fs::write(root.path().join("structure.sql"), schema).expect("a file");
    let (code, said) = tried(root.path(), &["--rows", "orders=50k"]);
    assert!(said.contains("operation-slower") && said.contains("by orders_customer"), "{said}");
    assert_eq!(code, 1, "{said}");
}

#[test]
fn rows_that_go_on_purpose_are_accepted_where_the_change_says_so() {
    // A row that the application inserted meanwhile may go too.
    let change = "-- migration-unsafe-ack: they are in the archive\n\
                  DELETE FROM orders WHERE id % 2 = 0;";
    let root = project(change, CALM);
    let (code, said) = tried(root.path(), &[]);
    assert!(said.contains("note rows-gone: "), "{said}");
    assert!(
        said.contains("unsafe, and accepted by change.sql:1: they are in the archive"),
        "{said}"
    );
    // On a busy machine a trial may prove nothing.
    assert!([0, 3].contains(&code) && !said.contains("UNSAFE"), "{said}");
}

/// Which finding is accepted is named: no other is.
#[rstest]
#[case::the_same("rows-gone", false)]
#[case::another("stall", true)]
#[test]
fn a_finding_is_accepted_by_its_name(#[case] kind: &str, #[case] stays_unsafe: bool) {
    // An old row, which the application leaves alone.
    let accepted = format!("-- pgauntlet: accept {kind} \"it is meant\"");
    let change = format!("{accepted}\nDELETE FROM orders WHERE id = 1;");
    let root = project(&change, CALM);
    let (code, said) = tried(root.path(), &[]);
    assert_eq!(said.contains("UNSAFE"), stays_unsafe, "{said}");
    assert_eq!(code == 1, stays_unsafe, "{said}");
    assert_eq!(said.contains("unsafe, and accepted by change.sql:1: it is meant"), !stays_unsafe);
}

#[test]
fn a_change_of_tables_that_have_no_rows_proves_nothing() {
    let root = project("ALTER TABLE refuses ADD COLUMN note text;", CALM);
    let (code, said) = tried(root.path(), &[]);
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("UNPROVEN"), "{said}");
}

/// No operation can be made: nothing is tried, and what is missing is said.
#[rstest]
#[case::a_check("j jsonb NOT NULL CONSTRAINT has_x CHECK (jsonb_path_exists(j, '$.x'))", "has_x")]
#[case::a_domain("j with_x NOT NULL", "its domain")]
fn a_change_of_a_lone_table_that_has_no_rows_proves_nothing(
    #[case] column: &str,
    #[case] named: &str,
) {
    let root = project("ALTER TABLE lone ADD COLUMN note text;", CALM);
    let schema = format!(
        "CREATE DOMAIN with_x AS jsonb CHECK (jsonb_path_exists(VALUE, '$.x'));\n\
         CREATE TABLE lone (id bigint PRIMARY KEY, {column});\n"
    );
    fs::write(root.path().join("structure.sql"), schema).expect("a file");
    let tried = |more: &[&str]| {
        let mut command = try_in(root.path());
        command.arg("change.sql").args(more);
        outcome(command)
    };
    let (code, said) = tried(&[]);
    assert_eq!(code, 3, "{said}");
    for part in ["UNPROVEN", "column j", named, "a `pool`", "--save DIR"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(!said.contains("/tmp/") && !said.contains("is missing here"), "{said}");
    let (code, said) = tried(&["--save", "saved"]);
    assert!(code == 3 && said.contains("pgauntlet run saved"), "{said}");
    assert!(root.path().join("saved/scenario.toml").is_file());
}

/// A rerun takes an index that was left INVALID for done.
#[test]
fn an_index_that_is_built_if_it_is_not_there_is_unsafe_and_can_be_accepted() {
    let change = "CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON orders (status);";
    let toml = format!("{CALM}rate = 40\n");
    let root = project(change, &toml);
    let faults = |root: &Path| {
        let mut command = assert_cmd::cargo::cargo_bin_cmd!("pgauntlet");
        command.current_dir(root).env("NO_COLOR", "1").env("PATH", crate::toolbox::path());
        command.args(["try", "change.sql", "--schema", "structure.sql", "--pg", "15"]);
        command.args(["--no-cache", "--quiet", "--rows", "2k"]);
        outcome(command)
    };
    let (code, said) = faults(root.path());
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("UNSAFE") && said.contains("killed unsafe"), "{said}");
    let accepted = format!("-- pgauntlet: accept crash \"nothing interrupts it\"\n{change}");
    let root = project(&accepted, &toml);
    let (code, said) = faults(root.path());
    let by = "unsafe, and accepted by change.sql:1: nothing interrupts it";
    assert!(said.contains("killed accepted") && said.contains(by), "{said}");
    assert!([0, 3].contains(&code) && !said.contains("UNSAFE"), "{said}");
}

/// Files that sqlx could own, and that nothing says to be sqlx's.
#[rstest]
#[case::of_no_tool(&[], "which tool applies its files is not known")]
#[case::of_goose(&["-- +goose Up\nSELECT 1;\n"], "as goose runs it")]
#[case::of_dbmate(&["-- migrate:up\nSELECT 1;\n-- migrate:down\n"], "as dbmate runs it")]
#[test]
fn a_directory_that_looks_like_one_of_sqlx_is_not_taken_for_it(
    #[case] files: &[&str],
    #[case] words: &str,
) {
    let root = tempfile::tempdir().expect("a directory");
    let migrations = root.path().join("migrations");
    fs::create_dir(&migrations).expect("a directory");
    let text = files.first().unwrap_or(&"CREATE TABLE t (a int);\n");
    fs::write(migrations.join("20240101000000_a.sql"), text).expect("a file");
    let output = try_in(root.path()).arg("--dry-run").output().expect("pgauntlet");
    let all = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(all.contains(words) && !all.contains("as sqlx runs it"), "{all}");
    assert_eq!(output.status.code(), Some(if files.is_empty() { 2 } else { 0 }), "{all}");
}

#[test]
fn numbered_files_that_psql_runs_are_tried_where_it_is_said() {
    let root = tempfile::tempdir().expect("a directory");
    for (name, text) in [("001_a.sql", "CREATE TABLE t (a int);\n"), ("002_b.sql", "VACUUM t;\n")] {
        fs::write(root.path().join(name), text).expect("a file");
    }
    for path in [".", "002_b.sql"] {
        let mut command = try_in(root.path());
        let output = command.args([path, "--tool", "plain", "--dry-run"]).output();
        let output = output.expect("pgauntlet");
        let all = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert_eq!(output.status.code(), Some(0), "{all}");
        assert!(all.contains("002_b.sql, as psql runs it: no transaction"), "{all}");
        assert!(all.contains("the migration before it"), "{all}");
    }
}
