//! Which relation a statement writes rows of.

use crate::pg::lex::{Token, TokenKind, tokens};
use crate::pg::syntax::{Kind, kind};

/// The relation that the statement writes, as the statement names it; None: it writes none, or its
/// text does not tell.
pub fn written_relation(sql: &str) -> Option<String> {
    let introduced_by: &[&str] = match kind(sql) {
        Kind::Update => &["update"],
        Kind::Insert => &["insert", "into"],
        Kind::Delete => &["delete", "from"],
        _ => return None,
    };
    let tokens: Vec<Token> =
        tokens(sql).ok()?.into_iter().filter(|t| t.kind != TokenKind::Comment).collect();
    let mut at = outside_parentheses(sql, &tokens).find(|at| {
        introduced_by.iter().enumerate().all(|(offset, word)| {
            tokens.get(at + offset).is_some_and(|token| token.is_word(sql, word))
        })
    })? + introduced_by.len();
    // A table may be named `only` in quotes alone: the word is reserved.
    at += usize::from(tokens.get(at)?.is_word(sql, "only"));
    at += usize::from(tokens.get(at)?.is_symbol(sql, "("));
    let mut name = named(sql, tokens.get(at)?)?;
    while tokens.get(at + 1).is_some_and(|token| token.is_symbol(sql, ".")) {
        let part = named(sql, tokens.get(at + 2)?)?;
        name = format!("{name}.{part}");
        at += 2;
    }
    Some(name)
}

/// Positions of tokens that are not inside parentheses, as the queries of WITH are.
fn outside_parentheses(sql: &str, tokens: &[Token]) -> impl Iterator<Item = usize> {
    let mut depth = 0_usize;
    tokens.iter().enumerate().filter_map(move |(at, token)| {
        if token.is_symbol(sql, "(") {
            depth += 1;
        } else if token.is_symbol(sql, ")") {
            depth = depth.saturating_sub(1);
        }
        (depth == 0).then_some(at)
    })
}

fn named(sql: &str, token: &Token) -> Option<String> {
    let name = matches!(token.kind, TokenKind::Word | TokenKind::QuotedIdent);
    name.then(|| token.text(sql).to_owned())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::plain("UPDATE spans SET a = 1", Some("spans"))]
    #[case::only("UPDATE ONLY spans SET a = 1", Some("spans"))]
    #[case::only_in_parentheses("UPDATE ONLY (spans) SET a = 1", Some("spans"))]
    #[case::of_a_schema("update public . \"Spans\" set a = 1", Some("public.\"Spans\""))]
    #[case::upsert(
        "INSERT INTO spans (a) VALUES (1) ON CONFLICT (a) DO UPDATE SET b = 2",
        Some("spans")
    )]
    #[case::delete("DELETE FROM ONLY spans WHERE a = 1", Some("spans"))]
    #[case::with(
        "WITH b AS (UPDATE other SET c = 1 RETURNING d) UPDATE spans SET a = 1",
        Some("spans")
    )]
    #[case::row_locks("SELECT a FROM spans FOR UPDATE", None)]
    #[case::no_rows("ALTER TABLE spans ADD COLUMN b int", None)]
    #[case::cut("UPDATE", None)]
    fn the_relation_that_is_written_is_the_one_that_the_statement_names(
        #[case] sql: &str,
        #[case] relation: Option<&str>,
    ) {
        assert_eq!(written_relation(sql).as_deref(), relation);
    }
}
