//! What ends a run without judgements: the stages' errors, and the run's own.

use std::path::{Path, PathBuf};

use crate::scenario::ConditionError;
use crate::trial::FaultKind;
use crate::{disturb, drive, history, migrate, observe, provision, report, result, seed};

/// Why a run could not go on.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each message says what its variant is")]
pub enum Error {
    #[error("start a server: {0}")]
    Provision(#[from] provision::Error),
    #[error("seed: {0}")]
    Seed(#[from] seed::Error),
    #[error("start the traffic: {0}")]
    Drive(#[source] Box<drive::Error>),
    #[error("run the change: {0}")]
    Migrate(#[from] migrate::Error),
    #[error("{0}")]
    Disturb(#[from] disturb::Error),
    #[error("{0}")]
    Observe(#[from] observe::Error),
    #[error("keep the history: {0}")]
    History(#[from] history::WriteError),
    #[error("{0}")]
    ReadResult(#[from] result::ReadError),
    #[error("{0}")]
    ReadHistory(#[from] history::ReadError),
    #[error("keep the result: {0}")]
    Result(#[from] result::WriteError),
    #[error("open a session on the trial's database: {0}")]
    Session(#[from] crate::connect::Error),
    #[error("run {section} as {role}: the server has no such role; schema.sql has to create it")]
    NoSuchRole { section: &'static str, role: String },
    #[error(
        "run {section} as {role}: on this server the connecting user may not make roles; grant it \
         CREATEROLE, or leave `role` out"
    )]
    NoRoles { section: &'static str, role: String },
    #[error(
        "{place}: a standby is made of a server of pgauntlet's own only, and this run is on {of}; \
         use --server local or docker, or leave [replica] out"
    )]
    NoStandby { place: String, of: &'static str },
    #[error("make a clone with `{line}`: {why}")]
    Clone { line: String, why: String },
    #[error("give the clone {id} back with `{line}`: {why}; it may still be there")]
    Release { line: String, id: String, why: String },
    #[error("make the base with `{line}`: {why}")]
    Base { line: String, why: String },
    #[error(
        "dump the base's schema: {why}; it takes pg_dump of the server's major{} or a newer one, \
         on PATH or beside the server (Debian: postgresql-client)",
        major.map(|major| format!(", {major},")).unwrap_or_default()
    )]
    Dump { why: String, major: Option<u32> },
    #[error("read or write the scenario inside the history: {0}")]
    Scenario(serde_json::Error),
    #[error("use {path} for output: {source}")]
    Out { path: PathBuf, source: std::io::Error },
    #[error("read {path}: {source}")]
    Read { path: PathBuf, source: std::io::Error },
    #[error("inject a fault at statement {statement}: {}", at_which(statements))]
    NoSuchStatement { statement: u32, statements: Vec<u32> },
    #[error(
        "bring {scenario} into the state {state}: {why}; the state's path has to end as it says, \
         at its last statement or at its stop"
    )]
    State { scenario: String, state: String, why: String },
    #[error(
        "start {scenario} from the state {state}: it has no such state; see scenarios/README.md"
    )]
    NoSuchState { scenario: String, state: String },
    #[error(transparent)]
    Condition(#[from] ConditionError),
    #[error("judge a fault ({kind}, statement {statement}): its history names none")]
    NoFault { kind: FaultKind, statement: u32 },
    #[error("run {name} twice: two scenarios have that name, and their histories would be one")]
    NameTwice { name: String },
    #[error("write to {path}: it holds something, maybe another run's; name another directory")]
    OutTaken { path: PathBuf },
    #[error("find a history in {path}: neither it nor a directory in it holds history.jsonl")]
    NoHistory { path: PathBuf },
    #[error(
        "judge the crash matrix in {path}: the undisturbed run, with which each case is compared, \
         is not there; name the directory that holds `crash`"
    )]
    NoUndisturbed { path: PathBuf },
    #[error(
        "set the rows of {table}: no scenario has such a table; there are {}",
        .known.join(", ")
    )]
    NoSuchTable { table: String, known: Vec<String> },
    #[error("set the rows of {table}: it may be any of {tables}; write the schema's name too")]
    AmbiguousTable { table: String, tables: String },
    #[error("try these sizes: {why}")]
    Sizes { why: String },
    #[error(
        "fit {scenario} on the disk: at this size it needs about {}, and {} are free in \
         {directory}; choose a smaller size (--scale, --rows, --quick)",
        report::bytes(*.needed), report::bytes(*.free)
    )]
    Disk { scenario: String, needed: u64, free: u64, directory: PathBuf },
    #[error("merge {path}: {why}")]
    Merge { path: PathBuf, why: String },
    #[error(
        "choose a trial: all {count} of the result were as expected; name one by its number with \
         --trial, from 1 to {count}"
    )]
    WhichTrial { count: usize },
    #[error("find trial {number}: the result has {count}, counted from 1")]
    NoSuchTrial { number: usize, count: usize },
    #[error(
        "run trial {number} again: its database was one that --clone gave, and neither that nor \
         its rows are in the result; run the same pgauntlet try --clone 'COMMAND' again, which \
         takes another one"
    )]
    OfClone { number: usize },
    #[error("run {scenario} again: the result does not hold the scenario")]
    NoScenario { scenario: String },
    #[error("read the schema: {0}")]
    Schema(String),
    #[error("read the application's statements:\n{0}")]
    Queries(String),
    #[error("use the application's statements: none of them can be used\n  {}", .0.join("\n  "))]
    NoQueries(Vec<String>),
    #[error("read the statistics: {0}")]
    StatisticsFile(String),
    #[error(
        "load the statistics in {}: servers of PostgreSQL 18 and later can, and this one is \
         {major}; name another one with --server, or a database: \
         --like postgres://user@host:5432/database",
        .path.display()
    )]
    StatisticsMajor { path: PathBuf, major: u32 },
    #[error("interrupted")]
    Interrupted,
}

impl From<drive::Error> for Error {
    fn from(error: drive::Error) -> Error {
        Error::Drive(Box::new(error))
    }
}

/// Most numbers of statements that a message lists.
const LISTED_MAX: usize = 20;

fn at_which(statements: &[u32]) -> String {
    let numbers: Vec<String> = statements.iter().map(u32::to_string).collect();
    match (statements.first(), statements.last()) {
        (Some(first), Some(last)) if numbers.len() > LISTED_MAX => format!(
            "the change as it ran has {} that leave room for one, from {first} to {last}",
            numbers.len()
        ),
        (Some(_), Some(_)) => format!(
            "the change as it ran has {} that leave room for one: {}",
            numbers.len(),
            numbers.join(", ")
        ),
        _ => "none of the change as it ran leaves room for one".to_owned(),
    }
}

/// Whose doing an error is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The command line or a scenario file.
    Input,
    /// Ours or the environment's.
    Environment,
    /// The user's: Ctrl-C or SIGTERM.
    Interrupted,
}

impl Error {
    /// An output directory that cannot be used.
    pub fn out(path: &Path, source: std::io::Error) -> Error {
        Error::Out { path: path.to_owned(), source }
    }

    /// A stored result, or a directory of one, that cannot be read.
    pub fn read(path: &Path, source: std::io::Error) -> Error {
        Error::Read { path: path.to_owned(), source }
    }

    /// Every error is named, so that a new one is not the environment's by accident.
    pub fn fault(&self) -> Fault {
        match self {
            Error::Interrupted => Fault::Interrupted,
            Error::Seed(error) if error.is_of_the_scenario() => Fault::Input,
            Error::Drive(error) if error.is_of_the_scenario() => Fault::Input,
            Error::Out { .. }
            | Error::Read { .. }
            | Error::NoSuchStatement { .. }
            | Error::OutTaken { .. }
            | Error::NameTwice { .. }
            | Error::State { .. }
            | Error::NoSuchState { .. }
            | Error::ReadResult(_)
            | Error::ReadHistory(_)
            | Error::NoHistory { .. }
            | Error::NoUndisturbed { .. }
            | Error::NoSuchTable { .. }
            | Error::Sizes { .. }
            | Error::Condition(_)
            | Error::Base { .. }
            | Error::Dump { .. }
            | Error::AmbiguousTable { .. }
            | Error::Merge { .. }
            | Error::WhichTrial { .. }
            | Error::NoSuchTrial { .. }
            | Error::NoScenario { .. }
            | Error::OfClone { .. }
            | Error::NoSuchRole { .. }
            | Error::NoRoles { .. }
            | Error::NoStandby { .. }
            | Error::Schema(_)
            | Error::Queries(_)
            | Error::NoQueries(_)
            | Error::StatisticsFile(_)
            | Error::StatisticsMajor { .. }
            | Error::Disk { .. } => Fault::Input,
            Error::Provision(_)
            | Error::Seed(_)
            | Error::Drive(_)
            | Error::Migrate(_)
            | Error::Disturb(_)
            | Error::Observe(_)
            | Error::History(_)
            | Error::Result(_)
            | Error::Session(_)
            | Error::Clone { .. }
            | Error::Release { .. }
            | Error::Scenario(_)
            | Error::NoFault { .. } => Fault::Environment,
        }
    }
}
