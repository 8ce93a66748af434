//! Facts of statements, one property at a time.

use rstest::rstest;

use crate::pg::LockMode;
use crate::pg::purpose::Purpose;
use crate::pg::syntax::{self, Kind};

use super::data::Certainty::{self, Maybe, No, Yes};
use super::{CreatedTable, Relation, facts};

/// `t AX, s.u SRX`: what is asked for in its order, in the manual's letters.
fn asked(sql: &str) -> String {
    let lock = |lock: &super::AskedLock| {
        let relation = match &lock.relation {
            Relation::Named(name) => name.to_string(),
            Relation::OfIndex(index) => format!("of index {index}"),
            Relation::InSchema(schema) => format!("in {schema}"),
            Relation::OfType(name) => format!("of type {name}"),
            Relation::Any => "any".to_owned(),
        };
        let letters = match lock.mode {
            LockMode::AccessShareLock => "AS",
            LockMode::RowShareLock => "RS",
            LockMode::RowExclusiveLock => "RX",
            LockMode::ShareUpdateExclusiveLock => "SUX",
            LockMode::ShareLock => "S",
            LockMode::ShareRowExclusiveLock => "SRX",
            LockMode::ExclusiveLock => "X",
            LockMode::AccessExclusiveLock => "AX",
        };
        format!("{relation} {letters}")
    };
    facts(sql).locks().map(lock).collect::<Vec<_>>().join(", ")
}

#[rstest]
#[case("ALTER TABLE statistics ADD COLUMN x int", "statistics AX")]
#[case("ALTER TABLE t RENAME TO attach", "t AX")]
#[case("ALTER TABLE t ALTER c SET STATISTICS 5, ADD b int", "t AX")]
#[case("ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES s, ADD b int", "t AX, s SRX")]
#[case("ALTER TABLE t VALIDATE CONSTRAINT c, ALTER a SET STATISTICS 1", "t SUX")]
#[case("ALTER TABLE ONLY \"S\".\"T\" SET (fillfactor = 80)", "S.T SUX")]
#[case("ALTER TABLE t SET (fillfactor = 80, user_catalog_table = on)", "t AX")]
#[case("ALTER TABLE t ALTER c SET (n_distinct = 4)", "t SUX")]
#[case("ALTER TABLE p DETACH PARTITION p1 CONCURRENTLY", "p SUX, p1 SUX")]
#[case("ALTER TABLE p DETACH PARTITION p1 FINALIZE", "p SUX, p1 AX")]
#[case("ALTER TABLE t INHERIT u", "t AX, u SUX")]
#[case("ALTER TABLE t ADD CONSTRAINT k UNIQUE USING INDEX i", "t AX, of index i SUX")]
#[case("VACUUM (FULL) t", "t AX")]
#[case("VACUUM (FULL off) t", "t SUX")]
#[case("VACUUM FULL t, u", "t AX, u AX")]
#[case("VACUUM", "any SUX")]
#[case("DROP SCHEMA s CASCADE", "in s AX")]
#[case("DROP SCHEMA s", "")]
#[case("EXPLAIN ANALYZE DELETE FROM t", "t RX")]
#[case("INSERT INTO t VALUES (1) ON CONFLICT (a) DO UPDATE SET a = 2", "t RX")]
#[case("LOCK TABLE t IN SHARE MODE", "t S")]
#[case("LOCK a, ONLY s.b IN ROW EXCLUSIVE MODE", "a RX, s.b RX")]
#[case("CREATE TRIGGER g AFTER INSERT ON t EXECUTE FUNCTION f()", "t SRX")]
#[case("CREATE TABLE n (a int REFERENCES t, b int REFERENCES n)", "t SRX")]
#[case("CREATE TABLE n (LIKE t) INHERITS (u, v)", "t AS, u SUX, v SUX")]
#[case("CREATE INDEX CONCURRENTLY i ON ONLY t (a)", "t SUX")]
#[case("DROP INDEX CONCURRENTLY i", "of index i SUX")]
#[case("DROP INDEX i, s.k", "of index i AX, of index s.k AX")]
#[case("REINDEX TABLE CONCURRENTLY t", "t SUX")]
#[case("REINDEX (CONCURRENTLY) INDEX i", "of index i SUX")]
#[case("REINDEX SCHEMA s", "in s S, in s AX")]
#[case("WITH x AS (DELETE FROM u RETURNING 1) SELECT * FROM x, t", "u RX, t AS")]
#[case("SELECT * FROM a JOIN b x ON true FOR UPDATE OF x", "a AS, b RS")]
#[case("MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN DELETE", "t RX, s AS")]
#[case("COPY t (a) FROM STDIN", "t RX")]
#[case("COPY (SELECT * FROM t) TO STDOUT", "t AS")]
#[case("ALTER DOMAIN d ADD CHECK (value > 0)", "of type d S")]
#[case("CLUSTER i ON t", "t AX")]
#[case("COMMENT ON INDEX i IS 'x'", "of index i SUX")]
#[case("CREATE TYPE e AS ENUM ('a')", "")]
#[case("SELECT 1; DROP TABLE t", "t AX")]
#[case(
    "DO $x$ BEGIN IF EXISTS (SELECT FROM u) THEN ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES s; \
     END IF; END $x$",
    "u AS, t SRX, s SRX"
)]
#[case("DO $$ BEGIN LOOP UPDATE t SET a = 1; COMMIT; END LOOP; END $$", "t RX")]
fn locks_are_asked_for_on_each_relation_by_its_name(#[case] sql: &str, #[case] expected: &str) {
    assert_eq!(asked(sql), expected);
    assert!(facts(sql).statements.iter().all(|statement| statement.locks.is_some()), "{sql}");
}

#[rstest]
#[case("ALTER TABLE t ADD COLUMN")]
#[case("CALL p()")]
#[case("EXECUTE s")]
#[case("DROP TYPE e CASCADE")]
#[case("ALTER TABLE t ADD COLUMN a text DEFAULT 'cut in the mid")]
fn what_the_text_does_not_say_is_unknown(#[case] sql: &str) {
    let found = facts(sql);
    assert_eq!(found.statements.iter().map(|s| s.locks.clone()).collect::<Vec<_>>(), [None]);
    assert_eq!(found.purpose(), Purpose::Work);
}

#[rstest]
#[case("DO $$ BEGIN EXECUTE 'DROP TABLE ' || x; END $$", true)]
#[case("DO $$ BEGIN FOR r IN EXECUTE 'SELECT 1' LOOP NULL; END LOOP; END $$", true)]
#[case("DO $$ no plpgsql $$", true)]
#[case("DO $$ BEGIN PERFORM 1; END $$", false)]
#[case("ALTER TABLE t ADD a int", false)]
fn a_block_that_builds_its_statements_is_dynamic(#[case] sql: &str, #[case] expected: bool) {
    assert_eq!(facts(sql).statements.first().map(|s| s.dynamic), Some(expected));
}

#[rstest]
#[case("ALTER TABLE t ADD COLUMN a int", Some(LockMode::AccessExclusiveLock))]
#[case("CREATE TABLE t (a int)", None)]
#[case("UPDATE t SET a = 1", None)]
#[case("LOCK TABLE t IN ROW SHARE MODE", None)]
#[case("SELECT 1; DROP TABLE t", Some(LockMode::AccessExclusiveLock))]
fn what_every_reader_and_writer_takes_is_no_strong_lock(
    #[case] sql: &str,
    #[case] expected: Option<LockMode>,
) {
    assert_eq!(facts(sql).strongest_lock(), expected);
}

#[rstest]
#[case("BEGIN", Purpose::Transaction)]
#[case("PREPARE TRANSACTION 'a'", Purpose::Transaction)]
#[case("COMMIT PREPARED 'a'", Purpose::Transaction)]
#[case("SET LOCAL lock_timeout = '3s'", Purpose::Setting)]
#[case("CREATE TEMP TABLE t (a int)", Purpose::Setting)]
#[case("CREATE TEMP VIEW v AS SELECT 1", Purpose::Setting)]
#[case("", Purpose::Setting)]
#[case("-- nothing", Purpose::Setting)]
#[case("SELECT 1", Purpose::Read)]
#[case("(SELECT 1)", Purpose::Read)]
#[case("WITH a AS (SELECT 1 FROM t FOR UPDATE) SELECT * FROM a", Purpose::Read)]
#[case("WITH a AS (DELETE FROM t RETURNING 1) SELECT * FROM a", Purpose::Work)]
#[case("SELECT 1 INTO t", Purpose::Work)]
#[case("COPY t TO STDOUT", Purpose::Read)]
#[case("COPY t FROM STDIN", Purpose::Work)]
#[case("EXPLAIN DELETE FROM t", Purpose::Read)]
#[case("EXPLAIN ANALYZE DELETE FROM t", Purpose::Work)]
#[case("EXPLAIN (COSTS off, ANALYZE) DELETE FROM t", Purpose::Work)]
#[case("EXPLAIN (ANALYZE off) DELETE FROM t", Purpose::Read)]
#[case("EXPLAIN ANALYZE SELECT 1", Purpose::Read)]
#[case("EXPLAIN ANALYZE CREATE TABLE t AS SELECT 1", Purpose::Work)]
#[case("ALTER TYPE e RENAME VALUE 'a' TO 'b'", Purpose::Work)]
#[case("BEGIN; SET lock_timeout = 1; ALTER TABLE t ADD a int; COMMIT", Purpose::Work)]
#[case("INSERT INTO t VALUES ('cut in the mid", Purpose::Work)]
#[case("SELECT what does not parse FROM", Purpose::Work)]
#[case("SET what does not parse", Purpose::Setting)]
fn a_statement_has_a_purpose(#[case] sql: &str, #[case] expected: Purpose) {
    assert_eq!(facts(sql).purpose(), expected);
}

#[rstest]
#[case("SET LOCAL lock_timeout = '3s'", Some("3s"))]
#[case("set session lock_timeout to 0", Some("0"))]
#[case("SET LOCK_TIMEOUT = 1; SET lock_timeout = 2", Some("2"))]
#[case("SET lock_timeout TO DEFAULT", Some("default"))]
#[case("RESET ALL", Some("default"))]
#[case("RESET lock_timeout", Some("default"))]
#[case("DISCARD ALL", Some("default"))]
#[case("SELECT set_config('lock_timeout', '5s', true)", Some("5s"))]
#[case("SELECT pg_catalog.set_config('lock_timeout', '5s', false), 1", Some("5s"))]
#[case("SELECT set_config('lock_timeout', $1, false)", None)]
#[case("SET statement_timeout = 0", None)]
#[case("SELECT 'SET lock_timeout = 1'", None)]
fn the_value_that_is_set_is_read(#[case] sql: &str, #[case] expected: Option<&str>) {
    assert_eq!(facts(sql).sets("lock_timeout"), expected);
}

#[rstest]
#[case("DO $$BEGIN SET LOCAL lock_timeout = '3s'; ALTER TABLE t ADD a int; END$$", Some("3s"))]
#[case("DO $$BEGIN PERFORM set_config('lock_timeout', '3s', true); END$$", Some("3s"))]
#[case("DO $$DECLARE v text; BEGIN v := set_config('lock_timeout', '2s', true); END$$", Some("2s"))]
#[case("DO $$BEGIN FOR i IN 1..3 LOOP SET lock_timeout = '1s'; END LOOP; END$$", Some("1s"))]
#[case("DO $$BEGIN PERFORM set_config('lock_timeout', '3' || 's', true); END$$", None)]
fn what_a_block_may_set_is_read_and_is_not_set_by_it(
    #[case] sql: &str,
    #[case] value: Option<&str>,
) {
    let facts = facts(sql);
    assert_eq!(facts.sets("lock_timeout"), None);
    let inside = facts.sets_inside("lock_timeout").expect("it sets it");
    assert_eq!(inside.value.as_deref(), value);
    assert!(facts.sets_inside("statement_timeout").is_none());
}

#[test]
fn a_setting_may_be_for_the_transaction_only() {
    let local = |sql: &str| facts(sql).statements[0].sets[0].local;
    assert!(local("SET LOCAL a.b = 1"));
    assert!(local("SELECT set_config('a', 'b', true)"));
    assert!(!local("SELECT set_config('a', 'b', false)"));
    assert!(!local("SET search_path TO a, 'b'"));
    assert_eq!(facts("SET search_path TO a, 'b'").sets("search_path"), Some("a, b"));
    assert_eq!(facts("SET a.B = -1").sets("a.b"), Some("-1"));
}

#[rstest]
#[case("UPDATE alembic_version SET version_num = 'a' WHERE version_num = 'b'", 1)]
#[case("INSERT INTO \"public\".\"alembic_version\" (version_num) VALUES ($1)", 1)]
#[case("DELETE FROM ONLY alembic_version", 1)]
#[case("UPDATE ONLY alembic_version SET a = 1", 1)]
#[case("INSERT INTO alembic_version VALUES (1); UPDATE alembic_version SET a = 1", 2)]
#[case("WITH x AS (INSERT INTO alembic_version VALUES (1) RETURNING 1) SELECT * FROM x", 1)]
#[case("TRUNCATE t, alembic_version", 1)]
#[case("COPY alembic_version FROM STDIN", 1)]
#[case("MERGE INTO alembic_version USING s ON true WHEN MATCHED THEN DELETE", 1)]
#[case("EXPLAIN ANALYZE DELETE FROM alembic_version", 1)]
#[case("EXPLAIN DELETE FROM alembic_version", 0)]
#[case("COPY alembic_version TO STDOUT", 0)]
#[case("INSERT INTO other.alembic_version VALUES (1)", 0)]
#[case("SELECT * FROM alembic_version", 0)]
#[case("UPDATE t SET a = 1 FROM alembic_version", 0)]
fn writes_to_a_table_are_counted(#[case] sql: &str, #[case] expected: usize) {
    assert_eq!(facts(sql).writes_to("public.alembic_version"), expected);
}

#[rstest]
#[case("CREATE TABLE IF NOT EXISTS schema_migrations (version text PRIMARY KEY)", true)]
#[case("CREATE UNIQUE INDEX i ON schema_migrations (version)", true)]
#[case("SELECT 1; DELETE FROM schema_migrations", true)]
#[case("INSERT INTO schema_migrations SELECT 1; CREATE TABLE t (a int)", false)]
#[case("ALTER TABLE t ADD COLUMN schema_migrations int", false)]
#[case("SELECT * FROM schema_migrations", false)]
fn work_on_the_tools_own_tables_is_known(#[case] sql: &str, #[case] expected: bool) {
    assert_eq!(facts(sql).is_about(&["schema_migrations"]), expected);
}

#[test]
fn a_statement_can_be_skipped_as_often_as_it_says_if() {
    let conditions = |sql: &str| facts(sql).conditions();
    assert_eq!(conditions("ALTER TABLE t ADD COLUMN IF NOT EXISTS a int, ADD b int"), 1);
    assert_eq!(conditions("DROP TABLE IF EXISTS a; DROP INDEX IF EXISTS b"), 2);
    assert_eq!(conditions("ALTER TYPE e ADD VALUE IF NOT EXISTS 'a'"), 1);
    assert_eq!(conditions("CREATE TABLE t (a int)"), 0);
}

#[rstest]
#[case("ALTER TABLE t ADD k int DEFAULT 5", No, No)]
#[case("ALTER TABLE t ADD k timestamptz DEFAULT now()", No, No)]
#[case("ALTER TABLE t ADD k uuid DEFAULT gen_random_uuid()", Yes, Yes)]
#[case("ALTER TABLE t ADD k text DEFAULT mine()", Maybe, Maybe)]
#[case("ALTER TABLE t ADD k serial", Yes, Yes)]
#[case("ALTER TABLE t ADD k mood", Maybe, Maybe)]
#[case("ALTER TABLE t ADD k int GENERATED ALWAYS AS (c + 1) STORED", Yes, Yes)]
#[case("ALTER TABLE t ADD k int GENERATED ALWAYS AS (c + 1) VIRTUAL", No, No)]
#[case("ALTER TABLE t ALTER c TYPE bigint", Maybe, Maybe)]
#[case("ALTER TABLE t ALTER c SET NOT NULL", Maybe, No)]
#[case("ALTER TABLE t ADD CHECK (a > 0)", Yes, No)]
#[case("ALTER TABLE t ADD CHECK (a > 0) NOT VALID", No, No)]
#[case("ALTER TABLE t ADD PRIMARY KEY (a)", Yes, No)]
#[case("CREATE INDEX i ON t (a)", Yes, No)]
#[case("VACUUM FULL t", Yes, Yes)]
#[case("DO $$ BEGIN VACUUM FULL t; END $$", Maybe, Maybe)]
#[case("INSERT INTO t VALUES (1)", No, No)]
#[case("ALTER TABLE t ADD", Maybe, Maybe)]
fn scans_and_rewrites_are_known_as_far_as_the_text_says(
    #[case] sql: &str,
    #[case] scans: Certainty,
    #[case] rewrites: Certainty,
) {
    let found = facts(sql);
    assert_eq!((found.statements[0].scans, found.statements[0].rewrites), (scans, rewrites));
}

#[rstest]
#[case("CREATE INDEX CONCURRENTLY i ON t (a)", true)]
#[case("REINDEX TABLE CONCURRENTLY t", true)]
#[case("REINDEX SCHEMA s", true)]
#[case("REINDEX TABLE t", false)]
#[case("CLUSTER", true)]
#[case("CLUSTER t", false)]
#[case("VACUUM t", true)]
#[case("ANALYZE t", false)]
fn what_commits_by_itself_runs_outside_transactions(#[case] sql: &str, #[case] expected: bool) {
    assert_eq!(facts(sql).outside_transaction(), expected);
}

#[rstest]
#[case("BEGIN ISOLATION LEVEL SERIALIZABLE")]
#[case("start transaction")]
#[case("END")]
#[case("COMMIT AND CHAIN")]
#[case("COMMIT PREPARED 'a'")]
#[case("ROLLBACK WORK TO SAVEPOINT a")]
#[case("RELEASE a")]
#[case("SET LOCAL lock_timeout = '3s'")]
#[case("SET TRANSACTION READ ONLY")]
#[case("RESET ALL")]
#[case("SHOW ALL")]
#[case("CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS \"My\" ON t (a)")]
#[case("create index IX on t (a)")]
#[case("CREATE INDEX ON t (a)")]
#[case("DROP INDEX CONCURRENTLY a")]
#[case("REINDEX INDEX CONCURRENTLY a")]
#[case("REINDEX (VERBOSE) TABLE a")]
#[case("REINDEX DATABASE x")]
#[case("ALTER TABLE p DETACH PARTITION a CONCURRENTLY")]
#[case("ALTER TABLE t ADD COLUMN a int")]
#[case("WITH a AS (SELECT 1) UPDATE t SET a = 1")]
#[case("WITH RECURSIVE a AS (DELETE FROM t RETURNING *) SELECT * FROM a")]
#[case("VALUES (1)")]
#[case("TABLE t")]
#[case("VACUUM (ANALYZE) t")]
#[case("CREATE DATABASE x")]
#[case("ALTER SYSTEM SET a = 1")]
#[case("DO $$ BEGIN END $$")]
#[case("CALL p()")]
#[case("EXPLAIN SELECT 1")]
fn the_leading_words_and_the_tree_agree_on_the_kind(#[case] sql: &str) {
    assert_eq!(*facts(sql).kind(), syntax::kind(sql), "{sql}");
    assert_eq!(facts(sql).statements.len(), 1);
    assert!(facts(sql).statements[0].locks.is_some() || sql.starts_with("CALL"), "{sql}");
}

#[test]
fn words_that_are_no_keywords_where_they_are_do_not_mislead() {
    assert_eq!(*facts("ALTER TABLE detach ADD concurrently int").kind(), Kind::AlterTable);
    assert_eq!(
        *facts("DROP INDEX \"concurrently\"").kind(),
        Kind::DropIndex { concurrently: false }
    );
}

#[rstest]
#[case("CREATE TABLE t (a int, \"B\" numeric(1, 2), PRIMARY KEY (a))", "t",
    Some(&["a", "B"][..]))]
#[case("CREATE UNLOGGED TABLE IF NOT EXISTS s.t (a int[] DEFAULT ARRAY[1, 2])", "s.t",
    Some(&["a"][..]))]
#[case("CREATE TABLE t (LIKE u)", "t", None)]
#[case("CREATE TABLE t (a int) INHERITS (u)", "t", None)]
#[case("CREATE TABLE t PARTITION OF u FOR VALUES IN (1)", "t", None)]
#[case("CREATE TABLE t AS SELECT 1", "t", None)]
#[case("SELECT 1 AS a INTO s.t", "s.t", None)]
#[case("CREATE TABLE t (a int, CHECK (a IN (1, 2)), b text)", "t", Some(&["a", "b"][..]))]
fn a_created_table_states_its_columns(
    #[case] sql: &str,
    #[case] name: &str,
    #[case] columns: Option<&[&str]>,
) {
    let columns = columns.map(|c| c.iter().map(|c| (*c).to_owned()).collect());
    let expected = CreatedTable { name: name.to_owned(), columns };
    assert_eq!(facts(sql).created(), Some(&expected));
}

#[rstest]
#[case("(SELECT ")]
#[case("CASE WHEN ")]
#[case("NOT ")]
fn facts_of_any_depth_of_nesting_overflow_no_stack(#[case] part: &str) {
    for times in [10, 90, 1_000, 3_990, 100_000] {
        let _ = facts(&format!("SELECT {}", part.repeat(times)));
    }
    let close = |times: usize| format!("SELECT {}1{}", "(SELECT ".repeat(times), ")".repeat(times));
    for times in [40, 90, 1_000] {
        let _ = facts(&close(times));
    }
}
