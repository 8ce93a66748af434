//! Gives a server: a private local one, one in a container, or an external one.
//!
//! All three answer to one trait, [`Server`], so that no caller asks where the server came
//! from. A server of ours ends when our process ends, however it ends, and what a killed process
//! left is swept at the next start. Nothing here creates or reads a table.
//!
//! | file | what |
//! |---|---|
//! | `server` | what is asked for, and what every source answers to |
//! | `installation`, `find` | installed server binaries |
//! | `fetched` | servers that are fetched where there is none |
//! | `machine` | memory, cores, disk, users |
//! | `settings` | what our servers run with |
//! | `run_directory`, `guardian`, `postmaster`, `sweep` | nothing outlives us |
//! | `logins` | roles with ordinary privileges |
//! | `initdb`, `cluster`, `local` | a new cluster, the cache, a private server |
//! | `standby` | a hot standby of a private server |
//! | `docker` with `container_log`, `url` | the other two sources |
//! | `vetting`, `external` | whether an external server may be one that others need |
//! | `pooler` | PgBouncer, which ends with us as well |
//! | `doctor` | what would be used, and why |

mod cluster;
#[cfg(feature = "docker")]
mod container_log;
#[cfg(feature = "docker")]
mod docker;
#[cfg(feature = "docker")]
mod docker_standby;
mod docker_state;
mod doctor;
mod error;
mod external;
mod facts;
mod fetched;
mod find;
mod guardian;
mod initdb;
mod installation;
mod local;
mod logins;
mod machine;
mod pooler;
mod postmaster;
mod run_directory;
mod server;
mod settings;
mod standby;
mod sweep;
mod url;
mod vetting;

use crate::connect::Address;
use crate::history::{Listener, Progress, ServerFacts};

pub use cluster::{CacheCleaned, CachedCluster, clean_cache, default_cache_directory, list_cache};
pub use docker_state::DockerState;
pub use doctor::{DoctorReport, doctor};
pub use error::Error;
pub use external::{External, external};
pub use fetched::{
    FetchedServer, SERVERS_VARIABLE, fetch_server, fetched_servers, remove_server,
    servers_directory,
};
pub use installation::{Installation, MAJORS, Refused, SearchedPlace};
pub use logins::{Login, Logins};
pub use machine::{facts as machine_facts, free_disk_bytes};
pub use pooler::{PGBOUNCER_VARIABLE, Pooler, PoolerProgram, PoolerSetup, find_pooler};
pub use server::{Named, Request, Server, SourceRequest, TRIAL_DATABASE_PREFIX};
pub use standby::{APPLICATION_NAME as STANDBY_APPLICATION_NAME, StandbyRequest};
pub use sweep::{Swept, sweep};

/// Finds or starts the server that was asked for.
///
/// # Errors
/// No server is found, it does not start, or it cannot be used; each with the remedy.
pub async fn provision(request: &Request, listener: &Listener) -> Result<Box<dyn Server>, Error> {
    match &request.source {
        SourceRequest::Any { major, image, fetch } => {
            any(request, (*major, image.clone(), *fetch), listener).await
        }
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
        SourceRequest::Unvouched { url, named } => {
            vetting::vouched(url, *named).await?;
            url::connect(url, listener).await
        }
    }
}

/// As which source facts name the server of a clone.
pub const CLONE_SOURCE: &str = "clone";

/// What the server of a database says of itself, where that is all that is known of it.
///
/// # Errors
/// It cannot be reached.
pub async fn facts_of(address: &Address) -> Result<ServerFacts, Error> {
    let place = address.place();
    let session = facts::session(address)
        .await
        .map_err(|error| Error::Unreachable { place, error: Box::new(error) })?;
    Ok(facts::read(&session, CLONE_SOURCE).await?)
}

/// Whether there is such a server, as far as that is known before one is started.
///
/// # Errors
/// None of the asked major is installed, and no engine runs containers.
pub async fn available(request: &Request) -> Result<(), Error> {
    let (pg_bin, major) = match &request.source {
        SourceRequest::Any { major, .. } => (None, *major),
        SourceRequest::Local { pg_bin, major } => (pg_bin.clone(), *major),
        _ => return Ok(()),
    };
    let account = machine::server_account(request.run_as.as_deref())?;
    let found = local::installation(pg_bin, major, account.as_ref()).await.map(|_| ());
    let is_any = matches!(request.source, SourceRequest::Any { .. });
    match (found, is_any) {
        (Err(Error::NothingFound { major, places }), true) => match doctor::docker_state().await {
            DockerState::Reachable { .. } => Ok(()),
            _ if fetches(request) && fetched::is_fetchable(fetched_major(major)) => Ok(()),
            _ => Err(Error::NothingFound { major, places }),
        },
        (found, _) => found,
    }
}

/// The newest, where none is asked for.
fn fetched_major(asked: Option<u32>) -> u32 {
    asked.unwrap_or(*MAJORS.end())
}

fn fetches(request: &Request) -> bool {
    matches!(request.source, SourceRequest::Any { fetch: true, .. })
}

async fn any(
    request: &Request,
    (major, image, fetch): (Option<u32>, Option<String>, bool),
    listener: &Listener,
) -> Result<Box<dyn Server>, Error> {
    let local = local::start(request, None, major, listener).await;
    let Err(Error::NothingFound { .. }) = &local else { return local };
    let DockerState::Reachable { .. } = doctor::docker_state().await else {
        let wanted = fetched_major(major);
        // What was looked for and the ways out are the better answer where none can be fetched.
        if !fetch || !fetched::is_fetchable(wanted) {
            return local;
        }
        listener(Progress::Note("no server is installed, and no Docker runs".to_owned()));
        fetch_server(wanted, listener).await?;
        return local::start(request, None, Some(wanted), listener).await;
    };
    listener(Progress::Note("no such server is installed: using a container".to_owned()));
    let source = SourceRequest::Docker { image, major };
    Box::pin(provision(&Request { source, ..request.clone() }, listener)).await
}
