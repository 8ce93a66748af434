//! SQL text of a file, and its position: its statements, and which of them the parser does not
//! know.
//!
//! Shared by all code that reads SQL, so that a script means the same everywhere.

use std::ops::Range;

use toml::Spanned;

use crate::pg::{PsqlItem, SqlPiece, lex, psql_script, split, split_psql, syntax};

use super::problem::{Problem, Source};
use super::{SqlPlace, Statement};

/// Most statements of one text that are remarked on: one with more is another kind of file.
const UNKNOWN_MAX: usize = 100;

/// Text that holds SQL, and its position.
pub(super) struct Sql<'a> {
    source: &'a Source,
    pub text: &'a str,
    span: Range<usize>,
    /// Where the text begins in the source; None: its escapes make the places differ.
    begins: Option<usize>,
}

impl<'a> Sql<'a> {
    pub fn file(source: &'a Source) -> Sql<'a> {
        Sql::part(source, 0..source.text.len())
    }

    /// The bytes of a file that are SQL; the rest belongs to the tool.
    pub fn part(source: &'a Source, span: Range<usize>) -> Sql<'a> {
        let text = source.text.get(span.clone()).unwrap_or_default();
        Sql { source, text, begins: Some(span.start), span }
    }

    pub fn inline(source: &'a Source, text: &'a Spanned<String>) -> Sql<'a> {
        let span = text.span();
        let raw = source.text.get(span.clone()).unwrap_or_default();
        let text = text.get_ref().as_str();
        let begins = raw.find(text).map(|at| span.start + at);
        Sql { source, text, span, begins }
    }

    /// The statements, with places within the text.
    pub fn pieces(&self) -> Result<Vec<SqlPiece>, Problem> {
        split(self.text).map_err(|error| self.problem_in_line(error.line, error.message))
    }

    /// The same of a script that psql may run.
    pub fn psql_pieces(&self) -> Result<Vec<SqlPiece>, Problem> {
        split_psql(self.text).map_err(|error| self.problem_in_line(error.line, error.message))
    }

    /// The steps of a script as psql runs it.
    pub fn psql_items(&self) -> Result<Vec<PsqlItem>, Problem> {
        psql_script(self.text).map_err(|error| self.problem_in_line(error.line, error.message))
    }

    /// A notice of a statement that the parser does not know, at the first place where it does not;
    /// the others follow from it. The server knows more, and decides.
    pub fn unknown(&self, offset: usize, text: &str) -> Option<Problem> {
        let error = syntax::errors(text).into_iter().next()?;
        let message = format!("notice: the parser does not know this statement: {}", error.message);
        let notice = self.problem(offset + error.offset, 1, message);
        Some(notice.remedy("if it is no typo, nothing is to be done: the server decides"))
    }

    /// Those of all the statements.
    pub fn all_unknown(&self, pieces: &[SqlPiece]) -> Vec<Problem> {
        let unknown = pieces.iter().filter_map(|piece| self.unknown(piece.offset, &piece.text));
        unknown.take(UNKNOWN_MAX).collect()
    }

    /// With the lines of the whole file.
    pub fn statements(&self, pieces: Vec<SqlPiece>) -> Vec<Statement> {
        let before = self.source.text.get(..self.span.start).unwrap_or_default();
        let above = u32::try_from(before.matches('\n').count()).unwrap_or(u32::MAX);
        let line = |piece: &SqlPiece| piece.line.saturating_add(above);
        pieces.into_iter().map(|p| Statement::new(&p.text, line(&p))).collect()
    }

    /// The line of a statement in the file.
    pub fn place(&self, piece: &SqlPiece) -> SqlPlace {
        let at = self.begins.map_or(self.span.start, |begins| begins + piece.offset);
        let (line, _) = lex::position(&self.source.text, at);
        SqlPlace { path: self.source.path.clone(), line }
    }

    pub fn problem(&self, offset: usize, length: usize, message: impl Into<String>) -> Problem {
        let span = match self.begins {
            Some(begins) => begins + offset..begins + offset + length,
            None => self.span.clone(),
        };
        self.source.problem(span, message)
    }

    fn problem_in_line(&self, line: u32, message: String) -> Problem {
        let before = self.text.split_inclusive('\n').take(line as usize - 1);
        let start: usize = before.map(str::len).sum();
        let rest = self.text.get(start..).unwrap_or_default();
        let text = rest.lines().next().unwrap_or_default();
        let indent = text.len() - text.trim_start().len();
        self.problem(start + indent, text.trim().len(), message)
    }
}
