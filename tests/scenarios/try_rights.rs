//! Whose rights a function and a view use, through `try`: the application's role is not known
//! unless it is named.

use std::fs;

use rstest::rstest;

use crate::own::{outcome, try_in};

const SCHEMA: &str = "\
CREATE ROLE app;
CREATE TABLE orders (id bigserial PRIMARY KEY, status text NOT NULL);
CREATE TABLE audit (id bigserial PRIMARY KEY, order_id bigint NOT NULL, at timestamptz NOT NULL);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS
    $$ BEGIN INSERT INTO audit (order_id, at) VALUES (NEW.id, now()); RETURN NEW; END $$;
CREATE TRIGGER noted AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION note();
CREATE FUNCTION note_update() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN INSERT INTO audit (order_id, at) VALUES (NEW.id, now()); RETURN NEW; END $$;
CREATE VIEW paid AS SELECT id FROM orders WHERE status = 'paid';
GRANT SELECT, INSERT, UPDATE, DELETE ON orders TO app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO app;
";

const UNNAMED: &str = "[try]\nconditions = [\"calm\"]\n";
const NAMED: &str = "[try]\nconditions = [\"calm\"]\n[pool]\nrole = \"app\"\n";
const AS_CALLER: &str = "ALTER FUNCTION note() SECURITY INVOKER;";

/// The exit code, and what is printed, on one line; `app`: the application's own statements.
fn tried(change: &str, toml: &str, app: &str) -> (i32, String) {
    let root = tempfile::tempdir().expect("a directory");
    let write = |name: &str, text: &str| fs::write(root.path().join(name), text).expect("a file");
    write("structure.sql", SCHEMA);
    write("change.sql", change);
    write("pgauntlet.toml", toml);
    write("app.sql", app);
    let mut command = try_in(root.path());
    command.args(["change.sql", "--app", "app.sql", "--rows", "orders=2k", "--rows", "audit=500"]);
    outcome(command)
}

const WRITES: &str = "-- name: add\nINSERT INTO orders (status) VALUES (:status);\n\
                      -- name: pay\nUPDATE orders SET status = :status WHERE id = :id;\n";

/// The doubt about an operation that failed for want of a right that nobody named.
const REFUSED: &str = "may use only what its operations used before the change";

#[rstest]
#[case::a_function_of_a_trigger(AS_CALLER, WRITES, &[REFUSED, "access-changed"])]
#[case::made_anew(
    "CREATE OR REPLACE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS\n\
     $$ BEGIN INSERT INTO audit (order_id, at) VALUES (NEW.id, now()); RETURN NEW; END $$;",
    WRITES,
    &[REFUSED, "access-changed"]
)]
#[case::a_function_that_needs_what_operations_use(
    AS_CALLER,
    "-- name: add\nINSERT INTO orders (status) VALUES (:status);\n\
     -- name: look\nINSERT INTO audit (order_id, at) VALUES (:order_id, now());\n",
    &["access-changed", "used its owner's rights"]
)]
#[case::a_view(
    "ALTER VIEW paid SET (security_invoker = true);",
    "-- name: paid\nSELECT id FROM paid WHERE id = :id;\n",
    &[REFUSED, "access-changed"]
)]
#[case::a_new_trigger(
    "CREATE TRIGGER noted_update AFTER UPDATE ON orders FOR EACH ROW\n\
     EXECUTE FUNCTION note_update();",
    WRITES,
    &[REFUSED]
)]
#[test]
fn what_needs_rights_that_nobody_named_is_unproven(
    #[case] change: &str,
    #[case] app: &str,
    #[case] words: &[&str],
) {
    let (code, said) = tried(change, UNNAMED, app);
    assert!(said.contains("UNPROVEN") && words.iter().all(|word| said.contains(word)), "{said}");
    assert_eq!(code, 3, "{said}");
}

#[test]
fn a_role_that_has_not_the_rights_is_locked_out() {
    let (code, said) = tried(AS_CALLER, NAMED, WRITES);
    assert!(said.contains("permission denied for table audit"), "{said}");
    assert!(said.contains("UNSAFE") && code == 1, "{said}");
}

#[rstest]
#[case::other_properties("ALTER FUNCTION note() COST 200;", UNNAMED)]
#[case::the_role_has_them(
    "GRANT INSERT ON audit TO app;\nALTER FUNCTION note() SECURITY INVOKER;",
    NAMED
)]
#[test]
fn a_change_that_keeps_the_rights_is_safe(#[case] change: &str, #[case] toml: &str) {
    let (code, said) = tried(change, toml, WRITES);
    assert!(said.contains("SAFE") && code == 0, "{said}");
}
