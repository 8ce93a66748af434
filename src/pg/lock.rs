//! The eight table-level lock modes and which conflict.
//!
//! Source: PostgreSQL documentation, "Explicit Locking", table 13.2.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A table-level lock mode, named as in `pg_locks.mode`, weakest first.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[allow(clippy::enum_variant_names)] // Postgres's own names
pub enum LockMode {
    /// Taken by SELECT.
    AccessShareLock,
    /// Taken by SELECT … FOR UPDATE and its like.
    RowShareLock,
    /// Taken by INSERT, UPDATE and DELETE.
    RowExclusiveLock,
    /// Taken by VACUUM, CREATE INDEX CONCURRENTLY and VALIDATE CONSTRAINT; conflicts with itself.
    ShareUpdateExclusiveLock,
    /// Taken by CREATE INDEX; conflicts with writers.
    ShareLock,
    /// Taken by CREATE TRIGGER and ADD FOREIGN KEY; conflicts with writers and itself.
    ShareRowExclusiveLock,
    /// Taken by REFRESH MATERIALIZED VIEW CONCURRENTLY; only readers pass.
    ExclusiveLock,
    /// Taken by most forms of ALTER TABLE; conflicts with every mode.
    AccessExclusiveLock,
}

impl LockMode {
    /// All of them, weakest first.
    pub const ALL: [LockMode; 8] = [
        LockMode::AccessShareLock,
        LockMode::RowShareLock,
        LockMode::RowExclusiveLock,
        LockMode::ShareUpdateExclusiveLock,
        LockMode::ShareLock,
        LockMode::ShareRowExclusiveLock,
        LockMode::ExclusiveLock,
        LockMode::AccessExclusiveLock,
    ];

    /// Reads `pg_locks.mode`. `SIReadLock` and speculative locks are no table-level modes: None.
    pub fn parse(mode: &str) -> Option<LockMode> {
        LockMode::ALL.into_iter().find(|m| m.as_str() == mode)
    }

    /// The name in `pg_locks.mode`.
    pub fn as_str(self) -> &'static str {
        match self {
            LockMode::AccessShareLock => "AccessShareLock",
            LockMode::RowShareLock => "RowShareLock",
            LockMode::RowExclusiveLock => "RowExclusiveLock",
            LockMode::ShareUpdateExclusiveLock => "ShareUpdateExclusiveLock",
            LockMode::ShareLock => "ShareLock",
            LockMode::ShareRowExclusiveLock => "ShareRowExclusiveLock",
            LockMode::ExclusiveLock => "ExclusiveLock",
            LockMode::AccessExclusiveLock => "AccessExclusiveLock",
        }
    }

    /// As LOCK TABLE names it: `SHARE ROW EXCLUSIVE`.
    pub fn sql(self) -> String {
        let mut sql = String::new();
        for letter in self.as_str().trim_end_matches("Lock").chars() {
            if letter.is_ascii_uppercase() && !sql.is_empty() {
                sql.push(' ');
            }
            sql.push(letter.to_ascii_uppercase());
        }
        sql
    }

    /// Whether a request in this mode waits for a lock held in `other` by another session.
    pub fn conflicts_with(self, other: LockMode) -> bool {
        use LockMode::*;
        let first_conflict = match self {
            AccessShareLock => return other == AccessExclusiveLock,
            RowShareLock => return other >= ExclusiveLock,
            RowExclusiveLock => return other >= ShareLock,
            ShareUpdateExclusiveLock => ShareUpdateExclusiveLock,
            ShareLock => return other != ShareLock && other >= RowExclusiveLock,
            ShareRowExclusiveLock => RowExclusiveLock,
            ExclusiveLock => RowShareLock,
            AccessExclusiveLock => AccessShareLock,
        };
        other >= first_conflict
    }

    /// Whom the mode stops, in words.
    pub fn stops(self) -> &'static str {
        use LockMode::*;
        match self {
            AccessExclusiveLock => "reads and writes",
            ExclusiveLock | ShareRowExclusiveLock | ShareLock => "writes",
            ShareUpdateExclusiveLock => "other schema changes and vacuum",
            RowExclusiveLock | RowShareLock | AccessShareLock => "some schema changes",
        }
    }
}

impl fmt::Display for LockMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The documentation's table as it is printed: a row per requested mode, X where they conflict.
    const DOCUMENTED: [&str; 8] = [
        ".......X", "......XX", "....XXXX", "...XXXXX", "..XX.XXX", "..XXXXXX", ".XXXXXXX",
        "XXXXXXXX",
    ];

    #[test]
    fn conflicts_are_those_of_the_documentation_for_all_pairs() {
        for (requested, row) in LockMode::ALL.into_iter().zip(DOCUMENTED) {
            for (held, cell) in LockMode::ALL.into_iter().zip(row.chars()) {
                assert_eq!(requested.conflicts_with(held), cell == 'X', "{requested} {held}");
            }
        }
    }

    #[test]
    fn conflicts_are_symmetric() {
        for a in LockMode::ALL {
            for b in LockMode::ALL {
                assert_eq!(a.conflicts_with(b), b.conflicts_with(a), "{a} {b}");
            }
        }
    }

    #[test]
    fn every_mode_reads_back_from_its_own_name() {
        for mode in LockMode::ALL {
            assert_eq!(LockMode::parse(mode.as_str()), Some(mode));
        }
        assert_eq!(LockMode::parse("SIReadLock"), None);
    }

    #[test]
    fn a_mode_has_its_name_in_sql() {
        assert_eq!(LockMode::ShareRowExclusiveLock.sql(), "SHARE ROW EXCLUSIVE");
        assert_eq!(LockMode::ShareLock.sql(), "SHARE");
    }
}
