//! What a client sends before it has a session: requests for encryption, a cancel, its startup.

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Longer startup packets are refused by servers as well.
const STARTUP_BYTES_MAX: usize = 10_000;
const SSL_REQUEST: u32 = 80_877_103;
const GSS_REQUEST: u32 = 80_877_104;
const CANCEL_REQUEST: u32 = 80_877_102;
/// The answer to a request for encryption: none here. The socket is a local one, and a client that
/// insists on encryption says so itself.
const NO_ENCRYPTION: &[u8] = b"N";

/// A client's first packet that goes on to the server, as it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Startup {
    /// The backend's pid and key are its own, since the tap passes them to the client unchanged.
    Cancel {
        bytes: Bytes,
    },
    Session(Session),
}

/// A startup packet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Session {
    pub bytes: Bytes,
    pub user: String,
    /// That of the user's name, where it names none.
    pub database: String,
    pub application_name: String,
    /// `name=value` of settings that the client asks for, `options` as it is.
    pub settings: Vec<String>,
    /// Replication follows rules of its own.
    pub replication: bool,
    /// It is of the whole server and of no database.
    pub physical_replication: bool,
}

/// Reads up to the first packet that is for the server. None: the client went away, or speaks
/// something else.
pub async fn read<S>(client: &mut S, buffer: &mut BytesMut) -> std::io::Result<Option<Startup>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    loop {
        let Some(packet) = packet(client, buffer).await? else { return Ok(None) };
        match (&packet[4..]).get_u32() {
            SSL_REQUEST | GSS_REQUEST => client.write_all(NO_ENCRYPTION).await?,
            CANCEL_REQUEST => return Ok(Some(Startup::Cancel { bytes: packet })),
            _ => return Ok(Some(session(packet))),
        }
    }
}

/// One packet: its length, which counts itself, then the rest.
async fn packet<S>(client: &mut S, buffer: &mut BytesMut) -> std::io::Result<Option<Bytes>>
where
    S: AsyncRead + Unpin,
{
    loop {
        if buffer.len() >= 4 {
            let length = (&buffer[..4]).get_u32() as usize;
            if !(8..=STARTUP_BYTES_MAX).contains(&length) {
                return Ok(None);
            }
            if buffer.len() >= length {
                return Ok(Some(buffer.split_to(length).freeze()));
            }
        }
        if client.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    }
}

/// A message of a client that has no session yet, by tag and body. None: the client went away, or
/// speaks something else.
pub async fn message<S>(
    client: &mut S,
    buffer: &mut BytesMut,
) -> std::io::Result<Option<(u8, Bytes)>>
where
    S: AsyncRead + Unpin,
{
    loop {
        if buffer.len() >= 5 {
            let length = (&buffer[1..5]).get_u32() as usize;
            if !(4..=STARTUP_BYTES_MAX).contains(&length) {
                return Ok(None);
            }
            if buffer.len() > length {
                let message = buffer.split_to(length + 1).freeze();
                return Ok(Some((message[0], message.slice(5..))));
            }
        }
        if client.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    }
}

fn session(bytes: Bytes) -> Startup {
    let mut session = Session::default();
    let mut names = bytes[8..].split(|byte| *byte == 0);
    while let (Some(name), Some(value)) = (names.next(), names.next()) {
        let text = || String::from_utf8_lossy(value).into_owned();
        match name {
            b"user" => session.user = text(),
            b"database" => session.database = text(),
            b"application_name" => session.application_name = text(),
            b"replication" => {
                session.replication = !matches!(value, b"false" | b"off" | b"no" | b"0");
                session.physical_replication = session.replication && value != b"database";
            }
            b"" => {}
            _ => session.settings.push(format!("{}={}", String::from_utf8_lossy(name), text())),
        }
    }
    if session.database.is_empty() {
        session.database.clone_from(&session.user);
    }
    Startup::Session(Session { bytes, ..session })
}
