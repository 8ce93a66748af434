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

pub use lock::LockMode;
pub use normal::normal_text;
pub use plan::NODE_TYPES;
pub use psql::{PsqlItem, psql_script};
pub use split::{SplitError, SqlPiece, split, split_psql};
pub use sqlstate::SqlState;
pub use statement_key::{StatementKey, StatementKeys, StatementPlace};

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
