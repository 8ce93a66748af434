//! Whose directory it is, by what is in it.
//!
//! Some namings belong to two tools, whose transaction rules differ. Then both are named, and the
//! reader of the message decides.

use super::super::problem::{Problem, Source};
use super::listing::{Entry, Listing};
use super::reading::leading_digits;
use super::{Tool, dbmate, flyway, golang_migrate, goose, refinery, sqlx};

pub(super) fn detect(listing: &Listing) -> Result<Tool, Problem> {
    let fits = candidates(listing);
    match fits.as_slice() {
        [tool] => Ok(*tool),
        [] => {
            let looked: Vec<String> =
                Tool::ALL.iter().map(|tool| format!("{tool} ({})", tool.pattern())).collect();
            let remedy =
                format!("looked for files of {}; {}", looked.join(", "), say_which("sqlx"));
            Err(Problem::of_file(&listing.dir, "no tool's migrations are in it").remedy(remedy))
        }
        [first, ..] => {
            let names: Vec<&str> = fits.iter().map(|tool| tool.as_str()).collect();
            let message = format!("its files are named as those of {}", names.join(" and of "));
            Err(Problem::of_file(&listing.dir, message).remedy(say_which(first.as_str())))
        }
    }
}

fn say_which(example: &str) -> String {
    format!("say which tool it is: tool = \"{example}\" in [change], or --tool {example}")
}

fn candidates(listing: &Listing) -> Vec<Tool> {
    let mut fits = Vec::new();
    numbered(listing, &mut fits);
    prefixed(listing, &mut fits);
    if listing.directories().any(|entry| entry.path.join("up.sql").is_file()) {
        fits.push(Tool::Diesel);
    }
    fits
}

/// A file that cannot be read says nothing here; the tool's reader tells why.
fn text(entry: &Entry) -> String {
    Source::open(&entry.path).map(|source| source.text).unwrap_or_default()
}

/// Files that begin with a number.
fn numbered(listing: &Listing, fits: &mut Vec<Tool>) {
    let numbered =
        |entry: &&Entry| entry.name.ends_with(".sql") && leading_digits(&entry.name).is_some();
    let files: Vec<(&Entry, String)> =
        listing.files().filter(numbered).map(|entry| (entry, text(entry))).collect();
    let before = fits.len();
    if files.iter().any(|(_, text)| dbmate::is_annotated(text)) {
        fits.push(Tool::Dbmate);
    }
    if files.iter().any(|(entry, text)| goose::is_annotated(&entry.name, text)) {
        fits.push(Tool::Goose);
    }
    if fits.len() > before {
        return;
    }
    let in_two_files = |entry: &Entry| golang_migrate::parse(&entry.name).is_some();
    let names_a_version =
        |entry: &Entry| leading_digits(&entry.name).is_some_and(|(_, rest)| rest.starts_with('_'));
    if files.iter().any(|(entry, _)| names_a_version(entry)) {
        fits.push(Tool::Sqlx);
        let marked = files.iter().any(|(_, text)| sqlx::runs_outside_transaction(text));
        if !marked && files.iter().all(|(entry, _)| in_two_files(entry)) {
            fits.push(Tool::GolangMigrate);
        }
    }
}

/// Files that begin with a letter and a version.
fn prefixed(listing: &Listing, fits: &mut Vec<Tool>) {
    let (mut flyways, mut refineries, mut shared) = (false, false, false);
    for entry in listing.files_below_visible() {
        let Some((stem, extension)) = entry.name.rsplit_once('.') else { continue };
        let of_refinery = refinery::version(stem).is_some();
        match extension {
            "sql" => match flyway::name(stem) {
                Some(flyway::Name::Versioned(_)) if of_refinery => {
                    shared = true;
                    refineries |= refinery::runs_outside_transaction(&text(entry));
                }
                Some(flyway::Name::LeftOut) if of_refinery => {
                    shared = true;
                    // Undoing what is not there makes no sense.
                    refineries |= !has_versioned(listing, stem);
                }
                Some(flyway::Name::Versioned(_) | flyway::Name::Repeatable(_)) => flyways = true,
                _ => {}
            },
            "conf" => flyways |= stem.strip_suffix(".sql").and_then(flyway::name).is_some(),
            "rs" => refineries |= of_refinery,
            _ => {}
        }
    }
    if flyways || (shared && !refineries) {
        fits.push(Tool::Flyway);
    }
    if refineries || (shared && !flyways) {
        fits.push(Tool::Refinery);
    }
}

fn has_versioned(listing: &Listing, undo: &str) -> bool {
    let version = refinery::version(undo);
    listing.files_below_visible().any(|entry| {
        entry.name.strip_prefix('V').is_some()
            && entry.name.strip_suffix(".sql").and_then(refinery::version) == version
    })
}
