//! Runs a command that applies the change: a migration tool, a script.
//!
//! It runs in a process group of its own that ends with us, at its deadline, and in any case when
//! this is over: what a command leaves running is not left. What it says to the server goes
//! through the tap and not through here. A command that fails is no error: it is a result.

mod environment;
mod group;
mod output;

pub use environment::{Target, environment, missing};

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use nix::sys::signal::Signal;
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe::Receiver;
use tokio::process::Child;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::scenario::Command;

use super::Error;
use environment::inherited;
use group::{Group, SHELL};
use output::Output;

/// From SIGTERM at the deadline until SIGKILL.
pub const TERM_GRACE: Duration = Duration::from_secs(5);
/// How long what the command left behind may keep its output open after the command's own end.
pub const LINGER: Duration = Duration::from_secs(2);
/// Longest wait for the end after SIGKILL, which only the kernel can hold up.
const KILL_TIMEOUT: Duration = Duration::from_secs(5);
/// A pipe holds this much.
const READ_BYTES: usize = 64 << 10;

/// A command to run, and within what limits.
pub struct Invocation<'a> {
    /// What to run, and where.
    pub command: &'a Command,
    /// Ours: it wins over the command's and over what we inherited.
    pub environment: BTreeMap<String, String>,
    /// SIGTERM goes to the process group after this time, SIGKILL `TERM_GRACE` later.
    pub deadline: Duration,
    /// The whole output is also written here, as it comes.
    pub output: Option<PathBuf>,
    /// The whole group is killed when this is cancelled, without a warning.
    pub killed: CancellationToken,
}

/// How a command ended and what it printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exit {
    /// None: a signal ended it.
    pub code: Option<i32>,
    /// Signal that ended it; None: it exited by itself.
    pub signal: Option<i32>,
    /// The end of its standard output and standard error, as they came.
    pub output: String,
    /// Bytes of output before that.
    pub output_cut: u64,
    /// Whether it was ended because it reached its deadline.
    pub deadline_exceeded: bool,
}

/// Runs the command to its end or its deadline. If the future is dropped, the whole group is
/// killed at once.
///
/// # Errors
/// The command cannot be started, or its output cannot be kept.
pub async fn run(invocation: &Invocation<'_>) -> Result<Exit, Error> {
    let output = Output::new(invocation.output.as_deref())?;
    let group = Group::start()?;
    let mut running = Running::start(&group, invocation, output)?;
    let exited = tokio::select! {
        exited = timeout(invocation.deadline, running.until_exit()) => Some(exited),
        () = invocation.killed.cancelled() => None,
    };
    let deadline_exceeded = matches!(exited, Some(Err(_)));
    if let Some(Ok(exited)) = exited {
        exited?;
    } else if !deadline_exceeded {
        group.signal(Signal::SIGKILL);
    } else {
        group.signal(Signal::SIGTERM);
        // A stopped process, as one that asks the terminal for a password, hears it too.
        group.signal(Signal::SIGCONT);
    }
    let limit = if deadline_exceeded { TERM_GRACE } else { LINGER };
    timeout(limit, running.until_end()).await.unwrap_or(Ok(()))?;
    group.end().await;
    // A process that left the group may hold the output open for ever; it is not waited for.
    let limit = if running.status.is_some() { Duration::ZERO } else { KILL_TIMEOUT };
    timeout(limit, running.until_end()).await.unwrap_or(Ok(()))?;
    let Some(status) = running.status else { return Err(Error::CommandStays) };
    let (output, output_cut) = running.output.finish();
    let (code, signal) = (status.code(), status.signal());
    Ok(Exit { code, signal, output, output_cut, deadline_exceeded })
}

struct Running {
    child: Child,
    /// Some: it ended.
    status: Option<ExitStatus>,
    pipe: Receiver,
    /// No process holds the pipe's other end any more.
    closed: bool,
    chunk: Vec<u8>,
    output: Output,
}

impl Running {
    fn start(group: &Group, invocation: &Invocation<'_>, output: Output) -> Result<Running, Error> {
        let command = invocation.command;
        if !command.directory.is_dir() {
            return Err(Error::CommandDirectory { path: command.directory.clone() });
        }
        // One pipe for both, so that what they say stays in order.
        let (reader, writer) = std::io::pipe().map_err(Error::CommandPipe)?;
        let pipe = Receiver::from_owned_fd(reader.into()).map_err(Error::CommandPipe)?;
        let stdout = writer.try_clone().map_err(Error::CommandPipe)?;
        // Our own copies of the pipe's write end go with the builder.
        let child = group
            .spawn(
                tokio::process::Command::new(SHELL)
                    .arg("-c")
                    .arg(&command.line)
                    .current_dir(&command.directory)
                    .env_clear()
                    .envs(inherited(std::env::vars_os()))
                    .envs(&command.environment)
                    .envs(&invocation.environment)
                    .stdin(Stdio::null())
                    .stdout(stdout)
                    .stderr(writer),
            )
            .map_err(|source| Error::CommandSpawn { program: SHELL.into(), source })?;
        let chunk = Vec::with_capacity(READ_BYTES);
        Ok(Running { child, status: None, pipe, closed: false, chunk, output })
    }

    async fn until_exit(&mut self) -> Result<(), Error> {
        while self.status.is_none() {
            self.step().await?;
        }
        Ok(())
    }

    /// Until it ended and its output too.
    async fn until_end(&mut self) -> Result<(), Error> {
        while self.status.is_none() || !self.closed {
            self.step().await?;
        }
        Ok(())
    }

    /// Waits for output or for the end. May be dropped while it waits: nothing is lost.
    async fn step(&mut self) -> Result<(), Error> {
        tokio::select! {
            read = self.pipe.read_buf(&mut self.chunk), if !self.closed => {
                self.closed = read.map_err(Error::CommandPipe)? == 0;
                self.output.push(&self.chunk)?;
                self.chunk.clear();
            }
            status = self.child.wait(), if self.status.is_none() => {
                self.status = Some(status.map_err(Error::CommandPipe)?);
            }
        }
        Ok(())
    }
}
