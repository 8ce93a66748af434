//! What the odds of a retry policy are, in sentences.

use crate::result::RetryOdds;
use crate::scenario::RetryPolicy;
use crate::stats::{binomial_interval, grouped};

use super::words::deadlocked;

/// What came of the policy, as one sentence each: the odds, the price, what it cannot do.
pub fn retries(odds: &RetryOdds) -> Vec<String> {
    let mut said = Vec::new();
    let void = odds.rounds.len() as u64 - u64::from(odds.of);
    if odds.of == 0 {
        let why = odds.rounds.iter().find_map(|round| round.void.as_deref());
        return vec![format!(
            "nothing is known: part of the evidence of every round is missing ({})",
            why.unwrap_or("no round was run")
        )];
    }
    said.push(through(odds));
    said.push(format!(
        "it took {} (median), and for {} % of the time operations waited because of the change; \
         per round {} waited, up to {}, and {} failed",
        odds.took_us,
        percent(odds.blocked_share),
        number(odds.waited_per_round),
        odds.longest_wait_us,
        number(odds.failed_per_round),
    ));
    if odds.through == 0 {
        said.push(format!(
            "it did not get through once, and each attempt made the application wait for up to \
             {} ms",
            grouped(odds.policy.lock_timeout_ms)
        ));
    }
    if odds.deadlocked > 0 {
        said.extend(deadlocks(odds));
    }
    let others: u64 = odds.rounds.iter().map(|round| round.deadlocks_of_others).sum();
    if others > 0 {
        said.push(format!("{} transactions of others died in deadlocks", grouped(others)));
    }
    let other_errors = odds.rounds.iter().flat_map(|round| round.errors.keys());
    let mut other_errors: Vec<&String> =
        other_errors.filter(|state| !RetryPolicy::TRIED_AFTER.contains(&state.as_str())).collect();
    other_errors.sort_unstable();
    other_errors.dedup();
    if !other_errors.is_empty() {
        let states: Vec<&str> = other_errors.into_iter().map(String::as_str).collect();
        said.push(format!("attempts also failed with {}", states.join(", ")));
    }
    if void > 0 {
        said.push(format!("{void} more rounds do not count: part of their evidence is missing"));
    }
    said
}

/// How often, who, and whether taking all locks first is a cure.
fn deadlocks(odds: &RetryOdds) -> Vec<String> {
    let (low, high) = binomial_interval(u64::from(odds.deadlocked), u64::from(odds.of));
    let first = odds.rounds.iter().find_map(|round| round.deadlocks.first());
    let sides = first.map_or_else(String::new, |of| format!("; the first: {}", deadlocked(of)));
    let mut said = vec![format!(
        "the change died in a deadlock (40P01) in {} of {} rounds ({}–{} %, 95 % interval){sides}",
        odds.deadlocked,
        odds.of,
        percent(low),
        percent(high),
    )];
    said.extend(odds.locks_first.as_ref().map(|first| {
        format!(
            "with all its locks taken first ({}) it died in a deadlock in {} of {} rounds, and got \
             through in {}",
            first.statements.join("; "),
            first.deadlocked,
            first.of,
            first.through
        )
    }));
    said
}

fn through(odds: &RetryOdds) -> String {
    let mut text = format!(
        "got through {} times of {} within {} ({}–{} %, 95 % interval)",
        odds.through,
        odds.of,
        match odds.policy.attempts {
            1 => "one attempt".to_owned(),
            attempts => format!("{attempts} attempts"),
        },
        percent(odds.odds_low),
        percent(odds.odds_high),
    );
    if odds.policy.attempts > 1 && odds.through > 0 {
        // Where more attempts made a difference.
        let mut steps = Vec::new();
        let mut last = 0;
        for (attempts, through) in (1..).zip(&odds.within) {
            if *through > last {
                steps.push(format!("{through} within {attempts}"));
                last = *through;
            }
        }
        text.push_str(&format!(": {}", steps.join(", ")));
    }
    text
}

fn percent(share: f64) -> String {
    format!("{:.0}", share * 100.0)
}

fn number(value: f64) -> String {
    match value {
        0.0 => "none".to_owned(),
        value if value < 10.0 => format!("{value:.1}"),
        value => grouped(value.round() as u64),
    }
}
