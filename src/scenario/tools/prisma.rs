//! Prisma Migrate: a directory per migration, `<time>_<name>/migration.sql`.
//!
//! - Directories are applied in the order of their names, which go whole into the version table;
//!   one without `migration.sql` is an error (P3015). Files beside them are left out silently;
//!   `migration_lock.toml` names the kind of database.
//! - Prisma opens no transaction. Up to 7.3 a file is sent as one message, so that the server runs
//!   its statements in one implicit transaction, and one statement by itself. From 7.4 on each
//!   statement is a message of its own: nothing but a BEGIN in the file makes a transaction.
//!   Which of the two holds is said by what is installed, by the lock file of npm, or by
//!   `package.json`; without them it is 7.3.
//! - The version row is written before the file without `finished_at` and finished after it, each
//!   in a transaction of its own. A row that is not finished stops every later run (P3009).
//!
//! Source: `schema-engine/connectors/sql-schema-connector/src/flavour/postgres/connector/native/`
//! `mod.rs` in <https://github.com/prisma/prisma-engines>, of 6 for the one message, and
//! <https://github.com/prisma/prisma-engines/pull/5767> with
//! <https://github.com/prisma/orm/releases/tag/7.4.0> for each statement, which others saw in the
//! server's log with 7.8. Rows and P3009: `apply_migrations.rs` in
//! `schema-engine/commands/src/commands/`.

use std::path::Path;

use super::super::Migration;
use super::super::problem::Problem;
use super::super::sql::Sql;
use super::listing::Listing;
use super::package::{self, Version};
use super::reading::{Named, Reading, migration};

/// The first version that sends each statement by itself.
const SPLITS: Version = (7, 4);

pub(super) fn read(listing: &Listing, reading: &mut Reading) -> Vec<Migration> {
    check_provider(&listing.dir, reading);
    let version = ["prisma", "@prisma/client"];
    let version = version.iter().find_map(|name| package::version(&listing.dir, name));
    let splits = version.is_some_and(|version| version >= SPLITS);
    let mut found = Vec::new();
    for entry in listing.directories() {
        if !entry.path.join("migration.sql").is_file() {
            reading.misnamed(entry, "the directory has no migration.sql");
            continue;
        }
        found.push(Named { order: entry.name.clone(), version: entry.name.clone(), entry });
    }
    let (mut migrations, mut depends) = (Vec::new(), false);
    for Named { version, entry, .. } in reading.in_order(found) {
        let Some(source) = reading.open(&entry.path.join("migration.sql")) else { continue };
        let sql = Sql::file(&source);
        if splits {
            let statements = sql.statements(reading.pieces(&sql));
            migrations.push(migration(version, &source, statements, false));
            continue;
        }
        let migration = reading.as_one_message(version, &source, &sql, false);
        depends |= migration.script.statements.len() > 1;
        migrations.push(migration);
    }
    if version.is_none() && depends {
        let what = "which Prisma applies it is not known: read as up to 7.3, where a file is one \
                    message and its statements one transaction";
        let remedy = "from 7.4 on each statement runs by itself; a package.json with prisma says \
                      which it is";
        reading.assumed(&listing.dir, what, |_| remedy.to_owned());
    }
    migrations
}

/// Files of another kind of database are no SQL of this one.
fn check_provider(dir: &Path, reading: &mut Reading) {
    let path = dir.join("migration_lock.toml");
    if !path.is_file() {
        return;
    }
    let Some(source) = reading.open(&path) else { return };
    let lock = source.text.parse::<toml::Table>().unwrap_or_default();
    let provider = lock.get("provider").and_then(toml::Value::as_str).unwrap_or("postgresql");
    if !["postgresql", "postgres"].contains(&provider) {
        let problem = Problem::of_file(&path, format!("its provider is {provider}"));
        reading.problems.push(problem.remedy("only PostgreSQL's migrations are run here"));
    }
}
