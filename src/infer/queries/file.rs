//! A file of named statements, as sqlc, aiosql, pugsql and yesql write them:
//!
//! ```sql
//! -- name: get_order :one
//! -- weight: 3
//! SELECT id, total FROM orders WHERE id = :id;
//! ```
//!
//! Several statements below one name are one transaction.

use std::path::Path;

use crate::pg::lex::{self, TokenKind};
use crate::pg::syntax::{self, Kind};
use crate::pg::{SqlPiece, facts, split};
use crate::scenario::Problem;

use super::super::traffic::plain;
use super::statement::{Query, QueryStatement};

/// Greatest weight.
const WEIGHT_MAX: u32 = 1_000_000;
/// Most queries of a file: one with more is another kind of file.
const QUERIES_MAX: usize = 1_000;

/// Reads a file of named statements.
///
/// # Errors
/// Every problem that was found, with its line and what would be right.
pub fn read_queries(path: &Path, text: &str) -> Result<Vec<Query>, Vec<Problem>> {
    let mut file = File { path, text, queries: Vec::new(), problems: Vec::new() };
    match lex::tokens(text) {
        Ok(_) => file.read(),
        Err(open) => {
            let message = format!("a {} begins here and never ends", open.what);
            file.problem(open.offset, message, "close it");
        }
    }
    if file.problems.is_empty() { Ok(file.queries) } else { Err(file.problems) }
}

struct File<'a> {
    path: &'a Path,
    text: &'a str,
    queries: Vec<Query>,
    problems: Vec<Problem>,
}

/// A comment that names what is below it.
struct Head {
    name: String,
    start: usize,
    end: usize,
}

impl File<'_> {
    fn read(&mut self) {
        let heads = self.heads();
        let first = heads.first().map_or(self.text.len(), |head| head.start);
        if let Some(piece) = self.pieces(0, first).first() {
            let remedy = "write `-- name: get_order` above it";
            self.problem(piece.offset, "this statement has no name", remedy);
        }
        if heads.is_empty() && self.problems.is_empty() {
            let remedy = "write `-- name: get_order` above each statement of the application";
            self.problem(0, "the file names no statement", remedy);
        }
        if heads.len() > QUERIES_MAX {
            let message =
                format!("there are {} names, at most {QUERIES_MAX} are read", heads.len());
            return self.problem(0, message, "name those that the application sends most");
        }
        for (at, head) in heads.iter().enumerate() {
            let end = heads.get(at + 1).map_or(self.text.len(), |next| next.start);
            self.query(head, end);
        }
    }

    /// Comments that are names.
    fn heads(&mut self) -> Vec<Head> {
        let mut heads = Vec::new();
        for token in lex::tokens(self.text).unwrap_or_default() {
            if token.kind != TokenKind::Comment {
                continue;
            }
            let Some(value) = value_of(token.text(self.text), "name") else { continue };
            match name_of(value) {
                Some(name) => heads.push(Head { name, start: token.start, end: token.end }),
                None => {
                    let message = format!("`{value}` is no name");
                    self.problem(token.start, message, "write letters, digits and underscores");
                }
            }
        }
        heads
    }

    fn query(&mut self, head: &Head, end: usize) {
        let line = lex::position(self.text, head.start).0;
        if let Some(other) = self.queries.iter().find(|known| known.name == head.name) {
            let message =
                format!("there are two of the name `{}`, one at line {}", head.name, other.line);
            self.problem(head.start, message, "give each its own");
        }
        let before = self.problems.len();
        let weight = self.weight(head.end, end);
        let pieces = self.pieces(head.end, end);
        let several = pieces.len() > 1;
        for piece in &pieces {
            self.is_of_an_application(piece, several);
        }
        if pieces.is_empty() && self.problems.len() == before {
            let message = format!("`{}` has no statement", head.name);
            self.problem(head.start, message, "write one below its name, or take the name out");
        }
        let statement =
            |(at, piece): (usize, &SqlPiece)| QueryStatement::read(&piece.text, piece.offset, at);
        let statements = pieces.iter().enumerate().map(statement).collect();
        self.queries.push(Query { name: head.name.clone(), weight, line, statements });
    }

    /// `-- weight: 3`
    fn weight(&mut self, from: usize, to: usize) -> Option<u32> {
        let mut weight = None;
        let block = self.text.get(from..to).unwrap_or_default();
        for token in lex::tokens(block).unwrap_or_default() {
            let is_comment = token.kind == TokenKind::Comment;
            let Some(value) = value_of(token.text(block), "weight").filter(|_| is_comment) else {
                continue;
            };
            match value.parse().ok().filter(|number| (1..=WEIGHT_MAX).contains(number)) {
                Some(number) => weight = Some(number),
                None => {
                    let message = format!("`{value}` is no weight");
                    let remedy = format!("write a whole number from 1 to {WEIGHT_MAX}");
                    self.problem(from + token.start, message, &remedy);
                }
            }
        }
        weight
    }

    /// The statements of a part of the file, with places in the file.
    fn pieces(&mut self, from: usize, to: usize) -> Vec<SqlPiece> {
        let block = self.text.get(from..to).unwrap_or_default();
        match split(block) {
            Ok(pieces) => {
                let placed = |piece: SqlPiece| SqlPiece { offset: from + piece.offset, ..piece };
                pieces.into_iter().map(placed).collect()
            }
            Err(error) => {
                let lines = block.split_inclusive('\n').take(error.line as usize - 1);
                let start: usize = lines.map(str::len).sum();
                self.problem(from + start, error.message, "leave it out");
                Vec::new()
            }
        }
    }

    /// An application reads and writes rows. What begins or ends a transaction is pgauntlet's, and
    /// what changes the schema is the change's.
    fn is_of_an_application(&mut self, piece: &SqlPiece, several: bool) {
        let parsed = facts::facts(&piece.text);
        let kind = match parsed.statements.first() {
            Some(facts) => facts.kind.clone(),
            None => syntax::kind(&piece.text),
        };
        let words = || {
            let words = piece.text.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
            words.to_uppercase()
        };
        let first = words();
        let first = first.split(' ').next().unwrap_or_default();
        match kind {
            Kind::Select | Kind::Insert | Kind::Update | Kind::Delete | Kind::Call | Kind::Lock => {
            }
            Kind::Set
                if parsed.statements.iter().any(|facts| facts.sets.iter().any(|s| s.local))
                    && several => {}
            // Its parameters are what the parser may not know: `:name` in a place of its own.
            Kind::Other if matches!(first, "MERGE" | "WITH") => {}
            Kind::Begin | Kind::Commit | Kind::Rollback | Kind::Savepoint => {
                let message = format!("`{}` has no place here", words());
                let remedy = "several statements below one name run as one transaction already";
                self.problem(piece.offset, message, remedy);
            }
            Kind::Set | Kind::Show => {
                let message = format!("`{}` has no place here", words());
                let remedy = "a setting of the session is for `[pool] settings` of the scenario; \
                              SET LOCAL may be one of several statements";
                self.problem(piece.offset, message, remedy);
            }
            _ => {
                let message = format!("`{}` is no statement that reads or writes rows", words());
                let remedy = "what changes the schema or the server is no operation of the \
                              application: leave it out";
                self.problem(piece.offset, message, remedy);
            }
        }
    }

    fn problem(&mut self, offset: usize, message: impl Into<String>, remedy: &str) {
        self.problems.push(problem(self.path, self.text, offset, message).remedy(remedy));
    }
}

/// A problem at a place of a file.
pub fn problem(path: &Path, text: &str, offset: usize, message: impl Into<String>) -> Problem {
    let (line, column) = lex::position(text, offset);
    Problem {
        line: Some(line),
        column: Some(column),
        text: text.lines().nth(line as usize - 1).map(Into::into),
        ..Problem::of_file(path, message)
    }
}

/// The value of a comment such as `-- name: x`, `-- :name x` or `/* name: x */`.
fn value_of<'t>(comment: &'t str, key: &str) -> Option<&'t str> {
    let text = match comment.strip_prefix("/*") {
        Some(block) => block.trim_end_matches("*/").trim(),
        None => comment.trim_start_matches('-').trim(),
    };
    let behind = match text.strip_prefix(':') {
        Some(rest) => rest.strip_prefix(key)?.strip_prefix(' ')?,
        None => text.strip_prefix(key)?.trim_start().strip_prefix(':')?,
    };
    Some(behind.trim())
}

/// `get_order :one`, `get_order^`, `get_order(id)!` as `get-order`.
fn name_of(value: &str) -> Option<String> {
    let word = value.split_whitespace().next()?;
    let word = word.split('(').next()?.trim_end_matches(['^', '!', '*', '<', '>', '#', '$']);
    // Words of its own: `getOrder` is get-order.
    let mut spelled = String::new();
    let mut before = ' ';
    for c in word.chars() {
        if c.is_uppercase() && before.is_lowercase() {
            spelled.push('-');
        }
        spelled.push(c);
        before = c;
    }
    let is_name = word.chars().any(char::is_alphanumeric)
        && word.chars().all(|c| c.is_alphanumeric() || "_-.?/".contains(c));
    is_name.then(|| plain(&spelled, '-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "\
-- The shop's own statements.
-- name: get_order :one
-- weight: 3
SELECT id FROM orders -- by key
WHERE id = $1;

/* name: listOrders :many */
SELECT id FROM orders LIMIT :limit

-- name: pay!
-- record_class: Order
UPDATE orders SET paid = true WHERE id = :id;
INSERT INTO payments (order_id) VALUES (:id);
-- :name touch :one
SELECT 1
";

    #[test]
    fn statements_are_named_as_the_tools_name_them() {
        let queries = read_queries(Path::new("q.sql"), FILE).expect("a file");
        let found: Vec<(&str, Option<u32>, u32, usize)> = queries
            .iter()
            .map(|q| (q.name.as_str(), q.weight, q.line, q.statements.len()))
            .collect();
        assert_eq!(
            found,
            [
                ("get-order", Some(3), 2, 1),
                ("list-orders", None, 7, 1),
                ("pay", None, 10, 2),
                ("touch", None, 14, 1)
            ]
        );
        assert_eq!(queries[0].statements[0].sql, "SELECT id FROM orders WHERE id = $1");
        let keys = |at: usize| &queries[2].statements[at].parameters[0].key;
        assert_eq!((keys(0), keys(1)), (&"id".to_owned(), &"id".to_owned()));
    }

    #[rstest::rstest]
    #[case(
        "-- name: a\nSELECT 1;\n-- name: A\nSELECT 2",
        "q.sql:3:1: there are two of the name `a`, \
        one at line 1; give each its own"
    )]
    #[case(
        "SELECT 1;\n-- name: a\nSELECT 2",
        "q.sql:1:1: this statement has no name; write \
        `-- name: get_order` above it"
    )]
    #[case(
        "-- nothing\n",
        "q.sql:1:1: the file names no statement; write `-- name: get_order` above \
        each statement of the application"
    )]
    #[case(
        "-- name: a\n-- name: b\nSELECT 1",
        "q.sql:1:1: `a` has no statement; write one below its \
        name, or take the name out"
    )]
    #[case(
        "-- name: a\nSELECT 1;\n  BEGIN;",
        "q.sql:3:3: `BEGIN` has no place here; several \
        statements below one name run as one transaction already"
    )]
    #[case(
        "-- name: a\nDROP TABLE t",
        "q.sql:2:1: `DROP TABLE` is no statement that reads or writes \
        rows; what changes the schema or the server is no operation of the application: \
        leave it out"
    )]
    #[case(
        "-- name: a\nSET work_mem = '1MB'",
        "q.sql:2:1: `SET WORK_MEM` has no place here; a \
        setting of the session is for `[pool] settings` of the scenario; SET LOCAL may be one of \
        several statements"
    )]
    #[case(
        "-- name: a\n-- weight: 0\nSELECT 1",
        "q.sql:2:1: `0` is no weight; write a whole number \
        from 1 to 1000000"
    )]
    #[case(
        "-- name: a\nSELECT 'x",
        "q.sql:2:8: a string constant begins here and never ends; close \
        it"
    )]
    #[case(
        "-- name: +\nSELECT 1",
        "q.sql:1:1: `+` is no name; write letters, digits and \
        underscores"
    )]
    fn a_bad_file_is_refused_with_its_line(#[case] text: &str, #[case] expected: &str) {
        let problems = read_queries(Path::new("q.sql"), text).expect_err("a problem");
        assert_eq!(problems[0].to_string(), expected);
    }

    #[test]
    fn a_transaction_may_set_what_ends_with_it() {
        let text = "-- name: a\nSET LOCAL work_mem = '1MB'; SELECT 1";
        assert_eq!(read_queries(Path::new("q.sql"), text).map(|q| q.len()), Ok(1));
    }
}
