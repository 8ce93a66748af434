//! Which statement of a change: its identity across runs.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::normal::normal_text;

/// The identity of a statement across runs of one change, which the trace, fault injection, the
/// comparison of results and the report share.
///
/// The number of a statement in an attempt is no identity: where rounds are repeated for as long as
/// there are rows, later statements have other numbers in the next run.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct StatementKey {
    /// Where the statement comes from.
    pub at: StatementPlace,
    /// How many statements of the same place run before it in the attempt.
    #[serde(default)]
    pub nth: u32,
}

/// Where a statement comes from, as far as it is known.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum StatementPlace {
    /// A file of the change, as it is named there, and the 1-based line on which it begins.
    Source {
        /// Path, as the change names it.
        file: String,
        /// 1-based line on which the statement begins.
        line: u32,
    },
    /// Its text without constants, where no file is known: of a command.
    Text {
        /// The text with its constants replaced.
        normal: String,
    },
}

impl StatementKey {
    /// Of the statement that `nth` others (from 0) of its file and line, or of its text where no
    /// file is known, run before.
    pub fn new(source: Option<(&str, u32)>, text: &str, nth: u32) -> StatementKey {
        StatementKey { at: StatementPlace::new(source, text), nth }
    }
}

impl StatementPlace {
    /// The file and line where they are known, else the text without constants.
    pub fn new(source: Option<(&str, u32)>, text: &str) -> StatementPlace {
        match source {
            Some((file, line)) => StatementPlace::Source { file: file.to_owned(), line },
            None => StatementPlace::Text { normal: normal_text(text) },
        }
    }
}

impl fmt::Display for StatementKey {
    /// `20_add.sql:3`; `20_add.sql:3 (2)` for the second.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.at.fmt(f)?;
        match self.nth {
            0 => Ok(()),
            nth => write!(f, " ({})", u64::from(nth) + 1),
        }
    }
}

impl fmt::Display for StatementPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StatementPlace::Source { file, line } => write!(f, "{file}:{line}"),
            StatementPlace::Text { normal } => f.write_str(normal),
        }
    }
}

/// Numbers the statements of an attempt, which come in the order in which they run.
#[derive(Debug, Default)]
pub struct StatementKeys {
    known: BTreeMap<StatementPlace, u32>,
}

impl StatementKeys {
    /// The key of the next statement that runs.
    pub fn next(&mut self, source: Option<(&str, u32)>, text: &str) -> StatementKey {
        let at = StatementPlace::new(source, text);
        let before = self.known.entry(at.clone()).or_default();
        let nth = std::mem::replace(before, before.saturating_add(1));
        StatementKey { at, nth }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_that_differ_in_constants_are_numbered() {
        let mut keys = StatementKeys::default();
        let first = keys.next(None, "DELETE FROM t WHERE id < 10");
        let other = keys.next(None, "DELETE FROM u WHERE id < 10");
        let second = keys.next(None, "DELETE FROM t WHERE id < 20");
        assert_eq!((first.nth, other.nth, second.nth), (0, 0, 1));
        assert_eq!(second, StatementKey::new(None, "DELETE FROM t WHERE id < 3", 1));
        assert_eq!(second.to_string(), "DELETE FROM t WHERE id < ? (2)");
        assert_ne!(first.at, other.at);
    }

    #[test]
    fn a_statement_of_a_file_is_known_by_its_place() {
        let key = StatementKey::new(Some(("m/1.sql", 3)), "SELECT 1", 0);
        assert_eq!(key, StatementKey::new(Some(("m/1.sql", 3)), "SELECT 2 + 3", 0));
        assert_eq!(key.to_string(), "m/1.sql:3");
        let json = serde_json::to_string(&key).expect("JSON");
        assert_eq!(serde_json::from_str::<StatementKey>(&json).expect("a key"), key);
    }
}
