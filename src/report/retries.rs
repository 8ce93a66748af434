//! The odds of a retry policy, as text.

use crate::explain;
use crate::result::RetryOdds;
use crate::stats::grouped;

use super::text::{Text, Width};

/// What came of a policy under a condition.
pub fn retries(odds: &RetryOdds, width: Width) -> String {
    let mut out = Text::new(width);
    write_retries(&mut out, odds);
    out.into_string()
}

pub(super) fn write_retries(out: &mut Text, odds: &RetryOdds) {
    out.paragraph("RETRIES   ", &heading(odds));
    for sentence in explain::retries(odds) {
        out.paragraph("  ", &sentence);
    }
}

/// `orders-index, 3s x5 backoff 1s under backup, at 20,000 rows and 50 operations a second`.
pub(super) fn heading(odds: &RetryOdds) -> String {
    let under = match odds.condition.as_str() {
        "" => String::new(),
        condition => format!(" under {condition}"),
    };
    let rows = odds.sizes.values().max().copied().unwrap_or_default();
    let on = match odds.server.as_str() {
        "" => String::new(),
        major => format!(" on PostgreSQL {major}"),
    };
    format!(
        "{}, {}{under}{on}, at {} rows and {} operations a second",
        odds.scenario,
        odds.policy,
        grouped(rows),
        odds.rate_per_s
    )
}

/// Heads of the cells of [`row`].
pub(super) const HEAD: [&str; 9] = [
    "policy",
    "condition",
    "got through",
    "95 % interval",
    "within 1, 2, … attempts",
    "time",
    "blocked",
    "longest wait",
    "waited, failed",
];

/// Numbers of attempts of which it is shown how many rounds were through.
const WITHIN_SHOWN: usize = 5;

/// The odds as cells of a table; counts of operations are per round.
pub(super) fn row(odds: &RetryOdds) -> [String; 9] {
    let percent = |share: f64| format!("{:.0}", share * 100.0);
    let within: Vec<String> = odds.within.iter().take(WITHIN_SHOWN).map(u32::to_string).collect();
    let more = if odds.within.len() > WITHIN_SHOWN { ", …" } else { "" };
    let condition = match (odds.condition.as_str(), odds.server.as_str()) {
        (condition, "") => condition.to_owned(),
        ("", server) => format!("PostgreSQL {server}"),
        (condition, server) => format!("{condition}, PostgreSQL {server}"),
    };
    [
        format!("{}: {}", odds.scenario, odds.policy),
        condition,
        format!("{} of {}", odds.through, odds.of),
        format!("{}–{} %", percent(odds.odds_low), percent(odds.odds_high)),
        format!("{}{more}", within.join(", ")),
        odds.took_us.to_string(),
        format!("{} %", percent(odds.blocked_share)),
        odds.longest_wait_us.to_string(),
        format!("{:.1}, {:.1}", odds.waited_per_round, odds.failed_per_round),
    ]
}
