//! Whether the change failed by what pgauntlet chose for the trial, and not by what is there where
//! it will run: made-up rows, the server, the role.

use crate::history::ServerError;
use crate::pg::SqlState;
use crate::result::Doubt;
use crate::scenario::RunsAs;

use super::Evidence;
use super::command::error_of;

/// Of the last error, where the change never came to its end.
pub fn doubt(evidence: &Evidence<'_, '_>) -> Option<Doubt> {
    if evidence.first_success().is_some() {
        return None;
    }
    let error = evidence.trace.attempts.iter().rev().find_map(error_of)?;
    let is = |code: &str| error.is_one_of(&[code]);
    let by_default = evidence.scenario.change.runs_as == RunsAs::Migrator;
    if is_not_installed(error) {
        return Some(Doubt::NotOnThisServer);
    }
    if is(SqlState::INSUFFICIENT_PRIVILEGE) && by_default {
        return Some(Doubt::OwnRole);
    }
    (evidence.scenario.has_made_up_rows() && is_of_rows(evidence, error))
        .then_some(Doubt::MadeUpRows)
}

/// An extension, a collation, a tablespace, an access method that this server does not have.
fn is_not_installed(error: &ServerError) -> bool {
    let says = |parts: &[&str]| parts.iter().all(|part| error.message.contains(part));
    if error.is_one_of(&[SqlState::FEATURE_NOT_SUPPORTED, SqlState::UNDEFINED_FILE]) {
        return says(&["extension \"", "is not available"])
            || says(&["extension control file"])
            || says(&["could not access file"]);
    }
    let kinds = ["collation \"", "tablespace \"", "access method \"", "language \""];
    error.is_one_of(&[SqlState::UNDEFINED_OBJECT])
        && kinds.iter().any(|kind| error.message.starts_with(kind))
}

/// What a value or a pair of rows is refused for. An index of the catalogue's own is not about
/// rows of the user's, and a column that the change adds is NULL in every row there is.
fn is_of_rows(evidence: &Evidence<'_, '_>, error: &ServerError) -> bool {
    let class = error.sqlstate.as_ref().and_then(|state| state.code().get(..2));
    let of_catalogue = error.message.contains("constraint \"pg_");
    let of_new_column =
        || error.is_one_of(&[SqlState::NOT_NULL_VIOLATION]) && !was_there(evidence, &error.message);
    matches!(class, Some("22" | "23")) && !of_catalogue && !of_new_column()
}

/// Whether a table had the column that the message names before the change.
fn was_there(evidence: &Evidence<'_, '_>, message: &str) -> bool {
    let named = || message.split_once("column \"")?.1.split_once('"');
    let Some((column, _)) = named() else { return false };
    let objects = evidence.trace.catalogue_before().into_iter().flat_map(|c| c.objects.keys());
    let columns = objects.filter_map(|object| object.strip_prefix("column ")?.rsplit_once('.'));
    columns.into_iter().any(|(_, known)| known.trim_matches('"') == column)
}
