//! Conversations through the tap that have an edge, one by one: where an answer is whose, what a
//! pipeline is, who speaks first, and who is gone.

use std::time::Duration;

use rstest::rstest;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use crate::wire::messages::{complaint, message, query, ready, startup};
use crate::wire::script::{CopySource, Ending, Part, Script, Sql, Unit};
use crate::wire::talk::{Tapped, assert_transparent, talk};

/// Nothing here takes longer than milliseconds.
const TIMEOUT: Duration = Duration::from_secs(20);

fn run(sql: Sql) -> Part {
    Part::Run { sql, name: "", describe: None, limit: false }
}

fn batch(parts: &[Part]) -> Unit {
    Unit::Batch { parts: parts.to_vec(), syncs: 1 }
}

fn copy(source: CopySource, early_sync: bool) -> Unit {
    Unit::CopyIn { source, extended: true, early_sync, pieces: vec![10, 70_000], fail: false }
}

const CLOSE: Part = Part::Close { what: b'S', name: "a" };
const DESCRIBE: Part = Part::Describe { name: "a" };

#[rstest]
#[case::close_ahead_of_parse(batch(&[CLOSE, run(Sql::Alter), CLOSE, run(Sql::Alter)]))]
#[case::describe_that_fails_ahead_of_parse(batch(&[DESCRIBE, run(Sql::Alter)]))]
#[case::alone_in_its_pipeline(batch(&[CLOSE, run(Sql::Vacuum)]))]
#[case::two_that_commit_by_themselves(batch(&[run(Sql::Vacuum), run(Sql::Vacuum)]))]
#[case::first_after_a_commit(batch(&[run(Sql::Begin), run(Sql::Commit), run(Sql::Vacuum)]))]
#[case::begin_without_a_sync(batch(&[run(Sql::Begin), run(Sql::Alter), run(Sql::RollbackTo)]))]
#[case::query_behind_a_parse_that_fails(Unit::BatchThenQuery {
    parts: vec![Part::Prepare { sql: Sql::BadSyntax, name: "" }],
    sql: Sql::Alter,
})]
#[case::query_behind_what_was_bound(Unit::BatchThenQuery {
    parts: vec![run(Sql::Alter), Part::Prepare { sql: Sql::Alter, name: "" }],
    sql: Sql::Vacuum,
})]
#[case::data_ahead_of_the_answer(copy(CopySource::Good, false))]
#[case::sync_ahead_of_the_data(copy(CopySource::Good, true))]
#[case::refused_after_it_was_asked_for(copy(CopySource::View, true))]
#[case::stumbled_over(copy(CopySource::BadData, true))]
#[case::not_known(copy(CopySource::BadSyntax, true))]
#[case::part_of_the_rows(batch(&[
    Part::Run { sql: Sql::Select { rows: 3, bytes: 5 }, name: "b", describe: None, limit: true },
    Part::More,
    Part::Flush { wait: true },
]))]
#[case::rows_longer_than_what_is_buffered(batch(&[run(Sql::Select { rows: 4, bytes: 900_000 })]))]
#[case::message_longer_than_what_is_gathered(batch(&[run(Sql::Insert { padding: 200_000 })]))]
#[case::several_syncs(Unit::Batch { parts: vec![run(Sql::Alter)], syncs: 4 })]
#[case::function(Unit::Function { fails: true })]
#[tokio::test]
async fn each_side_hears_the_other_and_each_statement_is_told(
    #[case] unit: Unit,
    #[values(true, false)] patient: bool,
    #[values(Ending::Terminate, Ending::HalfClose, Ending::Dies)] ending: Ending,
) {
    let statement = batch(&[run(Sql::Alter)]);
    let units = vec![statement.clone(), unit, statement];
    for seed in 0..3 {
        let script = Script {
            units: units.clone(),
            ending,
            patient,
            reads_late: false,
            optimistic: !patient,
            seed,
        };
        let (said, report, told) = talk(&script, true).await;
        assert_transparent(&script, true, &said, &report);
        assert_eq!(told, report.told);
    }
}

fn named(sql: Sql) -> Part {
    Part::Run { sql, name: "b", describe: None, limit: false }
}

#[rstest]
#[case::a_name_that_was_taken_stands_for_what_it_stood_for(vec![
    batch(&[named(Sql::Select { rows: 1, bytes: 1 }), named(Sql::Vacuum)]),
    batch(&[Part::Again { name: "b" }, run(Sql::Alter)]),
])]
#[case::an_empty_text_mends_no_failed_transaction(vec![
    batch(&[run(Sql::Begin), named(Sql::Empty)]),
    batch(&[run(Sql::Fails)]),
    batch(&[Part::More, run(Sql::Alter)]),
])]
#[tokio::test]
async fn what_one_pipeline_left_another_finds(#[case] units: Vec<Unit>) {
    let script = Script {
        units,
        ending: Ending::Terminate,
        patient: true,
        reads_late: false,
        optimistic: false,
        seed: 0,
    };
    let (said, report, told) = talk(&script, true).await;
    assert_transparent(&script, true, &said, &report);
    assert_eq!(told, report.told);
}

/// A server's first words, up to which a client has a session.
fn welcome() -> Vec<u8> {
    [message(b'R', &[0; 4]), message(b'K', &[0, 0, 0, 7, 0, 0, 0, 9]), ready(b'I')].concat()
}

async fn hear(stream: &mut (impl AsyncReadExt + Unpin), expected: &[u8]) {
    let mut heard = vec![0; expected.len()];
    let read = timeout(TIMEOUT, stream.read_exact(&mut heard)).await;
    read.expect("in time").expect("as much as expected");
    assert!(heard == expected, "{heard:?} is not {expected:?}");
}

/// A session through the tap: the client's socket and the server's.
async fn session(tapped: &mut Tapped) -> (TcpStream, DuplexStream) {
    let client = tapped.connect().await;
    session_over(client, tapped).await
}

async fn session_over(mut client: TcpStream, tapped: &mut Tapped) -> (TcpStream, DuplexStream) {
    let startup = startup(&[("user", "u")]);
    client.write_all(&startup).await.expect("a startup");
    let mut server = tapped.dialled.recv().await.expect("the tap dials");
    hear(&mut server, &startup).await;
    server.write_all(&welcome()).await.expect("a welcome");
    hear(&mut client, &welcome()).await;
    (client, server)
}

#[tokio::test]
async fn last_words_that_are_no_whole_message_are_heard() {
    let mut tapped = Tapped::start(false, 1_024).await;
    let (mut client, mut server) = session(&mut tapped).await;
    // As a server that cannot start a backend says it, in the protocol of old.
    server.write_all(b"Ecould not fork new process\n\0").await.expect("last words");
    drop(server);
    let mut heard = Vec::new();
    let read = timeout(TIMEOUT, client.read_to_end(&mut heard)).await;
    read.expect("in time").expect("an end");
    assert_eq!(heard, b"Ecould not fork new process\n\0");
}

#[tokio::test]
async fn a_message_that_waits_is_not_lost_when_the_server_leaves_the_protocol() {
    let mut tapped = Tapped::start(true, 64 * 1_024).await;
    let (mut client, mut server) = session(&mut tapped).await;
    let said = [query("SELECT 1"), query("SELECT 2")].concat();
    let mut tap = Tapped::start(false, 64 * 1_024).await;
    let (mut plain_client, mut plain_server) = session(&mut tap).await;
    plain_client.write_all(&said).await.expect("two queries");
    hear(&mut plain_server, &query("SELECT 1")).await;
    plain_server.write_all(b"Z\0\0\0\0rubbish").await.expect("rubbish");
    hear(&mut plain_client, b"Z\0\0\0\0rubbish").await;
    hear(&mut plain_server, &query("SELECT 2")).await;
    // A tap that waits for the answer to a question of its own gives up.
    client.write_all(&query("ALTER TABLE t ADD a int")).await.expect("a query");
    timeout(TIMEOUT, server.read_u8()).await.expect("in time").expect("a question");
    server.write_all(b"Z\0\0\0\0").await.expect("rubbish");
    let mut heard = Vec::new();
    let read = timeout(TIMEOUT, client.read_to_end(&mut heard)).await;
    read.expect("in time").expect("an end");
}

#[tokio::test]
async fn a_client_that_goes_while_nobody_reads_leaves_no_connection_behind() {
    let mut tapped = Tapped::start(false, 64).await;
    let (mut client, mut server) = session(&mut tapped).await;
    client.write_all(&query("COPY t FROM STDIN")).await.expect("a copy");
    hear(&mut server, &query("COPY t FROM STDIN")).await;
    server.write_all(&message(b'G', &[0; 3])).await.expect("a wish for data");
    hear(&mut client, &message(b'G', &[0; 3])).await;
    let data = message(b'd', &[b'x'; 10_000]);
    client.write_all(&data).await.expect("data");
    client.shutdown().await.expect("an end");
    // Each row makes the server complain, and it reads nothing while it does.
    let notice = complaint(b'N', "NOTICE", &"n".repeat(10_000));
    let write = timeout(TIMEOUT, server.write_all(&notice)).await;
    write.expect("the tap listens though it has something to say").expect("a notice");
    hear(&mut server, &data).await;
    let mut rest = Vec::new();
    timeout(TIMEOUT, server.read_to_end(&mut rest)).await.expect("in time").expect("an end");
    assert!(rest.is_empty(), "{rest:?}");
    drop(server);
    hear(&mut client, &notice).await;
}

/// What a server can say to a client that does not read, at most so much: bytes said.
async fn say_unheard(server: &mut DuplexStream, most: usize) -> usize {
    let notice = complaint(b'N', "NOTICE", &"n".repeat(10_000));
    let mut said = 0;
    while said < most
        && timeout(Duration::from_millis(300), server.write_all(&notice)).await.is_ok()
    {
        said += notice.len();
    }
    said
}

#[tokio::test]
async fn a_client_that_only_writes_is_not_stuck_when_the_server_goes() {
    let mut tapped = Tapped::start(false, 1_024).await;
    let connect = async |address| {
        let socket = TcpSocket::new_v4().expect("a socket");
        // What the client does not read stays in the tap rather than on the way.
        socket.set_recv_buffer_size(4_096).expect("a small buffer");
        socket.connect(address).await.expect("a connection")
    };
    let client = connect(tapped.tap.address()).await;
    let (_client, mut server) = session_over(client, &mut tapped).await;
    let room = say_unheard(&mut server, usize::MAX).await;
    // With room left, the tap learns that the server has gone while it still has its words.
    let client = connect(tapped.tap.address()).await;
    let (mut client, mut server) = session_over(client, &mut tapped).await;
    say_unheard(&mut server, room - 300_000).await;
    drop(server);
    let data = message(b'd', &[b'x'; 60_000]);
    let write = async {
        for _ in 0..400 {
            if client.write_all(&data).await.is_err() {
                // As good as heard.
                return;
            }
        }
    };
    timeout(TIMEOUT, write).await.expect("it can be written");
}
