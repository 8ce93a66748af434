//! Ends and removes what killed processes of ours left, and nothing that lives.

use std::path::PathBuf;

use super::run_directory::{self, Stale};
use super::{Error, cluster, initdb, machine, postmaster};

/// What a sweep found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Run directories that were removed.
    pub removed: Vec<PathBuf>,
    /// Servers that had outlived their process and their guardian.
    pub ended: Vec<PathBuf>,
    /// Containers that were removed, by name.
    pub containers: Vec<String>,
    /// What could not be removed, and why.
    pub failed: Vec<String>,
}

/// Sweeps this machine's run directories, and containers if an engine answers.
pub async fn sweep() -> Swept {
    // A task that panicked has swept nothing, and the next start will.
    let mut swept = tokio::task::spawn_blocking(directories).await.unwrap_or_default();
    // A container is stale when its run directory is, so directories go first.
    swept.containers = containers().await;
    swept
}

#[cfg(feature = "docker")]
async fn containers() -> Vec<String> {
    super::docker::sweep_reachable().await
}

#[cfg(not(feature = "docker"))]
async fn containers() -> Vec<String> {
    Vec::new()
}

/// Ends a standby that has outlived its process, and frees what a killed one left. Blocks.
fn end_standby(stale: &Stale) -> Result<(), Error> {
    let data = stale.standby_data();
    if !data.exists() {
        return Ok(());
    }
    postmaster::end(&data)?;
    if let Some(owner) = stale.owner.as_ref().filter(|_| postmaster::was_killed(&data)) {
        let account = machine::server_account(owner.run_as.as_deref()).ok().flatten();
        // A single-user server is none that follows another.
        let _ = std::fs::remove_file(data.join("standby.signal"));
        postmaster::release(&owner.bin, &data, account.as_ref());
    }
    Ok(())
}

/// Blocks.
fn directories() -> Swept {
    let mut swept = Swept::default();
    for stale in run_directory::stale() {
        sweep_one(stale, &mut swept);
    }
    swept
}

fn sweep_one(stale: Stale, swept: &mut Swept) {
    let path = stale.path.clone();
    if let Err(error) = end_standby(&stale) {
        swept.failed.push(error.to_string());
        return;
    }
    if let Some(owner) = stale.owner.clone() {
        let lived = postmaster::alive(&owner.data).is_some();
        if lived && postmaster::end(&owner.data).is_ok() {
            swept.ended.push(owner.data.clone());
        }
        let account = machine::server_account(owner.run_as.as_deref()).ok().flatten();
        if owner.data != stale.private_data() {
            cluster::release(&owner.bin, &owner.data, account.as_ref());
        } else {
            let new_data = cluster::new_data(&owner.data);
            if let Err(error) = initdb::clear(&owner.bin, &new_data, account.as_ref()) {
                swept.failed.push(error.to_string());
            }
            if postmaster::was_killed(&owner.data) {
                postmaster::release(&owner.bin, &owner.data, account.as_ref());
            }
        }
        if let Some(pid) = postmaster::alive(&owner.data) {
            let data = owner.data.display();
            swept.failed.push(format!("end the server on {data}: pid {pid} lives on"));
            return;
        }
    }
    match stale.remove() {
        Ok(()) => swept.removed.push(path),
        Err(error) => swept.failed.push(error.to_string()),
    }
}
