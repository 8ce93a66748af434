//! What keeps an observation from being made, and the name under which sessions observe.

use std::time::Duration;

use crate::{connect, schema};

/// `application_name` of every session that only looks. Samples leave these sessions out.
pub const APPLICATION_NAME: &str = "pgauntlet observe";

/// A session's own error is large, and most results are not errors: hence the boxes.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each message says what its variant is")]
pub enum Error {
    #[error("open an observing session: {0}")]
    Open(#[source] Box<connect::Error>),
    #[error("open an observing session: no answer within {} s", .0.as_secs_f64())]
    OpenTimeout(Duration),
    #[error("read the catalogue ({what}): {error}")]
    Catalogue { what: &'static str, error: Box<connect::Error> },
    #[error("read the catalogue (tables): {error}; this is a bug of pgauntlet")]
    CatalogueForm { error: serde_json::Error },
    #[error("read the statistics of {place}: {error}{remedy}")]
    Statistics { place: String, error: Box<connect::Error>, remedy: &'static str },
    #[error(
        "read the statistics of {place}: no answer within {} s; try again when the server has \
         less to do",
        .after.as_secs()
    )]
    StatisticsTimeout { place: String, after: Duration },
    #[error("read pg_stat_statements of {place}: {why}")]
    Recorded { place: String, why: String },
    #[error("read the statistics of {place}: {why}")]
    NoStatistics { place: String, why: String },
    #[error("read what is in the tables ({what}): {error}")]
    Contents { what: String, error: Box<connect::Error> },
    #[error("compare what replaced views answer: {0}")]
    Answers(#[source] Box<connect::Error>),
    #[error(
        "read the catalogue: the server is PostgreSQL {major}, and {} is the first supported",
        schema::MAJORS.start()
    )]
    TooOld { major: u32 },
    #[error("measure the machine control: {0}")]
    Control(#[source] Box<connect::Error>),
    #[error("start the sampler's thread: {0}")]
    Thread(#[source] std::io::Error),
    #[error("sample the lock table: {0}")]
    Sample(#[source] Box<connect::Error>),
    #[error("sample the lock table: no answer within {} s", .0.as_secs_f64())]
    SampleTimeout(Duration),
    #[error(
        "sample the lock table: blind for {} s, last because it failed to {last}",
        .after.as_secs()
    )]
    Blind { after: Duration, last: Box<Error> },
    #[error("replay on the standby what the primary has written: not within {} s", .0.as_secs())]
    NotReplayed(Duration),
    #[error("observe the server: the worker of {0} panicked; this is a bug of pgauntlet")]
    Panicked(&'static str),
    #[error("read invariant {invariant:?}: it has no parameter ${parameter}; declare it")]
    Parameter { invariant: String, parameter: String },
}
