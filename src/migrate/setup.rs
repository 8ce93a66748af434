//! What an application of the change needs, and the tap that goes before it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use crate::connect::{self, Address, Session};
use crate::history::{Attempt, Listener, Recorder};
use crate::scenario::{Change, Sizes};
use crate::tap::{self, Announcements, CHANGE_CLIENT, Gate, Injection, PoolState, Tap};

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
    /// The pooler before the change; None: it connects to the server.
    pub pooled: Option<&'a Pooled>,
    /// A directory for the whole output of a command.
    pub output: Option<&'a Path>,
}

/// Where the change connects to a pooler.
#[derive(Clone)]
pub struct Pooled {
    /// The pooler, as the change's user.
    pub address: Address,
    /// Its socket.
    pub socket: SocketAddr,
    /// Its server connections.
    pub state: Arc<PoolState>,
}

impl ApplySetup<'_> {
    /// Where the built-in runner connects to, and as what it names itself.
    pub(super) async fn open(
        &self,
        tap: &Tap,
        attempt: Attempt,
    ) -> Result<Session, connect::Error> {
        let none = BTreeMap::new();
        match self.pooled {
            Some(pooled) => {
                let name = format!("{CHANGE_CLIENT}{attempt}");
                let number = i32::try_from(attempt).unwrap_or_default();
                Session::open_pooled(&pooled.address, &name, &none, number).await
            }
            None => {
                let address = self.change_address.at(tap.address(), tap.password());
                Session::open(&address, "pgauntlet change", &none).await
            }
        }
    }

    pub(super) async fn tap(
        &self,
        attempt: Attempt,
        announcements: Option<Arc<Announcements>>,
    ) -> Result<Tap, Error> {
        if let Some(Pooled { address, socket, state }) = self.pooled {
            let place = (*socket, address.password().unwrap_or_default());
            return Ok(Tap::behind(state, place, (attempt, announcements), self.listener));
        }
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
