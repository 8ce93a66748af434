//! sql-migrate: `.sql` files with `-- +migrate` commands.
//!
//! - Every `.sql` file is a migration: first those whose names begin with digits, in the order of
//!   the numbers, then the others by name. The name, extension included, is the version.
//! - Commands begin their line: Up and Down, each with `notransaction`, StatementBegin and
//!   StatementEnd. sql-migrate passes over a command that it does not know or that is written
//!   otherwise, and over SQL before the first Up or Down: problems here.
//! - A statement ends with a line whose last word before a `--` ends in a semicolon, even within
//!   quotes; between StatementBegin and StatementEnd it does not end. Each is a message of its own,
//!   all in one transaction together with the version row, unless Up says `notransaction`.
//!
//! Source: `sqlparse/sqlparse.go` and `migrate.go` in <https://github.com/rubenv/sql-migrate>, v1.

use std::ops::Range;

use super::super::Migration;
use super::super::problem::{Problem, Source};
use super::listing::Listing;
use super::reading::{Named, Reading, migration};
use super::text::{ends_with_semicolon, leading_digits, lines, nothing_open};

const CUT: &str = "sql-migrate ends a statement with a line that ends in a semicolon; put -- \
                   +migrate StatementBegin before it and -- +migrate StatementEnd after it";

pub(super) fn read(listing: &Listing, reading: &mut Reading) -> Vec<Migration> {
    let mut found = Vec::new();
    for entry in listing.files().filter(|entry| entry.name.ends_with(".sql")) {
        let number = leading_digits(&entry.name).and_then(|(digits, _)| digits.parse::<i64>().ok());
        // Those without a number come last.
        let order = (number.is_none(), number, entry.name.clone());
        found.push(Named { order, version: entry.name.clone(), entry });
    }
    let mut migrations = Vec::new();
    for Named { version, entry, .. } in reading.in_order(found) {
        let Some(source) = reading.open(&entry.path) else { continue };
        match File::parse(&source) {
            Ok(file) => {
                let one = |(span, is_block): &(Range<usize>, bool)| {
                    reading.message(&source, span.clone(), (!is_block).then_some(CUT))
                };
                let statements = file.messages.iter().filter_map(one).collect();
                migrations.push(migration(version, &source, statements, file.transaction));
            }
            Err(problem) => reading.problems.push(problem),
        }
    }
    migrations
}

/// Which part of a file a line is in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    None,
    Up,
    Down,
}

struct File<'a> {
    source: &'a Source,
    part: Part,
    in_block: bool,
    transaction: bool,
    /// Where the statement that is being read begins.
    begins: Option<usize>,
    /// What is sent at once, and whether it was between StatementBegin and StatementEnd.
    messages: Vec<(Range<usize>, bool)>,
}

impl<'a> File<'a> {
    fn parse(source: &'a Source) -> Result<File<'a>, Problem> {
        let messages = Vec::new();
        let (part, begins) = (Part::None, None);
        let mut file = File { source, part, in_block: false, transaction: true, begins, messages };
        for (offset, line) in lines(&source.text) {
            let span = offset..offset + line.len();
            match line.strip_prefix("-- +migrate ") {
                Some(command) => file.command(span, command)?,
                None => file.line(span, line)?,
            }
        }
        file.end()?;
        Ok(file)
    }

    fn command(&mut self, line: Range<usize>, text: &str) -> Result<(), Problem> {
        let wrong = |message: String, remedy: &str| {
            Err(self.source.problem(line.clone(), message).remedy(remedy))
        };
        let mut words = text.split_whitespace();
        let (command, options) = (words.next().unwrap_or_default(), words);
        for option in options.clone() {
            if option != "notransaction" || !["Up", "Down"].contains(&command) {
                return wrong(
                    format!("sql-migrate has no option `{option}` for {command}"),
                    "it knows `notransaction` behind Up and Down",
                );
            }
        }
        match command {
            "Up" | "Down" => {
                nothing_open(self.source, self.begins, "sql-migrate")?;
                self.part = if command == "Up" { Part::Up } else { Part::Down };
                self.transaction &= command != "Up" || options.count() == 0;
            }
            "StatementBegin" if self.part != Part::None && !self.in_block => self.in_block = true,
            "StatementEnd" if self.in_block => {
                self.in_block = false;
                let begins = self.begins.take().unwrap_or(line.start);
                self.push(begins..line.start, true);
            }
            "StatementBegin" | "StatementEnd" => {
                let remedy = "StatementBegin is allowed after Up or Down, StatementEnd ends it";
                return wrong(format!("{command} has no place here"), remedy);
            }
            _ => {
                let known = "known: Up, Down, StatementBegin, StatementEnd";
                return wrong(format!("sql-migrate has no command `{command}`"), known);
            }
        }
        Ok(())
    }

    fn line(&mut self, line: Range<usize>, text: &str) -> Result<(), Problem> {
        let comment = text.trim_start().strip_prefix("--").unwrap_or_default();
        if !self.in_block && comment.trim_start().starts_with("+migrate") {
            let problem = self.source.problem(line, "sql-migrate passes over this command");
            return Err(problem.remedy("it begins its line with `-- +migrate `, one blank each"));
        }
        let blank = text.trim().is_empty() || text.trim_start().starts_with("--");
        if self.begins.is_none() && blank {
            return Ok(());
        }
        if self.part == Part::None {
            let problem = self.source.problem(line, "this is before -- +migrate Up");
            return Err(problem.remedy("sql-migrate leaves it out; move it below"));
        }
        let begins = *self.begins.get_or_insert(line.start);
        if !self.in_block && ends_with_semicolon(text) {
            self.begins = None;
            self.push(begins..line.end, false);
        }
        Ok(())
    }

    fn push(&mut self, span: Range<usize>, is_block: bool) {
        if self.part == Part::Up {
            self.messages.push((span, is_block));
        }
    }

    fn end(&self) -> Result<(), Problem> {
        let whole =
            |message: &str, remedy: &str| Err(self.source.problem(0..0, message).remedy(remedy));
        match self.part {
            Part::None => {
                whole("there is no line -- +migrate Up", "sql-migrate refuses a file without it")
            }
            _ if self.in_block => {
                whole("a StatementBegin has no StatementEnd", "sql-migrate refuses that; add it")
            }
            _ => nothing_open(self.source, self.begins, "sql-migrate"),
        }
    }
}
