//! What the rules look at, and what several of them ask of it.

use std::collections::BTreeMap;

use crate::clock::Micros;
use crate::history::{Attempt, Phase, ServerError, SessionId, ShortTable, Source};
use crate::pg::purpose::{BESIDE_VERSIONS, Purpose, TOOLS_TABLES};
use crate::result::evidence::{Application, Deadlock, FailureKind};
use crate::result::{Measured, StatementRef};
use crate::scenario::{Base, Scenario, Sizes};
use crate::schema::{Difference, Objects, differences};

use super::super::blame::statement_ref;
use super::super::causes::Causes;
use super::super::deadlock::deadlock;
use super::super::lapses::Lapses;
use super::super::outside::Outside;
use super::super::pool::Pressure;
use super::super::recovery::Recovery;
use super::super::sessions::Session;
use super::super::stalls::Stall;
use super::super::trace::{AttemptRecord, StatementRecord, Trace};
use super::super::waits::LockWaits;

/// All that a rule may look at.
pub struct Evidence<'e, 'h> {
    pub scenario: &'e Scenario,
    /// Name of the starting state.
    pub state: &'e str,
    /// Rows per table of this trial, as many as are there.
    pub sizes: &'e Sizes,
    /// As many as were asked for.
    pub asked: &'e Sizes,
    /// Tables that have fewer.
    pub short: &'e [ShortTable],
    pub trace: &'e Trace<'h>,
    pub sessions: &'e [Session<'e, 'h>],
    pub waits: &'e LockWaits,
    /// For what operations waited.
    pub causes: &'e Causes<'e, 'h>,
    /// Kinds of failures before the change began, and how many of each.
    pub failed_before: &'e BTreeMap<FailureKind, u64>,
    pub stalls: &'e [Stall<'h>],
    pub pool: &'e Pressure,
    pub recovery: &'e Recovery,
    pub lapses: &'e Lapses,
    pub outside: &'e Outside,
    pub measured: &'e Measured,
    /// What the catalogue is after the last attempt; None: one of the two was not read.
    pub schema: Option<SchemaChange<'h>>,
}

/// The catalogue before the change and at its end.
pub struct SchemaChange<'h> {
    pub before: &'h Objects,
    pub after: &'h Objects,
    pub differences: Vec<Difference>,
}

impl<'h> SchemaChange<'h> {
    pub fn of(trace: &Trace<'h>) -> Option<SchemaChange<'h>> {
        let (before, after) = trace.catalogue_before().zip(trace.catalogues.last().copied())?;
        let (before, after) = (&before.objects, &after.objects);
        Some(SchemaChange { before, after, differences: differences(before, after) })
    }
}

impl Evidence<'_, '_> {
    pub(super) fn stall_limit(&self) -> Micros {
        Micros::from_millis(self.scenario.limits.stall_ms_max)
    }

    /// Whether `[[accept]]` says that an object may differ in this property.
    pub(super) fn means(&self, object: &str, property: &str) -> bool {
        let mut meant = self.scenario.accept.iter().filter_map(|one| one.difference.as_ref());
        meant.any(|difference| difference.covers(object, property))
    }

    /// Whether the starting state is a database without tables, on which no application runs.
    pub(super) fn begins_empty(&self) -> bool {
        let state = self.scenario.state(self.state);
        state.is_some_and(|state| state.from == Base::Empty)
    }

    /// The sides of the deadlock of which the error tells, if it tells of one.
    pub(super) fn deadlock(
        &self,
        error: &ServerError,
        victim: Option<&SessionId>,
        at: Micros,
    ) -> Option<Deadlock> {
        deadlock(self.scenario, self.trace, error, victim, at)
    }

    /// Which application of the change it was.
    pub(super) fn application(&self, attempt: Attempt) -> Application {
        self.trace.application(attempt)
    }

    /// The statement, as findings refer to it.
    pub(super) fn refer(&self, record: &StatementRecord<'_>) -> StatementRef {
        statement_ref(record, self.trace)
    }

    pub(super) fn change_began(&self) -> Micros {
        self.trace.phase(Phase::Change).map_or(Micros::ZERO, |(from, _)| from)
    }

    /// Whether the change is applied by a tool of its own rather than by the built-in runner.
    pub(super) fn is_command(&self) -> bool {
        self.scenario.change.command.is_some()
            || self.trace.attempts.iter().any(|a| a.command.is_some())
    }

    /// Whether no attempt got as far as a statement that works, or tries to: nothing is known of a
    /// change that was never tried.
    pub(super) fn is_untried(&self) -> bool {
        !self.trace.attempts.iter().any(|a| self.tries(a))
    }

    /// Of a command, only what works counts; the rest is the tool reading the catalogue.
    pub(super) fn tries(&self, attempt: &AttemptRecord<'_>) -> bool {
        attempt.statements.iter().any(|s| match s.began.source {
            Source::File { .. } => true,
            Source::Runner => false,
            Source::Command => {
                let works = s.changed_something() || !s.succeeded();
                s.purpose() == Purpose::Work && works && !self.is_bookkeeping(s)
            }
        })
    }

    /// Whether the statement is about a table of the tool's own.
    pub(super) fn is_bookkeeping(&self, record: &StatementRecord<'_>) -> bool {
        let about = || record.facts().is_about(&self.tools_tables());
        *record.known.bookkeeping.get_or_init(about)
    }

    /// The version table, and what tools have beside theirs.
    pub(super) fn tools_tables(&self) -> Vec<&str> {
        self.version_tables().into_iter().chain(BESIDE_VERSIONS.iter().copied()).collect()
    }

    /// The declared one; of a command that declares none, what tools use by default.
    pub(super) fn version_tables(&self) -> Vec<&str> {
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
