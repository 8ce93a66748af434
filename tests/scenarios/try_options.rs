//! What the options of `try` decide, and what it says of what they leave out.

use std::fs;
use std::path::Path;

use pgauntlet::result::ResultFile;
use pgauntlet::trial::Axis;
use rstest::rstest;
use tempfile::TempDir;

use crate::own::{outcome, project, try_in};

const SCHEMA: &str = "\
CREATE ROLE migrator;
CREATE TABLE orders (id bigint PRIMARY KEY, status text NOT NULL);
CREATE TABLE refuses (id bigint PRIMARY KEY, never text NOT NULL CHECK (false));
GRANT CREATE, USAGE ON SCHEMA public TO migrator;
";

const CALM: &str = "[try]\nconditions = [\"calm\"]\nrate = 40\n";
/// It gives up by its own lock_timeout behind a session that stays, and a retry succeeds.
const GIVES_UP: &str = "SET lock_timeout = '300ms';\nALTER TABLE orders ADD COLUMN note text;";
const BEHIND_A_WRITER: &str = "[try]\nconditions = [\"idle-in-transaction\"]\nrate = 40\n";
const OF_NO_ROWS: &str = "ALTER TABLE refuses ADD COLUMN note text;";

fn with_schema(change: &str, toml: &str) -> TempDir {
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
    command.args(arguments);
    outcome(command)
}

#[rstest]
#[case::bounded(GIVES_UP, BEHIND_A_WRITER, "BOUNDED", [1, 1, 0])]
#[case::unproven(OF_NO_ROWS, CALM, "UNPROVEN", [3, 0, 0])]
#[test]
fn the_exit_code_is_that_of_the_verdict_from_which_on_it_fails(
    #[case] change: &str,
    #[case] toml: &str,
    #[case] verdict: &str,
    #[case] codes: [i32; 3],
) {
    let root = with_schema(change, toml);
    for (fail_on, code) in ["unproven", "bounded", "unsafe"].into_iter().zip(codes) {
        let (ended, said) =
            tried(root.path(), &["change.sql", "--rows", "orders=2k", "--fail-on", fail_on]);
        assert!(said.contains(verdict), "{said}");
        assert_eq!(ended, code, "--fail-on {fail_on}: {said}");
    }
}

#[test]
fn a_change_that_runs_as_a_role_of_its_own_has_that_roles_privileges_and_no_more() {
    let root = with_schema(
        "CREATE TABLE archive (id bigint PRIMARY KEY);\nALTER TABLE orders ADD COLUMN note text;",
        &format!("role = \"migrator\"\n{CALM}"),
    );
    fs::write(
        root.path().join("structure.sql"),
        format!("{SCHEMA}CREATE ROLE owner;\nALTER TABLE orders OWNER TO owner;\n"),
    )
    .expect("a file");
    let (code, said) = tried(root.path(), &["change.sql", "--rows", "orders=2k"]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("UNSAFE") && said.contains("42501"), "{said}");
    assert!(said.contains("must be owner of table orders"), "{said}");
}

#[test]
fn what_a_quick_budget_leaves_out_is_said() {
    let root = with_schema("COMMENT ON TABLE orders IS 'of the shop';", CALM);
    let (_, said) = tried(root.path(), &["change.sql", "--rows", "orders=2k"]);
    let left_out = "not injected: --quick leaves them out; --thorough injects all kinds";
    assert!(said.contains(left_out), "{said}");
    assert!(said.contains("not tried"), "{said}");
}

/// Faults are left out by --quick: whether the comment accepts anything is not known.
#[test]
fn a_comment_that_may_be_about_faults_is_no_mistake_where_none_were_injected() {
    let change = "-- migration-unsafe-ack: nothing interrupts it\n\
                  COMMENT ON TABLE orders IS 'of the shop';";
    let root = with_schema(change, CALM);
    let (code, said) = tried(root.path(), &["change.sql", "--rows", "orders=2k"]);
    assert!(said.contains("whether there is anything to accept is not known"), "{said}");
    // On a busy machine a trial may prove nothing.
    assert!([0, 3].contains(&code), "{said}");
}

#[rstest]
#[case::its_own("sqlx", 0, "as sqlx runs it")]
#[case::another("goose", 2, "goose")]
#[test]
fn the_named_tool_is_the_one_by_whose_rules_a_file_is_run(
    #[case] tool: &str,
    #[case] code: i32,
    #[case] words: &str,
) {
    let root = project("sqlx", "bad");
    let file = "migrations/20240301000000_note.sql";
    let (ended, said) = tried(root.path(), &[file, "--tool", tool, "--dry-run"]);
    assert_eq!(ended, code, "{said}");
    assert!(said.contains(words), "{said}");
}

#[test]
fn a_tool_is_not_named_for_a_file_outside_its_directory() {
    let root = project("plain", "bad");
    let (ended, said) = tried(root.path(), &["change.sql", "--tool", "sqlx", "--dry-run"]);
    assert_eq!(ended, 2, "{said}");
}

/// `transaction_timeout` is known from 17 on. `try_in` names 15 already.
#[test]
fn a_change_that_only_some_majors_take_is_tried_on_each_and_what_differs_is_said() {
    let change = "SET transaction_timeout = '5s';\nALTER TABLE orders ADD COLUMN note text;";
    let root = with_schema(change, CALM);
    let out = root.path().join("out");
    let out = out.to_str().expect("a path");
    let arguments = ["change.sql", "--rows", "orders=2k", "--pg", "18", "--out", out];
    let (code, said) = tried(root.path(), &arguments);
    assert_eq!(code, 1, "{said}");
    let differ = "majors differ: PostgreSQL 15: unsafe (change-failed, rerun-failed); 18: ";
    assert!(said.contains(differ), "{said}");
    let result = ResultFile::read(Path::new(out)).expect("a result");
    assert!(result.finished && result.answers);
    let servers: Vec<&str> =
        result.trials.iter().filter_map(|j| j.trial.key.get(&Axis::SERVER)).collect();
    assert_eq!(servers, ["15", "18"]);
    for planned in &result.planned.trials {
        let history = Path::new(out).join(&planned.path).join("history.jsonl");
        assert!(history.is_file(), "{}", history.display());
    }
}

#[rstest]
#[case::one_that_is_missing(&["--pg", "99", "--server", "local"], 4, "PostgreSQL 99")]
#[case::an_external_server(
    &["--pg", "18", "--server", "postgres://nobody@localhost:1/db"],
    2,
    "an external server is of one"
)]
#[test]
fn several_majors_that_cannot_be_had_are_an_error_before_anything_starts(
    #[case] arguments: &[&str],
    #[case] code: i32,
    #[case] words: &str,
) {
    let root = project("sqlx", "bad");
    let (ended, said) = tried(root.path(), arguments);
    assert!(said.contains(words) && !said.contains("holds for"), "{said}");
    assert_eq!(ended, code, "{said}");
}
