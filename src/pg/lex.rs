//! Where the tokens of SQL text begin and end: quotes, comments, words, parameters.
//!
//! Only as much as it takes to split scripts, to find `$name` and to look at leading keywords.
//! It gives no meaning to what it sees, and takes any text: what Postgres would refuse comes out
//! as tokens too. Source: PostgreSQL documentation, "Lexical Structure", and psql's own lexer.

/// What a token is, as far as splitting and parameters care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// A keyword or an unquoted identifier.
    Word,
    /// `"…"`, also after `U&`.
    QuotedIdent,
    /// `'…'`, also after `E`, `U&`, `B`, `X` or `N`; or `$tag$…$tag$`.
    Text,
    /// A numeric constant.
    Number,
    /// `$1`
    Positional,
    /// `$name`: no SQL; a scenario's named parameter.
    Named,
    /// One character of anything else.
    Symbol,
    /// `-- …` to the end of the line, or `/* … */`, which nests.
    Comment,
}

/// A token and its bytes in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Offset of its first byte in the text.
    pub start: usize,
    /// Offset of the byte after its last one.
    pub end: usize,
}

impl Token {
    /// Its bytes in the text from which it was read.
    pub fn text<'a>(&self, sql: &'a str) -> &'a str {
        sql.get(self.start..self.end).unwrap_or_default()
    }

    /// Whether it is this keyword or unquoted identifier, in any case.
    pub fn is_word(&self, sql: &str, word: &str) -> bool {
        self.kind == TokenKind::Word && self.text(sql).eq_ignore_ascii_case(word)
    }

    /// Whether it is this character.
    pub fn is_symbol(&self, sql: &str, symbol: &str) -> bool {
        self.kind == TokenKind::Symbol && self.text(sql) == symbol
    }
}

/// A quote or comment that has no end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unterminated {
    /// Where it begins.
    pub offset: usize,
    /// What has no end: `quoted text`, `comment`.
    pub what: &'static str,
}

/// The text on one line, without comments, for people. Text inside quotes stays as it is but for
/// its line ends.
pub fn one_line(sql: &str) -> String {
    let Ok(tokens) = tokens(sql) else {
        return sql.split_whitespace().collect::<Vec<_>>().join(" ");
    };
    let (mut line, mut end) = (String::new(), 0);
    for token in tokens.iter().filter(|token| token.kind != TokenKind::Comment) {
        if token.start > end && !line.is_empty() {
            line.push(' ');
        }
        line.push_str(&token.text(sql).split_whitespace().collect::<Vec<_>>().join(" "));
        end = token.end;
    }
    line
}

/// All tokens of the text, comments included.
///
/// # Errors
/// A quote or a comment has no end.
pub fn tokens(sql: &str) -> Result<Vec<Token>, Unterminated> {
    all(Lexer { bytes: sql.as_bytes(), at: 0, is_psql: false })
}

/// All tokens of a script for psql: its commands that no server would notice, such as `\echo`, are
/// comments.
///
/// # Errors
/// A quote or a comment has no end.
pub fn psql_tokens(script: &str) -> Result<Vec<Token>, Unterminated> {
    all(Lexer { bytes: script.as_bytes(), at: 0, is_psql: true })
}

fn all(mut lexer: Lexer<'_>) -> Result<Vec<Token>, Unterminated> {
    let mut found = Vec::new();
    lexer.skip_mark();
    while let Some(token) = lexer.token()? {
        found.push(token);
    }
    Ok(found)
}

/// An identifier as Postgres stores it: folded to lower case unless it is quoted.
pub fn identifier(sql: &str, token: &Token) -> String {
    let text = token.text(sql);
    match token.kind {
        TokenKind::QuotedIdent => {
            let inner = text.trim_start_matches(['u', 'U', '&']);
            inner.trim_start_matches('"').trim_end_matches('"').replace("\"\"", "\"")
        }
        _ => text.to_lowercase(),
    }
}

/// Every token of a text as [`identifier`] has it; none of one that has no tokens.
pub fn identifiers(sql: &str) -> impl Iterator<Item = String> + '_ {
    tokens(sql).unwrap_or_default().into_iter().map(|token| identifier(sql, &token))
}

/// What is between the quotes of a text; doubled quotes in it stay.
pub fn unquoted(text: &str) -> &str {
    let body = match text.find(['\'', '$']) {
        Some(quote) if text[quote..].starts_with('$') => {
            let tag = text[quote + 1..].find('$').map_or(1, |end| end + 2);
            text.get(quote + tag..text.len().saturating_sub(tag))
        }
        Some(quote) => text.get(quote + 1..text.len().saturating_sub(1)),
        None => None,
    };
    body.unwrap_or_default()
}

/// 1-based line and column, the column in characters.
pub fn position(text: &str, offset: usize) -> (u32, u32) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let column = before[start..].chars().count() + 1;
    (u32::try_from(line).unwrap_or(u32::MAX), u32::try_from(column).unwrap_or(u32::MAX))
}

/// Gives one token after the other.
pub(super) struct Lexer<'a> {
    bytes: &'a [u8],
    /// Offset of what comes next; its owner may go on elsewhere.
    pub at: usize,
    is_psql: bool,
}

/// Commands of psql that change what it prints, and nothing that it sends. `\restrict` is in
/// every dump since August 2025.
const SILENT_COMMANDS: &[&str] = &[
    "a",
    "echo",
    "encoding",
    "pset",
    "qecho",
    "restrict",
    "t",
    "timing",
    "unrestrict",
    "warn",
    "x",
];
/// Variables of psql of which the same is true. A script ends at its first error here, whatever
/// ON_ERROR_STOP says.
const SILENT_VARIABLES: &[&str] =
    &["ECHO", "ON_ERROR_STOP", "QUIET", "SHOW_ALL_RESULTS", "SHOW_CONTEXT", "VERBOSITY"];

impl<'a> Lexer<'a> {
    /// Of a script for psql, from its beginning.
    pub fn psql(script: &'a str) -> Lexer<'a> {
        let mut lexer = Lexer { bytes: script.as_bytes(), at: 0, is_psql: true };
        lexer.skip_mark();
        lexer
    }

    /// The next token; None: the text is over.
    pub fn token(&mut self) -> Result<Option<Token>, Unterminated> {
        self.skip_while(is_space);
        let start = self.at;
        Ok(self.next()?.map(|kind| Token { kind, start, end: self.at }))
    }

    /// A byte order mark is no part of the text, as psql sees it.
    fn skip_mark(&mut self) {
        if self.bytes.starts_with("\u{feff}".as_bytes()) {
            self.at = '\u{feff}'.len_utf8();
        }
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.bytes.get(self.at + ahead).copied()
    }

    fn skip_while(&mut self, wanted: impl Fn(u8) -> bool) {
        while self.peek(0).is_some_and(&wanted) {
            self.at += 1;
        }
    }

    fn next(&mut self) -> Result<Option<TokenKind>, Unterminated> {
        let Some(byte) = self.peek(0) else { return Ok(None) };
        let kind = match (byte, self.peek(1), self.peek(2)) {
            (b'\\', ..) if self.is_psql && self.is_silent() => {
                self.skip_while(|b| b != b'\n');
                TokenKind::Comment
            }
            (b'-', Some(b'-'), _) => {
                self.skip_while(|b| b != b'\n');
                TokenKind::Comment
            }
            (b'/', Some(b'*'), _) => self.block_comment()?,
            (b'\'', ..) => self.quoted(0, b'\'', false, "string constant")?,
            (b'"', ..) => self.quoted(0, b'"', false, "quoted identifier")?,
            (b'e' | b'E', Some(b'\''), _) => self.quoted(1, b'\'', true, "string constant")?,
            (b'b' | b'B' | b'x' | b'X' | b'n' | b'N', Some(b'\''), _) => {
                self.quoted(1, b'\'', false, "string constant")?
            }
            (b'u' | b'U', Some(b'&'), Some(b'\'')) => {
                self.quoted(2, b'\'', false, "string constant")?
            }
            (b'u' | b'U', Some(b'&'), Some(b'"')) => {
                self.quoted(2, b'"', false, "quoted identifier")?
            }
            (b'$', ..) => self.dollar()?,
            (b'0'..=b'9', ..) => {
                self.skip_while(|b| b.is_ascii_digit());
                TokenKind::Number
            }
            (byte, ..) if begins_word(byte) => {
                self.skip_while(continues_word);
                TokenKind::Word
            }
            _ => {
                self.at += 1;
                TokenKind::Symbol
            }
        };
        Ok(Some(kind))
    }

    /// Whether a command of psql is here, on a line of its own, that nothing of SQL depends on.
    fn is_silent(&self) -> bool {
        let (before, rest) = self.bytes.split_at(self.at);
        let line = before.rsplit(|b| *b == b'\n').next().unwrap_or_default();
        let command = rest.split(|b| *b == b'\n').next().unwrap_or_default();
        let command = String::from_utf8_lossy(command.get(1..).unwrap_or_default()).into_owned();
        let mut words = command.split_whitespace();
        let known = match words.next() {
            Some("set") => words.next().is_some_and(|name| SILENT_VARIABLES.contains(&name)),
            Some(command) => SILENT_COMMANDS.contains(&command),
            None => false,
        };
        // What follows another backslash is one more command.
        known && line.iter().all(|b| is_space(*b)) && !command.contains('\\')
    }

    fn block_comment(&mut self) -> Result<TokenKind, Unterminated> {
        let start = self.at;
        let mut depth = 0_usize;
        loop {
            match (self.peek(0), self.peek(1)) {
                (Some(b'/'), Some(b'*')) => {
                    depth += 1;
                    self.at += 2;
                }
                (Some(b'*'), Some(b'/')) => {
                    depth -= 1;
                    self.at += 2;
                    if depth == 0 {
                        return Ok(TokenKind::Comment);
                    }
                }
                (Some(_), _) => self.at += 1,
                (None, _) => return Err(Unterminated { offset: start, what: "comment /*" }),
            }
        }
    }

    /// A quoted token whose opening quote is `prefix` bytes ahead; a doubled quote is one.
    fn quoted(
        &mut self,
        prefix: usize,
        quote: u8,
        escapes: bool,
        what: &'static str,
    ) -> Result<TokenKind, Unterminated> {
        let start = self.at;
        self.at += prefix + 1;
        loop {
            match self.peek(0) {
                None => return Err(Unterminated { offset: start, what }),
                Some(b'\\') if escapes => self.at += 2,
                Some(byte) if byte == quote && self.peek(1) == Some(quote) => self.at += 2,
                Some(byte) if byte == quote => {
                    self.at += 1;
                    // Only where backslashes mean something does it matter that `E'a'`, a line
                    // break and `'b'` are one constant.
                    if !(escapes && self.continued()) {
                        break;
                    }
                }
                Some(_) => self.at += 1,
            }
        }
        // A backslash at the very end has no character to escape.
        self.at = self.at.min(self.bytes.len());
        Ok(if quote == b'"' { TokenKind::QuotedIdent } else { TokenKind::Text })
    }

    /// Steps behind the quote that goes on with a string constant on another line, if there is one.
    fn continued(&mut self) -> bool {
        let mut ahead = Lexer { bytes: self.bytes, at: self.at, is_psql: false };
        let mut lines = false;
        loop {
            match (ahead.peek(0), ahead.peek(1)) {
                (Some(b'\n' | b'\r'), _) => {
                    lines = true;
                    ahead.at += 1;
                }
                (Some(byte), _) if is_space(byte) => ahead.at += 1,
                (Some(b'-'), Some(b'-')) => ahead.skip_while(|b| b != b'\n'),
                (Some(b'\''), _) if lines => {
                    self.at = ahead.at + 1;
                    return true;
                }
                _ => return false,
            }
        }
    }

    /// `$1`, `$name`, `$tag$…$tag$`, or a dollar that is nothing of these.
    fn dollar(&mut self) -> Result<TokenKind, Unterminated> {
        let start = self.at;
        self.at += 1;
        if self.peek(0).is_some_and(|b| b.is_ascii_digit()) {
            self.skip_while(|b| b.is_ascii_digit());
            return Ok(TokenKind::Positional);
        }
        let named = self.peek(0).is_some_and(begins_word);
        if named {
            self.skip_while(|b| continues_word(b) && b != b'$');
        }
        if self.peek(0) != Some(b'$') {
            return Ok(if named { TokenKind::Named } else { TokenKind::Symbol });
        }
        self.at += 1;
        let tag = &self.bytes[start..self.at];
        let body = &self.bytes[self.at..];
        match body.windows(tag.len()).position(|window| window == tag) {
            Some(length) => {
                self.at += length + tag.len();
                Ok(TokenKind::Text)
            }
            None => Err(Unterminated { offset: start, what: "dollar-quoted string" }),
        }
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b'\x0b' | b'\x0c')
}

/// Every byte of a character beyond ASCII may be in an identifier.
fn begins_word(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80
}

fn continues_word(byte: u8) -> bool {
    begins_word(byte) || byte.is_ascii_digit() || byte == b'$'
}

#[cfg(test)]
mod tests {
    use super::*;

    use TokenKind::*;

    fn kinds(sql: &str) -> Vec<(TokenKind, &str)> {
        let found = tokens(sql).expect("terminated");
        found.iter().map(|token| (token.kind, token.text(sql))).collect()
    }

    #[test]
    fn a_line_for_people_has_no_comments() {
        let sql = "-- why\nSELECT  a, /* not b */ 'x -- y'\n  FROM t; -- end";
        assert_eq!(one_line(sql), "SELECT a, 'x -- y' FROM t;");
    }

    #[test]
    fn parameters_are_told_from_dollar_quotes_and_identifiers() {
        assert_eq!(
            kinds("$1 $name $q$ $name $q$ a$b $$x$$"),
            [
                (Positional, "$1"),
                (Named, "$name"),
                (Text, "$q$ $name $q$"),
                (Word, "a$b"),
                (Text, "$$x$$"),
            ]
        );
    }

    #[test]
    fn a_string_with_escapes_goes_on_after_a_line_break() {
        assert_eq!(kinds("E'a'\n -- c\n 'b\\';'"), [(Text, "E'a'\n -- c\n 'b\\';'")]);
        assert_eq!(kinds("'a\\' 'b'"), [(Text, "'a\\'"), (Text, "'b'")]);
    }

    #[test]
    fn a_backslash_at_the_end_of_the_text_is_an_open_quote_and_no_panic() {
        assert_eq!(tokens("E'\\").map_err(|e| e.offset), Err(0));
    }

    #[test]
    fn positions_count_lines_and_characters_from_one() {
        assert_eq!(position("a\nüb", 4), (2, 2));
        assert_eq!(position("", 9), (1, 1));
    }
}
