//! What a statement is, from its text alone, as far as tracing goes.

use crate::pg;
use crate::pg::syntax::{self, Kind};

use super::probes;

/// Text kept of a statement; longer is cut, in the history as well.
const TEXT_BYTES_MAX: usize = 16 * 1024;

/// A statement that a client has prepared, or is about to send.
#[derive(Clone, Debug)]
pub struct Prepared {
    pub text: String,
    pub kind: Kind,
    pub types: Vec<u32>,
}

/// What a statement that succeeds leaves of the transaction in which it ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leaves {
    /// It runs outside transactions only and commits by itself.
    Nothing,
    /// COMMIT and the like, by whatever name it goes.
    AsItsTag,
    /// ROLLBACK TO, COMMIT AND CHAIN.
    Open,
    /// Of the server-wide statements some commit by themselves.
    Unknown,
}

impl Leaves {
    pub fn of(kind: &Kind, text: &str) -> Leaves {
        match kind {
            Kind::ServerWide => Leaves::Unknown,
            kind if syntax::must_run_outside_transaction(kind) => Leaves::Nothing,
            Kind::Savepoint => Leaves::Open,
            _ if chains(text) => Leaves::Open,
            _ => Leaves::AsItsTag,
        }
    }
}

impl Prepared {
    pub fn of(text: &str, types: Vec<u32>) -> Prepared {
        Prepared { text: text.to_owned(), kind: syntax::kind(text), types }
    }

    pub fn unknown(what: &str, name: &str) -> Prepared {
        let text = format!("{what} {name:?}");
        Prepared { text, kind: Kind::Other, types: Vec::new() }
    }
}

/// How many statements a text has, and the kind of the one that is most to probe: a script that
/// begins with a SET may go on to lock a table. Text that cannot be split, or that was cut, is left
/// to the server, as one of which nothing is known.
pub fn statements_in(text: &str) -> (u32, Kind) {
    if !text.trim_end().trim_end_matches(';').contains(';') {
        return (1, syntax::kind(text));
    }
    let Ok(pieces) = pg::split(text) else { return (1, Kind::Other) };
    let count = u32::try_from(pieces.len()).unwrap_or(u32::MAX);
    let kinds = pieces.iter().map(|piece| syntax::kind(&piece.text));
    // Of several of one weight, the last.
    let kind = kinds.max_by_key(|kind| match kind {
        kind if probes::takes_nothing(kind) => 0,
        kind if probes::moves_rows(kind) => 1,
        _ => 2,
    });
    (count, kind.unwrap_or(Kind::Other))
}

/// A statement's text as it is recorded: without space around it, and cut where it is long.
pub fn recorded(text: &str) -> String {
    let text = text.trim();
    match text.len() {
        ..=TEXT_BYTES_MAX => text.to_owned(),
        _ => format!("{}…", &text[..text.floor_char_boundary(TEXT_BYTES_MAX)]),
    }
}

/// `COMMIT AND CHAIN` begins the next transaction at once.
fn chains(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    let words = text.split(|c: char| !c.is_ascii_alphabetic()).filter(|word| !word.is_empty());
    words.rev().take(2).eq(["chain", "and"])
}
