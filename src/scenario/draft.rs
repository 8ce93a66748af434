//! What of a scenario to be written is the user's: the change, and what is demanded of it.

use std::path::PathBuf;

use super::acceptance::Acceptance;
use super::change::{RunsAs, Timeouts, TransactionRule};
use super::expect::Limits;
use super::tool::Tool;
use super::traffic::Pool;

/// The change of a scenario to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DraftChange {
    /// How it is applied.
    pub applied: Applied,
    /// Those that the runner sets; of a command, those that it is declared to set.
    pub timeouts: Timeouts,
    /// Whether a command that succeeded is run again; None: where it keeps versions.
    pub rerun: Option<bool>,
    /// As which role it connects.
    pub runs_as: RunsAs,
}

impl DraftChange {
    /// With the server's own timeouts.
    pub fn of(applied: Applied) -> DraftChange {
        let runs_as = RunsAs::default();
        DraftChange { applied, timeouts: Timeouts::default(), rerun: None, runs_as }
    }
}

/// How the change of a scenario to be written is applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Applied {
    /// One file, `migration.sql`.
    Sql {
        /// What the version row says.
        version: String,
        /// Its text.
        text: String,
        /// Which of its statements share a transaction.
        transaction: TransactionRule,
    },
    /// Migrations of a tool's directory, by the tool's rules.
    Tool {
        /// Whose it is.
        tool: Tool,
        /// The directory, as the scenario names it.
        directory: PathBuf,
        /// The versions that are the change; the others made what it begins from.
        only: Vec<String>,
    },
    /// A command for sh.
    Command {
        /// What is run.
        line: String,
        /// Where.
        directory: PathBuf,
    },
}

/// What a project demands of each of its changes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Demands {
    /// As which role the change connects.
    pub runs_as: RunsAs,
    /// The application's pool.
    pub pool: Pool,
    /// What the application can bear.
    pub limits: Limits,
    /// What is accepted; one of everything has no place in a scenario's file, and is not written.
    pub acceptances: Vec<Acceptance>,
}
