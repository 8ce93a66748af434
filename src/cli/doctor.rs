//! `doctor`: which server would be used, and what is in the way.

use crate::provision::{self, DockerState, DoctorReport};
use crate::report::bytes;
use crate::run::ExitStatus;

use super::args::ServerArguments;
use super::complain;

pub async fn doctor(arguments: &ServerArguments) -> ExitStatus {
    let request = match arguments.request() {
        Ok(request) => request,
        Err(error) => {
            complain(&error);
            return ExitStatus::BadInput;
        }
    };
    let report = provision::doctor(&request).await;
    anstream::println!("{}", render(&report));
    match report.chosen.is_ok() || matches!(report.docker, DockerState::Reachable { .. }) {
        true => ExitStatus::AsExpected,
        false => ExitStatus::Failed,
    }
}

fn render(report: &DoctorReport) -> String {
    let mut lines = vec!["Server binaries, newest major first:".to_owned()];
    for place in &report.places {
        lines.push(format!("  {}: {}", place.name, place.to_text()));
    }
    lines.push(match &report.chosen {
        Ok(found) => {
            format!("--server local would use {} in {}", found.version, found.bin.display())
        }
        Err(error) => format!("--server local cannot work: {error}"),
    });
    lines.push(match (&report.server_user, report.is_root) {
        (Ok(user), true) => format!("it would run as {user}, since Postgres refuses root"),
        (Ok(user), false) => format!("it would run as {user}"),
        (Err(error), _) => format!("it cannot run: {error}"),
    });
    lines.push(match &report.docker {
        DockerState::NotBuilt => "--server docker was left out of this build".to_owned(),
        DockerState::Reachable { version } => format!("--server docker works: engine {version}"),
        DockerState::Unreachable { why } => format!("--server docker cannot work: {why}"),
    });
    lines.push(format!(
        "machine: {} cores, {} of memory",
        report.cores,
        bytes(report.memory_bytes)
    ));
    let free = |free: Option<u64>| free.map_or("unknown".to_owned(), bytes);
    if let Some(cache) = &report.cache {
        let used: u64 = report.cached.iter().map(|cluster| cluster.bytes).sum();
        lines.push(format!(
            "cache of seeded databases: {}, {} used, {} free",
            cache.display(),
            bytes(used),
            free(report.cache_free_bytes)
        ));
    }
    lines.push(format!(
        "sockets, logs and uncached servers: {}, {} free",
        report.run_directories.display(),
        free(report.run_free_bytes)
    ));
    lines.join("\n")
}
