//! The timeline of a trial over its time axis: what a page draws.
//!
//! A judgement says what came of a trial; this says when. It is derived from the history like the
//! judgement is, in few enough steps for a page, however long the trial was.

mod graph;
mod parts;
mod spans;
mod steps;

pub use parts::{
    DisturbanceSpan, LockSpan, PhaseSpan, STEPS_MAX, StallSpan, StatementSpan, Timeline,
    TimelineStep, WaitEdge,
};

use crate::clock::Micros;
use crate::history::{History, Phase};
use crate::scenario::Scenario;
use crate::schema::{Difference, differences};

use super::logged::lock_waits;
use super::trace::Trace;
use super::{sessions, stalls};

/// Derives the timeline of a trial.
pub fn timeline(scenario: &Scenario, history: &History) -> Timeline {
    let trace = Trace::of_runners(history, scenario.change.runners);
    let (waits, _) = lock_waits(&trace);
    let sessions = sessions::sessions(&trace);
    let stalls = stalls::stalls(&trace, &waits, &sessions);
    let width_us = steps::width(trace.end);
    Timeline {
        end_us: trace.end,
        phases: phases(&trace),
        width_us,
        steps: steps::steps(&trace, width_us),
        statements: spans::statements(&trace),
        locks: spans::locks(&trace, &waits, &sessions),
        disturbances: spans::disturbances(&trace),
        stalls: stalls.iter().map(|s| graph::stall(scenario, &trace, s)).collect(),
        schema: schema(&trace),
    }
}

fn phases(trace: &Trace<'_>) -> Vec<PhaseSpan> {
    let phases = trace.phases();
    let span = |(index, (phase, from)): (usize, &(Phase, Micros))| {
        let to_us = phases.get(index + 1).map_or(trace.end, |(_, next)| *next);
        PhaseSpan { phase: *phase, from_us: *from, to_us }
    };
    phases.iter().enumerate().map(span).collect()
}

fn schema(trace: &Trace<'_>) -> Vec<Difference> {
    let (Some(before), Some(after)) = (trace.catalogue_before(), trace.catalogues.last()) else {
        return Vec::new();
    };
    differences(&before.objects, &after.objects)
}
