//! Checks the schedule, the pool, and what goes on beside them: disturbances.

use std::ops::RangeInclusive;

use toml::Spanned;

use crate::pg::facts::facts;
use crate::pg::syntax::Kind;

use super::super::problem::{Source, known_names};
use super::super::sql::Sql;
use super::super::traffic::{
    ACQUIRE_TIMEOUT_MS_DEFAULT, BASELINE_MS_DEFAULT, POOL_OVERFLOW_DEFAULT, POOL_SIZE_DEFAULT,
    RATE_PER_S_MAX, RATE_PER_S_MIN, RECOVERY_MAX_MS_DEFAULT, RECOVERY_MIN_MS_DEFAULT,
};
use super::super::wire;
use super::super::{Arrivals, Condition, Disturbance, Pool, Rate, Traffic};
use super::sql::IN_ONE_TRANSACTION;
use super::{Checker, is_kebab_case};

/// Beyond 0.9 operations queue by themselves.
const CAPACITY_SHARES: RangeInclusive<f64> = 0.01..=0.9;
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
        let rate = self.rate(source, section);
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
        Some(Traffic { rate, arrivals, operations, baseline_ms, recovery_min_ms, recovery_max_ms })
    }

    fn rate(&mut self, source: &Source, section: &Spanned<wire::Traffic>) -> Rate {
        let traffic = section.get_ref();
        match (&traffic.rate_per_s, &traffic.capacity_share) {
            (Some(per_s), None) => {
                let rate = *per_s.get_ref();
                if !(RATE_PER_S_MIN..=RATE_PER_S_MAX).contains(&rate) {
                    let message = format!("`rate_per_s` = {rate} is a rate that cannot be kept");
                    let remedy =
                        format!("right would be {RATE_PER_S_MIN} to {RATE_PER_S_MAX} per second");
                    self.push_with(source, per_s, message, remedy);
                }
                Rate::PerS(rate)
            }
            (None, Some(share)) => {
                let part = *share.get_ref();
                if !CAPACITY_SHARES.contains(&part) {
                    let message = format!("`capacity_share` = {part} leaves no healthy baseline");
                    let (least, most) = (CAPACITY_SHARES.start(), CAPACITY_SHARES.end());
                    let remedy = format!(
                        "right would be {least} to {most}: a share of the operations that the idle \
                         server carries"
                    );
                    self.push_with(source, share, message, remedy);
                }
                Rate::CapacityShare(part)
            }
            (Some(_), Some(share)) => {
                let message = "`capacity_share` beside `rate_per_s`: two rates".to_owned();
                self.push_with(source, share, message, "keep one of them".to_owned());
                Rate::PerS(RATE_PER_S_MIN)
            }
            (None, None) => {
                let message = "[traffic] has no rate".to_owned();
                let remedy = "write `rate_per_s = 100` or `capacity_share = 0.3`".to_owned();
                self.push_with(source, section, message, remedy);
                Rate::PerS(RATE_PER_S_MIN)
            }
        }
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

    pub(super) fn conditions(&mut self) -> Vec<Condition> {
        let section = self.files.section(|file| file.condition.as_ref());
        let Some((source, section)) = section else { return Vec::new() };
        let mut seen = Vec::new();
        let mut checked = Vec::new();
        for condition in section.get_ref() {
            self.unique_name(source, &condition.name, &mut seen);
            if !is_kebab_case(condition.name.get_ref()) {
                let message = format!("`{}` is not in kebab-case", condition.name.get_ref());
                let remedy = "a directory is named by it: lower-case words joined by hyphens";
                self.push_with(source, &condition.name, message, remedy);
            }
            let mut names = Vec::new();
            let mut disturbances = Vec::new();
            for disturbance in &condition.disturbance {
                self.unique_name(source, &disturbance.name, &mut names);
                disturbances.push(self.disturbance(source, disturbance));
            }
            checked.push(Condition { name: condition.name.get_ref().clone(), disturbances });
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
