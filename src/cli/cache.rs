//! `cache`: what is kept between runs, and how to be rid of it.

use std::path::Path;

use crate::history::silent;
use crate::provision::{self, Request, SourceRequest};
use crate::report::bytes;
use crate::run::ExitStatus;
use crate::seed;

use super::args::{CacheAction, CacheArguments};
use super::complain;

pub async fn cache(arguments: &CacheArguments) -> ExitStatus {
    let Some(directory) = arguments.server.cache() else {
        anstream::println!("nothing is kept: there is no cache directory");
        return ExitStatus::AsExpected;
    };
    match arguments.action.unwrap_or(CacheAction::List) {
        CacheAction::List => list(&directory, arguments).await,
        CacheAction::Clear => clear(&directory),
    }
}

async fn list(directory: &Path, arguments: &CacheArguments) -> ExitStatus {
    let clusters = provision::list_cache(directory);
    if clusters.is_empty() {
        anstream::println!("{} keeps nothing", directory.display());
        return ExitStatus::AsExpected;
    }
    for cluster in &clusters {
        let used = if cluster.in_use { ", in use by a running process" } else { "" };
        anstream::println!("{} {}{used}", cluster.path.display(), bytes(cluster.bytes));
    }
    if clusters.iter().all(|cluster| cluster.in_use) {
        return ExitStatus::AsExpected;
    }
    match seeds(directory, arguments).await {
        Ok(()) => ExitStatus::AsExpected,
        Err(error) => {
            complain(&error);
            ExitStatus::Failed
        }
    }
}

/// Only the server can tell what is in its databases.
async fn seeds(directory: &Path, arguments: &CacheArguments) -> Result<(), String> {
    let (pg_bin, major) = (arguments.server.pg_bin.clone(), arguments.server.pg);
    let source = SourceRequest::Local { pg_bin, major };
    let cache = Some(directory.to_owned());
    let request = Request { source, cache, run_as: arguments.server.run_as.clone() };
    let started = provision::provision(&request, &silent()).await;
    let server = started.map_err(|error| format!("start the cached server: {error}"))?;
    let found = seed::cached(&server.address()).await;
    let stopped = server.stop().await;
    for seed in found.map_err(|error| format!("list the seeds: {error}"))? {
        anstream::println!(
            "  {}  {}  {}, made {}, last used {}",
            seed.database,
            seed.scenario,
            bytes(seed.bytes),
            seed.created,
            seed.last_used
        );
    }
    stopped.map_err(|error| format!("stop the cached server: {error}"))
}

fn clear(directory: &Path) -> ExitStatus {
    match provision::clean_cache(directory) {
        Ok(cleaned) => {
            let freed: u64 = cleaned.removed.iter().map(|cluster| cluster.bytes).sum();
            anstream::println!("removed {}, {}", cleaned.removed.len(), bytes(freed));
            for path in cleaned.in_use {
                anstream::println!("left {}: a running process uses it", path.display());
            }
            ExitStatus::AsExpected
        }
        Err(error) => {
            complain(&error);
            ExitStatus::Failed
        }
    }
}
