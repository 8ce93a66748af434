//! `cache`: what is kept between runs, and how to be rid of it.

use std::path::Path;

use serde_json::{Value, json};

use crate::connect::Address;
use crate::history::silent;
use crate::provision::{self, Request, SourceRequest};
use crate::report::bytes;
use crate::run::ExitStatus;
use crate::seed;

use super::args::{CacheAction, CacheArguments, Format};
use super::{complain, kept, show};

pub async fn cache(arguments: &CacheArguments) -> ExitStatus {
    let request = match arguments.server.request() {
        Ok(request) => request,
        Err(error) => {
            complain(&error);
            return ExitStatus::BadInput;
        }
    };
    if let SourceRequest::Url(url) | SourceRequest::Unvouched { url, .. } = &request.source {
        return external(url, arguments.action.unwrap_or(CacheAction::List), arguments.format)
            .await;
    }
    let Some(directory) = arguments.server.cache() else {
        match arguments.format {
            Format::Text => show("nothing is kept: there is no cache directory"),
            Format::Json => return list_to_json(None, 0, &[], &[]),
        }
        return ExitStatus::AsExpected;
    };
    match arguments.action.unwrap_or(CacheAction::List) {
        CacheAction::List => list(&directory, arguments).await,
        CacheAction::Clear => clear(&directory),
    }
}

/// What is ours on an external server: templates, and what is left of trials.
async fn external(url: &str, action: CacheAction, format: Format) -> ExitStatus {
    let address = match Address::parse(url) {
        Ok(address) => address,
        Err(error) => {
            complain(&error);
            return ExitStatus::BadInput;
        }
    };
    let done = match action {
        CacheAction::List => list_external(&address, format).await,
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

async fn list_external(address: &Address, format: Format) -> Result<ExitStatus, seed::Error> {
    let (templates, owned) = (seed::cached(address).await?, seed::owned(address).await?);
    if format == Format::Json {
        let databases = owned.iter().map(|owned| {
            json!({
                "database": owned.database,
                "bytes": owned.bytes,
                "in_use": owned.in_use,
                "owner": owned.owner,
            })
        });
        let databases: Vec<Value> = databases.collect();
        let listed = json!({
            "server": address.place(), "seeds": seeds_to_json(&templates), "databases": databases,
        });
        show(&format!("{listed:#}"));
        return Ok(ExitStatus::AsExpected);
    }
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

/// The seeds of a directory's clusters that nobody uses; of the others only their process can tell.
async fn list(directory: &Path, arguments: &CacheArguments) -> ExitStatus {
    let clusters = provision::list_cache(directory);
    let tried = kept::count(directory);
    let is_free = clusters.iter().any(|cluster| !cluster.in_use);
    if arguments.format == Format::Json {
        let seeds = match is_free {
            true => seeds(directory, arguments).await,
            false => Ok(Vec::new()),
        };
        return match seeds {
            Ok(seeds) => list_to_json(Some(directory), tried, &clusters, &seeds),
            Err(error) => failed(&error),
        };
    }
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
    if !is_free {
        return ExitStatus::AsExpected;
    }
    match seeds(directory, arguments).await {
        Ok(seeds) => {
            seeds.iter().for_each(print_template);
            ExitStatus::AsExpected
        }
        Err(error) => failed(&error),
    }
}

fn failed(error: &dyn std::fmt::Display) -> ExitStatus {
    complain(error);
    ExitStatus::Failed
}

/// The directory is null where nothing is kept.
fn list_to_json(
    directory: Option<&Path>,
    tried: usize,
    clusters: &[provision::CachedCluster],
    seeds: &[seed::Cached],
) -> ExitStatus {
    let clusters = clusters.iter().map(
        |cluster| json!({ "path": cluster.path, "bytes": cluster.bytes, "in_use": cluster.in_use }),
    );
    let clusters: Vec<Value> = clusters.collect();
    let seeds = seeds_to_json(seeds);
    let listed = json!({
        "directory": directory, "results_of_try": tried, "clusters": clusters, "seeds": seeds,
    });
    show(&format!("{listed:#}"));
    ExitStatus::AsExpected
}

fn seeds_to_json(seeds: &[seed::Cached]) -> Vec<Value> {
    let seed = |seed: &seed::Cached| {
        json!({
            "database": seed.database,
            "scenario": seed.scenario,
            "bytes": seed.bytes,
            "created": seed.created,
            "last_used": seed.last_used,
        })
    };
    seeds.iter().map(seed).collect()
}

/// Only the server can tell what is in its databases.
async fn seeds(directory: &Path, arguments: &CacheArguments) -> Result<Vec<seed::Cached>, String> {
    let asked = arguments.server.request()?;
    let (pg_bin, major) = (arguments.server.pg_bin.clone(), asked.source.major());
    let source = SourceRequest::Local { pg_bin, major };
    let cache = Some(directory.to_owned());
    let request = Request { source, cache, run_as: arguments.server.run_as.clone() };
    let started = provision::provision(&request, &silent()).await;
    let server = started.map_err(|error| format!("start the cached server: {error}"))?;
    let found = seed::cached(&server.address()).await;
    let stopped = server.stop().await;
    let found = found.map_err(|error| format!("list the seeds: {error}"))?;
    stopped.map_err(|error| format!("stop the cached server: {error}"))?;
    Ok(found)
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
