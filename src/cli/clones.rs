//! The arguments that say what gives a database with rows to each trial.

use clap::Args;

use crate::run::CloneCommands;

/// Where databases with rows come from, and who takes them back.
#[derive(Clone, Debug, Args)]
pub struct CloneArguments {
    /// A command for sh that prints the URL of a database that may be changed, a new one with the
    /// same rows each time: a branch, a thin clone, a restored snapshot. The change is tried on
    /// these rows, and nothing is seeded. PGAUNTLET_CLONE_ID is a name for it
    #[arg(
        long,
        value_name = "COMMAND",
        conflicts_with_all = [
            "schema", "base", "on", "save", "app", "like", "server", "pg_bin", "pg", "image",
            "quick", "scale", "rows", "thorough"
        ]
    )]
    pub clone: Option<String>,
    /// A command for sh that gives a clone back, also after a failure; PGAUNTLET_CLONE_ID and
    /// PGAUNTLET_CLONE_URL say which
    #[arg(long, value_name = "COMMAND", requires = "clone")]
    pub release: Option<String>,
}

impl CloneArguments {
    /// None: rows are made.
    pub fn commands(&self) -> Option<CloneCommands> {
        let clone = self.clone.clone()?;
        Some(CloneCommands { clone, release: self.release.clone() })
    }
}
