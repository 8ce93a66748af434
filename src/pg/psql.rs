//! Reads a script as psql runs it: statements, the rows below `COPY … FROM stdin`, other files, and
//! other databases.
//!
//! What psql would do and no server would notice is passed over, as [`super::split_psql`] does;
//! what cannot be done here is refused with its line. Nothing is opened and nothing is run.

use std::ops::Range;

use super::lex::{self, Lexer, Token, TokenKind, Unterminated};
use super::split::{Copies, Lines, Open, SplitError, SqlPiece, meta_command};

/// One step of a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PsqlItem {
    /// A statement, and where in the script the rows are that it sends.
    Statement(SqlPiece, Option<Range<usize>>),
    /// `\i FILE`, or `\ir FILE`: relative to the script.
    Include {
        /// As it is written.
        file: String,
        /// It is relative to the script that names it.
        beside: bool,
        /// Where the command is.
        at: Range<usize>,
    },
    /// `\connect`: what follows is of that database.
    Connect {
        /// Its name; None: the one before.
        database: Option<String>,
        /// Where the command is.
        at: Range<usize>,
    },
}

/// The steps of a script, in order.
///
/// # Errors
/// A quote or a comment has no end, or the script asks psql for something that is not done here.
pub fn psql_script(text: &str) -> Result<Vec<PsqlItem>, SplitError> {
    let mut reader = Reader {
        text,
        lexer: Lexer::psql(text),
        statement: Open::new(text),
        lines: Lines::new(text),
        items: Vec::new(),
    };
    while let Some(token) = reader.lexer.token().map_err(|open| unterminated(text, open))? {
        reader.take(token)?;
    }
    reader.close(text.len())?;
    Ok(reader.items)
}

fn unterminated(text: &str, open: Unterminated) -> SplitError {
    let message = format!("a {} begins here and never ends", open.what);
    SplitError { line: lex::position(text, open.offset).0, message }
}

struct Reader<'a> {
    text: &'a str,
    lexer: Lexer<'a>,
    statement: Open<'a>,
    lines: Lines<'a>,
    items: Vec<PsqlItem>,
}

impl Reader<'_> {
    fn take(&mut self, token: Token) -> Result<(), SplitError> {
        let is_command = token.text(self.text).starts_with('\\');
        if is_command && !self.statement.is_empty() {
            return Err(meta_command(self.text, &token));
        }
        match token.kind {
            TokenKind::Symbol if is_command => self.command(&token),
            TokenKind::Comment => Ok(()),
            _ if self.statement.is_ended_by(&token) => self.close(token.end),
            _ => {
                self.statement.push(token);
                Ok(())
            }
        }
    }

    fn close(&mut self, end: usize) -> Result<(), SplitError> {
        let Some((piece, copies)) = self.statement.close_any(&mut self.lines) else {
            return Ok(());
        };
        let rows = match copies {
            None => None,
            Some(Copies::In) => Some(self.rows(end)?),
            Some(Copies::Out) => {
                let message = "COPY to stdout: nobody reads the rows; leave it out";
                return Err(SplitError { line: piece.line, message: message.to_owned() });
            }
        };
        self.items.push(PsqlItem::Statement(piece, rows));
        Ok(())
    }

    /// The lines below a COPY to `\.`, or to the end of the script. psql reads them whatever their
    /// format is.
    fn rows(&mut self, end: usize) -> Result<Range<usize>, SplitError> {
        let rest = self.text.get(end..).unwrap_or_default();
        let line_end = rest.find('\n').map_or(self.text.len(), |at| end + at + 1);
        let behind = self.text.get(end..line_end).unwrap_or_default().trim();
        if !behind.is_empty() && !behind.starts_with("--") {
            let message = "something follows COPY … FROM stdin in its line: let it follow the rows";
            let line = lex::position(self.text, end).0;
            return Err(SplitError { line, message: message.to_owned() });
        }
        let mut at = line_end;
        for line in self.text.get(line_end..).unwrap_or_default().split_inclusive('\n') {
            if matches!(line, "\\.\n" | "\\.\r\n" | "\\.") {
                self.lexer.at = at + line.len();
                return Ok(line_end..at);
            }
            at += line.len();
        }
        self.lexer.at = at;
        Ok(line_end..at)
    }

    fn command(&mut self, token: &Token) -> Result<(), SplitError> {
        let rest = self.text.get(token.start..).unwrap_or_default();
        let line = rest.lines().next().unwrap_or_default();
        let at = token.start..token.start + line.trim_end().len();
        let refused = || meta_command(self.text, token);
        let mut words = arguments(line.get(1..).unwrap_or_default()).ok_or_else(refused)?;
        let command = if words.is_empty() { String::new() } else { words.remove(0) };
        let item = match (command.as_str(), words.as_slice()) {
            ("i" | "include", [file]) => {
                PsqlItem::Include { file: file.clone(), beside: false, at }
            }
            ("ir" | "include_relative", [file]) => {
                PsqlItem::Include { file: file.clone(), beside: true, at }
            }
            ("c" | "connect", words) => PsqlItem::Connect { database: database(words), at },
            (".", _) => {
                let message = "\\. ends the rows of COPY … FROM stdin, and there is none above it";
                let line = lex::position(self.text, token.start).0;
                return Err(SplitError { line, message: message.to_owned() });
            }
            _ => return Err(refused()),
        };
        self.items.push(item);
        self.lexer.at = token.start + line.len();
        Ok(())
    }
}

/// The words of a command's line without their quotes; None: another command follows, or a quote
/// has no end.
fn arguments(line: &str) -> Option<Vec<String>> {
    let mut words: Vec<String> = Vec::new();
    let (mut chars, mut is_open) = (line.chars().peekable(), false);
    while let Some(c) = chars.next() {
        if c.is_whitespace() {
            is_open = false;
            continue;
        }
        if c == '\\' {
            return None;
        }
        if !is_open {
            words.push(String::new());
            is_open = true;
        }
        let word = words.last_mut()?;
        if c != '\'' && c != '"' {
            word.push(c);
            continue;
        }
        loop {
            match chars.next()? {
                inner if inner == c && chars.peek() == Some(&c) => word.extend(chars.next()),
                inner if inner == c => break,
                inner => word.push(inner),
            }
        }
    }
    Some(words)
}

/// The database of `\connect`: a name, a connection string or a URL, or `-` for the one before.
fn database(words: &[String]) -> Option<String> {
    let mut words = words.iter().filter(|word| !word.starts_with("-reuse-previous")).peekable();
    let first = (*words.peek()?).clone();
    if let Some((_, rest)) = first.split_once("://") {
        let path = rest.split_once('/').map_or("", |(_, path)| path);
        let name = path.split('?').next().unwrap_or_default();
        return (!name.is_empty()).then(|| name.to_owned());
    }
    let in_string = words.find_map(|word| {
        let (_, rest) = word.split_once("dbname")?;
        let value = rest.trim_start().strip_prefix('=')?.trim_start();
        let quoted = value.strip_prefix('\'').map(|value| value.split('\'').next());
        quoted.unwrap_or_else(|| value.split_whitespace().next())
    });
    let bare = (first != "-" && !first.contains('=')).then_some(first);
    in_string.map(str::to_owned).or(bare)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    /// Each step in a few words.
    fn steps(script: &str) -> Vec<String> {
        let step = |item: PsqlItem| match item {
            PsqlItem::Statement(piece, None) => piece.text,
            PsqlItem::Statement(piece, Some(rows)) => {
                format!("{} < {:?}", piece.text, &script[rows])
            }
            PsqlItem::Include { file, beside, .. } => format!("include {file} {beside}"),
            PsqlItem::Connect { database, .. } => format!("connect {database:?}"),
        };
        psql_script(script).unwrap_or_else(|e| panic!("{e}")).into_iter().map(step).collect()
    }

    #[rstest]
    #[case::rows("COPY t (a) FROM stdin;\n1\tit's; $$\n\\.\n\nSELECT 1;",
        &["COPY t (a) FROM stdin < \"1\\tit's; $$\\n\"", "SELECT 1"])]
    #[case::none("copy t from STDIN with (format csv);\n\\.\nX;",
        &["copy t from STDIN with (format csv) < \"\"", "X"])]
    #[case::backslashes("COPY t FROM stdin; -- rows\n\\N\t\\\\.\n\\.x\n\\.\nX",
        &["COPY t FROM stdin < \"\\\\N\\t\\\\\\\\.\\n\\\\.x\\n\"", "X"])]
    #[case::windows("COPY t FROM stdin;\r\n1\r\n\\.\r\nX;",
        &["COPY t FROM stdin < \"1\\r\\n\"", "X"])]
    #[case::to_the_end("COPY t FROM stdin;\n1\n2", &["COPY t FROM stdin < \"1\\n2\""])]
    #[case::two("COPY a FROM stdin;\n1\n\\.\nCOPY b FROM stdin;\n\\.",
        &["COPY a FROM stdin < \"1\\n\"", "COPY b FROM stdin < \"\""])]
    #[case::files("\\i a.sql\n\\ir 'b c.sql'\nX;\n\\include \"d\"\n",
        &["include a.sql false", "include b c.sql true", "X", "include d false"])]
    #[case::databases("\\connect shop\n\\c \"my shop\"\n\\c - bob\n\\connect -reuse-previous=on \
        \"dbname='the shop'\"\n\\c postgres://u@h:1/db?x=1\n\\c host=h dbname=d\n\\c",
        &["connect Some(\"shop\")", "connect Some(\"my shop\")", "connect None",
          "connect Some(\"the shop\")", "connect Some(\"db\")", "connect Some(\"d\")",
          "connect None"])]
    #[case::silent("\\restrict x'y\nX;\n\\unrestrict x'y\n\\set ON_ERROR_STOP on\n\\encoding UTF8",
        &["X"])]
    fn a_script_is_read_as_psql_runs_it(#[case] script: &str, #[case] expected: &[&str]) {
        assert_eq!(steps(script), expected);
    }

    #[test]
    fn lines_go_on_behind_rows() {
        let items = psql_script("COPY t FROM stdin;\n1\n2\n\\.\n\nSELECT 1;").expect("a script");
        let line = |item: &PsqlItem| match item {
            PsqlItem::Statement(piece, _) => piece.line,
            _ => 0,
        };
        assert_eq!(items.iter().map(line).collect::<Vec<_>>(), [1, 6]);
    }

    #[rstest]
    #[case::loops("SELECT 1;\n\\gexec\n", 2, "\\gexec")]
    #[case::condition("\\if true\nX;\n\\endif", 1, "\\if")]
    #[case::variable("X;\n\\set rows 10\n", 2, "\\set")]
    #[case::copy("\\copy t FROM 'x.csv' CSV\n", 1, "\\copy")]
    #[case::two("\\i a.sql \\i b.sql\n", 1, "\\i")]
    #[case::inside("SELECT\n\\i a.sql\n1;", 2, "\\i")]
    #[case::no_rows("X;\n\\.\n", 2, "there is none")]
    #[case::out("COPY t TO stdout;", 1, "nobody reads")]
    #[case::behind("COPY t FROM stdin; SELECT 1;\n1\n\\.\n", 1, "follows COPY")]
    #[case::open("X;\nSELECT 'a", 2, "string constant begins here")]
    fn what_is_not_done_here_is_refused_with_its_line(
        #[case] script: &str,
        #[case] line: u32,
        #[case] message: &str,
    ) {
        let error = psql_script(script).expect_err("refused");
        assert!(error.line == line && error.message.contains(message), "{error}");
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(
            text in "(\\\\[a-z.]{0,3}|COPY t FROM stdin;|[ -~\n]{0,5}|ü){0,9}"
        ) {
            let _ = psql_script(&text);
        }

        #[test]
        fn rows_are_exactly_what_is_there(
            rows in prop::collection::vec("[^\n\r\0]{0,12}", 0..6)
        ) {
            let rows: Vec<&String> = rows.iter().filter(|row| *row != "\\.").collect();
            let data: String = rows.iter().map(|row| format!("{row}\n")).collect();
            let script = format!("X;\nCOPY t FROM stdin;\n{data}\\.\nY;");
            let items = psql_script(&script).expect("a script");
            let Some(PsqlItem::Statement(_, Some(found))) = items.get(1) else {
                panic!("{items:?}");
            };
            prop_assert_eq!(&script[found.clone()], data);
            prop_assert_eq!(items.len(), 3);
        }
    }
}
