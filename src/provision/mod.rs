//! Gives a server: a private local one, one in a container, or somebody else's.
//!
//! All three answer to one trait, [`Server`], so that nobody above asks where the server came
//! from. A server of ours ends when our process ends, however it ends, and what a killed process
//! left is swept at the next start. Nothing here creates or reads a table.
//!
//! | file | what |
//! |---|---|
//! | `find` | installed server binaries |
//! | `machine` | memory, cores, disk, users |
//! | `settings` | what our servers run with |
//! | `run_directory`, `guardian`, `postmaster`, `sweep` | nothing outlives us |
//! | `cluster`, `local` | initdb, the cache, a private server |
//! | `docker`, `url` | the other two sources |
//! | `doctor` | what would be used, and why |

mod cluster;
#[cfg(feature = "docker")]
mod docker;
mod docker_state;
mod doctor;
mod error;
mod facts;
mod find;
mod guardian;
mod local;
mod machine;
mod postmaster;
mod run_directory;
mod settings;
mod sweep;
mod url;

use std::collections::BTreeMap;
use std::path::PathBuf;

use futures_util::future::BoxFuture;

use crate::connect::Address;
use crate::history::{Listener, Progress, ServerFacts};

pub use cluster::{CacheCleaned, CachedCluster, clean_cache, default_cache_directory, list_cache};
pub use docker_state::DockerState;
pub use doctor::{DoctorReport, doctor};
pub use error::Error;
pub use find::{Installation, Place, Refused};
pub use machine::{facts as machine_facts, free_disk_bytes};
pub use sweep::{Swept, sweep};

/// Majors that this program knows. Older ones lack `pg_locks.waitstart`.
pub const MAJORS: std::ops::RangeInclusive<u32> = 14..=18;

/// Databases of this prefix are trials' copies; those found at a local start belong to nobody.
pub const TRIAL_DATABASE_PREFIX: &str = "pgauntlet_trial_";

/// Which server, and what may be kept of it.
#[derive(Clone, Debug)]
pub struct Request {
    pub source: SourceRequest,
    /// Where clusters outlive the process; `None` keeps nothing.
    pub cache: Option<PathBuf>,
    /// The user that a local server runs as, when we are root.
    pub run_as: Option<String>,
}

#[derive(Clone, Debug)]
pub enum SourceRequest {
    /// An installed server, or a container where none is installed and an engine answers.
    Any {
        major: Option<u32>,
        image: Option<String>,
    },
    Local {
        pg_bin: Option<PathBuf>,
        major: Option<u32>,
    },
    Docker {
        image: Option<String>,
        major: Option<u32>,
    },
    Url(String),
}

/// A running server.
pub trait Server: Send + Sync {
    /// Its maintenance database, as a user that may create databases.
    fn address(&self) -> Address;
    /// The same over TCP, for tools that cannot use a unix socket of ours.
    fn tcp_address(&self) -> Option<Address>;
    fn facts(&self) -> ServerFacts;
    /// Databases survive this process: templates may be reused.
    fn keeps_databases(&self) -> bool {
        false
    }
    /// Where we can see its disk.
    fn data_directory(&self) -> Option<PathBuf> {
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
    /// Ends a server of ours and removes what it used; leaves somebody else's alone.
    fn stop(self: Box<Self>) -> BoxFuture<'static, Result<(), Error>>;
}

/// Finds or starts the server that was asked for.
pub async fn provision(request: &Request, listener: &Listener) -> Result<Box<dyn Server>, Error> {
    match &request.source {
        SourceRequest::Any { major, image } => any(request, *major, image.clone(), listener).await,
        SourceRequest::Local { pg_bin, major } => {
            local::start(request, pg_bin.clone(), *major, listener).await
        }
        #[cfg(feature = "docker")]
        SourceRequest::Docker { image, major } => {
            docker::start(image.as_deref(), *major, listener).await
        }
        #[cfg(not(feature = "docker"))]
        SourceRequest::Docker { .. } => Err(Error::DockerNotBuilt),
        SourceRequest::Url(url) => url::connect(url, listener).await,
    }
}

async fn any(
    request: &Request,
    major: Option<u32>,
    image: Option<String>,
    listener: &Listener,
) -> Result<Box<dyn Server>, Error> {
    let local = local::start(request, None, major, listener).await;
    let Err(Error::NothingFound { .. }) = &local else { return local };
    // Without an engine, what was looked for and the ways out are the better answer.
    let DockerState::Reachable { .. } = doctor::docker_state().await else { return local };
    listener(Progress::Note("no such server is installed: using a container".to_owned()));
    let source = SourceRequest::Docker { image, major };
    Box::pin(provision(&Request { source, ..request.clone() }, listener)).await
}
