//! The scenario file as it is written: strict TOML, nothing resolved, nothing checked.
//!
//! An unknown key is an error here, because a misspelt limit that is silently ignored makes a
//! wrong verdict. Values carry their place in the file wherever a later check may complain. Which
//! names and numbers make sense is `check`'s business.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::value::SeqAccessDeserializer;
use serde::de::{Deserializer, SeqAccess, Visitor};
use toml::Spanned;

use crate::trial::FaultKind;

use super::background::{Beside, Until};
use super::between::{Before, PoolMode};
use super::condition::ConditionKind;
use super::project::{Budget, FailsOn, TrafficKind};
use super::{
    Arrivals, Base, FakeKind, FindingKind, On, Outcome, RetryOf, Rows, Scope, Since, Tool,
    TransactionRule, Verdict, VersionRows,
};

/// A scenario or a base: sections are the same, which of them may be where is checked later.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    pub analysis: Option<Spanned<String>>,
    pub rng_seed: Option<Spanned<u64>>,
    pub base: Option<Spanned<String>>,
    pub schema: Option<Spanned<Schema>>,
    pub table: Option<Spanned<Vec<Table>>>,
    pub server: Option<Spanned<Settings>>,
    pub replica: Option<Spanned<Replica>>,
    pub sizes: Option<Spanned<SizeAxis>>,
    pub traffic: Option<Spanned<Traffic>>,
    pub operation: Option<Spanned<Vec<Operation>>>,
    pub pool: Option<Spanned<Pool>>,
    pub change: Option<Spanned<Change>>,
    pub state: Option<Spanned<Vec<State>>>,
    pub crash: Option<Spanned<Crash>>,
    pub disturbance: Option<Spanned<Vec<Disturbance>>>,
    pub condition: Option<Spanned<Vec<Condition>>>,
    pub invariant: Option<Spanned<Vec<Invariant>>>,
    pub limits: Option<Spanned<Limits>>,
    pub accept: Option<Spanned<Vec<Spanned<Accept>>>>,
    pub expect: Option<Spanned<Expect>>,
}

/// Names in the file's order are not needed; a name and its value with their places are.
pub type Named<T> = BTreeMap<Spanned<String>, Spanned<T>>;
pub type Settings = Named<toml::Value>;

/// Something that is meant: exactly one of them is set.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accept {
    pub rows: Option<Spanned<String>>,
    pub values: Option<Spanned<String>>,
    pub difference: Option<Spanned<String>>,
    pub no_rows: Option<Spanned<bool>>,
    pub finding: Option<Spanned<FindingKind>>,
    pub reason: Option<Spanned<String>>,
    pub until: Option<Spanned<toml::Value>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schema {
    pub tables: Spanned<String>,
    pub indexes: Option<Spanned<String>>,
    pub whole: Option<Spanned<bool>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    pub name: Spanned<String>,
    pub rows: Spanned<u64>,
    pub asked: Option<Asked>,
    #[serde(default)]
    pub unfilled: Named<String>,
    #[serde(default)]
    pub fitted: Vec<String>,
    #[serde(default)]
    pub columns: Named<Value>,
}

/// Rows that were asked for where there are fewer.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    pub rows: Spanned<u64>,
    pub why: Spanned<Vec<String>>,
}

/// A generator of a column or parameter: exactly one of them is set.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Value {
    pub uuid: Option<Spanned<Empty>>,
    pub serial: Option<Spanned<Empty>>,
    pub integer: Option<Spanned<Vec<i64>>>,
    pub reference: Option<Spanned<Reference>>,
    pub timestamp: Option<Spanned<Timestamp>>,
    pub now: Option<Spanned<Empty>>,
    pub fake: Option<Spanned<FakeKind>>,
    pub unique: Option<Spanned<bool>>,
    pub distinct: Option<Spanned<u64>>,
    pub skew: Option<Spanned<f64>>,
    pub json: Option<Spanned<Json>>,
    pub choice: Option<Spanned<Choice>>,
    pub constant: Option<Spanned<toml::Value>>,
    pub pool: Option<Spanned<PoolColumn>>,
    pub pattern: Option<Spanned<String>>,
    pub decimal: Option<Spanned<Decimal>>,
    pub numbered: Option<Spanned<String>>,
    pub follow: Option<Spanned<Follow>>,
    pub null_fraction: Option<Spanned<f64>>,
    pub null_with: Option<Spanned<String>>,
}

/// `{}`: a generator that takes no options.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Empty {}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reference {
    pub table: Spanned<String>,
    pub column: Spanned<String>,
    pub hit_rate: Option<Spanned<f64>>,
    pub skew: Option<Spanned<f64>>,
    pub misses: Option<Spanned<u64>>,
    pub newest: Option<Spanned<f64>>,
    pub each: Option<Spanned<u64>>,
    pub earlier: Option<Spanned<bool>>,
    pub row: Option<Spanned<String>>,
    pub nulls: Option<Spanned<PoolColumn>>,
}

/// A column of a file of candidates.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PoolColumn {
    pub file: Spanned<String>,
    pub column: Spanned<String>,
    pub each: Option<Spanned<u64>>,
}

/// Numbers are texts where a float could not hold them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decimal {
    pub min: Spanned<toml::Value>,
    pub max: Spanned<toml::Value>,
    pub scale: Spanned<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Timestamp {
    pub from: Spanned<String>,
    pub to: Spanned<String>,
    pub hot_fraction: Option<Spanned<f64>>,
    pub hot_span_s: Option<Spanned<u64>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Json {
    pub bytes: Spanned<Vec<u32>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    pub values: Spanned<Vec<String>>,
    pub weights: Option<Spanned<Vec<f64>>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Follow {
    pub operation: Spanned<String>,
    pub param: Spanned<String>,
    pub after_ms: Spanned<u64>,
    pub otherwise: Box<Spanned<Value>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Traffic {
    pub rate_per_s: Option<Spanned<f64>>,
    pub capacity_share: Option<Spanned<f64>>,
    pub arrivals: Option<Spanned<Arrivals>>,
    pub baseline_ms: Option<Spanned<u64>>,
    pub recovery_min_ms: Option<Spanned<u64>>,
    pub recovery_max_ms: Option<Spanned<u64>>,
}

/// SQL is in one of three places: `sql`, `statements`, `file`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Operation {
    pub name: Spanned<String>,
    pub weight: Spanned<f64>,
    pub sql: Option<Spanned<String>>,
    pub statements: Option<Vec<Spanned<String>>>,
    pub file: Option<Spanned<String>>,
    #[serde(default)]
    pub params: Named<Value>,
    pub ledger: Option<Spanned<Ledger>>,
    pub on: Option<Spanned<On>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ledger {
    pub insert: Option<Spanned<LedgerInsert>>,
    pub update: Option<Spanned<LedgerUpdate>>,
    pub delete: Option<Spanned<LedgerDelete>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LedgerInsert {
    pub table: Spanned<String>,
    pub key: Spanned<String>,
    pub param: Option<Spanned<String>>,
    #[serde(default)]
    pub set: Named<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LedgerDelete {
    pub table: Spanned<String>,
    pub key: Spanned<String>,
    pub param: Spanned<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LedgerUpdate {
    pub table: Spanned<String>,
    pub key: Spanned<String>,
    pub param: Spanned<String>,
    pub set: Named<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pool {
    pub size: Option<Spanned<u32>>,
    pub overflow: Option<Spanned<u32>>,
    pub acquire_timeout_ms: Option<Spanned<u64>>,
    #[serde(default)]
    pub settings: Settings,
    pub role: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Replica {
    pub max_standby_streaming_delay_ms: Option<Spanned<u64>>,
    pub hot_standby_feedback: Option<Spanned<bool>>,
    pub slot: Option<Spanned<bool>>,
    pub connections: Option<Spanned<u32>>,
}

/// `[sizes]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SizeAxis {
    pub tried: Option<Spanned<Vec<Spanned<u64>>>>,
    pub at: Option<Spanned<Named<u64>>>,
    pub expect: Option<Spanned<OneOrMany<Verdict>>>,
}

/// `[change]`, or the path of a starting state.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    pub command: Option<Spanned<String>>,
    pub requires: Option<Spanned<Vec<Spanned<String>>>>,
    pub directory: Option<Spanned<String>>,
    pub environment: Option<Spanned<Named<String>>>,
    pub transaction: Option<Spanned<TransactionRule>>,
    pub deadline_s: Option<Spanned<u64>>,
    pub runners: Option<Spanned<u32>>,
    pub advisory_lock: Option<Spanned<i64>>,
    pub rerun_attempts: Option<Spanned<u32>>,
    pub rerun: Option<Spanned<bool>>,
    pub other_databases: Option<bool>,
    pub role: Option<Spanned<String>>,
    pub superuser: Option<Spanned<bool>>,
    pub timeouts: Option<Spanned<Timeouts>>,
    pub retries: Option<Spanned<Retries>>,
    pub versions: Option<Spanned<Versions>>,
    pub stop: Option<Spanned<Stop>>,
    pub migration: Option<Spanned<Vec<Migration>>>,
    pub migrations: Option<Spanned<String>>,
    pub tool: Option<Spanned<Tool>>,
    pub only: Option<Spanned<Vec<Spanned<String>>>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Timeouts {
    pub scope: Spanned<Scope>,
    pub lock_timeout_ms: Option<Spanned<u64>>,
    pub statement_timeout_ms: Option<Spanned<u64>>,
    pub idle_in_transaction_session_timeout_ms: Option<Spanned<u64>>,
    pub scale_with: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retries {
    pub policy: Option<Spanned<String>>,
    pub of: Option<RetryOf>,
    pub on_lock_timeout: Option<Spanned<u32>>,
    pub backoff_ms: Option<Spanned<u64>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Versions {
    pub table: Spanned<String>,
    pub column: Spanned<String>,
    pub rows: Spanned<VersionRows>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stop {
    pub after_statements: Spanned<u64>,
    pub scale_with: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Migration {
    pub version: Spanned<String>,
    pub file: Spanned<String>,
    pub transaction: Option<Spanned<bool>>,
    pub repeat: Option<Spanned<Repeat>>,
    #[serde(default)]
    pub pauses: Vec<Spanned<Pause>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Repeat {
    pub pause_ms: Spanned<u64>,
    pub limit: Spanned<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pause {
    pub after: Spanned<u32>,
    pub ms: Spanned<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    pub name: Spanned<String>,
    pub from: Option<Spanned<Base>>,
    pub path: Option<Spanned<Change>>,
    pub file: Option<Spanned<String>>,
    pub stop: Option<Spanned<Stop>>,
    pub rows: Option<Spanned<Named<u64>>>,
    pub accept: Option<Spanned<Vec<Spanned<String>>>>,
    pub expect: Option<Expect>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Crash {
    pub rows: Option<Spanned<u64>>,
    #[serde(alias = "ways")]
    pub faults: Option<Spanned<Vec<Spanned<FaultKind>>>>,
    pub state: Option<Spanned<String>>,
    pub traffic: Option<Spanned<bool>>,
    pub random: Option<Spanned<u32>>,
    #[serde(default)]
    pub step: Vec<Step>,
    #[serde(default)]
    pub expect: Vec<Spanned<Outcome>>,
    #[serde(default)]
    pub may: Vec<Spanned<Outcome>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    pub name: Spanned<String>,
    pub sql: Option<Spanned<String>>,
    pub statements: Option<Vec<Spanned<String>>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Disturbance {
    pub name: Spanned<String>,
    pub sql: Option<Spanned<String>>,
    pub statements: Option<Vec<Spanned<String>>>,
    pub isolation: Option<Spanned<String>>,
    pub hold_ms: Option<Spanned<u64>>,
    pub at: Option<Spanned<Beside>>,
    pub after_ms: Option<Spanned<u64>>,
    pub until: Option<Spanned<Until>>,
    pub every_ms: Option<Spanned<u64>>,
    pub transaction: Option<Spanned<bool>>,
    pub sessions: Option<Spanned<SessionCount>>,
    pub role: Option<Spanned<String>>,
    pub database: Option<Spanned<String>>,
    pub in_place: Option<Spanned<String>>,
}

/// A number, or `"all"`.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum SessionCount {
    Count(u32),
    Text(String),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    pub name: Spanned<String>,
    pub kind: Option<Spanned<ConditionKind>>,
    pub tables: Option<Spanned<Vec<Spanned<String>>>>,
    pub hold_ms: Option<Spanned<u64>>,
    #[serde(default)]
    pub settings: Settings,
    #[serde(default)]
    pub disturbance: Vec<Disturbance>,
    pub pooler: Option<Pooler>,
    pub network: Option<Network>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Network {
    pub round_trip_ms: Option<Spanned<u64>>,
    pub cut_every_ms: Option<Spanned<u64>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pooler {
    pub mode: Spanned<PoolMode>,
    pub before: Option<Spanned<Before>>,
    pub pool_size: Option<Spanned<u32>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Invariant {
    pub name: Spanned<String>,
    pub sql: Spanned<String>,
    pub before: Option<Spanned<String>>,
    #[serde(default)]
    pub params: Named<Value>,
    pub rows: Option<Spanned<Rows>>,
    pub since: Option<Spanned<Since>>,
    pub plan: Option<Spanned<PlanLimit>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanLimit {
    #[serde(default)]
    pub absent: Vec<Spanned<String>>,
    pub rows_max: Option<Spanned<u64>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    pub stall_ms_max: Option<Spanned<u64>>,
    pub acquire_timeouts_max: Option<Spanned<u64>>,
    pub failed_operations_max: Option<Spanned<u64>>,
    pub p99_ratio_max: Option<Spanned<f64>>,
    pub p99_ms_floor: Option<Spanned<u64>>,
    pub rerun_lock_ms_max: Option<Spanned<u64>>,
    pub generator_lag_ms_max: Option<Spanned<u64>>,
    pub replica_lag_ms_max: Option<Spanned<u64>>,
    pub replica_lag_bytes_max: Option<Spanned<u64>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    pub verdict: Spanned<OneOrMany<Verdict>>,
    #[serde(default)]
    pub findings: Vec<Spanned<FindingKind>>,
    #[serde(default)]
    pub absent: Vec<Spanned<FindingKind>>,
}

/// `"unsafe"` or `["unsafe", "safe"]`.
#[derive(Debug)]
pub struct OneOrMany<T>(pub Vec<T>);

// By hand, because an untagged enum answers every mistake with "did not match any variant".
impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<OneOrMany<T>, D::Error> {
        deserializer.deserialize_any(OneOrManyVisitor(PhantomData))
    }
}

struct OneOrManyVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for OneOrManyVisitor<T> {
    type Value = OneOrMany<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name or a list of names")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<OneOrMany<T>, E> {
        let name = serde::de::value::StrDeserializer::new(name);
        Ok(OneOrMany(vec![T::deserialize(name)?]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, names: A) -> Result<OneOrMany<T>, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(names)).map(OneOrMany)
    }
}

/// pgauntlet.toml.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProjectFile {
    pub tool: Option<Spanned<Tool>>,
    pub change: Option<Spanned<String>>,
    pub command: Option<Spanned<String>>,
    pub schema: Option<Spanned<String>>,
    pub base: Option<Spanned<String>>,
    pub role: Option<Spanned<String>>,
    pub superuser: Option<Spanned<bool>>,
    pub rows: Option<Named<u64>>,
    pub pool: Option<Spanned<Pool>>,
    pub limits: Option<Spanned<Limits>>,
    pub r#try: Option<Try>,
    #[serde(default)]
    pub accept: Vec<ProjectAccept>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Try {
    pub budget: Option<Budget>,
    pub conditions: Option<Spanned<Vec<Spanned<ConditionKind>>>>,
    pub fail_on: Option<FailsOn>,
    pub traffic: Option<TrafficKind>,
    pub rate: Option<Spanned<f64>>,
}

/// Of a project, what is accepted has a last day.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProjectAccept {
    pub finding: Spanned<FindingKind>,
    pub reason: Spanned<String>,
    pub until: Spanned<toml::Value>,
    pub change: Option<Spanned<String>>,
}
