//! From a scenario and a history to what the trial shows: a pure function.
//!
//! Lock waits, stalls and blame are derived here and nowhere else, so that a better
//! derivation applies to old histories as well. The judge never connects, never reads a clock and
//! never sees a file: what is not in the history is not known.

mod blame;
pub mod course;
pub mod crash;
mod measure;
mod observation;
mod overlaps;
mod own_locks;
mod pool;
mod roles;
mod rules;
mod sessions;
mod stalls;
mod timeline;
mod waits;

pub use observation::{EndState, Observation};
pub use waits::{Blocker, Cause, LockWait};

use crate::history::History;
use crate::scenario::{Scenario, Sizes};

use timeline::Timeline;
use waits::LockWaits;

/// What one trial shows. Its verdict is `assess`'s, which knows what it has to converge with.
pub fn observe(scenario: &Scenario, history: &History) -> Observation {
    let timeline = Timeline::of(history);
    let waits = LockWaits::of(&timeline);
    let sessions = sessions::sessions(&timeline);
    let stalls = stalls::stalls(&timeline, &waits, &sessions);
    let pool = pool::pressure(scenario, &timeline, &stalls);
    let measured = measure::measure(scenario, &timeline, &waits, &stalls, &pool);
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
    Observation {
        trial: history.header.trial.clone(),
        findings: rules::findings(&evidence),
        ending: rules::ending(&evidence),
        end: EndState::of(&evidence),
        recorded_reference: timeline.reference.map(EndState::recorded),
        took_us: timeline.end,
        measured,
    }
}

/// The lock waits of every session, in the order in which they began.
pub fn lock_waits(history: &History) -> Vec<LockWait> {
    LockWaits::of(&Timeline::of(history)).into_all()
}
