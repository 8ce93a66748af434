//! Applies the change once: by the built-in runner, or by a command.
//!
//! Either speaks to the server through a tap, which traces its statements. This module does not
//! know what else goes on around the change and does not judge how it went.

mod by_command;
pub mod command;
mod error;
mod runner;
mod setup;
mod tables;
mod upstream;
mod versions;

use crate::history::{Attempt, AttemptEnd, Event};

pub use error::Error;
pub use setup::{ApplySetup, Pooled};
pub use upstream::Server as TapServer;
pub use versions::{prepare, record_by_hand, versions};

/// Applies the change once and says how that ended.
///
/// # Errors
/// The tap, a session or the command cannot be started. A change that fails is no error.
pub async fn apply(setup: &ApplySetup<'_>, attempt: Attempt) -> Result<AttemptEnd, Error> {
    setup.recorder.record(Event::AttemptBegan { attempt });
    let end = match &setup.change.command {
        Some(command) => by_command::run(setup, command, attempt).await?,
        None => runner::run(setup, attempt).await?,
    };
    setup.recorder.record(Event::AttemptEnded { attempt, end: end.clone() });
    Ok(end)
}
