//! What a tap carries arrives as it was sent: the stream cut into messages, and the whole tap
//! between a client and a server that say whatever the protocol allows.

use bytes::BytesMut;
use pgauntlet::tap::frame::{BadLength, Frame, Frames, HEAD_BYTES_MAX, Sender};
use pgauntlet::tap::rehearsal::Rehearsal;
use proptest::prelude::*;
use tokio::runtime::Builder;

use crate::wire;
use crate::wire::messages::message;
use crate::wire::script::{Script, script};
use crate::wire::talk::{assert_transparent, talk};

fn check(script: &Script, traced: bool) {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let (said, report, told) = runtime.block_on(talk(script, traced));
    assert_transparent(script, traced, &said, &report);
    if !traced {
        assert!(told.is_empty(), "nothing was announced: {told:?}");
    } else {
        assert_eq!(told, report.told);
    }
}

fn sender() -> impl Strategy<Value = Sender> {
    prop_oneof![Just(Sender::Client), Just(Sender::Server)]
}

/// Messages of every tag, a few of them longer than what is gathered.
fn messages() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let length = prop_oneof![
        20 => 0..40_usize,
        2 => HEAD_BYTES_MAX - 8..HEAD_BYTES_MAX + 8,
        1 => 0..3 * HEAD_BYTES_MAX,
    ];
    let tag = prop_oneof![2 => any::<u8>(), 1 => Just(b'd'), 1 => Just(b'D')];
    let one = (tag, length, any::<u8>()).prop_map(|(tag, length, with)| {
        // The content looks like messages as well.
        let mut body = vec![with; length];
        body.iter_mut().step_by(5).for_each(|byte| *byte = 0);
        message(tag, &body)
    });
    prop::collection::vec(one, 0..12)
}

fn cuts() -> impl Strategy<Value = Vec<usize>> {
    let cut = prop_oneof![4 => 1..20_usize, 1 => 1..100_000_usize];
    prop::collection::vec(cut, 1..40)
}

/// The pieces of a stream, whose lengths come round again and again.
fn pieces<'a>(mut stream: &'a [u8], cuts: &[usize]) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    // A stream of many bytes is not cut into as many pieces.
    let most = cuts.iter().cycle().take(2_000);
    for cut in most {
        let (piece, rest) = stream.split_at((*cut).min(stream.len()));
        pieces.push(piece);
        stream = rest;
    }
    pieces.push(stream);
    pieces
}

fn is_row(sender: Sender, tag: u8) -> bool {
    tag == b'd' || (tag == b'D' && sender == Sender::Server)
}

/// Messages that are gathered whole, and of longer ones the head, in order.
fn gathered(sender: Sender, messages: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let looked_at = messages.iter().filter(|message| !is_row(sender, message[0]));
    let head = |message: &Vec<u8>| message[..message.len().min(HEAD_BYTES_MAX)].to_vec();
    looked_at.map(head).collect()
}

proptest! {
    #[test]
    fn a_stream_cut_anywhere_is_given_out_unchanged_and_small_messages_whole(
        sender in sender(),
        messages in messages(),
        cuts in cuts(),
    ) {
        let stream = messages.concat();
        let mut frames = Frames::new(sender);
        let (mut out, mut seen) = (Vec::new(), Vec::new());
        for piece in pieces(&stream, &cuts) {
            frames.buffer().extend_from_slice(piece);
            while let Some(frame) = frames.next_frame().expect("good lengths") {
                out.extend_from_slice(frame.bytes());
                match &frame {
                    Frame::Message { tag, bytes } => {
                        prop_assert!(bytes.len() <= HEAD_BYTES_MAX && bytes[0] == *tag);
                        prop_assert_eq!(frame.body(), &bytes[5..]);
                        seen.push(bytes.to_vec());
                    }
                    Frame::Head { tag, bytes } => {
                        prop_assert!(bytes.len() == HEAD_BYTES_MAX && bytes[0] == *tag);
                        seen.push(bytes.to_vec());
                    }
                    Frame::Rows { bytes } => prop_assert!(!bytes.is_empty()),
                }
            }
            prop_assert!(frames.buffer().len() < HEAD_BYTES_MAX);
        }
        prop_assert!(frames.buffer().is_empty());
        prop_assert!(out == stream);
        prop_assert!(seen == gathered(sender, &messages));
    }

    #[test]
    fn a_bad_length_is_told_and_nothing_before_or_behind_it_is_lost(
        sender in sender(),
        messages in messages(),
        length in any::<i32>().prop_filter("bad", |length| *length < 4),
        behind in prop::collection::vec(any::<u8>(), 0..100),
        cuts in cuts(),
    ) {
        let bad = [&b"Z"[..], &length.to_be_bytes(), &behind].concat();
        let stream = [messages.concat(), bad].concat();
        let mut frames = Frames::new(sender);
        let (mut out, mut told) = (Vec::new(), false);
        for piece in pieces(&stream, &cuts) {
            frames.buffer().extend_from_slice(piece);
            while !told {
                match frames.next_frame() {
                    Ok(Some(frame)) => out.extend_from_slice(frame.bytes()),
                    Ok(None) => break,
                    Err(BadLength) => told = true,
                }
            }
        }
        prop_assert!(told);
        out.extend_from_slice(&frames.take_rest());
        prop_assert!(out == stream);
    }

    #[test]
    fn no_bytes_however_cut_or_counted_stop_the_decoder(
        tags in prop::collection::vec((sender(), any::<u8>()), 1..20),
        bodies in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 1..20),
        known in any::<bool>(),
    ) {
        const KNOWN: &[u8] = b"QPBEDCSHXdcfFpRKZTtn123sNAIEGWV";
        let mut rehearsal = Rehearsal::default();
        rehearsal.hears(Sender::Server, &wire::messages::ready(b'I'));
        let (mut client, mut server) = (Vec::new(), wire::messages::ready(b'I'));
        for ((sender, tag), body) in tags.iter().zip(&bodies) {
            let tag = if known { KNOWN[usize::from(*tag) % KNOWN.len()] } else { *tag };
            let message = message(tag, body);
            match sender {
                Sender::Client => client.extend_from_slice(&message),
                Sender::Server => server.extend_from_slice(&message),
            }
            rehearsal.hears(*sender, &message);
        }
        let (client_waits, server_waits) = rehearsal.waiting();
        prop_assert_eq!([&rehearsal.to_server[..], &client_waits].concat(), client);
        prop_assert_eq!([&rehearsal.to_client[..], &server_waits].concat(), server);
    }

    #[test]
    fn a_conversation_that_is_not_traced_arrives_as_it_was_sent(script in script()) {
        check(&script, false);
    }

    #[test]
    fn a_conversation_that_is_traced_arrives_as_it_was_sent_and_each_statement_is_told_once(
        script in script(),
    ) {
        check(&script, true);
    }
}

#[test]
fn what_is_left_of_a_stream_can_be_taken_at_any_time() {
    let mut frames = Frames::new(Sender::Client);
    frames.buffer().extend_from_slice(&BytesMut::from(&b"Q\0\0\0\x09SEL"[..]));
    assert_eq!(frames.next_frame(), Ok(None));
    assert_eq!(&frames.take_rest()[..], b"Q\0\0\0\x09SEL");
    assert!(frames.buffer().is_empty());
}

#[test]
fn a_version_beyond_all_versions_is_passed_on() {
    let said = message(b'S', b"server_version\x00891280\x00");
    let mut rehearsal = Rehearsal::default();
    rehearsal.hears(Sender::Server, &said);
    assert_eq!(rehearsal.to_client, said);
}
