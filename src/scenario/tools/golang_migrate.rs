//! golang-migrate: `<version>_<title>.up.sql` and `.down.sql`, by the number of the version.
//!
//! - Other names are left out silently. A version with a down file only is recorded by the tool
//!   with nothing run; here it is a problem, since it shows nothing.
//! - There is no transaction of its own: a file is sent as one message, which makes one implicit
//!   transaction of several statements and none of a single one. BEGIN and COMMIT in the file do
//!   what they say. The version row is written apart; the runner writes it into the same
//!   transaction where there is one.
//! - `x-multi-statement` (statements one by one) is a switch of the tool's connection and is off.
//!
//! Source: `source/parse.go`, `source/iofs/iofs.go` and `database/postgres/postgres.go` in
//! <https://github.com/golang-migrate/migrate>, v4.

use super::super::Migration;
use super::super::sql::Sql;
use super::listing::Listing;
use super::reading::{Named, Reading};
use super::text::leading_digits;

pub(super) fn read(listing: &Listing, reading: &mut Reading) -> Vec<Migration> {
    let (mut found, mut downs) = (Vec::new(), Vec::new());
    for entry in listing.files() {
        let Some((version, direction, extension)) = parse(&entry.name) else { continue };
        match (direction, extension) {
            (Direction::Down, _) => downs.push((version, entry)),
            (Direction::Up, "sql") => {
                found.push(Named { order: version, version: version.to_string(), entry });
            }
            (Direction::Up, _) => reading.no_sql(entry),
        }
    }
    for (version, entry) in downs {
        if !found.iter().any(|up| up.order == version) {
            reading.misnamed(entry, &format!("version {version} has a down file and no up file"));
        }
    }
    let mut migrations = Vec::new();
    for Named { version, entry, .. } in reading.in_order(found) {
        let Some(source) = reading.open(&entry.path) else { continue };
        let sql = Sql::file(&source);
        migrations.push(reading.as_one_message(version, &source, &sql, false));
    }
    migrations
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Up,
    Down,
}

/// `12_name.up.sql`: the version, the direction, the extension.
pub(super) fn parse(name: &str) -> Option<(u64, Direction, &str)> {
    let (digits, rest) = leading_digits(name)?;
    let rest = rest.strip_prefix('_')?;
    let up = rest.rfind(".up.").map(|at| (at, Direction::Up, ".up.".len()));
    let down = rest.rfind(".down.").map(|at| (at, Direction::Down, ".down.".len()));
    let (at, direction, length) = up.into_iter().chain(down).max_by_key(|(at, ..)| *at)?;
    Some((digits.parse().ok()?, direction, rest.get(at + length..)?))
}
