//! How sessions begin, go on and end, without a tap and through one.

use futures_util::future::join_all;
use rstest::rstest;
use tokio_postgres::{AsyncMessage, NoTls};

use crate::ways::{Caller, Place, Raw, WAYS, Way, code, said, until, within};

#[rstest]
#[case(Way::Direct)]
#[case(Way::Tapped)]
#[tokio::test]
async fn a_session_hears_what_another_notifies(#[case] way: Way) {
    let place = Place::new(way).await;
    let (mut listening, telling) = (place.client().await, place.client().await);
    listening.batch_execute("LISTEN news; LISTEN \"Other News\"").await.unwrap();
    telling.batch_execute("NOTIFY news, 'first'; NOTIFY news, 'second'").await.unwrap();
    telling.execute("SELECT pg_notify('Other News', repeat('x', 7999))", &[]).await.unwrap();
    let pid = telling.pid().await;
    let mut heard = Vec::new();
    // It comes to a session that does nothing.
    for _ in 0..3 {
        match within(listening.messages.recv()).await {
            Some(AsyncMessage::Notification(told)) => {
                assert_eq!(told.process_id(), pid);
                heard.push((told.channel().to_owned(), told.payload().len()));
            }
            other => panic!("not a notification: {other:?}"),
        }
    }
    let expected = [("news", 5), ("news", 6), ("Other News", 7999)];
    assert_eq!(heard, expected.map(|(channel, length)| (channel.to_owned(), length)));
    drop((listening, telling));
    place.done().await;
}

#[rstest]
#[case(Way::Direct)]
#[case(Way::Tapped)]
#[tokio::test]
async fn a_statement_is_cancelled_by_a_request_of_its_own(
    #[case] way: Way,
    #[values("simple", "extended")] protocol: &str,
) {
    let place = Place::new(way).await;
    let client = place.client().await;
    let token = client.cancel_token();
    let sleeps = asleep(client.pid().await);
    let cancelled = async {
        until(&place.admin, &sleeps).await;
        token.cancel_query(NoTls).await.expect("a cancel that is taken");
    };
    let slept = async {
        match protocol {
            "simple" => client.batch_execute("SELECT pg_sleep(600)").await,
            _ => client.query("SELECT pg_sleep(600)", &[]).await.map(drop),
        }
    };
    let (slept, ()) = within(async { tokio::join!(slept, cancelled) }).await;
    let error = slept.expect_err("a cancelled statement");
    assert_eq!(said(&error).code().code(), "57014");
    assert_eq!(said(&error).message(), "canceling statement due to user request");
    drop(client);
    place.done().await;
}

fn asleep(pid: i32) -> String {
    format!(
        "SELECT coalesce(wait_event = 'PgSleep', false) FROM pg_stat_activity WHERE pid = {pid}"
    )
}

/// What a client is told last by a server that ends its session.
async fn last_words(place: &Place, end: &str) -> Vec<String> {
    let mut told = Vec::new();
    for busy in [false, true] {
        let client = place.client().await;
        let pid = client.pid().await;
        let sleeps = asleep(pid);
        let sleep = async {
            match busy {
                true => client.batch_execute("SELECT pg_sleep(600)").await.err(),
                false => None,
            }
        };
        let ended = async {
            if busy {
                until(&place.admin, &sleeps).await;
            }
            let sql = end.replace("PID", &pid.to_string());
            place.admin.batch(&sql).await.expect("a session that may end others");
        };
        let (answer, ()) = within(async { tokio::join!(sleep, ended) }).await;
        told.extend(answer.map(|error| format!("{:?}", said(&error))));
        let ended = within(client.ended).await.expect("a task that ran");
        // Told to the request, where there was one.
        let last = ended.expect_err("an end that nobody asked for");
        told.extend(last.as_db_error().map(|error| format!("{error:?}")));
    }
    told
}

#[tokio::test]
async fn a_backend_that_is_killed_says_so_in_the_same_words() {
    let mut told = Vec::new();
    for way in WAYS {
        let place = Place::new(way).await;
        told.push(last_words(&place, "SELECT pg_terminate_backend(PID)").await);
        place.done().await;
    }
    assert!(told[0].iter().all(|words| words.contains("E57P01")), "{:?}", told[0]);
    assert_eq!(told[0].len(), 2);
    assert_eq!(told[0], told[1]);
}

#[rstest]
#[case::idle("SET idle_session_timeout = 50", "57P05")]
#[case::in_transaction("SET idle_in_transaction_session_timeout = 50; BEGIN", "25P03")]
#[tokio::test]
async fn a_session_that_idles_too_long_is_told_so(#[case] sql: &str, #[case] code: &str) {
    for way in WAYS {
        let place = Place::new(way).await;
        let client = place.client().await;
        client.batch_execute(sql).await.unwrap();
        let ended = within(client.ended).await.expect("a task that ran");
        let error = ended.expect_err("the server's last words");
        assert_eq!(said(&error).code().code(), code, "{way:?}");
        place.done().await;
    }
}

#[rstest]
#[case(Way::Direct)]
#[case(Way::Tapped)]
#[tokio::test]
async fn many_sessions_work_side_by_side(#[case] way: Way) {
    const SESSIONS: i32 = 12;
    let place = Place::new(way).await;
    place.admin.batch("CREATE TABLE t (id int PRIMARY KEY, n int)").await.unwrap();
    place.admin.batch("INSERT INTO t SELECT n, 0 FROM generate_series(1, 3) n").await.unwrap();
    let clients = join_all((0..SESSIONS).map(|_| place.client())).await;
    let work = clients.iter().enumerate().map(|(number, client)| async move {
        for round in 0..20 {
            let id = i32::try_from((number + round) % 3).unwrap() + 1;
            // They wait for each other's locks as well.
            let sql = "UPDATE t SET n = n + 1 WHERE id = $1";
            assert_eq!(client.execute(sql, &[&id]).await.expect("an update"), 1);
        }
    });
    within(join_all(work)).await;
    assert_eq!(clients[0].text("SELECT sum(n)::text FROM t").await, (SESSIONS * 20).to_string());
    drop(clients);
    place.done().await;
}

#[rstest]
#[case(Way::Direct)]
#[case(Way::Tapped)]
#[tokio::test]
async fn a_role_gets_in_by_its_password_and_what_it_asked_for_is_in_force(#[case] way: Way) {
    let place = Place::new(way).await;
    let mut config = place.config();
    config.application_name("a tool of somebody's");
    config.options("-c lock_timeout=1234 -c search_path=pg_catalog");
    let client = Caller::open(&config).await.expect("a session");
    let role = client.text("SELECT current_user::text").await;
    assert_eq!(role, place.address.user());
    let password = "SELECT rolpassword FROM pg_authid WHERE rolname = current_user";
    assert!(client.text(password).await.starts_with("SCRAM-SHA-256$"));
    assert_eq!(client.text("SHOW lock_timeout").await, "1234ms");
    assert_eq!(client.text("SHOW search_path").await, "pg_catalog");
    let name = "SELECT application_name FROM pg_stat_activity WHERE pid = pg_backend_pid()";
    assert_eq!(client.text(name).await, "a tool of somebody's");
    drop(client);
    place.done().await;
}

/// What is said to those who do not get in.
async fn refusals(place: &Place) -> Vec<String> {
    let (right, mut wrong) = (place.config(), place.config());
    wrong.password("wrong");
    let mut absent = right.clone();
    absent.dbname("no_such_database");
    let mut nobody = right.clone();
    nobody.user("nobody_at_all");
    let mut unset = right.clone();
    unset.options("-c no_such_setting=1");
    let mut told = Vec::new();
    for config in [wrong, absent, nobody, unset] {
        let error = Caller::open(&config).await.err().expect("a refusal");
        told.push(format!("{:?}", said(&error)));
    }
    told
}

#[tokio::test]
async fn who_does_not_get_in_is_told_so_in_the_same_words() {
    let mut told = Vec::new();
    for way in WAYS {
        let place = Place::without_gate(way).await;
        let role = place.address.user();
        let here = refusals(&place).await;
        told.push(here.iter().map(|words| words.replace(role, "ROLE")).collect::<Vec<_>>());
        place.done().await;
    }
    for (told, code) in told[0].iter().zip(["E28P01", "E3D000", "E28P01", "E42704"]) {
        assert!(told.contains(code), "{code} is not in {told}");
    }
    assert_eq!(told[0], told[1]);
}

#[rstest]
#[case::while_idle("")]
#[case::in_a_transaction("BEGIN; INSERT INTO t VALUES (1)")]
#[tokio::test]
async fn a_client_that_goes_without_a_word_leaves_no_backend(#[case] sql: &str) {
    for way in WAYS {
        let place = Place::new(way).await;
        place.admin.batch("CREATE TABLE t (id int)").await.unwrap();
        let client = place.client().await;
        client.batch_execute(sql).await.unwrap();
        let pid = client.pid().await;
        // The socket goes with its task; nobody has said goodbye.
        client.ended.abort();
        let gone = format!("SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = {pid}");
        until(&place.admin, &gone).await;
        until(&place.admin, "SELECT count(*) = 0 FROM t").await;
        place.done().await;
    }
}

#[rstest]
#[case(Way::Direct)]
#[case(Way::Tapped)]
#[tokio::test]
async fn a_client_that_goes_amid_a_message_leaves_no_backend(#[case] way: Way) {
    let place = Place::open(way).await;
    let mut raw = Raw::at(&place).await;
    // A query that says it is longer than what there is of it.
    raw.send(b"Q\0\0\x10\0SELECT").await;
    drop(raw);
    let others = "SELECT count(*) = 0 FROM pg_stat_activity WHERE datname = current_database()
        AND application_name = ''";
    until(&place.admin, others).await;
    place.done().await;
}

/// What psql has to say to one query with these words in front of its address.
async fn psql(place: &Place, words: &str) -> (Option<i32>, String, String) {
    let output = place.program("psql", &["-XAt", "-c", "SELECT 'in'", words]).await;
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    let place = place.address.place();
    let (_, port) = place.rsplit_once(':').expect("host:port");
    (
        output.status.code(),
        String::from_utf8_lossy(&output.stdout).into_owned(),
        told.replace(port, "PORT"),
    )
}

#[tokio::test]
async fn encryption_is_done_without_where_it_may_be_and_refused_where_it_must_not() {
    let modes = [
        "sslmode=prefer",
        "sslmode=allow",
        "sslmode=disable gssencmode=disable",
        "sslmode=require",
        "sslmode=verify-full",
        "gssencmode=prefer",
    ];
    let mut told = Vec::new();
    for way in WAYS {
        let place = Place::new(way).await;
        let mut here = Vec::new();
        for mode in modes {
            here.push(psql(&place, mode).await);
        }
        place.done().await;
        told.push(here);
    }
    for (mode, (code, out, _)) in modes.iter().zip(&told[0]) {
        let expected = match *mode {
            "sslmode=require" | "sslmode=verify-full" => (Some(2), ""),
            _ => (Some(0), "in\n"),
        };
        assert_eq!((*code, out.as_str()), expected, "{mode}");
    }
    assert_eq!(told[0], told[1]);
}

#[rstest]
#[case(Way::Direct)]
#[case(Way::Tapped)]
#[tokio::test]
async fn a_replication_connection_speaks_its_own_language(#[case] way: Way) {
    let place = Place::new(way).await;
    let arguments = ["-XAt", "-c", "IDENTIFY_SYSTEM", "replication=database"];
    let output = place.program("psql", &arguments).await;
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(told.trim_end().ends_with(place.address.database()), "{output:?}");
    place.done().await;
}

#[rstest]
#[case(Way::Direct)]
#[case(Way::Tapped)]
#[tokio::test]
async fn a_statement_that_times_out_leaves_its_session(#[case] way: Way) {
    let place = Place::new(way).await;
    let client = place.client().await;
    client.batch_execute("CREATE TABLE t (id int); SET statement_timeout = 50").await.unwrap();
    let slow = within(client.query("SELECT pg_sleep(600)", &[])).await;
    assert_eq!(code(slow), "57014");
    place.admin.batch("BEGIN; LOCK TABLE t").await.unwrap();
    client.batch_execute("SET statement_timeout = 0; SET lock_timeout = 50").await.unwrap();
    let locked = within(client.batch_execute("ALTER TABLE t ADD COLUMN a int")).await;
    assert_eq!(code(locked), "55P03");
    place.admin.batch("COMMIT").await.unwrap();
    assert_eq!(code(within(client.batch_execute("SELECT a FROM t")).await), "42703");
    drop(client);
    place.done().await;
}
