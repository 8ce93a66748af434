//! Retry policies: a lock_timeout, and how often and after which pauses a change is tried again.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::pg::SqlState;

/// Most attempts of a policy.
const ATTEMPTS_MAX: u32 = 1_000;
/// Longest pause and lock_timeout: an hour.
pub const MS_MAX: u64 = 3_600_000;

/// How a change that gives up waiting for a lock is tried again, as a whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RetryPolicy {
    /// `lock_timeout` on the change's session, in milliseconds.
    pub lock_timeout_ms: u64,
    /// Most attempts, the first one included.
    pub attempts: u32,
    /// Pause before the second attempt, in milliseconds.
    pub pause_ms: u64,
    /// Each pause is so many times the one before it.
    pub factor: f64,
    /// Longest pause, in milliseconds.
    pub pause_ms_max: u64,
    /// Share of each pause, from 0 to 1, by which it is made shorter or longer at random.
    pub jitter: f64,
}

/// The text is no policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "read the retry policy {text:?}: {why}; right would be '3s x5 backoff 1s': a lock_timeout, \
     attempts, and the pause between them; also 'backoff 1s*2..30s jitter 20%'"
)]
pub struct PolicyError {
    text: String,
    why: String,
}

impl RetryPolicy {
    /// SQLSTATEs after which it tries again: the change gave up waiting, or died in a deadlock.
    pub const TRIED_AFTER: [&str; 2] = [SqlState::LOCK_NOT_AVAILABLE, SqlState::DEADLOCK_DETECTED];

    /// The pause before attempt `next`, counted from 0. `draw`: from -1 to 1, what chance makes of
    /// it.
    pub fn pause(&self, next: u32, draw: f64) -> Duration {
        let nth = i32::try_from(next.saturating_sub(1)).unwrap_or(i32::MAX);
        let grown = self.pause_ms as f64 * self.factor.powi(nth);
        let ms = grown.min(self.pause_ms_max as f64) * (1.0 + self.jitter * draw.clamp(-1.0, 1.0));
        Duration::from_secs_f64((ms / 1_000.0).max(0.0))
    }

    /// Longest time that its attempts and pauses take beside a session that never goes, where each
    /// attempt gives up at one lock.
    pub fn longest(&self) -> Duration {
        let waits = Duration::from_millis(self.lock_timeout_ms) * self.attempts;
        waits + (1..self.attempts).map(|next| self.pause(next, 1.0)).sum::<Duration>()
    }
}

impl FromStr for RetryPolicy {
    type Err = PolicyError;

    fn from_str(text: &str) -> Result<RetryPolicy, PolicyError> {
        let wrong = |why: String| PolicyError { text: text.to_owned(), why };
        let mut words = text.split_whitespace();
        let first = words.next().ok_or_else(|| wrong("it is empty".to_owned()))?;
        let lock_timeout_ms = milliseconds(first).map_err(wrong)?;
        if lock_timeout_ms == 0 {
            return Err(wrong("a lock_timeout of 0 is none at all".to_owned()));
        }
        let mut policy = RetryPolicy {
            lock_timeout_ms,
            attempts: 1,
            pause_ms: 0,
            factor: 1.0,
            pause_ms_max: MS_MAX,
            jitter: 0.0,
        };
        while let Some(word) = words.next() {
            let mut value = |what: &str| {
                words.next().ok_or_else(|| wrong(format!("`{what}` has nothing behind it")))
            };
            match word {
                "backoff" => policy.pauses(value("backoff")?).map_err(wrong)?,
                "jitter" => policy.jitter = share(value("jitter")?).map_err(wrong)?,
                _ => match word.strip_prefix('x') {
                    Some(count) => policy.attempts = attempts(count).map_err(wrong)?,
                    None => return Err(wrong(format!("`{word}` is none of its words"))),
                },
            }
        }
        Ok(policy)
    }
}

impl RetryPolicy {
    /// `1s`, `1s*2`, `1s*2..30s`.
    fn pauses(&mut self, text: &str) -> Result<(), String> {
        let (first, most) = match text.split_once("..") {
            Some((first, most)) => (first, Some(most)),
            None => (text, None),
        };
        let (pause, factor) = match first.split_once('*') {
            Some((pause, factor)) => (pause, Some(factor)),
            None => (first, None),
        };
        self.pause_ms = milliseconds(pause)?;
        if let Some(factor) = factor {
            let number = factor.parse().ok().filter(|factor| (1.0..=100.0).contains(factor));
            self.factor = number.ok_or_else(|| format!("`{factor}` is no factor from 1 to 100"))?;
        }
        if let Some(most) = most {
            self.pause_ms_max = milliseconds(most)?;
        }
        if self.pause_ms_max < self.pause_ms {
            return Err(format!("the longest pause is shorter than the first in `{text}`"));
        }
        Ok(())
    }
}

fn attempts(text: &str) -> Result<u32, String> {
    let count = text.parse().ok().filter(|count| (1..=ATTEMPTS_MAX).contains(count));
    count.ok_or_else(|| format!("`x{text}` is no number of attempts from 1 to {ATTEMPTS_MAX}"))
}

fn share(text: &str) -> Result<f64, String> {
    let percent = text.strip_suffix('%').and_then(|percent| percent.parse::<f64>().ok());
    let percent = percent.filter(|percent| (0.0..=100.0).contains(percent));
    percent.map(|percent| percent / 100.0).ok_or_else(|| format!("`{text}` is no share: 20%"))
}

/// `300ms`, `3s`, `1.5s`, `1min`.
fn milliseconds(text: &str) -> Result<u64, String> {
    let no_time = || format!("`{text}` is no time: 300ms, 3s, 1min");
    let digits = text.find(|c: char| c.is_ascii_alphabetic()).ok_or_else(no_time)?;
    let (number, unit) = text.split_at(digits);
    let number: f64 = number.parse().map_err(|_| no_time())?;
    let factor = match unit {
        "ms" => 1.0,
        "s" => 1_000.0,
        "min" => 60_000.0,
        _ => return Err(no_time()),
    };
    let ms = number * factor;
    if !(0.0..=MS_MAX as f64).contains(&ms) {
        return Err(format!("`{text}` is not from 0 to an hour"));
    }
    Ok(ms.round() as u64)
}

/// As it is read.
impl fmt::Display for RetryPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = format!("{} x{}", time(self.lock_timeout_ms), self.attempts);
        if self.attempts > 1 {
            text.push_str(&format!(" backoff {}", time(self.pause_ms)));
            if self.factor > 1.0 {
                text.push_str(&format!("*{}", self.factor));
            }
            if self.pause_ms_max < MS_MAX {
                text.push_str(&format!("..{}", time(self.pause_ms_max)));
            }
        }
        if self.jitter > 0.0 {
            text.push_str(&format!(" jitter {}%", self.jitter * 100.0));
        }
        f.pad(&text)
    }
}

fn time(ms: u64) -> String {
    match ms {
        ms if ms > 0 && ms.is_multiple_of(60_000) => format!("{}min", ms / 60_000),
        ms if ms > 0 && ms.is_multiple_of(100) && ms >= 1_000 => format!("{}s", ms as f64 / 1e3),
        ms => format!("{ms}ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> RetryPolicy {
        text.parse().unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn a_policy_reads_as_it_is_written() {
        for text in [
            "3s x5 backoff 1s",
            "300ms x1",
            "1.5s x10 backoff 500ms*2..30s jitter 20%",
            "100ms x50 backoff 0ms",
            "1min x3 backoff 2s*1.5",
        ] {
            assert_eq!(read(text).to_string(), text);
        }
    }

    #[test]
    fn pauses_grow_up_to_the_longest_one() {
        let policy = read("1s x6 backoff 1s*2..5s");
        let pauses: Vec<u64> = (1..6).map(|next| policy.pause(next, 0.0).as_secs()).collect();
        assert_eq!(pauses, [1, 2, 4, 5, 5]);
        assert_eq!(policy.longest().as_secs(), 6 + 17);
    }

    #[test]
    fn chance_moves_a_pause_by_its_share() {
        let policy = read("1s x2 backoff 1s jitter 20%");
        assert_eq!(policy.pause(1, 1.0).as_millis(), 1_200);
        assert_eq!(policy.pause(1, -1.0).as_millis(), 800);
    }

    #[test]
    fn what_is_no_policy_is_refused_with_the_word() {
        for (text, word) in [
            ("", "empty"),
            ("5", "`5` is no time"),
            ("3h", "`3h` is no time"),
            ("0s x5", "none at all"),
            ("3s x0", "`x0`"),
            ("3s xx", "`xx`"),
            ("3s 5", "`5` is none of its words"),
            ("3s x5 backoff", "`backoff` has nothing"),
            ("3s x5 backoff 1s*0.5", "`0.5` is no factor"),
            ("3s x5 backoff 5s..1s", "shorter than the first"),
            ("3s x5 jitter 20", "`20` is no share"),
            ("-3s", "`-3s` is not from 0"),
        ] {
            let error = text.parse::<RetryPolicy>().expect_err(text).to_string();
            assert!(error.contains(word), "{text}: {error}");
            assert!(error.contains("right would be '3s x5 backoff 1s'"), "{error}");
        }
    }
}
