//! The change under test and how its runner behaves.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Sizes;
use super::retry::{MS_MAX as RETRY_MS_MAX, RetryPolicy};
use super::tool::{Recognised, Tool};

pub(super) const DEADLINE_MS_DEFAULT: u64 = 600_000;
pub(super) const RERUN_ATTEMPTS_DEFAULT: u32 = 1;
/// The runner's own table of versions, where the scenario names none; the runner creates it.
const VERSIONS_TABLE_DEFAULT: &str = "pgauntlet_versions";
const VERSIONS_COLUMN_DEFAULT: &str = "version";
pub(super) const BACKOFF_MS_DEFAULT: u64 = 1_000;

/// An SQL file, read whole.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Script {
    /// As it is found from where the program runs, for messages.
    pub path: PathBuf,
    /// In the order of the file.
    pub statements: Vec<Statement>,
}

/// One statement of a script.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    /// Without the final semicolon and without leading comments.
    pub text: String,
    /// 1-based line of its first token in the file.
    pub line: u32,
    /// The rows that `COPY … FROM stdin` sends, byte for byte.
    pub rows: Option<Arc<str>>,
    /// The file that it is in, where its script includes that; None: the script's own.
    pub file: Option<PathBuf>,
}

impl Statement {
    /// One of the script's own file, without rows.
    pub fn new(text: impl Into<String>, line: u32) -> Statement {
        Statement { text: text.into(), line, rows: None, file: None }
    }

    /// The rows that it sends; empty: none.
    pub fn rows(&self) -> &str {
        self.rows.as_deref().unwrap_or_default()
    }
}

/// The change under test.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// In the order in which they are applied. Empty where a command applies the change.
    pub migrations: Vec<Migration>,
    /// Whose directory the migrations are in; None: plain files, or a command.
    pub tool: Option<Recognised>,
    /// The command that applies it; None: the built-in runner does.
    pub command: Option<Command>,
    /// Which statements share a transaction.
    pub transaction: TransactionRule,
    /// What its statements may wait for.
    pub timeouts: Timeouts,
    /// What the runner does after 55P03.
    pub retries: Retries,
    /// None: the change is a command, and nothing is known of its table.
    pub versions: Option<Versions>,
    /// The change is cancelled, then its session is killed, when it takes longer than this.
    pub deadline_ms: u64,
    /// Stop as an operator would with Ctrl-C between two statements.
    pub stop: Option<Stop>,
    /// How many runners apply the change at once, as pods do that start together.
    pub runners: u32,
    /// The built-in runner holds this advisory lock of the session while it applies the change,
    /// from before it reads the versions; None: it holds none.
    pub advisory_lock: Option<i64>,
    /// How often the change is applied again afterwards, until an attempt succeeds.
    pub rerun_attempts: u32,
    /// Whether the change is applied again after it has succeeded. None: where it knows what it
    /// has applied, which of a command is seen in what it sends.
    pub rerun: Option<bool>,
    /// The change may connect to other databases of the server than the trial's.
    pub other_databases: bool,
    /// As whom it runs. It owns the tables that the schema gave to nobody else.
    pub runs_as: RunsAs,
}

impl Change {
    /// These migrations with the defaults of everything else.
    pub fn of(migrations: Vec<Migration>) -> Change {
        Change {
            migrations,
            tool: None,
            command: None,
            transaction: TransactionRule::PerMigration,
            timeouts: Timeouts::default(),
            retries: Retries::default(),
            versions: Some(Versions::default()),
            deadline_ms: DEADLINE_MS_DEFAULT,
            stop: None,
            runners: 1,
            advisory_lock: None,
            rerun_attempts: RERUN_ATTEMPTS_DEFAULT,
            rerun: None,
            other_databases: false,
            runs_as: RunsAs::Migrator,
        }
    }

    /// The migrations of a tool's directory, in the tool's transactions and with its table of
    /// versions.
    pub fn of_tool(recognised: Recognised, migrations: Vec<Migration>) -> Change {
        let tool = recognised.tool;
        Change {
            transaction: TransactionRule::of(tool),
            versions: Some(Versions::of(tool)),
            tool: Some(recognised),
            ..Change::of(migrations)
        }
    }

    /// For which statements the runner opens transactions, in words; None: a command decides that
    /// by itself.
    pub fn transaction_words(&self) -> Option<&'static str> {
        if self.command.is_some() {
            return None;
        }
        Some(match (&self.tool, self.transaction) {
            (Some(recognised), _) => recognised.tool.transaction_rule(),
            (None, TransactionRule::PerMigration) => "one transaction per file",
            (None, TransactionRule::Single) => "one transaction for the whole change",
            (None, TransactionRule::None) => {
                "no transaction: every statement by itself, as psql runs a file"
            }
        })
    }
}

/// As whom a change runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunsAs {
    /// A role of ours, without privileges beyond what it owns.
    #[default]
    Migrator,
    /// A role that the schema makes.
    Role(String),
    /// As pgauntlet itself connects.
    Superuser,
}

impl RunsAs {
    /// The key of `[change]` that says so; None: nothing has to.
    pub(super) fn stated(&self) -> Option<(&'static str, String)> {
        match self {
            RunsAs::Migrator => None,
            RunsAs::Role(role) => Some(("role", toml::Value::from(role.as_str()).to_string())),
            RunsAs::Superuser => Some(("superuser", "true".to_owned())),
        }
    }
}

/// One migration of a change.
#[derive(Clone, Debug, PartialEq)]
pub struct Migration {
    /// What the version row says.
    pub version: String,
    /// Its statements.
    pub script: Script,
    /// None: as the change's rule says.
    pub transaction: Option<bool>,
    /// Run the script's statements again and again until the last one affects no row.
    pub repeat: Option<Repeat>,
    /// Pauses between its statements, in the first attempt.
    pub pauses: Vec<Pause>,
    /// What has to hold before it runs.
    pub precondition: Option<Precondition>,
    /// It runs in every attempt, applied or not.
    pub always: bool,
}

impl Migration {
    /// A migration that runs once, without pauses or a precondition.
    pub fn new(version: String, script: Script, transaction: Option<bool>) -> Migration {
        let (repeat, pauses, precondition, always) = (None, Vec::new(), None, false);
        Migration { version, script, transaction, repeat, pauses, precondition, always }
    }
}

/// What has to hold before a migration runs, as Liquibase's changesets say it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Precondition {
    /// All of them have to hold.
    pub checks: Vec<Check>,
    /// What is done where one does not hold.
    pub on_fail: Unmet,
    /// What is done where one cannot be asked.
    pub on_error: Unmet,
}

/// A query and the one value that it has to give.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// The query.
    pub sql: String,
    /// The value of its first column, as text.
    pub expected: String,
}

/// What is done where a precondition does not hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unmet {
    /// The change fails.
    #[default]
    Halt,
    /// The migration is left out this time.
    Continue,
    /// The migration is left out and counts as applied.
    MarkRan,
    /// The migration runs.
    Warn,
}

impl Unmet {
    /// As Liquibase spells it, whatever the case.
    pub fn parse(text: &str) -> Option<Unmet> {
        Some(match text.to_ascii_uppercase().as_str() {
            "HALT" => Unmet::Halt,
            "CONTINUE" => Unmet::Continue,
            "MARK_RAN" => Unmet::MarkRan,
            "WARN" => Unmet::Warn,
            _ => return None,
        })
    }
}

/// Which statements the built-in runner puts into one transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TransactionRule {
    /// One transaction per migration. A COMMIT in its file leaves it, a BEGIN enters another.
    PerMigration,
    /// One transaction for the whole change.
    Single,
    /// Every statement by itself.
    None,
}

impl TransactionRule {
    /// Every rule, the default of a plain file first.
    pub const ALL: [TransactionRule; 3] =
        [TransactionRule::None, TransactionRule::PerMigration, TransactionRule::Single];

    /// The tool's own, where its files do not say another.
    pub fn of(tool: Tool) -> TransactionRule {
        match tool {
            Tool::Drizzle | Tool::NodePgMigrate => TransactionRule::Single,
            Tool::Plain => TransactionRule::None,
            _ => TransactionRule::PerMigration,
        }
    }

    /// As a scenario file and the command line spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            TransactionRule::PerMigration => "per-migration",
            TransactionRule::Single => "single",
            TransactionRule::None => "none",
        }
    }
}

/// A command that applies the change: a migration tool, a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// For `sh -c`.
    pub line: String,
    /// Programs that have to be there; looked for before anything starts.
    pub requires: Vec<String>,
    /// Where it runs.
    pub directory: PathBuf,
    /// On top of ours, without the names that are reserved.
    pub environment: BTreeMap<String, String>,
}

impl Command {
    /// Names that pgauntlet sets for the command: how to reach the server, and what the scenario
    /// declares of the timeouts.
    pub fn reserves(name: &str) -> bool {
        const CONNECTION: &[&str] = &[
            "DATABASE_URL",
            "PGHOST",
            "PGPORT",
            "PGUSER",
            "PGPASSWORD",
            "PGDATABASE",
            "PGSSLMODE",
        ];
        CONNECTION.contains(&name) || name.starts_with("PGAUNTLET_")
    }
}

/// Timeouts that the runner sets; of a command, those that it is configured to set. None leaves
/// the server's default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// How long the settings last.
    pub scope: Scope,
    /// `lock_timeout`; 0 is none.
    pub lock_timeout_ms: Option<u64>,
    /// `statement_timeout`; 0 is none.
    pub statement_timeout_ms: Option<u64>,
    /// `idle_in_transaction_session_timeout`; 0 is none.
    pub idle_in_transaction_session_timeout_ms: Option<u64>,
    /// A table: `statement_timeout_ms` is meant for its declared rows and shrinks or grows in
    /// proportion to the rows of the trial.
    pub scale_with: Option<String>,
}

impl Default for Timeouts {
    fn default() -> Timeouts {
        Timeouts {
            scope: Scope::Local,
            lock_timeout_ms: None,
            statement_timeout_ms: None,
            idle_in_transaction_session_timeout_ms: None,
            scale_with: None,
        }
    }
}

impl Timeouts {
    /// The statement_timeout for a trial of these sizes, at least 1 ms (0 would mean none).
    pub fn statement_timeout_ms_at(&self, declared: &Sizes, actual: &Sizes) -> Option<u64> {
        let timeout = self.statement_timeout_ms?;
        Some(match &self.scale_with {
            Some(table) if timeout > 0 => scale(timeout, table, declared, actual),
            _ => timeout,
        })
    }
}

/// How long the runner's settings last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// SET LOCAL at the start of each transaction that the runner opens.
    Local,
    /// SET on the connection at its start.
    Session,
}

/// Whether the runner tries a migration again after 55P03.
#[derive(Clone, Debug, PartialEq)]
pub struct Retries {
    /// Most further tries of one migration, or of one statement.
    pub on_lock_timeout: u32,
    /// Pause before the first of them, in milliseconds.
    pub backoff_ms: u64,
    /// Each further pause is so many times the one before it.
    pub factor: f64,
    /// Longest pause, in milliseconds.
    pub backoff_ms_max: u64,
    /// Share of each pause, from 0 to 1, by which it is made shorter or longer at random.
    pub jitter: f64,
    /// What is tried again.
    pub of: RetryOf,
    /// Whether also after a deadlock (40P01).
    pub after_deadlock: bool,
}

impl Default for Retries {
    fn default() -> Retries {
        Retries {
            on_lock_timeout: 0,
            backoff_ms: BACKOFF_MS_DEFAULT,
            factor: 1.0,
            backoff_ms_max: RETRY_MS_MAX,
            jitter: 0.0,
            of: RetryOf::Migration,
            after_deadlock: false,
        }
    }
}

impl Retries {
    /// As a policy has it: after 55P03 and after 40P01.
    pub fn of_policy(policy: &RetryPolicy, of: RetryOf) -> Retries {
        Retries {
            on_lock_timeout: policy.attempts - 1,
            backoff_ms: policy.pause_ms,
            factor: policy.factor,
            backoff_ms_max: policy.pause_ms_max,
            jitter: policy.jitter,
            of,
            after_deadlock: true,
        }
    }

    /// The pause before the try after so many failed ones. `draw`: from -1 to 1.
    pub fn pause(&self, failed: u32, draw: f64) -> Duration {
        let policy = RetryPolicy {
            lock_timeout_ms: 0,
            attempts: self.on_lock_timeout + 1,
            pause_ms: self.backoff_ms,
            factor: self.factor,
            pause_ms_max: self.backoff_ms_max,
            jitter: self.jitter,
        };
        policy.pause(failed, draw)
    }
}

/// What the runner tries again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RetryOf {
    /// The migration, from its first statement.
    #[default]
    Migration,
    /// The statement that gave up, where it stands outside of a transaction; else the migration.
    Statement,
}

/// Where the runner remembers what is applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Versions {
    /// The table's name, with its schema where the tool's is in one.
    pub table: String,
    /// Column that holds the version.
    pub column: String,
    /// How many rows it has.
    pub rows: VersionRows,
    /// The tool whose table it is, with its own columns; None: only `column` is known of it.
    pub tool: Option<Tool>,
}

impl Default for Versions {
    fn default() -> Versions {
        Versions {
            table: VERSIONS_TABLE_DEFAULT.to_owned(),
            column: VERSIONS_COLUMN_DEFAULT.to_owned(),
            rows: VersionRows::Each,
            tool: None,
        }
    }
}

impl Versions {
    /// The table in which the tool remembers what is applied, as it is by default; of plain files
    /// the runner's own.
    pub fn of(tool: Tool) -> Versions {
        let (table, column) = match tool {
            Tool::Sqlx => ("_sqlx_migrations", "version"),
            Tool::Flyway => ("flyway_schema_history", "version"),
            Tool::Dbmate | Tool::GolangMigrate => ("schema_migrations", "version"),
            Tool::Goose => ("goose_db_version", "version_id"),
            Tool::Diesel => ("__diesel_schema_migrations", "version"),
            Tool::Refinery => ("refinery_schema_history", "version"),
            Tool::Prisma => ("_prisma_migrations", "migration_name"),
            Tool::Drizzle => ("drizzle.__drizzle_migrations", "created_at"),
            Tool::Supabase => ("supabase_migrations.schema_migrations", "version"),
            Tool::NodePgMigrate => ("pgmigrations", "name"),
            Tool::SqlMigrate => ("gorp_migrations", "id"),
            Tool::Tern => ("public.schema_version", "version"),
            Tool::Atlas => ("atlas_schema_revisions.atlas_schema_revisions", "version"),
            Tool::Liquibase => ("databasechangelog", "id"),
            Tool::Plain => return Versions::default(),
        };
        let rows = match tool {
            Tool::GolangMigrate | Tool::Tern => VersionRows::One,
            _ => VersionRows::Each,
        };
        Versions { table: table.to_owned(), column: column.to_owned(), rows, tool: Some(tool) }
    }

    /// Whose table has this name: the directory's tool's, or one that is a single tool's.
    pub(super) fn owner(table: &str, tool: Option<Tool>) -> Option<Tool> {
        let last = |name: &str| name.rsplit('.').next().unwrap_or(name).to_owned();
        let name = last(table);
        let is_of = |tool: &Tool| {
            Versions::of(*tool).tool.is_some() && last(&Versions::of(*tool).table) == name
        };
        // Of older Flyway, too, and of applications.
        let shared = ["schema_migrations", "schema_version"].contains(&name.as_str());
        let other = || {
            let whole =
                |tool: &Tool| !table.starts_with("public.") && Versions::of(*tool).table == table;
            let is_it = |tool: &Tool| is_of(tool) && (whole(tool) || !shared);
            Tool::ALL.into_iter().find(is_it)
        };
        tool.filter(is_of).or_else(other)
    }
}

/// How many rows a version table has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VersionRows {
    /// A row per migration that was applied.
    Each,
    /// One row that holds the last migration's version (Alembic).
    One,
}

/// A migration that is applied in rounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repeat {
    /// Between one round and the next.
    pub pause_ms: u64,
    /// Most rounds; reaching it fails the change.
    pub limit: u32,
}

/// The runner pauses after a statement, as when a person or a slow script acts in between.
/// In the first attempt only: a rerun asks whether the change can still be applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pause {
    /// 1-based number of the statement in the file.
    pub after: u32,
    /// Length of the pause, in milliseconds.
    pub ms: u64,
}

/// A stop of the first attempt between two statements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    /// Statements of the files that run before the stop, repeated rounds counted.
    pub after_statements: u64,
    /// A table: `after_statements` is meant for its declared rows and scales with the trial's.
    pub scale_with: Option<String>,
}

impl Stop {
    /// The number of statements for a trial of these sizes, at least 1.
    pub fn after_statements_at(&self, declared: &Sizes, actual: &Sizes) -> u64 {
        match &self.scale_with {
            Some(table) => scale(self.after_statements, table, declared, actual),
            None => self.after_statements,
        }
    }
}

fn scale(value: u64, table: &str, declared: &Sizes, actual: &Sizes) -> u64 {
    let factor = actual.rows(table) as f64 / declared.rows(table).max(1) as f64;
    ((value as f64 * factor).round() as u64).max(1)
}
