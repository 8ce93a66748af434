//! `predict`: what stored trials at several sizes say of another size.

use crate::explain;
use crate::pg::facts::RelationName;
use crate::report;
use crate::result::{ChangeAssessment, ResultFile};
use crate::run::{self, ExitStatus, asked_rows, ending};
use crate::scenario::SIZES_NEEDED;
use crate::stats::SIZES_MIN;

use super::args::{Format, PredictArguments};
use super::ending::ending_of;
use super::{bad_input, complain, show, width};

/// Pure: nothing is run, and no server is asked.
pub fn predict(arguments: &PredictArguments) -> ExitStatus {
    let mut stored = match run::stored(&arguments.result) {
        Ok(stored) => stored,
        Err(error) => return ending_of(&error),
    };
    stored.broken.iter().for_each(|error| complain(error));
    let result = &mut stored.result;
    if let Some(why) = not_of(arguments, result) {
        return bad_input(why);
    }
    result.at = asked_rows(&arguments.at);
    explain::assessed(result);
    if result.changes.iter().all(is_of_few_sizes) {
        return bad_input(format!(
            "predict from {}: it takes trials at {SIZES_NEEDED}; run it with --sizes, such as \
             --sizes 250k,500k,1M,2M",
            arguments.result.display()
        ));
    }
    match arguments.format {
        Format::Json => anstream::println!("{}", report::json(result)),
        Format::Text => show(report::changes(result, width()).trim_end_matches('\n')),
    }
    ending(result)
}

/// Whether nothing follows for it.
fn is_of_few_sizes(change: &ChangeAssessment) -> bool {
    change.prediction.as_ref().is_none_or(|of| of.tried.len() < SIZES_MIN)
}

/// Why the tables that are asked about are not those of the result.
fn not_of(arguments: &PredictArguments, result: &ResultFile) -> Option<String> {
    let mut known: Vec<&str> =
        result.trials.iter().flat_map(|j| j.trial.sizes.keys()).map(String::as_str).collect();
    known.sort_unstable();
    known.dedup();
    let tables = arguments.at.iter().filter_map(|(table, _)| table.as_deref());
    let is_known = |table: &str| known.iter().any(|known| RelationName::same(known, table));
    let unknown = tables.into_iter().find(|table| !is_known(table))?;
    let known = known.join(", ");
    Some(format!("predict for {unknown}: no table of the result is called so; it has {known}"))
}
