//! Statements that the parser does not know: the server decides on them, so they are accepted and
//! remarked on. What cannot be cut into statements is refused.

use pgauntlet::pg::facts::facts;
use pgauntlet::pg::syntax::{Kind, errors};
use pgauntlet::scenario::{Tool, read_migrations};
use rstest::rstest;

use crate::example::{Files, example, load, notices};

/// What PostgreSQL takes and the parser does not know.
const UNKNOWN: &[&str] = &[
    "ALTER USER MAPPING FOR user SERVER s OPTIONS (SET password 'x')",
    "ALTER STATISTICS IF EXISTS orders_stat SET STATISTICS 100",
    "SET NAMES 'UTF8'",
];

fn with_migration(text: &str) -> Files {
    let mut files = example();
    files.insert("migration.sql".to_owned(), text.to_owned());
    files
}

#[test]
fn what_the_parser_does_not_know_is_a_notice_with_its_place() {
    for sql in UNKNOWN {
        assert!(!errors(sql).is_empty(), "the parser knows it by now: {sql}");
        let files = with_migration(&format!("SELECT 1;\n{sql};\n"));
        let scenario = load(&files).unwrap_or_else(|problems| panic!("{problems}"));
        assert_eq!(scenario.change.migrations[0].script.statements[1].text, *sql);
        let shown = notices(&files);
        assert!(shown.starts_with("migration.sql:2:"), "{shown}");
        assert!(shown.contains("notice: the parser does not know this statement"), "{shown}");
    }
    assert_eq!(notices(&with_migration("SELECT 1;\n")), "");
}

#[rstest]
#[case::migration("migration.sql", "CREATE INDEX ON orders (id)", "CREATE INDEX ON ON orders (id)")]
#[case::operation("scenario.toml", "INSERT INTO orders", "INSERT INTO INTO orders")]
#[case::schema("schema.sql", "CREATE TABLE", "SELEC 1;\nCREATE TABLE")]
fn a_typo_is_a_notice_wherever_it_is(#[case] file: &str, #[case] right: &str, #[case] wrong: &str) {
    let mut files = example();
    let text = files[file].clone();
    let changed = match text.contains(right) {
        true => text.replacen(right, wrong, 1),
        false => format!("{wrong};\n"),
    };
    files.insert(file.to_owned(), changed);
    load(&files).unwrap_or_else(|problems| panic!("{problems}"));
    let shown = notices(&files);
    assert!(shown.starts_with(&format!("{file}:")), "{shown}");
    assert_eq!(shown.matches("notice: ").count(), 1, "{shown}");
}

#[test]
fn of_what_the_parser_does_not_know_nothing_is_assumed() {
    for sql in UNKNOWN.iter().filter(|sql| !sql.starts_with("SET")) {
        let known = facts(sql);
        let [statement] = known.statements.as_slice() else { panic!("{sql}: {known:?}") };
        assert_eq!((&statement.kind, &statement.locks), (&Kind::Other, &None), "{sql}");
    }
}

#[rstest]
#[case::text("SELECT 1;\nSELECT 'it;\n", "migration.sql:2:1: a string constant begins here")]
#[case::dollar("\nDO $x$ BEGIN", "migration.sql:2:1: a dollar-quoted string begins here")]
#[case::comment("/* x\nSELECT 1;", "migration.sql:1:1: a comment /* begins here")]
fn what_cannot_be_cut_into_statements_is_refused(#[case] text: &str, #[case] expected: &str) {
    let problems = load(&with_migration(text)).expect_err("no end");
    assert!(problems.starts_with(expected), "{problems}");
}

#[rstest]
#[case::sqlx(Tool::Sqlx, "1_a.sql", "SELECT 1;\nALTER USER MAPPING FOR user SERVER s;\n", 2)]
#[case::flyway(Tool::Flyway, "V1__a.sql", "SELEC 1;\n", 1)]
#[case::goose(Tool::Goose, "1_a.sql", "-- +goose Up\nSELECT 1; COMMIT; SELEC 2;\n", 2)]
fn every_tools_reader_leaves_it_to_the_server(
    #[case] tool: Tool,
    #[case] name: &str,
    #[case] text: &str,
    #[case] line: u32,
) {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join(name), text).unwrap();
    let read = read_migrations(directory.path(), Some(tool)).expect("migrations");
    assert_eq!(read.migrations.len(), 1);
    let places: Vec<_> = read.notices.iter().map(|notice| notice.line).collect();
    assert_eq!(places, [Some(line)], "{:?}", read.notices);
}
