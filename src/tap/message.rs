//! What the messages say that the tap has to understand; all others pass unread.
//!
//! `postgres-protocol` parses what servers send, whole messages of known kinds only, and has no
//! parser for what clients send. A tap meets cut messages, kinds that are newer than itself and
//! both directions, so it reads the few fields that it needs where they are. Text that is no UTF-8
//! is read as well as can be: it goes to the history, and the bytes themselves pass as they came.

use bytes::{Buf, Bytes, BytesMut};

use super::frame::{Frame, Frames, Sender};
use crate::history::{ServerError, TransactionStatus};
use crate::pg::SqlState;

/// A client's message that begins, prepares or ends something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FromClient {
    Query {
        text: String,
    },
    Parse {
        name: String,
        text: String,
        types: Vec<u32>,
    },
    Bind {
        portal: String,
        statement: String,
    },
    Execute {
        portal: String,
    },
    CloseStatement {
        name: String,
    },
    ClosePortal,
    Describe,
    FunctionCall {
        oid: u32,
    },
    Sync,
    Flush,
    CopyData,
    /// CopyDone, CopyFail.
    CopyEnd,
    Terminate,
    /// A password, and what is not known.
    Other,
}

impl FromClient {
    pub fn of(frame: &Frame) -> FromClient {
        let mut body = Body(frame.body());
        match frame.tag() {
            Some(b'Q') => FromClient::Query { text: body.string() },
            Some(b'P') => {
                let (name, text) = (body.string(), body.string());
                FromClient::Parse { name, text, types: body.oids() }
            }
            Some(b'B') => FromClient::Bind { portal: body.string(), statement: body.string() },
            Some(b'E') => FromClient::Execute { portal: body.string() },
            Some(b'C') => match body.byte() {
                Some(b'S') => FromClient::CloseStatement { name: body.string() },
                _ => FromClient::ClosePortal,
            },
            Some(b'D') => FromClient::Describe,
            Some(b'F') => FromClient::FunctionCall { oid: body.u32().unwrap_or_default() },
            Some(b'S') => FromClient::Sync,
            Some(b'H') => FromClient::Flush,
            Some(b'd') | None => FromClient::CopyData,
            Some(b'c' | b'f') => FromClient::CopyEnd,
            Some(b'X') => FromClient::Terminate,
            Some(_) => FromClient::Other,
        }
    }
}

/// A server's message that ends something or changes how to go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FromServer {
    /// The command's tag; empty for an empty query.
    Complete {
        tag: String,
    },
    /// A portal gave the rows that were asked for and has more.
    Suspended,
    Error {
        error: ServerError,
        fatal: bool,
    },
    Notice {
        text: String,
    },
    Ready {
        status: TransactionStatus,
    },
    Key {
        pid: i32,
    },
    Parameter {
        name: String,
        value: String,
    },
    /// A message of an extended conversation has been worked off: Parse, Bind, Close, Describe.
    Done,
    /// The server asks who is there, or (done) has been answered.
    Authentication {
        done: bool,
    },
    CopyIn,
    /// Replication: from here on both sides may speak at any time.
    CopyBoth,
    Other,
}

impl FromServer {
    pub fn of(frame: &Frame) -> FromServer {
        let mut body = Body(frame.body());
        match frame.tag() {
            Some(b'C') => FromServer::Complete { tag: body.string() },
            Some(b'I') => FromServer::Complete { tag: String::new() },
            Some(b's') => FromServer::Suspended,
            Some(b'E') => {
                let (error, severity) = fields(frame);
                FromServer::Error { error, fatal: matches!(severity.as_str(), "FATAL" | "PANIC") }
            }
            Some(b'N') => {
                let (notice, severity) = fields(frame);
                FromServer::Notice { text: format!("{severity}: {}", notice.message) }
            }
            Some(b'Z') => FromServer::Ready {
                status: match body.byte() {
                    Some(b'T') => TransactionStatus::InTransaction,
                    Some(b'E') => TransactionStatus::Failed,
                    _ => TransactionStatus::Idle,
                },
            },
            // The key itself, longer since protocol 3.2, passes unread.
            Some(b'K') => FromServer::Key { pid: body.u32().unwrap_or_default().cast_signed() },
            Some(b'S') => FromServer::Parameter { name: body.string(), value: body.string() },
            // A description of rows ends the answer to Describe; one of parameters begins it.
            Some(b'1' | b'2' | b'3' | b'T' | b'n') => FromServer::Done,
            Some(b'R') => FromServer::Authentication { done: body.u32() == Some(0) },
            Some(b'G') => FromServer::CopyIn,
            Some(b'W') => FromServer::CopyBoth,
            _ => FromServer::Other,
        }
    }
}

/// Fields of an error or a notice, and its severity.
fn fields(frame: &Frame) -> (ServerError, String) {
    let mut error =
        ServerError { sqlstate: None, message: String::new(), ..ServerError::default() };
    let mut severity = String::new();
    let mut body = Body(frame.body());
    while let Some(field @ 1..) = body.byte() {
        let value = body.string();
        match field {
            // 'S' is the same word in the server's language.
            b'V' => severity = value,
            b'C' => error.sqlstate = Some(SqlState::new(&value)),
            b'M' => error.message = value,
            b'D' => error.detail = Some(value),
            b'H' => error.hint = Some(value),
            b'W' => error.context = Some(value),
            _ => {}
        }
    }
    (error, severity)
}

/// The server's message without what no client can do through a tap: channel binding is to the
/// server's own encryption, which ends here, and drivers refuse to be offered it in plain. None: it
/// offers no such thing.
pub fn without_channel_binding(frame: &Frame) -> Option<Bytes> {
    const SASL: u32 = 10;
    let mut body = Body(frame.body());
    if frame.tag() != Some(b'R') || body.u32() != Some(SASL) {
        return None;
    }
    let offered = body.0.split(|byte| *byte == 0).filter(|name| !name.is_empty());
    let (kept, dropped): (Vec<&[u8]>, Vec<&[u8]>) = offered.partition(|n| !n.ends_with(b"-PLUS"));
    if kept.is_empty() || dropped.is_empty() {
        return None;
    }
    let names = kept.iter().flat_map(|name| name.iter().copied().chain([0]));
    let body: Vec<u8> = SASL.to_be_bytes().into_iter().chain(names).chain([0]).collect();
    let length = u32::try_from(body.len() + 4).ok()?.to_be_bytes();
    Some([b'R'].into_iter().chain(length).chain(body).collect())
}

/// Text values of a DataRow; None is NULL, or a row that is cut.
pub fn row_values(frame: &Frame) -> Vec<Option<String>> {
    let mut body = Body(frame.body());
    let Some(columns) = body.u16() else { return Vec::new() };
    (0..columns).map(|_| body.value()).collect()
}

/// The values of DataRow messages.
pub fn values(rows: BytesMut) -> Vec<Vec<Option<String>>> {
    // A client sends no rows: as it reads them they are messages like any other.
    let mut frames = Frames::new(Sender::Client);
    frames.buffer().unsplit(rows);
    let mut values = Vec::new();
    while let Ok(Some(frame)) = frames.next_frame() {
        values.push(row_values(&frame));
    }
    values
}

/// Reads from what is there, which may be cut anywhere.
struct Body<'a>(&'a [u8]);

impl Body<'_> {
    fn byte(&mut self) -> Option<u8> {
        self.0.has_remaining().then(|| self.0.get_u8())
    }

    fn u16(&mut self) -> Option<u16> {
        (self.0.remaining() >= 2).then(|| self.0.get_u16())
    }

    fn u32(&mut self) -> Option<u32> {
        (self.0.remaining() >= 4).then(|| self.0.get_u32())
    }

    /// Up to its zero byte, or to the end where the message is cut.
    fn string(&mut self) -> String {
        let end = self.0.iter().position(|byte| *byte == 0).unwrap_or(self.0.len());
        let text = String::from_utf8_lossy(&self.0[..end]).into_owned();
        self.0 = self.0.get(end + 1..).unwrap_or_default();
        text
    }

    fn oids(&mut self) -> Vec<u32> {
        let count = self.u16().unwrap_or_default();
        (0..count).map_while(|_| self.u32()).collect()
    }

    fn value(&mut self) -> Option<String> {
        let length = usize::try_from(self.u32()?.cast_signed()).ok()?;
        let value = self.0.get(..length)?;
        let text = String::from_utf8_lossy(value).into_owned();
        self.0 = &self.0[length..];
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channel_binding_is_not_offered_through_a_tap() {
        let offer = |names: &[u8]| {
            let mut bytes = vec![b'R', 0, 0, 0, names.len() as u8 + 8, 0, 0, 0, 10];
            bytes.extend_from_slice(names);
            Frame::Message { tag: b'R', bytes: bytes.into() }
        };
        let both = offer(b"SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0");
        let plain = offer(b"SCRAM-SHA-256\0\0");
        assert_eq!(without_channel_binding(&both).as_ref(), Some(plain.bytes()));
        assert_eq!(without_channel_binding(&plain), None, "and passes as it is");
    }
}
