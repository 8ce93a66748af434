//! Rows as the bytes of COPY, binary where every column's type has an encoder here.
//!
//! Pure: it knows types and values, no session. The driver's own binary writer costs up to five
//! times as much in a debug build and sends every 4 KiB.
//!
//! Source of the formats: PostgreSQL documentation, COPY, "Binary Format" and "Text Format", and
//! each type's receive function.

use std::fmt::Write as _;

use bytes::{BufMut as _, BytesMut};
use tokio_postgres::types::Type;

use crate::scenario::generate::{Drawn, instant_text};

/// Microseconds between the Unix epoch and Postgres's, 2000-01-01.
const POSTGRES_EPOCH_US: i64 = 946_684_800_000_000;
const DAY_US: i64 = 86_400_000_000;

/// How values become bytes of one type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Codec {
    /// Types whose binary form is their text: text, varchar, json, enums.
    Text,
    Jsonb,
    Uuid,
    Int2,
    Int4,
    Int8,
    Float4,
    Float8,
    Bool,
    Timestamp,
    Date,
}

impl Codec {
    /// None: rows of a table with such a column go as text.
    pub fn of(type_oid: u32, is_enum: bool) -> Option<Codec> {
        if is_enum {
            return Some(Codec::Text);
        }
        Some(match Type::from_oid(type_oid)? {
            Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::JSON => Codec::Text,
            Type::JSONB => Codec::Jsonb,
            Type::UUID => Codec::Uuid,
            Type::INT2 => Codec::Int2,
            Type::INT4 => Codec::Int4,
            Type::INT8 => Codec::Int8,
            Type::FLOAT4 => Codec::Float4,
            Type::FLOAT8 => Codec::Float8,
            Type::BOOL => Codec::Bool,
            Type::TIMESTAMP | Type::TIMESTAMPTZ => Codec::Timestamp,
            Type::DATE => Codec::Date,
            _ => return None,
        })
    }

    /// Appends a field with its length; None when the value is none of the type.
    pub fn put(self, value: Drawn, out: &mut BytesMut) -> Option<()> {
        match (self, value) {
            (_, Drawn::Null) => out.put_i32(-1),
            (Codec::Text, value) => put_text(value, out),
            (Codec::Jsonb, Drawn::Text(text)) => put_jsonb(text, out),
            (Codec::Jsonb, Drawn::Int(number)) => put_jsonb(&number.to_string(), out),
            (Codec::Uuid, Drawn::Text(text)) => field(out, &uuid_bytes(text)?),
            (Codec::Bool, value) => field(out, &[u8::from(boolean(value)?)]),
            (Codec::Int2, value) => field(out, &i16::try_from(integer(value)?).ok()?.to_be_bytes()),
            (Codec::Int4, value) => field(out, &i32::try_from(integer(value)?).ok()?.to_be_bytes()),
            (Codec::Int8, value) => field(out, &integer(value)?.to_be_bytes()),
            (Codec::Float4, value) => field(out, &(float(value)? as f32).to_be_bytes()),
            (Codec::Float8, value) => field(out, &float(value)?.to_be_bytes()),
            (Codec::Timestamp, value) => {
                field(out, &instant(value)?.checked_sub(POSTGRES_EPOCH_US)?.to_be_bytes());
            }
            (Codec::Date, value) => {
                let days = instant(value)?.checked_sub(POSTGRES_EPOCH_US)?.div_euclid(DAY_US);
                field(out, &i32::try_from(days).ok()?.to_be_bytes());
            }
            (Codec::Jsonb | Codec::Uuid, _) => return None,
        }
        Some(())
    }
}

fn field(out: &mut BytesMut, bytes: &[u8]) {
    out.put_i32(bytes.len() as i32);
    out.put_slice(bytes);
}

fn put_jsonb(text: &str, out: &mut BytesMut) {
    out.put_i32(text.len() as i32 + 1);
    out.put_u8(1); // the format's version
    out.put_slice(text.as_bytes());
}

fn put_text(value: Drawn, out: &mut BytesMut) {
    match value {
        Drawn::Text(text) => field(out, text.as_bytes()),
        other => field(out, drawn_text(other).as_bytes()),
    }
}

/// A value as text; NULL has none.
pub(super) fn drawn_text(value: Drawn) -> String {
    match value {
        Drawn::Null => String::new(),
        Drawn::Bool(value) => value.to_string(),
        Drawn::Int(value) => value.to_string(),
        Drawn::Text(text) => text.to_owned(),
        Drawn::Instant(us) => instant_text(us),
    }
}

fn integer(value: Drawn) -> Option<i64> {
    match value {
        Drawn::Int(value) => Some(value),
        Drawn::Text(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn float(value: Drawn) -> Option<f64> {
    match value {
        Drawn::Int(value) => Some(value as f64),
        Drawn::Text(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn boolean(value: Drawn) -> Option<bool> {
    match value {
        Drawn::Bool(value) => Some(value),
        Drawn::Text("true" | "t" | "yes" | "on") => Some(true),
        Drawn::Text("false" | "f" | "no" | "off") => Some(false),
        _ => None,
    }
}

/// Microseconds since the Unix epoch; a text without a zone is taken for UTC.
fn instant(value: Drawn) -> Option<i64> {
    let text = match value {
        Drawn::Instant(us) => return Some(us),
        Drawn::Text(text) => text,
        _ => return None,
    };
    let utc = || {
        let civil: jiff::civil::DateTime = text.parse().ok()?;
        civil.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
    };
    let timestamp = text.parse::<jiff::Timestamp>().ok().or_else(utc)?;
    Some(timestamp.as_microsecond())
}

fn uuid_bytes(text: &str) -> Option<[u8; 16]> {
    let mut bytes = [0_u8; 16];
    let mut digits = text.bytes().filter(|byte| *byte != b'-');
    for byte in &mut bytes {
        let mut digit = || (digits.next()? as char).to_digit(16);
        *byte = (digit()? << 4 | digit()?) as u8;
    }
    digits.next().is_none().then_some(bytes)
}

/// What comes before the first row of a binary COPY: signature, flags, no extension.
pub(super) const BINARY_HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// What comes after the last one.
pub(super) const BINARY_TRAILER: &[u8] = &(-1_i16).to_be_bytes();

/// Appends one field of a row of COPY's text format, without its separator.
pub(super) fn put_copy_text(value: Drawn, out: &mut BytesMut) {
    match value {
        Drawn::Null => out.put_slice(b"\\N"),
        Drawn::Text(text) => escape(text, out),
        Drawn::Int(value) => {
            let _ = write!(out, "{value}"); // a BytesMut takes all that is written to it
        }
        other => escape(&drawn_text(other), out),
    }
}

fn escape(text: &str, out: &mut BytesMut) {
    for byte in text.bytes() {
        match byte {
            b'\\' => out.put_slice(b"\\\\"),
            b'\n' => out.put_slice(b"\\n"),
            b'\r' => out.put_slice(b"\\r"),
            b'\t' => out.put_slice(b"\\t"),
            byte => out.put_u8(byte),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(codec: Codec, value: Drawn) -> Option<Vec<u8>> {
        let mut out = BytesMut::new();
        codec.put(value, &mut out).map(|()| out.to_vec())
    }

    #[rstest::rstest]
    #[case(Codec::Text, Drawn::Text("ab"), b"\0\0\0\x02ab")]
    #[case(Codec::Text, Drawn::Int(-7), b"\0\0\0\x02-7")]
    #[case(Codec::Jsonb, Drawn::Text("{}"), b"\0\0\0\x03\x01{}")]
    #[case(Codec::Jsonb, Drawn::Int(12), b"\0\0\0\x03\x0112")]
    #[case(Codec::Int2, Drawn::Int(258), b"\0\0\0\x02\x01\x02")]
    #[case(Codec::Int4, Drawn::Text("-1"), b"\0\0\0\x04\xff\xff\xff\xff")]
    #[case(Codec::Bool, Drawn::Text("t"), b"\0\0\0\x01\x01")]
    #[case(Codec::Timestamp, Drawn::Text("2000-01-01"), b"\0\0\0\x08\0\0\0\0\0\0\0\0")]
    #[case(Codec::Date, Drawn::Instant(POSTGRES_EPOCH_US - 1), b"\0\0\0\x04\xff\xff\xff\xff")]
    #[case(Codec::Int8, Drawn::Null, b"\xff\xff\xff\xff")]
    fn a_value_is_encoded_as_the_type_receives_it(
        #[case] codec: Codec,
        #[case] value: Drawn,
        #[case] bytes: &[u8],
    ) {
        assert_eq!(put(codec, value).as_deref(), Some(bytes));
    }

    #[rstest::rstest]
    #[case(Codec::Int4, Drawn::Text("four"))]
    #[case(Codec::Int2, Drawn::Int(40_000))]
    #[case(Codec::Uuid, Drawn::Text("4be0643f-1d98-573b-97cd-ca98a65347"))]
    #[case(Codec::Uuid, Drawn::Int(1))]
    #[case(Codec::Bool, Drawn::Int(1))]
    #[case(Codec::Timestamp, Drawn::Text("yesterday"))]
    fn a_value_of_another_type_is_refused(#[case] codec: Codec, #[case] value: Drawn) {
        assert_eq!(put(codec, value), None);
    }

    #[test]
    fn text_rows_escape_what_separates_them() {
        let mut out = BytesMut::new();
        put_copy_text(Drawn::Text("a\tb\\c\nd"), &mut out);
        assert_eq!(&out[..], b"a\\tb\\\\c\\nd");
    }
}
