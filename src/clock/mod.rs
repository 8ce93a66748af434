//! One monotonic clock for a trial: every recorded time is microseconds since the trial began.
//!
//! A history that mixed wall clocks and monotonic clocks could not be ordered. This module must
//! not know what is being timed.

use std::fmt;
use std::ops::{Add, AddAssign, Sub};
use std::time::{Duration, Instant};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A point on the trial's time axis, or a length of time, in microseconds.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(transparent)]
pub struct Micros(pub u64);

impl Micros {
    /// The clock's origin, or no time at all.
    pub const ZERO: Micros = Micros(0);

    /// Converts milliseconds.
    pub const fn from_millis(ms: u64) -> Micros {
        Micros(ms.saturating_mul(1_000))
    }

    /// Converts seconds.
    pub const fn from_secs(s: u64) -> Micros {
        Micros(s.saturating_mul(1_000_000))
    }

    /// Converts seconds; negative ones and NaN become zero.
    pub fn from_secs_f64(s: f64) -> Micros {
        Micros((s.max(0.0) * 1e6) as u64)
    }

    /// The same time in seconds.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// The same time in milliseconds.
    pub fn as_millis_f64(self) -> f64 {
        self.0 as f64 / 1e3
    }

    /// The difference, or zero where `other` is the longer time.
    pub fn saturating_sub(self, other: Micros) -> Micros {
        Micros(self.0.saturating_sub(other.0))
    }

    /// The same time as the standard library's type.
    pub fn duration(self) -> Duration {
        Duration::from_micros(self.0)
    }
}

impl From<Duration> for Micros {
    fn from(d: Duration) -> Micros {
        Micros(u64::try_from(d.as_micros()).unwrap_or(u64::MAX))
    }
}

impl Add for Micros {
    type Output = Micros;
    fn add(self, other: Micros) -> Micros {
        Micros(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Micros {
    fn add_assign(&mut self, other: Micros) {
        *self = *self + other;
    }
}

/// Saturates at zero: two clocks' readings may arrive out of order by some microseconds.
impl Sub for Micros {
    type Output = Micros;
    fn sub(self, other: Micros) -> Micros {
        self.saturating_sub(other)
    }
}

/// For people: `0.4 ms`, `12 ms`, `3.21 s`, `2 min 05 s`.
impl fmt::Display for Micros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self.0 {
            0 => "0 ms".to_owned(),
            us if us < 10_000 => format!("{:.1} ms", us as f64 / 1e3),
            us if us < 1_000_000 => format!("{} ms", us / 1_000),
            us if us < 100_000_000 => format!("{:.2} s", us as f64 / 1e6),
            us => format!("{} min {:02} s", us / 60_000_000, us / 1_000_000 % 60),
        };
        f.pad(&text)
    }
}

/// The trial's clock. Copies share one origin.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    origin: Instant,
}

impl Clock {
    /// Starts a time axis: now is zero.
    pub fn start() -> Clock {
        Clock { origin: Instant::now() }
    }

    /// Microseconds since the clock's origin, by the monotonic clock.
    pub fn now(&self) -> Micros {
        Micros::from(self.origin.elapsed())
    }

    /// The instant at which this clock will read, or has read, `at`.
    pub fn instant(&self, at: Micros) -> Instant {
        self.origin + at.duration()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_of_time_is_told_in_the_unit_that_suits_it() {
        let text: Vec<String> = [0, 400, 12_345, 3_210_000, 125_000_000]
            .into_iter()
            .map(|us| Micros(us).to_string())
            .collect();
        assert_eq!(text, ["0 ms", "0.4 ms", "12 ms", "3.21 s", "2 min 05 s"]);
    }

    #[test]
    fn a_difference_of_readings_never_wraps() {
        assert_eq!(Micros(3) - Micros(5), Micros::ZERO);
    }
}
