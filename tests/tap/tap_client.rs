//! What a client sees of its statements, without a tap and through one.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use futures_util::future::join_all;
use futures_util::{SinkExt, StreamExt, TryStreamExt, pin_mut};
use rstest::rstest;
use tokio_postgres::SimpleQueryMessage;
use tokio_postgres::binary_copy::{BinaryCopyInWriter, BinaryCopyOutStream};
use tokio_postgres::types::Type;

use crate::ways::{Caller, Place, WAYS, Way, code, said, within};

/// Each row as its columns, each end as its count.
fn told(messages: &[SimpleQueryMessage]) -> Vec<String> {
    let told = |message: &SimpleQueryMessage| match message {
        SimpleQueryMessage::RowDescription(columns) => {
            let names: Vec<&str> = columns.iter().map(|column| column.name()).collect();
            Some(names.join("|"))
        }
        SimpleQueryMessage::Row(row) => {
            let values: Vec<&str> =
                (0..row.len()).map(|column| row.get(column).unwrap_or("NULL")).collect();
            Some(values.join("|"))
        }
        SimpleQueryMessage::CommandComplete(rows) => Some(format!("{rows} rows")),
        _ => None,
    };
    messages.iter().filter_map(told).collect()
}

#[rstest]
#[case(Way::Direct)]
#[case(Way::Tapped)]
#[tokio::test]
async fn each_statement_of_a_simple_query_gives_its_result(#[case] way: Way) {
    let place = Place::new(way).await;
    let client = place.client().await;
    let sql = "CREATE TABLE t (id int, name text);
         INSERT INTO t VALUES (1, 'a;b'), (2, NULL);
         SELECT id, name FROM t ORDER BY id;
         SELECT WHERE false; DELETE FROM t; -- nothing more";
    let messages = within(client.simple_query(sql)).await.unwrap();
    assert_eq!(
        told(&messages),
        ["0 rows", "2 rows", "id|name", "1|a;b", "2|NULL", "2 rows", "", "0 rows", "2 rows"]
    );
    let nothing = within(client.simple_query("-- a comment")).await.unwrap();
    assert_eq!(told(&nothing), ["0 rows"]);
    drop(client);
    place.done().await;
}

#[rstest]
#[case(Way::Direct)]
#[case(Way::Tapped)]
#[tokio::test]
async fn a_prepared_statement_is_used_again_and_again(#[case] way: Way) {
    let place = Place::new(way).await;
    let client = place.client().await;
    client.batch_execute("CREATE TABLE t (id int PRIMARY KEY, name text)").await.unwrap();
    let insert = client.prepare("INSERT INTO t VALUES ($1, $2) RETURNING id + 1").await.unwrap();
    assert_eq!(insert.params(), [Type::INT4, Type::TEXT]);
    let select = client.prepare_typed("SELECT name FROM t WHERE id = $1", &[Type::INT4]);
    let select = select.await.unwrap();
    for id in 0..50 {
        let name = (id % 3 != 0).then(|| format!("name {id}"));
        let row = client.query_one(&insert, &[&id, &name]).await.unwrap();
        assert_eq!(row.get::<_, i32>(0), id + 1);
        let row = client.query_one(&select, &[&id]).await.unwrap();
        assert_eq!(row.get::<_, Option<String>>(0), name);
    }
    assert_eq!(client.execute("UPDATE t SET name = 'x' WHERE id < $1", &[&10]).await.unwrap(), 10);
    // Closes both on the server, in front of whatever comes next.
    drop((insert, select));
    let left = "SELECT count(*)::text FROM pg_prepared_statements WHERE statement LIKE 'INSERT%'";
    assert_eq!(client.text(left).await, "0");
    drop(client);
    place.done().await;
}

#[rstest]
#[case(Way::Direct)]
#[case(Way::Tapped)]
#[tokio::test]
async fn values_of_many_types_and_nulls_come_as_they_were_sent(#[case] way: Way) {
    let place = Place::new(way).await;
    let client = place.client().await;
    let sql = "SELECT $1::bool, $2::int2, $3::int4, $4::int8, $5::float4, $6::float8, $7::text,
        $8::bytea, $9::timestamptz, $10::inet, $11::int4[], $12::text, $13::oid, $14::\"char\"";
    let bytes: Vec<u8> = (0..=255).collect();
    let at = SystemTime::UNIX_EPOCH + Duration::from_micros(1_700_000_000_123_456);
    let place_of: IpAddr = "2001:db8::1".parse().unwrap();
    let list = vec![Some(1), None, Some(-3)];
    let row = client
        .query_one(
            sql,
            &[
                &true,
                &i16::MIN,
                &i32::MAX,
                &i64::MIN,
                &1.5_f32,
                &f64::MIN_POSITIVE,
                &"naïve 日本 \u{1f418}",
                &bytes,
                &at,
                &place_of,
                &list,
                &None::<String>,
                &4_000_000_000_u32,
                &b'x'.cast_signed(),
            ],
        )
        .await
        .unwrap();
    assert!(row.get::<_, bool>(0));
    assert_eq!((row.get(1), row.get(2), row.get(3)), (i16::MIN, i32::MAX, i64::MIN));
    assert_eq!((row.get(4), row.get(5)), (1.5_f32, f64::MIN_POSITIVE));
    assert_eq!(row.get::<_, &str>(6), "naïve 日本 \u{1f418}");
    assert_eq!((row.get::<_, Vec<u8>>(7), row.get::<_, SystemTime>(8)), (bytes, at));
    assert_eq!((row.get::<_, IpAddr>(9), row.get::<_, Vec<Option<i32>>>(10)), (place_of, list));
    assert_eq!((row.get::<_, Option<&str>>(11), row.get(12)), (None, 4_000_000_000_u32));
    assert_eq!(row.get::<_, i8>(13), b'x'.cast_signed());
    drop(client);
    place.done().await;
}

#[rstest]
#[case(Way::Direct)]
#[case(Way::Tapped)]
#[tokio::test]
async fn a_large_value_and_many_rows_arrive_whole(#[case] way: Way) {
    let place = Place::new(way).await;
    let client = place.client().await;
    let large: Vec<u8> = (0..20_000_000_u32).map(|at| (at % 251) as u8).collect();
    let row = within(client.query_one("SELECT $1::bytea", &[&large])).await.unwrap();
    assert!(row.get::<_, &[u8]>(0) == large, "20 MB are not what they were");
    let text = "x".repeat(20_000_000);
    let messages = within(client.simple_query(&format!("SELECT length('{text}')"))).await.unwrap();
    assert_eq!(told(&messages)[1], "20000000");
    let rows = "SELECT n, repeat('y', n % 300) FROM generate_series(1, 10000) n ORDER BY n";
    let rows = within(client.query(rows, &[])).await.unwrap();
    assert_eq!(rows.len(), 10_000);
    for (row, number) in rows.iter().zip(1..) {
        assert_eq!(row.get::<_, i32>(0), number);
        assert_eq!(row.get::<_, &str>(1).len(), number as usize % 300);
    }
    drop(client);
    place.done().await;
}

#[rstest]
#[case(Way::Direct)]
#[case(Way::Tapped)]
#[tokio::test]
async fn a_portal_gives_its_rows_in_parts(#[case] way: Way) {
    let place = Place::new(way).await;
    let mut client = place.client().await;
    let transaction = client.transaction().await.unwrap();
    let rows = transaction.bind("SELECT generate_series(1, $1::int4)", &[&10]).await.unwrap();
    let other = transaction.bind("SELECT 'other'", &[]).await.unwrap();
    let mut parts = Vec::new();
    for _ in 0..4 {
        let part = transaction.query_portal(&rows, 4).await.unwrap();
        parts.push(part.iter().map(|row| row.get(0)).collect::<Vec<i32>>());
        // Another portal in between changes nothing.
        transaction.query_portal(&other, 1).await.unwrap();
    }
    assert_eq!(parts, [vec![1, 2, 3, 4], vec![5, 6, 7, 8], vec![9, 10], vec![]]);
    let sql = "DECLARE c CURSOR FOR SELECT generate_series(1, 5)";
    transaction.batch_execute(sql).await.unwrap();
    assert_eq!(transaction.query("FETCH 3 FROM c", &[]).await.unwrap().len(), 3);
    assert_eq!(transaction.query("FETCH ALL FROM c", &[]).await.unwrap().len(), 2);
    transaction.commit().await.unwrap();
    drop(client);
    place.done().await;
}

#[rstest]
#[case(Way::Direct)]
#[case(Way::Tapped)]
#[tokio::test]
async fn statements_sent_ahead_are_answered_in_order(#[case] way: Way) {
    let place = Place::new(way).await;
    let client = place.client().await;
    client.batch_execute("CREATE TABLE t (id int PRIMARY KEY, n int)").await.unwrap();
    let insert = client.prepare("INSERT INTO t VALUES ($1, $1 * 2) RETURNING n").await.unwrap();
    let answers = join_all((0..500_i32).map(|id| {
        let (client, insert) = (&client, &insert);
        async move {
            // Every tenth violates the key: its neighbours are transactions of their own.
            let id = if id % 10 == 9 { 0 } else { id };
            match client.query_one(insert, &[&id]).await {
                Ok(row) => row.get::<_, i32>(0).to_string(),
                Err(error) => said(&error).code().code().to_owned(),
            }
        }
    }));
    let expected = (0..500).map(|id| match id % 10 {
        9 => "23505".to_owned(),
        _ => (id * 2).to_string(),
    });
    assert_eq!(within(answers).await, expected.collect::<Vec<_>>());
    assert_eq!(client.text("SELECT count(*)::text FROM t").await, "450");
    // Simple queries, statements to be prepared and prepared ones, all on their way at once.
    let (simple, unprepared) = (client.simple_query("SELECT 1; SELECT 2"), client.query("", &[]));
    let wrong = client.query("SELECT no_such_column", &[]);
    let prepared = client.query_one(&insert, &[&1_000]);
    let (simple, unprepared, wrong, prepared) =
        within(async { tokio::join!(simple, unprepared, wrong, prepared) }).await;
    assert_eq!(told(&simple.unwrap()).len(), 6);
    assert_eq!((unprepared.unwrap().len(), code(wrong)), (0, "42703".to_owned()));
    assert_eq!(prepared.unwrap().get::<_, i32>(0), 2_000);
    drop((client, insert));
    place.done().await;
}

#[rstest]
#[case(Way::Direct)]
#[case(Way::Tapped)]
#[tokio::test]
async fn transactions_and_savepoints_do_what_they_say(#[case] way: Way) {
    let place = Place::new(way).await;
    let mut client = place.client().await;
    let schema = "CREATE TABLE t (id int UNIQUE DEFERRABLE INITIALLY DEFERRED)";
    client.batch_execute(schema).await.unwrap();
    let mut transaction = client.transaction().await.unwrap();
    transaction.execute("INSERT INTO t VALUES (1)", &[]).await.unwrap();
    let savepoint = transaction.savepoint("s").await.unwrap();
    assert_eq!(code(savepoint.execute("SELECT 1/0", &[]).await), "22012");
    assert_eq!(code(savepoint.execute("INSERT INTO t VALUES (2)", &[]).await), "25P02");
    savepoint.rollback().await.unwrap();
    let savepoint = transaction.savepoint("s").await.unwrap();
    savepoint.execute("INSERT INTO t VALUES (3)", &[]).await.unwrap();
    savepoint.commit().await.unwrap();
    transaction.commit().await.unwrap();
    let ids = "SELECT string_agg(id::text, ' ' ORDER BY id) FROM t";
    assert_eq!(client.text(ids).await, "1 3");
    let transaction = client.transaction().await.unwrap();
    transaction.batch_execute("INSERT INTO t VALUES (4); INSERT INTO t VALUES (4)").await.unwrap();
    assert_eq!(code(transaction.commit().await), "23505");
    drop(client.transaction().await.unwrap());
    let sql = "BEGIN; INSERT INTO t VALUES (5); ROLLBACK; INSERT INTO t VALUES (6); SELECT 1/0";
    assert_eq!(code(client.batch_execute(sql).await), "22012");
    assert_eq!(client.text(ids).await, "1 3");
    // Nothing may come before it in the transaction that takes a snapshot.
    let builder =
        client.build_transaction().isolation_level(tokio_postgres::IsolationLevel::Serializable);
    let transaction = builder.read_only(true).deferrable(true).start().await.unwrap();
    let sql = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ";
    transaction.execute(sql, &[]).await.unwrap();
    assert_eq!(code(transaction.execute("INSERT INTO t VALUES (7)", &[]).await), "25006");
    drop(transaction);
    drop(client);
    place.done().await;
}

#[rstest]
#[case(Way::Direct)]
#[case(Way::Tapped)]
#[tokio::test]
async fn what_refuses_to_be_in_a_transaction_runs_by_either_protocol(#[case] way: Way) {
    let place = Place::new(way).await;
    let mut client = place.client().await;
    client.batch_execute("CREATE TABLE t (id int)").await.unwrap();
    let database = place.address.database().to_owned();
    for sql in [
        "VACUUM t".to_owned(),
        "CREATE INDEX CONCURRENTLY i_N ON t (id)".to_owned(),
        "REINDEX INDEX CONCURRENTLY i_N".to_owned(),
        "DROP INDEX CONCURRENTLY i_N".to_owned(),
        format!("CREATE DATABASE {database}_N"),
        format!("DROP DATABASE {database}_N"),
    ] {
        let (simple, extended) = (sql.replace("_N", "_1"), sql.replace("_N", "_2"));
        within(client.batch_execute(&simple)).await.unwrap_or_else(|e| panic!("{sql}: {e:?}"));
        within(client.execute(&extended, &[])).await.unwrap_or_else(|e| panic!("{sql}: {e:?}"));
        let transaction = client.transaction().await.unwrap();
        assert_eq!(code(transaction.execute(&extended, &[]).await), "25001", "{sql}");
    }
    client.execute("DISCARD ALL", &[]).await.unwrap();
    drop(client);
    place.done().await;
}

/// The errors of one run, each with every field that the server sent.
async fn errors(place: &Place) -> Vec<String> {
    let client = place.client().await;
    let schema = "CREATE SCHEMA s;
        CREATE TABLE s.t (id int PRIMARY KEY, n int NOT NULL CONSTRAINT small CHECK (n < 10));
        CREATE FUNCTION s.fail(text) RETURNS int LANGUAGE plpgsql AS $$
        BEGIN RAISE 'it failed: %', $1 USING ERRCODE = 'P0042', DETAIL = 'why', HINT = 'how';
        END $$; INSERT INTO s.t VALUES (1, 1)";
    client.batch_execute(schema).await.unwrap();
    let mut told = Vec::new();
    for sql in [
        "SELEC 1",
        "SELECT * FROM s.nothing",
        "SELECT 1 WHERE id = 'x'",
        "INSERT INTO s.t VALUES (1, 2)",
        "INSERT INTO s.t VALUES (2, 20)",
        "INSERT INTO s.t VALUES (2, NULL)",
        "SELECT s.fail('badly')",
        "SELECT 1 / (n - 1) FROM s.t",
        "SELECT 'abc'::int",
        "COMMIT PREPARED 'none'",
        "SET no_such_setting = 1",
    ] {
        let extended = client.query(sql, &[]).await.expect_err("an error");
        told.push(format!("{sql}: {:?}", said(&extended)));
        let simple = client.batch_execute(&format!("SELECT 1; {sql}; SELECT 2")).await;
        told.push(format!("{sql}: {:?}", said(&simple.expect_err("an error"))));
    }
    let wrong = client.query("SELECT 1 / $1::int4", &[&0]).await.expect_err("an error");
    told.push(format!("{:?}", said(&wrong)));
    // The session is as good as before.
    assert_eq!(client.text("SELECT count(*)::text FROM s.t").await, "1");
    told
}

#[tokio::test]
async fn errors_are_the_same_in_every_field() {
    let mut told = Vec::new();
    for way in WAYS {
        let place = Place::new(way).await;
        told.push(errors(&place).await);
        place.done().await;
    }
    assert_eq!(told[0].len(), 23);
    assert_eq!(told[0], told[1]);
}

async fn notices(place: &Place) -> Vec<String> {
    let mut client = place.client().await;
    client.batch_execute("SET client_min_messages = debug1").await.unwrap();
    let sql = "DO $$ BEGIN FOR i IN 1..3 LOOP RAISE NOTICE 'number %', i USING HINT = 'none';
        RAISE DEBUG 'small'; RAISE WARNING 'large'; END LOOP; RAISE INFO 'last'; END $$";
    client.execute(sql, &[]).await.unwrap();
    client.batch_execute("DROP TABLE IF EXISTS no_such_table").await.unwrap();
    let _ = client.batch_execute("DO $$ BEGIN RAISE NOTICE 'before'; RAISE 'it'; END $$").await;
    let mut told = Vec::new();
    while let Ok(tokio_postgres::AsyncMessage::Notice(notice)) = client.messages.try_recv() {
        told.push(format!("{notice:?}"));
    }
    told
}

#[tokio::test]
async fn notices_are_the_same_in_every_field() {
    let mut told = Vec::new();
    for way in WAYS {
        let place = Place::new(way).await;
        told.push(notices(&place).await);
        place.done().await;
    }
    assert!(told[0].len() >= 12, "{:?}", told[0]);
    assert_eq!(told[0], told[1]);
}

async fn copied(client: &Caller, sql: &str, pieces: &[&'static [u8]]) -> Result<u64, String> {
    let sink = client.copy_in::<_, &[u8]>(sql).await.map_err(|e| said(&e).to_string())?;
    pin_mut!(sink);
    for piece in pieces {
        sink.send(*piece).await.map_err(|e| said(&e).to_string())?;
    }
    sink.finish().await.map_err(|e| said(&e).to_string())
}

#[rstest]
#[case(Way::Direct)]
#[case(Way::Tapped)]
#[tokio::test]
async fn rows_are_copied_in_and_out_in_both_formats(#[case] way: Way) {
    let place = Place::new(way).await;
    let client = place.client().await;
    client.batch_execute("CREATE TABLE t (id int PRIMARY KEY, name text)").await.unwrap();
    let pieces: [&[u8]; 3] = [b"1\to", b"ne\n2\t\\N\n3", b"\tthree\n"];
    assert_eq!(copied(&client, "COPY t FROM STDIN", &pieces).await, Ok(3));
    let sink = client.copy_in("COPY t FROM STDIN (FORMAT binary)").await.unwrap();
    let writer = BinaryCopyInWriter::new(sink, &[Type::INT4, Type::TEXT]);
    pin_mut!(writer);
    for id in 4..=20_000_i32 {
        writer.as_mut().write(&[&id, &format!("name {id}")]).await.unwrap();
    }
    assert_eq!(within(writer.finish()).await.unwrap(), 19_997);
    let out = client.copy_out("COPY (SELECT * FROM t ORDER BY id) TO STDOUT").await.unwrap();
    let out: Vec<u8> = within(out.try_concat_bytes()).await;
    let text = String::from_utf8(out).unwrap();
    assert!(text.starts_with("1\tone\n2\t\\N\n3\tthree\n4\tname 4\n"), "{:.40}", text);
    assert_eq!(text.lines().count(), 20_000);
    let out = client.copy_out("COPY (SELECT * FROM t ORDER BY id) TO STDOUT (FORMAT binary)");
    let rows = BinaryCopyOutStream::new(out.await.unwrap(), &[Type::INT4, Type::TEXT]);
    pin_mut!(rows);
    let mut ids = BTreeSet::new();
    while let Some(row) = within(rows.next()).await {
        let row = row.unwrap();
        assert_eq!(row.get::<Option<&str>>(1).is_none(), row.get::<i32>(0) == 2);
        ids.insert(row.get::<i32>(0));
    }
    assert_eq!(ids, (1..=20_000).collect());
    drop(client);
    place.done().await;
}

#[rstest]
#[case(Way::Direct)]
#[case(Way::Tapped)]
#[tokio::test]
async fn a_copy_that_fails_leaves_the_session_usable(#[case] way: Way) {
    let place = Place::new(way).await;
    let client = place.client().await;
    client.batch_execute("CREATE TABLE t (id int PRIMARY KEY)").await.unwrap();
    let copy = "COPY t FROM STDIN";
    let bad = copied(&client, copy, &[b"1\nx\n"]).await.expect_err("a bad row");
    assert_eq!(bad, "ERROR: invalid input syntax for type integer: \"x\"");
    let mut pieces: Vec<&'static [u8]> = vec![b"1\n1\n"];
    // The server stops reading rows long before these are sent.
    pieces.extend(std::iter::repeat_n(b"2\n".as_slice(), 50_000));
    let double = within(copied(&client, copy, &pieces)).await.expect_err("a double key");
    assert!(double.contains("duplicate key value"), "{double}");
    // The driver is out of step with its session afterwards, so this one is another's.
    let other = place.client().await;
    let absent = copied(&other, "COPY absent FROM STDIN", &[]).await.expect_err("no table");
    assert_eq!(absent, "ERROR: relation \"absent\" does not exist");
    let mut sink = Box::pin(client.copy_in::<_, &[u8]>(copy).await.unwrap());
    sink.send(b"5\n".as_slice()).await.unwrap();
    // Dropped before its end: the driver says CopyFail.
    drop(sink);
    assert_eq!(client.text("SELECT count(*)::text FROM t").await, "0");
    assert_eq!(copied(&client, copy, &[b"7\n8\n"]).await, Ok(2));
    let out = client.copy_out("COPY (SELECT 1 / (8 - id) FROM t) TO STDOUT").await.unwrap();
    let failed: Result<Vec<_>, _> = within(out.try_collect()).await;
    assert_eq!(code(failed), "22012");
    drop((client, other));
    place.done().await;
}

/// A stream of copied data as one piece.
trait Concat {
    async fn try_concat_bytes(self) -> Vec<u8>;
}

impl Concat for tokio_postgres::CopyOutStream {
    async fn try_concat_bytes(self) -> Vec<u8> {
        let pieces: Vec<_> = self.try_collect().await.expect("copied data");
        pieces.concat()
    }
}
