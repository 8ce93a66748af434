//! `doctor`: which server would be used, and what is in the way.

use serde_json::{Value, json};

use crate::provision::{
    self, DockerState, DoctorReport, External, Installation, SearchedPlace, SourceRequest,
};
use crate::report::bytes;
use crate::run::ExitStatus;

use super::args::{DoctorArguments, Format};
use super::{complain, show};

pub async fn doctor(arguments: &DoctorArguments) -> ExitStatus {
    let request = match arguments.server.request() {
        Ok(request) => request,
        Err(error) => {
            complain(&error);
            return ExitStatus::BadInput;
        }
    };
    if let SourceRequest::Url(url) | SourceRequest::Unvouched { url, .. } = &request.source {
        let is_vouched = matches!(request.source, SourceRequest::Url(_));
        return external(url, is_vouched, arguments.format).await;
    }
    let report = provision::doctor(&request).await;
    match arguments.format {
        Format::Text => show(&render(&report)),
        Format::Json => show(&format!("{:#}", to_json(&report))),
    }
    match report.chosen.is_ok() || matches!(report.docker, DockerState::Reachable { .. }) {
        true => ExitStatus::AsExpected,
        false => ExitStatus::Failed,
    }
}

async fn external(url: &str, is_vouched: bool, format: Format) -> ExitStatus {
    let found = match provision::external(url).await {
        Ok(found) => found,
        Err(error) => {
            complain(&error);
            return match error {
                provision::Error::Address(_) => ExitStatus::BadInput,
                _ => ExitStatus::Failed,
            };
        }
    };
    match format {
        Format::Text => show(&render_external(&found)),
        Format::Json => show(&format!("{:#}", external_to_json(&found))),
    }
    let is_usable = found.may_create && !found.in_recovery;
    match is_usable && (is_vouched || found.is_marked || found.signs.is_empty()) {
        true => ExitStatus::AsExpected,
        false => ExitStatus::Failed,
    }
}

fn external_to_json(found: &External) -> Value {
    json!({
        "server": found.place,
        "version": found.facts.version,
        "user": found.user,
        "may_create_databases": found.may_create,
        "in_recovery": found.in_recovery,
        "signs_of_others": found.signs,
        "marked_as_ours": found.is_marked,
    })
}

fn render_external(found: &External) -> String {
    let mut lines = vec![format!("{}: PostgreSQL {}", found.place, found.facts.version)];
    lines.push(match (found.in_recovery, found.may_create) {
        (true, _) => "it is a standby in recovery: no change can run there".to_owned(),
        (false, true) => format!("the user {:?} may create databases", found.user),
        (false, false) => format!(
            "the user {:?} may not create databases: ALTER ROLE … CREATEDB grants it",
            found.user
        ),
    });
    lines.push(match found.signs.is_empty() {
        true => "nothing was seen of others who need it".to_owned(),
        false => "others may need it:".to_owned(),
    });
    lines.extend(found.signs.iter().map(|sign| format!("  {sign}")));
    if found.is_marked {
        lines.push("the comment on its database says that pgauntlet may work on it".to_owned());
    } else if !found.signs.is_empty() {
        lines.push("it is used only with --server-is-mine".to_owned());
    }
    lines.push("databases of ours there: pgauntlet cache --server …".to_owned());
    lines.join("\n")
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
    lines.push(match &report.pooler {
        Ok(found) => {
            format!("conditions with a pooler work: {} in {}", found.version, found.path.display())
        }
        Err(error) => format!("conditions with a pooler cannot work: failed to {error}"),
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

/// Where something cannot work, it is null, and `error` says why.
fn to_json(report: &DoctorReport) -> Value {
    let place = |place: &SearchedPlace| {
        let found: Vec<Value> = place.found.iter().map(installation).collect();
        let refused = place.refused.iter().map(|r| json!({ "bin": r.bin, "error": r.why }));
        let refused: Vec<Value> = refused.collect();
        json!({ "name": place.name, "found": found, "refused": refused })
    };
    let (engine, no_engine) = match &report.docker {
        DockerState::NotBuilt => (None, Some("it was left out of this build".to_owned())),
        DockerState::Reachable { version } => (Some(version), None),
        DockerState::Unreachable { why } => (None, Some(why.to_string())),
    };
    let chosen = report.chosen.as_ref();
    let pooler = report.pooler.as_ref();
    let user = report.server_user.as_ref();
    let used: u64 = report.cached.iter().map(|cluster| cluster.bytes).sum();
    json!({
        "places": report.places.iter().map(place).collect::<Vec<Value>>(),
        "local": { "server": chosen.ok().map(installation), "error": chosen.err() },
        "user": { "name": user.ok(), "error": user.err() },
        "docker": { "engine": engine, "error": no_engine },
        "pooler": {
            "version": pooler.ok().map(|found| found.version.to_string()),
            "path": pooler.ok().map(|found| &found.path),
            "error": pooler.err(),
        },
        "machine": { "cores": report.cores, "memory_bytes": report.memory_bytes },
        "cache": {
            "path": report.cache,
            "used_bytes": used,
            "free_bytes": report.cache_free_bytes,
        },
        "run": { "path": report.run_directories, "free_bytes": report.run_free_bytes },
    })
}

fn installation(found: &Installation) -> Value {
    json!({ "version": found.version.to_string(), "bin": found.bin })
}
