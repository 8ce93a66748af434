//! What to do instead: by what happened, for each cause that is known.

use pgauntlet::explain;
use pgauntlet::result::{Evidence, Finding, StatementRef, Subject};
use pgauntlet::scenario::Verdict;
use rstest::rstest;
use serde_json::{Value, json};

fn statement(text: &str) -> StatementRef {
    let statement = json!({
        "migration": "m", "origin": "file", "file": "m/1.sql", "line": 1, "text": text,
        "took_us": 5,
    });
    serde_json::from_value(statement).expect("a statement")
}

fn error(code: &str, message: &str) -> Value {
    json!({ "sqlstate": code, "message": message, "detail": null, "hint": null })
}

fn remedy(evidence: Value, about: Option<&str>) -> String {
    let evidence: Evidence = serde_json::from_value(evidence).expect("evidence");
    let subject = Subject { statement: about.map(statement), ..Subject::none() };
    explain::remedy(&Finding::new(Verdict::Unsafe, subject, evidence)).unwrap_or_default()
}

/// A change that holds its lock while `text` runs.
fn stall(text: &str, taken_earlier: bool) -> String {
    let evidence = json!({ "stall": {
        "operations": 3, "longest_us": 2_000_000, "limit_us": 1_000_000, "state": "holding",
        "waiting_us": 0, "holding_us": 2_000_000, "idle_us": 0, "overhead_us": 0,
        "lock_timeout_us": null, "idle_timeout_us": null, "behind": null,
        "locktype": "relation", "taken_earlier": taken_earlier, "stalls": 1,
    }});
    remedy(evidence, Some(text))
}

#[rstest]
#[case("ALTER TABLE t ADD c int GENERATED ALWAYS AS (a * 2) STORED", "index the expression")]
#[case("ALTER TABLE t ADD c uuid DEFAULT gen_random_uuid()", "SET DEFAULT for new rows")]
#[case("ALTER TABLE t ADD c bigserial", "nextval(…) for new rows")]
#[case("ALTER TABLE t ALTER c TYPE bigint", "a new column of the new type")]
#[case("ALTER TABLE t SET LOGGED", "copies the whole table")]
#[case("VACUUM FULL t", "pg_repack")]
#[case("CLUSTER t USING i", "pg_repack")]
#[case("ALTER TABLE t ADD PRIMARY KEY (id)", "USING INDEX")]
#[case("ALTER TABLE t ADD UNIQUE (a)", "CREATE UNIQUE INDEX CONCURRENTLY")]
#[case("ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES u", "NOT VALID, and VALIDATE")]
#[case("ALTER TABLE t ADD CHECK (a > 0)", "NOT VALID, and VALIDATE")]
#[case("ALTER TABLE t ALTER a SET NOT NULL", "a valid CHECK spares the scan")]
#[case("CREATE INDEX i ON t (a)", "CREATE INDEX CONCURRENTLY")]
#[case("REINDEX TABLE t", "REINDEX … CONCURRENTLY")]
#[case("REFRESH MATERIALIZED VIEW v", "REFRESH MATERIALIZED VIEW CONCURRENTLY")]
#[case("ALTER TABLE t ATTACH PARTITION p DEFAULT", "a valid CHECK that implies its bounds")]
#[case("ALTER DOMAIN d ADD CHECK (value > 0)", "VALIDATE it later")]
#[case("UPDATE t SET a = 1", "batches that each commit")]
#[case("ALTER TABLE t RENAME a TO b", "alone in its transaction")]
fn a_stall_has_the_remedy_of_the_work_that_was_done_under_the_lock(
    #[case] text: &str,
    #[case] remedy: &str,
) {
    let given = stall(text, false);
    assert!(given.contains(remedy), "{text}: {given}");
}

#[test]
fn work_that_needs_no_strong_lock_is_to_leave_the_transaction_of_what_took_it() {
    for text in ["UPDATE t SET a = 1", "ALTER TABLE t VALIDATE CONSTRAINT c", "SELECT f()"] {
        let given = stall(text, true);
        assert!(given.contains("one statement per transaction"), "{text}: {given}");
    }
    let validation = stall("ALTER TABLE t VALIDATE CONSTRAINT c", true);
    assert!(validation.contains("in a transaction of its own stops no writer"), "{validation}");
    let rewrite = stall("ALTER TABLE t ALTER c TYPE bigint", true);
    assert!(rewrite.contains("a new column of the new type"), "{rewrite}");
}

fn failed_change(code: &str, message: &str, text: &str) -> String {
    let evidence = json!({ "change-failed": {
        "application": { "attempt": 0, "runners": 1 }, "came": "from-statement",
        "error": error(code, message),
    }});
    remedy(evidence, Some(text))
}

#[rstest]
#[case("23505", "could not create unique index", "CREATE UNIQUE INDEX i ON t (a)", "duplicates")]
#[case("23505", "could not create unique index", "ALTER TABLE t ADD UNIQUE (a)", "duplicates")]
#[case("23503", "violates", "ALTER TABLE t VALIDATE CONSTRAINT f", "rows without a parent")]
#[case("23514", "is violated", "ALTER TABLE t ADD CHECK (a > 0)", "rows that break it")]
#[case("23502", "contains null values", "ALTER TABLE t ALTER a SET NOT NULL", "IS NOT NULL")]
#[case("42710", "constraint already exists", "ALTER TABLE t ADD CHECK (a > 0)", "already")]
#[case("42701", "column already exists", "ALTER TABLE t ADD a int", "already")]
#[case("42P07", "relation already exists", "CREATE TABLE t (a int)", "already")]
#[case("55P04", "unsafe use of new value", "UPDATE t SET a = 'new'", "commit ALTER TYPE")]
#[case("42501", "must be owner of table t", "ALTER TABLE t ADD a int", "grant the role")]
#[case(
    "55000",
    "partition \"p\" already pending detach in partitioned table \"public.t\"",
    "ALTER TABLE t DETACH PARTITION p CONCURRENTLY",
    "FINALIZE"
)]
fn a_failed_change_has_the_remedy_of_its_cause(
    #[case] code: &str,
    #[case] message: &str,
    #[case] text: &str,
    #[case] remedy: &str,
) {
    let given = failed_change(code, message, text);
    assert!(given.contains(remedy), "{code} of {text}: {given}");
}

#[test]
fn a_foreign_key_that_a_backfill_violates_is_not_one_that_is_added_over_orphans() {
    assert_eq!(failed_change("23503", "violates", "UPDATE t SET a = 1"), "");
}

#[rstest]
#[case(1, "in the order in which the application takes them")]
#[case(2, "one runner at a time")]
fn a_deadlock_has_the_remedy_of_whom_it_was_with(#[case] runners: u32, #[case] remedy_of: &str) {
    let evidence = json!({ "deadlock": {
        "application": { "attempt": 0, "runners": runners }, "came": "from-statement",
        "error": error("40P01", "deadlock detected"),
    }});
    let given = remedy(evidence, Some("CREATE INDEX CONCURRENTLY i ON t (a)"));
    assert!(given.contains(remedy_of), "{given}");
}

fn failed_operation(code: &str, message: &str, sql: &str) -> String {
    let evidence = json!({ "operation-failed": {
        "operations": 3, "first": { "name": "read", "pid": 7 },
        "failure": { "error": error(code, message) }, "sql": sql,
    }});
    remedy(evidence, None)
}

const CACHED_PLAN: &str = "cached plan must not change result type";
const NO_IDENTITY: &str =
    "cannot update table \"t\" because it does not have a replica identity and publishes updates";

#[rstest]
#[case("0A000", CACHED_PLAN, "SELECT * FROM t WHERE a = $1", "name the columns")]
#[case("0A000", CACHED_PLAN, "SELECT id FROM t WHERE a = $1", "the type of a column")]
#[case("55000", NO_IDENTITY, "UPDATE t SET a = 1", "REPLICA IDENTITY")]
#[case("42703", "column does not exist", "SELECT a FROM t", "two releases")]
#[case("42P01", "relation does not exist", "SELECT a FROM t", "two releases")]
#[case("23502", "null value in column", "INSERT INTO t (a) VALUES (1)", "DEFAULT")]
#[case("23514", "violates check", "INSERT INTO t (a) VALUES (1)", "still writes such rows")]
#[case("23505", "duplicate key", "INSERT INTO t (a) VALUES (1)", "setval")]
#[case("42501", "permission denied for table t", "SELECT a FROM t", "GRANT")]
#[case("40P01", "deadlock detected", "UPDATE t SET a = 1", "take the locks in the order")]
fn a_failed_operation_has_the_remedy_of_its_cause(
    #[case] code: &str,
    #[case] message: &str,
    #[case] sql: &str,
    #[case] remedy: &str,
) {
    let given = failed_operation(code, message, sql);
    assert!(given.contains(remedy), "{code} of {sql}: {given}");
}

#[test]
fn another_error_of_an_unsupported_feature_is_not_put_down_to_cached_plans() {
    assert_eq!(failed_operation("0A000", "cannot insert into a view", "INSERT INTO v"), "");
}
