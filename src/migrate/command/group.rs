//! A process group that ends when ours does, however ours ends.
//!
//! Its leader is a shell script that holds the read end of a pipe whose write end only our
//! process has, and sees its end even after SIGKILL. It leads the group and not the command, so
//! that it is there before anything that it is to end, and so that the group's id is no one
//! else's until we have waited for it. PR_SET_PDEATHSIG would reach the command and not what the
//! command started.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::process::{Child, ChildStdin, Command};

use crate::migrate::Error;

pub const SHELL: &str = "/bin/sh";
const SCRIPT: &str = include_str!("group.sh");
/// Longest wait for the leader's end after SIGKILL.
const LEADER_END_TIMEOUT: Duration = Duration::from_secs(5);

/// A running group. Dropping it ends it at once.
pub struct Group {
    id: Pid,
    leader: Child,
    _pipe: ChildStdin,
}

impl Group {
    /// Starts the leader, with nothing beside it.
    pub fn start() -> Result<Group, Error> {
        let failed = |source| Error::CommandSpawn { program: Path::new(SHELL).to_owned(), source };
        let mut leader = Command::new(SHELL)
            .args(["-c", SCRIPT])
            .env_clear()
            .current_dir("/")
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(failed)?;
        let pipe = leader.stdin.take();
        let id = leader.id().and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw);
        let (Some(id), Some(pipe)) = (id, pipe) else {
            return Err(failed(std::io::Error::other("it has no pid or no pipe")));
        };
        Ok(Group { id, leader, _pipe: pipe })
    }

    /// Starts a program in the group.
    pub fn spawn(&self, command: &mut Command) -> std::io::Result<Child> {
        command.process_group(self.id.as_raw()).spawn()
    }

    pub fn signal(&self, signal: Signal) {
        // Until the leader was waited for, its id is the group's. It fails if all are gone.
        if self.leader.id().is_some() {
            let _ = killpg(self.id, signal);
        }
    }

    /// Ends the group with SIGKILL.
    pub async fn end(mut self) {
        self.signal(Signal::SIGKILL);
        let _ = tokio::time::timeout(LEADER_END_TIMEOUT, self.leader.wait()).await;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.signal(Signal::SIGKILL);
    }
}
