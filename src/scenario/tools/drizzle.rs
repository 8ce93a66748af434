//! Drizzle: `<number>_<name>.sql`, in the order of `meta/_journal.json`.
//!
//! - The journal's entries name the files by `tag` and give the order; `when`, in milliseconds, is
//!   what the version table remembers. A file of an entry that is not there is an error. A file
//!   without an entry is left out silently by Drizzle, and is a problem here.
//! - Pending is what has a greater `when` than the greatest in the table, so that an entry with a
//!   smaller one than that before it is never applied where that one is: a problem here.
//! - A file is cut at each `--> statement-breakpoint`, wherever it is; each part is one message.
//! - All pending files run in one transaction with their version rows. A COMMIT in a file leaves
//!   it, and each message after that runs by itself.
//! - From 1.0 on there is no journal: `<YYYYMMDDhhmmss>_<name>/migration.sql`, by the directories'
//!   names, and that time is what the version table remembers beside the name. Pending is what is
//!   not in the table. The rest is the same.
//!
//! Source: `drizzle-orm/src/migrator.ts` and `drizzle-orm/src/pg-core/dialect.ts` in
//! <https://github.com/drizzle-team/drizzle-orm>, 0.45.4; `migrator.js` and
//! `pg-core/async/session.js` of the package 1.0.0-rc.5; `drizzle-kit migrate` calls the same
//! `migrate()`.

use serde::Deserialize;

use super::super::problem::{Problem, Source};
use super::super::sql::Sql;
use super::super::{Migration, Script, Statement};
use super::listing::{self, Listing};
use super::message;
use super::reading::{Named, Reading};

const JOURNAL: &str = "meta/_journal.json";
const BREAKPOINT: &str = "--> statement-breakpoint";

#[derive(Deserialize)]
struct Journal {
    dialect: Option<String>,
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    when: i64,
    tag: String,
}

pub(super) fn read(listing: &Listing, reading: &mut Reading) -> Vec<Migration> {
    let is_directory = |entry: &&listing::Entry| entry.path.join("migration.sql").is_file();
    if !listing.dir.join(JOURNAL).is_file() && listing.directories().any(|e| is_directory(&e)) {
        return directories(listing, reading);
    }
    let Some(journal) = journal(listing, reading) else { return Vec::new() };
    for entry in listing.files().filter(|entry| entry.name.ends_with(".sql")) {
        let is_of = |listed: &Entry| entry.name.strip_suffix(".sql") == Some(&listed.tag);
        if !journal.entries.iter().any(is_of) {
            let problem = Problem::of_file(&entry.path, format!("{JOURNAL} does not list it"));
            let remedy = "Drizzle would leave it out; make it with drizzle-kit generate --custom";
            reading.problems.push(problem.remedy(remedy));
        }
    }
    let mut migrations = Vec::new();
    for entry in journal.entries {
        let path = listing.dir.join(format!("{}.sql", entry.tag));
        if !path.is_file() {
            let problem =
                Problem::of_file(&path, format!("{JOURNAL} lists it, and it is not there"));
            reading.problems.push(problem.remedy("Drizzle refuses that; take the entry out"));
            continue;
        }
        let Some(source) = reading.open(&path) else { continue };
        let statements = statements(&source, reading);
        let script = Script { path: source.path.clone(), statements };
        migrations.push(Migration::new(entry.when.to_string(), script, None));
    }
    migrations
}

/// A directory per migration.
fn directories(listing: &Listing, reading: &mut Reading) -> Vec<Migration> {
    let mut found = Vec::new();
    for entry in listing.directories() {
        if !entry.path.join("migration.sql").is_file() {
            continue;
        }
        match millis(&entry.name) {
            Some(millis) => found.push(Named { order: millis, version: millis.to_string(), entry }),
            None => reading.misnamed(entry, "its name does not begin with a time"),
        }
    }
    let mut migrations = Vec::new();
    for Named { version, entry, .. } in reading.in_order(found) {
        let Some(source) = reading.open(&entry.path.join("migration.sql")) else { continue };
        let script = Script { path: source.path.clone(), statements: statements(&source, reading) };
        migrations.push(Migration::new(version, script, None));
    }
    migrations
}

/// The time in front of a directory's name, in milliseconds since 1970.
fn millis(name: &str) -> Option<i64> {
    let digits = name.get(..14).filter(|digits| digits.chars().all(|c| c.is_ascii_digit()))?;
    let time = jiff::civil::DateTime::strptime("%Y%m%d%H%M%S", digits).ok()?;
    Some(time.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_millisecond())
}

fn journal(listing: &Listing, reading: &mut Reading) -> Option<Journal> {
    let path = listing.dir.join(JOURNAL);
    let mut wrong = |message: String, remedy: &str| {
        reading.problems.push(Problem::of_file(&path, message).remedy(remedy));
        None
    };
    if !path.is_file() {
        return wrong("there is none".into(), "Drizzle takes the files and their order there");
    }
    let text = match Source::open(&path) {
        Ok(source) => source.text,
        Err(why) => return wrong(format!("cannot read it: {why}"), "make it readable"),
    };
    let journal: Journal = match serde_json::from_str(&text) {
        Ok(journal) => journal,
        Err(error) => {
            let remedy =
                "it holds entries with `tag` and `when`, which drizzle-kit generate writes";
            return wrong(format!("no journal: {error}"), remedy);
        }
    };
    if let Some(other) = journal.dialect.as_deref().filter(|d| !["postgresql", "pg"].contains(d)) {
        let remedy = "only PostgreSQL's migrations are run here";
        return wrong(format!("its dialect is {other}"), remedy);
    }
    let late = journal.entries.windows(2).find(|pair| pair[1].when <= pair[0].when);
    if let Some([before, after]) = late {
        let message = format!(
            "`{}` has a `when` that is not after that of `{}` before it",
            after.tag, before.tag
        );
        let remedy = "where that one is applied, Drizzle leaves this one out; generate it anew";
        return wrong(message, remedy);
    }
    Some(journal)
}

/// The messages of a file, each as the statements that mean the same.
fn statements(source: &Source, reading: &mut Reading) -> Vec<Statement> {
    let (mut found, mut begins, mut in_transaction) = (Vec::new(), 0, true);
    for part in source.text.split(BREAKPOINT) {
        let span = begins..begins + part.len();
        begins = span.end + BREAKPOINT.len();
        let sql = Sql::part(source, span);
        let pieces = reading.pieces(&sql);
        let sent = message::sent(&sql, pieces, &mut in_transaction);
        found.extend(sql.statements(sent));
    }
    found
}
