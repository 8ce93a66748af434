//! The tables in which migration tools remember what is applied: a base may bring a real one, and
//! nothing of ours depends on what a migration does to its session.

use pgauntlet::history::AttemptEnd;
use pgauntlet::scenario::{Change, Tool, Versions};
use rstest::rstest;

use crate::migrated::{Trial, change, migration};

fn of_tool(tool: Tool, versions: &[(&str, &str)]) -> Change {
    let migrations = versions.iter().map(|(version, text)| migration(version, text)).collect();
    Change { versions: Some(Versions::of(tool)), ..change(migrations) }
}

const SQLX: &str = "CREATE TABLE _sqlx_migrations (version bigint PRIMARY KEY, \
    description text NOT NULL, installed_on timestamptz NOT NULL DEFAULT now(), \
    success boolean NOT NULL, checksum bytea NOT NULL, execution_time bigint NOT NULL); \
    INSERT INTO _sqlx_migrations VALUES (1, 'a', now(), true, '\\x00', 7)";
const GOOSE: &str = "CREATE TABLE goose_db_version (id serial PRIMARY KEY, \
    version_id bigint NOT NULL, is_applied boolean NOT NULL, tstamp timestamp DEFAULT now()); \
    INSERT INTO goose_db_version (version_id, is_applied) VALUES (0, true), (1, true), (2, true), \
    (2, false)";
const FLYWAY: &str = "CREATE TABLE flyway_schema_history (installed_rank int PRIMARY KEY, \
    version varchar(50), description varchar(200) NOT NULL, type varchar(20) NOT NULL, \
    script varchar(1000) NOT NULL, checksum int, installed_by varchar(100) NOT NULL, \
    installed_on timestamp NOT NULL DEFAULT now(), execution_time int NOT NULL, \
    success boolean NOT NULL); \
    INSERT INTO flyway_schema_history VALUES \
    (1, '1', 'a', 'SQL', 'V1__a.sql', 5, 'app', now(), 3, true)";
const DBMATE: &str = "CREATE TABLE schema_migrations (version varchar(255) PRIMARY KEY); \
    INSERT INTO schema_migrations VALUES ('1')";
const GOLANG_MIGRATE: &str = "CREATE TABLE schema_migrations (version bigint NOT NULL PRIMARY KEY, \
    dirty boolean NOT NULL); INSERT INTO schema_migrations VALUES (1, false)";
const DIESEL: &str = "CREATE TABLE __diesel_schema_migrations (version varchar(50) PRIMARY KEY, \
    run_on timestamp NOT NULL DEFAULT now()); INSERT INTO __diesel_schema_migrations VALUES ('1')";
const REFINERY: &str = "CREATE TABLE refinery_schema_history (version int4 PRIMARY KEY, \
    name varchar(255), applied_on varchar(255), checksum varchar(255)); \
    INSERT INTO refinery_schema_history VALUES (1, 'a', 'x', '1')";
const PRISMA: &str = "CREATE TABLE _prisma_migrations (id varchar(36) PRIMARY KEY, \
    checksum varchar(64) NOT NULL, finished_at timestamptz, migration_name varchar(255) NOT NULL, \
    logs text, rolled_back_at timestamptz, started_at timestamptz NOT NULL DEFAULT now(), \
    applied_steps_count integer NOT NULL DEFAULT 0); \
    INSERT INTO _prisma_migrations VALUES ('a', 'x', now(), '1', NULL, NULL, now(), 1), \
    ('b', 'x', NULL, '2', 'failed', now(), now(), 0)";
const DRIZZLE: &str = "CREATE SCHEMA drizzle; CREATE TABLE drizzle.__drizzle_migrations \
    (id serial PRIMARY KEY, hash text NOT NULL, created_at bigint); \
    INSERT INTO drizzle.__drizzle_migrations (hash, created_at) VALUES ('x', 1)";
const SUPABASE: &str = "CREATE SCHEMA supabase_migrations; CREATE TABLE \
    supabase_migrations.schema_migrations (version text PRIMARY KEY, statements text[], \
    name text); INSERT INTO supabase_migrations.schema_migrations VALUES ('1', ARRAY['x'], 'a')";
const NODE_PG_MIGRATE: &str = "CREATE TABLE pgmigrations (id serial PRIMARY KEY, \
    name varchar(255) NOT NULL, run_on timestamp NOT NULL); \
    INSERT INTO pgmigrations (name, run_on) VALUES ('1', now())";
const SQL_MIGRATE: &str = "CREATE TABLE gorp_migrations (id text NOT NULL PRIMARY KEY, \
    applied_at timestamptz); INSERT INTO gorp_migrations VALUES ('1', now())";
const TERN: &str = "CREATE TABLE public.schema_version (version int4 NOT NULL); \
    INSERT INTO public.schema_version VALUES (1)";
const ATLAS: &str = "CREATE SCHEMA atlas_schema_revisions; CREATE TABLE \
    atlas_schema_revisions.atlas_schema_revisions (version varchar NOT NULL PRIMARY KEY, \
    description varchar NOT NULL, type bigint NOT NULL DEFAULT 2, \
    applied bigint NOT NULL DEFAULT 0, total bigint NOT NULL DEFAULT 0, \
    executed_at timestamptz NOT NULL, execution_time bigint NOT NULL, error text, \
    error_stmt text, hash varchar NOT NULL, partial_hashes jsonb, \
    operator_version varchar NOT NULL); \
    INSERT INTO atlas_schema_revisions.atlas_schema_revisions VALUES \
    ('1', 'a', 2, 3, 3, now(), 5, NULL, NULL, 'x', NULL, 'Atlas CLI v0.30.0')";

#[rstest]
#[case(Tool::Sqlx, SQLX)]
#[case(Tool::Goose, GOOSE)]
#[case(Tool::Flyway, FLYWAY)]
#[case(Tool::Dbmate, DBMATE)]
#[case(Tool::GolangMigrate, GOLANG_MIGRATE)]
#[case(Tool::Diesel, DIESEL)]
#[case(Tool::Refinery, REFINERY)]
#[case(Tool::Prisma, PRISMA)]
#[case(Tool::Drizzle, DRIZZLE)]
#[case(Tool::Supabase, SUPABASE)]
#[case(Tool::NodePgMigrate, NODE_PG_MIGRATE)]
#[case(Tool::SqlMigrate, SQL_MIGRATE)]
#[case(Tool::Tern, TERN)]
#[case(Tool::Atlas, ATLAS)]
#[tokio::test]
async fn a_tools_real_table_says_what_is_applied_and_takes_its_row(
    #[case] tool: Tool,
    #[case] base: &str,
) {
    let trial = Trial::with(&format!("CREATE TABLE t (a int); {base}")).await;
    let refused = "ALTER TABLE t ADD COLUMN a int";
    let added = "ALTER TABLE t ADD COLUMN b int";
    let change = of_tool(tool, &[("1", refused), ("2", added)]);
    assert_eq!(trial.apply(&change, 0).await, AttemptEnd::Finished { applied: Some(1) });
    assert_eq!(trial.apply(&change, 1).await, AttemptEnd::Finished { applied: Some(0) });
}

#[rstest]
#[tokio::test]
async fn the_table_is_made_as_its_tool_makes_it_and_a_migration_may_refer_to_it(
    #[values(
        Tool::Sqlx,
        Tool::Goose,
        Tool::Flyway,
        Tool::Dbmate,
        Tool::GolangMigrate,
        Tool::Diesel,
        Tool::Refinery,
        Tool::Prisma,
        Tool::Drizzle,
        Tool::Supabase,
        Tool::NodePgMigrate,
        Tool::SqlMigrate,
        Tool::Tern,
        Tool::Atlas
    )]
    tool: Tool,
) {
    let trial = Trial::with("SELECT 1").await;
    let table = Versions::of(tool).table;
    let table = if table.contains('.') { table } else { format!("public.{table}") };
    let comment = format!("COMMENT ON TABLE {table} IS 'ours'");
    let change = of_tool(tool, &[("1", &comment), ("2", "CREATE TABLE u (a int)")]);
    assert_eq!(trial.apply(&change, 0).await, AttemptEnd::Finished { applied: Some(2) });
    assert_eq!(trial.apply(&change, 1).await, AttemptEnd::Finished { applied: Some(0) });
}

#[tokio::test]
async fn a_migration_that_empties_the_search_path_does_not_lose_the_version_table() {
    let trial = Trial::with("CREATE TABLE t (a int)").await;
    let dump = "SELECT pg_catalog.set_config('search_path', '', false); \
                ALTER TABLE public.t ADD COLUMN b int";
    let change = change(vec![migration("1", dump), migration("2", "SELECT 1")]);
    assert_eq!(trial.apply(&change, 0).await, AttemptEnd::Finished { applied: Some(2) });
}
