//! Directories of the tools of JavaScript and Go: what is read of them, and what is refused.

use pgauntlet::scenario::Tool;
use rstest::rstest;

use crate::migration_directories::{Files, read, told};

pub const UP_AND_DOWN: &str = "-- Up Migration\nSELECT 1;\n-- Down Migration\nSELECT 2;\n";
pub const NODE_PG_MIGRATE: &str = r#"{"devDependencies":{"node-pg-migrate":"8"}}"#;
pub const SUPABASE: &str = "project_id = 'x'\n[db]\nport = 1\n";
pub const PRISMA_LOCK: &str = "# by hand\nprovider = \"postgresql\"\n";
pub const JOURNAL: &str = r#"{"version":"7","dialect":"postgresql","entries":[
    {"idx":0,"version":"7","when":1700000000000,"tag":"0000_z","breakpoints":true},
    {"idx":1,"version":"7","when":1700000000001,"tag":"0001_b","breakpoints":true}]}"#;
pub const ONE_ENTRY: &str = r#"{"entries":[{"idx":0,"when":1700000000000,"tag":"0000_a"}]}"#;

#[rstest]
#[case::prisma(
    Tool::Prisma,
    &[("20240102030405_b/migration.sql", "-- CreateIndex\nCREATE INDEX i ON t (a);\n"),
        ("20240101000000_a/migration.sql", "SELECT 1;\nSELECT 11;\n"),
        ("20240103000000_c/migration.sql", "BEGIN;\nSELECT 3;\nCOMMIT;\n"),
        ("20240104000000_d/migration.sql", "-- This is an empty migration."),
        ("migration_lock.toml", "provider = \"postgresql\"\n"), ("README.md", "")],
    &["20240101000000_a in-tx 1:SELECT 1 | 2:SELECT 11",
        "20240102030405_b no-tx 2:CREATE INDEX i ON t (a)",
        "20240103000000_c no-tx 1:BEGIN | 2:SELECT 3 | 3:COMMIT", "20240104000000_d no-tx "]
)]
#[case::prisma_from_7_4(
    Tool::Prisma,
    &[("1_a/migration.sql", "SELECT 1;\nCREATE INDEX CONCURRENTLY i ON t (a);"),
        ("package.json", r#"{"devDependencies":{"prisma":"~7.4.1"}}"#)],
    &["1_a no-tx 1:SELECT 1 | 2:CREATE INDEX CONCURRENTLY i ON t (a)"]
)]
#[case::prisma_up_to_7_3(
    Tool::Prisma,
    &[("1_a/migration.sql", "SELECT 1;\nSELECT 2;"),
        ("package.json", r#"{"dependencies":{"@prisma/client":"^7.0.0"}}"#),
        ("package-lock.json",
            r#"{"packages":{"node_modules/@prisma/client":{"version":"7.3.0"}}}"#)],
    &["1_a in-tx 1:SELECT 1 | 2:SELECT 2"]
)]
#[case::drizzle(
    Tool::Drizzle,
    &[("meta/_journal.json", JOURNAL),
        ("0001_b.sql", "SELECT 2;--> statement-breakpoint\nSELECT 3; SELECT 4;"),
        ("0000_z.sql", "SELECT 1;"), ("relations.ts", ""), ("meta/0000_snapshot.json", "{}")],
    &["1700000000000 all-tx 1:SELECT 1",
        "1700000000001 all-tx 1:SELECT 2 | 2:SELECT 3 | 2:SELECT 4"]
)]
#[case::drizzle_from_1_0(
    Tool::Drizzle,
    &[("20240102030405_b/migration.sql", "SELECT 2;--> statement-breakpoint\nSELECT 3;"),
        ("20240102030405_b/snapshot.json", "{}"), ("20231231235959_a/migration.sql", "SELECT 1;")],
    &["1704067199000 all-tx 1:SELECT 1", "1704164645000 all-tx 1:SELECT 2 | 2:SELECT 3"]
)]
#[case::drizzle_after_commit(
    Tool::Drizzle,
    &[("meta/_journal.json", JOURNAL), ("0000_z.sql", "SELECT 1;"),
        ("0001_b.sql", "COMMIT;\n--> statement-breakpoint\nSELECT 2; SELECT 3;\n\
            --> statement-breakpoint\nVACUUM t;--> statement-breakpoint\nBEGIN;")],
    &["1700000000000 all-tx 1:SELECT 1",
        "1700000000001 all-tx 1:COMMIT | 3:SELECT 2; SELECT 3 | 5:VACUUM t | 6:BEGIN"]
)]
#[case::supabase(
    Tool::Supabase,
    &[("20240102_b.sql", "SELECT 2;"), ("20240101_a.sql", "SELECT 1;\nSELECT 11;"),
        ("20240103_c.sql", "BEGIN;\nSELECT 3;\nCOMMIT;"), ("README.md", "")],
    &["20240101 in-tx 1:SELECT 1 | 2:SELECT 11", "20240102 in-tx 1:SELECT 2",
        "20240103 no-tx 1:BEGIN | 2:SELECT 3 | 3:COMMIT"]
)]
#[case::supabase_alone(
    Tool::Supabase,
    &[("1_a.sql", "CREATE INDEX CONCURRENTLY i ON t (a);"),
        ("2_b.sql", "SELECT 2;\nVACUUM t;\nVACUUM u;\nSELECT 3;"),
        ("3_c.sql", "VACUUM;\nSELECT 4;")],
    &["1 no-tx 1:CREATE INDEX CONCURRENTLY i ON t (a)",
        "2 in-tx 1:SELECT 2 | 2:COMMIT | 2:VACUUM t | 3:VACUUM u | 4:BEGIN | 4:SELECT 3",
        "3 in-tx 1:COMMIT | 1:VACUUM | 2:BEGIN | 2:SELECT 4"]
)]
#[case::supabase_up_to_2_108(
    Tool::Supabase,
    &[("1_a.sql", "SELECT 1;\nVACUUM t;"),
        ("package.json", r#"{"devDependencies":{"supabase":"2.108.0"}}"#)],
    &["1 in-tx 1:SELECT 1 | 2:VACUUM t"]
)]
#[case::node_pg_migrate(
    Tool::NodePgMigrate,
    &[("20140208163500256_c.sql", "SELECT 3;"), (".hidden.js", ""),
        ("1391877300255_b.sql", "-- Up Migration\nSELECT 2;\n\n-- Down Migration\nSELECT -2;\n"),
        ("1391877300254_a.sql", "---- DOWN migration\nSELECT -1;\n-- up migrations\nSELECT 1;\n\
            SELECT 11;")],
    &["1391877300254_a all-tx 4:SELECT 1 | 5:SELECT 11", "1391877300255_b all-tx 2:SELECT 2",
        "20140208163500256_c all-tx 1:SELECT 3"]
)]
#[case::sql_migrate(
    Tool::SqlMigrate,
    &[("2_b.sql", "-- +migrate Up notransaction\nVACUUM;\n-- +migrate Down\nSELECT -2;\n"),
        ("10_a.sql", "-- why\n-- +migrate Up\nSELECT 1; SELECT 2;\n-- +migrate StatementBegin\n\
            SELECT 4;\nSELECT 5;\n-- +migrate StatementEnd\n-- +migrate Down\n\
            -- +migrate StatementBegin\nSELECT -1;\n-- +migrate StatementEnd\n-- down: all\n"),
        ("x.sql", "-- +migrate Up\nSELECT 9;\n"), ("README.md", "")],
    &["2_b.sql no-tx 2:VACUUM", "10_a.sql in-tx 3:SELECT 1; SELECT 2 | 5:SELECT 4;\nSELECT 5",
        "x.sql in-tx 2:SELECT 9"]
)]
#[case::tern(
    Tool::Tern,
    &[("002_b.sql", "---- tern: disable-tx ----\nSELECT 2;\nVACUUM t;\n\n\
            ---- create above / drop below ----\n\nSELECT -2;\n"),
        ("001_a.sql", "SELECT 1;\nSELECT 11;"), ("tern.conf", ""), ("seed.sql", "not tern's")],
    &["1 in-tx 1:SELECT 1 | 2:SELECT 11", "2 no-tx 2:SELECT 2 | 3:VACUUM t"]
)]
#[case::atlas(
    Tool::Atlas,
    &[("20240102_b.sql", "-- atlas:txmode none\n\nVACUUM t;\nSELECT 2;\n"),
        ("20240101.sql", "-- create t\nSELECT 1;\n-- atlas:nolint\nSELECT 11;"),
        ("atlas.sum", "h1:x=\n20240101.sql h1:a=\n20240102_b.sql h1:b=\n")],
    &["20240101 in-tx 2:SELECT 1 | 4:SELECT 11", "20240102 no-tx 3:VACUUM t | 4:SELECT 2"]
)]
fn files_are_read_as_their_tool_reads_them(
    #[case] tool: Tool,
    #[case] files: Files<'_>,
    #[case] expected: &[&str],
) {
    let migrations = read(tool, files).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(told(&migrations), expected);
}

#[rstest]
#[case(Tool::Prisma, &[("1_a/migration.sql", "SELECT 1;"), ("migration_lock.toml", PRISMA_LOCK)])]
#[case(Tool::Prisma, &[("1_a/migration.sql", "SELECT 1;"), ("schema.prisma", "")])]
#[case(Tool::Drizzle, &[("0000_a.sql", "SELECT 1;"), ("meta/_journal.json", ONE_ENTRY)])]
#[case(Tool::Supabase, &[("1_a.sql", "SELECT 1;"), ("config.toml", SUPABASE)])]
#[case(Tool::NodePgMigrate, &[("1_a.sql", UP_AND_DOWN)])]
#[case(Tool::SqlMigrate, &[("1_a.sql", "-- +migrate Up\nSELECT 1;\n")])]
#[case(
    Tool::Tern,
    &[("001_a.sql", "SELECT 1;\n---- create above / drop below ----\nSELECT 2;\n")]
)]
#[case(Tool::Tern, &[("001_a.sql", "SELECT 1;\n"), ("tern.conf", "[database]\n")])]
#[case(Tool::Atlas, &[("1_a.sql", "SELECT 1;"), ("atlas.sum", "h1:x=\n1_a.sql h1:y=\n")])]
#[case(Tool::Atlas, &[("1_a.sql", "-- atlas:txmode none\n\nVACUUM;")])]
fn a_directory_is_recognised_as_its_tools(#[case] tool: Tool, #[case] files: Files<'_>) {
    let recognised = read(None, files).unwrap_or_else(|problems| panic!("{problems}"));
    let named = read(tool, files).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(told(&recognised), told(&named));
}

/// What each tool refuses, or what cannot be run as the tool would.
const REFUSED: &[(Tool, Files<'static>)] = &[
    (Tool::Prisma, &[("1_a/migration.sql", "SELECT 1;"), ("2_b/README.md", "")]),
    (
        Tool::Prisma,
        &[("1_a/migration.sql", "SELECT 1;"), ("migration_lock.toml", "provider = 'mysql'")],
    ),
    (Tool::Drizzle, &[("0000_a.sql", "SELECT 1;")]),
    (Tool::Drizzle, &[("1_a/migration.sql", "SELECT 1;"), ("1_a/snapshot.json", "{}")]),
    (
        Tool::Drizzle,
        &[
            ("20240101000000_a/migration.sql", "SELECT 1;"),
            ("20240101000000_b/migration.sql", "SELECT 1;"),
        ],
    ),
    (Tool::Drizzle, &[("0000_a.sql", "SELECT 1;"), ("meta/_journal.json", "{}")]),
    (Tool::Drizzle, &[("0000_z.sql", "SELECT 1;"), ("meta/_journal.json", JOURNAL)]),
    (
        Tool::Drizzle,
        &[
            ("0000_a.sql", "SELECT 1;"),
            ("0001_b.sql", "SELECT 1;"),
            ("meta/_journal.json", ONE_ENTRY),
        ],
    ),
    (
        Tool::Drizzle,
        &[
            ("0000_a.sql", "DO $$ BEGIN\n--> statement-breakpoint\nEND $$;"),
            ("meta/_journal.json", ONE_ENTRY),
        ],
    ),
    (
        Tool::Drizzle,
        &[(
            "meta/_journal.json",
            r#"{"entries":[{"when":2,"tag":"0000_a"},{"when":1,"tag":"0001_b"}]}"#,
        )],
    ),
    (Tool::Drizzle, &[("meta/_journal.json", r#"{"dialect":"sqlite","entries":[]}"#)]),
    (Tool::Supabase, &[("seed.sql", "SELECT 1;"), ("1_a.sql", "SELECT 1;")]),
    (Tool::Supabase, &[("1_a.sql", "SELECT 1;"), ("1_b.sql", "SELECT 1;")]),
    (Tool::Supabase, &[("1_a.sql", "SELECT 1;\nCOMMIT;\nSELECT 2;")]),
    (Tool::Supabase, &[("1_a.sql", "BEGIN;\nSELECT 1;\nCOMMIT;\nSELECT 2;")]),
    (Tool::NodePgMigrate, &[("1_a.sql", "SELECT 1;\n-- Down Migration\nSELECT 2;\n")]),
    (
        Tool::NodePgMigrate,
        &[("1_a.sql", "-- Up Migration\nSELECT 1;\n-- Down Migration\n\n-- Up Migration\n")],
    ),
    (Tool::NodePgMigrate, &[("1_a.up.sql", "SELECT 1;"), ("2_a.down.sql", "SELECT 2;")]),
    (Tool::NodePgMigrate, &[("1_a.sql", UP_AND_DOWN), ("2_b.ts", "")]),
    (Tool::NodePgMigrate, &[("1_a.sql", UP_AND_DOWN), ("1_b.sql", UP_AND_DOWN)]),
    (Tool::NodePgMigrate, &[("1_a.sql", "-- Up Migration\nSELECT 1;\n-- Down\nSELECT 2;\n")]),
    (Tool::SqlMigrate, &[("1_a.sql", "SELECT 1;\n-- +migrate Up\nSELECT 2;\n")]),
    (Tool::SqlMigrate, &[("1_a.sql", "-- later\n")]),
    (Tool::SqlMigrate, &[("1_a.sql", "-- +migrate Up notransactions\nSELECT 1;\n")]),
    (Tool::SqlMigrate, &[("1_a.sql", "-- +migrate Up\n-- +migrate Undo\nSELECT 1;\n")]),
    (Tool::SqlMigrate, &[("1_a.sql", "-- +migrate Up\nDO $$\nBEGIN\n PERFORM 1;\nEND $$;\n")]),
    (Tool::SqlMigrate, &[("1_a.sql", "-- +migrate Up\nSELECT 1\n-- +migrate Down\n")]),
    (Tool::SqlMigrate, &[("1_a.sql", "-- +migrate Up\nSELECT 1;\n --+migrate Down\nSELECT 2;\n")]),
    (Tool::SqlMigrate, &[("1_a.sql", "-- +migrate Up\n-- +migrate StatementBegin\nSELECT 1;\n")]),
    (Tool::Tern, &[("001_a.sql", "SELECT 1;"), ("003_c.sql", "SELECT 3;")]),
    (Tool::Tern, &[("1_a.sql", "SELECT 1;"), ("01_b.sql", "SELECT 2;")]),
    (Tool::Tern, &[("1_a.sql", "SELECT '{{.name}}';")]),
    (Tool::Tern, &[("1_a.sql", "SELECT 1;\n--- create above / drop below ---\nSELECT 2;\n")]),
    (Tool::Tern, &[("1_a.sql", "---- tern: disable-tx ----\r\nVACUUM;\r\n")]),
    (Tool::Tern, &[("1_a.sql", "SELECT 1; ---- create above / drop below ----\nSELECT 2;")]),
    (Tool::Atlas, &[("1_a.sql", "-- atlas:txmode none\nCREATE INDEX CONCURRENTLY i ON t (a);")]),
    (Tool::Atlas, &[("1_a.sql", "SELECT 1;\n-- atlas:txmode none\n\nSELECT 2;")]),
    (Tool::Atlas, &[("1_a.sql", "-- atlas:txmode all\n\nSELECT 1;")]),
    (Tool::Atlas, &[("1_a.sql", "-- atlas:checkpoint\n\nSELECT 1;")]),
    (Tool::Atlas, &[("1_a.sql", "SELECT 1;"), ("atlas.sum", "h1:x=\n2_b.sql h1:y=\n")]),
    (Tool::Atlas, &[("1_a.up.sql", "SELECT 1;"), ("1_a.down.sql", "SELECT 2;")]),
    (Tool::Atlas, &[("V1__a.sql", "SELECT 1;")]),
];

#[test]
fn what_cannot_be_run_as_its_tool_would_is_refused_with_its_place_and_a_remedy() {
    let refused = REFUSED.iter().map(|(tool, files)| {
        let problems = read(*tool, files).expect_err(&format!("a problem of {tool}'s {files:?}"));
        let says_what_to_do = |line: &str| line.contains("; ") || line.contains("never ends");
        assert!(problems.lines().all(says_what_to_do), "no remedy: {problems}");
        format!("{tool} {problems}")
    });
    insta::assert_snapshot!(refused.collect::<Vec<_>>().join("\n"));
}
