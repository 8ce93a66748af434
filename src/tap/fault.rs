//! What can be done to a change on purpose, and when.

use std::fmt;
use std::time::Duration;

use crate::history::StatementId;
use crate::pg::{LockMode, StatementKey, StatementPlace};

use super::statement::recorded;

/// A fault to inject, once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Injection {
    /// When it is injected.
    pub at: At,
    /// What is done.
    pub action: Action,
}

/// When a fault is injected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum At {
    /// With this statement of the attempt, whichever connection sends it.
    Statement(StatementId),
    /// This long after the statement was sent, whatever it does then: a cancel, a kill, a cut. One
    /// that is over by then is left alone.
    Into(StatementId, Duration),
    /// This long after the tap began to listen, whatever goes on then.
    Time(Duration),
    /// With the statement that comes `later` after the one with this key, which is of its text as
    /// the history has it; with `into`, so long after it was sent.
    Nth {
        /// The statement's key in the attempt.
        key: StatementKey,
        /// Statements after that one.
        later: StatementId,
        /// Time since it was sent; None: at its boundary.
        into: Option<Duration>,
    },
}

impl At {
    /// Whether it can be due with a statement of this text.
    pub(super) fn may_be(&self, text: &str) -> bool {
        match self {
            At::Nth { key, .. } => key.at == place(text),
            At::Statement(_) | At::Into(..) | At::Time(_) => true,
        }
    }

    /// Whether it is due with the next statement of this text.
    pub(super) fn is_next_of(&self, text: &str) -> bool {
        match self {
            At::Nth { key, later: 0, into: None } => key.nth == 0 && key.at == place(text),
            _ => false,
        }
    }
}

/// What statements of one text have in common. A statement is known by its text as it is recorded.
pub(super) fn place(text: &str) -> StatementPlace {
    StatementPlace::new(None, &recorded(text))
}

/// What is done to the change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// `pg_cancel_backend` while the statement waits for a lock. One that never waits is left
    /// alone.
    CancelWaiting,
    /// `pg_cancel_backend` while the statement runs and waits for no lock. One that is over before
    /// that can be seen is left alone.
    CancelWorking,
    /// `pg_terminate_backend` while the statement runs.
    KillBackend,
    /// `pg_terminate_backend` while the statement is held back, so that 57P01 is its answer.
    KillBackendBefore,
    /// A session of ours holds `relation` in `mode` while the statement runs, and the server ends
    /// the statement's wait for it (55P03). One that does not wait for it is left alone; where
    /// the lock cannot be had, or no question can be put to the session, the fault is skipped. With
    /// [`At::Statement`] only.
    TimeOutWaiting {
        /// As a `regclass` is shown; several with commas between.
        relation: String,
        /// Mode in which the lock is held.
        mode: LockMode,
    },
    /// The process that applies the change is killed, the statement is not sent, and the connection
    /// is closed once its client is gone.
    KillClient,
    /// The connection is closed on both sides instead of sending the statement.
    CutBefore,
    /// The statement runs to its end, and the connection is closed instead of its answer.
    CutAfter,
    /// The answer comes this much later.
    DelayAnswer(Duration),
    /// New connections are refused (57P03) for so long.
    Refuse(Duration),
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Action::CancelWaiting => f.write_str("cancel while it waits for a lock"),
            Action::CancelWorking => f.write_str("cancel while it works"),
            Action::KillBackend => f.write_str("kill the backend"),
            Action::KillBackendBefore => f.write_str("kill the backend before the statement"),
            Action::TimeOutWaiting { relation, mode } => {
                write!(f, "let it give up waiting for {relation}, held in {mode}")
            }
            Action::KillClient => f.write_str("kill the process that applies the change"),
            Action::CutBefore => f.write_str("cut before the statement"),
            Action::CutAfter => f.write_str("cut after the statement and before its answer"),
            Action::DelayAnswer(by) => write!(f, "delay the answer by {} ms", by.as_millis()),
            Action::Refuse(time) => {
                write!(f, "refuse new connections for {} ms", time.as_millis())
            }
        }
    }
}
