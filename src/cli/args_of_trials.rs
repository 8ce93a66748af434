//! What every command that runs trials takes: server, size, output; rows and the application.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::report::Mode;
use crate::run::{RetryRequest, SizeRequest};
use crate::scenario::RetryPolicy;

use super::server::ServerArguments;
use super::values::{factor, rate, rows_alone, rows_of_any};

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

/// Rounds of a retry policy where nothing says how many.
const ROUNDS_DEFAULT: u32 = 10;

/// A retry policy whose odds are measured.
#[derive(Clone, Debug, Args)]
pub struct RetryArguments {
    /// Measure the odds that the change gets through with this policy, under each condition:
    /// '3s x5 backoff 1s' is a lock_timeout of 3 s, five attempts, and a second between them; also
    /// 'backoff 1s*2..30s jitter 20%'. On 20,000 rows; decides no verdict
    #[arg(long, value_name = "POLICY")]
    pub retry: Option<RetryPolicy>,
    /// Rounds of it under each condition; the more, the narrower the interval [default: 10]
    #[arg(
        long,
        value_name = "COUNT",
        requires = "retry",
        value_parser = clap::value_parser!(u32).range(1..=10_000)
    )]
    pub retry_rounds: Option<u32>,
}

impl RetryArguments {
    pub fn request(&self) -> Option<RetryRequest> {
        let rounds = self.retry_rounds.unwrap_or(ROUNDS_DEFAULT);
        self.retry.clone().map(|policy| RetryRequest { policy, rounds })
    }
}

/// The sizes that are tried, and those that are asked about.
#[derive(Clone, Debug, Default, Args)]
pub struct SizeArguments {
    /// At each of these sizes: rows of the largest table, the others in proportion, such as
    /// 250k,500k,1M,2M. How each statement grows is measured then, and said of other sizes
    /// [default: the scenario's; with --at an eighth, a quarter, half and all of the rows]
    #[arg(
        long,
        value_name = "ROWS",
        value_delimiter = ',',
        value_parser = rows_alone,
        conflicts_with_all = ["quick", "scale"]
    )]
    pub sizes: Vec<u64>,
    /// Predict for so many rows, of a table or of the largest one, such as orders=24M: how long
    /// statements take there, which timeouts they reach, what waits for them; may be repeated
    #[arg(long, value_name = "[TABLE=]ROWS", value_parser = rows_of_any, conflicts_with = "quick")]
    pub at: Vec<(Option<String>, u64)>,
}

impl SizeArguments {
    /// Rows of the largest table at each size, ascending.
    pub fn tried(&self) -> Vec<u64> {
        let mut tried = self.sizes.clone();
        tried.sort_unstable();
        tried.dedup();
        tried
    }
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
    #[command(flatten)]
    pub progress: ProgressArguments,
    /// For a person, or json: result.json and nothing else on standard output
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

/// How much a run prints while it goes on.
#[derive(Clone, Copy, Debug, Args)]
pub struct ProgressArguments {
    /// No progress; the verdicts only
    #[arg(long, short)]
    pub quiet: bool,
    /// Progress as a log with times: each statement of the change, lock queues, traffic
    #[arg(long, short, conflicts_with = "quiet")]
    pub verbose: bool,
}

impl ProgressArguments {
    pub fn mode(self) -> Mode {
        match (self.quiet, self.verbose) {
            (true, _) => Mode::Quiet,
            (false, true) => Mode::Verbose,
            (false, false) => Mode::Auto,
        }
    }
}

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

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Text,
    Json,
}
