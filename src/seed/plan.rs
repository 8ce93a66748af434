//! What to fill a database with, what comes of it, and how the sessions that fill it are set.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::BoxFuture;

use crate::connect::Session;
use crate::history::ShortTable;
use crate::scenario::{Scenario, Sizes};
use crate::schema::Fingerprint;

/// `pg_stat_activity.application_name` of our sessions.
pub(super) const APPLICATION: &str = "pgauntlet seed";
/// Longest wait for another process that makes the same template.
pub(super) const LOCK_WAIT_MAX: Duration = Duration::from_secs(3_600);

/// What to fill a database with.
#[derive(Clone, Debug)]
pub struct Plan<'a> {
    /// Whose tables are filled.
    pub scenario: &'a Scenario,
    /// Rows per table.
    pub sizes: Sizes,
    /// Sessions that load at once; the rows do not depend on it.
    pub loaders: usize,
    /// What compares a whole schema before and after its load. None: nothing of it is taken off.
    pub catalogue: Option<ReadCatalogue>,
}

/// Reads a database's catalogue, to compare; the session is idle.
pub type ReadCatalogue = for<'a> fn(&'a Session) -> BoxFuture<'a, Result<Fingerprint, String>>;

/// A seeded database to copy from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// The database's name.
    pub database: String,
    /// Digest of everything that its rows depend on.
    pub key: String,
    /// It was there already.
    pub reused: bool,
    /// `pg_database_size` of it.
    pub bytes: u64,
    /// Tables of a whole schema that have fewer rows than they were to have.
    pub short: Vec<ShortTable>,
    /// How long it took to fill, or to find.
    pub took: Duration,
}

/// Filling has no reader to protect: no timeout that the server's owner set applies, and a crash
/// costs the half-made database anyway.
pub(super) fn session_settings() -> BTreeMap<String, String> {
    let settings = [
        ("synchronous_commit", "off"),
        ("statement_timeout", "0"),
        ("lock_timeout", "0"),
        ("idle_in_transaction_session_timeout", "0"),
    ];
    settings.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}
