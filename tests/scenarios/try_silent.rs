//! Changes that succeed and have not done, or not only done, what they say, through `try`.

use std::fs;

use rstest::rstest;

use crate::own::{outcome, try_in};

const SCHEMA: &str = "\
CREATE FUNCTION code(text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT lower($1) $$;
CREATE TABLE items (
    id bigserial PRIMARY KEY,
    name text NOT NULL,
    price integer,
    code text GENERATED ALWAYS AS (code(name)) STORED,
    added_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX items_by ON items (name);
CREATE TABLE tasks (id bigserial PRIMARY KEY, tenant text NOT NULL);
CREATE POLICY own ON tasks USING (tenant = current_setting('app.tenant', true));
ALTER TABLE tasks ENABLE ROW LEVEL SECURITY;
";

/// The exit code, and what is printed, on one line.
fn tried(change: &str) -> (i32, String) {
    let root = tempfile::tempdir().expect("a directory");
    let write = |name: &str, text: &str| fs::write(root.path().join(name), text).expect("a file");
    write("structure.sql", SCHEMA);
    write("change.sql", change);
    write("pgauntlet.toml", "[try]\nconditions = [\"calm\"]\n");
    let mut command = try_in(root.path());
    command.args(["change.sql", "--rows", "items=2k", "--rows", "tasks=1k"]);
    outcome(command)
}

#[rstest]
#[case::an_index_of_that_name(
    "CREATE INDEX CONCURRENTLY IF NOT EXISTS items_by ON items (name, price);",
    "already-there"
)]
#[case::a_column_of_that_name(
    "ALTER TABLE items ADD COLUMN IF NOT EXISTS price numeric(10,2) NOT NULL DEFAULT 0;",
    "price is integer"
)]
#[case::a_table_of_that_name(
    "CREATE TABLE IF NOT EXISTS items (id uuid PRIMARY KEY, name text NOT NULL);",
    "id is bigint"
)]
#[case::what_a_function_made(
    "CREATE OR REPLACE FUNCTION code(text) RETURNS text LANGUAGE sql IMMUTABLE AS\n\
     $$ SELECT upper($1) $$;",
    "is kept in column public.items.code"
)]
#[case::a_block_that_catches_everything(
    "DO $$ BEGIN ALTER TABLE items ADD CONSTRAINT f FOREIGN KEY (price) REFERENCES items (name);\n\
     EXCEPTION WHEN OTHERS THEN NULL; END $$;",
    "goes on after any error"
)]
#[case::a_view_before_a_table_with_row_security(
    "BEGIN;\nALTER TABLE tasks RENAME TO tasks_v1;\nCREATE VIEW tasks AS TABLE tasks_v1;\n\
     GRANT SELECT, INSERT, UPDATE, DELETE ON tasks TO PUBLIC;\nCOMMIT;",
    "the row security of table public.tasks binds nobody"
)]
#[case::a_policy_that_is_none(
    "CREATE POLICY all_of_them ON tasks FOR SELECT USING (true);",
    "may see more rows than before"
)]
#[case::a_table_that_a_crash_empties("ALTER TABLE items SET UNLOGGED;", "not kept as before")]
#[case::a_table_that_nothing_vacuums(
    "ALTER TABLE items SET (autovacuum_enabled = false);",
    "not kept as before"
)]
#[test]
fn what_was_not_done_as_it_is_said_is_unproven(#[case] change: &str, #[case] words: &str) {
    let (code, said) = tried(change);
    assert!(said.contains("UNPROVEN") && said.contains(words), "no {words} in {said}");
    assert_eq!(code, 3, "{said}");
}

#[test]
fn one_moment_for_all_rows_to_come_is_unsafe() {
    let (code, said) = tried("ALTER TABLE items ALTER added_at SET DEFAULT 'now'::timestamptz;");
    assert!(said.contains("one and the same value") && code == 1, "{said}");
}

#[rstest]
#[case::the_same_is_there(
    "CREATE INDEX CONCURRENTLY IF NOT EXISTS items_by ON public.items USING btree (name);\n\
     ALTER TABLE items ADD COLUMN IF NOT EXISTS price int4;\n\
     ALTER TABLE items ADD COLUMN IF NOT EXISTS note varchar(20);"
)]
#[case::a_moment_of_each_row("ALTER TABLE items ALTER added_at SET DEFAULT clock_timestamp();")]
#[case::a_block_that_did_something(
    "DO $$ BEGIN ALTER TABLE items ADD COLUMN note text; EXCEPTION WHEN OTHERS THEN NULL; END $$;"
)]
#[case::a_policy_for_another_role(
    "CREATE POLICY reports ON tasks FOR SELECT TO pg_monitor USING (true);"
)]
#[case::a_trigger_that_stamps_each_row(
    "CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS\n\
     $$ BEGIN NEW.added_at := now(); RETURN NEW; END $$;\n\
     CREATE TRIGGER stamped BEFORE INSERT OR UPDATE ON items FOR EACH ROW EXECUTE FUNCTION stamp();"
)]
#[test]
fn what_was_done_as_it_is_said_is_safe(#[case] change: &str) {
    let (code, said) = tried(change);
    assert!(said.contains("SAFE") && code == 0, "{said}");
}
