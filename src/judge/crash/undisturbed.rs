//! The run of a crash matrix in which no fault is injected: what its cases are set beside.

use crate::history::{AttemptEnd, Event, History, Phase, ShortTable, TrialFacts};
use crate::result::MatrixRow;

use super::super::blame::statement_ref;
use super::super::concerned::concerned;
use super::super::trace::Trace;
use super::injection_points::rounds_left_out;

/// What it shows.
#[derive(Clone, Debug, PartialEq)]
pub struct Undisturbed {
    /// The undisturbed trial.
    pub trial: TrialFacts,
    /// How the change ended; None: the history does not say.
    pub end: Option<AttemptEnd>,
    /// The statements of the change, in their order.
    pub statements: Vec<MatrixRow>,
    /// Statements of repeated rounds in which no fault is injected.
    pub rounds_left_out: u64,
    /// Tables that the change is about and that lack rows which were asked for.
    pub short: Vec<ShortTable>,
}

/// Reads the history of an undisturbed trial.
pub fn undisturbed(history: &History) -> Undisturbed {
    let trace = Trace::of(history);
    let change = trace.change();
    let statements = change.into_iter().flat_map(|attempt| &attempt.statements);
    let rows = statements.map(|record| MatrixRow {
        id: record.began.statement,
        statement: statement_ref(record, &trace),
    });
    let short = concerned(&trace, history.header.trial.short()).into_iter();
    Undisturbed {
        trial: history.header.trial.clone(),
        end: change.and_then(|attempt| attempt.end.cloned()),
        statements: rows.collect(),
        rounds_left_out: rounds_left_out(history),
        short: short.filter(|table| table.lacks_rows()).cloned().collect(),
    }
}

/// Whether a case came to its end, or to where it says why it did not.
pub fn is_whole(history: &History) -> bool {
    history.entries.iter().any(|entry| {
        matches!(entry.event, Event::Phase { phase: Phase::End } | Event::MeasurementFailed { .. })
    })
}
