//! What a server could be had from on this machine, and what would be used.
//!
//! Data only: other modules format it. Nothing is started or made.

use std::path::PathBuf;

use super::docker_state::DockerState;
use super::find;
use super::installation::{Installation, SearchedPlace};
use super::pooler::{PoolerProgram, find_pooler};
use super::{Request, SourceRequest, cluster, machine, run_directory};

/// Everything that decides which server is used and how.
#[derive(Clone, Debug)]
pub struct DoctorReport {
    /// Each place that was looked at for server binaries.
    pub places: Vec<SearchedPlace>,
    /// What `local` would start; an error's text if nothing.
    pub chosen: Result<Installation, String>,
    /// The container engine.
    pub docker: DockerState,
    /// PgBouncer, for conditions with a pooler; an error's text if there is none.
    pub pooler: Result<PoolerProgram, String>,
    /// The user of a local server; an error's text if no user is suitable.
    pub server_user: Result<String, String>,
    /// Whether this process is root's, which cannot run a server itself.
    pub is_root: bool,
    /// The asked cache directory, or the default one.
    pub cache: Option<PathBuf>,
    /// Clusters in the cache directory.
    pub cached: Vec<cluster::CachedCluster>,
    /// On the file system of the cache directory.
    pub cache_free_bytes: Option<u64>,
    /// Where private clusters and sockets go.
    pub run_directories: PathBuf,
    /// Free bytes on their file system; None: it cannot be read.
    pub run_free_bytes: Option<u64>,
    /// Cores that this process may use.
    pub cores: usize,
    /// Physical memory.
    pub memory_bytes: u64,
}

/// Finds out what the request would use.
pub async fn doctor(request: &Request) -> DoctorReport {
    let account = machine::server_account(request.run_as.as_deref());
    let asked = match &request.source {
        SourceRequest::Local { pg_bin, major } => (pg_bin.clone(), *major),
        SourceRequest::Any { major, .. } => (None, *major),
        SourceRequest::Docker { major, .. } => (None, *major),
        SourceRequest::Url(_) | SourceRequest::Unvouched { .. } => (None, None),
    };
    let user = account.as_ref().ok().cloned().flatten();
    let places = find::places(asked.0.as_deref(), user.as_ref());
    let cache = request.cache.clone().or_else(cluster::default_cache_directory);
    let run_directories = run_directory::candidates().into_iter().next().unwrap_or_default();
    DoctorReport {
        chosen: find::choose(&places, asked.1).map_err(|error| error.to_string()),
        places,
        docker: docker_state().await,
        pooler: find_pooler().map_err(|error| error.to_string()),
        server_user: match account {
            Ok(Some(account)) => Ok(account.name),
            Ok(None) => Ok(machine::own_name()),
            Err(error) => Err(error.to_string()),
        },
        is_root: nix::unistd::Uid::effective().is_root(),
        cached: cache.as_deref().map(cluster::list_cache).unwrap_or_default(),
        cache_free_bytes: cache.as_deref().and_then(machine::free_disk_bytes),
        cache,
        run_free_bytes: machine::free_disk_bytes(&run_directories),
        run_directories,
        cores: machine::cores(),
        memory_bytes: machine::memory_bytes(),
    }
}

#[cfg(feature = "docker")]
pub(super) async fn docker_state() -> DockerState {
    super::docker::state().await
}

#[cfg(not(feature = "docker"))]
pub(super) async fn docker_state() -> DockerState {
    DockerState::NotBuilt
}
