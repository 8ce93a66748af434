//! Liquibase's formatted SQL: which changesets there are, in which order, and how they are run.

use pgauntlet::history::{AttemptEnd, Source};
use pgauntlet::scenario::{Change, Recognised, Tool};
use rstest::rstest;

use crate::migrated::Trial;
use crate::migration_directories::{Files, read, told};

const HEADER: &str = "--liquibase formatted sql\n";
const FORMATTED: &str = "--liquibase formatted sql

--changeset ann:1
--comment: the table; of users
CREATE TABLE t (a int);
INSERT INTO t VALUES (1); INSERT INTO t VALUES (2);
--rollback DROP TABLE t;

-- changeset \"Ann B\":\"2 b\" runInTransaction:false
CREATE INDEX CONCURRENTLY i ON t (a);
/* liquibase rollback
DROP INDEX i;
*/
--changeset ann:3 splitStatements:false stripComments:false
CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$ SELECT 1; $$;
COMMENT ON FUNCTION f() IS 'x';
--changeset ann:4 endDelimiter:/
CREATE FUNCTION g() RETURNS int LANGUAGE sql AS $$ SELECT 1; $$
/
--changeset ann:5 dbms:mysql
CREATE TABLE only_mysql (a int);
--changeset ann:6 dbms:postgresql,h2 context:\"prod or test\" labels:x
CREATE TABLE ${name} (a int);
--changeset ann:7 ignore:true
SELECT 7;
--ignoreLines:1
SELECT 8;
--ignoreLines:start
SELECT 9;
--ignoreLines:end
--changeset ann:8 runInTransaction:false splitStatements:false
SELECT 10;
SELECT 11;
--property name:name value:named
";
const MASTER: &str = "databaseChangeLog:
  # by hand
  - include:
      file: changes/b.sql
      relativeToChangelogFile: true
  - includeAll: {path: db/more/, relativeToChangelogFile: false}
";
const XML: &str = "<?xml version='1.0'?>
<databaseChangeLog xmlns=\"http://www.liquibase.org/xml/ns/dbchangelog\">
  <!-- <include file='none.sql'/> -->
  <property name=\"a\" value=\"5\"/>
  <preConditions><dbms type=\"postgresql\"/></preConditions>
  <includeAll path=\"more\"
      relativeToChangelogFile=\"true\"/>
</databaseChangeLog>
";

#[rstest]
#[case::formatted(
    &[("1_a.sql", FORMATTED)],
    &["1_a.sql::1::ann in-tx 5:CREATE TABLE t (a int) | 6:INSERT INTO t VALUES (1) | \
        6:INSERT INTO t VALUES (2)",
        "1_a.sql::2 b::Ann B no-tx 10:CREATE INDEX CONCURRENTLY i ON t (a)",
        "1_a.sql::3::ann in-tx 15:CREATE FUNCTION f() RETURNS int LANGUAGE sql AS \
            $$ SELECT 1; $$ | 16:COMMENT ON FUNCTION f() IS 'x'",
        "1_a.sql::4::ann in-tx 18:CREATE FUNCTION g() RETURNS int LANGUAGE sql AS \
            $$ SELECT 1; $$",
        "1_a.sql::6::ann in-tx 23:CREATE TABLE named (a int)",
        "1_a.sql::8::ann no-tx 32:SELECT 10;\nSELECT 11"]
)]
#[case::without_a_changelog(
    &[("b.sql", "--liquibase formatted sql\n--changeset a:1\nSELECT 2;"),
        ("a/z.sql", "SELECT 0;\nSELECT 1;"), ("c.sql", "--liquibase formatted sql\n"),
        (".old/x.sql", "SELECT 9;")],
    &["a/z.sql::raw::includeAll in-tx 1:SELECT 0 | 2:SELECT 1", "b.sql::1::a in-tx 3:SELECT 2"]
)]
#[case::yaml(
    &[(".git/HEAD", ""), ("db/master.yaml", MASTER), ("db/more/y.sql", "SELECT 3;"),
        ("db/more/a/x.sql", "SELECT 2;"), ("db/changes/b.sql", "SELECT 1;"),
        ("db/changes/c.sql", "SELECT 9;"), ("changes.sql", "SELECT 9;"),
        ("liquibase.properties", "changelog-file: db/master.yaml\n")],
    &["db/changes/b.sql::raw::includeAll in-tx 1:SELECT 1",
        "db/more/a/x.sql::raw::includeAll in-tx 1:SELECT 2",
        "db/more/y.sql::raw::includeAll in-tx 1:SELECT 3"]
)]
#[case::xml(
    &[("changelog.xml", XML), ("more/2.sql", "SELECT ${a};"), ("more/README.md", ""),
        ("more/10.json", r#"{"databaseChangeLog":[{"include":{"file":"x.sql",
            "relativeToChangelogFile":true}}]}"#),
        ("more/x.sql", "SELECT 1;")],
    &["more/x.sql::raw::includeAll in-tx 1:SELECT 1",
        "more/2.sql::raw::includeAll in-tx 1:SELECT 5"]
)]
fn changesets_are_read_as_liquibase_reads_them(
    #[case] files: Files<'_>,
    #[case] expected: &[&str],
) {
    let migrations = read(Tool::Liquibase, files).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(told(&migrations), expected);
    let recognised = read(None, files).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(told(&recognised), expected);
}

/// What Liquibase refuses, what only it can run, and what is not read here.
const REFUSED: &[Files<'static>] = &[
    &[("a.xml", "<databaseChangeLog>\n <changeSet id=\"1\" author=\"a\">\n  <createTable/>")],
    &[("a.yaml", "databaseChangeLog:\n- changeSet:\n    id: 1\n    changes: []\n")],
    &[("a.json", r#"{"databaseChangeLog":[{"changeSet":{"id":"1"}}]}"#)],
    &[("a.json", r#"{"databaseChangeLog":{}}"#)],
    &[("a.yaml", "databaseChangeLog:\n- include:\n    file: none.sql\n")],
    &[("a.yaml", "databaseChangeLog:\n- includeAll:\n    path: .\n    filter: x\n")],
    &[
        ("a.yaml", "databaseChangeLog:\n- include: {file: 1.sql}\n"),
        ("b.yaml", "databaseChangeLog:\n- include: {file: 1.sql}\n"),
        ("1.sql", "SELECT 1;"),
    ],
    &[("a.sql", "--liquibase formatted sql\nSELECT 1;\n--changeset a:1\nSELECT 1;\n")],
    &[("a.sql", "--liquibase formatted sql\n--changeset a 1\nSELECT 1;\n")],
    &[("a.sql", "--liquibase formatted sql\n--changeset a:1\n--changeset a:2\nSELECT 1;\n")],
    &[(
        "a.sql",
        "--liquibase formatted sql\n--changeset a:1\nSELECT 1;\n--changeset a:1\nSELECT 2;",
    )],
    &[("a.sql", "--liquibase formatted sql\n--changeset a:1 runInTransation:false\nVACUUM;\n")],
    &[("a.sql", "--liquibase formatted sql\n--changeset a:1 runInTransaction:no\nVACUUM;\n")],
    &[("a.sql", "--liquibase formatted sql\n--changeset a:1 failOnError:false\nSELECT 1;\n")],
    &[("a.sql", "--liquibase formatted sql\n--changeset a:1 runWith:psql\nSELECT 1;\n")],
    &[("a.sql", "--liquibase formatted sql\n--changeset a:1 endDelimiter:[;/]\nSELECT 1;\n")],
    &[(
        "a.sql",
        "--liquibase formatted sql\n--changeset a:1\nDO $$ BEGIN IF true THEN NULL; \
        END IF; NULL; END $$;\n",
    )],
    &[("a.sql", "--liquibase formatted sql\n--changeset a:1\n- rollback none\nSELECT 1;\n")],
    &[("a.sql", "--liquibase formatted sql\n--changeset a:1\n--precondition-x y\nSELECT 1;\n")],
    &[(
        "a.sql",
        "--liquibase formatted sql\n--changeset a:1\n--preconditions onFail:STOP\nSELECT 1;",
    )],
    &[("a.sql", "--liquibase formatted sql\n--changeset a:1\nSELECT ${a};\n")],
    &[("a.sql", "--liquibase formatted sql\n--changeset a:1\nSELECT 1;\n-- +goose Down\n")],
];

#[test]
fn what_only_liquibase_can_run_is_refused_with_its_place_and_a_remedy() {
    let refused = REFUSED.iter().map(|files| {
        let problems = read(Tool::Liquibase, files).expect_err(&format!("a problem of {files:?}"));
        assert!(problems.lines().all(|line| line.contains("; ")), "no remedy: {problems}");
        problems
    });
    insta::assert_snapshot!(refused.collect::<Vec<_>>().join("\n"));
}

fn change(files: Files<'_>) -> Change {
    let migrations = read(Tool::Liquibase, files).unwrap_or_else(|problems| panic!("{problems}"));
    Change::of_tool(Recognised { tool: Tool::Liquibase, by: None }, migrations)
}

/// What the runner sends, with the files' statements marked.
fn sent(trial: &Trial) -> Vec<String> {
    let one = |text: &str, source: &Source| match source {
        Source::File { .. } => format!("file: {text}"),
        _ => text.split([' ', '(']).next().unwrap_or_default().to_owned(),
    };
    trial.traces().iter().map(|(began, _)| one(&began.text, &began.source)).collect()
}

#[tokio::test]
async fn a_changeset_is_one_transaction_and_its_row_another() {
    let trial = Trial::with("SELECT 1").await;
    let text = format!(
        "{HEADER}--changeset a:1\nCREATE TABLE t (a int);\nSELECT 1;\n\
        --changeset a:2 runInTransaction:false\nVACUUM t;\n"
    );
    let end = trial.apply(&change(&[("x.sql", &text)]), 0).await;
    assert_eq!(end, AttemptEnd::Finished { applied: Some(2) });
    let rows = trial
        .text(
            "SELECT pg_catalog.string_agg(concat_ws(' ', orderexecuted, filename, id, author, \
             exectype), ', ' ORDER BY orderexecuted) FROM databasechangelog",
        )
        .await;
    assert_eq!(rows, "1 x.sql 1 a EXECUTED, 2 x.sql 2 a EXECUTED");
    let free = "SELECT pg_catalog.concat_ws(' ', id, locked, lockedby) FROM databasechangeloglock";
    assert_eq!(trial.text(free).await, "1 f");
    assert_eq!(
        sent(&trial),
        [
            "UPDATE",
            "BEGIN",
            "file: CREATE TABLE t (a int)",
            "file: SELECT 1",
            "COMMIT",
            "INSERT",
            "file: VACUUM t",
            "INSERT",
            "UPDATE"
        ]
    );
}

#[tokio::test]
async fn the_row_that_liquibase_wrote_with_another_path_counts() {
    let base = "CREATE TABLE databasechangelog (id varchar(255) NOT NULL, \
        author varchar(255) NOT NULL, filename varchar(255) NOT NULL, \
        dateexecuted timestamp NOT NULL, orderexecuted int NOT NULL, \
        exectype varchar(10) NOT NULL, \
        md5sum varchar(35), description varchar(255), comments varchar(255), tag varchar(255), \
        liquibase varchar(20), contexts varchar(255), labels varchar(255), \
        deployment_id varchar(10)); \
        INSERT INTO databasechangelog VALUES \
        ('1', 'a', 'db/changelog/x.sql', now(), 7, 'EXECUTED', '9:x', 'sql', '', NULL, '4.28.0')";
    let trial = Trial::with(base).await;
    let text = format!(
        "{HEADER}--changeset a:1\nSELECT 1/0;\n--changeset a:2 runAlways:true\nSELECT 2;\n"
    );
    let change = change(&[("x.sql", &text)]);
    for attempt in 0..2 {
        let end = trial.apply(&change, attempt).await;
        assert_eq!(end, AttemptEnd::Finished { applied: Some(1) }, "the second runs always");
    }
    let rows = "SELECT pg_catalog.string_agg(id, ',' ORDER BY id) FROM databasechangelog";
    assert_eq!(trial.text(rows).await, "1,2");
}

#[rstest]
#[case::holds("onFail:HALT", "0", Some(1), "EXECUTED")]
#[case::left_out("onFail:MARK_RAN", "1", Some(1), "MARK_RAN")]
#[case::left_out_this_time("onFail:CONTINUE onError:HALT", "1", Some(1), "")]
#[case::run_all_the_same("onFail:WARN", "1", Some(1), "EXECUTED")]
#[case::halts("", "1", None, "")]
#[tokio::test]
async fn a_precondition_is_asked_before_its_changeset(
    #[case] rule: &str,
    #[case] expected: &str,
    #[case] applied: Option<u32>,
    #[case] how: &str,
) {
    let trial = Trial::with("CREATE TABLE t (a int)").await;
    let text = format!(
        "{HEADER}--changeset a:1\n--preconditions {rule}\n\
         --precondition-sql-check expectedResult:{expected} SELECT count(*) FROM t\n\
         --precondition-table-exists table:t\nINSERT INTO t VALUES (1);\n"
    );
    match trial.apply(&change(&[("x.sql", &text)]), 0).await {
        AttemptEnd::Finished { applied: found } => assert_eq!(found, applied),
        AttemptEnd::Failed { error, .. } => {
            assert_eq!(applied, None);
            let message = "the precondition SELECT count(*) FROM t gives 0, not 1";
            assert_eq!(error.message, message);
        }
        end => panic!("{end:?}"),
    }
    let found = "SELECT coalesce(min(exectype), '') FROM databasechangelog";
    assert_eq!(trial.text(found).await, how);
    let rows = "SELECT pg_catalog.count(*)::text FROM t";
    assert_eq!(trial.text(rows).await == "1", how == "EXECUTED");
}

#[tokio::test]
async fn the_lock_of_a_session_that_is_gone_is_taken() {
    let trial = Trial::with("SELECT 1").await;
    let text = format!("{HEADER}--changeset a:1\nSELECT 1;\n");
    let change = change(&[("x.sql", &text)]);
    pgauntlet::migrate::prepare(&trial.address, &change).await.expect("tables");
    let taken = "UPDATE databasechangeloglock SET locked = true, lockedby = '1 since long'";
    trial.session().await.batch(taken).await.expect("a lock");
    assert_eq!(trial.apply(&change, 0).await, AttemptEnd::Finished { applied: Some(1) });
}
