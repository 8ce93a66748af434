//! Whether the application was back to normal after the change: its outcomes and its latency.

use std::collections::BTreeMap;

use crate::clock::Micros;
use crate::history::{OperationOutcome, Phase};
use crate::result::evidence::FailureKind;
use crate::scenario::Scenario;

use super::outcomes::{failure, name};
use super::outside::Outside;
use super::trace::Trace;

/// What was due in this last stretch says whether operations still failed when the recovery ended.
const LAST: Micros = Micros::from_secs(1);
/// More than one in so many failed operations of it is a failure to recover.
const FAILED_SHARE: u64 = 100;

#[derive(Clone, Copy, Debug, Default)]
pub struct Recovery {
    /// From the end of the change to the first moment from which on latency and outcomes stayed
    /// as they were. None: they did not, within the time that they were given.
    pub took: Option<Micros>,
    /// When the last stretch began.
    pub last_from: Micros,
    /// Operations due in it, and those of them that failed as none did before the change.
    pub last_operations: u64,
    pub last_failed: u64,
}

impl Recovery {
    pub fn of(
        scenario: &Scenario,
        trace: &Trace<'_>,
        baseline_p99: Micros,
        (known, outside): (&BTreeMap<FailureKind, u64>, &Outside),
    ) -> Recovery {
        let Some((from, to)) = trace.phase(Phase::Recovery) else { return Recovery::default() };
        let limit = scenario.traffic.recovered_below(baseline_p99);
        let slow = trace.scheduled_in(Phase::Recovery).filter(|operation| {
            operation.latency() > limit || operation.outcome != OperationOutcome::Succeeded
        });
        let back = slow.map(|o| o.scheduled_us - from).max().unwrap_or_default();
        let mut recovery = Recovery { last_from: from.max(to - LAST), ..Recovery::default() };
        for operation in trace.scheduled_in(Phase::Recovery) {
            if operation.scheduled_us < recovery.last_from {
                continue;
            }
            recovery.last_operations += 1;
            let failed = failure(operation).map(|f| f.kind(name(scenario, operation)));
            let is_new = failed.is_some_and(|kind| !known.contains_key(&kind))
                && outside.ended(operation).is_none();
            recovery.last_failed += u64::from(is_new);
        }
        let went_on = trace.phase(Phase::Rerun).is_some();
        let fails = went_on && recovery.last_failed * FAILED_SHARE > recovery.last_operations;
        let given = Micros::from_millis(scenario.traffic.recovery_max_ms);
        recovery.took = (to - from < given && !fails).then_some(back);
        recovery
    }
}
