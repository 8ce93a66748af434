//! Runs what `pg_dump --statistics-only` writes, on a database that holds the schema.

use std::collections::BTreeSet;

use crate::connect::{self, Session};
use crate::pg::SqlState;
use crate::pg::dump::Part;
use crate::scenario::Script;

use super::Error;

/// The statistics are of something that the schema does not have.
const NOT_THERE: &[&str] =
    &[SqlState::UNDEFINED_TABLE, SqlState::UNDEFINED_COLUMN, INVALID_SCHEMA_NAME];
const INVALID_SCHEMA_NAME: &str = "3F000";

/// Gives the session's tables the statistics of a file; says what they are of that is not there, as
/// the server does. The server has to be of 18 or later.
///
/// # Errors
/// A statement fails, or the file holds something else than statistics.
pub async fn restore_statistics(
    session: &Session,
    script: &Script,
) -> Result<BTreeSet<String>, Error> {
    let mut missing = BTreeSet::new();
    let mut restored = 0_usize;
    for statement in &script.statements {
        let is_setting = || {
            let word = statement.text.split_whitespace().next().unwrap_or_default();
            word.eq_ignore_ascii_case("set") || statement.text.contains("pg_catalog.set_config(")
        };
        match Part::of(&statement.text) {
            Part::Statistics => {}
            // Client's settings of the server that the file is of.
            _ if is_setting() => continue,
            _ => {
                let (path, line) = (script.path.clone(), statement.line);
                return Err(Error::NoStatistics { path, line });
            }
        }
        match session.batch(&statement.text).await {
            Ok(()) => restored += 1,
            Err(connect::Error::Query { error, .. }) if error.is_one_of(NOT_THERE) => {
                missing.insert(error.message.clone());
            }
            Err(connect::Error::Query { error, .. }) => {
                let (path, line) = (script.path.clone(), statement.line);
                return Err(Error::Script { path, line, error, missing: Vec::new() });
            }
            Err(error) => return Err(error.into()),
        }
    }
    match restored {
        0 if missing.is_empty() => Err(Error::NoStatistics { path: script.path.clone(), line: 1 }),
        _ => Ok(missing),
    }
}
