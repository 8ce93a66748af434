//! A statement as its tokens, and names as the server reads them.

use crate::pg::facts::RelationName;
use crate::pg::lex::{self, Token, TokenKind};

/// The tokens without comments.
pub(super) fn code(text: &str) -> Vec<Token> {
    let tokens = lex::tokens(text).unwrap_or_default();
    tokens.into_iter().filter(|token| token.kind != TokenKind::Comment).collect()
}

/// A word in lower case; a quoted name as it is.
pub(super) fn lower(text: &str, token: &Token) -> String {
    let word = token.text(text);
    match token.kind {
        TokenKind::QuotedIdent => RelationName::unquoted(word).name,
        _ => word.to_lowercase(),
    }
}
