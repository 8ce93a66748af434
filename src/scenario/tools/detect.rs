//! Whose directory it is, by what only that tool leaves there.
//!
//! A naming alone is shared by many tools, whose transaction rules differ, and files of one are
//! valid SQL to the others. So a directory is recognised by a positive sign, the strongest first:
//! the tool's own files or markers in it, a naming that only one tool has, and the configuration
//! of the project around it. Without one it is refused with the tools that it could be.

use super::super::problem::{Asker, Problem, Source};
use super::super::tool::{Recognised, Tool};
use super::listing::{Entry, Listing};
use super::marker::markers;
use super::owner::{self, Owner};
use super::project::{self, Sign};
use super::shape::{Shape, shapes};
use super::text::leading_digits;
use super::{flyway, goose, liquibase, refinery, sqlx};

/// Files that a tool keeps beside its migrations.
const FILES: &[(&str, Owner)] = &[
    ("meta/_journal.json", owner::DRIZZLE),
    ("migration_lock.toml", owner::PRISMA),
    ("atlas.sum", owner::ATLAS),
    ("tern.conf", owner::TERN),
    ("sqitch.plan", owner::SQITCH),
    ("script.py.mako", owner::ALEMBIC),
    ("alembic.ini", owner::ALEMBIC),
    ("rambler.json", owner::RAMBLER),
    ("liquibase.properties", owner::LIQUIBASE),
];

pub(super) fn detect(listing: &Listing) -> Result<Recognised, Problem> {
    let shapes = shapes(listing);
    let mut signs = inside(listing);
    if signs.is_empty() {
        signs = named(listing);
    }
    if signs.is_empty() {
        signs = project::signs(&listing.dir, &shapes);
    }
    match signs.as_slice() {
        [] => Err(unknown(listing, &shapes)),
        [Sign { owner: Owner::Read(tool), by }] => {
            Ok(Recognised { tool: *tool, by: Some(by.clone()) })
        }
        [Sign { owner: Owner::Other(other), by }] => {
            let message = format!("its files are {}'s ({by}), which are not read here", other.name);
            let problem = Problem::of_file(&listing.dir, message);
            Err(problem.remedy_by(|asker| asker.itself(other.command)))
        }
        several => {
            let all = several.iter().map(|sign| format!("{} ({})", sign.owner, sign.by));
            let message = format!("its files may be those of {}", either(all.collect()));
            let owners: Vec<Owner> = several.iter().map(|sign| sign.owner).collect();
            let problem = Problem::of_file(&listing.dir, message);
            Err(problem.remedy_by(|asker| say_which(&owners, asker)))
        }
    }
}

/// No sign at all, or none but a naming.
fn unknown(listing: &Listing, shapes: &[Shape]) -> Problem {
    let mut owners: Vec<Owner> = Vec::new();
    for owner in shapes.iter().flat_map(|shape| shape.owners()) {
        if !owners.contains(owner) {
            owners.push(*owner);
        }
    }
    if owners.is_empty() {
        let recognised = Tool::ALL.iter().filter(|tool| **tool != Tool::Plain);
        let looked: Vec<String> =
            recognised.map(|tool| format!("{tool} ({})", tool.pattern())).collect();
        let looked = looked.join(", ");
        let remedy = |asker| format!("looked for files of {looked}; {}", say_which(&[], asker));
        return Problem::of_file(&listing.dir, "no tool's migrations are in it").remedy_by(remedy);
    }
    let names = either(owners.iter().map(ToString::to_string).collect());
    let message = format!(
        "which tool applies its files is not known: they could be those of {names}, whose \
         transactions differ, and neither a file in it nor the project around it says which"
    );
    let is_numbered = shapes.contains(&Shape::Numbered);
    Problem::of_file(&listing.dir, message).remedy_by(|asker| match is_numbered {
        true => format!("{}; files that psql runs are --tool plain", say_which(&owners, asker)),
        false => say_which(&owners, asker),
    })
}

/// What decides, with the tools that are read and may be meant.
fn say_which(owners: &[Owner], asker: Asker) -> String {
    let read = owners.iter().filter_map(|owner| match owner {
        Owner::Read(tool) => Some(*tool),
        Owner::Other(_) => None,
    });
    let other = owners.iter().find_map(|owner| match owner {
        Owner::Other(other) => Some(other.command),
        Owner::Read(_) => None,
    });
    let command = match (other, asker) {
        (Some(command), Asker::Scenario) => {
            format!("for another tool, run its command, such as --command '{command}'")
        }
        (None, Asker::Scenario) => "for another tool, run its command: --command".to_owned(),
        (command, Asker::Try) => {
            let command = command.unwrap_or("COMMAND");
            format!(
                "for another tool, run its command: pgauntlet try --base 'COMMAND' -- {command}"
            )
        }
    };
    let key = asker.tool_key();
    let read: Vec<String> = read.map(|tool| format!("--tool {tool}")).collect();
    match (read.is_empty(), owners.is_empty()) {
        (false, _) => format!("say {} (or {key}); {command}", either(read)),
        (true, false) => command,
        (true, true) => format!("say which tool it is: --tool (or {key}); {command}"),
    }
}

/// `a`, `a or b`, `a, b or c`.
fn either(words: Vec<String>) -> String {
    match words.as_slice() {
        [first @ .., last] if !first.is_empty() => format!("{} or {last}", first.join(", ")),
        words => words.concat(),
    }
}

/// What only one tool puts into the directory: a sign per tool.
fn inside(listing: &Listing) -> Vec<Sign> {
    let mut found: Vec<Sign> = Vec::new();
    let mut add = |owner: Owner, by: String| {
        if !found.iter().any(|sign| sign.owner == owner) {
            found.push(Sign { owner, by });
        }
    };
    for (file, owner) in FILES {
        if listing.dir.join(file).is_file() {
            add(*owner, (*file).to_owned());
        }
    }
    let changelog = |entry: &&Entry| liquibase::is_changelog(&entry.name, || text(entry));
    if let Some(entry) = listing.files().find(changelog) {
        add(owner::LIQUIBASE, entry.name.clone());
    }
    for entry in listing.directories() {
        // Drizzle keeps a snapshot beside each migration where it has no journal.
        if ["migration.sql", "snapshot.json"].iter().all(|file| entry.path.join(file).is_file()) {
            add(owner::DRIZZLE, format!("{}/snapshot.json", entry.name));
        }
        let initial = entry.name.ends_with("_diesel_initial_setup");
        if initial
            || entry.path.join("up.sql").is_file() && entry.path.join("metadata.toml").is_file()
        {
            add(owner::DIESEL, entry.name.clone());
        }
    }
    for entry in listing.files_below_visible() {
        of_file(entry, &mut add);
    }
    found
}

fn of_file(entry: &Entry, add: &mut impl FnMut(Owner, String)) {
    let name = entry.name.as_str();
    let ends = [
        (".rollback.sql", owner::YOYO),
        (".undo.sql", owner::POSTGRATOR),
        (".do.sql", owner::POSTGRATOR),
        (".tx.up.sql", owner::BUN),
        (".up.fizz", owner::POP),
    ];
    let down = name.strip_suffix("-up.sql").map(|stem| format!("{stem}-down.sql"));
    if down.is_some_and(|down| entry.path.with_file_name(down).is_file()) {
        add(owner::DB_MIGRATE, name.to_owned());
    }
    for (end, owner) in ends {
        if name.ends_with(end) && leading_digits(name).is_some() {
            add(owner, name.to_owned());
        }
    }
    if name.starts_with("m2") && name.ends_with(".rs") {
        add(owner::SEA_ORM, name.to_owned());
    }
    if ["databasechangelog", "changelog-master"].iter().any(|n| name.to_lowercase().contains(n)) {
        add(owner::LIQUIBASE, name.to_owned());
    }
    if !name.ends_with(".sql") {
        return;
    }
    let text = text(entry);
    for marker in markers(&text) {
        let Some(owner) = marker.owner() else { continue };
        let marked = text.get(marker.span).unwrap_or_default().trim();
        add(owner, format!("`{marked}` in {name}"));
    }
    if goose::is_annotated(name, &text) {
        add(owner::GOOSE, format!("`-- +goose` in {name}"));
    }
    let numbered = leading_digits(name).is_some_and(|(_, rest)| rest.starts_with('_'));
    if numbered && sqlx::runs_outside_transaction(&text) {
        add(owner::SQLX, format!("`-- no-transaction` in {name}"));
    }
}

/// A file that cannot be read says nothing here; the tool's reader tells why.
fn text(entry: &Entry) -> String {
    Source::open(&entry.path).map(|source| source.text).unwrap_or_default()
}

/// Files that begin with a letter and a version: Flyway's and refinery's, who share most of it.
fn named(listing: &Listing) -> Vec<Sign> {
    let mut found: Vec<Sign> = Vec::new();
    for entry in listing.files_below_visible() {
        let Some((stem, extension)) = entry.name.rsplit_once('.') else { continue };
        let of_refinery = refinery::version(stem).is_some();
        let owner = match extension {
            "sql" => match flyway::name(stem) {
                Some(flyway::Name::Versioned(_)) if of_refinery => {
                    let marked = refinery::runs_outside_transaction(&text(entry));
                    marked.then_some(owner::REFINERY)
                }
                // Undoing what is not there makes no sense.
                Some(flyway::Name::LeftOut) if of_refinery => {
                    (!has_versioned(listing, stem)).then_some(owner::REFINERY)
                }
                Some(flyway::Name::Versioned(_) | flyway::Name::Repeatable(_)) => {
                    Some(owner::FLYWAY)
                }
                _ => None,
            },
            "conf" => {
                let named = stem.strip_suffix(".sql").and_then(flyway::name);
                named.map(|_| owner::FLYWAY)
            }
            "rs" => of_refinery.then_some(owner::REFINERY),
            _ => None,
        };
        if let Some(owner) = owner.filter(|owner| found.iter().all(|sign| sign.owner != *owner)) {
            found.push(Sign { owner, by: entry.name.clone() });
        }
    }
    found
}

fn has_versioned(listing: &Listing, undo: &str) -> bool {
    let version = refinery::version(undo);
    listing.files_below_visible().any(|entry| {
        entry.name.strip_prefix('V').is_some()
            && entry.name.strip_suffix(".sql").and_then(refinery::version) == version
    })
}
