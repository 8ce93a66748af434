//! What an application of the change needs, and the tap that goes before it.

use std::path::Path;
use std::sync::Arc;

use crate::connect::Address;
use crate::history::{Attempt, Listener, Recorder};
use crate::scenario::{Change, Sizes};
use crate::tap::{self, Announcements, Gate, Injection, Tap};

use super::error::Error;
use super::upstream;

/// What to apply, and where.
pub struct ApplySetup<'a> {
    /// Where our own sessions go.
    pub address: &'a Address,
    /// Where the change's connections go: the same database, over TCP where there is a choice,
    /// so that a command that authenticates does so.
    pub change_address: &'a Address,
    /// What is applied.
    pub change: &'a Change,
    /// Rows that the scenario declares, and rows of this trial.
    pub declared: &'a Sizes,
    /// Rows of this trial, by table.
    pub sizes: &'a Sizes,
    /// Where statements, connections and attempts are recorded.
    pub recorder: &'a Recorder,
    /// Who is shown the statements as they begin.
    pub listener: &'a Listener,
    /// What is done to the change on purpose.
    pub faults: &'a [Injection],
    /// A directory for the whole output of a command.
    pub output: Option<&'a Path>,
}

impl ApplySetup<'_> {
    pub(super) async fn tap(
        &self,
        attempt: Attempt,
        announcements: Option<Arc<Announcements>>,
    ) -> Result<Tap, Error> {
        let upstream = Arc::new(upstream::Server {
            change: self.change_address.clone(),
            ours: self.address.clone(),
            recorder: self.recorder.clone(),
        });
        let (address, change) = (self.change_address, self.change);
        let database = (!change.other_databases).then(|| address.database().to_owned());
        let gate = Gate::new(address.user(), address.password(), database);
        let setup = tap::TapSetup {
            upstream,
            recorder: self.recorder,
            listener: self.listener,
            attempt,
            announcements,
            faults: self.faults.to_vec(),
            gate: Some(gate),
        };
        Ok(Tap::start(setup).await?)
    }
}
