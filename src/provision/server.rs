//! What is asked for, and the trait to which every source of servers answers.

use std::collections::BTreeMap;
use std::path::PathBuf;

use futures_util::future::BoxFuture;

use crate::connect::Address;
use crate::history::ServerFacts;

use super::error::Error;
use super::logins::Logins;
use super::standby::StandbyRequest;

/// Databases of this prefix are trials' copies; those found at a local start have no owner.
pub const TRIAL_DATABASE_PREFIX: &str = "pgauntlet_trial_";

/// Which server, and what may be kept of it.
#[derive(Clone, Debug)]
pub struct Request {
    /// Where the server comes from.
    pub source: SourceRequest,
    /// Where clusters outlive the process; `None` keeps nothing.
    pub cache: Option<PathBuf>,
    /// The user that a local server runs as, when we are root.
    pub run_as: Option<String>,
}

/// Where a server comes from.
#[derive(Clone, Debug)]
pub enum SourceRequest {
    /// An installed server, a container where none is installed and an engine answers, or one that
    /// is fetched.
    Any {
        /// Major version of the server; None: the newest that is there.
        major: Option<u32>,
        /// Container image; None: the official one of the major version.
        image: Option<String>,
        /// Whether one is fetched where there is no other.
        fetch: bool,
    },
    /// An installed server.
    Local {
        /// Directory of its programs; None: the known places are searched.
        pg_bin: Option<PathBuf>,
        /// Major version of the server; None: the newest that is there.
        major: Option<u32>,
    },
    /// A server in a container.
    Docker {
        /// Container image; None: the official one of the major version.
        image: Option<String>,
        /// Major version of the server; None: the newest that is known.
        major: Option<u32>,
    },
    /// An external server that the user vouches for, by its connection string.
    Url(String),
    /// An external server that is used only if it does not look like one that others need.
    Unvouched {
        /// Its connection string.
        url: String,
        /// Where the user named it.
        named: Named,
    },
}

impl SourceRequest {
    /// The major that is asked for; None: none is, or the server has its own.
    pub fn major(&self) -> Option<u32> {
        match self {
            SourceRequest::Any { major, .. }
            | SourceRequest::Local { major, .. }
            | SourceRequest::Docker { major, .. } => *major,
            SourceRequest::Url(_) | SourceRequest::Unvouched { .. } => None,
        }
    }
}

/// Where the user named an external server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    /// With `--server`.
    OnTheCommandLine,
    /// With PGAUNTLET_SERVER alone, which may be there for another purpose.
    InTheEnvironment,
}

/// A running server.
pub trait Server: Send + Sync {
    /// Its maintenance database, as a user that may create databases.
    fn address(&self) -> Address;
    /// The same over TCP, for tools that cannot use a unix socket of ours.
    fn tcp_address(&self) -> Option<Address>;
    /// What the server says of itself.
    fn facts(&self) -> ServerFacts;
    /// Roles with ordinary privileges. None: everything runs as the user that we connect as.
    fn logins(&self) -> Option<Logins> {
        None
    }
    /// Databases survive this process: templates may be reused.
    fn keeps_databases(&self) -> bool {
        false
    }
    /// Where we can see its disk.
    fn data_directory(&self) -> Option<PathBuf> {
        None
    }
    /// A program that is installed beside the server's own; None: it is not, or not here.
    fn program(&self, _name: &str) -> Option<PathBuf> {
        None
    }
    /// The server's log, where we can read it.
    fn log_path(&self) -> Option<PathBuf> {
        None
    }
    /// A trial's settings on top of ours; restarts only if they differ from what runs.
    fn apply_settings<'a>(
        &'a mut self,
        settings: &'a BTreeMap<String, String>,
    ) -> BoxFuture<'a, Result<(), Error>>;
    /// A hot standby of it from now on, which takes sessions at the address that is returned; None:
    /// it has none any more.
    fn follow<'a>(
        &'a mut self,
        standby: Option<&'a StandbyRequest>,
    ) -> BoxFuture<'a, Result<Option<Address>, Error>> {
        let of = self.facts().source;
        Box::pin(async move {
            match standby {
                None => Ok(None),
                Some(_) => Err(Error::NoStandby { of }),
            }
        })
    }
    /// Starts a server of ours that another has stopped, at the same address, and waits until it
    /// is ready. One that runs, or that is not ours to start, is left alone.
    fn revive(&self) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async { Ok(()) })
    }
    /// Ends a server of ours and removes what it used; leaves an external one alone.
    fn stop(self: Box<Self>) -> BoxFuture<'static, Result<(), Error>>;
}
