//! Two streams of any bytes through the tap: nothing panics, nothing is lost, changed or reordered.
//!
//! Input is a row of pieces. A piece begins with two bytes: the high bit says who speaks, the rest
//! is the length of what follows. Pieces cut messages wherever they like.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pgauntlet::tap::frame::{HEAD_BYTES_MAX, Sender};
use pgauntlet::tap::rehearsal::Rehearsal;

fuzz_target!(|data: &[u8]| {
    let mut rehearsal = Rehearsal::default();
    let (mut client, mut server) = (Vec::new(), Vec::new());
    let mut rest = data;
    while let [high, low, following @ ..] = rest {
        let length = usize::from(u16::from_be_bytes([high & 0x7f, *low])).min(following.len());
        let (piece, behind) = following.split_at(length);
        rest = behind;
        if high & 0x80 == 0 {
            client.extend_from_slice(piece);
            rehearsal.hears(Sender::Client, piece);
        } else {
            server.extend_from_slice(piece);
            rehearsal.hears(Sender::Server, piece);
        }
    }
    rehearsal.gone();
    let (client_waits, server_waits) = rehearsal.waiting();
    assert!(server_waits.len() < HEAD_BYTES_MAX, "an answer is gathered for ever");
    let to_server = [rehearsal.to_server, client_waits].concat();
    let to_client = [rehearsal.to_client, server_waits].concat();
    assert_eq!(to_server, client, "what the client said");
    assert_eq!(to_client, server, "what the server said");
    assert!(rehearsal.ended <= rehearsal.began, "something ended that never began");
});
