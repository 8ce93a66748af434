//! Checks the schedule and the pool.

use std::ops::RangeInclusive;

use toml::Spanned;

use super::super::problem::Source;
use super::super::traffic::{
    ACQUIRE_TIMEOUT_MS_DEFAULT, BASELINE_MS_DEFAULT, POOL_OVERFLOW_DEFAULT, POOL_SIZE_DEFAULT,
    RATE_PER_S_MAX, RATE_PER_S_MIN, RECOVERY_MAX_MS_DEFAULT, RECOVERY_MIN_MS_DEFAULT,
};
use super::super::wire;
use super::super::{Arrivals, Pool, Rate, Traffic};
use super::Checker;

/// Beyond 0.9 operations queue by themselves.
const CAPACITY_SHARES: RangeInclusive<f64> = 0.01..=0.9;
/// A p99 of fewer operations than a baseline of this length sends is a guess.
const BASELINE_MS_MIN: u64 = 500;
/// No phase takes longer than an hour.
pub(super) const PHASE_MS_MAX: u64 = 3_600_000;

/// Postgres starts with 100 connections; beyond this it is another kind of test.
pub(super) const POOL_MAX: u32 = 2_000;

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
}
