//! How a command ends: by a signal, or with an error.

use tokio_util::sync::CancellationToken;

use crate::run::{Error, ExitStatus, Fault};

use super::{complain, remark};

/// SIGINT and SIGTERM end the run in good order.
pub fn cancelled_by_signals() -> CancellationToken {
    use tokio::signal::unix::{SignalKind, signal};
    let cancel = CancellationToken::new();
    let cancelled = cancel.clone();
    tokio::spawn(async move {
        let (Ok(mut int), Ok(mut term)) =
            (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
        else {
            return;
        };
        tokio::select! {
            _ = int.recv() => {}
            _ = term.recv() => {}
        }
        cancelled.cancel();
    });
    cancel
}

/// Says what the error is, and how the command ends with it.
pub fn ending_of(error: &Error) -> ExitStatus {
    match error.fault() {
        Fault::Interrupted => remark(&format!("pgauntlet: {error}")),
        Fault::Input | Fault::Environment => complain(error),
    }
    match error.fault() {
        Fault::Input => ExitStatus::BadInput,
        Fault::Environment => ExitStatus::Failed,
        Fault::Interrupted => ExitStatus::Interrupted,
    }
}
