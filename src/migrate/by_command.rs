//! Applies the change by its command, and says how that ended.

use std::time::Duration;

use crate::connect::{Session, masked};
use crate::history::{Attempt, AttemptEnd, CommandEnded, Event, ServerError, exit_words};
use crate::scenario::{Command, VersionRows};

use super::command::{self, Exit, Invocation, Target};
use super::versions::versions;
use super::{ApplySetup, Error};

/// How long the connections that a command left open may take to close. A server does not notice
/// that a client is gone before it has finished what it runs.
const CLOSE_GRACE: Duration = Duration::from_secs(5);

/// Runs the command once, to its end or its deadline.
pub(super) async fn run(
    setup: &ApplySetup<'_>,
    command: &Command,
    attempt: Attempt,
) -> Result<AttemptEnd, Error> {
    let before = version_rows(setup).await?;
    let tap = setup.tap(attempt, None).await?;
    let host = tap.address().ip().to_string();
    let password = tap.password().map(str::to_owned);
    let target = Target {
        host: &host,
        port: tap.address().port(),
        user: setup.change_address.user(),
        password: password.as_deref(),
        database: setup.change_address.database(),
        options: setup.change_address.options(),
    };
    let timeouts = &setup.change.timeouts;
    let killed = tap.killed();
    let invocation = Invocation {
        command,
        environment: command::environment(&target, timeouts, setup.declared, setup.sizes),
        deadline: Duration::from_millis(setup.change.deadline_ms),
        output: setup.output.map(|directory| directory.join(output_file(attempt))),
        killed: killed.clone(),
    };
    let exit = command::run(&invocation).await;
    if exit.as_ref().is_ok_and(|exit| exit.deadline_exceeded) {
        tap.cancel().await;
    }
    let error = tap.stop(CLOSE_GRACE).await;
    // The server's own is not passed on; a command may have it from elsewhere.
    let exit = without_password(exit?, password.as_deref());
    let exit = without_password(exit, setup.change_address.password().as_deref());
    setup.recorder.record(Event::CommandEnded(CommandEnded {
        attempt,
        exit_code: exit.code,
        signal: exit.signal,
        output: exit.output.clone(),
        output_cut: exit.output_cut,
    }));
    if killed.is_cancelled() {
        return Ok(AttemptEnd::Killed);
    }
    if exit.deadline_exceeded {
        return Ok(AttemptEnd::DeadlineExceeded);
    }
    if exit.code == Some(0) {
        let applied = applied(setup, &before, &version_rows(setup).await?);
        return Ok(AttemptEnd::Finished { applied });
    }
    let error = error.unwrap_or_else(|| exit_error(&exit));
    Ok(AttemptEnd::Failed { migration: String::new(), error: error.into() })
}

/// A tool that prints its address prints the password with it, and results are passed on.
fn without_password(mut exit: Exit, password: Option<&str>) -> Exit {
    if let Some(password) = password {
        exit.output = masked(&exit.output, password);
    }
    exit
}

/// In the directory of the trial's history.
fn output_file(attempt: Attempt) -> String {
    format!("command-{attempt}.log")
}

async fn version_rows(setup: &ApplySetup<'_>) -> Result<Vec<String>, Error> {
    if setup.change.versions.is_none() {
        return Ok(Vec::new());
    }
    let none = Default::default();
    let session = Session::open(setup.address, "pgauntlet observe", &none).await;
    versions(&session.map_err(Error::Probe)?, setup.change).await
}

/// As far as the version table tells: one row that moves does not say over how many migrations,
/// and of runners that start together none is distinguished from another.
fn applied(setup: &ApplySetup<'_>, before: &[String], after: &[String]) -> Option<u32> {
    let rows = setup.change.versions.as_ref()?.rows;
    let new = after.iter().filter(|version| !before.contains(version)).count();
    match rows {
        _ if setup.change.runners > 1 => None,
        VersionRows::One if new > 0 => None,
        _ => u32::try_from(new).ok(),
    }
}

/// Why a command failed that had no statement fail.
fn exit_error(exit: &Exit) -> ServerError {
    let message = format!("the command {}", exit_words(exit.code, exit.signal));
    ServerError { sqlstate: None, message, ..ServerError::default() }
}
