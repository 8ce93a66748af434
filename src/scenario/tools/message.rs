//! What several statements in one message amount to.
//!
//! PostgreSQL runs the statements of one simple query in one implicit transaction, which a BEGIN
//! among them makes an explicit one and a COMMIT ends; a single statement runs by itself. Source:
//! <https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-MULTI-STATEMENT>.
//! The runner sends them one by one, so it opens that transaction itself. What follows a COMMIT
//! means the same only in a message with it, and is sent so.

use crate::pg::SqlPiece;
use crate::pg::syntax::{self, Kind};

use super::super::sql::Sql;

/// Whether the server opens a transaction for a message of these statements. One that begins with
/// BEGIN does so itself.
pub(super) fn is_transaction(pieces: &[SqlPiece]) -> bool {
    pieces.len() > 1 && pieces.first().is_some_and(|first| syntax::kind(&first.text) != Kind::Begin)
}

/// The statements as they are sent to mean what they do in one message. A COMMIT and what follows
/// it up to the next BEGIN are one message where the server would put them into a transaction, or
/// refuse there what runs outside one only.
pub(super) fn as_in_one(sql: &Sql<'_>, pieces: Vec<SqlPiece>) -> Vec<SqlPiece> {
    let mut sent: Vec<SqlPiece> = Vec::with_capacity(pieces.len());
    let mut rest = pieces.into_iter().peekable();
    while let Some(piece) = rest.next() {
        if !ends_transaction(&piece.text) {
            sent.push(piece);
            continue;
        }
        let mut after = Vec::new();
        while let Some(next) = rest.next_if(|next| syntax::kind(&next.text) != Kind::Begin) {
            after.push(next);
        }
        if after.len() > 1 || after.iter().any(|piece| alone(&piece.text)) {
            sent.push(joined(sql, &piece, after.last()));
        } else {
            sent.push(piece);
            sent.extend(after);
        }
    }
    sent
}

/// What is sent for a message that may come after a COMMIT: `in_transaction` before and after it.
pub(super) fn sent(
    sql: &Sql<'_>,
    pieces: Vec<SqlPiece>,
    in_transaction: &mut bool,
) -> Vec<SqlPiece> {
    let after = pieces.iter().fold(*in_transaction, transaction_after);
    let sent = match *in_transaction || pieces.len() < 2 {
        true => as_in_one(sql, pieces),
        false => whole(sql, &pieces),
    };
    *in_transaction = after;
    sent
}

fn transaction_after(before: bool, piece: &SqlPiece) -> bool {
    match syntax::kind(&piece.text) {
        Kind::Begin => true,
        _ => before && !ends_transaction(&piece.text),
    }
}

/// The statements as one message, whatever is among them.
pub(super) fn whole(sql: &Sql<'_>, pieces: &[SqlPiece]) -> Vec<SqlPiece> {
    pieces.first().map(|first| joined(sql, first, pieces.last())).into_iter().collect()
}

fn joined(sql: &Sql<'_>, first: &SqlPiece, last: Option<&SqlPiece>) -> SqlPiece {
    let end = last.map_or(first.offset + first.text.len(), |last| last.offset + last.text.len());
    let text = sql.text.get(first.offset..end).unwrap_or_default().to_owned();
    SqlPiece { text, ..first.clone() }
}

/// COMMIT, ROLLBACK, PREPARE TRANSACTION.
pub(super) fn ends_transaction(text: &str) -> bool {
    let first = text.split_whitespace().take(2).map(str::to_ascii_lowercase);
    matches!(syntax::kind(text), Kind::Commit | Kind::Rollback)
        || first.eq(["prepare".to_owned(), "transaction".to_owned()])
}

/// Whether it runs outside a transaction only.
fn alone(text: &str) -> bool {
    syntax::must_run_outside_transaction(&syntax::kind(text))
}
