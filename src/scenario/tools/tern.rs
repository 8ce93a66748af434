//! tern: `<number>_<name>.sql`, in which `---- create above / drop below ----` divides up and down.
//!
//! - Numbers begin at 1 and have no gap; two of one number are an error. Other files are left out
//!   silently. SQL in directories below is for templates.
//! - What is above the dividing line is the up part; without the line it is the whole file. tern
//!   cuts at that text wherever it is; here it has to be a line, or it is a problem, as is a line
//!   that only resembles it, by which tern would run both parts.
//! - A file is a Go template, which only tern can fill in: `{{` is a problem here.
//! - The up part is one message, in a transaction together with the version row, unless a line is
//!   `---- tern: disable-tx ----`: then each statement is a message of its own (of v2; the releases
//!   before it knew no such line).
//! - The version table has one row, the number of the last file. Settings are reset (`RESET ALL`)
//!   before it is written.
//!
//! Source: `migrate/migrate.go` in <https://github.com/jackc/tern>, v2.

use super::super::Migration;
use super::super::problem::{Problem, Source};
use super::super::sql::Sql;
use super::listing::Listing;
use super::reading::{Named, Reading, migration};
use super::text::{leading_digits, lines};

const DIVIDER: &str = "---- create above / drop below ----";
const DISABLE_TX: &str = "---- tern: disable-tx ----";

pub(super) fn read(listing: &Listing, reading: &mut Reading) -> Vec<Migration> {
    let mut found = Vec::new();
    for entry in listing.files().filter(|entry| entry.name.ends_with(".sql")) {
        let number = leading_digits(&entry.name)
            .filter(|(_, rest)| rest.starts_with('_') && rest.len() > "_.sql".len())
            .and_then(|(digits, _)| digits.parse::<i32>().ok());
        if let Some(order) = number {
            found.push(Named { order, version: order.to_string(), entry });
        }
    }
    let found = reading.in_order(found);
    let mut expected = 1;
    for named in &found {
        if named.order > expected || named.order < 1 {
            let problem = Problem::of_file(&named.entry.path, format!("there is no {expected}"));
            reading.problems.push(problem.remedy("tern wants the numbers from 1 on without a gap"));
        }
        expected = named.order.saturating_add(1);
    }
    let mut migrations = Vec::new();
    for Named { version, entry, .. } in found {
        let Some(source) = reading.open(&entry.path) else { continue };
        match up_part(&source) {
            Ok(end) => {
                let up = source.text.get(..end).unwrap_or_default();
                let transaction = !up.lines().any(|line| line == DISABLE_TX);
                let sql = Sql::part(&source, 0..end);
                migrations.push(match transaction {
                    true => reading.as_one_message(version, &source, &sql, true),
                    false => {
                        let statements = sql.statements(reading.pieces(&sql));
                        migration(version, &source, statements, false)
                    }
                });
            }
            Err(problem) => reading.problems.push(problem),
        }
    }
    migrations
}

/// Where the up part ends.
fn up_part(source: &Source) -> Result<usize, Problem> {
    if let Some(at) = source.text.find("{{") {
        let problem = source.problem(at..at + 2, "this begins a template's field");
        return Err(problem.remedy("only tern fills it in; write its value"));
    }
    for (offset, line) in lines(&source.text) {
        let resembles = |words: &str| line.starts_with("--") && line.contains(words);
        let written = source.text.get(offset..).and_then(|rest| rest.split('\n').next());
        let exact = line.contains(DIVIDER) || written == Some(DISABLE_TX);
        if !exact && (resembles("create above") || resembles("drop below") || resembles("tern:")) {
            let problem = source.problem(offset..offset + line.len(), "tern passes over this line");
            let remedy = format!("it knows `{DIVIDER}` and `{DISABLE_TX}`, to the letter");
            return Err(problem.remedy(remedy));
        }
    }
    let Some(at) = source.text.find(DIVIDER) else { return Ok(source.text.len()) };
    let is_line = lines(&source.text).any(|(offset, line)| offset == at && line.trim() == DIVIDER);
    if !is_line {
        let problem = source.problem(at..at + DIVIDER.len(), "tern cuts the file here");
        return Err(problem.remedy("write the text on a line of its own"));
    }
    Ok(at)
}
