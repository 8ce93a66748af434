//! dbmate: `<digits>….sql` with a `-- migrate:up` and a `-- migrate:down` block.
//!
//! - The version is the leading digits as written; files are applied in the order of
//!   their names, not of their numbers. Other names are left out silently, directories too.
//! - Both blocks have to be there, up first, nothing but comments before it. A second up block is
//!   documented, but writes the version row a second time and fails on PostgreSQL
//!   (<https://github.com/amacneil/dbmate/issues/820>), so it is a problem here.
//! - The up block is sent as one message, in a transaction together with the version row, unless
//!   the option `transaction:false` follows on the line of `-- migrate:up`.
//!
//! Source: `pkg/dbmate/migration.go` and `pkg/dbmate/db.go` in
//! <https://github.com/amacneil/dbmate>, v2, and its README. Where dbmate takes an option that it
//! does not know, or a misspelt block, for a comment, it is a problem here.

use std::ops::Range;

use super::super::Migration;
use super::super::problem::{Problem, Source};
use super::super::sql::Sql;
use super::listing::Listing;
use super::reading::{Named, Reading};
use super::text::{leading_digits, lines};

pub(super) fn read(listing: &Listing, reading: &mut Reading) -> Vec<Migration> {
    let mut found = Vec::new();
    for entry in listing.files().filter(|entry| entry.name.ends_with(".sql")) {
        if let Some((digits, _)) = leading_digits(&entry.name) {
            found.push(Named { order: digits.to_owned(), version: digits.to_owned(), entry });
        }
    }
    let mut found = reading.in_order(found);
    found.sort_by(|a, b| a.entry.name.cmp(&b.entry.name));
    let mut migrations = Vec::new();
    for Named { version, entry, .. } in found {
        let Some(source) = reading.open(&entry.path) else { continue };
        match up_block(&source) {
            Ok(up) => {
                let sql = Sql::part(&source, up.span);
                migrations.push(reading.as_one_message(version, &source, &sql, up.transaction));
            }
            Err(problem) => reading.problems.push(problem),
        }
    }
    migrations
}

struct Up {
    span: Range<usize>,
    transaction: bool,
}

/// A line that is a directive, with its bytes.
struct Directive<'a> {
    name: &'a str,
    options: &'a str,
    span: Range<usize>,
}

/// `--migrate:up transaction:false`, at the very start of a line.
fn directive(offset: usize, line: &str) -> Option<Directive<'_>> {
    let rest = line.strip_prefix("--")?.trim_start().strip_prefix("migrate:")?;
    let (name, options) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let span = offset..offset + line.len();
    (!name.is_empty()).then(|| Directive { name, options: options.trim(), span })
}

fn up_block(source: &Source) -> Result<Up, Problem> {
    let (mut up, mut down): (Option<Directive<'_>>, Option<Directive<'_>>) = (None, None);
    for (offset, line) in lines(&source.text) {
        let Some(found) = directive(offset, line) else { continue };
        let wrong = |message: &str| source.problem(found.span.clone(), message);
        match found.name {
            "up" if up.is_some() => {
                let remedy = "write a file of its own for each; dbmate fails on the second's \
                              version row";
                return Err(wrong("there is a second -- migrate:up").remedy(remedy));
            }
            "up" if down.is_some() => {
                let remedy = "dbmate wants -- migrate:up first";
                return Err(wrong("-- migrate:down is before it").remedy(remedy));
            }
            "up" => up = Some(found),
            "down" if down.is_none() => down = Some(found),
            "down" => {
                let remedy = "one file has one -- migrate:up and one -- migrate:down";
                return Err(wrong("there is a second -- migrate:down").remedy(remedy));
            }
            name => {
                let message = format!("dbmate has no block `{name}`");
                return Err(wrong(&message).remedy("it knows -- migrate:up and -- migrate:down"));
            }
        }
    }
    let (Some(up), Some(down)) = (&up, &down) else {
        let absent = if up.is_none() { "-- migrate:up" } else { "-- migrate:down" };
        let remedy = "dbmate refuses a file that has not both, at the start of a line";
        return Err(source.problem(0..0, format!("there is no line {absent}")).remedy(remedy));
    };
    nothing_before(source, up.span.start)?;
    Ok(Up { span: up.span.end..down.span.start, transaction: transaction(source, up)? })
}

fn nothing_before(source: &Source, up: usize) -> Result<(), Problem> {
    let is_blank = |line: &str| line.trim().is_empty() || line.trim_start().starts_with("--");
    let before = lines(&source.text).take_while(|(offset, _)| *offset < up);
    match before.into_iter().find(|(_, line)| !is_blank(line)) {
        Some((offset, line)) => {
            let problem =
                source.problem(offset..offset + line.len(), "this is before -- migrate:up");
            Err(problem.remedy("dbmate takes comments only there; move it below"))
        }
        None => Ok(()),
    }
}

fn transaction(source: &Source, up: &Directive<'_>) -> Result<bool, Problem> {
    let mut transaction = true;
    for option in up.options.split_whitespace() {
        match option {
            "transaction:false" => transaction = false,
            "transaction:true" => transaction = true,
            option => {
                let message = format!("the option `{option}` is not read here");
                let remedy = "known options: transaction:true, transaction:false";
                return Err(source.problem(up.span.clone(), message).remedy(remedy));
            }
        }
    }
    Ok(transaction)
}
