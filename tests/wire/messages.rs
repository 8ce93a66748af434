//! Messages of protocol 3, built and cut apart without the code under test.

use bytes::{Buf, BytesMut};

/// What the tap names its own statements and portals.
pub const TAP: &str = "pgauntlet_tap";

pub fn message(tag: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).expect("a length");
    [&[tag], &length.to_be_bytes()[..], body].concat()
}

/// Zero-terminated texts, then what follows them.
pub fn texts(texts: &[&str], rest: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    for text in texts {
        body.extend_from_slice(text.as_bytes());
        body.push(0);
    }
    body.extend_from_slice(rest);
    body
}

pub fn query(sql: &str) -> Vec<u8> {
    message(b'Q', &texts(&[sql], &[]))
}

pub fn parse(name: &str, sql: &str) -> Vec<u8> {
    message(b'P', &texts(&[name, sql], &[0, 1, 0, 0, 0, 23]))
}

pub fn bind(portal: &str, statement: &str) -> Vec<u8> {
    message(b'B', &texts(&[portal, statement], &[0; 6]))
}

pub fn execute(portal: &str, rows: u8) -> Vec<u8> {
    message(b'E', &texts(&[portal], &[0, 0, 0, rows]))
}

/// `what`: S for a statement, P for a portal.
pub fn describe(what: u8, name: &str) -> Vec<u8> {
    message(b'D', &[&[what][..], &texts(&[name], &[])].concat())
}

pub fn close(what: u8, name: &str) -> Vec<u8> {
    message(b'C', &[&[what][..], &texts(&[name], &[])].concat())
}

pub fn sync() -> Vec<u8> {
    message(b'S', &[])
}

pub fn flush() -> Vec<u8> {
    message(b'H', &[])
}

pub fn startup(parameters: &[(&str, &str)]) -> Vec<u8> {
    let mut body = 0x0003_0000_u32.to_be_bytes().to_vec();
    for (name, value) in parameters {
        body.extend_from_slice(&texts(&[name, value], &[]));
    }
    body.push(0);
    untagged(&body)
}

/// A packet of the time before a session: no tag.
pub fn untagged(body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).expect("a length");
    [&length.to_be_bytes()[..], body].concat()
}

pub fn complete(tag: &str) -> Vec<u8> {
    message(b'C', &texts(&[tag], &[]))
}

pub fn ready(status: u8) -> Vec<u8> {
    message(b'Z', &[status])
}

pub fn row(value: &[u8]) -> Vec<u8> {
    let length = u32::try_from(value.len()).expect("a length");
    message(b'D', &[&[0, 1], &length.to_be_bytes()[..], value].concat())
}

/// An error or a notice.
pub fn complaint(tag: u8, severity: &str, text: &str) -> Vec<u8> {
    let fields = [("S", severity), ("V", severity), ("C", "XX000"), ("M", text)];
    let fields: Vec<String> =
        fields.iter().map(|(field, value)| format!("{field}{value}")).collect();
    let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
    message(tag, &texts(&fields, &[0]))
}

/// The first whole message; None: there is none yet.
pub fn take(buffer: &mut BytesMut) -> Option<(u8, BytesMut)> {
    let length = (buffer.get(1..5)?).get_u32() as usize;
    (buffer.len() > length).then(|| (buffer[0], buffer.split_to(length + 1)))
}

/// All of them; panics where the last is cut.
pub fn cut(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut buffer = BytesMut::from(bytes);
    let messages = std::iter::from_fn(|| take(&mut buffer).map(|(_, message)| message.to_vec()));
    let messages = messages.collect();
    assert!(buffer.is_empty(), "a message is cut: {buffer:?}");
    messages
}

/// Zero-terminated texts of a body.
pub fn read_texts(body: &[u8]) -> Vec<String> {
    let texts = body.split(|byte| *byte == 0);
    texts.map(|text| String::from_utf8_lossy(text).into_owned()).collect()
}
