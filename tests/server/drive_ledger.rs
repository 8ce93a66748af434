//! The ledger against a real server: what was acknowledged is there, and what is not is found.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use pgauntlet::connect::Address;
use pgauntlet::history::{LedgerReport, Mismatch, OperationOutcome};
use pgauntlet::scenario::{Follow, Generator, LedgerRule, Meant, Parameter};
use rstest::rstest;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};

use crate::common;
use crate::traffic::{
    World, generated, insert, more_finished, operation, pool, scenario, session, until, update,
};

const TABLE: &str = "CREATE TABLE t (id text, value integer)";

/// Inserts and updates for a while, and then one thing goes wrong behind the application's back.
async fn tampered(tampering: &str) -> LedgerReport {
    let operations = vec![insert("insert"), update("update", "insert")];
    let scenario = scenario(400.0, pool(3, 3, 10_000), operations);
    let world = World::new(common::fresh_database().await, TABLE, scenario).await;
    let driving = world.start().await;
    until("rows were updated", async || {
        world.count("SELECT count(*) FROM t WHERE value IS NOT NULL").await >= 20
    })
    .await;
    let stopped = driving.stop().await;
    let (address, scenario) = (&world.address, &world.scenario);
    let before = stopped.ledger.check(address, scenario).await.expect("a report");
    assert_eq!((before.mismatches, before.indeterminate), (0, 0), "{before:?}");
    assert!(before.acknowledged >= 40);
    assert_eq!(world.admin.client().execute(tampering, &[]).await.expect("tampering"), 1);
    stopped.ledger.check(address, scenario).await.expect("a report")
}

#[rstest]
#[case("DELETE FROM t WHERE id = (SELECT id FROM t ORDER BY value NULLS FIRST LIMIT 1)", "lost")]
#[case("INSERT INTO t SELECT * FROM t ORDER BY value NULLS FIRST LIMIT 1", "doubled")]
#[case(
    "UPDATE t SET value = -1 WHERE id = (SELECT id FROM t WHERE value IS NOT NULL LIMIT 1)",
    "changed"
)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_happened_behind_the_application_s_back_is_found(
    #[case] tampering: &str,
    #[case] expected: &str,
) {
    let report = tampered(tampering).await;
    assert_eq!(report.mismatches, 1, "{report:?}");
    let [example] = report.examples.as_slice() else { panic!("{report:?}") };
    assert_eq!(example.table, "t");
    let kind = match &example.kind {
        Mismatch::Lost => "lost",
        Mismatch::Doubled { times: 2 } => "doubled",
        Mismatch::Overwritten { column, found: Some(found), .. } => {
            assert_eq!((column.as_str(), found.as_str()), ("value", "-1"));
            assert_eq!(example.operation, "update");
            "changed"
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(kind, expected);
}

/// Keys are the server's: an insert returns them, and a delete takes each once.
#[rstest]
#[case::of_a_number("bigint GENERATED ALWAYS AS IDENTITY", "-1")]
#[case::of_a_uuid("uuid DEFAULT gen_random_uuid()", "00000000-0000-0000-0000-000000000000")]
#[case::of_a_domain("code DEFAULT gen_random_uuid()::text", "")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_with_keys_that_the_server_makes_are_remembered(
    #[case] key: &str,
    #[case] none: &str,
) {
    let value = generated(Generator::Integer { min: 0, max: 9 });
    let sql = "INSERT INTO t (value) VALUES ($1) RETURNING id";
    let mut insert = operation("insert", &[(sql, &["value"])], &[("value", value)]);
    let (table, key_column) = ("t".to_owned(), "id".to_owned());
    let set = BTreeMap::from([("value".to_owned(), "value".to_owned())]);
    insert.ledger = Some(LedgerRule::Insert { table, key_column, key_parameter: None, set });
    let followed = Parameter::Follow(Follow {
        operation: "insert".to_owned(),
        parameter: "returning id".to_owned(),
        after_ms: 50,
        otherwise: Generator::Constant { value: none.to_owned() },
    });
    let sql = "DELETE FROM t WHERE id = $1";
    let mut delete = operation("delete", &[(sql, &["id"])], &[("id", followed)]);
    let (table, key_column) = ("t".to_owned(), "id".to_owned());
    let key_parameter = "id".to_owned();
    delete.ledger = Some(LedgerRule::Delete { table, key_column, key_parameter });
    delete.weight = 0.5;
    let scenario = scenario(300.0, pool(3, 3, 10_000), vec![insert, delete]);
    let schema = format!(
        "CREATE DOMAIN code AS text; CREATE TABLE t (id {key} PRIMARY KEY, value integer); \
         CREATE TABLE bin (LIKE t); CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS \
         'BEGIN INSERT INTO bin SELECT OLD.*; RETURN OLD; END'; CREATE TRIGGER keep \
         AFTER DELETE ON t FOR EACH ROW EXECUTE FUNCTION keep();"
    );
    let world = World::new(common::fresh_database().await, &schema, scenario).await;
    let driving = world.start().await;
    until("rows were deleted", async || world.count("SELECT count(*) FROM bin").await >= 5).await;
    let stopped = driving.stop().await;
    let check = async || {
        let report = stopped.ledger.check(&world.address, &world.scenario).await;
        report.expect("a report")
    };
    let (rows, deleted) = (
        world.count("SELECT count(*) FROM t").await,
        world.count("SELECT count(*) FROM bin").await,
    );
    let before = check().await;
    assert_eq!(before.mismatches, 0, "{before:?}");
    assert_eq!(before.acknowledged, (rows + 2 * deleted).unsigned_abs());
    let restored = "INSERT INTO t OVERRIDING SYSTEM VALUE SELECT * FROM bin LIMIT 1";
    world.admin.batch(restored).await.expect("a row that comes back");
    world.admin.batch("DELETE FROM t WHERE id <> ALL (SELECT id FROM bin)").await.expect("lost");
    let after = check().await;
    assert_eq!(after.mismatches, rows.unsigned_abs() + 1, "{after:?}");
    let restored = |kind: &Mismatch| matches!(kind, Mismatch::Restored);
    let lost = |kind: &Mismatch| matches!(kind, Mismatch::Lost);
    assert!(after.examples.iter().all(|one| restored(&one.kind) || lost(&one.kind)), "{after:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn values_are_compared_as_their_column_s_type_prints_them() {
    let sql = "INSERT INTO t (id, amount, plain, binary_json, at) VALUES ($1, $2, $3, $4, $5) \
               ON CONFLICT (id) DO UPDATE SET amount = $2, plain = $3, binary_json = $4, at = $5";
    let names = ["id", "amount", "plain", "binary", "at"];
    let constant = |value: &str| generated(Generator::Constant { value: value.to_owned() });
    let parameters = [
        ("id", generated(Generator::Integer { min: 1, max: 20 })),
        ("amount", constant("1.5")),
        ("plain", constant("{\"b\" : 1,  \"a\":2}")),
        ("binary", constant("{\"b\" : 1,  \"a\":2}")),
        ("at", constant("2026-01-02 03:04:05.6+07")),
    ];
    let mut upsert = operation("upsert", &[(sql, &names)], &parameters);
    let set = [("amount", "amount"), ("plain", "plain"), ("binary_json", "binary"), ("at", "at")];
    upsert.ledger = Some(LedgerRule::Update {
        table: "public.t".to_owned(),
        key_column: "id".to_owned(),
        key_parameter: "id".to_owned(),
        set: set.iter().map(|(c, p)| ((*c).to_owned(), (*p).to_owned())).collect(),
    });
    let schema = "CREATE TABLE t (id bigint PRIMARY KEY, amount numeric(10, 2), plain json, \
                  binary_json jsonb, at timestamptz)";
    let scenario = scenario(300.0, pool(3, 0, 10_000), vec![upsert]);
    let world = World::new(common::fresh_database().await, schema, scenario).await;
    let driving = world.start().await;
    more_finished(&driving, 100).await;
    let stopped = driving.stop().await;
    let report = stopped.ledger.check(&world.address, &world.scenario).await.expect("a report");
    assert_eq!(report.mismatches, 0, "{report:?}");
    assert_eq!(report.acknowledged, stopped.counters.succeeded);
    world.admin.batch("UPDATE t SET plain = '{\"b\":1,\"a\":2}' WHERE id = 7").await.expect("one");
    let report = stopped.ledger.check(&world.address, &world.scenario).await.expect("a report");
    assert_eq!(report.mismatches, 1, "json keeps its text, and this is another: {report:?}");
}

/// What a row was inserted with stays in it: through another type of the column, not where the
/// row was changed, unless that is accepted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_inserted_beside_the_key_is_compared() {
    let sql = "INSERT INTO t (id, amount, note, gone) VALUES ($1, $2, $3, $4)";
    let constant = |value: &str| generated(Generator::Constant { value: value.to_owned() });
    let parameters = [
        ("id", generated(Generator::Uuid)),
        ("amount", constant("17.50")),
        ("note", constant("as it was sent")),
        ("gone", constant("1")),
    ];
    let names: &[&str] = &["id", "amount", "note", "gone"];
    let mut insert = operation("insert", &[(sql, names)], &parameters);
    let set = names[1..].iter().map(|name| ((*name).to_owned(), (*name).to_owned())).collect();
    let (table, key_column) = ("t".to_owned(), "id".to_owned());
    let key_parameter = Some("id".to_owned());
    insert.ledger = Some(LedgerRule::Insert { table, key_column, key_parameter, set });
    let schema = "CREATE TABLE t (id uuid PRIMARY KEY, amount numeric(10, 2), note text, \
                  gone integer)";
    let scenario = scenario(300.0, pool(3, 0, 10_000), vec![insert]);
    let mut world = World::new(common::fresh_database().await, schema, scenario).await;
    let driving = world.start().await;
    more_finished(&driving, 50).await;
    let stopped = driving.stop().await;
    let other_types = "ALTER TABLE t ALTER amount TYPE integer, DROP COLUMN gone";
    world.admin.batch(other_types).await.expect("a type without the digits");
    let report = stopped.ledger.check(&world.address, &world.scenario).await.expect("a report");
    assert_eq!(report.mismatches, 0, "{report:?}");
    let spoil = "UPDATE t SET note = 'spoilt' WHERE id IN (SELECT id FROM t LIMIT 3)";
    world.admin.batch(spoil).await.expect("three rows");
    let report = stopped.ledger.check(&world.address, &world.scenario).await.expect("a report");
    assert_eq!(report.mismatches, 3, "{report:?}");
    let spoilt = Some("spoilt".to_owned());
    let expected = "as it was sent".to_owned();
    let kind = Mismatch::Overwritten { column: "note".to_owned(), expected, found: spoilt };
    assert!(report.examples.iter().all(|one| one.kind == kind), "{report:?}");
    let values = Some("t.note".to_owned());
    world.scenario.accept = vec![Meant { values, ..Meant::default() }];
    let report = stopped.ledger.check(&world.address, &world.scenario).await.expect("a report");
    assert_eq!(report.mismatches, 0, "{report:?}");
}

/// What was acknowledged has a label that is none any more, so it is not what is there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_label_that_was_renamed_is_another_value() {
    let sql = "INSERT INTO t (id, state) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET state = $2";
    let paid = generated(Generator::Constant { value: "paid".to_owned() });
    let id = generated(Generator::Integer { min: 1, max: 20 });
    let parameters = [("id", id), ("state", paid)];
    let mut upsert = operation("upsert", &[(sql, &["id", "state"])], &parameters);
    upsert.ledger = Some(LedgerRule::Update {
        table: "public.t".to_owned(),
        key_column: "id".to_owned(),
        key_parameter: "id".to_owned(),
        set: [("state".to_owned(), "state".to_owned())].into(),
    });
    let schema = "CREATE TYPE state AS ENUM ('open', 'paid'); \
                  CREATE TABLE t (id bigint PRIMARY KEY, state state)";
    let scenario = scenario(300.0, pool(3, 0, 10_000), vec![upsert]);
    let world = World::new(common::fresh_database().await, schema, scenario).await;
    let driving = world.start().await;
    more_finished(&driving, 50).await;
    let stopped = driving.stop().await;
    let check = async || stopped.ledger.check(&world.address, &world.scenario).await;
    assert_eq!(check().await.expect("a report").mismatches, 0);
    let rename = "ALTER TYPE state RENAME VALUE 'paid' TO 'settled'";
    world.admin.batch(rename).await.expect("another label");
    let report = check().await.expect("a report");
    assert!(report.mismatches > 0, "{report:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ledger_column_that_the_change_has_dropped_is_an_error_that_names_it() {
    let operations = vec![insert("insert"), update("update", "insert")];
    let scenario = scenario(400.0, pool(2, 0, 10_000), operations);
    let world = World::new(common::fresh_database().await, TABLE, scenario).await;
    let driving = world.start().await;
    more_finished(&driving, 50).await;
    let stopped = driving.stop().await;
    world.admin.batch("ALTER TABLE t DROP COLUMN value").await.expect("a drop");
    let checked = stopped.ledger.check(&world.address, &world.scenario).await;
    let error = checked.expect_err("an error").to_string();
    assert!(error.contains("has no column value"), "failed to {error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backend_that_is_terminated_in_its_statement_fails_the_operation_and_loses_nothing() {
    let scenario = scenario(100.0, pool(3, 0, 10_000), vec![insert("insert")]);
    let world = World::new(common::fresh_database().await, TABLE, scenario).await;
    let driving = world.start().await;
    more_finished(&driving, 10).await;
    let blocker = session(&world.address).await;
    let lock = "BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE";
    blocker.batch(lock).await.expect("the lock");
    until("all connections wait", async || world.lock_waits().await == 3).await;
    let terminate = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
                     WHERE application_name = 'pgauntlet app' AND datname = current_database()";
    assert_eq!(world.count(terminate).await, 3);
    until("three operations know", async || driving.gauge().failed >= 3).await;
    blocker.batch("COMMIT").await.expect("the end of the lock");
    more_finished(&driving, 30).await;
    let stopped = driving.stop().await;
    let report = stopped.ledger.check(&world.address, &world.scenario).await.expect("a report");
    assert_eq!(report.mismatches, 0, "{report:?}");
    let counters = stopped.counters;
    assert_eq!(counters.failed + counters.indeterminate, 3, "{counters:?}");
    assert!(counters.balances());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_whose_answer_never_came_is_indeterminate_and_found_to_be_applied() {
    let scenario = scenario(100.0, pool(2, 0, 10_000), vec![insert("insert")]);
    let world = World::new(common::fresh_database().await, TABLE, scenario).await;
    let proxy = Proxy::start(&world.address).await;
    let driving = world.try_start_at(&proxy.address).await;
    let driving = driving.unwrap_or_else(|error| panic!("failed to {error}"));
    more_finished(&driving, 10).await;
    proxy.cuts_next_answer.store(true, Ordering::SeqCst);
    until("an answer was lost", async || driving.gauge().failed >= 1).await;
    more_finished(&driving, 20).await;
    let stopped = driving.stop().await;
    assert_eq!((stopped.counters.indeterminate, stopped.counters.failed), (1, 0));
    let report = stopped.ledger.check(&world.address, &world.scenario).await.expect("a report");
    assert_eq!((report.indeterminate, report.indeterminate_applied), (1, 1));
    assert_eq!(report.mismatches, 0, "{report:?}");
    let indeterminate =
        |outcome: &OperationOutcome| matches!(outcome, OperationOutcome::Indeterminate(_));
    assert_eq!(world.operations().iter().filter(|o| indeterminate(&o.outcome)).count(), 1);
}

/// Between driver and server; it can lose one answer, and the connection with it.
struct Proxy {
    address: Address,
    cuts_next_answer: Arc<AtomicBool>,
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

impl Proxy {
    async fn start(server: &Address) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let address = Address::tcp("127.0.0.1", port, server.user(), None);
        let cuts_next_answer = Arc::new(AtomicBool::new(false));
        let (place, cuts) = (server.place(), Arc::clone(&cuts_next_answer));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(carry(client, dial(&place).await, Arc::clone(&cuts)));
            }
        });
        Proxy { address: address.with_database(server.database()), cuts_next_answer }
    }
}

async fn dial(place: &str) -> Box<dyn Stream> {
    let (host, port) = place.rsplit_once(':').expect("host and port");
    if host.starts_with('/') {
        let socket = Path::new(host).join(format!(".s.PGSQL.{port}"));
        return Box::new(UnixStream::connect(socket).await.expect("the server's socket"));
    }
    Box::new(TcpStream::connect(place).await.expect("the server's port"))
}

async fn carry(mut client: TcpStream, mut server: Box<dyn Stream>, cuts: Arc<AtomicBool>) {
    let (mut asked, mut answered) = ([0; 8_192], [0; 8_192]);
    loop {
        tokio::select! {
            read = client.read(&mut asked) => match read {
                Ok(bytes) if bytes > 0 => {
                    if server.write_all(&asked[..bytes]).await.is_err() { return; }
                }
                _ => return,
            },
            read = server.read(&mut answered) => match read {
                // The answer to an operation's request: the write is done, and nobody is told.
                Ok(bytes) if bytes > 0 && !cuts.swap(false, Ordering::SeqCst) => {
                    if client.write_all(&answered[..bytes]).await.is_err() { return; }
                }
                _ => return,
            },
        }
    }
}
