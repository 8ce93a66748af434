//! The rules: each looks at the evidence and gives findings, or none.
//!
//! A new rule is a function here or in a sibling file, called from `findings`, with its kind in
//! `scenario::FindingKind`. What a finding amounts to alone is its verdict; the worst one wins.

mod change;
mod command;
mod ending;
mod evidence;
mod plans;
mod reads;
mod rerun;
mod runners;
mod sessions;
mod state;
mod timeouts;
mod traffic;
mod written;

use crate::clock::Micros;
use crate::history::{Attempt, Phase, Source};
use crate::pg::purpose::{Purpose, TOOLS_TABLES};
use crate::result::evidence::Application;
use crate::result::{Finding, Measured, StatementRef};
use crate::scenario::{Ground, Scenario, Sizes};

use super::blame::statement_ref;
use super::pool::Pressure;
use super::sessions::Session;
use super::stalls::Stall;
use super::trace::{AttemptRecord, StatementRecord, Trace};
use super::waits::LockWaits;

pub use ending::ending;

/// All that a rule may look at.
pub struct Evidence<'e, 'h> {
    pub scenario: &'e Scenario,
    /// Name of the starting state.
    pub state: &'e str,
    /// Rows per table of this trial.
    pub sizes: &'e Sizes,
    pub trace: &'e Trace<'h>,
    pub sessions: &'e [Session<'e, 'h>],
    pub waits: &'e LockWaits,
    pub stalls: &'e [Stall<'h>],
    pub pool: &'e Pressure,
    pub measured: &'e Measured,
}

impl Evidence<'_, '_> {
    fn stall_limit(&self) -> Micros {
        Micros::from_millis(self.scenario.limits.stall_ms_max)
    }

    /// Whether the starting state is a database without tables, on which no application runs.
    fn begins_empty(&self) -> bool {
        let state = self.scenario.state(self.state);
        state.is_some_and(|state| state.from == Ground::Empty)
    }

    /// Which application of the change it was.
    fn application(&self, attempt: Attempt) -> Application {
        Application { attempt, runners: self.scenario.change.runners.max(1) }
    }

    /// The statement, as findings refer to it.
    fn refer(&self, record: &StatementRecord<'_>) -> StatementRef {
        statement_ref(record, self.trace.end)
    }

    fn change_began(&self) -> Micros {
        self.trace.phase(Phase::Change).map_or(Micros::ZERO, |(from, _)| from)
    }

    /// Whether the change is applied by a tool of its own rather than by the built-in runner.
    fn is_command(&self) -> bool {
        self.scenario.change.command.is_some()
            || self.trace.attempts.iter().any(|a| a.command.is_some())
    }

    /// Whether no attempt got as far as a statement that works, or tries to: nothing is known of a
    /// change that was never tried.
    fn is_untried(&self) -> bool {
        !self.trace.attempts.iter().any(|a| self.tries(a))
    }

    /// Of a command, only what works counts; the rest is the tool reading the catalogue.
    fn tries(&self, attempt: &AttemptRecord<'_>) -> bool {
        attempt.statements.iter().any(|s| match s.began.source {
            Source::File { .. } => true,
            Source::Runner => false,
            Source::Command => {
                let works = s.changed_something() || !s.succeeded();
                s.purpose() == Purpose::Work && works && !self.is_bookkeeping(s)
            }
        })
    }

    /// Whether the statement writes the table in which the tool remembers what is applied.
    fn is_bookkeeping(&self, record: &StatementRecord<'_>) -> bool {
        let about = || record.facts().is_about(&self.version_tables());
        *record.known.bookkeeping.get_or_init(about)
    }

    /// The declared one; of a command that declares none, what tools use by default.
    fn version_tables(&self) -> Vec<&str> {
        match &self.scenario.change.versions {
            Some(versions) => vec![&versions.table],
            None => TOOLS_TABLES.to_vec(),
        }
    }

    /// The first attempt that came to its end.
    pub fn first_success(&self) -> Option<Attempt> {
        self.trace.attempts.iter().find(|a| a.finished()).map(|a| a.attempt)
    }
}

pub fn findings(evidence: &Evidence<'_, '_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(traffic::stalls(evidence));
    findings.extend(traffic::pool_exhaustion(evidence));
    findings.extend(traffic::acquire_timeouts(evidence));
    findings.extend(traffic::failed_operations(evidence));
    findings.extend(traffic::latency(evidence));
    findings.extend(traffic::not_recovered(evidence));
    findings.extend(change::aborts(evidence));
    findings.extend(change::timeout_covers_block(evidence));
    findings.extend(change::reruns(evidence));
    findings.extend(rerun::wrote(evidence));
    findings.extend(rerun::lock(evidence));
    findings.extend(command::error_swallowed(evidence));
    findings.extend(sessions::open_transaction(evidence));
    findings.extend(state::debris(evidence));
    findings.extend(runners::runners(evidence));
    findings.extend(state::writes(evidence));
    findings.extend(reads::reads(evidence));
    findings.extend(plans::plans(evidence));
    findings.extend(evidence::gaps(evidence));
    // What informs and decides nothing.
    findings.extend(sessions::statements_under_lock(evidence));
    findings.extend(sessions::one_transaction(evidence));
    findings.extend(sessions::one_message(evidence));
    findings.extend(timeouts::none_in_force(evidence));
    findings.extend(timeouts::not_in_force(evidence));
    findings
}
