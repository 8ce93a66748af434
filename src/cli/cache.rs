//! `cache`: what is kept between runs, and how to be rid of it.

use std::path::Path;

use crate::connect::Address;
use crate::history::silent;
use crate::provision::{self, Request, SourceRequest};
use crate::report::bytes;
use crate::run::ExitStatus;
use crate::seed;

use super::args::{CacheAction, CacheArguments};
use super::{complain, kept};

pub async fn cache(arguments: &CacheArguments) -> ExitStatus {
    let request = match arguments.server.request() {
        Ok(request) => request,
        Err(error) => {
            complain(&error);
            return ExitStatus::BadInput;
        }
    };
    if let SourceRequest::Url(url) | SourceRequest::Unvouched { url, .. } = &request.source {
        return external(url, arguments.action.unwrap_or(CacheAction::List)).await;
    }
    let Some(directory) = arguments.server.cache() else {
        anstream::println!("nothing is kept: there is no cache directory");
        return ExitStatus::AsExpected;
    };
    match arguments.action.unwrap_or(CacheAction::List) {
        CacheAction::List => list(&directory, arguments).await,
        CacheAction::Clear => clear(&directory),
    }
}

/// What is ours on an external server: templates, and what is left of trials.
async fn external(url: &str, action: CacheAction) -> ExitStatus {
    let address = match Address::parse(url) {
        Ok(address) => address,
        Err(error) => {
            complain(&error);
            return ExitStatus::BadInput;
        }
    };
    let done = match action {
        CacheAction::List => list_external(&address).await,
        CacheAction::Clear => clear_external(&address).await,
    };
    match done {
        Ok(ending) => ending,
        Err(error) => {
            complain(&error);
            ExitStatus::Failed
        }
    }
}

async fn list_external(address: &Address) -> Result<ExitStatus, seed::Error> {
    let (templates, owned) = (seed::cached(address).await?, seed::owned(address).await?);
    if templates.is_empty() && owned.is_empty() {
        anstream::println!("{} keeps nothing of this role", address.place());
    }
    templates.iter().for_each(print_template);
    for owned in owned {
        let state = if owned.in_use { "in use" } else { "left behind" };
        let owner = Some(owned.owner).filter(|owner| !owner.is_empty());
        let owner = owner.map_or_else(String::new, |owner| format!(", {owner}"));
        anstream::println!("  {}  {}, {state}{owner}", owned.database, bytes(owned.bytes));
    }
    Ok(ExitStatus::AsExpected)
}

async fn clear_external(address: &Address) -> Result<ExitStatus, seed::Error> {
    let swept = seed::clear(address).await?;
    anstream::println!("dropped {} databases on {}", swept.dropped.len(), address.place());
    swept.dropped.iter().for_each(|database| anstream::println!("  {database}"));
    swept.failed.iter().for_each(|failed| complain(failed));
    for owned in seed::owned(address).await?.iter().filter(|owned| owned.in_use) {
        anstream::println!("left {}: it is in use", owned.database);
    }
    match swept.failed.is_empty() {
        true => Ok(ExitStatus::AsExpected),
        false => Ok(ExitStatus::Failed),
    }
}

fn print_template(seed: &seed::Cached) {
    anstream::println!(
        "  {}  {}  {}, made {}, last used {}",
        seed.database,
        seed.scenario,
        bytes(seed.bytes),
        seed.created,
        seed.last_used
    );
}

async fn list(directory: &Path, arguments: &CacheArguments) -> ExitStatus {
    let clusters = provision::list_cache(directory);
    let tried = kept::count(directory);
    if tried > 0 {
        anstream::println!("{} results of try", tried);
    }
    if clusters.is_empty() && tried == 0 {
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
    let asked = arguments.server.request()?;
    let (pg_bin, major) = (arguments.server.pg_bin.clone(), asked.source.major());
    let source = SourceRequest::Local { pg_bin, major };
    let cache = Some(directory.to_owned());
    let request = Request { source, cache, run_as: arguments.server.run_as.clone() };
    let started = provision::provision(&request, &silent()).await;
    let server = started.map_err(|error| format!("start the cached server: {error}"))?;
    let found = seed::cached(&server.address()).await;
    let stopped = server.stop().await;
    for seed in found.map_err(|error| format!("list the seeds: {error}"))? {
        print_template(&seed);
    }
    stopped.map_err(|error| format!("stop the cached server: {error}"))
}

fn clear(directory: &Path) -> ExitStatus {
    if let Err(error) = kept::clear(directory) {
        complain(&format!("remove the results of try in {}: {error}", directory.display()));
        return ExitStatus::Failed;
    }
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
