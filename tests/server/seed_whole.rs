//! A schema with all its keys, constraints, indexes and triggers is filled and is as it was.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use futures_util::future::BoxFuture;
use pgauntlet::connect::{Address, Session};
use pgauntlet::history::{Listener, Progress, ServerFacts, silent};
use pgauntlet::observe;
use pgauntlet::scenario::Scenario;
use pgauntlet::schema::Fingerprint;
use pgauntlet::seed::{self, Plan, ReadCatalogue, Template};
use rstest::rstest;

use crate::common;
use crate::example;

const SCHEMA: &str = "
CREATE EXTENSION btree_gist;
CREATE TABLE plans (code text, level int, title text NOT NULL, PRIMARY KEY (code, level));
CREATE TABLE accounts (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email text NOT NULL UNIQUE,
    plan_code text, plan_level int,
    parent_id int REFERENCES accounts,
    favourite_id int,
    balance numeric(8,2) NOT NULL CHECK (balance >= 0),
    status text NOT NULL, closed_at timestamptz,
    CHECK ((status = 'closed') = (closed_at IS NOT NULL)),
    FOREIGN KEY (plan_code, plan_level) REFERENCES plans MATCH FULL
);
CREATE TABLE orders (
    id int PRIMARY KEY, account_id int NOT NULL REFERENCES accounts ON DELETE CASCADE,
    code varchar(8) NOT NULL CHECK (code ~ '^[A-Z]{2}-[0-9]{5}$'), note text
);
ALTER TABLE accounts ADD FOREIGN KEY (favourite_id) REFERENCES orders;
CREATE TABLE members (
    account_id int REFERENCES accounts, order_id int REFERENCES orders,
    PRIMARY KEY (account_id, order_id)
);
CREATE TABLE bookings (
    room int, during tstzrange, EXCLUDE USING gist (room WITH =, during WITH &&)
);
CREATE INDEX orders_note ON orders (lower(note), (note || 'x')) WHERE note IS NOT NULL;
ALTER INDEX orders_note ALTER COLUMN 2 SET STATISTICS 500;
COMMENT ON INDEX orders_note IS 'it''s for the search';
CREATE INDEX orders_account ON orders (account_id) WITH (fillfactor = 70);
CLUSTER orders USING orders_account;
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE 'not by hand'; END $$;
CREATE TRIGGER refuse BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION refuse();
";

const TABLES: &str = r#"
[[table]]
name = "plans"
rows = 6
[table.columns]
code  = { pool = { file = "pools/plans.tsv", column = "code", each = 1 } }
level = { pool = { file = "pools/plans.tsv", column = "level", each = 1 } }
title = { fake = "word" }

[[table]]
name = "accounts"
rows = 12_000
[table.columns]
id           = { serial = {} }
email        = { numbered = "user-{n}@example.org" }
plan_code.reference = { table = "plans", column = "code", row = "plan" }
plan_code.null_fraction = 0.3
plan_level.reference = { table = "plans", column = "level", row = "plan" }
plan_level.null_fraction = 0.3
parent_id    = { reference = { table = "accounts", column = "id", earlier = true } }
favourite_id = { reference = { table = "orders", column = "id" }, null_fraction = 0.5 }
balance      = { decimal = { min = "0.00", max = "999999.99", scale = 2 } }
status       = { pool = { file = "pools/accounts.tsv", column = "status" } }
closed_at    = { pool = { file = "pools/accounts.tsv", column = "closed_at" } }

[[table]]
name = "orders"
rows = 30_000
[table.columns]
id         = { numbered = "{n*2}" }
account_id = { reference = { table = "accounts", column = "id", skew = 0.8 } }
code       = { pattern = "[A-Z]{2}-[0-9]{5}" }
note       = { fake = "sentence", null_fraction = 0.2 }

[[table]]
name = "members"
rows = 20_000
[table.columns]
account_id = { reference = { table = "accounts", column = "id", each = 1 } }
order_id   = { reference = { table = "orders", column = "id", each = 12_000 } }

[[table]]
name = "bookings"
rows = 1_000
[table.columns]
room   = { numbered = "{n%7}" }
during = { numbered = "[{n/7*3600:time},{n/7*3600+1800:time})" }
"#;

const REST: &str = "
[traffic]
rate_per_s = 1
[[operation]]
name = \"read\"
weight = 1
sql = \"SELECT 1 FROM plans\"
[change]
command = \"true\"
[expect]
verdict = \"safe\"
";

fn scenario(schema: &str, tables: &str, more: &[(&str, &str)]) -> Scenario {
    let toml = format!(
        "analysis = \"x\"\n[schema]\ntables = \"schema.sql\"\nwhole = true\n{tables}{REST}"
    );
    let plans = "code\tlevel\na\t1\na\t2\nb\t1\nb\t2\nc\t1\nc\t2\n";
    let accounts = "status\tclosed_at\nopen\t\\N\nclosed\t2026-01-01 00:00:00+00\nnew\t\\N\n";
    let mut files = BTreeMap::from([
        ("scenario.toml".to_owned(), toml),
        ("schema.sql".to_owned(), schema.to_owned()),
        ("pools/plans.tsv".to_owned(), plans.to_owned()),
        ("pools/accounts.tsv".to_owned(), accounts.to_owned()),
    ]);
    files.extend(more.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())));
    example::load(&files).unwrap_or_else(|problems| panic!("{problems}"))
}

fn catalogue(session: &Session) -> BoxFuture<'_, Result<Fingerprint, String>> {
    Box::pin(async move { observe::fingerprint(session).await.map_err(|e| e.to_string()) })
}

async fn open(address: &Address) -> Session {
    Session::open(address, "test", &BTreeMap::new()).await.expect("a session")
}

async fn one<T>(session: &Session, sql: &str) -> T
where
    T: for<'a> tokio_postgres::types::FromSql<'a>,
{
    session.client().query_one(sql, &[]).await.expect(sql).get(0)
}

/// Fills a template on a server of that major and copies it.
async fn filled(
    major: u32,
    scenario: &Scenario,
    catalogue: ReadCatalogue,
    loaders: usize,
    listener: &Listener,
) -> (Template, Session) {
    let server = common::fresh_database_of(major).await.with_database("postgres");
    let facts = ServerFacts { version_num: major * 10_000, ..ServerFacts::default() };
    let sizes = scenario.declared_sizes();
    let plan = Plan { scenario, sizes, loaders, catalogue: Some(catalogue) };
    let template = seed::template(&server, &facts, &plan, true, listener).await;
    let template = template.unwrap_or_else(|error| panic!("{error}"));
    static COPIES: AtomicU32 = AtomicU32::new(0);
    let name = format!("pgauntlet_whole_{}", COPIES.fetch_add(1, Ordering::Relaxed));
    let copy = seed::copy(&server, &template, &name, facts.version_num).await.expect("a copy");
    (template, open(&copy).await)
}

/// Checks each foreign key, CHECK and exclusion of the database again.
const AGAIN: &str = "
DO $$
DECLARE c record;
BEGIN
    FOR c IN SELECT conrelid::regclass AS t, conname, pg_get_constraintdef(oid) AS def
             FROM pg_constraint WHERE contype IN ('f', 'c', 'x') AND conrelid <> 0
    LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', c.t, c.conname);
        EXECUTE format('ALTER TABLE %s ADD CONSTRAINT %I %s', c.t, c.conname, c.def);
    END LOOP;
END $$";

#[rstest]
#[case(14)]
#[case(18)]
#[tokio::test(flavor = "multi_thread")]
async fn a_whole_schema_is_filled_and_is_as_it_was(#[case] major: u32) {
    let scenario = scenario(SCHEMA, TABLES, &[]);
    let (template, session) = filled(major, &scenario, catalogue, 2, &silent()).await;
    assert_eq!(template.short, []);
    for table in &scenario.tables {
        let sql = format!("SELECT count(*) FROM {}", table.name);
        assert_eq!(one::<i64>(&session, &sql).await as u64, table.rows, "{}", table.name);
    }
    session.batch(AGAIN).await.expect("every constraint holds");
    let bare = open(&common::fresh_database_of(major).await).await;
    bare.batch(SCHEMA).await.expect("the schema");
    let expected = observe::fingerprint(&bare).await.expect("a fingerprint");
    let found = observe::fingerprint(&session).await.expect("a fingerprint");
    assert_eq!(found, expected);
    let half = "SELECT count(*) FROM accounts WHERE (plan_code IS NULL) <> (plan_level IS NULL)";
    assert_eq!(one::<i64>(&session, half).await, 0);
    let ahead = "SELECT count(*) FROM accounts WHERE parent_id >= id";
    assert_eq!(one::<i64>(&session, ahead).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_is_refused_is_left_out_and_said_whoever_loads() {
    const SHORT: &str = "
        CREATE TABLE plans (code text PRIMARY KEY, n int CHECK (n <> 7));
        CREATE TABLE uses (id int PRIMARY KEY, code text NOT NULL REFERENCES plans,
                           next_id int REFERENCES uses);";
    const FILL: &str = r#"
[[table]]
name = "plans"
rows = 20_007
[table.columns]
code = { numbered = "{n%20000}" }
n    = { numbered = "{n%10007}" }
[[table]]
name = "uses"
rows = 20_000
[table.columns]
id      = { serial = {} }
code    = { reference = { table = "plans", column = "code", each = 1 } }
next_id = { reference = { table = "uses", column = "id", each = 1 } }
"#;
    let mut kept = Vec::new();
    for loaders in [1, 3] {
        let mut scenario = scenario(SHORT, FILL, &[]);
        // Another template for each.
        scenario.rng_seed = loaders as u64;
        let (template, session) = filled(15, &scenario, catalogue, loaders, &silent()).await;
        let said: Vec<String> = template.short.iter().map(|short| short.to_text()).collect();
        assert_eq!(said.len(), 2, "{said:?}");
        let plans = "plans has 19999 of 20007 rows: 2 rows: new row for relation \"plans\" \
                     violates check constraint \"plans_n_check\" (23514 check_violation); \
                     6 rows: duplicate key value violates unique constraint \"plans_pkey\" \
                     (23505 unique_violation)";
        assert!(said.contains(&plans.to_owned()), "{said:?}");
        assert!(said.iter().any(|s| s.contains("uses_code_fkey")), "{said:?}");
        session.batch(AGAIN).await.expect("every constraint holds");
        let loaded = template.short.iter().find(|short| short.table == "uses").expect("uses");
        assert_eq!(one::<i64>(&session, "SELECT count(*) FROM uses").await as u64, loaded.loaded);
        let sum = "SELECT sum(hashtext(p::text)::int8)::int8 FROM plans p";
        kept.push(one::<i64>(&session, sum).await);
        let server = common::fresh_database_of(15).await.with_database("postgres");
        let facts = ServerFacts { version_num: 150_000, ..ServerFacts::default() };
        let sizes = scenario.declared_sizes();
        let plan = Plan { scenario: &scenario, sizes, loaders, catalogue: Some(catalogue) };
        let again = seed::template(&server, &facts, &plan, true, &silent()).await.expect("it is");
        assert!(again.reused);
        assert_eq!(again.short, template.short);
    }
    assert_eq!(kept[0], kept[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_that_is_not_as_it_was_is_loaded_with_everything_in_place() {
    fn other_each_time(_: &Session) -> BoxFuture<'_, Result<Fingerprint, String>> {
        static READ: AtomicU32 = AtomicU32::new(0);
        let number = READ.fetch_add(1, Ordering::Relaxed).to_string();
        let objects = BTreeMap::from([(number, BTreeMap::new())]);
        Box::pin(async move { Ok(Fingerprint { objects }) })
    }
    let mut scenario = scenario(SCHEMA, TABLES, &[]);
    scenario.rng_seed = 77;
    let notes: Arc<Mutex<Vec<String>>> = Arc::default();
    let heard = Arc::clone(&notes);
    let listener: Listener = Arc::new(move |progress| {
        if let Progress::Note(note) = progress {
            heard.lock().expect("no test panics here").push(note);
        }
    });
    let (template, session) = filled(15, &scenario, other_each_time, 2, &listener).await;
    let notes = notes.lock().expect("no test panics here").clone();
    assert!(notes.iter().any(|note| note.contains("with everything in place")), "{notes:?}");
    assert_eq!(template.short, []);
    assert_eq!(one::<i64>(&session, "SELECT count(*) FROM orders").await, 30_000);
}
