//! Where Liquibase ends a statement.
//!
//! It knows words, numbers, strings in single and double quotes and comments; a body in dollar
//! quotes is none of them, so a semicolon in it ends the statement, unless it is between BEGIN and
//! END. Each END counts, that of CASE, IF and LOOP as well; a BEGIN without TRANSACTION that has no
//! END holds the rest of the changeset together.

use std::ops::Range;

/// What ends a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Delimiter {
    /// A semicolon anywhere; `go` and `/` at the start of a line.
    Default,
    /// `endDelimiter`, in lower case.
    Text {
        text: String,
        /// Only at the start of a line.
        begins_line: bool,
    },
}

impl Delimiter {
    /// The text, or a pattern of a text with line ends and blanks around it; None: another pattern.
    pub fn parse(given: &str) -> Option<Delimiter> {
        let is_pattern = given.len() > 1 && given.contains(['\\', '|', '*', '+', '[', '(', '^']);
        if !is_pattern {
            let begins_line = given == "/";
            return Some(Delimiter::Text { text: given.to_lowercase(), begins_line });
        }
        let mut found: Option<Delimiter> = None;
        for way in given.split('|') {
            let (text, begins_line) = around(way)?;
            let one = Delimiter::Text { text: text.to_lowercase(), begins_line };
            if found.as_ref().is_some_and(|found| *found != one) {
                return None;
            }
            found = Some(one);
        }
        found
    }

    /// How many tokens from the first on are the delimiter.
    fn length(&self, tokens: &[&str], before: Option<&str>) -> Option<usize> {
        let at_start = before.is_none_or(|before| before.ends_with('\n'));
        let first = *tokens.first()?;
        match self {
            Delimiter::Default => {
                let alone = first.eq_ignore_ascii_case("go") || first == "/";
                (first == ";" || (alone && at_start)).then_some(1)
            }
            Delimiter::Text { begins_line: true, .. } if !at_start => None,
            Delimiter::Text { text, .. } => {
                let mut rest = text.as_str();
                for (count, token) in (1..).zip(tokens) {
                    rest = rest.strip_prefix(token.to_lowercase().as_str())?;
                    if rest.is_empty() {
                        return Some(count);
                    }
                }
                None
            }
        }
    }
}

/// `\n/\s*$`: the text, and whether a line begins with it.
fn around(way: &str) -> Option<(&str, bool)> {
    let (mut text, mut begins_line) = (way, false);
    while let Some(rest) = ["\\n", "\\r", "\\s*", "^"].iter().find_map(|s| text.strip_prefix(s)) {
        begins_line |= text.starts_with("\\n") || text.starts_with('^');
        text = rest;
    }
    while let Some(rest) = ["\\n", "\\r", "\\s*", "$"].iter().find_map(|s| text.strip_suffix(s)) {
        text = rest;
    }
    let is_plain = !text.is_empty() && !text.contains(['\\', '*', '+', '[', '(', '^', '.']);
    is_plain.then_some((text, begins_line))
}

/// The statements of a text, without what ends them.
pub(super) fn statements(text: &str, delimiter: &Delimiter) -> Vec<Range<usize>> {
    let spans: Vec<Range<usize>> =
        tokens(text).into_iter().filter(|span| !is_comment(&text[span.clone()])).collect();
    let words: Vec<&str> = spans.iter().map(|span| &text[span.clone()]).collect();
    let (mut found, mut begins, mut inside, mut at) = (Vec::new(), 0, 0_u32, 0);
    while let Some(word) = words.get(at) {
        let after = || words[at + 1..].iter().find(|word| !word.trim().is_empty()).copied();
        if word.eq_ignore_ascii_case("begin") && !is_of_transaction(after()) {
            inside += 1;
        } else if word.eq_ignore_ascii_case("end") && !is_of_transaction(after()) {
            inside = inside.saturating_sub(1);
        }
        let before = at.checked_sub(1).map(|at| words[at]);
        let ends = delimiter.length(&words[at..], before).filter(|_| inside == 0);
        at += ends.unwrap_or(1);
        if let Some(count) = ends {
            found.push(begins..spans[at - count].start);
            begins = spans[at - 1].end;
        }
    }
    found.push(begins..text.len());
    found.retain(|span| !text[span.clone()].trim().is_empty());
    found
}

fn is_of_transaction(word: Option<&str>) -> bool {
    let words = ["transaction", "trans", "tran", "dialog", "conversation", "distributed"];
    word.is_some_and(|word| words.iter().any(|other| word.eq_ignore_ascii_case(other)))
}

fn is_comment(token: &str) -> bool {
    token.starts_with("--") || token.starts_with("/*")
}

/// The tokens of a text, blanks and comments among them.
fn tokens(text: &str) -> Vec<Range<usize>> {
    let (mut found, mut at) = (Vec::new(), 0);
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let length = length(rest).max(rest.chars().next().map_or(1, char::len_utf8));
        found.push(at..at + length);
        at += length;
    }
    found
}

/// How long the first token is; 0: one character.
fn length(rest: &str) -> usize {
    let first = rest.chars().next().unwrap_or_default();
    let line = || rest.find(['\n', '\r']).unwrap_or(rest.len());
    let run = |is_of: fn(char) -> bool| rest.find(|c| !is_of(c)).unwrap_or(rest.len());
    match first {
        '-' if rest.starts_with("--") => line(),
        '/' if rest.starts_with("/*") => rest[2..].find("*/").map_or(0, |end| end + 4),
        '\'' => string(rest),
        '"' | '`' => rest[1..line().max(1)].find(first).map_or(0, |end| end + 2),
        '[' if !rest[1..].starts_with(|c: char| c.is_ascii_digit() || c == ']') => {
            rest[1..line().max(1)].find(']').map_or(0, |end| end + 2)
        }
        c if c.is_whitespace() => run(char::is_whitespace),
        c if c.is_ascii_digit() => run(|c| c.is_ascii_digit()),
        c if is_letter(c) => run(|c| is_letter(c) || c.is_ascii_digit() || c == '#' || c == '@'),
        _ => 0,
    }
}

fn is_letter(c: char) -> bool {
    c == '_' || c == '$' || c.is_alphabetic()
}

/// A string in single quotes: a quote behind a backslash does not end it, where another one can.
fn string(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let (mut at, mut ended) = (1, 0);
    while let Some(byte) = bytes.get(at) {
        if *byte == b'\'' {
            let escaped = bytes[at - 1] == b'\\';
            ended = at + 1;
            match bytes.get(at + 1) {
                Some(b'\'') => at += 1,
                _ if !escaped => return ended,
                _ => {}
            }
        }
        at += 1;
    }
    ended
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str, given: Option<&str>) -> Vec<String> {
        let delimiter = given.map_or(Some(Delimiter::Default), Delimiter::parse);
        let spans = statements(text, &delimiter.expect("a delimiter"));
        spans.into_iter().map(|span| text[span].trim().to_owned()).collect()
    }

    #[test]
    fn a_semicolon_a_slash_and_go_end_a_statement() {
        assert_eq!(split("a;b;\nc\n/\nd / 2\nGO\ne", None), ["a", "b", "c", "d / 2", "e"]);
        assert_eq!(
            split("a ';' \"x;y\" /* ; */ b -- ;\n;", None),
            ["a ';' \"x;y\" /* ; */ b -- ;"]
        );
        assert_eq!(split("a 'it\\'s; x' b;c", None), ["a 'it\\'s; x' b", "c"]);
        assert_eq!(split("a 'C:\\';b", None), ["a 'C:\\'", "b"]);
        assert_eq!(split("a 'it''s;';b", None), ["a 'it''s;'", "b"]);
    }

    #[test]
    fn between_begin_and_end_nothing_ends_one() {
        assert_eq!(split("f $$ begin x; end; $$; b", None), ["f $$ begin x; end", "$$", "b"]);
        assert_eq!(
            split("f begin x; case when y then z end; w; end; b", None),
            ["f begin x; case when y then z end", "w", "end", "b"]
        );
        assert_eq!(split("BEGIN; a; COMMIT; b;", None), ["BEGIN; a; COMMIT; b;"]);
        assert_eq!(
            split("BEGIN TRANSACTION; a; COMMIT;", None),
            ["BEGIN TRANSACTION", "a", "COMMIT"]
        );
    }

    #[test]
    fn another_delimiter_is_a_text_or_a_line() {
        assert_eq!(split("f $$ a; b $$\n/\nc\n/", Some("/")), ["f $$ a; b $$", "c"]);
        assert_eq!(split("a; b;;\nc;;", Some(";;")), ["a; b", "c"]);
        assert_eq!(split("a;\nGO\nb\ngo", Some("\\nGO")), ["a;", "b"]);
        assert_eq!(split("a; x / y\n/\nb", Some("\\n/\\s*\\n|\\n/\\s*$")), ["a; x / y", "b"]);
        assert_eq!(Delimiter::parse("\\n(GO|/)"), None);
    }
}
