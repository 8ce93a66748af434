//! Installed servers: which can be used, which cannot, and where they were looked for.

use std::path::PathBuf;

/// Majors that this program knows. Older ones lack `pg_locks.waitstart`.
pub const MAJORS: std::ops::RangeInclusive<u32> = 14..=18;

/// A server that can be started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installation {
    /// Holds `postgres` and `initdb`.
    pub bin: PathBuf,
    /// As it tells itself: `15.18 (Debian 15.18-0+deb12u1)`.
    pub version: String,
    /// Major version: 17 of 17.2.
    pub major: u32,
}

/// A server that cannot be used, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Directory of its programs.
    pub bin: PathBuf,
    /// The reason, with the remedy where there is one.
    pub why: String,
}

/// Somewhere that was looked at, and what was there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SearchedPlace {
    /// What was searched: a directory, a variable, PATH.
    pub name: String,
    /// Servers that can be started.
    pub found: Vec<Installation>,
    /// Servers that cannot.
    pub refused: Vec<Refused>,
}

impl SearchedPlace {
    /// What was there, for people.
    pub fn to_text(&self) -> String {
        let found = self.found.iter().map(|i| format!("{} in {}", i.version, i.bin.display()));
        let refused = self.refused.iter().map(|r| format!("{}: {}", r.bin.display(), r.why));
        let all: Vec<String> = found.chain(refused).collect();
        if all.is_empty() { "nothing".to_owned() } else { all.join("; ") }
    }
}
