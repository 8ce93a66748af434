//! What a tool sends for its files, seen through the tap, is what its reader says.

use std::collections::BTreeMap;

use pgauntlet::history::{AttemptEnd, TransactionStatus};
use pgauntlet::pg::split;
use pgauntlet::scenario::{Change, Command, Recognised, RunsAs, Tool, read_migrations};
use rstest::rstest;

use crate::migrated::Trial;
use crate::migration_directories::Files;
use crate::toolbox;

const DRIZZLE: &str = r#"
const { drizzle } = require("drizzle-orm/node-postgres");
const { migrate } = require("drizzle-orm/node-postgres/migrator");
const { Client } = require("pg");
(async () => {
  const client = new Client({ connectionString: process.env.DATABASE_URL });
  await client.connect();
  await migrate(drizzle(client), { migrationsFolder: "migrations" });
  await client.end();
})().catch((error) => { console.error(error); process.exit(1); });
"#;
const JOURNAL: &str = r#"{"version":"7","dialect":"postgresql","entries":[
    {"idx":0,"version":"7","when":1700000000000,"tag":"0000_z","breakpoints":true},
    {"idx":1,"version":"7","when":1700000000001,"tag":"0001_b","breakpoints":true}]}"#;

#[rstest]
#[case::drizzle(
    Tool::Drizzle,
    "node migrate.cjs",
    &[("migrate.cjs", DRIZZLE), ("migrations/meta/_journal.json", JOURNAL),
        ("migrations/0000_z.sql",
            "CREATE TABLE of_a (a int);--> statement-breakpoint\nCREATE INDEX of_a_a ON of_a (a);"),
        ("migrations/0001_b.sql", "CREATE TABLE of_b (a int); CREATE TABLE of_c (a int);")]
)]
#[case::drizzle_after_commit(
    Tool::Drizzle,
    "node migrate.cjs",
    &[("migrate.cjs", DRIZZLE), ("migrations/meta/_journal.json", JOURNAL),
        ("migrations/0000_z.sql", "CREATE TABLE of_a (a int);"),
        ("migrations/0001_b.sql",
            "COMMIT;--> statement-breakpoint\nCREATE INDEX CONCURRENTLY of_a_a ON of_a (a);")]
)]
#[case::node_pg_migrate(
    Tool::NodePgMigrate,
    "node-pg-migrate up -m migrations",
    &[("migrations/1700000000000_a.sql",
            "-- Up Migration\nCREATE TABLE of_a (a int);\nCREATE INDEX of_a_a ON of_a (a);\n\
             -- Down Migration\nDROP TABLE of_a;\n"),
        ("migrations/1700000000001_b.sql", "-- Up Migration\nCREATE TABLE of_b (a int);\n")]
)]
#[tokio::test]
async fn the_tool_sends_what_its_reader_says(
    #[case] tool: Tool,
    #[case] line: &str,
    #[case] files: Files<'_>,
) {
    let project = tempfile::tempdir().expect("a directory");
    for (name, text) in files {
        let path = project.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
        std::fs::write(path, text).expect("a file");
    }
    let modules = toolbox::tools().join("node/node_modules").display().to_string();
    let environment =
        BTreeMap::from([("PATH".to_owned(), toolbox::path()), ("NODE_PATH".to_owned(), modules)]);
    let directory = project.path().to_owned();
    let command = Command { line: line.to_owned(), requires: Vec::new(), directory, environment };
    let itself = Change {
        command: Some(command),
        versions: None,
        runs_as: RunsAs::Superuser,
        ..Change::of(Vec::new())
    };
    let read = read_migrations(&project.path().join("migrations"), Some(tool)).expect("files");
    let read = Change::of_tool(Recognised { tool, by: None }, read.migrations);
    let read = Change { runs_as: RunsAs::Superuser, ..read };
    assert_eq!(sent(&itself).await, sent(&read).await);
}

/// The files' statements, the rows of versions, and the transactions around them.
async fn sent(change: &Change) -> Vec<String> {
    let trial = Trial::with("SELECT 1").await;
    let end = trial.apply(change, 0).await;
    assert!(matches!(end, AttemptEnd::Finished { .. }), "{end:?}");
    let mut found: Vec<String> = Vec::new();
    for (began, _) in trial.traces() {
        for piece in split(&began.text).expect("SQL that splits") {
            let text = piece.text.split_whitespace().collect::<Vec<_>>().join(" ");
            let text = text.trim_end_matches(';').to_owned();
            let upper = text.to_ascii_uppercase();
            match upper.split(' ').next().unwrap_or_default() {
                "BEGIN" | "START" => found.push("BEGIN".to_owned()),
                // After a file that left it there is no transaction to commit.
                "COMMIT" if began.transaction != TransactionStatus::InTransaction => {}
                // One around nothing of the change is the tool's own.
                "COMMIT" if found.last().is_some_and(|last| last == "BEGIN") => drop(found.pop()),
                "COMMIT" => found.push("COMMIT".to_owned()),
                "INSERT" if upper.contains("MIGRATIONS") => found.push("row".to_owned()),
                _ if text.contains("of_") => found.push(text),
                _ => {}
            }
        }
    }
    assert!(found.iter().filter(|line| *line == "row").count() == 2, "{found:?}");
    found
}
