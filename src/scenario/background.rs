//! Background sessions: what else goes on around the change.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::names::names;

/// Sessions beside the application and the change. Each runs statements, in one transaction that
/// it keeps open or again and again.
#[derive(Clone, Debug, PartialEq)]
pub struct Disturbance {
    /// Its name.
    pub name: String,
    /// What it runs; none: it only keeps its connections.
    pub statements: Vec<String>,
    /// Isolation level to BEGIN with, such as `REPEATABLE READ`; None is the server's default.
    pub isolation: Option<String>,
    /// For how long it goes on, in milliseconds; from when, [`Until`] says. Of one that repeats:
    /// how long each transaction stays open.
    pub hold_ms: u64,
    /// Beside which attempts it is in place.
    pub at: Beside,
    /// Milliseconds from then to its begin; 0: it is in place before.
    pub after_ms: u64,
    /// What ends it.
    pub until: Until,
    /// It runs again, this many milliseconds after the last begin at the soonest, until the change
    /// is over; None: it runs once.
    pub every_ms: Option<u64>,
    /// Whether its statements are one transaction; else each is one of its own.
    pub transaction: bool,
    /// How many sessions do so.
    pub sessions: Sessions,
    /// The role that they take; None: ours.
    pub role: Option<String>,
    /// Their database; None: the trial's.
    pub database: Option<String>,
    /// A query that returns a row once it is in place, with the pid that holds what it holds, where
    /// that is another session; None: it is when its statements have run.
    pub in_place: Option<String>,
}

impl Disturbance {
    /// Whether it may write rows of the trial's database, as far as its transaction lets it.
    pub fn may_write(&self) -> bool {
        let reads_only = |level: &String| level.ends_with("READ ONLY");
        self.database.is_none()
            && !(self.transaction && self.isolation.as_ref().is_some_and(reads_only))
    }

    /// One session whose transaction is in place before the change and held for `hold_ms`.
    pub fn transaction(name: &str, statements: Vec<String>, hold_ms: u64) -> Disturbance {
        Disturbance {
            name: name.to_owned(),
            statements,
            isolation: None,
            hold_ms,
            at: Beside::Change,
            after_ms: 0,
            until: Until::Time,
            every_ms: None,
            transaction: true,
            sessions: Sessions::Count(1),
            role: None,
            database: None,
            in_place: None,
        }
    }
}

names! {
    /// Beside which attempts a background session is in place.
    #[derive(Default, Serialize)]
    Beside {
        /// The first one, by all runners.
        #[default]
        Change "change",
        /// Those that follow it.
        Rerun "rerun",
    }
}

names! {
    /// What ends a background session.
    #[derive(Default, Serialize)]
    Until {
        /// `hold_ms` after the change has begun, or after its own begin where that is later.
        #[default]
        Time "time",
        /// The end of the change, or `hold_ms` during which the change has waited for it.
        Change "change",
    }
}

/// How many sessions a background session stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sessions {
    /// So many.
    Count(u32),
    /// As many as the server admits.
    All,
}

/// `application_name` of the sessions of a disturbance of that name.
pub fn application_name(disturbance: &str) -> String {
    format!("pgauntlet disturb {disturbance}")
}
