//! Directories that a migration tool owns: whose they are, and what is read of them.

use std::fs;
use std::path::Path;

use pgauntlet::scenario::{self, Migration, Tool, read_migrations};
use proptest::prelude::*;
use rstest::rstest;
use tempfile::TempDir;

use crate::migration_readers::{NODE_PG_MIGRATE, ONE_ENTRY};

pub type Files<'a> = &'a [(&'a str, &'a str)];

fn write(files: Files<'_>) -> TempDir {
    let dir = tempfile::tempdir().expect("a temporary directory");
    for (name, text) in files {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        fs::write(path, text).expect("a file");
    }
    dir
}

pub fn read(tool: impl Into<Option<Tool>>, files: Files<'_>) -> Result<Vec<Migration>, String> {
    let dir = write(files);
    let shown = |text: String| {
        let text = text.replace(&format!("{}/", dir.path().display()), "");
        text.replace(&dir.path().display().to_string(), "DIR")
    };
    let found = read_migrations(dir.path(), tool.into()).map(|read| read.migrations);
    found.map_err(|problems| {
        let lines: Vec<String> = problems.iter().map(|p| shown(p.to_string())).collect();
        lines.join("\n")
    })
}

/// `version transaction line:statement | line:statement`
pub fn told(migrations: &[Migration]) -> Vec<String> {
    let one = |m: &Migration| {
        let statement = |s: &scenario::Statement| format!("{}:{}", s.line, s.text);
        let statements: Vec<String> = m.script.statements.iter().map(statement).collect();
        let rule = match m.transaction {
            Some(true) => "in-tx",
            Some(false) => "no-tx",
            None => "all-tx",
        };
        format!("{} {rule} {}", m.version, statements.join(" | "))
    };
    migrations.iter().map(one).collect()
}

#[rstest]
#[case::sqlx(
    Tool::Sqlx,
    &[("10_c.sql", "SELECT 10;"), ("0002_b.up.sql", "-- no-transaction\nSELECT 2;"),
        ("0002_b.down.sql", "SELECT -2;"), ("1_a.sql", "\nSELECT 1;\n\nSELECT 11;"),
        ("README.md", "x"), ("seed.sql", "not for sqlx")],
    &["1 in-tx 2:SELECT 1 | 4:SELECT 11", "2 no-tx 2:SELECT 2", "10 in-tx 1:SELECT 10"]
)]
#[case::flyway(
    Tool::Flyway,
    &[("R__b_view.sql", "SELECT 8;"), ("R__a_view.sql", "SELECT 9;"),
        ("sub/V2__c.sql", "SELECT 2;"), ("V10__d.sql", "SELECT 10;"), ("V1__a.sql", "SELECT 1;"),
        ("V1_1__b.sql", "SELECT 11;"), ("U1__a.sql", "SELECT -1;"), ("B9__x.sql", "SELECT 0;"),
        (".old/V3__x.sql", "SELECT 3;"), ("afterClean.sql", "SELECT 0;"), ("notes.txt", "")],
    &["1 in-tx 1:SELECT 1", "1.1 in-tx 1:SELECT 11", "2 in-tx 1:SELECT 2", "10 in-tx 1:SELECT 10",
        "R__a_view in-tx 1:SELECT 9", "R__b_view in-tx 1:SELECT 8"]
)]
#[case::plain(
    Tool::Plain,
    &[("003_c.sql", "-- atlas:txmode none\nSELECT 3;\n\\echo done\n"),
        ("001_a.sql", "BEGIN;\nSELECT 1;\nCOMMIT;"), ("002_b.up.sql", "VACUUM t;"),
        ("002_b.down.sql", "SELECT -2;"), ("schema.sql", "SELECT 0;")],
    &["001_a no-tx 1:BEGIN | 2:SELECT 1 | 3:COMMIT", "002_b.up no-tx 1:VACUUM t",
        "003_c no-tx 2:SELECT 3"]
)]
#[case::flyway_outside_a_transaction(
    Tool::Flyway,
    &[("V1__a.sql", "CREATE INDEX CONCURRENTLY i ON t (a);\nVACUUM t;"),
        ("V2__b.sql", "REINDEX INDEX CONCURRENTLY i;"),
        ("V3__c.sql", "SELECT 3;\nVACUUM t;"),
        ("V3__c.sql.conf", "# own\nexecuteInTransaction=false\n"),
        ("V4__d.sql", "SELECT '${x}';"), ("V4__d.sql.conf", "placeholderReplacement=false"),
        ("V5__e.sql", "SELECT 5;"), ("V5__e.sql.conf", "shouldExecute=false")],
    &["1 no-tx 1:CREATE INDEX CONCURRENTLY i ON t (a) | 2:VACUUM t",
        "2 in-tx 1:REINDEX INDEX CONCURRENTLY i", "3 no-tx 1:SELECT 3 | 2:VACUUM t",
        "4 in-tx 1:SELECT '${x}'"]
)]
#[case::dbmate(
    Tool::Dbmate,
    &[("2_b.sql", "-- why\n\n-- migrate:up\nSELECT 2;\n-- migrate:down\nSELECT -2;\n"),
        ("10_a.sql", "--migrate:up transaction:false\nSELECT 10;\n-- migrate:down\n"),
        ("schema.sql", "no number"), ("20_b.txt", "no SQL")],
    &["10 no-tx 2:SELECT 10", "2 in-tx 4:SELECT 2"]
)]
#[case::after_commit(
    Tool::GolangMigrate,
    &[("1_a.up.sql", "BEGIN;\nSELECT 1;\nCOMMIT;\nSELECT 2;\nSELECT 3;\n"),
        ("2_b.up.sql", "SELECT 1;\nCOMMIT;\nCREATE INDEX CONCURRENTLY i ON t (a);\n"),
        ("3_c.up.sql", "BEGIN;\nSELECT 1;\nCOMMIT;\nSELECT 2;\nBEGIN; SELECT 3; COMMIT"),
        ("4_d.up.sql", "BEGIN;\nPREPARE TRANSACTION 'x';\nSELECT 2;\nSELECT 3;\nBEGIN;")],
    &["1 no-tx 1:BEGIN | 2:SELECT 1 | 3:COMMIT;\nSELECT 2;\nSELECT 3",
        "2 in-tx 1:SELECT 1 | 2:COMMIT;\nCREATE INDEX CONCURRENTLY i ON t (a)",
        "3 no-tx 1:BEGIN | 2:SELECT 1 | 3:COMMIT | 4:SELECT 2 | 5:BEGIN | 5:SELECT 3 | 5:COMMIT",
        "4 no-tx 1:BEGIN | 2:PREPARE TRANSACTION 'x';\nSELECT 2;\nSELECT 3 | 5:BEGIN"]
)]
#[case::goose(
    Tool::Goose,
    &[("00010_b.sql", "-- +goose NO TRANSACTION\n-- +goose up\nSELECT 10;\n"),
        ("00002_a.sql", "-- +goose Up\nSELECT 1; SELECT 2;\n\n-- about it\nSELECT\n  3;\n\
            -- +goose StatementBegin\nSELECT 4;\nSELECT 5;\n-- +goose StatementEnd\n\
            -- +goose Down\nSELECT -1;\n"),
        ("main.go", ""), ("1_x_test.go", "")],
    &["2 in-tx 2:SELECT 1; SELECT 2 | 5:SELECT\n  3 | 8:SELECT 4;\nSELECT 5",
        "10 no-tx 3:SELECT 10"]
)]
#[case::golang_migrate(
    Tool::GolangMigrate,
    &[("10_c.up.sql", "BEGIN;\nSELECT 1;\nCOMMIT;"), ("2_b.up.sql", "SELECT 2;"),
        ("2_b.down.sql", "SELECT -2;"), ("1_a.up.sql", "SELECT 1;\nSELECT 11;"),
        ("3_empty.up.sql", ""), ("4_plain.sql", "no direction")],
    &["1 in-tx 1:SELECT 1 | 2:SELECT 11", "2 no-tx 1:SELECT 2", "3 no-tx ",
        "10 no-tx 1:BEGIN | 2:SELECT 1 | 3:COMMIT"]
)]
#[case::diesel(
    Tool::Diesel,
    &[("2024-01-02-000000_b/up.sql", "-- two\nSELECT 2;"),
        ("2024-01-02-000000_b/metadata.toml", "run_in_transaction = false"),
        ("2024-01-02-000000_b/down.sql", "SELECT -2;"), ("00000000000000_a/up.sql", "SELECT 1;"),
        ("20240103_c/up.sql", "SELECT 3;"), ("20240103_c/metadata.toml", "note = 'x'"),
        (".keep/x", ""), ("README.md", "")],
    &["00000000000000 in-tx 1:SELECT 1", "20240102000000 no-tx 2:SELECT 2",
        "20240103 no-tx 1:SELECT 3"]
)]
#[case::refinery(
    Tool::Refinery,
    &[("V10__c.sql", "SELECT 10;"), ("V1__a.sql", "SELECT 1;\nSELECT 11;"),
        ("more/U2__b.sql", "-- why\n-- refinery:noTransaction\nSELECT 2;"), ("mod.rs", "")],
    &["1 in-tx 1:SELECT 1 | 2:SELECT 11", "2 no-tx 3:SELECT 2", "10 in-tx 1:SELECT 10"]
)]
fn files_are_read_in_the_tools_order_with_its_versions_and_transactions(
    #[case] tool: Tool,
    #[case] files: Files<'_>,
    #[case] expected: &[&str],
) {
    let migrations = read(tool, files).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(told(&migrations), expected);
}

#[test]
fn several_statements_of_one_message_are_one_transaction_though_nothing_marks_it() {
    let sql = "-- no-transaction\nSELECT 1;\nSELECT 2;";
    let migrations = read(Tool::Sqlx, &[("1_a.sql", sql)]).expect("a migration");
    assert_eq!(told(&migrations), ["1 in-tx 2:SELECT 1 | 3:SELECT 2"]);
}

const SQLX_CRATE: &str = "[dependencies]\ndb = { package = 'sqlx', version = '0.8' }";
const GOLANG_MODULE: &str = "require (\n\tgithub.com/golang-migrate/migrate/v4 v4.18.1\n)";
const DBMATE: &str = "-- migrate:up\nSELECT 1;\n-- migrate:down\n";

#[rstest]
#[case(Tool::Sqlx, &[("1_a.sql", "SELECT 1;"), ("Cargo.toml", SQLX_CRATE)])]
#[case(Tool::Sqlx, &[("1_a.sql", "SELECT 1;"), ("sqlx.toml", "")])]
#[case(Tool::Sqlx, &[("1_a.sql", "-- no-transaction\nSELECT 1;")])]
#[case(Tool::Sqlx, &[("1_a.up.sql", "-- no-transaction\nSELECT 1;"), ("1_a.down.sql", "")])]
#[case(Tool::GolangMigrate, &[("1_a.up.sql", "SELECT 1;"), ("go.mod", GOLANG_MODULE)])]
#[case(Tool::Flyway, &[("V1__a.sql", "SELECT 1;"), ("R__b.sql", "SELECT 1;")])]
#[case(Tool::Flyway, &[("V1.1__a.sql", "SELECT 1;")])]
#[case(Tool::Flyway, &[("V1__a.sql", "SELECT 1;"), ("V1__a.sql.conf", "shouldExecute=true")])]
#[case(Tool::Dbmate, &[("1_a.sql", DBMATE)])]
#[case(Tool::Goose, &[("1_a.sql", "-- +goose Up\nSELECT 1;\n")])]
#[case(Tool::Diesel, &[("1_a/up.sql", "SELECT 1;"), ("diesel.toml", "")])]
#[case(Tool::Diesel, &[("00000000000000_diesel_initial_setup/up.sql", "SELECT 1;")])]
#[case(Tool::Flyway, &[("V1__a.sql", "SELECT 1;"), ("pom.xml", "<a>flyway-core</a>")])]
#[case(Tool::Refinery, &[("V1__a.sql", "-- refinery:noTransaction\nSELECT 1;")])]
#[case(Tool::Refinery, &[("V1__a.sql", "SELECT 1;"), ("U2__b.sql", "SELECT 1;")])]
fn a_directory_says_whose_it_is(#[case] tool: Tool, #[case] files: Files<'_>) {
    let recognised = read(None, files).unwrap_or_else(|problems| panic!("{problems}"));
    let named = read(tool, files).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(told(&recognised), told(&named));
}

#[test]
fn a_naming_of_several_tools_is_refused_with_them_and_what_decides() {
    let directories: [Files<'_>; 7] = [
        &[("1_a.sql", "SELECT 1;")],
        &[("V1__a.sql", "SELECT 1;")],
        &[("1_a.up.sql", "SELECT 1;"), ("1_a.down.sql", "SELECT 1;")],
        &[("1_a/up.sql", "SELECT 1;")],
        &[("1_a/migration.sql", "SELECT 1;")],
        &[("1_a.sql", DBMATE), ("2_b.sql", "-- +goose Up\nSELECT 1;")],
        &[("0001_initial.py", "")],
    ];
    let told = directories.map(|files| read(None, files).expect_err("no one tool"));
    insta::assert_snapshot!(told.join("\n"));
}

/// What is left of each tool's own project that only looks like another's, one case per tool.
const OTHERS: &[(&str, Files<'static>)] = &[
    ("rambler", &[("1_a.sql", "-- rambler up\nSELECT 1;\n-- rambler down\nSELECT 2;\n")]),
    ("node-pg-migrate", &[("1_a.ts", ""), ("package.json", NODE_PG_MIGRATE)]),
    ("MyBatis Migrations", &[("1_a.sql", "SELECT 1;\n-- //@UNDO\nSELECT 2;\n")]),
    ("yoyo", &[("0001_a.sql", "SELECT 1;"), ("0001_a.rollback.sql", "SELECT 2;")]),
    ("db-migrate", &[("1_a-up.sql", "SELECT 1;"), ("1_a-down.sql", "SELECT 2;")]),
    ("Bun", &[("1_a.tx.up.sql", "SELECT 1;"), ("1_a.tx.down.sql", "SELECT 2;")]),
    ("Hasura", &[("1_a/up.sql", "SELECT 1;"), ("config.yaml", "metadata_directory: metadata")]),
    ("Alembic", &[("1_a.py", ""), ("alembic.ini", "")]),
    ("Django", &[("0001_initial.py", ""), ("manage.py", "")]),
];

#[test]
fn a_directory_of_a_tool_that_is_not_read_is_refused_with_its_name_and_command() {
    for (tool, files) in OTHERS {
        let told = read(None, files).expect_err(tool);
        assert!(told.contains(&format!("its files are {tool}'s (")), "{told}");
        assert!(told.contains("run the tool itself: --command '"), "{told}");
    }
}

#[test]
fn the_nearest_part_of_a_repository_says_whose_directory_it_is() {
    let files: Files<'_> = &[
        (".git/HEAD", ""),
        ("Cargo.toml", SQLX_CRATE),
        ("service/package.json", r#"{"dependencies":{"node-pg-migrate":"7"}}"#),
        ("service/migrations/1_a.sql", "SELECT 1;"),
        ("app/migrations/1_a.sql", "SELECT 1;"),
    ];
    let dir = write(files);
    let found = |below: &str| read_migrations(&dir.path().join(below), None);
    let own = found("app/migrations").expect("sqlx's").recognised;
    assert_eq!(own.tool, Tool::Sqlx);
    assert!(own.by.expect("a sign").ends_with("Cargo.toml: sqlx"));
    let others = found("service/migrations").expect("node-pg-migrate's").recognised;
    assert_eq!(others.tool, Tool::NodePgMigrate);
}

#[test]
fn a_member_of_a_workspace_says_it_for_the_workspace() {
    let files: Files<'_> = &[
        (".git/HEAD", ""),
        ("Cargo.toml", "[workspace]\nmembers = ['crates/*']\n"),
        ("crates/db/Cargo.toml", SQLX_CRATE),
        ("migrations/1_a.sql", "SELECT 1;"),
    ];
    let dir = write(files);
    let found = read_migrations(&dir.path().join("migrations"), None).expect("sqlx's");
    assert_eq!(found.recognised.tool, Tool::Sqlx);
}

#[test]
fn what_lies_outside_the_repository_says_nothing() {
    let files: Files<'_> =
        &[("Cargo.toml", SQLX_CRATE), ("repo/.git/HEAD", ""), ("repo/m/1_a.sql", "SELECT 1;")];
    let dir = write(files);
    let told = read_migrations(&dir.path().join("repo/m"), None).expect_err("no sign");
    assert!(told[0].message.contains("is not known"), "{}", told[0]);
}

#[test]
fn another_tools_marker_is_an_error_with_its_line_though_the_tool_is_named() {
    let down = [
        "-- +goose Down",
        "-- +migrate Down",
        "-- migrate:down",
        "-- Down Migration",
        "-- rambler down",
        "---- create above / drop below ----",
        "-- atlas:txmode none",
        "-- down",
        "-- +micrate Down",
        "/* down */",
        "-- Down (drops it)",
    ];
    let told = down.map(|line| {
        let text = format!("ALTER TABLE t ADD b int;\n{line}\nALTER TABLE t DROP b;\n");
        let told = read(Tool::Sqlx, &[("1_a.sql", &text)]).expect_err(line);
        assert!(told.starts_with("1_a.sql:2:1: "), "{told}");
        told
    });
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn a_comment_that_says_down_is_a_comment_where_the_tools_own_marker_begins_that_part() {
    let file = |line: &str| format!("-- +goose Up\nSELECT 1;\n-- +goose Down\n{line}\nSELECT 2;\n");
    read(Tool::Goose, &[("1_a.sql", &file("-- rollback"))]).expect("goose's own parts");
    let told = read(Tool::Goose, &[("1_a.sql", &file("-- +micrate Down"))]).expect_err("another's");
    assert!(told.starts_with("1_a.sql:4:1: `-- +micrate Down` is some tool's"), "{told}");
    let told = read(Tool::Tern, &[("1_a.sql", "SELECT 1;\n-- down\nSELECT 2;\n")]);
    assert!(told.expect_err("a down part").contains("begins a down part"));
    let told = read(Tool::Dbmate, &[("1_a.sql", "-- migrate:up\nSELECT 1;\n-- down\nSELECT 2;\n")]);
    assert!(told.expect_err("a down part").contains("begins a down part"));
}

#[test]
fn plain_files_whose_order_or_part_is_not_known_are_refused() {
    let told = read(Tool::Plain, &[("9_a.sql", "SELECT 1;"), ("10_b.sql", "SELECT 2;")]);
    let told = told.expect_err("two orders");
    assert!(told.contains("10_b.sql: it follows 9_a.sql by its number"), "{told}");
    let told = read(Tool::Plain, &[("1_a.sql", "SELECT 1;\n-- migrate:down\nSELECT 2;\n")]);
    let told = told.expect_err("two parts");
    assert!(told.contains("as plain SQL, all parts of the file would run"), "{told}");
    let told = read(Tool::Plain, &[("a.sql", "SELECT 1;")]).expect_err("no number");
    assert!(told.contains("is named 001_name.sql"), "{told}");
    let told = read(None, &[("001_a.sql", "SELECT 1;")]).expect_err("never recognised");
    assert!(told.contains("--tool plain"), "{told}");
}

#[test]
fn a_down_part_is_not_run_with_a_plain_file() {
    let dir = write(&[
        ("goose.sql", "-- +goose Up\nSELECT 1;\n-- +goose Down\nSELECT 2;\n"),
        ("plain.sql", "SELECT 1;\n-- Down\nSELECT 2;\n"),
        ("drizzle.sql", "SELECT 1;\n--> statement-breakpoint\nSELECT 2;\n"),
        ("good.sql", "-- takes it down for a moment\nSELECT 1;\n"),
    ]);
    let read = |name: &str, says: bool| scenario::read_migration_file(&dir.path().join(name), says);
    for says in [false, true] {
        assert_eq!(read("goose.sql", says).expect_err("two parts").len(), 2);
        let plain = read("plain.sql", says).expect_err("two parts");
        assert_eq!(plain[0].line, Some(2), "{}", plain[0]);
        assert!(read("good.sql", says).is_ok());
    }
    assert!(read("drizzle.sql", false).is_err(), "Drizzle's transaction is another");
    assert!(read("drizzle.sql", true).is_ok(), "the user has said which");
}

#[test]
fn a_down_part_is_not_run_with_a_scenarios_list_of_files() {
    let files: Files<'_> = &[("1.sql", "SELECT 1;\n-- migrate:down\nSELECT 2;\n")];
    let change = "[change]\n[[change.migration]]\nversion = '1'\nfile = '1.sql'\n";
    let told = load(change, files).expect_err("two parts");
    assert!(told.starts_with("1.sql:2:1: `-- migrate:down` is dbmate's"), "{told}");
}

#[test]
fn a_directory_of_no_tool_is_told_with_what_was_looked_for() {
    let absent = read_migrations(Path::new("/nowhere/migrations"), None).expect_err("nothing");
    let told = [
        read(None, &[("seed.sql", "SELECT 1;")]).expect_err("no tool"),
        read(Tool::Goose, &[("a.txt", "")]).expect_err("nothing"),
        read(Tool::Flyway, &[("V1__a.sql", "-- later\n")]).expect_err("nothing"),
        absent[0].to_string(),
    ];
    insta::assert_snapshot!(told.join("\n"));
}

/// What each tool refuses, or what cannot be run as the tool would.
const REFUSED: &[(Tool, Files<'static>)] = &[
    (Tool::Sqlx, &[("one_a.sql", "SELECT 1;")]),
    (Tool::Sqlx, &[("1_a.sql", "SELECT 1;"), ("01_b.sql", "SELECT 1;")]),
    (Tool::Sqlx, &[("1_a.sql", "SELECT 1;\n\\gexec\n")]),
    (Tool::Sqlx, &[("1_a.sql", "SELECT 1;\n\nSELECT 'it;\n")]),
    (Tool::GolangMigrate, &[("1_a.up.sql", "SELECT 1;"), ("2_b.down.sql", "SELECT 1;")]),
    (Tool::GolangMigrate, &[("1_a.up.sql", "SELECT 1;"), ("2_b.up.json", "{}")]),
    (Tool::Flyway, &[("V1__a.sql", "SELECT 1;\n\nCREATE INDEX CONCURRENTLY i\n ON t (a);")]),
    (Tool::Flyway, &[("V1__a.sql", "SELECT 1;"), ("V1.0__b.sql", "SELECT 1;")]),
    (Tool::Flyway, &[("V1_a.sql", "SELECT 1;")]),
    (
        Tool::Flyway,
        &[("V1__a.sql", "SELECT 1;"), ("beforeMigrate.sql", "SET lock_timeout = '1s';")],
    ),
    (Tool::Flyway, &[("V1__a.sql", "\nSELECT '${name}';")]),
    (
        Tool::Flyway,
        &[("V1__a.sql", "SELECT 1;"), ("V1__a.sql.conf", "# x\nexecuteInTransaction=no\n")],
    ),
    (Tool::Dbmate, &[("1_a.sql", "SELECT 1;\n-- migrate:down\n")]),
    (Tool::Dbmate, &[("1_a.sql", "-- migrate:up\nSELECT 1;\n")]),
    (
        Tool::Dbmate,
        &[("1_a.sql", "-- why\nSELECT 0;\n-- migrate:up\nSELECT 1;\n-- migrate:down\n")],
    ),
    (
        Tool::Dbmate,
        &[("1_a.sql", "-- migrate:up transactions:false\nSELECT 1;\n-- migrate:down\n")],
    ),
    (Tool::Dbmate, &[("1_a.sql", "-- migrate:up\nSELECT 1;\n-- migrate:undo\n")]),
    (
        Tool::Dbmate,
        &[("1_a.sql", "-- migrate:up\nSELECT 1;\n-- migrate:down\n-- migrate:up\nSELECT 2;\n")],
    ),
    (Tool::Dbmate, &[("1_a.sql", DBMATE), ("1_b.sql", DBMATE)]),
    (Tool::Goose, &[("1_a.sql", "SELECT 1;\n")]),
    (Tool::Goose, &[("1_a.sql", "-- later\n")]),
    (Tool::Goose, &[("1_a.sql", "-- +goose Up\n-- +goose NO TRANSACTIONS\nSELECT 1;\n")]),
    (Tool::Goose, &[("1_a.sql", " -- +goose Up\nSELECT 1;\n")]),
    (Tool::Goose, &[("1_a.sql", "-- +goose Up\n-- +goose ENVSUB ON\nSELECT '${X}';\n")]),
    (Tool::Goose, &[("1_a.sql", "-- +goose Up\nDO $$\nBEGIN\n PERFORM 1;\nEND $$;\n")]),
    (Tool::Goose, &[("1_a.sql", "-- +goose Up\nSELECT 1\n-- +goose Down\n")]),
    (Tool::Goose, &[("1_a.sql", "-- +goose Up\n-- +goose StatementBegin\nSELECT 1;\n")]),
    (Tool::Goose, &[("1_a.sql", "-- +goose Up\nSELECT 1;\n"), ("2_b.go", "package x")]),
    (Tool::Goose, &[("a.sql", "-- +goose Up\nSELECT 1;\n")]),
    (Tool::Diesel, &[("1_a/up.sql", "SELECT 1;"), ("2_b/down.sql", "SELECT 1;")]),
    (
        Tool::Diesel,
        &[("1_a/up.sql", "SELECT 1;"), ("1_a/metadata.toml", "\nrun_in_transaction = 'no'")],
    ),
    (Tool::Diesel, &[("2024-01_a/up.sql", "SELECT 1;"), ("202401_b/up.sql", "SELECT 1;")]),
    (Tool::Refinery, &[("V1.1__a.sql", "SELECT 1;")]),
    (Tool::Refinery, &[("V1__a.sql", "SELECT 1;"), ("V2__b.rs", "")]),
    (Tool::Refinery, &[("V1__a.sql", "SELECT 1;"), ("U1__b.sql", "SELECT 1;")]),
];

#[test]
fn what_the_tool_refuses_is_told_with_its_place_and_a_remedy() {
    let refused = REFUSED.iter().map(|(tool, files)| {
        let problems = read(*tool, files).expect_err(&format!("a problem of {tool}'s {files:?}"));
        let says_what_to_do = |line: &str| line.contains("; ") || line.contains("never ends");
        assert!(problems.lines().all(says_what_to_do), "no remedy: {problems}");
        format!("{tool} {problems}")
    });
    insta::assert_snapshot!(refused.collect::<Vec<_>>().join("\n"));
}

/// Lines that tools look at, and what may come between them.
fn soup() -> impl Strategy<Value = String> {
    let lines = prop::sample::select(vec![
        "-- migrate:up transaction:false\n",
        "-- migrate:down\n",
        "-- +goose Up\n",
        "-- +goose Down\n",
        "-- +goose StatementBegin\n",
        "-- +goose StatementEnd\n",
        "-- no-transaction\n",
        "-- Up Migration\n",
        "-- Down Migration\n",
        "--> statement-breakpoint\n",
        "-- +migrate Up notransaction\n",
        "-- +migrate StatementBegin\n",
        "---- create above / drop below ----\n",
        "-- atlas:txmode none\n",
        "-- refinery:noTransaction\n",
        "SELECT 1;\n",
        "VACUUM; ",
        "BEGIN;",
        "COMMIT;\n",
        "DO $$ü;\n$$",
        "'",
        "${",
        "\r\n",
        "run_in_transaction = \"",
    ]);
    prop::collection::vec(lines, 0..12).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn whatever_a_file_holds_it_is_read_or_told(a in soup(), b in soup()) {
        let (a, b) = (a.as_str(), b.as_str());
        let files: Files<'_> = &[("1_a.sql", a), ("2_b.up.sql", b), ("V1__a.sql", a),
            ("V1__a.sql.conf", b), ("3_c/up.sql", a), ("3_c/metadata.toml", b),
            ("3_c/migration.sql", b), ("0000_a.sql", b), ("meta/_journal.json", ONE_ENTRY)];
        for tool in Tool::ALL {
            match read(tool, files) {
                Ok(migrations) => prop_assert!(!migrations.is_empty()),
                Err(problems) => prop_assert!(!problems.is_empty()),
            }
        }
    }
}

/// A scenario whose change is this section.
fn load(change: &str, files: Files<'_>) -> Result<scenario::Scenario, String> {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let dir = dir.path().join("orders");
    let scenario = format!(
        "analysis = 'x'\n[schema]\ntables = 's.sql'\n[[table]]\nname = 't'\nrows = 10\n\
         [traffic]\nrate_per_s = 10\n[[operation]]\nname = 'o'\nweight = 1\nsql = 'SELECT 1'\n\
         [expect]\nverdict = 'safe'\n{change}"
    );
    for (name, text) in [("scenario.toml", scenario.as_str()), ("s.sql", "CREATE TABLE t (a int);")]
        .iter()
        .chain(files)
    {
        let path = dir.join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        fs::write(path, text).expect("a file");
    }
    scenario::load(&dir)
        .map(|checked| checked.value)
        .map_err(|problems| scenario::render(&problems).replace(&format!("{}/", dir.display()), ""))
}

#[test]
fn a_scenario_names_a_directory_in_place_of_files() {
    let files: Files<'_> = &[("m/V1__a.sql", "SELECT 1;"), ("m/V2__b.sql", "VACUUM;")];
    let change = "[change]\nmigrations = 'm'\ntool = 'flyway'\nrerun_attempts = 2\n";
    let scenario = load(change, files).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(told(&scenario.change.migrations), ["1 in-tx 1:SELECT 1", "2 no-tx 1:VACUUM"]);
    let versions = scenario.change.versions.as_ref().expect("the runner's own table");
    assert_eq!(versions.table, "flyway_schema_history");
    assert_eq!(scenario.change.rerun_attempts, 2);
}

#[test]
fn what_is_wrong_with_a_scenarios_directory_is_told_where_it_is_named_or_in_its_files() {
    let files: Files<'_> = &[("m/V1__a.sql", "SELECT 1;"), ("n/1_a.sql", "SELECT FROM WHERE")];
    let sections = [
        "migrations = 'm'\n",
        "migrations = 'x'\n",
        "migrations = 'n'\n",
        "migrations = 'm'\ntool = 'flywya'\n",
        "migrations = 'm'\ntool = 'flyway'\ntransaction = 'single'\n\
         [[change.migration]]\nversion = '1'\nfile = 's.sql'\n",
        "tool = 'flyway'\n[[change.migration]]\nversion = '1'\nfile = 's.sql'\n",
    ];
    let told = |section: &str| load(&format!("[change]\n{section}"), files).expect_err(section);
    insta::assert_snapshot!(sections.map(told).join("\n"));
}
