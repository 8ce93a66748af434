//! From a text to its facts.

use squawk_syntax::SyntaxKind;
use squawk_syntax::ast::{self, AstNode};

use crate::pg::lex;
use crate::pg::purpose::Purpose;
use crate::pg::split;
use crate::pg::syntax::{self, Kind};

use super::data::{Certainty, Facts, StatementFacts};
use super::{block, kind, locks, rewrite, rows, setting, table};

/// What is known of the text. Work it out once: it parses.
pub fn facts(text: &str) -> Facts {
    Facts { statements: pieces(text).iter().filter_map(|piece| of_piece(piece)).collect() }
}

/// The statements of a text; of one that was cut short, as far as it goes.
fn pieces(sql: &str) -> Vec<String> {
    let sql = match lex::tokens(sql) {
        Ok(_) => sql,
        Err(open) => sql.get(..open.offset).unwrap_or_default(),
    };
    match split(sql) {
        Ok(pieces) => pieces.into_iter().map(|piece| piece.text).collect(),
        // The data of a COPY comes in messages of its own.
        Err(_) => vec![sql.to_owned()],
    }
}

/// None: nothing but comments.
fn of_piece(text: &str) -> Option<StatementFacts> {
    let parsed = syntax::with_tree(text, |tree| tree.stmts().next().map(|s| of_statement(&s)));
    match parsed {
        Some(facts) => facts,
        None => Some(unknown(text)),
    }
}

fn of_statement(statement: &ast::Stmt) -> StatementFacts {
    let kind = kind::kind(statement);
    let conditions = statement
        .syntax()
        .descendants()
        .filter(|node| matches!(node.kind(), SyntaxKind::IF_EXISTS | SyntaxKind::IF_NOT_EXISTS));
    let (scans, rewrites) = rewrite::work_on_rows(statement);
    let mut facts = StatementFacts {
        purpose: kind::purpose(statement),
        outside_transaction: kind::outside_transaction(statement, &kind),
        kind,
        locks: locks::locks(statement),
        sets: setting::sets(statement),
        sets_inside: Vec::new(),
        writes: rows::written(statement),
        defines: table::defined(statement),
        created: table::created(statement),
        scans,
        rewrites,
        conditions: conditions.count(),
        dynamic: kind::is_dynamic(statement),
    };
    if let ast::Stmt::Do(block) = statement {
        block::add_body(block, &mut facts, of_statement);
    }
    facts
}

/// Of text that does not parse. Its first words cannot be those of anything else.
fn unknown(text: &str) -> StatementFacts {
    let kind = syntax::kind(text);
    let purpose = match kind {
        Kind::Begin | Kind::Commit | Kind::Rollback | Kind::Savepoint => Purpose::Transaction,
        Kind::Set | Kind::Show => Purpose::Setting,
        _ => Purpose::Work,
    };
    StatementFacts {
        outside_transaction: syntax::must_run_outside_transaction(&kind),
        kind,
        purpose,
        locks: None,
        sets: Vec::new(),
        sets_inside: Vec::new(),
        writes: Vec::new(),
        defines: None,
        created: None,
        scans: Certainty::Maybe,
        rewrites: Certainty::Maybe,
        conditions: 0,
        dynamic: false,
    }
}
