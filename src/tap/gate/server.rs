//! Signs in at the server in the client's place, by whatever it asks for.

use std::io;

use bytes::{Buf, Bytes, BytesMut};
use postgres_protocol::authentication::md5_hash;
use postgres_protocol::authentication::sasl::{ChannelBinding, SCRAM_SHA_256, ScramSha256};
use postgres_protocol::message::frontend;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::super::frame::{Frame, Frames, Sender};

/// Kinds of AuthenticationRequest.
const OK: u32 = 0;
const CLEARTEXT: u32 = 3;
const MD5: u32 = 5;
const SASL: u32 = 10;
const SASL_CONTINUE: u32 = 11;
const SASL_FINAL: u32 = 12;

/// Sends the client's startup packet and answers what the server asks. Returns what the server
/// said that is for the client, up to what it has said last: that all is well, or its error.
///
/// # Errors
/// The connection broke, or the server asks for what we do not have.
pub async fn sign_in<S>(
    server: &mut S,
    startup: &Bytes,
    (user, password): (&str, Option<&str>),
) -> io::Result<BytesMut>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    server.write_all(startup).await?;
    let mut frames = Frames::new(Sender::Server);
    let mut for_client = BytesMut::new();
    let mut scram = None;
    loop {
        let Some(frame) = frames.next_frame().map_err(io::Error::other)? else {
            if server.read_buf(frames.buffer()).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            continue;
        };
        let done = match asked(&frame) {
            Some((kind, body)) if kind != OK => {
                let answer = answer(kind, body, (user, password), &mut scram)?;
                server.write_all(&answer).await?;
                false
            }
            asked => {
                for_client.extend_from_slice(frame.bytes());
                asked.is_some() || frame.tag() == Some(b'E')
            }
        };
        if done {
            for_client.extend_from_slice(&frames.take_rest());
            return Ok(for_client);
        }
    }
}

/// The kind of an AuthenticationRequest and what follows it.
fn asked(frame: &Frame) -> Option<(u32, &[u8])> {
    let mut body = frame.body();
    let is_one = frame.tag() == Some(b'R') && body.len() >= 4;
    is_one.then(|| (body.get_u32(), body))
}

fn answer(
    kind: u32,
    body: &[u8],
    (user, password): (&str, Option<&str>),
    scram: &mut Option<ScramSha256>,
) -> io::Result<BytesMut> {
    let mut out = BytesMut::new();
    let none = || io::Error::other("it asks for a password, and its address has none");
    let password = password.ok_or_else(none)?.as_bytes();
    match (kind, scram) {
        (CLEARTEXT, _) => frontend::password_message(password, &mut out)?,
        (MD5, _) => {
            let salt = body.try_into().map_err(io::Error::other)?;
            let hash = md5_hash(user.as_bytes(), password, salt);
            frontend::password_message(hash.as_bytes(), &mut out)?;
        }
        (SASL, scram) if offers_scram(body) => {
            let begun = ScramSha256::new(password, ChannelBinding::unsupported());
            frontend::sasl_initial_response(SCRAM_SHA_256, begun.message(), &mut out)?;
            *scram = Some(begun);
        }
        (SASL_CONTINUE, Some(scram)) => {
            scram.update(body)?;
            frontend::sasl_response(scram.message(), &mut out)?;
        }
        (SASL_FINAL, Some(scram)) => scram.finish(body)?,
        _ => {
            let why = "it asks for a way of authentication that is not supported here: \
                       pgauntlet knows scram-sha-256, md5, password, peer and trust";
            return Err(io::Error::other(why));
        }
    }
    Ok(out)
}

fn offers_scram(body: &[u8]) -> bool {
    body.split(|byte| *byte == 0).any(|name| name == SCRAM_SHA_256.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::super::scram::Verifier;
    use super::*;

    /// A server that says this and hears what is answered.
    async fn signed_in(
        password: Option<&str>,
        server: impl AsyncFnOnce(tokio::io::DuplexStream),
    ) -> io::Result<BytesMut> {
        let (mut ours, mut theirs) = tokio::io::duplex(4_096);
        let startup = Bytes::from_static(b"startup");
        let (signed_in, ()) =
            tokio::join!(async { sign_in(&mut ours, &startup, ("me", password)).await }, async {
                let mut heard = [0; 7];
                theirs.read_exact(&mut heard).await.expect("the startup packet");
                server(theirs).await;
            });
        signed_in
    }

    fn asks(kind: u32, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len() + 8).expect("a length");
        [b"R", &length.to_be_bytes()[..], &kind.to_be_bytes()[..], body].concat()
    }

    async fn hear(stream: &mut tokio::io::DuplexStream) -> Vec<u8> {
        assert_eq!(stream.read_u8().await.expect("a tag"), b'p');
        let length = stream.read_u32().await.expect("a length") as usize;
        let mut body = vec![0; length - 4];
        stream.read_exact(&mut body).await.expect("a body");
        body
    }

    const WELCOME: &[u8] = b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I";

    #[rstest::rstest]
    #[case(CLEARTEXT, b"", "s3cret")]
    // 'md5' || md5(md5('s3cret' || 'me') || salt), as psql computes it
    #[case(MD5, b"salt", "md56bd7a3484e37de97c84ac1e5e4ab9997")]
    #[tokio::test]
    async fn a_password_is_sent_as_the_server_asks(
        #[case] kind: u32,
        #[case] body: &[u8],
        #[case] wanted: &str,
    ) {
        let welcome = signed_in(Some("s3cret"), async |mut server| {
            server.write_all(&asks(kind, body)).await.expect("a question");
            assert_eq!(hear(&mut server).await, [wanted.as_bytes(), &[0]].concat());
            server.write_all(WELCOME).await.expect("a welcome");
        });
        assert_eq!(&welcome.await.expect("signed in")[..], WELCOME);
    }

    #[tokio::test]
    async fn scram_is_spoken_with_a_server_that_asks_for_it() {
        let verifier = Verifier::of("s3cret");
        let welcome = signed_in(Some("s3cret"), async |mut server| {
            let offer = b"SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0";
            server.write_all(&asks(SASL, offer)).await.expect("an offer");
            let first = hear(&mut server).await;
            let first = std::str::from_utf8(&first["SCRAM-SHA-256".len() + 5..]).expect("text");
            let exchange = verifier.begin(first).expect("a first message");
            let question = asks(SASL_CONTINUE, exchange.server_first.as_bytes());
            server.write_all(&question).await.expect("a question");
            let last = String::from_utf8(hear(&mut server).await).expect("text");
            let last = verifier.finish(&exchange, &last).expect("the password is right");
            let end = [&asks(SASL_FINAL, last.as_bytes()), WELCOME].concat();
            server.write_all(&end).await.expect("the end");
        });
        assert_eq!(&welcome.await.expect("signed in")[..], WELCOME);
    }

    #[tokio::test]
    async fn trust_and_an_error_are_passed_on() {
        for said in [WELCOME, b"E\0\0\0\x0bC3D000\0"] {
            let heard = signed_in(None, async |mut server| {
                server.write_all(said).await.expect("an answer");
            });
            assert_eq!(&heard.await.expect("an answer")[..], said);
        }
    }

    #[rstest::rstest]
    #[case(None, CLEARTEXT, "its address has none")]
    #[case(Some("x"), 7, "not supported")]
    #[tokio::test]
    async fn what_we_do_not_have_is_an_error(
        #[case] password: Option<&str>,
        #[case] kind: u32,
        #[case] wanted: &str,
    ) {
        let error = signed_in(password, async |mut server| {
            server.write_all(&asks(kind, b"")).await.expect("a question");
        });
        let error = error.await.expect_err("no way in").to_string();
        assert!(error.contains(wanted), "{error}");
    }
}
