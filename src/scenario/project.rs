//! pgauntlet.toml: what a project's changes are tried with where the command line says nothing.

use std::fmt;
use std::path::PathBuf;

use serde::Deserialize;

use super::acceptance::Acceptance;
use super::condition::ConditionKind;
use super::draft::Demands;
use super::names::names;
use super::tool::Tool;

/// Its name.
pub const PROJECT_FILE: &str = "pgauntlet.toml";

/// A project's defaults, read and checked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProjectDefaults {
    /// What is tried; None: the newest migration of the tool that the project has.
    pub change: Option<ProjectChange>,
    /// Whose directory the change is in; None: it is recognised.
    pub tool: Option<Tool>,
    /// What the change begins from; None: what the earlier migrations make.
    pub base: Option<ProjectBase>,
    /// Rows of single tables, by name.
    pub rows: Vec<(String, u64)>,
    /// The pool, what the application can bear, and what is accepted of every change.
    pub demands: Demands,
    /// What is accepted of one change alone: by its name, as the verdict has it.
    pub of_change: Vec<(String, Acceptance)>,
    /// How a change is tried.
    pub trying: Trying,
}

/// What is tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProjectChange {
    /// A file, or a directory of migrations.
    Path(PathBuf),
    /// A command for sh.
    Command(String),
}

/// What a change begins from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProjectBase {
    /// A file of SQL, or the URL of a database; a file is beside pgauntlet.toml.
    Schema(String),
    /// A command for sh.
    Command(String),
}

/// How a change is tried; what is None is as where no file says anything.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trying {
    /// How much is tried.
    pub budget: Option<Budget>,
    /// Under which conditions.
    pub conditions: Option<Vec<ConditionKind>>,
    /// From which verdict on the change fails.
    pub fail_on: Option<FailsOn>,
    /// Which operations the application has most of.
    pub traffic: Option<TrafficKind>,
    /// Operations per second.
    pub rate: Option<f64>,
}

names! {
    /// How much is tried.
    Budget {
        /// Fewer rows.
        Quick "quick",
        /// A minute for a light change.
        Normal "normal",
        /// The crash matrix too.
        Thorough "thorough",
    }
}

names! {
    /// From which verdict on a change fails.
    FailsOn {
        /// Unsafe alone.
        Unsafe "unsafe",
        /// Bounded too.
        Bounded "bounded",
        /// Whatever is not safe.
        Unproven "unproven",
    }
}

names! {
    /// Which operations the application has most of.
    TrafficKind {
        /// As the statistics of `--like` say, else mixed.
        Auto "auto",
        /// Reads.
        ReadHeavy "read-heavy",
        /// Both.
        Mixed "mixed",
        /// Writes.
        WriteHeavy "write-heavy",
    }
}
