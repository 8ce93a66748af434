//! Which version of an npm package a project has: tools change their transactions between two.
//!
//! What is installed says it exactly, then what the lock file of npm says; a range in
//! `package.json` says the newest that it allows, which is what an installation takes.

use std::path::Path;

use serde_json::Value;

use super::super::problem::Source;

/// Directories looked into, from the migrations upward.
const LEVELS_MAX: usize = 7;

/// Major and minor.
pub(super) type Version = (u64, u64);

/// The version of a package in the nearest project that has it; None: nothing says it.
pub(super) fn version(dir: &Path, name: &str) -> Option<Version> {
    let dir = dir.canonicalize().ok()?;
    for place in dir.ancestors().take(LEVELS_MAX) {
        let found = of_place(place, name);
        let is_root = [".git", ".hg"].iter().any(|root| place.join(root).exists());
        if found.is_some() || is_root {
            return found;
        }
    }
    None
}

fn of_place(place: &Path, name: &str) -> Option<Version> {
    let text = |value: &Value| value.as_str().and_then(newest);
    let installed = json(&place.join("node_modules").join(name).join("package.json"));
    if let Some(version) = installed.as_ref().and_then(|own| text(own.get("version")?)) {
        return Some(version);
    }
    let manifest = json(&place.join("package.json"))?;
    let sections = ["dependencies", "devDependencies", "optionalDependencies", "peerDependencies"];
    let declared = sections.iter().find_map(|section| manifest.get(section)?.get(name))?;
    let lock = json(&place.join("package-lock.json"));
    let locked = lock.as_ref().and_then(|lock| {
        text(lock.get("packages")?.get(format!("node_modules/{name}"))?.get("version")?)
    });
    locked.or_else(|| text(declared))
}

fn json(path: &Path) -> Option<Value> {
    let source = path.is_file().then(|| Source::open(path).ok()).flatten()?;
    serde_json::from_str(&source.text).ok()
}

/// The newest version that a range allows: `^7.1.0` all of 7, `~7.1` and `7.1.2` 7.1, `*` any.
fn newest(range: &str) -> Option<Version> {
    let last = range.rsplit("||").next()?.trim();
    if ["", "*", "x", "latest", "next"].contains(&last) {
        return Some((u64::MAX, u64::MAX));
    }
    let at = last.find(|c: char| c.is_ascii_digit())?;
    let (sign, numbers) = last.split_at(at);
    let mut parts = numbers.split(|c: char| c == '.' || c == '-' || c.is_whitespace());
    let major = parts.next()?.parse().ok()?;
    let minor = parts.next().and_then(|part| part.parse().ok());
    match sign.trim() {
        "^" if major > 0 => Some((major, u64::MAX)),
        "" | "=" | "v" | "~" | "^" | "<=" => Some((major, minor.unwrap_or(u64::MAX))),
        ">" | ">=" if !numbers.contains('<') => Some((u64::MAX, u64::MAX)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_says_the_newest_that_it_allows() {
        const ALL: u64 = u64::MAX;
        for (range, expected) in [
            ("7.4.0", Some((7, 4))),
            ("^7.1.0", Some((7, ALL))),
            ("~7.3.1", Some((7, 3))),
            ("7", Some((7, ALL))),
            ("6.19.0 || ^7.0.0", Some((7, ALL))),
            (">=6", Some((ALL, ALL))),
            (">=6 <7", None),
            ("latest", Some((ALL, ALL))),
            ("workspace:*", None),
            ("^0.45.4", Some((0, 45))),
        ] {
            assert_eq!(newest(range), expected, "{range}");
        }
    }
}
