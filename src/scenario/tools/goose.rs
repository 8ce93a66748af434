//! goose: `<version>_<name>.sql` with `-- +goose` annotations.
//!
//! - Every `.sql` file needs a version above 0 before its first `_`; a Go file that has one is a
//!   migration, too. Files are applied in the order of the numbers, which go into the version
//!   table without leading zeros.
//! - Annotations ignore case and have no blank before them: Up, Down (optional, after Up), NO
//!   TRANSACTION (anywhere, for the whole file), StatementBegin and StatementEnd, ENVSUB ON and
//!   OFF. Substitution from the environment is refused here.
//! - A statement ends with a line whose last word before a `--` ends in a semicolon, even within
//!   quotes; between StatementBegin and StatementEnd it does not end. Each is a message of its own,
//!   all in one transaction together with the version row, unless the file says NO TRANSACTION.
//!
//! Source: <https://pressly.github.io/goose/documentation/annotations>, and
//! `internal/sqlparser/parser.go` in <https://github.com/pressly/goose>, v3. Which file names its
//! command line refuses is from knowledge of v3's `migrate.go`.

use std::ops::Range;

use super::super::Migration;
use super::super::problem::{Problem, Source};
use super::listing::Listing;
use super::reading::{Named, Reading, migration};
use super::text::{ends_with_semicolon, leading_digits, lines, nothing_open};

const CUT: &str = "goose ends a statement with a line that ends in a semicolon; put -- +goose \
                   StatementBegin before it and -- +goose StatementEnd after it";

pub(super) fn read(listing: &Listing, reading: &mut Reading) -> Vec<Migration> {
    let mut found = Vec::new();
    for entry in listing.files() {
        let number = entry.name.split_once('_').and_then(|(number, _)| number.parse::<u64>().ok());
        match number.filter(|number| *number > 0) {
            Some(order) if entry.name.ends_with(".sql") => {
                found.push(Named { order, version: order.to_string(), entry });
            }
            Some(_) if entry.name.ends_with(".go") && !entry.name.ends_with("_test.go") => {
                reading.no_sql(entry);
            }
            None if entry.name.ends_with(".sql") => {
                reading.misnamed(entry, "its name has no version: a number above 0 and `_`");
            }
            _ => {}
        }
    }
    let mut migrations = Vec::new();
    for Named { version, entry, .. } in reading.in_order(found) {
        let Some(source) = reading.open(&entry.path) else { continue };
        match File::parse(&source) {
            Ok(file) => {
                let statement = |message: &Message| {
                    let cut = (!message.is_block).then_some(CUT);
                    reading.message(&source, message.span.clone(), cut)
                };
                let statements = file.messages.iter().filter_map(statement).collect();
                migrations.push(migration(version, &source, statements, file.transaction));
            }
            Err(problem) => reading.problems.push(problem),
        }
    }
    migrations
}

/// What goose sends at once.
struct Message {
    span: Range<usize>,
    /// It was between StatementBegin and StatementEnd.
    is_block: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Section {
    Start,
    Up,
    UpBlock,
    Down,
    DownBlock,
}

/// A file as far as it is read.
struct File<'a> {
    source: &'a Source,
    state: Section,
    transaction: bool,
    /// Where the statement that is being read begins.
    begins: Option<usize>,
    messages: Vec<Message>,
}

impl<'a> File<'a> {
    fn parse(source: &'a Source) -> Result<File<'a>, Problem> {
        let (state, messages) = (Section::Start, Vec::new());
        let mut file = File { source, state, transaction: true, begins: None, messages };
        for (offset, line) in lines(&source.text) {
            match annotation(line) {
                Some(text) => file.annotated(offset..offset + line.len(), &text)?,
                None => file.line(offset, line)?,
            }
        }
        file.end()?;
        Ok(file)
    }

    fn annotated(&mut self, line: Range<usize>, text: &str) -> Result<(), Problem> {
        let wrong = |message: &str, remedy: &str| {
            Err(self.source.problem(line.clone(), message).remedy(remedy))
        };
        if self.source.text.get(line.start..).is_some_and(|t| t.starts_with([' ', '\t'])) {
            return wrong("a blank precedes this annotation", "goose refuses that; remove it");
        }
        match (text.to_ascii_lowercase().as_str(), self.state) {
            ("up", Section::Start) => self.state = Section::Up,
            ("up", _) => return wrong("there is a second -- +goose Up", "a file has one"),
            ("down", Section::Up) => {
                nothing_open(self.source, self.begins, "goose")?;
                self.state = Section::Down;
            }
            ("down", _) => {
                return wrong("-- +goose Down has no place here", "it is allowed once, after Up");
            }
            ("statementbegin", Section::Up) => self.state = Section::UpBlock,
            ("statementbegin", Section::Down) => self.state = Section::DownBlock,
            ("statementbegin", _) => {
                return wrong("StatementBegin has no place here", "it is allowed after Up or Down");
            }
            ("statementend", Section::UpBlock) => {
                let span = self.begins.take().unwrap_or(line.start)..line.start;
                self.messages.push(Message { span, is_block: true });
                self.state = Section::Up;
            }
            ("statementend", Section::DownBlock) => self.state = Section::Down,
            ("statementend", _) => {
                return wrong("StatementEnd has no place here", "it ends a StatementBegin");
            }
            ("no transaction", _) => self.transaction = false,
            ("envsub off", _) => {}
            ("envsub on", _) => {
                return wrong(
                    "the environment's variables are not put in here",
                    "write their values, without ENVSUB",
                );
            }
            _ => {
                let message = format!("goose has no annotation `{text}`");
                let known = "known: Up, Down, StatementBegin, StatementEnd, NO TRANSACTION";
                return wrong(&message, known);
            }
        }
        Ok(())
    }

    fn line(&mut self, offset: usize, line: &str) -> Result<(), Problem> {
        let blank = line.trim().is_empty() || line.trim_start().starts_with("--");
        if self.begins.is_none() && blank {
            return Ok(());
        }
        match self.state {
            Section::Start => {
                let span = offset..offset + line.len();
                let problem = self.source.problem(span, "this is before -- +goose Up");
                return Err(problem.remedy("goose takes comments only there; move it below"));
            }
            Section::Up => {
                let begins = *self.begins.get_or_insert(offset);
                if ends_with_semicolon(line) {
                    let span = begins..offset + line.len();
                    self.messages.push(Message { span, is_block: false });
                    self.begins = None;
                }
            }
            Section::UpBlock => {
                self.begins.get_or_insert(offset);
            }
            Section::Down | Section::DownBlock => {}
        }
        Ok(())
    }

    fn end(&self) -> Result<(), Problem> {
        let whole =
            |message: &str, remedy: &str| Err(self.source.problem(0..0, message).remedy(remedy));
        match self.state {
            Section::Start => {
                whole("there is no line -- +goose Up", "goose refuses a file without it")
            }
            Section::UpBlock | Section::DownBlock => {
                whole("a StatementBegin has no StatementEnd", "goose refuses that; add it")
            }
            Section::Up => nothing_open(self.source, self.begins, "goose"),
            Section::Down => Ok(()),
        }
    }
}

/// `-- +goose NO TRANSACTION`: what follows `+goose`.
fn annotation(line: &str) -> Option<String> {
    let comment = line.trim().strip_prefix("--")?;
    let (_, text) = comment.split_once("+goose")?;
    Some(text.trim().to_owned())
}

/// Whether a text is one of goose's, by name and content.
pub(super) fn is_annotated(name: &str, text: &str) -> bool {
    leading_digits(name).is_some() && text.lines().any(|line| annotation(line).is_some())
}
