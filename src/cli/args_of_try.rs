//! The arguments of `try`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::scenario::{Tool, TransactionRule};

use super::args_of_trials::{ApplicationArguments, RetryArguments, SizeArguments, TrialArguments};
use super::clones::CloneArguments;
use super::examples;
use super::values::{timeout_ms, tool, transaction};

/// From which verdict on a change that is tried fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum FailOnVerdict {
    /// Unsafe
    Unsafe,
    /// Unsafe or bounded
    Bounded,
    /// Whatever is not safe
    #[default]
    Unproven,
}

/// The schema that the change begins from, where it is not what the project's earlier migrations
/// make.
#[derive(Clone, Debug, Args)]
#[group(multiple = false)]
pub struct BaseChoice {
    /// A file of SQL that makes the schema the change begins from, as psql would run it; or the URL
    /// of a database, of which nothing but the schema is read
    #[arg(long, value_name = "FILE|URL")]
    pub schema: Option<String>,
    /// A command for sh that makes it in an empty database: 'alembic upgrade 4a9b7787ccd7'
    #[arg(long, value_name = "COMMAND")]
    pub base: Option<String>,
}

/// A change, what it begins from, and how it is tried; expects `safe`.
#[derive(Clone, Debug, Args)]
#[command(after_help = examples::TRY)]
pub struct TryArguments {
    /// The change: an SQL file, or a directory of migrations, of which the newest is tried
    /// [default: what the project in this directory has]
    #[arg(value_name = "CHANGE")]
    pub change: Option<PathBuf>,
    /// The change is what this command does, such as: -- alembic upgrade head
    #[arg(
        last = true,
        value_name = "COMMAND",
        conflicts_with_all = ["change", "migrations", "command"]
    )]
    pub words: Vec<String>,
    /// Show what would be run, and stop
    #[arg(long)]
    pub dry_run: bool,
    /// Inject every kind of fault at each statement, however many there are: the whole crash matrix
    #[arg(long, conflicts_with_all = ["quick", "on"])]
    pub thorough: bool,
    /// Under each of these conditions: calm, backup, long-reader, old-snapshot,
    /// idle-in-transaction, long-writer, short-writers, hot-parent, lock-order, vacuum,
    /// anti-wraparound-vacuum, full-server, checkpoint-storm, slow-network, cut-network,
    /// pgbouncer-session, pgbouncer-transaction; --on a scenario also its own
    /// [default: calm,backup]
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub conditions: Vec<String>,
    /// Print each trial in full as well: findings with their witnesses, statements with their locks
    #[arg(long)]
    pub details: bool,
    /// With which verdicts the exit code is 1 [default: unproven]
    #[arg(long, value_enum)]
    pub fail_on: Option<FailOnVerdict>,
    /// Keep the scenario that is made: a directory that is empty, or not there yet
    #[arg(long, value_name = "DIR")]
    pub save: Option<PathBuf>,
    #[command(flatten, next_help_heading = "How the change is run")]
    pub how: HowArguments,
    #[command(flatten, next_help_heading = "What it begins from")]
    pub base: BaseChoice,
    /// On the tables and under the traffic of a scenario: its name, or its directory
    #[arg(
        long,
        value_name = "SCENARIO",
        help_heading = "What it begins from",
        conflicts_with_all = ["schema", "base", "save", "rate", "app", "like"]
    )]
    pub on: Option<String>,
    /// Directory that holds scenarios [default: ./scenarios, else the bundled ones]
    #[arg(long, value_name = "DIR", help_heading = "What it begins from")]
    pub scenarios_dir: Option<PathBuf>,
    #[command(flatten, next_help_heading = "What it begins from")]
    pub clones: CloneArguments,
    #[command(flatten, next_help_heading = "Rows and application")]
    pub application: ApplicationArguments,
    #[command(flatten, next_help_heading = "Retries")]
    pub retries: RetryArguments,
    #[command(flatten, next_help_heading = "Other sizes")]
    pub sizes: SizeArguments,
    #[command(flatten, next_help_heading = "Size, server and output")]
    pub trials: TrialArguments,
}

/// The change in other ways than by its file, and as what it is run.
#[derive(Clone, Debug, Args)]
pub struct HowArguments {
    #[command(flatten)]
    pub tried: TriedChoice,
    /// Whose directory it is [default: recognised by its files and the project around it]
    #[arg(long, value_name = "NAME", value_parser = tool())]
    pub tool: Option<Tool>,
    /// Transactions of an SQL file: none, as psql runs it; per-migration; single [default: none]
    #[arg(long, value_name = "RULE", value_parser = transaction())]
    pub transaction: Option<TransactionRule>,
    /// Run a command again after it has succeeded, though it keeps no versions
    #[arg(long)]
    pub rerun: bool,
    /// SET lock_timeout on the change's session [default: the server's]; with --command, what it
    /// sets
    #[arg(long, value_name = "MS", value_parser = timeout_ms())]
    pub lock_timeout_ms: Option<u64>,
    /// SET statement_timeout on the change's session [default: the server's]; with --command,
    /// what it sets
    #[arg(long, value_name = "MS", value_parser = timeout_ms())]
    pub statement_timeout_ms: Option<u64>,
}

/// The change, on the tables of a scenario.
#[derive(Clone, Debug, Args)]
#[group(multiple = false)]
pub struct TriedChoice {
    /// A tool's directory of migrations, all of which are the change; or one SQL file
    #[arg(long, value_name = "PATH")]
    pub migrations: Option<PathBuf>,
    /// As behind --, in one argument: 'alembic upgrade head', for sh, run here; DATABASE_URL and
    /// PGHOST, PGPORT, … tell it where to connect
    #[arg(long, value_name = "COMMAND")]
    pub command: Option<String>,
}

impl TryArguments {
    /// The scenario on whose tables the change is tried. Before there was `--on`, it was what came
    /// first beside `--migrations` and `--command`.
    pub fn scenario(&self) -> Option<String> {
        let tried = self.how.tried.migrations.is_some() || self.how.tried.command.is_some();
        let first = self.change.as_ref().filter(|_| tried && self.on.is_none());
        self.on.clone().or_else(|| first.map(|name| name.display().to_string()))
    }

    /// The change's file or directory.
    pub fn path(&self) -> Option<&std::path::Path> {
        self.how.tried.migrations.as_deref().or(self.change.as_deref())
    }

    /// The change's command, for sh.
    pub fn command_line(&self) -> Option<String> {
        let words = (!self.words.is_empty()).then(|| {
            let quoted = self.words.iter().map(|word| shell_word(word));
            quoted.collect::<Vec<_>>().join(" ")
        });
        words.or_else(|| self.how.tried.command.clone())
    }
}

/// A word as sh reads it back.
fn shell_word(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:=@%+,".contains(c);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}
