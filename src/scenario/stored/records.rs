//! The records of a stored scenario, one per part of a scenario.
//!
//! Each names the keys that are stored, in terms of the part's own types, and what a key means that
//! is left out. A field that is new in a part and not here does not compile; give it a default.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::trial::FaultKind;

use super::super::accept::Meant;
use super::super::acceptance::Acceptance;
use super::super::background::{Beside, Disturbance, Sessions, Until};
use super::super::between::{Before, Network, PoolMode, Pooler};
use super::super::change::{
    Change, Check, Command, Migration, Pause, Precondition, Repeat, Retries, RetryOf, RunsAs,
    Scope, Script, Statement, Stop, Timeouts, TransactionRule, Unmet, VersionRows, Versions,
};
use super::super::condition::{Condition, ConditionKind, KnownCondition};
use super::super::crash::{Crash, Outcome, Step};
use super::super::expect::{Expect, FindingKind, Limits, Verdict};
use super::super::replica::Replica;
use super::super::size_axis::SizeAxis;
use super::super::state::{Accepted, Base, State};
use super::super::table::{AskedRows, Column, Generator, Table};
use super::super::tool::{Recognised, Tool};
use super::super::traffic::{
    Arrivals, Follow, Invariant, LedgerRule, On, OperationSpec, OperationStatement, Parameter,
    PlanLimit, Pool, Rate, Rows, Since, SqlPlace, Traffic,
};
use super::defaults;
use super::form::Stored;

macro_rules! record {
    ($name:ident of $part:ident { $($(#[$meta:meta])* $field:ident: $type:ty,)+ }) => {
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $($(#[$meta])* $field: <$type as Stored>::Form,)+
        }

        impl Stored for $part {
            type Form = $name;

            fn to_form(&self) -> $name {
                $name { $($field: self.$field.to_form(),)+ }
            }

            fn of_form(form: $name) -> $part {
                $part { $($field: Stored::of_form(form.$field),)+ }
            }
        }
    };
}

record!(StoredScript of Script {
    path: PathBuf,
    statements: Vec<Statement>,
});

record!(StoredStatement of Statement {
    text: String,
    line: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rows: Option<Arc<str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    file: Option<PathBuf>,
});

/// A scenario without indexes.
impl Default for StoredScript {
    fn default() -> StoredScript {
        Script::default().to_form()
    }
}

record!(StoredTable of Table {
    name: String,
    rows: u64,
    #[serde(default)]
    columns: Vec<Column>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    asked: Option<AskedRows>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    unfilled: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    fitted: Vec<String>,
});

record!(StoredAsked of AskedRows {
    rows: u64,
    why: Vec<String>,
});

record!(StoredColumn of Column {
    name: String,
    #[serde(default)]
    null_fraction: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    null_with: Option<String>,
    generator: Generator,
});

/// A number is a rate per second, which was all that there was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum StoredRate {
    PerS(f64),
    Share { capacity_share: f64 },
}

impl Stored for Rate {
    type Form = StoredRate;

    fn to_form(&self) -> StoredRate {
        match *self {
            Rate::PerS(per_s) => StoredRate::PerS(per_s),
            Rate::CapacityShare(capacity_share) => StoredRate::Share { capacity_share },
        }
    }

    fn of_form(form: StoredRate) -> Rate {
        match form {
            StoredRate::PerS(per_s) => Rate::PerS(per_s),
            StoredRate::Share { capacity_share } => Rate::CapacityShare(capacity_share),
        }
    }
}

record!(StoredTraffic of Traffic {
    #[serde(rename = "rate_per_s")]
    rate: Rate,
    #[serde(default = "defaults::arrivals")]
    arrivals: Arrivals,
    operations: Vec<OperationSpec>,
    #[serde(default = "defaults::baseline_ms")]
    baseline_ms: u64,
    #[serde(default = "defaults::recovery_min_ms")]
    recovery_min_ms: u64,
    #[serde(default = "defaults::recovery_max_ms")]
    recovery_max_ms: u64,
});

record!(StoredOperation of OperationSpec {
    name: String,
    weight: f64,
    statements: Vec<OperationStatement>,
    #[serde(default)]
    parameters: BTreeMap<String, Parameter>,
    #[serde(default)]
    ledger: Option<LedgerRule>,
    #[serde(default, skip_serializing_if = "On::is_primary")]
    on: On,
});

record!(StoredReplica of Replica {
    max_standby_streaming_delay_ms: u64,
    #[serde(default)]
    hot_standby_feedback: bool,
    #[serde(default = "defaults::yes")]
    slot: bool,
    connections: u32,
    #[serde(default)]
    place: Option<SqlPlace>,
});

record!(StoredSizeAxis of SizeAxis {
    #[serde(default)]
    tried: Vec<u64>,
    #[serde(default)]
    at: BTreeMap<String, u64>,
    #[serde(default)]
    expect: Vec<Verdict>,
});

record!(StoredOperationStatement of OperationStatement {
    sql: String,
    #[serde(default)]
    placeholders: Vec<String>,
    #[serde(default)]
    place: Option<SqlPlace>,
});

record!(StoredSqlPlace of SqlPlace {
    path: PathBuf,
    line: u32,
});

record!(StoredFollow of Follow {
    operation: String,
    parameter: String,
    after_ms: u64,
    otherwise: Generator,
});

record!(StoredPool of Pool {
    #[serde(default = "defaults::pool_size")]
    size: u32,
    #[serde(default = "defaults::pool_overflow")]
    overflow: u32,
    #[serde(default = "defaults::acquire_timeout_ms")]
    acquire_timeout_ms: u64,
    #[serde(default)]
    settings: BTreeMap<String, String>,
    #[serde(default)]
    role: Option<String>,
});

record!(StoredDisturbance of Disturbance {
    name: String,
    statements: Vec<String>,
    #[serde(default)]
    isolation: Option<String>,
    hold_ms: u64,
    #[serde(default)]
    at: Beside,
    #[serde(default)]
    after_ms: u64,
    #[serde(default)]
    until: Until,
    #[serde(default)]
    every_ms: Option<u64>,
    #[serde(default = "defaults::yes")]
    transaction: bool,
    #[serde(default = "defaults::one_session")]
    sessions: Sessions,
    #[serde(default)]
    role: Option<String>,
    #[serde(default)]
    database: Option<String>,
    #[serde(default)]
    in_place: Option<String>,
});

record!(StoredKnownCondition of KnownCondition {
    kind: ConditionKind,
    #[serde(default)]
    tables: Vec<String>,
    hold_ms: u64,
});

record!(StoredPooler of Pooler {
    mode: PoolMode,
    before: Before,
    #[serde(default)]
    pool_size: Option<u32>,
});

record!(StoredNetwork of Network {
    round_trip_ms: u64,
    #[serde(default)]
    cut_every_ms: Option<u64>,
});

record!(StoredCondition of Condition {
    name: String,
    #[serde(default)]
    known: Option<KnownCondition>,
    #[serde(default)]
    settings: BTreeMap<String, String>,
    #[serde(default)]
    disturbances: Vec<Disturbance>,
    #[serde(default)]
    pooler: Option<Pooler>,
    #[serde(default)]
    network: Option<Network>,
});

record!(StoredInvariant of Invariant {
    name: String,
    statement: OperationStatement,
    #[serde(default)]
    parameters: BTreeMap<String, Generator>,
    #[serde(default)]
    before: Option<OperationStatement>,
    #[serde(default = "defaults::rows")]
    rows: Rows,
    #[serde(default = "defaults::since")]
    since: Since,
    #[serde(default)]
    plan: Option<PlanLimit>,
});

record!(StoredPlanLimit of PlanLimit {
    #[serde(default)]
    absent: Vec<String>,
    #[serde(default)]
    rows_max: Option<u64>,
});

record!(StoredChange of Change {
    #[serde(default)]
    migrations: Vec<Migration>,
    #[serde(default)]
    tool: Option<Recognised>,
    #[serde(default)]
    command: Option<Command>,
    #[serde(default = "defaults::transaction")]
    transaction: TransactionRule,
    #[serde(default = "defaults::timeouts")]
    timeouts: Timeouts,
    #[serde(default = "defaults::retries")]
    retries: Retries,
    #[serde(default)]
    versions: Option<Versions>,
    #[serde(default = "defaults::deadline_ms")]
    deadline_ms: u64,
    #[serde(default)]
    stop: Option<Stop>,
    #[serde(default = "defaults::runners")]
    runners: u32,
    #[serde(default)]
    advisory_lock: Option<i64>,
    #[serde(default = "defaults::rerun_attempts")]
    rerun_attempts: u32,
    #[serde(default)]
    rerun: Option<bool>,
    #[serde(default)]
    other_databases: bool,
    /// What was run before there were roles ran as pgauntlet itself.
    #[serde(default = "defaults::runs_as")]
    runs_as: RunsAs,
});

record!(StoredRecognised of Recognised {
    tool: Tool,
    #[serde(default)]
    by: Option<String>,
});

record!(StoredMigration of Migration {
    version: String,
    script: Script,
    #[serde(default)]
    transaction: Option<bool>,
    #[serde(default)]
    repeat: Option<Repeat>,
    #[serde(default)]
    pauses: Vec<Pause>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    precondition: Option<Precondition>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    always: bool,
});

record!(StoredPrecondition of Precondition {
    checks: Vec<Check>,
    #[serde(default)]
    on_fail: Unmet,
    #[serde(default)]
    on_error: Unmet,
});

record!(StoredCheck of Check {
    sql: String,
    expected: String,
});

record!(StoredCommand of Command {
    line: String,
    #[serde(default)]
    requires: Vec<String>,
    directory: PathBuf,
    #[serde(default)]
    environment: BTreeMap<String, String>,
});

record!(StoredTimeouts of Timeouts {
    #[serde(default = "defaults::scope")]
    scope: Scope,
    #[serde(default)]
    lock_timeout_ms: Option<u64>,
    #[serde(default)]
    statement_timeout_ms: Option<u64>,
    #[serde(default)]
    idle_in_transaction_session_timeout_ms: Option<u64>,
    #[serde(default)]
    scale_with: Option<String>,
});

record!(StoredRetries of Retries {
    #[serde(default)]
    on_lock_timeout: u32,
    #[serde(default = "defaults::backoff_ms")]
    backoff_ms: u64,
    #[serde(default = "defaults::one")]
    factor: f64,
    #[serde(default = "defaults::backoff_ms_max")]
    backoff_ms_max: u64,
    #[serde(default)]
    jitter: f64,
    #[serde(default)]
    of: RetryOf,
    #[serde(default)]
    after_deadlock: bool,
});

record!(StoredVersions of Versions {
    #[serde(default = "defaults::versions_table")]
    table: String,
    #[serde(default = "defaults::versions_column")]
    column: String,
    #[serde(default = "defaults::version_rows")]
    rows: VersionRows,
    #[serde(default)]
    tool: Option<Tool>,
});

record!(StoredRepeat of Repeat {
    pause_ms: u64,
    limit: u32,
});

record!(StoredPause of Pause {
    after: u32,
    ms: u64,
});

record!(StoredStop of Stop {
    after_statements: u64,
    #[serde(default)]
    scale_with: Option<String>,
});

record!(StoredState of State {
    name: String,
    #[serde(default = "defaults::base")]
    from: Base,
    #[serde(default)]
    path: Option<Change>,
    #[serde(default)]
    rows: BTreeMap<String, u64>,
    #[serde(default)]
    accept: Vec<Accepted>,
    #[serde(default)]
    expect: Option<Expect>,
});

record!(StoredAccepted of Accepted {
    object: String,
    #[serde(default)]
    property: Option<String>,
});

record!(StoredMeant of Meant {
    #[serde(default)]
    rows: Option<String>,
    #[serde(default)]
    values: Option<String>,
    #[serde(default)]
    difference: Option<Accepted>,
    #[serde(default)]
    no_rows: bool,
});

record!(StoredAcceptance of Acceptance {
    #[serde(default)]
    kind: Option<FindingKind>,
    reason: String,
    #[serde(default)]
    until: Option<String>,
    #[serde(default)]
    file: String,
    #[serde(default)]
    line: u32,
    #[serde(default)]
    within: Option<String>,
    #[serde(default)]
    in_change: bool,
});

record!(StoredCrash of Crash {
    // Its name in format 4.
    #[serde(default = "defaults::fault_kinds", alias = "ways")]
    faults: Vec<FaultKind>,
    #[serde(default = "defaults::crash_rows")]
    rows: u64,
    #[serde(default)]
    state: Option<String>,
    #[serde(default = "defaults::yes")]
    traffic: bool,
    #[serde(default)]
    random: u32,
    #[serde(default)]
    steps: Vec<Step>,
    #[serde(default)]
    expect: Vec<Outcome>,
    #[serde(default)]
    may: Vec<Outcome>,
});

record!(StoredStep of Step {
    name: String,
    statements: Vec<String>,
});

record!(StoredLimits of Limits {
    #[serde(default = "defaults::stall_ms_max")]
    stall_ms_max: u64,
    #[serde(default)]
    acquire_timeouts_max: u64,
    #[serde(default)]
    failed_operations_max: u64,
    #[serde(default = "defaults::p99_ratio_max")]
    p99_ratio_max: f64,
    #[serde(default = "defaults::p99_ms_floor")]
    p99_ms_floor: u64,
    #[serde(default = "defaults::rerun_lock_ms_max")]
    rerun_lock_ms_max: u64,
    #[serde(default = "defaults::generator_lag_ms_max")]
    generator_lag_ms_max: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    replica_lag_ms_max: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    replica_lag_bytes_max: Option<u64>,
});

record!(StoredExpect of Expect {
    verdict: Vec<Verdict>,
    #[serde(default)]
    findings: Vec<FindingKind>,
    #[serde(default)]
    absent: Vec<FindingKind>,
});
