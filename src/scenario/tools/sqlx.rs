//! sqlx: `<version>_<description>.sql`, or `.up.sql` and `.down.sql`.
//!
//! - The part before the first `_` has to be a 64-bit number. A name without `_` or without `.sql`
//!   is left out silently, directories too; any other part before `_` is an error.
//! - A file is sent as one message, in a transaction together with the version row, unless the
//!   file begins with `-- no-transaction`. That has to be its very first bytes.
//!
//! Source: `sqlx-core/src/migrate/source.rs`, `sqlx-core/src/migrate/migration_type.rs` and
//! `sqlx-postgres/src/migrate.rs` in <https://github.com/launchbadge/sqlx>, 0.8 and 0.9.

use super::super::Migration;
use super::super::sql::Sql;
use super::listing::Listing;
use super::reading::{Named, Reading};

const NO_TRANSACTION: &str = "-- no-transaction";

pub(super) fn read(listing: &Listing, reading: &mut Reading) -> Vec<Migration> {
    let mut found = Vec::new();
    for entry in listing.files() {
        let Some((number, description)) = entry.name.split_once('_') else { continue };
        if !description.ends_with(".sql") {
            continue;
        }
        let Ok(version) = number.parse::<i64>() else {
            reading.misnamed(entry, &format!("`{number}` is no version: a 64-bit number"));
            continue;
        };
        if !description.ends_with(".down.sql") {
            found.push(Named { order: version, version: version.to_string(), entry });
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

pub(super) fn runs_outside_transaction(text: &str) -> bool {
    text.starts_with(NO_TRANSACTION)
}
