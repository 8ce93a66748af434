//! Postgres's own vocabulary: lock modes, SQLSTATEs, identifiers, and the text of statements.
//!
//! Facts that hold for any server live here, each with its source. Nothing here connects.

pub mod dump;
pub mod expression;
pub mod facts;
pub mod lex;
mod lock;
mod normal;
mod plan;
mod psql;
pub mod purpose;
mod split;
mod sqlstate;
mod statement_key;
pub mod syntax;
pub mod waiting;
pub mod words;

pub use lock::LockMode;
pub use normal::normal_text;
pub use plan::NODE_TYPES;
pub use psql::{PsqlItem, psql_script};
pub use split::{SplitError, SqlPiece, split, split_psql};
pub use sqlstate::SqlState;
pub use statement_key::{StatementKey, StatementKeys, StatementPlace};

/// A timeout as SHOW writes it, in milliseconds: `0`, `500ms`, `3s`, `1min`, `2h`, `1d`. None: it
/// is none.
pub fn milliseconds(text: &str) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 = text[..digits].parse().ok()?;
    let unit = match &text[digits..] {
        "" | "ms" => 1,
        "s" => 1_000,
        "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    number.checked_mul(unit)
}

/// An identifier as SQL must have it: always quoted, so that no name needs a rule of its own.
pub fn quote_ident(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A possibly schema-qualified name (`orders`, `public.orders`), each part quoted.
pub fn quote_qualified(name: &str) -> String {
    name.split('.').map(quote_ident).collect::<Vec<_>>().join(".")
}

/// A string constant. Backslashes stay: standard_conforming_strings is on in every supported major.
pub fn quote_literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
