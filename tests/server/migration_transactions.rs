//! Directories that a migration tool owns, run by the built-in runner: the transactions are those
//! of the tool.

use pgauntlet::clock::Clock;
use pgauntlet::connect::Session;
use pgauntlet::history::{AttemptEnd, Recorder, silent};
use pgauntlet::migrate;
use pgauntlet::scenario::{Change, Migration, Recognised, Sizes, Tool};
use rstest::rstest;

use crate::common;
use crate::migrated::Trial;
use crate::migration_directories::{Files, read};
use crate::migration_readers::JOURNAL;

const INDEX: &str = "CREATE INDEX CONCURRENTLY i ON t (a);\n";

/// The files, and whether the index may be built.
#[rstest]
#[case::sqlx(Tool::Sqlx, "2_i.sql", "-- no-transaction\n@", "@")]
#[case::sqlx_several(
    Tool::Sqlx,
    "2_i.sql",
    "-- no-transaction\n@",
    "-- no-transaction\nSELECT 1;@"
)]
#[case::dbmate(
    Tool::Dbmate,
    "2_i.sql",
    "-- migrate:up transaction:false\n@-- migrate:down\n",
    "-- migrate:up\n@-- migrate:down\n"
)]
#[case::goose(
    Tool::Goose,
    "2_i.sql",
    "-- +goose NO TRANSACTION\n-- +goose Up\nSET lock_timeout = 0;\n@",
    "-- +goose Up\n@"
)]
#[case::golang_migrate(Tool::GolangMigrate, "2_i.up.sql", "@", "SELECT 1;\n@")]
#[case::diesel(Tool::Diesel, "2_i/up.sql", "@", "@")]
#[case::refinery(Tool::Refinery, "V2__i.sql", "-- refinery:noTransaction\n@", "@")]
#[case::flyway(Tool::Flyway, "V2__i.sql", "@", "@")]
#[case::prisma(Tool::Prisma, "2_i/migration.sql", "@", "SELECT 1;\n@")]
#[case::drizzle(Tool::Drizzle, "0001_b.sql", "COMMIT;--> statement-breakpoint\n@", "@")]
#[case::sql_migrate(
    Tool::SqlMigrate,
    "2_i.sql",
    "-- +migrate Up notransaction\n@",
    "-- +migrate Up\n@"
)]
#[case::tern(Tool::Tern, "2_i.sql", "---- tern: disable-tx ----\nSELECT 1;\n@", "@")]
#[case::atlas(Tool::Atlas, "2_i.sql", "-- atlas:txmode none\n\nSELECT 1;\n@", "@")]
#[case::liquibase(
    Tool::Liquibase,
    "2_i.sql",
    "--liquibase formatted sql\n--changeset a:2 runInTransaction:false\nSELECT 1;\n@",
    "--liquibase formatted sql\n--changeset a:2\n@"
)]
#[case::supabase(Tool::Supabase, "2_i.sql", "SELECT 1;\n@SELECT 2;", "SELECT 1;\n@")]
#[tokio::test]
async fn an_index_is_built_concurrently_only_where_the_tool_is_told_of_it(
    #[case] tool: Tool,
    #[case] name: &str,
    #[case] marked: &str,
    #[case] unmarked: &str,
) {
    for (text, is_marked) in [(marked, true), (unmarked, false)] {
        let text = text.replace('@', INDEX);
        let (first, table) = first(tool);
        let mut files = vec![(first, table), (name, text.as_str())];
        match (tool, is_marked) {
            (Tool::Diesel, true) => {
                files.push(("2_i/metadata.toml", "run_in_transaction = false"));
            }
            // Flyway sees by itself that the statement needs none.
            (Tool::Flyway, false) => files.push(("V2__i.sql.conf", "executeInTransaction=true")),
            (Tool::Drizzle, _) => files.push(("meta/_journal.json", JOURNAL)),
            // Known to run it alone from 2.109 on.
            (Tool::Supabase, false) => {
                files.push(("package.json", r#"{"devDependencies":{"supabase":"2.108.1"}}"#));
            }
            _ => {}
        }
        let migrations = read(tool, &files).unwrap_or_else(|problems| panic!("{problems}"));
        let end = apply(tool, migrations).await;
        match is_marked {
            true => assert_eq!(end, AttemptEnd::Finished { applied: Some(2) }, "{text}"),
            false => assert_eq!(sqlstate(&end), Some("25001"), "{text}: {end:?}"),
        }
    }
}

fn first(tool: Tool) -> (&'static str, &'static str) {
    const TABLE: &str = "CREATE TABLE t (a int);\nINSERT INTO t VALUES (1);\n";
    match tool {
        Tool::Sqlx => ("1_t.sql", TABLE),
        Tool::Flyway | Tool::Refinery => ("V1__t.sql", TABLE),
        Tool::Dbmate => (
            "1_t.sql",
            "-- migrate:up\nCREATE TABLE t (a int);\nINSERT INTO t VALUES (1);\n-- migrate:down\n",
        ),
        Tool::Goose => {
            ("1_t.sql", "-- +goose Up\nCREATE TABLE t (a int);\nINSERT INTO t VALUES (1);\n")
        }
        Tool::GolangMigrate => ("1_t.up.sql", TABLE),
        Tool::Diesel => ("1_t/up.sql", TABLE),
        Tool::Prisma => ("1_t/migration.sql", TABLE),
        Tool::Drizzle => ("0000_z.sql", TABLE),
        Tool::Supabase
        | Tool::NodePgMigrate
        | Tool::Tern
        | Tool::Atlas
        | Tool::Liquibase
        | Tool::Plain => ("1_t.sql", TABLE),
        Tool::SqlMigrate => {
            ("1_t.sql", "-- +migrate Up\nCREATE TABLE t (a int);\nINSERT INTO t VALUES (1);\n")
        }
    }
}

#[rstest]
#[case::drizzle(
    Tool::Drizzle,
    &[("meta/_journal.json", JOURNAL), ("0000_z.sql", "CREATE TABLE t (a int);"),
        ("0001_b.sql", "SELECT 1/0;")]
)]
#[case::node_pg_migrate(
    Tool::NodePgMigrate,
    &[("1_a.sql", "CREATE TABLE t (a int);"), ("2_b.sql", "SELECT 1/0;")]
)]
#[tokio::test]
async fn all_pending_files_are_one_transaction(#[case] tool: Tool, #[case] files: Files<'_>) {
    let migrations = read(tool, files).unwrap_or_else(|problems| panic!("{problems}"));
    let trial = Trial::with("SELECT 1").await;
    let recognised = Recognised { tool, by: None };
    let change = Change::of_tool(recognised.clone(), migrations.clone());
    let end = trial.apply(&change, 0).await;
    assert_eq!(sqlstate(&end), Some("22012"), "{end:?}");
    let first = Change::of_tool(recognised, vec![migrations[0].clone()]);
    assert_eq!(trial.apply(&first, 1).await, AttemptEnd::Finished { applied: Some(1) });
    assert_eq!(trial.apply(&first, 2).await, AttemptEnd::Finished { applied: Some(0) });
}

async fn apply(tool: Tool, migrations: Vec<Migration>) -> AttemptEnd {
    let address = common::fresh_database().await;
    let change = Change::of_tool(Recognised { tool, by: None }, migrations);
    let (recorder, sizes) = (Recorder::in_memory(Clock::start()), Sizes::default());
    let setup = migrate::ApplySetup {
        address: &address,
        change_address: &address,
        change: &change,
        declared: &sizes,
        sizes: &sizes,
        recorder: &recorder,
        listener: &silent(),
        faults: &[],
        pooled: None,
        output: None,
    };
    migrate::prepare(&address, &change).await.expect("a version table");
    let end = migrate::apply(&setup, 0).await.expect("an end");
    let session = Session::open(&address, "test", &Default::default()).await.expect("a session");
    let valid = "SELECT count(*) FROM pg_index WHERE indisvalid \
                 AND indexrelid = to_regclass('i')";
    let row = session.client().query_one(valid, &[]).await.expect("a row");
    let built: i64 = row.get(0);
    assert_eq!(built == 1, matches!(end, AttemptEnd::Finished { .. }), "{end:?}");
    end
}

fn sqlstate(end: &AttemptEnd) -> Option<&str> {
    match end {
        AttemptEnd::Failed { error, .. } => error.sqlstate.as_ref().map(|s| s.code()),
        _ => None,
    }
}
