//! Whose rows a scenario's are like: another database's statistics, from itself or from a file.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::connect::{Address, Session};
use crate::infer::{self, Catalogue, Mix, Rows, Statistics, Unmatched};
use crate::scenario::{Script, psql_script};
use crate::stats::grouped;
use crate::{observe, seed};

use super::Error;

/// The first major that takes statistics from a file.
const MAJOR_OF_FILES: u32 = 18;
/// Tables that are named in a row.
const NAMED_MAX: usize = 20;

/// Where the statistics are.
#[derive(Clone, Copy, Debug)]
pub enum Source<'a> {
    /// In a database, which is only read.
    Database(&'a Address),
    /// In a file of `pg_dump --statistics-only`, with its text.
    File(&'a Path, &'a str),
}

/// Statistics that are wanted.
#[derive(Clone, Copy, Debug)]
pub struct Like<'a> {
    /// Where they are.
    pub source: Source<'a>,
    /// Whether the most common values are used as well, which are values of rows.
    pub values: bool,
}

/// Statistics that were read.
#[derive(Clone, Debug)]
pub struct Known {
    statistics: Statistics,
    /// Database and place, or the file's name.
    place: String,
    /// What a file has statistics of that is not there, as the server says it.
    missing: BTreeSet<String>,
    values: bool,
}

/// Statistics as they are prepared before there is a server.
#[derive(Clone, Debug)]
pub enum Prepared {
    Known(Box<Known>),
    Script(Script),
}

impl Like<'_> {
    /// Reads a database's; of a file, what is to be run.
    ///
    /// # Errors
    /// The database cannot be read or was never analysed, or the file is no SQL.
    pub async fn prepare(&self) -> Result<Prepared, Error> {
        match self.source {
            Source::Database(address) => {
                let place = format!("{} on {}", address.database(), address.place());
                let statistics = observe::statistics_of(address, self.values).await?;
                let (missing, values) = (BTreeSet::new(), self.values);
                Ok(Prepared::Known(Box::new(Known { statistics, place, missing, values })))
            }
            Source::File(path, text) => {
                let script = psql_script(path, text).map_err(|problems| {
                    let first = problems.first().map(ToString::to_string);
                    Error::StatisticsFile(first.unwrap_or_default())
                })?;
                Ok(Prepared::Script(script.value))
            }
        }
    }

    /// Has the server read a file: its tables, which are empty, get the statistics.
    pub async fn restore(&self, session: &Session, script: &Script) -> Result<Known, Error> {
        let place = script.path.display().to_string();
        let missing = seed::restore_statistics(session, script).await?;
        let statistics = observe::statistics(session, &place, self.values).await?;
        Ok(Known { statistics, place, missing, values: self.values })
    }
}

impl Prepared {
    /// Whether a server of that major will do.
    pub fn fits(&self, major: u32) -> Result<(), Error> {
        match self {
            Prepared::Script(script) if major < MAJOR_OF_FILES => {
                Err(Error::StatisticsMajor { path: script.path.clone(), major })
            }
            _ => Ok(()),
        }
    }
}

impl Known {
    pub fn statistics(&self) -> &Statistics {
        &self.statistics
    }

    /// Rows of each table: what is asked for by name, else in proportion to the statistics.
    pub fn rows(&self, catalogue: &Catalogue, asked: &Rows) -> Rows {
        let mut of = infer::rows(catalogue, &self.statistics, asked.default);
        of.extend(asked.of.clone());
        Rows { default: asked.default, of, own: asked.own.clone() }
    }

    /// One line: what was read, and how it fits the schema.
    pub fn line(&self, catalogue: &Catalogue) -> String {
        let Unmatched { without, unknown } = self.statistics.unmatched(catalogue);
        let known = self.statistics.of_tables(catalogue).len();
        let mut line = format!("statistics of {}: {known} tables", self.place);
        if !without.is_empty() {
            line.push_str(&format!("; none of {}", named(&without)));
        }
        let missing = unknown.len() + self.missing.len();
        if missing > 0 {
            line.push_str(&format!("; {missing} more are not in the schema"));
        }
        line
    }

    /// Comments for the scenario, by the table's name; of the whole by an empty one. `counted`: how
    /// the tables are used, where the traffic follows from it.
    pub fn comments(
        &self,
        catalogue: &Catalogue,
        counted: Option<Mix>,
    ) -> BTreeMap<String, Vec<String>> {
        let Unmatched { without, unknown } = self.statistics.unmatched(catalogue);
        let of_tables = self.statistics.of_tables(catalogue);
        let mut whole = vec![format!(
            "Statistics: {}, read {} UTC as {}, of {} tables.",
            self.place,
            self.statistics.read_at,
            self.statistics.role,
            of_tables.len()
        )];
        if self.values {
            whole.push("They include the most common values of columns: values of rows.".into());
        }
        if let Some(mix) = counted {
            whole.push(format!("Traffic: {}, by the counters of its tables.", mix.name()));
        }
        if !without.is_empty() {
            whole.push(format!("Tables without statistics: {}.", named(&without)));
        }
        if !unknown.is_empty() {
            whole.push(format!("Tables there that the schema does not have: {}.", named(&unknown)));
        }
        if !self.missing.is_empty() {
            let missing: Vec<String> = self.missing.iter().cloned().collect();
            whole.push(format!("What the schema does not have: {}.", named(&missing)));
        }
        let comment = |tuples: f64, analysed: Option<&str>| {
            let analysed = analysed.map(|at| format!(", analysed {at} UTC")).unwrap_or_default();
            vec![format!("{} rows there{analysed}", grouped(tuples.max(0.0) as u64))]
        };
        let mut comments: BTreeMap<String, Vec<String>> = of_tables
            .into_iter()
            .filter_map(|(name, tuples, at)| Some((name, comment(tuples?, at.as_deref()))))
            .collect();
        comments.insert(String::new(), whole);
        comments
    }
}

/// `a, b and 7 more`.
fn named(names: &[String]) -> String {
    let more = names.len().saturating_sub(NAMED_MAX);
    let listed = names.iter().take(NAMED_MAX).cloned().collect::<Vec<_>>().join(", ");
    if more > 0 { format!("{listed} and {more} more") } else { listed }
}
