//! SQL of a scenario: files, inline statements, and the `$name`s in them.
//!
//! What the parser does not know is a notice: it may be a typo, and it may be what only the server
//! knows. What cannot be cut into statements is a problem.

use std::collections::BTreeSet;

use toml::Spanned;

use crate::pg::lex::{self, TokenKind};
use crate::pg::{SqlPiece, syntax};

use super::super::problem::{Problem, Source, beside, known_names};
use super::super::psql;
use super::super::sql::Sql;
use super::super::{OperationStatement, Script};
use super::Checker;

/// The parameters that some statements name.
pub(super) type Uses = BTreeSet<String>;

/// Why BEGIN and COMMIT have no place among some statements.
pub(super) const IN_ONE_TRANSACTION: &str = "these statements run in one transaction already";
pub(super) const EACH_BY_ITSELF: &str = "these statements run one by one, in no transaction";

impl Checker<'_> {
    /// A path in a scenario file is relative to that file.
    pub(super) fn open(&mut self, source: &Source, path: &Spanned<String>) -> Option<Source> {
        let full = beside(&source.path, path.get_ref());
        match Source::open(&full) {
            Ok(file) => Some(file),
            Err(why) => {
                let message = format!("cannot read {}: {why}", full.display());
                let remedy = "paths are relative to the file that names them";
                self.push_with(source, path, message, remedy);
                None
            }
        }
    }

    /// An SQL file as statements.
    pub(super) fn script(&mut self, source: &Source, path: &Spanned<String>) -> Option<Script> {
        let file = self.open(source, path)?;
        let sql = Sql::file(&file);
        let pieces = self.taken(sql.psql_pieces());
        self.notices.extend(sql.all_unknown(&pieces));
        Some(Script { path: file.path.clone(), statements: sql.statements(pieces) })
    }

    /// A file of the schema as statements, as psql runs it.
    pub(super) fn psql_script(
        &mut self,
        source: &Source,
        path: &Spanned<String>,
    ) -> Option<Script> {
        let file = self.open(source, path)?;
        let (script, problems, notices) = psql::read(&file);
        self.problems.extend(problems);
        self.notices.extend(notices);
        Some(script)
    }

    pub(super) fn pieces(&mut self, sql: &Sql<'_>) -> Vec<SqlPiece> {
        self.taken(sql.pieces())
    }

    fn taken(&mut self, pieces: Result<Vec<SqlPiece>, Problem>) -> Vec<SqlPiece> {
        pieces.unwrap_or_else(|problem| {
            self.problems.push(problem);
            Vec::new()
        })
    }

    fn knows(&mut self, sql: &Sql<'_>, offset: usize, text: &str) {
        self.notices.extend(sql.unknown(offset, text));
    }

    /// Statements without parameters. Their caller decides on the transaction, as `why` says.
    pub(super) fn plain_statements(&mut self, sql: &Sql<'_>, why: &str) -> Vec<String> {
        let pieces = self.pieces(sql);
        for piece in &pieces {
            self.knows(sql, piece.offset, &piece.text);
            self.opens_no_transaction(sql, piece, why);
        }
        pieces.into_iter().map(|piece| piece.text).collect()
    }

    /// Statements with `$name`s, each of which must be among `known`.
    pub(super) fn named_statements(
        &mut self,
        sql: &Sql<'_>,
        known: &[&str],
        uses: &mut Uses,
    ) -> Vec<OperationStatement> {
        let pieces = self.pieces(sql);
        let mut statements = Vec::with_capacity(pieces.len());
        for piece in &pieces {
            self.opens_no_transaction(sql, piece, IN_ONE_TRANSACTION);
            statements.extend(self.positional(sql, piece, known, uses));
        }
        statements
    }

    /// `$name`s turned into `$1`, `$2`, … in order of first use.
    fn positional(
        &mut self,
        sql: &Sql<'_>,
        piece: &SqlPiece,
        known: &[&str],
        uses: &mut Uses,
    ) -> Option<OperationStatement> {
        let (mut text, mut padded) = (String::new(), String::new());
        let (mut placeholders, mut copied): (Vec<String>, usize) = (Vec::new(), 0);
        // A piece has no open quotes: it comes from a script that was split.
        for token in lex::tokens(&piece.text).ok()? {
            let (name, at) = (token.text(&piece.text), piece.offset + token.start);
            match token.kind {
                TokenKind::Positional => {
                    let problem = sql.problem(at, name.len(), format!("`{name}` has no name"));
                    let remedy = "write $name, and say under params what it is";
                    self.problems.push(problem.remedy(remedy));
                }
                TokenKind::Named => {
                    let bare = name.trim_start_matches('$');
                    if !known.contains(&bare) {
                        let message = format!("no parameter `{bare}` under params");
                        let remedy = known_names(bare, "parameters", known.iter().copied());
                        let problem = sql.problem(at, name.len(), message);
                        self.problems.push(problem.remedy(remedy));
                    }
                    uses.insert(bare.to_owned());
                    let number = match placeholders.iter().position(|known| known == bare) {
                        Some(index) => index + 1,
                        None => {
                            placeholders.push(bare.to_owned());
                            placeholders.len()
                        }
                    };
                    let between = piece.text.get(copied..token.start).unwrap_or_default();
                    text.push_str(&format!("{between}${number}"));
                    // As long as the name, so that a syntax error keeps its place.
                    padded.push_str(&format!("{between}{:<width$}", "$1", width = name.len()));
                    copied = token.end;
                }
                _ => {}
            }
        }
        let rest = piece.text.get(copied..).unwrap_or_default();
        text.push_str(rest);
        padded.push_str(rest);
        self.knows(sql, piece.offset, &padded);
        let place = sql.place(piece);
        Some(OperationStatement { sql: text, placeholders, place: Some(place) })
    }

    fn opens_no_transaction(&mut self, sql: &Sql<'_>, piece: &SqlPiece, why: &str) {
        use syntax::Kind::{Begin, Commit, Rollback};
        if matches!(syntax::kind(&piece.text), Begin | Commit | Rollback) {
            let message = format!("`{}` has no place here", piece.text);
            let problem = sql.problem(piece.offset, piece.text.len(), message);
            self.problems.push(problem.remedy(why));
        }
    }
}
