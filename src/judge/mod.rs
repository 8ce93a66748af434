//! From a scenario and a history to a judgement: a pure function.
//!
//! Lock waits, stalls, blame and verdicts are derived here and nowhere else, so that a better
//! derivation applies to old histories as well. The judge never connects, never reads a clock and
//! never sees a file: what is not in the history is not known.

mod blame;
pub mod course;
pub mod crash;
mod measure;
mod own_locks;
mod pool;
mod rules;
mod sessions;
mod stalls;
mod timeline;
mod waits;

pub use waits::{Blocker, Cause, LockWait};

use crate::history::History;
use crate::result::{Expectation, FORMAT, Judgement};
use crate::scenario::{Expect, Scenario, Sizes, Verdict};

use timeline::Timeline;

/// Judges one trial.
pub fn judge(scenario: &Scenario, history: &History) -> Judgement {
    let timeline = Timeline::of(history);
    let waits = waits::lock_waits(&timeline);
    let stalls = stalls::stalls(&timeline, &waits);
    let pool = pool::pressure(scenario, &timeline, &stalls);
    let measured = measure::measure(scenario, &timeline, &waits, &stalls, &pool);
    let sessions = sessions::sessions(&timeline);
    let evidence = rules::Evidence {
        scenario,
        state: history.header.trial.key.state(),
        sizes: &Sizes(history.header.trial.sizes.clone()),
        timeline: &timeline,
        sessions: &sessions,
        waits: &waits,
        stalls: &stalls,
        pool: &pool,
        measured: &measured,
    };
    let mut findings = rules::findings(&evidence);
    // The worst first; within a verdict, in the order of the rules.
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.verdict));
    let verdict = findings.iter().map(|f| f.verdict).max().unwrap_or(Verdict::Safe);
    let reason = rules::reason(&evidence, verdict, &findings);
    let mut expectations = rules::expectations(expected(scenario, history), verdict, &findings);
    expectations.extend(rules::acceptances(&evidence));
    let mismatches = Expectation::mismatches(&expectations);
    Judgement {
        format: FORMAT,
        trial: history.header.trial.clone(),
        verdict,
        as_expected: mismatches.is_empty(),
        expectations,
        mismatches,
        reason,
        findings,
        took_us: timeline.end,
        measured,
    }
}

/// What is expected of the trial's starting state.
fn expected<'s>(scenario: &'s Scenario, history: &History) -> &'s Expect {
    let state = scenario.state(history.header.trial.key.state());
    state.and_then(|state| state.expect.as_ref()).unwrap_or(&scenario.expect)
}

/// The lock waits of every backend, in the order in which they began.
pub fn lock_waits(history: &History) -> Vec<LockWait> {
    waits::lock_waits(&Timeline::of(history))
}
