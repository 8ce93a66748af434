//! Checks the schedule, the pool, and what goes on beside them: disturbances.

use crate::pg::facts::facts;
use crate::pg::syntax::Kind;

use super::super::problem::{Source, known_names};
use super::super::sql::Sql;
use super::super::traffic::{
    ACQUIRE_TIMEOUT_MS_DEFAULT, BASELINE_MS_DEFAULT, POOL_OVERFLOW_DEFAULT, POOL_SIZE_DEFAULT,
    RECOVERY_MAX_MS_DEFAULT, RECOVERY_MIN_MS_DEFAULT,
};
use super::super::wire;
use super::super::{Arrivals, Disturbance, Pool, Traffic};
use super::Checker;
use super::sql::IN_ONE_TRANSACTION;

/// More than our load generator kept on two cores that it shared with the server.
const RATE_PER_S_MAX: f64 = 20_000.0;
const RATE_PER_S_MIN: f64 = 0.1;
/// A p99 of fewer operations than a baseline of this length sends is a guess.
const BASELINE_MS_MIN: u64 = 500;
/// No phase takes longer than an hour.
const PHASE_MS_MAX: u64 = 3_600_000;

/// Postgres starts with 100 connections; beyond this it is another kind of test.
const POOL_MAX: u32 = 2_000;

/// Of a reader, whose file names none: it holds a snapshot, for which a build of an index waits.
const READERS_ISOLATION: &str = "REPEATABLE READ";
const ISOLATION_LEVELS: [&str; 3] = ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"];

impl Checker<'_> {
    pub(super) fn traffic(&mut self) -> Option<Traffic> {
        let operations = self.operations();
        let Some((source, section)) = self.files.section(|file| file.traffic.as_ref()) else {
            self.missing_section("[traffic]");
            return None;
        };
        let traffic = section.get_ref();
        let rate_per_s = *traffic.rate_per_s.get_ref();
        if !(RATE_PER_S_MIN..=RATE_PER_S_MAX).contains(&rate_per_s) {
            let message = format!("`rate_per_s` = {rate_per_s} is a rate that cannot be kept");
            let remedy = format!("right would be {RATE_PER_S_MIN} to {RATE_PER_S_MAX} per second");
            self.push_with(source, &traffic.rate_per_s, message, remedy);
        }
        let baseline_ms = match &traffic.baseline_ms {
            Some(ms) => self.within(source, "baseline_ms", ms, BASELINE_MS_MIN..=PHASE_MS_MAX),
            None => BASELINE_MS_DEFAULT,
        };
        let recovery_max_ms = match &traffic.recovery_max_ms {
            Some(ms) => self.within(source, "recovery_max_ms", ms, 0..=PHASE_MS_MAX),
            None => RECOVERY_MAX_MS_DEFAULT,
        };
        let recovery_min_ms = match &traffic.recovery_min_ms {
            Some(ms) => self.within(source, "recovery_min_ms", ms, 0..=recovery_max_ms),
            None => RECOVERY_MIN_MS_DEFAULT.min(recovery_max_ms),
        };
        let arrivals = traffic.arrivals.as_ref().map_or(Arrivals::Poisson, |a| *a.get_ref());
        Some(Traffic {
            rate_per_s,
            arrivals,
            operations,
            baseline_ms,
            recovery_min_ms,
            recovery_max_ms,
        })
    }

    pub(super) fn pool(&mut self) -> Pool {
        let Some((source, section)) = self.files.section(|file| file.pool.as_ref()) else {
            return Pool::default();
        };
        let pool = section.get_ref();
        let size = match &pool.size {
            Some(size) => self.within(source, "size", size, 1..=POOL_MAX),
            None => POOL_SIZE_DEFAULT,
        };
        let overflow = match &pool.overflow {
            Some(overflow) => self.within(source, "overflow", overflow, 0..=POOL_MAX),
            None => POOL_OVERFLOW_DEFAULT,
        };
        let acquire_timeout_ms = match &pool.acquire_timeout_ms {
            Some(ms) => self.within(source, "acquire_timeout_ms", ms, 1..=PHASE_MS_MAX),
            None => ACQUIRE_TIMEOUT_MS_DEFAULT,
        };
        let settings = self.settings(source, &pool.settings);
        let role = pool.role.as_ref().and_then(|role| self.role(source, role));
        Pool { size, overflow, acquire_timeout_ms, settings, role }
    }

    pub(super) fn disturbances(&mut self) -> Vec<Disturbance> {
        let section = self.files.section(|file| file.disturbance.as_ref());
        let Some((source, section)) = section else { return Vec::new() };
        let mut seen = Vec::new();
        let mut checked = Vec::new();
        for disturbance in section.get_ref() {
            self.unique_name(source, &disturbance.name, &mut seen);
            checked.push(self.disturbance(source, disturbance));
        }
        checked
    }

    fn disturbance(&mut self, source: &Source, disturbance: &wire::Disturbance) -> Disturbance {
        let mut statements = Vec::new();
        if disturbance.sql.is_some() == disturbance.statements.is_some() {
            let name = disturbance.name.get_ref();
            let message = format!("disturbance `{name}` needs its SQL in exactly one place");
            let remedy = "right would be one of `sql` and `statements`";
            self.push_with(source, &disturbance.name, message, remedy);
        }
        for sql in disturbance.sql.iter().chain(disturbance.statements.iter().flatten()) {
            let sql = Sql::inline(source, sql);
            statements.extend(self.plain_statements(&sql, IN_ONE_TRANSACTION));
        }
        let asked = disturbance.isolation.as_ref().map(|level| {
            let text = level.get_ref().to_uppercase();
            if !ISOLATION_LEVELS.contains(&text.as_str()) {
                let message = format!("`{}` is no isolation level", level.get_ref());
                let remedy = known_names(&text, "levels", ISOLATION_LEVELS);
                self.push_with(source, level, message, remedy);
            }
            text
        });
        let reader = || reads(&statements).then(|| READERS_ISOLATION.to_owned());
        let isolation = asked.or_else(reader);
        let hold_ms = self.within(source, "hold_ms", &disturbance.hold_ms, 0..=PHASE_MS_MAX);
        let name = disturbance.name.get_ref().clone();
        Disturbance { name, statements, isolation, hold_ms }
    }
}

/// Whether it does nothing but read tables.
fn reads(statements: &[String]) -> bool {
    let a_read = |sql: &String| {
        let facts = facts(sql);
        *facts.kind() == Kind::Select && facts.locks().next().is_some()
    };
    !statements.is_empty() && statements.iter().all(a_read)
}
