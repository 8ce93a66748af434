//! What a key of a stored scenario means that is left out: the same as in a scenario file.

use crate::trial::FaultKind;

use super::super::background::Sessions;
use super::super::change::{
    BACKOFF_MS_DEFAULT, Change, DEADLINE_MS_DEFAULT, RERUN_ATTEMPTS_DEFAULT, Retries, RunsAs,
    Scope, Timeouts, TransactionRule, VersionRows, Versions,
};
use super::super::crash::CRASH_ROWS_DEFAULT;
use super::super::definition::RNG_SEED_DEFAULT;
use super::super::expect::Limits;
use super::super::state::Base;
use super::super::table::MISSES_DEFAULT;
use super::super::traffic::{
    ACQUIRE_TIMEOUT_MS_DEFAULT, Arrivals, BASELINE_MS_DEFAULT, POOL_OVERFLOW_DEFAULT,
    POOL_SIZE_DEFAULT, Pool, RECOVERY_MAX_MS_DEFAULT, RECOVERY_MIN_MS_DEFAULT, Rows, Since,
};
use super::form::Stored;

macro_rules! values {
    ($($name:ident: $type:ty = $value:expr;)+) => {
        $(pub fn $name() -> $type {
            $value
        })+
    };
}

values! {
    rng_seed: u64 = RNG_SEED_DEFAULT;
    arrivals: Arrivals = Arrivals::Poisson;
    baseline_ms: u64 = BASELINE_MS_DEFAULT;
    recovery_min_ms: u64 = RECOVERY_MIN_MS_DEFAULT;
    recovery_max_ms: u64 = RECOVERY_MAX_MS_DEFAULT;
    pool_size: u32 = POOL_SIZE_DEFAULT;
    pool_overflow: u32 = POOL_OVERFLOW_DEFAULT;
    acquire_timeout_ms: u64 = ACQUIRE_TIMEOUT_MS_DEFAULT;
    pool: <Pool as Stored>::Form = Pool::default().to_form();
    one: f64 = 1.0;
    misses: u64 = MISSES_DEFAULT;
    transaction: TransactionRule = TransactionRule::PerMigration;
    scope: Scope = Scope::Local;
    timeouts: <Timeouts as Stored>::Form = Timeouts::default().to_form();
    backoff_ms: u64 = BACKOFF_MS_DEFAULT;
    backoff_ms_max: u64 = Retries::default().backoff_ms_max;
    retries: <Retries as Stored>::Form = Retries::default().to_form();
    versions_table: String = Versions::default().table;
    versions_column: String = Versions::default().column;
    version_rows: VersionRows = VersionRows::Each;
    deadline_ms: u64 = DEADLINE_MS_DEFAULT;
    runners: u32 = Change::of(Vec::new()).runners;
    runs_as: RunsAs = RunsAs::Superuser;
    rerun_attempts: u32 = RERUN_ATTEMPTS_DEFAULT;
    base: Base = Base::Base;
    rows: Rows = Rows::Same;
    since: Since = Since::Start;
    crash_rows: u64 = CRASH_ROWS_DEFAULT;
    yes: bool = true;
    one_session: Sessions = Sessions::Count(1);
    fault_kinds: Vec<FaultKind> = FaultKind::ALL.to_vec();
    limits: <Limits as Stored>::Form = Limits::default().to_form();
    stall_ms_max: u64 = Limits::default().stall_ms_max;
    p99_ratio_max: f64 = Limits::default().p99_ratio_max;
    p99_ms_floor: u64 = Limits::default().p99_ms_floor;
    rerun_lock_ms_max: u64 = Limits::default().rerun_lock_ms_max;
    generator_lag_ms_max: u64 = Limits::default().generator_lag_ms_max;
}

/// A flag that is left out where it is not set.
pub fn is_false(flag: &bool) -> bool {
    !flag
}
