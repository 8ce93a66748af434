//! Messages in whatever order a driver may send them: each answer through a tap is, byte for byte,
//! the one without.

use bytes::{BufMut, BytesMut};
use postgres_protocol::IsNull;
use postgres_protocol::message::frontend;
use rstest::rstest;

use crate::ways::{Place, Raw, WAYS};

/// Messages put one after the other.
#[derive(Default)]
struct Messages(BytesMut);

impl Messages {
    fn query(mut self, sql: &str) -> Messages {
        frontend::query(sql, &mut self.0).expect("a message");
        self
    }

    fn parse(mut self, name: &str, sql: &str) -> Messages {
        frontend::parse(name, sql, [], &mut self.0).expect("a message");
        self
    }

    fn bind(mut self, portal: &str, statement: &str) -> Messages {
        let bound = frontend::bind(
            portal,
            statement,
            [],
            std::iter::empty::<()>(),
            |(), _| Ok(IsNull::Yes),
            [],
            &mut self.0,
        );
        assert!(bound.is_ok(), "a message");
        self
    }

    fn describe(mut self, variant: u8, name: &str) -> Messages {
        frontend::describe(variant, name, &mut self.0).expect("a message");
        self
    }

    fn execute(mut self, portal: &str, rows: i32) -> Messages {
        frontend::execute(portal, rows, &mut self.0).expect("a message");
        self
    }

    fn close(mut self, variant: u8, name: &str) -> Messages {
        frontend::close(variant, name, &mut self.0).expect("a message");
        self
    }

    /// Parse, Bind and Execute of the unnamed ones.
    fn run(self, sql: &str) -> Messages {
        self.parse("", sql).bind("", "").execute("", 0)
    }

    fn flush(mut self) -> Messages {
        frontend::flush(&mut self.0);
        self
    }

    fn sync(mut self) -> Messages {
        frontend::sync(&mut self.0);
        self
    }

    fn copy_data(self, data: &[u8]) -> Messages {
        self.raw(b'd', data)
    }

    fn raw(mut self, tag: u8, body: &[u8]) -> Messages {
        self.0.put_u8(tag);
        self.0.put_u32(u32::try_from(body.len() + 4).expect("a length"));
        self.0.put_slice(body);
        self
    }
}

fn start() -> Messages {
    Messages::default()
}

/// Nothing in its answer says which table it is.
const ROWS: &str = "SELECT to_jsonb(t) FROM t";
const INT4PL: u32 = 177;

/// A call by the oid of a function, as large objects are still read: 2 + 3 in text.
fn function_call() -> Messages {
    let mut body = BytesMut::new();
    body.put_u32(INT4PL);
    body.put_slice(&[0, 0, 0, 2, 0, 0, 0, 1, b'2', 0, 0, 0, 1, b'3', 0, 0]);
    start().raw(b'F', &body)
}

/// Two portals that take turns, the second of them from a cursor that SQL declared.
fn portals() -> Messages {
    start()
        .query("BEGIN; DECLARE c CURSOR FOR SELECT generate_series(1, 5)")
        .parse("rows", "SELECT generate_series(1, 4)")
        .bind("a", "rows")
        .bind("b", "rows")
        .execute("a", 2)
        .execute("b", 3)
        .execute("c", 4)
        .execute("a", 3)
        .execute("b", 1)
        .execute("c", 0)
        .close(b'P', "a")
        .execute("a", 0)
        .sync()
        .query("ROLLBACK")
}

#[rstest]
#[case::one_that_refuses_a_transaction(1, start().run("VACUUM t").sync())]
#[case::a_close_before_it(1, start().close(b'S', "x").run("VACUUM t").sync())]
#[case::one_after_another(1, start().run("INSERT INTO t VALUES (1)").run("VACUUM t").sync())]
#[case::a_describe_before_it(
    2,
    start().parse("v", "VACUUM t").sync().describe(b'S', "v").bind("", "v").execute("", 0).sync()
)]
#[case::a_failure_before_it(
    2,
    start().describe(b'S', "absent").run("ALTER TABLE t ADD a int").sync().query(ROWS)
)]
#[case::changes_of_shape(
    2,
    start()
        .run("ALTER TABLE t ADD a int")
        .close(b'S', "x")
        .run("ALTER TABLE t ALTER a TYPE bigint")
        .run("CREATE INDEX i ON t (a)")
        .sync()
        .query(ROWS)
)]
#[case::a_failure_amid_changes(
    2,
    start()
        .run("ALTER TABLE t ADD a int")
        .run("SELECT 1 / 0")
        .run("ALTER TABLE t ADD b int")
        .sync()
        .query(ROWS)
)]
#[case::flushes_anywhere(
    2,
    start()
        .flush()
        .parse("s", "INSERT INTO t VALUES (7) RETURNING id + 1")
        .describe(b'S', "s")
        .flush()
        .bind("p", "s")
        .describe(b'P', "p")
        .flush()
        .execute("p", 0)
        .flush()
        .flush()
        .sync()
        .query(ROWS)
)]
#[case::a_transaction_inside(
    2,
    start()
        .run("BEGIN")
        .run("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE")
        .run("INSERT INTO t VALUES (1)")
        .run("COMMIT")
        .run("INSERT INTO t VALUES (2)")
        .run("ROLLBACK")
        .run("INSERT INTO t VALUES (3)")
        .sync()
        .query(ROWS)
)]
#[case::a_transaction_across(
    4,
    start().run("BEGIN").sync().run("ALTER TABLE t ADD a int").sync().run("COMMIT").sync()
        .query(ROWS)
)]
#[case::prepared_and_never_run(3, start().parse("", "SELECT 1").sync().bind("", "").sync().sync())]
#[case::empty_ones(3, start().query("").query(";;").run("").sync())]
#[case::a_function_call(2, function_call().query("SELECT 1"))]
#[case::portals_in_turns(3, portals())]
#[case::a_copy_with_its_sync_ahead(
    2,
    start().run("COPY t FROM STDIN").sync().copy_data(b"1\n2\n").raw(b'c', b"").sync()
        .query(ROWS)
)]
#[case::a_copy_that_the_client_gives_up(
    2,
    start().run("COPY t FROM STDIN").copy_data(b"1\n").raw(b'f', b"enough\0").sync()
        .query(ROWS)
)]
#[case::copied_data_that_nobody_asked_for(
    3,
    start().run("COPY absent FROM STDIN").sync().copy_data(b"1\n").raw(b'c', b"").sync()
        .query(ROWS)
)]
#[case::several_copies_of_one_query(
    1,
    start().query("COPY t FROM STDIN; COPY t FROM STDIN; COPY t TO STDOUT")
        .copy_data(b"1\n").raw(b'c', b"").copy_data(b"2\n").raw(b'c', b"")
)]
#[case::a_message_of_no_known_kind(9, start().query("SELECT 1").raw(b'y', b"what"))]
#[tokio::test]
async fn the_answer_is_the_same(#[case] readies: usize, #[case] messages: Messages) {
    let mut told = Vec::new();
    for way in WAYS {
        let place = Place::open(way).await;
        place
            .admin
            .batch("CREATE TABLE t (id int); INSERT INTO t VALUES (0)")
            .await
            .expect("a table");
        let mut raw = Raw::at(&place).await;
        raw.send(&messages.0).await;
        told.push(raw.answers(readies).await);
        drop(raw);
        place.done().await;
    }
    assert!(!told[0].is_empty());
    assert_eq!(told[0], told[1]);
}
