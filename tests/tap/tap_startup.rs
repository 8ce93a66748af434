//! What comes before a session, through the tap: requests for encryption, cancels, startup packets
//! and rubbish.

use std::time::Duration;

use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::runtime::Builder;
use tokio::time::timeout;

use crate::wire::messages::{message, query, ready, startup, untagged};
use crate::wire::talk::Tapped;

const TIMEOUT: Duration = Duration::from_secs(20);

const SSL: u32 = 80_877_103;
const GSS: u32 = 80_877_104;
const CANCEL: u32 = 80_877_102;

async fn hear(stream: &mut (impl AsyncReadExt + Unpin), expected: &[u8]) {
    let mut heard = vec![0; expected.len()];
    let read = timeout(TIMEOUT, stream.read_exact(&mut heard)).await;
    read.expect("in time").expect("as much as expected");
    assert!(heard == expected, "{heard:?} is not {expected:?}");
}

async fn hear_end(stream: &mut (impl AsyncReadExt + Unpin)) -> Vec<u8> {
    let mut heard = Vec::new();
    // Closed with something unread, a socket ends with a reset.
    let _ = timeout(TIMEOUT, stream.read_to_end(&mut heard)).await.expect("in time");
    heard
}

/// A session comes about and carries a byte of each side.
async fn assert_serves(tapped: &mut Tapped) {
    let mut client = tapped.connect().await;
    let packet = startup(&[("user", "u"), ("database", "d")]);
    client.write_all(&packet).await.expect("a startup");
    let mut server = timeout(TIMEOUT, tapped.dialled.recv()).await;
    let server = server.as_mut().expect("in time").as_mut().expect("the tap dials");
    hear(server, &packet).await;
    server.write_all(&[message(b'R', &[0; 4]), ready(b'I')].concat()).await.expect("a welcome");
    hear(&mut client, &[message(b'R', &[0; 4]), ready(b'I')].concat()).await;
}

#[tokio::test]
async fn encryption_is_declined_as_often_as_it_is_asked_for() {
    let mut tapped = Tapped::start(false, 1_024).await;
    let mut client = tapped.connect().await;
    for request in [GSS, SSL, SSL] {
        client.write_all(&untagged(&request.to_be_bytes())).await.expect("a request");
        hear(&mut client, b"N").await;
    }
    let packet = startup(&[("user", "u")]);
    client.write_all(&packet).await.expect("a startup");
    let mut server = tapped.dialled.recv().await.expect("the tap dials");
    hear(&mut server, &packet).await;
}

#[tokio::test]
async fn a_cancel_goes_on_as_it_is_by_a_connection_of_its_own() {
    let mut tapped = Tapped::start(true, 1_024).await;
    for key in [4, 32] {
        let body = [&CANCEL.to_be_bytes()[..], &[0, 0, 0, 7], &vec![9; key]].concat();
        let mut client = tapped.connect().await;
        client.write_all(&untagged(&body)).await.expect("a cancel");
        let mut server = tapped.dialled.recv().await.expect("the tap dials");
        hear(&mut server, &untagged(&body)).await;
        drop(server);
        assert!(hear_end(&mut client).await.is_empty());
    }
    assert_serves(&mut tapped).await;
}

#[tokio::test]
async fn replication_passes_whatever_it_says() {
    let mut tapped = Tapped::start(true, 1_024).await;
    let mut client = tapped.connect().await;
    let packet = startup(&[("user", "u"), ("replication", "database")]);
    client.write_all(&packet).await.expect("a startup");
    let mut server = tapped.dialled.recv().await.expect("the tap dials");
    hear(&mut server, &packet).await;
    // Two at once, and no message at all.
    let said = [query("IDENTIFY_SYSTEM"), query("START_REPLICATION"), b"d\0\0".to_vec()].concat();
    client.write_all(&said).await.expect("what it likes");
    hear(&mut server, &said).await;
    server.write_all(b"Z\0\0\0\0\xff").await.expect("what it likes");
    hear(&mut client, b"Z\0\0\0\0\xff").await;
}

#[tokio::test]
async fn a_client_that_says_nothing_keeps_nobody_else_from_speaking() {
    let mut tapped = Tapped::start(false, 1_024).await;
    let mut silent = tapped.connect().await;
    silent.write_all(&[0, 0]).await.expect("half a length");
    assert_serves(&mut tapped).await;
    // Nor from coming to its end.
    timeout(TIMEOUT, tapped.tap.stop(Duration::ZERO)).await.expect("in time");
    assert!(hear_end(&mut silent).await.is_empty());
}

fn on_a_tap<T>(test: impl AsyncFnOnce(Tapped) -> T) -> T {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async { test(Tapped::start(false, 1_024).await).await })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(64), ..ProptestConfig::default() })]

    #[test]
    fn a_startup_packet_in_pieces_arrives_whole(
        values in prop::collection::vec("[a-z]{0,300}", 0..10),
        cuts in prop::collection::vec(1..50_usize, 1..30),
        behind in "[A-Z ]{0,200}",
    ) {
        let parameters: Vec<(&str, &str)> = values.iter().map(|v| ("name", v.as_str())).collect();
        let packet = startup(&parameters);
        // A client may speak before it is asked to; the server hears it once it is ready.
        let said = [&packet[..], &query(&behind)].concat();
        on_a_tap(async |mut tapped| {
            let mut client = tapped.connect().await;
            let mut rest = &said[..];
            for cut in cuts.iter().cycle().take(200) {
                let (piece, more) = rest.split_at((*cut).min(rest.len()));
                client.write_all(piece).await.expect("a piece");
                tokio::task::yield_now().await;
                rest = more;
            }
            client.write_all(rest).await.expect("the rest");
            let mut server = tapped.dialled.recv().await.expect("the tap dials");
            hear(&mut server, &packet).await;
            server.write_all(&ready(b'I')).await.expect("a welcome");
            hear(&mut server, &query(&behind)).await;
        });
    }

    #[test]
    fn rubbish_ends_its_connection_and_harms_no_other(
        length in prop_oneof![0..8_u32, 10_001..u32::MAX],
        rubbish in prop::collection::vec(any::<u8>(), 0..100),
    ) {
        let said = [&length.to_be_bytes()[..], &rubbish].concat();
        on_a_tap(async |mut tapped| {
            let mut client = tapped.connect().await;
            // The connection may end while it is still said.
            let _ = client.write_all(&said).await;
            assert!(hear_end(&mut client).await.is_empty());
            assert_serves(&mut tapped).await;
        });
    }
}

/// Each case opens a tap: fewer than usual, unless more are asked for.
fn cases(few: u32) -> u32 {
    match std::env::var_os("PROPTEST_CASES") {
        Some(_) => ProptestConfig::default().cases,
        None => few,
    }
}
