//! The application while the change runs: its operations, its pool, and what else goes on.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::clock::Micros;
use crate::pg::facts::{RelationName, facts};
use crate::pg::lex;
use crate::pg::syntax::Kind;

use super::Generator;

pub(super) const BASELINE_MS_DEFAULT: u64 = 5_000;
pub(super) const RECOVERY_MIN_MS_DEFAULT: u64 = 2_000;
pub(super) const RECOVERY_MAX_MS_DEFAULT: u64 = 60_000;
pub(super) const POOL_SIZE_DEFAULT: u32 = 10;
pub(super) const POOL_OVERFLOW_DEFAULT: u32 = 20;
pub(super) const ACQUIRE_TIMEOUT_MS_DEFAULT: u64 = 30_000;

/// Least rate of a schedule, in operations per second.
pub const RATE_PER_S_MIN: f64 = 0.1;
/// More than our load generator kept on two cores that it shared with the server.
pub const RATE_PER_S_MAX: f64 = 20_000.0;
/// Most operations per second that a measured capacity leads to. A higher rate shows no other wait,
/// and makes histories longer.
pub const CALIBRATED_MAX_PER_S: f64 = 200.0;

/// The application's schedule. Operations are due whatever the server does.
#[derive(Clone, Debug, PartialEq)]
pub struct Traffic {
    /// Operations of all kinds together.
    pub rate: Rate,
    /// How the times between operations are drawn.
    pub arrivals: Arrivals,
    /// The kinds of operations.
    pub operations: Vec<OperationSpec>,
    /// Length of the baseline phase, before the change begins.
    pub baseline_ms: u64,
    /// Least and most time that the recovery phase takes.
    pub recovery_min_ms: u64,
    /// Most time, in milliseconds; latency that is not back by then has not recovered.
    pub recovery_max_ms: u64,
}

impl Traffic {
    /// Latency is back when its p99 is within three times the baseline's, or below 50 ms.
    pub fn recovered_below(&self, baseline_p99: Micros) -> Micros {
        Micros(baseline_p99.0.saturating_mul(3)).max(Micros::from_millis(50))
    }
}

/// How many operations are scheduled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rate {
    /// Operations per second.
    PerS(f64),
    /// This share of what the idle server carries, which a run measures before its first trial.
    CapacityShare(f64),
}

impl Rate {
    /// Operations per second; 0 for a share of a capacity that is not measured.
    pub fn per_s(self) -> f64 {
        match self {
            Rate::PerS(per_s) => per_s,
            Rate::CapacityShare(_) => 0.0,
        }
    }

    /// The rate on a server that carries so many operations per second: within the bounds that a
    /// scenario may declare, and at most 200 per second.
    pub fn on(self, capacity_per_s: f64) -> f64 {
        match self {
            Rate::PerS(per_s) => per_s,
            Rate::CapacityShare(share) => {
                // Two digits: what is measured is no more exact, and people read it.
                let found = share * capacity_per_s;
                let unit = 10_f64.powf(found.max(RATE_PER_S_MIN).log10().floor() - 1.0);
                ((found / unit).round() * unit).clamp(RATE_PER_S_MIN, CALIBRATED_MAX_PER_S)
            }
        }
    }
}

/// How the times between operations are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Arrivals {
    /// Exponentially distributed: operations come independently of each other.
    Poisson,
    /// All of one length.
    Uniform,
}

/// One kind of operation: a transaction of the application.
#[derive(Clone, Debug, PartialEq)]
pub struct OperationSpec {
    /// The operation's name.
    pub name: String,
    /// Share of the schedule, relative to the other operations' weights.
    pub weight: f64,
    /// One statement runs by itself; several run inside BEGIN and COMMIT. Parameters are written
    /// `$name` in the scenario and are here `$1`, `$2`, … in the order of `placeholders`.
    pub statements: Vec<OperationStatement>,
    /// By their names without `$`.
    pub parameters: BTreeMap<String, Parameter>,
    /// What the application remembers of a write that was acknowledged.
    pub ledger: Option<LedgerRule>,
    /// On which server it runs.
    pub on: On,
}

/// On which server an operation runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum On {
    /// The one that takes the writes.
    #[default]
    Primary,
    /// The hot standby.
    Replica,
}

impl On {
    pub(super) fn is_primary(&self) -> bool {
        *self == On::Primary
    }
}

/// A statement of an operation, its named parameters turned into positional ones.
#[derive(Clone, Debug, PartialEq)]
pub struct OperationStatement {
    /// With `$1`, `$2`, … in place of names.
    pub sql: String,
    /// Name of the parameter at `$1`, `$2`, …
    pub placeholders: Vec<String>,
    /// Where it is written, for messages; None: the result does not say.
    pub place: Option<SqlPlace>,
}

/// A line of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqlPlace {
    /// As it is found from where the program runs.
    pub path: PathBuf,
    /// 1-based.
    pub line: u32,
}

impl fmt::Display for SqlPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.path.display(), self.line)
    }
}

/// Where a parameter's value comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum Parameter {
    /// It is drawn.
    Generated {
        /// What draws it.
        generator: Generator,
        /// Share of values that are NULL, 0 to 1.
        null_fraction: f64,
    },
    /// It is that of an earlier operation.
    Follow(Follow),
}

/// The parameter of an earlier, acknowledged operation, each used once: the update that ends the
/// span which an insert began.
#[derive(Clone, Debug, PartialEq)]
pub struct Follow {
    /// Name of the operation that is followed.
    pub operation: String,
    /// Name of its parameter.
    pub parameter: String,
    /// At least this long after the acknowledgement.
    pub after_ms: u64,
    /// Used while no acknowledged operation is old enough.
    pub otherwise: Generator,
}

/// How an acknowledged write is found again in the tables afterwards.
#[derive(Clone, Debug, PartialEq)]
pub enum LedgerRule {
    /// The row with this key exists exactly once, and holds in each column what was sent, or what
    /// an acknowledged update wrote later. What was sent as NULL is not compared, for a change may
    /// fill it.
    Insert {
        /// Table that is read afterwards.
        table: String,
        /// Column by which the row is found.
        key_column: String,
        /// Parameter that holds the key; None: the statement returns it (`INSERT … RETURNING`), in
        /// the first column of its row.
        key_parameter: Option<String>,
        /// Column to parameter name.
        set: BTreeMap<String, String>,
    },
    /// The row with this key holds, in each column, the parameter's value of the last
    /// acknowledged update (or of a later one whose fate is unknown).
    Update {
        /// Table that is read afterwards.
        table: String,
        /// Column by which the row is found.
        key_column: String,
        /// Parameter that holds the key.
        key_parameter: String,
        /// Column to parameter name.
        set: BTreeMap<String, String>,
    },
    /// The row with this key does not exist.
    Delete {
        /// Table that is read afterwards.
        table: String,
        /// Column by which the row is found.
        key_column: String,
        /// Parameter that holds the key.
        key_parameter: String,
    },
}

impl LedgerRule {
    /// The table that is read afterwards.
    pub fn table(&self) -> &str {
        match self {
            LedgerRule::Insert { table, .. }
            | LedgerRule::Update { table, .. }
            | LedgerRule::Delete { table, .. } => table,
        }
    }

    /// How an operation that follows this one names the key that its statement returns: as no
    /// parameter is named. None: the key is a parameter.
    pub fn returned(&self) -> Option<String> {
        match self {
            LedgerRule::Insert { key_column, key_parameter: None, .. } => {
                Some(format!("returning {key_column}"))
            }
            _ => None,
        }
    }
}

/// Whether the statement inserts into the table and returns something of its row.
pub fn returns_row_of(sql: &str, table: &str) -> bool {
    let inserts = facts(sql).statements.iter().any(|statement| {
        statement.kind == Kind::Insert && statement.writes_to(&RelationName::of(table))
    });
    let words = lex::tokens(sql).unwrap_or_default();
    inserts && words.iter().any(|token| token.text(sql).eq_ignore_ascii_case("returning"))
}

/// The pool as the application configures it; SQLAlchemy's QueuePool names.
#[derive(Clone, Debug, PartialEq)]
pub struct Pool {
    /// Connections that stay open.
    pub size: u32,
    /// Connections opened beyond `size` under pressure and closed on return.
    pub overflow: u32,
    /// Longest wait for a connection, in milliseconds.
    pub acquire_timeout_ms: u64,
    /// SET on each new connection.
    pub settings: BTreeMap<String, String>,
    /// A role that the schema makes and gives its privileges. None: one of ours, that may read and
    /// write the tables and owns none.
    pub role: Option<String>,
}

/// The setting of `[pool] settings` that is a role.
pub const ROLE_SETTING: &str = "role";

impl Pool {
    /// Whether the application's role is one that the scenario names, and none of ours.
    pub fn names_role(&self) -> bool {
        self.role.is_some() || self.settings.contains_key(ROLE_SETTING)
    }
}

impl Default for Pool {
    fn default() -> Pool {
        Pool {
            size: POOL_SIZE_DEFAULT,
            overflow: POOL_OVERFLOW_DEFAULT,
            acquire_timeout_ms: ACQUIRE_TIMEOUT_MS_DEFAULT,
            settings: BTreeMap::new(),
            role: None,
        }
    }
}

/// A read that has to hold before, during and after the change.
#[derive(Clone, Debug, PartialEq)]
pub struct Invariant {
    /// The read's name.
    pub name: String,
    /// What is sent.
    pub statement: OperationStatement,
    /// Where its parameters' values come from; drawn once.
    pub parameters: BTreeMap<String, Generator>,
    /// The same read as the older release of the application sends it, which runs until the
    /// change is over.
    pub before: Option<OperationStatement>,
    /// What it must return.
    pub rows: Rows,
    /// From when on it is read.
    pub since: Since,
    /// What its plan must keep to; None: it is not explained.
    pub plan: Option<PlanLimit>,
}

/// Which rows a declared read must return.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rows {
    /// The same as the first time.
    Same,
    /// No row at all.
    None,
}

/// From when on a declared read is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Since {
    /// Before the change already.
    Start,
    /// Only when the change is over: it names what the change makes.
    Change,
}

/// What the plan of a declared read must keep to, as EXPLAIN tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanLimit {
    /// Node types that must not be in it: `Seq Scan`.
    pub absent: Vec<String>,
    /// Most rows that any node of it may be estimated to return.
    pub rows_max: Option<u64>,
}
