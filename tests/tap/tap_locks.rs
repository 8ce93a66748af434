//! What the tap tells of a statement's locks and rewrites is what the server really did.
//!
//! Each row is a statement, the locks that PostgreSQL's manual and measurements say it leaves with
//! its transaction, and the relations that it gives new storage. t is the table with its indexes
//! t_c and t_pkey, ref the referenced table, p a partitioned one with p1, p2 and the default pd. A
//! lock on an index is its table's. What the statement's text says of its locks is held to the same
//! rows.

use std::collections::BTreeMap;

use pgauntlet::history::{Protocol, StatementEnded, TransactionStatus};
use pgauntlet::pg::LockMode;
use pgauntlet::pg::facts::{AskedLock, Certainty, Relation, facts};
use rstest::rstest;

use crate::common;
use crate::tapped::{Tapped, letters, run};

struct Row {
    name: &'static str,
    /// Run before, by another session.
    given: &'static str,
    sql: &'static str,
    /// AS AccessShare, RS RowShare, RX RowExclusive, SUX ShareUpdateExclusive, S Share,
    /// SRX ShareRowExclusive, X Exclusive, AX AccessExclusive.
    locks: &'static str,
    rewritten: &'static str,
    /// What the text cannot say of the locks, and why.
    unsaid: &'static str,
    /// The majors that do so.
    since: u32,
    until: u32,
}

const fn row(name: &'static str, sql: &'static str, locks: &'static str) -> Row {
    Row { name, given: "", sql, locks, rewritten: "", unsaid: "", since: 14, until: 18 }
}

impl Row {
    const fn given(self, given: &'static str) -> Row {
        Row { given, ..self }
    }

    const fn rewrites(self, rewritten: &'static str) -> Row {
        Row { rewritten, ..self }
    }

    /// `ref AX: the key that goes is not in the text`
    const fn without(self, unsaid: &'static str) -> Row {
        Row { unsaid, ..self }
    }

    const fn since(self, since: u32) -> Row {
        Row { since, ..self }
    }

    const fn until(self, until: u32) -> Row {
        Row { until, ..self }
    }
}

const SCHEMA: &str = "
DROP SCHEMA IF EXISTS public CASCADE; CREATE SCHEMA public;
CREATE TABLE ref (id int PRIMARY KEY);
INSERT INTO ref SELECT generate_series(1, 100);
CREATE TABLE t (id int PRIMARY KEY, c int, w int NOT NULL, v varchar(50), x text,
                n numeric(10,2), at timestamp, j text, r int);
CREATE INDEX t_c ON t (c);
INSERT INTO t SELECT i, i, i, 'v' || i, 'x' || i, i, '2020-01-01', '{}', i % 100 + 1
FROM generate_series(1, 1000) i;";

/// What making the indexes anew takes beside.
const REBUILT: &str = "t AX, t S";
const BOTH: &str = "t, t_c, t_pkey";
const ON_V: &str = "DROP INDEX t_c; CREATE INDEX t_c ON t (v)";
const FK: &str = "ALTER TABLE t ADD CONSTRAINT fk FOREIGN KEY (r) REFERENCES ref";
const FK_NOT_VALID: &str =
    "ALTER TABLE t ADD CONSTRAINT fk FOREIGN KEY (r) REFERENCES ref NOT VALID";
const CHECK: &str = "ALTER TABLE t ADD CONSTRAINT ck CHECK (c IS NOT NULL)";
const CHECK_NOT_VALID: &str = "ALTER TABLE t ADD CONSTRAINT ck CHECK (c IS NOT NULL) NOT VALID";
const UQI: &str = "CREATE UNIQUE INDEX uqi ON t (w)";
const UQI_NO_PK: &str = "CREATE UNIQUE INDEX uqi ON t (w); ALTER TABLE t DROP CONSTRAINT t_pkey";
const FUNCTION: &str = "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql \
     AS 'BEGIN RETURN new; END'";
const TRIGGER: &str = "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql \
     AS 'BEGIN RETURN new; END'; \
     CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()";
const VIEW: &str = "CREATE VIEW v AS SELECT id FROM t";
const MV: &str = "CREATE MATERIALIZED VIEW mv AS SELECT id FROM t; \
     CREATE UNIQUE INDEX mv_id_idx ON mv (id)";
const ENUM: &str = "DROP TYPE IF EXISTS e; CREATE TYPE e AS ENUM ('a')";
const DOMAIN: &str = "CREATE DOMAIN d AS int; ALTER TABLE t ADD k d";
const P: &str = "CREATE TABLE p (id int, c int) PARTITION BY RANGE (id); \
     CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (100); \
     INSERT INTO p SELECT i, i FROM generate_series(0, 99) i; CREATE TABLE p2 (id int, c int)";
const P_CHECK: &str = "CREATE TABLE p (id int, c int) PARTITION BY RANGE (id); \
     CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (100); \
     CREATE TABLE p2 (id int NOT NULL, c int, CHECK (id >= 100 AND id < 200))";
const P_DEFAULT: &str = "CREATE TABLE p (id int, c int) PARTITION BY RANGE (id); \
     CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (100); \
     CREATE TABLE pd PARTITION OF p DEFAULT";

const COLUMNS: &[Row] = &[
    row("ADD COLUMN nullable", "ALTER TABLE t ADD k int", "t AX"),
    row("ADD COLUMN that is there", "ALTER TABLE t ADD COLUMN IF NOT EXISTS c int", "t AX"),
    row("ADD COLUMN DEFAULT const", "ALTER TABLE t ADD k int DEFAULT 5", "t AX"),
    row("ADD COLUMN NOT NULL DEFAULT", "ALTER TABLE t ADD k int NOT NULL DEFAULT 5", "t AX"),
    row("ADD COLUMN DEFAULT stable", "ALTER TABLE t ADD k timestamptz DEFAULT now()", "t AX"),
    row("volatile clock", "ALTER TABLE t ADD k timestamptz DEFAULT clock_timestamp()", REBUILT)
        .rewrites(BOTH),
    row("volatile uuid", "ALTER TABLE t ADD k uuid DEFAULT gen_random_uuid()", REBUILT)
        .rewrites(BOTH),
    row("STORED", "ALTER TABLE t ADD k int GENERATED ALWAYS AS (c + 1) STORED", REBUILT)
        .rewrites(BOTH),
    row("ADD COLUMN serial", "ALTER TABLE t ADD k serial", "t AS, t AX, t S").rewrites(BOTH),
    row(
        "ADD COLUMN identity",
        "ALTER TABLE t ADD k int GENERATED ALWAYS AS IDENTITY",
        "t AS, t AX, t S",
    )
    .rewrites(BOTH),
    row("ADD COLUMN CHECK inline", "ALTER TABLE t ADD k int CHECK (k > 0)", "t AX"),
    row(
        "ADD COLUMN REFERENCES inline",
        "ALTER TABLE t ADD k int REFERENCES ref",
        "ref AS, ref SRX, t AS, t AX, t SRX",
    ),
    row("ADD COLUMN constrained domain", "ALTER TABLE t ADD k d", REBUILT)
        .given("CREATE DOMAIN d AS int CHECK (value > 0)")
        .rewrites(BOTH),
    row("DROP COLUMN", "ALTER TABLE t DROP COLUMN v", "t AX"),
    row("TYPE int->bigint", "ALTER TABLE t ALTER r TYPE bigint", REBUILT).rewrites(BOTH),
    row(
        "TYPE varchar(50)->varchar(100), indexed",
        "ALTER TABLE t ALTER v TYPE varchar(100)",
        "t AS, t AX, t S",
    )
    .given(ON_V),
    row("TYPE varchar(50)->text, indexed", "ALTER TABLE t ALTER v TYPE text", "t AS, t AX, t S")
        .given(ON_V),
    // t_c is made anew: another relation, with storage of its own.
    row(
        "TYPE varchar(50)->varchar(20), indexed",
        "ALTER TABLE t ALTER v TYPE varchar(20)",
        REBUILT,
    )
    .given(ON_V)
    .rewrites("t, t_pkey"),
    row("TYPE text->varchar", "ALTER TABLE t ALTER x TYPE varchar", "t AX"),
    row("TYPE text->varchar(50)", "ALTER TABLE t ALTER x TYPE varchar(50)", REBUILT).rewrites(BOTH),
    row("TYPE numeric, wider", "ALTER TABLE t ALTER n TYPE numeric(12,2)", "t AX"),
    row("TYPE numeric, free", "ALTER TABLE t ALTER n TYPE numeric", "t AX"),
    row("TYPE numeric, scale", "ALTER TABLE t ALTER n TYPE numeric(12,4)", REBUILT).rewrites(BOTH),
    row(
        "TYPE timestamptz in UTC",
        "SET LOCAL timezone = 'UTC'; ALTER TABLE t ALTER at TYPE timestamptz",
        "t AX",
    ),
    row(
        "TYPE timestamptz in New York",
        "SET LOCAL timezone = 'America/New_York'; ALTER TABLE t ALTER at TYPE timestamptz",
        REBUILT,
    )
    .rewrites(BOTH),
    row("TYPE text->jsonb USING", "ALTER TABLE t ALTER j TYPE jsonb USING j::jsonb", REBUILT)
        .rewrites(BOTH),
    row("SET NOT NULL", "ALTER TABLE t ALTER c SET NOT NULL", "t AX"),
    row("SET NOT NULL, CHECK", "ALTER TABLE t ALTER c SET NOT NULL", "t AX").given(CHECK),
    row("SET NOT NULL, NOT VALID", "ALTER TABLE t ALTER c SET NOT NULL", "t AX")
        .given(CHECK_NOT_VALID),
    row("DROP NOT NULL", "ALTER TABLE t ALTER w DROP NOT NULL", "t AX"),
    row("SET DEFAULT", "ALTER TABLE t ALTER c SET DEFAULT 1", "t AX"),
    row("SET STATISTICS", "ALTER TABLE t ALTER c SET STATISTICS 50", "t SUX"),
    row("SET (fillfactor)", "ALTER TABLE t SET (fillfactor = 80)", "t SUX"),
    row("SET (autovacuum_enabled)", "ALTER TABLE t SET (autovacuum_enabled = off)", "t SUX"),
    row("SET STORAGE", "ALTER TABLE t ALTER x SET STORAGE EXTERNAL", "t AX"),
    row(
        "ADD COLUMN VIRTUAL",
        "ALTER TABLE t ADD k int GENERATED ALWAYS AS (c + 1) VIRTUAL",
        "t AX",
    )
    .since(18),
];

const CONSTRAINTS: &[Row] = &[
    row("ADD CHECK", CHECK, "t AX"),
    row("ADD CHECK NOT VALID", CHECK_NOT_VALID, "t AX"),
    row("VALIDATE CHECK", "ALTER TABLE t VALIDATE CONSTRAINT ck", "t SUX").given(CHECK_NOT_VALID),
    row("ADD FK", FK, "ref AS, ref RS, ref SRX, t AS, t SRX"),
    row("ADD FK NOT VALID", FK_NOT_VALID, "ref AS, ref SRX, t AS, t SRX"),
    row("VALIDATE FK", "ALTER TABLE t VALIDATE CONSTRAINT fk", "ref AS, ref RS, t AS, t SUX")
        .without("ref RS, ref AS: what the constraint references is not in the text")
        .given(FK_NOT_VALID),
    row("DROP FK", "ALTER TABLE t DROP CONSTRAINT fk", "ref AX, t AX")
        .without("ref AX: what the constraint references is not in the text")
        .given(FK),
    row("FK DEFERRABLE", "ALTER TABLE t ALTER CONSTRAINT fk DEFERRABLE", "t AX").given(FK),
    row("DROP CHECK", "ALTER TABLE t DROP CONSTRAINT ck", "t AX").given(CHECK),
    row("ADD UNIQUE", "ALTER TABLE t ADD UNIQUE (w)", REBUILT),
    row(
        "ADD UNIQUE USING INDEX",
        "ALTER TABLE t ADD CONSTRAINT u UNIQUE USING INDEX uqi",
        "t AS, t AX, t SUX",
    )
    .given(UQI),
    row("ADD PRIMARY KEY", "ALTER TABLE t ADD PRIMARY KEY (r, c)", REBUILT)
        .given("ALTER TABLE t DROP CONSTRAINT t_pkey"),
    row(
        "ADD PK USING INDEX",
        "ALTER TABLE t ADD CONSTRAINT k PRIMARY KEY USING INDEX uqi",
        "t AS, t AX, t SUX",
    )
    .given(UQI_NO_PK),
    row(
        "ADD EXCLUDE",
        "ALTER TABLE t ADD EXCLUDE USING gist (int4range(c, c, '[]') WITH &&)",
        REBUILT,
    ),
    row("ADD NOT NULL NOT VALID", "ALTER TABLE t ADD CONSTRAINT nn NOT NULL c NOT VALID", "t AX")
        .since(18),
    row("VALIDATE NOT NULL", "ALTER TABLE t VALIDATE CONSTRAINT nn", "t SUX")
        .given("ALTER TABLE t ADD CONSTRAINT nn NOT NULL c NOT VALID")
        .since(18),
];

const OBJECTS: &[Row] = &[
    row("CREATE INDEX", "CREATE INDEX i ON t (r)", "t S"),
    row("CREATE INDEX that is there", "CREATE INDEX IF NOT EXISTS t_c ON t (r)", "t S"),
    row("DROP INDEX", "DROP INDEX t_c", "t AX"),
    row("REINDEX INDEX", "REINDEX INDEX t_c", REBUILT).rewrites("t_c"),
    row("REINDEX TABLE", "REINDEX TABLE t", REBUILT).rewrites("t_c, t_pkey"),
    row("ALTER INDEX RENAME", "ALTER INDEX t_c RENAME TO t_d", "t SUX"),
    row("RENAME COLUMN", "ALTER TABLE t RENAME c TO d", "t AX"),
    row("RENAME TABLE", "ALTER TABLE t RENAME TO u", "t AX"),
    row("RENAME CONSTRAINT", "ALTER TABLE t RENAME CONSTRAINT t_pkey TO k", "t AX, t SUX"),
    row("SET SCHEMA", "ALTER TABLE t SET SCHEMA other", "t AX")
        .given("DROP SCHEMA IF EXISTS other CASCADE; CREATE SCHEMA other"),
    row("OWNER TO", "ALTER TABLE t OWNER TO pg_monitor", "t AX"),
    row("GRANT", "GRANT SELECT ON t TO PUBLIC", "").until(17),
    row("GRANT", "GRANT SELECT ON t TO PUBLIC", "t AS")
        .without("t AS: only since PostgreSQL 18")
        .since(18),
    row("COMMENT ON TABLE", "COMMENT ON TABLE t IS 'x'", "t SUX"),
    row("COMMENT ON COLUMN", "COMMENT ON COLUMN t.c IS 'x'", "t SUX"),
    row(
        "CREATE TRIGGER",
        "CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()",
        "t SRX",
    )
    .given(FUNCTION),
    row("DISABLE TRIGGER", "ALTER TABLE t DISABLE TRIGGER g", "t SRX").given(TRIGGER),
    row("DROP TRIGGER", "DROP TRIGGER g ON t", "t AS, t AX").given(TRIGGER),
    row("CREATE POLICY", "CREATE POLICY y ON t USING (true)", "t AX"),
    row("ROW LEVEL SECURITY", "ALTER TABLE t ENABLE ROW LEVEL SECURITY", "t AX"),
    row("CREATE RULE", "CREATE RULE l AS ON DELETE TO t DO INSTEAD NOTHING", "t AX"),
    row("CREATE STATISTICS", "CREATE STATISTICS s ON c, r FROM t", "t SUX"),
    row("CREATE VIEW", VIEW, "t AS"),
    row("CREATE OR REPLACE VIEW", "CREATE OR REPLACE VIEW v AS SELECT id FROM t", "t AS, v AX")
        .given(VIEW),
    row("CREATE TABLE REFERENCES", "CREATE TABLE n (t int REFERENCES t)", "t AS, t SRX"),
    row("CREATE TABLE LIKE", "CREATE TABLE n (LIKE t)", "t AS"),
    row("CREATE TABLE AS", "CREATE TABLE n AS SELECT * FROM t", "t AS"),
    row("DROP TABLE", "DROP TABLE t", "ref AX, t AX")
        .without("ref AX: the key that goes with it is not in the text")
        .given(FK),
    row("TRUNCATE", "TRUNCATE t", REBUILT).rewrites(BOTH),
    row("SET UNLOGGED", "ALTER TABLE t SET UNLOGGED", REBUILT).rewrites(BOTH),
    row("CLUSTER", "CLUSTER t USING t_c", "t AS, t AX, t S").rewrites(BOTH),
    row("ANALYZE", "ANALYZE t", "t AS, t SUX"),
    row(
        "REFRESH MATERIALIZED VIEW",
        "REFRESH MATERIALIZED VIEW mv",
        "mv AS, mv AX, mv S, mv X, t AS",
    )
    .without("t AS: the view's query is not in the text")
    .given(MV)
    .rewrites("mv, mv_id_idx")
    .until(15),
    row("REFRESH MATERIALIZED VIEW", "REFRESH MATERIALIZED VIEW mv", "mv AX, mv S, mv X, t AS")
        .without("t AS: the view's query is not in the text")
        .given(MV)
        .rewrites("mv, mv_id_idx")
        .since(16),
    row(
        "REFRESH CONCURRENTLY",
        "REFRESH MATERIALIZED VIEW CONCURRENTLY mv",
        "mv AS, mv RX, mv X, t AS",
    )
    .without("t AS: the view's query is not in the text")
    .given(MV),
    row("ENUM ADD VALUE", "ALTER TYPE e ADD VALUE 'b'", "").given(ENUM),
    row("DOMAIN ADD CONSTRAINT", "ALTER DOMAIN d ADD CHECK (value > 0)", "t S").given(DOMAIN),
    row("DOMAIN ADD NOT VALID", "ALTER DOMAIN d ADD CHECK (value > 0) NOT VALID", "").given(DOMAIN),
];

const ROWS_AND_PARTITIONS: &[Row] = &[
    row("UPDATE all rows", "UPDATE t SET x = 'y'", "t RX"),
    row("UPDATE batch", "UPDATE t SET x = 'y' WHERE id < 100", "t RX"),
    row("DELETE batch", "DELETE FROM t WHERE id < 100", "t RX"),
    row("FOR UPDATE", "SELECT * FROM t WHERE id = 1 FOR UPDATE", "t RS"),
    row("LOCK TABLE", "LOCK TABLE t", "t AX"),
    row("ADD COLUMN + UPDATE", "ALTER TABLE t ADD k int; UPDATE t SET k = 1", "t AX, t RX"),
    row("PARTITION OF", "CREATE TABLE p3 PARTITION OF p FOR VALUES FROM (100) TO (200)", "p AX")
        .given(P),
    row(
        "PARTITION OF, a default is there",
        "CREATE TABLE p3 PARTITION OF p FOR VALUES FROM (100) TO (200)",
        "p AX, pd AX",
    )
    .without("pd AX: the default partition is not in the text")
    .given(P_DEFAULT),
    row(
        "ATTACH",
        "ALTER TABLE p ATTACH PARTITION p2 FOR VALUES FROM (100) TO (200)",
        "p SUX, p2 AX",
    )
    .given(P),
    row(
        "ATTACH with CHECK",
        "ALTER TABLE p ATTACH PARTITION p2 FOR VALUES FROM (100) TO (200)",
        "p SUX, p2 AX",
    )
    .given(P_CHECK),
    row("DETACH", "ALTER TABLE p DETACH PARTITION p1", "p AX, p1 AX").given(P),
    row("INDEX on a parent", "CREATE INDEX i ON p (c)", "p S, p1 S")
        .without("p1 S: partitions are not in the text")
        .given(P),
    row("INDEX ON ONLY a parent", "CREATE INDEX i ON ONLY p (c)", "p S").given(P),
];

fn rows(major: u32) -> Vec<&'static Row> {
    let all = [COLUMNS, CONSTRAINTS, OBJECTS, ROWS_AND_PARTITIONS].into_iter().flatten();
    all.filter(|row| (row.since..=row.until).contains(&major)).collect()
}

/// What the tap told of the row's statement, and what it should have: empty where they agree.
fn difference(row: &Row, ended: StatementEnded) -> Vec<String> {
    let mut told = Vec::new();
    let mut compare = |what: &str, found: String, wanted: &str| {
        if found != wanted {
            told.push(format!("{}: {what} {found:?} and not {wanted:?}", row.name));
        }
    };
    compare("held", letters(&ended.held), row.locks);
    compare("taken", letters(&ended.taken), row.locks);
    compare("rewritten", names(ended.rewritten), row.rewritten);
    told
}

/// Relations with the strongest lock on each, which is what decides who waits; in their order.
fn strongest(locks: impl Iterator<Item = (String, LockMode)>) -> Vec<(String, LockMode)> {
    let mut strongest: BTreeMap<String, LockMode> = BTreeMap::new();
    for (relation, mode) in locks {
        let known = strongest.entry(relation).or_insert(mode);
        *known = mode.max(*known);
    }
    strongest.into_iter().collect()
}

fn unsaid(row: &Row) -> impl Iterator<Item = &str> {
    let (locks, _) = row.unsaid.split_once(": ").unwrap_or_default();
    locks.split(", ").filter(|lock| !lock.is_empty())
}

fn measured(row: &Row) -> Vec<(String, LockMode)> {
    let locks = row.locks.split(", ").filter(|lock| !lock.is_empty());
    let unsaid: Vec<&str> = unsaid(row).collect();
    strongest(locks.filter(|lock| !unsaid.contains(lock)).map(|lock| {
        let (relation, letters) = lock.split_once(' ').expect("a relation and a mode");
        let mode =
            LockMode::ALL.into_iter().find(|mode| crate::tapped::mode_letters(*mode) == letters);
        (relation.to_owned(), mode.expect("letters of a mode"))
    }))
}

/// What the text names, as the row calls it.
fn named(lock: &AskedLock) -> (String, LockMode) {
    let relation = match &lock.relation {
        Relation::Named(name) => name.to_string(),
        // The only table that has indexes by these names, and columns of the domain.
        Relation::OfIndex(_) | Relation::OfType(_) => "t".to_owned(),
        Relation::InSchema(_) | Relation::Any => panic!("{lock:?}"),
    };
    (relation, lock.mode)
}

#[test]
fn the_text_says_which_locks_the_server_grants() {
    let mut wrong = Vec::new();
    for row in [COLUMNS, CONSTRAINTS, OBJECTS, ROWS_AND_PARTITIONS].into_iter().flatten() {
        let facts = facts(row.sql);
        let unknown = facts.statements.iter().any(|statement| statement.locks.is_none());
        let (said, measured) = (strongest(facts.locks().map(named)), measured(row));
        if unknown || said != measured {
            wrong.push(format!("{}: the text says {said:?} and not {measured:?}", row.name));
        }
        let rewrites = facts.statements.iter().map(|statement| statement.rewrites).max();
        match rewrites {
            Some(Certainty::Yes) if row.rewritten.is_empty() => {
                wrong.push(format!("{}: the text says that it rewrites", row.name));
            }
            Some(Certainty::No) if !row.rewritten.is_empty() => {
                wrong.push(format!("{}: the text says that it rewrites nothing", row.name));
            }
            _ => {}
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_the_text_cannot_say_is_measured() {
    for row in [COLUMNS, CONSTRAINTS, OBJECTS, ROWS_AND_PARTITIONS].into_iter().flatten() {
        for lock in unsaid(row) {
            assert!(row.locks.split(", ").any(|of| of == lock), "{}: {lock}", row.name);
        }
    }
}

fn names(mut rewritten: Vec<String>) -> String {
    rewritten.sort_unstable();
    rewritten.join(", ")
}

#[rstest]
#[tokio::test]
async fn locks_held_and_relations_rewritten_are_those_that_the_manual_names(
    #[values(14, 15, 16, 17, 18)] major: u32,
) {
    let address = common::fresh_database_of(major).await;
    let trial = Tapped::before(address, SCHEMA, &[]).await;
    let (client, beside) = (trial.client().await, trial.direct().await);
    let mut wrong = Vec::new();
    for row in rows(major) {
        beside.batch(SCHEMA).await.expect("the tables");
        beside.batch(row.given).await.unwrap_or_else(|e| panic!("{}: {e}", row.name));
        run(&client, &["BEGIN", row.sql]).await;
        wrong.extend(difference(row, trial.trace(row.sql).1));
        run(&client, &["ROLLBACK"]).await;
    }
    trial.assert_measured();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[rstest]
#[tokio::test]
async fn outside_a_transaction_nothing_is_held_and_the_same_is_rewritten(#[values(18)] major: u32) {
    let address = common::fresh_database_of(major).await;
    let trial = Tapped::before(address, SCHEMA, &[]).await;
    let (client, beside) = (trial.client().await, trial.direct().await);
    let mut wrong = Vec::new();
    for row in rows(major).into_iter().filter(|row| row.name != "LOCK TABLE") {
        beside.batch(SCHEMA).await.expect("the tables");
        beside.batch(row.given).await.unwrap_or_else(|e| panic!("{}: {e}", row.name));
        run(&client, &[row.sql]).await;
        let (began, ended) = trial.trace(row.sql);
        assert_eq!(began.transaction, TransactionStatus::Idle, "{}", row.name);
        assert_eq!(ended.transaction, TransactionStatus::Idle, "{}", row.name);
        assert_eq!((ended.held, ended.taken), (vec![], vec![]), "{}", row.name);
        let found = names(ended.rewritten);
        if found != row.rewritten {
            wrong.push(format!("{}: {found:?} and not {:?}", row.name, row.rewritten));
        }
    }
    trial.assert_measured();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[rstest]
#[case::create_index(
    "CREATE INDEX CONCURRENTLY i ON t (r)",
    "",
    "",
    "SELECT indisvalid FROM pg_index WHERE indexrelid = 'i'::regclass"
)]
#[case::drop_index("DROP INDEX CONCURRENTLY t_c", "", "", "SELECT to_regclass('t_c') IS NULL")]
#[case::reindex(
    "REINDEX INDEX CONCURRENTLY t_c",
    "",
    "",
    "SELECT indisvalid AND to_regclass('t_c_ccnew') IS NULL AND to_regclass('t_c_ccold') IS NULL \
     FROM pg_index WHERE indexrelid = 't_c'::regclass"
)]
#[case::detach(
    "ALTER TABLE p DETACH PARTITION p1 CONCURRENTLY",
    P,
    "",
    "SELECT NOT relispartition FROM pg_class WHERE oid = 'p1'::regclass"
)]
#[case::vacuum("VACUUM t", "", "", "SELECT true")]
#[case::vacuum_full("VACUUM FULL t", "", BOTH, "SELECT true")]
#[tokio::test]
async fn what_needs_no_transaction_runs_through_the_tap(
    #[case] sql: &str,
    #[case] given: &str,
    #[case] rewritten: &str,
    #[case] left: &str,
    #[values(Protocol::Simple, Protocol::Extended)] protocol: Protocol,
) {
    let trial = Tapped::with(&format!("{SCHEMA}{given}")).await;
    let client = trial.client().await;
    match protocol {
        Protocol::Simple => run(&client, &[sql]).await,
        _ => drop(client.execute(sql, &[]).await.unwrap_or_else(|e| panic!("{e:?}"))),
    }
    let (began, ended) = trial.trace(sql);
    assert_eq!(began.protocol, protocol);
    assert_eq!((ended.error, ended.held, ended.taken), (None, vec![], vec![]));
    assert_eq!(names(ended.rewritten), rewritten);
    assert_eq!(ended.transaction, TransactionStatus::Idle);
    let row = trial.direct().await.client().query_one(left, &[]).await.expect("a row");
    assert!(row.get::<_, bool>(0), "{left}");
    trial.assert_measured();
}
