//! References to what ran: a statement of the change, an operation of the application.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clock::Micros;
use crate::pg::StatementPlace;

/// A statement of the change. Attempt and id identify it within the trial.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StatementRef {
    /// Which application of the change sent it, from 0.
    #[serde(default)]
    pub attempt: u32,
    /// Which of several runners that began at once sent it, from 1; null: there was one, or a
    /// rerun sent it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runner: Option<u32>,
    /// Which rerun sent it, from 1; null: none, or an older version wrote this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rerun: Option<u32>,
    /// Its number within the attempt, from 0.
    #[serde(default)]
    pub id: u32,
    /// Empty: not known.
    pub migration: String,
    /// Who sent it.
    pub origin: Origin,
    /// The whole path. None: not of a file.
    pub file: Option<String>,
    /// 1-based line in the file; null: not of a file.
    pub line: Option<u32>,
    /// Its text, cut to 16 KiB.
    pub text: String,
    /// How long it ran.
    pub took_us: Micros,
}

impl StatementRef {
    /// Its identity in other runs of the same change, but for which of several it is.
    pub fn place(&self) -> StatementPlace {
        StatementPlace::new(self.file.as_deref().zip(self.line), &self.text)
    }

    /// Which application of the change sent it: `runner 2`, `rerun 1`; None: the only first one.
    pub fn sent_by(&self) -> Option<String> {
        match (self.runner, self.rerun, self.attempt) {
            (Some(runner), ..) => Some(format!("runner {runner}")),
            (None, Some(rerun), _) => Some(format!("rerun {rerun}")),
            (None, None, 0) => None,
            // Of an older version, which did not say more.
            (None, None, attempt) => Some(format!("rerun {attempt}")),
        }
    }
}

/// Whose statement it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// A migration's file.
    File,
    /// The built-in runner's own.
    Runner,
    /// A command that applies the change.
    Command,
}

/// An operation of the application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OperationRef {
    /// As the scenario names it.
    pub name: String,
    /// Of its backend, where it had one.
    pub pid: Option<i32>,
}

/// `insert-span (pid 100)`.
impl fmt::Display for OperationRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.pid {
            Some(pid) => write!(f, "{} (pid {pid})", self.name),
            None => f.write_str(&self.name),
        }
    }
}
