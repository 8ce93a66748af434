//! The fingerprint promises: one schema has one fingerprint, and every change to it is named.

use std::collections::BTreeMap;

use pgauntlet::connect::{Address, Session};
use pgauntlet::observe;
use pgauntlet::schema::Fingerprint;
use rstest::rstest;

use crate::common;

/// Every kind of object that a fingerprint tells.
const SCHEMA: &str = "
    CREATE SCHEMA app;
    CREATE TYPE app.status AS ENUM ('new', 'running', 'done');
    CREATE TYPE app.priority AS ENUM ('low', 'high');
    CREATE TYPE app.pair AS (a int, b text COLLATE \"C\");
    CREATE TYPE app.span_range AS RANGE (subtype = int8);
    CREATE DOMAIN app.email AS text DEFAULT 'x@y' NOT NULL CONSTRAINT has_at CHECK (VALUE ~ '@');
    CREATE SEQUENCE app.ticket START 5 INCREMENT 2 CACHE 3;
    CREATE TABLE app.tasks (
        id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        name text COLLATE \"C\" NOT NULL DEFAULT 'unnamed',
        status app.status NOT NULL DEFAULT 'new',
        mail app.email,
        created timestamptz DEFAULT '2020-01-01 00:00:00+00',
        doubled int GENERATED ALWAYS AS (2) STORED,
        CONSTRAINT name_is_not_empty CHECK (name <> '')
    ) WITH (fillfactor = 90);
    CREATE TABLE app.spans (
        id bigserial PRIMARY KEY,
        task_id int REFERENCES app.tasks (id),
        gone int,
        kept int
    );
    ALTER TABLE app.spans DROP COLUMN gone;
    CREATE TABLE app.logs (at date NOT NULL, line text) PARTITION BY RANGE (at);
    CREATE TABLE app.logs_2024 PARTITION OF app.logs
        FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
    CREATE TABLE app.special_tasks (extra text) INHERITS (app.tasks);
    CREATE UNLOGGED TABLE app.scratch (n int UNIQUE);
    CREATE INDEX ix_spans_task_id ON app.spans (task_id);
    CREATE INDEX ix_tasks_lower ON app.tasks (lower(name)) WHERE status <> 'done';
    CREATE INDEX ix_logs ON app.logs (at);
    CREATE VIEW app.open_tasks WITH (security_barrier) AS
        SELECT * FROM app.tasks WHERE status <> 'done';
    CREATE MATERIALIZED VIEW app.totals AS SELECT count(*) AS n FROM app.spans;
    CREATE FUNCTION app.touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    CREATE FUNCTION app.twice(n int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 2 * n';
    CREATE FUNCTION app.twice(n text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT n || n';
    CREATE PROCEDURE app.nothing() LANGUAGE sql AS '';
    CREATE AGGREGATE app.longest(text) (SFUNC = textcat, STYPE = text);
    CREATE TRIGGER touch BEFORE UPDATE ON app.tasks FOR EACH ROW EXECUTE FUNCTION app.touch();
    ALTER TABLE app.tasks ENABLE ROW LEVEL SECURITY;
    CREATE TABLE plain (\"Odd Name\" int);
";

async fn session(address: &Address) -> Session {
    Session::open(address, "test", &BTreeMap::new()).await.expect("a session")
}

/// A session to a new database with the schema above.
async fn with_schema() -> Session {
    let session = session(&common::fresh_database().await).await;
    session.batch(SCHEMA).await.expect("the schema");
    session
}

async fn fingerprint(session: &Session) -> Fingerprint {
    observe::fingerprint(session).await.unwrap_or_else(|e| panic!("failed to {e}"))
}

fn told(from: &Fingerprint, to: &Fingerprint) -> Vec<String> {
    from.diff(to).iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn every_kind_of_object_has_its_place_and_nothing_of_the_system_has() {
    let found = fingerprint(&with_schema().await).await;
    for object in [
        "schema app",
        "type app.status",
        "type app.pair",
        "type app.span_range",
        "type app.email",
        "constraint app.email.has_at",
        "sequence app.ticket",
        "sequence app.tasks_id_seq",
        "table app.tasks",
        "table app.logs_2024",
        "column app.spans.task_id",
        "column public.plain.\"Odd Name\"",
        "constraint app.spans.spans_task_id_fkey",
        "constraint app.tasks.name_is_not_empty",
        "index app.ix_spans_task_id",
        "index app.logs_2024_at_idx",
        "view app.open_tasks",
        "view app.totals",
        "function app.twice(n integer)",
        "function app.twice(n text)",
        "function app.nothing()",
        "function app.longest(text)",
        "trigger app.tasks.touch",
    ] {
        assert!(found.objects.contains_key(object), "{object} is not in {:#?}", found.objects);
    }
    let foreign: Vec<&String> =
        found.objects.keys().filter(|o| o.contains("pg_") || o.contains("_schema.")).collect();
    assert!(foreign.is_empty(), "{foreign:?}");
    assert_eq!(found.invalid_indexes(), [""; 0]);
    assert_eq!(found.not_valid_constraints(), [""; 0]);
}

#[tokio::test]
async fn properties_are_told_in_the_words_of_the_catalogue() {
    let found = fingerprint(&with_schema().await).await;
    let property = |object: &str, name: &str| {
        found.objects[object].get(name).map(String::as_str).unwrap_or("nothing").to_owned()
    };
    for (object, name, value) in [
        ("column app.tasks.name", "collation", "pg_catalog.\"C\""),
        ("column app.tasks.name", "default", "'unnamed'::text"),
        (
            "column app.tasks.created",
            "default",
            "'2020-01-01 00:00:00+00'::timestamp with time zone",
        ),
        ("column app.tasks.id", "identity", "always"),
        ("column app.tasks.doubled", "generated", "stored: 2"),
        ("column app.tasks.doubled", "default", "nothing"),
        ("column app.spans.kept", "position", "3"),
        ("type app.status", "labels", "'new', 'running', 'done'"),
        ("type app.pair", "attributes", "a integer, b text COLLATE pg_catalog.\"C\""),
        ("table app.logs", "partition key", "RANGE (at)"),
        ("table app.logs_2024", "inherits", "app.logs"),
        ("table app.scratch", "persistence", "unlogged"),
        ("table app.tasks", "options", "fillfactor=90"),
        ("table app.tasks", "row level security", "true"),
        ("sequence app.ticket", "increment", "2"),
        ("sequence app.spans_id_seq", "owned by", "app.spans.id"),
        ("index app.scratch_n_key", "indisunique", "true"),
        ("index app.logs_2024_at_idx", "partition of", "app.ix_logs"),
    ] {
        assert_eq!(property(object, name), value, "{name} of {object}");
    }
}

#[tokio::test]
async fn one_schema_in_two_databases_has_one_fingerprint_whatever_the_order_of_creation() {
    let (left, right) = (with_schema().await, with_schema().await);
    let pair = ["CREATE TABLE a (n int)", "CREATE TABLE b (n int)"];
    left.batch(&pair.join(";")).await.expect("a, b");
    right.batch("CREATE TABLE wasted_oid (); DROP TABLE wasted_oid").await.expect("an oid");
    right.batch(&[pair[1], pair[0]].join(";")).await.expect("b, a");
    assert_eq!(told(&fingerprint(&left).await, &fingerprint(&right).await), [""; 0]);
}

#[tokio::test]
async fn settings_of_the_session_neither_change_the_fingerprint_nor_are_changed_by_it() {
    let session = with_schema().await;
    let before = fingerprint(&session).await;
    let settings = "SET search_path = app; SET TimeZone = 'Asia/Tokyo'; SET DateStyle = 'German';
                    SET quote_all_identifiers = on";
    session.batch(settings).await.expect("settings");
    assert_eq!(told(&before, &fingerprint(&session).await), [""; 0]);
    let row = session.client().query_one("SHOW search_path", &[]).await.expect("search_path");
    assert_eq!(row.get::<_, &str>(0), "app");
}

#[tokio::test]
async fn what_belongs_to_an_extension_or_is_temporary_is_left_out() {
    let session = with_schema().await;
    let before = fingerprint(&session).await;
    // Every server has this extension, and an extension may be given members by hand.
    let members = "CREATE TABLE member (n int PRIMARY KEY); CREATE TYPE mood AS ENUM ('fine');
                   CREATE VIEW seen AS SELECT n FROM member;
                   ALTER EXTENSION plpgsql ADD TABLE member;
                   ALTER EXTENSION plpgsql ADD TYPE mood;
                   ALTER EXTENSION plpgsql ADD VIEW seen;
                   CREATE TEMPORARY TABLE passing (n serial PRIMARY KEY)";
    session.batch(members).await.expect("members and a temporary table");
    assert_eq!(told(&before, &fingerprint(&session).await), [""; 0]);
}

#[rstest]
#[case::add_column(
    "ALTER TABLE app.spans ADD COLUMN note text",
    &["column app.spans.note: is new (not null: false; position: 4; type: text)"]
)]
#[case::drop_column_moves_those_behind_it(
    "ALTER TABLE app.spans DROP COLUMN task_id CASCADE",
    &[
        "column app.spans.kept: position was 3, is 2",
        "column app.spans.task_id: is gone (was not null: false; position: 2; type: integer)",
        "constraint app.spans.spans_task_id_fkey: is gone (was convalidated: true; \
         definition: FOREIGN KEY (task_id) REFERENCES app.tasks(id))",
        "index app.ix_spans_task_id: is gone (was definition: CREATE INDEX ix_spans_task_id ON \
         app.spans USING btree (task_id); indisready: true; indisunique: false; \
         indisvalid: true)",
    ]
)]
#[case::change_default(
    "ALTER TABLE app.tasks ALTER name SET DEFAULT 'none'",
    &[
        "column app.special_tasks.name: default was 'unnamed'::text, is 'none'::text",
        "column app.tasks.name: default was 'unnamed'::text, is 'none'::text",
    ]
)]
#[case::change_type(
    "ALTER TABLE app.spans ALTER kept TYPE bigint",
    &["column app.spans.kept: type was integer, is bigint"]
)]
#[case::drop_index(
    "DROP INDEX app.ix_logs",
    &[
        "index app.ix_logs: is gone (was definition: CREATE INDEX ix_logs ON ONLY app.logs USING \
         btree (at); indisready: true; indisunique: false; indisvalid: true; partitioned: true)",
        "index app.logs_2024_at_idx: is gone (was definition: CREATE INDEX logs_2024_at_idx ON \
         app.logs_2024 USING btree (at); indisready: true; indisunique: false; \
         indisvalid: true; partition of: app.ix_logs)",
    ]
)]
#[case::rename_enum_label(
    "ALTER TYPE app.priority RENAME VALUE 'high' TO 'urgent'",
    &["type app.priority: labels was 'low', 'high', is 'low', 'urgent'"]
)]
#[case::enum_label_in_between(
    "ALTER TYPE app.status ADD VALUE 'paused' BEFORE 'done'",
    &["type app.status: labels was 'new', 'running', 'done', is 'new', 'running', 'paused', \
       'done'"]
)]
#[case::disable_trigger(
    "ALTER TABLE app.tasks DISABLE TRIGGER touch",
    &["trigger app.tasks.touch: enabled was origin, is disabled"]
)]
#[case::drop_trigger(
    "DROP TRIGGER touch ON app.tasks",
    &["trigger app.tasks.touch: is gone (was definition: CREATE TRIGGER touch BEFORE UPDATE ON \
       app.tasks FOR EACH ROW EXECUTE FUNCTION app.touch(); enabled: origin)"]
)]
#[case::a_foreign_key_that_checks_nothing(
    "ALTER TABLE app.spans DISABLE TRIGGER ALL",
    &["constraint app.spans.spans_task_id_fkey: disabled triggers was not set, is \
       \"RI_FKey_check_ins\" on app.spans: D, \"RI_FKey_check_upd\" on app.spans: D"]
)]
#[case::privileges_that_are_the_default_anyway(
    "GRANT SELECT ON app.spans TO PUBLIC; REVOKE SELECT ON app.spans FROM PUBLIC",
    &[]
)]
#[case::sequence(
    "ALTER SEQUENCE app.ticket INCREMENT 7",
    &["sequence app.ticket: increment was 2, is 7"]
)]
#[case::function_body(
    "CREATE OR REPLACE PROCEDURE app.nothing() LANGUAGE sql AS ' '",
    &["function app.nothing(): definition was CREATE OR REPLACE PROCEDURE app.nothing()\n \
       LANGUAGE sql\nAS $procedure$$procedure$\n, is CREATE OR REPLACE PROCEDURE app.nothing()\n \
       LANGUAGE sql\nAS $procedure$ $procedure$\n"]
)]
#[case::logged(
    "ALTER TABLE app.scratch SET LOGGED",
    &["table app.scratch: persistence was unlogged, is permanent"]
)]
#[case::view(
    "CREATE OR REPLACE VIEW app.open_tasks AS SELECT * FROM app.tasks WHERE status <> 'done'",
    &["view app.open_tasks: options was security_barrier=true, is not set"]
)]
#[case::values_of_a_sequence_and_rows_are_no_schema(
    "SELECT nextval('app.ticket'); INSERT INTO app.spans (kept) VALUES (1)",
    &[]
)]
#[tokio::test]
async fn a_change_is_named_by_object_and_property(#[case] ddl: &str, #[case] named: &[&str]) {
    let session = with_schema().await;
    let before = fingerprint(&session).await;
    session.batch(ddl).await.expect("the change");
    assert_eq!(told(&before, &fingerprint(&session).await), named);
}

#[tokio::test]
async fn a_constraint_that_is_not_valid_is_debris_until_it_is_validated() {
    let session = with_schema().await;
    let add = "ALTER TABLE app.spans ADD CONSTRAINT fk_kept FOREIGN KEY (kept)
               REFERENCES app.tasks (id) NOT VALID";
    session.batch(add).await.expect("a constraint");
    let before = fingerprint(&session).await;
    assert_eq!(before.not_valid_constraints(), ["app.spans.fk_kept"]);
    session.batch("ALTER TABLE app.spans VALIDATE CONSTRAINT fk_kept").await.expect("valid");
    let after = fingerprint(&session).await;
    assert_eq!(after.not_valid_constraints(), [""; 0]);
    let named = ["constraint app.spans.fk_kept: convalidated was false, is true"];
    assert_eq!(told(&before, &after), named);
}

#[tokio::test]
async fn an_index_whose_concurrent_build_failed_is_debris() {
    let session = with_schema().await;
    session.batch("INSERT INTO app.spans (kept) VALUES (1), (1)").await.expect("duplicates");
    let build = "CREATE UNIQUE INDEX CONCURRENTLY uq_kept ON app.spans (kept)";
    let error = session.batch(build).await.expect_err("duplicates");
    let sqlstate = error.server_error().and_then(|e| e.sqlstate.clone()).expect("a SQLSTATE");
    assert_eq!(sqlstate.code(), "23505");
    let broken = fingerprint(&session).await;
    assert_eq!(broken.invalid_indexes(), ["app.uq_kept"]);
    session.batch("DROP INDEX app.uq_kept; DELETE FROM app.spans").await.expect("a clean table");
    session.batch(build).await.expect("an index");
    let repaired = fingerprint(&session).await;
    assert_eq!(repaired.invalid_indexes(), [""; 0]);
    let named = told(&broken, &repaired);
    assert!(named.contains(&"index app.uq_kept: indisvalid was false, is true".to_owned()));
}

/// How an index of a partitioned table is built without blocking writers.
#[tokio::test]
async fn an_index_that_waits_for_those_of_its_partitions_is_no_debris() {
    let session = with_schema().await;
    session.batch("CREATE INDEX ix_line ON ONLY app.logs (line)").await.expect("an index");
    let waiting = fingerprint(&session).await;
    assert_eq!(waiting.objects["index app.ix_line"]["indisvalid"], "false");
    assert_eq!(waiting.invalid_indexes(), [""; 0]);
    let attach = "CREATE INDEX ix_line_2024 ON app.logs_2024 (line);
                  ALTER INDEX app.ix_line ATTACH PARTITION app.ix_line_2024";
    session.batch(attach).await.expect("its partition's");
    let told = told(&waiting, &fingerprint(&session).await);
    assert_eq!(told[0], "index app.ix_line: indisvalid was false, is true");
}

#[tokio::test]
async fn a_catalogue_that_cannot_be_read_leaves_the_session_usable() {
    let address = common::fresh_database().await;
    let (holder, reader) = (session(&address).await, session(&address).await);
    holder.batch("CREATE TABLE t (n int); CREATE VIEW v AS SELECT n FROM t").await.expect("v");
    holder.batch("BEGIN; LOCK TABLE t").await.expect("a lock");
    reader.batch("SET lock_timeout = '7s'").await.expect("a setting");
    let error = observe::fingerprint(&reader).await.expect_err("t is locked").to_string();
    assert!(error.starts_with("read the catalogue (view): run "), "{error}");
    assert!(error.contains("55P03"), "{error}");
    let row = reader.client().query_one("SHOW lock_timeout", &[]).await.expect("idle again");
    assert_eq!(row.get::<_, &str>(0), "7s");
}
