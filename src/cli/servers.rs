//! `server`: servers that pgauntlet fetches for itself.

use std::sync::Arc;

use crate::history::{Listener, Progress};
use crate::provision::{self, FetchedServer, MAJORS};
use crate::report::bytes;
use crate::run::ExitStatus;

use super::args::ServerAction;
use super::ending::cancelled_by_signals;
use super::{complain, remark, show};

pub async fn server(action: &ServerAction) -> ExitStatus {
    match action {
        ServerAction::Install { offline: true, .. } => {
            complain(
                &"fetch a server: --offline, or PGAUNTLET_OFFLINE, says that nothing is fetched",
            );
            ExitStatus::BadInput
        }
        ServerAction::Install { major, .. } => install(major.unwrap_or(*MAJORS.end())).await,
        ServerAction::List => list(),
        ServerAction::Remove { major } => remove(*major),
    }
}

async fn install(major: u32) -> ExitStatus {
    if !MAJORS.contains(&major) {
        let (least, most) = (MAJORS.start(), MAJORS.end());
        complain(&format!("fetch PostgreSQL {major}: it is one of {least} to {most}"));
        return ExitStatus::BadInput;
    }
    let listener: Listener = Arc::new(|progress: Progress| {
        if let Progress::Note(text) = progress {
            remark(&text);
        }
    });
    let fetching = provision::fetch_server(major, &listener);
    let cancel = cancelled_by_signals();
    let fetched = tokio::select! {
        fetched = fetching => fetched,
        () = cancel.cancelled() => {
            complain(&"fetch a server: interrupted; nothing is left");
            return ExitStatus::Interrupted;
        }
    };
    match fetched {
        Ok(server) => {
            show(&line(&server));
            ExitStatus::AsExpected
        }
        Err(error) => {
            complain(&error);
            ExitStatus::Failed
        }
    }
}

fn list() -> ExitStatus {
    let servers = provision::fetched_servers();
    let place = provision::servers_directory();
    let place = place.map_or("no directory".to_owned(), |place| place.display().to_string());
    match servers.is_empty() {
        true => {
            show(&format!("no server was fetched into {place}; `pgauntlet doctor` shows others"))
        }
        false => servers.iter().for_each(|server| show(&line(server))),
    }
    ExitStatus::AsExpected
}

fn remove(major: u32) -> ExitStatus {
    match provision::remove_server(major) {
        Ok(true) => {
            show(&format!("removed PostgreSQL {major}"));
            ExitStatus::AsExpected
        }
        Ok(false) => {
            complain(&format!("remove PostgreSQL {major}: it was not fetched"));
            ExitStatus::BadInput
        }
        Err(error) => {
            complain(&error);
            ExitStatus::Failed
        }
    }
}

fn line(server: &FetchedServer) -> String {
    let FetchedServer { major, package, bin, bytes: size } = server;
    let package = package.split(' ').next().unwrap_or(package);
    format!("PostgreSQL {major}  {}  {package}  {}", bytes(*size), bin.display())
}
