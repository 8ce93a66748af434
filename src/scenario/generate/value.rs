//! Values on their way to the server, and the random streams that they are drawn from.

use rand::SeedableRng as _;

use super::key::{KeySpace, UUID_CHARACTERS, digest};

/// The generator of all randomness: its stream is specified, the same on every machine.
pub type Rng = rand::rngs::ChaCha8Rng;

/// A value on its way to the server, before it takes the column's type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Value {
    /// NULL.
    Null,
    /// A boolean.
    Bool(bool),
    /// An integer of any width.
    Int(i64),
    /// Anything else, as text.
    Text(String),
    /// Microseconds since the Unix epoch.
    Instant(i64),
}

impl Value {
    /// As Postgres reads it from text; None is NULL.
    pub fn to_text(&self) -> Option<String> {
        match self {
            Value::Null => None,
            Value::Bool(value) => Some(value.to_string()),
            Value::Int(value) => Some(value.to_string()),
            Value::Text(text) => Some(text.clone()),
            Value::Instant(us) => Some(instant_text(*us)),
        }
    }
}

/// A value that was drawn, borrowed: filling millions of rows should not allocate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Drawn<'a> {
    /// NULL.
    Null,
    /// A boolean.
    Bool(bool),
    /// An integer of any width.
    Int(i64),
    /// Anything else, as text.
    Text(&'a str),
    /// Microseconds since the Unix epoch.
    Instant(i64),
}

impl Drawn<'_> {
    /// The value by itself.
    pub fn to_value(self) -> Value {
        match self {
            Drawn::Null => Value::Null,
            Drawn::Bool(value) => Value::Bool(value),
            Drawn::Int(value) => Value::Int(value),
            Drawn::Text(text) => Value::Text(text.to_owned()),
            Drawn::Instant(us) => Value::Instant(us),
        }
    }
}

/// RFC 3339 in UTC, which Postgres reads as a timestamptz; held to the years that both can write.
pub fn instant_text(us: i64) -> String {
    const YEAR_1_US: i64 = -62_135_596_800_000_000;
    const YEAR_9999_US: i64 = 253_402_200_000_000_000;
    let held = us.clamp(YEAR_1_US, YEAR_9999_US);
    // These limits lie within jiff's, so there is always a timestamp.
    jiff::Timestamp::from_microsecond(held).unwrap_or_default().to_string()
}

/// The random stream for one purpose: each has its own, so that drawing more for one of them
/// never changes another.
pub fn stream(rng_seed: u64, purpose: &str, index: u64) -> Rng {
    Rng::from_seed(digest(rng_seed, &["stream", purpose], index))
}

/// The uuid that row `row` (from 0) of a column has.
pub fn key(rng_seed: u64, table: &str, column: &str, row: u64) -> String {
    let mut text = String::with_capacity(UUID_CHARACTERS);
    KeySpace::of_column(rng_seed, table, column).push(row, &mut text);
    text
}
