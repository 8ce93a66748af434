//! Applies the change once: by the built-in runner, or by a command.
//!
//! Either speaks to the server through a tap, which traces its statements. This module does not
//! know what else goes on around the change and does not judge how it went.

mod by_command;
pub mod command;
mod error;
mod runner;
mod upstream;
mod versions;

use std::path::Path;
use std::sync::Arc;

use crate::connect::Address;
use crate::history::{Attempt, AttemptEnd, Event, Listener, Recorder};
use crate::scenario::{Change, Sizes};
use crate::tap::{self, Announcements, Injection, Tap};

pub use error::Error;
pub use upstream::Server as TapServer;
pub use versions::{prepare, record_by_hand, versions};

/// What to apply, and where.
pub struct Setup<'a> {
    /// Where our own sessions go.
    pub address: &'a Address,
    /// Where the change's connections go: the same database, over TCP where there is a choice,
    /// so that a command that authenticates does so.
    pub change_address: &'a Address,
    pub change: &'a Change,
    /// Rows that the scenario declares, and rows of this trial.
    pub declared: &'a Sizes,
    pub sizes: &'a Sizes,
    pub recorder: &'a Recorder,
    pub listener: &'a Listener,
    /// What is done to the change on purpose.
    pub faults: &'a [Injection],
    /// A directory for the whole output of a command.
    pub output: Option<&'a Path>,
}

impl Setup<'_> {
    async fn tap(
        &self,
        attempt: Attempt,
        announcements: Option<Arc<Announcements>>,
    ) -> Result<Tap, Error> {
        let upstream = Arc::new(upstream::Server {
            change: self.change_address.clone(),
            ours: self.address.clone(),
            recorder: self.recorder.clone(),
        });
        let setup = tap::Setup {
            upstream,
            recorder: self.recorder,
            listener: self.listener,
            attempt,
            announcements,
            faults: self.faults.to_vec(),
        };
        Ok(Tap::start(setup).await?)
    }
}

/// Applies the change once and says how that ended.
pub async fn apply(setup: &Setup<'_>, attempt: Attempt) -> Result<AttemptEnd, Error> {
    setup.recorder.record(Event::AttemptBegan { attempt });
    let end = match &setup.change.command {
        Some(command) => by_command::run(setup, command, attempt).await?,
        None => runner::run(setup, attempt).await?,
    };
    setup.recorder.record(Event::AttemptEnded { attempt, end: end.clone() });
    Ok(end)
}
