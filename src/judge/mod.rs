//! From a scenario and a history to what the trial shows: a pure function.
//!
//! Lock waits, stalls and blame are derived here and nowhere else, so that a better
//! derivation applies to old histories as well. The judge never connects, never reads a clock and
//! never sees a file: what is not in the history is not known.

mod blame;
mod causes;
mod concerned;
pub mod crash;
mod deadlock;
mod foreign_key;
mod held;
mod lapses;
mod logged;
mod measure;
mod observation;
mod outcomes;
mod outside;
mod overlaps;
mod own_locks;
mod phases;
mod pool;
mod recovery;
mod replica;
mod retries;
mod roles;
mod rules;
mod sessions;
mod stalls;
pub mod timeline;
mod trace;
mod waits;

pub use observation::{EndState, Observation};
pub use waits::{Blocker, Cause, LockWait};

use crate::history::{History, ShortTable};
use crate::result::{Evidence, Measured, RetryRound};
use crate::scenario::{Scenario, Sizes};

use trace::Trace;

/// What one trial shows. Its verdict is `assess`'s, which knows what it has to converge with.
pub fn observe(scenario: &Scenario, history: &History) -> Observation {
    let trace = Trace::of_runners(history, scenario.change.runners);
    let (waits, log) = logged::lock_waits(&trace);
    let sessions = sessions::sessions(&trace);
    let stalls = stalls::stalls(&trace, &waits, &sessions);
    let pool = pool::pressure(scenario, &trace, &stalls);
    let latency = measure::latency(&trace);
    let failed_before = outcomes::failed_before(scenario, &trace);
    let before_p99 = latency.before.p99_us;
    let outside = outside::Outside::of(&trace);
    let known = (&failed_before, &outside);
    let recovery = recovery::Recovery::of(scenario, &trace, before_p99, known);
    let measured = measure::measure(&trace, &waits, &stalls, &pool, (latency, &recovery));
    let measured = Measured { log: trace.log.is_some().then_some(log), ..measured };
    let evidence = rules::Evidence {
        scenario,
        state: history.header.trial.key.state(),
        sizes: &Sizes(history.header.trial.sizes.clone()),
        asked: &Sizes(history.header.trial.asked()),
        short: history.header.trial.short(),
        trace: &trace,
        sessions: &sessions,
        waits: &waits,
        causes: &causes::Causes::of(&trace, &waits),
        failed_before: &failed_before,
        stalls: &stalls,
        pool: &pool,
        recovery: &recovery,
        outside: &outside,
        lapses: &lapses::Lapses::of(scenario, &trace),
        measured: &measured,
        schema: rules::SchemaChange::of(&trace),
    };
    let findings = rules::findings(&evidence);
    Observation {
        trial: history.header.trial.clone(),
        margins: rules::margins(&evidence, &findings),
        findings,
        ending: rules::ending(&evidence),
        end: EndState::of(&evidence),
        recorded_reference: trace.reference.map(EndState::recorded),
        took_us: trace.end,
        measured,
    }
}

/// What one round of a retry policy shows. It does not count where part of what was to be measured
/// was not.
pub fn retry_round(scenario: &Scenario, history: &History) -> RetryRound {
    let observed = observe(scenario, history);
    let is_missing = |evidence: &Evidence| matches!(evidence, Evidence::MeasurementFailed(_));
    let mut findings = observed.findings.iter();
    let missing = findings.find(|finding| finding.evidence.as_ref().is_some_and(is_missing));
    let round = retries::round(scenario, history);
    let void = missing.map(|finding| finding.kind.as_str().to_owned());
    RetryRound { void: round.void.clone().or(void), ..round }
}

/// Which of these tables the change is about: those that it locks, changes, reads or writes, by
/// what was seen of it, its statements' texts and the catalogue. By qualified name. One may be here
/// that the change leaves alone; none that it reaches is left out.
pub fn concerned(history: &History, tables: &[String]) -> Vec<String> {
    let named = |table: &String| ShortTable { table: table.clone(), ..ShortTable::default() };
    let tables: Vec<ShortTable> = tables.iter().map(named).collect();
    let found = concerned::concerned(&Trace::of(history), &tables);
    found.into_iter().map(|table| table.table.clone()).collect()
}

/// The lock waits of every session, in the order in which they began.
pub fn lock_waits(history: &History) -> Vec<LockWait> {
    logged::lock_waits(&Trace::of(history)).0.into_all()
}
