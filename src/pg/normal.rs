//! The text of a statement without its constants, for what differs in them only.

use super::lex::{self, Token, TokenKind};

/// The text with `?` for every string and number, without comments: equal for statements that
/// differ in their values only, as two inserts of a time of day.
///
/// Text that was cut inside a quote is taken up to there.
pub fn normal_text(sql: &str) -> String {
    let (tokens, open) = match lex::tokens(sql) {
        Ok(tokens) => (tokens, false),
        Err(open) => {
            let whole = sql.get(..open.offset).unwrap_or_default();
            (lex::tokens(whole).unwrap_or_default(), true)
        }
    };
    let mut normal = String::new();
    let mut number_until = None;
    for token in tokens.iter().filter(|token| token.kind != TokenKind::Comment) {
        if number_until == Some(token.start) && continues_number(sql, token) {
            number_until = Some(token.end);
            continue;
        }
        number_until = (token.kind == TokenKind::Number).then_some(token.end);
        let word = match token.kind {
            TokenKind::Text | TokenKind::Number => "?",
            _ => token.text(sql),
        };
        push(&mut normal, word);
    }
    if open {
        push(&mut normal, "?");
    }
    normal
}

fn push(normal: &mut String, word: &str) {
    if !normal.is_empty() {
        normal.push(' ');
    }
    normal.push_str(word);
}

/// `.5` and `e10` of `1.5e10`.
fn continues_number(sql: &str, token: &Token) -> bool {
    let text = token.text(sql);
    let exponent = || {
        let digits = text.strip_prefix(['e', 'E']);
        digits.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
    };
    match token.kind {
        TokenKind::Number => true,
        TokenKind::Symbol => text == ".",
        TokenKind::Word => exponent(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_that_differ_in_constants_are_the_same_without_them() {
        let insert = |at: &str, n: &str| format!("INSERT INTO t VALUES ('{at}', {n}) -- {n}");
        let bare = normal_text(&insert("2026-01-01", "1"));
        assert_eq!(bare, normal_text(&insert("it''s", "22")));
        assert_eq!(bare, normal_text(&insert("", "2.5e10")));
        assert_eq!(bare, "INSERT INTO t VALUES ( ? , ? )");
        assert_ne!(normal_text("SELECT a1 FROM t"), normal_text("SELECT a2 FROM t"));
        assert_ne!(normal_text("SELECT * FROM t1"), normal_text("SELECT * FROM t2"));
    }

    #[test]
    fn text_that_was_cut_in_a_constant_is_the_same_up_to_it() {
        assert_eq!(normal_text("SELECT 'a"), normal_text("SELECT $$b"));
        assert_eq!(normal_text("SELECT 'a"), "SELECT ?");
    }
}
