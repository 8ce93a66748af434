//! What several statements in one message amount to.
//!
//! PostgreSQL runs the statements of one simple query in one implicit transaction, which a BEGIN
//! among them makes an explicit one and a COMMIT ends; a single statement runs by itself. Source:
//! <https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-MULTI-STATEMENT>.
//! The runner sends them one by one, so it opens that transaction itself. What follows a COMMIT in
//! the same message cannot be had that way, and is a problem.

use crate::pg::SqlPiece;
use crate::pg::syntax::{self, Kind};

use super::super::problem::Problem;
use super::super::sql::Sql;
use super::super::tool::Tool;

/// Whether the server opens a transaction for a message of these statements. One that begins with
/// BEGIN does so itself.
pub(super) fn is_transaction(pieces: &[SqlPiece]) -> bool {
    pieces.len() > 1 && pieces.first().is_some_and(|first| syntax::kind(&first.text) != Kind::Begin)
}

/// The first statement that means something else when the message is sent piece by piece.
pub(super) fn differs_piecewise(tool: Tool, sql: &Sql<'_>, pieces: &[SqlPiece]) -> Option<Problem> {
    // Statements since a COMMIT that no BEGIN followed.
    let mut outside: Option<u32> = None;
    for piece in pieces.iter().filter(|_| pieces.len() > 1) {
        let kind = syntax::kind(&piece.text);
        match (&kind, outside) {
            (Kind::Begin, _) => outside = None,
            (Kind::Commit | Kind::Rollback, _) => outside = Some(0),
            (_, None) => {}
            (_, Some(count)) => {
                let alone = syntax::must_run_outside_transaction(&kind);
                if count > 0 || alone {
                    return Some(problem(tool, sql, piece, alone));
                }
                outside = Some(count + 1);
            }
        }
    }
    None
}

fn problem(tool: Tool, sql: &Sql<'_>, piece: &SqlPiece, alone: bool) -> Problem {
    let length = piece.text.lines().next().unwrap_or_default().len();
    let (message, remedy) = match alone {
        true => (
            format!("{tool} sends the whole file at once, in which the server refuses this"),
            "it needs a migration of its own, outside a transaction",
        ),
        false => (
            format!("{tool} sends the whole file at once: what follows COMMIT is one transaction"),
            "say so, with a BEGIN before it and a COMMIT after it",
        ),
    };
    sql.problem(piece.offset, length, message).remedy(remedy)
}
