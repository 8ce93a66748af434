//! Diesel: a directory per migration, with `up.sql`, `down.sql` and `metadata.toml`.
//!
//! - The version is the directory's name up to the first `_`, without hyphens; versions are
//!   compared as text. Plain files and hidden directories are left out silently; a directory
//!   without `up.sql` is an error.
//! - `up.sql` is sent as one message, in a transaction together with the version row, unless
//!   `metadata.toml` says `run_in_transaction = false`. A `metadata.toml` without that key says so
//!   as well: the key's default is false, the default of a migration without the file is true.
//! - A `metadata.toml` that is no TOML is passed over by Diesel; here it is a problem.
//!
//! Source: `diesel_migrations/src/file_based_migrations.rs` and
//! `diesel_migrations/migrations_internals/src/lib.rs` in <https://github.com/diesel-rs/diesel>, 2.

use std::path::Path;

use serde::Deserialize;

use super::super::Migration;
use super::super::sql::Sql;
use super::listing::Listing;
use super::reading::{Named, Reading};

#[derive(Deserialize)]
struct Metadata {
    #[serde(default)]
    run_in_transaction: bool,
}

pub(super) fn read(listing: &Listing, reading: &mut Reading) -> Vec<Migration> {
    let mut found = Vec::new();
    for entry in listing.directories() {
        if !entry.path.join("up.sql").exists() {
            reading.misnamed(entry, "the directory has no up.sql");
            continue;
        }
        let version = entry.name.split('_').next().unwrap_or_default().replace('-', "");
        found.push(Named { order: version.clone(), version, entry });
    }
    let mut migrations = Vec::new();
    for Named { version, entry, .. } in reading.in_order(found) {
        let transaction = runs_in_transaction(&entry.path.join("metadata.toml"), reading);
        let Some(source) = reading.open(&entry.path.join("up.sql")) else { continue };
        if source.text.is_empty() {
            let problem = source.problem(0..0, "the file is empty");
            reading.problems.push(problem.remedy("diesel refuses that; write a comment at least"));
        }
        let sql = Sql::file(&source);
        migrations.push(reading.as_one_message(version, &source, &sql, transaction));
    }
    migrations
}

fn runs_in_transaction(path: &Path, reading: &mut Reading) -> bool {
    if !path.exists() {
        return true;
    }
    let Some(source) = reading.open(path) else { return true };
    match toml::from_str::<Metadata>(&source.text) {
        Ok(metadata) => metadata.run_in_transaction,
        Err(error) => {
            let message = format!("no metadata: {}", error.message());
            let problem = source.problem(error.span().unwrap_or_default(), message);
            reading.problems.push(problem.remedy("right would be run_in_transaction = false"));
            true
        }
    }
}
