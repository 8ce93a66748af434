//! Splits a script into its statements by psql's rules, so that a file means here what it means
//! there.
//!
//! A statement ends at a semicolon outside quotes, comments, parentheses and the body
//! of a `BEGIN ATOMIC` function. What psql itself would interpret (meta-commands, the data of
//! `COPY … FROM stdin`) is refused, because no server ever sees it. Whether a statement is correct
//! is not asked here.

use super::lex::{self, Token, TokenKind, Unterminated};

/// One statement of a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqlPiece {
    /// From its first to its last token: no semicolon, no comments around it.
    pub text: String,
    /// 1-based line of its first token.
    pub line: u32,
    /// Byte offset of its first token.
    pub offset: usize,
}

/// A script that cannot be cut into statements.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("split line {line}: {message}")]
pub struct SplitError {
    /// 1-based.
    pub line: u32,
    /// What is there and what to do instead.
    pub message: String,
}

/// The statements of a script, in order; empty ones are left out.
///
/// # Errors
/// A quote or a comment has no end, or the text holds what only psql understands.
pub fn split(text: &str) -> Result<Vec<SqlPiece>, SplitError> {
    split_by(text, lex::tokens)
}

/// The same of a script that psql may run: its commands that no server would notice, such as
/// `\echo`, are left out.
///
/// # Errors
/// As `split`.
pub fn split_psql(text: &str) -> Result<Vec<SqlPiece>, SplitError> {
    split_by(text, lex::psql_tokens)
}

type Tokens = fn(&str) -> Result<Vec<Token>, Unterminated>;

fn split_by(text: &str, tokens: Tokens) -> Result<Vec<SqlPiece>, SplitError> {
    match tokens(text) {
        Ok(tokens) => pieces(text, tokens),
        Err(open) => {
            // A quote among the rows of a COPY opens nothing: what is before it is to blame.
            let before = text.get(..open.offset).unwrap_or_default();
            if let Ok(tokens) = tokens(before) {
                pieces(before, tokens)?;
            }
            let message = format!("a {} begins here and never ends", open.what);
            Err(SplitError { line: lex::position(text, open.offset).0, message })
        }
    }
}

fn pieces(text: &str, tokens: Vec<Token>) -> Result<Vec<SqlPiece>, SplitError> {
    let mut pieces = Vec::new();
    let mut statement = Open::new(text);
    let mut lines = Lines::new(text);
    for token in tokens {
        let is_command = token.text(text).starts_with('\\');
        if is_command && (token.kind == TokenKind::Symbol || statement.first.is_some()) {
            return Err(meta_command(text, &token));
        }
        if token.kind == TokenKind::Comment {
            continue;
        }
        if statement.is_ended_by(&token) {
            pieces.extend(statement.close(&mut lines)?);
        } else {
            statement.push(token);
        }
    }
    pieces.extend(statement.close(&mut lines)?);
    Ok(pieces)
}

pub(super) fn meta_command(text: &str, token: &Token) -> SplitError {
    let rest = text.get(token.start..).unwrap_or_default();
    let command = rest.split_whitespace().next().unwrap_or("\\");
    let message = format!(
        "psql meta-command {command}: this runner speaks SQL only; write what it does as SQL, or \
         leave the line out"
    );
    SplitError { line: lex::position(text, token.start).0, message }
}

/// Line numbers for rising offsets, without counting from the start each time.
pub(super) struct Lines<'a> {
    text: &'a str,
    offset: usize,
    line: u32,
}

impl<'a> Lines<'a> {
    pub fn new(text: &'a str) -> Lines<'a> {
        Lines { text, offset: 0, line: 1 }
    }

    fn of(&mut self, offset: usize) -> u32 {
        let passed = self.text.get(self.offset..offset).unwrap_or_default();
        let newlines = passed.matches('\n').count();
        self.line = self.line.saturating_add(u32::try_from(newlines).unwrap_or(u32::MAX));
        self.offset = offset;
        self.line
    }
}

/// The statement that is being read.
pub(super) struct Open<'a> {
    text: &'a str,
    first: Option<usize>,
    last: usize,
    /// Its first words, as many as it takes to know what it is.
    head: Vec<&'a str>,
    /// The word before, as long as nothing else is between.
    previous: &'a str,
    copies: Option<Copies>,
    parentheses: usize,
    /// Open `BEGIN` and `CASE` in the body of a function.
    blocks: usize,
}

/// What COPY asks of the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Copies {
    /// To send rows.
    In,
    /// To take rows.
    Out,
}

/// `CREATE OR REPLACE FUNCTION` are the longest words that matter.
const HEAD_WORDS: usize = 4;

impl<'a> Open<'a> {
    pub fn new(text: &'a str) -> Open<'a> {
        Open {
            text,
            first: None,
            last: 0,
            head: Vec::new(),
            previous: "",
            copies: None,
            parentheses: 0,
            blocks: 0,
        }
    }

    /// Whether nothing of a statement is there yet.
    pub fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    pub fn is_ended_by(&self, token: &Token) -> bool {
        token.is_symbol(self.text, ";") && self.parentheses == 0 && self.blocks == 0
    }

    pub fn push(&mut self, token: Token) {
        self.first.get_or_insert(token.start);
        self.last = token.end;
        match token.kind {
            TokenKind::Word => self.word(token.text(self.text)),
            TokenKind::Symbol => match token.text(self.text) {
                "(" => self.parentheses += 1,
                ")" => self.parentheses = self.parentheses.saturating_sub(1),
                _ => {}
            },
            _ => {}
        }
    }

    fn word(&mut self, word: &'a str) {
        let is = |wanted: &str| word.eq_ignore_ascii_case(wanted);
        if self.head.len() < HEAD_WORDS {
            self.head.push(word);
        }
        // `FROM stdin` and `TO stdout` both leave SQL: the client has to speak COPY's own protocol.
        let direction = |wanted: &str| self.previous.eq_ignore_ascii_case(wanted);
        let copies = match () {
            () if is("stdin") && direction("from") => Some(Copies::In),
            () if is("stdout") && direction("to") => Some(Copies::Out),
            () => None,
        };
        if copies.is_some() && self.parentheses == 0 && self.starts(&["copy"]) {
            self.copies = copies;
        }
        self.previous = word;
        let body = is("begin") && self.parentheses == 0 && self.creates_routine();
        if body || (is("case") && self.blocks > 0) {
            self.blocks += 1;
        } else if is("end") && self.blocks > 0 {
            self.blocks -= 1;
        }
    }

    fn starts(&self, words: &[&str]) -> bool {
        self.head.len() >= words.len()
            && words.iter().zip(&self.head).all(|(word, head)| head.eq_ignore_ascii_case(word))
    }

    fn creates_routine(&self) -> bool {
        self.starts(&["create", "function"])
            || self.starts(&["create", "procedure"])
            || self.starts(&["create", "or", "replace", "function"])
            || self.starts(&["create", "or", "replace", "procedure"])
    }

    fn close(&mut self, lines: &mut Lines<'_>) -> Result<Option<SqlPiece>, SplitError> {
        match self.close_any(lines) {
            Some((piece, Some(_))) => {
                let message = "COPY from stdin or to stdout needs a client that sends or reads the \
                               rows: use INSERT, or COPY from a file on the server";
                Err(SplitError { line: piece.line, message: message.to_owned() })
            }
            closed => Ok(closed.map(|(piece, _)| piece)),
        }
    }

    /// Ends the statement; says what it asks of the client.
    pub fn close_any(&mut self, lines: &mut Lines<'_>) -> Option<(SqlPiece, Option<Copies>)> {
        let open = std::mem::replace(self, Open::new(self.text));
        let offset = open.first?;
        let line = lines.of(offset);
        let text = self.text.get(offset..open.last).unwrap_or_default().to_owned();
        Some((SqlPiece { text, line, offset }, open.copies))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn texts(script: &str) -> Vec<String> {
        split(script).expect("a script").into_iter().map(|piece| piece.text).collect()
    }

    #[rstest]
    #[case::plain("SELECT 1; SELECT 2", &["SELECT 1", "SELECT 2"])]
    #[case::empty_statements(";; ;SELECT 1;;", &["SELECT 1"])]
    #[case::nothing("  -- only a comment\n", &[])]
    #[case::semicolon_in_quotes("SELECT ';', \"a;b\", $$;$$", &["SELECT ';', \"a;b\", $$;$$"])]
    #[case::doubled_quote("SELECT 'it''s; ok'; X", &["SELECT 'it''s; ok'", "X"])]
    #[case::escape_string(r"SELECT E'\';'; X", &[r"SELECT E'\';'", "X"])]
    #[case::plain_backslash(r"SELECT '\'; X", &[r"SELECT '\'", "X"])]
    #[case::unicode_string("SELECT U&'\\0061;' UESCAPE '!'; X",
        &["SELECT U&'\\0061;' UESCAPE '!'", "X"])]
    #[case::tags_nest("DO $a$ ; $b$ ; $b$ $a$; X", &["DO $a$ ; $b$ ; $b$ $a$", "X"])]
    #[case::comments_nest("/* a /* ; */ ; */ X /* ; */ Y; Z", &["X /* ; */ Y", "Z"])]
    #[case::comment_at_the_end("X -- ; not here\n;Y", &["X", "Y"])]
    #[case::rule("CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2); X",
        &["CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2)", "X"])]
    #[case::atomic("CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE 1 WHEN 1 THEN 2 END; \
        SELECT 3; END; X",
        &["CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE 1 WHEN 1 THEN 2 END; SELECT 3; \
           END", "X"])]
    #[case::transaction("BEGIN; SELECT 1; END; X", &["BEGIN", "SELECT 1", "END", "X"])]
    #[case::cast("SELECT a::text, b[1:2]; X", &["SELECT a::text, b[1:2]", "X"])]
    #[case::byte_order_mark("\u{feff}SELECT 1", &["SELECT 1"])]
    #[case::atomic_procedure("CREATE OR REPLACE PROCEDURE p() BEGIN ATOMIC CALL a(); CALL b(); \
        END; X", &["CREATE OR REPLACE PROCEDURE p() BEGIN ATOMIC CALL a(); CALL b(); END", "X"])]
    #[case::atomic_in_quotes("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'BEGIN; x'; X",
        &["CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'BEGIN; x'", "X"])]
    fn statements_end_where_psql_ends_them(#[case] script: &str, #[case] expected: &[&str]) {
        assert_eq!(texts(script), expected);
    }

    #[test]
    fn a_piece_knows_the_line_of_its_first_token() {
        let pieces = split("-- head\nA;\n\n/* b\n*/ B\n; C").expect("a script");
        let lines: Vec<(u32, usize)> = pieces.iter().map(|p| (p.line, p.offset)).collect();
        assert_eq!(lines, [(2, 8), (5, 20), (6, 24)]);
    }

    #[rstest]
    #[case::meta("SELECT 1;\n\\gexec\n", 2, "psql meta-command \\gexec")]
    #[case::copy("\nCOPY t FROM stdin;\n1\n\\.\n", 2, "COPY from stdin")]
    #[case::copy_with_columns("COPY t (a, b) FROM STDIN WITH (FORMAT csv);", 1, "COPY from stdin")]
    #[case::string("SELECT 1;\nSELECT 'a", 2, "string constant begins here")]
    #[case::dollar("DO $x$ BEGIN", 1, "dollar-quoted string begins here")]
    #[case::comment("/* /* */", 1, "comment /* begins here")]
    fn what_is_no_sql_is_refused_with_its_line(
        #[case] script: &str,
        #[case] line: u32,
        #[case] message: &str,
    ) {
        let error = split(script).expect_err("refused");
        assert_eq!(error.line, line, "{error}");
        assert!(error.message.contains(message), "{error}");
    }

    #[rstest]
    #[case::dump("\\restrict x'y\nSELECT 1;\n\\unrestrict x'y\n")]
    #[case::printing("\\timing on\n  \\echo it's done;\nSELECT 1;\\n\\pset pager off")]
    #[case::variable("\\set ON_ERROR_STOP on\n\\set QUIET\nSELECT 1;")]
    fn what_only_changes_what_psql_prints_is_left_out(#[case] script: &str) {
        let script = script.replace(";\\n", ";\n");
        let found = split_psql(&script).expect("a script");
        assert_eq!(found.iter().map(|p| p.text.as_str()).collect::<Vec<_>>(), ["SELECT 1"]);
        assert!(split(&script).is_err(), "no tool knows it");
    }

    #[rstest]
    #[case::variable("\\set rows 10\nSELECT :rows;", 1, "\\set")]
    #[case::behaviour("SELECT 1;\n\\set AUTOCOMMIT off\nSELECT 2;", 2, "\\set")]
    #[case::inside("SELECT\n\\echo x\n1;", 2, "\\echo")]
    #[case::behind("SELECT 1; \\echo x\n", 1, "\\echo")]
    #[case::two("\\echo x \\i other.sql\n", 1, "\\echo")]
    #[case::file("\n\\i other.sql\n", 2, "\\i")]
    #[case::rows("COPY t FROM stdin;\nit's\n\\.\n", 1, "COPY from stdin")]
    fn what_psql_would_do_itself_is_refused(
        #[case] script: &str,
        #[case] line: u32,
        #[case] message: &str,
    ) {
        let error = split_psql(script).expect_err("refused");
        assert!(error.line == line && error.message.contains(message), "{error}");
    }

    #[test]
    fn copy_from_a_file_on_the_server_is_sql() {
        assert_eq!(texts("COPY t FROM '/tmp/stdin'; X").len(), 2);
        assert_eq!(texts("COPY (SELECT stdin FROM stdin) TO '/tmp/x'; X").len(), 2);
    }

    /// Fragments that open, close and hide things, in any order.
    fn soup() -> impl Strategy<Value = String> {
        let fragment = prop::sample::select(vec![
            "a ",
            "1",
            ";",
            "'",
            "\"",
            "$$",
            "$t$",
            "--",
            "\n",
            "/*",
            "*/",
            "(",
            ")",
            "E'",
            "\\",
            "''",
            "BEGIN ",
            "END ",
            "CASE ",
            "CREATE FUNCTION ",
            "COPY ",
            "stdin ",
            "U&'",
            "ü",
            "$",
        ]);
        prop::collection::vec(fragment, 0..40).prop_map(|parts| parts.concat())
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in any::<String>()) {
            let _ = split(&text);
        }

        #[test]
        fn pieces_put_together_again_split_into_the_same_pieces(text in soup()) {
            if let Ok(pieces) = split(&text) {
                let texts: Vec<String> = pieces.iter().map(|p| p.text.clone()).collect();
                let joined = texts.join(";");
                let again = split(&joined).expect("what was split once splits again");
                prop_assert_eq!(again.into_iter().map(|p| p.text).collect::<Vec<_>>(), texts);
                for piece in &pieces {
                    prop_assert_eq!(&text[piece.offset..piece.offset + piece.text.len()],
                        piece.text.as_str());
                }
            }
        }

        #[test]
        fn no_quote_is_ever_split(inner in "[a-z; \\n-]{0,20}", other in "[a-z; ]{0,20}") {
            for quoted in [
                format!("'{inner}'"),
                format!("\"x{inner}\""),
                format!("$q${inner}$q$"),
                format!("/* {inner} */ 1"),
                format!("({inner} 1)").replace('-', "+"),
            ] {
                let script = format!("SELECT 1; SELECT {quoted}; SELECT '{other}'");
                prop_assert_eq!(split(&script).expect("a script").len(), 3, "{}", script);
            }
        }
    }
}
