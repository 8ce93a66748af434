//! The arguments. Their help texts are documentation; they say units and defaults.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::result::Shard;
use crate::run::SizeRequest;
use crate::scenario::{Tool, TransactionRule};
use crate::trial::FaultKind;

use super::clones::CloneArguments;
use super::server::ServerArguments;
use super::values::{
    factor, kind, rate, repeat, rows_of_any, shard, timeout_ms, tool, transaction,
};

/// Runs a schema change against a real Postgres under live writers and says whether it is safe.
#[derive(Debug, Parser)]
#[command(name = "pgauntlet", version, about, max_term_width = 100)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run scenarios and judge them
    Run(RunArguments),
    /// Try a migration of your own, on rows and traffic made for it or a scenario's
    Try(TryArguments),
    /// Write a pgauntlet.toml, with every key as a comment: the project's defaults for `try`
    Init(InitArguments),
    /// Kill a scenario's change at each of its statements, in each way, and apply it again
    Crash(CrashArguments),
    /// Judge stored histories again, without a server
    Judge(JudgeArguments),
    /// Render a stored result: a page, or what machines read
    Report(ReportArguments),
    /// Print the JSON Schema of result.json
    Schema,
    /// Join the shares of a run, and runs on several server majors, as one result
    Merge(MergeArguments),
    /// Run one trial of a result again, and tell what is different
    Repro(ReproArguments),
    /// Make a scenario from a schema: rows that its constraints take, an application that uses them
    Infer(InferArguments),
    /// List scenarios and what they expect
    List(Which),
    /// Parse and cross-check scenarios, without a server
    Check(Which),
    /// Write the fingerprint of a database's schema
    Fingerprint(FingerprintArguments),
    /// Compare the schemas of two databases, or of one and a fingerprint of before
    Diff(DiffArguments),
    /// Compare two results, side by side, with their noise in mind
    Compare(CompareArguments),
    /// Put results together to one file that later ones are compared with
    Baseline(BaselineArguments),
    /// Show which server would be used, and what is in the way
    Doctor(ServerArguments),
    /// List or empty the cache of seeded databases
    Cache(CacheArguments),
}

#[derive(Debug, Args)]
pub struct InferArguments {
    /// The change, a file of SQL as psql would run it [default: one that does nothing]
    #[arg(value_name = "CHANGE")]
    pub change: Option<PathBuf>,
    #[command(flatten)]
    pub base: BaseArguments,
    /// Directory for the scenario; it is made, or has to be empty
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Rows of each table, or of one: `--rows 10k --rows orders=5M`; with --like, of the largest
    /// one, or as many as it has there if those are fewer, and of the others in proportion
    /// [default: 10,000]
    #[arg(long, value_name = "[TABLE=]ROWS", value_parser = rows_of_any)]
    pub rows: Vec<(Option<String>, u64)>,
    /// Decides every value that is drawn
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub rng_seed: u64,
    #[command(flatten)]
    pub application: ApplicationArguments,
    #[command(flatten)]
    pub server: ServerArguments,
}

/// The schema that the change begins from: one of these.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct BaseArguments {
    /// A file of SQL that makes the schema, as psql would run it, such as what `pg_dump
    /// --schema-only` writes; or the URL of a database, of which nothing but the schema is read
    #[arg(long, value_name = "FILE|URL")]
    pub schema: Option<String>,
    /// A command for sh that makes the schema in an empty database, such as 'alembic upgrade head';
    /// DATABASE_URL and PGHOST, PGPORT, … tell it where to connect
    #[arg(long, value_name = "COMMAND")]
    pub base: Option<String>,
}

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

/// What the rows and the application are like.
#[derive(Clone, Debug, Args)]
pub struct ApplicationArguments {
    /// Which operations the application has most of [default: auto]
    #[arg(long, value_enum)]
    pub traffic: Option<TrafficMix>,
    /// Operations per second [default: 30 % of what the idle server carries, found by each run]
    #[arg(long, value_name = "NUMBER", value_parser = rate)]
    pub rate: Option<f64>,
    /// A file of the application's own statements, each below a line `-- name: get_order`, in place
    /// of the inferred operations
    #[arg(long, value_name = "FILE", group = "own")]
    pub app: Option<PathBuf>,
    /// The most frequent statements that the database of --like has counted, in place of the
    /// inferred operations
    #[arg(long, value_enum, value_name = "SOURCE", group = "own", requires = "like")]
    pub app_from: Option<AppSource>,
    /// Keep the inferred operations beside those of --app or --app-from
    #[arg(long, requires = "own")]
    pub app_adds: bool,
    /// Make rows like those of this database, by its statistics: its address, as in
    /// postgres://user@host:5432/database, where catalogues are read and nothing is written, not
    /// even a lock on a table is taken; or a file that `pg_dump --statistics-only` of version 18
    /// has written, for which the server has to be of 18 or later
    #[arg(long, value_name = "URL|FILE")]
    pub like: Option<String>,
    /// Use the most common values of columns as well. They are values of rows of that database,
    /// and stay in the scenario's files
    #[arg(long, requires = "like")]
    pub with_common_values: bool,
}

/// What counts statements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum AppSource {
    /// The extension of that name
    #[value(name = "pg_stat_statements")]
    Statements,
}

/// Which operations an application has most of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum TrafficMix {
    /// As the tables of --like are used by pg_stat_user_tables: read-heavy where they are read more
    /// than five times per write, else write-heavy where more than a fifth are writes; otherwise,
    /// and without --like, mixed
    #[default]
    Auto,
    /// Four of five operations read
    ReadHeavy,
    /// Three of five operations read
    Mixed,
    /// Three of four operations write
    WriteHeavy,
}

/// Which scenarios.
#[derive(Debug, Args)]
pub struct Which {
    /// Names of scenarios, or directories that hold one; none means all
    #[arg(value_name = "SCENARIO")]
    pub scenarios: Vec<String>,
    /// Directory that holds scenarios [default: ./scenarios, else the bundled ones]
    #[arg(long, value_name = "DIR")]
    pub scenarios_dir: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct RunArguments {
    #[command(flatten)]
    pub which: Which,
    /// Only from this starting state, and from the first one, which it is compared with
    #[arg(long, value_name = "NAME")]
    pub state: Option<String>,
    /// Execute every trial so often; to compare the numbers of two results takes five of each
    #[arg(long, value_name = "COUNT", default_value_t = 1, value_parser = repeat())]
    pub repeat: u32,
    /// Only this share of the trials, such as 2/5; `merge` joins all shares
    #[arg(long, value_name = "INDEX/OF", value_parser = shard)]
    pub shard: Option<Shard>,
    /// An earlier result, by whose times the shares are balanced; the same for every share
    #[arg(long, value_name = "RESULT", requires = "shard")]
    pub costs: Option<PathBuf>,
    #[command(flatten)]
    pub trials: TrialArguments,
}

/// A change, what it begins from, and how it is tried; expects `safe`.
#[derive(Clone, Debug, Args)]
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
    #[command(flatten)]
    pub base: BaseChoice,
    /// On the tables and under the traffic of a scenario: its name, or its directory
    #[arg(
        long,
        value_name = "SCENARIO",
        conflicts_with_all = ["schema", "base", "save", "rate", "app", "like"]
    )]
    pub on: Option<String>,
    /// Directory that holds scenarios [default: ./scenarios, else the bundled ones]
    #[arg(long, value_name = "DIR")]
    pub scenarios_dir: Option<PathBuf>,
    #[command(flatten)]
    pub tried: TriedChoice,
    /// Inject every kind of fault at each statement, however many there are: the whole crash matrix
    #[arg(long, conflicts_with_all = ["quick", "on"])]
    pub thorough: bool,
    /// Print each trial in full as well: findings with their witnesses, statements with their locks
    #[arg(long)]
    pub details: bool,
    /// With which verdicts the exit code is 1 [default: unproven]
    #[arg(long, value_enum)]
    pub fail_on: Option<FailOnVerdict>,
    /// Show what would be run, and stop
    #[arg(long)]
    pub dry_run: bool,
    /// Keep the scenario that is made: a directory that is empty, or not there yet
    #[arg(long, value_name = "DIR")]
    pub save: Option<PathBuf>,
    #[command(flatten)]
    pub application: ApplicationArguments,
    /// Whose directory it is [default: recognised by its files and the project around it]
    #[arg(long, value_name = "NAME", value_parser = tool())]
    pub tool: Option<Tool>,
    /// Transactions of an SQL file: none, as psql runs it; per-migration; single [default: none]
    #[arg(long, value_name = "RULE", value_parser = transaction())]
    pub transaction: Option<TransactionRule>,
    #[command(flatten)]
    pub clones: CloneArguments,
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
    #[command(flatten)]
    pub trials: TrialArguments,
}

#[derive(Debug, Args)]
pub struct InitArguments {
    /// Write over a pgauntlet.toml that is there
    #[arg(long)]
    pub force: bool,
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
        let tried = self.tried.migrations.is_some() || self.tried.command.is_some();
        let first = self.change.as_ref().filter(|_| tried && self.on.is_none());
        self.on.clone().or_else(|| first.map(|name| name.display().to_string()))
    }

    /// The change's file or directory.
    pub fn path(&self) -> Option<&std::path::Path> {
        self.tried.migrations.as_deref().or(self.change.as_deref())
    }

    /// The change's command, for sh.
    pub fn command_line(&self) -> Option<String> {
        let words = (!self.words.is_empty()).then(|| {
            let quoted = self.words.iter().map(|word| shell_word(word));
            quoted.collect::<Vec<_>>().join(" ")
        });
        words.or_else(|| self.tried.command.clone())
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

/// The change: one of these.
#[derive(Debug)]
pub struct Tried {
    /// A tool's directory of migrations, run by the tool's transaction rules; or one SQL file, run
    /// as psql runs it: every statement by itself.
    pub migrations: Option<PathBuf>,
    /// A command for sh.
    pub command: Option<String>,
}

/// Server, size and output: what every command that runs trials takes.
#[derive(Clone, Debug, Args)]
pub struct TrialArguments {
    #[command(flatten)]
    pub server: ServerArguments,
    /// All tables scaled so that the largest has 200,000 rows
    #[arg(long, conflicts_with = "scale")]
    pub quick: bool,
    /// Scale every table's declared rows by this factor; `run` does not scale its crash cases
    #[arg(long, value_name = "FACTOR", value_parser = factor)]
    pub scale: Option<f64>,
    /// Rows of one table, such as spans=20M, not of the crash cases of `run`; may be repeated. Of a
    /// change of your own also a number alone: of each table that the change is about
    #[arg(long, value_name = "[TABLE=]ROWS", value_parser = rows_of_any)]
    pub rows: Vec<(Option<String>, u64)>,
    /// Another rng_seed than the scenarios' own
    #[arg(long, value_name = "NUMBER")]
    pub rng_seed: Option<u64>,
    /// Keep histories (JSON Lines) and result.json here
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// No progress; the verdicts only
    #[arg(long, short)]
    pub quiet: bool,
    /// For a person, or json: result.json and nothing else on standard output
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

#[derive(Debug, Args)]
pub struct CrashArguments {
    /// Name of the scenario, or the directory that holds it
    pub scenario: String,
    /// Directory that holds scenarios [default: ./scenarios, else the bundled ones]
    #[arg(long, value_name = "DIR")]
    pub scenarios_dir: Option<PathBuf>,
    /// In place of the scenario's own change: a tool's directory of migrations, or one SQL file
    #[arg(long, value_name = "PATH")]
    pub migrations: Option<PathBuf>,
    /// In place of the scenario's own change: a command for sh, run here, as with `try`
    #[arg(long, value_name = "COMMAND", conflicts_with = "migrations")]
    pub command: Option<String>,
    /// Whose directory it is [default: recognised by its files and the project around it]
    #[arg(long, value_name = "NAME", value_parser = tool(), requires = "migrations")]
    pub tool: Option<Tool>,
    /// Transactions of an SQL file: none, as psql runs it; per-migration; single [default: none]
    #[arg(long, value_name = "RULE", value_parser = transaction(), requires = "migrations")]
    pub transaction: Option<TransactionRule>,
    /// Only these kinds of faults, such as cut-before,cancel [default: the scenario's, else all]
    #[arg(long, alias = "ways", value_name = "KIND", value_delimiter = ',', value_parser = kind())]
    pub faults: Vec<FaultKind>,
    /// Only at this statement, by its number in the matrix
    #[arg(long, value_name = "NUMBER")]
    pub at: Option<u32>,
    /// Faults at moments drawn from the rng_seed [default: the scenario's, else 0]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(..=10_000))]
    pub random: Option<u32>,
    /// Starting state of every case [default: the scenario's, else its first]
    #[arg(long, value_name = "NAME")]
    pub state: Option<String>,
    /// Cases at once [default: the number of cores]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=64))]
    pub at_once: Option<u32>,
    #[command(flatten)]
    pub trials: TrialArguments,
}

#[derive(Debug, Args)]
pub struct JudgeArguments {
    /// A directory that `run --out` wrote, or one trial's directory in it
    pub directory: PathBuf,
}

#[derive(Debug, Args)]
pub struct ReportArguments {
    /// A directory that `run --out` wrote, one trial's directory in it, or a result.json
    pub result: PathBuf,
    /// For a person (text, html, markdown) or for a machine
    #[arg(long, value_enum, default_value_t = ReportFormat::Text)]
    pub format: ReportFormat,
    /// Write it here, over what is there [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct MergeArguments {
    /// Directories that `run --out` wrote
    #[arg(required = true, value_name = "RESULT")]
    pub results: Vec<PathBuf>,
    /// The joined result; a directory that is empty, or not there yet
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
}

#[derive(Debug, Args)]
pub struct ReproArguments {
    /// A directory that `run --out` wrote, or a result.json
    pub result: PathBuf,
    /// Number of the trial in the result, from 1; crash matrices count on after the trials
    /// [default: the first that was not as expected]
    #[arg(long, value_name = "NUMBER")]
    pub trial: Option<usize>,
    #[command(flatten)]
    pub server: ServerArguments,
    /// Run the commands that the result holds without asking
    #[arg(long, short)]
    pub yes: bool,
    /// Keep the history and result.json here
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// No progress; the verdict only
    #[arg(long, short)]
    pub quiet: bool,
}

#[derive(Debug, Args)]
pub struct FingerprintArguments {
    /// The database: postgres://user@host:5432/database
    pub url: String,
    /// Write it here, over what is there [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct DiffArguments {
    /// The postgres:// URL of a database, or a file that `fingerprint` wrote
    pub from: String,
    /// Another one; prints what must change in FROM to match TO
    #[arg(required_unless_present = "against", conflicts_with = "against")]
    pub to: Option<String>,
    /// In place of TO: a file that `fingerprint` wrote; prints what changed since
    #[arg(long, value_name = "FILE")]
    pub against: Option<PathBuf>,
    /// A difference that is meant to be there: 'KIND NAME' or 'KIND NAME: PROPERTY', as in 'column
    /// public.orders.total: type'; may be repeated, and each one must occur
    #[arg(long, value_name = "DIFFERENCE")]
    pub accept: Vec<String>,
    /// For a person, or a JSON list
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Text,
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// As a run prints it
    Text,
    /// result.json; docs/result.schema.json is its schema
    Json,
    /// One page that needs nothing else
    Html,
    /// For a step summary or a pull-request comment
    Markdown,
    /// Annotations on the migration's own lines, for GitHub Actions
    Github,
    /// A test case per expectation
    Junit,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// For a textfile collector
    Prometheus,
}

#[derive(Debug, Args)]
pub struct CompareArguments {
    /// The original, or what was: a directory of `run --out`, a result.json, or a baseline file
    pub a: PathBuf,
    /// The fix, or what is: another one
    pub b: PathBuf,
    /// For a person (text, html, markdown) or for a machine
    #[arg(long, value_enum, default_value_t = ReportFormat::Text)]
    pub format: ReportFormat,
    /// Write it here, over what is there [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// What ends with an exit code other than 0: a regression with 1; with `undecided`, a
    /// comparison without an answer too, with 3
    #[arg(long, value_enum, value_name = "WHAT", default_value_t = FailOn::Regression)]
    pub fail_on: FailOn,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    Regression,
    Undecided,
    Never,
}

#[derive(Debug, Args)]
pub struct BaselineArguments {
    /// Directories of `run --out`, result.json files, or baseline files
    #[arg(value_name = "RESULT", required = true)]
    pub results: Vec<PathBuf>,
    /// The baseline file
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Add to what the file holds, rather than replace it
    #[arg(long)]
    pub add: bool,
}

#[derive(Debug, Args)]
pub struct CacheArguments {
    #[command(subcommand)]
    pub action: Option<CacheAction>,
    #[command(flatten)]
    pub server: ServerArguments,
}

#[derive(Clone, Copy, Debug, Subcommand)]
pub enum CacheAction {
    /// Show what is kept and how large it is (the default)
    List,
    /// Remove everything that no running process uses
    Clear,
}

/// Where the server comes from.
impl TrialArguments {
    pub fn sizes(&self) -> SizeRequest {
        let (scale, quick, rows) = (self.scale, self.quick, self.rows_by_table());
        SizeRequest { scale, quick, rows, ..SizeRequest::default() }
    }

    /// Rows of tables that are named.
    pub fn rows_by_table(&self) -> Vec<(String, u64)> {
        let named = |(table, rows): &(Option<String>, u64)| table.clone().map(|name| (name, *rows));
        self.rows.iter().filter_map(named).collect()
    }

    /// Rows that are of no table in particular: the last number.
    pub fn rows_of_any(&self) -> Option<u64> {
        self.rows.iter().rev().find(|(table, _)| table.is_none()).map(|(_, rows)| *rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_are_well_formed() {
        use clap::CommandFactory;
        Arguments::command().debug_assert();
    }
}
