//! The body of a DO block: its statements as far as they are written there as such.

use squawk_syntax::ast::{self, AstNode};
use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::data::{Certainty, StatementFacts};
use super::setting;

/// Adds what the body's statements ask for, and what it may set. Whether and how often they run is
/// not known, so what they write and skip is not added. `of_statement` reads one of them, which may
/// be a block again.
pub(super) fn add_body(
    block: &ast::Do,
    facts: &mut StatementFacts,
    of_statement: fn(&ast::Stmt) -> StatementFacts,
) {
    let Some(body) = block.plpgsql().filter(|body| body.errors().is_empty()) else {
        facts.dynamic = true;
        (facts.scans, facts.rewrites) = (Certainty::Maybe, Certainty::Maybe);
        return;
    };
    let mut locks = Vec::new();
    for statement in statements(&body.syntax()) {
        let inner = of_statement(&statement);
        facts.scans = facts.scans.max(inner.scans.min(Certainty::Maybe));
        facts.rewrites = facts.rewrites.max(inner.rewrites.min(Certainty::Maybe));
        facts.dynamic |= inner.dynamic;
        locks.extend(inner.locks.into_iter().flatten());
    }
    facts.sets_inside = setting::sets_below(&body.syntax());
    facts.dynamic |= body.syntax().descendants().any(|node| is_dynamic(node.kind()));
    facts.locks = Some(locks);
}

fn is_dynamic(kind: SyntaxKind) -> bool {
    matches!(
        kind,
        SyntaxKind::PLPGSQL_DYN_EXECUTE_STMT
            | SyntaxKind::PLPGSQL_FOR_DYN_STMT
            | SyntaxKind::PLPGSQL_OPEN_EXECUTE
            | SyntaxKind::PLPGSQL_RETURN_QUERY_EXECUTE_STMT
    )
}

/// The outermost SQL statements below the node.
fn statements(root: &SyntaxNode) -> Vec<ast::Stmt> {
    let mut found = Vec::new();
    let mut open: Vec<SyntaxNode> = root.children().collect();
    open.reverse();
    while let Some(node) = open.pop() {
        match ast::Stmt::cast(node.clone()) {
            Some(statement) => found.push(statement),
            None => {
                let at = open.len();
                open.extend(node.children());
                open[at..].reverse();
            }
        }
    }
    found
}
