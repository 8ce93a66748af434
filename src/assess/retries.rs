//! What the rounds of a retry policy mean together: odds with an interval, and their price.

use std::collections::BTreeMap;

use crate::clock::Micros;
use crate::pg::SqlState;
use crate::result::{RetryOdds, RetryRound};
use crate::scenario::RetryPolicy;
use crate::stats::binomial_interval;

/// What was tried.
#[derive(Clone, Debug)]
pub struct RetriesTried {
    /// The scenario.
    pub scenario: String,
    /// The condition's name; empty: none.
    pub condition: String,
    /// Major of the server; empty: not known.
    pub server: String,
    /// The policy.
    pub policy: RetryPolicy,
    /// Rows per table.
    pub sizes: BTreeMap<String, u64>,
    /// Operations per second.
    pub rate_per_s: f64,
}

/// The odds of the policy, over its rounds.
pub fn retries(tried: RetriesTried, rounds: Vec<RetryRound>) -> RetryOdds {
    let RetriesTried { scenario, condition, server, policy, sizes, rate_per_s } = tried;
    let valid: Vec<&RetryRound> = rounds.iter().filter(|round| round.void.is_none()).collect();
    let count = |is: &dyn Fn(&RetryRound) -> bool| {
        u32::try_from(valid.iter().filter(|round| is(round)).count()).unwrap_or(u32::MAX)
    };
    let of = count(&|_| true);
    let through = count(&|round| round.through);
    let within = (1..=policy.attempts)
        .map(|attempts| count(&|round| round.through && round.attempts <= attempts))
        .collect();
    let (odds_low, odds_high) = binomial_interval(u64::from(through), u64::from(of));
    let total = |of: &dyn Fn(&RetryRound) -> u64| valid.iter().map(|round| of(round)).sum::<u64>();
    let per_round = |sum: u64| if of == 0 { 0.0 } else { sum as f64 / f64::from(of) };
    let (took, blocked) = (total(&|round| round.took_us.0), total(&|round| round.blocked_us.0));
    let mut times: Vec<Micros> = valid.iter().map(|round| round.took_us).collect();
    times.sort_unstable();
    RetryOdds {
        of,
        through,
        within,
        odds_low,
        odds_high,
        took_us: times.get(times.len() / 2).copied().unwrap_or_default(),
        blocked_share: if took == 0 { 0.0 } else { blocked as f64 / took as f64 },
        waited_per_round: per_round(total(&|round| round.waited)),
        longest_wait_us: valid.iter().map(|r| r.longest_wait_us).max().unwrap_or_default(),
        failed_per_round: per_round(total(&|round| round.failed)),
        deadlocked: count(&|round| round.errors.contains_key(SqlState::DEADLOCK_DETECTED)),
        locks_first: None,
        scenario,
        condition,
        server,
        policy,
        sizes,
        rate_per_s,
        rounds,
    }
}
