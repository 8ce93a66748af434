//! refinery: `V<version>__<name>.sql` and `U<version>__<name>.sql`, also in directories below.
//!
//! - V and U (which may be added between applied ones) share one row of whole numbers and are
//!   applied in their order. The tool logs a warning for every file of another name; here that is a
//!   problem where it is SQL. A Rust file of such a name is a migration, too.
//! - A file is sent as one message, in a transaction together with the version row, unless a line
//!   is `-- refinery:noTransaction`. That is on the tool's main branch and in releases made of it;
//!   the documentation of 0.8 knows no such line.
//! - One transaction for all, `set_grouped`, is a switch of the program that runs them and is off.
//!
//! Source: `refinery_core/src/util.rs` and `refinery_core/src/drivers/tokio_postgres.rs` in
//! <https://github.com/rust-db/refinery>.

use super::super::Migration;
use super::super::sql::Sql;
use super::listing::Listing;
use super::reading::{Named, Reading};
use super::text::leading_digits;

pub(super) fn read(listing: &Listing, reading: &mut Reading) -> Vec<Migration> {
    let mut found = Vec::new();
    for entry in listing.files_below() {
        let Some((stem, extension)) = entry.name.rsplit_once('.') else { continue };
        match (version(stem), extension) {
            (Some(order), "sql") => {
                found.push(Named { order, version: order.to_string(), entry });
            }
            (Some(_), "rs") => reading.no_sql(entry),
            (None, "sql") => reading.misnamed(entry, "the name is not one of refinery's"),
            _ => {}
        }
    }
    let mut migrations = Vec::new();
    for Named { version, entry, .. } in reading.in_order(found) {
        let Some(source) = reading.open(&entry.path) else { continue };
        let transaction = !runs_outside_transaction(&source.text);
        let sql = Sql::file(&source);
        migrations.push(reading.as_one_message(version, &source, &sql, transaction));
    }
    migrations
}

/// The version of `V12__name`: a whole number.
pub(super) fn version(stem: &str) -> Option<u64> {
    let (digits, rest) = leading_digits(stem.strip_prefix(['V', 'U'])?)?;
    let name = rest.strip_prefix("__")?;
    let is_word = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
    is_word.then(|| digits.parse().ok())?
}

/// A comment line with nothing but the annotation; at most one blank precedes it.
pub(super) fn runs_outside_transaction(text: &str) -> bool {
    text.lines().any(|line| {
        let rest = line.trim_start_matches('-');
        let dashes = line.len() - rest.len();
        let rest = rest.strip_prefix(char::is_whitespace).unwrap_or(rest);
        dashes >= 2 && rest == "refinery:noTransaction"
    })
}
